/* Set conflicts. Lines whose addresses agree modulo sets x line share a set. Of a box of strides, strides that return
 * to the same sets after `period` steps pile up n / period lines; together they reach no more sets than their common
 * divisor leaves. Both are pigeonhole bounds, so the result never exceeds what the box really piles up. */
#include <math.h>

#include "featurize/internal.h"

static int64_t gcd(int64_t a, int64_t b) { return (int64_t)sc_gcd((uint64_t)a, (uint64_t)b); }

static int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

static int log2_of(int64_t power) { return __builtin_ctzll((unsigned long long)power); }

/* The same for a power of two of sets, which they mostly are: all divisors are powers of two, so nothing is divided. */
static double by_shifts(const sc_shape *shape, int line_shift, int set_shift) {
  const int wrap_shift = set_shift + line_shift;
  const int64_t span_lines = (shape->span + ((int64_t)1 << line_shift) - 1) >> line_shift;
  const int64_t wraps = (span_lines + ((int64_t)1 << set_shift) - 1) >> set_shift;
  if (shape->nsparse == 0) return (double)wraps;
  int common = wrap_shift;
  int64_t single = 1, count = 1;
  for (int i = 0; i < shape->nsparse; i++) {
    const int lowest = log2_of(shape->sparse[i].stride), divisor = lowest < wrap_shift ? lowest : wrap_shift;
    const int period = wrap_shift - divisor;
    if (divisor < common) common = divisor;
    single *= (shape->sparse[i].n + ((int64_t)1 << period) - 1) >> period;
    count *= shape->sparse[i].n;
  }
  const int reach = wrap_shift - common < set_shift ? wrap_shift - common : set_shift;
  const int64_t together = (count + ((int64_t)1 << reach) - 1) >> reach;
  const int64_t mean = (count * span_lines + ((int64_t)1 << set_shift) - 1) >> set_shift;
  const int64_t piled = (single > together ? single : together) * wraps;
  return (double)(piled > mean ? piled : mean);
}

double sc_lines_per_set(const sc_shape *shape, int line_shift, int64_t sets) {
  if (sets < 1) return 0;
  if ((sets & (sets - 1)) == 0) return by_shifts(shape, line_shift, log2_of(sets));
  const int64_t wrap = sets << line_shift, span_lines = ceil_div(shape->span, (int64_t)1 << line_shift);
  double single = 1;
  int64_t common = wrap;
  for (int i = 0; i < shape->nsparse; i++) {
    const int64_t divisor = gcd(shape->sparse[i].stride, wrap), period = wrap / divisor;
    common = gcd(common, divisor);
    single *= (double)ceil_div(shape->sparse[i].n, period);
  }
  const double reach = sc_min((double)(wrap / common), (double)sets);
  const double wraps = (double)ceil_div(span_lines, sets);
  return sc_max(sc_max(single, ceil(shape->count / reach)) * wraps,
                ceil(shape->count * (double)span_lines / (double)sets));
}

/* ---- of a nest ---- */

static int64_t sets_of(const sc_rates *m, int cache) {
  return (int64_t)(m->capacity_bytes[cache] / m->ways[cache]) >> m->line_shift;
}

void sc_walk_pressure(sc_walk *w) {
  const sc_rates *m = &w->p->rates;
  const int64_t l1_sets = sets_of(m, 0), l2_sets = sets_of(m, 1);
  unsigned looped = 0; /* dims of the kernel's loops */
  for (int k = 0; k < w->nest->nkloops; k++) looped |= 1u << w->nest->kloop[k];
  for (int a = 0; a < 3; a++) {
    const sc_map *map = w->operand[a]->map;
    sc_pressure *p = &w->pressure[a];
    sc_map_shape(map, w->extent, w->kernel_level, m->line_shift, &p->shape);
    p->l1 = sc_lines_per_set(&p->shape, m->line_shift, l1_sets) / m->ways[0];
    p->l2 = sc_lines_per_set(&p->shape, m->line_shift, l2_sets) / m->ways[1];
    p->pages = sc_shape_pages(&p->shape, m->page_shift);
    p->tile_l1 = p->l1;
    if ((looped & w->p->task->access[a].dims) == 0) continue; /* a call touches one register tile of it */
    sc_shape tile;
    sc_map_shape(map, w->extent, w->nlevels - 1, m->line_shift, &tile);
    p->tile_l1 = sc_lines_per_set(&tile, m->line_shift, l1_sets) / m->ways[0];
  }
}

double sc_conflict_lines(const sc_walk *w) {
  const int last = w->nlevels - 1, kernel = w->kernel_level;
  double lines = 0;
  for (int a = 0; a < 3; a++) {
    const sc_stream *s = w->operand[a];
    const sc_pressure *p = &w->pressure[a];
    if (a == 0) { /* partial sums are fetched and stored once a call */
      if (p->l1 > 1) lines += 2 * (double)s->lines[kernel] * w->iterations[kernel];
    } else if (p->tile_l1 > 1) lines += (double)s->lines[last] * w->iterations[last];
    else if (p->l1 > 1) lines += (double)s->lines[kernel] * w->iterations[kernel];
  }
  return lines;
}
