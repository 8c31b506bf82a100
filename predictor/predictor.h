/* predictor: XGBoost models of log T - log T_analytic, with a card that says all one must know to trust them: schema,
 * machine, label, training set, groups, split, scores, interval calibration, golden rows. Methods: docs/model.md. */
#ifndef SC_PREDICTOR_H
#define SC_PREDICTOR_H

#include "dataset/dataset.h"
#include "featurize/featurize.h"
#include "sampler/sampler.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- rows: a dataset made ready ----------------------------------------------------------------------------- */

/* Features, labels and groups of the usable rows of a dataset (ran, enough passes, not stale). */
typedef struct sc_rows {
  size_t n, skipped_simulated, skipped_failed, skipped_passes, skipped_stale,
      skipped_foreign /* of another machine than the first, or measured in another way */,
      skipped_elsewhere /* in another boot than most of their task, or another shard than most of their passes */,
      skipped_forbidden /* of a group that evaluation keeps */,
      skipped_illegal /* no longer a task or legal schedule */;
  float *features; /* n x SC_FEATURE_COUNT, views behind them */
  double *time_s /* labels, views behind them */, *analytic_s; /* analytic times by the machine file alone */
  sc_analytic *analytic; /* their terms, from which training fits coefficients; views behind them */
  /* More views of some rows, with less known of their kernels, as far as some is, that training sees too. */
  size_t nviews;
  uint32_t *view_of; /* row of each view */
  bool *forbidden; /* of a group that evaluation keeps: only with keep_forbidden */
  bool *development; /* of each network: data/corpus/development.txt lists it; NULL = none */
  uint32_t *task, *group, *network; /* indices into the names */
  const sc_record **record;
  size_t ntasks, ngroups, nnetworks;
  const char **task_name, **group_name, **network_name;
  double *half_a_s, *half_b_s; /* labels from the odd and the even passes; 0 = one pass only */
  sc_machine machine;
  uint32_t harness_abi; /* how all were measured */
  int passes; /* that labels are made of; more in tasks whose rows all have more */
  size_t kernel_facts; /* entries of the kernel table that the features were made with */
  size_t disturbed; /* rows whose label a disturbed pass is part of: 0 unless asked for */
} sc_rows;
typedef struct sc_rows_options {
  int passes; /* 0 = 3 or as many as nine of ten rows have, more in tasks whose rows all have more */
  bool disturbed; /* passes marked invalid count too: for a machine that is never quiet; the card says how many rows */
  const sc_kernel_table *kernels; /* NULL = none */
  bool views; /* of every third row one more, in which some or all of these kernels are not known: for training */
  /* Path of the table task -> network; NULL = data/corpus/networks.txt. Tasks not in it are a network of their own. */
  const char *networks;
  /* Path of the evaluation tasks, in the same form, whose groups training must not see; NULL =
   * data/corpus/evaluation.txt. */
  const char *forbid;
  bool keep_forbidden; /* for evaluation: such rows are kept and marked, and sc_model_train refuses the lot */
} sc_rows_options;
sc_status sc_rows_build(sc_arena *arena, const sc_library *library, const sc_dataset *dataset,
                        const sc_rows_options *options, sc_rows *rows, sc_error *err);

/* What features of a group (sc_feature_info) are worth: makes them 0 in all rows. SC_USAGE: no such group. */
sc_status sc_rows_without(sc_rows *rows, const char *group, sc_error *err);

/* The rows of one dataset after another, of which only the last stays. Begin with zeros. */
typedef struct sc_rows_file {
  sc_rows rows;
  sc_dataset *dataset;
  sc_arena *arena;
} sc_rows_file;
/* Closes what is there first. */
sc_status sc_rows_open(const sc_library *library, const char *path, const sc_rows_options *options, sc_rows_file *file,
                       sc_error *err);
void sc_rows_close(sc_rows_file *file);

/* ---- models ------------------------------------------------------------------------------------------------- */

