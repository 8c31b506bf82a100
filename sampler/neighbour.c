/* A neighbour of a schedule: at one level of its path another edge or member, behind it what it had before wherever
 * that is still there, else a fresh draw. Paths and schedules match one to one, so a neighbour is always another
 * schedule. */
#include <string.h>

#include "sampler/bound.h"

static uint32_t members(const sc_space_bound *bound, uint32_t node) {
  const sc_edge *edge = sc_edges_of(bound, node);
  uint64_t n = 0;
  for (uint32_t i = 0; i < bound->graph.node[node].nedges; i++) n += edge[i].count;
  return n < UINT32_MAX ? (uint32_t)n : UINT32_MAX;
}

/* Counted over all edges of a node. */
static void pick(const sc_space_bound *bound, uint32_t node, uint32_t index, uint32_t *edge, uint32_t *member) {
  const sc_edge *e = sc_edges_of(bound, node);
  for (*edge = 0; index >= e[*edge].count; (*edge)++) index -= e[*edge].count;
  *member = index;
}

static uint32_t index_of(const sc_space_bound *bound, uint32_t node, uint32_t edge, uint32_t member) {
  const sc_edge *e = sc_edges_of(bound, node);
  for (uint32_t i = 0; i < edge; i++) member += e[i].count;
  return member;
}

/* Another combo, if possible one that differs in one early choice only. */
static int differences(const sc_combo *a, const sc_combo *b) {
  int n = (a->vector != b->vector) + (a->lanes != b->lanes);
  for (size_t i = 0; i < SC_COUNT_OF(a->pad); i++) n += a->pad[i] != b->pad[i];
  for (size_t i = 0; i < SC_COUNT_OF(a->option); i++) n += a->option[i] != b->option[i];
  return n;
}

static void change_combo(const sc_space_bound *bound, const sc_combo *from, sc_rng *rng, uint32_t *edge,
                         uint32_t *member) {
  const sc_edge *e = sc_edges_of(bound, bound->root);
  uint32_t n = bound->graph.node[bound->root].nedges, near = 0;
  for (uint32_t i = 0; i < n; i++) near += differences(from, &bound->combo[e[i].what]) <= 1 && i != *edge;
  uint32_t own = e[*edge].count - 1; /* other compilers of the same combo are as near */
  if (near == 0 && own == 0) return;
  uint32_t k = (uint32_t)sc_rng_below(rng, near + own);
  if (k < own) {
    *member = k < *member ? k : k + 1;
    return;
  }
  k -= own;
  for (uint32_t i = 0; i < n; i++)
    if (i != *edge && differences(from, &bound->combo[e[i].what]) <= 1 && k-- == 0) {
      *edge = i;
      *member = (uint32_t)sc_rng_below(rng, e[i].count);
      return;
    }
}

static void change(const sc_space_bound *bound, const sc_path *path, int level, sc_rng *rng, uint32_t *edge,
                   uint32_t *member) {
  uint32_t node = path->node[level], n = members(bound, node), was = index_of(bound, node, *edge, *member);
  if (level == 0) {
    uint32_t e = *edge, m = *member;
    change_combo(bound, path->combo, rng, edge, member);
    if (e != *edge || m != *member) return;
  }
  uint32_t index = (uint32_t)sc_rng_below(rng, n - 1);
  pick(bound, node, index < was ? index : index + 1, edge, member);
}

/* ---- keeping what was there ---- */

static bool same_value(const sc_domain *a, const sc_value_of_dim *x, const sc_domain *b, const sc_value_of_dim *y) {
  const sc_runset *r = &a->runset[x->runset], *s = &b->runset[y->runset];
  return r->nruns == s->nruns && memcmp(r->run, s->run, sizeof r->run) == 0 &&
         memcmp(x->step, y->step, sizeof x->step) == 0;
}

