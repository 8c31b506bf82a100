/* Scores of one pool: how good the predicted best are, and how well the order and the times are predicted. */
#include "predictor/metrics.h"

#include <math.h>
#include <stdlib.h>

static int by_value(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double smallest(const double *value, size_t n) {
  double best = value[0];
  for (size_t i = 1; i < n; i++) best = fmin(best, value[i]);
  return best;
}

/* Least true time among the k predicted best; ties of the prediction count with the earlier row. */
static double best_of_top(const double *truth, const double *predicted, size_t n, size_t k, double *order) {
  double best = INFINITY;
  for (size_t i = 0; i < n; i++) order[i] = predicted[i];
  for (size_t j = 0; j < k && j < n; j++) {
    size_t at = 0;
    for (size_t i = 1; i < n; i++) at = order[i] < order[at] ? i : at;
    best = fmin(best, truth[at]);
    order[at] = INFINITY;
  }
  return best;
}

typedef struct pairs {
  double apart, right; /* pairs more than 10 % apart, those ordered right (a tie is half right) */
  double concordant, discordant, tied_truth, tied_predicted;
} pairs;

static void count_pair(double t0, double t1, double p0, double p1, pairs *c) {
  const int truth = (t0 > t1) - (t0 < t1), predicted = (p0 > p1) - (p0 < p1);
  if (truth == 0 && predicted == 0) return;
  if (truth == 0) c->tied_truth++;
  else if (predicted == 0) c->tied_predicted++;
  else if (truth == predicted) c->concordant++;
  else c->discordant++;
  if (fmax(t0, t1) > 1.1 * fmin(t0, t1)) {
    c->apart++;
    c->right += predicted == 0 ? 0.5 : truth == predicted;
  }
}

static double tau_b(const pairs *c) {
  const double ordered = c->concordant + c->discordant;
  const double scale = sqrt((ordered + c->tied_truth) * (ordered + c->tied_predicted));
  return scale > 0 ? (c->concordant - c->discordant) / scale : NAN;
}

static void intervals(const double *truth, const double *predicted, const double *low, const double *high, size_t n,
                      double *work, sc_task_scores *out) {
  out->value[SC_COVERAGE] = out->value[SC_HALF_WIDTH] = NAN;
  if (low == NULL || high == NULL) return;
  double covered = 0;
  for (size_t i = 0; i < n; i++) {
    covered += truth[i] >= low[i] && truth[i] <= high[i];
    work[i] = (high[i] - low[i]) / 2 / predicted[i];
  }
  qsort(work, n, sizeof *work, by_value);
  out->value[SC_COVERAGE] = covered / (double)n;
  out->value[SC_HALF_WIDTH] = (work[(n - 1) / 2] + work[n / 2]) / 2;
}

void sc_pool_scores(const double *truth, const double *predicted, const double *low, const double *high, size_t n,
                    double *work, sc_task_scores *out) {
  const double best = smallest(truth, n), first = best_of_top(truth, predicted, n, 1, work);
  pairs count = {0};
  double error = 0, place = 1;
  for (size_t i = 0; i < n; i++) {
    place += truth[i] < first;
    error += fabs(predicted[i] / truth[i] - 1);
    for (size_t j = i + 1; j < n; j++) count_pair(truth[i], truth[j], predicted[i], predicted[j], &count);
  }
  out->value[SC_TOP1] = best / first;
  out->value[SC_TOP5] = best / best_of_top(truth, predicted, n, 5, work);
  out->value[SC_REGRET1] = first / best - 1;
  out->value[SC_POOL] = (double)n;
  out->value[SC_BEST] = best;
  out->value[SC_PLACE1] = place;
  out->value[SC_PAIRS] = count.apart > 0 ? count.right / count.apart : NAN;
  out->value[SC_TAU] = tau_b(&count);
  out->value[SC_MAPE] = error / (double)n;
  intervals(truth, predicted, low, high, n, work, out);
}

void sc_pool_random(const double *truth, size_t n, double *work, sc_task_scores *out) {
  const double best = smallest(truth, n);
  double top1 = 0, top5 = 0, regret = 0, miss = 1; /* miss: chance that five draws hold none of the i best */
  for (size_t i = 0; i < n; i++) {
    work[i] = truth[i];
    top1 += best / truth[i] / (double)n;
    regret += (truth[i] / best - 1) / (double)n;
  }
  qsort(work, n, sizeof *work, by_value);
  const double k = n < 5 ? (double)n : 5;
  for (size_t i = 0; i < n; i++) {
    const double left = (double)(n - i), next = left > k ? miss * (left - k) / left : 0;
    top5 += (miss - next) * best / work[i];
    miss = next;
  }
  for (int m = 0; m < SC_MEASURE_COUNT; m++) out->value[m] = NAN;
  out->value[SC_TOP1] = top1;
  out->value[SC_TOP5] = top5;
  out->value[SC_REGRET1] = regret;
  out->value[SC_PAIRS] = 0.5;
  out->value[SC_TAU] = 0;
}
