/* The walk: machine numbers, levels, streams and kernels of one nest, in the order in which they need each other. */
#include <math.h>

#include "featurize/internal.h"

/* Tasks are dealt out evenly: the thread with most of them ends last. */
static double speedup(const sc_walk *w) {
  const double threads = w->p->target.threads > 1 ? w->p->target.threads : 1;
  if (w->par_level == 0 || threads == 1 || w->par_tasks <= 1) return 1;
  return w->par_tasks / ceil(w->par_tasks / threads);
}

/* The collapsed loops of PAR. */
static void parallel(sc_walk *w) {
  const double outside = w->iterations[w->par_outside];
  w->par_regions = w->par_level > 0 ? outside : 0;
  w->par_tasks = w->iterations[w->par_level] / outside;
}

/* A shared run-time pack inside a parallel run is followed by a barrier; the run itself ends with one. */
static double barriers(const sc_walk *w) {
  if (w->par_level == 0) return 0;
  double n = w->par_regions;
  for (int p = 0; p < w->nest->npacks; p++) {
    const sc_nest_pack *pack = &w->nest->pack[p];
    if (!pack->ahead && !pack->per_thread && p != w->nest->acc) n += w->iterations[w->pack_level[p]];
  }
  return n;
}

void sc_walk_work(const sc_prepared *prepared, const sc_nest *nest, bool only_orders, sc_walk *w) {
  w->p = prepared;
  w->nest = nest;
  sc_walk_levels(w, only_orders);
  if (!only_orders) {
    sc_walk_streams(w);
    w->nfacts = 0;
  }
  if (!w->same_calls) sc_walk_kernels(w);
  parallel(w);
  w->speedup = speedup(w);
  w->barriers = barriers(w);
}

/* Inside the kernel's loops and around all of them the order of the others shows only in how often short last trips
 * come. */
void sc_walk_memory(sc_walk *w, bool kept) {
  if (!kept) {
    w->first_changed = 0;
    w->last_changed = w->nlevels - 1;
  }
  sc_walk_lines(w);
  sc_walk_traffic(w);
  sc_walk_reuse(w);
  if (!kept) sc_walk_pressure(w);
}
