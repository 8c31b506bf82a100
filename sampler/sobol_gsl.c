/* Sobol's sequence from the GNU Scientific Library. It knows 40 dimensions and would hand out zeros for more. */
#include <gsl/gsl_errno.h>
#include <gsl/gsl_qrng.h>
#include <stdlib.h>

#include "sampler/sobol.h"

struct sc_sobol {
  gsl_qrng *qrng;
  int dims;
  double shift[];
};

sc_status sc_sobol_new(int dims, uint64_t seed, sc_sobol **result, sc_error *err) {
  unsigned most = gsl_qrng_sobol->max_dimension;
  if (dims < 1 || (unsigned)dims > most)
    return sc_fail(err, SC_UNSUPPORTED, "the Sobol sequence has up to %u dimensions, this space needs %d", most, dims);
  sc_sobol *sobol = calloc(1, sizeof *sobol + (size_t)dims * sizeof(double));
  gsl_error_handler_t *handler = gsl_set_error_handler_off(); /* its default aborts */
  if (sobol) sobol->qrng = gsl_qrng_alloc(gsl_qrng_sobol, (unsigned)dims);
  gsl_set_error_handler(handler);
  if (!sobol || !sobol->qrng) {
    free(sobol);
    return sc_fail(err, SC_NOMEM, "out of memory");
  }
  sobol->dims = dims;
  sc_rng rng;
  sc_rng_seed(&rng, seed, 1);
  for (int i = 0; i < dims; i++) sobol->shift[i] = sc_rng_unit(&rng);
  *result = sobol;
  return SC_OK;
}

void sc_sobol_next(sc_sobol *sobol, double *point) {
  gsl_qrng_get(sobol->qrng, point);
  for (int i = 0; i < sobol->dims; i++) {
    point[i] += sobol->shift[i];
    if (point[i] >= 1) point[i] -= 1;
  }
}

void sc_sobol_free(sc_sobol *sobol) {
  if (!sobol) return;
  gsl_qrng_free(sobol->qrng);
  free(sobol);
}
