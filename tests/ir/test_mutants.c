/* Would the property test notice a wrong rule? The files of lowering and of the nest interpreter are compiled once more
 * here, under other names, with each rule of ir/mutant.h broken in turn; some random schedule must then go wrong. */
static int current; /* of sc_mutant */
#define SC_MUTANT current

#define sc_lower mutant_lower
#define sc_lower_pads mutant_lower_pads
#define sc_lower_find_packs mutant_lower_find_packs
#define sc_lower_pack mutant_lower_pack
#define sc_lower_nodes mutant_lower_nodes
#define sc_lower_operands mutant_lower_operands
#define sc_lower_kernels mutant_lower_kernels
#define sc_clamp_range mutant_clamp_range
#define sc_pack_strides mutant_pack_strides
#define sc_accumulator_type mutant_accumulator_type
#define sc_nest_kernel mutant_nest_kernel
#define sc_kernel_hash mutant_kernel_hash
#define sc_kernel_print mutant_kernel_print
#define sc_run_nest mutant_run_nest
#define sc_run_kernel mutant_run_kernel
#define sc_schedule_random mutant_schedule_random

/* NOLINTBEGIN(bugprone-suspicious-include) */
#include "ir/interpret_kernel.c"
#include "ir/interpret_nest.c"
#include "ir/kernel.c"
#include "ir/lower.c"
#include "ir/lower_nodes.c"
#include "ir/lower_operand.c"
#include "ir/lower_pack.c"
#include "ir/lower_pad.c"
#include "tests/ir/random_schedule.c"
/* NOLINTEND(bugprone-suspicious-include) */

#include "tests/ir/nests.h"

enum { SCHEDULES = 200 }; /* of each task; the property test takes more */

static const char *const mutants[SC_MUTANT_COUNT] = {
    [SC_MUTANT_NONE] = "nothing",
    [SC_MUTANT_UNIFORM] = "clamped tiles may see different taps",
    [SC_MUTANT_EMPTY] = "an empty clamped range is skipped",
    [SC_MUTANT_LAST] = "LAST from the innermost reduction alone",
    [SC_MUTANT_FIRST] = "FIRST from the innermost reduction alone",
    [SC_MUTANT_CLAMPED] = "FIRST and LAST from clamped ranges",
    [SC_MUTANT_FLOOR] = "bounds of a clamp rounded down",
    [SC_MUTANT_KEY_SEGMENT] = "key without tile sizes",
    [SC_MUTANT_KEY_BORDER] = "key without dropped taps",
    [SC_MUTANT_STRIDES] = "strides from the tensor",
    [SC_MUTANT_CURRENT] = "pack offsets from largest extents",
    [SC_MUTANT_FILL] = "a padding copy writes no zeros",
    [SC_MUTANT_ZERO] = "the output taken to be zero",
    [SC_MUTANT_PACK_BAND] = "a pack inside the loops of its band",
    [SC_MUTANT_SPLIT] = "a free kernel loop is not split",
};

/* Does one of SCHEDULES random schedules of this task go wrong? Counts those it took to know. */
static bool is_killed(const sc_task *task, uint64_t seed, int *tried) {
  sc_rng rng;
  check c;
  bool killed = false;
  sc_rng_seed(&rng, 23, seed);
  check_init(&c, task, seed);
  for (int n = 0; n < SCHEDULES && !killed; n++, ++*tried) {
    sc_schedule schedule;
    sc_nest nest;
    sc_error err = {0};
    if (sc_schedule_random(task, &rng, 16, "", &schedule) != SC_OK) fail_msg("no legal schedule of %s", task->text);
    assert_int_equal(sc_lower(task, &schedule, &nest, NULL), SC_OK);
    killed = !check_nest(&c, &nest, seed, 1 + n % 2, sc_run_nest, &err);
  }
  check_free(&c);
  return killed;
}

static void test_every_mutant_is_killed(void **state) {
  for (current = 0; current < SC_MUTANT_COUNT; current++) {
    int tried = 0;
    bool killed = false;
    assert_non_null(mutants[current]);
    for (size_t i = 0; i < SC_COUNT_OF(property_tasks) && !killed; i++)
      killed = is_killed(any_task(property_tasks[i].task), i, &tried);
    print_message("%-45s %s after %d schedules\n", mutants[current], killed ? "killed" : "alive", tried);
    assert_true(killed == (current != SC_MUTANT_NONE));
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_mutant_is_killed)};
  return cmocka_run_group_tests_name("ir.mutants", tests, load_libraries, free_library);
}
