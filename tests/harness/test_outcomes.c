/* Every way in which a kernel can be bad is an outcome with words, and the runner lives on. The kernels are written
 * by hand (bad_kernels.inc); the good one of the same file runs after each of them. */
#include "common.h"

#include <math.h>
#include <signal.h>

typedef struct expectation {
  int number;
  sc_outcome outcome;
  const char *words; /* in the failure */
} expectation;

static const expectation cases[] = {
    {0, SC_RAN, ""},
    {1, SC_CRASHED, "Segmentation fault, 0 bytes behind the end of C"},
    {2, SC_WRONG_RESULT, "wrote beside C"},
    {3, SC_CRASHED, "0 bytes behind the end of A"},
    {4, SC_WRONG_RESULT, "C[0,7,5] is nan, expected"},
    {5, SC_WRONG_RESULT, "C[0,3,2] is "},
    {6, SC_WRONG_RESULT, "input was overwritten: B[0,0,5]"},
    {7, SC_TIMED_OUT, "not done after 0.5 s"},
    {8, SC_CRASHED, "at 0x10, far from every buffer"},
#if defined(__x86_64__)
    {9, SC_CRASHED, "Floating point"}, /* elsewhere 1 / 0 is a number */
#endif
    {10, SC_CRASHED, "Abort"},
    {11, SC_CRASHED, "ended the process"},
    {12, SC_CRASHED, "forbidden system call"},
    {13, SC_CRASHED, "Segmentation fault"},
    {14, SC_CRASHED, "Segmentation fault"},
    {15, SC_CRASHED, "forbidden system call"},
    {16, SC_CRASHED, "forbidden system call"},
    {17, SC_CRASHED, ""},
    {18, SC_WRONG_RESULT, "(3 of 480 elements differ)"},
    {19, SC_CRASHED, "Segmentation fault, 40000 bytes behind the end of C"},
    {20, SC_CRASHED, "no room for the 1099511627776 bytes of the packed constants"},
    {21, SC_CRASHED, "the packed constants, while constants were packed"},
    {22, SC_CRASHED, "0 bytes behind the end of the scratch buffer"},
    {23, SC_WRONG_RESULT, "wrote beside B"},
    {25, SC_CRASHED, "4 bytes before"},
    {26, SC_WRONG_RESULT, "wrote beside the packed constants"},
};

static char *bad_source(void) {
  char path[512];
  const char *root = getenv("SC_SOURCE_DIR");
  sc_arena *arena = sc_arena_new();
  char *text = NULL, *copy;
  size_t len;
  snprintf(path, sizeof path, "%s/tests/harness/bad_kernels.inc", root ? root : ".");
  ok(sc_file_read(arena, path, 1 << 20, &text, &len, err));
  copy = strdup(text);
  sc_arena_free(arena);
  return copy;
}

static void build_case(world *w, const char *source, int number, sc_built *built) {
  char name[32], flags[32];
  snprintf(name, sizeof name, "bad%d", number);
  snprintf(flags, sizeof flags, "-DCASE=%d", number);
  object_make(w, name, source, flags, built);
}

static void test_every_outcome(void **state) {
  world *w = *state;
  const sc_task *task = task_make(w, "matmul:M=20,N=24,K=16");
  sc_runner *runner = NULL;
  ok(sc_runner_open(&w->machine, &runner, err));
  char *source = bad_source();
  sc_measure_options options = {.timeout_s = 0.5, .batch_s = 1e-4, .memory_bytes = (size_t)1 << 28};
  sc_built good;
  build_case(w, source, 0, &good);
  for (size_t i = 0; i < SC_COUNT_OF(cases); i++) {
    sc_built built;
    sc_measured bad, after;
    build_case(w, source, cases[i].number, &built);
    ok(sc_visit(runner, task, &built, 1, SC_CHECK_GUARDED, &options, &bad, err));
    if (bad.outcome != cases[i].outcome || !strstr(bad.failure, cases[i].words))
      fail_msg("case %d: %s, '%s', expected %s, '%s'", cases[i].number, sc_outcome_name(bad.outcome), bad.failure,
               sc_outcome_name(cases[i].outcome), cases[i].words);
    assert_true((bad.outcome == SC_RAN) == (bad.failure[0] == '\0'));
    ok(sc_visit(runner, task, &good, 1, SC_CHECK_GUARDED, &options, &after, err));
    assert_int_equal(after.outcome, SC_RAN);
  }
  free(source);
  sc_runner_close(runner);
  assert_int_equal(access("/tmp/sc-harness-written", F_OK), -1);
}

/* The plain product writes a row twice when two threads overlap, which is no error; both threads must have run. */
static void test_threads(void **state) {
  world *w = *state;
  const sc_task *task = task_make(w, "matmul:M=20,N=24,K=16");
  sc_runner *runner = NULL;
  ok(sc_runner_open(&w->machine, &runner, err));
  char *source = bad_source();
  sc_measure_options options = {.batch_s = 1e-4};
  for (int number = 0; number <= 5; number += 5) {
    sc_built built;
    sc_measured m;
    build_case(w, source, number, &built);
    for (int threads = 2; threads <= 5; threads++) {
      ok(sc_visit(runner, task, &built, threads, SC_CHECK_GUARDED, &options, &m, err));
      assert_int_equal(m.outcome, number == 0 ? SC_RAN : SC_WRONG_RESULT);
    }
  }
  free(source);
  sc_runner_close(runner);
}

