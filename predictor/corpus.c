/* Reading the table of networks. A line that is no task is an error with its place: a typing mistake must not move a
 * layer into training. */
#include "predictor/corpus.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { MAX_BYTES = 16 << 20 };

static sc_status add_line(sc_arena *arena, const sc_library *library, const char *where, int line, char *text,
                          sc_corpus *corpus, sc_error *err) {
  char *tab = strchr(text, '\t');
  if (tab == NULL) {
    sc_fail(err, SC_PARSE, "expected network, a tab, task; found '%.60s'", text);
  } else {
    *tab = '\0';
    const sc_task *task;
    if (sc_task_parse(arena, library, tab + 1, &task, err) == SC_OK) {
      sc_str group = {0};
      sc_task_group_key(task, &group);
      const uint32_t t = sc_names_add(&corpus->tasks, task->text),
                     g = sc_names_add(&corpus->groups, sc_str_text(&group));
      const char *network = sc_arena_strdup(arena, text);
      const bool ok = !group.failed && t != SC_NO_NAME && g != SC_NO_NAME && network;
      sc_str_free(&group);
      if (!ok) return sc_fail(err, SC_NOMEM, "out of memory");
      if (corpus->network_of_task[t] == NULL) corpus->network_of_task[t] = network;
      if (corpus->network_of_group[g] == NULL) corpus->network_of_group[g] = network;
      return SC_OK;
    }
  }
  if (err) {
    snprintf(err->where, sizeof err->where, "%.*s", (int)sizeof err->where - 1, where);
    err->line = line;
  }
  return err ? err->status : SC_PARSE;
}

sc_status sc_corpus_load(sc_arena *arena, const sc_library *library, const char *path, const char *standard,
                         sc_corpus *corpus, sc_error *err) {
  char folder[256], name[320];
  *corpus = (sc_corpus){.tasks = {.arena = arena}, .groups = {.arena = arena}};
  sc_data_dir(folder, sizeof folder);
  snprintf(name, sizeof name, "%s/corpus/%s", folder, standard);
  if (path == NULL && access(name, R_OK) != 0) return SC_OK;
  const char *where = path ? path : name;
  char *text;
  size_t len, lines = 1;
  SC_TRY(sc_file_read(arena, where, MAX_BYTES, &text, &len, err));
  for (size_t i = 0; i < len; i++) lines += text[i] == '\n';
  corpus->network_of_task = sc_arena_alloc(arena, lines, sizeof *corpus->network_of_task);
  corpus->network_of_group = sc_arena_alloc(arena, lines, sizeof *corpus->network_of_group);
  if (!corpus->network_of_task || !corpus->network_of_group) return sc_fail(err, SC_NOMEM, "out of memory");
  char *next = text;
  for (int line = 1; next; line++) {
    char *at = next, *end = strchr(next, '\n');
    next = end ? end + 1 : NULL;
    if (end) *end = '\0';
    at[strcspn(at, "#\r")] = '\0';
    if (at[strspn(at, " \t")] != '\0') SC_TRY(add_line(arena, library, where, line, at, corpus, err));
  }
  return SC_OK;
}

sc_status sc_corpus_names(sc_arena *arena, const char *standard, sc_names *names, sc_error *err) {
  char folder[4096], path[4096 + 64], *text, *next;
  size_t len;
  *names = (sc_names){.arena = arena};
  sc_data_dir(folder, sizeof folder);
  snprintf(path, sizeof path, "%s/corpus/%s", folder, standard);
  if (access(path, F_OK) != 0) return SC_OK;
  SC_TRY(sc_file_read(arena, path, MAX_BYTES, &text, &len, err));
  for (char *line = strtok_r(text, "\r\n", &next); line; line = strtok_r(NULL, "\r\n", &next))
    if (line[0] != '#' && sc_names_add(names, line) == SC_NO_NAME) return sc_fail(err, SC_NOMEM, "out of memory");
  return SC_OK;
}
