/* The data file of a task: what its tensors hold before a run and what the written ones must hold after it. Every
 * visit of every schedule of the task reads it. Small tasks go through the operator interpreter, large ones through
 * plain loops compiled for the host (reference_c.c). Files live in the runner's work folder; the oldest go when they
 * pass KEPT_BYTES. */
#include <dlfcn.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/internal.h"

enum { SMALL_FLOP = 8000000 }; /* below, the interpreter is done before a compiler has started */
static const uint64_t kept_bytes = (uint64_t)2 << 30;

typedef struct data_file {
  uint64_t task, seed, bytes, used;
  char path[SC_PATH];
} data_file;

struct sc_references {
  data_file *file;
  size_t n, cap;
  uint64_t clock;
};

sc_references *sc_references_new(void) { return calloc(1, sizeof(sc_references)); }

void sc_references_free(sc_references *references) {
  if (!references) return;
  free(references->file); /* the files go with their folder */
  free(references);
}

/* ---- expected results -------------------------------------------------------------------------------------------- */

/* Compiles and loads the plain loops with whichever C compiler the host has; false when there is none that can. */
static bool run_loops(const sc_folder *work, const char *source, size_t len, void *const *tensors) {
  static const char *const command[] = {"cc -O3 -march=native", "gcc -O3 -march=native", "clang -O3 -march=native",
                                        "cc -O2"};
  char path[SC_PATH], object[SC_PATH];
  if (sc_path(path, NULL, "%s/reference.c", work->path) != SC_OK ||
      sc_path(object, NULL, "%s/reference.so", work->path) != SC_OK || sc_write_file(path, source, len, NULL) != SC_OK)
    return false;
  for (size_t i = 0; i < SC_COUNT_OF(command); i++) {
    sc_argv argv = {0};
    int exit_status = -1;
    sc_argv_split(&argv, command[i]);
    sc_argv_split(&argv, "-w -fPIC -shared -nostdlib -o");
    sc_argv_add(&argv, object);
    sc_argv_add(&argv, path);
    sc_status status = sc_run_program(&argv, sc_compile_timeout_s(), NULL, &exit_status, NULL);
    sc_argv_free(&argv);
    if (status != SC_OK || exit_status != 0) continue;
    void *handle = dlopen(object, RTLD_NOW | RTLD_LOCAL);
    void (*loops)(void *const *) = handle ? (void (*)(void *const *))dlsym(handle, "sc_reference") : NULL;
    if (loops) loops(tensors);
    if (handle) dlclose(handle);
    unlink(object); /* the next one is another file, or dlopen would think it knows it */
    if (loops) return true;
  }
  return false;
}

sc_status sc_run_reference(const sc_folder *work, const sc_task *task, void *const *tensors, sc_error *err) {
  sc_str source = {0};
  bool done = task->flop >= SMALL_FLOP && sc_emit_reference(task, &source, NULL) == SC_OK &&
              run_loops(work, source.text, source.len, tensors);
  sc_str_free(&source);
  return done ? SC_OK : sc_run_operator(task, tensors, err);
}

/* ---- files ------------------------------------------------------------------------------------------------------- */

static uint64_t tensor_bytes(const sc_tensor *t) { return (uint64_t)t->elems * sc_type_bytes(t->type); }

/* Fills the request's table of tensors and returns the size of the file. */
static uint64_t lay_out(const sc_task *task, sc_wire_request *request) {
  uint64_t at = 0;
  request->ntensors = task->ntensors;
  for (int t = 0; t < task->ntensors; t++) {
    sc_wire_tensor *w = &request->tensor[t];
    *w = (sc_wire_tensor){.bytes = tensor_bytes(&task->tensor[t]), .type = task->tensor[t].type, .before = at};
    snprintf(w->name, sizeof w->name, "%s", task->tensor[t].name);
    w->written = task->tensor[t].role != SC_IN;
    at += w->bytes;
    w->after = at;
    if (w->written) at += w->bytes;
  }
  return at;
}

static bool write_tensors(FILE *file, const sc_wire_request *request, void *const *tensors, bool after) {
  for (uint32_t t = 0; t < request->ntensors; t++) {
    const sc_wire_tensor *w = &request->tensor[t];
    if (after && !w->written) continue;
    if (fseeko(file, (off_t)(after ? w->after : w->before), SEEK_SET) != 0) return false;
    if (fwrite(tensors[t], 1, w->bytes, file) != w->bytes) return false;
  }
  return true;
}

static sc_status write_data(const sc_folder *work, const sc_task *task, uint64_t seed, const sc_wire_request *request,
                            const char *path, sc_error *err) {
  void *tensors[SC_MAX_TENSORS] = {NULL};
  sc_status status = SC_OK;
  for (int t = 0; t < task->ntensors; t++)
    if (!(tensors[t] = aligned_alloc(64, (request->tensor[t].bytes + 63) / 64 * 64))) status = SC_NOMEM;
  FILE *file = status == SC_OK ? fopen(path, "wbe") : NULL;
  if (status != SC_OK) sc_fail(err, status, "out of memory for the tensors of '%s'", task->text);
  else if (!file) status = sc_fail(err, SC_IO, "cannot write '%s'", path);
  if (status == SC_OK) {
    sc_fill_buffers(task, tensors, seed);
    bool good = write_tensors(file, request, tensors, false);
    status = sc_run_reference(work, task, tensors, err);
    good = good && (status != SC_OK || write_tensors(file, request, tensors, true));
    if (!good || fflush(file) != 0) status = sc_fail(err, SC_IO, "cannot write '%s'", path);
  }
  if (file) fclose(file);
  for (int t = 0; t < task->ntensors; t++) free(tensors[t]);
  return status;
}

static void forget_oldest(sc_references *r, uint64_t room) {
  uint64_t sum = room;
  for (size_t i = 0; i < r->n; i++) sum += r->file[i].bytes;
  while (sum > kept_bytes && r->n > 0) {
    size_t oldest = 0;
    for (size_t i = 1; i < r->n; i++)
      if (r->file[i].used < r->file[oldest].used) oldest = i;
    unlink(r->file[oldest].path);
    sum -= r->file[oldest].bytes;
    r->file[oldest] = r->file[--r->n];
  }
}

sc_status sc_references_get(sc_references *r, const sc_folder *work, const sc_task *task, uint64_t seed,
                            sc_wire_request *request, sc_error *err) {
  uint64_t bytes = lay_out(task, request);
  for (size_t i = 0; i < r->n; i++)
    if (r->file[i].task == task->hash && r->file[i].seed == seed) {
      r->file[i].used = r->clock++;
      memcpy(request->data, r->file[i].path, SC_PATH);
      return SC_OK;
    }
  forget_oldest(r, bytes);
  if (r->n == r->cap) {
    data_file *more = realloc(r->file, (2 * r->cap + 16) * sizeof *more);
    if (!more) return sc_fail(err, SC_NOMEM, "out of memory");
    r->file = more;
    r->cap = 2 * r->cap + 16;
  }
  data_file *f = &r->file[r->n];
  *f = (data_file){.task = task->hash, .seed = seed, .bytes = bytes, .used = r->clock++};
  SC_TRY(sc_path(f->path, err, "%s/%016" PRIx64 "-%016" PRIx64, work->path, task->hash, seed));
  SC_TRY(write_data(work, task, seed, request, f->path, err));
  r->n++;
  memcpy(request->data, f->path, SC_PATH);
  return SC_OK;
}
