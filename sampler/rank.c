/* From schedules to ranks. Texts of one nest are one schedule, so the nest is what is looked up: its loops are dealt
 * out to the bands from the outermost on, each into the highest band that takes it, and the result is walked in the
 * graph. */
#include <string.h>

#include "sampler/bound.h"

typedef struct finder {
  const sc_space_bound *bound;
  const sc_combo *combo;
  const sc_late *late;
  const sc_schedule *schedule;
  const sc_nest *nest;
  bool search; /* rules for orders, or holes in domains, may keep a loop in a lower band than the highest */
  uint8_t pack_band[SC_MAX_PACKS]; /* assumed, by pack of the nest */
  uint8_t norder[SC_MAX_BANDS], order[SC_MAX_BANDS][SC_MAX_DIMS];
  int32_t step[SC_MAX_BANDS][SC_MAX_DIMS]; /* tiles of one trip of the loop of a band, 0 = none */
  sc_path *path;
  const sc_place *candidate[SC_MAX_DIMS]; /* values of each dim with the runs of the nest */
  int ncandidates[SC_MAX_DIMS];
} finder;

/* ---- walking ---- */

static const sc_edge *take(finder *f, uint32_t edge, uint32_t member) {
  sc_path *path = f->path;
  path->edge[path->n] = edge;
  path->member[path->n] = member;
  return &sc_edges_of(f->bound, path->node[path->n++])[edge];
}

static const sc_value_of_dim *candidate(const finder *f, int d, int i) {
  const sc_domain *domain = &f->combo->domain[d];
  return &domain->value[domain->class[f->candidate[d][i].class].first + f->candidate[d][i].member];
}

/* The values whose runs are those of the nest; false when there are none. */
static bool find_candidates(finder *f, int d) {
  const sc_domain *domain = &f->combo->domain[d];
  const sc_tiling *tiling = &f->nest->dim[d];
  sc_run run[SC_MAX_SEGS] = {{0}};
  int n = 0;
  for (int i = 0; i < tiling->nsegs; i++) /* borders have split runs */
    if (n && run[n - 1].size == tiling->seg[i].size) run[n - 1].count += tiling->seg[i].count;
    else run[n++] = (sc_run){tiling->seg[i].size, tiling->seg[i].count};
  int set = 0;
  while (set < domain->nrunsets &&
         (domain->runset[set].nruns != n || memcmp(domain->runset[set].run, run, (size_t)n * sizeof *run) != 0))
    set++;
  if (set == domain->nrunsets) return false;
  f->candidate[d] = &domain->place[domain->runset[set].first];
  f->ncandidates[d] = domain->runset[set].nvalues;
  return f->ncandidates[d] > 0;
}

/* The first candidate that has the steps of the loops dealt out so far, which settle bands `from` and above; -1 =
 * none. */
static int find_value(const finder *f, int d, int from) {
  int32_t step[SC_MAX_BANDS], above = f->nest->dim[d].tiles;
  for (int b = f->bound->nbands - 1; b >= from && b >= 1; b--) {
    if (f->step[b + 1][d]) above = f->step[b + 1][d];
    step[b] = above;
  }
  for (int i = 0; i < f->ncandidates[d]; i++) {
    const sc_value_of_dim *value = candidate(f, d, i);
    bool same = true;
    for (int b = f->bound->nbands - 1; b >= from && b >= 1; b--) same &= value->step[b - 1] == step[b];
    if (same) return i;
  }
  return -1;
}

static bool find_edge(const finder *f, uint32_t what, uint32_t *edge) {
  uint32_t node = f->path->node[f->path->n];
  const sc_edge *e = sc_edges_of(f->bound, node);
  for (*edge = 0; *edge < f->bound->graph.node[node].nedges; (*edge)++)
    if (e[*edge].what == what) return true;
  return false;
}

static bool pack_matches(const finder *f, const sc_bits *bits, int access, uint32_t alternative) {
  const sc_pack_alt *alt = &f->late->pack[access][alternative];
  if (!sc_pack_is_lowered(f->bound, f->late, bits, access, (int)alternative, f->nest)) return false;
  for (int p = 0; p < f->nest->npacks; p++)
    if (f->nest->pack[p].access == access && !f->nest->pack[p].ahead) return alt->band == f->pack_band[p];
  return true;
}

static bool late_matches(const finder *f, const sc_bits *bits, int var, uint32_t alternative) {
  const sc_nest *nest = f->nest;
  if (var == SC_VAR_LOOP) {
    uint8_t kept[SC_MAX_KLOOPS];
    int n = sc_kept_loops(f->late, bits, (int)alternative, kept);
    return n == nest->nkloops && memcmp(kept, nest->kloop, (size_t)n) == 0;
  }
  if (var == SC_VAR_UNROLL) return f->late->unroll[alternative] == nest->unroll;
  if (var < SC_VAR_PARALLEL) return pack_matches(f, bits, var - SC_VAR_PACK, alternative);
  uint16_t mask = 0;
  for (int i = 0; i < f->schedule->nparallel; i++) mask |= (uint16_t)(1u << f->schedule->parallel[i]);
  return f->late->parallel[alternative].mask == mask;
}

