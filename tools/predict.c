/* predict-sched: ranks given schedules, or picks the best of a space, by prediction alone. */
#include <stdlib.h>
#include <string.h>

#include "tools/tools.h"

struct predict_options {
  const char *model, *space, *machine, *emit;
  text_list force;
  int64_t pick, scan, seed, threads;
  bool rank, explain, calibrate, json;
};

static const option options[] = {
    {"model", 0, OPTION_TEXT, offsetof(struct predict_options, model), "FILE", "default: the one that fits the machine",
     NULL},
    {"rank", 'r', OPTION_FLAG, offsetof(struct predict_options, rank), NULL,
     "operands are schedule files: rank what is in them", NULL},
    {"pick", 'k', OPTION_COUNT, offsetof(struct predict_options, pick), "K", "print the K best of a scan, default 1",
     NULL},
    {"scan", 0, OPTION_COUNT, offsetof(struct predict_options, scan), "N", "schedules looked at for it, default 20000",
     NULL},
    {"calibrate", 0, OPTION_FLAG, offsetof(struct predict_options, calibrate), NULL,
     "measure the best 100's kernels, rank again", NULL},
    {"emit-c", 0, OPTION_TEXT, offsetof(struct predict_options, emit), "FILE", "write the best as C; -: to stdout",
     NULL},
    {"explain", 'e', OPTION_FLAG, offsetof(struct predict_options, explain), NULL, "say what drives each prediction",
     NULL},
    {"space", 's', OPTION_TEXT, offsetof(struct predict_options, space), "FILE", "space file; default: the operator's",
     NULL},
    {"seed", 0, OPTION_COUNT, offsetof(struct predict_options, seed), "N", "of the scan", NULL},
    {"threads", 't', OPTION_COUNT, offsetof(struct predict_options, threads), "N",
     "more than 1: parallel ones too; 0: all cores", NULL},
    OPTION_FORCE(struct predict_options),
    OPTION_MACHINE(struct predict_options),
    OPTION_JSON(struct predict_options),
    OPTION_END,
};

struct predicting {
  const struct predict_options *o;
  platform p;
  sc_model *model;
  char model_path[4400];
};

static sc_status explain(tool *t, struct predicting *x, const job *j, sc_str *text) {
  int threads = j->schedule.nparallel ? (int)x->o->threads : 1;
  const sc_target target = {&x->p.machine, x->p.kernels, threads ? threads : (int)x->p.machine.cores.value};
  return sc_model_explain(x->model, j->task, &j->nest, &target, 8, text, &t->err);
}

/* One schedule with its numbers as a comment, its reasons as comments below. */
static sc_status print_one(tool *t, struct predicting *x, const job *j, const sc_prediction *p) {
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
    print_schedule_line(&t->out, j->task, &j->schedule, sc_str_text(&comment));
    for (const char *line = sc_str_text(&why); *line; line += strcspn(line, "\n") + (line[strcspn(line, "\n")] != 0))
      sc_str_printf(&t->out, "#   %.*s\n", (int)strcspn(line, "\n"), line);
  }
  sc_str_free(&comment);
  sc_str_free(&why);
  return status;
}

static void print_task(tool *t, struct predicting *x, const sc_task *task, size_t scanned, bool first) {
  sc_str *out = &t->out;
  if (!x->o->json) {
    print_task_line(out, task);
    return;
  }
  sc_str_add(out, first ? "[\n{" : "]},\n{");
  json_text(out, "task", task->text);
  json_text(out, "model", x->model_path);
  json_text(out, "machine", x->p.machine.name);
  if (scanned) json_count(out, "scanned", scanned);
  json_key(out, "schedules");
  sc_str_add(out, "[");
}

/* ---- rank ---- */

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
    if (i == 0 || r[i].task != r[i - 1].task) print_task(t, x, r[i].job->task, 0, i == 0);
    status = print_one(t, x, r[i].job, &r[i].prediction);
  }
  if (x->o->json) sc_str_add(&t->out, "]}\n]\n");
  if (status == SC_OK && x->o->emit)
    status = emit_file(t, r[0].job->task, &r[0].job->schedule, &x->p.machine, NULL, x->o->emit);
  return status;
}

