/* From ranks to predictions, on one core: ns a schedule of each step of a scan, schedules a second of a whole pick, and
 * the forest beside libxgboost's in-place prediction of the same rows by the same model, in turns; medians of many.
 *   build/tests/bench_predict [MODEL.xgb] (default: data/models/amd-epyc-zen3.xgb) */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xgboost/c_api.h>

#include "predictor/scorer.h"

enum { RUN = 64, RUNS = 64, N = RUN * RUNS, TURNS = 15, SCAN = 1000000, STEPS = 5, NESTS = 256 };

static const char *const tasks[] = {"matmul:M=512,N=512,K=512", "matmul:M=128,N=768,K=768",
                                    "conv2d:H=56,W=56,C=64,K=64,R=3,S=3,pad=1",
                                    "depthwise:H=56,W=56,C=128,R=3,S=3,pad=1"};

static double sink;

typedef struct bench {
  double limit_s; /* of the analytic time of one schedule of twenty */
  const sc_model *model;
  BoosterHandle booster;
  const sc_task *task;
  sc_space_bound *space;
  sc_target target;
  sc_count first[RUNS];
  sc_featurizer featurizer;
  sc_nest nest[NESTS];
  sc_scan scan;
  size_t n;
  double time_s[N];
  float scratch[SC_FEATURE_COUNT], row[N][SC_FEATURE_COUNT], margin[2][N];
  uint8_t bins[N / SC_FOREST_BLOCK][SC_FEATURE_COUNT][SC_FOREST_BLOCK];
  float dense[N][SC_FEATURE_COUNT]; /* the bins as libxgboost wants them */
} bench;

static void failed(const char *what) {
  fprintf(stderr, "bench_predict: %s\n", what);
  exit(1);
}

/* ---- the steps ---- */

