/* The JSON cursor. Numbers of at most 15 digits and small exponents, which is nearly all of them, are exact in double
 * arithmetic (Clinger 1990, the fast path); the rest goes through strtod in the C locale. */
#include "predictor/cursor.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_DEPTH = 64, MAX_NUMBER = 63 };

void sc_cursor_open(sc_cursor *c, const char *text, size_t len) {
  *c = (sc_cursor){.begin = text, .at = text, .end = text + len};
  c->c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

void sc_cursor_close(sc_cursor *c) {
  if (c->c_locale) freelocale(c->c_locale);
  c->c_locale = (locale_t)0;
}

bool sc_cursor_ok(const sc_cursor *c) { return c->expected == NULL; }

sc_status sc_cursor_status(const sc_cursor *c, const char *where, sc_error *err) {
  if (sc_cursor_ok(c)) return SC_OK;
  return sc_fail(err, SC_FORMAT, "%s: byte %zu: expected %s", where, (size_t)(c->at - c->begin), c->expected);
}

static void fail(sc_cursor *c, const char *expected) {
  if (c->expected == NULL) c->expected = expected;
}

/* The next character that is not blank; 0 at the end, and after a failure. */
static char peek(sc_cursor *c) {
  while (c->at < c->end && (*c->at == ' ' || *c->at == '\n' || *c->at == '\t' || *c->at == '\r')) c->at++;
  return sc_cursor_ok(c) && c->at < c->end ? *c->at : '\0';
}

bool sc_cursor_at_end(sc_cursor *c) { return peek(c) == '\0' && c->at == c->end; }

static bool take(sc_cursor *c, char wanted, const char *expected) {
  if (peek(c) == wanted) c->at++;
  else fail(c, expected);
  return sc_cursor_ok(c);
}

bool sc_cursor_enter(sc_cursor *c, char bracket) { return take(c, bracket, bracket == '{' ? "'{'" : "'['"); }

/* Goes to the next element of an object or array, or behind its end. Right behind the opening bracket there is no
 * comma. */
static bool next(sc_cursor *c, char open, char close) {
  const char *before = c->at;
  while (before > c->begin && strchr(" \n\t\r", before[-1])) before--;
  const bool first = before > c->begin && before[-1] == open;
  if (peek(c) == close) {
    c->at++;
    return false;
  }
  return first ? sc_cursor_ok(c) : take(c, ',', close == '}' ? "',' or '}'" : "',' or ']'");
}

bool sc_cursor_item(sc_cursor *c) { return next(c, '[', ']'); }

/* ---- strings ---- */

static int hex(char ch) {
  if (ch >= '0' && ch <= '9') return ch - '0';
  if (ch >= 'a' && ch <= 'f') return ch - 'a' + 10;
  if (ch >= 'A' && ch <= 'F') return ch - 'A' + 10;
  return -1;
}

/* Behind a backslash. Code points above 127 do not occur in what we look at: they become '?'. */
static char escaped(sc_cursor *c) {
  static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
  const char ch = c->at < c->end ? *c->at++ : '\0';
  const char *found = ch ? strchr(from, ch) : NULL;
  if (found) return to[found - from];
  int code = 0;
  if (ch == 'u') {
    for (int i = 0; i < 4; i++) {
      const int digit = c->at < c->end ? hex(*c->at) : -1;
      if (digit < 0) fail(c, "four hex digits");
      else c->at++;
      code = code * 16 + (digit < 0 ? 0 : digit);
    }
    return code > 0 && code < 128 ? (char)code : '?';
  }
  fail(c, "an escape");
  return '?';
}

bool sc_cursor_string(sc_cursor *c, sc_str *out) {
  if (!take(c, '"', "a string")) return false;
  while (c->at < c->end && *c->at != '"' && sc_cursor_ok(c)) {
    const char *start = c->at;
    while (c->at < c->end && *c->at != '"' && *c->at != '\\') c->at++;
    if (out) sc_str_addn(out, start, (size_t)(c->at - start));
    if (c->at < c->end && *c->at == '\\') {
      c->at++;
      const char ch = escaped(c);
      if (out) sc_str_addn(out, &ch, 1);
    }
  }
  return take(c, '"', "the end of a string");
}

bool sc_cursor_key(sc_cursor *c, char *key, size_t size) {
  if (!next(c, '{', '}')) return false;
  sc_str text = {0};
  if (sc_cursor_string(c, &text)) take(c, ':', "':'");
  const size_t n = text.len < size - 1 ? text.len : size - 1;
  memcpy(key, sc_str_text(&text), n);
  key[n] = '\0';
  sc_str_free(&text);
  return sc_cursor_ok(c);
}

/* ---- numbers ---- */

static double slow_number(const char *text, size_t n, locale_t c_locale) {
  char digits[MAX_NUMBER + 1];
  memcpy(digits, text, n);
  digits[n] = '\0';
  return c_locale ? strtod_l(digits, NULL, c_locale) : strtod(digits, NULL);
}

double sc_cursor_number(sc_cursor *c) {
  static const double power[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
  peek(c);
  const char *start = c->at, *p = c->at, *end = c->end;
  int64_t mantissa = 0;
  int digits = 0, exponent = 0, written = 0, sign = 1;
  if (p < end && *p == '-') p++;
  for (; p < end && *p >= '0' && *p <= '9'; p++, digits++)
    mantissa = digits < 18 ? mantissa * 10 + (*p - '0') : mantissa;
  if (p < end && *p == '.' && digits > 0) {
    for (p++; p < end && *p >= '0' && *p <= '9'; p++, digits++, exponent--) {
      mantissa = digits < 18 ? mantissa * 10 + (*p - '0') : mantissa;
    }
  }
  if (p < end && (*p == 'e' || *p == 'E') && digits > 0) {
    p++;
    if (p < end && (*p == '-' || *p == '+')) sign = *p++ == '-' ? -1 : 1;
    for (; p < end && *p >= '0' && *p <= '9'; p++) written = written < 10000 ? written * 10 + (*p - '0') : written;
    exponent += sign * written;
  }
  if (digits == 0 || p - start > MAX_NUMBER || !sc_cursor_ok(c)) {
    fail(c, "a number");
    return 0;
  }
  c->at = p;
  if (digits > 15 || exponent < -22 || exponent > 22) return slow_number(start, (size_t)(p - start), c->c_locale);
  const double value = exponent < 0 ? (double)mantissa / power[-exponent] : (double)mantissa * power[exponent];
  return *start == '-' ? -value : value;
}

/* ---- anything ---- */

static void skip(sc_cursor *c, int depth) {
  char key[8];
  const char ch = peek(c);
  if (depth == MAX_DEPTH) fail(c, "less nesting");
  else if (ch == '{') {
    sc_cursor_enter(c, '{');
    while (sc_cursor_key(c, key, sizeof key)) skip(c, depth + 1);
  } else if (ch == '[') {
    sc_cursor_enter(c, '[');
    while (sc_cursor_item(c)) skip(c, depth + 1);
  } else if (ch == '"') {
    sc_cursor_string(c, NULL);
  } else {
    static const char *const words[] = {"true", "false", "null"};
    for (size_t i = 0; i < SC_COUNT_OF(words); i++) {
      const size_t n = strlen(words[i]);
      if ((size_t)(c->end - c->at) < n || memcmp(c->at, words[i], n) != 0) continue;
      c->at += n;
      return;
    }
    sc_cursor_number(c);
  }
}

void sc_cursor_skip(sc_cursor *c) { skip(c, 0); }
