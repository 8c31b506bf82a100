/* Levels: the loops of a nest as a chain, with exact counts of how often each is begun and run, ragged ends included.
 * Ranges are rectangular, so a count is the product over dims of the number of intervals that the loops of one dim cut its
 * tiles into. */
#include "featurize/internal.h"

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

/* How far the loops of one dim have cut its tiles. */
typedef struct cut {
  double intervals; /* innermost ones */
  int32_t range; /* tiles in each that is whole */
  bool even; /* all are */
} cut;

/* The loop that narrows `dim` to `step` tiles, and the level inside it. */
static void push(sc_walk *w, int dim, int32_t step, bool in_kernel, cut *cuts) {
  if (w->nlevels == SC_MAX_LEVELS || w->nsteps[dim] == (int)SC_COUNT_OF(w->step[0])) return;
  const sc_tiling *tiling = &w->nest->dim[dim];
  const sc_level *outer = &w->level[w->nlevels - 1];
  sc_level *level = &w->level[w->nlevels++];
  cut *c = &cuts[dim];
  const double before = c->intervals;
  w->step[dim][w->nsteps[dim]++] = step;
  c->even &= c->range % step == 0;
  c->intervals = c->even ? tiling->tiles / step : sc_tile_intervals(w->step[dim], w->nsteps[dim], tiling->tiles);
  c->range = step;
  *level = *outer;
  level->dim = (int8_t)dim;
  level->reduce = w->p->task->reduce >> dim & 1;
  level->in_kernel = in_kernel;
  level->entries = outer->iterations;
  level->iterations = outer->iterations * (c->intervals / before);
  if (!level->reduce) level->free_iterations = outer->free_iterations * (c->intervals / before);
  const int64_t most = (int64_t)step * tiling->max_tile;
  if (most < level->extent[dim]) level->extent[dim] = (int32_t)most;
}

void sc_walk_levels(sc_walk *w) {
  const sc_nest *nest = w->nest;
  cut cuts[SC_MAX_DIMS];
  sc_level *root = &w->level[0];
  *root = (sc_level){.dim = -1, .entries = 1, .iterations = 1, .free_iterations = 1};
  w->nlevels = 1;
  w->par_tasks = 1;
  for (int d = 0; d < w->p->task->ndims; d++) {
    cuts[d] = (cut){1, nest->dim[d].tiles, true};
    root->extent[d] = w->p->task->dim[d].size;
  }
  root->extent[SC_MAX_DIMS] = 1;
  int par_left = 0;
  double par_outside = 0;
  for (int i = 0; i < nest->nnodes; i++) {
    const sc_node *node = &nest->node[i];
    const double here = w->level[w->nlevels - 1].iterations;
    if (node->kind == SC_NODE_PAR) {
      par_left = node->count;
      par_outside = here;
    } else if (node->kind == SC_NODE_LOOP) {
      push(w, node->dim, node->step > 0 ? node->step : 1, false, cuts);
      if (par_left > 0 && --par_left == 0) {
        w->par_level = w->nlevels - 1;
        w->par_regions += par_outside;
        w->par_tasks = w->level[w->par_level].iterations / par_outside;
      }
    } else if (node->kind == SC_NODE_PACK && node->pack < SC_MAX_PACKS) {
      w->pack_level_iterations[node->pack] += here;
    }
  }
  w->kernel_level = w->nlevels - 1;
  for (int d = 0; d < w->p->task->ndims; d++) w->outer_intervals[d] = cuts[d].intervals;
  for (int k = 0; k < nest->nkloops; k++) push(w, nest->kloop[k], 1, true, cuts);
  w->valid_share = 1;
  for (int i = 0; i < w->nlevels; i++) {
    w->iterations[i] = (float)w->level[i].iterations;
    w->free_iterations[i] = (float)w->level[i].free_iterations;
  }
  w->ragged = 0;
  for (int d = 0; d < w->p->task->ndims; d++) w->ragged += !cuts[d].even;
  for (int p = 0; p < w->p->task->npads; p++) {
    const bool skipped = nest->pad[p] == SC_PAD_PEEL || nest->pad[p] == SC_PAD_CLAMP;
    if (skipped) w->valid_share *= w->p->inside[p];
  }
}
