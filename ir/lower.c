/* sc_lower: from a schedule to a nest, or to the rule it breaks. Bottom up: tiles of every dim, steps of every band,
 * then what the kernel is; top down: the nodes. Everything goes straight into the caller's nest: no allocation, and
 * beside what is used only short arrays are cleared. */
#include <stddef.h>
#include <string.h>

#include "ir/lowering.h"

sc_type sc_accumulator_type(const sc_task *task) {
  sc_type type = task->tensor[task->access[0].tensor].type;
  return type == SC_F32 || type == SC_F16 ? SC_F32 : SC_I32;
}

/* ---- tiles ---- */

static void add_run(sc_tiling *tiling, sc_run run, int32_t start) {
  sc_seg *last = tiling->nsegs ? &tiling->seg[tiling->nsegs - 1] : NULL;
  if (last && last->size == run.size) last->count += run.count;
  else
    tiling->seg[tiling->nsegs++] =
        (sc_seg){.size = run.size, .first = tiling->tiles, .count = run.count, .start = start};
  tiling->tiles += run.count;
  if (run.size > tiling->max_tile) tiling->max_tile = run.size;
}

static sc_status tile_dim(sc_lowering *lw, int d) {
  const sc_schedule *s = lw->schedule;
  sc_tiling *tiling = &lw->nest->dim[d];
  int32_t size = lw->task->dim[d].size;
  tiling->nsegs = 0;
  tiling->tiles = tiling->max_tile = 0;
  if (s->nruns[d] > SC_MAX_RUNS)
    return sc_lower_illegal(lw, SC_RULE_RANGE, "the number of runs", (int64_t)s->nruns[d], (int64_t)0,
                            (int64_t)SC_MAX_RUNS);
  if (s->nruns[d] == 0) add_run(tiling, (sc_run){1, size}, 0);
  int64_t covered = s->nruns[d] == 0 ? size : 0;
  for (int i = 0; i < s->nruns[d]; i++) {
    sc_run run = s->run[d][i];
    if (run.size < 1 || run.count < 1 || run.size > size || run.count > size)
      return sc_lower_illegal(lw, SC_RULE_TILE, d, (int64_t)run.size, (int64_t)run.count);
    if (run.size > INT16_MAX) return sc_lower_illegal(lw, SC_RULE_TILE_SIZE, d, (int64_t)run.size, (int64_t)INT16_MAX);
    int64_t start = covered;
    covered += (int64_t)run.size * run.count;
    if (covered > size) return sc_lower_illegal(lw, SC_RULE_COVER, d, covered, (int64_t)size);
    add_run(tiling, run, (int32_t)start);
  }
  return covered == size ? SC_OK : sc_lower_illegal(lw, SC_RULE_COVER, d, covered, (int64_t)size);
}

static sc_status steps(sc_lowering *lw) {
  const sc_schedule *s = lw->schedule;
  int nbands = s->nbands;
  for (int b = 0; b < SC_MAX_BANDS; b++)
    lw->trips[b] = 0; /* a known number: else it would be a slow string instruction */
  for (int d = 0; d < lw->task->ndims; d++) {
    int32_t tiles = lw->nest->dim[d].tiles, step = 1;
    lw->step[0][d] = 1;
    for (int b = 1; b <= nbands; b++) {
      int64_t wanted = tiles;
      if (b < nbands) {
        int32_t group = s->group[b][d];
        if (group < 0)
          return sc_lower_illegal(lw, SC_RULE_RANGE, "a group", (int64_t)group, (int64_t)0, (int64_t)SC_ALL);
        wanted = group ? (int64_t)step * group : step;
      }
      int32_t above = wanted < tiles ? (int32_t)wanted : tiles;
      lw->trips[b] |= (uint16_t)((above > step) << d);
      lw->step[b][d] = step = above;
    }
  }
  return SC_OK;
}

/* ---- the kernel ---- */

/* Loops with one trip vanish from the kernel too, except where a clamp trims them to none. */
static bool is_clamped(const sc_lowering *lw, int d) {
  for (int p = 0; p < lw->task->npads; p++)
    if (lw->task->pad[p].red == d && sc_pad_is(lw, p, SC_PAD_CLAMP)) return true;
  return false;
}

