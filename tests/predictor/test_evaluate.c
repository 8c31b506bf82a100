/* Evaluation: metrics against naive counts, the bootstrap, folds that leak nothing, intervals that cover, a model that
 * finds what was planted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

#include "predictor/pools.h"
#include "tests/predictor/synthetic.h"

/* ---- metrics ---- */

static void a_pool_by_hand(void **state) {
  const double truth[] = {10, 11.5, 20, 30, 10.5, 40}, predicted[] = {12, 11, 30, 25, 13, 50};
  const double low[] = {9, 11.6, 10, 29, 0, 39}, high[] = {11, 12, 21, 31, 10, 41};
  double work[12];
  sc_task_scores s;
  sc_pool_scores(truth, predicted, low, high, 6, work, &s);
  assert_true(s.value[SC_TOP1] == 10 / 11.5);
  assert_true(s.value[SC_TOP5] == 1);
  assert_true(fabs(s.value[SC_REGRET1] - 0.15) < 1e-12 && s.value[SC_PLACE1] == 3);
  /* 15 pairs; within 10 %: (10, 10.5), (11.5, 10.5); wrong of the rest: (10, 11.5), (20, 30) */
  assert_true(fabs(s.value[SC_PAIRS] - 11.0 / 13) < 1e-12);
  /* wrong of all: those two and (11.5, 10.5) */
  assert_true(fabs(s.value[SC_TAU] - (12.0 - 3) / 15) < 1e-12);
  const double error = 0.2 + (1 - 11 / 11.5) + 0.5 + (1 - 25.0 / 30) + (13 / 10.5 - 1) + 0.25;
  assert_true(fabs(s.value[SC_MAPE] - error / 6) < 1e-12);
  assert_true(fabs(s.value[SC_COVERAGE] - 4.0 / 6) < 1e-12);
  /* half widths over predictions: 1/12, .2/11, 5.5/30, 1/25, 5/13, 1/50 */
  assert_true(fabs(s.value[SC_HALF_WIDTH] - (1.0 / 25 + 1.0 / 12) / 2) < 1e-12);
  sc_pool_scores(truth, truth, NULL, NULL, 6, work, &s);
  assert_true(s.value[SC_TOP1] == 1 && s.value[SC_PAIRS] == 1 && s.value[SC_TAU] == 1 && s.value[SC_MAPE] == 0 &&
              isnan(s.value[SC_COVERAGE]));
}

static void ties_count_half(void **state) {
  const double truth[] = {1, 2, 2, 3}, predicted[] = {5, 5, 6, 7};
  double work[8];
  sc_task_scores s;
  sc_pool_scores(truth, predicted, NULL, NULL, 4, work, &s);
  assert_true(fabs(s.value[SC_PAIRS] - (4 + 0.5) / 5) < 1e-12);
  assert_true(fabs(s.value[SC_TAU] - 4 / sqrt(5.0 * 5)) < 1e-12); /* one tie in each */
}

static void random_pick_is_its_expectation(void **state) {
  enum { N = 17, DRAWS = 200000 };
  double truth[N], work[2 * N], top1 = 0, top5 = 0;
  sc_rng rng;
  sc_task_scores s;
  sc_rng_seed(&rng, 1, 0);
  for (int i = 0; i < N; i++) truth[i] = exp(synthetic_normal(&rng));
  sc_pool_random(truth, N, work, &s);
  double best = truth[0];
  for (int i = 1; i < N; i++) best = fmin(best, truth[i]);
  for (int k = 0; k < DRAWS; k++) {
    int order[N];
    double least = INFINITY;
    for (int i = 0; i < N; i++) order[i] = i;
    for (int i = 0; i < 5; i++) {
      const int j = i + (int)sc_rng_below(&rng, (uint64_t)(N - i)), swap = order[i];
      order[i] = order[j];
      order[j] = swap;
      least = fmin(least, truth[order[i]]);
      if (i == 0) top1 += best / least / DRAWS;
    }
    top5 += best / least / DRAWS;
  }
  assert_true(fabs(s.value[SC_TOP1] - top1) < 0.005 && fabs(s.value[SC_TOP5] - top5) < 0.005);
  sc_pool_random(truth, 4, work, &s);
  assert_true(fabs(s.value[SC_TOP5] - 1) < 1e-12); /* five draws of four are all of them */
}

