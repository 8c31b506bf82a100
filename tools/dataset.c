/* dataset-sched: what is in a dataset, joining, checking, exporting, repairing. */
#include <stdio.h>
#include <string.h>

#include "tools/dataset.h"

static const option options[] = {
    {"out", 'o', OPTION_TEXT, offsetof(struct dataset_options, out), "FILE", "merge, repair: the dataset to write",
     NULL},
    {"task", 0, OPTION_TEXT, offsetof(struct dataset_options, task), "TEXT",
     "merge: only rows whose task has TEXT in it", NULL},
    {"compiler", 0, OPTION_TEXT, offsetof(struct dataset_options, compiler), "TEXT", "merge: whose compiler has", NULL},
    {"shard", 0, OPTION_TEXT, offsetof(struct dataset_options, shard), "TEXT", "merge: whose shard has", NULL},
    {"visits", 0, OPTION_COUNT, offsetof(struct dataset_options, visits), "N", "merge: only tasks all visited N times",
     OPTION_RANGE(1, SC_MAX_PASSES)},
    {"csv", 0, OPTION_FLAG, offsetof(struct dataset_options, csv), NULL, "export: comma-separated values", NULL},
    {"schedules", 0, OPTION_FLAG, offsetof(struct dataset_options, schedules), NULL,
     "export: a file of schedules, to measure them again", NULL},
    {"recodegen", 0, OPTION_FLAG, offsetof(struct dataset_options, recodegen), NULL,
     "verify: recompile, mark stale rows", NULL},
    OPTION_MACHINE(struct dataset_options),
    OPTION_JSON(struct dataset_options),
    OPTION_END,
};

/* All inputs are read before anything is written: one that cannot be leaves the output as it was. */
static sc_status merge(tool *t, const struct dataset_options *o, int n, char **paths) {
  sc_dataset *into = NULL, *from;
  size_t before = 0, after = 0;
  if (!o->out) return tool_usage(t, "merge wants --out FILE");
  SC_TRY(datasets_read(t, n, paths, &from));
  sc_status status = dataset_selects(o) ? dataset_select(t, o, &from) : SC_OK;
  if (status == SC_OK) status = sc_dataset_open(o->out, SC_DATASET_APPEND, &into, &t->err);
  if (status == SC_OK) {
    before = sc_dataset_count(into);
    status = sc_dataset_merge(into, from, &t->err);
    after = sc_dataset_count(into);
  }
  sc_dataset_close(from, NULL);
  sc_status closed = sc_dataset_close(into, status == SC_OK ? &t->err : NULL);
  if (status == SC_OK) status = closed;
  if (status != SC_OK) return status;
  if (o->json) {
    sc_str_add(&t->out, "{");
    json_text(&t->out, "dataset", o->out);
    json_count(&t->out, "rows", after);
    json_count(&t->out, "new", after - before);
    sc_str_add(&t->out, "}\n");
  } else {
    sc_str_printf(&t->out, "%s: %zu rows, %zu of them new\n", o->out, after, after - before);
  }
  return SC_OK;
}

/* What a dataset is made of, to be measured again: on another machine, or on this one on a calmer day. */
static void export_schedules(const sc_dataset *dataset, sc_str *out) {
  const char *task = "";
  sc_origin said = {.proposal = SC_PROPOSED_USER};
  for (size_t i = 0; i < sc_dataset_count(dataset); i++) {
    const sc_record *record = sc_dataset_at(dataset, i);
    const sc_origin origin = {.proposal = (sc_proposal)record->proposal, .model_hash = record->model_hash};
    if (strcmp(task, record->task) != 0) sc_str_printf(out, "task %s\n", record->task);
    if (origin.proposal != said.proposal || origin.model_hash != said.model_hash) print_origin_line(out, &origin);
    sc_str_printf(out, "schedule %s\n", record->schedule);
    task = record->task;
    said = origin;
  }
}

