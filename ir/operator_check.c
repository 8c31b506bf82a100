/* What must hold of an operator whatever numbers it gets: which dims are free and which reductions, where their sizes
 * come from, and the form of its statements: one contraction out += a * b, then an elementwise epilogue on out. */
#include <string.h>

#include "ir/operator.h"

static const char *name_of(const sc_operator *op, const sc_op_access *access) {
  return op->tensor[access->tensor].name;
}

static bool is_mentioned(const sc_op_access *access, int dim) {
  for (int i = 0; i < SC_MAX_AXES; i++)
    for (int t = 0; t < access->index[i].nterms; t++)
      if (access->index[i].term[t].dim == dim) return true;
  return false;
}

/* The result is written once for each value of the free dims: every axis is one dim of its own. */
static void check_result(sc_reader *r, const sc_operator *op, const sc_op_access *lhs) {
  if (op->tensor[lhs->tensor].role == SC_IN) {
    sc_reader_fail_at(r, &lhs->at, SC_PARSE, "'%s' is an input: only an 'out' or 'inout' tensor is assigned to",
                      name_of(op, lhs));
    return;
  }
  unsigned seen = 0;
  for (int i = 0; i < op->tensor[lhs->tensor].naxes; i++) {
    const sc_op_index *index = &lhs->index[i];
    if (!sc_op_index_is_bare(index)) {
      sc_reader_fail_at(r, &index->at, SC_PARSE, "an index of the result is a dim alone");
      return;
    }
    unsigned bit = 1u << index->term[0].dim;
    if (seen & bit)
      sc_reader_fail_at(r, &index->at, SC_PARSE, "dim '%s' stands in two axes of the result",
                        op->dim[index->term[0].dim].name);
    seen |= bit;
  }
}

/* statement 0 = result += input * input */
static void check_contraction(sc_reader *r, const sc_operator *op, const sc_op_stmt *stmt) {
  bool product = stmt->update == SC_ADD_TO && stmt->nexpr == 3 && stmt->expr[0].kind == SC_EXPR_ACCESS &&
                 stmt->expr[1].kind == SC_EXPR_ACCESS && stmt->expr[2].kind == SC_EXPR_MUL;
  if (!product) {
    sc_reader_fail_at(r, &stmt->at, SC_PARSE, "the first statement has the form result[...] += a[...] * b[...]");
    return;
  }
  check_result(r, op, &op->access[stmt->lhs]);
  for (int i = 0; i < 2; i++) {
    const sc_op_access *operand = &op->access[stmt->expr[i].access];
    if (op->tensor[operand->tensor].role != SC_IN)
      sc_reader_fail_at(r, &stmt->place[i], SC_PARSE,
                        "'%s' is no input: a factor of the first statement is an 'in' tensor", name_of(op, operand));
  }
}

/* An epilogue reads the result where it stands and inputs by its free dims, one dim an index. */
static void check_epilogue(sc_reader *r, const sc_operator *op, const sc_op_stmt *stmt) {
  uint8_t result = op->stmt[0].lhs;
  if (stmt->lhs != result) {
    sc_reader_fail_at(r, &stmt->at, SC_PARSE,
                      "a later statement assigns to the result of the first, with the same indices");
    return;
  }
  for (int i = 0; i < stmt->nexpr; i++) {
    if (stmt->expr[i].kind != SC_EXPR_ACCESS || stmt->expr[i].access == result) continue;
    const sc_op_access *access = &op->access[stmt->expr[i].access];
    if (op->tensor[access->tensor].role != SC_IN) {
      sc_reader_fail_at(r, &access->at, SC_PARSE,
                        "a later statement reads the result with the indices of the first, and inputs");
      return;
    }
    for (int a = 0; a < op->tensor[access->tensor].naxes; a++) {
      const sc_op_index *index = &access->index[a];
      if (!sc_op_index_is_bare(index) || op->dim[index->term[0].dim].reduce)
        sc_reader_fail_at(r, &stmt->place[i], SC_PARSE, "an index of a later statement is a dim of the result, alone");
    }
  }
}

/* A tensor index has at most one free and one reduction dim, each once, and all numbers behind them. */
static void check_index(sc_reader *r, const sc_operator *op, const sc_op_index *index) {
  int nfree = 0, nreduce = 0;
  for (int t = 0; t < index->nterms; t++) {
    int d = index->term[t].dim;
    if (d < 0) continue;
    if (op->dim[d].reduce) nreduce++;
    else nfree++;
  }
  if (nfree > 1)
    sc_reader_fail_at(r, &index->at, SC_PARSE, "two free dims stand in one index; a free and a reduction dim may");
  if (nreduce > 1)
    sc_reader_fail_at(r, &index->at, SC_PARSE, "two reduction dims stand in one index; a free and a reduction dim may");
}

/* An undeclared dim has the size of the first axis where it stands alone. */
static void find_size(sc_reader *r, sc_operator *op, int d) {
  sc_op_dim *dim = &op->dim[d];
  if (dim->declared) return;
  for (int i = 0; i < op->naccesses; i++) {
    const sc_op_access *access = &op->access[i];
    for (int a = 0; a < op->tensor[access->tensor].naxes; a++) {
      if (!sc_op_index_is_bare(&access->index[a]) || access->index[a].term[0].dim != d) continue;
      dim->size = op->tensor[access->tensor].size[a];
      return;
    }
  }
  sc_reader_fail_at(r, &dim->at, SC_PARSE,
                    "'%s' is no size, and a dim that never stands alone in an index needs a line 'dim %s = ...'",
                    dim->name, dim->name);
}

void sc_operator_check(sc_reader *r, sc_operator *op) {
  if (op->nstmts == 0 || op->stmt[0].alternative >= 0) {
    sc_reader_fail(r, SC_PARSE, "expected a statement: an operator computes something");
    return;
  }
  check_contraction(r, op, &op->stmt[0]);
  const sc_op_access *result = &op->access[op->stmt[0].lhs];
  for (int d = 0; d < op->ndims; d++) {
    op->dim[d].reduce = !is_mentioned(result, d);
    find_size(r, op, d);
    bool used = false;
    for (int i = 0; i < op->naccesses; i++) used |= is_mentioned(&op->access[i], d);
    if (!used) sc_reader_fail_at(r, &op->dim[d].at, SC_PARSE, "dim '%s' stands in no statement", op->dim[d].name);
  }
  for (int i = 0; i < op->naccesses; i++)
    for (int a = 0; a < op->tensor[op->access[i].tensor].naxes; a++) check_index(r, op, &op->access[i].index[a]);
  for (int i = 1; i < op->nstmts; i++) check_epilogue(r, op, &op->stmt[i]);
}
