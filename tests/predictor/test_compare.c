/* Methods compared by what was measured, on times where every number can be said beforehand; random draws by enumeration
 * of all ways to draw. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

#include "predictor/predictor.h"

enum { TASKS = 3, EACH = 250 };

typedef struct fixture {
  sc_rows rows;
  double time_s[TASKS * EACH];
  uint32_t task[TASKS * EACH];
  const sc_record *record[TASKS * EACH];
  sc_record records[TASKS * EACH];
} fixture;

static const char *names[TASKS] = {"a", "b", "c"};

/* Row i of a task takes 100 + i; nests are numbered alike in all tasks. */
static int set_up(void **state) {
  fixture *f = calloc(1, sizeof *f);
  *state = f;
  for (uint32_t i = 0; i < TASKS * EACH; i++) {
    f->time_s[i] = 100 + i % EACH;
    f->task[i] = i / EACH;
    f->records[i] = (sc_record){.nest_hash = i % EACH, .proposal = SC_PROPOSED_UNIFORM};
    f->record[i] = &f->records[i];
  }
  f->rows = (sc_rows){.n = TASKS * EACH,
                      .time_s = f->time_s,
                      .task = f->task,
                      .group = f->task,
                      .record = f->record,
                      .ntasks = TASKS,
                      .ngroups = TASKS,
                      .task_name = names,
                      .group_name = names};
  return 0;
}

static int tear_down(void **state) {
  free(*state);
  return 0;
}

static bool near(double a, double b) { return fabs(a - b) < 1e-12; }

static void picks_are_judged_by_their_rows(void **state) {
  fixture *f = *state;
  const sc_method_pick pick[] = {{0, "a", 0}, {0, "b", 3},   {0, "c", 25}, /* 1, 100/103, 100/125 */
                                 {1, "a", 6}, {1, "b", 999}, /* the second was not measured */
                                 {1, "d", 1} /* no such task */};
  sc_method_score method[2], draws[SC_METHOD_DRAWS];
  assert_int_equal(sc_methods_compare(&f->rows, pick, SC_COUNT_OF(pick), 2, 1, method, draws, NULL), SC_OK);
  assert_true(method[0].tasks == 3 && method[0].missing == 0);
  assert_true(near(method[0].reached.value, (1 + 100.0 / 103 + 0.8) / 3) && near(method[0].least, 0.8));
  assert_true(near(method[0].within2.value, 1.0 / 3) && near(method[0].within5.value, 2.0 / 3));
  assert_true(method[0].reached.low >= 0.8 && method[0].reached.high <= 1);
  assert_true(method[1].tasks == 1 && method[1].missing == 2);
  assert_true(near(method[1].reached.value, 100.0 / 106) && near(method[1].within5.value, 0));
}

/* The mean of 100 / least time over all sets of two. */
static double pairs_of_draws(void) {
  double sum = 0;
  int n = 0;
  for (int i = 0; i < EACH; i++) {
    for (int j = i + 1; j < EACH; j++, n++) sum += 100.0 / (100 + i);
  }
  return sum / n;
}

static void draws_are_what_all_draws_reach(void **state) {
  fixture *f = *state;
  sc_method_score draws[SC_METHOD_DRAWS], two[SC_METHOD_DRAWS];
  double one = 0;
  for (int i = 0; i < EACH; i++) one += 100.0 / (100 + i) / EACH;
  sc_method_score none;
  assert_int_equal(sc_methods_compare(&f->rows, NULL, 0, 0, 1, &none, draws, NULL), SC_OK);
  assert_true(draws[0].tasks == TASKS && fabs(draws[0].reached.value - one) < 1e-9);
  assert_true(draws[1].reached.value > pairs_of_draws() && draws[2].reached.value > draws[1].reached.value);
  assert_true(draws[2].reached.value < 1);
  for (int i = 0; i < EACH; i++) f->records[i].proposal = SC_PROPOSED_MODEL; /* no draws of the first task */
  assert_int_equal(sc_methods_compare(&f->rows, NULL, 0, 0, 1, &none, two, NULL), SC_OK);
  assert_int_equal(two[0].tasks, TASKS - 1);
  assert_true(near(two[0].reached.value, draws[0].reached.value));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(picks_are_judged_by_their_rows, set_up, tear_down),
      cmocka_unit_test_setup_teardown(draws_are_what_all_draws_reach, set_up, tear_down),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
