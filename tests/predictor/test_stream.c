/* Training on batches: where the sample holds everything it is training; else the trees see all rows, the card says what
 * the rest rests on, and the model is as good. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

#include "predictor/train.h"
#include "tests/predictor/synthetic.h"

enum { TASKS = 24, EACH = 40, BATCHES = 5 };

typedef struct fixture {
  synthetic s;
  sc_rows batch;
  size_t first[BATCHES + 1]; /* tasks */
  size_t read, broken; /* calls; the batch that cannot be read */
  bool other_machine, forbidden;
} fixture;

static const sc_train_options quick = {.members = 2, .trees = 15, .depth = 5, .eta = 0.4, .seed = 7, .nthread = 2};

/* Some noise, so that there is a scale to learn. */
static double noise(const float *row, sc_rng *rng) {
  (void)row;
  return 0.05 * synthetic_normal(rng);
}

static int set_up(void **state) {
  fixture *f = calloc(1, sizeof *f);
  *state = f;
  for (size_t b = 0; b <= BATCHES; b++) f->first[b] = TASKS * b / BATCHES;
  return synthetic_make(&f->s, TASKS, EACH, 1, noise) != SC_OK;
}

static int tear_down(void **state) {
  fixture *f = *state;
  synthetic_free(&f->s);
  free(f);
  return 0;
}

/* A part of the rows, with tasks of its own numbering. */
static sc_status read_batch(void *user, size_t i, const sc_rows **rows, sc_error *err) {
  static uint32_t task[TASKS * EACH], network[TASKS * EACH];
  fixture *f = user;
  const size_t at = f->first[i] * EACH;
  f->read++;
  if (i == f->broken) return sc_fail(err, SC_IO, "no batch %zu", i);
  f->batch = f->s.rows;
  f->batch.n = (f->first[i + 1] - f->first[i]) * EACH;
  f->batch.ntasks = f->batch.ngroups = f->first[i + 1] - f->first[i];
  f->batch.task_name += f->first[i];
  f->batch.group_name += f->first[i];
  f->batch.features += at * SC_FEATURE_COUNT;
  f->batch.time_s += at;
  f->batch.analytic_s += at;
  f->batch.analytic += at;
  f->batch.half_a_s += at;
  f->batch.half_b_s += at;
  f->batch.record += at;
  f->batch.forbidden += at;
  for (size_t k = 0; k < f->batch.n; k++) {
    task[k] = (uint32_t)(k / EACH);
    network[k] = f->s.rows.network[at + k];
  }
  f->batch.task = f->batch.group = task;
  f->batch.network = network;
  if (i == 3 && f->other_machine) f->batch.machine.isa[0] = '?';
  if (i == 3) f->batch.forbidden[7] = f->forbidden;
  *rows = &f->batch;
  return SC_OK;
}

static sc_status train(fixture *f, size_t sample, sc_model **model, sc_error *err) {
  const sc_row_batches batches = {BATCHES, read_batch, f};
  sc_train_options options = quick;
  options.sample = sample;
  return sc_model_train_batches(&batches, &options, model, err);
}

static void a_sample_of_all_is_training(void **state) {
  fixture *f = *state;
  sc_model *whole, *batches;
  f->broken = BATCHES;
  assert_int_equal(sc_model_train(&f->s.rows, &quick, &whole, NULL), SC_OK);
  assert_int_equal(train(f, TASKS * EACH, &batches, NULL), SC_OK);
  assert_int_equal(f->read, BATCHES);
  assert_true(whole->card.trees == batches->card.trees && whole->card.sample == 0);
  assert_string_equal(strstr(whole->json, "\"learner_model_param\""), strstr(batches->json, "\"learner_model_param\""));
  sc_model_free(whole);
  sc_model_free(batches);
}

