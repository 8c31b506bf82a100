/* Learning curves: would more data help? */
#include <math.h>

#include "tools/evaluate.h"

enum { MOST_POINTS = 8 };

static void put_metric(sc_str *out, const sc_metric *m) {
  sc_str_printf(out, "  %.3f [%.3f-%.3f]", m->value, m->low, m->high);
}

static void put_line(sc_str *out, double share, const sc_evaluation *e) {
  sc_str_printf(out, "%5.3f %7.0f %8.0f", share, e->trained_groups, e->trained_rows);
  put_metric(out, &e->model.top1);
  put_metric(out, &e->model.pairs);
  put_metric(out, &e->model.mape);
  put_metric(out, &e->regret_ratio);
  sc_str_add(out, "\n");
}

static void put_json(sc_str *out, double share, const sc_evaluation *e) {
  json_item(out);
  sc_str_add(out, "{");
  json_real(out, "share", share);
  json_real(out, "groups", e->trained_groups);
  json_real(out, "rows", e->trained_rows);
  json_metric(out, "top1", &e->model.top1);
  json_metric(out, "pairs", &e->model.pairs);
  json_metric(out, "mape", &e->model.mape);
  json_metric(out, "regret_ratio", &e->regret_ratio);
  sc_str_add(out, "}");
}

static sc_status draw(tool *t, const char *path, const sc_evaluation *e, int n) {
  sc_str p = {0};
  sc_str_add(&p, "$c << EOD\n");
  for (int i = 0; i < n; i++)
    sc_str_printf(&p, "%.1f %.5f %.5f %.5f %.5f %.5f %.5f\n", e[i].trained_rows, e[i].model.top1.value,
                  e[i].model.top1.low, e[i].model.top1.high, e[i].model.pairs.value, e[i].model.pairs.low,
                  e[i].model.pairs.high);
  sc_str_add(&p, "EOD\n");
  picture_begin(&p, 900, 600, path);
  sc_str_add(&p, "set logscale x 2\nset xlabel 'schedules trained on'\nset ylabel 'score'\nset grid\n"
                 "set key bottom right\nset offsets graph 0.05, graph 0.05, graph 0.05, graph 0.05\n"
                 "plot $c using 1:2:3:4 with yerrorlines pt 7 title 'top-1, 95 %', "
                 "$c using 1:5:6:7 with yerrorlines pt 5 title 'pairs more than 10 % apart'\n");
  return picture_run(t, &p);
}

sc_status evaluate_curve(tool *t, const sc_rows *rows, sc_holdout holdout, const sc_train_options *train, int n,
                         const char *picture, bool json) {
  sc_evaluation e[MOST_POINTS];
  sc_train_options options = *train;
  options.no_intervals = true;
  for (int i = n - 1; i >= 0; i--) { /* the whole first: if that fails, it says why */
    options.share = exp2(i + 1 - n);
    const sc_status status = sc_evaluate(rows, holdout, NULL, &options, &e[i], NULL, &t->err);
    if (status == SC_UNSUPPORTED && i < n - 1)
      return sc_fail(&t->err, status, "1/%d of the groups is too little to train on: fewer points with --curve %d",
                     1 << (n - 1 - i), n - 1 - i);
    SC_TRY(status);
    if (n > 1) tool_say(t, "trained on %.0f groups, %.0f rows", e[i].trained_groups, e[i].trained_rows);
  }
  sc_str_add(&t->out, json ? "["
                           : "share  groups     rows  top-1                pairs > 10 %         MAPE                 "
                             "regret@1 / analytic\n");
  for (int i = 0; i < n; i++) (json ? put_json : put_line)(&t->out, exp2(i + 1 - n), &e[i]);
  if (json) sc_str_add(&t->out, "]\n");
  return picture ? draw(t, picture, e, n) : SC_OK;
}
