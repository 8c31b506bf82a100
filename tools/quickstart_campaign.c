/* The short campaign of quickstart. Rounds of a few schedules of every task, until the time is used up: at first from
 * all over the space, dense at the fast end; then proposed by a model of what was measured, because a model that never
 * saw what it likes best is wrong there. */
#include <stdio.h>
#include <string.h>

#include "tools/quickstart.h"

enum { STRATIFIED = 6, UNIFORM = 2, PROPOSED = 8, PASSES = 2, SCAN = 3000, ROUNDS_OF_A_MODEL = 3 };
static const double drawn_share = 0.6; /* of the time, before a model proposes */

sc_status quick_tasks(quickstart *q) {
  char folder[4000], path[4200];
  listed_task *list;
  size_t n;
  sc_data_dir(folder, sizeof folder);
  snprintf(path, sizeof path, "%s/corpus/quickstart.txt", folder);
  SC_TRY(tasks_read(q->t, path, &list, &n));
  if (n > QUICK_TASKS) return sc_fail(&q->t->err, SC_LIMIT, "more than %d tasks in %s", QUICK_TASKS, path);
  for (; q->ntasks < n; q->ntasks++) {
    q->c[q->ntasks].name = list[q->ntasks].network;
    q->c[q->ntasks].task = list[q->ntasks].task;
  }
  return SC_OK;
}

sc_status quick_measure(quickstart *q, const job_list *jobs, int passes) {
  sc_campaign_report report;
  const sc_campaign_options o = {.measure = {.threads = 1}, .passes = passes};
  return jobs_measure(q->t, &q->p.machine, jobs, o, q->dataset, &report);
}

sc_status quick_add_picks(quickstart *q, job_list *jobs, const sc_task *task, const sc_pick *pick, size_t n) {
  const sc_origin origin = {SC_PROPOSED_MODEL, sc_model_hash(q->model)};
  for (size_t i = 0; i < n; i++) SC_TRY(jobs_add(q->t, jobs, task, &pick[i].schedule, origin));
  return SC_OK;
}

static sc_status draw(quickstart *q, const sc_space_bound *space, const sc_task *task, uint64_t round, job_list *jobs) {
  jobs_adding a = {q->t, jobs, task, {SC_PROPOSED_STRATIFIED, 0}};
  const sc_target target = {&q->p.machine, q->p.kernels, 1};
  SC_TRY(sc_draw_stratified(space, task, &target, STRATIFIED, round, jobs_add_one, &a, &q->t->err));
  a.origin.proposal = SC_PROPOSED_UNIFORM;
  return sc_space_sample(space, SC_SAMPLE_UNIFORM, UNIFORM, round + 1000003, jobs_add_one, &a, &q->t->err);
}

static sc_status propose(quickstart *q, const sc_space_bound *space, const sc_task *task, uint64_t round,
                         job_list *jobs) {
  const pick_options o = {.k = PROPOSED, .scan = SCAN, .threads = 1, .seed = round};
  sc_pick pick[PROPOSED];
  sc_pick_effort effort;
  size_t n;
  SC_TRY(pick_best(q->t, q->model, space, task, &q->p, &o, pick, &n, &effort));
  return quick_add_picks(q, jobs, task, pick, n);
}

static sc_status train_on(quickstart *q, int passes) {
  const sc_rows_options how = {.passes = passes, .kernels = q->p.kernels, .views = true};
  const sc_train_options options = {.members = 1, .log = q->t->log}; /* there are minutes */
  sc_rows rows;
  SC_TRY(sc_rows_build(q->t->arena, q->t->library, q->dataset, &how, &rows, &q->t->err));
  return sc_model_train(&rows, &options, &q->model, &q->t->err);
}

/* On labels of fewer passes where the machine was hardly ever quiet. */
static sc_status train(quickstart *q) {
  sc_status status = SC_NOTFOUND;
  sc_model_free(q->model);
  q->model = NULL;
  for (int passes = PASSES; passes > 0 && status != SC_OK && status != SC_NOMEM; passes--) status = train_on(q, passes);
  return status;
}

static sc_status one_round(quickstart *q, sc_space_bound *const *space, uint64_t round) {
  job_list jobs = {0};
  sc_status status = SC_OK;
  for (size_t i = 0; i < q->ntasks && status == SC_OK; i++)
    status = (q->model ? propose : draw)(q, space[i], q->c[i].task, round, &jobs);
  if (status == SC_OK) status = quick_measure(q, &jobs, PASSES);
  if (status == SC_OK) status = kernels_measure(q->t, &q->p, &jobs);
  jobs_free(&jobs);
  return status;
}

static sc_status rounds(quickstart *q, sc_space_bound *const *space) {
  double begin = sc_now_s();
  uint64_t round = 0, trained = 0;
  for (; sc_now_s() - begin < q->budget_s; round++) {
    bool drawn = sc_now_s() - begin >= drawn_share * q->budget_s;
    if (drawn && (!q->model || round - trained >= ROUNDS_OF_A_MODEL)) {
      SC_TRY(train(q));
      trained = round;
    }
    SC_TRY(one_round(q, space, round));
    tool_say(q->t, "%s round %d: %zu schedules after %.0f of %.0f s", q->model ? "proposed" : "drawn", (int)round + 1,
             sc_dataset_count(q->dataset), sc_now_s() - begin, q->budget_s);
  }
  return train(q);
}

/* Where predict-sched looks for a model of this machine. */
static sc_status keep_model(quickstart *q) {
  char folder[4096], path[4096 + 16];
  sc_cache_dir(folder, sizeof folder);
  snprintf(path, sizeof path, "%s/models", folder);
  SC_TRY(sc_mkdirs(path, &q->t->err));
  snprintf(path, sizeof path, "%s/models/host.xgb", folder);
  return sc_model_save(q->model, path, &q->t->err);
}

sc_status quick_campaign(quickstart *q) {
  sc_space_bound *space[QUICK_TASKS] = {0};
  sc_status status = SC_OK;
  for (size_t i = 0; i < q->ntasks && status == SC_OK; i++)
    status = tool_space(q->t, NULL, q->c[i].task, &q->p, NULL, 1, &space[i]);
  if (status == SC_OK) status = rounds(q, space);
  for (size_t i = 0; i < q->ntasks; i++)
    if (space[i]) sc_space_unbind(space[i]);
  if (status == SC_OK) status = sc_model_save(q->model, q->model_path, &q->t->err);
  return status == SC_OK ? keep_model(q) : status;
}
