/* Text -> sc_space. The grammar rule stands above each function; docs/spaces.md explains the language. Names of dims
 * and tensors are looked up when the space is bound to a task. */
#include <stdio.h>
#include <string.h>

#include "sampler/space.h"

const char *const sc_attribute_words[SC_AT_COUNT] = {
    [SC_AT_BANDS] = "bands", [SC_AT_VECTOR] = "vector",     [SC_AT_LANES] = "lanes", [SC_AT_COMPILE] = "compile",
    [SC_AT_TILE] = "tile",   [SC_AT_LADDER] = "ladder",     [SC_AT_LOOP] = "loop",   [SC_AT_UNROLL] = "unroll",
    [SC_AT_PACK] = "pack",   [SC_AT_PARALLEL] = "parallel", [SC_AT_PAD] = "pad",     [SC_AT_ORDER] = "order",
    [SC_AT_CHOICE] = NULL,
};
const char *const sc_alt_words[] = {
    [SC_ALT_LIST] = NULL,         [SC_ALT_NUMBER] = NULL,         [SC_ALT_NONE] = "none",
    [SC_ALT_ANY] = "any",         [SC_ALT_WIDEST] = "widest",     [SC_ALT_ALL] = "all",
    [SC_ALT_NATIVE] = "native",   [SC_ALT_HALF] = "half",         [SC_ALT_QUARTER] = "quarter",
    [SC_ALT_RUNS] = NULL,         [SC_ALT_DIVISORS] = "divisors", [SC_ALT_POWERS] = "powers",
    [SC_ALT_SPLITS] = "splits",   [SC_ALT_WHOLE] = "whole",       [SC_ALT_TOP] = "top",
    [SC_ALT_AT_MOST] = "at_most", [SC_ALT_RULE] = NULL,
};
const char *const sc_space_pad_words[] = {"none", "peel", "clamp", "pack"};

void *sc_space_alloc(sc_space_reader *x, size_t count, size_t size) {
  void *memory = sc_arena_alloc(x->arena, count, size);
  if (!memory) sc_reader_fail(&x->r, SC_NOMEM, "out of memory");
  return memory;
}

static int32_t read_int(sc_space_reader *x, int64_t min, int64_t max) {
  int64_t value = min;
  sc_reader_int(&x->r, min, max, &value);
  return (int32_t)value;
}

static bool at_name(const sc_space_reader *x) { return x->r.token.kind == SC_TOKEN_NAME; }

/* One of the words from..to; false when the current token is none of them. */
static bool read_word(sc_space_reader *x, sc_alt *alt, sc_alt_kind from, sc_alt_kind to) {
  for (int kind = (int)from; kind <= (int)to; kind++) {
    if (!sc_alt_words[kind] || !sc_reader_accept(&x->r, sc_alt_words[kind])) continue;
    alt->kind = (uint8_t)kind;
    return true;
  }
  return false;
}

static void read_name(sc_space_reader *x, sc_alt *alt) {
  if (alt->nnames == SC_MAX_DIMS) sc_reader_fail(&x->r, SC_LIMIT, "more than %d names", SC_MAX_DIMS);
  else sc_reader_name(&x->r, alt->name[alt->nnames++], SC_NAME);
}

static bool at_connective(const sc_space_reader *x) { return sc_reader_is(&x->r, "if") || sc_reader_is(&x->r, "and"); }

static void read_names(sc_space_reader *x, sc_alt *alt) {
  do read_name(x, alt);
  while (x->r.status == SC_OK && at_name(x) && !at_connective(x));
}

/* ---- alternatives, by attribute ---- */

/* lanes = "native" | "half" | "quarter" | INT, a power of two */
static void read_lanes(sc_space_reader *x, sc_alt *alt) {
  if (read_word(x, alt, SC_ALT_NATIVE, SC_ALT_QUARTER)) return;
  const sc_token at = x->r.token;
  alt->kind = SC_ALT_NUMBER;
  alt->lo = alt->hi = read_int(x, 1, 64);
  if (alt->lo & (alt->lo - 1))
    sc_reader_fail_at(&x->r, &at, SC_PARSE, "lanes are a power of two, not %d", (int)alt->lo);
}

/* compile = "any" | "widest" | NAME, which may hold '-' */
static void read_compile(sc_space_reader *x, sc_alt *alt) {
  if (!read_word(x, alt, SC_ALT_ANY, SC_ALT_WIDEST)) read_name(x, alt);
}

