/* From a dataset to rows: labels, halves, groups, networks, and the count of everything that is left out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

#include "predictor/corpus.h"
#include "tests/predictor/synthetic.h"

typedef struct world {
  sc_arena *arena;
  const sc_library *library;
  char folder[64];
  sc_dataset *dataset;
  sc_str machine;
  uint64_t number;
} world;

static void file_in(const world *w, const char *name, const char *text, char *path, size_t size) {
  sc_error err;
  snprintf(path, size, "%s/%s", w->folder, name);
  assert_int_equal(sc_file_write_atomic(path, text, strlen(text), &err), SC_OK);
}

static int set_up(void **state) {
  world *w = calloc(1, sizeof *w);
  char path[96];
  sc_error err;
  w->arena = sc_arena_new();
  snprintf(w->folder, sizeof w->folder, "/tmp/sc-rows-XXXXXX");
  if (mkdtemp(w->folder) == NULL || sc_library_load(w->arena, NULL, &w->library, &err) != SC_OK) return 1;
  snprintf(path, sizeof path, "%s/d.h5", w->folder);
  const sc_machine machine = synthetic_machine();
  sc_machine_print(&machine, &w->machine);
  *state = w;
  return sc_dataset_open(path, SC_DATASET_APPEND, &w->dataset, &err) != SC_OK;
}

static int tear_down(void **state) {
  world *w = *state;
  char command[128];
  sc_dataset_close(w->dataset, NULL);
  snprintf(command, sizeof command, "rm -rf '%s'", w->folder);
  const int rc = system(command);
  sc_str_free(&w->machine);
  sc_arena_free(w->arena);
  free(w);
  return rc;
}

/* A schedule that ran: pass p took `ns` + p, repeats a little more. */
static sc_record record_of(world *w, const char *task, const char *schedule, double ns, int passes) {
  sc_record r = {.task = task,
                 .schedule = schedule,
                 .compiler = "gcc 12 | gcc -O2",
                 .machine = sc_str_text(&w->machine),
                 .shard = "host/boot/0",
                 .failure = "",
                 .task_hash = sc_hash64(task, strlen(task), 0),
                 .nest_hash = ++w->number,
                 .compiler_hash = 1,
                 .machine_hash = 5,
                 .code_hash = w->number,
                 .threads = 1,
                 .outcome = SC_RAN,
                 .npasses = (uint32_t)passes};
  for (int p = 0; p < passes; p++) {
    r.pass[p].unix_ns = 1000 + p;
    r.pass[p].batch = 1;
    for (int i = 0; i < SC_REPEATS; i++) r.pass[p].ns[i] = (float)(ns + p + i);
  }
  return r;
}

static void add(world *w, const sc_record *r) {
  sc_error err;
  if (sc_dataset_append(w->dataset, r, &err) != SC_OK) fail_msg("%s", err.text);
}

#define SCHEDULE "tile i 4*4, j 16; vector j 8; loop k; band order i; compile gcc"

