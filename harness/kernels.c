/* The kernel table: for every family of kernels that is not known, one of them is compiled (or found in the store),
 * looked at and timed alone. Many kernels go into one shared object and one request; one that crashes is passed
 * over. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/kernels.h"

enum { CHUNK = 192 };

/* Kernels of one compiler, one of each missing family. */
typedef struct batch {
  sc_store *store;
  const sc_machine *machine;
  const sc_compiler *compiler;
  sc_runner *runner; /* NULL: static facts only */
  const sc_kernel_table *known; /* may be NULL */
  sc_kernel_table *own;
  sc_kernel kernel[CHUNK];
  sc_object object[CHUNK];
  sc_kernel_fact fact[CHUNK];
  size_t n;
} batch;

static sc_status no_memory(sc_error *err) { return sc_fail(err, SC_NOMEM, "out of memory"); }

/* ---- static facts ------------------------------------------------------------------------------------------------ */

static void take_spills(void *user, const char *function, int32_t spills) {
  batch *b = user;
  for (size_t i = 0; i < b->n; i++) {
    char symbol[32];
    sc_kernel_symbol(&b->kernel[i], symbol);
    if (strcmp(symbol, function) == 0) b->fact[i].spills = spills;
  }
}

static sc_status look_at_code(batch *b, sc_error *err) {
  for (size_t i = 0; i < b->n; i++) {
    char path[SC_PATH];
    b->fact[i].code_bytes = b->object[i].code_bytes < INT32_MAX ? (int32_t)b->object[i].code_bytes : INT32_MAX;
    bool seen = false; /* one disassembly per unit, not per kernel */
    for (size_t k = 0; k < i && !seen; k++) seen = b->object[k].unit == b->object[i].unit;
    if (seen) continue;
    SC_TRY(sc_store_unit_path(b->store, b->compiler, b->object[i].unit, path, err));
    if (!sc_count_spills(b->compiler, path, take_spills, b)) return SC_OK;
  }
  return SC_OK;
}

/* Compiles; those that cannot be compiled leave the batch. */
static sc_status compile(batch *b, sc_error *err) {
  char *failure[CHUNK];
  SC_TRY(sc_store_need(b->store, b->compiler, b->kernel, b->n, b->object, failure, err));
  size_t keep = 0;
  for (size_t i = 0; i < b->n; i++) {
    bool good = failure[i] == NULL;
    free(failure[i]);
    if (!good) continue;
    b->kernel[keep] = b->kernel[i];
    b->object[keep] = b->object[i];
    b->fact[keep] = b->fact[i];
    keep++;
  }
  b->n = keep;
  return SC_OK;
}

/* ---- times ------------------------------------------------------------------------------------------------------- */

/* Kernels are hidden in their objects; a table shows them. */
static sc_status compile_table(batch *b, const char *object, sc_error *err) {
  sc_str source = {0};
  for (size_t i = 0; i < b->n; i++) {
    char symbol[32];
    sc_kernel_symbol(&b->kernel[i], symbol);
    sc_str_printf(&source, "void %s(float *, const float *, const float *, const long *);\n", symbol);
  }
  sc_str_add(&source, "void (*const sc_kernels[])(float *, const float *, const float *, const long *) = {\n");
  for (size_t i = 0; i < b->n; i++) {
    char symbol[32];
    sc_kernel_symbol(&b->kernel[i], symbol);
    sc_str_printf(&source, "  %s,\n", symbol);
  }
  sc_str_add(&source, "};\n");
  sc_unit unit = {.source = source.text, .len = source.len};
  snprintf(unit.object, sizeof unit.object, "%s", object);
  sc_status status = source.failed ? no_memory(err) : SC_OK;
  if (status == SC_OK) status = sc_compile_units(sc_store_work(b->store), b->compiler, "", &unit, 1, err);
  if (status == SC_OK && unit.failure[0] != '\0')
    status = sc_fail(err, SC_EXTERNAL, "the table of kernels does not compile: %s", unit.failure);
  sc_str_free(&source);
  return status;
}