/* vector = "none" | dim */
static void read_vector(sc_space_reader *x, sc_alt *alt) {
  if (!read_word(x, alt, SC_ALT_NONE, SC_ALT_NONE)) read_name(x, alt);
}

/* sizes = "all" | INT [ ".." INT ] [ "vectors" ] | run { "+" run };  run = INT [ "*" INT ] */
static void read_sizes(sc_space_reader *x, sc_alt *alt) {
  if (read_word(x, alt, SC_ALT_ALL, SC_ALT_ALL)) return;
  int32_t first = read_int(x, 1, INT32_MAX - 1);
  if (!sc_reader_is(&x->r, "*") && !sc_reader_is(&x->r, "+")) {
    alt->kind = SC_ALT_NUMBER;
    alt->lo = alt->hi = first;
    if (sc_reader_accept(&x->r, "..")) alt->hi = read_int(x, first, INT32_MAX - 1);
    alt->vectors = sc_reader_accept(&x->r, "vectors");
    return;
  }
  alt->kind = SC_ALT_RUNS;
  for (;;) {
    sc_run *run = &alt->run[alt->nruns++];
    *run = (sc_run){first, 1};
    if (sc_reader_accept(&x->r, "*")) run->count = read_int(x, 1, INT32_MAX - 1);
    if (!sc_reader_accept(&x->r, "+")) return;
    if (alt->nruns == SC_MAX_RUNS) {
      sc_reader_fail(&x->r, SC_LIMIT, "a dim has at most %d runs", SC_MAX_RUNS);
      return;
    }
    first = read_int(x, 1, INT32_MAX - 1);
  }
}

/* rung = "divisors" | "powers" | "splits" | "all" | "whole" | "top" | "at_most" INT | INT */
static void read_rung(sc_space_reader *x, sc_alt *alt) {
  if (read_word(x, alt, SC_ALT_ALL, SC_ALT_ALL) || read_word(x, alt, SC_ALT_DIVISORS, SC_ALT_AT_MOST)) {
    if (alt->kind == SC_ALT_AT_MOST) alt->lo = alt->hi = read_int(x, 2, 64);
    return;
  }
  if (x->r.token.kind != SC_TOKEN_INT)
    sc_reader_fail_expected(&x->r, "divisors, powers, splits, all, whole, top, at_most or a number of elements");
  alt->kind = SC_ALT_NUMBER;
  alt->lo = alt->hi = read_int(x, 1, INT32_MAX - 1);
}

/* loop = "none" | dim { dim } */
static void read_loop(sc_space_reader *x, sc_alt *alt) {
  if (!read_word(x, alt, SC_ALT_NONE, SC_ALT_NONE)) read_names(x, alt);
}

/* unroll = INT */
static void read_unroll(sc_space_reader *x, sc_alt *alt) {
  alt->kind = SC_ALT_NUMBER;
  alt->lo = alt->hi = read_int(x, 1, 64);
}

/* layout = "[" part { "," part } "]";  part = (dim | INT) [ ("/" | "%") "t" ] */
static const char *read_layout(sc_space_reader *x) {
  sc_str text = {0};
  int n = 0;
  char name[SC_NAME];
  sc_reader_expect(&x->r, "[");
  do {
    sc_str_add(&text, n++ ? "," : "[");
    if (x->r.token.kind == SC_TOKEN_INT) sc_str_printf(&text, "%d", (int)read_int(x, 0, SC_MAX_AXES - 1));
    else if (sc_reader_name(&x->r, name, sizeof name)) sc_str_add(&text, name);
    bool outer = sc_reader_accept(&x->r, "/");
    if (outer || sc_reader_accept(&x->r, "%")) {
      sc_reader_expect(&x->r, "t");
      sc_str_add(&text, outer ? "/t" : "%t");
    }
    if (n > 2 * SC_MAX_AXES) sc_reader_fail(&x->r, SC_LIMIT, "a layout has at most %d parts", 2 * SC_MAX_AXES);
  } while (x->r.status == SC_OK && sc_reader_accept(&x->r, ","));
  sc_reader_expect(&x->r, "]");
  sc_str_add(&text, "]");
  const char *copy = text.failed ? NULL : sc_arena_strdup(x->arena, sc_str_text(&text));
  if (!copy) sc_reader_fail(&x->r, SC_NOMEM, "out of memory");
  sc_str_free(&text);
  return copy;
}

