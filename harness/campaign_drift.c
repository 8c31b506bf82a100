/* Is the machine as fast as it was? Two reference kernels, one bound by arithmetic, one by the outer caches, are read about once a
 * second; a reading more than TOLERANCE above the best of the last minutes says that what was timed around it is not to be
 * trusted. The window forgets, because a clock that has gone down for good would else spoil the rest of a campaign. */
#include "harness/campaign.h"

static const double tolerance = 0.03, every_s = 1;

bool sc_drift_due(const sc_drift *drift) { return drift->n == 0 || sc_now_s() - drift->last_s >= every_s; }

sc_status sc_drift_read(sc_drift *drift, sc_runner *runner, sc_error *err) {
  double *now = drift->ns[drift->n % SC_READINGS];
  SC_TRY(sc_read_clocks(runner, now, err));
  drift->n++;
  drift->last_s = sc_now_s();
  drift->good = true;
  for (size_t i = 0; i < drift->n && i < SC_READINGS; i++)
    for (int k = 0; k < 2; k++)
      if (now[k] > drift->ns[i][k] * (1 + tolerance)) drift->good = false;
  return SC_OK;
}
