/* The language of spaces: what is printed reads back as itself; every message names its position; mutated texts are
 * errors or spaces that count, never crashes. */
#include "tests/sampler/spaces.h"

static const char everything[] =
    "space all_of_it\n"
    "bands 3\n"
    "choice border\n"
    "option kernels: pad p peel; pad q peel | clamp; where kernels <= 9\n"
    "option copy: pad p pack; pad q pack\n"
    "vector k | q | none\n"
    "lanes native | half | quarter | 2\n"
    "compile any | widest | gcc-v3\n"
    "tile k 1..4 vectors | 3\n"
    "tile q 1 | 2..14 | all | 6*9+2 | 7*8 even rest balanced\n"
    "ladder * divisors powers splits at_most 8\n"
    "ladder c all 64 whole top\n"
    "loop none | c | r c\n"
    "unroll 1 | 4\n"
    "pack X none | 1..2 [n,p,q,g,c] | 3 [0,1,2,3,4/t,4%t] skew 16\n"
    "pack W@1 none | 2 [g,k/t,c,r,s,k%t]\n"
    "parallel none | p k 3\n"
    "order 1 {p q k} c | c {p q}\n"
    "order 3 any\n"
    "where vectors(Y) + 2*vectors(W) - 1 <= registers*(1 + 0.25)\n"
    "where min(L1, 4096)/2 >= region(X,1) if not pack X none and border kernels\n"
    "where -(3 - tile(q)) != 2 - (1 - 1) if vector k and lanes 2 and unroll 4 and parallel p k 3\n"
    "force compile gcc-v3\n"
    "force pack W 2\n"
    "force extent(c,2) == 64\n"
    "force border kernels\n";

static const sc_space *parse(const char *text, size_t len, sc_error *err) {
  const sc_space *space = NULL;
  memset(err, 0, sizeof *err);
  return sc_space_parse(arena, "test.space", text, len, &space, err) == SC_OK ? space : NULL;
}

static void check_round_trip(const char *text) {
  sc_error err;
  sc_str once = {0}, twice = {0};
  const sc_space *space = parse(text, strlen(text), &err);
  if (!space) fail_msg("%d:%d: %s in\n%s", err.line, err.column, err.text, text);
  sc_space_print(space, &once);
  const sc_space *again = parse(sc_str_text(&once), once.len, &err);
  if (!again) fail_msg("%d:%d: %s in\n%s", err.line, err.column, err.text, sc_str_text(&once));
  sc_space_print(again, &twice);
  assert_string_equal(sc_str_text(&once), sc_str_text(&twice));
  sc_str_free(&once);
  sc_str_free(&twice);
}

static void test_round_trip(void **state) {
  static const char *const names[] = {"matmul", "conv2d", "depthwise"};
  char folder[1024], path[1152], *text;
  size_t len;
  sc_error err = {0};
  check_round_trip(everything);
  sc_data_dir(folder, sizeof folder);
  for (size_t i = 0; i < SC_COUNT_OF(names); i++) {
    snprintf(path, sizeof path, "%s/spaces/%s.space", folder, names[i]);
    if (sc_file_read(arena, path, 1 << 20, &text, &len, &err) != SC_OK) fail_msg("%s", err.text);
    check_round_trip(text);
  }
}

/* Already in printed form, but for the order of lines. */
static void test_printed_form(void **state) {
  sc_error err;
  sc_str out = {0};
  sc_space_print(parse(everything, sizeof everything - 1, &err), &out);
  const char *line = everything;
  for (size_t n; *line; line += n + (line[n] == '\n')) {
    n = strcspn(line, "\n");
    char copy[256];
    snprintf(copy, sizeof copy, "%.*s", (int)n, line);
    char *at = strstr(copy, "pack W@1 "); /* the first access needs no number */
    if (at) memmove(at + 6, at + 8, strlen(at + 8) + 1);
    if (!strstr(sc_str_text(&out), copy)) fail_msg("'%s' is not printed in\n%s", copy, sc_str_text(&out));
  }
  sc_str_free(&out);
}

/* ---- errors ---- */

