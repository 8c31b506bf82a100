/* Methods that pick schedules, compared by measurements of what they picked: how near each comes to the best time that
 * is known of a task, and how near random draws come. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "predictor/metrics.h"

enum { DRAWS = 10000, LEAST_DRAWN = 200 /* rows, of which a task's draws are */ };

typedef struct comparing {
  const sc_rows *rows;
  double *best; /* time known, by task; INFINITY: none */
  sc_task_scores *scores; /* by task; one value is used */
  uint64_t seed;
} comparing;

static sc_status mean(const comparing *c, sc_metric *out, sc_error *err) {
  const sc_bootstrap b = {c->scores, c->rows->ntasks, c->rows->ngroups, DRAWS, c->seed};
  return sc_bootstrap_mean(&b, SC_TOP1, out, err);
}

/* Share of the tasks that reach it. */
static sc_status within(const comparing *c, const double *reached, double least, sc_metric *out, sc_error *err) {
  for (size_t t = 0; t < c->rows->ntasks; t++)
    c->scores[t].value[SC_TOP1] = isnan(reached[t]) ? NAN : reached[t] >= least;
  return mean(c, out, err);
}

static sc_status summarise(const comparing *c, const double *reached, sc_method_score *out, sc_error *err) {
  out->least = NAN;
  for (size_t t = 0; t < c->rows->ntasks; t++) {
    c->scores[t].value[SC_TOP1] = reached[t];
    if (isnan(reached[t])) continue;
    out->tasks++;
    out->least = fmin(out->least, reached[t]);
  }
  SC_TRY(mean(c, &out->reached, err));
  SC_TRY(within(c, reached, 0.98, &out->within2, err));
  return within(c, reached, 0.95, &out->within5, err);
}

/* ---- picks ---- */

static const char *task_of(const sc_rows *rows, size_t i) { return rows->task_name[rows->task[i]]; }

/* The record of a row, NULL = none. */
static const sc_record *record_of(const sc_rows *rows, size_t i) { return rows->record ? rows->record[i] : NULL; }

/* The fastest row that a pick was measured in; rows->n: none. */
static size_t find(const sc_rows *rows, const sc_method_pick *pick) {
  size_t found = rows->n;
  for (size_t i = 0; i < rows->n; i++) {
    const sc_record *record = record_of(rows, i);
    if (!record || record->nest_hash != pick->nest || strcmp(task_of(rows, i), pick->task) != 0) continue;
    if (found == rows->n || rows->time_s[i] < rows->time_s[found]) found = i;
  }
  return found;
}

static sc_status compare_method(const comparing *c, const sc_method_pick *pick, size_t npicks, int method,
                                double *reached, sc_method_score *out, sc_error *err) {
  for (size_t t = 0; t < c->rows->ntasks; t++) reached[t] = NAN;
  for (size_t i = 0; i < npicks; i++) {
    if (pick[i].method != method) continue;
    const size_t row = find(c->rows, &pick[i]);
    if (row == c->rows->n) out->missing++;
    else reached[c->rows->task[row]] = c->best[c->rows->task[row]] / c->rows->time_s[row];
  }
  return summarise(c, reached, out, err);
}

/* ---- draws ---- */

static int by_value(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* What the best of k of n times, ascending, reaches of the first in expectation: the i-th is the best with the chance
 * that it is drawn and none before it is. */
static double expected(const double *time, size_t n, size_t k) {
  double none_before = 1, sum = 0; /* of the first i, none is among the k */
  for (size_t i = 0; i + k <= n; i++) {
    const double chance = (double)k / (double)(n - i);
    sum += none_before * chance * time[0] / time[i];
    none_before *= 1 - chance;
  }
  return sum;
}

static size_t gather_draws(const sc_rows *rows, size_t task, double *time) {
  size_t n = 0;
  for (size_t i = 0; i < rows->n; i++) {
    const sc_record *record = record_of(rows, i);
    if (rows->task[i] == task && record && record->proposal == SC_PROPOSED_UNIFORM) time[n++] = rows->time_s[i];
  }
  qsort(time, n, sizeof *time, by_value);
  return n;
}

static sc_status compare_draws(const comparing *c, size_t k, double *time, double *reached, sc_method_score *out,
                               sc_error *err) {
  for (size_t t = 0; t < c->rows->ntasks; t++) {
    const size_t n = gather_draws(c->rows, t, time);
    reached[t] = n >= LEAST_DRAWN ? c->best[t] / time[0] * expected(time, n, k) : NAN;
  }
  return summarise(c, reached, out, err);
}

/* ---- all ---- */

static sc_status compare(const comparing *c, const sc_method_pick *pick, size_t npicks, int nmethods, double *time,
                         double *reached, sc_method_score *method, sc_method_score *draws, sc_error *err) {
  static const size_t drawn[SC_METHOD_DRAWS] = {1, 10, 100};
  const sc_rows *rows = c->rows;
  for (size_t t = 0; t < rows->ntasks; t++) c->best[t] = INFINITY;
  for (size_t i = 0; i < rows->n; i++) {
    c->best[rows->task[i]] = fmin(c->best[rows->task[i]], rows->time_s[i]);
    c->scores[rows->task[i]].group = rows->group[i];
  }
  for (int m = 0; m < nmethods; m++) SC_TRY(compare_method(c, pick, npicks, m, reached, &method[m], err));
  for (int d = 0; d < SC_METHOD_DRAWS; d++) SC_TRY(compare_draws(c, drawn[d], time, reached, &draws[d], err));
  return SC_OK;
}

sc_status sc_methods_compare(const sc_rows *rows, const sc_method_pick *pick, size_t npicks, int nmethods,
                             uint64_t seed, sc_method_score *method, sc_method_score draws[SC_METHOD_DRAWS],
                             sc_error *err) {
  const size_t ntasks = rows->ntasks ? rows->ntasks : 1;
  double *room = malloc((2 * ntasks + rows->n) * sizeof *room);
  comparing c = {rows, room, calloc(ntasks, sizeof *c.scores), seed};
  memset(method, 0, (size_t)nmethods * sizeof *method);
  memset(draws, 0, SC_METHOD_DRAWS * sizeof *draws);
  const sc_status status =
      room && c.scores ? compare(&c, pick, npicks, nmethods, room + 2 * ntasks, room + ntasks, method, draws, err)
                       : sc_fail(err, SC_NOMEM, "out of memory for %zu tasks", rows->ntasks);
  free(c.scores);
  free(room);
  return status;
}
