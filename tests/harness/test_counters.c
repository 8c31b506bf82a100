/* Counters: what can be had has a value, what cannot has a reason, and nothing is made up. Which events there are
 * depends on the machine; the software clock of a task is there wherever perf_event is. */
#include "common.h"

/* ALONE: the first thread sleeps while the second works, so that only the second has time to be counted. */
static const char *const source =
    "#include <stddef.h>\n#include <time.h>\n"
    "size_t f_ahead_bytes(void) { return 0; }\nvoid f_ahead(void *const *t, void *a) {}\n"
    "size_t f_scratch_bytes(int nt) { return 0; }\n"
    "void f_run(void *const *t, const void *ah, void *s, int tid, int nt, void (*b)(void *), void *x) {\n"
    "  const float *A = t[0], *B = t[1]; float *C = t[2];\n"
    "  if (ALONE && tid == 0) { nanosleep(&(struct timespec){0, 3000000}, NULL); return; }\n"
    "  for (int r = 0; r < (ALONE ? 20 : 1); r++) for (int i = 0; i < 40; i++) for (int j = 0; j < 40; j++) {\n"
    "    float sum = 0; for (int k = 0; k < 40; k++) sum += A[i * 40 + k] * B[k * 40 + j];\n"
    "    *(volatile float *)&C[i * 40 + j] = sum; }\n}\n";

static void visit(world *w, const char *counters, int threads, sc_measured *m) {
  const sc_task *task = task_make(w, "matmul:M=40,N=40,K=40");
  sc_runner *runner;
  sc_built built;
  ok(sc_runner_open(&w->machine, &runner, err));
  object_make(w, "counted", source, threads == 1 ? "-DALONE=0" : "-DALONE=1", &built);
  ok(sc_visit(runner, task, &built, threads, SC_CHECK_RESULT, &(sc_measure_options){.counters = counters}, m, err));
  assert_int_equal(m->outcome, SC_RAN);
  sc_runner_close(runner);
}

static void test_reasons(void **state) {
  static const char *const events[] = {"NO_SUCH_EVENT", "", "PAPI_L1_DCM", "perf::TASK-CLOCK",
                                       "a name far longer than any event has, which must not overflow anything at all"};
  (void)state;
  sc_str list = {0};
  sc_counter_list(&list);
  for (size_t i = 0; i < SC_COUNT_OF(events); i++) {
    char reason[256] = "untouched", line[64];
    sc_counter_reason(events[i], reason, sizeof reason);
    assert_string_not_equal(reason, "untouched");
    if (i < 2 || i == 4) assert_true(reason[0] != '\0');
    if (reason[0] != '\0') assert_true(strlen(reason) > 5);
    snprintf(line, sizeof line, "%.40s ", events[i]);
    if (reason[0] == '\0') assert_non_null(strstr(sc_str_text(&list), line)); /* what can be had is listed */
    printf("%.40s: %s\n", events[i], reason[0] ? reason : "can be had");
    char tiny[4];
    sc_counter_reason(events[i], tiny, sizeof tiny);
    assert_in_range(strlen(tiny), 0, 3);
  }
  sc_str_free(&list);
}

static void test_values(void **state) {
  world *w = *state;
  sc_measured m;
  char reason[256];
  visit(w, NULL, 1, &m);
  assert_int_equal(m.counter_mask, 0);
  assert_string_equal(m.counters_missing, "");
  visit(w, "NO_SUCH_EVENT,,AND_NONE", 1, &m);
  assert_int_equal(m.counter_mask, 0);
  assert_int_equal(strncmp(m.counters_missing, "NO_SUCH_EVENT: ", 15), 0);
  assert_non_null(strstr(m.counters_missing, "\nAND_NONE: "));
  sc_counter_reason("perf::TASK-CLOCK", reason, sizeof reason);
  if (reason[0] != '\0') {
    print_message("no task clock here: %s\n", reason);
    skip();
  }
  for (int threads = 1; threads <= 2; threads++) {
    visit(w, "NO_SUCH_EVENT,perf::TASK-CLOCK", threads, &m);
    assert_int_equal(m.counter_mask, 2);
    assert_int_equal(strncmp(m.counters_missing, "NO_SUCH_EVENT: ", 15), 0);
    assert_null(strchr(m.counters_missing, '\n'));
    assert_string_equal(m.counter_name[0], "NO_SUCH_EVENT");
    assert_string_equal(m.counter_name[1], "perf::TASK-CLOCK");
    assert_true(m.counter[0] == 0);
    float least = m.pass.ns[0];
    for (int i = 1; i < SC_REPEATS; i++) least = m.pass.ns[i] < least ? m.pass.ns[i] : least;
    printf("%d threads: a call takes %.0f ns, the task clock counts %.0f\n", threads, (double)least, m.counter[1]);
    if (threads == 1) assert_true(m.counter[1] > 0.5 * (double)least && m.counter[1] < 5 * (double)least);
    else assert_true(m.counter[1] > 3e5); /* twenty products */
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_reasons), cmocka_unit_test(test_values)};
  return cmocka_run_group_tests(tests, world_open, world_close);
}
