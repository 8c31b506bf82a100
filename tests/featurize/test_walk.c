/* Properties of what the features are made of: counts of intervals, bounds that hold on every nest, finite rows
 * whatever the machine says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

#include "featurize/internal.h"
#include "tests/featurize/brute.h"
#include "tests/ir/random_schedule.h"

static sc_arena *arena;
static const sc_library *library;

static int set_up(void **state) {
  arena = sc_arena_new();
  return sc_library_load(arena, NULL, &library, NULL) != SC_OK;
}

static int tear_down(void **state) {
  sc_arena_free(arena);
  return 0;
}

static const sc_task *parse(const char *text) {
  const sc_task *task;
  sc_error err;
  if (sc_task_parse(arena, library, text, &task, &err) != SC_OK) fail_msg("%s: %s", text, err.text);
  return task;
}

/* ---- intervals ---- */

/* Runs the loops; notes the number of the innermost interval that holds each tile. */
static int run_loops(const int32_t *step, int n, int lo, int hi, int *interval_of, int count) {
  if (n == 0) {
    for (int t = lo; t < hi; t++) interval_of[t] = count;
    return count + 1;
  }
  for (int x = lo; x < hi; x += step[0])
    count = run_loops(step + 1, n - 1, x, x + step[0] < hi ? x + step[0] : hi, interval_of, count);
  return count;
}

static void intervals_are_counted_exactly(void **state) {
  sc_rng rng;
  sc_rng_seed(&rng, 1, 0);
  for (int i = 0; i < 2000; i++) {
    const int tiles = 1 + (int)sc_rng_below(&rng, 200), n = (int)sc_rng_below(&rng, 5);
    int32_t step[4], above = tiles;
    int interval[200];
    for (int k = 0; k < n; k++) above = step[k] = 1 + (int32_t)sc_rng_below(&rng, (uint64_t)above);
    const int count = run_loops(step, n, 0, tiles, interval, 0);
    assert_int_equal((int)sc_tile_intervals(step, n, tiles), count);
    for (int t = 0; t < tiles; t++) assert_int_equal((int)sc_tile_interval_of(step, n, t), interval[t]);
  }
}

/* ---- lines ---- */

/* On every nest: a level holds no more than its formula says, but for a line that a span begins or ends in. */
static void lines_bound_what_is_touched(void **state) {
  static const char *const tasks[] = {"matmul:M=13,N=22,K=9", "conv2d:H=9,W=8,C=5,K=6,R=3,S=3,pad=1",
                                      "conv2d:H=9,W=9,C=3,K=4,R=1,S=1,stride=2",
                                      "depthwise:H=8,W=9,C=6,R=3,S=3,stride=2,pad=1"};
  const sc_machine m = {.name = "none"};
  const sc_target target = {&m, NULL, 1};
  sc_rng rng;
  sc_rng_seed(&rng, 2, 0);
  int compared = 0;
  for (size_t t = 0; t < SC_COUNT_OF(tasks); t++) {
    const sc_task *task = parse(tasks[t]);
    for (int i = 0; i < 40; i++) {
      static brute b;
      static sc_walk w;
      static sc_prepared prepared;
      sc_schedule schedule;
      sc_nest nest;
      assert_int_equal(sc_schedule_random(task, &rng, 4, "c", &schedule), SC_OK);
      assert_int_equal(sc_lower(task, &schedule, &nest, NULL), SC_OK);
      brute_run(task, &nest, &b);
      sc_prepare(task, &target, &prepared);
      sc_walk_work(&prepared, &nest, false, &w);
      sc_walk_memory(&w, false);
      assert_int_equal(w.nlevels, b.nlevels);
      for (int l = 0; l < b.nlevels; l++) {
        assert_true(w.iterations[l] == b.iterations[l] && w.iterations[l > 0 ? l - 1 : 0] == b.entries[l]);
        for (int x = 0; x < prepared.ndims; x++)
          assert_true(w.extent[prepared.dim[x]][l] >= b.extent[l][prepared.dim[x]]);
      }
      for (int k = 0; k < b.nstreams; k++) {
        const brute_stream *s = &b.stream[k];
        if (s->pack >= 0 && s->kind == BRUTE_OPERAND) continue; /* buffers: the regular nests of test_features.c */
        for (int s2 = 0; s2 < w.nstreams; s2++) {
          const sc_stream *stream = &w.stream[s2];
          if (stream->access != s->access || (stream->kind == SC_STREAM_OUTSIDE) != (s->kind == BRUTE_OUTSIDE))
            continue;
          for (int l = 0; l <= (s->kind == BRUTE_OUTSIDE ? s->level : b.nlevels - 1); l++) {
            sc_shape shape;
            sc_map_shape(stream->map, w.extent, l, 6, &shape);
            assert_true(s->first[l] <= (double)stream->lines[l] + shape.count);
            compared++;
          }
        }
      }
      brute_free(&b);
    }
  }
  assert_in_range(compared, 500, 100000);
}

