/* Training by libxgboost (C API of 1.7); no other files than this one and xgb_rows.c know it. The number of threads is a
 * parameter of the booster: the environment is left alone. */
#include "predictor/xgb_internal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct sc_booster {
  BoosterHandle handle;
};

/* ---- training ---- */

static sc_status set_parameters(BoosterHandle b, const sc_boost_options *o, sc_error *err) {
  const struct {
    const char *name;
    double value;
  } number[] = {{"max_depth", o->depth},
                {"eta", o->eta / o->members},
                {"min_child_weight", o->min_child_weight},
                {"subsample", o->subsample},
                {"colsample_bytree", o->colsample},
                {"nthread", o->nthread},
                {"seed", (double)(o->seed & 0x7fffffff)},
                {"max_bin", 256},
                {"base_score", 0},
                {"verbosity", 0}};
  XGB(XGBoosterSetParam(b, "tree_method", "hist"));
  XGB(XGBoosterSetParam(b, "objective", "reg:squarederror"));
  for (size_t i = 0; i < SC_COUNT_OF(number); i++) {
    sc_str text = {0};
    sc_str_printf(&text, "%.9g", number[i].value);
    const int rc = XGBoosterSetParam(b, number[i].name, sc_str_text(&text));
    sc_str_free(&text);
    if (rc != 0) return sc_xgb_failed(err);
  }
  return SC_OK;
}

/* The number of label columns is the number of outputs; the gradients are ours, so their values do not matter. */
static sc_status set_outputs(DMatrixHandle matrix, size_t n, int ntargets, sc_error *err) {
  float *zero = calloc(n * (size_t)ntargets, sizeof *zero);
  if (zero == NULL) return sc_fail(err, SC_NOMEM, "out of memory for %zu labels", n);
  char interface[160];
  snprintf(interface, sizeof interface, "{\"data\":[%zu,true],\"shape\":[%zu,%d],\"typestr\":\"<f4\",\"version\":3}",
           (size_t)zero, n, ntargets);
  const int rc = XGDMatrixSetInfoFromInterface(matrix, "label", interface);
  free(zero);
  return rc == 0 ? SC_OK : sc_xgb_failed(err);
}

/* Gradient and hessian of one value under the current margin. The scale's hessian is its expectation. */
static void gradient(const sc_boost_target *target, float value, float margin, float *g, float *h) {
  *h = 1;
  if (target->kind == SC_BOOST_MEAN) *g = margin - value;
  else *g = 1 - fminf(fabsf(value) * expf(-(margin + target->offset)), 20);
}

/* What boosting works on; arrays of n rows times k outputs. */
typedef struct boosting {
  BoosterHandle booster;
  DMatrixHandle matrix;
  const sc_log *log;
  size_t n;
  int k, members, share /* a leaf is 1/share of what a booster alone would have */;
  float *g, *h, *before /* margins of the file before the last round */, *own /* of each member */;
} boosting;

/* The last round's trees were the member's. */
static void take_round(boosting *b, int member, const float *margin) {
  const size_t count = b->n * (size_t)b->k;
  float *own = b->own + (size_t)member * count;
  for (size_t i = 0; i < count; i++) own[i] += (float)b->share * (margin[i] - b->before[i]);
  memcpy(b->before, margin, count * sizeof *margin);
}

/* Where boosting begins: with a base each member sees what it says; of the trees of other members none sees anything. */
static sc_status start(boosting *b, bool base, bool others, sc_error *err) {
  static const char config[] =
      "{\"type\":1,\"training\":false,\"iteration_begin\":0,\"iteration_end\":0,\"strict_shape\":false}";
  const size_t count = b->n * (size_t)b->k;
  const bst_ulong *shape;
  bst_ulong dims;
  const float *margin;
  if (!base && !others) return SC_OK; /* all zero */
  XGB(XGBoosterPredictFromDMatrix(b->booster, b->matrix, config, &shape, &dims, &margin));
  memcpy(b->before, margin, count * sizeof *margin);
  for (int m = 0; base && m < b->members; m++) memcpy(b->own + (size_t)m * count, margin, count * sizeof *margin);
  return SC_OK;
}

