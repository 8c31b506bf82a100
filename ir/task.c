/* A task from its text "op:NAME=VALUE,...": finds the operator, reads the values, computes the rest, and hands over to
 * binding, merging and hashing. */
#include <stdio.h>
#include <string.h>

#include "ir/operator.h"

/* ---- reading values ---- */

/* "a, b, c" of the names that `at(i)` gives, for messages. */
static void list_alternatives(const sc_operator *op, const sc_param *param, char *buf, size_t size) {
  size_t n = 0;
  buf[0] = '\0';
  for (int i = 0; i < param->count && n < size; i++)
    n += (size_t)snprintf(buf + n, size - n, "%s%s", i > 0 ? ", " : "", op->alternative[param->first + i].name);
}

static void list_params(const sc_operator *op, char *buf, size_t size) {
  size_t n = 0;
  buf[0] = '\0';
  for (int i = 0; i < op->nparams && n < size; i++)
    if (op->param[i].kind != SC_PARAM_LET)
      n += (size_t)snprintf(buf + n, size - n, "%s%s", n > 0 ? ", " : "", op->param[i].name);
}

static void read_alternative(sc_reader *r, const sc_operator *op, const sc_param *param, int64_t *value) {
  char list[200];
  for (int i = 0; i < param->count; i++) {
    const char *name = op->alternative[param->first + i].name;
    bool found = r->token.kind == SC_TOKEN_INT
                     ? strlen(name) == r->token.len && memcmp(name, r->token.text, r->token.len) == 0
                     : sc_reader_is(r, name);
    if (!found) continue;
    *value = i;
    sc_reader_next(r);
    return;
  }
  list_alternatives(op, param, list, sizeof list);
  sc_reader_fail(r, SC_PARSE, "expected one of %s for '%s'", list, param->name);
}

/* assignment = NAME "=" (INT | ALTERNATIVE) */
static void read_assignment(sc_reader *r, sc_binding *b) {
  const sc_operator *op = b->op;
  char list[250];
  int p = r->token.kind == SC_TOKEN_NAME ? sc_param_find(op, r->token.text, r->token.len) : -1;
  if (p < 0 || op->param[p].kind == SC_PARAM_LET) {
    list_params(op, list, sizeof list);
    if (r->token.kind != SC_TOKEN_NAME) sc_reader_fail_expected(r, "the name of a parameter");
    else if (p >= 0)
      sc_reader_fail(r, SC_PARSE, "'%s' is computed; operator %s takes %s", op->param[p].name, op->name, list);
    else
      sc_reader_fail(r, SC_PARSE, "operator %s has no parameter '%.*s'; it takes %s", op->name, (int)r->token.len,
                     r->token.text, list);
    return;
  }
  if (b->given[p]) sc_reader_fail(r, SC_PARSE, "'%s' is given twice", op->param[p].name);
  b->given[p] = true;
  b->at[p] = r->token;
  sc_reader_next(r);
  sc_reader_expect(r, "=");
  if (op->param[p].kind == SC_PARAM_CHOICE) read_alternative(r, op, &op->param[p], &b->value[p]);
  else sc_reader_int(r, op->param[p].kind == SC_PARAM_SIZE ? 1 : 0, SC_OP_MAX_SIZE, &b->value[p]);
}

/* task = NAME [":" assignment { "," assignment }] */
static void read_task(sc_reader *r, const sc_library *library, sc_binding *b) {
  char name[SC_NAME], known[250];
  b->head = r->token;
  if (!sc_reader_name(r, name, sizeof name)) return;
  b->op = sc_library_find(library, name);
  if (!b->op) {
    size_t n = 0;
    known[0] = '\0';
    for (size_t i = 0; i < sc_library_count(library) && n < sizeof known; i++)
      n += (size_t)snprintf(known + n, sizeof known - n, "%s%s", i > 0 ? ", " : "", sc_library_at(library, i)->name);
    sc_reader_fail_at(r, &b->head, SC_NOTFOUND, "there is no operator '%s'; there are %s", name, known);
    return;
  }
  if (sc_reader_accept(r, ":")) {
    do read_assignment(r, b);
    while (r->status == SC_OK && sc_reader_accept(r, ","));
  }
  if (r->token.kind != SC_TOKEN_END)
    sc_reader_fail_expected(r, b->op->nparams ? "',' and another parameter, or the end" : "the end");
}

/* ---- values that were not given ---- */

/* The first given parameter that a value comes from, or NULL. `seen` (bit p: parameter p) keeps a long chain of
 * defaults from being walked once for every path through it. */
static const sc_token *first_given(const sc_binding *b, const sc_size *size, uint32_t *seen) {
  for (int i = 0; i < size->n; i++) {
    if (size->node[i].op != SC_SIZE_PARAM) continue;
    int p = size->node[i].value;
    if (b->given[p]) return &b->at[p];
    if (*seen >> p & 1) continue;
    *seen |= 1u << p;
    const sc_token *deeper = first_given(b, &b->op->param[p].value, seen);
    if (deeper) return deeper;
  }
  return NULL;
}

/* Where to point for a computed value: at a given parameter that it comes from, else at the operator. */
static const sc_token *blame(const sc_binding *b, const sc_size *size) {
  uint32_t seen = 0;
  _Static_assert(SC_OP_PARAMS <= 32, "a bit for every parameter");
  const sc_token *given = first_given(b, size, &seen);
  return given ? given : &b->head;
}

