/* The verb `help`: prints what manual.c generates. */
#include <string.h>

#include "tools/tools.h"

struct help_options {
  bool man, completion;
};

static const option options[] = {
    {"man", 0, OPTION_FLAG, offsetof(struct help_options, man), NULL, "print the man page (troff)", NULL},
    {"completion", 0, OPTION_FLAG, offsetof(struct help_options, completion), NULL,
     "print the completion script for bash", NULL},
    OPTION_END,
};

static sc_status run(tool *t, const void *given, int n, char **operands) {
  const struct help_options *o = given;
  const verb *v = NULL;
  if (n > 0) {
    size_t len = strlen(operands[0]);
    if (text_ends(operands[0], "-sched")) len -= strlen("-sched");
    v = verb_find(operands[0], len);
    if (!v && strcmp(operands[0], "schedcast") != 0) return tool_usage(t, "there is no verb '%s'", operands[0]);
  }
  if (o->completion) help_completion(&t->out);
  else if (o->man) help_man(v, &t->out);
  else if (v) help_print(v, &t->out);
  else help_overview(&t->out);
  return SC_OK;
}

const verb verb_help = {
    .name = "help",
    .summary = "explains a verb; prints man pages and bash completion",
    .operands = "[VERB]",
    .details = "Without a verb, lists them all. Help, man pages and completion are made from the same tables that "
               "parse the options.",
    .example =
        "schedcast help sample; schedcast help --man predict | man -l -\n  source <(schedcast help --completion)",
    .options = options,
    .options_size = sizeof(struct help_options),
    .max_operands = 1,
    .run = run,
};
