/* The JSON cursor and the fast forest: equal to a walk down the trees, and to libxgboost bit for bit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the headers above first */
#include <cmocka.h>
#include <math.h>

#include "predictor/forest.h"
#include "predictor/xgb.h"

/* ---- cursor ---- */

static double number(const char *text, bool *ok) {
  sc_cursor c;
  sc_cursor_open(&c, text, strlen(text));
  const double value = sc_cursor_number(&c);
  *ok = sc_cursor_ok(&c) && sc_cursor_at_end(&c);
  sc_cursor_close(&c);
  return value;
}

static void numbers_read_exactly(void **state) {
  static const char *const good[] = {"0",       "-0.0", "1",        "12345678901234567890",  "1.5E2", "1e-5",
                                     "-2.5e+3", "0.1",  "4.9E-324", "1.7976931348623157e308"};
  static const char *const bad[] = {"", "-", ".5", "e5", "nan", "\"1\"", "1x", "--1"};
  bool ok;
  for (size_t i = 0; i < SC_COUNT_OF(good); i++) {
    assert_true(number(good[i], &ok) == strtod(good[i], NULL));
    assert_true(ok);
  }
  for (size_t i = 0; i < SC_COUNT_OF(bad); i++) {
    number(bad[i], &ok);
    assert_false(ok);
  }
  sc_rng rng;
  sc_rng_seed(&rng, 1, 0);
  for (int i = 0; i < 20000; i++) { /* floats as XGBoost and as %.9g print them */
    uint32_t bits = (uint32_t)sc_rng_u64(&rng);
    float x;
    char text[40];
    memcpy(&x, &bits, sizeof x);
    if (!isfinite(x)) continue;
    if (i % 2) snprintf(text, sizeof text, "%.9g", (double)x);
    else snprintf(text, sizeof text, "%.8E", (double)x);
    const float back = (float)number(text, &ok);
    assert_memory_equal(&back, &x, sizeof x);
    assert_true(ok);
  }
}

static void strings_and_structure(void **state) {
  static const char text[] =
      " { \"a\\n\\\"\\u0041\\u00e9\" : [ 1 , [ ] , { } , \"x\" , true , null ] , \"last key that is cut\" : -2 } ";
  sc_cursor c;
  char key[8];
  int items = 0;
  sc_cursor_open(&c, text, sizeof text - 1);
  assert_true(sc_cursor_enter(&c, '{'));
  assert_true(sc_cursor_key(&c, key, sizeof key));
  assert_string_equal(key, "a\n\"A?");
  assert_true(sc_cursor_enter(&c, '['));
  while (sc_cursor_item(&c)) {
    sc_cursor_skip(&c);
    items++;
  }
  assert_int_equal(items, 6);
  assert_true(sc_cursor_key(&c, key, sizeof key));
  assert_string_equal(key, "last ke");
  assert_true(sc_cursor_number(&c) == -2);
  assert_false(sc_cursor_key(&c, key, sizeof key));
  assert_true(sc_cursor_ok(&c) && sc_cursor_at_end(&c));
  sc_cursor_close(&c);
}

/* Whatever comes: an error or a value, and the place of the error lies inside the text. */
static void damaged_json_is_an_error(void **state) {
  static const char good[] = "{\"a\": [1, 2.5e3, {\"b\": \"x\\ny\"}], \"c\": {\"d\": [[], [3]]}, \"e\": false}";
  sc_rng rng;
  sc_rng_seed(&rng, 2, 0);
  int refused = 0;
  for (int i = 0; i < 20000; i++) {
    char text[sizeof good];
    memcpy(text, good, sizeof good);
    size_t len = sizeof good - 1;
    if (i % 2) len = (size_t)sc_rng_below(&rng, len);
    else text[sc_rng_below(&rng, len)] ^= (char)(1 << sc_rng_below(&rng, 7));
    char *copy = malloc(len ? len : 1); /* so that a read behind the end is seen */
    memcpy(copy, text, len);
    sc_cursor c;
    sc_cursor_open(&c, copy, len);
    sc_cursor_skip(&c);
    const bool ok = sc_cursor_ok(&c) && sc_cursor_at_end(&c);
    assert_true(c.at >= copy && c.at <= copy + len);
    refused += !ok;
    if (i % 2) assert_false(ok);
    sc_cursor_close(&c);
    free(copy);
  }
  assert_in_range(refused, 12000, 20000);
  char deep[400];
  memset(deep, '[', sizeof deep);
  sc_cursor c;
  sc_error err;
  sc_cursor_open(&c, deep, sizeof deep);
  sc_cursor_skip(&c);
  assert_int_equal(sc_cursor_status(&c, "deep", &err), SC_FORMAT);
  assert_non_null(strstr(err.text, "less nesting"));
  sc_cursor_close(&c);
}

/* ---- forest ---- */

enum { ROWS = 700, FEATURES = 23 };

