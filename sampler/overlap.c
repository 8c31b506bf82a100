/* Options of named choices must not describe one schedule twice: it would be counted twice. Two combos are apart when
 * something that every schedule shows takes different values in them; a combo that says the same as an earlier one is
 * left out (where dims are absent options often come to the same); what cannot be told apart is an error. */
#include <string.h>

#include "sampler/bound.h"

static bool compilers_apart(const sc_combo *a, const sc_combo *b) {
  for (int i = 0; i < a->ncompiles; i++)
    for (int j = 0; j < b->ncompiles; j++)
      if (a->compile[i] == b->compile[j]) return false;
  return true;
}

static bool same_runs(const sc_domain *a, const sc_domain *b, int i, int j) {
  return a->runset[i].nruns == b->runset[j].nruns &&
         memcmp(a->runset[i].run, b->runset[j].run, sizeof a->runset[i].run) == 0;
}

static bool tiles_apart(const sc_domain *a, const sc_domain *b) {
  for (int i = 0; i < a->nrunsets; i++)
    for (int j = 0; j < b->nrunsets; j++)
      if (same_runs(a, b, i, j)) return false;
  return true;
}

static bool unrolls_apart(const sc_late *a, const sc_late *b) {
  for (int i = 0; i < a->nunrolls; i++)
    for (int j = 0; j < b->nunrolls; j++)
      if (a->unroll[i] == b->unroll[j]) return false;
  return true;
}

/* A copy made while running is always seen, so "always" and "never" differ. */
static bool packs_apart(const sc_space_bound *bound, const sc_late *a, const sc_late *b) {
  for (int access = 0; access < bound->task->naccesses; access++) {
    bool always[2] = {true, true}, never[2] = {true, true};
    const sc_late *late[2] = {a, b};
    if (access != 0 && bound->task->tensor[bound->task->access[access].tensor].constant) continue;
    for (int k = 0; k < 2; k++)
      for (int i = 0; i < late[k]->npacks[access]; i++)
        if (late[k]->pack[access][i].band) never[k] = false;
        else always[k] = false;
    if ((always[0] && never[1]) || (never[0] && always[1])) return true;
  }
  return false;
}

static bool parallels_apart(const sc_late *a, const sc_late *b) {
  for (int i = 0; i < a->nparallels; i++)
    for (int j = 0; j < b->nparallels; j++)
      if (a->parallel[i].mask == b->parallel[j].mask && a->parallel[i].band == b->parallel[j].band) return false;
  return true;
}

static bool apart(const sc_space_bound *bound, const sc_combo *a, const sc_combo *b) {
  const sc_late *x = bound->late[a->late_id], *y = bound->late[b->late_id];
  if (a->vector != b->vector || a->lanes != b->lanes || memcmp(a->pad, b->pad, bound->task->npads) != 0) return true;
  if (compilers_apart(a, b) || unrolls_apart(x, y) || packs_apart(bound, x, y) || parallels_apart(x, y)) return true;
  for (int d = 0; d < bound->task->ndims; d++)
    if (tiles_apart(&a->domain[d], &b->domain[d])) return true;
  return false;
}

static bool same_values(const sc_domain *a, const sc_domain *b) {
  if (a->nvalues != b->nvalues) return false;
  for (int i = 0; i < a->nvalues; i++)
    if (memcmp(a->value[i].step, b->value[i].step, sizeof a->value[i].step) != 0 ||
        !same_runs(a, b, a->value[i].runset, b->value[i].runset))
      return false;
  return true;
}

/* Only options without conditions of their own are compared: those of others are not looked into. */
static bool has_conditions(const sc_space *space, const sc_combo *combo) {
  for (int i = 0; i < space->nconds; i++)
    if (space->cond[i].choice >= 0 && combo->option[space->cond[i].choice] == space->cond[i].option) return true;
  return false;
}

static bool same(const sc_space_bound *bound, const sc_combo *a, const sc_combo *b) {
  const sc_late *x = bound->late[a->late_id], *y = bound->late[b->late_id];
  for (int d = 0; d < bound->task->ndims; d++)
    if (!same_values(&a->domain[d], &b->domain[d])) return false;
  return x->nloops == y->nloops && memcmp(x->loop, y->loop, sizeof x->loop) == 0 &&
         x->same_from[SC_VAR_UNROLL] == y->same_from[SC_VAR_UNROLL] && a->ncompiles == b->ncompiles &&
         memcmp(a->compile, b->compile, (size_t)a->ncompiles) == 0 && !has_conditions(bound->space, a) &&
         !has_conditions(bound->space, b);
}

sc_status sc_overlap_check(const sc_space_bound *bound, const sc_combo *combo, bool *again, sc_error *err) {
  *again = false;
  for (const sc_combo *other = bound->combo; other < combo; other++) {
    if (other->skipped || apart(bound, other, combo)) continue;
    if (same(bound, other, combo)) {
      *again = true;
      return SC_OK;
    }
    for (int c = 0; c < bound->space->nchoices; c++) {
      const sc_named_choice *choice = &bound->space->choice[c];
      if (other->option[c] == combo->option[c]) continue;
      return sc_space_fail(
          bound->space, &choice->at, err, SC_ILLEGAL,
          "for this task options %s and %s may describe one schedule: let tiles, pads, unroll, packs or compile differ",
          choice->option[other->option[c]], choice->option[combo->option[c]]);
    }
  }
  return SC_OK;
}
