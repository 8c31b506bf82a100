/* Streams: the objects in memory that a nest walks, and the lines of each in every level. */
#include <string.h>

#include "featurize/internal.h"

static const sc_map *map_pack(sc_walk *w, int p) {
  const sc_task *task = w->p->task;
  const sc_nest_pack *pack = &w->nest->pack[p];
  const sc_access *access = &task->access[pack->access];
  const sc_tensor *tensor = &task->tensor[access->tensor];
  int32_t tile[SC_MAX_AXES] = {0};
  for (int x = 0; x < tensor->naxes; x++) {
    const int d = access->axis[x].dim[0] >= 0 ? access->axis[x].dim[0] : access->axis[x].dim[1];
    if (d >= 0) tile[x] = w->nest->dim[d].max_tile;
  }
  sc_map_layout(access, &pack->layout, pack->extent, tile, pack->skew, (int32_t)sc_type_bytes(tensor->type),
                &w->pack[p]);
  return &w->pack[p];
}

/* Adds a stream that lives in levels first..last, and its lines. Outside of them a buffer is as large as where it begins,
 * and a tensor behind a pack is not touched. */
static sc_stream *add_stream(sc_walk *w, sc_stream_kind kind, int a, const sc_map *map, int first, int last) {
  sc_stream *s = &w->stream[w->nstreams++];
  s->kind = (uint8_t)kind;
  s->access = (uint8_t)a;
  s->pack = -1;
  s->level = 0;
  s->written = a == 0;
  s->dims = w->p->task->access[a].dims;
  s->map = map;
  sc_map_units_by_level(map, s->dims, w->level, first, last, w->p->rates.line_shift, s->lines);
  for (int i = 0; i < first; i++) s->lines[i] = s->lines[first];
  for (int i = last + 1; i < w->nlevels; i++) s->lines[i] = 0;
  for (int i = 0; i < w->nlevels; i++) w->lines[i] += s->lines[i];
  return s;
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
  const sc_task *task = w->p->task;
  const int last = w->nlevels - 1;
  uint8_t level[SC_MAX_PACKS] = {0};
  pack_levels(nest, level);
  w->nstreams = 0;
  for (int i = 0; i <= last; i++) w->lines[i] = 0;
  for (int a = 0; a < task->naccesses; a++) {
    if (a >= 3 && task->access[a].tensor == task->access[0].tensor) continue; /* the accumulator in an epilogue */
    const sc_stream_kind kind = a < 3 ? SC_STREAM_OPERAND : SC_STREAM_EPILOGUE;
    const int p = a == 0 ? nest->acc : nest->operand[a].pack; /* partial sums live in a buffer of their own */
    if (p < 0 || p >= nest->npacks) {
      add_stream(w, kind, a, &w->p->tensor[a], 0, last);
      continue;
    }
    const bool runs = !nest->pack[p].ahead;
    sc_stream *buffer = add_stream(w, kind, a, map_pack(w, p), runs ? level[p] : 0, last);
    buffer->pack = (int8_t)p;
    if (!runs) continue;
    buffer->level = level[p];
    sc_stream *outside = add_stream(w, SC_STREAM_OUTSIDE, a, &w->p->tensor[a], 0, level[p]);
    outside->pack = (int8_t)p;
    outside->level = level[p];
  }
}
