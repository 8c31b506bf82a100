/* Choosing what to measure: never twice, the same for the same seed, one of each kind before a second of any, and of a kind
 * the one that is faster or less certain. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

#include "tuner/tuner.h"

enum { KINDS = 12, OF_EACH = 20, N = KINDS * OF_EACH };

typedef struct fixture {
  float features[N][SC_FEATURE_COUNT];
  uint32_t task[N];
  double time_s[N], spread[N];
  bool taken[N];
  sc_active_pool pool;
} fixture;

/* Kinds far apart in some features, their members close together; candidate i is of kind i / OF_EACH. */
static int set_up(void **state) {
  fixture *f = calloc(1, sizeof *f);
  sc_rng rng;
  sc_rng_seed(&rng, 5, 0);
  for (int k = 0; k < KINDS; k++) {
    float centre[SC_FEATURE_COUNT];
    for (int i = 0; i < SC_FEATURE_COUNT; i++) centre[i] = i % 3 ? 10 * (float)sc_rng_unit(&rng) : 1;
    for (int m = 0; m < OF_EACH; m++) {
      const int at = k * OF_EACH + m;
      for (int i = 0; i < SC_FEATURE_COUNT; i++)
        f->features[at][i] = centre[i] + (i % 3 ? 0.1F * (float)sc_rng_unit(&rng) : 0);
      f->task[at] = (uint32_t)(k % 4);
      f->time_s[at] = f->spread[at] = 1;
    }
  }
  f->pool = (sc_active_pool){N, 4, f->features[0], f->task, f->time_s, NULL, f->taken};
  *state = f;
  return 0;
}

static int tear_down(void **state) {
  free(*state);
  return 0;
}

static void never_twice(void **state) {
  fixture *f = *state;
  uint32_t chosen[N];
  bool seen[N] = {false};
  for (int round = 0; round < 8; round++) {
    assert_int_equal(sc_active_choose(&f->pool, N / 8, (uint64_t)round, chosen, NULL), SC_OK);
    for (int i = 0; i < N / 8; i++) {
      assert_true(chosen[i] < N && !seen[chosen[i]] && f->taken[chosen[i]]);
      seen[chosen[i]] = true;
    }
  }
  sc_error err;
  assert_int_equal(sc_active_choose(&f->pool, 0, 1, chosen, &err), SC_OK);
  assert_int_equal(sc_active_choose(&f->pool, 1, 1, chosen, &err), SC_USAGE);
  assert_non_null(strstr(err.text, "1 of 0 schedules that are left"));
}

static void one_of_each_kind_first(void **state) {
  fixture *f = *state;
  uint32_t chosen[KINDS], again[KINDS];
  bool kind[KINDS] = {false};
  assert_int_equal(sc_active_choose(&f->pool, KINDS, 3, chosen, NULL), SC_OK);
  for (int i = 0; i < KINDS; i++) {
    assert_false(kind[chosen[i] / OF_EACH]);
    kind[chosen[i] / OF_EACH] = true;
  }
  memset(f->taken, 0, sizeof f->taken);
  assert_int_equal(sc_active_choose(&f->pool, KINDS, 3, again, NULL), SC_OK);
  assert_memory_equal(again, chosen, sizeof again);
  memset(f->taken, 0, sizeof f->taken);
  for (int i = 0; i < OF_EACH; i++) f->taken[i] = true; /* the first kind is known: it comes last */
  assert_int_equal(sc_active_choose(&f->pool, KINDS - 1, 3, again, NULL), SC_OK);
  for (int i = 0; i < KINDS - 1; i++) assert_true(again[i] >= OF_EACH);
}

/* One of each kind is faster by far than the others, in its task the fastest; then one is less certain. */
static void fast_and_uncertain_ones_stand_for_their_kind(void **state) {
  fixture *f = *state;
  uint32_t chosen[KINDS];
  for (int i = 0; i < N; i++) f->time_s[i] = i % OF_EACH == 7 ? 1 : 4;
  assert_int_equal(sc_active_choose(&f->pool, KINDS, 4, chosen, NULL), SC_OK);
  for (int i = 0; i < KINDS; i++) assert_int_equal(chosen[i] % OF_EACH, 7);
  memset(f->taken, 0, sizeof f->taken);
  f->pool.spread = f->spread;
  for (int i = 0; i < N; i++) {
    f->time_s[i] = 1;
    f->spread[i] = i % OF_EACH == 11 ? 0.5 : 0.1;
  }
  assert_int_equal(sc_active_choose(&f->pool, KINDS, 4, chosen, NULL), SC_OK);
  for (int i = 0; i < KINDS; i++) assert_int_equal(chosen[i] % OF_EACH, 11);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(never_twice, set_up, tear_down),
      cmocka_unit_test_setup_teardown(one_of_each_kind_first, set_up, tear_down),
      cmocka_unit_test_setup_teardown(fast_and_uncertain_ones_stand_for_their_kind, set_up, tear_down)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
