/* Rows of bins as libxgboost's matrices, whole or in parts. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "predictor/xgb_internal.h"

sc_status sc_xgb_failed(sc_error *err) {
  const char *text = XGBGetLastError(); /* "[time] file:line: reason\nStack trace: ..." */
  const char *reason = strstr(text, ": ");
  const int n = (int)strcspn(reason ? reason + 2 : text, "\n");
  return sc_fail(err, SC_EXTERNAL, "libxgboost: %.*s", n, reason ? reason + 2 : text);
}

sc_status sc_xgb_matrix(const uint8_t *bins, size_t n, int nfeatures, DMatrixHandle *matrix, sc_error *err) {
  const size_t count = n * (size_t)nfeatures;
  float *values = malloc(count * sizeof *values);
  if (values == NULL) return sc_fail(err, SC_NOMEM, "out of memory for %zu rows of %d features", n, nfeatures);
  for (size_t i = 0; i < count; i++) values[i] = bins[i];
  const int rc = XGDMatrixCreateFromMat(values, n, (bst_ulong)nfeatures, NAN, matrix);
  free(values);
  return rc == 0 ? SC_OK : sc_xgb_failed(err);
}

/* ---- rows in parts ---- */

size_t sc_parts_rows(const sc_bin_parts *parts, size_t i) {
  const size_t at = i * parts->each;
  return at >= parts->n ? 0 : parts->n - at < parts->each ? parts->n - at : parts->each;
}

static void feed_again(DataIterHandle user) {
  sc_feeding *f = user;
  f->next = f->first;
}

/* One more part for libxgboost: 1, or 0 behind the last one and when something failed. */
static int feed(DataIterHandle user) {
  sc_feeding *f = user;
  const uint8_t *bins;
  char interface[160];
  const size_t rows = sc_parts_rows(f->parts, f->next), count = rows * (size_t)f->nfeatures;
  if (f->status != SC_OK || rows == 0) return 0;
  f->status = f->parts->read(f->parts->user, f->next, &bins, f->err);
  f->next += f->members;
  if (f->status != SC_OK) return 0;
  for (size_t i = 0; i < count; i++) f->values[i] = bins[i];
  snprintf(interface, sizeof interface, "{\"data\":[%zu,true],\"shape\":[%zu,%d],\"typestr\":\"<f4\",\"version\":3}",
           (size_t)f->values, rows, f->nfeatures);
  if (XGProxyDMatrixSetDataDense(f->proxy, interface) == 0) return 1;
  f->status = sc_xgb_failed(f->err);
  return 0;
}

sc_status sc_xgb_quantile_matrix(sc_feeding *f, int nthread, DMatrixHandle *matrix, sc_error *err) {
  char config[80];
  snprintf(config, sizeof config, "{\"missing\":NaN,\"nthread\":%d,\"max_bin\":256}", nthread > 0 ? nthread : 0);
  XGB(XGProxyDMatrixCreate(&f->proxy));
  f->values = malloc(f->parts->each * (size_t)f->nfeatures * sizeof *f->values);
  if (!f->values) {
    XGDMatrixFree(f->proxy);
    return sc_fail(err, SC_NOMEM, "out of memory for a part of %zu rows", f->parts->each);
  }
  const int rc = XGQuantileDMatrixCreateFromCallback(f, f->proxy, NULL, feed_again, feed, config, matrix);
  if (f->status == SC_OK && rc != 0) f->status = sc_xgb_failed(err);
  if (f->status != SC_OK && rc == 0) XGDMatrixFree(*matrix);
  XGDMatrixFree(f->proxy);
  free(f->values);
  return f->status;
}
