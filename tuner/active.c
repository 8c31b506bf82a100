/* What to measure next of a pool: a weighted farthest-point traversal (Gonzalez 1985). Next is always the schedule whose
 * distance to everything taken, times how fast and how uncertain a model thinks it to be, is largest: one that stands for
 * many, that matters, and that is not known. Distances are between rows of features, standardised over the pool and
 * projected to a few random directions, which keeps them (Johnson & Lindenstrauss 1984). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tuner/tuner.h"

enum { DIRECTIONS = 32 };

typedef struct choosing {
  const sc_active_pool *pool;
  float (*place)[DIRECTIONS];
  float *distance; /* squared, to the nearest that is taken */
  float *weight;
} choosing;

/* A standard normal number (Box & Muller 1958). */
static double normal(sc_rng *rng) {
  const double u = sc_rng_unit(rng), v = sc_rng_unit(rng);
  return sqrt(-2 * log(1 - u)) * cos(2 * 3.14159265358979 * v);
}

/* Features that are the same in all of the pool say nothing. */
static void project(choosing *c, uint64_t seed) {
  const sc_active_pool *pool = c->pool;
  sc_rng rng;
  sc_rng_seed(&rng, seed, 0);
  memset(c->place, 0, pool->n * sizeof *c->place);
  for (int f = 0; f < SC_FEATURE_COUNT; f++) {
    double sum = 0, squares = 0;
    float direction[DIRECTIONS];
    for (int d = 0; d < DIRECTIONS; d++) direction[d] = (float)normal(&rng);
    for (size_t i = 0; i < pool->n; i++) {
      const double x = pool->features[i * SC_FEATURE_COUNT + (size_t)f];
      sum += x;
      squares += x * x;
    }
    const double mean = sum / (double)pool->n, variance = squares / (double)pool->n - mean * mean;
    if (!(variance > 1e-9)) continue;
    const float scale = (float)(1 / sqrt(variance));
    for (size_t i = 0; i < pool->n; i++) {
      const float x = (pool->features[i * SC_FEATURE_COUNT + (size_t)f] - (float)mean) * scale;
      for (int d = 0; d < DIRECTIONS; d++) c->place[i][d] += x * direction[d];
    }
  }
}

static void approach(choosing *c, size_t taken) {
  float at[DIRECTIONS];
  memcpy(at, c->place[taken], sizeof at);
  for (size_t i = 0; i < c->pool->n; i++) {
    float sum = 0;
    for (int d = 0; d < DIRECTIONS; d++) sum += (c->place[i][d] - at[d]) * (c->place[i][d] - at[d]);
    c->distance[i] = fminf(c->distance[i], sum);
  }
}

/* Speed as a share of the fastest of the task, times the spread over its mean: squared, as distances are. */
static sc_status weigh(choosing *c, sc_error *err) {
  const sc_active_pool *pool = c->pool;
  double *least = malloc((pool->ntasks + 1) * sizeof *least), mean = 0;
  if (!least) return sc_fail(err, SC_NOMEM, "out of memory");
  for (size_t t = 0; t < pool->ntasks; t++) least[t] = INFINITY;
  for (size_t i = 0; i < pool->n; i++) {
    least[pool->task[i]] = fmin(least[pool->task[i]], pool->time_s[i]);
    mean += pool->spread ? pool->spread[i] / (double)pool->n : 0;
  }
  for (size_t i = 0; i < pool->n; i++) {
    const double promising = least[pool->task[i]] / pool->time_s[i];
    const double uncertain = pool->spread && mean > 0 ? pool->spread[i] / mean : 1;
    c->weight[i] = (float)(promising * promising * uncertain * uncertain);
  }
  free(least);
  return SC_OK;
}

static void choose(choosing *c, size_t n, uint32_t *chosen) {
  const sc_active_pool *pool = c->pool;
  for (size_t i = 0; i < pool->n; i++) c->distance[i] = INFINITY;
  for (size_t i = 0; i < pool->n; i++)
    if (pool->taken[i]) approach(c, i);
  for (size_t k = 0; k < n; k++) {
    size_t best = pool->n;
    double most = -1;
    for (size_t i = 0; i < pool->n; i++) {
      const double worth = (isinf(c->distance[i]) ? 1 : (double)c->distance[i]) * (double)c->weight[i];
      if (pool->taken[i] || !(worth > most)) continue;
      most = worth;
      best = i;
    }
    SC_ASSERT(best < pool->n);
    pool->taken[best] = true;
    chosen[k] = (uint32_t)best;
    approach(c, best);
  }
}

sc_status sc_active_choose(const sc_active_pool *pool, size_t n, uint64_t seed, uint32_t *chosen, sc_error *err) {
  size_t left = 0;
  for (size_t i = 0; i < pool->n; i++) left += !pool->taken[i];
  if (n > left) return sc_fail(err, SC_USAGE, "%zu of %zu schedules that are left", n, left);
  if (n == 0) return SC_OK;
  choosing c = {pool, malloc(pool->n * sizeof *c.place), malloc(pool->n * sizeof *c.distance),
                malloc(pool->n * sizeof *c.weight)};
  sc_status status = c.place && c.distance && c.weight
                         ? weigh(&c, err)
                         : sc_fail(err, SC_NOMEM, "out of memory for a pool of %zu schedules", pool->n);
  if (status == SC_OK) {
    project(&c, seed);
    choose(&c, n, chosen);
  }
  free(c.place);
  free(c.distance);
  free(c.weight);
  return status;
}
