/* Reading XGBoost's JSON model into a forest. A hostile file is an error with its place, never a crash. */
#include "predictor/forest.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct reading {
  const char *where;
  sc_cursor c;
  sc_booster_head *head;
  sc_forest *forest;
  sc_attribute_fn *attribute;
  void *user;
  sc_error *err;
  sc_status status; /* first failure that is not the cursor's */
  size_t ninfo, cap_info;
  uint8_t *info; /* output of each tree */
} reading;

enum { MAX_NODES = 1 << 22, MAX_TREES = 1 << 16, MAX_TREE_NODES = 2 << SC_FOREST_DEPTH };

static void damaged(reading *r, sc_status status, const char *what) {
  if (r->status == SC_OK) r->status = sc_fail(r->err, status, "%s: %s", r->where, what);
}

static bool fine(const reading *r) { return r->status == SC_OK && sc_cursor_ok(&r->c); }

/* Grows an array to hold one more; false when out of memory. */
static bool grow(void **array, size_t *cap, size_t n, size_t size) {
  if (n < *cap) return true;
  const size_t wanted = *cap ? *cap * 2 : 256;
  void *bigger = realloc(*array, wanted * size);
  if (bigger == NULL) return false;
  *array = bigger;
  *cap = wanted;
  return true;
}

/* ---- one tree ---- */

/* The arrays of a tree stand in any order; each fills its field of the tree's nodes. */
typedef enum field { LEFT, RIGHT, FEATURE, CONDITION, COVER, DEFAULT_LEFT, SPLIT_TYPE, FIELD_COUNT } field;
static const char *const field_names[] = {"left_children", "right_children", "split_indices", "split_conditions",
                                          "sum_hessian",   "default_left",   "split_type"};

typedef struct raw_tree {
  size_t n[FIELD_COUNT];
  double value[FIELD_COUNT][MAX_TREE_NODES];
} raw_tree;

static void read_array(reading *r, raw_tree *tree, int f) {
  sc_cursor_enter(&r->c, '[');
  tree->n[f] = 0;
  while (sc_cursor_item(&r->c)) {
    const double value = sc_cursor_number(&r->c);
    if (tree->n[f] == MAX_TREE_NODES) {
      damaged(r, SC_LIMIT, "a tree has more nodes than depth 8 gives");
      return;
    }
    tree->value[f][tree->n[f]++] = value;
  }
}

static void read_raw_tree(reading *r, raw_tree *tree) {
  char key[32];
  memset(tree->n, 0, sizeof tree->n);
  sc_cursor_enter(&r->c, '{');
  while (fine(r) && sc_cursor_key(&r->c, key, sizeof key)) {
    int f = 0;
    while (f < FIELD_COUNT && strcmp(key, field_names[f]) != 0) f++;
    if (f < FIELD_COUNT) read_array(r, tree, f);
    else sc_cursor_skip(&r->c);
  }
}

static bool whole(double x, double min, double max) { return x >= min && x <= max && x == floor(x); }

/* An internal node: x < condition over whole x is x < ceil(condition). */
static const char *convert_split(const raw_tree *raw, size_t i, sc_tree_node *node) {
  const size_t n = raw->n[LEFT];
  const double left = raw->value[LEFT][i], right = raw->value[RIGHT][i], condition = raw->value[CONDITION][i];
  if (!whole(left, (double)i + 1, (double)n - 1) || !whole(right, (double)i + 1, (double)n - 1) || left == right) {
    return "a node's children are not below it";
  }
  if (!whole(raw->value[FEATURE][i], 0, UINT16_MAX)) return "a split names no feature";
  if (raw->value[SPLIT_TYPE][i] != 0) return "a split is not a comparison";
  if (!isfinite(condition)) return "a split's condition is not finite";
  const double threshold = ceil(condition);
  node->left = (int32_t)left;
  node->right = (int32_t)right;
  node->feature = (uint16_t)raw->value[FEATURE][i];
  node->threshold = (uint16_t)(threshold < 0 ? 0 : threshold > SC_FOREST_BINS ? SC_FOREST_BINS : threshold);
  return NULL;
}

