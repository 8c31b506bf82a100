/* The table of features as data: names, units, docs, the schema hash; and the transform of a row. */
#include <math.h>
#include <string.h>

#include "featurize/internal.h"
#include "featurize/wide.h"

/* Raised whenever a feature or the analytic time changes its meaning without changing its line in features.def. */
static const char version[] = "features 2";

static const sc_feature_info table[SC_FEATURE_COUNT] = {
#define SC_FEATURE(name, group, unit, transform, doc) {#name, #group, unit, #transform, doc},
#include "featurize/features.def"
#undef SC_FEATURE
};

enum { transform_linear = 0, transform_log2 = -1 };
static const int32_t is_log[SC_FEATURE_COUNT + SC_FLOATS - 1] = {
/* read in vectors */
#define SC_FEATURE(name, group, unit, transform, doc) transform_##transform,
#include "featurize/features.def"
#undef SC_FEATURE
};

const sc_feature_info *sc_feature_at(int i) { return i >= 0 && i < SC_FEATURE_COUNT ? &table[i] : NULL; }

double sc_feature_value(int i, float stored) { return is_log[i] ? exp2((double)stored) - 1 : (double)stored; }

uint64_t sc_feature_schema(void) {
  uint64_t hash = sc_hash64(version, sizeof version, 0);
  for (int i = 0; i < SC_FEATURE_COUNT; i++) {
    const char *text[] = {table[i].name, table[i].unit, table[i].transform};
    for (size_t t = 0; t < SC_COUNT_OF(text); t++) hash = sc_hash64(text[t], strlen(text[t]) + 1, hash);
  }
  return hash;
}

/* log2(1 + x) for x >= 0, the same bits on every machine: the exponent, and between powers of two m + m (1-m) q(m),
 * exact at both ends so that the result rises without steps. q interpolates at Chebyshev nodes; the error is below
 * 2e-6. */
#define LOG2_1P(x, result)                                                        \
  do {                                                                            \
    const sc_ints bits_ = (sc_ints)(1.0F + (x));                                  \
    const sc_floats e_ = __builtin_convertvector((bits_ >> 23) - 127, sc_floats); \
    const sc_floats m_ = (sc_floats)((bits_ & 0x7fffff) | 0x3f800000) - 1.0F;     \
    sc_floats q_ = -0.01512545F * m_ + 0.06407294F;                               \
    q_ = q_ * m_ - 0.13144654F;                                                   \
    q_ = q_ * m_ + 0.19666100F;                                                   \
    q_ = q_ * m_ - 0.27820167F;                                                   \
    q_ = q_ * m_ + 0.44268885F;                                                   \
    (result) = e_ + m_ + m_ * (1.0F - m_) * q_;                                   \
  } while (0)

SC_CLONES
void sc_features_transform(const float *plain, int first, float *row) {
  enum { STEP = SC_FLOATS, WHOLE = SC_FEATURE_COUNT / STEP * STEP };
  const sc_floats most = (sc_floats){0} + 1e30F;
  float rest[STEP] = {0};
  memcpy(rest, plain + WHOLE, (SC_FEATURE_COUNT - WHOLE) * sizeof *row);
  for (int i = first; i < SC_FEATURE_COUNT; i += STEP) {
    sc_floats x;
    memcpy(&x, i < WHOLE ? plain + i : rest, sizeof x);
    sc_ints log;
    memcpy(&log, is_log + i, sizeof log);
    x = SC_CHOOSE(x > -most, x, -most); /* NaN too */
    x = SC_CHOOSE(x < most, x, most);
    sc_floats logarithm;
    LOG2_1P(SC_CHOOSE(x > 0, x, (sc_floats){0}), logarithm);
    x = SC_CHOOSE(log, logarithm, x);
    memcpy(row + i, &x, i < WHOLE ? sizeof x : (SC_FEATURE_COUNT - WHOLE) * sizeof *row);
  }
}