static sc_status link_table(batch *b, const char *table, const char *out, sc_error *err) {
  const char *linker, *word[CHUNK + 1] = {table};
  char(*unit)[SC_PATH] = calloc(CHUNK, sizeof *unit), failure[256];
  size_t n = 1;
  if (!unit) return no_memory(err);
  sc_status status = sc_store_linker(b->store, b->compiler, &linker, err);
  for (size_t i = 0; i < b->n && status == SC_OK; i++) {
    bool seen = false;
    for (size_t k = 0; k < i && !seen; k++) seen = b->object[k].unit == b->object[i].unit;
    if (seen) continue;
    status = sc_store_unit_path(b->store, b->compiler, b->object[i].unit, unit[n - 1], err);
    word[n] = unit[n - 1];
    n++;
  }
  if (status == SC_OK) status = sc_link(linker, word, n, out, failure, err);
  if (status == SC_OK && failure[0] != '\0') status = sc_fail(err, SC_EXTERNAL, "kernels do not link: %s", failure);
  free(unit);
  return status;
}

/* Asks until every kernel has been timed or passed over. */
static sc_status run_table(batch *b, const char *object, const char *data, sc_error *err) {
  sc_wire_request request;
  sc_wire_reply reply = {0};
  for (uint64_t from = 0; from < b->n; from = reply.done_kernels + (reply.outcome != SC_WIRE_RAN)) {
    sc_request_init(b->runner, SC_WIRE_KERNELS, &request);
    memcpy(request.object, object, SC_PATH);
    memcpy(request.data, data, SC_PATH);
    request.kernels = b->n;
    request.first_kernel = from;
    request.timeout_s = 10 + 0.3 * (double)(b->n - from); /* with all the waiting for quiet moments */
    SC_TRY(sc_runner_ask(b->runner, &request, NULL, NULL, &reply, err));
    if (reply.outcome == SC_WIRE_NOT_BUILT) return sc_fail(err, SC_EXTERNAL, "kernels do not load: %.160s", reply.text);
    if (reply.done_kernels < from) reply.done_kernels = from; /* it did not even begin */
  }
  return SC_OK;
}

static sc_status read_times(batch *b, const char *data, const int *trips, sc_error *err) {
  sc_arena *arena = sc_arena_new();
  char *text;
  size_t len;
  if (!arena) return no_memory(err);
  sc_status status = sc_file_read(arena, data, CHUNK * sizeof(sc_wire_kernel), &text, &len, err);
  for (size_t i = 0; status == SC_OK && i < b->n && (i + 1) * sizeof(sc_wire_kernel) <= len; i++) {
    sc_wire_kernel w;
    memcpy(&w, text + i * sizeof w, sizeof w);
    if (!w.done || trips[i] == 0) continue;
    sc_kernel_fact *f = &b->fact[i];
    f->measured = 1;
    f->first_ns = (float)w.few_ns;
    if (trips[i] > 1) f->slope_ns = (float)fmax(0, (w.many_ns - w.few_ns) / (trips[i] - 1));
  }
  sc_arena_free(arena);
  return status;
}

static sc_status time_kernels(batch *b, sc_error *err) {
  char table[SC_PATH], object[SC_PATH], data[SC_PATH];
  int trips[CHUNK];
  const char *work = sc_store_work(b->store)->path;
  uint64_t number = sc_store_next_batch(b->store), l1 = (uint64_t)b->machine->cache[0].bytes.value;
  SC_TRY(sc_path(table, err, "%s/t%" PRIu64 ".o", work, number));
  SC_TRY(sc_path(object, err, "%s/t%" PRIu64 ".so", work, number));
  SC_TRY(sc_path(data, err, "%s/t%" PRIu64 ".data", work, number));
  sc_wire_kernel *calls = calloc(b->n, sizeof *calls);
  if (!calls) return no_memory(err);
  for (size_t i = 0; i < b->n; i++) trips[i] = sc_kernel_call(&b->kernel[i], l1 ? l1 : 32768, &calls[i]);
  for (size_t i = 0; i < b->n; i++)
    if (trips[i] == 0) calls[i].done = 1; /* no operands to be had: passed over */
  sc_status status = sc_write_file(data, calls, b->n * sizeof *calls, err);
  free(calls);
  if (status == SC_OK) status = compile_table(b, table, err);
  if (status == SC_OK) status = link_table(b, table, object, err);
  if (status == SC_OK) status = run_table(b, object, data, err);
  if (status == SC_OK) status = read_times(b, data, trips, err);
  unlink(table), unlink(object), unlink(data);
  return status;
}