static const char *convert(const raw_tree *raw, sc_tree_node *node, int *depth) {
  uint8_t level[MAX_TREE_NODES] = {0}, parents[MAX_TREE_NODES] = {0};
  const size_t n = raw->n[LEFT];
  for (int f = 0; f < FIELD_COUNT; f++) {
    if (raw->n[f] != n) return "the arrays of a tree differ in length";
  }
  for (size_t i = 0; i < n; i++) { /* children stand behind their parent, so one pass reaches everything */
    node[i] = (sc_tree_node){.left = -1, .right = -1, .cover = (float)raw->value[COVER][i]};
    if (!isfinite(node[i].cover) || node[i].cover < 0) return "a node's cover is not a number of rows";
    if (parents[i] != (i > 0)) return "a node is not reached exactly once";
    if (raw->value[LEFT][i] == -1 && raw->value[RIGHT][i] == -1) {
      node[i].value = (float)raw->value[CONDITION][i];
      if (!isfinite(node[i].value)) return "a leaf is not finite";
      continue;
    }
    const char *why = convert_split(raw, i, &node[i]);
    if (why) return why;
    const int32_t child[2] = {node[i].left, node[i].right};
    for (int k = 0; k < 2; k++) {
      parents[child[k]]++;
      level[child[k]] = (uint8_t)(level[i] + 1);
    }
    if (level[i] >= SC_FOREST_DEPTH) return "a tree is deeper than 8";
    if (level[i] + 1 > *depth) *depth = level[i] + 1;
  }
  return NULL;
}

static void read_tree(reading *r, raw_tree *raw) {
  sc_forest *forest = r->forest;
  read_raw_tree(r, raw);
  if (!fine(r)) return;
  const size_t n = raw->n[LEFT];
  if (n == 0) {
    damaged(r, SC_FORMAT, "a tree has no nodes");
    return;
  }
  if (forest->ntrees == MAX_TREES || forest->nnodes + n > MAX_NODES) {
    damaged(r, SC_LIMIT, "the model has more trees than schedcast reads");
    return;
  }
  while (forest->cap_nodes < forest->nnodes + n) {
    if (!grow((void **)&forest->node, &forest->cap_nodes, forest->cap_nodes, sizeof *forest->node)) break;
  }
  if (forest->cap_nodes < forest->nnodes + n ||
      !grow((void **)&forest->tree, &forest->cap_trees, forest->ntrees, sizeof *forest->tree)) {
    damaged(r, SC_NOMEM, "out of memory");
    return;
  }
  const char *why = convert(raw, forest->node + forest->nnodes, &forest->depth);
  if (why) {
    damaged(r, SC_FORMAT, why);
    return;
  }
  forest->tree[forest->ntrees++] = (sc_tree){.first = (uint32_t)forest->nnodes, .count = (uint32_t)n};
  forest->nnodes += n;
}

static void read_trees(reading *r) {
  raw_tree *raw = malloc(sizeof *raw);
  if (raw == NULL) damaged(r, SC_NOMEM, "out of memory");
  sc_cursor_enter(&r->c, '[');
  while (raw && fine(r) && sc_cursor_item(&r->c)) read_tree(r, raw);
  free(raw);
}

/* ---- around the trees ---- */

static void read_info(reading *r) {
  sc_cursor_enter(&r->c, '[');
  while (fine(r) && sc_cursor_item(&r->c)) {
    const double output = sc_cursor_number(&r->c);
    if (!whole(output, 0, SC_FOREST_OUTPUTS - 1)) damaged(r, SC_FORMAT, "tree_info names an output that is not there");
    else if (r->ninfo == MAX_TREES || !grow((void **)&r->info, &r->cap_info, r->ninfo, 1)) {
      damaged(r, SC_LIMIT, "tree_info is too long");
    } else r->info[r->ninfo++] = (uint8_t)output;
  }
}

/* A string, or a number as its text: XGBoost writes numbers of parameters as strings. An array shows as "[". */
static void read_text(reading *r, char *out, size_t size) {
  sc_str text = {0};
  if (sc_cursor_string(&r->c, &text)) snprintf(out, size, "%s", sc_str_text(&text));
  sc_str_free(&text);
}

static void read_model(reading *r) {
  char key[32];
  sc_cursor_enter(&r->c, '{');
  while (fine(r) && sc_cursor_key(&r->c, key, sizeof key)) {
    if (strcmp(key, "trees") == 0) read_trees(r);
    else if (strcmp(key, "tree_info") == 0) read_info(r);
    else sc_cursor_skip(&r->c);
  }
}

static void read_booster(reading *r) {
  char key[32];
  sc_cursor_enter(&r->c, '{');
  while (fine(r) && sc_cursor_key(&r->c, key, sizeof key)) {
    if (strcmp(key, "model") == 0) read_model(r);
    else if (strcmp(key, "name") == 0) read_text(r, r->head->booster, sizeof r->head->booster);
    else sc_cursor_skip(&r->c);
  }
}

static void read_attributes(reading *r) {
  char key[64];
  sc_cursor_enter(&r->c, '{');
  while (fine(r) && sc_cursor_key(&r->c, key, sizeof key)) {
    sc_str value = {0};
    sc_cursor_string(&r->c, &value);
    if (value.failed) damaged(r, SC_NOMEM, "out of memory");
    else if (fine(r) && r->attribute) r->status = r->attribute(r->user, key, sc_str_text(&value), r->err);
    sc_str_free(&value);
  }
}

