/* The plain loops that large tasks are checked with say what the operator interpreter says, on every operator of the
 * library, in odd sizes; and a data file holds what it should. */
#include "common.h"

#include <dlfcn.h>
#include <fcntl.h>

typedef struct buffers {
  void *at[SC_MAX_TENSORS];
  size_t bytes[SC_MAX_TENSORS];
} buffers;

static void buffers_make(const sc_task *task, uint64_t seed, buffers *b) {
  for (int t = 0; t < task->ntensors; t++) {
    b->bytes[t] = (size_t)task->tensor[t].elems * sc_type_bytes(task->tensor[t].type);
    b->at[t] = malloc(b->bytes[t]);
    assert_non_null(b->at[t]);
  }
  sc_fill_buffers(task, b->at, seed);
}

static void buffers_free(const sc_task *task, buffers *b) {
  for (int t = 0; t < task->ntensors; t++) free(b->at[t]);
}

/* Equal as values, or both NaN: where the interpreter has -0 the loops may have 0. */
static bool same(const sc_task *task, int t, const buffers *a, const buffers *b) {
  const float *x = a->at[t], *y = b->at[t];
  for (size_t i = 0; i < (size_t)task->tensor[t].elems; i++)
    if (!(x[i] == y[i] || (x[i] != x[i] && y[i] != y[i]))) return false;
  return true;
}

static void run_emitted(world *w, const sc_task *task, int number, buffers *b) {
  char name[32];
  sc_str source = {0};
  sc_built built;
  ok(sc_emit_reference(task, &source, err));
  snprintf(name, sizeof name, "reference%d", number);
  object_make(w, name, sc_str_text(&source), "-O2 -Wall", &built);
  void *handle = dlopen(built.path, RTLD_NOW | RTLD_LOCAL);
  assert_non_null(handle);
  void (*loops)(void *const *) = (void (*)(void *const *))dlsym(handle, "sc_reference");
  assert_non_null(loops);
  loops(b->at);
  dlclose(handle);
  sc_str_free(&source);
}

static const char *const texts[] = {
    "matmul:M=1,N=1,K=1",
    "matmul:M=7,N=13,K=29",
    "matmul:B=3,M=4,N=9,K=5,epilogue=bias_relu",
    "matmul:M=17,N=1,K=8,type=i8",
    "conv2d:H=7,W=9,C=5,K=6,R=3,S=3,pad=1",
    "conv2d:N=2,H=8,W=8,C=4,K=3,R=3,S=2,pad=2,stride=2,epilogue=relu6",
    "conv2d:H=9,W=7,C=4,K=8,R=1,S=1,layout=NCHW,epilogue=bias",
    "conv2d:H=6,W=6,C=6,K=9,R=3,S=3,pad=1,groups=3,layout=NCHWc4,epilogue=bias_relu6",
    "conv2d:H=12,W=5,C=3,K=5,R=3,S=3,pad=2,dil=2,layout=NCHWc8",
    "depthwise:H=9,W=8,C=7,R=3,S=3,pad=1,stride=2",
    "depthwise:H=5,W=5,C=10,R=5,S=5,pad=2,layout=NCHWc4,epilogue=relu",
    "depthwise:H=5,W=6,C=3,R=3,S=3,layout=NCHW",
};

static void check(world *w, const char *text, int number) {
  const sc_task *task = NULL;
  sc_error why = {0};
  sc_str source = {0};
  if (sc_task_parse(w->arena, w->library, text, &task, &why) != SC_OK) fail_msg("%s: %s", text, why.text);
  sc_status status = sc_emit_reference(task, &source, &why);
  sc_str_free(&source);
  if (status == SC_UNSUPPORTED) return;
  buffers a, b;
  buffers_make(task, 5, &a);
  buffers_make(task, 5, &b);
  ok(sc_run_operator(task, a.at, err));
  run_emitted(w, task, number, &b);
  for (int t = 0; t < task->ntensors; t++)
    if (!same(task, t, &a, &b)) fail_msg("%s: tensor %s differs", text, task->tensor[t].name);
  buffers_free(task, &a);
  buffers_free(task, &b);
}

static void test_loops_against_interpreter(void **state) {
  world *w = *state;
  int n = 0;
  for (size_t i = 0; i < SC_COUNT_OF(texts); i++) check(w, texts[i], n++);
}

/* Large tasks take the loops, small ones the interpreter: the caller cannot tell. */
static void test_both_ways(void **state) {
  world *w = *state;
  sc_folder work;
  ok(sc_folder_make(&work, err));
  const sc_task *task = task_make(w, "matmul:M=200,N=201,K=202");
  assert_true(task->flop > 1e7);
  buffers a, b;
  buffers_make(task, 9, &a);
  buffers_make(task, 9, &b);
  ok(sc_run_operator(task, a.at, err));
  ok(sc_run_reference(&work, task, b.at, err));
  for (int t = 0; t < task->ntensors; t++) assert_true(same(task, t, &a, &b));
  buffers_free(task, &a);
  buffers_free(task, &b);
  sc_folder_remove(&work);
}

static void test_data_file(void **state) {
  world *w = *state;
  sc_folder work;
  ok(sc_folder_make(&work, err));
  const sc_task *task = task_make(w, "matmul:M=6,N=5,K=4");
  sc_references *references = sc_references_new();
  sc_wire_request first = {0}, again = {0}, other = {0};
  ok(sc_references_get(references, &work, task, 3, &first, err));
  ok(sc_references_get(references, &work, task, 3, &again, err));
  ok(sc_references_get(references, &work, task, 4, &other, err));
  assert_string_equal(first.data, again.data);
  assert_string_not_equal(first.data, other.data);
  buffers b;
  buffers_make(task, 3, &b);
  char *text;
  size_t len, end = 0;
  ok(sc_file_read(w->arena, first.data, 1 << 20, &text, &len, err));
  assert_int_equal(first.ntensors, task->ntensors);
  for (int t = 0; t < task->ntensors; t++) {
    const sc_wire_tensor *tensor = &first.tensor[t];
    assert_string_equal(tensor->name, task->tensor[t].name);
    assert_int_equal(tensor->written, task->tensor[t].role != SC_IN);
    assert_int_equal(tensor->bytes, b.bytes[t]);
    assert_memory_equal(text + tensor->before, b.at[t], b.bytes[t]);
    if (tensor->after + tensor->bytes * tensor->written > end) end = tensor->after + tensor->bytes * tensor->written;
  }
  assert_int_equal(len, end);
  ok(sc_run_operator(task, b.at, err));
  for (int t = 0; t < task->ntensors; t++)
    if (first.tensor[t].written) assert_memory_equal(text + first.tensor[t].after, b.at[t], b.bytes[t]);
  buffers_free(task, &b);
  sc_references_free(references);
  sc_folder_remove(&work);
  assert_int_equal(access(first.data, F_OK), -1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_loops_against_interpreter),
      cmocka_unit_test(test_both_ways),
      cmocka_unit_test(test_data_file),
  };
  return cmocka_run_group_tests(tests, world_open, world_close);
}
