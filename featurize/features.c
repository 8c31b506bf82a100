/* The row of features: one function per group of features.def fills plain values, one pass over the row transforms
 * them. What does not depend on the nest is filled once per task and target. */
#include <math.h>
#include <string.h>

#include "featurize/internal.h"
#include "featurize/wide.h"

#define SET(name, value) (row[SC_FEATURE_##name] = (float)(value))

static double tensor_bytes(const sc_task *task, int a) {
  const sc_tensor *tensor = &task->tensor[task->access[a].tensor];
  return (double)tensor->elems * sc_type_bytes(tensor->type);
}

static void workload(const sc_prepared *p, float *row) {
  const sc_task *task = p->task;
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
static void window(const sc_prepared *p, float *row) {
  const sc_task *task = p->task;
  const int naxes = task->tensor[task->access[1].tensor].naxes;
  double taps = 1, stride = 1, inside = 1;
  for (int x = 0; x < naxes; x++) {
    const sc_index *index = &task->access[1].axis[x];
    if (index->dim[0] < 0 || index->dim[1] < 0) continue;
    taps *= task->dim[index->dim[1]].size;
    stride = sc_max(stride, index->coef[0]);
  }
  for (int i = 0; i < task->npads; i++) inside *= p->inside[i];
  SET(window_taps, taps);
  SET(window_stride, stride);
  SET(padding_share, 1 - inside);
}

static double mean_trips(const sc_walk *w, int level) {
  return level > 0 ? w->iterations[level] / w->iterations[level - 1] : 0;
}

static void loops(const sc_walk *w, float *row) {
  const uint16_t reduce = w->p->task->reduce;
  int outermost = w->kernel_level, most = 0, own[SC_MAX_DIMS] = {0};
  double trips = 0;
  for (int i = w->kernel_level; i >= 1; i--) {
    const int d = w->dim[i];
    trips += w->iterations[i];
    if (++own[d] > most) most = own[d];
    if (reduce >> d & 1) outermost = i - 1;
  }
  const int kernel = w->kernel_level;
  const double kfma = w->kernels.fma / 1000;
  SET(depth, w->kernel_level);
  SET(trips_1, mean_trips(w, w->nlevels - 1));
  SET(trips_2, mean_trips(w, w->nlevels - 2));
  SET(trips_3, mean_trips(w, w->nlevels - 3));
  SET(innermost_reduces, kernel > 0 && reduce >> w->dim[kernel] & 1);
  SET(outermost_reduction, outermost);
  SET(levels_of_dim, most);
  SET(loop_trips_per_kfma, trips / kfma);
  SET(calls_per_kfma, w->kernels.calls / kfma);
  SET(ragged_dims, w->ragged);
  SET(reduction_outside, w->iterations[kernel] / w->free_iterations[kernel]);
}

static void tile(const sc_walk *w, float *row) {
  const sc_kernel_sums *k = &w->kernels;
  const sc_rates *m = &w->p->rates;
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
    for (int p = 0; p < s->map->nparts; p++) {
      const int64_t stride = (int64_t)s->map->part[p].stride;
      whole &=
          stride == s->map->element_bytes || (stride & (lanes * s->map->element_bytes - 1)) == 0; /* powers of two */
    }
    vectors++;
    aligned += whole;
  }
  SET(vector_width, lanes * 4 / w->p->rates.vector_bytes);
  SET(in0_vector, nest->operand[1].vector);
  SET(in1_vector, nest->operand[2].vector);
  SET(out_strided, nest->operand[0].strided);
  SET(lane_use, w->kernels.fma / (w->kernels.vector_fma * lanes));
  SET(vector_aligned, vectors > 0 ? (double)aligned / vectors : 0);
}