static double tell(const boosting *b, int done, int all, double begin, double said) {
  const double now = sc_now_s();
  if (!b->log || done == 0 || now - said < 10) return said;
  sc_log_printf(b->log, SC_LOG_INFO, "%d of %d rounds%s, %.3g/s, %.0f s left", done, all,
                b->share > b->members ? " of this member" : "", done / (now - begin),
                (all - done) * (now - begin) / done);
  return now;
}

/* Several boosters in one file: rounds are dealt to the members in turn, each sees its own margins only, and the sum of
 * all trees is the mean of the members. */
static sc_status boost(boosting *b, const sc_boost_target *target, int rounds, sc_error *err) {
  static const char config[] =
      "{\"type\":1,\"training\":true,\"iteration_begin\":0,\"iteration_end\":0,\"strict_shape\":false}";
  const size_t count = b->n * (size_t)b->k;
  const double begin = sc_now_s();
  double said = begin;
  for (int round = 0; round < rounds * b->members; round++) {
    said = tell(b, round, rounds * b->members, begin, said);
    const int member = round % b->members, last = (round + b->members - 1) % b->members;
    const float *own = b->own + (size_t)member * count;
    const bst_ulong *shape;
    bst_ulong dims;
    const float *margin;
    XGB(XGBoosterPredictFromDMatrix(b->booster, b->matrix, config, &shape, &dims, &margin));
    take_round(b, last, margin);
    for (size_t i = 0; i < b->n; i++) {
      for (int t = 0; t < b->k; t++) {
        const size_t at = i * (size_t)b->k + (size_t)t;
        if (round / b->members < target[t].rounds && !isnan(target[t].value[i]))
          gradient(&target[t], target[t].value[i], own[at], &b->g[at], &b->h[at]);
        else b->g[at] = b->h[at] = 0;
      }
    }
    XGB(XGBoosterBoostOneIter(b->booster, b->matrix, b->g, b->h, count));
  }
  return SC_OK;
}

/* `members` boosters in turns on these rows, each a `share`-th of the model; `others`: there are trees of more. */
static sc_status train(BoosterHandle booster, DMatrixHandle matrix, size_t n, const sc_boost_target *target,
                       int ntargets, const sc_boost_options *options, int members, bool others, sc_error *err) {
  const size_t count = n * (size_t)ntargets;
  float *room = calloc(count, (3 + (size_t)members) * sizeof *room);
  if (room == NULL) return sc_fail(err, SC_NOMEM, "out of memory for %zu gradients", n);
  boosting b = {booster,      matrix,           options->log,    n, ntargets, members, options->members, room,
                room + count, room + 2 * count, room + 3 * count};
  sc_status status = start(&b, options->base_json != NULL, others, err);
  if (status == SC_OK) status = boost(&b, target, options->rounds, err);
  free(room);
  return status;
}

/* A booster for this many outputs, over the matrix. */
static sc_status open_booster(DMatrixHandle matrix, size_t n, int nfeatures, const char *const *names, int ntargets,
                              const sc_boost_options *options, sc_booster **out, sc_error *err) {
  sc_booster *booster = calloc(1, sizeof *booster);
  if (booster == NULL) return sc_fail(err, SC_NOMEM, "out of memory");
  *out = booster;
  SC_TRY(set_outputs(matrix, n, ntargets, err));
  if (names) XGB(XGDMatrixSetStrFeatureInfo(matrix, "feature_name", (const char **)names, (bst_ulong)nfeatures));
  XGB(XGBoosterCreate(&matrix, 1, &booster->handle));
  if (options->base_json) XGB(XGBoosterLoadModelFromBuffer(booster->handle, options->base_json, options->base_len));
  return set_parameters(booster->handle, options, err);
}

