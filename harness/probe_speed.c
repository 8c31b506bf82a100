/* What can only be measured: clock (a chain of one-cycle additions), peak and latency of multiply-adds, bandwidth of
 * every level. The loops are C with GNU vectors, compiled by the machine's first compiler and run like any schedule,
 * in the runner. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "harness/probe.h"

enum { STEPS = 4096, UNROLL = 16, VISITS = 20, READ_VISITS = 5 };

/* The four functions of a generated file, with a body for f_run that sees `void *scratch`. */
static void emit_function(sc_str *out, const char *name, size_t scratch_bytes, const char *body) {
  sc_str_printf(out, "__SIZE_TYPE__ %s_ahead_bytes(void) { return 0; }\n", name);
  sc_str_printf(out, "void %s_ahead(void *const *tensors, void *ahead) {}\n", name);
  sc_str_printf(out, "__SIZE_TYPE__ %s_scratch_bytes(int nt) { return %zu; }\n", name, scratch_bytes);
  sc_str_printf(out,
                "void %s_run(void *const *tensors, const void *ahead, void *scratch, int tid, int nt,"
                " void (*barrier)(void *), void *ctx) {\n%s}\n",
                name, body);
}

/* `chains` independent multiply-adds a step, kept in registers and stored once. */
static void emit_multiply_adds(sc_str *out, const char *name, int vector_bytes, int chains) {
  sc_str body = {0};
  sc_str_printf(&body, "  typedef float V __attribute__((vector_size(%d)));\n", vector_bytes);
  sc_str_add(&body, "  volatile float x = 0.999f, y = 0.001f;\n  V b = (V){0} + x, c = (V){0} + y;\n");
  for (int i = 0; i < chains; i++) sc_str_printf(&body, "  V a%d = c + %d.0f;\n", i, i);
  sc_str_printf(&body, "  for (int s = 0; s < %d; s++) {\n", STEPS);
  for (int i = 0; i < chains; i++) sc_str_printf(&body, "    a%d = a%d * b + c;\n", i, i);
  sc_str_add(&body, "  }\n  V sum = c;\n");
  for (int i = 0; i < chains; i++) sc_str_printf(&body, "  sum += a%d;\n", i);
  sc_str_add(&body, "  *(V *)scratch = sum;\n");
  emit_function(out, name, 64, sc_str_text(&body));
  out->failed |= body.failed;
  sc_str_free(&body);
}

static void emit_clock(sc_str *out, const char *name) {
  sc_str body = {0};
  sc_str_printf(&body, "  unsigned long x = 1, y = 3;\n  for (int s = 0; s < %d; s++) {\n", STEPS);
  for (int i = 0; i < UNROLL; i++) sc_str_add(&body, "    x += y; __asm__ volatile(\"\" : \"+r\"(x), \"+r\"(y));\n");
  sc_str_add(&body, "  }\n  *(unsigned long *)scratch = x;\n");
  emit_function(out, name, 64, sc_str_text(&body));
  out->failed |= body.failed;
  sc_str_free(&body);
}

/* Reads `bytes` of scratch `passes` times; integers, because scratch begins as NaN. */
static void emit_read(sc_str *out, const char *name, int vector_bytes, size_t bytes, size_t passes) {
  sc_str body = {0};
  sc_str_printf(&body, "  typedef int V __attribute__((vector_size(%d)));\n  V a[8] = {{0}};\n", vector_bytes);
  sc_str_printf(&body, "  for (long p = 0; p < %zu; p++) {\n    const V *v = scratch;\n", passes);
  sc_str_add(&body, "    __asm__ volatile(\"\" : \"+r\"(v) : : \"memory\");\n");
  sc_str_printf(&body, "    for (long i = 0; i < %zu; i += 8) {\n", bytes / (size_t)vector_bytes / 8 * 8);
  for (int i = 0; i < 8; i++) sc_str_printf(&body, "      a[%d] += v[i + %d];\n", i, i);
  sc_str_add(&body, "    }\n  }\n  *(V *)scratch = a[0] + a[1] + a[2] + a[3] + a[4] + a[5] + a[6] + a[7];\n");
  emit_function(out, name, bytes, sc_str_text(&body));
  out->failed |= body.failed;
  sc_str_free(&body);
}

/* ---- running ----------------------------------------------------------------------------------------------------- */

typedef struct bench {
  sc_runner *runner;
  char object[SC_PATH];
} bench;

static sc_status time_of(bench *b, const char *name, double *ns, sc_error *err) {
  sc_wire_request request;
  sc_wire_reply reply;
  sc_request_init(b->runner, SC_WIRE_VISIT, &request);
  memcpy(request.object, b->object, SC_PATH);
  snprintf(request.data, sizeof request.data, "/dev/null");
  snprintf(request.prefix, sizeof request.prefix, "%s", name);
  request.batch_s = 1e-3;
  SC_TRY(sc_runner_ask(b->runner, &request, NULL, NULL, &reply, err));
  if (reply.outcome != SC_WIRE_RAN)
    return sc_fail(err, SC_EXTERNAL, "the probe '%s' did not run: %.100s", name, reply.text);
  *ns = reply.ns[0];
  for (int i = 1; i < SC_REPEATS; i++)
    if (reply.ns[i] < *ns) *ns = reply.ns[i];
  return SC_OK;
}

