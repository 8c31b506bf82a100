/* One residual model: coefficients of the analytic time, cut points, trees. All three see the given rows and no
 * others. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "predictor/internal.h"

static bool is_share(double x) { return x >= 0 && x <= 1; }

sc_status sc_fit_options_of(const sc_train_options *o, sc_fit_options *out, sc_error *err) {
  const bool added = o->base != NULL; /* to a base: a few rows correct it */
  const int members = o->members > 0 ? o->members : added ? 1 : 4, trees = o->trees > 0 ? o->trees : added ? 60 : 250;
  if (o->members < 0 || members > SC_MOST_MEMBERS || o->trees < 0 || trees > SC_MOST_TREES / members)
    return sc_fail(err, SC_USAGE, "%d members of %d trees: up to %d members can be had, together up to %d trees",
                   o->members < 0 ? o->members : members, o->trees < 0 ? o->trees : trees, SC_MOST_MEMBERS,
                   SC_MOST_TREES);
  if (o->depth < 0 || o->depth > SC_MOST_DEPTH)
    return sc_fail(err, SC_USAGE, "trees of depth %d: up to %d can be had", o->depth, SC_MOST_DEPTH);
  if (!is_share(o->eta) || !is_share(o->subsample) || !is_share(o->colsample))
    return sc_fail(err, SC_USAGE, "eta %g, subsample %g, colsample %g: each lies between 0 and 1", o->eta, o->subsample,
                   o->colsample);
  if (!is_share(o->share)) return sc_fail(err, SC_USAGE, "a share of %g of the groups", o->share);
  if (!(o->min_child_weight >= 0 && o->min_child_weight < INFINITY))
    return sc_fail(err, SC_USAGE, "min_child_weight %g is no weight", o->min_child_weight);
  *out = (sc_fit_options){.boost = {.members = members,
                                    .rounds = trees,
                                    .depth = o->depth > 0 ? o->depth
                                             : added      ? 4
                                                          : 6,
                                    .nthread = 1, /* boosters run side by side instead */
                                    .eta = o->eta > 0 ? o->eta : 0.1,
                                    .min_child_weight = o->min_child_weight > 0 ? o->min_child_weight : 2,
                                    .subsample = o->subsample > 0 ? o->subsample : 0.7,
                                    .colsample = o->colsample > 0 ? o->colsample
                                                 : added          ? 0.3
                                                                  : 0.5,
                                    .seed = o->seed},
                          .base = o->base};
  out->scale_rounds = added ? 0 : out->boost.rounds < 60 ? out->boost.rounds : 60;
  if (added) {
    out->boost.base_json = o->base->json;
    out->boost.base_len = o->base->json_len;
  }
  return SC_OK;
}

void sc_fit_free(sc_fit *fit) { sc_forest_free(&fit->forest); }

double sc_fit_analytic_s(const sc_analytic_fit *fit, const sc_analytic *terms) {
  sc_analytic t = *terms;
  sc_analytic_combine(fit, &t);
  return t.time_s;
}

/* Bins of rows index[n], gathered. NULL when out of memory. */
static uint8_t *gather_bins(const sc_cuts *cuts, const sc_rows *rows, const uint32_t *index, size_t n) {
  uint8_t *bins = malloc((n ? n : 1) * SC_FEATURE_COUNT);
  for (size_t i = 0; bins && i < n; i++) {
    sc_cuts_bins(cuts, rows->features + (size_t)index[i] * SC_FEATURE_COUNT, 1, bins + i * SC_FEATURE_COUNT);
  }
  return bins;
}

/* Trains over the rows' bins and reads the trees back. */
static sc_status grow(const sc_cuts *cuts, const sc_rows *rows, const uint32_t *index, size_t n,
                      const sc_boost_target *target, int k, const sc_boost_options *options, sc_forest *forest,
                      sc_booster **out, sc_error *err) {
  const char *names[SC_FEATURE_COUNT];
  for (int f = 0; f < SC_FEATURE_COUNT; f++) names[f] = sc_feature_at(f)->name;
  uint8_t *bins = gather_bins(cuts, rows, index, n);
  if (bins == NULL) return sc_fail(err, SC_NOMEM, "out of memory for %zu rows", n);
  sc_booster *booster = NULL;
  sc_str json = {0};
  sc_booster_head head;
  sc_status status = sc_booster_train(bins, n, SC_FEATURE_COUNT, names, target, k, options, &booster, err);
  if (status == SC_OK) status = sc_booster_json(booster, &json, err);
  if (status == SC_OK) status = sc_forest_read("the new model", json.text, json.len, &head, forest, NULL, NULL, err);
  sc_str_free(&json);
  free(bins);
  if (status == SC_OK && out) *out = booster;
  else sc_booster_free(booster);
  return status;
}

