/* Evaluating the forest. Trees are completed to one depth, 6 or 8; a block of rows goes through a tree bottom up: each
 * split of the lowest level picks one of its two leaf numbers by a byte compare, each split above picks one of the two
 * numbers below, and 32 rows go through one instruction. There are no branches and no gathers but the leaf's at the end.
 * Trees of nothing but a leaf of 0, as an output has that needs fewer rounds than another, are passed over. */
#include "predictor/forest.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef int8_t signed_bytes __attribute__((vector_size(SC_FOREST_BLOCK)));

void sc_forest_free(sc_forest *forest) {
  free(forest->tree);
  free(forest->node);
  free(forest->split);
  free(forest->leaf);
  memset(forest, 0, sizeof *forest);
}

/* ---- complete trees ---- */

typedef struct complete {
  const sc_tree_node *node;
  uint8_t (*split)[2];
  float *leaf;
  int depth;
} complete;

/* The subtree of `node` at place `at` of level `level`; below a leaf every split leads to it. */
static void fill(const complete *c, int32_t node, int level, int at) {
  const sc_tree_node *n = &c->node[node];
  if (level == c->depth) {
    c->leaf[at] = n->value;
    return;
  }
  const bool leaf = n->left < 0;
  const int place = (1 << level) - 1 + at;
  c->split[place][0] = leaf ? 0 : (uint8_t)n->feature;
  c->split[place][1] = leaf ? 0 : (uint8_t)n->threshold;
  fill(c, leaf ? node : n->left, level + 1, 2 * at);
  fill(c, leaf ? node : n->right, level + 1, 2 * at + 1);
}

static bool is_nothing(const sc_forest *forest, const sc_tree *tree) {
  const sc_tree_node *root = &forest->node[tree->first];
  return root->left < 0 && root->value == 0;
}

bool sc_forest_complete(sc_forest *forest) {
  forest->levels = forest->depth <= 6 ? 6 : 8;
  const size_t splits = ((size_t)1 << forest->levels) - 1, leaves = splits + 1;
  size_t n = 0, at = 0;
  for (size_t t = 0; t < forest->ntrees; t++) n += !is_nothing(forest, &forest->tree[t]);
  forest->split = calloc(n ? n : 1, splits * sizeof *forest->split);
  forest->leaf = calloc(n ? n : 1, leaves * sizeof *forest->leaf);
  if (!forest->split || !forest->leaf) return false;
  for (int o = 0; o < SC_FOREST_OUTPUTS; o++) {
    for (size_t t = 0; t < forest->ntrees; t++) {
      if (forest->tree[t].output != o || is_nothing(forest, &forest->tree[t])) continue;
      const complete c = {forest->node + forest->tree[t].first, forest->split + at * splits, forest->leaf + at * leaves,
                          forest->levels};
      fill(&c, 0, 0, 0);
      at++;
    }
    forest->upto[o] = at;
  }
  return true;
}

/* ---- evaluation ---- */

/* The numbers of the leaves that a block's rows reach below split `place`, the first of which is `first`. Unrolled to the
 * last level, they never leave the registers. Vectors are handed on by pointers: as values each ISA would pass them in
 * its own way. */
typedef struct splits {
  const int8_t (*bins)[SC_FOREST_BLOCK]; /* 128 less than they are: signed bytes are compared by one instruction */
  const uint8_t (*split)[2];
} splits;

#define INLINE static inline __attribute__((always_inline))

INLINE void goes_left(const splits *s, int place, signed_bytes *mask) {
  signed_bytes bin;
  memcpy(&bin, s->bins[s->split[place][0]], sizeof bin);
  *mask = (signed_bytes)(bin < (signed_bytes){0} + (int8_t)(s->split[place][1] - 128));
}

INLINE void walk_1(const splits *s, int place, int first, signed_bytes *number) {
  signed_bytes mask; /* -1 where the left one is reached */
  goes_left(s, place, &mask);
  *number = mask + (int8_t)(first + 1);
}

#define WALK(levels, below)                                                                \
  INLINE void walk_##levels(const splits *s, int place, int first, signed_bytes *number) { \
    signed_bytes mask, left, right;                                                        \
    walk_##below(s, 2 * place + 1, first, &left);                                          \
    walk_##below(s, 2 * place + 2, first + (1 << below), &right);                          \
    goes_left(s, place, &mask);                                                            \
    *number = right ^ ((left ^ right) & mask);                                             \
  }
WALK(2, 1)
WALK(3, 2)
WALK(4, 3)
WALK(5, 4)
WALK(6, 5)
WALK(7, 6)
WALK(8, 7)

SC_CLONES
static void whole_block(const sc_forest *forest, const uint8_t (*bins)[SC_FOREST_BLOCK], int noutputs,
                        float (*margin)[SC_FOREST_BLOCK]) {
  const size_t nsplits = ((size_t)1 << forest->levels) - 1;
  int8_t shifted[SC_FOREST_FEATURES][SC_FOREST_BLOCK];
  for (int f = 0; f < forest->nfeatures; f++) {
    for (int r = 0; r < SC_FOREST_BLOCK; r++) shifted[f][r] = (int8_t)(bins[f][r] - 128);
  }
  memset(margin, 0, (size_t)noutputs * sizeof *margin);
  for (size_t i = 0, output = 0; i < forest->upto[noutputs - 1]; i++) {
    while (i >= forest->upto[output]) output++;
    const splits s = {(const int8_t(*)[SC_FOREST_BLOCK])shifted, forest->split + i * nsplits};
    const float *leaf = forest->leaf + i * (nsplits + 1);
    signed_bytes reached;
    uint8_t number[SC_FOREST_BLOCK];
    if (forest->levels == 6) walk_6(&s, 0, 0, &reached);
    else walk_8(&s, 0, 0, &reached);
    memcpy(number, &reached, sizeof number);
    for (int r = 0; r < SC_FOREST_BLOCK; r++) margin[output][r] += leaf[number[r]];
  }
}

