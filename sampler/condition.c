/* Expressions of conditions as trees: quantities of the text become leaves of dims, numbers of the task and the
 * machine, or products and sums of them; what is known is folded. Sums and products are reassociated so that the part
 * that is complete behind any level is one number. */
#include <string.h>

#include "sampler/program.h"

/* ---- building ---- */

static int push(sc_tree *t, sc_pnode node) {
  if (t->n == SC_MAX_PNODES) return -1;
  t->node[t->n] = node;
  return t->n++;
}

static int constant(sc_tree *t, double value) {
  return push(t, (sc_pnode){.op = SC_TREE_CONSTANT, .level = -1, .value = value});
}

int sc_tree_make(sc_tree *t, int op, int a, int b) {
  if (a < 0 || b < 0) return -1;
  if (op == SC_COND_SUB) return sc_tree_make(t, SC_COND_ADD, a, sc_tree_make(t, SC_COND_MUL, constant(t, -1), b));
  const sc_pnode *x = &t->node[a], *y = &t->node[b];
  if (x->op == SC_TREE_CONSTANT && y->op == SC_TREE_CONSTANT) return constant(t, sc_tree_apply(op, x->value, y->value));
  if (op == SC_COND_MUL && x->op == SC_TREE_CONSTANT && x->value == 1) return b;
  if (op == SC_COND_MUL && y->op == SC_TREE_CONSTANT && y->value == 1) return a;
  return push(
      t, (sc_pnode){
             .op = (uint8_t)op, .level = x->level > y->level ? x->level : y->level, .a = (int16_t)a, .b = (int16_t)b});
}

static int level_of(const sc_combo *combo, int dim) {
  for (int l = 0; l < combo->nlevels; l++)
    if (combo->dim[l] == dim) return l;
  return -1;
}

static int leaf(sc_tree *t, int dim, int which) {
  const sc_domain *domain = &t->combo->domain[dim];
  if (domain->lo[which] == domain->hi[which]) return constant(t, domain->lo[which]);
  return push(t, (sc_pnode){.op = SC_TREE_LEAF,
                            .level = (int8_t)level_of(t->combo, dim),
                            .dim = (uint8_t)dim,
                            .leaf = (uint8_t)which});
}

/* Elements along an axis of the box that the access touches, at most the tensor's own: sc_index_extent of unknowns. */
static int axis_extent(sc_tree *t, const sc_access *access, int axis, int band) {
  const sc_index *index = &access->axis[axis];
  int32_t shape = t->bound->task->tensor[access->tensor].shape[axis];
  int extent = constant(t, 1);
  double most = 1;
  for (int k = 0; k < 2; k++) {
    if (index->dim[k] < 0) continue;
    int32_t coef = index->coef[k] < 0 ? -index->coef[k] : index->coef[k];
    int walk =
        sc_tree_make(t, SC_COND_MUL, constant(t, coef),
                     sc_tree_make(t, SC_COND_SUB, leaf(t, index->dim[k], SC_LEAF_EXTENT + band), constant(t, 1)));
    most += coef * (t->combo->domain[index->dim[k]].hi[SC_LEAF_EXTENT + band] - 1);
    extent = sc_tree_make(t, SC_COND_ADD, extent, walk);
  }
  return most > shape ? sc_tree_make(t, SC_COND_MIN, extent, constant(t, shape)) : extent;
}

static int region(sc_tree *t, int access, int band) {
  const sc_access *a = &t->bound->task->access[access];
  const sc_tensor *tensor = &t->bound->task->tensor[a->tensor];
  int bytes = constant(t, sc_type_bytes(tensor->type));
  for (int x = 0; x < tensor->naxes; x++) bytes = sc_tree_make(t, SC_COND_MUL, bytes, axis_extent(t, a, x, band));
  return bytes;
}

