/* The text and the hash of a nest. Text, one thing a line:
 *
 *   tile i 6*42 4, j 32*8, p 1(3,0) 1*5 1(0,3)   segments of each dim of more than one element: size*count(lo,hi)
 *   kernel vector j 16 loop k unroll 4           what the kernel does
 *   pad p clamp
 *   compile gcc
 *   pack B ahead [j/t,k,j%t] 256x256             then the nodes, indented by what encloses them
 *   parallel 1
 *     for j 8                                    steps in register tiles
 *       pack A private [i/t,k,i%t] 72x256 fill skew 16
 *       call */
#include <string.h>

#include "ir/lowering.h"
#include "ir/schedule.h"

/* ---- text ---- */

static void print_tiling(const sc_tiling *tiling, const char *name, sc_str *out) {
  sc_str_add(out, name);
  for (int i = 0; i < tiling->nsegs; i++) {
    const sc_seg *seg = &tiling->seg[i];
    sc_str_printf(out, " %d", seg->size);
    if (seg->count > 1) sc_str_printf(out, "*%d", seg->count);
    if (seg->lo || seg->hi) sc_str_printf(out, "(%d,%d)", seg->lo, seg->hi);
  }
}

static void print_head(const sc_task *task, const sc_nest *nest, sc_str *out) {
  const char *separator = "tile ";
  for (int d = 0; d < task->ndims; d++) {
    if (task->dim[d].size == 1) continue;
    sc_str_add(out, separator);
    print_tiling(&nest->dim[d], task->dim[d].name, out);
    separator = ", ";
  }
  sc_str_add(out, separator[0] == ',' ? "\nkernel" : "kernel");
  if (nest->vector >= 0) sc_str_printf(out, " vector %s %d", task->dim[nest->vector].name, nest->lanes);
  for (int i = 0; i < nest->nkloops; i++) sc_str_printf(out, "%s %s", i ? "" : " loop", task->dim[nest->kloop[i]].name);
  if (nest->unroll > 1) sc_str_printf(out, " unroll %d", nest->unroll);
  for (int p = 0; p < task->npads; p++) {
    const sc_pad *pad = &task->pad[p];
    sc_str_printf(out, p ? ", %s.%s %s" : "\npad %s.%s %s", task->tensor[task->access[pad->access].tensor].name,
                  task->dim[pad->free].name, sc_pad_words[nest->pad[p]]);
  }
  if (nest->compile[0]) sc_str_printf(out, "\ncompile %s", nest->compile);
  sc_str_add(out, "\n");
}

static void print_pack(const sc_task *task, const sc_nest_pack *pack, sc_str *out) {
  const sc_access *access = &task->access[pack->access];
  int naxes = task->tensor[access->tensor].naxes;
  sc_str_printf(out, "%s %s", pack->access ? "pack" : "accumulate", task->tensor[access->tensor].name);
  if (pack->ahead) sc_str_add(out, " ahead");
  if (pack->per_thread) sc_str_add(out, " private");
  sc_str_add(out, " ");
  sc_layout_print(task, pack->access, &pack->layout, out);
  for (int x = 0; x < naxes; x++) sc_str_printf(out, "%s%d", x ? "x" : " ", pack->extent[x]);
  if (pack->fill) sc_str_add(out, " fill");
  if (pack->skew) sc_str_printf(out, " skew %d", pack->skew);
}

void sc_nest_print(const sc_task *task, const sc_nest *nest, sc_str *out) {
  int depth = 0;
  print_head(task, nest, out);
  for (int i = 0; i < nest->nnodes; i++) {
    const sc_node *node = &nest->node[i];
    sc_str_printf(out, "%*s", 2 * depth, "");
    switch ((sc_node_kind)node->kind) {
    case SC_NODE_LOOP: sc_str_printf(out, "for %s %d", task->dim[node->dim].name, node->step), depth++; break;
    case SC_NODE_PAR: sc_str_printf(out, "parallel %d", node->count), depth++; break;
    case SC_NODE_PACK:
    case SC_NODE_ACC: print_pack(task, &nest->pack[node->pack], out); break;
    case SC_NODE_KERNEL: sc_str_add(out, "call"); break;
    }
    sc_str_add(out, "\n");
  }
}

/* ---- hash ---- */

typedef struct bytes {
  size_t n;
  uint8_t at[3072]; /* tilings 10 * (1 + 12 * 12), nodes 64 * 6, packs 4 * 64, and the rest below 256 */
} bytes;

static void put8(bytes *b, int value) { b->at[b->n++] = (uint8_t)value; }

static void put32(bytes *b, int32_t value) {
  uint32_t v = (uint32_t)value;
  for (int i = 0; i < 4; i++) put8(b, (int)(v >> 8 * i & 255));
}

static void put_tilings(const sc_task *task, const sc_nest *nest, bytes *b) {
  for (int d = 0; d < task->ndims; d++) {
    const sc_tiling *tiling = &nest->dim[d];
    put8(b, tiling->nsegs);
    for (int i = 0; i < tiling->nsegs; i++) {
      put32(b, tiling->seg[i].size);
      put32(b, tiling->seg[i].count);
    }
  }
}

static void put_nodes(const sc_task *task, const sc_nest *nest, bytes *b) {
  for (int i = 0; i < nest->nnodes; i++) {
    const sc_node *node = &nest->node[i];
    put8(b, node->kind);
    if (node->kind == SC_NODE_PAR) put8(b, node->count);
    if (node->kind == SC_NODE_LOOP) put8(b, node->dim), put32(b, node->step);
    if (node->kind != SC_NODE_PACK && node->kind != SC_NODE_ACC) continue;
    const sc_nest_pack *pack = &nest->pack[node->pack];
    put8(b, pack->access);
    put8(b, pack->ahead | pack->per_thread << 1 | pack->fill << 2);
    put32(b, pack->skew);
    put8(b, pack->layout.nparts);
    for (int p = 0; p < pack->layout.nparts; p++) put8(b, pack->layout.part[p].axis << 2 | pack->layout.part[p].kind);
  }
}

/* Tile sizes and pad rules say everything about segments; extents and strides follow from the rest. */
uint64_t sc_nest_hash(const sc_task *task, const sc_nest *nest) {
  bytes b;
  b.n = 0;
  put8(&b, nest->vector);
  put8(&b, nest->lanes);
  put8(&b, nest->nkloops);
  for (int i = 0; i < nest->nkloops; i++) put8(&b, nest->kloop[i]);
  put8(&b, nest->unroll);
  for (int p = 0; p < task->npads; p++) put8(&b, nest->pad[p]);
  put_tilings(task, nest, &b);
  put_nodes(task, nest, &b);
  for (const char *c = nest->compile; *c; c++) put8(&b, *c);
  return sc_hash64(b.at, b.n, task->hash);
}