enum { ALONE = 12 /* rows up to which one by one is faster */, SIDE_BY_SIDE = 4 };

/* Adds the leaves that one row reaches in n trees. Each step down waits for the one before, so several trees go
 * together; with both numbers constant, addresses are offsets and every place stays in a register. */
INLINE float go_down(const uint8_t (*split)[2], const float *leaf, int levels, int n, const uint8_t *bin, float sum) {
  const size_t nsplits = ((size_t)1 << levels) - 1;
  size_t at[SIDE_BY_SIDE] = {0};
#pragma GCC unroll 8
  for (int level = 0; level < levels; level++) {
#pragma GCC unroll 4
    for (int k = 0; k < n; k++) {
      const uint8_t *s = split[(size_t)k * nsplits + at[k]];
      at[k] = 2 * at[k] + 2 - (bin[s[0]] < s[1]);
    }
  }
#pragma GCC unroll 4
  for (int k = 0; k < n; k++) sum += leaf[(size_t)k * (nsplits + 1) + at[k] - nsplits];
  return sum;
}

INLINE void one_row(const sc_forest *forest, int levels, const uint8_t *bin, int noutputs, float *sum) {
  const size_t nsplits = ((size_t)1 << levels) - 1;
  const uint8_t(*split)[2] = (const uint8_t(*)[2])forest->split;
  const float *leaf = forest->leaf;
  for (int o = 0; o < noutputs; o++) {
    size_t left = forest->upto[o] - (o ? forest->upto[o - 1] : 0);
    float s = 0;
    for (; left >= SIDE_BY_SIDE; left -= SIDE_BY_SIDE) {
      s = go_down(split, leaf, levels, SIDE_BY_SIDE, bin, s);
      split += SIDE_BY_SIDE * nsplits;
      leaf += SIDE_BY_SIDE * (nsplits + 1);
    }
    for (; left > 0; left--) {
      s = go_down(split, leaf, levels, 1, bin, s);
      split += nsplits;
      leaf += nsplits + 1;
    }
    sum[o] = s;
  }
}

void sc_forest_block(const sc_forest *forest, const uint8_t (*bins)[SC_FOREST_BLOCK], size_t rows, int noutputs,
                     float (*margin)[SC_FOREST_BLOCK]) {
  if (rows > ALONE) {
    whole_block(forest, bins, noutputs, margin);
    return;
  }
  for (size_t r = 0; r < rows; r++) {
    uint8_t bin[SC_FOREST_FEATURES];
    float sum[SC_FOREST_OUTPUTS];
    for (int f = 0; f < forest->nfeatures; f++) bin[f] = bins[f][r];
    if (forest->levels == 6) one_row(forest, 6, bin, noutputs, sum);
    else one_row(forest, 8, bin, noutputs, sum);
    for (int o = 0; o < noutputs; o++) margin[o][r] = sum[o];
  }
}

void sc_forest_margins(const sc_forest *forest, const uint8_t *bins, size_t n, float *margin) {
  const size_t f = (size_t)forest->nfeatures, k = (size_t)forest->noutputs;
  uint8_t(*block)[SC_FOREST_BLOCK] = calloc(f, sizeof *block);
  float sums[SC_FOREST_OUTPUTS][SC_FOREST_BLOCK];
  SC_ASSERT(block != NULL); /* 5 KiB */
  for (size_t start = 0; start < n; start += SC_FOREST_BLOCK) {
    const size_t rows = n - start < SC_FOREST_BLOCK ? n - start : SC_FOREST_BLOCK;
    for (size_t r = 0; r < rows; r++) {
      for (size_t i = 0; i < f; i++) block[i][r] = bins[(start + r) * f + i];
    }
    sc_forest_block(forest, (const uint8_t(*)[SC_FOREST_BLOCK])block, rows, (int)k, sums);
    for (size_t r = 0; r < rows; r++) {
      for (size_t o = 0; o < k; o++) margin[(start + r) * k + o] = sums[o][r];
    }
  }
  free(block);
}

uint64_t sc_forest_hash(const sc_forest *forest) {
  uint64_t hash = sc_hash64(&(const int32_t[]){forest->noutputs, forest->nfeatures}, 2 * sizeof(int32_t), 0);
  for (size_t t = 0; t < forest->ntrees; t++) {
    const sc_tree *tree = &forest->tree[t];
    hash = sc_hash64(&(const uint32_t[]){tree->count, tree->output}, 2 * sizeof(uint32_t), hash);
  }
  for (size_t i = 0; i < forest->nnodes; i++) {
    const sc_tree_node *node = &forest->node[i];
    uint32_t part[6] = {(uint32_t)node->left, (uint32_t)node->right, node->feature, node->threshold, 0, 0};
    memcpy(&part[4], &node->value, sizeof(float));
    memcpy(&part[5], &node->cover, sizeof(float));
    hash = sc_hash64(part, sizeof part, hash);
  }
  return hash;
}
