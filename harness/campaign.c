/* A campaign: visits in passes over stretches of tasks, with a reading of the reference kernels about every second.
 * Visits wait for the reading that follows them; then they are valid or not, are written down and synced. Rows
 * around a bad reading are visited again at the end of the pass, up to SWEEPS times. A visit that fails is a record,
 * and its row is done.
 *
 * Building and measuring take turns, a batch each. While nothing is timed all cores compile, so one pass on two cores
 * takes as long as with a compiler beside the measurement, three passes a fifth longer; and no compiler disturbs what
 * is timed. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/campaign.h"

enum { SWEEPS = 3 };

typedef struct pending {
  size_t row;
  sc_measured measured;
} pending;

typedef struct campaign {
  const sc_campaign_options *options;
  sc_campaign_report *report;
  sc_runner *runner;
  sc_plan plan;
  sc_store *store;
  sc_recorder recorder;
  sc_drift drift;
  pending *pending; /* visits since the last reading */
  size_t npending, cap_pending;
  size_t *rows; /* of one sweep over one task */
  double started_s;
  sc_progress progress;
} campaign;

static bool stopped(const campaign *c) { return c->options->stop && *c->options->stop; }

/* ---- after a reading --------------------------------------------------------------------------------------------- */

static void count_visit(campaign *c, sc_row *row, const sc_measured *m) {
  int passes = c->plan.task[row->task].passes;
  c->report->visits++;
  row->outcome = (uint8_t)m->outcome;
  if (m->outcome != SC_RAN) {
    row->failed = true;
    c->progress.failed++;
    c->progress.done += (size_t)(passes - row->valid); /* no further ones will be made */
    return;
  }
  row->passes++;
  if (m->pass.invalid) {
    c->report->invalidated++;
    return;
  }
  sc_row_add_pass(row, &m->pass);
  c->progress.done++;
}

/* Judges and writes down what was visited since the reading before. */
static sc_status settle(campaign *c, bool valid, sc_error *err) {
  for (size_t i = 0; i < c->npending; i++) {
    sc_row *row = &c->plan.row[c->pending[i].row];
    sc_measured *m = &c->pending[i].measured;
    if (!valid) m->pass.invalid |= SC_PASS_DRIFTED;
    SC_TRY(sc_record_visit(&c->recorder, &c->plan, row, m, err));
    count_visit(c, row, m);
  }
  if (c->npending > 0) SC_TRY(sc_dataset_sync(c->recorder.dataset, err));
  c->npending = 0;
  return SC_OK;
}

/* Under an emulator times mean nothing, and neither does their drift. */
static sc_status read_and_settle(campaign *c, sc_error *err) {
  if (!c->runner->kind->measures) {
    c->drift.last_s = sc_now_s();
    c->drift.n++;
    return settle(c, true, err);
  }
  bool before = c->drift.n == 0 || c->drift.good;
  SC_TRY(sc_drift_read(&c->drift, c->runner, err));
  const double *ns = c->drift.ns[(c->drift.n - 1) % SC_READINGS];
  sc_log_printf(&c->options->log, SC_LOG_DEBUG, "reference kernels: %.0f ns, %.0f ns%s", ns[0], ns[1],
                c->drift.good ? "" : ": off");
  return settle(c, before && c->drift.good, err);
}

/* ---- building ---------------------------------------------------------------------------------------------------- */

static sc_status build_rows(campaign *c, const size_t *rows, size_t n, sc_error *err) {
  const sc_task *task[SC_BATCH] = {NULL};
  sc_built built[SC_BATCH];
  sc_nest *nest = calloc(n, sizeof *nest);
  if (!nest) return sc_fail(err, SC_NOMEM, "out of memory");
  sc_status status = SC_OK;
  for (size_t i = 0; i < n && status == SC_OK; i++) {
    const sc_work *work = c->plan.row[rows[i]].work;
    task[i] = work->task;
    status = sc_lower(work->task, &work->schedule, &nest[i], err);
  }
  if (status == SC_OK) status = sc_build(c->store, c->recorder.machine, task, nest, n, built, err);
  for (size_t i = 0; i < n && status == SC_OK; i++) {
    c->plan.row[rows[i]].built = built[i];
    c->plan.row[rows[i]].ready = true;
  }
  free(nest);
  return status;
}

/* Builds the batch of the queue that a row is in. Batches do not reach over stretches, whose objects are removed
 * together. */
