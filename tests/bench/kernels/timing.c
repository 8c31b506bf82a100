/* Times in turns: every subject once a round, so that a disturbance hits all alike. */
#include <stdlib.h>

#include "tests/bench/kernels/bench.h"

double time_once(const subject *s, double at_least_s) {
  if (s->time) return s->time(s->self, at_least_s);
  s->call(s->self); /* warms */
  double begin = sc_now_s(), took;
  int n = 0;
  do {
    s->call(s->self);
    n++;
    took = sc_now_s() - begin;
  } while (took < at_least_s);
  return took / n;
}

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static int by_best(const void *a, const void *b) {
  return by_value(&((const subject *)a)->best_s, &((const subject *)b)->best_s);
}

void time_in_turns(subject *subjects, int n, int rounds, double batch_s) {
  double *times = calloc((size_t)n * (size_t)rounds + 1, sizeof *times);
  if (!times) abort();
  for (int r = 0; r < rounds; r++)
    for (int i = 0; i < n; i++) times[i * rounds + r] = time_once(&subjects[i], batch_s);
  for (int i = 0; i < n; i++) {
    double *t = times + i * rounds;
    qsort(t, (size_t)rounds, sizeof *t, by_value);
    subjects[i].best_s = t[0];
    subjects[i].median_s = t[rounds / 2];
    subjects[i].spread = (t[rounds * 9 / 10] - t[rounds / 10]) / t[rounds / 2];
  }
  free(times);
}

int keep_best(subject *subjects, int n, int keep, double batch_s) {
  time_in_turns(subjects, n, 3, batch_s);
  qsort(subjects, (size_t)n, sizeof *subjects, by_best);
  return n < keep ? n : keep;
}
