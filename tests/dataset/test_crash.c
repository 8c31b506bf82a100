/* Writers that are killed, disks that are full, two writers at once. */
#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "records.h"

enum { KILLS = 50 };

static sc_record numbered(uint64_t number) {
  sc_record r = {.task = "matmul:M=8,N=8,K=8", .machine = "a long machine file", .nest_hash = number, .npasses = 1};
  r.pass[0] = (sc_pass){.unix_ns = (int64_t)number, .batch = 7, .ns = {(float)number + 1}};
  return r;
}

/* Appends rows for ever; tells through the pipe which number was acknowledged; now and then closes and opens again, so
 * that compactions are hit as well. */
static _Noreturn void writer(const char *path, uint64_t number, int acknowledged) {
  sc_dataset *d;
  for (;;) {
    if (sc_dataset_open(path, SC_DATASET_APPEND, &d, NULL) != SC_OK) _exit(2);
    for (int i = 0; i < 40; i++, number++) {
      sc_record r = numbered(number);
      if (sc_dataset_append(d, &r, NULL) != SC_OK) _exit(3);
      if (i % 4 == 3 && (sc_dataset_sync(d, NULL) != SC_OK || write(acknowledged, &number, 8) != 8)) _exit(4);
    }
    if (sc_dataset_close(d, NULL) != SC_OK) _exit(5);
  }
}

static void test_kill_loses_nothing(void **state) {
  char *folder = folder_new(), path[256];
  uint64_t next = 0;
  size_t dropped = 0, with_journal = 0;
  sc_rng rng;
  sc_rng_seed(&rng, 1, 0);
  snprintf(path, sizeof path, "%s/a.h5", folder);
  for (int kill_number = 0; kill_number < KILLS; kill_number++) {
    int pipes[2], how;
    uint64_t last = next ? next - 1 : 0, read_number;
    assert_int_equal(pipe(pipes), 0);
    pid_t pid = fork();
    if (pid == 0) {
      close(pipes[0]);
      writer(path, next, pipes[1]);
    }
    close(pipes[1]);
    assert_int_equal(read(pipes[0], &last, 8), 8); /* it has begun */
    usleep((useconds_t)sc_rng_below(&rng, 60000));
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, &how, 0), pid);
    assert_true(WIFSIGNALED(how) && WTERMSIG(how) == SIGKILL);
    while (read(pipes[0], &read_number, 8) == 8) last = read_number;
    close(pipes[0]);
    sc_dataset *d = open_ok(folder, "a.h5", SC_DATASET_READ);
    for (uint64_t i = 0; i <= last; i++) {
      sc_record r = numbered(i);
      const sc_record *row = sc_dataset_find(d, sc_record_identity(&r));
      assert_non_null(row);
      assert_int_equal(row->npasses, 1);
      assert_true(row->pass[0].ns[0] == (float)i + 1);
      assert_string_equal(row->machine, "a long machine file");
    }
    next = sc_dataset_count(d);
    dropped += sc_dataset_dropped_bytes(d);
    char journal[300];
    struct stat st;
    snprintf(journal, sizeof journal, "%s.journal", path);
    with_journal += stat(journal, &st) == 0 && st.st_size > 160;
    close_ok(d);
  }
  printf("%d kills, %zu of them with rows in the journal: %llu rows, none lost; %zu bytes of torn tails\n", KILLS,
         with_journal, (unsigned long long)next, dropped);
  assert_true(with_journal > 0);
  folder_free(folder);
}

/* In a child, so that the limit is nobody else's: files may not grow beyond `limit` bytes, as on a full disk. */
static void on_full_disk(const char *path, size_t limit, bool expect_close) {
  signal(SIGXFSZ, SIG_IGN);
  sc_dataset *d;
  sc_error err;
  size_t appended = 0;
  if (sc_dataset_open(path, SC_DATASET_APPEND, &d, &err) != SC_OK) _exit(2);
  setrlimit(RLIMIT_FSIZE, &(struct rlimit){limit, RLIM_INFINITY});
  sc_status status = SC_OK;
  while (status == SC_OK && appended < 100000) {
    sc_record r = numbered(appended);
    status = sc_dataset_append(d, &r, &err);
    appended += status == SC_OK;
  }
  if (status != SC_IO || !strstr(err.text, "append") || sc_dataset_count(d) != appended) _exit(3);
  if (sc_dataset_sync(d, &err) != SC_OK) _exit(4);
  if (!expect_close) {
    status = sc_dataset_close(d, &err);
    _exit(status == SC_IO ? 0 : 5);
  }
  setrlimit(RLIMIT_FSIZE, &(struct rlimit){RLIM_INFINITY, RLIM_INFINITY}); /* somebody made room: it goes on */
  sc_record r = numbered(appended);
  if (sc_dataset_append(d, &r, &err) != SC_OK || sc_dataset_close(d, &err) != SC_OK) _exit(6);
  _exit(0);
}

