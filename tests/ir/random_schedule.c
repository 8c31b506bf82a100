/* Random legal schedules. Every choice is drawn so that the rules usually hold (a vector dim asks for packs, an
 * eliminator for its loops), the rest is rejected by sc_lower and drawn again: so all of the language is reached, not
 * only what is fast. */
#include "tests/ir/random_schedule.h"

#include <string.h>

#include "ir/lowering.h"

/* Bodies of kernels are mostly small, which takes an eighth of the time to compile and trips over the same rules. */
enum { MAX_DRAWS = 20000, MAX_TILE = 20, SMALL_BODY = 96, LARGE_BODY = 1024, LARGE_PERCENT = 12 };

typedef struct draw {
  const sc_task *task;
  sc_rng *rng;
  sc_schedule *s;
  int32_t tiles[SC_MAX_DIMS], largest[SC_MAX_DIMS];
  uint16_t whole, single; /* bit d: one tile, tiles of one element: what the pads ask for */
  uint16_t kloops;
  int64_t body, most_body; /* product of the largest tiles so far; how large it may get */
  int widest;
} draw;

static void shuffle_items(sc_rng *rng, uint8_t *items, int n) {
  for (int i = n - 1; i > 0; i--) {
    const int j = (int)sc_rng_below(rng, (uint64_t)i + 1);
    const uint8_t item = items[i];
    items[i] = items[j];
    items[j] = item;
  }
}

void sc_schedule_shuffle(sc_schedule *s, sc_rng *rng) {
  const int band = 1 + (int)sc_rng_below(rng, s->nbands);
  shuffle_items(rng, s->order[band], s->norder[band]);
}

static int32_t pick(draw *x, int64_t lo, int64_t hi) {
  return hi <= lo ? (int32_t)lo : (int32_t)(lo + (int64_t)sc_rng_below(x->rng, (uint64_t)(hi - lo + 1)));
}
static bool chance(draw *x, int percent) { return sc_rng_below(x->rng, 100) < (uint64_t)percent; }

static void shuffle(draw *x, uint8_t *items, int n) { shuffle_items(x->rng, items, n); }

/* ---- padding and tiles ---- */

static void draw_pads(draw *x) {
  for (int p = 0; p < x->task->npads; p++) {
    const sc_pad *pad = &x->task->pad[p];
    int rule = pick(x, SC_PAD_PEEL, SC_PAD_PACK);
    if (rule == SC_PAD_CLAMP && (pad->red < 0 || x->whole >> pad->red & 1)) rule = SC_PAD_PEEL;
    if (rule == SC_PAD_PEEL && pad->red >= 0 && x->single >> pad->red & 1) rule = SC_PAD_PACK;
    x->s->pad[p] = (uint8_t)rule;
    if (pad->red < 0 || rule == SC_PAD_PACK) continue;
    if (rule == SC_PAD_PEEL) x->whole |= (uint16_t)(1u << pad->red);
    else x->single |= (uint16_t)(1u << pad->red);
    if (rule == SC_PAD_CLAMP && chance(x, 60)) x->single |= (uint16_t)(1u << pad->free);
  }
}

static void draw_run(draw *x, int d, int32_t size, int32_t count) {
  if (size < 1 || count < 1) return;
  x->s->run[d][x->s->nruns[d]++] = (sc_run){size, count};
  x->tiles[d] += count;
  if (size > x->largest[d]) x->largest[d] = size;
}

/* A tile size that leaves the kernel's body small; often a power of two or a divisor. */
static int32_t draw_size(draw *x, int32_t most) {
  int64_t room = x->most_body / x->body;
  if (room < most) most = (int32_t)room;
  if (most > MAX_TILE) most = MAX_TILE;
  int32_t size = pick(x, 1, most);
  if (chance(x, 40))
    while (size & (size - 1)) size &= size - 1;
  return size;
}

/* 1 to 4 runs: all but the last of random counts, the last takes what is left in tiles and a shorter one. */
static void draw_runs(draw *x, int d, bool one_size) {
  int32_t left = x->task->dim[d].size;
  int nruns = one_size ? 1 : pick(x, 1, 3);
  for (int i = 0; i < nruns && left > 0; i++) {
    int32_t size = draw_size(x, left);
    while (one_size && left % size) size--;
    int32_t count = i == nruns - 1 ? left / size : pick(x, 1, left / size);
    draw_run(x, d, size, count);
    left -= size * count;
  }
  draw_run(x, d, left, 1);
}

