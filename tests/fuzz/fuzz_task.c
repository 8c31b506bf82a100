/* libFuzzer target of tasks: any bytes as the text of a task of the shipped operators ($SCHEDCAST_DATA). */
#include <string.h>

#include "ir/ir.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  static sc_arena *shared; /* one library for all calls */
  static const sc_library *library;
  sc_error err = {0};
  if (!shared) {
    shared = sc_arena_new();
    SC_ASSERT(shared && sc_library_load(shared, NULL, &library, &err) == SC_OK);
  }
  sc_arena *arena = sc_arena_new();
  char *text = sc_arena_strndup(arena, (const char *)bytes, size);
  const sc_task *task, *again;
  if (text && sc_task_parse(arena, library, text, &task, &err) == SC_OK) {
    SC_ASSERT(sc_task_parse(arena, library, task->text, &again, &err) == SC_OK);
    SC_ASSERT(strcmp(task->text, again->text) == 0 && task->hash == again->hash);
    sc_str key = {0};
    sc_task_group_key(task, &key);
    sc_str_free(&key);
  }
  sc_arena_free(arena);
  return 0;
}
