/* Salvage: what can be read of a damaged file and its journal goes into a new file. HDF5 1.10 may crash or hang on
 * damaged bytes, so a child reads them, under limits, and hands over the rows as frames of a journal: each has a
 * checksum, and what a crash cuts short is a torn tail. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dataset/internal.h"

enum { CHILD_SECONDS = 120 };

/* ---- in the child ---- */

struct hand_over {
  int fd;
  sc_journal journal;
  sc_table *table;
  sc_str out;
};

static bool write_whole(int fd, const char *bytes, size_t len) {
  while (len > 0) {
    ssize_t n = write(fd, bytes, len);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    bytes += n;
    len -= (size_t)n;
  }
  return true;
}

static void hand_row(void *user, const sc_record *record) {
  struct hand_over *h = user;
  sc_str_clear(&h->out);
  if (sc_journal_record(&h->journal, h->table, record, &h->out, NULL) != SC_OK) return;
  if (!write_whole(h->fd, h->out.text, h->out.len)) _exit(1);
}

static _Noreturn void child(int fd, const char *bytes, size_t len) {
  struct rlimit seconds = {CHILD_SECONDS, CHILD_SECONDS}, none = {0, 0};
  setrlimit(RLIMIT_CPU, &seconds);
  setrlimit(RLIMIT_CORE, &none);
  alarm(CHILD_SECONDS);
  int nowhere =
      open("/dev/null", O_RDWR | O_CLOEXEC); /* what HDF5 or the C library say while they crash helps nobody */
  if (nowhere >= 0) (void)!(dup2(nowhere, STDOUT_FILENO) >= 0 && dup2(nowhere, STDERR_FILENO) >= 0);
  char head[SC_JOURNAL_HEAD];
  sc_table table;
  struct hand_over h = {.fd = fd, .journal = {.generation = 1}, .table = &table};
  sc_journal_head(&h.journal, "", head);
  if (sc_table_init(&table, NULL) != SC_OK || !write_whole(fd, head, sizeof head)) _exit(1);
  sc_columns_salvage(bytes, len, &table, hand_row, &h);
  _exit(0);
}

/* ---- in the parent ---- */

static sc_status append_table(sc_dataset *into, const sc_table *from, sc_error *err) {
  for (size_t i = 0; i < from->nrows; i++) SC_TRY(sc_dataset_append(into, sc_table_at(from, i), err));
  return SC_OK;
}

static sc_status read_back(int fd, sc_arena *arena, sc_table *table, sc_error *err) {
  off_t len = lseek(fd, 0, SEEK_END);
  char *bytes = len > 0 ? sc_arena_alloc(arena, (size_t)len, 1) : NULL;
  size_t dropped = 0, got = 0;
  sc_journal journal;
  if (len > 0 && !bytes) return sc_fail(err, SC_NOMEM, "no memory for what was saved");
  while (bytes && got < (size_t)len) {
    ssize_t n = pread(fd, bytes + got, (size_t)len - got, (off_t)got);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    got += (size_t)n;
  }
  return sc_journal_replay("salvage", bytes, got, true, table, &journal, &dropped, err);
}

static sc_status salvage_file(sc_arena *arena, const char *bytes, size_t len, sc_table *table, sc_error *err) {
  int fd = memfd_create("schedcast-salvage", MFD_CLOEXEC), how;
  if (fd < 0) return sc_fail(err, SC_IO, "cannot make a place for what is saved");
  pid_t pid = fork();
  if (pid == 0) child(fd, bytes, len);
  if (pid > 0)
    while (waitpid(pid, &how, 0) < 0 && errno == EINTR) continue;
  sc_status status = pid > 0 ? read_back(fd, arena, table, err) : sc_fail(err, SC_IO, "cannot fork");
  close(fd);
  return status;
}

static sc_status salvage(sc_arena *arena, const char *damaged, sc_table *table, sc_error *err) {
  char *bytes, journal_path[4200];
  size_t len, dropped = 0;
  sc_journal journal;
  sc_error inner = {0};
  sc_status has_file = sc_file_read(arena, damaged, (size_t)1 << 36, &bytes, &len, &inner);
  if (has_file == SC_OK && sc_columns_read(damaged, bytes, len, table, NULL) != SC_OK)
    SC_TRY(salvage_file(arena, bytes, len, table, err));
  snprintf(journal_path, sizeof journal_path, "%s.journal", damaged);
  sc_status has_journal = sc_file_read(arena, journal_path, (size_t)1 << 36, &bytes, &len, NULL);
  if (has_file != SC_OK && has_journal != SC_OK) {
    if (err) *err = inner;
    return has_file;
  }
  if (has_journal == SC_OK) sc_journal_replay(journal_path, bytes, len, true, table, &journal, &dropped, NULL);
  return SC_OK;
}

sc_status sc_dataset_repair(const char *damaged, const char *to, size_t *rows, sc_error *err) {
  sc_dataset *into;
  sc_table table;
  *rows = 0;
  if (access(to, F_OK) == 0) return sc_fail_in(err, to, SC_USAGE, "exists: repair writes a new file");
  sc_arena *arena = sc_arena_new();
  if (!arena) return sc_fail(err, SC_NOMEM, "no memory to repair");
  sc_status status = sc_table_init(&table, err);
  if (status == SC_OK) status = salvage(arena, damaged, &table, err);
  if (status == SC_OK && table.nrows == 0)
    status = sc_fail_in(err, damaged, SC_FORMAT, "no row of a dataset can be read from it: nothing is written");
  if (status == SC_OK) status = sc_dataset_open(to, SC_DATASET_APPEND, &into, err);
  if (status == SC_OK) {
    status = append_table(into, &table, err);
    sc_status closed = sc_dataset_close(into, status == SC_OK ? err : NULL);
    if (status == SC_OK) status = closed;
    *rows = table.nrows;
  }
  sc_table_free(&table);
  sc_arena_free(arena);
  return status;
}
