/* Rows <-> the columns of an HDF5 file, and the block of 512 bytes in front of it.
 *
 *   guard   "schedcast-data1\n", u64 bytes that follow the block, u64 XXH3 of them, u64 XXH3 of the block with this field 0,
 *           a line of text, zeros. HDF5 calls such a block a user block and skips it, so that every HDF5 reader reads the file.
 *           HDF5 1.10 can crash on a damaged file: no byte is given to it before the checksum is right.
 *   row/    a column per text (its number) and per number of columns.def; first_pass, counters and first_counter
 *   pass/   the passes of all rows one after another: pass p of row r stands at first_pass[r] + p; ns has 9 a pass
 *   counter/  name (number of a text), valid, value; counter c of row r stands at first_counter[r] + c
 *   text/   bytes of all distinct texts, each ended by a newline that is not part of it; start of each and the end */
#include <stdlib.h>
#include <string.h>

#include "dataset/internal.h"

enum { GUARD = 512, BLOCK_ROWS = 16384, TEXT_BLOCK = 1 << 16 };
static const char guard_magic[16] = {SC_DATASET_MAGIC};
static const char guard_text[] =
    "HDF5 behind a user block of 512 bytes; read it with h5py or dataset-sched, see docs/dataset.md\n";

static void guard_make(const char *bytes, size_t len, char guard[GUARD]) {
  uint64_t n = len, check = sc_hash64(bytes, len, 0), own;
  memset(guard, 0, GUARD);
  memcpy(guard, guard_magic, 16);
  memcpy(guard + 16, &n, 8);
  memcpy(guard + 24, &check, 8);
  memcpy(guard + 40, guard_text, sizeof guard_text);
  own = sc_hash64(guard, GUARD, 0);
  memcpy(guard + 32, &own, 8);
}

static sc_status guard_check(const char *where, const char *bytes, size_t len, sc_error *err) {
  char guard[GUARD];
  uint64_t n;
  if (len < 16 || memcmp(bytes, guard_magic, 16) != 0)
    return sc_fail_in(err, where, SC_FORMAT, "not a dataset of schedcast");
  if (len < GUARD) return sc_fail_in(err, where, SC_FORMAT, "truncated: %zu bytes, no whole head", len);
  memcpy(&n, bytes + 16, 8);
  if (n != len - GUARD)
    return sc_fail_in(err, where, SC_FORMAT, "%s: %zu bytes instead of %llu; `dataset-sched repair` saves what it can",
                      n > len - GUARD ? "truncated" : "damaged", len, (unsigned long long)n + GUARD);
  guard_make(bytes + GUARD, len - GUARD, guard);
  if (memcmp(bytes, guard, GUARD) != 0)
    return sc_fail_in(err, where, SC_FORMAT,
                      "damaged: the checksum is wrong; `dataset-sched repair` saves what it can");
  return SC_OK;
}

/* ---- writing ---- */

/* One column at a time: gathered, written, freed. */
struct gather {
  sc_table *table;
  sc_h5 *h5;
  size_t passes, counters;
  char *column;
};

static sc_status write_texts(struct gather *g, sc_error *err) {
  uint64_t *start = calloc(g->table->ntexts + 1, sizeof *start);
  sc_str bytes = {0};
  for (size_t i = 0; start && i < g->table->ntexts; i++) {
    sc_str_add(&bytes, g->table->text[i]);
    sc_str_addn(&bytes, "\n", 1);
    start[i + 1] = bytes.len;
  }
  sc_status status = !start || bytes.failed ? sc_fail(err, SC_NOMEM, "no memory for the texts") : SC_OK;
  if (status == SC_OK)
    status = sc_h5_write(g->h5, "text", "bytes", "the texts, each ended by a newline", SC_COLUMN_U8,
                         sc_str_text(&bytes), bytes.len, err);
  if (status == SC_OK)
    status = sc_h5_write(g->h5, "text", "start", "text i is bytes[start[i] : start[i+1]-1]", SC_COLUMN_U64, start,
                         g->table->ntexts + 1, err);
  sc_str_free(&bytes);
  free(start);
  return status;
}

/* Texts of a table are interned: the pointer finds the number. */
static uint32_t number_of(sc_table *table, const char *text) {
  uint32_t number = 0;
  sc_status status = sc_table_text(table, text, strlen(text), &number, NULL);
  SC_ASSERT(status == SC_OK);
  return number;
}

