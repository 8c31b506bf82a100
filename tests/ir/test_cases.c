/* Runs the *.case files of tests/cases: what a schedule lowers to, or why not, in the documented text forms. Also the
 * tutorial of the language, so it is read in the order of the file names. A case file has these lines, and '#'
 * comments:
 *
 *   task TEXT         the task of what follows (data/operators or tests/cases/operators)
 *   schedule TEXT     a schedule of it; goes on in the next lines while they are indented
 *   nest              asks for the nest of the schedule above,
 *   kernels             the kernels that it calls,
 *   text                its text as printed,
 *   same | other        whether it is the schedule before it under another text
 *   = LINE            the answer expected, line by line
 *
 * A schedule that is wrong answers everything by its error. Every legal one is run against its operator, and every rule of
 * rules.def must be tripped by some case. SC_UPDATE_CASES=1 rewrites the answers. The indented blocks of docs/schedules.md that
 * begin with a task are cases too. */
#include <dirent.h>

#include "tests/ir/nests.h"

enum { MAX_FILES = 64 };

typedef struct reading {
  const char *path;
  int line;
  const sc_task *task;
  sc_schedule schedule;
  sc_nest nest;
  sc_status status; /* of the schedule */
  sc_error err;
  uint64_t hash, hash_before;
  sc_str answer, file; /* what is expected next; the file as it should be */
} reading;

static bool tripped[SC_RULE_COUNT];
static int wrong, legal;

/* ---- answers ---- */

static void print_kernels(reading *x, sc_str *out) {
  uint64_t seen[64];
  int nseen = 0;
  uint8_t class[SC_MAX_DIMS] = {0};
  for (bool more = true; more;) {
    sc_kernel kernel;
    sc_nest_kernel(x->task, &x->nest, class, &kernel);
    uint64_t hash = sc_kernel_hash(&kernel, false);
    bool known = false;
    for (int i = 0; i < nseen; i++) known |= seen[i] == hash;
    if (!known) {
      seen[nseen++] = hash;
      sc_kernel_print(&kernel, false, out);
      sc_str_add(out, "\n");
    }
    more = false;
    for (int d = x->task->ndims - 1; d >= 0 && !more; d--) {
      more = ++class[d] < x->nest.dim[d].nclasses;
      if (!more) class[d] = 0;
    }
  }
}

static void print_fault(const reading *x, sc_str *out) {
  if (x->err.rule)
    sc_str_printf(out, "error %s at %d: %s\n", sc_rule_name((sc_rule)x->err.rule), x->err.column, x->err.text);
  else sc_str_printf(out, "error at %d: %s\n", x->err.column, x->err.text);
}

static void print_effective(reading *x, sc_str *out) {
  sc_schedule effective = x->schedule;
  sc_schedule_effective(x->task, &x->nest, &effective);
  sc_schedule_print(x->task, &effective, out);
  sc_str_add(out, "\n");
}

static bool answer(reading *x, const char *question) {
  sc_str_clear(&x->answer);
  bool nest = strcmp(question, "nest") == 0, kernels = strcmp(question, "kernels") == 0,
       text = strcmp(question, "text") == 0, effective = strcmp(question, "effective") == 0;
  bool same = strcmp(question, "same") == 0, other = strcmp(question, "other") == 0;
  if (!nest && !kernels && !text && !effective && !same && !other) return false;
  if (x->status != SC_OK && (same || other)) fail_msg("%s:%d: %s", x->path, x->line, x->err.text);
  if (x->status != SC_OK) print_fault(x, &x->answer);
  else if (nest) sc_nest_print(x->task, &x->nest, &x->answer);
  else if (kernels) print_kernels(x, &x->answer);
  else if (effective) print_effective(x, &x->answer);
  else if (text) sc_schedule_print(x->task, &x->schedule, &x->answer), sc_str_add(&x->answer, "\n");
  else if (same != (x->hash == x->hash_before))
    fail_msg("%s:%d: the schedule above is %s one", x->path, x->line, same ? "another" : "the same");
  return true;
}

/* ---- lines ---- */

/* Where the clause to blame stands; nothing else of the error changes. */
static void locate(reading *x, const char *text) {
  sc_error before = x->err;
  sc_reader r;
  sc_reader_init(&r, "<schedule>", text, strlen(text), false, NULL);
  sc_schedule_locate(x->task, &r, &x->err);
  assert_string_equal(x->err.text, before.text);
  assert_string_equal(x->err.source, text[0] ? text : "");
  assert_int_equal(x->err.status, SC_ILLEGAL);
  assert_int_equal(x->err.rule, before.rule);
  assert_int_equal(x->err.line, 1);
}

static void lower(reading *x, const char *text) {
  memset(&x->err, 0, sizeof x->err);
  x->hash_before = x->hash;
  x->hash = 0;
  if (!x->task) fail_msg("%s:%d: a schedule without a task", x->path, x->line);
  x->status = sc_schedule_parse(x->task, "<schedule>", text, &x->schedule, &x->err);
  if (x->status == SC_OK) x->status = sc_lower(x->task, &x->schedule, &x->nest, &x->err);
  tripped[x->err.rule] = true;
  if (x->err.rule) locate(x, text);
  if (x->status != SC_OK) return;
  x->hash = sc_nest_hash(x->task, &x->nest);
  legal++;
  if (x->task->flop > 1e7) return; /* too large to run here */
  check c;
  check_init(&c, x->task, 1);
  if (!check_nest(&c, &x->nest, 1, 2, sc_run_nest, &x->err)) fail_msg("%s:%d: %s", x->path, x->line, x->err.text);
  check_free(&c);
}

