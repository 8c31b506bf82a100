/* A model as one C file that needs nothing but <stdint.h>: trees, cut points, card and the order of the features. Its
 * margins are libxgboost's and ours to the last bit: the same leaves, added in the same order as float32.
 *
 * Numbers stand as digits of base 90 in strings, a tree a string: half as long as written as numbers, and C99 wants no
 * string longer than 4095. Only cuts that some tree asks for are written; bin < threshold is value < cut[threshold - 1].
 * A tree is its splits in preorder, each with the splits of its left subtree, then its leaves from left to right, in
 * steps of a power of two (round.c). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "predictor/card.h"

enum { NEVER = -1, ALWAYS = -2, BASE = 90, REAL_DIGITS = 5, HEAD_DIGITS = 3 /* of a tree */ };
enum { MOST_STEPS = 1 << 24 };

typedef struct emitting {
  const sc_model *model;
  const char *name;
  sc_str *out;
  int32_t *cut; /* number of (feature, threshold) in the file, -1 = not used */
  int32_t ncuts;
  uint32_t lefts; /* more than the splits of any left subtree */
  int split_digits, leaf_digits;
  uint32_t most_steps; /* of a leaf, to either side */
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

/* A character each, '#' .. '~' without '?' (trigraphs) and '\\'. */
static void digits(emitting *e, uint64_t value, int n) {
  char text[16];
  for (int i = n - 1; i >= 0; i--, value /= BASE) {
    const int c = '#' + (int)(value % BASE), d = c + (c >= '?');
    text[i] = (char)(d + (d >= '\\'));
  }
  sc_str_addn(e->out, text, (size_t)n);
}

/* How many digits numbers below `count` have. */
static int digits_of(uint64_t count) {
  int n = 1;
  for (uint64_t reach = BASE; reach < count; reach *= BASE) n++;
  return n;
}

static uint32_t bits_of(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
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
  int32_t n = 0;
  sc_str_add(
      e->out,
      "/* What trees ask: is the feature below this? The cuts of each feature, and the first one's number. */\n");
  sc_str_printf(e->out, "static const char *const %s_cut[] = {", e->name);
  for (int i = 0; i < SC_FEATURE_COUNT * 256; i++) {
    if (i % 256 == 0) sc_str_add(e->out, "\n\"");
    if (e->cut[i] >= 0) digits(e, bits_of(e->model->cuts.at[i / 256][i % 256]), REAL_DIGITS);
    if (i % 256 == 255) sc_str_add(e->out, "\",");
  }
  sc_str_add(e->out, "\n};\n");
  begin_list(e, "uint16_t", "first");
  for (int i = 0; i < SC_FEATURE_COUNT * 256; i++) {
    if (i % 256 == 0) integer(e, n);
    n += e->cut[i] >= 0;
  }
  integer(e, n);
  end_list(e);
  begin_list(e, "uint8_t", "feature_of");
  for (int i = 0; i < SC_FEATURE_COUNT * 256; i++)
    if (e->cut[i] >= 0) integer(e, i / 256);
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
  const uint32_t left = splits_of(e, tree, root + node->left);
  digits(e, (uint64_t)e->cut[test_of(e, node)] * e->lefts + left, e->split_digits);
  put_splits(e, tree, root + node->left);
  put_splits(e, tree, root + node->right);
}

/* Lowers the exponent to that of a power of two of which all leaves are multiples; raises the largest magnitude. */
static void look_at_leaves(const emitting *e, const sc_tree *tree, const sc_tree_node *node, int *exponent,
                           double *most) {
  const sc_tree_node *root = &e->model->forest.node[tree->first];
  node = settle(e, tree, node);
  if (node->left >= 0) {
    look_at_leaves(e, tree, root + node->left, exponent, most);
    look_at_leaves(e, tree, root + node->right, exponent, most);
  } else if (node->value != 0) {
    int own;
    const int64_t whole = (int64_t)ldexp(frexp((double)node->value, &own), 24); /* a float32 has no more bits */
    own += __builtin_ctzll((unsigned long long)whole) - 24;
    if (own < *exponent) *exponent = own;
    *most = fmax(*most, fabs((double)node->value));
  }
}

/* That of a tree's steps, at most 0; what is below 1 - BASE does not fit a digit. */
static int exponent_of(const emitting *e, const sc_tree *tree, double *steps) {
  int exponent = 0;
  double most = 0;
  look_at_leaves(e, tree, &e->model->forest.node[tree->first], &exponent, &most);
  *steps = ldexp(most, -exponent);
  return exponent;
}

static void put_leaves(emitting *e, const sc_tree *tree, const sc_tree_node *node, int exponent) {
  const sc_tree_node *root = &e->model->forest.node[tree->first];
  node = settle(e, tree, node);
  if (node->left < 0) {
    digits(e, (uint64_t)((int64_t)ldexp((double)node->value, -exponent) + e->most_steps), e->leaf_digits);
    return;
  }
  put_leaves(e, tree, root + node->left, exponent);
  put_leaves(e, tree, root + node->right, exponent);
}

/* Trees of an output that say nothing (later rounds of the other output) are left out: adding 0 changes no sum. */
static bool is_empty(const emitting *e, const sc_tree *tree) {
  const sc_tree_node *root = settle(e, tree, &e->model->forest.node[tree->first]);
  return root->left < 0 && root->value == 0;
}

static void put_tree(emitting *e, const sc_tree *tree) {
  const sc_tree_node *root = &e->model->forest.node[tree->first];
  double steps;
  const int exponent = exponent_of(e, tree, &steps);
  sc_str_add(e->out, "\"");
  digits(e, splits_of(e, tree, root), HEAD_DIGITS - 1);
  digits(e, (uint64_t)(exponent + BASE - 1), 1);
  put_splits(e, tree, root);
  put_leaves(e, tree, root, exponent);
  sc_str_add(e->out, "\",\n");
}

/* Returns how many there are. */
static size_t put_trees_of(emitting *e, int output) {
  const sc_forest *f = &e->model->forest;
  size_t n = 0;
  for (size_t t = 0; t < f->ntrees; t++) {
    if (f->tree[t].output != output || is_empty(e, &f->tree[t])) continue;
    put_tree(e, &f->tree[t]);
    n++;
  }
  return n;
}

/* How splits and leaves are written. */
static sc_status choose_digits(emitting *e, sc_error *err) {
  const sc_forest *f = &e->model->forest;
  for (size_t t = 0; t < f->ntrees; t++) {
    double steps;
    if (exponent_of(e, &f->tree[t], &steps) <= -BASE || steps > MOST_STEPS)
      return sc_fail(
          err, SC_UNSUPPORTED,
          "the leaves of tree %zu are no multiples of one step, as sc_model_train makes them: train it again", t);
    e->most_steps = fmax(e->most_steps, steps);
  }
  e->leaf_digits = digits_of(2 * (uint64_t)e->most_steps + 1);
  e->lefts = f->depth > 0 ? (uint32_t)1 << (f->depth - 1) : 1;
  e->split_digits = digits_of((uint64_t)e->ncuts * e->lefts);
  return SC_OK;
}

static void put_trees(emitting *e, size_t count[SC_FOREST_OUTPUTS]) {
  sc_str_printf(
      e->out,
      "/* A tree: how many splits, in two digits; the size of a step, 2^(digit - %d); the splits in preorder,\n"
      " * cut * %u + splits of the left side; leaves, in steps + %u. */\nstatic const char *const %s_tree[] = {\n",
      BASE - 1, (unsigned)e->lefts, (unsigned)e->most_steps, e->name);
  for (int o = 0; o < SC_FOREST_OUTPUTS; o++) count[o] = put_trees_of(e, o);
  if (count[0] + count[1] == 0) sc_str_add(e->out, "0");
  sc_str_add(e->out, "};\n");
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

static void put_margin(emitting *e, const size_t count[SC_FOREST_OUTPUTS]) {
  const char *n = e->name;
  sc_str_printf(e->out,
                "\nstatic uint32_t %s_number(const char *s, int digits) {\n"
                "  uint32_t value = 0;\n"
                "  for (; digits > 0; digits--, s++)\n"
                "    value = value * %d + (uint32_t)(*s - '#' - (*s > '?') - (*s > '\\\\'));\n"
                "  return value;\n"
                "}\n"
                "\nstatic float %s_real(uint32_t bits) {\n"
                "  union {\n    uint32_t bits;\n    float value;\n  } u;\n"
                "  u.bits = bits;\n"
                "  return u.value;\n"
                "}\n",
                n, BASE, n);
  sc_str_printf(e->out,
                "\nfloat %s_margin(const float *row, int output) {\n"
                "  static const int trees[] = {0, %zu, %zu};\n"
                "  uint16_t bin[%d]; /* the first cut above the feature */\n"
                "  float sum = 0;\n"
                "  for (int f = 0; f < %d; f++) {\n"
                "    int low = %s_first[f], high = %s_first[f + 1];\n"
                "    while (low < high) {\n"
                "      const int middle = (low + high) / 2;\n"
                "      if (row[f] < %s_real(%s_number(%s_cut[f] + %d * (middle - %s_first[f]), %d))) high = middle;\n"
                "      else low = middle + 1;\n"
                "    }\n"
                "    bin[f] = (uint16_t)low;\n"
                "  }\n",
                n, count[0], count[0] + count[1], SC_FEATURE_COUNT, SC_FEATURE_COUNT, n, n, n, n, n, REAL_DIGITS, n,
                REAL_DIGITS);
  sc_str_printf(
      e->out,
      "  for (int t = trees[output]; t < trees[output + 1]; t++) {\n"
      "    int n = (int)%s_number(%s_tree[t], %d), leaf = 0;\n"
      "    const float step = %s_real((%s_number(%s_tree[t] + %d, 1) + %d) << 23);\n"
      "    const char *s = %s_tree[t] + %d, *leaves = s + %d * n;\n"
      "    while (n > 0) {\n"
      "      const uint32_t split = %s_number(s, %d), cut = split / %u;\n"
      "      const int left = (int)(split %% %u);\n"
      "      if (bin[%s_feature_of[cut]] <= cut) {\n"
      "        n = left;\n"
      "        s += %d;\n"
      "      } else {\n"
      "        n -= left + 1;\n"
      "        s += %d * (left + 1);\n"
      "        leaf += left + 1;\n"
      "      }\n"
      "    }\n"
      "    sum += (float)((int32_t)%s_number(leaves + %d * leaf, %d) - %u) * step; /* the product is exact */\n"
      "  }\n"
      "  return sum;\n"
      "}\n",
      n, n, HEAD_DIGITS - 1, n, n, n, HEAD_DIGITS - 1, 127 - (BASE - 1), n, HEAD_DIGITS, e->split_digits, n,
      e->split_digits, (unsigned)e->lefts, (unsigned)e->lefts, n, e->split_digits, e->split_digits, n, e->leaf_digits,
      e->leaf_digits, (unsigned)e->most_steps);
}

static void put_analytic(emitting *e) {
  const sc_analytic_fit *f = &e->model->card.analytic;
  sc_str_printf(e->out,
                "\ndouble %s_analytic(const double *term, float known) {\n"
                "  const double core = known >= 0.5f ? %.17g * term[1] : %.17g * term[0];\n"
                "  const double s = core + %.17g * term[2] + %.17g * term[3] + %.17g * term[4] + %.17g * term[5] +\n"
                "                   %.17g * term[6] + %.17g * term[7];\n"
                "  return s > 1e-12 ? s : 1e-12;\n"
                "}\n",
                e->name, f->kernel, f->compute, f->l2, f->l3, f->memory, f->conflict, f->pack, f->overhead);
}

sc_status sc_model_emit_c(const sc_model *model, const char *name, sc_str *out, sc_error *err) {
  emitting e = {.model = model, .name = name, .out = out};
  if (!number_cuts(&e)) return sc_fail(err, SC_NOMEM, "out of memory");
  sc_status status = SC_OK;
  if (e.ncuts > UINT16_MAX) status = sc_fail(err, SC_LIMIT, "%d cut points: 65535 can be written", e.ncuts);
  if (status == SC_OK) status = choose_digits(&e, err);
  if (status == SC_OK) {
    size_t trees[SC_FOREST_OUTPUTS];
    put_head(&e);
    put_cuts(&e);
    put_trees(&e, trees);
    put_margin(&e, trees);
    put_analytic(&e);
    if (out->failed) status = sc_fail(err, SC_NOMEM, "out of memory");
  }
  free(e.cut);
  sc_str_free(&e.scratch);
  return status;
}
