/* What the files of sc_lower share. One call goes through them in this order:
 *
 *   lower.c        tiles, steps of the bands, loops of the kernel, vector dim; the flow itself
 *   lower_pad.c    peel refines tiles into segments, clamp checks them, pack asks for a copy
 *   lower_pack.c   layouts and sizes of packs
 *   lower_nodes.c  loops, parallel loops and packs in preorder
 *   lower_operand.c  how the kernel addresses each operand
 *   lower_error.c  the messages of rules.def */
#ifndef SC_IR_LOWERING_H
#define SC_IR_LOWERING_H

#include "ir/ir.h"

enum {
  SC_MAX_LANES = 64,
};

typedef struct sc_lowering {
  const sc_task *task;
  const sc_schedule *schedule;
  sc_nest *nest;
  sc_error *err;
  int32_t step[SC_MAX_BANDS][SC_MAX_DIMS]; /* step[b][d]: tiles of dim d inside one tile of band b; 0 .. nbands */
  uint16_t trips[SC_MAX_BANDS]; /* bit d: band b has more than one trip over dim d */
  uint16_t kloops; /* bit d, of the loops that the nest keeps */
  int8_t pack_of[SC_MAX_ACCESSES]; /* pack of the schedule, -1 */
  uint8_t ahead_packs; /* bit p: pack p of the schedule is of constants */
  bool only_orders; /* all but the nodes stands in the nest already */
  uint8_t kept_packs; /* bit p: pack p of the schedule is no identity */
} sc_lowering;

/* The values that the placeholders of the rule's message take, in their order: int for {d}, {a}, {p} and {b}, int64_t
 * for {n}, const char * for {s}. Returns SC_ILLEGAL. */
sc_status sc_lower_illegal(const sc_lowering *lw, sc_rule rule, ...) __attribute__((cold));

sc_status sc_lower_pads(sc_lowering *lw);
sc_status sc_lower_find_packs(sc_lowering *lw);
/* Lowers pack p of the schedule, standing outside the loops of its band, into `pack`. Sets *identity instead when the
 * copy would have the addresses of the original. */
sc_status sc_lower_pack(sc_lowering *lw, int p, sc_nest_pack *pack, bool *identity);
sc_status sc_lower_nodes(sc_lowering *lw);
sc_status sc_lower_operands(sc_lowering *lw);
sc_status sc_lower_kernels(sc_lowering *lw);

/* Elements of the largest window of `step` tiles that starts at a multiple of step; *fixed: all windows have as
 * many. */
int32_t sc_tiling_extent(const sc_tiling *tiling, int32_t step, bool *fixed);
/* Strides of a packed access inside a register tile of tile[d] elements, 0 = differs between kernels. */
void sc_pack_strides(const sc_task *task, const sc_nest_pack *pack, const int32_t *tile, int32_t *stride);
/* The dim that walks this axis alone with coefficient 1, or -1. */
static inline int sc_axis_dim(const sc_index *index) {
  return index->dim[0] >= 0 && index->dim[1] < 0 && index->coef[0] == 1 ? index->dim[0] : -1;
}
/* Rounded down, b > 0; coefficients are mostly 1, and a division is slow. */
static inline int64_t sc_floor_div(int64_t a, int64_t b) { return b == 1 ? a : a / b - (a % b < 0); }
static inline int64_t sc_ceil_div(int64_t a, int64_t b) { return -sc_floor_div(-a, b); }
static inline bool sc_pad_is(const sc_lowering *lw, int p, sc_pad_rule rule) { return lw->schedule->pad[p] == rule; }

#endif
