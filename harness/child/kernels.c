/* Kernels alone, operands in L1: the time of a call with few and with many trips. Arguments and results stand in a file
 * that is mapped, so that a kernel that crashes loses nothing that was measured before it. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "child.h"

enum { REPEATS = 3 };
static const double repeat_ns = 100e3;

typedef void kernel_fn(float *out, const float *in0, const float *in1, const int64_t *args);
typedef struct kernel_call {
  kernel_fn *kernel;
  float *operand[3];
  int64_t args[SC_WIRE_ARGS];
} kernel_call;

static double run_ns(void *user, uint32_t calls) {
  kernel_call *k = user;
  double t0 = now_ns();
  for (uint32_t i = 0; i < calls; i++) k->kernel(k->operand[0], k->operand[1], k->operand[2], k->args);
  return now_ns() - t0;
}

static double best_ns(child *c, kernel_call *k, const int64_t *args, const sc_wire_kernel *w, char *arena) {
  for (uint32_t i = 0; i < w->nargs; i++) k->args[i] = w->pointer[i] ? (int64_t)(intptr_t)(arena + args[i]) : args[i];
  run_ns(k, 1);
  uint32_t calls = calibrate(run_ns, k, repeat_ns);
  double best = 0, until = now_ns() + PATIENCE_NS;
  for (int i = 0; i < REPEATS; i++) {
    gauge_wait(c, until);
    double ns = run_ns(k, calls);
    if (i == 0 || ns < best) best = ns;
  }
  return best / calls;
}

static void one_kernel(child *c, kernel_fn *kernel, sc_wire_kernel *w) {
  kernel_call k = {.kernel = kernel};
  region *arena = &c->region[0];
  if (w->nargs > SC_WIRE_ARGS) end_child(c, SC_WIRE_BROKEN, "%u arguments", w->nargs);
  if (!region_make(arena, "the operands", w->arena_bytes, AT_OFFSET, 0))
    end_child(c, SC_WIRE_CRASHED, "no memory for the operands");
  memset(arena->data, 0, w->arena_bytes);
  for (int i = 0; i < 3; i++) k.operand[i] = (float *)(void *)(arena->data + w->operand[i]);
  w->few_ns = best_ns(c, &k, w->few, w, arena->data);
  w->many_ns = best_ns(c, &k, w->many, w, arena->data);
  w->done = 1;
  region_free(arena);
}

void kernels(child *c) {
  const sc_wire_request *r = c->request;
  size_t bytes = (size_t)r->kernels * sizeof(sc_wire_kernel);
  int fd = open(r->data, O_RDWR);
  sc_wire_kernel *w = fd < 0 ? MAP_FAILED : mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (w == MAP_FAILED) end_child(c, SC_WIRE_BROKEN, "cannot map the kernels: %s", strerror(errno));
  pin_to(r->core[0]);
  kernel_fn *const *table = (kernel_fn *const *)dlsym(load_object(c), "sc_kernels");
  if (!table) end_child(c, SC_WIRE_NOT_BUILT, "no table of kernels");
  forbid_system_calls();
  c->reply->stage = SC_WIRE_TIMING;
  for (uint64_t i = r->first_kernel; i < r->kernels; i++) {
    c->reply->done_kernels = i;
    if (w[i].done) continue;
    one_kernel(c, table[i], &w[i]);
  }
  c->reply->done_kernels = r->kernels;
  end_child(c, SC_WIRE_RAN, "%s", "");
}
