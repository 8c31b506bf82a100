/* Binding a space to a task and a machine: which clauses and conditions apply, then combos, late choices, domains,
 * conditions and counts of each. Where nothing is left, the condition or forced line that took the last schedule is
 * found by counting with fewer of them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sampler/bound.h"

enum { DEFAULT_STATES = 2000000 };

/* ---- which clauses apply ---- */

static bool same_name(const char *a, const char *b) { return strcmp(a, b) == 0; }

/* Conditions first, then forced clauses, then forced conditions: the order in which blame is given. */
static int number_of(const sc_space *space, bool cond, int index) {
  int n = 0;
  for (int i = 0; i < space->nconds; i++) {
    if (cond && i == index && !space->cond[i].force) return n;
    n += !space->cond[i].force;
  }
  for (int i = 0; i < space->nclauses; i++) {
    if (!cond && i == index) return n;
    n += space->clause[i].force;
  }
  for (int i = 0; i < space->nconds; i++) {
    if (cond && i == index) return n;
    n += space->cond[i].force;
  }
  return n; /* index -1: how many there are */
}

bool sc_clause_active(const sc_space_bound *bound, const sc_clause *clause) {
  return !clause->force || number_of(bound->space, false, (int)(clause - bound->space->clause)) < bound->active;
}

bool sc_cond_active(const sc_space_bound *bound, const sc_cond *cond) {
  return number_of(bound->space, true, (int)(cond - bound->space->cond)) < bound->active;
}

static bool applies(const sc_clause *clause, const int8_t *option) {
  return clause->choice < 0 || option[clause->choice] == clause->option;
}

const sc_clause *sc_clause_find(const sc_space_bound *bound, const int8_t *option, sc_attribute attribute, int subject,
                                int band) {
  for (int i = 0; i < bound->space->nclauses; i++) {
    const sc_clause *clause = &bound->space->clause[i];
    if (!clause->force && clause->attribute == attribute && bound->subject[i] == subject && clause->band == band &&
        applies(clause, option))
      return clause;
  }
  return NULL;
}

static bool same_names(const sc_alt *a, const sc_alt *b) {
  if (a->nnames != b->nnames) return false;
  for (int i = 0; i < a->nnames; i++)
    if (!same_name(a->name[i], b->name[i])) return false;
  return true;
}

bool sc_alt_matches(const sc_clause *clause, const sc_alt *pattern, const sc_alt *alt) {
  if (clause->attribute == SC_AT_COMPILE && (pattern->kind == SC_ALT_ANY || pattern->kind == SC_ALT_WIDEST))
    return true;
  if (clause->attribute == SC_AT_PACK && pattern->kind == SC_ALT_ANY) return alt->kind != SC_ALT_NONE;
  if (pattern->kind != alt->kind) return false;
  switch ((sc_alt_kind)pattern->kind) {
  case SC_ALT_LIST: return same_names(pattern, alt) && pattern->lo == alt->lo;
  case SC_ALT_RULE: return pattern->lo == alt->lo;
  case SC_ALT_NUMBER:
    if (alt->lo < pattern->lo || alt->hi > pattern->hi) return false;
    return !pattern->layout || (alt->layout && same_name(pattern->layout, alt->layout) && pattern->skew == alt->skew);
  default: return true;
  }
}

bool sc_alt_kept(const sc_space_bound *bound, const int8_t *option, const sc_clause *clause, int subject,
                 const sc_alt *alt) {
  for (int i = 0; i < bound->space->nclauses; i++) {
    const sc_clause *force = &bound->space->clause[i];
    if (!force->force || force->attribute != clause->attribute || bound->subject[i] != subject) continue;
    if (!sc_clause_active(bound, force) || !applies(force, option)) continue;
    if (!sc_alt_matches(force, &force->alt[0], alt)) return false;
  }
  return true;
}

/* ---- names of subjects ---- */

static int access_of(const sc_task *task, const char *name, int nth) {
  for (int a = 0; a < task->naccesses; a++)
    if (same_name(task->tensor[task->access[a].tensor].name, name) && --nth == 0) return a;
  return -1;
}

