/* Set conflicts. Lines whose addresses agree modulo sets x line share a set. Of a box of strides, strides that return to the
 * same sets after `period` steps pile up n / period lines; together they reach no more sets than their common divisor
 * leaves. Both are pigeonhole bounds, so the result never exceeds what the box really piles up. */
#include <math.h>

#include "featurize/internal.h"

static int64_t gcd(int64_t a, int64_t b) {
  while (b != 0) {
    const int64_t r = a % b;
    a = b;
    b = r;
  }
  return a;
}

static int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

double sc_lines_per_set(const sc_shape *shape, int line_shift, int64_t sets) {
  if (sets < 1) return 0;
  const int64_t wrap = sets << line_shift, span_lines = ceil_div(shape->span, (int64_t)1 << line_shift);
  double single = 1;
  int64_t common = wrap;
  for (int i = 0; i < shape->nsparse; i++) {
    const int64_t divisor = gcd(shape->sparse[i].stride, wrap), period = wrap / divisor;
    common = gcd(common, divisor);
    single *= (double)ceil_div(shape->sparse[i].n, period);
  }
  const double reach = fmin((double)(wrap / common), (double)sets);
  const double wraps = (double)ceil_div(span_lines, sets);
  return fmax(fmax(single, ceil(shape->count / reach)) * wraps, ceil(shape->count * (double)span_lines / (double)sets));
}
