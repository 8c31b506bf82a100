/* Kernels: what the code of one depends on, its key, and its text. A kernel's dims are those of the task that asked;
 * the key counts only those with a tile or a loop, in their order, so that a matmul and a 1x1 convolution share
 * theirs. */
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
  for (int d = 0; mutant(SC_MUTANT_STRIDES) && operand->pack >= 0 && d < task->ndims; d++)
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

/* The dims that count, renumbered; -1 = none. */
static int number_dims(const sc_kernel *kernel, int8_t *new_dim) {
  uint16_t looped = 0;
  int n = 0;
  for (int i = 0; i < kernel->nkloops; i++) looped |= (uint16_t)(1u << kernel->kloop[i]);
  for (int d = 0; d < kernel->ndims; d++) new_dim[d] = (int8_t)(kernel->tile[d] > 1 || looped >> d & 1 ? n++ : -1);
  return n;
}

/* Classes of a stride that a family keeps, as values that no stride has. */
enum { CLASS_POW2 = INT32_MIN + 1, CLASS_4K, CLASS_OTHER };

static int64_t stride_class(int64_t stride, sc_type type) {
  if (stride <= 1) return stride; /* also SC_STRIDE_SLOT */
  if (stride * sc_type_bytes(type) % 4096 == 0) return CLASS_4K;
  return (stride & (stride - 1)) == 0 ? CLASS_POW2 : CLASS_OTHER;
}

/* A peel's dim without a tile shifts nothing: only its span counts, which lo and hi are measured in. */
static int peel_dim(const sc_kernel *kernel, int d, const int8_t *new_dim) {
  return d != UINT8_MAX && kernel->tile[d] > 1 ? new_dim[d] : -1;
}

typedef struct words {
  int n;
  int32_t at[640]; /* heads 16, tiles 10, loops 4, operands 9 * (1 + 10 * 4), peels 4 * 6, epilogue 80 * 2 */
} words;

static void put(words *w, int32_t value) { w->at[w->n++] = value; }

static void put64(words *w, int64_t value) {
  put(w, (int32_t)(uint32_t)((uint64_t)value & UINT32_MAX));
  put(w, (int32_t)(uint32_t)((uint64_t)value >> 32));
}

static void put_operand(const sc_kernel *kernel, const sc_operand *operand, sc_type type, const int8_t *new_dim,
                        bool family, words *w) {
  int head = w->n++;
  uint32_t dims = 0;
  for (int d = 0; d < kernel->ndims; d++) {
    if (new_dim[d] < 0 || !(operand->dims >> d & 1)) continue;
    dims |= 1u << new_dim[d];
    put(w, (int32_t)(family ? stride_class(operand->stride[d], type) : operand->stride[d]));
    put(w, operand->block[d]);
    if (operand->block[d]) put64(w, family ? stride_class(operand->block_stride[d], type) : operand->block_stride[d]);
  }
  w->at[head] =
      (int32_t)(dims | (uint32_t)type << 16 | (uint32_t)operand->vector << 24 | (uint32_t)operand->strided << 25);
}

static void put_peels(const sc_kernel *kernel, const int8_t *new_dim, words *w) {
  for (int i = 0; i < kernel->npeels && !mutant(SC_MUTANT_KEY_BORDER); i++) {
    put(w, peel_dim(kernel, kernel->peel[i].free, new_dim));
    put(w, peel_dim(kernel, kernel->peel[i].red, new_dim));
    put(w, peel_dim(kernel, kernel->peel[i].free, new_dim) < 0 ? 0 : kernel->peel[i].cf);
    put(w, peel_dim(kernel, kernel->peel[i].red, new_dim) < 0 ? 0 : kernel->peel[i].cr);
    put(w, kernel->peel[i].lo);
    put(w, kernel->peel[i].hi);
  }
}

static void put_epilogue(const sc_kernel *kernel, words *w) {
  for (int i = 0; i < kernel->nepilogue; i++) {
    const sc_expr *node = &kernel->epilogue[i];
    int32_t value = 0;
    if (node->kind == SC_EXPR_CONST) memcpy(&value, &node->value, sizeof value);
    put(w, node->kind);
    put(w, node->kind == SC_EXPR_ACCESS ? node->access : value);
  }
}

