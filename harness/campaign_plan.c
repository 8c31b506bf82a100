/* What is to be done: work in rows, duplicates once, this shard's tasks only; what the dataset holds already is
 * taken off.
 *
 * All passes of a task belong to one shard: one boot, a stretch of minutes. A task that was broken off goes on in
 * its shard within the hour and the boot; later it begins again in a new one, since raw times of two are never
 * compared. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/campaign.h"

static const int64_t hour_ns = 3600 * (int64_t)1000000000;

int sc_campaign_passes(const sc_campaign_options *options) { return options->passes > 0 ? options->passes : 3; }

int sc_campaign_most(const sc_campaign_options *options) {
  const int least = sc_campaign_passes(options);
  return options->most_passes > least ? options->most_passes : least;
}

uint32_t sc_campaign_abi(const sc_campaign_options *options) {
  return sc_harness_abi() | (options->measure.cold ? 1u << 16 : 0);
}

static sc_status no_memory(sc_error *err) { return sc_fail(err, SC_NOMEM, "out of memory"); }

/* ---- rows -------------------------------------------------------------------------------------------------------- */

static bool mine(const sc_work *work, const sc_campaign_options *options) {
  return options->nshards <= 0 || work->task->hash % (uint64_t)options->nshards == (uint64_t)options->shard;
}

static size_t find_task(const sc_plan *plan, uint64_t hash) {
  size_t n = plan->ntasks;
  if (n > 0 && plan->task[n - 1].task->hash == hash) return n - 1; /* work comes task by task */
  for (size_t i = 0; i < n; i++)
    if (plan->task[i].task->hash == hash) return i;
  return n;
}

static uint64_t row_key(const sc_row *row) {
  uint64_t part[] = {row->nest_hash, row->compiler_hash, (uint64_t)row->threads, row->task};
  return sc_hash64(part, sizeof part, 0);
}

static sc_status make_row(const sc_runner *runner, const sc_work *work, size_t number,
                          const sc_campaign_options *options, sc_row *row, sc_error *err) {
  sc_nest nest;
  sc_error why = {0};
  sc_status status = sc_lower(work->task, &work->schedule, &nest, &why);
  if (status != SC_OK) return sc_fail(err, status, "schedule %zu, of %s: %s", number + 1, work->task->text, why.text);
  const sc_compiler *compiler = sc_machine_compiler(&runner->machine, nest.compile);
  row->work = work;
  row->nest_hash = sc_nest_hash(work->task, &nest);
  row->compiler_hash = compiler ? sc_compiler_hash(compiler) : sc_hash64(nest.compile, strlen(nest.compile), 0);
  row->threads = sc_nest_threads(runner, &nest, &options->measure);
  return SC_OK;
}

/* A set of 64-bit keys. */
typedef struct keys {
  uint64_t *key;
  size_t *value;
  size_t cap;
} keys;

static void keys_free(keys *k) {
  free(k->key);
  free(k->value);
  *k = (keys){0};
}

static bool keys_make(keys *k, size_t n) {
  k->cap = 16;
  while (k->cap < 2 * n + 2) k->cap *= 2;
  k->key = calloc(k->cap, sizeof *k->key);
  k->value = calloc(k->cap, sizeof *k->value);
  if (k->key && k->value) return true;
  keys_free(k);
  return false;
}

/* The place of a key; *value is 0 where it is new. */
static size_t *keys_at(keys *k, uint64_t key) {
  size_t i = key & (k->cap - 1);
  while (k->value[i] != 0 && k->key[i] != key) i = (i + 1) & (k->cap - 1);
  k->key[i] = key;
  return &k->value[i];
}

static int by_task(const void *a, const void *b) {
  const sc_row *x = a, *y = b;
  if (x->task != y->task) return x->task < y->task ? -1 : 1;
  return x->work < y->work ? -1 : 1;
}

