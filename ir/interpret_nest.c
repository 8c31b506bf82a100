/* What a nest means: a walk through its nodes that copies packs and calls kernels by flat addresses, as generated code
 * does. It takes the kernel's side of every address from the kernel's descriptor (found by key, as compiled ones are)
 * and the rest from the ranges at hand, so that a wrong stride, key, offset or flag shows.
 *
 * Threads are run one after the other: what two of them would both write is found by the owner of each element. */
#include <stdlib.h>
#include <string.h>

#include "ir/interpret.h"
#include "ir/lowering.h"
#include "ir/mutant.h"
#include "ir/value.h"

enum { MAX_THREADS = 64 };

/* Where a pack stands now: the ranges it was copied for. */
typedef struct bound {
  int32_t start[SC_MAX_DIMS]; /* first element of every dim's range */
  int32_t lo[SC_MAX_AXES], ext[SC_MAX_AXES];
} bound;

typedef struct walker {
  const sc_task *task;
  const sc_nest *nest;
  sc_error *err;
  int nthreads, thread;
  int32_t lo[SC_MAX_DIMS], hi[SC_MAX_DIMS]; /* current ranges, in tiles */
  sc_view tensor[SC_MAX_TENSORS];
  sc_view pack[SC_MAX_PACKS][MAX_THREADS]; /* shared ones: only [0] */
  bound bound[SC_MAX_PACKS];
  sc_kernel *kernel[SC_MAX_KERNELS]; /* by class, numbered as digits of the dims' classes; equal keys share */
  uint64_t key[SC_MAX_KERNELS];
} walker;

static sc_status run(walker *w, int node);

static int32_t end_of(const sc_tiling *tiling, int32_t tile) { return sc_tile_start(tiling, tile, NULL); }

/* Tile of dim d that holds element e: its first element and its size. */
static int32_t tile_of(const sc_tiling *tiling, int32_t e, int32_t *size) {
  int i = tiling->nsegs - 1;
  while (i > 0 && e < tiling->seg[i].start) i--;
  *size = tiling->seg[i].size;
  return tiling->seg[i].start + (e - tiling->seg[i].start) / *size * *size;
}

static sc_view *pack_view(walker *w, int p) { return &w->pack[p][w->nest->pack[p].per_thread ? w->thread : 0]; }

/* ---- addresses in a pack ---- */

/* stride[i]: what one element of part i adds. `width` is the current tile of each axis that is blocked. */
static void part_strides(const sc_nest_pack *pack, int naxes, const int32_t *ext, const int32_t *width,
                         int64_t *stride) {
  for (int i = 0; i < pack->layout.nparts; i++) {
    int64_t inside[SC_MAX_AXES], product = 1;
    for (int x = 0; x < naxes; x++) inside[x] = 1;
    for (int j = pack->layout.nparts - 1; j > i; j--) {
      sc_part part = pack->layout.part[j];
      inside[part.axis] = part.kind == SC_PART_INNER ? width[part.axis] : ext[part.axis];
    }
    for (int x = 0; x < naxes; x++)
      if (x != pack->layout.part[i].axis) product *= inside[x];
    stride[i] = product + (i == 0 ? pack->skew : 0);
  }
}

/* Address of the element at x[axis] whose tile on a blocked axis begins at index tile[axis]. */
static int64_t pack_address(const sc_nest_pack *pack, const bound *b, const int64_t *stride, const int32_t *x,
                            const int32_t *tile) {
  int64_t address = 0;
  for (int i = 0; i < pack->layout.nparts; i++) {
    int axis = pack->layout.part[i].axis;
    switch (pack->layout.part[i].kind) {
    case SC_PART_WHOLE: address += (x[axis] - b->lo[axis]) * stride[i]; break;
    case SC_PART_OUTER: address += (tile[axis] - b->lo[axis]) * stride[i]; break;
    default: address += (x[axis] - tile[axis]) * stride[i];
    }
  }
  return address;
}

/* ---- packs ---- */

static void bind(walker *w, int p, bound *b) {
  int32_t extent[SC_MAX_DIMS];
  for (int d = 0; d < w->task->ndims; d++) {
    bool ahead = w->nest->pack[p].ahead;
    b->start[d] = ahead ? 0 : end_of(&w->nest->dim[d], w->lo[d]);
    extent[d] = ahead ? w->task->dim[d].size : end_of(&w->nest->dim[d], w->hi[d]) - b->start[d];
  }
  sc_region(w->task, &w->task->access[w->nest->pack[p].access], b->start, extent, b->lo, b->ext);
}

