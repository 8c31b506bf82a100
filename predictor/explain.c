/* Explanation in words: where the analytic time goes, then the features whose Shapley values moved the trees' correction. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "predictor/internal.h"

typedef struct push {
  int feature;
  double effect; /* on log time */
} push;

static int by_size(const void *a, const void *b) {
  const double x = fabs(((const push *)a)->effect), y = fabs(((const push *)b)->effect);
  return (x < y) - (x > y);
}

static void print_time(double s, sc_str *out) {
  if (s < 1e-3) sc_str_printf(out, "%.3g us", s * 1e6);
  else if (s < 1) sc_str_printf(out, "%.4g ms", s * 1e3);
  else sc_str_printf(out, "%.4g s", s);
}

/* A feature's plain value in its unit. */
static void print_value(int f, float stored, sc_str *out) {
  const sc_feature_info *info = sc_feature_at(f);
  const double value = sc_feature_value(f, stored);
  if (strcmp(info->unit, "flag") == 0) sc_str_add(out, value > 0.5 ? "yes" : "no");
  else if (strcmp(info->unit, "share") == 0) sc_str_printf(out, "%.0f %%", 100 * value);
  else if (strcmp(info->unit, "x") == 0) sc_str_printf(out, "%.2f x", value);
  else if (strcmp(info->unit, "ns") == 0) print_time(value * 1e-9, out);
  else if (strcmp(info->unit, "B") == 0 && value >= 1048576) sc_str_printf(out, "%.4g MiB", value / 1048576);
  else if (strcmp(info->unit, "B") == 0 && value >= 1024) sc_str_printf(out, "%.4g KiB", value / 1024);
  else sc_str_printf(out, "%.4g %s", value, info->unit);
}

/* The doc of a feature with the task's tensors for out, in0 and in1. */
static void print_doc(const sc_task *task, const char *doc, sc_str *out) {
  static const char *const place[] = {"out", "in0", "in1"};
  for (const char *p = doc; *p;) {
    int a = 0;
    while (a < 3 && !(strncmp(p, place[a], 3) == 0 && (p == doc || p[-1] == ' ') &&
                      (p[3] == ' ' || p[3] == '\'' || p[3] == '\0')))
      a++;
    const bool tensor = a < 3 && a < task->naccesses;
    if (tensor) sc_str_add(out, task->tensor[task->access[a].tensor].name);
    else sc_str_addn(out, p, 1);
    p += tensor ? 3 : 1;
  }
}

static void print_terms(const sc_analytic_fit *fit, const sc_analytic *t, sc_str *out) {
  const bool known = t->known >= 0.5F;
  const struct {
    const char *what;
    double time_s;
  } term[] = {{"kernels", known ? fit->kernel * t->kernel_s : fit->compute * t->compute_s},
              {"traffic from the L2", fit->l2 * t->l2_s},
              {"from the L3", fit->l3 * t->l3_s},
              {"from memory", fit->memory * t->memory_s},
              {"set conflicts", fit->conflict * t->conflict_s},
              {"packing", fit->pack * t->pack_s},
              {"calls, loops and partial sums", fit->overhead * t->overhead_s}};
  const double sum = sc_fit_analytic_s(fit, t);
  sc_str_add(out, "analytic time ");
  print_time(sum, out);
  sc_str_add(out, ":");
  const char *comma = " ";
  for (size_t i = 0; i < SC_COUNT_OF(term); i++) {
    if (term[i].time_s < 0.005 * sum) continue;
    sc_str_printf(out, "%s%s %.0f %%", comma, term[i].what, 100 * term[i].time_s / sum);
    comma = ", ";
  }
  sc_str_add(out, "\n");
}

static void print_head(const sc_task *task, const sc_prediction *p, const sc_machine *machine, sc_str *out) {
  static const char *const knowledge[] = {"nothing but the machine file", "static facts of the kernels",
                                          "measured kernel rates"};
  sc_str_add(out, "predicted ");
  print_time(p->time_s, out);
  sc_str_add(out, " (90 %: ");
  print_time(p->low_s, out);
  sc_str_add(out, " to ");
  print_time(p->high_s, out);
  sc_str_printf(out, "), %.1f GFLOP/s", task->flop / p->time_s * 1e-9);
  if (machine->peak_flop_per_s.value > 0) {
    sc_str_printf(out, ", %.0f %% of one core's peak", 100 * task->flop / p->time_s / machine->peak_flop_per_s.value);
  }
  sc_str_printf(out, "\nknown of the target: %s\n", knowledge[p->knowledge]);
  if (p->extrapolates)
    sc_str_add(out, "the task lies outside the range of the training tasks: the interval is widened\n");
}

static void print_pushes(const sc_task *task, const float *row, push *pushes, int top, sc_str *out) {
  double shown = 0, all = 0;
  qsort(pushes, SC_FEATURE_COUNT, sizeof *pushes, by_size);
  for (int i = 0; i < SC_FEATURE_COUNT; i++) all += pushes[i].effect;
  for (int i = 0; i < top && i < SC_FEATURE_COUNT && fabs(pushes[i].effect) > 5e-4; i++) {
    sc_str_printf(out, "  %+6.1f %%  ", 100 * (exp(pushes[i].effect) - 1));
    print_doc(task, sc_feature_at(pushes[i].feature)->doc, out);
    sc_str_add(out, ": ");
    print_value(pushes[i].feature, row[pushes[i].feature], out);
    sc_str_add(out, "\n");
    shown += pushes[i].effect;
  }
  if (fabs(all - shown) > 5e-4) sc_str_printf(out, "  %+6.1f %%  all other features\n", 100 * (exp(all - shown) - 1));
}

sc_status sc_model_explain(const sc_model *model, const sc_task *task, const sc_nest *nest, const sc_target *target,
                           int top, sc_str *out, sc_error *err) {
  sc_prediction prediction;
  SC_TRY(sc_model_predict(model, task, nest, 1, target, false, &prediction, err));
  float row[SC_FEATURE_COUNT];
  uint8_t bins[SC_FEATURE_COUNT];
  double phi[SC_FEATURE_COUNT], base;
  sc_analytic terms;
  push pushes[SC_FEATURE_COUNT];
  sc_features_analytic(task, nest, target, row, &terms);
  sc_cuts_bins(&model->cuts, row, 1, bins);
  sc_forest_shap(&model->forest, bins, 0, phi, &base);
  for (int f = 0; f < SC_FEATURE_COUNT; f++) pushes[f] = (push){f, phi[f]};
  print_head(task, &prediction, target->machine, out);
  print_terms(&model->card.analytic, &terms, out);
  sc_str_printf(out, "the trees make it %+.1f %%: %+.1f %% for every schedule, and for this one\n",
                100 * (prediction.time_s / prediction.analytic_s - 1), 100 * (exp(base) - 1));
  print_pushes(task, row, pushes, top > 0 ? top : 8, out);
  return out->failed ? sc_fail(err, SC_NOMEM, "out of memory") : SC_OK;
}
