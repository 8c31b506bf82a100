/* Late choices: loop, unroll, packs and parallel loops, which the numbers do not depend on, only their combinations.
 * Here names become numbers, and what this task makes impossible or the same is left out. */
#include <stdio.h>
#include <string.h>

#include "sampler/bound.h"

typedef struct maker {
  sc_space_bound *bound;
  const sc_combo *combo;
  sc_late *late;
  sc_error *err;
} maker;

static sc_status find_dim(const maker *m, const sc_alt *alt, int i, uint8_t *dim) {
  int d = sc_task_dim(m->bound->task, alt->name[i], strlen(alt->name[i]));
  if (d < 0)
    return sc_space_fail(m->bound->space, &alt->at, m->err, SC_PARSE, "the task has no dim '%s'", alt->name[i]);
  *dim = (uint8_t)d;
  return SC_OK;
}

/* ---- loop and unroll ---- */

/* Dims of one element make no loop; taps that are trimmed at run time must have one. */
static sc_status add_loop(maker *m, const sc_alt *alt) {
  const sc_task *task = m->bound->task;
  sc_loop_alt loop = {0};
  uint16_t mask = 0;
  for (int i = 0; i < alt->nnames; i++) {
    uint8_t d;
    SC_TRY(find_dim(m, alt, i, &d));
    if (task->dim[d].size == 1 && !(m->late->clamped >> d & 1)) continue;
    if (mask >> d & 1)
      return sc_space_fail(m->bound->space, &alt->at, m->err, SC_PARSE, "this loop names '%s' twice", alt->name[i]);
    if (!task->dim[d].reduce && loop.n > 0) return SC_OK; /* illegal: a free loop stands first */
    if (loop.n == SC_MAX_KLOOPS)
      return sc_space_fail(m->bound->space, &alt->at, m->err, SC_LIMIT, "a kernel has at most %d loops", SC_MAX_KLOOPS);
    mask |= (uint16_t)(1u << d);
    loop.dim[loop.n++] = d;
  }
  if (m->late->clamped & ~mask) return SC_OK;
  for (int i = 0; i < m->late->nloops; i++)
    if (m->late->loop[i].n == loop.n && memcmp(m->late->loop[i].dim, loop.dim, loop.n) == 0) return SC_OK;
  m->late->loop[m->late->nloops++] = loop;
  return SC_OK;
}

static sc_status make_loops(maker *m) {
  const sc_clause *clause = sc_clause_find(m->bound, m->combo->option, SC_AT_LOOP, -1, 0);
  if (!clause) return add_loop(m, &(sc_alt){.kind = SC_ALT_NONE});
  for (int i = 0; i < clause->nalts; i++)
    if (sc_alt_kept(m->bound, m->combo->option, clause, -1, &clause->alt[i])) SC_TRY(add_loop(m, &clause->alt[i]));
  return SC_OK;
}

static void make_unrolls(maker *m) {
  static const sc_alt once = {.kind = SC_ALT_NUMBER, .lo = 1, .hi = 1};
  sc_late *late = m->late;
  const sc_clause *clause = sc_clause_find(m->bound, m->combo->option, SC_AT_UNROLL, -1, 0);
  for (int i = 0; i < (clause ? clause->nalts : 1); i++) {
    const sc_alt *alt = clause ? &clause->alt[i] : &once;
    bool seen = false;
    for (int j = 0; j < late->nunrolls; j++) seen |= late->unroll[j] == alt->lo;
    sc_clause as = {.attribute = SC_AT_UNROLL};
    if (!seen && sc_alt_kept(m->bound, m->combo->option, &as, -1, alt))
      late->unroll[late->nunrolls++] = (uint8_t)alt->lo;
  }
  for (int i = 0; i < late->nunrolls; i++) { /* ascending */
    int j = late->nbuckets++;
    for (; j > 0 && late->bucket[j - 1] > late->unroll[i]; j--) late->bucket[j] = late->bucket[j - 1];
    late->bucket[j] = late->unroll[i];
  }
}

/* ---- packs ---- */

/* A layout's text means something to the task alone: its schedule language reads it. */
static sc_status read_layout(const maker *m, const sc_alt *alt, int access, sc_pack *pack) {
  const sc_task *task = m->bound->task;
  char text[256];
  sc_schedule schedule;
  sc_error why;
  int tensor = task->access[access].tensor, nth = 1;
  for (int a = 0; a < access; a++) nth += task->access[a].tensor == tensor;
  snprintf(text, sizeof text, "pack %s@%d 1 %s", task->tensor[tensor].name, nth, alt->layout);
  if (sc_schedule_parse(task, "layout", text, &schedule, &why) != SC_OK)
    return sc_space_fail(m->bound->space, &alt->at, m->err, SC_PARSE, "%s", why.text);
  *pack = schedule.pack[0];
  pack->skew = alt->skew;
  return SC_OK;
}

