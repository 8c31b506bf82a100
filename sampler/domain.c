/* The numbers of one dim: runs of register tiles, and for each the tile sizes of the bands, all from one ladder. What
 * of it is legal, and what it asks of packs and kernel loops, sc_lower says of probes: schedules in which all else is
 * harmless. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sampler/domain.h"

enum { MAX_RUNSETS = 4096, MAX_VALUES = 65535 };

static sc_status nomem(const sc_builder *b) { return sc_fail(b->err, SC_NOMEM, "out of memory"); }

/* ---- runs ---- */

/* Adjacent runs of one size are one run. */
static sc_status add_runs(sc_builder *b, const sc_run *run, int n) {
  sc_runset set = {0};
  for (int i = 0; i < n; i++) {
    if (run[i].count == 0) continue;
    if (set.nruns && set.run[set.nruns - 1].size == run[i].size) set.run[set.nruns - 1].count += run[i].count;
    else set.run[set.nruns++] = run[i];
    set.tiles += run[i].count;
    if (run[i].size > set.max_tile) set.max_tile = run[i].size;
  }
  sc_domain *domain = b->domain;
  for (int i = 0; i < domain->nrunsets; i++)
    if (domain->runset[i].nruns == set.nruns && memcmp(domain->runset[i].run, set.run, sizeof set.run) == 0)
      return SC_OK;
  if (domain->nrunsets == MAX_RUNSETS)
    return sc_fail(b->err, SC_LIMIT, "more than %d ways to tile '%s'", MAX_RUNSETS, b->bound->task->dim[b->dim].name);
  if ((size_t)domain->nrunsets == b->runset_cap) {
    size_t cap = b->runset_cap ? 2 * b->runset_cap : 32;
    sc_runset *grown = sc_arena_alloc(b->bound->arena, cap, sizeof *grown);
    if (!grown) return nomem(b);
    if (domain->nrunsets) memcpy(grown, domain->runset, (size_t)domain->nrunsets * sizeof *grown);
    domain->runset = grown;
    b->runset_cap = cap;
  }
  domain->runset[domain->nrunsets++] = set;
  return SC_OK;
}

/* a*q, or a*q+r, or two sizes that differ by one unit over as many tiles; the last one is what is left. */
static sc_status add_size(sc_builder *b, int32_t a, int32_t unit, int forms) {
  int32_t n = b->size;
  if (a >= n) return add_runs(b, &(sc_run){n, 1}, 1);
  if (n % a == 0) return add_runs(b, &(sc_run){a, n / a}, 1);
  if (forms & SC_FORM_REST) SC_TRY(add_runs(b, (sc_run[]){{a, n / a}, {n % a, 1}}, 2));
  if (!(forms & SC_FORM_BALANCED)) return SC_OK;
  int32_t tiles = n / a + 1, units = n / unit + (n % unit != 0), small = units / tiles, large = units % tiles;
  int32_t missing = units * unit - n; /* of the last tile */
  if (small == 0 || small * unit <= missing) return SC_OK;
  return add_runs(
      b, (sc_run[]){{(small + 1) * unit, large}, {small * unit, tiles - large - 1}, {small * unit - missing, 1}}, 3);
}

static bool covers(const sc_alt *alt, int32_t size) {
  int64_t covered = 0;
  for (int i = 0; i < alt->nruns; i++) {
    covered += (int64_t)alt->run[i].size * alt->run[i].count;
    if (covered > size) return false;
  }
  return covered == size;
}