static sc_status write_row_columns(struct gather *g, sc_error *err) {
  size_t n = g->table->nrows;
  for (size_t i = 0; i < sc_text_column_count; i++) {
    for (size_t r = 0; r < n; r++)
      ((uint32_t *)g->column)[r] = number_of(g->table, *sc_record_text(sc_table_at(g->table, r), i));
    SC_TRY(
        sc_h5_write(g->h5, "row", sc_text_columns[i].name, sc_text_columns[i].doc, SC_COLUMN_U32, g->column, n, err));
  }
  for (const sc_column *c = sc_number_columns; c < sc_number_columns + sc_number_column_count; c++) {
    size_t size = sc_column_bytes(c->type);
    for (size_t r = 0; r < n; r++) memcpy(g->column + r * size, (char *)sc_table_at(g->table, r) + c->offset, size);
    SC_TRY(sc_h5_write(g->h5, "row", c->name, c->doc, c->type, g->column, n, err));
  }
  uint64_t *first = (uint64_t *)g->column;
  for (size_t r = 0, at = 0; r < n; at += sc_table_at(g->table, r++)->npasses) first[r] = at;
  SC_TRY(sc_h5_write(g->h5, "row", "first_pass", "where the passes of the row begin", SC_COLUMN_U64, first, n, err));
  for (size_t r = 0, at = 0; r < n; at += (size_t)sc_record_counters(sc_table_at(g->table, r++))) first[r] = at;
  SC_TRY(
      sc_h5_write(g->h5, "row", "first_counter", "where the counters of the row begin", SC_COLUMN_U64, first, n, err));
  for (size_t r = 0; r < n; r++) g->column[r] = (char)sc_record_counters(sc_table_at(g->table, r));
  return sc_h5_write(g->h5, "row", "counters", "counters of this row", SC_COLUMN_U8, g->column, n, err);
}

static sc_status write_passes(struct gather *g, sc_error *err) {
  for (const sc_column *c = sc_pass_columns; c < sc_pass_columns + sc_pass_column_count; c++) {
    size_t size = sc_column_bytes(c->type) * c->n;
    char *out = g->column;
    for (size_t r = 0; r < g->table->nrows; r++) {
      const sc_record *row = sc_table_at(g->table, r);
      for (uint32_t p = 0; p < row->npasses; p++, out += size)
        memcpy(out, (const char *)&row->pass[p] + c->offset, size);
    }
    SC_TRY(sc_h5_write(g->h5, "pass", c->name, c->doc, c->type, g->column, g->passes * c->n, err));
  }
  return SC_OK;
}

enum counter_part { COUNTER_NAME, COUNTER_VALID, COUNTER_VALUE };

static sc_status write_counters(struct gather *g, sc_error *err) {
  for (enum counter_part part = COUNTER_NAME; part <= COUNTER_VALUE; part++) {
    size_t at = 0;
    for (size_t r = 0; r < g->table->nrows; r++) {
      const sc_record *row = sc_table_at(g->table, r);
      for (int i = 0; i < sc_record_counters(row); i++, at++) {
        if (part == COUNTER_NAME) ((uint32_t *)g->column)[at] = number_of(g->table, row->counter_name[i]);
        if (part == COUNTER_VALID) g->column[at] = row->counter_mask >> i & 1;
        if (part == COUNTER_VALUE) ((double *)g->column)[at] = row->counter[i];
      }
    }
    if (part == COUNTER_NAME)
      SC_TRY(sc_h5_write(g->h5, "counter", "name", "text: the event", SC_COLUMN_U32, g->column, at, err));
    if (part == COUNTER_VALID)
      SC_TRY(sc_h5_write(g->h5, "counter", "valid", "0: it could not be had", SC_COLUMN_U8, g->column, at, err));
    if (part == COUNTER_VALUE)
      SC_TRY(sc_h5_write(g->h5, "counter", "value", "events per call", SC_COLUMN_F64, g->column, at, err));
  }
  return SC_OK;
}

