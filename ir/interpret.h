/* Between the walk through a nest (interpret_nest.c) and the kernels it calls (interpret_kernel.c): exactly what a
 * compiled kernel is called with. */
#ifndef SC_IR_INTERPRET_H
#define SC_IR_INTERPRET_H

#include "ir/ir.h"

/* A tensor or a pack: every address in it is checked. */
typedef struct sc_view {
  void *at;
  int64_t elems;
  sc_type type;
  uint8_t *owner; /* 1 + thread that wrote it, by element; NULL = not watched */
  const char *name;
} sc_view;

typedef struct sc_binding_of_operand {
  sc_view *view;
  int64_t base; /* address of the first element of the first tile */
  int64_t loop_stride[SC_MAX_KLOOPS];
  int64_t slot[SC_MAX_DIMS]; /* strides of register dims that are not literal */
} sc_binding_of_operand;

typedef struct sc_call {
  bool first, last;
  int thread;
  int32_t trips[SC_MAX_KLOOPS];
  sc_binding_of_operand operand[SC_MAX_ACCESSES];
  sc_binding_of_operand partial;
} sc_call;

sc_status sc_run_kernel(const sc_kernel *kernel, const sc_call *call, sc_error *err);

#endif
