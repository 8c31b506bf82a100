/* The schedule language: text -> sc_schedule. The grammar rule stands above each function; docs/schedules.md explains
 * it. The reader knows the words and the names of a task; whether the numbers make sense is sc_lower's to say. */
#include <string.h>

#include "ir/ir.h"
#include "ir/schedule.h"

typedef struct parser {
  sc_reader *r;
  const sc_task *task;
  sc_schedule *s;
  uint32_t seen; /* clauses that stand once, by index in clauses[] */
  uint16_t tiled;
  uint8_t padded;
  sc_token shared[SC_MAX_PACKS]; /* the word `shared`, where it was said */
  sc_token groups; /* the first group by number of the last band so far; text NULL = it has none */
  sc_token word; /* of the clause being read */
  int wanted; /* sc_error.clause, of which the place is looked for */
  sc_token item, clause; /* that place; its clause, for want of it; text NULL = not met */
} parser;

/* Notes where an item of a clause stands, if that is asked for. The last one wins: of two, the second is to blame. */
static void mark(parser *x, sc_clause clause, int item, const sc_token *at) {
  if (x->wanted == sc_clause_item(clause, item)) x->item = *at;
}

/* ---- names ---- */

static bool at_dim(const parser *x) {
  return x->r->token.kind == SC_TOKEN_NAME && sc_task_dim(x->task, x->r->token.text, x->r->token.len) >= 0;
}

/* dim = NAME */
static int read_dim(parser *x) {
  int d = at_dim(x) ? sc_task_dim(x->task, x->r->token.text, x->r->token.len) : -1;
  if (d < 0) {
    sc_reader_fail_expected(x->r, "a dim of the task");
    return 0;
  }
  sc_reader_next(x->r);
  return d;
}

static int64_t read_int(parser *x, int64_t min, int64_t max) {
  int64_t value = min;
  sc_reader_int(x->r, min, max, &value);
  return value;
}

/* dims = dim { dim }, until something else comes. Words of the language win over dims of the same name. */
static uint8_t read_dims(parser *x, sc_clause clause, uint8_t *dims, uint8_t limit, const char *until) {
  uint8_t n = 0;
  do {
    sc_token at = x->r->token;
    if (n == limit) sc_reader_fail(x->r, SC_LIMIT, "more than %d dims", limit);
    else dims[n++] = (uint8_t)read_dim(x);
    if (n && clause != SC_CLAUSE_BAND) mark(x, clause, dims[n - 1], &at);
  } while (x->r->status == SC_OK && x->r->token.kind == SC_TOKEN_NAME && !(until && sc_reader_is(x->r, until)));
  return n;
}

static bool spells(const sc_token *token, size_t len, const char *name) {
  return strlen(name) == len && memcmp(token->text, name, len) == 0;
}

/* ---- clauses ---- */

/* tiles = dim run { "+" run };  run = INT [ "*" INT ]
 * A lone run without count covers the dim as far as it goes, and a shorter tile the rest. */
static void read_runs(parser *x) {
  sc_token at = x->r->token;
  int d = read_dim(x);
  if (x->r->status == SC_OK && x->tiled >> d & 1)
    sc_reader_fail_at(x->r, &at, SC_PARSE, "dim '%s' is tiled twice", x->task->dim[d].name);
  x->tiled |= (uint16_t)(1u << d);
  mark(x, SC_CLAUSE_TILE, d, &at);
  int n = 0;
  bool counted = false;
  sc_run *run = x->s->run[d];
  do {
    if (n == SC_MAX_RUNS) {
      sc_reader_fail(x->r, SC_LIMIT, "a dim has at most %d runs", SC_MAX_RUNS);
      return;
    }
    run[n] = (sc_run){.size = (int32_t)read_int(x, 1, INT32_MAX), .count = 1};
    counted = sc_reader_accept(x->r, "*");
    if (counted) run[n].count = (int32_t)read_int(x, 1, INT32_MAX);
    n++;
  } while (sc_reader_accept(x->r, "+"));
  int32_t size = x->task->dim[d].size;
  if (n == 1 && !counted && run[0].size < size) {
    run[0].count = size / run[0].size;
    if (size % run[0].size) run[n++] = (sc_run){.size = size % run[0].size, .count = 1};
  }
  x->s->nruns[d] = (uint8_t)n;
}

/* "tile" tiles { "," tiles } */
static void read_tile(parser *x) {
  do read_runs(x);
  while (x->r->status == SC_OK && sc_reader_accept(x->r, ","));
}