static void draw_tiles(draw *x) {
  uint8_t order[SC_MAX_DIMS];
  int n = x->task->ndims;
  for (int d = 0; d < n; d++) order[d] = (uint8_t)d;
  shuffle(x, order, n);
  for (int i = 0; i < n; i++) {
    int d = order[i];
    int32_t size = x->task->dim[d].size;
    x->tiles[d] = x->largest[d] = 0;
    if (x->whole >> d & 1) {
      draw_run(x, d, size, 1);
    } else if (x->single >> d & 1 || chance(x, x->task->dim[d].reduce ? 50 : 15)) {
      x->tiles[d] = size;
      x->largest[d] = 1;
    } else {
      draw_runs(x, d, x->task->dim[d].reduce && chance(x, 80));
    }
    x->body *= x->largest[d];
    if (x->body > x->most_body) x->body = x->most_body;
  }
}

/* ---- vector and loops of the kernel ---- */

static void draw_vector(draw *x) {
  uint8_t dims[SC_MAX_DIMS];
  int n = 0;
  for (int d = 0; d < x->task->ndims; d++)
    if (!x->task->dim[d].reduce && x->largest[d] >= 2) dims[n++] = (uint8_t)d;
  if (n == 0 || x->widest < 2 || chance(x, 15)) return;
  int d = dims[pick(x, 0, n - 1)], lanes = 2;
  while (lanes * 2 <= x->widest && lanes * 2 <= x->largest[d] && chance(x, 80)) lanes *= 2;
  x->s->vector = (int8_t)d;
  x->s->lanes = (uint8_t)lanes;
}

static void draw_kernel_loops(draw *x) {
  uint8_t dims[SC_MAX_DIMS];
  int n = 0, free = -1;
  for (int d = 0; d < x->task->ndims; d++) {
    bool clamped = x->single >> d & 1, one_size = x->s->nruns[d] <= 1;
    if (!x->task->dim[d].reduce) {
      if (x->tiles[d] > 1 && chance(x, 15)) free = d;
    } else if (one_size && (clamped || (x->tiles[d] > 1 && chance(x, 75)))) {
      dims[n++] = (uint8_t)d;
    }
  }
  shuffle(x, dims, n);
  if (free >= 0) x->s->kloop[x->s->nkloops++] = (uint8_t)free;
  for (int i = 0; i < n && x->s->nkloops < SC_MAX_KLOOPS; i++) x->s->kloop[x->s->nkloops++] = dims[i];
  for (int i = 0; i < x->s->nkloops; i++) x->kloops |= (uint16_t)(1u << x->s->kloop[i]);
}

/* ---- bands ---- */

static int32_t draw_group(draw *x, int d, int band, int32_t step) {
  int32_t tiles = x->tiles[d] / step + (x->tiles[d] % step != 0);
  if (band == 1 && x->kloops >> d & 1 && chance(x, 70)) return SC_ALL;
  if (tiles <= 1 || chance(x, 35)) return 0;
  if (chance(x, 20)) return SC_ALL;
  return pick(x, 2, tiles < 8 ? tiles : 8);
}

static void draw_bands(draw *x) {
  sc_schedule *s = x->s;
  int32_t step[SC_MAX_DIMS], inner = 1;
  s->nbands = (uint8_t)pick(x, 1, SC_MAX_BANDS - 1);
  for (int d = 0; d < x->task->ndims; d++) step[d] = 1;
  for (int b = 1; b <= s->nbands; b++) {
    for (int d = 0; d < x->task->ndims; d++) {
      int32_t below = step[d];
      int32_t group = b == s->nbands ? SC_ALL : draw_group(x, d, b, below);
      if (b < s->nbands) s->group[b][d] = group;
      int64_t tiles = group ? (int64_t)below * group : below;
      step[d] = tiles < x->tiles[d] ? (int32_t)tiles : x->tiles[d];
      bool in_kernel = b == 1 && x->kloops >> d & 1;
      if (step[d] > below && !in_kernel) s->order[b][s->norder[b]++] = (uint8_t)d;
      if (in_kernel && s->nkloops && d == s->kloop[s->nkloops - 1]) inner = step[d];
    }
    shuffle(x, s->order[b], s->norder[b]);
  }
  if (inner > 1 && chance(x, 50)) s->unroll = (uint8_t)pick(x, 1, inner < 8 ? inner : 8);
}

static void draw_parallel(draw *x) {
  sc_schedule *s = x->s;
  int band = chance(x, 40) ? s->nbands : pick(x, 1, s->nbands), n = s->norder[band];
  if (n == 0 || !chance(x, 45)) return;
  int from = pick(x, 0, n - 1), count = pick(x, 1, 3);
  while (from < n && x->task->dim[s->order[band][from]].reduce) from++;
  for (int i = from; i < n && i < from + count && !x->task->dim[s->order[band][i]].reduce; i++)
    s->parallel[s->nparallel++] = s->order[band][i];
  if (s->nparallel) s->parallel_band = (uint8_t)band;
}