static void poison(const sc_view *view) {
  static const uint32_t nan_bits = 0x7fc00000;
  memset(view->at, 0xa5, (size_t)view->elems * sc_type_bytes(view->type));
  for (int64_t i = 0; view->type == SC_F32 && i < view->elems; i++) memcpy((char *)view->at + 4 * i, &nan_bits, 4);
}

/* Address in the tensor of an index of every axis, by the strides of the access; -1 when outside. */
static int64_t tensor_address(const sc_tensor *tensor, const sc_access *access, const int32_t *x) {
  int64_t address = 0;
  for (int i = 0; i < tensor->naxes; i++) {
    int32_t block = tensor->layout.block[i];
    if (x[i] < 0 || x[i] >= tensor->shape[i]) return -1;
    if (block == 0) address += x[i] * access->inner_stride[i];
    else address += x[i] / block * access->outer_stride[i] + x[i] % block * access->inner_stride[i];
  }
  return address;
}

static sc_status copy(walker *w, int p) {
  const sc_nest_pack *pack = &w->nest->pack[p];
  const sc_access *access = &w->task->access[pack->access];
  const sc_tensor *tensor = &w->task->tensor[access->tensor];
  const bound *b = &w->bound[p];
  sc_view *view = pack_view(w, p);
  int32_t x[SC_MAX_AXES], tile[SC_MAX_AXES] = {0}, width[SC_MAX_AXES] = {0};
  int64_t stride[2 * SC_MAX_AXES];
  poison(view);
  memcpy(x, b->lo, sizeof x);
  for (bool more = true; more;) {
    for (int i = 0; i < tensor->naxes; i++) {
      if (pack->layout.block[i] != SC_BLOCK_TILE) continue;
      int32_t offset = access->axis[i].offset;
      tile[i] = tile_of(&w->nest->dim[access->axis[i].dim[0]], x[i] - offset, &width[i]) + offset;
    }
    part_strides(pack, tensor->naxes, b->ext, width, stride);
    int64_t to = pack_address(pack, b, stride, x, tile), from = tensor_address(tensor, access, x);
    if (to < 0 || to >= view->elems)
      return sc_fail(w->err, SC_MISMATCH, "a copy writes %s[%lld] of %lld elements", view->name, (long long)to,
                     (long long)view->elems);
    if (from >= 0)
      sc_number_store(view->at, view->type, to, sc_number_load(w->tensor[access->tensor].at, tensor->type, from));
    else if (pack->fill && !mutant(SC_MUTANT_FILL)) sc_number_store(view->at, view->type, to, (sc_number){.i = 0});
    more = false;
    for (int i = tensor->naxes - 1; i >= 0 && !more; i--) {
      more = ++x[i] < b->lo[i] + b->ext[i];
      if (!more) x[i] = b->lo[i];
    }
  }
  return SC_OK;
}

static sc_status run_pack(walker *w, int node) {
  int p = w->nest->node[node].pack;
  bind(w, p, &w->bound[p]);
  if (w->nest->node[node].kind == SC_NODE_ACC) poison(pack_view(w, p));
  else SC_TRY(copy(w, p));
  return run(w, node + 1);
}

/* ---- a call ---- */

/* The tiles that one call begins with: first element and size of each dim. */
typedef struct place {
  int32_t start[SC_MAX_DIMS], size[SC_MAX_DIMS];
} place;

static int64_t base_in_tensor(const sc_task *task, const sc_access *access, const place *at) {
  const sc_tensor *tensor = &task->tensor[access->tensor];
  int64_t address = access->origin;
  for (int d = 0; d < task->ndims; d++) address += access->stride[d] * at->start[d];
  for (int x = 0; x < tensor->naxes; x++) {
    int64_t block = tensor->layout.block[x], index = access->axis[x].offset;
    if (block == 0) continue;
    for (int k = 0; k < 2; k++)
      if (access->axis[x].dim[k] >= 0) index += (int64_t)access->axis[x].coef[k] * at->start[access->axis[x].dim[k]];
    int64_t quotient = sc_floor_div(index, block);
    address += quotient * access->outer_stride[x] + (index - quotient * block) * access->inner_stride[x];
  }
  return address;
}

