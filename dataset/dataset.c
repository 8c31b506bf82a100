/* The handle: a file, its journal, the lock, and the rows of both in memory.
 *
 *   open    lock the journal, read file, replay journal        append  frame -> journal, then rows in memory
 *   sync    fdatasync of the journal                           close   rows -> new file, rename, empty the journal
 *
 * The journal is emptied only when the file that holds its rows is on disk; replaying it once more is harmless, because
 * the union of records is idempotent. READ takes no lock: it reads the journal before the file, so that a row which a
 * compaction moves in between is seen twice and not never. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "dataset/internal.h"

enum { JOURNAL_ROOM = 64 << 20 }; /* bytes after which sync compacts */

struct sc_dataset {
  sc_table table;
  sc_journal journal;
  sc_str out; /* frames being written */
  int fd; /* of the journal, locked; -1: READ, or in memory */
  bool in_memory, file_exists, journal_broken;
  size_t dropped, file_bytes;
  char path[PATH_MAX], journal_path[PATH_MAX + 16];
};

sc_status sc_fail_in(sc_error *err, const char *where, sc_status status, const char *format, ...) {
  char text[384];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  sc_fail(err, status, "%s", text);
  if (err) snprintf(err->where, sizeof err->where, "%s", where);
  return status;
}

static sc_status fail_errno(sc_error *err, const char *where, const char *what) {
  int code = errno;
  char reason[128];
  return sc_fail_in(err, where, SC_IO, "cannot %s: %s", what, strerror_r(code, reason, sizeof reason));
}

/* ---- lock ---- */

static void holder_text(char *text, size_t size) {
  char host[64] = "?", when[32] = "?";
  time_t now = (time_t)(sc_unix_ns() / 1000000000);
  struct tm tm;
  gethostname(host, sizeof host - 1);
  if (gmtime_r(&now, &tm)) strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", &tm);
  snprintf(text, size, "process %d on %s since %s", (int)getpid(), host, when);
}

static sc_status fail_locked(int fd, const char *path, sc_error *err) {
  char head[SC_JOURNAL_HEAD + 1] = {0};
  ssize_t n = pread(fd, head, SC_JOURNAL_HEAD, 0);
  const char *holder = n == SC_JOURNAL_HEAD && head[32] ? head + 32 : "another process";
  return sc_fail_in(err, path, SC_IO, "is being appended to by %s", holder);
}

