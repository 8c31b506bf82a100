/* Files of schedules: lines `task TEXT` and `schedule TEXT`. What sample-sched prints is what every tool reads. */
#include <string.h>

#include "ir/ir.h"

typedef struct lines {
  const char *where, *at, *end;
  int number; /* of the line at `at` */
} lines;

/* Cuts the next line into text..text+len without its comment and blanks around; false at the end. */
static bool next_line(lines *x, const char **text, size_t *len) {
  if (x->at >= x->end) return false;
  const char *newline = memchr(x->at, '\n', (size_t)(x->end - x->at));
  const char *stop = newline ? newline : x->end, *comment = memchr(x->at, '#', (size_t)(stop - x->at));
  const char *from = x->at, *to = comment ? comment : stop;
  while (from < to && (*from == ' ' || *from == '\t')) from++;
  while (to > from && (to[-1] == ' ' || to[-1] == '\t' || to[-1] == '\r')) to--;
  *text = from;
  *len = (size_t)(to - from);
  x->at = newline ? newline + 1 : x->end;
  x->number++;
  return true;
}

/* Consumes `word` and the blanks behind it. */
static bool skip_word(const char *word, const char **text, size_t *len) {
  size_t n = strlen(word);
  if (*len < n || memcmp(*text, word, n) != 0 || (*len > n && (*text)[n] != ' ' && (*text)[n] != '\t')) return false;
  *text += n;
  *len -= n;
  while (*len && (**text == ' ' || **text == '\t')) ++*text, --*len;
  return true;
}

/* A reader over one line that reports its place in the file. */
static void reader_at(sc_reader *r, const lines *x, const char *line_start, const char *text, size_t len,
                      sc_error *err) {
  sc_reader_init(r, x->where, line_start, (size_t)(text + len - line_start), false, err);
  r->line = r->token.line = x->number;
  if (r->status != SC_OK && err) err->line = x->number;
}

static void relocate(sc_error *err, const lines *x, int column, const char *line, size_t len) {
  if (!err) return;
  err->line = x->number;
  err->column = err->column ? err->column + column : column + 1;
  strncpy(err->where, x->where, sizeof err->where - 1);
  err->where[sizeof err->where - 1] = '\0';
  if (len >= sizeof err->source) len = sizeof err->source - 1;
  memcpy(err->source, line, len);
  err->source[len] = '\0';
}

sc_status sc_schedules_read(sc_arena *arena, const sc_library *library, const char *where, const char *text, size_t len,
                            sc_schedule_fn *each, void *user, sc_error *err) {
  lines x = {.where = where, .at = text, .end = text + len};
  const sc_task *task = NULL;
  const char *line, *line_start = text;
  size_t n;
  while (line_start = x.at, next_line(&x, &line, &n)) {
    if (n == 0) continue;
    sc_reader r;
    size_t line_len = (size_t)(line + n - line_start);
    if (skip_word("task", &line, &n)) {
      char *copy = sc_arena_strndup(arena, line, n);
      if (!copy) return sc_fail(err, SC_NOMEM, "out of memory");
      sc_status status = sc_task_parse(arena, library, copy, &task, err);
      if (status != SC_OK) {
        relocate(err, &x, (int)(line - line_start), line_start, line_len);
        return status;
      }
    } else if (skip_word("schedule", &line, &n)) {
      sc_schedule schedule;
      reader_at(&r, &x, line_start, line, n, err);
      sc_reader_next(&r); /* the word itself */
      if (!task) sc_reader_fail(&r, SC_PARSE, "a schedule needs a `task` line above it");
      else sc_schedule_read(task, &r, &schedule);
      if (r.status != SC_OK) return r.status;
      SC_TRY(each(user, task, &schedule, x.number));
    } else {
      reader_at(&r, &x, line_start, line, n, err);
      sc_reader_fail_expected(&r, "`task` or `schedule`");
      return r.status;
    }
  }
  return SC_OK;
}