static void everything_is_counted_once(void **state) {
  world *w = *state;
  char networks[96], evaluation[96];
  const char *const a = "matmul:M=16,N=16,K=32", *const b = "matmul:M=16,N=16,K=64", *const c = "matmul:M=16,N=16,K=96";
  file_in(w, "networks.txt",
          "# a comment\nnet-1\tmatmul:M=16,N=16,K=32\nnet-2\tmatmul:M=16,N=16,K=32\n\nnet-2\tmatmul:M=16,N=16,K=96 # "
          "another\n",
          networks, sizeof networks);
  file_in(w, "evaluation.txt", "net-3\tmatmul:M=16,N=16,K=64\n", evaluation, sizeof evaluation);
  sc_record r = record_of(w, a, SCHEDULE, 100, 5);
  r.pass[0].invalid = 1;
  r.threads = 1;
  add(w, &r);
  r = record_of(w, a, SCHEDULE, 200, 3), add(w, &r);
  r = record_of(w, c, SCHEDULE, 300, 3), add(w, &r);
  r = record_of(w, "matmul:M=16,N=16,K=7", SCHEDULE, 350, 3), add(w, &r); /* in no network */
  r = record_of(w, b, SCHEDULE, 400, 3), add(w, &r); /* of the evaluation */
  r = record_of(w, a, SCHEDULE, 500, 2), add(w, &r); /* too few passes */
  r = record_of(w, a, SCHEDULE, 600, 3), r.outcome = SC_CRASHED, add(w, &r);
  r = record_of(w, a, SCHEDULE, 700, 3), r.simulated = 1, add(w, &r);
  r = record_of(w, a, SCHEDULE, 800, 3), r.machine_hash = 6, add(w, &r);
  r = record_of(w, a, "tile i 5*3; compile gcc", 900, 3), add(w, &r); /* no longer legal */
  r = record_of(w, "nothing:M=1", SCHEDULE, 950, 3), add(w, &r); /* no longer an operator */
  r = record_of(w, a, SCHEDULE, 1000, 3), add(w, &r);
  assert_int_equal(sc_dataset_mark_stale(w->dataset, sc_dataset_count(w->dataset) - 1, true, NULL), SC_OK);
  sc_rows_options options = {.passes = 3, .networks = networks, .forbid = evaluation};
  sc_rows rows;
  sc_error err;
  if (sc_rows_build(w->arena, w->library, w->dataset, &options, &rows, &err) != SC_OK) fail_msg("%s", err.text);
  assert_int_equal(rows.n, 4);
  assert_int_equal(rows.skipped_simulated, 1);
  assert_int_equal(rows.skipped_failed, 1);
  assert_int_equal(rows.skipped_passes, 1);
  assert_int_equal(rows.skipped_stale, 1);
  assert_int_equal(rows.skipped_foreign, 1);
  assert_int_equal(rows.skipped_illegal, 2);
  assert_int_equal(rows.skipped_forbidden, 1);
  assert_true(fabs(rows.time_s[0] - 101e-9) < 1e-15); /* the first pass is not valid */
  assert_true(fabs(rows.half_a_s[0] - 101e-9) < 1e-15 && fabs(rows.half_b_s[0] - 102e-9) < 1e-15);
  assert_true(fabs(rows.time_s[1] - 200e-9) < 1e-15 && fabs(rows.half_a_s[1] - 200e-9) < 1e-15 &&
              fabs(rows.half_b_s[1] - 201e-9) < 1e-15);
  assert_int_equal(rows.ntasks, 3);
  assert_int_equal(rows.ngroups, 3);
  assert_int_equal(rows.nnetworks, 3);
  assert_string_equal(rows.network_name[rows.network[0]], "net-1"); /* the first that lists it */
  assert_string_equal(rows.network_name[rows.network[2]], "net-2");
  assert_string_equal(rows.network_name[rows.network[3]], "matmul:M=16,N=16,K=7");
  assert_string_equal(rows.task_name[rows.task[2]], c);
  assert_string_equal(rows.machine.name, "test");
  for (size_t i = 0; i < rows.n; i++) {
    const sc_task *task;
    sc_schedule schedule;
    sc_nest nest;
    float row[SC_FEATURE_COUNT];
    const sc_target target = {&rows.machine, NULL, 1};
    assert_int_equal(sc_task_parse(w->arena, w->library, rows.task_name[rows.task[i]], &task, NULL), SC_OK);
    assert_int_equal(sc_schedule_parse(task, "x", rows.record[i]->schedule, &schedule, NULL), SC_OK);
    assert_int_equal(sc_lower(task, &schedule, &nest, NULL), SC_OK);
    sc_features(task, &nest, &target, row);
    assert_memory_equal(row, rows.features + i * SC_FEATURE_COUNT, sizeof row);
    assert_false(rows.forbidden[i]);
  }
  options.keep_forbidden = true;
  assert_int_equal(sc_rows_build(w->arena, w->library, w->dataset, &options, &rows, &err), SC_OK);
  assert_int_equal(rows.n, 5);
  int forbidden = 0;
  for (size_t i = 0; i < rows.n; i++) {
    forbidden += rows.forbidden[i];
    assert_int_equal(rows.forbidden[i], strcmp(rows.task_name[rows.task[i]], b) == 0);
  }
  assert_int_equal(forbidden, 1);
}

/* Three passes, or what nine of ten rows have. */
static void passes_are_what_most_rows_have(void **state) {
  world *w = *state;
  sc_rows rows;
  const sc_rows_options options = {.forbid = "/dev/null", .networks = "/dev/null"};
  for (int i = 0; i < 20; i++) {
    const sc_record r = record_of(w, "matmul:M=16,N=16,K=32", SCHEDULE, 100, i < 1 ? 1 : 2);
    add(w, &r);
  }
  assert_int_equal(sc_rows_build(w->arena, w->library, w->dataset, &options, &rows, NULL), SC_OK);
  assert_int_equal(rows.passes, 2);
  assert_int_equal(rows.n, 19);
  assert_int_equal(rows.skipped_passes, 1);
}

