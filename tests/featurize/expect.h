/* What every feature must be, from the oracle's counts and the documented definitions. */
#ifndef SC_TEST_EXPECT_H
#define SC_TEST_EXPECT_H

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

/* ---- caches ---- */

static inline const brute_stream *stream_of(const brute *b, int a) {
  for (int k = 0; k < b->nstreams; k++) {
    if (b->stream[k].kind == BRUTE_OPERAND && b->stream[k].access == a) return &b->stream[k];
  }
  return NULL;
}

static inline bool is_buffer(const brute *b, const brute_stream *s) {
  return s->kind == BRUTE_OPERAND && s->pack >= 0 && !b->nest->pack[s->pack].ahead;
}

/* Lines of a stream while one iteration of a level runs. A buffer is whole at the level of its pack and outside. */
static inline double lines_at(const brute *b, const brute_stream *s, int level) {
  if (s->kind == BRUTE_OUTSIDE) return level > s->level ? 0 : s->first[level];
  return s->first[is_buffer(b, s) && level < s->level ? s->level : level];
}

static inline double all_lines(const brute *b, int level) {
  double lines = 0;
  for (int k = 0; k < b->nstreams; k++) lines += lines_at(b, &b->stream[k], level);
  return lines;
}

static inline int fits(const brute *b, double bytes) {
  for (int i = 0; i < b->nlevels; i++) {
    if (all_lines(b, i) * 64 <= bytes) return i;
  }
  return b->nlevels;
}

/* Lines that were really touched, anew in every entry of loop i; behind the last loop every tile is an entry. */
static inline double entries_lines(const brute *b, const brute_stream *s, int i) {
  return i < b->nlevels ? s->sent[i] : lines_at(b, s, b->nlevels - 1) * b->iterations[b->nlevels - 1];
}

static inline double traffic_of_stream(const brute *b, const brute_stream *s, int reuse) {
  if (reuse == 0) return 0;
  const double times = s->access == 0 ? 2 : 1; /* fetched and written back */
  if (s->kind == BRUTE_OUTSIDE)
    return times * (reuse <= s->level ? s->sent[reuse] : s->first[s->level] * b->iterations[s->level]);
  if (is_buffer(b, s) && reuse <= s->level) return 0;
  double copied = 0;
  if (is_buffer(b, s) && s->access != 0) copied = 2 * s->first[s->level] * b->iterations[s->level];
  return times * entries_lines(b, s, reuse) + copied;
}

static inline double traffic(const brute *b, int reuse, int access) {
  double bytes = 0;
  for (int k = 0; k < b->nstreams; k++) {
    if (access < 0 || b->stream[k].access == access) bytes += 64 * traffic_of_stream(b, &b->stream[k], reuse);
  }
  return bytes;
}

static inline void expect_caches(expected *e) {
  const brute *b = e->b;
  const double kfma = b->fma / 1000;
  const int last = b->nlevels - 1, kernel = b->kernel_level;
  for (int c = 0; c < 3; c++) {
    const double size = e->m->cache[c].bytes.value;
    const int reuse = fits(b, size);
    EXPECT_AT(l1_level, c, reuse);
    EXPECT_AT(l1_fill, c, all_lines(b, reuse > last ? last : reuse) * 64 / size);
    EXPECT_AT(l1_over, c, reuse > 0 ? all_lines(b, reuse - 1) * 64 / size : 0);
    if (c < 2) EXPECT_AT(kernel_over_l1, c, all_lines(b, kernel) * 64 / size);
    e->value[c == 0   ? SC_FEATURE_l1_traffic
             : c == 1 ? SC_FEATURE_l2_traffic
                      : SC_FEATURE_l3_traffic] = traffic(b, reuse, -1) / kfma;
    e->set[c == 0 ? SC_FEATURE_l1_traffic : c == 1 ? SC_FEATURE_l2_traffic : SC_FEATURE_l3_traffic] = true;
    for (int a = 0; a < 3 && c < 2; a++) {
      if (c == 0) EXPECT_AT(l1_traffic_out, a, traffic(b, reuse, a) / kfma);
      else EXPECT_AT(l2_traffic_out, a, traffic(b, reuse, a) / kfma);
    }
  }
  for (int a = 0; a < 3; a++) {
    const brute_stream *s = stream_of(b, a);
    EXPECT_AT(out_kernel_over_l1, a, lines_at(b, s, kernel) * 64 / e->m->cache[0].bytes.value);
    EXPECT_AT(out_line_use, a,
              s->elements_first[kernel] * sc_type_bytes(b->task->tensor[b->task->access[a].tensor].type) /
                  (s->first[kernel] * 64));
  }
  for (int i = 0; i < 7; i++) EXPECT_AT(miss_16k, i, traffic(b, fits(b, 16384 * pow(4, i)), -1) / kfma);
  EXPECT(touched, all_lines(b, 0) * 64);
}

