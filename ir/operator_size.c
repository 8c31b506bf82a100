/* Size expressions: what a size, a coefficient or an offset is computed from. Postfix, so that evaluation needs no
 * recursion and a hostile text no more than SC_OP_NODES nodes. */
#include <string.h>

#include "ir/operator.h"

void sc_size_push(sc_reader *r, sc_size *size, sc_size_op node, int32_t value) {
  if (r->status != SC_OK) return;
  if (size->n == SC_OP_NODES) {
    sc_reader_fail(r, SC_LIMIT, "a size expression has at most %d numbers, names and operators", SC_OP_NODES);
    return;
  }
  size->node[size->n].op = (uint8_t)node;
  size->node[size->n++].value = value;
}

static bool accept_one_of(sc_reader *r, const char *operators, const sc_size_op *nodes, sc_size_op *node) {
  if (r->token.kind != SC_TOKEN_PUNCT || r->token.len != 1) return false;
  const char *found = strchr(operators, r->token.text[0]);
  if (!found) return false;
  *node = nodes[found - operators];
  sc_reader_next(r);
  return true;
}

/* factor = INT | NAME | "(" size ")" */
void sc_size_read_factor(sc_reader *r, const sc_operator *op, sc_size *size) {
  int64_t value;
  if (r->token.kind == SC_TOKEN_INT) {
    if (sc_reader_int(r, 0, SC_OP_MAX_SIZE, &value)) sc_size_push(r, size, SC_SIZE_INT, (int32_t)value);
  } else if (r->token.kind == SC_TOKEN_NAME) {
    int param = sc_param_find(op, r->token.text, r->token.len);
    if (param < 0 || op->param[param].kind == SC_PARAM_CHOICE) {
      sc_reader_fail(r, SC_PARSE, "'%.*s' is no size declared above", (int)r->token.len, r->token.text);
      return;
    }
    sc_size_push(r, size, SC_SIZE_PARAM, param);
    sc_reader_next(r);
  } else if (sc_reader_is(r, "(")) {
    if (r->depth > SC_OP_NESTING) {
      sc_reader_fail(r, SC_LIMIT, "at most %d brackets may be open", SC_OP_NESTING);
      return;
    }
    sc_reader_next(r);
    sc_size_read(r, op, size);
    sc_reader_expect(r, ")");
  } else {
    sc_reader_fail_expected(r, "a size (an integer, a name or '(')");
  }
}

/* product = factor { ("*" | "/" | "%") factor } */
void sc_size_read_product(sc_reader *r, const sc_operator *op, sc_size *size) {
  static const sc_size_op nodes[] = {SC_SIZE_MUL, SC_SIZE_DIV, SC_SIZE_MOD};
  sc_size_op node;
  sc_size_read_factor(r, op, size);
  while (accept_one_of(r, "*/%", nodes, &node)) {
    sc_size_read_factor(r, op, size);
    sc_size_push(r, size, node, 0);
  }
}

/* size = product { ("+" | "-") product } */
void sc_size_read(sc_reader *r, const sc_operator *op, sc_size *size) {
  static const sc_size_op nodes[] = {SC_SIZE_ADD, SC_SIZE_SUB};
  sc_size_op node;
  sc_size_read_product(r, op, size);
  while (accept_one_of(r, "+-", nodes, &node)) {
    sc_size_read_product(r, op, size);
    sc_size_push(r, size, node, 0);
  }
}

static int strength(int node) {
  if (node <= SC_SIZE_PARAM) return SC_PLACE_FACTOR;
  return node <= SC_SIZE_SUB ? SC_PLACE_SUM : SC_PLACE_PRODUCT;
}

/* Number of the first node of the expression that ends at node `last`. */
static int first_of(const sc_size *size, int last) {
  int wanted = 1;
  for (;; last--) {
    wanted += size->node[last].op <= SC_SIZE_PARAM ? -1 : 1;
    if (wanted == 0) return last;
  }
}

/* A right operand as strong as its operator keeps its parentheses: the tree is printed, not its value. */
static void print_node(const sc_operator *op, const sc_size *size, int last, int least, sc_str *out) {
  static const char signs[] = {
      [SC_SIZE_ADD] = '+', [SC_SIZE_SUB] = '-', [SC_SIZE_MUL] = '*', [SC_SIZE_DIV] = '/', [SC_SIZE_MOD] = '%'};
  int node = size->node[last].op, own = strength(node);
  if (node == SC_SIZE_INT) {
    sc_str_printf(out, "%d", (int)size->node[last].value);
  } else if (node == SC_SIZE_PARAM) {
    sc_str_add(out, op->param[size->node[last].value].name);
  } else {
    if (own < least) sc_str_add(out, "(");
    print_node(op, size, first_of(size, last - 1) - 1, own, out);
    sc_str_printf(out, own == SC_PLACE_SUM ? " %c " : "%c", signs[node]);
    print_node(op, size, last - 1, own + 1, out);
    if (own < least) sc_str_add(out, ")");
  }
}

void sc_size_print(const sc_operator *op, const sc_size *size, sc_size_place place, sc_str *out) {
  print_node(op, size, size->n - 1, place, out);
}

/* Rounded down. Divisors are positive. */
static int64_t quotient(int64_t a, int64_t b) { return a / b - (a % b < 0); }

static bool apply(int node, int64_t a, int64_t b, int64_t *out) {
  switch (node) {
  case SC_SIZE_ADD: return !__builtin_add_overflow(a, b, out);
  case SC_SIZE_SUB: return !__builtin_sub_overflow(a, b, out);
  case SC_SIZE_MUL: return !__builtin_mul_overflow(a, b, out);
  default:
    if (b <= 0) return false;
    *out = node == SC_SIZE_DIV ? quotient(a, b) : a - quotient(a, b) * b;
    return true;
  }
}

bool sc_size_eval(const sc_size *size, const int64_t *values, int64_t *out) {
  int64_t stack[SC_OP_NODES + 1] = {1};
  int top = 0;
  for (int i = 0; i < size->n; i++) {
    int node = size->node[i].op, value = size->node[i].value;
    if (node <= SC_SIZE_PARAM) stack[top++] = node == SC_SIZE_INT ? value : values[value];
    else if (!apply(node, stack[top - 2], stack[top - 1], &stack[top - 2])) return false;
    else top--;
  }
  *out = stack[0];
  return true;
}

bool sc_size_equal(const sc_size *a, const sc_size *b) {
  if (a->n != b->n) return false;
  for (int i = 0; i < a->n; i++)
    if (a->node[i].op != b->node[i].op || a->node[i].value != b->node[i].value) return false;
  return true;
}

/* condition = sum ("==" | "<=" | ">=") sum */
void sc_op_condition_read(sc_reader *r, const sc_operator *op, sc_op_condition *condition) {
  sc_size_read(r, op, &condition->left);
  condition->relation = r->token.len == 2 ? r->token.text[0] : '\0';
  if (!sc_reader_accept(r, "==") && !sc_reader_accept(r, "<=") && !sc_reader_accept(r, ">="))
    sc_reader_fail_expected(r, "'==', '<=' or '>='");
  sc_size_read(r, op, &condition->right);
}

void sc_op_condition_print(const sc_operator *op, const sc_op_condition *condition, sc_str *out) {
  sc_size_print(op, &condition->left, SC_PLACE_SUM, out);
  sc_str_printf(out, " %c= ", condition->relation);
  sc_size_print(op, &condition->right, SC_PLACE_SUM, out);
}
