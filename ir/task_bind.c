/* Puts numbers into an operator: the dims, tensors, accesses, statements and padded axes of a task, before merging.
 * What can go wrong only with numbers is found here; errors point into the task's text. */
#include <string.h>

#include "ir/operator.h"

typedef struct binder {
  sc_reader *r;
  const sc_binding *b;
  const sc_operator *op;
  sc_task *task;
  int8_t tensor_of[SC_OP_TENSORS]; /* task tensor by operator tensor, -1 = not used by this variant */
  int8_t access_of[SC_OP_ACCESSES];
} binder;

/* All of these errors belong to the task as a whole: they point at its operator's name. */
#define FAIL(x, status, ...) sc_reader_fail_at((x)->r, &(x)->b->head, status, __VA_ARGS__)

static bool is_chosen(const binder *x, int alternative) {
  if (alternative < 0) return true;
  const sc_op_alternative *a = &x->op->alternative[alternative];
  return x->b->value[a->param] == alternative - x->op->param[a->param].first;
}

static int32_t evaluate(binder *x, const sc_size *size, int64_t least, int64_t most, const char *what,
                        const char *name) {
  int64_t value = least;
  if (!sc_size_eval(size, x->b->value, &value))
    FAIL(x, SC_ILLEGAL, "%s of '%s' cannot be computed: a division by zero or an overflow", what, name);
  else if (value < least || value > most)
    FAIL(x, value < least ? SC_ILLEGAL : SC_LIMIT, "%s of '%s' is %lld, expected %lld to %lld", what, name,
         (long long)value, (long long)least, (long long)most);
  return (int32_t)value;
}

static void bind_dims(binder *x) {
  sc_task *task = x->task;
  double iterations = 1;
  for (int d = 0; d < x->op->ndims; d++) {
    sc_dim *dim = &task->dim[task->ndims++];
    memcpy(dim->name, x->op->dim[d].name, SC_NAME);
    dim->reduce = x->op->dim[d].reduce;
    dim->size = evaluate(x, &x->op->dim[d].size, 1, SC_OP_MAX_SIZE, "the size", dim->name);
    if (dim->reduce) task->reduce |= (uint16_t)(1u << d);
    iterations *= dim->size;
  }
  if (iterations > 0x1p50) FAIL(x, SC_LIMIT, "the task has %.3g multiplications, at most 2^50 are allowed", iterations);
  task->flop = 2 * iterations;
}

/* ---- tensors ---- */

static void mark_tensors(binder *x, const sc_op_stmt *stmt) {
  x->tensor_of[x->op->access[stmt->lhs].tensor] = 0;
  for (int i = 0; i < stmt->nexpr; i++)
    if (stmt->expr[i].kind == SC_EXPR_ACCESS) x->tensor_of[x->op->access[stmt->expr[i].access].tensor] = 0;
}

static void bind_tensor(binder *x, int number) {
  const sc_op_tensor *from = &x->op->tensor[number];
  sc_tensor *to = &x->task->tensor[x->task->ntensors];
  x->tensor_of[number] = (int8_t)x->task->ntensors++;
  *to = (sc_tensor){
      .type = from->type, .role = from->role, .constant = from->constant, .naxes = from->naxes, .layout = from->layout};
  memcpy(to->name, from->name, SC_NAME);
  for (int a = 0; a < from->naxes; a++)
    to->shape[a] = evaluate(x, &from->size[a], 1, SC_OP_MAX_SIZE, "an axis", from->name);
  for (int i = 0; i < x->op->nsettings; i++) {
    const sc_op_setting *set = &x->op->setting[i];
    if (set->tensor != number || !is_chosen(x, set->alternative)) continue;
    if (set->has_type) to->type = set->type;
    if (set->has_layout) to->layout = set->layout;
    to->constant |= set->constant;
  }
  if (!sc_tensor_measure(to)) FAIL(x, SC_LIMIT, "tensor '%s' has more than 2^40 elements", to->name);
}

static void bind_tensors(binder *x) {
  memset(x->tensor_of, -1, sizeof x->tensor_of);
  for (int i = 0; i < x->op->nstmts; i++)
    if (is_chosen(x, x->op->stmt[i].alternative)) mark_tensors(x, &x->op->stmt[i]);
  for (int i = 0; i < x->op->ntensors; i++) {
    if (x->tensor_of[i] < 0) continue;
    if (x->task->ntensors == SC_MAX_TENSORS) FAIL(x, SC_LIMIT, "a task has at most %d tensors", SC_MAX_TENSORS);
    else bind_tensor(x, i);
  }
}