/* A vector dim that the task has not would mean none. */
static sc_status check_vector(const sc_space_bound *bound, const sc_clause *clause, sc_error *err) {
  for (int a = 0; a < clause->nalts && clause->attribute == SC_AT_VECTOR; a++) {
    const sc_alt *alt = &clause->alt[a];
    if (alt->kind == SC_ALT_LIST && sc_task_dim(bound->task, alt->name[0], strlen(alt->name[0])) < 0)
      return sc_space_fail(bound->space, &alt->at, err, SC_PARSE, "the task has no dim '%s'", alt->name[0]);
  }
  return SC_OK;
}

static sc_status find_subject(sc_space_bound *bound, int i, sc_error *err) {
  const sc_clause *clause = &bound->space->clause[i];
  const sc_task *task = bound->task;
  bound->subject[i] = -1;
  if (clause->attribute == SC_AT_PACK) {
    bound->subject[i] = (int16_t)access_of(task, clause->subject, clause->nth);
    if (bound->subject[i] < 0)
      return sc_space_fail(bound->space, &clause->at, err, SC_PARSE, "the task reads or writes no such tensor as '%s'",
                           clause->subject);
    bound->pack_levels |= (uint8_t)(1u << bound->subject[i]);
  } else if (clause->subject[0] && clause->subject[0] != '*' && clause->attribute != SC_AT_CHOICE) {
    bound->subject[i] = (int16_t)sc_task_dim(task, clause->subject, strlen(clause->subject));
    if (bound->subject[i] < 0)
      return sc_space_fail(bound->space, &clause->at, err, SC_PARSE, "the task has no dim '%s'", clause->subject);
  }
  return SC_OK;
}

/* Two clauses may speak of one thing only in different options of one choice. */
static sc_status check_twice(const sc_space_bound *bound, int i, sc_error *err) {
  const sc_clause *b = &bound->space->clause[i];
  for (int j = 0; j < i && !b->force; j++) {
    const sc_clause *a = &bound->space->clause[j];
    if (a->force || a->attribute != b->attribute || bound->subject[j] != bound->subject[i] || a->band != b->band)
      continue;
    if (a->choice >= 0 && a->choice == b->choice && a->option != b->option) continue;
    return sc_space_fail(bound->space, &b->at, err, SC_PARSE, "line %d speaks of this already", a->at.line);
  }
  return SC_OK;
}

/* What this machine, or this number of threads, can never do is a mistake, not an empty or another space. */
static sc_status check_possible(const sc_space_bound *bound, int i, sc_error *err) {
  const sc_clause *clause = &bound->space->clause[i];
  int widest = 1;
  for (int c = 0; c < bound->machine->ncompilers; c++) {
    const int lanes = sc_compiler_lanes(bound, c);
    if (lanes > widest) widest = lanes;
  }
  for (int a = 0; a < clause->nalts; a++) {
    const sc_alt *alt = &clause->alt[a];
    if (clause->attribute == SC_AT_LANES && alt->kind == SC_ALT_NUMBER && alt->lo > widest)
      return sc_space_fail(bound->space, &alt->at, err, SC_ILLEGAL, "%d lanes: vectors of the machine %s have %d",
                           (int)alt->lo, bound->machine->name, widest);
    if (clause->attribute == SC_AT_COMPILE && clause->force && alt->kind == SC_ALT_LIST &&
        !sc_machine_compiler(bound->machine, alt->name[0]))
      return sc_space_fail(bound->space, &alt->at, err, SC_ILLEGAL, "the machine %s has no compiler '%s'",
                           bound->machine->name, alt->name[0]);
    if (clause->attribute == SC_AT_PARALLEL && clause->force && alt->kind == SC_ALT_LIST && bound->threads == 1)
      return sc_space_fail(bound->space, &clause->at, err, SC_ILLEGAL,
                           "schedules of one thread have no parallel loops: bind the space for more threads");
  }
  return SC_OK;
}

static sc_status find_packable(sc_space_bound *bound, sc_error *err) {
  const sc_task *task = bound->task;
  for (int a = 1; a < task->naccesses; a++) {
    bool read = false;
    for (int i = 0; i < task->nstmts; i++)
      for (int j = 0; j < task->stmt[i].nexpr; j++)
        read |= task->stmt[i].expr[j].kind == SC_EXPR_ACCESS && task->stmt[i].expr[j].access == a;
    if (!read) continue;
    if (bound->npackable == SC_MAX_PACKS)
      return sc_fail(err, SC_UNSUPPORTED, "spaces of tasks that read more than %d tensors are not supported",
                     SC_MAX_PACKS);
    bound->packable[bound->npackable++] = (uint8_t)a;
  }
  return SC_OK;
}

