/* What schedcast asks of libxgboost: grow trees over bins, write the model as JSON, and say what it would predict. */
#ifndef SC_PREDICTOR_XGB_H
#define SC_PREDICTOR_XGB_H

#include "base/base.h"

typedef enum sc_boost_kind {
  SC_BOOST_MEAN, /* squared error of value */
  SC_BOOST_SCALE /* Laplace likelihood of |value|: the output is log(scale) - offset */
} sc_boost_kind;

typedef struct sc_boost_target {
  sc_boost_kind kind;
  const float *value; /* NAN: the row says nothing of this output */
  float offset;
  int rounds; /* of a member; later ones leave this output as it is */
} sc_boost_target;

typedef struct sc_boost_options {
  int members /* boosters whose mean is the model */, rounds /* of each */, depth, nthread;
  double eta, min_child_weight, subsample, colsample;
  uint64_t seed;
  const char *base_json; /* trees are added to those of this model, of as many outputs; NULL = none */
  size_t base_len;
  const sc_log *log; /* told every ten seconds how far it is; NULL = none */
} sc_boost_options;

typedef struct sc_booster sc_booster;

/* One output per target. bins[n * nfeatures]; `names` of the features go into the file. Leaves are rounded. */
sc_status sc_booster_train(const uint8_t *bins, size_t n, int nfeatures, const char *const *names,
                           const sc_boost_target *target, int ntargets, const sc_boost_options *options,
                           sc_booster **booster, sc_error *err);
/* The same with rows that come in parts, which are dealt to the members in turn: one after the other is trained on its
 * own alone. libxgboost asks for them several times and keeps two bytes a bin; some 100 bytes a row are added. */
typedef struct sc_bin_parts {
  size_t n, each; /* rows in all, and in a part, but for the last one */
  /* Part i: row-major bins, which stay until the next call. */
  sc_status (*read)(void *user, size_t i, const uint8_t **bins, sc_error *err);
  void *user;
} sc_bin_parts;
sc_status sc_booster_train_parts(const sc_bin_parts *parts, int nfeatures, const char *const *names,
                                 const sc_boost_target *target, int ntargets, const sc_boost_options *options,
                                 sc_booster **booster, sc_error *err);
sc_status sc_booster_set(sc_booster *booster, const char *key, const char *value, sc_error *err);
sc_status sc_booster_json(sc_booster *booster, sc_str *json, sc_error *err);
void sc_booster_free(sc_booster *booster);
/* The text of a model with rounded leaves (round.c). */
sc_status sc_round_leaves(const sc_str *json, sc_str *out, sc_error *err);
/* What libxgboost itself predicts from a saved model: margin[n * noutputs]; with `shap`, of one output
 * shap[n * (nfeatures + 1)] too (NULL = not). */
sc_status sc_booster_margins(const char *json, size_t len, const uint8_t *bins, size_t n, int nfeatures, int noutputs,
                             float *margin, float *shap, int shap_output, sc_error *err);

#endif
