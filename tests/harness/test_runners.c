/* Generated code through the whole harness, on the host and under qemu-user: random schedules of all operators are
 * right between guard pages, with one thread and with two. */
#include "common.h"

enum { PER_TASK = 4 };

static const char *const texts[] = {
    "matmul:M=13,N=18,K=11,epilogue=bias_relu",
    "conv2d:H=8,W=7,C=5,K=6,R=3,S=3,pad=1,stride=2",
    "conv2d:H=6,W=6,C=8,K=8,R=3,S=3,pad=1,layout=NCHWc4",
    "depthwise:H=7,W=9,C=6,R=3,S=3,pad=1",
};
enum { ALL = SC_COUNT_OF(texts) * PER_TASK };

static void run_all(world *w, const sc_machine *machine, uint64_t seed) {
  const sc_task *task[ALL];
  sc_nest *nest = calloc(ALL, sizeof *nest);
  sc_built *built = calloc(ALL, sizeof *built);
  sc_schedule *schedule = calloc(ALL, sizeof *schedule);
  sc_store *store;
  sc_runner *runner;
  sc_rng rng;
  int parallel = 0;
  sc_rng_seed(&rng, seed, 0);
  for (int i = 0; i < ALL; i++) {
    task[i] = task_make(w, texts[i / PER_TASK]);
    schedule_draw(task[i], &rng, &schedule[i], &nest[i]);
  }
  ok(sc_store_open(NULL, &store, err));
  ok(sc_build(store, machine, task, nest, ALL, built, err));
  ok(sc_runner_open(machine, &runner, err));
  for (int i = 0; i < ALL; i++) {
    sc_measured m;
    sc_measure_options options = {.threads = 2, .batch_s = 1e-5, .timeout_s = 60, .seed = seed};
    parallel += sc_nest_threads(runner, &nest[i], &options) > 1;
    ok(sc_measure(runner, task[i], &nest[i], &built[i], &options, &m, err));
    if (m.outcome == SC_RAN) continue;
    sc_str text = {0};
    sc_schedule_print(task[i], &schedule[i], &text);
    fail_msg("%s, %s: %s %s", task[i]->text, sc_str_text(&text), sc_outcome_name(m.outcome), m.failure);
  }
  printf("%d schedules on %s (%s), %d of them parallel\n", ALL, machine->name, sc_runner_numbers(runner), parallel);
  sc_runner_close(runner);
  sc_store_close(store);
  free(schedule);
  free(nest);
  free(built);
}

static void test_local(void **state) {
  world *w = *state;
  for (uint64_t seed = 1; seed <= 2; seed++) run_all(w, &w->machine, seed);
}

static void test_qemu(void **state) {
  world *w = *state;
  if (access("/usr/bin/qemu-aarch64", X_OK) != 0 || access("/usr/bin/aarch64-linux-gnu-gcc", X_OK) != 0) {
    print_message("no qemu-aarch64 or no aarch64-linux-gnu-gcc here\n");
    skip();
  }
  char path[512];
  sc_machine arm;
  sc_data_dir(path, sizeof path);
  strncat(path, "/machines/cortex-a72.machine", sizeof path - strlen(path) - 1);
  ok(sc_machine_load(path, &arm, err));
  run_all(w, &arm, 3);
}

/* A wrong kernel is wrong there, too. */
static void test_qemu_outcomes(void **state) {
  world *w = *state;
  if (access("/usr/bin/qemu-aarch64", X_OK) != 0 || access("/usr/bin/aarch64-linux-gnu-gcc", X_OK) != 0) skip();
  static const struct {
    const char *statement;
    sc_outcome outcome;
  } cases[] = {{";", SC_WRONG_RESULT}, {"c[12] = 1;", SC_CRASHED}, {"for (;;) ;", SC_TIMED_OUT}};
  char path[512], source[1024];
  sc_machine arm;
  sc_runner *runner;
  sc_data_dir(path, sizeof path);
  strncat(path, "/machines/cortex-a72.machine", sizeof path - strlen(path) - 1);
  ok(sc_machine_load(path, &arm, err));
  ok(sc_runner_open(&arm, &runner, err));
  const sc_task *task = task_make(w, "matmul:M=3,N=4,K=5");
  for (size_t i = 0; i < SC_COUNT_OF(cases); i++) {
    sc_store *store;
    sc_built built = {.outcome = SC_RAN, .prefix = "f"};
    sc_unit unit = {.source = source};
    char failure[256];
    const char *linker, *object = unit.object;
    sc_measured m;
    unit.len = (size_t)snprintf(
        source, sizeof source,
        "__SIZE_TYPE__ f_ahead_bytes(void) { return 0; } void f_ahead(void *const *t, void *a) {}\n"
        "__SIZE_TYPE__ f_scratch_bytes(int nt) { return 0; }\nvoid f_run(void *const *t, const void *a,"
        " void *s, int i, int n, void (*b)(void *), void *x) { volatile float *c = t[2]; %s }\n",
        cases[i].statement);
    snprintf(unit.object, sizeof unit.object, "%s/arm.o", w->folder);
    snprintf(built.path, sizeof built.path, "%s/arm%zu.so", w->folder, i);
    ok(sc_store_open(NULL, &store, err));
    ok(sc_compile_units(sc_store_work(store), &arm.compiler[0], "", &unit, 1, err));
    assert_string_equal(unit.failure, "");
    ok(sc_store_linker(store, &arm.compiler[0], &linker, err));
    ok(sc_link(linker, &object, 1, built.path, failure, err));
    assert_string_equal(failure, "");
    ok(sc_visit(runner, task, &built, 1, SC_CHECK_GUARDED, &(sc_measure_options){.timeout_s = 1, .batch_s = 1e-5}, &m,
                err));
    if (m.outcome != cases[i].outcome) fail_msg("%s: %s %s", cases[i].statement, sc_outcome_name(m.outcome), m.failure);
    sc_store_close(store);
  }
  sc_runner_close(runner);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_local), cmocka_unit_test(test_qemu),
                                     cmocka_unit_test(test_qemu_outcomes)};
  return cmocka_run_group_tests(tests, world_open, world_close);
}
