/* How fast schedules are lowered and featurised: draws of the standard spaces, on one core. Prints nanoseconds; fails only
 * when something is grossly wrong, for the machine may be busy. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

#include "featurize/featurize.h"
#include "sampler/sampler.h"

enum { DRAWS = 2000, ROUNDS = 40 };

typedef struct draws {
  sc_schedule schedule[DRAWS];
  int n;
} draws;

static sc_status keep(void *user, const sc_schedule *schedule) {
  draws *d = user;
  d->schedule[d->n++] = *schedule;
  return SC_OK;
}

static sc_machine machine_of_avx2(void) {
  sc_machine m = {.name = "rate",
                  .isa = "x86-64-v3",
                  .cores = {4, SC_ASSUMED},
                  .clock_hz = {3e9, SC_ASSUMED},
                  .vector_bytes = {32, SC_ASSUMED},
                  .vector_registers = {16, SC_ASSUMED},
                  .fma_per_cycle = {2, SC_ASSUMED},
                  .fma_latency_cycles = {4, SC_ASSUMED},
                  .loads_per_cycle = {2, SC_ASSUMED},
                  .peak_flop_per_s = {96e9, SC_ASSUMED},
                  .ncaches = 3,
                  .memory_read_bytes_per_s = {2e10, SC_ASSUMED},
                  .ncompilers = 1};
  const double bytes[] = {32768, 524288, 16777216}, rate[] = {2e11, 1e11, 5e10};
  for (int i = 0; i < 3; i++) {
    m.cache[i] = (sc_cache){.bytes = {bytes[i], SC_ASSUMED},
                            .line_bytes = {64, SC_ASSUMED},
                            .ways = {8, SC_ASSUMED},
                            .shared_by = {i == 2 ? 4 : 1, SC_ASSUMED},
                            .read_bytes_per_s = {rate[i], SC_ASSUMED}};
  }
  m.compiler[0] =
      (sc_compiler){.name = "gcc", .command = "gcc", .arguments = "-O2", .version = "12", .vector_bytes = 32};
  return m;
}

/* Least time of many rounds, per schedule: lowering alone, then with features. */
static void measure(const char *text, const sc_task *task, const draws *d, const sc_machine *m) {
  const sc_target target = {m, NULL, 1};
  double lower_s = 1e9, both_s = 1e9;
  float row[SC_FEATURE_COUNT], sum = 0;
  sc_analytic terms;
  sc_nest nest;
  sc_featurizer featurizer;
  sc_featurizer_init(&featurizer, task, &target);
  for (int round = 0; round < ROUNDS; round++) {
    const double start = sc_now_s();
    for (int i = 0; i < d->n; i++) assert_int_equal(sc_lower(task, &d->schedule[i], &nest, NULL), SC_OK);
    const double middle = sc_now_s();
    for (int i = 0; i < d->n; i++) {
      sc_lower(task, &d->schedule[i], &nest, NULL);
      sc_featurizer_row(&featurizer, &nest, row, &terms);
      sum += row[i % SC_FEATURE_COUNT];
    }
    const double end = sc_now_s();
    lower_s = middle - start < lower_s ? middle - start : lower_s;
    both_s = end - middle < both_s ? end - middle : both_s;
  }
  const double lower_ns = lower_s / d->n * 1e9, both_ns = both_s / d->n * 1e9;
  printf("%-44s lowering %4.0f ns, with %d features %4.0f ns: %.2f M schedules/s (%g)\n", text, lower_ns,
         SC_FEATURE_COUNT, both_ns, 1e3 / both_ns, (double)sum);
  assert_true(both_ns < 20000);
}

static void rate(void **state) {
  static const char *const tasks[] = {"matmul:M=512,N=512,K=512", "matmul:M=128,N=768,K=768",
                                      "conv2d:H=56,W=56,C=64,K=64,R=3,S=3,pad=1",
                                      "depthwise:H=56,W=56,C=128,R=3,S=3,pad=1"};
  sc_arena *arena = sc_arena_new();
  const sc_library *library;
  const sc_machine m = machine_of_avx2();
  draws *d = calloc(1, sizeof *d);
  assert_int_equal(sc_library_load(arena, NULL, &library, NULL), SC_OK);
  for (size_t t = 0; t < SC_COUNT_OF(tasks); t++) {
    const sc_task *task;
    const sc_space *space;
    sc_space_bound *bound;
    sc_error err;
    const sc_space_options options = {.threads = 1};
    assert_int_equal(sc_task_parse(arena, library, tasks[t], &task, &err), SC_OK);
    assert_int_equal(sc_space_default(arena, task, &space, &err), SC_OK);
    if (sc_space_bind(space, task, &m, &options, &bound, &err) != SC_OK) fail_msg("%s", err.text);
    d->n = 0;
    assert_int_equal(sc_space_sample(bound, SC_SAMPLE_UNIFORM, DRAWS, 1, keep, d, &err), SC_OK);
    measure(tasks[t], task, d, &m);
    sc_space_unbind(bound);
  }
  free(d);
  sc_arena_free(arena);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(rate)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
