/* show-sched: prints any noun -- operator, task, schedules, space, machine, model, dataset -- and dumps what becomes of
 * a schedule on its way to code. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

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

static sc_status show_model(tool *t, const char *where, const char *text, size_t len, bool json) {
  sc_model *model;
  SC_TRY(sc_model_read(where, text, len, &model, &t->err));
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

static sc_status show_space(tool *t, const char *where, const char *text, size_t len, bool json) {
  const sc_space *space;
  sc_str printed = {0};
  SC_TRY(sc_space_parse(t->arena, where, text, len, &space, &t->err));
  sc_space_print(space, &printed);
  return show_text(t, "space", &printed, json);
}

static sc_status show_machine(tool *t, const sc_machine *machine, bool json) {
  sc_str text = {0};
  sc_machine_print(machine, &text);
  return show_text(t, "machine", &text, json);
}

enum { MAGIC_LEN = sizeof SC_DATASET_MAGIC - 1 };

/* What a pipe holds can be read once only, and libhdf5 wants a file: so only of a file the first bytes are looked
 * at. */
static bool is_dataset(const char *path) {
  char head[MAGIC_LEN];
  struct stat st;
  if (stat(path, &st) != 0 || !S_ISREG(st.st_mode)) return false;
  FILE *f = fopen(path, "rb");
  bool is = f && fread(head, sizeof head, 1, f) == 1 && memcmp(head, SC_DATASET_MAGIC, sizeof head) == 0;
  if (f) fclose(f);
  return is;
}

/* The first word of a text says what it is. */
static sc_status show_file(tool *t, const struct show_options *o, const char *path) {
  const char *where;
  char *text;
  size_t len;
  sc_reader r;
  SC_TRY(tool_read(t, path, &where, &text, &len));
  sc_reader_init(&r, where, text, len, false, NULL);
  if (sc_reader_is(&r, "{")) return show_model(t, where, text, len, o->json);
  if (sc_reader_is(&r, "space")) return show_space(t, where, text, len, o->json);
  if (sc_reader_is(&r, "op")) {
    const sc_operator *op;
    SC_TRY(sc_operator_parse(t->arena, where, text, len, &op, &t->err));
    return show_operator(t, op, o->json);
  }
  if (sc_reader_is(&r, "machine")) {
    sc_machine machine;
    SC_TRY(sc_machine_parse(where, text, len, &machine, &t->err));
    return show_machine(t, &machine, o->json);
  }
  if (len >= MAGIC_LEN && memcmp(text, SC_DATASET_MAGIC, MAGIC_LEN) == 0)
    return sc_fail(&t->err, SC_UNSUPPORTED, "%s: a dataset is read from a file, not from a pipe", where);
  return show_schedules(t, o, where, text, len);
}

static sc_status show_one(tool *t, const struct show_options *o, char *what) {
  char journal[4400];
  snprintf(journal, sizeof journal, "%s.journal", what);
  bool file = strcmp(what, "-") == 0 || file_exists(what);
  /* The suffix is for a dataset that is damaged, or of which there is only the journal yet. */
  if (is_dataset(what) || (text_ends(what, ".h5") && (file || file_exists(journal))))
    return show_dataset(t, what, o->json);
  if (file) return show_file(t, o, what);
  const sc_task *task;
  SC_TRY(tool_library(t));
  const sc_operator *op = sc_library_find(t->library, what);
  if (op) return show_operator(t, op, o->json);
  if (!strchr(what, ':')) {
    sc_machine machine;
    sc_status status = tool_machine(t, what, &machine, NULL, 0);
    if (status == SC_OK) return show_machine(t, &machine, o->json);
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
    .details =
        "A noun is the name of an operator or machine, a task (op:NAME=value,...), or a file (- is standard "
        "input): schedules, an operator, a space, a machine, a model or a dataset, told by what is in it. --dump "
        "says what to print of each schedule: its text, the lowered nest, the kernels it calls, its features, "
        "where its analytic time goes, its C.",
    .example = "show-sched conv2d; show-sched conv2d:H=56,W=56,C=64,K=64,R=3,S=3\n  show-sched s.sched --dump=nest,c",
    .options = options,
    .options_size = sizeof(struct show_options),
    .min_operands = 1,
    .max_operands = -1,
    .run = run,
};
