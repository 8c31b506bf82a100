/* Conditions as programs. The nodes of a condition's tree are computed when the last dim they depend on is chosen:
 * what a state must remember of a condition is the values of the subtrees that are complete. Three things keep states
 * few:
 *
 *   a condition that the rest can no longer break, or no longer mend, is settled (intervals of the missing leaves);
 *   when one quantity of one dim is missing, only how far it may go is remembered, found by bisection;
 *   conditions on one dim alone make its domain smaller beforehand. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sampler/program.h"

/* ---- intervals ---- */

typedef struct interval {
  double lo, hi;
} interval;

static interval bounds(const sc_combo *combo, const sc_pnode *node, int i, interval *of) {
  const sc_pnode *n = &node[i];
  if (n->op == SC_TREE_CONSTANT) return of[i] = (interval){n->value, n->value};
  if (n->op == SC_TREE_LEAF)
    return of[i] = (interval){combo->domain[n->dim].lo[n->leaf], combo->domain[n->dim].hi[n->leaf]};
  interval a = bounds(combo, node, n->a, of), b = bounds(combo, node, n->b, of), r;
  double corner[4] = {sc_tree_apply(n->op, a.lo, b.lo), sc_tree_apply(n->op, a.lo, b.hi),
                      sc_tree_apply(n->op, a.hi, b.lo), sc_tree_apply(n->op, a.hi, b.hi)};
  r.lo = r.hi = corner[0];
  for (int k = 1; k < 4; k++) {
    if (!(corner[k] >= r.lo)) r.lo = corner[k];
    if (!(corner[k] <= r.hi)) r.hi = corner[k];
  }
  if (n->op == SC_COND_DIV && b.lo <= 0 && b.hi >= 0) r = (interval){-INFINITY, INFINITY};
  return of[i] = r;
}

static int sign_of(interval x) { return x.lo >= 0 ? 1 : x.hi <= 0 ? -1 : 0; }

/* Sets best and worst of every leaf; false where it is not known which way a leaf moves the whole. */
static bool directions(sc_pnode *node, int i, int direction, const interval *of) {
  sc_pnode *n = &node[i];
  if (n->op == SC_TREE_CONSTANT) return true;
  if (n->op == SC_TREE_LEAF) {
    n->best = direction > 0 ? of[i].lo : of[i].hi;
    n->worst = direction > 0 ? of[i].hi : of[i].lo;
    return direction != 0;
  }
  int a = direction, b = direction;
  if (n->op == SC_COND_MUL) {
    a *= sign_of(of[n->b]);
    b *= sign_of(of[n->a]);
  } else if (n->op == SC_COND_DIV) {
    bool safe = of[n->b].lo > 0 || of[n->b].hi < 0;
    a *= safe ? sign_of(of[n->b]) : 0;
    b *= safe ? -sign_of(of[n->a]) : 0;
  }
  bool first = directions(node, n->a, a, of), second = directions(node, n->b, b, of);
  return first && second;
}

/* ---- instances ---- */

/* Nodes by level, children before parents; the root becomes the last. */
static void sort_levels(const sc_combo *combo, const sc_tree *t, int root, sc_instance *out) {
  int16_t place[SC_MAX_PNODES];
  bool used[SC_MAX_PNODES] = {false};
  used[root] = true;
  for (int i = root; i >= 0; i--)
    if (used[i] && t->node[i].op >= SC_COND_ADD) used[t->node[i].a] = used[t->node[i].b] = true;
  out->nnodes = 0;
  for (int level = -1; level < combo->nlevels; level++) {
    out->begin[level + 1] = out->nnodes;
    for (int i = 0; i <= root; i++) {
      if (!used[i] || t->node[i].level != level) continue;
      sc_pnode node = t->node[i];
      if (node.op >= SC_COND_ADD) {
        node.a = place[node.a];
        node.b = place[node.b];
      }
      place[i] = out->nnodes;
      out->node[out->nnodes++] = node;
    }
  }
  out->begin[combo->nlevels + 1] = out->nnodes;
  out->last = t->node[root].level;
  for (out->first = 0; out->begin[out->first + 1] == out->begin[out->first + 2]; out->first++) {}
}