/* ---- parallel ---- */

static inline double threads_of(const expected *e) {
  return e->b->par_level > 0 && e->target->threads > 1 ? e->target->threads : 1;
}

/* Tasks are dealt out one by one; the thread with most of them ends last. */
static inline double speedup_of(const expected *e) {
  double rounds = 0, tasks = e->b->par_level > 0 ? e->b->par_tasks : 1;
  for (double left = tasks; left > 0; left -= threads_of(e)) rounds++;
  return tasks / rounds;
}

static inline double barriers_of(const expected *e) {
  const brute *b = e->b;
  double barriers = b->par_level > 0 ? b->par_regions : 0;
  for (int p = 0; p < b->nest->npacks && b->par_level > 0; p++) {
    const sc_nest_pack *pack = &b->nest->pack[p];
    if (!pack->ahead && !pack->private && p != b->nest->acc) barriers += b->pack_runs[p];
  }
  return barriers;
}

/* Runs of elements without a gap of a line or more, in the first iteration of a level; *bytes: length of the first. */
static inline double dense_runs(const brute_stream *s, int level, double *bytes) {
  double runs = 0;
  int last = -1000, start = 0;
  *bytes = 0;
  for (int i = 0; i < BRUTE_BYTES / 4; i++) {
    if (!s->element[level][i]) continue;
    if (i - last > 16) runs++, start = i;
    if (runs == 1) *bytes = (i - start + 1) * 4;
    last = i;
  }
  return runs;
}

static inline void expect_parallel(expected *e) {
  const brute *b = e->b;
  const double tasks = b->par_level > 0 ? b->par_tasks : 1;
  double shared = 0, bytes;
  bool hidden = false; /* out behind a buffer that stands further out */
  for (int k = 0; k < b->nstreams && b->par_level > 0; k++) {
    const brute_stream *s = &b->stream[k];
    if (s->access != 0 || is_buffer(b, s)) continue;
    hidden = s->kind == BRUTE_OUTSIDE && s->level < b->par_level;
    const double runs = dense_runs(s, b->par_level, &bytes);
    if (fmod(bytes, 64) != 0) shared = runs * (tasks - 1);
  }
  EXPECT(threads, threads_of(e));
  EXPECT(parallel_tasks, tasks);
  EXPECT(tasks_per_thread, tasks / threads_of(e));
  EXPECT(balance, speedup_of(e) / threads_of(e));
  EXPECT(task_flop, 2 * b->fma / (tasks * most(b->par_regions, 1)));
  EXPECT(barriers, barriers_of(e));
  if (!hidden) EXPECT(shared_lines, shared);
  EXPECT(task_over_l2, all_lines(b, b->par_level) * 64 / e->m->cache[1].bytes.value);
}

/* ---- addresses ---- */

/* Pages of 4 KiB in the first iteration of a level. */
static inline double pages_at_level(const brute *b, int level, bool operands_only) {
  double pages = 0;
  for (int k = 0; k < b->nstreams; k++) {
    const brute_stream *s = &b->stream[k];
    if (lines_at(b, s, level) == 0 || (operands_only && s->kind != BRUTE_OPERAND)) continue;
    const int own = is_buffer(b, s) && level < s->level ? s->level : level;
    for (int page = 0; page < BRUTE_BYTES / 4096; page++) {
      bool touched = false;
      for (int line = 0; line < 64; line++) touched |= s->first_line[own][page * 64 + line];
      pages += touched;
    }
  }
  return pages;
}