static sc_status make_ready(campaign *c, const sc_stretch *s, const sc_row *row, sc_error *err) {
  if (row->ready) return SC_OK;
  size_t from = (row->place - s->first_place) / SC_BATCH * SC_BATCH, n = s->nplaces - from;
  double t0 = sc_now_s();
  sc_status status = build_rows(c, c->plan.queue + s->first_place + from, n < SC_BATCH ? n : SC_BATCH, err);
  c->report->compile_s += sc_now_s() - t0;
  return status;
}

static void remove_objects(campaign *c, const sc_stretch *s) {
  for (size_t i = s->first_place; i < s->first_place + s->nplaces; i++)
    unlink(c->plan.row[c->plan.queue[i]].built.path);
}

/* ---- visits ------------------------------------------------------------------------------------------------------ */

static void show(campaign *c, const sc_task_run *task) {
  sc_progress *p = &c->progress;
  double seconds = sc_now_s() - c->started_s;
  size_t visits = c->report->visits + c->npending;
  p->rate_per_s = seconds > 0 ? (double)visits / seconds : 0;
  p->eta_s = p->rate_per_s > 0 && p->total > p->done ? (double)(p->total - p->done) / p->rate_per_s : 0;
  p->best_flop_per_s = task->best_ns > 0 ? task->task->flop / task->best_ns * 1e9 : 0;
  p->task = task->task->text;
  if (c->options->progress) c->options->progress(c->options->progress_user, p);
}

static void note_best(sc_task_run *task, const sc_measured *m) {
  for (int i = 0; i < SC_REPEATS && m->outcome == SC_RAN; i++)
    if (m->pass.ns[i] > 0 && (task->best_ns == 0 || (double)m->pass.ns[i] < task->best_ns))
      task->best_ns = (double)m->pass.ns[i];
}

static sc_status visit(campaign *c, const sc_stretch *s, size_t number, sc_error *err) {
  sc_row *row = &c->plan.row[number];
  sc_task_run *task = &c->plan.task[row->task];
  if (!row->ready && c->npending > 0) SC_TRY(read_and_settle(c, err)); /* building takes a while */
  SC_TRY(make_ready(c, s, row, err));
  if (sc_drift_due(&c->drift)) SC_TRY(read_and_settle(c, err));
  if (c->npending == c->cap_pending) {
    pending *more = realloc(c->pending, (2 * c->cap_pending + 64) * sizeof *more);
    if (!more) return sc_fail(err, SC_NOMEM, "out of memory");
    c->pending = more;
    c->cap_pending = 2 * c->cap_pending + 64;
  }
  pending *p = &c->pending[c->npending];
  p->row = number;
  sc_status status =
      sc_visit(c->runner, task->task, &row->built, row->threads, row->visited ? SC_CHECK_RESULT : SC_CHECK_GUARDED,
               &c->options->measure, &p->measured, err);
  if (status != SC_OK) return status;
  c->npending++;
  row->visited = true;
  note_best(task, &p->measured);
  show(c, task);
  return SC_OK;
}

/* One sweep over one stretch: the rows that lack this pass. */
static sc_status sweep(campaign *c, const sc_stretch *s, int pass, int number, sc_error *err) {
  for (size_t t = s->first_task; t < s->first_task + s->ntasks; t++) {
    if (c->plan.task[t].passes <= pass) continue;
    size_t n = sc_plan_order(&c->plan, t, pass, pass * SWEEPS + number, c->options->seed, c->rows);
    for (size_t i = 0; i < n; i++) {
      if (stopped(c)) return SC_INTERRUPTED;
      SC_TRY(visit(c, s, c->rows[i], err));
    }
  }
  return read_and_settle(c, err); /* the next sweep asks what is still missing */
}

/* Tasks whose passes so far do not agree get one more. Returns whether any row wants it. */
static bool extend(campaign *c, const sc_stretch *s, int pass) {
  size_t visits = 0;
  for (size_t t = s->first_task; t < s->first_task + s->ntasks; t++) {
    sc_task_run *task = &c->plan.task[t];
    if (task->closed || task->passes < pass || sc_task_settled(&c->plan, t)) continue;
    task->passes = pass + 1;
    visits += sc_plan_order(&c->plan, t, pass, 0, c->options->seed, c->rows);
  }
  c->progress.total += visits;
  return visits > 0;
}

static sc_status measure(campaign *c, sc_error *err) {
  const int least = sc_campaign_passes(c->options), most = sc_campaign_most(c->options);
  for (size_t i = 0; i < c->plan.nstretches; i++) {
    const sc_stretch *s = &c->plan.stretch[i];
    for (int pass = 0; pass < most; pass++) {
      if (pass >= least && !extend(c, s, pass)) continue;
      for (int k = 0; k < SWEEPS; k++) SC_TRY(sweep(c, s, pass, k, err));
    }
    remove_objects(c, s);
  }
  return SC_OK;
}

