/* Sizes in a nest against counting: regions, tiles, extents; kernels of equal keys against their texts. */
#include "ir/lowering.h"
#include "tests/ir/nests.h"

/* The box that an access touches, by touching. */
static void test_region(void **state) {
  sc_rng rng;
  sc_rng_seed(&rng, 1, 0);
  for (size_t i = 0; i < SC_COUNT_OF(property_tasks); i++) {
    const sc_task *task = any_task(property_tasks[i].task);
    for (int n = 0; n < 50; n++) {
      const sc_access *access = &task->access[below(&rng, task->naccesses)];
      int32_t start[SC_MAX_DIMS], extent[SC_MAX_DIMS], lo[SC_MAX_AXES], ext[SC_MAX_AXES];
      for (int d = 0; d < task->ndims; d++) {
        start[d] = below(&rng, task->dim[d].size);
        extent[d] = 1 + below(&rng, task->dim[d].size - start[d]);
      }
      sc_region(task, access, start, extent, lo, ext);
      for (int a = 0; a < task->tensor[access->tensor].naxes; a++) {
        const sc_index *index = &access->axis[a];
        int32_t least = INT32_MAX, most = INT32_MIN;
        int d = index->dim[0], e = index->dim[1];
        for (int x = 0; x < (d < 0 ? 1 : extent[d]); x++)
          for (int y = 0; y < (e < 0 ? 1 : extent[e]); y++) {
            int32_t at = index->offset + (d < 0 ? 0 : index->coef[0] * (start[d] + x)) +
                         (e < 0 ? 0 : index->coef[1] * (start[e] + y));
            if (at < least) least = at;
            if (at > most) most = at;
          }
        assert_int_equal(lo[a], least);
        assert_int_equal(ext[a], most - least + 1);
      }
    }
  }
}

/* ---- nests ---- */

typedef struct counter {
  const sc_task *task;
  const sc_nest *nest;
  int32_t lo[SC_MAX_DIMS], hi[SC_MAX_DIMS];
  int32_t largest[SC_MAX_NODES][SC_MAX_DIMS]; /* of the ranges that a node was entered with */
  int32_t smallest_box[SC_MAX_PACKS][SC_MAX_AXES], largest_box[SC_MAX_PACKS][SC_MAX_AXES];
} counter;

static int32_t elems(const counter *c, int d) {
  return sc_tile_start(&c->nest->dim[d], c->hi[d], NULL) - sc_tile_start(&c->nest->dim[d], c->lo[d], NULL);
}

static void measure_pack(counter *c, int p) {
  const sc_access *access = &c->task->access[c->nest->pack[p].access];
  int32_t start[SC_MAX_DIMS], extent[SC_MAX_DIMS], lo[SC_MAX_AXES], ext[SC_MAX_AXES];
  for (int d = 0; d < c->task->ndims; d++) {
    start[d] = sc_tile_start(&c->nest->dim[d], c->lo[d], NULL);
    extent[d] = elems(c, d);
  }
  sc_region(c->task, access, start, extent, lo, ext);
  for (int a = 0; a < c->task->tensor[access->tensor].naxes; a++) {
    if (c->largest_box[p][a] == 0 || ext[a] < c->smallest_box[p][a]) c->smallest_box[p][a] = ext[a];
    if (ext[a] > c->largest_box[p][a]) c->largest_box[p][a] = ext[a];
  }
}

static void walk(counter *c, int node) {
  const sc_node *n = &c->nest->node[node];
  for (int d = 0; d < c->task->ndims; d++)
    if (elems(c, d) > c->largest[node][d]) c->largest[node][d] = elems(c, d);
  if (n->kind == SC_NODE_PACK || n->kind == SC_NODE_ACC) measure_pack(c, n->pack);
  if (n->kind == SC_NODE_KERNEL) return;
  if (n->kind != SC_NODE_LOOP) {
    walk(c, node + 1);
    return;
  }
  int32_t lo = c->lo[n->dim], hi = c->hi[n->dim];
  assert_true(hi - lo > 1 || node > 0);
  for (int32_t x = lo; x < hi; x += n->step) {
    c->lo[n->dim] = x;
    c->hi[n->dim] = x + n->step < hi ? x + n->step : hi;
    walk(c, node + 1);
  }
  c->lo[n->dim] = lo;
  c->hi[n->dim] = hi;
}