static bool walk_late(finder *f, sc_bits *bits, int var, const sc_edge **taken) {
  uint32_t node = f->path->node[f->path->n];
  const sc_edge *e = sc_edges_of(f->bound, node);
  for (uint32_t i = 0; i < f->bound->graph.node[node].nedges; i++) {
    sc_bits to;
    if (!late_matches(f, bits, var, e[i].what)) continue;
    if (!sc_late_choose(f->bound, f->late, bits, var, (int)e[i].what, &to)) continue;
    *bits = to;
    *taken = take(f, i, 0);
    return true;
  }
  return false;
}

static bool walk_order(finder *f, int band, const sc_edge **taken) {
  uint32_t node = f->path->node[f->path->n], place;
  const sc_edge *e = sc_edges_of(f->bound, node);
  for (uint32_t i = 0; i < f->bound->graph.node[node].nedges; i++) {
    const sc_order_table *table = &f->bound->table[e[i].table];
    if (table->n != f->norder[band] || !sc_order_place(table, e[i].what, f->order[band], &place)) continue;
    *taken = take(f, i, place);
    return true;
  }
  return false;
}

static bool walk_dim(finder *f, int level, sc_bits *bits, const sc_edge **taken) {
  int d = f->combo->dim[level];
  int at = find_value(f, d, 1);
  if (at < 0) return false;
  uint32_t class = (uint32_t)f->candidate[d][at].class, member = (uint32_t)f->candidate[d][at].member, edge;
  if (!find_edge(f, class, &edge)) return false;
  for (size_t w = 0; w < SC_COUNT_OF(bits->word); w++) bits->word[w] |= f->combo->domain[d].class[class].bits.word[w];
  bits->late = bits->kinds = 0; /* edges know which conditions hold */
  *taken = take(f, edge, member);
  return true;
}

/* With loops dealt out and bands of packs assumed: is this the canonical text, and in the space? */
static bool walk(finder *f) {
  sc_path *path = f->path;
  sc_bits bits = f->combo->start;
  sc_level level = {SC_LEVEL_COMBO, 0};
  path->n = 1; /* the combo has been taken */
  const sc_edge *taken = &sc_edges_of(f->bound, path->node[0])[path->edge[0]];
  bits.late = 0;
  while (sc_level_next(f->bound, f->combo, &level)) {
    path->level[path->n] = level;
    path->node[path->n] = taken->child;
    bool ok = level.kind == SC_LEVEL_DIM    ? walk_dim(f, level.which, &bits, &taken)
              : level.kind == SC_LEVEL_LATE ? walk_late(f, &bits, level.which, &taken)
                                            : walk_order(f, level.which, &taken);
    if (!ok) return false;
  }
  return true;
}

/* ---- dealing out loops ---- */

static bool deal(finder *f, int node, int band, int parallel_left);

static bool place_loop(finder *f, int node, int band);

/* Puts the loop of a node into a band, with trips of `step` tiles: more than in the nest if a lower band shall have the
 * rest of it. */
static bool put_loop(finder *f, int node, int band, int32_t step, int parallel_left) {
  const sc_node *loop = &f->nest->node[node];
  if (f->step[band][loop->dim]) return false;
  f->order[band][f->norder[band]++] = loop->dim;
  f->step[band][loop->dim] = step;
  bool found = find_value(f, loop->dim, band - 1) >= 0 &&
               (step == loop->step ? deal(f, node + 1, band, parallel_left) : place_loop(f, node, band - 1));
  f->norder[band]--;
  f->step[band][loop->dim] = 0;
  return found;
}

/* A loop that must not leave the band below altogether may be split between the two, wherever the domain allows. */
static bool split_loop(finder *f, int node, int band) {
  const sc_node *loop = &f->nest->node[node];
  int32_t tried = 0;
  for (int i = 0; band >= 2 && i < f->ncandidates[loop->dim]; i++) {
    int32_t step = candidate(f, loop->dim, i)->step[band - 2];
    if (step <= loop->step || step % loop->step != 0 || step == tried) continue;
    tried = step;
    if (put_loop(f, node, band, step, 0)) return true;
  }
  return false;
}

