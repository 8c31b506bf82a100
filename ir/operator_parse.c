/* Reads a *.op file. The text is a sequence of lines in a fixed order of sections, so that an operator has one printed
 * form: what it is called, parameters, dims, tensors, statements, choices. docs/operators.md is the tutorial.
 *
 *   operator = "op" NAME NL { size | number | let } { require } { dim } { tensor } { statement } { choice } */
#include <string.h>

#include "ir/operator.h"

static const char *const reserved[] = {"op",  "size",  "number", "let",   "require", "dim", "in",
                                       "out", "inout", "choice", "const", "as",      "max", "min"};

static void read_free_name(sc_reader *r, char out[SC_NAME]) {
  for (size_t i = 0; i < SC_COUNT_OF(reserved); i++)
    if (sc_reader_is(r, reserved[i]))
      sc_reader_fail(r, SC_PARSE, "'%s' is a word of the language, not a name", reserved[i]);
  sc_reader_name(r, out, SC_NAME);
}

/* Sizes, choices and dims share one space of names; tensors have another, since they never stand in the same place. */
static void read_new_name(sc_reader *r, const sc_operator *op, char out[SC_NAME]) {
  if (r->token.kind == SC_TOKEN_NAME && sc_param_find(op, r->token.text, r->token.len) >= 0)
    sc_reader_fail(r, SC_PARSE, "'%.*s' is declared twice", (int)r->token.len, r->token.text);
  read_free_name(r, out);
}

static void end_of_line(sc_reader *r) {
  if (r->token.kind != SC_TOKEN_END) sc_reader_expect(r, "\n");
}

static bool at_end_of_line(const sc_reader *r) {
  return r->token.kind == SC_TOKEN_END || r->token.kind == SC_TOKEN_NEWLINE;
}

/* ---- parameters and dims ---- */

static sc_param *new_param(sc_reader *r, sc_operator *op, sc_param_kind kind) {
  if (op->nparams == SC_OP_PARAMS) {
    sc_reader_fail(r, SC_LIMIT, "an operator has at most %d parameters", SC_OP_PARAMS);
    return NULL;
  }
  sc_param *param = &op->param[op->nparams];
  *param = (sc_param){.kind = kind};
  read_new_name(r, op, param->name);
  return r->status == SC_OK ? param : NULL;
}

/* size = "size" NAME ["=" sum] { NAME ["=" sum] } NL; number alike. A default may use what stands before it. */
static void read_params(sc_reader *r, sc_operator *op, sc_param_kind kind) {
  do {
    sc_param *param = new_param(r, op, kind);
    if (!param) return;
    param->has_value = sc_reader_accept(r, "=");
    if (param->has_value) sc_size_read(r, op, &param->value);
    op->nparams++;
  } while (r->status == SC_OK && !at_end_of_line(r));
}

static void read_sizes(sc_reader *r, sc_operator *op) { read_params(r, op, SC_PARAM_SIZE); }

static void read_numbers(sc_reader *r, sc_operator *op) { read_params(r, op, SC_PARAM_NUMBER); }

/* let = "let" NAME "=" sum NL */
static void read_let(sc_reader *r, sc_operator *op) {
  sc_param *param = new_param(r, op, SC_PARAM_LET);
  if (!param) return;
  sc_reader_expect(r, "=");
  sc_size_read(r, op, &param->value);
  op->nparams++;
}

/* require = "require" condition NL */
static void read_require(sc_reader *r, sc_operator *op) {
  if (op->nconditions == SC_OP_CONDITIONS) {
    sc_reader_fail(r, SC_LIMIT, "an operator has at most %d conditions", SC_OP_CONDITIONS);
    return;
  }
  sc_op_condition_read(r, op, &op->condition[op->nconditions++]);
}

/* dim = "dim" NAME "=" sum NL; needed only for a dim that stands alone in no index. */
static void read_dim(sc_reader *r, sc_operator *op) {
  sc_op_dim dim = {.declared = true, .at = r->token};
  if (op->ndims == SC_MAX_DIMS) sc_reader_fail(r, SC_LIMIT, "an operator has at most %d dims", SC_MAX_DIMS);
  if (sc_op_dim_find(op, r->token.text, r->token.len) >= 0) sc_reader_fail(r, SC_PARSE, "this dim is declared twice");
  read_new_name(r, op, dim.name);
  sc_reader_expect(r, "=");
  sc_size_read(r, op, &dim.size);
  if (r->status == SC_OK) op->dim[op->ndims++] = dim;
}

