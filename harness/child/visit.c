/* One visit of one schedule: load the object, fill the tensors, prove the result, then time it. Nothing but calls of
 * f_run (and the cold walk, outside the clock) happens between two readings of the clock. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "child.h"

/* Tensor t of the timed layout begins at t * STEP modulo 4 KiB: always the same, no two at one set of the L1 cache. */
enum { STEP = 13 * 64, ALIGN = 64 };

/* ---- loading ----------------------------------------------------------------------------------------------------- */

void *load_object(child *c) {
  void *handle = dlopen(c->request->object, RTLD_NOW | RTLD_LOCAL);
  if (!handle) end_child(c, SC_WIRE_NOT_BUILT, "cannot load: %s", dlerror());
  return handle;
}

static void *function(child *c, void *handle, const char *name) {
  char symbol[96];
  snprintf(symbol, sizeof symbol, "%s_%s", c->request->prefix, name);
  void *address = dlsym(handle, symbol);
  if (!address) end_child(c, SC_WIRE_NOT_BUILT, "no function '%s'", symbol);
  return address;
}

static void load_code(child *c) {
  void *handle = load_object(c);
  c->code.ahead_bytes = (size_t(*)(void))function(c, handle, "ahead_bytes");
  c->code.ahead = (void (*)(void *const *, void *))function(c, handle, "ahead");
  c->code.scratch_bytes = (size_t(*)(int))function(c, handle, "scratch_bytes");
  c->code.run = (run_fn *)function(c, handle, "run");
}

static void read_data(child *c, int fd, uint64_t offset, char *to, size_t bytes) {
  while (bytes > 0) {
    ssize_t n = pread(fd, to, bytes, (off_t)offset);
    if (n <= 0) end_child(c, SC_WIRE_BROKEN, "data file is shorter than its task");
    to += n, offset += (uint64_t)n, bytes -= (size_t)n;
  }
}

/* ---- a set of buffers -------------------------------------------------------------------------------------------- */

enum { AHEAD = SC_WIRE_TENSORS, SCRATCH, EVICT };

static void make(child *c, int slot, const char *name, size_t bytes, placement place, size_t align_or_offset) {
  if (!region_make(&c->region[slot], name, bytes, place, align_or_offset))
    end_child(c, SC_WIRE_CRASHED, "no room for the %zu bytes of %s within the memory limit", bytes, name);
}

static size_t element_bytes(const sc_wire_tensor *t) {
  static const size_t bytes[] = {4, 2, 1, 1, 4}; /* f32 f16 i8 u8 i32 */
  return t->type < sizeof bytes / sizeof bytes[0] ? bytes[t->type] : 1;
}

/* Places and fills every tensor, packs the constants. Scratch and packed constants start as NaN: nobody may count on
 * them. */
static invocation lay_out(child *c, int fd, placement place) {
  const sc_wire_request *r = c->request;
  invocation call = {.run = c->code.run};
  for (uint32_t t = 0; t < r->ntensors; t++) {
    const sc_wire_tensor *w = &r->tensor[t];
    make(c, (int)t, w->name, w->bytes, place, place == AT_OFFSET ? t * STEP : element_bytes(w));
    read_data(c, fd, w->before, c->region[t].data, w->bytes);
    call.tensors[t] = c->region[t].data;
  }
  size_t ahead = c->code.ahead_bytes(), scratch = c->code.scratch_bytes((int)r->threads);
  make(c, AHEAD, "the packed constants", ahead, place, place == AT_OFFSET ? r->ntensors * STEP : ALIGN);
  make(c, SCRATCH, "the scratch buffer", scratch, place, place == AT_OFFSET ? (r->ntensors + 1) * STEP : ALIGN);
  memset(c->region[AHEAD].data, 0xff, ahead);
  memset(c->region[SCRATCH].data, 0xff, scratch);
  call.ahead = c->region[AHEAD].data;
  call.scratch = c->region[SCRATCH].data;
  c->reply->stage = SC_WIRE_PACKING;
  if (ahead > 0) c->code.ahead(call.tensors, call.ahead);
  return call;
}

static void clear(child *c) {
  for (int i = 0; i <= SCRATCH; i++) region_free(&c->region[i]);
}

/* ---- proof ------------------------------------------------------------------------------------------------------- */

static double element(const sc_wire_tensor *t, const char *data, size_t i) {
  switch (t->type) {
  case 0: return (double)((const float *)(const void *)data)[i];
  case 1: return (double)((const uint16_t *)(const void *)data)[i]; /* compared as bits */
  case 2: return (double)((const int8_t *)data)[i];
  case 3: return (double)((const uint8_t *)data)[i];
  default: return (double)((const int32_t *)(const void *)data)[i];
  }
}

