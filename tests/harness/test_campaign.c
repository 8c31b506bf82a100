/* Campaigns: everything is visited as often as asked for, whatever fails is a record, what was interrupted goes on,
 * shards part the tasks between them. Times are real and never decide. */
#include "common.h"

#include <math.h>

#include "harness/campaign.h"

enum { PER_TASK = 5, PASSES = 2 };

static const char *const texts[] = {"matmul:M=6,N=8,K=10", "matmul:M=9,N=4,K=3", "matmul:M=5,N=5,K=5"};

typedef struct job {
  sc_work work[SC_COUNT_OF(texts) * PER_TASK];
  size_t n;
  sc_campaign_options options;
  sc_campaign_report report;
  char path[128];
} job;

static job *job_make(world *w, const char *name, uint64_t seed) {
  job *j = calloc(1, sizeof *j);
  sc_rng rng;
  sc_rng_seed(&rng, seed, 0);
  for (size_t t = 0; t < SC_COUNT_OF(texts); t++)
    for (int i = 0; i < PER_TASK; i++) {
      sc_nest nest;
      sc_work *work = &j->work[j->n++];
      work->task = task_make(w, texts[t]);
      work->proposal = SC_PROPOSED_UNIFORM;
      schedule_draw(work->task, &rng, &work->schedule, &nest);
    }
  j->options = (sc_campaign_options){.passes = PASSES, .seed = 1, .measure = {.batch_s = 1e-4, .timeout_s = 5}};
  snprintf(j->path, sizeof j->path, "%s/%s.h5", w->folder, name);
  return j;
}

static sc_status run(world *w, job *j) {
  sc_dataset *dataset;
  sc_error why = {0};
  ok(sc_dataset_open(j->path, SC_DATASET_APPEND, &dataset, err));
  sc_status status = sc_campaign_run(&w->machine, j->work, j->n, &j->options, dataset, &j->report, &why);
  if (status != SC_OK && status != SC_INTERRUPTED) fail_msg("%s", why.text);
  ok(sc_dataset_close(dataset, err));
  return status;
}

static int valid(const sc_record *r) {
  int n = 0;
  for (uint32_t p = 0; p < r->npasses; p++) n += !r->pass[p].invalid;
  return n;
}

static void check_record(world *w, const sc_record *r, int passes) {
  assert_int_equal(r->outcome, SC_RAN);
  assert_int_equal(r->npasses <= SC_MAX_PASSES, 1);
  assert_in_range(valid(r), 0, passes + 2);
  assert_true(r->code_hash != 0 && r->source_hash != 0 && r->code_bytes > 0);
  assert_int_equal(r->codegen_version, sc_codegen_version());
  assert_int_equal(r->harness_abi, sc_harness_abi());
  assert_true(r->machine_hash == sc_machine_fingerprint(&w->machine));
  assert_int_equal(r->proposal, SC_PROPOSED_UNIFORM);
  assert_int_equal(r->simulated, 0);
  assert_non_null(strstr(r->compiler, "-falign-functions=64"));
  assert_non_null(strstr(r->machine, "machine here"));
  const char *slash = strchr(r->shard, '/');
  assert_non_null(slash);
  assert_non_null(strchr(slash + 1, '/')); /* host/boot/number */
  for (uint32_t p = 0; p < r->npasses; p++)
    for (int i = 0; i < SC_REPEATS; i++) assert_true(r->pass[p].ns[i] > 0);
}

static void check_dataset(world *w, const job *j, size_t rows) {
  sc_dataset *dataset;
  ok(sc_dataset_open(j->path, SC_DATASET_READ, &dataset, err));
  assert_int_equal(sc_dataset_count(dataset), rows);
  for (size_t i = 0; i < rows; i++) check_record(w, sc_dataset_at(dataset, i), PASSES);
  ok(sc_dataset_close(dataset, err));
}

