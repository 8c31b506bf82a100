/* What an operator means: every point of the free dims, every point of the reductions, logical indices, no schedule.
 * It shares no address arithmetic with the nest interpreter or the code generator.
 *
 * Floats accumulate in f32 and round once, when the result is stored; integers accumulate in i32, modulo 2^32, and are
 * clamped to the result's type when stored. Outside its tensor an operand is 0.
 *
 * An address is a sum over axes, so each axis of each access has a table from its index to its share; a large negative
 * share marks what is outside. Then the innermost reduction is a walk along tables. */
#include <stdlib.h>

#include "ir/value.h"

#define OUTSIDE (-((int64_t)1 << 60)) /* a sum of at most SC_MAX_AXES of them still fits */

typedef struct table {
  int64_t *share, lowest; /* share[x - lowest] of index x */
} table;

typedef struct runner {
  const sc_task *task;
  void *const *buffers;
  table table[SC_MAX_ACCESSES][SC_MAX_AXES];
  int32_t value[SC_MAX_DIMS];
  int inner; /* the reduction dim walked innermost, -1 = there is none */
} runner;

/* An operand along the innermost reduction: address(v) = base + sum share[i][v * step[i]]. */
typedef struct row {
  const void *buffer;
  sc_type type;
  int64_t base;
  int n;
  const int64_t *share[SC_MAX_AXES];
  int64_t step[SC_MAX_AXES];
} row;

/* ---- tables ---- */

static bool make_table(const sc_task *task, const sc_access *access, int axis, table *t) {
  const sc_tensor *tensor = &task->tensor[access->tensor];
  int64_t lo, hi;
  int32_t index[SC_MAX_AXES] = {0};
  sc_index_range(task, &access->axis[axis], &lo, &hi);
  t->lowest = lo;
  t->share = calloc((size_t)(hi - lo + 1), sizeof *t->share);
  if (!t->share) return false;
  for (int64_t x = lo; x <= hi; x++) {
    index[axis] = (int32_t)x;
    t->share[x - lo] = x < 0 || x >= tensor->shape[axis] ? OUTSIDE : sc_tensor_address(tensor, index);
  }
  return true;
}

static bool make_tables(runner *run) {
  for (int i = 0; i < run->task->naccesses; i++)
    for (int a = 0; a < run->task->tensor[run->task->access[i].tensor].naxes; a++)
      if (!make_table(run->task, &run->task->access[i], a, &run->table[i][a])) return false;
  return true;
}

static void free_tables(runner *run) {
  for (int i = 0; i < SC_MAX_ACCESSES; i++)
    for (int a = 0; a < SC_MAX_AXES; a++) free(run->table[i][a].share);
}

static row row_of(const runner *run, int number) {
  const sc_access *access = &run->task->access[number];
  const sc_tensor *tensor = &run->task->tensor[access->tensor];
  row w = {.buffer = run->buffers[access->tensor], .type = tensor->type};
  for (int a = 0; a < tensor->naxes; a++) {
    const sc_index *index = &access->axis[a];
    const table *t = &run->table[number][a];
    int64_t x = index->offset - t->lowest, step = 0;
    for (int i = 0; i < 2; i++) {
      if (index->dim[i] < 0) continue;
      if (index->dim[i] == run->inner) step = index->coef[i];
      else x += (int64_t)index->coef[i] * run->value[index->dim[i]];
    }
    if (step == 0) {
      w.base += t->share[x];
    } else {
      w.share[w.n] = t->share + x;
      w.step[w.n++] = step;
    }
  }
  return w;
}

static int64_t address_in(const row *w, int64_t v) {
  int64_t address = w->base;
  for (int i = 0; i < w->n; i++) address += w->share[i][v * w->step[i]];
  return address;
}

/* ---- statements ---- */

/* Outside its tensor an operand is 0. */
static inline sc_number load(const row *w, int64_t v) {
  int64_t address = address_in(w, v);
  return address < 0 ? (sc_number){.i = 0} : sc_number_load(w->buffer, w->type, address); /* 0 is also 0.0f */
}

/* Adds the products along the innermost reduction to the accumulator. */
static sc_number add_products(const runner *run, sc_number acc) {
  row a = row_of(run, 1), b = row_of(run, 2);
  int64_t n = run->inner < 0 ? 1 : run->task->dim[run->inner].size;
  bool floats = sc_is_float(a.type);
  if (floats) /* apart, so that the sum stays in a register */
    for (int64_t v = 0; v < n; v++) acc.f += load(&a, v).f * load(&b, v).f;
  else
    for (int64_t v = 0; v < n; v++) acc = sc_number_fma(false, acc, load(&a, v), load(&b, v));
  return acc;
}

/* An epilogue's value at the current point; the result's own value is still the accumulator. */
static sc_number evaluate(const runner *run, const sc_stmt *stmt, sc_number acc) {
  sc_number stack[SC_MAX_EXPR];
  int top = 0;
  bool floats = sc_is_float(run->task->tensor[0].type);
  for (int i = 0; i < stmt->nexpr; i++) {
    const sc_expr *node = &stmt->expr[i];
    if (node->kind == SC_EXPR_CONST) {
      stack[top++] = floats ? (sc_number){.f = node->value} : (sc_number){.i = (int32_t)node->value};
    } else if (node->kind == SC_EXPR_ACCESS) {
      row w = row_of(run, node->access); /* an epilogue has no reduction dims */
      stack[top++] = node->access == stmt->lhs ? acc : load(&w, 0);
    } else {
      top--;
      stack[top - 1] = sc_number_apply(floats, node->kind, stack[top - 1], stack[top]);
    }
  }
  return stack[0];
}

/* ---- loops ---- */

/* Steps the dims in `dims`, the last one fastest; false after the last point, where all are 0 again. */
static bool step(runner *run, unsigned dims) {
  for (int d = run->task->ndims - 1; d >= 0; d--) {
    if (!(dims >> d & 1)) continue;
    if (++run->value[d] < run->task->dim[d].size) return true;
    run->value[d] = 0;
  }
  return false;
}

static void run_point(runner *run, unsigned outer_reductions) {
  const sc_task *task = run->task;
  row result = row_of(run, 0);
  sc_number acc = {.i = 0};
  if (task->tensor[task->access[0].tensor].role == SC_INOUT) acc = load(&result, 0);
  do acc = add_products(run, acc);
  while (step(run, outer_reductions));
  for (int i = 1; i < task->nstmts; i++) acc = evaluate(run, &task->stmt[i], acc);
  sc_number_store(run->buffers[task->access[0].tensor], result.type, result.base, acc);
}

sc_status sc_run_operator(const sc_task *task, void *const *buffers, sc_error *err) {
  runner run = {.task = task, .buffers = buffers, .inner = -1};
  unsigned all = (1u << task->ndims) - 1, reductions = task->reduce;
  for (int d = 0; d < task->ndims; d++)
    if (task->dim[d].reduce && task->dim[d].size > 1) run.inner = d;
  if (!make_tables(&run)) {
    free_tables(&run);
    return sc_fail(err, SC_NOMEM, "out of memory");
  }
  if (run.inner >= 0) reductions &= ~(1u << run.inner);
  do run_point(&run, reductions);
  while (step(&run, all & ~(unsigned)task->reduce));
  free_tables(&run);
  return SC_OK;
}
