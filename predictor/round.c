/* Leaves with 11 significant bits. What a tree learned from noisy times is not known to more, and a model's trees take a
 * third less room as C (emit.c). Split points are bins, whole numbers or halves below 256: rounding leaves them as they
 * are. */
#include <stdlib.h>
#include <string.h>

#include "predictor/cursor.h"
#include "predictor/xgb.h"

enum { DROPPED = 13 /* of the 24 bits of a float32 */ };

static float rounded(double value) {
  float x = (float)value;
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  bits += (1U << (DROPPED - 1)) - 1 + ((bits >> DROPPED) & 1); /* half to even */
  bits &= ~0U << DROPPED;
  memcpy(&x, &bits, sizeof x);
  return x;
}

/* In the text of a model the key stands before each tree's list; inside a string its quotes would be escaped.
 * libxgboost tells whole numbers from others by their looks, hence the exponent. */
sc_status sc_round_leaves(const sc_str *json, sc_str *out, sc_error *err) {
  static const char key[] = "\"split_conditions\":";
  const char *at = sc_str_text(json), *const end = at + json->len, *list;
  sc_status status = SC_OK;
  while (status == SC_OK && (list = strstr(at, key)) != NULL) {
    sc_cursor c;
    list += sizeof key - 1;
    sc_str_addn(out, at, (size_t)(list - at));
    sc_cursor_open(&c, list, (size_t)(end - list));
    sc_cursor_enter(&c, '[');
    sc_str_add(out, "[");
    for (const char *before = ""; sc_cursor_item(&c); before = ",")
      sc_str_printf(out, "%s%.8e", before, (double)rounded(sc_cursor_number(&c)));
    sc_str_add(out, "]");
    at = c.at;
    status = sc_cursor_status(&c, "the new model", err);
    sc_cursor_close(&c);
  }
  sc_str_addn(out, at, (size_t)(end - at));
  return status == SC_OK && out->failed ? sc_fail(err, SC_NOMEM, "out of memory for a model") : status;
}
