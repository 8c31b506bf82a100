/* Verdicts of the conditions on kernels. Behind the dims, all that they can still say depends on the late choices down
 * to the last pack: it is asked for every alternative at once, and what says the same is one verdict. So states behind
 * the dims differ by what is said, not by the tiles it is said of. */
#include <stdlib.h>
#include <string.h>

#include "sampler/bound.h"

enum { NESTS_BY_STATE = 8 }; /* that are asked about at most: they take the time of as many states */

typedef struct asking {
  sc_space_bound *bound;
  const sc_combo *combo;
  const sc_bits *bits;
  uint8_t chosen[SC_VAR_COUNT];
} asking;

/* Kernels depend on the kinds and on which of their loops make trips; whether partial sums are legal, on where the
 * other reductions do. */
typedef struct asked_key {
  uint64_t kinds, combo, loops, reductions;
} asked_key;

int sc_last_kernel_var(const sc_space_bound *bound) {
  return bound->pack_levels ? SC_VAR_PACK + 31 - __builtin_clz(bound->pack_levels) : SC_VAR_UNROLL;
}

/* ---- numbers ---- */

static sc_status add(sc_verdicts *verdicts, const sc_verdict *verdict) {
  if (verdicts->n == verdicts->cap) {
    size_t cap = verdicts->cap ? 2 * verdicts->cap : 64;
    sc_verdict *grown = cap < UINT32_MAX ? realloc(verdicts->at, cap * sizeof *grown) : NULL;
    if (!grown) return SC_NOMEM;
    verdicts->at = grown;
    verdicts->cap = cap;
  }
  verdicts->at[verdicts->n++] = *verdict;
  return SC_OK;
}

static sc_status number_of(sc_verdicts *verdicts, const sc_verdict *verdict, uint32_t *number) {
  static const sc_verdict well = {0};
  verdicts->number.words = sizeof *verdict / sizeof(uint64_t);
  *number = 0;
  if (memcmp(verdict, &well, sizeof well) == 0 || sc_memo_find(&verdicts->number, verdict, number)) return SC_OK;
  if (verdicts->n == 0) SC_TRY(add(verdicts, &well));
  *number = (uint32_t)verdicts->n;
  SC_TRY(add(verdicts, verdict));
  return sc_memo_put(&verdicts->number, verdict, *number);
}

void sc_verdicts_free(sc_verdicts *verdicts) {
  free(verdicts->at);
  sc_memo_free(&verdicts->number);
  sc_memo_free(&verdicts->asked);
  *verdicts = (sc_verdicts){0};
}

/* ---- asking ---- */

/* Dims that some alternative makes a loop of the kernel. */
static uint16_t loopable(const sc_late *late) {
  uint16_t dims = 0;
  for (int i = 0; i < late->nloops; i++)
    for (int k = 0; k < late->loop[i].n; k++) dims |= (uint16_t)(1u << late->loop[i].dim[k]);
  return dims;
}

static asked_key key_of(const sc_space_bound *bound, const sc_combo *combo, const sc_bits *bits) {
  uint16_t loops = loopable(bound->late[combo->late_id]);
  asked_key key = {.kinds = bits->kinds, .combo = (uint64_t)(combo - bound->combo), .loops = bits->mask[0] & loops};
  for (int band = 1; band <= bound->nbands && (bound->typed_acc || bound->pack_levels & 1); band++)
    if (bits->mask[band - 1] & bound->reduce & ~(band == 1 ? loops : 0)) key.reductions |= (uint64_t)1 << band;
  return key;
}

/* With all variables before `var` chosen. */
static sc_status ask(asking *a, int var, uint32_t *number) {
  sc_verdict verdict;
  const sc_late *late = a->bound->late[a->combo->late_id];
  while (!sc_var_is_level(a->bound, var)) var++;
  memset(&verdict, 0, sizeof verdict);
  bool last = var > sc_last_kernel_var(a->bound);
  for (int i = 0; !last && i < sc_late_alternatives(late, var); i++) {
    a->chosen[var] = (uint8_t)i;
    SC_TRY(ask(a, var + 1, &verdict.after[i]));
  }
  if (last && ++a->bound->verdicts.nests > NESTS_BY_STATE * a->bound->graph.max_states) return SC_LIMIT;
  if (last) sc_kernel_conds_check(a->bound, a->combo, a->bits, a->chosen, &verdict);
  return number_of(&a->bound->verdicts, &verdict, number);
}

sc_status sc_verdict_find(sc_space_bound *bound, const sc_combo *combo, const sc_bits *bits, uint64_t *verdict,
                          sc_error *err) {
  const asked_key key = key_of(bound, combo, bits);
  asking a = {.bound = bound, .combo = combo, .bits = bits};
  uint32_t number = 0;
  sc_memo *asked = &bound->verdicts.asked;
  asked->words = sizeof key / sizeof(uint64_t);
  sc_status status = SC_OK;
  if (!sc_memo_find(asked, &key, &number)) {
    status = ask(&a, SC_VAR_LOOP, &number);
    if (status == SC_OK) status = sc_memo_put(asked, &key, number);
  }
  *verdict = number;
  if (status != SC_LIMIT) return status == SC_OK ? SC_OK : sc_fail(err, status, "out of memory");
  const sc_token *at = &bound->space->cond[combo->kernel_cond[0].cond].at;
  return sc_space_fail(bound->space, at, err, SC_LIMIT,
                       "a condition on kernels asks about more than %zu nests: shorten ladders, or leave it out",
                       NESTS_BY_STATE * bound->graph.max_states);
}

bool sc_verdict_step(const sc_space_bound *bound, int var, int alternative, sc_bits *bits) {
  bits->kinds = bound->verdicts.at[bits->kinds].after[alternative];
  if (bits->kinds == 0 || var < sc_last_kernel_var(bound)) return true;
  const sc_verdict *last = &bound->verdicts.at[bits->kinds];
  bits->kinds = 0;
  bits->late |= last->late;
  return !last->broken;
}
