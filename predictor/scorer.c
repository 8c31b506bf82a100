/* Scoring: rows, bins and trees of 32 schedules at a time; the best are kept. */
#include "predictor/scorer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

sc_scorer *sc_scorer_new(const sc_model *model, const sc_task *task, const sc_featurizer *featurizer, size_t most) {
  sc_scorer *s = calloc(1, sizeof *s);
  if (!s) return NULL;
  s->best = (sc_best){calloc(most, sizeof *s->best.slot), calloc(most, sizeof *s->best.order), 0, most};
  if (!s->best.slot || !s->best.order) {
    sc_scorer_free(s);
    return NULL;
  }
  s->model = model;
  s->task = task;
  sc_scan_start(&s->scan, featurizer);
  return s;
}

void sc_scorer_free(sc_scorer *s) {
  if (!s) return;
  free(s->best.slot);
  free(s->best.order);
  free(s);
}

/* ---- the best ---- */

static bool before(double log_time, uint64_t hash, const sc_found *than) {
  return log_time < than->log_time || (log_time == than->log_time && hash < than->hash);
}

static void insert(sc_best *best, const sc_schedule *schedule, uint64_t hash, double log_time) {
  if (best->n == best->most && !before(log_time, hash, sc_best_at(best, best->n - 1))) return;
  for (size_t i = 0; i < best->n; i++) {
    if (best->slot[i].hash == hash) return;
  }
  const bool room = best->n < best->most;
  const uint32_t slot = room ? (uint32_t)best->n : best->order[best->n - 1];
  size_t at = room ? best->n++ : best->n - 1;
  for (; at > 0 && before(log_time, hash, sc_best_at(best, at - 1)); at--) best->order[at] = best->order[at - 1];
  best->order[at] = slot;
  best->slot[slot] = (sc_found){*schedule, hash, log_time};
}

/* Few get this far: only they are lowered again, for their hash. */
static void keep(sc_scorer *s, const sc_schedule *schedule, double log_time) {
  sc_nest nest;
  if (s->best.n == s->best.most && log_time > sc_best_at(&s->best, s->best.n - 1)->log_time) return;
  if (sc_lower(s->task, schedule, &nest, NULL) != SC_OK) return;
  insert(&s->best, schedule, sc_nest_hash(s->task, &nest), log_time);
}

void sc_scorer_merge(sc_scorer *s, const sc_scorer *other) {
  for (size_t i = 0; i < other->best.n; i++) {
    const sc_found *f = sc_best_at(&other->best, i);
    insert(&s->best, &f->schedule, f->hash, f->log_time);
  }
  s->predicted += other->predicted;
}

/* ---- blocks ---- */

void sc_scorer_flush(sc_scorer *s) {
  float margin[SC_FOREST_OUTPUTS][SC_FOREST_BLOCK];
  sc_cuts_block(&s->model->cuts, s->row[0], s->n, s->model->used, s->bins);
  sc_forest_block(&s->model->forest, (const uint8_t(*)[SC_FOREST_BLOCK])s->bins, s->n, 1, margin);
  for (size_t i = 0; i < s->n; i++) {
    const double analytic_s = sc_fit_analytic_s(&s->model->card.analytic, &s->terms[i]);
    keep(s, &s->schedule[i], log(analytic_s) + (double)margin[0][i]);
  }
  s->predicted += s->n;
  s->n = 0;
}

void sc_scorer_offer(sc_scorer *s, const sc_schedule *schedule, double limit_s) {
  const sc_analytic_fit *fit = &s->model->card.analytic;
  bool below;
  if (sc_scan_row(&s->scan, schedule, fit, limit_s, s->row[s->n], &s->terms[s->n], &below, NULL) != SC_OK || !below)
    return;
  s->schedule[s->n] = *schedule;
  if (++s->n == SC_FOREST_BLOCK) sc_scorer_flush(s);
}