/* pack = "none" | INT [ ".." INT ] layout [ "skew" INT ] */
static void read_pack(sc_space_reader *x, sc_alt *alt, bool lone) {
  if (read_word(x, alt, SC_ALT_NONE, SC_ALT_NONE) || (lone && read_word(x, alt, SC_ALT_ANY, SC_ALT_ANY))) return;
  alt->kind = SC_ALT_NUMBER;
  alt->lo = alt->hi = read_int(x, 1, SC_MAX_BANDS - 1);
  if (sc_reader_accept(&x->r, "..")) alt->hi = read_int(x, alt->lo, SC_MAX_BANDS - 1);
  if (lone && !sc_reader_is(&x->r, "[")) return;
  alt->layout = read_layout(x);
  if (sc_reader_accept(&x->r, "skew")) alt->skew = (int16_t)read_int(x, 1, 4096);
}

/* parallel = "none" | dim { dim } INT */
static void read_parallel(sc_space_reader *x, sc_alt *alt) {
  if (read_word(x, alt, SC_ALT_NONE, SC_ALT_NONE)) return;
  read_names(x, alt);
  alt->lo = alt->hi = read_int(x, 1, SC_MAX_BANDS - 1);
}

/* pad = "peel" | "clamp" | "pack" */
static void read_pad(sc_space_reader *x, sc_alt *alt) {
  alt->kind = SC_ALT_RULE;
  for (alt->lo = SC_PAD_PEEL; alt->lo <= SC_PAD_PACK; alt->lo++)
    if (sc_reader_accept(&x->r, sc_space_pad_words[alt->lo])) return;
  sc_reader_fail_expected(&x->r, "peel, clamp or pack");
}

/* order = "any" | item { item };  item = dim | "{" dim { dim } "}" */
static void read_order(sc_space_reader *x, sc_alt *alt) {
  if (read_word(x, alt, SC_ALT_ANY, SC_ALT_ANY)) return;
  uint8_t group = 0;
  do {
    bool braces = sc_reader_accept(&x->r, "{");
    do {
      if (alt->nnames < SC_MAX_DIMS) alt->group[alt->nnames] = group;
      read_name(x, alt);
    } while (braces && x->r.status == SC_OK && at_name(x));
    if (braces) sc_reader_expect(&x->r, "}");
    group++;
  } while (x->r.status == SC_OK && ((at_name(x) && !at_connective(x)) || sc_reader_is(&x->r, "{")));
}

static void read_alternative(sc_space_reader *x, const sc_clause *clause, sc_alt *alt, bool lone) {
  alt->at = x->r.token;
  alt->kind = SC_ALT_LIST;
  switch ((sc_attribute)clause->attribute) {
  case SC_AT_BANDS:
    alt->kind = SC_ALT_NUMBER;
    alt->lo = alt->hi = read_int(x, 1, SC_MAX_BANDS - 1);
    break;
  case SC_AT_VECTOR: read_vector(x, alt); break;
  case SC_AT_LANES: read_lanes(x, alt); break;
  case SC_AT_COMPILE: read_compile(x, alt); break;
  case SC_AT_TILE: read_sizes(x, alt); break;
  case SC_AT_LADDER: read_rung(x, alt); break;
  case SC_AT_LOOP: read_loop(x, alt); break;
  case SC_AT_UNROLL: read_unroll(x, alt); break;
  case SC_AT_PACK: read_pack(x, alt, lone); break;
  case SC_AT_PARALLEL: read_parallel(x, alt); break;
  case SC_AT_PAD: read_pad(x, alt); break;
  case SC_AT_ORDER: read_order(x, alt); break;
  default: break;
  }
}

/* ---- clauses ---- */

static int find_choice(const sc_space_reader *x) {
  for (int i = 0; i < x->space->nchoices; i++)
    if (sc_reader_is(&x->r, x->space->choice[i].name)) return i;
  return -1;
}

static int find_attribute(const sc_space_reader *x) {
  for (int i = 0; i < SC_AT_CHOICE; i++)
    if (sc_reader_is(&x->r, sc_attribute_words[i])) return i;
  return -1;
}

