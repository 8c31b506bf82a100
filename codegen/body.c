/* The products of one pass over the register tile, in an order that compilers keep in registers.
 *
 * One input is held, the other streams: the held values of a group of taps are loaded first, then each streamed value
 * once, followed by all its products in the group. Held is the input with fewer values per tap (matmul: the vectors of
 * B, while the elements of A stream as broadcasts; depthwise: the weights, while inputs stream and serve all taps that
 * share them). A group is as many taps as have their held values fit beside the accumulators: all of them, else those
 * of one step of the outer reductions, at last single taps. Where the kernel is one free loop around a fixed set of
 * held values that fit, they are loaded before the loop. */
#include "codegen/internal.h"

/* Vector registers that every target of a kernel has, as its text is one for all: 16 lanes are for AVX-512, which has
 * 32, fewer also for SSE and AVX, which have 16. For NEON, with 32, groups are smaller than they could be. */
static int registers(const sc_kernel *k) { return k->lanes >= 16 ? 32 : 16; }

static bool both_vector(const sc_kernel *k) { return k->operand[1].vector && k->operand[2].vector; }

/* Streaming passes of a group: with two vector operands the pieces never meet and go one after the other. */
static int passes(const emitter *e) { return both_vector(e->kernel) ? e->npieces : 1; }

static bool in_pass(const emitter *e, const product *p, int pass) {
  return passes(e) == 1 || p->acc % e->npieces == pass;
}

/* The end of the group that product `from` starts: taps that agree in the first group_dims reductions. */
static int group_end(const emitter *e, int from, int group_dims) {
  int to = from;
  for (; to < e->nproducts; to++) {
    int dims = 0;
    for (int d = 0; d < e->kernel->ndims; d++) {
      if (!(e->kernel->reduce >> d & 1)) continue;
      if (dims++ == group_dims) break;
      if (e->tap[e->product[from].tap].at[d] != e->tap[e->product[to].tap].at[d]) return to;
    }
  }
  return to;
}

/* Distinct values of input `side` in products [from,to) of a pass. */
static int count_values(emitter *e, int side, int from, int to, int pass) {
  int n = 0;
  e->stamp++;
  for (int i = from; i < to; i++) {
    value *v = &e->value[e->product[i].value[side]];
    if (!in_pass(e, &e->product[i], pass) || v->stamp == e->stamp) continue;
    v->stamp = e->stamp;
    n++;
  }
  return n;
}

static int most_values(emitter *e, int side, int group_dims) {
  int most = 0;
  for (int from = 0, to; from < e->nproducts; from = to) {
    to = group_end(e, from, group_dims);
    for (int pass = 0; pass < passes(e); pass++) {
      int n = count_values(e, side, from, to, pass);
      if (n > most) most = n;
    }
  }
  return most;
}

void sc_body_plan(emitter *e) {
  const sc_kernel *k = e->kernel;
  int reductions = 0;
  for (int d = 0; d < k->ndims; d++) reductions += k->reduce >> d & 1;
  int narrow[2];
  for (int side = 0; side < 2; side++) narrow[side] = most_values(e, side, both_vector(k) ? 0 : reductions);
  e->held = narrow[1] < narrow[0] || (narrow[1] == narrow[0] && k->operand[2].vector);
  int room = registers(k) - e->nelems * e->npieces - 1;
  e->group_dims = 0;
  while (e->group_dims < reductions && most_values(e, e->held, e->group_dims) > room) e->group_dims++;
  bool fixed = k->free_kloop && k->nkloops == 1 && !(k->operand[e->held + 1].dims >> k->kloop[0] & 1);
  int all = 0;
  for (int i = 0; i < e->nvalues; i++) all += e->value[i].operand == e->held + 1;
  if (!fixed || all > room) return;
  for (int i = 0; i < e->nvalues; i++) e->value[i].hoisted = e->value[i].operand == e->held + 1;
}

static void load(emitter *e, int index) {
  const value *v = &e->value[index];
  bool broadcast = v->piece == SC_ALL_PIECES && v->lanes > 1;
  sc_add_indent(e);
  sc_str_printf(e->out, broadcast ? "const sc_v%d v%d = SC_DUP%d(*(" : "const sc_v%d v%d = SC_LOAD%d(", v->lanes, index,
                v->lanes);
  sc_add_address(e, v->operand, &v->at);
  sc_str_add(e->out, broadcast ? "));\n" : ");\n");
}

void sc_body_hoist(emitter *e) {
  for (int i = 0; i < e->nvalues; i++)
    if (e->value[i].hoisted) load(e, i);
}

static void load_held(emitter *e, int from, int to, int pass) {
  e->stamp++;
  for (int i = from; i < to; i++) {
    value *v = &e->value[e->product[i].value[e->held]];
    if (!in_pass(e, &e->product[i], pass) || v->stamp == e->stamp || v->hoisted) continue;
    v->stamp = e->stamp;
    load(e, e->product[i].value[e->held]);
  }
}

static void stream(emitter *e, int from, int to, int pass) {
  int side = !e->held;
  e->stamp++;
  for (int i = from; i < to; i++) {
    int index = e->product[i].value[side];
    if (!in_pass(e, &e->product[i], pass) || e->value[index].stamp == e->stamp) continue;
    e->value[index].stamp = e->stamp;
    load(e, index);
    for (int j = i; j < to; j++) {
      const product *p = &e->product[j];
      if (p->value[side] == index) sc_line(e, "c%d += v%d * v%d;", p->acc, index, p->value[e->held]);
    }
  }
}

/* Compilers would keep a streamed value for the next group that reads it too, and run out of registers; as they cannot
 * see through this, they load it again, which costs nothing. */
static void forget(emitter *e, int operand) {
  sc_add_indent(e);
  sc_str_add(e->out, "__asm__(\"\" : \"+r\"(");
  sc_add_address(e, operand, &(offset){0});
  sc_str_add(e->out, "));\n");
}

void sc_body_emit(emitter *e) {
  for (int from = 0, to; from < e->nproducts; from = to) {
    to = group_end(e, from, e->group_dims);
    if (from > 0) forget(e, 2 - e->held);
    for (int pass = 0; pass < passes(e); pass++) {
      sc_open(e, "{");
      load_held(e, from, to, pass);
      stream(e, from, to, pass);
      sc_close(e);
    }
  }
}
