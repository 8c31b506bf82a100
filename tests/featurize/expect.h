/* What every feature must be. */
#ifndef SC_TEST_EXPECT_H
#define SC_TEST_EXPECT_H

#include "tests/featurize/expect_memory.h"

/* ---- packs, machine ---- */

static inline void expect_packs(expected *e) {
  const brute *b = e->b;
  double run = 0, ahead = 0, bytes = 0, elements = 0, strided = 0, largest = 0, runs = 0, skewed = 0, sum_bytes = 0;
  for (int p = 0; p < b->nest->npacks; p++) {
    const sc_nest_pack *pack = &b->nest->pack[p];
    skewed += pack->skew > 0;
    if (p == b->nest->acc) sum_bytes = (double)pack->elems * 4;
    else if (pack->ahead) ahead++;
    else {
      const double copied = (double)pack->elems * b->pack_runs[p];
      run++;
      runs += b->pack_runs[p];
      elements += copied;
      bytes += 4 * copied;
      if (copied_row(b, p) == 0) strided += 4 * copied;
      largest = most(largest, 4 * (double)pack->elems);
    }
  }
  EXPECT(run_packs, run);
  EXPECT(ahead_packs, ahead);
  EXPECT(packed_per_kfma, bytes * 1000 / b->fma);
  EXPECT(packed_uses, elements > 0 ? b->fma / elements : 0);
  EXPECT(packed_strided, bytes > 0 ? strided / bytes : 0);
  EXPECT(pack_over_l2, largest / e->m->cache[1].bytes.value);
  EXPECT(pack_runs, runs);
  EXPECT(skewed, skewed);
  EXPECT(sum_buffer, sum_bytes);
}

static inline void expect_machine(expected *e) {
  const sc_machine *m = e->m;
  EXPECT(machine_vector, m->vector_bytes.value);
  EXPECT(machine_registers, m->vector_registers.value);
  EXPECT(machine_fma, m->fma_per_cycle.value);
  EXPECT(machine_l1, m->cache[0].bytes.value);
  EXPECT(machine_l2, m->cache[1].bytes.value);
  EXPECT(machine_l3, m->cache[2].bytes.value);
  EXPECT(machine_balance, m->memory_read_bytes_per_s.value / m->peak_flop_per_s.value);
  EXPECT(machine_ooo, m->out_of_order.value > 0);
  EXPECT(compiler_clang, strstr(m->compiler[0].command, "clang") != NULL);
  EXPECT(compiler_vector, m->compiler[0].vector_bytes);
}

static inline void expect_all(expected *e) {
  sums s = {0};
  const double valid = e->b->fma / e->b->fma_full;
  for (int c = 0; c < e->b->nclasses; c++) sum_class(e, &e->b->class_at[c], valid, &s);
  sum_tails(e->b, &s);
  expect_workload(e);
  expect_loops(e);
  expect_tile(e, &s);
  expect_packs(e);
  expect_machine(e);
  if (!e->regular) return;
  expect_caches(e);
  expect_analytic(e, &s);
  expect_parallel(e);
  expect_addresses(e);
}

#endif
