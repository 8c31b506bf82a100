/* Orders of the loops of each band, counted once per nest. Between two bands without a pack the boundary cannot be
 * seen: the outermost loop of the lower band may move up and become the innermost of the upper one (and merge with a
 * loop over the same dim there). Only orders in which nothing can move up are counted (docs/decisions/0004). So an
 * order is described by the dims whose loop could move up behind it, and of the band below no order may begin with one
 * of these. */
#include <stdlib.h>
#include <string.h>

#include "sampler/bound.h"

enum { MAX_ORDERS = 50000 };

typedef struct found {
  uint16_t movable;
  uint8_t first, order[SC_MAX_DIMS];
} found;

typedef struct finder {
  const sc_late *late;
  int band, n;
  uint16_t mask, parallel; /* parallel: those of this band */
  uint8_t order[SC_MAX_DIMS];
  found *found;
  uint32_t nfound, cap;
} finder;

/* ---- which orders are allowed ---- */

static bool matches(const sc_pattern *pattern, const uint8_t *order, int n) {
  int group = -1;
  for (int i = 0; i < n; i++)
    for (int j = 0; j < pattern->n; j++)
      if (pattern->dim[j] == order[i]) {
        if (pattern->group[j] < group) return false;
        group = pattern->group[j];
      }
  return true;
}

static bool rules_allow(const sc_late *late, int band, const uint8_t *order, int n) {
  for (int r = 0; r < late->nrules[band]; r++) {
    const sc_order_rule *rule = late->rule[band][r];
    bool any = false;
    for (int i = 0; i < rule->n; i++) any |= matches(&rule->pattern[i], order, n);
    if (!any) return false;
  }
  return true;
}

static bool parallel_together(uint16_t parallel, const uint8_t *order, int n) {
  int first = -1, last = -1;
  for (int i = 0; i < n; i++)
    if (parallel >> order[i] & 1) {
      if (first < 0) first = i;
      last = i;
    }
  return first < 0 || last - first + 1 == __builtin_popcount(parallel);
}

/* Loops that could join the end: of dims that are not here, or the same as the last unless that is parallel. */
static uint16_t movable_behind(const finder *f) {
  uint8_t order[SC_MAX_DIMS + 1];
  uint16_t movable = 0;
  memcpy(order, f->order, (size_t)f->n);
  for (int d = 0; d < SC_MAX_DIMS; d++) {
    order[f->n] = (uint8_t)d;
    bool joins = f->mask >> d & 1 ? f->n > 0 && f->order[f->n - 1] == d && !(f->parallel >> d & 1)
                                  : rules_allow(f->late, f->band, order, f->n + 1);
    if (joins) movable |= (uint16_t)(1u << d);
  }
  return movable;
}

static sc_status find_orders(finder *f, int at, uint16_t left) {
  if (left == 0) {
    if (!parallel_together(f->parallel, f->order, f->n) || !rules_allow(f->late, f->band, f->order, f->n)) return SC_OK;
    if (f->nfound == MAX_ORDERS) return SC_LIMIT;
    if (f->nfound == f->cap) {
      f->cap = f->cap ? 2 * f->cap : 64;
      found *grown = realloc(f->found, f->cap * sizeof *grown);
      if (!grown) return SC_NOMEM;
      f->found = grown;
    }
    found *one = &f->found[f->nfound++];
    memset(one, 0, sizeof *one);
    one->movable = movable_behind(f);
    one->first = f->n ? f->order[0] : SC_FIRSTS - 1;
    memcpy(one->order, f->order, (size_t)f->n);
    return SC_OK;
  }
  for (unsigned rest = left; rest; rest &= rest - 1) {
    int d = __builtin_ctz(rest);
    f->order[at] = (uint8_t)d;
    SC_TRY(find_orders(f, at + 1, left & (uint16_t) ~(1u << d)));
  }
  return SC_OK;
}

/* ---- tables ---- */

static int compare_found(const void *a, const void *b) {
  const found *x = a, *y = b;
  if (x->movable != y->movable) return x->movable < y->movable ? -1 : 1;
  if (x->first != y->first) return x->first < y->first ? -1 : 1;
  return memcmp(x->order, y->order, sizeof x->order);
}

static sc_status fill_table(sc_arena *arena, const finder *f, sc_order_table *table) {
  uint32_t n = f->nfound;
  table->n = (uint8_t)f->n;
  table->norders = n;
  table->group = sc_arena_alloc(arena, n + 1, sizeof *table->group);
  table->order = sc_arena_alloc(arena, (size_t)n * (size_t)f->n + 1, 1);
  if (!table->group || !table->order) return SC_NOMEM;
  for (uint32_t i = 0; i < n; i++) {
    const found *one = &f->found[i];
    if (i == 0 || one->movable != f->found[i - 1].movable) {
      sc_order_group *group = &table->group[table->ngroups++];
      group->movable = one->movable;
      for (int k = 0; k <= SC_FIRSTS; k++) group->begin[k] = i;
    }
    sc_order_group *group = &table->group[table->ngroups - 1];
    for (int k = one->first + 1; k <= SC_FIRSTS; k++) group->begin[k] = i + 1;
    memcpy(&table->order[i * table->n], one->order, table->n);
  }
  return SC_OK;
}