static bool value_of_default(const sc_binding *b, int p, int64_t *value) {
  return sc_size_eval(&b->op->param[p].value, b->value, value);
}

static void compute(sc_reader *r, sc_binding *b, int p) {
  const sc_param *param = &b->op->param[p];
  if (b->given[p] || param->kind == SC_PARAM_CHOICE) return;
  if (param->kind != SC_PARAM_LET && !param->has_value) {
    sc_reader_fail_at(r, &b->head, SC_PARSE, "size '%s' of operator %s is missing", param->name, b->op->name);
    return;
  }
  sc_str text = {0};
  sc_size_print(b->op, &param->value, SC_PLACE_SUM, &text);
  int64_t least = param->kind == SC_PARAM_NUMBER ? 0 : 1;
  if (!value_of_default(b, p, &b->value[p]))
    sc_reader_fail_at(r, blame(b, &param->value), SC_ILLEGAL,
                      "%s = %s cannot be computed: a division by zero or an overflow", param->name, sc_str_text(&text));
  else if (b->value[p] < least || b->value[p] > SC_OP_MAX_SIZE)
    sc_reader_fail_at(r, blame(b, &param->value), b->value[p] < least ? SC_ILLEGAL : SC_LIMIT,
                      "%s = %s is %lld, expected %lld to %lld", param->name, sc_str_text(&text), (long long)b->value[p],
                      (long long)least, (long long)SC_OP_MAX_SIZE);
  sc_str_free(&text);
}

static void check_condition(sc_reader *r, const sc_binding *b, const sc_op_condition *c) {
  int64_t x, y;
  bool computed = sc_size_eval(&c->left, b->value, &x) && sc_size_eval(&c->right, b->value, &y);
  if (computed && (c->relation == '=' ? x == y : c->relation == '<' ? x <= y : x >= y)) return;
  const sc_token *at = blame(b, &c->left);
  if (at == &b->head) at = blame(b, &c->right);
  sc_str text = {0};
  sc_op_condition_print(b->op, c, &text);
  if (computed)
    sc_reader_fail_at(r, at, SC_ILLEGAL, "operator %s needs %s, and the left side is %lld, the right %lld", b->op->name,
                      sc_str_text(&text), (long long)x, (long long)y);
  else
    sc_reader_fail_at(r, at, SC_ILLEGAL, "%s cannot be computed: a division by zero or an overflow",
                      sc_str_text(&text));
  sc_str_free(&text);
}

/* ---- the canonical text ---- */

static bool is_default(const sc_binding *b, int p) {
  const sc_param *param = &b->op->param[p];
  int64_t value;
  if (param->kind == SC_PARAM_CHOICE) return b->value[p] == 0;
  return param->kind == SC_PARAM_LET || (param->has_value && value_of_default(b, p, &value) && value == b->value[p]);
}

void sc_task_text(const sc_binding *b, sc_str *out) {
  const char *separator = ":";
  sc_str_add(out, b->op->name);
  for (int p = 0; p < b->op->nparams; p++) {
    const sc_param *param = &b->op->param[p];
    if (is_default(b, p)) continue;
    sc_str_printf(out, "%s%s=", separator, param->name);
    if (param->kind == SC_PARAM_CHOICE) sc_str_add(out, b->op->alternative[param->first + b->value[p]].name);
    else sc_str_printf(out, "%lld", (long long)b->value[p]);
    separator = ",";
  }
}

/* ---- the whole way ---- */

sc_status sc_task_parse(sc_arena *arena, const sc_library *library, const char *text, const sc_task **result,
                        sc_error *err) {
  sc_task *task = sc_arena_alloc(arena, 1, sizeof *task);
  sc_binding *binding = sc_arena_alloc(arena, 1, sizeof *binding);
  if (!task || !binding) return sc_fail(err, SC_NOMEM, "out of memory");
  sc_reader reader, *r = &reader;
  sc_reader_init(r, "<task>", text, strlen(text), false, err);
  read_task(r, library, binding);
  for (int p = 0; r->status == SC_OK && p < binding->op->nparams; p++) compute(r, binding, p);
  for (int i = 0; r->status == SC_OK && i < binding->op->nconditions; i++)
    check_condition(r, binding, &binding->op->condition[i]);
  if (r->status == SC_OK) sc_task_bind(r, binding, task);
  if (r->status != SC_OK) return r->status;
  sc_str canonical = {0};
  sc_task_text(binding, &canonical);
  task->text = sc_arena_strdup(arena, sc_str_text(&canonical));
  bool complete = !canonical.failed && task->text;
  sc_str_free(&canonical);
  if (!complete) return sc_fail(err, SC_NOMEM, "out of memory");
  sc_task_merge(task);
  for (int i = 0; i < task->naccesses; i++) sc_access_derive(task, &task->access[i]);
  if (!sc_task_hash(task, &task->hash)) return sc_fail(err, SC_NOMEM, "out of memory");
  *result = task;
  return SC_OK;
}

int sc_task_dim(const sc_task *task, const char *name, size_t len) {
  for (int d = 0; d < task->ndims; d++)
    if (strlen(task->dim[d].name) == len && memcmp(task->dim[d].name, name, len) == 0) return d;
  return -1;
}

double sc_task_min_bytes(const sc_task *task) {
  double bytes = 0;
  for (int i = 0; i < task->ntensors; i++) {
    double elems = sc_type_bytes(task->tensor[i].type);
    for (int a = 0; a < task->tensor[i].naxes; a++) elems *= task->tensor[i].shape[a];
    bytes += elems;
  }
  return bytes;
}
