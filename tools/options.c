/* Arguments -> a verb's struct, driven by its table. --name VALUE, --name=VALUE, -n VALUE, -nVALUE; -- ends them. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/tools.h"

static sc_status bad(const verb *v, sc_error *err, const char *format, ...) __attribute__((format(printf, 3, 4)));
static sc_status bad(const verb *v, sc_error *err, const char *format, ...) {
  char text[256];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  return sc_fail(err, SC_USAGE, "%s (see %s-sched --help)", text, v->name);
}

static sc_status choose(const verb *v, const option *o, const char *value, int *out, sc_error *err) {
  sc_str known = {0};
  const char *const *choices = o->values;
  for (int i = 0; choices[i]; i++) {
    if (strcmp(choices[i], value) == 0) {
      *out = i;
      sc_str_free(&known);
      return SC_OK;
    }
    sc_str_printf(&known, "%s%s", i ? ", " : "", choices[i]);
  }
  sc_status status = bad(v, err, "--%s is one of %s, not '%s'", o->name, sc_str_text(&known), value);
  sc_str_free(&known);
  return status;
}

static sc_status outside(const verb *v, const option *o, const option_range *r, const char *value, sc_error *err) {
  return bad(v, err, "--%s wants %.16g to %.16g, not '%s'", o->name, r->least, r->most, value);
}

static sc_status set_count(const verb *v, const option *o, const char *value, int64_t *at, sc_error *err) {
  static const option_range all = {0, 0x1p53};
  const option_range *r = o->values ? o->values : &all;
  char *end;
  errno = 0;
  long long n = strtoll(value, &end, 10);
  if (end == value || *end) return bad(v, err, "--%s wants a whole number, not '%s'", o->name, value);
  if (errno || (double)n < r->least || (double)n > r->most) return outside(v, o, r, value, err);
  *at = n;
  return SC_OK;
}

static sc_status set_real(const verb *v, const option *o, const char *value, double *at, sc_error *err) {
  const option_range *r = o->values;
  char *end;
  double x = strtod(value, &end);
  if (end == value || *end || !isfinite(x)) return bad(v, err, "--%s wants a number, not '%s'", o->name, value);
  if (x < r->least || x > r->most) return outside(v, o, r, value, err);
  *at = x;
  return SC_OK;
}

static sc_status set(const verb *v, const option *o, const char *value, void *options, sc_error *err) {
  char *at = (char *)options + o->offset;
  text_list *list = (text_list *)at;
  switch (o->kind) {
  case OPTION_FLAG: *(bool *)at = true; return SC_OK;
  case OPTION_TEXT: *(const char **)at = value; return SC_OK;
  case OPTION_LIST:
    if (list->n == LIST_MAX) return bad(v, err, "--%s more than %d times", o->name, LIST_MAX);
    list->text[list->n++] = value;
    return SC_OK;
  case OPTION_CHOICE: return choose(v, o, value, (int *)at, err);
  case OPTION_COUNT: return set_count(v, o, value, (int64_t *)at, err);
  case OPTION_REAL: return set_real(v, o, value, (double *)at, err);
  }
  return SC_OK;
}

static const option *find_long(const verb *v, const char *name, size_t len) {
  for (const option *o = v->options; o->name; o++)
    if (strlen(o->name) == len && memcmp(o->name, name, len) == 0) return o;
  return NULL;
}

static const option *find_short(const verb *v, char letter) {
  for (const option *o = v->options; o->name; o++)
    if (letter && o->letter == letter) return o;
  return NULL;
}

/* One option at argv[i]; returns how many arguments it took in *used. */
static sc_status parse_one(const verb *v, char **argv, int left, void *options, int *used, sc_error *err) {
  const char *arg = argv[0], *value = NULL;
  const option *o;
  *used = 1;
  if (arg[1] == '-') {
    size_t len = strcspn(arg + 2, "=");
    o = find_long(v, arg + 2, len);
    if (o && arg[2 + len]) value = arg + 3 + len;
    if (o && value && o->kind == OPTION_FLAG) return bad(v, err, "--%s takes no value", o->name);
  } else {
    o = find_short(v, arg[1]);
    if (o && arg[2]) value = arg + 2;
    if (o && value && o->kind == OPTION_FLAG) return bad(v, err, "-%c takes no value", o->letter);
  }
  if (!o) return bad(v, err, "unknown option '%s'", arg);
  if (o->kind != OPTION_FLAG && !value) {
    if (left < 2) return bad(v, err, "%s wants a value: %s", arg, o->argument);
    value = argv[1];
    *used = 2;
  }
  return set(v, o, value, options, err);
}

sc_status options_parse(const verb *v, int argc, char **argv, void *options, int *noperands, bool *help,
                        sc_error *err) {
  int n = 0;
  *help = false;
  for (int i = 0, used; i < argc; i += used) {
    used = 1;
    if (strcmp(argv[i], "--") == 0) {
      for (i++; i < argc; i++) argv[n++] = argv[i];
      break;
    }
    if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) *help = true;
    else if (argv[i][0] == '-' && argv[i][1]) SC_TRY(parse_one(v, argv + i, argc - i, options, &used, err));
    else argv[n++] = argv[i];
  }
  *noperands = n;
  if (*help) return SC_OK;
  if (n < v->min_operands) return bad(v, err, "%s is missing", v->operands);
  if (v->max_operands >= 0 && n > v->max_operands)
    return bad(v, err, "'%s' is one operand too many", argv[v->max_operands]);
  return SC_OK;
}
