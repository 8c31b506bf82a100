/* The two reference kernels: one keeps the core's arithmetic busy, one reads a buffer that lies in the outer caches. Their
 * times say whether the machine is as fast as it was; they are in the program itself, so they never change with the code
 * under test. Each is the least of a few short runs. */
#include "child.h"

enum { RUNS = 5, LANES = 8, CHAINS = 8, STEPS = 20000 };

typedef float lanes __attribute__((vector_size(sizeof(float) * LANES)));

static double least(double (*run)(child *c), child *c) {
  double best = run(c);
  for (int i = 1; i < RUNS; i++) {
    double ns = run(c);
    if (ns < best) best = ns;
  }
  return best;
}

/* About 0.3 ms of independent multiply-adds; the asm keeps them from being folded. */
static double arithmetic(child *c) {
  (void)c;
  lanes sum[CHAINS], factor = {0};
  for (int i = 0; i < CHAINS; i++) sum[i] = factor + (float)i;
  factor = factor + 0.9999f;
  double t0 = now_ns();
  for (int step = 0; step < STEPS; step++)
    for (int i = 0; i < CHAINS; i++) {
      sum[i] = sum[i] * factor + factor;
      __asm__ volatile("" : "+m"(sum[i]));
    }
  return now_ns() - t0;
}

static double memory(child *c) {
  const region *r = &c->region[0];
  const lanes *at = (const lanes *)(const void *)r->data;
  size_t n = r->bytes / sizeof *at;
  lanes sum[4] = {{0}};
  double t0 = now_ns();
  for (size_t i = 0; i + 4 <= n; i += 4)
    for (size_t k = 0; k < 4; k++) sum[k] += at[i + k];
  __asm__ volatile("" : : "m"(sum));
  return now_ns() - t0;
}

void clocks(child *c) {
  pin_to(c->request->core[0]);
  if (!region_make(&c->region[0], "the clock's buffer", c->request->evict_bytes, AT_OFFSET, 0))
    end_child(c, SC_WIRE_BROKEN, "no memory for the reference kernel");
  memory(c); /* bring it into the caches */
  c->reply->ns[0] = least(arithmetic, c);
  c->reply->ns[1] = least(memory, c);
  end_child(c, SC_WIRE_RAN, "%s", "");
}