static void test_everything_once(void **state) {
  world *w = *state;
  job *j = job_make(w, "all", 1);
  assert_int_equal(run(w, j), SC_OK);
  size_t rows = j->report.schedules;
  assert_in_range(rows, 3, j->n);
  assert_int_equal(j->report.outcomes[SC_RAN], rows);
  assert_int_equal(j->report.skipped, 0);
  assert_true(j->report.visits - j->report.invalidated <= rows * PASSES);
  assert_true(j->report.visits >= rows * PASSES);
  printf("%zu schedules, %zu visits (%zu invalid) in %.2f s, compiling %.2f s\n", rows, j->report.visits,
         j->report.invalidated, j->report.seconds, j->report.compile_s);
  check_dataset(w, j, rows);
  job *again = job_make(w, "all", 1); /* nothing is left to do, but for what no sweep found a quiet second for */
  assert_int_equal(run(w, again), SC_OK);
  assert_int_equal(again->report.schedules, rows);
  assert_int_equal(again->report.skipped, j->report.visits - j->report.invalidated);
  check_dataset(w, j, rows);
  free(j), free(again);
}

typedef struct interrupter {
  size_t calls, at;
  volatile bool stop;
} interrupter;

static void interrupt(void *user, const sc_progress *progress) {
  interrupter *i = user;
  assert_true(progress->done <= progress->total && progress->task != NULL && progress->rate_per_s >= 0);
  if (++i->calls == i->at) i->stop = true;
}

/* Stopped again and again, a campaign still comes to its end, and no visit is lost. */
static void test_resume(void **state) {
  world *w = *state;
  size_t visits = 0, stops = 0, skipped = 0;
  sc_status status = SC_INTERRUPTED;
  for (int round = 0; round < 40 && status == SC_INTERRUPTED; round++) {
    job *j = job_make(w, "resumed", 2);
    interrupter i = {.at = 7};
    j->options.progress = interrupt;
    j->options.progress_user = &i;
    j->options.stop = &i.stop;
    status = run(w, j);
    visits += j->report.visits - j->report.invalidated;
    assert_true(j->report.skipped >= skipped);
    if (status == SC_INTERRUPTED) {
      assert_int_equal(j->report.visits, 7); /* those that were made are in the dataset */
      stops++;
    } else {
      assert_int_equal(j->report.skipped + (j->report.visits - j->report.invalidated), visits);
      check_dataset(w, j, j->report.schedules);
    }
    skipped = j->report.skipped;
    free(j);
  }
  assert_int_equal(status, SC_OK);
  assert_true(stops >= 2);
}

static void test_shards(void **state) {
  world *w = *state;
  size_t rows = 0;
  job *whole = job_make(w, "whole", 3);
  sc_runner *runner;
  sc_plan plan;
  sc_dataset *dataset;
  ok(sc_runner_open(&w->machine, &runner, err));
  ok(sc_dataset_open(whole->path, SC_DATASET_APPEND, &dataset, err));
  ok(sc_plan_make(runner, whole->work, whole->n, &whole->options, dataset, &plan, err));
  size_t all = plan.nrows, tasks = 0;
  sc_plan_free(&plan);
  for (int s = 0; s < 3; s++) {
    whole->options.shard = s;
    whole->options.nshards = 3;
    ok(sc_plan_make(runner, whole->work, whole->n, &whole->options, dataset, &plan, err));
    rows += plan.nrows;
    tasks += plan.ntasks;
    assert_int_equal(plan.nqueue, plan.nrows);
    for (size_t i = 0; i < plan.nqueue; i++) assert_int_equal(plan.row[plan.queue[i]].place, i);
    for (size_t t = 0; t < plan.ntasks; t++) assert_int_equal(plan.task[t].task->hash % 3, s);
    sc_plan_free(&plan);
  }
  assert_int_equal(rows, all);
  assert_int_equal(tasks, SC_COUNT_OF(texts));
  sc_runner_close(runner);
  ok(sc_dataset_close(dataset, err));
  free(whole);
}

