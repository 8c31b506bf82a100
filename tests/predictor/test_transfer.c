/* Transfer: a model of one machine orders another's schedules nearly as well as that machine's own, is wrong about their
 * times, and less so when a few rows corrected it; without rows of other groups there is nothing to say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

#include "tests/predictor/synthetic.h"

static void a_model_serves_another_machine(void **state) {
  synthetic target, source;
  sc_transfer t, again;
  sc_error err;
  assert_int_equal(synthetic_make(&target, 8, 30, 1, NULL), SC_OK);
  assert_int_equal(synthetic_make(&source, 12, 30, 2, NULL), SC_OK); /* the first 8 tasks are the target's */
  snprintf(target.rows.machine.cpu, sizeof target.rows.machine.cpu, "another cpu");
  for (size_t i = 0; i < target.rows.n; i++) {
    const float *row = target.rows.features + i * SC_FEATURE_COUNT;
    target.rows.time_s[i] *= row[SC_FEATURE_tile_vectors] > 2 ? 1.6 : 1.2;
  }
  assert_int_equal(sc_transfer_evaluate(&target.rows, &source.rows, 60, &synthetic_quick, &t, &err), SC_OK);
  print_message("MAPE: native %.3f, corrected %.3f, untouched %.3f; top-1 of native's %.3f, %.3f\n",
                t.native.mape.value, t.corrected.mape.value, t.untouched.mape.value, t.corrected.of_native.value,
                t.untouched.of_native.value);
  assert_true(t.few == 60 && t.native.of_native.value == 1);
  assert_true(t.untouched.mape.value > 0.15); /* a third of the time is missing in the mean */
  assert_true(t.corrected.mape.value < 0.6 * t.untouched.mape.value);
  assert_true(t.native.mape.value < t.corrected.mape.value);
  assert_true(t.untouched.of_native.value > 0.85 && t.corrected.of_native.value > 0.85);
  assert_true(t.corrected.of_native.low <= t.corrected.of_native.value);
  assert_int_equal(sc_transfer_evaluate(&target.rows, &source.rows, 60, &synthetic_quick, &again, &err), SC_OK);
  assert_memory_equal(&again, &t, sizeof t);
  synthetic_free(&target);
  synthetic_free(&source);
}

/* What the other machine's rows say of a group that is predicted does not matter. */
static void held_groups_are_not_trained_on(void **state) {
  synthetic target, source;
  sc_transfer t, again;
  assert_int_equal(synthetic_make(&target, 2, 30, 3, NULL), SC_OK);
  assert_int_equal(synthetic_make(&source, 8, 30, 4, NULL), SC_OK);
  assert_int_equal(sc_transfer_evaluate(&target.rows, &source.rows, 20, &synthetic_quick, &t, NULL), SC_OK);
  for (int g = 0; g < 2;
       g++) { /* rows of the two groups that are predicted, each by a base without it: one at a time */
    for (size_t i = 0; i < source.rows.n; i++)
      if (source.rows.group[i] == (uint32_t)g) source.rows.group[i] = 2;
  }
  assert_int_equal(sc_transfer_evaluate(&target.rows, &source.rows, 20, &synthetic_quick, &again, NULL), SC_OK);
  assert_true(again.untouched.mape.value != t.untouched.mape.value); /* now they are another group's */
  synthetic_free(&target);
  synthetic_free(&source);
}

static void nothing_to_compare_is_said(void **state) {
  synthetic one, other;
  sc_transfer t;
  sc_error err;
  assert_int_equal(synthetic_make(&one, 1, 30, 5, NULL), SC_OK);
  assert_int_equal(synthetic_make(&other, 2, 30, 6, NULL), SC_OK);
  assert_int_equal(sc_transfer_evaluate(&one.rows, &other.rows, 10, &synthetic_quick, &t, &err), SC_UNSUPPORTED);
  for (size_t i = 0; i < one.rows.n; i++) one.rows.group[i] = 0;
  assert_int_equal(sc_transfer_evaluate(&other.rows, &one.rows, 10, &synthetic_quick, &t, &err), SC_UNSUPPORTED);
  assert_non_null(strstr(err.text, "no rows of groups outside a fold"));
  synthetic_free(&one);
  synthetic_free(&other);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(a_model_serves_another_machine),
                                     cmocka_unit_test(held_groups_are_not_trained_on),
                                     cmocka_unit_test(nothing_to_compare_is_said)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
