/* The messages of rules.def, filled in. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ir/lowering.h"

static const struct {
  const char *name, *message;
} rules[SC_RULE_COUNT] = {
    {"NONE", ""},
#define SC_RULE(name, message) {#name, message},
#include "ir/rules.def"
#undef SC_RULE
};

const char *sc_rule_name(sc_rule rule) { return (unsigned)rule < SC_RULE_COUNT ? rules[rule].name : "?"; }

static const char *tensor_name(const sc_task *task, int access) {
  return task->tensor[task->access[access].tensor].name;
}

/* Writes the value of placeholder `kind` and returns how many bytes it needed. */
static int put_value(const sc_task *task, char kind, va_list *values, char *out, size_t room) {
  switch (kind) {
  case 'd': return snprintf(out, room, "%s", task->dim[va_arg(*values, int)].name);
  case 'a': return snprintf(out, room, "%s", tensor_name(task, va_arg(*values, int)));
  case 'n': return snprintf(out, room, "%" PRId64, va_arg(*values, int64_t));
  case 's': return snprintf(out, room, "%s", va_arg(*values, const char *));
  default: SC_ASSERT(kind == 'p');
  }
  const sc_pad *pad = &task->pad[va_arg(*values, int)];
  return snprintf(out, room, "axis %d of %s (%s)", pad->axis, tensor_name(task, pad->access),
                  task->dim[pad->free].name);
}

sc_status sc_lower_illegal(const sc_lowering *lw, sc_rule rule, ...) {
  if (!lw->err) return SC_ILLEGAL;
  sc_error *err = lw->err;
  size_t n = 0, room = sizeof err->text;
  sc_fail(err, SC_ILLEGAL, "%s", "");
  err->rule = (int)rule;
  va_list values;
  va_start(values, rule);
  for (const char *at = rules[rule].message; *at && n + 1 < room;) {
    if (at[0] == '{' && at[1] && at[2] == '}') {
      int wrote = put_value(lw->task, at[1], &values, err->text + n, room - n);
      n = wrote < 0 ? n : (size_t)wrote >= room - n ? room - 1 : n + (size_t)wrote;
      at += 3;
    } else {
      err->text[n++] = *at++;
    }
  }
  va_end(values);
  err->text[n] = 0;
  return SC_ILLEGAL;
}
