/* What the tests of the harness share: a cache of their own, a machine with one plain compiler (no probe, any host),
 * tasks, random schedules, and shared objects written by hand. */
#ifndef TESTS_HARNESS_COMMON_H
#define TESTS_HARNESS_COMMON_H

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "harness/probe.h"
#include "tests/ir/random_schedule.h"

typedef struct world {
  char folder[64];
  sc_arena *arena;
  const sc_library *library;
  sc_machine machine;
} world;

static inline const char *host_compiler(void) { return access("/usr/bin/gcc", X_OK) == 0 ? "gcc" : "cc"; }

/* `command` NULL: the host's compiler. */
static inline void machine_make(sc_machine *machine, const char *command) {
  char text[2048];
  sc_error err = {0};
  sc_machine host = {0};
  sc_probe_cpu(&host);
  snprintf(text, sizeof text,
           "machine here\ncpu \"%s\"\nisa \"%s\"\nrunner \"local\"\ncores 2 assumed\nclock_hz 3000000000 assumed\n"
           "vector_bytes 16 assumed\nl1d.bytes 32768 assumed\nl2.bytes 1048576 assumed\nl3.bytes 8388608 assumed\n"
           "compiler gcc command \"%s\" "
           "arguments \"-O2 -ffp-contract=fast -fno-tree-vectorize -falign-functions=64\" vector_bytes 16\n",
           host.cpu, host.isa, command ? command : host_compiler());
  if (sc_machine_parse("test", text, strlen(text), machine, &err) != SC_OK) fail_msg("%s", err.text);
}

static inline int world_open(void **state) {
  world *w = calloc(1, sizeof *w);
  sc_error err = {0};
  snprintf(w->folder, sizeof w->folder, "/tmp/sc-harness-XXXXXX");
  assert_non_null(mkdtemp(w->folder));
  setenv("SCHEDCAST_CACHE", w->folder, 1);
  w->arena = sc_arena_new();
  if (sc_library_load(w->arena, NULL, &w->library, &err) != SC_OK) fail_msg("%s", err.text);
  machine_make(&w->machine, NULL);
  *state = w;
  return 0;
}

static inline int world_close(void **state) {
  world *w = *state;
  sc_argv argv = {0};
  int exit_status;
  sc_argv_split(&argv, "rm -rf");
  sc_argv_add(&argv, w->folder);
  sc_run_program(&argv, 60, NULL, &exit_status, NULL);
  sc_argv_free(&argv);
  sc_arena_free(w->arena);
  free(w);
  return 0;
}

static inline const sc_task *task_make(world *w, const char *text) {
  const sc_task *task = NULL;
  sc_error err = {0};
  if (sc_task_parse(w->arena, w->library, text, &task, &err) != SC_OK) fail_msg("%s: %s", text, err.text);
  return task;
}

static inline void schedule_make(const sc_task *task, const char *text, sc_schedule *schedule, sc_nest *nest) {
  sc_error err = {0};
  if (sc_schedule_parse(task, "test", text, schedule, &err) != SC_OK) fail_msg("%s: %s", text, err.text);
  if (sc_lower(task, schedule, nest, &err) != SC_OK) fail_msg("%s: %s", text, err.text);
}

static inline void schedule_draw(const sc_task *task, sc_rng *rng, sc_schedule *schedule, sc_nest *nest) {
  sc_error err = {0};
  assert_int_equal(sc_schedule_random(task, rng, 4, "gcc", schedule), SC_OK);
  if (sc_lower(task, schedule, nest, &err) != SC_OK) fail_msg("%s", err.text);
}

/* Compiles C source into <folder>/<name>.so as if sc_build had: functions f_ahead_bytes .. f_run. */
static inline void object_make(world *w, const char *name, const char *source, const char *flags, sc_built *built) {
  char path[128];
  sc_argv argv = {0};
  sc_str said = {0};
  int exit_status = -1;
  *built = (sc_built){.outcome = SC_RAN};
  snprintf(built->path, sizeof built->path, "%s/%s.so", w->folder, name);
  snprintf(built->prefix, sizeof built->prefix, "f");
  snprintf(path, sizeof path, "%s/%s.c", w->folder, name);
  assert_int_equal(sc_write_file(path, source, strlen(source), NULL), SC_OK);
  sc_argv_add(&argv, host_compiler());
  sc_argv_split(&argv, "-O1 -w -fPIC -shared");
  sc_argv_split(&argv, flags);
  sc_argv_add(&argv, "-o");
  sc_argv_add(&argv, built->path);
  sc_argv_add(&argv, path);
  assert_int_equal(sc_run_program(&argv, 60, &said, &exit_status, NULL), SC_OK);
  if (exit_status != 0) fail_msg("%s", sc_str_text(&said));
  sc_str_free(&said);
  sc_argv_free(&argv);
}

#define ok(call)                                               \
  do {                                                         \
    sc_error ok_err_ = {0}, *err = &ok_err_;                   \
    if ((call) != SC_OK) fail_msg("%s: %s", #call, err->text); \
  } while (0)

#endif
