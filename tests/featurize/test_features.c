/* Every feature against brute force on small nests. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

#include "tests/featurize/expect.h"
#include "tests/ir/random_schedule.h"

/* Caches so small that small nests overflow them. */
static sc_machine tiny_machine(void) {
  sc_machine m = {.name = "tiny",
                  .clock_hz = {2e9, SC_ASSUMED},
                  .vector_bytes = {16, SC_ASSUMED},
                  .vector_registers = {16, SC_ASSUMED},
                  .fma_per_cycle = {2, SC_ASSUMED},
                  .fma_latency_cycles = {4, SC_ASSUMED},
                  .loads_per_cycle = {2, SC_ASSUMED},
                  .peak_flop_per_s = {32e9, SC_ASSUMED},
                  .ncaches = 3,
                  .l1i_bytes = {4096, SC_ASSUMED},
                  .memory_read_bytes_per_s = {1e10, SC_ASSUMED},
                  .page_bytes = {4096, SC_ASSUMED},
                  .l1_tlb_entries = {4, SC_ASSUMED},
                  .l2_tlb_entries = {8, SC_ASSUMED},
                  .out_of_order = {1, SC_ASSUMED},
                  .ncompilers = 1};
  const double bytes[] = {2048, 8192, 16384}, rate[] = {1e11, 5e10, 2e10}, ways[] = {2, 4, 4};
  for (int i = 0; i < 3; i++) {
    m.cache[i] = (sc_cache){.bytes = {bytes[i], SC_ASSUMED},
                            .line_bytes = {64, SC_ASSUMED},
                            .ways = {ways[i], SC_ASSUMED},
                            .shared_by = {1, SC_ASSUMED},
                            .read_bytes_per_s = {rate[i], SC_ASSUMED}};
  }
  m.compiler[0] =
      (sc_compiler){.name = "c", .command = "clang-14", .arguments = "-O2", .version = "14", .vector_bytes = 16};
  return m;
}

/* No ragged loop or tile, no padding: then the closed forms are exact. */
static bool is_regular(const sc_task *task, const sc_nest *nest) {
  bool regular = task->npads == 0;
  for (int d = 0; d < task->ndims; d++) {
    regular &= nest->dim[d].nclasses == 1;
    int32_t range = nest->dim[d].tiles;
    for (int n = 0; n < nest->nnodes; n++) {
      if (nest->node[n].kind != SC_NODE_LOOP || nest->node[n].dim != d) continue;
      regular &= range % nest->node[n].step == 0;
      range = nest->node[n].step;
    }
  }
  return regular;
}

static bool is_power(int32_t x) { return x > 0 && (x & (x - 1)) == 0; }

/* All tiles and steps powers of two, rows of whole lines: then boxes cover the same lines wherever they lie. */
static bool is_aligned(const sc_task *task, const sc_nest *nest) {
  bool aligned = true;
  for (int d = 0; d < task->ndims; d++) aligned &= is_power(nest->dim[d].max_tile) && is_power(task->dim[d].size);
  for (int p = 0; p < nest->npacks; p++) aligned &= nest->pack[p].skew == 0;
  for (int a = 0; a < 3; a++) {
    const sc_tensor *tensor = &task->tensor[task->access[a].tensor];
    aligned &= tensor->shape[tensor->naxes - 1] % 16 == 0;
  }
  return aligned;
}

static int32_t random_power(sc_rng *rng, int32_t most_power) {
  int32_t x = 1;
  while (x < most_power && sc_rng_below(rng, 2)) x *= 2;
  return x;
}

static void random_order(sc_rng *rng, int skipped, uint8_t *order, uint8_t *n, int ndims) {
  *n = 0;
  for (int d = 0; d < ndims; d++) {
    if (d != skipped) order[(*n)++] = (uint8_t)d;
  }
  for (int i = *n - 1; i > 0; i--) {
    const int j = (int)sc_rng_below(rng, (uint64_t)i + 1);
    const uint8_t swap = order[i];
    order[i] = order[j];
    order[j] = swap;
  }
}

