/* Recipes of campaigns: what is printed reads back as itself, messages name their position, mutated texts are errors or
 * recipes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

#include "tuner/tuner.h"

static const char everything[] = "# all there is\n"
                                 "campaign zen-3.first\n"
                                 "\n"
                                 "tasks \"networks.txt\"\n"
                                 "shard 40\n"
                                 "passes 3 to 8\n"
                                 "seed 9223372036854775807\n"
                                 "draw 20 stratified   # dense at the fast end\n"
                                 "draw 5 uniform\n"
                                 "draw 4 uniform parallel\n"
                                 "threads 2\n"
                                 "round 5 of 10000\n"
                                 "round 256 of 256";

static sc_status parse(const char *text, sc_recipe *recipe, sc_error *err) {
  memset(err, 0, sizeof *err);
  return sc_recipe_parse("test.campaign", text, strlen(text), recipe, err);
}

static void test_everything(void **state) {
  sc_recipe c, again;
  sc_error err;
  sc_str text = {0};
  assert_int_equal(parse(everything, &c, &err), SC_OK);
  assert_string_equal(c.name, "zen-3.first");
  assert_string_equal(c.tasks, "networks.txt");
  assert_true(c.shard == 40 && c.passes == 3 && c.most_passes == 8 && c.seed == INT64_MAX);
  assert_true(c.ndraws == 3 && c.nrounds == 2);
  assert_true(c.draw[0].how == SC_PROPOSED_STRATIFIED && c.draw[0].n == 20 && !c.draw[0].parallel);
  assert_true(c.draw[2].how == SC_PROPOSED_UNIFORM && c.draw[2].n == 4 && c.draw[2].parallel && c.threads == 2);
  assert_true(c.round[1].n == 256 && c.round[1].scan == 256);
  sc_recipe_print(&c, &text);
  assert_int_equal(parse(sc_str_text(&text), &again, &err), SC_OK);
  assert_memory_equal(&c, &again, sizeof c);
  sc_str_free(&text);
}

/* Of an item that stands twice the last counts, with all that it says. */
static void test_the_last_counts(void **state) {
  sc_recipe c;
  sc_error err;
  assert_int_equal(parse("campaign a\ntasks \"t\"\npasses 3 to 8\ndraw 1 uniform\npasses 2", &c, &err), SC_OK);
  assert_true(c.passes == 2 && c.most_passes == 0);
}

static void test_defaults(void **state) {
  sc_recipe c;
  sc_error err;
  assert_int_equal(parse("campaign a\ntasks \"t\"\ndraw 1 uniform", &c, &err), SC_OK);
  assert_true(c.shard == 25 && c.passes == 3 && c.most_passes == 0 && c.seed == 0 && c.threads == 0 && c.nrounds == 0);
}

static void test_errors(void **state) {
  static const struct {
    const char *text, *says;
    int line, column;
  } cases[] = {
      {"", "expected 'campaign'", 1, 1},
      {"campaign\ntasks \"t\"", "expected a name", 1, 9},
      {"campaign a b", "expected the end of the line", 1, 12},
      {"campaign a\ndraw 1 uniform", "no line `tasks", 2, 15},
      {"campaign a\ntasks \"t\"\n", "no line `draw`", 3, 1},
      {"campaign a\ntasks t", "expected a string", 2, 7},
      {"campaign a\nbatch 3", "expected 'tasks', 'shard', 'passes', 'threads', 'draw', 'round' or 'seed', found", 2, 1},
      {"campaign a\ndraw 0 uniform", "0", 2, 6},
      {"campaign a\ndraw 5 sobol", "expected 'uniform' or 'stratified', found 'sobol'", 2, 8},
      {"campaign a\nthreads 257", "257", 2, 9},
      {"campaign a\ndraw 5 uniform threads 2", "expected the end of the line", 2, 16},
      {"campaign a\nround 5 10", "expected 'of'", 2, 9},
      {"campaign a\nround 20 of 10", "10", 2, 13},
      {"campaign a\nround 257 of 1000", "257", 2, 7},
      {"campaign a\npasses 17", "17", 2, 8},
      {"campaign a\npasses 3 to 2", "2", 2, 13},
      {"campaign a\nshard 0", "0", 2, 7},
      {"campaign a\nseed -1", "-1", 2, 6},
      {"campaign a\ndraw 1 uniform 2", "expected the end of the line", 2, 16},
  };
  for (size_t i = 0; i < SC_COUNT_OF(cases); i++) {
    sc_recipe c;
    sc_error err;
    assert_int_not_equal(parse(cases[i].text, &c, &err), SC_OK);
    if (!strstr(err.text, cases[i].says) || err.line != cases[i].line || err.column != cases[i].column)
      fail_msg("%s\n%d:%d: %s", cases[i].text, err.line, err.column, err.text);
  }
}

static void test_too_many(void **state) {
  sc_str draws = {0}, rounds = {0};
  sc_recipe c;
  sc_error err;
  sc_str_add(&draws, "campaign a\ntasks \"t\"");
  sc_str_add(&rounds, "campaign a\ntasks \"t\"\ndraw 1 uniform");
  for (int i = 0; i < SC_MOST_DRAWS; i++) sc_str_add(&draws, "\ndraw 1 uniform");
  for (int i = 0; i < SC_MOST_ROUNDS; i++) sc_str_add(&rounds, "\nround 1 of 10");
  assert_int_equal(parse(sc_str_text(&draws), &c, &err), SC_OK);
  assert_int_equal(parse(sc_str_text(&rounds), &c, &err), SC_OK);
  sc_str_add(&draws, "\ndraw 1 uniform");
  sc_str_add(&rounds, "\nround 1 of 10");
  assert_int_equal(parse(sc_str_text(&draws), &c, &err), SC_LIMIT);
  assert_int_equal(parse(sc_str_text(&rounds), &c, &err), SC_LIMIT);
  sc_str_free(&draws);
  sc_str_free(&rounds);
}

static void test_mutants(void **state) {
  static const char letters[] = "\n #\"0914tasks-drawuniform";
  sc_rng rng;
  size_t good = 0;
  sc_rng_seed(&rng, 1, 0);
  for (int i = 0; i < 20000; i++) {
    char text[sizeof everything];
    sc_recipe c, again;
    sc_error err;
    memcpy(text, everything, sizeof text);
    for (int k = 0; k <= i % 3; k++)
      text[sc_rng_below(&rng, sizeof text - 1)] = letters[sc_rng_below(&rng, sizeof letters - 1)];
    if (parse(text, &c, &err) != SC_OK) {
      assert_true(err.line > 0 && err.text[0]);
      continue;
    }
    sc_str once = {0};
    sc_recipe_print(&c, &once);
    if (parse(sc_str_text(&once), &again, &err) != SC_OK || memcmp(&c, &again, sizeof c) != 0)
      fail_msg("'%s' reads as '%s': %s", text, sc_str_text(&once), err.text);
    sc_str_free(&once);
    good++;
  }
  assert_true(good > 1000);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_everything),      cmocka_unit_test(test_defaults),
                                     cmocka_unit_test(test_the_last_counts), cmocka_unit_test(test_errors),
                                     cmocka_unit_test(test_too_many),        cmocka_unit_test(test_mutants)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