static sc_status write_all(struct gather *g, sc_error *err) {
  size_t cells = g->table->nrows;
  for (size_t r = 0; r < g->table->nrows; r++) {
    sc_record *row = sc_table_at(g->table, r);
    g->passes += row->npasses;
    g->counters += (size_t)sc_record_counters(row);
    for (int i = 0; i < sc_record_counters(row); i++) { /* before the texts are written */
      uint32_t number;
      SC_TRY(sc_table_text(g->table, row->counter_name[i], strlen(row->counter_name[i]), &number, err));
    }
  }
  if (g->passes > cells) cells = g->passes;
  if (g->counters > cells) cells = g->counters;
  g->column = calloc(cells + 1, sizeof(float) * SC_REPEATS); /* the widest cell */
  if (!g->column) return sc_fail(err, SC_NOMEM, "no memory for a column of %zu", cells);
  SC_TRY(write_texts(g, err));
  SC_TRY(write_row_columns(g, err));
  SC_TRY(write_passes(g, err));
  return write_counters(g, err);
}

sc_status sc_columns_write(sc_table *table, sc_str *out, sc_error *err) {
  struct gather g = {.table = table};
  char guard[GUARD] = {0};
  SC_TRY(sc_h5_create(&g.h5, err));
  sc_status status = write_all(&g, err);
  free(g.column);
  sc_str_addn(out, guard, GUARD);
  if (status == SC_OK) status = sc_h5_image(g.h5, out, err);
  sc_h5_close(g.h5);
  if (status != SC_OK) return status;
  if (out->failed) return sc_fail(err, SC_NOMEM, "no memory for the file");
  guard_make(out->text + GUARD, out->len - GUARD, out->text);
  return SC_OK;
}

/* ---- reading ---- */

struct scatter {
  sc_h5 *h5;
  sc_table *table;
  size_t nrows, npasses, ncounters, ntexts;
  const char **text; /* by number in the file; NULL = unreadable */
  bool salvage;
  sc_salvage_fn *each;
  void *user;
  sc_record *row; /* BLOCK_ROWS */
  char *column; /* one column of a block */
};

/* The texts; in salvage those whose bytes can be read. */
static sc_status read_texts(struct scatter *s, sc_error *err) {
  size_t nbytes, n, lost = 0;
  SC_TRY(sc_h5_size(s->h5, "text", "bytes", SC_COLUMN_U8, &nbytes, err));
  SC_TRY(sc_h5_size(s->h5, "text", "start", SC_COLUMN_U64, &n, err));
  uint64_t *start = n && n < UINT32_MAX ? calloc(n, sizeof *start) : NULL;
  char *bytes = calloc(nbytes + 1, 1);
  s->text = calloc(n + 1, sizeof *s->text);
  sc_status status = start && bytes && s->text ? SC_OK : sc_fail(err, SC_NOMEM, "no memory for %zu texts", n);
  if (status == SC_OK) status = sc_h5_read(s->h5, "text", "start", SC_COLUMN_U64, 0, n, start, err);
  for (size_t at = 0; status == SC_OK && at < nbytes; at += TEXT_BLOCK) {
    size_t step = nbytes - at < TEXT_BLOCK ? nbytes - at : TEXT_BLOCK;
    status = sc_h5_read(s->h5, "text", "bytes", SC_COLUMN_U8, at, step, bytes + at, err);
    if (status == SC_OK || !s->salvage) continue;
    memset(bytes + at, 0, step);
    status = SC_OK;
    lost++;
  }
  for (size_t i = 0; status == SC_OK && i + 1 < n; i++) {
    uint32_t number;
    bool ok = start[i] < start[i + 1] && start[i + 1] <= nbytes && bytes[start[i + 1] - 1] == '\n' &&
              !memchr(bytes + start[i], 0, start[i + 1] - start[i]);
    if (ok) status = sc_table_text(s->table, bytes + start[i], start[i + 1] - start[i] - 1, &number, err);
    else if (!s->salvage) status = sc_fail(err, SC_FORMAT, "text %zu of the file makes no sense", i);
    if (ok && status == SC_OK) s->text[i] = s->table->text[number];
  }
  s->ntexts = n ? n - 1 : 0;
  free(bytes);
  free(start);
  return status;
}

static bool text_of(const struct scatter *s, uint32_t number, const char **text) {
  *text = number < s->ntexts ? s->text[number] : NULL;
  return *text != NULL;
}

