/* What the kernel calls of a nest add up to. A kernel is a class of register tiles per dim; the number of calls and
 * trips of a combination of classes is a product over dims, so all combinations are enumerated without walking the
 * nest. Each is costed by instruction counts (docs/analytic.md) and, where the kernel table knows it, by its measured
 * times. */
#include "featurize/internal.h"

/* One class of one dim. */
typedef struct class_count {
  int32_t size;
  double steps; /* of one register tile: its elements, along the vector dim its vectors */
  double tiles; /* register tiles of the class */
  double calls; /* calls that begin in it: tiles, or intervals of the kernel's loop that overlap its segments */
} class_count;

typedef struct dim_classes {
  int n, main; /* main: most elements */
  int32_t largest;
  class_count at[SC_MAX_SEGS];
} dim_classes;

static bool is_looped(const sc_nest *nest, int d) {
  for (int k = 0; k < nest->nkloops; k++) {
    if (nest->kloop[k] == d) return true;
  }
  return false;
}

/* Vector instructions that cover n elements: whole vectors, then pieces of 16, 8, 4, 2, 1 lanes; lanes are a power of
 * two. */
static int pieces(int32_t n, int lanes) {
  return (n >> __builtin_ctz((unsigned)lanes)) + __builtin_popcount((unsigned)n & (unsigned)(lanes - 1));
}

static double steps_of(const sc_nest *nest, int d, int32_t size) {
  return d == nest->vector ? pieces(size, nest->lanes) : size;
}

static void count_classes(const sc_walk *w, int d, dim_classes *c) {
  const sc_tiling *tiling = &w->nest->dim[d];
  const bool looped = is_looped(w->nest, d);
  const sc_cut *cut = &w->cut[d];
  c->n = tiling->nclasses;
  c->largest = tiling->max_tile;
  c->main = 0;
  if (tiling->nsegs == 1) {
    const double tiles = tiling->tiles;
    c->at[0] =
        (class_count){c->largest, steps_of(w->nest, d, c->largest), tiles, looped ? cut->outer_intervals : tiles};
    return;
  }
  /* the kernel's own loop is the last step of its dim: the intervals that it walks are those of the steps before */
  const int nsteps = cut->n - (looped && cut->n > 0);
  for (int k = 0; k < c->n; k++) c->at[k].tiles = c->at[k].calls = 0;
  for (int s = 0; s < tiling->nsegs; s++) {
    const sc_seg *seg = &tiling->seg[s];
    class_count *at = &c->at[tiling->class_of[s]];
    at->size = seg->size;
    at->steps = steps_of(w->nest, d, seg->size);
    at->tiles += seg->count;
    if (!looped) at->calls += seg->count;
    else {
      const int64_t last = (int64_t)seg->first + seg->count - 1;
      at->calls +=
          sc_tile_interval_of(cut->step, nsteps, last) - sc_tile_interval_of(cut->step, nsteps, seg->first) + 1;
    }
  }
  for (int k = 1; k < c->n; k++) {
    if ((double)c->at[k].size * c->at[k].tiles > (double)c->at[c->main].size * c->at[c->main].tiles) c->main = k;
  }
}

/* A combination of classes, one of every dim. */
typedef struct combination {
  uint8_t class[SC_MAX_DIMS]; /* by dim */
  double steps[SC_MAX_DIMS + 1]; /* by dim; behind them a 1 */
  double calls, trips; /* of all its kernels */
  double rows, vectors, taps; /* of one register tile */
  bool main; /* every dim's main class */
} combination;

/* Adds class k of a dim. */
static void combine(const sc_walk *w, int d, const dim_classes *dim, int k, combination *c) {
  const class_count *at = &dim->at[k];
  c->class[d] = (uint8_t)k;
  c->steps[d] = at->steps;
  c->calls *= at->calls;
  c->trips *= at->tiles;
  c->main &= k == dim->main;
  if (w->p->task->reduce >> d & 1) c->taps *= at->steps;
  else if (d == w->nest->vector) c->vectors = at->steps;
  else c->rows *= at->steps;
}

/* The instructions of one trip of one kernel, and the cycles that they need at least. */
typedef struct trip_cost {
  double fma, vector_loads, broadcasts, accumulators, live;
  double fma_cycles, load_cycles, chain_cycles, cycles;
} trip_cost;