/* Largest extents, in elements, of every dim in the ranges that a node is entered with. */
static void largest_extents(const sc_task *task, const sc_nest *nest, int node, int32_t *extent) {
  for (int d = 0; d < task->ndims; d++) {
    int32_t step = nest->dim[d].tiles;
    bool fixed;
    for (int i = 0; i < node; i++)
      if (nest->node[i].kind == SC_NODE_LOOP && nest->node[i].dim == d) step = nest->node[i].step;
    extent[d] = sc_tiling_extent(&nest->dim[d], step, &fixed);
  }
}

static void check_sizes(const sc_task *task, const sc_nest *nest) {
  counter c = {.task = task, .nest = nest};
  for (int d = 0; d < task->ndims; d++) c.hi[d] = nest->dim[d].tiles;
  walk(&c, 0);
  for (int n = 0; n < nest->nnodes; n++) {
    int32_t extent[SC_MAX_DIMS];
    largest_extents(task, nest, n, extent);
    assert_int_equal(nest->node[n].end, nest->nnodes);
    for (int d = 0; d < task->ndims; d++) assert_int_equal(extent[d], c.largest[n][d]);
  }
  for (int p = 0; p < nest->npacks; p++) {
    const sc_nest_pack *pack = &nest->pack[p];
    int64_t box = 1;
    for (int a = 0; a < task->tensor[task->access[pack->access].tensor].naxes; a++) {
      if (pack->ahead) c.smallest_box[p][a] = c.largest_box[p][a];
      assert_int_equal(pack->extent[a], c.largest_box[p][a]);
      if (pack->fixed >> a & 1) assert_int_equal(c.smallest_box[p][a], c.largest_box[p][a]);
      box *= pack->extent[a];
    }
    assert_true(pack->elems >= box &&
                pack->elems <= box + (int64_t)pack->skew * pack->extent[pack->layout.part[0].axis]);
  }
}

/* Tiles follow each other without gaps, their classes are their sizes and deficits. */
static void check_tiling(const sc_tiling *tiling, int32_t size) {
  int32_t tile = 0, start = 0;
  for (int i = 0; i < tiling->nsegs; i++) {
    const sc_seg *seg = &tiling->seg[i];
    assert_int_equal(seg->first, tile);
    assert_int_equal(seg->start, start);
    for (int32_t t = 0; t < seg->count; t++, tile++, start += seg->size) {
      int found;
      assert_int_equal(sc_tile_start(tiling, tile, &found), start);
      assert_int_equal(found, i);
    }
    assert_true(seg->size <= tiling->max_tile && tiling->class_of[i] < tiling->nclasses);
    for (int j = 0; j < i; j++) {
      const sc_seg *other = &tiling->seg[j];
      bool same = other->size == seg->size && other->lo == seg->lo && other->hi == seg->hi;
      assert_true(same == (tiling->class_of[i] == tiling->class_of[j]));
    }
  }
  assert_int_equal(tile, tiling->tiles);
  assert_int_equal(start, size);
  assert_int_equal(sc_tile_start(tiling, tile, NULL), size);
}

static void test_sizes(void **state) {
  sc_rng rng;
  sc_rng_seed(&rng, 2, 0);
  for (size_t i = 0; i < SC_COUNT_OF(property_tasks); i++) {
    const sc_task *task = any_task(property_tasks[i].task);
    for (int n = 0; n < 150; n++) {
      sc_schedule schedule;
      sc_nest nest;
      assert_int_equal(sc_schedule_random(task, &rng, 16, "", &schedule), SC_OK);
      assert_int_equal(sc_lower(task, &schedule, &nest, NULL), SC_OK);
      for (int d = 0; d < task->ndims; d++) check_tiling(&nest.dim[d], task->dim[d].size);
      check_sizes(task, &nest);
    }
  }
}

/* ---- kernels ---- */

typedef struct entry {
  uint64_t hash;
  char *text;
} entry;

static int by_hash(const void *a, const void *b) {
  uint64_t x = ((const entry *)a)->hash, y = ((const entry *)b)->hash;
  return x < y ? -1 : x > y;
}