static sc_status find_table(sc_space_bound *bound, int band, const sc_bits *bits, uint32_t *id) {
  uint16_t mask = bits->mask[band - 1], parallel = bits->parallel_band == band ? bits->parallel : 0;
  uint64_t key = (uint64_t)bits->late_id << 40 | (uint64_t)band << 32 | (uint64_t)mask << 16 | parallel;
  bound->table_memo.words = 1;
  if (sc_memo_find(&bound->table_memo, &key, id)) return SC_OK;
  if (bound->ntables == bound->table_cap) {
    size_t cap = bound->table_cap ? 2 * bound->table_cap : 64;
    sc_order_table *grown = realloc(bound->table, cap * sizeof *grown);
    if (!grown) return SC_NOMEM;
    bound->table = grown;
    bound->table_cap = cap;
  }
  finder f = {.late = bound->late[bits->late_id],
              .band = band,
              .n = __builtin_popcount(mask),
              .mask = mask,
              .parallel = parallel};
  sc_order_table table = {0};
  sc_status status = find_orders(&f, 0, mask);
  if (status == SC_OK) {
    if (f.nfound) qsort(f.found, f.nfound, sizeof *f.found, compare_found);
    status = fill_table(bound->arena, &f, &table);
  }
  free(f.found);
  if (status != SC_OK) return status;
  *id = (uint32_t)bound->ntables;
  bound->table[bound->ntables++] = table;
  return sc_memo_put(&bound->table_memo, &key, *id);
}

/* ---- counting ---- */

uint32_t sc_order_members(const sc_order_group *group, uint16_t movable) {
  uint32_t n = 0;
  for (int k = 0; k < SC_FIRSTS; k++)
    if (!(movable >> k & 1)) n += group->begin[k + 1] - group->begin[k];
  return n;
}

/* Could the loop over d that begins band `band` belong to a band above, given that loops over `joining` could follow
 * the last loop above, and that `over` bands between have none? */
static uint16_t movable_from(const sc_bits *bits, const finder *empty, int band, uint16_t joining, int over) {
  uint16_t movable = joining ? joining & (uint16_t)~bits->stuck[sc_stuck(band, over)] : 0;
  for (int j = 0; j < over; j++) { /* a band without loops takes what its rules allow */
    finder f = *empty;
    f.band = band + 1 + j;
    movable |= movable_behind(&f) & (uint16_t)~bits->stuck[sc_stuck(band, j)];
  }
  return movable;
}

/* The state in front of the band below, behind an order of `band`. */
static sc_bits below(const sc_space_bound *bound, const sc_bits *bits, int band, uint16_t joining) {
  sc_bits to = *bits;
  int over = 0;
  if (!bits->mask[band - 1]) { /* what could join is above, if anything is */
    joining = bits->movable;
    over = bits->over + 1;
  }
  to.mask[band - 1] = 0;
  to.movable = 0;
  to.over = 0;
  to.level--;
  to.boundary &= (uint8_t) ~(1u << (band - 1) | 1u << band);
  if (to.parallel_band >= band) to.parallel = to.parallel_band = 0;
  if (band == 1) return to;
  for (int j = 0; band - 1 + j < bound->nbands; j++) to.stuck[sc_stuck(band - 1, j)] = 0;
  if (bits->boundary >> (band - 1) & 1) return to;
  if (!to.mask[band - 2]) {
    to.movable = joining;
    to.over = (uint8_t)over;
    return to;
  }
  finder empty = {.late = bound->late[bits->late_id]};
  to.movable = movable_from(bits, &empty, band - 1, joining, over) & to.mask[band - 2];
  if (to.parallel_band == band - 1) to.movable &= (uint16_t)~to.parallel; /* parallel loops stay in their band */
  return to;
}

static sc_status count_band(sc_space_bound *bound, const sc_bits *bits, uint32_t *node) {
  int band = bits->level - SC_VAR_COUNT;
  sc_graph *graph = &bound->graph;
  uint32_t id, child;
  if (band == 0) {
    *node = SC_GRAPH_END;
    return SC_OK;
  }
  if (sc_memo_find(&bound->late_memo, bits, node)) return SC_OK;
  SC_TRY(find_table(bound, band, bits, &id));
  graph->states++;
  size_t base = graph->nstack;
  for (uint32_t g = 0; g < bound->table[id].ngroups; g++) {
    const sc_order_group *group = &bound->table[id].group[g];
    uint32_t members = sc_order_members(group, bits->movable);
    if (members == 0) continue;
    sc_bits to = below(bound, bits, band, group->movable);
    SC_TRY(count_band(bound, &to, &child));
    SC_TRY(sc_graph_push(graph, child, g | (uint32_t)bits->movable << 16, members, id));
  }
  SC_TRY(sc_graph_close(graph, base, node));
  return sc_memo_put(&bound->late_memo, bits, *node);
}

sc_status sc_count_orders(sc_space_bound *bound, const sc_bits *bits, uint32_t *node, sc_error *err) {
  sc_status status = count_band(bound, bits, node);
  if (status == SC_LIMIT)
    return sc_fail(err, status, "a band has more than %d orders of its loops, or the space more than 2^128 schedules",
                   MAX_ORDERS);
  return status == SC_OK ? SC_OK : sc_fail(err, status, "out of memory");
}

const uint8_t *sc_order_member(const sc_order_table *table, uint32_t what, uint32_t member) {
  const sc_order_group *group = &table->group[what & 0xffff];
  uint32_t movable = what >> 16;
  for (int k = 0; k < SC_FIRSTS; k++) {
    uint32_t n = group->begin[k + 1] - group->begin[k];
    if (movable >> k & 1) continue;
    if (member < n) return &table->order[(group->begin[k] + member) * table->n];
    member -= n;
  }
  return table->order;
}

/* The place of an order among the members of its group that begin with no movable dim; false when it is none. */
bool sc_order_place(const sc_order_table *table, uint32_t what, const uint8_t *order, uint32_t *place) {
  uint32_t n = sc_order_members(&table->group[what & 0xffff], (uint16_t)(what >> 16));
  for (*place = 0; *place < n; (*place)++)
    if (memcmp(sc_order_member(table, what, *place), order, table->n) == 0) return true;
  return false;
}