/* Also the slots: strides inside the tile, of the parts that are not outer ones. */
static int64_t base_in_pack(const walker *w, int p, const place *at, int64_t *slot) {
  const sc_nest_pack *pack = &w->nest->pack[p];
  const sc_access *access = &w->task->access[pack->access];
  const bound *b = &w->bound[p];
  int naxes = w->task->tensor[access->tensor].naxes;
  int32_t x[SC_MAX_AXES], width[SC_MAX_AXES] = {0};
  int64_t stride[2 * SC_MAX_AXES];
  for (int i = 0; i < naxes; i++) {
    x[i] = access->axis[i].offset;
    for (int k = 0; k < 2; k++)
      if (access->axis[i].dim[k] >= 0) x[i] += access->axis[i].coef[k] * at->start[access->axis[i].dim[k]];
    if (access->axis[i].dim[0] >= 0) width[i] = at->size[access->axis[i].dim[0]];
  }
  part_strides(pack, naxes, mutant(SC_MUTANT_CURRENT) ? pack->extent : b->ext, width, stride);
  for (int i = 0; i < pack->layout.nparts && slot; i++) {
    const sc_index *index = &access->axis[pack->layout.part[i].axis];
    for (int k = 0; k < 2; k++)
      if (index->dim[k] >= 0 && pack->layout.part[i].kind != SC_PART_OUTER)
        slot[index->dim[k]] = stride[i] * index->coef[k];
  }
  return pack_address(pack, b, stride, x, x);
}

static int64_t base_of(const walker *w, int access, int pack, const place *at, int64_t *slot) {
  if (pack >= 0) return base_in_pack(w, pack, at, slot);
  for (int d = 0; slot && d < w->task->ndims; d++) slot[d] = w->task->access[access].stride[d];
  return base_in_tensor(w->task, &w->task->access[access], at);
}

/* Base, slots, and for every loop of the kernel the way from its first tile to the next. */
static void bind_argument(walker *w, int access, int pack, const place *at, sc_binding_of_operand *out) {
  out->view = pack >= 0 ? pack_view(w, pack) : &w->tensor[w->task->access[access].tensor];
  out->base = base_of(w, access, pack, at, out->slot);
  for (int i = 0; i < w->nest->nkloops; i++) {
    place next = *at;
    int d = w->nest->kloop[i];
    next.start[d] += at->size[d];
    out->loop_stride[i] = base_of(w, access, pack, &next, NULL) - out->base;
  }
}

/* The kernel of these classes: made at the first call, or one that has its key. */
static sc_kernel *find_kernel(walker *w, const uint8_t *class) {
  int number = 0;
  sc_kernel kernel;
  for (int d = 0; d < w->task->ndims; d++) number = number * w->nest->dim[d].nclasses + class[d];
  if (w->kernel[number]) return w->kernel[number];
  sc_nest_kernel(w->task, w->nest, class, &kernel);
  w->key[number] = sc_kernel_hash(&kernel, false);
  for (int i = 0; i < w->nest->nvariants && !w->kernel[number]; i++)
    if (w->kernel[i] && w->key[i] == w->key[number]) w->kernel[number] = w->kernel[i];
  if (!w->kernel[number] && (w->kernel[number] = malloc(sizeof kernel))) *w->kernel[number] = kernel;
  return w->kernel[number];
}

/* FIRST and LAST over all reductions, from ranges that no clamp has touched. */
static void set_flags(const walker *w, const int32_t *lo, const int32_t *hi, sc_call *call) {
  call->first = call->last = true;
  for (int d = 0; d < w->task->ndims; d++) {
    if (!w->task->dim[d].reduce) continue;
    bool first = lo[d] == 0, last = hi[d] == w->nest->dim[d].tiles;
    bool inner = w->nest->nkloops && d == w->nest->kloop[w->nest->nkloops - 1];
    if (!mutant(SC_MUTANT_FIRST) || inner) call->first &= first;
    if (!mutant(SC_MUTANT_LAST) || inner) call->last &= last;
  }
}

/* Cuts the loops over clamped reductions to the taps that this tile sees. */
static void cut_loops(const walker *w, int32_t *lo, int32_t *hi) {
  for (int p = 0; p < w->task->npads; p++) {
    const sc_pad *pad = &w->task->pad[p];
    int32_t from, to, size;
    if (w->nest->pad[p] != SC_PAD_CLAMP) continue;
    int32_t start = tile_of(&w->nest->dim[pad->free], end_of(&w->nest->dim[pad->free], lo[pad->free]), &size);
    sc_clamp_range(pad, w->task->dim[pad->red].size, start, start + size - 1, &from, &to);
    if (from > lo[pad->red]) lo[pad->red] = from;
    if (to < hi[pad->red]) hi[pad->red] = to;
  }
}

