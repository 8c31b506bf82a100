/* The reader: texts made of random tokens come back token by token at the position where they were written; whatever
 * bytes come in, it ends, and an error points into the text. */
#include <locale.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/base.h"

typedef struct written {
  sc_token_kind kind;
  char text[32];
  int line, column;
} written;

/* Appends one random token that cannot melt together with a neighbour (blanks stand between), and notes its place. */
static void write_token(sc_rng *rng, sc_str *s, int line, size_t line_start, written *w) {
  static const char *const puncts[] = {"+=", "<=", ">=", "==", "!=", "..", "->", "+", "-", "*", ":", ",", "<", "@"};
  static const char *const names[] = {"i", "_x9", "a.b", "a.b.c2", "E5", "batch_matmul", "x86"};
  static const char *const reals[] = {"0.5", "1e9", "3.25e-7", "2E+3", "1e-300", "00.125"};
  static const char *const ints[] = {"0", "7", "007", "9223372036854775807", "123456789"};
  static const char *const strings[] = {"", "a b", "# no comment", "(", "\xc3\xa9"};
  w->line = line;
  w->column = (int)(s->len - line_start) + 1;
#define PICK(list) snprintf(w->text, sizeof w->text, "%s", list[sc_rng_below(rng, SC_COUNT_OF(list))])
  switch (sc_rng_below(rng, 5)) {
  case 0: w->kind = SC_TOKEN_PUNCT, PICK(puncts); break;
  case 1: w->kind = SC_TOKEN_NAME, PICK(names); break;
  case 2: w->kind = SC_TOKEN_REAL, PICK(reals); break;
  case 3: w->kind = SC_TOKEN_INT, PICK(ints); break;
  default: w->kind = SC_TOKEN_STRING, PICK(strings);
  }
#undef PICK
  const char *quote = w->kind == SC_TOKEN_STRING ? "\"" : "";
  sc_str_printf(s, "%s%s%s", quote, w->text, quote);
}

/* Blanks, comments and newlines between two tokens; one newline token at most is due. */
static bool write_gap(sc_rng *rng, sc_str *s, int *line, size_t *line_start) {
  static const char *const blanks[] = {" ", "\t", "  \r", " \t "};
  int newlines = (int)sc_rng_below(rng, 4);
  sc_str_add(s, blanks[sc_rng_below(rng, SC_COUNT_OF(blanks))]);
  for (int i = 0; i < newlines; i++) {
    if (sc_rng_below(rng, 2)) sc_str_add(s, "# comment \" ( ");
    sc_str_add(s, "\n");
    *line_start = s->len;
    ++*line;
    if (sc_rng_below(rng, 2)) sc_str_add(s, "  ");
  }
  return newlines > 0;
}

static void check_token(const sc_reader *r, const written *w) {
  const sc_token *t = &r->token;
  assert_int_equal(t->kind, w->kind);
  assert_int_equal(t->len, strlen(w->text));
  assert_memory_equal(t->text, w->text, t->len);
  assert_int_equal(t->line, w->line);
  assert_int_equal(t->column, w->column);
  if (t->kind == SC_TOKEN_INT) assert_true(t->integer == strtoll(w->text, NULL, 10));
  if (t->kind == SC_TOKEN_INT || t->kind == SC_TOKEN_REAL) assert_true(t->real == strtod(w->text, NULL));
}

static void test_tokens_come_back(void **state) {
  sc_rng rng;
  sc_rng_seed(&rng, 1, 0);
  for (int round = 0; round < 3000; round++) {
    enum { MAX = 30 };
    written w[MAX];
    bool newline_after[MAX];
    sc_str s = {0};
    int n = (int)sc_rng_below(&rng, MAX), line = 1;
    size_t line_start = 0;
    write_gap(&rng, &s, &line, &line_start);
    for (int i = 0; i < n; i++) {
      write_token(&rng, &s, line, line_start, &w[i]);
      newline_after[i] = write_gap(&rng, &s, &line, &line_start);
    }
    bool newlines = sc_rng_below(&rng, 2);
    char *exact = malloc(s.len + 1); /* not terminated: the sanitizer sees a byte too many */
    memcpy(exact, sc_str_text(&s), s.len);
    char *shrunk = realloc(exact, s.len ? s.len : 1);
    sc_error err = {0};
    sc_reader r;
    sc_reader_init(&r, "x", shrunk, s.len, newlines, &err);
    for (int i = 0; i < n; i++) {
      check_token(&r, &w[i]);
      sc_reader_next(&r);
      if (newlines && newline_after[i]) assert_true(sc_reader_accept(&r, "\n"));
    }
    assert_int_equal(r.token.kind, SC_TOKEN_END);
    assert_int_equal(r.status, SC_OK);
    free(shrunk);
    sc_str_free(&s);
  }
}

