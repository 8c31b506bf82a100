/* Spills: vector moves between registers and the stack, counted in a disassembly (`objdump -d`). The compiler names
 * its objdump; a machine without one has unknown spills. */
#include <stdlib.h>
#include <string.h>

#include "harness/kernels.h"

/* AT&T syntax. Through %rbp only where it is the frame pointer: otherwise it may point anywhere. */
static bool is_spill_x86(const char *line, bool frame) {
  if (!strstr(line, "%xmm") && !strstr(line, "%ymm") && !strstr(line, "%zmm")) return false;
  return strstr(line, "(%rsp") || (frame && strstr(line, "(%rbp"));
}

static bool is_spill_arm(const char *line) {
  const char *stack = strstr(line, "[sp"), *q = strstr(line, "\tq");
  return stack && q && q < stack;
}

typedef struct counter {
  char function[64];
  int32_t spills;
  bool frame;
} counter;

static void finish(const counter *c, sc_spills_fn *each, void *user) {
  if (c->function[0] != '\0') each(user, c->function, c->spills);
}

/* "0000000000000040 <name>:" */
static bool heading(const char *line, size_t len, char *name, size_t size) {
  const char *open = memchr(line, '<', len);
  if (line[0] == ' ' || len < 3 || !open || line[len - 2] != '>' || line[len - 1] != ':') return false;
  size_t n = (size_t)(line + len - 2 - (open + 1));
  if (n >= size) n = size - 1;
  memcpy(name, open + 1, n);
  name[n] = '\0';
  return true;
}

static void read_disassembly(char *text, sc_spills_fn *each, void *user) {
  counter c = {0};
  for (char *line = text, *end; *line; line = end) {
    end = line + strcspn(line, "\n");
    size_t len = (size_t)(end - line);
    if (*end) *end++ = '\0';
    char name[sizeof c.function];
    if (heading(line, len, name, sizeof name)) {
      finish(&c, each, user);
      c = (counter){0};
      memcpy(c.function, name, sizeof name);
    }
    if (strstr(line, "%rsp,%rbp")) c.frame = true;
    c.spills += is_spill_x86(line, c.frame) || is_spill_arm(line);
  }
  finish(&c, each, user);
}

static sc_status find_objdump(const sc_compiler *compiler, char path[SC_PATH]) {
  sc_argv argv = {0};
  sc_str said = {0};
  int exit_status = -1;
  sc_argv_split(&argv, compiler->command);
  sc_argv_add(&argv, "-print-prog-name=objdump");
  sc_status status = sc_run_program(&argv, sc_compile_timeout_s(), &said, &exit_status, NULL);
  if (status == SC_OK) status = sc_path(path, NULL, "%.*s", (int)strcspn(sc_str_text(&said), "\n"), sc_str_text(&said));
  sc_str_free(&said);
  sc_argv_free(&argv);
  return status;
}

bool sc_count_spills(const sc_compiler *compiler, const char *object, sc_spills_fn *each, void *user) {
  char objdump[SC_PATH];
  sc_argv argv = {0};
  sc_str text = {0};
  int exit_status = -1;
  if (find_objdump(compiler, objdump) != SC_OK) return false;
  sc_argv_add(&argv, objdump);
  sc_argv_split(&argv, "-d --no-show-raw-insn");
  sc_argv_add(&argv, object);
  sc_status status = sc_run_program(&argv, sc_compile_timeout_s(), &text, &exit_status, NULL);
  bool good = status == SC_OK && exit_status == 0 && !text.failed;
  if (good && text.len > 0) read_disassembly(text.text, each, user);
  sc_str_free(&text);
  sc_argv_free(&argv);
  return good;
}
