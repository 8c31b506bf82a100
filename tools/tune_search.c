/* The search of tune-sched: a trial is a visit of the harness; at the end the best are measured together. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tools/tune.h"

/* ---- measuring ---- */

static void nothing(void *user, const sc_progress *now) {}

static sc_status visit(tuning *u, const job_list *jobs, int passes) {
  const sc_campaign_options o = {
      .measure = {.threads = (int)u->o->threads}, .passes = passes, .seed = (uint64_t)u->o->seed, .progress = nothing};
  sc_campaign_report report;
  return jobs->n ? jobs_measure(u->t, &u->p.machine, jobs, o, u->dataset, &report) : SC_OK;
}

static sc_status add_trial(const tuning *u, job_list *jobs, const sc_trial *trial) {
  return jobs_add(u->t, jobs, u->task, &trial->schedule, trial->origin);
}

/* Rates of kernels are for the model; what this machine cannot compile will be an outcome. */
static sc_status rate_kernels(tuning *u, const job_list *jobs) {
  job_list known = {0};
  sc_status status = SC_OK;
  for (size_t i = 0; u->model && i < jobs->n && status == SC_OK; i++) {
    const job *j = &jobs->job[i];
    if (sc_machine_compiler(&u->p.machine, j->schedule.compile))
      status = jobs_add(u->t, &known, j->task, &j->schedule, j->origin);
  }
  if (status == SC_OK && known.n) status = kernels_measure(u->t, &u->p, &known);
  jobs_free(&known);
  return status;
}

/* What needs too much room is not measured. */
static sc_status measure(void *user, const sc_trial *trials, size_t n, double *value, sc_error *err) {
  tuning *u = user;
  job_list jobs = {0};
  sc_status status = *interrupt_flag() ? SC_INTERRUPTED : SC_OK;
  for (size_t i = 0; i < n && status == SC_OK; i++)
    if ((double)tune_scratch(u, &trials[i].schedule) <= u->max_scratch) status = add_trial(u, &jobs, &trials[i]);
  if (status == SC_OK) status = rate_kernels(u, &jobs);
  if (status == SC_OK) status = visit(u, &jobs, 1);
  jobs_free(&jobs);
  return status == SC_OK ? tune_look(u, trials, n, value) : status; /* err is the tool's: it is filled */
}

static void say(void *user, const sc_trial *trials, size_t n) {
  const tuning *u = user;
  const size_t all = (size_t)u->o->trials;
  double best = INFINITY;
  for (size_t i = 0; i < n; i++) best = fmin(best, trials[i].value);
  const double s = sc_now_s() - u->begin_s;
  if (isfinite(best))
    tool_say(u->t, "%zu of %zu trials, %.0f s: best %.4g GFLOP/s", n, all, s, u->task->flop / best * 1e-9);
  else tool_say(u->t, "%zu of %zu trials, %.0f s: none has run and is allowed", n, all, s);
}

/* ---- the end ---- */

/* By the objective; of what is too slow for it the fastest first, behind all others. */
static bool better(const tuning *u, const finalist *a, const finalist *b, double fastest) {
  const double limit = u->o->objective == TUNE_TIME ? 0 : u->o->slower * fastest;
  const bool slow_a = a->time_s > limit, slow_b = b->time_s > limit;
  if (slow_a != slow_b) return slow_b;
  if (slow_a) return a->time_s < b->time_s;
  if (u->o->objective == TUNE_CODE && a->code_bytes != b->code_bytes) return a->code_bytes < b->code_bytes;
  if (u->o->objective == TUNE_SCRATCH && a->scratch_bytes != b->scratch_bytes)
    return a->scratch_bytes < b->scratch_bytes;
  return a->time_s < b->time_s;
}

static void keep(tuning *u, const finalist *f, double fastest) {
  size_t at = u->nfinalists;
  while (at > 0 && better(u, f, &u->finalist[at - 1], fastest)) at--;
  if (at == FINALISTS) return;
  if (u->nfinalists < FINALISTS) u->nfinalists++;
  memmove(&u->finalist[at + 1], &u->finalist[at], (u->nfinalists - 1 - at) * sizeof *f);
  u->finalist[at] = *f;
}

/* The best of n, the fastest always among them: it says how slow the others may be. */
static void choose(tuning *u, const finalist *f, size_t n) {
  size_t fastest = 0;
  u->nfinalists = 0;
  for (size_t i = 0; i < n; i++)
    if (f[i].time_s < f[fastest].time_s) fastest = i;
  for (size_t i = 0; i < n; i++)
    if (isfinite(f[i].time_s)) keep(u, &f[i], f[fastest].time_s);
  bool there = u->nfinalists == 0;
  for (size_t i = 0; i < u->nfinalists; i++) there = there || u->finalist[i].trial == f[fastest].trial;
  if (!there) u->finalist[u->nfinalists - 1] = f[fastest];
}