/* What lowering says of the pack itself, whatever else a schedule holds: tiles of one element, one band. */
static sc_status check_pack(const maker *m, const sc_alt *alt, const sc_pack *pack) {
  const sc_task *task = m->bound->task;
  sc_schedule s = {.nbands = 1, .vector = -1, .lanes = 1, .unroll = 1, .npacks = 1, .pack = {*pack}};
  sc_nest nest;
  sc_error why;
  uint16_t loops = 0;
  s.pack[0].band = 1;
  for (int p = 0; p < task->npads; p++) {
    int red = task->pad[p].red;
    s.pad[p] = red >= 0 ? SC_PAD_CLAMP : SC_PAD_PEEL;
    if (red >= 0 && !(loops >> red & 1)) s.kloop[s.nkloops++] = (uint8_t)red;
    if (red >= 0) loops |= (uint16_t)(1u << red);
  }
  for (int d = 0; d < task->ndims; d++)
    if (!(loops >> d & 1)) s.order[1][s.norder[1]++] = (uint8_t)d;
  if (sc_lower(task, &s, &nest, &why) == SC_OK) return SC_OK;
  if (why.rule != SC_RULE_LAYOUT && why.rule != SC_RULE_LAYOUT_BLOCK) return SC_OK;
  return sc_space_fail(m->bound->space, &alt->at, m->err, SC_ILLEGAL, "%s", why.text);
}

static bool same_pack(const sc_pack_alt *a, const sc_pack_alt *b) {
  return a->band == b->band && a->pack.skew == b->pack.skew && a->pack.layout.nparts == b->pack.layout.nparts &&
         memcmp(a->pack.layout.part, b->pack.layout.part, sizeof a->pack.layout.part) == 0;
}

/* Alternatives stand from the top band down: of equal ones the first is kept when schedules are counted. */
static sc_status insert_pack(maker *m, int access, const sc_pack_alt *alt, const sc_token *at) {
  sc_late *late = m->late;
  int n = late->npacks[access];
  for (int i = 0; i < n; i++)
    if (same_pack(&late->pack[access][i], alt)) return SC_OK;
  if (n == SC_MAX_PACK_ALTS)
    return sc_space_fail(m->bound->space, at, m->err, SC_LIMIT, "more than %d packs to choose from", SC_MAX_PACK_ALTS);
  int i = n;
  for (; i > 0 && alt->band > 0 && late->pack[access][i - 1].band > 0 && late->pack[access][i - 1].band < alt->band;
       i--)
    late->pack[access][i] = late->pack[access][i - 1];
  late->pack[access][i] = *alt;
  late->npacks[access]++;
  return SC_OK;
}

/* A constant is packed ahead of time wherever its pack is written: one band stands for all. */
static sc_status add_packs(maker *m, const sc_clause *clause, const sc_alt *alt, int access) {
  const sc_task *task = m->bound->task;
  bool ahead = task->tensor[task->access[access].tensor].constant && access != 0;
  if (alt->kind == SC_ALT_NONE) return insert_pack(m, access, &(sc_pack_alt){0}, &alt->at);
  if (alt->hi > m->bound->nbands)
    return sc_space_fail(m->bound->space, &alt->at, m->err, SC_PARSE, "band %d: this space has %d", (int)alt->hi,
                         m->bound->nbands);
  for (int band = alt->hi; band >= alt->lo; band--) {
    sc_alt one = *alt;
    one.lo = one.hi = band;
    if (!sc_alt_kept(m->bound, m->combo->option, clause, access, &one)) continue;
    if (m->bound->huge >> access & 1 && (ahead || band == m->bound->nbands || alt->skew)) {
      snprintf(m->bound->why, sizeof m->bound->why, "%s is too large for its pack in band %d%s",
               task->tensor[task->access[access].tensor].name, band, alt->skew ? " with a skew" : "");
      continue;
    }
    sc_pack_alt pack = {.band = (uint8_t)(ahead ? m->bound->nbands : band)};
    SC_TRY(read_layout(m, alt, access, &pack.pack));
    SC_TRY(check_pack(m, alt, &pack.pack));
    pack.pack.band = pack.band;
    SC_TRY(insert_pack(m, access, &pack, &alt->at));
  }
  return SC_OK;
}