/* A layout of the last two axes: as they stand, or the outer one in panels of tiles. */
static sc_layout random_layout(sc_rng *rng, int naxes, int panel_axis) {
  sc_layout layout = {.nparts = 0};
  const bool panels = sc_rng_below(rng, 2);
  for (int x = 0; x < naxes - 2; x++) layout.part[layout.nparts++] = (sc_part){(uint8_t)x, SC_PART_WHOLE};
  if (panels) {
    const int other = panel_axis == naxes - 1 ? naxes - 2 : naxes - 1;
    layout.part[layout.nparts++] = (sc_part){(uint8_t)panel_axis, SC_PART_OUTER};
    layout.part[layout.nparts++] = (sc_part){(uint8_t)other, SC_PART_WHOLE};
    layout.part[layout.nparts++] = (sc_part){(uint8_t)panel_axis, SC_PART_INNER};
    layout.block[panel_axis] = SC_BLOCK_TILE;
  } else {
    layout.part[layout.nparts++] = (sc_part){(uint8_t)(naxes - 2), SC_PART_WHOLE};
    layout.part[layout.nparts++] = (sc_part){(uint8_t)(naxes - 1), SC_PART_WHOLE};
  }
  return layout;
}

/* A legal schedule of a matmul whose tiles and steps are powers of two. */
static void regular_schedule(const sc_task *task, sc_rng *rng, sc_schedule *s, sc_nest *nest) {
  const int k = sc_task_dim(task, "k", 1), j = sc_task_dim(task, "j", 1);
  do {
    memset(s, 0, sizeof *s);
    s->nbands = (uint8_t)(1 + sc_rng_below(rng, 3));
    for (int d = 0; d < task->ndims; d++) {
      const int32_t tile = d == k ? 1 : random_power(rng, task->dim[d].size < 32 ? task->dim[d].size : 32);
      s->nruns[d] = 1;
      s->run[d][0] = (sc_run){tile, task->dim[d].size / tile};
      for (int b = 1; b < s->nbands; b++) s->group[b][d] = random_power(rng, 16);
    }
    s->vector = (int8_t)(sc_rng_below(rng, 4) ? j : -1);
    s->lanes = s->vector >= 0 ? 4 : 1;
    s->unroll = 1;
    s->nkloops = sc_rng_below(rng, 4) > 0;
    s->kloop[0] = (uint8_t)k;
    for (int b = 1; b <= s->nbands; b++)
      random_order(rng, b == 1 && s->nkloops ? k : -1, s->order[b], &s->norder[b], task->ndims);
    for (int a = 0; a < 3; a++) {
      if (sc_rng_below(rng, 2)) continue;
      const int naxes = task->tensor[task->access[a].tensor].naxes;
      s->pack[s->npacks++] = (sc_pack){.access = (uint8_t)a,
                                       .band = (uint8_t)(1 + sc_rng_below(rng, s->nbands)),
                                       .per_thread = sc_rng_below(rng, 2),
                                       .layout = random_layout(rng, naxes, a == 1 ? naxes - 2 : naxes - 1)};
    }
    if (sc_rng_below(rng, 2)) {
      s->parallel_band = s->nbands;
      s->nparallel = 1;
      s->parallel[0] = s->order[s->nbands][0];
    }
    memcpy(s->compile, "c", 2);
  } while (sc_lower(task, s, nest, NULL) != SC_OK);
}

/* A fact for every second kernel; half of those are measured. */
static void add_facts(const sc_task *task, const sc_nest *nest, const sc_machine *m, sc_kernel_table *table) {
  for (int d = 0; d < task->ndims; d++) {
    for (int c = 0; c < nest->dim[d].nclasses; c++) {
      uint8_t class_of[SC_MAX_DIMS] = {0};
      class_of[d] = (uint8_t)c;
      sc_kernel kernel;
      sc_nest_kernel(task, nest, class_of, &kernel);
      const uint64_t family = sc_kernel_hash(&kernel, true);
      if (family & 1) continue;
      const sc_kernel_fact fact = {.family = family,
                                   .compiler = sc_compiler_hash(&m->compiler[0]),
                                   .first_ns = (float)(5 + family % 7),
                                   .slope_ns = (float)(1 + family % 3),
                                   .spills = family & 4 ? (int)(family % 9) : -1,
                                   .code_bytes = family & 4 ? 200 : -1,
                                   .measured = family & 2 ? 1 : 0};
      assert_int_equal(sc_kernel_table_put(table, &fact), SC_OK);
    }
  }
}

typedef struct tally {
  int compared[SC_FEATURE_COUNT], nonzero[SC_FEATURE_COUNT], nests, regular;
} tally;

