/* Models as files: save and load are one, equal inputs give equal bytes, and what is damaged or does not belong is
 * refused with the reason. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

#include "predictor/card.h"
#include "tests/predictor/synthetic.h"

typedef struct fixture {
  synthetic s;
  sc_model *model;
  char path[64];
} fixture;

static int set_up(void **state) {
  fixture *f = calloc(1, sizeof *f);
  sc_error err = {0};
  if (synthetic_make(&f->s, 24, 40, 1, NULL) != SC_OK) return 1;
  if (sc_model_train(&f->s.rows, &synthetic_quick, &f->model, &err) != SC_OK) {
    fprintf(stderr, "%s\n", err.text);
    return 1;
  }
  snprintf(f->path, sizeof f->path, "/tmp/sc-test-model-%d.xgb", (int)getpid());
  *state = f;
  return 0;
}

static int tear_down(void **state) {
  fixture *f = *state;
  unlink(f->path);
  sc_model_free(f->model);
  synthetic_free(&f->s);
  free(f);
  return 0;
}

static sc_prediction predict(const fixture *f, const sc_model *model, size_t row) {
  const sc_target target = {&f->s.rows.machine, NULL, 1};
  sc_prediction p;
  memset(&p, 0, sizeof p);
  assert_int_equal(sc_model_predict(model, f->s.task[row], &f->s.nest[row], 1, &target, false, &p, NULL), SC_OK);
  return p;
}

/* ---- identity ---- */

static void save_load_is_identity(void **state) {
  fixture *f = *state;
  sc_error err;
  sc_model *loaded;
  assert_int_equal(sc_model_save(f->model, f->path, &err), SC_OK);
  assert_int_equal(sc_model_load(f->path, &loaded, &err), SC_OK);
  assert_true(sc_model_hash(loaded) == sc_model_hash(f->model) && sc_model_hash(loaded) != 0);
  for (size_t i = 0; i < f->s.rows.n; i += 7) {
    const sc_prediction a = predict(f, f->model, i), b = predict(f, loaded, i);
    assert_memory_equal(&a, &b, sizeof a);
  }
  sc_str card = {0}, again = {0};
  sc_model_card(f->model, true, &card);
  sc_model_card(loaded, true, &again);
  assert_string_equal(sc_str_text(&card), sc_str_text(&again));
  assert_string_equal(sc_model_machine(loaded)->name, "test");
  sc_str_free(&card);
  sc_str_free(&again);
  sc_model_free(loaded);
}

static void equal_seeds_give_equal_bytes(void **state) {
  fixture *f = *state;
  sc_error err;
  sc_train_options options = synthetic_quick;
  sc_model *model[3]; /* of two threads, of one, of another seed */
  options.trees = 10;
  for (int i = 0; i < 3; i++) {
    options.nthread = i == 1 ? 1 : 2;
    options.seed += i == 2;
    assert_int_equal(sc_model_train(&f->s.rows, &options, &model[i], &err), SC_OK);
  }
  assert_int_equal(model[1]->json_len, model[0]->json_len);
  assert_memory_equal(model[1]->json, model[0]->json, model[0]->json_len);
  assert_true(sc_model_hash(model[2]) != sc_model_hash(model[0]));
  for (int i = 0; i < 3; i++) sc_model_free(model[i]);
}

/* The leaves of a tree are whole steps of a power of two, few enough for two digits in C. */
static void leaves_are_rounded(void **state) {
  fixture *f = *state;
  const sc_forest *forest = &f->model->forest;
  size_t leaves = 0;
  for (size_t t = 0; t < forest->ntrees; t++) {
    const sc_tree_node *node = forest->node + forest->tree[t].first;
    double most = 0;
    for (uint32_t i = 0; i < forest->tree[t].count; i++)
      if (node[i].left < 0) most = fmax(most, fabs((double)node[i].value));
    const double step = most > 0 ? exp2(ceil(log2(most / 4049))) : 1;
    for (uint32_t i = 0; i < forest->tree[t].count; i++) {
      if (node[i].left >= 0) continue;
      const double steps = (double)node[i].value / step;
      assert_true(steps == nearbyint(steps) && fabs(steps) <= 4049);
      leaves += steps != 0;
    }
  }
  assert_true(leaves > 100);
}

