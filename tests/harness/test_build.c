/* The store and the builder: kernels are compiled once, code hashes say what code is and not where it stands, what
 * does not compile stands alone, and damaged files are compiled again. */
#include "common.h"

#include <dirent.h>
#include <sys/stat.h>

enum { N = 8 };

typedef struct sample {
  const sc_task *task[N];
  sc_schedule schedule[N];
  sc_nest nest[N];
  sc_built built[N];
} sample;

static sample *sample_make(world *w, uint64_t seed) {
  static const char *const tasks[] = {"matmul:M=12,N=16,K=20", "matmul:M=7,N=33,K=5"};
  sample *s = calloc(1, sizeof *s);
  sc_rng rng;
  sc_rng_seed(&rng, seed, 0);
  for (int i = 0; i < N; i++) {
    s->task[i] = task_make(w, tasks[i % 2]);
    schedule_draw(s->task[i], &rng, &s->schedule[i], &s->nest[i]);
  }
  return s;
}

static void build(world *w, const sc_machine *machine, const char *folder, sample *s, int from, int n) {
  char path[128];
  sc_store *store;
  snprintf(path, sizeof path, "%s/%s", w->folder, folder);
  ok(sc_store_open(path, &store, err));
  ok(sc_build(store, machine, s->task + from, s->nest + from, (size_t)n, s->built + from, err));
  sc_store_close(store);
}

/* Walks a store: the file whose name ends so (`ext`), or "". */
static void find_in_store(world *w, const char *folder, const char *ext, char *path, size_t size, size_t *bytes) {
  char shelf[512];
  struct dirent *e;
  struct stat info;
  snprintf(shelf, sizeof shelf, "%s/%s", w->folder, folder);
  DIR *dir = opendir(shelf);
  assert_non_null(dir);
  while ((e = readdir(dir)) && e->d_name[0] == '.') continue;
  assert_non_null(e);
  snprintf(shelf + strlen(shelf), sizeof shelf - strlen(shelf), "/%s", e->d_name);
  closedir(dir);
  path[0] = '\0';
  *bytes = 0;
  dir = opendir(shelf);
  while ((e = readdir(dir))) {
    size_t len = strlen(e->d_name), n = strlen(ext);
    if (len < n || strcmp(e->d_name + len - n, ext) != 0) continue;
    snprintf(path, size, "%s/%s", shelf, e->d_name);
    if (stat(path, &info) == 0) *bytes += (size_t)info.st_size;
  }
  closedir(dir);
}

static void test_hash_is_of_code(void **state) {
  world *w = *state;
  sample *a = sample_make(w, 1), *b = sample_make(w, 1);
  build(w, &w->machine, "together", a, 0, N);
  for (int i = N - 1; i >= 0; i--) build(w, &w->machine, "alone", b, i, 1); /* other neighbours, other order */
  for (int i = 0; i < N; i++) {
    assert_int_equal(a->built[i].outcome, SC_RAN);
    assert_true(a->built[i].code_hash != 0 && a->built[i].code_bytes > 0 && a->built[i].compile_ms > 0);
    assert_true(a->built[i].code_hash == b->built[i].code_hash);
    assert_true(a->built[i].source_hash == b->built[i].source_hash);
    assert_int_equal(a->built[i].code_bytes, b->built[i].code_bytes);
    for (int k = 0; k < i; k++) {
      bool same = sc_nest_hash(a->task[i], &a->nest[i]) == sc_nest_hash(a->task[k], &a->nest[k]);
      assert_int_equal(same, a->built[i].source_hash == a->built[k].source_hash);
    }
  }
  sc_machine other = w->machine;
  snprintf(other.compiler[0].arguments, sizeof other.compiler[0].arguments, "-O3 -fno-tree-vectorize");
  build(w, &other, "other", b, 0, N);
  int differ = 0;
  for (int i = 0; i < N; i++) differ += a->built[i].code_hash != b->built[i].code_hash;
  assert_true(differ > N / 2);
  free(a), free(b);
}

/* Two nests with the same tables of kernels: clang keeps one table where both are in one unit. (The machine's one
 * compiler is named gcc, whatever its command.) */
