/* Ladders: the sizes, in register tiles, that tiles of a dim may have in the bands. */
#include <stdlib.h>
#include <string.h>

#include "sampler/domain.h"

static int compare_int(const void *a, const void *b) {
  int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
  return (x > y) - (x < y);
}

static sc_status add_rung(sc_builder *b, int32_t rung) {
  if (b->nrungs == SC_MAX_RUNGS)
    return sc_fail(b->err, SC_LIMIT, "the ladder of '%s' has more than %d rungs", b->bound->task->dim[b->dim].name,
                   SC_MAX_RUNGS);
  b->rung[b->nrungs++] = rung;
  return SC_OK;
}

/* Drops the rungs that are closest to their neighbours, never the ends. */
static void thin_out(sc_builder *b, int most) {
  while (b->nrungs > most && b->nrungs > 2) {
    int drop = 1;
    for (int i = 2; i < b->nrungs - 1; i++)
      if ((int64_t)b->rung[i + 1] * b->rung[drop - 1] < (int64_t)b->rung[drop + 1] * b->rung[i - 1]) drop = i;
    memmove(&b->rung[drop], &b->rung[drop + 1], (size_t)(b->nrungs - drop - 1) * sizeof *b->rung);
    b->nrungs--;
  }
}

static sc_status add_rungs(sc_builder *b, const sc_alt *alt, const sc_runset *set) {
  int32_t tiles = set->tiles;
  switch ((sc_alt_kind)alt->kind) {
  case SC_ALT_DIVISORS:
    for (int32_t i = 1; (int64_t)i * i <= tiles; i++)
      if (tiles % i == 0) {
        SC_TRY(add_rung(b, i));
        SC_TRY(add_rung(b, tiles / i));
      }
    break;
  case SC_ALT_POWERS:
    for (int64_t i = 1; i < tiles; i *= 2) SC_TRY(add_rung(b, (int32_t)i));
    break;
  case SC_ALT_SPLITS:
    for (int64_t n = 1, rung; n <= tiles; n = (tiles - 1) / (rung - 1) + 1) { /* every ceil(tiles/n) once */
      rung = (tiles + n - 1) / n;
      SC_TRY(add_rung(b, (int32_t)rung));
      if (rung == 1) break;
    }
    break;
  case SC_ALT_ALL:
    for (int32_t i = 1; i <= tiles; i++) SC_TRY(add_rung(b, i));
    break;
  case SC_ALT_NUMBER: {
    int64_t rung = ((int64_t)alt->lo + set->max_tile - 1) / set->max_tile;
    if (rung < tiles) SC_TRY(add_rung(b, (int32_t)rung));
    break;
  }
  default: break;
  }
  return SC_OK;
}

/* 1 and all tiles always belong to it, unless only `whole` or only `top` is said. */
sc_status sc_ladder_make(sc_builder *b, const sc_clause *clause, const sc_runset *set) {
  static const sc_alt divisors = {.kind = SC_ALT_DIVISORS};
  bool whole = false, top = false, other = false;
  int most = SC_MAX_RUNGS;
  b->nrungs = 0;
  for (int i = 0; i < (clause ? clause->nalts : 1); i++) {
    const sc_alt *alt = clause ? &clause->alt[i] : &divisors;
    whole |= alt->kind == SC_ALT_WHOLE;
    top |= alt->kind == SC_ALT_TOP;
    if (alt->kind == SC_ALT_AT_MOST) most = alt->lo;
    other |= alt->kind != SC_ALT_WHOLE && alt->kind != SC_ALT_TOP && alt->kind != SC_ALT_AT_MOST;
    SC_TRY(add_rungs(b, alt, set));
  }
  if (other || top || !whole) SC_TRY(add_rung(b, 1));
  if (other || whole || !top) SC_TRY(add_rung(b, set->tiles));
  qsort(b->rung, (size_t)b->nrungs, sizeof *b->rung, compare_int);
  int n = 0;
  for (int i = 0; i < b->nrungs; i++)
    if (n == 0 || b->rung[n - 1] != b->rung[i]) b->rung[n++] = b->rung[i];
  b->nrungs = n;
  thin_out(b, most);
  return SC_OK;
}
