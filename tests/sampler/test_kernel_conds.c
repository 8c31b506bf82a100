/* Conditions on what the kernel table knows: spaces whose kernels differ by all that a kernel's key may, against the
 * plain filter of tests/sampler/facts.h. */
#include "tests/sampler/facts.h"

typedef struct subject {
  const char *task, *space;
  int threads;
} subject;

static const subject subjects[] = {
    {"matmul:M=7,N=8,K=4,weights=run",
     "space a\nbands 2\nvector j\ntile i 1..4; tile j 1..2 vectors\nloop none | k; unroll 1 | 2\ncompile any\n"
     "ladder * divisors\npack B none | 1..2 [b,j/t,k,j%t] | 2 [k,j/t,b,j%t] skew 4\nparallel none | i 2 | j 2",
     2},
    {"matmul:M=6,N=4,K=4,weights=run",
     "space a\nbands 3\nvector j | none\ntile i 1..3\nloop none | k\ncompile any\nladder k all\n"
     "ladder i divisors\npack A none | 1..2 [b,i,k] | 1 [b,k,i]",
     1},
    {"matmul:M=6,N=4,K=4",
     "space a\nbands 3\nvector j\ntile i 1..4\nloop none | k\npack C none | 1..3 [b,i,j] | 2 [b,i/t,j,i%t]", 1},
    {"conv2d:H=4,W=5,C=2,K=4,R=3,S=3,pad=1",
     "space a\nbands 2\nvector k\ntile q 1..3; tile s 1 | all\nloop c r | r c | r\nladder * divisors\nladder p whole; "
     "ladder r whole\n"
     "choice border\n  option kernels: pad p clamp | peel; pad q peel; tile r 1 | all; pack X none\n"
     "  option copy: pad p clamp | peel; pad q pack; tile r 1 | all; pack X 1..2 [n,p,q,g,c]\n"
     "pack W none | 2 [g,k/t,r,c,s,k%t]\nwhere region(X,1) <= 200",
     1},
    {"depthwise:H=5,W=6,C=8,R=3,S=3,pad=1",
     "space a\nbands 2\nvector c | q\ntile c 1..2 vectors; tile q 1..3; tile r 1 | all; tile s all\nunroll 1 | 2\n"
     "loop none | p | q | c | r\npad p peel; pad q peel | pack\npack X none | 1 [n,p,q,c]\npack W none | 2 "
     "[c/t,r,s,c%t]",
     1},
    {"conv2d:H=2,W=6,C=8,K=8,R=1,S=1,layout=NCHWc4,weights=run",
     "space a\nbands 2\nvector k\ntile q 1..3; tile k 1..2 vectors; tile c 1..2\nloop none | c | q\nladder * all "
     "at_most 3\n"
     "pack X none | 1 [n,p,q,c]\npack W none | 1..2 [k/t,c,k%t,r,s]",
     1},
};

static void test_filter(void **state) {
  sc_machine machine = facts_machine();
  for (size_t i = 0; i < SC_COUNT_OF(subjects); i++) {
    const subject *s = &subjects[i];
    const sc_task *task = task_of(s->task);
    sc_space_bound *all = bind_space(space_of(s->space), task, &machine, &(sc_space_options){.threads = s->threads});
    sc_kernel_table *table = made_up_table(all, &machine, task);
    print_message("%-60s %6zu schedules, %4zu facts:", s->task, (size_t)sc_space_count(all),
                  sc_kernel_table_count(table));
    for (size_t c = 0; c < SC_COUNT_OF(fact_cases); c++)
      for (int d = 0; d < (fact_cases[c].rest ? task->ndims : 1); d++)
        print_message(" %zu", compare_facts(all, s->space, task, &machine, s->threads, table, &fact_cases[c], d));
    print_message("\n");
    sc_kernel_table_free(table);
    sc_space_unbind(all);
  }
}

