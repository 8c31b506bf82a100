/* How the kernel addresses each operand: strides of the access that is bound_to, packed or not. A tensor with blocks
 * adds conditions: where the kernel walks a blocked axis, its tiles begin a block or stay inside one. */
#include <stdio.h>

#include "ir/lowering.h"

/* ---- blocked tensors ---- */

/* Every tile of dim d lies inside one block of its axis or begins one. Starts repeat after at most `block` tiles. */
static sc_status check_tiles(const sc_lowering *lw, int a, int d, int32_t block) {
  const sc_tiling *tiling = &lw->nest->dim[d];
  for (int i = 0; i < tiling->nsegs; i++) {
    const sc_seg *seg = &tiling->seg[i];
    for (int32_t t = 0; t < seg->count && t < block; t++) {
      int32_t start = seg->start + t * seg->size, in = start % block;
      if (in && seg->size > block - in)
        return sc_lower_illegal(lw, SC_RULE_BLOCK_TILE, a, (int64_t)block, d, (int64_t)start);
    }
  }
  return SC_OK;
}

/* A loop of the kernel has one stride: its tiles are whole blocks, or its ranges stay inside one. */
static bool loop_fits(const sc_lowering *lw, int d, int32_t block) {
  const sc_tiling *tiling = &lw->nest->dim[d];
  bool whole = true, one_size = true;
  for (int i = 0; i < tiling->nsegs; i++) {
    whole &= tiling->seg[i].size % block == 0 || tiling->seg[i].count == 1;
    one_size &= tiling->seg[i].size == tiling->max_tile;
  }
  int64_t range = (int64_t)lw->step[1][d] * tiling->max_tile;
  return whole || lw->task->dim[d].size <= block || (one_size && block % range == 0);
}

static sc_status blocked_axis(const sc_lowering *lw, int a, int x, sc_operand *operand) {
  const sc_access *access = &lw->task->access[a];
  const sc_index *index = &access->axis[x];
  int32_t block = lw->task->tensor[access->tensor].layout.block[x];
  int inner = -1; /* the dim that walks inside blocks */
  bool aligned = index->offset % block == 0;
  for (int p = 0; p < lw->task->npads; p++) aligned &= lw->task->pad[p].access != a || lw->task->pad[p].axis != x;
  for (int k = 0; k < 2; k++) {
    int d = index->dim[k];
    if (d < 0 || lw->task->dim[d].size == 1) continue;
    int64_t stride = index->coef[k] / block * access->outer_stride[x];
    if (index->coef[k] % block == 0) {
      operand->stride[d] = stride > INT32_MAX ? SC_STRIDE_SLOT : (int32_t)stride;
      continue;
    }
    if (inner >= 0 || index->coef[k] != 1 || !aligned)
      return sc_lower_illegal(lw, SC_RULE_BLOCK_AXIS, (int64_t)x, a, (int64_t)block, d, a);
    inner = d;
  }
  if (inner < 0) return SC_OK;
  SC_TRY(check_tiles(lw, a, inner, block));
  if (lw->kloops >> inner & 1 && !loop_fits(lw, inner, block))
    return sc_lower_illegal(lw, SC_RULE_BLOCK_LOOP, a, (int64_t)block, inner);
  int64_t stride = access->inner_stride[x];
  operand->stride[inner] = stride > INT32_MAX ? SC_STRIDE_SLOT : (int32_t)stride;
  if (lw->nest->dim[inner].max_tile > block) {
    operand->block[inner] = (int16_t)block;
    operand->block_stride[inner] = access->outer_stride[x];
  }
  return SC_OK;
}

/* ---- operands ---- */