/* Inputs must be what they were, outputs what the reference says: exactly, since the data are small integers. */
static void compare_tensor(child *c, int fd, uint32_t index) {
  const sc_wire_tensor *t = &c->request->tensor[index];
  char buffer[1 << 15];
  size_t step = sizeof buffer, size = element_bytes(t);
  sc_wire_reply *reply = c->reply;
  for (size_t at = 0; at < t->bytes; at += step) {
    size_t n = t->bytes - at < step ? t->bytes - at : step;
    const char *got = c->region[index].data + at;
    read_data(c, fd, (t->written ? t->after : t->before) + at, buffer, n);
    if (memcmp(got, buffer, n) == 0) continue;
    for (size_t i = 0; i < n / size; i++) {
      double g = element(t, got, i), e = element(t, buffer, i);
      if (g == e || memcmp(got + i * size, buffer + i * size, size) == 0) continue; /* 0 and -0 are one sum */
      if (reply->nwrong++ == 0) reply->element = (int64_t)(at / size + i), reply->got = g, reply->expected = e;
    }
  }
  if (reply->nwrong == 0) return;
  reply->tensor = (int32_t)index;
  end_child(c, SC_WIRE_WRONG, "%s", "");
}

static void compare(child *c, int fd, bool slack) {
  for (uint32_t t = 0; t < c->request->ntensors; t++) compare_tensor(c, fd, t);
  for (int i = 0; slack && i <= SCRATCH; i++) {
    const region *r = &c->region[i];
    if (!r->data || region_slack_is_clean(r)) continue;
    memcpy(c->reply->near, r->name, sizeof r->name);
    c->reply->spilled = 1;
    end_child(c, SC_WIRE_WRONG, "%s", "");
  }
}

/* ---- time -------------------------------------------------------------------------------------------------------- */

typedef struct timed {
  child *child;
  invocation call;
} timed;

static double warm_ns(void *user, uint32_t calls) {
  timed *t = user;
  double t0 = now_ns();
  pool_run(t->child->pool, &t->call, calls);
  return now_ns() - t0;
}

static double cold_ns(void *user, uint32_t calls) {
  timed *t = user;
  double sum = 0;
  for (uint32_t i = 0; i < calls; i++) {
    pool_evict(t->child->pool, t->child->region[EVICT].data, t->child->region[EVICT].bytes);
    sum += warm_ns(user, 1);
  }
  return sum;
}

/* A cold call costs a walk through the caches as well: then no longer than the clock needs, and at most 64 calls. */
static void time_it(child *c, timed *t) {
  const sc_wire_request *r = c->request;
  double least_ns = 1000 * clock_step_ns();
  if (r->cold) make(c, EVICT, "the evicting buffer", r->evict_bytes, AT_OFFSET, 0);
  double (*run_ns)(void *, uint32_t) = r->cold ? cold_ns : warm_ns;
  double wanted_ns = r->cold || r->batch_s * 1e9 < least_ns ? least_ns : r->batch_s * 1e9;
  c->reply->batch = calibrate(run_ns, t, wanted_ns);
  if (r->cold && c->reply->batch > 64) c->reply->batch = 64;
  gauge_repeats(c, run_ns, t);
}

/* Tells the harness where we are and waits until it says go. */
static void rendezvous(child *c, sc_wire_answer answer) {
  sc_wire_reply message = *c->reply;
  sc_wire_request go;
  message.answer = answer;
  message.pid = getpid();
  if (send(c->socket, &message, sizeof message, MSG_NOSIGNAL) != sizeof message ||
      recv(c->socket, &go, sizeof go, 0) != sizeof go || go.kind != SC_WIRE_GO)
    end_child(c, SC_WIRE_BROKEN, "the harness went away");
}

void visit(child *c) {
  const sc_wire_request *r = c->request;
  sc_wire_reply *reply = c->reply;
  int fd = open(r->data, O_RDONLY);
  if (fd < 0) end_child(c, SC_WIRE_BROKEN, "cannot open the data file: %s", strerror(errno));
  load_code(c);
  if (r->count) rendezvous(c, SC_WIRE_ATTACH);
  c->pool = pool_start((int)r->threads, r->core);
  if (!c->pool) end_child(c, SC_WIRE_BROKEN, "cannot start %u threads", r->threads);
  forbid_system_calls();
  static const placement guarded[] = {AT_END, AT_BEGIN};
  for (size_t i = 0; r->guard && i < 2; i++) {
    invocation call = lay_out(c, fd, guarded[i]);
    reply->stage = SC_WIRE_CHECKING;
    pool_run(c->pool, &call, 1);
    compare(c, fd, true);
    clear(c);
  }
  timed t = {c, lay_out(c, fd, AT_OFFSET)};
  reply->stage = SC_WIRE_TIMING;
  pool_run(c->pool, &t.call, 1);
  if (r->compare) compare(c, fd, false);
  time_it(c, &t);
  if (r->count) {
    reply->stage = SC_WIRE_COUNTING;
    rendezvous(c, SC_WIRE_COUNT);
    pool_run(c->pool, &t.call, reply->batch);
    rendezvous(c, SC_WIRE_COUNTED);
  }
  pool_stop(c->pool);
  end_child(c, SC_WIRE_RAN, "%s", "");
}
