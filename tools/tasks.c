/* Tables of tasks. */
#include <stdio.h>
#include <string.h>

#include "tools/tools.h"

static sc_status read_line(tool *t, const char *path, int number, char *line, listed_task *to) {
  char *tab = strchr(line, '\t');
  sc_status status = SC_PARSE;
  if (!tab) sc_fail(&t->err, status, "expected network, a tab, task; found '%.60s'", line);
  else {
    *tab = '\0';
    to->network = line;
    status = tool_task(t, tab + 1, &to->task);
  }
  if (status == SC_OK) return SC_OK;
  snprintf(t->err.where, sizeof t->err.where, "%.*s", (int)sizeof t->err.where - 1, path);
  t->err.line = number;
  return status;
}

sc_status tasks_read(tool *t, const char *path, listed_task **list, size_t *n) {
  enum { MOST_BYTES = 16 << 20 };
  char *text;
  size_t len, lines = 1;
  *n = 0;
  SC_TRY(sc_file_read(t->arena, path, MOST_BYTES, &text, &len, &t->err));
  for (const char *p = text; *p; p++) lines += *p == '\n';
  if (!(*list = sc_arena_alloc(t->arena, lines, sizeof **list)))
    return sc_fail(&t->err, SC_NOMEM, "no memory for the tasks of %s", path);
  int number = 0;
  for (char *line = text, *end; *line; line = end) {
    end = line + strcspn(line, "\n");
    if (*end) *end++ = '\0';
    number++;
    line[strcspn(line, "#\r")] = '\0';
    if (line[strspn(line, " \t")] == '\0') continue;
    SC_TRY(read_line(t, path, number, line, &(*list)[(*n)++]));
  }
  return SC_OK;
}
