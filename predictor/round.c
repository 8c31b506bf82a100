/* Leaves in whole steps: a tree's are multiples of a power of two, at most STEPS of them. What a tree learned from times that
 * are repeatable to a per cent is not known to more than a 4000th of its largest leaf, and as C a leaf takes two digits
 * (emit.c). Rounding twice changes nothing, so that trees of a base that was rounded stay as they are. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "predictor/cursor.h"
#include "predictor/xgb.h"

enum { STEPS = 4049 /* two digits to the base 90 hold 2 STEPS + 1 */, MOST_NODES = 1023 };

typedef struct tree {
  int n;
  bool leaf[MOST_NODES];
  double value[MOST_NODES]; /* of leaves; thresholds of splits */
} tree;

/* The list behind the next `key`; NULL: there is none. Inside a string its quotes would be escaped. */
static const char *find_list(const char *at, const char *key) {
  const char *found = strstr(at, key);
  return found ? found + strlen(key) : NULL;
}

/* Reads a list of at most MOST_NODES numbers; returns how many. *behind: where it ends. */
static int read_list(const char *list, const char *end, double *value, const char **behind, sc_status *status,
                     sc_error *err) {
  sc_cursor c;
  int n = 0;
  sc_cursor_open(&c, list, (size_t)(end - list));
  sc_cursor_enter(&c, '[');
  for (; sc_cursor_item(&c); n++) {
    const double number = (double)(float)sc_cursor_number(&c); /* as libxgboost reads it */
    if (n < MOST_NODES) value[n] = number;
  }
  *behind = c.at;
  *status = sc_cursor_status(&c, "the new model", err);
  if (*status == SC_OK && n > MOST_NODES) *status = sc_fail(err, SC_LIMIT, "a tree of %d nodes: too many", n);
  sc_cursor_close(&c);
  return n;
}

static double step_of(const tree *t) {
  double most = 0;
  int exponent;
  for (int i = 0; i < t->n; i++)
    if (t->leaf[i]) most = fmax(most, fabs(t->value[i]));
  if (!(most > 0) || !isfinite(most)) return 1;
  const double fraction = frexp(most / STEPS, &exponent);
  return ldexp(1, fraction > 0.5 ? exponent : exponent - 1);
}

/* libxgboost tells whole numbers from others by their looks, hence the exponent. */
static void put_values(const tree *t, sc_str *out) {
  const double step = step_of(t);
  sc_str_add(out, "[");
  for (int i = 0; i < t->n; i++)
    sc_str_printf(out, "%s%.8e", i ? "," : "", t->leaf[i] ? nearbyint(t->value[i] / step) * step : t->value[i]);
  sc_str_add(out, "]");
}

/* In the text of a model the children stand before the values, tree by tree. */
sc_status sc_round_leaves(const sc_str *json, sc_str *out, sc_error *err) {
  const char *at = sc_str_text(json), *const end = at + json->len, *children, *values;
  tree *t = malloc(sizeof *t);
  sc_status status = t ? SC_OK : sc_fail(err, SC_NOMEM, "out of memory for a model");
  while (status == SC_OK && (children = find_list(at, "\"left_children\":")) != NULL &&
         (values = find_list(children, "\"split_conditions\":")) != NULL) {
    const char *behind;
    t->n = read_list(children, end, t->value, &behind, &status, err);
    for (int i = 0; status == SC_OK && i < t->n; i++) t->leaf[i] = t->value[i] < 0;
    sc_str_addn(out, at, (size_t)(values - at));
    if (status == SC_OK && read_list(values, end, t->value, &at, &status, err) != t->n && status == SC_OK)
      status = sc_fail(err, SC_FORMAT, "the new model: a tree has %d children and other values", t->n);
    if (status == SC_OK) put_values(t, out);
  }
  free(t);
  sc_str_addn(out, at, (size_t)(end - at));
  return status == SC_OK && out->failed ? sc_fail(err, SC_NOMEM, "out of memory for a model") : status;
}
