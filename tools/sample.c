/* sample-sched: draws schedules of a task from a space, or counts them. */
#include <stdlib.h>
#include <string.h>

#include "tools/sample.h"

static const char *const samplings[] = {"uniform", "sobol", "exhaustive", "stratified", NULL};
enum { STRATIFIED = SC_SAMPLE_EXHAUSTIVE + 1 };

static const option options[] = {
    {"number", 'n', OPTION_COUNT, offsetof(struct sample_options, number), "N",
     "how many; default 100, exhaustive: all", OPTION_RANGE(1, 1000000000)},
    {"space", 's', OPTION_TEXT, offsetof(struct sample_options, space), "FILE", "space file; default: the operator's",
     NULL},
    {"sampling", 0, OPTION_CHOICE, offsetof(struct sample_options, sampling), "HOW", "how to draw", samplings},
    {"neighbours-of", 0, OPTION_TEXT, offsetof(struct sample_options, near), "FILE",
     "of each of its schedules, default 10", NULL},
    {"seed", 0, OPTION_COUNT, offsetof(struct sample_options, seed), "N", "equal seeds draw equal schedules", NULL},
    {"count", 'c', OPTION_FLAG, offsetof(struct sample_options, count), NULL,
     "print how many distinct schedules there are", NULL},
    {"threads", 't', OPTION_COUNT, offsetof(struct sample_options, threads), "N",
     "more than 1: parallel ones too; 0: all cores", OPTION_RANGE(0, MOST_THREADS)},
    OPTION_FORCE(struct sample_options),
    OPTION_MACHINE(struct sample_options),
    OPTION_JSON(struct sample_options),
    OPTION_END,
};

sc_status print_one(void *user, const sc_schedule *schedule) {
  struct printing *p = user;
  sc_str *out = &p->t->out;
  p->n++;
  if (!p->json) {
    print_schedule_line(out, p->task, schedule, NULL);
    return out->len < 1 << 16 ? SC_OK : tool_flush(p->t);
  }
  sc_str text = {0};
  sc_schedule_print(p->task, schedule, &text);
  json_item(out);
  sc_json_string(out, sc_str_text(&text));
  sc_str_free(&text);
  return SC_OK;
}

/* The first schedules of an order, and points that a sequence places, are no random draws; the whole space is as good
 * as one. */
static sc_proposal proposed(const struct sample_options *o, bool whole) {
  if (o->sampling == STRATIFIED) return SC_PROPOSED_STRATIFIED;
  return o->sampling == SC_SAMPLE_UNIFORM || whole ? SC_PROPOSED_UNIFORM : SC_PROPOSED_USER;
}

static void print_head(tool *t, const struct sample_options *o, const sc_task *task, const char *count, bool whole) {
  sc_str *out = &t->out;
  if (!o->json) {
    sc_str_printf(out, "# of %s distinct schedules; %s, seed %lld\n", count, samplings[o->sampling],
                  (long long)o->seed);
    print_task_line(out, task);
    print_origin_line(out, &(sc_origin){proposed(o, whole), 0});
    return;
  }
  sc_str_add(out, "{");
  json_text(out, "task", task->text);
  json_hash(out, "task_hash", task->hash);
  json_text(out, "count", count); /* up to 128 bits */
  json_text(out, "sampling", samplings[o->sampling]);
  json_count(out, "seed", (uint64_t)o->seed);
  json_key(out, "schedules");
  sc_str_add(out, "[");
}

static sc_status print_count(tool *t, bool json, const sc_task *task, const char *count) {
  if (!json) {
    sc_str_printf(&t->out, "%s\n", count);
    return SC_OK;
  }
  sc_str_add(&t->out, "{");
  json_text(&t->out, "task", task->text);
  json_text(&t->out, "count", count);
  sc_str_add(&t->out, "}\n");
  return SC_OK;
}

static sc_status draw(tool *t, const struct sample_options *o, const sc_task *task, const platform *p,
                      const sc_space_bound *space) {
  char count[40];
  struct printing print = {t, task, 0, o->json};
  sc_count all = sc_space_count(space);
  sc_u128_print(all, count);
  if (o->count) return print_count(t, o->json, task, count);
  size_t n = o->number ? (size_t)o->number : o->sampling == SC_SAMPLE_EXHAUSTIVE ? SIZE_MAX : 100;
  if (all < n) n = (size_t)all;
  print_head(t, o, task, count, o->sampling == SC_SAMPLE_EXHAUSTIVE && n == all);
  uint64_t seed = (uint64_t)o->seed;
  const sc_target target = {&p->machine, p->kernels, (int)p->machine.cores.value};
  if (o->sampling == STRATIFIED) SC_TRY(sc_draw_stratified(space, task, &target, n, seed, print_one, &print, &t->err));
  else SC_TRY(sc_space_sample(space, (sc_sampling)o->sampling, n, seed, print_one, &print, &t->err));
  if (o->json) sc_str_add(&t->out, "]}\n");
  if (print.n < n) tool_say(t, "%zu schedules instead of %zu", print.n, n);
  return SC_OK;
}

static sc_status run(tool *t, const void *given, int n, char **operands) {
  const struct sample_options *o = given;
  const sc_task *task;
  platform p;
  sc_space_bound *space = NULL;
  if (o->near && (n || o->count || o->sampling))
    return tool_usage(t, "--neighbours-of takes no TASK, --count or --sampling: its file has the tasks");
  if (o->near) return sample_neighbours(t, o);
  if (!n) return tool_usage(t, "TASK is missing");
  SC_TRY(tool_task(t, operands[0], &task));
  SC_TRY(platform_open(t, o->machine, &p));
  sc_status status = tool_space(t, o->space, task, &p, &o->force, o->threads, &space);
  if (status == SC_OK) status = draw(t, o, task, &p, space);
  if (space) sc_space_unbind(space);
  platform_close(&p);
  return status;
}

const verb verb_sample = {
    .name = "sample",
    .summary = "draws schedules of a task from a space, or counts them",
    .operands = "TASK | --neighbours-of FILE",
    .details =
        "Prints a `task` line and one `schedule` line for each schedule, which measure-sched, predict-sched "
        "--rank and show-sched "
        "read. All schedules are legal and distinct. Uniform draws without replacement; sobol spreads the draws "
        "evenly; "
        "exhaustive goes through the space in its order; stratified draws 20 times as many and keeps more of "
        "those that "
        "the analytic model finds fast. Neighbours differ from a schedule in one choice and in what follows from "
        "it.",
    .example = "sample-sched conv2d:H=56,W=56,C=64,K=64,R=3,S=3,pad=1 -n 200 --seed 1\n"
               "  sample-sched matmul:M=512,N=512,K=512 --force \"vector j\" --count",
    .options = options,
    .defaults = &(const struct sample_options){.threads = 1},
    .options_size = sizeof(struct sample_options),
    .max_operands = 1,
    .run = run,
};
