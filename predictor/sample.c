/* A sample of rows that come in batches: whole tasks, those whose names hash lowest, so that it depends neither on the
 * order of the batches nor on how tasks are dealt out to them. */
#include <stdlib.h>
#include <string.h>

#include "predictor/names.h"
#include "predictor/train.h"

sc_status sc_row_sample_start(sc_row_sample *s, size_t most, uint64_t seed, sc_error *err) {
  *s = (sc_row_sample){.most = most, .seed = seed, .limit = UINT64_MAX, .arena = sc_arena_new()};
  sc_names **names[] = {&s->tasks, &s->groups, &s->networks};
  bool ok = s->arena && (s->drawn = sc_arena_alloc(s->arena, SC_PROPOSAL_COUNT, sizeof *s->drawn));
  for (size_t i = 0; i < SC_COUNT_OF(names) && ok; i++) {
    ok = (*names[i] = sc_arena_alloc(s->arena, 1, sizeof **names[i])) != NULL;
    if (ok) (*names[i])->arena = s->arena;
  }
  for (int p = 0; ok && p < SC_PROPOSAL_COUNT; p++) s->drawn[p].proposal = (uint8_t)p;
  return ok ? SC_OK : sc_fail(err, SC_NOMEM, "out of memory for a sample of rows");
}

bool sc_row_sample_has(const sc_row_sample *s, const char *task) {
  return sc_hash64(task, strlen(task), s->seed) < s->limit;
}

/* The columns of a sample; of each row the same element. */
typedef struct column {
  void **data;
  size_t size;
} column;
enum { COLUMNS = 11 };

static void columns_of(sc_rows *r, column *c) {
  const column all[COLUMNS] = {{(void **)&r->features, SC_FEATURE_COUNT * sizeof(float)},
                               {(void **)&r->time_s, sizeof(double)},
                               {(void **)&r->analytic_s, sizeof(double)},
                               {(void **)&r->analytic, sizeof(sc_analytic)},
                               {(void **)&r->half_a_s, sizeof(double)},
                               {(void **)&r->half_b_s, sizeof(double)},
                               {(void **)&r->forbidden, sizeof(bool)},
                               {(void **)&r->task, sizeof(uint32_t)},
                               {(void **)&r->group, sizeof(uint32_t)},
                               {(void **)&r->network, sizeof(uint32_t)},
                               {(void **)&r->record, sizeof(const sc_record *)}};
  memcpy(c, all, sizeof all);
}

static bool grow(sc_row_sample *s, size_t n) {
  column c[COLUMNS];
  if (n <= s->capacity) return true;
  columns_of(&s->rows, c);
  for (int i = 0; i < COLUMNS; i++) {
    void *data = realloc(*c[i].data, n * c[i].size);
    if (!data) return false;
    *c[i].data = data;
  }
  s->capacity = n;
  return true;
}

/* What the other one lacks is zero. */
static void copy_row(const column *to, size_t at, const column *from, size_t row) {
  for (int i = 0; i < COLUMNS; i++) {
    char *cell = (char *)*to[i].data + at * to[i].size;
    if (*from[i].data) memcpy(cell, (const char *)*from[i].data + row * to[i].size, to[i].size);
    else memset(cell, 0, to[i].size);
  }
}

/* Half of the tasks go. */
static void thin_out(sc_row_sample *s) {
  column c[COLUMNS];
  size_t n = 0;
  columns_of(&s->rows, c);
  s->limit /= 2;
  for (size_t i = 0; i < s->rows.n; i++) {
    if (!sc_row_sample_has(s, s->tasks->name[s->rows.task[i]])) continue;
    if (n != i) copy_row(c, n, c, i);
    n++;
  }
  s->rows.n = n;
}

static sc_status add_row(sc_row_sample *s, const sc_rows *from, size_t i, sc_error *err) {
  sc_rows *to = &s->rows, rows = *from;
  column c[COLUMNS], d[COLUMNS];
  if (!grow(s, to->n < s->capacity ? s->capacity : to->n + to->n / 2 + 1024))
    return sc_fail(err, SC_NOMEM, "out of memory for a sample of %zu rows", to->n);
  columns_of(to, c);
  columns_of(&rows, d);
  copy_row(c, to->n, d, i);
  const sc_record *record = from->record ? from->record[i] : NULL;
  to->record[to->n] = record && record->proposal < SC_PROPOSAL_COUNT ? &s->drawn[record->proposal] : NULL;
  to->task[to->n] = sc_names_add(s->tasks, from->task_name[from->task[i]]);
  to->group[to->n] = sc_names_add(s->groups, from->group_name[from->group[i]]);
  to->network[to->n] = sc_names_add(s->networks, from->network_name[from->network[i]]);
  if (to->task[to->n] == SC_NO_NAME || to->group[to->n] == SC_NO_NAME || to->network[to->n] == SC_NO_NAME)
    return sc_fail(err, SC_NOMEM, "out of memory for the names of a sample");
  to->n++;
  return SC_OK;
}

sc_status sc_row_sample_add(sc_row_sample *s, const sc_rows *rows, sc_error *err) {
  if (s->rows.n == 0) {
    s->rows.machine = rows->machine;
    s->rows.passes = rows->passes;
    s->rows.kernel_facts = rows->kernel_facts;
    s->rows.harness_abi = rows->harness_abi;
  }
  s->rows.disturbed += rows->disturbed;
  for (size_t i = 0; i < rows->n; i++) {
    if (!sc_row_sample_has(s, rows->task_name[rows->task[i]])) continue;
    SC_TRY(add_row(s, rows, i, err));
    while (s->rows.n > s->most && s->limit > 1) thin_out(s);
  }
  return SC_OK;
}

sc_status sc_row_sample_end(sc_row_sample *s, sc_error *err) {
  sc_rows *r = &s->rows;
  const bool ok = sc_names_renumber(s->arena, r->task, r->n, s->tasks, &r->task_name, &r->ntasks) &&
                  sc_names_renumber(s->arena, r->group, r->n, s->groups, &r->group_name, &r->ngroups) &&
                  sc_names_renumber(s->arena, r->network, r->n, s->networks, &r->network_name, &r->nnetworks);
  return ok ? SC_OK : sc_fail(err, SC_NOMEM, "out of memory for the names of a sample");
}

void sc_row_sample_free(sc_row_sample *s) {
  column c[COLUMNS];
  columns_of(&s->rows, c);
  for (int i = 0; i < COLUMNS; i++) free(*c[i].data);
  sc_arena_free(s->arena);
  *s = (sc_row_sample){0};
}
