/* predict-sched: ranks given schedules, or picks the best of a space, by prediction alone. */
#include <stdlib.h>
#include <string.h>

#include "tools/predict.h"

static const option options[] = {
    {"model", 0, OPTION_TEXT, offsetof(struct predict_options, model), "FILE", "default: the one that fits the machine",
     NULL},
    {"rank", 'r', OPTION_FLAG, offsetof(struct predict_options, rank), NULL,
     "operands are schedule files: rank what is in them", NULL},
    {"pick", 'k', OPTION_COUNT, offsetof(struct predict_options, pick), "K", "print the K best of a scan, default 1",
     OPTION_RANGE(1, SC_MOST_PICKS)},
    {"scan", 0, OPTION_COUNT, offsetof(struct predict_options, scan), "N",
     "schedules looked at for it, default 1000000", OPTION_RANGE(1, 1000000000)},
    {"calibrate", 0, OPTION_FLAG, offsetof(struct predict_options, calibrate), NULL,
     "measure the best 100's kernels, rank again", NULL},
    {"emit-c", 0, OPTION_TEXT, offsetof(struct predict_options, emit), "FILE",
     "write the best as C; -: C to stdout, text to stderr", NULL},
    {"explain", 'e', OPTION_FLAG, offsetof(struct predict_options, explain), NULL, "say what drives each prediction",
     NULL},
    {"space", 's', OPTION_TEXT, offsetof(struct predict_options, space), "FILE", "space file; default: the operator's",
     NULL},
    {"seed", 0, OPTION_COUNT, offsetof(struct predict_options, seed), "N", "of the scan", NULL},
    {"threads", 't', OPTION_COUNT, offsetof(struct predict_options, threads), "N",
     "more than 1: parallel ones too; 0: all cores", OPTION_RANGE(0, MOST_THREADS)},
    OPTION_FORCE(struct predict_options),
    OPTION_MACHINE(struct predict_options),
    OPTION_JSON(struct predict_options),
    OPTION_END,
};

static sc_status print_picks(tool *t, struct predicting *x, const sc_task *task, const sc_pick *pick, size_t n,
                             const sc_pick_effort *effort) {
  const sc_origin origin = {SC_PROPOSED_MODEL, sc_model_hash(x->model)};
  job_list jobs = {0};
  sc_status status = SC_OK;
  predict_task(t, x, task, &pick[0].prediction, effort, true);
  for (size_t i = 0; i < n && status == SC_OK; i++) {
    status = jobs_add(t, &jobs, task, &pick[i].schedule, origin);
    if (status == SC_OK) status = predict_one(t, x, &jobs.job[i], &pick[i].prediction);
  }
  if (x->o->json) sc_str_add(&t->out, "]}\n]\n");
  if (status == SC_OK) status = predict_emit(t, x, task, &pick[0].schedule);
  jobs_free(&jobs);
  return status;
}

static sc_status pick(tool *t, struct predicting *x, const char *text) {
  const struct predict_options *o = x->o;
  const int64_t k = o->pick ? o->pick : 1;
  const pick_options how = {k, o->scan, o->threads, (uint64_t)o->seed, o->calibrate};
  const sc_task *task;
  sc_space_bound *space;
  sc_pick_effort effort;
  size_t n = 0;
  SC_TRY(tool_task(t, text, &task));
  SC_TRY(sc_emit_check(task, &t->err));
  SC_TRY(tool_space(t, o->space, task, &x->p, &o->force, o->threads, &space));
  sc_pick *picks = calloc((size_t)k, sizeof *picks);
  sc_status status = picks ? SC_OK : sc_fail(&t->err, SC_NOMEM, "no memory for %lld picks", (long long)k);
  if (status == SC_OK) status = pick_best(t, x->model, space, task, &x->p, &how, picks, &n, &effort);
  if (status == SC_OK) status = print_picks(t, x, task, picks, n, &effort);
  free(picks);
  sc_space_unbind(space);
  return status;
}

/* Options that say what to scan mean nothing where the schedules are given. */
static sc_status check_rank(tool *t, const struct predict_options *o) {
  const struct {
    const char *name;
    bool given;
  } of_pick[] = {
      {"pick", o->pick}, {"scan", o->scan}, {"space", o->space != NULL}, {"force", o->force.n}, {"seed", o->seed}};
  for (size_t i = 0; i < SC_COUNT_OF(of_pick); i++)
    if (of_pick[i].given) return tool_usage(t, "--%s belongs to a TASK, not to --rank", of_pick[i].name);
  return SC_OK;
}

/* Schedules of one task: of several there would be several best ones, and one file to write. */
static sc_status check_emit(tool *t, const struct predict_options *o, const job_list *jobs) {
  for (size_t i = 1; o->emit && i < jobs->n; i++)
    if (strcmp(jobs->job[i].task->text, jobs->job[0].task->text) != 0)
      return tool_usage(t, "--emit-c writes the best of one task: there are also schedules of %.80s",
                        jobs->job[i].task->text);
  return SC_OK;
}

/* Times of what no code can be generated for would promise too much. */
static sc_status check_types(tool *t, const job_list *jobs) {
  for (size_t i = 0; i < jobs->n; i++) {
    const sc_status status = sc_emit_check(jobs->job[i].task, &t->err);
    if (status != SC_OK) return job_failed(t, &jobs->job[i], "", status);
  }
  return SC_OK;
}

/* A model of another machine still ranks; nobody shall take its times for that machine's. */
static void warn_foreign(tool *t, const struct predicting *x) {
  const sc_machine *of = sc_model_machine(x->model), *to = &x->p.machine;
  if (sc_machine_fingerprint(of) == sc_machine_fingerprint(to)) return;
  tool_say(t, "warning: the model is of %s (%s), not of %s (%s): trust the order more than the times", of->name,
           of->isa, to->name, to->isa);
}

static sc_status run(tool *t, const void *given, int n, char **operands) {
  struct predicting x = {.o = given};
  job_list jobs = {0};
  if (!x.o->rank && n != 1) return tool_usage(t, "one TASK, or --rank and schedule files");
  if (x.o->rank) SC_TRY(check_rank(t, x.o));
  if (x.o->emit && strcmp(x.o->emit, "-") != 0) SC_TRY(tool_output(t, x.o->emit));
  if (x.o->rank) SC_TRY(jobs_read(t, n, operands, &jobs));
  sc_status status = check_emit(t, x.o, &jobs);
  if (status == SC_OK) status = check_types(t, &jobs);
  if (status == SC_OK) status = platform_open(t, x.o->machine, &x.p);
  if (status == SC_OK) status = jobs_compilers(t, &jobs, &x.p.machine);
  if (status == SC_OK) status = tool_model(t, x.o->model, &x.p.machine, &x.model, x.model_path, sizeof x.model_path);
  if (status == SC_OK) warn_foreign(t, &x);
  if (status == SC_OK) status = x.o->rank ? predict_rank(t, &x, &jobs) : pick(t, &x, operands[0]);
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
               "ones, about two seconds, and needs the machine at hand. A model of another machine ranks as well; its "
               "times are marked and their intervals widened. What is printed is what the other tools read.",
    .example = "predict-sched --model host.xgb conv2d:H=28,W=28,C=128,K=128,R=3,S=3,pad=1 -k 5\n"
               "  predict-sched --rank s.sched --explain",
    .options = options,
    .options_size = sizeof(struct predict_options),
    .defaults = &(const struct predict_options){.threads = 1},
    .min_operands = 1,
    .max_operands = -1,
    .run = run,
};
