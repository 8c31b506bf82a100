/* The kernel table: kernels are timed alone with operands inside their arena, looked at, and asked for only once. */
#include "common.h"

#include "harness/kernels.h"

enum { MOST = 64 };

static size_t draw_kernels(world *w, const char *text, int schedules, sc_kernel *kernels) {
  const sc_task *task = task_make(w, text);
  sc_rng rng;
  size_t n = 0;
  sc_rng_seed(&rng, 11, 0);
  for (int i = 0; i < schedules; i++) {
    sc_schedule schedule;
    sc_nest nest;
    schedule_draw(task, &rng, &schedule, &nest);
    int found = sc_nest_kernels(task, &nest, kernels + n, (int)(MOST - n));
    n += (size_t)found <= MOST - n ? (size_t)found : MOST - n;
  }
  return n;
}

static void measure(world *w, const sc_kernel *kernels, size_t n, const sc_kernel_table *known, sc_kernel_table *to) {
  sc_store *store;
  const char *compilers[MOST];
  for (size_t i = 0; i < n; i++) compilers[i] = "gcc";
  ok(sc_store_open(NULL, &store, err));
  ok(sc_kernels_measure(store, &w->machine, kernels, compilers, n, known, to, NULL, err));
  sc_store_close(store);
}

static void test_facts(void **state) {
  static const char *const texts[] = {"matmul:M=24,N=16,K=32,epilogue=bias_relu",
                                      "conv2d:H=9,W=9,C=8,K=8,R=3,S=3,pad=1", "depthwise:H=9,W=9,C=16,R=3,S=3,pad=1"};
  world *w = *state;
  sc_kernel *kernels = calloc(MOST, sizeof *kernels);
  for (size_t t = 0; t < SC_COUNT_OF(texts); t++) {
    sc_kernel_table *table = sc_kernel_table_new();
    size_t n = draw_kernels(w, texts[t], 6, kernels), timed = 0;
    assert_true(n > 0);
    measure(w, kernels, n, NULL, table);
    for (size_t i = 0; i < n; i++) {
      uint64_t compiler = sc_compiler_hash(&w->machine.compiler[0]);
      const sc_kernel_fact *f = sc_kernel_table_find(table, sc_kernel_hash(&kernels[i], true), compiler);
      assert_non_null(f);
      assert_true(f->code_bytes > 0 && f->spills >= -1);
      timed += f->measured;
      if (!f->measured) continue;
      assert_true(f->first_ns > 0.5f && f->first_ns < 1e8f && f->slope_ns >= 0 && f->slope_ns < 1e8f);
    }
    assert_int_equal(timed, n); /* none of these crashes */
    size_t count = sc_kernel_table_count(table);
    float first = sc_kernel_table_at(table, 0)->first_ns;
    measure(w, kernels, n, NULL, table);
    assert_int_equal(sc_kernel_table_count(table), count);
    assert_true(sc_kernel_table_at(table, 0)->first_ns == first); /* it was there */
    sc_kernel_table *own = sc_kernel_table_new();
    measure(w, kernels, n, table, own); /* what came from elsewhere is not its own */
    assert_int_equal(sc_kernel_table_count(own), 0);
    sc_kernel_table_free(own);
    sc_kernel_table_free(table);
  }
  free(kernels);
}

/* More multiply-adds take longer: a kernel of 1x4 against one of 6x8 of the same loop. */
static void test_times_grow(void **state) {
  world *w = *state;
  static const char *const texts[] = {"tile i 1, j 4; vector j 4; loop k; band order i j; compile gcc",
                                      "tile i 6, j 8; vector j 4; loop k; band order i j; compile gcc"};
  const sc_task *task = task_make(w, "matmul:M=12,N=48,K=64");
  float slope[2];
  for (int i = 0; i < 2; i++) {
    sc_schedule schedule;
    sc_nest nest;
    sc_kernel kernel;
    sc_kernel_table *table = sc_kernel_table_new();
    schedule_make(task, texts[i], &schedule, &nest);
    assert_int_equal(sc_nest_kernels(task, &nest, &kernel, 1), 1);
    measure(w, &kernel, 1, NULL, table);
    assert_int_equal(sc_kernel_table_count(table), 1);
    slope[i] = sc_kernel_table_at(table, 0)->slope_ns;
    assert_true(slope[i] > 0);
    sc_kernel_table_free(table);
  }
  printf("a trip of 1x4: %.2f ns, of 6x8: %.2f ns\n", (double)slope[0], (double)slope[1]);
  assert_true(slope[1] > slope[0]);
}

/* Kernels of a machine that is only simulated have static facts. */
static void test_simulated(void **state) {
  world *w = *state;
  if (access("/usr/bin/qemu-aarch64", X_OK) != 0 || access("/usr/bin/aarch64-linux-gnu-gcc", X_OK) != 0) skip();
  char path[512];
  sc_machine machine = w->machine, arm;
  sc_data_dir(path, sizeof path);
  strncat(path, "/machines/cortex-a72.machine", sizeof path - strlen(path) - 1);
  ok(sc_machine_load(path, &arm, err));
  w->machine = arm;
  sc_kernel *kernels = calloc(MOST, sizeof *kernels);
  sc_kernel_table *table = sc_kernel_table_new();
  size_t n = draw_kernels(w, "matmul:M=24,N=16,K=32", 3, kernels);
  measure(w, kernels, n, NULL, table);
  assert_true(sc_kernel_table_count(table) > 0);
  for (size_t i = 0; i < sc_kernel_table_count(table); i++) {
    const sc_kernel_fact *f = sc_kernel_table_at(table, i);
    assert_int_equal(f->measured, 0);
    assert_true(f->code_bytes > 0);
  }
  sc_kernel_table_free(table);
  free(kernels);
  w->machine = machine;
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_facts), cmocka_unit_test(test_times_grow),
                                     cmocka_unit_test(test_simulated)};
  return cmocka_run_group_tests(tests, world_open, world_close);
}
