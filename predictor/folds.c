/* Out-of-fold predictions. Rows are dealt to folds by group or by network; the model of a fold is trained on the rows
 * that neither are in the fold nor share a group with one that is. Folds run side by side, one thread each; what they
 * compute does not depend on their order. */
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "predictor/internal.h"

enum { GROUP_FOLDS = 10 };

typedef struct job {
  const sc_rows *rows;
  const sc_fit_options *options;
  sc_oof *oof;
  const float *abs_residual; /* second stage */
  sc_fit *fit; /* of each fold */
  double log_scale;
  int nfolds; /* that are trained: all, or those that are scored */
  const sc_train_options *train;
  atomic_size_t trained, trained_rows, trained_groups; /* scored folds of the first stage, and sums over them */
  atomic_int next, failed;
  sc_error error;
  pthread_mutex_t mutex; /* of error */
} job;

/* ---- folds ---- */

typedef struct keyed {
  uint64_t key;
  uint32_t group;
} keyed;

static int by_key(const void *a, const void *b) {
  const keyed *x = a, *y = b;
  return x->key < y->key ? -1 : x->key > y->key ? 1 : (x->group > y->group) - (x->group < y->group);
}

/* Groups in the order of a seeded hash of their names, dealt out in turn: the order of the rows does not matter. */
static sc_status deal_groups(const sc_rows *rows, uint64_t seed, sc_oof *oof, sc_error *err) {
  keyed *order = calloc(rows->ngroups, sizeof *order);
  uint8_t *fold = calloc(rows->ngroups, 1);
  if (order && fold) {
    for (uint32_t g = 0; g < rows->ngroups; g++) {
      order[g] = (keyed){sc_hash64(rows->group_name[g], strlen(rows->group_name[g]), seed), g};
    }
    qsort(order, rows->ngroups, sizeof *order, by_key);
    oof->nfolds = rows->ngroups < GROUP_FOLDS ? (int)rows->ngroups : GROUP_FOLDS;
    for (uint32_t i = 0; i < rows->ngroups; i++) fold[order[i].group] = (uint8_t)(i % (uint32_t)oof->nfolds);
    for (size_t i = 0; i < rows->n; i++) oof->fold[i] = fold[rows->group[i]];
  }
  const bool ok = order && fold;
  free(order);
  free(fold);
  return ok ? SC_OK : sc_fail(err, SC_NOMEM, "out of memory");
}

/* One contraction alone: its schedules are dealt out. What comes of it says nothing about other tasks. */
static void deal_schedules(const sc_rows *rows, uint64_t seed, sc_oof *oof) {
  oof->nfolds = GROUP_FOLDS;
  oof->within_group = true;
  for (size_t i = 0; i < rows->n; i++) {
    const float *row = rows->features + i * SC_FEATURE_COUNT;
    oof->fold[i] = (uint8_t)(sc_hash64(row, SC_FEATURE_COUNT * sizeof *row, seed) % GROUP_FOLDS);
  }
}

/* Development networks are folds; the rows of others, which are not scored but tell how wide intervals must be, are
 * dealt into the group folds behind them. */
static sc_status deal_development(const sc_rows *rows, uint64_t seed, sc_oof *oof, sc_error *err) {
  uint8_t *fold = calloc(rows->nnetworks + 1, 1);
  int n = 0;
  if (!fold) return sc_fail(err, SC_NOMEM, "out of memory");
  for (size_t i = 0; i < rows->nnetworks && n < SC_MAX_FOLDS - GROUP_FOLDS; i++)
    if (rows->development && rows->development[i]) fold[i] = (uint8_t)++n;
  sc_status status = n ? deal_groups(rows, seed, oof, err)
                       : sc_fail(err, SC_UNSUPPORTED, "no row is of a network of data/corpus/development.txt");
  for (size_t i = 0; i < rows->n && status == SC_OK; i++)
    oof->fold[i] = (uint8_t)(fold[rows->network[i]] ? fold[rows->network[i]] - 1 : n + oof->fold[i]);
  if (status == SC_OK) oof->nfolds += n;
  oof->nscored = n;
  free(fold);
  return status;
}

static void deal_networks(const sc_rows *rows, sc_oof *oof) {
  oof->nfolds = rows->nnetworks < SC_MAX_FOLDS ? (int)rows->nnetworks : SC_MAX_FOLDS;
  for (size_t i = 0; i < rows->n; i++) oof->fold[i] = (uint8_t)(rows->network[i] % (uint32_t)oof->nfolds);
}

/* Is this group among the share that is trained on? A larger share holds a smaller one. */
static bool is_in_share(const job *j, const char *group) {
  const double share = j->train->share;
  if (share <= 0 || share >= 1) return true;
  return (double)sc_hash64(group, strlen(group), j->train->seed + 1) < share * 0x1p64;
}

