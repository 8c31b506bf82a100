/* A sequence of points of low discrepancy in the unit cube of `dims` dimensions: sobol_gsl.c, or sobol_nogsl.c in a
 * build without the GNU Scientific Library. */
#ifndef SC_SAMPLER_SOBOL_H
#define SC_SAMPLER_SOBOL_H

#include "base/base.h"

typedef struct sc_sobol sc_sobol;
/* The seed shifts the sequence (modulo 1), so that seeds give different points of the same evenness (Cranley &
 * Patterson 1976). SC_UNSUPPORTED for more dimensions than the library has (40). */
sc_status sc_sobol_new(int dims, uint64_t seed, sc_sobol **sobol, sc_error *err);
void sc_sobol_next(sc_sobol *sobol, double *point); /* every coordinate in [0, 1) */
void sc_sobol_free(sc_sobol *sobol); /* NULL is fine */

#endif
