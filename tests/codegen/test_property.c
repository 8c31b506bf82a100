/* Random legal schedules: operator interpreter = nest interpreter = compiled code, bit for bit on small integers, by one
 * and two threads. SC_RANDOM says how many schedules of each operator; in a sanitizer build the generated code is
 * sanitized too. */
#include "tests/codegen/batch.h"

static sc_arena *arena;
static const sc_library *library;

static int setup(void **state) {
  sc_error err = {0};
  arena = sc_arena_new();
  if (!arena || sc_library_load(arena, NULL, &library, &err) != SC_OK) {
    fprintf(stderr, "%s: %s\n", err.where, err.text);
    return -1;
  }
  return 0;
}

static int teardown(void **state) {
  sc_arena_free(arena);
  return 0;
}

static const char *const matmuls[] = {
    "matmul:M=13,N=17,K=11",   "matmul:M=64,N=64,K=64", "matmul:M=1,N=100,K=7", "matmul:M=37,N=1,K=5",
    "matmul:B=3,M=9,N=20,K=4", "matmul:M=30,N=48,K=33", "matmul:M=5,N=5,K=1",   "matmul:M=32,N=33,K=96",
};
static const char *const convolutions[] = {
    "conv2d:H=9,W=9,C=3,K=16,R=3,S=3,pad=1",
    "conv2d:H=14,W=14,C=8,K=8,R=3,S=3,stride=2,pad=1",
    "conv2d:H=11,W=7,C=5,K=20,R=5,S=3,pad=2,epilogue=bias_relu",
    "conv2d:N=2,H=8,W=8,C=16,K=16,R=1,S=1,epilogue=relu",
    "conv2d:H=10,W=12,C=6,K=12,R=3,S=3,groups=3,pad=1,epilogue=bias",
    "conv2d:H=12,W=12,C=4,K=8,R=3,S=3,dil=2,pad=2,stride=2",
    "conv2d:H=8,W=8,C=8,K=8,R=3,S=3,pad=1,layout=NCHW",
    "conv2d:H=6,W=6,C=16,K=32,R=3,S=3,pad=1,layout=NCHWc16",
    "conv2d:H=7,W=9,C=12,K=20,R=3,S=3,pad=1,layout=NCHWc4,epilogue=bias_relu6",
    "conv2d:H=7,W=6,C=20,K=12,R=2,S=3,pad=1,layout=NCHWc8,weights=run,stride=2",
    "conv2d:H=5,W=5,C=7,K=9,R=5,S=5,pad=4",
    "conv2d:H=4,W=30,C=3,K=8,R=7,S=7,pad=3,stride=2,weights=run",
};
static const char *const depthwises[] = {
    "depthwise:H=9,W=9,C=16,R=3,S=3,pad=1",
    "depthwise:H=14,W=14,C=20,R=3,S=3,stride=2,pad=1",
    "depthwise:H=7,W=11,C=33,R=5,S=5,pad=2,epilogue=bias_relu6",
    "depthwise:H=12,W=12,C=8,R=3,S=3,pad=1,layout=NCHW",
    "depthwise:H=10,W=6,C=32,R=3,S=3,pad=1,layout=NCHWc16,epilogue=relu",
    "depthwise:N=2,H=6,W=8,C=24,R=3,S=3,dil=2,pad=2,weights=run",
    "depthwise:H=5,W=5,C=64,R=5,S=5,pad=4",
    "depthwise:H=16,W=9,C=12,R=1,S=3,layout=NCHWc4,stride=2",
};

static int random_count(void) {
  const char *text = getenv("SC_RANDOM");
  int n = text ? atoi(text) : 240;
  return n > 0 ? n : 1;
}

typedef struct reference {
  void *inputs[SC_MAX_TENSORS], *expected[SC_MAX_TENSORS];
} reference;

static void copy_buffers(const sc_task *task, void *const *from, void **to) {
  for (int t = 0; t < task->ntensors; t++) memcpy(to[t], from[t], (size_t)task->tensor[t].elems * 4);
}

static void new_buffers(const sc_task *task, void **buffers) {
  for (int t = 0; t < task->ntensors; t++) {
    buffers[t] = malloc((size_t)task->tensor[t].elems * 4);
    assert_non_null(buffers[t]);
  }
}

static void free_buffers(const sc_task *task, void **buffers) {
  for (int t = 0; t < task->ntensors; t++) free(buffers[t]);
}

static void make_reference(const sc_task *task, uint64_t seed, reference *r) {
  new_buffers(task, r->inputs);
  new_buffers(task, r->expected);
  sc_fill_buffers(task, r->inputs, seed);
  copy_buffers(task, r->inputs, r->expected);
  assert_int_equal(sc_run_operator(task, r->expected, NULL), SC_OK);
}

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

/* Most batches unoptimised, as that compiles three times as fast. */
static void check_batch(batch *b, uint64_t seed, bool optimised) {
  batch_compile(b, optimised ? "-O2 -fno-tree-vectorize -march=native" : "-O0 -march=native");
  for (int i = 0; i < b->count; i++) {
    reference r;
    make_reference(b->task[i], seed + (uint64_t)i, &r);
    check_interpreter(b->task[i], &b->nest[i], &r);
    for (int nt = 1; nt <= 2; nt++) batch_check(b, i, nt, r.inputs, r.expected);
    free_buffers(b->task[i], r.inputs);
    free_buffers(b->task[i], r.expected);
  }
}

static void check_operator(const char *const *texts, int ntexts, uint64_t stream) {
  static const int lanes[] = {16, 8, 4, 1};
  enum { PER_BATCH = 60 };
  int wanted = random_count(), drawn = 0, kernels = 0, parallel = 0, nbatches = 0;
  batch *b = malloc(sizeof *b);
  sc_rng rng;
  sc_rng_seed(&rng, 20260101, stream);
  while (drawn < wanted) {
    batch_begin(b);
    while (drawn < wanted && b->count < PER_BATCH) {
      const sc_task *task;
      sc_schedule schedule;
      sc_error err = {0};
      if (sc_task_parse(arena, library, texts[drawn % ntexts], &task, &err) != SC_OK)
        fail_msg("%s: %s", texts[drawn % ntexts], err.text);
      if (sc_schedule_random(task, &rng, lanes[drawn / ntexts % 4], "gcc", &schedule) != SC_OK)
        fail_msg("no schedule of %s", task->text);
      batch_add(b, task, &schedule);
      parallel += schedule.nparallel > 0;
      drawn++;
    }
    check_batch(b, (uint64_t)drawn, nbatches++ % 4 == 0);
    kernels += b->nkernels;
    batch_end(b);
  }
  print_message("%s: %d random schedules (%d parallel), %d compiled kernels: interpreters and code agree\n", texts[0],
                drawn, parallel, kernels);
  free(b);
}

static void test_matmul(void **state) { check_operator(matmuls, SC_COUNT_OF(matmuls), 1); }
static void test_conv2d(void **state) { check_operator(convolutions, SC_COUNT_OF(convolutions), 2); }
static void test_depthwise(void **state) { check_operator(depthwises, SC_COUNT_OF(depthwises), 3); }

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_matmul),
      cmocka_unit_test(test_conv2d),
      cmocka_unit_test(test_depthwise),
  };
  return cmocka_run_group_tests(tests, setup, teardown);
}
