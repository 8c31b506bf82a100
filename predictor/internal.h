/* Inside the predictor: cut points, one trained fit, intervals, the card, the model. */
#ifndef SC_PREDICTOR_INTERNAL_H
#define SC_PREDICTOR_INTERNAL_H

#include "predictor/forest.h"
#include "predictor/predictor.h"
#include "predictor/xgb.h"

/* ---- cuts.c: features -> bins ---- */

/* bin = number of the feature's cuts that are <= value: 0 .. 254. */
typedef struct sc_cuts {
  uint8_t count[SC_FEATURE_COUNT]; /* <= 254 */
  float at[SC_FEATURE_COUNT][256]; /* ascending, then infinity: a search over 256 places needs no bounds */
} sc_cuts;
/* Cut points between the values that rows `index[n]` take: all of them, or 254 at equal steps of their ranks. */
bool sc_cuts_fit(const float *features, const uint32_t *index, size_t n, sc_cuts *cuts);
void sc_cuts_bins(const sc_cuts *cuts, const float *rows, size_t n, uint8_t *bins); /* row-major */
/* One block of at most SC_FOREST_BLOCK rows, feature-major; only features with used[i] set. */
void sc_cuts_block(const sc_cuts *cuts, const float *rows, size_t n, const bool *used,
                   uint8_t (*bins)[SC_FOREST_BLOCK]);

/* ---- views.c ---- */

sc_status sc_rows_add_views(sc_arena *arena, const sc_library *library, const sc_kernel_table *kernels, sc_rows *rows,
                            sc_error *err);
/* The row that a number of a row or view stands for. */
static inline uint32_t sc_row_of(const sc_rows *rows, size_t i) {
  return i < rows->n ? (uint32_t)i : rows->view_of[i - rows->n];
}

/* ---- fit_analytic.c ---- */

/* Non-negative coefficients that make sum(coefficient x term) / time nearest to 1 over rows index[n]. */
void sc_analytic_fit_rows(const sc_rows *rows, const uint32_t *index, size_t n, sc_analytic_fit *fit);

/* ---- interval.c ---- */

enum { SC_MAX_CLASSES = 16 };
/* Times lie in T * [exp(-low * scale), exp(high * scale)], where scale is what the second output says. */
typedef struct sc_quantiles {
  char name[SC_NAME]; /* operator, or "pooled" */
  uint32_t groups;
  double low, high; /* of all schedules */
  double picked_low, picked_high; /* of the ten that a model likes best of a task */
} sc_quantiles;
typedef struct sc_intervals {
  double log_scale; /* what the second output is relative to */
  int n; /* the first is pooled */
  sc_quantiles at[SC_MAX_CLASSES + 1];
} sc_intervals;
/* Scores: residual / scale out of fold; predicted: out-of-fold times. Groups weigh alike. */
sc_status sc_intervals_calibrate(const sc_rows *rows, const uint32_t *index, size_t n, const double *score,
                                 const double *predicted_s, sc_intervals *intervals, sc_error *err);
const sc_quantiles *sc_intervals_find(const sc_intervals *intervals, const char *op);
/* The largest of all classes, each. */
sc_quantiles sc_intervals_widest(const sc_intervals *intervals);

/* ---- fit.c: one residual model over some rows ---- */

typedef struct sc_fit {
  sc_analytic_fit analytic;
  sc_cuts cuts;
  sc_forest forest;
} sc_fit;
typedef struct sc_fit_options {
  sc_boost_options boost;
  int scale_rounds;
  const sc_model *base; /* NULL = none */
} sc_fit_options;
/* Defaults in the place of zeros. */
sc_status sc_fit_options_of(const sc_train_options *options, sc_fit_options *out, sc_error *err);
/* Trains on rows index[n], which may be views too; abs_residual by row and view (NULL = none) adds the second output,
 * relative to log_scale. The booster is handed out when asked for. */
sc_status sc_fit_train(const sc_rows *rows, const uint32_t *index, size_t n, const sc_fit_options *options,
                       const float *abs_residual, double log_scale, sc_fit *fit, sc_booster **booster, sc_error *err);
