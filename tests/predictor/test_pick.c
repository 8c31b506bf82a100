/* Picking: of a space that is scanned whole, the picks are the best by the model's own prediction; of a large one they
 * beat what the scan alone finds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

#include "tests/predictor/synthetic.h"

typedef struct fixture {
  synthetic s;
  sc_model *model;
} fixture;

static int set_up(void **state) {
  fixture *f = calloc(1, sizeof *f);
  if (synthetic_make(&f->s, 24, 40, 1, NULL) != SC_OK) return 1;
  *state = f;
  return sc_model_train(&f->s.rows, &synthetic_quick, &f->model, NULL) != SC_OK;
}

static int tear_down(void **state) {
  fixture *f = *state;
  sc_model_free(f->model);
  synthetic_free(&f->s);
  free(f);
  return 0;
}

static const sc_task *parse(fixture *f, const char *text) {
  const sc_task *task;
  assert_int_equal(sc_task_parse(f->s.arena, f->s.library, text, &task, NULL), SC_OK);
  return task;
}

static int by_value(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static void all_of_a_small_space(void **state) {
  static const char space[] = "space small\nbands 2\nvector j\ntile i 1..4\ntile j 1..2 vectors\nladder * divisors "
                              "powers at_most 3\nloop k\nunroll 1 | 4\n";
  enum { K = 20 };
  fixture *f = *state;
  const sc_task *task = parse(f, "matmul:M=16,N=32,K=48");
  sc_space_bound *bound = synthetic_bind(&f->s, space, task);
  const size_t count = (size_t)sc_space_count(bound);
  const sc_target target = {&f->s.rows.machine, NULL, 1};
  assert_in_range(count, 50, 20000);
  double *time = calloc(count, sizeof *time);
  for (size_t i = 0; i < count; i++) {
    sc_schedule schedule;
    sc_nest nest;
    sc_prediction p;
    assert_int_equal(sc_space_at(bound, i, &schedule), SC_OK);
    assert_int_equal(sc_lower(task, &schedule, &nest, NULL), SC_OK);
    assert_int_equal(sc_model_predict(f->model, task, &nest, 1, &target, false, &p, NULL), SC_OK);
    time[i] = p.time_s;
  }
  qsort(time, count, sizeof *time, by_value);
  sc_pick picks[K];
  const sc_pick_options options = {count, 1, 0};
  sc_pick_effort effort;
  sc_error err;
  if (sc_model_pick(f->model, bound, task, &target, &options, K, picks, &effort, &err) != SC_OK)
    fail_msg("%s", err.text);
  assert_true(effort.scanned == count && effort.predicted >= count);
  uint64_t hash[K];
  for (int i = 0; i < K; i++) {
    sc_nest nest;
    assert_true(fabs(picks[i].prediction.time_s / time[i] - 1) < 1e-12);
    assert_int_equal(sc_lower(task, &picks[i].schedule, &nest, NULL), SC_OK);
    hash[i] = sc_nest_hash(task, &nest);
    for (int j = 0; j < i; j++) assert_true(hash[i] != hash[j]);
  }
  free(time);
  sc_space_unbind(bound);
}

static void a_large_space_is_searched(void **state) {
  fixture *f = *state;
  const sc_task *task = parse(f, "matmul:M=64,N=96,K=128");
  sc_space_bound *bound = synthetic_bind(&f->s, NULL, task);
  const sc_target target = {&f->s.rows.machine, NULL, 1};
  sc_pick first[5], again[5], other[5], one;
  const sc_pick_options all = {2000, 1, 0}, alone = {2000, 1, 1}, seed = {2000, 2, 3}, point = {1, 3, 2};
  sc_pick_effort scanned, few;
  assert_true(sc_space_count(bound) > 100000);
  memset(first, 0, sizeof first);
  memset(again, 0, sizeof again);
  assert_int_equal(sc_model_pick(f->model, bound, task, &target, &all, 5, first, &scanned, NULL), SC_OK);
  assert_int_equal(sc_model_pick(f->model, bound, task, &target, &alone, 5, again, &few, NULL), SC_OK);
  assert_int_equal(sc_model_pick(f->model, bound, task, &target, &seed, 5, other, NULL, NULL), SC_OK);
  assert_true(scanned.scanned == 2000 && scanned.predicted == few.predicted && scanned.predicted > 2000);
  for (int i = 0; i < 5;
       i++) { /* equal seeds, equal picks, by however many threads; ascending; intervals of picked schedules */
    assert_true(first[i].prediction.time_s == again[i].prediction.time_s);
    if (i) assert_true(first[i].prediction.time_s >= first[i - 1].prediction.time_s);
    assert_true(first[i].prediction.low_s < first[i].prediction.time_s);
    sc_count rank;
    assert_int_equal(sc_space_rank(bound, &first[i].schedule, &rank), SC_OK);
  }
  assert_true(other[0].prediction.time_s < 1.2 * first[0].prediction.time_s &&
              first[0].prediction.time_s < 1.2 * other[0].prediction.time_s);
  assert_int_equal(sc_model_pick(f->model, bound, task, &target, &point, 1, &one, &few, NULL), SC_OK);
  assert_true(few.scanned == 1 && few.predicted >= 2 && few.predicted < 8000); /* and downhill from there */
  sc_space_unbind(bound);
}