static int64_t read_count(reading *r) {
  char text[32] = "";
  read_text(r, text, sizeof text);
  return strtoll(text, NULL, 10);
}

static void read_learner_param(reading *r) {
  char key[32];
  int64_t classes = 0, targets = 1;
  sc_cursor_enter(&r->c, '{');
  while (fine(r) && sc_cursor_key(&r->c, key, sizeof key)) {
    if (strcmp(key, "base_score") == 0) read_text(r, r->head->base_score, sizeof r->head->base_score);
    else if (strcmp(key, "num_feature") == 0) r->head->nfeatures = read_count(r);
    else if (strcmp(key, "num_class") == 0) classes = read_count(r);
    else if (strcmp(key, "num_target") == 0) targets = read_count(r);
    else sc_cursor_skip(&r->c);
  }
  r->head->noutputs = classes > 1 ? classes : targets;
}

static void read_objective(reading *r) {
  char key[32];
  sc_cursor_enter(&r->c, '{');
  while (fine(r) && sc_cursor_key(&r->c, key, sizeof key)) {
    if (strcmp(key, "name") == 0) read_text(r, r->head->objective, sizeof r->head->objective);
    else sc_cursor_skip(&r->c);
  }
}

static void read_learner(reading *r) {
  char key[32];
  sc_cursor_enter(&r->c, '{');
  while (fine(r) && sc_cursor_key(&r->c, key, sizeof key)) {
    if (strcmp(key, "attributes") == 0) read_attributes(r);
    else if (strcmp(key, "gradient_booster") == 0) read_booster(r);
    else if (strcmp(key, "learner_model_param") == 0) read_learner_param(r);
    else if (strcmp(key, "objective") == 0) read_objective(r);
    else sc_cursor_skip(&r->c);
  }
}

static void read_version(reading *r) {
  sc_cursor_enter(&r->c, '[');
  for (int i = 0; sc_cursor_item(&r->c); i++) {
    const double part = sc_cursor_number(&r->c);
    if (i < 3 && whole(part, 0, 10000)) r->head->version[i] = (int)part;
  }
}

static void read_all(reading *r) {
  char key[32];
  sc_cursor_enter(&r->c, '{');
  while (fine(r) && sc_cursor_key(&r->c, key, sizeof key)) {
    if (strcmp(key, "learner") == 0) read_learner(r);
    else if (strcmp(key, "version") == 0) read_version(r);
    else sc_cursor_skip(&r->c);
  }
  if (fine(r) && !sc_cursor_at_end(&r->c)) damaged(r, SC_FORMAT, "something follows the model");
}

/* What only the whole can tell. */
static void check_all(reading *r) {
  sc_forest *forest = r->forest;
  if (r->ninfo != forest->ntrees) damaged(r, SC_FORMAT, "tree_info and trees differ in length");
  else if (forest->ntrees == 0) damaged(r, SC_FORMAT, "the model has no trees");
  else if (!whole((double)r->head->nfeatures, 1, SC_FOREST_FEATURES))
    damaged(r, SC_FORMAT, "num_feature is not 1 to 256");
  else if (!whole((double)r->head->noutputs, 1, SC_FOREST_OUTPUTS))
    damaged(r, SC_FORMAT, "the model has more outputs than two");
  if (!fine(r)) return;
  forest->nfeatures = (int)r->head->nfeatures;
  forest->noutputs = (int)r->head->noutputs;
  for (size_t t = 0; t < forest->ntrees; t++) {
    forest->tree[t].output = r->info[t];
    if (r->info[t] >= forest->noutputs) damaged(r, SC_FORMAT, "tree_info names an output that is not there");
  }
  for (size_t i = 0; i < forest->nnodes; i++) {
    if (forest->node[i].left >= 0 && forest->node[i].feature >= forest->nfeatures) {
      damaged(r, SC_FORMAT, "a split names no feature");
    }
  }
}

sc_status sc_forest_read(const char *where, const char *text, size_t len, sc_booster_head *head, sc_forest *forest,
                         sc_attribute_fn *attribute, void *user, sc_error *err) {
  reading r = {.where = where, .head = head, .forest = forest, .attribute = attribute, .user = user, .err = err};
  memset(head, 0, sizeof *head);
  memset(forest, 0, sizeof *forest);
  sc_cursor_open(&r.c, text, len);
  read_all(&r);
  if (r.status == SC_OK) r.status = sc_cursor_status(&r.c, where, err);
  if (r.status == SC_OK) check_all(&r);
  sc_cursor_close(&r.c);
  free(r.info);
  if (r.status == SC_OK && !sc_forest_complete(forest)) r.status = sc_fail(err, SC_NOMEM, "out of memory");
  if (r.status != SC_OK) sc_forest_free(forest);
  return r.status;
}
