/* quickstart-sched: from a bare machine to picked schedules, their times and their code, in at most five minutes. */
#include <stdio.h>
#include <string.h>

#include "tools/quickstart.h"

struct quick_options {
  const char *out, *model;
  double seconds;
  bool json;
};

static const option options[] = {
    {"out", 'o', OPTION_TEXT, offsetof(struct quick_options, out), "FOLDER", "where files go, default quickstart.out",
     NULL},
    {"model", 0, OPTION_TEXT, offsetof(struct quick_options, model), "FILE", "use this model", NULL},
    {"seconds", 's', OPTION_REAL, offsetof(struct quick_options, seconds), "S",
     "of the campaign when there is no model, default 100", OPTION_RANGE(1, 86400)},
    OPTION_JSON(struct quick_options),
    OPTION_END,
};

/* Predictions of rows by a model that was made elsewhere. */
static sc_status predict_rows(quickstart *q, const sc_rows *rows, double *predicted) {
  tool *t = q->t;
  job_list jobs = {0};
  sc_status status = SC_OK;
  for (size_t i = 0; i < rows->n && status == SC_OK; i++) {
    const sc_task *task;
    sc_schedule schedule;
    status = tool_task(t, rows->record[i]->task, &task);
    if (status == SC_OK) status = sc_schedule_parse(task, "the dataset", rows->record[i]->schedule, &schedule, &t->err);
    if (status == SC_OK) status = jobs_add(t, &jobs, task, &schedule, (sc_origin){0});
  }
  sc_prediction *p = sc_arena_alloc(t->arena, rows->n + 1, sizeof *p);
  if (status == SC_OK && !p) status = sc_fail(&t->err, SC_NOMEM, "no memory for %zu predictions", rows->n);
  if (status == SC_OK) status = jobs_predict(t, q->model, &q->p, 1, &jobs, p);
  for (size_t i = 0; i < rows->n && status == SC_OK; i++) predicted[i] = p[i].time_s;
  jobs_free(&jobs);
  return status;
}

/* Our own model is judged on groups it has not seen: rows that trained it say nothing about it. */
sc_status quick_picture(quickstart *q) {
  tool *t = q->t;
  const sc_rows_options how = {.passes = 2, .kernels = q->p.kernels};
  const sc_train_options training = {.members = 1, .log = t->log};
  sc_rows rows;
  sc_evaluation e;
  char title[160];
  SC_TRY(sc_rows_build(t->arena, t->library, q->dataset, &how, &rows, &t->err));
  double *predicted = sc_arena_alloc(t->arena, rows.n + 1, sizeof *predicted);
  if (!predicted) return sc_fail(&t->err, SC_NOMEM, "no memory for %zu predictions", rows.n);
  if (q->own_model)
    SC_TRY(sc_evaluate(&rows, SC_HOLDOUT_GROUP, NULL, &training, &e, &(sc_evaluated){.time_s = predicted}, &t->err));
  else SC_TRY(predict_rows(q, &rows, predicted));
  snprintf(title, sizeof title, "%zu schedules of %zu tasks, predicted %s", rows.n, rows.ntasks,
           q->own_model ? "with their own group left out" : "by a model trained before");
  snprintf(q->picture_path, sizeof q->picture_path, "%s/predicted.png", q->folder);
  sc_status status = picture_draw(t, q->picture_path, title, &rows, predicted);
  if (status == SC_OK) return SC_OK;
  q->picture_path[0] = '\0';
  if (status != SC_NOTFOUND) return status;
  tool_say(t, "no picture: %s", t->err.text);
  return SC_OK;
}

static bool is_own(const quickstart *q) {
  return sc_machine_fingerprint(sc_model_machine(q->model)) == sc_machine_fingerprint(&q->p.machine);
}

static void say_model(const quickstart *q, const char *path) {
  const sc_machine *of = sc_model_machine(q->model);
  tool_say(q->t, "model %s: of %s (%s), %s", path, of->name, of->isa,
           is_own(q)                                ? "this machine"
           : strcmp(of->isa, q->p.machine.isa) == 0 ? "another machine of this instruction set"
                                                    : "a machine of another instruction set");
}

