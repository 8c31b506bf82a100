/* Conditions run level by level: from the state behind one dim to the state behind the next. */
#include <string.h>

#include "sampler/program.h"

static void run(const sc_instance *in, int from, int to, double *value, const double *leaf_of, int mode) {
  for (int i = from; i < to; i++) {
    const sc_pnode *n = &in->node[i];
    if (n->op == SC_TREE_LEAF) value[i] = mode > 0 ? n->best : mode < 0 ? n->worst : leaf_of[n->leaf];
    else if (n->op == SC_TREE_CONSTANT) value[i] = n->value;
    else value[i] = sc_tree_apply(n->op, value[n->a], value[n->b]);
  }
}

/* How many of the sorted values of the last quantity the condition allows, from its better end. */
static int bisect(const sc_instance *in, int from, double *value) {
  int lo = 0, hi = in->nsorted; /* `lo` are known to do, more than `hi` are known not to */
  while (lo < hi) {
    int middle = (lo + hi + 1) / 2;
    double x = in->sorted[in->sign > 0 ? middle - 1 : in->nsorted - middle];
    for (int i = from; i < in->nnodes; i++) {
      const sc_pnode *n = &in->node[i];
      value[i] = n->op == SC_TREE_LEAF       ? x
                 : n->op == SC_TREE_CONSTANT ? n->value
                                             : sc_tree_apply(n->op, value[n->a], value[n->b]);
    }
    if (sc_relation_holds(in->relation, value[in->nnodes - 1])) lo = middle;
    else hi = middle - 1;
  }
  return lo;
}

/* One condition behind one more dim: 1 = holds whatever follows, 0 = open, -1 = broken. */
static int advance(const sc_instance *in, int level, int class, const double *leaf_of, const double *before,
                   double *behind) {
  double value[SC_MAX_PNODES];
  int root = in->nnodes - 1, end = in->begin[level + 2];
  if (in->threshold >= 0 && level > in->threshold) {
    double limit = before[in->slot[level - 1]];
    if (level < in->last) {
      behind[in->slot[level]] = limit;
      return 0;
    }
    int rank = in->sign > 0 ? in->rank[class] : in->nsorted - 1 - in->rank[class];
    return rank < (int)limit ? 1 : -1;
  }
  for (int i = 0; i < in->begin[1]; i++) value[i] = in->node[i].value;
  if (level > in->first)
    for (int i = 0; i < in->nslots[level - 1]; i++) value[in->carry[level - 1][i]] = before[in->slot[level - 1] + i];
  run(in, in->begin[level + 1], end, value, leaf_of, 0);
  if (level == in->last) return sc_relation_holds(in->relation, value[root]) ? 1 : -1;
  if (level == in->threshold) {
    int limit = bisect(in, end, value);
    behind[in->slot[level]] = limit;
    return limit == 0 ? -1 : limit == in->nsorted ? 1 : 0;
  }
  if (in->monotone) {
    run(in, end, in->nnodes, value, NULL, 1);
    if (!sc_relation_holds(in->relation, value[root])) return -1;
    run(in, end, in->nnodes, value, NULL, -1);
    if (sc_relation_holds(in->relation, value[root])) return 1;
  }
  for (int i = 0; i < in->nslots[level]; i++) behind[in->slot[level] + i] = value[in->carry[level][i]];
  return 0;
}

/* The state behind the choice of a class at a level. Settled conditions carry zeros. */
bool sc_program_step(const sc_combo *combo, int level, int class, const sc_state *before, sc_state *behind) {
  const sc_domain *domain = &combo->domain[combo->dim[level]];
  const double *leaf_of = &domain->leaf[(size_t) class * SC_LEAVES];
  for (size_t w = 0; w < SC_COUNT_OF(behind->bits.word); w++)
    behind->bits.word[w] = before->bits.word[w] | domain->class[class].bits.word[w];
  behind->settled = before->settled;
  memset(behind->slot, 0, (size_t)combo->nslots[level] * sizeof *behind->slot);
  for (int i = 0; i < combo->ninstances; i++) {
    const sc_instance *in = &combo->instance[i];
    if (level < in->first || level > in->last || before->settled >> i & 1) continue;
    int result = advance(in, level, class, leaf_of, before->slot, behind->slot);
    if (result < 0 && in->late < 0) return false;
    if (result == 0) continue;
    if (result < 0) behind->bits.late |= (uint64_t)1 << in->late;
    behind->settled |= (uint64_t)1 << i;
    if (level < in->last) memset(&behind->slot[in->slot[level]], 0, (size_t)in->nslots[level] * sizeof *behind->slot);
  }
  return true;
}
