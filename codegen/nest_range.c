/* Ranges of the dims at a place of the nest: tiles, elements, sizes and classes of tiles. */
#include "codegen/nest.h"

int sc_range_loop(const nester *g, int d, int at) {
  if (at == SC_AT_KERNEL && g->split != SC_ROOT && d == g->nest->kloop[0]) return g->split;
  int n = at < g->nest->nnodes ? at : g->nest->nnodes;
  while (--n >= 0)
    if (g->nest->node[n].kind == SC_NODE_LOOP && g->nest->node[n].dim == d) return n;
  return SC_ROOT;
}

expr sc_range_lo(nester *g, int d, int at) {
  int n = sc_range_loop(g, d, at);
  return n == SC_ROOT ? sc_lit(0) : sc_var(n, "t%d", n);
}

expr sc_range_hi(nester *g, int d, int at) {
  int n = sc_range_loop(g, d, at);
  if (n == SC_ROOT) return sc_lit(g->nest->dim[d].tiles);
  if (n != g->split && g->nest->node[n].step == 1) return sc_var(n, "(t%d + 1)", n);
  return sc_name(n, SC_NAME_HI, n);
}

/* How many tiles the range has, 0 = not always the same. */
static int32_t fixed_count(const nester *g, int d, int at) {
  int n = sc_range_loop(g, d, at);
  if (n == SC_ROOT) return g->nest->dim[d].tiles;
  if (n == g->split) return 0;
  int32_t step = g->nest->node[n].step, around = fixed_count(g, d, n);
  return step == 1 || (around > 0 && around % step == 0) ? step : 0;
}

expr sc_range_count(nester *g, int d, int at) {
  int32_t count = fixed_count(g, d, at);
  return count ? sc_lit(count) : sc_sub(sc_range_hi(g, d, at), sc_range_lo(g, d, at));
}

expr sc_range_start(nester *g, int d, int at) {
  int n = sc_range_loop(g, d, at);
  if (n == SC_ROOT) return sc_lit(0);
  return sc_name(n, SC_NAME_START, n);
}

bool sc_tiling_uniform(const sc_tiling *tiling) {
  for (int i = 1; i < tiling->nsegs; i++)
    if (tiling->seg[i].size != tiling->seg[0].size) return false;
  return true;
}

expr sc_range_extent(nester *g, int d, int at) {
  const sc_tiling *tiling = &g->nest->dim[d];
  int32_t count = fixed_count(g, d, at);
  int n = sc_range_loop(g, d, at);
  if (n == SC_ROOT) return sc_lit(g->task->dim[d].size);
  if (count && sc_tiling_uniform(tiling)) return sc_lit((int64_t)count * tiling->seg[0].size);
  return sc_name(n, SC_NAME_EXTENT, n);
}

expr sc_tile_size(nester *g, int d) {
  const sc_tiling *tiling = &g->nest->dim[d];
  if (sc_tiling_uniform(tiling)) return sc_lit(tiling->seg[0].size);
  int n = sc_range_loop(g, d, SC_AT_KERNEL);
  return sc_name(n, SC_NAME_SIZE, n);
}

expr sc_tile_class(nester *g, int d) {
  if (g->nest->dim[d].nclasses == 1) return sc_lit(0);
  int n = sc_range_loop(g, d, SC_AT_KERNEL);
  return sc_name(n, SC_NAME_CLASS, n);
}

/* ---- piecewise functions of a tile number ---- */

void sc_text_start(const sc_tiling *tiling, const char *t, sc_str *out) {
  if (sc_tiling_uniform(tiling)) {
    sc_str_printf(out, tiling->seg[0].size == 1 ? "%s" : "%s * %d", t, tiling->seg[0].size);
    return;
  }
  for (int i = 0, j; i < tiling->nsegs; i = j) { /* segments of one size in a row are one piece */
    const sc_seg *seg = &tiling->seg[i];
    for (j = i + 1; j < tiling->nsegs && tiling->seg[j].size == seg->size;) j++;
    if (j < tiling->nsegs) sc_str_printf(out, "%s < %d ? ", t, tiling->seg[j].first);
    int32_t origin = seg->start - seg->first * seg->size;
    sc_str_printf(out, "%s * %d", t, seg->size);
    if (origin) sc_str_printf(out, " %c %d", origin < 0 ? '-' : '+', origin < 0 ? -origin : origin);
    if (j < tiling->nsegs) sc_str_add(out, " : ");
  }
}

static void piecewise(const sc_tiling *tiling, const char *t, const int32_t *value, sc_str *out) {
  for (int i = 0, j; i < tiling->nsegs; i = j) {
    for (j = i + 1; j < tiling->nsegs && value[j] == value[i];) j++;
    if (j < tiling->nsegs) sc_str_printf(out, "%s < %d ? ", t, tiling->seg[j].first);
    sc_str_printf(out, j < tiling->nsegs ? "%d : " : "%d", value[i]);
  }
}

void sc_text_size(const sc_tiling *tiling, const char *t, sc_str *out) {
  int32_t value[SC_MAX_SEGS];
  for (int i = 0; i < tiling->nsegs; i++) value[i] = tiling->seg[i].size;
  piecewise(tiling, t, value, out);
}

void sc_text_class(const sc_tiling *tiling, const char *t, sc_str *out) {
  int32_t value[SC_MAX_SEGS];
  for (int i = 0; i < tiling->nsegs; i++) value[i] = tiling->class_of[i];
  piecewise(tiling, t, value, out);
}

/* ---- clamps ---- */

bool sc_is_clamped(const nester *g, int d) {
  for (int i = 0; i < g->task->npads; i++)
    if (g->nest->pad[i] == SC_PAD_CLAMP && g->task->pad[i].red == d) return true;
  return false;
}

int sc_clamp_level(nester *g, int d) {
  int level = sc_range_loop(g, d, SC_AT_KERNEL);
  for (int i = 0; i < g->task->npads; i++) {
    if (g->nest->pad[i] != SC_PAD_CLAMP || g->task->pad[i].red != d) continue;
    int n = sc_range_loop(g, g->task->pad[i].free, SC_AT_KERNEL);
    if (n > level) level = n;
  }
  return level;
}