static sc_status rank(tool *t, struct predicting *x, const job_list *jobs) {
  struct ranked *r = calloc(jobs->n, sizeof *r);
  sc_prediction *p = calloc(jobs->n, sizeof *p);
  sc_status status = r && p ? SC_OK : sc_fail(&t->err, SC_NOMEM, "no memory for %zu predictions", jobs->n);
  if (status == SC_OK && x->o->calibrate) status = kernels_measure(t, &x->p, jobs);
  if (status == SC_OK) status = jobs_predict(t, x->model, &x->p, x->o->threads, jobs, p);
  for (size_t i = 0; i < jobs->n && status == SC_OK; i++) {
    size_t same = 0;
    while (jobs->job[same].task->hash != jobs->job[i].task->hash ||
           strcmp(jobs->job[same].task->text, jobs->job[i].task->text))
      same++;
    r[i] = (struct ranked){&jobs->job[i], same, i, p[i]};
  }
  if (status == SC_OK) status = print_ranked(t, x, r, jobs->n);
  free(r);
  free(p);
  return status;
}

/* ---- pick ---- */

static sc_status print_picks(tool *t, struct predicting *x, const sc_task *task, const sc_pick *pick, size_t n,
                             size_t scanned) {
  job_list jobs = {0};
  sc_status status = SC_OK;
  if (!x->o->json)
    sc_str_printf(&t->out, "# best of %zu scanned; %s knows: %s\n", scanned, x->model_path,
                  knowledge_text(pick[0].prediction.knowledge));
  print_task(t, x, task, scanned, true);
  for (size_t i = 0; i < n && status == SC_OK; i++) {
    status = jobs_add(t, &jobs, task, &pick[i].schedule);
    if (status == SC_OK) status = print_one(t, x, &jobs.job[i], &pick[i].prediction);
  }
  if (x->o->json) sc_str_add(&t->out, "]}\n]\n");
  if (status == SC_OK && x->o->emit) status = emit_file(t, task, &pick[0].schedule, &x->p.machine, NULL, x->o->emit);
  jobs_free(&jobs);
  return status;
}

static sc_status pick(tool *t, struct predicting *x, const char *text) {
  const struct predict_options *o = x->o;
  const pick_options how = {o->pick, o->scan, o->threads, (uint64_t)o->seed, o->calibrate};
  const sc_task *task;
  sc_space_bound *space;
  size_t scanned = 0, n = 0;
  if (o->pick < 1 || o->pick > 10000) return tool_usage(t, "--pick wants 1 to 10000");
  SC_TRY(tool_task(t, text, &task));
  SC_TRY(tool_space(t, o->space, task, &x->p.machine, &o->force, o->threads, &space));
  sc_pick *picks = calloc((size_t)o->pick, sizeof *picks);
  sc_status status = picks ? SC_OK : sc_fail(&t->err, SC_NOMEM, "no memory for %lld picks", (long long)o->pick);
  if (status == SC_OK) status = pick_best(t, x->model, space, task, &x->p, &how, picks, &n, &scanned);
  if (status == SC_OK) status = print_picks(t, x, task, picks, n, scanned);
  free(picks);
  sc_space_unbind(space);
  return status;
}

static sc_status run(tool *t, const void *given, int n, char **operands) {
  struct predicting x = {.o = given};
  job_list jobs = {0};
  if (!x.o->rank && n != 1) return tool_usage(t, "one TASK, or --rank and schedule files");
  if (x.o->rank) SC_TRY(jobs_read(t, n, operands, &jobs));
  sc_status status = platform_open(t, x.o->machine, &x.p);
  if (status == SC_OK) status = tool_model(t, x.o->model, &x.p.machine, &x.model, x.model_path, sizeof x.model_path);
  if (status == SC_OK) status = x.o->rank ? rank(t, &x, &jobs) : pick(t, &x, operands[0]);
  sc_model_free(x.model);
  platform_close(&x.p);
  jobs_free(&jobs);
  return status;
}

const verb verb_predict = {
    .name = "predict",
    .summary = "ranks schedules or picks the best, by prediction alone",
    .operands = "TASK | --rank FILE...",
    .details = "With a task, scans its space and prints the schedules of smallest predicted time, each with its 90 % "
               "interval in a "
               "comment. With --rank, orders the schedules of files (- is standard input). --calibrate measures "
               "kernels of the best "
               "ones, about two seconds, and needs the machine at hand. What is printed is what the other tools read.",
    .example = "predict-sched --model host.xgb conv2d:H=28,W=28,C=128,K=128,R=3,S=3,pad=1 -k 5\n"
               "  predict-sched --rank s.sched --explain",
    .options = options,
    .options_size = sizeof(struct predict_options),
    .defaults = &(const struct predict_options){.pick = 1, .threads = 1},
    .min_operands = 1,
    .max_operands = -1,
    .run = run,
};