/* "vector" dim INT */
static void read_vector(parser *x) {
  x->s->vector = (int8_t)read_dim(x);
  x->s->lanes = (uint8_t)read_int(x, 2, 128);
}

/* "loop" dims [ "unroll" INT ] */
static void read_loop(parser *x) {
  x->s->nkloops = read_dims(x, SC_CLAUSE_LOOP, x->s->kloop, SC_MAX_KLOOPS, "unroll");
  if (sc_reader_accept(x->r, "unroll")) x->s->unroll = (uint8_t)read_int(x, 1, UINT8_MAX);
}

/* The last band may say `all`, which it means anyway.
 * "band" [ group { "," group } ] [ "order" dims ];  group = dim (INT | "all") */
static void read_band(parser *x) {
  sc_schedule *s = x->s;
  if (s->nbands == SC_MAX_BANDS - 1) {
    sc_reader_fail(x->r, SC_LIMIT, "more than %d bands", SC_MAX_BANDS - 1);
    return;
  }
  int band = ++s->nbands;
  mark(x, SC_CLAUSE_BAND, band, &x->word);
  uint16_t grouped = 0;
  x->groups.text = NULL;
  if (at_dim(x) && !sc_reader_is(x->r, "order")) {
    do {
      sc_token at = x->r->token;
      int d = read_dim(x);
      if (grouped >> d & 1)
        sc_reader_fail_at(x->r, &at, SC_PARSE, "dim '%s' is grouped twice in band %d", x->task->dim[d].name, band);
      grouped |= (uint16_t)(1u << d);
      if (!x->groups.text && !sc_reader_is(x->r, "all")) x->groups = at;
      s->group[band][d] = sc_reader_accept(x->r, "all") ? SC_ALL : (int32_t)read_int(x, 1, INT32_MAX - 1);
    } while (x->r->status == SC_OK && sc_reader_accept(x->r, ","));
  }
  if (sc_reader_accept(x->r, "order"))
    s->norder[band] = read_dims(x, SC_CLAUSE_BAND, s->order[band], SC_MAX_DIMS, NULL);
}

/* "parallel" dims INT */
static void read_parallel(parser *x) {
  x->s->nparallel = read_dims(x, SC_CLAUSE_PARALLEL, x->s->parallel, SC_MAX_DIMS, NULL);
  x->s->parallel_band = (uint8_t)read_int(x, 1, SC_MAX_BANDS - 1);
}

/* The padded axis named: the dim that walks it, or TENSOR.dim where two tensors are padded along one dim. */
static int read_padded(parser *x) {
  const sc_token *token = &x->r->token;
  const char *dot = token->kind == SC_TOKEN_NAME ? memchr(token->text, '.', token->len) : NULL;
  size_t prefix = dot ? (size_t)(dot - token->text) : 0;
  sc_token dim = *token;
  if (dot) dim.text = dot + 1, dim.len -= prefix + 1;
  int found = -1, n = 0;
  for (int p = 0; p < x->task->npads && token->kind == SC_TOKEN_NAME; p++) {
    const sc_pad *pad = &x->task->pad[p];
    if (!spells(&dim, dim.len, x->task->dim[pad->free].name)) continue;
    if (dot && !spells(token, prefix, x->task->tensor[x->task->access[pad->access].tensor].name)) continue;
    found = p;
    n++;
  }
  if (n == 1) return found;
  if (n > 1)
    sc_reader_fail(x->r, SC_PARSE, "'%.*s' walks %d padded axes: say TENSOR.%.*s", (int)token->len, token->text, n,
                   (int)dim.len, dim.text);
  else if (at_dim(x)) sc_reader_fail(x->r, SC_PARSE, "no axis is padded along '%.*s'", (int)token->len, token->text);
  else sc_reader_fail_expected(x->r, "a dim that walks a padded axis");
  return -1;
}

/* "pad" padded rule { "," padded rule };  rule = "peel" | "clamp" | "pack" */
static void read_pad(parser *x) {
  do {
    sc_token at = x->r->token;
    int p = read_padded(x);
    if (p < 0) return;
    if (x->padded >> p & 1) sc_reader_fail_at(x->r, &at, SC_PARSE, "'%.*s' has two rules", (int)at.len, at.text);
    x->padded |= (uint8_t)(1u << p);
    mark(x, SC_CLAUSE_PAD, p, &at);
    sc_reader_next(x->r);
    int rule = SC_PAD_PEEL;
    while (rule <= SC_PAD_PACK && !sc_reader_is(x->r, sc_pad_words[rule])) rule++;
    if (rule > SC_PAD_PACK) {
      sc_reader_fail_expected(x->r, "peel, clamp or pack");
      return;
    }
    sc_reader_next(x->r);
    x->s->pad[p] = (uint8_t)rule;
  } while (x->r->status == SC_OK && sc_reader_accept(x->r, ","));
}

