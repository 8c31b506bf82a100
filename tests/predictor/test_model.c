/* Models of rows whose truth is known: they are learned, saved, loaded and predict alike. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

#include "predictor/internal.h"
#include "tests/predictor/synthetic.h"

static const sc_train_options quick = {.trees = 80, .depth = 5, .eta = 0.2, .seed = 7, .nthread = 2};

typedef struct fixture {
  synthetic s;
  sc_model *model;
  char path[64];
} fixture;

static int set_up(void **state) {
  fixture *f = calloc(1, sizeof *f);
  sc_error err = {0};
  if (synthetic_make(&f->s, 24, 40, 1, NULL) != SC_OK) return 1;
  if (sc_model_train(&f->s.rows, NULL, &quick, &f->model, &err) != SC_OK) {
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

static void save_load_is_identity(void **state) {
  fixture *f = *state;
  sc_error err;
  sc_model *loaded;
  assert_int_equal(sc_model_save(f->model, f->path, &err), SC_OK);
  assert_int_equal(sc_model_load(f->path, &loaded, &err), SC_OK);
  assert_int_equal(sc_model_hash(loaded), sc_model_hash(f->model));
  const sc_target target = {&f->s.rows.machine, NULL, 1};
  for (size_t i = 0; i < f->s.rows.n; i += 7) {
    sc_prediction a, b;
    assert_int_equal(sc_model_predict(f->model, f->s.task[i], &f->s.nest[i], 1, &target, false, &a, &err), SC_OK);
    assert_int_equal(sc_model_predict(loaded, f->s.task[i], &f->s.nest[i], 1, &target, false, &b, &err), SC_OK);
    assert_memory_equal(&a, &b, sizeof a);
  }
  sc_str card = {0}, again = {0};
  sc_model_card(f->model, &card);
  sc_model_card(loaded, &again);
  assert_string_equal(sc_str_text(&card), sc_str_text(&again));
  sc_str_free(&card);
  sc_str_free(&again);
  sc_model_free(loaded);
}

static void equal_seeds_give_equal_bytes(void **state) {
  fixture *f = *state;
  sc_error err;
  sc_model *again;
  sc_train_options other = quick;
  other.nthread = 1;
  assert_int_equal(sc_model_train(&f->s.rows, NULL, &other, &again, &err), SC_OK);
  assert_int_equal(again->json_len, f->model->json_len);
  assert_memory_equal(again->json, f->model->json, again->json_len);
  sc_model_free(again);
}

static void trees_agree_with_libxgboost(void **state) {
  fixture *f = *state;
  const sc_rows *rows = &f->s.rows;
  sc_error err;
  uint8_t *bins = malloc(rows->n * SC_FEATURE_COUNT);
  float *theirs = malloc(rows->n * 2 * sizeof *theirs), *ours = malloc(rows->n * 2 * sizeof *ours);
  sc_cuts_bins(&f->model->cuts, rows->features, rows->n, bins);
  assert_int_equal(sc_booster_margins(f->model->json, f->model->json_len, bins, rows->n, SC_FEATURE_COUNT, 2, theirs, NULL, 0, &err), SC_OK);
  sc_forest_margins(&f->model->forest, bins, rows->n, ours);
  assert_memory_equal(ours, theirs, rows->n * 2 * sizeof *ours);
  free(bins);
  free(theirs);
  free(ours);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(save_load_is_identity),
      cmocka_unit_test(equal_seeds_give_equal_bytes),
      cmocka_unit_test(trees_agree_with_libxgboost),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
