/* Eliminators of padding, one for each padded axis: index = cf*free + cr*red + offset, outside [0,size) the value is 0.
 *
 *   peel   all taps of `red` are unrolled in one tile; tiles of `free` at the border become segments of their own, whose
 *          kernels leave out the taps that fall outside
 *   clamp  `red` is a loop of the kernel, trimmed at run time; so all elements of a tile of `free` must see the same taps
 *   pack   the access is packed, its copy holds the zeros */
#include "ir/lowering.h"
#include "ir/mutant.h"

static int64_t clip(int64_t x, int64_t lo, int64_t hi) { return x < lo ? lo : x > hi ? hi : x; }

void sc_clamp_range(const sc_pad *pad, int32_t taps, int32_t first, int32_t last, int32_t *lo, int32_t *hi) {
  int64_t below = -((int64_t)pad->cf * first + pad->offset);
  int64_t above = (int64_t)pad->size - pad->offset - (int64_t)pad->cf * last;
  *lo = (int32_t)clip(mutant(SC_MUTANT_FLOOR) ? sc_floor_div(below, pad->cr) : sc_ceil_div(below, pad->cr), 0, taps);
  *hi = (int32_t)clip(mutant(SC_MUTANT_FLOOR) ? sc_floor_div(above, pad->cr) : sc_ceil_div(above, pad->cr), 0, taps);
}

/* ---- peel ---- */

/* Positions of the tile of `size` elements at `start` that lie before 0 and past the end, of `span`. */
static void deficits(const sc_pad *pad, int32_t start, int64_t span, int64_t *lo, int64_t *hi) {
  int64_t x = (int64_t)pad->cf * start + pad->offset;
  *lo = clip(-x, 0, span);
  *hi = clip(x + span - pad->size, 0, span);
}

static bool add_seg(sc_tiling *tiling, sc_seg seg) {
  sc_seg *last = tiling->nsegs ? &tiling->seg[tiling->nsegs - 1] : NULL;
  if (last && last->size == seg.size && last->lo == seg.lo && last->hi == seg.hi) {
    last->count += seg.count;
    return true;
  }
  if (tiling->nsegs == SC_MAX_SEGS) return false;
  tiling->seg[tiling->nsegs++] = seg;
  return true;
}

/* Tiles from the first of `seg` on are alike inside the tensor: one step for all of them, single steps at its
 * borders. */
static bool refine(const sc_pad *pad, int32_t taps, sc_seg seg, sc_tiling *out) {
  int64_t span = (int64_t)pad->cf * (seg.size - 1) + (int64_t)pad->cr * (taps - 1) + 1;
  for (int32_t t = 0; t < seg.count;) {
    int64_t lo, hi, n = 1;
    int32_t start = seg.start + t * seg.size;
    deficits(pad, start, span, &lo, &hi);
    if (lo == 0 && hi == 0) {
      int64_t room = pad->size - span - ((int64_t)pad->cf * start + pad->offset); /* >= 0: how far it may move up */
      n = room / ((int64_t)pad->cf * seg.size) + 1;
      if (n > seg.count - t) n = seg.count - t;
    }
    sc_seg piece = {.size = seg.size,
                    .first = seg.first + t,
                    .count = (int32_t)n,
                    .start = start,
                    .lo = (int16_t)lo,
                    .hi = (int16_t)hi};
    if (!add_seg(out, piece)) return false;
    t += (int32_t)n;
  }
  return true;
}

static sc_status peel(sc_lowering *lw, int p, uint16_t *peeled) {
  const sc_pad *pad = &lw->task->pad[p];
  sc_tiling *tiling = &lw->nest->dim[pad->free];
  sc_seg run[SC_MAX_RUNS];
  int32_t taps = 1;
  if (pad->red >= 0) {
    if (lw->nest->dim[pad->red].tiles != 1) return sc_lower_illegal(lw, SC_RULE_PEEL_REDUCE, p, (int)pad->red);
    taps = lw->task->dim[pad->red].size;
  }
  if (*peeled >> pad->free & 1) return sc_lower_illegal(lw, SC_RULE_PEEL_TWICE, p, (int)pad->free);
  *peeled |= (uint16_t)(1u << pad->free);
  int64_t span = (int64_t)pad->cf * (tiling->max_tile - 1) + (int64_t)pad->cr * (taps - 1) + 1;
  if (span > INT16_MAX) return sc_lower_illegal(lw, SC_RULE_PEEL_SPAN, p, span, (int64_t)INT16_MAX);
  int nruns = tiling->nsegs;
  for (int i = 0; i < nruns; i++) run[i] = tiling->seg[i];
  tiling->nsegs = 0;
  for (int i = 0; i < nruns; i++)
    if (!refine(pad, taps, run[i], tiling)) return sc_lower_illegal(lw, SC_RULE_PEEL_SEGMENTS, p, (int64_t)SC_MAX_SEGS);
  return SC_OK;
}