/* Most lines that share a set, over the ways. */
static inline double set_pressure(const brute_stream *s, int level, const sc_cache *cache) {
  const int sets = (int)(cache->bytes.value / cache->ways.value / 64);
  int count[4096] = {0}, largest = 0;
  for (int line = 0; line < BRUTE_BYTES / 64; line++) {
    if (s->first_line[level][line] && ++count[line % sets] > largest) largest = count[line % sets];
  }
  return largest / cache->ways.value;
}

/* Strides between dense runs in the first iteration of a level: distances of run starts that a nested loop would have, found
 * by taking the least distance, folding runs that it joins, and going on. */
static inline int run_strides(const brute_stream *s, int level, double *stride) {
  static int start[BRUTE_BYTES / 4];
  int n = 0, last = -1000, found = 0;
  for (int i = 0; i < BRUTE_BYTES / 4; i++) {
    if (!s->element[level][i]) continue;
    if (i - last > 16) start[n++] = i;
    last = i;
  }
  while (n > 1) {
    const int step = start[1] - start[0];
    int kept = 0, length = 1;
    while (length < n && start[length] - start[length - 1] == step) length++;
    stride[found++] = step * 4.0;
    for (int i = 0; i < n; i += length) start[kept++] = start[i];
    n = kept;
  }
  return found;
}

static inline double low_bits(double stride) {
  int n = 0;
  while (n < 12 && fmod(stride, pow(2, n + 1)) == 0) n++;
  return n;
}

/* Does every row of vectors begin at a whole vector, wherever in the tensor or buffer? */
static inline bool rows_aligned(const brute *b, const brute_stream *s, int32_t *value, int d) {
  if (d < b->task->ndims) {
    const int step = d == b->nest->vector ? b->nest->dim[d].max_tile : 1;
    const bool depends = b->task->access[s->access].dims >> d & 1;
    bool aligned = true;
    for (value[d] = 0; value[d] < (depends ? b->task->dim[d].size : 1); value[d] += step)
      aligned &= rows_aligned(b, s, value, d + 1);
    return aligned;
  }
  int64_t bytes = 0;
  brute_offset(b, s, value, &bytes);
  return bytes % (b->nest->lanes * 4) == 0;
}

static inline void expect_addresses(expected *e) {
  const brute *b = e->b;
  const sc_machine *m = e->m;
  const int kernel = b->kernel_level, last = b->nlevels - 1, l2 = fits(b, m->cache[1].bytes.value);
  const double pages = pages_at_level(b, kernel, true);
  double tile_set = 0, kernel_set = 0, largest = 0, multiples = 0, vectors = 0, aligned = 0;
  for (int a = 0; a < 3; a++) {
    const brute_stream *s = stream_of(b, a);
    double stride[16], bits = 0;
    const int n = run_strides(s, kernel, stride);
    for (int i = 0; i < n; i++) {
      largest = most(largest, stride[i]);
      bits = most(bits, low_bits(stride[i]));
    }
    multiples += bits == 12;
    tile_set = most(tile_set, set_pressure(s, last, &m->cache[0]));
    kernel_set = most(kernel_set, set_pressure(s, kernel, &m->cache[1]));
    EXPECT_AT(out_set_l1, a, set_pressure(s, kernel, &m->cache[0]));
    EXPECT_AT(out_stride_4k, a, bits);
    if (!b->nest->operand[a].vector || is_buffer(b, s)) continue;
    int32_t value[SC_MAX_DIMS] = {0};
    vectors++;
    aligned += rows_aligned(b, s, value, 0);
  }
  EXPECT(pages_over_l1tlb, pages / m->l1_tlb_entries.value);
  EXPECT(pages_over_l2tlb, pages_at_level(b, l2 > last ? last : l2, false) / m->l2_tlb_entries.value);
  EXPECT(page_traffic, pages * b->iterations[kernel] * 1000 / b->fma);
  EXPECT(largest_stride, largest);
  EXPECT(alias_pairs, multiples * (multiples - 1) / 2);
  EXPECT(tile_set_l1, tile_set);
  EXPECT(kernel_set_l2, kernel_set);
  bool buffers = false; /* rows of a buffer are not where they were when it is asked afterwards */
  for (int k = 0; k < b->nstreams; k++) buffers |= is_buffer(b, &b->stream[k]);
  if (!buffers) EXPECT(vector_aligned, vectors > 0 ? aligned / vectors : 0);
}

