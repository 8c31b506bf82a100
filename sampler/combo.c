/* Early choices: those that the numbers depend on. Every combination of named options, vector dim, lanes and pad rules
 * is a combo with domains, conditions and counts of its own. */
#include <string.h>

#include "sampler/bound.h"

typedef struct axis { /* one early choice */
  int n;
  int value[SC_SPACE_ALTERNATIVES * 2];
} axis;

/* ---- vector, lanes, compilers ---- */

static void vector_axis(const sc_space_bound *bound, const int8_t *option, axis *a) {
  const sc_clause *clause = sc_clause_find(bound, option, SC_AT_VECTOR, -1, 0);
  a->n = 0;
  for (int pass = 0; pass < 2 && a->n == 0; pass++)
    for (int i = 0; clause && i < clause->nalts; i++) {
      const sc_alt *alt = &clause->alt[i];
      if (!sc_alt_kept(bound, option, clause, -1, alt)) continue;
      int d = alt->kind == SC_ALT_NONE ? -1 : sc_task_dim(bound->task, alt->name[0], strlen(alt->name[0]));
      bool unit =
          d >= 0 && bound->task->dim[d].size == 1; /* there is nothing to vectorise: only if nothing else is left */
      if (unit && pass == 0) continue;
      if (unit) d = -1;
      bool seen = false;
      for (int j = 0; j < a->n; j++) seen |= a->value[j] == d;
      if (!seen) a->value[a->n++] = d;
    }
  if (!clause) a->value[a->n++] = -1;
}

int sc_compiler_lanes(const sc_space_bound *bound, int compiler) {
  return bound->machine->compiler[compiler].vector_bytes / (int)sc_type_bytes(sc_accumulator_type(bound->task));
}

/* Elements of the widest vector that a compiler entry knows. A dim that is shorter takes less, and so does one that the
 * output has in shorter blocks. */
static int native_lanes(const sc_space_bound *bound, int compiler, int vector) {
  const sc_task *task = bound->task;
  if (vector < 0) return 1;
  int lanes = sc_compiler_lanes(bound, compiler), p = 1;
  int most = task->dim[vector].size;
  const sc_tensor *out = &task->tensor[task->access[0].tensor];
  for (int x = 0; x < out->naxes; x++)
    if (task->access[0].axis[x].dim[0] == vector && out->layout.block[x] && out->layout.block[x] < most)
      most = out->layout.block[x];
  while (2 * p <= lanes && 2 * p <= most) p *= 2;
  return p;
}

/* 0: vectors of this compiler are not as wide. */
static int alt_lanes(const sc_alt *alt, int native, int widest) {
  switch ((sc_alt_kind)alt->kind) {
  case SC_ALT_HALF: return native > 1 ? native / 2 : 1;
  case SC_ALT_QUARTER: return native > 3 ? native / 4 : 1;
  case SC_ALT_NUMBER: return alt->lo > 1 && alt->lo > widest ? 0 : alt->lo > native ? native : alt->lo;
  default: return native;
  }
}

static bool compiler_named(const sc_space_bound *bound, const int8_t *option, int compiler, bool *widest) {
  const sc_clause *clause = sc_clause_find(bound, option, SC_AT_COMPILE, -1, 0);
  const sc_clause as = {.attribute = SC_AT_COMPILE};
  sc_alt name = {.kind = SC_ALT_LIST, .nnames = 1};
  memcpy(name.name[0], bound->machine->compiler[compiler].name, SC_NAME);
  *widest = false;
  if (!sc_alt_kept(bound, option, &as, -1, &name)) return false;
  for (int i = 0; clause && i < clause->nalts; i++) {
    if (!sc_alt_matches(clause, &clause->alt[i], &name)) continue;
    *widest = clause->alt[i].kind == SC_ALT_WIDEST;
    if (!*widest) return true;
  }
  return *widest || !clause;
}

