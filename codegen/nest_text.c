/* Lines of a generated nest, and which of them are needed. A function is printed twice. The first time nothing comes
 * out, but every line leaves what it reads: a line that defines a variable leaves it with the definition, the others in
 * one set. As variables are defined before they are read, one walk over the definitions from the last to the first then
 * finds those that are needed, and the second time the others are left out. */
#include <stdio.h>
#include <string.h>

#include "codegen/nest.h"

__attribute__((format(printf, 2, 0))) static void put_line(nester *g, const char *format, va_list args) {
  char text[2048];
  if (g->dry) return;
  int n = vsnprintf(text, sizeof text, format, args);
  SC_ASSERT(n >= 0 && (size_t)n < sizeof text);
  for (int i = 0; i < g->indent; i++) sc_str_add(g->out, "  ");
  sc_str_addn(g->out, text, (size_t)n);
  sc_str_add(g->out, "\n");
}

/* What the line that is done has read. */
static name_set take_reads(nester *g) {
  name_set reads = g->line;
  memset(&g->line, 0, sizeof g->line);
  return reads;
}

static bool is_read(const nester *g, named kind, int number) { return g->read.bit[kind] >> number & 1; }

const char *sc_read(nester *g, const expr *x) {
  sc_name_set_join(&g->line, &x->reads);
  return x->text;
}

void sc_read_name(nester *g, named kind, int number) { sc_name_set_add(&g->line, kind, number); }

void sc_define(nester *g, named kind, int number, const char *format, ...) {
  name_set reads = take_reads(g);
  va_list args;
  if (g->dry) {
    SC_ASSERT(g->ndefinitions < (int)SC_COUNT_OF(g->definition));
    g->definition[g->ndefinitions++] = (definition){kind, number, reads};
  }
  if (!is_read(g, kind, number)) return;
  va_start(args, format);
  put_line(g, format, args);
  va_end(args);
}

static void stays(nester *g) {
  name_set reads = take_reads(g);
  sc_name_set_join(&g->read, &reads);
}

void sc_put(nester *g, const char *format, ...) {
  va_list args;
  va_start(args, format);
  put_line(g, format, args);
  va_end(args);
  stays(g);
}

void sc_begin(nester *g, const char *format, ...) {
  va_list args;
  va_start(args, format);
  put_line(g, format, args);
  va_end(args);
  stays(g);
  g->indent++;
}

void sc_end(nester *g) {
  g->indent--;
  sc_put(g, "}");
}

void sc_print_function(nester *g, void (*print)(nester *)) {
  memset(&g->read, 0, sizeof g->read);
  g->ndefinitions = 0;
  g->dry = true;
  print(g);
  for (int i = g->ndefinitions - 1; i >= 0; i--) {
    const definition *d = &g->definition[i];
    if (is_read(g, d->kind, d->number)) sc_name_set_join(&g->read, &d->reads);
  }
  g->dry = false;
  print(g);
}
