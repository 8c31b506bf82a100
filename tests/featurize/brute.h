/* The oracle of the features: an interpreter of nests that visits every register tile and every element, with sets
 * instead of formulas. It shares nothing with featurize/ but the meaning of a nest (ir/ir.h).
 *
 * Levels are counted as in docs/features.md: level 0 is the whole nest, level i one iteration of loop i; the loops
 * around the kernel come first, then the kernel's own. */
#ifndef SC_TEST_BRUTE_H
#define SC_TEST_BRUTE_H

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ir/ir.h"

enum { BRUTE_LEVELS = 32, BRUTE_STREAMS = 12, BRUTE_CLASSES = 128, BRUTE_BYTES = 1 << 20 };

typedef enum brute_kind { BRUTE_OPERAND, BRUTE_EPILOGUE, BRUTE_OUTSIDE } brute_kind;

/* One memory object: a tensor, or the buffer of a pack. */
typedef struct brute_stream {
  brute_kind kind;
  int access, pack, level; /* pack -1: the tensor itself; level: loops outside the pack's node */
  /* distinct units of 64 bytes touched: in the first iteration of each level, and summed over all entries of the loop
   * that leads into it */
  double first[BRUTE_LEVELS], sent[BRUTE_LEVELS];
  double elements_first[BRUTE_LEVELS];
  uint8_t *line[BRUTE_LEVELS], *element[BRUTE_LEVELS], *first_line[BRUTE_LEVELS];
} brute_stream;

typedef struct brute_class {
  int32_t size[SC_MAX_DIMS];
  int16_t lo[SC_MAX_DIMS], hi[SC_MAX_DIMS];
  double calls, trips;
} brute_class;

typedef struct brute {
  const sc_task *task;
  const sc_nest *nest;
  int nlevels, kernel_level;
  int level_dim[BRUTE_LEVELS];
  double entries[BRUTE_LEVELS], iterations[BRUTE_LEVELS];
  int32_t extent[BRUTE_LEVELS][SC_MAX_DIMS]; /* largest */
  double pack_runs[SC_MAX_PACKS], pack_elements[SC_MAX_PACKS];
  double par_tasks, par_regions;
  int par_level;
  double fma, fma_full; /* multiply-adds that run, and with the padding that is skipped */
  int nclasses;
  brute_class class_at[BRUTE_CLASSES];
  int nstreams;
  brute_stream stream[BRUTE_STREAMS];
  /* state of the walk */
  int32_t lo[SC_MAX_DIMS], hi[SC_MAX_DIMS]; /* ranges of tiles */
  int32_t pack_lo[SC_MAX_PACKS][SC_MAX_AXES], pack_ext[SC_MAX_PACKS][SC_MAX_AXES]; /* region of each buffer */
} brute;

/* ---- addresses ---- */

static inline int32_t brute_index(const sc_index *index, const int32_t *value) {
  int32_t x = index->offset;
  for (int j = 0; j < 2; j++) x += index->dim[j] >= 0 ? index->coef[j] * value[index->dim[j]] : 0;
  return x;
}

/* Byte offset of an element in a buffer whose layout covers boxes of `ext` elements beginning at `lo`. */
static inline int64_t brute_buffer_offset(const brute *b, int p, const int32_t *value) {
  const sc_nest_pack *pack = &b->nest->pack[p];
  const sc_access *access = &b->task->access[pack->access];
  int64_t stride = 1, offset = 0;
  for (int i = pack->layout.nparts - 1; i >= 0; i--) {
    const sc_part part = pack->layout.part[i];
    const sc_index *index = &access->axis[part.axis];
    const int d = index->dim[0] >= 0 ? index->dim[0] : index->dim[1];
    const int32_t block = part.kind == SC_PART_WHOLE ? 1 : b->nest->dim[d].max_tile;
    const int32_t x = brute_index(index, value) - b->pack_lo[p][part.axis];
    const int32_t ext = b->pack_ext[p][part.axis];
    if (i == 0 && stride > 1) stride += pack->skew;
    if (part.kind == SC_PART_WHOLE) offset += x * stride, stride *= ext;
    if (part.kind == SC_PART_INNER) offset += x % block * stride, stride *= block;
    if (part.kind == SC_PART_OUTER) offset += x / block * stride, stride *= (ext + block - 1) / block;
  }
  return offset;
}

