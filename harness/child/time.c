/* The clock, and how many calls it takes to be read well. */
#include <math.h>
#include <sys/resource.h>
#include <time.h>

#include "child.h"

double now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

double clock_step_ns(void) {
  double least = INFINITY;
  for (int i = 0; i < 16; i++) {
    double t0 = now_ns(), t1 = now_ns();
    while (t1 == t0) t1 = now_ns();
    if (t1 - t0 < least) least = t1 - t0;
  }
  return least;
}

uint32_t calibrate(double (*run_ns)(void *user, uint32_t n), void *user, double least_ns) {
  uint32_t n = 1;
  for (;;) {
    double ns = run_ns(user, n);
    if (ns >= least_ns / 2 || n >= 1u << 30) {
      double per_call = ns / n, calls = ceil(least_ns / (per_call > 1e-3 ? per_call : 1e-3));
      return calls < 1 ? 1 : calls > (double)(1u << 30) ? 1u << 30 : (uint32_t)calls;
    }
    double more = least_ns / (ns > 1 ? ns : 1); /* the first calls are cold: never jump further than tenfold */
    n = (uint32_t)(n * (more > 10 ? 10 : more < 2 ? 2 : more));
  }
}

long switches(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_nivcsw;
}