/* ---- accesses ---- */

static void bind_index(binder *x, const sc_op_index *from, const char *tensor, sc_index *to) {
  int64_t offset = 0;
  *to = (sc_index){.dim = {-1, -1}};
  for (int t = 0; t < from->nterms; t++) {
    const sc_op_term *term = &from->term[t];
    if (term->dim < 0) {
      int64_t value = evaluate(x, &term->factor, 0, SC_OP_MAX_REACH, "an offset", tensor);
      offset += term->minus ? -value : value;
      continue;
    }
    /* free first; a lone reduction dim is the first */
    int place = x->op->dim[term->dim].reduce && to->dim[0] >= 0 ? 1 : 0;
    if (place == 0 && to->dim[0] >= 0) {
      to->dim[1] = to->dim[0];
      to->coef[1] = to->coef[0];
    }
    to->dim[place] = term->dim;
    to->coef[place] = evaluate(x, &term->factor, 1, SC_OP_MAX_REACH, "a factor", tensor);
  }
  if (offset < -SC_OP_MAX_REACH || offset > SC_OP_MAX_REACH)
    FAIL(x, SC_LIMIT, "an offset of '%s' is %lld, expected at most %lld", tensor, (long long)offset,
         (long long)SC_OP_MAX_REACH);
  else to->offset = (int32_t)offset;
}

static uint8_t new_access(binder *x, int number) {
  const sc_op_access *from = &x->op->access[number];
  sc_task *task = x->task;
  if (task->naccesses == SC_MAX_ACCESSES) {
    FAIL(x, SC_LIMIT, "a task has at most %d accesses", SC_MAX_ACCESSES);
    return 0;
  }
  sc_access *to = &task->access[task->naccesses];
  to->tensor = (uint8_t)x->tensor_of[from->tensor];
  for (int a = 0; a < SC_MAX_AXES; a++) to->axis[a] = (sc_index){.dim = {-1, -1}};
  for (int a = 0; a < task->tensor[to->tensor].naxes; a++)
    bind_index(x, &from->index[a], task->tensor[to->tensor].name, &to->axis[a]);
  x->access_of[number] = (int8_t)task->naccesses;
  return task->naccesses++;
}

/* Later statements share accesses with the first and each other. */
static uint8_t access_of(binder *x, int number) {
  return x->access_of[number] >= 0 ? (uint8_t)x->access_of[number] : new_access(x, number);
}

static void bind_contraction(binder *x, const sc_op_stmt *from) {
  sc_stmt *to = &x->task->stmt[x->task->nstmts++];
  *to = (sc_stmt){.lhs = new_access(x, from->lhs), .update = SC_ADD_TO, .nexpr = 3};
  to->expr[0] = (sc_expr){.kind = SC_EXPR_ACCESS, .access = new_access(x, from->expr[0].access)};
  to->expr[1] =
      (sc_expr){.kind = SC_EXPR_ACCESS, .access = new_access(x, from->expr[1].access)}; /* its own, also in A*A */
  to->expr[2] = (sc_expr){.kind = SC_EXPR_MUL};
}

/* `y += e` becomes `y = y + e`: equal work, equal bytes. */
static void bind_epilogue(binder *x, const sc_op_stmt *from) {
  sc_task *task = x->task;
  bool adds = from->update == SC_ADD_TO;
  if (task->nstmts == SC_MAX_STMTS || from->nexpr + 2 * adds > SC_MAX_EXPR) {
    FAIL(x, SC_LIMIT, "a task has at most %d statements of at most %d values and operations", SC_MAX_STMTS,
         SC_MAX_EXPR);
    return;
  }
  sc_stmt *to = &task->stmt[task->nstmts++];
  *to = (sc_stmt){.lhs = access_of(x, from->lhs), .update = SC_ASSIGN};
  if (adds) to->expr[to->nexpr++] = (sc_expr){.kind = SC_EXPR_ACCESS, .access = to->lhs};
  for (int i = 0; i < from->nexpr; i++) {
    sc_expr node = from->expr[i];
    if (node.kind == SC_EXPR_ACCESS) node.access = access_of(x, node.access);
    to->expr[to->nexpr++] = node;
  }
  if (adds) to->expr[to->nexpr++] = (sc_expr){.kind = SC_EXPR_ADD};
}