bool sc_clause_ahead(const sc_space_reader *x) {
  if (find_attribute(x) == SC_AT_TILE || find_attribute(x) == SC_AT_LANES || find_attribute(x) == SC_AT_UNROLL) {
    const char *at = x->r.at; /* quantities of the same name: `tile(` opens a condition, `lanes <=` too */
    while (at < x->r.end && (*at == ' ' || *at == '\t')) at++;
    return at < x->r.end && !strchr("(<>=!*/+-", *at);
  }
  return find_attribute(x) >= 0 || find_choice(x) >= 0;
}

/* A named choice and one of its options. */
static void read_option(sc_space_reader *x, sc_clause *clause) {
  int choice = find_choice(x);
  if (choice < 0) {
    sc_reader_fail_expected(&x->r, "a clause or a named choice");
    return;
  }
  const sc_named_choice *named = &x->space->choice[choice];
  memcpy(clause->subject, named->name, SC_NAME);
  sc_reader_next(&x->r);
  clause->alt = sc_space_alloc(x, 1, sizeof *clause->alt);
  if (!clause->alt) return;
  clause->nalts = 1;
  clause->alt[0].at = x->r.token;
  for (int i = 0; i < named->noptions; i++)
    if (sc_reader_is(&x->r, named->option[i])) {
      read_name(x, clause->alt);
      return;
    }
  sc_reader_fail_expected(&x->r, "an option of this choice");
}

/* What stands between the word of a clause and its alternatives. */
static void read_subject(sc_space_reader *x, sc_clause *clause) {
  int64_t nth = 1;
  switch ((sc_attribute)clause->attribute) {
  case SC_AT_LADDER:
    if (sc_reader_accept(&x->r, "*")) memcpy(clause->subject, "*", 2);
    else sc_reader_name(&x->r, clause->subject, SC_NAME);
    break;
  case SC_AT_TILE:
  case SC_AT_PAD: sc_reader_name(&x->r, clause->subject, SC_NAME); break;
  case SC_AT_PACK:
    sc_reader_name(&x->r, clause->subject, SC_NAME);
    if (sc_reader_accept(&x->r, "@")) sc_reader_int(&x->r, 1, SC_MAX_ACCESSES, &nth);
    clause->nth = (uint8_t)nth;
    break;
  case SC_AT_ORDER: clause->band = (uint8_t)read_int(x, 1, SC_MAX_BANDS - 1); break;
  default: break;
  }
}

/* The end of a `tile`: how runs of one size go on where they do not divide the dim. */
static void read_forms(sc_space_reader *x, sc_clause *clause) {
  static const char *const words[] = {"even", "rest", "balanced"};
  for (size_t i = 0; i < SC_COUNT_OF(words); i++)
    if (sc_reader_accept(&x->r, words[i])) clause->forms |= (uint8_t)(1u << i), i = (size_t)-1;
}

/* clause = "bands" INT | word subject alternative { "|" alternative } ; a ladder's rungs stand side by side:
 *   "vector" | "lanes" | "compile" | "loop" | "unroll" | "parallel"   no subject
 *   "tile" dim ... { "even" | "rest" | "balanced" } | "ladder" (dim | "*") | "pad" dim | "pack" tensor | "order" INT */
void sc_clause_read(sc_space_reader *x, sc_clause *clause, bool lone) {
  int attribute = find_attribute(x);
  memset(clause, 0, sizeof *clause);
  clause->at = x->r.token;
  clause->choice = (int8_t)x->choice;
  clause->option = (int8_t)x->option;
  clause->attribute = (uint8_t)(attribute < 0 ? SC_AT_CHOICE : attribute);
  if (attribute < 0) {
    read_option(x, clause);
    return;
  }
  x->r.dash_in_names = attribute == SC_AT_COMPILE; /* before the name behind the word is looked at */
  sc_reader_next(&x->r);
  read_subject(x, clause);
  sc_alt alt[SC_SPACE_ALTERNATIVES];
  bool more;
  do {
    if (clause->nalts == SC_SPACE_ALTERNATIVES) {
      sc_reader_fail(&x->r, SC_LIMIT, "more than %d alternatives", SC_SPACE_ALTERNATIVES);
      break;
    }
    memset(&alt[clause->nalts], 0, sizeof *alt);
    read_alternative(x, clause, &alt[clause->nalts++], lone);
    more = attribute == SC_AT_LADDER ? at_name(x) || x->r.token.kind == SC_TOKEN_INT
                                     : !lone && sc_reader_accept(&x->r, "|");
  } while (x->r.status == SC_OK && more);
  x->r.dash_in_names = false;
  if (attribute == SC_AT_TILE) read_forms(x, clause);
  clause->alt = sc_space_alloc(x, clause->nalts, sizeof *alt);
  if (clause->alt) memcpy(clause->alt, alt, clause->nalts * sizeof *alt);
}

