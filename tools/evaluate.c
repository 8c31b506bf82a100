/* evaluate-sched: how good a model is, beside a random pick, the analytic model and re-measurement. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tools/evaluate.h"

struct evaluate_options {
  const char *model, *picture, *log, *machine, *base;
  int64_t members, trees, depth, seed, passes, threads, curve;
  double eta;
  text_list picks, without;
  int by, knowledge, parts;
  bool json, disturbed;
};

static const char *const parts[] = {"none", "kind", "task", NULL};
enum { PARTS_NONE, PARTS_KIND, PARTS_TASK };
static const char *const splits[] = {"group", "network", "development", NULL}; /* in the order of sc_holdout */

static const option options[] = {
    {"by", 0, OPTION_CHOICE, offsetof(struct evaluate_options, by), "WHAT", "what is held out", splits},
    {"curve", 0, OPTION_COUNT, offsetof(struct evaluate_options, curve), "N",
     "N lines: trained on .., half, all of the groups", OPTION_RANGE(1, 8)},
    {"model", 0, OPTION_TEXT, offsetof(struct evaluate_options, model), "FILE",
     "judge this model on rows it has not seen", NULL},
    {"parts", 0, OPTION_CHOICE, offsetof(struct evaluate_options, parts), "WHAT", "by operator, draw, network; by task",
     parts},
    {"without", 0, OPTION_LIST, offsetof(struct evaluate_options, without), "GROUP",
     "of features (docs/features.md): what are they worth?", NULL},
    {"base", 0, OPTION_TEXT, offsetof(struct evaluate_options, base), "DATASET",
     "of another machine, compiler: how it serves here", NULL},
    {"picks", 0, OPTION_LIST, offsetof(struct evaluate_options, picks), "NAME=FILE",
     "compare a method's picks, by these rows", NULL},
    {"picture", 0, OPTION_TEXT, offsetof(struct evaluate_options, picture), "PNG", "times, intervals and picks", NULL},
    {"log", 0, OPTION_TEXT, offsetof(struct evaluate_options, log), "FILE", "append a line (evaluation sets only)",
     NULL},
    {"members", 0, OPTION_COUNT, offsetof(struct evaluate_options, members), "N",
     "boosters of a model trained here, default 4", OPTION_RANGE(1, SC_MOST_MEMBERS)},
    {"trees", 0, OPTION_COUNT, offsetof(struct evaluate_options, trees), "N", "of each, default 250",
     OPTION_RANGE(1, SC_MOST_TREES)},
    {"depth", 0, OPTION_COUNT, offsetof(struct evaluate_options, depth), "N", "default 6",
     OPTION_RANGE(1, SC_MOST_DEPTH)},
    {"eta", 0, OPTION_REAL, offsetof(struct evaluate_options, eta), "X", "learning rate, default 0.1",
     OPTION_RANGE(0.0001, 1)},
    {"disturbed", 0, OPTION_FLAG, offsetof(struct evaluate_options, disturbed), NULL, "passes marked invalid count too",
     NULL},
    {"passes", 'p', OPTION_COUNT, offsetof(struct evaluate_options, passes), "N",
     "per label; default 3, more where all of a task have", OPTION_RANGE(1, SC_MAX_PASSES)},
    {"seed", 0, OPTION_COUNT, offsetof(struct evaluate_options, seed), "N", "of training and bootstrap", NULL},
    {"threads", 't', OPTION_COUNT, offsetof(struct evaluate_options, threads), "N", "default: all",
     OPTION_RANGE(0, MOST_THREADS)},
    OPTION_KERNELS_OF(struct evaluate_options),
    OPTION_KNOWLEDGE(struct evaluate_options),
    OPTION_JSON(struct evaluate_options),
    OPTION_END,
};

static const char *const titles[] = {"each tenth of the groups left out in turn", "each network left out in turn",
                                     "each development network left out in turn"};

static bool all_forbidden(const sc_rows *rows) {
  for (size_t i = 0; i < rows->n; i++)
    if (!rows->forbidden || !rows->forbidden[i]) return false;
  return rows->n > 0;
}