static void caches(const sc_walk *w, float *row) {
  const sc_rates *m = &w->p->rates;
  const double per_kfma = (double)((int64_t)1 << m->line_shift) * 1000 / w->kernels.fma;
  const int last = w->nlevels - 1, kernel = w->kernel_level;
  double level[3], fill[3], over[3];
  const double *share = m->line_share;
  const int *reuse = w->reuse;
  for (int c = 0; c < 3; c++) {
    level[c] = reuse[c];
    fill[c] = (double)w->lines[reuse[c] > last ? last : reuse[c]] * share[c];
    over[c] = reuse[c] > 0 ? (double)w->lines[reuse[c] - 1] * share[c] : 0;
  }
  SET(l1_level, level[0]), SET(l2_level, level[1]), SET(l3_level, level[2]);
  SET(l1_fill, fill[0]), SET(l2_fill, fill[1]), SET(l3_fill, fill[2]);
  SET(l1_over, over[0]), SET(l2_over, over[1]), SET(l3_over, over[2]);
  SET(kernel_over_l1, (double)w->lines[kernel] * share[0]);
  SET(kernel_over_l2, (double)w->lines[kernel] * share[1]);
  SET(l1_traffic, sc_traffic(w, 0) * per_kfma);
  SET(l2_traffic, sc_traffic(w, 1) * per_kfma);
  SET(l3_traffic, sc_traffic(w, 2) * per_kfma);
  for (int a = 0; a < 3; a++) {
    row[SC_FEATURE_out_kernel_over_l1 + a] = (float)((double)w->operand[a]->lines[kernel] * share[0]);
    row[SC_FEATURE_l1_traffic_out + a] = (float)((double)w->sent[a][reuse[0]] * per_kfma);
    row[SC_FEATURE_l2_traffic_out + a] = (float)((double)w->sent[a][reuse[1]] * per_kfma);
  }
}

static void curve(const sc_walk *w, float *row) {
  const double line = (double)((int64_t)1 << w->p->rates.line_shift), per_kfma = line * 1000 / w->kernels.fma;
  for (int i = 0; i < SC_CURVE; i++)
    row[SC_FEATURE_miss_16k + i] = (float)(sc_traffic(w, SC_MAX_CACHES + i) * per_kfma);
  SET(touched, (double)w->lines[0] * line);
}

static int log2_divisor(int64_t stride) {
  const int n = stride > 0 ? __builtin_ctzll((unsigned long long)stride) : 12;
  return n < 12 ? n : 12;
}

/* Strides, pages and sets of one kernel call. */
static void addresses(const sc_walk *w, float *row) {
  const sc_rates *m = &w->p->rates;
  double pages = 0, tile_set = 0, kernel_set_l2 = 0, largest = 0; /* of the three operands */
  int multiples = 0;
  for (int a = 0; a < 3; a++) {
    const sc_stream *s = w->operand[a];
    const sc_pressure *p = &w->pressure[a];
    const double line_bytes = (double)s->lines[w->kernel_level] * (double)((int64_t)1 << m->line_shift);
    int divisor = 0;
    for (int i = 0; i < p->shape.nsparse; i++) {
      const int n = log2_divisor(p->shape.sparse[i].stride);
      divisor = n > divisor ? n : divisor;
      largest = sc_max(largest, (double)p->shape.sparse[i].stride);
    }
    multiples += divisor == 12;
    pages += p->pages;
    tile_set = sc_max(tile_set, p->tile_l1);
    kernel_set_l2 = sc_max(kernel_set_l2, p->l2);
    row[SC_FEATURE_out_set_l1 + a] = (float)p->l1;
    row[SC_FEATURE_out_stride_4k + a] = (float)divisor;
    row[SC_FEATURE_out_line_use + a] = (float)(p->shape.elements * s->map->element_bytes / line_bytes);
  }
  SET(pages_over_l1tlb, pages / m->tlb_entries[0]);
  SET(largest_stride, largest);
  SET(alias_pairs, multiples * (multiples - 1) / 2);
  SET(tile_set_l1, tile_set);
  SET(kernel_set_l2, kernel_set_l2);
}