static void test_full_disk(void **state) {
  char *folder = folder_new(), path[256], journal[300];
  snprintf(path, sizeof path, "%s/a.h5", folder);
  snprintf(journal, sizeof journal, "%s.journal", path);
  for (int goes_on = 0; goes_on < 2; goes_on++) {
    int how;
    struct stat st;
    pid_t pid = fork();
    if (pid == 0) on_full_disk(path, 6000, goes_on);
    assert_int_equal(waitpid(pid, &how, 0), pid);
    assert_true(WIFEXITED(how));
    assert_int_equal(WEXITSTATUS(how), 0);
    assert_int_equal(stat(journal, &st) == 0, !goes_on); /* what could not be compacted stays in the journal */
    sc_dataset *d = open_ok(folder, "a.h5", SC_DATASET_READ);
    size_t rows = sc_dataset_count(d);
    assert_true(rows > 10);
    for (uint64_t i = 0; i < rows; i++) {
      sc_record r = numbered(i);
      assert_non_null(sc_dataset_find(d, sc_record_identity(&r)));
    }
    close_ok(d);
    close_ok(open_ok(folder, "a.h5", SC_DATASET_APPEND));
    unlink(path);
  }
  char command[300];
  snprintf(command, sizeof command, "ls '%s' | grep -q tmp", folder);
  assert_int_not_equal(system(command), 0); /* no temporary file stays behind */
  folder_free(folder);
}

static void test_lock(void **state) {
  char *folder = folder_new(), path[256], pid[32];
  sc_error err;
  sc_dataset *second;
  snprintf(path, sizeof path, "%s/a.h5", folder);
  snprintf(pid, sizeof pid, "process %d on ", (int)getpid());
  sc_dataset *first = open_ok(folder, "a.h5", SC_DATASET_APPEND);
  assert_int_equal(sc_dataset_open(path, SC_DATASET_APPEND, &second, &err), SC_IO);
  assert_null(second);
  assert_non_null(strstr(err.text, pid));
  char dotted[256];
  snprintf(dotted, sizeof dotted, "%s/./a.h5", folder);
  sc_record r = numbered(1);
  append_ok(first, &r);
  sc_dataset *reader = open_ok(folder, "a.h5", SC_DATASET_READ); /* readers are not kept out */
  assert_int_equal(sc_dataset_count(reader), 1);
  close_ok(reader);
  close_ok(first);
  first = open_ok(folder, "a.h5", SC_DATASET_APPEND); /* now it is there: another name of it is the same lock */
  assert_int_equal(sc_dataset_open(dotted, SC_DATASET_APPEND, &second, &err), SC_IO);
  close_ok(first);
  second = open_ok(folder, "a.h5", SC_DATASET_APPEND);
  close_ok(second);
  snprintf(path, sizeof path, "%s/no/such/folder.h5", folder);
  assert_int_equal(sc_dataset_open(path, SC_DATASET_APPEND, &second, &err), SC_IO);
  folder_free(folder);
}

/* Two processes that open, append one row and close, again and again: nothing is lost between them. */
static void test_taking_turns(void **state) {
  enum { PROCESSES = 3, TURNS = 30 };
  char *folder = folder_new(), path[256];
  pid_t pid[PROCESSES];
  snprintf(path, sizeof path, "%s/a.h5", folder);
  for (int p = 0; p < PROCESSES; p++) {
    pid[p] = fork();
    if (pid[p] != 0) continue;
    for (int turn = 0; turn < TURNS;) {
      sc_dataset *d;
      sc_error err;
      if (sc_dataset_open(path, SC_DATASET_APPEND, &d, &err) != SC_OK) {
        if (!strstr(err.text, "appended to by")) _exit(1);
        usleep(200);
        continue;
      }
      sc_record r = numbered((uint64_t)p * TURNS + (uint64_t)turn++);
      if (sc_dataset_append(d, &r, NULL) != SC_OK || sc_dataset_close(d, NULL) != SC_OK) _exit(2);
    }
    _exit(0);
  }
  for (int p = 0; p < PROCESSES; p++) {
    int how;
    assert_int_equal(waitpid(pid[p], &how, 0), pid[p]);
    assert_true(WIFEXITED(how) && WEXITSTATUS(how) == 0);
  }
  sc_dataset *d = open_ok(folder, "a.h5", SC_DATASET_READ);
  assert_int_equal(sc_dataset_count(d), PROCESSES * TURNS);
  close_ok(d);
  folder_free(folder);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_kill_loses_nothing),
      cmocka_unit_test(test_full_disk),
      cmocka_unit_test(test_lock),
      cmocka_unit_test(test_taking_turns),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
