/* libFuzzer target of the schedule language: any bytes as a schedule of a padded convolution; what parses prints back
 * to itself, and what lowers has a text and computes what the operator does ($SCHEDCAST_DATA). */
#include <stdlib.h>
#include <string.h>

#include "ir/ir.h"

static const sc_task *load_task(sc_arena *arena) {
  const sc_library *library;
  const sc_task *task = NULL;
  SC_ASSERT(arena && sc_library_load(arena, NULL, &library, NULL) == SC_OK);
  SC_ASSERT(sc_task_parse(arena, library, "conv2d:H=5,W=4,C=5,K=8,R=3,S=3,pad=1,layout=NCHWc4,epilogue=bias", &task,
                          NULL) == SC_OK);
  return task;
}

static void run(const sc_task *task, const sc_nest *nest) {
  void *expected[SC_MAX_TENSORS], *buffers[SC_MAX_TENSORS];
  sc_error err = {0};
  for (int t = 0; t < task->ntensors; t++) {
    expected[t] = malloc((size_t)task->tensor[t].elems * sc_type_bytes(task->tensor[t].type));
    buffers[t] = malloc((size_t)task->tensor[t].elems * sc_type_bytes(task->tensor[t].type));
  }
  sc_fill_buffers(task, expected, 1);
  sc_fill_buffers(task, buffers, 1);
  SC_ASSERT(sc_run_operator(task, expected, &err) == SC_OK);
  SC_ASSERT(sc_run_nest(task, nest, buffers, 2, &err) == SC_OK);
  for (int t = 0; t < task->ntensors; t++) {
    SC_ASSERT(memcmp(expected[t], buffers[t], (size_t)task->tensor[t].elems * sc_type_bytes(task->tensor[t].type)) ==
              0);
    free(expected[t]);
    free(buffers[t]);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  static sc_arena *shared; /* one task for all calls */
  static const sc_task *task;
  if (!shared) task = load_task(shared = sc_arena_new());
  sc_schedule schedule, again;
  sc_nest nest;
  sc_error err = {0};
  sc_reader reader;
  sc_str printed = {0};
  sc_reader_init(&reader, "fuzz", (const char *)bytes, size, true, &err);
  if (sc_schedule_read(task, &reader, &schedule) != SC_OK) return 0;
  sc_schedule_print(task, &schedule, &printed);
  SC_ASSERT(sc_schedule_parse(task, "printed", sc_str_text(&printed), &again, &err) == SC_OK);
  SC_ASSERT(memcmp(&schedule, &again, sizeof again) == 0);
  if (sc_lower(task, &schedule, &nest, &err) == SC_OK) {
    sc_str_clear(&printed);
    sc_nest_print(task, &nest, &printed);
    SC_ASSERT(printed.len > 0);
    run(task, &nest);
  } else {
    SC_ASSERT(err.rule > 0 && err.text[0]);
    sc_reader_init(&reader, "fuzz", (const char *)bytes, size, true, NULL);
    sc_schedule_locate(task, &reader, &err);
    SC_ASSERT(err.status == SC_ILLEGAL && err.rule > 0 && err.text[0] && err.line > 0 && err.column > 0);
  }
  sc_str_free(&printed);
  return 0;
}
