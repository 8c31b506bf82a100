/* What the files that make domains share: domain.c makes the values, ladder.c the sizes of bands, probe.c asks sc_lower
 * about them. */
#ifndef SC_SAMPLER_DOMAIN_H
#define SC_SAMPLER_DOMAIN_H

#include "sampler/bound.h"

enum { SC_MAX_RUNGS = 4096 };

typedef struct sc_builder {
  sc_space_bound *bound;
  sc_combo *combo;
  sc_domain *domain;
  int dim;
  int32_t size;
  sc_error *err;
  int32_t *rung;
  int nrungs;
  size_t value_cap, runset_cap;
} sc_builder;

/* ladder.c: b->rung, ascending, for one set of runs. */
sc_status sc_ladder_make(sc_builder *b, const sc_clause *clause, const sc_runset *set);
/* Keeps the runs that are legal, with the kernels they take. */
void sc_probe_runs(sc_builder *b);
/* What runs ask of packs, whatever the bands. */
void sc_probe_needs(const sc_builder *b, sc_runset *set);
/* What a kernel loop over the dim asks, `step` tiles at a time. */
sc_status sc_probe_loop(const sc_builder *b, const sc_runset *set, int32_t step, sc_bits *bits);
/* Does any alternative make the dim a loop of the kernel? */
bool sc_probe_may_loop(const sc_builder *b);
bool sc_probe_is_blocked(const sc_task *task, int access, int dim);

/* kinds.c: numbers the kinds of a dim's values, then gives the dim its field, then puts the numbers there. `bits`: of
 * the value. */
typedef struct sc_kinds {
  const sc_builder *b;
  uint8_t bands; /* bit b: how large tiles of band b are decides how a kernel steps through some pack */
  sc_memo memo;
} sc_kinds;
void sc_kinds_start(sc_kinds *kinds, const sc_builder *b);
sc_status sc_kinds_add(sc_kinds *kinds, const sc_value_of_dim *value, sc_bits *bits);
sc_status sc_kinds_end(sc_kinds *kinds);
void sc_kinds_put(const sc_builder *b, int i, sc_bits *bits);

#endif
