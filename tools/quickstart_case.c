/* One case of quickstart: scan, pick, measure the finalists, write the fastest as C; and the table of all cases. */
#include <stdio.h>
#include <string.h>

#include "tools/quickstart.h"

enum { FINALISTS = 5, SCAN = 20000, PASSES = 3, POINTS = 24 };

/* The label of a nest of this task in the dataset, ns; 0 = it did not run. */
static double label_of(const quickstart *q, const sc_task *task, uint64_t nest_hash) {
  double best = 0;
  for (size_t i = 0; i < sc_dataset_count(q->dataset); i++) {
    const sc_record *r = sc_dataset_at(q->dataset, i);
    if (r->nest_hash != nest_hash || r->task_hash != task->hash) continue;
    double label = sc_record_label_ns(r, PASSES);
    if (label > 0 && (best == 0 || label < best)) best = label;
  }
  return best;
}

static sc_status keep_fastest(quickstart *q, quick_case *c, const sc_pick *pick, const job_list *finalists) {
  tool *t = q->t;
  char name[64], file[128];
  size_t best = finalists->n;
  for (size_t i = 0; i < finalists->n; i++) {
    sc_nest nest;
    job_nest(&finalists->job[i], &nest);
    double s = label_of(q, c->task, sc_nest_hash(c->task, &nest)) * 1e-9;
    if (s > 0 && (c->measured_s == 0 || s < c->measured_s)) {
      c->measured_s = s;
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
  return emit_file(t, c->task, &pick[best].schedule, &q->p.machine, NULL, c->code);
}

struct adding {
  quickstart *q;
  job_list *jobs;
  const sc_task *task;
};

static sc_status add(void *user, const sc_schedule *schedule) {
  struct adding *a = user;
  return jobs_add(a->q->t, a->jobs, a->task, schedule);
}

/* Points for the picture, where no campaign of our own gave them. */
static sc_status measure_points(quickstart *q, quick_case *c, const sc_space_bound *space) {
  job_list jobs = {0};
  struct adding a = {q, &jobs, c->task};
  sc_status status = sc_space_sample(space, SC_SAMPLE_UNIFORM, POINTS, 7, add, &a, &q->t->err);
  if (status == SC_OK) status = quick_measure(q, &jobs, SC_PROPOSED_UNIFORM, PASSES, c->name);
  jobs_free(&jobs);
  return status;
}

static sc_status pick_and_measure(quickstart *q, quick_case *c, const sc_space_bound *space) {
  const pick_options o = {.k = FINALISTS, .scan = SCAN, .threads = 1, .seed = 1, .calibrate = true};
  sc_pick pick[FINALISTS];
  size_t n;
  job_list finalists = {0};
  SC_TRY(pick_best(q->t, q->model, space, c->task, &q->p, &o, pick, &n, &c->scanned));
  sc_status status = SC_OK;
  for (size_t i = 0; i < n && status == SC_OK; i++) status = jobs_add(q->t, &finalists, c->task, &pick[i].schedule);
  if (status == SC_OK) status = quick_measure(q, &finalists, SC_PROPOSED_MODEL, PASSES, c->name);
  if (status == SC_OK) status = keep_fastest(q, c, pick, &finalists);
  jobs_free(&finalists);
  return status;
}

sc_status quick_run_case(quickstart *q, quick_case *c) {
  sc_space_bound *space;
  tool_say(q->t, "%s: scanning the space of %s", c->name, c->task->text);
  SC_TRY(tool_space(q->t, NULL, c->task, &q->p.machine, NULL, 1, &space));
  sc_status status = pick_and_measure(q, c, space);
  if (status == SC_OK && !q->own_model) status = measure_points(q, c, space);
  sc_space_unbind(space);
  if (status == SC_OK) status = baseline_plain(q->t, c->task, &c->plain_s);
  if (status == SC_OK) c->blas_s = baseline_blas(c->task);
  return status;
}

/* ---- the table ---- */

void quick_table(const quickstart *q, sc_str *out) {
  double peak = q->p.machine.peak_flop_per_s.value;
  sc_str_printf(out, "\n%-22s %-34s %9s %8s %7s %7s  %s\n", "one thread", "predicted (90 % interval)", "measured",
                "GFLOP/s", "of peak", "x plain", "OpenBLAS");
  for (size_t i = 0; i < q->ntasks; i++) {
    const quick_case *c = &q->c[i];
    sc_str predicted = {0}, measured = {0};
    if (c->measured_s == 0) continue;
    print_time(&predicted, c->prediction.time_s);
    sc_str_add(&predicted, " (");
    print_time(&predicted, c->prediction.low_s);
    sc_str_add(&predicted, " .. ");
    print_time(&predicted, c->prediction.high_s);
    sc_str_add(&predicted, ")");
    print_time(&measured, c->measured_s);
    double rate = c->task->flop / c->measured_s;
    sc_str_printf(out, "%-22s %-34s %9s %8.1f %6.0f%% %7.1f", c->name, sc_str_text(&predicted), sc_str_text(&measured),
                  rate * 1e-9, 100 * rate / peak, c->plain_s / c->measured_s);
    if (c->blas_s > 0) sc_str_printf(out, "  %.1f GFLOP/s", c->task->flop / c->blas_s * 1e-9);
    sc_str_add(out, "\n");
    sc_str_free(&predicted);
    sc_str_free(&measured);
  }
  sc_str_printf(out, "x plain: against the plain loops at gcc -O3 -march=native. Peak: %.0f GFLOP/s, one core.\n\n",
                peak * 1e-9);
  for (size_t i = 0; i < q->ntasks; i++)
    if (q->c[i].code[0]) sc_str_printf(out, "C code   %s\n", q->c[i].code);
  sc_str_printf(out, "model    %s\ndataset  %s\n", q->model_path, q->dataset_path);
  if (q->picture_path[0]) sc_str_printf(out, "picture  %s\n", q->picture_path);
}

void quick_json(const quickstart *q, sc_str *out) {
  sc_str_add(out, "{");
  json_text(out, "machine", q->p.machine.name);
  json_real(out, "peak_flop_per_s", q->p.machine.peak_flop_per_s.value);
  json_text(out, "model", q->model_path);
  json_bool(out, "model_made_here", q->own_model);
  json_text(out, "dataset", q->dataset_path);
  json_text(out, "picture", q->picture_path);
  json_key(out, "cases");
  sc_str_add(out, "[");
  for (size_t i = 0; i < q->ntasks; i++) {
    const quick_case *c = &q->c[i];
    if (c->measured_s == 0) continue;
    json_item(out);
    sc_str_add(out, "{");
    json_text(out, "name", c->name);
    json_text(out, "task", c->task->text);
    json_count(out, "scanned", c->scanned);
    json_prediction(out, c->task, &c->prediction);
    json_real(out, "measured_s", c->measured_s);
    json_real(out, "measured_flop_per_s", c->task->flop / c->measured_s);
    json_real(out, "plain_s", c->plain_s);
    if (c->blas_s > 0) json_real(out, "openblas_s", c->blas_s);
    json_text(out, "code", c->code);
    sc_str_add(out, "}");
  }
  sc_str_add(out, "]}\n");
}
