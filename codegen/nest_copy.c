/* Copies of packs. Every part of the layout is a loop: outer parts run over tiles, the others over elements, and blocks
 * of the tensor split an element loop once more. The two innermost element loops become one call of sc_copy, chosen so
 * that it reads and writes rows wherever some order allows it. Reads are clipped to the tensor; what a pack pads is set
 * to 0 first. */
#include <stdio.h>

#include "codegen/nest.h"

/* A loop over elements: trips, strides in the buffer and in the tensor. */
typedef struct walk {
  expr count, to, from;
} walk;

typedef struct copier {
  nester *g;
  int p, at; /* pack, and its place */
  const sc_nest_pack *pack;
  const sc_access *access;
  const sc_tensor *tensor;
  int divided, banded; /* parts whose loop the threads divide, and that runs around the panels; -1 = none */
  expr band_lo, band_hi;
  int nwalks, nopen; /* element loops; braces opened */
  walk walk[SC_MAX_AXES];
  sum to, from; /* offsets */
  expr tile[SC_MAX_DIMS];
  strides strides;
} copier;

static bool is_padded(const copier *c, int x) {
  for (int i = 0; i < c->g->task->npads; i++)
    if (c->g->task->pad[i].access == c->pack->access && c->g->task->pad[i].axis == x) return true;
  return false;
}

static expr range_start(const copier *c, int d) { return c->pack->ahead ? sc_lit(0) : sc_range_start(c->g, d, c->at); }

/* First index of the box along an axis. */
static expr box_start(const copier *c, int x) {
  const sc_index *index = &c->access->axis[x];
  expr at = sc_lit(index->offset);
  for (int k = 0; k < 2; k++)
    if (index->dim[k] >= 0) at = sc_add(at, sc_mul(sc_lit(index->coef[k]), range_start(c, index->dim[k])));
  return at;
}

/* Names a value in the generated code, unless it is a literal. */
static expr name(const copier *c, const char *prefix, int number, expr value) {
  if (value.literal) return value;
  sc_put(c->g, "const int64_t %s%d = %s;", prefix, number, sc_read(c->g, &value));
  return sc_var(c->at, "%s%d", prefix, number);
}

/* [*lo, *hi) becomes this thread's share of it. */
static void divide(const copier *c, int part, expr *lo, expr *hi) {
  if (part != c->divided) return;
  expr n = sc_sub(*hi, *lo), both = sc_reading(n, *lo);
  expr low = sc_var(c->at, "%s + %s * tid / nt", lo->text, n.text);
  expr high = sc_var(c->at, "%s + %s * (tid + 1) / nt", lo->text, n.text);
  *lo = name(c, "my_lo", part, sc_reading(low, both));
  *hi = name(c, "my_hi", part, sc_reading(high, both));
}

/* The part with enough trips for any team, from outside, or else the one with the most. */
static int choose_divided(const copier *c) {
  enum { ENOUGH = 16 };
  int best = 0;
  int64_t most = 0;
  for (int i = 0; i < c->pack->layout.nparts; i++) {
    sc_part part = c->pack->layout.part[i];
    int64_t trips = c->pack->extent[part.axis];
    int d = c->access->axis[part.axis].dim[0];
    if (part.kind == SC_PART_OUTER) trips /= c->g->nest->dim[d].max_tile;
    if (part.kind == SC_PART_INNER) trips = c->g->nest->dim[d].max_tile;
    if (trips >= ENOUGH) return i;
    if (trips > most) most = trips, best = i;
  }
  return best;
}

/* ---- loops ---- */

/* Tiles of an axis: their first element is w<d>, their size the width of the panel. */
static void tile_loop(copier *c, int part) {
  nester *g = c->g;
  int d = c->access->axis[c->pack->layout.part[part].axis].dim[0];
  const sc_tiling *tiling = &g->nest->dim[d];
  expr lo = c->pack->ahead ? sc_lit(0) : sc_range_lo(g, d, c->at);
  expr hi = c->pack->ahead ? sc_lit(tiling->tiles) : sc_range_hi(g, d, c->at);
  char tile[16];
  divide(c, part, &lo, &hi);
  snprintf(tile, sizeof tile, "q%d", d);
  sc_begin(g, "for (int64_t %s = %s; %s < %s; %s++) {", tile, sc_read(g, &lo), tile, sc_read(g, &hi), tile);
  c->nopen++;
  sc_str text = {0};
  sc_text_start(tiling, tile, &text);
  sc_put(g, "const int64_t w%d = %s;", d, sc_str_text(&text));
  sc_str_clear(&text);
  sc_text_size(tiling, tile, &text);
  if (!sc_tiling_uniform(tiling)) sc_put(g, "const int64_t width%d = %s;", d, sc_str_text(&text));
  c->tile[d] = sc_tiling_uniform(tiling) ? sc_lit(tiling->seg[0].size) : sc_var(c->at, "width%d", d);
  sc_str_free(&text);
}

