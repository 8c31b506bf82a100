/* measure-sched: runs a campaign over schedule files and keeps everything in a dataset. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/measure.h"

struct measure_options {
  const char *out, *machine, *counters, *shard, *passes;
  int64_t threads, seed, active;
  double timeout, memory;
  bool cold, retry, json;
};

static const option options[] = {
    {"out", 'o', OPTION_TEXT, offsetof(struct measure_options, out), "FILE", "dataset, made or added to (required)",
     NULL},
    {"passes", 'p', OPTION_TEXT, offsetof(struct measure_options, passes), "N|auto",
     "visits of each schedule, default 3", NULL},
    {"threads", 't', OPTION_COUNT, offsetof(struct measure_options, threads), "N",
     "of parallel schedules; default: all cores", OPTION_RANGE(0, MOST_THREADS)},
    {"counters", 0, OPTION_TEXT, offsetof(struct measure_options, counters), "EVENTS",
     "PAPI events, comma-separated, or `list`", NULL},
    {"timeout", 0, OPTION_REAL, offsetof(struct measure_options, timeout), "S", "seconds of one visit, default 10",
     OPTION_RANGE(0.01, 86400)},
    {"memory", 0, OPTION_REAL, offsetof(struct measure_options, memory), "GIB", "memory of one visit, default 4",
     OPTION_RANGE(0.01, 1048576)},
    {"active", 0, OPTION_COUNT, offsetof(struct measure_options, active), "N", "only N of them, that a model asks for",
     OPTION_RANGE(1, 1 << 24)},
    {"cold", 0, OPTION_FLAG, offsetof(struct measure_options, cold), NULL, "empty the caches before each repeat", NULL},
    {"retry", 0, OPTION_FLAG, offsetof(struct measure_options, retry), NULL, "measure again what timed out before",
     NULL},
    {"shard", 0, OPTION_TEXT, offsetof(struct measure_options, shard), "I/N", "only part I of N: whole tasks", NULL},
    {"seed", 0, OPTION_COUNT, offsetof(struct measure_options, seed), "N", "of inputs and orders", NULL},
    OPTION_MACHINE(struct measure_options),
    OPTION_JSON(struct measure_options),
    OPTION_END,
};

static sc_status list_counters(tool *t) {
  sc_counter_list(&t->out);
  return SC_OK;
}

/* Events that cannot be had are recorded as such and no reason to stop. */
static void warn_counters(tool *t, const char *counters) {
  for (const char *p = counters; p && *p; p += *p == ',') {
    char event[64], reason[256] = "";
    size_t len = strcspn(p, ",");
    snprintf(event, sizeof event, "%.*s", (int)(len < 63 ? len : 63), p);
    if (len) sc_counter_reason(event, reason, sizeof reason);
    if (reason[0]) tool_say(t, "counter %s cannot be had: %s", event, reason);
    p += len;
  }
}

sc_status shard_parse(tool *t, const char *text, sc_campaign_options *c) {
  int end = 0;
  if (!text) return SC_OK;
  if (sscanf(text, "%d/%d%n", &c->shard, &c->nshards, &end) != 2 || text[end] || c->nshards < 1 || c->shard < 0 ||
      c->shard >= c->nshards)
    return tool_usage(t, "--shard wants I/N with 0 <= I < N, not '%s'", text);
  return SC_OK;
}

/* `auto`: three, and up to eight for a task whose passes do not agree. */
static sc_status parse_passes(tool *t, const char *text, sc_campaign_options *c) {
  char *end;
  if (!text) return SC_OK;
  if (strcmp(text, "auto") == 0) {
    c->most_passes = 8;
    return SC_OK;
  }
  const long passes = strtol(text, &end, 10);
  if (end == text || *end || passes < 1 || passes > SC_MAX_PASSES)
    return tool_usage(t, "--passes wants 1 to %d or auto, not '%s'", SC_MAX_PASSES, text);
  c->passes = (int)passes;
  return SC_OK;
}