static void pages(const sc_walk *w, float *row) {
  const int l2 = w->reuse[1], last = w->nlevels - 1, level = l2 > last ? last : l2;
  double calls = 0, stays = 0; /* in one kernel call; in what stays in the L2 */
  for (int a = 0; a < 3; a++) calls += w->pressure[a].pages;
  for (int i = 0; i < w->nstreams; i++) {
    const sc_stream *s = &w->stream[i];
    if (s->lines[level] > 0) stays += sc_map_units(s->map, w->extent, level, w->p->rates.page_shift);
  }
  SET(pages_over_l2tlb, stays / w->p->rates.tlb_entries[1]);
  SET(page_traffic, calls * w->iterations[w->kernel_level] * 1000 / w->kernels.fma);
}

static void kernel_facts(const sc_walk *w, float *row) {
  const sc_kernel_sums *k = &w->kernels;
  const bool known = k->known_ns > 0, facts = k->static_fma > 0;
  const double share = facts ? k->static_fma / k->fma : 1;
  SET(kernel_known, k->known_fma / k->fma);
  SET(kernel_static, k->static_fma / k->fma);
  SET(kernel_rate, known ? 2 * k->known_fma / (k->known_ns * 1e-9 * w->p->rates.peak_flop_per_s) : 0);
  SET(kernel_over_model, known && k->known_model_ns > 0 ? k->known_ns / k->known_model_ns : 0);
  SET(kernel_first_share, known ? k->first_ns / k->known_ns : 0);
  SET(kernel_spills, k->spills / share);
  SET(kernel_code, k->table_code_bytes / share);
  SET(flop_per_call, 2 * k->fma / k->calls);
}

static void parallel(const sc_walk *w, float *row) {
  const bool runs = w->par_level > 0;
  const double n = runs && w->p->target.threads > 1 ? w->p->target.threads : 1, tasks = runs ? w->par_tasks : 1;
  const double line = (double)((int64_t)1 << w->p->rates.line_shift);
  double shared = 0;
  for (int i = 0; runs && i < w->nstreams; i++) { /* the tensor itself, also behind partial sums */
    const sc_stream *s = &w->stream[i];
    if (s->access != 0 || (s->kind == SC_STREAM_OPERAND && s->pack >= 0)) continue;
    sc_shape shape;
    sc_map_shape(s->map, w->extent, w->par_level, w->p->rates.line_shift, &shape);
    if (shape.span % (int64_t)line != 0) shared = shape.count * (tasks - 1);
  }
  SET(threads, n);
  SET(parallel_tasks, tasks);
  SET(tasks_per_thread, tasks / n);
  SET(balance, w->speedup / n);
  SET(task_flop, 2 * w->kernels.fma / (tasks * sc_max(w->par_regions, 1)));
  SET(barriers, w->barriers);
  SET(shared_lines, shared);
  SET(task_over_l2, (double)w->lines[w->par_level] * w->p->rates.line_share[1]);
}

static void packing(const sc_walk *w, float *row) {
  const sc_nest *nest = w->nest;
  double run = 0, ahead = 0, bytes = 0, elems = 0, strided = 0, largest = 0, runs = 0, skewed = 0, sums = 0;
  for (int p = 0; p < nest->npacks; p++) {
    const sc_nest_pack *pack = &nest->pack[p];
    const double size = sc_type_bytes(w->p->task->tensor[w->p->task->access[pack->access].tensor].type);
    skewed += pack->skew != 0;
    if (p == nest->acc) {
      sums = (double)pack->elems * size;
      continue;
    }
    ahead += pack->ahead;
    if (pack->ahead) continue;
    const double copied = (double)pack->elems * w->iterations[w->pack_level[p]];
    run++;
    runs += w->iterations[w->pack_level[p]];
    elems += copied;
    bytes += copied * size;
    strided += sc_copied_row(w, p) > 0 ? 0 : copied * size;
    largest = sc_max(largest, (double)pack->elems * size);
  }
  SET(run_packs, run);
  SET(ahead_packs, ahead);
  SET(packed_per_kfma, bytes * 1000 / w->kernels.fma);
  SET(packed_uses, elems > 0 ? w->kernels.fma / elems : 0);
  SET(packed_strided, bytes > 0 ? strided / bytes : 0);
  SET(pack_over_l2, largest / w->p->rates.capacity_bytes[1]);
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
  const double term[] = {t->kernel_s, t->l2_s, t->l3_s, t->memory_s, t->conflict_s, t->pack_s, t->overhead_s};
  double first = 0, second = 0;
  for (size_t i = 0; i < SC_COUNT_OF(term); i++) {
    second = sc_max(second, sc_min(first, term[i]));
    first = sc_max(first, term[i]);
  }
  SET(compute_share, t->compute_s / t->time_s);
  SET(kernel_share, t->kernel_s / t->time_s);
  SET(l1_share, t->l1_s / t->time_s);
  SET(l2_share, t->l2_s / t->time_s);
  SET(l3_share, t->l3_s / t->time_s);
  SET(memory_share, t->memory_s / t->time_s);
  SET(conflict_share, t->conflict_s / t->time_s);
  SET(core_share, (t->known >= 0.5F ? t->kernel_s : t->compute_s) / t->time_s);
  SET(efficiency, w->p->task->flop / (t->time_s * w->p->rates.peak_flop_per_s));
  SET(traffic_over_compute, traffic / t->kernel_s);
  SET(pack_share, t->pack_s / t->time_s);
  SET(overhead_share, t->overhead_s / t->time_s);
  SET(second_over_first, second / first);
}