/* First index of an element loop in the tensor; in the buffer it starts at 0. */
static expr first_index(const copier *c, int part) {
  int x = c->pack->layout.part[part].axis;
  if (c->pack->layout.part[part].kind == SC_PART_WHOLE) return box_start(c, x);
  return sc_add(sc_var(c->at, "w%d", c->access->axis[x].dim[0]), sc_lit(c->access->axis[x].offset));
}

/* Elements [*lo, *hi) of an axis, or of one tile of it, that lie in the tensor and are this thread's. */
static void element_range(copier *c, int part, expr *lo, expr *hi) {
  int x = c->pack->layout.part[part].axis;
  bool whole = c->pack->layout.part[part].kind == SC_PART_WHOLE;
  *lo = sc_lit(0);
  *hi = whole ? sc_pack_extent(c->g, c->p, x) : c->tile[c->access->axis[x].dim[0]];
  if (is_padded(c, x)) {
    expr first = first_index(c, part);
    *lo = name(c, "lo", part, sc_max(*lo, sc_sub(sc_lit(0), first)));
    *hi = name(c, "hi", part, sc_min(*hi, sc_sub(sc_lit(c->tensor->shape[x]), first)));
  }
  divide(c, part, lo, hi);
}

/* Panel after panel would touch every page of the tensor for each; so the rows that are read go in bands around the
 * panels. */
enum { ROWS = 16 };

static int choose_banded(const copier *c) {
  int best = -1;
  bool panels = false;
  for (int i = 0; i < c->pack->layout.nparts; i++) {
    sc_part part = c->pack->layout.part[i];
    panels |= part.kind == SC_PART_OUTER;
    if (part.kind != SC_PART_WHOLE || c->tensor->layout.block[part.axis] || c->access->inner_stride[part.axis] == 1 ||
        c->pack->extent[part.axis] <= ROWS)
      continue;
    if (best < 0 || c->pack->extent[part.axis] > c->pack->extent[c->pack->layout.part[best].axis]) best = i;
  }
  return panels ? best : -1;
}

static void band_loop(copier *c) {
  int part = c->banded;
  expr lo, hi;
  element_range(c, part, &lo, &hi);
  sc_begin(c->g, "for (int64_t r%d = %s; r%d < %s; r%d += %d) {", part, sc_read(c->g, &lo), part, sc_read(c->g, &hi),
           part, ROWS);
  c->nopen++;
  c->band_lo = sc_var(c->at, "r%d", part);
  c->band_hi = name(c, "top", part, sc_min(sc_add(c->band_lo, sc_lit(ROWS)), hi));
}

static void element_loop(copier *c, int part) {
  nester *g = c->g;
  int x = c->pack->layout.part[part].axis, block = c->tensor->layout.block[x];
  expr first = first_index(c, part), lo = c->band_lo, hi = c->band_hi;
  expr inner = sc_lit(c->access->inner_stride[x]), to = c->strides.part[part];
  if (part != c->banded) element_range(c, part, &lo, &hi);
  if (block) {
    sc_begin(g, "for (int64_t y%d = %s, s%d; y%d < %s; y%d += s%d) {", part, sc_read(g, &lo), part, part,
             sc_read(g, &hi), part, part);
    c->nopen++;
    lo = sc_var(c->at, "y%d", part);
    expr at = sc_add(first, lo);
    sc_put(g, "s%d = SC_LEAST(%s - y%d, %d - %s %% %d);", part, sc_read(g, &hi), part, block, sc_read(g, &at), block);
    sc_sum_add(&c->from, sc_reading(sc_var(c->at, "sc_blocked(%s, %d, %lld, %s)", at.text, block,
                                           (long long)c->access->outer_stride[x], inner.text),
                                    at));
    c->walk[c->nwalks++] = (walk){sc_var(c->at, "s%d", part), to, inner};
  } else {
    sc_sum_add(&c->from, sc_mul(sc_add(first, lo), inner));
    expr count = sc_sub(hi, lo);
    if (!count.literal || count.value != 1) c->walk[c->nwalks++] = (walk){count, to, inner};
  }
  sc_sum_add(&c->to, sc_mul(lo, to));
}

static void add_sum(nester *g, sc_str *out, const sum *s) {
  for (int i = 0; i < s->n; i++) sc_str_printf(out, " + %s", sc_read(g, &s->term[i]));
}

/* The last walk writes a row. If it does not read one, the walk that does comes next to it. */
static void order_walks(copier *c) {
  if (c->nwalks < 2 || (c->walk[c->nwalks - 1].from.literal && c->walk[c->nwalks - 1].from.value == 1)) return;
  for (int i = 0; i < c->nwalks - 2; i++) {
    walk reads = c->walk[i];
    if (!reads.from.literal || reads.from.value != 1) continue;
    for (int j = i; j < c->nwalks - 2; j++) c->walk[j] = c->walk[j + 1];
    c->walk[c->nwalks - 2] = reads;
    return;
  }
}