static sc_status unpacked(const sc_lowering *lw, int a, sc_operand *operand) {
  const sc_access *access = &lw->task->access[a];
  const sc_tensor *tensor = &lw->task->tensor[access->tensor];
  for (unsigned dims = access->dims; dims; dims &= dims - 1) {
    int d = __builtin_ctz(dims);
    int64_t stride = access->stride[d];
    operand->stride[d] = stride > INT32_MAX ? SC_STRIDE_SLOT : (int32_t)stride;
  }
  for (int x = 0; x < tensor->naxes; x++)
    if (tensor->layout.block[x]) SC_TRY(blocked_axis(lw, a, x, operand));
  return SC_OK;
}

static sc_status not_contiguous(const sc_lowering *lw, int a, bool packed) {
  const sc_access *access = &lw->task->access[a];
  const char *name = lw->task->dim[lw->nest->vector].name;
  char mend[96] = "its index is not the dim alone, so no pack mends that: take another vector dim";
  for (int x = 0; x < lw->task->tensor[access->tensor].naxes; x++)
    if (sc_axis_dim(&access->axis[x]) == lw->nest->vector)
      snprintf(mend, sizeof mend,
               packed ? "end the layout of its pack with %s%%t" : "pack it with a layout that ends with %s%%t", name);
  return sc_lower_illegal(lw, SC_RULE_CONTIGUOUS, a, (int)lw->nest->vector, mend);
}

static sc_status vector_operand(const sc_lowering *lw, sc_operand *operand, bool may_stride) {
  int v = lw->nest->vector;
  if (v < 0 || !(operand->dims >> v & 1)) return SC_OK;
  operand->vector = operand->stride[v] == 1;
  operand->strided = !operand->vector && may_stride;
  if (!operand->vector && !may_stride) return not_contiguous(lw, operand->access, operand->pack >= 0);
  if (operand->vector && operand->block[v] % lw->nest->lanes)
    return sc_lower_illegal(lw, SC_RULE_BLOCK_LANES, (int)operand->access, (int64_t)operand->block[v],
                            (int64_t)lw->nest->lanes, v);
  return SC_OK;
}

static sc_status lower_operand(const sc_lowering *lw, int a, int pack, const int32_t *tile, sc_operand *operand) {
  for (int d = 0; d < SC_MAX_DIMS; d++) operand->stride[d] = 0; /* memset would be a slow string instruction here */
  for (int d = 0; d < SC_MAX_DIMS; d++) operand->block[d] = 0;
  for (int d = 0; d < SC_MAX_DIMS; d++) operand->block_stride[d] = 0;
  operand->vector = operand->strided = false;
  operand->access = (uint8_t)a;
  operand->pack = (int8_t)pack;
  operand->dims = lw->task->access[a].dims;
  if (pack >= 0) sc_pack_strides(lw->task, &lw->nest->pack[pack], tile, operand->stride);
  else SC_TRY(unpacked(lw, a, operand));
  return vector_operand(lw, operand, a == 0 && pack < 0);
}

sc_status sc_lower_operands(sc_lowering *lw) {
  sc_nest *nest = lw->nest;
  int32_t tile[SC_MAX_DIMS];
  int8_t bound_to[SC_MAX_ACCESSES];
  for (int d = 0; d < lw->task->ndims; d++) {
    tile[d] = nest->dim[d].max_tile;
    for (int i = 0; i < nest->dim[d].nsegs; i++)
      if (nest->dim[d].seg[i].size != tile[d]) tile[d] = 0;
  }
  nest->noperands = lw->task->naccesses;
  for (int a = 0; a < SC_MAX_ACCESSES; a++) bound_to[a] = -1;
  for (int p = 0; p < nest->npacks; p++) bound_to[nest->pack[p].access] = (int8_t)p;
  SC_TRY(lower_operand(lw, 0, -1, tile, &nest->operand[0]));
  if (nest->acc >= 0) SC_TRY(lower_operand(lw, 0, nest->acc, tile, &nest->partial));
  for (int a = 1; a < nest->noperands; a++) SC_TRY(lower_operand(lw, a, bound_to[a], tile, &nest->operand[a]));
  return SC_OK;
}
