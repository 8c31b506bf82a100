/* Levels: the loops of a nest as a chain, with exact counts of how often each is begun and run, ragged ends included.
 * Ranges are rectangular, so a count is the product over dims of the number of intervals that the loops of one dim cut
 * its tiles into. */
#include "featurize/internal.h"
#include "featurize/wide.h"

double sc_tile_intervals(const int32_t *step, int n, int64_t range) {
  if (n == 0 || range <= 0) return range > 0 ? 1 : 0;
  const int64_t whole = range / step[0], rest = range - whole * step[0];
  double count = 0;
  if (whole > 0) count = (double)whole * (n == 1 ? 1 : sc_tile_intervals(step + 1, n - 1, step[0]));
  if (rest > 0) count += n == 1 ? 1 : sc_tile_intervals(step + 1, n - 1, rest);
  return count;
}

double sc_tile_interval_of(const int32_t *step, int n, int64_t tile) {
  double index = 0;
  for (int i = 0; i < n; i++) {
    const int64_t whole = tile / step[i];
    if (whole > 0) index += (double)whole * (i + 1 == n ? 1 : sc_tile_intervals(step + i + 1, n - i - 1, step[i]));
    tile -= whole * step[i];
  }
  return index;
}

/* What the loops so far have narrowed each dim to, in the nest before and in this one, 0 = to nothing; in how many dims
 * they differ. */
typedef struct narrowed {
  int32_t before[SC_MAX_DIMS], now[SC_MAX_DIMS];
  int differ;
} narrowed;

static inline void narrow(narrowed *n, int32_t *to, int dim, int32_t step) {
  n->differ -= n->before[dim] != n->now[dim];
  to[dim] = step;
  n->differ += n->before[dim] != n->now[dim];
}

/* The next loop. Of the `known` levels it leads into the one that stands there where nothing was narrowed to anything
 * else: equal loops are not enough, as loops that meet are one, and then the steps further in are others. */
static inline void add_level(sc_walk *w, narrowed *n, int known, int dim, int32_t step) {
  const int i = w->nlevels++;
  if (i < known) {
    const bool same_loop = w->dim[i] == dim && w->step[i] == step;
    narrow(n, n->before, w->dim[i], w->step[i]);
    narrow(n, n->now, dim, step);
    if (same_loop && n->differ == 0) return;
  }
  w->dim[i] = (uint8_t)dim;
  w->step[i] = step;
  if (w->first_changed > i) w->first_changed = i;
  w->last_changed = i;
}

/* The loops, and where the packs and the parallel loops stand among them. */
static void find_loops(sc_walk *w, bool only_orders) {
  const sc_nest *nest = w->nest;
  narrowed n = {0};
  const int known = only_orders ? w->nlevels : 0;
  w->first_changed = only_orders ? SC_MAX_LEVELS : 0;
  w->last_changed = 0;
  w->par_outside = w->par_level = 0;
  w->nlevels = 1;
  for (int i = 0; i < nest->nnodes; i++) {
    const sc_node *node = &nest->node[i];
    if (node->kind == SC_NODE_LOOP) {
      add_level(w, &n, known, node->dim, node->step > 0 ? node->step : 1);
    } else if (node->kind == SC_NODE_PAR) {
      w->par_outside = w->nlevels - 1;
      w->par_level = w->par_outside + node->count;
    } else if (node->kind != SC_NODE_KERNEL && node->pack < SC_MAX_PACKS) {
      w->pack_level[node->pack] = (uint8_t)(w->nlevels - 1);
    }
  }
  w->kernel_level = w->nlevels - 1;
  for (int k = 0; k < nest->nkloops; k++) add_level(w, &n, known, nest->kloop[k], 1);
  if (w->nlevels != known) w->last_changed = w->nlevels - 1;
}

/* Extents of a dim from `level` on, in whole vectors. */
static inline void fill(double *extent, int level, int nlevels, double elements) {
  const sc_doubles all = (sc_doubles){0} + elements;
  for (int i = level; i < nlevels; i += SC_DOUBLES) memcpy(extent + i, &all, sizeof all);
}

/* Cuts the tiles of a dim into steps: how many iterations that is for each of the loops around, on average. */
static inline double cut_into(sc_walk *w, sc_cut *c, int dim, int32_t step) {
  const int32_t whole = c->range / step;
  const bool even = whole * step == c->range;
  SC_ASSERT(c->n < (int)SC_COUNT_OF(c->step)); /* a loop a band, and the kernel's */
  c->step[c->n++] = step;
  c->range = step;
  if (c->even && even) {
    c->intervals *= whole;
    return whole;
  }
  const double before = c->intervals;
  w->ragged += c->even;
  c->even = false;
  c->intervals = sc_tile_intervals(c->step, c->n, w->nest->dim[dim].tiles);
  return c->intervals / before;
}

SC_CLONES
void sc_walk_levels(sc_walk *w, bool only_orders) {
  const sc_task *task = w->p->task;
  find_loops(w, only_orders);
  w->same_calls = only_orders && !(w->nest->free_kloop && w->nest->dim[w->nest->kloop[0]].nsegs > 1);
  w->ragged = 0;
  w->iterations[0] = w->free_iterations[0] = 1;
  w->times[0] = w->free_times[0] = 1;
  for (int d = 0; d < task->ndims; d++) {
    sc_cut *c = &w->cut[d];
    c->tile = w->nest->dim[d].max_tile;
    c->size = task->dim[d].size;
    c->intervals = 1;
    c->range = w->nest->dim[d].tiles;
    c->even = true;
    c->n = 0;
  }
  fill(w->extent[SC_MAX_DIMS], 0, w->nlevels, 1);
  for (int i = 0; i < w->p->ndims; i++) fill(w->extent[w->p->dim[i]], 0, w->nlevels, task->dim[w->p->dim[i]].size);
  for (int i = 1; i < w->nlevels; i++) {
    const int d = w->dim[i];
    sc_cut *c = &w->cut[d];
    if (i > w->kernel_level) {
      w->same_calls = w->same_calls && c->outer_intervals == c->intervals;
      c->outer_intervals = c->intervals;
    }
    const double trips = cut_into(w, c, d, w->step[i]);
    w->iterations[i] = w->iterations[i - 1] * trips;
    w->free_iterations[i] = w->free_iterations[i - 1] * (task->reduce >> d & 1 ? 1 : trips);
    w->times[i] = (float)w->iterations[i];
    w->free_times[i] = (float)w->free_iterations[i];
    fill(w->extent[d], i, w->nlevels, sc_min(w->step[i] * c->tile, c->size));
  }
  w->valid_share = 1;
  for (int p = 0; p < task->npads; p++) {
    const bool skipped = w->nest->pad[p] == SC_PAD_PEEL || w->nest->pad[p] == SC_PAD_CLAMP;
    if (skipped) w->valid_share *= w->p->inside[p];
  }
}