static void machine(const sc_prepared *p, float *row) {
  const sc_rates *m = &p->rates;
  SET(machine_vector, m->vector_bytes);
  SET(machine_registers, m->registers);
  SET(machine_fma, m->fma_per_cycle);
  SET(machine_l1, m->capacity_bytes[0]);
  SET(machine_l2, m->capacity_bytes[1]);
  SET(machine_l3, m->capacity_bytes[2]);
  SET(machine_balance, m->memory_bytes_per_s / m->peak_flop_per_s);
  SET(machine_ooo, m->out_of_order);
}

static void compiler(const sc_walk *w, float *row) {
  const sc_machine *m = w->p->target.machine;
  const sc_compiler *c = sc_machine_compiler(m, w->nest->compile);
  SET(compiler_clang, c != NULL && w->p->is_clang[c - m->compiler]);
  SET(compiler_vector, c != NULL ? c->vector_bytes : 0);
}

/* ---- the row ---- */

_Static_assert(sizeof(sc_prepared) <= sizeof(sc_featurizer), "sc_featurizer is too small");

/* The order of features.def: those of a task, of a nest, of a machine; the compiler is the nest's. */
enum { OF_NEST = SC_FEATURE_depth, OF_TARGET = SC_FEATURE_machine_vector };
_Static_assert(OF_NEST % SC_FLOATS == 0, "the transform begins at a whole vector");

void sc_featurizer_init(sc_featurizer *featurizer, const sc_task *task, const sc_target *target) {
  sc_prepared *p = (sc_prepared *)(void *)featurizer->storage;
  float row[SC_FEATURE_COUNT] = {0};
  sc_prepare(task, target, p);
  machine(p, row);
  memcpy(p->of_target, row + OF_TARGET, sizeof p->of_target);
  workload(p, row);
  window(p, row);
  sc_features_transform(row, 0, row);
  memcpy(p->of_task, row, sizeof p->of_task);
}

/* From a walk and its terms. `kept`: the row of an earlier nest is there that differs in orders only; `calls_kept`: and
 * calls its kernels as often. */
static void fill_row(sc_walk *w, bool kept, bool calls_kept, float *row, sc_analytic *terms) {
  const sc_prepared *p = w->p;
  float *plain = w->row;
  sc_analytic_combine(NULL, terms);
  if (!kept) {
    memcpy(plain + OF_TARGET, p->of_target, sizeof p->of_target);
    compiler(w, plain);
    addresses(w, plain);
  }
  if (!calls_kept) {
    tile(w, plain);
    vector(w, plain);
    kernel_facts(w, plain);
    tails(w, plain);
  }
  loops(w, plain);
  caches(w, plain);
  curve(w, plain);
  pages(w, plain);
  parallel(w, plain);
  packing(w, plain);
  analytic(w, terms, plain);
  memcpy(row, p->of_task, sizeof p->of_task);
  sc_features_transform(plain, OF_NEST, row);
}

