/* The trials of tune-sched as rows of datasets. */
#include <math.h>
#include <stdlib.h>

#include "tools/tune.h"

static int threads_of(const tuning *u, const sc_schedule *schedule) {
  if (!schedule->nparallel) return 1;
  return u->o->threads ? (int)u->o->threads : (int)u->p.machine.cores.value;
}

size_t tune_scratch(const tuning *u, const sc_schedule *schedule) {
  sc_nest nest;
  if (sc_lower(u->task, schedule, &nest, NULL) != SC_OK) return SIZE_MAX;
  return sc_nest_scratch_bytes(&nest, threads_of(u, schedule));
}

static bool is_ours(const tuning *u, const sc_record *r) {
  return r->task_hash == u->task->hash && r->machine_hash == sc_machine_fingerprint(&u->p.machine) && !r->stale;
}

double tune_time(const sc_record *r, int passes) {
  sc_record all = *r;
  double ns = 0;
  for (int p = passes; p > 0 && ns == 0; p--) ns = sc_record_label_ns(r, p);
  for (uint32_t p = 0; p < all.npasses; p++) all.pass[p].invalid = 0;
  if (ns == 0) ns = sc_record_label_ns(&all, (int)all.npasses < passes ? (int)all.npasses : passes);
  return ns > 0 ? ns * 1e-9 : INFINITY;
}

const sc_record *tune_row(const tuning *u, uint64_t hash) {
  const sc_record *found = NULL;
  for (size_t i = 0; i < sc_dataset_count(u->dataset); i++) {
    const sc_record *r = sc_dataset_at(u->dataset, i);
    if (r->nest_hash != hash || !is_ours(u, r)) continue;
    const int more = found ? sc_record_valid_passes(r) - sc_record_valid_passes(found) : 1;
    if (more > 0 || (more == 0 && tune_time(r, FINAL_PASSES) < tune_time(found, FINAL_PASSES))) found = r;
  }
  return found;
}

double tune_value(const tuning *u, const sc_record *r, size_t scratch) {
  if (!r || r->outcome != SC_RAN || (double)scratch > u->max_scratch || (double)r->code_bytes > u->max_code)
    return INFINITY;
  return tune_time(r, 1);
}

sc_status tune_collect(const tuning *u, const sc_dataset *dataset, bool here, sc_trial **trials, size_t *n) {
  const size_t all = sc_dataset_count(dataset);
  *n = 0;
  *trials = calloc(all + 1, sizeof **trials);
  if (!*trials) return sc_fail(&u->t->err, SC_NOMEM, "no memory for %zu rows", all);
  for (size_t i = 0; i < all; i++) {
    const sc_record *r = sc_dataset_at(dataset, i);
    sc_trial *to = &(*trials)[*n];
    sc_nest nest;
    if (here ? !is_ours(u, r) : r->task_hash != u->task->hash) continue;
    if (sc_schedule_parse(u->task, "the dataset", r->schedule, &to->schedule, NULL) != SC_OK ||
        sc_lower(u->task, &to->schedule, &nest, NULL) != SC_OK)
      continue;
    to->hash = sc_nest_hash(u->task, &nest);
    if (here && tune_row(u, to->hash) != r) continue; /* measured in several shards, it is one trial */
    to->how = (sc_proposal)r->proposal;
    to->value = tune_value(u, r, tune_scratch(u, &to->schedule));
    ++*n;
  }
  return SC_OK;
}

static int by_value(const void *a, const void *b) {
  const sc_trial *x = a, *y = b;
  return (x->value > y->value) - (x->value < y->value);
}

sc_status tune_replay(tuning *u, sc_schedule **list, size_t *n) {
  sc_dataset *from;
  sc_trial *trials = NULL;
  *n = 0;
  *list = NULL;
  if (!u->o->replay) return SC_OK;
  SC_TRY(sc_dataset_open(u->o->replay, SC_DATASET_READ, &from, &u->t->err));
  sc_status status = tune_collect(u, from, false, &trials, n);
  sc_dataset_close(from, NULL);
  if (status == SC_OK && *n == 0)
    status = sc_fail(&u->t->err, SC_NOTFOUND, "%s has no row of %s", u->o->replay, u->task->text);
  if (status == SC_OK && !(*list = calloc(*n + 1, sizeof **list)))
    status = sc_fail(&u->t->err, SC_NOMEM, "no memory for %zu schedules", *n);
  if (status == SC_OK) {
    qsort(trials, *n, sizeof *trials, by_value);
    for (size_t i = 0; i < *n; i++) (*list)[i] = trials[i].schedule;
  }
  free(trials);
  return status;
}