/* The level behind which one quantity of the last level decides, moving all one way. */
static void find_threshold(sc_instance *in) {
  in->threshold = -1;
  if (!in->monotone) return;
  int leaf_of = -1, last = in->last;
  for (int i = in->begin[last + 1]; i < in->begin[last + 2]; i++) {
    const sc_pnode *node = &in->node[i];
    if (node->op != SC_TREE_LEAF) continue;
    int sign = node->best <= node->worst ? 1 : -1;
    if (leaf_of >= 0 && (leaf_of != node->leaf || in->sign != sign)) return;
    leaf_of = node->leaf;
    in->sign = (int8_t)sign;
  }
  int level = last - 1;
  while (level > in->first && in->begin[level + 1] == in->begin[level + 2]) level--;
  in->threshold = (int8_t)level;
}

/* Which values the state behind each level carries: of complete nodes that an incomplete one needs. */
static sc_status plan_slots(sc_space_bound *bound, sc_combo *combo, sc_instance *in) {
  for (int level = 0; level < combo->nlevels; level++) {
    in->slot[level] = -1;
    in->nslots[level] = 0;
    if (level < in->first || level >= in->last) continue;
    in->slot[level] = (int16_t)combo->nslots[level];
    if (in->threshold >= 0 && level >= in->threshold) {
      in->nslots[level] = 1;
    } else {
      bool needed[SC_MAX_PNODES] = {false};
      for (int i = in->begin[level + 2]; i < in->nnodes; i++)
        if (in->node[i].op >= SC_COND_ADD) needed[in->node[i].a] = needed[in->node[i].b] = true;
      in->carry[level] = sc_arena_alloc(bound->arena, (size_t)in->nnodes, sizeof *in->carry[level]);
      if (!in->carry[level]) return SC_NOMEM;
      for (int16_t i = in->begin[1]; i < in->begin[level + 2]; i++)
        if (needed[i]) in->carry[level][in->nslots[level]++] = i;
    }
    combo->nslots[level] += in->nslots[level];
    if (combo->nslots[level] > SC_MAX_SLOTS) return SC_LIMIT;
  }
  return SC_OK;
}

static void mark_leaves(sc_combo *combo, const sc_instance *in) {
  for (int i = 0; i < in->nnodes; i++)
    if (in->node[i].op == SC_TREE_LEAF) combo->domain[in->node[i].dim].used |= (uint16_t)(1u << in->node[i].leaf);
}

/* A condition on several dims. */
static sc_status add_instance(sc_tree *t, int root, int relation, int late) {
  sc_combo *combo = t->combo;
  if (combo->ninstances == SC_MAX_INSTANCES)
    return sc_space_fail(t->bound->space, &t->cond->at, t->err, SC_LIMIT, "more than %d conditions on several dims",
                         SC_MAX_INSTANCES);
  sc_instance *in = &combo->instance[combo->ninstances];
  memset(in, 0, sizeof *in);
  in->cond = (int)(t->cond - t->bound->space->cond);
  in->relation = (uint8_t)relation;
  in->late = (int8_t)late;
  in->node = sc_arena_alloc(t->bound->arena, (size_t)root + 1, sizeof *in->node);
  if (!in->node) return sc_fail(t->err, SC_NOMEM, "out of memory");
  sort_levels(combo, t, root, in);
  interval of[SC_MAX_PNODES];
  bounds(combo, in->node, in->nnodes - 1, of);
  in->monotone = directions(in->node, in->nnodes - 1, 1, of) && relation != SC_REL_NE;
  find_threshold(in);
  mark_leaves(combo, in);
  sc_status status = plan_slots(t->bound, combo, in);
  if (status == SC_OK) combo->ninstances++;
  else if (status == SC_LIMIT)
    sc_space_fail(t->bound->space, &t->cond->at, t->err, status,
                  "the conditions up to this one remember too many numbers");
  else sc_fail(t->err, status, "out of memory");
  return status;
}

