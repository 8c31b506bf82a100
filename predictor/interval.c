/* Normalised conformal intervals (Papadopoulos 2008; Lei 2018): quantiles of residual / scale over rows that their
 * model never saw. The exchangeable unit is the group, so groups weigh alike and the finite-sample correction counts
 * groups (Lee, Barber, Willett 2023). The two tails have quantiles of their own: what a model picks is more often
 * slower than predicted. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "predictor/internal.h"

enum { CLASS_GROUPS = 20, LEAST_GROUPS = 9, PICKED = 10 };

typedef struct scored {
  double score, weight, predicted;
  uint32_t row, task;
} scored;

static int by_score(const void *a, const void *b) {
  const scored *x = a, *y = b;
  return (x->score > y->score) - (x->score < y->score);
}

static int by_task_then_time(const void *a, const void *b) {
  const scored *x = a, *y = b;
  if (x->task != y->task) return x->task < y->task ? -1 : 1;
  return (x->predicted > y->predicted) - (x->predicted < y->predicted);
}

/* Smallest score with at least `share` of the weight at or below it. */
static double quantile(scored *s, size_t n, double share) {
  double sum = 0;
  qsort(s, n, sizeof *s, by_score);
  for (size_t i = 0; i < n; i++) {
    sum += s[i].weight;
    if (sum >= share) return s[i].score;
  }
  return s[n - 1].score;
}

/* Both tails of n scores whose weights are set per group: 5 % each, then widened together until 90 % are inside when
 * one more group might score anything. With fewer than LEAST_GROUPS nothing can promise that: then all are inside. */
static void tails(scored *s, size_t n, double groups, double *low, double *high) {
  *high = fmax(quantile(s, n, 0.95), 0.1);
  for (size_t i = 0; i < n; i++) s[i].score = -s[i].score;
  *low = fmax(quantile(s, n, 0.95), 0.1);
  for (size_t i = 0; i < n; i++) s[i].score = fmax(s[i].score / *low, -s[i].score / *high);
  const double wider = fmax(quantile(s, n, 0.9 * (groups + 1) / groups), 0.1);
  *low *= wider;
  *high *= wider;
}

/* Groups weigh alike; `count` is scratch for one number a group. Returns how many there are. */
static double weigh(const sc_rows *rows, scored *s, size_t n, uint32_t *count) {
  double groups = 0;
  memset(count, 0, rows->ngroups * sizeof *count);
  for (size_t i = 0; i < n; i++) groups += count[rows->group[s[i].row]]++ == 0;
  for (size_t i = 0; i < n; i++) s[i].weight = 1 / (groups * count[rows->group[s[i].row]]);
  return groups;
}

static bool is_of(const sc_rows *rows, uint32_t row, const char *op) {
  const char *task = rows->task_name[rows->task[row]];
  const size_t n = strlen(op);
  return n == 0 || (strncmp(task, op, n) == 0 && task[n] == ':');
}

typedef struct pool {
  const sc_rows *rows;
  const uint32_t *index;
  size_t n;
  const double *score, *predicted_s; /* by row */
  scored *s; /* room for n */
  uint32_t *count; /* room for one number a group */
} pool;

/* The scores of one class: all of them, then those of the ten that the model likes best of each task. */
static void calibrate(const pool *p, sc_quantiles *q) {
  const char *op = strcmp(q->name, "pooled") == 0 ? "" : q->name;
  scored *s = p->s;
  size_t m = 0, kept = 0, rank = 0;
  for (size_t i = 0; i < p->n; i++) {
    const uint32_t row = p->index[i];
    if (is_of(p->rows, row, op)) s[m++] = (scored){p->score[row], 0, p->predicted_s[row], row, p->rows->task[row]};
  }
  if (m == 0) return;
  const double groups = weigh(p->rows, s, m, p->count);
  q->groups = (uint32_t)groups;
  tails(s, m, groups, &q->low, &q->high);
  qsort(s, m, sizeof *s, by_task_then_time);
  for (size_t i = 0; i < m; i++) {
    rank = i > 0 && s[i].task == s[i - 1].task ? rank + 1 : 0;
    if (rank >= PICKED) continue;
    scored best = s[i];
    best.score = p->score[best.row]; /* `tails` overwrote it */
    p->s[kept++] = best;
  }
  tails(s, kept, weigh(p->rows, s, kept, p->count), &q->picked_low, &q->picked_high);
  if (groups >= LEAST_GROUPS) return;
  q->picked_low = fmax(q->picked_low, q->low); /* ten schedules of so few tasks show no tail of their own */
  q->picked_high = fmax(q->picked_high, q->high);
}

static bool listed(const sc_intervals *intervals, const char *task, size_t n) {
  for (int c = 1; c < intervals->n; c++) {
    if (strncmp(intervals->at[c].name, task, n) == 0 && intervals->at[c].name[n] == '\0') return true;
  }
  return n >= SC_NAME;
}

sc_status sc_intervals_calibrate(const sc_rows *rows, const uint32_t *index, size_t n, const double *score,
                                 const double *predicted_s, sc_intervals *intervals, sc_error *err) {
  scored *s = malloc((n ? n : 1) * sizeof *s);
  uint32_t *count = malloc((rows->ngroups ? rows->ngroups : 1) * sizeof *count);
  const pool p = {rows, index, n, score, predicted_s, s, count};
  const bool ok = s && count;
  intervals->n = 1;
  intervals->at[0] = (sc_quantiles){.name = "pooled"};
  if (ok) calibrate(&p, &intervals->at[0]);
  for (size_t t = 0; ok && t < rows->ntasks && intervals->n <= SC_MAX_CLASSES; t++) {
    const char *task = rows->task_name[t];
    const size_t length = strcspn(task, ":");
    if (listed(intervals, task, length)) continue;
    sc_quantiles *q = &intervals->at[intervals->n];
    memset(q, 0, sizeof *q);
    memcpy(q->name, task, length);
    calibrate(&p, q);
    intervals->n += q->groups > 0;
  }
  free(s);
  free(count);
  return ok ? SC_OK : sc_fail(err, SC_NOMEM, "out of memory for %zu scores", n);
}

const sc_quantiles *sc_intervals_find(const sc_intervals *intervals, const char *op) {
  for (int c = 1; c < intervals->n; c++) {
    if (strcmp(intervals->at[c].name, op) == 0 && intervals->at[c].groups >= CLASS_GROUPS) return &intervals->at[c];
  }
  return &intervals->at[0];
}

sc_quantiles sc_intervals_widest(const sc_intervals *intervals) {
  sc_quantiles widest = intervals->at[0];
  for (int c = 1; c < intervals->n; c++) {
    const sc_quantiles *q = &intervals->at[c];
    widest.low = fmax(widest.low, q->low);
    widest.high = fmax(widest.high, q->high);
    widest.picked_low = fmax(widest.picked_low, q->picked_low);
    widest.picked_high = fmax(widest.picked_high, q->picked_high);
  }
  return widest;
}
