/* The nodes of a nest, from the top band down. Of each band: its packs, then its loops in order, of which some may be
 * parallel. Loops over one dim with nothing between are one loop, packs side by side stand in the order of their
 * accesses: so texts that mean the same give the same nodes. */
#include "ir/lowering.h"
#include "ir/mutant.h"

typedef struct builder {
  sc_lowering *lw;
  bool parallel; /* the PAR node stands above */
  uint8_t merge_from; /* loops before this node keep apart from what follows: they are parallel */
} builder;

static sc_node *add_node(sc_nest *nest, sc_node_kind kind) {
  SC_ASSERT(nest->nnodes < SC_MAX_NODES); /* 4 bands of 10 dims, 4 packs, PAR and KERNEL */
  sc_node *node = &nest->node[nest->nnodes++];
  *node = (sc_node){.kind = (uint8_t)kind};
  return node;
}

/* ---- packs ---- */

static sc_status add_pack(builder *b, int p) {
  sc_lowering *lw = b->lw;
  sc_nest *nest = lw->nest;
  const sc_pack *pack = &lw->schedule->pack[p];
  sc_nest_pack *lowered = &nest->pack[nest->npacks];
  bool identity;
  if (lw->only_orders) { /* the packs stand in their order already */
    if (lw->kept_packs >> p & 1) add_node(nest, SC_NODE_PACK), nest->npacks++;
    return SC_OK;
  }
  SC_TRY(sc_lower_pack(lw, p, lowered, &identity));
  lowered->per_thread = b->parallel && !lowered->ahead;
  if (pack->per_thread && !lowered->per_thread) return sc_lower_illegal(lw, SC_RULE_PRIVATE, (int)pack->access);
  if (identity) return SC_OK;
  lw->kept_packs |= (uint8_t)(1u << p);
  add_node(nest, SC_NODE_PACK);
  int i = nest->npacks++;
  for (int n = nest->nnodes - 1; n > 0 && nest->node[n - 1].kind == SC_NODE_PACK; n--, i--) {
    sc_nest_pack *a = &nest->pack[i - 1], *c = &nest->pack[i], swapped = *a;
    if (a->ahead != c->ahead || a->access < c->access) break;
    *a = *c;
    *c = swapped;
  }
  return SC_OK;
}

/* The buffer of partial sums stands outside every loop over a reduction. */
static sc_status check_acc(const sc_lowering *lw) {
  const sc_nest *nest = lw->nest;
  for (int i = 0; i < nest->nnodes; i++)
    if (nest->node[i].kind == SC_NODE_LOOP && lw->task->dim[nest->node[i].dim].reduce)
      return sc_lower_illegal(lw, SC_RULE_ACC_INSIDE, 0, (int)nest->node[i].dim);
  return SC_OK;
}

static sc_status add_packs(builder *b, int band) {
  sc_lowering *lw = b->lw;
  for (int p = 0; p < lw->schedule->npacks; p++) {
    const sc_pack *pack = &lw->schedule->pack[p];
    bool ahead = lw->ahead_packs >> p & 1;
    if (band > lw->schedule->nbands ? !ahead : ahead || pack->band != band) continue;
    if (pack->access == 0) SC_TRY(check_acc(lw));
    SC_TRY(add_pack(b, p));
  }
  return SC_OK;
}

/* ---- loops ---- */

static void add_loop(builder *b, int d, int32_t step) {
  sc_nest *nest = b->lw->nest;
  sc_node *last = nest->nnodes > b->merge_from ? &nest->node[nest->nnodes - 1] : NULL;
  if (last && last->kind == SC_NODE_LOOP && last->dim == d) {
    last->step = step;
    return;
  }
  sc_node *node = add_node(nest, SC_NODE_LOOP);
  node->dim = (uint8_t)d;
  node->step = step;
}

/* Which of `order` make trips, checked to be all that do. */
static sc_status trips_in_order(const sc_lowering *lw, int band, uint8_t *dim, int *n) {
  const sc_schedule *s = lw->schedule;
  uint16_t named = 0, needed = (uint16_t)(lw->trips[band] & ~(band == 1 ? lw->kloops : 0));
  *n = 0;
  if (s->norder[band] > SC_MAX_DIMS)
    return sc_lower_illegal(lw, SC_RULE_RANGE, "the length of an order", (int64_t)s->norder[band], (int64_t)0,
                            (int64_t)SC_MAX_DIMS);
  for (int i = 0; i < s->norder[band]; i++) {
    int d = s->order[band][i];
    if (d >= lw->task->ndims)
      return sc_lower_illegal(lw, SC_RULE_DIM, "an order", (int64_t)d, (int64_t)lw->task->ndims);
    if (named >> d & 1) return sc_lower_illegal(lw, SC_RULE_ORDER_TWICE, band, d);
    named |= (uint16_t)(1u << d);
    if (needed >> d & 1) dim[(*n)++] = (uint8_t)d;
    else if (lw->trips[band] >> d & 1) return sc_lower_illegal(lw, SC_RULE_ORDER_KERNEL, d, band);
  }
  if (!(needed & ~named)) return SC_OK;
  int d = __builtin_ctz(needed & ~named);
  int32_t below = lw->step[band - 1][d];
  return sc_lower_illegal(lw, SC_RULE_ORDER_MISSING, d, (int64_t)((lw->step[band][d] + below - 1) / below), band);
}