/* ---- conditions on one dim ---- */

static double evaluate(const sc_tree *t, int i, const sc_space_bound *bound, const sc_value_of_dim *value, int dim) {
  const sc_pnode *n = &t->node[i];
  if (n->op == SC_TREE_CONSTANT) return n->value;
  if (n->op == SC_TREE_LEAF)
    return sc_leaf_value(bound, t->combo, dim, &t->combo->domain[dim].runset[value->runset], value->step, n->leaf);
  return sc_tree_apply(n->op, evaluate(t, n->a, bound, value, dim), evaluate(t, n->b, bound, value, dim));
}

/* The only dim that a tree depends on, -1 = none, -2 = several. */
static int only_dim(const sc_tree *t, int i) {
  const sc_pnode *n = &t->node[i];
  if (n->op == SC_TREE_CONSTANT) return -1;
  if (n->op == SC_TREE_LEAF) return n->dim;
  int a = only_dim(t, n->a), b = only_dim(t, n->b);
  return a == -1 ? b : b == -1 || a == b ? a : -2;
}

/* Those that nothing late can excuse take values away; the others mark them. */
static void filter(sc_tree *t, int root, int relation, int dim, int late) {
  sc_domain *domain = &t->combo->domain[dim];
  int n = 0;
  for (int i = 0; i < domain->nvalues; i++) {
    sc_value_of_dim value = domain->value[i];
    bool ok = sc_relation_holds(relation, evaluate(t, root, t->bound, &value, dim));
    if (!ok && late < 0) continue;
    if (!ok) value.late |= (uint64_t)1 << late;
    domain->value[n++] = value;
  }
  domain->nvalues = n;
}

/* ---- guards ---- */

static int pack_access(const sc_space_bound *bound, const sc_clause *clause) {
  const sc_task *task = bound->task;
  int nth = clause->nth;
  for (int a = 0; a < task->naccesses; a++)
    if (strcmp(task->tensor[task->access[a].tensor].name, clause->subject) == 0 && --nth == 0) return a;
  return -1;
}

static bool early_atom(const sc_tree *t, const sc_clause *atom, bool *known) {
  const sc_combo *combo = t->combo;
  const sc_alt *alt = &atom->alt[0];
  const sc_task *task = t->bound->task;
  *known = true;
  switch ((sc_attribute)atom->attribute) {
  case SC_AT_VECTOR:
    return alt->kind == SC_ALT_NONE ? combo->vector < 0
                                    : sc_task_dim(task, alt->name[0], strlen(alt->name[0])) == combo->vector;
  case SC_AT_LANES: return alt->kind == SC_ALT_NUMBER && alt->lo == combo->lanes;
  case SC_AT_COMPILE: return strcmp(t->bound->machine->compiler[combo->compile[0]].name, alt->name[0]) == 0;
  case SC_AT_PAD:
    for (int p = 0; p < task->npads; p++)
      if (strcmp(task->dim[task->pad[p].free].name, atom->subject) == 0) return combo->pad[p] == alt->lo;
    return false;
  case SC_AT_CHOICE:
    for (int c = 0; c < t->bound->space->nchoices; c++)
      if (strcmp(t->bound->space->choice[c].name, atom->subject) == 0)
        return strcmp(t->bound->space->choice[c].option[combo->option[c]], alt->name[0]) == 0;
    return false;
  default: *known = false; return false;
  }
}

static bool loop_is(const sc_tree *t, const sc_loop_alt *loop, const sc_alt *alt) {
  int n = 0;
  for (int i = 0; i < alt->nnames; i++) {
    int d = sc_task_dim(t->bound->task, alt->name[i], strlen(alt->name[i]));
    if (d >= 0 && t->bound->task->dim[d].size == 1 && !(t->bound->late[t->combo->late_id]->clamped >> d & 1)) continue;
    if (n == loop->n || loop->dim[n++] != d) return false;
  }
  return n == loop->n;
}

