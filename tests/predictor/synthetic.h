/* Rows whose truth is known: random legal schedules of many matmuls, time = analytic time x exp(f(features) +
 * noise). */
#ifndef SC_TEST_SYNTHETIC_H
#define SC_TEST_SYNTHETIC_H

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "predictor/predictor.h"
#include "tests/ir/random_schedule.h"

typedef struct synthetic {
  sc_arena *arena;
  const sc_library *library;
  sc_rows rows;
  sc_nest *nest; /* of each row */
  const sc_task **task; /* of each row */
} synthetic;

static inline sc_machine synthetic_machine(void) {
  sc_machine m = {.name = "test",
                  .cpu = "a cpu",
                  .isa = "x86-64-v3",
                  .runner = "local",
                  .cores = {4, SC_ASSUMED},
                  .clock_hz = {3e9, SC_ASSUMED},
                  .vector_bytes = {32, SC_ASSUMED},
                  .vector_registers = {16, SC_ASSUMED},
                  .fma_per_cycle = {2, SC_ASSUMED},
                  .fma_latency_cycles = {4, SC_ASSUMED},
                  .loads_per_cycle = {2, SC_ASSUMED},
                  .peak_flop_per_s = {96e9, SC_ASSUMED},
                  .ncaches = 3,
                  .l1i_bytes = {32768, SC_ASSUMED},
                  .memory_read_bytes_per_s = {2e10, SC_ASSUMED},
                  .page_bytes = {4096, SC_ASSUMED},
                  .l1_tlb_entries = {64, SC_ASSUMED},
                  .l2_tlb_entries = {1536, SC_ASSUMED},
                  .out_of_order = {1, SC_ASSUMED},
                  .ncompilers = 1};
  const double bytes[] = {32768, 524288, 16777216}, rate[] = {2e11, 1e11, 5e10}, ways[] = {8, 8, 16},
               shared[] = {1, 1, 4};
  for (int i = 0; i < 3; i++) {
    m.cache[i] = (sc_cache){.bytes = {bytes[i], SC_ASSUMED},
                            .line_bytes = {64, SC_ASSUMED},
                            .ways = {ways[i], SC_ASSUMED},
                            .shared_by = {shared[i], SC_ASSUMED},
                            .read_bytes_per_s = {rate[i], SC_ASSUMED}};
  }
  m.compiler[0] =
      (sc_compiler){.name = "gcc", .command = "gcc", .arguments = "-O2", .version = "gcc 12", .vector_bytes = 32};
  return m;
}

/* A standard normal number (Box & Muller). */
static inline double synthetic_normal(sc_rng *rng) {
  const double u = sc_rng_unit(rng), v = sc_rng_unit(rng);
  return sqrt(-2 * log(1 - u)) * cos(2 * 3.14159265358979 * v);
}

/* What the trees are to find: steps and slopes in features that the analytic time does not use. */
static inline double synthetic_truth(const float *row) {
  return 0.25 * (row[SC_FEATURE_tile_vectors] > 2) +
         0.05 * (double)row[SC_FEATURE_tile_rows] * (row[SC_FEATURE_tile_rows] < 6) +
         0.1 * (double)row[SC_FEATURE_trips_1] / 4;
}

/* One model of 24 tasks x 40 schedules is enough for most tests. */
static const sc_train_options synthetic_quick = {
    .members = 2, .trees = 40, .depth = 5, .eta = 0.3, .seed = 7, .nthread = 2};

typedef double synthetic_noise(const float *row, sc_rng *rng); /* of log time */