/* ---- lines ---- */

static void add_clause(sc_space_reader *x, bool force) {
  sc_space *space = x->space;
  if (space->nclauses == SC_SPACE_CLAUSES) {
    sc_reader_fail(&x->r, SC_LIMIT, "more than %d clauses", SC_SPACE_CLAUSES);
    return;
  }
  sc_clause *clause = &space->clause[space->nclauses];
  sc_clause_read(x, clause, force);
  clause->force = force;
  if (x->r.status != SC_OK) return;
  if (clause->attribute == SC_AT_BANDS) {
    if (force || space->bands || clause->choice >= 0)
      sc_reader_fail_at(&x->r, &clause->at, SC_PARSE, "the number of bands is said once, for the whole space");
    space->bands = (uint8_t)clause->alt[0].lo;
    return;
  }
  if (clause->attribute == SC_AT_CHOICE && !force)
    sc_reader_fail_at(&x->r, &clause->at, SC_PARSE, "an option is chosen with `force %s ...`", clause->subject);
  space->nclauses++;
}

static void add_cond(sc_space_reader *x, bool force) {
  if (x->space->nconds == SC_SPACE_CONDITIONS) {
    sc_reader_fail(&x->r, SC_LIMIT, "more than %d conditions", SC_SPACE_CONDITIONS);
    return;
  }
  sc_cond *cond = &x->space->cond[x->space->nconds++];
  memset(cond, 0, sizeof *cond);
  cond->force = force;
  sc_cond_read(x, cond);
}

/* "choice" NAME */
static void read_choice(sc_space_reader *x) {
  sc_space *space = x->space;
  if (space->nchoices == SC_SPACE_CHOICES) {
    sc_reader_fail(&x->r, SC_LIMIT, "more than %d named choices", SC_SPACE_CHOICES);
    return;
  }
  if (find_choice(x) >= 0 || find_attribute(x) >= 0)
    sc_reader_fail(&x->r, SC_PARSE, "'%.*s' has a meaning already", (int)x->r.token.len, x->r.token.text);
  sc_named_choice *choice = &space->choice[space->nchoices];
  memset(choice, 0, sizeof *choice);
  choice->at = x->r.token;
  if (!sc_reader_name(&x->r, choice->name, SC_NAME)) return;
  x->choice = space->nchoices++;
  x->option = -1;
}

static void read_items(sc_space_reader *x);

/* "option" NAME ":" [ items ] */
static void read_option_line(sc_space_reader *x) {
  sc_named_choice *choice = x->choice < 0 ? NULL : &x->space->choice[x->choice];
  if (!choice) sc_reader_fail(&x->r, SC_PARSE, "an option belongs below a `choice` line");
  else if (choice->noptions == SC_SPACE_OPTIONS)
    sc_reader_fail(&x->r, SC_LIMIT, "more than %d options", SC_SPACE_OPTIONS);
  if (x->r.status != SC_OK) return;
  for (int i = 0; i < choice->noptions; i++)
    if (sc_reader_is(&x->r, choice->option[i])) sc_reader_fail(&x->r, SC_PARSE, "a second option of this name");
  x->option = choice->noptions;
  if (!sc_reader_name(&x->r, choice->option[x->option], SC_NAME)) return;
  choice->noptions++;
  sc_reader_expect(&x->r, ":");
  if (x->r.token.kind != SC_TOKEN_NEWLINE && x->r.token.kind != SC_TOKEN_END) read_items(x);
}

/* item = "where" cond | "force" (clause | cond) | clause */
static void read_item(sc_space_reader *x) {
  bool force = sc_reader_is(&x->r, "force");
  if (force || sc_reader_is(&x->r, "where")) {
    sc_reader_next(&x->r);
    if (force && sc_clause_ahead(x)) add_clause(x, true);
    else add_cond(x, force);
  } else if (find_attribute(x) >= 0) add_clause(x, false);
  else sc_reader_fail_expected(&x->r, "a clause, where, force, choice or option");
}

