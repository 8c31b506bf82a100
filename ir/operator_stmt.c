/* Statements of the operator language, read and printed: tensor[index, ...] op= expression. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ir/operator.h"

/* ---- reading ---- */

static int dim_of(sc_reader *r, sc_operator *op) {
  int d = sc_op_dim_find(op, r->token.text, r->token.len);
  if (d >= 0) return d;
  if (op->ndims == SC_MAX_DIMS) {
    sc_reader_fail(r, SC_LIMIT, "an operator has at most %d dims", SC_MAX_DIMS);
    return 0;
  }
  sc_op_dim *dim = &op->dim[op->ndims];
  dim->at = r->token;
  if (r->token.len >= SC_NAME) sc_reader_fail(r, SC_LIMIT, "a name has at most %d characters", SC_NAME - 1);
  else memcpy(dim->name, r->token.text, r->token.len);
  return op->ndims++;
}

/* term = DIM { "*" factor } | product of sizes. A name that is no parameter is a dim. */
static void read_term(sc_reader *r, sc_operator *op, sc_op_index *index, bool minus) {
  if (index->nterms == SC_OP_TERMS) {
    sc_reader_fail(r, SC_LIMIT, "an index has at most %d terms", SC_OP_TERMS);
    return;
  }
  sc_op_term *term = &index->term[index->nterms++];
  term->dim = -1;
  term->minus = minus;
  if (r->token.kind != SC_TOKEN_NAME || sc_param_find(op, r->token.text, r->token.len) >= 0) {
    sc_size_read_product(r, op, &term->factor);
    return;
  }
  if (minus) {
    sc_reader_fail(r, SC_PARSE, "a dim counts upwards: '-' stands only before a size");
    return;
  }
  term->dim = (int8_t)dim_of(r, op);
  sc_reader_next(r);
  for (int i = 0; sc_reader_accept(r, "*"); i++) {
    sc_size_read_factor(r, op, &term->factor);
    if (i > 0) sc_size_push(r, &term->factor, SC_SIZE_MUL, 0);
  }
}

/* index = ["-"] term { ("+" | "-") term } */
static void read_index(sc_reader *r, sc_operator *op, sc_op_index *index) {
  index->at = r->token;
  read_term(r, op, index, sc_reader_accept(r, "-"));
  while (r->status == SC_OK) {
    if (sc_reader_accept(r, "+")) read_term(r, op, index, false);
    else if (sc_reader_accept(r, "-")) read_term(r, op, index, true);
    else break;
  }
}

/* access = TENSOR "[" index { "," index } "]". Returns its number among the operator's distinct accesses. */
static uint8_t read_access(sc_reader *r, sc_operator *op) {
  sc_op_access access = {.at = r->token};
  int tensor = r->token.kind == SC_TOKEN_NAME ? sc_op_tensor_find(op, r->token.text, r->token.len) : -1;
  if (tensor < 0) {
    if (r->token.kind == SC_TOKEN_NAME)
      sc_reader_fail(r, SC_PARSE, "'%.*s' is no tensor declared above", (int)r->token.len, r->token.text);
    else sc_reader_fail_expected(r, "a tensor, a number, 'max', 'min' or '('");
    return 0;
  }
  access.tensor = (uint8_t)tensor;
  sc_reader_next(r);
  sc_reader_expect(r, "[");
  int naxes = op->tensor[tensor].naxes;
  for (int i = 0; i < naxes && r->status == SC_OK; i++) {
    if (i > 0) sc_reader_expect(r, ",");
    read_index(r, op, &access.index[i]);
  }
  if (sc_reader_is(r, ",")) sc_reader_fail(r, SC_PARSE, "tensor '%s' has only %d axes", op->tensor[tensor].name, naxes);
  sc_reader_expect(r, "]");
  for (int i = 0; i < op->naccesses; i++)
    if (sc_op_access_equal(&op->access[i], &access)) return (uint8_t)i;
  if (op->naccesses == SC_OP_ACCESSES) {
    sc_reader_fail_at(r, &access.at, SC_LIMIT, "an operator has at most %d different accesses", SC_OP_ACCESSES);
    return 0;
  }
  op->access[op->naccesses] = access;
  return op->naccesses++;
}