static void compare(const char *task, const expected *e, const float *row, tally *t) {
  t->nests++;
  t->regular += e->regular;
  for (int f = 0; f < SC_FEATURE_COUNT; f++) {
    assert_true(isfinite(row[f]));
    if (!e->set[f]) continue;
    const bool is_log = strcmp(sc_feature_at(f)->transform, "log2") == 0;
    const double want = is_log ? log2(1 + e->value[f]) : e->value[f];
    if (fabs(want - (double)row[f]) > 2e-5 * (1 + fabs(want))) {
      sc_str text = {0};
      sc_nest_print(e->b->task, e->b->nest, &text);
      fail_msg("%s of %s: %g, brute force says %g\n%s", sc_feature_at(f)->name, task, (double)row[f], want,
               sc_str_text(&text));
    }
    t->compared[f]++;
    t->nonzero[f] += want != 0;
  }
}

static void check_nest(const sc_task *task, const sc_nest *nest, int threads, tally *t) {
  static brute b;
  const sc_machine m = tiny_machine();
  float row[SC_FEATURE_COUNT];
  brute_run(task, nest, &b);
  sc_kernel_table *table = sc_kernel_table_new();
  add_facts(task, nest, &m, table);
  const sc_target target = {&m, table, threads};
  expected e = {
      .b = &b, .target = &target, .m = &m, .row = row, .regular = is_regular(task, nest) && is_aligned(task, nest)};
  sc_features(task, nest, &target, row);
  expect_all(&e);
  compare(task->text, &e, row, t);
  brute_free(&b);
  sc_kernel_table_free(table);
}

static void check_task(sc_arena *arena, const sc_library *library, const char *text, int nests, bool regular,
                       sc_rng *rng, tally *t) {
  const sc_task *task;
  sc_error err;
  if (sc_task_parse(arena, library, text, &task, &err) != SC_OK) fail_msg("%s: %s", text, err.text);
  for (int i = 0; i < nests; i++) {
    sc_schedule schedule;
    sc_nest nest;
    if (regular) regular_schedule(task, rng, &schedule, &nest);
    else {
      assert_int_equal(sc_schedule_random(task, rng, 4, "c", &schedule), SC_OK);
      assert_int_equal(sc_lower(task, &schedule, &nest, NULL), SC_OK);
    }
    check_nest(task, &nest, 1 + i % 3, t);
  }
}

static void features_equal_brute_force(void **state) {
  static const struct {
    const char *task;
    int nests;
    bool regular;
  } cases[] = {{"matmul:M=16,N=32,K=16", 200, true},
               {"matmul:M=16,N=64,K=64", 40, true},
               {"matmul:M=4,N=1024,K=16", 40, true},
               {"matmul:M=16,N=16,K=1024", 20, true},
               {"matmul:M=2,N=2048,K=64", 6, true},
               {"matmul:M=13,N=22,K=9", 60, false},
               {"matmul:B=2,M=8,N=16,K=12", 60, false},
               {"conv2d:H=7,W=6,C=4,K=8,R=3,S=3,pad=1", 60, false},
               {"conv2d:H=9,W=9,C=3,K=4,R=3,S=3,stride=2,pad=1,epilogue=bias_relu", 40, false},
               {"depthwise:H=7,W=7,C=16,R=3,S=3,pad=1", 60, false}};
  sc_arena *arena = sc_arena_new();
  const sc_library *library;
  sc_rng rng;
  tally t = {.nests = 0};
  sc_rng_seed(&rng, 11, 0);
  assert_int_equal(sc_library_load(arena, NULL, &library, NULL), SC_OK);
  for (size_t i = 0; i < SC_COUNT_OF(cases); i++)
    check_task(arena, library, cases[i].task, cases[i].nests, cases[i].regular, &rng, &t);
  for (int f = 0; f < SC_FEATURE_COUNT; f++) {
    const bool beyond =
        f >= SC_FEATURE_miss_1m && f <= SC_FEATURE_miss_64m; /* nests that large cannot be walked here */
    if (t.compared[f] == 0 || (t.nonzero[f] == 0 && !beyond)) {
      fail_msg("no nest tests %s", sc_feature_at(f)->name);
    }
  }
  assert_in_range(t.regular, 200, t.nests);
  sc_arena_free(arena);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(features_equal_brute_force)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
