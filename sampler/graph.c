/* The graph of a bound space: nodes with the number of schedules behind them, edges with running sums; and the memo
 * that finds the node of a state. */
#include <stdlib.h>
#include <string.h>

#include "sampler/bound.h"

/* ---- memo ---- */

static size_t place(const sc_memo *memo, const void *key) {
  size_t at = (size_t)sc_hash64(key, memo->words * sizeof(uint64_t), 0) & (memo->size - 1);
  while (memo->value[at] != UINT32_MAX &&
         memcmp(&memo->key[at * memo->words], key, memo->words * sizeof(uint64_t)) != 0)
    at = (at + 1) & (memo->size - 1);
  return at;
}

bool sc_memo_find(const sc_memo *memo, const void *key, uint32_t *value) {
  if (memo->size == 0) return false;
  size_t at = place(memo, key);
  *value = memo->value[at];
  return *value != UINT32_MAX;
}

static sc_status grow(sc_memo *memo) {
  sc_memo old = *memo;
  memo->size = old.size ? 2 * old.size : 64;
  memo->key = malloc(memo->size * (memo->words ? memo->words : 1) * sizeof *memo->key);
  memo->value = malloc(memo->size * sizeof *memo->value);
  if (!memo->key || !memo->value) {
    free(memo->key);
    free(memo->value);
    *memo = old;
    return SC_NOMEM;
  }
  memset(memo->value, 0xff, memo->size * sizeof *memo->value);
  for (size_t i = 0; i < old.size; i++) {
    if (old.value[i] == UINT32_MAX) continue;
    size_t at = place(memo, &old.key[i * old.words]);
    memcpy(&memo->key[at * memo->words], &old.key[i * old.words], old.words * sizeof *old.key);
    memo->value[at] = old.value[i];
  }
  free(old.key);
  free(old.value);
  return SC_OK;
}

sc_status sc_memo_put(sc_memo *memo, const void *key, uint32_t value) {
  if (2 * (memo->used + 1) > memo->size) SC_TRY(grow(memo));
  size_t at = place(memo, key);
  if (memo->value[at] == UINT32_MAX) memo->used++;
  memcpy(&memo->key[at * memo->words], key, memo->words * sizeof *memo->key);
  memo->value[at] = value;
  return SC_OK;
}

void sc_memo_free(sc_memo *memo) {
  free(memo->key);
  free(memo->value);
  *memo = (sc_memo){.words = memo->words};
}

/* ---- nodes and edges ---- */

static sc_status reserve(void **array, size_t *cap, size_t need, size_t size) {
  if (need <= *cap) return SC_OK;
  size_t grown = *cap ? *cap : 256;
  while (grown < need) grown *= 2;
  if (grown > UINT32_MAX) return SC_LIMIT;
  void *memory = realloc(*array, grown * size);
  if (!memory) return SC_NOMEM;
  *array = memory;
  *cap = grown;
  return SC_OK;
}

static sc_status add_node(sc_graph *graph, sc_gnode node, uint32_t *id) {
  SC_TRY(reserve((void **)&graph->node, &graph->node_cap, graph->nnodes + 1, sizeof *graph->node));
  *id = (uint32_t)graph->nnodes;
  graph->node[graph->nnodes++] = node;
  return SC_OK;
}

/* Makes the two nodes without edges. */
static sc_status start(sc_graph *graph) {
  uint32_t id;
  if (graph->nnodes) return SC_OK;
  SC_TRY(add_node(graph, (sc_gnode){0}, &id));
  return add_node(graph, (sc_gnode){.count = 1}, &id);
}

sc_status sc_graph_push(sc_graph *graph, uint32_t child, uint32_t what, uint32_t count, uint32_t table) {
  if (child == SC_GRAPH_DEAD || count == 0) return SC_OK;
  SC_TRY(start(graph));
  SC_TRY(reserve((void **)&graph->stack, &graph->stack_cap, graph->nstack + 1, sizeof *graph->stack));
  graph->stack[graph->nstack++] = (sc_edge){.child = child, .what = what, .count = count, .table = table};
  return SC_OK;
}

sc_status sc_graph_close(sc_graph *graph, size_t base, uint32_t *node) {
  size_t n = graph->nstack - base;
  *node = SC_GRAPH_DEAD;
  SC_TRY(start(graph));
  if (n == 0) return SC_OK;
  SC_TRY(reserve((void **)&graph->edge, &graph->edge_cap, graph->nedges + n, sizeof *graph->edge));
  sc_count sum = 0, part;
  for (size_t i = 0; i < n; i++) {
    sc_edge *edge = &graph->stack[base + i];
    if (__builtin_mul_overflow(graph->node[edge->child].count, (sc_count)edge->count, &part) ||
        __builtin_add_overflow(sum, part, &sum))
      return SC_LIMIT;
    edge->upto = sum;
  }
  memcpy(&graph->edge[graph->nedges], &graph->stack[base], n * sizeof *graph->edge);
  sc_gnode made = {.count = sum, .edge = (uint32_t)graph->nedges, .nedges = (uint32_t)n};
  graph->nedges += n;
  graph->nstack = base;
  return add_node(graph, made, node);
}

void sc_graph_free(sc_graph *graph) {
  free(graph->node);
  free(graph->edge);
  free(graph->stack);
  *graph = (sc_graph){0};
}
