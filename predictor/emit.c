/* A model as one C file that needs nothing but <stdint.h>: trees, cut points, card and the order of the features. Its
 * margins are libxgboost's and ours to the last bit: the same leaves, added in the same order as float32.
 *
 * Bins are not needed: bin < threshold is value < cut[threshold - 1]. Only cuts that some tree asks for are written. A
 * tree is its nodes in preorder: a split is (cut, nodes of its left subtree), a leaf has no entry but the order. */
#include <stdlib.h>
#include <string.h>

#include "predictor/card.h"

enum { NEVER = -1, ALWAYS = -2 };

typedef struct emitting {
  const sc_model *model;
  const char *name;
  sc_str *out;
  int32_t *cut; /* number of (feature, threshold) in the file, -1 = not used */
  int32_t ncuts;
  size_t column; /* 0: nothing stands in this list yet */
  sc_str scratch;
} emitting;

/* ---- lists of numbers ---- */

static void item(emitting *e, const sc_str *text) {
  if (e->column + text->len + 1 > 118) e->column = 0;
  if (e->column == 0) sc_str_add(e->out, "\n");
  sc_str_add(e->out, sc_str_text(text));
  sc_str_add(e->out, ",");
  e->column += text->len + 1;
}

static void integer(emitting *e, int64_t value) {
  sc_str_clear(&e->scratch);
  sc_str_printf(&e->scratch, "%lld", (long long)value);
  item(e, &e->scratch);
}

static void real(emitting *e, float value) {
  sc_str_clear(&e->scratch);
  sc_str_printf(&e->scratch, "%.9g", (double)value);
  sc_str_add(&e->scratch, strpbrk(sc_str_text(&e->scratch), ".e") ? "f" : ".f");
  item(e, &e->scratch);
}

static void begin_list(emitting *e, const char *type, const char *what) {
  sc_str_printf(e->out, "static const %s %s_%s[] = {", type, e->name, what);
  e->column = 0;
}

/* C has no empty lists. */
static void end_list(emitting *e) { sc_str_add(e->out, e->column ? "\n};\n" : "0};\n"); }

/* ---- cuts ---- */

/* A split that compares with a cut; NEVER, ALWAYS: it goes left, whatever the value. */
static int test_of(const emitting *e, const sc_tree_node *node) {
  if (node->threshold == 0) return NEVER;
  if (node->threshold > e->model->cuts.count[node->feature]) return ALWAYS;
  return node->feature * 256 + node->threshold - 1;
}

static bool number_cuts(emitting *e) {
  const sc_forest *f = &e->model->forest;
  e->cut = malloc(SC_FEATURE_COUNT * 256 * sizeof *e->cut);
  if (!e->cut) return false;
  for (int i = 0; i < SC_FEATURE_COUNT * 256; i++) e->cut[i] = -1;
  for (size_t i = 0; i < f->nnodes; i++) {
    const int test = f->node[i].left >= 0 ? test_of(e, &f->node[i]) : NEVER;
    if (test >= 0) e->cut[test] = 0;
  }
  for (int i = 0; i < SC_FEATURE_COUNT * 256; i++)
    if (e->cut[i] == 0) e->cut[i] = e->ncuts++;
  return true;
}

static void put_cuts(emitting *e) {
  sc_str_printf(e->out, "/* What trees ask: is the feature below this? */\n");
  begin_list(e, "uint8_t", "cut_feature");
  for (int i = 0; i < SC_FEATURE_COUNT * 256; i++)
    if (e->cut[i] >= 0) integer(e, i / 256);
  end_list(e);
  begin_list(e, "float", "cut");
  for (int i = 0; i < SC_FEATURE_COUNT * 256; i++)
    if (e->cut[i] >= 0) real(e, e->model->cuts.at[i / 256][i % 256]);
  end_list(e);
}

/* ---- trees ---- */

/* Where a node's subtree really leads: a split that always goes one way is none. */
static const sc_tree_node *settle(const emitting *e, const sc_tree *tree, const sc_tree_node *node) {
  const sc_tree_node *root = &e->model->forest.node[tree->first];
  while (node->left >= 0) {
    const int test = test_of(e, node);
    if (test >= 0) break;
    node = root + (test == ALWAYS ? node->left : node->right);
  }
  return node;
}

