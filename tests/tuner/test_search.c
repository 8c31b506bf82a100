/* The search: every schedule is tried once, equal seeds give equal searches, each strategy does what its name says; guided
 * by a model of other tasks it finds in few trials what random draws need many for, also where the model is wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

#include "tests/tuner/tuned.h"

static double optimum = INFINITY; /* of a large part of the space */

/* What plays the machine: the planted truth, and a term of this task that the model has not seen. */
static double truth(const fixture *f, const sc_schedule *schedule) {
  const sc_target target = target_of(f);
  float row[SC_FEATURE_COUNT];
  sc_analytic terms;
  sc_nest nest;
  assert_int_equal(sc_lower(f->task, schedule, &nest, NULL), SC_OK);
  sc_features_analytic(f->task, &nest, &target, row, &terms);
  return terms.time_s * exp(synthetic_truth(row) + (row[SC_FEATURE_tile_rows] > 2 ? 0.4 : 0));
}

typedef struct machine {
  const fixture *f;
  size_t calls, measured, fail_every, stop_after;
} machine;

static sc_status measure(void *user, const sc_trial *trials, size_t n, double *value, sc_error *err) {
  machine *m = user;
  m->calls++;
  for (size_t i = 0; i < n; i++) {
    if (m->stop_after && m->measured >= m->stop_after) return SC_INTERRUPTED;
    m->measured++;
    value[i] = m->fail_every && m->measured % m->fail_every == 0 ? INFINITY : truth(m->f, &trials[i].schedule);
  }
  return SC_OK;
}

static sc_status keep_best(void *user, const sc_schedule *schedule) {
  optimum = fmin(optimum, truth(user, schedule));
  return SC_OK;
}

static int set_up_with_optimum(void **state) {
  if (set_up(state) != 0) return 1;
  fixture *f = *state;
  return sc_space_sample(f->space, SC_SAMPLE_UNIFORM, 20000, 77, keep_best, f, NULL) != SC_OK;
}

static sc_search_options options_of(fixture *f, machine *m, sc_strategy strategy, size_t trials) {
  *m = (machine){.f = f};
  return (sc_search_options){.strategy = strategy,
                             .trials = trials,
                             .batch = 8,
                             .scan = 1000,
                             .seed = 5,
                             .model = f->model,
                             .times = true,
                             .measure = measure,
                             .user = m};
}

static sc_search_result run(fixture *f, const sc_search_options *o, sc_status wanted) {
  const sc_target target = target_of(f);
  sc_search_result r;
  sc_error err = {0};
  const sc_status status = sc_search_run(f->space, f->task, &target, o, &r, &err);
  if (status != wanted) fail_msg("%d: %s", (int)status, err.text);
  for (size_t i = 0; i < r.n; i++) {
    for (size_t k = 0; k < i; k++) assert_true(r.trial[i].hash != r.trial[k].hash);
    if (r.best < r.n) assert_true(r.trial[i].value >= r.trial[r.best].value);
  }
  return r;
}

static void every_strategy_tries_each_schedule_once(void **state) {
  static const char *const name[] = {"guided", "descent", "random", "exhaustive"};
  fixture *f = *state;
  for (int strategy = 0; strategy < SC_SEARCH_REPLAY; strategy++) {
    machine m, n;
    sc_search_options o = options_of(f, &m, (sc_strategy)strategy, 50);
    sc_search_result a = run(f, &o, SC_OK);
    assert_true(a.n == 50 && m.measured == 50 && !a.exhausted && a.best < 50);
    o.user = &n;
    n = (machine){.f = f};
    sc_search_result b = run(f, &o, SC_OK);
    for (size_t i = 0; i < 50; i++)
      assert_true(a.trial[i].hash == b.trial[i].hash && a.trial[i].value == b.trial[i].value);
    print_message("%-10s %5.3f of the best known after 50 trials\n", name[strategy], optimum / a.trial[a.best].value);
    sc_search_free(&a);
    sc_search_free(&b);
  }
}

/* The model is wrong about this task; what it learns of the first trials puts it right. */
static void a_guided_search_is_fast(void **state) {
  fixture *f = *state;
  machine m;
  double random = 0;
  for (int seed = 0; seed < 5; seed++) {
    sc_search_options o = options_of(f, &m, SC_SEARCH_RANDOM, 40);
    o.seed = (uint64_t)seed;
    sc_search_result r = run(f, &o, SC_OK);
    random += optimum / r.trial[r.best].value / 5;
    sc_search_free(&r);
  }
  const sc_search_options o = options_of(f, &m, SC_SEARCH_GUIDED, 40);
  sc_search_result r = run(f, &o, SC_OK);
  const double guided = optimum / r.trial[r.best].value;
  print_message("after 40 trials: guided %.3f, random %.3f of the best of 20000\n", guided, random);
  assert_true(guided > 0.95 && guided > random);
  assert_int_equal(m.calls, 5);
  sc_search_free(&r);
}

static void what_ran_out_says_so(void **state) {
  fixture *f = *state, small = with_task(f, "matmul:M=1,N=1,K=1");
  machine m;
  const size_t all = (size_t)sc_space_count(small.space);
  for (int strategy = 0; strategy < SC_SEARCH_REPLAY; strategy++) {
    const sc_search_options o = options_of(&small, &m, (sc_strategy)strategy, 1000);
    sc_search_result r = run(&small, &o, SC_OK);
    assert_true(r.exhausted && r.n == all);
    sc_search_free(&r);
  }
  sc_space_unbind(small.space);
}

