/* What goes into a dataset comes out of it; the union of records is commutative and idempotent; labels; CSV. */
#include "records.h"

static void test_label(void **state) {
  sc_record r = {.outcome = SC_RAN, .npasses = 4};
  for (int p = 0; p < 4; p++)
    for (int i = 0; i < SC_REPEATS; i++) r.pass[p].ns[i] = (float)(100 * (4 - p) + i);
  r.pass[1].invalid = 1;
  assert_true(sc_record_label_ns(&r, 1) == 400);
  assert_true(sc_record_label_ns(&r, 2) == 200); /* the second is invalid */
  assert_true(sc_record_label_ns(&r, 3) == 100);
  assert_true(sc_record_label_ns(&r, 4) == 0);
  assert_true(sc_record_label_ns(&r, 0) == 0);
  r.pass[0].ns[3] = 0; /* a repeat that was not made is not a fast one */
  assert_true(sc_record_label_ns(&r, 1) == 400);
  r.outcome = SC_WRONG_RESULT;
  assert_true(sc_record_label_ns(&r, 1) == 0);
}

static void test_identity(void **state) {
  sc_arena *arena = sc_arena_new();
  sc_rng rng;
  sc_rng_seed(&rng, 1, 0);
  sc_record a = record_random(arena, 5, &rng), b = a;
  b.outcome = SC_CRASHED;
  b.schedule = "another text of the same nest";
  b.stale = 1;
  b.proposal = SC_PROPOSED_MODEL;
  b.model_hash = a.model_hash + 1;
  assert_true(sc_record_identity(&a) == sc_record_identity(&b));
#define DIFFERS(field, value) \
  b = a;                      \
  b.field = value;            \
  assert_true(sc_record_identity(&a) != sc_record_identity(&b))
  DIFFERS(task, "x");
  DIFFERS(shard, "x");
  DIFFERS(task_hash, a.task_hash + 1);
  DIFFERS(nest_hash, a.nest_hash + 1);
  DIFFERS(compiler_hash, a.compiler_hash + 1);
  DIFFERS(machine_hash, a.machine_hash + 1);
  DIFFERS(code_hash, a.code_hash + 1);
  DIFFERS(source_hash, a.source_hash + 1);
  DIFFERS(harness_abi, a.harness_abi + 1);
  DIFFERS(codegen_version, a.codegen_version + 1);
  DIFFERS(threads, a.threads + 1);
  DIFFERS(simulated, !a.simulated);
#undef DIFFERS
  sc_arena_free(arena);
}

static void test_round_trip(void **state) {
  char *folder = folder_new();
  sc_arena *arena = sc_arena_new();
  sc_error err;
  sc_dataset *written = open_ok(folder, "a.h5", SC_DATASET_APPEND);
  fill(written, arena, 1, 3000, 1500);
  for (size_t i = 0; i < sc_dataset_count(written); i += 5)
    assert_ok(sc_dataset_mark_stale(written, i, i % 10 == 0, &err), &err);
  sc_dataset *journal = open_ok(folder, "a.h5", SC_DATASET_READ); /* beside the writer: the journal alone */
  assert_same_rows(written, journal);
  assert_int_equal(sc_dataset_dropped_bytes(journal), 0);
  close_ok(written);
  sc_dataset *file = open_ok(folder, "a.h5", SC_DATASET_READ);
  assert_same_rows(file, journal);
  for (size_t i = 0; i < sc_dataset_count(file); i++) /* order of first appearance */
    assert_records_equal(sc_dataset_at(file, i), sc_dataset_at(journal, i));
  char path[256];
  snprintf(path, sizeof path, "%s/a.h5.journal", folder);
  assert_int_not_equal(access(path, F_OK), 0);
  sc_record record = *sc_dataset_at(file, 0);
  assert_int_equal(sc_dataset_append(file, &record, &err), SC_USAGE);
  close_ok(file);
  close_ok(journal);
  sc_arena_free(arena);
  folder_free(folder);
}

static void test_empty(void **state) {
  char *folder = folder_new();
  close_ok(open_ok(folder, "a.h5", SC_DATASET_APPEND));
  sc_dataset *d = open_ok(folder, "a.h5", SC_DATASET_READ);
  assert_int_equal(sc_dataset_count(d), 0);
  close_ok(d);
  close_ok(NULL);
  folder_free(folder);
}