/* `widest` looks only at the compilers that the forced lines leave. */
static bool compiler_kept(const sc_space_bound *bound, const int8_t *option, int compiler) {
  bool widest, other;
  if (!compiler_named(bound, option, compiler, &widest)) return false;
  for (int c = 0; c < bound->machine->ncompilers && widest; c++)
    if (bound->machine->compiler[c].vector_bytes > bound->machine->compiler[compiler].vector_bytes &&
        compiler_named(bound, option, c, &other))
      return false;
  return true;
}

/* The compilers that run these lanes, in the machine's order. */
static int compilers_for(const sc_space_bound *bound, const int8_t *option, int vector, int lanes, uint8_t *compile) {
  static const sc_alt native = {.kind = SC_ALT_NATIVE};
  const sc_clause *clause = sc_clause_find(bound, option, SC_AT_LANES, -1, 0);
  int n = 0;
  for (int c = 0; c < bound->machine->ncompilers; c++) {
    bool runs = false;
    for (int i = 0; i < (clause ? clause->nalts : 1); i++) {
      const sc_alt *alt = clause ? &clause->alt[i] : &native;
      if (alt_lanes(alt, native_lanes(bound, c, vector), sc_compiler_lanes(bound, c)) != lanes) continue;
      sc_alt number = {.kind = SC_ALT_NUMBER, .lo = lanes, .hi = lanes}; /* one may force either */
      sc_clause as = {.attribute = SC_AT_LANES};
      runs |= sc_alt_kept(bound, option, &as, -1, &number) || sc_alt_kept(bound, option, &as, -1, alt);
    }
    if (runs && compiler_kept(bound, option, c)) compile[n++] = (uint8_t)c;
  }
  return n;
}

/* 32 vector registers came to x86 with 512-bit vectors: narrower code has 16. */
static double registers(const sc_machine *machine, int compiler) {
  double n = machine->vector_registers.value;
  bool x86 = strncmp(machine->isa, "x86", 3) == 0;
  return x86 && n > 16 && machine->compiler[compiler].vector_bytes < 64 ? 16 : n;
}

/* ---- pads ---- */

static void pad_axis(const sc_space_bound *bound, const int8_t *option, int p, axis *a) {
  int free = bound->task->pad[p].free;
  const sc_clause *clause = sc_clause_find(bound, option, SC_AT_PAD, free, 0);
  a->n = 0;
  for (int rule = SC_PAD_PEEL; rule <= SC_PAD_PACK; rule++) {
    sc_alt alt = {.kind = SC_ALT_RULE, .lo = rule};
    bool said = clause == NULL;
    for (int i = 0; clause && i < clause->nalts; i++) said |= clause->alt[i].lo == rule;
    sc_clause as = {.attribute = SC_AT_PAD};
    if (said && sc_alt_kept(bound, option, &as, free, &alt)) a->value[a->n++] = rule;
  }
}

/* ---- combinations ---- */

static bool same_combo(const sc_combo *a, const sc_combo *b) {
  return a->vector == b->vector && a->lanes == b->lanes && a->ncompiles == b->ncompiles &&
         memcmp(a->pad, b->pad, sizeof a->pad) == 0 && memcmp(a->option, b->option, sizeof a->option) == 0 &&
         memcmp(a->compile, b->compile, (size_t)a->ncompiles) == 0;
}

static sc_status add_combo(sc_space_bound *bound, const sc_combo *combo, sc_error *err) {
  for (int i = 0; i < bound->ncombos; i++)
    if (same_combo(&bound->combo[i], combo)) return SC_OK;
  if (bound->ncombos == SC_MAX_COMBOS)
    return sc_fail(err, SC_LIMIT, "more than %d combinations of options, vector dims, lanes, pads and compilers",
                   SC_MAX_COMBOS);
  bound->combo[bound->ncombos] = *combo;
  bound->combo[bound->ncombos++].root = SC_GRAPH_DEAD;
  return SC_OK;
}