static void rounding_is_to_the_nearest(void **state) {
  static const char text[] =
      "{\"a\":\"\\\"split_conditions\\\":[1.0001]\",\"left_children\":[1,-1,-1],\"b\":[],"
      "\"split_conditions\":[2.55E2,-0.1,1e-5],\"left_children\":[-1],\"split_conditions\":[0E0]}";
  sc_str json = {0}, out = {0}, again = {0};
  sc_error err;
  sc_str_add(&json, text);
  assert_int_equal(sc_round_leaves(&json, &out, &err), SC_OK);
  assert_non_null(strstr(out.text, "\\\":[1.0001]\",")); /* in a string */
  assert_non_null(
      strstr(out.text, "\"split_conditions\":[2.55000000e+02,-1.00006104e-01,0.00000000e+00],")); /* steps of 2^-15 */
  assert_non_null(strstr(out.text, "\"split_conditions\":[0.00000000e+00]}"));
  assert_int_equal(sc_round_leaves(&out, &again, &err), SC_OK);
  assert_string_equal(again.text, out.text);
  const char *const wrong[] = {"{\"left_children\":[-1,-1],\"split_conditions\":[1,x]}",
                               "{\"left_children\":[-1],\"split_conditions\":[1,2]}"};
  for (size_t i = 0; i < SC_COUNT_OF(wrong); i++) {
    sc_str_clear(&json);
    sc_str_add(&json, wrong[i]);
    assert_int_equal(sc_round_leaves(&json, &out, &err), SC_FORMAT);
  }
  sc_str_free(&json);
  sc_str_free(&out);
  sc_str_free(&again);
}

static void options_out_of_range_are_refused(void **state) {
  fixture *f = *state;
  const sc_train_options wrong[] = {{.members = 17},
                                    {.members = 2, .trees = SC_MOST_TREES / 2 + 1},
                                    {.trees = -1},
                                    {.trees = SC_MOST_TREES + 1},
                                    {.depth = SC_MOST_DEPTH + 1},
                                    {.eta = 1.5},
                                    {.subsample = NAN},
                                    {.colsample = -0.1},
                                    {.min_child_weight = INFINITY}};
  for (size_t i = 0; i < SC_COUNT_OF(wrong); i++) {
    sc_error err;
    sc_model *model = NULL;
    sc_evaluation evaluation;
    assert_int_equal(sc_model_train(&f->s.rows, &wrong[i], &model, &err), SC_USAGE);
    assert_null(model);
    assert_int_equal(sc_evaluate(&f->s.rows, SC_HOLDOUT_GROUP, NULL, &wrong[i], &evaluation, NULL, &err), SC_USAGE);
  }
}

static void libxgboost_reads_the_file_and_agrees(void **state) {
  fixture *f = *state;
  const sc_rows *rows = &f->s.rows;
  sc_error err;
  uint8_t *bins = malloc(rows->n * SC_FEATURE_COUNT);
  float *theirs = malloc(rows->n * 2 * sizeof *theirs), *ours = malloc(rows->n * 2 * sizeof *ours);
  sc_cuts_bins(&f->model->cuts, rows->features, rows->n, bins);
  assert_int_equal(
      sc_booster_margins(f->model->json, f->model->json_len, bins, rows->n, SC_FEATURE_COUNT, 2, theirs, NULL, 0, &err),
      SC_OK);
  sc_forest_margins(&f->model->forest, bins, rows->n, ours);
  assert_memory_equal(ours, theirs, rows->n * 2 * sizeof *ours);
  free(bins);
  free(theirs);
  free(ours);
}

