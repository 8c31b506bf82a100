/* What a trial of tune-sched is: a visit of the harness, a row of the dataset. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/tune.h"

/* ---- measuring ---- */

static void nothing(void *user, const sc_progress *now) {}

static sc_status visit(tuning *u, job_list *jobs, int passes) {
  const sc_campaign_options o = {
      .measure = {.threads = (int)u->o->threads}, .passes = passes, .seed = (uint64_t)u->o->seed, .progress = nothing};
  sc_campaign_report report;
  return jobs_measure(u->t, &u->p.machine, jobs, o, u->dataset, &report);
}

static sc_status add_trial(const tuning *u, job_list *jobs, const sc_trial *trial) {
  const sc_origin origin = {trial->how, trial->how == SC_PROPOSED_MODEL ? u->origin.model_hash : 0};
  return jobs_add(u->t, jobs, u->task, &trial->schedule, origin);
}

/* What needs too much room is not measured. */
static sc_status measure(void *user, const sc_trial *trials, size_t n, double *value, sc_error *err) {
  tuning *u = user;
  job_list jobs = {0};
  sc_status status = SC_OK;
  for (size_t i = 0; i < n && status == SC_OK; i++)
    if ((double)tune_scratch(u, &trials[i].schedule) <= u->max_scratch) status = add_trial(u, &jobs, &trials[i]);
  if (status == SC_OK && jobs.n) status = kernels_measure(u->t, &u->p, &jobs);
  if (status == SC_OK && jobs.n) status = visit(u, &jobs, 1);
  jobs_free(&jobs);
  for (size_t i = 0; i < n; i++)
    value[i] = tune_value(u, tune_row(u, trials[i].hash), tune_scratch(u, &trials[i].schedule));
  if (status != SC_OK && err) *err = u->t->err;
  return status;
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

static double key_of(const tuning *u, const finalist *f, double fastest) {
  if (u->o->objective == TUNE_TIME) return f->time_s;
  if (f->time_s > u->o->slower * fastest) return 1e18 + f->time_s; /* behind all that are fast enough */
  return u->o->objective == TUNE_CODE ? (double)f->code_bytes : (double)f->scratch_bytes;
}

/* Keeps f among the finalists if it is one. */
static void keep(tuning *u, const finalist *f, double fastest) {
  size_t at = u->nfinalists;
  while (at > 0 && key_of(u, &u->finalist[at - 1], fastest) > key_of(u, f, fastest)) at--;
  if (at == FINALISTS) return;
  if (u->nfinalists < FINALISTS) u->nfinalists++;
  memmove(&u->finalist[at + 1], &u->finalist[at], (u->nfinalists - 1 - at) * sizeof *f);
  u->finalist[at] = *f;
}

static void choose(tuning *u, const size_t *trial, size_t n, int passes) {
  finalist *f = calloc(n + 1, sizeof *f);
  double fastest = INFINITY;
  u->nfinalists = 0;
  for (size_t i = 0; f && i < n; i++) {
    const sc_trial *of = &u->result.trial[trial[i]];
    const sc_record *r = tune_row(u, of->hash);
    f[i] = (finalist){trial[i], isfinite(of->value) ? tune_time(r, passes) : INFINITY, r ? r->code_bytes : 0,
                      tune_scratch(u, &of->schedule)};
    fastest = fmin(fastest, f[i].time_s);
  }
  for (size_t i = 0; f && i < n; i++)
    if (isfinite(f[i].time_s)) keep(u, &f[i], fastest);
  free(f);
}

static sc_status finish(tuning *u) {
  size_t *all = calloc(u->result.n + 1, sizeof *all), last[FINALISTS];
  job_list jobs = {0};
  if (!all) return sc_fail(&u->t->err, SC_NOMEM, "no memory for %zu trials", u->result.n);
  for (size_t i = 0; i < u->result.n; i++) all[i] = i;
  choose(u, all, u->result.n, 1);
  free(all);
  const size_t n = u->nfinalists;
  sc_status status = SC_OK;
  for (size_t i = 0; i < n && status == SC_OK; i++) {
    last[i] = u->finalist[i].trial;
    status = add_trial(u, &jobs, &u->result.trial[last[i]]);
  }
  if (status == SC_OK && n) status = visit(u, &jobs, FINAL_PASSES);
  jobs_free(&jobs);
  if (status == SC_OK) choose(u, last, n, FINAL_PASSES);
  return status;
}

sc_status tune_search(tuning *u) {
  tool *t = u->t;
  sc_trial *known = NULL;
  sc_schedule *replay = NULL;
  size_t nknown, nreplay;
  const int threads = u->o->threads ? (int)u->o->threads : (int)u->p.machine.cores.value;
  const sc_target target = {&u->p.machine, u->p.kernels, threads};
  u->begin_s = sc_now_s();
  if (u->model) u->origin = (sc_origin){SC_PROPOSED_MODEL, sc_model_hash(u->model)};
  sc_status status = tune_collect(u, u->dataset, true, &known, &nknown);
  if (status == SC_OK) status = tune_replay(u, &replay, &nreplay);
  if (status == SC_OK) {
    if (nknown) tool_say(t, "%zu trials are in %s already", nknown, u->o->out);
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
    status = sc_search_run(u->space, u->task, &target, &o, &u->result, &t->err);
  }
  if (status == SC_OK) status = finish(u);
  if (status == SC_INTERRUPTED)
    sc_fail(&t->err, status, "interrupted; the trials are in %s, the same command goes on", u->o->out);
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
}
