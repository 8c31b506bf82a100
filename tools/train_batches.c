/* train-sched --out-of-core: a dataset is a batch. */
#include "tools/train.h"

typedef struct reading {
  tool *t;
  char **paths;
  const sc_rows_options *how;
  sc_rows_file file; /* that is there */
  size_t nread, n;
} reading;

static sc_status read_batch(void *user, size_t i, const sc_rows **rows, sc_error *err) {
  reading *r = user;
  SC_TRY(sc_rows_open(r->t->library, r->paths[i], r->how, &r->file, err));
  if (r->nread++ < r->n) {
    tool_say(r->t, "%s:", r->paths[i]);
    train_say_rows(r->t, &r->file.rows);
  }
  *rows = &r->file.rows;
  return SC_OK;
}

sc_status train_on_batches(tool *t, int n, char **paths, const sc_rows_options *how, const sc_train_options *to,
                           sc_model **model) {
  reading r = {.t = t, .paths = paths, .how = how, .n = (size_t)n};
  const sc_row_batches batches = {(size_t)n, read_batch, &r};
  const sc_status status = sc_model_train_batches(&batches, to, model, &t->err);
  sc_rows_close(&r.file);
  return status;
}
