/* ns per sc_lower, and with the features, over draws of the standard spaces, on one core: the best of several rounds.
 *   build/tests/bench_features */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "featurize/featurize.h"
#include "sampler/sampler.h"

enum { DRAWS = 2000, ROUNDS = 40 };

static const char *const tasks[] = {"matmul:M=512,N=512,K=512", "matmul:M=128,N=768,K=768",
                                    "conv2d:H=56,W=56,C=64,K=64,R=3,S=3,pad=1",
                                    "depthwise:H=56,W=56,C=128,R=3,S=3,pad=1"};

typedef struct draws {
  sc_schedule schedule[DRAWS];
  int n;
} draws;

static sc_status keep(void *user, const sc_schedule *schedule) {
  draws *d = user;
  d->schedule[d->n++] = *schedule;
  return SC_OK;
}

static double sink;

static double lower_s(const sc_task *task, const draws *d) {
  sc_nest nest;
  const double start = sc_now_s();
  for (int i = 0; i < d->n; i++) sink += (double)sc_lower(task, &d->schedule[i], &nest, NULL);
  return sc_now_s() - start;
}

static double features_s(const sc_featurizer *featurizer, const sc_task *task, const draws *d) {
  float row[SC_FEATURE_COUNT];
  sc_analytic terms;
  sc_nest nest;
  const double start = sc_now_s();
  for (int i = 0; i < d->n; i++) {
    sc_lower(task, &d->schedule[i], &nest, NULL);
    sc_featurizer_row(featurizer, &nest, row, &terms);
    sink += (double)row[i % SC_FEATURE_COUNT];
  }
  return sc_now_s() - start;
}

static sc_status run(sc_arena *arena, const sc_library *library, const sc_machine *m, const char *text, draws *d,
                     sc_error *err) {
  const sc_target target = {m, NULL, 1};
  const sc_space_options options = {.threads = 1};
  const sc_task *task;
  const sc_space *space;
  sc_space_bound *bound;
  sc_featurizer featurizer;
  double lower = 1e9, both = 1e9;
  SC_TRY(sc_task_parse(arena, library, text, &task, err));
  SC_TRY(sc_space_default(arena, task, &space, err));
  SC_TRY(sc_space_bind(space, task, m, &options, &bound, err));
  d->n = 0;
  sc_status status = sc_space_sample(bound, SC_SAMPLE_UNIFORM, DRAWS, 1, keep, d, err);
  sc_space_unbind(bound);
  sc_featurizer_init(&featurizer, task, &target);
  for (int round = 0; status == SC_OK && round < ROUNDS; round++) {
    const double l = lower_s(task, d), b = features_s(&featurizer, task, d);
    if (l < lower) lower = l;
    if (b < both) both = b;
  }
  printf("%-44s %9.0f %14.0f\n", text, lower / d->n * 1e9, both / d->n * 1e9);
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
  printf("%-44s %9s %14s\n", "ns each", "sc_lower", "with features");
  for (size_t i = 0; i < SC_COUNT_OF(tasks) && status == SC_OK; i++)
    status = run(arena, library, &machine, tasks[i], d, &err);
  if (status != SC_OK) fprintf(stderr, "%s\n", err.text);
  free(d);
  sc_arena_free(arena);
  return status != SC_OK || sink == 42; /* so that nothing is left out */
}
