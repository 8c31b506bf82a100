/* Evaluation: every row is predicted by a model that never saw its group, and scored beside a random pick, the analytic
 * model and a second measurement. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "predictor/pools.h"

enum { DRAWS = 10000 };

/* Times by row, and what their shards' levels are, for one line of scores after another; arrays of rows.n in one
 * allocation. What is not scored has no truth. */
typedef struct predictions {
  double *predicted, *analytic, *low, *high, *truth, *half, *level;
} predictions;

/* ---- held out ---- */

/* Intervals of the rows of one fold, calibrated on the rows of the others. */
static sc_status fold_intervals(const sc_rows *rows, const sc_oof *oof, int fold, const double *score, uint32_t *index,
                                predictions *p, sc_error *err) {
  sc_intervals intervals;
  size_t n = 0;
  for (size_t i = 0; i < rows->n; i++) {
    if (oof->fold[i] != fold) index[n++] = (uint32_t)i;
  }
  SC_TRY(sc_intervals_calibrate(rows, index, n, score, oof->predicted_s, &intervals, err));
  for (size_t i = 0; i < rows->n; i++) {
    if (oof->fold[i] != fold) continue;
    char op[SC_NAME];
    const char *task = rows->task_name[rows->task[i]];
    snprintf(op, sizeof op, "%.*s", (int)strcspn(task, ":"), task);
    const sc_quantiles *q = sc_intervals_find(&intervals, op);
    p->low[i] = oof->predicted_s[i] * exp(-q->low * oof->scale[i]);
    p->high[i] = oof->predicted_s[i] * exp(q->high * oof->scale[i]);
  }
  return SC_OK;
}

static sc_status held_out(const sc_rows *rows, sc_holdout holdout, const sc_train_options *options, predictions *p,
                          sc_evaluation *out, sc_error *err) {
  sc_oof oof;
  if (rows->ngroups < 2)
    return sc_fail(err, SC_UNSUPPORTED, "all rows belong to one contraction: nothing can be held out");
  SC_TRY(sc_oof_run(rows, holdout, options, &oof, err));
  double *score = malloc(rows->n * sizeof *score);
  uint32_t *index = malloc(rows->n * sizeof *index);
  sc_status status = score && index ? SC_OK : sc_fail(err, SC_NOMEM, "out of memory");
  for (size_t i = 0; status == SC_OK && i < rows->n; i++) {
    p->predicted[i] = oof.predicted_s[i];
    p->analytic[i] = oof.analytic_s[i];
    if (!options->no_intervals) score[i] = log(rows->time_s[i] / oof.predicted_s[i]) / oof.scale[i];
  }
  if (options->no_intervals) p->low = p->high = NULL;
  for (int f = 0; p->low && status == SC_OK && f < oof.nfolds; f++)
    status = fold_intervals(rows, &oof, f, score, index, p, err);
  out->trained_rows = oof.trained_rows;
  out->trained_groups = oof.trained_groups;
  free(score);
  free(index);
  sc_oof_free(&oof);
  return status;
}

/* ---- unseen rows ---- */

static sc_status unseen(const sc_rows *rows, const sc_model *model, predictions *p, sc_error *err) {
  for (size_t g = 0; g < rows->ngroups; g++) {
    if (!sc_model_saw(model, rows->group_name[g])) continue;
    return sc_fail(err, SC_MISMATCH,
                   "the model was trained on rows of the group %s: hold groups or networks out instead",
                   rows->group_name[g]);
  }
  for (size_t i = 0; i < rows->n; i++) {
    const float *row = rows->features + i * SC_FEATURE_COUNT;
    const char *task = rows->task_name[rows->task[i]];
    char op[SC_NAME];
    uint8_t bins[SC_FEATURE_COUNT];
    float margin[SC_FOREST_OUTPUTS];
    sc_prediction prediction;
    snprintf(op, sizeof op, "%.*s", (int)strcspn(task, ":"), task);
    sc_cuts_bins(&model->cuts, row, 1, bins);
    sc_forest_margins(&model->forest, bins, 1, margin);
    const sc_reach reach = sc_model_reach(model, op, &rows->machine);
    sc_predict_row(model, &reach, row, &rows->analytic[i], margin[0], margin[1], false, &prediction);
    p->predicted[i] = prediction.time_s;
    p->analytic[i] = prediction.analytic_s;
    p->low[i] = prediction.low_s;
    p->high[i] = prediction.high_s;
  }
  return SC_OK;
}

/* ---- scores ---- */

static sc_status summarise(const sc_bootstrap *b, const char *name, sc_scores *out, sc_error *err) {
  sc_metric *to[SC_MEASURE_COUNT] = {[SC_TOP1] = &out->top1,
                                     [SC_TOP5] = &out->top5,
                                     [SC_REGRET1] = &out->regret1,
                                     [SC_PAIRS] = &out->pairs,
                                     [SC_TAU] = &out->tau,
                                     [SC_MAPE] = &out->mape,
                                     [SC_COVERAGE] = &out->coverage,
                                     [SC_HALF_WIDTH] = &out->half_width,
                                     [SC_SHARD_MAPE] = &out->shard_mape};
  snprintf(out->name, sizeof out->name, "%s", name);
  for (int m = 0; m < SC_MEASURE_COUNT; m++)
    if (to[m]) SC_TRY(sc_bootstrap_mean(b, (sc_score)m, to[m], err));
  return sc_bootstrap_p5(b, SC_TOP1, &out->top1_p5, err);
}

/* Rows of which networks are scored. */
static bool is_scored(const sc_rows *rows, sc_holdout holdout, size_t row) {
  return holdout != SC_HOLDOUT_DEVELOPMENT || (rows->development && rows->development[rows->network[row]]);
}