static bool parallel_is(const sc_tree *t, const sc_parallel_alt *parallel, const sc_alt *alt) {
  uint16_t mask = 0;
  for (int i = 0; i < alt->nnames; i++) {
    int d = sc_task_dim(t->bound->task, alt->name[i], strlen(alt->name[i]));
    if (d >= 0 && t->bound->task->dim[d].size > 1) mask |= (uint16_t)(1u << d);
  }
  return parallel->mask == mask && (mask == 0 || parallel->band == alt->lo);
}

static bool pack_is(const sc_tree *t, int access, const sc_pack_alt *pack, const sc_alt *alt) {
  if (alt->kind == SC_ALT_NONE || alt->kind == SC_ALT_ANY) return (pack->band > 0) == (alt->kind == SC_ALT_ANY);
  bool ahead = access != 0 && t->bound->task->tensor[t->bound->task->access[access].tensor].constant;
  return pack->band > 0 &&
         (ahead || (pack->band >= alt->lo && pack->band <= alt->hi)); /* its band means nothing then */
}

/* Which alternatives of which late variable an atom stands for. */
static uint64_t late_atom(const sc_tree *t, const sc_clause *atom, int *var) {
  const sc_late *late = t->bound->late[t->combo->late_id];
  const sc_alt *alt = &atom->alt[0];
  uint64_t set = 0;
  if (atom->attribute == SC_AT_LOOP) {
    *var = SC_VAR_LOOP;
    for (int i = 0; i < late->nloops; i++) set |= (uint64_t)loop_is(t, &late->loop[i], alt) << i;
  } else if (atom->attribute == SC_AT_UNROLL) {
    *var = SC_VAR_UNROLL;
    for (int i = 0; i < late->nunrolls; i++) set |= (uint64_t)(late->unroll[i] == alt->lo) << i;
  } else if (atom->attribute == SC_AT_PARALLEL) {
    *var = SC_VAR_PARALLEL;
    for (int i = 0; i < late->nparallels; i++) set |= (uint64_t)parallel_is(t, &late->parallel[i], alt) << i;
  } else {
    int access = pack_access(t->bound, atom);
    *var = SC_VAR_PACK + (access < 0 ? 0 : access);
    for (int i = 0; access >= 0 && i < late->npacks[access]; i++)
      set |= (uint64_t)pack_is(t, access, &late->pack[access][i], alt) << i;
  }
  return set;
}

/* false: the condition does not count in this combo. */
static bool make_guard(const sc_tree *t, sc_late_guard *guard) {
  for (int v = 0; v < SC_VAR_COUNT; v++) guard->alternatives[v] = ~(uint64_t)0;
  guard->cond = (int)(t->cond - t->bound->space->cond);
  for (int i = 0; i < t->cond->natoms; i++) {
    bool known;
    bool value = early_atom(t, &t->cond->atom[i], &known);
    if (known && value == t->cond->atom[i].negated) return false;
    if (known) continue;
    int var = 0;
    uint64_t set = late_atom(t, &t->cond->atom[i], &var);
    guard->alternatives[var] &= t->cond->atom[i].negated ? ~set : set;
  }
  return true;
}

static sc_status late_bit(const sc_tree *t, const sc_late_guard *guard, int *bit) {
  sc_late *late = t->bound->late[t->combo->late_id];
  for (*bit = 0; *bit < late->nguards; (*bit)++)
    if (memcmp(&late->guard[*bit], guard, sizeof *guard) == 0) return SC_OK;
  if (*bit == SC_MAX_LATE_BITS)
    return sc_space_fail(t->bound->space, &t->cond->at, t->err, SC_LIMIT, "more than %d conditions on late choices",
                         SC_MAX_LATE_BITS);
  late->guard[late->nguards++] = *guard;
  return SC_OK;
}

/* ---- one condition ---- */