/* What a pack of all that access a touches would hold, for each element of the tensor's own; *elems: the pack's. */
static double pack_factor(const sc_task *task, int a, double *elems) {
  const sc_access *access = &task->access[a];
  const sc_tensor *tensor = &task->tensor[access->tensor];
  double own = 1;
  *elems = 1;
  for (int x = 0; x < tensor->naxes; x++) {
    const sc_index *index = &access->axis[x];
    int32_t n[2] = {1, 1};
    for (int k = 0; k < 2; k++)
      if (index->dim[k] >= 0) n[k] = task->dim[index->dim[k]].size;
    *elems *= (double)sc_index_extent(index->coef, n[0], n[1]);
    own *= tensor->shape[x];
  }
  return *elems > own ? *elems / own : 1;
}

/* A tensor so large that no pack holds it all can still be packed tile by tile: so tiles of it are kept below the limit
 * of packs in all bands but the top one, where none is. (region() is clipped to the tensor, a pack is not.) */
static void limit_packs(sc_space_bound *bound, sc_str *text) {
  const sc_task *task = bound->task;
  for (int a = 0; a < task->naccesses; a++) {
    double elems, factor = pack_factor(task, a, &elems);
    const sc_tensor *tensor = &task->tensor[task->access[a].tensor];
    int nth = 1;
    if (elems <= (double)SC_MAX_PACK_ELEMS) continue;
    bound->huge |= (uint8_t)(1u << a);
    for (int i = 0; i < a; i++) nth += task->access[i].tensor == task->access[a].tensor;
    long long bytes = (long long)((double)SC_MAX_PACK_ELEMS / factor) * sc_type_bytes(tensor->type);
    for (int b = 1; b < bound->nbands && !(tensor->constant && a); b++)
      sc_str_printf(text, "where region(%s@%d,%d) <= %lld\n", tensor->name, nth, b, bytes);
  }
}

/* ---- combos ---- */

/* Dims with the fewest classes first: the last one is cheapest, as conditions leave only bounds for it. */
static void order_dims(const sc_task *task, sc_combo *combo) {
  combo->nlevels = 0;
  for (int d = 0; d < task->ndims; d++) {
    if (task->dim[d].size == 1) continue;
    int l = combo->nlevels++;
    for (; l > 0 && combo->domain[combo->dim[l - 1]].nvalues > combo->domain[d].nvalues; l--)
      combo->dim[l] = combo->dim[l - 1];
    combo->dim[l] = (uint8_t)d;
  }
}

/* Can this pack have the vector dim innermost for any numbers? What stands behind it must be one element wide. */
static bool may_be_contiguous(const sc_space_bound *bound, const sc_combo *combo, int access, const sc_pack_alt *alt) {
  const sc_access *a = &bound->task->access[access];
  int v = combo->vector, band = alt->band;
  if (v < 0 || !(a->dims >> v & 1)) return true;
  for (int i = alt->pack.layout.nparts - 1; i >= 0; i--) {
    const sc_index *index = &a->axis[alt->pack.layout.part[i].axis];
    for (int k = 0; k < 2; k++) {
      if (index->dim[k] == v) return true;
      if (index->dim[k] >= 0 && combo->domain[index->dim[k]].lo[SC_LEAF_EXTENT + band] > 1) return false;
    }
  }
  return false;
}

/* Whatever the numbers are, some access needs a pack and has none that would do: no reason to count. */
static bool lacks_packs(sc_space_bound *bound, const sc_combo *combo) {
  const sc_late *late = bound->late[combo->late_id];
  uint8_t need = late->fill;
  for (int d = 0; d < bound->task->ndims; d++) {
    uint8_t always = UINT8_MAX;
    for (int c = 0; c < combo->domain[d].nclasses; c++) always &= combo->domain[d].class[c].bits.need;
    need |= always;
  }
  for (int a = 0; a < bound->task->naccesses; a++) {
    bool packed = false;
    for (int i = 0; i < late->npacks[a]; i++)
      packed |= late->pack[a][i].band > 0 && may_be_contiguous(bound, combo, a, &late->pack[a][i]);
    if (packed || !(need >> a & 1)) continue;
    snprintf(bound->why, sizeof bound->why, "%s needs a pack that has the vector dim innermost, or that pads",
             bound->task->tensor[bound->task->access[a].tensor].name);
    return true;
  }
  return false;
}

