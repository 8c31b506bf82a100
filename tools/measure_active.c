/* measure-sched --active: of all the schedules given only so many are measured, those that a model asks for which learns
 * from every batch. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tools/measure.h"

enum { BATCHES = 8, LEAST_BATCH = 16 };

typedef struct active {
  tool *t;
  const platform *p;
  const job_list *jobs;
  sc_campaign_options options;
  sc_dataset *dataset;
  size_t want; /* measured in the end */
  sc_active_pool pool;
  float *features;
  uint32_t *task, *chosen;
  double *time_s, *spread;
  bool *taken;
} active;

/* ---- the pool ---- */

/* Tasks by number, each at the first of its jobs. */
static void number_tasks(active *a) {
  for (size_t i = 0; i < a->jobs->n; i++) {
    const sc_task *task = a->jobs->job[i].task;
    size_t k = i > 0 && a->jobs->job[i - 1].task == task ? i - 1 : 0;
    while (k < i && a->jobs->job[k].task != task) k++;
    a->task[i] = k < i ? a->task[k] : (uint32_t)a->pool.ntasks++;
  }
}

static int by_hash(const void *x, const void *y) {
  const uint64_t a = *(const uint64_t *)x, b = *(const uint64_t *)y;
  return (a > b) - (a < b);
}

static uint64_t identity(uint64_t task, uint64_t nest, uint64_t compiler, uint32_t threads) {
  const uint64_t parts[] = {task, nest, compiler, threads};
  return sc_hash64(parts, sizeof parts, 0);
}

static int threads_of(const active *a, const sc_schedule *schedule) {
  return platform_threads(a->p, a->options.measure.threads, schedule);
}

/* Measured here as this run does, by the code that is generated today. */
static bool is_ours(const active *a, const sc_record *r) {
  return r->machine_hash == sc_machine_fingerprint(&a->p->machine) && r->harness_abi == sc_harness_abi() &&
         r->codegen_version == sc_codegen_version() && !r->stale && !r->simulated;
}

static uint64_t identity_of(const active *a, const job *j) {
  sc_nest nest;
  job_nest(j, &nest);
  return identity(j->task->hash, sc_nest_hash(j->task, &nest),
                  sc_compiler_hash(sc_machine_compiler(&a->p->machine, j->schedule.compile)),
                  (uint32_t)threads_of(a, &j->schedule));
}

/* What the dataset has counts as chosen: an earlier run ended there. Of these `chosen` gets the ones that lack passes. */
static sc_status look(active *a, size_t *have, size_t *broken) {
  const size_t n = sc_dataset_count(a->dataset);
  const int passes = a->options.passes ? a->options.passes : 3;
  uint64_t *known = malloc(2 * (n + 1) * sizeof *known), *complete = known + n + 1;
  size_t nknown = 0, ncomplete = 0;
  if (!known) return sc_fail(&a->t->err, SC_NOMEM, "no memory for %zu rows", n);
  for (size_t i = 0; i < n; i++) {
    const sc_record *r = sc_dataset_at(a->dataset, i);
    if (!is_ours(a, r)) continue;
    known[nknown] = identity(r->task_hash, r->nest_hash, r->compiler_hash, r->threads);
    if (r->outcome != SC_RAN || sc_record_valid_passes(r) >= passes) complete[ncomplete++] = known[nknown];
    nknown++;
  }
  qsort(known, nknown, sizeof *known, by_hash);
  qsort(complete, ncomplete, sizeof *complete, by_hash);
  *have = *broken = 0;
  for (size_t i = 0; i < a->jobs->n; i++) {
    const uint64_t own = identity_of(a, &a->jobs->job[i]);
    a->taken[i] = bsearch(&own, known, nknown, sizeof own, by_hash) != NULL;
    *have += a->taken[i];
    if (a->taken[i] && !bsearch(&own, complete, ncomplete, sizeof own, by_hash)) a->chosen[(*broken)++] = (uint32_t)i;
  }
  free(known);
  return SC_OK;
}

/* Features, and analytic times until a model predicts better ones. */
static void featurise(active *a) {
  for (size_t i = 0; i < a->jobs->n; i++) {
    const job *j = &a->jobs->job[i];
    const sc_target target = {&a->p->machine, a->p->kernels, threads_of(a, &j->schedule)};
    sc_nest nest;
    sc_analytic terms;
    job_nest(j, &nest);
    sc_features_analytic(j->task, &nest, &target, a->features + i * SC_FEATURE_COUNT, &terms);
    a->time_s[i] = terms.time_s;
  }
}

/* ---- learning ---- */