/* A block of many nests, one nest at a time, and the rows that trained it: all say the same. */
static void blocks_equal_single_rows(void **state) {
  fixture *f = *state;
  const sc_target target = {&f->s.rows.machine, NULL, 1};
  sc_prediction many[40];
  memset(many, 0, sizeof many);
  for (size_t n = 1; n <= 40; n += 13) {
    assert_int_equal(sc_model_predict(f->model, f->s.task[0], f->s.nest, n, &target, false, many, NULL), SC_OK);
    for (size_t i = 0; i < n; i++) {
      const sc_prediction one = predict(f, f->model, i);
      assert_memory_equal(&one, &many[i], sizeof one);
      assert_true(one.low_s < one.time_s && one.time_s < one.high_s && one.analytic_s > 0);
      assert_int_equal(one.knowledge, 0);
      assert_false(one.extrapolates);
    }
  }
}

static void far_tasks_are_flagged_and_widened(void **state) {
  fixture *f = *state;
  const sc_task *task;
  sc_schedule schedule;
  sc_nest nest;
  sc_rng rng;
  sc_prediction near, far;
  const sc_target target = {&f->s.rows.machine, NULL, 1};
  sc_rng_seed(&rng, 5, 0);
  assert_int_equal(sc_task_parse(f->s.arena, f->s.library, "matmul:M=4096,N=4096,K=4096", &task, NULL), SC_OK);
  assert_int_equal(sc_schedule_random(task, &rng, 8, "gcc", &schedule), SC_OK);
  assert_int_equal(sc_lower(task, &schedule, &nest, NULL), SC_OK);
  assert_int_equal(sc_model_predict(f->model, task, &nest, 1, &target, false, &far, NULL), SC_OK);
  assert_true(far.extrapolates);
  near = predict(f, f->model, 0);
  assert_true(log(far.high_s / far.time_s) > 2 * log(near.high_s / near.time_s));
}

/* ---- refusals ---- */

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

typedef struct kept {
  sc_str card, cuts, machine, seal;
} kept;

static sc_status keep(void *user, const char *key, const char *value, sc_error *err) {
  kept *k = user;
  if (strcmp(key, SC_ATTRIBUTE_CARD) == 0) sc_str_add(&k->card, value);
  if (strcmp(key, SC_ATTRIBUTE_CUTS) == 0) sc_str_add(&k->cuts, value);
  if (strcmp(key, SC_ATTRIBUTE_MACHINE) == 0) sc_str_add(&k->machine, value);
  if (strcmp(key, SC_ATTRIBUTE_SEAL) == 0) sc_str_add(&k->seal, value);
  return SC_OK;
}

/* Makes the seal fit again: what then is wrong must be found by other checks. */
static void reseal(sc_str *text) {
  kept k = {.card = {0}};
  sc_booster_head head;
  sc_forest forest;
  char seal[17];
  assert_int_equal(sc_forest_read("x", text->text, text->len, &head, &forest, keep, &k, NULL), SC_OK);
  sc_hash_hex(sc_card_seal(sc_str_text(&k.card), sc_str_text(&k.cuts), sc_str_text(&k.machine), &forest), seal);
  replace(text, k.seal.text, seal);
  sc_forest_free(&forest);
  sc_str_free(&k.card);
  sc_str_free(&k.cuts);
  sc_str_free(&k.machine);
  sc_str_free(&k.seal);
}