/* ---- levels ---- */

/* Two shards, in which the machine is slower than predicted by a factor each; five groups of two rows in one, three of one
 * row in the other, which are too few to tell. A row's own group has no say in its level. */
static void levels_are_of_the_other_groups(void **state) {
  enum { N = 13 };
  sc_record shard[2] = {{.shard = "vm/1/1", .proposal = SC_PROPOSED_UNIFORM},
                        {.shard = "vm/1/2", .proposal = SC_PROPOSED_UNIFORM}};
  const sc_record *record[N];
  uint32_t task[N], group[N];
  double truth[N], predicted[N], level[N];
  sc_task_scores scores[8];
  for (uint32_t i = 0; i < N; i++) {
    record[i] = &shard[i >= 10];
    group[i] = task[i] = i < 10 ? i / 2 : i - 5;
    predicted[i] = 1 + i;
    truth[i] = predicted[i] * exp(0.1 * group[i]);
  }
  const sc_rows rows = {.n = N, .task = task, .group = group, .record = record, .ntasks = 8, .ngroups = 8};
  const sc_scored_times times = {truth, predicted, NULL, NULL, level};
  assert_int_equal(sc_pools_levels(&rows, &times, level, NULL), SC_OK);
  for (uint32_t i = 0; i < 10; i++) assert_true(fabs(log(level[i]) - (1.0 - 0.1 * group[i]) / 4) < 1e-12);
  for (uint32_t i = 10; i < N; i++) assert_true(level[i] == 1);
  for (uint32_t i = 0; i < 10; i++) truth[i] = predicted[i] * 1.25;
  assert_int_equal(sc_pools_levels(&rows, &times, level, NULL), SC_OK);
  assert_int_equal(sc_pools_score(&rows, &times, false, scores, NULL), SC_OK);
  for (int t = 0; t < 5; t++)
    assert_true(fabs(scores[t].value[SC_MAPE] - 0.2) < 1e-12 && scores[t].value[SC_SHARD_MAPE] < 1e-12);
}

/* ---- bootstrap ---- */

/* Of independent groups the interval of a mean is close to mean +- 1.96 standard errors; of tasks that repeat their
 * group it is as wide as that of the groups alone. */
static void bootstrap_knows_groups(void **state) {
  enum { G = 200 };
  sc_task_scores alone[G], copies[G * 5];
  sc_rng rng;
  sc_metric a, c, p5;
  double mean = 0, square = 0;
  sc_rng_seed(&rng, 2, 0);
  for (uint32_t g = 0; g < G; g++) {
    for (int m = 0; m < SC_MEASURE_COUNT; m++) alone[g].value[m] = 0.5 + 0.1 * synthetic_normal(&rng);
    alone[g].group = g;
    mean += alone[g].value[SC_TOP1] / G;
    square += alone[g].value[SC_TOP1] * alone[g].value[SC_TOP1] / G;
    for (uint32_t k = 0; k < 5; k++) copies[5 * g + k] = alone[g];
  }
  const double error = sqrt((square - mean * mean) / G);
  const sc_bootstrap b = {alone, G, G, 4000, 1}, b5 = {copies, (size_t)G * 5, G, 4000, 1};
  assert_int_equal(sc_bootstrap_mean(&b, SC_TOP1, &a, NULL), SC_OK);
  assert_int_equal(sc_bootstrap_mean(&b5, SC_TOP1, &c, NULL), SC_OK);
  assert_true(fabs(a.value - mean) < 1e-12);
  assert_true(fabs(a.low - (mean - 1.96 * error)) < 0.15 * error &&
              fabs(a.high - (mean + 1.96 * error)) < 0.15 * error);
  assert_true(fabs(a.low - c.low) < 1e-9 && fabs(a.high - c.high) < 1e-9);
  assert_int_equal(sc_bootstrap_p5(&b, SC_TOP1, &p5, NULL), SC_OK);
  int below = 0;
  for (int g = 0; g < G; g++) below += alone[g].value[SC_TOP1] <= p5.value;
  assert_int_equal(below, G / 20);
  assert_true(p5.low <= p5.value && p5.value <= p5.high && p5.low < p5.high);
}

