/* What is chosen to be measured: stratified draws are distinct, reproducible and denser at the fast end; proposals are
 * the model's best and a wider part of its top, none twice. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

#include "tests/tuner/tuned.h"

enum { MOST = 600 };

typedef struct chosen {
  fixture *f;
  size_t n;
  uint64_t hash[MOST];
  double time_s[MOST]; /* analytic, or predicted */
} chosen;

static void add(chosen *c, const sc_schedule *schedule, bool predicted) {
  const sc_target target = target_of(c->f);
  sc_nest nest;
  sc_analytic analytic;
  sc_prediction p;
  assert_true(c->n < MOST);
  assert_int_equal(sc_lower(c->f->task, schedule, &nest, NULL), SC_OK);
  c->hash[c->n] = sc_nest_hash(c->f->task, &nest);
  if (predicted) {
    assert_int_equal(sc_model_predict(c->f->model, c->f->task, &nest, 1, &target, true, &p, NULL), SC_OK);
    c->time_s[c->n++] = p.time_s;
  } else {
    sc_analytic_time(c->f->task, &nest, &target, NULL, &analytic);
    c->time_s[c->n++] = analytic.time_s;
  }
}

static sc_status add_analytic(void *user, const sc_schedule *schedule) {
  add(user, schedule, false);
  return SC_OK;
}

static sc_status add_predicted(void *user, const sc_schedule *schedule) {
  add(user, schedule, true);
  return SC_OK;
}

static sc_status refuse(void *user, const sc_schedule *schedule) { return SC_IO; }

static void all_distinct(const chosen *c) {
  for (size_t i = 0; i < c->n; i++)
    for (size_t k = 0; k < i; k++) assert_true(c->hash[i] != c->hash[k]);
}

static double share_below(const chosen *c, double time_s) {
  size_t n = 0;
  for (size_t i = 0; i < c->n; i++) n += c->time_s[i] < time_s;
  return (double)n / (double)c->n;
}

static int by_value(const void *a, const void *b) {
  const double *x = a, *y = b;
  return (*x > *y) - (*x < *y);
}

/* Ranks grow with the square: a quarter of uniform draws holds half of the stratified ones. */
static void stratified_is_dense_at_the_fast_end(void **state) {
  fixture *f = *state;
  const sc_target target = target_of(f);
  static chosen uniform, stratified, again;
  uniform.f = stratified.f = again.f = f;
  assert_int_equal(sc_space_sample(f->space, SC_SAMPLE_UNIFORM, MOST, 9, add_analytic, &uniform, NULL), SC_OK);
  assert_int_equal(sc_draw_stratified(f->space, f->task, &target, 100, 3, add_analytic, &stratified, NULL), SC_OK);
  assert_int_equal(sc_draw_stratified(f->space, f->task, &target, 100, 3, add_analytic, &again, NULL), SC_OK);
  assert_true(stratified.n == 100 && again.n == 100);
  assert_memory_equal(stratified.hash, again.hash, 100 * sizeof *again.hash);
  all_distinct(&stratified);
  for (size_t i = 1; i < stratified.n; i++) assert_true(stratified.time_s[i] >= stratified.time_s[i - 1]);
  qsort(uniform.time_s, uniform.n, sizeof *uniform.time_s, by_value);
  const double share = share_below(&stratified, uniform.time_s[uniform.n / 4]);
  assert_true(share > 0.4 && share < 0.6);
}

static void small_spaces_are_drawn_whole(void **state) {
  fixture *f = *state, small = with_task(f, "matmul:M=1,N=1,K=1");
  static chosen c;
  const sc_target target = target_of(f);
  c.f = &small;
  const size_t all = (size_t)sc_space_count(small.space);
  assert_true(all > 0 && all < 50);
  assert_int_equal(sc_draw_stratified(small.space, small.task, &target, 50, 1, add_analytic, &c, NULL), SC_OK);
  assert_int_equal(c.n, all);
  all_distinct(&c);
  c.n = 0;
  assert_int_equal(sc_model_propose(f->model, small.space, small.task, &target, 50, 1000, 1, add_predicted, &c, NULL),
                   SC_OK);
  assert_true(c.n >= all && c.n <= 50); /* the last one may come again */
  sc_space_unbind(small.space);
}

static void proposals_are_a_wider_top(void **state) {
  fixture *f = *state;
  static chosen c, again;
  const sc_target target = target_of(f);
  sc_pick best[8 * 16];
  const sc_pick_options options = {3000, 5, 0};
  c.f = again.f = f;
  assert_int_equal(sc_model_propose(f->model, f->space, f->task, &target, 8, 3000, 5, add_predicted, &c, NULL), SC_OK);
  assert_int_equal(sc_model_propose(f->model, f->space, f->task, &target, 8, 3000, 5, add_predicted, &again, NULL),
                   SC_OK);
  assert_true(c.n == 8);
  assert_memory_equal(c.hash, again.hash, 8 * sizeof *c.hash);
  all_distinct(&c);
  assert_int_equal(sc_model_pick(f->model, f->space, f->task, &target, &options, SC_COUNT_OF(best), best, NULL, NULL),
                   SC_OK);
  static const size_t rank[] = {0, 1, 3, 7, 15, 31, 63, 127};
  for (size_t i = 0; i < 8; i++) assert_true(c.time_s[i] == best[rank[i]].prediction.time_s);
}

static void what_is_refused(void **state) {
  fixture *f = *state;
  static chosen c;
  const sc_target target = target_of(f);
  sc_error err;
  c.f = f;
  assert_int_equal(
      sc_model_propose(f->model, f->space, f->task, &target, SC_MOST_PROPOSED + 1, 100, 1, add_predicted, &c, &err),
      SC_USAGE);
  assert_int_equal(sc_model_propose(f->model, f->space, f->task, &target, 0, 100, 1, add_predicted, &c, &err), SC_OK);
  assert_int_equal(c.n, 0);
  assert_int_equal(sc_model_propose(f->model, f->space, f->task, &target, 2, 100, 1, refuse, &c, &err), SC_IO);
  assert_int_equal(sc_draw_stratified(f->space, f->task, &target, 2, 1, refuse, &c, &err), SC_IO);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(stratified_is_dense_at_the_fast_end),
                                     cmocka_unit_test(small_spaces_are_drawn_whole),
                                     cmocka_unit_test(proposals_are_a_wider_top), cmocka_unit_test(what_is_refused)};
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
