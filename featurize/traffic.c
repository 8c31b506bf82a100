/* What a cache must be sent. The outermost level whose lines fit stays in the cache while it runs, so each stream is sent
 * once per entry of the loop around that level: the union over that loop's trips, halos and invariant operands included,
 * is sent once and no more. Loops further out send it again, for between two of their iterations more than the cache
 * holds went through it. A nest that fits as a whole is sent nothing: runs are repeated on warm caches. */
#include "featurize/internal.h"

int sc_reuse_level(const sc_walk *w, double bytes) {
  const double lines = bytes / (double)((int64_t)1 << w->p->rates.line_shift);
  for (int i = 0; i < w->nlevels; i++) {
    if (w->lines[i] <= lines) return i;
  }
  return w->nlevels;
}

/* Lines sent when the trips of loop `i` share the cache; i = nlevels: not even one tile stays. */
static double sent(const sc_walk *w, const sc_stream *s, int i) {
  const sc_level *outer = &w->level[i - 1];
  double times = outer->iterations;
  if (s->kind == SC_STREAM_EPILOGUE) times = outer->free_iterations;
  return (double)s->lines[i - 1] * times;
}

double sc_stream_traffic(const sc_walk *w, const sc_stream *s, int reuse) {
  if (reuse == 0) return 0;
  double lines;
  if (s->kind == SC_STREAM_OUTSIDE) {
    lines = sent(w, s, reuse <= s->level ? reuse : s->level + 1);
    return s->written ? 2 * lines : lines;
  }
  const bool buffer = s->pack >= 0 && !w->nest->pack[s->pack].ahead;
  if (buffer && reuse <= s->level) return 0; /* the buffer itself stays */
  lines = sent(w, s, reuse);
  if (s->written) lines *= 2; /* fetched and written back */
  if (buffer && !s->written) lines += 2 * sent(w, s, s->level + 1); /* the copy into it */
  return lines;
}

double sc_traffic(sc_walk *w, int reuse) {
  if (w->sent[reuse] < 0) {
    w->sent[reuse] = 0;
    for (int i = 0; i < w->nstreams; i++) w->sent[reuse] += sc_stream_traffic(w, &w->stream[i], reuse);
  }
  return w->sent[reuse];
}
