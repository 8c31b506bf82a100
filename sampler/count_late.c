/* Counting the late choices: loop, unroll, packs, parallel. Their legality is a matter of masks: which dims make more
 * than one trip in which band. Where two alternatives lower to one nest, the first one stands for both. */
#include <stdlib.h>
#include <string.h>

#include "sampler/bound.h"

typedef struct late_step {
  sc_space_bound *bound;
  const sc_late *late;
  const sc_bits *bits; /* before the choice */
  int var, access;
  sc_error *err;
} late_step;

/* ---- guards ---- */

/* Drops the conditions that do not count with this alternative; false when one counts and is broken. */
static bool guards_hold(const sc_late *late, int var, int alternative, sc_bits *bits) {
  for (uint64_t rest = bits->late; rest; rest &= rest - 1) {
    int i = __builtin_ctzll(rest);
    if (!(late->guard[i].alternatives[var] >> alternative & 1)) {
      bits->late &= ~((uint64_t)1 << i);
      continue;
    }
    bool last = true;
    for (int v = var + 1; v < SC_VAR_COUNT; v++) last &= late->guard[i].alternatives[v] == ~(uint64_t)0;
    if (last) return false;
  }
  return true;
}

/* ---- loop, unroll ---- */

/* Which reductions loop outside the kernel, in bands from..to. */
static uint16_t reduction_loops(const sc_space_bound *bound, const sc_bits *bits, int from, int to) {
  uint16_t loops = 0;
  for (int b = from; b <= to; b++) loops |= bits->mask[b - 1];
  return loops & bound->reduce;
}

/* The loops that lowering keeps: of more than one trip, or trimmed at run time. */
int sc_kept_loops(const sc_late *late, const sc_bits *bits, int alternative, uint8_t *kept) {
  const sc_loop_alt *loop = &late->loop[alternative];
  int n = 0;
  for (int i = 0; i < loop->n; i++)
    if ((bits->mask[0] | late->clamped) >> loop->dim[i] & 1) kept[n++] = loop->dim[i];
  return n;
}

/* Accesses without a clause `pack` have no level of their own. */
static bool unpackable_is_legal(const late_step *s, const sc_bits *to) {
  uint8_t without = (uint8_t)~s->bound->pack_levels;
  if (without & (to->need | s->late->fill)) return false;
  return !(without & 1) || !s->bound->typed_acc || !reduction_loops(s->bound, to, 1, s->bound->nbands);
}

static bool choose_loop(const late_step *s, int alternative, sc_bits *to) {
  uint8_t kept[SC_MAX_KLOOPS], other[SC_MAX_KLOOPS];
  int n = sc_kept_loops(s->late, s->bits, alternative, kept);
  for (int i = 0; i < alternative; i++)
    if (sc_kept_loops(s->late, s->bits, i, other) == n && memcmp(kept, other, (size_t)n) == 0) return false;
  uint16_t mask = 0;
  for (int i = 0; i < n; i++) mask |= (uint16_t)(1u << kept[i]);
  if (to->no_loop & mask) return false;
  for (int i = 0; i < s->late->nloop_needs; i++)
    if (to->loop_need >> i & 1 && mask >> s->late->loop_need[i].dim & 1)
      to->need |= (uint8_t)(1u << s->late->loop_need[i].access);
  to->no_loop = 0;
  to->loop_need = 0;
  to->kernel = to->mask[0] & mask;
  to->mask[0] &= (uint16_t)~mask;
  for (int over = 0; over + 1 < s->bound->nbands; over++) to->stuck[sc_stuck(1, over)] &= (uint16_t)~mask;
  if (n > 0) to->trips = to->trips >> 3 * kept[n - 1] & 7;
  else to->trips = s->late->nbuckets > 0 && s->late->bucket[0] == 1;
  return unpackable_is_legal(s, to);
}

static bool choose_unroll(const late_step *s, int alternative, sc_bits *to) {
  uint32_t at = 0;
  while (s->late->bucket[at] != s->late->unroll[alternative]) at++;
  if (at >= to->trips) return false;
  to->trips = 0;
  return true;
}

/* ---- packs ---- */

/* A pack as lowering would canonicalise it. */
typedef struct canonical {
  bool bound; /* packed at all */
  uint8_t position, nparts;
  int16_t skew;
  sc_part part[2 * SC_MAX_AXES];
  bool skewable;
} canonical;

