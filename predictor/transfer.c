/* Does a model of one machine serve another? Folds are of the target's groups. For each a base is trained on the other
 * machine's rows of other groups; it predicts the fold as it is, with nothing but the target's machine file and kernel
 * table, and again corrected by a few of the target's rows, of other groups too. Beside them stands the target's own
 * model of all its rows but the fold's. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "predictor/names.h"
#include "predictor/pools.h"

enum { DRAWS = 10000 };

typedef struct transferring {
  const sc_rows *target, *source;
  const sc_train_options *options;
  sc_oof native;
  size_t few; /* rows that correct */
  double *none_s, *few_s; /* predicted, by row of the target */
  bool *held; /* by group of the target */
  uint32_t *group; /* of the target, by group of the source; SC_NO_NAME */
  uint32_t *index; /* room for all rows of either */
  float *zero, *margin; /* by row of the source, of the target */
} transferring;

/* The groups of both machines by name. */
static sc_status match_groups(transferring *t, sc_error *err) {
  sc_names names = {.arena = sc_arena_new()};
  bool ok = names.arena != NULL;
  for (size_t g = 0; g < t->target->ngroups; g++)
    ok = ok && sc_names_add(&names, t->target->group_name[g]) != SC_NO_NAME;
  for (size_t g = 0; ok && g < t->source->ngroups; g++) t->group[g] = sc_names_find(&names, t->source->group_name[g]);
  sc_arena_free(names.arena);
  return ok ? SC_OK : sc_fail(err, SC_NOMEM, "out of memory");
}

static void hold(transferring *t, int fold) {
  memset(t->held, 0, t->target->ngroups * sizeof *t->held);
  for (size_t i = 0; i < t->target->n; i++)
    if (t->native.fold[i] == fold) t->held[t->target->group[i]] = true;
}

static size_t source_rows(transferring *t) {
  size_t n = 0;
  for (size_t i = 0; i < t->source->n + t->source->nviews; i++) {
    const uint32_t group = t->group[t->source->group[sc_row_of(t->source, i)]];
    if (group == SC_NO_NAME || !t->held[group]) t->index[n++] = (uint32_t)i;
  }
  return n;
}

/* A sample of the target's rows that are not held. */
static size_t few_rows(transferring *t, int fold) {
  size_t n = 0;
  sc_rng rng;
  sc_rng_seed(&rng, t->options->seed, (uint64_t)fold);
  for (size_t i = 0; i < t->target->n; i++)
    if (!t->held[t->target->group[i]]) t->index[n++] = (uint32_t)i;
  for (size_t i = 0; i < n && i < t->few; i++) {
    const size_t j = i + sc_rng_below(&rng, n - i);
    const uint32_t row = t->index[i];
    t->index[i] = t->index[j];
    t->index[j] = row;
  }
  return n < t->few ? n : t->few;
}

/* The fold's rows, by a fit. */
static sc_status predict(transferring *t, int fold, const sc_fit *fit, double *predicted_s, sc_error *err) {
  size_t n = 0;
  for (size_t i = 0; i < t->target->n; i++)
    if (t->native.fold[i] == fold) t->index[n++] = (uint32_t)i;
  SC_TRY(sc_fit_margins(&fit->cuts, &fit->forest, t->target, t->index, n, t->margin, err));
  const size_t k = (size_t)fit->forest.noutputs;
  for (size_t i = 0; i < n; i++) {
    const uint32_t row = t->index[i];
    predicted_s[row] = sc_fit_analytic_s(&fit->analytic, &t->target->analytic[row]) * exp((double)t->margin[i * k]);
  }
  return SC_OK;
}

/* Corrects the base, which is `fit` and its booster, by a few rows. */
static sc_status correct(transferring *t, int fold, const sc_fit *fit, sc_booster *booster, sc_error *err) {
  sc_str json = {0};
  sc_model *base = calloc(1, sizeof *base);
  sc_fit *corrected = calloc(1, sizeof *corrected);
  sc_status status = base && corrected ? SC_OK : sc_fail(err, SC_NOMEM, "out of memory");
  if (status == SC_OK) status = sc_booster_json(booster, &json, err);
  if (status == SC_OK) {
    base->card.machine = t->source->machine;
    base->card.analytic = fit->analytic;
    base->cuts = fit->cuts;
    base->forest = fit->forest;
    base->json = json.text;
    base->json_len = json.len;
    const sc_train_options added = {.base = base, .seed = t->options->seed};
    sc_fit_options options;
    status = sc_fit_options_of(&added, &options, err);
    options.boost.nthread = t->options->nthread;
    const size_t n = few_rows(t, fold);
    if (status == SC_OK) status = sc_fit_train(t->target, t->index, n, &options, NULL, 0, corrected, NULL, err);
    if (status == SC_OK) status = predict(t, fold, corrected, t->few_s, err);
    sc_fit_free(corrected);
  }
  sc_str_free(&json);
  free(base);
  free(corrected);
  return status;
}

