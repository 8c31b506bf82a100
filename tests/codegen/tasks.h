/* Tasks with odd sizes for random schedules, and what they compute. */
#ifndef TESTS_CODEGEN_TASKS_H
#define TESTS_CODEGEN_TASKS_H

#include "tests/codegen/batch.h"
#include "tests/ir/random_schedule.h"

static sc_arena *arena;
static const sc_library *library, *own_operators;

static inline int batch_setup(void **state) {
  sc_error err = {0};
  char folder[4096];
  snprintf(folder, sizeof folder, "%s/tests/codegen/operators",
           getenv("SC_SOURCE_DIR") ? getenv("SC_SOURCE_DIR") : ".");
  arena = sc_arena_new();
  if (!arena || sc_library_load(arena, NULL, &library, &err) != SC_OK ||
      sc_library_load(arena, folder, &own_operators, &err) != SC_OK) {
    fprintf(stderr, "%s: %s\n", err.where, err.text);
    return -1;
  }
  return 0;
}

static inline int batch_teardown(void **state) {
  sc_arena_free(arena);
  return 0;
}

static inline const sc_task *task_of(const char *text) {
  const sc_task *task = NULL;
  sc_error err = {0};
  if (sc_task_parse(arena, library, text, &task, NULL) != SC_OK &&
      sc_task_parse(arena, own_operators, text, &task, &err) != SC_OK)
    fail_msg("%s: %s", text, err.text);
  return task;
}

static const char *const matmuls[] = {
    "matmul:M=13,N=17,K=11",
    "matmul:M=64,N=64,K=64,weights=run",
    "matmul:M=1,N=100,K=7",
    "matmul:M=37,N=1,K=5,layout=NK",
    "matmul:B=3,M=9,N=20,K=4,epilogue=bias_relu",
    "matmul:M=30,N=48,K=33,weights=run,layout=NK",
    "matmul:M=5,N=5,K=1",
    "matmul:M=32,N=33,K=96,epilogue=bias",
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

/* Of the operators beside this file. */
static const char *const sums[] = {
    "gemm_add:M=17,N=40,K=24",
    "gemm_add:M=8,N=33,K=16,epilogue=difference",
    "gemm_add:M=40,N=7,K=9",
};

/* A number from the environment. */
static inline int number_of(const char *name, int otherwise) {
  const char *text = getenv(name);
  int n = text ? atoi(text) : otherwise;
  return n > 0 ? n : 1;
}

typedef struct reference {
  void *inputs[SC_MAX_TENSORS], *expected[SC_MAX_TENSORS];
} reference;

static inline void copy_buffers(const sc_task *task, void *const *from, void **to) {
  for (int t = 0; t < task->ntensors; t++) memcpy(to[t], from[t], (size_t)task->tensor[t].elems * 4);
}

static inline void new_buffers(const sc_task *task, void **buffers) {
  for (int t = 0; t < task->ntensors; t++) {
    buffers[t] = malloc((size_t)task->tensor[t].elems * 4);
    assert_non_null(buffers[t]);
  }
}

static inline void free_buffers(const sc_task *task, void **buffers) {
  for (int t = 0; t < task->ntensors; t++) free(buffers[t]);
}

static inline void make_reference(const sc_task *task, uint64_t seed, reference *r) {
  new_buffers(task, r->inputs);
  new_buffers(task, r->expected);
  sc_fill_buffers(task, r->inputs, seed);
  copy_buffers(task, r->inputs, r->expected);
  assert_int_equal(sc_run_operator(task, r->expected, NULL), SC_OK);
}

#endif
