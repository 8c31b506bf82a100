/* Conditions on what the kernel table knows of a nest's kernels. Which kernels those are takes the tiles of all dims
 * and the late choices down to the packs: so these conditions wait for the last pack. Prefixes remember the kinds of
 * numbers (kinds.c) and the late choices; then a schedule of these is lowered, and its kernels are looked up. */
#include <string.h>

#include "sampler/program.h"

typedef struct facts {
  uint8_t known; /* bit sc_fact */
  double value[SC_FACTS];
} facts;

/* ---- while conditions are read ---- */

static bool side_asks(const sc_cond_node *node, int n) {
  for (int i = 0; i < n; i++)
    if (node[i].op == SC_COND_QUANTITY &&
        (node[i].quantity == SC_Q_spills || node[i].quantity == SC_Q_code || node[i].quantity == SC_Q_rate))
      return true;
  return false;
}

bool sc_cond_asks_kernels(const sc_cond *cond) {
  return side_asks(cond->left, cond->nleft) || side_asks(cond->right, cond->nright);
}

static sc_status start_conds(sc_tree *t) {
  sc_combo *combo = t->combo;
  if (combo->kernel_cond) return SC_OK;
  combo->kernel_cond = sc_arena_alloc(t->bound->arena, SC_MAX_KERNEL_CONDS, sizeof *combo->kernel_cond);
  if (!combo->kernel_cond) return sc_fail(t->err, SC_NOMEM, "out of memory");
  combo->compiler_hash = sc_compiler_hash(&t->bound->machine->compiler[combo->compile[0]]);
  return SC_OK;
}

sc_status sc_kernel_cond_add(sc_tree *t, int root, int relation, int late) {
  sc_combo *combo = t->combo;
  SC_TRY(start_conds(t));
  if (combo->nkernel_conds == SC_MAX_KERNEL_CONDS)
    return sc_space_fail(t->bound->space, &t->cond->at, t->err, SC_LIMIT,
                         "more than %d alternatives of conditions on kernels", SC_MAX_KERNEL_CONDS);
  sc_kernel_cond *cond = &combo->kernel_cond[combo->nkernel_conds];
  *cond = (sc_kernel_cond){.cond = (int)(t->cond - t->bound->space->cond),
                           .relation = (uint8_t)relation,
                           .facts = t->asks_facts,
                           .late = (int8_t)late,
                           .nnodes = (int16_t)(root + 1)};
  cond->node = sc_arena_alloc(t->bound->arena, (size_t)cond->nnodes, sizeof *cond->node);
  if (!cond->node) return sc_fail(t->err, SC_NOMEM, "out of memory");
  memcpy(cond->node, t->node, (size_t)cond->nnodes * sizeof *cond->node);
  for (int i = 0; i <= root; i++)
    if (cond->node[i].op == SC_TREE_LEAF)
      combo->domain[cond->node[i].dim].asked |= (uint16_t)(1u << cond->node[i].leaf);
  combo->nkernel_conds++;
  return SC_OK;
}

/* ---- a schedule with the same kernels ---- */

static const sc_value_of_dim *value_of(const sc_space_bound *bound, const sc_domain *domain, const sc_bits *bits) {
  uint64_t kind = bits->kinds >> domain->kind_shift & (((uint64_t)1 << domain->kind_bits) - 1);
  const sc_place *place = &domain->place[*sc_kind_like(bound, domain, (uint32_t)kind, bits) - 1];
  return &domain->value[domain->class[place->class].first + place->member];
}

/* Its loops stand in any order, none of them parallel: kernels do not ask. */
static void write_schedule(const sc_space_bound *bound, const sc_combo *combo, const sc_bits *bits,
                           const uint8_t *chosen, sc_schedule *s) {
  const sc_edge none = {0};
  uint8_t kept[SC_MAX_KLOOPS];
  uint16_t kernel = 0;
  sc_schedule_start(bound, s);
  sc_apply(bound, combo, (sc_level){SC_LEVEL_COMBO, 0}, &none, 0, s);
  for (int l = 0; l < combo->nlevels; l++) {
    const sc_domain *domain = &combo->domain[combo->dim[l]];
    sc_apply_value(bound, combo->dim[l], domain, value_of(bound, domain, bits), s);
  }
  for (int var = SC_VAR_LOOP; var <= sc_last_kernel_var(bound); var++) {
    if (!sc_var_is_level(bound, var)) continue;
    const sc_edge edge = {.what = chosen[var]};
    sc_apply(bound, combo, (sc_level){SC_LEVEL_LATE, (uint8_t)var}, &edge, 0, s);
  }
  for (int i = sc_kept_loops(bound->late[combo->late_id], bits, chosen[SC_VAR_LOOP], kept); i > 0; i--)
    kernel |= (uint16_t)(1u << kept[i - 1]);
  for (int band = 1; band <= bound->nbands; band++)
    for (int d = 0; d < bound->task->ndims; d++)
      if ((bits->mask[band - 1] & ~(band == 1 ? kernel : 0)) >> d & 1) s->order[band][s->norder[band]++] = (uint8_t)d;
}

/* ---- its kernels ---- */

/* A class without borders before one with them. */
static uint8_t largest_class(const sc_tiling *tiling) {
  int largest = 0;
  for (int i = 1; i < tiling->nsegs; i++) {
    const sc_seg *a = &tiling->seg[largest], *b = &tiling->seg[i];
    if (b->size > a->size || (b->size == a->size && b->lo + b->hi < a->lo + a->hi)) largest = i;
  }
  return tiling->class_of[largest];
}

