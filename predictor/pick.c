/* Picking: scan the space (all of it, or uniform ranks), keep the best distinct nests, then walk downhill from the best
 * few by random neighbours. Everything is predicted in blocks; nothing is measured. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "predictor/internal.h"

enum { DEFAULT_SCAN = 20000, STARTS = 8, NEIGHBOURS = 32, ROUNDS = 24 };

/* One candidate. */
typedef struct found {
  sc_schedule schedule;
  uint64_t hash; /* of its nest */
  double log_time;
} found;

typedef struct picking {
  const sc_model *model;
  const sc_space_bound *space;
  const sc_task *task;
  const sc_target *target;
  sc_featurizer featurizer;
  sc_scan scan;
  size_t scanned;
  /* a block being filled */
  size_t n;
  found block[SC_FOREST_BLOCK];
  float row[SC_FOREST_BLOCK][SC_FEATURE_COUNT];
  sc_analytic terms[SC_FOREST_BLOCK];
  uint8_t bins[SC_FEATURE_COUNT][SC_FOREST_BLOCK];
  /* the best so far, ascending */
  found *best;
  size_t nbest, most;
} picking;

/* Keeps a candidate when it is among the best and new. */
static void keep(picking *p, const found *candidate) {
  if (p->nbest == p->most && candidate->log_time >= p->best[p->nbest - 1].log_time) return;
  for (size_t i = 0; i < p->nbest; i++) {
    if (p->best[i].hash == candidate->hash) return;
  }
  size_t at = p->nbest < p->most ? p->nbest++ : p->nbest - 1;
  for (; at > 0 && p->best[at - 1].log_time > candidate->log_time; at--) p->best[at] = p->best[at - 1];
  p->best[at] = *candidate;
}

/* Predicts the block. */
static void flush(picking *p) {
  float margin[SC_FOREST_OUTPUTS][SC_FOREST_BLOCK];
  sc_cuts_block(&p->model->cuts, p->row[0], p->n, p->model->used, p->bins);
  sc_forest_block(&p->model->forest, (const uint8_t(*)[SC_FOREST_BLOCK])p->bins, 1, margin);
  for (size_t i = 0; i < p->n; i++) {
    found *f = &p->block[i];
    f->log_time = log(sc_fit_analytic_s(&p->model->card.analytic, &p->terms[i])) + (double)margin[0][i];
    keep(p, f);
  }
  p->scanned += p->n;
  p->n = 0;
}

/* A space holds legal schedules only; what cannot be lowered nevertheless is passed over. */
static void offer(picking *p, const sc_schedule *schedule) {
  found *f = &p->block[p->n];
  if (sc_scan_row(&p->scan, schedule, p->row[p->n], &p->terms[p->n], NULL) != SC_OK) return;
  f->schedule = *schedule;
  f->hash = sc_nest_hash(p->task, &p->scan.lowered.nest);
  if (++p->n == SC_FOREST_BLOCK) flush(p);
}

static sc_status scan_space(picking *p, sc_rng *rng, size_t wanted, sc_error *err) {
  const sc_count count = sc_space_count(p->space);
  if (count == 0) return sc_fail(err, SC_NOTFOUND, "the space holds no schedule of this task");
  const bool all = count <= wanted;
  const size_t n = all ? (size_t)count : wanted;
  for (size_t i = 0; i < n; i++) {
    sc_schedule schedule;
    const sc_status status = sc_space_at(p->space, all ? (sc_count)i : sc_rng_below128(rng, count), &schedule);
    if (status != SC_OK) return sc_fail(err, status, "the space does not hold the schedule of one of its ranks");
    offer(p, &schedule);
  }
  flush(p);
  return SC_OK;
}

/* Neighbours of the best few, until a round finds nothing better. */
static void descend(picking *p, sc_rng *rng) {
  for (int round = 0; round < ROUNDS; round++) {
    sc_schedule start[STARTS];
    const size_t n = p->nbest < STARTS ? p->nbest : STARTS;
    const double before = p->best[0].log_time;
    for (size_t i = 0; i < n; i++) start[i] = p->best[i].schedule;
    for (size_t i = 0; i < n * NEIGHBOURS; i++) {
      sc_schedule next;
      if (sc_space_neighbour(p->space, &start[i % n], rng, &next) == SC_OK) offer(p, &next);
    }
    flush(p);
    if (p->best[0].log_time >= before) break;
  }
}

static sc_status report(const picking *p, int k, sc_pick *picks, sc_error *err) {
  sc_nest nest;
  for (int i = 0; i < k; i++) {
    const size_t at = (size_t)i < p->nbest ? (size_t)i : p->nbest - 1; /* a space of fewer than k: the last one again */
    picks[i].schedule = p->best[at].schedule;
    SC_TRY(sc_lower(p->task, &picks[i].schedule, &nest, err));
    SC_TRY(sc_model_predict(p->model, p->task, &nest, 1, p->target, true, &picks[i].prediction, err));
  }
  return SC_OK;
}

sc_status sc_model_pick(const sc_model *model, const sc_space_bound *space, const sc_task *task,
                        const sc_target *target, size_t scan, uint64_t seed, int k, sc_pick *picks, size_t *scanned,
                        sc_error *err) {
  if (k < 1 || k > SC_MOST_PICKS) return sc_fail(err, SC_USAGE, "%d picks: 1 to %d can be had", k, SC_MOST_PICKS);
  if (target->machine == NULL) return sc_fail(err, SC_USAGE, "a pick needs a machine");
  picking *p = calloc(1, sizeof *p);
  const size_t most = k < 2 * STARTS ? 2 * STARTS : (size_t)k;
  found *best = calloc(most, sizeof *best);
  sc_status status = p && best ? SC_OK : sc_fail(err, SC_NOMEM, "out of memory for %d picks", k);
  if (status == SC_OK) {
    sc_rng rng;
    sc_rng_seed(&rng, seed, 0);
    p->model = model;
    p->space = space;
    p->task = task;
    p->target = target;
    p->best = best;
    p->most = most;
    sc_featurizer_init(&p->featurizer, task, target);
    sc_scan_start(&p->scan, &p->featurizer);
    status = scan_space(p, &rng, scan ? scan : DEFAULT_SCAN, err);
  }
  if (status == SC_OK && p->nbest == 0) status = sc_fail(err, SC_NOTFOUND, "no schedule of the space could be lowered");
  if (status == SC_OK) {
    sc_rng rng;
    sc_rng_seed(&rng, seed, 1);
    descend(p, &rng);
    status = report(p, k, picks, err);
    if (scanned) *scanned = p->scanned;
  }
  free(best);
  free(p);
  return status;
}