static void push(sc_reader *r, sc_op_stmt *stmt, sc_token place, sc_expr expr) {
  if (r->status != SC_OK) return;
  if (stmt->nexpr == SC_MAX_EXPR)
    sc_reader_fail(r, SC_LIMIT, "an expression has at most %d values and operations", SC_MAX_EXPR);
  else {
    stmt->place[stmt->nexpr] = place;
    stmt->expr[stmt->nexpr++] = expr;
  }
}

static void read_expr(sc_reader *r, sc_operator *op, sc_op_stmt *stmt);

/* primary = ["-"] NUMBER | ("max" | "min") "(" expr "," expr ")" | "(" expr ")" | access */
static void read_primary(sc_reader *r, sc_operator *op, sc_op_stmt *stmt) {
  sc_token first = r->token;
  bool max = sc_reader_is(r, "max"), min = sc_reader_is(r, "min");
  if (r->depth > SC_OP_NESTING) {
    sc_reader_fail(r, SC_LIMIT, "at most %d brackets may be open", SC_OP_NESTING);
  } else if (sc_reader_is(r, "-") || first.kind == SC_TOKEN_INT || first.kind == SC_TOKEN_REAL) {
    double value;
    if (!sc_reader_real(r, &value)) return;
    if (value > 3.4028235e38 || value < -3.4028235e38)
      sc_reader_fail_at(r, &first, SC_LIMIT, "the number does not fit f32");
    else push(r, stmt, first, (sc_expr){.kind = SC_EXPR_CONST, .value = (float)value});
  } else if (max || min) {
    sc_reader_next(r);
    sc_reader_expect(r, "(");
    read_expr(r, op, stmt);
    sc_reader_expect(r, ",");
    read_expr(r, op, stmt);
    sc_reader_expect(r, ")");
    push(r, stmt, first, (sc_expr){.kind = max ? SC_EXPR_MAX : SC_EXPR_MIN});
  } else if (sc_reader_accept(r, "(")) {
    read_expr(r, op, stmt);
    sc_reader_expect(r, ")");
  } else {
    push(r, stmt, first, (sc_expr){.kind = SC_EXPR_ACCESS, .access = read_access(r, op)});
  }
}

/* product = primary { "*" primary } */
static void read_product(sc_reader *r, sc_operator *op, sc_op_stmt *stmt) {
  read_primary(r, op, stmt);
  while (sc_reader_is(r, "*")) {
    sc_token sign = r->token;
    sc_reader_next(r);
    read_primary(r, op, stmt);
    push(r, stmt, sign, (sc_expr){.kind = SC_EXPR_MUL});
  }
}

/* expr = product { ("+" | "-") product } */
static void read_expr(sc_reader *r, sc_operator *op, sc_op_stmt *stmt) {
  read_product(r, op, stmt);
  while (sc_reader_is(r, "+") || sc_reader_is(r, "-")) {
    sc_token sign = r->token;
    sc_expr_kind kind = sc_reader_is(r, "+") ? SC_EXPR_ADD : SC_EXPR_SUB;
    sc_reader_next(r);
    read_product(r, op, stmt);
    push(r, stmt, sign, (sc_expr){.kind = (uint8_t)kind});
  }
}

/* statement = access ("=" | "+=") expr */
void sc_op_stmt_read(sc_reader *r, sc_operator *op, int alternative) {
  if (op->nstmts == SC_OP_STATEMENTS) {
    sc_reader_fail(r, SC_LIMIT, "an operator has at most %d statements", SC_OP_STATEMENTS);
    return;
  }
  sc_op_stmt *stmt = &op->stmt[op->nstmts];
  *stmt = (sc_op_stmt){.alternative = (int8_t)alternative, .at = r->token};
  stmt->lhs = read_access(r, op);
  if (sc_reader_accept(r, "+=")) stmt->update = SC_ADD_TO;
  else if (sc_reader_accept(r, "=")) stmt->update = SC_ASSIGN;
  else sc_reader_fail_expected(r, "'=' or '+='");
  read_expr(r, op, stmt);
  op->nstmts++;
}