static sc_status add_relation(sc_tree *t, int root, int relation, const sc_late_guard *guard, bool *feasible) {
  int late = -1;
  if (t->asks_facts && !t->bound->kernels) return SC_OK; /* nothing is known of any kernel */
  for (int v = 0; v < SC_VAR_COUNT; v++)
    if (guard->alternatives[v] != ~(uint64_t)0) SC_TRY(late_bit(t, guard, &late));
  if (t->asks_facts) return sc_kernel_cond_add(t, root, relation, late);
  int dim = only_dim(t, root);
  if (dim == -1) {
    if (sc_relation_holds(relation, t->node[root].value)) return SC_OK;
    if (late < 0) *feasible = false;
    else t->combo->start.late |= (uint64_t)1 << late;
    return SC_OK;
  }
  if (dim < 0) return add_instance(t, root, relation, late);
  filter(t, root, relation, dim, late);
  return SC_OK;
}

/* left rel right as expressions of one sign compared with 0. */
static sc_status add_condition(sc_tree *t, const sc_late_guard *guard, bool *feasible) {
  sc_tree flat = *t;
  int left, right;
  t->n = flat.n = 0;
  SC_TRY(sc_tree_expression(t, t->cond->left, t->cond->nleft, &left));
  SC_TRY(sc_tree_expression(t, t->cond->right, t->cond->nright, &right));
  int relation = t->cond->relation;
  bool swap = relation == SC_REL_GE || relation == SC_REL_GT;
  for (int pass = 0; pass < (relation == SC_REL_EQ ? 2 : 1); pass++) {
    int root =
        swap == (pass == 0) ? sc_tree_make(t, SC_COND_SUB, right, left) : sc_tree_make(t, SC_COND_SUB, left, right);
    flat.n = 0;
    if (root >= 0) root = sc_tree_copy(&flat, t, root);
    if (root < 0) return sc_space_fail(t->bound->space, &t->cond->at, t->err, SC_LIMIT, "this condition is too large");
    int as = relation == SC_REL_NE ? SC_REL_NE : relation == SC_REL_LT || relation == SC_REL_GT ? SC_REL_LT : SC_REL_LE;
    SC_TRY(add_relation(&flat, root, as, guard, feasible));
  }
  return SC_OK;
}

/* Numbers of late choices in an expression: one condition for each alternative. */
static sc_status add_alternatives(sc_tree *t, bool *feasible) {
  sc_late_guard guard, one;
  const sc_late *late = t->bound->late[t->combo->late_id];
  if (!make_guard(t, &guard)) return SC_OK;
  int ignored, nu = 1, np = 1;
  t->n = t->unroll = t->parallel = 0;
  t->asks_unroll = t->asks_tasks = false;
  t->asks_facts = 0;
  SC_TRY(sc_tree_expression(t, t->cond->left, t->cond->nleft, &ignored));
  SC_TRY(sc_tree_expression(t, t->cond->right, t->cond->nright, &ignored));
  if (t->asks_unroll && late->nunrolls) nu = late->nunrolls;
  if (t->asks_tasks && late->nparallels) np = late->nparallels;
  for (int u = 0; u < nu; u++)
    for (int p = 0; p < np; p++) {
      one = guard;
      t->unroll = u;
      t->parallel = p;
      if (nu > 1) one.alternatives[SC_VAR_UNROLL] &= (uint64_t)1 << u;
      if (np > 1) one.alternatives[SC_VAR_PARALLEL] &= (uint64_t)1 << p;
      bool possible = true;
      for (int v = 0; v < SC_VAR_COUNT; v++) possible &= one.alternatives[v] != 0;
      if (possible) SC_TRY(add_condition(t, &one, feasible));
    }
  return SC_OK;
}

/* ---- all of a combo ---- */

static void find_leaf_ranges(const sc_space_bound *bound, sc_combo *combo) {
  for (int d = 0; d < bound->task->ndims; d++) {
    sc_domain *domain = &combo->domain[d];
    for (int leaf_of = 0; leaf_of < SC_LEAVES; leaf_of++) {
      domain->lo[leaf_of] = INFINITY;
      domain->hi[leaf_of] = -INFINITY;
      bool band = leaf_of >= SC_LEAF_EXTENT;
      int b = leaf_of < SC_LEAF_TRIPS ? leaf_of - SC_LEAF_EXTENT : leaf_of - SC_LEAF_TRIPS;
      if (band && (b > bound->nbands || (leaf_of >= SC_LEAF_TRIPS && b == 0))) continue;
      for (int i = 0; i < domain->nvalues; i++) {
        const sc_value_of_dim *value = &domain->value[i];
        if (!band && i > 0 && value->runset == domain->value[i - 1].runset) continue;
        double x = sc_leaf_value(bound, combo, d, &domain->runset[value->runset], value->step, leaf_of);
        if (x < domain->lo[leaf_of]) domain->lo[leaf_of] = x;
        if (x > domain->hi[leaf_of]) domain->hi[leaf_of] = x;
      }
    }
  }
}

