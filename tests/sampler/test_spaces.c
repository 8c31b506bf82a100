/* The spaces of data/spaces: every task of the corpus and every variant of the operators binds on every machine, what
 * is drawn is always legal and knows its rank, and what an expert would write is in them. */
#include "tests/sampler/spaces.h"

static const char *const machines[] = {"x86-64-v4", "x86-64-v3", "x86-64", "cortex-a72"};

static void load_machine(const char *name, sc_machine *machine) {
  char folder[1024], path[1152];
  sc_error err = {0};
  sc_data_dir(folder, sizeof folder);
  snprintf(path, sizeof path, "%s/machines/%s.machine", folder, name);
  if (sc_machine_load(path, machine, &err) != SC_OK) fail_msg("%s: %s", path, err.text);
}

static const sc_space *default_space(const sc_task *task) {
  const sc_space *space = NULL;
  sc_error err = {0};
  if (sc_space_default(arena, task, &space, &err) != SC_OK) fail_msg("%s: %s", task->text, err.text);
  return space;
}

typedef struct tally {
  size_t bound, drawn;
  double slowest_s;
  char slowest[160];
} tally;

static void check_draws(const sc_space_bound *bound, const sc_task *task, sc_rng *rng, int n, tally *t) {
  for (int i = 0; i < n; i++) {
    sc_count rank = sc_rng_below128(rng, sc_space_count(bound)), back = 0;
    sc_schedule s;
    assert_int_equal(sc_space_at(bound, rank, &s), SC_OK);
    hash_of(task, &s); /* fails with the text when it is illegal */
    sc_status status = sc_space_rank(bound, &s, &back);
    if (status != SC_OK || back != rank) {
      sc_str text = {0};
      sc_schedule_print(task, &s, &text);
      fail_msg("%s\nschedule %s\nhas another rank: %s", task->text, sc_str_text(&text), sc_status_name(status));
    }
    t->drawn++;
  }
}

static void check_task(const char *text, const char *name, int threads, int draws, tally *t) {
  sc_machine machine;
  sc_rng rng;
  load_machine(name, &machine);
  const sc_task *task = task_of(text);
  const sc_space *space = default_space(task);
  double begin = sc_now_s();
  sc_space_bound *bound = bind_space(space, task, &machine, &(sc_space_options){.threads = threads});
  double took = sc_now_s() - begin;
  if (took > t->slowest_s) {
    t->slowest_s = took;
    snprintf(t->slowest, sizeof t->slowest, "%s on %s", text, name);
  }
  t->bound++;
  if (sc_space_count(bound) == 0) fail_msg("%s on %s: nothing is left", text, name);
  sc_rng_seed(&rng, task->hash, 0);
  check_draws(bound, task, &rng, draws, t);
  sc_space_unbind(bound);
}

static void report(const tally *t) {
  print_message("%zu spaces bound, %zu schedules drawn, slowest %.3f s: %s\n", t->bound, t->drawn, t->slowest_s,
                t->slowest);
}

/* ---- the corpus ---- */

static void check_file(const char *name, tally *t) {
  char folder[1024], path[1152], *text, *next;
  size_t len;
  sc_error err = {0};
  sc_data_dir(folder, sizeof folder);
  snprintf(path, sizeof path, "%s/corpus/%s", folder, name);
  if (sc_file_read(arena, path, 1 << 20, &text, &len, &err) != SC_OK) fail_msg("%s: %s", path, err.text);
  for (char *line = strtok_r(text, "\n", &next); line; line = strtok_r(NULL, "\n", &next)) {
    const char *task = strrchr(line, '\t');
    if (line[0] == '#' || !task) continue;
    check_task(task + 1, machines[t->bound % SC_COUNT_OF(machines)], t->bound % 3 == 0 ? 0 : 1, 8, t);
  }
}

static void test_corpus(void **state) {
  tally t = {0};
  check_file("networks.txt", &t);
  check_file("evaluation.txt", &t);
  assert_true(t.bound > 200);
  report(&t);
}

/* ---- variants ---- */

static void test_variants(void **state) {
  static const char *const bases[] = {"conv2d:H=14,W=14,C=32,K=32,R=3,S=3,pad=1",
                                      "conv2d:N=2,H=9,W=7,C=8,K=24,R=5,S=3,stride=2,pad=2",
                                      "conv2d:H=14,W=14,C=32,K=64,R=1,S=1",
                                      "conv2d:H=15,W=15,C=16,K=16,R=3,S=3,pad=2,dil=2",
                                      "conv2d:H=8,W=8,C=32,K=32,R=3,S=3,pad=1,groups=2",
                                      "conv2d:H=1,W=1,C=10,K=3,R=1,S=1",
                                      "depthwise:H=14,W=14,C=32,R=3,S=3,pad=1",
                                      "depthwise:H=15,W=9,C=48,R=5,S=5,stride=2,pad=2"};
  static const char *const layouts[] = {"NHWC", "NCHW", "NCHWc4", "NCHWc8", "NCHWc16"};
  static const char *const epilogues[] = {"none", "bias", "relu", "bias_relu", "bias_relu6"};
  static const char *const more[] = {"", ",weights=run", ",type=f16", ",type=u8", ",type=i32"};
  tally t = {0};
  for (size_t b = 0; b < SC_COUNT_OF(bases); b++)
    for (size_t l = 0; l < SC_COUNT_OF(layouts); l++)
      for (size_t m = 0; m < SC_COUNT_OF(more); m++) {
        char text[160];
        snprintf(text, sizeof text, "%s,layout=%s,epilogue=%s%s", bases[b], layouts[l], epilogues[(b + l + m) % 5],
                 more[m]);
        check_task(text, machines[(l + m) % 4], (int)m % 2, 100, &t);
      }
  static const char *const matmuls[] = {"matmul:M=1,N=1,K=1",
                                        "matmul:M=1,N=1,K=100",
                                        "matmul:M=7,N=1,K=5",
                                        "matmul:M=1,N=3,K=1",
                                        "matmul:M=33,N=17,K=65",
                                        "matmul:B=12,M=128,N=128,K=64",
                                        "matmul:B=3,M=5,N=7,K=11,layout=NK"};
  for (size_t b = 0; b < SC_COUNT_OF(matmuls); b++)
    for (size_t m = 0; m < SC_COUNT_OF(more); m++)
      for (size_t i = 0; i < SC_COUNT_OF(machines); i++) {
        char text[160];
        snprintf(text, sizeof text, "%s,epilogue=%s%s", matmuls[b], epilogues[(b + m) % 5], more[m]);
        check_task(text, machines[i], (int)m % 2, 100, &t);
      }
  report(&t);
}