typedef struct trained {
  uint8_t *bins;
  sc_str json;
  sc_forest forest;
} trained;

/* Two outputs of a function with steps and interactions; every tree sees a `share` of rows and features. */
static trained train_members(int members, double share, int depth, int rounds, int scale_rounds, uint64_t seed) {
  trained t = {.bins = malloc(ROWS * FEATURES)};
  float value[ROWS], scale[ROWS];
  sc_rng rng;
  sc_error err;
  sc_rng_seed(&rng, seed, 0);
  for (int i = 0; i < ROWS; i++) {
    uint8_t *row = t.bins + i * FEATURES;
    for (int f = 0; f < FEATURES; f++) row[f] = (uint8_t)sc_rng_below(&rng, f % 3 == 0 ? 255 : 7);
    value[i] = (float)(sin(row[0] * 0.05) + 0.3 * (row[1] > 3) * row[3] / 100 + 0.05 * sc_rng_unit(&rng));
    scale[i] = (float)fabs(0.01 + 0.1 * sc_rng_unit(&rng) * row[2]);
  }
  const sc_boost_target target[2] = {{SC_BOOST_MEAN, value, 0, rounds}, {SC_BOOST_SCALE, scale, -1, scale_rounds}};
  const sc_boost_options options = {.members = members,
                                    .rounds = rounds,
                                    .depth = depth,
                                    .nthread = 1,
                                    .eta = 0.2,
                                    .min_child_weight = 2,
                                    .subsample = share,
                                    .colsample = share,
                                    .seed = seed};
  sc_booster *booster;
  sc_booster_head head;
  if (sc_booster_train(t.bins, ROWS, FEATURES, NULL, target, 2, &options, &booster, &err) != SC_OK)
    fail_msg("%s", err.text);
  assert_int_equal(sc_booster_json(booster, &t.json, &err), SC_OK);
  sc_booster_free(booster);
  if (sc_forest_read("json", t.json.text, t.json.len, &head, &t.forest, NULL, NULL, &err) != SC_OK)
    fail_msg("%s", err.text);
  assert_int_equal(t.forest.noutputs, 2);
  assert_int_equal(t.forest.nfeatures, FEATURES);
  assert_true(t.forest.depth <= depth);
  return t;
}

static trained train(int depth, int rounds, int scale_rounds, uint64_t seed) {
  return train_members(2, 0.75, depth, rounds, scale_rounds, seed);
}

static void trained_free(trained *t) {
  free(t->bins);
  sc_str_free(&t->json);
  sc_forest_free(&t->forest);
}

static float walk_down(const sc_forest *forest, size_t tree, const uint8_t *bins) {
  const sc_tree_node *node = forest->node + forest->tree[tree].first, *at = node;
  while (at->left >= 0) at = node + (bins[at->feature] < at->threshold ? at->left : at->right);
  return at->value;
}

static void margins_equal_libxgboost(void **state) {
  static const int depths[] = {1, 2, 3, 6, 8};
  for (size_t d = 0; d < SC_COUNT_OF(depths); d++) {
    trained t = train(depths[d], 30, 12, d + 1);
    float theirs[ROWS * 2], ours[ROWS * 2], walked[ROWS * 2] = {0};
    sc_error err;
    assert_int_equal(sc_booster_margins(t.json.text, t.json.len, t.bins, ROWS, FEATURES, 2, theirs, NULL, 0, &err),
                     SC_OK);
    sc_forest_margins(&t.forest, t.bins, ROWS, ours);
    for (size_t tree = 0; tree < t.forest.ntrees; tree++) {
      for (int i = 0; i < ROWS; i++)
        walked[2 * i + t.forest.tree[tree].output] += walk_down(&t.forest, tree, t.bins + i * FEATURES);
    }
    assert_memory_equal(ours, theirs, sizeof ours);
    assert_memory_equal(walked, theirs, sizeof walked);
    trained_free(&t);
  }
}

/* Members draw rows and features of their own: the first trees of two of them differ. */
static void members_differ(void **state) {
  trained t = train(4, 3, 1, 6);
  int differ = 0;
  for (int i = 0; i < ROWS; i++)
    differ += walk_down(&t.forest, 0, t.bins + i * FEATURES) != walk_down(&t.forest, 2, t.bins + i * FEATURES);
  assert_int_equal(t.forest.tree[0].output, t.forest.tree[2].output);
  assert_true(differ > ROWS / 2);
  trained_free(&t);
}

/* Where nothing is drawn all members are one booster, and so is their mean. */
static void members_are_averaged(void **state) {
  float margin[2][ROWS * 2];
  for (int k = 0; k < 2; k++) {
    trained t = train_members(k ? 3 : 1, 1, 4, 20, 8, 3);
    assert_int_equal(t.forest.ntrees, (k ? 3 : 1) * 20 * 2);
    sc_forest_margins(&t.forest, t.bins, ROWS, margin[k]);
    trained_free(&t);
  }
  for (int i = 0; i < 2 * ROWS; i++) assert_float_equal(margin[0][i], margin[1][i], 1e-3);
}

