/* Is the machine as fast as it was? Two reference kernels, one bound by arithmetic, one by the outer caches, are read about once
 * a second. A reading farther than TOLERANCE from the level of the last minutes says that what was timed around it is not to be
 * trusted. The level is the 10 % quantile, not the best: a core that clocks up for one second would else spoil all others, and
 * what it times too fast would be a label. It forgets, since a clock may go down for good. */
#include <stdlib.h>
#include <string.h>

#include "harness/campaign.h"

static const double tolerance = 0.03, every_s = 1, quantile = 0.1;

bool sc_drift_due(const sc_drift *drift) { return drift->n == 0 || sc_now_s() - drift->last_s >= every_s; }

static int ascending(const void *a, const void *b) {
  const double *x = a, *y = b;
  return (*x > *y) - (*x < *y);
}

static double level(const sc_drift *drift, int kernel) {
  double sorted[SC_READINGS];
  size_t n = drift->n < SC_READINGS ? drift->n : SC_READINGS;
  for (size_t i = 0; i < n; i++) sorted[i] = drift->ns[i][kernel];
  qsort(sorted, n, sizeof *sorted, ascending);
  return sorted[(size_t)(quantile * (double)n)];
}

void sc_drift_add(sc_drift *drift, const double ns[2]) {
  memcpy(drift->ns[drift->n % SC_READINGS], ns, sizeof drift->ns[0]);
  drift->n++;
  drift->last_s = sc_now_s();
  drift->good = true;
  for (int k = 0; k < 2; k++) {
    double ratio = ns[k] / level(drift, k);
    if (ratio > 1 + tolerance || ratio < 1 - tolerance) drift->good = false;
  }
}

sc_status sc_drift_read(sc_drift *drift, sc_runner *runner, sc_error *err) {
  double now[2];
  SC_TRY(sc_read_clocks(runner, now, err));
  sc_drift_add(drift, now);
  return SC_OK;
}
