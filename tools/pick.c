/* Predicting, picking, calibrating: what predict-sched and quickstart share. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/tools.h"

enum { CALIBRATED = 100, MAX_VARIANTS = 64, BATCH = 512 };

/* ---- kernels of schedules ---- */

struct kernel_set {
  sc_kernel *kernel;
  const char **compiler;
  size_t n, cap;
};

static sc_status add_kernels(tool *t, struct kernel_set *set, const job *j) {
  if (set->n + MAX_VARIANTS > set->cap) {
    size_t cap = (set->cap + MAX_VARIANTS) * 2;
    sc_kernel *kernel = realloc(set->kernel, cap * sizeof *kernel);
    if (kernel) set->kernel = kernel;
    const char **compiler = realloc(set->compiler, cap * sizeof *compiler);
    if (compiler) set->compiler = compiler;
    if (!kernel || !compiler) return sc_fail(&t->err, SC_NOMEM, "no memory for %zu kernels", cap);
    set->cap = cap;
  }
  sc_nest nest;
  job_nest(j, &nest);
  int n = sc_nest_kernels(j->task, &nest, set->kernel + set->n, MAX_VARIANTS);
  for (int i = 0; i < n && i < MAX_VARIANTS; i++) set->compiler[set->n++] = j->schedule.compile;
  return SC_OK;
}

sc_status kernels_measure(tool *t, platform *p, const job_list *jobs) {
  struct kernel_set set = {0};
  sc_store *store = NULL;
  sc_kernel_table *own = sc_kernel_table_new(); /* not p->kernels: a copy of a shipped fact would outlive it */
  sc_status status = own ? sc_store_open(NULL, &store, &t->err) : sc_fail(&t->err, SC_NOMEM, "no memory for a table");
  if (status == SC_OK) status = sc_kernel_table_load(own, p->table_path, &t->err);
  for (size_t i = 0; i < jobs->n && status == SC_OK; i++) status = add_kernels(t, &set, &jobs->job[i]);
  if (status == SC_OK)
    status = sc_kernels_measure(store, &p->machine, set.kernel, set.compiler, set.n, p->kernels, own, &t->log, &t->err);
  if (status == SC_OK) status = sc_kernel_table_save(own, p->table_path, &t->err);
  if (status == SC_OK) status = sc_kernel_table_load(p->kernels, p->table_path, &t->err);
  sc_kernel_table_free(own);
  if (store) sc_store_close(store);
  free(set.kernel);
  free(set.compiler);
  return status;
}

/* ---- predicting ---- */

bool job_picked(const job *j, const sc_model *model) {
  return j->origin.proposal == SC_PROPOSED_MODEL && j->origin.model_hash == sc_model_hash(model);
}

/* Jobs i, i+1, .. that one call predicts: at most BATCH of one task, all serial or all parallel, all picked or none. */
static size_t stretch(const job_list *jobs, size_t i, const sc_model *model) {
  const job *first = &jobs->job[i];
  size_t n = 1;
  for (; n < BATCH && i + n < jobs->n; n++) {
    const job *j = &jobs->job[i + n];
    if (j->task != first->task || (j->schedule.nparallel > 0) != (first->schedule.nparallel > 0) ||
        job_picked(j, model) != job_picked(first, model))
      break;
  }
  return n;
}

int platform_threads(const platform *p, int64_t threads, const sc_schedule *schedule) {
  if (!schedule->nparallel) return 1;
  return threads ? (int)threads : (int)p->machine.cores.value;
}

sc_status jobs_predict(tool *t, const sc_model *model, const platform *p, int64_t threads, const job_list *jobs,
                       sc_prediction *out) {
  sc_nest *nests = malloc(BATCH * sizeof *nests);
  sc_status status = nests ? SC_OK : sc_fail(&t->err, SC_NOMEM, "no memory for %d nests", BATCH);
  for (size_t i = 0, n; i < jobs->n && status == SC_OK; i += n) {
    n = stretch(jobs, i, model);
    for (size_t k = 0; k < n; k++) job_nest(&jobs->job[i + k], &nests[k]);
    const sc_target target = {&p->machine, p->kernels, platform_threads(p, threads, &jobs->job[i].schedule)};
    status = sc_model_predict(model, jobs->job[i].task, nests, n, &target, job_picked(&jobs->job[i], model), out + i,
                              &t->err);
  }
  free(nests);
  return status;
}