static void shap_equals_libxgboost(void **state) {
  enum { N = 40 };
  trained t = train(5, 25, 10, 9);
  float margin[N * 2], shap[N * (FEATURES + 1)];
  sc_error err;
  for (int output = 0; output < 2; output++) {
    assert_int_equal(sc_booster_margins(t.json.text, t.json.len, t.bins, N, FEATURES, 2, margin, shap, output, &err),
                     SC_OK);
    for (int i = 0; i < N; i++) {
      double phi[FEATURES], base, sum;
      sc_forest_shap(&t.forest, t.bins + i * FEATURES, output, phi, &base);
      sum = base;
      for (int f = 0; f < FEATURES; f++) {
        assert_true(fabs(phi[f] - (double)shap[i * (FEATURES + 1) + f]) < 1e-4);
        sum += phi[f];
      }
      assert_true(fabs(base - (double)shap[i * (FEATURES + 1) + FEATURES]) < 1e-4);
      assert_true(fabs(sum - (double)margin[2 * i + output]) < 1e-4);
    }
  }
  trained_free(&t);
}

/* The same hash from the same file, another one when any number of the trees changes. */
static void hash_sees_every_number(void **state) {
  trained t = train(3, 4, 2, 5);
  const uint64_t hash = sc_forest_hash(&t.forest);
  for (size_t i = 0; i < t.forest.nnodes; i++) {
    sc_tree_node *node = &t.forest.node[i], before = *node;
    node->value += 1;
    assert_true(sc_forest_hash(&t.forest) != hash);
    *node = before;
    node->threshold ^= 1;
    assert_true(sc_forest_hash(&t.forest) != hash);
    *node = before;
    node->cover += 1;
    assert_true(sc_forest_hash(&t.forest) != hash);
    *node = before;
  }
  assert_true(sc_forest_hash(&t.forest) == hash);
  trained_free(&t);
}

/* Replaces the first `from` by `to`, of any length. */
static void replace(sc_str *text, const char *from, const char *to) {
  char *at = strstr(text->text, from);
  if (at == NULL) fail_msg("no '%s' in the model", from);
  sc_str out = {0};
  sc_str_addn(&out, text->text, (size_t)(at - text->text));
  sc_str_add(&out, to);
  sc_str_add(&out, at + strlen(from));
  sc_str_free(text);
  *text = out;
}

static void hostile_trees_are_refused(void **state) {
  static const struct {
    const char *from, *to, *why;
  } cases[] = {
      {"\"left_children\":[1", "\"left_children\":[0", "not below it"},
      {"\"left_children\":[1", "\"left_children\":[999", "not below it"},
      {"\"left_children\":[1", "\"left_children\":[1.5", "not below it"},
      {"\"left_children\":[1", "\"left_children\":[2", "not below it"},
      {"\"right_children\":[2", "\"right_children\":[-1", "not below it"},
      {"\"split_indices\":[", "\"split_indices\":[99999,", "differ in length"},
      {"\"sum_hessian\":[", "\"sum_hessian\":[-5,", "differ in length"},
      {"\"split_type\":[0", "\"split_type\":[1", "not a comparison"},
      {"\"tree_info\":[0", "\"tree_info\":[7", "output that is not there"},
      {"\"tree_info\":[0", "\"tree_info\":[0,0", "differ in length"},
      {"\"num_target\":\"2\"", "\"num_target\":\"9\"", "more outputs"},
      {"\"num_feature\":\"23\",\"num_target\"", "\"num_feature\":\"0\",\"num_target\"", "num_feature"},
      {"\"trees\":[{", "\"trees\":[]", "expected"},
      {"\"default_left\":[0", "\"default_left\":[x", "expected a number"},
  };
  trained t = train(2, 2, 1, 3);
  for (size_t i = 0; i < SC_COUNT_OF(cases); i++) {
    sc_str text = {0};
    sc_booster_head head;
    sc_forest forest;
    sc_error err;
    sc_str_add(&text, t.json.text);
    replace(&text, cases[i].from, cases[i].to);
    const sc_status status = sc_forest_read("json", text.text, text.len, &head, &forest, NULL, NULL, &err);
    assert_true(status == SC_FORMAT);
    if (strstr(err.text, cases[i].why) == NULL) fail_msg("case %zu: '%s' does not say '%s'", i, err.text, cases[i].why);
    sc_str_free(&text);
  }
  trained_free(&t);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(numbers_read_exactly),      cmocka_unit_test(strings_and_structure),
      cmocka_unit_test(damaged_json_is_an_error),  cmocka_unit_test(margins_equal_libxgboost),
      cmocka_unit_test(members_are_averaged),      cmocka_unit_test(members_differ),
      cmocka_unit_test(shap_equals_libxgboost),    cmocka_unit_test(hash_sees_every_number),
      cmocka_unit_test(hostile_trees_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
