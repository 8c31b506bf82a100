/* What the tests of operators and tasks share: the library, tasks by text, their buffers. */
#ifndef TESTS_IR_TASKS_H
#define TESTS_IR_TASKS_H

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ir/ir.h"

static sc_arena *arena;
static const sc_library *library;

static int load_library(void **state) {
  sc_error err = {0};
  arena = sc_arena_new();
  if (!arena || sc_library_load(arena, NULL, &library, &err) != SC_OK) {
    fprintf(stderr, "%s: %s\n", err.where, err.text);
    return -1;
  }
  return 0;
}

static int free_library(void **state) {
  sc_arena_free(arena);
  return 0;
}

static inline const sc_task *task_of(const char *text) {
  const sc_task *task = NULL;
  sc_error err = {0};
  if (sc_task_parse(arena, library, text, &task, &err) != SC_OK) fail_msg("%s: %s", text, err.text);
  return task;
}

static inline void buffers_new(const sc_task *task, void **buffers) {
  for (int i = 0; i < task->ntensors; i++) {
    buffers[i] = malloc((size_t)task->tensor[i].elems * sc_type_bytes(task->tensor[i].type));
    assert_non_null(buffers[i]);
  }
}

static inline void buffers_free(const sc_task *task, void **buffers) {
  for (int i = 0; i < task->ntensors; i++) free(buffers[i]);
}

static inline int below(sc_rng *rng, int n) { return (int)sc_rng_below(rng, (uint64_t)n); }

/* Files 0.op, 1.op, ... of a folder. */
static inline void write_operators(const char *folder, const char *const *texts, size_t n) {
  char path[100];
  sc_error err;
  for (size_t i = 0; i < n; i++) {
    snprintf(path, sizeof path, "%s/%zu.op", folder, i);
    assert_int_equal(sc_file_write_atomic(path, texts[i], strlen(texts[i]), &err), SC_OK);
  }
}

static inline void remove_operators(const char *folder, size_t n) {
  char path[100];
  for (size_t i = 0; i < n; i++) {
    snprintf(path, sizeof path, "%s/%zu.op", folder, i);
    remove(path);
  }
  assert_int_equal(remove(folder), 0);
}

/* A library of operators given as texts. */
static inline const sc_library *library_of(const char *const *texts, size_t n) {
  char folder[] = "/tmp/schedcast-test-XXXXXX";
  const sc_library *own = NULL;
  sc_error err = {0};
  assert_non_null(mkdtemp(folder));
  write_operators(folder, texts, n);
  sc_status status = sc_library_load(arena, folder, &own, &err);
  remove_operators(folder, n);
  if (status != SC_OK) fail_msg("%s:%d:%d %s", err.where, err.line, err.column, err.text);
  return own;
}

#endif
