/* Pools: rows in the order of their tasks (a counting sort), each task's times gathered and scored. */
#include "predictor/pools.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct gathered {
  double *truth, *predicted, *low, *high, *work; /* 6 n numbers in one allocation, truth first */
  uint32_t *row; /* by task */
  size_t *first; /* ntasks + 1 */
} gathered;

static bool gather(const sc_rows *rows, gathered *g) {
  const size_t n = rows->n ? rows->n : 1;
  g->truth = malloc(6 * n * sizeof *g->truth);
  g->row = malloc(n * sizeof *g->row);
  g->first = calloc(rows->ntasks + 2, sizeof *g->first);
  if (!g->truth || !g->row || !g->first) return false;
  g->predicted = g->truth + n;
  g->low = g->truth + 2 * n;
  g->high = g->truth + 3 * n;
  g->work = g->truth + 4 * n;
  for (size_t i = 0; i < rows->n; i++) g->first[rows->task[i] + 2]++;
  for (size_t t = 2; t < rows->ntasks + 2; t++) g->first[t] += g->first[t - 1];
  for (size_t i = 0; i < rows->n; i++) g->row[g->first[rows->task[i] + 1]++] = (uint32_t)i;
  return true;
}

bool sc_pools_belongs(const sc_rows *rows, uint32_t row) {
  const sc_record *record = rows->record ? rows->record[row] : NULL;
  return record == NULL || (record->proposal != SC_PROPOSED_MODEL && record->proposal != SC_PROPOSED_NEIGHBOUR);
}

static void score_task(const sc_rows *rows, const sc_scored_times *times, bool random, gathered *g, size_t t,
                       sc_task_scores *out) {
  size_t n = 0;
  double error = 0; /* within the shard */
  for (int m = 0; m < SC_MEASURE_COUNT; m++) out->value[m] = NAN;
  out->group = g->first[t] < g->first[t + 1] ? rows->group[g->row[g->first[t]]] : 0;
  for (size_t i = g->first[t]; i < g->first[t + 1]; i++) {
    const uint32_t row = g->row[i];
    if (!sc_pools_belongs(rows, row) || !(times->truth[row] > 0) || !(times->predicted[row] > 0)) continue;
    g->truth[n] = times->truth[row];
    g->predicted[n] = times->predicted[row];
    g->low[n] = times->low ? times->low[row] : 0;
    g->high[n] = times->high ? times->high[row] : 0;
    error += times->level ? fabs(times->predicted[row] * times->level[row] / times->truth[row] - 1) : NAN;
    n++;
  }
  if (n < 2) return;
  if (random) {
    sc_pool_random(g->truth, n, g->work, out);
    return;
  }
  sc_pool_scores(g->truth, g->predicted, times->low ? g->low : NULL, times->high ? g->high : NULL, n, g->work, out);
  out->value[SC_SHARD_MAPE] = error / (double)n;
}

sc_status sc_pools_score(const sc_rows *rows, const sc_scored_times *times, bool random, sc_task_scores *scores,
                         sc_error *err) {
  gathered g = {0};
  const bool ok = gather(rows, &g);
  for (size_t t = 0; ok && t < rows->ntasks; t++) score_task(rows, times, random, &g, t, &scores[t]);
  free(g.truth);
  free(g.row);
  free(g.first);
  return ok ? SC_OK : sc_fail(err, SC_NOMEM, "out of memory for %zu rows", rows->n);
}