/* Where most are left out by their analytic time: what it finds by few predictions is hardly worse than the best of
 * all, and does not depend on the threads. */
static void most_of_a_large_scan_is_timed_only(void **state) {
  fixture *f = *state;
  const sc_task *task = parse(f, "matmul:M=96,N=64,K=64");
  sc_space_bound *bound = synthetic_bind(&f->s, NULL, task);
  const sc_target target = {&f->s.rows.machine, NULL, 1};
  const sc_pick_options scan = {300000, 7, 0}, alone = {300000, 7, 1}, small = {20000, 7, 0};
  sc_pick pick[3], again[3], few[3];
  sc_pick_effort effort, same;
  memset(pick, 0, sizeof pick);
  memset(again, 0, sizeof again);
  assert_true(sc_space_count(bound) > 1000000);
  assert_int_equal(sc_model_pick(f->model, bound, task, &target, &scan, 3, pick, &effort, NULL), SC_OK);
  assert_int_equal(sc_model_pick(f->model, bound, task, &target, &alone, 3, again, &same, NULL), SC_OK);
  assert_int_equal(sc_model_pick(f->model, bound, task, &target, &small, 3, few, NULL, NULL), SC_OK);
  assert_in_range(effort.scanned, 300000, 300063);
  assert_in_range(effort.predicted, 15000, 40000);
  assert_true(same.scanned == effort.scanned && same.predicted == effort.predicted);
  for (int i = 0; i < 3; i++) assert_true(pick[i].prediction.time_s == again[i].prediction.time_s);
  assert_true(pick[0].prediction.time_s < 1.05 * few[0].prediction.time_s);
  sc_space_unbind(bound);
}

static void wrong_asks_are_refused(void **state) {
  fixture *f = *state;
  const sc_task *task = parse(f, "matmul:M=64,N=96,K=128");
  sc_space_bound *bound = synthetic_bind(&f->s, NULL, task);
  const sc_target target = {&f->s.rows.machine, NULL, 1}, none = {NULL, NULL, 1};
  const sc_pick_options few = {10, 1, 0};
  sc_pick pick;
  sc_error err;
  assert_int_equal(sc_model_pick(f->model, bound, task, &target, &few, 0, &pick, NULL, &err), SC_USAGE);
  assert_int_equal(sc_model_pick(f->model, bound, task, &none, &few, 1, &pick, NULL, &err), SC_USAGE);
  sc_space_unbind(bound);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(all_of_a_small_space),
      cmocka_unit_test(a_large_space_is_searched),
      cmocka_unit_test(most_of_a_large_scan_is_timed_only),
      cmocka_unit_test(wrong_asks_are_refused),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
