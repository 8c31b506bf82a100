/* Drawing without repetition: all in order, uniform, or along a low-discrepancy sequence. */
#include <stdlib.h>
#include <string.h>

#include "sampler/bound.h"
#include "sampler/sobol.h"

typedef struct drawer {
  const sc_space_bound *bound;
  sc_sample_fn *each;
  void *user;
  sc_rng rng;
  sc_error *err;
} drawer;

static sc_status nomem(const drawer *d) { return sc_fail(d->err, SC_NOMEM, "out of memory"); }

static sc_status give(const drawer *d, sc_count rank) {
  sc_schedule schedule;
  SC_TRY(sc_space_at(d->bound, rank, &schedule));
  return d->each(d->user, &schedule);
}

/* Most of a small space: the first n of a shuffle of everything. */
static sc_status shuffled(drawer *d, size_t n, size_t count) {
  if (count > SIZE_MAX / sizeof(size_t)) return nomem(d);
  size_t *rank = malloc((count ? count : 1) * sizeof *rank);
  if (!rank) return nomem(d);
  for (size_t i = 0; i < count; i++) rank[i] = i;
  sc_status status = SC_OK;
  for (size_t i = 0; i < n && status == SC_OK; i++) {
    size_t j = i + (size_t)sc_rng_below(&d->rng, count - i), swap = rank[i];
    rank[i] = rank[j];
    rank[j] = swap;
    status = give(d, rank[i]);
  }
  free(rank);
  return status;
}

/* A set of ranks; *fresh: it was not in it. */
static sc_status remember(sc_memo *seen, sc_count rank, bool *fresh) {
  uint64_t key[2] = {(uint64_t)rank, (uint64_t)(rank >> 64)};
  uint32_t ignored;
  seen->words = 2;
  *fresh = !sc_memo_find(seen, key, &ignored);
  return *fresh ? sc_memo_put(seen, key, 0) : SC_OK;
}

static sc_status rejecting(drawer *d, size_t n, sc_count count) {
  sc_memo seen = {0};
  sc_status status = SC_OK;
  for (size_t i = 0; i < n && status == SC_OK;) {
    sc_count rank = sc_rng_below128(&d->rng, count);
    bool fresh;
    status = remember(&seen, rank, &fresh);
    if (status != SC_OK) nomem(d);
    else if (fresh) {
      status = give(d, rank);
      i++;
    }
  }
  sc_memo_free(&seen);
  return status;
}

/* ---- Sobol ---- */

/* The edge, member and rest that the fraction u of a node's schedules falls on: the inverse of its running counts. */
static sc_count at_fraction(sc_count count, double u) {
  sc_count high = (sc_count)(u * 0x1p53); /* u < 1 has 53 bits: count * high needs up to 181 of them */
  sc_count quotient = count >> 53, rest = count & (((sc_count)1 << 53) - 1);
  sc_count at = quotient * high + (rest * high >> 53);
  return at < count ? at : count - 1;
}

/* A coordinate for every level of the graph; one that takes part of an edge's members leaves the rest to the others. */
static sc_count point_rank(const sc_space_bound *bound, const double *u) {
  sc_path path;
  uint32_t node = bound->root;
  sc_level level = {SC_LEVEL_COMBO, 0};
  path.n = 0;
  path.combo = NULL;
  do {
    int i = path.n++;
    sc_count at = at_fraction(bound->graph.node[node].count, u[i]);
    path.level[i] = level;
    path.node[i] = node;
    sc_node_take(bound, node, &at, &path.edge[i], &path.member[i]);
    const sc_edge *taken = &sc_edges_of(bound, node)[path.edge[i]];
    if (!path.combo) path.combo = &bound->combo[taken->what];
    node = taken->child;
  } while (sc_level_next(bound, path.combo, &level));
  return sc_path_rank(bound, &path);
}

static int count_levels(const sc_space_bound *bound) {
  sc_path path;
  sc_path_at(bound, 0, &path);
  return path.n; /* the same for all: every combo has all dims */
}

/* Points whose schedule was there already are passed over; after long in vain the rest is uniform. */
static sc_status sobol(drawer *d, size_t n, uint64_t seed) {
  sc_sobol *sequence;
  sc_memo seen = {0};
  double u[SC_MAX_LEVELS];
  size_t given = 0, vain = 0;
  sc_count count = sc_space_count(d->bound);
  SC_TRY(sc_sobol_new(count_levels(d->bound), seed, &sequence, d->err));
  sc_status status = SC_OK;
  while (given < n && status == SC_OK) {
    sc_count rank;
    bool fresh;
    if (vain < 1000 + n) {
      sc_sobol_next(sequence, u);
      rank = point_rank(d->bound, u);
    } else rank = sc_rng_below128(&d->rng, count);
    status = remember(&seen, rank, &fresh);
    if (status != SC_OK) nomem(d);
    else if (fresh) {
      status = give(d, rank);
      given++;
    } else vain++;
  }
  sc_memo_free(&seen);
  sc_sobol_free(sequence);
  return status;
}

sc_status sc_space_sample(const sc_space_bound *bound, sc_sampling sampling, size_t n, uint64_t seed,
                          sc_sample_fn *each, void *user, sc_error *err) {
  drawer d = {.bound = bound, .each = each, .user = user, .err = err};
  sc_count count = sc_space_count(bound);
  sc_rng_seed(&d.rng, seed, 0);
  if (n > count) n = (size_t)count;
  switch (sampling) {
  case SC_SAMPLE_EXHAUSTIVE: return sc_space_each(bound, 0, n, each, user);
  case SC_SAMPLE_SOBOL: return sobol(&d, n, seed);
  default: return n > count / 2 ? shuffled(&d, n, (size_t)count) : rejecting(&d, n, count);
  }
}