/* ---- set conflicts ---- */

static double most_in_a_set(const sc_shape *shape, int64_t sets) {
  static int count[8192];
  int64_t index[4] = {0}, lines = (shape->span + 63) / 64, largest = 0;
  memset(count, 0, sizeof count);
  for (bool more = true; more;) {
    int64_t at = 0;
    for (int i = 0; i < shape->nsparse; i++) at += index[i] * shape->sparse[i].stride;
    for (int64_t l = 0; l < lines; l++) {
      const int n = ++count[(at / 64 + l) % sets];
      largest = n > largest ? n : largest;
    }
    int i = 0;
    while (i < shape->nsparse && ++index[i] == shape->sparse[i].n) index[i++] = 0;
    more = i < shape->nsparse;
  }
  return (double)largest;
}

static void lines_per_set_never_exceed_the_truth(void **state) {
  static const int64_t sets[] = {16, 64, 1024, 48, 100};
  sc_rng rng;
  sc_rng_seed(&rng, 3, 0);
  int exact = 0, single = 0, n = 3000;
  for (int i = 0; i < n; i++) {
    sc_shape shape = {
        .span = (int64_t)(1 + sc_rng_below(&rng, 8)) * 64, .count = 1, .nsparse = (int)sc_rng_below(&rng, 3)};
    int64_t reach = shape.span;
    for (int k = 0; k < shape.nsparse; k++) {
      const int64_t unit = (int64_t)64 << sc_rng_below(&rng, 7);
      shape.sparse[k].stride = (reach + unit - 1) / unit * unit; /* outer strides are not less than what is inside */
      shape.sparse[k].n = 2 + (int64_t)sc_rng_below(&rng, 12);
      shape.count *= (double)shape.sparse[k].n;
      reach = shape.sparse[k].stride * shape.sparse[k].n;
    }
    const int64_t s = sets[sc_rng_below(&rng, SC_COUNT_OF(sets))];
    const double truth = most_in_a_set(&shape, s), bound = sc_lines_per_set(&shape, 6, s);
    assert_true(bound >= 1 && bound <= truth);
    exact += bound == truth;
    if (shape.nsparse == 1 && shape.span == 64) assert_true(bound == truth), single++;
  }
  assert_in_range(exact, n * 2 / 3, n);
  assert_in_range(single, 20, n);
}

/* ---- totality ---- */

static void transform_is_log2_and_finite(void **state) {
  float row[SC_FEATURE_COUNT], before = -1;
  sc_rng rng;
  sc_rng_seed(&rng, 4, 0);
  for (int i = 0; i < 20000; i++) {
    const double x = i < 10000 ? i / 100.0 : exp(sc_rng_unit(&rng) * 60 - 20);
    for (int f = 0; f < SC_FEATURE_COUNT; f++) row[f] = (float)x;
    sc_features_transform(row, 0, row);
    assert_true(fabs((double)row[SC_FEATURE_flop] - log2(1 + (double)(float)x)) < 2e-6 * (1 + log2(1 + x)));
    assert_true(row[SC_FEATURE_element_bytes] == (float)x);
    if (i < 10000) assert_true(row[SC_FEATURE_flop] > before);
    before = row[SC_FEATURE_flop];
  }
  static const float odd[] = {NAN, INFINITY, -INFINITY, -1, 1e38F};
  for (size_t k = 0; k < SC_COUNT_OF(odd); k++) {
    for (int f = 0; f < SC_FEATURE_COUNT; f++) row[f] = odd[k];
    sc_features_transform(row, 0, row);
    for (int f = 0; f < SC_FEATURE_COUNT; f++) assert_true(isfinite(row[f]));
  }
}

