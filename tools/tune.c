/* tune-sched: searches the schedules of one task with measured feedback. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tools/tune.h"

static const char *const objectives[] = {"time", "code", "scratch", NULL}; /* in the order of tune_objective */
static const char *const strategies[] = {"guided", "descent", "random", "exhaustive", "replay", NULL};

static const option options[] = {
    {"out", 'o', OPTION_TEXT, offsetof(struct tune_options, out), "FILE", "dataset, made or added to (required)", NULL},
    {"model", 0, OPTION_TEXT, offsetof(struct tune_options, model), "FILE", "that guides; default: this machine's",
     NULL},
    {"trials", 'n', OPTION_COUNT, offsetof(struct tune_options, trials), "N", "schedules to try, default 500",
     OPTION_RANGE(1, 1000000)},
    {"strategy", 0, OPTION_CHOICE, offsetof(struct tune_options, strategy), "HOW", "search", strategies},
    {"replay", 0, OPTION_TEXT, offsetof(struct tune_options, replay), "DATASET",
     "for replay: the task's rows, best first", NULL},
    {"objective", 0, OPTION_CHOICE, offsetof(struct tune_options, objective), "WHAT", "what is made small", objectives},
    {"max-code", 0, OPTION_TEXT, offsetof(struct tune_options, max_code), "BYTES", "most bytes of code: 16k", NULL},
    {"max-scratch", 0, OPTION_TEXT, offsetof(struct tune_options, max_scratch), "BYTES", "most bytes of buffers", NULL},
    {"slower", 0, OPTION_REAL, offsetof(struct tune_options, slower), "X",
     "code, scratch: within X times the fastest; 1.1", OPTION_RANGE(1, 1000)},
    {"batch", 0, OPTION_COUNT, offsetof(struct tune_options, batch), "N", "trials between refits, default 32",
     OPTION_RANGE(1, 10000)},
    {"space", 's', OPTION_TEXT, offsetof(struct tune_options, space), "FILE", "default: the operator's", NULL},
    {"threads", 't', OPTION_COUNT, offsetof(struct tune_options, threads), "N",
     "more than 1: parallel ones too; 0: all cores", OPTION_RANGE(0, MOST_THREADS)},
    {"seed", 0, OPTION_COUNT, offsetof(struct tune_options, seed), "N", "of the search", NULL},
    {"emit-c", 0, OPTION_TEXT, offsetof(struct tune_options, emit), "FILE", "the best as C", NULL},
    OPTION_FORCE(struct tune_options),
    OPTION_MACHINE(struct tune_options),
    OPTION_JSON(struct tune_options),
    OPTION_END,
};

/* "16k", "1M", "4096". */
static sc_status read_bytes(tool *t, const char *name, const char *text, double *bytes) {
  char *end;
  *bytes = INFINITY;
  if (!text) return SC_OK;
  *bytes = strtod(text, &end);
  if (*end == 'k' || *end == 'K') *bytes *= 1024, end++;
  else if (*end == 'M') *bytes *= 1048576, end++;
  if (end == text || *end || !(*bytes > 0)) return tool_usage(t, "--%s wants bytes, as in 16k, not '%s'", name, text);
  return SC_OK;
}

/* The machine as its rows name it, the model, the space. */
static sc_status prepare(tuning *u) {
  tool *t = u->t;
  char path[4400];
  sc_machine here;
  SC_TRY(sc_emit_check(u->task, &t->err));
  SC_TRY(platform_open(t, u->o->machine, &u->p));
  SC_TRY(sc_machine_here(&u->p.machine, &here, &t->err));
  u->machine_hash = sc_machine_fingerprint(&here);
  sc_status status = SC_OK;
  if (u->o->strategy == SC_SEARCH_GUIDED || u->o->model)
    status = tool_model(t, u->o->model, &u->p.machine, &u->model, path, sizeof path);
  if (status == SC_NOTFOUND && !u->o->model)
    return sc_fail(&t->err, status,
                   "no model of this machine: name one with --model, or search with --strategy descent");
  SC_TRY(status);
  if (u->model) tool_say(t, "guided by %s", path);
  return tool_space(t, u->o->space, u->task, &u->p, &u->o->force, u->o->threads, &u->space);
}

/* With --emit-c - stdout is the C file's alone. */
static sc_status print(const tuning *u) {
  tool *t = u->t;
  const char *emit = u->o->emit;
  if (u->nfinalists == 0) return sc_fail(&t->err, SC_EXTERNAL, "none of %zu schedules ran and is allowed", u->result.n);
  if (!emit || strcmp(emit, "-") != 0) tune_print(u, strategies[u->o->strategy]);
  if (!emit) return SC_OK;
  return emit_file(t, u->task, &u->result.trial[u->finalist[0].trial].schedule, &u->p.machine, NULL, u->o->emit);
}

static sc_status run(tool *t, const void *given, int n, char **operands) {
  const struct tune_options *o = given;
  tuning u = {.t = t, .o = o};
  if (!o->out) return tool_usage(t, "--out FILE is missing");
  if ((o->strategy == SC_SEARCH_REPLAY) != (o->replay != NULL))
    return tool_usage(t, "--strategy replay and --replay DATASET go together");
  SC_TRY(read_bytes(t, "max-code", o->max_code, &u.max_code));
  SC_TRY(read_bytes(t, "max-scratch", o->max_scratch, &u.max_scratch));
  SC_TRY(tool_task(t, operands[0], &u.task));
  SC_TRY(tool_output(t, o->out));
  if (o->emit && strcmp(o->emit, "-") != 0) SC_TRY(tool_output(t, o->emit));
  interrupt_catch();
  t->terse = true;
  sc_status status = prepare(&u); /* before a dataset is made that nothing would come into */
  if (status == SC_OK) status = sc_dataset_open(o->out, SC_DATASET_APPEND, &u.dataset, &t->err);
  if (status == SC_OK) status = tune_search(&u);
  if (status == SC_OK) status = print(&u);
  sc_status closed = sc_dataset_close(u.dataset, status == SC_OK ? &t->err : NULL);
  tune_free(&u);
  return status == SC_OK ? closed : status;
}

const verb verb_tune = {
    .name = "tune",
    .summary = "searches the schedules of a task with measured feedback",
    .operands = "TASK",
    .details =
        "Proposes schedules, measures them into the dataset, learns from them, and so on: guided by a model that is "
        "corrected after every batch, by descent to better neighbours, at random, through the whole space, or along "
        "the "
        "rows of another dataset. What the dataset knows of the task counts as trials: the same command goes on after "
        "a "
        "stop. At the end the eight best are measured again, five passes, and printed in their order, which "
        "measure-sched "
        "and predict-sched read. With --objective code or scratch the smallest comes first of those that are not much "
        "slower than the fastest.",
    .example = "tune-sched conv2d:H=28,W=28,C=128,K=128,R=3,S=3,pad=1 -o t.h5 --emit-c k.c",
    .options = options,
    .options_size = sizeof(struct tune_options),
    .defaults = &(const struct tune_options){.trials = 500, .batch = 32, .slower = 1.1, .threads = 1},
    .min_operands = 1,
    .max_operands = 1,
    .run = run,
};
