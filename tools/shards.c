/* The shards of a dataset: when, how much, what failed, what was disturbed, how well labels agree. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tools/shards.h"

static int by_name(const void *a, const void *b) {
  return strcmp(((const shard_facts *)a)->name, ((const shard_facts *)b)->name);
}

static int by_begin(const void *a, const void *b) {
  const shard_facts *x = a, *y = b;
  return (x->first_ns > y->first_ns) - (x->first_ns < y->first_ns);
}

static void add_record(shard_facts *s, const sc_record *r) {
  s->rows++;
  s->failed += r->outcome != SC_RAN;
  s->visits += r->npasses;
  for (uint32_t p = 0; p < r->npasses; p++) {
    const int64_t at = r->pass[p].unix_ns;
    if (!s->first_ns || at < s->first_ns) s->first_ns = at;
    if (at > s->last_ns) s->last_ns = at;
    s->drifted += (r->pass[p].invalid & SC_PASS_DRIFTED) != 0;
    s->busy += (r->pass[p].invalid & SC_PASS_BUSY) != 0;
  }
}

/* A row, in an order in which those of a task and shard stand together. */
typedef struct labelled {
  const char *shard;
  uint32_t task;
  double a, b; /* labels from the odd and the even passes; 0 = none */
} labelled;

static int by_shard_and_task(const void *x, const void *y) {
  const labelled *p = x, *q = y;
  const int shard = strcmp(p->shard, q->shard);
  return shard ? shard : (p->task > q->task) - (p->task < q->task);
}

/* How near the best by b what is best by a comes, and the other way round. */
static double agreement_of(const labelled *from, const labelled *to) {
  const labelled *a = NULL, *b = NULL;
  size_t n = 0;
  for (const labelled *i = from; i < to; i++) {
    if (!(i->a > 0 && i->b > 0)) continue;
    n++;
    if (!a || i->a < a->a) a = i;
    if (!b || i->b < b->b) b = i;
  }
  return n < 2 ? NAN : (b->b / a->b + a->a / b->a) / 2;
}

static sc_status add_agreement(tool *t, shard_facts *s, size_t n, const sc_rows *rows) {
  labelled *l = sc_arena_alloc(t->arena, rows->n + 1, sizeof *l);
  if (!l) return sc_fail(&t->err, SC_NOMEM, "no memory for the labels of %zu rows", rows->n);
  for (size_t i = 0; i < rows->n; i++)
    l[i] = (labelled){rows->record[i]->shard, rows->task[i], rows->half_a_s[i], rows->half_b_s[i]};
  qsort(l, rows->n, sizeof *l, by_shard_and_task);
  for (size_t i = 0, to; i < rows->n; i = to) {
    const shard_facts key = {.name = l[i].shard};
    shard_facts *of = bsearch(&key, s, n, sizeof *s, by_name);
    for (to = i; to < rows->n && by_shard_and_task(&l[i], &l[to]) == 0; to++) continue;
    const double agreement = agreement_of(l + i, l + to);
    of->tasks++;
    if (isnan(agreement)) continue;
    of->agreement += agreement;
    of->compared++;
  }
  for (size_t i = 0; i < n; i++) s[i].agreement = s[i].compared ? s[i].agreement / (double)s[i].compared : NAN;
  return SC_OK;
}

sc_status shards_collect(tool *t, const sc_dataset *dataset, shard_facts **facts, size_t *n) {
  const size_t all = sc_dataset_count(dataset);
  const sc_rows_options how = {.keep_forbidden = true};
  sc_rows rows;
  size_t kept = 0;
  shard_facts *s = sc_arena_alloc(t->arena, all + 1, sizeof *s);
  if (!s) return sc_fail(&t->err, SC_NOMEM, "no memory for the shards of %zu rows", all);
  for (size_t i = 0; i < all; i++) s[i].name = sc_dataset_at(dataset, i)->shard;
  qsort(s, all, sizeof *s, by_name);
  for (size_t i = 0; i < all; i++)
    if (i == 0 || strcmp(s[kept - 1].name, s[i].name) != 0) s[kept++] = s[i];
  for (size_t i = 0; i < all; i++) {
    const sc_record *r = sc_dataset_at(dataset, i);
    const shard_facts key = {.name = r->shard};
    add_record(bsearch(&key, s, kept, sizeof *s, by_name), r);
  }
  SC_TRY(tool_library(t));
  SC_TRY(sc_rows_build(t->arena, t->library, dataset, &how, &rows, &t->err));
  SC_TRY(add_agreement(t, s, kept, &rows));
  qsort(s, kept, sizeof *s, by_begin);
  *facts = s;
  *n = kept;
  return SC_OK;
}
