/* How things are printed: schedules that every tool reads again, quantities for people, JSON for programs. */
#include <math.h>
#include <string.h>

#include "tools/tools.h"

void print_task_line(sc_str *out, const sc_task *task) { sc_str_printf(out, "task %s\n", task->text); }

void print_origin_line(sc_str *out, const sc_origin *origin) {
  sc_origin_print(origin, out);
  sc_str_add(out, "\n");
}

void print_schedule_line(sc_str *out, const sc_task *task, const sc_schedule *schedule, const char *comment) {
  sc_str_add(out, "schedule ");
  sc_schedule_print(task, schedule, out);
  sc_str_printf(out, "%s%s\n", comment ? "  # " : "", comment ? comment : "");
}

/* Scales value by powers of `step` into a unit of the list. */
static void scaled(sc_str *out, double value, double step, const char *const *units, int n) {
  int i = 0;
  while (i + 1 < n && fabs(value) >= step) {
    value /= step;
    i++;
  }
  sc_str_printf(out, fabs(value) >= 100 ? "%.0f %s" : fabs(value) >= 10 ? "%.1f %s" : "%.2f %s", value, units[i]);
}

void print_bytes(sc_str *out, double bytes) {
  static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  if (bytes < 1024) sc_str_printf(out, "%.0f B", bytes);
  else if (bytes < 1024 * 1024 && fmod(bytes, 1024) == 0) sc_str_printf(out, "%.0f KiB", bytes / 1024);
  else scaled(out, bytes, 1024, units, 5);
}

void print_prediction(sc_str *out, const sc_task *task, const sc_prediction *p) {
  sc_str_time(out, p->time_s);
  sc_str_add(out, " (");
  sc_str_time(out, p->low_s);
  sc_str_add(out, " .. ");
  sc_str_time(out, p->high_s);
  sc_str_printf(out, "), %.4g GFLOP/s%s", task->flop / p->time_s * 1e-9,
                p->foreign        ? ", another machine's model"
                : p->extrapolates ? ", extrapolated"
                                  : "");
}

/* ---- JSON ---- */

void json_item(sc_str *out) {
  if (out->len == 0) return;
  char last = out->text[out->len - 1];
  if (last != '{' && last != '[' && last != '\n') sc_str_add(out, ", ");
}

void json_key(sc_str *out, const char *name) {
  json_item(out);
  sc_json_string(out, name);
  sc_str_add(out, ": ");
}

void json_text(sc_str *out, const char *name, const char *value) {
  json_key(out, name);
  sc_json_string(out, value);
}

void json_real(sc_str *out, const char *name, double value) {
  json_key(out, name);
  sc_json_number(out, value);
}

void json_count(sc_str *out, const char *name, uint64_t value) {
  json_key(out, name);
  sc_str_printf(out, "%llu", (unsigned long long)value);
}

void json_hash(sc_str *out, const char *name, uint64_t value) {
  char hex[17];
  sc_hash_hex(value, hex);
  json_text(out, name, hex);
}

void json_bool(sc_str *out, const char *name, bool value) {
  json_key(out, name);
  sc_str_add(out, value ? "true" : "false");
}

void json_metric(sc_str *out, const char *name, const sc_metric *m) {
  json_key(out, name);
  sc_str_add(out, "[");
  const double value[] = {m->value, m->low, m->high};
  for (int i = 0; i < 3; i++) {
    json_item(out);
    sc_json_number(out, value[i]);
  }
  sc_str_add(out, "]");
}

void json_effort(sc_str *out, const sc_pick_effort *effort) {
  json_count(out, "scanned", effort->scanned);
  json_count(out, "predicted", effort->predicted);
  json_real(out, "scan_s", effort->seconds);
}

void json_prediction(sc_str *out, const sc_task *task, const sc_prediction *p) {
  json_real(out, "time_s", p->time_s);
  json_real(out, "low_s", p->low_s);
  json_real(out, "high_s", p->high_s);
  json_real(out, "analytic_s", p->analytic_s);
  json_real(out, "flop_per_s", task->flop / p->time_s);
  json_bool(out, "extrapolates", p->extrapolates);
  json_bool(out, "foreign", p->foreign);
  json_text(out, "knowledge", sc_knowledge_text(p->knowledge));
}

/* ---- campaigns ---- */

void print_report(sc_str *out, const char *dataset, const sc_campaign_report *r, bool json) {
  if (json) {
    sc_str_add(out, "{");
    json_text(out, "dataset", dataset);
    json_count(out, "schedules", r->schedules);
    json_count(out, "visits", r->visits);
    json_count(out, "skipped", r->skipped);
    json_count(out, "invalidated", r->invalidated);
    json_count(out, "extended_tasks", r->extended);
    json_real(out, "seconds", r->seconds);
    json_real(out, "compile_s", r->compile_s);
    for (int i = 0; i < SC_OUTCOME_COUNT; i++) json_count(out, sc_outcome_name((sc_outcome)i), r->outcomes[i]);
    json_real(out, "agreement_top1", r->agreement_top1);
    json_real(out, "agreement_tau", r->agreement_tau);
    sc_str_add(out, "}\n");
    return;
  }
  sc_str_printf(out, "%zu schedules, %zu visits in %.1f s: %.1f schedules/s; compiled in %.1f s\n", r->schedules,
                r->visits, r->seconds, r->seconds > 0 ? (double)r->schedules / r->seconds : 0, r->compile_s);
  for (int i = 0; i < SC_OUTCOME_COUNT; i++)
    if (r->outcomes[i]) sc_str_printf(out, "%s %zu  ", sc_outcome_name((sc_outcome)i), r->outcomes[i]);
  sc_str_printf(out, "visits already there %zu  visits invalidated %zu\n", r->skipped, r->invalidated);
  if (r->extended) sc_str_printf(out, "tasks that got more passes, since they did not agree: %zu\n", r->extended);
  if (isfinite(r->agreement_top1))
    sc_str_printf(out, "re-measurement agreement: top-1 %.3f, tau %.3f\n", r->agreement_top1, r->agreement_tau);
}
