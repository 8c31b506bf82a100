/* Files cut at any byte, flipped bits, foreign files: an error and never a crash, and repair saves what is there. */
#include "records.h"

struct bytes {
  char *at;
  size_t len;
};

static struct bytes slurp(const char *folder, const char *name) {
  char path[256], *text;
  sc_arena *arena = sc_arena_new();
  sc_error err;
  struct bytes b;
  snprintf(path, sizeof path, "%s/%s", folder, name);
  assert_ok(sc_file_read(arena, path, 1 << 28, &text, &b.len, &err), &err);
  b.at = malloc(b.len + 1);
  memcpy(b.at, text, b.len);
  sc_arena_free(arena);
  return b;
}

static void spill(const char *folder, const char *name, const char *bytes, size_t len) {
  char path[256];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  FILE *f = fopen(path, "wb");
  assert_non_null(f);
  assert_int_equal(fwrite(bytes, 1, len, f), len);
  assert_int_equal(fclose(f), 0);
}

static sc_status open_status(const char *folder, const char *name, size_t *rows, sc_error *err) {
  char path[256];
  sc_dataset *d;
  snprintf(path, sizeof path, "%s/%s", folder, name);
  sc_status status = sc_dataset_open(path, SC_DATASET_READ, &d, err);
  if (rows) *rows = d ? sc_dataset_count(d) : 0;
  close_ok(d);
  return status;
}

static struct bytes make_file(const char *folder, int n) {
  sc_arena *arena = sc_arena_new();
  sc_dataset *d = open_ok(folder, "whole.h5", SC_DATASET_APPEND);
  fill(d, arena, 1, n, 1000000);
  close_ok(d);
  sc_arena_free(arena);
  return slurp(folder, "whole.h5");
}

/* A journal as a killed process leaves it: copied before it is closed. Returns it; *synced = acknowledged bytes. */
static struct bytes make_journal(const char *folder, int n, int sync_at, size_t *synced) {
  sc_arena *arena = sc_arena_new();
  sc_error err;
  sc_rng rng;
  sc_rng_seed(&rng, 2, 0);
  sc_dataset *d = open_ok(folder, "open.h5", SC_DATASET_APPEND);
  for (int i = 0; i < n; i++) {
    sc_record record = record_random(arena, (uint64_t)i, &rng);
    append_ok(d, &record);
    if (i + 1 != sync_at) continue;
    assert_ok(sc_dataset_sync(d, &err), &err);
    struct bytes b = slurp(folder, "open.h5.journal");
    *synced = b.len;
    free(b.at);
  }
  struct bytes journal = slurp(folder, "open.h5.journal");
  close_ok(d);
  sc_arena_free(arena);
  return journal;
}

static void test_file_cut_anywhere(void **state) {
  char *folder = folder_new();
  struct bytes whole = make_file(folder, 40);
  sc_error err;
  size_t step = 1;
  for (size_t len = 0; len < whole.len; len += step) {
    step = len < 1200 || len + 600 > whole.len ? 1 : 61;
    spill(folder, "cut.h5", whole.at, len);
    assert_int_equal(open_status(folder, "cut.h5", NULL, &err), SC_FORMAT);
    assert_non_null(strstr(err.where, "cut.h5"));
  }
  spill(folder, "cut.h5", whole.at, whole.len);
  assert_ok(open_status(folder, "cut.h5", NULL, &err), &err);
  char *longer = calloc(whole.len + 1, 1);
  memcpy(longer, whole.at, whole.len);
  spill(folder, "cut.h5", longer, whole.len + 1);
  assert_int_equal(open_status(folder, "cut.h5", NULL, &err), SC_FORMAT);
  free(longer);
  free(whole.at);
  folder_free(folder);
}

static void test_file_flipped_anywhere(void **state) {
  char *folder = folder_new();
  struct bytes whole = make_file(folder, 40);
  sc_error err;
  for (size_t at = 0; at < whole.len; at += at < 600 ? 1 : 37) {
    whole.at[at] ^= (char)(1 << at % 8);
    spill(folder, "flip.h5", whole.at, whole.len);
    assert_int_equal(open_status(folder, "flip.h5", NULL, &err), SC_FORMAT);
    whole.at[at] ^= (char)(1 << at % 8);
  }
  free(whole.at);
  folder_free(folder);
}