/* One line: date, commit, model, scores. Looking at the evaluation set is allowed and leaves a trace. */
static sc_status append_log(tool *t, const char *path, const sc_model *model, const sc_evaluation *e) {
  static const char *const git[] = {"git", "describe", "--always", "--dirty", NULL};
  char date[32], hash[17];
  sc_str commit = {0}, line = {0};
  time_t now = time(NULL);
  struct tm tm;
  strftime(date, sizeof date, "%Y-%m-%d", gmtime_r(&now, &tm));
  if (run_program(t, git, NULL, &commit) != SC_OK) sc_str_clear(&commit);
  sc_hash_hex(sc_model_hash(model), hash);
  sc_str_printf(&line,
                "| %s | %.*s | %s | %zu rows, %zu groups | top-1 %.3f (%.3f .. %.3f) | pairs %.3f | regret@1 / "
                "analytic %.2f | MAPE %.3f |\n",
                date, (int)strcspn(sc_str_text(&commit), "\n"), sc_str_text(&commit), hash, e->rows, e->groups,
                e->model.top1.value, e->model.top1.low, e->model.top1.high, e->model.pairs.value, e->regret_ratio.value,
                e->model.mape.value);
  int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
  bool ok = fd >= 0 && !line.failed && write(fd, line.text, line.len) == (ssize_t)line.len;
  if (fd >= 0) ok = close(fd) == 0 && ok;
  sc_str_free(&commit);
  sc_str_free(&line);
  return ok ? SC_OK : sc_fail(&t->err, SC_IO, "cannot append to %s", path);
}

static sc_status evaluate(tool *t, const struct evaluate_options *o, const sc_rows_options *how, const sc_rows *rows,
                          const sc_model *model) {
  const sc_train_options train = {.members = (int)o->members,
                                  .trees = (int)o->trees,
                                  .depth = (int)o->depth,
                                  .eta = o->eta,
                                  .seed = (uint64_t)o->seed,
                                  .nthread = (int)o->threads,
                                  .no_intervals = o->without.n && !o->picture,
                                  .log = t->log};
  const sc_holdout holdout = model ? SC_HOLDOUT_NONE : (sc_holdout)o->by;
  sc_evaluation e;
  char title[200];
  double *room = sc_arena_alloc(t->arena, 3 * rows->n + 6 * rows->ntasks + 1, sizeof *room);
  if (!room) return sc_fail(&t->err, SC_NOMEM, "no memory for %zu predictions", rows->n);
  double *const by_task = room + 3 * rows->n;
  const sc_evaluated predicted = {.time_s = room,
                                  .low_s = room + rows->n,
                                  .high_s = room + 2 * rows->n,
                                  .regret = by_task,
                                  .analytic_regret = by_task + rows->ntasks,
                                  .place = by_task + 2 * rows->ntasks,
                                  .analytic_place = by_task + 3 * rows->ntasks,
                                  .pool = by_task + 4 * rows->ntasks,
                                  .best_s = by_task + 5 * rows->ntasks};
  if (o->base) return evaluate_transfer(t, rows, o->base, how, o->knowledge, &train, o->json);
  if (o->curve) return evaluate_curve(t, rows, holdout, &train, (int)o->curve, o->picture, o->json);
  SC_TRY(sc_evaluate(rows, holdout, model, &train, &e, &predicted, &t->err));
  if (o->parts == PARTS_TASK) evaluate_tasks(t, rows, &predicted, o->json);
  else sc_evaluation_print(&e, o->json, o->parts == PARTS_KIND, &t->out);
  if (t->out.len && t->out.text[t->out.len - 1] != '\n') sc_str_add(&t->out, "\n");
  snprintf(title, sizeof title, "%zu schedules of %zu tasks, %s", rows->n, rows->ntasks,
           model ? o->model : titles[o->by]);
  if (o->picture) SC_TRY(evaluate_picture(t, o->picture, title, rows, &predicted));
  return o->log ? append_log(t, o->log, model, &e) : SC_OK;
}

