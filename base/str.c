/* Growable string. Numbers are printed in the C locale whatever the program around us has set. */
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"

void sc_str_free(sc_str *s) {
  free(s->text);
  *s = (sc_str){0};
}

void sc_str_clear(sc_str *s) {
  s->len = 0;
  s->failed = false;
  if (s->text) s->text[0] = '\0';
}

/* Makes room for n more bytes and the terminator. */
static bool reserve(sc_str *s, size_t n) {
  size_t need;
  if (s->failed || __builtin_add_overflow(s->len, n, &need) || need > SIZE_MAX / 2 - 1) {
    s->failed = true;
    return false;
  }
  if (need + 1 <= s->cap) return true;
  size_t cap = s->cap * 2 > need + 1 ? s->cap * 2 : need + 1;
  if (cap < 64) cap = 64;
  char *text = realloc(s->text, cap);
  if (!text) {
    s->failed = true;
    return false;
  }
  s->text = text;
  s->cap = cap;
  return true;
}

void sc_str_addn(sc_str *s, const char *text, size_t n) {
  if (!reserve(s, n)) return;
  if (n) memcpy(s->text + s->len, text, n);
  s->len += n;
  s->text[s->len] = '\0';
}

void sc_str_add(sc_str *s, const char *text) { sc_str_addn(s, text, strlen(text)); }

void sc_str_printf(sc_str *s, const char *format, ...) {
  if (!reserve(s, 64)) return; /* most appends are short: one pass */
  locale_t c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0); /* a static object in glibc, nothing is built */
  locale_t old = c_locale ? uselocale(c_locale) : (locale_t)0;
  va_list args, again;
  va_start(args, format);
  va_copy(again, args);
  int n = vsnprintf(s->text + s->len, s->cap - s->len, format, args);
  if (n >= 0 && (size_t)n >= s->cap - s->len && reserve(s, (size_t)n))
    n = vsnprintf(s->text + s->len, s->cap - s->len, format, again);
  va_end(again);
  va_end(args);
  if (n >= 0 && !s->failed) s->len += (size_t)n;
  else s->failed = true;
  s->text[s->len] = '\0';
  if (old) uselocale(old);
  if (c_locale) freelocale(c_locale);
}

const char *sc_str_text(const sc_str *s) { return s->text ? s->text : ""; }

void sc_str_time(sc_str *s, double seconds) {
  static const char *const units[] = {"ns", "us", "ms", "s"};
  double value = seconds * 1e9;
  size_t i = 0;
  for (; i + 1 < SC_COUNT_OF(units) && value >= 1000; i++) value /= 1000;
  sc_str_printf(s, value < 10 ? "%.2f %s" : value < 100 ? "%.1f %s" : "%.0f %s", value, units[i]);
}