typedef struct sc_model sc_model;
enum { SC_MOST_TREES = 32768 /* of all members */, SC_MOST_DEPTH = 8, SC_MOST_MEMBERS = 16 };
/* SC_USAGE where one is out of its range. */
typedef struct sc_train_options {
  int members; /* boosters that differ in what they draw, whose mean is the model; 0 = 4, at most SC_MOST_MEMBERS */
  int trees, depth; /* of each; 0 = 250, 6 */
  double eta, subsample, colsample; /* 0 = 0.1, 0.7, 0.5; at most 1 */
  double min_child_weight; /* 0 = 2 */
  /* The trees are added to those of this model, for a machine or a task that it does not know well: its cut points and
   * its scale of errors stay, the analytic coefficients too on its own machine. Then 0 = 1 member, 60 trees, depth 4, colsample 0.3.
   * NULL = none. */
  const sc_model *base;
  double share; /* train on so many of the groups that may be seen, chosen by the seed: learning curves; 0 = 1 */
  bool quick; /* with a base: its intervals and scores stay as well, nothing is held out; two rows are enough */
  /* Of sc_evaluate: only the folds that are scored are trained, half the work or less. Training makes intervals anyway. */
  bool no_intervals;
  size_t sample; /* of sc_model_train_batches; 0 = 200 000 */
  uint64_t seed;
  int nthread; /* 0 = all */
  sc_log log;
} sc_train_options;
/* SC_UNSUPPORTED: too few rows. */
sc_status sc_model_train(const sc_rows *rows, const sc_train_options *options, sc_model **model, sc_error *err);
/* Training on rows that come in batches, for more than memory holds: read(i), 0 <= i < n, is called for each of them
 * once or twice, what it returns stays until the next call. All are of one machine and of labels of as many passes. A sample of whole tasks, at most options->sample rows, gives cut points,
 * coefficients, intervals and scores, which the card says; the trees see all rows, but those of one member only every
 * members-th part of them. Bins go to a file in TMPDIR (default /var/tmp). Memory: 2 SC_FEATURE_COUNT + 100 bytes per
 * row of one member's share, 8 per row, the largest batch, the sample. Equal seeds and nthread give equal models. Views are not made. Where the sample holds all rows it is sc_model_train. */
typedef struct sc_row_batches {
  size_t n;
  sc_status (*read)(void *user, size_t i, const sc_rows **rows, sc_error *err);
  void *user;
} sc_row_batches;
sc_status sc_model_train_batches(const sc_row_batches *batches, const sc_train_options *options, sc_model **model,
                                 sc_error *err);
sc_status sc_model_save(const sc_model *model, const char *path, sc_error *err);
/* Refuses what does not belong: schema, cut points, version, hash of the trees, golden rows (SC_MISMATCH,
 * SC_FORMAT). */
sc_status sc_model_load(const char *path, sc_model **model, sc_error *err);
/* From the text of a file; `where` names it in errors. */
sc_status sc_model_read(const char *where, const char *text, size_t len, sc_model **model, sc_error *err);
void sc_model_free(sc_model *model);
const sc_machine *sc_model_machine(const sc_model *model);
uint64_t sc_model_hash(const sc_model *model);
bool sc_model_saw(const sc_model *model, const char *group); /* was a task of this group key trained on? */
void sc_model_card(const sc_model *model, bool json, sc_str *out); /* for people, or for programs */

/* Appends the model as one C99 file without dependencies, whose functions begin with `name` (docs/model.md); its margins
 * are ours to the last bit. */
sc_status sc_model_emit_c(const sc_model *model, const char *name, sc_str *out, sc_error *err);
/* Compares the fast forest with libxgboost on `rows` random rows; SC_MISMATCH when a bit differs. (What loading checks, a
 * loaded model has passed.) */
sc_status sc_model_verify(const sc_model *model, size_t rows, uint64_t seed, sc_error *err);

typedef struct sc_prediction {
  double time_s, low_s, high_s; /* 90 % interval */
  double analytic_s;
  bool extrapolates; /* the task lies outside the range of the training groups, or the model is foreign: the interval is
                        widened */
  bool foreign; /* the model is of another machine than the target's: its interval is calibrated for neither */
  uint8_t knowledge; /* 0 machine file only, 1 static facts of kernels, 2 measured kernel rates */
} sc_prediction;
const char *sc_knowledge_text(int knowledge);
/* n nests of one task. `selected`: they were picked by this model, and have an interval of their own, calibrated on
 * what a model likes best: it leans to the slow side, and where the best are predicted well it is the narrower one. */
sc_status sc_model_predict(const sc_model *model, const sc_task *task, const sc_nest *nests, size_t n,
                           const sc_target *target, bool selected, sc_prediction *out, sc_error *err);

/* Why: the features that pushed the prediction, in words and units. `selected` as for the prediction explained. */
sc_status sc_model_explain(const sc_model *model, const sc_task *task, const sc_nest *nest, const sc_target *target,
                           bool selected, int top, sc_str *out, sc_error *err);

enum { SC_MOST_PICKS = 4096 };
typedef struct sc_pick {
  sc_schedule schedule;
  sc_prediction prediction;
} sc_pick;
typedef struct sc_pick_options {
  size_t scan; /* schedules to look at; 0 = 1 000 000 */
  uint64_t seed;
  int nthread; /* 0 = all cores, at most 16; the picks do not depend on it */
} sc_pick_options;
typedef struct sc_pick_effort {
  size_t scanned; /* distinct schedules whose analytic time, as the model has fitted it, was compared with a limit */
  size_t predicted; /* those of them, and neighbours of the best, that also went through the trees */
  double seconds;
} sc_pick_effort;
/* The `k` (1 to SC_MOST_PICKS) schedules of smallest predicted time in a scan of the space, of all of it when it holds no
 * more than `scan`, and a walk downhill from the best (docs/model.md). options and effort may be NULL. */