/* "compile" NAME, which may hold '-' */
static void read_compile(parser *x) {
  sc_reader_name(x->r, x->s->compile, sizeof x->s->compile);
  x->r->dash_in_names = false;
}

/* ---- packs ---- */

/* tensor = NAME [ "@" INT ]: the INT-th access of that tensor, counted from 1 */
static int read_access(parser *x) {
  sc_token at = x->r->token;
  if (at.kind != SC_TOKEN_NAME) {
    sc_reader_fail_expected(x->r, "a tensor of the task");
    return 0;
  }
  sc_reader_next(x->r);
  int64_t nth = sc_reader_accept(x->r, "@") ? read_int(x, 1, SC_MAX_ACCESSES) : 1;
  for (int a = 0; a < x->task->naccesses; a++)
    if (spells(&at, at.len, x->task->tensor[x->task->access[a].tensor].name) && --nth == 0) return a;
  sc_reader_fail_at(x->r, &at, SC_PARSE, "the task reads or writes no such tensor as '%.*s'", (int)at.len, at.text);
  return 0;
}

/* The axis that a name or number stands for. */
static int read_axis(parser *x, int access) {
  const sc_access *a = &x->task->access[access];
  int naxes = x->task->tensor[a->tensor].naxes;
  if (x->r->token.kind == SC_TOKEN_INT) return (int)read_int(x, 0, naxes - 1);
  sc_token at = x->r->token;
  int d = read_dim(x), found = -1, n = 0;
  for (int i = 0; i < naxes; i++)
    if (sc_axis_name(a, i) == d) {
      found = i;
      n++;
    }
  if (n == 1) return found;
  sc_reader_fail_at(x->r, &at, SC_PARSE,
                    n ? "'%.*s' walks several axes here: say their numbers" : "no axis is called '%.*s' here",
                    (int)at.len, at.text);
  return 0;
}

/* layout = "[" part { "," part } "]";  part = axis [ ("/" | "%") "t" ] */
static void read_layout(parser *x, sc_pack *pack) {
  sc_layout *layout = &pack->layout;
  uint8_t named = 0;
  sc_reader_expect(x->r, "[");
  do {
    if (layout->nparts == 2 * SC_MAX_AXES) {
      sc_reader_fail(x->r, SC_LIMIT, "a layout has at most %d parts", 2 * SC_MAX_AXES);
      return;
    }
    sc_part *part = &layout->part[layout->nparts++];
    part->axis = (uint8_t)read_axis(x, pack->access);
    part->kind = sc_reader_accept(x->r, "/")   ? SC_PART_OUTER
                 : sc_reader_accept(x->r, "%") ? SC_PART_INNER
                                               : SC_PART_WHOLE;
    named |= (uint8_t)(1u << part->axis);
    if (part->kind == SC_PART_WHOLE) continue;
    layout->block[part->axis] = SC_BLOCK_TILE;
    sc_reader_expect(x->r, "t");
  } while (x->r->status == SC_OK && sc_reader_accept(x->r, ","));
  sc_reader_expect(x->r, "]");
  const sc_tensor *tensor = &x->task->tensor[x->task->access[pack->access].tensor];
  for (int i = 0; i < tensor->naxes; i++) /* axes of one element need no mention */
    if (tensor->shape[i] == 1 && !(named >> i & 1) && layout->nparts < 2 * SC_MAX_AXES)
      layout->part[layout->nparts++] = (sc_part){.axis = (uint8_t)i, .kind = SC_PART_WHOLE};
}

