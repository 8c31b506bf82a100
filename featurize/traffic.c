/* What a cache must be sent. The outermost level whose lines fit stays in the cache while it runs, so each stream is
 * sent once per entry of the loop around that level: the union over that loop's trips, halos and invariant operands
 * included, is sent once and no more. Loops further out send it again, for between two of their iterations more than
 * the cache holds went through it. A nest that fits as a whole is sent nothing: runs are repeated on warm caches. */
#include "featurize/internal.h"
#include "featurize/wide.h"

/* A stream as one cache sees it. With level i staying, the loop around it, which leads out of level i-1, sends its
 * lines once an iteration of that level: `outer` times where i is no deeper than `inside`, else `inner` times, and
 * `extra` lines more. */
typedef struct sending {
  float outer, inner, extra;
  int inside;
} sending;

static sending sending_of(const sc_walk *w, const sc_stream *s) {
  const float written = s->written ? 2 : 1; /* fetched and written back */
  const float whole = s->box_lines[s->level] * w->times[s->level]; /* all that the pack reads */
  if (!s->runs) return (sending){.inner = written};
  /* inside the pack the tensor behind it is sent as a whole; the buffer is copied into, and fetched; outside, where the
   * buffer stays, it is sent nothing */
  if (s->kind == SC_STREAM_OUTSIDE)
    return (sending){.outer = written, .extra = written * whole, .inside = s->level + 1};
  return (sending){.inner = written, .extra = s->written ? 0 : 2 * whole, .inside = s->level};
}

SC_CLONES
void sc_walk_traffic(sc_walk *w) {
  sending to[SC_MAX_STREAMS];
  for (int k = 0; k < w->nstreams; k++) to[k] = sending_of(w, &w->stream[k]);
  for (int a = 0; a < 4; a++) w->sent[a][0] = 0;
  w->all_sent[0] = 0;
  sc_ints level = {0, 1, 2, 3, 4, 5, 6, 7};
  for (int i = 0; i < w->nlevels; i += SC_FLOATS, level += SC_FLOATS) {
    const sc_floats zero = {0};
    sc_floats all = zero, sent[4] = {zero, zero, zero, zero};
    for (int k = 0; k < w->nstreams; k++) {
      sc_stream *s = &w->stream[k];
      const sc_floats at_pack = zero + s->box_lines[s->level];
      sc_floats lines, times;
      memcpy(&lines, s->box_lines + i, sizeof lines);
      memcpy(&times, (s->kind == SC_STREAM_EPILOGUE ? w->free_times : w->times) + i, sizeof times);
      /* outside its pack a buffer is as large as where it begins; inside, the tensor behind a pack is not touched */
      if (s->kind == SC_STREAM_OUTSIDE) lines = SC_CHOOSE(level > s->level, zero, lines);
      else lines = SC_CHOOSE(level < s->level, at_pack, lines);
      memcpy(s->lines + i, &lines, sizeof lines);
      times *= lines;
      all += lines;
      sent[s->access < 3 ? s->access : 3] +=
          SC_CHOOSE(level < to[k].inside, to[k].outer * times, to[k].inner * times + to[k].extra);
    }
    memcpy(w->lines + i, &all, sizeof all);
    sc_doubles all_sent[2] = {{0}, {0}};
    for (int a = 0; a < 4; a++) {
      sc_few_floats half[2];
      memcpy(half, &sent[a], sizeof half);
      for (int h = 0; h < 2; h++) all_sent[h] += __builtin_convertvector(half[h], sc_doubles);
      memcpy(w->sent[a] + 1 + i, &sent[a], sizeof sent[a]);
    }
    memcpy(w->all_sent + 1 + i, all_sent, sizeof all_sent);
  }
}

SC_CLONES
void sc_walk_reuse(sc_walk *w) {
  sc_ints over[2] = {0};
  sc_floats lines[2];
  memcpy(lines, w->p->rates.capacity_lines, sizeof lines);
  for (int i = 0; i < w->nlevels; i++) { /* inner levels hold no more than outer ones */
    for (int v = 0; v < 2; v++) over[v] -= w->lines[i] > lines[v];
  }
  memcpy(w->reuse, over, sizeof over);
}