typedef struct axis_facts {
  bool one_tile, thin, unit;
} axis_facts;

/* What a tile of `band` holds of a tensor's axis. */
static axis_facts facts_of(const late_step *s, int axis, int band) {
  const sc_task *task = s->bound->task;
  const sc_index *index = &task->access[s->access].axis[axis];
  uint16_t loops = s->bits->kernel;
  for (int b = 0; b < band; b++) loops |= s->bits->mask[b];
  axis_facts facts = {.one_tile = true, .thin = true, .unit = true};
  for (int k = 0; k < 2; k++) {
    int d = index->dim[k];
    if (d < 0 || task->dim[d].size == 1) continue;
    bool one = !(loops >> d & 1), thin = s->bits->thin >> d & 1;
    if (k == 0) facts.one_tile = one, facts.thin = thin;
    facts.unit &= one && thin;
  }
  return facts;
}

/* Axes of one position go; an axis one tile wide, or of tiles one wide, or whose parts meet, is whole. */
static void canonicalise(const late_step *s, const sc_pack_alt *alt, int band, canonical *out) {
  bool dropped_first = false;
  for (int i = 0; i < alt->pack.layout.nparts; i++) {
    sc_part part = alt->pack.layout.part[i];
    axis_facts facts = facts_of(s, part.axis, band);
    bool drop = facts.unit;
    if (part.kind != SC_PART_WHOLE) {
      if (part.kind == SC_PART_OUTER ? facts.one_tile : facts.thin && !facts.one_tile) drop = true;
      if (facts.one_tile || facts.thin) part.kind = SC_PART_WHOLE;
    }
    if (drop) {
      dropped_first |= i == 0;
      continue;
    }
    if (part.kind == SC_PART_INNER && out->nparts > 0 && out->part[out->nparts - 1].axis == part.axis)
      out->part[out->nparts - 1].kind = SC_PART_WHOLE;
    else out->part[out->nparts++] = part;
  }
  out->skew = alt->pack.skew;
  out->skewable = !dropped_first && out->nparts >= 2;
}

/* Does a copy made ahead lie like the tensor itself? Then lowering forgets it. */
static bool is_identity(const late_step *s, const canonical *c) {
  const sc_task *task = s->bound->task;
  const sc_access *access = &task->access[s->access];
  const sc_tensor *tensor = &task->tensor[access->tensor];
  int64_t factor[SC_MAX_AXES], inside = 1;
  if (c->skew || s->late->fill >> s->access & 1) return false;
  for (int x = 0; x < SC_MAX_AXES; x++) factor[x] = 1;
  for (int i = c->nparts - 1; i >= 0; i--) {
    int x = c->part[i].axis, d = access->axis[x].dim[0];
    int32_t block = tensor->layout.block[x], extent = 1;
    for (int k = 0; k < 2; k++)
      if (access->axis[x].dim[k] >= 0)
        extent += abs(access->axis[x].coef[k]) * (task->dim[access->axis[x].dim[k]].size - 1);
    if (c->part[i].kind == SC_PART_WHOLE) {
      if (access->inner_stride[x] != inside || (block > 0 && (extent > block || access->axis[x].offset))) return false;
      factor[x] = extent;
    } else {
      if (d < 0 || !(s->bits->blocked >> d & 1) || access->axis[x].offset % block != 0) return false;
      bool outer = c->part[i].kind == SC_PART_OUTER;
      if (outer) factor[x] = 1;
      int64_t step = block;
      for (int y = 0; y < SC_MAX_AXES; y++) step *= factor[y];
      if (outer ? access->outer_stride[x] != step : access->inner_stride[x] != inside) return false;
      factor[x] = outer ? extent : block;
    }
    inside = 1;
    for (int y = 0; y < SC_MAX_AXES; y++) inside *= factor[y];
  }
  return true;
}

/* The highest band with no loop between: there the same pack would stand too. */
static uint8_t position_of(const late_step *s, int band) {
  while (band < s->bound->nbands && s->bits->mask[band] == 0) band++;
  return (uint8_t)band;
}