/* Many draws of a few. */
static void test_many(void **state) {
  tally t = {0};
  check_task("matmul:M=512,N=512,K=512", "x86-64-v4", 1, 5000, &t);
  check_task("conv2d:H=56,W=56,C=64,K=64,R=3,S=3,pad=1", "x86-64-v4", 2, 5000, &t);
  check_task("depthwise:H=56,W=56,C=128,R=3,S=3,pad=1", "x86-64-v3", 2, 5000, &t);
  report(&t);
}

/* ---- experts ---- */

static void test_experts(void **state) {
  static const char *const known[][2] = {
      {"matmul:M=512,N=512,K=512",
       "tile i 14*36+8, j 32; vector j 16; loop k unroll 4; band k 256; band i 37, j all order j i; band order k; "
       "pack B 3 [j/t,k,j%t]; compile gcc"},
      {"matmul:M=512,N=512,K=512", /* BLIS: k and j blocked, B packed, i blocked, A packed */
       "tile i 8, j 32; vector j 16; loop k unroll 4; band i 8, j all, k 256 order j i; band i 8 order i; band order "
       "k; "
       "pack A 1 [i/t,k,i%t]; pack B 2 [j/t,k,j%t]; compile clang"},
      {"conv2d:H=56,W=56,C=64,K=64,R=3,S=3,pad=1",
       "tile q 14, k 32, s 3; vector k 16; loop r c; band c all, r all; band k all, p all, q all order k p q; band; "
       "pad p clamp, q peel; pack W 3 [k/t,r,c,s,k%t]; compile gcc"},
      {"conv2d:H=7,W=7,C=512,K=512,R=3,S=3,pad=1",
       "tile q 7, k 64, s 3; vector k 16; loop c r; band c 64, r all; band k all, p all order k p; band order c; "
       "pad p clamp, q peel; pack W 2 [k/t,r,c,s,k%t]; compile gcc"},
      {"conv2d:H=56,W=56,C=64,K=64,R=1,S=1",
       "tile q 14, k 32; vector k 16; loop c; band c all; band k all, q all order q k; band; compile gcc"},
      {"depthwise:H=56,W=56,C=128,R=3,S=3,pad=1",
       "tile q 7, c 16, r 3, s 3; vector c 16; loop p; band p all; band order c q; pad p peel, q peel; compile gcc"},
      {"depthwise:H=14,W=14,C=512,R=3,S=3,pad=1",
       "tile q 4*2+3*2, c 32, p 2, r 3, s 3; vector c 16; loop q; band q all; band order c p; pad p peel, q peel; "
       "compile clang"},
  };
  sc_machine machine;
  load_machine("x86-64-v4", &machine);
  for (size_t i = 0; i < SC_COUNT_OF(known); i++) {
    const sc_task *task = task_of(known[i][0]);
    sc_space_bound *bound = bind_space(default_space(task), task, &machine, &(sc_space_options){.threads = 1});
    sc_schedule s, back;
    sc_error err = {0};
    sc_count rank;
    if (sc_schedule_parse(task, "expert", known[i][1], &s, &err) != SC_OK) fail_msg("%s: %s", known[i][1], err.text);
    if (sc_space_rank(bound, &s, &rank) != SC_OK) fail_msg("%s\nnot in the space: %s", known[i][0], known[i][1]);
    assert_int_equal(sc_space_at(bound, rank, &back), SC_OK);
    assert_true(hash_of(task, &s) == hash_of(task, &back));
    assert_true(sc_space_count(bound) > 400000);
    sc_space_unbind(bound);
  }
}

/* A tensor that no pack can hold as a whole is packed tile by tile, a constant not at all; nothing else is lost by
 * it. */
static void test_huge_tensors(void **state) {
  static const char *const tasks[] = {"matmul:M=1073741824,N=1,K=1024", "matmul:M=1073741824,N=64,K=1024",
                                      "matmul:M=64,N=1073741824,K=1024", "matmul:M=64,N=1073741824,K=1024,weights=run",
                                      "conv2d:H=32768,W=32768,C=128,K=16,R=3,S=3,pad=1"};
  tally t = {0};
  for (size_t i = 0; i < SC_COUNT_OF(tasks); i++) check_task(tasks[i], "x86-64-v4", 2, 100, &t);
  report(&t);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_corpus), cmocka_unit_test(test_variants),
                                     cmocka_unit_test(test_many), cmocka_unit_test(test_experts),
                                     cmocka_unit_test(test_huge_tensors)};
  return cmocka_run_group_tests(tests, load_library, free_library);
}
