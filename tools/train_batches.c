/* train-sched --out-of-core: a dataset is a batch. */
#include "tools/train.h"

typedef struct reading {
  tool *t;
  char **paths;
  const sc_rows_options *how;
  sc_arena *arena; /* of the rows that are there */
  sc_dataset *dataset;
  sc_rows rows;
  size_t nread, n;
} reading;

static void forget(reading *r) {
  sc_dataset_close(r->dataset, NULL);
  sc_arena_free(r->arena);
  r->dataset = NULL;
  r->arena = NULL;
}

static sc_status read_batch(void *user, size_t i, const sc_rows **rows, sc_error *err) {
  reading *r = user;
  forget(r);
  r->arena = sc_arena_new();
  if (!r->arena) return sc_fail(err, SC_NOMEM, "out of memory for %s", r->paths[i]);
  SC_TRY(sc_dataset_open(r->paths[i], SC_DATASET_READ, &r->dataset, err));
  SC_TRY(sc_rows_build(r->arena, r->t->library, r->dataset, r->how, &r->rows, err));
  if (r->nread++ < r->n) {
    tool_say(r->t, "%s:", r->paths[i]);
    train_say_rows(r->t, &r->rows);
  }
  *rows = &r->rows;
  return SC_OK;
}

sc_status train_on_batches(tool *t, int n, char **paths, const sc_rows_options *how, const sc_train_options *to,
                           sc_model **model) {
  reading r = {.t = t, .paths = paths, .how = how, .n = (size_t)n};
  const sc_row_batches batches = {(size_t)n, read_batch, &r};
  const sc_status status = sc_model_train_batches(&batches, to, model, &t->err);
  forget(&r);
  return status;
}
