/* A kernel as one C function:
 *   [free loop] { accumulators begin; reduction loops { products }; accumulators end }
 * Every accumulator is a variable of its own (arrays cost up to three times below -O3), and pointers step along the loops. */
#include "codegen/internal.h"

static bool depends(const emitter *e, int operand, int loop) {
  return sc_plan_operand(e->kernel, operand)->dims >> e->kernel->kloop[loop] & 1;
}

static bool is_written(int operand) { return operand == 0 || operand == SC_OPERAND_PARTIAL; }

/* Calls f for every operand of the kernel. */
static void each_operand(emitter *e, void (*f)(emitter *, int, int), int loop) {
  for (int i = 0; i < e->kernel->noperands; i++) f(e, i, loop);
  if (e->kernel->buffered) f(e, SC_OPERAND_PARTIAL, loop);
}

/* Where a border drops all taps but one, nothing steps along them. */
static bool reads_slot(const emitter *e, int operand, int d) {
  if (operand != 1 && operand != 2) return true;
  for (int i = 0; i < e->nvalues; i++)
    if (e->value[i].operand == operand && e->value[i].at.slot[d]) return true;
  return false;
}

static void unpack_args(emitter *e) {
  sc_line(e, "(void)p1, (void)p2, (void)a; /* borders may need none */");
  for (int i = 0; i < e->nargs; i++) {
    const sc_arg *a = &e->arg[i];
    switch ((sc_arg_kind)a->kind) {
    case SC_ARG_FLAGS: break; /* read where it is used */
    case SC_ARG_TRIPS: sc_line(e, "const int64_t n%d = a[%d];", a->loop, i); break;
    case SC_ARG_LOOP_STRIDE: sc_line(e, "const int64_t l%d_%d = a[%d];", a->operand, a->loop, i); break;
    case SC_ARG_SLOT:
      if (reads_slot(e, a->operand, a->dim)) sc_line(e, "const int64_t s%d_%d = a[%d];", a->operand, a->dim, i);
      break;
    case SC_ARG_POINTER:
      sc_line(e, "%sfloat *restrict p%d = (%sfloat *)(intptr_t)a[%d];", is_written(a->operand) ? "" : "const ",
              a->operand, is_written(a->operand) ? "" : "const ", i);
      break;
    }
  }
}

/* Inside loop x every operand that depends on it has a pointer of its own. */
static void enter_pointer(emitter *e, int operand, int x) {
  if (!depends(e, operand, x)) return;
  sc_add_indent(e);
  sc_str_printf(e->out, "%sfloat *p%d_%d = ", is_written(operand) ? "" : "const ", operand, x);
  sc_add_address(e, operand, &(offset){0});
  sc_str_add(e->out, ";\n");
  e->level[operand] = x;
}

static void step_pointer(emitter *e, int operand, int x) {
  if (depends(e, operand, x)) sc_line(e, "p%d_%d += l%d_%d;", operand, x, operand, x);
}

static void leave_pointer(emitter *e, int operand, int x) {
  if (e->level[operand] != x) return;
  e->level[operand] = -1;
  for (int y = 0; y < x; y++)
    if (depends(e, operand, y)) e->level[operand] = y;
}

static void emit_loops(emitter *e, int x);

/* Everything inside the free loop, or the whole kernel where there is none. */
static void emit_tile(emitter *e, int x) {
  sc_store_begin(e);
  emit_loops(e, x);
  sc_store_end(e);
}

static void emit_trip(emitter *e, int x) {
  if (x == 0 && e->kernel->free_kloop) emit_tile(e, 1);
  else emit_loops(e, x + 1);
  each_operand(e, step_pointer, x);
}

/* Loop x and all inside it; behind the last loop, the products. */
static void emit_loops(emitter *e, int x) {
  const sc_kernel *k = e->kernel;
  if (x == k->nkloops) {
    sc_body_emit(e);
    return;
  }
  int unroll = x == k->nkloops - 1 ? k->unroll : 1;
  sc_open(e, "{");
  each_operand(e, enter_pointer, x);
  sc_line(e, "int64_t i%d = n%d;", x, x);
  if (unroll > 1) {
    sc_open(e, "for (; i%d >= %d; i%d -= %d) {", x, unroll, x, unroll);
    for (int u = 0; u < unroll; u++) {
      sc_open(e, "{");
      emit_trip(e, x);
      sc_close(e);
    }
    sc_close(e);
  }
  sc_open(e, "for (; i%d > 0; i%d--) {", x, x);
  emit_trip(e, x);
  sc_close(e);
  each_operand(e, leave_pointer, x);
  sc_close(e);
}

static sc_status emit(emitter *e, const char *linkage, sc_error *err) {
  const sc_kernel *k = e->kernel;
  char name[32];
  SC_TRY(sc_plan_kernel(e, err));
  sc_body_plan(e);
  sc_kernel_symbol(k, name);
  sc_str_printf(
      e->out,
      "%svoid %s(float *restrict p0, const float *restrict p1, const float *restrict p2, const int64_t *restrict a)\n",
      linkage, name);
  sc_open(e, "{");
  unpack_args(e);
  sc_body_hoist(e);
  if (k->free_kloop) emit_loops(e, 0);
  else emit_tile(e, 0);
  sc_close(e);
  return e->out->failed ? sc_fail(err, SC_NOMEM, "out of memory") : SC_OK;
}

sc_status sc_emit_kernel(const sc_kernel *kernel, const char *linkage, sc_str *out, sc_error *err) {
  if (kernel->type != SC_F32)
    return sc_fail(err, SC_UNSUPPORTED, "code is generated for f32, not %s", sc_type_name(kernel->type));
  for (int i = 0; i < kernel->noperands; i++)
    if (kernel->operand_type[i] != SC_F32)
      return sc_fail(err, SC_UNSUPPORTED, "code is generated for f32, not %s", sc_type_name(kernel->operand_type[i]));
  emitter e = {.kernel = kernel, .out = out, .arena = sc_arena_new()};
  if (!e.arena) return sc_fail(err, SC_NOMEM, "out of memory");
  for (size_t i = 0; i < SC_COUNT_OF(e.level); i++) e.level[i] = -1;
  sc_status status = emit(&e, linkage, err);
  sc_arena_free(e.arena);
  return status;
}
