/* A folder to work in, one per store and runner, under sc_cache_dir()/work. A lock on the folder says that its owner
 * lives; whoever makes a new one sweeps those without an owner, so that a killed campaign leaves nothing for ever. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/internal.h"

sc_status sc_path(char path[SC_PATH], sc_error *err, const char *format, ...) {
  va_list list;
  va_start(list, format);
  int n = vsnprintf(path, SC_PATH, format, list);
  va_end(list);
  if (n < 0 || n >= SC_PATH)
    return sc_fail(err, SC_LIMIT, "the path '%.80s...' is longer than %d bytes", path, SC_PATH - 1);
  return SC_OK;
}

sc_status sc_write_file(const char *path, const void *bytes, size_t len, sc_error *err) {
  int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (fd < 0) return sc_fail(err, SC_IO, "cannot write '%s': %s", path, strerror(errno));
  const char *at = bytes;
  while (len > 0) {
    ssize_t n = write(fd, at, len);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      int why = errno;
      close(fd);
      return sc_fail(err, SC_IO, "cannot write '%s': %s", path, strerror(why));
    }
    at += n, len -= (size_t)n;
  }
  if (close(fd) != 0) return sc_fail(err, SC_IO, "cannot write '%s': %s", path, strerror(errno));
  return SC_OK;
}

/* Folders of work are flat: files only. */
static void remove_folder(const char *path) {
  DIR *dir = opendir(path);
  if (!dir) return;
  for (struct dirent *e; (e = readdir(dir));)
    if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0) unlinkat(dirfd(dir), e->d_name, 0);
  closedir(dir);
  rmdir(path);
}

static bool lock_folder(const char *path, int *lock) {
  *lock = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (*lock < 0) return false;
  if (flock(*lock, LOCK_EX | LOCK_NB) == 0) return true;
  close(*lock);
  return false;
}

/* A folder that has just been made is not locked yet, for a moment: leave young ones alone. */
static void sweep(const char *parent) {
  DIR *dir = opendir(parent);
  if (!dir) return;
  for (struct dirent *e; (e = readdir(dir));) {
    char path[2 * SC_PATH];
    struct stat info;
    int lock;
    if (strncmp(e->d_name, "w-", 2) != 0) continue;
    snprintf(path, sizeof path, "%s/%s", parent, e->d_name);
    if (stat(path, &info) != 0 || sc_unix_ns() / 1000000000 - (int64_t)info.st_ctime < 60) continue;
    if (!lock_folder(path, &lock)) continue;
    remove_folder(path);
    close(lock);
  }
  closedir(dir);
}

sc_status sc_folder_make(sc_folder *folder, sc_error *err) {
  char parent[SC_PATH], cache[SC_PATH];
  sc_cache_dir(cache, sizeof cache);
  SC_TRY(sc_path(parent, err, "%s/work", cache));
  SC_TRY(sc_mkdirs(parent, err));
  sweep(parent);
  SC_TRY(sc_path(folder->path, err, "%s/w-XXXXXX", parent));
  if (!mkdtemp(folder->path)) return sc_fail(err, SC_IO, "cannot make a folder in '%s': %s", parent, strerror(errno));
  if (!lock_folder(folder->path, &folder->lock)) return sc_fail(err, SC_IO, "cannot lock '%s'", folder->path);
  return SC_OK;
}

void sc_folder_remove(sc_folder *folder) {
  if (folder->path[0] == '\0') return;
  remove_folder(folder->path);
  close(folder->lock);
  folder->path[0] = '\0';
}