static void test_foreign(void **state) {
  char *folder = folder_new();
  sc_error err;
  struct bytes whole = make_file(folder, 5);
  spill(folder, "bare.h5", whole.at + 512, whole.len - 512); /* sound HDF5, but nobody vouches for it */
  assert_int_equal(open_status(folder, "bare.h5", NULL, &err), SC_FORMAT);
  spill(folder, "text.h5", "conv2d\n", 7);
  assert_int_equal(open_status(folder, "text.h5", NULL, &err), SC_FORMAT);
  assert_non_null(strstr(err.text, "not a dataset"));
  assert_int_equal(open_status(folder, "absent.h5", NULL, &err), SC_NOTFOUND);
  free(whole.at);
  folder_free(folder);
}

/* Cut at any byte the journal gives the rows whose frames are whole; appending goes on behind them. */
static void test_journal_cut_anywhere(void **state) {
  char *folder = folder_new(), path[256];
  size_t synced, rows, before = 0;
  sc_error err;
  struct bytes journal = make_journal(folder, 12, 6, &synced);
  snprintf(path, sizeof path, "%s/cut.h5", folder);
  for (size_t len = 0; len <= journal.len; len += 1 + (len > 300) * 18) {
    spill(folder, "cut.h5.journal", journal.at, len);
    assert_ok(open_status(folder, "cut.h5", &rows, &err), &err);
    assert_true(rows >= before && (len < synced || rows >= 6));
    before = rows;
    sc_dataset *d = open_ok(folder, "cut.h5", SC_DATASET_APPEND);
    assert_int_equal(sc_dataset_count(d), rows);
    append_ok(d, &(sc_record){.task = "one more"});
    assert_int_equal(open_status(folder, "cut.h5", &rows, &err), SC_OK); /* journal again, not yet compacted */
    assert_int_equal(rows, before + 1);
    close_ok(d);
    unlink(path);
  }
  free(journal.at);
  folder_free(folder);
}

/* A flip is an error where rows behind it vouch that it was on disk, a torn tail where nothing does; rows are never
 * changed by it. */
static void test_journal_flipped_anywhere(void **state) {
  char *folder = folder_new();
  size_t synced, rows;
  sc_error err;
  struct bytes journal = make_journal(folder, 12, 6, &synced);
  int errors = 0, tails = 0;
  for (size_t at = 0; at < journal.len; at += 3) {
    bool holder = at >= 32 && at < 160;
    journal.at[at] ^= (char)(1 << at % 8);
    spill(folder, "flip.h5.journal", journal.at, journal.len);
    sc_status status = open_status(folder, "flip.h5", &rows, &err);
    if (at < synced && !holder) {
      assert_int_equal(status, SC_FORMAT);
      errors++;
    } else {
      assert_int_equal(status, SC_OK);
      assert_true(holder ? rows == 12 : rows >= 6 && rows < 12);
      tails++;
    }
    journal.at[at] ^= (char)(1 << at % 8);
  }
  assert_true(errors > 100 && tails > 100);
  free(journal.at);
  folder_free(folder);
}

/* Nothing is written where no row can be saved. */
static size_t repair_ok(const char *folder, const char *from, const char *to) {
  char a[256], b[256];
  size_t rows;
  sc_error err;
  snprintf(a, sizeof a, "%s/%s", folder, from);
  snprintf(b, sizeof b, "%s/%s", folder, to);
  unlink(b);
  const sc_status status = sc_dataset_repair(a, b, &rows, &err);
  if (status == SC_OK) assert_true(rows > 0);
  else assert_int_equal(status, SC_FORMAT);
  assert_int_equal(access(b, F_OK), status == SC_OK ? 0 : -1);
  return rows;
}