uint64_t sc_kernel_hash(const sc_kernel *kernel, bool family) {
  int8_t new_dim[SC_MAX_DIMS];
  words w;
  w.n = 0;
  put(&w, number_dims(kernel, new_dim));
  put(&w, (int32_t)kernel->type);
  put(&w, kernel->vector_dim == UINT8_MAX ? -1 : new_dim[kernel->vector_dim]);
  put(&w, kernel->lanes);
  put(&w, kernel->unroll);
  put(&w, kernel->free_kloop | kernel->inout << 1 | kernel->buffered << 2);
  put(&w, kernel->nkloops);
  put(&w, kernel->noperands);
  put(&w, mutant(SC_MUTANT_KEY_BORDER) ? 0 : kernel->npeels);
  put(&w, kernel->nepilogue);
  for (int i = 0; i < kernel->nkloops; i++) put(&w, new_dim[kernel->kloop[i]]);
  for (int d = 0; d < kernel->ndims; d++)
    if (new_dim[d] >= 0) put(&w, mutant(SC_MUTANT_KEY_SEGMENT) ? 0 : kernel->tile[d] | (kernel->reduce >> d & 1) << 16);
  for (int a = 0; a < kernel->noperands; a++)
    put_operand(kernel, &kernel->operand[a], (sc_type)kernel->operand_type[a], new_dim, family, &w);
  if (kernel->buffered) put_operand(kernel, &kernel->partial, kernel->type, new_dim, family, &w);
  put_peels(kernel, new_dim, &w);
  put_epilogue(kernel, &w);
  return sc_hash64(w.at, (size_t)w.n * sizeof w.at[0], family);
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

/* "; out f32 vector 0:64 1:1": type, how it meets the vector dim, then dim:stride of every dim it depends on. */
static void print_operand(const sc_kernel *kernel, const sc_operand *operand, sc_type type, bool family, sc_str *out) {
  int8_t new_dim[SC_MAX_DIMS];
  number_dims(kernel, new_dim);
  sc_str_printf(out, " %s %s", sc_type_name(type),
                operand->vector      ? "vector"
                : operand->strided   ? "strided"
                : kernel->lanes == 1 ? "scalar"
                                     : "broadcast");
  for (int d = 0; d < kernel->ndims; d++) {
    if (new_dim[d] < 0 || !(operand->dims >> d & 1)) continue;
    sc_str_printf(out, " %d:", new_dim[d]);
    print_stride(family ? stride_class(operand->stride[d], type) : operand->stride[d], out);
    if (!operand->block[d]) continue;
    sc_str_printf(out, "/%d:", operand->block[d]);
    print_stride(family ? stride_class(operand->block_stride[d], type) : operand->block_stride[d], out);
  }
}

static void print_operands(const sc_kernel *kernel, bool family, sc_str *out) {
  for (int a = 0; a < kernel->noperands; a++) {
    if (a == 0) sc_str_add(out, kernel->inout ? "; inout" : "; out");
    else sc_str_printf(out, "; in%d", a);
    print_operand(kernel, &kernel->operand[a], (sc_type)kernel->operand_type[a], family, out);
  }
  if (!kernel->buffered) return;
  sc_str_add(out, "; partial");
  print_operand(kernel, &kernel->partial, kernel->type, family, out);
}

static void print_peels(const sc_kernel *kernel, const int8_t *new_dim, sc_str *out) {
  for (int i = 0; i < kernel->npeels; i++) {
    int free = peel_dim(kernel, kernel->peel[i].free, new_dim), red = peel_dim(kernel, kernel->peel[i].red, new_dim);
    sc_str_add(out, "; peel");
    if (free >= 0) sc_str_printf(out, " %d:%d", free, kernel->peel[i].cf);
    if (red >= 0) sc_str_printf(out, " %d:%d", red, kernel->peel[i].cr);
    sc_str_printf(out, " lo %d hi %d", kernel->peel[i].lo, kernel->peel[i].hi);
  }
}

static void print_epilogue(const sc_kernel *kernel, sc_str *out) {
  static const char *const names[] = {
      [SC_EXPR_ADD] = "+", [SC_EXPR_SUB] = "-", [SC_EXPR_MUL] = "*", [SC_EXPR_MAX] = "max", [SC_EXPR_MIN] = "min"};
  if (kernel->nepilogue) sc_str_add(out, "; then");
  for (int i = 0; i < kernel->nepilogue; i++) {
    const sc_expr *node = &kernel->epilogue[i];
    sc_str_add(out, " ");
    if (node->kind == SC_EXPR_CONST) sc_json_number(out, (double)node->value);
    else if (node->kind != SC_EXPR_ACCESS) sc_str_add(out, names[node->kind]);
    else if (node->access == 0) sc_str_add(out, "acc");
    else sc_str_printf(out, "in%d", node->access);
  }
}

void sc_kernel_print(const sc_kernel *kernel, bool family, sc_str *out) {
  int8_t new_dim[SC_MAX_DIMS];
  number_dims(kernel, new_dim);
  sc_str_printf(out, "%s tile", sc_type_name(kernel->type));
  for (int d = 0; d < kernel->ndims; d++)
    if (new_dim[d] >= 0) sc_str_printf(out, " %d%s", kernel->tile[d], kernel->reduce >> d & 1 ? "r" : "");
  if (kernel->vector_dim != UINT8_MAX) sc_str_printf(out, "; vector %d %d", new_dim[kernel->vector_dim], kernel->lanes);
  if (kernel->nkloops) sc_str_add(out, kernel->free_kloop ? "; loop free" : "; loop");
  for (int i = 0; i < kernel->nkloops; i++) sc_str_printf(out, " %d", new_dim[kernel->kloop[i]]);
  if (kernel->unroll > 1) sc_str_printf(out, " unroll %d", kernel->unroll);
  print_operands(kernel, family, out);
  print_peels(kernel, new_dim, out);
  print_epilogue(kernel, out);
}