static sc_status export(tool *t, const struct dataset_options *o, int n, char **paths) {
  sc_dataset *dataset;
  sc_status status = SC_OK;
  if (o->csv == o->schedules) return tool_usage(t, "export wants --csv or --schedules");
  SC_TRY(datasets_read(t, n, paths, &dataset));
  if (o->csv) status = sc_dataset_export_csv(dataset, &t->out);
  else export_schedules(dataset, &t->out);
  sc_dataset_close(dataset, NULL);
  return status == SC_OK ? SC_OK : sc_fail(&t->err, status, "no memory for the export");
}

static sc_status repair(tool *t, const struct dataset_options *o, int n, char **paths) {
  size_t rows;
  if (!o->out || n != 1) return tool_usage(t, "repair wants one file and --out FILE");
  SC_TRY(sc_dataset_repair(paths[0], o->out, &rows, &t->err));
  if (o->json) {
    sc_str_add(&t->out, "{");
    json_text(&t->out, "dataset", o->out);
    json_count(&t->out, "rows", rows);
    sc_str_add(&t->out, "}\n");
  } else {
    sc_str_printf(&t->out, "%s: %zu rows saved\n", o->out, rows);
  }
  return SC_OK;
}

static const struct {
  const char *name, *takes; /* options */
  sc_status (*run)(tool *t, const struct dataset_options *o, int n, char **paths);
} commands[] = {{"info", "json", dataset_info},
                {"merge", "out json task compiler shard visits", merge},
                {"verify", "recodegen machine json", dataset_verify},
                {"export", "csv schedules", export},
                {"repair", "out json", repair}};

/* What another command takes would be passed over here. */
static sc_status check_options(tool *t, const struct dataset_options *o, const char *command, const char *takes) {
  const struct {
    const char *name;
    bool given;
  } all[] = {{"out", o->out != NULL},           {"task", o->task != NULL},
             {"compiler", o->compiler != NULL}, {"shard", o->shard != NULL},
             {"visits", o->visits != 0},        {"csv", o->csv},
             {"schedules", o->schedules},       {"recodegen", o->recodegen},
             {"machine", o->machine != NULL},   {"json", o->json}};
  for (size_t i = 0; i < SC_COUNT_OF(all); i++)
    if (all[i].given && !strstr(takes, all[i].name)) return tool_usage(t, "%s takes no --%s", command, all[i].name);
  return SC_OK;
}

static sc_status run(tool *t, const void *given, int n, char **operands) {
  for (size_t i = 0; i < SC_COUNT_OF(commands); i++) {
    if (strcmp(operands[0], commands[i].name) != 0) continue;
    SC_TRY(check_options(t, given, commands[i].name, commands[i].takes));
    return commands[i].run(t, given, n - 1, operands + 1);
  }
  return tool_usage(t, "'%s' is none of info, merge, verify, export, repair", operands[0]);
}

const verb verb_dataset = {
    .name = "dataset",
    .summary = "tells what is in a dataset; joins, checks, exports, repairs",
    .operands = "info|merge|verify|export|repair FILE...",
    .commands = "info merge verify export repair",
    .details = "info counts rows by outcome, task, compiler and machine. merge joins datasets by identity: passes of "
               "one record add up, "
               "nothing is there twice; it can leave out rows of other tasks, compilers or shards, and tasks that were "
               "broken off. verify checks the file, lowers every schedule again, and with --recodegen "
               "compiles it and marks "
               "rows stale whose machine code is no longer what the generator makes. export writes one line a pass, or "
               "the schedules alone. "
               "repair saves what "
               "can be read of a damaged file and its journal.",
    .example = "dataset-sched merge shard*.h5 --out all.h5\n  dataset-sched export --csv all.h5 > all.csv\n  "
               "dataset-sched export --schedules all.h5 | measure-sched - --out again.h5",
    .options = options,
    .options_size = sizeof(struct dataset_options),
    .min_operands = 2,
    .max_operands = -1,
    .run = run,
};
