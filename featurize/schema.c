/* The table of features as data: names, units, docs, the schema hash; and the transform of a row. */
#include <string.h>

#include "featurize/internal.h"

/* Raised whenever a feature changes its meaning without changing its line in features.def. */
static const char version[] = "features 1";

static const sc_feature_info table[SC_FEATURE_COUNT] = {
#define SC_FEATURE(name, group, unit, transform, doc) {#name, #group, unit, #transform, doc},
#include "featurize/features.def"
#undef SC_FEATURE
};

enum { transform_linear = 0, transform_log2 = -1 };
static const int32_t is_log[SC_FEATURE_COUNT] = {
#define SC_FEATURE(name, group, unit, transform, doc) transform_##transform,
#include "featurize/features.def"
#undef SC_FEATURE
};

const sc_feature_info *sc_feature_at(int i) { return i >= 0 && i < SC_FEATURE_COUNT ? &table[i] : NULL; }

uint64_t sc_feature_schema(void) {
  uint64_t hash = sc_hash64(version, sizeof version, 0);
  for (int i = 0; i < SC_FEATURE_COUNT; i++) {
    const char *text[] = {table[i].name, table[i].unit, table[i].transform};
    for (size_t t = 0; t < SC_COUNT_OF(text); t++) hash = sc_hash64(text[t], strlen(text[t]) + 1, hash);
  }
  return hash;
}

/* log2(1 + x) for x >= 0, the same bits on every machine: the exponent, and between powers of two m + m (1-m) q(m), exact at
 * both ends so that the result rises without steps. q interpolates at Chebyshev nodes; the error is below 2e-6. */
static float log2_1p(float x) {
  const float y = 1.0F + x;
  int32_t bits;
  memcpy(&bits, &y, sizeof bits);
  const float exponent = (float)((bits >> 23) - 127);
  bits = (bits & 0x7fffff) | 0x3f800000;
  float m;
  memcpy(&m, &bits, sizeof m);
  m -= 1.0F;
  float q = -0.01512545F;
  q = q * m + 0.06407294F;
  q = q * m - 0.13144654F;
  q = q * m + 0.19666100F;
  q = q * m - 0.27820167F;
  q = q * m + 0.44268885F;
  return exponent + m + m * (1.0F - m) * q;
}

void sc_features_transform(float *row) {
  for (int i = 0; i < SC_FEATURE_COUNT; i++) {
    float x = row[i];
    x = x > -1e30F ? x : -1e30F; /* NaN too */
    x = x < 1e30F ? x : 1e30F;
    row[i] = is_log[i] ? log2_1p(x > 0 ? x : 0) : x;
  }
}
