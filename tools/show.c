/* show-sched: prints any noun -- operator, task, schedules, space, machine, model, dataset -- and dumps what becomes of a
 * schedule on its way to code. */
#include <stdio.h>
#include <string.h>

#include "tools/dataset.h"
#include "tools/show.h"

static const option options[] = {
    {"dump", 'd', OPTION_TEXT, offsetof(struct show_options, dump), "PARTS",
     "schedule,nest,kernels,features,analytic,c", NULL},
    {"threads", 't', OPTION_COUNT, offsetof(struct show_options, threads), "N", "for features of parallel schedules",
     OPTION_RANGE(0, MOST_THREADS)},
    OPTION_MACHINE(struct show_options),
    OPTION_JSON(struct show_options),
    OPTION_END,
};

static sc_status show_operator(tool *t, const sc_operator *op, bool json) {
  sc_str text = {0};
  sc_operator_print(op, &text);
  if (json) {
    sc_str_add(&t->out, "{");
    json_text(&t->out, "operator", sc_operator_name(op));
    json_text(&t->out, "text", sc_str_text(&text));
    sc_str_add(&t->out, "}\n");
  } else {
    sc_str_add(&t->out, sc_str_text(&text));
  }
  sc_str_free(&text);
  return SC_OK;
}

static sc_status show_model(tool *t, const char *path, bool json) {
  sc_model *model;
  SC_TRY(sc_model_load(path, &model, &t->err));
  sc_model_card(model, json, &t->out);
  if (json) sc_str_add(&t->out, "\n");
  sc_model_free(model);
  return SC_OK;
}

static sc_status show_dataset(tool *t, const char *path, bool json) {
  sc_dataset *dataset;
  SC_TRY(sc_dataset_open(path, SC_DATASET_READ, &dataset, &t->err));
  dataset_describe(&t->out, path, dataset, json);
  return sc_dataset_close(dataset, &t->err);
}

/* A text noun: as printed by its printer, or that in JSON. */
static sc_status show_text(tool *t, const char *noun, sc_str *text, bool json) {
  if (json) {
    sc_str_add(&t->out, "{");
    json_text(&t->out, noun, sc_str_text(text));
    sc_str_add(&t->out, "}\n");
  } else {
    sc_str_add(&t->out, sc_str_text(text));
  }
  sc_str_free(text);
  return SC_OK;
}

static sc_status show_space(tool *t, const char *path, bool json) {
  const sc_space *space;
  sc_str text = {0};
  SC_TRY(sc_space_load(t->arena, path, &space, &t->err));
  sc_space_print(space, &text);
  return show_text(t, "space", &text, json);
}

static sc_status show_machine(tool *t, const char *name, bool json) {
  sc_machine machine;
  sc_str text = {0};
  SC_TRY(tool_machine(t, name, &machine, NULL, 0));
  sc_machine_print(&machine, &text);
  return show_text(t, "machine", &text, json);
}

static sc_status show_operator_file(tool *t, const char *path, bool json) {
  char *text;
  size_t len;
  const sc_operator *op;
  SC_TRY(sc_file_read(t->arena, path, 1 << 20, &text, &len, &t->err));
  SC_TRY(sc_operator_parse(t->arena, path, text, len, &op, &t->err));
  return show_operator(t, op, json);
}

/* The first byte tells models (JSON) from datasets; other nouns have suffixes. */
static char first_byte(const char *path) {
  FILE *f = fopen(path, "rb");
  int c = f ? fgetc(f) : EOF;
  if (f) fclose(f);
  return c == EOF ? 0 : (char)c;
}

static sc_status show_one(tool *t, const struct show_options *o, char *what) {
  char journal[4400];
  snprintf(journal, sizeof journal, "%s.journal", what);
  bool file = strcmp(what, "-") == 0 || file_exists(what);
  if (text_ends(what, ".h5") && (file || file_exists(journal))) return show_dataset(t, what, o->json);
  if (file && text_ends(what, ".op")) return show_operator_file(t, what, o->json);
  if (file && text_ends(what, ".space")) return show_space(t, what, o->json);
  if (file && text_ends(what, ".machine")) return show_machine(t, what, o->json);
  if (file && strcmp(what, "-") != 0 && first_byte(what) == '{') return show_model(t, what, o->json);
  if (file) return show_schedules(t, o, what);
  const sc_task *task;
  SC_TRY(tool_library(t));
  const sc_operator *op = sc_library_find(t->library, what);
  if (op) return show_operator(t, op, o->json);
  if (!strchr(what, ':')) {
    sc_status status = show_machine(t, what, o->json);
    if (status != SC_NOTFOUND) return status;
    return sc_fail(&t->err, status, "'%s' is no file, and neither operator, task nor machine", what);
  }
  SC_TRY(tool_task(t, what, &task));
  return show_task(t, task, o->json);
}

static sc_status run(tool *t, const void *given, int n, char **operands) {
  for (int i = 0; i < n; i++) SC_TRY(show_one(t, given, operands[i]));
  return SC_OK;
}

const verb verb_show = {
    .name = "show",
    .summary = "prints any noun, and what becomes of a schedule",
    .operands = "NOUN...",
    .details = "A noun is the name of an operator or machine, a task (op:NAME=value,...), or a file: schedules (- is "
               "standard input), "
               ".op, .space, .machine, a model or a dataset. --dump says what to print of each schedule: its text, the "
               "lowered nest, the "
               "kernels it calls, its features, where its analytic time goes, its C.",
    .example = "show-sched conv2d; show-sched conv2d:H=56,W=56,C=64,K=64,R=3,S=3\n  show-sched s.sched --dump=nest,c",
    .options = options,
    .options_size = sizeof(struct show_options),
    .min_operands = 1,
    .max_operands = -1,
    .run = run,
};
