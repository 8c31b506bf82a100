/* Schedules as text: lines of a file reach the reader with their task and their place, errors say where they are, and
 * no bytes crash the parser. (What each clause means: tests/cases; print and read of random schedules:
 * test_nest_property.c.) */
#include "tests/ir/nests.h"

/* ---- files ---- */

typedef struct seen {
  int n, lines[8];
  char text[8][200];
  const sc_task *task[8];
  sc_origin origin[8];
  int stop_at;
} seen;

static sc_status note(void *user, const sc_listed *listed) {
  seen *s = user;
  sc_str text = {0};
  if (s->n == s->stop_at) return SC_INTERRUPTED;
  sc_schedule_print(listed->task, listed->schedule, &text);
  snprintf(s->text[s->n], sizeof s->text[0], "%s", sc_str_text(&text));
  s->lines[s->n] = listed->line;
  s->origin[s->n] = listed->origin;
  s->task[s->n++] = listed->task;
  sc_str_free(&text);
  return SC_OK;
}

static sc_status read_file(const char *text, seen *s, sc_error *err) {
  memset(s, 0, sizeof *s);
  s->stop_at = 8;
  memset(err, 0, sizeof *err);
  return sc_schedules_read(arena, library, "x.sched", text, strlen(text), note, s, err);
}

static void test_file(void **state) {
  static const char text[] = "# two tasks\n"
                             "task matmul:M=4,N=4,K=4\n"
                             "schedule tile i 4; band order j k # predicted 3 ns\n"
                             "proposal uniform\n"
                             "  schedule\tband order i j k\r\n"
                             "proposal model 0123456789abcdef # of 8\n"
                             "task conv2d:H=4,W=4,C=2,K=2,R=1,S=1,stride=2\n"
                             "schedule";
  seen s;
  sc_error err;
  assert_int_equal(read_file(text, &s, &err), SC_OK);
  assert_int_equal(s.n, 3);
  assert_string_equal(s.text[0], "tile i 4; band order j k");
  assert_string_equal(s.text[1], "band order i j k");
  assert_string_equal(s.text[2], "");
  assert_int_equal(s.lines[0], 3);
  assert_int_equal(s.lines[1], 5);
  assert_int_equal(s.lines[2], 8);
  assert_int_equal(s.origin[0].proposal, SC_PROPOSED_USER);
  assert_int_equal(s.origin[1].proposal, SC_PROPOSED_UNIFORM);
  assert_true(s.origin[1].model_hash == 0);
  assert_int_equal(s.origin[2].proposal, SC_PROPOSED_MODEL);
  assert_true(s.origin[2].model_hash == 0x0123456789abcdef);
  assert_ptr_equal(s.task[0], s.task[1]);
  assert_string_equal(s.task[2]->op, "conv2d");
  assert_int_equal(read_file("", &s, &err), SC_OK);
  assert_int_equal(s.n, 0);
}

static void test_file_stops(void **state) {
  seen s = {.stop_at = 1};
  static const char text[] =
      "task matmul:M=4,N=4,K=4\nschedule band order i\nschedule band order j\nschedule band order k\n";
  assert_int_equal(sc_schedules_read(arena, library, "x", text, sizeof text - 1, note, &s, NULL), SC_INTERRUPTED);
  assert_int_equal(s.n, 1);
}

static void test_file_errors(void **state) {
  static const struct {
    const char *text, *message, *source;
    int line, column;
  } bad[] = {
      {"schedule band", "a schedule needs a `task` line above it", "schedule band", 1, 10},
      {"\ntask matmul:M=4,N=4,K=x\n", NULL, "task matmul:M=4,N=4,K=x", 2, 23},
      {"task matmul:M=4,N=4,K=4\n schedule tile i 4 j\nx", "expected ';' and another clause, or the end, found 'j'",
       " schedule tile i 4 j", 2, 20},
      {"# c\ntask matmul:M=4,N=4,K=4\nshcedule x\n", "expected `task`, `proposal` or `schedule`, found 'shcedule'",
       "shcedule x", 3, 1},
      {"task matmul:M=4,N=4,K=4\n\nschedule tile \x01\n", "the byte 0x01 means nothing here", "schedule tile \x01", 3,
       15},
      {"proposal  modell\n", "expected user, uniform, stratified, model, neighbour or anchor, and the model's hash",
       "proposal  modell", 1, 11},
      {"proposal model 123\n", NULL, "proposal model 123", 1, 10},
      {"task matmul:M=4,N=4,K=4\n\n\x02\n", "the byte 0x02 means nothing here", "\x02", 3, 1},
  };
  for (size_t i = 0; i < SC_COUNT_OF(bad); i++) {
    seen s;
    sc_error err;
    assert_int_not_equal(read_file(bad[i].text, &s, &err), SC_OK);
    if (bad[i].message) assert_string_equal(err.text, bad[i].message);
    assert_string_equal(err.where, "x.sched");
    assert_string_equal(err.source, bad[i].source);
    assert_int_equal(err.line, bad[i].line);
    assert_int_equal(err.column, bad[i].column);
  }
}