static const sc_prepared *prepared_of(const sc_featurizer *featurizer) {
  return (const sc_prepared *)(const void *)featurizer->storage;
}

void sc_featurizer_row(const sc_featurizer *featurizer, const sc_nest *nest, float *row, sc_analytic *terms) {
  sc_walk walk;
  sc_walk_work(prepared_of(featurizer), nest, false, &walk);
  sc_walk_memory(&walk, false);
  sc_analytic_work(&walk, terms);
  sc_analytic_memory(&walk, terms);
  fill_row(&walk, false, false, row, terms);
}

/* ---- one after another ---- */

/* `kept`: what is there of the nest before. */
typedef struct scanned {
  sc_walk walk;
  bool memory_kept, row_kept, calls_kept;
  double core_s; /* of the kernels alone, with other orders too (but for loops that meet); 0 = not known */
} scanned;

_Static_assert(sizeof(scanned) <= sizeof((sc_scan *)0)->storage, "sc_scan is too small");

void sc_scan_start(sc_scan *scan, const sc_featurizer *featurizer) {
  scanned *s = (scanned *)(void *)scan->storage;
  scan->featurizer = featurizer;
  s->memory_kept = s->row_kept = s->calls_kept = false;
  s->core_s = 0;
  sc_lower_start(&scan->lowered, prepared_of(featurizer)->task);
}

static bool orders_move_calls(const sc_nest *nest) { return nest->free_kloop && nest->dim[nest->kloop[0]].nsegs > 1; }

/* Terms of work, or of work and memory, are a lower bound of all. */
static double time_of(const sc_analytic_fit *fit, const sc_analytic *terms) {
  sc_analytic t = *terms;
  sc_analytic_combine(fit, &t);
  return t.time_s;
}

sc_status sc_scan_row(sc_scan *scan, const sc_schedule *schedule, const sc_analytic_fit *fit, double limit_s,
                      float *row, sc_analytic *terms, bool *below, sc_error *err) {
  scanned *s = (scanned *)(void *)scan->storage;
  sc_walk *w = &s->walk;
  *below = false;
  if (s->core_s > limit_s && sc_lower_keeps(&scan->lowered, schedule)) return SC_OK;
  s->core_s = 0;
  SC_TRY(sc_lower_next(&scan->lowered, schedule, err));
  const bool only_orders = scan->lowered.only_orders;
  sc_walk_work(prepared_of(scan->featurizer), &scan->lowered.nest, only_orders, w);
  s->memory_kept &= only_orders;
  s->row_kept &= only_orders;
  s->calls_kept &= w->same_calls;
  sc_analytic_work(w, terms);
  if (limit_s < INFINITY && time_of(fit, terms) > limit_s) {
    s->memory_kept = false; /* levels have changed */
    sc_analytic core = {.compute_s = terms->compute_s, .kernel_s = terms->kernel_s, .known = terms->known};
    if (!orders_move_calls(&scan->lowered.nest)) s->core_s = time_of(fit, &core);
    return SC_OK;
  }
  sc_walk_memory(w, s->memory_kept);
  sc_analytic_memory(w, terms);
  s->memory_kept = true;
  if (limit_s < INFINITY && time_of(fit, terms) > limit_s) return SC_OK;
  fill_row(w, s->row_kept, s->row_kept && s->calls_kept, row, terms);
  s->row_kept = s->calls_kept = *below = true;
  return SC_OK;
}

void sc_features_analytic(const sc_task *task, const sc_nest *nest, const sc_target *target, float *row,
                          sc_analytic *terms) {
  sc_featurizer featurizer;
  sc_featurizer_init(&featurizer, task, target);
  sc_featurizer_row(&featurizer, nest, row, terms);
}

void sc_features(const sc_task *task, const sc_nest *nest, const sc_target *target, float *row) {
  sc_analytic terms;
  sc_features_analytic(task, nest, target, row, &terms);
}
