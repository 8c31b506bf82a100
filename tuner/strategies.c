/* Strategies of a search: what to try next. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tuner/search.h"

enum {
  PARENTS = 8, /* of a generation: the best trials */
  CHILDREN = 32, /* neighbours of each */
  EXPLORING = 8, /* one of so many is drawn at random: the model may be wrong everywhere it looks */
  ANALYTIC_SCAN = 10000,
  MISSES = 200 /* draws without a new schedule: then there is hardly another */
};

/* ---- random, exhaustive, replay ---- */

static sc_status propose_random(sc_search *s, size_t want, sc_error *err) {
  const sc_count count = sc_space_count(s->space);
  for (int misses = 0; s->pending < want && misses < MISSES && count > 0;) {
    sc_schedule schedule;
    bool added;
    SC_TRY(sc_space_at(s->space, sc_rng_below128(&s->rng, count), &schedule));
    SC_TRY(sc_search_add(s, &schedule, SC_PROPOSED_UNIFORM, &added, err));
    misses = added ? 0 : misses + 1;
  }
  return SC_OK;
}

static sc_status propose_in_order(sc_search *s, size_t want, sc_error *err) {
  const sc_count count = sc_space_count(s->space);
  for (; s->pending < want && s->next < count; s->next++) {
    sc_schedule schedule;
    SC_TRY(sc_space_at(s->space, s->next, &schedule));
    SC_TRY(sc_search_add(s, &schedule, SC_PROPOSED_USER, NULL, err));
  }
  return SC_OK;
}

static sc_status propose_replay(sc_search *s, size_t want, sc_error *err) {
  for (; s->pending < want && s->next < s->options->nreplay; s->next++)
    SC_TRY(sc_search_add(s, &s->options->replay[s->next], SC_PROPOSED_USER, NULL, err));
  return SC_OK;
}

/* ---- guided ---- */

typedef struct candidate {
  sc_schedule schedule;
  double time_s;
  sc_proposal how;
} candidate;

static int by_time(const void *a, const void *b) {
  const candidate *x = a, *y = b;
  return (x->time_s > y->time_s) - (x->time_s < y->time_s);
}

static sc_status predict_one(const sc_search *s, candidate *c, sc_error *err) {
  sc_nest nest;
  sc_prediction p;
  SC_TRY(sc_lower(s->task, &c->schedule, &nest, err));
  SC_TRY(sc_model_predict(sc_search_model(s), s->task, &nest, 1, s->target, true, &p, err));
  c->time_s = p.time_s;
  return SC_OK;
}

/* The best of a scan, which has another seed in every batch. */
static sc_status scan(sc_search *s, size_t k, candidate *c, size_t *n, sc_error *err) {
  sc_pick *pick = calloc(k, sizeof *pick);
  if (!pick) return sc_fail(err, SC_NOMEM, "no memory for %zu picks", k);
  const sc_pick_options how = {.scan = s->options->scan, .seed = sc_rng_u64(&s->rng)};
  const sc_status status =
      sc_model_pick(sc_search_model(s), s->space, s->task, s->target, &how, (int)k, pick, NULL, err);
  for (size_t i = 0; i < k && status == SC_OK; i++)
    c[(*n)++] = (candidate){pick[i].schedule, pick[i].prediction.time_s, SC_PROPOSED_MODEL};
  free(pick);
  return status;
}

/* Neighbours of the best trials. */
static sc_status breed(sc_search *s, candidate *c, size_t *n, sc_error *err) {
  size_t best[PARENTS];
  const size_t parents = sc_search_best(s, PARENTS, best);
  for (size_t i = 0; i < parents * CHILDREN; i++) {
    candidate *child = &c[*n];
    child->how = SC_PROPOSED_NEIGHBOUR;
    if (sc_space_neighbour(s->space, &s->trial[best[i % parents]].schedule, &s->rng, &child->schedule) != SC_OK)
      continue;
    SC_TRY(predict_one(s, child, err));
    ++*n;
  }
  return SC_OK;
}

