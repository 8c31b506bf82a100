/* Inside the tuner: the state of a search, what a strategy is. */
#ifndef SC_TUNER_SEARCH_H
#define SC_TUNER_SEARCH_H

#include "tuner/tuner.h"

typedef struct sc_search {
  const sc_space_bound *space;
  const sc_task *task;
  const sc_target *target;
  const sc_search_options *options;
  sc_rng rng;
  sc_trial *trial; /* measured, then those of the batch being proposed */
  size_t n /* measured */, pending, cap;
  uint64_t *seen; /* hashes of all of them, open addressing; 0 = free */
  size_t nseen, cap_seen;
  sc_model *learned; /* the guiding model with what the trials taught, NULL = nothing yet */
  sc_count next; /* rank, or place in a list, of what comes next */
} sc_search;

/* Adds a schedule to the batch unless it was there already; *added may be NULL. */
sc_status sc_search_add(sc_search *s, const sc_schedule *schedule, sc_proposal how, bool *added, sc_error *err);
/* Indices of the best `most` trials, the best first; returns how many have a finite value. */
size_t sc_search_best(const sc_search *s, size_t most, size_t *index);
/* What guides: the learned model, else the given one. */
const sc_model *sc_search_model(const sc_search *s);

static inline size_t sc_rank_between(size_t rank, size_t least, size_t most) {
  return rank < least ? least : rank > most ? most : rank;
}

/* Adds up to `want` trials to the batch; none: nothing is left. */
typedef sc_status sc_propose_fn(sc_search *s, size_t want, sc_error *err);
extern sc_propose_fn *const sc_strategies[SC_STRATEGY_COUNT];

#endif