/* On the vector dim sizes in vectors count if there are any, elsewhere those in elements. */
static sc_status add_sizes(sc_builder *b, const sc_clause *clause) {
  bool vector = b->combo->vector == b->dim, any = false;
  int forms = clause->forms ? clause->forms : SC_FORM_REST | SC_FORM_BALANCED;
  for (int i = 0; i < clause->nalts; i++)
    any |= clause->alt[i].kind == SC_ALT_NUMBER && clause->alt[i].vectors == vector;
  for (int i = 0; i < clause->nalts; i++) {
    const sc_alt *alt = &clause->alt[i];
    if (alt->kind == SC_ALT_ALL) SC_TRY(add_size(b, b->size, 1, forms));
    if (alt->kind == SC_ALT_RUNS && covers(alt, b->size)) SC_TRY(add_runs(b, alt->run, alt->nruns));
    if (alt->kind != SC_ALT_NUMBER || (any && alt->vectors != vector)) continue;
    int32_t unit = alt->vectors && vector ? b->combo->lanes : 1;
    for (int32_t k = alt->lo; k <= alt->hi && (int64_t)(k - 1) * unit < b->size; k++) {
      int64_t a = (int64_t)k * unit;
      SC_TRY(add_size(b, a > b->size ? b->size : (int32_t)a, vector ? b->combo->lanes : 1, forms));
    }
  }
  return SC_OK;
}

/* A forced `tile` names sizes of the largest tile, or runs that must be exactly these. */
static bool runs_forced(const sc_builder *b, const sc_runset *set, const sc_clause *clause) {
  for (int i = 0; i < clause->nalts; i++) {
    const sc_alt *alt = &clause->alt[i];
    int32_t unit = alt->vectors && b->combo->vector == b->dim ? b->combo->lanes : 1;
    if (alt->kind == SC_ALT_ALL && set->tiles == 1) return true;
    if (alt->kind == SC_ALT_NUMBER && (set->max_tile + unit - 1) / unit >= alt->lo &&
        (set->max_tile + unit - 1) / unit <= alt->hi)
      return true;
    if (alt->kind == SC_ALT_RUNS && set->nruns == alt->nruns && memcmp(set->run, alt->run, sizeof set->run) == 0)
      return true;
  }
  return false;
}

static sc_status make_runs(sc_builder *b) {
  const sc_space_bound *bound = b->bound;
  const sc_clause *clause = sc_clause_find(bound, b->combo->option, SC_AT_TILE, b->dim, 0);
  if (clause) SC_TRY(add_sizes(b, clause));
  else if (b->combo->vector == b->dim) SC_TRY(add_size(b, b->combo->lanes, 1, SC_FORM_REST));
  else SC_TRY(add_size(b, 1, 1, SC_FORM_REST));
  for (int c = 0; c < bound->space->nclauses; c++) {
    const sc_clause *force = &bound->space->clause[c];
    if (!force->force || force->attribute != SC_AT_TILE || bound->subject[c] != b->dim ||
        !sc_clause_active(bound, force))
      continue;
    for (int i = 0; i < force->nalts; i++) /* exact runs need not be in the domain */
      if (force->alt[i].kind == SC_ALT_RUNS && covers(&force->alt[i], b->size))
        SC_TRY(add_runs(b, force->alt[i].run, force->alt[i].nruns));
    int n = 0;
    for (int i = 0; i < b->domain->nrunsets; i++)
      if (runs_forced(b, &b->domain->runset[i], force)) b->domain->runset[n++] = b->domain->runset[i];
    b->domain->nrunsets = n;
  }
  return SC_OK;
}

/* ---- sizes of bands ---- */

static const sc_clause *find_ladder(const sc_builder *b) {
  const sc_space_bound *bound = b->bound;
  for (int c = bound->space->nclauses - 1; c >= 0; c--) { /* a forced one replaces */
    const sc_clause *clause = &bound->space->clause[c];
    if (clause->force && clause->attribute == SC_AT_LADDER && bound->subject[c] == b->dim &&
        sc_clause_active(bound, clause))
      return clause;
  }
  const sc_clause *clause = sc_clause_find(bound, b->combo->option, SC_AT_LADDER, b->dim, 0);
  return clause ? clause : sc_clause_find(bound, b->combo->option, SC_AT_LADDER, -1, 0);
}