/* ---- clamp ---- */

static bool uniform(const sc_pad *pad, int32_t taps, int32_t start, int32_t size) {
  int32_t lo[2], hi[2];
  sc_clamp_range(pad, taps, start, start, &lo[0], &hi[0]);
  sc_clamp_range(pad, taps, start + size - 1, start + size - 1, &lo[1], &hi[1]);
  return lo[0] == lo[1] && hi[0] == hi[1]; /* both fall as the element rises, so all between agree */
}

/* Only tiles with an element that misses a tap can differ inside: those that begin before `inside` or end behind it. */
static sc_status clamp(sc_lowering *lw, int p) {
  const sc_pad *pad = &lw->task->pad[p];
  if (pad->red < 0) return sc_lower_illegal(lw, SC_RULE_CLAMP_ONE, p);
  const sc_tiling *red = &lw->nest->dim[pad->red], *tiling = &lw->nest->dim[pad->free];
  if (!(lw->kloops >> pad->red & 1) || red->max_tile != 1)
    return sc_lower_illegal(lw, SC_RULE_CLAMP_LOOP, p, (int)pad->red);
  if (lw->kloops >> pad->free & 1) return sc_lower_illegal(lw, SC_RULE_CLAMP_FREE, p, (int)pad->free);
  if (mutant(SC_MUTANT_UNIFORM)) return SC_OK;
  int32_t taps = lw->task->dim[pad->red].size;
  int64_t inside = sc_ceil_div(-(int64_t)pad->offset, pad->cf); /* first element that sees tap 0 */
  int64_t behind = sc_floor_div((int64_t)pad->size - 1 - pad->offset - (int64_t)pad->cr * (taps - 1),
                                pad->cf); /* last one that sees all */
  for (int i = 0; i < tiling->nsegs; i++) {
    const sc_seg *seg = &tiling->seg[i];
    for (int32_t t = 0; t < seg->count; t++) {
      int32_t start = seg->start + t * seg->size;
      if (start >= inside && start + seg->size - 1 <= behind) { /* go to the last tile that fits */
        int64_t skip = (behind - (start + seg->size - 1)) / seg->size;
        t += (int32_t)(skip < seg->count - 1 - t ? skip : seg->count - 1 - t);
      } else if (!uniform(pad, taps, start, seg->size)) {
        return sc_lower_illegal(lw, SC_RULE_CLAMP_UNIFORM, p, (int)pad->free, (int64_t)start, (int)pad->red);
      }
    }
  }
  return SC_OK;
}

sc_status sc_lower_pads(sc_lowering *lw) {
  uint16_t peeled = 0;
  for (int p = 0; p < lw->task->npads; p++) {
    lw->nest->pad[p] = lw->schedule->pad[p];
    switch (lw->schedule->pad[p]) {
    case SC_PAD_PEEL: SC_TRY(peel(lw, p, &peeled)); break;
    case SC_PAD_CLAMP: SC_TRY(clamp(lw, p)); break;
    case SC_PAD_PACK:
      if (lw->pack_of[lw->task->pad[p].access] < 0)
        return sc_lower_illegal(lw, SC_RULE_PAD_PACK, p, (int)lw->task->pad[p].access);
      break;
    case SC_PAD_NONE: return sc_lower_illegal(lw, SC_RULE_PAD_NONE, p);
    default:
      return sc_lower_illegal(lw, SC_RULE_RANGE, "a pad rule", (int64_t)lw->schedule->pad[p], (int64_t)0,
                              (int64_t)SC_PAD_PACK);
    }
  }
  return SC_OK;
}
