/* The comparison of test_distinct.c for spaces drawn at random: tiles, ladders, loops, packs, pads, parallel loops and
 * conditions in combinations that nobody thought of. SC_SPACES=n draws more of them, SC_SEED=n others. */
#include "tests/sampler/brute.h"
#include "tests/sampler/facts.h"

enum { MOST_TEXTS = 40000, MOST_FILTERED = 3000, TEXT = 160 };

typedef struct condition {
  int dim, band; /* an extent within lo .. hi; dim -1: unused */
  int32_t lo, hi;
  int access, region_band; /* a region of at most `most` bytes; access -1: unused */
  double most;
} condition;

typedef struct random_space {
  brute b;
  char task[128], space[4096];
  char text[BRUTE_LIST * 12][TEXT];
  int ntexts;
  sc_rng rng;
  const sc_task *t;
} random_space;

static condition wanted; /* brute's callback has no other way to know */

static bool holds(const sc_task *task, const sc_schedule *s) {
  if (wanted.dim >= 0) {
    int32_t extent = extent_in(task, s, wanted.dim, wanted.band);
    if (extent < wanted.lo || extent > wanted.hi) return false;
  }
  return wanted.access < 0 || region_in(task, s, wanted.access, wanted.region_band) <= wanted.most;
}

static int one_of(random_space *r, int n) { return (int)sc_rng_below(&r->rng, (uint64_t)n); }
static bool chance(random_space *r, int percent) { return one_of(r, 100) < percent; }

