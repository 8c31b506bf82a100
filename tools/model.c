/* model-sched: the card of a model, its checks, and the model as C. */
#include <stdio.h>
#include <string.h>

#include "tools/tools.h"

struct model_options {
  const char *out, *name;
  int64_t rows, seed;
  bool json;
};

static const option options[] = {
    {"out", 'o', OPTION_TEXT, offsetof(struct model_options, out), "FILE", "emit-c: where to; default: stdout", NULL},
    {"name", 0, OPTION_TEXT, offsetof(struct model_options, name), "NAME",
     "emit-c: functions begin so; default: of the file", NULL},
    {"rows", 'n', OPTION_COUNT, offsetof(struct model_options, rows), "N",
     "verify: random rows to compare, default 10000", OPTION_RANGE(1, 10000000)},
    {"seed", 0, OPTION_COUNT, offsetof(struct model_options, seed), "N", "verify: of the random rows", NULL},
    OPTION_JSON(struct model_options),
    OPTION_END,
};

static sc_status show(tool *t, const struct model_options *o, const sc_model *model, const char *path) {
  sc_model_card(model, o->json, &t->out);
  if (t->out.len && t->out.text[t->out.len - 1] != '\n') sc_str_add(&t->out, "\n");
  return SC_OK;
}

/* Everything that can be wrong with a file is found when it is loaded: whoever comes here has a sound one. */
static sc_status verify(tool *t, const struct model_options *o, const sc_model *model, const char *path) {
  SC_TRY(sc_model_verify(model, (size_t)o->rows, (uint64_t)o->seed, &t->err));
  if (o->json) {
    sc_str_add(&t->out, "{");
    json_text(&t->out, "model", path);
    json_hash(&t->out, "hash", sc_model_hash(model));
    json_bool(&t->out, "sound", true);
    json_count(&t->out, "rows_compared", (uint64_t)o->rows);
    sc_str_add(&t->out, "}\n");
  } else
    sc_str_printf(&t->out,
                  "%s: seal, schema, cut points and golden rows are right; %lld random rows as libxgboost predicts "
                  "them, to the last bit\n",
                  path, (long long)o->rows);
  return SC_OK;
}

/* A C identifier: of the file's name, less folders and suffix. */
static void name_of(const char *path, char *name, size_t size) {
  const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
  snprintf(name, size, "%s%.*s", strchr("0123456789", *base) && *base ? "m" : "", (int)strcspn(base, "."), base);
  for (char *p = name; *p; p++)
    if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", *p)) *p = '_';
}

static sc_status emit(tool *t, const struct model_options *o, const sc_model *model, const char *path) {
  char name[64];
  sc_str c = {0};
  name_of(o->name ? o->name : path, name, sizeof name);
  if (o->name && strcmp(o->name, name) != 0)
    return tool_usage(t, "--name wants a C identifier of up to 63 characters, not '%s'", o->name);
  if (o->out && strcmp(o->out, "-") != 0) SC_TRY(tool_output(t, o->out));
  sc_status status = sc_model_emit_c(model, name, &c, &t->err);
  const bool file = o->out && strcmp(o->out, "-") != 0;
  if (status == SC_OK && !file) sc_str_addn(&t->out, sc_str_text(&c), c.len);
  else if (status == SC_OK) status = sc_file_write_atomic(o->out, sc_str_text(&c), c.len, &t->err);
  if (status == SC_OK && file)
    tool_say(t, "%s: %zu bytes; functions %s_margin and %s_analytic", o->out, c.len, name, name);
  sc_str_free(&c);
  return status;
}

static const struct {
  const char *name;
  sc_status (*run)(tool *t, const struct model_options *o, const sc_model *model, const char *path);
} commands[] = {{"show", show}, {"verify", verify}, {"emit-c", emit}};

static sc_status run(tool *t, const void *given, int n, char **operands) {
  const struct model_options *o = given;
  size_t i = 0;
  sc_model *model;
  while (i < SC_COUNT_OF(commands) && strcmp(operands[0], commands[i].name) != 0) i++;
  if (i == SC_COUNT_OF(commands)) return tool_usage(t, "'%s' is none of show, verify, emit-c", operands[0]);
  if (n != 2) return tool_usage(t, "%s wants a model", operands[0]);
  if ((o->out || o->name) && commands[i].run != emit) return tool_usage(t, "%s takes no --out or --name", operands[0]);
  if (o->json && commands[i].run == emit) return tool_usage(t, "emit-c takes no --json");
  SC_TRY(sc_model_load(operands[1], &model, &t->err));
  const sc_status status = commands[i].run(t, given, model, operands[1]);
  sc_model_free(model);
  return status;
}

const verb verb_model = {
    .name = "model",
    .summary = "the card of a model, its checks, and the model as C",
    .operands = "show|verify|emit-c MODEL",
    .commands = "show verify emit-c",
    .details =
        "show prints the card. verify checks everything: what a damaged, foreign or edited file would fail, and that "
        "libxgboost predicts the same to the last bit. emit-c writes trees, cut points, card and the order of the "
        "features as one C file that compiles anywhere and predicts the same to the last bit.",
    .example = "model-sched emit-c data/models/amd-epyc-zen3.xgb --out zen3.c",
    .options = options,
    .options_size = sizeof(struct model_options),
    .defaults = &(const struct model_options){.rows = 10000},
    .min_operands = 1,
    .max_operands = 2,
    .run = run,
};
