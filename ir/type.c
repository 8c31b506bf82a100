/* Element types: names, sizes, and the conversions of f16, which compilers do not offer on every target. */
#include <string.h>

#include "ir/operator.h"

static const struct {
  char name[4];
  uint8_t bytes;
} types[SC_TYPE_COUNT] = {
    [SC_F32] = {"f32", 4}, [SC_F16] = {"f16", 2}, [SC_I8] = {"i8", 1}, [SC_U8] = {"u8", 1}, [SC_I32] = {"i32", 4}};

const char *sc_type_name(sc_type type) { return types[type].name; }

uint32_t sc_type_bytes(sc_type type) { return types[type].bytes; }

bool sc_type_find(const char *name, size_t len, sc_type *type) {
  for (int t = 0; t < SC_TYPE_COUNT; t++) {
    if (strlen(types[t].name) != len || memcmp(types[t].name, name, len) != 0) continue;
    *type = (sc_type)t;
    return true;
  }
  return false;
}

static float float_of_bits(uint32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

static uint32_t bits_of_float(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}

float sc_f16_to_f32(uint16_t half) {
  uint32_t sign = (uint32_t)(half & 0x8000) << 16, exponent = half >> 10 & 31, fraction = half & 0x3ff;
  if (exponent == 31) return float_of_bits(sign | 0x7f800000 | fraction << 13); /* infinity, NaN */
  if (exponent > 0) return float_of_bits(sign | (exponent + 112) << 23 | fraction << 13);
  float tiny = (float)fraction * 0x1p-24f; /* subnormal: exact in f32 */
  return sign ? -tiny : tiny;
}

/* Rounds the magnitude as an integer: f16's bits grow with the value, so a carry out of the fraction is right. */
uint16_t sc_f32_to_f16(float value) {
  uint32_t bits = bits_of_float(value), magnitude = bits & 0x7fffffff;
  uint16_t sign = (uint16_t)(bits >> 16 & 0x8000);
  if (magnitude > 0x7f800000) return sign | 0x7e00; /* NaN */
  if (magnitude >= 0x477ff000) return sign | 0x7c00; /* 65520 and more round to infinity */
  if (magnitude < 0x38800000) { /* below 2^-14: let the float unit round at the last bit of an f16 subnormal */
    float shifted = float_of_bits(magnitude) + 0.5f;
    return sign | (uint16_t)(bits_of_float(shifted) - bits_of_float(0.5f));
  }
  uint32_t rounded = magnitude + 0xfff + (magnitude >> 13 & 1);
  return sign | (uint16_t)((rounded - 0x38000000) >> 13);
}
