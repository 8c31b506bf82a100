/* Random records for the tests of the dataset. Everything follows from the number of the record and of the draw. */
#ifndef RECORDS_H
#define RECORDS_H

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "dataset/dataset.h"

/* A folder of its own, removed by folder_free. */
static inline char *folder_new(void) {
  char *folder = strdup("/tmp/sc-dataset-XXXXXX");
  assert_non_null(mkdtemp(folder));
  return folder;
}

static inline void folder_free(char *folder) {
  char command[256];
  snprintf(command, sizeof command, "rm -rf '%s'", folder);
  assert_int_equal(system(command), 0);
  free(folder);
}

static inline void assert_ok(sc_status status, const sc_error *err) {
  char text[1024] = "";
  if (status == SC_OK) return;
  sc_error_format(err, text, sizeof text);
  fail_msg("%s: %s", sc_status_name(status), text);
}

/* Identity `number`, content by `rng`: what measuring one schedule again and again gives. Keeps its texts in the
 * arena. */
static inline sc_record record_random(sc_arena *arena, uint64_t number, sc_rng *rng) {
  static const char *const failures[] = {"", "signal 11", "x = 3, expected 4"};
  sc_str text = {0};
  sc_record r = {.compiler = "gcc 12.2.0 | gcc -O2", .machine = "cpu \"a\"\nisa x86-64-v4\n", .shard = "host/boot/0"};
  sc_str_printf(&text, "matmul:M=%d,N=%d,K=8", (int)(number % 7), (int)(number % 3));
  r.task = sc_arena_strdup(arena, sc_str_text(&text));
  sc_str_clear(&text);
  sc_str_printf(&text, "tile i %d, j 16; order, with \"quotes\" and %d", (int)number, (int)sc_rng_below(rng, 2));
  r.schedule = sc_arena_strdup(arena, sc_str_text(&text));
  sc_str_free(&text);
  r.counters_missing = sc_rng_below(rng, 2) ? "PAPI_1: none\nPAPI_2: none" : "";
  r.task_hash = number % 7;
  r.nest_hash = number;
  r.compiler_hash = 1 + number % 2;
  r.code_hash = number * 77;
  r.threads = 1;
  r.proposal = (uint8_t)sc_rng_below(rng, SC_PROPOSAL_COUNT);
  r.outcome = (uint8_t)(sc_rng_below(rng, 4) ? SC_RAN : sc_rng_below(rng, SC_OUTCOME_COUNT));
  r.failure = r.outcome == SC_RAN ? "" : failures[sc_rng_below(rng, 3)];
  r.code_bytes = (uint32_t)(1000 + number);
  r.compile_ms = (float)sc_rng_unit(rng);
  r.npasses = (uint32_t)sc_rng_below(rng, SC_MAX_PASSES + 1);
  for (uint32_t p = 0; p < r.npasses; p++) {
    r.pass[p].unix_ns = (int64_t)sc_rng_below(rng, 40); /* so that passes of two draws meet */
    r.pass[p].batch = 3;
    r.pass[p].invalid = r.pass[p].unix_ns % 4 == 0; /* known when a pass is written, and final */
    r.pass[p].preempted = (uint16_t)sc_rng_below(rng, 2);
    for (int i = 0; i < SC_REPEATS; i++) r.pass[p].ns[i] = (float)(r.pass[p].unix_ns * 100 + i + 1);
  }
  int ncounters = (int)sc_rng_below(rng, SC_MAX_COUNTERS + 1);
  for (int i = 0; i < ncounters; i++) {
    snprintf(r.counter_name[i], SC_NAME, "PAPI_%d", (int)sc_rng_below(rng, 10) * 10 + i);
    if (sc_rng_below(rng, 3) == 0) continue;
    r.counter[i] = (double)sc_rng_below(rng, 100);
    r.counter_mask |= 1u << i;
  }
  return r;
}

static inline bool passes_equal(const sc_pass *a, const sc_pass *b) {
  return a->unix_ns == b->unix_ns && a->preempted == b->preempted && a->invalid == b->invalid && a->batch == b->batch &&
         memcmp(a->ns, b->ns, sizeof a->ns) == 0;
}

static inline void assert_records_equal(const sc_record *a, const sc_record *b) {
  assert_string_equal(a->task, b->task);
  assert_string_equal(a->schedule, b->schedule);
  assert_string_equal(a->compiler, b->compiler);
  assert_string_equal(a->machine, b->machine);
  assert_string_equal(a->shard, b->shard);
  assert_string_equal(a->failure, b->failure);
  assert_string_equal(a->counters_missing, b->counters_missing);
  assert_true(sc_record_identity(a) == sc_record_identity(b));
  assert_int_equal(a->proposal, b->proposal);
  assert_int_equal(a->outcome, b->outcome);
  assert_int_equal(a->stale, b->stale);
  assert_int_equal(a->code_bytes, b->code_bytes);
  assert_true(a->compile_ms == b->compile_ms);
  assert_int_equal(a->npasses, b->npasses);
  for (uint32_t p = 0; p < a->npasses; p++) assert_true(passes_equal(&a->pass[p], &b->pass[p]));
  assert_int_equal(a->counter_mask, b->counter_mask);
  assert_memory_equal(a->counter_name, b->counter_name, sizeof a->counter_name);
  assert_memory_equal(a->counter, b->counter, sizeof a->counter);
}

/* Same rows, in any order. */
static inline void assert_same_rows(const sc_dataset *a, const sc_dataset *b) {
  assert_int_equal(sc_dataset_count(a), sc_dataset_count(b));
  for (size_t i = 0; i < sc_dataset_count(a); i++) {
    const sc_record *row = sc_dataset_at(a, i), *other = sc_dataset_find(b, sc_record_identity(row));
    assert_non_null(other);
    assert_records_equal(row, other);
  }
}

static inline sc_dataset *open_ok(const char *folder, const char *name, sc_dataset_mode mode) {
  char path[256];
  sc_error err;
  sc_dataset *dataset;
  snprintf(path, sizeof path, "%s/%s", folder, name);
  assert_ok(sc_dataset_open(path, mode, &dataset, &err), &err);
  return dataset;
}

static inline void close_ok(sc_dataset *dataset) {
  sc_error err;
  assert_ok(sc_dataset_close(dataset, &err), &err);
}

static inline void append_ok(sc_dataset *dataset, const sc_record *record) {
  sc_error err;
  assert_ok(sc_dataset_append(dataset, record, &err), &err);
}

/* n draws of records with numbers below `numbers`. */
static inline void fill(sc_dataset *dataset, sc_arena *arena, uint64_t seed, int n, uint64_t numbers) {
  sc_rng rng;
  sc_rng_seed(&rng, seed, 0);
  for (int i = 0; i < n; i++) {
    sc_record record = record_random(arena, sc_rng_below(&rng, numbers), &rng);
    append_ok(dataset, &record);
  }
}

#endif
