/* ns per lowering and per row of features, on one core, the best of several rounds: of uniform draws of the standard
 * spaces, each by itself, and of a scan, which goes through blocks of ranks that follow one another.
 *   build/tests/bench_features */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "featurize/featurize.h"
#include "sampler/sampler.h"

enum { DRAWS = 2000, BLOCK = 64, ROUNDS = 40 };

static const char *const tasks[] = {"matmul:M=512,N=512,K=512", "matmul:M=128,N=768,K=768",
                                    "conv2d:H=56,W=56,C=64,K=64,R=3,S=3,pad=1",
                                    "depthwise:H=56,W=56,C=128,R=3,S=3,pad=1"};

typedef struct draws {
  sc_schedule uniform[DRAWS], scan[DRAWS];
} draws;

static double sink;

/* The next schedule comes into the cache meanwhile: whoever draws schedules has them there. */
static void fetch(const sc_schedule *schedule, int i) {
  for (size_t at = 0; i + 1 < DRAWS && at < sizeof *schedule; at += 64)
    __builtin_prefetch((const char *)&schedule[i + 1] + at);
}

static double lower_s(const sc_task *task, const sc_schedule *schedule) {
  sc_nest nest;
  const double start = sc_now_s();
  for (int i = 0; i < DRAWS; i++) {
    fetch(schedule, i);
    sink += (double)sc_lower(task, &schedule[i], &nest, NULL);
  }
  return sc_now_s() - start;
}

static double features_s(const sc_task *task, const sc_featurizer *featurizer, const sc_schedule *schedule) {
  float row[SC_FEATURE_COUNT];
  sc_analytic terms;
  sc_nest nest;
  const double start = sc_now_s();
  for (int i = 0; i < DRAWS; i++) {
    fetch(schedule, i);
    sc_lower(task, &schedule[i], &nest, NULL);
    sc_featurizer_row(featurizer, &nest, row, &terms);
    sink += (double)row[i % SC_FEATURE_COUNT];
  }
  return sc_now_s() - start;
}

/* Counts the schedules that differ from the one before in orders only. */
static double scan_lower_s(const sc_task *task, const sc_schedule *schedule, int *only_orders) {
  sc_lowered lowered;
  const double start = sc_now_s();
  *only_orders = 0;
  sc_lower_start(&lowered, task);
  for (int i = 0; i < DRAWS; i++) {
    fetch(schedule, i);
    sink += (double)sc_lower_next(&lowered, &schedule[i], NULL);
    *only_orders += lowered.only_orders;
  }
  return sc_now_s() - start;
}

static double scan_features_s(const sc_featurizer *featurizer, const sc_schedule *schedule) {
  float row[SC_FEATURE_COUNT];
  sc_analytic terms;
  sc_scan scan;
  bool below;
  const double start = sc_now_s();
  sc_scan_start(&scan, featurizer);
  for (int i = 0; i < DRAWS; i++) {
    fetch(schedule, i);
    sink += (double)sc_scan_row(&scan, &schedule[i], NULL, INFINITY, row, &terms, &below, NULL);
    sink += (double)row[i % SC_FEATURE_COUNT];
  }
  return sc_now_s() - start;
}

static sc_status draw(const sc_space_bound *space, draws *d) {
  const sc_count count = sc_space_count(space), last = count - BLOCK;
  sc_rng rng;
  sc_rng_seed(&rng, 1, 0);
  for (int i = 0; i < DRAWS; i++) SC_TRY(sc_space_at(space, sc_rng_below128(&rng, count), &d->uniform[i]));
  for (int i = 0; i < DRAWS;) {
    const sc_count first = sc_rng_below128(&rng, last);
    for (int k = 0; k < BLOCK && i < DRAWS; k++) SC_TRY(sc_space_at(space, first + (sc_count)k, &d->scan[i++]));
  }
  return SC_OK;
}

static void best(double *least, double seconds) { *least = seconds < *least ? seconds : *least; }

static sc_status run(sc_arena *arena, const sc_library *library, const sc_machine *m, const char *text, draws *d,
                     sc_error *err) {
  const sc_target target = {m, NULL, 1};
  const sc_space_options options = {.threads = 1};
  const sc_task *task;
  const sc_space *space;
  sc_space_bound *bound;
  sc_featurizer featurizer;
  double least[4] = {1e9, 1e9, 1e9, 1e9};
  int only_orders = 0;
  SC_TRY(sc_task_parse(arena, library, text, &task, err));
  SC_TRY(sc_space_default(arena, task, &space, err));
  SC_TRY(sc_space_bind(space, task, m, &options, &bound, err));
  const sc_status status = draw(bound, d);
  sc_space_unbind(bound);
  sc_featurizer_init(&featurizer, task, &target);
  for (int round = 0; status == SC_OK && round < ROUNDS; round++) {
    best(&least[0], lower_s(task, d->uniform));
    best(&least[1], features_s(task, &featurizer, d->uniform));
    best(&least[2], scan_lower_s(task, d->scan, &only_orders));
    best(&least[3], scan_features_s(&featurizer, d->scan));
  }
  printf("%-44s", text);
  for (int i = 0; i < 4; i++) printf(" %9.0f", least[i] / DRAWS * 1e9);
  printf(" %8d%%\n", 100 * only_orders / DRAWS);
  return status;
}

int main(int argc, char **argv) {
  sc_arena *arena = sc_arena_new();
  const sc_library *library;
  sc_machine machine;
  sc_error err = {0};
  char path[4200];
  sc_data_dir(path, 4096);
  snprintf(path + strlen(path), 100, "/machines/x86-64-v3.machine");
  draws *d = calloc(1, sizeof *d);
  sc_status status = d ? sc_library_load(arena, NULL, &library, &err) : SC_NOMEM;
  if (status == SC_OK) status = sc_machine_load(path, &machine, &err);
  printf("%-44s %19s %19s %9s\n", "ns each", "uniform: lower, row", "scan: lower, row", "as before");
  for (size_t i = 0; i < SC_COUNT_OF(tasks) && status == SC_OK; i++)
    status = run(arena, library, &machine, tasks[i], d, &err);
  if (status != SC_OK) fprintf(stderr, "%s\n", err.text);
  free(d);
  sc_arena_free(arena);
  return status != SC_OK || sink == 42; /* so that nothing is left out */
}