static const sc_kernel_fact *look_up(const sc_space_bound *bound, const sc_combo *combo, const sc_nest *nest,
                                     const uint8_t *class_of_dim) {
  sc_kernel kernel;
  sc_nest_kernel(bound->task, nest, class_of_dim, &kernel);
  return sc_kernel_table_find(bound->kernels, sc_kernel_hash(&kernel, true), combo->compiler_hash);
}

/* Of one trip, padding counted as computed: that of a kernel's innermost loop, of the whole call where it has none. */
static void rate_largest(const sc_space_bound *bound, const sc_combo *combo, const sc_nest *nest, facts *f) {
  uint8_t class[SC_MAX_DIMS];
  double flop = 2, peak = bound->machine->peak_flop_per_s.value;
  for (int d = 0; d < bound->task->ndims; d++) {
    class[d] = largest_class(&nest->dim[d]);
    flop *= nest->dim[d].max_tile;
  }
  const sc_kernel_fact *fact = look_up(bound, combo, nest, class);
  if (!fact || !fact->measured || !(peak > 0)) return;
  double trip_ns = nest->nkloops ? (double)fact->slope_ns : (double)fact->first_ns;
  if (!(trip_ns > 0)) return;
  f->known |= 1u << SC_FACT_RATE;
  f->value[SC_FACT_RATE] = 100 * flop / (trip_ns * 1e-9) / peak;
}

static void add_static(const sc_kernel_fact *fact, facts *f) {
  if (fact->spills >= 0) {
    f->known |= 1u << SC_FACT_SPILLS;
    if (fact->spills > f->value[SC_FACT_SPILLS]) f->value[SC_FACT_SPILLS] = fact->spills;
  }
  if (fact->code_bytes >= 0) {
    f->known |= 1u << SC_FACT_CODE;
    f->value[SC_FACT_CODE] += fact->code_bytes;
  }
}

/* A number of mixed radix: a digit for each dim. */
static void add_all(const sc_space_bound *bound, const sc_combo *combo, const sc_nest *nest, facts *f) {
  for (int v = 0; v < nest->nvariants; v++) {
    uint8_t class[SC_MAX_DIMS];
    for (int d = 0, rest = v; d < bound->task->ndims; d++) {
      class[d] = (uint8_t)(rest % nest->dim[d].nclasses);
      rest /= nest->dim[d].nclasses;
    }
    const sc_kernel_fact *fact = look_up(bound, combo, nest, class);
    if (fact) add_static(fact, f);
  }
}

static facts facts_of(const sc_space_bound *bound, const sc_combo *combo, const sc_bits *bits, const uint8_t *chosen) {
  sc_schedule s;
  sc_nest nest;
  uint8_t asked = 0;
  facts f = {0};
  for (int i = 0; i < combo->nkernel_conds; i++) asked |= combo->kernel_cond[i].facts;
  write_schedule(bound, combo, bits, chosen, &s);
  uint8_t unroll = s.unroll;
  s.unroll = 1; /* the loop of another of its kind may be shorter */
  /* What is illegal is not chosen; but where a tensor is larger than packs may be, another of its kind can be legal. */
  if (sc_lower(bound->task, &s, &nest, NULL) != SC_OK) return f;
  nest.unroll = unroll;
  if (asked >> SC_FACT_RATE & 1) rate_largest(bound, combo, &nest, &f);
  if (asked & (1u << SC_FACT_SPILLS | 1u << SC_FACT_CODE)) add_all(bound, combo, &nest, &f);
  return f;
}

/* ---- settling ---- */

static bool holds(const sc_space_bound *bound, const sc_combo *combo, const sc_kernel_cond *cond, const sc_bits *bits,
                  const facts *f) {
  double value[SC_MAX_PNODES];
  if (cond->facts & ~f->known) return true;
  for (int i = 0; i < cond->nnodes; i++) {
    const sc_pnode *n = &cond->node[i];
    if (n->op == SC_TREE_CONSTANT) value[i] = n->value;
    else if (n->op == SC_TREE_FACT) value[i] = f->value[n->leaf];
    else if (n->op == SC_TREE_LEAF) {
      const sc_domain *domain = &combo->domain[n->dim];
      const sc_value_of_dim *of = value_of(bound, domain, bits);
      value[i] = sc_leaf_value(bound, combo, n->dim, &domain->runset[of->runset], of->step, n->leaf);
    } else value[i] = sc_tree_apply(n->op, value[n->a], value[n->b]);
  }
  return sc_relation_holds(cond->relation, value[cond->nnodes - 1]);
}

/* With these choices, may the condition behind this guard count? */
static bool may_count(const sc_space_bound *bound, const sc_late_guard *guard, const uint8_t *chosen) {
  for (int var = SC_VAR_LOOP; var <= sc_last_kernel_var(bound); var++)
    if (!(guard->alternatives[var] >> chosen[var] & 1)) return false;
  return true;
}

void sc_kernel_conds_check(const sc_space_bound *bound, const sc_combo *combo, const sc_bits *bits,
                           const uint8_t *chosen, sc_verdict *verdict) {
  const sc_late *late = bound->late[combo->late_id];
  const facts f = facts_of(bound, combo, bits, chosen);
  for (int i = 0; i < combo->nkernel_conds; i++) {
    const sc_kernel_cond *cond = &combo->kernel_cond[i];
    if (holds(bound, combo, cond, bits, &f)) continue;
    if (cond->late < 0) verdict->broken = 1;
    else if (may_count(bound, &late->guard[cond->late], chosen)) verdict->late |= (uint64_t)1 << cond->late;
  }
}
