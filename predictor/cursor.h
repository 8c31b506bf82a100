/* A cursor over JSON text: no tree is built, unknown values are skipped. The first thing that is not JSON, or not what
 * was asked for, sticks, and every later call returns false or 0. Reads what XGBoost writes and nothing that it does
 * not need: nesting up to 64 deep, numbers up to 63 characters. */
#ifndef SC_PREDICTOR_CURSOR_H
#define SC_PREDICTOR_CURSOR_H

#include <locale.h>

#include "base/base.h"

typedef struct sc_cursor {
  const char *begin, *at, *end;
  const char *expected; /* what was wanted where it failed; NULL = fine */
  locale_t c_locale;
} sc_cursor;

void sc_cursor_open(sc_cursor *c, const char *text, size_t len);
void sc_cursor_close(sc_cursor *c);
/* Enters an object or array. Then, until it returns false: the next key (cut to size), the next item. */
bool sc_cursor_enter(sc_cursor *c, char bracket);
bool sc_cursor_key(sc_cursor *c, char *key, size_t size);
bool sc_cursor_item(sc_cursor *c);
double sc_cursor_number(sc_cursor *c);
bool sc_cursor_string(sc_cursor *c, sc_str *out); /* appends; out may be NULL */
void sc_cursor_skip(sc_cursor *c); /* any value */
bool sc_cursor_ok(const sc_cursor *c);
bool sc_cursor_at_end(sc_cursor *c); /* only white space is left */
/* SC_FORMAT with the offset, unless it is fine. */
sc_status sc_cursor_status(const sc_cursor *c, const char *where, sc_error *err);

#endif
