/* One case of quickstart: scan, pick, measure the finalists, write the fastest as C. */
#include <stdio.h>
#include <string.h>

#include "tools/quickstart.h"

enum { FINALISTS = 5, SCAN = 20000, PASSES = 3, POINTS = 12 };

/* The label of a record, from fewer passes where some were invalid; on a machine that is never quiet the smallest of
 * all, and *disturbed says so. 0 = it did not run. */
static double label_of_record(const sc_record *r, bool *disturbed) {
  sc_record all = *r;
  double label = 0;
  *disturbed = false;
  for (int passes = PASSES; passes > 0 && label == 0; passes--) label = sc_record_label_ns(r, passes);
  if (label > 0) return label;
  *disturbed = true;
  for (uint32_t p = 0; p < all.npasses; p++) all.pass[p].invalid = 0;
  return sc_record_label_ns(&all, (int)all.npasses);
}

/* The time of a nest of this task in the dataset, s; 0 = it did not run. */
static double time_of(const quickstart *q, const job *j, bool *disturbed) {
  double best = 0;
  sc_nest nest;
  job_nest(j, &nest);
  uint64_t hash = sc_nest_hash(j->task, &nest);
  for (size_t i = 0; i < sc_dataset_count(q->dataset); i++) {
    const sc_record *r = sc_dataset_at(q->dataset, i);
    bool bad;
    if (r->nest_hash != hash || r->task_hash != j->task->hash) continue;
    double label = label_of_record(r, &bad) * 1e-9;
    if (label <= 0 || (best > 0 && label >= best)) continue;
    best = label;
    *disturbed = bad;
  }
  return best;
}

static sc_status keep_fastest(quickstart *q, quick_case *c, const sc_pick *pick, const job_list *finalists) {
  tool *t = q->t;
  char name[64], file[128];
  size_t best = finalists->n;
  for (size_t i = 0; i < finalists->n; i++) {
    bool disturbed = false;
    double s = time_of(q, &finalists->job[i], &disturbed);
    if (s > 0 && (c->measured_s == 0 || s < c->measured_s)) {
      c->measured_s = s;
      c->disturbed = disturbed;
      c->prediction = pick[i].prediction;
      best = i;
    }
  }
  if (best == finalists->n)
    return sc_fail(&t->err, SC_EXTERNAL, "none of the picks of %s ran; see dataset-sched info %s", c->name,
                   q->dataset_path);
  snprintf(name, sizeof name, "%s", c->name);
  for (char *p = name; *p; p++)
    if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", *p)) *p = '_';
  snprintf(file, sizeof file, "%.60s.c", name);
  snprintf(c->code, sizeof c->code, "%s/%s", q->folder, file);
  c->schedule = pick[best].schedule;
  return emit_file(t, c->task, &c->schedule, &q->p.machine, NULL, c->code);
}

/* Points for the picture, where no campaign of our own gave them. */
static sc_status measure_points(quickstart *q, quick_case *c, const sc_space_bound *space) {
  job_list jobs = {0};
  jobs_adding a = {q->t, &jobs, c->task, {SC_PROPOSED_UNIFORM, 0}};
  sc_status status = sc_space_sample(space, SC_SAMPLE_UNIFORM, POINTS, 7, jobs_add_one, &a, &q->t->err);
  if (status == SC_OK) status = quick_measure(q, &jobs, PASSES);
  jobs_free(&jobs);
  return status;
}

static sc_status pick_and_measure(quickstart *q, quick_case *c, const sc_space_bound *space) {
  const pick_options o = {.k = FINALISTS, .scan = SCAN, .threads = 1, .seed = 1, .calibrate = true};
  sc_pick pick[FINALISTS];
  size_t n;
  job_list finalists = {0};
  SC_TRY(pick_best(q->t, q->model, space, c->task, &q->p, &o, pick, &n, &c->effort));
  sc_status status = quick_add_picks(q, &finalists, c->task, pick, n);
  if (status == SC_OK) status = quick_measure(q, &finalists, PASSES);
  if (status == SC_OK) status = keep_fastest(q, c, pick, &finalists);
  jobs_free(&finalists);
  return status;
}

sc_status quick_run_case(quickstart *q, quick_case *c) {
  sc_space_bound *space;
  tool_say(q->t, "%s: scanning the space of %s", c->name, c->task->text);
  SC_TRY(tool_space(q->t, NULL, c->task, &q->p, NULL, 1, &space));
  sc_status status = pick_and_measure(q, c, space);
  if (status == SC_OK && !q->own_model) status = measure_points(q, c, space);
  sc_space_unbind(space);
  if (status == SC_OK) status = baseline_plain(q->t, c->task, &c->plain_s);
  if (status == SC_OK) c->blas_s = baseline_blas(c->task, c->blas_core, sizeof c->blas_core);
  return status;
}
