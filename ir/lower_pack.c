/* Packs: which access has one, what its layout says in canonical form, how large it gets, and the strides that a kernel
 * sees in it.
 *
 * The address of an element in a pack is the sum over the parts of its layout of
 *   relative start x product of the current extents of the other axes' parts inside this one
 * where an outer part counts up to the start of the register tile, an inner part from there on, and a whole part both. Inside
 * an outer part of the same axis, the inner one is not counted; where only the inner part of another axis is inside, its
 * extent is the width of the current register tile. So ragged tiles lie back to back. */
#include "ir/lowering.h"
#include "ir/mutant.h"

/* ---- which ---- */

sc_status sc_lower_find_packs(sc_lowering *lw) {
  const sc_schedule *s = lw->schedule;
  const sc_task *task = lw->task;
  for (int a = 0; a < SC_MAX_ACCESSES; a++) lw->pack_of[a] = -1;
  lw->ahead_packs = 0;
  if (s->npacks > SC_MAX_PACKS)
    return sc_lower_illegal(lw, SC_RULE_RANGE, "the number of packs", (int64_t)s->npacks, (int64_t)0,
                            (int64_t)SC_MAX_PACKS);
  for (int p = 0; p < s->npacks; p++) {
    int a = s->pack[p].access;
    if (a >= task->naccesses)
      return sc_lower_illegal(lw, SC_RULE_RANGE, "the access of a pack", (int64_t)a, (int64_t)0,
                              (int64_t)(task->naccesses - 1));
    if (s->pack[p].band < 1 || s->pack[p].band > s->nbands)
      return sc_lower_illegal(lw, SC_RULE_PACK_BAND, a, (int64_t)s->pack[p].band, (int64_t)s->nbands);
    if (lw->pack_of[a] >= 0) return sc_lower_illegal(lw, SC_RULE_PACK_TWICE, a);
    lw->pack_of[a] = (int8_t)p;
    lw->ahead_packs |= (uint8_t)((task->tensor[task->access[a].tensor].constant && a != 0) << p);
  }
  return SC_OK;
}

/* ---- layout ---- */

static sc_status check_layout(const sc_lowering *lw, int a, const sc_layout *layout) {
  const sc_access *access = &lw->task->access[a];
  int naxes = lw->task->tensor[access->tensor].naxes;
  uint8_t whole = 0, outer = 0, inner = 0;
  if (layout->nparts == 0 || layout->nparts > 2 * SC_MAX_AXES) return sc_lower_illegal(lw, SC_RULE_LAYOUT, a);
  for (int i = 0; i < layout->nparts; i++) {
    sc_part part = layout->part[i];
    uint8_t bit = (uint8_t)(1u << (part.axis & 7));
    if (part.axis >= naxes || (whole | inner) & bit) return sc_lower_illegal(lw, SC_RULE_LAYOUT, a);
    if (part.kind == SC_PART_WHOLE && !(outer & bit)) whole |= bit;
    else if (part.kind == SC_PART_OUTER && !(outer & bit)) outer |= bit;
    else if (part.kind == SC_PART_INNER && outer & bit) inner |= bit;
    else return sc_lower_illegal(lw, SC_RULE_LAYOUT, a);
    if (part.kind != SC_PART_WHOLE &&
        (layout->block[part.axis] != SC_BLOCK_TILE || sc_axis_dim(&access->axis[part.axis]) < 0))
      return sc_lower_illegal(lw, SC_RULE_LAYOUT_BLOCK, a, (int64_t)part.axis);
  }
  if (outer != inner || (whole | inner) != (1u << naxes) - 1) return sc_lower_illegal(lw, SC_RULE_LAYOUT, a);
  return SC_OK;
}

/* One way to write what is one layout: axes of one position stand last; an axis that is a single tile wide, or whose
 * tiles are one wide, or whose parts meet, is whole. *dropped: the outermost part went. */