/* Rows and views of the fold, and those that its model may see; returned in one allocation. */
static uint32_t *split(job *j, int fold, size_t *ntest, size_t *ntrain) {
  const sc_rows *rows = j->rows;
  const sc_oof *oof = j->oof;
  const size_t all = rows->n + rows->nviews;
  uint32_t *index = malloc(all * sizeof *index);
  bool *held = calloc(rows->ngroups, sizeof *held);
  *ntest = *ntrain = 0;
  if (index && held) {
    for (size_t g = 0; g < rows->ngroups; g++) held[g] = !is_in_share(j, rows->group_name[g]);
    size_t trained = 0;
    for (size_t i = 0; i < all; i++) {
      const uint32_t row = sc_row_of(rows, i);
      if (oof->fold[row] != fold) continue;
      if (!oof->within_group) held[rows->group[row]] = true;
      index[(*ntest)++] = (uint32_t)i;
    }
    for (size_t i = 0; i < all; i++) {
      const uint32_t row = sc_row_of(rows, i);
      if (oof->fold[row] == fold || held[rows->group[row]]) continue;
      index[*ntest + (*ntrain)++] = (uint32_t)i;
      trained += i < rows->n;
    }
    if (!j->abs_residual && *ntest && fold < oof->nscored) {
      atomic_fetch_add(&j->trained, 1);
      atomic_fetch_add(&j->trained_rows, trained);
      for (size_t g = 0; g < rows->ngroups; g++) atomic_fetch_add(&j->trained_groups, !held[g]);
    }
  }
  free(held);
  return index;
}

/* ---- stages ---- */

static sc_status mean_stage(job *j, int fold, const uint32_t *test, size_t ntest, const uint32_t *train, size_t ntrain,
                            sc_error *err) {
  const sc_rows *rows = j->rows;
  sc_fit *fit = &j->fit[fold];
  SC_TRY(sc_fit_train(rows, train, ntrain, j->options, NULL, 0, fit, NULL, err));
  const size_t k = (size_t)fit->forest.noutputs;
  float *margin = malloc(ntest * k * sizeof *margin);
  if (margin == NULL) return sc_fail(err, SC_NOMEM, "out of memory");
  const sc_status status = sc_fit_margins(&fit->cuts, &fit->forest, rows, test, ntest, margin, err);
  for (size_t i = 0; status == SC_OK && i < ntest; i++) {
    j->oof->analytic_s[test[i]] = sc_fit_analytic_s(&fit->analytic, &rows->analytic[test[i]]);
    j->oof->predicted_s[test[i]] = j->oof->analytic_s[test[i]] * exp((double)margin[i * k]);
  }
  free(margin);
  return status;
}

/* A base knows the scale of its errors. */
static sc_status base_scale(const job *j, int fold, const uint32_t *test, size_t ntest, sc_error *err) {
  const sc_fit *fit = &j->fit[fold];
  float *margin = malloc(SC_FOREST_OUTPUTS * ntest * sizeof *margin);
  sc_status status = margin ? SC_OK : sc_fail(err, SC_NOMEM, "out of memory");
  if (status == SC_OK) status = sc_fit_margins(&fit->cuts, &fit->forest, j->rows, test, ntest, margin, err);
  for (size_t i = 0; status == SC_OK && i < ntest; i++)
    j->oof->scale[test[i]] = exp((double)margin[SC_FOREST_OUTPUTS * i + 1] + j->log_scale);
  free(margin);
  return status;
}

static sc_status scale_stage(job *j, int fold, const uint32_t *test, size_t ntest, const uint32_t *train, size_t ntrain,
                             sc_error *err) {
  sc_forest forest;
  if (j->options->base) return base_scale(j, fold, test, ntest, err);
  SC_TRY(sc_fit_scale(&j->fit[fold], j->rows, train, ntrain, j->options, j->abs_residual, j->log_scale, &forest, err));
  float *margin = malloc(ntest * sizeof *margin);
  sc_status status = margin ? SC_OK : sc_fail(err, SC_NOMEM, "out of memory");
  if (status == SC_OK) status = sc_fit_margins(&j->fit[fold].cuts, &forest, j->rows, test, ntest, margin, err);
  for (size_t i = 0; status == SC_OK && i < ntest; i++) j->oof->scale[test[i]] = exp((double)margin[i] + j->log_scale);
  free(margin);
  sc_forest_free(&forest);
  return status;
}

static sc_status one_fold(job *j, int fold, sc_error *err) {
  size_t ntest, ntrain;
  uint32_t *index = split(j, fold, &ntest, &ntrain);
  sc_status status = SC_OK;
  if (index == NULL) status = sc_fail(err, SC_NOMEM, "out of memory");
  else if (ntest > 0 && ntrain == 0)
    status =
        sc_fail(err, SC_UNSUPPORTED, "nothing is left to train on when a fold is held out: more groups are needed");
  else if (ntest > 0)
    status = (j->abs_residual ? scale_stage : mean_stage)(j, fold, index, ntest, index + ntest, ntrain, err);
  free(index);
  return status;
}