static sc_status count_one(sc_space_bound *bound, sc_combo *combo, sc_error *err) {
  const sc_task *task = bound->task;
  bool feasible, again;
  combo->root = SC_GRAPH_DEAD;
  combo->skipped = true;
  SC_TRY(sc_late_make(bound, combo, err));
  combo->start.late_id = combo->late_id;
  for (int d = 0; d < task->ndims; d++) {
    SC_TRY(sc_domain_make(bound, combo, d, err));
    if (combo->domain[d].nvalues == 0) return SC_OK;
  }
  order_dims(task, combo);
  SC_TRY(sc_program_make(bound, combo, &feasible, err));
  if (!feasible) return SC_OK;
  for (int d = 0; d < task->ndims; d++) SC_TRY(sc_domain_finish(bound, combo, d, err));
  for (int d = 0; d < task->ndims; d++)
    for (size_t w = 0; task->dim[d].size == 1 && w < SC_COUNT_OF(combo->start.word); w++)
      combo->start.word[w] |= combo->domain[d].class[0].bits.word[w];
  if (lacks_packs(bound, combo)) return SC_OK;
  SC_TRY(sc_overlap_check(bound, combo, &again, err));
  if (again) return SC_OK;
  combo->skipped = false;
  SC_TRY(sc_program_finish(bound, combo, err));
  return sc_count_combo(bound, combo, err);
}

static sc_status count_all(sc_space_bound *bound, sc_error *err) {
  bound->combo = sc_arena_alloc(bound->arena, SC_MAX_COMBOS, sizeof *bound->combo);
  if (!bound->combo) return sc_fail(err, SC_NOMEM, "out of memory");
  SC_TRY(sc_combos_make(bound, err));
  size_t base = bound->graph.nstack;
  for (int i = 0; i < bound->ncombos; i++) {
    SC_TRY(count_one(bound, &bound->combo[i], err));
    sc_status status =
        sc_graph_push(&bound->graph, bound->combo[i].root, (uint32_t)i, (uint32_t)bound->combo[i].ncompiles, 0);
    if (status != SC_OK) return sc_fail(err, status, "out of memory");
  }
  sc_verdicts_free(&bound->verdicts); /* edges know them from here on */
  bound->kernels = NULL;
  sc_status status = sc_graph_close(&bound->graph, base, &bound->root);
  return status == SC_OK ? SC_OK
                         : sc_fail(err, status, "no memory to count this space, or it holds more than 2^128 schedules");
}

/* ---- binding ---- */

/* A copy of everything with the first `active` conditions and forced lines. */
static sc_status make(const sc_space *space, const sc_task *task, const sc_machine *machine,
                      const sc_space_options *options, int active, sc_space_bound **result, sc_error *err) {
  sc_space_bound *bound = calloc(1, sizeof *bound);
  *result = bound;
  if (!bound || !(bound->arena = sc_arena_new())) return sc_fail(err, SC_NOMEM, "out of memory");
  sc_str text = {0};
  bound->task = task;
  bound->nbands = space->bands;
  if (options->force) sc_str_printf(&text, "%s\n", options->force);
  limit_packs(bound, &text);
  sc_str_printf(&text, "where kernels <= %d; where body <= %d\n", SC_MAX_KERNELS, SC_MAX_STATEMENTS);
  sc_status status = text.failed ? sc_fail(err, SC_NOMEM, "out of memory")
                                 : sc_space_forced(bound->arena, space, sc_str_text(&text), &bound->space, err);
  sc_str_free(&text);
  if (status != SC_OK) return status;
  sc_machine *copy = sc_arena_alloc(bound->arena, 1, sizeof *copy);
  if (!copy) return sc_fail(err, SC_NOMEM, "out of memory");
  *copy = *machine;
  bound->machine = copy;
  bound->kernels = options->kernels;
  bound->active = active;
  bound->threads = options->threads > 0 ? options->threads : machine->cores.value >= 1 ? (int)machine->cores.value : 1;
  bound->reduce = task->reduce;
  bound->typed_acc = task->tensor[task->access[0].tensor].type != sc_accumulator_type(task);
  bound->graph.max_states = options->max_states ? options->max_states : DEFAULT_STATES;
  bound->late_memo.words = SC_COUNT_OF(((sc_bits *)0)->word);
  SC_TRY(find_packable(bound, err));
  for (int i = 0; i < bound->space->nclauses; i++) {
    SC_TRY(find_subject(bound, i, err));
    SC_TRY(check_vector(bound, &bound->space->clause[i], err));
    SC_TRY(check_twice(bound, i, err));
    SC_TRY(check_possible(bound, i, err));
  }
  for (int i = 0; i < bound->space->nconds; i++)
    for (int a = 0; a < bound->space->cond[i].natoms; a++)
      SC_TRY(check_vector(bound, &bound->space->cond[i].atom[a], err));
  if (__builtin_popcount(bound->pack_levels) > SC_MAX_PACKS)
    return sc_fail(err, SC_LIMIT, "the space %s packs more than %d tensors", space->name, SC_MAX_PACKS);
  return count_all(bound, err);
}

