/* dataset-sched info: rows by outcome, and the distinct values of what identifies them. */
#include <stdlib.h>
#include <string.h>

#include "tools/dataset.h"

struct distinct {
  const char *text;
  size_t rows;
};

static int by_text(const void *a, const void *b) {
  const struct distinct *x = a, *y = b;
  return strcmp(x->text, y->text);
}

static int by_rows(const void *a, const void *b) {
  const struct distinct *x = a, *y = b;
  if (x->rows != y->rows) return x->rows > y->rows ? -1 : 1;
  return strcmp(x->text, y->text);
}

/* The distinct texts at `offset` of the records but the empty one, most frequent first; NULL: no memory or no rows. */
static struct distinct *count(const sc_dataset *dataset, size_t offset, size_t *n) {
  size_t rows = 0, kept = 0, all = sc_dataset_count(dataset);
  struct distinct *d = all ? malloc(all * sizeof *d) : NULL;
  for (size_t i = 0; d && i < all; i++) {
    const char *text = *(const char *const *)((const char *)sc_dataset_at(dataset, i) + offset);
    if (*text) d[rows++] = (struct distinct){text, 1};
  }
  if (d) qsort(d, rows, sizeof *d, by_text);
  for (size_t i = 0; d && i < rows; i++) {
    if (kept && strcmp(d[kept - 1].text, d[i].text) == 0) d[kept - 1].rows++;
    else d[kept++] = d[i];
  }
  if (d) qsort(d, kept, sizeof *d, by_rows);
  *n = d ? kept : 0;
  return d;
}

static void put_distinct(sc_str *out, const sc_dataset *dataset, const char *name, size_t offset, bool json) {
  enum { SHOWN = 5 };
  size_t n;
  struct distinct *d = count(dataset, offset, &n);
  if (json) {
    json_key(out, name);
    sc_str_add(out, "{");
    for (size_t i = 0; i < n; i++) json_count(out, d[i].text, d[i].rows);
    sc_str_add(out, "}");
  } else {
    sc_str_printf(out, "%s: %zu\n", name, n);
    for (size_t i = 0; i < n && i < SHOWN; i++)
      sc_str_printf(out, "  %7zu  %.*s\n", d[i].rows, (int)strcspn(d[i].text, "\n"), d[i].text);
    if (n > SHOWN) sc_str_printf(out, "           ... and %zu more\n", n - SHOWN);
  }
  free(d);
}

struct totals {
  size_t outcome[SC_OUTCOME_COUNT], passes, invalid, preempted, stale, simulated, labelled, proposal[SC_PROPOSAL_COUNT];
};

static struct totals add_up(const sc_dataset *dataset) {
  struct totals s = {0};
  for (size_t i = 0; i < sc_dataset_count(dataset); i++) {
    const sc_record *r = sc_dataset_at(dataset, i);
    s.outcome[r->outcome]++;
    s.proposal[r->proposal]++;
    s.passes += r->npasses;
    s.stale += r->stale;
    s.simulated += r->simulated;
    s.labelled += sc_record_label_ns(r, 3) > 0;
    for (uint32_t p = 0; p < r->npasses; p++) {
      s.invalid += r->pass[p].invalid != 0;
      s.preempted += r->pass[p].preempted != 0;
    }
  }
  return s;
}

static void put_totals_json(sc_str *out, const struct totals *s) {
  for (int i = 0; i < SC_OUTCOME_COUNT; i++) json_count(out, sc_outcome_name((sc_outcome)i), s->outcome[i]);
  json_count(out, "passes", s->passes);
  json_count(out, "invalid_passes", s->invalid);
  json_count(out, "labelled_rows", s->labelled);
  json_count(out, "stale_rows", s->stale);
  json_count(out, "simulated_rows", s->simulated);
  json_key(out, "proposals");
  sc_str_add(out, "{");
  for (int i = 0; i < SC_PROPOSAL_COUNT; i++) json_count(out, sc_proposal_name((sc_proposal)i), s->proposal[i]);
  sc_str_add(out, "}");
}

static void put_totals(sc_str *out, const struct totals *s) {
  sc_str_add(out, "outcomes:");
  for (int i = 0; i < SC_OUTCOME_COUNT; i++)
    if (s->outcome[i]) sc_str_printf(out, " %s %zu", sc_outcome_name((sc_outcome)i), s->outcome[i]);
  sc_str_add(out, "\nproposed:");
  for (int i = 0; i < SC_PROPOSAL_COUNT; i++)
    if (s->proposal[i]) sc_str_printf(out, " %s %zu", sc_proposal_name((sc_proposal)i), s->proposal[i]);
  sc_str_printf(out,
                "\npasses: %zu, %zu of them invalid, %zu with a preempted repeat; rows with a label of 3 passes: %zu\n",
                s->passes, s->invalid, s->preempted, s->labelled);
  if (s->stale) sc_str_printf(out, "stale rows: %zu\n", s->stale);
  if (s->simulated) sc_str_printf(out, "simulated rows (no labels): %zu\n", s->simulated);
}

void dataset_describe(sc_str *out, const char *path, const sc_dataset *dataset, bool json) {
  struct totals s = add_up(dataset);
  if (json) {
    sc_str_add(out, "{");
    json_text(out, "dataset", path);
    json_count(out, "rows", sc_dataset_count(dataset));
    json_count(out, "dropped_bytes", sc_dataset_dropped_bytes(dataset));
    put_totals_json(out, &s);
  } else {
    sc_str_printf(out, "%s: %zu rows\n", path, sc_dataset_count(dataset));
    if (sc_dataset_dropped_bytes(dataset))
      sc_str_printf(out, "torn tail of the journal: %zu bytes\n", sc_dataset_dropped_bytes(dataset));
    put_totals(out, &s);
  }
  put_distinct(out, dataset, "tasks", offsetof(sc_record, task), json);
  put_distinct(out, dataset, "compilers", offsetof(sc_record, compiler), json);
  put_distinct(out, dataset, "machines", offsetof(sc_record, machine), json);
  put_distinct(out, dataset, "shards", offsetof(sc_record, shard), json);
  put_distinct(out, dataset, "failures", offsetof(sc_record, failure), json);
  if (json) sc_str_add(out, "}\n");
}

sc_status dataset_info(tool *t, const struct dataset_options *o, int n, char **paths) {
  for (int i = 0; i < n; i++) {
    sc_dataset *dataset;
    SC_TRY(sc_dataset_open(paths[i], SC_DATASET_READ, &dataset, &t->err));
    if (!o->json && i) sc_str_add(&t->out, "\n");
    dataset_describe(&t->out, paths[i], dataset, o->json);
    sc_dataset_close(dataset, NULL);
  }
  return SC_OK;
}
