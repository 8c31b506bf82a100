/* An evaluation as a picture: times, intervals, picks. */
#include <math.h>
#include <stdlib.h>

#include "tools/evaluate.h"

static int by_value(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Share of the n values up to each of at most POINTS of them. */
static void put_shares(sc_str *s, const char *name, double *value, size_t n) {
  enum { POINTS = 400 };
  qsort(value, n, sizeof *value, by_value);
  sc_str_printf(s, "%s << EOD\n", name);
  const size_t step = n / POINTS + 1;
  for (size_t i = n > 0 ? (n - 1) % step : 0; i < n; i += step) /* the last one is drawn */
    sc_str_printf(s, "%.6g %.6g\n", value[i], (double)(i + 1) / (double)n);
  sc_str_add(s, "EOD\n");
}

/* The error in units of the half of the interval that it lies in: 1 is at its end. */
static void put_intervals(sc_str *s, const sc_rows *rows, const sc_evaluated *e, double *work) {
  size_t n = 0;
  for (size_t i = 0; i < rows->n; i++) {
    if (!(e->time_s[i] > 0)) continue;
    const double error = log(rows->time_s[i] / e->time_s[i]);
    const double half = log((error > 0 ? e->high_s[i] : e->low_s[i]) / e->time_s[i]);
    if (half != 0) work[n++] = error / half;
  }
  put_shares(s, "$intervals", work, n);
}

static void put_regrets(sc_str *s, const char *name, const double *regret, size_t ntasks, double *work) {
  size_t n = 0;
  for (size_t t = 0; t < ntasks; t++)
    if (isfinite(regret[t])) work[n++] = 100 * regret[t];
  put_shares(s, name, work, n);
}

sc_status evaluate_picture(tool *t, const char *path, const char *title, const sc_rows *rows, const sc_evaluated *e) {
  sc_str s = {0};
  double *work = sc_arena_alloc(t->arena, rows->n + rows->ntasks, sizeof *work);
  if (!work) return sc_fail(&t->err, SC_NOMEM, "no memory for a picture");
  put_intervals(&s, rows, e, work);
  put_regrets(&s, "$model", e->regret, rows->ntasks, work);
  put_regrets(&s, "$analytic", e->analytic_regret, rows->ntasks, work);
  picture_begin(&s, 1650, 600, path);
  sc_str_add(&s, "set multiplot layout 1,3 title ");
  picture_quote(&s, title);
  sc_str_add(&s, " noenhanced\nset title 'times'\n");
  picture_scatter(&s, rows, e->time_s);
  sc_str_add(
      &s, "unset logscale\nset key bottom right\nset yrange [0:1]\nset ylabel 'share of the schedules'\n"
          "set title '90 % intervals'\nset xrange [0:3]\nset xlabel 'error, in half intervals'\n"
          "set arrow 1 from 1,0 to 1,1 nohead lc rgb 'gray'\nset arrow 2 from 0,0.9 to 3,0.9 nohead lc rgb 'gray'\n"
          "plot $intervals with lines lw 2 title 'errors up to'\nunset arrow\n"
          "set title 'picks'\nset xrange [0:40]\nset xlabel 'regret@1, %' noenhanced\nset ylabel 'share of the tasks'\n"
          "plot $model with steps lw 2 title 'model', $analytic with steps lw 2 title 'analytic'\n"
          "unset multiplot\n");
  return picture_run(t, &s);
}
