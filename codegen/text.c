/* Lines of generated C and the names of things in it. */
#include <stdio.h>

#include "codegen/internal.h"

__attribute__((format(printf, 2, 0))) static void add_line(emitter *e, const char *format, va_list args) {
  char text[512];
  int n = vsnprintf(text, sizeof text, format, args);
  SC_ASSERT(n >= 0 && (size_t)n < sizeof text);
  sc_add_indent(e);
  sc_str_addn(e->out, text, (size_t)n);
  sc_str_add(e->out, "\n");
}

void sc_add_indent(emitter *e) {
  for (int i = 0; i < e->indent; i++) sc_str_add(e->out, "  ");
}

void sc_line(emitter *e, const char *format, ...) {
  va_list args;
  va_start(args, format);
  add_line(e, format, args);
  va_end(args);
}

void sc_open(emitter *e, const char *format, ...) {
  va_list args;
  va_start(args, format);
  add_line(e, format, args);
  va_end(args);
  e->indent++;
}

void sc_close(emitter *e) {
  e->indent--;
  sc_line(e, "}");
}

void sc_add_address(emitter *e, int operand, const offset *at) {
  sc_str_printf(e->out, "p%d", operand);
  if (e->level[operand] >= 0) sc_str_printf(e->out, "_%d", e->level[operand]);
  if (at->literal) sc_str_printf(e->out, " + %lld", (long long)at->literal);
  for (int d = 0; d < e->kernel->ndims; d++)
    if (at->slot[d]) sc_str_printf(e->out, " + %d * s%d_%d", at->slot[d], operand, d);
}
