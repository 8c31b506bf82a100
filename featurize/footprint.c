/* Streams: the objects in memory that a nest walks, and how many cache lines or pages of each lie inside a box.
 * A box is a set of nested strides. From the innermost out, a stride no larger than what is already covered (or than one
 * line) extends a dense span; a larger one multiplies it. Boxes count as aligned to lines. */
#include <stdlib.h>
#include <string.h>

#include "featurize/internal.h"

/* The parts of a layout over boxes of `box` elements, innermost first. tile[axis]: width of a SC_BLOCK_TILE block. */
static void map_layout(const sc_layout *layout, const int32_t *box, const int32_t *tile, int32_t bytes, int16_t skew,
                       sc_stream *s) {
  int64_t stride = bytes;
  s->nparts = 0;
  for (int p = layout->nparts - 1; p >= 0 && s->nparts < SC_MAX_PARTS; p--) {
    const sc_part *part = &layout->part[p];
    int32_t block = layout->block[part->axis] == SC_BLOCK_TILE ? tile[part->axis] : layout->block[part->axis];
    if (block < 1) block = 1;
    int64_t count = box[part->axis];
    if (part->kind == SC_PART_OUTER) count = (count + block - 1) / block;
    if (part->kind == SC_PART_INNER) count = block;
    if (p == 0 && s->nparts > 0) stride += (int64_t)skew * bytes;
    s->part[s->nparts++] = (sc_address_part){part->axis, part->kind, block, stride};
    stride *= count;
  }
}

/* Elements of one axis that the access touches inside `extent`, as sc_region says, clipped to what there is. */
static inline int32_t axis_extent(const sc_index *index, const int32_t *extent, int32_t box) {
  int64_t n = 1;
  if (index->dim[0] >= 0) n += (int64_t)abs(index->coef[0]) * (extent[index->dim[0]] - 1);
  if (index->dim[1] >= 0) n += (int64_t)abs(index->coef[1]) * (extent[index->dim[1]] - 1);
  return n < box ? (int32_t)n : box;
}

sc_shape sc_stream_shape(const sc_walk *w, const sc_stream *s, const int32_t *extent, int shift) {
  const sc_access *access = &w->task->access[s->access];
  sc_shape shape = {.span = s->part[0].stride, .count = 1}; /* one element */
  int64_t dense = (int64_t)1 << shift;
  for (int p = 0; p < s->nparts; p++) {
    const sc_address_part *part = &s->part[p];
    int64_t n = axis_extent(&access->axis[part->axis], extent, s->box[part->axis]);
    if (part->kind == SC_PART_OUTER) n = (n + part->block - 1) / part->block;
    if (part->kind == SC_PART_INNER && n > part->block) n = part->block;
    if (n <= 1) continue;
    if (part->stride <= dense || part->stride <= shape.span) {
      shape.span += part->stride * (n - 1);
    } else {
      shape.sparse[shape.nsparse].stride = part->stride;
      shape.sparse[shape.nsparse++].n = n;
      shape.count *= (double)n;
      dense = 0; /* outer strides are larger still */
    }
  }
  return shape;
}

double sc_stream_units(const sc_walk *w, const sc_stream *s, const int32_t *extent, int shift) {
  const sc_shape shape = sc_stream_shape(w, s, extent, shift);
  return shape.count * (double)((shape.span + ((int64_t)1 << shift) - 1) >> shift);
}

static void begin_stream(sc_walk *w, sc_stream_kind kind, int a, sc_stream *s) {
  const sc_access *access = &w->task->access[a];
  const sc_tensor *tensor = &w->task->tensor[access->tensor];
  memset(s, 0, offsetof(sc_stream, part));
  s->kind = (uint8_t)kind;
  s->access = (uint8_t)a;
  s->pack = -1;
  s->written = a == 0;
  s->naxes = tensor->naxes;
  s->dims = access->dims;
}

