/* Counting, dim by dim: the schedules behind a prefix depend only on its state (program.c), so each state is expanded
 * once. This is ATF's chain of trees with equal subtrees shared, a decision diagram. */
#include <stddef.h>
#include <string.h>

#include "sampler/bound.h"

typedef struct counter {
  sc_space_bound *bound;
  sc_combo *combo;
  sc_error *err;
  sc_memo memo[SC_MAX_DIMS]; /* by level: states before it */
} counter;

/* ---- too many states ---- */

static size_t distinct(const sc_memo *memo, size_t from, size_t words) {
  sc_memo seen = {.words = words};
  for (size_t i = 0; i < memo->size; i++)
    if (memo->value[i] != UINT32_MAX && sc_memo_put(&seen, &memo->key[i * memo->words + from], 0) != SC_OK) break;
  size_t n = seen.used;
  sc_memo_free(&seen);
  return n;
}

/* Names the condition that makes most of the states of the largest level differ. */
static sc_status too_many(counter *c) {
  const sc_space *space = c->bound->space;
  const size_t head = offsetof(sc_state, slot) / sizeof(uint64_t);
  int level = 0, worst = -1;
  size_t most = 0;
  for (int l = 1; l < c->combo->nlevels; l++)
    if (c->memo[l].used > c->memo[level].used) level = l;
  for (int i = 0; level > 0 && i < c->combo->ninstances; i++) {
    const sc_instance *in = &c->combo->instance[i];
    if (in->nslots[level - 1] == 0) continue;
    size_t n = distinct(&c->memo[level], head + (size_t)in->slot[level - 1], (size_t)in->nslots[level - 1]);
    if (n > most) most = n, worst = in->cond;
  }
  if (level > 0 && c->combo->nkernel_conds) {
    size_t n = distinct(&c->memo[level], offsetof(sc_state, bits.kinds) / sizeof(uint64_t), 1);
    if (n > most) worst = c->combo->kernel_cond[0].cond;
  }
  if (worst < 0)
    return sc_fail(c->err, SC_LIMIT, "counting this space takes more than %zu states: its ladders are too long",
                   c->bound->graph.max_states);
  sc_str text = {0};
  sc_cond_print(&space->cond[worst], &text);
  sc_space_fail(
      space, &space->cond[worst].at, c->err, SC_LIMIT,
      "counting this space takes more than %zu states, most of them for `%s`: shorten ladders, or leave it out",
      c->bound->graph.max_states, sc_str_text(&text));
  sc_str_free(&text);
  return SC_LIMIT;
}

/* ---- levels ---- */

static sc_status failed(const counter *c, sc_status status) {
  return sc_fail(c->err, status, status == SC_NOMEM ? "out of memory" : "this space is too large to count");
}

static sc_status count_dim(counter *c, int level, const sc_state *state, uint32_t *node) {
  sc_graph *graph = &c->bound->graph;
  if (level == c->combo->nlevels) {
    sc_bits bits = state->bits;
    if (c->combo->nkernel_conds) SC_TRY(sc_verdict_find(c->bound, c->combo, &state->bits, &bits.kinds, c->err));
    return sc_count_late(c->bound, &bits, node, c->err);
  }
  if (sc_memo_find(&c->memo[level], state, node)) return SC_OK;
  if (++graph->states > graph->max_states || graph->nedges > 32 * graph->max_states) return too_many(c);
  const sc_domain *domain = &c->combo->domain[c->combo->dim[level]];
  size_t base = graph->nstack;
  for (int class = 0; class < domain->nclasses; class ++) {
    sc_state behind;
    uint32_t child;
    if (!sc_program_step(c->combo, level, class, state, &behind)) continue;
    SC_TRY(count_dim(c, level + 1, &behind, &child));
    sc_status status = sc_graph_push(graph, child, (uint32_t) class, (uint32_t)domain->class[class].count, 0);
    if (status != SC_OK) return failed(c, status);
  }
  sc_status status = sc_graph_close(graph, base, node);
  if (status == SC_OK) status = sc_memo_put(&c->memo[level], state, *node);
  return status == SC_OK ? SC_OK : failed(c, status);
}

sc_status sc_count_combo(sc_space_bound *bound, sc_combo *combo, sc_error *err) {
  counter c = {.bound = bound, .combo = combo, .err = err};
  const size_t head = offsetof(sc_state, slot) / sizeof(uint64_t);
  for (int level = 0; level < combo->nlevels; level++)
    c.memo[level].words = head + (size_t)(level > 0 ? combo->nslots[level - 1] : 0);
  sc_state start;
  memset(&start, 0, sizeof start);
  start.bits = combo->start;
  sc_status status = count_dim(&c, 0, &start, &combo->root);
  for (int level = 0; level < combo->nlevels; level++) sc_memo_free(&c.memo[level]);
  return status;
}
