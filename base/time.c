/* Clocks. */
#include <time.h>

#include "base/base.h"

static int64_t read_ns(clockid_t clock) {
  struct timespec t;
  SC_ASSERT(clock_gettime(clock, &t) == 0);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

uint64_t sc_now_ns(void) { return (uint64_t)read_ns(CLOCK_MONOTONIC); }

double sc_now_s(void) { return (double)sc_now_ns() * 1e-9; }

int64_t sc_unix_ns(void) { return read_ns(CLOCK_REALTIME); }