static void what_does_not_belong_is_refused(void **state) {
  static const struct {
    const char *from, *to, *why;
    sc_status status;
    bool sealed;
  } cases[] = {
      {"\"version\":[1,", "\"version\":[3,1,", "written by XGBoost 3.1", SC_MISMATCH, false},
      {"\"base_score\":\"0E0\"", "\"base_score\":\"[0E0]\"", "base_score is '[0E0]'", SC_MISMATCH, false},
      {"\"base_score\":\"0E0\"", "\"base_score\":\"5E-1\"", "base_score is '5E-1'", SC_MISMATCH, false},
      {"\"base_score\":\"0E0\"", "\"base_score\":[0E0]", "expected a string", SC_FORMAT, false},
      {"\"name\":\"reg:squarederror\"", "\"name\":\"reg:gamma\"", "not a gbtree of", SC_MISMATCH, false},
      {"\"name\":\"gbtree\"", "\"name\":\"dart\"", "not a gbtree of", SC_MISMATCH, false},
      {"\"schedcast_card\":", "\"another\":", "without the card", SC_MISMATCH, false},
      {"schema \\\"", "schema \\\"0", "16 hex digits", SC_FORMAT, true},
      {"eta 0.2", "eta 0.3", "not those that were trained", SC_FORMAT, false},
      {"passes 3", "passes 3\\npasses 3", "stands twice", SC_FORMAT, true},
      {"passes 3\\n", "", "not complete", SC_FORMAT, true},
      {"passes 3", "colour 3", "a card has no 'colour'", SC_FORMAT, true},
      {"range flop", "range flip", "expected the range of 'flop'", SC_FORMAT, true},
      {"flop ", "flop 9e9 ", "must rise", SC_FORMAT, true},
  };
  fixture *f = *state;
  for (size_t i = 0; i < SC_COUNT_OF(cases); i++) {
    sc_str text = {0};
    sc_model *model;
    sc_error err;
    sc_str_add(&text, f->model->json);
    if (strcmp(cases[i].from, "flop ") == 0) { /* of the cuts, not of the card */
      replace(&text, "\"schedcast_cuts\":\"flop ", "\"schedcast_cuts\":\"flop 9e9 ");
    } else replace(&text, cases[i].from, cases[i].to);
    if (cases[i].sealed) reseal(&text);
    const sc_status status = sc_model_read("m.xgb", text.text, text.len, &model, &err);
    if (status != cases[i].status || strstr(err.text, cases[i].why) == NULL) {
      fail_msg("case %zu: status %s, '%s' does not say '%s'", i, sc_status_name(status), status ? err.text : "",
               cases[i].why);
    }
    sc_str_free(&text);
  }
}

/* The model's file with another card, sealed. */
static sc_str with_card(const fixture *f, const sc_card *card) {
  sc_str text = {0}, before = {0}, after = {0}, from = {0}, to = {0};
  sc_card_print(&f->model->card, &before);
  sc_card_print(card, &after);
  sc_json_string(&from, before.text);
  sc_json_string(&to, after.text);
  sc_str_add(&text, f->model->json);
  replace(&text, from.text, to.text);
  reseal(&text);
  sc_str_free(&before);
  sc_str_free(&after);
  sc_str_free(&from);
  sc_str_free(&to);
  return text;
}

static void a_card_of_another_model_is_refused(void **state) {
  fixture *f = *state;
  static const char *const why[] = {"trained on other features", "golden rows", "golden rows",
                                    "not those that were trained"};
  for (int i = 0; i < 5; i++) {
    sc_card card = f->model->card;
    sc_model *model = NULL;
    sc_error err;
    if (i == 0) card.schema++;
    if (i == 1) card.golden_margin[2][0] = nextafterf(card.golden_margin[2][0], 9);
    if (i == 2) memset(card.golden_bins[1], 3, sizeof card.golden_bins[1]);
    if (i == 3) card.trees++;
    sc_str text = with_card(f, &card);
    const sc_status status = sc_model_read("m.xgb", text.text, text.len, &model, &err);
    if (i == 4) assert_int_equal(status, SC_OK); /* nothing was changed */
    else if (status == SC_OK || strstr(err.text, why[i]) == NULL)
      fail_msg("case %d is not refused for '%s'", i, why[i]);
    sc_model_free(model);
    sc_str_free(&text);
  }
}

