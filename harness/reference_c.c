/* The plain loops of a task as C: the free dims, the reductions, and innermost the free dim along which the result
 * is contiguous, so that a compiler vectorises it. Only for float tasks; sums are exact on the small integers they
 * run on, so the order does not matter. Ten times as fast as the operator interpreter, against which the tests check
 * it. */
#include <inttypes.h>

#include "harness/internal.h"

/* x of one axis as an expression in d0, d1, ... */
static void emit_index(const sc_index *index, sc_str *out) {
  sc_str_printf(out, "(%" PRId32, index->offset);
  for (int i = 0; i < 2; i++)
    if (index->dim[i] >= 0) sc_str_printf(out, " + %" PRId32 " * d%d", index->coef[i], index->dim[i]);
  sc_str_add(out, ")");
}

static void emit_element(const sc_task *task, int number, sc_str *out) {
  const sc_access *access = &task->access[number];
  const sc_tensor *tensor = &task->tensor[access->tensor];
  sc_str_printf(out, "t%d[0", access->tensor);
  for (int a = 0; a < tensor->naxes; a++) {
    int block = tensor->layout.block[a];
    sc_str_add(out, " + ");
    emit_index(&access->axis[a], out);
    if (!block) {
      sc_str_printf(out, " * %" PRId64 "L", access->inner_stride[a]);
      continue;
    }
    sc_str_printf(out, " / %d * %" PRId64 "L + ", block, access->outer_stride[a]);
    emit_index(&access->axis[a], out);
    sc_str_printf(out, " %% %d * %" PRId64 "L", block, access->inner_stride[a]);
  }
  sc_str_add(out, "]");
}

/* The conditions under which an operand lies inside its tensor, as far as they do (`on`) or do not hang on dim v. */
static void emit_inside(const sc_task *task, int v, bool on, sc_str *out) {
  sc_str_add(out, "1");
  for (int p = 0; p < task->npads; p++) {
    const sc_pad *pad = &task->pad[p];
    const sc_index *index = &task->access[pad->access].axis[pad->axis];
    if (on != (index->dim[0] == v || index->dim[1] == v)) continue;
    sc_str_add(out, " && ");
    emit_index(index, out);
    sc_str_add(out, " >= 0 && ");
    emit_index(index, out);
    sc_str_printf(out, " < %" PRId32, pad->size);
  }
}

static void emit_loop(const sc_task *task, int d, sc_str *out) {
  sc_str_printf(out, "for (long d%d = 0; d%d < %" PRId32 "; d%d++) ", d, d, task->dim[d].size, d);
}

/* Loops over the free dims (`reduce` false) or the reductions, less dim v. */
static void emit_loops(const sc_task *task, bool reduce, int v, sc_str *out) {
  for (int d = 0; d < task->ndims; d++)
    if (task->dim[d].reduce == reduce && d != v) emit_loop(task, d, out);
}

/* The free dim along which the result's elements are neighbours; else the last one. */
static int inner_dim(const sc_task *task) {
  int last = -1;
  for (int d = 0; d < task->ndims; d++) {
    if (task->dim[d].reduce) continue;
    if (task->access[0].stride[d] == 1 && task->dim[d].size > 1) return d;
    last = d;
  }
  return last;
}

static void emit_epilogue(const sc_task *task, const sc_stmt *stmt, sc_str *out) {
  static const char sign[] = {[SC_EXPR_ADD] = '+', [SC_EXPR_SUB] = '-', [SC_EXPR_MUL] = '*'};
  int top = 0;
  for (int i = 0; i < stmt->nexpr; i++) {
    const sc_expr *e = &stmt->expr[i];
    if (e->kind == SC_EXPR_CONST || e->kind == SC_EXPR_ACCESS) {
      sc_str_printf(out, "s%d = ", top++);
      if (e->kind == SC_EXPR_CONST) sc_str_printf(out, "%af", (double)e->value);
      else emit_element(task, e->access, out);
      sc_str_add(out, "; ");
      continue;
    }
    top--;
    if (e->kind == SC_EXPR_MAX || e->kind == SC_EXPR_MIN)
      sc_str_printf(out, "s%d = s%d %c s%d ? s%d : s%d; ", top - 1, top - 1, e->kind == SC_EXPR_MAX ? '>' : '<', top,
                    top - 1, top);
    else sc_str_printf(out, "s%d = s%d %c s%d; ", top - 1, top - 1, sign[e->kind], top);
  }
  emit_element(task, stmt->lhs, out);
  sc_str_add(out, " = s0; ");
}

static bool all_floats(const sc_task *task) {
  for (int t = 0; t < task->ntensors; t++)
    if (task->tensor[t].type != SC_F32) return false;
  return true;
}

sc_status sc_emit_reference(const sc_task *task, sc_str *out, sc_error *err) {
  if (!all_floats(task)) return sc_fail(err, SC_UNSUPPORTED, "plain loops are made for f32 only");
  int v = inner_dim(task), result = task->access[0].tensor;
  sc_str_add(out, "void sc_reference(void *const *tensors) {\n");
  for (int t = 0; t < task->ntensors; t++)
    sc_str_printf(out, "  %sfloat *restrict t%d = tensors[%d];\n", t == result ? "" : "const ", t, t);
  if (task->tensor[result].role == SC_OUT) {
    sc_str_add(out, "  ");
    emit_loops(task, false, -1, out);
    emit_element(task, 0, out);
    sc_str_add(out, " = 0;\n");
  }
  sc_str_add(out, "  ");
  emit_loops(task, false, v, out);
  emit_loops(task, true, v, out);
  sc_str_add(out, "\n    if (");
  emit_inside(task, v, false, out);
  sc_str_add(out, ") ");
  if (v >= 0) emit_loop(task, v, out);
  sc_str_add(out, "if (");
  emit_inside(task, v, true, out);
  sc_str_add(out, ") ");
  emit_element(task, 0, out);
  sc_str_add(out, " += ");
  emit_element(task, 1, out);
  sc_str_add(out, " * ");
  emit_element(task, 2, out);
  sc_str_add(out, ";\n");
  for (int s = 1; s < task->nstmts; s++) {
    sc_str_add(out, "  ");
    emit_loops(task, false, -1, out);
    sc_str_add(out, "{ float s0, s1, s2, s3, s4, s5; ");
    emit_epilogue(task, &task->stmt[s], out);
    sc_str_add(out, "}\n");
  }
  sc_str_add(out, "}\n");
  return out->failed ? sc_fail(err, SC_NOMEM, "out of memory") : SC_OK;
}