/* ---- tensors ---- */

static int axis_find(const sc_op_tensor *tensor, const sc_token *token) {
  for (int i = 0; i < tensor->naxes; i++)
    if (token->kind == SC_TOKEN_NAME && strlen(tensor->axis[i]) == token->len &&
        memcmp(tensor->axis[i], token->text, token->len) == 0)
      return i;
  return -1;
}

/* part = AXIS [("/" | "%") INT]: the whole axis, its quotient by a block, or the remainder. */
static void read_part(sc_reader *r, const sc_op_tensor *tensor, sc_layout *layout, unsigned *seen) {
  int axis = axis_find(tensor, &r->token);
  if (axis < 0 || layout->nparts == SC_COUNT_OF(layout->part)) {
    sc_reader_fail_expected(r, "the name of an axis of this tensor");
    return;
  }
  sc_token at = r->token;
  sc_reader_next(r);
  sc_part_kind kind = sc_reader_accept(r, "/")   ? SC_PART_OUTER
                      : sc_reader_accept(r, "%") ? SC_PART_INNER
                                                 : SC_PART_WHOLE;
  int64_t block = 0;
  if (kind != SC_PART_WHOLE && !sc_reader_int(r, 2, 4096, &block)) return;
  const char *name = tensor->axis[axis];
  if (kind != SC_PART_INNER && seen[axis]) sc_reader_fail_at(r, &at, SC_PARSE, "axis '%s' stands twice", name);
  if (kind == SC_PART_INNER && seen[axis] != SC_PART_OUTER + 1)
    sc_reader_fail_at(r, &at, SC_PARSE, "'%s%%' stands once, somewhere behind '%s/'", name, name);
  if (kind == SC_PART_INNER && block != layout->block[axis])
    sc_reader_fail_at(r, &at, SC_PARSE, "axis '%s' is divided by %d, not by %d", name, layout->block[axis], (int)block);
  seen[axis] = (unsigned)kind + 1;
  layout->block[axis] = (int16_t)block;
  layout->part[layout->nparts++] = (sc_part){.axis = (uint8_t)axis, .kind = (uint8_t)kind};
}

/* layout = "[" part { "," part } "]", outermost first; every axis once, or as quotient and remainder. */
static void read_layout(sc_reader *r, const sc_op_tensor *tensor, sc_layout *layout) {
  unsigned seen[SC_MAX_AXES] = {0};
  *layout = (sc_layout){0};
  sc_token at = r->token;
  sc_reader_expect(r, "[");
  do read_part(r, tensor, layout, seen);
  while (r->status == SC_OK && sc_reader_accept(r, ","));
  sc_reader_expect(r, "]");
  for (int i = 0; i < tensor->naxes; i++)
    if (seen[i] == 0 || seen[i] == SC_PART_OUTER + 1)
      sc_reader_fail_at(r, &at, SC_PARSE, seen[i] ? "axis '%s' lacks its remainder" : "axis '%s' is missing",
                        tensor->axis[i]);
}

/* properties = { TYPE | "const" | "as" layout }, each once */
static bool read_properties(sc_reader *r, const sc_op_tensor *tensor, sc_op_setting *set) {
  sc_token at = r->token;
  bool any = false;
  for (;; any = true) {
    at = r->token;
    sc_type type;
    bool twice = false;
    if (at.kind == SC_TOKEN_NAME && sc_type_find(at.text, at.len, &type)) {
      twice = set->has_type;
      set->has_type = true;
      set->type = type;
      sc_reader_next(r);
    } else if (sc_reader_accept(r, "const")) {
      twice = set->constant;
      set->constant = true;
      if (tensor->role != SC_IN) sc_reader_fail_at(r, &at, SC_PARSE, "only an input can be const");
    } else if (sc_reader_accept(r, "as")) {
      twice = set->has_layout;
      set->has_layout = true;
      read_layout(r, tensor, &set->layout);
    } else {
      return any;
    }
    if (twice) sc_reader_fail_at(r, &at, SC_PARSE, "this is said twice");
  }
}

