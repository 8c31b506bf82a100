/* Kernels: what the code of one depends on, its key, and its text. A kernel's dims are those of the task that asked; the
 * key counts only those with a tile or a loop, in their order, so that a matmul and a 1x1 convolution share theirs. */
#include <string.h>

#include "ir/lowering.h"
#include "ir/mutant.h"

/* ---- from a nest ---- */

static const sc_seg *class_seg(const sc_tiling *tiling, int class) {
  int i = 0;
  while (tiling->class_of[i] != class) i++;
  return &tiling->seg[i];
}

/* Strides inside a tile of one element do not matter, nor blocks that no tile leaves. */
static void bind_operand(const sc_task *task, const sc_nest *nest, const int32_t *tile, bool scalar,
                         sc_operand *operand) {
  if (operand->pack >= 0) sc_pack_strides(task, &nest->pack[operand->pack], tile, operand->stride);
  for (int d = 0; mutant(SC_MUTANT_STRIDES) && d < task->ndims; d++)
    operand->stride[d] = (int32_t)task->access[operand->access].stride[d];
  for (int d = 0; d < task->ndims; d++) {
    if (tile[d] == 1) operand->stride[d] = 0;
    if (tile[d] > operand->block[d]) continue;
    operand->block[d] = 0;
    operand->block_stride[d] = 0;
  }
  if (scalar) operand->vector = operand->strided = false;
}

static void add_peels(const sc_task *task, const sc_nest *nest, const uint8_t *class_of_dim, sc_kernel *kernel) {
  for (int p = 0; p < task->npads; p++) {
    const sc_pad *pad = &task->pad[p];
    if (nest->pad[p] != SC_PAD_PEEL) continue;
    const sc_seg *seg = class_seg(&nest->dim[pad->free], class_of_dim[pad->free]);
    if (seg->lo == 0 && seg->hi == 0) continue;
    kernel->peel[kernel->npeels].free = (uint8_t)pad->free;
    kernel->peel[kernel->npeels].red = (uint8_t)(pad->red < 0 ? UINT8_MAX : pad->red);
    kernel->peel[kernel->npeels].cf = pad->cf;
    kernel->peel[kernel->npeels].cr = pad->red < 0 ? 0 : pad->cr;
    kernel->peel[kernel->npeels].lo = seg->lo;
    kernel->peel[kernel->npeels++].hi = seg->hi;
  }
}

/* Later statements one after the other: each reads what the one before left in the accumulator. */
static void add_epilogue(const sc_task *task, sc_kernel *kernel) {
  sc_expr before[SC_MAX_EXPR], *out = kernel->epilogue;
  uint8_t nbefore = 1;
  if (task->nstmts < 2) return;
  before[0] = (sc_expr){.kind = SC_EXPR_ACCESS, .access = 0};
  for (int i = 1; i < task->nstmts; i++) {
    uint8_t n = 0;
    for (int j = 0; j < task->stmt[i].nexpr; j++) {
      sc_expr node = task->stmt[i].expr[j];
      bool chained = node.kind == SC_EXPR_ACCESS && node.access == 0;
      SC_ASSERT(n + (chained ? nbefore : 1) <= SC_MAX_EPILOGUE);
      if (chained) memcpy(out + n, before, nbefore * sizeof before[0]), n += nbefore;
      else out[n++] = node;
    }
    kernel->nepilogue = n;
    if (i + 1 == task->nstmts) break;
    SC_ASSERT(n <= SC_MAX_EXPR);
    memcpy(before, out, n * sizeof out[0]);
    nbefore = n;
  }
}

void sc_nest_kernel(const sc_task *task, const sc_nest *nest, const uint8_t *class_of_dim, sc_kernel *kernel) {
  int32_t tile[SC_MAX_DIMS];
  memset(kernel, 0, sizeof *kernel);
  kernel->ndims = task->ndims;
  kernel->reduce = task->reduce;
  kernel->type = sc_accumulator_type(task);
  for (int d = 0; d < task->ndims; d++) {
    tile[d] = class_seg(&nest->dim[d], class_of_dim[d])->size;
    kernel->tile[d] = (int16_t)tile[d];
  }
  kernel->lanes = nest->lanes;
  while (nest->vector >= 0 && kernel->lanes > tile[nest->vector]) kernel->lanes /= 2;
  kernel->vector_dim = kernel->lanes > 1 ? (uint8_t)nest->vector : UINT8_MAX;
  kernel->nkloops = nest->nkloops;
  memcpy(kernel->kloop, nest->kloop, nest->nkloops);
  kernel->unroll = nest->unroll;
  kernel->free_kloop = nest->free_kloop;
  kernel->inout = task->tensor[task->access[0].tensor].role == SC_INOUT;
  kernel->buffered = nest->acc >= 0;
  kernel->noperands = nest->noperands;
  for (int a = 0; a < nest->noperands; a++) {
    kernel->operand_type[a] = (uint8_t)task->tensor[task->access[a].tensor].type;
    kernel->operand[a] = nest->operand[a];
    bind_operand(task, nest, tile, kernel->lanes == 1, &kernel->operand[a]);
  }
  if (kernel->buffered) {
    kernel->partial = nest->partial;
    bind_operand(task, nest, tile, kernel->lanes == 1, &kernel->partial);
  }
  add_peels(task, nest, class_of_dim, kernel);
  add_epilogue(task, kernel);
}

