/* Candidates as functions: the kernels and nests of many in one translation unit, compiled as the machine file says. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/bench/kernels/bench.h"

enum { PER_UNIT = 24, MAX_KERNELS = 4096 };

static void fatal(const char *what) {
  fprintf(stderr, "%s\n", what);
  exit(1);
}

void *bench_alloc(size_t bytes) {
  static size_t count;
  size_t room = (bytes + 2 * 4096) / 4096 * 4096;
  char *p = aligned_alloc(4096, room);
  if (!p) fatal("out of memory");
  memset(p, 0, room);
  return p + count++ * 320 % 4096;
}

static void no_barrier(void *context) { (void)context; }

static void call_compiled(void *self) {
  compiled *c = self;
  c->run(c->tensors, c->ahead, c->scratch, 0, 1, no_barrier, NULL);
}

uint64_t subject_result(const subject *s, const sc_tensor *out, float *data) {
  memset(data, 0xff, (size_t)out->elems * 4);
  time_once(s, 0);
  return sc_hash64(data, (size_t)out->elems * 4, 0);
}

typedef struct unit {
  sc_str text;
  uint64_t kernel[MAX_KERNELS];
  int nkernels, first, count;
} unit;

static bool add_candidate(unit *u, const sc_task *task, const char *text, int number) {
  sc_schedule schedule;
  sc_error err = {0};
  static sc_kernel kernels[64];
  sc_nest nest;
  char name[16];
  if (sc_schedule_parse(task, "candidate", text, &schedule, &err) != SC_OK ||
      sc_lower(task, &schedule, &nest, &err) != SC_OK) {
    if (getenv("SC_BENCH_VERBOSE")) fprintf(stderr, "# %s: %s\n", text, err.text);
    return false;
  }
  int n = sc_nest_kernels(task, &nest, kernels, 64);
  for (int i = 0; i < n; i++) {
    uint64_t hash = sc_kernel_hash(&kernels[i], false);
    int j = 0;
    while (j < u->nkernels && u->kernel[j] != hash) j++;
    if (j < u->nkernels) continue;
    if (j == MAX_KERNELS) fatal("too many kernels in a unit");
    u->kernel[u->nkernels++] = hash;
    if (sc_emit_kernel(&kernels[i], "static ", &u->text, &err) != SC_OK) fatal(err.text);
  }
  snprintf(name, sizeof name, "f%d", number);
  if (sc_emit_nest(task, &nest, name, "", &u->text, &err) != SC_OK) fatal(err.text);
  return true;
}

static void *build(unit *u, const sc_compiler *compiler) {
  static int serial;
  char source[64], object[64], command[512];
  sc_error err = {0};
  snprintf(source, sizeof source, "/tmp/sc-bench-%d-%d.c", (int)getpid(), serial);
  snprintf(object, sizeof object, "/tmp/sc-bench-%d-%d.so", (int)getpid(), serial++);
  if (sc_file_write_atomic(source, u->text.text, u->text.len, &err) != SC_OK) fatal(err.text);
  snprintf(command, sizeof command, "%s %s -fPIC -shared -o %s %s", compiler->command, compiler->arguments, object,
           source);
  if (system(command) != 0) fatal(command);
  void *handle = dlopen(object, RTLD_NOW | RTLD_LOCAL);
  if (!handle) fatal(dlerror());
  if (!getenv("SC_BENCH_KEEP")) unlink(source), unlink(object);
  return handle;
}

static void *symbol(void *handle, int number, const char *suffix) {
  char name[48];
  snprintf(name, sizeof name, "f%d_%s", number, suffix);
  void *p = dlsym(handle, name);
  if (!p) fatal(name);
  return p;
}

static void make_subject(void *handle, int number, const char *text, void *const *tensors, int threads, subject *s) {
  compiled *k = calloc(1, sizeof *k);
  size_t (*ahead_bytes)(void), (*scratch_bytes)(int);
  void (*ahead)(void *const *, void *);
  if (!k) fatal("out of memory");
  *(void **)(void *)&ahead_bytes = symbol(handle, number, "ahead_bytes");
  *(void **)(void *)&scratch_bytes = symbol(handle, number, "scratch_bytes");
  *(void **)(void *)&ahead = symbol(handle, number, "ahead");
  *(void **)(void *)&k->run = symbol(handle, number, "run");
  memcpy(k->tensors, tensors, sizeof k->tensors);
  k->ahead = bench_alloc(ahead_bytes() + 64);
  k->scratch = bench_alloc(scratch_bytes(threads) + 64);
  ahead(k->tensors, k->ahead);
  *s = (subject){.call = call_compiled, .self = k};
  if (threads == 2) s->time = time_team;
  snprintf(s->name, sizeof s->name, "%s", text);
}

int compile_all(const sc_task *task, const candidates *c, const sc_compiler *compiler, void *const *tensors,
                int threads, subject *subjects) {
  static unit u;
  int made = 0;
  for (int i = 0; i < c->n;) {
    int member[PER_UNIT], n = 0;
    memset(&u, 0, sizeof u);
    sc_emit_prelude(&u.text);
    for (; i < c->n && n < PER_UNIT; i++)
      if (add_candidate(&u, task, c->text[i], i)) member[n++] = i;
    if (n == 0) break;
    void *handle = build(&u, compiler);
    for (int j = 0; j < n; j++)
      make_subject(handle, member[j], c->text[member[j]], tensors, threads, &subjects[made++]);
    sc_str_free(&u.text);
  }
  return made;
}
