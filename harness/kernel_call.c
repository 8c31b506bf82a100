/* A call of a kernel that stands for its family: literal strides as they are, strides that are arguments as small as
 * they can be, every operand in a part of one arena. Along a loop an operand moves on by what one trip has read, or,
 * where its register tile already strides over a larger tensor, by one element: rows of such a tensor are contiguous
 * along the loop. */
#include <string.h>

#include "harness/kernels.h"

enum { MOST_TRIPS = 64, FEWEST_TRIPS = 3, MOST_ARENA = 64 << 20, APART = 13 * 64 };

/* Where an operand stands and how it moves. */
typedef struct shape {
  int64_t slot[SC_MAX_DIMS]; /* chosen for strides that are arguments */
  int64_t extent; /* elements from the first to behind the last of the register tile */
  int64_t step; /* per trip of any loop the operand depends on */
  int64_t touched; /* elements per trip */
} shape;

static const sc_operand *operand_of(const sc_kernel *k, int index) {
  return index == SC_OPERAND_PARTIAL ? &k->partial : &k->operand[index];
}

static int64_t reach(const sc_operand *o, int d, int tile, int64_t stride) {
  int block = o->block[d];
  if (block == 0) return (tile - 1) * stride;
  return (tile - 1) / block * o->block_stride[d] + (block - 1) * stride;
}

static void shape_operand(const sc_kernel *k, const sc_operand *o, shape *s) {
  *s = (shape){.extent = 1, .touched = 1};
  bool strides = false;
  for (int d = 0; d < k->ndims; d++) {
    if (!(o->dims >> d & 1) || k->tile[d] < 2) continue;
    s->touched *= k->tile[d];
    if (o->stride[d] == SC_STRIDE_SLOT) continue;
    int64_t far = reach(o, d, k->tile[d], o->stride[d]);
    s->extent += far < 0 ? -far : far;
    strides |= o->stride[d] > 1;
  }
  int64_t dense = s->extent;
  for (int d = 0; d < k->ndims; d++) {
    if (!(o->dims >> d & 1) || k->tile[d] < 2 || o->stride[d] != SC_STRIDE_SLOT) continue;
    s->slot[d] = s->extent;
    s->extent += reach(o, d, k->tile[d], s->slot[d]);
  }
  s->step = !o->vector && strides && dense > 2 * s->touched ? 1 : s->extent;
}

static int64_t argument(const sc_kernel *k, const shape *shapes, const sc_arg *arg, int trips) {
  switch (arg->kind) {
  case SC_ARG_FLAGS: return SC_KERNEL_FIRST | SC_KERNEL_LAST;
  case SC_ARG_TRIPS: return arg->loop + 1 == k->nkloops ? trips : 1;
  case SC_ARG_LOOP_STRIDE: return shapes[arg->operand].step;
  case SC_ARG_SLOT: return shapes[arg->operand].slot[arg->dim];
  default: return 0; /* a pointer: filled by the caller */
  }
}

/* Trips of the innermost loop for which the operands fill at most half of L1. */
static int choose_trips(const sc_kernel *k, const shape *shapes, const int *used, int nused, uint64_t l1_bytes) {
  int64_t fixed = 0, moving = 0;
  if (k->nkloops == 0) return 1;
  for (int i = 0; i < nused; i++) {
    bool moves = operand_of(k, used[i])->dims >> k->kloop[k->nkloops - 1] & 1;
    *(moves ? &moving : &fixed) += shapes[used[i]].touched * 4;
  }
  int64_t room = (int64_t)l1_bytes / 2 - fixed, trips = moving > 0 ? room / moving : MOST_TRIPS;
  return trips < FEWEST_TRIPS ? FEWEST_TRIPS : trips > MOST_TRIPS ? MOST_TRIPS : (int)trips;
}

int sc_kernel_call(const sc_kernel *kernel, uint64_t l1_bytes, sc_wire_kernel *call) {
  shape shapes[SC_OPERAND_PARTIAL + 1];
  uint64_t at[SC_OPERAND_PARTIAL + 1] = {0};
  int used[SC_OPERAND_PARTIAL + 1], nused = 0;
  sc_arg args[SC_MAX_ARGS];
  for (int i = 0; i < kernel->noperands; i++) used[nused++] = i;
  if (kernel->buffered) used[nused++] = SC_OPERAND_PARTIAL;
  for (int i = 0; i < nused; i++) shape_operand(kernel, operand_of(kernel, used[i]), &shapes[used[i]]);
  int trips = choose_trips(kernel, shapes, used, nused, l1_bytes);
  memset(call, 0, sizeof *call);
  for (int i = 0; i < nused; i++) {
    const shape *s = &shapes[used[i]];
    if (s->extent > MOST_ARENA / 4 || s->step > MOST_ARENA / 4) return 0;
    at[used[i]] = call->arena_bytes;
    call->arena_bytes += (uint64_t)(s->extent + s->step * trips) * 4 + 64;
    call->arena_bytes = (call->arena_bytes + 4095) / 4096 * 4096 + APART * (uint64_t)(i + 1);
    if (call->arena_bytes > MOST_ARENA) return 0;
  }
  call->nargs = (uint32_t)sc_kernel_args(kernel, args);
  for (uint32_t i = 0; i < call->nargs; i++) {
    call->few[i] = argument(kernel, shapes, &args[i], 1);
    call->many[i] = argument(kernel, shapes, &args[i], trips);
    if (args[i].kind != SC_ARG_POINTER) continue;
    call->pointer[i] = 1;
    call->few[i] = call->many[i] = (int64_t)at[args[i].operand];
  }
  for (int i = 0; i < 3 && i < kernel->noperands; i++) call->operand[i] = at[i];
  return trips;
}
