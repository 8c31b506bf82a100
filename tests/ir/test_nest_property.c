/* For random legal schedules of every operator: the nest computes what the operator says, bit for bit, with every
 * address checked; the text of the schedule reads back as the same schedule. SC_PROPERTY_SCHEDULES: how many of each
 * operator. */
#include "tests/ir/convolutions.h"
#include "tests/ir/nests.h"

static int schedules_wanted(void) {
  const char *text = getenv("SC_PROPERTY_SCHEDULES");
  int n = text ? atoi(text) : 0;
  return n > 0 ? n : 500;
}

static void check_text(const sc_task *task, const sc_schedule *schedule) {
  sc_schedule again;
  sc_error err = {0};
  sc_str text = {0};
  sc_schedule_print(task, schedule, &text);
  if (sc_schedule_parse(task, "<text>", sc_str_text(&text), &again, &err) != SC_OK)
    fail_msg("%s: %s", sc_str_text(&text), err.text);
  if (memcmp(schedule, &again, sizeof again) != 0) {
    sc_str other = {0};
    sc_schedule_print(task, &again, &other);
    fail_msg("'%s' reads as '%s'", sc_str_text(&text), sc_str_text(&other));
  }
  sc_str_free(&text);
}

/* What has no effect can be left out, and then nothing is left to leave out. */
static void check_effective(const sc_task *task, const sc_schedule *schedule, const sc_nest *nest) {
  sc_schedule effective = *schedule;
  sc_nest same;
  sc_str text = {0}, once = {0}, twice = {0};
  sc_error err = {0};
  sc_schedule_effective(task, nest, &effective);
  sc_schedule_print(task, schedule, &text);
  sc_schedule_print(task, &effective, &once);
  if (sc_lower(task, &effective, &same, &err) != SC_OK || sc_nest_hash(task, &same) != sc_nest_hash(task, nest))
    fail_msg("%s\n%s\nis not\n%s\n%s", task->text, sc_str_text(&text), sc_str_text(&once), err.text);
  sc_schedule_effective(task, &same, &effective);
  sc_schedule_print(task, &effective, &twice);
  assert_string_equal(sc_str_text(&once), sc_str_text(&twice));
  sc_str_free(&text);
  sc_str_free(&once);
  sc_str_free(&twice);
}

static void check_one(check *c, const sc_schedule *schedule, uint64_t seed, int nthreads) {
  sc_nest nest;
  sc_error err = {0};
  assert_int_equal(sc_lower(c->task, schedule, &nest, &err), SC_OK);
  check_effective(c->task, schedule, &nest);
  if (check_nest(c, &nest, seed, nthreads, sc_run_nest, &err)) return;
  sc_str text = {0};
  sc_schedule_print(c->task, schedule, &text);
  sc_str_add(&text, "\n");
  sc_nest_print(c->task, &nest, &text);
  fail_msg("%s, %d threads: %s\n%s", c->task->text, nthreads, err.text, sc_str_text(&text));
}

static void test_random_schedules(void **state) {
  int wanted = schedules_wanted();
  for (size_t i = 0; i < SC_COUNT_OF(property_tasks); i++) {
    const sc_task *task = any_task(property_tasks[i].task);
    sc_rng rng;
    check c;
    sc_rng_seed(&rng, 17, i);
    check_init(&c, task, i);
    double start = sc_now_s();
    for (int n = 0; n < wanted; n++) {
      sc_schedule schedule;
      assert_int_equal(sc_schedule_random(task, &rng, 16, n & 1 ? "gcc" : "", &schedule), SC_OK);
      check_text(task, &schedule);
      check_one(&c, &schedule, i, schedule.nparallel ? 1 + n % 3 : 1);
    }
    print_message("%-38s %d schedules: operator = nest, %.2f s\n", property_tasks[i].name, wanted, sc_now_s() - start);
    check_free(&c);
  }
}

/* Sizes, strides, dilations, borders, types, layouts and epilogues at random, a few schedules each. */
static void test_random_tasks(void **state) {
  int tasks = schedules_wanted() / 2, n = 0;
  sc_rng rng;
  sc_rng_seed(&rng, 19, 0);
  for (int i = 0; i < tasks; i++) {
    char text[sizeof(conv){0}.text];
    if (i % 5 == 0)
      snprintf(text, sizeof text, "matmul:B=%d,M=%d,N=%d,K=%d,layout=%s,weights=%s", 1 + below(&rng, 3),
               1 + below(&rng, 20), 1 + below(&rng, 20), 1 + below(&rng, 20), below(&rng, 2) ? "KN" : "NK",
               below(&rng, 2) ? "const" : "run");
    else snprintf(text, sizeof text, "%s", random_conv(&rng).text);
    const sc_task *task = task_of(text);
    if (task->flop > 2e5) continue;
    check c;
    check_init(&c, task, (uint64_t)i);
    for (int j = 0; j < 5; j++, n++) {
      sc_schedule schedule;
      if (sc_schedule_random(task, &rng, 16, "", &schedule) != SC_OK) fail_msg("no legal schedule of %s", text);
      check_text(task, &schedule);
      check_one(&c, &schedule, (uint64_t)i, 1 + j % 3);
    }
    check_free(&c);
  }
  print_message("%d schedules of random tasks: operator = nest\n", n);
  assert_true(n > tasks);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_random_schedules), cmocka_unit_test(test_random_tasks)};
  return cmocka_run_group_tests_name("ir.nest_property", tests, load_libraries, free_library);
}