/* Any machine file: zeros, nonsense, not numbers. */
static void rows_are_finite_on_every_machine(void **state) {
  static const double odd[] = {0, 0, 1, -1, 1e-300, 1e300, NAN, INFINITY, 64, 4096};
  static const char *const tasks[] = {"matmul:M=1,N=1,K=1", "matmul:M=100000,N=100000,K=100000",
                                      "conv2d:H=56,W=56,C=64,K=64,R=3,S=3,pad=1",
                                      "depthwise:H=7,W=7,C=512,R=3,S=3,pad=1"};
  sc_rng rng;
  sc_rng_seed(&rng, 5, 0);
  for (int i = 0; i < 2000; i++) {
    const sc_task *task = parse(tasks[i % (int)SC_COUNT_OF(tasks)]);
    sc_machine m = {.ncaches = (uint8_t)sc_rng_below(&rng, 4)};
    sc_value *value[] = {&m.cores,
                         &m.clock_hz,
                         &m.vector_bytes,
                         &m.vector_registers,
                         &m.fma_per_cycle,
                         &m.fma_latency_cycles,
                         &m.loads_per_cycle,
                         &m.peak_flop_per_s,
                         &m.l1i_bytes,
                         &m.memory_read_bytes_per_s,
                         &m.page_bytes,
                         &m.l1_tlb_entries,
                         &m.l2_tlb_entries,
                         &m.out_of_order,
                         &m.cache[0].bytes,
                         &m.cache[0].line_bytes,
                         &m.cache[0].ways,
                         &m.cache[1].bytes,
                         &m.cache[1].ways,
                         &m.cache[1].shared_by,
                         &m.cache[1].read_bytes_per_s,
                         &m.cache[2].bytes,
                         &m.cache[2].read_bytes_per_s};
    for (size_t v = 0; v < SC_COUNT_OF(value); v++) value[v]->value = odd[sc_rng_below(&rng, SC_COUNT_OF(odd))];
    const sc_target target = {&m, NULL, (int)sc_rng_below(&rng, 5) - 1};
    sc_schedule schedule;
    sc_nest nest;
    float row[SC_FEATURE_COUNT];
    sc_analytic terms;
    assert_int_equal(sc_schedule_random(task, &rng, 16, "none", &schedule), SC_OK);
    assert_int_equal(sc_lower(task, &schedule, &nest, NULL), SC_OK);
    sc_features_analytic(task, &nest, &target, row, &terms);
    for (int f = 0; f < SC_FEATURE_COUNT; f++) assert_true(isfinite(row[f]));
    assert_true(terms.time_s > 0 && isfinite(terms.time_s));
  }
}

/* The next row of a scan is that of the schedule alone, bit for bit, where its time is below the limit; false where the
 * schedule is illegal, alone and in the scan, or above. */
static bool scans_as_alone(sc_scan *scan, const sc_task *task, const sc_schedule *schedule, double limit_s) {
  float alone[SC_FEATURE_COUNT], row[SC_FEATURE_COUNT];
  sc_analytic alone_terms, terms;
  sc_nest nest;
  bool below;
  const sc_status status = sc_lower(task, schedule, &nest, NULL);
  const sc_status in_scan = sc_scan_row(scan, schedule, NULL, limit_s, row, &terms, &below, NULL);
  if (status != SC_OK) {
    assert_false(below);
    return false;
  }
  assert_int_equal(in_scan, SC_OK);
  sc_featurizer_row(scan->featurizer, &nest, alone, &alone_terms);
  assert_int_equal(below, alone_terms.time_s <= limit_s);
  if (!below) return false;
  assert_memory_equal(row, alone, sizeof row);
  assert_memory_equal(&terms, &alone_terms, offsetof(sc_analytic, known));
  assert_true(terms.known == alone_terms.known);
  return true;
}

static const sc_machine small_caches = {
    .name = "none", .ncaches = 2, .cache[0].bytes.value = 1024, .cache[1].bytes.value = 8192};

static double time_alone(const sc_scan *scan, const sc_task *task, const sc_schedule *schedule) {
  float row[SC_FEATURE_COUNT];
  sc_analytic terms;
  sc_nest nest;
  if (sc_lower(task, schedule, &nest, NULL) != SC_OK) return INFINITY;
  sc_featurizer_row(scan->featurizer, &nest, row, &terms);
  return terms.time_s;
}

/* Whatever came before: other orders of the same loops, which may be illegal, or another schedule, or one above the
 * limit. */