/* ---- picking ---- */

static int by_time(const void *a, const void *b) {
  const sc_pick *x = a, *y = b;
  return (x->prediction.time_s > y->prediction.time_s) - (x->prediction.time_s < y->prediction.time_s);
}

/* Measures the kernels of the picks and ranks them again. */
static sc_status calibrate(tool *t, const sc_model *model, const sc_task *task, platform *p, int64_t threads,
                           sc_pick *pick, size_t n) {
  job_list jobs = {0};
  sc_status status = SC_OK;
  for (size_t i = 0; i < n && status == SC_OK; i++)
    status = jobs_add(t, &jobs, task, &pick[i].schedule, (sc_origin){0});
  if (status == SC_OK) status = kernels_measure(t, p, &jobs);
  for (size_t i = 0; i < n && status == SC_OK; i++) {
    const sc_target target = {&p->machine, p->kernels, platform_threads(p, threads, &pick[i].schedule)};
    sc_nest nest;
    job_nest(&jobs.job[i], &nest);
    status = sc_model_predict(model, task, &nest, 1, &target, true, &pick[i].prediction, &t->err);
  }
  jobs_free(&jobs);
  if (status == SC_OK) qsort(pick, n, sizeof *pick, by_time);
  return status;
}

sc_status pick_best(tool *t, const sc_model *model, const sc_space_bound *space, const sc_task *task, platform *p,
                    const pick_options *o, sc_pick *picks, size_t *npicks, sc_pick_effort *effort) {
  size_t k = o->calibrate && o->k < CALIBRATED ? CALIBRATED : (size_t)o->k;
  sc_count all = sc_space_count(space);
  if (all < k) k = (size_t)all;
  *npicks = (size_t)o->k < k ? (size_t)o->k : k;
  sc_pick *found = calloc(k + 1, sizeof *found);
  if (!found) return sc_fail(&t->err, SC_NOMEM, "no memory for %zu picks", k);
  int threads = o->threads ? (int)o->threads : (int)p->machine.cores.value;
  const sc_target target = {&p->machine, p->kernels, threads};
  const sc_pick_options how = {.scan = (size_t)o->scan, .seed = o->seed};
  sc_status status = sc_model_pick(model, space, task, &target, &how, (int)k, found, effort, &t->err);
  if (status == SC_OK && o->calibrate) status = calibrate(t, model, task, p, o->threads, found, k);
  if (status == SC_OK) memcpy(picks, found, *npicks * sizeof *found);
  free(found);
  return status;
}

/* ---- code ---- */

void emit_name(const sc_task *task, const sc_nest *nest, char *name, size_t size) {
  snprintf(name, size, "%s_%08x", task->op, (unsigned)sc_nest_hash(task, nest));
}

sc_status emit_file(tool *t, const sc_task *task, const sc_schedule *schedule, const sc_machine *machine,
                    const char *name, const char *path) {
  char own[64];
  const bool standard_output = strcmp(path, "-") == 0;
  const char *slash = strrchr(path, '/'), *file = standard_output ? NULL : slash ? slash + 1 : path;
  sc_nest nest;
  sc_str c = {0};
  SC_TRY(sc_lower(task, schedule, &nest, &t->err));
  emit_name(task, &nest, own, sizeof own);
  sc_status status = sc_emit_c(task, schedule, &nest, machine, name ? name : own, file, &c, &t->err);
  if (status == SC_OK && standard_output) sc_str_addn(&t->out, sc_str_text(&c), c.len);
  else if (status == SC_OK) status = sc_file_write_atomic(path, sc_str_text(&c), c.len, &t->err);
  sc_str_free(&c);
  return status;
}
