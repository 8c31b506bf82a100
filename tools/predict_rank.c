/* predict-sched --rank, and how predictions are printed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/predict.h"

static sc_status explain(tool *t, struct predicting *x, const job *j, sc_str *text) {
  int threads = j->schedule.nparallel ? (int)x->o->threads : 1;
  const sc_target target = {&x->p.machine, x->p.kernels, threads ? threads : (int)x->p.machine.cores.value};
  sc_nest nest;
  job_nest(j, &nest);
  return sc_model_explain(x->model, j->task, &nest, &target, job_picked(j, x->model), 8, text, &t->err);
}

sc_status predict_one(tool *t, struct predicting *x, const job *j, const sc_prediction *p) {
  sc_str comment = {0}, why = {0};
  sc_status status = x->o->explain ? explain(t, x, j, &why) : SC_OK;
  if (x->o->json) {
    json_item(&t->out);
    sc_str_add(&t->out, "\n  {");
    sc_schedule_print(j->task, &j->schedule, &comment);
    json_text(&t->out, "schedule", sc_str_text(&comment));
    json_prediction(&t->out, j->task, p);
    if (x->o->explain) json_text(&t->out, "why", sc_str_text(&why));
    sc_str_add(&t->out, "}");
  } else {
    print_prediction(&comment, j->task, p);
    if (j->origin.proposal != x->said.proposal || j->origin.model_hash != x->said.model_hash)
      print_origin_line(&t->out, &j->origin);
    x->said = j->origin;
    print_schedule_line(&t->out, j->task, &j->schedule, sc_str_text(&comment));
    for (const char *line = sc_str_text(&why); *line; line += strcspn(line, "\n") + (line[strcspn(line, "\n")] != 0))
      sc_str_printf(&t->out, "#   %.*s\n", (int)strcspn(line, "\n"), line);
  }
  sc_str_free(&comment);
  sc_str_free(&why);
  return status;
}

void predict_task(tool *t, struct predicting *x, const sc_task *task, const sc_prediction *best,
                  const sc_pick_effort *effort, bool first) {
  sc_str *out = &t->out;
  const sc_machine *of = sc_model_machine(x->model);
  if (!x->o->json) {
    sc_str_add(out, "# ");
    if (effort) sc_str_printf(out, "best of %zu scanned; ", effort->scanned);
    sc_str_printf(out, "%s, of %s (%s)%s, knows: %s\n", x->model_path, of->name, of->isa,
                  best->foreign ? ", another machine" : "", sc_knowledge_text(best->knowledge));
    print_task_line(out, task);
    return;
  }
  sc_str_add(out, first ? "[\n{" : "]},\n{");
  json_text(out, "task", task->text);
  json_text(out, "model", x->model_path);
  json_text(out, "model_machine", of->name);
  json_text(out, "machine", x->p.machine.name);
  if (effort) json_effort(out, effort);
  json_key(out, "schedules");
  sc_str_add(out, "[");
}

sc_status predict_emit(tool *t, struct predicting *x, const sc_task *task, const sc_schedule *best) {
  if (!x->o->emit) return SC_OK;
  if (strcmp(x->o->emit, "-") == 0) {
    fputs(sc_str_text(&t->out), stderr);
    sc_str_clear(&t->out);
  }
  return emit_file(t, task, best, &x->p.machine, NULL, x->o->emit);
}

struct ranked {
  const job *job;
  size_t task, at; /* order of first appearance */
  sc_prediction prediction;
};

static int by_task_and_time(const void *a, const void *b) {
  const struct ranked *x = a, *y = b;
  if (x->task != y->task) return x->task < y->task ? -1 : 1;
  if (x->prediction.time_s != y->prediction.time_s) return x->prediction.time_s < y->prediction.time_s ? -1 : 1;
  return x->at < y->at ? -1 : x->at > y->at;
}

static sc_status print_ranked(tool *t, struct predicting *x, struct ranked *r, size_t n) {
  sc_status status = SC_OK;
  qsort(r, n, sizeof *r, by_task_and_time);
  for (size_t i = 0; i < n && status == SC_OK; i++) {
    if (i == 0 || r[i].task != r[i - 1].task) predict_task(t, x, r[i].job->task, &r[i].prediction, NULL, i == 0);
    status = predict_one(t, x, r[i].job, &r[i].prediction);
  }
  if (x->o->json) sc_str_add(&t->out, "]}\n]\n");
  return status == SC_OK ? predict_emit(t, x, r[0].job->task, &r[0].job->schedule) : status;
}

/* The first job of the same task, which other lines and files may name again. */
static size_t first_of(const job_list *jobs, size_t i) {
  size_t same = 0;
  while (strcmp(jobs->job[same].task->text, jobs->job[i].task->text) != 0) same++;
  return same;
}

sc_status predict_rank(tool *t, struct predicting *x, const job_list *jobs) {
  struct ranked *r = calloc(jobs->n, sizeof *r);
  sc_prediction *p = calloc(jobs->n, sizeof *p);
  sc_status status = r && p ? SC_OK : sc_fail(&t->err, SC_NOMEM, "no memory for %zu predictions", jobs->n);
  if (status == SC_OK && x->o->calibrate) status = kernels_measure(t, &x->p, jobs);
  if (status == SC_OK) status = jobs_predict(t, x->model, &x->p, x->o->threads, jobs, p);
  for (size_t i = 0; i < jobs->n && status == SC_OK; i++)
    r[i] = (struct ranked){
        &jobs->job[i], i && jobs->job[i - 1].task == jobs->job[i].task ? r[i - 1].task : first_of(jobs, i), i, p[i]};
  if (status == SC_OK) status = print_ranked(t, x, r, jobs->n);
  free(r);
  free(p);
  return status;
}