static sc_status make_packs(maker *m) {
  for (int a = 0; a < m->bound->task->naccesses; a++) {
    const sc_clause *clause = sc_clause_find(m->bound, m->combo->option, SC_AT_PACK, a, 0);
    for (int i = 0; clause && i < clause->nalts; i++)
      if (clause->alt[i].kind != SC_ALT_NONE || sc_alt_kept(m->bound, m->combo->option, clause, a, &clause->alt[i]))
        SC_TRY(add_packs(m, clause, &clause->alt[i], a));
    if (!clause) SC_TRY(insert_pack(m, a, &(sc_pack_alt){0}, NULL));
  }
  return SC_OK;
}

/* ---- parallel loops ---- */

static sc_status add_parallel(maker *m, const sc_alt *alt) {
  const sc_task *task = m->bound->task;
  sc_late *late = m->late;
  sc_parallel_alt parallel = {.band = (uint8_t)(alt->kind == SC_ALT_NONE ? 0 : alt->lo)};
  if (parallel.band > m->bound->nbands)
    return sc_space_fail(m->bound->space, &alt->at, m->err, SC_PARSE, "band %d: this space has %d", parallel.band,
                         m->bound->nbands);
  for (int i = 0; i < alt->nnames; i++) {
    uint8_t d;
    SC_TRY(find_dim(m, alt, i, &d));
    if (task->dim[d].reduce)
      return sc_space_fail(m->bound->space, &alt->at, m->err, SC_ILLEGAL, "'%s' is a reduction: it cannot be parallel",
                           alt->name[i]);
    if (task->dim[d].size == 1) continue; /* one trip is no loop */
    parallel.mask |= (uint16_t)(1u << d);
  }
  for (int d = 0; d < task->ndims; d++)
    if (parallel.mask >> d & 1) parallel.dim[parallel.n++] = (uint8_t)d;
  if (parallel.n == 0 && alt->kind != SC_ALT_NONE) return SC_OK;
  for (int i = 0; i < late->nparallels; i++)
    if (late->parallel[i].mask == parallel.mask && late->parallel[i].band == parallel.band) return SC_OK;
  for (int i = 0; i < late->nparallels; i++)
    if (late->parallel[i].n && parallel.n && late->parallel[i].band != parallel.band)
      return sc_space_fail(m->bound->space, &alt->at, m->err, SC_PARSE,
                           "the parallel loops of a space stand in one band");
  late->parallel[late->nparallels++] = parallel;
  return SC_OK;
}

static sc_status make_parallels(maker *m) {
  static const sc_alt none = {.kind = SC_ALT_NONE};
  const sc_clause *clause = sc_clause_find(m->bound, m->combo->option, SC_AT_PARALLEL, -1, 0);
  for (int i = 0; clause && i < clause->nalts; i++) {
    const sc_alt *alt = &clause->alt[i];
    if (alt->kind != SC_ALT_NONE && m->bound->threads == 1) continue;
    if (sc_alt_kept(m->bound, m->combo->option, clause, -1, alt)) SC_TRY(add_parallel(m, alt));
  }
  bool only_threads = clause && m->late->nparallels == 0 && m->bound->threads == 1;
  if (!clause || only_threads) SC_TRY(add_parallel(m, &none));
  return SC_OK;
}

/* ---- orders ---- */

static sc_status add_rule(maker *m, const sc_clause *clause) {
  int band = clause->band;
  if (band > m->bound->nbands)
    return sc_space_fail(m->bound->space, &clause->at, m->err, SC_PARSE, "band %d: this space has %d", band,
                         m->bound->nbands);
  if (m->late->nrules[band] == 4)
    return sc_space_fail(m->bound->space, &clause->at, m->err, SC_LIMIT, "too many orders of band %d", band);
  sc_order_rule *rule = sc_arena_alloc(m->bound->arena, 1, sizeof *rule);
  if (!rule) return sc_fail(m->err, SC_NOMEM, "out of memory");
  for (int i = 0; i < clause->nalts; i++) {
    const sc_alt *alt = &clause->alt[i];
    if (alt->kind == SC_ALT_ANY) return SC_OK;
    sc_pattern *pattern = &rule->pattern[rule->n++];
    for (int j = 0; j < alt->nnames; j++) {
      SC_TRY(find_dim(m, alt, j, &pattern->dim[j]));
      pattern->group[j] = alt->group[j];
      for (int k = 0; k < j; k++)
        if (pattern->dim[k] == pattern->dim[j])
          return sc_space_fail(m->bound->space, &alt->at, m->err, SC_PARSE, "this order names '%s' twice",
                               alt->name[j]);
    }
    pattern->n = alt->nnames;
  }
  m->late->rule[band][m->late->nrules[band]++] = rule;
  return SC_OK;
}

