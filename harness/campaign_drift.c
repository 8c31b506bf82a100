/* Is the machine as fast as it was? Two reference kernels, one bound by arithmetic, one by the outer caches, are
 * read about once a second. A reading far from the median of the last minutes says that what was timed around it is
 * not to be trusted; both ways: what a core times too fast while it clocks up would be a label. Far is 3 %, or three
 * standard deviations where the readings themselves scatter more (neighbours at an L3 cache, which come and go between
 * readings: several passes meet them, not this). The median forgets, since a clock may go down for good. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "harness/campaign.h"

static const double least_tolerance = 0.03, deviations = 3, every_s = 1;
static const double sigma_per_mad = 1.4826; /* of a normal distribution */

bool sc_drift_due(const sc_drift *drift) { return drift->n == 0 || sc_now_s() - drift->last_s >= every_s; }

static int ascending(const void *a, const void *b) {
  const double *x = a, *y = b;
  return (*x > *y) - (*x < *y);
}

static double median(double *values, size_t n) {
  qsort(values, n, sizeof *values, ascending);
  return values[n / 2];
}

/* Is the newest reading of a kernel far from the others? */
static bool is_far(const sc_drift *drift, int kernel, double ns) {
  double values[SC_READINGS];
  const size_t n = drift->n < SC_READINGS ? drift->n : SC_READINGS;
  for (size_t i = 0; i < n; i++) values[i] = drift->ns[i][kernel];
  const double level = median(values, n);
  for (size_t i = 0; i < n; i++) values[i] = fabs(values[i] - level);
  double tolerance = deviations * sigma_per_mad * median(values, n) / level;
  if (tolerance < least_tolerance) tolerance = least_tolerance;
  return fabs(ns / level - 1) > tolerance;
}

void sc_drift_add(sc_drift *drift, const double ns[2]) {
  memcpy(drift->ns[drift->n % SC_READINGS], ns, sizeof drift->ns[0]);
  drift->n++;
  drift->last_s = sc_now_s();
  drift->good = true;
  for (int k = 0; k < 2; k++) drift->good = drift->good && !is_far(drift, k, ns[k]);
}

sc_status sc_drift_read(sc_drift *drift, sc_runner *runner, sc_error *err) {
  double now[2];
  SC_TRY(sc_read_clocks(runner, now, err));
  sc_drift_add(drift, now);
  return SC_OK;
}