/* Byte offset of an element of the stream; false when it lies in padding. */
static inline bool brute_offset(const brute *b, const brute_stream *s, const int32_t *value, int64_t *bytes) {
  const sc_access *access = &b->task->access[s->access];
  const int64_t size = sc_type_bytes(b->task->tensor[access->tensor].type);
  int64_t at;
  if (s->pack >= 0 && s->kind != BRUTE_OUTSIDE) at = brute_buffer_offset(b, s->pack, value);
  else if (!sc_access_address(b->task, access, value, &at)) return false;
  *bytes = at * size;
  return true;
}

/* ---- streams ---- */

static inline void brute_add_stream(brute *b, brute_kind kind, int access, int pack, int level) {
  brute_stream *s = &b->stream[b->nstreams++];
  *s = (brute_stream){.kind = kind, .access = access, .pack = pack, .level = level};
  for (int i = 0; i < b->nlevels; i++) {
    s->line[i] = calloc(BRUTE_BYTES / 64, 1);
    s->first_line[i] = calloc(BRUTE_BYTES / 64, 1);
    s->element[i] = calloc(BRUTE_BYTES / 4, 1);
  }
}

static inline void brute_free(brute *b) {
  for (int k = 0; k < b->nstreams; k++) {
    for (int i = 0; i < b->nlevels; i++) {
      free(b->stream[k].line[i]);
      free(b->stream[k].first_line[i]);
      free(b->stream[k].element[i]);
    }
  }
}

static inline void brute_touch(brute *b, brute_stream *s, const int32_t *value) {
  int64_t bytes;
  if (!brute_offset(b, s, value, &bytes) || bytes < 0 || bytes >= BRUTE_BYTES) return;
  for (int i = 0; i < b->nlevels; i++) {
    uint8_t *line = &s->line[i][bytes / 64];
    s->sent[i] += *line == 0; /* cleared whenever the loop into level i is entered */
    *line = 1;
    if (b->iterations[i] != 1) continue; /* not the first iteration of the level any more */
    s->first[i] += s->first_line[i][bytes / 64] == 0;
    s->first_line[i][bytes / 64] = 1;
    s->elements_first[i] += s->element[i][bytes / 4] == 0;
    s->element[i][bytes / 4] = 1;
  }
}

/* All elements of a box of elements, dim by dim. */
static inline void brute_box(brute *b, brute_stream *s, const int32_t *start, const int32_t *size, int32_t *value,
                             int d) {
  if (d == b->task->ndims) {
    brute_touch(b, s, value);
    return;
  }
  const bool depends = b->task->access[s->access].dims >> d & 1;
  for (int32_t i = 0; i < (depends ? size[d] : 1); i++) {
    value[d] = start[d] + i;
    brute_box(b, s, start, size, value, d + 1);
  }
}

/* ---- the walk ---- */

static inline void brute_elements(const brute *b, int32_t *start, int32_t *size) {
  for (int d = 0; d < b->task->ndims; d++) {
    const sc_tiling *tiling = &b->nest->dim[d];
    start[d] = sc_tile_start(tiling, b->lo[d], NULL);
    size[d] = (b->hi[d] < tiling->tiles ? sc_tile_start(tiling, b->hi[d], NULL) : b->task->dim[d].size) - start[d];
  }
}

static inline void brute_note_extent(brute *b, int level) {
  int32_t start[SC_MAX_DIMS], size[SC_MAX_DIMS];
  brute_elements(b, start, size);
  for (int d = 0; d < b->task->ndims; d++) {
    if (size[d] > b->extent[level][d]) b->extent[level][d] = size[d];
  }
}

static inline void brute_enter(brute *b, int level) {
  b->entries[level]++;
  for (int k = 0; k < b->nstreams; k++) memset(b->stream[k].line[level], 0, BRUTE_BYTES / 64);
}

