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

/* Adds a stream and its lines. Outside its pack a buffer is as large as where it begins; inside, the tensor behind a pack
 * is not touched. */
static void add_stream(sc_walk *w, sc_stream_kind kind, int a, const sc_map *map, int pack, int level) {
  sc_stream *s = &w->stream[w->nstreams++];
  const bool outside = kind == SC_STREAM_OUTSIDE;
  s->kind = (uint8_t)kind;
  s->access = (uint8_t)a;
  s->pack = (int8_t)pack;
  s->level = (uint8_t)level;
  s->written = a == 0;
  s->map = map;
  const int first = outside ? 0 : level, last = outside ? level : w->nlevels - 1;
  sc_map_units_by_level(map, w->level, first, last, w->p->rates.line_shift, s->lines);
  for (int i = 0; i < first; i++) s->lines[i] = s->lines[first];
  for (int i = last + 1; i < w->nlevels; i++) s->lines[i] = 0;
  if (kind == SC_STREAM_OPERAND) w->operand[a] = s;
  sc_stream_traffic(w, s);
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
  uint8_t level[SC_MAX_PACKS] = {0};
  pack_levels(nest, level);
  const size_t bytes = ((size_t)w->nlevels + 1) * sizeof(float);
  w->nstreams = 0;
  memset(w->lines, 0, bytes - sizeof(float));
  for (int a = 0; a < 4; a++) memset(w->sent[a], 0, bytes);
  for (int a = 0; a < task->naccesses; a++) {
    if (a >= 3 && task->access[a].tensor == task->access[0].tensor) continue; /* the accumulator in an epilogue */
    const sc_stream_kind kind = a < 3 ? SC_STREAM_OPERAND : SC_STREAM_EPILOGUE;
    const int p = a == 0 ? nest->acc : nest->operand[a].pack; /* partial sums live in a buffer of their own */
    if (p < 0 || p >= nest->npacks) {
      add_stream(w, kind, a, &w->p->tensor[a], -1, 0);
      continue;
    }
    const bool runs = !nest->pack[p].ahead;
    const int at = runs ? level[p] : 0;
    add_stream(w, kind, a, map_pack(w, p), p, at);
    if (runs) add_stream(w, SC_STREAM_OUTSIDE, a, &w->p->tensor[a], p, at);
  }
}
