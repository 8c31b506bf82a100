/* The fast forest: XGBoost's trees over bins (bytes 0..254), evaluated by byte compares, bit-identical to libxgboost.
 *
 * A booster with `noutputs` outputs adds one tree per output and round. A row's margin of an output is the sum of its
 * trees' leaves as float32, in the order of the trees, from 0. Node i of a tree goes left when bin[feature] <
 * threshold. */
#ifndef SC_PREDICTOR_FOREST_H
#define SC_PREDICTOR_FOREST_H

#include "predictor/cursor.h"

enum {
  SC_FOREST_OUTPUTS = 2,
  SC_FOREST_DEPTH = 8,
  SC_FOREST_BLOCK = 32,
  SC_FOREST_BINS = 255,
  SC_FOREST_FEATURES = 256
};

typedef struct sc_tree_node {
  int32_t left, right; /* of the same tree; -1 in a leaf */
  uint16_t feature, threshold; /* 0 .. 255 */
  float value; /* of a leaf */
  float cover; /* sum of the hessians of the training rows that came here */
} sc_tree_node;

typedef struct sc_tree {
  uint32_t first, count; /* of sc_forest.node */
  uint8_t output;
} sc_tree;

typedef struct sc_forest {
  int noutputs, nfeatures, depth;
  size_t ntrees, nnodes, cap_nodes, cap_trees;
  sc_tree *tree;
  sc_tree_node *node;
  /* Every tree but those of a single leaf of 0 made complete to `levels`, 6 or 8: (1 << levels) - 1 splits in
   * breadth-first order and 1 << levels leaves. The trees of an output stand together, in their order. */
  int levels;
  size_t upto[SC_FOREST_OUTPUTS]; /* how many are of this output or one before it */
  uint8_t (*split)[2]; /* feature, threshold */
  float *leaf;
} sc_forest;

/* What the file says beside the trees and the attributes. */
typedef struct sc_booster_head {
  int version[3];
  char base_score[64], objective[64], booster[32];
  int64_t nfeatures, noutputs;
} sc_booster_head;

/* Called for every attribute. */
typedef sc_status sc_attribute_fn(void *user, const char *key, const char *value, sc_error *err);

/* Reads a JSON model. Everything is checked: children in range and below their parent, every node reached once, depth,
 * features, finite values. `where` names it in errors. */
sc_status sc_forest_read(const char *where, const char *text, size_t len, sc_booster_head *head, sc_forest *forest,
                         sc_attribute_fn *attribute, void *user, sc_error *err);
/* Fills the complete trees from the nodes; false when out of memory. */
bool sc_forest_complete(sc_forest *forest);
void sc_forest_free(sc_forest *forest);
/* Hash of all that decides a prediction. */
uint64_t sc_forest_hash(const sc_forest *forest);
/* Margins of n rows of nfeatures bins each (row-major): margin[n * noutputs]. */
void sc_forest_margins(const sc_forest *forest, const uint8_t *bins, size_t n, float *margin);
/* Margins of the first `rows` rows of one block: bins[feature][SC_FOREST_BLOCK], margin[output][SC_FOREST_BLOCK]. Only
 * the first `noutputs` outputs. Few rows go through the trees one by one. */
void sc_forest_block(const sc_forest *forest, const uint8_t (*bins)[SC_FOREST_BLOCK], size_t rows, int noutputs,
                     float (*margin)[SC_FOREST_BLOCK]);
/* SHAP values of one row and output (Lundberg 2018, path-dependent TreeSHAP): phi[nfeatures], and the mean in *base. */
void sc_forest_shap(const sc_forest *forest, const uint8_t *bins, int output, double *phi, double *base);

#endif