static sc_status make_rows(const sc_runner *runner, const sc_work *work, size_t n, const sc_campaign_options *options,
                           sc_plan *plan, keys *seen, sc_error *err) {
  for (size_t i = 0; i < n; i++) {
    if (!mine(&work[i], options)) continue;
    sc_row *row = &plan->row[plan->nrows];
    *row = (sc_row){0};
    SC_TRY(make_row(runner, &work[i], i, options, row, err));
    row->task = find_task(plan, work[i].task->hash);
    size_t *known = keys_at(seen, row_key(row));
    if (*known) { /* two texts of one nest */
      sc_row *first = &plan->row[*known - 1];
      if (sc_proposal_bias(work[i].proposal) < sc_proposal_bias(first->work->proposal)) first->work = &work[i];
      continue;
    }
    *known = plan->nrows + 1;
    if (row->task == plan->ntasks) plan->task[plan->ntasks++] = (sc_task_run){.task = work[i].task};
    plan->nrows++;
  }
  qsort(plan->row, plan->nrows, sizeof *plan->row, by_task);
  for (size_t i = plan->nrows; i-- > 0;) plan->task[plan->row[i].task].first = i;
  for (size_t i = 0; i < plan->nrows; i++) plan->task[plan->row[i].task].n++;
  return SC_OK;
}

/* ---- what is there ----------------------------------------------------------------------------------------------- */

/* A row as some shard knows it. */
typedef struct match {
  size_t row;
  const sc_record *record;
  int valid;
} match;

static bool same_ground(const sc_record *r, uint64_t machine_hash, const sc_campaign_options *options) {
  return r->machine_hash == machine_hash && r->codegen_version == sc_codegen_version() &&
         r->harness_abi == sc_campaign_abi(options) && !r->stale;
}

static int by_shard(const void *a, const void *b) {
  return strcmp(((const match *)a)->record->shard, ((const match *)b)->record->shard);
}

static int64_t last_ns(const sc_record *r) {
  int64_t last = 0;
  for (uint32_t p = 0; p < r->npasses; p++)
    if (r->pass[p].unix_ns > last) last = r->pass[p].unix_ns;
  return last;
}

/* A failure is done with, but a time limit may be asked about again. */
static bool has_failed(const sc_record *r, const sc_campaign_options *options) {
  return r->outcome != SC_RAN && !(options->retry && r->outcome == SC_TIMED_OUT);
}

/* Passes of the matches [from, to), all of one shard, count for their rows. */
static void take(sc_plan *plan, const match *from, const match *to, const sc_campaign_options *options) {
  int passes = sc_campaign_passes(options);
  for (const match *m = from; m < to; m++) {
    sc_row *row = &plan->row[m->row];
    row->outcome = m->record->outcome;
    row->failed = has_failed(m->record, options);
    plan->given_up += row->failed && row->outcome == SC_TIMED_OUT;
    row->passes = (int)m->record->npasses;
    for (uint32_t p = 0; p < m->record->npasses; p++)
      if (!m->record->pass[p].invalid) sc_row_add_pass(row, &m->record->pass[p]);
    plan->skipped += (size_t)(row->valid < passes ? row->valid : passes);
  }
}

/* Of the shards that know rows of this task: of the complete ones that in which most ran, else a young one of this
 * boot; one without any pass has no times that could be too old. */
static void choose_shard(sc_plan *plan, size_t t, match *matches, size_t n, const char *boot,
                         const sc_campaign_options *options) {
  const match *from = NULL, *to = NULL;
  size_t most = 0; /* rows that ran, and 1, of a complete one */
  bool old = false; /* the chosen one */
  qsort(matches, n, sizeof *matches, by_shard);
  for (size_t i = 0, end; i < n; i = end) {
    size_t done = 0, ran = 1;
    int64_t last = 0;
    for (end = i; end < n && strcmp(matches[end].record->shard, matches[i].record->shard) == 0; end++) {
      done += has_failed(matches[end].record, options) || matches[end].valid >= sc_campaign_passes(options);
      ran += matches[end].record->outcome == SC_RAN;
      if (last_ns(matches[end].record) > last) last = last_ns(matches[end].record);
    }
    bool complete = done >= plan->task[t].n && ran > most;
    bool young =
        strncmp(matches[i].record->shard, boot, strlen(boot)) == 0 && (last == 0 || sc_unix_ns() - last < hour_ns);
    if (complete || (young && most == 0)) from = &matches[i], to = &matches[end], old = !young;
    if (complete) most = ran;
  }
  if (!from) return;
  snprintf(plan->task[t].shard, sizeof plan->task[t].shard, "%s", from->record->shard);
  plan->task[t].closed = old;
  take(plan, from, to, options);
}

