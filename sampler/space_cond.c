/* Conditions of a space, read and printed: comparisons of expressions over the quantities of quantities.def. */
#include <string.h>

#include "sampler/space.h"

const sc_quantity_info sc_quantities[SC_Q_COUNT] = {
#define SC_QUANTITY(name, arguments, doc) {#name, arguments, doc},
#include "sampler/quantities.def"
#undef SC_QUANTITY
};

const char *const sc_relation_words[] = {"<=", "<", ">=", ">", "==", "!="};

typedef struct expression {
  sc_space_reader *x;
  sc_cond_node node[SC_SPACE_NODES];
  int n, depth;
} expression;

static void push(expression *e, sc_cond_node node) {
  if (e->n == SC_SPACE_NODES)
    sc_reader_fail(&e->x->r, SC_LIMIT, "more than %d numbers and operators in an expression", SC_SPACE_NODES);
  else e->node[e->n++] = node;
}

static void read_sum(expression *e);

/* ---- reading ---- */

/* tensor = NAME [ "@" INT ] */
static void read_tensor(sc_space_reader *x, char *name, uint8_t *nth) {
  int64_t n = 1;
  sc_reader_name(&x->r, name, SC_NAME);
  if (sc_reader_accept(&x->r, "@")) sc_reader_int(&x->r, 1, SC_MAX_ACCESSES, &n);
  *nth = (uint8_t)n;
}

/* quantity = NAME [ "(" (dim | tensor) [ "," INT ] ")" ] */
static void read_quantity(expression *e) {
  sc_reader *r = &e->x->r;
  sc_cond_node node = {.op = SC_COND_QUANTITY, .at = r->token};
  while (node.quantity < SC_Q_COUNT && !sc_reader_is(r, sc_quantities[node.quantity].name)) node.quantity++;
  if (node.quantity == SC_Q_COUNT) {
    sc_reader_fail_expected(r, "a quantity, such as extent(k,1) or registers");
    return;
  }
  sc_reader_next(r);
  const char *arguments = sc_quantities[node.quantity].arguments;
  if (arguments[0]) {
    sc_reader_expect(r, "(");
    if (arguments[0] == 't') read_tensor(e->x, node.subject, &node.nth);
    else sc_reader_name(r, node.subject, sizeof node.subject);
    int64_t band = 0;
    if (arguments[1] == 'b' && sc_reader_expect(r, ",")) sc_reader_int(r, 0, SC_MAX_BANDS - 1, &band);
    node.band = (uint8_t)band;
    sc_reader_expect(r, ")");
  }
  push(e, node);
}

/* factor = NUMBER | "-" factor | "(" sum ")" | ("min" | "max") "(" sum "," sum ")" | quantity */
static void read_factor(expression *e) {
  sc_reader *r = &e->x->r;
  sc_token at = r->token;
  bool least = sc_reader_is(r, "min");
  if (++e->depth > SC_SPACE_NESTING) sc_reader_fail(r, SC_LIMIT, "expressions nest at most %d deep", SC_SPACE_NESTING);
  if (r->status != SC_OK) return;
  if (at.kind == SC_TOKEN_INT || at.kind == SC_TOKEN_REAL) {
    sc_reader_next(r);
    push(e, (sc_cond_node){.op = SC_COND_NUMBER, .value = at.real, .at = at});
  } else if (sc_reader_accept(r, "-")) {
    read_factor(e);
    push(e, (sc_cond_node){.op = SC_COND_NEG, .at = at});
  } else if (sc_reader_accept(r, "(")) {
    read_sum(e);
    sc_reader_expect(r, ")");
  } else if (least || sc_reader_is(r, "max")) {
    sc_reader_next(r);
    sc_reader_expect(r, "(");
    read_sum(e);
    sc_reader_expect(r, ",");
    read_sum(e);
    sc_reader_expect(r, ")");
    push(e, (sc_cond_node){.op = least ? SC_COND_MIN : SC_COND_MAX, .at = at});
  } else read_quantity(e);
  e->depth--;
}

/* product = factor { ("*" | "/") factor } */
static void read_product(expression *e) {
  read_factor(e);
  while (e->x->r.status == SC_OK) {
    sc_token at = e->x->r.token;
    bool times = sc_reader_accept(&e->x->r, "*");
    if (!times && !sc_reader_accept(&e->x->r, "/")) return;
    const sc_token divisor = e->x->r.token;
    const int begin = e->n;
    read_factor(e);
    if (!times && e->n == begin + 1 && e->node[begin].op == SC_COND_NUMBER && e->node[begin].value == 0)
      sc_reader_fail_at(&e->x->r, &divisor, SC_PARSE, "division by zero");
    push(e, (sc_cond_node){.op = times ? SC_COND_MUL : SC_COND_DIV, .at = at});
  }
}

/* sum = product { ("+" | "-") product } */
static void read_sum(expression *e) {
  read_product(e);
  while (e->x->r.status == SC_OK) {
    sc_token at = e->x->r.token;
    bool plus = sc_reader_accept(&e->x->r, "+");
    if (!plus && !sc_reader_accept(&e->x->r, "-")) return;
    read_product(e);
    push(e, (sc_cond_node){.op = plus ? SC_COND_ADD : SC_COND_SUB, .at = at});
  }
}