static sc_status round_leaves(sc_booster *booster, sc_error *err) {
  sc_str json = {0}, rounded = {0};
  sc_status status = sc_booster_json(booster, &json, err);
  if (status == SC_OK) status = sc_round_leaves(&json, &rounded, err);
  if (status == SC_OK && XGBoosterLoadModelFromBuffer(booster->handle, rounded.text, rounded.len) != 0)
    status = sc_xgb_failed(err);
  sc_str_free(&json);
  sc_str_free(&rounded);
  return status;
}

/* Hands the booster out, or frees it. */
static sc_status give(sc_status status, sc_booster *booster, sc_booster **out, sc_error *err) {
  if (status == SC_OK) status = round_leaves(booster, err);
  if (status == SC_OK) *out = booster;
  else sc_booster_free(booster);
  return status;
}

sc_status sc_booster_train(const uint8_t *bins, size_t n, int nfeatures, const char *const *names,
                           const sc_boost_target *target, int ntargets, const sc_boost_options *options,
                           sc_booster **out, sc_error *err) {
  DMatrixHandle matrix;
  sc_booster *booster = NULL;
  SC_TRY(sc_xgb_matrix(bins, n, nfeatures, &matrix, err));
  sc_status status = open_booster(matrix, n, nfeatures, names, ntargets, options, &booster, err);
  if (status == SC_OK)
    status = train(booster->handle, matrix, n, target, ntargets, options, options->members, false, err);
  XGDMatrixFree(matrix);
  return give(status, booster, out, err);
}

/* The targets of a member's rows, in their order; values[ntargets * n]. */
static size_t gather_targets(const sc_feeding *f, const sc_boost_target *target, int ntargets, float *values,
                             sc_boost_target *own, size_t n) {
  size_t at = 0;
  for (size_t i = f->first, rows; (rows = sc_parts_rows(f->parts, i)) > 0; i += f->members, at += rows) {
    for (int t = 0; values && t < ntargets; t++)
      memcpy(values + (size_t)t * n + at, target[t].value + i * f->parts->each, rows * sizeof *values);
  }
  for (int t = 0; values && t < ntargets; t++) {
    own[t] = target[t];
    own[t].value = values + (size_t)t * n;
  }
  return at;
}

static sc_status train_member(sc_feeding *f, const char *const *names, const sc_boost_target *target, int ntargets,
                              const sc_boost_options *options, sc_booster **booster, sc_error *err) {
  sc_boost_target own[8];
  DMatrixHandle matrix;
  const size_t n = gather_targets(f, target, ntargets, NULL, own, 0);
  SC_ASSERT(n > 0 && ntargets > 0 && ntargets <= (int)SC_COUNT_OF(own));
  float *values = malloc(n * (size_t)ntargets * sizeof *values);
  if (!values) return sc_fail(err, SC_NOMEM, "out of memory for %zu rows", n);
  gather_targets(f, target, ntargets, values, own, n);
  sc_status status = sc_xgb_quantile_matrix(f, options->nthread, &matrix, err);
  if (status == SC_OK) {
    const bool others = *booster != NULL;
    if (others) status = set_outputs(matrix, n, ntargets, err);
    else status = open_booster(matrix, n, f->nfeatures, names, ntargets, options, booster, err);
    if (status == SC_OK) status = train((*booster)->handle, matrix, n, own, ntargets, options, 1, others, err);
    XGDMatrixFree(matrix);
  }
  free(values);
  return status;
}