/* ---- packs ---- */

static bool contiguous(const draw *x, int access) {
  const sc_access *a = &x->task->access[access];
  int v = x->s->vector;
  if (v < 0 || !(a->dims >> v & 1) || access == 0) return true;
  for (int i = 0; i < x->task->tensor[a->tensor].naxes; i++)
    if (sc_axis_dim(&a->axis[i]) == v) return a->inner_stride[i] == 1;
  return true; /* no pack would mend it */
}

static bool needs_pack(const draw *x, int access) {
  for (int p = 0; p < x->task->npads; p++)
    if (x->task->pad[p].access == access && x->s->pad[p] == SC_PAD_PACK) return true;
  return !contiguous(x, access);
}

/* The axes in any order, some as panels of tiles; what the vector dim walks goes last. */
static void draw_layout(draw *x, sc_pack *pack) {
  const sc_access *access = &x->task->access[pack->access];
  sc_layout *layout = &pack->layout;
  uint8_t parts[2 * SC_MAX_AXES];
  int n = 0, last = -1;
  for (int i = 0; i < x->task->tensor[access->tensor].naxes; i++) {
    int d = sc_axis_dim(&access->axis[i]);
    parts[n++] = (uint8_t)i;
    if (d >= 0 && chance(x, 45)) {
      parts[n++] = (uint8_t)i;
      layout->block[i] = SC_BLOCK_TILE;
    }
    if (d >= 0 && d == x->s->vector) last = i;
  }
  shuffle(x, parts, n);
  for (int i = n - 1, end = n - 1; i >= 0 && last >= 0; i--) {
    if (parts[i] != last) continue;
    parts[i] = parts[end];
    parts[end] = (uint8_t)last;
    break;
  }
  uint8_t seen = 0;
  for (int i = 0; i < n; i++) {
    int axis = parts[i], kind = layout->block[axis] == 0 ? SC_PART_WHOLE
                                : seen >> axis & 1       ? SC_PART_INNER
                                                         : SC_PART_OUTER;
    layout->part[layout->nparts++] = (sc_part){(uint8_t)axis, (uint8_t)kind};
    seen |= (uint8_t)(1u << axis);
  }
}

static void draw_packs(draw *x) {
  sc_schedule *s = x->s;
  uint8_t access[SC_MAX_ACCESSES];
  for (int a = 0; a < x->task->naccesses; a++) access[a] = (uint8_t)a;
  shuffle(x, access, x->task->naccesses);
  for (int needed = 1; needed >= 0; needed--)
    for (int i = 0; i < x->task->naccesses && s->npacks < SC_MAX_PACKS; i++) {
      int a = access[i];
      if (needs_pack(x, a) != needed || (!needed && !chance(x, a == 0 ? 30 : 35))) continue;
      sc_pack *pack = &s->pack[s->npacks++];
      pack->access = (uint8_t)a;
      pack->band = (uint8_t)pick(x, a == 0 && chance(x, 40) ? s->nbands : 1, s->nbands);
      draw_layout(x, pack);
      if (chance(x, 15)) pack->skew = (int16_t)pick(x, 1, 17);
      bool ahead = x->task->tensor[x->task->access[a].tensor].constant && a != 0;
      pack->per_thread = s->nparallel && pack->band < s->parallel_band && !ahead && chance(x, 50);
    }
}

/* ---- all of it ---- */

sc_status sc_schedule_random(const sc_task *task, sc_rng *rng, int lanes, const char *compile, sc_schedule *schedule) {
  sc_nest nest;
  for (int i = 0; i < MAX_DRAWS; i++) {
    draw x = {.task = task, .rng = rng, .s = schedule, .body = 1, .most_body = SMALL_BODY, .widest = lanes};
    if (chance(&x, LARGE_PERCENT)) x.most_body = LARGE_BODY;
    memset(schedule, 0, sizeof *schedule);
    schedule->vector = -1;
    schedule->lanes = schedule->unroll = 1;
    strncpy(schedule->compile, compile, sizeof schedule->compile - 1);
    draw_pads(&x);
    draw_tiles(&x);
    draw_vector(&x);
    draw_kernel_loops(&x);
    draw_bands(&x);
    draw_parallel(&x);
    draw_packs(&x);
    if (sc_lower(task, schedule, &nest, NULL) == SC_OK) return SC_OK;
  }
  return SC_UNSUPPORTED;
}
