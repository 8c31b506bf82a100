/* The loop of the Auto Tuner: propose, measure, learn, until the trials are used up. What is proposed is the
 * strategy's business (strategies.c), what a value means the measurer's. */
#include "tuner/search.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 32, LEAST_LEARNED = 4 };

size_t sc_nest_scratch_bytes(const sc_nest *nest, int threads) {
  size_t bytes = 0;
  for (int p = 0; p < nest->npacks; p++) {
    const sc_nest_pack *pack = &nest->pack[p];
    if (pack->ahead) continue;
    const size_t one = ((size_t)pack->elems * sizeof(float) + 63) / 64 * 64;
    bytes += pack->per_thread ? one * (size_t)threads : one;
  }
  return bytes;
}

/* ---- trials ---- */

static bool see(sc_search *s, uint64_t hash) {
  size_t i = hash & (s->cap_seen - 1);
  for (; s->seen[i]; i = (i + 1) & (s->cap_seen - 1))
    if (s->seen[i] == hash) return false;
  s->seen[i] = hash;
  s->nseen++;
  return true;
}

static bool grow_seen(sc_search *s) {
  if (2 * (s->nseen + 1) < s->cap_seen) return true;
  uint64_t *old = s->seen;
  const size_t n = s->cap_seen;
  s->cap_seen = n ? 2 * n : 256;
  s->seen = calloc(s->cap_seen, sizeof *s->seen);
  if (s->seen) {
    s->nseen = 0;
    for (size_t i = 0; i < n; i++)
      if (old[i]) see(s, old[i]);
  }
  free(old);
  return s->seen != NULL;
}

static bool grow_trials(sc_search *s) {
  if (s->n + s->pending < s->cap) return true;
  const size_t cap = s->cap ? 2 * s->cap : 64;
  sc_trial *trial = realloc(s->trial, cap * sizeof *trial);
  if (!trial) return false;
  s->trial = trial;
  s->cap = cap;
  return true;
}

static sc_status add_trial(sc_search *s, const sc_trial *trial, bool *added, sc_error *err) {
  if (!grow_seen(s) || !grow_trials(s)) return sc_fail(err, SC_NOMEM, "no memory for a trial");
  const bool fresh = see(s, trial->hash);
  if (fresh) s->trial[s->n + s->pending++] = *trial;
  if (added) *added = fresh;
  return SC_OK;
}

sc_status sc_search_add(sc_search *s, const sc_schedule *schedule, sc_proposal how, bool *added, sc_error *err) {
  sc_nest nest;
  SC_TRY(sc_lower(s->task, schedule, &nest, err));
  const uint64_t hash = sc_nest_hash(s->task, &nest);
  const uint64_t model = how == SC_PROPOSED_MODEL ? sc_model_hash(sc_search_model(s)) : 0;
  const sc_trial trial = {*schedule, hash ? hash : 1, INFINITY, {how, model}};
  return add_trial(s, &trial, added, err);
}

size_t sc_search_best(const sc_search *s, size_t most, size_t *index) {
  size_t n = 0;
  for (size_t i = 0; i < s->n; i++) {
    if (!isfinite(s->trial[i].value)) continue;
    size_t at = n < most ? n++ : most;
    if (at == most && s->trial[i].value >= s->trial[index[most - 1]].value) continue;
    if (at == most) at--;
    for (; at > 0 && s->trial[index[at - 1]].value > s->trial[i].value; at--) index[at] = index[at - 1];
    index[at] = i;
  }
  return n;
}

/* ---- learning ---- */

const sc_model *sc_search_model(const sc_search *s) { return s->learned ? s->learned : s->options->model; }

/* The trials as rows of one group: what the model is to be corrected by. Everything lives in the arena. */
static bool make_rows(const sc_search *s, sc_arena *arena, sc_rows *rows) {
  const size_t n = s->n;
  *rows = (sc_rows){.machine = *s->target->machine, .passes = 1, .ntasks = 1, .ngroups = 1, .nnetworks = 1};
  rows->features = sc_arena_alloc(arena, n, SC_FEATURE_COUNT * sizeof(float));
  rows->time_s = sc_arena_alloc(arena, n, sizeof(double));
  rows->analytic_s = sc_arena_alloc(arena, n, sizeof(double));
  rows->analytic = sc_arena_alloc(arena, n, sizeof(sc_analytic));
  rows->record = sc_arena_alloc(arena, n, sizeof(const sc_record *));
  rows->task = sc_arena_alloc(arena, n, sizeof(uint32_t));
  rows->group = sc_arena_alloc(arena, n, sizeof(uint32_t));
  rows->network = sc_arena_alloc(arena, n, sizeof(uint32_t));
  const char **name = sc_arena_alloc(arena, 1, sizeof *name);
  if (!rows->features || !rows->time_s || !rows->analytic_s || !rows->analytic || !rows->record || !rows->task ||
      !rows->group || !rows->network || !name)
    return false;
  name[0] = s->task->text;
  rows->task_name = rows->group_name = rows->network_name = name;
  for (size_t i = 0; i < n; i++) {
    sc_nest nest;
    if (!isfinite(s->trial[i].value) || sc_lower(s->task, &s->trial[i].schedule, &nest, NULL) != SC_OK) continue;
    sc_analytic *terms = &rows->analytic[rows->n];
    sc_features_analytic(s->task, &nest, s->target, rows->features + rows->n * SC_FEATURE_COUNT, terms);
    rows->analytic_s[rows->n] = terms->time_s;
    rows->time_s[rows->n++] = s->trial[i].value;
  }
  return true;
}

