/* sc_space -> text: what sc_space_parse makes the same space of. Everything that belongs to an option stands behind
 * it. */
#include <string.h>

#include "sampler/space.h"

static void print_names(const sc_alt *alt, sc_str *out) {
  for (int i = 0; i < alt->nnames; i++) sc_str_printf(out, "%s%s", i ? " " : "", alt->name[i]);
}

static void print_order(const sc_alt *alt, sc_str *out) {
  for (int i = 0, j; i < alt->nnames; i = j) {
    for (j = i; j < alt->nnames && alt->group[j] == alt->group[i];) j++;
    if (i) sc_str_add(out, " ");
    if (j - i > 1) sc_str_add(out, "{");
    for (int k = i; k < j; k++) sc_str_printf(out, "%s%s", k > i ? " " : "", alt->name[k]);
    if (j - i > 1) sc_str_add(out, "}");
  }
}

static void print_range(const sc_alt *alt, sc_str *out) {
  sc_str_printf(out, "%d", (int)alt->lo);
  if (alt->hi != alt->lo) sc_str_printf(out, "..%d", (int)alt->hi);
}

/* A lone run keeps its count, else it would be a size. */
static void print_runs(const sc_alt *alt, sc_str *out) {
  for (int i = 0; i < alt->nruns; i++) {
    sc_str_printf(out, "%s%d", i ? "+" : "", (int)alt->run[i].size);
    if (alt->run[i].count > 1 || alt->nruns == 1) sc_str_printf(out, "*%d", (int)alt->run[i].count);
  }
}

static void print_alt(const sc_clause *clause, const sc_alt *alt, sc_str *out) {
  switch ((sc_alt_kind)alt->kind) {
  case SC_ALT_LIST:
    if (clause->attribute == SC_AT_ORDER) print_order(alt, out);
    else print_names(alt, out);
    if (clause->attribute == SC_AT_PARALLEL) sc_str_printf(out, " %d", (int)alt->lo);
    break;
  case SC_ALT_NUMBER:
    print_range(alt, out);
    if (alt->vectors) sc_str_add(out, " vectors");
    if (alt->layout) sc_str_printf(out, " %s", alt->layout);
    if (alt->skew) sc_str_printf(out, " skew %d", alt->skew);
    break;
  case SC_ALT_RUNS: print_runs(alt, out); break;
  case SC_ALT_RULE: sc_str_add(out, sc_space_pad_words[alt->lo]); break;
  case SC_ALT_AT_MOST: sc_str_printf(out, "at_most %d", (int)alt->lo); break;
  default: sc_str_add(out, sc_alt_words[alt->kind]); break;
  }
}

void sc_clause_print(const sc_clause *clause, sc_str *out) {
  static const char *const forms[] = {"even", "rest", "balanced"};
  if (clause->attribute != SC_AT_CHOICE) sc_str_add(out, sc_attribute_words[clause->attribute]);
  if (clause->subject[0]) sc_str_printf(out, "%s%s", clause->attribute == SC_AT_CHOICE ? "" : " ", clause->subject);
  if (clause->nth > 1) sc_str_printf(out, "@%d", clause->nth);
  if (clause->attribute == SC_AT_ORDER) sc_str_printf(out, " %d", clause->band);
  for (int i = 0; i < clause->nalts; i++) {
    sc_str_add(out, i && clause->attribute != SC_AT_LADDER ? " | " : " ");
    print_alt(clause, &clause->alt[i], out);
  }
  for (size_t i = 0; i < SC_COUNT_OF(forms); i++)
    if (clause->forms >> i & 1) sc_str_printf(out, " %s", forms[i]);
}

/* All that belongs to one option, or to none: on lines of their own, or behind "option NAME:". */
static void print_part(const sc_space *space, int choice, int option, sc_str *out) {
  int n = 0;
  for (int i = 0; i < space->nclauses; i++) {
    const sc_clause *clause = &space->clause[i];
    if (clause->choice != choice || clause->option != option) continue;
    if (choice >= 0) sc_str_add(out, n++ ? "; " : " ");
    if (clause->force) sc_str_add(out, "force ");
    sc_clause_print(clause, out);
    if (choice < 0) sc_str_add(out, "\n");
  }
  for (int i = 0; i < space->nconds; i++) {
    const sc_cond *cond = &space->cond[i];
    if (cond->choice != choice || cond->option != option) continue;
    if (choice >= 0) sc_str_add(out, n++ ? "; " : " ");
    sc_str_add(out, cond->force ? "force " : "where ");
    sc_cond_print(cond, out);
    if (choice < 0) sc_str_add(out, "\n");
  }
}

/* Choices come first, so that their names are known where conditions and `force` use them. */
void sc_space_print(const sc_space *space, sc_str *out) {
  sc_str_printf(out, "space %s\nbands %d\n", space->name, space->bands);
  for (int i = 0; i < space->nchoices; i++) {
    sc_str_printf(out, "choice %s\n", space->choice[i].name);
    for (int j = 0; j < space->choice[i].noptions; j++) {
      sc_str_printf(out, "option %s:", space->choice[i].option[j]);
      print_part(space, i, j, out);
      sc_str_add(out, "\n");
    }
  }
  print_part(space, -1, -1, out);
}
