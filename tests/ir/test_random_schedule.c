/* sc_schedule_random reaches all of the language: what the property tests would never see, they would not test. */
#include "tests/ir/nests.h"

enum {
  BANDS_1,
  BANDS_2,
  BANDS_3,
  BANDS_4,
  RUNS_2,
  RUNS_3,
  RUNS_4,
  TILE_REDUCE,
  LANES_1,
  LANES_2,
  LANES_4,
  LANES_8,
  LANES_16,
  LOOPS_0,
  LOOPS_1,
  LOOPS_2,
  LOOPS_3,
  LOOP_FREE,
  LOOP_FREE_SPLIT,
  UNROLL,
  REDUCTION_OUTSIDE,
  PACK_AHEAD,
  PACK_RUN,
  PACK_SHARED,
  PACK_PRIVATE,
  PACK_PANELS,
  PACK_SKEW,
  PACK_FILL,
  PACK_OF_EPILOGUE,
  PACKS_2,
  PACKS_3,
  ACCUMULATE,
  ACCUMULATE_PRIVATE,
  PEEL,
  CLAMP,
  BORDER,
  PARALLEL_1,
  PARALLEL_2,
  KERNELS_8,
  SLOT,
  STRIDED,
  BLOCKED,
  RAGGED_GROUP,
  FEATURES
};

static const char *const names[FEATURES] = {"1 band",
                                            "2 bands",
                                            "3 bands",
                                            "4 bands",
                                            "2 runs",
                                            "3 runs",
                                            "4 runs",
                                            "a tile of a reduction",
                                            "scalar",
                                            "2 lanes",
                                            "4 lanes",
                                            "8 lanes",
                                            "16 lanes",
                                            "no kernel loop",
                                            "1 kernel loop",
                                            "2 kernel loops",
                                            "3 kernel loops",
                                            "a free kernel loop",
                                            "one cut at segments",
                                            "unroll",
                                            "a reduction outside",
                                            "an ahead pack",
                                            "a pack at run time",
                                            "a shared pack",
                                            "a private pack",
                                            "panels",
                                            "skew",
                                            "a padding pack",
                                            "a pack of an epilogue operand",
                                            "2 packs",
                                            "3 packs",
                                            "an accumulation buffer",
                                            "a private one",
                                            "peel",
                                            "clamp",
                                            "border kernels",
                                            "1 parallel loop",
                                            "2 parallel loops",
                                            "8 kernels",
                                            "slot strides",
                                            "a strided result",
                                            "blocks inside a tile",
                                            "a group that does not divide"};

static int count[FEATURES];

static void count_dims(const sc_task *task, const sc_schedule *s, const sc_nest *nest) {
  for (int d = 0; d < task->ndims; d++) {
    const sc_tiling *tiling = &nest->dim[d];
    if (s->nruns[d] >= 2) count[RUNS_2 + s->nruns[d] - 2]++;
    count[TILE_REDUCE] += task->dim[d].reduce && tiling->max_tile > 1;
    for (int i = 0; i < tiling->nsegs; i++) count[BORDER] += tiling->seg[i].lo > 0 || tiling->seg[i].hi > 0;
    if (nest->free_kloop && d == nest->kloop[0]) count[LOOP_FREE_SPLIT] += tiling->nclasses > 1;
    for (int b = 1; b < s->nbands; b++)
      count[RAGGED_GROUP] += s->group[b][d] > 1 && s->group[b][d] != SC_ALL && tiling->tiles % s->group[b][d];
  }
}

static void count_operands(const sc_task *task, const sc_nest *nest) {
  for (int a = 0; a < nest->noperands; a++) {
    const sc_operand *operand = &nest->operand[a];
    count[STRIDED] += operand->strided;
    for (int d = 0; d < task->ndims; d++) {
      if (!(operand->dims >> d & 1)) continue;
      count[SLOT] += operand->stride[d] == SC_STRIDE_SLOT && nest->dim[d].max_tile > 1;
      count[BLOCKED] += operand->block[d] > 0;
    }
  }
}