/* The analytic time that, with what the base says beside it, comes nearest to these times. Of few rows one factor for
 * all coefficients is asked, not each of them. */
static sc_status fit_beside(const sc_rows *rows, const uint32_t *index, size_t n, const sc_model *base,
                            sc_analytic_fit *fit, sc_error *err) {
  enum { FEW = 50 };
  float *margin = malloc(SC_FOREST_OUTPUTS * n * sizeof *margin);
  double *time_s = malloc((rows->n + rows->nviews) * sizeof *time_s), sum = 0;
  sc_status status = margin && time_s ? SC_OK : sc_fail(err, SC_NOMEM, "out of memory for %zu rows", n);
  if (status == SC_OK) status = sc_fit_margins(&base->cuts, &base->forest, rows, index, n, margin, err);
  *fit = base->card.analytic;
  for (size_t i = 0; i < n && status == SC_OK; i++) {
    const double beside = rows->time_s[index[i]] / exp((double)margin[SC_FOREST_OUTPUTS * i]);
    time_s[index[i]] = beside;
    sum += log(beside / sc_fit_analytic_s(fit, &rows->analytic[index[i]]));
  }
  double *const coefficient[] = {&fit->compute, &fit->kernel,   &fit->l2,   &fit->l3,
                                 &fit->memory,  &fit->conflict, &fit->pack, &fit->overhead};
  for (size_t k = 0; k < SC_COUNT_OF(coefficient) && n && status == SC_OK; k++) *coefficient[k] *= exp(sum / (double)n);
  if (n >= FEW && status == SC_OK) {
    sc_rows beside = *rows;
    beside.time_s = time_s;
    sc_analytic_fit_rows(&beside, index, n, fit);
  }
  free(margin);
  free(time_s);
  return status;
}

sc_status sc_fit_train(const sc_rows *rows, const uint32_t *index, size_t n, const sc_fit_options *options,
                       const float *abs_residual, double log_scale, sc_fit *fit, sc_booster **booster, sc_error *err) {
  const sc_model *base = options->base;
  memset(&fit->forest, 0, sizeof fit->forest);
  if (base && sc_machine_fingerprint(&base->card.machine) == sc_machine_fingerprint(&rows->machine))
    fit->analytic = base->card.analytic;
  else if (base) SC_TRY(fit_beside(rows, index, n, base, &fit->analytic, err));
  else sc_analytic_fit_rows(rows, index, n, &fit->analytic);
  float *label = malloc(2 * (n ? n : 1) * sizeof *label), *scale = label + n;
  if (base) fit->cuts = base->cuts;
  if (label == NULL || (!base && !sc_cuts_fit(rows->features, index, n, &fit->cuts))) {
    free(label);
    return sc_fail(err, SC_NOMEM, "out of memory for %zu rows", n);
  }
  for (size_t i = 0; i < n; i++) {
    label[i] = (float)log(rows->time_s[index[i]] / sc_fit_analytic_s(&fit->analytic, &rows->analytic[index[i]]));
    scale[i] = abs_residual ? abs_residual[index[i]] : 0;
  }
  const sc_boost_target target[2] = {{SC_BOOST_MEAN, label, 0, options->boost.rounds},
                                     {SC_BOOST_SCALE, scale, (float)log_scale, options->scale_rounds}};
  const sc_status status = grow(&fit->cuts, rows, index, n, target, abs_residual || base ? 2 : 1, &options->boost,
                                &fit->forest, booster, err);
  free(label);
  return status;
}

sc_status sc_fit_scale(const sc_fit *fit, const sc_rows *rows, const uint32_t *index, size_t n,
                       const sc_fit_options *options, const float *abs_residual, double log_scale, sc_forest *forest,
                       sc_error *err) {
  float *value = malloc((n ? n : 1) * sizeof *value);
  if (value == NULL) return sc_fail(err, SC_NOMEM, "out of memory for %zu rows", n);
  for (size_t i = 0; i < n; i++) value[i] = abs_residual[index[i]];
  const sc_boost_target target = {SC_BOOST_SCALE, value, (float)log_scale, options->scale_rounds};
  sc_boost_options boost = options->boost;
  boost.rounds = options->scale_rounds;
  const sc_status status = grow(&fit->cuts, rows, index, n, &target, 1, &boost, forest, NULL, err);
  free(value);
  return status;
}

sc_status sc_fit_margins(const sc_cuts *cuts, const sc_forest *forest, const sc_rows *rows, const uint32_t *index,
                         size_t n, float *margin, sc_error *err) {
  uint8_t *bins = gather_bins(cuts, rows, index, n);
  if (bins == NULL) return sc_fail(err, SC_NOMEM, "out of memory for %zu rows", n);
  sc_forest_margins(forest, bins, n, margin);
  free(bins);
  return SC_OK;
}
