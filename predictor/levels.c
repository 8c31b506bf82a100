/* How fast the machine was. Times of one shard may be compared, those of two days not quite: while its neighbours are
 * quiet a shared machine clocks higher. That factor is no error of a model, which cannot know it. */
#include <math.h>
#include <stdlib.h>

#include "predictor/names.h"
#include "predictor/pools.h"

enum { LEAST_OTHERS = 3 };

/* The error of one row, by what its shard and group are. */
typedef struct place {
  uint32_t shard, group, row;
  double error;
} place;

static int by_shard_and_group(const void *a, const void *b) {
  const place *x = a, *y = b;
  if (x->shard != y->shard) return x->shard < y->shard ? -1 : 1;
  if (x->group != y->group) return x->group < y->group ? -1 : 1;
  return (x->row > y->row) - (x->row < y->row);
}

/* Rows that are scored. SC_NO_NAME: out of memory. */
static size_t find_places(const sc_rows *rows, const sc_scored_times *times, sc_names *shards, place *at) {
  size_t n = 0;
  for (size_t i = 0; i < rows->n; i++) {
    if (!rows->record || !rows->record[i] || !sc_pools_belongs(rows, (uint32_t)i)) continue;
    if (!(times->truth[i] > 0) || !(times->predicted[i] > 0)) continue;
    const uint32_t shard = sc_names_add(shards, rows->record[i]->shard);
    if (shard == SC_NO_NAME) return SC_NO_NAME;
    at[n++] = (place){shard, rows->group[i], (uint32_t)i, log(times->truth[i] / times->predicted[i])};
  }
  qsort(at, n, sizeof *at, by_shard_and_group);
  return n;
}

static double group_mean(const place *at, size_t n, size_t *end) {
  double sum = 0;
  for (*end = 0; *end < n && at[*end].group == at->group; (*end)++) sum += at[*end].error;
  return sum / (double)*end;
}

/* One shard: the level of each group's rows is the mean over the other groups. */
static void level_shard(const place *at, size_t n, double *level) {
  double sum = 0, groups = 0;
  size_t end;
  for (size_t i = 0; i < n; i += end, groups++) sum += group_mean(at + i, n - i, &end);
  if (groups < LEAST_OTHERS + 1) return;
  for (size_t i = 0; i < n; i += end) {
    const double others = (sum - group_mean(at + i, n - i, &end)) / (groups - 1);
    for (size_t k = i; k < i + end; k++) level[at[k].row] = exp(others);
  }
}

sc_status sc_pools_levels(const sc_rows *rows, const sc_scored_times *times, double *level, sc_error *err) {
  sc_names shards = {.arena = sc_arena_new()};
  place *at = malloc((rows->n + 1) * sizeof *at);
  const size_t n = shards.arena && at ? find_places(rows, times, &shards, at) : SC_NO_NAME;
  for (size_t i = 0; i < rows->n; i++) level[i] = 1;
  for (size_t i = 0, end; n != SC_NO_NAME && i < n; i = end) {
    for (end = i; end < n && at[end].shard == at[i].shard;) end++;
    level_shard(at + i, end - i, level);
  }
  if (shards.arena) sc_arena_free(shards.arena);
  free(at);
  return n == SC_NO_NAME ? sc_fail(err, SC_NOMEM, "out of memory for %zu rows", rows->n) : SC_OK;
}
