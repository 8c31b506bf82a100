/* Where the kernel finds each operand: offsets and strides of the bound access, packed or not, and its arguments.
 *
 * In a pack, an element stands at the sum over the parts of its layout of
 *   index relative to the box x product of the current extents of what the parts inside cover
 * where an outer part counts up to the start of the tile and an inner part from there on (lower_pack.c). So panels of
 * ragged tiles lie back to back, and the copy and the kernel agree as they ask the same function. */
#include "codegen/nest.h"

static const sc_operand *operand_of(const nester *g, int index) {
  return index == SC_OPERAND_PARTIAL ? &g->nest->partial : &g->nest->operand[index];
}

static const sc_access *access_of(const nester *g, int index) {
  return &g->task->access[index == SC_OPERAND_PARTIAL ? 0 : index];
}

/* First element of the kernel's tile (of its first trip) in dim d. */
static expr kernel_start(nester *g, int d) {
  return sc_is_clamped(g, d) ? sc_var(sc_clamp_level(g, d), "u%d", d) : sc_range_start(g, d, SC_AT_KERNEL);
}

/* ---- packs ---- */

expr sc_pack_box(nester *g, int p, int x) {
  const sc_nest_pack *pack = &g->nest->pack[p];
  const sc_index *index = &g->task->access[pack->access].axis[x];
  expr extent = sc_lit(0);
  int64_t rest = 1;
  for (int i = 0; i < 2; i++) {
    int d = index->dim[i];
    if (d < 0) continue;
    expr n = pack->ahead ? sc_lit(g->task->dim[d].size) : sc_range_extent(g, d, g->pack_node[p]);
    extent = sc_add(extent, sc_mul(sc_lit(index->coef[i]), n));
    rest -= index->coef[i];
  }
  return sc_add(extent, sc_lit(rest));
}

expr sc_pack_extent(nester *g, int p, int x) {
  expr extent = sc_pack_box(g, p, x);
  return extent.literal ? extent : sc_name(g->pack_node[p], SC_NAME_BOX, p * SC_MAX_AXES + x);
}

static expr product(const expr *factor, int naxes, int without) {
  expr result = sc_lit(1);
  for (int x = 0; x < naxes; x++)
    if (x != without) result = sc_mul(result, factor[x]);
  return result;
}

void sc_pack_expr(nester *g, int p, const expr *tile, strides *out) {
  const sc_nest_pack *pack = &g->nest->pack[p];
  const sc_access *access = &g->task->access[pack->access];
  int naxes = g->task->tensor[access->tensor].naxes;
  expr factor[SC_MAX_AXES];
  for (int x = 0; x < naxes; x++) factor[x] = sc_lit(1);
  for (int d = 0; d < g->task->ndims; d++) out->inside[d] = out->tile[d] = sc_lit(0);
  for (int i = pack->layout.nparts - 1; i >= 0; i--) {
    sc_part part = pack->layout.part[i];
    const sc_index *index = &access->axis[part.axis];
    expr stride = product(factor, naxes, part.kind == SC_PART_OUTER ? part.axis : -1);
    if (i == 0) stride = sc_add(stride, sc_lit(pack->skew));
    out->part[i] = stride;
    for (int k = 0; k < 2; k++) {
      int d = index->dim[k];
      if (d < 0) continue;
      expr scaled = sc_mul(stride, sc_lit(index->coef[k]));
      if (part.kind != SC_PART_OUTER) out->inside[d] = scaled;
      if (part.kind != SC_PART_INNER) out->tile[d] = scaled;
    }
    factor[part.axis] = part.kind == SC_PART_INNER ? tile[index->dim[0]] : sc_pack_extent(g, p, part.axis);
  }
}

static void place_packed(nester *g, int index, int p) {
  const sc_nest_pack *pack = &g->nest->pack[p];
  expr tile[SC_MAX_DIMS];
  for (int d = 0; d < g->task->ndims; d++) tile[d] = sc_tile_size(g, d);
  strides *s = &g->stride[index];
  sc_pack_expr(g, p, tile, s);
  for (int d = 0; d < g->task->ndims; d++) {
    if (!(operand_of(g, index)->dims >> d & 1)) continue;
    s->step[d] = sc_mul(tile[d], s->tile[d]);
    bool same = !pack->ahead && !sc_is_clamped(g, d) &&
                sc_range_loop(g, d, SC_AT_KERNEL) == sc_range_loop(g, d, g->pack_node[p]);
    if (same) continue; /* the box begins where the kernel does */
    expr origin = pack->ahead ? sc_lit(0) : sc_range_start(g, d, g->pack_node[p]);
    sc_sum_add(&g->offset[index], sc_mul(sc_sub(kernel_start(g, d), origin), s->tile[d]));
  }
}

/* ---- tensors ---- */

/* The share of index `at` of a blocked axis in the address. As a tile is some whole blocks or lies inside one, that of
 * its size is the distance to the next tile. */