/* Numbers and texts of rows first .. first+n-1 into s->row. */
static sc_status read_row_columns(struct scatter *s, size_t first, size_t n, sc_error *err) {
  memset(s->row, 0, n * sizeof *s->row);
  for (size_t i = 0; i < sc_text_column_count; i++) {
    for (size_t r = 0; r < n; r++) *sc_record_text(&s->row[r], i) = "";
    if (i >= SC_FIRST_TEXTS && !sc_h5_has(s->h5, "row", sc_text_columns[i].name)) continue; /* an older file */
    SC_TRY(sc_h5_read(s->h5, "row", sc_text_columns[i].name, SC_COLUMN_U32, first, n, s->column, err));
    for (size_t r = 0; r < n; r++)
      if (!text_of(s, ((uint32_t *)s->column)[r], sc_record_text(&s->row[r], i)) && !s->salvage)
        return sc_fail(err, SC_FORMAT, "row %zu names a text that is not there", first + r);
  }
  for (const sc_column *c = sc_number_columns; c < sc_number_columns + sc_number_column_count; c++) {
    size_t size = sc_column_bytes(c->type);
    SC_TRY(sc_h5_read(s->h5, "row", c->name, c->type, first, n, s->column, err));
    for (size_t r = 0; r < n; r++) memcpy((char *)&s->row[r] + c->offset, s->column + r * size, size);
  }
  for (size_t r = 0; r < n; r++)
    if (s->row[r].npasses > SC_MAX_PASSES)
      return sc_fail(err, SC_FORMAT, "row %zu has %u passes", first + r, s->row[r].npasses);
  return SC_OK;
}

/* Where the first row of a block begins in a longer table; the rows of a block stand there one after another. */
static sc_status block_start(struct scatter *s, const char *column, size_t first, size_t need, size_t have,
                             size_t *start, sc_error *err) {
  uint64_t at;
  SC_TRY(sc_h5_read(s->h5, "row", column, SC_COLUMN_U64, first, 1, &at, err));
  if (at > have || need > have - at) return sc_fail(err, SC_FORMAT, "%s of row %zu is out of range", column, first);
  *start = (size_t)at;
  return SC_OK;
}

static sc_status read_passes(struct scatter *s, size_t first, size_t n, sc_error *err) {
  size_t total = 0, start;
  for (size_t r = 0; r < n; r++) total += s->row[r].npasses;
  SC_TRY(block_start(s, "first_pass", first, total, s->npasses, &start, err));
  for (const sc_column *c = sc_pass_columns; c < sc_pass_columns + sc_pass_column_count; c++) {
    size_t size = sc_column_bytes(c->type) * c->n;
    SC_TRY(sc_h5_read(s->h5, "pass", c->name, c->type, start * c->n, total * c->n, s->column, err));
    const char *in = s->column;
    for (size_t r = 0; r < n; r++)
      for (uint32_t p = 0; p < s->row[r].npasses; p++, in += size)
        memcpy((char *)&s->row[r].pass[p] + c->offset, in, size);
  }
  return SC_OK;
}

static sc_status put_counter(struct scatter *s, sc_record *row, int i, uint32_t name, uint8_t valid, double value,
                             sc_error *err) {
  const char *text;
  if (!text_of(s, name, &text) || !*text || strlen(text) >= SC_NAME || valid > 1)
    return sc_fail(err, SC_FORMAT, "a counter makes no sense");
  memcpy(row->counter_name[i], text, strlen(text));
  row->counter_mask |= (uint32_t)valid << i;
  row->counter[i] = value;
  return SC_OK;
}