/* A few trees more, for this task, on top of the given model: always from there, so that nothing adds up. */
static sc_status learn(sc_search *s, sc_error *err) {
  const sc_search_options *o = s->options;
  if (!o->model || !o->times || o->strategy != SC_SEARCH_GUIDED) return SC_OK;
  const sc_train_options add = {.base = o->model, .quick = true, .seed = o->seed, .nthread = 1};
  sc_arena *arena = sc_arena_new();
  sc_rows rows;
  sc_model *learned;
  sc_status status =
      arena && make_rows(s, arena, &rows) ? SC_OK : sc_fail(err, SC_NOMEM, "no memory for %zu rows", s->n);
  if (status == SC_OK && rows.n >= LEAST_LEARNED) {
    status = sc_model_train(&rows, &add, &learned, err);
    if (status == SC_OK) {
      sc_model_free(s->learned);
      s->learned = learned;
    }
  }
  sc_arena_free(arena);
  return status;
}

/* ---- the loop ---- */

static sc_status check(const sc_search_options *o, sc_error *err) {
  if (o->strategy >= SC_STRATEGY_COUNT || !o->measure) return sc_fail(err, SC_USAGE, "no strategy or no measurement");
  if (o->strategy == SC_SEARCH_GUIDED && !o->model) return sc_fail(err, SC_USAGE, "a guided search wants a model");
  return SC_OK;
}

static sc_status one_batch(sc_search *s, size_t want, sc_error *err) {
  const sc_search_options *o = s->options;
  SC_TRY(sc_strategies[o->strategy](s, want, err));
  if (s->pending == 0) return SC_OK;
  double *value = calloc(s->pending, sizeof *value);
  if (!value) return sc_fail(err, SC_NOMEM, "no memory for %zu values", s->pending);
  const sc_status status = o->measure(o->user, s->trial + s->n, s->pending, value, err);
  for (size_t i = 0; i < s->pending; i++) s->trial[s->n + i].value = value[i];
  free(value);
  SC_TRY(status);
  s->n += s->pending;
  s->pending = 0;
  if (o->progress) o->progress(o->user, s->trial, s->n);
  return s->n < o->trials ? learn(s, err) : SC_OK;
}

static sc_status search(sc_search *s, bool *exhausted, sc_error *err) {
  const sc_search_options *o = s->options;
  const size_t batch = o->batch ? o->batch : BATCH;
  for (size_t i = 0; i < o->nknown; i++) SC_TRY(add_trial(s, &o->known[i], NULL, err));
  s->n = s->pending;
  s->pending = 0;
  if (s->n) SC_TRY(learn(s, err));
  while (s->n < o->trials && !*exhausted) {
    const size_t before = s->n, left = o->trials - s->n;
    SC_TRY(one_batch(s, left < batch ? left : batch, err));
    *exhausted = s->n == before;
  }
  return SC_OK;
}

sc_status sc_search_run(const sc_space_bound *space, const sc_task *task, const sc_target *target,
                        const sc_search_options *options, sc_search_result *result, sc_error *err) {
  sc_search s = {.space = space, .task = task, .target = target, .options = options};
  *result = (sc_search_result){0};
  SC_TRY(check(options, err));
  sc_rng_seed(&s.rng, options->seed, options->nknown); /* a search that goes on draws on */
  const sc_status status = search(&s, &result->exhausted, err);
  result->trial = s.trial;
  result->n = s.n;
  if (sc_search_best(&s, 1, &result->best) == 0) result->best = s.n;
  sc_model_free(s.learned);
  free(s.seen);
  return status;
}

void sc_search_free(sc_search_result *result) {
  free(result->trial);
  *result = (sc_search_result){0};
}