static sc_status add_value(sc_builder *b, const sc_value_of_dim *value) {
  sc_domain *domain = b->domain;
  if (domain->nvalues == MAX_VALUES)
    return sc_fail(b->err, SC_LIMIT, "more than %d tilings of '%s': give it a shorter ladder or fewer tile sizes",
                   MAX_VALUES, b->bound->task->dim[b->dim].name);
  if ((size_t)domain->nvalues == b->value_cap) {
    size_t cap = b->value_cap ? 2 * b->value_cap : 256;
    sc_value_of_dim *grown = sc_arena_alloc(b->bound->arena, cap, sizeof *grown);
    if (!grown) return nomem(b);
    if (domain->nvalues) memcpy(grown, domain->value, (size_t)domain->nvalues * sizeof *grown);
    domain->value = grown;
    b->value_cap = cap;
  }
  domain->value[domain->nvalues++] = *value;
  return SC_OK;
}

/* Sizes of band `band` and above: each divides the next, or the next is everything. */
static sc_status add_chains(sc_builder *b, sc_value_of_dim *value, int band, int32_t tiles) {
  int32_t below = band > 1 ? value->step[band - 2] : 1;
  if (band >= b->bound->nbands) return add_value(b, value);
  for (int i = 0; i < b->nrungs; i++) {
    int32_t rung = b->rung[i];
    if (rung < below || (rung % below != 0 && rung != tiles)) continue;
    value->step[band - 1] = rung;
    SC_TRY(add_chains(b, value, band + 1, tiles));
  }
  return SC_OK;
}

sc_status sc_domain_make(sc_space_bound *bound, sc_combo *combo, int dim, sc_error *err) {
  sc_domain *domain = &combo->domain[dim];
  sc_builder b = {
      .bound = bound, .combo = combo, .domain = domain, .dim = dim, .size = bound->task->dim[dim].size, .err = err};
  memset(domain, 0, sizeof *domain);
  domain->dim = dim;
  b.rung = sc_arena_alloc(bound->arena, SC_MAX_RUNGS, sizeof *b.rung);
  if (!b.rung) return nomem(&b);
  SC_TRY(make_runs(&b));
  sc_probe_runs(&b);
  const sc_clause *ladder = find_ladder(&b);
  for (int i = 0; i < domain->nrunsets; i++) {
    SC_TRY(sc_ladder_make(&b, ladder, &domain->runset[i]));
    SC_TRY(add_chains(&b, &(sc_value_of_dim){.runset = (uint16_t)i}, 1, domain->runset[i].tiles));
  }
  return SC_OK;
}

/* ---- leaves and bits ---- */

/* Elements of the largest window of `step` tiles that starts at a multiple of step. */
static int32_t extent_of(const sc_runset *set, int32_t size, int32_t step) {
  bool falling = true;
  if (step >= set->tiles) return size;
  for (int i = 1; i < set->nruns; i++) falling &= set->run[i].size <= set->run[i - 1].size;
  int32_t largest = 0, window = 0, n = 0;
  for (int i = 0; i < set->nruns; i++) {
    for (int32_t left = set->run[i].count; left > 0;) {
      int32_t take = step - n < left ? step - n : left;
      window += take * set->run[i].size;
      left -= take;
      n += take;
      if (n < step) continue;
      if (window > largest) largest = window;
      if (falling) return largest;
      if (left > step) left -= (left / step - 1) * step; /* windows inside one run are alike */
      window = n = 0;
    }
  }
  return window > largest ? window : largest;
}

static int32_t step_of(const sc_space_bound *bound, const sc_runset *set, const int32_t *step, int band) {
  return band == 0 ? 1 : band >= bound->nbands ? set->tiles : step[band - 1];
}