/* "pack" tensor INT layout [ "skew" INT ] [ "shared" | "private" ] */
static void read_pack(parser *x) {
  sc_schedule *s = x->s;
  if (s->npacks == SC_MAX_PACKS) {
    sc_reader_fail(x->r, SC_LIMIT, "more than %d packs", SC_MAX_PACKS);
    return;
  }
  sc_pack *pack = &s->pack[s->npacks++];
  pack->access = (uint8_t)read_access(x);
  mark(x, SC_CLAUSE_PACK, pack->access, &x->word);
  pack->band = (uint8_t)read_int(x, 1, SC_MAX_BANDS - 1);
  if (x->r->status == SC_OK) read_layout(x, pack);
  if (sc_reader_accept(x->r, "skew")) pack->skew = (int16_t)read_int(x, 1, INT16_MAX);
  if (sc_reader_is(x->r, "shared")) x->shared[s->npacks - 1] = x->r->token;
  if (!sc_reader_accept(x->r, "shared")) pack->per_thread = sc_reader_accept(x->r, "private");
}

/* ---- the whole ---- */

static const struct {
  const char *word;
  void (*read)(parser *x);
  bool once;
} clauses[] = {
    /* by sc_clause - 1 */
    {"tile", read_tile, true},  {"vector", read_vector, true},   {"loop", read_loop, true},
    {"band", read_band, false}, {"pack", read_pack, false},      {"parallel", read_parallel, true},
    {"pad", read_pad, true},    {"compile", read_compile, true},
};

static void read_clause(parser *x) {
  size_t i = 0;
  while (i < SC_COUNT_OF(clauses) && !sc_reader_is(x->r, clauses[i].word)) i++;
  if (i == SC_COUNT_OF(clauses)) {
    sc_reader_fail_expected(x->r, "tile, vector, loop, band, pack, parallel, pad or compile");
    return;
  }
  if (clauses[i].once && x->seen >> i & 1) sc_reader_fail(x->r, SC_PARSE, "a second `%s`", clauses[i].word);
  x->seen |= 1u << i;
  x->word = x->r->token;
  if (x->wanted / SC_CLAUSE_ITEMS == (int)i + 1 && !x->clause.text) x->clause = x->word;
  if (clauses[i].read == read_compile) x->r->dash_in_names = true; /* before the name is looked at */
  sc_reader_next(x->r);
  clauses[i].read(x);
}

static bool at_end(const sc_reader *r) { return r->token.kind == SC_TOKEN_END || r->token.kind == SC_TOKEN_NEWLINE; }

/* schedule = [ clause ] { ";" [ clause ] } */
static sc_status read_schedule(parser *x) {
  sc_reader *reader = x->r;
  sc_schedule *schedule = x->s;
  memset(schedule, 0, sizeof *schedule);
  schedule->vector = -1;
  schedule->lanes = schedule->unroll = 1;
  while (reader->status == SC_OK && !at_end(reader)) {
    if (sc_reader_accept(reader, ";")) continue;
    read_clause(x);
    if (!at_end(reader) && !sc_reader_is(reader, ";"))
      sc_reader_fail_expected(reader, "';' and another clause, or the end");
  }
  if (schedule->nbands == 0) schedule->nbands = 1;
  if (x->groups.text)
    sc_reader_fail_at(reader, &x->groups, SC_PARSE, "the last band covers all there is: it has no groups");
  memset(schedule->group[schedule->nbands], 0, sizeof schedule->group[0]);
  for (int p = 0; p < schedule->npacks; p++)
    if (x->shared[p].text && schedule->nparallel && schedule->pack[p].band < schedule->parallel_band)
      sc_reader_fail_at(reader, &x->shared[p], SC_ILLEGAL, "this pack stands below the parallel loops: it is private");
  return reader->status;
}

sc_status sc_schedule_read(const sc_task *task, sc_reader *reader, sc_schedule *schedule) {
  parser x = {.r = reader, .task = task, .s = schedule};
  return read_schedule(&x);
}

void sc_schedule_locate(const sc_task *task, sc_reader *reader, sc_error *err) {
  sc_schedule schedule;
  parser x = {.r = reader, .task = task, .s = &schedule, .wanted = err->clause};
  sc_error lowered = *err;
  sc_token begin = reader->token;
  reader->err = err;
  if (read_schedule(&x) != SC_OK) return;
  const sc_token *at = x.item.text ? &x.item : x.clause.text ? &x.clause : &begin;
  sc_reader_fail_at(reader, at, lowered.status, "%s", lowered.text);
  err->rule = lowered.rule;
  err->clause = lowered.clause;
}

sc_status sc_schedule_parse(const sc_task *task, const char *where, const char *text, sc_schedule *schedule,
                            sc_error *err) {
  sc_reader reader;
  sc_reader_init(&reader, where, text, strlen(text), false, err);
  return sc_schedule_read(task, &reader, schedule);
}
