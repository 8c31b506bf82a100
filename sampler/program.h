/* Conditions between text and program: the tree that an expression becomes for one combo. condition.c builds it,
 * program.c makes instances of it, program_run.c runs them. */
#ifndef SC_SAMPLER_PROGRAM_H
#define SC_SAMPLER_PROGRAM_H

#include "sampler/bound.h"

typedef struct sc_tree { /* one condition while it is built */
  sc_space_bound *bound;
  sc_combo *combo;
  const sc_cond *cond;
  sc_error *err;
  int n;
  sc_pnode node[SC_MAX_PNODES];
  int unroll, parallel; /* alternatives that the expression is built for */
  bool asks_unroll, asks_tasks;
  uint8_t asks_facts; /* bit sc_fact */
} sc_tree;

/* A fact's number is its `leaf`. */
enum { SC_TREE_CONSTANT = SC_COND_NUMBER, SC_TREE_LEAF = SC_COND_QUANTITY, SC_TREE_FACT = SC_COND_NEG };

/* Nodes are numbers; -1 when the tree is full, and for every operation on -1. */
int sc_tree_make(sc_tree *tree, int op, int a, int b);
sc_status sc_tree_expression(sc_tree *tree, const sc_cond_node *node, int n, int *out);
/* A copy of node i in which the operands of every sum and product stand in the order of their levels. */
int sc_tree_copy(sc_tree *to, const sc_tree *from, int i);

/* kernel_cond.c: a condition on kernels. */
sc_status sc_kernel_cond_add(sc_tree *tree, int root, int relation, int late);

static inline double sc_tree_apply(int op, double a, double b) {
  switch (op) {
  case SC_COND_ADD: return a + b;
  case SC_COND_MUL: return a * b;
  case SC_COND_DIV: return a / b;
  case SC_COND_MIN: return a < b ? a : b;
  default: return a > b ? a : b;
  }
}

static inline bool sc_relation_holds(int relation, double value) {
  return relation == SC_REL_LE ? value <= 0 : relation == SC_REL_LT ? value < 0 : value != 0;
}

#endif
