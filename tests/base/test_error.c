/* Errors and log: every status has a name; printing never writes beyond its buffer and is the cut of the whole. */
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/base.h"

static void test_names(void **state) {
  for (int i = 0; i < SC_STATUS_COUNT; i++)
    for (int k = 0; k < i; k++) assert_string_not_equal(sc_status_name((sc_status)i), sc_status_name((sc_status)k));
  assert_string_equal(sc_status_name(SC_ILLEGAL), "ILLEGAL");
  assert_string_equal(sc_status_name((sc_status)999), "UNKNOWN");
  assert_int_equal(SC_OK, 0);
  unsigned major, minor, patch;
  assert_int_equal(sscanf(sc_version(), "%u.%u.%u", &major, &minor, &patch), 3);
}

static void test_fail(void **state) {
  sc_error err;
  memset(&err, 'x', sizeof err);
  assert_int_equal(sc_fail(&err, SC_IO, "disk %d", 7), SC_IO);
  assert_int_equal(err.status, SC_IO);
  assert_string_equal(err.text, "disk 7");
  assert_int_equal(err.line, 0);
  assert_string_equal(err.source, "");
  assert_int_equal(sc_fail(&err, SC_FORMAT, "behind: %s", err.text), SC_FORMAT);
  assert_string_equal(err.text, "behind: disk 7");
  assert_int_equal(sc_fail(NULL, SC_NOMEM, "nobody hears"), SC_NOMEM);
}

static void test_format_is_cut_not_spilled(void **state) {
  sc_error err = {SC_PARSE, 12, 5, 0, 0, "net.op", "expected ':'", "\tab c\xc3\xa9 d", 0};
  char whole[256];
  size_t full = sc_error_format(&err, whole, sizeof whole);
  assert_string_equal(whole, "net.op:12:5: expected ':'\n\tab c\xc3\xa9 d\n\t   ^\n");
  assert_int_equal(full, strlen(whole));
  for (size_t size = 0; size <= full + 1; size++) {
    char *buf = malloc(size ? size : 1); /* exactly as large as promised */
    size_t len = sc_error_format(&err, buf, size);
    if (size > 0) {
      assert_int_equal(len, size - 1 < full ? size - 1 : full);
      assert_memory_equal(buf, whole, len);
      assert_int_equal(buf[len], '\0');
    } else {
      assert_int_equal(len, 0);
    }
    free(buf);
  }
}

static void test_parts_that_are_not_there(void **state) {
  char buf[256];
  sc_error err = {SC_USAGE, 0, 0, 0, 0, "", "what?", "", 0};
  sc_error_format(&err, buf, sizeof buf);
  assert_string_equal(buf, "what?\n");
  snprintf(err.where, sizeof err.where, "<argument>");
  sc_error_format(&err, buf, sizeof buf);
  assert_string_equal(buf, "<argument>: what?\n");
  err.line = 1;
  err.column = 300; /* beyond the part of a long line that was kept: no caret at a wrong place */
  snprintf(err.source, sizeof err.source, "esc \x1b[31m");
  sc_error_format(&err, buf, sizeof buf);
  assert_string_equal(buf, "<argument>:1:300: what?\nesc ?[31m\n");
}

/* A line that is longer than what is kept: what stands around the column, cut between letters. */
static void test_long_lines_are_cut_around_the_column(void **state) {
  char line[2001], buf[2048], expected[1024];
  sc_error err = {.status = SC_PARSE, .line = 1, .text = "x"};
  for (int i = 0; i < 2000; i++) line[i] = "\xc3\xa9"[i % 2];
  for (err.column = 1; err.column <= 2001; err.column += 2) {
    sc_error_source(&err, line, 2000);
    sc_error_format(&err, buf, sizeof buf);
    const char *caret = strrchr(buf, '^');
    assert_non_null(caret);
    assert_int_equal(err.skipped % 2, 0);
    assert_true(strlen(err.source) <= 161);
    const int dots = err.skipped ? 3 : 0;
    snprintf(expected, sizeof expected, "1:%d: x\n%.*s%s\n%*s^\n", err.column, dots, "...", err.source,
             dots + (err.column - 1 - err.skipped) / 2, "");
    assert_string_equal(buf, expected);
  }
  err.column = 5000; /* whatever a caller says */
  sc_error_source(&err, line, 2000);
  sc_error_format(&err, buf, sizeof buf);
  assert_null(strchr(buf, '^'));
}

/* Names of files, texts and source lines come from anywhere: none may steer the terminal. */
static void test_no_escapes_reach_the_terminal(void **state) {
  char buf[256];
  sc_error err = {SC_PARSE,     1, 3, 0, 0, "a\x1b.op", "found \"\x1b]0;\x07\"\n\xc2\x9b[1m \xc2\xa0\xc3\x9b\x7f",
                  "\xc2\x9bxy", 0};
  sc_error_format(&err, buf, sizeof buf);
  assert_string_equal(buf, "a?.op:1:3: found \"?]0;?\"\n?[1m \xc2\xa0\xc3\x9b?\n?xy\n ^\n");
}

static void keep(void *user, sc_log_level level, const char *line) { snprintf(user, 64, "%d %s", (int)level, line); }

static void test_log(void **state) {
  char kept[64] = "";
  sc_log log = {keep, kept};
  sc_log_printf(&log, SC_LOG_WARN, "%d of %d", 3, 4);
  assert_string_equal(kept, "2 3 of 4");
  sc_log_printf(&(sc_log){0}, SC_LOG_WARN, "silent");
  sc_log_printf(NULL, SC_LOG_WARN, "silent");
  assert_string_equal(kept, "2 3 of 4");
}

static void test_clocks_go_forward(void **state) {
  uint64_t before = sc_now_ns();
  double seconds = sc_now_s();
  uint64_t after = sc_now_ns();
  assert_true(before <= after);
  assert_true(seconds * 1e9 >= (double)before - 1e3 && seconds * 1e9 <= (double)after + 1e3);
  assert_true(sc_unix_ns() > INT64_C(1600000000000000000));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_names),
      cmocka_unit_test(test_fail),
      cmocka_unit_test(test_format_is_cut_not_spilled),
      cmocka_unit_test(test_parts_that_are_not_there),
      cmocka_unit_test(test_long_lines_are_cut_around_the_column),
      cmocka_unit_test(test_no_escapes_reach_the_terminal),
      cmocka_unit_test(test_log),
      cmocka_unit_test(test_clocks_go_forward),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