void sc_space_unbind(sc_space_bound *bound) {
  if (!bound) return;
  sc_graph_free(&bound->graph);
  sc_memo_free(&bound->late_memo);
  sc_memo_free(&bound->table_memo);
  sc_verdicts_free(&bound->verdicts);
  free(bound->table);
  sc_arena_free(bound->arena);
  free(bound);
}

sc_count sc_space_count(const sc_space_bound *bound) { return bound->graph.node[bound->root].count; }

/* ---- nothing is left ---- */

static sc_status blame_item(const sc_space *space, int item, sc_error *err) {
  sc_str text = {0};
  const sc_token *at = NULL;
  for (int i = 0; i < space->nconds; i++)
    if (number_of(space, true, i) == item) {
      sc_str_add(&text, space->cond[i].force ? "force " : "where ");
      sc_cond_print(&space->cond[i], &text);
      at = &space->cond[i].at;
    }
  for (int i = 0; i < space->nclauses && !at; i++)
    if (space->clause[i].force && number_of(space, false, i) == item) {
      sc_str_add(&text, "force ");
      sc_clause_print(&space->clause[i], &text);
      at = &space->clause[i].at;
    }
  SC_ASSERT(at);
  sc_space_fail(space, at, err, SC_ILLEGAL, "`%s` leaves no schedule", sc_str_text(&text));
  sc_str_free(&text);
  return SC_ILLEGAL;
}

typedef struct subject { /* of one call of sc_space_bind */
  const sc_space *space;
  const sc_task *task;
  const sc_machine *machine;
  const sc_space_options *options;
} subject;

static sc_status is_empty(const subject *s, int active, bool *empty, char *why, size_t size, sc_error *err) {
  sc_space_bound *bound;
  sc_status status = make(s->space, s->task, s->machine, s->options, active, &bound, err);
  *empty = status == SC_OK && sc_space_count(bound) == 0;
  if (*empty) snprintf(why, size, "%s", bound->why);
  sc_space_unbind(bound);
  return status;
}

/* The first condition or forced line with which nothing is left. */
static sc_status blame(const subject *s, const sc_space *forced, sc_error *err) {
  char why[sizeof((sc_space_bound *)0)->why] = "";
  int some = 0, none = number_of(forced, false, -1);
  bool empty;
  SC_TRY(is_empty(s, 0, &empty, why, sizeof why, err));
  if (empty)
    return sc_fail(err, SC_ILLEGAL, "no schedule of the space %s is legal for %s%s%.200s", s->space->name,
                   s->task->text, why[0] ? ": " : "", why);
  while (none - some > 1) {
    int middle = (some + none) / 2;
    SC_TRY(is_empty(s, middle, &empty, why, sizeof why, err));
    if (empty) none = middle;
    else some = middle;
  }
  return blame_item(forced, none - 1, err);
}

sc_status sc_space_bind(const sc_space *space, const sc_task *task, const sc_machine *machine,
                        const sc_space_options *options, sc_space_bound **result, sc_error *err) {
  static const sc_space_options defaults = {0};
  sc_space_bound *bound;
  if (!options) options = &defaults;
  *result = NULL;
  sc_status status = make(space, task, machine, options, INT32_MAX, &bound, err);
  if (status == SC_OK && sc_space_count(bound) == 0)
    status = blame(&(subject){space, task, machine, options}, bound->space, err);
  if (status == SC_OK) *result = bound;
  else sc_space_unbind(bound);
  return status;
}
