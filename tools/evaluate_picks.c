/* evaluate-sched --picks: schedules that several methods picked, compared by what was measured. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/evaluate.h"

enum { MOST_METHODS = 16 };

typedef struct picks {
  sc_method_pick *pick;
  size_t n;
  char name[MOST_METHODS][SC_NAME];
  job_list jobs[MOST_METHODS];
  int nmethods;
} picks;

/* The first schedule of each task of a file is the method's pick. */
static sc_status add_file(tool *t, picks *p, const char *path) {
  job_list *jobs = &p->jobs[p->nmethods];
  char *files[] = {(char *)path};
  SC_TRY(jobs_read(t, 1, files, jobs));
  sc_method_pick *more = realloc(p->pick, (p->n + jobs->n + 1) * sizeof *more);
  if (!more) return sc_fail(&t->err, SC_NOMEM, "no memory for %zu picks", jobs->n);
  p->pick = more;
  for (size_t i = 0; i < jobs->n; i++) {
    const job *j = &jobs->job[i];
    bool first = true;
    for (size_t k = 0; k < i && first; k++) first = strcmp(jobs->job[k].task->text, j->task->text) != 0;
    sc_nest nest;
    if (!first) continue;
    job_nest(j, &nest);
    p->pick[p->n++] = (sc_method_pick){p->nmethods, j->task->text, sc_nest_hash(j->task, &nest)};
  }
  p->nmethods++;
  return SC_OK;
}

static sc_status add_method(tool *t, picks *p, const char *text) {
  const char *equals = strchr(text, '=');
  const size_t len = equals ? (size_t)(equals - text) : 0;
  if (!equals || len == 0 || len >= SC_NAME || !equals[1])
    return tool_usage(t, "--picks wants NAME=FILE, not '%.80s'", text);
  if (p->nmethods == MOST_METHODS) return tool_usage(t, "at most %d --picks", MOST_METHODS);
  memcpy(p->name[p->nmethods], text, len);
  return add_file(t, p, equals + 1);
}

/* ---- printing ---- */

static void put_metric(sc_str *out, const sc_metric *m) {
  if (isfinite(m->low)) sc_str_printf(out, "  %.3f [%.3f-%.3f]", m->value, m->low, m->high);
  else sc_str_printf(out, "  %.3f [-]%10s", m->value, "");
}

static void put_line(sc_str *out, const char *name, const sc_method_score *s) {
  sc_str_printf(out, "%-20s %5zu", name, s->tasks);
  put_metric(out, &s->reached);
  put_metric(out, &s->within2);
  put_metric(out, &s->within5);
  if (s->tasks) sc_str_printf(out, "  %.3f", s->least);
  if (s->missing) sc_str_printf(out, "  (%zu not measured)", s->missing);
  sc_str_add(out, "\n");
}

static void put_json(sc_str *out, const char *name, const sc_method_score *s) {
  json_item(out);
  sc_str_add(out, "{");
  json_text(out, "method", name);
  json_count(out, "tasks", s->tasks);
  json_count(out, "missing", s->missing);
  json_metric(out, "reached", &s->reached);
  json_metric(out, "within_2_percent", &s->within2);
  json_metric(out, "within_5_percent", &s->within5);
  json_real(out, "least", s->least);
  sc_str_add(out, "}");
}

static void print(tool *t, const picks *p, const sc_rows *rows, const sc_method_score *method,
                  const sc_method_score *draws, bool json) {
  static const char *const drawn[SC_METHOD_DRAWS] = {"1 draw", "10 draws", "100 draws"};
  sc_str *out = &t->out;
  if (json) sc_str_add(out, "[");
  else
    sc_str_printf(out,
                  "against the fastest of %zu schedules of %zu tasks, %zu groups; [95 %% by a bootstrap over "
                  "groups]\n\n%-20s %5s  %-19s  %-19s  %-19s  %s\n",
                  rows->n, rows->ntasks, rows->ngroups, "", "tasks", "of its speed", "within 2 %", "within 5 %",
                  "least");
  for (int m = 0; m < p->nmethods; m++) (json ? put_json : put_line)(out, p->name[m], &method[m]);
  for (int d = 0; d < SC_METHOD_DRAWS; d++)
    if (draws[d].tasks) (json ? put_json : put_line)(out, drawn[d], &draws[d]);
  if (json) sc_str_add(out, "]\n");
}

sc_status evaluate_picks(tool *t, const sc_rows *rows, const text_list *files, uint64_t seed, bool json) {
  picks p = {0};
  sc_method_score method[MOST_METHODS], draws[SC_METHOD_DRAWS];
  sc_status status = SC_OK;
  for (int i = 0; i < files->n && status == SC_OK; i++) status = add_method(t, &p, files->text[i]);
  if (status == SC_OK) status = sc_methods_compare(rows, p.pick, p.n, p.nmethods, seed, method, draws, &t->err);
  if (status == SC_OK) print(t, &p, rows, method, draws, json);
  for (int m = 0; m < MOST_METHODS; m++) jobs_free(&p.jobs[m]);
  free(p.pick);
  return status;
}