static void *worker(void *user) {
  job *j = user;
  for (int fold; (fold = atomic_fetch_add(&j->next, 1)) < j->nfolds && !atomic_load(&j->failed);) {
    sc_error error;
    const sc_status status = one_fold(j, fold, &error);
    if (status == SC_OK) continue;
    pthread_mutex_lock(&j->mutex);
    if (!atomic_exchange(&j->failed, 1)) j->error = error;
    pthread_mutex_unlock(&j->mutex);
  }
  return NULL;
}

/* All folds of one stage. The calling thread works too, so it goes on when no other can be had. */
static sc_status run_stage(job *j, int nthread, sc_error *err) {
  enum { MOST = 16 };
  pthread_t thread[MOST];
  int started = 0;
  const long cores = sysconf(_SC_NPROCESSORS_ONLN);
  int wanted = nthread > 0 ? nthread : cores > 0 ? (int)cores : 1;
  if (wanted > MOST) wanted = MOST;
  atomic_store(&j->next, 0);
  while (started < wanted - 1 && pthread_create(&thread[started], NULL, worker, j) == 0) started++;
  worker(j);
  for (int i = 0; i < started; i++) pthread_join(thread[i], NULL);
  if (!atomic_load(&j->failed)) return SC_OK;
  if (err) *err = j->error;
  return j->error.status;
}

static double mean_abs(const float *value, size_t n) {
  double sum = 0;
  for (size_t i = 0; i < n; i++) sum += (double)value[i];
  return fmax(sum / (double)(n ? n : 1), 1e-6);
}

static sc_status stages(job *j, int nthread, float *residual, sc_error *err) {
  SC_TRY(run_stage(j, nthread, err));
  if (j->train->no_intervals) return SC_OK;
  for (size_t i = 0; i < j->rows->n + j->rows->nviews; i++)
    residual[i] = (float)fabs(log(j->rows->time_s[i] / j->oof->predicted_s[i]));
  j->abs_residual = residual;
  const sc_model *base = j->options->base;
  j->log_scale = base ? base->card.intervals.log_scale : log(mean_abs(residual, j->rows->n));
  j->oof->log_scale = j->log_scale;
  return run_stage(j, nthread, err);
}

sc_status sc_oof_run(const sc_rows *rows, sc_holdout holdout, const sc_train_options *options, sc_oof *oof,
                     sc_error *err) {
  sc_fit_options fit_options;
  SC_TRY(sc_fit_options_of(options, &fit_options, err));
  const size_t all = rows->n + rows->nviews;
  *oof = (sc_oof){.fold = calloc(rows->n, 1),
                  .predicted_s = calloc(all, sizeof(double)),
                  .analytic_s = calloc(all, sizeof(double)),
                  .scale = calloc(all, sizeof(double)),
                  .abs_residual = calloc(all, sizeof(float))};
  job j = {.rows = rows,
           .options = &fit_options,
           .oof = oof,
           .train = options,
           .fit = calloc(SC_MAX_FOLDS, sizeof(sc_fit)),
           .mutex = PTHREAD_MUTEX_INITIALIZER};
  sc_status status = SC_OK;
  if (!oof->fold || !oof->predicted_s || !oof->analytic_s || !oof->scale || !oof->abs_residual || !j.fit) {
    status = sc_fail(err, SC_NOMEM, "out of memory");
  } else if (holdout == SC_HOLDOUT_NETWORK) deal_networks(rows, oof);
  else if (holdout == SC_HOLDOUT_DEVELOPMENT) status = deal_development(rows, options->seed, oof, err);
  else if (rows->ngroups == 1) deal_schedules(rows, options->seed, oof);
  else status = deal_groups(rows, options->seed, oof, err);
  if (status == SC_OK && oof->nfolds < 2) {
    status = sc_fail(err, SC_UNSUPPORTED, "one network: at least two are needed to hold one out");
  }
  if (!oof->nscored) oof->nscored = oof->nfolds;
  j.nfolds = options->no_intervals ? oof->nscored : oof->nfolds;
  if (status == SC_OK) status = stages(&j, options->nthread, oof->abs_residual, err);
  const double trained = fmax((double)atomic_load(&j.trained), 1);
  oof->trained_rows = (double)atomic_load(&j.trained_rows) / trained;
  oof->trained_groups = (double)atomic_load(&j.trained_groups) / trained;
  for (int f = 0; j.fit && f < SC_MAX_FOLDS; f++) sc_fit_free(&j.fit[f]);
  free(j.fit);
  if (status != SC_OK) sc_oof_free(oof);
  return status;
}

sc_status sc_oof_calibrated(const sc_rows *rows, const sc_train_options *options, sc_oof *oof, sc_error *err) {
  sc_train_options with_intervals = *options;
  with_intervals.no_intervals = false;
  return sc_oof_run(rows, SC_HOLDOUT_GROUP, &with_intervals, oof, err);
}

void sc_oof_free(sc_oof *oof) {
  free(oof->fold);
  free(oof->predicted_s);
  free(oof->analytic_s);
  free(oof->scale);
  free(oof->abs_residual);
  *oof = (sc_oof){0};
}
