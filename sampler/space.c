/* Spaces as files, the default space of a task. */
#include <stdio.h>
#include <string.h>

#include "sampler/space.h"

enum { MAX_BYTES = 1 << 20 };

sc_status sc_space_load(sc_arena *arena, const char *path, const sc_space **space, sc_error *err) {
  char *text;
  size_t len;
  SC_TRY(sc_file_read(arena, path, MAX_BYTES, &text, &len, err));
  return sc_space_parse(arena, path, text, len, space, err);
}

sc_status sc_space_default(sc_arena *arena, const sc_task *task, const sc_space **space, sc_error *err) {
  char folder[1024], path[1152];
  sc_data_dir(folder, sizeof folder);
  snprintf(path, sizeof path, "%s/spaces/%s.space", folder, task->op);
  return sc_space_load(arena, path, space, err);
}