static uint32_t splits_of(const emitting *e, const sc_tree *tree, const sc_tree_node *node) {
  const sc_tree_node *root = &e->model->forest.node[tree->first];
  node = settle(e, tree, node);
  if (node->left < 0) return 0;
  return 1 + splits_of(e, tree, root + node->left) + splits_of(e, tree, root + node->right);
}

static void put_splits(emitting *e, const sc_tree *tree, const sc_tree_node *node) {
  const sc_tree_node *root = &e->model->forest.node[tree->first];
  node = settle(e, tree, node);
  if (node->left < 0) return;
  integer(e, e->cut[test_of(e, node)]);
  integer(e, splits_of(e, tree, root + node->left));
  put_splits(e, tree, root + node->left);
  put_splits(e, tree, root + node->right);
}

static void put_leaves(emitting *e, const sc_tree *tree, const sc_tree_node *node) {
  const sc_tree_node *root = &e->model->forest.node[tree->first];
  node = settle(e, tree, node);
  if (node->left < 0) {
    real(e, node->value);
    return;
  }
  put_leaves(e, tree, root + node->left);
  put_leaves(e, tree, root + node->right);
}

/* Trees of an output that say nothing (later rounds of the other output) are left out: adding 0 changes no sum. */
static bool is_empty(const emitting *e, const sc_tree *tree) {
  const sc_tree_node *root = settle(e, tree, &e->model->forest.node[tree->first]);
  return root->left < 0 && root->value == 0;
}

typedef void put_tree(emitting *e, const sc_tree *tree, const sc_tree_node *node);

static void put_size(emitting *e, const sc_tree *tree, const sc_tree_node *node) {
  integer(e, splits_of(e, tree, node));
}

static void each_tree(emitting *e, int output, put_tree *put) {
  const sc_forest *f = &e->model->forest;
  for (size_t t = 0; t < f->ntrees; t++)
    if (f->tree[t].output == output && !is_empty(e, &f->tree[t])) put(e, &f->tree[t], &f->node[f->tree[t].first]);
}

static void put_list(emitting *e, const char *type, const char *what, put_tree *put) {
  begin_list(e, type, what);
  for (int o = 0; o < SC_FOREST_OUTPUTS; o++) each_tree(e, o, put);
  end_list(e);
}

static size_t count_trees(const emitting *e, int output) {
  const sc_forest *f = &e->model->forest;
  size_t n = 0;
  for (size_t t = 0; t < f->ntrees; t++) n += f->tree[t].output == output && !is_empty(e, &f->tree[t]);
  return n;
}

static void put_trees(emitting *e) {
  sc_str_add(e->out,
             "/* Splits in preorder: a cut, and how many splits stand before the right side; leaves from left to "
             "right. */\n");
  put_list(e, "uint16_t", "split", put_splits);
  put_list(e, "float", "leaf", put_leaves);
  sc_str_add(e->out, "/* Splits of each tree, those of output 0 first. */\n");
  put_list(e, "uint8_t", "tree", put_size);
}

/* ---- card, functions ---- */

/* As a comment, with nothing in it that would begin or end one. */
static void put_card(emitting *e) {
  sc_str card = {0};
  sc_card_text(&e->model->card, &card);
  for (const char *line = sc_str_text(&card), *end; *line; line = *end ? end + 1 : end) {
    end = line + strcspn(line, "\n");
    sc_str_add(e->out, " * ");
    for (const char *c = line; c < end; c++) {
      sc_str_addn(e->out, c, 1);
      if ((c[0] == '*' && c[1] == '/') || (c[0] == '/' && c[1] == '*')) sc_str_add(e->out, " ");
    }
    while (e->out->len && e->out->text[e->out->len - 1] == ' ') e->out->text[--e->out->len] = '\0';
    sc_str_add(e->out, "\n");
  }
  sc_str_free(&card);
}