/* A model of what was measured so far; *model NULL where that is too little. */
static sc_status learn(active *a, sc_model **model) {
  const sc_rows_options how = {.kernels = a->p->kernels, .disturbed = true};
  const sc_train_options options = {.members = 1, .trees = 120, .seed = a->options.seed};
  sc_rows rows;
  sc_arena *arena = sc_arena_new();
  *model = NULL;
  if (!arena) return sc_fail(&a->t->err, SC_NOMEM, "out of memory");
  sc_status status = sc_rows_build(arena, a->t->library, a->dataset, &how, &rows, &a->t->err);
  if (status == SC_OK) status = sc_model_train(&rows, &options, model, &a->t->err);
  sc_arena_free(arena);
  return status == SC_UNSUPPORTED ? SC_OK : status;
}

static sc_status predict(active *a) {
  sc_model *model;
  SC_TRY(learn(a, &model));
  if (!model) return SC_OK;
  sc_prediction *out = malloc((a->jobs->n + 1) * sizeof *out);
  sc_status status = out ? jobs_predict(a->t, model, a->p, a->options.measure.threads, a->jobs, out)
                         : sc_fail(&a->t->err, SC_NOMEM, "no memory for %zu predictions", a->jobs->n);
  for (size_t i = 0; status == SC_OK && i < a->jobs->n; i++) {
    a->time_s[i] = out[i].time_s;
    a->spread[i] = log(out[i].high_s / out[i].low_s);
  }
  a->pool.spread = a->spread;
  free(out);
  sc_model_free(model);
  return status;
}

/* ---- measuring ---- */

/* Halves of passes are compared within a batch only. */
static void add_report(sc_campaign_report *sum, const sc_campaign_report *r) {
  sum->schedules += r->schedules;
  sum->visits += r->visits;
  sum->skipped += r->skipped;
  sum->invalidated += r->invalidated;
  sum->given_up += r->given_up;
  sum->extended += r->extended;
  sum->seconds += r->seconds;
  sum->compile_s += r->compile_s;
  for (int i = 0; i < SC_OUTCOME_COUNT; i++) sum->outcomes[i] += r->outcomes[i];
}

static sc_status measure(active *a, size_t n, sc_campaign_report *sum) {
  sc_campaign_report report = {0};
  job_list batch = {0};
  sc_status status = SC_OK;
  for (size_t k = 0; k < n && status == SC_OK; k++) {
    const job *j = &a->jobs->job[a->chosen[k]];
    status = jobs_add(a->t, &batch, j->task, &j->schedule, j->origin);
  }
  if (status == SC_OK) status = jobs_measure(a->t, &a->p->machine, &batch, a->options, a->dataset, &report);
  add_report(sum, &report);
  jobs_free(&batch);
  return status;
}

static sc_status batches(active *a, sc_campaign_report *report) {
  size_t have = 0, broken = 0, each = (a->want + BATCHES - 1) / BATCHES;
  report->agreement_top1 = report->agreement_tau = NAN;
  number_tasks(a);
  featurise(a);
  SC_TRY(look(a, &have, &broken));
  if (each < LEAST_BATCH) each = LEAST_BATCH;
  if (broken > 0) SC_TRY(measure(a, broken, report));
  tool_say(a->t, "%zu of %zu schedules are to be measured, %zu are", a->want, a->jobs->n,
           have < a->want ? have : a->want);
  for (size_t n; have < a->want; have += n) {
    n = a->want - have < each ? a->want - have : each;
    SC_TRY(predict(a));
    SC_TRY(sc_active_choose(&a->pool, n, a->options.seed + have, a->chosen, &a->t->err));
    SC_TRY(measure(a, n, report));
  }
  return SC_OK;
}

sc_status measure_active(tool *t, const platform *p, const job_list *jobs, size_t want, sc_campaign_options options,
                         sc_dataset *dataset, sc_campaign_report *report) {
  active a = {.t = t,
              .p = p,
              .jobs = jobs,
              .options = options,
              .dataset = dataset,
              .want = want < jobs->n ? want : jobs->n,
              .features = malloc((jobs->n + 1) * SC_FEATURE_COUNT * sizeof(float)),
              .task = malloc((jobs->n + 1) * sizeof(uint32_t)),
              .chosen = malloc((jobs->n + 1) * sizeof(uint32_t)),
              .time_s = malloc((jobs->n + 1) * sizeof(double)),
              .spread = malloc((jobs->n + 1) * sizeof(double)),
              .taken = malloc(jobs->n + 1)};
  a.pool = (sc_active_pool){jobs->n, 0, a.features, a.task, a.time_s, NULL, a.taken};
  sc_status status = a.features && a.task && a.chosen && a.time_s && a.spread && a.taken
                         ? batches(&a, report)
                         : sc_fail(&t->err, SC_NOMEM, "no memory for %zu schedules", jobs->n);
  free(a.features);
  free(a.task);
  free(a.chosen);
  free(a.time_s);
  free(a.spread);
  free(a.taken);
  return status;
}
