/* What the files of bench_kernels share: schedules as subjects that can be timed, and times taken in turns. */
#ifndef TESTS_BENCH_KERNELS_BENCH_H
#define TESTS_BENCH_KERNELS_BENCH_H

#include "codegen/codegen.h"

enum { BENCH_MAX = 512, BENCH_NAME = 400 };

/* Anything that does a whole operator once a call, or says itself how long one takes. */
typedef struct subject {
  char name[BENCH_NAME];
  void (*call)(void *self);
  double (*time)(void *self, double at_least_s); /* seconds of one; used instead of `call` where it is set */
  void *self;
  double best_s, median_s, spread; /* spread: (90 % - 10 %) / median */
} subject;

typedef struct candidates {
  int n;
  char text[BENCH_MAX][BENCH_NAME];
} candidates;

/* compile.c: the candidates that are legal, as subjects that run with `threads` threads. */
int compile_all(const sc_task *task, const candidates *c, const sc_compiler *compiler, void *const *tensors,
                int threads, subject *subjects);
void *bench_alloc(size_t bytes); /* zeroed; arrays do not start in the same cache sets */
/* Sets a subject's output to NaN, calls it once, and hashes what it wrote. */
uint64_t subject_result(const subject *s, const sc_tensor *out, float *data);

/* team.c: f_run by two threads pinned to two cores. */
typedef void run_fn(void *const *, const void *, void *, int, int, void (*)(void *), void *);
typedef struct compiled {
  void *tensors[SC_MAX_TENSORS], *ahead, *scratch;
  run_fn *run;
} compiled;
void pin_to_core(int number); /* of those this process may use */
double time_team(void *self, double at_least_s);

/* timing.c */
double time_once(const subject *s, double at_least_s);
void time_in_turns(subject *subjects, int n, int rounds, double batch_s); /* all once a round; fills the times */
int keep_best(subject *subjects, int n, int keep,
              double batch_s); /* a quick look; sorts and returns how many are left */

/* peer_*.c: a library as a subject; false and the reason in its name when it cannot run the task. */
bool peer_openblas(const sc_task *task, void *const *tensors, subject *s); /* matmul without a batch */
bool peer_onednn(const sc_task *task, subject *s); /* conv2d, depthwise */
bool peer_onnxruntime(const sc_task *task, subject *s); /* all of these */
/* All must agree to the bit, as inputs are small integers: exits where they differ. */
void check_results(const sc_task *task, const subject *s, int n, void *const *tensors);
/* Before anything else: runs the program again with one thread for OpenMP, which reads that when it is loaded, and with
 * the core type of OpenBLAS that is fastest here among those of the instruction set. */
void settle_environment(char **argv, bool avx512);

/* picks.c: what a model picks without a measurement against every library that can do the task, in turns, and geometric
 * means over the tasks. */
typedef struct pick_bench {
  sc_arena *arena;
  const sc_library *library;
  const sc_machine *machine;
  const sc_compiler *compiler;
  const char *model, *kernels; /* files */
  int rounds;
} pick_bench;
void bench_picks(const pick_bench *b, char *const *tasks, int n);

#endif
