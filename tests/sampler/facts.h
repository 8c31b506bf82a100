/* Conditions on kernels against the plain filter: every schedule of the space without the condition is lowered, its
 * kernels are looked up one by one, and the space with the condition must hold exactly those that meet it. The table is
 * made up: what it says of a kernel is drawn from its hash, and much is left out. */
#ifndef TESTS_SAMPLER_FACTS_H
#define TESTS_SAMPLER_FACTS_H

#include "tests/sampler/spaces.h"

typedef struct looked_up {
  bool spills, code, rate; /* known */
  double most_spills, code_bytes, percent;
} looked_up;

/* Conditions, and again in C; the name of a dim stands before `rest`. */
typedef struct fact_case {
  const char *text, *rest;
  bool (*wanted)(const looked_up *f, const sc_task *task, const sc_nest *nest, int dim);
} fact_case;

static inline sc_machine facts_machine(void) {
  sc_machine m = small_machine();
  m.peak_flop_per_s = (sc_value){1e9, SC_ASSUMED};
  snprintf(m.compiler[0].command, sizeof m.compiler[0].command, "gcc");
  snprintf(m.compiler[1].command, sizeof m.compiler[1].command, "old");
  return m;
}

static inline void put_made_up(sc_kernel_table *table, uint64_t family, uint64_t compiler) {
  uint64_t r = sc_hash64(&(uint64_t[]){family, compiler}, 16, 7);
  sc_kernel_fact fact = {.family = family, .compiler = compiler, .spills = -1, .code_bytes = -1};
  if (r % 5 == 0) return;
  if (r >> 8 & 7) fact.spills = (int32_t)(r >> 16 & 7);
  if (r >> 11 & 7) fact.code_bytes = (int32_t)(r >> 20 & 1023);
  fact.measured = (r >> 14 & 3) != 0;
  if (fact.measured) fact.first_ns = (float)(r >> 30 & 2047), fact.slope_ns = (float)(r >> 41 & 1023);
  assert_int_equal(sc_kernel_table_put(table, &fact), SC_OK);
}

/* Calls of a nest, one combination of classes after the other; 0 behind the last. */
static inline bool next_classes(const sc_task *task, const sc_nest *nest, uint8_t *class_of_dim) {
  for (int d = 0; d < task->ndims; d++) {
    if (++class_of_dim[d] < nest->dim[d].nclasses) return true;
    class_of_dim[d] = 0;
  }
  return false;
}

static inline uint64_t family_of(const sc_task *task, const sc_nest *nest, const uint8_t *class_of_dim) {
  sc_kernel kernel;
  sc_nest_kernel(task, nest, class_of_dim, &kernel);
  return sc_kernel_hash(&kernel, true);
}

static inline void make_up(sc_kernel_table *table, const sc_machine *machine, const sc_task *task,
                           const sc_schedule *s) {
  sc_nest nest;
  uint8_t class_of_dim[SC_MAX_DIMS] = {0};
  uint64_t compiler = sc_compiler_hash(sc_machine_compiler(machine, s->compile));
  assert_int_equal(sc_lower(task, s, &nest, NULL), SC_OK);
  do put_made_up(table, family_of(task, &nest, class_of_dim), compiler);
  while (next_classes(task, &nest, class_of_dim));
}

/* The largest size, of equal ones that with the narrowest border, of equal ones the first. */
static inline uint8_t largest_of(const sc_tiling *tiling) {
  int32_t best = INT32_MIN;
  uint8_t class = 0;
  for (int i = tiling->nsegs - 1; i >= 0; i--) {
    int32_t score = tiling->seg[i].size * 1000 - tiling->seg[i].lo - tiling->seg[i].hi;
    if (score >= best) best = score, class = tiling->class_of[i];
  }
  return class;
}

