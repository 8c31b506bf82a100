/* From a kernel to the list of what one pass over its register tile computes: pieces of the vector dim, elements of the
 * other free dims, taps of the unrolled reductions, and for every combination that no peeled border drops a product of
 * two values. Values with equal addresses are one. */
#include <string.h>

#include "codegen/internal.h"

offset sc_plan_offset(const sc_kernel *k, const sc_operand *o, const coord *at) {
  offset sum = {0};
  for (int d = 0; d < k->ndims; d++) {
    if (!(o->dims >> d & 1)) continue;
    int64_t n = at->at[d];
    if (o->block[d]) {
      sum.literal += n / o->block[d] * o->block_stride[d];
      n %= o->block[d];
    }
    if (o->stride[d] == SC_STRIDE_SLOT) sum.slot[d] = (int16_t)n;
    else sum.literal += n * o->stride[d];
  }
  return sum;
}

static int taps_of(const sc_kernel *k, int i) { return k->peel[i].red == UINT8_MAX ? 1 : k->tile[k->peel[i].red]; }

/* A peeled border drops the products of elements with the taps that fall outside. */
static bool peel_drops(const sc_kernel *k, int i, int64_t element, int64_t tap) {
  int64_t cf = k->peel[i].cf, cr = k->peel[i].cr, at = cf * element + cr * tap;
  int64_t span = cf * (k->tile[k->peel[i].free] - 1) + cr * (taps_of(k, i) - 1) + 1;
  return at < k->peel[i].lo || at >= span - k->peel[i].hi;
}

static bool same_taps(const sc_kernel *k, int a, int b) {
  for (int i = 0; i < k->npeels; i++) {
    if (k->peel[i].free != k->vector_dim) continue;
    for (int t = 0; t < taps_of(k, i); t++)
      if (peel_drops(k, i, a, t) != peel_drops(k, i, b, t)) return false;
  }
  return true;
}

/* How many elements of the vector dim from `at` on can share a vector: no operand starts another block among them, and
 * a peeled border treats them alike. */
static int piece_room(const emitter *e, int at, int size) {
  const sc_kernel *k = e->kernel;
  int v = k->vector_dim, room = 1;
  while (at + room < size && room < k->lanes && same_taps(k, at, at + room)) room++;
  for (int i = 0; i <= SC_OPERAND_PARTIAL; i++) {
    if (i >= k->noperands && (i != SC_OPERAND_PARTIAL || !k->buffered)) continue;
    const sc_operand *o = sc_plan_operand(k, i);
    if (o->dims >> v & 1 && o->block[v] && o->block[v] - at % o->block[v] < room) room = o->block[v] - at % o->block[v];
  }
  return room;
}

/* Greedy pieces of falling powers of two. */
static sc_status plan_pieces(emitter *e, sc_error *err) {
  const sc_kernel *k = e->kernel;
  int v = k->vector_dim == 255 ? -1 : k->vector_dim, size = v < 0 ? 1 : k->tile[v];
  e->piece = sc_arena_alloc(e->arena, SC_MAX_PIECES, sizeof *e->piece);
  if (!e->piece) return sc_fail(err, SC_NOMEM, "out of memory");
  for (int at = 0; at < size;) {
    int room = v < 0 ? 1 : piece_room(e, at, size), lanes = k->lanes;
    while (lanes > room) lanes /= 2;
    if (e->npieces == SC_MAX_PIECES)
      return sc_fail(err, SC_LIMIT, "a register tile of %d elements in vectors of %d has more than %d pieces", size,
                     k->lanes, SC_MAX_PIECES);
    e->piece[e->npieces++] = (piece){(int16_t)at, (int16_t)lanes};
    at += lanes;
  }
  return SC_OK;
}

/* All coordinates of the dims in `dims`, the last dim fastest. */
static coord *enumerate(emitter *e, uint16_t dims, int *count) {
  int64_t n = 1;
  for (int d = 0; d < e->kernel->ndims; d++)
    if (dims >> d & 1) n *= e->kernel->tile[d];
  coord *all = n <= INT32_MAX ? sc_arena_alloc(e->arena, (size_t)n, sizeof *all) : NULL;
  *count = (int)n;
  for (int i = 0; all && i < n; i++)
    for (int d = e->kernel->ndims - 1, rest = i; d >= 0; d--) {
      if (!(dims >> d & 1)) continue;
      all[i].at[d] = (int16_t)(rest % e->kernel->tile[d]);
      rest /= e->kernel->tile[d];
    }
  return all;
}