/* Calls the kernel for ranges that have one class a dim. */
static sc_status call_kernel(walker *w, const int32_t *range_lo, const int32_t *range_hi) {
  int32_t lo[SC_MAX_DIMS], hi[SC_MAX_DIMS];
  uint8_t class[SC_MAX_DIMS];
  place at;
  sc_call call = {.thread = w->thread};
  bool empty = false;
  memcpy(lo, range_lo, sizeof lo);
  memcpy(hi, range_hi, sizeof hi);
  cut_loops(w, lo, hi);
  set_flags(w, mutant(SC_MUTANT_CLAMPED) ? lo : range_lo, mutant(SC_MUTANT_CLAMPED) ? hi : range_hi, &call);
  for (int i = 0; i < w->nest->nkloops; i++) {
    int d = w->nest->kloop[i];
    if (hi[d] <= lo[d]) empty = true;
    call.trips[i] = hi[d] > lo[d] ? hi[d] - lo[d] : 0;
  }
  if (empty && (mutant(SC_MUTANT_EMPTY) || (!call.first && !call.last))) return SC_OK;
  for (int d = 0; d < w->task->ndims; d++) {
    int seg;
    int32_t tile = hi[d] > lo[d] ? lo[d] : range_lo[d];
    at.start[d] = sc_tile_start(&w->nest->dim[d], tile, &seg);
    at.size[d] = w->nest->dim[d].seg[seg].size;
    class[d] = w->nest->dim[d].class_of[seg];
  }
  const sc_kernel *kernel = find_kernel(w, class);
  if (!kernel) return sc_fail(w->err, SC_NOMEM, "out of memory");
  for (int a = 0; a < w->task->naccesses; a++)
    bind_argument(w, a, a ? w->nest->operand[a].pack : -1, &at, &call.operand[a]);
  if (w->nest->acc >= 0) bind_argument(w, 0, w->nest->acc, &at, &call.partial);
  return sc_run_kernel(kernel, &call, w->err);
}

/* A free loop of the kernel is cut where its tiles change class. */
static sc_status run_kernel(walker *w) {
  if (!w->nest->free_kloop || mutant(SC_MUTANT_SPLIT)) return call_kernel(w, w->lo, w->hi);
  int32_t lo[SC_MAX_DIMS], hi[SC_MAX_DIMS];
  int d = w->nest->kloop[0], seg;
  memcpy(lo, w->lo, sizeof lo);
  memcpy(hi, w->hi, sizeof hi);
  for (lo[d] = w->lo[d]; lo[d] < w->hi[d]; lo[d] = hi[d]) {
    sc_tile_start(&w->nest->dim[d], lo[d], &seg);
    int32_t end = w->nest->dim[d].seg[seg].first + w->nest->dim[d].seg[seg].count;
    hi[d] = end < w->hi[d] ? end : w->hi[d];
    SC_TRY(call_kernel(w, lo, hi));
  }
  return SC_OK;
}

/* ---- loops ---- */

static sc_status run_loop(walker *w, int node) {
  int d = w->nest->node[node].dim;
  int32_t lo = w->lo[d], hi = w->hi[d], step = w->nest->node[node].step;
  sc_status status = SC_OK;
  for (int64_t x = lo; x < hi && status == SC_OK; x += step) {
    w->lo[d] = (int32_t)x;
    w->hi[d] = x + step < hi ? (int32_t)(x + step) : hi;
    status = run(w, node + 1);
  }
  w->lo[d] = lo;
  w->hi[d] = hi;
  return status;
}

/* The collapsed loops from `node` on: counts their iterations' work, and runs those whose middle falls to this
 * thread. */
