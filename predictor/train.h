/* Inside the predictor: steps of training that are the same in memory (train.c) and out of core (stream.c). */
#ifndef SC_PREDICTOR_TRAIN_H
#define SC_PREDICTOR_TRAIN_H

#include "predictor/internal.h"

sc_status sc_train_check(const sc_rows *rows, size_t least, sc_error *err);
sc_model *sc_train_draft(void); /* NULL: out of memory */
/* What the card says of rows; again for more of them. */
void sc_train_describe(const sc_rows *rows, const sc_model *base, sc_card *card);
/* Those of these names and of the base, each once. */
sc_status sc_train_groups(const char *const *name, size_t n, const sc_model *base, sc_model *draft, sc_error *err);
/* Intervals, and the scores that the card shows. */
sc_status sc_train_calibrate(const sc_rows *rows, const sc_oof *oof, sc_card *card, sc_error *err);
/* Takes over the fit. */
void sc_train_take(sc_model *draft, const sc_fit *fit, const sc_fit_options *options);
/* Writes the card, with golden ones among these rows, into the booster and reads the whole back as a file would be: what
 * is returned is what was saved. */
sc_status sc_train_seal(sc_booster *booster, const sc_rows *rows, sc_model *draft, sc_model **model, sc_error *err);

/* ---- sample.c: whole tasks of many batches ---- */

typedef struct sc_row_sample {
  sc_rows rows;
  size_t capacity, most; /* rows that there is room for, that stay */
  uint64_t seed, limit; /* a task stays while the hash of its name is below */
  sc_arena *arena;
  struct sc_names *tasks, *groups, *networks;
  sc_record *drawn; /* what a row keeps of its record, by proposal */
} sc_row_sample;
sc_status sc_row_sample_start(sc_row_sample *sample, size_t most, uint64_t seed, sc_error *err);
bool sc_row_sample_has(const sc_row_sample *sample, const char *task);
sc_status sc_row_sample_add(sc_row_sample *sample, const sc_rows *rows, sc_error *err);
/* Numbers names by the rows that stayed. */
sc_status sc_row_sample_end(sc_row_sample *sample, sc_error *err);
void sc_row_sample_free(sc_row_sample *sample);

#endif