sc_status sc_booster_train_parts(const sc_bin_parts *parts, int nfeatures, const char *const *names,
                                 const sc_boost_target *target, int ntargets, const sc_boost_options *options,
                                 sc_booster **out, sc_error *err) {
  const size_t members = (size_t)options->members;
  sc_booster *booster = NULL;
  sc_status status = SC_OK;
  SC_ASSERT((members - 1) * parts->each < parts->n); /* a part for each */
  for (size_t m = 0; m < members && status == SC_OK; m++) {
    sc_feeding f = {.parts = parts, .first = m, .members = members, .next = m, .nfeatures = nfeatures, .err = err};
    status = train_member(&f, names, target, ntargets, options, &booster, err);
  }
  return give(status, booster, out, err);
}

void sc_booster_free(sc_booster *booster) {
  if (booster && booster->handle) XGBoosterFree(booster->handle);
  free(booster);
}

/* ---- files ---- */

sc_status sc_booster_set(sc_booster *booster, const char *key, const char *value, sc_error *err) {
  XGB(XGBoosterSetAttr(booster->handle, key, value));
  return SC_OK;
}

sc_status sc_booster_json(sc_booster *booster, sc_str *json, sc_error *err) {
  bst_ulong len;
  const char *text; /* XGBoost's, until the next call */
  XGB(XGBoosterSaveModelToBuffer(booster->handle, "{\"format\":\"json\"}", &len, &text));
  sc_str_addn(json, text, len);
  return json->failed ? sc_fail(err, SC_NOMEM, "out of memory for a model of %zu bytes", (size_t)len) : SC_OK;
}

/* ---- prediction, to check ours ---- */

static sc_status predict(BoosterHandle b, DMatrixHandle matrix, int type, float *out, size_t count, sc_error *err) {
  char config[128];
  snprintf(config, sizeof config,
           "{\"type\":%d,\"training\":false,\"iteration_begin\":0,\"iteration_end\":0,\"strict_shape\":true}", type);
  const bst_ulong *shape;
  bst_ulong dims, have = 1;
  const float *values;
  XGB(XGBoosterPredictFromDMatrix(b, matrix, config, &shape, &dims, &values));
  for (bst_ulong i = 0; i < dims; i++) have *= shape[i];
  if (have != count)
    return sc_fail(err, SC_EXTERNAL, "libxgboost: %zu predictions where %zu were expected", (size_t)have, count);
  memcpy(out, values, count * sizeof *out);
  return SC_OK;
}

static sc_status predict_shap(BoosterHandle b, DMatrixHandle matrix, size_t n, int nfeatures, int noutputs, float *shap,
                              int output, sc_error *err) {
  const size_t row = (size_t)nfeatures + 1, count = n * row * (size_t)noutputs;
  float *all = malloc(count * sizeof *all);
  if (all == NULL) return sc_fail(err, SC_NOMEM, "out of memory");
  const sc_status status = predict(b, matrix, 2, all, count, err);
  for (size_t i = 0; status == SC_OK && i < n; i++) {
    memcpy(shap + i * row, all + (i * (size_t)noutputs + (size_t)output) * row, row * sizeof *shap);
  }
  free(all);
  return status;
}

sc_status sc_booster_margins(const char *json, size_t len, const uint8_t *bins, size_t n, int nfeatures, int noutputs,
                             float *margin, float *shap, int shap_output, sc_error *err) {
  DMatrixHandle matrix = NULL;
  BoosterHandle b = NULL;
  sc_status status = sc_xgb_matrix(bins, n, nfeatures, &matrix, err);
  if (status == SC_OK && XGBoosterCreate(NULL, 0, &b) != 0) status = sc_xgb_failed(err);
  if (status == SC_OK && XGBoosterLoadModelFromBuffer(b, json, len) != 0) status = sc_xgb_failed(err);
  if (status == SC_OK) status = predict(b, matrix, 1, margin, n * (size_t)noutputs, err);
  if (status == SC_OK && shap) status = predict_shap(b, matrix, n, nfeatures, noutputs, shap, shap_output, err);
  if (b) XGBoosterFree(b);
  if (matrix) XGDMatrixFree(matrix);
  return status;
}