/* ---- the key ---- */

/* What two kernels must agree in. Fixed size, every byte written: it is hashed as it stands. */
typedef struct key_operand {
  int32_t stride[SC_MAX_DIMS];
  int64_t block_stride[SC_MAX_DIMS];
  int16_t block[SC_MAX_DIMS];
  uint16_t dims;
  uint8_t type, vector, strided, zero;
} key_operand;

typedef struct key {
  int32_t ndims, reduce, type, vector_dim, lanes, nkloops, unroll, flags, noperands, npeels, nepilogue;
  int16_t tile[SC_MAX_DIMS];
  uint8_t kloop[SC_MAX_KLOOPS];
  struct {
    int32_t free, red, cf, cr, lo, hi;
  } peel[SC_MAX_PADS];
  struct {
    int32_t kind, access;
    float value;
  } epilogue[SC_MAX_EPILOGUE];
  key_operand operand[SC_MAX_ACCESSES + 1]; /* the last is the buffer */
} key;

/* Classes of a stride that a family keeps, as values that no stride has. */
enum { CLASS_POW2 = INT32_MIN + 1, CLASS_4K, CLASS_OTHER };

static int32_t stride_class(int64_t stride, sc_type type) {
  int64_t n = stride < 0 ? -stride : stride;
  if (n <= 1 || stride == SC_STRIDE_SLOT) return (int32_t)stride;
  if (n * sc_type_bytes(type) % 4096 == 0) return CLASS_4K;
  return (n & (n - 1)) == 0 ? CLASS_POW2 : CLASS_OTHER;
}

static void key_of_operand(const sc_kernel *kernel, const sc_operand *from, sc_type type, const int8_t *new_dim,
                           bool family, key_operand *to) {
  for (int d = 0; d < kernel->ndims; d++) {
    int n = new_dim[d];
    if (n < 0 || !(from->dims >> d & 1)) continue;
    to->dims |= (uint16_t)(1u << n);
    to->stride[n] = family ? stride_class(from->stride[d], type) : from->stride[d];
    to->block[n] = from->block[d];
    to->block_stride[n] = family ? stride_class(from->block_stride[d], type) : from->block_stride[d];
  }
  to->type = (uint8_t)type;
  to->vector = from->vector;
  to->strided = from->strided;
}

static void key_of_peels(const sc_kernel *kernel, const int8_t *new_dim, key *k) {
  if (mutant(SC_MUTANT_KEY_BORDER)) return;
  k->npeels = kernel->npeels;
  for (int i = 0; i < kernel->npeels; i++) {
    k->peel[i].free = kernel->tile[kernel->peel[i].free] > 1 ? new_dim[kernel->peel[i].free] : -1;
    bool red = kernel->peel[i].red != UINT8_MAX && kernel->tile[kernel->peel[i].red] > 1;
    k->peel[i].red = red ? new_dim[kernel->peel[i].red] : -1;
    k->peel[i].cf = kernel->peel[i].cf;
    k->peel[i].cr = kernel->peel[i].cr;
    k->peel[i].lo = kernel->peel[i].lo;
    k->peel[i].hi = kernel->peel[i].hi;
  }
}

static void make_key(const sc_kernel *kernel, bool family, key *k) {
  int8_t new_dim[SC_MAX_DIMS];
  uint16_t looped = 0;
  int n = 0;
  memset(k, 0, sizeof *k);
  for (int i = 0; i < kernel->nkloops; i++) looped |= (uint16_t)(1u << kernel->kloop[i]);
  for (int d = 0; d < kernel->ndims; d++) {
    new_dim[d] = (int8_t)(kernel->tile[d] > 1 || looped >> d & 1 ? n++ : -1);
    if (new_dim[d] < 0) continue;
    k->tile[new_dim[d]] = mutant(SC_MUTANT_KEY_SEGMENT) ? 0 : kernel->tile[d];
    k->reduce |= (kernel->reduce >> d & 1) << new_dim[d];
  }
  k->ndims = n;
  k->type = (int32_t)kernel->type;
  k->vector_dim = kernel->vector_dim == UINT8_MAX ? -1 : new_dim[kernel->vector_dim];
  k->lanes = kernel->lanes;
  k->nkloops = kernel->nkloops;
  for (int i = 0; i < kernel->nkloops; i++) k->kloop[i] = (uint8_t)new_dim[kernel->kloop[i]];
  k->unroll = kernel->unroll;
  k->flags = kernel->free_kloop | kernel->inout << 1 | kernel->buffered << 2;
  k->noperands = kernel->noperands;
  for (int a = 0; a < kernel->noperands; a++)
    key_of_operand(kernel, &kernel->operand[a], (sc_type)kernel->operand_type[a], new_dim, family, &k->operand[a]);
  if (kernel->buffered)
    key_of_operand(kernel, &kernel->partial, kernel->type, new_dim, family, &k->operand[SC_MAX_ACCESSES]);
  key_of_peels(kernel, new_dim, k);
  k->nepilogue = kernel->nepilogue;
  for (int i = 0; i < kernel->nepilogue; i++) {
    k->epilogue[i].kind = kernel->epilogue[i].kind;
    k->epilogue[i].access = kernel->epilogue[i].kind == SC_EXPR_ACCESS ? kernel->epilogue[i].access : 0;
    k->epilogue[i].value = kernel->epilogue[i].kind == SC_EXPR_CONST ? kernel->epilogue[i].value : 0;
  }
}