/* A compiler that the machine lacks, a schedule that is not legal, an empty campaign. */
static void test_failures(void **state) {
  world *w = *state;
  job *j = job_make(w, "failing", 4);
  snprintf(j->work[0].schedule.compile, sizeof j->work[0].schedule.compile, "icc");
  assert_int_equal(run(w, j), SC_OK);
  assert_int_equal(j->report.outcomes[SC_NOT_COMPILED], 1);
  assert_int_equal(j->report.outcomes[SC_RAN], j->report.schedules - 1);
  sc_dataset *dataset;
  ok(sc_dataset_open(j->path, SC_DATASET_READ, &dataset, err));
  int found = 0;
  for (size_t i = 0; i < sc_dataset_count(dataset); i++) {
    const sc_record *r = sc_dataset_at(dataset, i);
    if (r->outcome != SC_NOT_COMPILED) continue;
    found++;
    assert_non_null(strstr(r->failure, "icc"));
    assert_int_equal(r->npasses, 0);
    assert_int_equal(r->code_hash, 0);
  }
  assert_int_equal(found, 1);
  ok(sc_dataset_close(dataset, err));
  size_t visits = j->report.visits;
  assert_int_equal(run(w, j), SC_OK); /* a failure is done */
  assert_true(j->report.visits < visits);
  assert_int_equal(j->report.outcomes[SC_NOT_COMPILED], 1);
  j->n = 0;
  assert_int_equal(run(w, j), SC_OK);
  assert_int_equal(j->report.schedules, 0);
  assert_true(isnan(j->report.agreement_tau));

  sc_error why = {0};
  job *k = job_make(w, "illegal", 5);
  k->work[3].schedule.lanes = 3;
  ok(sc_dataset_open(k->path, SC_DATASET_APPEND, &dataset, err));
  assert_int_equal(sc_campaign_run(&w->machine, k->work, k->n, &k->options, dataset, NULL, &why), SC_ILLEGAL);
  assert_non_null(strstr(why.text, "schedule 4, of matmul:"));
  ok(sc_dataset_close(dataset, err));
  free(j), free(k);
}

/* A task of a type that no code is generated for fails alone, with its type named. */
static void test_types(void **state) {
  static const char *const types[] = {"f16", "u8"};
  world *w = *state;
  job *j = job_make(w, "types", 10);
  sc_dataset *dataset;
  char text[64];
  j->n = 4;
  for (int i = 0; i < 2; i++) {
    snprintf(text, sizeof text, "matmul:M=6,N=8,K=10,type=%s", types[i]);
    j->work[i].task = task_make(w, text);
  }
  assert_int_equal(run(w, j), SC_OK);
  assert_int_equal(j->report.outcomes[SC_NOT_COMPILED], 2);
  assert_int_equal(j->report.outcomes[SC_RAN], j->report.schedules - 2);
  ok(sc_dataset_open(j->path, SC_DATASET_READ, &dataset, err));
  for (size_t i = 0; i < sc_dataset_count(dataset); i++) {
    const sc_record *r = sc_dataset_at(dataset, i);
    for (int k = 0; k < 2; k++)
      if (strstr(r->task, types[k])) assert_non_null(strstr(r->failure, types[k]));
  }
  ok(sc_dataset_close(dataset, err));
  free(j);
}

/* What timed out stays so until it is asked for again. */
static void test_retry(void **state) {
  world *w = *state;
  job *j = job_make(w, "slow", 11);
  j->n = 2;
  j->options.passes = 1;
  j->options.measure.timeout_s = 1e-4;
  assert_int_equal(run(w, j), SC_OK);
  assert_int_equal(j->report.outcomes[SC_TIMED_OUT], j->report.schedules);
  assert_int_equal(j->report.given_up, 0);
  j->options.measure.timeout_s = 0;
  assert_int_equal(run(w, j), SC_OK);
  assert_int_equal(j->report.visits, 0);
  assert_int_equal(j->report.given_up, j->report.schedules);
  j->options.retry = true;
  assert_int_equal(run(w, j), SC_OK);
  assert_int_equal(j->report.given_up, 0);
  assert_int_equal(j->report.outcomes[SC_RAN], j->report.schedules);
  sc_dataset *dataset;
  ok(sc_dataset_open(j->path, SC_DATASET_READ, &dataset, err));
  assert_int_equal(sc_dataset_count(dataset), j->report.schedules);
  assert_int_equal(sc_dataset_at(dataset, 0)->outcome, SC_RAN);
  assert_string_equal(sc_dataset_at(dataset, 0)->failure, "");
  ok(sc_dataset_close(dataset, err));
  free(j);
}

/* A generic machine's rows are of the processor that ran them. */
static void test_generic(void **state) {
  world *w = *state;
  sc_machine machine = w->machine;
  job *j = job_make(w, "generic", 7);
  sc_dataset *dataset;
  j->n = 2;
  snprintf(w->machine.cpu, sizeof w->machine.cpu, "generic here");
  assert_int_equal(run(w, j), SC_OK);
  assert_int_equal(run(w, j), SC_OK); /* it knows its rows again: there stay two */
  ok(sc_dataset_open(j->path, SC_DATASET_READ, &dataset, err));
  assert_int_equal(sc_dataset_count(dataset), 2);
  const sc_record *r = sc_dataset_at(dataset, 0);
  assert_non_null(strstr(r->machine, machine.cpu));
  assert_non_null(strstr(r->machine, " as here\""));
  assert_true(r->machine_hash != sc_machine_fingerprint(&w->machine));
  ok(sc_dataset_close(dataset, err));
  w->machine = machine;
  free(j);
}