/* sc_schedule_read stops at the end of a line, so a schedule can be part of a larger file. */
static sc_status lower_listed(void *user, const sc_listed *listed) {
  sc_nest nest;
  return sc_lower(listed->task, listed->schedule, &nest, user);
}

/* What lowering says of a schedule in a file is shown there, at the clause, and however long the line. */
static void test_illegal_in_file(void **state) {
  static const char text[] = "task matmul:M=8,N=16,K=8\n"
                             "schedule band order i j k # fine\n"
                             " schedule tile i 4, j 5*3; vector j 4; loop k; band k all order i j # wrong\n";
  char printed[1024], line[400];
  sc_error err = {0};
  assert_int_equal(sc_schedules_read(arena, library, "x.sched", text, sizeof text - 1, lower_listed, &err, &err),
                   SC_ILLEGAL);
  assert_int_equal(err.rule, SC_RULE_COVER);
  sc_error_format(&err, printed, sizeof printed);
  assert_string_equal(printed, "x.sched:3:21: the tiles of j hold 15 of its 16 elements\n"
                               " schedule tile i 4, j 5*3; vector j 4; loop k; band k all order i j\n"
                               "                    ^\n");
  int n = snprintf(line, sizeof line, "task matmul:M=8,N=16,K=8\nschedule%300sband order i j k; pack B 3 [k,j]", "");
  err = (sc_error){0};
  assert_int_equal(sc_schedules_read(arena, library, "x", line, (size_t)n, lower_listed, &err, &err), SC_ILLEGAL);
  assert_int_equal(err.rule, SC_RULE_PACK_BAND);
  assert_memory_equal(err.source + err.column - 1, "pack B", 6);
}

static void test_reader_stops_at_newline(void **state) {
  static const char text[] = "band order i j k\nrest";
  const sc_task *task = task_of("matmul:M=4,N=4,K=4");
  sc_reader r;
  sc_schedule schedule;
  sc_reader_init(&r, "x", text, sizeof text - 1, true, NULL);
  assert_int_equal(sc_schedule_read(task, &r, &schedule), SC_OK);
  assert_int_equal(schedule.norder[1], 3);
  assert_true(sc_reader_accept(&r, "\n"));
  assert_true(sc_reader_is(&r, "rest"));
}

/* ---- hostile texts ---- */

static void mutate(sc_rng *rng, char *text) {
  static const char bytes[] = "ijkpqr 0123456789+*,;[]/%@.t\n#-\x80";
  size_t n = strlen(text);
  for (int changes = 1 + below(rng, 3); changes > 0 && n > 1; changes--) {
    size_t at = (size_t)below(rng, (int)n);
    switch (below(rng, 3)) {
    case 0: text[at] = bytes[below(rng, (int)sizeof bytes - 1)]; break;
    case 1: memmove(text + at, text + at + 1, n - at), n--; break;
    default: text[at] = '\0', n = at; break;
    }
  }
}

/* Mutated texts are schedules, which print and read back, or errors inside the text. */
static void test_mutated_texts(void **state) {
  const sc_task *task = task_of("conv2d:H=6,W=7,C=3,K=6,R=3,S=3,pad=1");
  int good = 0, bad = 0;
  sc_rng rng;
  sc_rng_seed(&rng, 5, 0);
  for (int n = 0; n < 20000; n++) {
    sc_schedule schedule, again;
    sc_str text = {0}, printed = {0};
    sc_error err = {0};
    assert_int_equal(sc_schedule_random(task, &rng, n % 2 ? 16 : 4, n % 3 ? "" : "gcc-12", &schedule), SC_OK);
    sc_schedule_print(task, &schedule, &text);
    if (text.text) mutate(&rng, text.text);
    if (sc_schedule_parse(task, "x", sc_str_text(&text), &again, &err) == SC_OK) {
      sc_nest nest;
      good++;
      sc_schedule_print(task, &again, &printed);
      assert_int_equal(sc_schedule_parse(task, "x", sc_str_text(&printed), &schedule, NULL), SC_OK);
      assert_memory_equal(&schedule, &again, sizeof again);
      sc_status status = sc_lower(task, &again, &nest, &err);
      assert_true(status == SC_OK || (status == SC_ILLEGAL && err.rule > 0 && err.text[0]));
    } else {
      bad++;
      assert_true(err.line >= 1 && err.column >= 1 && err.text[0]);
    }
    sc_str_free(&text);
    sc_str_free(&printed);
  }
  assert_true(good > 1000 && bad > 1000);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_file),
      cmocka_unit_test(test_file_stops),
      cmocka_unit_test(test_file_errors),
      cmocka_unit_test(test_illegal_in_file),
      cmocka_unit_test(test_reader_stops_at_newline),
      cmocka_unit_test(test_mutated_texts),
  };
  return cmocka_run_group_tests_name("ir.schedule", tests, load_library, free_library);
}