double sc_leaf_value(const sc_space_bound *bound, const sc_combo *combo, int dim, const sc_runset *runs,
                     const int32_t *step, int leaf) {
  int32_t lanes = combo->vector == dim ? combo->lanes : 1;
  switch (leaf) {
  case SC_LEAF_TILE: return runs->max_tile;
  case SC_LEAF_VECTORS: return (runs->max_tile + lanes - 1) / lanes;
  case SC_LEAF_TILES: return runs->tiles;
  case SC_LEAF_CLASSES: return runs->nclasses;
  default: break;
  }
  int band = leaf < SC_LEAF_TRIPS ? leaf - SC_LEAF_EXTENT : leaf - SC_LEAF_TRIPS;
  int32_t above = step_of(bound, runs, step, band);
  if (leaf < SC_LEAF_TRIPS) return band == 0 ? runs->max_tile : extent_of(runs, bound->task->dim[dim].size, above);
  int32_t below = step_of(bound, runs, step, band - 1);
  return (above - 1) / below + 1; /* the sum of both may not fit */
}

/* Values of one set of runs stand together. */
static void find_ranges(sc_domain *domain) {
  for (int i = 0; i < domain->nvalues; i++) {
    sc_runset *set = &domain->runset[domain->value[i].runset];
    if (set->nvalues++ == 0) set->first = i;
  }
}

/* Does the domain hold the same with a smaller tile of this band and the `over` bands above it, which are equal? Then
 * a loop that could move up, or join one there, should do so at least in part. */
static bool has_smaller(const sc_domain *domain, const sc_value_of_dim *value, int band, int over) {
  const sc_runset *set = &domain->runset[value->runset];
  for (int i = set->first; i < set->first + set->nvalues; i++) {
    sc_value_of_dim other = domain->value[i];
    int32_t step = other.step[band - 1];
    bool equal = step < value->step[band - 1];
    for (int b = band; b <= band + over; b++) {
      equal &= other.step[b - 1] == step;
      other.step[b - 1] = value->step[b - 1];
    }
    if (equal && memcmp(other.step, value->step, sizeof value->step) == 0) return true;
  }
  return false;
}

/* Loops are stuck where conditions or a ladder without 1 have made holes. */
static void set_masks(const sc_space_bound *bound, const sc_domain *domain, const sc_value_of_dim *value,
                      sc_bits *bits) {
  const sc_runset *set = &domain->runset[value->runset];
  uint16_t bit = (uint16_t)(1u << domain->dim);
  for (int band = 1; band <= bound->nbands; band++) {
    int32_t below = step_of(bound, set, value->step, band - 1);
    if (step_of(bound, set, value->step, band) <= below) continue;
    bits->mask[band - 1] |= bit;
    for (int over = 0; band + over < bound->nbands && value->step[band - 1 + over] == value->step[band - 1]; over++)
      if (!has_smaller(domain, value, band, over)) bits->stuck[sc_stuck(band, over)] |= bit;
  }
}

static void set_trips(const sc_late *late, int dim, int32_t trips, sc_bits *bits) {
  uint32_t n = 0;
  while (n < (uint32_t)late->nbuckets && late->bucket[n] <= trips) n++;
  bits->trips |= n << 3 * dim;
}

typedef struct keyed { /* a value with what later levels see of it */
  sc_bits bits;
  double leaf[SC_LEAVES];
  sc_value_of_dim value;
  int32_t index;
} keyed;

static int compare_keyed(const void *a, const void *b) {
  const keyed *x = a, *y = b;
  int order = memcmp(x, y, offsetof(keyed, value));
  return order ? order : (x->index > y->index) - (x->index < y->index);
}

