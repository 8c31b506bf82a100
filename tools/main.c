/* schedcast VERB ... and VERB-sched ...: finds the verb, parses its options, runs it, turns its status into an exit
 * code: 0 fine, 1 failure, 2 usage, 130 interrupted (what was done is saved). Results go to stdout, talk to stderr. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/tools.h"

const verb *const verbs[] = {
#define SC_VERB(name) &verb_##name,
#include "tools/verbs.def"
#undef SC_VERB
    NULL};

const verb *verb_find(const char *name, size_t len) {
  for (const verb *const *v = verbs; *v; v++)
    if (strlen((*v)->name) == len && memcmp((*v)->name, name, len) == 0) return *v;
  return NULL;
}

static void log_line(void *user, sc_log_level level, const char *line) {
  const tool *t = user;
  if (level == SC_LOG_WARN || (level == SC_LOG_INFO && !t->terse))
    fprintf(stderr, "%s-sched: %s%s\n", t->verb->name, level == SC_LOG_WARN ? "warning: " : "", line);
}

static int exit_code(sc_status status) {
  switch (status) {
  case SC_OK: return 0;
  case SC_USAGE: return 2;
  case SC_INTERRUPTED: return 130;
  default: return 1;
  }
}

static int run(const verb *v, char **process, int argc, char **argv) {
  tool t = {.verb = v, .argv = process, .arena = sc_arena_new()};
  bool help = false;
  int n = 0;
  void *options = calloc(1, v->options_size);
  if (options && v->defaults) memcpy(options, v->defaults, v->options_size);
  t.log = (sc_log){log_line, &t};
  sc_status status = options && t.arena ? SC_OK : sc_fail(&t.err, SC_NOMEM, "out of memory");
  if (status == SC_OK) status = options_parse(v, argc, argv, options, &n, &help, &t.err);
  if (status == SC_OK && help) help_print(v, &t.out);
  else if (status == SC_OK) status = v->run(&t, options, n, argv);
  sc_error failed = t.err; /* of the verb, whatever flushing says */
  sc_status flushed = tool_flush(&t);
  if (status == SC_OK && flushed != SC_OK) {
    status = flushed;
    failed = t.err;
  }
  if (status != SC_OK) {
    char text[2048];
    sc_error_format(&failed, text, sizeof text);
    fprintf(stderr, "%s%s%s", failed.where[0] ? "" : v->name, failed.where[0] ? "" : "-sched: ", text);
    if (failed.rule) fprintf(stderr, "rule %s of docs/errors.md\n", sc_rule_name((sc_rule)failed.rule));
  }
  sc_str_free(&t.out);
  sc_arena_free(t.arena);
  free(options);
  return exit_code(status);
}

int main(int argc, char **argv) {
  static const char suffix[] = "-sched";
  const char *slash = argc > 0 ? strrchr(argv[0], '/') : NULL, *name = slash ? slash + 1 : argc > 0 ? argv[0] : "";
  size_t len = strlen(name), cut = sizeof suffix - 1;
  if (text_ends(name, suffix)) {
    const verb *v = verb_find(name, len - cut);
    if (v) return run(v, argv, argc - 1, argv + 1);
    fprintf(stderr, "schedcast: there is no '%.*s'; see schedcast help\n", (int)(len - cut), name);
    return 2;
  }
  if (argc < 2) {
    sc_str text = {0};
    help_overview(&text);
    fputs(sc_str_text(&text), stderr);
    sc_str_free(&text);
    return 2;
  }
  if (strcmp(argv[1], "--version") == 0) return printf("schedcast %s\n", sc_version()) < 0;
  bool help = strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0;
  const verb *v = help ? &verb_help : verb_find(argv[1], strlen(argv[1]));
  if (v) return run(v, argv, argc - 2, argv + 2);
  fprintf(stderr, "schedcast: there is no '%s'; see schedcast help\n", argv[1]);
  return 2;
}
