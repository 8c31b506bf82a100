/* Training out of core: writes datasets of made-up rows, trains on them, and says what that took in time and memory.
 *   build/tests/bench_outofcore FOLDER [ROWS [MEMBERS TREES]] (default: 10 000 000 rows, 1 member of 10 trees) */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "predictor/predictor.h"

enum { PER_FILE = 100000, PER_TASK = 1000 };

typedef struct bench {
  const char *folder;
  sc_arena *arena;
  const sc_library *library;
  sc_machine machine;
  const char *machine_text;
  size_t nfiles;
  sc_rng rng;
  /* the dataset being written */
  sc_dataset *dataset;
  const sc_task *task;
  size_t file;
  /* the one being read */
  sc_rows_file read;
} bench;

static void failed(const sc_error *err) {
  char text[1024];
  sc_error_format(err, text, sizeof text);
  fprintf(stderr, "bench_outofcore: %s", text);
  exit(1);
}

static const char *path_of(const bench *b, size_t file) {
  static char path[4200];
  snprintf(path, sizeof path, "%s/outofcore-%zu.h5", b->folder, file);
  return path;
}

/* ---- writing ---- */

/* The time is the analytic one, wide tiles a little faster. */
static sc_status put(void *user, const sc_schedule *schedule) {
  bench *b = user;
  const sc_compiler *compiler = &b->machine.compiler[0];
  const sc_target target = {&b->machine, NULL, 1};
  float row[SC_FEATURE_COUNT];
  sc_analytic terms;
  sc_nest nest;
  sc_str text = {0}, command = {0};
  char shard[40];
  SC_TRY(sc_lower(b->task, schedule, &nest, NULL));
  sc_features_analytic(b->task, &nest, &target, row, &terms);
  sc_schedule_print(b->task, schedule, &text);
  sc_str_printf(&command, "%s | %s %s", compiler->version, compiler->command, compiler->arguments);
  snprintf(shard, sizeof shard, "bench/boot/%zu", b->file);
  sc_record record = {.task = b->task->text,
                      .schedule = sc_str_text(&text),
                      .compiler = sc_str_text(&command),
                      .machine = b->machine_text,
                      .shard = shard,
                      .failure = "",
                      .counters_missing = "",
                      .task_hash = sc_hash64(b->task->text, strlen(b->task->text), 0),
                      .nest_hash = sc_nest_hash(b->task, &nest),
                      .compiler_hash = sc_compiler_hash(compiler),
                      .machine_hash = sc_machine_fingerprint(&b->machine),
                      .threads = 1,
                      .proposal = SC_PROPOSED_UNIFORM,
                      .npasses = 1};
  const double wide = row[SC_FEATURE_tile_vectors] > 2 ? 0.8 : 1, noise = 1 + 0.05 * sc_rng_unit(&b->rng);
  record.pass[0] = (sc_pass){.unix_ns = 1 + (int64_t)sc_dataset_count(b->dataset), .batch = 1};
  for (int i = 0; i < SC_REPEATS; i++) record.pass[0].ns[i] = (float)(terms.time_s * 1e9 * wide * noise);
  const sc_status status = sc_dataset_append(b->dataset, &record, NULL);
  sc_str_free(&text);
  sc_str_free(&command);
  return status;
}

static sc_status write_task(bench *b, size_t number, sc_error *err) {
  const sc_space_options options = {.threads = 1};
  const sc_space *space;
  sc_space_bound *bound;
  char text[96];
  sc_arena *arena = sc_arena_new();
  snprintf(text, sizeof text, "matmul:M=%zu,N=%zu,K=%zu", 32 + 8 * (number % 13), 64 + 16 * (number % 11), 32 + number);
  sc_status status = sc_task_parse(arena, b->library, text, &b->task, err);
  if (status == SC_OK) status = sc_space_default(arena, b->task, &space, err);
  if (status == SC_OK) status = sc_space_bind(space, b->task, &b->machine, &options, &bound, err);
  if (status == SC_OK) {
    status = sc_space_sample(bound, SC_SAMPLE_UNIFORM, PER_TASK, number, put, b, err);
    sc_space_unbind(bound);
  }
  sc_arena_free(arena);
  return status;
}