/* Loads of one operand in one register tile: its distinct elements, whole vectors along the vector dim. */
static double operand_loads(const sc_prepared *p, int operand, const double *steps) {
  double loads = 1;
  for (int x = 0; x < p->noperand_axes[operand]; x++) {
    const sc_walked_axis *axis = &p->operand_axis[operand][x];
    const double n0 = steps[axis->dim[0]], n1 = steps[axis->dim[1]];
    loads *= sc_min(n0 * n1, axis->base + axis->coef[0] * n0 + axis->coef[1] * n1);
  }
  return loads;
}

static void cost_trip(const sc_walk *w, const combination *k, trip_cost *c) {
  const sc_rates *m = &w->p->rates;
  const double width = sc_max(w->nest->lanes * 4 / m->vector_bytes, 1); /* instructions for one vector */
  const double loads[2] = {operand_loads(w->p, 0, k->steps), operand_loads(w->p, 1, k->steps)},
               both = loads[0] + loads[1];
  c->accumulators = k->rows * k->vectors;
  c->fma = c->accumulators * k->taps;
  c->vector_loads = (w->nest->operand[1].vector ? loads[0] : 0) + (w->nest->operand[2].vector ? loads[1] : 0);
  c->broadcasts = both - c->vector_loads;
  /* the operand with fewer elements a tap is held in registers, the other one streams through one */
  c->live = c->accumulators + sc_max(sc_min(loads[0], loads[1]) / k->taps, 1) + 1;
  const double spilled = sc_max(c->live * width - m->registers, 0);
  c->fma_cycles = c->fma * width / m->fma_per_cycle;
  c->load_cycles = (both * width + 2 * spilled) / m->loads_per_cycle;
  c->chain_cycles = k->taps * m->fma_latency;
  c->cycles = sc_max(sc_max(c->fma_cycles, c->load_cycles), c->chain_cycles);
}

/* The combinations come in one order. */
static const sc_kernel_fact *find_fact(sc_walk *w, const combination *c, int variant) {
  if (variant < w->nfacts) return w->fact[variant];
  const sc_machine *machine = w->p->target.machine;
  const sc_compiler *compiler = sc_machine_compiler(machine, w->nest->compile);
  const sc_kernel_fact *fact = NULL;
  if (compiler != NULL) {
    sc_kernel kernel;
    sc_nest_kernel(w->p->task, w->nest, c->class, &kernel);
    fact = sc_kernel_table_find(w->p->target.kernels, sc_kernel_hash(&kernel, true),
                                w->p->compiler_hash[compiler - machine->compiler]);
  }
  if (variant < SC_KEPT_FACTS) {
    w->fact[variant] = fact;
    w->nfacts = variant + 1;
  }
  return fact;
}

/* Scalar multiply-adds of one combination that are executed. */
static double fma_of(const sc_walk *w, const dim_classes *dims, const combination *c) {
  double fma = w->valid_share;
  for (int i = 0; i < w->p->ndims; i++) {
    const class_count *at = &dims[i].at[c->class[w->p->dim[i]]];
    fma *= at->tiles * at->size;
  }
  return fma;
}

/* What the kernel table knows of one combination: `run` of its trips are executed. */
static void add_facts(sc_walk *w, const dim_classes *dims, const combination *c, int variant, double run,
                      double cycles) {
  sc_kernel_sums *k = &w->kernels;
  const sc_kernel_fact *fact = find_fact(w, c, variant);
  if (fact == NULL) return;
  const double fma = fma_of(w, dims, c);
  if (fact->spills >= 0 && fact->code_bytes >= 0) {
    const double share = fma / k->fma;
    k->static_fma += fma;
    k->spills += share * fact->spills;
    k->table_code_bytes += share * fact->code_bytes;
  }
  if (!fact->measured) return;
  k->known_fma += fma;
  const double ns = c->calls * (double)fact->first_ns + sc_max(run - c->calls, 0) * (double)fact->slope_ns;
  k->known_ns += ns;
  if (c->main) k->main_ns = ns;
  k->known_model_ns += run * cycles / w->p->rates.clock_hz * 1e9;
  k->first_ns += c->calls * sc_max((double)fact->first_ns - (double)fact->slope_ns, 0);
}

