/* Is a model what libxgboost would make of its file? Loading compares eight golden rows with what was predicted when it
 * was trained; here libxgboost itself predicts as many as one likes. */
#include <stdlib.h>
#include <string.h>

#include "predictor/internal.h"

static sc_status verify_block(const sc_model *model, size_t rows, sc_rng *rng, uint8_t *bins, float *margin,
                              sc_error *err) {
  float *ours = margin, *theirs = margin + rows * SC_FOREST_OUTPUTS;
  for (size_t i = 0; i < rows * SC_FEATURE_COUNT; i++)
    bins[i] = (uint8_t)sc_rng_below(rng, (uint64_t)model->cuts.count[i % SC_FEATURE_COUNT] + 1);
  SC_TRY(sc_booster_margins(model->json, model->json_len, bins, rows, SC_FEATURE_COUNT, SC_FOREST_OUTPUTS, theirs, NULL,
                            0, err));
  sc_forest_margins(&model->forest, bins, rows, ours);
  if (memcmp(ours, theirs, rows * SC_FOREST_OUTPUTS * sizeof *ours) == 0) return SC_OK;
  return sc_fail(err, SC_MISMATCH, "libxgboost predicts other margins than the fast forest");
}

sc_status sc_model_verify(const sc_model *model, size_t rows, uint64_t seed, sc_error *err) {
  enum { BLOCK = 20000 };
  uint8_t *bins = malloc((size_t)BLOCK * SC_FEATURE_COUNT);
  float *margin = malloc((size_t)2 * BLOCK * SC_FOREST_OUTPUTS * sizeof *margin);
  sc_rng rng;
  sc_status status = bins && margin ? SC_OK : sc_fail(err, SC_NOMEM, "out of memory");
  sc_rng_seed(&rng, seed, 0);
  for (size_t done = 0, n; done < rows && status == SC_OK; done += n) {
    n = rows - done < BLOCK ? rows - done : BLOCK;
    status = verify_block(model, n, &rng, bins, margin, err);
  }
  free(bins);
  free(margin);
  return status;
}
