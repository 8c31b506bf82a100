/* Inside the two files that know libxgboost: xgb.c and xgb_rows.c. */
#ifndef SC_PREDICTOR_XGB_INTERNAL_H
#define SC_PREDICTOR_XGB_INTERNAL_H

#include <xgboost/c_api.h>

#include "predictor/xgb.h"

/* What libxgboost's -1 and XGBGetLastError mean. */
sc_status sc_xgb_failed(sc_error *err);

#define XGB(call)                               \
  do {                                          \
    if ((call) != 0) return sc_xgb_failed(err); \
  } while (0)

/* XGBoost reads numbers, so bins become floats. */
sc_status sc_xgb_matrix(const uint8_t *bins, size_t n, int nfeatures, DMatrixHandle *matrix, sc_error *err);

/* The parts of one member: every members-th from the first on. */
typedef struct sc_feeding {
  const sc_bin_parts *parts;
  size_t first, members, next;
  int nfeatures;
  DMatrixHandle proxy;
  float *values; /* of the part that is there */
  sc_status status;
  sc_error *err;
} sc_feeding;

size_t sc_parts_rows(const sc_bin_parts *parts, size_t i); /* 0 behind the last part */
sc_status sc_xgb_quantile_matrix(sc_feeding *f, int nthread, DMatrixHandle *matrix, sc_error *err);

#endif
