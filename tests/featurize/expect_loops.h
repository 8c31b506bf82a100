/* What features of the task, the loops and the kernels must be, from the oracle's counts and the documented
 * definitions. */
#ifndef SC_TEST_EXPECT_LOOPS_H
#define SC_TEST_EXPECT_LOOPS_H

#include "featurize/featurize.h"
#include "tests/featurize/brute.h"

typedef struct expected {
  const brute *b;
  const sc_target *target;
  const sc_machine *m;
  float *row; /* transformed, to be compared */
  bool regular; /* no ragged loop or tile, nothing padded, rows whole lines: traffic and lines must be exact */
  bool set[SC_FEATURE_COUNT]; /* what was expected of this nest */
  double value[SC_FEATURE_COUNT];
} expected;

#define EXPECT(name, x) (e->value[SC_FEATURE_##name] = (x), e->set[SC_FEATURE_##name] = true)
#define EXPECT_AT(first, i, x) (e->value[SC_FEATURE_##first + (i)] = (x), e->set[SC_FEATURE_##first + (i)] = true)

static inline double most(double a, double b) { return a > b ? a : b; }

/* ---- workload ---- */

static inline double tensor_bytes(const sc_task *t, int a) {
  return (double)t->tensor[t->access[a].tensor].elems * sc_type_bytes(t->tensor[t->access[a].tensor].type);
}

static inline void expect_workload(expected *e) {
  const sc_task *t = e->b->task;
  double points = 1, reduction = 1, rows = 1, columns = 1, shared = 1, taps = 1, stride = 1, nfree = 0, nreduce = 0;
  for (int d = 0; d < t->ndims; d++) {
    const bool in0 = t->access[1].dims >> d & 1, in1 = t->access[2].dims >> d & 1;
    const double size = t->dim[d].size;
    points *= size;
    if (t->dim[d].reduce) reduction *= size, nreduce += size > 1;
    else {
      nfree += size > 1;
      if (in0 && in1) shared *= size;
      if (in0 && !in1) rows *= size;
      if (in1 && !in0) columns *= size;
    }
  }
  for (int x = 0; x < t->tensor[t->access[1].tensor].naxes; x++) {
    const sc_index *index = &t->access[1].axis[x];
    if (index->dim[0] < 0 || index->dim[1] < 0) continue;
    taps *= t->dim[index->dim[1]].size;
    stride = most(stride, index->coef[0]);
  }
  EXPECT(flop, 2 * points);
  EXPECT(out_bytes, tensor_bytes(t, 0));
  EXPECT(in0_bytes, tensor_bytes(t, 1));
  EXPECT(in1_bytes, tensor_bytes(t, 2));
  EXPECT(intensity, 2 * points / sc_task_min_bytes(t));
  EXPECT(element_bytes, sc_type_bytes(t->tensor[t->access[1].tensor].type));
  EXPECT(reduction, reduction);
  EXPECT(in0_only, rows);
  EXPECT(in1_only, columns);
  EXPECT(shared_free, shared);
  EXPECT(window_taps, taps);
  EXPECT(window_stride, stride);
  EXPECT(free_dims, nfree);
  EXPECT(reduction_dims, nreduce);
  EXPECT(epilogue, t->nstmts - 1);
  double outside = 0, all = 0; /* taps of the padded axes, pair by pair */
  double inside = 1;
  for (int p = 0; p < t->npads; p++) {
    const sc_pad *pad = &t->pad[p];
    outside = all = 0;
    for (int f = 0; f < (pad->free >= 0 ? t->dim[pad->free].size : 1); f++) {
      for (int r = 0; r < (pad->red >= 0 ? t->dim[pad->red].size : 1); r++) {
        const int x = pad->cf * f + pad->cr * r + pad->offset;
        outside += x < 0 || x >= pad->size;
        all++;
      }
    }
    inside *= 1 - outside / all;
  }
  EXPECT(padding_share, 1 - inside);
}

/* ---- loops ---- */