static inline void brute_count_class(brute *b, const int *seg, double calls, double trips) {
  brute_class c = {.calls = 0};
  for (int d = 0; d < b->task->ndims; d++) {
    c.size[d] = b->nest->dim[d].seg[seg[d]].size;
    c.lo[d] = b->nest->dim[d].seg[seg[d]].lo;
    c.hi[d] = b->nest->dim[d].seg[seg[d]].hi;
  }
  int i = 0;
  while (i < b->nclasses &&
         (memcmp(b->class_at[i].size, c.size, sizeof c.size) != 0 ||
          memcmp(b->class_at[i].lo, c.lo, sizeof c.lo) != 0 || memcmp(b->class_at[i].hi, c.hi, sizeof c.hi) != 0)) {
    i++;
  }
  if (i == b->nclasses && b->nclasses < BRUTE_CLASSES) b->class_at[b->nclasses++] = c;
  b->class_at[i].calls += calls;
  b->class_at[i].trips += trips;
}

/* One call per combination of segments in the current ranges. */
static inline void brute_calls(brute *b, int *seg, double trips, int d) {
  if (d == b->task->ndims) {
    brute_count_class(b, seg, 1, trips);
    return;
  }
  const sc_tiling *tiling = &b->nest->dim[d];
  for (int s = 0; s < tiling->nsegs; s++) {
    const int32_t lo = b->lo[d] > tiling->seg[s].first ? b->lo[d] : tiling->seg[s].first;
    const int32_t end = tiling->seg[s].first + tiling->seg[s].count, hi = b->hi[d] < end ? b->hi[d] : end;
    if (hi <= lo) continue;
    seg[d] = s;
    brute_calls(b, seg, trips * (hi - lo), d + 1);
  }
}

static inline void brute_tile(brute *b) {
  int32_t start[SC_MAX_DIMS], size[SC_MAX_DIMS], value[SC_MAX_DIMS] = {0};
  brute_elements(b, start, size);
  for (int k = 0; k < b->nstreams; k++) {
    if (b->stream[k].kind == BRUTE_OPERAND) brute_box(b, &b->stream[k], start, size, value, 0);
  }
}

static inline void brute_step(brute *b, int level, int dim, int32_t step, void (*body)(brute *, int, int), int arg) {
  const int32_t lo = b->lo[dim], hi = b->hi[dim];
  brute_enter(b, level);
  for (int32_t x = lo; x < hi; x += step) {
    b->lo[dim] = x;
    b->hi[dim] = x + step < hi ? x + step : hi;
    b->iterations[level]++;
    brute_note_extent(b, level);
    body(b, arg, level + 1);
  }
  b->lo[dim] = lo;
  b->hi[dim] = hi;
}

static inline void brute_kloop(brute *b, int k, int level) {
  if (k == b->nest->nkloops) brute_tile(b);
  else brute_step(b, level, b->nest->kloop[k], 1, brute_kloop, k + 1);
}

static inline void brute_pack(brute *b, int p) {
  const sc_nest_pack *pack = &b->nest->pack[p];
  const sc_access *access = &b->task->access[pack->access];
  int32_t start[SC_MAX_DIMS], size[SC_MAX_DIMS], value[SC_MAX_DIMS] = {0};
  brute_elements(b, start, size);
  sc_region(b->task, access, start, size, b->pack_lo[p], b->pack_ext[p]);
  b->pack_runs[p]++;
  double elements = 1;
  for (int x = 0; x < b->task->tensor[access->tensor].naxes; x++) elements *= b->pack_ext[p][x];
  b->pack_elements[p] += elements;
  for (int k = 0; k < b->nstreams; k++) {
    if (b->stream[k].kind == BRUTE_OUTSIDE && b->stream[k].pack == p)
      brute_box(b, &b->stream[k], start, size, value, 0);
  }
}