/* Every row that repair gives is a row that was there. */
static void assert_subset(const char *folder, const char *part, const sc_dataset *whole) {
  sc_dataset *d = open_ok(folder, part, SC_DATASET_READ);
  for (size_t i = 0; i < sc_dataset_count(d); i++) {
    const sc_record *row = sc_dataset_find(whole, sc_record_identity(sc_dataset_at(d, i)));
    assert_non_null(row);
  }
  close_ok(d);
}

static void test_repair(void **state) {
  char *folder = folder_new();
  size_t synced, n = 20000, saved_cut = 0, saved_flip = 0;
  struct bytes whole = make_file(folder, (int)n);
  sc_dataset *all = open_ok(folder, "whole.h5", SC_DATASET_READ);
  n = sc_dataset_count(all);
  assert_int_equal(repair_ok(folder, "whole.h5", "fixed.h5"), n);
  for (int i = 1; i < 6; i++) {
    spill(folder, "cut.h5", whole.at, whole.len * (size_t)i / 6);
    saved_cut += repair_ok(folder, "cut.h5", "fixed.h5");
    whole.at[whole.len * (size_t)i / 6] ^= 16;
    spill(folder, "flip.h5", whole.at, whole.len);
    whole.at[whole.len * (size_t)i / 6] ^= 16;
    size_t rows = repair_ok(folder, "flip.h5", "fixed.h5");
    if (rows) assert_subset(folder, "fixed.h5", all);
    saved_flip += rows;
  }
  printf("of 5 files of %zu rows: cut %zu rows saved, flipped %zu\n", n, saved_cut, saved_flip);
  assert_true(saved_flip >= 2 * n);
  whole.at[3] ^= 1; /* only the guard is damaged: everything is there */
  spill(folder, "flip.h5", whole.at, whole.len);
  assert_int_equal(repair_ok(folder, "flip.h5", "fixed.h5"), n);
  struct bytes journal = make_journal(folder, 12, 6, &synced);
  journal.at[synced / 2] ^= 1;
  spill(folder, "jump.h5.journal", journal.at, journal.len);
  size_t rows = repair_ok(folder, "jump.h5", "fixed.h5");
  assert_true(rows >= 10 && rows < 12);
  spill(folder, "empty.h5", "", 0);
  assert_int_equal(repair_ok(folder, "empty.h5", "fixed.h5"), 0);
  spill(folder, "text.h5", "int main(void) { return 0; }\n", 29);
  assert_int_equal(repair_ok(folder, "text.h5", "fixed.h5"), 0);
  close_ok(all);
  free(whole.at);
  free(journal.at);
  folder_free(folder);
}

/* Repair must come through whatever HDF5 does with damaged structure: bytes flipped in the metadata. */
static void test_repair_survives_hdf5(void **state) {
  char *folder = folder_new();
  struct bytes whole = make_file(folder, 30);
  sc_rng rng;
  sc_rng_seed(&rng, 7, 0);
  for (int i = 0; i < 60; i++) {
    char *bytes = malloc(whole.len);
    memcpy(bytes, whole.at, whole.len);
    for (int k = 0; k < 20; k++) bytes[512 + sc_rng_below(&rng, whole.len - 512)] = (char)sc_rng_below(&rng, 256);
    spill(folder, "flip.h5", bytes, whole.len);
    repair_ok(folder, "flip.h5", "fixed.h5");
    free(bytes);
  }
  sc_error err;
  size_t rows;
  char a[256];
  snprintf(a, sizeof a, "%s/absent.h5", folder);
  assert_int_equal(sc_dataset_repair(a, a, &rows, &err), SC_NOTFOUND);
  snprintf(a, sizeof a, "%s/flip.h5", folder);
  assert_int_equal(sc_dataset_repair(a, a, &rows, &err), SC_USAGE);
  free(whole.at);
  folder_free(folder);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_file_cut_anywhere),
      cmocka_unit_test(test_file_flipped_anywhere),
      cmocka_unit_test(test_foreign),
      cmocka_unit_test(test_journal_cut_anywhere),
      cmocka_unit_test(test_journal_flipped_anywhere),
      cmocka_unit_test(test_repair),
      cmocka_unit_test(test_repair_survives_hdf5),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