static sc_status key_values(sc_builder *b, keyed *key) {
  sc_domain *domain = b->domain;
  const sc_late *late = b->bound->late[b->combo->late_id];
  bool loop = sc_probe_may_loop(b), blocked = sc_probe_is_blocked(b->bound->task, 0, b->dim);
  for (int i = 0; i < b->bound->npackable; i++)
    blocked |= sc_probe_is_blocked(b->bound->task, b->bound->packable[i], b->dim);
  sc_bits loop_bits = {0};
  int probed = -1;
  for (int i = 0; i < domain->nvalues; i++) {
    const sc_value_of_dim *value = &domain->value[i];
    sc_runset *set = &domain->runset[value->runset];
    int32_t inside = step_of(b->bound, set, value->step, 1);
    if (!set->need_known) sc_probe_needs(b, set);
    set->need_known = true;
    if (loop && (blocked || probed != value->runset)) {
      memset(&loop_bits, 0, sizeof loop_bits);
      SC_TRY(sc_probe_loop(b, set, blocked ? inside : SC_ALL, &loop_bits));
      probed = value->runset;
    }
    memset(&key[i], 0, sizeof key[i]);
    for (size_t w = 0; w < SC_COUNT_OF(key[i].bits.word); w++)
      key[i].bits.word[w] = set->bits.word[w] | loop_bits.word[w];
    key[i].bits.late |= value->late;
    set_masks(b->bound, domain, value, &key[i].bits);
    if (loop || late->clamped >> b->dim & 1) set_trips(late, b->dim, inside, &key[i].bits);
    for (int leaf = 0; leaf < SC_LEAVES; leaf++)
      if (domain->used >> leaf & 1)
        key[i].leaf[leaf] = sc_leaf_value(b->bound, b->combo, b->dim, set, value->step, leaf);
    key[i].value = *value;
    key[i].index = i;
  }
  return SC_OK;
}

static sc_status set_kinds(sc_builder *b, keyed *key) {
  sc_domain *domain = b->domain;
  sc_kinds kinds;
  if (b->combo->nkernel_conds == 0) return SC_OK;
  sc_status status = SC_OK;
  sc_kinds_start(&kinds, b);
  for (int i = 0; i < domain->nvalues && status == SC_OK; i++)
    status = sc_kinds_add(&kinds, &domain->value[i], &key[i].bits);
  if (status == SC_OK) status = sc_kinds_end(&kinds);
  for (int i = 0; i < domain->nvalues && status == SC_OK; i++) sc_kinds_put(b, i, &key[i].bits);
  sc_memo_free(&kinds.memo);
  return status;
}

sc_status sc_domain_finish(sc_space_bound *bound, sc_combo *combo, int dim, sc_error *err) {
  sc_domain *domain = &combo->domain[dim];
  sc_builder b = {
      .bound = bound, .combo = combo, .domain = domain, .dim = dim, .size = bound->task->dim[dim].size, .err = err};
  size_t n = (size_t)domain->nvalues;
  keyed *key = sc_arena_alloc(bound->arena, n + 1, sizeof *key);
  domain->leaf = sc_arena_alloc(bound->arena, n + 1, sizeof *domain->leaf * SC_LEAVES);
  domain->class = sc_arena_alloc(bound->arena, n + 1, sizeof *domain->class);
  domain->place = sc_arena_alloc(bound->arena, n + 1, sizeof *domain->place);
  if (!key || !domain->leaf || !domain->class || !domain->place) return nomem(&b);
  find_ranges(domain);
  SC_TRY(key_values(&b, key));
  SC_TRY(set_kinds(&b, key));
  qsort(key, n, sizeof *key, compare_keyed);
  domain->nclasses = 0;
  for (size_t i = 0; i < n; i++) {
    domain->value[i] = key[i].value;
    if (i == 0 || memcmp(&key[i], &key[i - 1], offsetof(keyed, value)) != 0) {
      domain->class[domain->nclasses] = (sc_class_of_dim){.bits = key[i].bits, .first = (int32_t)i};
      memcpy(&domain->leaf[(size_t)domain->nclasses++ * SC_LEAVES], key[i].leaf, sizeof key[i].leaf);
    }
    sc_class_of_dim *class = &domain->class[domain->nclasses - 1];
    domain->place[key[i].index] = (sc_place){domain->nclasses - 1, class->count++};
  }
  return SC_OK;
}
