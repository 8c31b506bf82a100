/* Predictions: features, bins and trees in blocks of rows, then times and intervals. */
#include <math.h>
#include <string.h>

#include "predictor/internal.h"

/* How far the task lies outside the ranges of the training tasks: the largest excess of a workload feature, in its own
 * units (mostly powers of two). */
static double outside(const sc_card *card, const float *row) {
  double excess = 0;
  for (int f = 0; f < SC_RANGED; f++) {
    const double slack = 1e-3 + 1e-3 * fabs((double)row[f]);
    const double beyond = fmax((double)card->lowest[f] - (double)row[f], (double)row[f] - (double)card->highest[f]);
    if (beyond > slack) excess = fmax(excess, beyond);
  }
  return excess;
}

/* Doublings between two machines in what times depend on most. */
static double apart(const sc_machine *a, const sc_machine *b) {
  const double ratio[] = {a->peak_flop_per_s.value / b->peak_flop_per_s.value,
                          a->memory_read_bytes_per_s.value / b->memory_read_bytes_per_s.value};
  double most = 0;
  for (size_t i = 0; i < SC_COUNT_OF(ratio); i++)
    if (ratio[i] > 0 && isfinite(ratio[i])) most = fmax(most, fabs(log2(ratio[i])));
  return most;
}

/* What lies outside the training widens by half, and by half again for every doubling. */
static double widening(double doublings) { return 1.5 + 0.5 * doublings; }

sc_reach sc_model_reach(const sc_model *model, const char *op, const sc_machine *machine) {
  const sc_card *card = &model->card;
  if (machine == &card->machine || model->fingerprint == sc_machine_fingerprint(machine))
    return (sc_reach){*sc_intervals_find(&card->intervals, op), false};
  sc_reach reach = {sc_intervals_widest(&card->intervals), true}; /* no class is calibrated on such a machine */
  double *const side[] = {&reach.q.low, &reach.q.high, &reach.q.picked_low, &reach.q.picked_high};
  for (size_t i = 0; i < SC_COUNT_OF(side); i++) *side[i] *= widening(apart(&card->machine, machine));
  return reach;
}

const char *sc_knowledge_text(int knowledge) {
  static const char *const texts[] = {"machine file only", "static facts of kernels", "measured kernel rates"};
  return (unsigned)knowledge < SC_COUNT_OF(texts) ? texts[knowledge] : "unknown";
}

static uint8_t knowledge_of(const float *row) {
  if (row[SC_FEATURE_kernel_known] >= 0.5F) return 2;
  return row[SC_FEATURE_kernel_static] >= 0.5F ? 1 : 0;
}

void sc_predict_row(const sc_model *model, const sc_reach *reach, const float *row, const sc_analytic *terms,
                    float residual, float log_scale, bool selected, sc_prediction *out) {
  const double excess = outside(&model->card, row);
  const double widen = excess > 0 ? widening(excess) : 1;
  const sc_quantiles *q = &reach->q;
  const double scale = exp(fmin((double)log_scale + model->card.intervals.log_scale, 3)) * widen;
  out->analytic_s = sc_fit_analytic_s(&model->card.analytic, terms);
  out->time_s = out->analytic_s * exp((double)residual);
  out->low_s = out->time_s * exp(-scale * (selected ? q->picked_low : q->low));
  out->high_s = out->time_s * exp(scale * (selected ? q->picked_high : q->high));
  out->extrapolates = excess > 0 || reach->foreign;
  out->foreign = reach->foreign;
  out->knowledge = knowledge_of(row);
}

sc_status sc_model_predict(const sc_model *model, const sc_task *task, const sc_nest *nests, size_t n,
                           const sc_target *target, bool selected, sc_prediction *out, sc_error *err) {
  float row[SC_FOREST_BLOCK][SC_FEATURE_COUNT], margin[SC_FOREST_OUTPUTS][SC_FOREST_BLOCK];
  sc_analytic terms[SC_FOREST_BLOCK];
  uint8_t bins[SC_FEATURE_COUNT][SC_FOREST_BLOCK] = {{0}};
  if (target->machine == NULL) return sc_fail(err, SC_USAGE, "a prediction needs a machine");
  const sc_reach reach = sc_model_reach(model, task->op, target->machine);
  sc_featurizer featurizer;
  sc_featurizer_init(&featurizer, task, target);
  for (size_t start = 0; start < n; start += SC_FOREST_BLOCK) {
    const size_t m = n - start < SC_FOREST_BLOCK ? n - start : SC_FOREST_BLOCK;
    for (size_t r = 0; r < m; r++) sc_featurizer_row(&featurizer, &nests[start + r], row[r], &terms[r]);
    sc_cuts_block(&model->cuts, row[0], m, model->used, bins);
    sc_forest_block(&model->forest, (const uint8_t(*)[SC_FOREST_BLOCK])bins, m, SC_FOREST_OUTPUTS, margin);
    for (size_t r = 0; r < m; r++) {
      sc_predict_row(model, &reach, row[r], &terms[r], margin[0][r], margin[1][r], selected, &out[start + r]);
    }
  }
  return SC_OK;
}
