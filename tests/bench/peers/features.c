/* Ansor describes the innermost statement of a loop nest over scalars: how much is computed, annotations of loops, for each
 * buffer what is touched and reused, arithmetic intensity from the innermost loop to the outermost. Our nest becomes such
 * loops: those around the kernel, those of the kernel, those of a register tile, the vector innermost. */
#include "tests/bench/peers/features.h"

#include <math.h>
#include <string.h>

enum { MOST_LOOPS = SC_MAX_NODES + SC_MAX_KLOOPS + SC_MAX_DIMS, CURVE = 10, LINE = 64 };

typedef struct loops {
  int n;
  int dim[MOST_LOOPS];
  double trips[MOST_LOOPS];
  double extent[MOST_LOOPS + 1][SC_MAX_DIMS]; /* elements of each dim inside loop i - 1; the last is one point */
  int unrolled, parallel; /* loops of the register tile, at the end; collapsed parallel loops */
  double parallel_trips;
} loops;

static double slog(double x) { return log2(1 + x); }

static void add_loop(loops *l, int dim, double trips, double elements) {
  if (trips <= 1 || l->n == MOST_LOOPS) return;
  l->dim[l->n] = dim;
  l->trips[l->n] = trips;
  for (int d = 0; d < SC_MAX_DIMS; d++) l->extent[l->n + 1][d] = l->extent[l->n][d];
  l->extent[++l->n][dim] = elements;
}

static void expand(const sc_task *task, const sc_nest *nest, loops *l) {
  double tiles[SC_MAX_DIMS];
  *l = (loops){.parallel_trips = 1};
  for (int d = 0; d < task->ndims; d++) {
    tiles[d] = nest->dim[d].tiles;
    l->extent[0][d] = task->dim[d].size;
  }
  for (int i = 0, collapsed = 0; i < nest->nnodes; i++) {
    const sc_node *node = &nest->node[i];
    if (node->kind == SC_NODE_PAR) collapsed = node->count;
    if (node->kind != SC_NODE_LOOP) continue;
    const double trips = ceil(tiles[node->dim] / node->step);
    if (collapsed-- > 0) {
      l->parallel++;
      l->parallel_trips *= trips;
    }
    tiles[node->dim] = node->step;
    add_loop(l, node->dim, trips, fmin(l->extent[l->n][node->dim], (double)node->step * nest->dim[node->dim].max_tile));
  }
  for (int k = 0; k < nest->nkloops; k++) {
    const int d = nest->kloop[k];
    add_loop(l, d, tiles[d], nest->dim[d].max_tile);
  }
  const int before = l->n;
  for (int d = 0; d < task->ndims; d++)
    if (d != nest->vector) add_loop(l, d, nest->dim[d].max_tile, 1);
  if (nest->vector >= 0) add_loop(l, nest->vector, nest->dim[nest->vector].max_tile, 1);
  l->unrolled = l->n - before;
}

/* Elements and lines of an access in a box of these extents. */
static double touched(const sc_task *task, const sc_access *access, const double *extent, double *lines) {
  const sc_tensor *tensor = &task->tensor[access->tensor];
  double elements = 1, inner = 1;
  for (int a = 0; a < tensor->naxes; a++) {
    const sc_index *x = &access->axis[a];
    double span = 1;
    for (int k = 0; k < 2; k++)
      if (x->dim[k] >= 0) span += x->coef[k] * (extent[x->dim[k]] - 1);
    span = fmin(span, tensor->shape[a]);
    elements *= span;
    if (a == tensor->naxes - 1) inner = span;
  }
  *lines = elements / inner * ceil(inner * 4 / LINE);
  return elements;
}

typedef struct writer {
  float *row;
  int n;
} writer;

static void put(writer *w, double value) {
  if (w->n < PEER_FEATURES) w->row[w->n++] = (float)value;
}

/* The loop, from the innermost outwards, that does not move the access: what it reuses, and how far apart. */
static void put_buffer(writer *w, const sc_task *task, const sc_access *access, const loops *l) {
  double iterations = 1, all = 1, lines, unique_lines, distance_iterations = 0, distance_bytes = 0, reuses = 1;
  bool found = false;
  for (int i = l->n - 1; i >= 0 && !found; i--) {
    if (!(access->dims >> l->dim[i] & 1)) {
      found = true;
      reuses = l->trips[i];
      distance_iterations = iterations;
      for (int a = 0; a < 3; a++) distance_bytes += 4 * touched(task, &task->access[a], l->extent[i + 1], &lines);
    }
    iterations *= l->trips[i];
  }
  for (int i = 0; i < l->n; i++) all *= l->trips[i];
  const double unique = 4 * touched(task, access, l->extent[0], &unique_lines), bytes = 4 * all;
  const double stride = l->n ? (double)access->stride[l->dim[l->n - 1]] : 0;
  lines = stride == 0 && l->n ? all / l->trips[l->n - 1] : all * fmin(1, stride * 4 / LINE);
  const double value[] = {
      bytes,  unique,         lines,           unique_lines,   distance_iterations,   distance_bytes,
      reuses, bytes / reuses, unique / reuses, lines / reuses, unique_lines / reuses, fabs(stride)};
  for (size_t i = 0; i < SC_COUNT_OF(value); i++) put(w, slog(value[i]));
  put(w, found);
}