static sc_status take_best(sc_search *s, size_t want, candidate *c, size_t n, sc_error *err) {
  qsort(c, n, sizeof *c, by_time);
  for (size_t i = 0; i < n && s->pending < want; i++) SC_TRY(sc_search_add(s, &c[i].schedule, c[i].how, NULL, err));
  return SC_OK;
}

static sc_status propose_guided(sc_search *s, size_t want, sc_error *err) {
  const size_t room = s->n + 2 * want, k = room < SC_MOST_PICKS ? room : SC_MOST_PICKS; /* most were tried already */
  const size_t exploring = s->n && want >= EXPLORING ? want / EXPLORING : 0;
  candidate *c = calloc(k + PARENTS * CHILDREN, sizeof *c);
  size_t n = 0;
  if (!c) return sc_fail(err, SC_NOMEM, "no memory for %zu candidates", k);
  sc_status status = scan(s, k, c, &n, err);
  if (status == SC_OK) status = breed(s, c, &n, err);
  if (status == SC_OK) status = take_best(s, want - exploring, c, n, err);
  free(c);
  return status == SC_OK ? propose_random(s, want, err) : status;
}

/* ---- descent ---- */

/* What the model likes best of a scan; without a model, of a smaller one what has the least analytic time. */
static sc_status begin_descent(sc_search *s, sc_error *err) {
  const sc_count count = sc_space_count(s->space);
  candidate best = {.time_s = INFINITY};
  size_t n = 0;
  if (s->options->model) {
    SC_TRY(scan(s, 1, &best, &n, err));
    return sc_search_add(s, &best.schedule, SC_PROPOSED_MODEL, NULL, err);
  }
  for (int i = 0; i < ANALYTIC_SCAN && count > 0; i++) {
    sc_schedule schedule;
    sc_nest nest;
    sc_analytic terms;
    SC_TRY(sc_space_at(s->space, sc_rng_below128(&s->rng, count), &schedule));
    SC_TRY(sc_lower(s->task, &schedule, &nest, err));
    sc_analytic_time(s->task, &nest, s->target, NULL, &terms);
    if (terms.time_s < best.time_s) best = (candidate){.schedule = schedule, .time_s = terms.time_s};
  }
  return isfinite(best.time_s) ? sc_search_add(s, &best.schedule, SC_PROPOSED_USER, NULL, err) : SC_OK;
}

/* Neighbours of the best trial, which differ from it in one choice and what hangs on that; where all of them were tried, or
 * nothing ran yet, random draws. In the manner of coordinate descent (Canesche et al., The Droplet Search Algorithm for
 * Kernel Scheduling, TACO 2024), with neighbours in a random order. */
static sc_status propose_descent(sc_search *s, size_t want, sc_error *err) {
  size_t best;
  if (s->n == 0) return begin_descent(s, err);
  if (sc_search_best(s, 1, &best) == 0) return propose_random(s, want, err);
  const sc_schedule from = s->trial[best].schedule; /* trials may move */
  for (int misses = 0; s->pending < want && misses < MISSES;) {
    sc_schedule next;
    bool added = false;
    if (sc_space_neighbour(s->space, &from, &s->rng, &next) == SC_OK)
      SC_TRY(sc_search_add(s, &next, SC_PROPOSED_NEIGHBOUR, &added, err));
    misses = added ? 0 : misses + 1;
  }
  return s->pending ? SC_OK : propose_random(s, want, err);
}

sc_propose_fn *const sc_strategies[SC_STRATEGY_COUNT] = {
    [SC_SEARCH_GUIDED] = propose_guided, [SC_SEARCH_DESCENT] = propose_descent,
    [SC_SEARCH_RANDOM] = propose_random, [SC_SEARCH_EXHAUSTIVE] = propose_in_order,
    [SC_SEARCH_REPLAY] = propose_replay,
};