static void bind_statements(binder *x) {
  memset(x->access_of, -1, sizeof x->access_of);
  bind_contraction(x, &x->op->stmt[0]);
  for (int i = 1; i < x->op->nstmts && x->r->status == SC_OK; i++)
    if (is_chosen(x, x->op->stmt[i].alternative)) bind_epilogue(x, &x->op->stmt[i]);
}

/* ---- what only numbers show ---- */

static bool is_i32(float value) { return value >= -0x1p31f && value < 0x1p31f && value == (float)(int32_t)value; }

/* Floats with floats, integers with integers: there is no conversion between them inside an operator. */
static void check_types(binder *x) {
  const sc_task *task = x->task;
  const sc_tensor *out = &task->tensor[task->access[0].tensor];
  for (int i = 1; i < task->ntensors; i++)
    if (sc_is_float(task->tensor[i].type) != sc_is_float(task->tensor[0].type))
      FAIL(x, SC_ILLEGAL, "'%s' is %s and '%s' is %s: floats and integers do not mix", task->tensor[0].name,
           sc_type_name(task->tensor[0].type), task->tensor[i].name, sc_type_name(task->tensor[i].type));
  for (int i = 1; i < task->nstmts && !sc_is_float(out->type); i++)
    for (int e = 0; e < task->stmt[i].nexpr; e++)
      if (task->stmt[i].expr[e].kind == SC_EXPR_CONST && !is_i32(task->stmt[i].expr[e].value))
        FAIL(x, SC_ILLEGAL, "the result '%s' is %s: %g is no such integer", out->name, sc_type_name(out->type),
             (double)task->stmt[i].expr[e].value);
}

static void bind_pad(binder *x, int access, int axis) {
  sc_task *task = x->task;
  const sc_index *index = &task->access[access].axis[axis];
  if (task->npads == SC_MAX_PADS) {
    FAIL(x, SC_LIMIT, "a task has at most %d padded axes", SC_MAX_PADS);
    return;
  }
  task->pad[task->npads++] = (sc_pad){.access = (uint8_t)access,
                                      .axis = (uint8_t)axis,
                                      .free = index->dim[0],
                                      .red = index->dim[1],
                                      .cf = index->coef[0],
                                      .cr = index->coef[1],
                                      .offset = index->offset,
                                      .size = task->tensor[task->access[access].tensor].shape[axis]};
}

static void check_axis(binder *x, int access, int axis) {
  sc_task *task = x->task;
  const sc_tensor *tensor = &task->tensor[task->access[access].tensor];
  const sc_index *index = &task->access[access].axis[axis];
  int64_t lo, hi, size = tensor->shape[axis];
  sc_index_range(task, index, &lo, &hi);
  bool bare = index->dim[0] >= 0 && index->dim[1] < 0 && index->coef[0] == 1 && index->offset == 0;
  if (bare && hi != size - 1)
    FAIL(x, SC_ILLEGAL, "axis %d of '%s' has %lld elements, and dim '%s' that walks it %d", axis, tensor->name,
         (long long)size, task->dim[index->dim[0]].name, task->dim[index->dim[0]].size);
  else if (hi < 0 || lo >= size)
    FAIL(x, SC_ILLEGAL, "axis %d of '%s' has indices 0 to %lld, and is read only outside, from %lld to %lld", axis,
         tensor->name, (long long)size - 1, (long long)lo, (long long)hi);
  else if (hi - size >= SC_OP_MAX_REACH)
    FAIL(x, SC_LIMIT, "axis %d of '%s' is read %lld elements behind its end, at most %lld are allowed", axis,
         tensor->name, (long long)(hi - size + 1), (long long)SC_OP_MAX_REACH);
  else if (lo < 0 || hi >= size) {
    if (index->dim[0] < 0 || task->dim[index->dim[0]].reduce)
      FAIL(x, SC_UNSUPPORTED, "axis %d of '%s' is read outside by no free dim", axis, tensor->name);
    else bind_pad(x, access, axis);
  }
}

void sc_task_bind(sc_reader *r, const sc_binding *binding, sc_task *task) {
  binder x = {.r = r, .b = binding, .op = binding->op, .task = task};
  memcpy(task->op, binding->op->name, SC_NAME);
  bind_dims(&x);
  bind_tensors(&x);
  if (r->status != SC_OK) return;
  bind_statements(&x);
  if (r->status != SC_OK) return;
  check_types(&x);
  for (int i = 0; i < task->naccesses; i++)
    for (int a = 0; a < task->tensor[task->access[i].tensor].naxes && r->status == SC_OK; a++) check_axis(&x, i, a);
}
