/* The walk: machine numbers, levels, streams and kernels of one nest, in the order in which they need each other. */
#include <math.h>

#include "featurize/internal.h"

/* A value of the machine file, unless it is missing or beyond anything that a machine is. */
static double or_default(sc_value value, double assumed) {
  return value.value >= 1e-3 && value.value <= 1e15 ? value.value : assumed;
}

static int log2_floor(double x) {
  int n = 0;
  while (n < 30 && x >= 2) {
    x /= 2;
    n++;
  }
  return n;
}

void sc_rates_of(const sc_target *target, sc_rates *out) {
  const sc_machine *m = target->machine;
  static const double assumed_bytes[SC_MAX_CACHES] = {32768, 524288, 4194304};
  out->clock_hz = or_default(m->clock_hz, 1e9);
  out->vector_bytes = or_default(m->vector_bytes, 4);
  out->registers = or_default(m->vector_registers, 16);
  out->fma_per_cycle = or_default(m->fma_per_cycle, 1);
  out->fma_latency = or_default(m->fma_latency_cycles, 4);
  out->loads_per_cycle = or_default(m->loads_per_cycle, 1);
  out->peak_flop_per_s =
      or_default(m->peak_flop_per_s, out->clock_hz * out->fma_per_cycle * sc_max(out->vector_bytes / 4, 1) * 2);
  out->memory_bytes_per_s = or_default(m->memory_read_bytes_per_s, 4e9);
  out->l1i_bytes = or_default(m->l1i_bytes, 32768);
  out->tlb_entries[0] = or_default(m->l1_tlb_entries, 64);
  out->tlb_entries[1] = or_default(m->l2_tlb_entries, 1024);
  out->out_of_order = m->out_of_order.value > 0;
  out->ncaches = m->ncaches < 1 ? 1 : m->ncaches > SC_MAX_CACHES ? SC_MAX_CACHES : m->ncaches;
  out->line_shift = log2_floor(m->ncaches > 0 ? or_default(m->cache[0].line_bytes, 64) : 64);
  out->page_shift = log2_floor(or_default(m->page_bytes, 4096));
  for (int i = 0; i < SC_MAX_CACHES; i++) {
    const bool there = i < m->ncaches;
    const double bytes = there ? or_default(m->cache[i].bytes, assumed_bytes[i]) : assumed_bytes[i];
    const double sharing = there ? or_default(m->cache[i].shared_by, 1) : 1;
    out->capacity_bytes[i] = bytes / sc_max(1, sc_min(sharing, target->threads));
    out->ways[i] = there ? or_default(m->cache[i].ways, 8) : 8;
    const bool last = i + 1 >= out->ncaches;
    out->serve_bytes_per_s[i] =
        last ? out->memory_bytes_per_s : or_default(m->cache[i + 1].read_bytes_per_s, out->memory_bytes_per_s);
  }
}

/* Tasks are dealt out evenly: the thread with most of them ends last. */
static double speedup(const sc_walk *w) {
  const double threads = w->target->threads > 1 ? w->target->threads : 1;
  if (w->par_level == 0 || threads == 1 || w->par_tasks <= 1) return 1;
  return w->par_tasks / ceil(w->par_tasks / threads);
}

/* A shared run-time pack inside a parallel run is followed by a barrier; the run itself ends with one. */
static double barriers(const sc_walk *w) {
  if (w->par_level == 0) return 0;
  double n = w->par_regions;
  for (int p = 0; p < w->nest->npacks; p++) {
    const sc_nest_pack *pack = &w->nest->pack[p];
    if (!pack->ahead && !pack->private && p != w->nest->acc) n += w->pack_level_iterations[p];
  }
  return n;
}

void sc_walk_nest(const sc_task *task, const sc_nest *nest, const sc_target *target, sc_walk *w) {
  w->task = task;
  w->nest = nest;
  w->target = target;
  w->par_level = 0;
  w->par_regions = 0;
  for (int d = 0; d < SC_MAX_DIMS; d++) w->nsteps[d] = 0;
  for (int p = 0; p < SC_MAX_PACKS; p++) w->pack_level_iterations[p] = 0;
  sc_rates_of(target, &w->machine);
  sc_walk_levels(w);
  sc_walk_streams(w);
  for (int c = 0; c < SC_MAX_CACHES; c++) {
    w->reuse[c] = sc_reuse_level(w, w->machine.capacity_bytes[c]);
    w->sent_lines[c] = sc_traffic(w, w->reuse[c]);
  }
  sc_walk_kernels(w);
  w->speedup = speedup(w);
  w->barriers = barriers(w);
}
