/* What stands in the generated text: every choice of a schedule is visible in it, argument lists, errors, and a file
 * that stands alone. */
#include "codegen/internal.h"
#include "tests/codegen/tasks.h"

/* The plan of a kernel once more, with a hash under which all values collide. */
#define sc_plan_kernel colliding_plan_kernel
#define sc_plan_offset colliding_plan_offset
sc_status sc_plan_kernel(emitter *e, sc_error *err);
offset sc_plan_offset(const sc_kernel *kernel, const sc_operand *operand, const coord *at);
#define sc_hash64(data, size, seed) ((void)(data), (void)(seed), (uint64_t)0)
#include "codegen/plan.c" /* NOLINT(bugprone-suspicious-include) */
#undef sc_hash64
#undef sc_plan_offset
#undef sc_plan_kernel

static void lower(const sc_task *task, const char *text, sc_schedule *schedule, sc_nest *nest) {
  sc_error err = {0};
  if (sc_schedule_parse(task, "test", text, schedule, &err) != SC_OK) fail_msg("%s: %s", text, err.text);
  if (sc_lower(task, schedule, nest, &err) != SC_OK) fail_msg("%s: %s", text, err.text);
}

/* The self-contained file of a schedule; the caller frees it. */
static char *emit(const char *task_text, const char *schedule_text) {
  const sc_task *task = task_of(task_text);
  sc_schedule schedule;
  sc_nest nest;
  sc_str out = {0};
  sc_error err = {0};
  lower(task, schedule_text, &schedule, &nest);
  if (sc_emit_c(task, &schedule, &nest, NULL, "f", NULL, &out, &err) != SC_OK) fail_msg("%s", err.text);
  return out.text;
}

static int count(const char *text, const char *word) {
  int n = 0;
  for (const char *s = text; (s = strstr(s, word)); s += strlen(word)) n++;
  return n;
}

/* Multiply-adds written out in the kernels. */
static int products(const char *text) { return count(text, " += v"); }

/* What the text of one schedule has and that of the other has not. */
static void check_visible(const char *task, const char *with, const char *without, const char *word) {
  char *a = emit(task, with), *b = emit(task, without);
  if (!strstr(a, word)) fail_msg("'%s' is missing under %s", word, with);
  if (strstr(b, word)) fail_msg("'%s' stands there under %s", word, without);
  free(a);
  free(b);
}

#define SMALL "matmul:M=32,N=64,K=48,weights=run"

static void test_choices_are_visible(void **state) {
  check_visible(SMALL, "tile i 4, j 32; vector j 16; loop k; band k all; band order j i",
                "tile i 4, j 32; loop k; band k all; band order j i", "const sc_v16 v");
  check_visible(SMALL, "tile i 4, j 32; vector j 8; loop k; band k all; band order j i",
                "tile i 4, j 32; vector j 16; loop k; band k all; band order j i", "const sc_v8 v");
  check_visible(SMALL, "tile i 4, j 32; vector j 16; loop k; band k all; band order j i; pack B 2 [j/t,k,j%t]",
                "tile i 4, j 32; vector j 16; loop k; band k all; band order j i", "sc_copy(P0");
  check_visible(SMALL, "tile i 4, j 32; vector j 16; loop k; band k all; band order j i; parallel j i 2",
                "tile i 4, j 32; vector j 16; loop k; band k all; band order j i", "sc_cut(loops, 2");
  check_visible(SMALL, "tile i 4, j 32; vector j 16; loop k; band k 12; band order j i k; pack C 2 [i/t,j/t,i%t,j%t]",
                "tile i 4, j 32; vector j 16; loop k; band k 12; band order j i k", "(intptr_t)(P0");
  check_visible("conv2d:H=8,W=8,C=4,K=16,R=3,S=3,pad=1",
                "tile k 16, q 8, s 3; vector k 16; loop c r; band c all, r all; band order p; pad p clamp, q peel",
                "tile k 16, q 8, s 3; vector k 16; loop c r; band c all, r all; band order p; pad p pack, q pack; pack "
                "X 2 [n,p,q,g,c]",
                "SC_MOST(0, (1 - x");
  check_visible("matmul:M=8,N=16,K=4,epilogue=relu", "tile i 4, j 16; vector j 16; loop k; band k all; band order i",
                "tile i 4, j 16; loop k; band k all; band order i", "SC_MAX16(t0, t1)");
}

static void test_unroll_repeats_the_body(void **state) {
  char *once = emit(SMALL, "tile i 4, j 32; vector j 16; loop k; band k all; band order j i");
  char *four = emit(SMALL, "tile i 4, j 32; vector j 16; loop k unroll 4; band k all; band order j i");
  assert_int_equal(products(once), 4 * 2);
  assert_int_equal(products(four), 4 * 2 * 5); /* four bodies, and one for the rest */
  free(once);
  free(four);
}