static sc_status build(bench *b, const sc_machine *machine, const sc_str *source, sc_error *err) {
  char linker[SC_PATH], failure[256];
  sc_unit unit = {.source = source->text, .len = source->len};
  const char *object = unit.object;
  if (source->failed) return sc_fail(err, SC_NOMEM, "out of memory");
  SC_TRY(sc_path(unit.object, err, "%s/probe.o", b->runner->work.path));
  SC_TRY(sc_path(b->object, err, "%s/probe.so", b->runner->work.path));
  SC_TRY(sc_compile_units(&b->runner->work, &machine->compiler[0], "", &unit, 1, err));
  if (unit.failure[0] != '\0') return sc_fail(err, SC_EXTERNAL, "the probe does not compile: %s", unit.failure);
  SC_TRY(sc_find_linker(&machine->compiler[0], linker, err));
  SC_TRY(sc_link(linker, &object, 1, b->object, failure, err));
  return failure[0] ? sc_fail(err, SC_EXTERNAL, "the probe does not link: %s", failure) : SC_OK;
}

/* ---- levels ------------------------------------------------------------------------------------------------------ */

typedef struct level {
  char name[16];
  size_t bytes, passes;
} level;

/* A buffer per level that lies in it and not in the one before: half of the first, later ones twice the one before (at
 * most half of the level itself), memory four times the last cache. */
static int plan_levels(const sc_machine *machine, level *levels) {
  for (int i = 0; i <= machine->ncaches; i++) {
    double before = i > 0 ? machine->cache[i - 1].bytes.value : 0,
           size = i < machine->ncaches ? machine->cache[i].bytes.value : 0;
    double bytes = i == 0                  ? size / 2
                   : i == machine->ncaches ? 4 * before
                   : 2 * before < size / 2 ? 2 * before
                                           : size / 2;
    if (bytes < 4096) bytes = 4096;
    if (bytes > 256e6) bytes = 256e6;
    snprintf(levels[i].name, sizeof levels[i].name, "read%d", i);
    levels[i].bytes = (size_t)bytes / 4096 * 4096;
    levels[i].passes = levels[i].bytes < 1 << 20 ? (1 << 20) / levels[i].bytes + 1 : 1;
  }
  return machine->ncaches + 1;
}

/* The fastest of several visits some time apart: cores change their clock, and what is called peak must be that of the
 * highest. */
static sc_status best_times(bench *b, const char *const *names, int n, int visits, double *ns, sc_error *err) {
  for (int visit = 0; visit < visits; visit++) {
    for (int i = 0; i < n; i++) {
      double once;
      SC_TRY(time_of(b, names[i], &once, err));
      if (visit == 0 || once < ns[i]) ns[i] = once;
    }
  }
  return SC_OK;
}

static sc_status measure(bench *b, sc_machine *machine, const level *levels, int nlevels, int lanes, int chains,
                         sc_error *err) {
  static const char *const names[] = {"clock", "peak", "latency"};
  double best[SC_COUNT_OF(names)];
  SC_TRY(best_times(b, names, SC_COUNT_OF(names), VISITS, best, err));
  const double clock = best[0], peak = best[1], latency = best[2];
  double hz = (double)STEPS * UNROLL / clock * 1e9;
  machine->clock_hz = (sc_value){round(hz / 1e6) * 1e6, SC_MEASURED};
  machine->peak_flop_per_s = (sc_value){round(2.0 * STEPS * chains * lanes / peak * 1e3) * 1e6, SC_MEASURED};
  machine->fma_latency_cycles = (sc_value){round(latency / STEPS * hz * 1e-9), SC_MEASURED};
  double per_cycle = (double)STEPS * chains / peak * 1e9 / hz;
  machine->fma_per_cycle = (sc_value){round(per_cycle * 2) / 2, SC_MEASURED};
  const char *reads[SC_MAX_CACHES + 1];
  double read_ns[SC_MAX_CACHES + 1];
  for (int i = 0; i < nlevels; i++) reads[i] = levels[i].name;
  SC_TRY(best_times(b, reads, nlevels, READ_VISITS, read_ns, err));
  for (int i = 0; i < nlevels; i++) {
    double bytes = (double)levels[i].bytes * (double)levels[i].passes;
    sc_value rate = {round(bytes / read_ns[i] * 1e3) * 1e6, SC_MEASURED};
    *(i < machine->ncaches ? &machine->cache[i].read_bytes_per_s : &machine->memory_read_bytes_per_s) = rate;
  }
  double vector = lanes * sizeof(float), loads = machine->cache[0].read_bytes_per_s.value / hz / vector;
  machine->loads_per_cycle = (sc_value){loads < 1 ? 1 : round(loads), SC_MEASURED};
  return SC_OK;
}

sc_status sc_probe_speed(sc_machine *machine, sc_error *err) {
  level levels[SC_MAX_CACHES + 1];
  bench b = {0};
  sc_str source = {0};
  int vector = machine->compiler[0].vector_bytes ? machine->compiler[0].vector_bytes : 4;
  int chains = machine->vector_registers.value >= 32 ? 24 : 12, nlevels = plan_levels(machine, levels);
  emit_clock(&source, "clock");
  emit_multiply_adds(&source, "peak", vector, chains);
  emit_multiply_adds(&source, "latency", vector, 1);
  for (int i = 0; i < nlevels; i++) emit_read(&source, levels[i].name, vector, levels[i].bytes, levels[i].passes);
  sc_status status = sc_runner_open(machine, &b.runner, err);
  if (status == SC_OK) status = build(&b, machine, &source, err);
  if (status == SC_OK) status = measure(&b, machine, levels, nlevels, vector / (int)sizeof(float), chains, err);
  sc_str_free(&source);
  sc_runner_close(b.runner);
  return status;
}
