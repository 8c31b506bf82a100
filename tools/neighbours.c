/* sample-sched --neighbours-of: for each schedule of a file some that differ from it in one choice. */
#include <stdlib.h>

#include "tools/sample.h"

enum { DEFAULT_NUMBER = 10, PATIENCE = 200 /* draws without a new one: then there are hardly more */ };

/* Distinct nests, and none is the one that they are neighbours of. */
static sc_status draw_near(tool *t, const sc_space_bound *space, const job *j, size_t n, sc_rng *rng,
                           struct printing *print) {
  sc_nest nest;
  uint64_t *seen = calloc(n + 1, sizeof *seen);
  if (!seen) return sc_fail(&t->err, SC_NOMEM, "no memory for %zu schedules", n);
  job_nest(j, &nest);
  seen[0] = sc_nest_hash(j->task, &nest);
  sc_status status = SC_OK;
  size_t found = 1;
  for (int misses = 0; found <= n && misses < PATIENCE && status == SC_OK; misses++) {
    sc_schedule near;
    status = sc_space_neighbour(space, &j->schedule, rng, &near);
    if (status == SC_OK) status = sc_lower(j->task, &near, &nest, &t->err);
    const uint64_t hash = status == SC_OK ? sc_nest_hash(j->task, &nest) : 0;
    size_t i = 0;
    while (i < found && seen[i] != hash) i++;
    if (status != SC_OK || i < found) continue;
    seen[found++] = hash;
    misses = 0;
    status = print_one(print, &near);
  }
  free(seen);
  if (status == SC_NOTFOUND)
    return job_failed(
        t, j, "",
        sc_fail(&t->err, status, "the space of %s does not hold this schedule, or nothing else", j->task->text));
  return status;
}

static void print_head(tool *t, const struct sample_options *o, const job *j, bool first, bool other_task) {
  sc_str *out = &t->out;
  if (o->json) {
    sc_str text = {0};
    sc_schedule_print(j->task, &j->schedule, &text);
    sc_str_add(out, first ? "[{" : ",\n{");
    json_text(out, "task", j->task->text);
    json_text(out, "of", sc_str_text(&text));
    json_key(out, "schedules");
    sc_str_add(out, "[");
    sc_str_free(&text);
    return;
  }
  if (other_task) {
    print_task_line(out, j->task);
    print_origin_line(out, &(sc_origin){SC_PROPOSED_NEIGHBOUR, 0});
  }
  sc_str_printf(out, "# neighbours of %s:%d\n", j->where, j->line);
}

sc_status sample_neighbours(tool *t, const struct sample_options *o) {
  char *file = (char *)(uintptr_t)o->near; /* as argv has it */
  job_list jobs;
  platform p;
  sc_rng rng;
  sc_space_bound *space = NULL;
  SC_TRY(jobs_read(t, 1, &file, &jobs));
  sc_rng_seed(&rng, (uint64_t)o->seed, 0);
  sc_status status = platform_open(t, o->machine, &p);
  for (size_t i = 0; i < jobs.n && status == SC_OK; i++) {
    const job *j = &jobs.job[i];
    const bool other = i == 0 || jobs.job[i - 1].task != j->task;
    struct printing print = {t, j->task, 0, o->json};
    if (other && space) sc_space_unbind(space);
    if (other) status = tool_space(t, o->space, j->task, &p, &o->force, o->threads, &space);
    if (status != SC_OK) break;
    print_head(t, o, j, i == 0, other);
    status = draw_near(t, space, j, o->number ? (size_t)o->number : DEFAULT_NUMBER, &rng, &print);
    if (o->json) sc_str_add(&t->out, "]}");
  }
  if (o->json) sc_str_add(&t->out, "]\n");
  if (space) sc_space_unbind(space);
  platform_close(&p);
  jobs_free(&jobs);
  return status;
}
