/* Streams: the objects in memory that a nest walks, and how many cache lines or pages of each lie inside a box.
 * A box is a set of nested strides. From the innermost out, a stride no larger than what is already covered (or than one
 * line) extends a dense span; a larger one multiplies it. Boxes count as aligned to lines. */
#include <stdlib.h>
#include <string.h>

#include "featurize/internal.h"

/* The parts of a layout over boxes of `box` elements, innermost first; parts of one step are left out. tile[axis]: width of a
 * SC_BLOCK_TILE block. */
static void map_layout(const sc_access *access, const sc_layout *layout, const int32_t *box, const int32_t *tile,
                       int16_t skew, sc_stream *s) {
  int64_t stride = s->element_bytes;
  s->nparts = 0;
  for (int p = layout->nparts - 1; p >= 0; p--) {
    const int axis = layout->part[p].axis;
    int kind = layout->part[p].kind;
    const sc_index *index = &access->axis[axis];
    int32_t block = layout->block[axis] == SC_BLOCK_TILE ? tile[axis] : layout->block[axis];
    if (block < 1) block = 1;
    if (kind == SC_PART_INNER && box[axis] <= block) kind = SC_PART_WHOLE; /* its outer part has one step */
    const int32_t count = kind == SC_PART_WHOLE   ? box[axis]
                          : kind == SC_PART_INNER ? block
                                                  : (box[axis] + block - 1) / block;
    if (p == 0 && stride > s->element_bytes) stride += (int64_t)skew * s->element_bytes;
    if (count > 1) {
      sc_address_part *part = &s->part[s->nparts++];
      *part = (sc_address_part){.kind = (uint8_t)kind, .box = box[axis], .block = block, .stride = stride};
      for (int j = 0; j < 2; j++) {
        part->dim[j] = index->dim[j] >= 0 ? (uint8_t)index->dim[j] : SC_MAX_DIMS;
        part->coef[j] = index->dim[j] >= 0 ? abs(index->coef[j]) : 0;
      }
    }
    stride *= count;
  }
}

/* Positions of the part's axis that the access touches inside `extent`: the hull, as sc_region says, clipped to what there is;
 * and how many of them really: a stride may step over some. */
static inline int64_t axis_positions(const sc_address_part *part, const int32_t *extent, int64_t *hull) {
  const int64_t n0 = part->coef[0] ? extent[part->dim[0]] : 1, n1 = part->coef[1] ? extent[part->dim[1]] : 1;
  const int64_t spread = 1 + part->coef[0] * (n0 - 1) + part->coef[1] * (n1 - 1);
  *hull = spread < part->box ? spread : part->box;
  return n0 * n1 < *hull ? n0 * n1 : *hull;
}

/* Steps of the part: all up to the last one (hull), and those touched. */
static inline int64_t part_steps(const sc_address_part *part, const int32_t *extent, int64_t *hull) {
  const int64_t touched = axis_positions(part, extent, hull);
  if (part->kind == SC_PART_WHOLE) return touched;
  if (part->kind == SC_PART_OUTER) *hull = (*hull + part->block - 1) / part->block;
  else if (*hull > part->block) *hull = part->block;
  return touched < *hull ? touched : *hull;
}

double sc_stream_units(const sc_stream *s, const int32_t *extent, int shift) {
  int64_t dense = (int64_t)1 << shift, span = s->element_bytes, elements = 1, hull;
  double count = 1;
  for (int p = 0; p < s->nparts; p++) {
    const sc_address_part *part = &s->part[p];
    const int64_t n = part_steps(part, extent, &hull);
    if (part->stride <= dense || part->stride <= span) {
      span += part->stride * (hull - 1);
      elements *= n;
    } else if (n > 1) {
      count *= (double)n;
      dense = 0; /* outer strides are larger still */
    }
  }
  const int64_t units = (span + ((int64_t)1 << shift) - 1) >> shift;
  return count * (double)(units < elements ? units : elements);
}

static void add_sparse(sc_shape *shape, int64_t n, int64_t stride) {
  if (n <= 1) return;
  shape->sparse[shape->nsparse].n = n;
  shape->sparse[shape->nsparse++].stride = stride;
  shape->count *= (double)n;
}

void sc_stream_shape(const sc_stream *s, const int32_t *extent, int shift, sc_shape *shape) {
  int64_t dense = (int64_t)1 << shift, hull;
  shape->span = s->element_bytes;
  shape->count = 1;
  shape->nsparse = 0;
  for (int p = 0; p < s->nparts; p++) {
    const sc_address_part *part = &s->part[p];
    const int64_t n = part_steps(part, extent, &hull);
    if (n <= 1) continue;
    if (part->stride <= dense || part->stride <= shape->span) {
      shape->span += part->stride * (hull - 1);
      continue;
    }
    dense = 0;
    if (n < hull && part->kind == SC_PART_WHOLE) { /* it steps over some: each dim has a stride of its own */
      for (int j = 0; j < 2; j++)
        add_sparse(shape, part->coef[j] ? extent[part->dim[j]] : 1, part->coef[j] * part->stride);
    } else add_sparse(shape, n, part->stride);
  }
}

double sc_stream_elements(const sc_stream *s, const int32_t *extent) {
  double n = 1;
  int64_t hull;
  for (int p = 0; p < s->nparts; p++) {
    if (s->part[p].kind != SC_PART_INNER)
      n *= (double)axis_positions(&s->part[p], extent, &hull); /* an outer part counts for both */
  }
  return n;
}

static void begin_stream(sc_walk *w, sc_stream_kind kind, int a, sc_stream *s) {
  const sc_access *access = &w->task->access[a];
  const sc_tensor *tensor = &w->task->tensor[access->tensor];
  memset(s, 0, offsetof(sc_stream, part));
  s->kind = (uint8_t)kind;
  s->access = (uint8_t)a;
  s->pack = -1;
  s->written = a == 0;
  s->element_bytes = (int32_t)sc_type_bytes(tensor->type);
  s->dims = access->dims;
}

/* The tensor itself. */
static void map_tensor(sc_walk *w, sc_stream *s) {
  const sc_tensor *tensor = &w->task->tensor[w->task->access[s->access].tensor];
  const int32_t no_tile[SC_MAX_AXES] = {0};
  map_layout(&w->task->access[s->access], &tensor->layout, tensor->shape, no_tile, 0, s);
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
  map_layout(access, &pack->layout, pack->extent, tile, pack->skew, s);
}

/* Lines in one iteration of every level that the stream lives in; only a loop over one of its dims changes them. */
static void count_lines(sc_walk *w, sc_stream *s) {
  const bool bounded = s->pack >= 0 && !w->nest->pack[s->pack].ahead;
  const int first = bounded && s->kind == SC_STREAM_OPERAND ? s->level : 0;
  const int last = s->kind == SC_STREAM_OUTSIDE ? s->level : w->nlevels - 1;
  float lines = 0;
  for (int i = first; i <= last; i++) {
    if (i == first || s->dims >> w->level[i].dim & 1) {
      lines = (float)sc_stream_units(s, w->level[i].extent, w->machine.line_shift);
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
