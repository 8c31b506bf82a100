/* sc_lower beyond the cases: structs that no text says, rewritings that are the same schedule, and random bytes. */
#include "tests/ir/nests.h"

/* ---- what the language cannot say ---- */

static const char plain[] = "tile i 4, j 8; vector j 8; loop k; band k all order i j";

static void expect_rule(const sc_task *task, const sc_schedule *schedule, sc_rule rule, const char *message) {
  sc_nest nest;
  sc_error err = {0};
  assert_int_equal(sc_lower(task, schedule, &nest, &err), SC_ILLEGAL);
  assert_string_equal(sc_rule_name((sc_rule)err.rule), sc_rule_name(rule));
  assert_string_equal(err.text, message);
  assert_int_equal(sc_lower(task, schedule, &nest, NULL), SC_ILLEGAL);
}

static sc_schedule parse(const sc_task *task, const char *text) {
  sc_schedule schedule;
  sc_error err = {0};
  if (sc_schedule_parse(task, "<schedule>", text, &schedule, &err) != SC_OK) fail_msg("%s: %s", text, err.text);
  return schedule;
}

#define BREAK(change, rule, message)                \
  do {                                              \
    sc_schedule s = parse(task, plain);             \
    change;                                         \
    expect_rule(task, &s, SC_RULE_##rule, message); \
  } while (0)

static void test_structs(void **state) {
  const sc_task *task = task_of("matmul:M=8,N=16,K=8");
  BREAK(s.nbands = 0, RANGE, "the number of bands is 0; 1 .. 4 is allowed");
  BREAK(s.nbands = 5, RANGE, "the number of bands is 5; 1 .. 4 is allowed");
  BREAK(s.nruns[1] = 5, RANGE, "the number of runs is 5; 0 .. 4 is allowed");
  BREAK(s.run[1][0].size = 0, TILE, "a run of i is 0*2: sizes and counts start at 1 and must fit the dim");
  BREAK(s.run[1][0].count = -2, TILE, "a run of i is 4*-2: sizes and counts start at 1 and must fit the dim");
  BREAK((s.nbands = 2, s.group[1][1] = -1), RANGE, "a group is -1; 0 .. 2147483647 is allowed");
  BREAK(s.norder[1] = 11, RANGE, "the length of an order is 11; 0 .. 10 is allowed");
  BREAK(s.order[1][0] = 9, DIM, "an order names dim 9; the task has 4");
  BREAK(s.nkloops = 5, RANGE, "the number of kernel loops is 5; 0 .. 4 is allowed");
  BREAK(s.kloop[0] = 200, DIM, "`loop` names dim 200; the task has 4");
  BREAK(s.unroll = 0, UNROLL, "unroll 0 of a kernel loop that makes at most 8 trips");
  BREAK(s.vector = 10, DIM, "`vector` names dim 10; the task has 4");
  BREAK(s.vector = -1, VECTOR_DIM, "8 lanes need a vector dim, a vector dim needs at least 2 lanes");
  BREAK(s.lanes = 1, VECTOR_DIM, "1 lanes need a vector dim, a vector dim needs at least 2 lanes");
  BREAK(s.lanes = 0, LANES, "0 lanes: expected a power of two no larger than the largest tile of j, 8, and than 64");
  BREAK(s.npacks = 9, RANGE, "the number of packs is 9; 0 .. 4 is allowed");
  BREAK((s.npacks = 1, s.pack[0].access = 3), RANGE, "the access of a pack is 3; 0 .. 2 is allowed");
  BREAK((s.npacks = 1, s.pack[0].band = 0), PACK_BAND, "the pack of C stands in band 0: the bands are 1 to 1");
  BREAK((s.nparallel = 1, s.parallel_band = 0), PARALLEL_BAND,
        "the parallel loops stand in band 0: the bands are 1 to 1");
  BREAK((s.nparallel = 11, s.parallel_band = 1), RANGE, "the number of parallel dims is 11; 0 .. 10 is allowed");
  BREAK((s.nparallel = 1, s.parallel_band = 1, s.parallel[0] = 77), DIM, "`parallel` names dim 77; the task has 4");
}

static void test_pad_rule(void **state) {
  const sc_task *task = task_of("conv2d:H=4,W=4,C=2,K=2,R=3,S=3,pad=1");
  sc_schedule s = parse(task, "pad p clamp, q clamp; loop r s; band r all, s all order p q k c");
  s.pad[1] = 9;
  expect_rule(task, &s, SC_RULE_RANGE, "a pad rule is 9; 0 .. 3 is allowed");
}

/* Structs of random bytes, and legal ones with some bytes changed. */
static void test_random_bytes(void **state) {
  const sc_task *tasks[] = {task_of("conv2d:H=6,W=7,C=8,K=8,R=3,S=3,pad=1,layout=NCHWc8,epilogue=bias"),
                            any_task("correlate:L=10,K=8,R=3"), task_of("matmul:M=1073741824,N=1,K=1024")};
  int legal = 0;
  sc_rng rng;
  sc_rng_seed(&rng, 11, 0);
  for (int n = 0; n < 60000; n++) {
    const sc_task *task = tasks[n % SC_COUNT_OF(tasks)];
    sc_schedule schedule;
    sc_nest nest;
    sc_error err = {0};
    unsigned char *bytes = (unsigned char *)&schedule;
    bool all = n % 5 == 0;
    if (all) schedule = parse(task, "");
    else assert_int_equal(sc_schedule_random(task, &rng, 16, "", &schedule), SC_OK);
    for (int change = 0; change < (all ? 400 : 1 + n % 3); change++)
      bytes[below(&rng, (int)offsetof(sc_schedule, compile))] = (unsigned char)below(&rng, all ? 256 : 20);
    for (int p = 0; p < SC_MAX_PACKS; p++) schedule.pack[p].per_thread = below(&rng, 2); /* a bool has two values */
    if (sc_lower(task, &schedule, &nest, &err) != SC_OK) {
      assert_true(err.rule > 0 && err.rule < SC_RULE_COUNT && err.text[0]);
      continue;
    }
    sc_str text = {0};
    sc_nest_print(task, &nest, &text);
    sc_str_free(&text);
    legal++;
  }
  assert_true(legal > 5000);
}

/* ---- identity ---- */

static void swap_packs(sc_schedule *s) {
  if (s->npacks < 2) return;
  sc_pack first = s->pack[0];
  s->pack[0] = s->pack[s->npacks - 1];
  s->pack[s->npacks - 1] = first;
}

/* Adds a band of one trip everywhere behind band `at`. */
static void add_band(sc_schedule *s, int at) {
  if (at == s->nbands)
    for (int d = 0; d < SC_MAX_DIMS; d++) s->group[at][d] = SC_ALL; /* the highest has become one with groups */
  for (int b = s->nbands; b > at; b--) {
    memcpy(s->group[b + 1], s->group[b], sizeof s->group[0]);
    memcpy(s->order[b + 1], s->order[b], sizeof s->order[0]);
    s->norder[b + 1] = s->norder[b];
  }
  memset(s->group[at + 1], 0, sizeof s->group[0]);
  s->norder[at + 1] = 0;
  for (int p = 0; p < s->npacks; p++) s->pack[p].band += s->pack[p].band > at;
  s->parallel_band += s->nparallel && s->parallel_band > at;
  s->nbands++;
}

/* Explicit runs of one element, a run in two halves, a group of 1. */
static void respell(sc_schedule *s, const sc_task *task) {
  for (int d = 0; d < task->ndims; d++) {
    if (s->nruns[d] == 0) {
      s->run[d][0] = (sc_run){1, task->dim[d].size};
      s->nruns[d] = 1;
    }
    if (s->nruns[d] < SC_MAX_RUNS && s->run[d][0].count > 1) {
      memmove(&s->run[d][1], &s->run[d][0], s->nruns[d]++ * sizeof(sc_run));
      s->run[d][0].count = 1;
      s->run[d][1].count--;
    }
    for (int b = 1; b < s->nbands; b++)
      if (s->group[b][d] == 0) s->group[b][d] = 1;
  }
}

static uint64_t hash_of(const sc_task *task, const sc_schedule *schedule, sc_str *text) {
  sc_nest nest;
  sc_error err = {0};
  if (sc_lower(task, schedule, &nest, &err) != SC_OK) fail_msg("%s: %s", task->text, err.text);
  sc_str_clear(text);
  sc_nest_print(task, &nest, text);
  return sc_nest_hash(task, &nest);
}

static void test_respelled_schedules_are_the_same(void **state) {
  sc_rng rng;
  sc_str before = {0}, after = {0};
  sc_rng_seed(&rng, 7, 0);
  for (size_t i = 0; i < SC_COUNT_OF(property_tasks); i++) {
    const sc_task *task = any_task(property_tasks[i].task);
    for (int n = 0; n < 300; n++) {
      sc_schedule schedule;
      assert_int_equal(sc_schedule_random(task, &rng, 8, "", &schedule), SC_OK);
      uint64_t hash = hash_of(task, &schedule, &before);
      swap_packs(&schedule);
      if (schedule.nbands < SC_MAX_BANDS - 1) add_band(&schedule, 1 + below(&rng, schedule.nbands));
      respell(&schedule, task);
      assert_true(hash_of(task, &schedule, &after) == hash);
      assert_string_equal(before.text, after.text);
    }
  }
  sc_str_free(&before);
  sc_str_free(&after);
}

typedef struct entry {
  uint64_t hash;
  char *text;
} entry;

static int by_hash(const void *a, const void *b) {
  uint64_t x = ((const entry *)a)->hash, y = ((const entry *)b)->hash;
  return x < y ? -1 : x > y;
}

/* Two nests have one hash exactly when they have one text (which leaves out nothing that the hash has). */
static void test_hash_is_of_the_nest(void **state) {
  enum { N = 4000 };
  const sc_task *task = task_of("matmul:M=6,N=6,K=4,weights=run");
  entry *e = calloc(N, sizeof *e);
  sc_rng rng;
  sc_str text = {0};
  int equal = 0;
  sc_rng_seed(&rng, 9, 0);
  for (int n = 0; n < N; n++) {
    sc_schedule schedule;
    assert_int_equal(sc_schedule_random(task, &rng, 4, "", &schedule), SC_OK);
    e[n].hash = hash_of(task, &schedule, &text);
    e[n].text = sc_arena_strdup(arena, text.text);
  }
  qsort(e, N, sizeof *e, by_hash);
  for (int n = 1; n < N; n++) {
    bool same = e[n].hash == e[n - 1].hash;
    equal += same;
    assert_true(same == (strcmp(e[n].text, e[n - 1].text) == 0));
  }
  assert_true(equal > 100);
  sc_str_free(&text);
  free(e);
}

/* ---- one after another ---- */

static void add_nest(const sc_task *task, const sc_nest *nest, sc_str *text) {
  static const uint8_t first[SC_MAX_DIMS];
  sc_kernel kernel;
  sc_nest_kernel(task, nest, first, &kernel);
  sc_nest_print(task, nest, text);
  sc_kernel_print(&kernel, false, text);
}

/* sc_lower_next says what sc_lower says, whatever came before: other orders, legal or not, or another schedule. */
static void test_next_is_the_same(void **state) {
  static const char *const tasks[] = {"matmul:B=2,M=40,N=48,K=24,weights=run", "conv2d:H=9,W=8,C=6,K=8,R=3,S=3,pad=1",
                                      "conv2d:H=9,W=9,C=8,K=16,R=3,S=3,pad=1,epilogue=bias_relu",
                                      "depthwise:H=12,W=10,C=16,R=3,S=3,pad=1"};
  sc_str want = {0}, got = {0};
  int legal = 0, kept = 0, illegal = 0;
  for (size_t t = 0; t < SC_COUNT_OF(tasks); t++) {
    const sc_task *task = task_of(tasks[t]);
    sc_lowered lowered;
    sc_rng rng;
    sc_rng_seed(&rng, 21, t);
    sc_lower_start(&lowered, task);
    for (int n = 0; n < 2000; n++) {
      static sc_schedule schedule;
      sc_nest nest;
      sc_error err = {0}, next_err = {0};
      if (n % 8 == 0) assert_int_equal(sc_schedule_random(task, &rng, 8, "gcc", &schedule), SC_OK);
      sc_schedule_shuffle(&schedule, &rng);
      const sc_status status = sc_lower(task, &schedule, &nest, &err);
      assert_int_equal(sc_lower_next(&lowered, &schedule, &next_err), status);
      assert_string_equal(next_err.text, err.text);
      assert_int_equal(lowered.legal, status == SC_OK);
      kept += lowered.only_orders;
      illegal += status != SC_OK;
      if (status != SC_OK) continue;
      sc_str_clear(&want), sc_str_clear(&got);
      add_nest(task, &nest, &want), add_nest(task, &lowered.nest, &got);
      assert_string_equal(sc_str_text(&got), sc_str_text(&want));
      legal++;
    }
  }
  assert_in_range(legal, 4000, 8000);
  assert_in_range(kept, 3000, 8000);
  assert_in_range(illegal, 20, 4000);
  sc_str_free(&want);
  sc_str_free(&got);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_structs),
      cmocka_unit_test(test_pad_rule),
      cmocka_unit_test(test_random_bytes),
      cmocka_unit_test(test_respelled_schedules_are_the_same),
      cmocka_unit_test(test_hash_is_of_the_nest),
      cmocka_unit_test(test_next_is_the_same),
  };
  return cmocka_run_group_tests_name("ir.lower", tests, load_libraries, free_library);
}
