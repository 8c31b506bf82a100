/* Coefficients of the analytic time. Least squares of relative errors under c >= 0: minimise sum w (sum_j c_j t_j / T -
 * 1)^2, by cyclic coordinate descent on the normal equations (convex, so it ends at the optimum; Lawson & Hanson 1974
 * for the problem). Terms that no row has keep their default. */
#include <math.h>
#include <string.h>

#include "predictor/internal.h"

enum { TERMS = 8 };

static void terms_of(const sc_analytic *t, double *term) {
  const bool known = t->known >= 0.5F;
  const double value[TERMS] = {known ? 0 : t->compute_s,
                               known ? t->kernel_s : 0,
                               t->l2_s,
                               t->l3_s,
                               t->memory_s,
                               t->conflict_s,
                               t->pack_s,
                               t->overhead_s};
  memcpy(term, value, sizeof value);
}

static void solve(double a[TERMS][TERMS], const double *b, double *c) {
  for (int sweep = 0; sweep < 2000; sweep++) {
    double moved = 0;
    for (int j = 0; j < TERMS; j++) {
      if (a[j][j] <= 0) continue;
      double rest = b[j];
      for (int k = 0; k < TERMS; k++) rest -= k == j ? 0 : a[j][k] * c[k];
      const double next = fmax(rest / a[j][j], 0);
      moved = fmax(moved, fabs(next - c[j]) * sqrt(a[j][j]));
      c[j] = next;
    }
    if (moved < 1e-12 * sqrt(b[0] * b[0] + 1)) break;
  }
}

void sc_analytic_fit_rows(const sc_rows *rows, const uint32_t *index, size_t n, sc_analytic_fit *fit) {
  double a[TERMS][TERMS] = {{0}}, b[TERMS] = {0},
         c[TERMS] = {1, 1, 0.25, 0.35, 0.5, 0.25, 1, 0.5}; /* as sc_analytic_combine's */
  for (size_t i = 0; i < n; i++) {
    double term[TERMS];
    terms_of(&rows->analytic[index[i]], term);
    for (int j = 0; j < TERMS; j++) {
      term[j] /= rows->time_s[index[i]];
      b[j] += term[j];
    }
    for (int j = 0; j < TERMS; j++) {
      for (int k = 0; k < TERMS; k++) a[j][k] += term[j] * term[k];
    }
  }
  solve(a, b, c);
  if (a[0][0] <= 0) c[0] = c[1]; /* every kernel is known, or none: what stands for the other is the same */
  if (a[1][1] <= 0) c[1] = c[0];
  *fit = (sc_analytic_fit){c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7]};
}
