/* Rows into records, and how far the passes of a shard agree with each other. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/campaign.h"

static float least(const sc_pass *pass) {
  float best = INFINITY;
  for (int i = 0; i < SC_REPEATS; i++)
    if (pass->ns[i] > 0 && pass->ns[i] < best) best = pass->ns[i];
  return isfinite(best) ? best : 0;
}

void sc_row_add_pass(sc_row *row, const sc_pass *pass) {
  float ns = least(pass), *half = &row->half[row->valid++ % 2];
  if (ns > 0 && (*half == 0 || ns < *half)) *half = ns;
}

sc_status sc_record_visit(const sc_recorder *recorder, const sc_plan *plan, const sc_row *row,
                          const sc_measured *measured, sc_error *err) {
  const sc_task_run *task = &plan->task[row->task];
  const sc_compiler *compiler = sc_machine_compiler(recorder->machine, row->work->schedule.compile);
  sc_str schedule = {0}, command = {0};
  sc_schedule_print(task->task, &row->work->schedule, &schedule);
  if (compiler) sc_str_printf(&command, "%s | %s %s", compiler->version, compiler->command, compiler->arguments);
  sc_record r = {.task = task->task->text,
                 .schedule = sc_str_text(&schedule),
                 .compiler = sc_str_text(&command),
                 .machine = sc_str_text(&recorder->machine_text),
                 .shard = task->shard,
                 .failure = measured->failure,
                 .counters_missing = measured->counters_missing,
                 .task_hash = task->task->hash,
                 .nest_hash = row->nest_hash,
                 .compiler_hash = row->compiler_hash,
                 .machine_hash = recorder->machine_hash,
                 .code_hash = row->built.code_hash,
                 .source_hash = row->built.source_hash,
                 .model_hash = row->work->model_hash,
                 .harness_abi = sc_campaign_abi(recorder->options),
                 .codegen_version = sc_codegen_version(),
                 .threads = (uint32_t)row->threads,
                 .proposal = row->work->proposal,
                 .outcome = (uint8_t)measured->outcome,
                 .simulated = recorder->machine->simulated,
                 .npasses = measured->outcome == SC_RAN,
                 .code_bytes = row->built.code_bytes,
                 .compile_ms = row->built.compile_ms,
                 .counter_mask = measured->counter_mask};
  r.pass[0] = measured->pass;
  memcpy(r.counter_name, measured->counter_name, sizeof r.counter_name);
  memcpy(r.counter, measured->counter, sizeof r.counter);
  bool failed = schedule.failed || command.failed;
  sc_status status = failed ? sc_fail(err, SC_NOMEM, "out of memory") : sc_dataset_append(recorder->dataset, &r, err);
  sc_str_free(&schedule);
  sc_str_free(&command);
  return status;
}

/* ---- agreement --------------------------------------------------------------------------------------------------- */

enum { FEWEST = 8, MOST = 2000 }; /* rows of a task; tau takes their square */

/* Throughput of the row that one half of the passes picks, against the best, both by the other half. */
static double pick_of_half(const sc_row *const *row, size_t n, int half) {
  size_t pick = 0;
  float best = INFINITY;
  for (size_t i = 0; i < n; i++) {
    if (row[i]->half[half] < row[pick]->half[half]) pick = i;
    if (row[i]->half[!half] < best) best = row[i]->half[!half];
  }
  return (double)best / (double)row[pick]->half[!half];
}

/* Kendall's tau-b (Kendall 1945). */
static double tau_b(const sc_row *const *row, size_t n) {
  double agree = 0, a = 0, b = 0;
  for (size_t i = 0; i < n; i++)
    for (size_t k = 0; k < i; k++) {
      int x = (row[i]->half[0] > row[k]->half[0]) - (row[i]->half[0] < row[k]->half[0]);
      int y = (row[i]->half[1] > row[k]->half[1]) - (row[i]->half[1] < row[k]->half[1]);
      agree += x * y;
      a += x != 0;
      b += y != 0;
    }
  return a > 0 && b > 0 ? agree / sqrt(a * b) : NAN;
}

/* Of one task; tau is NaN where it has too few rows, both where it has none. */
static void agreement(const sc_plan *plan, const sc_task_run *task, double *top1, double *tau) {
  const sc_row *row[MOST];
  size_t n = 0;
  for (size_t i = task->first; i < task->first + task->n && n < MOST; i++)
    if (!plan->row[i].failed && plan->row[i].half[0] > 0 && plan->row[i].half[1] > 0) row[n++] = &plan->row[i];
  *top1 = n > 0 ? (pick_of_half(row, n, 0) + pick_of_half(row, n, 1)) / 2 : NAN;
  *tau = n >= FEWEST ? tau_b(row, n) : NAN;
}

bool sc_task_settled(const sc_plan *plan, size_t task) {
  double top1, tau;
  agreement(plan, &plan->task[task], &top1, &tau);
  return !(top1 < 0.99 || tau < 0.9); /* what three passes reach on a quiet machine */
}

void sc_agreement(const sc_plan *plan, double *mean_top1, double *mean_tau) {
  double sum_top1 = 0, sum_tau = 0;
  size_t tasks = 0;
  for (size_t t = 0; t < plan->ntasks; t++) {
    double top1, tau;
    agreement(plan, &plan->task[t], &top1, &tau);
    if (isnan(tau)) continue;
    sum_top1 += top1;
    sum_tau += tau;
    tasks++;
  }
  *mean_top1 = tasks ? sum_top1 / (double)tasks : NAN;
  *mean_tau = tasks ? sum_tau / (double)tasks : NAN;
}
