/* What the benchmark's files share: schedules compiled into functions, and times of things measured in turns. */
#ifndef TESTS_BENCH_H
#define TESTS_BENCH_H

#include "codegen/codegen.h"

enum { BENCH_MAX = 512 };

/* Anything that can be timed: one call does the whole operator once. */
typedef struct subject {
  char name[400];
  void (*call)(void *self);
  void *self;
  double best_s, median_s, spread; /* spread: (90 % - 10 %) / median */
} subject;

/* A compiled schedule with its buffers. */
typedef struct compiled {
  const sc_task *task;
  void *tensors[SC_MAX_TENSORS];
  void *ahead, *scratch;
  int threads;
  void (*run)(void *const *, const void *, void *, int, int, void (*)(void *), void *);
} compiled;

typedef struct candidates {
  int n;
  char text[BENCH_MAX][400];
} candidates;

/* candidates.c: schedules that an expert would try. */
void candidates_of(const sc_task *task, candidates *c);

/* compile.c: all candidates that are legal, as subjects; prints why others are not when `verbose`. */
int compile_all(const sc_task *task, const candidates *c, const char *compiler, void *const *tensors, subject *subjects, bool verbose);
void call_compiled(void *self); /* of a subject whose self is a compiled */
void *bench_alloc(size_t bytes); /* aligned to 4 KiB + 64 * a counter, so that arrays do not start in one cache set */

/* timing.c */
double time_once(const subject *s, double at_least_s); /* seconds of a call, the mean over a batch of at_least_s */
/* Times all subjects in turns, `rounds` times, and fills best, median and spread. */
void time_in_turns(subject *subjects, int n, int rounds, double batch_s);
/* Keeps the best `keep` of n after a quick look, in order. */
int keep_best(subject *subjects, int n, int keep, double batch_s);

/* peers.c: the libraries. A peer that cannot run has call == NULL and says why in its name. */
int peers_of(const sc_task *task, void *const *tensors, subject *subjects);
void pick_openblas_core(void); /* before anything else: runs the program again under the core type that is fastest here */

#endif