static bool keep_dim(const sc_space_bound *bound, const sc_path *old, int at, const sc_combo *combo, int level,
                     uint32_t node, uint32_t *edge, uint32_t *member) {
  int d = combo->dim[level];
  const sc_domain *before = &old->combo->domain[d], *now = &combo->domain[d];
  for (at = 1; at < old->n && !(old->level[at].kind == SC_LEVEL_DIM && old->combo->dim[old->level[at].which] == d);)
    at++;
  if (at == old->n) return false;
  const sc_edge *was = &sc_edges_of(bound, old->node[at])[old->edge[at]], *e = sc_edges_of(bound, node);
  const sc_value_of_dim *value = &before->value[(uint32_t)before->class[was->what].first + old->member[at]];
  for (*edge = 0; *edge < bound->graph.node[node].nedges; (*edge)++)
    for (*member = 0; *member < e[*edge].count; (*member)++)
      if (same_value(before, value, now, &now->value[(uint32_t)now->class[e[*edge].what].first + *member])) return true;
  return false;
}

static bool keep_order(const sc_space_bound *bound, const sc_path *old, int at, uint32_t node, uint32_t *edge,
                       uint32_t *member) {
  const sc_edge *was = &sc_edges_of(bound, old->node[at])[old->edge[at]], *e = sc_edges_of(bound, node);
  const uint8_t *order = sc_order_member(&bound->table[was->table], was->what, old->member[at]);
  for (*edge = 0; *edge < bound->graph.node[node].nedges; (*edge)++) {
    const sc_order_table *table = &bound->table[e[*edge].table];
    if (table->n == bound->table[was->table].n && sc_order_place(table, e[*edge].what, order, member)) return true;
  }
  return false;
}

/* All paths have the same levels, only the dims stand in orders of their own. */
static bool keep(const sc_space_bound *bound, const sc_path *old, int at, const sc_combo *combo, sc_level level,
                 uint32_t node, uint32_t *edge, uint32_t *member) {
  const sc_edge *was = &sc_edges_of(bound, old->node[at])[old->edge[at]], *e = sc_edges_of(bound, node);
  if (level.kind == SC_LEVEL_DIM) return keep_dim(bound, old, at, combo, level.which, node, edge, member);
  if (level.kind == SC_LEVEL_ORDER) return keep_order(bound, old, at, node, edge, member);
  *member = 0;
  for (*edge = 0; combo->late_id == old->combo->late_id && *edge < bound->graph.node[node].nedges; (*edge)++)
    if (e[*edge].what == was->what) return true;
  return false;
}

static void rebuild(const sc_space_bound *bound, const sc_path *old, int changed, uint32_t edge, uint32_t member,
                    sc_rng *rng, sc_schedule *to) {
  uint32_t node = bound->root;
  sc_level level = {SC_LEVEL_COMBO, 0};
  const sc_combo *combo = NULL;
  sc_schedule_start(bound, to);
  for (int i = 0;; i++) {
    uint32_t e = edge, m = member;
    if (i < changed) e = old->edge[i], m = old->member[i];
    else if (i > changed && !keep(bound, old, i, combo, level, node, &e, &m)) {
      sc_count rank = sc_rng_below128(rng, bound->graph.node[node].count);
      sc_node_take(bound, node, &rank, &e, &m);
    }
    const sc_edge *taken = &sc_edges_of(bound, node)[e];
    if (!combo) combo = &bound->combo[taken->what];
    sc_apply(bound, combo, level, taken, m, to);
    node = taken->child;
    if (!sc_level_next(bound, combo, &level)) return;
  }
}

sc_status sc_space_neighbour(const sc_space_bound *bound, const sc_schedule *from, sc_rng *rng, sc_schedule *to) {
  sc_path path;
  int free_levels[SC_MAX_LEVELS], n = 0;
  SC_TRY(sc_path_find(bound, from, &path));
  for (int i = 0; i < path.n; i++)
    if (members(bound, path.node[i]) > 1) free_levels[n++] = i;
  if (n == 0) return SC_NOTFOUND;
  int level = free_levels[sc_rng_below(rng, (uint64_t)n)];
  uint32_t edge = path.edge[level], member = path.member[level];
  change(bound, &path, level, rng, &edge, &member);
  rebuild(bound, &path, level, edge, member, rng, to);
  return SC_OK;
}
