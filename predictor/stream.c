/* Training on more rows than memory holds. They come in batches, twice: a sample of whole tasks gives the coefficients of
 * the analytic time, cut points, intervals and scores, as a training of its own would; then bins of all rows go to a file,
 * from which libxgboost takes them part by part, those of one member of the model after those of another. In memory
 * stay two bytes a bin of one member's rows, which libxgboost keeps, and a few numbers a row. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "predictor/names.h"
#include "predictor/train.h"

enum {
  DEFAULT_SAMPLE = 200000,
  LEAST_SAMPLE = 20,
  MOST_PART = 16384 /* rows */,
  PARTS = 16 /* of a member, or more */
};

typedef struct streaming {
  const sc_row_batches *batches;
  const sc_train_options *options;
  sc_fit_options fit_options;
  sc_model *draft;
  sc_names tasks, groups;
  sc_row_sample sample;
  sc_oof oof; /* of the sample */
  sc_fit fit; /* on the sample */
  FILE *file; /* bins of all rows */
  float *label, *scale; /* of all rows */
  uint32_t harness_abi;
  size_t n, at;
  uint8_t *part;
  size_t each; /* rows in one */
} streaming;

static sc_status read_batch(const streaming *s, size_t i, const sc_rows **rows, sc_error *err) {
  SC_TRY(s->batches->read(s->batches->user, i, rows, err));
  return (*rows)->n == 0 ? SC_OK : sc_train_check(*rows, 0, err);
}

/* ---- what is there ---- */

static sc_status survey_batch(streaming *s, size_t i, sc_error *err) {
  const sc_rows *rows;
  SC_TRY(read_batch(s, i, &rows, err));
  if (rows->n == 0) return SC_OK;
  const sc_machine *machine = &s->draft->card.machine;
  if (s->n > 0 && sc_machine_fingerprint(&rows->machine) != sc_machine_fingerprint(machine))
    return sc_fail(err, SC_MISMATCH, "batch %zu is of %s (%s), those before are of %s (%s)", i + 1, rows->machine.name,
                   rows->machine.isa, machine->name, machine->isa);
  if (s->n > 0 && rows->harness_abi != s->harness_abi)
    return sc_fail(err, SC_MISMATCH, "batch %zu was measured in another way than those before", i + 1);
  if (s->n > 0 && (uint32_t)rows->passes != s->draft->card.passes)
    return sc_fail(err, SC_MISMATCH, "labels of batch %zu are of %d passes, those before of %u: ask for one number",
                   i + 1, rows->passes, s->draft->card.passes);
  s->harness_abi = rows->harness_abi;
  s->n += rows->n;
  if (s->n > UINT32_MAX) return sc_fail(err, SC_LIMIT, "%zu rows: more than 2^32", s->n);
  sc_train_describe(rows, NULL, &s->draft->card);
  for (size_t t = 0; t < rows->ntasks; t++)
    if (sc_names_add(&s->tasks, rows->task_name[t]) == SC_NO_NAME) return sc_fail(err, SC_NOMEM, "out of memory");
  for (size_t g = 0; g < rows->ngroups; g++)
    if (sc_names_add(&s->groups, rows->group_name[g]) == SC_NO_NAME) return sc_fail(err, SC_NOMEM, "out of memory");
  return sc_row_sample_add(&s->sample, rows, err);
}

static sc_status survey(streaming *s, sc_error *err) {
  const size_t most = s->options->sample ? s->options->sample : DEFAULT_SAMPLE;
  s->tasks.arena = s->groups.arena = s->draft->arena;
  SC_TRY(sc_row_sample_start(&s->sample, most, s->options->seed, err));
  for (size_t i = 0; i < s->batches->n; i++) SC_TRY(survey_batch(s, i, err));
  s->draft->card.tasks = (uint32_t)s->tasks.n;
  s->draft->card.sample = (uint32_t)s->sample.rows.n;
  SC_TRY(sc_train_groups(s->groups.name, s->groups.n, NULL, s->draft, err));
  return sc_row_sample_end(&s->sample, err);
}

/* ---- the sample ---- */

