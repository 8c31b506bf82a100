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
  size_t scanned = 0;
  sc_error err;
  if (sc_model_pick(f->model, bound, task, &target, count, 1, K, picks, &scanned, &err) != SC_OK)
    fail_msg("%s", err.text);
  assert_true(scanned >= count);
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
  size_t scanned, few;
  assert_true(sc_space_count(bound) > 100000);
  memset(first, 0, sizeof first);
  memset(again, 0, sizeof again);
  assert_int_equal(sc_model_pick(f->model, bound, task, &target, 2000, 1, 5, first, &scanned, NULL), SC_OK);
  assert_int_equal(sc_model_pick(f->model, bound, task, &target, 2000, 1, 5, again, &few, NULL), SC_OK);
  assert_int_equal(sc_model_pick(f->model, bound, task, &target, 2000, 2, 5, other, NULL, NULL), SC_OK);
  assert_true(scanned == few && scanned > 2000);
  for (int i = 0; i < 5; i++) { /* equal seeds, equal picks; ascending; intervals of picked schedules */
    assert_true(first[i].prediction.time_s == again[i].prediction.time_s);
    if (i) assert_true(first[i].prediction.time_s >= first[i - 1].prediction.time_s);
    assert_true(first[i].prediction.low_s < first[i].prediction.time_s);
    sc_count rank;
    assert_int_equal(sc_space_rank(bound, &first[i].schedule, &rank), SC_OK);
  }
  assert_true(other[0].prediction.time_s < 1.2 * first[0].prediction.time_s &&
              first[0].prediction.time_s < 1.2 * other[0].prediction.time_s);
  assert_int_equal(sc_model_pick(f->model, bound, task, &target, 1, 3, 1, &one, &few, NULL), SC_OK);
  assert_true(few >= 2 && few < 8000); /* one point, and downhill from there */
  sc_space_unbind(bound);
}

static void wrong_asks_are_refused(void **state) {
  fixture *f = *state;
  const sc_task *task = parse(f, "matmul:M=64,N=96,K=128");
  sc_space_bound *bound = synthetic_bind(&f->s, NULL, task);
  const sc_target target = {&f->s.rows.machine, NULL, 1}, none = {NULL, NULL, 1};
  sc_pick pick;
  sc_error err;
  assert_int_equal(sc_model_pick(f->model, bound, task, &target, 10, 1, 0, &pick, NULL, &err), SC_USAGE);
  assert_int_equal(sc_model_pick(f->model, bound, task, &none, 10, 1, 1, &pick, NULL, &err), SC_USAGE);
  sc_space_unbind(bound);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(all_of_a_small_space),
      cmocka_unit_test(a_large_space_is_searched),
      cmocka_unit_test(wrong_asks_are_refused),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
