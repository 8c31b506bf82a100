/* What is generated from the tables of the verbs: help, man pages, completion. */
#include <stdio.h>
#include <string.h>

#include "tools/tools.h"

/* "-n, --number N" */
static void option_head(const option *o, sc_str *out) {
  if (o->letter) sc_str_printf(out, "-%c, ", o->letter);
  sc_str_printf(out, "--%s", o->name);
  if (o->argument) sc_str_printf(out, " %s", o->argument);
}

static void option_choices(const option *o, sc_str *out) {
  const char *const *choices = o->kind == OPTION_CHOICE ? o->values : NULL;
  for (int i = 0; choices && choices[i]; i++) sc_str_printf(out, "%s%s", i ? ", " : ": ", choices[i]);
}

static void option_line(const option *o, sc_str *out) {
  sc_str head = {0};
  option_head(o, &head);
  sc_str_printf(out, "  %-20s %s", sc_str_text(&head), o->help);
  option_choices(o, out);
  sc_str_add(out, "\n");
  sc_str_free(&head);
}

void help_print(const verb *v, sc_str *out) {
  sc_str_printf(out, "%s-sched: %s\nusage: %s-sched [options] %s\n", v->name, v->summary, v->name, v->operands);
  for (const option *o = v->options; o->name; o++) option_line(o, out);
  sc_str_printf(out, "example:\n  %s\n", v->example);
}

void help_overview(sc_str *out) {
  sc_str_printf(out, "schedcast %s: predicts how fast a tensor operator runs under a schedule\n\n", sc_version());
  for (const verb *const *v = verbs; *v; v++) sc_str_printf(out, "  %-11s %s\n", (*v)->name, (*v)->summary);
  sc_str_add(out, "\n`schedcast VERB --help` says more; VERB-sched is schedcast VERB.\n"
                  "Exit codes: 0 fine, 1 failure, 2 wrong usage, 130 interrupted (what was done is saved).\n");
}

/* ---- man ---- */

/* troff takes a backslash, and a dot or quote at the beginning of a line, for its own. */
static void roff(sc_str *out, const char *text) {
  bool begin = true;
  for (const char *p = text; *p; p++) {
    if (begin && (*p == '.' || *p == '\'')) sc_str_add(out, "\\&");
    if (*p == '\\') sc_str_add(out, "\\e");
    else if (*p == '-') sc_str_add(out, "\\-");
    else sc_str_addn(out, p, 1);
    begin = *p == '\n';
  }
}

static void man_head(const char *name, const char *summary, sc_str *out) {
  sc_str_printf(out, ".TH \"%s\" 1 \"\" \"schedcast %s\" \"schedcast\"\n.SH NAME\n", name, sc_version());
  roff(out, name);
  sc_str_add(out, " \\- ");
  roff(out, summary);
  sc_str_add(out, "\n.SH SYNOPSIS\n");
}

static void man_tail(sc_str *out) {
  sc_str_add(out, "\n.SH EXIT STATUS\n0 fine, 1 failure, 2 wrong usage, 130 interrupted (what was done is saved).\n"
                  ".SH ENVIRONMENT\n.B SCHEDCAST_DATA\nis the folder of operators, machines, spaces and models,\n"
                  ".B SCHEDCAST_CACHE\nthat of compiled kernels and of this machine's file.\n"
                  ".B SCHEDCAST_GAUGE=0\nmeasures without waiting for quiet moments.\n");
}

static void man_overview(sc_str *out) {
  man_head("schedcast", "predicts how fast a tensor operator runs under a schedule", out);
  sc_str_add(out, ".B schedcast\n.I VERB\n[options] ...\n.br\n.IB VERB \\-sched\n[options] ...\n.SH VERBS\n");
  for (const verb *const *v = verbs; *v; v++) {
    sc_str_printf(out, ".TP\n.BR %s\\-sched (1)\n", (*v)->name);
    roff(out, (*v)->summary);
    sc_str_add(out, "\n");
  }
  man_tail(out);
}

void help_man(const verb *v, sc_str *out) {
  char name[64];
  if (!v) {
    man_overview(out);
    return;
  }
  snprintf(name, sizeof name, "%s-sched", v->name);
  man_head(name, v->summary, out);
  sc_str_printf(out, ".B %s\\-sched\n[options] ", v->name);
  roff(out, v->operands);
  sc_str_add(out, "\n.SH DESCRIPTION\n");
  roff(out, v->details);
  sc_str_add(out, "\n.SH OPTIONS\n");
  for (const option *o = v->options; o->name; o++) {
    sc_str head = {0};
    option_head(o, &head);
    sc_str_add(out, ".TP\n.B ");
    roff(out, sc_str_text(&head));
    sc_str_add(out, "\n");
    roff(out, o->help);
    option_choices(o, out);
    sc_str_add(out, "\n");
    sc_str_free(&head);
  }
  sc_str_add(out, ".SH EXAMPLE\n.nf\n");
  roff(out, v->example);
  sc_str_add(out, "\n.fi");
  man_tail(out);
}

/* ---- completion ---- */

/* Values of the verb's choices, by the word before: "  sample:--sampling) words='uniform sobol' ;;". */
static void complete_values(const verb *v, sc_str *out) {
  for (const option *o = v->options; o->name; o++) {
    if (o->kind != OPTION_CHOICE) continue;
    sc_str_printf(out, "  %s:--%s) words='", v->name, o->name);
    for (const char *const *choice = o->values; *choice; choice++)
      sc_str_printf(out, "%s%s", choice == o->values ? "" : " ", *choice);
    sc_str_add(out, "' ;;\n");
  }
}

static void list_verbs(const char *suffix, sc_str *out) {
  for (const verb *const *v = verbs; *v; v++) sc_str_printf(out, "%s%s%s", v == verbs ? "" : " ", (*v)->name, suffix);
}

void help_completion(sc_str *out) {
  sc_str_add(out, "# bash completion of schedcast; made by `schedcast help --completion`\n_schedcast() {\n"
                  "  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} verb=${1##*/} first=1\n"
                  "  local options= commands= words=\n"
                  "  if [[ $verb == *-sched ]]; then verb=${verb%-sched}\n"
                  "  elif ((COMP_CWORD == 1)); then\n    COMPREPLY=($(compgen -W '");
  list_verbs("", out);
  sc_str_add(out, " --help --version' -- \"$cur\"))\n    return\n  else verb=${COMP_WORDS[1]} first=2; fi\n"
                  "  case $verb in\n");
  for (const verb *const *v = verbs; *v; v++) {
    sc_str_printf(out, "  %s) options='--help", (*v)->name);
    for (const option *o = (*v)->options; o->name; o++) sc_str_printf(out, " --%s", o->name);
    sc_str_add(out, "'");
    if ((*v)->commands) sc_str_printf(out, " commands='%s'", (*v)->commands);
    else if (strcmp((*v)->name, "help") == 0) sc_str_add(out, " commands='"), list_verbs("", out), sc_str_add(out, "'");
    sc_str_add(out, " ;;\n");
  }
  sc_str_add(out, "  esac\n  case $verb:$prev in\n");
  for (const verb *const *v = verbs; *v; v++) complete_values(*v, out);
  sc_str_add(out,
             "  *) if ((COMP_CWORD == first)); then words=$commands; fi ;;\n  esac\n"
             "  if [[ $cur == -* ]]; then words=$options; fi\n"
             "  if [[ $words ]]; then COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
             "  else COMPREPLY=($(compgen -f -- \"$cur\")); fi\n}\ncomplete -o filenames -F _schedcast schedcast ");
  list_verbs("-sched", out);
  sc_str_add(out, "\n");
}