/* The tensor itself. */
static void map_tensor(sc_walk *w, sc_stream *s) {
  const sc_tensor *tensor = &w->task->tensor[w->task->access[s->access].tensor];
  const int32_t no_tile[SC_MAX_AXES] = {0};
  memcpy(s->box, tensor->shape, sizeof s->box);
  map_layout(&tensor->layout, s->box, no_tile, (int32_t)sc_type_bytes(tensor->type), 0, s);
}

static void map_pack(sc_walk *w, int p, sc_stream *s) {
  const sc_nest_pack *pack = &w->nest->pack[p];
  const sc_access *access = &w->task->access[s->access];
  const sc_tensor *tensor = &w->task->tensor[access->tensor];
  int32_t tile[SC_MAX_AXES] = {0};
  for (int x = 0; x < tensor->naxes; x++) {
    const int d = access->axis[x].dim[0] >= 0 ? access->axis[x].dim[0] : access->axis[x].dim[1];
    if (d >= 0) tile[x] = w->nest->dim[d].max_tile;
  }
  s->pack = (int8_t)p;
  memcpy(s->box, pack->extent, sizeof s->box);
  map_layout(&pack->layout, s->box, tile, (int32_t)sc_type_bytes(tensor->type), pack->skew, s);
}

/* Lines in one iteration of every level that the stream lives in; only a loop over one of its dims changes them. */
static void count_lines(sc_walk *w, sc_stream *s) {
  const bool bounded = s->pack >= 0 && !w->nest->pack[s->pack].ahead;
  const int first = bounded && s->kind == SC_STREAM_OPERAND ? s->level : 0;
  const int last = s->kind == SC_STREAM_OUTSIDE ? s->level : w->nlevels - 1;
  float lines = 0;
  for (int i = first; i <= last; i++) {
    if (i == first || s->dims >> w->level[i].dim & 1) {
      lines = (float)sc_stream_units(w, s, w->level[i].extent, w->machine.line_shift);
    }
    s->lines[i] = lines;
  }
  for (int i = 0; i < first; i++) s->lines[i] = s->lines[first];
  for (int i = last + 1; i < w->nlevels; i++) s->lines[i] = 0;
  for (int i = 0; i < w->nlevels; i++) w->lines[i] += s->lines[i];
}

/* Where each pack's node stands: the number of loops before it. */
static void pack_levels(const sc_nest *nest, uint8_t *level) {
  int loops = 0;
  for (int i = 0; i < nest->nnodes; i++) {
    const sc_node *node = &nest->node[i];
    if (node->kind == SC_NODE_LOOP) loops++;
    if ((node->kind == SC_NODE_PACK || node->kind == SC_NODE_ACC) && node->pack < SC_MAX_PACKS) {
      level[node->pack] = (uint8_t)loops;
    }
  }
}

void sc_walk_streams(sc_walk *w) {
  const sc_nest *nest = w->nest;
  uint8_t level[SC_MAX_PACKS] = {0};
  pack_levels(nest, level);
  w->nstreams = 0;
  for (int i = 0; i < w->nlevels; i++) w->lines[i] = 0;
  for (int a = 0; a < w->task->naccesses; a++) {
    if (a >= 3 && w->task->access[a].tensor == w->task->access[0].tensor) continue; /* the accumulator in an epilogue */
    sc_stream *s = &w->stream[w->nstreams++];
    const int p = a == 0 ? nest->acc : nest->operand[a].pack; /* partial sums live in a buffer of their own */
    begin_stream(w, a < 3 ? SC_STREAM_OPERAND : SC_STREAM_EPILOGUE, a, s);
    if (p < 0 || p >= nest->npacks) {
      map_tensor(w, s);
    } else {
      map_pack(w, p, s);
      s->level = nest->pack[p].ahead ? 0 : level[p];
    }
    count_lines(w, s);
    if (s->pack >= 0 && !nest->pack[p].ahead) {
      sc_stream *outside = &w->stream[w->nstreams++];
      begin_stream(w, SC_STREAM_OUTSIDE, a, outside);
      outside->pack = (int8_t)p;
      outside->level = level[p];
      map_tensor(w, outside);
      count_lines(w, outside);
    }
  }
}
