/* Our model beside re-implementations of others, on the same rows and pools: scored are the evaluation networks' rows where
 * a dataset holds any, else the development networks'. The others predict log throughput from their own features; ours,
 * without the kernel table, and with all it has. Brackets are 95 % by a bootstrap over groups, the last column is paired.
 *   build/tests/bench_peers KERNELS DATASET ... */
#include "tests/bench/peers/features.h"
#include "tests/bench/simulated.h"

_Static_assert((int)PEER_FEATURES <= (int)SC_FEATURE_COUNT, "they take the place of ours");

enum { DRAWS = 10000 };

typedef struct contest {
  sc_rows rows;
  division d;
  sc_arena *arena;
  const sc_library *library;
  sc_task_scores *ours, *other;
} contest;

/* ---- others' features in the place of ours ---- */

typedef enum kind { ANSOR, RAW } kind;

/* The same rows with other features; the only term of the analytic time is the work, so that what is learned is log
 * throughput. */
static sc_rows with_features(const contest *c, kind which, int *count) {
  sc_rows rows = c->rows;
  rows.nviews = 0;
  rows.features = room(rows.n * SC_FEATURE_COUNT, sizeof *rows.features);
  rows.analytic = room(rows.n, sizeof *rows.analytic);
  for (size_t i = 0; i < rows.n; i++) {
    const sc_record *record = rows.record[i];
    const sc_task *task;
    sc_schedule schedule;
    sc_nest nest;
    sc_error err = {0};
    if (sc_task_parse(c->arena, c->library, record->task, &task, &err) != SC_OK ||
        sc_schedule_parse(task, "the dataset", record->schedule, &schedule, &err) != SC_OK ||
        sc_lower(task, &schedule, &nest, &err) != SC_OK)
      fatal(err.text);
    float *row = rows.features + i * SC_FEATURE_COUNT;
    *count = which == ANSOR ? ansor_features(task, &nest, row) : raw_features(task, &schedule, row);
    rows.analytic[i].compute_s = rows.analytic[i].kernel_s = task->flop / rows.machine.peak_flop_per_s.value;
  }
  return rows;
}

/* ---- a line of the table ---- */

static void put(const sc_metric *m, int digits) {
  char cell[64];
  snprintf(cell, sizeof cell, "%.*f [%.*f-%.*f]", digits, m->value, digits, m->low, digits, m->high);
  printf("  %-21s", cell);
}

static void report(const contest *c, const char *name, sc_task_scores *scores) {
  static const sc_score measures[] = {SC_TOP1, SC_TOP5, SC_PAIRS, SC_MAPE};
  const sc_bootstrap b = {scores, c->rows.ntasks, c->rows.ngroups, DRAWS, 1};
  sc_metric m;
  printf("%-44s", name);
  for (size_t k = 0; k < SC_COUNT_OF(measures); k++) {
    sc_bootstrap_mean(&b, measures[k], &m, NULL);
    put(&m, 3);
  }
  sc_bootstrap_ratio(&b, c->ours, SC_REGRET1, &m, NULL);
  put(&m, 2);
  printf("\n");
  fflush(stdout);
}

static void train_and_score(contest *c, const sc_rows *rows, const sc_train_options *how, sc_task_scores *scores) {
  sc_fit_options options;
  sc_fit fit;
  sc_error err = {0};
  double *predicted_s = room(c->d.ntest, sizeof *predicted_s);
  if (sc_fit_options_of(how, &options, &err) != SC_OK) fatal(err.text);
  options.boost.nthread = 0;
  train_on(rows, c->d.train, c->d.ntrain + (rows->nviews ? c->d.nviews : 0), &options, &fit);
  predict_by(rows, &fit, c->d.test, c->d.ntest, predicted_s);
  score_rows(rows, c->d.test, c->d.ntest, predicted_s, scores);
  sc_fit_free(&fit);
  free(predicted_s);
}

static void contestant(contest *c, const char *name, const sc_rows *rows, const sc_train_options *how) {
  train_and_score(c, rows, how, c->other);
  report(c, name, c->other);
}

static void random_pick(contest *c) {
  double *truth = room(c->rows.n, sizeof *truth);
  for (size_t i = 0; i < c->d.ntest; i++) truth[c->d.test[i]] = c->rows.time_s[c->d.test[i]];
  const sc_scored_times times = {truth, truth, NULL, NULL, NULL};
  if (sc_pools_score(&c->rows, &times, true, c->other, NULL) != SC_OK) fatal("out of memory");
  report(c, "a random pick", c->other);
  free(truth);
}

/* With coefficients fitted on the same training rows. */
static void analytic(contest *c) {
  sc_analytic_fit fit;
  double *predicted_s = room(c->d.ntest, sizeof *predicted_s);
  sc_analytic_fit_rows(&c->rows, c->d.train, c->d.ntrain, &fit);
  for (size_t i = 0; i < c->d.ntest; i++) predicted_s[i] = sc_fit_analytic_s(&fit, &c->rows.analytic[c->d.test[i]]);
  score_rows(&c->rows, c->d.test, c->d.ntest, predicted_s, c->other);
  report(c, "the analytic time with the kernel table", c->other);
  free(predicted_s);
}

int main(int argc, char **argv) {
  static contest c;
  sc_error err = {0};
  char name[80];
  int count;
  if (argc < 3) fatal("usage: bench_peers KERNELS DATASET ...");
  c.arena = sc_arena_new();
  if (!c.arena || sc_library_load(c.arena, NULL, &c.library, &err) != SC_OK) fatal(err.text);
  c.rows = load_rows(argv + 2, argc - 2, argv[1]);
  c.d = divide(&c.rows);
  c.ours = room(c.rows.ntasks, sizeof *c.ours);
  c.other = room(c.rows.ntasks, sizeof *c.other);
  printf("trained on %zu schedules, scored on %zu of %s networks\n%-44s  %-21s  %-21s  %-21s  %-21s  %s\n", c.d.ntrain,
         c.d.ntest, c.rows.forbidden[c.d.test[0]] ? "evaluation" : "development", "", "top-1", "top-5", "pairs>10%",
         "MAPE", "regret@1 / ours");
  const sc_train_options own = {.seed = 1},
                         tenset = {.members = 1,
                                   .trees = 300,
                                   .depth = 8,
                                   .eta = 0.2,
                                   .subsample = 1,
                                   .colsample = 1,
                                   .min_child_weight = 1,
                                   .seed = 1},
                         forest = {.members = 16,
                                   .trees = 1,
                                   .depth = 8,
                                   .eta = 1,
                                   .subsample = 0.63,
                                   .colsample = 0.33,
                                   .min_child_weight = 1,
                                   .seed = 1};
  train_and_score(&c, &c.rows, &own, c.ours);
  report(&c, "ours", c.ours);
  analytic(&c);
  const sc_rows ansor = with_features(&c, ANSOR, &count);
  snprintf(name, sizeof name, "Ansor's %d features, TenSet's XGBoost", count);
  contestant(&c, name, &ansor, &tenset);
  snprintf(name, sizeof name, "Ansor's %d features, our trees", count);
  contestant(&c, name, &ansor, &own);
  const sc_rows raw = with_features(&c, RAW, &count);
  snprintf(name, sizeof name, "%d raw numbers, a forest of 16", count);
  contestant(&c, name, &raw, &forest);
  snprintf(name, sizeof name, "%d raw numbers, our trees", count);
  contestant(&c, name, &raw, &own);
  random_pick(&c);
  return 0;
}
