/* What the programs here that take no times share: rows of datasets, models of some of them, scores on others. */
#ifndef TESTS_BENCH_SIMULATED_H
#define TESTS_BENCH_SIMULATED_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "predictor/pools.h"

static inline void fatal(const char *what) {
  fprintf(stderr, "%s\n", what);
  exit(1);
}

static inline void *room(size_t n, size_t size) {
  void *p = calloc(n + 1, size);
  if (!p) fatal("out of memory");
  return p;
}

/* The rows of all these datasets, of one machine, those kept for evaluation too. */
static inline sc_rows load_rows(char *const *paths, int n, const char *kernel_table) {
  sc_arena *arena = sc_arena_new(); /* as long as the program */
  const sc_library *library;
  sc_dataset *all, *one;
  sc_kernel_table *kernels = sc_kernel_table_new();
  sc_rows rows;
  sc_error err = {0};
  if (sc_library_load(arena, NULL, &library, &err) != SC_OK || sc_dataset_memory(&all, &err) != SC_OK ||
      sc_kernel_table_load(kernels, kernel_table, &err) != SC_OK)
    fatal(err.text);
  if (sc_kernel_table_count(kernels) == 0) fatal("the kernel table is empty or not there");
  for (int i = 0; i < n; i++) {
    if (sc_dataset_open(paths[i], SC_DATASET_READ, &one, &err) != SC_OK || sc_dataset_merge(all, one, &err) != SC_OK)
      fatal(err.text);
    sc_dataset_close(one, NULL);
  }
  const sc_rows_options how = {.kernels = kernels, .views = true, .keep_forbidden = true};
  if (sc_rows_build(arena, library, all, &how, &rows, &err) != SC_OK) fatal(err.text);
  return rows;
}

/* Rows to train on and rows to score: those of the evaluation networks where there are any, else of the development
 * networks. No group is on both sides. */
typedef struct division {
  uint32_t *train, *test;
  size_t ntrain, ntest, nviews; /* views of rows to train on stand behind these */
} division;

static inline division divide(const sc_rows *rows) {
  division d = {room(rows->n + rows->nviews, sizeof *d.train), room(rows->n, sizeof *d.test), 0, 0, 0};
  bool *held = room(rows->ngroups, sizeof *held), any = false;
  for (size_t i = 0; i < rows->n; i++) any = any || rows->forbidden[i];
  for (size_t i = 0; i < rows->n; i++) {
    const bool test = any ? rows->forbidden[i] : rows->development && rows->development[rows->network[i]];
    if (!test) continue;
    d.test[d.ntest++] = (uint32_t)i;
    held[rows->group[i]] = true;
  }
  for (size_t i = 0; i < rows->n; i++)
    if (!held[rows->group[i]]) d.train[d.ntrain++] = (uint32_t)i;
  for (size_t v = 0; v < rows->nviews; v++)
    if (!held[rows->group[rows->view_of[v]]]) d.train[d.ntrain + d.nviews++] = (uint32_t)(rows->n + v);
  free(held);
  if (d.ntest == 0 || d.ntrain < 100) fatal("too few rows, or none to score");
  return d;
}

static inline void train_on(const sc_rows *rows, const uint32_t *index, size_t n, const sc_fit_options *options,
                            sc_fit *fit) {
  sc_error err = {0};
  if (sc_fit_train(rows, index, n, options, NULL, 0, fit, NULL, &err) != SC_OK) fatal(err.text);
}

/* Times of rows index[n] into predicted_s[n]. */
static inline void predict_by(const sc_rows *rows, const sc_fit *fit, const uint32_t *index, size_t n,
                              double *predicted_s) {
  float *margin = room(n, sizeof *margin);
  sc_error err = {0};
  if (sc_fit_margins(&fit->cuts, &fit->forest, rows, index, n, margin, &err) != SC_OK) fatal(err.text);
  for (size_t i = 0; i < n; i++)
    predicted_s[i] = sc_fit_analytic_s(&fit->analytic, &rows->analytic[index[i]]) * exp((double)margin[i]);
  free(margin);
}

/* Scores by task of rows index[n]; NaN for the others. */
static inline void score_rows(const sc_rows *rows, const uint32_t *index, size_t n, const double *predicted_s,
                              sc_task_scores *scores) {
  double *all = room(rows->n, sizeof *all);
  for (size_t i = 0; i < n; i++) all[index[i]] = predicted_s[i];
  const sc_scored_times times = {rows->time_s, all, NULL, NULL, NULL};
  if (sc_pools_score(rows, &times, false, scores, NULL) != SC_OK) fatal("out of memory");
  free(all);
}

static inline double mean_score(const sc_task_scores *scores, size_t ntasks, sc_score measure) {
  double sum = 0, n = 0;
  for (size_t t = 0; t < ntasks; t++) {
    if (isnan(scores[t].value[measure])) continue;
    sum += scores[t].value[measure];
    n++;
  }
  return sum / n;
}

#endif