static void unusable_rows_are_refused(void **state) {
  fixture *f = *state;
  sc_rows rows = f->s.rows;
  sc_model *model;
  sc_error err;
  rows.n = 10;
  assert_int_equal(sc_model_train(&rows, NULL, &model, &err), SC_UNSUPPORTED);
  assert_non_null(strstr(err.text, "10 usable rows"));
  rows = f->s.rows;
  rows.forbidden[123] = true;
  assert_int_equal(sc_model_train(&rows, NULL, &model, &err), SC_MISMATCH);
  assert_non_null(strstr(err.text, "belongs to the evaluation set"));
  rows.forbidden[123] = false;
  const double time = rows.time_s[5];
  rows.time_s[5] = NAN;
  assert_int_equal(sc_model_train(&rows, NULL, &model, &err), SC_FORMAT);
  rows.time_s[5] = time;
  assert_int_equal(sc_model_load("/nowhere/m.xgb", &model, &err), SC_NOTFOUND);
}

/* A user's one layer: folds hold its schedules, and nothing is claimed about other tasks. */
static void one_contraction_can_be_trained_on(void **state) {
  fixture *f = *state;
  sc_rows rows = f->s.rows;
  sc_model *model;
  sc_evaluation evaluation;
  sc_error err;
  rows.n = 40;
  rows.ntasks = rows.ngroups = rows.nnetworks = 1;
  assert_int_equal(sc_model_train(&rows, &synthetic_quick, &model, &err), SC_OK);
  const sc_prediction p = predict(f, model, 0);
  assert_true(p.time_s > 0);
  const sc_quantiles *q = sc_intervals_find(&model->card.intervals, "matmul"); /* nothing calibrates ten picks */
  assert_true(q->picked_low >= q->low && q->picked_high >= q->high);
  sc_model_free(model);
  assert_int_equal(sc_evaluate(&rows, SC_HOLDOUT_GROUP, NULL, &synthetic_quick, &evaluation, NULL, &err),
                   SC_UNSUPPORTED);
}

/* ---- damage ---- */

static void damaged_files_are_refused_or_harmless(void **state) {
  fixture *f = *state;
  sc_rng rng;
  sc_rng_seed(&rng, 3, 0);
  int refused = 0;
  const sc_prediction whole = predict(f, f->model, 3);
  for (int i = 0; i < 300; i++) {
    const size_t len = f->model->json_len, at = (size_t)sc_rng_below(&rng, len);
    const bool cut = i >= 200;
    char *copy = malloc(len);
    sc_model *model;
    sc_error err;
    memcpy(copy, f->model->json, len);
    copy[at] = (char)(copy[at] ^ (1 << sc_rng_below(&rng, 8)));
    if (sc_model_read("m.xgb", copy, cut ? at : len, &model, &err) == SC_OK) {
      const sc_prediction p = predict(f, model, 3);
      assert_memory_equal(&p, &whole, sizeof p);
      assert_false(cut);
      sc_model_free(model);
    } else {
      assert_true(err.status != SC_OK && err.text[0] != '\0');
      refused++;
    }
    free(copy);
  }
  assert_in_range(refused, 150,
                  300); /* the rest fell on numbers that no prediction depends on: gains, weights of inner nodes */
}

static void hostile_cards_are_refused(void **state) {
  fixture *f = *state;
  sc_rng rng;
  sc_rng_seed(&rng, 4, 0);
  sc_str card = {0}, cuts = {0};
  sc_card_print(&f->model->card, &card);
  sc_cuts_print(&f->model->cuts, &cuts);
  static const char spice[] = "\n\" 0123456789abcxyz.-+#e";
  for (int i = 0; i < 600; i++) {
    sc_arena *arena = sc_arena_new();
    sc_card *into = calloc(1, sizeof *into);
    sc_cuts *cuts_into = calloc(1, sizeof *cuts_into);
    sc_str text = {0};
    sc_str_add(&text, i % 3 ? card.text : cuts.text);
    for (int k = 0; k < 3; k++) text.text[sc_rng_below(&rng, text.len)] = spice[sc_rng_below(&rng, sizeof spice - 1)];
    if (i % 7 == 0) text.text[sc_rng_below(&rng, text.len)] = '\0';
    const sc_status status =
        i % 3 ? sc_card_parse(arena, "card", text.text, into, NULL) : sc_cuts_parse("cuts", text.text, cuts_into, NULL);
    if (status == SC_OK && i % 3)
      assert_true(into->ngolden <= SC_GOLDEN_ROWS && into->intervals.n <= SC_MAX_CLASSES + 1);
    if (status == SC_OK && i % 3 == 0) {
      for (int c = 0; c < SC_FEATURE_COUNT; c++) {
        for (int k = 1; k < cuts_into->count[c]; k++) assert_true(cuts_into->at[c][k] > cuts_into->at[c][k - 1]);
      }
    }
    sc_str_free(&text);
    free(into);
    free(cuts_into);
    sc_arena_free(arena);
  }
  sc_str_free(&card);
  sc_str_free(&cuts);
}

