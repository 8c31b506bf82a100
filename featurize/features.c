/* The row of features: one function per group of features.def fills plain values, one pass over the row transforms them. */
#include <math.h>
#include <string.h>

#include "featurize/internal.h"

#define SET(name, value) (row[SC_FEATURE_##name] = (float)(value))

static double tensor_bytes(const sc_task *task, int a) {
  const sc_tensor *tensor = &task->tensor[task->access[a].tensor];
  return (double)tensor->elems * sc_type_bytes(tensor->type);
}

static void workload(const sc_walk *w, float *row) {
  const sc_task *task = w->task;
  const uint16_t in0 = task->access[1].dims, in1 = task->access[2].dims;
  double reduction = 1, rows = 1, columns = 1, shared = 1;
  int nfree = 0, nreduce = 0;
  for (int d = 0; d < task->ndims; d++) {
    const double size = task->dim[d].size;
    if (size == 1) continue;
    if (task->reduce >> d & 1) {
      nreduce++;
      reduction *= size;
      continue;
    }
    nfree++;
    const bool a = in0 >> d & 1, b = in1 >> d & 1;
    if (a && b) shared *= size;
    else if (a) rows *= size;
    else if (b) columns *= size;
  }
  SET(flop, task->flop);
  SET(out_bytes, tensor_bytes(task, 0));
  SET(in0_bytes, tensor_bytes(task, 1));
  SET(in1_bytes, tensor_bytes(task, 2));
  SET(intensity, task->flop / sc_max(sc_task_min_bytes(task), 1));
  SET(element_bytes, sc_type_bytes(task->tensor[task->access[1].tensor].type));
  SET(reduction, reduction);
  SET(in0_only, rows);
  SET(in1_only, columns);
  SET(shared_free, shared);
  SET(free_dims, nfree);
  SET(reduction_dims, nreduce);
  SET(epilogue, task->nstmts - 1);
}

/* Sliding windows: an index of two dims, a free and a reduction one. */
static void window(const sc_walk *w, float *row) {
  const sc_task *task = w->task;
  const int naxes = task->tensor[task->access[1].tensor].naxes;
  double taps = 1, stride = 1, inside = 1;
  for (int x = 0; x < naxes; x++) {
    const sc_index *index = &task->access[1].axis[x];
    if (index->dim[0] < 0 || index->dim[1] < 0) continue;
    taps *= task->dim[index->dim[1]].size;
    stride = sc_max(stride, index->coef[0]);
  }
  for (int p = 0; p < task->npads; p++) inside *= sc_valid_share(task, &task->pad[p]);
  SET(window_taps, taps);
  SET(window_stride, stride);
  SET(padding_share, 1 - inside);
}

static double mean_trips(const sc_walk *w, int level) {
  return level > 0 ? w->level[level].iterations / w->level[level].entries : 0;
}

/* Does some loop of the dim end in a short trip? */
static bool ragged(const sc_walk *w, int d) {
  int32_t range = w->nest->dim[d].tiles;
  for (int i = 0; i < w->nsteps[d]; i++) {
    if (range % w->step[d][i] != 0) return true;
    range = w->step[d][i];
  }
  return false;
}

static void loops(const sc_walk *w, float *row) {
  int outermost = w->kernel_level, most = 0, nragged = 0, own[SC_MAX_DIMS] = {0};
  double trips = 0;
  for (int i = w->kernel_level; i >= 1; i--) {
    trips += w->level[i].iterations;
    own[w->level[i].dim]++;
    if (w->level[i].reduce) outermost = i - 1;
  }
  for (int d = 0; d < w->task->ndims; d++) {
    if (own[d] > most) most = own[d];
    nragged += ragged(w, d);
  }
  const sc_level *kernel = &w->level[w->kernel_level];
  const double kfma = w->kernels.fma / 1000;
  SET(depth, w->kernel_level);
  SET(trips_1, mean_trips(w, w->nlevels - 1));
  SET(trips_2, mean_trips(w, w->nlevels - 2));
  SET(trips_3, mean_trips(w, w->nlevels - 3));
  SET(innermost_reduces, w->kernel_level > 0 && kernel->reduce);
  SET(outermost_reduction, outermost);
  SET(levels_of_dim, most);
  SET(loop_trips_per_kfma, trips / kfma);
  SET(calls_per_kfma, w->kernels.calls / kfma);
  SET(ragged_dims, nragged);
  SET(reduction_outside, kernel->iterations / kernel->free_iterations);
}

