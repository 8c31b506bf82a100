/* From ranks to schedules: a walk through the graph that takes at every node the edge in whose range the rank lies. */
#include <string.h>

#include "sampler/bound.h"

bool sc_level_next(const sc_space_bound *bound, const sc_combo *combo, sc_level *level) {
  int which = level->which;
  switch ((sc_level_kind)level->kind) {
  case SC_LEVEL_COMBO:
    *level = combo->nlevels ? (sc_level){SC_LEVEL_DIM, 0} : (sc_level){SC_LEVEL_LATE, SC_VAR_LOOP};
    return true;
  case SC_LEVEL_DIM:
    *level = which + 1 < combo->nlevels ? (sc_level){SC_LEVEL_DIM, (uint8_t)(which + 1)}
                                        : (sc_level){SC_LEVEL_LATE, SC_VAR_LOOP};
    return true;
  case SC_LEVEL_LATE:
    do which++;
    while (!sc_var_is_level(bound, which));
    *level = which < SC_VAR_COUNT ? (sc_level){SC_LEVEL_LATE, (uint8_t)which}
                                  : (sc_level){SC_LEVEL_ORDER, (uint8_t)bound->nbands};
    return true;
  default: level->which--; return level->which > 0;
  }
}

void sc_node_take(const sc_space_bound *bound, uint32_t node, sc_count *rank, uint32_t *edge, uint32_t *member) {
  const sc_edge *e = sc_edges_of(bound, node);
  uint32_t lo = 0, hi = bound->graph.node[node].nedges - 1;
  while (lo < hi) {
    uint32_t middle = (lo + hi) / 2;
    if (e[middle].upto > *rank) hi = middle;
    else lo = middle + 1;
  }
  sc_count in = *rank - sc_edge_before(e, lo), each = bound->graph.node[e[lo].child].count;
  *edge = lo;
  if (e[lo].count == 1) {
    *member = 0;
    *rank = in;
  } else if ((in | each) >> 64) {
    *member = (uint32_t)(in / each);
    *rank = in % each;
  } else { /* a division of 64 bits is several times faster */
    *member = (uint32_t)((uint64_t)in / (uint64_t)each);
    *rank = (uint64_t)in % (uint64_t)each;
  }
}

/* ---- writing choices into a schedule ---- */

void sc_schedule_start(const sc_space_bound *bound, sc_schedule *schedule) {
  memset(schedule, 0, sizeof *schedule);
  schedule->nbands = (uint8_t)bound->nbands;
  schedule->lanes = schedule->unroll = 1;
  schedule->vector = -1;
}

static void apply_combo(const sc_space_bound *bound, const sc_combo *combo, uint32_t member, sc_schedule *schedule) {
  schedule->vector = combo->vector;
  schedule->lanes = combo->lanes;
  memcpy(schedule->pad, combo->pad, sizeof schedule->pad);
  memcpy(schedule->compile, bound->machine->compiler[combo->compile[member]].name, sizeof schedule->compile);
}

void sc_apply_value(const sc_space_bound *bound, int d, const sc_domain *domain, const sc_value_of_dim *value,
                    sc_schedule *schedule) {
  const sc_runset *set = &domain->runset[value->runset];
  if (set->max_tile > 1) {
    schedule->nruns[d] = set->nruns;
    memcpy(schedule->run[d], set->run, sizeof set->run);
  }
  int32_t below = 1;
  for (int b = 1; b < bound->nbands; b++) {
    int32_t step = value->step[b - 1];
    if (step > below) schedule->group[b][d] = step == set->tiles ? SC_ALL : step / below;
    below = step;
  }
}

static void apply_dim(const sc_space_bound *bound, const sc_combo *combo, int level, const sc_edge *edge,
                      uint32_t member, sc_schedule *schedule) {
  const sc_domain *domain = &combo->domain[combo->dim[level]];
  const sc_value_of_dim *value = &domain->value[(uint32_t)domain->class[edge->what].first + member];
  sc_apply_value(bound, combo->dim[level], domain, value, schedule);
}

static void apply_late(const sc_late *late, int var, uint32_t what, sc_schedule *schedule) {
  if (var == SC_VAR_LOOP) {
    schedule->nkloops = late->loop[what].n;
    memcpy(schedule->kloop, late->loop[what].dim, sizeof schedule->kloop);
  } else if (var == SC_VAR_UNROLL) {
    schedule->unroll = late->unroll[what];
  } else if (var == SC_VAR_PARALLEL) {
    schedule->nparallel = late->parallel[what].n;
    schedule->parallel_band = late->parallel[what].band;
    memcpy(schedule->parallel, late->parallel[what].dim, sizeof schedule->parallel);
  } else if (late->pack[var - SC_VAR_PACK][what].band) {
    schedule->pack[schedule->npacks++] = late->pack[var - SC_VAR_PACK][what].pack;
  }
}

void sc_apply(const sc_space_bound *bound, const sc_combo *combo, sc_level level, const sc_edge *edge, uint32_t member,
              sc_schedule *schedule) {
  switch ((sc_level_kind)level.kind) {
  case SC_LEVEL_COMBO: apply_combo(bound, combo, member, schedule); break;
  case SC_LEVEL_DIM: apply_dim(bound, combo, level.which, edge, member, schedule); break;
  case SC_LEVEL_LATE: apply_late(bound->late[combo->late_id], level.which, edge->what, schedule); break;
  case SC_LEVEL_ORDER: {
    const sc_order_table *table = &bound->table[edge->table];
    schedule->norder[level.which] = table->n;
    memcpy(schedule->order[level.which], sc_order_member(table, edge->what, member), table->n);
    break;
  }
  }
}

/* ---- paths ---- */

sc_status sc_space_at(const sc_space_bound *bound, sc_count rank, sc_schedule *schedule) {
  uint32_t node = bound->root, edge, member;
  sc_level level = {SC_LEVEL_COMBO, 0};
  const sc_combo *combo = NULL;
  if (rank >= bound->graph.node[node].count) return SC_USAGE;
  sc_schedule_start(bound, schedule);
  do {
    sc_node_take(bound, node, &rank, &edge, &member);
    const sc_edge *taken = &sc_edges_of(bound, node)[edge];
    if (!combo) combo = &bound->combo[taken->what];
    sc_apply(bound, combo, level, taken, member, schedule);
    node = taken->child;
  } while (sc_level_next(bound, combo, &level));
  return SC_OK;
}

void sc_path_at(const sc_space_bound *bound, sc_count rank, sc_path *path) {
  uint32_t node = bound->root;
  sc_level level = {SC_LEVEL_COMBO, 0};
  path->n = 0;
  path->combo = NULL;
  do {
    int i = path->n++;
    path->level[i] = level;
    path->node[i] = node;
    sc_node_take(bound, node, &rank, &path->edge[i], &path->member[i]);
    const sc_edge *taken = &sc_edges_of(bound, node)[path->edge[i]];
    if (!path->combo) path->combo = &bound->combo[taken->what];
    node = taken->child;
  } while (sc_level_next(bound, path->combo, &level));
}

sc_count sc_path_rank(const sc_space_bound *bound, const sc_path *path) {
  sc_count rank = 0;
  for (int i = 0; i < path->n; i++) {
    const sc_edge *edge = sc_edges_of(bound, path->node[i]);
    rank += sc_edge_before(edge, path->edge[i]) + path->member[i] * bound->graph.node[edge[path->edge[i]].child].count;
  }
  return rank;
}