static void describe_main(sc_walk *w, const combination *c, const trip_cost *cost) {
  sc_kernel_sums *k = &w->kernels;
  const double unroll = w->nest->unroll > 1 ? w->nest->unroll : 1;
  k->rows = c->rows;
  k->vectors = c->vectors;
  k->taps = c->taps;
  k->accumulators = cost->accumulators;
  k->live = cost->live;
  k->spill = sc_max(cost->live - w->p->rates.registers, 0);
  k->code_bytes = 8 * (unroll * (cost->fma + cost->vector_loads + cost->broadcasts) + 3 * cost->accumulators) + 64;
}

static void add_combination(sc_walk *w, const dim_classes *dims, const combination *c, int variant) {
  sc_kernel_sums *k = &w->kernels;
  trip_cost cost;
  cost_trip(w, c, &cost);
  const double run = c->trips * w->valid_share; /* trips whose taps lie inside */
  k->calls += c->calls;
  k->trips += c->trips;
  k->vector_fma += run * cost.fma;
  k->vector_loads += run * cost.vector_loads;
  k->broadcasts += run * cost.broadcasts;
  k->stores += c->calls * cost.accumulators;
  k->fma_cycles += run * cost.fma_cycles;
  k->load_cycles += run * cost.load_cycles;
  k->chain_cycles += run * cost.chain_cycles;
  k->cycles += run * cost.cycles;
  if (c->main) {
    describe_main(w, c, &cost);
    k->main_fma = fma_of(w, dims, c);
    k->main_cycles = run * cost.cycles;
  }
  if (w->p->target.kernels != NULL) add_facts(w, dims, c, variant, run, cost.cycles);
}

/* Elements of the largest tiles only, by direction: what remains are tails. */
static void tails(const sc_walk *w, const dim_classes *dims, sc_kernel_sums *sums) {
  double vector = 1, free = 1, reduce = 1, main = 1;
  for (int i = 0; i < w->p->ndims; i++) {
    const int d = w->p->dim[i];
    const dim_classes *c = &dims[i];
    if (c->n == 1) continue;
    double largest = 0;
    for (int k = 0; k < c->n; k++) largest += c->at[k].size == c->largest ? c->at[k].tiles * c->at[k].size : 0;
    const double share = largest / w->p->task->dim[d].size;
    if (d == w->nest->vector) vector *= share;
    else if (w->p->task->reduce >> d & 1) reduce *= share;
    else free *= share;
    main *= (double)c->at[c->main].size * c->at[c->main].tiles / w->p->task->dim[d].size;
  }
  sums->tail_vector = 1 - vector;
  sums->tail_free = 1 - free;
  sums->tail_reduce = 1 - reduce;
  sums->dominant_share = main;
}

void sc_walk_kernels(sc_walk *w) {
  const sc_prepared *p = w->p;
  sc_kernel_sums *k = &w->kernels;
  dim_classes dims[SC_MAX_DIMS]; /* of p->dim[i] */
  int many[SC_MAX_DIMS], nmany = 0; /* of which have more than one class */
  combination common; /* classes of the other dims */
  for (int d = 0; d < SC_MAX_DIMS; d++) common.class[d] = 0;
  common.steps[SC_MAX_DIMS] = 1;
  common.calls = common.trips = common.rows = common.vectors = common.taps = 1;
  common.main = true;
  k->variants = 1;
  for (int i = 0; i < p->ndims; i++) {
    count_classes(w, p->dim[i], &dims[i]);
    k->variants *= dims[i].n;
    if (dims[i].n == 1) combine(w, p->dim[i], &dims[i], 0, &common);
    else many[nmany++] = i;
  }
  k->fma = p->full * w->valid_share;
  k->calls = k->trips = k->vector_fma = k->vector_loads = k->broadcasts = k->stores = 0;
  k->fma_cycles = k->load_cycles = k->chain_cycles = k->cycles = 0;
  k->main_fma = k->main_cycles = k->main_ns = 0;
  k->known_fma = k->static_fma = k->known_ns = k->known_model_ns = k->first_ns = k->spills = k->table_code_bytes = 0;
  for (int v = 0; v < k->variants; v++) { /* a number of mixed radix: a digit for each dim of more than one class */
    combination c = common;
    for (int i = 0, rest = v; i < nmany; i++) {
      const dim_classes *dim = &dims[many[i]];
      combine(w, p->dim[many[i]], dim, rest % dim->n, &c);
      rest /= dim->n;
    }
    add_combination(w, dims, &c, v);
  }
  tails(w, dims, k);
}