static void say(random_space *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(random_space *r, const char *format, ...) {
  size_t n = strlen(r->space);
  va_list args;
  va_start(args, format);
  vsnprintf(r->space + n, sizeof r->space - n, format, args);
  va_end(args);
}

static const char *keep(random_space *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
static const char *keep(random_space *r, const char *format, ...) {
  va_list args;
  va_start(args, format);
  vsnprintf(r->text[r->ntexts], TEXT, format, args);
  va_end(args);
  return r->text[r->ntexts++];
}

static void draw_task(random_space *r) {
  static const char *const weights[] = {"", ",weights=run"};
  static const char *const kinds[] = {"", ",type=i8", ",epilogue=bias", ",epilogue=bias_relu"};
  const char *w = weights[one_of(r, 2)], *kind = kinds[one_of(r, 4)];
  switch (one_of(r, 4)) {
  case 0:
    snprintf(r->task, sizeof r->task, "matmul:M=%d,N=%d,K=%d%s%s", 1 + one_of(r, 6), 1 + one_of(r, 4), 1 + one_of(r, 6),
             w, kind);
    break;
  case 1:
    snprintf(r->task, sizeof r->task, "matmul:B=%d,M=%d,N=4,K=%d%s%s%s", 1 + one_of(r, 2), 1 + one_of(r, 3),
             1 + one_of(r, 3), w, kind, chance(r, 50) ? ",layout=NK" : "");
    break;
  case 2:
    snprintf(r->task, sizeof r->task, "conv2d:H=%d,W=1,C=%d,K=%d,R=%d,S=1,pad_top=%d,pad_left=0%s%s%s",
             3 + one_of(r, 2), 1 + one_of(r, 2), chance(r, 50) ? 4 : 1, 1 + 2 * one_of(r, 2), one_of(r, 2), w, kind,
             chance(r, 30) ? ",layout=NCHWc4" : "");
    break;
  default:
    snprintf(r->task, sizeof r->task, "depthwise:H=%d,W=%d,C=%d,R=%d,S=1,pad_top=%d,pad_left=0%s%s%s", 2 + one_of(r, 2),
             1 + one_of(r, 3), chance(r, 50) ? 4 : 8, 1 + one_of(r, 2), one_of(r, 2), w, kind,
             chance(r, 30) ? ",layout=NCHWc8" : "");
    break;
  }
}

/* Sizes a as `tile d a` means them: a*q, a*q+r, and the balanced form. */
static void draw_tiles(random_space *r, int d, brute_dim *dim) {
  int32_t size = r->t->dim[d].size, a = 1 + one_of(r, size), n = 0;
  bool both = chance(r, 50) && a > 1;
  if (both) dim->tiles[n++] = keep(r, "1*%d", size);
  if (both) say(r, "tile %s 1 | %d rest\n", r->t->dim[d].name, a);
  else say(r, "tile %s %d rest\n", r->t->dim[d].name, a);
  if (size % a) dim->tiles[n++] = keep(r, "%d*%d+%d", a, size / a, size % a);
  else dim->tiles[n++] = keep(r, "%d*%d", a, size / a);
}

static void draw_dims(random_space *r) {
  static const char *const ladders[][2] = {{"all", "all"}, {"whole", "whole"}, {"top", "top"}, {"ends", "whole top"}};
  int n = 0;
  for (int d = 0; d < r->t->ndims; d++) {
    if (r->t->dim[d].size == 1) continue;
    brute_dim *dim = &r->b.dim[n++];
    int ladder = chance(r, 60) ? 0 : one_of(r, 4);
    dim->dim = r->t->dim[d].name;
    dim->ladder = ladders[ladder][0];
    say(r, "ladder %s %s\n", dim->dim, ladders[ladder][1]);
    if (chance(r, 50)) draw_tiles(r, d, dim);
  }
}

static void draw_loops(random_space *r) {
  int n = 0;
  say(r, "loop none");
  r->b.loop[n++] = "";
  for (int i = 0; i < 3; i++) {
    char dims[64] = "";
    uint16_t used = 0;
    bool reduce_only = false;
    for (int k = 1 + one_of(r, 2); k > 0; k--) {
      int d = one_of(r, r->t->ndims);
      if (used >> d & 1 || r->t->dim[d].size == 1 || (reduce_only && !r->t->dim[d].reduce)) continue;
      used |= (uint16_t)(1u << d);
      reduce_only = true;
      snprintf(dims + strlen(dims), sizeof dims - strlen(dims), " %s", r->t->dim[d].name);
    }
    if (!used) continue;
    say(r, " |%s", dims);
    r->b.loop[n++] = keep(r, "loop%s", dims);
  }
  say(r, "\n");
  if (!chance(r, 40)) return;
  say(r, "unroll 1 | 2\n");
  for (int i = 0, most = n; i < most; i++)
    if (r->b.loop[i][0]) r->b.loop[n++] = keep(r, "%s unroll 2", r->b.loop[i]);
}

/* Axes in a random order, some split by tiles. */
static void draw_layout(random_space *r, int access, char *out, size_t size) {
  const sc_access *a = &r->t->access[access];
  int naxes = r->t->tensor[a->tensor].naxes, order[SC_MAX_AXES], n = 0;
  struct {
    int axis;
    char suffix[4];
  } part[2 * SC_MAX_AXES];
  for (int x = 0; x < naxes; x++) order[x] = x;
  for (int x = naxes - 1; x > 0; x--) {
    int y = one_of(r, x + 1), swap = order[x];
    order[x] = order[y];
    order[y] = swap;
  }
  for (int x = 0; x < naxes; x++) {
    const sc_index *index = &a->axis[order[x]];
    bool alone = index->dim[0] >= 0 && index->dim[1] < 0 && index->coef[0] == 1;
    bool split = alone && chance(r, 40);
    part[n].axis = order[x];
    strcpy(part[n++].suffix, split ? "/t" : "");
    if (!split) continue;
    part[n].axis = order[x];
    strcpy(part[n++].suffix, "%t");
    if (chance(r, 50)) continue;
    int to = n - 1; /* the inner part goes to the end */
    for (; x < naxes - 1 && to < n - 1; to++) part[to] = part[to + 1];
  }
  out[0] = 0;
  for (int i = 0; i < n; i++)
    snprintf(out + strlen(out), size - strlen(out), "%s%d%s", i ? "," : "[", part[i].axis, part[i].suffix);
  snprintf(out + strlen(out), size - strlen(out), "]");
}

static void draw_packs(random_space *r) {
  int lists = 0;
  for (int a = 0; a < 3 && lists < 2; a++) {
    if (!chance(r, a ? 50 : 30)) continue;
    const char *name = r->t->tensor[r->t->access[a].tensor].name;
    const char **list = r->b.pack[lists++];
    int n = 0;
    list[n++] = "";
    say(r, "pack %s none", name);
    for (int i = 1 + one_of(r, 2); i > 0; i--) {
      char layout[96];
      int from = 1 + one_of(r, r->b.bands), to = from + one_of(r, r->b.bands - from + 1);
      draw_layout(r, a, layout, sizeof layout);
      int skew = chance(r, 20) ? 4 : 0;
      say(r, " | %d..%d %s", from, to, layout);
      if (skew) say(r, " skew %d", skew);
      for (int b = from; b <= to; b++)
        list[n++] = skew ? keep(r, "pack %s %d %s skew 4", name, b, layout) : keep(r, "pack %s %d %s", name, b, layout);
    }
    say(r, "\n");
  }
}

static void draw_parallel(random_space *r) {
  int n = 0, band = 1 + one_of(r, r->b.bands);
  r->b.threads = 1;
  if (!chance(r, 40)) return;
  r->b.threads = 4;
  r->b.parallel[n++] = "";
  say(r, "parallel none");
  for (int i = 0; i < 2; i++) {
    char dims[64] = "";
    uint16_t used = 0;
    for (int k = 1 + one_of(r, 2); k > 0; k--) {
      int d = one_of(r, r->t->ndims);
      if (used >> d & 1 || r->t->dim[d].size == 1 || r->t->dim[d].reduce) continue;
      used |= (uint16_t)(1u << d);
      snprintf(dims + strlen(dims), sizeof dims - strlen(dims), " %s", r->t->dim[d].name);
    }
    if (!used) continue;
    say(r, " |%s %d", dims, band);
    r->b.parallel[n++] = keep(r, "parallel%s %d", dims, band);
  }
  say(r, "\n");
}

static void draw_rest(random_space *r) {
  int n = 0;
  r->b.compile[0] = "gcc";
  say(r, "compile gcc\n");
  for (int v = 0; v < r->t->ndims; v++) { /* untiled, the vector dim would take other tiles than without a vector */
    const brute_dim *dim = brute_dim_of(&r->b, r->t->dim[v].name);
    if (r->t->dim[v].size == 4 && !r->t->dim[v].reduce && r->b.vector[0] == NULL && dim->tiles[0] && chance(r, 70)) {
      say(r, "vector %s | none\n", r->t->dim[v].name);
      r->b.vector[0] = keep(r, "vector %s 4", r->t->dim[v].name);
      r->b.vector[1] = "";
    }
  }
  for (int rule = SC_PAD_PEEL; rule <= SC_PAD_PACK && r->t->npads; rule++) {
    static const char *const words[] = {"none", "peel", "clamp", "pack"};
    r->b.pad[n++] = keep(r, "pad p %s", words[rule]);
  }
  wanted = (condition){.dim = -1, .access = -1};
  if (chance(r, 40)) {
    wanted.dim = one_of(r, r->t->ndims);
    wanted.band = 1 + one_of(r, r->b.bands - 1 ? r->b.bands - 1 : 1);
    int32_t size = r->t->dim[wanted.dim].size;
    wanted.lo = 1 + one_of(r, size);
    wanted.hi = wanted.lo + one_of(r, size - wanted.lo + 1);
    const char *name = r->t->dim[wanted.dim].name;
    say(r, "where extent(%s,%d) >= %d; force extent(%s,%d) <= %d\n", name, wanted.band, wanted.lo, name, wanted.band,
        wanted.hi);
  }
  if (chance(r, 40)) {
    wanted.access = one_of(r, 3);
    wanted.region_band = 1 + one_of(r, r->b.bands - 1 ? r->b.bands - 1 : 1);
    wanted.most = 8 + one_of(r, 120);
    say(r, "where region(%s,%d) <= %g\n", r->t->tensor[r->t->access[wanted.access].tensor].name, wanted.region_band,
        wanted.most);
  }
  r->b.where = holds;
}

static void draw_space(random_space *r, uint64_t seed) {
  memset(r, 0, sizeof *r);
  sc_rng_seed(&r->rng, seed, 0);
  draw_task(r);
  r->t = task_of(r->task);
  r->b.task = r->task;
  r->b.space = r->space;
  r->b.bands = 1 + one_of(r, 4);
  say(r, "space a\nbands %d\n", r->b.bands);
  draw_dims(r);
  draw_loops(r);
  draw_packs(r);
  draw_parallel(r);
  draw_rest(r);
}

/* ---- the comparison ---- */

typedef struct comparison {
  const random_space *r;
  const sc_space_bound *bound;
  hashes raw;
  size_t texts;
  const char *why;
} comparison;

static void complain(const comparison *c, const sc_schedule *s, const char *what) {
  sc_str text = {0};
  sc_nest nest;
  sc_schedule_print(c->r->t, s, &text);
  sc_str_add(&text, "\n");
  if (sc_lower(c->r->t, s, &nest, NULL) == SC_OK) sc_nest_print(c->r->t, &nest, &text);
  fail_msg("%s\n%s\n%s\n%s", c->r->task, c->r->space, what, sc_str_text(&text));
}

static void each_text(void *user, const sc_task *task, const sc_schedule *schedule) {
  comparison *c = user;
  sc_nest nest;
  sc_count rank;
  c->texts++;
  if (c->texts > MOST_TEXTS || sc_lower(task, schedule, &nest, NULL) != SC_OK) return;
  if (!hashes_add(&c->raw, sc_nest_hash(task, &nest))) return;
  if (!c->bound) fail_msg("%s\n%s\nnothing is left: %s", c->r->task, c->r->space, c->why);
  if (sc_space_rank(c->bound, schedule, &rank) != SC_OK) complain(c, schedule, "this text is not in the space:");
}

/* A condition on kernels, against the plain filter. */
static void filter_by_facts(random_space *r, const sc_space_bound *bound) {
  sc_machine machine = facts_machine();
  sc_kernel_table *table = made_up_table(bound, &machine, r->t);
  const fact_case *c = &fact_cases[one_of(r, SC_COUNT_OF(fact_cases))];
  compare_facts(bound, r->space, r->t, &machine, r->b.threads, table, c, one_of(r, r->t->ndims));
  sc_kernel_table_free(table);
}

static bool compare(random_space *r, size_t *distinct) {
  sc_machine machine = small_machine();
  sc_space_bound *bound = NULL;
  sc_error err = {0};
  sc_status status =
      sc_space_bind(space_of(r->space), r->t, &machine, &(sc_space_options){.threads = r->b.threads}, &bound, &err);
  if (status != SC_OK && status != SC_ILLEGAL) fail_msg("%s\n%s\n%s", r->task, r->space, err.text);
  comparison c = {.r = r, .bound = bound, .why = err.text};
  hashes given = {0};
  brute_each(&r->b, r->t, each_text, &c);
  bool complete = c.texts <= MOST_TEXTS;
  for (sc_count k = 0; complete && bound && k < sc_space_count(bound); k++) {
    sc_schedule s;
    sc_count back = 0;
    assert_int_equal(sc_space_at(bound, k, &s), SC_OK);
    uint64_t hash = hash_of(r->t, &s);
    if (!hashes_add(&given, hash)) complain(&c, &s, "this schedule comes twice:");
    if (hashes_add(&c.raw, hash)) complain(&c, &s, "this schedule is no text of the space:");
    if (sc_space_rank(bound, &s, &back) != SC_OK || back != k) complain(&c, &s, "the rank of this schedule is wrong:");
  }
  if (complete) assert_int_equal(given.n, c.raw.n);
  if (bound) check_order(bound);
  if (bound && sc_space_count(bound) <= MOST_FILTERED) filter_by_facts(r, bound);
  *distinct += given.n;
  hashes_free(&c.raw);
  hashes_free(&given);
  sc_space_unbind(bound);
  return complete;
}

static void test_random(void **state) {
  static random_space r;
  size_t distinct = 0, compared = 0;
  size_t n = getenv("SC_SPACES") ? strtoul(getenv("SC_SPACES"), NULL, 10) : 70;
  uint64_t seed = getenv("SC_SEED") ? strtoul(getenv("SC_SEED"), NULL, 10) : 1;
  for (size_t i = 0; i < n; i++) {
    draw_space(&r, seed * 1000003 + i);
    compared += compare(&r, &distinct);
  }
  print_message("%zu of %zu random spaces compared completely: %zu distinct schedules\n", compared, n, distinct);
  assert_true(compared * 2 > n);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_random)};
  return cmocka_run_group_tests(tests, load_library, free_library);
}