static sc_status run(tool *t, const void *given, int n, char **operands) {
  const struct evaluate_options *o = given;
  sc_dataset *dataset;
  sc_kernel_table *kernels = NULL;
  sc_model *model = NULL;
  sc_rows rows;
  if (o->log && !o->model) return tool_usage(t, "--log wants --model: only a finished model meets the evaluation set");
  if (o->curve && o->model) return tool_usage(t, "--curve trains models: it goes without --model");
  if (o->picks.n && (o->curve || o->model || o->picture))
    return tool_usage(t, "--picks compares what was measured: no model, no curve, no picture");
  if (o->base && (o->curve || o->model || o->picture || o->picks.n))
    return tool_usage(t, "--base trains models of both machines: no model, no curve, no picture, no picks");
  if (o->without.n && (o->base || o->model || o->picks.n))
    return tool_usage(t, "--without trains models that lack features: no finished model, no base, no picks");
  if (o->parts && (o->curve || o->base || o->picks.n))
    return tool_usage(t, "--parts are parts of scores: no curve, no base, no picks");
  if (o->picture) SC_TRY(tool_output(t, o->picture));
  if (o->log && !file_exists(o->log)) SC_TRY(tool_output(t, o->log));
  if (o->log && file_exists(o->log) && access(o->log, W_OK) != 0) /* it is appended to */
    return sc_fail(&t->err, SC_IO, "cannot write %s: %s", o->log, strerror(errno));
  SC_TRY(tool_library(t));
  SC_TRY(datasets_read(t, n, operands, &dataset));
  sc_status status = tool_kernels_of(t, o->machine, dataset, o->knowledge, &kernels);
  const sc_rows_options how = {.passes = (int)o->passes,
                               .disturbed = o->disturbed,
                               .kernels = kernels,
                               .views = !o->model && !o->picks.n,
                               .keep_forbidden = o->model || o->picks.n};
  if (status == SC_OK) status = sc_rows_build(t->arena, t->library, dataset, &how, &rows, &t->err);
  for (int i = 0; status == SC_OK && i < o->without.n; i++)
    status = sc_rows_without(&rows, o->without.text[i], &t->err);
  if (status == SC_OK && o->model) status = sc_model_load(o->model, &model, &t->err);
  if (status == SC_OK && o->log && !all_forbidden(&rows))
    status = tool_usage(t, "--log is for evaluation sets; some rows here may be trained on");
  if (status == SC_OK)
    status = o->picks.n ? evaluate_picks(t, &rows, &o->picks, (uint64_t)o->seed, o->json)
                        : evaluate(t, o, &how, &rows, model);
  sc_model_free(model);
  sc_kernel_table_free(kernels);
  sc_dataset_close(dataset, NULL);
  return status;
}

const verb verb_evaluate = {
    .name = "evaluate",
    .summary = "says how good predictions are, on groups not trained on",
    .operands = "DATASET...",
    .details = "Without --model, trains on all groups (or networks) but those held out and predicts these, in turn. "
               "Scores stand beside "
               "a random pick, the analytic model and re-measurement, each with a 95 % interval from a bootstrap over "
               "groups: top-k "
               "(best true speed among the k predicted best, of the best there is), regret, pairs more than 10 % "
               "apart, error of "
               "time, and how many times lie in the 90 % interval. --by development leaves out one network of "
               "data/corpus/development.txt at a time and scores these alone. --curve is the learning curve: what "
               "half, a quarter, .. of the groups to train on would give. --parts kind adds operators, kinds of draws "
               "and networks, "
               "--parts task is a line a task. --picks compares methods: the first schedule "
               "of each "
               "task in its file against the fastest row of the task.",
    .example = "evaluate-sched d.h5 --by network --picture d.png",
    .options = options,
    .options_size = sizeof(struct evaluate_options),
    .min_operands = 1,
    .max_operands = -1,
    .run = run,
};
