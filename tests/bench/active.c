/* What choosing what to measure is worth, simulated: of a dataset's drawn rows (stratified and uniform) whose groups are
 * not scored, some are "measured", either as they come or chosen by sc_active_choose with models of those
 * before; a model of them is scored on the development networks, or on the evaluation's where a dataset holds any. No time is taken, so that nothing needs a quiet machine.
 *   build/tests/bench_active KERNELS DATASET ... */
#include "tests/bench/simulated.h"
#include "tuner/tuner.h"

enum { SEEDS = 3, ROUNDS = 8 };

typedef struct simulation {
  sc_rows rows;
  division d; /* train: what may be chosen */
  sc_fit_options options;
  sc_task_scores *scores;
} simulation;

static void keep_draws(simulation *s) {
  size_t n = 0;
  for (size_t i = 0; i < s->d.ntrain; i++) {
    const uint8_t by = s->rows.record[s->d.train[i]]->proposal;
    if (by == SC_PROPOSED_UNIFORM || by == SC_PROPOSED_STRATIFIED) s->d.train[n++] = s->d.train[i];
  }
  s->d.ntrain = n;
}

static void train(simulation *s, const uint32_t *index, size_t n, uint64_t seed, sc_fit *fit) {
  s->options.boost.seed = seed;
  train_on(&s->rows, index, n, &s->options, fit);
}

static void draw(simulation *s, size_t n, uint64_t seed, uint32_t *index) {
  sc_rng rng;
  sc_rng_seed(&rng, seed, 0);
  memcpy(index, s->d.train, s->d.ntrain * sizeof *index);
  for (size_t i = 0; i < n; i++) {
    const size_t j = i + sc_rng_below(&rng, s->d.ntrain - i);
    const uint32_t row = index[i];
    index[i] = index[j];
    index[j] = row;
  }
}

/* How far two models of the same rows are apart is how unsure they are. */
static void doubt(simulation *s, const uint32_t *index, size_t n, uint64_t seed, double *time_s, double *spread) {
  sc_fit fit;
  double *other = room(s->d.ntrain, sizeof *other);
  train(s, index, n, seed, &fit);
  predict_by(&s->rows, &fit, s->d.train, s->d.ntrain, time_s);
  sc_fit_free(&fit);
  train(s, index, n, seed + 1000, &fit);
  predict_by(&s->rows, &fit, s->d.train, s->d.ntrain, other);
  sc_fit_free(&fit);
  for (size_t i = 0; i < s->d.ntrain; i++) {
    spread[i] = 0.02 + fabs(log(other[i] / time_s[i]));
    time_s[i] = sqrt(time_s[i] * other[i]);
  }
  free(other);
}

static void choose(simulation *s, size_t n, uint64_t seed, uint32_t *index) {
  const size_t npool = s->d.ntrain;
  float *features = room(npool * SC_FEATURE_COUNT, sizeof *features);
  uint32_t *task = room(npool, sizeof *task), *chosen = room(n, sizeof *chosen);
  double *time_s = room(npool, sizeof *time_s), *spread = room(npool, sizeof *spread);
  bool *taken = room(npool, sizeof *taken);
  sc_error err = {0};
  size_t have = 0;
  for (size_t i = 0; i < npool; i++) {
    const uint32_t row = s->d.train[i];
    memcpy(features + i * SC_FEATURE_COUNT, s->rows.features + (size_t)row * SC_FEATURE_COUNT,
           SC_FEATURE_COUNT * sizeof *features);
    task[i] = s->rows.task[row];
    time_s[i] = s->rows.analytic_s[row];
  }
  sc_active_pool pool = {npool, s->rows.ntasks, features, task, time_s, NULL, taken};
  for (int round = 1; round <= ROUNDS; round++) {
    const size_t batch = n * (size_t)round / ROUNDS - have;
    if (sc_active_choose(&pool, batch, seed + (uint64_t)round, chosen, &err) != SC_OK) fatal(err.text);
    for (size_t k = 0; k < batch; k++) index[have++] = s->d.train[chosen[k]];
    if (round < ROUNDS) doubt(s, index, have, seed, time_s, spread);
    pool.spread = spread;
  }
  free(features);
  free(task);
  free(chosen);
  free(time_s);
  free(spread);
  free(taken);
}

static void line(simulation *s, const char *how, size_t n, void (*way)(simulation *, size_t, uint64_t, uint32_t *)) {
  uint32_t *index = room(s->d.ntrain, sizeof *index);
  double *predicted_s = room(s->d.ntest, sizeof *predicted_s);
  double top1[SEEDS], sum[3] = {0}, spread = 0;
  for (int seed = 0; seed < SEEDS; seed++) {
    sc_fit fit;
    way(s, n, (uint64_t)seed + 1, index);
    train(s, index, n, (uint64_t)seed, &fit);
    predict_by(&s->rows, &fit, s->d.test, s->d.ntest, predicted_s);
    sc_fit_free(&fit);
    score_rows(&s->rows, s->d.test, s->d.ntest, predicted_s, s->scores);
    top1[seed] = mean_score(s->scores, s->rows.ntasks, SC_TOP1);
    sum[0] += top1[seed] / SEEDS;
    sum[1] += mean_score(s->scores, s->rows.ntasks, SC_PAIRS) / SEEDS;
    sum[2] += mean_score(s->scores, s->rows.ntasks, SC_MAPE) / SEEDS;
  }
  for (int seed = 0; seed < SEEDS; seed++) spread = fmax(spread, fabs(top1[seed] - sum[0]));
  printf("%-10s %6zu   %.4f +- %.4f   %.4f   %.4f\n", how, n, sum[0], spread, sum[1], sum[2]);
  fflush(stdout);
  free(index);
  free(predicted_s);
}

int main(int argc, char **argv) {
  static simulation s;
  sc_error err = {0};
  if (argc < 3) fatal("usage: bench_active KERNELS DATASET ...");
  const sc_train_options options = {.members = 1};
  if (sc_fit_options_of(&options, &s.options, &err) != SC_OK) fatal(err.text);
  s.options.boost.nthread = 0;
  s.rows = load_rows(argv + 2, argc - 2, argv[1]);
  s.d = divide(&s.rows);
  keep_draws(&s);
  if (s.d.ntrain < 100) fatal("too few drawn rows");
  s.scores = room(s.rows.ntasks, sizeof *s.scores);
  printf("%zu rows to choose among, %zu to score; mean of %d seeds\n", s.d.ntrain, s.d.ntest, SEEDS);
  printf("%-10s %6s   %-16s   %-6s   %s\n", "", "rows", "top-1", "pairs", "MAPE");
  for (size_t n = s.d.ntrain / 16; n <= s.d.ntrain; n *= 2) {
    line(&s, "drawn", n, draw);
    if (n <= s.d.ntrain / 2) line(&s, "chosen", n, choose);
  }
  return 0;
}
