/* The journal: frames appended one by one, so that a process may be killed at any instruction and a machine may lose
 * power at any moment and no row is lost that was acknowledged.
 *
 *   head    "schedcast-jrnl1\n", u64 generation, u64 XXH3 of it, 128 bytes: who holds the file
 *   frame   u32 0x4d524653 "SFRM", u32 n, u64 synced, u64 XXH3(synced, payload; seed = generation), n bytes of payload
 *   payload 'T' u32 id, the text | 'Q' texts' ids, numbers, passes, counters of columns.def (a journal of the first version
 *           has 'R' with its SC_FIRST_TEXTS texts) | 'S' u64 identity, u8 stale
 *
 * `synced` says how much of the journal was known to be on disk when the frame was written. A damaged frame is a torn
 * tail, and dropped, unless a later frame vouches that the place was on disk: then acknowledged rows are damaged, and
 * that is an error. A new generation begins whenever the journal is emptied, so stale blocks are never taken for frames. */
#include <stdlib.h>
#include <string.h>

#include "dataset/internal.h"

enum { FRAME_HEAD = 24, MAX_PAYLOAD = 1 << 24 };
static const char magic[16] = {"schedcast-jrnl1\n"};
static const uint32_t frame_magic = 0x4d524653;

void sc_journal_head(const sc_journal *journal, const char *holder, char head[SC_JOURNAL_HEAD]) {
  uint64_t check = sc_hash64(&journal->generation, 8, 0);
  memset(head, 0, SC_JOURNAL_HEAD);
  memcpy(head, magic, 16);
  memcpy(head + 16, &journal->generation, 8);
  memcpy(head + 24, &check, 8);
  strncpy(head + 32, holder, SC_JOURNAL_HEAD - 33);
}

/* ---- writing ---- */

static uint64_t checksum(uint64_t generation, uint64_t synced, const char *payload, size_t n) {
  return sc_hash64(payload, n, generation ^ sc_hash64(&synced, 8, generation));
}

/* A frame is begun, filled and ended in place. */
static size_t begin_frame(sc_str *out) {
  char head[FRAME_HEAD] = {0};
  sc_str_addn(out, head, FRAME_HEAD);
  return out->len;
}

static void end_frame(const sc_journal *journal, sc_str *out, size_t payload) {
  if (out->failed) return;
  uint32_t n = (uint32_t)(out->len - payload);
  uint64_t check = checksum(journal->generation, journal->synced, out->text + payload, n);
  char *head = out->text + payload - FRAME_HEAD;
  memcpy(head, &frame_magic, 4);
  memcpy(head + 4, &n, 4);
  memcpy(head + 8, &journal->synced, 8);
  memcpy(head + 16, &check, 8);
}

/* The id of a text in this journal; writes the text first when it is new to it. */
static sc_status text_id(sc_journal *journal, sc_table *table, const char *text, sc_str *out, uint32_t *id,
                         sc_error *err) {
  uint32_t number;
  size_t len = text ? strlen(text) : 0;
  if (len > MAX_PAYLOAD / 2) return sc_fail(err, SC_LIMIT, "a text of %zu bytes in a record", len);
  SC_TRY(sc_table_text(table, text ? text : "", len, &number, err));
  if (number >= journal->nids) {
    size_t n = (size_t)number * 2 + 256;
    uint32_t *grown = realloc(journal->id, n * sizeof *grown);
    if (!grown) return sc_fail(err, SC_NOMEM, "no memory for %zu texts", n);
    memset(grown + journal->nids, 0, (n - journal->nids) * sizeof *grown);
    journal->id = grown;
    journal->nids = n;
  }
  if (!journal->id[number]) {
    journal->id[number] = ++journal->next_id;
    size_t payload = begin_frame(out);
    sc_str_addn(out, "T", 1);
    sc_str_addn(out, (const char *)&journal->id[number], 4);
    sc_str_addn(out, text ? text : "", len);
    end_frame(journal, out, payload);
  }
  *id = journal->id[number];
  return SC_OK;
}