/* A draw that comes upon what a model had proposed makes it a draw: the same row with the other proposal is united
 * with the one that is there. */
static sc_status note_proposal(sc_dataset *dataset, const sc_record *record, const sc_work *work, sc_error *err) {
  if (sc_proposal_bias(work->proposal) >= sc_proposal_bias(record->proposal)) return SC_OK;
  sc_record r = *record;
  r.proposal = work->proposal;
  r.model_hash = work->model_hash;
  return sc_dataset_append(dataset, &r, err);
}

static int by_row(const void *a, const void *b) {
  const match *x = a, *y = b;
  return x->row < y->row ? -1 : x->row > y->row;
}

static sc_status resume(const sc_runner *runner, const sc_campaign_options *options, sc_dataset *dataset,
                        const char *boot, sc_plan *plan, sc_error *err) {
  size_t n = sc_dataset_count(dataset), nmatches = 0, cap = 0;
  uint64_t machine_hash = sc_machine_fingerprint(&runner->machine);
  match *matches = NULL;
  keys rows;
  if (!keys_make(&rows, plan->nrows)) return no_memory(err);
  for (size_t i = 0; i < plan->nrows; i++) *keys_at(&rows, row_key(&plan->row[i])) = i + 1;
  sc_status status = SC_OK;
  for (size_t i = 0; i < n && status == SC_OK; i++) {
    const sc_record *r = sc_dataset_at(dataset, i);
    if (!same_ground(r, machine_hash, options)) continue;
    sc_row like = {.nest_hash = r->nest_hash, .compiler_hash = r->compiler_hash, .threads = (int)r->threads};
    like.task = find_task(plan, r->task_hash);
    size_t known = like.task < plan->ntasks ? *keys_at(&rows, row_key(&like)) : 0;
    if (known == 0) continue;
    status = note_proposal(dataset, r, plan->row[known - 1].work, err);
    if (nmatches == cap) {
      match *more = realloc(matches, (cap = 2 * cap + 256) * sizeof *more);
      if (more) matches = more;
      else status = no_memory(err);
    }
    if (status == SC_OK) matches[nmatches++] = (match){known - 1, r, sc_record_valid_passes(r)};
  }
  if (nmatches > 0) qsort(matches, nmatches, sizeof *matches, by_row); /* rows are sorted by task */
  for (size_t i = 0, end; i < nmatches && status == SC_OK; i = end) {
    size_t t = plan->row[matches[i].row].task;
    for (end = i; end < nmatches && plan->row[matches[end].row].task == t; end++) continue;
    choose_shard(plan, t, matches + i, end - i, boot, options);
  }
  free(matches);
  keys_free(&rows);
  return status;
}

/* ---- shards and stretches ---------------------------------------------------------------------------------------- */

/* "host/boot-id/" */
static void boot_name(char *buf, size_t size) {
  char host[65] = "host", boot[64] = "unknown";
  gethostname(host, sizeof host - 1);
  FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");
  if (file && fgets(boot, sizeof boot, file)) boot[strcspn(boot, "\n")] = '\0';
  if (file) fclose(file);
  for (char *c = host; *c; c++)
    if (*c == '/') *c = '-';
  snprintf(buf, size, "%s/%s/", host, boot);
}

/* A number that no shard of this boot has, in other datasets neither: they may be merged. */
static uint64_t next_number(const sc_dataset *dataset, const char *boot) {
  uint64_t next = (uint64_t)(sc_unix_ns() / 1000000000);
  for (size_t i = 0; i < sc_dataset_count(dataset); i++) {
    const char *shard = sc_dataset_at(dataset, i)->shard;
    if (strncmp(shard, boot, strlen(boot)) != 0) continue;
    uint64_t number = strtoull(shard + strlen(boot), NULL, 10);
    if (number >= next) next = number + 1;
  }
  return next;
}

