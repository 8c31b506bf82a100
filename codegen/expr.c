/* Expressions in generated C, folded where they are known, and the level where each is. */
#include <stdio.h>

#include "codegen/nest.h"

expr sc_lit(int64_t value) {
  expr x = {.level = SC_ROOT, .literal = true, .value = value};
  snprintf(x.text, sizeof x.text, "%lld", (long long)value);
  return x;
}

expr sc_var(int level, const char *format, ...) {
  expr x = {.level = level};
  va_list args;
  va_start(args, format);
  int n = vsnprintf(x.text, sizeof x.text, format, args);
  va_end(args);
  SC_ASSERT(n >= 0 && (size_t)n < sizeof x.text);
  return x;
}

void sc_name_set_add(name_set *set, named kind, int number) {
  SC_ASSERT(number >= 0 && number < 64);
  set->bit[kind] |= (uint64_t)1 << number;
}

void sc_name_set_join(name_set *set, const name_set *more) {
  for (int k = 0; k < SC_NAMES; k++) set->bit[k] |= more->bit[k];
}

expr sc_name(int level, named kind, int number) {
  expr x = sc_var(level, "%c%d", SC_LETTERS[kind], number);
  sc_name_set_add(&x.reads, kind, number);
  return x;
}

expr sc_reading(expr x, expr part) {
  sc_name_set_join(&x.reads, &part.reads);
  return x;
}

/* x, which was made of a and b. */
static expr of(expr x, expr a, expr b) { return sc_reading(sc_reading(x, a), b); }

static int deeper(expr a, expr b) { return a.level > b.level ? a.level : b.level; }

static bool is(expr x, int64_t value) { return x.literal && x.value == value; }

expr sc_add(expr a, expr b) {
  if (a.literal && b.literal) return sc_lit(a.value + b.value);
  if (is(a, 0)) return b;
  if (is(b, 0)) return a;
  if (b.literal && b.value < 0) return sc_reading(sc_var(a.level, "(%s - %lld)", a.text, -(long long)b.value), a);
  return of(sc_var(deeper(a, b), "(%s + %s)", a.text, b.text), a, b);
}

expr sc_sub(expr a, expr b) {
  if (a.literal && b.literal) return sc_lit(a.value - b.value);
  if (is(b, 0)) return a;
  if (b.literal) return sc_add(a, sc_lit(-b.value));
  return of(sc_var(deeper(a, b), "(%s - %s)", a.text, b.text), a, b);
}

expr sc_mul(expr a, expr b) {
  if (a.literal && b.literal) return sc_lit(a.value * b.value);
  if (is(a, 0) || is(b, 0)) return sc_lit(0);
  if (is(a, 1)) return b;
  if (is(b, 1)) return a;
  return of(sc_var(deeper(a, b), "%s * %s", a.text, b.text), a, b);
}

expr sc_min(expr a, expr b) {
  if (a.literal && b.literal) return a.value < b.value ? a : b;
  return of(sc_var(deeper(a, b), "SC_LEAST(%s, %s)", a.text, b.text), a, b);
}

expr sc_max(expr a, expr b) {
  if (a.literal && b.literal) return a.value > b.value ? a : b;
  return of(sc_var(deeper(a, b), "SC_MOST(%s, %s)", a.text, b.text), a, b);
}

void sc_sum_add(sum *s, expr term) {
  if (is(term, 0)) return;
  for (int i = 0; term.literal && i < s->n; i++) {
    if (!s->term[i].literal) continue;
    s->term[i] = sc_lit(s->term[i].value + term.value);
    return;
  }
  SC_ASSERT(s->n < SC_MAX_TERMS);
  s->term[s->n++] = term;
}
