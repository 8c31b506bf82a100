/* The gauge of the runner program, by a clock that the test turns: what is quiet, how long it waits, what it forgets,
 * and which repeats of a visit stay. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "harness/child/gauge.c" /* NOLINT(bugprone-suspicious-include): its level is reset between tests */

/* A reading is the time between two questions for it: one step. */
static double clock_ns, step_ns;
double now_ns(void) { return clock_ns += step_ns; }

static sc_wire_request request;
static sc_wire_reply reply;
static child self;

static int restart(void **state) {
  (void)state;
  memset(&request, 0, sizeof request);
  memset(&reply, 0, sizeof reply);
  memset(level_ns, 0, sizeof level_ns);
  self = (child){.request = &request, .reply = &reply};
  request.gauge = 1;
  step_ns = 10e3;
  return 0;
}

static bool quiet_at(double ns) {
  step_ns = ns;
  return gauge_is_quiet(&self);
}

static void test_quiet(void **state) {
  (void)state;
  double begin = clock_ns;
  assert_true(quiet_at(10e3)); /* the first one: of many, to know the level */
  assert_true(clock_ns - begin >= 200e6 && clock_ns - begin < 201e6);
  assert_true(quiet_at(11.8e3));
  assert_false(quiet_at(12.2e3));
  assert_false(quiet_at(15e3));
  assert_true(quiet_at(9e3)); /* a new level */
  assert_false(quiet_at(11e3));
  assert_true(reply.gauge_ns > 0 && reply.gauge_ns < 9.1e3);
  request.gauge = 0;
  assert_true(quiet_at(100e3)); /* not asked for */
}

static void test_forgets(void **state) {
  (void)state;
  assert_true(quiet_at(10e3));
  clock_ns += 50e9;
  assert_false(quiet_at(14e3)); /* a core that got slower for good is busy ... */
  clock_ns += 50e9;
  assert_false(quiet_at(14e3));
  clock_ns += 61e9;
  assert_true(quiet_at(14e3)); /* ... for two minutes */
}

static void test_waits(void **state) {
  (void)state;
  assert_true(quiet_at(10e3));
  step_ns = 20e3;
  double begin = clock_ns;
  assert_false(gauge_wait(&self, begin + PATIENCE_NS));
  assert_true(clock_ns - begin >= PATIENCE_NS && clock_ns - begin < 1.01 * PATIENCE_NS);
  begin = clock_ns;
  step_ns = 10e3;
  assert_true(gauge_wait(&self, begin + PATIENCE_NS));
  assert_true(clock_ns - begin < 100e3);
}

/* The quiet repeats stay and those that were preempted or busy give way, the slowest first. */
static void test_keeps(void **state) {
  (void)state;
  for (int i = 0; i < SC_WIRE_REPEATS; i++) gauge_keep(&reply, 100 + i, i == 3, i >= 6);
  assert_int_equal(reply.repeats, SC_WIRE_REPEATS);
  assert_int_equal(reply.preempted, 1 << 3);
  assert_int_equal(reply.busy, 7 << 6);
  assert_int_equal(gauge_quiet_repeats(&reply), 5);
  gauge_keep(&reply, 120, false, true); /* slower than all that were disturbed */
  assert_int_equal((int)reply.ns[8], 108);
  gauge_keep(&reply, 90, true, true);
  assert_int_equal((int)reply.ns[8], 90);
  assert_int_equal(reply.preempted, 1 << 3 | 1 << 8);
  gauge_keep(&reply, 200, false, false); /* slow and quiet */
  assert_int_equal((int)reply.ns[7], 200);
  assert_int_equal(reply.busy, 1 << 6 | 1 << 8);
  for (int i = 0; i < 3; i++) gauge_keep(&reply, 150, false, false);
  assert_int_equal(reply.preempted | reply.busy, 0);
  assert_int_equal(gauge_quiet_repeats(&reply), SC_WIRE_REPEATS);
  assert_int_equal(reply.repeats, SC_WIRE_REPEATS);
  for (int i = 0; i < 3; i++) assert_int_equal((int)reply.ns[i], 100 + i);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(test_quiet, restart),
      cmocka_unit_test_setup(test_forgets, restart),
      cmocka_unit_test_setup(test_waits, restart),
      cmocka_unit_test_setup(test_keeps, restart),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
