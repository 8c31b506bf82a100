/* Picking: scan the space, keep the best distinct nests, then walk downhill from the best few by random neighbours.
 * Nothing is measured. */
#include <math.h>
#include <stdlib.h>

#include "predictor/scorer.h"

enum { DEFAULT_SCAN = 1000000, STARTS = 8, NEIGHBOURS = 32, ROUNDS = 24 };

/* Neighbours of the best few, until a round finds nothing better. */
static void descend(sc_scorer *s, const sc_space_bound *space, uint64_t seed) {
  sc_rng rng;
  sc_rng_seed(&rng, seed, 1);
  for (int round = 0; round < ROUNDS; round++) {
    sc_schedule start[STARTS];
    const size_t n = s->best.n < STARTS ? s->best.n : STARTS;
    const double before = sc_best_at(&s->best, 0)->log_time;
    for (size_t i = 0; i < n; i++) start[i] = sc_best_at(&s->best, i)->schedule;
    for (size_t i = 0; i < n * NEIGHBOURS; i++) {
      sc_schedule next;
      if (sc_space_neighbour(space, &start[i % n], &rng, &next) == SC_OK) sc_scorer_offer(s, &next, INFINITY);
    }
    sc_scorer_flush(s);
    if (sc_best_at(&s->best, 0)->log_time >= before) break;
  }
}

static sc_status report(const sc_scorer *s, const sc_target *target, int k, sc_pick *picks, sc_error *err) {
  sc_nest nest;
  for (int i = 0; i < k; i++) {
    const size_t at =
        (size_t)i < s->best.n ? (size_t)i : s->best.n - 1; /* a space of fewer than k: the last one again */
    picks[i].schedule = sc_best_at(&s->best, at)->schedule;
    SC_TRY(sc_lower(s->task, &picks[i].schedule, &nest, err));
    SC_TRY(sc_model_predict(s->model, s->task, &nest, 1, target, true, &picks[i].prediction, err));
  }
  return SC_OK;
}

sc_status sc_model_pick(const sc_model *model, const sc_space_bound *space, const sc_task *task,
                        const sc_target *target, const sc_pick_options *options, int k, sc_pick *picks,
                        sc_pick_effort *effort, sc_error *err) {
  static const sc_pick_options defaults = {0};
  const sc_pick_options *o = options ? options : &defaults;
  const double begin = sc_now_s();
  sc_featurizer featurizer;
  sc_pick_effort done = {0};
  if (k < 1 || k > SC_MOST_PICKS) return sc_fail(err, SC_USAGE, "%d picks: 1 to %d can be had", k, SC_MOST_PICKS);
  if (target->machine == NULL) return sc_fail(err, SC_USAGE, "a pick needs a machine");
  if (o->scan > (size_t)1 << 40)
    return sc_fail(err, SC_USAGE, "a scan of %zu schedules: up to 2^40 can be had", o->scan);
  sc_featurizer_init(&featurizer, task, target);
  sc_scorer *s = sc_scorer_new(model, task, &featurizer, k < 2 * STARTS ? 2 * STARTS : (size_t)k);
  if (!s) return sc_fail(err, SC_NOMEM, "out of memory for %d picks", k);
  sc_status status = sc_scan_space(s, space, &featurizer, o->scan ? o->scan : DEFAULT_SCAN, o, &done.scanned, err);
  if (status == SC_OK && s->best.n == 0)
    status = sc_fail(err, SC_NOTFOUND, "no schedule of the space could be lowered");
  if (status == SC_OK) {
    descend(s, space, o->seed);
    done.predicted = s->predicted;
    done.seconds = sc_now_s() - begin;
    status = report(s, target, k, picks, err);
    if (effort) *effort = done;
  }
  sc_scorer_free(s);
  return status;
}