static finalist finalist_of(const tuning *u, size_t trial, const char *shard, int passes) {
  const sc_trial *of = &u->result.trial[trial];
  const sc_record *r = tune_row(u, of->hash, shard);
  const bool runs = r && isfinite(of->value);
  return (finalist){trial, runs ? tune_time(r, passes) : INFINITY, r ? r->code_bytes : 0,
                    tune_scratch(u, &of->schedule)};
}

/* Times of one shard and of as many passes each. */
static void compare(tuning *u) {
  finalist f[FINALISTS];
  uint64_t hash[FINALISTS];
  const size_t n = u->nfinalists;
  int passes = FINAL_PASSES;
  for (size_t i = 0; i < n; i++) hash[i] = u->result.trial[u->finalist[i].trial].hash;
  const char *shard = tune_shard(u, hash, n);
  for (size_t i = 0; i < n; i++) {
    const sc_record *r = tune_row(u, hash[i], shard);
    const int valid = r ? sc_record_valid_passes(r) : 0;
    if (valid > 0 && valid < passes) passes = valid;
  }
  for (size_t i = 0; i < n; i++) f[i] = finalist_of(u, u->finalist[i].trial, shard, passes);
  choose(u, f, n);
}

static sc_status finish(tuning *u) {
  job_list jobs = {0};
  double *value = calloc(u->result.n + 1, sizeof *value);
  finalist *f = calloc(u->result.n + 1, sizeof *f);
  sc_status status = value && f ? tune_look(u, u->result.trial, u->result.n, value)
                                : sc_fail(&u->t->err, SC_NOMEM, "no memory for %zu trials", u->result.n);
  if (status == SC_OK) {
    for (size_t i = 0; i < u->result.n; i++) f[i] = finalist_of(u, i, NULL, 1);
    choose(u, f, u->result.n);
  }
  for (size_t i = 0; i < u->nfinalists && status == SC_OK; i++)
    status = add_trial(u, &jobs, &u->result.trial[u->finalist[i].trial]);
  if (status == SC_OK) status = visit(u, &jobs, FINAL_PASSES);
  if (status == SC_OK) status = tune_look(u, u->result.trial, u->result.n, value); /* the rows have changed */
  if (status == SC_OK) compare(u);
  jobs_free(&jobs);
  free(value);
  free(f);
  return status;
}

static sc_status search(tuning *u, const sc_trial *known, size_t nknown, const sc_schedule *replay, size_t nreplay) {
  const int threads = u->o->threads ? (int)u->o->threads : (int)u->p.machine.cores.value;
  const sc_target target = {&u->p.machine, u->p.kernels, threads};
  const sc_search_options o = {.strategy = (sc_strategy)u->o->strategy,
                               .trials = (size_t)u->o->trials,
                               .batch = (size_t)u->o->batch,
                               .seed = (uint64_t)u->o->seed,
                               .model = u->model,
                               .times = true,
                               .replay = replay,
                               .nreplay = nreplay,
                               .known = known,
                               .nknown = nknown,
                               .measure = measure,
                               .user = u,
                               .progress = say};
  if (nknown) tool_say(u->t, "%zu trials are in %s already", nknown, u->o->out);
  return sc_search_run(u->space, u->task, &target, &o, &u->result, &u->t->err);
}

sc_status tune_search(tuning *u) {
  sc_trial *known = NULL;
  sc_schedule *replay = NULL;
  size_t nknown, nreplay;
  u->begin_s = sc_now_s();
  sc_status status = tune_collect(u, u->dataset, true, &known, &nknown);
  if (status == SC_OK) status = tune_replay(u, &replay, &nreplay);
  if (status == SC_OK) status = search(u, known, nknown, replay, nreplay);
  if (status == SC_OK) status = finish(u);
  if (status == SC_INTERRUPTED)
    sc_fail(&u->t->err, status, "interrupted; the trials are in %s, the same command goes on", u->o->out);
  free(known);
  free(replay);
  return status;
}

size_t tune_failed(const tuning *u) {
  size_t n = 0;
  for (size_t i = 0; i < u->result.n; i++) n += !isfinite(u->result.trial[i].value);
  return n;
}

void tune_free(tuning *u) {
  sc_search_free(&u->result);
  if (u->space) sc_space_unbind(u->space);
  sc_model_free(u->model);
  platform_close(&u->p);
  free(u->place);
}