static void count_packs(const sc_nest *nest, bool threads) {
  for (int p = 0; p < nest->npacks; p++) {
    const sc_nest_pack *pack = &nest->pack[p];
    if (pack->access == 0) {
      count[ACCUMULATE]++;
      count[ACCUMULATE_PRIVATE] += pack->per_thread;
    } else {
      count[pack->ahead ? PACK_AHEAD : PACK_RUN]++;
      count[PACK_PRIVATE] += pack->per_thread;
      count[PACK_SHARED] += threads && !pack->ahead && !pack->per_thread;
      count[PACK_OF_EPILOGUE] += pack->access > 2;
    }
    for (int i = 0; i < pack->layout.nparts; i++) count[PACK_PANELS] += pack->layout.part[i].kind == SC_PART_OUTER;
    count[PACK_SKEW] += pack->skew > 0;
    count[PACK_FILL] += pack->fill;
  }
  if (nest->npacks >= 2) count[nest->npacks >= 3 ? PACKS_3 : PACKS_2]++;
}

static void count_all(const sc_task *task, const sc_schedule *s, const sc_nest *nest) {
  count[BANDS_1 + s->nbands - 1]++;
  for (int lanes = 1, i = LANES_1; lanes <= 16; lanes *= 2, i++) count[i] += nest->lanes == lanes;
  int reductions = nest->nkloops - nest->free_kloop;
  if (reductions <= 3) count[LOOPS_0 + reductions]++;
  count[LOOP_FREE] += nest->free_kloop;
  count[UNROLL] += nest->unroll > 1;
  for (int n = 0; n < nest->nnodes; n++) {
    count[REDUCTION_OUTSIDE] += nest->node[n].kind == SC_NODE_LOOP && task->dim[nest->node[n].dim].reduce;
    if (nest->node[n].kind == SC_NODE_PAR) count[nest->node[n].count > 1 ? PARALLEL_2 : PARALLEL_1]++;
  }
  for (int p = 0; p < task->npads; p++) {
    count[PEEL] += nest->pad[p] == SC_PAD_PEEL;
    count[CLAMP] += nest->pad[p] == SC_PAD_CLAMP;
  }
  count[KERNELS_8] += nest->nvariants >= 8;
  count_dims(task, s, nest);
  count_operands(task, nest);
  count_packs(nest, s->nparallel > 0);
}

static void test_everything_is_reached(void **state) {
  enum { N = 300 };
  sc_rng rng;
  sc_rng_seed(&rng, 31, 0);
  for (size_t i = 0; i < SC_COUNT_OF(property_tasks); i++) {
    const sc_task *task = any_task(property_tasks[i].task);
    for (int n = 0; n < N; n++) {
      sc_schedule schedule;
      sc_nest nest;
      assert_int_equal(sc_schedule_random(task, &rng, 16, "", &schedule), SC_OK);
      assert_int_equal(sc_lower(task, &schedule, &nest, NULL), SC_OK);
      count_all(task, &schedule, &nest);
    }
  }
  for (int i = 0; i < FEATURES; i++) {
    print_message("%6d %s\n", count[i], names[i]);
    if (count[i] < 20)
      fail_msg("%s: %d times in %d schedules", names[i], count[i], (int)(N * SC_COUNT_OF(property_tasks)));
  }
}

/* The widest vector is a limit; equal seeds give equal schedules; the compiler's name goes along. */
static void test_arguments(void **state) {
  const sc_task *task = task_of("matmul:M=32,N=64,K=8");
  sc_schedule a, b;
  for (uint64_t seed = 0; seed < 200; seed++) {
    sc_rng rng, again;
    int lanes = 1 << seed % 4;
    sc_rng_seed(&rng, seed, 1);
    sc_rng_seed(&again, seed, 1);
    assert_int_equal(sc_schedule_random(task, &rng, lanes, "clang", &a), SC_OK);
    assert_int_equal(sc_schedule_random(task, &again, lanes, "clang", &b), SC_OK);
    assert_memory_equal(&a, &b, sizeof a);
    assert_true(a.lanes <= lanes);
    assert_string_equal(a.compile, "clang");
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_everything_is_reached), cmocka_unit_test(test_arguments)};
  return cmocka_run_group_tests_name("ir.random_schedule", tests, load_libraries, free_library);
}