/* 8 columns, 3 taps, 1 column of padding on either side: the borders drop one product each. */
static void test_peel_drops_products(void **state) {
  char *peeled = emit("conv2d:H=8,W=8,C=4,K=16,R=1,S=3,pad_left=1",
                      "tile k 16, q 8, s 3; vector k 16; loop c; band c all; band order p; pad q peel");
  char *packed =
      emit("conv2d:H=8,W=8,C=4,K=16,R=1,S=3,pad_left=1",
           "tile k 16, q 8, s 3; vector k 16; loop c; band c all; band order p; pad q pack; pack X 2 [n,p,q,g,c]");
  assert_int_equal(products(packed), 8 * 3);
  assert_int_equal(products(peeled), 8 * 3 - 2);
  free(peeled);
  free(packed);
}

/* Every input value of a depthwise tile is loaded once for all the taps that see it. */
static void test_taps_share_inputs(void **state) {
  char *text = emit("depthwise:H=10,W=10,C=16,R=3,S=3", "tile c 16, p 2, q 4, r 3, s 3; vector c 16; band order p q");
  assert_int_equal(products(text), 2 * 4 * 9);
  assert_int_equal(count(text, "= SC_LOAD16(p1"), 4 * 6); /* rows 2+2, columns 4+2 */
  free(text);
}

/* Equal hashes make no equal values. */
static void test_values_may_collide(void **state) {
  const sc_task *task = task_of("depthwise:H=10,W=10,C=16,R=3,S=3");
  sc_schedule schedule;
  sc_nest nest;
  sc_kernel kernel;
  lower(task, "tile c 16, p 2, q 4, r 3, s 3; vector c 16; band order p q", &schedule, &nest);
  assert_int_equal(sc_nest_kernels(task, &nest, &kernel, 1), 1);
  emitter a = {.kernel = &kernel, .arena = sc_arena_new()}, b = {.kernel = &kernel, .arena = sc_arena_new()};
  assert_int_equal(sc_plan_kernel(&a, NULL), SC_OK);
  assert_int_equal(colliding_plan_kernel(&b, NULL), SC_OK);
  assert_int_equal(a.nvalues, 4 * 6 + 9);
  assert_int_equal(b.nvalues, a.nvalues);
  for (int i = 0; i < a.nproducts; i++)
    for (int side = 0; side < 2; side++) assert_int_equal(a.product[i].value[side], b.product[i].value[side]);
  sc_arena_free(a.arena);
  sc_arena_free(b.arena);
}

static void test_arguments(void **state) {
  const sc_task *task = task_of("matmul:M=32,N=64,K=48,epilogue=bias");
  sc_schedule schedule;
  sc_nest nest;
  sc_kernel kernel;
  sc_arg arg[SC_MAX_ARGS];
  lower(task, "tile i 4, j 32; vector j 16; loop k; band k all; band order j i", &schedule, &nest);
  assert_int_equal(sc_nest_kernels(task, &nest, &kernel, 1), 1);
  int n = sc_kernel_args(&kernel, arg), k = sc_task_dim(task, "k", 1);
  static const struct {
    sc_arg_kind kind;
    int operand;
  } expected[] = {
      {SC_ARG_FLAGS, 0}, {SC_ARG_TRIPS, 0}, {SC_ARG_LOOP_STRIDE, 1}, {SC_ARG_LOOP_STRIDE, 2}, {SC_ARG_POINTER, 3}};
  assert_int_equal(n, SC_COUNT_OF(expected));
  for (int i = 0; i < n; i++) {
    assert_int_equal(arg[i].kind, expected[i].kind);
    assert_int_equal(arg[i].operand, expected[i].operand);
  }
  assert_int_equal(arg[1].dim, k);
  char name[32];
  sc_kernel_symbol(&kernel, name);
  assert_int_equal(strlen(name), strlen("sc_k_") + 16);
}

static void expect(sc_status status, sc_status wanted, const sc_error *err, const char *part) {
  assert_int_equal(status, wanted);
  if (!strstr(err->text, part)) fail_msg("'%s' does not say '%s'", err->text, part);
}

static void test_errors(void **state) {
  const sc_task *half = task_of("matmul:M=8,N=16,K=4,type=f16"), *task = task_of("matmul:M=8,N=16,K=4");
  sc_schedule schedule;
  sc_nest nest;
  sc_kernel kernel;
  sc_str out = {0};
  sc_error err = {0};
  lower(half, "tile i 4; loop k; band k all; band order i j", &schedule, &nest);
  expect(sc_emit_nest(half, &nest, "f", "", &out, &err), SC_UNSUPPORTED, &err, "f16");
  sc_nest_kernels(half, &nest, &kernel, 1);
  expect(sc_emit_kernel(&kernel, "", &out, &err), SC_UNSUPPORTED, &err, "f16");
  lower(task, "tile i 4; band order i j k", &schedule, &nest);
  static const char *const bad[] = {"", "3f", "f-g", "f g", "f;", "f\n"};
  for (size_t i = 0; i < SC_COUNT_OF(bad); i++)
    expect(sc_emit_nest(task, &nest, bad[i], "", &out, &err), SC_USAGE, &err, "name");
  sc_str_free(&out);
}

