/* How a model of another machine's rows serves the machine of these. */
#include <math.h>

#include "tools/evaluate.h"

enum { FEW = 200 };

static void put_metric(sc_str *out, const sc_metric *m, int width) {
  sc_str cell = {0};
  if (!isfinite(m->value)) sc_str_add(&cell, "-");
  else sc_str_printf(&cell, "%.3f [%.3f-%.3f]", m->value, m->low, m->high);
  sc_str_printf(out, "  %-*s", width, sc_str_text(&cell));
  sc_str_free(&cell);
}

static void put_line(sc_str *out, const char *name, const sc_transfer_scores *s) {
  sc_str_printf(out, "%-10s", name);
  put_metric(out, &s->top1, 19);
  put_metric(out, &s->pairs, 19);
  put_metric(out, &s->mape, 19);
  put_metric(out, &s->of_native, 0);
  sc_str_add(out, "\n");
}

static void put_json(sc_str *out, const char *name, const sc_transfer_scores *s) {
  json_item(out);
  sc_str_printf(out, "\"%s\": {", name);
  json_metric(out, "top1", &s->top1);
  json_metric(out, "pairs", &s->pairs);
  json_metric(out, "mape", &s->mape);
  json_metric(out, "of_native", &s->of_native);
  sc_str_add(out, "}");
}

static void print(const sc_transfer *r, bool json, sc_str *out) {
  const struct {
    const char *name;
    const sc_transfer_scores *scores;
  } line[] = {{"native", &r->native}, {"corrected", &r->corrected}, {"untouched", &r->untouched}};
  if (json) sc_str_add(out, "{");
  else
    sc_str_printf(out, "%-10s  %-19s  %-19s  %-19s  %s\n", "", "top-1", "pairs>10%", "MAPE", "top-1 / native, paired");
  if (json) json_count(out, "few", r->few);
  for (size_t i = 0; i < SC_COUNT_OF(line); i++) (json ? put_json : put_line)(out, line[i].name, line[i].scores);
  if (json) sc_str_add(out, "}\n");
  else sc_str_printf(out, "corrected: by %zu schedules; untouched: the machine file and kernel table alone\n", r->few);
}

/* What besides the machine a time depends on, and a model of the others need not know. */
typedef struct build {
  uint64_t compiler;
  uint32_t threads;
} build;

static bool is_listed(const build *list, int n, const sc_record *record) {
  for (int i = 0; i < n; i++)
    if (list[i].compiler == record->compiler_hash && list[i].threads == record->threads) return true;
  return false;
}

/* Do both have rows of one machine, compiler and number of threads? Of more than MOST builds it is taken for granted. */
static bool overlap(const sc_rows *a, const sc_rows *b) {
  enum { MOST = 64 };
  build list[MOST];
  int n = 0;
  if (sc_machine_fingerprint(&a->machine) != sc_machine_fingerprint(&b->machine)) return false;
  for (size_t i = 0; i < a->n && n < MOST; i++)
    if (!is_listed(list, n, a->record[i])) list[n++] = (build){a->record[i]->compiler_hash, a->record[i]->threads};
  bool found = n == MOST;
  for (size_t i = 0; i < b->n && !found; i++) found = is_listed(list, n, b->record[i]);
  return found;
}

sc_status evaluate_transfer(tool *t, const sc_rows *rows, const char *path, const sc_rows_options *how, int knowledge,
                            const sc_train_options *train, bool json) {
  sc_dataset *dataset;
  sc_kernel_table *kernels = NULL;
  sc_rows source;
  sc_transfer transfer;
  sc_rows_options same = *how;
  char *paths[] = {(char *)(uintptr_t)path};
  SC_TRY(datasets_read(t, 1, paths, &dataset));
  sc_status status = tool_kernels_of(t, NULL, dataset, knowledge, &kernels);
  same.kernels = kernels;
  if (status == SC_OK) status = sc_rows_build(t->arena, t->library, dataset, &same, &source, &t->err);
  if (status == SC_OK && overlap(rows, &source))
    status =
        tool_usage(t, "%s has rows of the same machine, compiler and threads: --base wants those of another", path);
  if (status == SC_OK) status = sc_transfer_evaluate(rows, &source, FEW, train, &transfer, &t->err);
  if (status == SC_OK) print(&transfer, json, &t->out);
  sc_kernel_table_free(kernels);
  sc_dataset_close(dataset, NULL);
  return status;
}
