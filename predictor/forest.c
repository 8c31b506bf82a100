/* Evaluating the forest. Trees are completed to one depth; a block of rows goes through a tree bottom up: each split of
 * the lowest level picks one of its two leaf numbers by a byte compare, each split above picks one of the two numbers
 * below, and 32 rows go through one instruction. There are no branches and no gathers but the leaf's at the end. */
#include "predictor/forest.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef uint8_t bytes __attribute__((vector_size(SC_FOREST_BLOCK)));

void sc_forest_free(sc_forest *forest) {
  free(forest->tree);
  free(forest->node);
  free(forest->split_feature);
  free(forest->split_threshold);
  free(forest->leaf);
  memset(forest, 0, sizeof *forest);
}

/* ---- complete trees ---- */

typedef struct complete {
  const sc_tree_node *node;
  uint16_t *feature;
  uint8_t *threshold;
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
  c->feature[place] = leaf ? 0 : n->feature;
  c->threshold[place] = leaf ? 0 : (uint8_t)n->threshold;
  fill(c, leaf ? node : n->left, level + 1, 2 * at);
  fill(c, leaf ? node : n->right, level + 1, 2 * at + 1);
}

bool sc_forest_complete(sc_forest *forest) {
  if (forest->depth < 1) forest->depth = 1;
  const size_t splits = ((size_t)1 << forest->depth) - 1, leaves = splits + 1;
  forest->split_feature = calloc(forest->ntrees * splits, sizeof *forest->split_feature);
  forest->split_threshold = calloc(forest->ntrees * splits, sizeof *forest->split_threshold);
  forest->leaf = calloc(forest->ntrees * leaves, sizeof *forest->leaf);
  if (!forest->split_feature || !forest->split_threshold || !forest->leaf) return false;
  for (size_t t = 0; t < forest->ntrees; t++) {
    const complete c = {forest->node + forest->tree[t].first, forest->split_feature + t * splits,
                        forest->split_threshold + t * splits, forest->leaf + t * leaves, forest->depth};
    fill(&c, 0, 0, 0);
  }
  return true;
}

/* ---- evaluation ---- */

/* `yes` where the mask is set, else `no`. A macro: vectors cannot be passed alike to functions of every ISA. */
#define CHOOSE(mask, yes, no) (((yes) & (mask)) | ((no) & ~(mask)))

SC_CLONES
void sc_forest_block(const sc_forest *forest, const uint8_t (*bins)[SC_FOREST_BLOCK], int noutputs,
                     float (*margin)[SC_FOREST_BLOCK]) {
  const int depth = forest->depth, splits = (1 << depth) - 1;
  bytes number[1 << (SC_FOREST_DEPTH - 1)];
  memset(margin, 0, (size_t)noutputs * sizeof *margin);
  for (size_t t = 0; t < forest->ntrees; t++) {
    if (forest->tree[t].output >= noutputs) continue;
    const uint16_t *feature = forest->split_feature + t * (size_t)splits;
    const uint8_t *threshold = forest->split_threshold + t * (size_t)splits;
    const float *leaf = forest->leaf + t * (size_t)(splits + 1);
    float *sum = margin[forest->tree[t].output];
    for (int level = depth - 1; level >= 0; level--) {
      const int first = (1 << level) - 1;
      for (int i = 0; i < 1 << level; i++) {
        bytes bin;
        memcpy(&bin, bins[feature[first + i]], sizeof bin);
        const bytes goes_left = (bytes)(bin < (bytes){0} + threshold[first + i]);
        if (level == depth - 1) {
          const bytes left = (bytes){0} + (uint8_t)(2 * i);
          number[i] = CHOOSE(goes_left, left, left + 1);
        } else number[i] = CHOOSE(goes_left, number[2 * i], number[2 * i + 1]);
      }
    }
    for (int r = 0; r < SC_FOREST_BLOCK; r++) sum[r] += leaf[number[0][r]];
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
    sc_forest_block(forest, (const uint8_t(*)[SC_FOREST_BLOCK])block, (int)k, sums);
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
