/* One call of a kernel, from its descriptor and its arguments alone: [free loop] { accumulators { reduction loops }
 * store }. It knows no task and no nest, so two nests that share a kernel by its key must get the same from it. */
#include <stdlib.h>
#include <string.h>

#include "ir/interpret.h"
#include "ir/mutant.h"
#include "ir/value.h"

/* Inside a register tile an address is base + of its free element + of its tap. So is a position on a peeled axis. */
typedef struct offsets {
  int64_t n;
  int64_t *operand[SC_MAX_ACCESSES + 1]; /* [0 .. n-1] each; the last is the buffer of partial sums */
  int64_t *position[SC_MAX_PADS];
} offsets;

typedef struct machine {
  const sc_kernel *k;
  const sc_call *call;
  sc_error *err;
  bool floats;
  offsets free, tap;
  int64_t loop[SC_MAX_ACCESSES + 1]; /* what the kernel's loops have added */
  sc_number *acc;
} machine;

/* ---- offsets ---- */

static int64_t along(const sc_operand *operand, const sc_binding_of_operand *binding, int d, int32_t e) {
  if (!(operand->dims >> d & 1)) return 0;
  int64_t stride = operand->stride[d] == SC_STRIDE_SLOT ? binding->slot[d] : operand->stride[d];
  if (operand->block[d] == 0) return e * stride;
  return e / operand->block[d] * operand->block_stride[d] + e % operand->block[d] * stride;
}

static void fill_offsets(machine *m, bool reduce, offsets *o) {
  const sc_kernel *k = m->k;
  int32_t e[SC_MAX_DIMS] = {0};
  for (int64_t i = 0; i < o->n; i++) {
    for (int a = 0; a <= SC_MAX_ACCESSES; a++) {
      if (!o->operand[a]) continue;
      const sc_operand *operand = a == SC_MAX_ACCESSES ? &k->partial : &k->operand[a];
      const sc_binding_of_operand *binding = a == SC_MAX_ACCESSES ? &m->call->partial : &m->call->operand[a];
      o->operand[a][i] = 0;
      for (int d = 0; d < k->ndims; d++) o->operand[a][i] += along(operand, binding, d, e[d]);
    }
    for (int p = 0; p < k->npeels; p++) {
      o->position[p][i] = (int64_t)k->peel[p].cf * e[k->peel[p].free];
      if (k->peel[p].red != UINT8_MAX) o->position[p][i] += (int64_t)k->peel[p].cr * e[k->peel[p].red];
    }
    for (int d = k->ndims - 1; d >= 0; d--) {
      if ((k->reduce >> d & 1) != reduce) continue;
      if (++e[d] < k->tile[d]) break;
      e[d] = 0;
    }
  }
}

static bool new_offsets(machine *m, bool reduce, offsets *o) {
  const sc_kernel *k = m->k;
  o->n = 1;
  for (int d = 0; d < k->ndims; d++)
    if ((k->reduce >> d & 1) == reduce) o->n *= k->tile[d];
  int n = k->noperands + k->buffered + k->npeels;
  int64_t *memory = calloc((size_t)(n * o->n), sizeof *memory);
  if (!memory) return false;
  for (int a = 0; a < k->noperands; a++, memory += o->n) o->operand[a] = memory;
  if (k->buffered) o->operand[SC_MAX_ACCESSES] = memory, memory += o->n;
  for (int p = 0; p < k->npeels; p++, memory += o->n) o->position[p] = memory;
  fill_offsets(m, reduce, o);
  return true;
}

/* ---- memory ---- */

static sc_status out_of_bounds(const machine *m, const sc_view *view, int64_t address, const char *what) {
  return sc_fail(m->err, SC_MISMATCH, "%s %s[%lld] of %lld elements", what, view->name, (long long)address,
                 (long long)view->elems);
}

static sc_status load(const machine *m, int a, int64_t e, int64_t tap, sc_number *x) {
  const sc_binding_of_operand *binding = a == SC_MAX_ACCESSES ? &m->call->partial : &m->call->operand[a];
  int64_t address = binding->base + m->loop[a] + m->free.operand[a][e] + (tap < 0 ? 0 : m->tap.operand[a][tap]);
  if (address < 0 || address >= binding->view->elems) return out_of_bounds(m, binding->view, address, "a kernel reads");
  *x = sc_number_load(binding->view->at, binding->view->type, address);
  return SC_OK;
}

static sc_status store(const machine *m, int a, int64_t e, sc_number x) {
  const sc_binding_of_operand *binding = a == SC_MAX_ACCESSES ? &m->call->partial : &m->call->operand[a];
  int64_t address = binding->base + m->loop[a] + m->free.operand[a][e];
  sc_view *view = binding->view;
  if (address < 0 || address >= view->elems) return out_of_bounds(m, view, address, "a kernel writes");
  if (view->owner) {
    if (view->owner[address] && view->owner[address] != m->call->thread + 1)
      return sc_fail(m->err, SC_MISMATCH, "threads %d and %d both write %s[%lld]", view->owner[address] - 1,
                     m->call->thread, view->name, (long long)address);
    view->owner[address] = (uint8_t)(m->call->thread + 1);
  }
  sc_number_store(view->at, view->type, address, x);
  return SC_OK;
}