/* Position in `dim` where the parallel loops begin. */
static sc_status find_parallel(const sc_lowering *lw, const uint8_t *dim, int n, int *first) {
  const sc_schedule *s = lw->schedule;
  int band = s->parallel_band;
  uint16_t want = 0, here = 0;
  for (int i = 0; i < s->nparallel; i++) {
    int d = s->parallel[i], at = 0;
    if (d >= lw->task->ndims)
      return sc_lower_illegal(lw, SC_RULE_DIM, "`parallel`", (int64_t)d, (int64_t)lw->task->ndims);
    if (lw->task->dim[d].reduce) return sc_lower_illegal(lw, SC_RULE_PARALLEL_REDUCE, d);
    while (at < n && dim[at] != d) at++;
    if (at == n) return sc_lower_illegal(lw, SC_RULE_PARALLEL_TRIPS, d, (int64_t)band);
    want |= (uint16_t)(1u << d);
  }
  for (*first = 0; !(want >> dim[*first] & 1);) (*first)++;
  for (int i = *first; i < n && i < *first + s->nparallel; i++) here |= (uint16_t)(1u << dim[i]);
  if (want != here || __builtin_popcount(want) != s->nparallel)
    return sc_lower_illegal(lw, SC_RULE_PARALLEL_ADJACENT, (int64_t)band);
  return SC_OK;
}

static sc_status add_loops(builder *b, int band) {
  const sc_schedule *s = b->lw->schedule;
  uint8_t dim[SC_MAX_DIMS];
  int n, par = -1, npar = s->nparallel && s->parallel_band == band ? s->nparallel : 0;
  SC_TRY(trips_in_order(b->lw, band, dim, &n));
  if (npar) SC_TRY(find_parallel(b->lw, dim, n, &par));
  for (int i = 0; i < n; i++) {
    if (i == par) {
      add_node(b->lw->nest, SC_NODE_PAR)->count = (uint8_t)npar;
      b->parallel = true;
    }
    add_loop(b, dim[i], b->lw->step[band - 1][dim[i]]);
    if (npar && i == par + npar - 1) b->merge_from = b->lw->nest->nnodes;
  }
  return SC_OK;
}

/* ---- all nodes ---- */

/* Numbers the packs, and finds what the buffer of partial sums means for the loops around it. */
static sc_status finish(builder *b) {
  sc_lowering *lw = b->lw;
  sc_nest *nest = lw->nest;
  int reduce = -1, loop = -1, acc_loop = -1, i = 0;
  bool acc_shared = false;
  nest->acc = -1;
  for (int n = 0; n < nest->nnodes; n++) {
    sc_node *node = &nest->node[n];
    node->end = nest->nnodes;
    if (node->kind == SC_NODE_LOOP) {
      loop = node->dim;
      if (reduce < 0 && lw->task->dim[loop].reduce) reduce = loop;
    } else if (node->kind == SC_NODE_PACK) {
      node->pack = (uint8_t)i;
      if (nest->pack[i].access == 0) {
        node->kind = SC_NODE_ACC;
        nest->acc = (int8_t)i;
        acc_loop = loop;
        acc_shared = b->parallel && !nest->pack[i].per_thread;
      }
      i++;
    }
  }
  const sc_tensor *out = &lw->task->tensor[lw->task->access[0].tensor];
  if (nest->acc >= 0 && reduce < 0) return sc_lower_illegal(lw, SC_RULE_ACC_IDLE, 0);
  if (nest->acc < 0 && reduce >= 0 && out->type != sc_accumulator_type(lw->task))
    return sc_lower_illegal(lw, SC_RULE_ACC_TYPE, 0, sc_type_name(out->type), reduce);
  if (acc_shared && acc_loop >= 0) return sc_lower_illegal(lw, SC_RULE_PARALLEL_ACC, 0, acc_loop);
  return SC_OK;
}

sc_status sc_lower_nodes(sc_lowering *lw) {
  const sc_schedule *s = lw->schedule;
  builder b = {.lw = lw};
  lw->nest->nnodes = lw->nest->npacks = 0;
  if (s->nparallel && (s->parallel_band < 1 || s->parallel_band > s->nbands))
    return sc_lower_illegal(lw, SC_RULE_PARALLEL_BAND, (int64_t)s->parallel_band, (int64_t)s->nbands);
  if (s->nparallel > SC_MAX_DIMS)
    return sc_lower_illegal(lw, SC_RULE_RANGE, "the number of parallel dims", (int64_t)s->nparallel, (int64_t)0,
                            (int64_t)SC_MAX_DIMS);
  SC_TRY(add_packs(&b, s->nbands + 1));
  for (int band = s->nbands; band >= 1; band--) {
    if (!mutant(SC_MUTANT_PACK_BAND)) SC_TRY(add_packs(&b, band));
    SC_TRY(add_loops(&b, band));
    if (mutant(SC_MUTANT_PACK_BAND)) SC_TRY(add_packs(&b, band));
  }
  add_node(lw->nest, SC_NODE_KERNEL);
  return finish(&b);
}