static sc_status one_fold(transferring *t, int fold, sc_error *err) {
  sc_fit_options options;
  sc_booster *booster = NULL;
  sc_fit *fit = calloc(1, sizeof *fit);
  if (!fit) return sc_fail(err, SC_NOMEM, "out of memory");
  hold(t, fold);
  sc_status status = sc_fit_options_of(t->options, &options, err);
  options.boost.nthread = t->options->nthread;
  options.scale_rounds = 0; /* no interval is asked for */
  const size_t n = source_rows(t);
  if (status == SC_OK && n == 0)
    status = sc_fail(err, SC_UNSUPPORTED, "the other machine has no rows of groups outside a fold");
  if (status == SC_OK) status = sc_fit_train(t->source, t->index, n, &options, t->zero, 0, fit, &booster, err);
  if (status == SC_OK) status = predict(t, fold, fit, t->none_s, err);
  if (status == SC_OK) status = correct(t, fold, fit, booster, err);
  sc_booster_free(booster);
  sc_fit_free(fit);
  free(fit);
  return status;
}

static sc_status score(const transferring *t, sc_transfer *out, sc_error *err) {
  const sc_rows *rows = t->target;
  const double *const predicted[] = {t->native.predicted_s, t->few_s, t->none_s};
  sc_transfer_scores *const to[] = {&out->native, &out->corrected, &out->untouched};
  sc_task_scores *scores = malloc((3 * rows->ntasks + 1) * sizeof *scores);
  sc_status status = scores ? SC_OK : sc_fail(err, SC_NOMEM, "out of memory");
  for (size_t k = 0; k < SC_COUNT_OF(predicted) && status == SC_OK; k++) {
    sc_task_scores *own = scores + k * rows->ntasks;
    const sc_scored_times times = {rows->time_s, predicted[k], NULL, NULL, NULL};
    const sc_bootstrap b = {own, rows->ntasks, rows->ngroups, DRAWS, t->options->seed};
    status = sc_pools_score(rows, &times, false, own, err);
    if (status == SC_OK) status = sc_bootstrap_mean(&b, SC_TOP1, &to[k]->top1, err);
    if (status == SC_OK) status = sc_bootstrap_mean(&b, SC_PAIRS, &to[k]->pairs, err);
    if (status == SC_OK) status = sc_bootstrap_mean(&b, SC_MAPE, &to[k]->mape, err);
    if (status == SC_OK) status = sc_bootstrap_ratio(&b, scores, SC_TOP1, &to[k]->of_native, err);
  }
  free(scores);
  return status;
}

sc_status sc_transfer_evaluate(const sc_rows *target, const sc_rows *source, size_t few,
                               const sc_train_options *options, sc_transfer *out, sc_error *err) {
  const size_t all = source->n + source->nviews, most = target->n > all ? target->n : all;
  transferring t = {.target = target, .source = source, .options = options, .few = few};
  if (target->ngroups < 2 || source->n == 0)
    return sc_fail(err, SC_UNSUPPORTED,
                   "%zu groups of the target and %zu rows of the other machine: nothing to compare", target->ngroups,
                   source->n);
  *out = (sc_transfer){.few = few};
  sc_train_options native = *options;
  native.no_intervals = true; /* none is asked for */
  SC_TRY(sc_oof_run(target, SC_HOLDOUT_GROUP, &native, &t.native, err));
  t.none_s = malloc(2 * target->n * sizeof *t.none_s);
  t.held = malloc(target->ngroups * sizeof *t.held);
  t.group = malloc(source->ngroups * sizeof *t.group);
  t.index = malloc(most * sizeof *t.index);
  t.zero = calloc(all, sizeof *t.zero);
  t.margin = malloc(SC_FOREST_OUTPUTS * target->n * sizeof *t.margin);
  sc_status status = t.none_s && t.held && t.group && t.index && t.zero && t.margin
                         ? match_groups(&t, err)
                         : sc_fail(err, SC_NOMEM, "out of memory");
  if (t.none_s) t.few_s = t.none_s + target->n;
  for (int fold = 0; fold < t.native.nfolds && status == SC_OK; fold++) {
    status = one_fold(&t, fold, err);
    sc_log_printf(&options->log, SC_LOG_INFO, "fold %d of %d", fold + 1, t.native.nfolds);
  }
  if (status == SC_OK) status = score(&t, out, err);
  free(t.none_s);
  free(t.held);
  free(t.group);
  free(t.index);
  free(t.zero);
  free(t.margin);
  sc_oof_free(&t.native);
  return status;
}