/* A ratio of two means over the same draws: where one is always half the other there is no uncertainty. */
static void paired_ratio_is_paired(void **state) {
  enum { G = 50 };
  sc_task_scores a[G], b[G];
  sc_rng rng;
  sc_metric ratio, missing;
  sc_rng_seed(&rng, 3, 0);
  for (uint32_t g = 0; g < G; g++) {
    a[g].group = b[g].group = g;
    for (int m = 0; m < SC_MEASURE_COUNT; m++) {
      b[g].value[m] = sc_rng_unit(&rng);
      a[g].value[m] = m == SC_TAU ? NAN : b[g].value[m] / 2;
    }
  }
  const sc_bootstrap boot = {a, G, G, 500, 1};
  assert_int_equal(sc_bootstrap_ratio(&boot, b, SC_REGRET1, &ratio, NULL), SC_OK);
  assert_true(fabs(ratio.value - 0.5) < 1e-12 && fabs(ratio.low - 0.5) < 1e-12 && fabs(ratio.high - 0.5) < 1e-12);
  assert_int_equal(sc_bootstrap_mean(&boot, SC_TAU, &missing, NULL), SC_OK);
  assert_true(isnan(missing.value));
}

/* ---- analytic coefficients ---- */

static void coefficients_are_found_and_not_negative(void **state) {
  enum { N = 400 };
  sc_rng rng;
  sc_rng_seed(&rng, 4, 0);
  sc_analytic terms[N];
  double time[N];
  uint32_t index[N];
  const sc_rows rows = {.n = N, .analytic = terms, .time_s = time};
  const sc_analytic_fit planted = {1.2, 0.9, 0.4, 0, 0.7, 0.2, 2, 0.3};
  for (uint32_t i = 0; i < N; i++) {
    index[i] = i;
    terms[i] = (sc_analytic){.compute_s = exp(synthetic_normal(&rng)),
                             .kernel_s = exp(synthetic_normal(&rng)),
                             .l2_s = sc_rng_unit(&rng),
                             .l3_s = sc_rng_unit(&rng),
                             .memory_s = sc_rng_unit(&rng),
                             .conflict_s = sc_rng_unit(&rng),
                             .pack_s = sc_rng_unit(&rng),
                             .overhead_s = sc_rng_unit(&rng),
                             .known = i % 2 ? 1.0F : 0.0F};
    sc_analytic t = terms[i];
    sc_analytic_combine(&planted, &t);
    time[i] = t.time_s;
  }
  sc_analytic_fit fit;
  sc_analytic_fit_rows(&rows, index, N, &fit);
  const double got[] = {fit.compute, fit.kernel, fit.l2, fit.l3, fit.memory, fit.conflict, fit.pack, fit.overhead};
  const double want[] = {1.2, 0.9, 0.4, 0, 0.7, 0.2, 2, 0.3};
  for (int k = 0; k < 8; k++) assert_true(fabs(got[k] - want[k]) < 1e-5);
  for (uint32_t i = 0; i < N; i++) time[i] = fmax(time[i] - 0.5 * terms[i].l2_s, 0.01); /* l2 would be negative */
  sc_analytic_fit_rows(&rows, index, N, &fit);
  assert_true(fit.l2 == 0 && fit.compute > 0 && fit.pack > 0);
  for (uint32_t i = 0; i < N; i++) terms[i].known = 0; /* no kernel is known: their coefficient is that of the model */
  sc_analytic_fit_rows(&rows, index, N, &fit);
  assert_true(fit.kernel == fit.compute);
}

/* ---- folds ---- */

static double heteroscedastic(const float *row, sc_rng *rng) {
  return (row[SC_FEATURE_tile_rows] > 3 ? 0.12 : 0.03) * synthetic_normal(rng);
}

