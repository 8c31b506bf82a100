/* The file is HDF5 for everybody: the Python reader of docs/dataset.md gives our labels where h5py is there; h5dump,
 * where that is there, sees every column of columns.def. */
#include "records.h"

static int run(const char *command) { return system(command); }

/* The first python block of docs/dataset.md, written to a file. */
static void extract_reader(const char *folder) {
  const char *source = getenv("SC_SOURCE_DIR");
  char path[512], *text;
  sc_arena *arena = sc_arena_new();
  size_t len;
  sc_error err;
  snprintf(path, sizeof path, "%s/docs/dataset.md", source ? source : ".");
  assert_ok(sc_file_read(arena, path, 1 << 20, &text, &len, &err), &err);
  char *begin = strstr(text, "```python\n"), *end = begin ? strstr(begin + 10, "```") : NULL;
  assert_non_null(end);
  snprintf(path, sizeof path, "%s/reader.py", folder);
  assert_ok(sc_file_write_atomic(path, begin + 10, (size_t)(end - begin - 10), &err), &err);
  sc_arena_free(arena);
}

static void expect_line(FILE *f, const sc_record *row) {
  char line[512], expected[512], *tab;
  double label = sc_record_label_ns(row, 3);
  assert_non_null(fgets(line, sizeof line, f));
  tab = strchr(line, '\t');
  assert_non_null(tab);
  snprintf(expected, sizeof expected, "\t%s\t%s\n", row->task, row->schedule);
  assert_string_equal(tab, expected);
  if (label == 0) assert_memory_equal(line, "nan", 3);
  else assert_true(strtod(line, NULL) > label * 0.99999 && strtod(line, NULL) < label * 1.00001);
}

/* The first Python that has h5py: where another one stands before the system's, it is often only the system's. NULL:
 * none. */
static const char *python_with_h5py(void) {
  static const char *const pythons[] = {"python3", "/usr/bin/python3"};
  for (size_t i = 0; i < SC_COUNT_OF(pythons); i++) {
    char command[128];
    snprintf(command, sizeof command, "%s -c 'import h5py' 2>/dev/null", pythons[i]);
    if (run(command) == 0) return pythons[i];
  }
  return NULL;
}

static void test_python(void **state) {
  const char *python = python_with_h5py();
  if (!python) {
    printf("no h5py: the reader of docs/dataset.md is not run\n");
    skip();
  }
  char *folder = folder_new(), command[512];
  sc_arena *arena = sc_arena_new();
  sc_dataset *d = open_ok(folder, "a.h5", SC_DATASET_APPEND);
  fill(d, arena, 1, 300, 200);
  close_ok(d);
  extract_reader(folder);
  d = open_ok(folder, "a.h5", SC_DATASET_READ);
  snprintf(command, sizeof command, "%s %s/reader.py %s/a.h5", python, folder, folder);
  FILE *f = popen(command, "r");
  assert_non_null(f);
  for (size_t i = 0; i < sc_dataset_count(d); i++) expect_line(f, sc_dataset_at(d, i));
  assert_int_equal(fgetc(f), EOF);
  assert_int_equal(pclose(f), 0);
  close_ok(d);
  sc_arena_free(arena);
  folder_free(folder);
}

static void test_h5dump(void **state) {
  static const char *const columns[] = {
#define SC_TEXT(field, doc) "/row/" #field,
#define SC_NUMBER(field, type, doc) "/row/" #field,
#define SC_PASS(field, type, n, doc) "/pass/" #field,
#include "dataset/columns.def"
      "/row/first_pass", "/row/counters",  "/row/first_counter", "/counter/name",
      "/counter/valid",  "/counter/value", "/text/bytes",        "/text/start"};
  if (run("h5dump --version >/dev/null 2>&1") != 0) {
    printf("no h5dump: the columns are not looked at\n");
    skip();
  }
  char *folder = folder_new(), command[512];
  sc_arena *arena = sc_arena_new();
  sc_dataset *d = open_ok(folder, "a.h5", SC_DATASET_APPEND);
  fill(d, arena, 1, 20, 20);
  close_ok(d);
  for (size_t i = 0; i < SC_COUNT_OF(columns); i++) {
    snprintf(command, sizeof command, "h5dump -d %s %s/a.h5 >/dev/null 2>&1", columns[i], folder);
    if (run(command) != 0) fail_msg("h5dump does not find %s", columns[i]);
  }
  sc_arena_free(arena);
  folder_free(folder);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_python), cmocka_unit_test(test_h5dump)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
