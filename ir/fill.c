/* Contents for the buffers of a task that make wrong code visible: small integers, whose sums are exact in any order,
 * in what is read; NaN or a pattern in what must be written, and in the part of blocked tensors that is only there to
 * fill the last block. */
#include <string.h>

#include "ir/operator.h"

static void put(void *buffer, sc_type type, int64_t i, int value) {
  switch (type) {
  case SC_F32: ((float *)buffer)[i] = (float)value; break;
  case SC_F16: ((uint16_t *)buffer)[i] = sc_f32_to_f16((float)value); break;
  case SC_I32: ((int32_t *)buffer)[i] = value; break;
  default: ((uint8_t *)buffer)[i] = (uint8_t)value; break;
  }
}

static int draw(sc_rng *rng, sc_type type) {
  return type == SC_U8 ? (int)sc_rng_below(rng, 5) : (int)sc_rng_below(rng, 9) - 4;
}

static void poison(const sc_tensor *tensor, void *buffer) {
  static const uint32_t quiet_nan = 0x7fc00000;
  switch (tensor->type) {
  case SC_F32:
    for (int64_t i = 0; i < tensor->elems; i++) memcpy((char *)buffer + 4 * i, &quiet_nan, 4);
    break;
  case SC_F16:
    for (int64_t i = 0; i < tensor->elems; i++) ((uint16_t *)buffer)[i] = 0x7e00;
    break;
  default: memset(buffer, 0xa5, (size_t)tensor->elems * sc_type_bytes(tensor->type));
  }
}

/* Steps the logical index of a tensor, last axis fastest; false after the last one. */
static bool step(const sc_tensor *tensor, int32_t *index) {
  for (int a = tensor->naxes - 1; a >= 0; a--) {
    if (++index[a] < tensor->shape[a]) return true;
    index[a] = 0;
  }
  return false;
}

static void fill(const sc_tensor *tensor, void *buffer, sc_rng *rng) {
  bool blocked = false;
  for (int a = 0; a < tensor->naxes; a++) blocked |= tensor->layout.block[a] != 0;
  if (!blocked) {
    for (int64_t i = 0; i < tensor->elems; i++) put(buffer, tensor->type, i, draw(rng, tensor->type));
    return;
  }
  int32_t index[SC_MAX_AXES] = {0};
  poison(tensor, buffer);
  do put(buffer, tensor->type, sc_tensor_address(tensor, index), draw(rng, tensor->type));
  while (step(tensor, index));
}

void sc_fill_buffers(const sc_task *task, void *const *buffers, uint64_t seed) {
  for (int t = 0; t < task->ntensors; t++) {
    sc_rng rng;
    sc_rng_seed(&rng, seed, (uint64_t)t);
    if (task->tensor[t].role == SC_OUT) poison(&task->tensor[t], buffers[t]);
    else fill(&task->tensor[t], buffers[t], &rng);
  }
}