/* Of one step of the reductions; the vector dim counts in vectors. */
static int vectors(sc_tree *t, int access) {
  const sc_task *task = t->bound->task;
  int product = constant(t, 1);
  for (int d = 0; d < task->ndims; d++)
    if (task->access[access].dims >> d & 1 && !task->dim[d].reduce)
      product = sc_tree_make(t, SC_COND_MUL, product, leaf(t, d, SC_LEAF_VECTORS));
  return product;
}

static int product_over_dims(sc_tree *t, int which, double factor) {
  int product = constant(t, factor);
  for (int d = 0; d < t->bound->task->ndims; d++) product = sc_tree_make(t, SC_COND_MUL, product, leaf(t, d, which));
  return product;
}

static int tasks(sc_tree *t) {
  const sc_late *late = t->bound->late[t->combo->late_id];
  t->asks_tasks = true;
  int product = constant(t, 1);
  if (late->nparallels == 0) return product;
  const sc_parallel_alt *alt = &late->parallel[t->parallel];
  for (int i = 0; i < alt->n; i++)
    product = sc_tree_make(t, SC_COND_MUL, product, leaf(t, alt->dim[i], SC_LEAF_TRIPS + alt->band));
  return product;
}

static double unroll(sc_tree *t) {
  const sc_late *late = t->bound->late[t->combo->late_id];
  t->asks_unroll = true;
  return late->nunrolls ? late->unroll[t->unroll] : 1;
}

/* It is known behind all dims. */
static int fact(sc_tree *t, sc_fact which) {
  t->asks_facts |= (uint8_t)(1u << which);
  return push(t, (sc_pnode){.op = SC_TREE_FACT, .level = (int8_t)t->combo->nlevels, .leaf = (uint8_t)which});
}

static double cache_bytes(const sc_machine *machine, int level) {
  if (machine->ncaches == 0) return 0;
  int i = level < machine->ncaches ? level : machine->ncaches - 1;
  double shared = machine->cache[i].shared_by.value;
  return level == 2 && shared > 1 ? machine->cache[i].bytes.value / shared : machine->cache[i].bytes.value;
}

static sc_status find_dim(const sc_tree *t, const sc_cond_node *node, int *dim) {
  *dim = sc_task_dim(t->bound->task, node->subject, strlen(node->subject));
  if (*dim >= 0) return SC_OK;
  return sc_space_fail(t->bound->space, &node->at, t->err, SC_PARSE, "the task has no dim '%s'", node->subject);
}

static sc_status find_access(const sc_tree *t, const sc_cond_node *node, int *access) {
  const sc_task *task = t->bound->task;
  int nth = node->nth;
  for (*access = 0; *access < task->naccesses; (*access)++)
    if (strcmp(task->tensor[task->access[*access].tensor].name, node->subject) == 0 && --nth == 0) return SC_OK;
  return sc_space_fail(t->bound->space, &node->at, t->err, SC_PARSE, "the task reads or writes no such tensor as '%s'",
                       node->subject);
}

