/* What all rows of one task on one target share, computed once: the machine's numbers, maps of the tensors, and the
 * features that do not depend on the nest. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "featurize/internal.h"

/* A value of the machine file, unless it is missing or beyond anything that a machine is. */
static double or_default(sc_value value, double assumed) {
  return value.value >= 1e-3 && value.value <= 1e15 ? value.value : assumed;
}

static int log2_floor(double x) {
  int n = 0;
  while (n < 30 && x >= 2) {
    x /= 2;
    n++;
  }
  return n;
}

void sc_rates_of(const sc_target *target, sc_rates *out) {
  const sc_machine *m = target->machine;
  static const double assumed_bytes[SC_MAX_CACHES] = {32768, 524288, 4194304};
  out->clock_hz = or_default(m->clock_hz, 1e9);
  out->vector_bytes = or_default(m->vector_bytes, 4);
  out->registers = or_default(m->vector_registers, 16);
  out->fma_per_cycle = or_default(m->fma_per_cycle, 1);
  out->fma_latency = or_default(m->fma_latency_cycles, 4);
  out->loads_per_cycle = or_default(m->loads_per_cycle, 1);
  out->peak_flop_per_s =
      or_default(m->peak_flop_per_s, out->clock_hz * out->fma_per_cycle * sc_max(out->vector_bytes / 4, 1) * 2);
  out->memory_bytes_per_s = or_default(m->memory_read_bytes_per_s, 4e9);
  out->l1i_bytes = or_default(m->l1i_bytes, 32768);
  out->tlb_entries[0] = or_default(m->l1_tlb_entries, 64);
  out->tlb_entries[1] = or_default(m->l2_tlb_entries, 1024);
  out->out_of_order = m->out_of_order.value > 0;
  out->ncaches = m->ncaches < 1 ? 1 : m->ncaches > SC_MAX_CACHES ? SC_MAX_CACHES : m->ncaches;
  out->line_shift = log2_floor(m->ncaches > 0 ? or_default(m->cache[0].line_bytes, 64) : 64);
  out->page_shift = log2_floor(or_default(m->page_bytes, 4096));
  for (int i = 0; i < SC_MAX_CACHES; i++) {
    const bool there = i < m->ncaches;
    const double bytes = there ? or_default(m->cache[i].bytes, assumed_bytes[i]) : assumed_bytes[i];
    const double sharing = there ? or_default(m->cache[i].shared_by, 1) : 1;
    out->capacity_bytes[i] = bytes / sc_max(1, sc_min(sharing, target->threads));
    out->ways[i] = there ? or_default(m->cache[i].ways, 8) : 8;
    const bool last = i + 1 >= out->ncaches;
    out->serve_bytes_per_s[i] =
        last ? out->memory_bytes_per_s : or_default(m->cache[i + 1].read_bytes_per_s, out->memory_bytes_per_s);
  }
  for (int c = 0; c < SC_MAX_CACHES; c++)
    out->line_share[c] = (double)((int64_t)1 << out->line_shift) / out->capacity_bytes[c];
  const float per_byte = 1 / (float)((int64_t)1 << out->line_shift);
  memset(out->capacity_lines, 0, sizeof out->capacity_lines);
  float capacity = 16384;
  for (int c = 0; c < SC_MAX_CACHES; c++) out->capacity_lines[c] = (float)out->capacity_bytes[c] * per_byte;
  for (int c = SC_MAX_CACHES; c < SC_CAPACITIES; c++, capacity *= 4) out->capacity_lines[c] = capacity * per_byte;
}

static int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b != 0 && (a < 0) != (b < 0)); }

/* Share of the (free, reduction) pairs of a padded axis that read inside the tensor. Exact for up to 64 taps; of more,
 * 64 spread evenly are looked at. */
double sc_valid_share(const sc_task *task, const sc_pad *pad) {
  const int64_t nfree = pad->free >= 0 ? task->dim[pad->free].size : 1;
  const int64_t nred = pad->red >= 0 ? task->dim[pad->red].size : 1;
  const int64_t looked = nred < 64 ? nred : 64;
  if (pad->cf <= 0) return 1;
  double valid = 0;
  for (int64_t i = 0; i < looked; i++) {
    const int64_t tap = i * nred / looked, base = pad->cr * tap + pad->offset;
    int64_t lo = floor_div(-base + pad->cf - 1, pad->cf), hi = floor_div(pad->size - 1 - base, pad->cf);
    if (lo < 0) lo = 0;
    if (hi > nfree - 1) hi = nfree - 1;
    if (hi >= lo) valid += (double)(hi - lo + 1);
  }
  return valid / ((double)nfree * (double)looked);
}

/* Dims of one element walk nothing. */
static sc_walked_axis walked(const sc_task *task, const sc_index *index) {
  sc_walked_axis w = {.dim = {SC_MAX_DIMS, SC_MAX_DIMS}, .base = 1};
  for (int j = 0; j < 2; j++) {
    if (index->dim[j] < 0 || task->dim[index->dim[j]].size == 1 || index->coef[j] == 0) continue;
    w.dim[j] = (uint8_t)index->dim[j];
    w.coef[j] = abs(index->coef[j]);
    w.base -= w.coef[j];
  }
  return w;
}

void sc_prepare(const sc_task *task, const sc_target *target, sc_prepared *p) {
  const int32_t no_tile[SC_MAX_AXES] = {0};
  p->task = task;
  p->target = *target;
  p->ndims = 0;
  p->full = 1;
  sc_rates_of(target, &p->rates);
  for (int d = 0; d < task->ndims; d++) {
    p->full *= task->dim[d].size;
    if (task->dim[d].size > 1) p->dim[p->ndims++] = (uint8_t)d;
  }
  for (int i = 0; i < target->machine->ncompilers; i++) {
    p->is_clang[i] = strstr(target->machine->compiler[i].command, "clang") != NULL;
    p->compiler_hash[i] = sc_compiler_hash(&target->machine->compiler[i]);
  }
  for (int i = 0; i < task->npads; i++) p->inside[i] = sc_valid_share(task, &task->pad[i]);
  for (int a = 0; a < task->naccesses; a++) {
    const sc_tensor *tensor = &task->tensor[task->access[a].tensor];
    for (int x = 0; x < tensor->naxes; x++) p->axis[a][x] = walked(task, &task->access[a].axis[x]);
    sc_map_layout(p->axis[a], &tensor->layout, tensor->shape, no_tile, 0, (int32_t)sc_type_bytes(tensor->type),
                  &p->tensor[a]);
  }
  for (int i = 0; i < 2; i++) {
    const int naxes = task->tensor[task->access[i + 1].tensor].naxes;
    p->noperand_axes[i] = 0;
    for (int x = 0; x < naxes; x++) {
      const sc_walked_axis *axis = &p->axis[i + 1][x];
      if (axis->dim[0] != SC_MAX_DIMS || axis->dim[1] != SC_MAX_DIMS) p->operand_axis[i][p->noperand_axes[i]++] = *axis;
    }
  }
}