static void tile(const sc_walk *w, float *row) {
  const sc_kernel_sums *k = &w->kernels;
  const sc_rates *m = &w->machine;
  SET(tile_rows, k->rows);
  SET(tile_vectors, k->vectors);
  SET(tile_taps, k->taps);
  SET(accumulators, k->accumulators);
  SET(register_use, k->live / m->registers);
  SET(spill_estimate, k->spill);
  SET(latency_cover, k->accumulators / (m->fma_latency * m->fma_per_cycle));
  SET(vector_loads_per_fma, k->vector_loads / k->vector_fma);
  SET(broadcasts_per_fma, k->broadcasts / k->vector_fma);
  SET(stores_per_fma, k->stores / k->vector_fma);
  SET(code_over_l1i, k->code_bytes / m->l1i_bytes);
  SET(load_over_fma_cycles, k->load_cycles / k->fma_cycles);
  SET(chain_over_fma_cycles, k->chain_cycles / k->fma_cycles);
  SET(unroll, w->nest->unroll > 1 ? w->nest->unroll : 1);
  SET(kernel_loops, w->nest->nkloops);
  SET(kernel_trips, k->trips / k->calls);
  SET(free_kernel_loop, w->nest->free_kloop);
}

static void vector(const sc_walk *w, float *row) {
  const sc_nest *nest = w->nest;
  const int lanes = nest->lanes > 1 ? nest->lanes : 1;
  int vectors = 0, aligned = 0;
  for (int i = 0; i < w->nstreams; i++) {
    const sc_stream *s = &w->stream[i];
    if (s->kind != SC_STREAM_OPERAND || s->access >= nest->noperands || !nest->operand[s->access].vector) continue;
    bool whole = true;
    for (int p = 0; p < s->nparts; p++) {
      const int64_t stride = s->part[p].stride;
      whole &= stride == s->element_bytes || stride % (lanes * s->element_bytes) == 0;
    }
    vectors++;
    aligned += whole;
  }
  SET(vector_width, lanes * 4 / w->machine.vector_bytes);
  SET(in0_vector, nest->operand[1].vector);
  SET(in1_vector, nest->operand[2].vector);
  SET(out_strided, nest->operand[0].strided);
  SET(lane_use, w->kernels.fma / w->kernels.lane_slots);
  SET(vector_aligned, vectors > 0 ? (double)aligned / vectors : 0);
}

/* The stream that the kernel walks for access a. */
static const sc_stream *operand(const sc_walk *w, int a) {
  for (int i = 0; i < w->nstreams; i++) {
    if (w->stream[i].kind == SC_STREAM_OPERAND && w->stream[i].access == a) return &w->stream[i];
  }
  return &w->stream[0];
}

/* Bytes per 1000 FMA of access a, its pack included. */
static double traffic_of(const sc_walk *w, int a, int reuse) {
  double lines = 0;
  for (int i = 0; i < w->nstreams; i++) {
    if (w->stream[i].access == a) lines += sc_stream_traffic(w, &w->stream[i], reuse);
  }
  return lines;
}

