/* dataset-sched verify: do the rows still mean what they say? Every schedule is read and lowered again; with
 * --recodegen also compiled, and rows whose machine code the generator no longer makes are marked stale. */
#include <stdlib.h>
#include <string.h>

#include "tools/dataset.h"

enum { BATCH = 64 };

struct verify {
  tool *t;
  sc_dataset *dataset;
  sc_machine machine;
  sc_store *store;
  size_t rows, unreadable, other_nest, other_compiler, fresh, stale;
  progress bar;
  double started_s;
  /* a batch to build */
  size_t n, row[BATCH];
  const sc_task *task[BATCH];
  sc_nest nest[BATCH];
};

/* Reads and lowers a row; counts and names what no longer fits. */
static bool lower_row(struct verify *v, size_t i, const sc_task **task, sc_nest *nest) {
  const sc_record *row = sc_dataset_at(v->dataset, i);
  sc_schedule schedule;
  sc_error err = {0};
  if (sc_task_parse(v->t->arena, v->t->library, row->task, task, &err) != SC_OK ||
      sc_schedule_parse(*task, "schedule", row->schedule, &schedule, &err) != SC_OK ||
      sc_lower(*task, &schedule, nest, &err) != SC_OK) {
    if (v->unreadable++ < 5) tool_say(v->t, "row %zu: %s", i, err.text);
    return false;
  }
  if (sc_nest_hash(*task, nest) == row->nest_hash) return true;
  if (v->other_nest++ < 5) tool_say(v->t, "row %zu: lowers to another nest than when it was measured", i);
  return false;
}

static sc_status mark(struct verify *v, size_t row, bool stale) {
  *(stale ? &v->stale : &v->fresh) += 1;
  return sc_dataset_mark_stale(v->dataset, row, stale, &v->t->err);
}

static void show(struct verify *v) {
  const size_t total = sc_dataset_count(v->dataset);
  const double rate = (double)v->rows / (sc_now_s() - v->started_s + 1e-9);
  progress_campaign(
      &v->bar,
      &(sc_progress){.done = v->rows, .total = total, .rate_per_s = rate, .eta_s = (double)(total - v->rows) / rate});
}

static sc_status build_batch(struct verify *v) {
  sc_built built[BATCH];
  if (!v->n) return SC_OK;
  SC_TRY(sc_build(v->store, &v->machine, v->task, v->nest, v->n, built, &v->t->err));
  for (size_t i = 0; i < v->n; i++)
    SC_TRY(mark(v, v->row[i],
                built[i].outcome != SC_RAN || built[i].code_hash != sc_dataset_at(v->dataset, v->row[i])->code_hash));
  v->n = 0;
  show(v);
  if (*interrupt_flag()) return sc_fail(&v->t->err, SC_INTERRUPTED, "interrupted; what was recompiled is marked");
  return SC_OK;
}

static sc_status verify_row(struct verify *v, size_t i) {
  const sc_record *row = sc_dataset_at(v->dataset, i);
  const sc_task *task;
  sc_nest nest;
  v->rows++;
  bool same = lower_row(v, i, &task, &nest);
  if (!v->store || row->outcome == SC_NOT_COMPILED) return SC_OK;
  if (!same) return mark(v, i, true);
  const sc_compiler *compiler = sc_machine_compiler(&v->machine, nest.compile);
  if (!compiler || sc_compiler_hash(compiler) != row->compiler_hash) {
    v->other_compiler++;
    return SC_OK;
  }
  v->row[v->n] = i;
  v->task[v->n] = task;
  v->nest[v->n] = nest;
  return ++v->n == BATCH ? build_batch(v) : SC_OK;
}

/* To mark rows is to append, and that would make a file that is not there. */
static sc_status open_dataset(struct verify *v, const char *path, bool append) {
  SC_TRY(sc_dataset_open(path, SC_DATASET_READ, &v->dataset, &v->t->err));
  if (!append) return SC_OK;
  sc_dataset_close(v->dataset, NULL);
  return sc_dataset_open(path, SC_DATASET_APPEND, &v->dataset, &v->t->err);
}

static void report(const struct verify *v, const char *path, bool json) {
  sc_str *out = &v->t->out;
  if (json) {
    sc_str_add(out, "{");
    json_text(out, "dataset", path);
    json_count(out, "rows", v->rows);
    json_count(out, "unreadable", v->unreadable);
    json_count(out, "other_nest", v->other_nest);
    if (v->store) {
      json_count(out, "fresh", v->fresh);
      json_count(out, "stale", v->stale);
      json_count(out, "other_compiler", v->other_compiler);
    }
    sc_str_add(out, "}\n");
    return;
  }
  sc_str_printf(out, "%s: the file is sound; %zu rows", path, v->rows);
  if (v->unreadable) sc_str_printf(out, ", %zu that can no longer be read or lowered", v->unreadable);
  if (v->other_nest) sc_str_printf(out, ", %zu that lower to another nest", v->other_nest);
  if (v->store)
    sc_str_printf(out, "; recompiled: %zu fresh, %zu stale, %zu of a compiler that is not here", v->fresh, v->stale,
                  v->other_compiler);
  sc_str_add(out, "\n");
}

sc_status dataset_verify(tool *t, const struct dataset_options *o, int n, char **paths) {
  if (o->machine && !o->recodegen) return tool_usage(t, "--machine says what --recodegen compiles for");
  struct verify *v = calloc(1, sizeof *v);
  sc_status status = v ? tool_library(t) : sc_fail(&t->err, SC_NOMEM, "out of memory");
  bool damaged = false;
  if (status == SC_OK && o->recodegen) status = tool_machine(t, o->machine, &v->machine, NULL, 0);
  sc_store *store = NULL;
  if (o->recodegen) interrupt_catch();
  if (status == SC_OK && o->recodegen) status = sc_store_open(NULL, &store, &t->err);
  for (int i = 0; i < n && status == SC_OK; i++) {
    *v = (struct verify){.t = t, .store = store, .machine = v->machine, .started_s = sc_now_s()};
    progress_begin(&v->bar);
    status = open_dataset(v, paths[i], o->recodegen);
    for (size_t r = 0; status == SC_OK && r < sc_dataset_count(v->dataset); r++) status = verify_row(v, r);
    if (status == SC_OK) status = build_batch(v);
    progress_end(&v->bar);
    sc_status closed = sc_dataset_close(v->dataset, status == SC_OK ? &t->err : NULL);
    if (status == SC_OK) status = closed;
    if (status == SC_OK) report(v, paths[i], o->json);
    damaged = damaged || v->unreadable || v->other_nest;
  }
  if (store) sc_store_close(store);
  free(v);
  if (status == SC_OK && damaged && !o->recodegen)
    return sc_fail(&t->err, SC_MISMATCH, "rows no longer fit this program; --recodegen marks them stale");
  return status;
}