/* What is not known leaves nothing out; slips in a condition are found all the same. */
static void test_unknown(void **state) {
  static const char *const conditions[] = {"spills < 0", "rate > 1000000", "code == -1",
                                           "spills + code != spills + code"};
  const sc_machine machine = facts_machine();
  const sc_task *task = task_of("matmul:M=8,N=8,K=8");
  const sc_space *space = space_of("space a\nbands 2\nvector j\ntile i 1..4\nloop k");
  sc_kernel_table *empty = sc_kernel_table_new();
  sc_space_bound *all = bind_space(space, task, &machine, &(sc_space_options){.threads = 1});
  for (size_t i = 0; i < SC_COUNT_OF(conditions); i++)
    for (int with = 0; with < 2; with++) {
      const sc_space_options options = {.threads = 1, .force = conditions[i], .kernels = with ? empty : NULL};
      sc_space_bound *bound = bind_space(space, task, &machine, &options);
      assert_true(sc_space_count(bound) == sc_space_count(all));
      sc_space_unbind(bound);
    }
  sc_space_unbind(all);
  for (int with = 0; with < 2; with++) {
    const sc_space_options options = {.threads = 1, .force = "spills <= tile(z)", .kernels = with ? empty : NULL};
    sc_error err;
    assert_int_equal(sc_space_bind(space, task, &machine, &options, &all, &err), SC_PARSE);
    assert_non_null(strstr(err.text, "no dim 'z'"));
  }
  sc_kernel_table_free(empty);
}

static void test_limit(void **state) {
  const sc_machine machine = facts_machine();
  const sc_task *task = task_of("matmul:M=64,N=64,K=64,weights=run");
  const char *text = "space a\nbands 2\ntile i 1..8; tile j 1..8; loop none | k; unroll 1 | 2\nladder * whole\n"
                     "pack A none | 1 [b,i/t,k,i%t]\npack B none | 1 [b,j/t,k,j%t]\nwhere spills <= 4";
  sc_kernel_table *table = sc_kernel_table_new();
  sc_space_options options = {.threads = 1, .kernels = table, .max_states = 100};
  sc_space_bound *bound;
  sc_error err;
  assert_int_equal(sc_space_bind(space_of(text), task, &machine, &options, &bound, &err), SC_LIMIT);
  assert_int_equal(err.line, 7);
  assert_non_null(strstr(err.text, "asks about more than 800 nests"));
  sc_kernel_table_free(table);
}

/* A condition that no schedule meets is blamed. */
static void test_blame(void **state) {
  const sc_machine machine = facts_machine();
  const sc_task *task = task_of("matmul:M=8,N=8,K=8");
  const char *text = "space a\nvector j\nloop k\nwhere spills >= 0\nwhere code + spills < 0";
  sc_space_bound *all = bind_space(space_of(text), task, &machine, &(sc_space_options){.threads = 1}), *none;
  sc_kernel_table *table = sc_kernel_table_new();
  sc_error err;
  for (sc_count r = 0; r < sc_space_count(all); r++) {
    sc_schedule s;
    sc_nest nest;
    assert_int_equal(sc_space_at(all, r, &s), SC_OK);
    assert_int_equal(sc_lower(task, &s, &nest, NULL), SC_OK);
    const sc_kernel_fact fact = {.family = family_of(task, &nest, (uint8_t[SC_MAX_DIMS]){0}),
                                 .compiler = sc_compiler_hash(sc_machine_compiler(&machine, s.compile))};
    assert_int_equal(sc_kernel_table_put(table, &fact), SC_OK);
  }
  const sc_space_options options = {.threads = 1, .kernels = table};
  assert_int_equal(sc_space_bind(space_of(text), task, &machine, &options, &none, &err), SC_ILLEGAL);
  assert_int_equal(err.line, 5);
  assert_non_null(strstr(err.text, "`where code + spills < 0` leaves no schedule"));
  sc_kernel_table_free(table);
  sc_space_unbind(all);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_filter), cmocka_unit_test(test_unknown),
                                     cmocka_unit_test(test_limit), cmocka_unit_test(test_blame)};
  return cmocka_run_group_tests(tests, load_library, free_library);
}
