/* Values of the interpreters' buffers, of any element type: floats accumulate in f32, integers in i32 modulo 2^32, and
 * both are brought to the tensor's type once, when stored. */
#ifndef SC_IR_VALUE_H
#define SC_IR_VALUE_H

#include <string.h>

#include "ir/operator.h"

typedef union sc_number {
  float f;
  int32_t i;
} sc_number;

static inline int32_t sc_wrap(uint32_t x) {
  int32_t value;
  memcpy(&value, &x, sizeof value);
  return value;
}

static inline sc_number sc_number_load(const void *buffer, sc_type type, int64_t address) {
  if (type == SC_F32)
    return (sc_number){.f = ((const float *)buffer)[address]}; /* the common one, not through a table */
  switch (type) {
  case SC_F16: return (sc_number){.f = sc_f16_to_f32(((const uint16_t *)buffer)[address])};
  case SC_I8: return (sc_number){.i = ((const int8_t *)buffer)[address]};
  case SC_U8: return (sc_number){.i = ((const uint8_t *)buffer)[address]};
  default: return (sc_number){.i = ((const int32_t *)buffer)[address]};
  }
}

static inline int32_t sc_saturate(int32_t x, int32_t lo, int32_t hi) { return x < lo ? lo : x > hi ? hi : x; }

static inline void sc_number_store(void *buffer, sc_type type, int64_t address, sc_number x) {
  switch (type) {
  case SC_F32: ((float *)buffer)[address] = x.f; break;
  case SC_F16: ((uint16_t *)buffer)[address] = sc_f32_to_f16(x.f); break;
  case SC_I8: ((int8_t *)buffer)[address] = (int8_t)sc_saturate(x.i, -128, 127); break;
  case SC_U8: ((uint8_t *)buffer)[address] = (uint8_t)sc_saturate(x.i, 0, 255); break;
  default: ((int32_t *)buffer)[address] = x.i; break;
  }
}

/* acc + a * b */
static inline sc_number sc_number_fma(bool floats, sc_number acc, sc_number a, sc_number b) {
  if (floats) return (sc_number){.f = acc.f + a.f * b.f};
  return (sc_number){.i = sc_wrap((uint32_t)acc.i + (uint32_t)a.i * (uint32_t)b.i)};
}

/* a `kind` b, of sc_expr_kind */
static inline sc_number sc_number_apply(bool floats, int kind, sc_number a, sc_number b) {
  uint32_t x = (uint32_t)a.i, y = (uint32_t)b.i;
  switch (kind) {
  case SC_EXPR_ADD: return floats ? (sc_number){.f = a.f + b.f} : (sc_number){.i = sc_wrap(x + y)};
  case SC_EXPR_SUB: return floats ? (sc_number){.f = a.f - b.f} : (sc_number){.i = sc_wrap(x - y)};
  case SC_EXPR_MUL: return floats ? (sc_number){.f = a.f * b.f} : (sc_number){.i = sc_wrap(x * y)};
  case SC_EXPR_MAX: return (floats ? a.f > b.f : a.i > b.i) ? a : b;
  default: return (floats ? a.f < b.f : a.i < b.i) ? a : b;
  }
}

#endif
