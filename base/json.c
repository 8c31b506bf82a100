/* Printing JSON values: always valid UTF-8 and always a number a JSON reader takes, whatever comes in. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"

/* Length of the well-formed UTF-8 sequence at `p` (Unicode 15, table 3-7), 0 when there is none. p is terminated. */
static size_t utf8_length(const unsigned char *p) {
  size_t n = p[0] < 0x80 ? 1 : 0;
  if (p[0] >= 0xc2 && p[0] <= 0xdf) n = 2;
  if (p[0] >= 0xe0 && p[0] <= 0xef) n = 3;
  if (p[0] >= 0xf0 && p[0] <= 0xf4) n = 4;
  unsigned low = p[0] == 0xe0 ? 0xa0 : p[0] == 0xf0 ? 0x90 : 0x80; /* no overlong forms */
  unsigned high = p[0] == 0xed ? 0x9f : p[0] == 0xf4 ? 0x8f : 0xbf; /* no surrogates, nothing above U+10FFFF */
  for (size_t i = 1; i < n; i++) {
    if (p[i] < low || p[i] > high) return 0;
    low = 0x80;
    high = 0xbf;
  }
  return n;
}

void sc_json_string(sc_str *s, const char *text) {
  sc_str_add(s, "\"");
  for (const unsigned char *p = (const unsigned char *)text; *p;) {
    size_t n = utf8_length(p);
    if (n == 0) sc_str_add(s, "\xef\xbf\xbd"); /* U+FFFD stands for a byte that is no text */
    else if (*p == '"' || *p == '\\') sc_str_printf(s, "\\%c", *p);
    else if (*p == '\n') sc_str_add(s, "\\n");
    else if (*p == '\t') sc_str_add(s, "\\t");
    else if (*p < 0x20 || *p == 0x7f) sc_str_printf(s, "\\u%04x", *p);
    else sc_str_addn(s, (const char *)p, n);
    p += n ? n : 1;
  }
  sc_str_add(s, "\"");
}

void sc_json_number(sc_str *s, double value) {
  if (!isfinite(value)) {
    sc_str_add(s, "null");
    return;
  }
  char buf[32];
  for (int digits = 15; digits <= 17; digits++) { /* both ways in the same locale; sc_str_printf prints the C one */
    snprintf(buf, sizeof buf, "%.*g", digits, value);
    if (digits < 17 && strtod(buf, NULL) != value) continue;
    sc_str_printf(s, "%.*g", digits, value);
    return;
  }
}
