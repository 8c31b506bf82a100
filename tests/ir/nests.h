/* What the tests of schedules and nests share: the tasks of the property tests, and the check that a nest means what
 * its operator means. */
#ifndef TESTS_IR_NESTS_H
#define TESTS_IR_NESTS_H

#include "tests/ir/random_schedule.h"
#include "tests/ir/tasks.h"

/* The operators that exist only for tests, tests/cases/operators. */
static const sc_library *test_library;

static inline int load_libraries(void **state) {
  const char *root = getenv("SC_SOURCE_DIR");
  char folder[4096];
  sc_error err = {0};
  if (load_library(state) != 0) return -1;
  snprintf(folder, sizeof folder, "%s/tests/cases/operators", root ? root : ".");
  if (sc_library_load(arena, folder, &test_library, &err) == SC_OK) return 0;
  fprintf(stderr, "%s: %s\n", err.where, err.text);
  return -1;
}

/* A task of either library. */
static inline const sc_task *any_task(const char *text) {
  const sc_task *task = NULL;
  if (sc_task_parse(arena, test_library, text, &task, NULL) == SC_OK) return task;
  return task_of(text);
}

/* Small, odd and each with something of its own; the name is for the report. */
static const struct {
  const char *name, *task;
} property_tasks[] = {
    {"matmul", "matmul:M=13,N=22,K=9"},
    {"matmul, batch and bias", "matmul:B=3,M=5,N=12,K=7,epilogue=bias_relu"},
    {"matmul, weights at run time", "matmul:M=7,N=19,K=12,weights=run"},
    {"matmul, u8", "matmul:M=7,N=10,K=6,type=u8"},
    {"conv2d 3x3, padded", "conv2d:H=6,W=7,C=3,K=6,R=3,S=3,pad=1"},
    {"conv2d 1x1", "conv2d:H=4,W=4,C=6,K=8,R=1,S=1"},
    {"conv2d 3x3, stride 2", "conv2d:H=9,W=8,C=2,K=5,R=3,S=3,pad=1,stride=2"},
    {"conv2d 7x7, deep padding", "conv2d:H=7,W=6,C=1,K=4,R=7,S=5,pad_top=3,pad_left=2"},
    {"conv2d 3x2, dilated", "conv2d:H=8,W=7,C=2,K=4,R=3,S=2,pad=2,dil=2"},
    {"conv2d, dilated wider than the image", "conv2d:H=2,W=3,C=2,K=3,R=3,S=3,pad=3,dil=3"},
    {"conv2d, groups, run time", "conv2d:H=5,W=4,C=6,K=8,R=2,S=3,pad=1,groups=2,weights=run,epilogue=bias"},
    {"conv2d NCHW, epilogue", "conv2d:H=5,W=8,C=3,K=4,R=3,S=3,pad=1,layout=NCHW,epilogue=bias_relu6"},
    {"conv2d NCHWc4", "conv2d:H=4,W=5,C=8,K=12,R=3,S=2,pad=1,layout=NCHWc4"},
    {"conv2d NCHWc8, odd channels", "conv2d:H=4,W=3,C=5,K=13,R=2,S=2,pad=1,layout=NCHWc8"},
    {"conv2d i8", "conv2d:H=4,W=5,C=3,K=6,R=3,S=3,pad=1,type=i8,epilogue=relu"},
    {"conv2d f16", "conv2d:H=4,W=5,C=3,K=6,R=3,S=2,pad=1,type=f16"},
    {"depthwise 3x3", "depthwise:H=7,W=6,C=9,R=3,S=3,pad=1"},
    {"depthwise 5x5, stride 2", "depthwise:H=8,W=9,C=6,R=5,S=5,pad=2,stride=2,epilogue=bias"},
    {"depthwise NCHWc4", "depthwise:H=5,W=6,C=12,R=3,S=3,pad=1,layout=NCHWc4"},
    {"an axis padded without taps, inout", "shift:M=11,N=9,K=5,by=3"},
    {"two factors padded along one dim", "correlate:L=11,K=6,R=5,pad=2"},
    {"the same, stride 2", "correlate:L=12,K=4,R=3,pad=1,stride=2"},
    {"one tensor read twice", "gram:M=13,K=6"},
    {"u8 from sums of i32", "quant:M=9,N=14,K=8"},
    {"rows in blocks, inout", "rows:H=13,C=6,R=1"},
    {"rows in blocks, padded", "rows:H=11,C=5,R=3,pad=1"},
    {"rows in blocks, stride 4", "rows:H=21,C=4,R=1,stride=4"},
    {"seven dims, three reductions", "contract:A=3,B=2,C=4,D=6,X=2,Y=3,Z=5"},
};

/* A task with its inputs, and what the operator interpreter makes of them. */
typedef struct check {
  const sc_task *task;
  void *expected[SC_MAX_TENSORS], *buffers[SC_MAX_TENSORS];
} check;

static inline size_t tensor_bytes(const sc_task *task, int t) {
  return (size_t)task->tensor[t].elems * sc_type_bytes(task->tensor[t].type);
}

static inline void check_init(check *c, const sc_task *task, uint64_t seed) {
  sc_error err = {0};
  c->task = task;
  buffers_new(task, c->expected);
  buffers_new(task, c->buffers);
  sc_fill_buffers(task, c->expected, seed);
  sc_fill_buffers(task, c->buffers, seed);
  if (sc_run_operator(task, c->expected, &err) != SC_OK) fail_msg("%s: %s", task->text, err.text);
}

static inline void check_free(check *c) {
  buffers_free(c->task, c->expected);
  buffers_free(c->task, c->buffers);
}

typedef sc_status run_nest(const sc_task *task, const sc_nest *nest, void *const *buffers, int nthreads, sc_error *err);

/* Does the nest do what the operator does, bit for bit, every address inside? The reason goes to err. */
static inline bool check_nest(check *c, const sc_nest *nest, uint64_t seed, int nthreads, run_nest *execute,
                              sc_error *err) {
  const sc_task *task = c->task;
  sc_fill_buffers(task, c->buffers, seed);
  if (execute(task, nest, c->buffers, nthreads, err) != SC_OK) return false;
  for (int t = 0; t < task->ntensors; t++) {
    if (memcmp(c->buffers[t], c->expected[t], tensor_bytes(task, t)) == 0) continue;
    sc_fail(err, SC_MISMATCH, "tensor %s differs", task->tensor[t].name);
    return false;
  }
  return true;
}

#endif
