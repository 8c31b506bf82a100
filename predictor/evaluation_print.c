/* An evaluation as a table for people and as JSON for programs. */
#include <math.h>
#include <stddef.h>

#include "predictor/predictor.h"

enum { HALF = 5 }; /* of the columns stand above the others */

static const struct {
  const char *key, *title;
  size_t offset;
} columns[] = {
    {"top1", "top-1", offsetof(sc_scores, top1)},
    {"top5", "top-5", offsetof(sc_scores, top5)},
    {"regret1", "regret@1", offsetof(sc_scores, regret1)},
    {"pairs", "pairs>10%", offsetof(sc_scores, pairs)},
    {"tau", "tau-b", offsetof(sc_scores, tau)},
    {"mape", "MAPE", offsetof(sc_scores, mape)},
    {"shard_mape", "in its shard", offsetof(sc_scores, shard_mape)},
    {"coverage", "coverage", offsetof(sc_scores, coverage)},
    {"half_width", "half width", offsetof(sc_scores, half_width)},
    {"top1_p5", "top-1 p5", offsetof(sc_scores, top1_p5)},
};

static const sc_metric *metric(const sc_scores *scores, size_t column) {
  return (const sc_metric *)((const char *)scores + columns[column].offset);
}

/* ---- text ---- */

static void print_metric(const sc_metric *m, sc_str *out) {
  if (!isfinite(m->value)) sc_str_add(out, "-");
  else if (!isfinite(m->low)) sc_str_printf(out, "%.3f [-]", m->value);
  else sc_str_printf(out, "%.3f [%.3f-%.3f]", m->value, m->low, m->high);
}

static void print_line(const sc_scores *scores, size_t from, size_t to, sc_str *out) {
  sc_str_printf(out, "%-12s", scores->name);
  for (size_t c = from; c < to; c++) {
    sc_str cell = {0};
    print_metric(metric(scores, c), &cell);
    sc_str_printf(out, "  %-19s", sc_str_text(&cell));
    sc_str_free(&cell);
  }
  sc_str_add(out, "\n");
}

static void print_block(const sc_evaluation *e, size_t from, size_t to, sc_str *out) {
  const sc_scores *lines[] = {&e->model, &e->analytic, &e->random, &e->remeasured};
  sc_str_printf(out, "%-12s", "");
  for (size_t c = from; c < to; c++) sc_str_printf(out, "  %-19s", columns[c].title);
  sc_str_add(out, "\n");
  for (size_t i = 0; i < SC_COUNT_OF(lines); i++) print_line(lines[i], from, to, out);
}

static void print_parts(const sc_evaluation *e, sc_str *out) {
  sc_str_printf(out, "\n%-24s %5s %6s  %-19s  %-19s  %-19s  %s\n", "part", "tasks", "groups", "top-1", "pairs>10%",
                "MAPE", "regret@1 / analytic");
  for (int i = 0; i < e->nparts; i++) {
    const sc_part_scores *p = &e->part[i];
    const sc_metric *const m[] = {&p->top1, &p->pairs, &p->mape, &p->regret_ratio};
    sc_str_printf(out, "%-24s %5zu %6zu", p->name, p->tasks, p->groups);
    for (size_t c = 0; c < SC_COUNT_OF(m); c++) {
      sc_str cell = {0};
      print_metric(m[c], &cell);
      sc_str_printf(out, c + 1 < SC_COUNT_OF(m) ? "  %-19s" : "  %s", sc_str_text(&cell));
      sc_str_free(&cell);
    }
    sc_str_add(out, "\n");
  }
}

static void print_text(const sc_evaluation *e, sc_str *out) {
  sc_str_printf(out, "%zu schedules of %zu tasks, %zu groups, %zu networks; [95 %% by a bootstrap over groups]\n\n",
                e->rows, e->tasks, e->groups, e->networks);
  print_block(e, 0, HALF, out);
  sc_str_add(out, "\n");
  print_block(e, HALF, SC_COUNT_OF(columns), out);
  const double gain = (e->model.top1.value - e->random.top1.value) / (1 - e->random.top1.value);
  sc_str_add(out, "\n");
  if (isfinite(gain)) sc_str_printf(out, "of what a random pick leaves, the model finds %.1f %% (top-1)\n", 100 * gain);
  sc_str_add(out, "regret@1 of the model over the analytic one's: ");
  print_metric(&e->regret_ratio, out);
  sc_str_add(out, ", paired\n");
  if (e->groups < 100) sc_str_printf(out, "note: %zu groups; claims need 100\n", e->groups);
}

/* ---- JSON ---- */

static void json_metric(const char *key, const sc_metric *m, sc_str *out) {
  sc_str_printf(out, "\"%s\": [", key);
  sc_json_number(out, m->value);
  sc_str_add(out, ", ");
  sc_json_number(out, m->low);
  sc_str_add(out, ", ");
  sc_json_number(out, m->high);
  sc_str_add(out, "]");
}

static void print_json(const sc_evaluation *e, sc_str *out) {
  const sc_scores *lines[] = {&e->model, &e->analytic, &e->random, &e->remeasured};
  sc_str_printf(out, "{\"rows\": %zu, \"tasks\": %zu, \"groups\": %zu, \"networks\": %zu", e->rows, e->tasks, e->groups,
                e->networks);
  for (size_t i = 0; i < SC_COUNT_OF(lines); i++) {
    sc_str_add(out, ", ");
    sc_json_string(out, lines[i]->name);
    sc_str_add(out, ": {");
    for (size_t c = 0; c < SC_COUNT_OF(columns); c++) {
      if (c) sc_str_add(out, ", ");
      json_metric(columns[c].key, metric(lines[i], c), out);
    }
    sc_str_add(out, "}");
  }
  sc_str_add(out, ", ");
  json_metric("regret_ratio", &e->regret_ratio, out);
  sc_str_add(out, ", \"parts\": [");
  for (int i = 0; i < e->nparts; i++) {
    const sc_part_scores *p = &e->part[i];
    sc_str_add(out, i ? ", {\"name\": " : "{\"name\": ");
    sc_json_string(out, p->name);
    sc_str_printf(out, ", \"tasks\": %zu, \"groups\": %zu, ", p->tasks, p->groups);
    json_metric("top1", &p->top1, out);
    sc_str_add(out, ", ");
    json_metric("pairs", &p->pairs, out);
    sc_str_add(out, ", ");
    json_metric("mape", &p->mape, out);
    sc_str_add(out, ", ");
    json_metric("regret_ratio", &p->regret_ratio, out);
    sc_str_add(out, "}");
  }
  sc_str_add(out, "]}\n");
}

void sc_evaluation_print(const sc_evaluation *evaluation, bool json, bool parts, sc_str *out) {
  if (json) print_json(evaluation, out);
  else print_text(evaluation, out);
  if (!json && parts) print_parts(evaluation, out);
}
