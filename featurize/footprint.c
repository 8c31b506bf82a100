/* Footprints: how many cache lines or pages of a tensor or buffer lie inside a box. A box is a set of nested strides.
 * From the innermost out, a stride no larger than what is already covered (or than one line) extends a dense span; a
 * larger one multiplies it. Boxes count as aligned to lines. All counts are whole numbers below 2^50, which doubles
 * hold exactly. */
#include "featurize/internal.h"
#include "featurize/wide.h"

void sc_map_layout(const sc_walked_axis *axes, const sc_layout *layout, const int32_t *box, const int32_t *tile,
                   int16_t skew, int32_t element_bytes, sc_map *map) {
  int64_t stride = element_bytes;
  map->element_bytes = element_bytes;
  map->nparts = 0;
  for (int p = layout->nparts - 1; p >= 0; p--) {
    const int axis = layout->part[p].axis;
    int kind = layout->part[p].kind;
    int32_t block = layout->block[axis] == SC_BLOCK_TILE ? tile[axis] : layout->block[axis], count = box[axis];
    if (block < 1) block = 1;
    if (kind == SC_PART_INNER && count <= block) kind = SC_PART_WHOLE; /* its outer part has one step */
    if (kind == SC_PART_INNER) count = block;
    if (kind == SC_PART_OUTER) count = (count + block - 1) / block;
    if (p == 0 && stride > element_bytes) stride += (int64_t)skew * element_bytes;
    if (count > 1) { /* parts of one step are left out */
      map->part[map->nparts++] = (sc_address_part){.kind = (uint8_t)kind,
                                                   .axis = (uint8_t)axis,
                                                   .walked = axes[axis],
                                                   .limit = kind == SC_PART_INNER ? block : box[axis],
                                                   .inverse = kind == SC_PART_OUTER ? 1.0 / block : 1,
                                                   .stride = (double)stride};
    }
    stride *= count;
  }
}

/* What a level touches of a part: */
typedef struct steps {
  double positions; /* of its axis, touched: a stride may step over some */
  double touched, hull; /* steps of the part: those touched, and all up to the last one */
} steps;

static inline steps part_steps(const sc_address_part *part, const sc_extents extent, int level) {
  const sc_walked_axis *w = &part->walked;
  const double n0 = extent[w->dim[0]][level], n1 = extent[w->dim[1]][level];
  const double spread = sc_min(w->base + w->coef[0] * n0 + w->coef[1] * n1, part->limit);
  const double hull = SC_CEIL_DIV(spread, part->inverse);
  return (steps){sc_min(n0 * n1, spread), sc_min(n0 * n1, hull), hull};
}

double sc_map_units(const sc_map *map, const sc_extents extent, int level, int shift) {
  const double unit = (double)((int64_t)1 << shift);
  double dense = unit, span = map->element_bytes, elements = 1, count = 1;
  for (int p = 0; p < map->nparts; p++) {
    const steps n = part_steps(&map->part[p], extent, level);
    const double stride = map->part[p].stride;
    if (stride <= dense || stride <= span) {
      span += stride * (n.hull - 1);
      elements *= n.touched;
    } else if (n.touched > 1) {
      count *= n.touched;
      dense = 0; /* outer strides are larger still */
    }
  }
  return count * sc_min(SC_CEIL_DIV(span, 1 / unit), elements);
}

/* sc_map_units for as many levels as a vector holds. What is dense changes from level to level, so masks select and
 * nothing branches. */
SC_CLONES
void sc_map_units_by_level(const sc_map *map, const sc_extents extent, int first, int last, int shift, float *units) {
  const sc_doubles one = (sc_doubles){0} + 1, unit = (sc_doubles){0} + (double)((int64_t)1 << shift);
  const double per_unit = 1 / (double)((int64_t)1 << shift);
  for (int i = first / SC_DOUBLES * SC_DOUBLES; i <= last; i += SC_DOUBLES) {
    sc_doubles span = (sc_doubles){0} + map->element_bytes, elements = one, count = one;
    sc_longs open = ~(sc_longs){0}; /* a stride up to one unit is dense: until something sparse lies inside it */
    for (int p = 0; p < map->nparts; p++) {
      const sc_address_part *part = &map->part[p];
      const sc_walked_axis *w = &part->walked;
      const double stride = part->stride;
      sc_doubles n0, n1;
      memcpy(&n0, extent[w->dim[0]] + i, sizeof n0);
      memcpy(&n1, extent[w->dim[1]] + i, sizeof n1);
      const sc_doubles spread = w->base + w->coef[0] * n0 + w->coef[1] * n1, limit = one * part->limit;
      const sc_doubles hull = SC_CEIL_DIV(SC_LESSER(spread, limit), part->inverse), all = n0 * n1;
      const sc_doubles touched = SC_LESSER(all, hull);
      const sc_longs dense = (stride <= span) | (open & (stride <= unit));
      span += (sc_doubles)((sc_longs)(stride * (hull - 1)) & dense);
      elements *= SC_CHOOSE(dense, touched, one);
      count *= SC_CHOOSE(dense, one, touched);
      open &= dense | (touched <= 1);
    }
    const sc_doubles all = SC_CEIL_DIV(span, per_unit);
    const sc_few_floats some = __builtin_convertvector(SC_LESSER(all, elements), sc_few_floats) *
                               __builtin_convertvector(count, sc_few_floats);
    memcpy(units + i, &some, sizeof some);
  }
}

static void add_sparse(sc_shape *shape, double n, double stride) {
  if (n <= 1) return;
  shape->sparse[shape->nsparse].n = (int64_t)n;
  shape->sparse[shape->nsparse++].stride = (int64_t)stride;
  shape->count *= n;
}

void sc_map_shape(const sc_map *map, const sc_extents extent, int level, int shift, sc_shape *shape) {
  double dense = (double)((int64_t)1 << shift), span = map->element_bytes, dense_elements = 1, elements = 1;
  shape->count = 1;
  shape->nsparse = 0;
  for (int p = 0; p < map->nparts; p++) {
    const sc_address_part *part = &map->part[p];
    const steps n = part_steps(part, extent, level);
    const double stride = part->stride;
    if (part->kind != SC_PART_INNER) elements *= n.positions; /* an outer part counts for its inner one too */
    if (n.touched <= 1) continue;
    if (stride <= dense || stride <= span) {
      span += stride * (n.hull - 1);
      dense_elements *= n.touched;
      continue;
    }
    dense = 0;
    if (n.touched < n.hull && part->kind == SC_PART_WHOLE) { /* it steps over some: each dim has a stride of its own */
      for (int j = 0; j < 2; j++) add_sparse(shape, extent[part->walked.dim[j]][level], part->walked.coef[j] * stride);
    } else add_sparse(shape, n.touched, stride);
  }
  shape->span = (int64_t)span;
  shape->dense_elements = (int64_t)dense_elements;
  shape->elements = elements;
}

double sc_shape_pages(const sc_shape *shape, int shift) {
  const int64_t page = (int64_t)1 << shift;
  int64_t span = shape->span, count = 1, elements = shape->dense_elements;
  bool dense = true;
  for (int i = 0; i < shape->nsparse; i++) {
    const int64_t stride = shape->sparse[i].stride, n = shape->sparse[i].n;
    if ((dense && stride <= page) || stride <= span) {
      span += stride * (n - 1);
      elements *= n;
    } else {
      count *= n;
      dense = false;
    }
  }
  const int64_t units = (span + page - 1) >> shift;
  return (double)count * (double)(units < elements ? units : elements);
}