sc_status sc_model_pick(const sc_model *model, const sc_space_bound *space, const sc_task *task,
                        const sc_target *target, const sc_pick_options *options, int k, sc_pick *picks,
                        sc_pick_effort *effort, sc_error *err);

/* ---- evaluation --------------------------------------------------------------------------------------------- */

typedef struct sc_metric {
  double value, low, high; /* 95 %, cluster bootstrap by group; NAN when fewer than two groups have a value */
} sc_metric;
typedef struct sc_scores {
  char name[SC_NAME]; /* model, analytic, random, re-measured */
  sc_metric top1, top5, regret1, pairs, tau, mape, shard_mape, coverage, half_width, top1_p5;
} sc_scores;
/* Of the tasks of one kind: an operator, tasks of few rows, a network; or of all tasks by the draws of one kind. */
typedef struct sc_part_scores {
  char name[SC_NAME];
  size_t tasks, groups;
  sc_metric top1, pairs, mape, regret_ratio /* model / analytic, paired */;
} sc_part_scores;
enum { SC_MAX_PARTS = 96, SC_FEW_ROWS = 8 };
typedef struct sc_evaluation {
  size_t rows, tasks, groups, networks; /* that are scored */
  double trained_rows, trained_groups; /* mean over the folds, 0 with a model */
  sc_scores model, analytic, random, remeasured;
  sc_metric regret_ratio; /* model / analytic, paired */
  int nparts;
  /* Operators, "few rows" (at most SC_FEW_ROWS), draws, networks of several tasks; what goes beyond is left out. */
  sc_part_scores part[SC_MAX_PARTS];
} sc_evaluation;
typedef enum sc_holdout {
  SC_HOLDOUT_GROUP /* 10 folds */,
  SC_HOLDOUT_NETWORK /* leave one out */,
  SC_HOLDOUT_DEVELOPMENT /* leave one development network out, score these alone */,
  SC_HOLDOUT_NONE /* the rows are unseen */
} sc_holdout;
/* What was predicted, and how good that was for each task: arrays of the caller's, NULL = not
 * wanted. By row, 0 where it is not scored or has no interval; by task, NAN. */
typedef struct sc_evaluated {
  double *time_s, *low_s, *high_s;
  double *regret, *analytic_regret; /* regret@1 */
  double *pool, *best_s; /* schedules of the task that are scored: draws; the least of their times */
  double *place, *analytic_place; /* of the predicted best by true time, 1 = the fastest */
} sc_evaluated;
/* `model` is used only with SC_HOLDOUT_NONE. evaluated may be NULL. SC_UNSUPPORTED: too few rows, or nothing to hold
 * out. */
sc_status sc_evaluate(const sc_rows *rows, sc_holdout holdout, const sc_model *model, const sc_train_options *options,
                      sc_evaluation *out, const sc_evaluated *evaluated, sc_error *err);
/* As text the parts only when asked for; JSON has them always. */
void sc_evaluation_print(const sc_evaluation *evaluation, bool json, bool parts, sc_str *out);

/* How a model of one machine serves another. */
typedef struct sc_transfer_scores {
  sc_metric top1, pairs, mape;
  sc_metric of_native; /* its top-1 over the native model's, paired */
} sc_transfer_scores;
typedef struct sc_transfer {
  size_t few;
  sc_transfer_scores native /* trained on the target's rows */, corrected /* a base, by `few` rows of the target */,
      untouched /* a base; of the target its machine file and kernel table alone */;
} sc_transfer;
/* `source` are rows of the other machine, on which bases are trained; no model has seen a group that it predicts. few >= 2;
 * options of all models, not NULL. SC_UNSUPPORTED: fewer than two groups of the target, or no rows of other groups. */
sc_status sc_transfer_evaluate(const sc_rows *target, const sc_rows *source, size_t few,
                               const sc_train_options *options, sc_transfer *out, sc_error *err);

/* What a method picked for a task; its time is that of the row of this nest. */
typedef struct sc_method_pick {
  int method;
  const char *task;
  uint64_t nest; /* sc_nest_hash */
} sc_method_pick;
typedef struct sc_method_score {
  size_t tasks, missing; /* that have a time; picks that have none */
  sc_metric reached; /* least time of all rows of the task / time of the pick, mean over tasks */
  sc_metric within2, within5; /* share of the tasks where that is at least 0.98, 0.95 */
  double least; /* over the tasks */
} sc_method_score;
enum { SC_METHOD_DRAWS = 3 };
/* Compares nmethods methods by what was measured (each over the tasks that it has a measured pick of), and beside them 1, 10 and 100 random draws, in expectation, where a
 * task has 200 uniform draws among its rows. */
sc_status sc_methods_compare(const sc_rows *rows, const sc_method_pick *pick, size_t npicks, int nmethods,
                             uint64_t seed, sc_method_score *method, sc_method_score draws[SC_METHOD_DRAWS],
                             sc_error *err);

#ifdef __cplusplus
}
#endif
#endif
