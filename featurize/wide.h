/* Several numbers at once: vectors of GNU C, which the compiler halves where the machine has only narrow ones. Memory
 * is read and written by memcpy. What is computed here gives the same bits on every machine. */
#ifndef SC_FEATURIZE_WIDE_H
#define SC_FEATURIZE_WIDE_H

#include <float.h>
#include <stdint.h>
#include <string.h>

#include "base/base.h"

#if defined(__FAST_MATH__) || (FLT_EVAL_METHOD != 0 && FLT_EVAL_METHOD != 16)
#error "features need floating point that rounds as it is written"
#endif

enum { SC_FLOATS = 8, SC_DOUBLES = 4 };
typedef float sc_floats __attribute__((vector_size(32)));
typedef int32_t sc_ints __attribute__((vector_size(32)));
typedef double sc_doubles __attribute__((vector_size(32)));
typedef int64_t sc_longs __attribute__((vector_size(32)));
typedef float sc_few_floats __attribute__((vector_size(16))); /* as many as SC_DOUBLES */

/* Where the mask is set a, else b. Macros, as vectors cannot be passed alike to functions of every ISA. */
#define SC_CHOOSE(mask, a, b) ((__typeof__(a))(((__typeof__(mask))(a) & (mask)) | ((__typeof__(mask))(b) & ~(mask))))
#define SC_LESSER(a, b) SC_CHOOSE((a) < (b), a, b)

/* ceil(x / divisor) of whole x >= 1, by the divisor's inverse, for scalars and vectors: a half less than x keeps
 * further from whole quotients than the inverse is wrong, as long as x < 2^50; adding and taking away 1.5 * 2^52 rounds
 * to the nearest whole number. */
#define SC_CEIL_DIV(x, inverse) ((((x)-0.5) * (inverse) + 0.5 + 0x1.8p52) - 0x1.8p52)

#endif