static void canonical_layout(const sc_lowering *lw, const sc_pack *pack, const int32_t *step, sc_nest_pack *out,
                             bool *dropped) {
  const sc_access *access = &lw->task->access[pack->access];
  int naxes = lw->task->tensor[access->tensor].naxes, n = 0;
  *dropped = false;
  for (int x = 0; x < SC_MAX_AXES; x++) out->layout.block[x] = 0;
  for (int i = 0; i < pack->layout.nparts; i++) {
    sc_part part = pack->layout.part[i];
    bool drop = out->extent[part.axis] == 1;
    if (part.kind != SC_PART_WHOLE) {
      int d = sc_axis_dim(&access->axis[part.axis]);
      bool one = step[d] == 1, thin = lw->nest->dim[d].max_tile == 1;
      if (part.kind == SC_PART_OUTER ? one : thin && !one) drop = true;
      if (one || thin) part.kind = SC_PART_WHOLE;
    }
    if (drop) {
      if (i == 0) *dropped = true;
      continue;
    }
    if (part.kind == SC_PART_INNER && n > 0 && out->layout.part[n - 1].axis == part.axis)
      out->layout.part[n - 1].kind = SC_PART_WHOLE;
    else out->layout.part[n++] = part;
  }
  for (int i = 0; i < n; i++)
    if (out->layout.part[i].kind != SC_PART_WHOLE) out->layout.block[out->layout.part[i].axis] = SC_BLOCK_TILE;
  for (int x = 0; x < naxes; x++)
    if (out->extent[x] == 1) out->layout.part[n++] = (sc_part){.axis = (uint8_t)x, .kind = SC_PART_WHOLE};
  out->layout.nparts = (uint8_t)n;
}

/* ---- extents and strides ---- */

static void extents(const sc_lowering *lw, const sc_access *access, const int32_t *step, sc_nest_pack *out) {
  const sc_tensor *tensor = &lw->task->tensor[access->tensor];
  out->fixed = 0;
  for (int x = 0; x < tensor->naxes; x++) {
    const sc_index *index = &access->axis[x];
    int32_t n[2] = {1, 1};
    bool fixed = true;
    for (int k = 0; k < 2; k++) {
      int d = index->dim[k];
      bool same = true;
      if (d < 0) continue;
      n[k] = lw->task->dim[d].size;
      if (step[d] < lw->nest->dim[d].tiles) n[k] = sc_tiling_extent(&lw->nest->dim[d], step[d], &same);
      fixed &= same;
    }
    out->extent[x] = (int32_t)sc_index_extent(index->coef, n[0], n[1]);
    if (fixed) out->fixed |= (uint8_t)(1u << x);
  }
}

/* factor[axis] is what the parts inside multiply by: 0 = not known before the run. */
static int64_t product(const int64_t *factor, int naxes, int without) {
  int64_t result = 1;
  for (int x = 0; x < naxes; x++)
    if (x != without) result *= factor[x];
  return result;
}

void sc_pack_strides(const sc_task *task, const sc_nest_pack *pack, const int32_t *tile, int32_t *stride) {
  const sc_access *access = &task->access[pack->access];
  int naxes = task->tensor[access->tensor].naxes;
  int64_t factor[SC_MAX_AXES], inside = 1;
  for (int x = 0; x < naxes; x++) factor[x] = 1;
  for (int i = pack->layout.nparts - 1; i >= 0; i--) {
    sc_part part = pack->layout.part[i];
    int64_t extent = pack->fixed >> part.axis & 1 ? pack->extent[part.axis] : 0;
    if (part.kind == SC_PART_OUTER) {
      factor[part.axis] = extent;
      inside = product(factor, naxes, -1);
      continue;
    }
    const sc_index *index = &access->axis[part.axis];
    int64_t skewed = inside && i == 0 ? inside + pack->skew : inside;
    for (int k = 0; k < 2; k++) {
      if (index->dim[k] < 0) continue;
      int64_t s = skewed * index->coef[k];
      stride[index->dim[k]] = s == 0 || s > INT32_MAX ? SC_STRIDE_SLOT : (int32_t)s;
    }
    factor[part.axis] = part.kind == SC_PART_WHOLE ? extent : tile[index->dim[0]];
    inside *= factor[part.axis];
  }
}

