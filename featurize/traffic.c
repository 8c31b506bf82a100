/* What a cache must be sent. The outermost level whose lines fit stays in the cache while it runs, so each stream is sent
 * once per entry of the loop around that level: the union over that loop's trips, halos and invariant operands included,
 * is sent once and no more. Loops further out send it again, for between two of their iterations more than the cache
 * holds went through it. A nest that fits as a whole is sent nothing: runs are repeated on warm caches. */
#include "featurize/internal.h"

void sc_walk_reuse(sc_walk *w) {
  enum { N = SC_MAX_CACHES + SC_CURVE };
  const float per_byte = 1 / (float)((int64_t)1 << w->p->rates.line_shift);
  float lines[N], capacity = 16384;
  for (int c = 0; c < SC_MAX_CACHES; c++) lines[c] = (float)w->p->rates.capacity_bytes[c] * per_byte;
  for (int c = SC_MAX_CACHES; c < N; c++, capacity *= 4) lines[c] = capacity * per_byte;
  for (int c = 0; c < N; c++) w->reuse[c] = 0;
  for (int i = 0; i < w->nlevels; i++) { /* inner levels hold no more than outer ones */
    for (int c = 0; c < N; c++) w->reuse[c] += w->lines[i] > lines[c];
  }
}

/* With level i staying, the loop around it, which leads out of level i-1, sends its lines once an iteration of that level. */
void sc_stream_traffic(sc_walk *w, const sc_stream *s) {
  const bool runs = s->pack >= 0 && !w->nest->pack[s->pack].ahead, outside = s->kind == SC_STREAM_OUTSIDE;
  const float *times = s->kind == SC_STREAM_EPILOGUE ? w->free_iterations : w->iterations;
  const float written = s->written ? 2 : 1; /* fetched and written back */
  const float whole = runs ? s->lines[s->level] * w->iterations[s->level] : 0; /* all that the pack reads */
  /* inside the pack the tensor behind it is sent as a whole; the buffer is copied into, and fetched; outside, where the
   * buffer stays, it is sent nothing */
  const float extra = outside ? written * whole : runs && !s->written ? 2 * whole : 0;
  const float before = runs && !outside ? 0 : written, after = outside ? 0 : written;
  const int inside = runs ? s->level + outside : 0;
  float *sent = w->sent[s->access < 3 ? s->access : 3] + 1;
  for (int i = 0; i < w->nlevels; i++) {
    const float own = s->lines[i] * times[i];
    w->lines[i] += s->lines[i];
    sent[i] += i < inside ? before * own : after * own + extra;
  }
}

double sc_traffic(const sc_walk *w, int reuse) {
  double lines = 0;
  for (int a = 0; a < 4; a++) lines += sc_traffic_of(w, a, reuse);
  return lines;
}