static expr blocked(expr at, int block, const sc_access *access, int x) {
  expr address = sc_var(at.level, "sc_blocked(%s, %d, %lld, %lld)", at.text, block, (long long)access->outer_stride[x],
                        (long long)access->inner_stride[x]);
  return sc_reading(address, at);
}

static void place_blocked(nester *g, int index, int x) {
  const sc_access *access = access_of(g, index);
  const sc_index *axis = &access->axis[x];
  int block = g->task->tensor[access->tensor].layout.block[x];
  expr at = sc_lit(axis->offset);
  for (int k = 0; k < 2; k++)
    if (axis->dim[k] >= 0) at = sc_add(at, sc_mul(sc_lit(axis->coef[k]), kernel_start(g, axis->dim[k])));
  sc_sum_add(&g->offset[index], blocked(at, block, access, x));
  for (int k = 0; k < 2; k++) {
    int d = axis->dim[k];
    if (d < 0) continue;
    strides *s = &g->stride[index];
    int64_t whole = axis->coef[k] / block * access->outer_stride[x];
    expr size = sc_tile_size(g, d);
    s->inside[d] = sc_lit(axis->coef[k] % block == 0 ? whole : access->inner_stride[x]);
    s->step[d] = axis->coef[k] % block == 0 ? sc_mul(size, s->inside[d]) : blocked(size, block, access, x);
  }
}

static void place_unpacked(nester *g, int index) {
  const sc_access *access = access_of(g, index);
  const sc_tensor *tensor = &g->task->tensor[access->tensor];
  strides *s = &g->stride[index];
  sc_sum_add(&g->offset[index], sc_lit(access->origin));
  for (int d = 0; d < g->task->ndims; d++) {
    s->inside[d] = s->tile[d] = sc_lit(access->stride[d]);
    s->step[d] = sc_mul(sc_tile_size(g, d), s->tile[d]);
    if (access->stride[d]) sc_sum_add(&g->offset[index], sc_mul(kernel_start(g, d), sc_lit(access->stride[d])));
  }
  for (int x = 0; x < tensor->naxes; x++)
    if (tensor->layout.block[x]) place_blocked(g, index, x);
}

/* ---- arguments ---- */

/* FIRST and LAST over all reductions, from their unclamped ranges. */
static expr flags(nester *g) {
  sc_str first = {0}, last = {0};
  int level = SC_ROOT;
  expr ends = sc_lit(0); /* for what it reads */
  for (int d = 0; d < g->task->ndims; d++) {
    int n = sc_range_loop(g, d, SC_AT_KERNEL);
    if (!g->task->dim[d].reduce || n == SC_ROOT) continue;
    if (n > level) level = n;
    expr hi = sc_range_hi(g, d, SC_AT_KERNEL);
    sc_str_printf(&first, " & (t%d == 0)", n);
    sc_str_printf(&last, " & (%s == %d)", hi.text, g->nest->dim[d].tiles);
    ends = sc_reading(ends, hi);
  }
  expr result = sc_lit(SC_KERNEL_FIRST | SC_KERNEL_LAST);
  if (level != SC_ROOT)
    result = sc_reading(sc_var(level, "(1%s) * %d + (1%s) * %d", sc_str_text(&first), SC_KERNEL_FIRST,
                               sc_str_text(&last), SC_KERNEL_LAST),
                        ends);
  sc_str_free(&first);
  sc_str_free(&last);
  return result;
}

/* Only the level; the text is that of the offset at that level. */
static expr pointer(const nester *g, int index) {
  int level = SC_ROOT;
  for (int i = 0; i < g->offset[index].n; i++)
    if (g->offset[index].term[i].level > level) level = g->offset[index].term[i].level;
  return sc_var(level, "pointer");
}

static expr value_of(nester *g, const sc_arg *a) {
  switch ((sc_arg_kind)a->kind) {
  case SC_ARG_FLAGS: return flags(g);
  case SC_ARG_TRIPS:
    return sc_is_clamped(g, a->dim) ? sc_var(sc_clamp_level(g, a->dim), "k%d", a->dim)
                                    : sc_range_count(g, a->dim, SC_AT_KERNEL);
  case SC_ARG_LOOP_STRIDE: return g->stride[a->operand].step[a->dim];
  case SC_ARG_SLOT: return g->stride[a->operand].inside[a->dim];
  case SC_ARG_POINTER: return pointer(g, a->operand);
  }
  SC_ASSERT(!"an argument of unknown kind");
  return sc_lit(0);
}

void sc_place_all(nester *g) {
  for (int a = 0; a <= SC_OPERAND_PARTIAL; a++) {
    if (a >= g->nest->noperands && (a != SC_OPERAND_PARTIAL || g->nest->acc < 0)) continue;
    int p = operand_of(g, a)->pack;
    g->offset[a].n = 0;
    if (p >= 0) place_packed(g, a, p);
    else place_unpacked(g, a);
  }
  for (int i = 0; i < g->ngroups; i++)
    for (int j = 0; j < g->group[i].nargs; j++) g->group[i].value[j] = value_of(g, &g->group[i].arg[j]);
}
