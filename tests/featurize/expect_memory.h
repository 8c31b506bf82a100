/* What features of caches, threads, addresses and the analytic time must be. */
#ifndef SC_TEST_EXPECT_MEMORY_H
#define SC_TEST_EXPECT_MEMORY_H

#include "tests/featurize/expect_loops.h"

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
    if (!pack->ahead && !pack->per_thread && p != b->nest->acc) barriers += b->pack_runs[p];
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

/* Strides between dense runs in the first iteration of a level: distances of run starts that a nested loop would have,
 * found by taking the least distance, folding runs that it joins, and going on. */
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

/* Elements side by side in a buffer and in its tensor: those of the innermost axis that has more than one; 0 when the
 * axes differ. */
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
  EXPECT(compute_share, compute / sum);
  EXPECT(kernel_share, kernel / sum);
  EXPECT(l1_share, s->load_cycles * cycle / sum);
  EXPECT(l2_share, served[0] / sum);
  EXPECT(l3_share, served[1] / sum);
  EXPECT(memory_share, served[2] / sum);
  EXPECT(conflict_share, conflicts / sum);
  EXPECT(core_share, (known >= 0.5 ? kernel : compute) / sum);
  EXPECT(efficiency, b->task->flop / (sum * 1e-9 * m->peak_flop_per_s.value));
  EXPECT(traffic_over_compute, (served[0] + served[1] + served[2]) / kernel);
  EXPECT(pack_share, pack / sum);
  EXPECT(overhead_share, overhead / sum);
  EXPECT(second_over_first, second / first);
}

#endif
