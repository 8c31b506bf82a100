/* Files of schedules: lines `task TEXT`, `proposal WHO [HASH]` and `schedule TEXT`. What sample-sched prints is what
 * every tool reads. */
#include <stdlib.h>
#include <string.h>

#include "ir/ir.h"

enum { HASH_DIGITS = 16 };

const char *sc_proposal_name(sc_proposal proposal) {
  static const char *const names[] = {"user", "uniform", "stratified", "model", "neighbour", "anchor"};
  return (unsigned)proposal < SC_PROPOSAL_COUNT ? names[proposal] : "unknown";
}

void sc_origin_print(const sc_origin *origin, sc_str *out) {
  sc_str_printf(out, "proposal %s", sc_proposal_name(origin->proposal));
  if (origin->model_hash) sc_str_printf(out, " %016llx", (unsigned long long)origin->model_hash);
}

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
  sc_error_source(err, line, len);
}

/* origin = WHO [ HASH ];  WHO as sc_proposal_name says it, HASH of HASH_DIGITS hexadecimal digits */
static bool read_origin(const char *text, size_t len, sc_origin *origin) {
  char hash[HASH_DIGITS + 1] = "";
  int p = 0;
  while (p < SC_PROPOSAL_COUNT && !skip_word(sc_proposal_name((sc_proposal)p), &text, &len)) p++;
  if (p == SC_PROPOSAL_COUNT || (len && len != HASH_DIGITS)) return false;
  memcpy(hash, text, len);
  if (strspn(hash, "0123456789abcdef") != len) return false;
  *origin = (sc_origin){.proposal = (sc_proposal)p, .model_hash = strtoull(hash, NULL, 16)};
  return true;
}

typedef struct reading {
  sc_arena *arena;
  const sc_library *library;
  lines x;
  sc_listed listed;
} reading;

static sc_status read_task(reading *f, const char *line_start, const char *text, size_t len, sc_error *err) {
  const char *copy = sc_arena_strndup(f->arena, text, len);
  if (!copy) return sc_fail(err, SC_NOMEM, "out of memory");
  sc_status status = sc_task_parse(f->arena, f->library, copy, &f->listed.task, err);
  if (status != SC_OK) relocate(err, &f->x, (int)(text - line_start), line_start, (size_t)(text + len - line_start));
  return status;
}

static sc_status read_schedule(reading *f, sc_reader *r, sc_schedule_fn *each, void *user) {
  sc_schedule schedule;
  sc_reader_next(r); /* the word itself */
  sc_reader begin = *r;
  if (!f->listed.task) sc_reader_fail(r, SC_PARSE, "a schedule needs a `task` line above it");
  else sc_schedule_read(f->listed.task, r, &schedule);
  if (r->status != SC_OK) return r->status;
  f->listed.schedule = &schedule;
  f->listed.line = f->x.number;
  sc_status status = each(user, &f->listed);
  if (status == SC_ILLEGAL && r->err && r->err->status == status && r->err->rule && !r->err->line)
    sc_schedule_locate(f->listed.task, &begin, r->err);
  return status;
}

sc_status sc_schedules_read(sc_arena *arena, const sc_library *library, const char *where, const char *text, size_t len,
                            sc_schedule_fn *each, void *user, sc_error *err) {
  reading f = {.arena = arena, .library = library, .x = {.where = where, .at = text, .end = text + len}};
  const char *line, *line_start = text;
  size_t n;
  while (line_start = f.x.at, next_line(&f.x, &line, &n)) {
    if (n == 0) continue;
    sc_reader r;
    sc_status status = SC_OK;
    if (skip_word("task", &line, &n)) {
      status = read_task(&f, line_start, line, n, err);
    } else if (skip_word("schedule", &line, &n)) {
      reader_at(&r, &f.x, line_start, line, n, err);
      status = read_schedule(&f, &r, each, user);
    } else if (skip_word("proposal", &line, &n)) {
      if (!read_origin(line, n, &f.listed.origin)) {
        status = sc_fail(err, SC_PARSE,
                         "expected user, uniform, stratified, model, neighbour or anchor, and the model's hash");
        relocate(err, &f.x, (int)(line - line_start), line_start, (size_t)(line + n - line_start));
      }
    } else {
      reader_at(&r, &f.x, line_start, line, n, err);
      sc_reader_fail_expected(&r, "`task`, `proposal` or `schedule`");
      status = r.status;
    }
    if (status != SC_OK) return status;
  }
  return SC_OK;
}