static inline void expect_loops(expected *e) {
  const brute *b = e->b;
  const sc_task *t = b->task;
  double trips = 0, reduction = 1, most_loops = 0, ragged = 0;
  int outermost = b->kernel_level;
  for (int i = b->kernel_level; i > 0; i--) {
    trips += b->iterations[i];
    if (t->dim[b->level_dim[i]].reduce) outermost = i - 1, reduction *= b->iterations[i] / b->entries[i];
  }
  for (int d = 0; d < t->ndims; d++) {
    double loops = 0, uneven = 0, range = b->nest->dim[d].tiles;
    for (int i = 1; i < b->nlevels; i++) {
      if (b->level_dim[i] != d) continue;
      loops += i <= b->kernel_level;
      double step = 1;
      int left = i <= b->kernel_level ? i : 0;
      for (int n = 0; n < b->nest->nnodes && left; n++) {
        if (b->nest->node[n].kind == SC_NODE_LOOP && --left == 0) step = b->nest->node[n].step;
      }
      uneven += fmod(range, step) != 0;
      range = step;
    }
    most_loops = most(most_loops, loops);
    ragged += uneven > 0;
  }
  const double kfma = b->fma / 1000;
  double calls = 0;
  for (int c = 0; c < b->nclasses; c++) calls += b->class_at[c].calls;
  EXPECT(depth, b->kernel_level);
  for (int k = 0; k < 3; k++) {
    const int i = b->nlevels - 1 - k;
    EXPECT_AT(trips_1, k, i > 0 ? b->iterations[i] / b->entries[i] : 0);
  }
  EXPECT(innermost_reduces, b->kernel_level > 0 && t->dim[b->level_dim[b->kernel_level]].reduce);
  EXPECT(outermost_reduction, outermost);
  EXPECT(levels_of_dim, most_loops);
  EXPECT(loop_trips_per_kfma, trips / kfma);
  EXPECT(calls_per_kfma, calls / kfma);
  EXPECT(ragged_dims, ragged);
  EXPECT(reduction_outside, reduction);
}

/* ---- kernels ---- */

typedef struct instructions {
  double fma, vector_loads, broadcasts, rows, vectors, taps, accumulators, live, fma_cycles, load_cycles, chain_cycles,
      cycles;
} instructions;

/* Pieces of 16, 8, 4, 2, 1 lanes behind whole vectors, one by one. */
static inline int greedy(int n, int lanes) {
  int count = 0;
  for (int piece = lanes; n > 0; piece /= 2) {
    while (n >= piece) n -= piece, count++;
  }
  return count;
}

/* Distinct elements of one operand in a register tile, counting vectors along the vector dim. */
static inline double distinct_loads(const brute *b, int a, const int32_t *steps) {
  const sc_access *access = &b->task->access[a];
  double loads = 1;
  for (int x = 0; x < b->task->tensor[access->tensor].naxes; x++) {
    const sc_index *index = &access->axis[x];
    uint8_t seen[4096] = {0};
    int count = 0;
    for (int i = 0; i < (index->dim[0] >= 0 ? steps[index->dim[0]] : 1); i++) {
      for (int j = 0; j < (index->dim[1] >= 0 ? steps[index->dim[1]] : 1); j++) {
        const int at = index->coef[0] * i * (index->dim[0] >= 0) + index->coef[1] * j * (index->dim[1] >= 0);
        count += seen[at] == 0;
        seen[at] = 1;
      }
    }
    loads *= count;
  }
  return loads;
}