static void put_head(emitting *e) {
  char hex[17], schema[17];
  sc_hash_hex(e->model->hash, hex);
  sc_hash_hex(e->model->card.schema, schema);
  sc_str_printf(e->out,
                "/* Model %s of schedcast as C99, for any machine. The compiler must keep float arithmetic: no "
                "-ffast-math.\n"
                " *\n"
                " *   float  %s_margin(const float *row, int output)\n"
                " *       row: the features below, as sc_features writes them; output 0: log of time / analytic time,\n"
                " *       1: log of the scale of its error, less %s_log_scale\n"
                " *   double %s_analytic(const double *term, float known)\n"
                " *       seconds, from compute, kernel, l2, l3, memory, conflict, pack and overhead (sc_analytic);\n"
                " *       the time is that times exp(margin of output 0)\n"
                " *\n",
                hex, e->name, e->name, e->name);
  put_card(e);
  sc_str_printf(e->out,
                " */\n#include <stdint.h>\n\nconst char %s_model[] = \"%s\";\nconst char %s_schema[] = \"%s\";\n"
                "const double %s_log_scale = %.17g;\nconst char *const %s_feature[] = {",
                e->name, hex, e->name, schema, e->name, e->model->card.intervals.log_scale, e->name);
  e->column = 0;
  for (int f = 0; f < SC_FEATURE_COUNT; f++) {
    sc_str_clear(&e->scratch);
    sc_str_printf(&e->scratch, "\"%s\"", sc_feature_at(f)->name);
    item(e, &e->scratch);
  }
  end_list(e);
}

static void put_functions(emitting *e) {
  const sc_analytic_fit *f = &e->model->card.analytic;
  const char *n = e->name;
  sc_str_printf(e->out,
                "\nfloat %s_margin(const float *row, int output) {\n"
                "  const uint16_t *split = %s_split;\n"
                "  const float *leaf = %s_leaf;\n"
                "  const int trees[] = {%zu, %zu};\n"
                "  float sum = 0;\n"
                "  for (int t = 0; t < trees[0] + trees[1]; t++) {\n"
                "    int n = %s_tree[t];\n"
                "    const uint16_t *s = split;\n"
                "    const float *l = leaf;\n"
                "    split += 2 * n;\n"
                "    leaf += n + 1;\n"
                "    if ((t >= trees[0]) != output) continue;\n"
                "    while (n > 0) {\n"
                "      const int left = s[1];\n"
                "      if (row[%s_cut_feature[s[0]]] < %s_cut[s[0]]) {\n"
                "        n = left;\n"
                "        s += 2;\n"
                "      } else {\n"
                "        n -= left + 1;\n"
                "        s += 2 * (left + 1);\n"
                "        l += left + 1;\n"
                "      }\n"
                "    }\n"
                "    sum += *l;\n"
                "  }\n"
                "  return sum;\n"
                "}\n",
                n, n, n, count_trees(e, 0), count_trees(e, 1), n, n, n);
  sc_str_printf(e->out,
                "\ndouble %s_analytic(const double *term, float known) {\n"
                "  const double core = known >= 0.5f ? %.17g * term[1] : %.17g * term[0];\n"
                "  const double s = core + %.17g * term[2] + %.17g * term[3] + %.17g * term[4] + %.17g * term[5] +\n"
                "                   %.17g * term[6] + %.17g * term[7];\n"
                "  return s > 1e-12 ? s : 1e-12;\n"
                "}\n",
                n, f->kernel, f->compute, f->l2, f->l3, f->memory, f->conflict, f->pack, f->overhead);
}

sc_status sc_model_emit_c(const sc_model *model, const char *name, sc_str *out, sc_error *err) {
  emitting e = {.model = model, .name = name, .out = out};
  if (!number_cuts(&e)) return sc_fail(err, SC_NOMEM, "out of memory");
  sc_status status = SC_OK;
  if (e.ncuts > UINT16_MAX) status = sc_fail(err, SC_LIMIT, "%d cut points: 65535 can be written", e.ncuts);
  if (status == SC_OK) {
    put_head(&e);
    put_cuts(&e);
    put_trees(&e);
    put_functions(&e);
    if (out->failed) status = sc_fail(err, SC_NOMEM, "out of memory");
  }
  free(e.cut);
  sc_str_free(&e.scratch);
  return status;
}
