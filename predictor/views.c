/* More views of rows: the same schedules with less known of their kernels. A model that only ever saw kernels with measured
 * rates believes in those of a new task that it does not know: nothing in training told it what not to know costs. Of
 * every third row there is a view in which half of the kernels, all of them, or only their times are unknown; training
 * sees both, scores and intervals are of the rows alone. */
#include <stdlib.h>
#include <string.h>

#include "predictor/internal.h"

enum { ONE_OF = 3, KINDS = 3 };

typedef struct viewing {
  sc_arena *arena;
  const sc_library *library;
  sc_rows *rows;
  sc_kernel_table *table[KINDS]; /* half of the kernels, none, all without times */
  const sc_task *task; /* of the row before */
} viewing;

/* Which view a row has, -1 = none: a matter of the schedule alone. */
static int view_of(const sc_record *record) {
  const uint64_t hash = sc_hash64(&record->nest_hash, sizeof record->nest_hash, record->task_hash);
  return hash % ONE_OF == 0 ? (int)(hash / ONE_OF % KINDS) : -1;
}

static sc_status thin(const sc_kernel_table *all, sc_kernel_table **table, sc_error *err) {
  for (int k = 0; k < KINDS; k++)
    if (!(table[k] = sc_kernel_table_new())) return sc_fail(err, SC_NOMEM, "out of memory for kernel tables");
  for (size_t i = 0; i < sc_kernel_table_count(all); i++) {
    const sc_kernel_fact *fact = sc_kernel_table_at(all, i);
    if (sc_hash64(&fact->family, sizeof fact->family, 0) % 2 == 0) SC_TRY(sc_kernel_table_put(table[0], fact));
    SC_TRY(sc_kernel_table_put(table[2], fact));
  }
  sc_kernel_table_forget_times(table[2]);
  return SC_OK;
}

/* Rows of a task mostly follow one another. */
static sc_status task_of(viewing *v, const char *text, sc_error *err) {
  if (v->task && strcmp(v->task->text, text) == 0) return SC_OK;
  return sc_task_parse(v->arena, v->library, text, &v->task, err);
}

static sc_status add_view(viewing *v, size_t row, size_t at, sc_error *err) {
  sc_rows *rows = v->rows;
  const sc_record *record = rows->record[row];
  sc_schedule schedule;
  sc_nest nest;
  SC_TRY(task_of(v, record->task, err));
  SC_TRY(sc_schedule_parse(v->task, "dataset", record->schedule, &schedule, err));
  SC_TRY(sc_lower(v->task, &schedule, &nest, err));
  const sc_target target = {&rows->machine, v->table[view_of(record)], record->threads > 0 ? (int)record->threads : 1};
  sc_features_analytic(v->task, &nest, &target, rows->features + at * SC_FEATURE_COUNT, &rows->analytic[at]);
  rows->time_s[at] = rows->time_s[row];
  rows->view_of[at - rows->n] = (uint32_t)row;
  return SC_OK;
}

/* An array with room behind what it has. */
static void *longer(sc_arena *arena, const void *array, size_t have, size_t want, size_t size) {
  void *room = sc_arena_alloc(arena, want + 1, size);
  if (room) memcpy(room, array, have * size);
  return room;
}

static sc_status add_all(viewing *v, sc_error *err) {
  sc_rows *r = v->rows;
  size_t n = 0;
  for (size_t i = 0; i < r->n; i++) n += view_of(r->record[i]) >= 0;
  r->features = longer(v->arena, r->features, r->n, r->n + n, SC_FEATURE_COUNT * sizeof *r->features);
  r->time_s = longer(v->arena, r->time_s, r->n, r->n + n, sizeof *r->time_s);
  r->analytic = longer(v->arena, r->analytic, r->n, r->n + n, sizeof *r->analytic);
  r->view_of = sc_arena_alloc(v->arena, n + 1, sizeof *r->view_of);
  if (!r->features || !r->time_s || !r->analytic || !r->view_of)
    return sc_fail(err, SC_NOMEM, "out of memory for views of %zu rows", r->n);
  for (size_t i = 0; i < r->n; i++) {
    if (view_of(r->record[i]) < 0) continue;
    SC_TRY(add_view(v, i, r->n + r->nviews, err));
    r->nviews++;
  }
  return SC_OK;
}

sc_status sc_rows_add_views(sc_arena *arena, const sc_library *library, const sc_kernel_table *kernels, sc_rows *rows,
                            sc_error *err) {
  viewing v = {.arena = arena, .library = library, .rows = rows};
  sc_status status = thin(kernels, v.table, err);
  if (status == SC_OK) status = add_all(&v, err);
  for (int k = 0; k < KINDS; k++) sc_kernel_table_free(v.table[k]);
  return status;
}