static inline instructions count_instructions(const expected *e, const int32_t *tile) {
  const brute *b = e->b;
  const sc_nest *nest = b->nest;
  instructions n = {.rows = 1, .vectors = 1, .taps = 1};
  int32_t steps[SC_MAX_DIMS];
  for (int d = 0; d < b->task->ndims; d++) {
    steps[d] = d == nest->vector ? greedy(tile[d], nest->lanes) : tile[d];
    if (b->task->dim[d].reduce) n.taps *= steps[d];
    else if (d == nest->vector) n.vectors = steps[d];
    else n.rows *= steps[d];
  }
  const double loads0 = distinct_loads(b, 1, steps), loads1 = distinct_loads(b, 2, steps);
  const double width = most(nest->lanes * 4 / e->m->vector_bytes.value, 1);
  n.accumulators = n.rows * n.vectors;
  n.fma = n.accumulators * n.taps;
  n.vector_loads = loads0 * nest->operand[1].vector + loads1 * nest->operand[2].vector;
  n.broadcasts = loads0 + loads1 - n.vector_loads;
  n.live = n.accumulators + most((loads0 < loads1 ? loads0 : loads1) / n.taps, 1) + 1;
  n.fma_cycles = n.fma * width / e->m->fma_per_cycle.value;
  n.load_cycles = ((loads0 + loads1) * width + 2 * most(n.live * width - e->m->vector_registers.value, 0)) /
                  e->m->loads_per_cycle.value;
  n.chain_cycles = n.taps * e->m->fma_latency_cycles.value;
  n.cycles = most(most(n.fma_cycles, n.load_cycles), n.chain_cycles);
  return n;
}

typedef struct sums {
  double calls, trips, fma, vector_loads, broadcasts, stores, fma_cycles, load_cycles, chain_cycles, cycles;
  double known_fma, static_fma, known_ns, model_ns, first_ns, spills, code;
  int32_t main[SC_MAX_DIMS];
  double main_share, tail_vector, tail_free, tail_reduce;
} sums;

static inline const sc_kernel_fact *fact_of(const expected *e, const brute_class *c) {
  const brute *b = e->b;
  uint8_t class_of[SC_MAX_DIMS] = {0};
  for (int d = 0; d < b->task->ndims; d++) {
    const sc_tiling *tiling = &b->nest->dim[d];
    for (int s = 0; s < tiling->nsegs; s++) {
      const sc_seg *seg = &tiling->seg[s];
      if (seg->size == c->size[d] && seg->lo == c->lo[d] && seg->hi == c->hi[d]) class_of[d] = tiling->class_of[s];
    }
  }
  sc_kernel kernel;
  sc_nest_kernel(b->task, b->nest, class_of, &kernel);
  return sc_kernel_table_find(e->target->kernels, sc_kernel_hash(&kernel, true), sc_compiler_hash(&e->m->compiler[0]));
}

static inline void sum_class(const expected *e, const brute_class *c, double valid, sums *s) {
  const instructions n = count_instructions(e, c->size);
  const double run = c->trips * valid;
  double fma = run;
  for (int d = 0; d < e->b->task->ndims; d++) fma *= c->size[d];
  s->calls += c->calls;
  s->trips += c->trips;
  s->fma += run * n.fma;
  s->vector_loads += run * n.vector_loads;
  s->broadcasts += run * n.broadcasts;
  s->stores += c->calls * n.accumulators;
  s->fma_cycles += run * n.fma_cycles;
  s->load_cycles += run * n.load_cycles;
  s->chain_cycles += run * n.chain_cycles;
  s->cycles += run * n.cycles;
  const sc_kernel_fact *fact = fact_of(e, c);
  if (fact == NULL) return;
  if (fact->spills >= 0) {
    s->static_fma += fma;
    s->spills += fma * fact->spills;
    s->code += fma * fact->code_bytes;
  }
  if (!fact->measured) return;
  s->known_fma += fma;
  s->known_ns += c->calls * (double)fact->first_ns + most(run - c->calls, 0) * (double)fact->slope_ns;
  s->model_ns += run * n.cycles / e->m->clock_hz.value * 1e9;
  s->first_ns += c->calls * most((double)fact->first_ns - (double)fact->slope_ns, 0);
}