static canonical describe(const late_step *s, int alternative) {
  const sc_pack_alt *alt = &s->late->pack[s->access][alternative];
  const sc_task *task = s->bound->task;
  canonical c;
  memset(&c, 0, sizeof c);
  if (alt->band == 0) return c;
  bool ahead = s->access != 0 && task->tensor[task->access[s->access].tensor].constant;
  canonicalise(s, alt, alt->band, &c);
  c.bound = true;
  if (!ahead) c.position = position_of(s, alt->band);
  else if (is_identity(s, &c)) memset(&c, 0, sizeof c);
  return c;
}

static bool same_canonical(const canonical *a, const canonical *b) {
  return a->bound == b->bound && a->position == b->position && a->skew == b->skew && a->nparts == b->nparts &&
         memcmp(a->part, b->part, a->nparts * sizeof *a->part) == 0;
}

/* Is this alternative what the nest does with the access? Bands are the caller's to compare. */
bool sc_pack_is_lowered(const sc_space_bound *bound, const sc_late *late, const sc_bits *bits, int access,
                        int alternative, const sc_nest *nest) {
  late_step s = {.bound = (sc_space_bound *)bound, .late = late, .bits = bits, .access = access};
  canonical c = describe(&s, alternative);
  const sc_nest_pack *pack = NULL;
  int n = 0;
  for (int p = 0; p < nest->npacks; p++)
    if (nest->pack[p].access == access) pack = &nest->pack[p];
  if (!pack || !c.bound) return !pack && !c.bound;
  for (int i = 0; i < pack->layout.nparts; i++) {
    if (pack->extent[pack->layout.part[i].axis] == 1) continue;
    if (n == c.nparts || c.part[n].axis != pack->layout.part[i].axis || c.part[n].kind != pack->layout.part[i].kind)
      return false;
    n++;
  }
  return n == c.nparts && c.skew == pack->skew;
}

static bool acc_is_legal(const late_step *s, const sc_pack_alt *alt) {
  if (alt->band == 0) return !(s->bound->typed_acc && reduction_loops(s->bound, s->bits, 1, s->bound->nbands));
  return !reduction_loops(s->bound, s->bits, alt->band + 1, s->bound->nbands) &&
         reduction_loops(s->bound, s->bits, 1, alt->band);
}

/* The vector dim must be the fastest in the pack. */
static bool is_contiguous(const late_step *s, const canonical *c) {
  const sc_access *access = &s->bound->task->access[s->access];
  int v = s->late->vector;
  if (!c->bound || v < 0 || !(access->dims >> v & 1)) return true;
  const sc_part *last = c->nparts ? &c->part[c->nparts - 1] : NULL;
  if (!last || last->kind == SC_PART_OUTER) return false;
  const sc_index *index = &access->axis[last->axis];
  return (index->dim[0] == v && index->coef[0] == 1) || (index->dim[1] == v && index->coef[1] == 1);
}

static bool choose_pack(const late_step *s, int alternative, sc_bits *to) {
  const sc_pack_alt *alt = &s->late->pack[s->access][alternative];
  const sc_task *task = s->bound->task;
  canonical c = describe(s, alternative);
  for (int i = 0; i < alternative; i++) {
    canonical other = describe(s, i);
    if (same_canonical(&c, &other) && (!other.skew || other.skewable)) return false;
  }
  if (!c.bound && (to->need | s->late->fill) >> s->access & 1) return false;
  if (!is_contiguous(s, &c) || (c.skew && !c.skewable)) return false;
  if (s->access == 0 && !acc_is_legal(s, alt)) return false;
  if (alt->band > 0 && (s->access == 0 || !task->tensor[task->access[s->access].tensor].constant))
    to->boundary |= (uint8_t)(1u << alt->band);
  if (s->access == 0) to->acc = alt->band;
  to->need &= (uint8_t) ~(1u << s->access);
  return true;
}

/* ---- parallel ---- */

/* Every parallel loop makes trips; a buffer of partial sums above them must be the outermost thing. */
static bool choose_parallel(const late_step *s, int alternative, sc_bits *to) {
  const sc_parallel_alt *alt = &s->late->parallel[alternative];
  if (alt->n > 0) {
    if (alt->mask & ~to->mask[alt->band - 1]) return false;
    for (int b = to->acc + 1; to->acc >= alt->band && b <= s->bound->nbands; b++)
      if (to->mask[b - 1]) return false;
  }
  to->parallel = alt->mask;
  to->parallel_band = alt->band;
  return true;
}

