/* ns per sc_lower, per sc_nest_hash and per key of a kernel, over random schedules and over one typical schedule a task:
 *   build/tests/bench_lower [SCHEDULES]
 * The best of several rounds; random schedules are what the tests draw, so larger than typical ones. */
#include <stdio.h>
#include <stdlib.h>

#include "ir/ir.h"
#include "tests/ir/random_schedule.h"

enum { ROUNDS = 15, MAX_SCHEDULES = 4096 };

static const struct {
  const char *task, *schedule; /* NULL: random ones */
} cases[] = {
    {"matmul:M=512,N=512,K=512",
     "tile i 14*36+8, j 32; vector j 16; loop k unroll 4; band i 9, k 256 order i; band j 8 order j; band order k j i; "
     "pack B 2 [j/t,k,j%t]; pack A 1 [i/t,k,i%t]"},
    {"conv2d:H=56,W=56,C=64,K=64,R=3,S=3,pad=1",
     "tile q 14, k 32, s 3; vector k 16; loop r c; band c 64, r 3; band p 8, q all, k all order k p q; band order p; "
     "pack W 2 [k/t,c,r,s,k%t]; pad p clamp, q peel"},
    {"depthwise:H=56,W=56,C=128,R=3,S=3,pad=1",
     "tile q 7, c 16, r 3, s 3; vector c 16; loop p; band p all; band q all order q c; pad p peel, q peel"},
    {"matmul:M=512,N=512,K=512", NULL},
    {"conv2d:H=56,W=56,C=64,K=64,R=3,S=3,pad=1", NULL},
    {"depthwise:H=56,W=56,C=128,R=3,S=3,pad=1", NULL},
};

typedef struct work {
  const sc_task *task;
  sc_schedule *schedule;
  sc_nest *nest;
  sc_kernel *kernel;
  int n;
} work;

static uint64_t sink;

static void lower(const work *w) { /* into one nest: all of them would be written past the L2 */
  sc_nest nest;
  for (int i = 0; i < w->n; i++) sink += (uint64_t)sc_lower(w->task, &w->schedule[i], &nest, NULL);
}
static void hash(const work *w) {
  for (int i = 0; i < w->n; i++) sink += sc_nest_hash(w->task, &w->nest[i]);
}
static void kernel(const work *w) {
  static const uint8_t first[SC_MAX_DIMS];
  for (int i = 0; i < w->n; i++) sc_nest_kernel(w->task, &w->nest[i], first, &w->kernel[i]);
}
static void key(const work *w) {
  for (int i = 0; i < w->n; i++) sink += sc_kernel_hash(&w->kernel[i], true);
}

static double best_ns(const work *w, void (*run)(const work *)) {
  double best = 1e30;
  for (int i = 0; i < ROUNDS; i++) {
    uint64_t start = sc_now_ns();
    run(w);
    double ns = (double)(sc_now_ns() - start) / w->n;
    if (ns < best) best = ns;
  }
  return best;
}

static int prepare(work *w, const char *schedule) {
  sc_error err = {0};
  sc_rng rng;
  sc_rng_seed(&rng, 1, 0);
  for (int i = 0; i < w->n; i++) {
    sc_status status = schedule ? sc_schedule_parse(w->task, "<schedule>", schedule, &w->schedule[i], &err)
                                : sc_schedule_random(w->task, &rng, 16, "gcc", &w->schedule[i]);
    if (status == SC_OK) status = sc_lower(w->task, &w->schedule[i], &w->nest[i], &err);
    if (status != SC_OK) return fprintf(stderr, "%s: %s\n", w->task->text, err.text), -1;
  }
  return 0;
}

int main(int argc, char **argv) {
  sc_arena *arena = sc_arena_new();
  const sc_library *library;
  sc_error err = {0};
  int n = argc > 1 ? atoi(argv[1]) : 512;
  if (n < 1 || n > MAX_SCHEDULES) return fprintf(stderr, "usage: bench_lower [1..%d]\n", MAX_SCHEDULES), 2;
  if (sc_library_load(arena, NULL, &library, &err) != SC_OK) return fprintf(stderr, "%s\n", err.text), 1;
  work w = {.n = n,
            .schedule = calloc((size_t)n, sizeof *w.schedule),
            .nest = calloc((size_t)n, sizeof *w.nest),
            .kernel = calloc((size_t)n, sizeof *w.kernel)};
  printf("%-42s %-8s %9s %9s %9s %9s\n", "ns each", "schedule", "sc_lower", "nest hash", "kernel", "key");
  for (size_t i = 0; i < SC_COUNT_OF(cases); i++) {
    if (sc_task_parse(arena, library, cases[i].task, &w.task, &err) != SC_OK)
      return fprintf(stderr, "%s\n", err.text), 1;
    if (prepare(&w, cases[i].schedule) != 0) return 1;
    printf("%-42s %-8s %9.0f %9.0f %9.0f %9.0f\n", cases[i].task, cases[i].schedule ? "typical" : "random",
           best_ns(&w, lower), best_ns(&w, hash), best_ns(&w, kernel), best_ns(&w, key));
  }
  free(w.schedule);
  free(w.nest);
  free(w.kernel);
  sc_arena_free(arena);
  return sink == 42; /* so that nothing is left out */
}