/* Mean of |log(time / predicted)|. */
static double error_of(const fixture *f, const sc_model *model) {
  const sc_rows *r = &f->s.rows;
  static uint8_t bins[TASKS * EACH][SC_FEATURE_COUNT];
  static float margin[TASKS * EACH][SC_FOREST_OUTPUTS];
  double sum = 0;
  sc_cuts_bins(&model->cuts, r->features, r->n, bins[0]);
  sc_forest_margins(&model->forest, bins[0], r->n, margin[0]);
  for (size_t i = 0; i < r->n; i++)
    sum += fabs(log(r->time_s[i] / sc_fit_analytic_s(&model->card.analytic, &r->analytic[i])) - (double)margin[i][0]);
  return sum / (double)r->n;
}

static void trees_see_all_rows(void **state) {
  fixture *f = *state;
  sc_model *whole, *few, *again, *all;
  f->broken = BATCHES;
  f->read = 0;
  assert_int_equal(train(f, TASKS * EACH / 3, &all, NULL), SC_OK);
  assert_int_equal(f->read, 2 * BATCHES);
  assert_int_equal(train(f, TASKS * EACH / 3, &again, NULL), SC_OK);
  assert_true(sc_model_hash(all) == sc_model_hash(again));
  assert_true(all->card.rows == TASKS * EACH && all->card.tasks == TASKS && all->card.ngroups == TASKS);
  assert_in_range(all->card.sample, EACH, TASKS * EACH / 3);
  assert_int_equal(all->card.sample % EACH, 0); /* whole tasks */
  for (size_t t = 0; t < TASKS; t++) assert_true(sc_model_saw(all, f->s.rows.group_name[t]));

  sc_row_sample sample;
  const sc_rows *rows;
  assert_int_equal(sc_row_sample_start(&sample, TASKS * EACH / 3, quick.seed, NULL), SC_OK);
  for (size_t b = BATCHES; b-- > 0;) { /* in whatever order */
    assert_int_equal(read_batch(f, b, &rows, NULL), SC_OK);
    assert_int_equal(sc_row_sample_add(&sample, rows, NULL), SC_OK);
  }
  assert_int_equal(sc_row_sample_end(&sample, NULL), SC_OK);
  assert_int_equal(sample.rows.n, all->card.sample);
  assert_int_equal(sample.rows.ntasks * EACH, sample.rows.n);
  assert_int_equal(sc_model_train(&sample.rows, &quick, &few, NULL), SC_OK);
  assert_int_equal(sc_model_train(&f->s.rows, &quick, &whole, NULL), SC_OK);
  print_message("mean error: %.4f by all rows, %.4f of them in batches, %.4f by the sample\n", error_of(f, whole),
                error_of(f, all), error_of(f, few));
  assert_true(error_of(f, all) < 0.75 * error_of(f, few));
  assert_int_equal(sc_model_verify(all, 100, 1, NULL), SC_OK);
  sc_row_sample_free(&sample);
  sc_model_free(whole);
  sc_model_free(few);
  sc_model_free(again);
  sc_model_free(all);
}

static void what_goes_wrong_is_said(void **state) {
  fixture *f = *state;
  sc_model *model = NULL;
  sc_error err;
  f->broken = 4;
  assert_int_equal(train(f, 300, &model, &err), SC_IO);
  assert_string_equal(err.text, "no batch 4");
  f->broken = BATCHES;
  f->other_machine = true;
  assert_int_equal(train(f, 300, &model, &err), SC_MISMATCH);
  f->other_machine = false;
  f->forbidden = true;
  assert_int_equal(train(f, 300, &model, &err), SC_MISMATCH);
  f->forbidden = false;
  setenv("TMPDIR", "/nowhere", 1);
  assert_int_equal(train(f, 300, &model, &err), SC_IO);
  assert_non_null(strstr(err.text, "/nowhere"));
  setenv("TMPDIR", "/dev/full", 1); /* no folder */
  assert_int_equal(train(f, 300, &model, &err), SC_IO);
  unsetenv("TMPDIR");
  assert_null(model);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(a_sample_of_all_is_training),
                                     cmocka_unit_test(trees_see_all_rows), cmocka_unit_test(what_goes_wrong_is_said)};
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
