/* Explanation in words: where the analytic time goes, then the features whose Shapley values moved the trees'
 * correction. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "predictor/internal.h"

static int by_size(const void *a, const void *b) {
  const double x = fabs(((const sc_push *)a)->effect), y = fabs(((const sc_push *)b)->effect);
  return (x < y) - (x > y);
}

/* Facts of kernels that the table does not hold are 0 in the row, which is no value. */
static bool is_known(int f, const float *row) {
  switch (f) {
  case SC_FEATURE_kernel_rate:
  case SC_FEATURE_kernel_over_model:
  case SC_FEATURE_kernel_first_share: return row[SC_FEATURE_kernel_known] > 0;
  case SC_FEATURE_kernel_spills:
  case SC_FEATURE_kernel_code: return row[SC_FEATURE_kernel_static] > 0;
  default: return true;
  }
}

/* A feature's plain value in its unit. */
static void print_value(int f, const float *row, sc_str *out) {
  const sc_feature_info *info = sc_feature_at(f);
  const double value = sc_feature_value(f, row[f]);
  if (!is_known(f, row)) sc_str_add(out, "not known (the kernels are not in the table)");
  else if (strcmp(info->unit, "flag") == 0) sc_str_add(out, value > 0.5 ? "yes" : "no");
  else if (strcmp(info->unit, "share") == 0) sc_str_printf(out, "%.0f %%", 100 * value);
  else if (strcmp(info->unit, "x") == 0) sc_str_printf(out, "%.2f x", value);
  else if (strcmp(info->unit, "ns") == 0) sc_str_time(out, value * 1e-9);
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

enum { TERMS = 7 };
typedef struct term {
  const char *what, *binds;
  double time_s;
} term;

/* The parts of the analytic time; their sum. */
static double list_terms(const sc_analytic_fit *fit, const sc_analytic *t, term *terms) {
  const double kernels = t->known >= 0.5F ? fit->kernel * t->kernel_s : fit->compute * t->compute_s;
  const term all[TERMS] = {
      {"kernels", "the kernels", kernels},
      {"traffic from the L2", "traffic from the L2", fit->l2 * t->l2_s},
      {"from the L3", "traffic from the L3", fit->l3 * t->l3_s},
      {"from memory", "traffic from memory", fit->memory * t->memory_s},
      {"set conflicts", "set conflicts", fit->conflict * t->conflict_s},
      {"packing", "packing", fit->pack * t->pack_s},
      {"calls, loops and partial sums", "calls, loops and partial sums", fit->overhead * t->overhead_s}};
  memcpy(terms, all, sizeof all);
  return sc_fit_analytic_s(fit, t);
}

static void print_terms(const sc_analytic_fit *fit, const sc_analytic *t, sc_str *out) {
  term terms[TERMS];
  const double sum = list_terms(fit, t, terms);
  sc_str_add(out, "analytic time ");
  sc_str_time(out, sum);
  sc_str_add(out, ":");
  const char *comma = " ";
  for (int i = 0; i < TERMS; i++) {
    if (terms[i].time_s < 0.005 * sum) continue;
    sc_str_printf(out, "%s%s %.0f %%", comma, terms[i].what, 100 * terms[i].time_s / sum);
    comma = ", ";
  }
  sc_str_add(out, "\n");
}

/* What the kernels wait for, by the counts of their instructions. */
static const char *kernels_wait_for(const float *row) {
  const double loads = sc_feature_value(SC_FEATURE_load_over_fma_cycles, row[SC_FEATURE_load_over_fma_cycles]),
               chain = sc_feature_value(SC_FEATURE_chain_over_fma_cycles, row[SC_FEATURE_chain_over_fma_cycles]);
  if (chain > 1 && chain > loads) return "the latency of the FMA";
  return loads > 1 ? "loads and spills" : "the FMA units";
}

/* The largest part, and what is lost inside others: by short tiles, by threads that wait. */
static void print_binding(const sc_analytic_fit *fit, const sc_analytic *t, const float *row, sc_str *out) {
  term terms[TERMS];
  int most = 0;
  const double sum = list_terms(fit, t, terms), tails = (double)t->tails * terms[0].time_s / sum;
  for (int i = 1; i < TERMS; i++)
    if (terms[i].time_s > terms[most].time_s) most = i;
  sc_str_printf(out, "bound by %s, %.0f %%", terms[most].binds, 100 * terms[most].time_s / sum);
  if (most == 0) sc_str_printf(out, ", which wait for %s", kernels_wait_for(row));
  if (tails > 0.005) sc_str_printf(out, "; short tiles cost %.0f %%", 100 * tails);
  const double threads = sc_feature_value(SC_FEATURE_threads, row[SC_FEATURE_threads]),
               balance = sc_feature_value(SC_FEATURE_balance, row[SC_FEATURE_balance]);
  if (threads > 1.5 && balance > 0)
    sc_str_printf(out, "; %.0f threads are %.2f times as fast as one at most", threads, balance);
  sc_str_add(out, "\n");
}

static void print_head(const sc_task *task, const sc_prediction *p, const sc_machine *machine, sc_str *out) {
  sc_str_add(out, "predicted ");
  sc_str_time(out, p->time_s);
  sc_str_add(out, " (90 %: ");
  sc_str_time(out, p->low_s);
  sc_str_add(out, " to ");
  sc_str_time(out, p->high_s);
  sc_str_printf(out, "), %.1f GFLOP/s", task->flop / p->time_s * 1e-9);
  if (machine->peak_flop_per_s.value > 0) {
    sc_str_printf(out, ", %.0f %% of one core's peak", 100 * task->flop / p->time_s / machine->peak_flop_per_s.value);
  }
  sc_str_printf(out, "\nknown of the target: %s\n", sc_knowledge_text(p->knowledge));
  if (p->foreign) sc_str_add(out, "the model is of another machine: nothing calibrates the interval, it is widened\n");
  else if (p->extrapolates)
    sc_str_add(out, "the task lies outside the range of the training tasks: the interval is widened\n");
}

void sc_explain_pushes(const sc_task *task, const float *row, sc_push *pushes, int top, sc_str *out) {
  double shown = 0, all = 0;
  qsort(pushes, SC_FEATURE_COUNT, sizeof *pushes, by_size);
  for (int i = 0; i < SC_FEATURE_COUNT; i++) all += pushes[i].effect;
  for (int i = 0; i < top && i < SC_FEATURE_COUNT && fabs(pushes[i].effect) > 5e-4; i++) {
    sc_str_printf(out, "  %+6.1f %%  ", 100 * (exp(pushes[i].effect) - 1));
    print_doc(task, sc_feature_at(pushes[i].feature)->doc, out);
    sc_str_add(out, ": ");
    print_value(pushes[i].feature, row, out);
    sc_str_add(out, "\n");
    shown += pushes[i].effect;
  }
  if (fabs(all - shown) > 5e-4) sc_str_printf(out, "  %+6.1f %%  all other features\n", 100 * (exp(all - shown) - 1));
}

sc_status sc_model_explain(const sc_model *model, const sc_task *task, const sc_nest *nest, const sc_target *target,
                           bool selected, int top, sc_str *out, sc_error *err) {
  sc_prediction prediction;
  SC_TRY(sc_model_predict(model, task, nest, 1, target, selected, &prediction, err));
  float row[SC_FEATURE_COUNT];
  uint8_t bins[SC_FEATURE_COUNT];
  double phi[SC_FEATURE_COUNT], base;
  sc_analytic terms;
  sc_push pushes[SC_FEATURE_COUNT];
  sc_features_analytic(task, nest, target, row, &terms);
  sc_cuts_bins(&model->cuts, row, 1, bins);
  sc_forest_shap(&model->forest, bins, 0, phi, &base);
  for (int f = 0; f < SC_FEATURE_COUNT; f++) pushes[f] = (sc_push){f, phi[f]};
  print_head(task, &prediction, target->machine, out);
  print_terms(&model->card.analytic, &terms, out);
  print_binding(&model->card.analytic, &terms, row, out);
  sc_str_printf(out, "the trees make it %+.1f %%: %+.1f %% for every schedule, and for this one\n",
                100 * (prediction.time_s / prediction.analytic_s - 1), 100 * (exp(base) - 1));
  sc_explain_pushes(task, row, pushes, top > 0 ? top : 8, out);
  return out->failed ? sc_fail(err, SC_NOMEM, "out of memory") : SC_OK;
}
