/* Inside the predictor: schedules scored by a model in blocks, and the best of them; scans of a space. */
#ifndef SC_PREDICTOR_SCORER_H
#define SC_PREDICTOR_SCORER_H

#include "predictor/internal.h"

typedef struct sc_found {
  sc_schedule schedule;
  uint64_t hash; /* of its nest */
  double log_time;
} sc_found;

/* The best distinct nests so far. Equal times are in the order of the hashes, so that what is kept does not depend on
 * who came first. */
typedef struct sc_best {
  sc_found *slot;
  uint32_t *order; /* of the slots, the best first */
  size_t n, most;
} sc_best;
static inline const sc_found *sc_best_at(const sc_best *best, size_t i) { return &best->slot[best->order[i]]; }

typedef struct sc_scorer {
  const sc_model *model;
  const sc_task *task;
  sc_scan scan;
  sc_best best;
  size_t predicted; /* rows that went through the trees */
  /* a block being filled */
  size_t n;
  sc_schedule schedule[SC_FOREST_BLOCK];
  float row[SC_FOREST_BLOCK][SC_FEATURE_COUNT];
  sc_analytic terms[SC_FOREST_BLOCK];
  uint8_t bins[SC_FEATURE_COUNT][SC_FOREST_BLOCK];
} sc_scorer;

/* Keeps the `most` best; task and featurizer must outlive it. NULL: out of memory. */
sc_scorer *sc_scorer_new(const sc_model *model, const sc_task *task, const sc_featurizer *featurizer, size_t most);
void sc_scorer_free(sc_scorer *scorer);
/* A schedule whose analytic time is above limit_s is left out. (A space holds legal schedules only; what cannot be lowered
 * nevertheless is left out too.) */
void sc_scorer_offer(sc_scorer *scorer, const sc_schedule *schedule, double limit_s);
void sc_scorer_flush(sc_scorer *scorer); /* scores what has been offered */
/* Into the best of `scorer` goes what another one found. */
void sc_scorer_merge(sc_scorer *scorer, const sc_scorer *other);

/* Scans `wanted` schedules of the space, all of them where it holds no more (scan.c). */
sc_status sc_scan_space(sc_scorer *scorer, const sc_space_bound *space, const sc_featurizer *featurizer, size_t wanted,
                        const sc_pick_options *options, size_t *scanned, sc_error *err);

#endif