/* The whole space in its order; a list in its order; known trials are not measured again. */
static void orders_are_kept(void **state) {
  fixture *f = *state;
  machine m;
  sc_search_options o = options_of(f, &m, SC_SEARCH_EXHAUSTIVE, 20);
  sc_search_result all = run(f, &o, SC_OK);
  for (size_t i = 0; i < all.n; i++) {
    sc_count rank;
    assert_int_equal(sc_space_rank(f->space, &all.trial[i].schedule, &rank), SC_OK);
    assert_true(rank == i);
  }
  sc_schedule list[6];
  for (size_t i = 0; i < 5; i++) list[i] = all.trial[15 - 3 * i].schedule;
  list[5] = list[0];
  o = options_of(f, &m, SC_SEARCH_REPLAY, 20);
  o.replay = list;
  o.nreplay = 6;
  sc_search_result r = run(f, &o, SC_OK);
  assert_true(r.n == 5 && r.exhausted);
  for (size_t i = 0; i < 5; i++) assert_true(r.trial[i].hash == all.trial[15 - 3 * i].hash);
  o = options_of(f, &m, SC_SEARCH_RANDOM, 30);
  o.known = all.trial;
  o.nknown = all.n;
  sc_search_result more = run(f, &o, SC_OK);
  assert_true(more.n == 30 && m.measured == 10);
  for (size_t i = 0; i < all.n; i++) assert_true(more.trial[i].hash == all.trial[i].hash);
  sc_search_free(&all);
  sc_search_free(&r);
  sc_search_free(&more);
}

/* Failures are trials without a value; all failing is no end; an interruption keeps what there was. */
static void failures_are_survived(void **state) {
  fixture *f = *state;
  machine m;
  for (int strategy = 0; strategy < SC_SEARCH_REPLAY; strategy++) {
    sc_search_options o = options_of(f, &m, (sc_strategy)strategy, 24);
    m.fail_every = 3;
    sc_search_result r = run(f, &o, SC_OK);
    assert_true(r.n == 24 && isfinite(r.trial[r.best].value));
    sc_search_free(&r);
    o = options_of(f, &m, (sc_strategy)strategy, 24);
    m.fail_every = 1;
    r = run(f, &o, SC_OK);
    assert_true(r.n == 24 && r.best == 24);
    sc_search_free(&r);
    o = options_of(f, &m, (sc_strategy)strategy, 24);
    m.stop_after = 12;
    r = run(f, &o, SC_INTERRUPTED);
    assert_true(r.n <= 12 && r.n > 0 && isfinite(r.trial[r.best].value));
    sc_search_free(&r);
  }
}

static sc_search_options without_model(fixture *f, machine *m, sc_strategy strategy) {
  sc_search_options o = options_of(f, m, strategy, 10);
  o.model = NULL;
  return o;
}

static double analytic_of(const fixture *f, const sc_schedule *schedule) {
  const sc_target target = target_of(f);
  sc_analytic terms;
  sc_nest nest;
  assert_int_equal(sc_lower(f->task, schedule, &nest, NULL), SC_OK);
  sc_analytic_time(f->task, &nest, &target, NULL, &terms);
  return terms.time_s;
}

typedef struct least {
  const fixture *f;
  double time_s;
} least;

static sc_status keep_least(void *user, const sc_schedule *schedule) {
  least *l = user;
  l->time_s = fmin(l->time_s, analytic_of(l->f, schedule));
  return SC_OK;
}

/* Without a model a descent begins where the analytic time is least, and goes on from the best trial. */
static void a_descent_needs_no_model(void **state) {
  fixture *f = *state;
  machine m;
  const sc_search_options o = without_model(f, &m, SC_SEARCH_DESCENT);
  sc_search_result r = run(f, &o, SC_OK);
  least drawn = {f, INFINITY};
  assert_int_equal(r.n, 10);
  assert_int_equal(sc_space_sample(f->space, SC_SAMPLE_UNIFORM, 200, 3, keep_least, &drawn, NULL), SC_OK);
  assert_true(analytic_of(f, &r.trial[0].schedule) <= drawn.time_s);
  for (size_t i = 1; i < r.n; i++) assert_int_equal(r.trial[i].origin.proposal, SC_PROPOSED_NEIGHBOUR);
  sc_search_free(&r);
}

static void what_is_refused(void **state) {
  fixture *f = *state;
  machine m;
  const sc_search_options o = without_model(f, &m, SC_SEARCH_GUIDED);
  const sc_search_result r = run(f, &o, SC_USAGE);
  assert_true(r.n == 0 && r.trial == NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_strategy_tries_each_schedule_once),
      cmocka_unit_test(a_guided_search_is_fast),
      cmocka_unit_test(what_ran_out_says_so),
      cmocka_unit_test(orders_are_kept),
      cmocka_unit_test(failures_are_survived),
      cmocka_unit_test(a_descent_needs_no_model),
      cmocka_unit_test(what_is_refused),
  };
  return cmocka_run_group_tests(tests, set_up_with_optimum, tear_down);
}