static sc_status quantity(sc_tree *t, const sc_cond_node *node, int *out) {
  const sc_space_bound *bound = t->bound;
  const sc_machine *machine = bound->machine;
  const char *arguments = sc_quantities[node->quantity].arguments;
  int dim = 0, access = 0, band = node->band, b0 = node->quantity == SC_Q_trips;
  if (arguments[0] == 'd') SC_TRY(find_dim(t, node, &dim));
  if (arguments[0] == 't') SC_TRY(find_access(t, node, &access));
  if (arguments[0] && arguments[1] == 'b' && (band > bound->nbands || band < b0))
    return sc_space_fail(bound->space, &node->at, t->err, SC_PARSE, "band %d: this space has %d to %d", band, b0,
                         bound->nbands);
  switch ((sc_quantity)node->quantity) {
  case SC_Q_tile: *out = leaf(t, dim, SC_LEAF_TILE); break;
  case SC_Q_tiles: *out = leaf(t, dim, SC_LEAF_TILES); break;
  case SC_Q_extent: *out = leaf(t, dim, SC_LEAF_EXTENT + band); break;
  case SC_Q_trips: *out = leaf(t, dim, SC_LEAF_TRIPS + band); break;
  case SC_Q_region: *out = region(t, access, band); break;
  case SC_Q_vectors: *out = vectors(t, access); break;
  case SC_Q_accumulators: *out = vectors(t, 0); break;
  case SC_Q_body: *out = product_over_dims(t, SC_LEAF_VECTORS, unroll(t)); break;
  case SC_Q_kernels: *out = product_over_dims(t, SC_LEAF_CLASSES, 1); break;
  case SC_Q_spills: *out = fact(t, SC_FACT_SPILLS); break;
  case SC_Q_code: *out = fact(t, SC_FACT_CODE); break;
  case SC_Q_rate: *out = fact(t, SC_FACT_RATE); break;
  case SC_Q_unroll: *out = constant(t, unroll(t)); break;
  case SC_Q_tasks: *out = tasks(t); break;
  case SC_Q_lanes: *out = constant(t, t->combo->lanes); break;
  case SC_Q_size: *out = constant(t, bound->task->dim[dim].size); break;
  case SC_Q_registers: *out = constant(t, t->combo->registers); break;
  case SC_Q_L1: *out = constant(t, cache_bytes(machine, 0)); break;
  case SC_Q_L2: *out = constant(t, cache_bytes(machine, 1)); break;
  case SC_Q_L3: *out = constant(t, cache_bytes(machine, 2)); break;
  case SC_Q_cores: *out = constant(t, machine->cores.value); break;
  default: *out = constant(t, bound->threads); break;
  }
  return SC_OK;
}

sc_status sc_tree_expression(sc_tree *t, const sc_cond_node *node, int n, int *out) {
  int stack[SC_SPACE_NODES], top = 0;
  for (int i = 0; i < n; i++) {
    int result = -1;
    switch ((sc_node_op)node[i].op) {
    case SC_COND_NUMBER: result = constant(t, node[i].value); break;
    case SC_COND_QUANTITY: SC_TRY(quantity(t, &node[i], &result)); break;
    case SC_COND_NEG: result = sc_tree_make(t, SC_COND_MUL, constant(t, -1), stack[--top]); break;
    default:
      result = sc_tree_make(t, node[i].op, stack[top - 2], stack[top - 1]);
      top -= 2;
      break;
    }
    stack[top++] = result;
  }
  *out = stack[0];
  return SC_OK;
}

/* ---- reassociation: operands of a sum or product in the order of their levels ---- */

typedef struct operands {
  int n, at[SC_MAX_PNODES];
} operands;

static void gather(sc_tree *to, const sc_tree *from, int i, int op, operands *list) {
  if (from->node[i].op == op) {
    gather(to, from, from->node[i].a, op, list);
    gather(to, from, from->node[i].b, op, list);
  } else if (list->n < SC_MAX_PNODES) list->at[list->n++] = sc_tree_copy(to, from, i);
}

int sc_tree_copy(sc_tree *to, const sc_tree *from, int i) {
  const sc_pnode *node = &from->node[i];
  if (node->op == SC_TREE_CONSTANT || node->op == SC_TREE_LEAF || node->op == SC_TREE_FACT) return push(to, *node);
  if (node->op != SC_COND_ADD && node->op != SC_COND_MUL)
    return sc_tree_make(to, node->op, sc_tree_copy(to, from, node->a), sc_tree_copy(to, from, node->b));
  operands list;
  list.n = 0;
  gather(to, from, i, node->op, &list);
  for (int j = 1; j < list.n; j++) /* insertion keeps equal levels in order */
    for (int k = j;
         k > 0 && list.at[k] >= 0 && list.at[k - 1] >= 0 && to->node[list.at[k - 1]].level > to->node[list.at[k]].level;
         k--) {
      int swap = list.at[k];
      list.at[k] = list.at[k - 1];
      list.at[k - 1] = swap;
    }
  int result = list.at[0];
  for (int j = 1; j < list.n; j++) result = sc_tree_make(to, node->op, result, list.at[j]);
  return result;
}
