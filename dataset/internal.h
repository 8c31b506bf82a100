/* Inside dataset/: the table of columns, the rows in memory, and the two forms on disk.
 *   record.c   what a record is: identity, label, union of two
 *   rows.c     rows and texts in memory
 *   journal.c  frames appended one by one, each with its checksum
 *   columns.c  rows <-> columns of an HDF5 file, and the block in front of it that guards it
 *   hdf5.c     columns <-> the HDF5 library */
#ifndef SC_DATASET_INTERNAL_H
#define SC_DATASET_INTERNAL_H

#include "dataset/dataset.h"

#pragma GCC visibility push(hidden)

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the journal and the guard block are little-endian");

/* ---- columns ---- */

typedef enum sc_column_type {
  SC_COLUMN_U8,
  SC_COLUMN_U16,
  SC_COLUMN_U32,
  SC_COLUMN_U64,
  SC_COLUMN_I64,
  SC_COLUMN_F32,
  SC_COLUMN_F64
} sc_column_type;
typedef struct sc_column {
  const char *name, *doc;
  sc_column_type type;
  size_t offset, n; /* in sc_record or sc_pass; elements a row */
} sc_column;
size_t sc_column_bytes(sc_column_type type);
extern const sc_column sc_text_columns[], sc_number_columns[], sc_pass_columns[];
extern const size_t sc_text_column_count, sc_number_column_count, sc_pass_column_count;
enum { SC_FIRST_TEXTS = 6 }; /* texts of the first version; a file or frame of it has no others */
static inline const char **sc_record_text(sc_record *record, size_t i) {
  return (const char **)((char *)record + sc_text_columns[i].offset);
}

/* ---- records ---- */

/* Adds what `from` knows to `to` (of equal identity): commutative but for the order of rows, idempotent. */
void sc_record_unite(sc_record *to, const sc_record *from);
/* Values in range, texts not NULL: what may enter a dataset. */
sc_status sc_record_check(const sc_record *record, sc_error *err);
int sc_record_counters(const sc_record *record); /* named slots; they come first */

/* ---- rows in memory ---- */

typedef struct sc_hash_index { /* 64-bit key -> numbers, open addressing */
  uint64_t *key;
  uint32_t *value; /* number + 1, 0 = free */
  size_t slots, used;
} sc_hash_index;

typedef struct sc_table {
  sc_arena *arena; /* texts and blocks of records: pointers stay valid */
  sc_record **block;
  size_t nrows, nblocks;
  sc_hash_index rows, texts;
  const char **text;
  size_t ntexts, texts_cap;
} sc_table;
sc_status sc_table_init(sc_table *table, sc_error *err);
void sc_table_free(sc_table *table);
sc_record *sc_table_at(const sc_table *table, size_t i);
sc_record *sc_table_find(const sc_table *table, uint64_t identity);
/* Number of a text, which is copied when new. */
sc_status sc_table_text(sc_table *table, const char *text, size_t len, uint32_t *number, sc_error *err);
/* Adds a record, or unites it with the row of its identity. Its texts are copied. */
sc_status sc_table_put(sc_table *table, const sc_record *record, sc_error *err);

/* ---- journal ---- */

enum { SC_JOURNAL_HEAD = 160 }; /* bytes: magic, generation, its checksum, who holds the file */
/* Where a writer stands. `generation` seeds every checksum: frames of an earlier life of the file are no frames. */
typedef struct sc_journal {
  uint64_t generation, length, synced; /* bytes: written, known to be on disk */
  uint32_t *id; /* by number of text: its id in this journal + 1 */
  size_t nids;
  uint32_t next_id;
} sc_journal;
void sc_journal_head(const sc_journal *journal, const char *holder, char head[SC_JOURNAL_HEAD]);
/* Appends the frames of one record (and of its texts that the journal does not hold yet) / of one mark to out. */
sc_status sc_journal_record(sc_journal *journal, sc_table *table, const sc_record *record, sc_str *out, sc_error *err);
void sc_journal_mark(const sc_journal *journal, uint64_t identity, bool stale, sc_str *out);
/* Replays a journal into the table. A torn tail is normal (its bytes are counted); damage before bytes that were
 * synced is SC_FORMAT, or with `salvage` skipped. `journal` = where a writer goes on: generation, length, next_id;
 * length 0 when there was not even a head. */
sc_status sc_journal_replay(const char *where, const char *bytes, size_t len, bool salvage, sc_table *table,
                            sc_journal *journal, size_t *dropped, sc_error *err);

/* ---- files ---- */

/* A whole file: guard block and HDF5. `where` names it in errors. */
sc_status sc_columns_write(sc_table *table, sc_str *out, sc_error *err);
sc_status sc_columns_read(const char *where, const char *bytes, size_t len, sc_table *table, sc_error *err);
/* Reads what can be read of a damaged file, block of rows by block of rows, and calls `each` for the rows. HDF5 1.10
 * may crash or hang on such bytes: call it in a child. */
typedef void sc_salvage_fn(void *user, const sc_record *record);
void sc_columns_salvage(const char *bytes, size_t len, sc_table *scratch, sc_salvage_fn *each, void *user);

typedef struct sc_h5 sc_h5;
sc_status sc_h5_create(sc_h5 **h5, sc_error *err);
sc_status sc_h5_write(sc_h5 *h5, const char *group, const char *name, const char *doc, sc_column_type type,
                      const void *data, size_t n, sc_error *err);
sc_status sc_h5_image(sc_h5 *h5, sc_str *out, sc_error *err); /* appends the finished file */
sc_status sc_h5_open(const char *bytes, size_t len, sc_h5 **h5, sc_error *err);
bool sc_h5_has(sc_h5 *h5, const char *group, const char *name);
sc_status sc_h5_size(sc_h5 *h5, const char *group, const char *name, sc_column_type type, size_t *n, sc_error *err);
sc_status sc_h5_read(sc_h5 *h5, const char *group, const char *name, sc_column_type type, size_t first, size_t n,
                     void *data, sc_error *err);
void sc_h5_close(sc_h5 *h5);

/* An error in a file. */
sc_status sc_fail_in(sc_error *err, const char *where, sc_status status, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#pragma GCC visibility pop
#endif