/* Opens and locks the journal. A holder that closes unlinks it: what was locked must still be what the path names. */
static sc_status lock_journal(sc_dataset *d, sc_error *err) {
  for (;;) {
    struct stat locked, named;
    d->fd = open(d->journal_path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (d->fd < 0) return fail_errno(err, d->journal_path, "open");
    if (flock(d->fd, LOCK_EX | LOCK_NB) != 0) {
      if (errno == EINTR) continue;
      return errno == EWOULDBLOCK ? fail_locked(d->fd, d->path, err) : fail_errno(err, d->journal_path, "lock");
    }
    if (fstat(d->fd, &locked) == 0 && stat(d->journal_path, &named) == 0 && locked.st_ino == named.st_ino &&
        locked.st_dev == named.st_dev)
      return SC_OK;
    close(d->fd);
  }
}

/* ---- reading both ---- */

static sc_status read_bytes(sc_arena *arena, const char *path, char **bytes, size_t *len, sc_error *err) {
  *len = 0;
  *bytes = NULL;
  return sc_file_read(arena, path, (size_t)1 << 36, bytes, len, err);
}

/* Journal first, file second, replay last: see the head of this file. */
static sc_status load(sc_dataset *d, sc_arena *scratch, sc_error *err) {
  char *journal, *file;
  size_t journal_len, file_len;
  sc_error inner;
  sc_status has_journal = read_bytes(scratch, d->journal_path, &journal, &journal_len, &inner);
  if (has_journal != SC_OK && has_journal != SC_NOTFOUND) {
    if (err) *err = inner;
    return has_journal;
  }
  sc_status has_file = read_bytes(scratch, d->path, &file, &file_len, &inner);
  if (has_file == SC_OK) {
    SC_TRY(sc_columns_read(d->path, file, file_len, &d->table, err));
    d->file_exists = true;
    d->file_bytes = file_len;
  } else if (has_file != SC_NOTFOUND || (d->fd < 0 && has_journal == SC_NOTFOUND)) {
    if (err) *err = inner;
    return has_file;
  }
  if (has_journal != SC_OK) return SC_OK;
  return sc_journal_replay(d->journal_path, journal, journal_len, false, &d->table, &d->journal, &d->dropped, err);
}

/* ---- writing the journal ---- */

static bool write_at(int fd, const char *bytes, size_t len, uint64_t at) {
  while (len > 0) {
    ssize_t n = pwrite(fd, bytes, len, (off_t)at);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    bytes += n;
    len -= (size_t)n;
    at += (uint64_t)n;
  }
  return true;
}

static bool sync_folder(const char *path) {
  char folder[PATH_MAX + 16];
  snprintf(folder, sizeof folder, "%s", path);
  char *slash = strrchr(folder, '/');
  if (slash) slash[slash == folder] = '\0';
  int fd = open(slash ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  bool ok = fd >= 0 && (fsync(fd) == 0 || errno == EINVAL);
  if (fd >= 0) close(fd);
  return ok;
}

/* Empties the journal and begins its next generation. Only after its rows are in the file. */
static sc_status begin_journal(sc_dataset *d, sc_error *err) {
  char head[SC_JOURNAL_HEAD], holder[128];
  struct {
    uint64_t now, pid, generation;
  } seed = {sc_now_ns() ^ (uint64_t)sc_unix_ns(), (uint64_t)getpid(), d->journal.generation};
  free(d->journal.id);
  d->journal = (sc_journal){.generation = sc_hash64(&seed, sizeof seed, 0)};
  d->journal_broken = true;
  holder_text(holder, sizeof holder);
  sc_journal_head(&d->journal, holder, head);
  if (ftruncate(d->fd, 0) != 0 || !write_at(d->fd, head, sizeof head, 0) || fsync(d->fd) != 0 || !sync_folder(d->path))
    return fail_errno(err, d->journal_path, "begin the journal");
  d->journal.length = d->journal.synced = sizeof head;
  d->journal_broken = false;
  return SC_OK;
}

/* What a crash left stays where it is and is gone on with: no window in which its rows are nowhere. */
static sc_status resume_journal(sc_dataset *d, sc_error *err) {
  char head[SC_JOURNAL_HEAD], holder[128];
  if (d->journal.length <= SC_JOURNAL_HEAD) return begin_journal(d, err);
  holder_text(holder, sizeof holder);
  sc_journal_head(&d->journal, holder, head);
  if (ftruncate(d->fd, (off_t)d->journal.length) != 0 || !write_at(d->fd, head + 32, sizeof head - 32, 32) ||
      fsync(d->fd) != 0)
    return fail_errno(err, d->journal_path, "resume the journal");
  d->journal.synced = d->journal.length;
  return SC_OK;
}

/* Writes d->out; after a failure the journal ends where it did before. */
static sc_status write_frames(sc_dataset *d, sc_error *err) {
  if (d->journal_broken) return sc_fail_in(err, d->journal_path, SC_IO, "the journal failed before");
  if (d->out.failed) return sc_fail(err, SC_NOMEM, "no memory for a row of the journal");
  if (write_at(d->fd, sc_str_text(&d->out), d->out.len, d->journal.length)) {
    d->journal.length += d->out.len;
    return SC_OK;
  }
  sc_status status = fail_errno(err, d->journal_path, "append");
  if (ftruncate(d->fd, (off_t)d->journal.length) != 0) d->journal_broken = true;
  return status;
}

/* Opening failed: a journal that holds no row was made for it, or might as well have been. It is still locked. */
static void drop_empty_journal(const sc_dataset *d) {
  struct stat st;
  if (fstat(d->fd, &st) == 0 && st.st_size <= SC_JOURNAL_HEAD) unlink(d->journal_path);
}

/* ---- the handle ---- */

static sc_status open_into(sc_dataset *d, const char *path, sc_dataset_mode mode, sc_error *err) {
  int n = 0;
  if (!realpath(path, d->path)) n = snprintf(d->path, sizeof d->path, "%s", path);
  if (n < 0 || (size_t)n >= sizeof d->path || !*path)
    return sc_fail(err, SC_USAGE, "'%.64s' is no path of a file", path);
  snprintf(d->journal_path, sizeof d->journal_path, "%s.journal", d->path);
  SC_TRY(sc_table_init(&d->table, err));
  if (mode == SC_DATASET_APPEND) SC_TRY(lock_journal(d, err));
  sc_arena *scratch = sc_arena_new();
  sc_status status = scratch ? load(d, scratch, err) : sc_fail(err, SC_NOMEM, "no memory to open %s", path);
  sc_arena_free(scratch);
  if (status == SC_OK && mode == SC_DATASET_APPEND) status = resume_journal(d, err);
  if (status != SC_OK && mode == SC_DATASET_APPEND) drop_empty_journal(d);
  return status;
}

static void release(sc_dataset *d) {
  if (d->fd >= 0) close(d->fd);
  free(d->journal.id);
  sc_str_free(&d->out);
  sc_table_free(&d->table);
  free(d);
}

sc_status sc_dataset_open(const char *path, sc_dataset_mode mode, sc_dataset **dataset, sc_error *err) {
  sc_dataset *d = calloc(1, sizeof *d);
  *dataset = NULL;
  if (!d) return sc_fail(err, SC_NOMEM, "no memory to open %s", path);
  d->fd = -1;
  sc_status status = open_into(d, path, mode, err);
  if (status == SC_OK) *dataset = d;
  else release(d);
  return status;
}

sc_status sc_dataset_memory(sc_dataset **dataset, sc_error *err) {
  sc_dataset *d = calloc(1, sizeof *d);
  *dataset = NULL;
  if (!d) return sc_fail(err, SC_NOMEM, "no memory for a dataset");
  d->fd = -1;
  d->in_memory = true;
  sc_status status = sc_table_init(&d->table, err);
  if (status == SC_OK) *dataset = d;
  else release(d);
  return status;
}

static sc_status need_append(const sc_dataset *d, sc_error *err) {
  return d->fd >= 0 || d->in_memory ? SC_OK : sc_fail_in(err, d->path, SC_USAGE, "is open for reading only");
}

sc_status sc_dataset_append(sc_dataset *d, const sc_record *record, sc_error *err) {
  SC_TRY(need_append(d, err));
  SC_TRY(sc_record_check(record, err));
  if (d->in_memory) return sc_table_put(&d->table, record, err);
  uint32_t next_id = d->journal.next_id;
  sc_str_clear(&d->out);
  sc_status status = sc_journal_record(&d->journal, &d->table, record, &d->out, err);
  if (status == SC_OK) status = write_frames(d, err);
  if (status == SC_OK) return sc_table_put(&d->table, record, err);
  for (size_t i = 0; i < d->journal.nids; i++) /* texts that did not reach the journal are not in it */
    if (d->journal.id[i] > next_id) d->journal.id[i] = 0;
  d->journal.next_id = next_id;
  return status;
}

/* Writes all rows into a new file in place of the old one, then empties the journal. */
static sc_status compact(sc_dataset *d, sc_error *err) {
  sc_str file = {0};
  sc_status status = sc_columns_write(&d->table, &file, err);
  if (status == SC_OK) status = sc_file_write_atomic(d->path, file.text, file.len, err);
  if (status == SC_OK) {
    d->file_exists = true;
    d->file_bytes = file.len;
  }
  sc_str_free(&file);
  return status == SC_OK ? begin_journal(d, err) : status;
}

sc_status sc_dataset_sync(sc_dataset *d, sc_error *err) {
  SC_TRY(need_append(d, err));
  if (d->in_memory) return SC_OK;
  if (d->journal_broken) return sc_fail_in(err, d->journal_path, SC_IO, "the journal failed before");
  if (d->journal.synced == d->journal.length) return SC_OK;
  if (fdatasync(d->fd) != 0) {
    d->journal_broken = true; /* the kernel may have thrown the pages away: never trust a second try */
    return fail_errno(err, d->journal_path, "sync");
  }
  d->journal.synced = d->journal.length;
  if (d->journal.length < JOURNAL_ROOM || d->journal.length < d->file_bytes) return SC_OK;
  return compact(d, err);
}

sc_status sc_dataset_close(sc_dataset *d, sc_error *err) {
  sc_status status = SC_OK;
  if (!d) return SC_OK;
  if (d->fd >= 0) {
    if (!d->file_exists || d->journal_broken || d->journal.length > SC_JOURNAL_HEAD) status = compact(d, err);
    if (status == SC_OK && unlink(d->journal_path) != 0) status = fail_errno(err, d->journal_path, "remove");
  }
  release(d);
  return status;
}

size_t sc_dataset_dropped_bytes(const sc_dataset *d) { return d->dropped; }

size_t sc_dataset_count(const sc_dataset *d) { return d->table.nrows; }

const sc_record *sc_dataset_at(const sc_dataset *d, size_t i) { return sc_table_at(&d->table, i); }

const sc_record *sc_dataset_find(const sc_dataset *d, uint64_t identity) { return sc_table_find(&d->table, identity); }

sc_status sc_dataset_mark_stale(sc_dataset *d, size_t i, bool stale, sc_error *err) {
  SC_TRY(need_append(d, err));
  sc_record *row = sc_table_at(&d->table, i);
  if ((row->stale != 0) == stale) return SC_OK;
  if (!d->in_memory) {
    sc_str_clear(&d->out);
    sc_journal_mark(&d->journal, sc_record_identity(row), stale, &d->out);
    SC_TRY(write_frames(d, err));
  }
  row->stale = stale;
  return SC_OK;
}

sc_status sc_dataset_merge(sc_dataset *into, const sc_dataset *from, sc_error *err) {
  if (into == from) return SC_OK;
  for (size_t i = 0; i < from->table.nrows; i++) SC_TRY(sc_dataset_append(into, sc_table_at(&from->table, i), err));
  return SC_OK;
}