static inline looked_up look_up_kernels(const sc_kernel_table *table, const sc_machine *machine, const sc_task *task,
                                        const sc_nest *nest) {
  looked_up f = {0};
  uint8_t class_of_dim[SC_MAX_DIMS] = {0};
  uint64_t compiler = sc_compiler_hash(sc_machine_compiler(machine, nest->compile));
  double flop = 2;
  do {
    const sc_kernel_fact *fact = sc_kernel_table_find(table, family_of(task, nest, class_of_dim), compiler);
    if (fact && fact->spills >= 0 && (!f.spills || fact->spills > f.most_spills)) f.most_spills = fact->spills;
    f.spills |= fact && fact->spills >= 0;
    if (fact && fact->code_bytes >= 0) f.code_bytes += fact->code_bytes;
    f.code |= fact && fact->code_bytes >= 0;
  } while (next_classes(task, nest, class_of_dim));
  for (int d = 0; d < task->ndims; d++) {
    class_of_dim[d] = largest_of(&nest->dim[d]);
    flop *= nest->dim[d].max_tile;
  }
  const sc_kernel_fact *fact = sc_kernel_table_find(table, family_of(task, nest, class_of_dim), compiler);
  double ns = fact && fact->measured ? (double)(nest->nkloops ? fact->slope_ns : fact->first_ns) : 0;
  f.rate = ns > 0;
  if (f.rate) f.percent = 100 * flop / (ns * 1e-9) / machine->peak_flop_per_s.value;
  return f;
}

static inline bool has_parallel(const sc_nest *nest) {
  for (int i = 0; i < nest->nnodes; i++)
    if (nest->node[i].kind == SC_NODE_PAR) return true;
  return false;
}

/* ---- conditions of any space ---- */

static inline bool few_spills(const looked_up *f, const sc_task *task, const sc_nest *nest, int dim) {
  return !f->spills || f->most_spills <= 3;
}
static inline bool short_code(const looked_up *f, const sc_task *task, const sc_nest *nest, int dim) {
  return !f->code || f->code_bytes <= 700;
}
static inline bool fast(const looked_up *f, const sc_task *task, const sc_nest *nest, int dim) {
  return !f->rate || f->percent >= 20;
}
static inline bool weighed(const looked_up *f, const sc_task *task, const sc_nest *nest, int dim) {
  return !f->spills || !f->rate || f->most_spills * nest->dim[dim].max_tile <= f->percent + nest->unroll;
}
static inline bool when_parallel(const looked_up *f, const sc_task *task, const sc_nest *nest, int dim) {
  return !f->spills || f->most_spills != 2 || !has_parallel(nest);
}
static inline bool when_unrolled(const looked_up *f, const sc_task *task, const sc_nest *nest, int dim) {
  return !f->code || f->code_bytes < 400 || nest->unroll == 1;
}

static const fact_case fact_cases[] = {
    {"where spills <= 3", NULL, few_spills},
    {"force code <= 700", NULL, short_code},
    {"where rate >= 20", NULL, fast},
    {"where spills*tile(", ") <= rate + unroll", weighed},
    {"where spills != 2 if not parallel none", NULL, when_parallel},
    {"where code < 400 if not unroll 1", NULL, when_unrolled},
};

/* ---- the comparison ---- */

static inline void facts_fail(const sc_task *task, const char *space, const char *where, const sc_schedule *s,
                              const char *what) {
  sc_str text = {0};
  sc_schedule_print(task, s, &text);
  fail_msg("%s\n%s\n%s\n%s\n%s", task->text, space, where, what, sc_str_text(&text));
}

static inline sc_status facts_add(void *user, const sc_schedule *s) {
  void *const *to = user;
  hashes_add(to[1], hash_of(to[0], s));
  return SC_OK;
}