/* Conditions that ask for the compiler, or for facts of its kernels, need a combo for each. */
static bool compiler_matters(const sc_space_bound *bound) {
  const sc_space *space = bound->space;
  for (int i = 0; i < space->nconds; i++) {
    if (bound->kernels && sc_cond_asks_kernels(&space->cond[i])) return true;
    for (int j = 0; j < space->cond[i].natoms; j++)
      if (space->cond[i].atom[j].attribute == SC_AT_COMPILE) return true;
  }
  return false;
}

/* One combo for each width of vectors, and for each number of registers that goes with it. */
static sc_status add_lanes(sc_space_bound *bound, sc_combo *combo, sc_error *err) {
  bool split = compiler_matters(bound);
  for (int lanes = 64; lanes >= 1; lanes /= 2) {
    uint8_t compile[SC_MAX_COMPILERS];
    int n = compilers_for(bound, combo->option, combo->vector, lanes, compile);
    bool done[SC_MAX_COMPILERS] = {false};
    for (int i = 0; i < n; i++) {
      if (done[i]) continue;
      sc_combo one = *combo;
      one.lanes = (uint8_t)lanes;
      if (lanes == 1) one.vector = -1;
      one.registers = registers(bound->machine, compile[i]);
      for (int j = i; j < n; j++)
        if (!done[j] && (j == i || (!split && registers(bound->machine, compile[j]) == one.registers))) {
          one.compile[one.ncompiles++] = compile[j];
          done[j] = true;
        }
      SC_TRY(add_combo(bound, &one, err));
    }
  }
  return SC_OK;
}

static sc_status add_pads(sc_space_bound *bound, sc_combo *combo, int p, sc_error *err) {
  if (p == bound->task->npads) return add_lanes(bound, combo, err);
  axis a;
  pad_axis(bound, combo->option, p, &a);
  for (int i = 0; i < a.n; i++) {
    bool same = true; /* one clause speaks for all axes that one dim walks */
    for (int q = 0; q < p; q++)
      if (bound->task->pad[q].free == bound->task->pad[p].free) same &= combo->pad[q] == a.value[i];
    combo->pad[p] = (uint8_t)a.value[i];
    if (same) SC_TRY(add_pads(bound, combo, p + 1, err));
  }
  return SC_OK;
}

static bool option_kept(const sc_space_bound *bound, int choice, int option) {
  const sc_space *space = bound->space;
  for (int i = 0; i < space->nclauses; i++) {
    const sc_clause *clause = &space->clause[i];
    if (clause->attribute == SC_AT_CHOICE && strcmp(clause->subject, space->choice[choice].name) == 0 &&
        sc_clause_active(bound, clause) && strcmp(clause->alt[0].name[0], space->choice[choice].option[option]) != 0)
      return false;
  }
  return true;
}

static sc_status add_options(sc_space_bound *bound, sc_combo *combo, int choice, sc_error *err) {
  if (choice == bound->space->nchoices) {
    axis vectors;
    vector_axis(bound, combo->option, &vectors);
    for (int i = 0; i < vectors.n; i++) {
      combo->vector = (int8_t)vectors.value[i];
      SC_TRY(add_pads(bound, combo, 0, err));
    }
    return SC_OK;
  }
  for (int i = 0; i < bound->space->choice[choice].noptions; i++) {
    if (!option_kept(bound, choice, i)) continue;
    combo->option[choice] = (int8_t)i;
    SC_TRY(add_options(bound, combo, choice + 1, err));
  }
  return SC_OK;
}

sc_status sc_combos_make(sc_space_bound *bound, sc_error *err) {
  bound->ncombos = 0;
  sc_combo combo;
  memset(&combo, 0, sizeof combo);
  memset(combo.option, -1, sizeof combo.option);
  return add_options(bound, &combo, 0, err);
}