/* ---- the whole --------------------------------------------------------------------------------------------------- */

static sc_status finish_batch(batch *b, const sc_log *log, sc_error *err) {
  if (b->n == 0) return SC_OK;
  size_t asked = b->n, measured = 0;
  SC_TRY(compile(b, err));
  if (b->n > 0) SC_TRY(look_at_code(b, err));
  if (b->n > 0 && b->runner) SC_TRY(time_kernels(b, err));
  for (size_t i = 0; i < b->n; i++) {
    measured += b->fact[i].measured;
    SC_TRY(sc_kernel_table_put(b->own, &b->fact[i]));
  }
  sc_log_printf(log, SC_LOG_INFO, "kernels of %s: %zu asked for, %zu compiled, %zu timed", b->compiler->name, asked,
                b->n, measured);
  b->n = 0;
  return SC_OK;
}

static bool has(const batch *b, const sc_kernel_table *table, uint64_t family) {
  const sc_kernel_fact *fact = table ? sc_kernel_table_find(table, family, sc_compiler_hash(b->compiler)) : NULL;
  return fact && (fact->measured || !b->runner);
}

static bool missing(const batch *b, uint64_t family) {
  if (has(b, b->known, family) || has(b, b->own, family)) return false;
  for (size_t i = 0; i < b->n; i++)
    if (b->fact[i].family == family) return false;
  return true;
}

static sc_status measure_compiler(batch *b, const sc_kernel *kernels, const char *const *compilers, size_t n,
                                  const sc_log *log, sc_error *err) {
  for (size_t i = 0; i < n; i++) {
    if (strcmp(compilers[i], b->compiler->name) != 0) continue;
    uint64_t family = sc_kernel_hash(&kernels[i], true);
    if (!missing(b, family)) continue;
    b->kernel[b->n] = kernels[i];
    b->fact[b->n++] =
        (sc_kernel_fact){.family = family, .compiler = sc_compiler_hash(b->compiler), .spills = -1, .code_bytes = -1};
    if (b->n == CHUNK) SC_TRY(finish_batch(b, log, err));
  }
  return finish_batch(b, log, err);
}

sc_status sc_kernels_measure(sc_store *store, const sc_machine *machine, const sc_kernel *kernels,
                             const char *const *compilers, size_t n, const sc_kernel_table *known, sc_kernel_table *own,
                             const sc_log *log, sc_error *err) {
  for (size_t i = 0; i < n; i++)
    if (!sc_machine_compiler(machine, compilers[i]))
      return sc_fail(err, SC_NOTFOUND, "the machine '%s' has no compiler '%s'", machine->name, compilers[i]);
  sc_runner *runner;
  batch *b = calloc(1, sizeof *b);
  if (!b) return no_memory(err);
  sc_status status = sc_runner_open(machine, &runner, err);
  if (status == SC_OK)
    *b = (batch){.store = store,
                 .machine = machine,
                 .runner = runner->kind->measures ? runner : NULL,
                 .known = known,
                 .own = own};
  for (int c = 0; c < machine->ncompilers && status == SC_OK; c++) {
    b->compiler = &machine->compiler[c];
    status = measure_compiler(b, kernels, compilers, n, log, err);
  }
  sc_runner_close(runner);
  free(b);
  return status;
}
