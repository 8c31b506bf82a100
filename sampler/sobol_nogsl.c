/* Without the GNU Scientific Library there is no Sobol sequence: saying so is better than another sequence of that
 * name. */
#include "sampler/sobol.h"

sc_status sc_sobol_new(int dims, uint64_t seed, sc_sobol **sobol, sc_error *err) {
  (void)dims, (void)seed;
  *sobol = NULL;
  return sc_fail(err, SC_UNSUPPORTED,
                 "this build has no GNU Scientific Library, and so no Sobol sequence: draw uniformly");
}

void sc_sobol_next(sc_sobol *sobol, double *point) { (void)sobol, (void)point; }

void sc_sobol_free(sc_sobol *sobol) { (void)sobol; }
