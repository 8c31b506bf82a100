/* What goes wrong only with numbers, on operators made for it: each message and where in the task's text it points. */
#include "tests/ir/tasks.h"

static const struct {
  const char *op, *task;
  sc_status status;
  int column;
  const char *message;
} cases[] = {
    {"op mismatch\n size A B\n in X[A]\n in Y[B]\n out R[A]\n R[i] += X[i] * Y[i]\n", "mismatch:A=2,B=3", SC_ILLEGAL, 1,
     "axis 0 of 'Y' has 3 elements, and dim 'i' that walks it 2"},
    {"op mixed\n size A\n in X[A] f32\n in Y[A] i8\n out R[A]\n R[i] += X[i] * Y[i]\n", "mixed:A=2", SC_ILLEGAL, 1,
     "'X' is f32 and 'Y' is i8: floats and integers do not mix"},
    {"op half\n size A\n in X[A] u8\n out R[A] i32\n R[i] += X[i] * X[i]\n R[i] = max(R[i], 0.5)\n", "half:A=2",
     SC_ILLEGAL, 1, "the result 'R' is i32: 0.5 is no such integer"},
    {"op large\n size A\n in X[A] u8\n out R[A] i32\n R[i] += X[i] * X[i]\n R[i] = max(R[i], 3e9)\n", "large:A=2",
     SC_ILLEGAL, 1, "the result 'R' is i32: 3e+09 is no such integer"},
    {"op edge\n size A B\n in X[B]\n in Y[A, B]\n out R[A]\n R[i] += X[r - 1] * Y[i, r]\n", "edge:A=2,B=3",
     SC_UNSUPPORTED, 1, "axis 0 of 'X' is read outside by no free dim"},
    {"op zero\n size A\n number z=0\n let P = A/z\n in X[P]\n out R[P]\n R[i] += X[i] * X[i]\n", "zero:A=2", SC_ILLEGAL,
     6, "P = A/z cannot be computed: a division by zero or an overflow"},
    {"op axis\n size A\n in X[A - 3]\n out R[A - 3]\n R[i] += X[i] * X[i]\n", "axis:A=2", SC_ILLEGAL, 1,
     "the size of 'i' is -1, expected 1 to 1073741824"},
    {"op deep\n size A B=A\n let P = B - 2\n let Q = P*1\n in X[Q]\n out R[Q]\n R[i] += X[i] * X[i]\n", "deep:A=2",
     SC_ILLEGAL, 6, "P = B - 2 is 0, expected 1 to 1073741824"},
    {"op least\n size A\n number z=A - 5\n in X[A]\n out R[A]\n R[i] += X[i] * X[i]\n", "least:A=2", SC_ILLEGAL, 7,
     "z = A - 5 is -3, expected 0 to 1073741824"},
    {"op ordered\n size A B\n require A <= B\n require B/(A - 1) >= 1\n in X[A]\n out R[A]\n R[i] += X[i] * X[i]\n",
     "ordered:B=2,A=3", SC_ILLEGAL, 13, "operator ordered needs A <= B, and the left side is 3, the right 2"},
    {"op divided\n size A B\n require B/(A - 1) >= 1\n in X[A]\n out R[A]\n R[i] += X[i] * X[i]\n", "divided:B=2,A=1",
     SC_ILLEGAL, 9, "B/(A - 1) >= 1 cannot be computed: a division by zero or an overflow"},
    {"op tensors\n size A\n in X[A]\n in Y[A]\n in T[A]\n in U[A]\n in V[A]\n in W[A]\n out R[A]\n R[i] += X[i] * "
     "Y[i]\n"
     " R[i] += T[i] + U[i] + V[i] + W[i]\n",
     "tensors:A=2", SC_LIMIT, 1, "a task has at most 6 tensors"},
    {"op accesses\n size A\n in X[A, A]\n in T[A, A]\n in U[A, A]\n in V[A, A]\n out R[A, A]\n R[i, j] += X[i, j] * "
     "X[j, i]\n"
     " R[i, j] += T[i, j] + T[j, i] + U[i, j] + U[j, i]\n R[i, j] += V[i, j] + V[j, i]\n",
     "accesses:A=2", SC_LIMIT, 1, "a task has at most 8 accesses"},
    {"op pads\n size A\n in X[A, A, A, A, A]\n in Y[A]\n out R[A, A, A, A, A]\n"
     " R[i, j, k, l, m] += X[i - 1, j - 1, k - 1, l - 1, m - 1] * Y[i]\n",
     "pads:A=2", SC_LIMIT, 1, "a task has at most 4 padded axes"},
    {"op many\n size A\n in X[A]\n out R[A]\n R[i] += X[i] * X[i]\n R[i] += 1\n R[i] += 1\n R[i] += 1\n", "many:A=2",
     SC_LIMIT, 1, "a task has at most 3 statements of at most 12 values and operations"},
};

