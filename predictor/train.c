/* Training: out-of-fold residuals first, then one booster with two outputs over all rows, then the card. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "predictor/card.h"
#include "predictor/pools.h"
#include "predictor/train.h"

enum { LEAST_ROWS = 20, LEAST_QUICK = 2 };
_Static_assert((int)SC_MOST_DEPTH == (int)SC_FOREST_DEPTH, "what trains must read back");

sc_status sc_train_check(const sc_rows *rows, size_t least, sc_error *err) {
  if (rows->n < least)
    return sc_fail(err, SC_UNSUPPORTED, "%zu usable rows: at least %zu are needed to train", rows->n, least);
  for (size_t i = 0; i < rows->n; i++) {
    if (rows->forbidden && rows->forbidden[i]) {
      return sc_fail(err, SC_MISMATCH, "%s belongs to the evaluation set (group %s): it must not be trained on",
                     rows->task_name[rows->task[i]], rows->group_name[rows->group[i]]);
    }
    if (!(rows->time_s[i] > 0) || !isfinite(rows->time_s[i])) return sc_fail(err, SC_FORMAT, "row %zu has no time", i);
  }
  return SC_OK;
}

/* ---- the card ---- */

static int by_hash(const void *a, const void *b) {
  const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  return (x > y) - (x < y);
}

static uint64_t text_hash(const char *text) { return sc_hash64(text, strlen(text), 0); }

/* Hash of what was trained on: features, labels and groups, in their order. */
static uint64_t data_hash(const sc_rows *rows, uint64_t seed) {
  uint64_t hash = sc_hash64(rows->features, rows->n * SC_FEATURE_COUNT * sizeof *rows->features, seed);
  hash = sc_hash64(rows->time_s, rows->n * sizeof *rows->time_s, hash);
  return sc_hash64(rows->group, rows->n * sizeof *rows->group, hash);
}

sc_status sc_train_groups(const char *const *name, size_t count, const sc_model *base, sc_model *draft, sc_error *err) {
  sc_card *card = &draft->card;
  const size_t more = base ? base->card.ngroups : 0, n = count + more;
  card->group = sc_arena_alloc(draft->arena, n, sizeof *card->group);
  if (card->group == NULL) return sc_fail(err, SC_NOMEM, "out of memory");
  for (size_t g = 0; g < count; g++) card->group[g] = text_hash(name[g]);
  if (more) memcpy(card->group + count, base->card.group, more * sizeof *card->group);
  qsort(card->group, n, sizeof *card->group, by_hash);
  card->ngroups = 0;
  for (size_t g = 0; g < n; g++)
    if (g == 0 || card->group[g] != card->group[g - 1]) card->group[card->ngroups++] = card->group[g];
  return SC_OK;
}

void sc_train_describe(const sc_rows *rows, const sc_model *base, sc_card *card) {
  const bool first = card->rows == 0;
  for (int f = 0; f < SC_RANGED && rows->n > 0; f++) {
    if (first) {
      card->lowest[f] = base ? base->card.lowest[f] : rows->features[f];
      card->highest[f] = base ? base->card.highest[f] : rows->features[f];
    }
    for (size_t i = 0; i < rows->n; i++) {
      card->lowest[f] = fminf(card->lowest[f], rows->features[i * SC_FEATURE_COUNT + (size_t)f]);
      card->highest[f] = fmaxf(card->highest[f], rows->features[i * SC_FEATURE_COUNT + (size_t)f]);
    }
  }
  if (first || (uint32_t)rows->passes < card->passes) card->passes = (uint32_t)rows->passes;
  if (first) card->machine = rows->machine;
  card->rows += (uint32_t)rows->n;
  card->disturbed += (uint32_t)rows->disturbed;
  card->data = data_hash(rows, card->data);
  card->kernel_facts = (uint32_t)rows->kernel_facts;
}

static double mean_of(const sc_task_scores *scores, size_t n, sc_score measure) {
  double sum = 0, count = 0;
  for (size_t t = 0; t < n; t++) {
    if (!isfinite(scores[t].value[measure])) continue;
    sum += scores[t].value[measure];
    count++;
  }
  return count > 0 ? sum / count : 0;
}

