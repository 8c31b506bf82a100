/* The two reference kernels: one keeps the core's arithmetic busy, one reads a buffer that lies in the outer caches.
 * Their times say whether the machine is as fast as it was; they are in the program itself, so they never change
 * with the code under test. Each is the least of a few short runs. */
#include <string.h>
#include <sys/mman.h>

#include "child.h"

enum { ARITHMETIC_RUNS = 5, MEMORY_RUNS = 40, STEPS = 100000, HUGE_PAGE = 1 << 21 };

/* At a quiet moment, if there is one soon: readings of two kinds of moment would tell nothing of the machine. */
static double least(double (*run)(child *c), child *c, int runs) {
  double best = 0, until = now_ns() + PATIENCE_NS;
  for (int i = 0; i < runs; i++) {
    gauge_wait(c, until);
    double ns = run(c);
    if (i == 0 || ns < best) best = ns;
  }
  return best;
}

/* Eight independent chains of multiplications and additions. */
static double arithmetic(child *c) {
  (void)c;
  lanes zero = {0}, factor = zero + 0.9999f;
  lanes a = zero, b = zero + 1, d = zero + 2, e = zero + 3, f = zero + 4, g = zero + 5, h = zero + 6, k = zero + 7;
  double t0 = now_ns();
  for (int step = 0; step < STEPS; step++) {
    a = a * factor + factor, b = b * factor + factor, d = d * factor + factor, e = e * factor + factor;
    f = f * factor + factor, g = g * factor + factor, h = h * factor + factor, k = k * factor + factor;
    KEEP(a, b, d, e, f, g, h, k);
  }
  return now_ns() - t0;
}

/* The buffer is made once, by the server, and only read: every reading sees the same physical pages, so that where
 * pages fall is not taken for a change of the machine. Huge pages where they are to be had. */
static const char *buffer;
static size_t buffer_bytes;

void prepare_clocks(const sc_wire_request *request) {
  size_t bytes = (request->evict_bytes + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
  if (buffer && bytes == buffer_bytes) return;
  char *map = mmap(NULL, bytes + HUGE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (map == MAP_FAILED) return;
  char *data = map + (HUGE_PAGE - (uintptr_t)map % HUGE_PAGE);
  madvise(data, bytes, MADV_HUGEPAGE);
  memset(data, 0, bytes);
  buffer = data;
  buffer_bytes = bytes;
}

/* Reads the buffer once; eight sums, so that no chain of additions holds the loads up. */
static double memory(child *c) {
  (void)c;
  const lanes *at = (const lanes *)(const void *)buffer, *end = at + buffer_bytes / sizeof *at / 8 * 8;
  lanes a = {0}, b = {0}, d = {0}, e = {0}, f = {0}, g = {0}, h = {0}, k = {0};
  double t0 = now_ns();
  for (; at < end; at += 8) {
    a += at[0], b += at[1], d += at[2], e += at[3];
    f += at[4], g += at[5], h += at[6], k += at[7];
  }
  KEEP(a, b, d, e, f, g, h, k);
  return now_ns() - t0;
}

void clocks(child *c) {
  pin_to(c->request->core[0]);
  if (!buffer) end_child(c, SC_WIRE_BROKEN, "no memory for the reference kernel");
  memory(c); /* bring it into the caches */
  c->reply->ns[0] = least(arithmetic, c, ARITHMETIC_RUNS);
  c->reply->ns[1] = least(memory, c, MEMORY_RUNS);
  end_child(c, SC_WIRE_RAN, "%s", "");
}
