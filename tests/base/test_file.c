/* Files: a write that fails half-way leaves the old content and no litter; limits and absent files are said clearly. */
#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/base.h"

static char folder[] = "/tmp/schedcast-test-XXXXXX";

static const char *in_folder(const char *name) {
  static char path[2][128];
  static int turn;
  turn = !turn;
  snprintf(path[turn], sizeof path[turn], "%s/%s", folder, name);
  return path[turn];
}

static void check_content(const char *path, const char *expected, size_t len) {
  sc_arena *arena = sc_arena_new();
  char *text;
  size_t n;
  sc_error err;
  assert_int_equal(sc_file_read(arena, path, 1 << 24, &text, &n, &err), SC_OK);
  assert_int_equal(n, len);
  assert_memory_equal(text, expected, len);
  assert_int_equal(text[len], '\0');
  sc_arena_free(arena);
}

static int entries(void) {
  DIR *dir = opendir(folder);
  int n = 0;
  for (struct dirent *e; (e = readdir(dir)) != NULL;) n += e->d_name[0] != '.';
  closedir(dir);
  return n;
}

static void test_write_then_read(void **state) {
  sc_rng rng;
  sc_rng_seed(&rng, 1, 0);
  static char bytes[300000];
  for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (char)sc_rng_u64(&rng);
  for (int i = 0; i < 40; i++) {
    size_t len = (size_t)sc_rng_below(&rng, i % 2 ? sizeof bytes : 10);
    assert_int_equal(sc_file_write_atomic(in_folder("a"), bytes, len, NULL), SC_OK);
    check_content(in_folder("a"), bytes, len);
  }
  assert_int_equal(entries(), 1);
}

static void test_limit(void **state) {
  sc_arena *arena = sc_arena_new();
  char *text;
  sc_error err;
  assert_int_equal(sc_file_write_atomic(in_folder("a"), "12345", 5, NULL), SC_OK);
  assert_int_equal(sc_file_read(arena, in_folder("a"), 5, &text, NULL, &err), SC_OK);
  assert_int_equal(sc_file_read(arena, in_folder("a"), 4, &text, NULL, &err), SC_LIMIT);
  assert_string_equal(err.where, in_folder("a"));
  assert_int_equal(sc_file_read(arena, "/dev/zero", 1 << 20, &text, NULL, &err), SC_LIMIT); /* ends all the same */
  assert_int_equal(sc_file_read(arena, in_folder("absent"), 9, &text, NULL, &err), SC_NOTFOUND);
  assert_int_equal(sc_file_read(arena, folder, 9, &text, NULL, &err), SC_IO);
  sc_arena_free(arena);
}

/* A disk that is full after 4096 bytes, by the limit on file sizes: the old content survives. */
static void test_full_disk(void **state) {
  assert_int_equal(sc_file_write_atomic(in_folder("a"), "old", 3, NULL), SC_OK);
  pid_t child = fork();
  if (child == 0) {
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){4096, 4096});
    static char bytes[10000];
    sc_error err = {0};
    sc_status status = sc_file_write_atomic(in_folder("a"), bytes, sizeof bytes, &err);
    _exit(status == SC_IO && strcmp(err.where, in_folder("a")) == 0 ? 0 : 1);
  }
  int status;
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  check_content(in_folder("a"), "old", 3);
  assert_int_equal(entries(), 1); /* no temporary file is left */
}

static void test_devices_are_written_not_replaced(void **state) {
  sc_error err;
  struct stat st;
  assert_int_equal(sc_file_write_atomic("/dev/full", "x", 1, &err), SC_IO);
  assert_non_null(strstr(err.text, "No space left"));
  assert_int_equal(sc_file_write_atomic("/dev/null", "x", 1, &err), SC_OK);
  assert_true(stat("/dev/null", &st) == 0 && S_ISCHR(st.st_mode));
  assert_int_equal(sc_file_write_atomic(folder, "x", 1, &err), SC_IO);
}

static void test_links_and_rights_stay(void **state) {
  struct stat st;
  assert_int_equal(sc_file_write_atomic(in_folder("a"), "old", 3, NULL), SC_OK);
  assert_int_equal(chmod(in_folder("a"), 0640), 0);
  assert_int_equal(symlink("a", in_folder("link")), 0);
  assert_int_equal(sc_file_write_atomic(in_folder("link"), "new", 3, NULL), SC_OK);
  check_content(in_folder("a"), "new", 3);
  assert_true(lstat(in_folder("link"), &st) == 0 && S_ISLNK(st.st_mode));
  assert_true(stat(in_folder("a"), &st) == 0 && (st.st_mode & 0777) == 0640);
  unlink(in_folder("link"));
}

static void test_mkdirs(void **state) {
  sc_error err;
  struct stat st;
  assert_int_equal(sc_mkdirs(in_folder("d/e//f/"), &err), SC_OK);
  assert_int_equal(sc_mkdirs(in_folder("d/e/f"), &err), SC_OK);
  assert_true(stat(in_folder("d/e/f"), &st) == 0 && S_ISDIR(st.st_mode));
  assert_int_equal(sc_file_write_atomic(in_folder("d/file"), "", 0, NULL), SC_OK);
  assert_int_equal(sc_mkdirs(in_folder("d/file/g"), &err), SC_IO);
  assert_int_equal(sc_mkdirs("", &err), SC_USAGE);
  assert_int_equal(sc_file_write_atomic(in_folder("none/x"), "", 0, &err), SC_NOTFOUND);
}

static void test_where_things_are(void **state) {
  char buf[256];
  setenv("SCHEDCAST_DATA", "/some/where//", 1);
  sc_data_dir(buf, sizeof buf);
  assert_string_equal(buf, "/some/where");
  unsetenv("SCHEDCAST_DATA"); /* this program stands in the build tree: the source's folder */
  sc_data_dir(buf, sizeof buf);
  char expected[256];
  snprintf(expected, sizeof expected, "%s/data", getenv("SC_SOURCE_DIR"));
  assert_string_equal(buf, expected);
  setenv("SCHEDCAST_CACHE", "/c", 1);
  sc_cache_dir(buf, sizeof buf);
  assert_string_equal(buf, "/c");
  unsetenv("SCHEDCAST_CACHE");
  setenv("XDG_CACHE_HOME", "/x", 1);
  sc_cache_dir(buf, sizeof buf);
  assert_string_equal(buf, "/x/schedcast");
  unsetenv("XDG_CACHE_HOME");
  setenv("HOME", "/h", 1);
  sc_cache_dir(buf, sizeof buf);
  assert_string_equal(buf, "/h/.cache/schedcast");
}

static int make_folder(void **state) { return mkdtemp(folder) ? 0 : -1; }

static int remove_folder(void **state) {
  char command[128];
  snprintf(command, sizeof command, "rm -r %s", folder);
  return system(command);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_write_then_read),
      cmocka_unit_test(test_limit),
      cmocka_unit_test(test_full_disk),
      cmocka_unit_test(test_devices_are_written_not_replaced),
      cmocka_unit_test(test_links_and_rights_stay),
      cmocka_unit_test(test_mkdirs),
      cmocka_unit_test(test_where_things_are),
  };
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
