/* What the kernel calls of a nest add up to. A kernel is a class of register tiles per dim; the number of calls and trips of
 * a combination of classes is a product over dims, so all combinations are enumerated without walking the nest. Each is
 * costed by instruction counts (docs/analytic.md) and, where the kernel table knows it, by its measured times. */
#include <math.h>
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
  bool looped; /* by the kernel */
  class_count at[SC_MAX_SEGS];
} dim_classes;

static void count_classes(const sc_walk *w, int d, dim_classes *c) {
  const sc_tiling *tiling = &w->nest->dim[d];
  c->n = tiling->nclasses;
  c->largest = tiling->max_tile;
  c->looped = false;
  for (int k = 0; k < w->nest->nkloops; k++) c->looped |= w->nest->kloop[k] == d;
  /* the kernel's own loop is the last step of its dim: the intervals that it walks are those of the steps before */
  const int nsteps = w->nsteps[d] - (c->looped && w->nsteps[d] > 0);
  for (int k = 0; k < c->n; k++) c->at[k] = (class_count){0};
  for (int s = 0; s < tiling->nsegs; s++) {
    const sc_seg *seg = &tiling->seg[s];
    class_count *at = &c->at[tiling->class_of[s]];
    at->size = seg->size;
    at->tiles += seg->count;
    if (!c->looped) at->calls += seg->count;
    else {
      const int64_t last = (int64_t)seg->first + seg->count - 1;
      at->calls += sc_interval_of(w->step[d], nsteps, last) - sc_interval_of(w->step[d], nsteps, seg->first) + 1;
    }
  }
  c->main = 0;
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

/* Loads of one operand in one register tile: its distinct elements, whole vectors along the vector dim. */
static double operand_loads(const sc_walk *w, int a, const int32_t *tile, int vectors) {
  const sc_access *access = &w->task->access[a];
  const int naxes = w->task->tensor[access->tensor].naxes, v = w->nest->vector;
  double loads = 1;
  for (int x = 0; x < naxes; x++) {
    const sc_index *index = &access->axis[x];
    double n = 1;
    for (int j = 0; j < 2; j++) {
      const int d = index->dim[j];
      if (d < 0) continue;
      const int c = index->coef[j] < 0 ? -index->coef[j] : index->coef[j];
      n += d == v ? vectors - 1 : (double)c * (tile[d] - 1);
    }
    loads *= n;
  }
  return loads;
}

static void cost_trip(const sc_walk *w, const int32_t *tile, trip_cost *c) {
  const sc_task *task = w->task;
  const sc_nest *nest = w->nest;
  const sc_rates *m = &w->machine;
  const int v = nest->vector, lanes = nest->lanes > 0 ? nest->lanes : 1;
  const int vectors = v >= 0 ? pieces(tile[v], lanes) : 1;
  double rows = 1, taps = 1;
  for (int d = 0; d < task->ndims; d++) {
    if (d == v) continue;
    if (task->reduce >> d & 1) taps *= tile[d];
    else rows *= tile[d];
  }
  c->rows = rows;
  c->vectors = vectors;
  c->taps = taps;
  c->accumulators = rows * vectors;
  c->fma = rows * vectors * taps;
  c->slots = c->fma * lanes;
  c->vector_loads = c->broadcasts = 0;
  double operands = 0; /* registers for operands: the smaller one is held, the larger streams through one */
  double held = INFINITY;
  for (int a = 1; a <= 2 && a < task->naccesses; a++) {
    const double loads = operand_loads(w, a, tile, vectors);
    const bool vector = a < nest->noperands && nest->operand[a].vector;
    if (vector) c->vector_loads += loads;
    else c->broadcasts += loads;
    held = fmin(held, loads / taps);
  }
  operands = fmax(held, 1) + 1;
  c->stores = c->accumulators;
  c->live = c->accumulators + operands;
  const double width = fmax(lanes * 4 / m->vector_bytes, 1); /* a vector wider than the machine's is several */
  const double spilled = fmax(c->live * width - m->registers, 0);
  c->fma_cycles = c->fma * width / m->fma_per_cycle;
  c->load_cycles = ((c->vector_loads + c->broadcasts) * width + 2 * spilled) / m->loads_per_cycle;
  c->chain_cycles = taps * m->fma_latency;
  c->cycles = fmax(fmax(c->fma_cycles, c->load_cycles), c->chain_cycles);
}

/* Adds one combination of classes: `calls` calls with `trips` trips in all, `share` of the multiply-adds. */
static void add_class(sc_walk *w, const int32_t *tile, const uint8_t *class_of_dim, double calls, double trips,
                      double fma, double share) {
  sc_kernel_sums *k = &w->kernels;
  trip_cost c;
  cost_trip(w, tile, &c);
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
  if (w->target->kernels == NULL) return;
  const sc_compiler *compiler = sc_machine_compiler(w->target->machine, w->nest->compile);
  if (compiler == NULL) return;
  sc_kernel kernel;
  sc_nest_kernel(w->task, w->nest, class_of_dim, &kernel);
  const sc_kernel_fact *fact =
      sc_kernel_table_find(w->target->kernels, sc_kernel_hash(&kernel, true), sc_compiler_hash(compiler));
  if (fact == NULL) return;
  if (fact->spills >= 0 && fact->code_bytes >= 0) {
    k->static_fma += fma;
    k->spills += share * fact->spills;
    k->table_code_bytes += share * fact->code_bytes;
  }
  if (!fact->measured) return;
  k->known_fma += fma;
  k->known_ns += calls * (double)fact->first_ns + fmax(run - calls, 0) * (double)fact->slope_ns;
  k->known_model_ns += run * c.cycles / w->machine.clock_hz * 1e9;
  k->first_ns += calls * fmax((double)fact->first_ns - (double)fact->slope_ns, 0);
}

/* Elements of the largest tiles only, by direction: what remains are tails. */
static void tails(const sc_walk *w, const dim_classes *dims, sc_kernel_sums *k) {
  double vector = 1, free = 1, reduce = 1, main = 1;
  for (int d = 0; d < w->task->ndims; d++) {
    const dim_classes *c = &dims[d];
    double largest = 0;
    for (int i = 0; i < c->n; i++) largest += c->at[i].size == c->largest ? c->at[i].tiles * c->at[i].size : 0;
    const double share = largest / w->task->dim[d].size;
    if (d == w->nest->vector) vector *= share;
    else if (w->task->reduce >> d & 1) reduce *= share;
    else free *= share;
    main *= (double)c->at[c->main].size * c->at[c->main].tiles / w->task->dim[d].size;
  }
  k->tail_vector = 1 - vector;
  k->tail_free = 1 - free;
  k->tail_reduce = 1 - reduce;
  k->dominant_share = main;
}

static void describe_main(sc_walk *w) {
  sc_kernel_sums *k = &w->kernels;
  trip_cost c;
  cost_trip(w, k->tile, &c);
  k->rows = c.rows;
  k->vectors = c.vectors;
  k->taps = c.taps;
  k->accumulators = c.accumulators;
  k->live = c.live;
  k->spill = fmax(c.live - w->machine.registers, 0);
  const double unroll = w->nest->unroll > 1 ? w->nest->unroll : 1;
  k->code_bytes = 8 * (unroll * (c.fma + c.vector_loads + c.broadcasts) + 3 * c.accumulators) + 64;
}

void sc_walk_kernels(sc_walk *w) {
  const sc_task *task = w->task;
  sc_kernel_sums *k = &w->kernels;
  dim_classes dims[SC_MAX_DIMS];
  uint8_t at[SC_MAX_DIMS] = {0};
  int32_t tile[SC_MAX_DIMS] = {0};
  memset(k, 0, sizeof *k);
  k->variants = 1;
  double full = 1;
  for (int d = 0; d < task->ndims; d++) {
    count_classes(w, d, &dims[d]);
    k->variants *= dims[d].n;
    k->tile[d] = dims[d].at[dims[d].main].size;
    full *= task->dim[d].size;
  }
  k->fma = full * w->valid_share;
  for (int d = 0; d < task->ndims;) { /* a mixed-radix counter over the classes */
    double calls = 1, trips = 1, fma = w->valid_share;
    for (int e = 0; e < task->ndims; e++) {
      const class_count *c = &dims[e].at[at[e]];
      tile[e] = c->size;
      calls *= c->calls;
      trips *= c->tiles;
      fma *= c->tiles * c->size;
    }
    add_class(w, tile, at, calls, trips, fma, fma / k->fma);
    for (d = 0; d < task->ndims && ++at[d] == dims[d].n; d++) at[d] = 0;
  }
  tails(w, dims, k);
  describe_main(w);
}