static sc_status train_sample(streaming *s, sc_error *err) {
  const sc_rows *rows = &s->sample.rows;
  if (rows->n < LEAST_SAMPLE)
    return sc_fail(err, SC_UNSUPPORTED,
                   "no sample of at most %zu rows holds whole tasks with %d together: ask for more", s->sample.most,
                   LEAST_SAMPLE);
  if (rows->ngroups == 1)
    sc_log_printf(&s->options->log, SC_LOG_WARN,
                  "the sample is of one contraction: intervals and scores hold for %s only", rows->task_name[0]);
  sc_log_printf(&s->options->log, SC_LOG_INFO, "%zu rows; out-of-fold models over %zu of them, %zu groups", s->n,
                rows->n, rows->ngroups);
  SC_TRY(sc_oof_calibrated(rows, s->options, &s->oof, err));
  SC_TRY(sc_train_calibrate(rows, &s->oof, &s->draft->card, err));
  uint32_t *index = malloc((rows->n ? rows->n : 1) * sizeof *index);
  if (!index) return sc_fail(err, SC_NOMEM, "out of memory");
  for (size_t i = 0; i < rows->n; i++) index[i] = (uint32_t)i;
  const sc_status status =
      sc_fit_train(rows, index, rows->n, &s->fit_options, s->oof.abs_residual, s->oof.log_scale, &s->fit, NULL, err);
  free(index);
  return status;
}

/* ---- bins of all rows ---- */

/* A file that is gone when it is closed, not in /tmp, which may be memory. */
static FILE *open_file(sc_error *err) {
  const char *folder = getenv("TMPDIR");
  char path[4096];
  if (snprintf(path, sizeof path, "%s/schedcast-XXXXXX", folder && *folder ? folder : "/var/tmp") >= (int)sizeof path)
    errno = ENAMETOOLONG;
  else {
    const int fd = mkstemp(path);
    FILE *file = fd >= 0 ? fdopen(fd, "w+b") : NULL;
    if (fd >= 0) unlink(path);
    if (file) return file;
    if (fd >= 0) close(fd);
  }
  sc_fail(err, SC_IO, "no file for the bins of the rows: %s: %s", path, strerror(errno));
  return NULL;
}

/* The sample's own residuals were fitted: only the other rows tell how large errors are. */
static sc_status bin_part(streaming *s, const sc_rows *rows, size_t first, size_t n, sc_error *err) {
  if (n > s->n - s->at) return sc_fail(err, SC_MISMATCH, "there are more rows than when the batches were first read");
  float *margin = malloc(n * SC_FOREST_OUTPUTS * sizeof *margin);
  if (!margin) return sc_fail(err, SC_NOMEM, "out of memory for %zu rows", n);
  sc_cuts_bins(&s->fit.cuts, rows->features + first * SC_FEATURE_COUNT, n, s->part);
  sc_forest_margins(&s->fit.forest, s->part, n, margin);
  for (size_t i = 0; i < n; i++, s->at++) {
    const size_t row = first + i;
    s->label[s->at] = (float)log(rows->time_s[row] / sc_fit_analytic_s(&s->fit.analytic, &rows->analytic[row]));
    s->scale[s->at] = sc_row_sample_has(&s->sample, rows->task_name[rows->task[row]])
                          ? NAN
                          : fabsf(s->label[s->at] - margin[SC_FOREST_OUTPUTS * i]);
  }
  free(margin);
  if (fwrite(s->part, SC_FEATURE_COUNT, n, s->file) != n)
    return sc_fail(err, SC_IO, "cannot write the bins of the rows (%zu MB, folder TMPDIR): %s",
                   (s->n * SC_FEATURE_COUNT) >> 20, strerror(errno));
  return SC_OK;
}