/* A booster of the second output alone, over the cuts of `fit`. */
sc_status sc_fit_scale(const sc_fit *fit, const sc_rows *rows, const uint32_t *index, size_t n,
                       const sc_fit_options *options, const float *abs_residual, double log_scale, sc_forest *forest,
                       sc_error *err);
void sc_fit_free(sc_fit *fit);
double sc_fit_analytic_s(const sc_analytic_fit *fit, const sc_analytic *terms);
/* margin[n * forest->noutputs] of rows index[n]. */
sc_status sc_fit_margins(const sc_cuts *cuts, const sc_forest *forest, const sc_rows *rows, const uint32_t *index,
                         size_t n, float *margin, sc_error *err);

/* ---- folds.c: out-of-fold predictions ---- */

typedef struct sc_oof {
  int nfolds, nscored; /* the first so many are scored */
  bool within_group; /* the rows are of one group: folds hold schedules of it */
  uint8_t *fold; /* of each row */
  double trained_rows, trained_groups; /* mean over the scored folds */
  /* By row, then by view. */
  double *predicted_s, *analytic_s; /* by models that never saw the row's group */
  float *abs_residual; /* |log(time / predicted)| */
  double *scale; /* of the residual, out of fold as well; 0 without intervals */
  double log_scale; /* log of the mean of abs_residual */
} sc_oof;
enum { SC_MAX_FOLDS = 64 };
/* Folds by group (at most 10), or by network. A model never sees a group of the rows that it is asked about, except
 * where there is only one. */
sc_status sc_oof_run(const sc_rows *rows, sc_holdout holdout, const sc_train_options *options, sc_oof *oof,
                     sc_error *err);
/* Folds by group, with scales, whatever the options say of intervals: what a model is calibrated on. */
sc_status sc_oof_calibrated(const sc_rows *rows, const sc_train_options *options, sc_oof *oof, sc_error *err);
void sc_oof_free(sc_oof *oof);

/* ---- explain.c ---- */

typedef struct sc_push {
  int feature;
  double effect; /* on log time */
} sc_push;
/* The `top` largest in words, sorted. */
void sc_explain_pushes(const sc_task *task, const float *row, sc_push *pushes, int top, sc_str *out);

/* ---- the model ---- */

enum { SC_GOLDEN_ROWS = 8, SC_RANGED = SC_FEATURE_padding_share + 1 };

typedef struct sc_card {
  uint64_t schema, trees, data;
  uint64_t base; /* hash of the model that the last trees were added to, 0 = none */
  uint32_t sample; /* rows that cut points, intervals and scores are of, 0 = all */
  char version[24];
  sc_machine machine;
  sc_boost_options boost;
  int scale_rounds;
  sc_analytic_fit analytic;
  sc_intervals intervals;
  uint32_t rows, tasks, ngroups, passes, disturbed /* rows with labels of disturbed passes */, kernel_facts;
  uint64_t *group; /* hashes of the training groups, ascending */
  float lowest[SC_RANGED], highest[SC_RANGED]; /* ranges of the workload features of the training rows */
  double top1, pairs, mape; /* out of fold, when it was trained */
  uint32_t ngolden;
  uint8_t golden_bins[SC_GOLDEN_ROWS][SC_FEATURE_COUNT];
  float golden_margin[SC_GOLDEN_ROWS][SC_FOREST_OUTPUTS];
} sc_card;

struct sc_model {
  sc_arena *arena;
  sc_card card;
  sc_cuts cuts;
  sc_forest forest;
  bool used[SC_FEATURE_COUNT];
  uint64_t fingerprint; /* of the card's machine */
  uint64_t hash;
  char *json;
  size_t json_len;
};

/* How far the model's intervals reach for an operator on a machine. */
typedef struct sc_reach {
  sc_quantiles q;
  bool foreign; /* the machine is not the card's */
} sc_reach;
sc_reach sc_model_reach(const sc_model *model, const char *op, const sc_machine *machine);
/* Margins of one row into a prediction. */
void sc_predict_row(const sc_model *model, const sc_reach *reach, const float *row, const sc_analytic *terms,
                    float residual, float log_scale, bool selected, sc_prediction *out);

#endif