static inline void brute_node(brute *b, int n, int level) {
  const sc_node *node = &b->nest->node[n];
  switch (node->kind) {
  case SC_NODE_LOOP: brute_step(b, level, node->dim, node->step, brute_node, n + 1); break;
  case SC_NODE_PACK:
  case SC_NODE_ACC:
    brute_pack(b, node->pack);
    brute_node(b, n + 1, level);
    break;
  case SC_NODE_PAR: brute_node(b, n + 1, level); break;
  default: {
    int seg[SC_MAX_DIMS] = {0};
    brute_calls(b, seg, 1, 0);
    brute_kloop(b, 0, level);
  }
  }
}

/* ---- everything ---- */

/* Multiply-adds whose operands lie inside the tensors, where the nest skips the others. */
static inline void brute_fma(brute *b, int32_t *value, int d) {
  if (d < b->task->ndims) {
    for (value[d] = 0; value[d] < b->task->dim[d].size; value[d]++) brute_fma(b, value, d + 1);
    return;
  }
  bool runs = true;
  for (int p = 0; p < b->task->npads; p++) {
    const sc_pad *pad = &b->task->pad[p];
    const int32_t x = (pad->free >= 0 ? pad->cf * value[pad->free] : 0) +
                      (pad->red >= 0 ? pad->cr * value[pad->red] : 0) + pad->offset;
    const bool skipped = b->nest->pad[p] == SC_PAD_PEEL || b->nest->pad[p] == SC_PAD_CLAMP;
    runs &= !skipped || (x >= 0 && x < pad->size);
  }
  b->fma += runs;
  b->fma_full++;
}

static inline void brute_run(const sc_task *task, const sc_nest *nest, brute *b) {
  memset(b, 0, sizeof *b);
  b->task = task;
  b->nest = nest;
  b->nlevels = 1;
  int pack_level[SC_MAX_PACKS] = {0}, par = 0;
  for (int n = 0; n < nest->nnodes; n++) {
    const sc_node *node = &nest->node[n];
    if (node->kind == SC_NODE_PAR) par = node->count;
    if (node->kind == SC_NODE_PACK || node->kind == SC_NODE_ACC) pack_level[node->pack] = b->nlevels - 1;
    if (node->kind != SC_NODE_LOOP) continue;
    b->level_dim[b->nlevels++] = node->dim;
    if (par > 0 && --par == 0) b->par_level = b->nlevels - 1;
  }
  b->kernel_level = b->nlevels - 1;
  for (int k = 0; k < nest->nkloops; k++) b->level_dim[b->nlevels++] = nest->kloop[k];
  for (int a = 0; a < 3; a++) {
    const int p = a == 0 ? nest->acc : nest->operand[a].pack;
    const bool runs = p >= 0 && !nest->pack[p].ahead;
    brute_add_stream(b, BRUTE_OPERAND, a, p, runs ? pack_level[p] : 0);
    if (runs) brute_add_stream(b, BRUTE_OUTSIDE, a, p, pack_level[p]);
    if (p >= 0 && !runs) { /* the whole, packed before the run */
      int32_t start[SC_MAX_DIMS] = {0}, size[SC_MAX_DIMS];
      for (int d = 0; d < task->ndims; d++) size[d] = task->dim[d].size;
      sc_region(task, &task->access[a], start, size, b->pack_lo[p], b->pack_ext[p]);
    }
  }
  for (int d = 0; d < task->ndims; d++) b->hi[d] = nest->dim[d].tiles;
  brute_enter(b, 0);
  b->iterations[0] = 1;
  brute_note_extent(b, 0);
  brute_node(b, 0, 1);
  if (b->par_level > 0) {
    int first = b->par_level;
    for (int n = 0, l = 0; n < nest->nnodes; n++) {
      if (nest->node[n].kind == SC_NODE_PAR) first = l + 1;
      l += nest->node[n].kind == SC_NODE_LOOP;
    }
    b->par_regions = b->entries[first];
    b->par_tasks = b->iterations[b->par_level] / b->par_regions;
  }
  int32_t value[SC_MAX_DIMS];
  brute_fma(b, value, 0);
}

#endif