/* ---- printing ---- */

static void print_index(const sc_operator *op, const sc_op_index *index, sc_str *out) {
  for (int i = 0; i < index->nterms; i++) {
    const sc_op_term *term = &index->term[i];
    if (i > 0) sc_str_add(out, term->minus ? " - " : " + ");
    else if (term->minus) sc_str_add(out, "-");
    if (term->dim >= 0) sc_str_add(out, op->dim[term->dim].name);
    if (term->dim >= 0 && term->factor.n > 0) sc_str_add(out, "*");
    if (term->factor.n > 0) sc_size_print(op, &term->factor, term->dim >= 0 ? SC_PLACE_FACTOR : SC_PLACE_PRODUCT, out);
  }
}

static void print_access(const sc_operator *op, const sc_op_access *access, sc_str *out) {
  const sc_op_tensor *tensor = &op->tensor[access->tensor];
  sc_str_add(out, tensor->name);
  for (int i = 0; i < tensor->naxes; i++) {
    sc_str_add(out, i == 0 ? "[" : ", ");
    print_index(op, &access->index[i], out);
  }
  sc_str_add(out, "]");
}

/* Number of the first node of the expression that ends at node `last`. */
static int first_of(const sc_op_stmt *stmt, int last) {
  int wanted = 1;
  for (;; last--) {
    wanted += stmt->expr[last].kind <= SC_EXPR_ACCESS ? -1 : 1;
    if (wanted == 0) return last;
  }
}

/* The shortest decimal that reads back as the same f32. */
static void print_number(float value, sc_str *out) {
  char text[32];
  int digits = 6;
  while (snprintf(text, sizeof text, "%.*g", digits, (double)value) > 0 && digits < 9 && strtof(text, NULL) != value)
    digits++;
  sc_str_printf(out, "%.*g", digits, (double)value);
}

/* `least`: what binds less gets parentheses; 1 sum, 2 product, 3 primary. The tree is printed, so a right operand as
 * strong as its operator keeps them: float addition is not associative. */
static void print_expr(const sc_operator *op, const sc_op_stmt *stmt, int last, int least, sc_str *out) {
  const sc_expr *node = &stmt->expr[last];
  int own = node->kind == SC_EXPR_MUL ? 2 : 1, right = last - 1;
  switch (node->kind) {
  case SC_EXPR_CONST: print_number(node->value, out); return;
  case SC_EXPR_ACCESS: print_access(op, &op->access[node->access], out); return;
  case SC_EXPR_MAX:
  case SC_EXPR_MIN:
    sc_str_add(out, node->kind == SC_EXPR_MAX ? "max(" : "min(");
    print_expr(op, stmt, first_of(stmt, right) - 1, 1, out);
    sc_str_add(out, ", ");
    print_expr(op, stmt, right, 1, out);
    sc_str_add(out, ")");
    return;
  default:
    if (own < least) sc_str_add(out, "(");
    print_expr(op, stmt, first_of(stmt, right) - 1, own, out);
    sc_str_add(out, node->kind == SC_EXPR_ADD ? " + " : node->kind == SC_EXPR_SUB ? " - " : " * ");
    print_expr(op, stmt, right, own + 1, out);
    if (own < least) sc_str_add(out, ")");
  }
}

void sc_op_stmt_print(const sc_operator *op, const sc_op_stmt *stmt, sc_str *out) {
  print_access(op, &op->access[stmt->lhs], out);
  sc_str_add(out, stmt->update == SC_ADD_TO ? " += " : " = ");
  print_expr(op, stmt, stmt->nexpr - 1, 1, out);
}
