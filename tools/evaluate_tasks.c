/* evaluate-sched --parts task: which tasks are predicted badly. */
#include <math.h>

#include "tools/evaluate.h"

static void put_text(sc_str *out, const char *task, size_t n, double best_s, const double value[4]) {
  sc_str_printf(out, "%9.3f %6.0f %9.3f %6.0f %6zu %11.3f  %s\n", value[0], value[1], value[2], value[3], n,
                best_s * 1e6, task);
}

static void put_json(sc_str *out, const char *task, size_t n, double best_s, const double value[4]) {
  json_item(out);
  sc_str_add(out, "{");
  json_text(out, "task", task);
  json_count(out, "schedules", n);
  json_real(out, "best_s", best_s);
  json_real(out, "regret1", value[0]);
  json_real(out, "place", value[1]);
  json_real(out, "analytic_regret1", value[2]);
  json_real(out, "analytic_place", value[3]);
  sc_str_add(out, "}");
}

void evaluate_tasks(tool *t, const sc_rows *rows, const sc_evaluated *e, bool json) {
  sc_str *out = &t->out;
  if (json) sc_str_add(out, "[");
  else
    sc_str_printf(out, "%16s %16s\n%9s %6s %9s %6s %6s %11s  %s\n", "the model's pick", "the analytic one", "regret@1",
                  "place", "regret@1", "place", "of", "best, us", "task");
  for (size_t task = 0; task < rows->ntasks; task++) {
    const double value[] = {e->regret[task], e->place[task], e->analytic_regret[task], e->analytic_place[task]};
    if (!isfinite(value[0])) continue;
    (json ? put_json : put_text)(out, rows->task_name[task], (size_t)e->pool[task], e->best_s[task], value);
  }
  if (json) sc_str_add(out, "]\n");
}