/* A task whose rows all have more passes has labels of more, as many as all have that have enough for a label. */
static void longer_measured_tasks_have_labels_of_more(void **state) {
  static const char *const tasks[] = {"matmul:M=16,N=16,K=32", "matmul:M=16,N=16,K=64", "matmul:M=16,N=16,K=128"};
  world *w = *state;
  sc_rows rows;
  sc_rows_options options = {.forbid = "/dev/null", .networks = "/dev/null"};
  for (int i = 0; i < 60; i++) {
    sc_record r = record_of(w, tasks[i / 20], SCHEDULE, 100, 3);
    if (i >= 20) r.npasses = i == 20 ? 2 : i == 21 ? 5 : i == 40 ? 3 : 7;
    for (uint32_t p = 3; p < r.npasses; p++) {
      r.pass[p] = r.pass[0];
      r.pass[p].unix_ns += p;
      r.pass[p].ns[0] = (float)(100 - p);
    }
    add(w, &r);
  }
  assert_int_equal(sc_rows_build(w->arena, w->library, w->dataset, &options, &rows, NULL), SC_OK);
  assert_int_equal(rows.passes, 3);
  assert_int_equal(rows.n, 59);
  assert_int_equal(rows.skipped_passes, 1); /* that of two */
  for (size_t i = 0; i < rows.n; i++) { /* the least of three, of five */
    const bool longer = strcmp(rows.task_name[rows.task[i]], tasks[1]) == 0;
    assert_true(fabs(rows.time_s[i] - (longer ? 96e-9 : 100e-9)) < 1e-15);
  }
  options.passes = 3;
  assert_int_equal(sc_rows_build(w->arena, w->library, w->dataset, &options, &rows, NULL), SC_OK);
  assert_int_equal(rows.n, 59);
  assert_true(fabs(rows.time_s[30] - 100e-9) < 1e-15);
}

/* Passes marked invalid count only when asked for, and the rows that need them are counted. */
static void disturbed_passes_must_be_asked_for(void **state) {
  world *w = *state;
  sc_rows rows;
  sc_rows_options options = {.passes = 2, .forbid = "/dev/null", .networks = "/dev/null"};
  sc_record r = record_of(w, "matmul:M=16,N=16,K=32", SCHEDULE, 100, 2);
  add(w, &r);
  r = record_of(w, "matmul:M=16,N=16,K=64", SCHEDULE, 200, 2);
  r.pass[0].invalid = 1;
  add(w, &r);
  assert_int_equal(sc_rows_build(w->arena, w->library, w->dataset, &options, &rows, NULL), SC_OK);
  assert_int_equal(rows.n, 1);
  assert_int_equal(rows.skipped_passes, 1);
  assert_int_equal(rows.disturbed, 0);
  options.disturbed = true;
  assert_int_equal(sc_rows_build(w->arena, w->library, w->dataset, &options, &rows, NULL), SC_OK);
  assert_int_equal(rows.n, 2);
  assert_int_equal(rows.skipped_passes, 0);
  assert_int_equal(rows.disturbed, 1);
  assert_true(fabs(rows.time_s[1] - 200e-9) < 1e-15); /* the disturbed pass is the faster one */
}

/* Of each task the boot with most valid passes counts; of a schedule measured in two of its shards the record with most
 * passes. */