/* Every second row gets a view, in which its kernels' code is bigger. */
static void add_views(synthetic *s) {
  sc_rows *r = &s->rows;
  const size_t nviews = r->n / 2, all = r->n + nviews;
  float *features = sc_arena_alloc(s->arena, all * SC_FEATURE_COUNT, sizeof *features);
  double *time_s = sc_arena_alloc(s->arena, all, sizeof *time_s);
  sc_analytic *analytic = sc_arena_alloc(s->arena, all, sizeof *analytic);
  r->view_of = sc_arena_alloc(s->arena, nviews, sizeof *r->view_of);
  for (size_t i = 0; i < all; i++) {
    const size_t row = i < r->n ? i : 2 * (i - r->n);
    memcpy(features + i * SC_FEATURE_COUNT, r->features + row * SC_FEATURE_COUNT, SC_FEATURE_COUNT * sizeof *features);
    time_s[i] = r->time_s[row];
    analytic[i] = r->analytic[row];
    if (i < r->n) continue;
    features[i * SC_FEATURE_COUNT + SC_FEATURE_kernel_code] += 1;
    r->view_of[i - r->n] = (uint32_t)row;
  }
  r->features = features;
  r->time_s = time_s;
  r->analytic = analytic;
  r->nviews = nviews;
}

/* What a fold is predicted as cannot depend on the labels of the fold, nor on those of rows that share a group with
 * it, nor on those of their views. */
static void a_fold_never_sees_its_own_labels(void **state) {
  for (int kind = 0; kind < 3; kind++) {
    synthetic s;
    sc_oof before, after;
    const bool by_network = kind == 1;
    const sc_holdout holdout = by_network ? SC_HOLDOUT_NETWORK : SC_HOLDOUT_GROUP;
    assert_int_equal(synthetic_make(&s, 12, 30, 5, heteroscedastic), SC_OK);
    if (kind == 2) add_views(&s);
    for (size_t i = 0; i < s.rows.n && by_network;
         i++) { /* tasks 0 and 11, of the first and the last network, are one group */
      if (s.rows.group[i] == 11) s.rows.group[i] = 0;
    }
    assert_int_equal(sc_oof_run(&s.rows, holdout, &synthetic_quick, &before, NULL), SC_OK);
    for (size_t i = 0; i < s.rows.n; i++) {
      const bool shares = by_network && before.fold[i] != 0 && s.rows.group[i] == 0;
      if (before.fold[i] == 0 || shares) s.rows.time_s[i] *= 1 + (double)(i % 7);
    }
    for (size_t v = 0; v < s.rows.nviews; v++) s.rows.time_s[s.rows.n + v] = s.rows.time_s[s.rows.view_of[v]];
    assert_int_equal(sc_oof_run(&s.rows, holdout, &synthetic_quick, &after, NULL), SC_OK);
    size_t moved = 0, held = 0;
    for (size_t i = 0; i < s.rows.n; i++) {
      assert_int_equal(before.fold[i], after.fold[i]);
      if (before.fold[i] == 0) {
        assert_true(before.predicted_s[i] == after.predicted_s[i] && before.analytic_s[i] == after.analytic_s[i]);
        held++;
      } else moved += before.predicted_s[i] != after.predicted_s[i];
    }
    assert_true(held >= 30 && moved > s.rows.n / 2); /* the others did learn from them */
    for (size_t i = 0; i < s.rows.n; i++) {
      for (size_t k = 0; k < s.rows.n && !by_network; k += 5) {
        assert_true(s.rows.group[i] != s.rows.group[k] || before.fold[i] == before.fold[k]);
      }
    }
    sc_oof_free(&before);
    sc_oof_free(&after);
    synthetic_free(&s);
  }
}

/* ---- intervals ---- */

static void intervals_cover_ninety_per_cent(void **state) {
  synthetic s;
  sc_evaluation e;
  assert_int_equal(synthetic_make(&s, 60, 40, 6, heteroscedastic), SC_OK);
  assert_int_equal(sc_evaluate(&s.rows, SC_HOLDOUT_GROUP, NULL, &synthetic_quick, &e, NULL, NULL), SC_OK);
  assert_true(e.model.coverage.low < 0.93 && e.model.coverage.high > 0.9 && e.model.coverage.value < 0.96);
  assert_true(isnan(e.analytic.coverage.value) && isnan(e.random.mape.value));
  synthetic_free(&s);
}