/* ---- the kernel ---- */

static bool is_peeled(const machine *m, int64_t e, int64_t tap) {
  const sc_kernel *k = m->k;
  for (int p = 0; p < k->npeels; p++) {
    int64_t span = (int64_t)k->peel[p].cf * (k->tile[k->peel[p].free] - 1) + 1;
    if (k->peel[p].red != UINT8_MAX) span += (int64_t)k->peel[p].cr * (k->tile[k->peel[p].red] - 1);
    int64_t position = m->free.position[p][e] + m->tap.position[p][tap];
    if (position < k->peel[p].lo || position >= span - k->peel[p].hi) return true;
  }
  return false;
}

static sc_status body(machine *m) {
  for (int64_t tap = 0; tap < m->tap.n; tap++)
    for (int64_t e = 0; e < m->free.n; e++) {
      sc_number a, b;
      if (is_peeled(m, e, tap)) continue;
      SC_TRY(load(m, 1, e, tap, &a));
      SC_TRY(load(m, 2, e, tap, &b));
      m->acc[e] = sc_number_fma(m->floats, m->acc[e], a, b);
    }
  return SC_OK;
}

static void advance(machine *m, int loop, int64_t trips) {
  for (int a = 0; a < m->k->noperands; a++) m->loop[a] += trips * m->call->operand[a].loop_stride[loop];
  m->loop[SC_MAX_ACCESSES] += trips * m->call->partial.loop_stride[loop];
}

static sc_status reduction_loops(machine *m, int loop) {
  if (loop == m->k->nkloops) return body(m);
  for (int32_t i = 0; i < m->call->trips[loop]; i++) {
    SC_TRY(reduction_loops(m, loop + 1));
    advance(m, loop, 1);
  }
  advance(m, loop, -m->call->trips[loop]);
  return SC_OK;
}

static sc_status epilogue(const machine *m, int64_t e, sc_number *acc) {
  sc_number stack[SC_MAX_EPILOGUE];
  int top = 0;
  for (int i = 0; i < m->k->nepilogue; i++) {
    const sc_expr *node = &m->k->epilogue[i];
    if (node->kind == SC_EXPR_CONST) {
      if (m->floats) stack[top++].f = node->value;
      else stack[top++].i = (int32_t)node->value;
    } else if (node->kind == SC_EXPR_ACCESS) {
      stack[top] = *acc;
      if (node->access != 0) SC_TRY(load(m, node->access, e, -1, &stack[top]));
      top++;
    } else {
      top--;
      stack[top - 1] = sc_number_apply(m->floats, node->kind, stack[top - 1], stack[top]);
    }
  }
  *acc = stack[0];
  return SC_OK;
}

static sc_status tile(machine *m) {
  const sc_kernel *k = m->k;
  int sums = k->buffered ? SC_MAX_ACCESSES : 0;
  for (int64_t e = 0; e < m->free.n; e++) {
    bool fresh = m->call->first && !mutant(SC_MUTANT_ZERO);
    m->acc[e].i = 0; /* also 0.0f */
    if (!fresh) SC_TRY(load(m, sums, e, -1, &m->acc[e]));
    else if (k->inout) SC_TRY(load(m, 0, e, -1, &m->acc[e]));
  }
  SC_TRY(reduction_loops(m, k->free_kloop));
  for (int64_t e = 0; e < m->free.n; e++) {
    if (m->call->last && k->nepilogue) SC_TRY(epilogue(m, e, &m->acc[e]));
    SC_TRY(store(m, m->call->last ? 0 : sums, e, m->acc[e]));
  }
  return SC_OK;
}

static sc_status free_loop(machine *m) {
  for (int32_t i = 0; i < m->call->trips[0]; i++) {
    SC_TRY(tile(m));
    advance(m, 0, 1);
  }
  return SC_OK;
}

sc_status sc_run_kernel(const sc_kernel *kernel, const sc_call *call, sc_error *err) {
  machine m = {.k = kernel, .call = call, .err = err, .floats = sc_is_float(kernel->type)};
  sc_status status = SC_NOMEM;
  if (new_offsets(&m, false, &m.free) && new_offsets(&m, true, &m.tap) &&
      (m.acc = calloc((size_t)m.free.n, sizeof *m.acc)))
    status = kernel->free_kloop ? free_loop(&m) : tile(&m);
  free(m.free.operand[0]);
  free(m.tap.operand[0]);
  free(m.acc);
  return status == SC_NOMEM ? sc_fail(err, SC_NOMEM, "out of memory") : status;
}
