/* The gauge: how many loads from its L1 the core can do just now. Another program on the core's second hardware thread,
 * which a virtual machine never sees, takes its share of them, and up to half of the speed of every kernel, for tens of
 * milliseconds at a time, while clock and latencies stay what they are. So the core is called quiet while a reading, of
 * some 10 us, is near the least of the last minutes; busy and quiet readings are far apart (docs/decisions/0009). What
 * several threads of ours do to each other and to the clock is no disturbance: each number of threads has its level. */
#include <math.h>

#include "child.h"

enum { PASSES = 256, FLOATS = 1024, QUIET = 3 /* repeats that a visit should have */ };
static const double near = 1.2, minute_ns = 60e9, first_ns = 200e6, absurd = 0.25;

typedef struct level {
  double ns[2]; /* least reading of this minute and of the one before, 0 = none */
  double began_ns; /* this minute */
} level;

static float line[FLOATS] __attribute__((aligned(64)));
static level levels[SC_WIRE_THREADS + 1];

static double reading(void) {
  lanes a = {0}, b = {0}, d = {0}, e = {0}, f = {0}, g = {0}, h = {0}, k = {0};
  double t0 = now_ns();
  for (int pass = 0; pass < PASSES; pass++) {
    const lanes *at = (const lanes *)(const void *)line, *end = at + FLOATS / 4;
    __asm__ volatile("" : "+r"(at) : : "memory"); /* the zeros are loaded, whatever the compiler knows of them */
    for (; at < end; at += 8) {
      a += at[0], b += at[1], d += at[2], e += at[3];
      f += at[4], g += at[5], h += at[6], k += at[7];
      KEEP(a, b, d, e, f, g, h, k);
    }
  }
  return now_ns() - t0;
}

/* The server learns from its children's replies, a child inherits what the server knows and learns for itself. A reply
 * may have been written over by the kernel: what is absurd is not believed. */
void gauge_learn(uint32_t threads, double ns) {
  level *l = &levels[threads];
  double now = now_ns(), age = now - l->began_ns;
  if (!(ns > absurd * l->ns[0]) || !isfinite(ns)) return;
  if (l->ns[0] <= 0 || age > minute_ns) {
    l->ns[1] = age > 2 * minute_ns ? 0 : l->ns[0];
    l->ns[0] = ns;
    l->began_ns = now;
  }
  if (ns < l->ns[0]) l->ns[0] = ns;
}

static double read_and_learn(child *c) {
  double ns = reading();
  gauge_learn(c->request->threads, ns);
  if (c->reply->gauge_ns <= 0 || ns < c->reply->gauge_ns) c->reply->gauge_ns = ns;
  return ns;
}

bool gauge_is_quiet(child *c) {
  const level *l = &levels[c->request->threads];
  if (!c->request->gauge) return true;
  if (l->ns[0] <= 0)
    for (double t0 = now_ns(); now_ns() - t0 < first_ns;) read_and_learn(c);
  double ns = read_and_learn(c), least = l->ns[0];
  if (l->ns[1] > 0 && l->ns[1] < least) least = l->ns[1];
  return ns <= near * least;
}

bool gauge_wait(child *c, double until_ns) {
  bool quiet = gauge_is_quiet(c);
  while (!quiet && now_ns() < until_ns) quiet = gauge_is_quiet(c);
  return quiet;
}

/* One more repeat: when there are enough, it takes the place of the slowest that was disturbed, or is dropped. */
static void keep(sc_wire_reply *reply, double ns, bool preempted, bool busy) {
  uint32_t at = reply->repeats;
  if (at >= SC_WIRE_REPEATS) {
    at = SC_WIRE_REPEATS;
    for (uint32_t i = 0; i < SC_WIRE_REPEATS; i++)
      if (((reply->preempted | reply->busy) >> i & 1) && (at == SC_WIRE_REPEATS || reply->ns[i] > reply->ns[at]))
        at = i;
    if (at == SC_WIRE_REPEATS || ((preempted || busy) && ns >= reply->ns[at])) return;
  } else reply->repeats++;
  uint16_t bit = (uint16_t)(1u << at);
  reply->ns[at] = ns;
  reply->preempted = (uint16_t)(preempted ? reply->preempted | bit : reply->preempted & ~bit);
  reply->busy = (uint16_t)(busy ? reply->busy | bit : reply->busy & ~bit);
}

static int quiet_repeats(const sc_wire_reply *reply) {
  int n = 0;
  for (uint32_t i = 0; i < reply->repeats && i < SC_WIRE_REPEATS; i++)
    n += !((reply->preempted | reply->busy) >> i & 1);
  return n;
}

void gauge_repeats(child *c, double (*run_ns)(void *user, uint32_t calls), void *user) {
  sc_wire_reply *reply = c->reply;
  double begin = now_ns(), until = begin + PATIENCE_NS, took = 0;
  bool quiet = gauge_is_quiet(c);
  for (int i = 0; i < SC_WIRE_REPEATS || (quiet_repeats(reply) < QUIET && now_ns() + took < until); i++) {
    if (!quiet) quiet = gauge_wait(c, until - took);
    long before = switches();
    double t0 = now_ns(), ns = run_ns(user, reply->batch), now = now_ns();
    bool preempted = switches() != before, still = gauge_is_quiet(c);
    keep(reply, ns / reply->batch, preempted, !quiet || !still);
    quiet = still;
    took = now - t0;
    if (i == SC_WIRE_REPEATS - 1) until = fmax(until, now + fmin(now - begin, PATIENCE_NS));
  }
}