/* Elements side by side in a buffer and in its tensor: those of the innermost axis that has more than one; 0 when the axes
 * differ. */
static inline double copied_row(const brute *b, int p) {
  const sc_nest_pack *pack = &b->nest->pack[p];
  const sc_access *access = &b->task->access[pack->access];
  const sc_tensor *tensor = &b->task->tensor[access->tensor];
  int to = pack->layout.nparts - 1, from = tensor->layout.nparts - 1;
  double row = 1;
  for (; to >= 0; to--) {
    const sc_part part = pack->layout.part[to];
    const int d = access->axis[part.axis].dim[0];
    row = part.kind == SC_PART_INNER ? b->nest->dim[d].max_tile : pack->extent[part.axis];
    if (part.kind == SC_PART_INNER && pack->extent[part.axis] < row) row = pack->extent[part.axis];
    if (row > 1) break;
  }
  while (from >= 0 && tensor->shape[tensor->layout.part[from].axis] == 1) from--;
  if (to < 0) return 1;
  return from >= 0 && tensor->layout.part[from].axis == pack->layout.part[to].axis ? row : 0;
}

/* ---- analytic terms, documented in docs/analytic.md ---- */

static inline void expect_analytic(expected *e, const sums *s) {
  const brute *b = e->b;
  const sc_machine *m = e->m;
  const double faster = speedup_of(e), cycle = 1e9 / m->clock_hz.value / faster;
  double served[3], loops = 0, copy = 0, conflicts = 0;
  for (int c = 0; c < 3; c++) {
    const double rate = c < 2 ? m->cache[c + 1].read_bytes_per_s.value : m->memory_read_bytes_per_s.value;
    served[c] = traffic(b, fits(b, m->cache[c].bytes.value), -1) / rate * 1e9 / faster;
  }
  for (int i = 1; i <= b->kernel_level; i++) loops += b->iterations[i];
  for (int p = 0; p < b->nest->npacks; p++) {
    const sc_nest_pack *pack = &b->nest->pack[p];
    if (pack->ahead || p == b->nest->acc) continue;
    const double row = copied_row(b, p), elems = (double)pack->elems;
    const double by_rows = elems / most(row, 1) * (6 + floor(row / 16) * 3.5 + fmod(row, 16) * 0.5);
    copy += b->pack_runs[p] * (8 + (row > 0 ? by_rows : 1.2 * elems));
  }
  for (int a = 0; a < 3; a++) {
    const brute_stream *stream = stream_of(b, a);
    const int last = b->nlevels - 1, kernel = b->kernel_level;
    const bool call = set_pressure(stream, kernel, &m->cache[0]) > 1,
               tile = set_pressure(stream, last, &m->cache[0]) > 1;
    if (a > 0 && tile) conflicts += stream->first[last] * b->iterations[last];
    else if (call) conflicts += (a == 0 ? 2 : 1) * stream->first[kernel] * b->iterations[kernel];
  }
  conflicts *= 64 / m->cache[1].read_bytes_per_s.value * 1e9 / faster;
  const double compute = s->cycles * cycle, known = s->known_fma / b->fma;
  const double kernel =
      s->known_ns > 0
          ? (s->known_ns + (s->cycles * 1e9 / m->clock_hz.value - s->model_ns) * s->known_ns / s->model_ns) / faster
          : compute;
  const double pack = copy * cycle;
  const double overhead =
      (0.5 * loops + 12 * s->calls * (1 - known) + 2 * s->stores / m->loads_per_cycle.value) * cycle +
      barriers_of(e) * 2000 * 1e9 / m->clock_hz.value;
  const double sum = (known >= 0.5 ? kernel : compute) + 0.25 * served[0] + 0.35 * served[1] + 0.5 * served[2] +
                     0.25 * conflicts + pack + 0.5 * overhead;
  const double term[] = {kernel, served[0], served[1], served[2], conflicts, pack, overhead};
  double first = 0, second = 0;
  for (int i = 0; i < 7; i++) {
    if (term[i] > first) second = first, first = term[i];
    else second = most(second, term[i]);
  }
  EXPECT(time_compute, compute);
  EXPECT(time_kernel, kernel);
  EXPECT(time_l1, s->load_cycles * cycle);
  EXPECT(time_l2, served[0]);
  EXPECT(time_l3, served[1]);
  EXPECT(time_memory, served[2]);
  EXPECT(time_conflict, conflicts);
  EXPECT(time_pack, pack);
  EXPECT(time_overhead, overhead);
  EXPECT(time_sum, sum);
  EXPECT(efficiency, b->task->flop / (sum * 1e-9 * m->peak_flop_per_s.value));
  EXPECT(traffic_over_compute, (served[0] + served[1] + served[2]) / kernel);
  EXPECT(pack_share, pack / sum);
  EXPECT(overhead_share, overhead / sum);
  EXPECT(second_over_first, second / first);
}