sc_status sc_train_calibrate(const sc_rows *rows, const sc_oof *oof, sc_card *card, sc_error *err) {
  double *score = malloc(rows->n * sizeof *score);
  uint32_t *index = malloc(rows->n * sizeof *index);
  sc_task_scores *scores = malloc(rows->ntasks * sizeof *scores);
  sc_status status = score && index && scores ? SC_OK : sc_fail(err, SC_NOMEM, "out of memory");
  for (size_t i = 0; status == SC_OK && i < rows->n; i++) {
    index[i] = (uint32_t)i;
    score[i] = log(rows->time_s[i] / oof->predicted_s[i]) / oof->scale[i];
  }
  const sc_scored_times times = {rows->time_s, oof->predicted_s, NULL, NULL, NULL};
  if (status == SC_OK)
    status = sc_intervals_calibrate(rows, index, rows->n, score, oof->predicted_s, &card->intervals, err);
  if (status == SC_OK) status = sc_pools_score(rows, &times, false, scores, err);
  if (status == SC_OK) {
    card->intervals.log_scale = oof->log_scale;
    card->top1 = mean_of(scores, rows->ntasks, SC_TOP1);
    card->pairs = mean_of(scores, rows->ntasks, SC_PAIRS);
    card->mape = mean_of(scores, rows->ntasks, SC_MAPE);
  }
  free(score);
  free(index);
  free(scores);
  return status;
}

/* Rows spread over the data, with what libxgboost itself says of them from the file as saved. */
static sc_status choose_golden(const sc_rows *rows, const sc_str *json, sc_model *model, sc_error *err) {
  sc_card *card = &model->card;
  card->ngolden = SC_GOLDEN_ROWS;
  for (size_t i = 0; i < SC_GOLDEN_ROWS; i++) {
    const size_t row = i * (rows->n - 1) / (SC_GOLDEN_ROWS - 1);
    sc_cuts_bins(&model->cuts, rows->features + row * SC_FEATURE_COUNT, 1, card->golden_bins[i]);
  }
  return sc_booster_margins(json->text, json->len, card->golden_bins[0], SC_GOLDEN_ROWS, SC_FEATURE_COUNT,
                            SC_FOREST_OUTPUTS, card->golden_margin[0], NULL, 0, err);
}

/* ---- the file ---- */

static sc_status set_attributes(sc_booster *booster, const sc_model *model, sc_error *err) {
  sc_str card = {0}, cuts = {0}, machine = {0};
  char seal[17];
  sc_card_print(&model->card, &card);
  sc_cuts_print(&model->cuts, &cuts);
  sc_machine_print(&model->card.machine, &machine);
  sc_hash_hex(sc_card_seal(sc_str_text(&card), sc_str_text(&cuts), sc_str_text(&machine), &model->forest), seal);
  const struct {
    const char *key, *value;
  } attribute[] = {{SC_ATTRIBUTE_CARD, sc_str_text(&card)},
                   {SC_ATTRIBUTE_CUTS, sc_str_text(&cuts)},
                   {SC_ATTRIBUTE_MACHINE, sc_str_text(&machine)},
                   {SC_ATTRIBUTE_SEAL, seal}};
  sc_status status = card.failed || cuts.failed || machine.failed ? sc_fail(err, SC_NOMEM, "out of memory") : SC_OK;
  for (size_t i = 0; status == SC_OK && i < SC_COUNT_OF(attribute); i++) {
    status = sc_booster_set(booster, attribute[i].key, attribute[i].value, err);
  }
  sc_str_free(&card);
  sc_str_free(&cuts);
  sc_str_free(&machine);
  return status;
}

sc_status sc_train_seal(sc_booster *booster, const sc_rows *rows, sc_model *draft, sc_model **model, sc_error *err) {
  sc_str json = {0};
  sc_status status = sc_booster_json(booster, &json, err);
  if (status == SC_OK) status = choose_golden(rows, &json, draft, err);
  if (status == SC_OK) status = set_attributes(booster, draft, err);
  sc_str_clear(&json);
  if (status == SC_OK) status = sc_booster_json(booster, &json, err);
  if (status == SC_OK) status = sc_model_read("the new model", json.text, json.len, model, err);
  sc_str_free(&json);
  return status;
}

