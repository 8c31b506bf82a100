/* tuner: what chooses the schedules that are worth a measurement: draws that are dense where it matters, proposals of a
 * model, recipes of whole campaigns (docs/campaigns.md). */
#ifndef SC_TUNER_H
#define SC_TUNER_H

#include "harness/harness.h"
#include "predictor/predictor.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- choosing ---- */

/* Of 20 n uniform draws, ordered by analytic time, n at ranks that grow with the square: a model that only sees uniform
 * draws never sees what it will have to choose among. Fewer where the space holds fewer. */
sc_status sc_draw_stratified(const sc_space_bound *space, const sc_task *task, const sc_target *target, size_t n,
                             uint64_t seed, sc_sample_fn *each, void *user, sc_error *err);

enum { SC_MOST_PROPOSED = SC_MOST_PICKS / 16 };
/* A diverse part of what the model likes best in a scan of `scan` schedules: of the best 16 n, those at ranks that grow
 * geometrically from the first to the last. The very best are often one schedule with small changes, and a model learns
 * most where it is wrong about what it likes. n <= SC_MOST_PROPOSED. */
sc_status sc_model_propose(const sc_model *model, const sc_space_bound *space, const sc_task *task,
                           const sc_target *target, size_t n, size_t scan, uint64_t seed, sc_sample_fn *each,
                           void *user, sc_error *err);

/* A pool of candidates of many tasks, and what is known of them. */
typedef struct sc_active_pool {
  size_t n, ntasks;
  const float *features; /* n x SC_FEATURE_COUNT */
  const uint32_t *task; /* of each, < ntasks */
  const double *time_s; /* predicted; before there is a model, analytic; finite, > 0 */
  const double *spread; /* of the prediction: log(high / low), finite, >= 0; NULL = nothing is known of it */
  bool *taken; /* measured already; what is chosen becomes so */
} sc_active_pool;
/* The n candidates that are worth most to measure next, as indices into the pool, the first first: representative x
 * uncertain x promising (active.c). SC_USAGE: fewer are left. */
sc_status sc_active_choose(const sc_active_pool *pool, size_t n, uint64_t seed, uint32_t *chosen, sc_error *err);

/* ---- searching: the Auto Tuner's loop for one task ---- */

typedef struct sc_trial {
  sc_schedule schedule;
  uint64_t hash; /* of its nest */
  double value; /* smaller is better; INFINITY: it failed or is not allowed */
  sc_origin origin; /* the model is the guiding one as it was corrected then */
} sc_trial;

/* Measures n schedules that no trial has had: fills value[n]. SC_INTERRUPTED ends the search in order. */
typedef sc_status sc_measure_fn(void *user, const sc_trial *trials, size_t n, double *value, sc_error *err);

typedef enum sc_strategy { /* docs/tuning.md */
                           SC_SEARCH_GUIDED, /* the best of a scan and neighbours of the best trials by a model that learns from every batch */
                           SC_SEARCH_DESCENT, /* from the best by a model, else by analytic time, to better neighbours, from another begin where none is left */
                           SC_SEARCH_RANDOM, /* uniform draws */
                           SC_SEARCH_EXHAUSTIVE, /* in the order of the space */
                           SC_SEARCH_REPLAY, /* the given list, in its order */
                           SC_STRATEGY_COUNT
} sc_strategy;

typedef struct sc_search_options {
  sc_strategy strategy;
  size_t trials; /* in all, those known included */
  size_t batch; /* proposed at once, before anything is learned from them; 0 = 32 */
  size_t scan; /* schedules that the model looks at for each batch; 0 = 1 000 000 */
  uint64_t seed;
  const sc_model *model; /* of times; GUIDED wants one, DESCENT begins with it where there is one; else NULL */
  bool times; /* values are seconds: a guiding model may learn from them */
  const sc_schedule *replay;
  size_t nreplay;
  const sc_trial *known; /* trials of an earlier search */
  size_t nknown;
  sc_measure_fn *measure;
  void *user;
  void (*progress)(void *user, const sc_trial *trials, size_t n); /* after each batch; NULL = silent */
} sc_search_options;

typedef struct sc_search_result {
  sc_trial *trial; /* in their order, those known first */
  size_t n, best; /* best: index of the smallest value, n where none is finite */
  bool exhausted; /* the strategy found nothing more to try */
} sc_search_result;
/* Every schedule is tried once. Equal seeds, models and values give equal searches. After an error, SC_INTERRUPTED
 * included, the result holds the trials so far; free it in any case. */
sc_status sc_search_run(const sc_space_bound *space, const sc_task *task, const sc_target *target,
                        const sc_search_options *options, sc_search_result *result, sc_error *err);
void sc_search_free(sc_search_result *result);

/* Bytes of packed and summing buffers that a run needs beside its tensors and what is packed ahead. */
size_t sc_nest_scratch_bytes(const sc_nest *nest, int threads);

/* ---- recipes of campaigns ---- */

enum { SC_MOST_DRAWS = 8, SC_MOST_ROUNDS = 16 };
typedef struct sc_recipe_draw {
  sc_proposal how; /* SC_PROPOSED_UNIFORM or _STRATIFIED */
  int n; /* of each task */
  bool parallel; /* parallel schedules too */
} sc_recipe_draw;
typedef struct sc_recipe_round {
  int n, scan; /* proposals for each task, out of so many schedules */
} sc_recipe_round;
typedef struct sc_recipe {
  char name[SC_NAME];
  char tasks[256]; /* file of lines network, tab, task: beside the recipe, else in data/corpus */
  int shard; /* tasks of a shard */
  int passes, most_passes; /* most 0: all tasks get the same */
  int threads; /* of parallel schedules; 0: as many as the machine has cores */
  uint64_t seed;
  int ndraws, nrounds;
  sc_recipe_draw draw[SC_MOST_DRAWS];
  sc_recipe_round round[SC_MOST_ROUNDS];
} sc_recipe;
/* Reads `campaign NAME` and lines of its items, each by its first word (docs/campaigns.md). What is left out: shard 25,
 * passes 3, threads 0, seed 0; a recipe that measures nothing is SC_PARSE. */
sc_status sc_recipe_parse(const char *where, const char *text, size_t len, sc_recipe *recipe, sc_error *err);
void sc_recipe_print(const sc_recipe *recipe, sc_str *out); /* parse(print(recipe)) == recipe */

#ifdef __cplusplus
}
#endif
#endif
