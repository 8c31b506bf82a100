/* Sizes in a nest: regions, tiles, windows of tiles. */
#include "ir/lowering.h"

void sc_region(const sc_task *task, const sc_access *access, const int32_t *start, const int32_t *extent, int32_t *lo,
               int32_t *ext) {
  int naxes = task->tensor[access->tensor].naxes;
  for (int x = 0; x < naxes; x++) {
    const sc_index *index = &access->axis[x];
    lo[x] = index->offset;
    int32_t n[2] = {1, 1};
    for (int k = 0; k < 2; k++) {
      int d = index->dim[k];
      if (d < 0) continue;
      lo[x] += index->coef[k] * start[d];
      n[k] = extent[d];
    }
    ext[x] = (int32_t)sc_index_extent(index->coef, n[0], n[1]);
  }
}

int32_t sc_tile_start(const sc_tiling *tiling, int32_t tile, int *seg) {
  int i = tiling->nsegs - 1;
  while (i > 0 && tile < tiling->seg[i].first) i--;
  if (seg) *seg = i;
  return tiling->seg[i].start + (tile - tiling->seg[i].first) * tiling->seg[i].size;
}

/* Windows differ only where they meet another size, so the first that begins in a segment and the one before it are all
 * there is to look at. */
int32_t sc_tiling_extent(const sc_tiling *tiling, int32_t step, bool *fixed) {
  const sc_seg *last = &tiling->seg[tiling->nsegs - 1];
  *fixed = true;
  if (step >= tiling->tiles) return last->start + last->size * last->count;
  bool one_size = true;
  for (int i = 0; i < tiling->nsegs - 1; i++) one_size &= tiling->seg[i].size == last->size;
  if (one_size) {
    *fixed = tiling->tiles % step == 0;
    return step * last->size;
  }
  *fixed = false;
  int32_t largest = 0;
  for (int i = 0; i < tiling->nsegs; i++) {
    int32_t first = tiling->seg[i].first / step * step;
    for (int32_t t = first; t <= first + step && t < tiling->tiles; t += step) {
      int32_t end = tiling->tiles - t > step ? t + step : tiling->tiles;
      int32_t elems = sc_tile_start(tiling, end, NULL) - sc_tile_start(tiling, t, NULL);
      if (elems > largest) largest = elems;
    }
  }
  return largest;
}
