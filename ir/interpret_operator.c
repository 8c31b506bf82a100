/* What an operator means: every point of the free dims, every point of the reductions, logical indices, no schedule.
 * It shares no address arithmetic with the nest interpreter or the code generator.
 *
 * Floats accumulate in f32 and round once, when the result is stored; integers accumulate in i32, modulo 2^32, and are
 * clamped to the result's type when stored. Outside its tensor an operand is 0.
 *
 * An address is a sum over axes, so each axis of each access has a table from its index to its share; a large negative
 * share marks what is outside. Then the innermost reduction is a walk along tables. */
#include <stdlib.h>
#include <string.h>

#include "ir/operator.h"

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

/* ---- values ---- */

/* A value of either class; the task's tensors are all of one. */
typedef union number {
  float f;
  int32_t i;
} number;

static bool is_float(const sc_task *task) { return task->tensor[0].type == SC_F32 || task->tensor[0].type == SC_F16; }

static float load_float(const void *buffer, sc_type type, int64_t address) {
  if (address < 0) return 0;
  return type == SC_F32 ? ((const float *)buffer)[address] : sc_f16_to_f32(((const uint16_t *)buffer)[address]);
}

static int32_t load_int(const void *buffer, sc_type type, int64_t address) {
  if (address < 0) return 0;
  switch (type) {
  case SC_I8: return ((const int8_t *)buffer)[address];
  case SC_U8: return ((const uint8_t *)buffer)[address];
  default: return ((const int32_t *)buffer)[address];
  }
}

static int32_t clamp(int32_t x, int32_t lo, int32_t hi) { return x < lo ? lo : x > hi ? hi : x; }

static void store(const sc_tensor *tensor, void *buffer, int64_t address, number x) {
  switch (tensor->type) {
  case SC_F32: ((float *)buffer)[address] = x.f; break;
  case SC_F16: ((uint16_t *)buffer)[address] = sc_f32_to_f16(x.f); break;
  case SC_I8: ((int8_t *)buffer)[address] = (int8_t)clamp(x.i, -128, 127); break;
  case SC_U8: ((uint8_t *)buffer)[address] = (uint8_t)clamp(x.i, 0, 255); break;
  default: ((int32_t *)buffer)[address] = x.i; break;
  }
}

static int32_t wrap(uint32_t x) {
  int32_t value;
  memcpy(&value, &x, sizeof value);
  return value;
}

/* ---- statements ---- */

static number load(const runner *run, int access, int64_t address) {
  const sc_tensor *tensor = &run->task->tensor[run->task->access[access].tensor];
  const void *buffer = run->buffers[run->task->access[access].tensor];
  if (is_float(run->task)) return (number){.f = load_float(buffer, tensor->type, address)};
  return (number){.i = load_int(buffer, tensor->type, address)};
}

/* Adds the products along the innermost reduction to the accumulator. */
static void add_products(const runner *run, number *acc) {
  row a = row_of(run, 1), b = row_of(run, 2);
  int64_t n = run->inner < 0 ? 1 : run->task->dim[run->inner].size;
  if (is_float(run->task)) {
    float sum = acc->f;
    for (int64_t v = 0; v < n; v++)
      sum += load_float(a.buffer, a.type, address_in(&a, v)) * load_float(b.buffer, b.type, address_in(&b, v));
    acc->f = sum;
  } else {
    uint32_t sum = (uint32_t)acc->i;
    for (int64_t v = 0; v < n; v++)
      sum += (uint32_t)load_int(a.buffer, a.type, address_in(&a, v)) *
             (uint32_t)load_int(b.buffer, b.type, address_in(&b, v));
    acc->i = wrap(sum);
  }
}

static float apply_float(int kind, float a, float b) {
  switch (kind) {
  case SC_EXPR_ADD: return a + b;
  case SC_EXPR_SUB: return a - b;
  case SC_EXPR_MUL: return a * b;
  case SC_EXPR_MAX: return a > b ? a : b;
  default: return a < b ? a : b;
  }
}

static int32_t apply_int(int kind, int32_t a, int32_t b) {
  switch (kind) {
  case SC_EXPR_ADD: return wrap((uint32_t)a + (uint32_t)b);
  case SC_EXPR_SUB: return wrap((uint32_t)a - (uint32_t)b);
  case SC_EXPR_MUL: return wrap((uint32_t)a * (uint32_t)b);
  case SC_EXPR_MAX: return a > b ? a : b;
  default: return a < b ? a : b;
  }
}

/* An epilogue's value at the current point; the result's own value is still the accumulator. */
static number evaluate(const runner *run, const sc_stmt *stmt, number acc) {
  number stack[SC_MAX_EXPR];
  int top = 0;
  bool floats = is_float(run->task);
  for (int i = 0; i < stmt->nexpr; i++) {
    const sc_expr *node = &stmt->expr[i];
    if (node->kind == SC_EXPR_CONST) {
      if (floats) stack[top++].f = node->value;
      else stack[top++].i = (int32_t)node->value;
    } else if (node->kind == SC_EXPR_ACCESS) {
      row w = row_of(run, node->access); /* an epilogue has no reduction dims */
      stack[top++] = node->access == stmt->lhs ? acc : load(run, node->access, w.base);
    } else {
      number a = stack[top - 2], b = stack[top - 1];
      if (floats) stack[top - 2].f = apply_float(node->kind, a.f, b.f);
      else stack[top - 2].i = apply_int(node->kind, a.i, b.i);
      top--;
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
  const sc_tensor *result = &task->tensor[task->access[0].tensor];
  int64_t address = row_of(run, 0).base;
  number acc = {0};
  if (result->role == SC_INOUT) acc = load(run, 0, address);
  do add_products(run, &acc);
  while (step(run, outer_reductions));
  for (int i = 1; i < task->nstmts; i++) acc = evaluate(run, &task->stmt[i], acc);
  store(result, run->buffers[task->access[0].tensor], address, acc);
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