/* Random bytes, and bytes that look like text: the reader ends after at most len + 1 tokens; an error lies in the
 * text. */
static void test_any_bytes(void **state) {
  static const char likely[] = "a1.-+\"#\n ([])e9_=<>\r\t\x80";
  sc_rng rng;
  sc_rng_seed(&rng, 2, 0);
  for (int round = 0; round < 20000; round++) {
    size_t len = (size_t)sc_rng_below(&rng, 60);
    char *text = malloc(len ? len : 1);
    int lines = 1;
    for (size_t i = 0; i < len; i++) {
      bool byte = sc_rng_below(&rng, 50) == 0;
      text[i] = byte ? (char)sc_rng_below(&rng, 256) : likely[sc_rng_below(&rng, sizeof likely - 1)];
      lines += text[i] == '\n';
    }
    sc_error err = {0};
    sc_reader r;
    sc_reader_init(&r, "x", text, len, sc_rng_below(&rng, 2), &err);
    r.dash_in_names = sc_rng_below(&rng, 2);
    size_t tokens = 0;
    for (; r.token.kind != SC_TOKEN_END; sc_reader_next(&r)) {
      assert_true(r.token.text >= text && r.token.text + r.token.len <= text + len);
      assert_true(++tokens <= len + 1);
    }
    assert_int_equal(r.status, err.status);
    if (r.status != SC_OK) {
      assert_in_range(err.line, 1, lines);
      assert_in_range(err.column, 1, len + 1);
    }
    char printed[1024];
    size_t printed_length = sc_error_format(&err, printed, sizeof printed);
    assert_int_equal(printed_length, strlen(printed));
    free(text);
  }
}

/* What one call says about one text; the caret line is part of it. */
static void check_error(const char *text, void (*parse)(sc_reader *r), const char *expected) {
  sc_error err = {0};
  sc_reader r;
  sc_reader_init(&r, "f.op", text, strlen(text), true, &err);
  parse(&r);
  char printed[1024];
  sc_error_format(&err, printed, sizeof printed);
  assert_string_equal(printed, expected);
  assert_int_equal(r.token.kind, SC_TOKEN_END);
  assert_false(sc_reader_accept(&r, "size"));
}

static void parse_size(sc_reader *r) {
  int64_t value;
  char name[8];
  while (r->status == SC_OK && r->token.kind != SC_TOKEN_END) {
    if (!sc_reader_expect(r, "size") || !sc_reader_name(r, name, sizeof name)) return;
    if (!sc_reader_int(r, -4, 100, &value) || !sc_reader_expect(r, "\n")) return;
  }
}

static void test_errors_point_at_the_place(void **state) {
  check_error("size M 3\n size N 101 # big\n", parse_size,
              "f.op:2:9: expected an integer from -4 to 100, found 101\n size N 101 # big\n        ^\n");
  check_error("size M -5\n", parse_size,
              "f.op:1:8: expected an integer from -4 to 100, found -5\nsize M -5\n       ^\n");
  check_error("size M x\n", parse_size,
              "f.op:1:8: expected an integer from -4 to 100, found 'x'\nsize M x\n       ^\n");
  check_error("\n\tsize M 4 4\r\n", parse_size,
              "f.op:2:11: expected the end of the line, found '4'\n\tsize M 4 4\n\t         ^\n");
  check_error("size\n", parse_size, "f.op:1:5: expected a name, found the end of the line\nsize\n    ^\n");
  check_error("size M", parse_size,
              "f.op:1:7: expected an integer from -4 to 100, found the end of the text\nsize M\n      ^\n");
  check_error("size \"M\"", parse_size, "f.op:1:6: expected a name, found \"M\"\nsize \"M\"\n     ^\n");
  check_error("size abcdefgh 1", parse_size,
              "f.op:1:6: a name has at most 7 characters here\nsize abcdefgh 1\n     ^\n");
  check_error("size M 9223372036854775808", parse_size,
              "f.op:1:8: the number '9223372036854775808' is too large\nsize M 9223372036854775808\n       ^\n");
  check_error("size M 1e999", parse_size, "f.op:1:8: the number '1e999' is too large\nsize M 1e999\n       ^\n");
  check_error("size \"M\n", parse_size, "f.op:1:6: a string is not closed on its line\nsize \"M\n     ^\n");
  check_error("size \x01", parse_size, "f.op:1:6: the byte 0x01 means nothing here\nsize ?\n     ^\n");
  check_error("# \xc3\xa9\xc3\xa9\nsize M 1 \"\xc3\xa9\xc3\xa9\" x", parse_size,
              "f.op:2:10: expected the end of the line, found \"\xc3\xa9\xc3\xa9\"\nsize M 1 \"\xc3\xa9\xc3\xa9\" x\n  "
              "       ^\n");
}

