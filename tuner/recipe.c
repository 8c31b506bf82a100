/* Recipes of campaigns: reading and printing them. A line is an item; `draw` and `round` may stand several times, of
 * another the last one counts. */
#include <stdio.h>
#include <string.h>

#include "tuner/tuner.h"

enum { MOST_SCHEDULES = 100000, MOST_SCAN = 100000000 };

static int number(sc_reader *r, int64_t least, int64_t most) {
  int64_t n = least;
  sc_reader_int(r, least, most, &n);
  return (int)n;
}

/* draw N uniform | stratified [parallel] */
static void read_draw(sc_reader *r, sc_recipe *c) {
  if (c->ndraws == SC_MOST_DRAWS) {
    sc_reader_fail(r, SC_LIMIT, "more than %d draws", SC_MOST_DRAWS);
    return;
  }
  sc_recipe_draw *d = &c->draw[c->ndraws++];
  *d = (sc_recipe_draw){SC_PROPOSED_UNIFORM, number(r, 1, MOST_SCHEDULES), false};
  if (sc_reader_accept(r, "stratified")) d->how = SC_PROPOSED_STRATIFIED;
  else if (!sc_reader_accept(r, "uniform")) sc_reader_fail_expected(r, "'uniform' or 'stratified'");
  d->parallel = sc_reader_accept(r, "parallel");
}

/* round N of SCAN */
static void read_round(sc_reader *r, sc_recipe *c) {
  if (c->nrounds == SC_MOST_ROUNDS) {
    sc_reader_fail(r, SC_LIMIT, "more than %d rounds", SC_MOST_ROUNDS);
    return;
  }
  sc_recipe_round *round = &c->round[c->nrounds++];
  round->n = number(r, 1, SC_MOST_PROPOSED);
  sc_reader_expect(r, "of");
  round->scan = number(r, round->n, MOST_SCAN);
}

/* passes N | N to M */
static void read_passes(sc_reader *r, sc_recipe *c) {
  c->passes = number(r, 1, SC_MAX_PASSES);
  c->most_passes = sc_reader_accept(r, "to") ? number(r, c->passes, SC_MAX_PASSES) : 0;
}

static void read_item(sc_reader *r, sc_recipe *c) {
  int64_t seed = 0;
  if (sc_reader_accept(r, "draw")) read_draw(r, c);
  else if (sc_reader_accept(r, "round")) read_round(r, c);
  else if (sc_reader_accept(r, "passes")) read_passes(r, c);
  else if (sc_reader_accept(r, "shard")) c->shard = number(r, 1, MOST_SCHEDULES);
  else if (sc_reader_accept(r, "threads")) c->threads = number(r, 0, 256);
  else if (sc_reader_accept(r, "tasks")) sc_reader_string(r, c->tasks, sizeof c->tasks);
  else if (sc_reader_accept(r, "seed")) {
    sc_reader_int(r, 0, INT64_MAX, &seed);
    c->seed = (uint64_t)seed;
  } else sc_reader_fail_expected(r, "'tasks', 'shard', 'passes', 'threads', 'draw', 'round' or 'seed'");
}

sc_status sc_recipe_parse(const char *where, const char *text, size_t len, sc_recipe *recipe, sc_error *err) {
  sc_reader r;
  *recipe = (sc_recipe){.shard = 25, .passes = 3};
  sc_reader_init(&r, where, text, len, true, err);
  r.dash_in_names = true;
  sc_reader_expect(&r, "campaign");
  sc_reader_name(&r, recipe->name, sizeof recipe->name);
  while (r.status == SC_OK && sc_reader_accept(&r, "\n") && r.token.kind != SC_TOKEN_END) read_item(&r, recipe);
  if (r.token.kind != SC_TOKEN_END) sc_reader_fail_expected(&r, "the end of the line");
  if (r.status == SC_OK && !recipe->tasks[0]) sc_reader_fail(&r, SC_PARSE, "no line `tasks \"FILE\"`");
  if (r.status == SC_OK && recipe->ndraws == 0) sc_reader_fail(&r, SC_PARSE, "no line `draw`: nothing to measure");
  return r.status;
}

void sc_recipe_print(const sc_recipe *c, sc_str *out) {
  sc_str_printf(out, "campaign %s\ntasks \"%s\"\nshard %d\npasses %d", c->name, c->tasks, c->shard, c->passes);
  if (c->most_passes) sc_str_printf(out, " to %d", c->most_passes);
  sc_str_printf(out, "\nthreads %d\nseed %llu\n", c->threads, (unsigned long long)c->seed);
  for (int i = 0; i < c->ndraws; i++) {
    const sc_recipe_draw *d = &c->draw[i];
    sc_str_printf(out, "draw %d %s", d->n, d->how == SC_PROPOSED_UNIFORM ? "uniform" : "stratified");
    sc_str_add(out, d->parallel ? " parallel\n" : "\n");
  }
  for (int i = 0; i < c->nrounds; i++) sc_str_printf(out, "round %d of %d\n", c->round[i].n, c->round[i].scan);
}