static void caches(const sc_walk *w, float *row) {
  const sc_rates *m = &w->machine;
  const double line = (double)((int64_t)1 << m->line_shift), per_kfma = line * 1000 / w->kernels.fma;
  const int last = w->nlevels - 1, kernel = w->kernel_level;
  double level[3], fill[3], over[3];
  const int *reuse = w->reuse;
  for (int c = 0; c < 3; c++) {
    level[c] = reuse[c];
    fill[c] = (double)w->lines[reuse[c] > last ? last : reuse[c]] * line / m->capacity_bytes[c];
    over[c] = reuse[c] > 0 ? (double)w->lines[reuse[c] - 1] * line / m->capacity_bytes[c] : 0;
  }
  SET(l1_level, level[0]), SET(l2_level, level[1]), SET(l3_level, level[2]);
  SET(l1_fill, fill[0]), SET(l2_fill, fill[1]), SET(l3_fill, fill[2]);
  SET(l1_over, over[0]), SET(l2_over, over[1]), SET(l3_over, over[2]);
  SET(kernel_over_l1, (double)w->lines[kernel] * line / m->capacity_bytes[0]);
  SET(kernel_over_l2, (double)w->lines[kernel] * line / m->capacity_bytes[1]);
  SET(l1_traffic, w->sent_lines[0] * per_kfma);
  SET(l2_traffic, w->sent_lines[1] * per_kfma);
  SET(l3_traffic, w->sent_lines[2] * per_kfma);
  for (int a = 0; a < 3; a++) {
    const sc_stream *s = operand(w, a);
    const double lines = (double)s->lines[kernel],
                 bytes = sc_stream_elements(s, w->level[kernel].extent) * s->element_bytes;
    row[SC_FEATURE_out_kernel_over_l1 + a] = (float)(lines * line / m->capacity_bytes[0]);
    row[SC_FEATURE_l1_traffic_out + a] = (float)(traffic_of(w, a, reuse[0]) * per_kfma);
    row[SC_FEATURE_l2_traffic_out + a] = (float)(traffic_of(w, a, reuse[1]) * per_kfma);
    row[SC_FEATURE_out_line_use + a] = (float)(bytes / (lines * line));
  }
}

static void curve(const sc_walk *w, float *row) {
  const double line = (double)((int64_t)1 << w->machine.line_shift), per_kfma = line * 1000 / w->kernels.fma;
  double capacity = 16384, bytes = 0;
  int before = -1;
  for (int i = 0; i < 7; i++, capacity *= 4) {
    const int reuse = sc_reuse_level(w, capacity);
    if (reuse != before) bytes = sc_traffic(w, reuse) * per_kfma;
    before = reuse;
    row[SC_FEATURE_miss_16k + i] = (float)bytes;
  }
  SET(touched, (double)w->lines[0] * line);
}

static double pages_at(const sc_walk *w, int level) {
  double pages = 0;
  for (int i = 0; i < w->nstreams; i++) {
    const sc_stream *s = &w->stream[i];
    if (s->lines[level] > 0) pages += sc_stream_units(s, w->level[level].extent, w->machine.page_shift);
  }
  return pages;
}

static int64_t sets_of(const sc_walk *w, int cache) {
  return (int64_t)(w->machine.capacity_bytes[cache] / w->machine.ways[cache]) >> w->machine.line_shift;
}

static int log2_divisor(int64_t stride) {
  const int n = stride > 0 ? __builtin_ctzll((unsigned long long)stride) : 12;
  return n < 12 ? n : 12;
}

static void addresses(const sc_walk *w, float *row) {
  const sc_rates *m = &w->machine;
  const int kernel = w->kernel_level, l2 = w->reuse[1], last = w->nlevels - 1;
  const double pages = pages_at(w, kernel);
  double tile_set = 0, kernel_set_l2 = 0, largest = 0;
  const int64_t l1_sets = sets_of(w, 0), l2_sets = sets_of(w, 1);
  int multiples = 0;
  for (int a = 0; a < 3; a++) {
    const sc_stream *s = operand(w, a);
    sc_shape shape, small;
    sc_stream_shape(s, w->level[kernel].extent, m->line_shift, &shape);
    sc_stream_shape(s, w->level[last].extent, m->line_shift, &small);
    int divisor = 0;
    for (int i = 0; i < shape.nsparse; i++) {
      const int n = log2_divisor(shape.sparse[i].stride);
      divisor = n > divisor ? n : divisor;
      largest = sc_max(largest, (double)shape.sparse[i].stride);
    }
    multiples += divisor == 12;
    tile_set = sc_max(tile_set, sc_lines_per_set(&small, m->line_shift, l1_sets) / m->ways[0]);
    kernel_set_l2 = sc_max(kernel_set_l2, sc_lines_per_set(&shape, m->line_shift, l2_sets) / m->ways[1]);
    row[SC_FEATURE_out_set_l1 + a] = (float)(sc_lines_per_set(&shape, m->line_shift, l1_sets) / m->ways[0]);
    row[SC_FEATURE_out_stride_4k + a] = (float)divisor;
  }
  SET(pages_over_l1tlb, pages / m->tlb_entries[0]);
  SET(pages_over_l2tlb, pages_at(w, l2 > last ? last : l2) / m->tlb_entries[1]);
  SET(page_traffic, pages * w->level[kernel].iterations * 1000 / w->kernels.fma);
  SET(largest_stride, largest);
  SET(alias_pairs, multiples * (multiples - 1) / 2);
  SET(tile_set_l1, tile_set);
  SET(kernel_set_l2, kernel_set_l2);
}