sc_status sc_journal_record(sc_journal *journal, sc_table *table, const sc_record *record, sc_str *out, sc_error *err) {
  uint32_t id[16];
  SC_ASSERT(sc_text_column_count <= SC_COUNT_OF(id));
  for (size_t i = 0; i < sc_text_column_count; i++) {
    const char *text = *(const char *const *)((const char *)record + sc_text_columns[i].offset);
    SC_TRY(text_id(journal, table, text, out, &id[i], err));
  }
  size_t payload = begin_frame(out);
  sc_str_addn(out, "Q", 1);
  sc_str_addn(out, (const char *)id, sc_text_column_count * 4);
  for (const sc_column *c = sc_number_columns; c < sc_number_columns + sc_number_column_count; c++)
    sc_str_addn(out, (const char *)record + c->offset, sc_column_bytes(c->type));
  for (const sc_pass *p = record->pass; p < record->pass + record->npasses; p++)
    for (const sc_column *c = sc_pass_columns; c < sc_pass_columns + sc_pass_column_count; c++)
      sc_str_addn(out, (const char *)p + c->offset, sc_column_bytes(c->type) * c->n);
  uint32_t ncounters = (uint32_t)sc_record_counters(record);
  sc_str_addn(out, (const char *)&ncounters, 4);
  sc_str_addn(out, (const char *)&record->counter_mask, 4);
  sc_str_addn(out, record->counter_name[0], ncounters * SC_NAME);
  sc_str_addn(out, (const char *)record->counter, ncounters * sizeof(double));
  end_frame(journal, out, payload);
  return out->failed ? sc_fail(err, SC_NOMEM, "no memory for a row of the journal") : SC_OK;
}

void sc_journal_mark(const sc_journal *journal, uint64_t identity, bool stale, sc_str *out) {
  uint8_t value = stale;
  size_t payload = begin_frame(out);
  sc_str_addn(out, "S", 1);
  sc_str_addn(out, (const char *)&identity, 8);
  sc_str_addn(out, (const char *)&value, 1);
  end_frame(journal, out, payload);
}

/* ---- reading ---- */

struct replay {
  const char *at, *end; /* of the payload */
  sc_table *table;
  const char **text; /* by id */
  size_t ntexts, max_id; /* every text takes a frame, which bounds the ids */
  uint32_t last_id;
};

static bool take(struct replay *r, void *out, size_t n) {
  if ((size_t)(r->end - r->at) < n) return false;
  if (n) memcpy(out, r->at, n);
  r->at += n;
  return true;
}

static bool read_text(struct replay *r, sc_error *err) {
  uint32_t id, number;
  if (!take(r, &id, 4) || id == 0 || id > r->max_id) return false;
  if (id >= r->ntexts) {
    size_t n = (size_t)id * 2 + 256;
    const char **grown = realloc(r->text, n * sizeof *grown);
    if (!grown) return false;
    memset(grown + r->ntexts, 0, (n - r->ntexts) * sizeof *grown);
    r->text = grown;
    r->ntexts = n;
  }
  if (sc_table_text(r->table, r->at, (size_t)(r->end - r->at), &number, err) != SC_OK) return false;
  r->text[id] = r->table->text[number];
  if (id > r->last_id) r->last_id = id;
  return true;
}

static bool read_record(struct replay *r, size_t ntexts, sc_error *err) {
  sc_record record = {0};
  uint32_t ncounters;
  for (size_t i = 0; i < ntexts; i++) {
    uint32_t id;
    if (!take(r, &id, 4) || id >= r->ntexts || !r->text[id]) return false;
    *sc_record_text(&record, i) = r->text[id];
  }
  for (const sc_column *c = sc_number_columns; c < sc_number_columns + sc_number_column_count; c++)
    if (!take(r, (char *)&record + c->offset, sc_column_bytes(c->type))) return false;
  if (record.npasses > SC_MAX_PASSES) return false;
  for (sc_pass *p = record.pass; p < record.pass + record.npasses; p++)
    for (const sc_column *c = sc_pass_columns; c < sc_pass_columns + sc_pass_column_count; c++)
      if (!take(r, (char *)p + c->offset, sc_column_bytes(c->type) * c->n)) return false;
  if (!take(r, &ncounters, 4) || ncounters > SC_MAX_COUNTERS || !take(r, &record.counter_mask, 4)) return false;
  if (!take(r, record.counter_name, ncounters * SC_NAME) || !take(r, record.counter, ncounters * sizeof(double)))
    return false;
  return r->at == r->end && sc_table_put(r->table, &record, err) == SC_OK;
}

static bool read_mark(struct replay *r) {
  uint64_t identity;
  uint8_t stale;
  if (!take(r, &identity, 8) || !take(r, &stale, 1) || r->at != r->end) return false;
  sc_record *row = sc_table_find(r->table, identity);
  if (row) row->stale = stale != 0;
  return true;
}