static sc_status read_counters(struct scatter *s, size_t first, size_t n, sc_error *err) {
  uint8_t *count = malloc(n);
  size_t total = 0, start = 0;
  uint32_t *name = NULL;
  sc_status status = count ? sc_h5_read(s->h5, "row", "counters", SC_COLUMN_U8, first, n, count, err) : SC_NOMEM;
  for (size_t r = 0; status == SC_OK && r < n; r++) {
    total += count[r];
    if (count[r] > SC_MAX_COUNTERS) status = sc_fail(err, SC_FORMAT, "row %zu has %u counters", first + r, count[r]);
  }
  if (status == SC_OK) status = block_start(s, "first_counter", first, total, s->ncounters, &start, err);
  if (status == SC_OK && !(name = malloc(total * 13 + 1))) status = SC_NOMEM;
  double *value = (double *)s->column;
  uint8_t *valid = (uint8_t *)(name ? name + total : NULL);
  if (status == SC_OK) status = sc_h5_read(s->h5, "counter", "name", SC_COLUMN_U32, start, total, name, err);
  if (status == SC_OK) status = sc_h5_read(s->h5, "counter", "valid", SC_COLUMN_U8, start, total, valid, err);
  if (status == SC_OK) status = sc_h5_read(s->h5, "counter", "value", SC_COLUMN_F64, start, total, value, err);
  for (size_t r = 0, at = 0; status == SC_OK && r < n; r++)
    for (int i = 0; status == SC_OK && i < count[r]; i++, at++)
      status = put_counter(s, &s->row[r], i, name[at], valid[at], value[at], err);
  if (status == SC_NOMEM) sc_fail(err, SC_NOMEM, "no memory for %zu counters", total);
  free(count);
  free(name);
  return status;
}

static sc_status read_block(struct scatter *s, size_t first, size_t n, sc_error *err) {
  SC_TRY(read_row_columns(s, first, n, err));
  SC_TRY(read_passes(s, first, n, err));
  SC_TRY(read_counters(s, first, n, err));
  for (size_t r = 0; r < n; r++) {
    bool whole = true;
    for (size_t i = 0; i < sc_text_column_count; i++) whole = whole && *sc_record_text(&s->row[r], i);
    if (!s->salvage) SC_TRY(sc_table_put(s->table, &s->row[r], err));
    else if (whole && sc_record_check(&s->row[r], NULL) == SC_OK) s->each(s->user, &s->row[r]);
  }
  return SC_OK;
}

static sc_status read_blocks(struct scatter *s, sc_error *err) {
  SC_TRY(read_texts(s, err));
  SC_TRY(sc_h5_size(s->h5, "row", "npasses", SC_COLUMN_U32, &s->nrows, err));
  SC_TRY(sc_h5_size(s->h5, "pass", "unix_ns", SC_COLUMN_I64, &s->npasses, err));
  SC_TRY(sc_h5_size(s->h5, "counter", "value", SC_COLUMN_F64, &s->ncounters, err));
  s->row = malloc(BLOCK_ROWS * sizeof *s->row);
  s->column =
      malloc((size_t)BLOCK_ROWS * SC_MAX_PASSES * SC_REPEATS * sizeof(float)); /* the widest block of a column */
  if (!s->row || !s->column) return sc_fail(err, SC_NOMEM, "no memory for %d rows", BLOCK_ROWS);
  for (size_t first = 0; first < s->nrows; first += BLOCK_ROWS) {
    size_t n = s->nrows - first < BLOCK_ROWS ? s->nrows - first : BLOCK_ROWS;
    sc_status status = read_block(s, first, n, err);
    if (status != SC_OK && !s->salvage) return status;
  }
  return SC_OK;
}

static sc_status read_image(struct scatter *s, const char *bytes, size_t len, sc_error *err) {
  SC_TRY(sc_h5_open(bytes, len, &s->h5, err));
  sc_status status = read_blocks(s, err);
  sc_h5_close(s->h5);
  free(s->row);
  free(s->column);
  free(s->text);
  return status;
}

sc_status sc_columns_read(const char *where, const char *bytes, size_t len, sc_table *table, sc_error *err) {
  struct scatter s = {.table = table};
  sc_error inner = {0};
  SC_TRY(guard_check(where, bytes, len, err));
  sc_status status = read_image(&s, bytes + GUARD, len - GUARD, &inner);
  return status == SC_OK ? SC_OK : sc_fail_in(err, where, status, "%s", inner.text);
}

void sc_columns_salvage(const char *bytes, size_t len, sc_table *scratch, sc_salvage_fn *each, void *user) {
  struct scatter s = {.table = scratch, .salvage = true, .each = each, .user = user};
  uint64_t n = 0;
  if (len <= GUARD) return;
  memcpy(&n, bytes + 16, 8);
  size_t whole = len - GUARD; /* HDF5 refuses a short file: zeros stand for what was cut off */
  if (n > whole && n / 16 < whole) whole = (size_t)n;
  char *image = calloc(whole, 1);
  if (!image) return;
  memcpy(image, bytes + GUARD, len - GUARD);
  read_image(&s, image, whole, NULL);
  free(image);
}