/* ---- levels ---- */

bool sc_late_choose(const sc_space_bound *bound, const sc_late *late, const sc_bits *bits, int var, int alternative,
                    sc_bits *to) {
  late_step s = {.bound = (sc_space_bound *)bound, .late = late, .bits = bits, .var = var, .access = var - SC_VAR_PACK};
  *to = *bits;
  bool legal = var == SC_VAR_LOOP      ? choose_loop(&s, alternative, to)
               : var == SC_VAR_UNROLL  ? choose_unroll(&s, alternative, to)
               : var < SC_VAR_PARALLEL ? choose_pack(&s, alternative, to)
                                       : choose_parallel(&s, alternative, to);
  if (!legal) return false;
  if (to->kinds && !sc_verdict_step(bound, var, alternative, to)) return false;
  return guards_hold(late, var, alternative, to);
}

int sc_late_alternatives(const sc_late *late, int var) {
  return var == SC_VAR_LOOP      ? late->nloops
         : var == SC_VAR_UNROLL  ? late->nunrolls
         : var < SC_VAR_PARALLEL ? late->npacks[var - SC_VAR_PACK]
                                 : late->nparallels;
}

/* What the orders of loops must know. */
static sc_bits for_orders(const sc_space_bound *bound, const sc_bits *bits) {
  sc_bits to;
  memset(&to, 0, sizeof to);
  memcpy(to.mask, bits->mask, sizeof to.mask);
  memcpy(to.stuck, bits->stuck, sizeof to.stuck);
  to.boundary = bits->boundary;
  to.parallel = bits->parallel;
  to.parallel_band = bits->parallel_band;
  to.level = (uint8_t)(SC_VAR_COUNT + bound->nbands);
  to.late_id = bound->late[bits->late_id]->same_from[SC_VAR_COUNT];
  return to;
}

bool sc_var_is_level(const sc_space_bound *bound, int var) {
  return var < SC_VAR_PACK || var >= SC_VAR_PARALLEL || bound->pack_levels >> (var - SC_VAR_PACK) & 1;
}

static sc_status count_var(sc_space_bound *bound, const sc_bits *bits, int var, uint32_t *node, sc_error *err) {
  const sc_late *late = bound->late[bits->late_id];
  sc_graph *graph = &bound->graph;
  while (!sc_var_is_level(bound, var)) var++;
  if (var == SC_VAR_COUNT) {
    sc_bits orders = for_orders(bound, bits);
    return sc_count_orders(bound, &orders, node, err);
  }
  sc_bits key = *bits;
  key.level = (uint8_t)var;
  if (var == SC_VAR_PARALLEL) key.thin = key.blocked = key.kernel = 0; /* no pack is left to ask for them */
  if (key.late == 0 && key.kinds == 0) key.late_id = late->same_from[var];
  if (sc_memo_find(&bound->late_memo, &key, node)) return SC_OK;
  if (++graph->states > graph->max_states)
    return sc_fail(err, SC_LIMIT, "counting this space takes more than %zu states: it has too many late choices%s",
                   graph->max_states, key.kinds ? ", whose kernels conditions tell apart" : "");
  size_t base = graph->nstack;
  sc_status status = SC_OK;
  for (int i = 0; i < sc_late_alternatives(late, var) && status == SC_OK; i++) {
    sc_bits to;
    uint32_t child;
    if (!sc_late_choose(bound, late, &key, var, i, &to)) continue;
    SC_TRY(count_var(bound, &to, var + 1, &child, err));
    status = sc_graph_push(graph, child, (uint32_t)i, 1, 0);
  }
  if (status == SC_OK) status = sc_graph_close(graph, base, node);
  if (status == SC_OK) status = sc_memo_put(&bound->late_memo, &key, *node);
  return status == SC_OK ? SC_OK
                         : sc_fail(err, status, "no memory to count this space, or it holds more than 2^128 schedules");
}

sc_status sc_count_late(sc_space_bound *bound, const sc_bits *bits, uint32_t *node, sc_error *err) {
  return count_var(bound, bits, SC_VAR_LOOP, node, err);
}
