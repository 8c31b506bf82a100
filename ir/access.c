/* From logical indices to addresses: what a layout makes of an access. The one place that knows. */
#include "ir/operator.h"

/* Elements of one part's range: how many values its quotient, remainder or axis takes. */
static int64_t part_extent(const sc_tensor *tensor, const sc_part *part) {
  int64_t shape = tensor->shape[part->axis], block = tensor->layout.block[part->axis];
  switch (part->kind) {
  case SC_PART_OUTER: return (shape + block - 1) / block;
  case SC_PART_INNER: return block;
  default: return shape;
  }
}

bool sc_tensor_measure(sc_tensor *tensor) {
  int64_t elems = 1;
  for (int i = 0; i < tensor->layout.nparts; i++)
    if (__builtin_mul_overflow(elems, part_extent(tensor, &tensor->layout.part[i]), &elems) || elems > SC_OP_MAX_ELEMS)
      return false;
  tensor->elems = elems;
  return true;
}

/* stride[axis][kind] of a layout: products of the extents of the parts behind. */
static void part_strides(const sc_tensor *tensor, int64_t outer[SC_MAX_AXES], int64_t inner[SC_MAX_AXES]) {
  int64_t stride = 1;
  for (int i = tensor->layout.nparts - 1; i >= 0; i--) {
    const sc_part *part = &tensor->layout.part[i];
    *(part->kind == SC_PART_OUTER ? &outer[part->axis] : &inner[part->axis]) = stride;
    stride *= part_extent(tensor, part);
  }
}

int64_t sc_tensor_address(const sc_tensor *tensor, const int32_t *index) {
  int64_t address = 0;
  for (int i = 0; i < tensor->layout.nparts; i++) {
    const sc_part *part = &tensor->layout.part[i];
    int32_t x = index[part->axis], block = tensor->layout.block[part->axis];
    address = address * part_extent(tensor, part) + (part->kind == SC_PART_OUTER   ? x / block
                                                     : part->kind == SC_PART_INNER ? x % block
                                                                                   : x);
  }
  return address;
}

void sc_access_derive(const sc_task *task, sc_access *access) {
  const sc_tensor *tensor = &task->tensor[access->tensor];
  access->origin = 0;
  access->dims = 0;
  for (int d = 0; d < SC_MAX_DIMS; d++) access->stride[d] = 0;
  for (int a = 0; a < SC_MAX_AXES; a++) access->outer_stride[a] = access->inner_stride[a] = 0;
  part_strides(tensor, access->outer_stride, access->inner_stride);
  for (int a = 0; a < tensor->naxes; a++) {
    const sc_index *index = &access->axis[a];
    bool blocked = tensor->layout.block[a] != 0;
    if (!blocked) access->origin += index->offset * access->inner_stride[a];
    for (int i = 0; i < 2; i++) {
      if (index->dim[i] < 0) continue;
      access->dims |= (uint16_t)(1u << index->dim[i]);
      if (!blocked) access->stride[index->dim[i]] += index->coef[i] * access->inner_stride[a];
    }
  }
}

void sc_index_range(const sc_task *task, const sc_index *index, int64_t *lo, int64_t *hi) {
  *lo = *hi = index->offset;
  for (int i = 0; i < 2; i++)
    if (index->dim[i] >= 0) *hi += (int64_t)index->coef[i] * (task->dim[index->dim[i]].size - 1);
}

bool sc_access_address(const sc_task *task, const sc_access *access, const int32_t *values, int64_t *address) {
  const sc_tensor *tensor = &task->tensor[access->tensor];
  int64_t sum = 0;
  for (int a = 0; a < tensor->naxes; a++) {
    const sc_index *index = &access->axis[a];
    int64_t x = index->offset, block = tensor->layout.block[a];
    for (int i = 0; i < 2; i++)
      if (index->dim[i] >= 0) x += (int64_t)index->coef[i] * values[index->dim[i]];
    if (x < 0 || x >= tensor->shape[a]) return false;
    sum +=
        block ? x / block * access->outer_stride[a] + x % block * access->inner_stride[a] : x * access->inner_stride[a];
  }
  *address = sum;
  return true;
}
