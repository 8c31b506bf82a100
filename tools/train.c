/* train-sched: datasets -> a model of log T - log T_analytic, in one file with its card. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "tools/train.h"

struct train_options {
  const char *out, *base, *forbid, *machine;
  int64_t members, trees, depth, seed, passes, threads;
  int knowledge;
  double eta, subsample, colsample, min_child_weight;
  bool json, disturbed, out_of_core;
};

static const option options[] = {
    {"out", 'o', OPTION_TEXT, offsetof(struct train_options, out), "FILE", "the model, x.xgb (required)", NULL},
    {"base", 0, OPTION_TEXT, offsetof(struct train_options, base), "MODEL",
     "correct this model: a few hundred rows are enough", NULL},
    {"members", 0, OPTION_COUNT, offsetof(struct train_options, members), "N",
     "boosters to average, default 4; with --base 1", OPTION_RANGE(1, SC_MOST_MEMBERS)},
    {"trees", 0, OPTION_COUNT, offsetof(struct train_options, trees), "N", "of each, default 250; with --base 60",
     OPTION_RANGE(1, SC_MOST_TREES)},
    {"depth", 0, OPTION_COUNT, offsetof(struct train_options, depth), "N", "default 6; with --base 4",
     OPTION_RANGE(1, SC_MOST_DEPTH)},
    {"eta", 0, OPTION_REAL, offsetof(struct train_options, eta), "X", "learning rate, default 0.1",
     OPTION_RANGE(0.0001, 1)},
    {"subsample", 0, OPTION_REAL, offsetof(struct train_options, subsample), "X", "share of rows a tree, default 0.7",
     OPTION_RANGE(0.01, 1)},
    {"colsample", 0, OPTION_REAL, offsetof(struct train_options, colsample), "X",
     "share of features a tree, default 0.5; with --base 0.3", OPTION_RANGE(0.01, 1)},
    {"min-child", 0, OPTION_REAL, offsetof(struct train_options, min_child_weight), "X", "smallest leaf, default 2",
     OPTION_RANGE(0.001, 1000000)},
    {"passes", 'p', OPTION_COUNT, offsetof(struct train_options, passes), "N",
     "per label; default 3, more where all of a task have", OPTION_RANGE(1, SC_MAX_PASSES)},
    {"disturbed", 0, OPTION_FLAG, offsetof(struct train_options, disturbed), NULL, "passes marked invalid count too",
     NULL},
    {"out-of-core", 0, OPTION_FLAG, offsetof(struct train_options, out_of_core), NULL,
     "one dataset after another, none kept in memory", NULL},
    {"forbid", 0, OPTION_TEXT, offsetof(struct train_options, forbid), "FILE",
     "groups left out; default: the evaluation's", NULL},
    {"seed", 0, OPTION_COUNT, offsetof(struct train_options, seed), "N", "equal seeds give equal models", NULL},
    {"threads", 't', OPTION_COUNT, offsetof(struct train_options, threads), "N", "default: all",
     OPTION_RANGE(0, MOST_THREADS)},
    OPTION_KERNELS_OF(struct train_options),
    OPTION_KNOWLEDGE(struct train_options),
    OPTION_JSON(struct train_options),
    OPTION_END,
};

void train_say_rows(tool *t, const sc_rows *rows) {
  const struct {
    size_t n;
    const char *why;
  } out[] = {{rows->skipped_simulated, "are simulated"},
             {rows->skipped_failed, "failed"},
             {rows->skipped_passes, "have too few passes"},
             {rows->skipped_stale, "are stale"},
             {rows->skipped_foreign, "are of another machine, or measured in another way"},
             {rows->skipped_elsewhere, "were measured in another boot, or again in another shard"},
             {rows->skipped_forbidden, "belong to the evaluation"},
             {rows->skipped_illegal, "are no longer legal"}};
  tool_say(t, "%zu rows of %zu tasks in %zu groups and %zu networks", rows->n, rows->ntasks, rows->ngroups,
           rows->nnetworks);
  if (rows->passes < 3) tool_say(t, "labels are made of %d pass%s", rows->passes, rows->passes > 1 ? "es" : "");
  if (rows->disturbed) tool_say(t, "warning: labels of %zu rows are from a disturbed machine", rows->disturbed);
  for (size_t i = 0; i < SC_COUNT_OF(out); i++)
    if (out[i].n) tool_say(t, "left out: %zu rows that %s", out[i].n, out[i].why);
}

static sc_status train_in_core(tool *t, const sc_dataset *dataset, const sc_rows_options *how,
                               const sc_train_options *to, sc_model **model) {
  sc_rows rows;
  SC_TRY(sc_rows_build(t->arena, t->library, dataset, how, &rows, &t->err));
  train_say_rows(t, &rows);
  return sc_model_train(&rows, to, model, &t->err);
}

/* `dataset` holds all rows; out of core it is NULL. */
static sc_status train(tool *t, const struct train_options *o, int n, char **paths, const sc_model *base,
                       const sc_dataset *dataset, const sc_kernel_table *kernels) {
  const sc_rows_options how = {.passes = (int)o->passes,
                               .disturbed = o->disturbed,
                               .kernels = kernels,
                               .views = !o->out_of_core,
                               .forbid = o->forbid};
  const sc_train_options to = {.members = (int)o->members,
                               .trees = (int)o->trees,
                               .depth = (int)o->depth,
                               .eta = o->eta,
                               .min_child_weight = o->min_child_weight,
                               .subsample = o->subsample,
                               .colsample = o->colsample,
                               .seed = (uint64_t)o->seed,
                               .nthread = (int)o->threads,
                               .base = base,
                               .log = t->log};
  sc_model *model = NULL;
  sc_status status =
      o->out_of_core ? train_on_batches(t, n, paths, &how, &to, &model) : train_in_core(t, dataset, &how, &to, &model);
  if (status == SC_OK) status = sc_model_save(model, o->out, &t->err);
  if (status == SC_OK && o->json) {
    sc_model_card(model, true, &t->out);
    sc_str_add(&t->out, "\n");
  } else if (status == SC_OK) {
    sc_str_printf(&t->out, "%s: model %016llx; `show-sched %s` prints its card\n", o->out,
                  (unsigned long long)sc_model_hash(model), o->out);
  }
  sc_model_free(model);
  return status;
}