static int compare_double(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Distinct values of the last quantity, and where each class stands among them. */
static sc_status rank_last(sc_space_bound *bound, sc_combo *combo, sc_instance *in) {
  if (in->threshold < 0) return SC_OK;
  const sc_domain *domain = &combo->domain[combo->dim[in->last]];
  int which = -1, n = 0;
  for (int i = in->begin[in->last + 1]; i < in->begin[in->last + 2]; i++)
    if (in->node[i].op == SC_TREE_LEAF) which = in->node[i].leaf;
  in->sorted = sc_arena_alloc(bound->arena, (size_t)domain->nclasses + 1, sizeof *in->sorted);
  in->rank = sc_arena_alloc(bound->arena, (size_t)domain->nclasses + 1, sizeof *in->rank);
  if (!in->sorted || !in->rank) return SC_NOMEM;
  for (int c = 0; c < domain->nclasses; c++) in->sorted[n++] = domain->leaf[(size_t)c * SC_LEAVES + (size_t)which];
  qsort(in->sorted, (size_t)n, sizeof *in->sorted, compare_double);
  for (int i = 0; i < n; i++)
    if (in->nsorted == 0 || in->sorted[in->nsorted - 1] != in->sorted[i]) in->sorted[in->nsorted++] = in->sorted[i];
  for (int c = 0; c < domain->nclasses; c++) {
    double x = domain->leaf[(size_t)c * SC_LEAVES + (size_t)which];
    while (in->sorted[in->rank[c]] != x) in->rank[c]++;
  }
  return SC_OK;
}

/* The instances again from domains that the conditions on one dim have made smaller, until nothing changes: leaves that
 * have become constants, tighter intervals. */
sc_status sc_program_make(sc_space_bound *bound, sc_combo *combo, bool *feasible, sc_error *err) {
  sc_tree *t = sc_arena_alloc(bound->arena, 1, sizeof *t);
  combo->instance = sc_arena_alloc(bound->arena, SC_MAX_INSTANCES, sizeof *combo->instance);
  if (!t || !combo->instance) return sc_fail(err, SC_NOMEM, "out of memory");
  *t = (sc_tree){.bound = bound, .combo = combo, .err = err};
  int before, after = 0;
  *feasible = true;
  do {
    before = after;
    find_leaf_ranges(bound, combo);
    combo->ninstances = combo->nkernel_conds = 0;
    memset(combo->nslots, 0, sizeof combo->nslots);
    for (int d = 0; d < bound->task->ndims; d++) combo->domain[d].used = combo->domain[d].asked = 0;
    for (int i = 0; i < bound->space->nconds; i++) {
      t->cond = &bound->space->cond[i];
      if (!sc_cond_active(bound, t->cond)) continue;
      if (t->cond->choice >= 0 && combo->option[t->cond->choice] != t->cond->option) continue;
      SC_TRY(add_alternatives(t, feasible));
    }
    after = 0;
    for (int d = 0; d < bound->task->ndims; d++) {
      after += combo->domain[d].nvalues;
      if (combo->domain[d].nvalues == 0) *feasible = false;
    }
  } while (*feasible && before != after);
  return SC_OK;
}

sc_status sc_program_finish(sc_space_bound *bound, sc_combo *combo, sc_error *err) {
  for (int i = 0; i < combo->ninstances; i++)
    if (rank_last(bound, combo, &combo->instance[i]) != SC_OK) return sc_fail(err, SC_NOMEM, "out of memory");
  return SC_OK;
}
