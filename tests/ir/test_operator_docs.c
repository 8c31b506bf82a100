/* The examples of docs/operators.md and docs/machines.md: what looks like an operator, a task, a machine or a kernel
 * table there is one, and the tasks' errors are printed as the page shows them. */
#include <unistd.h>

#include "tests/ir/tasks.h"

/* Calls `each` for every indented block of a page, without its indent. */
static int blocks(const char *page, void (*each)(const char *text, const char *page)) {
  char path[3000];
  const char *root = getenv("SC_SOURCE_DIR");
  snprintf(path, sizeof path, "%s/%s", root ? root : ".", page);
  sc_error err;
  char *text;
  size_t len;
  int n = 0;
  if (sc_file_read(arena, path, 1 << 20, &text, &len, &err) != SC_OK) fail_msg("%s", err.text);
  for (char *line = text; *line;) {
    sc_str block = {0};
    while (*line) {
      size_t width = strcspn(line, "\n") + 1;
      if (strncmp(line, "    ", 4) != 0) break;
      sc_str_addn(&block, line + 4, width - 4);
      line += width;
    }
    if (block.len > 0) each(block.text, page), n++;
    else line += strcspn(line, "\n") + (strchr(line, '\n') != NULL);
    sc_str_free(&block);
  }
  return n;
}

static int operators, errors, machines, tables;

static void check_operator(const char *text, const char *page) {
  const sc_operator *op;
  sc_error err = {0};
  if (sc_operator_parse(arena, page, text, strlen(text), &op, &err) != SC_OK)
    fail_msg("%s at %d:%d of\n%s", err.text, err.line, err.column, text);
  operators++;
}

/* "<task>:1:8: message", the text, the caret. */
static void check_error(const char *text) {
  char task_text[200], printed[900];
  const char *second = strchr(text, '\n') + 1;
  const sc_task *task;
  sc_error err = {0};
  snprintf(task_text, sizeof task_text, "%.*s", (int)strcspn(second, "\n"), second);
  assert_int_not_equal(sc_task_parse(arena, library, task_text, &task, &err), SC_OK);
  sc_error_format(&err, printed, sizeof printed);
  assert_string_equal(printed, text);
  errors++;
}

static void check_block(const char *text, const char *page) {
  sc_error err = {0};
  if (strncmp(text, "op ", 3) == 0) check_operator(text, page);
  if (strncmp(text, "<task>", 6) == 0) check_error(text);
  if (strncmp(text, "machine  ", 9) != 0 && strncmp(text, "machine ", 8) == 0) {
    sc_machine machine;
    if (sc_machine_parse(page, text, strlen(text), &machine, &err) != SC_OK)
      fail_msg("%s at %d:%d of\n%s", err.text, err.line, err.column, text);
    machines++;
  }
  if (strncmp(text, "kernels\n", 8) == 0) {
    char path[] = "/tmp/schedcast-test-XXXXXX";
    int file = mkstemp(path);
    assert_int_equal(write(file, text, strlen(text)), (long)strlen(text));
    close(file);
    sc_kernel_table *table = sc_kernel_table_new();
    if (sc_kernel_table_load(table, path, &err) != SC_OK) fail_msg("%s", err.text);
    assert_int_equal(sc_kernel_table_count(table), 2);
    sc_kernel_table_free(table);
    unlink(path);
    tables++;
  }
}

static void test_pages(void **state) {
  assert_true(blocks("docs/operators.md", check_block) > 5);
  assert_true(blocks("docs/machines.md", check_block) > 2);
  assert_int_equal(operators, 2);
  assert_int_equal(errors, 1);
  assert_int_equal(machines, 1);
  assert_int_equal(tables, 1);
}

/* The table of parameters and choices names every one that the library has. */
static void test_parameters(void **state) {
  char path[3000];
  const char *root = getenv("SC_SOURCE_DIR");
  char *page;
  size_t len;
  sc_error err;
  snprintf(path, sizeof path, "%s/docs/operators.md", root ? root : ".");
  assert_int_equal(sc_file_read(arena, path, 1 << 20, &page, &len, &err), SC_OK);
  for (size_t i = 0; i < sc_library_count(library); i++) {
    char text[100], *list, *save = NULL;
    const sc_task *task;
    snprintf(text, sizeof text, "%s:none=1", sc_operator_name(sc_library_at(library, i)));
    assert_int_equal(sc_task_parse(arena, library, text, &task, &err), SC_PARSE);
    list = strstr(err.text, "it takes ");
    assert_non_null(list);
    for (char *name = strtok_r(list + 9, ", ", &save); name; name = strtok_r(NULL, ", ", &save))
      if (!strstr(page, name)) fail_msg("docs/operators.md does not name %s", name);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_pages), cmocka_unit_test(test_parameters)};
  return cmocka_run_group_tests(tests, load_library, free_library);
}