static void kernel_facts(const sc_walk *w, float *row) {
  const sc_kernel_sums *k = &w->kernels;
  const bool known = k->known_ns > 0, facts = k->static_fma > 0;
  const double share = facts ? k->static_fma / k->fma : 1;
  SET(kernel_known, k->known_fma / k->fma);
  SET(kernel_static, k->static_fma / k->fma);
  SET(kernel_rate, known ? 2 * k->known_fma / (k->known_ns * 1e-9 * w->machine.peak_flop_per_s) : 0);
  SET(kernel_over_model, known && k->known_model_ns > 0 ? k->known_ns / k->known_model_ns : 0);
  SET(kernel_first_share, known ? k->first_ns / k->known_ns : 0);
  SET(kernel_spills, k->spills / share);
  SET(kernel_code, k->table_code_bytes / share);
  SET(flop_per_call, 2 * k->fma / k->calls);
}

static void parallel(const sc_walk *w, float *row) {
  const bool runs = w->par_level > 0;
  const double n = runs && w->target->threads > 1 ? w->target->threads : 1, tasks = runs ? w->par_tasks : 1;
  const double line = (double)((int64_t)1 << w->machine.line_shift);
  double shared = 0;
  for (int i = 0; runs && i < w->nstreams; i++) { /* the tensor itself, also behind partial sums */
    const sc_stream *s = &w->stream[i];
    if (s->access != 0 || (s->kind == SC_STREAM_OPERAND && s->pack >= 0)) continue;
    sc_shape shape;
    sc_stream_shape(s, w->level[w->par_level].extent, w->machine.line_shift, &shape);
    if (shape.span % (int64_t)line != 0) shared = shape.count * (tasks - 1);
  }
  SET(threads, n);
  SET(parallel_tasks, tasks);
  SET(tasks_per_thread, tasks / n);
  SET(balance, w->speedup / n);
  SET(task_flop, 2 * w->kernels.fma / (tasks * sc_max(w->par_regions, 1)));
  SET(barriers, w->barriers);
  SET(shared_lines, shared);
  SET(task_over_l2, (double)w->lines[w->par_level] * line / w->machine.capacity_bytes[1]);
}

static void packing(const sc_walk *w, float *row) {
  const sc_nest *nest = w->nest;
  double run = 0, ahead = 0, bytes = 0, elems = 0, strided = 0, largest = 0, runs = 0, skewed = 0, sums = 0;
  for (int p = 0; p < nest->npacks; p++) {
    const sc_nest_pack *pack = &nest->pack[p];
    const double size = sc_type_bytes(w->task->tensor[w->task->access[pack->access].tensor].type);
    skewed += pack->skew != 0;
    if (p == nest->acc) {
      sums = (double)pack->elems * size;
      continue;
    }
    ahead += pack->ahead;
    if (pack->ahead) continue;
    const double copied = (double)pack->elems * w->pack_level_iterations[p];
    run++;
    runs += w->pack_level_iterations[p];
    elems += copied;
    bytes += copied * size;
    strided += sc_copies_runs(w, p) ? 0 : copied * size;
    largest = sc_max(largest, (double)pack->elems * size);
  }
  SET(run_packs, run);
  SET(ahead_packs, ahead);
  SET(packed_per_kfma, bytes * 1000 / w->kernels.fma);
  SET(packed_uses, elems > 0 ? w->kernels.fma / elems : 0);
  SET(packed_strided, bytes > 0 ? strided / bytes : 0);
  SET(pack_over_l2, largest / w->machine.capacity_bytes[1]);
  SET(pack_runs, runs);
  SET(skewed, skewed);
  SET(sum_buffer, sums);
}