/* Wide where the noise is: the trained model's own intervals on new schedules of its kind. */
static void intervals_follow_the_noise(void **state) {
  synthetic s, fresh;
  sc_model *model;
  const sc_target target = {&s.rows.machine, NULL, 1};
  double width[2] = {0}, count[2] = {0}, covered[2] = {0};
  assert_int_equal(synthetic_make(&s, 60, 40, 7, heteroscedastic), SC_OK);
  assert_int_equal(synthetic_make(&fresh, 60, 20, 8, heteroscedastic), SC_OK);
  assert_int_equal(sc_model_train(&s.rows, &synthetic_quick, &model, NULL), SC_OK);
  for (size_t i = 0; i < fresh.rows.n; i++) {
    sc_prediction p, picked;
    assert_int_equal(sc_model_predict(model, fresh.task[i], &fresh.nest[i], 1, &target, false, &p, NULL), SC_OK);
    assert_int_equal(sc_model_predict(model, fresh.task[i], &fresh.nest[i], 1, &target, true, &picked, NULL), SC_OK);
    assert_true(picked.time_s == p.time_s && (picked.low_s != p.low_s || picked.high_s != p.high_s));
    const int noisy = fresh.rows.features[i * SC_FEATURE_COUNT + SC_FEATURE_tile_rows] > 3;
    width[noisy] += log(p.high_s / p.low_s);
    covered[noisy] += fresh.rows.time_s[i] >= p.low_s && fresh.rows.time_s[i] <= p.high_s;
    count[noisy]++;
  }
  assert_true(count[0] > 200 && count[1] > 200);
  assert_true(width[1] / count[1] > 1.7 * width[0] / count[0]); /* the truth is 4 */
  assert_true(covered[0] / count[0] > 0.85 && covered[1] / count[1] > 0.82);
  sc_model_free(model);
  synthetic_free(&s);
  synthetic_free(&fresh);
}

/* ---- learning ---- */

/* All tasks are matmuls, so that this part is the whole; some have 8 rows; the networks' tasks make up the whole. */
static void check_parts(const synthetic *s, const sc_evaluation *e) {
  size_t tasks = 0;
  double top1 = 0;
  assert_int_equal(e->nparts, 2 + (int)s->rows.nnetworks);
  assert_string_equal(e->part[0].name, "matmul");
  assert_memory_equal(&e->part[0].top1, &e->model.top1, sizeof e->model.top1);
  assert_memory_equal(&e->part[0].regret_ratio, &e->regret_ratio, sizeof e->regret_ratio);
  assert_string_equal(e->part[1].name, "few rows");
  assert_int_equal(e->part[1].tasks, (s->rows.ntasks + 6) / 7); /* M is 8 in every seventh */
  for (int i = 2; i < e->nparts; i++) {
    assert_string_equal(e->part[i].name, s->rows.network_name[i - 2]);
    tasks += e->part[i].tasks;
    top1 += (double)e->part[i].tasks * e->part[i].top1.value;
  }
  assert_true(tasks == e->tasks - s->rows.ntasks % 3); /* a network of one task is no part */
  assert_true(s->rows.ntasks % 3 || fabs(top1 / (double)tasks - e->model.top1.value) < 1e-9);
}

static void the_planted_truth_is_found(void **state) {
  synthetic s;
  sc_evaluation e;
  sc_str text = {0}, json = {0};
  assert_int_equal(synthetic_make(&s, 39, 40, 9, NULL), SC_OK);
  double *predicted = calloc(s.rows.n, sizeof *predicted);
  assert_int_equal(
      sc_evaluate(&s.rows, SC_HOLDOUT_NETWORK, NULL, &synthetic_quick, &e, &(sc_evaluated){.time_s = predicted}, NULL),
      SC_OK);
  assert_true(e.rows == s.rows.n && e.tasks == 39 && e.groups == 39 && e.networks == 13);
  assert_true(e.model.top1.value > 0.985 && e.model.pairs.value > 0.985 && e.model.mape.value < 0.06);
  assert_true(e.model.top1.value > e.analytic.top1.value && e.regret_ratio.value < 0.6 && e.regret_ratio.high < 1);
  assert_true(e.remeasured.top1.value == 1 && e.random.top1.value < 0.5); /* there is no noise */
  for (size_t i = 0; i < s.rows.n; i++) assert_true(fabs(log(predicted[i] / s.rows.time_s[i])) < 1);
  check_parts(&s, &e);
  sc_evaluation_print(&e, false, true, &text);
  sc_evaluation_print(&e, true, true, &json);
  assert_non_null(strstr(text.text, "re-measured"));
  assert_non_null(strstr(text.text, "claims need 100"));
  assert_non_null(strstr(json.text, "\"regret_ratio\": ["));
  sc_str_free(&text);
  sc_str_free(&json);
  free(predicted);
  synthetic_free(&s);
}