/* axis = [NAME ":"] sum. An axis needs a name only where a layout mentions it. */
static void read_axis(sc_reader *r, const sc_operator *op, sc_op_tensor *tensor) {
  sc_reader ahead = *r;
  sc_error ignored;
  ahead.err = &ignored;
  sc_reader_next(&ahead);
  if (r->token.kind == SC_TOKEN_NAME && sc_reader_is(&ahead, ":")) {
    if (axis_find(tensor, &r->token) >= 0) sc_reader_fail(r, SC_PARSE, "two axes have this name");
    sc_reader_name(r, tensor->axis[tensor->naxes], SC_NAME);
    sc_reader_expect(r, ":");
  }
  sc_size_read(r, op, &tensor->size[tensor->naxes++]);
}

/* tensor = ("in" | "out" | "inout") NAME "[" axis { "," axis } "]" properties NL */
static void read_tensor(sc_reader *r, sc_operator *op, sc_role role) {
  if (op->ntensors == SC_OP_TENSORS) {
    sc_reader_fail(r, SC_LIMIT, "an operator has at most %d tensors", SC_OP_TENSORS);
    return;
  }
  sc_op_tensor *tensor = &op->tensor[op->ntensors];
  if (r->token.kind == SC_TOKEN_NAME && sc_op_tensor_find(op, r->token.text, r->token.len) >= 0)
    sc_reader_fail(r, SC_PARSE, "this tensor is declared twice");
  *tensor = (sc_op_tensor){.role = role};
  read_free_name(r, tensor->name);
  sc_reader_expect(r, "[");
  do {
    if (tensor->naxes == SC_MAX_AXES) sc_reader_fail(r, SC_LIMIT, "a tensor has at most %d axes", SC_MAX_AXES);
    else read_axis(r, op, tensor);
  } while (r->status == SC_OK && sc_reader_accept(r, ","));
  sc_reader_expect(r, "]");
  sc_op_setting set = {0};
  read_properties(r, tensor, &set);
  tensor->type = set.type;
  tensor->constant = set.constant;
  tensor->has_layout = set.has_layout;
  tensor->layout = set.has_layout ? set.layout : sc_layout_plain(tensor->naxes);
  op->ntensors++;
}

static void read_in(sc_reader *r, sc_operator *op) { read_tensor(r, op, SC_IN); }

static void read_out(sc_reader *r, sc_operator *op) { read_tensor(r, op, SC_OUT); }

static void read_inout(sc_reader *r, sc_operator *op) { read_tensor(r, op, SC_INOUT); }

/* ---- choices ---- */

/* setting = TENSOR properties */
static void read_setting(sc_reader *r, sc_operator *op, int alternative) {
  int tensor = r->token.kind == SC_TOKEN_NAME ? sc_op_tensor_find(op, r->token.text, r->token.len) : -1;
  if (tensor < 0) {
    sc_reader_fail_expected(r, "a tensor: to set its type or layout, or to assign to it");
    return;
  }
  if (op->nsettings == SC_OP_SETTINGS) {
    sc_reader_fail(r, SC_LIMIT, "the choices of an operator have at most %d settings", SC_OP_SETTINGS);
    return;
  }
  for (int i = 0; i < op->nsettings; i++)
    if (op->setting[i].alternative == alternative && op->setting[i].tensor == tensor)
      sc_reader_fail(r, SC_PARSE, "tensor '%s' is set twice in this alternative", op->tensor[tensor].name);
  sc_op_setting *set = &op->setting[op->nsettings++];
  *set = (sc_op_setting){.alternative = (uint8_t)alternative, .tensor = (uint8_t)tensor};
  sc_reader_next(r);
  if (!read_properties(r, &op->tensor[tensor], set)) sc_reader_fail_expected(r, "a type, 'const', 'as' or '['");
}