void sc_train_take(sc_model *draft, const sc_fit *fit, const sc_fit_options *options) {
  sc_card *card = &draft->card;
  card->analytic = fit->analytic;
  draft->cuts = fit->cuts;
  draft->forest = fit->forest;
  card->schema = sc_feature_schema();
  card->trees = sc_forest_hash(&draft->forest);
  card->boost = options->boost;
  card->scale_rounds = options->scale_rounds;
  card->base = options->base ? options->base->hash : 0;
  snprintf(card->version, sizeof card->version, "%s", sc_version());
}

/* All rows, two outputs. */
static sc_status train_final(const sc_rows *rows, const sc_fit_options *options, const sc_oof *oof, sc_model *draft,
                             sc_booster **booster, sc_error *err) {
  const size_t n = rows->n + rows->nviews;
  uint32_t *index = malloc(n * sizeof *index);
  sc_fit *fit = malloc(sizeof *fit);
  sc_status status = index && fit ? SC_OK : sc_fail(err, SC_NOMEM, "out of memory");
  for (size_t i = 0; status == SC_OK && i < n; i++) index[i] = (uint32_t)i;
  if (status == SC_OK)
    status = sc_fit_train(rows, index, n, options, oof->abs_residual, oof->log_scale, fit, booster, err);
  if (status == SC_OK) sc_train_take(draft, fit, options);
  free(fit);
  free(index);
  return status;
}

/* What a quick addition to a base says of itself is what the base says. */
static void inherit(const sc_card *base, sc_card *card) {
  card->intervals = base->intervals;
  card->top1 = base->top1;
  card->pairs = base->pairs;
  card->mape = base->mape;
}

static sc_status hold_out(const sc_rows *rows, const sc_train_options *options, sc_oof *oof, sc_error *err) {
  *oof = (sc_oof){0};
  if (options->base && options->quick) return SC_OK;
  if (rows->ngroups > 1) sc_log_printf(&options->log, SC_LOG_INFO, "out-of-fold models over %zu groups", rows->ngroups);
  else
    sc_log_printf(&options->log, SC_LOG_WARN,
                  "all rows belong to one contraction: intervals and scores hold for schedules of %s only",
                  rows->task_name[0]);
  return sc_oof_calibrated(rows, options, oof, err);
}

static sc_status train(const sc_rows *rows, const sc_train_options *options, sc_model *draft, sc_model **model,
                       sc_error *err) {
  sc_oof oof;
  sc_fit_options fit_options;
  sc_booster *booster = NULL;
  SC_TRY(sc_fit_options_of(options, &fit_options, err));
  SC_TRY(hold_out(rows, options, &oof, err));
  sc_log_printf(&options->log, SC_LOG_INFO, "the model over all %zu rows", rows->n);
  sc_status status = train_final(rows, &fit_options, &oof, draft, &booster, err);
  if (status == SC_OK) {
    draft->card.tasks = (uint32_t)rows->ntasks;
    sc_train_describe(rows, options->base, &draft->card);
    status = sc_train_groups(rows->group_name, rows->ngroups, options->base, draft, err);
  }
  if (status == SC_OK && oof.fold) status = sc_train_calibrate(rows, &oof, &draft->card, err);
  else if (status == SC_OK) inherit(&options->base->card, &draft->card);
  if (status == SC_OK) status = sc_train_seal(booster, rows, draft, model, err);
  sc_booster_free(booster);
  sc_oof_free(&oof);
  return status;
}

sc_model *sc_train_draft(void) {
  sc_model *draft = calloc(1, sizeof *draft);
  if (draft && (draft->arena = sc_arena_new()) != NULL) return draft;
  free(draft);
  return NULL;
}

sc_status sc_model_train(const sc_rows *rows, const sc_train_options *options, sc_model **model, sc_error *err) {
  static const sc_train_options defaults;
  if (!options) options = &defaults;
  if (options->quick && !options->base) return sc_fail(err, SC_USAGE, "a quick model wants a base");
  SC_TRY(sc_train_check(rows, options->quick ? LEAST_QUICK : LEAST_ROWS, err));
  sc_model *draft = sc_train_draft();
  if (draft == NULL) return sc_fail(err, SC_NOMEM, "out of memory");
  const sc_status status = train(rows, options, draft, model, err);
  sc_model_free(draft);
  return status;
}
