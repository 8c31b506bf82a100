/* The gauge: how many loads from its L1 the core can do just now. Another program on the core's second hardware thread,
 * which a virtual machine never sees, takes its share of them, and up to half of the speed of every kernel, for tens of
 * milliseconds at a time, while clock and latencies stay what they are. So the core is called quiet while a reading, of
 * some 10 us, is near the least of the last minutes; busy and quiet readings are far apart (docs/decisions/0009). */
#include "child.h"

enum { PASSES = 256, FLOATS = 1024 };
static const double near = 1.2, minute_ns = 60e9, first_ns = 200e6;

static float line[FLOATS] __attribute__((aligned(64)));
static double level_ns[2]; /* least reading of this minute and of the one before, 0 = none */
static double began_ns; /* this minute */

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

/* The server learns from its children's replies, a child inherits what the server knows and learns for itself. */
void gauge_learn(double ns) {
  double now = now_ns();
  if (ns <= 0) return;
  if (level_ns[0] <= 0 || now - began_ns > minute_ns) level_ns[1] = level_ns[0], level_ns[0] = ns, began_ns = now;
  if (ns < level_ns[0]) level_ns[0] = ns;
}

static double read_and_learn(child *c) {
  double ns = reading();
  gauge_learn(ns);
  if (c->reply->gauge_ns <= 0 || ns < c->reply->gauge_ns) c->reply->gauge_ns = ns;
  return ns;
}

bool gauge_is_quiet(child *c) {
  if (!c->request->gauge) return true;
  if (level_ns[0] <= 0)
    for (double t0 = now_ns(); now_ns() - t0 < first_ns;) read_and_learn(c);
  double ns = read_and_learn(c), level = level_ns[0];
  if (level_ns[1] > 0 && level_ns[1] < level) level = level_ns[1];
  return ns <= near * level;
}

bool gauge_wait(child *c, double until_ns) {
  bool quiet = gauge_is_quiet(c);
  while (!quiet && now_ns() < until_ns) quiet = gauge_is_quiet(c);
  return quiet;
}

/* Quiet repeats stay, then the fastest of the others. */
void gauge_keep(sc_wire_reply *reply, double ns, bool preempted, bool busy) {
  uint32_t at = reply->repeats;
  if (at == SC_WIRE_REPEATS) {
    for (uint32_t i = 0; i < SC_WIRE_REPEATS; i++)
      if (((reply->preempted | reply->busy) >> i & 1) && (at == SC_WIRE_REPEATS || reply->ns[i] > reply->ns[at]))
        at = i;
    if ((preempted || busy) && ns >= reply->ns[at]) return;
  } else reply->repeats++;
  uint16_t bit = (uint16_t)(1u << at);
  reply->ns[at] = ns;
  reply->preempted = (uint16_t)(preempted ? reply->preempted | bit : reply->preempted & ~bit);
  reply->busy = (uint16_t)(busy ? reply->busy | bit : reply->busy & ~bit);
}

int gauge_quiet_repeats(const sc_wire_reply *reply) {
  int n = 0;
  for (uint32_t i = 0; i < reply->repeats; i++) n += !((reply->preempted | reply->busy) >> i & 1);
  return n;
}