/* Shares of the elements along each dim, tile by tile. */
static inline void sum_tails(const brute *b, sums *s) {
  double vector = 1, free = 1, reduce = 1;
  s->main_share = 1;
  for (int d = 0; d < b->task->ndims; d++) {
    const sc_tiling *tiling = &b->nest->dim[d];
    double largest = 0, elements[SC_MAX_SEGS] = {0};
    int best = 0;
    for (int t = 0; t < tiling->tiles; t++) {
      int seg;
      sc_tile_start(tiling, t, &seg);
      elements[tiling->class_of[seg]] += tiling->seg[seg].size;
      largest += tiling->seg[seg].size == tiling->max_tile ? tiling->seg[seg].size : 0;
    }
    for (int c = 1; c < tiling->nclasses; c++) best = elements[c] > elements[best] ? c : best;
    for (int i = 0; i < tiling->nsegs; i++) {
      if (tiling->class_of[i] == best) s->main[d] = tiling->seg[i].size;
    }
    const double size = b->task->dim[d].size;
    s->main_share *= elements[best] / size;
    if (d == b->nest->vector) vector *= largest / size;
    else if (b->task->dim[d].reduce) reduce *= largest / size;
    else free *= largest / size;
  }
  s->tail_vector = 1 - vector;
  s->tail_free = 1 - free;
  s->tail_reduce = 1 - reduce;
}

static inline void expect_tile(expected *e, const sums *s) {
  const sc_nest *nest = e->b->nest;
  const instructions n = count_instructions(e, s->main);
  const double unroll = nest->unroll > 1 ? nest->unroll : 1,
               code = 8 * (unroll * (n.fma + n.vector_loads + n.broadcasts) + 3 * n.accumulators) + 64;
  EXPECT(tile_rows, n.rows);
  EXPECT(tile_vectors, n.vectors);
  EXPECT(tile_taps, n.taps);
  EXPECT(accumulators, n.accumulators);
  EXPECT(register_use, n.live / e->m->vector_registers.value);
  EXPECT(spill_estimate, most(n.live - e->m->vector_registers.value, 0));
  EXPECT(latency_cover, n.accumulators / (e->m->fma_latency_cycles.value * e->m->fma_per_cycle.value));
  EXPECT(vector_loads_per_fma, s->vector_loads / s->fma);
  EXPECT(broadcasts_per_fma, s->broadcasts / s->fma);
  EXPECT(stores_per_fma, s->stores / s->fma);
  EXPECT(code_over_l1i, code / e->m->l1i_bytes.value);
  EXPECT(load_over_fma_cycles, s->load_cycles / s->fma_cycles);
  EXPECT(chain_over_fma_cycles, s->chain_cycles / s->fma_cycles);
  EXPECT(unroll, unroll);
  EXPECT(kernel_loops, nest->nkloops);
  EXPECT(kernel_trips, s->trips / s->calls);
  EXPECT(free_kernel_loop, nest->nkloops > 0 && !e->b->task->dim[nest->kloop[0]].reduce);
  EXPECT(vector_width, nest->lanes * 4 / e->m->vector_bytes.value);
  EXPECT(in0_vector, nest->operand[1].vector);
  EXPECT(in1_vector, nest->operand[2].vector);
  EXPECT(out_strided, nest->operand[0].strided);
  EXPECT(lane_use, e->b->fma / (s->fma * nest->lanes));
  EXPECT(tail_vector, s->tail_vector);
  EXPECT(tail_free, s->tail_free);
  EXPECT(tail_reduce, s->tail_reduce);
  EXPECT(main_share, s->main_share);
  EXPECT(variants, e->b->nclasses);
  EXPECT(kernel_known, s->known_fma / e->b->fma);
  EXPECT(kernel_static, s->static_fma / e->b->fma);
  EXPECT(kernel_rate, s->known_ns > 0 ? 2 * s->known_fma / (s->known_ns * 1e-9 * e->m->peak_flop_per_s.value) : 0);
  EXPECT(kernel_over_model, s->known_ns > 0 ? s->known_ns / s->model_ns : 0);
  EXPECT(kernel_first_share, s->known_ns > 0 ? s->first_ns / s->known_ns : 0);
  EXPECT(kernel_spills, s->static_fma > 0 ? s->spills / s->static_fma : 0);
  EXPECT(kernel_code, s->static_fma > 0 ? s->code / s->static_fma : 0);
  EXPECT(flop_per_call, 2 * e->b->fma / s->calls);
}

#endif
