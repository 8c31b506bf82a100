/* Errors as values: filling an sc_error, and printing one with its line and a caret under the offending column. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"

static const char *const status_names[SC_STATUS_COUNT] = {
#define SC_STATUS(name, doc) [SC_##name] = #name,
#include "base/status.def"
#undef SC_STATUS
};

const char *sc_status_name(sc_status status) {
  return (unsigned)status < SC_STATUS_COUNT ? status_names[status] : "UNKNOWN";
}

sc_status sc_fail(sc_error *err, sc_status status, const char *format, ...) {
  if (!err) return status;
  va_list args;
  va_start(args, format);
  char text[sizeof err->text]; /* apart, for arguments that point into err */
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  memset(err, 0, sizeof *err);
  err->status = status;
  memcpy(err->text, text, sizeof text);
  return status;
}

void sc_error_source(sc_error *err, const char *line, size_t len) {
  enum { AROUND = 80 };
  size_t from = 0;
  if (len >= sizeof err->source) { /* not within a UTF-8 letter */
    if (err->column > AROUND) from = (size_t)err->column - AROUND;
    if (from > len) from = len;
    while (from > 0 && from < len && ((unsigned char)line[from] & 0xc0) == 0x80) from--;
    if (len > from + (size_t)2 * AROUND) len = from + (size_t)2 * AROUND;
  }
  memcpy(err->source, line + from, len - from);
  err->source[len - from] = '\0';
  err->skipped = (int)from;
}

/* Appends what fits and keeps buf terminated. */
static void put(char *buf, size_t size, size_t *len, const char *format, ...) __attribute__((format(printf, 4, 5)));
static void put(char *buf, size_t size, size_t *len, const char *format, ...) {
  if (*len + 1 >= size) return;
  va_list args;
  va_start(args, format);
  int n = vsnprintf(buf + *len, size - *len, format, args);
  va_end(args);
  if (n > 0) *len += (size_t)n < size - *len ? (size_t)n : size - *len - 1;
}

/* A hostile file must not reach the terminal's escapes: control characters, also those of two bytes (U+0080 .. U+009F),
 * become a question mark. */
static void put_text(char *buf, size_t size, size_t *len, const char *text) {
  for (; *text; text++) {
    unsigned char c = (unsigned char)text[0], next = (unsigned char)text[1];
    bool wide = c == 0xc2 && next >= 0x80 && next <= 0x9f;
    bool control = wide || (c < ' ' && c != '\t' && c != '\n') || c == 0x7f;
    put(buf, size, len, "%c", control ? '?' : c);
    text += wide;
  }
}

size_t sc_error_format(const sc_error *err, char *buf, size_t size) {
  size_t len = 0;
  if (size == 0) return 0;
  buf[0] = '\0';
  put_text(buf, size, &len, err->where);
  if (err->where[0]) put(buf, size, &len, ":");
  if (err->line > 0) put(buf, size, &len, "%d:", err->line);
  if (err->line > 0 && err->column > 0) put(buf, size, &len, "%d:", err->column);
  if (len) put(buf, size, &len, " ");
  put_text(buf, size, &len, err->text);
  put(buf, size, &len, "\n");
  if (!err->source[0]) return len;
  const char *dots = err->skipped ? "..." : "";
  put(buf, size, &len, "%s", dots);
  put_text(buf, size, &len, err->source);
  put(buf, size, &len, "\n");
  const int before = err->column - 1 - err->skipped;
  if (before < 0 || (size_t)before > strlen(err->source)) return len;
  put(buf, size, &len, "%*s", (int)strlen(dots), "");
  for (int i = 0; i < before; i++) { /* tabs stay tabs, the tail bytes of a UTF-8 letter take no room */
    if (err->source[i] == '\t') put(buf, size, &len, "\t");
    else if (((unsigned char)err->source[i] & 0xc0) != 0x80) put(buf, size, &len, " ");
  }
  put(buf, size, &len, "^\n");
  return len;
}

void sc_bug(const char *file, int line, const char *condition) {
  fprintf(stderr, "%s:%d: bug in schedcast: %s does not hold\n", file, line, condition);
  abort();
}