static void test_in_memory(void **state) {
  char *folder = folder_new();
  sc_arena *arena = sc_arena_new();
  sc_error err;
  sc_dataset *file = open_ok(folder, "a.h5", SC_DATASET_APPEND), *memory;
  assert_ok(sc_dataset_memory(&memory, &err), &err);
  fill(file, arena, 5, 100, 60);
  fill(memory, arena, 5, 100, 60);
  assert_ok(sc_dataset_mark_stale(file, 3, true, &err), &err);
  assert_ok(sc_dataset_mark_stale(memory, 3, true, &err), &err);
  assert_ok(sc_dataset_sync(memory, &err), &err);
  assert_same_rows(memory, file);
  close_ok(memory);
  close_ok(file);
  sc_arena_free(arena);
  folder_free(folder);
}

static char *slurp(const char *folder, const char *name, size_t *len) {
  char path[256], *text = NULL;
  sc_arena *arena = sc_arena_new();
  sc_error err;
  snprintf(path, sizeof path, "%s/%s", folder, name);
  assert_ok(sc_file_read(arena, path, 1 << 28, &text, len, &err), &err);
  char *copy = malloc(*len + 1);
  memcpy(copy, text, *len);
  sc_arena_free(arena);
  return copy;
}

/* Same rows, same bytes. */
static void test_deterministic(void **state) {
  char *folder = folder_new(), *bytes[2];
  size_t len[2];
  for (int i = 0; i < 2; i++) {
    sc_arena *arena = sc_arena_new();
    sc_dataset *d = open_ok(folder, i ? "b.h5" : "a.h5", SC_DATASET_APPEND);
    fill(d, arena, 3, 200, 100);
    close_ok(d);
    sc_arena_free(arena);
    bytes[i] = slurp(folder, i ? "b.h5" : "a.h5", &len[i]);
    sleep(i == 0); /* a time stamp in the file would differ */
  }
  assert_int_equal(len[0], len[1]);
  assert_memory_equal(bytes[0], bytes[1], len[0]);
  free(bytes[0]);
  free(bytes[1]);
  folder_free(folder);
}

static void merge_ok(sc_dataset *into, const sc_dataset *from) {
  sc_error err;
  assert_ok(sc_dataset_merge(into, from, &err), &err);
}

/* a+b == b+a, a+a == a, (a+b)+b == a+b, also through the disk; on 20 pairs. */
static void test_merge_laws(void **state) {
  for (uint64_t seed = 0; seed < 20; seed++) {
    char *folder = folder_new();
    sc_arena *arena = sc_arena_new();
    sc_error err;
    sc_dataset *a = open_ok(folder, "a.h5", SC_DATASET_APPEND), *b = open_ok(folder, "b.h5", SC_DATASET_APPEND);
    sc_dataset *ab = open_ok(folder, "ab.h5", SC_DATASET_APPEND), *ba = open_ok(folder, "ba.h5", SC_DATASET_APPEND);
    fill(a, arena, 2 * seed, 60, 40);
    fill(b, arena, 2 * seed + 1, 60, 40);
    assert_ok(sc_dataset_mark_stale(a, seed, true, &err), &err);
    merge_ok(ab, a);
    assert_same_rows(ab, a);
    merge_ok(ab, a);
    assert_same_rows(ab, a);
    merge_ok(ab, b);
    merge_ok(ba, b);
    merge_ok(ba, a);
    assert_same_rows(ab, ba);
    merge_ok(ab, b);
    merge_ok(ab, a);
    assert_same_rows(ab, ba);
    close_ok(ab);
    ab = open_ok(folder, "ab.h5", SC_DATASET_READ);
    assert_same_rows(ab, ba);
    close_ok(a);
    close_ok(b);
    close_ok(ab);
    close_ok(ba);
    sc_arena_free(arena);
    folder_free(folder);
  }
}

/* Passes are ordered by time, none twice; too many: disturbed ones give way, the oldest first, then the latest; flags
 * may be set later. */
static void test_passes_unite(void **state) {
  char *folder = folder_new();
  sc_dataset *d = open_ok(folder, "a.h5", SC_DATASET_APPEND);
  sc_record r = {.task = "t", .nest_hash = 1};
  for (int at = 30; at > 0; at--) { /* latest first, each twice */
    r.npasses = 1;
    r.pass[0] = (sc_pass){.unix_ns = at, .batch = 1, .ns = {(float)at}, .invalid = at <= 10};
    append_ok(d, &r);
    append_ok(d, &r);
  }
  const sc_record *row = sc_dataset_at(d, 0);
  assert_int_equal(row->npasses, SC_MAX_PASSES);
  for (int i = 0; i < SC_MAX_PASSES; i++) assert_int_equal(row->pass[i].unix_ns, i + 11);
  assert_true(sc_record_label_ns(row, 3) == 11);
  r.pass[0] = (sc_pass){.unix_ns = 11, .batch = 1, .ns = {11}, .invalid = 1};
  append_ok(d, &r);
  assert_int_equal(row->npasses, SC_MAX_PASSES);
  assert_true(sc_record_label_ns(row, 3) == 12);
  r.pass[0] = (sc_pass){.unix_ns = 40, .batch = 1, .ns = {40}, .invalid = 1};
  append_ok(d, &r); /* takes the place of 11, which is as bad and older */
  assert_int_equal(row->pass[0].unix_ns, 12);
  assert_int_equal(row->pass[SC_MAX_PASSES - 1].unix_ns, 40);
  close_ok(d);
  folder_free(folder);
}