static sc_status kernel_loops(sc_lowering *lw) {
  const sc_schedule *s = lw->schedule;
  sc_nest *nest = lw->nest;
  uint16_t named = 0;
  nest->nkloops = 0;
  nest->free_kloop = false;
  lw->kloops = 0;
  if (s->nkloops > SC_MAX_KLOOPS)
    return sc_lower_illegal(lw, SC_RULE_RANGE, "the number of kernel loops", (int64_t)s->nkloops, (int64_t)0,
                            (int64_t)SC_MAX_KLOOPS);
  for (int i = 0; i < s->nkloops; i++) {
    int d = s->kloop[i];
    if (d >= lw->task->ndims) return sc_lower_illegal(lw, SC_RULE_DIM, "`loop`", (int64_t)d, (int64_t)lw->task->ndims);
    if (named >> d & 1) return sc_lower_illegal(lw, SC_RULE_LOOP_TWICE, d);
    named |= (uint16_t)(1u << d);
    bool reduce = lw->task->dim[d].reduce;
    if (!reduce && i > 0) return sc_lower_illegal(lw, SC_RULE_LOOP_FREE, d);
    if (!(lw->trips[1] >> d & 1) && !is_clamped(lw, d)) continue;
    if (reduce && nest->dim[d].nsegs > 1) return sc_lower_illegal(lw, SC_RULE_LOOP_RAGGED, d);
    if (!reduce) nest->free_kloop = true;
    nest->kloop[nest->nkloops++] = (uint8_t)d;
    lw->kloops |= (uint16_t)(1u << d);
  }
  int32_t trips = nest->nkloops ? lw->step[1][nest->kloop[nest->nkloops - 1]] : 1;
  if (s->unroll < 1 || s->unroll > trips)
    return sc_lower_illegal(lw, SC_RULE_UNROLL, (int64_t)s->unroll, (int64_t)trips);
  nest->unroll = s->unroll;
  return SC_OK;
}

static sc_status vector(sc_lowering *lw) {
  const sc_schedule *s = lw->schedule;
  if ((s->vector < 0) != (s->lanes == 1)) return sc_lower_illegal(lw, SC_RULE_VECTOR_DIM, (int64_t)s->lanes);
  lw->nest->lanes = s->lanes;
  lw->nest->vector = s->vector < 0 ? -1 : s->vector;
  if (s->vector < 0) return SC_OK;
  int v = s->vector;
  if (v >= lw->task->ndims) return sc_lower_illegal(lw, SC_RULE_DIM, "`vector`", (int64_t)v, (int64_t)lw->task->ndims);
  if (lw->task->dim[v].reduce) return sc_lower_illegal(lw, SC_RULE_VECTOR_REDUCE, v);
  int32_t tile = lw->nest->dim[v].max_tile;
  if (s->lanes < 2 || (s->lanes & (s->lanes - 1)) || s->lanes > tile || s->lanes > SC_MAX_LANES)
    return sc_lower_illegal(lw, SC_RULE_LANES, (int64_t)s->lanes, v, (int64_t)tile, (int64_t)SC_MAX_LANES);
  return SC_OK;
}

/* Numbers the classes of a dim, (size, lo, hi), by first appearance. */
static int classes(sc_tiling *tiling) {
  int n = 0;
  if (tiling->nsegs == 1) {
    tiling->class_of[0] = 0;
    return tiling->nclasses = 1;
  }
  for (int i = 0; i < tiling->nsegs; i++) {
    const sc_seg *a = &tiling->seg[i];
    int j = 0;
    while (j < i && (tiling->seg[j].size != a->size || tiling->seg[j].lo != a->lo || tiling->seg[j].hi != a->hi)) j++;
    tiling->class_of[i] = (uint8_t)(j < i ? tiling->class_of[j] : n++);
  }
  tiling->nclasses = (uint8_t)n;
  return n;
}