static int by_value(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static sc_status nothing(void *user, const sc_schedule *schedule) {
  (void)user;
  sink += schedule->lanes;
  return SC_OK;
}

/* As a scan does: most are above the limit. */
static sc_status below(void *user, const sc_schedule *schedule) {
  bench *b = user;
  sc_analytic terms;
  bool is_below;
  sc_scan_row(&b->scan, schedule, &b->model->card.analytic, b->limit_s, b->scratch, &terms, &is_below, NULL);
  b->n += is_below;
  return SC_OK;
}

static sc_status rows(void *user, const sc_schedule *schedule) {
  bench *b = user;
  sc_analytic terms;
  bool is_below;
  sc_scan_row(&b->scan, schedule, NULL, INFINITY, b->row[b->n], &terms, &is_below, NULL);
  b->time_s[b->n++] = sc_fit_analytic_s(&b->model->card.analytic, &terms);
  return SC_OK;
}

static double each_s(bench *b, sc_sample_fn *fn) {
  const double start = sc_now_s();
  b->n = 0;
  for (int r = 0; r < RUNS; r++) sc_space_each(b->space, b->first[r], RUN, fn, b);
  return sc_now_s() - start;
}

static double bins_s(bench *b) {
  const double start = sc_now_s();
  for (size_t i = 0; i < N; i += SC_FOREST_BLOCK)
    sc_cuts_block(&b->model->cuts, b->row[i], SC_FOREST_BLOCK, b->model->used, b->bins[i / SC_FOREST_BLOCK]);
  return sc_now_s() - start;
}

static double forest_s(bench *b) {
  float margin[SC_FOREST_OUTPUTS][SC_FOREST_BLOCK];
  const double start = sc_now_s();
  for (size_t i = 0; i < N; i += SC_FOREST_BLOCK) {
    sc_forest_block(&b->model->forest, (const uint8_t(*)[SC_FOREST_BLOCK])b->bins[i / SC_FOREST_BLOCK], SC_FOREST_BLOCK,
                    SC_FOREST_OUTPUTS, margin);
    for (int o = 0; o < 2; o++) memcpy(b->margin[o] + i, margin[o], sizeof margin[o]);
  }
  return sc_now_s() - start;
}

/* Predictions with intervals, each by a call of its own. */
static double alone_s(bench *b) {
  sc_prediction p;
  const double start = sc_now_s();
  for (int i = 0; i < NESTS; i++) {
    sc_model_predict(b->model, b->task, &b->nest[i], 1, &b->target, false, &p, NULL);
    sink += p.time_s;
  }
  return sc_now_s() - start;
}

static sc_status lower_nests(bench *b, sc_rng *rng, sc_error *err) {
  for (int i = 0; i < NESTS; i++) {
    sc_schedule schedule;
    SC_TRY(sc_space_at(b->space, sc_rng_below128(rng, sc_space_count(b->space)), &schedule));
    SC_TRY(sc_lower(b->task, &schedule, &b->nest[i], err));
  }
  return SC_OK;
}

/* ---- libxgboost ---- */

static BoosterHandle open_booster(const sc_model *model) {
  BoosterHandle booster;
  if (XGBoosterCreate(NULL, 0, &booster) != 0 ||
      XGBoosterLoadModelFromBuffer(booster, model->json, model->json_len) != 0 ||
      XGBoosterSetParam(booster, "nthread", "1") != 0)
    failed(XGBGetLastError());
  return booster;
}

static double xgboost_s(bench *b) {
  char array[200];
  bst_ulong const *shape;
  bst_ulong dims;
  const float *values;
  snprintf(array, sizeof array, "{\"data\": [%zu, true], \"shape\": [%d, %d], \"typestr\": \"<f4\", \"version\": 3}",
           (size_t)b->dense, N, SC_FEATURE_COUNT);
  const char *config = "{\"type\": 1, \"training\": false, \"iteration_begin\": 0, \"iteration_end\": 0, "
                       "\"strict_shape\": true, \"missing\": NaN, \"cache_id\": 0}";
  const double start = sc_now_s();
  if (XGBoosterPredictFromDense(b->booster, array, config, NULL, &shape, &dims, &values) != 0)
    failed(XGBGetLastError());
  const double seconds = sc_now_s() - start;
  for (int i = 0; i < N; i++)
    if (memcmp(&b->margin[0][i], &values[2 * i], 4) != 0 || memcmp(&b->margin[1][i], &values[2 * i + 1], 4) != 0)
      failed("libxgboost predicts something else");
  return seconds;
}

static void spread_bins(bench *b) {
  memset(b->dense, 0, sizeof b->dense);
  for (size_t i = 0; i < N; i++) {
    for (int f = 0; f < SC_FEATURE_COUNT; f++) b->dense[i][f] = b->bins[i / SC_FOREST_BLOCK][f][i % SC_FOREST_BLOCK];
  }
}

/* ---- */

static double median(double *values) {
  qsort(values, TURNS, sizeof *values, by_value);
  return values[TURNS / 2];
}

static sc_status run(bench *b, sc_arena *arena, const sc_library *library, const char *text, sc_error *err) {
  const sc_space_options options = {.threads = 1};
  const sc_space *space;
  double s[STEPS + 3][TURNS];
  sc_rng rng;
  sc_pick pick;
  sc_pick_effort effort;
  SC_TRY(sc_task_parse(arena, library, text, &b->task, err));
  SC_TRY(sc_space_default(arena, b->task, &space, err));
  SC_TRY(sc_space_bind(space, b->task, b->target.machine, &options, &b->space, err));
  sc_featurizer_init(&b->featurizer, b->task, &b->target);
  sc_scan_start(&b->scan, &b->featurizer);
  sc_rng_seed(&rng, 1, 0);
  for (int r = 0; r < RUNS; r++) b->first[r] = sc_rng_below128(&rng, sc_space_count(b->space) - RUN);
  SC_TRY(lower_nests(b, &rng, err));
  for (int turn = 0; turn < TURNS; turn++) {
    s[7][turn] = alone_s(b);
    s[0][turn] = each_s(b, nothing);
    s[2][turn] = each_s(b, rows);
    if (turn == 0) qsort(b->time_s, N, sizeof *b->time_s, by_value);
    if (turn == 0) b->limit_s = b->time_s[N / 20];
    s[1][turn] = each_s(b, below);
    s[3][turn] = bins_s(b);
    s[4][turn] = forest_s(b);
    if (turn == 0) spread_bins(b);
    s[5][turn] = xgboost_s(b);
    const sc_pick_options how = {.scan = SCAN, .seed = (uint64_t)turn, .nthread = 1};
    if (turn < 5) SC_TRY(sc_model_pick(b->model, b->space, b->task, &b->target, &how, 1, &pick, &effort, err));
    s[6][turn] = turn < 5 ? effort.seconds / (double)effort.scanned : s[6][turn % 5];
  }
  printf("%-44s", text);
  for (int i = 0; i < STEPS; i++) printf(" %7.0f", median(s[i]) / N * 1e9);
  printf(" %9.0f %7.1f %9.2f %9.0f\n", median(s[5]) / N * 1e9, median(s[5]) / median(s[4]), 1e-6 / median(s[6]),
         1e-3 * NESTS / median(s[7]));
  sc_space_unbind(b->space);
  return SC_OK;
}

int main(int argc, char **argv) {
  sc_arena *arena = sc_arena_new();
  sc_kernel_table *kernels = sc_kernel_table_new();
  const sc_library *library;
  sc_model *model = NULL;
  sc_error err = {0};
  char path[4200], table[4300];
  bench *b = calloc(1, sizeof *b);
  if (!b || !kernels) failed("out of memory");
  sc_data_dir(path, 4096);
  snprintf(table, sizeof table, "%s/machines/amd-epyc-zen3.kernels", path);
  snprintf(path + strlen(path), 100, "/models/amd-epyc-zen3.xgb");
  sc_status status = sc_library_load(arena, NULL, &library, &err);
  if (status == SC_OK) status = sc_kernel_table_load(kernels, table, &err);
  if (status == SC_OK) status = sc_model_load(argc > 1 ? argv[1] : path, &model, &err);
  if (status == SC_OK) {
    b->model = model;
    b->booster = open_booster(model);
    b->target = (sc_target){sc_model_machine(model), kernels, 1};
    printf("%zu trees\n%-44s %39s %9s %7s %9s %9s\n", model->forest.upto[SC_FOREST_OUTPUTS - 1], "ns a schedule",
           "ranks   below    rows    bins  forest", "xgboost", "ratio", "M/s pick", "k/s alone");
  }
  for (size_t i = 0; i < SC_COUNT_OF(tasks) && status == SC_OK; i++) status = run(b, arena, library, tasks[i], &err);
  if (status != SC_OK) fprintf(stderr, "%s\n", err.text);
  if (b->booster) XGBoosterFree(b->booster);
  sc_model_free(model);
  sc_kernel_table_free(kernels);
  free(b);
  sc_arena_free(arena);
  return status != SC_OK || sink == 42;
}