/* Rows that the model was trained on are not unseen. */
static void seen_rows_are_not_evaluated(void **state) {
  synthetic s, other;
  sc_model *model;
  sc_evaluation e;
  sc_error err;
  assert_int_equal(synthetic_make(&s, 12, 30, 10, NULL), SC_OK);
  assert_int_equal(synthetic_make(&other, 20, 30, 11, NULL), SC_OK);
  assert_int_equal(sc_model_train(&s.rows, &synthetic_quick, &model, NULL), SC_OK);
  assert_int_equal(sc_evaluate(&other.rows, SC_HOLDOUT_NONE, model, NULL, &e, NULL, &err), SC_MISMATCH);
  assert_non_null(strstr(err.text, "was trained on rows of the group"));
  for (size_t g = 0; g < other.rows.ngroups; g++) other.rows.group_name[g] = g % 2 ? "unseen-a" : "unseen-b";
  assert_int_equal(sc_evaluate(&other.rows, SC_HOLDOUT_NONE, model, NULL, &e, NULL, &err), SC_OK);
  assert_true(e.model.top1.value > 0.9 && e.model.coverage.value > 0.5);
  sc_str text = {0}; /* one group has scores, but no interval */
  for (size_t i = 0; i < other.rows.n; i++) other.rows.group[i] = 0;
  other.rows.ngroups = 1;
  assert_int_equal(sc_evaluate(&other.rows, SC_HOLDOUT_NONE, model, NULL, &e, NULL, &err), SC_OK);
  assert_true(e.model.top1.value > 0.9 && isnan(e.model.top1.low) && isnan(e.model.top1_p5.high));
  sc_evaluation_print(&e, false, true, &text);
  assert_non_null(strstr(text.text, " [-]"));
  assert_null(strstr(text.text, "nan"));
  sc_str_free(&text);
  assert_int_equal(sc_evaluate(&other.rows, SC_HOLDOUT_NONE, NULL, NULL, &e, NULL, &err), SC_USAGE);
  sc_model_free(model);
  synthetic_free(&s);
  synthetic_free(&other);
}

/* Each development network is predicted by a model that never saw it, and nothing else is scored. */
static void development_networks_alone_are_scored(void **state) {
  synthetic s;
  sc_evaluation e, all;
  sc_error err;
  sc_train_options o = synthetic_quick;
  o.trees = 15;
  assert_int_equal(synthetic_make(&s, 18, 16, 12, NULL), SC_OK); /* six networks of three tasks */
  bool development[6] = {false, true, false, false, true, false};
  double *predicted = calloc(s.rows.n, sizeof *predicted), *again = calloc(s.rows.n, sizeof *again);
  assert_int_equal(sc_evaluate(&s.rows, SC_HOLDOUT_DEVELOPMENT, NULL, &o, &e, NULL, &err), SC_UNSUPPORTED);
  s.rows.development = development;
  assert_int_equal(
      sc_evaluate(&s.rows, SC_HOLDOUT_DEVELOPMENT, NULL, &o, &e, &(sc_evaluated){.time_s = predicted}, &err), SC_OK);
  assert_true(e.rows == 96 && e.tasks == 6 && e.groups == 6 && e.networks == 2);
  assert_true(e.trained_groups == 15 && e.trained_rows == 240);
  assert_true(e.model.top1.value > 0.8 && e.remeasured.top1.value == 1 && e.model.coverage.value > 0.5);
  sc_train_options fast = o;
  fast.no_intervals = true;
  assert_int_equal(
      sc_evaluate(&s.rows, SC_HOLDOUT_DEVELOPMENT, NULL, &fast, &all, &(sc_evaluated){.time_s = again}, &err), SC_OK);
  assert_memory_equal(again, predicted, s.rows.n * sizeof *again);
  assert_true(all.model.mape.value == e.model.mape.value && isnan(all.model.coverage.value) && all.rows == e.rows);
  for (size_t i = 0; i < s.rows.n; i++) /* labels of the held-out network do not matter to its own predictions */
    if (s.rows.network[i] == 1) s.rows.time_s[i] *= 1 + (double)(i % 5);
  assert_int_equal(sc_evaluate(&s.rows, SC_HOLDOUT_DEVELOPMENT, NULL, &o, &e, &(sc_evaluated){.time_s = again}, &err),
                   SC_OK);
  for (size_t i = 0; i < s.rows.n; i++)
    if (s.rows.network[i] == 1) assert_true(predicted[i] == again[i]);
  assert_int_equal(sc_evaluate(&s.rows, SC_HOLDOUT_NETWORK, NULL, &o, &all, NULL, &err), SC_OK);
  assert_true(all.rows == s.rows.n && all.networks == 6);
  free(predicted);
  free(again);
  synthetic_free(&s);
}