static void card_and_cuts_round_trip(void **state) {
  fixture *f = *state;
  sc_str card = {0}, cuts = {0}, again = {0};
  sc_card *into = calloc(1, sizeof *into);
  sc_cuts *cuts_into = calloc(1, sizeof *cuts_into);
  sc_arena *arena = sc_arena_new();
  sc_card_print(&f->model->card, &card);
  sc_cuts_print(&f->model->cuts, &cuts);
  assert_int_equal(sc_card_parse(arena, "card", card.text, into, NULL), SC_OK);
  assert_int_equal(sc_cuts_parse("cuts", cuts.text, cuts_into, NULL), SC_OK);
  sc_card_print(into, &again);
  assert_string_equal(again.text, card.text);
  assert_memory_equal(cuts_into, &f->model->cuts, sizeof *cuts_into);
  sc_str_free(&card);
  sc_str_free(&cuts);
  sc_str_free(&again);
  free(into);
  free(cuts_into);
  sc_arena_free(arena);
}

/* ---- cut points ---- */

static void bins_count_the_cuts_below(void **state) {
  enum { N = 3000 };
  static float rows[N * SC_FEATURE_COUNT];
  static uint32_t index[N];
  static sc_cuts cuts;
  static uint8_t bins[N * SC_FEATURE_COUNT];
  sc_rng rng;
  sc_rng_seed(&rng, 6, 0);
  for (uint32_t i = 0; i < N; i++) {
    index[i] = i;
    for (int f = 0; f < SC_FEATURE_COUNT; f++) { /* few values, many, equal ones, neighbouring floats */
      rows[i * SC_FEATURE_COUNT + (uint32_t)f] = f % 4 == 0   ? (float)sc_rng_below(&rng, 9)
                                                 : f % 4 == 1 ? (float)synthetic_normal(&rng)
                                                 : f % 4 == 2 ? 7
                                                              : nextafterf(1, 2) - (float)(i % 2) * 1e-7F;
    }
  }
  assert_true(sc_cuts_fit(rows, index, N, &cuts));
  sc_cuts_bins(&cuts, rows, N, bins);
  for (int f = 0; f < SC_FEATURE_COUNT; f++) {
    assert_int_equal(cuts.count[f] == 0, f % 4 == 2);
    if (f % 4 == 0) assert_int_equal(cuts.count[f], 8);
    if (f % 4 == 1) assert_int_equal(cuts.count[f], 254);
    for (uint32_t i = 0; i < N; i++) {
      int n = 0;
      while (n < cuts.count[f] && cuts.at[f][n] <= rows[i * SC_FEATURE_COUNT + (uint32_t)f]) n++;
      assert_int_equal(bins[i * SC_FEATURE_COUNT + (uint32_t)f], n);
    }
  }
  static uint8_t block[SC_FEATURE_COUNT][SC_FOREST_BLOCK];
  bool used[SC_FEATURE_COUNT];
  for (int f = 0; f < SC_FEATURE_COUNT; f++) used[f] = f % 5 != 0;
  for (size_t n = 1; n <= SC_FOREST_BLOCK; n += 31) { /* a block says the same of the features that are used */
    memset(block, 77, sizeof block);
    sc_cuts_block(&cuts, rows, n, used, block);
    for (int f = 0; f < SC_FEATURE_COUNT; f++) {
      for (size_t r = 0; r < SC_FOREST_BLOCK; r++) {
        assert_int_equal(block[f][r], used[f] && r < n ? bins[r * SC_FEATURE_COUNT + (size_t)f] : 77);
      }
    }
  }
}