static void test_errors(void **state) {
  static const struct {
    const char *text;
    int line, column;
    const char *says;
  } known[] = {
      {"", 1, 1, "expected 'space'"},
      {"space\n", 1, 6, "expected a name"},
      {"space a b", 1, 9, "';' or the end of the line"},
      {"space a\nfoo", 2, 1, "a clause, where, force, choice or option"},
      {"space a\nbands 0", 2, 7, "1"},
      {"space a\nbands 2\nbands 2", 3, 1, "said once"},
      {"space a\nvector j i", 2, 10, "';' or the end"},
      {"space a\nunroll 1 |", 2, 11, "an integer"},
      {"space a\nlanes wide", 2, 7, "an integer"},
      {"space a\nlanes 4 | 5", 2, 11, "a power of two, not 5"},
      {"space a\ntile i 4..2", 2, 11, "4"},
      {"space a\ntile i 1+1+1+1+1", 2, 16, "at most 4 runs"},
      {"space a\nladder i at_most 1", 2, 18, "2"},
      {"space a\nladder i down", 2, 10, "divisors"},
      {"space a\npack A 1", 2, 9, "expected '['"},
      {"space a\npack A 1 [i/x]", 2, 13, "expected 't'"},
      {"space a\npack A 2..1 [i]", 2, 11, "2"},
      {"space a\nparallel i", 2, 11, "an integer"},
      {"space a\npad p wrap", 2, 7, "peel, clamp or pack"},
      {"space a\norder 1 {i j", 2, 13, "expected '}'"},
      {"space a\norder 9 i", 2, 7, "4"},
      {"space a\noption b:", 2, 8, "below a `choice` line"},
      {"space a\nchoice tile", 2, 8, "a meaning already"},
      {"space a\nchoice b", 2, 8, "no option"},
      {"space a\nchoice b\noption c: unroll 2\noption c: unroll 1", 4, 8, "second option"},
      {"space a\nchoice b\noption c: unroll 2\nb c", 4, 1, "a clause, where"},
      {"space a\nchoice b\noption c: unroll 2\nforce b d", 4, 9, "an option of this choice"},
      {"space a\nwhere extents(i,1) < 2", 2, 7, "a quantity"},
      {"space a\nwhere extent(i) < 2", 2, 15, "expected ','"},
      {"space a\nwhere extent(i,7) < 2", 2, 16, "4"},
      {"space a\nwhere 1 + 2", 2, 12, "a comparison"},
      {"space a\nwhere 1 <= (2", 2, 14, "expected ')'"},
      {"space a\nwhere 1 <= 2 if tile i 2", 2, 17, "`if` asks for choices"},
      {"space a\nwhere 1 <= 2 if pack A 1 | 2", 2, 26, "';' or the end"},
      {"space a\nforce unroll 1 | 2", 2, 16, "';' or the end"},
      {"space a\nwhere 1 <= 2 if vector i and", 2, 29, "a clause or a named choice"},
  };
  for (size_t i = 0; i < SC_COUNT_OF(known); i++) {
    sc_error err;
    if (parse(known[i].text, strlen(known[i].text), &err)) fail_msg("this is no error:\n%s", known[i].text);
    if (err.line != known[i].line || err.column != known[i].column || !strstr(err.text, known[i].says))
      fail_msg("%d:%d: %s\nexpected %d:%d: ...%s... for\n%s", err.line, err.column, err.text, known[i].line,
               known[i].column, known[i].says, known[i].text);
  }
}