static sc_status bin_rows(streaming *s, sc_error *err) {
  const size_t each = s->n / (PARTS * (size_t)s->fit_options.boost.members);
  s->each = each < 1 ? 1 : each < MOST_PART ? each : MOST_PART;
  s->part = malloc(s->each * SC_FEATURE_COUNT);
  s->label = malloc(s->n * sizeof *s->label);
  s->scale = malloc(s->n * sizeof *s->scale);
  if (!s->part || !s->label || !s->scale) return sc_fail(err, SC_NOMEM, "out of memory for %zu rows", s->n);
  if (!(s->file = open_file(err))) return SC_IO;
  for (size_t b = 0; b < s->batches->n; b++) {
    const sc_rows *rows;
    SC_TRY(read_batch(s, b, &rows, err));
    for (size_t first = 0; first < rows->n; first += s->each)
      SC_TRY(bin_part(s, rows, first, rows->n - first < s->each ? rows->n - first : s->each, err));
  }
  if (s->at != s->n) return sc_fail(err, SC_MISMATCH, "there are fewer rows than when the batches were first read");
  if (fflush(s->file) == 0) return SC_OK;
  return sc_fail(err, SC_IO, "cannot write the bins of the rows (folder TMPDIR): %s", strerror(errno));
}

static sc_status read_bins(void *user, size_t i, const uint8_t **bins, sc_error *err) {
  streaming *s = user;
  const size_t at = i * s->each, rows = s->n - at < s->each ? s->n - at : s->each;
  *bins = s->part;
  if (fseeko(s->file, (off_t)(at * SC_FEATURE_COUNT), SEEK_SET) == 0 &&
      fread(s->part, SC_FEATURE_COUNT, rows, s->file) == rows)
    return SC_OK;
  return sc_fail(err, SC_IO, "cannot read the bins of the rows again: %s", strerror(errno));
}

/* ---- all rows ---- */

static sc_status train_all(streaming *s, sc_model **model, sc_error *err) {
  const char *names[SC_FEATURE_COUNT];
  for (int f = 0; f < SC_FEATURE_COUNT; f++) names[f] = sc_feature_at(f)->name;
  const sc_fit_options *o = &s->fit_options;
  const sc_boost_target target[2] = {{SC_BOOST_MEAN, s->label, 0, o->boost.rounds},
                                     {SC_BOOST_SCALE, s->scale, (float)s->oof.log_scale, o->scale_rounds}};
  const sc_bin_parts parts = {s->n, s->each, read_bins, s};
  sc_boost_options boost = o->boost;
  sc_booster *booster = NULL;
  sc_str json = {0};
  sc_booster_head head;
  boost.nthread = s->options->nthread; /* one booster: its threads share the rows */
  boost.log = &s->options->log;
  sc_forest_free(&s->fit.forest);
  sc_log_printf(&s->options->log, SC_LOG_INFO, "the model over all %zu rows", s->n);
  sc_status status = sc_booster_train_parts(&parts, SC_FEATURE_COUNT, names, target, 2, &boost, &booster, err);
  if (status == SC_OK) status = sc_booster_json(booster, &json, err);
  if (status == SC_OK)
    status = sc_forest_read("the new model", json.text, json.len, &head, &s->fit.forest, NULL, NULL, err);
  sc_str_free(&json);
  if (status == SC_OK) {
    sc_train_take(s->draft, &s->fit, o);
    memset(&s->fit.forest, 0, sizeof s->fit.forest); /* the draft's */
    status = sc_train_seal(booster, &s->sample.rows, s->draft, model, err);
  }
  sc_booster_free(booster);
  return status;
}

static sc_status train(streaming *s, sc_model **model, sc_error *err) {
  SC_TRY(sc_fit_options_of(s->options, &s->fit_options, err));
  SC_TRY(survey(s, err));
  if (s->sample.rows.n == s->n) return sc_model_train(&s->sample.rows, s->options, model, err);
  SC_TRY(train_sample(s, err));
  SC_TRY(bin_rows(s, err));
  return train_all(s, model, err);
}

sc_status sc_model_train_batches(const sc_row_batches *batches, const sc_train_options *options, sc_model **model,
                                 sc_error *err) {
  static const sc_train_options defaults;
  streaming s = {.batches = batches, .options = options ? options : &defaults};
  if (s.options->base) return sc_fail(err, SC_USAGE, "a base is corrected by rows that fit into memory");
  s.draft = sc_train_draft();
  const sc_status status = s.draft ? train(&s, model, err) : sc_fail(err, SC_NOMEM, "out of memory");
  sc_row_sample_free(&s.sample);
  sc_oof_free(&s.oof);
  sc_fit_free(&s.fit);
  sc_model_free(s.draft);
  if (s.file) fclose(s.file);
  free(s.part);
  free(s.label);
  free(s.scale);
  return status;
}
