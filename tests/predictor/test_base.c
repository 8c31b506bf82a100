/* Trees added to a base: a few rows of something that the base does not know correct it, more than they would teach a
 * model of their own; what the base knew stays; the file is read as any other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

#include "predictor/card.h"
#include "tests/predictor/synthetic.h"

typedef struct fixture {
  synthetic old, few, test;
  sc_model *base;
} fixture;

/* Another machine: the same work in other times, with a slope of its own. */
static void make_other(synthetic *s) {
  snprintf(s->rows.machine.cpu, sizeof s->rows.machine.cpu, "another cpu");
  for (size_t i = 0; i < s->rows.n; i++) {
    const float *row = s->rows.features + i * SC_FEATURE_COUNT;
    const double change = row[SC_FEATURE_tile_vectors] > 2 ? 1.5 : 1.1;
    s->rows.time_s[i] *= change;
    s->rows.half_a_s[i] *= change;
    s->rows.half_b_s[i] *= change;
  }
}

static int set_up(void **state) {
  fixture *f = calloc(1, sizeof *f);
  if (synthetic_make(&f->old, 24, 40, 1, NULL) != SC_OK || synthetic_make(&f->few, 6, 20, 2, NULL) != SC_OK ||
      synthetic_make(&f->test, 24, 20, 3, NULL) != SC_OK)
    return 1;
  make_other(&f->few);
  make_other(&f->test);
  *state = f;
  return sc_model_train(&f->old.rows, &synthetic_quick, &f->base, NULL) != SC_OK;
}

static int tear_down(void **state) {
  fixture *f = *state;
  sc_model_free(f->base);
  synthetic_free(&f->old);
  synthetic_free(&f->few);
  synthetic_free(&f->test);
  free(f);
  return 0;
}

/* Mean absolute log error over the test rows. */
static double error_of(const fixture *f, const sc_model *model) {
  const sc_target target = {&f->test.rows.machine, NULL, 1};
  double sum = 0;
  for (size_t i = 0; i < f->test.rows.n; i++) {
    sc_prediction p;
    assert_int_equal(sc_model_predict(model, f->test.task[i], &f->test.nest[i], 1, &target, false, &p, NULL), SC_OK);
    sum += fabs(log(p.time_s / f->test.rows.time_s[i]));
  }
  return sum / (double)f->test.rows.n;
}

static void few_rows_correct_a_base(void **state) {
  fixture *f = *state;
  sc_model *corrected, *alone, *again;
  sc_error err = {0};
  const sc_train_options add = {.base = f->base, .seed = 3, .nthread = 2};
  assert_int_equal(sc_model_train(&f->few.rows, &add, &corrected, &err), SC_OK);
  assert_int_equal(sc_model_train(&f->few.rows, &synthetic_quick, &alone, &err), SC_OK);
  assert_int_equal(sc_model_train(&f->few.rows, &add, &again, &err), SC_OK);
  assert_true(sc_model_hash(again) == sc_model_hash(corrected) && sc_model_hash(corrected) != sc_model_hash(f->base));
  const double before = error_of(f, f->base), after = error_of(f, corrected), own = error_of(f, alone);
  print_message("mean error of log time: base %.3f, corrected %.3f, trained on the few rows alone %.3f\n", before,
                after, own);
  assert_true(after < 0.5 * before && after < 0.9 * own);
  assert_true(corrected->card.base == f->base->hash && f->base->card.base == 0);
  assert_true(corrected->forest.ntrees > f->base->forest.ntrees);
  assert_memory_equal(&corrected->cuts, &f->base->cuts, sizeof corrected->cuts);
  for (size_t g = 0; g < f->old.rows.ngroups; g++) assert_true(sc_model_saw(corrected, f->old.rows.group_name[g]));
  for (size_t g = 0; g < f->few.rows.ngroups; g++) assert_true(sc_model_saw(corrected, f->few.rows.group_name[g]));
  for (uint32_t g = 1; g < corrected->card.ngroups; g++)
    assert_true(corrected->card.group[g - 1] < corrected->card.group[g]);
  sc_model_free(corrected);
  sc_model_free(alone);
  sc_model_free(again);
}

/* The scale of errors stays as the base has it; a quick one keeps intervals and scores as well. */
static void a_quick_one_keeps_the_intervals(void **state) {
  fixture *f = *state;
  sc_model *quick, *read;
  const sc_train_options add = {.base = f->base, .quick = true, .trees = 5};
  sc_rows two = f->few.rows;
  two.n = 2;
  two.ngroups = two.ntasks = two.nnetworks = 1;
  assert_int_equal(sc_model_train(&two, &add, &quick, NULL), SC_OK);
  assert_memory_equal(&quick->card.intervals, &f->base->card.intervals, sizeof quick->card.intervals);
  assert_true(quick->card.top1 == f->base->card.top1 && quick->card.rows == 2);
  assert_int_equal(quick->forest.ntrees, f->base->forest.ntrees + 10);
  uint8_t bins[SC_FEATURE_COUNT];
  for (size_t i = 0; i < f->test.rows.n; i += 17) {
    float a[SC_FOREST_OUTPUTS], b[SC_FOREST_OUTPUTS];
    sc_cuts_bins(&quick->cuts, f->test.rows.features + i * SC_FEATURE_COUNT, 1, bins);
    sc_forest_margins(&quick->forest, bins, 1, a);
    sc_forest_margins(&f->base->forest, bins, 1, b);
    assert_true(a[1] == b[1]);
  }
  assert_int_equal(sc_model_read("the quick one", quick->json, quick->json_len, &read, NULL), SC_OK);
  assert_true(read->card.base == f->base->hash);
  sc_str text = {0};
  sc_model_card(read, false, &text);
  sc_model_card(read, true, &text);
  assert_non_null(strstr(text.text, "\nbase "));
  assert_non_null(strstr(text.text, ", \"base\": \""));
  sc_str_free(&text);
  sc_model_free(read);
  sc_model_free(quick);
}

static void what_is_refused(void **state) {
  fixture *f = *state;
  sc_model *model = NULL;
  sc_error err;
  sc_rows one = f->few.rows;
  one.n = 1;
  const sc_train_options quick = {.quick = true}, add = {.base = f->base, .quick = true};
  assert_int_equal(sc_model_train(&f->few.rows, &quick, &model, &err), SC_USAGE);
  assert_int_equal(sc_model_train(&one, &add, &model, &err), SC_UNSUPPORTED);
  assert_null(model);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(few_rows_correct_a_base),
                                     cmocka_unit_test(a_quick_one_keeps_the_intervals),
                                     cmocka_unit_test(what_is_refused)};
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
