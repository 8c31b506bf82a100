/* What the tests of spaces share: tasks, a small machine, spaces by text. */
#ifndef TESTS_SAMPLER_SPACES_H
#define TESTS_SAMPLER_SPACES_H

#include "sampler/sampler.h"
#include "tests/ir/tasks.h"

/* Vectors of 4 (gcc) and 2 (old), 8 registers, caches of 256 B, 1 KiB, 16 KiB for 4 cores. */
static inline sc_machine small_machine(void) {
  sc_machine m = {.name = "small",
                  .isa = "test",
                  .cores = {4, SC_ASSUMED},
                  .vector_bytes = {16, SC_ASSUMED},
                  .ncaches = 3,
                  .ncompilers = 2};
  m.vector_registers = (sc_value){8, SC_ASSUMED};
  const double bytes[] = {256, 1024, 16384}, shared[] = {1, 1, 4};
  for (int i = 0; i < 3; i++) {
    m.cache[i].bytes = (sc_value){bytes[i], SC_ASSUMED};
    m.cache[i].shared_by = (sc_value){shared[i], SC_ASSUMED};
  }
  snprintf(m.compiler[0].name, SC_NAME, "gcc");
  snprintf(m.compiler[1].name, SC_NAME, "old");
  m.compiler[0].vector_bytes = 16;
  m.compiler[1].vector_bytes = 8;
  return m;
}

static inline const sc_space *space_of(const char *text) {
  const sc_space *space = NULL;
  sc_error err = {0};
  if (sc_space_parse(arena, "test.space", text, strlen(text), &space, &err) != SC_OK)
    fail_msg("%d:%d: %s in\n%s", err.line, err.column, err.text, text);
  return space;
}

static inline sc_space_bound *bind_space(const sc_space *space, const sc_task *task, const sc_machine *machine,
                                         const sc_space_options *options) {
  sc_space_bound *bound = NULL;
  sc_error err = {0};
  char text[1024];
  if (sc_space_bind(space, task, machine, options, &bound, &err) != SC_OK) {
    sc_error_format(&err, text, sizeof text);
    fail_msg("%s: %s", task->text, text);
  }
  return bound;
}

static inline uint64_t hash_of(const sc_task *task, const sc_schedule *schedule) {
  sc_nest nest;
  sc_error err = {0};
  if (sc_lower(task, schedule, &nest, &err) != SC_OK) {
    sc_str text = {0};
    sc_schedule_print(task, schedule, &text);
    fail_msg("%s\n  schedule %s\n  %s", task->text, sc_str_text(&text), err.text);
  }
  return sc_nest_hash(task, &nest);
}

/* A set of hashes. */
typedef struct hashes {
  size_t n, cap;
  uint64_t *slot;
} hashes;

static inline bool hashes_add(hashes *set, uint64_t hash);

static inline void hashes_grow(hashes *set) {
  hashes old = *set;
  set->cap = old.cap ? 2 * old.cap : 1024;
  set->n = 0;
  set->slot = calloc(set->cap, sizeof *set->slot);
  assert_non_null(set->slot);
  for (size_t i = 0; i < old.cap; i++)
    if (old.slot[i]) hashes_add(set, old.slot[i]);
  free(old.slot);
}

/* true when it is new; 0 stands for itself as 1. */
static inline bool hashes_add(hashes *set, uint64_t hash) {
  if (hash == 0) hash = 1;
  if (2 * (set->n + 1) > set->cap) hashes_grow(set);
  size_t at = hash & (set->cap - 1);
  for (; set->slot[at]; at = (at + 1) & (set->cap - 1))
    if (set->slot[at] == hash) return false;
  set->slot[at] = hash;
  set->n++;
  return true;
}

static inline void hashes_free(hashes *set) {
  free(set->slot);
  *set = (hashes){0};
}

/* Ranks in order are the ranks one by one, from wherever one begins. */
typedef struct in_order {
  const sc_space_bound *bound;
  sc_count rank;
} in_order;

static inline sc_status is_at(void *user, const sc_schedule *schedule) {
  in_order *o = user;
  sc_schedule alone;
  assert_int_equal(sc_space_at(o->bound, o->rank++, &alone), SC_OK);
  assert_memory_equal(schedule, &alone, sizeof alone);
  return SC_OK;
}

static inline void check_order(const sc_space_bound *bound) {
  const sc_count count = sc_space_count(bound), first[] = {0, count / 3, count - 1};
  for (size_t i = 0; i < 3 && count > 0; i++) {
    in_order o = {bound, first[i]};
    const size_t n = (size_t)(count - first[i] < 5000 ? count - first[i] : 5000);
    assert_int_equal(sc_space_each(bound, first[i], n, is_at, &o), SC_OK);
    assert_true(o.rank == first[i] + n);
  }
}

#endif