/* A row that is full of passes still wants valid ones: a disturbed one gives way (docs/dataset.md). */
static bool wants(const sc_row *row, int pass) { return !row->failed && row->valid <= pass; }

static void shuffle(size_t *rows, size_t n, uint64_t seed, uint64_t stream) {
  sc_rng rng;
  sc_rng_seed(&rng, seed, stream);
  for (size_t i = n; i > 1; i--) {
    size_t k = (size_t)sc_rng_below(&rng, i), keep = rows[k];
    rows[k] = rows[i - 1];
    rows[i - 1] = keep;
  }
}

size_t sc_plan_order(const sc_plan *plan, size_t task, int pass, int stream, uint64_t seed, size_t *rows) {
  const sc_task_run *t = &plan->task[task];
  size_t n = 0;
  for (size_t i = t->first; i < t->first + t->n; i++)
    if (wants(&plan->row[i], pass)) rows[n++] = i;
  shuffle(rows, n, seed ^ t->task->hash, (uint64_t)stream);
  return n;
}

static sc_status make_stretches(const sc_campaign_options *options, const char *boot, uint64_t number, sc_plan *plan,
                                sc_error *err) {
  plan->stretch = calloc(plan->ntasks + 1, sizeof *plan->stretch);
  plan->queue = calloc(plan->nrows + 1, sizeof *plan->queue);
  if (!plan->stretch || !plan->queue) return no_memory(err);
  for (size_t t = 0; t < plan->ntasks; t++) {
    sc_task_run *task = &plan->task[t];
    size_t *queue = plan->queue + plan->nqueue;
    /* all that may want any pass, in the order of the first */
    size_t n = sc_plan_order(plan, t, sc_campaign_passes(options) - 1, 0, options->seed, queue);
    task->passes = sc_campaign_passes(options);
    task->closed |= n == 0 && sc_task_settled(plan, t);
    if (!task->closed) n = sc_plan_order(plan, t, sc_campaign_most(options) - 1, 0, options->seed, queue);
    if (n == 0) continue;
    sc_stretch *s = plan->nstretches ? &plan->stretch[plan->nstretches - 1] : NULL;
    if (!s || s->nplaces + n > SC_STRETCH_ROWS) {
      s = &plan->stretch[plan->nstretches++];
      *s = (sc_stretch){.first_task = t, .first_place = plan->nqueue};
    }
    s->ntasks = t + 1 - s->first_task;
    s->nplaces += n;
    for (size_t i = 0; i < n; i++) plan->row[plan->queue[plan->nqueue + i]].place = plan->nqueue + i;
    plan->nqueue += n;
    if (task->shard[0] == '\0')
      snprintf(task->shard, sizeof task->shard, "%s%" PRIu64, boot, number + plan->nstretches - 1);
  }
  return SC_OK;
}

sc_status sc_plan_make(const sc_runner *runner, const sc_work *work, size_t n, const sc_campaign_options *options,
                       sc_dataset *dataset, sc_plan *plan, sc_error *err) {
  char boot[160];
  keys seen = {0};
  *plan = (sc_plan){.row = calloc(n + 1, sizeof *plan->row), .task = calloc(n + 1, sizeof *plan->task)};
  boot_name(boot, sizeof boot);
  sc_status status = plan->row && plan->task && keys_make(&seen, n) ? SC_OK : no_memory(err);
  if (status == SC_OK) status = make_rows(runner, work, n, options, plan, &seen, err);
  keys_free(&seen);
  if (status == SC_OK) status = resume(runner, options, dataset, boot, plan, err);
  if (status == SC_OK) status = make_stretches(options, boot, next_number(dataset, boot), plan, err);
  return status;
}

void sc_plan_free(sc_plan *plan) {
  free(plan->row);
  free(plan->task);
  free(plan->stretch);
  free(plan->queue);
  *plan = (sc_plan){0};
}
