/* Lines of a generated nest. */
#include <stdio.h>

#include "codegen/nest.h"

__attribute__((format(printf, 2, 0))) static void put_line(nester *g, const char *format, va_list args) {
  char text[2048];
  int n = vsnprintf(text, sizeof text, format, args);
  SC_ASSERT(n >= 0 && (size_t)n < sizeof text);
  for (int i = 0; i < g->indent; i++) sc_str_add(g->out, "  ");
  sc_str_addn(g->out, text, (size_t)n);
  sc_str_add(g->out, "\n");
}

void sc_put(nester *g, const char *format, ...) {
  va_list args;
  va_start(args, format);
  put_line(g, format, args);
  va_end(args);
}

void sc_begin(nester *g, const char *format, ...) {
  va_list args;
  va_start(args, format);
  put_line(g, format, args);
  va_end(args);
  g->indent++;
}

void sc_end(nester *g) {
  g->indent--;
  sc_put(g, "}");
}