static void boots_are_not_mixed(void **state) {
  world *w = *state;
  sc_rows rows;
  const sc_rows_options options = {.forbid = "/dev/null", .networks = "/dev/null"};
  const char *const a = "matmul:M=16,N=16,K=32", *const b = "matmul:M=16,N=16,K=64";
  sc_record r = record_of(w, a, SCHEDULE, 100, 3); /* of the smaller boot */
  r.shard = "host/first/0", add(w, &r);
  r = record_of(w, a, SCHEDULE, 150, 1);
  r.shard = "host/first/0", add(w, &r);
  r = record_of(w, a, SCHEDULE, 200, 2);
  r.shard = "host/second/0", add(w, &r);
  r.npasses = 3;
  for (int p = 0; p < 3; p++)
    for (int i = 0; i < SC_REPEATS; i++) r.pass[p].ns[i] = 300;
  r.shard = "host/second/1", add(w, &r); /* the same schedule again, longer */
  r = record_of(w, a, SCHEDULE, 400, 2);
  r.shard = "host/second/1", add(w, &r);
  r = record_of(w, b, SCHEDULE, 500, 2);
  r.shard = "host/first/0", add(w, &r); /* the first boot is this task's only one */
  r = record_of(w, b, SCHEDULE, 600, 2);
  r.shard = "host/first/0", r.harness_abi = 1 << 16, add(w, &r); /* cold caches */
  assert_int_equal(sc_rows_build(w->arena, w->library, w->dataset, &options, &rows, NULL), SC_OK);
  assert_int_equal(rows.passes, 2); /* by the rows that count */
  assert_int_equal(rows.n, 3);
  assert_true(fabs(rows.time_s[0] - 300e-9) < 1e-15);
  assert_true(fabs(rows.time_s[1] - 400e-9) < 1e-15);
  assert_true(fabs(rows.time_s[2] - 500e-9) < 1e-15);
  assert_int_equal(rows.skipped_elsewhere, 3);
  assert_int_equal(rows.skipped_foreign, 1);
}

/* The kernel of SCHEDULE, measured, in a table. */
static sc_kernel_table *kernels_of_schedule(const world *w, const char *text) {
  const sc_machine machine = synthetic_machine();
  static const uint8_t first[SC_MAX_DIMS];
  const sc_task *task;
  sc_schedule schedule;
  sc_nest nest;
  sc_kernel kernel;
  sc_kernel_table *table = sc_kernel_table_new();
  assert_int_equal(sc_task_parse(w->arena, w->library, text, &task, NULL), SC_OK);
  assert_int_equal(sc_schedule_parse(task, "test", SCHEDULE, &schedule, NULL), SC_OK);
  assert_int_equal(sc_lower(task, &schedule, &nest, NULL), SC_OK);
  sc_nest_kernel(task, &nest, first, &kernel);
  const sc_kernel_fact fact = {.family = sc_kernel_hash(&kernel, true),
                               .compiler = sc_compiler_hash(&machine.compiler[0]),
                               .first_ns = 20,
                               .slope_ns = 10,
                               .spills = 0,
                               .code_bytes = 400,
                               .measured = 1};
  assert_int_equal(sc_kernel_table_put(table, &fact), SC_OK);
  return table;
}

/* About every third row has a view: the same label and workload, never more known of its kernels than the row knows. */
static void views_know_less(void **state) {
  enum { N = 120 };
  world *w = *state;
  const char *const task = "matmul:M=16,N=16,K=32";
  for (int i = 0; i < N; i++) {
    const sc_record r = record_of(w, task, SCHEDULE, 100 + i, 3);
    add(w, &r);
  }
  sc_kernel_table *kernels = kernels_of_schedule(w, task);
  sc_rows_options options = {.kernels = kernels, .views = true};
  sc_rows rows, without;
  sc_error err;
  int blind = 0, only_static = 0;
  if (sc_rows_build(w->arena, w->library, w->dataset, &options, &rows, &err) != SC_OK) fail_msg("%s", err.text);
  assert_int_equal(rows.n, N);
  assert_in_range(rows.nviews, N / 6, N / 2);
  for (size_t v = 0; v < rows.nviews; v++) {
    const size_t row = rows.view_of[v], at = rows.n + v;
    const float *full = rows.features + row * SC_FEATURE_COUNT, *less = rows.features + at * SC_FEATURE_COUNT;
    assert_true(row < rows.n && rows.time_s[at] == rows.time_s[row]);
    assert_true(full[SC_FEATURE_kernel_known] == 1 && full[SC_FEATURE_kernel_static] == 1);
    for (int f = 0; f < SC_FEATURE_COUNT; f++) {
      const char *group = sc_feature_at(f)->group;
      if (strcmp(group, "kernel") != 0 && strcmp(group, "analytic") != 0) assert_true(full[f] == less[f]);
    }
    blind += less[SC_FEATURE_kernel_static] == 0;
    only_static += less[SC_FEATURE_kernel_static] == 1 && less[SC_FEATURE_kernel_known] == 0;
    assert_true(less[SC_FEATURE_kernel_known] == 1 || rows.analytic[at].kernel_s == rows.analytic[at].compute_s);
  }
  assert_true(blind > 0 && only_static > 0);
  options.views = false;
  assert_int_equal(sc_rows_build(w->arena, w->library, w->dataset, &options, &without, &err), SC_OK);
  assert_int_equal(without.nviews, 0);
  assert_memory_equal(without.features, rows.features, N * SC_FEATURE_COUNT * sizeof(float));
  options = (sc_rows_options){.views = true}; /* nothing is known: nothing can be taken away */
  assert_int_equal(sc_rows_build(w->arena, w->library, w->dataset, &options, &without, &err), SC_OK);
  assert_int_equal(without.nviews, 0);
  sc_kernel_table_free(kernels);
}