/* What only a task can tell; the position is that of the name or clause. */
static void test_bind_errors(void **state) {
  static const struct {
    const char *text, *force;
    sc_status status;
    int line, column;
    const char *says;
  } known[] = {
      {"space a\ntile z 1", NULL, SC_PARSE, 2, 1, "no dim 'z'"},
      {"space a\npack Z none", NULL, SC_PARSE, 2, 1, "no such tensor as 'Z'"},
      {"space a\npack A 1 [i,k,z]", NULL, SC_PARSE, 2, 8, "a dim of the task"},
      {"space a\npack A 2 [b,i,k]", NULL, SC_PARSE, 2, 8, "band 2: this space has 1"},
      {"space a\npack A 1 [b,i]", NULL, SC_ILLEGAL, 2, 8, "must name every axis once"},
      {"space a\npack A 1 [b,i%t,k,i/t]", NULL, SC_ILLEGAL, 2, 8, "must name every axis once"},
      {"space a\nloop z", NULL, SC_PARSE, 2, 6, "no dim 'z'"},
      {"space a\nloop k k", NULL, SC_PARSE, 2, 6, "twice"},
      {"space a\nparallel k 1", NULL, SC_ILLEGAL, 2, 10, "a reduction"},
      {"space a\nbands 2\nparallel i 1 | j 2", NULL, SC_PARSE, 3, 16, "stand in one band"},
      {"space a\norder 1 i z", NULL, SC_PARSE, 2, 9, "no dim 'z'"},
      {"space a\norder 2 i", NULL, SC_PARSE, 2, 1, "band 2: this space has 1"},
      {"space a\ntile i 1\ntile i 2", NULL, SC_PARSE, 3, 1, "line 2 speaks of this already"},
      {"space a\nwhere extent(z,1) <= 2", NULL, SC_PARSE, 2, 7, "no dim 'z'"},
      {"space a\nwhere extent(i,2) <= 2", NULL, SC_PARSE, 2, 7, "band 2: this space has 0 to 1"},
      {"space a\nwhere region(Z,1) <= 2", NULL, SC_PARSE, 2, 7, "no such tensor"},
      {"space a\nwhere 2 <= 1", NULL, SC_ILLEGAL, 2, 7, "`where 2 <= 1` leaves no schedule"},
      {"space a\nwhere tile(i) <= 1; where extent(i,1) <= 3; where size(k) <= 2", NULL, SC_ILLEGAL, 2, 27,
       "where extent(i,1) <= 3"},
      {"space a\nbands 2\nwhere region(A,1) >= 64; where region(A,1) <= 60", NULL, SC_ILLEGAL, 3, 32,
       "where region(A,1) <= 60"},
      {"space a\nvector j", "vector q", SC_PARSE, 1, 8, "the task has no dim 'q'"},
      {"space a\nvector q", NULL, SC_PARSE, 2, 8, "the task has no dim 'q'"},
      {"space a\nvector j", "kernels <= 1 if vector q", SC_PARSE, 1, 24, "the task has no dim 'q'"},
      {"space a\nvector j", "4/(0.0) <= 1", SC_PARSE, 1, 3, "division by zero"},
      {"space a\nvector j", "accumulators / 0 >= 1", SC_PARSE, 1, 16, "division by zero"},
      {"space a\nvector j", "force vector i", SC_ILLEGAL, 1, 7, "`force vector i` leaves no schedule"},
      {"space a\nunroll 1", "force unroll 2", SC_ILLEGAL, 1, 7, "force unroll 2"},
      {"space a\nvector j\nlanes native | 64", NULL, SC_ILLEGAL, 3, 16, "64 lanes: vectors of the machine"},
      {"space a\nvector j", "vector j; lanes 32", SC_ILLEGAL, 1, 17, "32 lanes: vectors of the machine"},
      {"space a\nloop k", "force compile gcc\nforce loop none", SC_ILLEGAL, 2, 7, "force loop none"},
      {"space a", "force compile icc", SC_ILLEGAL, 1, 15, "has no compiler 'icc'"},
      {"space a", "force tile i 3", SC_ILLEGAL, 1, 7, "force tile i 3"},
      {"space a", "where tile(i) >= 9", SC_ILLEGAL, 1, 7, "where tile(i) >= 9"},
      {"space a", "compile gcc; tile i 3", SC_ILLEGAL, 1, 14, "`force tile i 3` leaves"}, /* `force` may be left out */
      {"space a", "force compile gcc\ntiles", SC_PARSE, 2, 6, "expected '('"},
      {"space a\nvector i\npack A none", NULL, SC_ILLEGAL, 0, 0, "no schedule of the space a is legal"},
      {"space a\nbands 2\ntile i 1..8; tile j 1..8; ladder * all\nwhere tile(i) <= 8*tile(j); where region(A,1) + "
       "3*region(B,1) != 7.5",
       NULL, SC_LIMIT, 4, 35, "more than 300 states, most of them for `region(A,1) + 3*region(B,1) != 7.5`"},
      {"space a\nchoice c\noption x: tile i 1 | 2\noption y: tile i 2 | 4", NULL, SC_ILLEGAL, 2, 8,
       "options x and y may describe one"},
  };
  sc_machine machine = small_machine();
  const sc_task *task = task_of("matmul:M=8,N=8,K=8,weights=run");
  for (size_t i = 0; i < SC_COUNT_OF(known); i++) {
    sc_error err = {0};
    sc_space_bound *bound = NULL;
    sc_space_options options = {.threads = 4, .force = known[i].force, .max_states = 300};
    sc_status status = sc_space_bind(space_of(known[i].text), task, &machine, &options, &bound, &err);
    if (status != known[i].status || err.status != status || err.line != known[i].line ||
        err.column != known[i].column || !strstr(err.text, known[i].says))
      fail_msg("%s at %d:%d: %s\nexpected %s at %d:%d: ...%s... for\n%s\n%s", sc_status_name(status), err.line,
               err.column, err.text, sc_status_name(known[i].status), known[i].line, known[i].column, known[i].says,
               known[i].text, known[i].force ? known[i].force : "");
    assert_null(bound);
    if (known[i].line) assert_string_equal(err.where, known[i].force ? "<force>" : "test.space");
  }
  sc_error err;
  sc_space_bound *bound;
  const sc_space_options one = {.threads = 1, .force = "force parallel i 1"}, two = {.threads = 2, .force = one.force};
  const sc_space *space = space_of("space a\nparallel none | i 1"); /* for one thread only the forced line is wrong */
  assert_int_equal(sc_space_bind(space, task, &machine, &one, &bound, &err), SC_ILLEGAL);
  assert_non_null(strstr(err.text, "no parallel loops"));
  assert_int_equal(sc_space_bind(space, task, &machine, &two, &bound, &err), SC_OK);
  sc_space_unbind(bound);
}

