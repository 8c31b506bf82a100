/* codegen's own view of a kernel while it is being emitted: vector pieces, accumulators, and the list of products
 * acc += value * value that one pass over the register tile computes. Private to this folder. */
#ifndef SC_CODEGEN_INTERNAL_H
#define SC_CODEGEN_INTERNAL_H

#include "codegen/codegen.h"

enum {
  SC_MAX_PIECES = 1024, /* vector pieces along the vector dim; more is SC_LIMIT */
  SC_ALL_PIECES = INT16_MAX /* value.piece of a value that all lanes share */
};

/* An element offset: what is known when the kernel is compiled, and multiples of run-time strides. */
typedef struct offset {
  int64_t literal;
  int16_t slot[SC_MAX_DIMS];
} offset;

/* Consecutive elements at, at+1, .. at+lanes-1 of the vector dim. */
typedef struct piece {
  int16_t at, lanes;
} piece;

typedef struct coord {
  int16_t at[SC_MAX_DIMS];
} coord;

/* One register's worth of an operand: a vector, or one element broadcast to `lanes`. */
typedef struct value {
  offset at;
  int16_t operand, piece, lanes;
  bool hoisted; /* loaded once, before the free loop */
  int32_t stamp; /* body.c: last group that used it */
} value;

typedef struct product {
  int32_t acc, tap;
  int32_t value[2]; /* of operands 1 and 2 */
} product;

typedef struct emitter {
  const sc_kernel *kernel;
  sc_str *out;
  sc_arena *arena;
  int nargs, npieces, nelems, ntaps, nvalues, nproducts; /* accumulator e * npieces + p: element e, piece p */
  sc_arg arg[SC_MAX_ARGS];
  piece *piece;
  coord *elem; /* coordinates of the free dims but the vector dim */
  coord *tap; /* coordinates of the unrolled reductions, last dim fastest */
  product *product; /* by tap, element, piece */
  value *value;
  int32_t *table; /* hash table of values */
  uint32_t table_mask;
  int level[SC_MAX_ACCESSES + 1]; /* the loop whose pointer an operand uses now, -1 = the base pointer */
  int indent, stamp;
  int held; /* body.c: the operand (0: 1st input, 1: 2nd) kept in registers while the other streams */
  int group_dims; /* body.c: leading reduction dims that split the taps into groups */
} emitter;

/* plan.c: fills everything up to `table` from the kernel. */
sc_status sc_plan_kernel(emitter *e, sc_error *err);
/* Offset of an element of an operand inside the register tile. */
offset sc_plan_offset(const sc_kernel *kernel, const sc_operand *operand, const coord *at);
/* The operand of an index of sc_kernel_args: SC_OPERAND_PARTIAL is the buffer of partial sums. */
const sc_operand *sc_plan_operand(const sc_kernel *kernel, int index);

/* body.c: the products of one pass over the register tile. */
void sc_body_plan(emitter *e);
void sc_body_hoist(emitter *e);
void sc_body_emit(emitter *e);

/* store.c: how accumulators begin and end. */
void sc_store_begin(emitter *e);
void sc_store_end(emitter *e);

/* text.c: lines and the names of things. */
void sc_line(emitter *e, const char *format, ...) __attribute__((format(printf, 2, 3)));
void sc_open(emitter *e, const char *format, ...)
    __attribute__((format(printf, 2, 3))); /* a line; what follows is indented */
void sc_close(emitter *e);
/* Appends "p1_0 + 3 + 2 * s1_4" without a newline. */
void sc_add_address(emitter *e, int operand, const offset *at);
void sc_add_indent(emitter *e);

#endif