/* alternative = "|" NAME [clause { "," clause }] NL; clause = statement | setting */
static void read_alternative(sc_reader *r, sc_operator *op, sc_param *param) {
  int number = op->nalternatives;
  if (number == SC_OP_ALTERNATIVES) {
    sc_reader_fail(r, SC_LIMIT, "the choices of an operator have at most %d alternatives", SC_OP_ALTERNATIVES);
    return;
  }
  sc_op_alternative *alternative = &op->alternative[number];
  *alternative = (sc_op_alternative){.param = (uint8_t)(param - op->param)};
  sc_token at = r->token;
  sc_reader_name(r, alternative->name, SC_NAME);
  for (int i = param->first; i < number; i++)
    if (strcmp(op->alternative[i].name, alternative->name) == 0)
      sc_reader_fail_at(r, &at, SC_PARSE, "this alternative stands twice");
  op->nalternatives++;
  param->count++;
  if (at_end_of_line(r)) return;
  do {
    sc_reader ahead = *r;
    sc_error ignored;
    ahead.err = &ignored;
    sc_reader_next(&ahead);
    if (sc_reader_is(&ahead, "[")) sc_op_stmt_read(r, op, number);
    else read_setting(r, op, number);
  } while (r->status == SC_OK && sc_reader_accept(r, ","));
}

/* choice = "choice" NAME NL alternative { alternative }; the first is the default. */
static void read_choice(sc_reader *r, sc_operator *op) {
  sc_param *param = new_param(r, op, SC_PARAM_CHOICE);
  if (!param) return;
  param->first = op->nalternatives;
  op->nparams++;
  end_of_line(r);
  if (!sc_reader_is(r, "|")) sc_reader_fail_expected(r, "'|' and an alternative");
  while (sc_reader_accept(r, "|")) {
    read_alternative(r, op, param);
    end_of_line(r);
  }
}

/* ---- lines ---- */

enum { SECTION_PARAMS, SECTION_CONDITIONS, SECTION_DIMS, SECTION_TENSORS, SECTION_STATEMENTS, SECTION_CHOICES };
static const char *const section_names[] = {"the parameters", "the conditions", "the dims",
                                            "the tensors",    "the statements", "the choices"};
static const struct {
  const char *word;
  int section;
  void (*read)(sc_reader *r, sc_operator *op);
} lines[] = {{"size", SECTION_PARAMS, read_sizes},    {"number", SECTION_PARAMS, read_numbers},
             {"let", SECTION_PARAMS, read_let},       {"require", SECTION_CONDITIONS, read_require},
             {"dim", SECTION_DIMS, read_dim},         {"in", SECTION_TENSORS, read_in},
             {"out", SECTION_TENSORS, read_out},      {"inout", SECTION_TENSORS, read_inout},
             {"choice", SECTION_CHOICES, read_choice}};

static void read_line(sc_reader *r, sc_operator *op, int *section) {
  size_t i = 0;
  while (i < SC_COUNT_OF(lines) && !sc_reader_is(r, lines[i].word)) i++;
  int own = i < SC_COUNT_OF(lines) ? lines[i].section : SECTION_STATEMENTS;
  if (own < *section) {
    sc_reader_fail(r, SC_PARSE, "%s of an operator stand before %s", section_names[own], section_names[*section]);
    return;
  }
  *section = own;
  if (own == SECTION_STATEMENTS) {
    sc_op_stmt_read(r, op, -1);
  } else {
    sc_reader_next(r);
    lines[i].read(r, op);
  }
  if (own != SECTION_CHOICES) end_of_line(r);
}

sc_status sc_operator_parse(sc_arena *arena, const char *where, const char *text, size_t len,
                            const sc_operator **result, sc_error *err) {
  sc_operator *op = sc_arena_alloc(arena, 1, sizeof *op);
  if (!op) return sc_fail(err, SC_NOMEM, "out of memory");
  op->where = sc_arena_strdup(arena, where);
  op->source = sc_arena_strndup(arena, text, len);
  if (!op->where || !op->source) return sc_fail(err, SC_NOMEM, "out of memory");
  sc_reader reader, *r = &reader;
  sc_reader_init(r, op->where, op->source, len, true, err);
  sc_reader_expect(r, "op");
  sc_reader_name(r, op->name, SC_NAME);
  end_of_line(r);
  for (int section = SECTION_PARAMS; r->status == SC_OK && r->token.kind != SC_TOKEN_END;) read_line(r, op, &section);
  if (r->status == SC_OK) sc_operator_check(r, op);
  if (r->status == SC_OK) *result = op;
  return r->status;
}
