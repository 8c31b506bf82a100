/* The tokeniser under every language of schedcast. One token ahead; the first error sticks and turns the rest of the
 * text into SC_TOKEN_END, so that a parser needs to look at r->status only where it would otherwise loop or build. */
#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"

/* The ctype functions follow the locale, the languages do not. */
static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool is_alpha(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
static bool is_alnum(char c) { return is_alpha(c) || is_digit(c); }

static char peek(const sc_reader *r, size_t ahead) { return (size_t)(r->end - r->at) > ahead ? r->at[ahead] : '\0'; }

/* ---- errors ---- */

static void fail(sc_reader *r, const sc_token *token, sc_status status, const char *format, va_list args)
    __attribute__((format(printf, 4, 0)));
static void fail(sc_reader *r, const sc_token *token, sc_status status, const char *format, va_list args) {
  if (r->status != SC_OK) return;
  r->status = status;
  if (r->err) {
    sc_error *err = r->err;
    memset(err, 0, sizeof *err);
    err->status = status;
    err->line = token->line;
    err->column = token->column;
    snprintf(err->where, sizeof err->where, "%s", r->where);
    vsnprintf(err->text, sizeof err->text, format, args);
    const char *start = token->text, *stop = token->text;
    while (start > r->text && start[-1] != '\n') start--;
    while (stop < r->end && *stop != '\n' && *stop != '\0') stop++;
    size_t n = (size_t)(stop - start);
    if (n > 0 && start[n - 1] == '\r') n--;
    sc_error_source(err, start, n);
  }
  r->token.kind = SC_TOKEN_END;
  r->token.len = 0;
  r->at = r->end;
}

void sc_reader_fail(sc_reader *r, sc_status status, const char *format, ...) {
  va_list args;
  va_start(args, format);
  fail(r, &r->token, status, format, args);
  va_end(args);
}

void sc_reader_fail_at(sc_reader *r, const sc_token *token, sc_status status, const char *format, ...) {
  va_list args;
  va_start(args, format);
  fail(r, token, status, format, args);
  va_end(args);
}

/* "expected X, found Y" at the current token. */
void sc_reader_fail_expected(sc_reader *r, const char *expected) {
  const sc_token *t = &r->token;
  const int len = t->len < 40 ? (int)t->len : 40;
  const char *dots = t->len > 40 ? "..." : "";
  switch (t->kind) {
  case SC_TOKEN_END: sc_reader_fail(r, SC_PARSE, "expected %s, found the end of the text", expected); break;
  case SC_TOKEN_NEWLINE: sc_reader_fail(r, SC_PARSE, "expected %s, found the end of the line", expected); break;
  case SC_TOKEN_STRING:
    sc_reader_fail(r, SC_PARSE, "expected %s, found \"%.*s%s\"", expected, len, t->text, dots);
    break;
  default: sc_reader_fail(r, SC_PARSE, "expected %s, found '%.*s%s'", expected, len, t->text, dots);
  }
}

/* ---- tokens ---- */

static void skip(sc_reader *r, size_t n) {
  r->at += n;
  r->column += (int)n;
}

/* Skips white space and comments; a newline that counts ends it. True when one was met. */
static bool skip_blank(sc_reader *r) {
  for (; r->at < r->end; skip(r, 1)) {
    char c = *r->at;
    if (c == '#') {
      const char *newline = memchr(r->at, '\n', (size_t)(r->end - r->at));
      skip(r, (size_t)((newline ? newline : r->end) - r->at));
      if (r->at == r->end) return false;
      c = '\n';
    }
    if (c == '\n') {
      if (r->newlines && r->depth == 0) return true;
      r->line++;
      r->column = 0;
    } else if (c != ' ' && c != '\t' && c != '\r') {
      return false;
    }
  }
  return false;
}

static size_t name_length(const sc_reader *r) {
  size_t n = 1;
  for (char c; (c = peek(r, n)) != '\0'; n++) {
    bool inner = c == '.' || (c == '-' && r->dash_in_names); /* `a..b` and `a->b` are three tokens */
    if (!is_alnum(c) && !(inner && is_alnum(peek(r, n + 1)))) break;
  }
  return n;
}

static size_t number_length(const sc_reader *r, bool *real) {
  size_t n = 0;
  while (is_digit(peek(r, n))) n++;
  *real = false;
  if (peek(r, n) == '.' && is_digit(peek(r, n + 1))) {
    *real = true;
    for (n++; is_digit(peek(r, n));) n++;
  }
  size_t sign = peek(r, n + 1) == '+' || peek(r, n + 1) == '-';
  if ((peek(r, n) == 'e' || peek(r, n) == 'E') && is_digit(peek(r, n + 1 + sign))) {
    *real = true;
    for (n += 1 + sign; is_digit(peek(r, n));) n++;
  }
  return n;
}

static void read_number(sc_reader *r, sc_token *t) {
  bool real;
  t->len = number_length(r, &real);
  t->kind = real ? SC_TOKEN_REAL : SC_TOKEN_INT;
  char digits[64];
  if (t->len >= sizeof digits) {
    sc_reader_fail(r, SC_LIMIT, "a number has at most %zu characters", sizeof digits - 1);
    return;
  }
  memcpy(digits, t->text, t->len);
  digits[t->len] = '\0';
  locale_t c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
  t->real = c_locale ? strtod_l(digits, NULL, c_locale) : strtod(digits, NULL);
  if (c_locale) freelocale(c_locale);
  errno = 0;
  if (!real) t->integer = strtoll(digits, NULL, 10);
  if (errno == ERANGE || !isfinite(t->real)) sc_reader_fail(r, SC_LIMIT, "the number '%s' is too large", digits);
}

static void read_string(sc_reader *r, sc_token *t) {
  size_t n = 1;
  while (r->at + n < r->end && peek(r, n) != '"' && peek(r, n) != '\n') n++;
  t->kind = SC_TOKEN_STRING;
  if (peek(r, n) != '"') {
    sc_reader_fail(r, SC_PARSE, "a string is not closed on its line");
    return;
  }
  t->text++;
  t->len = n - 1;
}

static size_t punct_length(const sc_reader *r) {
  static const char *const pairs[] = {"+=", "<=", ">=", "==", "!=", "..", "->"};
  for (size_t i = 0; i < SC_COUNT_OF(pairs); i++)
    if (peek(r, 0) == pairs[i][0] && peek(r, 1) == pairs[i][1]) return 2;
  return 1;
}

/* Reads the newline at r->at and the empty lines after it: one token, at the first. */
static void read_newline(sc_reader *r) {
  do {
    skip(r, 1);
    r->line++;
    r->column = 1;
  } while (skip_blank(r));
}

void sc_reader_next(sc_reader *r) {
  if (r->status != SC_OK) return;
  bool newline = skip_blank(r);
  sc_token *t = &r->token;
  *t = (sc_token){.kind = SC_TOKEN_END, .text = r->at, .line = r->line, .column = r->column};
  if (r->at == r->end) return;
  char c = *r->at;
  size_t taken = 0;
  if (newline) {
    t->kind = SC_TOKEN_NEWLINE;
    t->len = 1;
    read_newline(r);
  } else if (is_alpha(c)) {
    t->kind = SC_TOKEN_NAME;
    t->len = taken = name_length(r);
  } else if (is_digit(c)) {
    read_number(r, t);
    taken = t->len;
  } else if (c == '"') {
    read_string(r, t);
    taken = t->len + 2;
  } else if (c > ' ' && c < 0x7f) {
    t->kind = SC_TOKEN_PUNCT;
    t->len = taken = punct_length(r);
    if (strchr("([{", c)) r->depth++;
    if (strchr(")]}", c) && r->depth > 0) r->depth--;
  } else {
    sc_reader_fail(r, SC_PARSE, "the byte 0x%02x means nothing here", (unsigned char)c);
  }
  if (r->status == SC_OK) skip(r, taken);
}

void sc_reader_init(sc_reader *r, const char *where, const char *text, size_t len, bool newlines, sc_error *err) {
  *r = (sc_reader){.where = where, .text = text, .end = text + len, .at = text, .line = 1, .column = 1, .err = err};
  if (len > INT32_MAX - 1) { /* lines and columns are ints */
    r->token = (sc_token){.text = text, .line = 1, .column = 1};
    sc_reader_fail(r, SC_LIMIT, "a text has at most %d bytes", INT32_MAX - 1);
    return;
  }
  (void)skip_blank(r); /* empty lines before the first token are none */
  r->newlines = newlines;
  sc_reader_next(r);
}

/* ---- what parsers ask ---- */

bool sc_reader_is(const sc_reader *r, const char *text) {
  const sc_token *t = &r->token;
  if (t->kind != SC_TOKEN_NAME && t->kind != SC_TOKEN_PUNCT && t->kind != SC_TOKEN_NEWLINE) return false;
  if (t->kind == SC_TOKEN_NEWLINE) return strcmp(text, "\n") == 0;
  return strlen(text) == t->len && memcmp(text, t->text, t->len) == 0;
}

bool sc_reader_accept(sc_reader *r, const char *text) {
  if (!sc_reader_is(r, text)) return false;
  sc_reader_next(r);
  return true;
}

bool sc_reader_expect(sc_reader *r, const char *text) {
  if (sc_reader_accept(r, text)) return true;
  char quoted[64];
  snprintf(quoted, sizeof quoted, strcmp(text, "\n") == 0 ? "the end of the line" : "'%s'", text);
  sc_reader_fail_expected(r, quoted);
  return false;
}

/* Copies the current token of the wanted kind, and goes on. */
static bool take_text(sc_reader *r, sc_token_kind kind, const char *what, char *out, size_t size) {
  if (r->token.kind != kind) {
    sc_reader_fail_expected(r, what);
    return false;
  }
  if (r->token.len >= size) {
    sc_reader_fail(r, SC_LIMIT, "%s has at most %zu characters here", what, size - 1);
    return false;
  }
  memcpy(out, r->token.text, r->token.len);
  out[r->token.len] = '\0';
  sc_reader_next(r);
  return true;
}

bool sc_reader_name(sc_reader *r, char *out, size_t size) { return take_text(r, SC_TOKEN_NAME, "a name", out, size); }

bool sc_reader_string(sc_reader *r, char *out, size_t size) {
  return take_text(r, SC_TOKEN_STRING, "a string in double quotes", out, size);
}

bool sc_reader_int(sc_reader *r, int64_t min, int64_t max, int64_t *out) {
  sc_token first = r->token;
  bool negative = sc_reader_accept(r, "-");
  char expected[80];
  snprintf(expected, sizeof expected, "an integer from %lld to %lld", (long long)min, (long long)max);
  if (r->token.kind != SC_TOKEN_INT) {
    sc_reader_fail_expected(r, expected);
    return false;
  }
  int64_t value = negative ? -r->token.integer : r->token.integer;
  if (value < min || value > max) {
    sc_reader_fail_at(r, &first, SC_PARSE, "expected %s, found %lld", expected, (long long)value);
    return false;
  }
  *out = value;
  sc_reader_next(r);
  return true;
}

bool sc_reader_real(sc_reader *r, double *out) {
  bool negative = sc_reader_accept(r, "-");
  if (r->token.kind != SC_TOKEN_INT && r->token.kind != SC_TOKEN_REAL) {
    sc_reader_fail_expected(r, "a number");
    return false;
  }
  *out = negative ? -r->token.real : r->token.real;
  sc_reader_next(r);
  return true;
}