/* Takes the next line of `at`, without its newline, into the arena. */
static char *take_line(reading *x, const char **at) {
  size_t n = strcspn(*at, "\n");
  char *line = sc_arena_strndup(arena, *at, n);
  *at += n + ((*at)[n] == '\n');
  x->line++;
  return line;
}

/* Compares the '=' lines that follow with the answer. */
static void check_answer(reading *x, const char **at) {
  sc_str found = {0};
  int first = x->line + 1;
  while ((*at)[0] == '=') {
    const char *line = take_line(x, at);
    sc_str_add(&found, line[1] == ' ' ? line + 2 : line + 1);
    sc_str_add(&found, "\n");
  }
  for (const char *a = sc_str_text(&x->answer); *a; a += strcspn(a, "\n") + 1)
    sc_str_printf(&x->file, "= %.*s\n", (int)strcspn(a, "\n"), a);
  if (strcmp(sc_str_text(&found), sc_str_text(&x->answer)) != 0 && !getenv("SC_UPDATE_CASES")) {
    wrong++;
    print_message("%s:%d: expected\n%sfound\n%s(SC_UPDATE_CASES=1 writes what was found into the file)\n", x->path,
                  first, found.text, sc_str_text(&x->answer));
  }
  sc_str_free(&found);
}

static void read_case(reading *x, const char *at) {
  sc_str schedule = {0};
  while (*at) {
    char *line = take_line(x, &at);
    sc_str_printf(&x->file, "%s\n", line);
    if (line[0] == '#' || line[0] == '\0') continue;
    if (strncmp(line, "task ", 5) == 0) {
      x->task = any_task(line + 5);
    } else if (strncmp(line, "schedule", 8) == 0) {
      sc_str_clear(&schedule);
      sc_str_add(&schedule, line[8] ? line + 9 : "");
      while (at[0] == ' ') {
        line = take_line(x, &at);
        sc_str_printf(&x->file, "%s\n", line);
        sc_str_printf(&schedule, " %s", line + strspn(line, " "));
      }
      lower(x, sc_str_text(&schedule));
    } else if (answer(x, line)) {
      check_answer(x, &at);
    } else {
      fail_msg("%s:%d: expected task, schedule, nest, kernels, text, effective, same, other or '='", x->path, x->line);
    }
  }
  sc_str_free(&schedule);
}

/* ---- files ---- */

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static void test_cases(void **state) {
  const char *root = getenv("SC_SOURCE_DIR");
  char folder[2048], path[4096], *name[MAX_FILES];
  int n = 0;
  snprintf(folder, sizeof folder, "%s/tests/cases", root ? root : ".");
  DIR *dir = opendir(folder);
  assert_non_null(dir);
  for (struct dirent *entry; (entry = readdir(dir));) {
    size_t len = strlen(entry->d_name);
    if (len > 5 && strcmp(entry->d_name + len - 5, ".case") == 0 && n < MAX_FILES)
      name[n++] = sc_arena_strdup(arena, entry->d_name);
  }
  closedir(dir);
  assert_true(n > 0);
  qsort(name, (size_t)n, sizeof name[0], by_name);
  for (int i = 0; i < n; i++) {
    reading x = {.path = path};
    char *text;
    size_t len;
    snprintf(path, sizeof path, "%s/%s", folder, name[i]);
    assert_int_equal(sc_file_read(arena, path, 1 << 20, &text, &len, &x.err), SC_OK);
    read_case(&x, text);
    if (getenv("SC_UPDATE_CASES")) assert_int_equal(sc_file_write_atomic(path, x.file.text, x.file.len, &x.err), SC_OK);
    sc_str_free(&x.answer);
    sc_str_free(&x.file);
  }
  print_message("%d files, %d legal schedules run\n", n, legal);
  assert_int_equal(wrong, 0);
}

static void test_page(void **state) {
  const char *root = getenv("SC_SOURCE_DIR");
  char path[2048], *text;
  size_t len;
  int before = legal;
  snprintf(path, sizeof path, "%s/docs/schedules.md", root ? root : ".");
  assert_int_equal(sc_file_read(arena, path, 1 << 20, &text, &len, NULL), SC_OK);
  for (const char *at = text; (at = strstr(at, "\n    task "));) {
    reading x = {.path = path};
    sc_str block = {0};
    for (at++; strncmp(at, "    ", 4) == 0; at += strcspn(at, "\n") + 1)
      sc_str_addn(&block, at + 4, strcspn(at, "\n") - 3);
    read_case(&x, sc_str_text(&block));
    sc_str_free(&block);
    sc_str_free(&x.answer);
    sc_str_free(&x.file);
  }
  assert_int_equal(wrong, 0);
  assert_true(legal > before);
}

/* RANGE, DIM and VECTOR_DIM cannot be said in the language; test_lower.c trips them. */
static void test_every_rule_has_a_case(void **state) {
  for (int rule = 1; rule < SC_RULE_COUNT; rule++)
    if (!tripped[rule] && rule != SC_RULE_RANGE && rule != SC_RULE_DIM && rule != SC_RULE_VECTOR_DIM)
      fail_msg("no case trips the rule %s", sc_rule_name((sc_rule)rule));
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_cases), cmocka_unit_test(test_page),
                                     cmocka_unit_test(test_every_rule_has_a_case)};
  return cmocka_run_group_tests_name("ir.cases", tests, load_libraries, free_library);
}