/* ---- packs, machine ---- */

static inline void expect_packs(expected *e) {
  const brute *b = e->b;
  double run = 0, ahead = 0, bytes = 0, elements = 0, strided = 0, largest = 0, runs = 0, skewed = 0, sum_bytes = 0;
  for (int p = 0; p < b->nest->npacks; p++) {
    const sc_nest_pack *pack = &b->nest->pack[p];
    skewed += pack->skew > 0;
    if (p == b->nest->acc) sum_bytes = (double)pack->elems * 4;
    else if (pack->ahead) ahead++;
    else {
      const double copied = (double)pack->elems * b->pack_runs[p];
      run++;
      runs += b->pack_runs[p];
      elements += copied;
      bytes += 4 * copied;
      if (copied_row(b, p) == 0) strided += 4 * copied;
      largest = most(largest, 4 * (double)pack->elems);
    }
  }
  EXPECT(run_packs, run);
  EXPECT(ahead_packs, ahead);
  EXPECT(packed_per_kfma, bytes * 1000 / b->fma);
  EXPECT(packed_uses, elements > 0 ? b->fma / elements : 0);
  EXPECT(packed_strided, bytes > 0 ? strided / bytes : 0);
  EXPECT(pack_over_l2, largest / e->m->cache[1].bytes.value);
  EXPECT(pack_runs, runs);
  EXPECT(skewed, skewed);
  EXPECT(sum_buffer, sum_bytes);
}

static inline void expect_machine(expected *e) {
  const sc_machine *m = e->m;
  EXPECT(machine_vector, m->vector_bytes.value);
  EXPECT(machine_registers, m->vector_registers.value);
  EXPECT(machine_fma, m->fma_per_cycle.value);
  EXPECT(machine_l1, m->cache[0].bytes.value);
  EXPECT(machine_l2, m->cache[1].bytes.value);
  EXPECT(machine_l3, m->cache[2].bytes.value);
  EXPECT(machine_balance, m->memory_read_bytes_per_s.value / m->peak_flop_per_s.value);
  EXPECT(machine_ooo, m->out_of_order.value > 0);
  EXPECT(compiler_clang, strstr(m->compiler[0].command, "clang") != NULL);
  EXPECT(compiler_vector, m->compiler[0].vector_bytes);
}

static inline void expect_all(expected *e) {
  sums s = {0};
  const double valid = e->b->fma / e->b->fma_full;
  for (int c = 0; c < e->b->nclasses; c++) sum_class(e, &e->b->class_at[c], valid, &s);
  sum_tails(e->b, &s);
  expect_workload(e);
  expect_loops(e);
  expect_tile(e, &s);
  expect_packs(e);
  expect_machine(e);
  if (!e->regular) return;
  expect_caches(e);
  expect_analytic(e, &s);
  expect_parallel(e);
  expect_addresses(e);
}

#endif