/* From band `band` down, the first that leads to the space. */
static bool place_loop(finder *f, int node, int band) {
  bool fits = false;
  for (int b = band; b >= 1 && (f->search || !fits); b--) {
    fits = !f->step[b][f->nest->node[node].dim];
    if (put_loop(f, node, b, f->nest->node[node].step, 0)) return true;
    if (f->search && split_loop(f, node, b)) return true;
  }
  return false;
}

/* Packs side by side may stand at any bands with no loop between; what follows is below the lowest of them. */
static bool deal_packs(finder *f, int node, int top, int low) {
  const sc_node *at = &f->nest->node[node];
  if (at->kind != SC_NODE_PACK && at->kind != SC_NODE_ACC) return deal(f, node, low, 0);
  if (f->nest->pack[at->pack].ahead) return deal_packs(f, node + 1, top, low);
  for (int b = top; b >= 1; b--) {
    f->pack_band[at->pack] = (uint8_t)b;
    if (deal_packs(f, node + 1, top, b < low ? b : low)) return true;
  }
  return false;
}

/* Node `node` and what follows, from band `band` down. */
static bool deal(finder *f, int node, int band, int parallel_left) {
  const sc_node *at = &f->nest->node[node];
  switch ((sc_node_kind)at->kind) {
  case SC_NODE_KERNEL: return walk(f);
  case SC_NODE_PACK:
  case SC_NODE_ACC: return deal_packs(f, node, f->norder[band] ? band - 1 : band, f->norder[band] ? band - 1 : band);
  case SC_NODE_PAR: {
    int own = f->late->parallel[f->late->nparallels - 1].band;
    for (int i = 0; i < f->late->nparallels; i++)
      if (f->late->parallel[i].band) own = f->late->parallel[i].band;
    return own <= band && own >= 1 && deal(f, node + 1, own, at->count);
  }
  default: break;
  }
  if (parallel_left == 0) return place_loop(f, node, band);
  return put_loop(f, node, band, at->step, parallel_left - 1);
}

/* ---- the combo ---- */

static bool may_search(const sc_space_bound *bound, const sc_combo *combo) {
  const sc_late *late = bound->late[combo->late_id];
  for (int b = 1; b <= bound->nbands; b++)
    if (late->nrules[b]) return true;
  for (int d = 0; d < bound->task->ndims; d++)
    for (int c = 0; c < combo->domain[d].nclasses; c++)
      for (int b = 0; b < SC_STUCKS; b++)
        if (combo->domain[d].class[c].bits.stuck[b]) return true;
  return false;
}

/* What needs no search: runs of all dims, and the number of unrolling. */
static bool may_match(finder *f) {
  bool unroll = false;
  for (int i = 0; i < f->late->nunrolls; i++) unroll |= f->late->unroll[i] == f->nest->unroll;
  for (int d = 0; d < f->bound->task->ndims && unroll; d++)
    if (!find_candidates(f, d)) return false;
  return unroll;
}

static bool find_in(const sc_space_bound *bound, const sc_schedule *schedule, const sc_nest *nest, uint32_t edge,
                    uint32_t compiler, sc_path *path) {
  finder f = {.bound = bound, .schedule = schedule, .nest = nest, .path = path};
  f.combo = path->combo = &bound->combo[sc_edges_of(bound, bound->root)[edge].what];
  f.late = bound->late[f.combo->late_id];
  f.search = may_search(bound, f.combo);
  path->level[0] = (sc_level){SC_LEVEL_COMBO, 0};
  path->node[0] = bound->root;
  path->edge[0] = edge;
  path->member[0] = compiler;
  return may_match(&f) && deal(&f, 0, bound->nbands, 0);
}

sc_status sc_path_find(const sc_space_bound *bound, const sc_schedule *schedule, sc_path *path) {
  sc_nest nest;
  if (sc_lower(bound->task, schedule, &nest, NULL) != SC_OK) return SC_NOTFOUND;
  const sc_edge *root = sc_edges_of(bound, bound->root);
  for (uint32_t e = 0; e < bound->graph.node[bound->root].nedges; e++) {
    const sc_combo *combo = &bound->combo[root[e].what];
    if (combo->vector != nest.vector || combo->lanes != nest.lanes ||
        memcmp(combo->pad, nest.pad, bound->task->npads) != 0)
      continue;
    for (uint32_t c = 0; c < (uint32_t)combo->ncompiles; c++)
      if (strcmp(bound->machine->compiler[combo->compile[c]].name, nest.compile) == 0 &&
          find_in(bound, schedule, &nest, e, c, path))
        return SC_OK;
  }
  return SC_NOTFOUND;
}

sc_status sc_space_rank(const sc_space_bound *bound, const sc_schedule *schedule, sc_count *rank) {
  sc_path path;
  SC_TRY(sc_path_find(bound, schedule, &path));
  *rank = sc_path_rank(bound, &path);
  return SC_OK;
}
