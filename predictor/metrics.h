/* Metrics of predictions over tasks (docs/model.md), and their uncertainty by a bootstrap over groups. */
#ifndef SC_PREDICTOR_METRICS_H
#define SC_PREDICTOR_METRICS_H

#include "predictor/internal.h"

typedef enum sc_score {
  SC_TOP1, /* best time of the pool / time of the predicted best */
  SC_TOP5, /* the same for the best of the five predicted best */
  SC_REGRET1, /* time of the predicted best / best time - 1 */
  SC_POOL, /* schedules that are scored */
  SC_BEST, /* least of their true times */
  SC_PLACE1, /* place of the predicted best by true time: 1 = the fastest */
  SC_PAIRS, /* share of the pairs more than 10 % apart that are ordered right */
  SC_TAU, /* Kendall's tau-b */
  SC_MAPE, /* mean |predicted / true - 1| */
  SC_SHARD_MAPE, /* the same within a shard: of predicted x level of the shard (pools.h) */
  SC_COVERAGE, /* share of the true times inside their interval */
  SC_HALF_WIDTH, /* median of (high - low) / 2 / predicted */
  SC_MEASURE_COUNT
} sc_score;

/* One task's pool. NaN: not defined (no pairs, no intervals). */
typedef struct sc_task_scores {
  uint32_t group;
  double value[SC_MEASURE_COUNT];
} sc_task_scores;

/* Of n schedules with true and predicted times; low and high may be NULL. `work` has room for 2 n numbers. */
void sc_pool_scores(const double *truth, const double *predicted, const double *low, const double *high, size_t n,
                    double *work, sc_task_scores *out);
/* What a pick at random scores in expectation. */
void sc_pool_random(const double *truth, size_t n, double *work, sc_task_scores *out);

/* Mean over tasks with its 95 % interval: groups drawn with replacement, `draws` times (Efron 1979; Field & Welsh
 * 2007). NaN values are left out. */
typedef struct sc_bootstrap {
  const sc_task_scores *scores;
  size_t ntasks, ngroups;
  int draws;
  uint64_t seed;
} sc_bootstrap;
sc_status sc_bootstrap_mean(const sc_bootstrap *b, sc_score measure, sc_metric *out, sc_error *err);
/* Ratio of two means over the same tasks, drawn together. */
sc_status sc_bootstrap_ratio(const sc_bootstrap *b, const sc_task_scores *denominator, sc_score measure, sc_metric *out,
                             sc_error *err);
/* The 5th percentile over tasks. */
sc_status sc_bootstrap_p5(const sc_bootstrap *b, sc_score measure, sc_metric *out, sc_error *err);

#endif
