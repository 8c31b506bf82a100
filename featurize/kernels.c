/* What the kernel calls of a nest add up to. A kernel is a class of register tiles per dim; the number of calls and trips of
 * a combination of classes is a product over dims, so all combinations are enumerated without walking the nest. Each is
 * costed by instruction counts (docs/analytic.md) and, where the kernel table knows it, by its measured times. */
#include <stdlib.h>
#include <string.h>

#include "featurize/internal.h"

/* One class of one dim. */
typedef struct class_count {
  int32_t size;
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

static void count_classes(const sc_walk *w, int d, dim_classes *c) {
  const sc_tiling *tiling = &w->nest->dim[d];
  const bool looped = is_looped(w->nest, d);
  c->n = tiling->nclasses;
  c->largest = tiling->max_tile;
  c->main = 0;
  if (tiling->nsegs == 1) {
    c->at[0] = (class_count){tiling->max_tile, tiling->tiles, looped ? w->outer_intervals[d] : tiling->tiles};
    return;
  }
  /* the kernel's own loop is the last step of its dim: the intervals that it walks are those of the steps before */
  const int nsteps = w->nsteps[d] - (looped && w->nsteps[d] > 0);
  for (int k = 0; k < c->n; k++) c->at[k] = (class_count){0};
  for (int s = 0; s < tiling->nsegs; s++) {
    const sc_seg *seg = &tiling->seg[s];
    class_count *at = &c->at[tiling->class_of[s]];
    at->size = seg->size;
    at->tiles += seg->count;
    if (!looped) at->calls += seg->count;
    else {
      const int64_t last = (int64_t)seg->first + seg->count - 1;
      at->calls +=
          sc_tile_interval_of(w->step[d], nsteps, last) - sc_tile_interval_of(w->step[d], nsteps, seg->first) + 1;
    }
  }
  for (int k = 1; k < c->n; k++) {
    if ((double)c->at[k].size * c->at[k].tiles > (double)c->at[c->main].size * c->at[c->main].tiles) c->main = k;
  }
}

/* Vector instructions that cover n elements: whole vectors, then pieces of 16, 8, 4, 2, 1 lanes. */
static int pieces(int32_t n, int lanes) {
  return lanes > 1 ? n / lanes + __builtin_popcount((unsigned)(n % lanes)) : n;
}

/* The instructions of one trip of one kernel. */
typedef struct trip_cost {
  double fma, slots; /* vector multiply-adds, lanes they have */
  double vector_loads, broadcasts, stores /* of the accumulators, once a call */;
  double rows, vectors, taps, accumulators, live;
  double fma_cycles, load_cycles, chain_cycles, cycles;
} trip_cost;

/* One axis of an operand: 1 + sum of coef x (tile - 1). */
typedef struct load_axis {
  uint8_t dim[2]; /* SC_MAX_DIMS = none */
  int32_t coef[2];
} load_axis;

/* What all classes of a nest have in common. */
typedef struct costing {
  int vector, lanes;
  double width; /* instructions for one vector: more than one where the machine's are narrower */
  int naxes[2];
  load_axis axis[2][SC_MAX_AXES]; /* of in0 and in1 */
  bool is_vector[2];
} costing;

static void prepare(const sc_walk *w, costing *c) {
  const sc_nest *nest = w->nest;
  c->vector = nest->vector;
  c->lanes = nest->lanes > 0 ? nest->lanes : 1;
  c->width = sc_max(c->lanes * 4 / w->p->rates.vector_bytes, 1);
  for (int i = 0; i < 2; i++) {
    const sc_access *access = &w->p->task->access[i + 1];
    const int naxes = w->p->task->tensor[access->tensor].naxes;
    c->is_vector[i] = nest->operand[i + 1].vector;
    c->naxes[i] = 0;
    for (int x = 0; x < naxes; x++) {
      load_axis axis;
      bool varies = false;
      for (int j = 0; j < 2; j++) {
        const int d = access->axis[x].dim[j];
        const bool there = d >= 0 && w->nest->dim[d].max_tile > 1;
        axis.dim[j] = there ? (uint8_t)d : SC_MAX_DIMS;
        axis.coef[j] = there ? abs(access->axis[x].coef[j]) : 0;
        varies |= there;
      }
      if (varies) c->axis[i][c->naxes[i]++] = axis;
    }
  }
}

/* Loads of one operand in one register tile: its distinct elements, whole vectors along the vector dim. `steps` is the
 * tile with vectors instead of elements along that dim. */
static double operand_loads(const costing *c, int i, const int32_t *steps) {
  double loads = 1;
  for (int x = 0; x < c->naxes[i]; x++) {
    const load_axis *axis = &c->axis[i][x];
    const double n0 = steps[axis->dim[0]], n1 = steps[axis->dim[1]];
    loads *= sc_min(n0 * n1, 1 + axis->coef[0] * (n0 - 1) + axis->coef[1] * (n1 - 1));
  }
  return loads;
}

static void cost_trip(const sc_walk *w, const costing *k, const int32_t *tile, trip_cost *c) {
  const sc_rates *m = &w->p->rates;
  int32_t steps[SC_MAX_DIMS + 1];
  double rows = 1, taps = 1;
  c->vectors = 1;
  steps[SC_MAX_DIMS] = 1;
  for (int i = 0; i < w->p->ndims; i++) {
    const int d = w->p->dim[i];
    const bool reduce = w->p->task->reduce >> d & 1;
    steps[d] = d == k->vector ? pieces(tile[d], k->lanes) : tile[d];
    if (reduce) taps *= steps[d];
    else if (d == k->vector) c->vectors = steps[d];
    else rows *= steps[d];
  }
  const double loads[2] = {operand_loads(k, 0, steps), operand_loads(k, 1, steps)};
  c->rows = rows;
  c->taps = taps;
  c->accumulators = rows * c->vectors;
  c->fma = c->accumulators * taps;
  c->slots = c->fma * k->lanes;
  c->vector_loads = (k->is_vector[0] ? loads[0] : 0) + (k->is_vector[1] ? loads[1] : 0);
  c->broadcasts = loads[0] + loads[1] - c->vector_loads;
  c->stores = c->accumulators;
  /* the operand with fewer elements a tap is held in registers, the other one streams through one */
  c->live = c->accumulators + sc_max(sc_min(loads[0], loads[1]) / taps, 1) + 1;
  const double spilled = sc_max(c->live * k->width - m->registers, 0);
  c->fma_cycles = c->fma * k->width / m->fma_per_cycle;
  c->load_cycles = ((loads[0] + loads[1]) * k->width + 2 * spilled) / m->loads_per_cycle;
  c->chain_cycles = taps * m->fma_latency;
  c->cycles = sc_max(sc_max(c->fma_cycles, c->load_cycles), c->chain_cycles);
}

/* Adds one combination of classes: `calls` calls with `trips` trips in all, `share` of the multiply-adds. */
static void add_class(sc_walk *w, const costing *costs, const int32_t *tile, const uint8_t *class_of_dim, double calls,
                      double trips, double fma, double share) {
  sc_kernel_sums *k = &w->kernels;
  trip_cost c;
  cost_trip(w, costs, tile, &c);
  const double run = trips * w->valid_share; /* trips whose taps lie inside */
  k->calls += calls;
  k->trips += trips;
  k->vector_fma += run * c.fma;
  k->lane_slots += run * c.slots;
  k->vector_loads += run * c.vector_loads;
  k->broadcasts += run * c.broadcasts;
  k->stores += calls * c.stores;
  k->fma_cycles += run * c.fma_cycles;
  k->load_cycles += run * c.load_cycles;
  k->chain_cycles += run * c.chain_cycles;
  k->cycles += run * c.cycles;
  if (w->p->target.kernels == NULL) return;
  const sc_compiler *compiler = sc_machine_compiler(w->p->target.machine, w->nest->compile);
  if (compiler == NULL) return;
  sc_kernel kernel;
  sc_nest_kernel(w->p->task, w->nest, class_of_dim, &kernel);
  const sc_kernel_fact *fact =
      sc_kernel_table_find(w->p->target.kernels, sc_kernel_hash(&kernel, true), sc_compiler_hash(compiler));
  if (fact == NULL) return;
  if (fact->spills >= 0 && fact->code_bytes >= 0) {
    k->static_fma += fma;
    k->spills += share * fact->spills;
    k->table_code_bytes += share * fact->code_bytes;
  }
  if (!fact->measured) return;
  k->known_fma += fma;
  k->known_ns += calls * (double)fact->first_ns + sc_max(run - calls, 0) * (double)fact->slope_ns;
  k->known_model_ns += run * c.cycles / w->p->rates.clock_hz * 1e9;
  k->first_ns += calls * sc_max((double)fact->first_ns - (double)fact->slope_ns, 0);
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

static void describe_main(sc_walk *w, const costing *costs) {
  sc_kernel_sums *k = &w->kernels;
  trip_cost c;
  cost_trip(w, costs, k->tile, &c);
  k->rows = c.rows;
  k->vectors = c.vectors;
  k->taps = c.taps;
  k->accumulators = c.accumulators;
  k->live = c.live;
  k->spill = sc_max(c.live - w->p->rates.registers, 0);
  const double unroll = w->nest->unroll > 1 ? w->nest->unroll : 1;
  k->code_bytes = 8 * (unroll * (c.fma + c.vector_loads + c.broadcasts) + 3 * c.accumulators) + 64;
}

void sc_walk_kernels(sc_walk *w) {
  sc_kernel_sums *k = &w->kernels;
  dim_classes dims[SC_MAX_DIMS]; /* of w->p->dim[i] */
  uint8_t at[SC_MAX_DIMS] = {0}; /* by dim */
  int32_t tile[SC_MAX_DIMS];
  costing costs;
  prepare(w, &costs);
  memset(k, 0, sizeof *k);
  k->variants = 1;
  for (int d = 0; d < SC_MAX_DIMS; d++) tile[d] = k->tile[d] = 1;
  for (int i = 0; i < w->p->ndims; i++) {
    const int d = w->p->dim[i];
    count_classes(w, d, &dims[i]);
    k->variants *= dims[i].n;
    k->tile[d] = dims[i].at[dims[i].main].size;
  }
  k->fma = w->p->full * w->valid_share;
  for (bool more = true; more;) { /* a mixed-radix counter over the classes */
    double calls = 1, trips = 1, fma = w->valid_share;
    for (int e = 0; e < w->p->ndims; e++) {
      const class_count *c = &dims[e].at[at[w->p->dim[e]]];
      tile[w->p->dim[e]] = c->size;
      calls *= c->calls;
      trips *= c->tiles;
      fma *= c->tiles * c->size;
    }
    add_class(w, &costs, tile, at, calls, trips, fma, fma / k->fma);
    int i = 0;
    for (; i < w->p->ndims && ++at[w->p->dim[i]] == dims[i].n; i++) at[w->p->dim[i]] = 0;
    more = i < w->p->ndims;
  }
  tails(w, dims, k);
  describe_main(w, &costs);
}