static void an_empty_dataset_has_no_rows(void **state) {
  world *w = *state;
  sc_rows rows;
  assert_int_equal(sc_rows_build(w->arena, w->library, w->dataset, NULL, &rows, NULL), SC_OK);
  assert_int_equal(rows.n, 0);
  assert_int_equal(rows.ngroups, 0);
}

/* A table that is mistyped must not move a layer into training. */
static void a_wrong_table_is_an_error(void **state) {
  static const struct {
    const char *text, *why;
    int line;
  } cases[] = {{"net\tmatmul:M=1,N=1,K=1\nno tab here\n", "a tab", 2},
               {"# head\n\nnet\tmatmul:M=x\n", "", 3},
               {"net\tnothing:M=1", "", 1}};
  world *w = *state;
  char path[96];
  for (size_t i = 0; i < SC_COUNT_OF(cases); i++) {
    sc_rows rows;
    sc_error err;
    file_in(w, "table.txt", cases[i].text, path, sizeof path);
    const sc_rows_options options = {.forbid = path};
    assert_true(sc_rows_build(w->arena, w->library, w->dataset, &options, &rows, &err) != SC_OK);
    assert_string_equal(err.where, path);
    assert_int_equal(err.line, cases[i].line);
    assert_non_null(strstr(err.text, cases[i].why));
  }
  sc_rows rows;
  const sc_rows_options missing = {.networks = "/nowhere/networks.txt"};
  assert_int_equal(sc_rows_build(w->arena, w->library, w->dataset, &missing, &rows, NULL), SC_NOTFOUND);
}

/* The tables of the project itself: every line a task, and nothing of the evaluation trained on by accident. */
static void the_corpus_is_readable(void **state) {
  world *w = *state;
  sc_corpus networks, evaluation;
  sc_error err;
  if (sc_corpus_load(w->arena, w->library, NULL, "networks.txt", &networks, &err) != SC_OK)
    fail_msg("%s:%d: %s", err.where, err.line, err.text);
  if (sc_corpus_load(w->arena, w->library, NULL, "evaluation.txt", &evaluation, &err) != SC_OK)
    fail_msg("%s:%d: %s", err.where, err.line, err.text);
  assert_true(networks.groups.n >= 60 && evaluation.groups.n >= 30);
}

static void names_are_numbered_by_appearance(void **state) {
  world *w = *state;
  sc_names names = {.arena = w->arena};
  assert_int_equal(sc_names_find(&names, "x"), SC_NO_NAME);
  for (int round = 0; round < 2; round++) {
    for (uint32_t i = 0; i < 1000; i++) {
      char name[16];
      snprintf(name, sizeof name, "n%u", i);
      assert_int_equal(sc_names_add(&names, name), i);
      assert_int_equal(sc_names_find(&names, name), i);
    }
  }
  assert_int_equal(names.n, 1000);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(everything_is_counted_once, set_up, tear_down),
      cmocka_unit_test_setup_teardown(passes_are_what_most_rows_have, set_up, tear_down),
      cmocka_unit_test_setup_teardown(longer_measured_tasks_have_labels_of_more, set_up, tear_down),
      cmocka_unit_test_setup_teardown(disturbed_passes_must_be_asked_for, set_up, tear_down),
      cmocka_unit_test_setup_teardown(boots_are_not_mixed, set_up, tear_down),
      cmocka_unit_test_setup_teardown(views_know_less, set_up, tear_down),
      cmocka_unit_test_setup_teardown(an_empty_dataset_has_no_rows, set_up, tear_down),
      cmocka_unit_test_setup_teardown(a_wrong_table_is_an_error, set_up, tear_down),
      cmocka_unit_test_setup_teardown(the_corpus_is_readable, set_up, tear_down),
      cmocka_unit_test_setup_teardown(names_are_numbered_by_appearance, set_up, tear_down),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
