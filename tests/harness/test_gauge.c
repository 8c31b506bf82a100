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

/* Those that the test itself suffers are none of its business. */
long switches(void) { return 0; }

static sc_wire_request request;
static sc_wire_reply reply;
static child self;

static int restart(void **state) {
  (void)state;
  memset(&request, 0, sizeof request);
  memset(&reply, 0, sizeof reply);
  memset(levels, 0, sizeof levels);
  self = (child){.request = &request, .reply = &reply};
  request.gauge = request.threads = 1;
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
  request.threads = 2; /* they have a level of their own */
  assert_true(quiet_at(14e3));
  request.threads = 1;
  assert_false(quiet_at(14e3));
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
  clock_ns += 600e9;
  assert_true(quiet_at(20e3)); /* and what is old is not known */
}

/* What a kernel may have written over the reply. */
static void test_believes(void **state) {
  (void)state;
  assert_true(quiet_at(10e3));
  gauge_learn(1, 1);
  gauge_learn(1, 0);
  gauge_learn(1, -5);
  gauge_learn(1, (double)NAN);
  assert_true(quiet_at(10e3));
  reply.repeats = 1000;
  keep(&reply, 1, false, false);
  assert_int_equal(quiet_repeats(&reply), SC_WIRE_REPEATS);
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
  for (int i = 0; i < SC_WIRE_REPEATS; i++) keep(&reply, 100 + i, i == 3, i >= 6);
  assert_int_equal(reply.repeats, SC_WIRE_REPEATS);
  assert_int_equal(reply.preempted, 1 << 3);
  assert_int_equal(reply.busy, 7 << 6);
  assert_int_equal(quiet_repeats(&reply), 5);
  keep(&reply, 120, false, true); /* slower than all that were disturbed */
  assert_int_equal((int)reply.ns[8], 108);
  keep(&reply, 90, true, true);
  assert_int_equal((int)reply.ns[8], 90);
  assert_int_equal(reply.preempted, 1 << 3 | 1 << 8);
  keep(&reply, 200, false, false); /* slow and quiet */
  assert_int_equal((int)reply.ns[7], 200);
  assert_int_equal(reply.busy, 1 << 6 | 1 << 8);
  for (int i = 0; i < 3; i++) keep(&reply, 150, false, false);
  assert_int_equal(reply.preempted | reply.busy, 0);
  assert_int_equal(quiet_repeats(&reply), SC_WIRE_REPEATS);
  assert_int_equal(reply.repeats, SC_WIRE_REPEATS);
  for (int i = 0; i < 3; i++) assert_int_equal((int)reply.ns[i], 100 + i);
}

/* A kernel of 1 ms a call, and a neighbour who comes and goes with the calls. */
typedef struct scene {
  int calls, busy_until; /* the first calls have a neighbour */
  double call_ns;
} scene;

static double play(void *user, uint32_t calls) {
  scene *s = user;
  s->calls++;
  double ns = s->call_ns * (s->calls <= s->busy_until ? 1.5 : 1) * calls;
  clock_ns += ns;
  step_ns = s->calls < s->busy_until ? 15e3 : 10e3;
  return ns;
}

static int repeats_of(scene s, double *took_ns) {
  assert_true(quiet_at(10e3));
  step_ns = s.busy_until ? 15e3 : 10e3;
  memset(&reply, 0, sizeof reply);
  reply.batch = 1;
  double begin = clock_ns;
  gauge_repeats(&self, play, &s);
  *took_ns = clock_ns - begin;
  assert_int_equal(reply.repeats, SC_WIRE_REPEATS);
  return s.calls;
}

static void test_repeats(void **state) {
  (void)state;
  double took;
  assert_int_equal(repeats_of((scene){0, 0, 1e6}, &took), SC_WIRE_REPEATS);
  assert_int_equal(reply.busy, 0);
  assert_true(took < 10e6);
  /* a neighbour for the first ones: it is waited for, once, and two more make three quiet ones */
  assert_int_equal(repeats_of((scene){0, 8, 1e6}, &took), SC_WIRE_REPEATS + 2);
  assert_int_equal(quiet_repeats(&reply), 3);
  assert_true(took > PATIENCE_NS && took < 2 * PATIENCE_NS);
  /* one who never goes: all are busy, and it ends */
  repeats_of((scene){0, 1 << 30, 1e6}, &took);
  assert_int_equal(reply.busy, (1 << SC_WIRE_REPEATS) - 1);
  assert_true(took > PATIENCE_NS && took < 2.3 * PATIENCE_NS);
  /* a long call is not made once more */
  assert_int_equal(repeats_of((scene){0, 1 << 30, 500e6}, &took), SC_WIRE_REPEATS);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(test_quiet, restart),    cmocka_unit_test_setup(test_forgets, restart),
      cmocka_unit_test_setup(test_waits, restart),    cmocka_unit_test_setup(test_keeps, restart),
      cmocka_unit_test_setup(test_believes, restart), cmocka_unit_test_setup(test_repeats, restart),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