static bool is_dropped(const sc_kernel *k, const coord *element, const coord *tap, int piece_at) {
  for (int i = 0; i < k->npeels; i++) {
    int f = k->peel[i].free, r = k->peel[i].red;
    if (peel_drops(k, i, f == k->vector_dim ? piece_at : element->at[f], r == UINT8_MAX ? 0 : tap->at[r])) return true;
  }
  return false;
}

static bool same_value(const value *a, const value *b) {
  return a->operand == b->operand && a->piece == b->piece && a->lanes == b->lanes && a->at.literal == b->at.literal &&
         memcmp(a->at.slot, b->at.slot, sizeof a->at.slot) == 0;
}

/* Where the search for a value begins. Field by field: what pads a struct has no defined bytes. */
static uint32_t hash_of(const emitter *e, const value *v) {
  uint64_t head = (uint64_t)(uint16_t)v->operand << 32 | (uint64_t)(uint16_t)v->piece << 16 | (uint16_t)v->lanes;
  uint64_t hash = sc_hash64(&v->at.literal, sizeof v->at.literal, head);
  return (uint32_t)sc_hash64(v->at.slot, sizeof v->at.slot, hash) & e->table_mask;
}

/* The number of the value that equals this one: an earlier one, or else it becomes the last. */
static int32_t find_value(emitter *e, const value *v) {
  uint32_t h = hash_of(e, v);
  for (; e->table[h] >= 0; h = (h + 1) & e->table_mask)
    if (same_value(&e->value[e->table[h]], v)) return e->table[h];
  e->value[e->nvalues] = *v;
  return e->table[h] = e->nvalues++;
}

static void add_product(emitter *e, int tap, int element, int p) {
  const sc_kernel *k = e->kernel;
  if (is_dropped(k, &e->elem[element], &e->tap[tap], e->piece[p].at)) return;
  coord at;
  for (int d = 0; d < k->ndims; d++) at.at[d] = (int16_t)(e->elem[element].at[d] + e->tap[tap].at[d]);
  if (k->vector_dim != 255) at.at[k->vector_dim] = e->piece[p].at;
  product *sum = &e->product[e->nproducts++];
  sum->acc = element * e->npieces + p;
  sum->tap = tap;
  for (int i = 0; i < 2; i++) {
    const sc_operand *o = &k->operand[i + 1];
    value v = {.at = sc_plan_offset(k, o, &at),
               .operand = (int16_t)(i + 1),
               .piece = (int16_t)(o->vector ? p : SC_ALL_PIECES),
               .lanes = e->piece[p].lanes};
    sum->value[i] = find_value(e, &v);
  }
}

sc_status sc_plan_kernel(emitter *e, sc_error *err) {
  const sc_kernel *k = e->kernel;
  uint16_t all = (uint16_t)((1u << k->ndims) - 1), vector = k->vector_dim == 255 ? 0 : (uint16_t)(1u << k->vector_dim);
  e->nargs = sc_kernel_args(k, e->arg);
  SC_TRY(plan_pieces(e, err));
  e->elem = enumerate(e, all & (uint16_t) ~(k->reduce | vector), &e->nelems);
  e->tap = enumerate(e, k->reduce, &e->ntaps);
  int64_t products = (int64_t)e->nelems * e->ntaps * e->npieces;
  if (products > 1 << 20) return sc_fail(err, SC_LIMIT, "a kernel of %lld multiply-adds in a row", (long long)products);
  uint32_t slots = 4;
  while (slots < 4 * products) slots *= 2;
  e->product = sc_arena_alloc(e->arena, (size_t)products, sizeof *e->product);
  e->value = sc_arena_alloc(e->arena, 2 * (size_t)products, sizeof *e->value);
  e->table = sc_arena_alloc(e->arena, slots, sizeof *e->table);
  if (!e->elem || !e->tap || !e->product || !e->value || !e->table) return sc_fail(err, SC_NOMEM, "out of memory");
  e->table_mask = slots - 1;
  memset(e->table, -1, slots * sizeof *e->table);
  for (int t = 0; t < e->ntaps; t++)
    for (int i = 0; i < e->nelems; i++)
      for (int p = 0; p < e->npieces; p++) add_product(e, t, i, p);
  return SC_OK;
}