/* Pools leave out what has no time. */
static sc_status choose_scored(const sc_rows *rows, sc_holdout holdout, const predictions *p, sc_evaluation *out,
                               sc_error *err) {
  const size_t n = rows->ntasks + rows->ngroups + rows->nnetworks;
  bool *seen = calloc(n + 1, sizeof *seen), *group = seen + rows->ntasks, *network = group + rows->ngroups;
  if (!seen) return sc_fail(err, SC_NOMEM, "out of memory");
  for (size_t i = 0; i < rows->n; i++) {
    const bool scored = is_scored(rows, holdout, i);
    p->truth[i] = scored ? rows->time_s[i] : 0;
    p->half[i] = scored ? rows->half_b_s[i] : 0;
    if (!scored) continue;
    out->rows++;
    seen[rows->task[i]] = group[rows->group[i]] = network[rows->network[i]] = true;
  }
  for (size_t i = 0; i < rows->ntasks; i++) out->tasks += seen[i];
  for (size_t i = 0; i < rows->ngroups; i++) out->groups += group[i];
  for (size_t i = 0; i < rows->nnetworks; i++) out->networks += network[i];
  free(seen);
  return SC_OK;
}

static sc_status score_all(const sc_rows *rows, const predictions *p, uint64_t seed, sc_task_scores *scores,
                           sc_evaluation *out, sc_error *err) {
  const struct {
    const char *name;
    sc_scored_times times;
    bool random;
    sc_scores *to;
  } line[] = {{"model", {p->truth, p->predicted, p->low, p->high, p->level}, false, &out->model},
              {"analytic", {p->truth, p->analytic, NULL, NULL, p->level}, false, &out->analytic},
              {"random", {p->truth, p->truth, NULL, NULL, NULL}, true, &out->random},
              {"re-measured", {p->half, rows->half_a_s, NULL, NULL, NULL}, false, &out->remeasured}};
  for (size_t i = 0; i < SC_COUNT_OF(line); i++) {
    sc_task_scores *own = scores + i * rows->ntasks;
    const sc_bootstrap b = {own, rows->ntasks, rows->ngroups, DRAWS, seed};
    if (line[i].times.level) SC_TRY(sc_pools_levels(rows, &line[i].times, p->level, err));
    SC_TRY(sc_pools_score(rows, &line[i].times, line[i].random, own, err));
    SC_TRY(summarise(&b, line[i].name, line[i].to, err));
  }
  const sc_bootstrap paired = {scores, rows->ntasks, rows->ngroups, DRAWS, seed};
  SC_TRY(sc_bootstrap_ratio(&paired, scores + rows->ntasks, SC_REGRET1, &out->regret_ratio, err));
  return sc_parts_score(rows, &line[0].times, &line[1].times, scores, scores + rows->ntasks, DRAWS, seed, out, err);
}

static void hand_out(const sc_rows *rows, const predictions *p, const sc_task_scores *scores, const sc_evaluated *to) {
  for (size_t i = 0; i < rows->n; i++) {
    const bool scored = p->truth[i] > 0;
    if (to->time_s) to->time_s[i] = scored ? p->predicted[i] : 0;
    if (to->low_s) to->low_s[i] = scored && p->low ? p->low[i] : 0;
    if (to->high_s) to->high_s[i] = scored && p->low ? p->high[i] : 0;
  }
  for (size_t t = 0; t < rows->ntasks; t++) {
    if (to->regret) to->regret[t] = scores[t].value[SC_REGRET1];
    if (to->analytic_regret) to->analytic_regret[t] = scores[rows->ntasks + t].value[SC_REGRET1];
    if (to->pool) to->pool[t] = scores[t].value[SC_POOL];
    if (to->best_s) to->best_s[t] = scores[t].value[SC_BEST];
    if (to->place) to->place[t] = scores[t].value[SC_PLACE1];
    if (to->analytic_place) to->analytic_place[t] = scores[rows->ntasks + t].value[SC_PLACE1];
  }
}

sc_status sc_evaluate(const sc_rows *rows, sc_holdout holdout, const sc_model *model, const sc_train_options *options,
                      sc_evaluation *out, const sc_evaluated *evaluated, sc_error *err) {
  static const sc_train_options defaults;
  if (options == NULL) options = &defaults;
  if (rows->n < 2) return sc_fail(err, SC_UNSUPPORTED, "%zu usable rows: nothing to evaluate", rows->n);
  if (holdout == SC_HOLDOUT_NONE && model == NULL)
    return sc_fail(err, SC_USAGE, "evaluation of unseen rows needs a model");
  enum { ARRAYS = 7 };
  double *times = malloc(ARRAYS * rows->n * sizeof *times), *at = times;
  sc_task_scores *scores = malloc(4 * rows->ntasks * sizeof *scores);
  sc_status status = times && scores ? SC_OK : sc_fail(err, SC_NOMEM, "out of memory for %zu rows", rows->n);
  predictions p;
  double **const array[ARRAYS] = {&p.predicted, &p.analytic, &p.low, &p.high, &p.truth, &p.half, &p.level};
  for (int i = 0; times && i < ARRAYS; i++, at += rows->n) *array[i] = at;
  *out = (sc_evaluation){0};
  if (status == SC_OK) {
    status = holdout == SC_HOLDOUT_NONE ? unseen(rows, model, &p, err) : held_out(rows, holdout, options, &p, out, err);
  }
  if (status == SC_OK) status = choose_scored(rows, holdout, &p, out, err);
  if (status == SC_OK) status = score_all(rows, &p, options->seed, scores, out, err);
  if (status == SC_OK && evaluated) hand_out(rows, &p, scores, evaluated);
  free(times);
  free(scores);
  return status;
}