/* A group of features that the truth hangs on is missed; one that is not there is refused by name. */
static void features_left_out_are_missed(void **state) {
  synthetic s;
  sc_evaluation with, without;
  sc_error err;
  assert_int_equal(synthetic_make(&s, 30, 20, 14, NULL), SC_OK);
  assert_int_equal(sc_evaluate(&s.rows, SC_HOLDOUT_GROUP, NULL, &synthetic_quick, &with, NULL, NULL), SC_OK);
  assert_int_equal(sc_rows_without(&s.rows, "tiles", &err), SC_USAGE);
  assert_non_null(strstr(err.text, "there are workload nest tile "));
  assert_int_equal(sc_rows_without(&s.rows, "tile", &err), SC_OK);
  for (size_t i = 0; i < s.rows.n; i++) {
    assert_true(s.rows.features[i * SC_FEATURE_COUNT + SC_FEATURE_tile_vectors] == 0);
    assert_true(s.rows.features[i * SC_FEATURE_COUNT + SC_FEATURE_flop] > 0);
  }
  assert_int_equal(sc_evaluate(&s.rows, SC_HOLDOUT_GROUP, NULL, &synthetic_quick, &without, NULL, NULL), SC_OK);
  assert_true(without.model.mape.value > 1.2 * with.model.mape.value);
  synthetic_free(&s);
}

/* A smaller share of the groups trains a worse model; a share out of range is refused. */
static void shares_of_the_groups(void **state) {
  synthetic s;
  sc_evaluation e[3];
  sc_train_options o = synthetic_quick;
  o.trees = 20;
  assert_int_equal(synthetic_make(&s, 40, 12, 13, NULL), SC_OK);
  const double share[] = {0.15, 0.5, 1};
  for (int i = 0; i < 3; i++) {
    o.share = share[i];
    assert_int_equal(sc_evaluate(&s.rows, SC_HOLDOUT_GROUP, NULL, &o, &e[i], NULL, NULL), SC_OK);
    assert_true(fabs(e[i].trained_rows - 12 * e[i].trained_groups) < 1e-6 && e[i].rows == s.rows.n);
  }
  assert_true(e[0].trained_groups < 12 && e[1].trained_groups > 12 && e[1].trained_groups < 26);
  assert_true(e[2].trained_groups == 36 && e[0].model.mape.value > 1.2 * e[2].model.mape.value);
  o.share = 1.5;
  assert_int_equal(sc_evaluate(&s.rows, SC_HOLDOUT_GROUP, NULL, &o, &e[0], NULL, NULL), SC_USAGE);
  synthetic_free(&s);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_pool_by_hand),
      cmocka_unit_test(ties_count_half),
      cmocka_unit_test(random_pick_is_its_expectation),
      cmocka_unit_test(levels_are_of_the_other_groups),
      cmocka_unit_test(bootstrap_knows_groups),
      cmocka_unit_test(paired_ratio_is_paired),
      cmocka_unit_test(coefficients_are_found_and_not_negative),
      cmocka_unit_test(a_fold_never_sees_its_own_labels),
      cmocka_unit_test(intervals_cover_ninety_per_cent),
      cmocka_unit_test(intervals_follow_the_noise),
      cmocka_unit_test(the_planted_truth_is_found),
      cmocka_unit_test(seen_rows_are_not_evaluated),
      cmocka_unit_test(development_networks_alone_are_scored),
      cmocka_unit_test(features_left_out_are_missed),
      cmocka_unit_test(shares_of_the_groups),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
