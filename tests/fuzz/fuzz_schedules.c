/* libFuzzer target of schedule files: any bytes as a file ($SCHEDCAST_DATA); errors lie inside it, and what it holds
 * reads back as a file of the same schedules. */
#include <string.h>

#include "ir/ir.h"

typedef struct printed {
  const sc_task *task;
  sc_str text;
  size_t n;
} printed;

static sc_status print_one(void *user, const sc_listed *listed) {
  printed *p = user;
  if (listed->task != p->task) sc_str_printf(&p->text, "task %s\n", listed->task->text);
  p->task = listed->task;
  sc_origin_print(&listed->origin, &p->text);
  sc_str_add(&p->text, "\nschedule ");
  sc_schedule_print(listed->task, listed->schedule, &p->text);
  sc_str_add(&p->text, "\n");
  p->n++;
  return listed->line > 0 ? SC_OK : SC_FORMAT;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  static sc_arena *shared; /* one library for all calls */
  static const sc_library *library;
  sc_error err = {0};
  printed once = {0}, twice = {0};
  if (!shared) {
    shared = sc_arena_new();
    SC_ASSERT(shared && sc_library_load(shared, NULL, &library, &err) == SC_OK);
  }
  sc_arena *arena = sc_arena_new();
  const char *text = (const char *)bytes;
  if (sc_schedules_read(arena, library, "fuzz", text, size, print_one, &once, &err) == SC_OK) {
    SC_ASSERT(sc_schedules_read(arena, library, "printed", sc_str_text(&once.text), once.text.len, print_one, &twice,
                                &err) == SC_OK);
    SC_ASSERT(once.n == twice.n && strcmp(sc_str_text(&once.text), sc_str_text(&twice.text)) == 0);
  } else {
    SC_ASSERT(err.line > 0 && (size_t)err.line <= size + 1 && err.column > 0 && err.text[0]);
  }
  sc_str_free(&once.text);
  sc_str_free(&twice.text);
  sc_arena_free(arena);
  return 0;
}