/* Passes of one boot go on within the hour; those of another boot or of yesterday are not added to. */
static void test_shard_of_another_boot(void **state) {
  world *w = *state;
  job *j = job_make(w, "boots", 6);
  char other[128], shard[160];
  sc_dataset *dataset, *moved;
  j->options.passes = 1;
  j->n = PER_TASK;
  assert_int_equal(run(w, j), SC_OK);
  snprintf(other, sizeof other, "%s/moved.h5", w->folder);
  ok(sc_dataset_open(j->path, SC_DATASET_READ, &dataset, err));
  ok(sc_dataset_open(other, SC_DATASET_APPEND, &moved, err));
  size_t rows = sc_dataset_count(dataset);
  for (size_t i = 0; i < rows; i++) {
    sc_record r = *sc_dataset_at(dataset, i);
    snprintf(shard, sizeof shard, "elsewhere/00000000/1");
    r.shard = shard;
    ok(sc_dataset_append(moved, &r, err));
  }
  ok(sc_dataset_close(moved, err));
  ok(sc_dataset_close(dataset, err));
  snprintf(j->path, sizeof j->path, "%s", other);
  j->options.passes = 2; /* incomplete there: begins again here */
  assert_int_equal(run(w, j), SC_OK);
  assert_int_equal(j->report.skipped, 0);
  ok(sc_dataset_open(other, SC_DATASET_READ, &dataset, err));
  assert_int_equal(sc_dataset_count(dataset), 2 * rows);
  ok(sc_dataset_close(dataset, err));
  free(j);
}

/* A row that is full of disturbed passes can still get a label; more passes than a row has are refused. */
static void test_full_rows(void **state) {
  world *w = *state;
  job *j = job_make(w, "full", 8);
  sc_dataset *dataset, *full;
  sc_error why = {0};
  j->options.passes = 1;
  j->n = PER_TASK;
  assert_int_equal(run(w, j), SC_OK);
  size_t rows = j->report.schedules;
  ok(sc_dataset_open(j->path, SC_DATASET_READ, &dataset, err));
  snprintf(j->path, sizeof j->path, "%s/fuller.h5", w->folder);
  ok(sc_dataset_open(j->path, SC_DATASET_APPEND, &full, err));
  for (size_t i = 0; i < rows; i++) {
    sc_record r = *sc_dataset_at(dataset, i);
    sc_pass first = r.pass[0];
    r.pass[0].invalid = 1;
    for (r.npasses = 1; r.npasses < SC_MAX_PASSES; r.npasses++) {
      r.pass[r.npasses] = first;
      r.pass[r.npasses].invalid = 1;
      r.pass[r.npasses].unix_ns += r.npasses;
    }
    ok(sc_dataset_append(full, &r, err));
  }
  ok(sc_dataset_close(dataset, err));
  ok(sc_dataset_close(full, err));
  assert_int_equal(run(w, j), SC_OK);
  assert_true(j->report.visits >= rows);
  ok(sc_dataset_open(j->path, SC_DATASET_READ, &dataset, err));
  size_t good = 0;
  for (size_t i = 0; i < rows; i++) {
    assert_int_equal(sc_dataset_at(dataset, i)->npasses, SC_MAX_PASSES);
    good += (size_t)valid(sc_dataset_at(dataset, i));
  }
  assert_int_equal(good, j->report.visits - j->report.invalidated);
  j->options.passes = SC_MAX_PASSES + 1;
  assert_int_equal(sc_campaign_run(&w->machine, j->work, j->n, &j->options, dataset, NULL, &why), SC_USAGE);
  ok(sc_dataset_close(dataset, err));
  free(j);
}

