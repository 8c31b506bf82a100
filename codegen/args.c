/* The argument array of a kernel and its name: what caller and callee agree on. */
#include <stdio.h>

#include "codegen/internal.h"

const sc_operand *sc_plan_operand(const sc_kernel *kernel, int index) {
  return index == SC_OPERAND_PARTIAL ? &kernel->partial : &kernel->operand[index];
}

typedef struct arg_list {
  sc_arg *arg;
  int count;
} arg_list;

static void add(arg_list *list, sc_arg_kind kind, int loop, int operand, int dim) {
  SC_ASSERT(list->count < SC_MAX_ARGS);
  list->arg[list->count++] = (sc_arg){(uint8_t)kind, (uint8_t)loop, (uint8_t)operand, (uint8_t)dim};
}

static void add_operand(arg_list *list, const sc_kernel *k, int index) {
  const sc_operand *o = sc_plan_operand(k, index);
  for (int x = 0; x < k->nkloops; x++)
    if (o->dims >> k->kloop[x] & 1) add(list, SC_ARG_LOOP_STRIDE, x, index, k->kloop[x]);
  for (int d = 0; d < k->ndims; d++) {
    if (!(o->dims >> d & 1) || k->tile[d] < 2) continue;
    if (o->stride[d] == SC_STRIDE_SLOT) add(list, SC_ARG_SLOT, 0, index, d);
  }
  if (index >= 3) add(list, SC_ARG_POINTER, 0, index, 0);
}

int sc_kernel_args(const sc_kernel *kernel, sc_arg args[SC_MAX_ARGS]) {
  arg_list list = {args, 0};
  add(&list, SC_ARG_FLAGS, 0, 0, 0);
  for (int x = 0; x < kernel->nkloops; x++) add(&list, SC_ARG_TRIPS, x, 0, kernel->kloop[x]);
  for (int i = 0; i < kernel->noperands; i++) add_operand(&list, kernel, i);
  if (kernel->buffered) add_operand(&list, kernel, SC_OPERAND_PARTIAL);
  return list.count;
}

void sc_kernel_symbol(const sc_kernel *kernel, char name[32]) {
  char hex[17];
  sc_hash_hex(sc_kernel_hash(kernel, false), hex);
  snprintf(name, 32, "sc_k_%s", hex);
}