/* ---- explanation ---- */

static void explanation_names_what_pushed(void **state) {
  fixture *f = *state;
  const sc_target target = {&f->s.rows.machine, NULL, 1};
  int steps = 0;
  for (size_t i = 0; i < f->s.rows.n; i += 11) {
    sc_str text = {0};
    sc_error err;
    assert_int_equal(sc_model_explain(f->model, f->s.task[i], &f->s.nest[i], &target, false, 5, &text, &err), SC_OK);
    assert_non_null(strstr(text.text, "GFLOP/s"));
    assert_non_null(strstr(text.text, "analytic time"));
    assert_non_null(strstr(text.text, "machine file only"));
    assert_null(strstr(text.text, "another machine"));
    assert_null(strstr(text.text, "in0")); /* tensors by their names */
    steps += strstr(text.text, "vectors of the register tile") != NULL;
    sc_str_free(&text);
  }
  assert_in_range(steps, f->s.rows.n / 11 / 3, f->s.rows.n); /* the truth has a step there */
}

/* A fact that the kernel table does not hold is said to be missing, not to be 0. */
static void explanation_knows_what_is_missing(void **state) {
  fixture *f = *state;
  const sc_target target = {&f->s.rows.machine, NULL, 1};
  const char *const facts[] = {"measured rate of the kernels over the peak: ", "bytes of the kernels' code: "};
  sc_str text = {0};
  sc_error err;
  assert_int_equal(sc_model_explain(f->model, f->s.task[0], &f->s.nest[0], &target, true, 8, &text, &err), SC_OK);
  sc_str_clear(&text);
  float row[SC_FEATURE_COUNT] = {0};
  sc_push pushes[SC_FEATURE_COUNT];
  for (int i = 0; i < SC_FEATURE_COUNT; i++)
    pushes[i] = (sc_push){i, i == SC_FEATURE_kernel_rate || i == SC_FEATURE_kernel_code};
  sc_explain_pushes(f->s.task[0], row, pushes, 2, &text);
  for (int i = 0; i < 2; i++) {
    const char *at = strstr(text.text, facts[i]);
    assert_non_null(at);
    assert_memory_equal(at + strlen(facts[i]), "not known", 9);
  }
  sc_str_clear(&text);
  row[SC_FEATURE_kernel_known] = row[SC_FEATURE_kernel_static] = 1;
  sc_explain_pushes(f->s.task[0], row, pushes, 2, &text);
  assert_null(strstr(text.text, "not known"));
  sc_str_free(&text);
}

/* What binds is named; what a short tile costs is said where there is one. */
static void explanation_names_what_binds(void **state) {
  fixture *f = *state;
  const struct {
    const char *task, *schedule;
  } kernel[] = {{"matmul:M=16,N=32,K=64",
                 "tile i 4*4, j 16; vector j 8; loop k; band k all, i all, j all order j i; compile gcc"},
                {"matmul:M=17,N=32,K=64",
                 "tile i 4*4+1, j 16; vector j 8; loop k; band k all, i all, j all order j i; compile gcc"}};
  const sc_target target = {&f->s.rows.machine, NULL, 1};
  for (int k = 0; k < 2; k++) {
    const sc_task *task;
    sc_schedule schedule;
    sc_nest nest;
    sc_analytic terms;
    sc_str text = {0};
    sc_error err;
    assert_int_equal(sc_task_parse(f->s.arena, f->s.library, kernel[k].task, &task, &err), SC_OK);
    if (sc_schedule_parse(task, "test", kernel[k].schedule, &schedule, &err) != SC_OK) fail_msg("%s", err.text);
    if (sc_lower(task, &schedule, &nest, &err) != SC_OK) fail_msg("%s", err.text);
    sc_analytic_time(task, &nest, &target, NULL, &terms);
    assert_true(k == 0 ? terms.tails == 0 : terms.tails > 0.01F && terms.tails < 0.5F);
    assert_int_equal(sc_model_explain(f->model, task, &nest, &target, true, 3, &text, &err), SC_OK);
    assert_non_null(strstr(text.text, "\nbound by "));
    assert_true((strstr(text.text, "; short tiles cost ") != NULL) == (k == 1));
    sc_str_free(&text);
  }
}