/* Work over bytes inside each loop, at ten equal steps of the logarithm of the work. */
static void put_curve(writer *w, const sc_task *task, const loops *l) {
  double work[MOST_LOOPS + 1], intensity[MOST_LOOPS + 1], inside = 2, lines;
  for (int i = l->n; i >= 0; i--) {
    double bytes = 0;
    for (int a = 0; a < 3; a++) bytes += 4 * touched(task, &task->access[a], l->extent[i], &lines);
    work[l->n - i] = log2(inside);
    intensity[l->n - i] = slog(inside / bytes);
    if (i > 0) inside *= l->trips[i - 1];
  }
  for (int k = 0, i = 0; k < CURVE; k++) {
    const double at = work[0] + (work[l->n] - work[0]) * (k + 1) / CURVE;
    while (i < l->n && work[i] < at - 1e-9) i++;
    const double span = i > 0 ? work[i] - work[i - 1] : 0, share = span > 0 ? (at - work[i - 1]) / span : 1;
    put(w, i > 0 ? intensity[i - 1] + share * (intensity[i] - intensity[i - 1]) : intensity[0]);
  }
}

int ansor_features(const sc_task *task, const sc_nest *nest, float *row) {
  loops l;
  writer w = {row, 0};
  double outer = 1, unrolled = 1, allocated = 0;
  memset(row, 0, PEER_FEATURES * sizeof *row);
  expand(task, nest, &l);
  for (int i = 0; i < l.n; i++) *(i < l.n - l.unrolled ? &outer : &unrolled) *= l.trips[i];
  put(&w, slog(task->flop / 2)); /* float_mad */
  put(&w, slog(nest->lanes));
  put(&w, nest->vector >= 0 && (task->reduce >> nest->vector & 1)); /* a reduction is vectorised */
  put(&w, l.unrolled);
  put(&w, slog(unrolled));
  put(&w, l.n ? slog(l.trips[l.n - 1]) : 0);
  put(&w, l.parallel);
  put(&w, slog(l.parallel_trips));
  put(&w, slog(outer));
  put(&w, l.n);
  put(&w, slog(nest->unroll)); /* auto_unroll_max_step */
  for (int p = 0; p < nest->npacks; p++) allocated += 4 * (double)nest->pack[p].elems;
  put(&w, slog(allocated));
  put(&w, nest->npacks);
  for (int a = 0; a < 3; a++) put_buffer(&w, task, &task->access[a], &l);
  put_curve(&w, task, &l);
  return w.n;
}

int raw_features(const sc_task *task, const sc_schedule *schedule, float *row) {
  writer w = {row, 0};
  memset(row, 0, PEER_FEATURES * sizeof *row);
  for (int d = 0; d < 8; d++) put(&w, d < task->ndims ? task->dim[d].size : 0);
  for (int d = 0; d < 8; d++) put(&w, d < task->ndims && schedule->nruns[d] ? schedule->run[d][0].size : 1);
  for (int b = 1; b <= 4; b++)
    for (int d = 0; d < 8; d++)
      put(&w, b < schedule->nbands && d < task->ndims && schedule->group[b][d] ? (float)schedule->group[b][d] : 1);
  for (int b = 1; b <= 5; b++)
    for (int i = 0; i < 4; i++) put(&w, b <= schedule->nbands && i < schedule->norder[b] ? schedule->order[b][i] : -1);
  put(&w, schedule->vector);
  put(&w, schedule->lanes);
  put(&w, schedule->nkloops);
  for (int k = 0; k < 3; k++) put(&w, k < schedule->nkloops ? schedule->kloop[k] : -1);
  put(&w, schedule->unroll);
  for (int a = 0; a < 3; a++) {
    int band = 0;
    for (int p = 0; p < schedule->npacks; p++)
      if (schedule->pack[p].access == a) band = schedule->pack[p].band;
    put(&w, band);
  }
  put(&w, schedule->nparallel);
  return w.n;
}