/* items = item { ";" item } */
static void read_items(sc_space_reader *x) {
  do read_item(x);
  while (x->r.status == SC_OK && sc_reader_accept(&x->r, ";"));
}

static void end_line(sc_space_reader *x) {
  if (x->r.token.kind != SC_TOKEN_NEWLINE && x->r.token.kind != SC_TOKEN_END)
    sc_reader_fail_expected(&x->r, "';' or the end of the line");
  sc_reader_accept(&x->r, "\n");
}

/* lines = { ("choice" NAME | "option" ... | items) NEWLINE }. A line that begins no option ends a choice. */
static void read_lines(sc_space_reader *x) {
  while (x->r.status == SC_OK && x->r.token.kind != SC_TOKEN_END) {
    if (sc_reader_accept(&x->r, "choice")) read_choice(x);
    else if (sc_reader_accept(&x->r, "option")) read_option_line(x);
    else {
      x->choice = x->option = -1;
      read_items(x);
    }
    end_line(x);
  }
}

static void check_choices(sc_space_reader *x) {
  for (int i = 0; i < x->space->nchoices; i++)
    if (x->space->choice[i].noptions == 0)
      sc_reader_fail_at(&x->r, &x->space->choice[i].at, SC_PARSE, "this choice has no option");
}

/* space = "space" NAME NEWLINE lines */
sc_status sc_space_parse(sc_arena *arena, const char *where, const char *text, size_t len, const sc_space **result,
                         sc_error *err) {
  sc_space *space = sc_arena_alloc(arena, 1, sizeof *space);
  sc_space_reader x = {.arena = arena, .space = space, .choice = -1, .option = -1};
  if (space) {
    space->where = sc_arena_strdup(arena, where);
    space->text = sc_arena_strndup(arena, text, len);
    space->len = len;
  }
  if (!space || !space->where || !space->text) return sc_fail(err, SC_NOMEM, "out of memory");
  sc_reader_init(&x.r, space->where, space->text, len, true, err);
  sc_reader_expect(&x.r, "space");
  sc_reader_name(&x.r, space->name, sizeof space->name);
  end_line(&x);
  read_lines(&x);
  if (x.r.status == SC_OK) check_choices(&x);
  if (space->bands == 0) space->bands = 1;
  *result = space;
  return x.r.status;
}

/* forced = [ "force" ] (clause | cond) | "where" cond */
static void read_forced(sc_space_reader *x) {
  bool where = sc_reader_accept(&x->r, "where");
  if (!where) sc_reader_accept(&x->r, "force");
  if (!where && sc_clause_ahead(x)) add_clause(x, true);
  else add_cond(x, !where);
}

sc_status sc_space_forced(sc_arena *arena, const sc_space *space, const char *force, const sc_space **result,
                          sc_error *err) {
  *result = space;
  if (!force || !force[0]) return SC_OK;
  sc_space *copy = sc_arena_alloc(arena, 1, sizeof *copy);
  char *text = sc_arena_strdup(arena, force);
  if (!copy || !text) return sc_fail(err, SC_NOMEM, "out of memory");
  *copy = *space;
  copy->forced = text;
  copy->forced_len = strlen(text);
  sc_space_reader x = {.arena = arena, .space = copy, .choice = -1, .option = -1};
  sc_reader_init(&x.r, "<force>", text, copy->forced_len, true, err);
  while (x.r.status == SC_OK && x.r.token.kind != SC_TOKEN_END) {
    do read_forced(&x);
    while (x.r.status == SC_OK && sc_reader_accept(&x.r, ";"));
    end_line(&x);
  }
  *result = copy;
  return x.r.status;
}

sc_status sc_space_fail(const sc_space *space, const sc_token *at, sc_error *err, sc_status status, const char *format,
                        ...) {
  char text[320];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  bool forced = space->forced && at->text >= space->forced && at->text <= space->forced + space->forced_len;
  sc_reader r;
  if (forced) sc_reader_init(&r, "<force>", space->forced, space->forced_len, true, err);
  else sc_reader_init(&r, space->where, space->text, space->len, true, err);
  sc_reader_fail_at(&r, at, status, "%s", text);
  return status;
}