/* Predicting for another machine is allowed, said, and at least as wide as the widest class, more the further it is. */
static void another_machine_is_said_and_widens(void **state) {
  fixture *f = *state;
  sc_machine other = f->s.rows.machine;
  const sc_target own = {&f->s.rows.machine, NULL, 1}, foreign = {&other, NULL, 1};
  const sc_quantiles widest = sc_intervals_widest(&f->model->card.intervals);
  sc_prediction p[3];
  assert_int_equal(sc_model_predict(f->model, f->s.task[0], &f->s.nest[0], 1, &own, false, &p[0], NULL), SC_OK);
  assert_false(p[0].foreign || p[0].extrapolates);
  snprintf(other.cpu, sizeof other.cpu, "another cpu");
  assert_int_equal(sc_model_predict(f->model, f->s.task[0], &f->s.nest[0], 1, &foreign, false, &p[1], NULL), SC_OK);
  assert_true(p[1].foreign && p[1].extrapolates && p[1].time_s == p[0].time_s);
  const double wider = log(p[1].high_s / p[1].time_s) / log(p[0].high_s / p[0].time_s);
  assert_true(wider >= 1.4999 * widest.high / sc_intervals_find(&f->model->card.intervals, "matmul")->high);
  other.peak_flop_per_s.value /= 8;
  const sc_reach near = sc_model_reach(f->model, "matmul", &f->s.rows.machine),
                 far = sc_model_reach(f->model, "matmul", &other);
  assert_true(!near.foreign && far.foreign);
  assert_float_equal(far.q.low, 3 * widest.low, 1e-9);
  assert_float_equal(far.q.picked_high, 3 * widest.picked_high, 1e-9);
  sc_str text = {0};
  assert_int_equal(sc_model_explain(f->model, f->s.task[0], &f->s.nest[0], &foreign, false, 1, &text, NULL), SC_OK);
  assert_non_null(strstr(text.text, "the model is of another machine"));
  sc_str_free(&text);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(save_load_is_identity),
      cmocka_unit_test(equal_seeds_give_equal_bytes),
      cmocka_unit_test(leaves_are_rounded),
      cmocka_unit_test(rounding_is_to_the_nearest),
      cmocka_unit_test(options_out_of_range_are_refused),
      cmocka_unit_test(libxgboost_reads_the_file_and_agrees),
      cmocka_unit_test(blocks_equal_single_rows),
      cmocka_unit_test(far_tasks_are_flagged_and_widened),
      cmocka_unit_test(what_does_not_belong_is_refused),
      cmocka_unit_test(a_card_of_another_model_is_refused),
      cmocka_unit_test(unusable_rows_are_refused),
      cmocka_unit_test(one_contraction_can_be_trained_on),
      cmocka_unit_test(damaged_files_are_refused_or_harmless),
      cmocka_unit_test(hostile_cards_are_refused),
      cmocka_unit_test(card_and_cuts_round_trip),
      cmocka_unit_test(bins_count_the_cuts_below),
      cmocka_unit_test(explanation_names_what_pushed),
      cmocka_unit_test(explanation_knows_what_is_missing),
      cmocka_unit_test(explanation_names_what_binds),
      cmocka_unit_test(another_machine_is_said_and_widens),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
