/* Random legal schedules: operator interpreter = nest interpreter = compiled code, bit for bit on small integers, by
 * one, two and, where something is parallel, three threads. SC_RANDOM says how many schedules of each operator, SC_SEED
 * which, an argument which test alone; in a sanitizer build part of the generated code is sanitized too.
 * scripts/property.sh runs many. */
#include <math.h>

#include "tests/codegen/tasks.h"

static void check_interpreter(const sc_task *task, const sc_nest *nest, const reference *r) {
  void *buffers[SC_MAX_TENSORS];
  sc_error err = {0};
  new_buffers(task, buffers);
  copy_buffers(task, r->inputs, buffers);
  if (sc_run_nest(task, nest, buffers, 2, &err) != SC_OK) fail_msg("%s", err.text);
  for (int t = 0; t < task->ntensors; t++)
    assert_memory_equal(buffers[t], r->expected[t], (size_t)task->tensor[t].elems * 4);
  free_buffers(task, buffers);
}

/* Of ten batches one is optimised and, in a sanitizer build, one sanitized; of the others a third know only the oldest
 * vector instructions. */
static void check_batch(batch *b, uint64_t seed, int number) {
  static const char *const flags[] = {"-O2 -fno-tree-vectorize -march=native", ("-O0 -march=native" BATCH_SANITIZE)};
  const char *plain = number % 3 == 2 ? "-O0" : "-O0 -march=native";
  batch_compile(b, number % 10 < (int)SC_COUNT_OF(flags) ? flags[number % 10] : plain);
  for (int i = 0; i < b->count; i++) {
    reference r;
    make_reference(b->task[i], seed + (uint64_t)i, &r);
    check_interpreter(b->task[i], &b->nest[i], &r);
    int most = b->schedule[i].nparallel ? 3 : 2;
    for (int nt = 1; nt <= most; nt++) batch_check(b, i, nt, r.inputs, r.expected);
    free_buffers(b->task[i], r.inputs);
    free_buffers(b->task[i], r.expected);
  }
}

static void check_operator(const char *const *texts, int ntexts, uint64_t stream) {
  static const int lanes[] = {16, 8, 4, 1, 8, 16, 4, 2, 8, 16, 4, 32, 16, 8, 4, 64};
  enum { PER_BATCH = 12, PROGRESS = 50 /* batches */ };
  int wanted = number_of("SC_RANDOM", 60), drawn = 0, kernels = 0, parallel = 0, nbatches = 0;
  batch *b = malloc(sizeof *b);
  sc_rng rng;
  sc_rng_seed(&rng, (uint64_t)number_of("SC_SEED", 1), stream);
  while (drawn < wanted) {
    batch_begin(b);
    while (drawn < wanted && b->count < PER_BATCH) {
      const sc_task *task = task_of(texts[drawn % ntexts]);
      sc_schedule schedule;
      if (sc_schedule_random(task, &rng, lanes[drawn / ntexts % (int)SC_COUNT_OF(lanes)], "gcc", &schedule) != SC_OK)
        fail_msg("no schedule of %s", task->text);
      batch_add(b, task, &schedule);
      parallel += schedule.nparallel > 0;
      drawn++;
    }
    check_batch(b, (uint64_t)drawn, nbatches++);
    if (nbatches % PROGRESS == 0) print_message("%s: %d of %d\n", texts[0], drawn, wanted);
    kernels += b->nkernels;
    batch_end(b);
  }
  print_message("%s: %d random schedules (%d parallel), %d compiled kernels: interpreters and code agree\n", texts[0],
                drawn, parallel, kernels);
  free(b);
}

static void test_matmul(void **state) { check_operator(matmuls, SC_COUNT_OF(matmuls), 1); }
static void test_conv2d(void **state) { check_operator(convolutions, SC_COUNT_OF(convolutions), 2); }
static void test_sums(void **state) { check_operator(sums, SC_COUNT_OF(sums), 4); }
static void test_depthwise(void **state) { check_operator(depthwises, SC_COUNT_OF(depthwises), 3); }

/* min and max are instructions of their own on some targets: on NaN, infinities and both zeros they do what ?: does. */
static void test_special_values(void **state) {
  static const float special[] = {NAN, -0.0f, INFINITY, 0.0f, -INFINITY, 6.0f, -3.0f, 6.5f};
  static const char *const flags[] = {"-O2 -march=native", "-O2", "-O0 -march=native"};
  const sc_task *task = task_of("matmul:M=3,N=37,K=1,epilogue=relu6");
  batch *b = malloc(sizeof *b);
  sc_rng rng;
  sc_rng_seed(&rng, 1, 5);
  for (size_t f = 0; f < SC_COUNT_OF(flags); f++) {
    reference r;
    make_reference(task, 1, &r);
    float *a = r.inputs[task->access[1].tensor], *x = r.inputs[task->access[2].tensor];
    for (int64_t i = 0; i < task->tensor[task->access[1].tensor].elems; i++) a[i] = i % 2 ? 1.0f : -1.0f;
    for (int64_t i = 0; i < task->tensor[task->access[2].tensor].elems; i++) x[i] = special[i % 8];
    copy_buffers(task, r.inputs, r.expected);
    assert_int_equal(sc_run_operator(task, r.expected, NULL), SC_OK);
    batch_begin(b);
    for (int lanes = 1; lanes <= 32; lanes *= 2) {
      sc_schedule schedule;
      assert_int_equal(sc_schedule_random(task, &rng, lanes, "gcc", &schedule), SC_OK);
      batch_add(b, task, &schedule);
    }
    batch_compile(b, flags[f]);
    for (int i = 0; i < b->count; i++) batch_check(b, i, 1, r.inputs, r.expected);
    batch_end(b);
    free_buffers(task, r.inputs);
    free_buffers(task, r.expected);
  }
  free(b);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_matmul), cmocka_unit_test(test_conv2d),         cmocka_unit_test(test_depthwise),
      cmocka_unit_test(test_sums),   cmocka_unit_test(test_special_values),
  };
  if (argc > 1) cmocka_set_test_filter(argv[1]);
  return cmocka_run_group_tests(tests, batch_setup, batch_teardown);
}