/* What stands there may be an older model; a dataset or a file of schedules named by mistake stays. */
static sc_status replaces_model(tool *t, const char *path) {
  struct stat st;
  if (stat(path, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size == 0) return SC_OK;
  FILE *f = fopen(path, "rb");
  const int first = f ? getc(f) : EOF;
  if (f) fclose(f);
  if (first == '{') return SC_OK;
  return sc_fail(&t->err, SC_FORMAT, "%s is there and no model, which begins with '{': it is not replaced", path);
}

static sc_status run(tool *t, const void *given, int n, char **operands) {
  const struct train_options *o = given;
  sc_dataset *dataset;
  sc_kernel_table *kernels = NULL;
  sc_model *base = NULL;
  if (!o->out) return tool_usage(t, "--out FILE is missing");
  if (o->base && o->out_of_core) return tool_usage(t, "--base corrects a model by rows that fit into memory");
  SC_TRY(tool_output(t, o->out));
  SC_TRY(replaces_model(t, o->out));
  SC_TRY(tool_library(t));
  SC_TRY(datasets_read(t, o->out_of_core ? 1 : n, operands, &dataset));
  sc_status status = o->base ? sc_model_load(o->base, &base, &t->err) : SC_OK;
  if (status == SC_OK) status = tool_kernels_of(t, o->machine, dataset, o->knowledge, &kernels);
  if (o->out_of_core) { /* it was opened to say of which machine it is */
    sc_dataset_close(dataset, NULL);
    dataset = NULL;
  }
  if (status == SC_OK) status = train(t, o, n, operands, base, dataset, kernels);
  sc_model_free(base);
  sc_kernel_table_free(kernels);
  sc_dataset_close(dataset, NULL);
  return status;
}

const verb verb_train = {
    .name = "train",
    .summary = "makes a model from datasets",
    .operands = "DATASET...",
    .details =
        "The model predicts how far the measured time is from the analytic one. Failed, simulated and stale rows are "
        "left out, rows of groups "
        "that belong to the evaluation are refused. The file holds the trees and a card that says what they "
        "were trained on; "
        "it is checked when it is loaded, and a model that does not belong to this program is refused. With --base the "
        "trees "
        "are added to those of another model, of another machine, compiler or number of threads, say: its cut points "
        "and "
        "its scale of errors stay, and the card names it. With --out-of-core tasks should not be spread over the "
        "datasets: each is read by itself, "
        "twice.",
    .example = "train-sched d.h5 --out host.xgb",
    .options = options,
    .options_size = sizeof(struct train_options),
    .min_operands = 1,
    .max_operands = -1,
    .run = run,
};