static bool read_payload(struct replay *r, sc_error *err) {
  char kind = 0;
  if (!take(r, &kind, 1)) return false;
  if (kind == 'T') return read_text(r, err);
  if (kind == 'Q') return read_record(r, sc_text_column_count, err);
  if (kind == 'R') return read_record(r, SC_FIRST_TEXTS, err);
  return kind == 'S' && read_mark(r);
}

/* Whether an intact frame begins at bytes[at]. */
static bool frame_at(const char *bytes, size_t len, size_t at, uint64_t generation, size_t *n, uint64_t *synced) {
  uint32_t mark, size;
  uint64_t check;
  if (len - at < FRAME_HEAD) return false;
  memcpy(&mark, bytes + at, 4);
  memcpy(&size, bytes + at + 4, 4);
  if (mark != frame_magic || size > MAX_PAYLOAD || size > len - at - FRAME_HEAD) return false;
  memcpy(synced, bytes + at + 8, 8);
  memcpy(&check, bytes + at + 16, 8);
  *n = size;
  return check == checksum(generation, *synced, bytes + at + FRAME_HEAD, size);
}

/* The next intact frame behind a damaged place, or len. */
static size_t next_frame(const char *bytes, size_t len, size_t at, uint64_t generation) {
  size_t n;
  uint64_t synced;
  while (++at < len) {
    const char *found = memmem(bytes + at, len - at, &frame_magic, 4);
    if (!found) return len;
    at = (size_t)(found - bytes);
    if (frame_at(bytes, len, at, generation, &n, &synced)) return at;
  }
  return len;
}

/* Whether a frame from `at` on knew that the place `hole` was on disk. */
static bool was_synced(const char *bytes, size_t len, size_t at, size_t hole, uint64_t generation) {
  size_t n;
  uint64_t synced;
  while (at < len) {
    if (frame_at(bytes, len, at, generation, &n, &synced)) {
      if (synced > hole) return true;
      at += FRAME_HEAD + n;
    } else {
      at = next_frame(bytes, len, at, generation);
    }
  }
  return false;
}

static sc_status replay_frames(const char *where, const char *bytes, size_t len, bool salvage, struct replay *r,
                               sc_journal *journal, size_t *dropped, sc_error *err) {
  uint64_t generation = journal->generation;
  for (size_t at = SC_JOURNAL_HEAD, n; at < len;) {
    uint64_t synced;
    if (frame_at(bytes, len, at, generation, &n, &synced)) {
      r->at = bytes + at + FRAME_HEAD;
      r->end = r->at + n;
      sc_error inner = {0};
      if (!read_payload(r, &inner) && !salvage) {
        if (inner.status == SC_NOMEM) return sc_fail(err, SC_NOMEM, "%s", inner.text);
        return sc_fail_in(err, where, SC_FORMAT, "byte %zu of the journal begins a row that makes no sense", at);
      }
      at += FRAME_HEAD + n;
      journal->length = at;
      continue;
    }
    size_t next = next_frame(bytes, len, at, generation);
    if (!salvage && was_synced(bytes, len, next, at, generation))
      return sc_fail_in(err, where, SC_FORMAT,
                        "byte %zu of the journal is damaged, rows after it are not: "
                        "`dataset-sched repair` saves them",
                        at);
    if (!salvage) next = len;
    *dropped += next - at;
    at = next;
  }
  return SC_OK;
}

sc_status sc_journal_replay(const char *where, const char *bytes, size_t len, bool salvage, sc_table *table,
                            sc_journal *journal, size_t *dropped, sc_error *err) {
  uint64_t check;
  *journal = (sc_journal){0};
  if (len <= SC_JOURNAL_HEAD) { /* killed while it was made: it never held a row */
    *dropped += len < SC_JOURNAL_HEAD ? len : 0;
    return SC_OK;
  }
  memcpy(&journal->generation, bytes + 16, 8);
  memcpy(&check, bytes + 24, 8);
  if (memcmp(bytes, magic, 16) != 0 || check != sc_hash64(&journal->generation, 8, 0))
    return sc_fail_in(err, where, SC_FORMAT, "not a journal of schedcast, or its head is damaged");
  journal->length = SC_JOURNAL_HEAD;
  struct replay r = {.table = table, .max_id = len / FRAME_HEAD};
  sc_status status = replay_frames(where, bytes, len, salvage, &r, journal, dropped, err);
  journal->next_id = r.last_id;
  free(r.text);
  return status;
}