/* ---- begin and end ----------------------------------------------------------------------------------------------- */

static sc_status begin(campaign *c, const sc_machine *asked, const sc_work *work, size_t n, sc_dataset *dataset,
                       sc_error *err) {
  if (sc_campaign_most(c->options) > SC_MAX_PASSES)
    return sc_fail(err, SC_USAGE, "%d passes, a row has at most %d", sc_campaign_most(c->options), SC_MAX_PASSES);
  SC_TRY(sc_runner_open(asked, &c->runner, err));
  const sc_machine *machine = &c->runner->machine; /* what is really measured */
  c->recorder = (sc_recorder){.machine = machine, .options = c->options, .dataset = dataset};
  c->recorder.machine_hash = sc_machine_fingerprint(machine);
  sc_machine_print(machine, &c->recorder.machine_text);
  SC_TRY(sc_plan_make(c->runner, work, n, c->options, dataset, &c->plan, err));
  c->rows = calloc(c->plan.nrows + 1, sizeof *c->rows);
  if (!c->rows || c->recorder.machine_text.failed) return sc_fail(err, SC_NOMEM, "out of memory");
  c->report->schedules = c->plan.nrows;
  c->report->skipped = c->plan.skipped;
  c->report->given_up = c->plan.given_up;
  c->progress.total = c->plan.nrows * (size_t)sc_campaign_passes(c->options);
  for (size_t i = 0; i < c->plan.nrows; i++) {
    const sc_row *row = &c->plan.row[i];
    int passes = sc_campaign_passes(c->options);
    c->progress.done += (size_t)(row->failed || row->valid > passes ? passes : row->valid);
    c->progress.failed += row->failed;
  }
  sc_log_printf(&c->options->log, SC_LOG_INFO, "%zu schedules of %zu tasks, %zu visits to make (%s)", c->plan.nrows,
                c->plan.ntasks, c->progress.total - c->progress.done, sc_runner_numbers(c->runner));
  return sc_store_open(NULL, &c->store, err);
}

/* By this campaign or before it was broken off. */
static bool was_extended(const campaign *c, const sc_task_run *task) {
  const int least = sc_campaign_passes(c->options);
  for (size_t i = task->first; i < task->first + task->n; i++)
    if (c->plan.row[i].valid > least && sc_campaign_most(c->options) > least) return true;
  return false;
}

/* What was measured and not yet judged is judged by one more reading, whatever ended the campaign. */
static void end(campaign *c, sc_status status) {
  sc_campaign_report *r = c->report;
  if (c->npending > 0 && status != SC_IO && read_and_settle(c, NULL) != SC_OK)
    sc_log_printf(&c->options->log, SC_LOG_WARN, "the last %zu visits could not be written", c->npending);
  r->seconds = sc_now_s() - c->started_s;
  for (size_t i = 0; i < c->plan.nrows; i++)
    if (c->plan.row[i].failed || c->plan.row[i].passes > 0) r->outcomes[c->plan.row[i].outcome]++;
  for (size_t t = 0; t < c->plan.ntasks; t++) r->extended += was_extended(c, &c->plan.task[t]);
  sc_agreement(&c->plan, &r->agreement_top1, &r->agreement_tau);
}

sc_status sc_campaign_run(const sc_machine *machine, const sc_work *work, size_t n, const sc_campaign_options *options,
                          sc_dataset *dataset, sc_campaign_report *report, sc_error *err) {
  sc_campaign_report unasked;
  campaign *c = calloc(1, sizeof *c);
  if (!c) return sc_fail(err, SC_NOMEM, "out of memory");
  c->options = options;
  c->report = report ? report : &unasked;
  *c->report = (sc_campaign_report){.agreement_top1 = NAN, .agreement_tau = NAN};
  c->started_s = sc_now_s();
  sc_status status = begin(c, machine, work, n, dataset, err);
  if (status == SC_OK) status = measure(c, err);
  if (status == SC_INTERRUPTED) sc_fail(err, status, "stopped on request; what was measured is in the dataset");
  end(c, status);
  sc_runner_close(c->runner);
  sc_store_close(c->store);
  sc_plan_free(&c->plan);
  sc_str_free(&c->recorder.machine_text);
  free(c->pending);
  free(c->rows);
  free(c);
  return status;
}