/* `ntasks` matmuls of different sizes, `per_task` schedules each, groups = tasks, three tasks a network. */
static inline sc_status synthetic_make(synthetic *s, size_t ntasks, size_t per_task, uint64_t seed,
                                       synthetic_noise *noise) {
  memset(s, 0, sizeof *s);
  s->arena = sc_arena_new();
  SC_TRY(sc_library_load(s->arena, NULL, &s->library, NULL));
  const size_t n = ntasks * per_task, nn = (ntasks + 2) / 3;
  sc_rows *r = &s->rows;
  r->machine = synthetic_machine();
  r->passes = 3;
  r->ntasks = r->ngroups = ntasks;
  r->nnetworks = nn;
  r->features = sc_arena_alloc(s->arena, n, SC_FEATURE_COUNT * sizeof(float));
  r->time_s = sc_arena_alloc(s->arena, n, sizeof(double));
  r->analytic_s = sc_arena_alloc(s->arena, n, sizeof(double));
  r->half_a_s = sc_arena_alloc(s->arena, n, sizeof(double));
  r->half_b_s = sc_arena_alloc(s->arena, n, sizeof(double));
  r->analytic = sc_arena_alloc(s->arena, n, sizeof(sc_analytic));
  r->record = sc_arena_alloc(s->arena, n, sizeof(const sc_record *)); /* all NULL: no dataset */
  r->forbidden = sc_arena_alloc(s->arena, n, sizeof(bool));
  r->task = sc_arena_alloc(s->arena, n, sizeof(uint32_t));
  r->group = sc_arena_alloc(s->arena, n, sizeof(uint32_t));
  r->network = sc_arena_alloc(s->arena, n, sizeof(uint32_t));
  r->task_name = sc_arena_alloc(s->arena, ntasks, sizeof(char *));
  r->group_name = sc_arena_alloc(s->arena, ntasks, sizeof(char *));
  r->network_name = sc_arena_alloc(s->arena, nn, sizeof(char *));
  s->nest = sc_arena_alloc(s->arena, n, sizeof(sc_nest));
  s->task = sc_arena_alloc(s->arena, n, sizeof(sc_task *));
  if (!s->task || !s->nest || !r->record || !r->features || !r->analytic) return SC_NOMEM;
  for (size_t i = 0; i < nn; i++) {
    char name[32];
    snprintf(name, sizeof name, "network-%zu", i);
    r->network_name[i] = sc_arena_strdup(s->arena, name);
  }
  const sc_target target = {&r->machine, NULL, 1};
  sc_rng rng;
  sc_rng_seed(&rng, seed, 0);
  for (size_t t = 0; t < ntasks; t++) {
    char text[96];
    const sc_task *task;
    snprintf(text, sizeof text, "matmul:M=%zu,N=%zu,K=%zu", 8 + 8 * (t % 7), 32 + 16 * (t % 5), 16 + 8 * t);
    SC_TRY(sc_task_parse(s->arena, s->library, text, &task, NULL));
    r->task_name[t] = task->text;
    r->group_name[t] = task->text;
    for (size_t k = 0; k < per_task; k++) {
      const size_t i = r->n;
      float *row = r->features + i * SC_FEATURE_COUNT;
      sc_schedule schedule;
      SC_TRY(sc_schedule_random(task, &rng, 8, "gcc", &schedule));
      SC_TRY(sc_lower(task, &schedule, &s->nest[i], NULL));
      s->task[i] = task;
      sc_features_analytic(task, &s->nest[i], &target, row, &r->analytic[i]);
      const double log_time = log(r->analytic[i].time_s) + synthetic_truth(row);
      r->analytic_s[i] = r->analytic[i].time_s;
      r->time_s[i] = exp(log_time + (noise ? noise(row, &rng) : 0));
      r->half_a_s[i] = exp(log_time + (noise ? noise(row, &rng) : 0));
      r->half_b_s[i] = exp(log_time + (noise ? noise(row, &rng) : 0));
      r->task[i] = r->group[i] = (uint32_t)t;
      r->network[i] = (uint32_t)(t / 3);
      r->n++;
    }
  }
  return SC_OK;
}

/* The space of this text, NULL: the operator's own, bound to a task; fails the test where it cannot be. */
static inline sc_space_bound *synthetic_bind(synthetic *s, const char *text, const sc_task *task) {
  const sc_space *space;
  sc_space_bound *bound = NULL;
  sc_error err;
  const sc_space_options options = {.threads = 1};
  sc_status status = text ? sc_space_parse(s->arena, "test", text, strlen(text), &space, &err)
                          : sc_space_default(s->arena, task, &space, &err);
  if (status == SC_OK) status = sc_space_bind(space, task, &s->rows.machine, &options, &bound, &err);
  if (status != SC_OK) fail_msg("%s:%d: %s", err.where, err.line, err.text);
  return bound;
}

static inline void synthetic_free(synthetic *s) { sc_arena_free(s->arena); }

#endif
