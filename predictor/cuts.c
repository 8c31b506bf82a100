/* Cut points and bins. Models see bins only, so what a bin means must never move: the cuts are frozen in the card. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "predictor/internal.h"

enum { MAX_CUTS = SC_FOREST_BINS - 1 };

static int by_value(const void *a, const void *b) {
  const float x = *(const float *)a, y = *(const float *)b;
  return (x > y) - (x < y);
}

/* A cut parts two values: it is above the lower one and at most the upper one. */
static float between(float low, float high) {
  const float middle = low + (high - low) / 2;
  return middle > low && middle <= high ? middle : high;
}

static int cut_feature(const float *sorted, size_t n, float *at) {
  size_t distinct = n > 0;
  for (size_t i = 1; i < n; i++) distinct += sorted[i] > sorted[i - 1];
  int count = 0;
  for (size_t i = 1; i < n && distinct <= MAX_CUTS + 1; i++) {
    if (sorted[i] > sorted[i - 1]) at[count++] = between(sorted[i - 1], sorted[i]);
  }
  for (int k = 1; k <= MAX_CUTS && distinct > MAX_CUTS + 1; k++) {
    size_t i = n * (size_t)k / (MAX_CUTS + 1);
    while (i < n && (i == 0 || sorted[i] <= sorted[i - 1])) i++; /* the next step up */
    if (i == n) break;
    const float cut = between(sorted[i - 1], sorted[i]);
    if (count == 0 || cut > at[count - 1]) at[count++] = cut;
  }
  return count;
}

bool sc_cuts_fit(const float *features, const uint32_t *index, size_t n, sc_cuts *cuts) {
  float *column = malloc((n ? n : 1) * sizeof *column);
  if (column == NULL) return false;
  for (int f = 0; f < SC_FEATURE_COUNT; f++) {
    for (size_t i = 0; i < n; i++) column[i] = features[(size_t)index[i] * SC_FEATURE_COUNT + (size_t)f];
    qsort(column, n, sizeof *column, by_value);
    cuts->count[f] = (uint8_t)cut_feature(column, n, cuts->at[f]);
    for (int k = cuts->count[f]; k < 256; k++) cuts->at[f][k] = INFINITY;
  }
  free(column);
  return true;
}

/* A power of two that a search among so many cuts may begin with: few cuts, few steps. */
static inline unsigned first_step(unsigned count) {
  unsigned first = 128;
  while (first > 1 && first > count) first /= 2;
  return first;
}

/* Number of cuts <= value among `count`, without a branch. */
static inline uint8_t bin_of(const float *at, unsigned count, float value) {
  unsigned n = 0;
  for (unsigned step = first_step(count); step > 0; step /= 2) n += step & (0U - (unsigned)(value >= at[n + step - 1]));
  return (uint8_t)n;
}

void sc_cuts_bins(const sc_cuts *cuts, const float *rows, size_t n, uint8_t *bins) {
  for (size_t i = 0; i < n; i++) {
    for (int f = 0; f < SC_FEATURE_COUNT; f++) {
      bins[i * SC_FEATURE_COUNT + (size_t)f] =
          bin_of(cuts->at[f], cuts->count[f], rows[i * SC_FEATURE_COUNT + (size_t)f]);
    }
  }
}

void sc_cuts_block(const sc_cuts *cuts, const float *rows, size_t n, const bool *used,
                   uint8_t (*bins)[SC_FOREST_BLOCK]) {
  enum { FEW = 4 };
  float value[SC_FOREST_BLOCK] = {0};
  for (int f = 0; f < SC_FEATURE_COUNT; f++) {
    if (!used[f]) continue;
    const float *at = cuts->at[f];
    for (size_t r = 0; n <= FEW && r < n; r++)
      bins[f][r] = bin_of(at, cuts->count[f], rows[r * SC_FEATURE_COUNT + (size_t)f]);
    if (n <= FEW) continue;
    unsigned bin[SC_FOREST_BLOCK] = {0};
    for (size_t r = 0; r < n; r++) value[r] = rows[r * SC_FEATURE_COUNT + (size_t)f];
    for (unsigned step = first_step(cuts->count[f]); step > 0;
         step /= 2) { /* all rows go one step together, so that they overlap */
      for (size_t r = 0; r < SC_FOREST_BLOCK; r++)
        bin[r] += step & (0U - (unsigned)(value[r] >= at[bin[r] + step - 1]));
    }
    for (size_t r = 0; r < n; r++) bins[f][r] = (uint8_t)bin[r];
  }
}
