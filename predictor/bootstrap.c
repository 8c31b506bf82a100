/* The bootstrap over groups: tasks of one group stand or fall together, so groups are what is drawn. A draw is a number
 * of copies of each group; the percentiles of the statistic over the draws are its interval. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "predictor/metrics.h"

typedef struct group_sum {
  double sum, n, other; /* other: of the denominator */
} group_sum;

static int by_value(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* No draws, no interval: those of one group would all be the same. */
static sc_metric summary(double value, double *drawn, int draws) {
  int kept = 0;
  for (int i = 0; i < draws; i++) {
    if (isfinite(drawn[i])) drawn[kept++] = drawn[i];
  }
  if (kept == 0) return (sc_metric){value, NAN, NAN};
  qsort(drawn, (size_t)kept, sizeof *drawn, by_value);
  return (sc_metric){value, drawn[(int)(0.025 * (kept - 1) + 0.5)], drawn[(int)(0.975 * (kept - 1) + 0.5)]};
}

/* Sums over the groups that have the measure; their number. */
static size_t sums(const sc_bootstrap *b, const sc_task_scores *other, sc_score measure, group_sum *group) {
  size_t used = 0;
  memset(group, 0, b->ngroups * sizeof *group);
  for (size_t t = 0; t < b->ntasks; t++) {
    const double value = b->scores[t].value[measure], second = other ? other[t].value[measure] : 0;
    if (!isfinite(value) || !isfinite(second)) continue;
    group_sum *g = &group[b->scores[t].group];
    g->sum += value;
    g->other += second;
    g->n++;
  }
  for (size_t g = 0; g < b->ngroups; g++) {
    if (group[g].n > 0) group[used++] = group[g];
  }
  return used;
}

static double statistic(const group_sum *s, bool ratio) {
  if (ratio) return s->other > 0 ? s->sum / s->other : NAN;
  return s->n > 0 ? s->sum / s->n : NAN;
}

static void add(group_sum *to, const group_sum *g) {
  to->sum += g->sum;
  to->other += g->other;
  to->n += g->n;
}

static sc_status of_sums(const sc_bootstrap *b, const sc_task_scores *other, sc_score measure, sc_metric *out,
                         sc_error *err) {
  group_sum *group = malloc((b->ngroups ? b->ngroups : 1) * sizeof *group);
  double *drawn = malloc((size_t)b->draws * sizeof *drawn);
  if (group && drawn) {
    const size_t n = sums(b, other, measure, group);
    group_sum all = {0};
    sc_rng rng;
    sc_rng_seed(&rng, b->seed, (uint64_t)measure);
    for (size_t g = 0; g < n; g++) add(&all, &group[g]);
    for (int i = 0; i < b->draws; i++) {
      group_sum draw = {0};
      for (size_t g = 0; g < n; g++) add(&draw, &group[sc_rng_below(&rng, n)]);
      drawn[i] = statistic(&draw, other != NULL);
    }
    *out = summary(statistic(&all, other != NULL), drawn, n < 2 ? 0 : b->draws);
  }
  const bool ok = group && drawn;
  free(group);
  free(drawn);
  return ok ? SC_OK : sc_fail(err, SC_NOMEM, "out of memory for the bootstrap");
}

sc_status sc_bootstrap_mean(const sc_bootstrap *b, sc_score measure, sc_metric *out, sc_error *err) {
  return of_sums(b, NULL, measure, out, err);
}

sc_status sc_bootstrap_ratio(const sc_bootstrap *b, const sc_task_scores *denominator, sc_score measure, sc_metric *out,
                             sc_error *err) {
  return of_sums(b, denominator, measure, out, err);
}

/* ---- percentile over tasks ---- */

typedef struct ranked {
  double value;
  uint32_t group;
} ranked;

static int by_rank(const void *a, const void *b) {
  const ranked *x = a, *y = b;
  if (x->value != y->value) return x->value < y->value ? -1 : 1;
  return (x->group > y->group) - (x->group < y->group);
}

/* Least value with 5 % of the copies at or below it. */
static double percentile(const ranked *sorted, size_t n, const uint32_t *copies) {
  double all = 0, sum = 0;
  for (size_t i = 0; i < n; i++) all += copies[sorted[i].group];
  for (size_t i = 0; i < n; i++) {
    sum += copies[sorted[i].group];
    if (sum > 0 && sum >= 0.05 * all) return sorted[i].value;
  }
  return NAN;
}

sc_status sc_bootstrap_p5(const sc_bootstrap *b, sc_score measure, sc_metric *out, sc_error *err) {
  const size_t room = b->ngroups ? b->ngroups : 1;
  ranked *sorted = malloc((b->ntasks ? b->ntasks : 1) * sizeof *sorted);
  uint32_t *copies = malloc(room * sizeof *copies);
  double *drawn = malloc((size_t)b->draws * sizeof *drawn);
  if (sorted && copies && drawn) {
    size_t n = 0;
    for (size_t t = 0; t < b->ntasks; t++) {
      const double value = b->scores[t].value[measure];
      if (isfinite(value)) sorted[n++] = (ranked){value, b->scores[t].group};
    }
    qsort(sorted, n, sizeof *sorted, by_rank);
    for (size_t g = 0; g < b->ngroups; g++) copies[g] = 1;
    const double value = percentile(sorted, n, copies);
    sc_rng rng;
    sc_rng_seed(&rng, b->seed, SC_MEASURE_COUNT + (uint64_t)measure);
    for (int i = 0; i < b->draws; i++) {
      memset(copies, 0, room * sizeof *copies);
      for (size_t g = 0; g < b->ngroups; g++) copies[sc_rng_below(&rng, b->ngroups)]++;
      drawn[i] = percentile(sorted, n, copies);
    }
    bool several = false;
    for (size_t i = 1; i < n; i++) several = several || sorted[i].group != sorted[0].group;
    *out = summary(value, drawn, several ? b->draws : 0);
  }
  const bool ok = sorted && copies && drawn;
  free(sorted);
  free(copies);
  free(drawn);
  return ok ? SC_OK : sc_fail(err, SC_NOMEM, "out of memory for the bootstrap");
}