static sc_status run_parallel(walker *w, int node, int count, int64_t work, int64_t total, int64_t *before) {
  if (count == 0) {
    int64_t middle = 2 * *before + work;
    *before += work;
    if (total && middle * w->nthreads / (2 * total) == w->thread) return run(w, node);
    return SC_OK;
  }
  const sc_node *loop = &w->nest->node[node];
  const sc_tiling *tiling = &w->nest->dim[loop->dim];
  int32_t lo = w->lo[loop->dim], hi = w->hi[loop->dim];
  sc_status status = SC_OK;
  for (int64_t x = lo; x < hi && status == SC_OK; x += loop->step) {
    w->lo[loop->dim] = (int32_t)x;
    w->hi[loop->dim] = x + loop->step < hi ? (int32_t)(x + loop->step) : hi;
    int32_t elems = end_of(tiling, w->hi[loop->dim]) - end_of(tiling, w->lo[loop->dim]);
    status = run_parallel(w, node + 1, count - 1, work * elems, total, before);
  }
  w->lo[loop->dim] = lo;
  w->hi[loop->dim] = hi;
  return status;
}

static sc_status run_threads(walker *w, int node) {
  int count = w->nest->node[node].count;
  int64_t total = 0, before = 0;
  SC_TRY(run_parallel(w, node + 1, count, 1, 0, &total));
  for (w->thread = 0; w->thread < w->nthreads; w->thread++) {
    before = 0;
    SC_TRY(run_parallel(w, node + 1, count, 1, total, &before));
  }
  w->thread = 0;
  return SC_OK;
}

static sc_status run(walker *w, int node) {
  switch ((sc_node_kind)w->nest->node[node].kind) {
  case SC_NODE_LOOP: return run_loop(w, node);
  case SC_NODE_PAR: return run_threads(w, node);
  case SC_NODE_PACK:
  case SC_NODE_ACC: return run_pack(w, node);
  default: return run_kernel(w);
  }
}

/* ---- all of it ---- */

static bool new_view(sc_view *view, int64_t elems, sc_type type, const char *name, bool watched) {
  *view = (sc_view){.elems = elems, .type = type, .name = name};
  view->at = malloc((size_t)elems * sc_type_bytes(type));
  view->owner = watched ? calloc((size_t)elems, 1) : NULL;
  return view->at && (!watched || view->owner);
}

static bool prepare(walker *w, void *const *buffers) {
  const sc_task *task = w->task;
  for (int t = 0; t < task->ntensors; t++)
    w->tensor[t] = (sc_view){
        .at = buffers[t], .elems = task->tensor[t].elems, .type = task->tensor[t].type, .name = task->tensor[t].name};
  sc_view *out = &w->tensor[task->access[0].tensor];
  SC_ASSERT(out->elems > 0);
  if (w->nthreads > 1 && !(out->owner = calloc((size_t)out->elems, 1))) return false;
  for (int p = 0; p < w->nest->npacks; p++) {
    const sc_nest_pack *pack = &w->nest->pack[p];
    const sc_tensor *tensor = &task->tensor[task->access[pack->access].tensor];
    sc_type type = pack->access ? tensor->type : sc_accumulator_type(task);
    bool shared_sums = pack->access == 0 && !pack->per_thread && w->nthreads > 1;
    for (int t = 0; t < (pack->per_thread ? w->nthreads : 1); t++)
      if (!new_view(&w->pack[p][t], pack->elems, type, tensor->name, shared_sums)) return false;
  }
  for (int d = 0; d < task->ndims; d++) w->hi[d] = w->nest->dim[d].tiles;
  return true;
}

static void clean(walker *w) {
  for (int t = 0; t < w->task->ntensors; t++) free(w->tensor[t].owner);
  for (int p = 0; p < SC_MAX_PACKS; p++)
    for (int t = 0; t < MAX_THREADS; t++) {
      free(w->pack[p][t].at);
      free(w->pack[p][t].owner);
    }
  for (int i = 0; i < SC_MAX_KERNELS; i++) {
    for (int j = i + 1; j < SC_MAX_KERNELS; j++)
      if (w->kernel[j] == w->kernel[i]) w->kernel[j] = NULL;
    free(w->kernel[i]);
  }
}

sc_status sc_run_nest(const sc_task *task, const sc_nest *nest, void *const *buffers, int nthreads, sc_error *err) {
  if (nthreads < 1 || nthreads > MAX_THREADS)
    return sc_fail(err, SC_USAGE, "%d threads: 1 to %d are possible", nthreads, MAX_THREADS);
  walker *w = calloc(1, sizeof *w);
  if (!w) return sc_fail(err, SC_NOMEM, "out of memory");
  w->task = task;
  w->nest = nest;
  w->err = err;
  w->nthreads = nthreads;
  sc_status status = prepare(w, buffers) ? run(w, 0) : sc_fail(err, SC_NOMEM, "out of memory");
  clean(w);
  free(w);
  return status;
}