/* What a model proposed and a draw comes upon is a draw; what was drawn stays so when a model proposes it. */
static void test_proposals(void **state) {
  world *w = *state;
  job *j = job_make(w, "proposed", 9);
  sc_dataset *dataset;
  for (int round = 0; round < 3; round++) {
    j->options.passes = 1;
    j->n = PER_TASK;
    for (size_t i = 0; i < j->n; i++) {
      j->work[i].proposal = round == 1 ? SC_PROPOSED_UNIFORM : SC_PROPOSED_MODEL;
      j->work[i].model_hash = round == 1 ? 0 : 7;
    }
    assert_int_equal(run(w, j), SC_OK);
    ok(sc_dataset_open(j->path, SC_DATASET_READ, &dataset, err));
    assert_int_equal(sc_dataset_count(dataset), j->report.schedules);
    for (size_t i = 0; i < j->report.schedules; i++) {
      const sc_record *r = sc_dataset_at(dataset, i);
      assert_int_equal(r->proposal, round == 0 ? SC_PROPOSED_MODEL : SC_PROPOSED_UNIFORM);
      assert_int_equal(r->model_hash, round == 0 ? 7 : 0);
    }
    ok(sc_dataset_close(dataset, err));
  }
  assert_true(j->report.skipped + j->report.invalidated >= j->report.schedules);
  sc_plan plan;
  sc_runner *runner;
  j->n = 2; /* the same nest twice in one campaign */
  j->work[1] = j->work[0];
  j->work[1].proposal = SC_PROPOSED_STRATIFIED;
  ok(sc_runner_open(&w->machine, &runner, err));
  ok(sc_dataset_memory(&dataset, err));
  ok(sc_plan_make(runner, j->work, j->n, &j->options, dataset, &plan, err));
  assert_int_equal(plan.nrows, 1);
  assert_int_equal(plan.row[0].work->proposal, SC_PROPOSED_STRATIFIED);
  sc_plan_free(&plan);
  sc_runner_close(runner);
  ok(sc_dataset_close(dataset, err));
  free(j);
}

/* Readings near the level of the last minutes are good, both slower and faster ones are not; the level follows for
 * good. Where readings scatter, only what stands out of them is far. */
static void test_drift(void **state) {
  (void)state;
  sc_drift d = {0};
  assert_true(sc_drift_due(&d));
  for (int i = 0; i < 50; i++) sc_drift_add(&d, (double[2]){100 + i % 3, 200});
  assert_true(d.good);
  sc_drift_add(&d, (double[2]){101, 210});
  assert_false(d.good);
  sc_drift_add(&d, (double[2]){106, 200});
  assert_false(d.good);
  sc_drift_add(&d, (double[2]){95, 200});
  assert_false(d.good);
  sc_drift_add(&d, (double[2]){101, 201});
  assert_true(d.good);
  for (int i = 0; i < SC_READINGS + 50; i++) sc_drift_add(&d, (double[2]){150, 300});
  assert_true(d.good);
  sc_drift_add(&d, (double[2]){101, 201});
  assert_false(d.good);
  d = (sc_drift){0};
  for (int i = 0; i < 60; i++) sc_drift_add(&d, (double[2]){100, 200 + 10 * (i * 7 % 11)});
  sc_drift_add(&d, (double[2]){100, 320});
  assert_true(d.good);
  sc_drift_add(&d, (double[2]){100, 500});
  assert_false(d.good);
}

/* Agreement of two halves on made-up rows: equal halves agree fully, reversed ones not at all. */
static void test_agreement(void **state) {
  world *w = *state;
  sc_row rows[20] = {{0}};
  sc_task_run task = {.task = task_make(w, texts[0]), .n = 20};
  sc_plan plan = {.row = rows, .task = &task, .nrows = 20, .ntasks = 1};
  double top1, tau;
  for (int i = 0; i < 20; i++) rows[i].half[0] = rows[i].half[1] = (float)(10 + i);
  sc_agreement(&plan, &top1, &tau);
  assert_float_equal(top1, 1, 1e-6);
  assert_float_equal(tau, 1, 1e-6);
  assert_true(sc_task_settled(&plan, 0));
  for (int i = 1; i < 20; i++) rows[i].half[1] = (float)(30 - i); /* the same best, all else in reverse */
  assert_false(sc_task_settled(&plan, 0));
  for (int i = 0; i < 20; i++) rows[i].half[1] = (float)(29 - i);
  sc_agreement(&plan, &top1, &tau);
  assert_float_equal(top1, 10.0 / 29, 1e-6);
  assert_float_equal(tau, -1, 1e-6);
  for (int i = 8; i < 20; i++) rows[i].failed = true;
  rows[0].half[1] = 0; /* seven are too few */
  sc_agreement(&plan, &top1, &tau);
  assert_true(isnan(top1) && isnan(tau));
  assert_false(sc_task_settled(&plan, 0)); /* but they have a best */
  sc_row row = {0};
  for (int p = 0; p < 4; p++) {
    sc_pass pass = {.ns = {9, 8, 7, 6, 5, 4, 3, 2, 0}};
    pass.ns[3] = (float)(1.5 - 0.1 * p);
    sc_row_add_pass(&row, &pass);
  }
  assert_int_equal(row.valid, 4);
  assert_float_equal(row.half[0], 1.3, 1e-6);
  assert_float_equal(row.half[1], 1.2, 1e-6);
}