static void emit_walks(copier *c) {
  nester *g = c->g;
  order_walks(c);
  int i = 0;
  for (; i < c->nwalks - 2; i++) {
    sc_begin(g, "for (int64_t i%d = 0; i%d < %s; i%d++) {", i, i, sc_read(g, &c->walk[i].count), i);
    c->nopen++;
    sc_sum_add(&c->to, sc_mul(sc_var(c->at, "i%d", i), c->walk[i].to));
    sc_sum_add(&c->from, sc_mul(sc_var(c->at, "i%d", i), c->walk[i].from));
  }
  walk one = {sc_lit(1), sc_lit(0), sc_lit(0)};
  walk rows = i + 1 < c->nwalks ? c->walk[i++] : one, cols = i < c->nwalks ? c->walk[i] : one;
  sc_str line = {0};
  sc_str_printf(&line, "sc_copy(P%d", c->p);
  add_sum(g, &line, &c->to);
  sc_str_printf(&line, ", %s, %s, T%d", sc_read(g, &rows.to), sc_read(g, &cols.to), c->access->tensor);
  add_sum(g, &line, &c->from);
  sc_str_printf(&line, ", %s, %s, %s, %s);", sc_read(g, &rows.from), sc_read(g, &cols.from), sc_read(g, &rows.count),
                sc_read(g, &cols.count));
  sc_read_name(g, SC_NAME_PACK, c->p);
  sc_read_name(g, SC_NAME_TENSOR, c->access->tensor);
  sc_put(g, "%s", sc_str_text(&line));
  sc_str_free(&line);
}

/* ---- fill ---- */

static void emit_fill(copier *c, bool shared) {
  nester *g = c->g;
  sc_str outside = {0};
  for (int x = 0; x < c->tensor->naxes; x++) {
    if (!is_padded(c, x)) continue;
    expr first = box_start(c, x), end = sc_add(first, sc_pack_extent(g, c->p, x));
    sc_str_printf(&outside, "%s%s < 0 || %s > %d", outside.len ? " || " : "", sc_read(g, &first), sc_read(g, &end),
                  c->tensor->shape[x]);
  }
  expr n = sc_mul(c->strides.part[0], sc_pack_extent(g, c->p, c->pack->layout.part[0].axis));
  sc_begin(g, "if (%s) {", sc_str_text(&outside));
  if (shared) {
    sc_put(g, "const int64_t n = %s;", sc_read(g, &n));
    sc_put(g, "sc_zero(P%d + n * tid / nt, n * (tid + 1) / nt - n * tid / nt);", c->p);
    sc_put(g, "if (nt > 1) barrier(ctx);");
  } else {
    sc_put(g, "sc_zero(P%d, %s);", c->p, sc_read(g, &n));
  }
  sc_end(g);
  sc_str_free(&outside);
}

void sc_emit_copy(nester *g, int p, bool shared) {
  copier *c = sc_arena_alloc(g->arena, 1, sizeof *c);
  if (!c) {
    g->out->failed = true;
    return;
  }
  c->g = g;
  c->p = p;
  c->pack = &g->nest->pack[p];
  c->at = g->pack_node[p];
  c->access = &g->task->access[c->pack->access];
  c->tensor = &g->task->tensor[c->access->tensor];
  c->divided = shared ? choose_divided(c) : -1;
  c->banded = choose_banded(c);
  for (int d = 0; d < g->task->ndims; d++) c->tile[d] = sc_lit(g->nest->dim[d].max_tile);
  sc_pack_expr(g, p, c->tile, &c->strides);
  if (c->pack->fill) emit_fill(c, shared);
  sc_begin(g, "{");
  c->nopen++;
  if (c->banded >= 0) band_loop(c);
  for (int i = 0; i < c->pack->layout.nparts; i++)
    if (c->pack->layout.part[i].kind == SC_PART_OUTER) tile_loop(c, i);
  sc_pack_expr(g, p, c->tile, &c->strides);
  for (int i = 0; i < c->pack->layout.nparts; i++) {
    int d = c->access->axis[c->pack->layout.part[i].axis].dim[0];
    if (c->pack->layout.part[i].kind == SC_PART_OUTER)
      sc_sum_add(&c->to, sc_mul(sc_sub(sc_var(c->at, "w%d", d), range_start(c, d)), c->strides.part[i]));
  }
  for (int i = 0; i < c->pack->layout.nparts; i++)
    if (c->pack->layout.part[i].kind != SC_PART_OUTER) element_loop(c, i);
  emit_walks(c);
  while (c->nopen-- > 0) sc_end(g);
}