static void a_scan_gives_the_rows_of_each_alone(void **state) {
  static const char *const tasks[] = {"matmul:B=2,M=40,N=48,K=24,weights=run", "conv2d:H=9,W=8,C=6,K=8,R=3,S=3,pad=1",
                                      "conv2d:H=13,W=11,C=8,K=16,R=3,S=3,stride=2,pad=1,epilogue=bias_relu",
                                      "depthwise:H=12,W=10,C=16,R=3,S=3,pad=1", "matmul:M=64,N=64,K=64,weights=run"};
  sc_rng rng;
  sc_rng_seed(&rng, 6, 0);
  int kept = 0, out = 0;
  double limit_s = INFINITY;
  for (size_t t = 0; t < SC_COUNT_OF(tasks); t++) {
    const sc_target target = {&small_caches, NULL, 3};
    const sc_task *task = parse(tasks[t]);
    sc_featurizer featurizer;
    static sc_scan scan;
    static sc_schedule schedule;
    sc_featurizer_init(&featurizer, task, &target);
    sc_scan_start(&scan, &featurizer);
    for (int i = 0; i < 2000; i++) {
      if (i % 8 == 0) assert_int_equal(sc_schedule_random(task, &rng, 8, "none", &schedule), SC_OK);
      sc_schedule_shuffle(&schedule, &rng);
      if (!scans_as_alone(&scan, task, &schedule, i % 16 < 8 ? INFINITY : limit_s)) out++;
      else kept += scan.lowered.only_orders;
      if (i % 16 == 7) limit_s = time_alone(&scan, task, &schedule) * sc_rng_unit(&rng) * 2;
    }
  }
  assert_in_range(kept, 3000, 9000);
  assert_in_range(out, 1000, 6000);
}

/* k has loops in three bands, which meet and are one in different places: then a loop that stands where it stood, over
 * i, has other steps of k around it. */
static void loops_that_meet_elsewhere_change_what_is_inside(void **state) {
  static const char *const middle[] = {"k i", "i k", "k i"};
  const sc_target target = {&small_caches, NULL, 1};
  const sc_task *task = parse("matmul:M=64,N=64,K=64,weights=run");
  sc_featurizer featurizer;
  static sc_scan scan;
  sc_featurizer_init(&featurizer, task, &target);
  sc_scan_start(&scan, &featurizer);
  for (size_t i = 0; i < SC_COUNT_OF(middle); i++) {
    sc_schedule schedule;
    sc_error err = {0};
    char text[256];
    snprintf(text, sizeof text,
             "tile i 4, j 8; vector j 8; band k 4 order k; band i 4, k 4 order %s; band order i j k; compile none",
             middle[i]);
    if (sc_schedule_parse(task, "test", text, &schedule, &err) != SC_OK) fail_msg("%s", err.text);
    assert_true(scans_as_alone(&scan, task, &schedule, INFINITY));
    assert_int_equal(scan.lowered.only_orders, i > 0);
  }
}

static void analytic_time_is_the_sum_of_its_terms(void **state) {
  sc_analytic t = {.compute_s = 1,
                   .kernel_s = 2,
                   .l2_s = 3,
                   .l3_s = 4,
                   .memory_s = 5,
                   .conflict_s = 6,
                   .pack_s = 7,
                   .overhead_s = 8,
                   .known = 0.4F};
  const sc_analytic_fit fit = {1, 10, 100, 1000, 1e4, 1e5, 1e6, 1e7};
  sc_analytic_combine(&fit, &t);
  assert_true(t.time_s == 1 + 300 + 4000 + 5e4 + 6e5 + 7e6 + 8e7);
  t.known = 0.5F;
  sc_analytic_combine(&fit, &t);
  assert_true(t.time_s == 20 + 300 + 4000 + 5e4 + 6e5 + 7e6 + 8e7);
  const sc_analytic_fit zeroed = {0};
  sc_analytic by_default = t;
  sc_analytic_combine(&zeroed, &t);
  sc_analytic_combine(NULL, &by_default);
  assert_true(t.time_s == by_default.time_s && t.time_s > 2 && t.time_s < 30);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(intervals_are_counted_exactly),
      cmocka_unit_test(lines_bound_what_is_touched),
      cmocka_unit_test(lines_per_set_never_exceed_the_truth),
      cmocka_unit_test(transform_is_log2_and_finite),
      cmocka_unit_test(rows_are_finite_on_every_machine),
      cmocka_unit_test(a_scan_gives_the_rows_of_each_alone),
      cmocka_unit_test(loops_that_meet_elsewhere_change_what_is_inside),
      cmocka_unit_test(analytic_time_is_the_sum_of_its_terms),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