/* The job's dataset again, with two valid passes of made-up times `age_ns` ago; those of task t agree when bit t is
 * set. */
static void make_up(world *w, job *j, const char *name, unsigned agree, int64_t age_ns) {
  sc_dataset *from, *to;
  ok(sc_dataset_open(j->path, SC_DATASET_READ, &from, err));
  snprintf(j->path, sizeof j->path, "%s/%s.h5", w->folder, name);
  ok(sc_dataset_open(j->path, SC_DATASET_APPEND, &to, err));
  size_t n = sc_dataset_count(from);
  for (size_t i = 0; i < n; i++) {
    sc_record r = *sc_dataset_at(from, i);
    unsigned task = 0;
    while (strcmp(r.task, texts[task]) != 0) task++;
    r.npasses = 2;
    for (int p = 0; p < 2; p++) {
      const size_t rank = p == 0 || agree >> task & 1 ? i : n - i;
      r.pass[p] = (sc_pass){.unix_ns = sc_unix_ns() - age_ns + p};
      for (int k = 0; k < SC_REPEATS; k++) r.pass[p].ns[k] = 1e-3F * (float)(1 + rank);
    }
    ok(sc_dataset_append(to, &r, err));
  }
  ok(sc_dataset_close(to, err));
  ok(sc_dataset_close(from, err));
}

/* Tasks whose passes do not agree are visited again up to the most, those that agree or are from long ago are not;
 * broken off on the way, again and again, they come to the same. */
static void test_more_passes(void **state) {
  world *w = *state;
  const struct {
    const char *name;
    unsigned agree;
    int64_t age_ns;
    size_t tasks; /* that are visited again */
  } cases[] = {{"agree", 7, 0, 0}, {"disagree", 0, 0, 3}, {"one_agrees", 2, 0, 2}, {"long_ago", 0, (int64_t)7200e9, 0}};
  for (size_t i = 0; i < SC_COUNT_OF(cases); i++) {
    job *j = job_make(w, "more", 11);
    assert_int_equal(run(w, j), SC_OK);
    size_t rows = j->report.schedules, visits = 0, valid_visits = 0, extended = 0;
    make_up(w, j, cases[i].name, cases[i].agree, cases[i].age_ns);
    j->options.most_passes = PASSES + 3;
    j->options.progress = interrupt;
    sc_status status = SC_INTERRUPTED;
    for (int round = 0; round < 60 && status == SC_INTERRUPTED; round++) {
      interrupter stop = {.at = 16};
      j->options.progress_user = &stop;
      j->options.stop = &stop.stop;
      status = run(w, j);
      visits += j->report.visits;
      valid_visits += j->report.visits - j->report.invalidated;
      extended = j->report.extended;
    }
    assert_int_equal(status, SC_OK);
    assert_int_equal(extended, cases[i].tasks);
    if (cases[i].tasks == 3) assert_true(visits >= 3 * rows && valid_visits <= 3 * rows);
    if (cases[i].tasks == 2) assert_true(visits >= 3 * 2 && valid_visits < 3 * rows);
    if (cases[i].tasks == 0) assert_int_equal(visits, 0);
    free(j);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_everything_once), cmocka_unit_test(test_resume),
      cmocka_unit_test(test_shards),          cmocka_unit_test(test_failures),
      cmocka_unit_test(test_types),           cmocka_unit_test(test_retry),
      cmocka_unit_test(test_generic),         cmocka_unit_test(test_shard_of_another_boot),
      cmocka_unit_test(test_full_rows),       cmocka_unit_test(test_proposals),
      cmocka_unit_test(test_drift),           cmocka_unit_test(test_agreement),
      cmocka_unit_test(test_more_passes),
  };
  return cmocka_run_group_tests(tests, world_open, world_close);
}
