/* Files: read a whole one, replace one atomically, make folders, and where schedcast's own files are. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"

/* A failed system call on path: errno says what. */
static sc_status fail_io(sc_error *err, const char *path, const char *what) {
  int code = errno;
  sc_status status = code == ENOENT ? SC_NOTFOUND : code == ENOMEM ? SC_NOMEM : SC_IO;
  char reason[128];
  sc_fail(err, status, "cannot %s: %s", what, strerror_r(code, reason, sizeof reason));
  if (err) snprintf(err->where, sizeof err->where, "%s", path);
  return status;
}

/* Reads fd to its end into *s, one byte more than max_bytes at most. */
static sc_status read_all(int fd, const char *path, size_t max_bytes, sc_str *s, sc_error *err) {
  char buf[1 << 16];
  while (s->len <= max_bytes) {
    ssize_t n = read(fd, buf, sizeof buf);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail_io(err, path, "read");
    if (n == 0) break;
    sc_str_addn(s, buf, (size_t)n);
    if (s->failed) return sc_fail(err, SC_NOMEM, "no memory to read %s", path);
  }
  if (s->len <= max_bytes) return SC_OK;
  sc_fail(err, SC_LIMIT, "larger than the limit of %zu bytes", max_bytes);
  if (err) snprintf(err->where, sizeof err->where, "%s", path);
  return SC_LIMIT;
}

sc_status sc_file_read(sc_arena *arena, const char *path, size_t max_bytes, char **text, size_t *len, sc_error *err) {
  bool standard_input = strcmp(path, "-") == 0;
  int fd = standard_input ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return fail_io(err, path, "open");
  sc_str s = {0};
  sc_status status = read_all(fd, standard_input ? "<standard input>" : path, max_bytes, &s, err);
  if (!standard_input) close(fd);
  if (status == SC_OK) {
    *text = sc_arena_strndup(arena, sc_str_text(&s), s.len);
    if (len) *len = s.len;
    if (!*text) status = sc_fail(err, SC_NOMEM, "no memory to read %s", path);
  }
  sc_str_free(&s);
  return status;
}

/* ---- writing ---- */

static bool write_all(int fd, const char *bytes, size_t len) {
  while (len > 0) {
    ssize_t n = write(fd, bytes, len);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    bytes += n;
    len -= (size_t)n;
  }
  return true;
}

/* A device or pipe has no old content to keep: it is written, not replaced. */
static sc_status write_special(const char *path, const void *bytes, size_t len, sc_error *err) {
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return fail_io(err, path, "open for writing");
  bool ok = write_all(fd, bytes, len);
  int code = errno;
  if (close(fd) != 0 && ok) return fail_io(err, path, "write");
  errno = code;
  return ok ? SC_OK : fail_io(err, path, "write");
}

/* Makes a rename in path's folder survive a power cut. */
static bool sync_folder_of(const char *path) {
  char folder[PATH_MAX];
  const char *slash = strrchr(path, '/');
  size_t n = !slash ? 0 : slash == path ? 1 : (size_t)(slash - path);
  snprintf(folder, sizeof folder, "%.*s", n ? (int)n : 1, n ? path : ".");
  int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return false;
  bool ok = fsync(fd) == 0 || errno == EINVAL; /* some file systems have nothing to sync */
  int code = errno;
  close(fd);
  errno = code;
  return ok;
}

/* Creates path.<number>.tmp for writing, with the access rights of old when it is not NULL. */
static int open_temporary(const char *path, const struct stat *old, char *temporary, size_t size) {
  for (uint64_t i = sc_now_ns();; i++) { /* the clock only makes a clash rare; O_EXCL makes it harmless */
    int n = snprintf(temporary, size, "%s.%d-%llx.tmp", path, (int)getpid(), (unsigned long long)i);
    if (n < 0 || (size_t)n >= size) {
      errno = ENAMETOOLONG;
      return -1;
    }
    int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0 && errno == EEXIST) continue;
    if (fd >= 0 && old) (void)!fchmod(fd, old->st_mode & 07777);
    return fd;
  }
}

sc_status sc_file_write_atomic(const char *path, const void *bytes, size_t len, sc_error *err) {
  struct stat old;
  bool exists = stat(path, &old) == 0;
  if (exists && !S_ISREG(old.st_mode)) return write_special(path, bytes, len, err);
  char target[PATH_MAX], temporary[PATH_MAX + 64];
  if (!exists || !realpath(path, target)) snprintf(target, sizeof target, "%s", path); /* through a link to its file */
  int fd = open_temporary(target, exists ? &old : NULL, temporary, sizeof temporary);
  if (fd < 0) return fail_io(err, path, "create a temporary file beside it");
  bool ok = write_all(fd, bytes, len) && fsync(fd) == 0;
  int code = errno;
  if (close(fd) != 0 && ok) {
    ok = false;
    code = errno;
  }
  if (ok && rename(temporary, target) != 0) {
    ok = false;
    code = errno;
  }
  if (!ok) {
    unlink(temporary);
    errno = code;
    return fail_io(err, path, "write");
  }
  return sync_folder_of(target) ? SC_OK : fail_io(err, path, "sync the folder of it");
}

sc_status sc_mkdirs(const char *path, sc_error *err) {
  char part[PATH_MAX];
  int n = snprintf(part, sizeof part, "%s", path);
  if (n <= 0 || (size_t)n >= sizeof part) return sc_fail(err, SC_USAGE, "'%.64s' is no path of a folder", path);
  for (char *c = part + 1;; c++) {
    if (*c != '/' && *c != '\0') continue;
    char rest = *c;
    *c = '\0';
    struct stat st;
    if (mkdir(part, 0777) != 0 && !(errno == EEXIST && stat(part, &st) == 0 && S_ISDIR(st.st_mode)))
      return fail_io(err, part, "make this folder");
    *c = rest;
    if (rest == '\0') return SC_OK;
  }
}

/* ---- where schedcast's own files are ---- */

static bool is_folder(const char *path) {
  struct stat st;
  return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

void sc_data_dir(char *buf, size_t size) {
  const char *chosen = getenv("SCHEDCAST_DATA");
  if (chosen && *chosen) {
    size_t n = strlen(chosen);
    while (n > 1 && chosen[n - 1] == '/') n--;
    snprintf(buf, size, "%.*s", (int)n, chosen);
    return;
  }
  char program[PATH_MAX] = "";
  ssize_t n = readlink("/proc/self/exe", program, sizeof program - 1);
  program[n > 0 ? n : 0] = '\0';
  if (strncmp(program, SC_BUILD_DIR "/", sizeof SC_BUILD_DIR) == 0) {
    snprintf(buf, size, "%s", SC_SOURCE_DATA_DIR);
    return;
  }
  for (int i = 0; i < 2; i++) { /* an installation that was moved: <prefix>/bin/program */
    char *slash = strrchr(program, '/');
    if (slash) *slash = '\0';
  }
  int length = snprintf(buf, size, "%s/share/schedcast", program);
  if (length > 0 && (size_t)length < size && is_folder(buf)) return;
  snprintf(buf, size, "%s", SC_INSTALL_DATA_DIR);
}

void sc_cache_dir(char *buf, size_t size) {
  const char *own = getenv("SCHEDCAST_CACHE"), *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
  if (own && *own) snprintf(buf, size, "%s", own);
  else if (xdg && *xdg) snprintf(buf, size, "%s/schedcast", xdg);
  else snprintf(buf, size, "%s/.cache/schedcast", home && *home ? home : ".");
}