/* ---- hostile texts ---- */

/* Digits become other digits, a piece of a line goes or another piece of the language comes. */
static void mutate(char *text, size_t *len, size_t cap, sc_rng *rng) {
  static const char *const pieces[] = {"|",
                                       "..",
                                       "[",
                                       "]",
                                       "{",
                                       "}",
                                       ";",
                                       "\n",
                                       " none",
                                       " any",
                                       " all",
                                       "where ",
                                       "force ",
                                       " if ",
                                       "not ",
                                       "1",
                                       "0",
                                       "-1",
                                       "9999999999999999999",
                                       "1e999",
                                       "0.5",
                                       " vectors",
                                       "order 1 ",
                                       " k",
                                       " i",
                                       " j",
                                       "(",
                                       ")",
                                       "min(",
                                       "bands 4",
                                       "\"",
                                       "#",
                                       "\xff",
                                       "option x:",
                                       "choice y\n",
                                       "*",
                                       "/",
                                       "%t"};
  for (int n = 1 + below(rng, 3); n > 0; n--) {
    size_t at = (size_t)below(rng, (int)*len + 1), cut = 0, add = 0;
    const char *piece = pieces[below(rng, SC_COUNT_OF(pieces))];
    switch (below(rng, 4)) {
    case 0: add = strlen(piece); break;
    case 1: cut = (size_t)below(rng, 20); break;
    default:
      while (at < *len && (text[at] < '0' || text[at] > '9')) at++;
      if (at < *len) text[at] = (char)('0' + below(rng, 10));
      continue;
    }
    if (at + cut > *len) cut = *len - at;
    if (*len - cut + add > cap) continue;
    memmove(text + at + add, text + at + cut, *len - at - cut);
    memcpy(text + at, piece, add);
    *len += add - cut;
  }
}

static void test_hostile(void **state) {
  static const char matmul[] =
      "space a\nbands 2\nvector j\ntile j 1..2 vectors; tile i 1..3\nladder * divisors at_most 4\nloop k | none\n"
      "pack B none | 1..2 [b,j/t,k,j%t]\nparallel none | i 2 | i j 2\norder 2 {i j} k\n"
      "choice c\noption x: unroll 1 | 2\noption y: unroll 4\n"
      "where region(A,1) + region(B,1) <= 2*L1 if pack B 2; where tasks >= 2 if not parallel none\n"
      "where kernels <= 4\nforce compile gcc\n";
  sc_machine machine = small_machine();
  const sc_task *task = task_of("matmul:M=7,N=8,K=6");
  size_t parsed = 0, bound_n = 0, n = getenv("SC_TEXTS") ? strtoul(getenv("SC_TEXTS"), NULL, 10) : 20000;
  sc_rng rng;
  sc_rng_seed(&rng, 1, 0);
  for (size_t i = 0; i < n; i++) {
    char text[8192];
    bool small = i % 4 != 0;
    size_t len = small ? sizeof matmul - 1 : sizeof everything - 1;
    sc_arena *own = sc_arena_new();
    const sc_space *space = NULL;
    sc_error err = {0};
    sc_space_bound *bound = NULL;
    memcpy(text, small ? matmul : everything, len);
    mutate(text, &len, sizeof text, &rng);
    if (sc_space_parse(own, "hostile", text, len, &space, &err) != SC_OK) {
      assert_true(err.status != SC_OK && err.line > 0 && err.column > 0 && err.text[0]);
    } else {
      parsed++;
      sc_space_options options = {.threads = 2, .max_states = 2000};
      if (sc_space_bind(space, task, &machine, &options, &bound, &err) == SC_OK) {
        sc_schedule s;
        assert_int_equal(sc_space_at(bound, sc_rng_below128(&rng, sc_space_count(bound)), &s), SC_OK);
        hash_of(task, &s);
        bound_n++;
      } else assert_true(err.status != SC_OK && err.text[0]);
    }
    sc_space_unbind(bound);
    sc_arena_free(own);
  }
  print_message("%zu mutated texts: %zu spaces, %zu with schedules for this task\n", n, parsed, bound_n);
  assert_true(parsed > n / 20 && bound_n > n / 100);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_round_trip), cmocka_unit_test(test_printed_form),
                                     cmocka_unit_test(test_errors), cmocka_unit_test(test_bind_errors),
                                     cmocka_unit_test(test_hostile)};
  return cmocka_run_group_tests(tests, load_library, free_library);
}