/* What an earlier run left on another machine is no help here, and rows of two machines do not mix. */
static sc_status check_dataset(quickstart *q) {
  if (sc_dataset_count(q->dataset) == 0 ||
      sc_dataset_at(q->dataset, 0)->machine_hash == sc_machine_fingerprint(&q->p.machine))
    return SC_OK;
  return sc_fail(&q->t->err, SC_MISMATCH, "%s is of another machine: name another folder with --out", q->dataset_path);
}

/* A model that fits this machine, or one from a short campaign. */
static sc_status find_model(quickstart *q, const char *given) {
  tool *t = q->t;
  char found[4400];
  snprintf(q->model_path, sizeof q->model_path, "%s/host.xgb", q->folder);
  q->own_model = !given && file_exists(q->model_path); /* of an earlier run */
  if (q->own_model) given = q->model_path;
  sc_status status = tool_model(t, given, &q->p.machine, &q->model, found, sizeof found);
  if (q->own_model && (status == SC_MISMATCH || status == SC_FORMAT)) {
    tool_say(t, "%s is of another version of schedcast", q->model_path);
    q->own_model = false;
    given = NULL;
    status = tool_model(t, NULL, &q->p.machine, &q->model, found, sizeof found);
  }
  if (status == SC_OK) {
    const bool same = is_own(q);
    say_model(q, found);
    if (q->own_model && !same)
      return sc_fail(&t->err, SC_MISMATCH, "%s is of another machine: name another folder with --out", q->model_path);
    if (same || given) {
      snprintf(q->model_path, sizeof q->model_path, "%s", found);
      return SC_OK;
    }
    sc_model_free(q->model);
    q->model = NULL;
    status = SC_NOTFOUND;
  }
  if (status != SC_NOTFOUND || given) return status;
  tool_say(t, "no model fits this machine: making one, %.0f s", q->budget_s);
  q->own_model = true;
  return quick_campaign(q);
}

static sc_status go(quickstart *q, const struct quick_options *o) {
  SC_TRY(check_dataset(q));
  SC_TRY(find_model(q, o->model));
  for (size_t i = 0; i < q->ntasks; i++)
    if (strcmp(q->c[i].name, "-") != 0) SC_TRY(quick_run_case(q, &q->c[i]));
  SC_TRY(quick_picture(q));
  (o->json ? quick_json : quick_table)(q, &q->t->out);
  return SC_OK;
}

static sc_status run(tool *t, const void *given, int n, char **operands) {
  const struct quick_options *o = given;
  static quickstart q; /* large */
  q = (quickstart){.t = t, .folder = o->out, .budget_s = o->seconds};
  snprintf(q.dataset_path, sizeof q.dataset_path, "%s/host.h5", o->out);
  interrupt_catch();
  SC_TRY(quick_tasks(&q));
  SC_TRY(sc_mkdirs(o->out, &t->err));
  SC_TRY(platform_open(t, NULL, &q.p));
  baseline_settle(t, &q.p.machine);
  tool_say(t, "schedcast %s on %s, %s", sc_version(), q.p.machine.cpu, q.p.machine.isa);
  t->terse = true; /* the campaign says how far it is */
  sc_status status = sc_dataset_open(q.dataset_path, SC_DATASET_APPEND, &q.dataset, &t->err);
  if (status == SC_OK) status = go(&q, o);
  sc_status closed = sc_dataset_close(q.dataset, status == SC_OK ? &t->err : NULL);
  sc_model_free(q.model);
  platform_close(&q.p);
  return status == SC_OK ? closed : status;
}

const verb verb_quickstart = {
    .name = "quickstart",
    .summary = "shows what schedcast does, on this machine, in five minutes",
    .operands = "",
    .details = "Takes a model that fits this machine, or makes one from a short campaign; picks schedules of layers of "
               "ResNet-18, "
               "MobileNetV2 and BERT by prediction, measures the five best, and prints predicted and measured times, "
               "the share of the "
               "machine's peak, and the speed-up over plain loops. Everything runs on one thread. Run again, it goes "
               "on with what it has.",
    .example = "quickstart-sched --out first",
    .options = options,
    .options_size = sizeof(struct quick_options),
    .defaults = &(const struct quick_options){.out = "quickstart.out", .seconds = 100},
    .max_operands = 0,
    .run = run,
};
