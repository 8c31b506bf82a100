/* The messages of rules.def, filled in. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ir/lowering.h"
#include "ir/schedule.h"

static const struct {
  const char *name, *message;
  sc_clause clause;
} rules[SC_RULE_COUNT] = {
    {"NONE", "", SC_CLAUSE_NONE},
#define SC_RULE(name, clause, message) {#name, message, SC_CLAUSE_##clause},
#include "ir/rules.def"
#undef SC_RULE
};

const char *sc_rule_name(sc_rule rule) { return (unsigned)rule < SC_RULE_COUNT ? rules[rule].name : "?"; }

static const char *tensor_name(const sc_task *task, int access) {
  return task->tensor[task->access[access].tensor].name;
}

/* The placeholder that says which of its items a clause is blamed for. */
static char item_kind(sc_clause clause) {
  switch (clause) {
  case SC_CLAUSE_TILE:
  case SC_CLAUSE_LOOP:
  case SC_CLAUSE_PARALLEL: return 'd';
  case SC_CLAUSE_BAND: return 'b';
  case SC_CLAUSE_PACK: return 'a';
  case SC_CLAUSE_PAD: return 'p';
  default: return 0;
  }
}

/* Writes the value of placeholder `kind` and returns how many bytes it needed; *item is its number. */
static int put_value(const sc_task *task, char kind, va_list *values, char *out, size_t room, int *item) {
  if (kind == 'n') return snprintf(out, room, "%" PRId64, va_arg(*values, int64_t));
  if (kind == 's') return snprintf(out, room, "%s", va_arg(*values, const char *));
  *item = va_arg(*values, int);
  if (kind == 'd') return snprintf(out, room, "%s", task->dim[*item].name);
  if (kind == 'a') return snprintf(out, room, "%s", tensor_name(task, *item));
  if (kind == 'b') return snprintf(out, room, "%d", *item);
  SC_ASSERT(kind == 'p');
  const sc_pad *pad = &task->pad[*item];
  return snprintf(out, room, "axis %d of %s (%s)", pad->axis, tensor_name(task, pad->access),
                  task->dim[pad->free].name);
}

sc_status sc_lower_illegal(const sc_lowering *lw, sc_rule rule, ...) {
  if (!lw->err) return SC_ILLEGAL;
  sc_error *err = lw->err;
  size_t n = 0, room = sizeof err->text;
  sc_fail(err, SC_ILLEGAL, "%s", "");
  err->rule = (int)rule;
  err->clause = sc_clause_whole(rules[rule].clause);
  va_list values;
  va_start(values, rule);
  for (const char *at = rules[rule].message; *at && n + 1 < room;) {
    if (at[0] == '{' && at[1] && at[2] == '}') {
      int item = 0, wrote = put_value(lw->task, at[1], &values, err->text + n, room - n, &item);
      bool first = err->clause == sc_clause_whole(rules[rule].clause);
      if (first && at[1] == item_kind(rules[rule].clause)) err->clause = sc_clause_item(rules[rule].clause, item);
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
