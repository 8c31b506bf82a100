/* Footprints: how many cache lines or pages of a tensor or buffer lie inside a box. A box is a set of nested strides. From the
 * innermost out, a stride no larger than what is already covered (or than one line) extends a dense span; a larger one
 * multiplies it. Boxes count as aligned to lines. */
#include <stdlib.h>

#include "featurize/internal.h"

void sc_map_layout(const sc_access *access, const sc_layout *layout, const int32_t *box, const int32_t *tile,
                   int16_t skew, int32_t element_bytes, sc_map *map) {
  int64_t stride = element_bytes;
  map->element_bytes = element_bytes;
  map->nparts = 0;
  for (int p = layout->nparts - 1; p >= 0; p--) {
    const int axis = layout->part[p].axis;
    int kind = layout->part[p].kind;
    const sc_index *index = &access->axis[axis];
    int32_t block = layout->block[axis] == SC_BLOCK_TILE ? tile[axis] : layout->block[axis], count = box[axis];
    if (block < 1) block = 1;
    if (kind == SC_PART_INNER && count <= block) kind = SC_PART_WHOLE; /* its outer part has one step */
    if (kind == SC_PART_INNER) count = block;
    if (kind == SC_PART_OUTER) count = (count + block - 1) / block;
    if (p == 0 && stride > element_bytes) stride += (int64_t)skew * element_bytes;
    if (count > 1) { /* parts of one step are left out */
      sc_address_part *part = &map->part[map->nparts++];
      *part = (sc_address_part){
          .kind = (uint8_t)kind, .axis = (uint8_t)axis, .box = box[axis], .block = block, .stride = stride};
      for (int j = 0; j < 2; j++) {
        part->dim[j] = index->dim[j] >= 0 ? (uint8_t)index->dim[j] : SC_MAX_DIMS;
        part->coef[j] = index->dim[j] >= 0 ? abs(index->coef[j]) : 0;
      }
    }
    stride *= count;
  }
}

/* Positions of the part's axis that are touched inside `extent`: the hull, clipped to what there is; and
 * how many of them really: a stride may step over some. */
static inline int64_t axis_positions(const sc_address_part *part, const int32_t *extent, int64_t *hull) {
  const int64_t n0 = part->coef[0] ? extent[part->dim[0]] : 1, n1 = part->coef[1] ? extent[part->dim[1]] : 1;
  const int64_t spread = sc_index_extent(part->coef, n0, n1);
  *hull = spread < part->box ? spread : part->box;
  return n0 * n1 < *hull ? n0 * n1 : *hull;
}

/* Steps of the part: all up to the last one (hull), and those touched. */
static inline int64_t part_steps(const sc_address_part *part, const int32_t *extent, int64_t *hull) {
  const int64_t touched = axis_positions(part, extent, hull);
  if (part->kind == SC_PART_WHOLE) return touched;
  if (part->kind == SC_PART_OUTER) *hull = (int32_t)(*hull + part->block - 1) / part->block;
  else if (*hull > part->block) *hull = part->block;
  return touched < *hull ? touched : *hull;
}

typedef struct steps {
  int64_t touched, hull;
} steps;

double sc_map_units(const sc_map *map, const int32_t *extent, int shift) {
  int64_t dense = (int64_t)1 << shift, span = map->element_bytes, elements = 1, count = 1, hull;
  for (int p = 0; p < map->nparts; p++) {
    const sc_address_part *part = &map->part[p];
    const int64_t n = part_steps(part, extent, &hull);
    if (part->stride <= dense || part->stride <= span) {
      span += part->stride * (hull - 1);
      elements *= n;
    } else if (n > 1) {
      count *= n;
      dense = 0; /* outer strides are larger still */
    }
  }
  const int64_t units = (span + ((int64_t)1 << shift) - 1) >> shift;
  return (double)count * (double)(units < elements ? units : elements);
}

/* One level of sc_map_units, part by part. */
typedef struct growing {
  int64_t span, dense, elements, count;
} growing;

/* The same part in every level. What is dense changes from level to level, so it selects and does not branch. */
static void grow(const sc_address_part *part, const sc_level *level, int n, growing *g) {
  for (int i = 0; i < n; i++) {
    int64_t hull;
    const int64_t touched = part_steps(part, level[i].extent, &hull),
                  within = g[i].dense > g[i].span ? g[i].dense : g[i].span;
    const int64_t is_dense = -(int64_t)(part->stride <= within); /* all bits or none */
    g[i].span += (part->stride * (hull - 1)) & is_dense;
    g[i].elements *= ((touched - 1) & is_dense) + 1;
    g[i].count *= ((touched - 1) & ~is_dense) + 1;
    g[i].dense &= is_dense | -(int64_t)(touched <= 1);
  }
}

void sc_map_units_by_level(const sc_map *map, const sc_level *level, int first, int last, int shift, float *units) {
  growing g[SC_MAX_LEVELS];
  const int n = last - first + 1;
  for (int i = 0; i < n; i++) g[i] = (growing){map->element_bytes, (int64_t)1 << shift, 1, 1};
  for (int p = 0; p < map->nparts; p++) grow(&map->part[p], level + first, n, g);
  for (int i = 0; i < n; i++) {
    const int64_t all = (g[i].span + ((int64_t)1 << shift) - 1) >> shift;
    units[first + i] = (float)g[i].count * (float)(all < g[i].elements ? all : g[i].elements);
  }
}

static void add_sparse(sc_shape *shape, int64_t n, int64_t stride) {
  if (n <= 1) return;
  shape->sparse[shape->nsparse].n = n;
  shape->sparse[shape->nsparse++].stride = stride;
  shape->count *= (double)n;
}

void sc_map_shape(const sc_map *map, const int32_t *extent, int shift, sc_shape *shape) {
  int64_t dense = (int64_t)1 << shift, hull;
  shape->span = map->element_bytes;
  shape->count = shape->elements = 1;
  shape->nsparse = 0;
  shape->dense_elements = 1;
  for (int p = 0; p < map->nparts; p++) {
    const sc_address_part *part = &map->part[p];
    const int64_t n = part_steps(part, extent, &hull);
    if (part->kind == SC_PART_WHOLE) shape->elements *= (double)n;
    else if (part->kind == SC_PART_OUTER) { /* counts for its inner part too */ int64_t all;
      shape->elements *= (double)axis_positions(part, extent, &all);
    }
    if (n <= 1) continue;
    if (part->stride <= dense || part->stride <= shape->span) {
      shape->span += part->stride * (hull - 1);
      shape->dense_elements *= n;
      continue;
    }
    dense = 0;
    if (n < hull && part->kind == SC_PART_WHOLE) { /* it steps over some: each dim has a stride of its own */
      for (int j = 0; j < 2; j++)
        add_sparse(shape, part->coef[j] ? extent[part->dim[j]] : 1, part->coef[j] * part->stride);
    } else add_sparse(shape, n, part->stride);
  }
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