static sc_status write_file(bench *b, sc_error *err) {
  unlink(path_of(b, b->file));
  SC_TRY(sc_dataset_open(path_of(b, b->file), SC_DATASET_APPEND, &b->dataset, err));
  sc_status status = SC_OK;
  for (size_t t = 0; t < PER_FILE / PER_TASK && status == SC_OK; t++)
    status = write_task(b, b->file * (PER_FILE / PER_TASK) + t, err);
  const sc_status closed = sc_dataset_close(b->dataset, status == SC_OK ? err : NULL);
  return status == SC_OK ? closed : status;
}

/* ---- reading ---- */

static sc_status read_file(void *user, size_t i, const sc_rows **rows, sc_error *err) {
  bench *b = user;
  const sc_rows_options options = {.passes = 1};
  *rows = &b->read.rows;
  return sc_rows_open(b->library, path_of(b, i), &options, &b->read, err);
}

static void say(void *user, sc_log_level level, const char *line) {
  if (level >= SC_LOG_INFO) fprintf(stderr, "%6.0f s: %s\n", sc_now_s() - *(const double *)user, line);
}

static double peak_gib(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (double)usage.ru_maxrss / (1 << 20);
}

int main(int argc, char **argv) {
  if (argc < 2) return fprintf(stderr, "usage: bench_outofcore FOLDER [ROWS [MEMBERS TREES]]\n"), 2;
  static bench b;
  sc_error err = {0};
  sc_str text = {0};
  sc_model *model = NULL;
  char machine[4200];
  const double begin = sc_now_s();
  const size_t rows = argc > 2 ? strtoull(argv[2], NULL, 10) : 10000000;
  b = (bench){.folder = argv[1], .arena = sc_arena_new(), .nfiles = (rows + PER_FILE - 1) / PER_FILE};
  sc_data_dir(machine, 4096);
  snprintf(machine + strlen(machine), 100, "/machines/x86-64-v3.machine");
  sc_rng_seed(&b.rng, 1, 0);
  if (sc_library_load(b.arena, NULL, &b.library, &err) != SC_OK || sc_machine_load(machine, &b.machine, &err) != SC_OK)
    failed(&err);
  sc_machine_print(&b.machine, &text);
  b.machine_text = sc_str_text(&text);
  for (b.file = 0; b.file < b.nfiles; b.file++)
    if (write_file(&b, &err) != SC_OK) failed(&err);
  const double written_s = sc_now_s() - begin, before = peak_gib(), start = sc_now_s();
  printf("%zu datasets of %d rows written in %.0f s, peak memory %.2f GiB\n", b.nfiles, PER_FILE, written_s, before);
  fflush(stdout);
  const sc_row_batches batches = {b.nfiles, read_file, &b};
  const sc_train_options options = {
      .members = argc > 3 ? atoi(argv[3]) : 1, .trees = argc > 4 ? atoi(argv[4]) : 10, .log = {say, (void *)&start}};
  if (sc_model_train_batches(&batches, &options, &model, &err) != SC_OK) failed(&err);
  sc_rows_close(&b.read);
  printf("trained in %.0f s, peak memory of the process %.2f GiB\n", sc_now_s() - start, peak_gib());
  sc_str_clear(&text);
  sc_model_card(model, false, &text);
  printf("%.*s\n", (int)(strstr(sc_str_text(&text), "\n\n") - sc_str_text(&text)), sc_str_text(&text));
  sc_model_free(model);
  for (size_t i = 0; i < b.nfiles; i++) unlink(path_of(&b, i));
  sc_str_free(&text);
  sc_arena_free(b.arena);
  return 0;
}