static void test_first_error_stays(void **state) {
  sc_error err = {0};
  sc_reader r;
  sc_reader_init(&r, "f", "a b", 3, false, &err);
  sc_token first = r.token;
  sc_reader_next(&r);
  sc_reader_fail_at(&r, &first, SC_ILLEGAL, "no %s", "a");
  sc_reader_fail(&r, SC_PARSE, "second");
  assert_int_equal(r.status, SC_ILLEGAL);
  assert_string_equal(err.text, "no a");
  assert_int_equal(err.column, 1);
  sc_reader_init(&r, "f", "a b", 3, false, NULL); /* and nobody needs to listen */
  sc_reader_fail(&r, SC_PARSE, "unheard");
  assert_int_equal(r.status, SC_PARSE);
}

static void test_newlines_and_brackets(void **state) {
  const char *text = "\n\n f(a,\n b) \n # c\n\n g{\n}";
  const char *expected[] = {"f", "(", "a", ",", "b", ")", "\n", "g", "{", "}"};
  sc_reader r;
  sc_reader_init(&r, "x", text, strlen(text), true, NULL);
  for (size_t i = 0; i < SC_COUNT_OF(expected); i++) assert_true(sc_reader_accept(&r, expected[i]));
  assert_int_equal(r.token.kind, SC_TOKEN_END);
}

static void test_dashes(void **state) {
  const char *text = "m x86-64-v4 a->b c- -d";
  const char *with[] = {"m", "x86-64-v4", "a", "->", "b", "c", "-", "-", "d"};
  sc_reader r;
  sc_reader_init(&r, "x", text, strlen(text), false, NULL);
  r.dash_in_names = true;
  for (size_t i = 0; i < SC_COUNT_OF(with); i++) assert_true(sc_reader_accept(&r, with[i]));
  sc_reader_init(&r, "x", text + 2, strlen(text) - 2, false, NULL);
  assert_true(sc_reader_accept(&r, "x86"));
  assert_true(sc_reader_accept(&r, "-"));
  assert_int_equal(r.token.integer, 64);
}

static void test_values(void **state) {
  const char *text = "-5 -0.5 12 \"a b\" -9223372036854775807 .. 1..3";
  sc_error err = {0};
  sc_reader r;
  int64_t i;
  double x, y;
  char string[4];
  sc_reader_init(&r, "x", text, strlen(text), false, &err);
  assert_true(sc_reader_int(&r, -5, -5, &i) && i == -5);
  assert_true(sc_reader_real(&r, &x) && x == -0.5);
  assert_true(sc_reader_real(&r, &y) && y == 12);
  assert_true(sc_reader_string(&r, string, sizeof string));
  assert_string_equal(string, "a b");
  assert_true(sc_reader_int(&r, INT64_MIN, INT64_MAX, &i) && i == -INT64_MAX);
  assert_true(sc_reader_accept(&r, ".."));
  assert_true(sc_reader_int(&r, 0, 9, &i) && sc_reader_accept(&r, "..") && sc_reader_int(&r, 0, 9, &i));
  assert_int_equal(r.token.kind, SC_TOKEN_END);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_tokens_come_back),
      cmocka_unit_test(test_any_bytes),
      cmocka_unit_test(test_errors_point_at_the_place),
      cmocka_unit_test(test_first_error_stays),
      cmocka_unit_test(test_newlines_and_brackets),
      cmocka_unit_test(test_dashes),
      cmocka_unit_test(test_values),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
