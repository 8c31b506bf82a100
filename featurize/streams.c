/* Streams: the objects in memory that a nest walks, and the lines of each in every level. */
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
  sc_map_layout(w->p->axis[pack->access], &pack->layout, pack->extent, tile, pack->skew,
                (int32_t)sc_type_bytes(tensor->type), &w->pack[p]);
  return &w->pack[p];
}

static void add_stream(sc_walk *w, sc_stream_kind kind, int a, const sc_map *map, int pack) {
  sc_stream *s = &w->stream[w->nstreams++];
  s->kind = (uint8_t)kind;
  s->access = (uint8_t)a;
  s->pack = (int8_t)pack;
  s->written = a == 0;
  s->map = map;
  if (kind == SC_STREAM_OPERAND) w->operand[a] = s;
}

void sc_walk_streams(sc_walk *w) {
  const sc_nest *nest = w->nest;
  const sc_task *task = w->p->task;
  w->nstreams = 0;
  for (int a = 0; a < task->naccesses; a++) {
    if (a >= 3 && task->access[a].tensor == task->access[0].tensor) continue; /* the accumulator in an epilogue */
    const sc_stream_kind kind = a < 3 ? SC_STREAM_OPERAND : SC_STREAM_EPILOGUE;
    const int p = a == 0 ? nest->acc : nest->operand[a].pack; /* partial sums live in a buffer of their own */
    if (p < 0 || p >= nest->npacks) {
      add_stream(w, kind, a, &w->p->tensor[a], -1);
      continue;
    }
    add_stream(w, kind, a, map_pack(w, p), p);
    if (!nest->pack[p].ahead) add_stream(w, SC_STREAM_OUTSIDE, a, &w->p->tensor[a], p);
  }
}

void sc_walk_lines(sc_walk *w) {
  for (int i = 0; i < w->nstreams; i++) {
    sc_stream *s = &w->stream[i];
    s->runs = s->pack >= 0 && !w->nest->pack[s->pack].ahead;
    s->level = s->runs ? w->pack_level[s->pack] : 0;
    sc_map_units_by_level(s->map, w->extent, w->first_changed, w->last_changed, w->p->rates.line_shift, s->box_lines);
  }
}
