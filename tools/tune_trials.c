/* The trials of tune-sched as rows of datasets. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tools/tune.h"

int tune_threads(const tuning *u, const sc_schedule *schedule) {
  if (!schedule->nparallel) return 1;
  return u->o->threads ? (int)u->o->threads : (int)u->p.machine.cores.value;
}

size_t tune_scratch(const tuning *u, const sc_schedule *schedule) {
  sc_nest nest;
  if (sc_lower(u->task, schedule, &nest, NULL) != SC_OK) return SIZE_MAX;
  return sc_nest_scratch_bytes(&nest, tune_threads(u, schedule));
}

double tune_time(const sc_record *r, int passes) {
  sc_record all = *r;
  double ns = 0;
  for (int p = passes; p > 0 && ns == 0; p--) ns = sc_record_label_ns(r, p);
  for (uint32_t p = 0; p < all.npasses; p++) all.pass[p].invalid = 0;
  if (ns == 0) ns = sc_record_label_ns(&all, (int)all.npasses < passes ? (int)all.npasses : passes);
  return ns > 0 ? ns * 1e-9 : INFINITY;
}

/* Measured on this machine as a trial is: warm, by the code that is generated today. */
static bool is_ours(const tuning *u, const sc_record *r) {
  return r->task_hash == u->task->hash && r->machine_hash == u->machine_hash && r->harness_abi == sc_harness_abi() &&
         r->codegen_version == sc_codegen_version() && !r->stale && !r->simulated;
}

/* ---- rows by nest ---- */

typedef struct tune_place {
  uint64_t hash;
  const sc_record *record;
} tune_place;

static int by_hash(const void *a, const void *b) {
  const tune_place *x = a, *y = b;
  return (x->hash > y->hash) - (x->hash < y->hash);
}

/* Made anew when the dataset has grown; records stay where they are until then. */
static sc_status index_rows(tuning *u) {
  free(u->place);
  u->nplaces = 0;
  u->place = calloc(sc_dataset_count(u->dataset) + 1, sizeof *u->place);
  if (!u->place) return sc_fail(&u->t->err, SC_NOMEM, "no memory for %zu rows", sc_dataset_count(u->dataset));
  for (size_t i = 0; i < sc_dataset_count(u->dataset); i++) {
    const sc_record *r = sc_dataset_at(u->dataset, i);
    if (is_ours(u, r)) u->place[u->nplaces++] = (tune_place){r->nest_hash, r};
  }
  qsort(u->place, u->nplaces, sizeof *u->place, by_hash);
  return SC_OK;
}

static size_t first_of(const tuning *u, uint64_t hash) {
  size_t low = 0, high = u->nplaces;
  while (low < high) {
    const size_t middle = (low + high) / 2;
    if (u->place[middle].hash < hash) low = middle + 1;
    else high = middle;
  }
  return low;
}

const sc_record *tune_row(const tuning *u, uint64_t hash, const char *shard) {
  const sc_record *found = NULL;
  for (size_t i = first_of(u, hash); i < u->nplaces && u->place[i].hash == hash; i++) {
    const sc_record *r = u->place[i].record;
    if (shard && strcmp(r->shard, shard) != 0) continue;
    const int more = found ? sc_record_valid_passes(r) - sc_record_valid_passes(found) : 1;
    if (more > 0 || (more == 0 && tune_time(r, FINAL_PASSES) < tune_time(found, FINAL_PASSES))) found = r;
  }
  return found;
}

static int64_t last_ns(const sc_record *r) {
  int64_t last = 0;
  for (uint32_t p = 0; p < r->npasses; p++)
    if (r->pass[p].unix_ns > last) last = r->pass[p].unix_ns;
  return last;
}

const char *tune_shard(const tuning *u, const uint64_t *hash, size_t n) {
  const sc_record *found = NULL;
  for (size_t i = n ? first_of(u, hash[0]) : u->nplaces; i < u->nplaces && u->place[i].hash == hash[0]; i++) {
    const sc_record *r = u->place[i].record;
    size_t k = 1;
    while (k < n && tune_row(u, hash[k], r->shard)) k++;
    if (k == n && (!found || last_ns(r) > last_ns(found))) found = r;
  }
  return found ? found->shard : NULL;
}

double tune_value(const tuning *u, const sc_record *r, size_t scratch) {
  if (!r || r->outcome != SC_RAN || (double)scratch > u->max_scratch || (double)r->code_bytes > u->max_code)
    return INFINITY;
  return tune_time(r, 1);
}

sc_status tune_look(tuning *u, const sc_trial *trials, size_t n, double *value) {
  SC_TRY(index_rows(u));
  for (size_t i = 0; i < n; i++)
    value[i] = tune_value(u, tune_row(u, trials[i].hash, NULL), tune_scratch(u, &trials[i].schedule));
  return SC_OK;
}

/* ---- lists ---- */

/* Is it what this search could try? */
static bool belongs(const tuning *u, const sc_record *r, const sc_trial *trial) {
  sc_count rank;
  return is_ours(u, r) && r->threads == (uint32_t)tune_threads(u, &trial->schedule) &&
         tune_row(u, trial->hash, NULL) == r && sc_space_rank(u->space, &trial->schedule, &rank) == SC_OK;
}

sc_status tune_collect(tuning *u, const sc_dataset *dataset, bool known, sc_trial **trials, size_t *n) {
  const size_t all = sc_dataset_count(dataset);
  *n = 0;
  *trials = calloc(all + 1, sizeof **trials);
  if (!*trials) return sc_fail(&u->t->err, SC_NOMEM, "no memory for %zu rows", all);
  SC_TRY(index_rows(u));
  for (size_t i = 0; i < all; i++) {
    const sc_record *r = sc_dataset_at(dataset, i);
    sc_trial *to = &(*trials)[*n];
    sc_nest nest;
    if (r->task_hash != u->task->hash) continue;
    if (sc_schedule_parse(u->task, "the dataset", r->schedule, &to->schedule, NULL) != SC_OK ||
        sc_lower(u->task, &to->schedule, &nest, NULL) != SC_OK)
      continue;
    to->hash = sc_nest_hash(u->task, &nest);
    to->origin = (sc_origin){(sc_proposal)r->proposal, r->model_hash};
    to->value = tune_value(u, r, tune_scratch(u, &to->schedule));
    if (!known || belongs(u, r, to)) ++*n;
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