static void tails(const sc_walk *w, float *row) {
  SET(tail_vector, w->kernels.tail_vector);
  SET(tail_free, w->kernels.tail_free);
  SET(tail_reduce, w->kernels.tail_reduce);
  SET(main_share, w->kernels.dominant_share);
  SET(variants, w->kernels.variants);
}

static void analytic(const sc_walk *w, const sc_analytic *t, float *row) {
  const double traffic = t->l2_s + t->l3_s + t->memory_s;
  const double term[] = {t->kernel_s, t->l2_s, t->l3_s, t->memory_s, t->pack_s, t->overhead_s};
  double first = 0, second = 0;
  for (size_t i = 0; i < SC_COUNT_OF(term); i++) {
    second = sc_max(second, sc_min(first, term[i]));
    first = sc_max(first, term[i]);
  }
  SET(time_compute, t->compute_s * 1e9);
  SET(time_kernel, t->kernel_s * 1e9);
  SET(time_l1, t->l1_s * 1e9);
  SET(time_l2, t->l2_s * 1e9);
  SET(time_l3, t->l3_s * 1e9);
  SET(time_memory, t->memory_s * 1e9);
  SET(time_pack, t->pack_s * 1e9);
  SET(time_overhead, t->overhead_s * 1e9);
  SET(time_sum, t->time_s * 1e9);
  SET(efficiency, w->task->flop / (t->time_s * w->machine.peak_flop_per_s));
  SET(traffic_over_compute, traffic / t->kernel_s);
  SET(pack_share, t->pack_s / t->time_s);
  SET(overhead_share, t->overhead_s / t->time_s);
  SET(second_over_first, second / first);
}

static void machine(const sc_walk *w, float *row) {
  const sc_rates *m = &w->machine;
  const sc_compiler *compiler = sc_machine_compiler(w->target->machine, w->nest->compile);
  SET(machine_vector, m->vector_bytes);
  SET(machine_registers, m->registers);
  SET(machine_fma, m->fma_per_cycle);
  SET(machine_l1, m->capacity_bytes[0]);
  SET(machine_l2, m->capacity_bytes[1]);
  SET(machine_l3, m->capacity_bytes[2]);
  SET(machine_balance, m->memory_bytes_per_s / m->peak_flop_per_s);
  SET(machine_ooo, m->out_of_order);
  SET(compiler_clang, compiler != NULL && strstr(compiler->command, "clang") != NULL);
  SET(compiler_vector, compiler != NULL ? compiler->vector_bytes : 0);
}

void sc_features_analytic(const sc_task *task, const sc_nest *nest, const sc_target *target, float *row,
                          sc_analytic *terms) {
  sc_walk walk;
  sc_walk_nest(task, nest, target, &walk);
  sc_walk_analytic(&walk, terms);
  sc_analytic_combine(NULL, terms);
  workload(&walk, row);
  window(&walk, row);
  loops(&walk, row);
  tile(&walk, row);
  vector(&walk, row);
  caches(&walk, row);
  curve(&walk, row);
  addresses(&walk, row);
  kernel_facts(&walk, row);
  parallel(&walk, row);
  packing(&walk, row);
  tails(&walk, row);
  analytic(&walk, terms, row);
  machine(&walk, row);
  sc_features_transform(row);
}

void sc_features(const sc_task *task, const sc_nest *nest, const sc_target *target, float *row) {
  sc_analytic terms;
  sc_features_analytic(task, nest, target, row, &terms);
}
