/* The walk: machine numbers, levels, streams and kernels of one nest, in the order in which they need each other. */
#include <math.h>

#include "featurize/internal.h"

/* Tasks are dealt out evenly: the thread with most of them ends last. */
static double speedup(const sc_walk *w) {
  const double threads = w->p->target.threads > 1 ? w->p->target.threads : 1;
  if (w->par_level == 0 || threads == 1 || w->par_tasks <= 1) return 1;
  return w->par_tasks / ceil(w->par_tasks / threads);
}

/* A shared run-time pack inside a parallel run is followed by a barrier; the run itself ends with one. */
static double barriers(const sc_walk *w) {
  if (w->par_level == 0) return 0;
  double n = w->par_regions;
  for (int p = 0; p < w->nest->npacks; p++) {
    const sc_nest_pack *pack = &w->nest->pack[p];
    if (!pack->ahead && !pack->per_thread && p != w->nest->acc) n += w->pack_level_iterations[p];
  }
  return n;
}

void sc_walk_nest(const sc_prepared *prepared, const sc_nest *nest, sc_walk *w) {
  w->p = prepared;
  w->nest = nest;
  w->par_level = 0;
  w->par_regions = 0;
  for (int d = 0; d < SC_MAX_DIMS; d++) w->nsteps[d] = 0;
  for (int p = 0; p < SC_MAX_PACKS; p++) w->pack_level_iterations[p] = 0;
  sc_walk_levels(w);
  sc_walk_streams(w);
  sc_walk_reuse(w);
  sc_walk_pressure(w);
  sc_walk_kernels(w);
  w->speedup = speedup(w);
  w->barriers = barriers(w);
}
