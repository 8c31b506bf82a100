/* One shard of a campaign. What it measures is drawn once and kept in OUT.shards/NNN-draw.sched, NNN-round-1.sched, ..,
 * which measure-sched reads too: a campaign that goes on measures what it began with, whatever the kernel table or a
 * model have learned since. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/campaign.h"

enum { PATH = 4400 };

typedef struct stage {
  campaign *c;
  size_t first, n; /* tasks */
  int round; /* 0: the draws */
  char path[PATH];
} stage;

static stage stage_of(campaign *c, size_t shard, int round) {
  const size_t per = (size_t)c->recipe.shard, first = shard * per;
  stage s = {c, first, c->ntasks - first < per ? c->ntasks - first : per, round, ""};
  if (round) snprintf(s.path, sizeof s.path, "%.4000s.shards/%03zu-round-%d.sched", c->out, shard + 1, round);
  else snprintf(s.path, sizeof s.path, "%.4000s.shards/%03zu-draw.sched", c->out, shard + 1);
  return s;
}

uint64_t campaign_seed(const campaign *c, const sc_task *task, int round, int draw) {
  const uint64_t part[] = {c->recipe.seed, task->hash, (uint64_t)round, (uint64_t)draw};
  return sc_hash64(part, sizeof part, 0);
}

/* ---- drawing ---- */

static sc_status draw_one(campaign *c, const sc_task *task, int number, job_list *jobs) {
  tool *t = c->t;
  const sc_recipe_draw *d = &c->recipe.draw[number];
  const int cores = (int)c->p.machine.cores.value, all = c->recipe.threads ? c->recipe.threads : cores;
  const int threads = d->parallel ? all : 1;
  const sc_target target = {&c->p.machine, c->p.kernels, threads};
  const uint64_t seed = campaign_seed(c, task, 0, number);
  jobs_adding a = {t, jobs, task, {d->how, 0}};
  sc_space_bound *space;
  SC_TRY(tool_space(t, NULL, task, &c->p, NULL, threads, &space));
  const size_t n = (size_t)d->n;
  sc_status status = d->how == SC_PROPOSED_STRATIFIED
                         ? sc_draw_stratified(space, task, &target, n, seed, jobs_add_one, &a, &t->err)
                         : sc_space_sample(space, SC_SAMPLE_UNIFORM, n, seed, jobs_add_one, &a, &t->err);
  sc_space_unbind(space);
  return status;
}

static sc_status draw(const stage *s, job_list *jobs) {
  for (size_t i = 0; i < s->n; i++)
    for (int d = 0; d < s->c->recipe.ndraws; d++) SC_TRY(draw_one(s->c, s->c->task[s->first + i], d, jobs));
  return SC_OK;
}

/* ---- keeping ---- */

static sc_status keep(const stage *s, const job_list *jobs) {
  sc_str text = {0};
  const job *last = NULL;
  for (size_t i = 0; i < jobs->n; last = &jobs->job[i++]) {
    const job *j = &jobs->job[i];
    if (!last || last->task != j->task) print_task_line(&text, j->task);
    if (!last || last->task != j->task || last->origin.proposal != j->origin.proposal ||
        last->origin.model_hash != j->origin.model_hash)
      print_origin_line(&text, &j->origin);
    print_schedule_line(&text, j->task, &j->schedule, NULL);
  }
  sc_status status = text.failed ? sc_fail(&s->c->t->err, SC_NOMEM, "no memory for the schedules of %s", s->path)
                                 : sc_file_write_atomic(s->path, sc_str_text(&text), text.len, &s->c->t->err);
  sc_str_free(&text);
  return status;
}

/* Reads what an earlier run drew or proposed, else does it now. */
static sc_status choose(const stage *s, job_list *jobs) {
  tool *t = s->c->t;
  const char *where;
  char *text;
  size_t len;
  if (file_exists(s->path)) {
    SC_TRY(tool_read(t, s->path, &where, &text, &len));
    return jobs_parse(t, where, text, len, jobs);
  }
  job_list fresh = {0};
  sc_status status = s->round ? campaign_propose(s->c, s->first, s->n, s->round, &fresh) : draw(s, &fresh);
  if (status == SC_OK) status = keep(s, &fresh);
  for (size_t i = 0; i < fresh.n && status == SC_OK; i++)
    status = jobs_add(t, jobs, fresh.job[i].task, &fresh.job[i].schedule, fresh.job[i].origin);
  jobs_free(&fresh);
  return status;
}

sc_status campaign_draw(campaign *c, size_t shard, job_list *jobs) {
  const stage s = stage_of(c, shard, 0);
  return choose(&s, jobs);
}

sc_status campaign_shard(campaign *c, size_t shard, sc_campaign_report *report) {
  tool *t = c->t;
  const sc_campaign_options o = {.measure = {.threads = c->recipe.threads},
                                 .passes = c->recipe.passes,
                                 .most_passes = c->recipe.most_passes,
                                 .seed = c->recipe.seed};
  job_list jobs = {0};
  size_t visits = 0;
  sc_status status = SC_OK;
  for (int round = 0; round <= c->recipe.nrounds && status == SC_OK; round++) {
    const stage s = stage_of(c, shard, round);
    status = *interrupt_flag() ? SC_INTERRUPTED : choose(&s, &jobs);
    if (status == SC_OK) status = kernels_measure(t, &c->p, &jobs);
    if (status == SC_OK) status = jobs_measure(t, &c->p.machine, &jobs, o, c->dataset, report);
    visits += report->visits;
    report->visits = 0; /* of the next round, when that is interrupted before it begins */
  }
  report->visits = visits;
  jobs_free(&jobs);
  return status;
}
