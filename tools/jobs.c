/* Jobs: the schedules of files, with the line where each stands. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/tools.h"

struct reading {
  tool *t;
  job_list *jobs;
  const char *where, *text;
};

sc_status jobs_add(tool *t, job_list *jobs, const sc_task *task, const sc_schedule *schedule, sc_origin origin) {
  if (jobs->n == jobs->cap) {
    size_t cap = jobs->cap ? jobs->cap * 2 : 64;
    job *grown = realloc(jobs->job, cap * sizeof *grown);
    if (!grown) return sc_fail(&t->err, SC_NOMEM, "no memory for %zu schedules", cap);
    jobs->job = grown;
    jobs->cap = cap;
  }
  job *j = &jobs->job[jobs->n];
  j->task = task;
  j->schedule = *schedule;
  j->origin = origin;
  j->where = j->text = NULL;
  j->line = 0;
  sc_nest nest;
  SC_TRY(sc_lower(task, schedule, &nest, &t->err));
  jobs->n++;
  return SC_OK;
}

void job_nest(const job *j, sc_nest *nest) {
  sc_status status = sc_lower(j->task, &j->schedule, nest, NULL);
  SC_ASSERT(status == SC_OK);
}

sc_status jobs_add_one(void *user, const sc_schedule *schedule) {
  jobs_adding *a = user;
  return jobs_add(a->t, a->jobs, a->task, schedule, a->origin);
}

sc_status jobs_measure(tool *t, const sc_machine *machine, const job_list *jobs, sc_campaign_options options,
                       sc_dataset *dataset, sc_campaign_report *report) {
  progress bar;
  sc_work *work = calloc(jobs->n + 1, sizeof *work);
  if (!work) return sc_fail(&t->err, SC_NOMEM, "no memory for %zu schedules", jobs->n);
  for (size_t i = 0; i < jobs->n; i++) {
    const job *j = &jobs->job[i];
    work[i] = (sc_work){j->task, j->schedule, (uint8_t)j->origin.proposal, j->origin.model_hash};
  }
  const bool own = options.progress != NULL;
  if (!own) {
    options.progress = progress_campaign;
    options.progress_user = &bar;
  }
  options.stop = interrupt_flag();
  options.log = t->log;
  if (!own) progress_begin(&bar);
  sc_status status = sc_campaign_run(machine, work, jobs->n, &options, dataset, report, &t->err);
  if (!own) progress_end(&bar);
  free(work);
  return status;
}

static sc_status add_read(void *user, const sc_listed *listed) {
  struct reading *r = user;
  SC_TRY(jobs_add(r->t, r->jobs, listed->task, listed->schedule, listed->origin));
  job *added = &r->jobs->job[r->jobs->n - 1];
  added->where = r->where;
  added->text = r->text;
  added->line = listed->line;
  return SC_OK;
}

sc_status job_failed(tool *t, const job *j, const char *clause, sc_status status) {
  if (!j->where) return status;
  const sc_error failed = t->err;
  const char *line = j->text;
  for (int i = 1; i < j->line; i++) line += strcspn(line, "\n") + 1;
  sc_reader r;
  sc_reader_init(&r, j->where, line, strcspn(line, "\n"), false, &t->err);
  sc_reader_next(&r); /* the word `schedule` */
  sc_token at = r.token;
  while (r.token.kind != SC_TOKEN_END && !sc_reader_is(&r, clause)) sc_reader_next(&r);
  if (r.token.kind != SC_TOKEN_END) at = r.token;
  at.line = j->line;
  sc_reader_fail_at(&r, &at, status, "%s", failed.text);
  return status;
}

sc_status jobs_compilers(tool *t, const job_list *jobs, const sc_machine *machine) {
  size_t i = 0;
  while (i < jobs->n && sc_machine_compiler(machine, jobs->job[i].schedule.compile)) i++;
  if (i == jobs->n) return SC_OK;
  const job *j = &jobs->job[i];
  sc_str names = {0};
  for (int c = 0; c < machine->ncompilers; c++) sc_str_printf(&names, "%s%s", c ? ", " : "", machine->compiler[c].name);
  sc_status status = j->schedule.compile[0]
                         ? sc_fail(&t->err, SC_NOTFOUND, "no compiler '%s' on the machine %s: it has %.200s",
                                   j->schedule.compile, machine->name, sc_str_text(&names))
                         : sc_fail(&t->err, SC_NOTFOUND, "no `compile` clause: the machine %s has %.200s",
                                   machine->name, sc_str_text(&names));
  sc_str_free(&names);
  return job_failed(t, j, "compile", status);
}

sc_status jobs_parse(tool *t, const char *where, const char *text, size_t len, job_list *jobs) {
  struct reading r = {t, jobs, where, text};
  sc_status status = tool_library(t);
  if (status == SC_OK) status = sc_schedules_read(t->arena, t->library, where, text, len, add_read, &r, &t->err);
  return status;
}

sc_status jobs_read(tool *t, int nfiles, char **files, job_list *jobs) {
  *jobs = (job_list){0};
  for (int i = 0; i < nfiles; i++) {
    const char *where;
    char *text;
    size_t len;
    sc_status status = tool_read(t, files[i], &where, &text, &len);
    if (status == SC_OK) status = jobs_parse(t, where, text, len, jobs);
    if (status != SC_OK) jobs_free(jobs);
    SC_TRY(status);
  }
  if (jobs->n) return SC_OK;
  return sc_fail(&t->err, SC_PARSE, "no schedule in %s", nfiles == 1 ? files[0] : "these files");
}

void jobs_free(job_list *jobs) {
  free(jobs->job);
  *jobs = (job_list){0};
}