static void test_cases(void **state) {
  for (size_t i = 0; i < SC_COUNT_OF(cases); i++) {
    const sc_library *own = library_of(&cases[i].op, 1);
    const sc_task *task;
    sc_error err = {0};
    sc_status status = sc_task_parse(arena, own, cases[i].task, &task, &err);
    if (status != cases[i].status || err.column != cases[i].column || strcmp(err.text, cases[i].message) != 0)
      fail_msg("%s: %s at %d: %s", cases[i].task, sc_status_name(status), err.column, err.text);
    assert_string_equal(err.source, cases[i].task);
  }
}

/* Thirty defaults, each from the one before twelve times: the place to blame is found without walking 12^30 paths. */
static void test_chain_of_defaults(void **state) {
  sc_str text = {0};
  sc_str_add(&text, "op chain\n size A P0=1\n");
  for (int i = 1; i < 29; i++) {
    sc_str_printf(&text, " let P%d = P%d", i, i - 1);
    for (int k = 1; k < 12; k++) sc_str_printf(&text, "*P%d", i - 1);
    sc_str_add(&text, "\n");
  }
  sc_str_add(&text, " let Q = P28 - 1\n in X[A]\n out R[A]\n R[i] += X[i] * X[i]\n");
  const sc_library *own = library_of((const char *const *)&text.text, 1);
  const sc_task *task;
  sc_error err = {0};
  assert_int_equal(sc_task_parse(arena, own, "chain:A=2", &task, &err), SC_ILLEGAL);
  assert_int_equal(err.column, 1); /* none of the values given: the operator */
  assert_int_equal(sc_task_parse(arena, own, "chain:A=2,P0=2", &task, &err), SC_ILLEGAL);
  assert_int_equal(err.column, 11);
  sc_str_free(&text);
}

/* ---- libraries ---- */

static void test_libraries(void **state) {
  const sc_library *own = NULL;
  sc_error err = {0};
  assert_int_equal(sc_library_load(arena, "/nonexistent", &own, &err), SC_IO);
  const char *const text = "op one\n size A\n in X[A]\n out R[A]\n R[i] += X[i] * X[i]\n", *const twice[] = {text,
                                                                                                             text};
  const char *const broken[] = {text, "op two\n"};
  char folder[] = "/tmp/schedcast-test-XXXXXX";
  assert_non_null(mkdtemp(folder));
  assert_int_equal(sc_library_load(arena, folder, &own, &err), SC_OK); /* an empty one */
  assert_int_equal(sc_library_count(own), 0);
  write_operators(folder, twice, 2);
  assert_int_equal(sc_library_load(arena, folder, &own, &err), SC_PARSE);
  assert_non_null(strstr(err.text, "operator 'one' stands in another file too"));
  write_operators(folder, broken, 2);
  assert_int_equal(sc_library_load(arena, folder, &own, &err), SC_PARSE);
  assert_non_null(strstr(err.where, "/1.op"));
  assert_int_equal(err.line, 2);
  remove_operators(folder, 2);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_cases), cmocka_unit_test(test_chain_of_defaults),
                                     cmocka_unit_test(test_libraries)};
  return cmocka_run_group_tests(tests, load_library, free_library);
}