/* Measurements look for quiet moments unless they are told not to; the other tests are. */
static void test_gauge_is_asked_for(void **state) {
  world *w = *state;
  sc_runner *runner = NULL;
  sc_wire_request request;
  ok(sc_runner_open(&w->machine, &runner, err));
  const char *said[] = {"0", "1", NULL};
  for (size_t i = 0; i < 3; i++) {
    if (said[i]) setenv("SCHEDCAST_GAUGE", said[i], 1);
    else unsetenv("SCHEDCAST_GAUGE");
    sc_request_init(runner, SC_WIRE_VISIT, &request);
    assert_int_equal(request.gauge, i > 0);
  }
  sc_runner_close(runner);
}

/* Repeats are all there; a batch is as long as asked for, of cold calls no more than there is patience for. What was
 * quiet and what not, with the gauge as it is. */
static void test_times(void **state) {
  world *w = *state;
  const sc_task *task = task_make(w, "matmul:M=20,N=24,K=16");
  sc_runner *runner = NULL;
  ok(sc_runner_open(&w->machine, &runner, err));
  char *source = bad_source();
  sc_built built;
  build_case(w, source, 0, &built);
  for (int cold = 0; cold < 2; cold++) {
    sc_measured m;
    double least_ns = INFINITY;
    ok(sc_visit(runner, task, &built, 1, SC_CHECK_RESULT, &(sc_measure_options){.cold = cold, .batch_s = 1e-3}, &m,
                err));
    assert_int_equal(m.outcome, SC_RAN);
    assert_true(m.pass.batch >= 1 && m.pass.unix_ns > 0 && m.pass.preempted < 1 << SC_REPEATS);
    for (int i = 0; i < SC_REPEATS; i++) {
      assert_true(m.pass.ns[i] > 10 && m.pass.ns[i] < 1e9);
      if (m.pass.ns[i] < least_ns) least_ns = (double)m.pass.ns[i];
    }
    const double batch_ns = least_ns * m.pass.batch;
    if (cold) assert_true(m.pass.batch <= 64);
    else assert_true(batch_ns > 1e5 && batch_ns < 1e7);
  }
  free(source);
  sc_runner_close(runner);
}

/* Somebody kills the runner program: the visit that was under way crashed, the next one works. */
static void test_killed_runner(void **state) {
  world *w = *state;
  const sc_task *task = task_make(w, "matmul:M=20,N=24,K=16");
  sc_runner *runner = NULL;
  ok(sc_runner_open(&w->machine, &runner, err));
  char *source = bad_source();
  sc_built built;
  sc_measured m;
  build_case(w, source, 0, &built);
  kill(runner->pid, SIGKILL);
  ok(sc_visit(runner, task, &built, 1, SC_CHECK_RESULT, &(sc_measure_options){0}, &m, err));
  assert_int_equal(m.outcome, SC_CRASHED);
  assert_non_null(strstr(m.failure, "runner program"));
  ok(sc_visit(runner, task, &built, 1, SC_CHECK_RESULT, &(sc_measure_options){0}, &m, err));
  assert_int_equal(m.outcome, SC_RAN);
  free(source);
  sc_runner_close(runner);
}

static void test_not_to_be_run(void **state) {
  world *w = *state;
  const sc_task *task = task_make(w, "matmul:M=20,N=24,K=16");
  sc_runner *runner = NULL;
  sc_error why = {0};
  ok(sc_runner_open(&w->machine, &runner, err));
  sc_built built = {.outcome = SC_NOT_COMPILED, .failure = "error: no"};
  sc_measured m;
  ok(sc_visit(runner, task, &built, 1, SC_CHECK_RESULT, &(sc_measure_options){0}, &m, err));
  assert_int_equal(m.outcome, SC_NOT_COMPILED);
  assert_string_equal(m.failure, "error: no");
  built = (sc_built){.outcome = SC_RAN, .path = "/nowhere.so", .prefix = "f"};
  ok(sc_visit(runner, task, &built, 1, SC_CHECK_RESULT, &(sc_measure_options){0}, &m, err));
  assert_int_equal(m.outcome, SC_NOT_COMPILED);
  assert_non_null(strstr(m.failure, "/nowhere.so"));
  sc_runner_close(runner);
  sc_machine other = w->machine;
  snprintf(other.runner, sizeof other.runner, "pigeon");
  assert_int_equal(sc_runner_open(&other, &runner, &why), SC_UNSUPPORTED);
  assert_non_null(strstr(why.text, "pigeon"));
  machine_make(&other, "no-such-compiler");
  assert_int_equal(sc_runner_open(&other, &runner, &why), SC_NOTFOUND);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_every_outcome),      cmocka_unit_test(test_threads),
      cmocka_unit_test(test_gauge_is_asked_for), cmocka_unit_test(test_times),
      cmocka_unit_test(test_killed_runner),      cmocka_unit_test(test_not_to_be_run),
  };
  return cmocka_run_group_tests(tests, world_open, world_close);
}