static void test_outcomes_unite(void **state) {
  static const uint8_t stronger[] = {SC_NOT_COMPILED, SC_TIMED_OUT, SC_RAN, SC_CRASHED, SC_WRONG_RESULT};
  for (int a = 0; a < SC_OUTCOME_COUNT; a++)
    for (int b = 0; b < SC_OUTCOME_COUNT; b++) {
      char *folder = folder_new();
      sc_dataset *d = open_ok(folder, "a.h5", SC_DATASET_APPEND);
      sc_record r = {.task = "t", .outcome = stronger[a], .failure = sc_outcome_name(stronger[a])};
      append_ok(d, &r);
      r.outcome = stronger[b];
      r.failure = sc_outcome_name(stronger[b]);
      append_ok(d, &r);
      assert_int_equal(sc_dataset_count(d), 1);
      assert_int_equal(sc_dataset_at(d, 0)->outcome, stronger[a > b ? a : b]);
      assert_string_equal(sc_dataset_at(d, 0)->failure, sc_outcome_name(stronger[a > b ? a : b]));
      close_ok(d);
      folder_free(folder);
    }
}

/* Of two proposals that with less choice stays, in either order; of two models one, the same in either order. */
static void test_proposals_unite(void **state) {
  static const uint8_t order[] = {SC_PROPOSED_UNIFORM, SC_PROPOSED_STRATIFIED, SC_PROPOSED_ANCHOR,
                                  SC_PROPOSED_USER,    SC_PROPOSED_NEIGHBOUR,  SC_PROPOSED_MODEL};
  for (int a = 0; a < SC_PROPOSAL_COUNT; a++)
    for (int b = 0; b < SC_PROPOSAL_COUNT; b++) {
      sc_dataset *d;
      sc_error err;
      assert_ok(sc_dataset_memory(&d, &err), &err);
      sc_record r = {.task = "t", .proposal = order[a], .model_hash = order[a] == SC_PROPOSED_MODEL ? 9 : 0};
      append_ok(d, &r);
      r.proposal = order[b];
      r.model_hash = order[b] == SC_PROPOSED_MODEL ? 8 : 0;
      append_ok(d, &r);
      assert_int_equal(sc_dataset_count(d), 1);
      r = *sc_dataset_at(d, 0);
      assert_int_equal(r.proposal, order[a < b ? a : b]);
      assert_int_equal(r.model_hash, a == b && order[a] == SC_PROPOSED_MODEL ? 8 : 0);
      close_ok(d);
    }
}

static void test_nonsense_is_refused(void **state) {
  char *folder = folder_new();
  sc_error err;
  sc_dataset *d = open_ok(folder, "a.h5", SC_DATASET_APPEND);
  sc_record r = {.npasses = SC_MAX_PASSES + 1};
  assert_int_equal(sc_dataset_append(d, &r, &err), SC_LIMIT);
  r = (sc_record){.outcome = SC_OUTCOME_COUNT};
  assert_int_equal(sc_dataset_append(d, &r, &err), SC_USAGE);
  r = (sc_record){.proposal = 200};
  assert_int_equal(sc_dataset_append(d, &r, &err), SC_USAGE);
  r = (sc_record){.counter_mask = 1};
  assert_int_equal(sc_dataset_append(d, &r, &err), SC_USAGE);
  r = (sc_record){0};
  memset(r.counter_name[0], 'x', SC_NAME);
  assert_int_equal(sc_dataset_append(d, &r, &err), SC_USAGE);
  assert_int_equal(sc_dataset_count(d), 0);
  close_ok(d);
  folder_free(folder);
}

