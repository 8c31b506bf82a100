/* The rows of each task together, and their scores. */
#ifndef SC_PREDICTOR_POOLS_H
#define SC_PREDICTOR_POOLS_H

#include "predictor/metrics.h"

/* Times by row that are to be scored; a row with a time <= 0 in either is left out, and so is one that a model or a
 * search proposed. low and high may be NULL, and so may the levels, without which there is no error within a shard. */
typedef struct sc_scored_times {
  const double *truth, *predicted, *low, *high, *level;
} sc_scored_times;

/* Is it a draw? What a model or a search proposed is good by its choice: a pool of it would flatter every model. */
bool sc_pools_belongs(const sc_rows *rows, uint32_t row);

/* level[rows->n]: by how much the machine was slower in each row's shard than predicted: geometric mean of truth / predicted
 * over the shard's draws of other groups, which weigh alike; 1 where they are fewer than three. */
sc_status sc_pools_levels(const sc_rows *rows, const sc_scored_times *times, double *level, sc_error *err);

/* scores[rows->ntasks]; a pool of fewer than two rows scores NaN. `random` scores a random pick instead. */
sc_status sc_pools_score(const sc_rows *rows, const sc_scored_times *times, bool random, sc_task_scores *scores,
                         sc_error *err);

/* Scores of operators, tasks of few rows, draws of one kind and networks into out->part, from the scores by task. */
sc_status sc_parts_score(const sc_rows *rows, const sc_scored_times *model, const sc_scored_times *analytic,
                         const sc_task_scores *model_scores, const sc_task_scores *analytic_scores, int draws,
                         uint64_t seed, sc_evaluation *out, sc_error *err);

#endif