/* Are the addresses of this ahead pack those of the tensor? Every part then steps as the tensor does. */
static bool is_identity(const sc_lowering *lw, const sc_nest_pack *pack) {
  const sc_access *access = &lw->task->access[pack->access];
  const sc_tensor *tensor = &lw->task->tensor[access->tensor];
  int64_t factor[SC_MAX_AXES], inside = 1;
  if (pack->skew || pack->fill) return false;
  for (int x = 0; x < tensor->naxes; x++) factor[x] = 1;
  for (int i = pack->layout.nparts - 1; i >= 0; i--) {
    int x = pack->layout.part[i].axis;
    int block = tensor->layout.block[x];
    int64_t step = access->inner_stride[x];
    if (pack->layout.part[i].kind == SC_PART_WHOLE) {
      if (pack->extent[x] > 1 && (step != inside || (block > 0 && (pack->extent[x] > block || access->axis[x].offset))))
        return false;
      factor[x] = pack->extent[x];
    } else {
      const sc_tiling *tiling = &lw->nest->dim[access->axis[x].dim[0]];
      if (tiling->nsegs != 1 || tiling->seg[0].size != block || access->axis[x].offset % block != 0) return false;
      bool outer = pack->layout.part[i].kind == SC_PART_OUTER;
      factor[x] = outer ? 1 : block;
      if (outer ? access->outer_stride[x] != product(factor, tensor->naxes, -1) * block : step != inside) return false;
      if (outer) factor[x] = pack->extent[x];
    }
    inside = product(factor, tensor->naxes, -1);
  }
  return true;
}

/* ---- all of it ---- */

/* Of positive numbers; INT64_MAX where it does not fit. */
static int64_t bounded_product(int64_t a, int64_t b) {
  int64_t product;
  return __builtin_mul_overflow(a, b, &product) ? INT64_MAX : product;
}

static sc_status size(const sc_lowering *lw, sc_nest_pack *pack) {
  int naxes = lw->task->tensor[lw->task->access[pack->access].tensor].naxes, first = pack->layout.part[0].axis;
  int64_t inside = 1;
  for (int x = 0; x < naxes; x++)
    if (x != first) inside = bounded_product(inside, pack->extent[x]);
  pack->elems = inside > SC_MAX_PACK_ELEMS ? inside : bounded_product(inside + pack->skew, pack->extent[first]);
  if (pack->elems > SC_MAX_PACK_ELEMS)
    return sc_lower_illegal(lw, SC_RULE_PACK_SIZE, (int)pack->access, pack->elems, SC_MAX_PACK_ELEMS);
  return SC_OK;
}

sc_status sc_lower_pack(sc_lowering *lw, int p, sc_nest_pack *out, bool *identity) {
  const sc_task *task = lw->task;
  const sc_pack *pack = &lw->schedule->pack[p];
  const sc_access *access = &task->access[pack->access];
  SC_TRY(check_layout(lw, pack->access, &pack->layout));
  out->access = pack->access;
  out->ahead = lw->ahead_packs >> p & 1;
  out->fill = false;
  for (int i = 0; i < task->npads; i++)
    if (task->pad[i].access == pack->access && sc_pad_is(lw, i, SC_PAD_PACK)) out->fill = true;
  out->skew = pack->skew;
  const int32_t *step = lw->step[out->ahead ? lw->schedule->nbands : pack->band];
  bool dropped;
  extents(lw, access, step, out);
  canonical_layout(lw, pack, step, out, &dropped);
  if (pack->skew < 0 || pack->skew > 4096)
    return sc_lower_illegal(lw, SC_RULE_SKEW_SIZE, (int)pack->access, (int64_t)pack->skew, (int64_t)4096);
  if (pack->skew && (dropped || out->layout.nparts < 2 || out->extent[out->layout.part[1].axis] == 1))
    return sc_lower_illegal(lw, SC_RULE_SKEW, (int)pack->access);
  SC_TRY(size(lw, out));
  *identity = out->ahead && is_identity(lw, out);
  return SC_OK;
}