/* Cells of the n-th line, quotes taken off, of a text without quoted newlines. */
static int cells(const char *csv, int line, char cell[64][128]) {
  int n = 0, k = 0;
  bool quoted = false;
  while (line-- > 0) csv = strchr(csv, '\n') + 1;
  for (; quoted || *csv != '\n'; csv++) {
    if (*csv == '"' && quoted && csv[1] == '"') csv++;
    else if (*csv == '"') {
      quoted = !quoted;
      continue;
    } else if (*csv == ',' && !quoted) {
      cell[n++][k] = 0;
      k = 0;
      continue;
    }
    cell[n][k++] = *csv;
  }
  cell[n++][k] = 0;
  return n;
}

static void test_csv(void **state) {
  char *folder = folder_new();
  static char head[64][128], row[64][128];
  sc_dataset *d = open_ok(folder, "a.h5", SC_DATASET_APPEND);
  sc_record r = {
      .task = "a,b", .schedule = "say \"x\"", .nest_hash = 0xabc, .npasses = 2, .counter_mask = 2, .code_bytes = 77};
  r.pass[0] = (sc_pass){.unix_ns = 10, .batch = 5, .ns = {1.5f, 2}};
  r.pass[1] = (sc_pass){.unix_ns = 11, .batch = 6, .ns = {0.1f}};
  strcpy(r.counter_name[0], "A");
  strcpy(r.counter_name[1], "B");
  r.counter[1] = 2.5;
  append_ok(d, &r);
  r = (sc_record){.task = "t", .outcome = SC_NOT_COMPILED, .failure = "no"};
  append_ok(d, &r);
  sc_str csv = {0};
  assert_int_equal(sc_dataset_export_csv(d, &csv), SC_OK);
  int n = cells(csv.text, 0, head), newlines = 0;
  for (const char *p = csv.text; *p; p++) newlines += *p == '\n';
  assert_int_equal(newlines, 4);
  static const struct {
    int line;
    const char *column, *value;
  } expected[] = {{1, "task", "a,b"},
                  {1, "schedule", "say \"x\""},
                  {1, "nest_hash", "0000000000000abc"},
                  {1, "code_bytes", "77"},
                  {1, "counters", "A= B=2.5"},
                  {1, "pass", "0"},
                  {1, "ns_0", "1.5"},
                  {1, "ns_1", "2"},
                  {2, "pass", "1"},
                  {2, "unix_ns", "11"},
                  {2, "batch", "6"},
                  {2, "ns_0", "0.100000001"},
                  {3, "outcome", "1"},
                  {3, "failure", "no"},
                  {3, "pass", ""},
                  {3, "ns_8", ""}};
  for (size_t i = 0; i < SC_COUNT_OF(expected); i++) {
    int column = 0;
    assert_int_equal(cells(csv.text, expected[i].line, row), n);
    while (column < n && strcmp(head[column], expected[i].column) != 0) column++;
    assert_true(column < n);
    assert_string_equal(row[column], expected[i].value);
  }
  sc_str_free(&csv);
  close_ok(d);
  folder_free(folder);
}

/* 100 000 rows with a text each must load in a second; printed, and bounded with room for a busy machine. */
static void test_load_speed(void **state) {
  char *folder = folder_new();
  sc_arena *arena = sc_arena_new();
  sc_rng rng;
  sc_rng_seed(&rng, 1, 0);
  sc_dataset *d = open_ok(folder, "a.h5", SC_DATASET_APPEND);
  for (uint64_t i = 0; i < 100000; i++) {
    sc_record record = record_random(arena, i, &rng);
    record.npasses = record.npasses > 3 ? 3 : record.npasses;
    append_ok(d, &record);
  }
  double t0 = sc_now_s();
  close_ok(d);
  double t1 = sc_now_s();
  d = open_ok(folder, "a.h5", SC_DATASET_READ);
  double t2 = sc_now_s();
  assert_int_equal(sc_dataset_count(d), 100000);
  printf("100000 rows: written in %.2f s, loaded in %.2f s\n", t1 - t0, t2 - t1);
  assert_true(t2 - t1 < 10);
  close_ok(d);
  sc_arena_free(arena);
  folder_free(folder);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_label),
      cmocka_unit_test(test_identity),
      cmocka_unit_test(test_round_trip),
      cmocka_unit_test(test_empty),
      cmocka_unit_test(test_in_memory),
      cmocka_unit_test(test_deterministic),
      cmocka_unit_test(test_merge_laws),
      cmocka_unit_test(test_passes_unite),
      cmocka_unit_test(test_outcomes_unite),
      cmocka_unit_test(test_proposals_unite),
      cmocka_unit_test(test_nonsense_is_refused),
      cmocka_unit_test(test_csv),
      cmocka_unit_test(test_load_speed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