static void test_hash_beside_equal_tables(void **state) {
  world *w = *state;
  static const char *const tasks[] = {"conv2d:H=14,W=14,C=184,K=80,R=1,S=1", "conv2d:H=14,W=14,C=200,K=80,R=1,S=1"};
  static const char schedule[] =
      "tile q 3*65+1, k 24*2+16*2; vector k 8; loop c; band c 64; band q 22, k 2, c all "
      "order q k c; band order q k; pack X 1 [n,p,q,g,c]; pack W 3 [g,k/t,r,c,s,k%t]; compile gcc";
  sample *a = calloc(1, sizeof *a), *b = calloc(1, sizeof *b);
  sc_machine clang;
  if (access("/usr/bin/clang", X_OK) != 0) skip();
  machine_make(&clang, "clang");
  for (int i = 0; i < 2; i++) {
    a->task[i] = b->task[i] = task_make(w, tasks[i]);
    schedule_make(a->task[i], schedule, &a->schedule[i], &a->nest[i]);
    b->nest[i] = a->nest[i];
  }
  build(w, &clang, "tables", a, 0, 2);
  for (int i = 0; i < 2; i++) build(w, &clang, "tables", b, i, 1);
  for (int i = 0; i < 2; i++) {
    assert_string_equal(a->built[i].failure, "");
    assert_true(a->built[i].code_hash == b->built[i].code_hash);
  }
  free(a), free(b);
}

static void test_kernels_are_compiled_once(void **state) {
  world *w = *state;
  sample *a = sample_make(w, 2);
  char path[512];
  size_t first, second;
  build(w, &w->machine, "once", a, 0, N);
  find_in_store(w, "once", "index", path, sizeof path, &first);
  build(w, &w->machine, "once", a, 0, N);
  find_in_store(w, "once", "index", path, sizeof path, &second);
  assert_true(first > 0);
  assert_int_equal(first, second);
  free(a);
}

/* Objects and index of a store that a crash, a full disk or a stranger has damaged. */
static void test_damaged_store(void **state) {
  world *w = *state;
  sample *a = sample_make(w, 3), *b = sample_make(w, 3);
  char path[512];
  size_t bytes;
  build(w, &w->machine, "damaged", a, 0, N);
  find_in_store(w, "damaged", ".o", path, sizeof path, &bytes);
  assert_int_equal(truncate(path, 100), 0);
  build(w, &w->machine, "damaged", b, 0, N);
  for (int i = 0; i < N; i++) assert_true(b->built[i].code_hash == a->built[i].code_hash);
  find_in_store(w, "damaged", ".o", path, sizeof path, &bytes);
  assert_int_equal(unlink(path), 0);
  find_in_store(w, "damaged", "index", path, sizeof path, &bytes);
  assert_int_equal(truncate(path, (off_t)bytes - 7), 0);
  build(w, &w->machine, "damaged", b, 0, N);
  for (int i = 0; i < N; i++) assert_true(b->built[i].code_hash == a->built[i].code_hash);
  ok(sc_write_file(path, "nonsense\n\n\xff\xfe", 12, err));
  build(w, &w->machine, "damaged", b, 0, N);
  for (int i = 0; i < N; i++) assert_true(b->built[i].code_hash == a->built[i].code_hash);
  free(a), free(b);
}

/* A compiler that refuses every file with a certain word. */
static void make_refusing_compiler(world *w, const char *word, char *command, size_t size) {
  char script[512], *path = command;
  snprintf(path, size, "%s/refuses", w->folder);
  snprintf(
      script, sizeof script,
      "#!/bin/sh\nfor a; do case $a in *.c) if grep -q %s $a; then echo \"$a:7:1: error: I refuse\" >&2; exit 1; fi;;"
      " esac; done\nexec %s \"$@\"\n",
      word, host_compiler());
  ok(sc_write_file(path, script, strlen(script), err));
  assert_int_equal(chmod(path, 0755), 0);
}

static void test_what_does_not_compile(void **state) {
  world *w = *state;
  sample *a = sample_make(w, 7);
  char command[128];
  sc_machine machine;
  build(w, &w->machine, "good", a, 0, N);
  for (int round = 0; round < 2; round++) {
    char word[64];
    sc_kernel kernel[256];
    if (round == 0) snprintf(word, sizeof word, "%s", a->built[5].prefix); /* a nest */
    assert_true(sc_nest_kernels(a->task[5], &a->nest[5], kernel, 256) <= 256);
    if (round == 1) sc_kernel_symbol(&kernel[0], word); /* one of its kernels, and all nests that call it */
    make_refusing_compiler(w, word, command, sizeof command);
    machine_make(&machine, command);
    build(w, &machine, round ? "bad-kernel" : "bad-nest", a, 0, N);
    int failed = 0;
    for (int i = 0; i < N; i++) {
      failed += a->built[i].outcome == SC_NOT_COMPILED;
      if (a->built[i].outcome == SC_NOT_COMPILED) assert_non_null(strstr(a->built[i].failure, "error: I refuse"));
      else assert_int_equal(a->built[i].outcome, SC_RAN);
    }
    assert_int_equal(a->built[5].outcome, SC_NOT_COMPILED);
    assert_in_range(failed, 1, N - 1);
  }
  free(a);
}