static void read_side(sc_space_reader *x, sc_cond_node **side, uint8_t *n) {
  expression e;
  e.x = x;
  e.n = e.depth = 0;
  read_sum(&e);
  *side = sc_space_alloc(x, (size_t)e.n + 1, sizeof **side);
  if (*side) memcpy(*side, e.node, (size_t)e.n * sizeof **side);
  *n = (uint8_t)e.n;
}

/* cond = sum ("<=" | "<" | ">=" | ">" | "==" | "!=") sum [ "if" atom { "and" atom } ];  atom = [ "not" ] clause */
void sc_cond_read(sc_space_reader *x, sc_cond *cond) {
  sc_reader *r = &x->r;
  cond->at = r->token;
  cond->choice = (int8_t)x->choice;
  cond->option = (int8_t)x->option;
  read_side(x, &cond->left, &cond->nleft);
  while (cond->relation <= SC_REL_NE && !sc_reader_is(r, sc_relation_words[cond->relation])) cond->relation++;
  if (cond->relation > SC_REL_NE) {
    sc_reader_fail_expected(r, "a comparison");
    return;
  }
  sc_reader_next(r);
  read_side(x, &cond->right, &cond->nright);
  if (!sc_reader_accept(r, "if")) return;
  cond->atom = sc_space_alloc(x, SC_SPACE_ATOMS, sizeof *cond->atom);
  do {
    if (cond->natoms == SC_SPACE_ATOMS)
      sc_reader_fail(r, SC_LIMIT, "more than %d conditions behind `if`", SC_SPACE_ATOMS);
    if (r->status != SC_OK) return;
    sc_clause *atom = &cond->atom[cond->natoms++];
    bool negated = sc_reader_accept(r, "not");
    sc_token at = r->token;
    sc_clause_read(x, atom, true);
    atom->negated = negated;
    if (atom->attribute == SC_AT_BANDS || atom->attribute == SC_AT_TILE || atom->attribute == SC_AT_LADDER ||
        atom->attribute == SC_AT_ORDER)
      sc_reader_fail_at(r, &at, SC_PARSE,
                        "`if` asks for choices: vector, lanes, compile, loop, unroll, pack, parallel, pad "
                        "or a named one");
  } while (sc_reader_accept(r, "and"));
}

/* ---- printing ---- */

static const char *const operators[] = {
    [SC_COND_ADD] = " + ", [SC_COND_SUB] = " - ", [SC_COND_MUL] = "*", [SC_COND_DIV] = "/"};

static int precedence(int op) {
  return op == SC_COND_ADD || op == SC_COND_SUB ? 1 : op == SC_COND_MUL || op == SC_COND_DIV ? 2 : 3;
}

/* Where the operands of node i begin. */
static int start(const sc_cond_node *node, int i) {
  int need = 1;
  for (;; i--) {
    need--;
    if (node[i].op == SC_COND_NEG) need += 1;
    else if (node[i].op >= SC_COND_ADD) need += 2;
    if (need == 0) return i;
  }
}

static void print_node(const sc_cond_node *node, int i, int place, sc_str *out) {
  const sc_cond_node *n = &node[i];
  int right = i - 1, mine = precedence(n->op);
  switch ((sc_node_op)n->op) {
  case SC_COND_NUMBER: sc_json_number(out, n->value); return;
  case SC_COND_QUANTITY: {
    const char *arguments = sc_quantities[n->quantity].arguments;
    sc_str_add(out, sc_quantities[n->quantity].name);
    if (arguments[0]) sc_str_printf(out, "(%s", n->subject);
    if (n->nth > 1) sc_str_printf(out, "@%d", n->nth);
    if (arguments[0] && arguments[1]) sc_str_printf(out, ",%d", n->band);
    if (arguments[0]) sc_str_add(out, ")");
    return;
  }
  case SC_COND_NEG:
    sc_str_add(out, "-");
    print_node(node, right, 3, out);
    return;
  case SC_COND_MIN:
  case SC_COND_MAX:
    sc_str_add(out, n->op == SC_COND_MIN ? "min(" : "max(");
    print_node(node, start(node, right) - 1, 1, out);
    sc_str_add(out, ", ");
    print_node(node, right, 1, out);
    sc_str_add(out, ")");
    return;
  default: break;
  }
  if (mine < place) sc_str_add(out, "(");
  print_node(node, start(node, right) - 1, mine, out);
  sc_str_add(out, operators[n->op]);
  print_node(node, right, mine + 1, out);
  if (mine < place) sc_str_add(out, ")");
}

void sc_cond_print(const sc_cond *cond, sc_str *out) {
  print_node(cond->left, cond->nleft - 1, 1, out);
  sc_str_printf(out, " %s ", sc_relation_words[cond->relation]);
  print_node(cond->right, cond->nright - 1, 1, out);
  for (int i = 0; i < cond->natoms; i++) {
    sc_str_add(out, i ? " and " : " if ");
    if (cond->atom[i].negated) sc_str_add(out, "not ");
    sc_clause_print(&cond->atom[i], out);
  }
}
