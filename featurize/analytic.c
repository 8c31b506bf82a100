/* The analytic time: what each resource alone would need, and a sum of them with coefficients >= 0 that training fits
 * (after the execution-cache-memory model: Treibig & Hager 2009, Stengel et al. 2015, where transfers between levels do
 * not overlap). docs/analytic.md has the formulas. */
#include <math.h>
#include <string.h>

#include "featurize/internal.h"

/* Costs in cycles that no machine file knows; the fit scales them. */
static const double call_cycles = 12, loop_cycles = 0.5, barrier_cycles = 2000, pack_run_cycles = 8,
                    pack_row_cycles = 6, pack_vector_cycles = 3.5, pack_rest_cycles = 0.5, pack_turn_cycles = 1.2;

double sc_copied_row(const sc_walk *w, int p) {
  const sc_map *to = &w->pack[p], *from = &w->p->tensor[w->nest->pack[p].access];
  if (to->nparts == 0) return 1;
  if (from->nparts == 0 || to->part[0].axis != from->part[0].axis) return 0;
  return to->part[0].limit;
}

/* Cycles of all run-time packs: the start of each, its rows, and in them vectors of 16 elements and single ones; what
 * is read along another axis than it is written goes one by one. */
static double pack_cycles(const sc_walk *w) {
  double cycles = 0;
  for (int p = 0; p < w->nest->npacks; p++) {
    const sc_nest_pack *pack = &w->nest->pack[p];
    if (pack->ahead || p == w->nest->acc) continue;
    const double elems = (double)pack->elems, row = sc_copied_row(w, p);
    const double vectors = floor(row / 16), rows = row > 0 ? elems / row : 0;
    const double copy =
        row > 0 ? rows * (pack_row_cycles + vectors * pack_vector_cycles + (row - 16 * vectors) * pack_rest_cycles)
                : elems * pack_turn_cycles;
    cycles += w->iterations[w->pack_level[p]] * (pack_run_cycles + copy);
  }
  return cycles;
}

/* All multiply-adds at the rate of the most frequent kernel would take less by this share. */
static float tails_of(const sc_kernel_sums *k) {
  if (!(k->main_fma > 0)) return 0;
  const bool known = k->main_ns > 0 && k->known_fma > 0;
  const double all = known ? k->known_ns / k->known_fma : k->cycles / k->fma,
               full = (known ? k->main_ns : k->main_cycles) / k->main_fma;
  return all > full ? (float)(1 - full / all) : 0;
}

void sc_analytic_work(const sc_walk *w, sc_analytic *out) {
  const sc_rates *m = &w->p->rates;
  const sc_kernel_sums *k = &w->kernels;
  const double second = 1 / (m->clock_hz * w->speedup); /* of one cycle, shared among the threads */
  *out = (sc_analytic){.compute_s = k->cycles * second};
  out->known = k->fma > 0 ? (float)(k->known_fma / k->fma) : 0;
  out->kernel_s = out->compute_s;
  if (k->known_ns > 0 && k->known_model_ns > 0) { /* unknown kernels: the model, scaled as the known ones are */
    const double model_ns = k->cycles / m->clock_hz * 1e9;
    const double unknown_ns = sc_max(model_ns - k->known_model_ns, 0) * k->known_ns / k->known_model_ns;
    out->kernel_s = (k->known_ns + unknown_ns) * 1e-9 / w->speedup;
  }
  out->tails = tails_of(k);
  out->l1_s = k->load_cycles * second;
  out->pack_s = pack_cycles(w) * second;
  double loops = 0;
  for (int i = 1; i <= w->kernel_level; i++) loops += w->iterations[i];
  const double calls = k->calls * (1 - (double)out->known) * call_cycles; /* a measured first trip holds its call */
  const double sums = 2 * k->stores / m->loads_per_cycle; /* partial sums fetched and stored */
  out->overhead_s = (loops * loop_cycles + calls + sums) * second + w->barriers * barrier_cycles / m->clock_hz;
}

void sc_analytic_memory(const sc_walk *w, sc_analytic *out) {
  const sc_rates *m = &w->p->rates;
  const double line = (double)((int64_t)1 << m->line_shift);
  double served[SC_MAX_CACHES] = {0};
  for (int i = 0; i < m->ncaches; i++) {
    served[i] = sc_traffic(w, i) * line / (m->serve_bytes_per_s[i] * w->speedup);
  }
  out->l2_s = m->ncaches > 1 ? served[0] : 0;
  out->l3_s = m->ncaches > 2 ? served[1] : 0;
  out->memory_s = served[m->ncaches - 1];
  out->conflict_s = m->ncaches > 1 ? sc_conflict_lines(w) * line / (m->serve_bytes_per_s[0] * w->speedup) : 0;
}

void sc_analytic_combine(const sc_analytic_fit *fit, sc_analytic *t) {
  static const sc_analytic_fit machine_alone = {
      .compute = 1, .kernel = 1, .l2 = 0.25, .l3 = 0.35, .memory = 0.5, .conflict = 0.25, .pack = 1, .overhead = 0.5};
  const sc_analytic_fit none = {0};
  const sc_analytic_fit *f = fit == NULL || memcmp(fit, &none, sizeof none) == 0 ? &machine_alone : fit;
  const double core = t->known >= 0.5F ? f->kernel * t->kernel_s : f->compute * t->compute_s;
  t->time_s = core + f->l2 * t->l2_s + f->l3 * t->l3_s + f->memory * t->memory_s + f->conflict * t->conflict_s +
              f->pack * t->pack_s + f->overhead * t->overhead_s;
  if (!(t->time_s > 1e-12)) t->time_s = 1e-12; /* a logarithm is taken of it */
  if (!isfinite(t->time_s)) t->time_s = 1e12;
}

void sc_analytic_time(const sc_task *task, const sc_nest *nest, const sc_target *target, const sc_analytic_fit *fit,
                      sc_analytic *out) {
  sc_prepared prepared;
  sc_walk walk;
  sc_prepare(task, target, &prepared);
  sc_walk_work(&prepared, nest, false, &walk);
  sc_walk_memory(&walk, false);
  sc_analytic_work(&walk, out);
  sc_analytic_memory(&walk, out);
  sc_analytic_combine(fit, out);
}