static void test_compilers_that_are_not_there(void **state) {
  world *w = *state;
  sample *a = sample_make(w, 5);
  sc_machine machine;
  sc_store *store;
  sc_error why = {0};
  snprintf(a->nest[3].compile, sizeof a->nest[3].compile, "icc");
  build(w, &w->machine, "good", a, 2, 3);
  assert_int_equal(a->built[3].outcome, SC_NOT_COMPILED);
  assert_non_null(strstr(a->built[3].failure, "icc"));
  assert_int_equal(a->built[4].outcome, SC_RAN);
  machine_make(&machine, "no-such-compiler");
  ok(sc_store_open(NULL, &store, err));
  assert_int_equal(sc_build(store, &machine, a->task, a->nest, 2, a->built, &why), SC_NOTFOUND);
  assert_non_null(strstr(why.text, "no-such-compiler"));
  sc_store_close(store);
  free(a);
}

static void ignore(void *user, const char *function, uint64_t hash, uint32_t bytes) {
  *(uint64_t *)user ^= hash + bytes + function[0];
}

/* Any cut and any flipped byte of an object is read or refused, never followed out of the file. */
static void test_damaged_objects(void **state) {
  world *w = *state;
  char path[512], copy[128];
  size_t bytes, len;
  char *text;
  uint64_t sum = 0;
  sc_rng rng;
  sample *a = sample_make(w, 6);
  build(w, &w->machine, "elf", a, 0, 4);
  find_in_store(w, "elf", ".o", path, sizeof path, &bytes);
  ok(sc_file_read(w->arena, path, 1 << 24, &text, &len, err));
  snprintf(copy, sizeof copy, "%s/copy.o", w->folder);
  ok(sc_elf_functions(path, ignore, &sum, err));
  assert_true(sum != 0);
  sc_rng_seed(&rng, 1, 1);
  int refused = 0;
  for (int i = 0; i < 200; i++) {
    size_t cut = i % 2 ? len : (size_t)sc_rng_below(&rng, len), at = (size_t)sc_rng_below(&rng, i % 4 == 1 ? 64 : len);
    char old = text[at];
    if (i % 2) text[at] = (char)(old ^ (1 << sc_rng_below(&rng, 8)));
    ok(sc_write_file(copy, text, cut, err));
    text[at] = old;
    refused += sc_elf_functions(copy, ignore, &sum, NULL) != SC_OK;
  }
  assert_true(refused > 50);
  free(a);
}

static void test_programs(void **state) {
  world *w = *state;
  sc_argv argv = {0};
  sc_str said = {0};
  int exit_status = 7;
  sc_error why = {0};
  sc_argv_split(&argv, "  echo  a\tb ");
  sc_argv_add(&argv, "c; rm -rf /nonsense $HOME `id`"); /* words stay words */
  ok(sc_run_program(&argv, 10, &said, &exit_status, err));
  assert_int_equal(exit_status, 0);
  assert_string_equal(sc_str_text(&said), "a b c; rm -rf /nonsense $HOME `id`\n");
  sc_argv_free(&argv);
  sc_argv_split(&argv, "sleep 30");
  double t0 = sc_now_s();
  assert_int_equal(sc_run_program(&argv, 0.2, &said, &exit_status, &why), SC_IO);
  assert_true(sc_now_s() - t0 < 5);
  assert_non_null(strstr(why.text, "0.2 s"));
  sc_argv_free(&argv);
  for (int i = 0; i < SC_MAX_WORDS + 5; i++) sc_argv_add(&argv, "x");
  assert_true(argv.failed);
  assert_int_equal(sc_run_program(&argv, 1, NULL, &exit_status, &why), SC_LIMIT);
  sc_argv_free(&argv);
  char line[64];
  sc_first_error_line("a.c: In function f:\na.c:3:4: error: what\n  more\n", line, sizeof line);
  assert_string_equal(line, "a.c:3:4: error: what");
  sc_first_error_line("\nkilled\n", line, sizeof line);
  assert_string_equal(line, "killed");
  sc_str_free(&said);
  (void)w;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_hash_is_of_code),           cmocka_unit_test(test_hash_beside_equal_tables),
      cmocka_unit_test(test_kernels_are_compiled_once), cmocka_unit_test(test_damaged_store),
      cmocka_unit_test(test_what_does_not_compile),     cmocka_unit_test(test_compilers_that_are_not_there),
      cmocka_unit_test(test_damaged_objects),           cmocka_unit_test(test_programs),
  };
  return cmocka_run_group_tests(tests, world_open, world_close);
}