/* Points of both kinds and neighbours join the set. */
static inline void facts_draw(const sc_space_bound *bound, const sc_task *task, hashes *set) {
  void *to[2] = {(void *)(uintptr_t)task, set};
  sc_rng rng;
  sc_schedule s, near;
  sc_error err;
  if (!bound) return;
  assert_int_equal(sc_space_sample(bound, SC_SAMPLE_UNIFORM, 50, 1, facts_add, to, &err), SC_OK);
  const sc_status sobol = sc_space_sample(bound, SC_SAMPLE_SOBOL, 50, 1, facts_add, to, &err);
  assert_true(sobol == SC_OK || sobol == SC_UNSUPPORTED); /* without GSL */
  sc_rng_seed(&rng, 1, 0);
  for (int i = 0; i < 50 && sc_space_count(bound) > 1; i++) {
    assert_int_equal(sc_space_at(bound, sc_rng_below(&rng, (uint64_t)sc_space_count(bound)), &s), SC_OK);
    assert_int_equal(sc_space_neighbour(bound, &s, &rng, &near), SC_OK);
    hashes_add(set, hash_of(task, &near));
  }
}

/* `all` is the space without the condition, bound by name of `space` and for as many threads. Returns how many are
 * left. */
static inline size_t compare_facts(const sc_space_bound *all, const char *space, const sc_task *task,
                                   const sc_machine *machine, int threads, const sc_kernel_table *table,
                                   const fact_case *c, int dim) {
  char where[256];
  sc_error err = {0};
  sc_space_bound *some = NULL;
  hashes wanted = {0}, given = {0};
  snprintf(where, sizeof where, "%s%s%s", c->text, c->rest ? task->dim[dim].name : "", c->rest ? c->rest : "");
  sc_space_options options = {.threads = threads, .force = where, .kernels = table};
  sc_status status = sc_space_bind(space_of(space), task, machine, &options, &some, &err);
  if (status != SC_OK && status != SC_ILLEGAL) fail_msg("%s\n%s\n%s: %s", task->text, space, where, err.text);
  for (sc_count r = 0; r < sc_space_count(all); r++) {
    sc_schedule s;
    sc_nest nest;
    sc_count rank;
    assert_int_equal(sc_space_at(all, r, &s), SC_OK);
    assert_int_equal(sc_lower(task, &s, &nest, NULL), SC_OK);
    const looked_up f = look_up_kernels(table, machine, task, &nest);
    bool wants = c->wanted(&f, task, &nest, dim);
    bool holds = some && sc_space_rank(some, &s, &rank) == SC_OK;
    if (wants != holds) facts_fail(task, space, where, &s, wants ? "is missing:" : "should not be there:");
    if (wants) hashes_add(&wanted, sc_nest_hash(task, &nest));
  }
  for (sc_count r = 0; some && r < sc_space_count(some); r++) {
    sc_schedule s;
    sc_count back = 0;
    assert_int_equal(sc_space_at(some, r, &s), SC_OK);
    if (!hashes_add(&given, hash_of(task, &s))) facts_fail(task, space, where, &s, "comes twice:");
    if (hashes_add(&wanted, hash_of(task, &s))) facts_fail(task, space, where, &s, "breaks the condition:");
    if (sc_space_rank(some, &s, &back) != SC_OK || back != r) facts_fail(task, space, where, &s, "has another rank:");
  }
  size_t n = given.n;
  assert_int_equal(given.n, wanted.n);
  facts_draw(some, task, &given);
  assert_int_equal(given.n, n);
  hashes_free(&wanted);
  hashes_free(&given);
  sc_space_unbind(some);
  return n;
}

static inline sc_kernel_table *made_up_table(const sc_space_bound *all, const sc_machine *machine,
                                             const sc_task *task) {
  sc_kernel_table *table = sc_kernel_table_new();
  assert_non_null(table);
  for (sc_count r = 0; r < sc_space_count(all); r++) {
    sc_schedule s;
    assert_int_equal(sc_space_at(all, r, &s), SC_OK);
    make_up(table, machine, task, &s);
  }
  return table;
}

#endif