/* The file compiles alone without a warning, with gcc and clang, and shows four functions to the world. */
static void test_file_stands_alone(void **state) {
  char *text = emit("conv2d:H=9,W=9,C=8,K=24,R=3,S=3,pad=1,epilogue=bias_relu",
                    "tile k 16+8, q 5+4, s 3; vector k 16; loop c r; band c all, r all; band k all, q all, p 3 order k "
                    "q p; band order p; pad p clamp, q "
                    "peel; pack W 2 [k/t,c,r,s,k%t]; parallel p 3");
  char folder[] = "/tmp/sc-emit-XXXXXX", source[64], command[512], line[128];
  sc_error err = {0};
  int seen = 0;
  assert_non_null(mkdtemp(folder));
  snprintf(source, sizeof source, "%s/f.c", folder);
  assert_int_equal(sc_file_write_atomic(source, text, strlen(text), &err), SC_OK);
  free(text);
  static const char *const compilers[] = {"gcc", "clang"};
  for (size_t i = 0; i < SC_COUNT_OF(compilers); i++) {
    snprintf(command, sizeof command, "command -v %s > /dev/null", compilers[i]);
    if (system(command) != 0) {
      print_message("%s is not installed: left out\n", compilers[i]);
      continue;
    }
    snprintf(command, sizeof command,
             "%s -std=gnu11 -O1 -Wall -Wextra -Wshadow -Werror -ffp-contract=fast -c %s -o %s/f.o", compilers[i],
             source, folder);
    if (system(command) != 0) fail_msg("%s", command);
  }
  snprintf(command, sizeof command, "nm %s/f.o", folder);
  FILE *nm = popen(command, "r");
  assert_non_null(nm);
  while (fgets(line, sizeof line, nm)) {
    if (!strstr(line, " T ")) continue;
    seen++;
    if (!strstr(line, " T f_")) fail_msg("%s", line);
  }
  assert_int_equal(pclose(nm), 0);
  assert_int_equal(seen, 4);
  snprintf(command, sizeof command, "rm -r %s", folder);
  assert_int_equal(system(command), 0);
}

/* A text from a file of machines cannot leave the comment at the head. */
static void test_comment_holds(void **state) {
  const sc_task *task = task_of("matmul:M=8,N=16,K=4");
  sc_schedule schedule;
  sc_nest nest;
  sc_machine machine = {.ncompilers = 1};
  sc_str out = {0};
  snprintf(machine.compiler[0].name, SC_NAME, "gcc");
  snprintf(machine.compiler[0].command, sizeof machine.compiler[0].command, "gcc */ int x; /*");
  lower(task, "tile i 4; band order i j k; compile gcc", &schedule, &nest);
  assert_int_equal(sc_emit_c(task, &schedule, &nest, &machine, "f", NULL, &out, NULL), SC_OK);
  const char *end = strstr(out.text, "*/");
  assert_non_null(end);
  assert_true(strncmp(end, "*/\n#include", 11) == 0);
  sc_str_free(&out);
}

/* The head names no choice that is not in the code: a constant that lies as its pack would have it is not copied. */
static void test_head_says_what_is_done(void **state) {
  char *text = emit("matmul:M=8,N=64,K=32",
                    "tile i 4, j 32; vector j 16; loop k; band k 99 order i; band order i j; pack B 1 [k,j]");
  assert_non_null(strstr(text,
                         " * under the schedule\n"
                         " *   tile i 4, j 32; vector j 16; loop k; band k all; band order i j\n"
                         " * which is all that has an effect of\n"
                         " *   tile i 4, j 32; vector j 16; loop k; band k 99 order i; band order i j; pack B 1 ["));
  free(text);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_choices_are_visible),
      cmocka_unit_test(test_unroll_repeats_the_body),
      cmocka_unit_test(test_peel_drops_products),
      cmocka_unit_test(test_taps_share_inputs),
      cmocka_unit_test(test_values_may_collide),
      cmocka_unit_test(test_arguments),
      cmocka_unit_test(test_errors),
      cmocka_unit_test(test_file_stands_alone),
      cmocka_unit_test(test_comment_holds),
      cmocka_unit_test(test_head_says_what_is_done),
  };
  return cmocka_run_group_tests(tests, batch_setup, batch_teardown);
}