static sc_status campaign(tool *t, const struct measure_options *o, const platform *p, const job_list *jobs) {
  sc_campaign_report report = {0};
  sc_dataset *dataset;
  sc_campaign_options c = {.measure = {.threads = (int)o->threads,
                                       .timeout_s = o->timeout,
                                       .memory_bytes = (size_t)(o->memory * 0x1p30),
                                       .cold = o->cold,
                                       .seed = (uint64_t)o->seed,
                                       .counters = o->counters},
                           .retry = o->retry,
                           .seed = (uint64_t)o->seed};
  SC_TRY(shard_parse(t, o->shard, &c));
  SC_TRY(parse_passes(t, o->passes, &c));
  sc_status status = sc_dataset_open(o->out, SC_DATASET_APPEND, &dataset, &t->err);
  if (status == SC_OK) {
    warn_counters(t, o->counters);
    interrupt_catch();
    status = o->active ? measure_active(t, p, jobs, (size_t)o->active, c, dataset, &report)
                       : jobs_measure(t, &p->machine, jobs, c, dataset, &report);
    sc_status closed = sc_dataset_close(dataset, status == SC_OK ? &t->err : NULL);
    if (status == SC_OK) status = closed;
    if (status == SC_INTERRUPTED)
      sc_fail(&t->err, status, "interrupted; what was measured is in %s, the same command goes on", o->out);
    if (report.given_up) tool_say(t, "%zu schedules timed out before; --retry measures them again", report.given_up);
    if (status == SC_OK || status == SC_INTERRUPTED) print_report(&t->out, o->out, &report, o->json);
  }
  return status;
}

/* Asked before a dataset is made that nothing would come into. */
static sc_status can_run(tool *t, const sc_machine *machine) {
  sc_runner *runner;
  SC_TRY(sc_runner_open(machine, &runner, &t->err));
  sc_runner_close(runner);
  return SC_OK;
}

static sc_status run(tool *t, const void *given, int n, char **operands) {
  const struct measure_options *o = given;
  job_list jobs;
  platform p;
  if (o->counters && strcmp(o->counters, "list") == 0) return list_counters(t);
  SC_TRY(parse_passes(t, o->passes, &(sc_campaign_options){0})); /* before a long input is read */
  SC_TRY(shard_parse(t, o->shard, &(sc_campaign_options){0}));
  if (!o->out) return tool_usage(t, "--out FILE is missing");
  if (o->active && (o->shard || o->cold || o->retry))
    return tool_usage(t, "--active learns from all that it measures, warm and once: no --shard, --cold, --retry");
  if (n == 0) return tool_usage(t, "FILE is missing; - is standard input");
  SC_TRY(jobs_read(t, n, operands, &jobs));
  sc_status status = platform_open(t, o->machine, &p);
  if (status == SC_OK) {
    status = jobs_compilers(t, &jobs, &p.machine);
    if (status == SC_OK) status = can_run(t, &p.machine);
    if (status == SC_OK) status = campaign(t, o, &p, &jobs);
    platform_close(&p);
  }
  jobs_free(&jobs);
  return status;
}

const verb verb_measure = {
    .name = "measure",
    .summary = "compiles, checks and times schedules into a dataset",
    .operands = "FILE...",
    .details =
        "Visits every schedule of the files (- is standard input) once per pass, each pass in another random order, in "
        "a child "
        "process with limits, and compares its result with the reference first. A schedule that does not compile, "
        "crashes, "
        "hangs or computes something wrong is a recorded outcome. Schedules that are in the dataset with enough passes "
        "are skipped: an interrupted campaign goes on where it was. With `--passes auto` a task whose passes do not "
        "agree on "
        "their best gets up to eight. Nothing measured is ever lost, not by kill -9 "
        "either.",
    .example = "sample-sched matmul:M=512,N=512,K=512 -n 50 | measure-sched - -o d.h5",
    .options = options,
    .options_size = sizeof(struct measure_options),
    .max_operands = -1,
    .run = run,
};