sc_status sc_lower_kernels(sc_lowering *lw) {
  sc_nest *nest = lw->nest;
  int64_t variants = 1, statements = nest->unroll;
  for (int d = 0; d < lw->task->ndims; d++) {
    int32_t tile = nest->dim[d].max_tile;
    variants *= classes(&nest->dim[d]);
    if (d == nest->vector) tile = tile / nest->lanes + (tile % nest->lanes != 0);
    if (statements <= SC_MAX_STATEMENTS) statements *= tile;
  }
  if (variants > SC_MAX_KERNELS) return sc_lower_illegal(lw, SC_RULE_KERNELS, variants, (int64_t)SC_MAX_KERNELS);
  if (statements > SC_MAX_STATEMENTS)
    return sc_lower_illegal(lw, SC_RULE_KERNEL_SIZE, statements, (int64_t)SC_MAX_STATEMENTS);
  nest->nvariants = (uint8_t)variants;
  return SC_OK;
}

static sc_status lower(sc_lowering *lw) {
  const sc_schedule *s = lw->schedule;
  sc_nest *nest = lw->nest;
  lw->only_orders = false;
  lw->kept_packs = 0;
  if (s->nbands < 1 || s->nbands >= SC_MAX_BANDS)
    return sc_lower_illegal(lw, SC_RULE_RANGE, "the number of bands", (int64_t)s->nbands, (int64_t)1,
                            (int64_t)(SC_MAX_BANDS - 1));
  for (int d = 0; d < lw->task->ndims; d++) SC_TRY(tile_dim(lw, d));
  SC_TRY(steps(lw));
  SC_TRY(kernel_loops(lw));
  SC_TRY(vector(lw));
  SC_TRY(sc_lower_find_packs(lw));
  SC_TRY(sc_lower_pads(lw));
  SC_TRY(sc_lower_kernels(lw));
  SC_TRY(sc_lower_nodes(lw));
  SC_TRY(sc_lower_operands(lw));
  memcpy(nest->compile, s->compile, sizeof nest->compile);
  nest->compile[sizeof nest->compile - 1] = 0;
  return SC_OK;
}

sc_status sc_lower(const sc_task *task, const sc_schedule *schedule, sc_nest *nest, sc_error *err) {
  sc_lowering lw;
  lw.task = task;
  lw.schedule = schedule;
  lw.nest = nest;
  lw.err = err;
  return lower(&lw);
}

/* ---- one after another ---- */

_Static_assert(sizeof(sc_lowering) <= sizeof((sc_lowered *)0)->storage, "sc_lowered is too small");

/* Do they differ in nothing but the orders of loops? Bytes without a meaning may differ too, that only costs time. */
static bool only_orders_differ(const sc_schedule *a, const sc_schedule *b) {
  enum { ORDER = offsetof(sc_schedule, order), BEHIND = ORDER + sizeof a->order };
  _Static_assert(offsetof(sc_schedule, norder) + sizeof a->norder == ORDER, "nothing stands between");
  return memcmp(a, b, offsetof(sc_schedule, norder)) == 0 &&
         memcmp((const char *)a + BEHIND, (const char *)b + BEHIND, sizeof *a - BEHIND) == 0;
}

void sc_lower_start(sc_lowered *lowered, const sc_task *task) {
  sc_lowering *lw = (sc_lowering *)(void *)lowered->storage;
  lw->task = task;
  lowered->legal = false;
}

bool sc_lower_keeps(const sc_lowered *lowered, const sc_schedule *schedule) {
  return lowered->legal && only_orders_differ(schedule, &lowered->compared);
}

/* The orders decide about nothing but the nodes. */
sc_status sc_lower_next(sc_lowered *lowered, const sc_schedule *schedule, sc_error *err) {
  sc_lowering *lw = (sc_lowering *)(void *)lowered->storage;
  lw->err = err;
  lw->schedule = schedule;
  lw->nest = &lowered->nest;
  lw->only_orders = lowered->only_orders = sc_lower_keeps(lowered, schedule);
  if (!lw->only_orders) lowered->compared = *schedule;
  const sc_status status = lw->only_orders ? sc_lower_nodes(lw) : lower(lw);
  lowered->legal = status == SC_OK;
  return status;
}
