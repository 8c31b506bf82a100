/* How accumulators begin (zero, partial sums, or the output's old value) and end (partial sums, or the epilogue and the
 * output). FIRST and LAST are run-time flags. */
#include <math.h>

#include "codegen/internal.h"

static coord coord_of(const emitter *e, int acc) {
  coord at = e->elem[acc / e->npieces];
  if (e->kernel->vector_dim != 255) at.at[e->kernel->vector_dim] = e->piece[acc % e->npieces].at;
  return at;
}

static int naccs(const emitter *e) { return e->nelems * e->npieces; }

/* Address of lane `lane` of an accumulator's place in operand `index`. */
static void add_lane_address(emitter *e, int acc, int index, int lane) {
  const sc_operand *o = sc_plan_operand(e->kernel, index);
  coord at = coord_of(e, acc);
  if (lane) at.at[e->kernel->vector_dim] = (int16_t)(at.at[e->kernel->vector_dim] + lane);
  offset where = sc_plan_offset(e->kernel, o, &at);
  sc_add_address(e, index, &where);
}

/* "SC_LOAD16(...)", or lane by lane where the vector dim is not contiguous, or a broadcast where it is absent. */
static void add_load(emitter *e, int acc, int index) {
  const sc_operand *o = sc_plan_operand(e->kernel, index);
  int lanes = e->piece[acc % e->npieces].lanes;
  if (o->strided && lanes > 1) {
    sc_str_printf(e->out, "(sc_v%d){", lanes);
    for (int i = 0; i < lanes; i++) {
      sc_str_add(e->out, i ? ", *(" : "*(");
      add_lane_address(e, acc, index, i);
      sc_str_add(e->out, ")");
    }
    sc_str_add(e->out, "}");
    return;
  }
  sc_str_printf(e->out, o->vector ? "SC_LOAD%d(" : "SC_DUP%d(*(", lanes);
  add_lane_address(e, acc, index, 0);
  sc_str_add(e->out, o->vector ? ")" : "))");
}

static void store(emitter *e, int acc, int index) {
  const sc_operand *o = sc_plan_operand(e->kernel, index);
  int lanes = e->piece[acc % e->npieces].lanes;
  if (!o->strided || lanes == 1) {
    sc_add_indent(e);
    sc_str_printf(e->out, "SC_STORE%d(", lanes);
    add_lane_address(e, acc, index, 0);
    sc_str_printf(e->out, ", c%d);\n", acc);
    return;
  }
  sc_open(e, "{");
  sc_line(e, "float lane[%d];", lanes);
  sc_line(e, "SC_STORE%d(lane, c%d);", lanes, acc);
  for (int i = 0; i < lanes; i++) {
    sc_add_indent(e);
    sc_str_add(e->out, "*(");
    add_lane_address(e, acc, index, i);
    sc_str_printf(e->out, ") = lane[%d];\n", i);
  }
  sc_close(e);
}

static void zero_all(emitter *e) {
  for (int acc = 0; acc < naccs(e); acc++) sc_line(e, "c%d = SC_DUP%d(0.0f);", acc, e->piece[acc % e->npieces].lanes);
}

static void add_all(emitter *e, int index) {
  for (int acc = 0; acc < naccs(e); acc++) {
    sc_add_indent(e);
    sc_str_printf(e->out, "c%d += ", acc);
    add_load(e, acc, index);
    sc_str_add(e->out, ";\n");
  }
}

void sc_store_begin(emitter *e) {
  for (int acc = 0; acc < naccs(e); acc++) sc_line(e, "sc_v%d c%d;", e->piece[acc % e->npieces].lanes, acc);
  zero_all(e);
}

static void add_before(emitter *e) {
  const sc_kernel *k = e->kernel;
  if (k->inout && !k->buffered) {
    add_all(e, 0);
    return;
  }
  sc_open(e, k->inout ? "if (a[0] & %d) {" : "if (!(a[0] & %d)) {", SC_KERNEL_FIRST);
  if (k->inout) {
    add_all(e, 0);
    e->indent--;
    sc_open(e, "} else {");
  }
  add_all(e, k->buffered ? SC_OPERAND_PARTIAL : 0);
  sc_close(e);
}

/* ---- epilogue ---- */

static void add_constant(emitter *e, float x, int lanes) {
  sc_str_printf(e->out, "SC_DUP%d(", lanes);
  if (isfinite(x)) sc_str_printf(e->out, "%af", (double)x);
  else sc_str_add(e->out, isnan(x) ? "__builtin_nanf(\"\")" : x > 0 ? "__builtin_inff()" : "-__builtin_inff()");
  sc_str_add(e->out, ")");
}

static void add_operation(emitter *e, uint8_t kind, int x, int y, int lanes) {
  if (kind == SC_EXPR_MAX || kind == SC_EXPR_MIN)
    sc_str_printf(e->out, "SC_%s%d(t%d, t%d)", kind == SC_EXPR_MAX ? "MAX" : "MIN", lanes, x, y);
  else sc_str_printf(e->out, "t%d %c t%d", x, kind == SC_EXPR_ADD ? '+' : kind == SC_EXPR_SUB ? '-' : '*', y);
}

/* Runs the postfix program on one accumulator: step i makes t<i>. */
static void epilogue(emitter *e, int acc) {
  const sc_kernel *k = e->kernel;
  int stack[SC_MAX_EPILOGUE], depth = 0, lanes = e->piece[acc % e->npieces].lanes;
  sc_open(e, "{");
  for (int i = 0; i < k->nepilogue; i++) {
    const sc_expr *x = &k->epilogue[i];
    sc_add_indent(e);
    sc_str_printf(e->out, "const sc_v%d t%d = ", lanes, i);
    if (x->kind == SC_EXPR_CONST) {
      add_constant(e, x->value, lanes);
    } else if (x->kind == SC_EXPR_ACCESS) {
      if (x->access == 0) sc_str_printf(e->out, "c%d", acc);
      else add_load(e, acc, x->access);
    } else {
      SC_ASSERT(depth >= 2);
      add_operation(e, x->kind, stack[depth - 2], stack[depth - 1], lanes);
      depth -= 2;
    }
    sc_str_add(e->out, ";\n");
    stack[depth++] = i;
  }
  SC_ASSERT(depth == 1);
  sc_line(e, "c%d = t%d;", acc, stack[0]);
  sc_close(e);
}

static void store_all(emitter *e, int index) {
  for (int acc = 0; acc < naccs(e); acc++) store(e, acc, index);
}

void sc_store_end(emitter *e) {
  const sc_kernel *k = e->kernel;
  add_before(e);
  if (!k->buffered && !k->nepilogue) {
    store_all(e, 0);
    return;
  }
  sc_open(e, "if (a[0] & %d) {", SC_KERNEL_LAST);
  for (int acc = 0; k->nepilogue && acc < naccs(e); acc++) epilogue(e, acc);
  if (k->buffered) store_all(e, 0);
  if (k->buffered) {
    e->indent--;
    sc_open(e, "} else {");
    store_all(e, SC_OPERAND_PARTIAL);
  }
  sc_close(e);
  if (!k->buffered) store_all(e, 0);
}