static sc_status make_orders(maker *m) {
  const sc_space *space = m->bound->space;
  for (int band = 1; band < SC_MAX_BANDS; band++) {
    const sc_clause *clause = sc_clause_find(m->bound, m->combo->option, SC_AT_ORDER, -1, band);
    if (clause) SC_TRY(add_rule(m, clause));
  }
  for (int i = 0; i < space->nclauses; i++)
    if (space->clause[i].force && space->clause[i].attribute == SC_AT_ORDER &&
        sc_clause_active(m->bound, &space->clause[i]))
      SC_TRY(add_rule(m, &space->clause[i]));
  return SC_OK;
}

static bool same_orders(const sc_late *a, const sc_late *b) {
  if (memcmp(a->nrules, b->nrules, sizeof a->nrules) != 0) return false;
  for (int band = 0; band < SC_MAX_BANDS; band++)
    for (int i = 0; i < a->nrules[band]; i++)
      if (memcmp(a->rule[band][i], b->rule[band][i], sizeof *a->rule[band][i]) != 0) return false;
  return true;
}

/* Conditions aside: a state that has one open keeps its sc_late. */
static bool same_variable(const sc_late *a, const sc_late *b, int var) {
  if (var == SC_VAR_LOOP) return false; /* what lowering keeps of a loop depends on pads too */
  if (var == SC_VAR_UNROLL) return a->nunrolls == b->nunrolls && memcmp(a->unroll, b->unroll, sizeof a->unroll) == 0;
  if (var == SC_VAR_PARALLEL)
    return a->nparallels == b->nparallels && memcmp(a->parallel, b->parallel, sizeof a->parallel) == 0;
  int access = var - SC_VAR_PACK;
  return a->npacks[access] == b->npacks[access] && a->fill == b->fill && a->vector == b->vector &&
         memcmp(a->pack[access], b->pack[access], sizeof a->pack[access]) == 0;
}

static void find_same(const sc_space_bound *bound, sc_late *late) {
  for (int j = bound->nlates - 1; j >= 0; j--) {
    const sc_late *other = bound->late[j];
    bool same = same_orders(late, other);
    for (int var = SC_VAR_COUNT; same && var >= 0; var--) {
      late->same_from[var] = other == late ? (uint32_t)j : other->same_from[var];
      same = var > 0 && (other == late || same_variable(late, other, var - 1));
    }
  }
}

/* ---- all of them ---- */

static bool same_late(const sc_late *late, const sc_combo *combo) {
  return late->vector == combo->vector && memcmp(late->pad, combo->pad, sizeof late->pad) == 0 &&
         memcmp(late->option, combo->option, sizeof late->option) == 0;
}

sc_status sc_late_make(sc_space_bound *bound, sc_combo *combo, sc_error *err) {
  const sc_task *task = bound->task;
  for (combo->late_id = 0; combo->late_id < (uint32_t)bound->nlates; combo->late_id++)
    if (same_late(bound->late[combo->late_id], combo)) return SC_OK;
  if (bound->nlates == SC_MAX_LATES)
    return sc_fail(err, SC_LIMIT, "more than %d combinations of options, vector dims and pads", SC_MAX_LATES);
  sc_late *late = sc_arena_alloc(bound->arena, 1, sizeof *late);
  if (!late) return sc_fail(err, SC_NOMEM, "out of memory");
  bound->late[bound->nlates++] = late;
  late->vector = combo->vector;
  memcpy(late->pad, combo->pad, sizeof late->pad);
  memcpy(late->option, combo->option, sizeof late->option);
  for (int p = 0; p < task->npads; p++) {
    if (combo->pad[p] == SC_PAD_CLAMP && task->pad[p].red >= 0) late->clamped |= (uint16_t)(1u << task->pad[p].red);
    if (combo->pad[p] == SC_PAD_PACK) late->fill |= (uint8_t)(1u << task->pad[p].access);
  }
  maker m = {.bound = bound, .combo = combo, .late = late, .err = err};
  SC_TRY(make_loops(&m));
  make_unrolls(&m);
  if (late->nbuckets > SC_TRIP_BUCKETS)
    return sc_fail(err, SC_LIMIT, "more than %d numbers of unrolling", SC_TRIP_BUCKETS);
  SC_TRY(make_packs(&m));
  SC_TRY(make_parallels(&m));
  SC_TRY(make_orders(&m));
  find_same(bound, late);
  return SC_OK;
}