uint64_t sc_kernel_hash(const sc_kernel *kernel, bool family) {
  key k;
  make_key(kernel, family, &k);
  return sc_hash64(&k, sizeof k, family);
}

/* ---- the text ---- */

static void print_stride(int64_t stride, sc_str *out) {
  switch (stride) {
  case SC_STRIDE_SLOT: sc_str_add(out, "slot"); break;
  case CLASS_POW2: sc_str_add(out, "pow2"); break;
  case CLASS_4K: sc_str_add(out, "4k"); break;
  case CLASS_OTHER: sc_str_add(out, "any"); break;
  default: sc_str_printf(out, "%lld", (long long)stride);
  }
}

/* "; out f32 vector 0:* 1:1": type, how it meets the vector dim, then dim:stride of every dim it depends on; a dim of the
 * kernel's loops without a tile has no stride of its own. */
static void print_operand(const key *k, const key_operand *operand, const char *name, int number, sc_str *out) {
  sc_str_printf(out, "; %s", name);
  if (number > 0) sc_str_printf(out, "%d", number);
  sc_str_printf(out, " %s %s", sc_type_name((sc_type)operand->type),
                operand->vector     ? "vector"
                : operand->strided  ? "strided"
                : k->vector_dim < 0 ? "scalar"
                                    : "broadcast");
  for (int d = 0; d < k->ndims; d++) {
    if (!(operand->dims >> d & 1)) continue;
    sc_str_printf(out, " %d:", d);
    print_stride(operand->stride[d], out);
    if (!operand->block[d]) continue;
    sc_str_printf(out, "/%d:", operand->block[d]);
    print_stride(operand->block_stride[d], out);
  }
}

static void print_epilogue(const key *k, sc_str *out) {
  static const char *const words[] = {
      [SC_EXPR_ADD] = "+", [SC_EXPR_SUB] = "-", [SC_EXPR_MUL] = "*", [SC_EXPR_MAX] = "max", [SC_EXPR_MIN] = "min"};
  if (k->nepilogue) sc_str_add(out, "; then");
  for (int i = 0; i < k->nepilogue; i++) {
    sc_str_add(out, " ");
    if (k->epilogue[i].kind == SC_EXPR_CONST) sc_json_number(out, (double)k->epilogue[i].value);
    else if (k->epilogue[i].kind != SC_EXPR_ACCESS) sc_str_add(out, words[k->epilogue[i].kind]);
    else if (k->epilogue[i].access == 0) sc_str_add(out, "acc");
    else sc_str_printf(out, "in%d", k->epilogue[i].access);
  }
}

void sc_kernel_print(const sc_kernel *kernel, bool family, sc_str *out) {
  key k;
  make_key(kernel, family, &k);
  sc_str_printf(out, "%s tile", sc_type_name((sc_type)k.type));
  for (int d = 0; d < k.ndims; d++) sc_str_printf(out, " %d%s", k.tile[d], k.reduce >> d & 1 ? "r" : "");
  if (k.vector_dim >= 0) sc_str_printf(out, "; vector %d %d", k.vector_dim, k.lanes);
  if (k.nkloops) sc_str_add(out, k.flags & 1 ? "; loop free" : "; loop");
  for (int i = 0; i < k.nkloops; i++) sc_str_printf(out, " %d", k.kloop[i]);
  if (k.unroll > 1) sc_str_printf(out, " unroll %d", k.unroll);
  for (int a = 0; a < k.noperands; a++)
    print_operand(&k, &k.operand[a], a ? "in" : k.flags & 2 ? "inout" : "out", a, out);
  if (k.flags & 4) print_operand(&k, &k.operand[SC_MAX_ACCESSES], "partial", 0, out);
  for (int i = 0; i < k.npeels; i++) {
    sc_str_add(out, "; peel");
    if (k.peel[i].free >= 0) sc_str_printf(out, " %d:%d", k.peel[i].free, k.peel[i].cf);
    if (k.peel[i].red >= 0) sc_str_printf(out, " %d:%d", k.peel[i].red, k.peel[i].cr);
    sc_str_printf(out, " lo %d hi %d", k.peel[i].lo, k.peel[i].hi);
  }
  print_epilogue(&k, out);
}