/* Kernels of all tasks together: equal keys and equal texts are the same thing, for both kinds of key. */
static void test_keys(void **state) {
  enum { N = 4000 };
  entry *e = calloc(N, sizeof *e);
  for (int family = 0; family < 2; family++) {
    int shared = 0;
    sc_rng rng;
    sc_rng_seed(&rng, 3, 0);
    for (int n = 0; n < N; n++) {
      const sc_task *task = any_task(property_tasks[(size_t)n % SC_COUNT_OF(property_tasks)].task);
      uint8_t class[SC_MAX_DIMS];
      sc_schedule schedule;
      sc_nest nest;
      sc_kernel kernel;
      sc_str text = {0};
      assert_int_equal(sc_schedule_random(task, &rng, 8, "", &schedule), SC_OK);
      assert_int_equal(sc_lower(task, &schedule, &nest, NULL), SC_OK);
      for (int d = 0; d < task->ndims; d++) class[d] = (uint8_t)below(&rng, nest.dim[d].nclasses);
      sc_nest_kernel(task, &nest, class, &kernel);
      sc_kernel_print(&kernel, family, &text);
      e[n] = (entry){sc_kernel_hash(&kernel, family), sc_arena_strdup(arena, text.text)};
      sc_str_free(&text);
    }
    qsort(e, N, sizeof *e, by_hash);
    for (int n = 1; n < N; n++) {
      bool same = e[n].hash == e[n - 1].hash;
      if (same != (strcmp(e[n].text, e[n - 1].text) == 0)) fail_msg("%s\n%s", e[n].text, e[n - 1].text);
      shared += same;
    }
    assert_true(shared > 10);
  }
  free(e);
}

/* A matmul and the convolution that is one share their kernels; a family forgets strides but for their class. */
static void test_shared_kernels(void **state) {
  static const struct {
    const char *task, *schedule;
    bool same, same_family;
  } pairs[] = {
      {"conv2d:H=4,W=4,C=32,K=64,R=1,S=1", "tile q 4, k 16; vector k 16; loop c; band c all order q k", true, true},
      {"conv2d:H=5,W=4,C=32,K=64,R=1,S=1,stride=2", "tile q 2, k 16; vector k 16; loop c; band c all order p k", false,
       false},
      {"matmul:M=16,N=256,K=32", "tile i 4, j 16; vector j 16; loop k; band k all order i j", false, true},
      {"matmul:M=16,N=1024,K=32", "tile i 4, j 16; vector j 16; loop k; band k all order i j", false, false},
      {"matmul:M=8,N=64,K=96", "tile i 4, j 16; vector j 16; loop k; band k 5, i all, j all order i j; band order k",
       false, false},
      {"matmul:M=8,N=64,K=32", "tile i 4, j 16; vector j 16; loop k; band k 5, i all, j all order i j; band order k",
       true, true},
      {"matmul:M=8,N=64,K=32", "tile i 4, j 16; vector j 16; loop k unroll 2; band k all order i j", false, false},
  };
  static const uint8_t class[SC_MAX_DIMS];
  uint64_t key[2] = {0};
  for (int i = -1; i < (int)SC_COUNT_OF(pairs); i++) {
    sc_schedule schedule;
    sc_nest nest;
    sc_kernel kernel;
    sc_error err = {0};
    const sc_task *task = task_of(i < 0 ? "matmul:M=16,N=64,K=32" : pairs[i].task);
    sc_schedule_parse(task, "x",
                      i < 0 ? "tile i 4, j 16; vector j 16; loop k; band k all order i j" : pairs[i].schedule,
                      &schedule, &err);
    if (sc_lower(task, &schedule, &nest, &err) != SC_OK) fail_msg("%d: %s", i, err.text);
    sc_nest_kernel(task, &nest, class, &kernel);
    for (int family = 0; family < 2; family++) {
      uint64_t hash = sc_kernel_hash(&kernel, family);
      if (i < 0) key[family] = hash;
      else assert_int_equal(hash == key[family], family ? pairs[i].same_family : pairs[i].same);
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_region),
      cmocka_unit_test(test_sizes),
      cmocka_unit_test(test_keys),
      cmocka_unit_test(test_shared_kernels),
  };
  return cmocka_run_group_tests_name("ir.nest", tests, load_libraries, free_library);
}
