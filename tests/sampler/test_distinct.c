/* The test that decides about counting: for many small spaces of every operator, all texts of the space are written
 * down one by one, lowered and hashed. The space must count exactly the distinct hashes, hand out each of them once,
 * and know the rank of every single text. */
#include "tests/sampler/brute.h"

/* ---- conditions, written again in C ---- */

static bool fits_caches(const sc_task *task, const sc_schedule *s) {
  return region_in(task, s, 1, 1) + region_in(task, s, 2, 1) <= 100 &&
         region_in(task, s, 1, 2) + region_in(task, s, 0, 2) <= 256;
}

static bool few_kernels(const sc_task *task, const sc_schedule *s) {
  sc_nest nest;
  return sc_lower(task, s, &nest, NULL) == SC_OK && nest.nvariants <= 2;
}

static bool packed_fits(const sc_task *task, const sc_schedule *s) {
  for (int p = 0; p < s->npacks; p++)
    if (s->pack[p].access == 1 && region_in(task, s, 1, s->pack[p].band) > 32) return false;
  return true;
}

static bool enough_tasks(const sc_task *task, const sc_schedule *s) {
  int64_t tasks = 1;
  for (int i = 0; i < s->nparallel; i++) {
    int d = s->parallel[i];
    tasks *= (extent_in(task, s, d, s->nbands) + extent_in(task, s, d, s->nbands - 1) - 1) /
             extent_in(task, s, d, s->nbands - 1);
  }
  return s->nparallel == 0 || tasks >= 4;
}

static bool short_body(const sc_task *task, const sc_schedule *s) {
  int64_t body = s->unroll;
  for (int d = 0; d < task->ndims; d++) {
    int32_t tile = extent_in(task, s, d, 0);
    body *= d == s->vector ? (tile + s->lanes - 1) / s->lanes : tile;
  }
  return body <= 4;
}

static bool deep_kernel(const sc_task *task, const sc_schedule *s) {
  return extent_in(task, s, sc_task_dim(task, "k", 1), 1) >= 2;
}

static bool pinned(const sc_task *task, const sc_schedule *s) {
  return extent_in(task, s, sc_task_dim(task, "i", 1), 2) == 4;
}

static bool between(const sc_task *task, const sc_schedule *s) {
  int32_t i = extent_in(task, s, sc_task_dim(task, "i", 1), 2), j = extent_in(task, s, sc_task_dim(task, "j", 1), 1);
  return i >= 2 && i <= 4 && j >= 2;
}

static bool ordered(const sc_task *task, const sc_schedule *s) { /* band 2: k outside i; band 1: j i k or k i */
  int at[SC_MAX_BANDS][SC_MAX_DIMS];
  memset(at, -1, sizeof at);
  for (int b = 1; b <= s->nbands; b++)
    for (int n = 0; n < s->norder[b]; n++) at[b][s->order[b][n]] = n;
  int i = sc_task_dim(task, "i", 1), j = sc_task_dim(task, "j", 1), k = sc_task_dim(task, "k", 1);
  bool two = at[2][k] < 0 || at[2][i] < 0 || at[2][k] < at[2][i];
  bool first = (at[1][j] < 0 || at[1][i] < 0 || at[1][j] < at[1][i]) &&
               (at[1][i] < 0 || at[1][k] < 0 || at[1][i] < at[1][k]) &&
               (at[1][j] < 0 || at[1][k] < 0 || at[1][j] < at[1][k]);
  bool second = at[1][k] < 0 || at[1][i] < 0 || at[1][k] < at[1][i];
  return two && (first || second);
}

static bool plain_unless_vector(const sc_task *task, const sc_schedule *s) {
  int j = sc_task_dim(task, "j", 1);
  return s->vector == j || extent_in(task, s, j, 0) == 1;
}

/* ---- the spaces ---- */

static const brute cases[] = {
    {.task = "matmul:M=4,N=1,K=4", .space = "space a\nbands 2\nladder * all\n", .bands = 2, .compile = {"gcc", "old"}},
    {.task = "matmul:M=6,N=2,K=4",
     .space = "space a\nbands 3\nladder * all\nloop none | k; compile gcc",
     .bands = 3,
     .loop = {"", "loop k"},
     .compile = {"gcc"}},
    {.task = "matmul:M=3,N=4,K=4",
     .space = "space a\nbands 3\nladder * all\nloop k; unroll 1 | 2 | 4; vector j\ntile j 1..2 vectors; compile any",
     .bands = 3,
     .dim = {{"j", "all", {"4", "2*2"}}},
     .vector = {"vector j 4", "vector j 2"},
     .loop = {"loop k", "loop k unroll 2", "loop k unroll 4"},
     .compile = {"gcc@4", "old@2"}},
    {.task = "matmul:M=6,N=1,K=4,weights=run",
     .space = "space a\nbands 3\nladder * all\ncompile gcc\npack A none | 1..3 [b,i/t,k,i%t] | 2 [b,k,i]\ntile i 1..3",
     .bands = 3,
     .dim = {{"i", "all", {"1", "2*3", "3*2"}}},
     .pack = {{"", "pack A 1 [b,i/t,k,i%t]", "pack A 2 [b,i/t,k,i%t]", "pack A 3 [b,i/t,k,i%t]", "pack A 2 [b,k,i]"}},
     .compile = {"gcc"}},
    {.task = "matmul:M=4,N=2,K=4,weights=run",
     .space = "space a\nbands 3\nladder * all\ncompile gcc\nloop none | k\npack A none | 1..2 [b,i,k]\npack B none | "
              "2..3 [b,j,k]\n",
     .bands = 3,
     .loop = {"", "loop k"},
     .pack = {{"", "pack A 1 [b,i,k]", "pack A 2 [b,i,k]"}, {"", "pack B 2 [b,j,k]", "pack B 3 [b,j,k]"}},
     .compile = {"gcc"}},
    {.task = "matmul:M=5,N=8,K=2",
     .space = "space a\nbands 2\nladder * all\ncompile gcc\nvector j\ntile i 1..4\ntile j 1..2 vectors\nloop k\n"
              "pack B none | 1..2 [b,j/t,k,j%t] | 1 [b,k,j] | 2 [k,j/t,b,j%t] skew 4",
     .bands = 2,
     .dim = {{"i", "all", {"1", "2*2+1", "3+2", "4+1"}}, {"j", "all", {"4*2", "8"}}},
     .vector = {"vector j 4"},
     .loop = {"loop k"},
     .pack = {{"", "pack B 1 [b,j/t,k,j%t]", "pack B 2 [b,j/t,k,j%t]", "pack B 1 [b,k,j]",
               "pack B 2 [k,j/t,b,j%t] skew 4"}},
     .compile = {"gcc"}},
    {.task = "matmul:M=4,N=2,K=4",
     .space = "space a\nbands 3\nladder * all\ncompile gcc\npack C none | 1..3 [b,i,j]\nloop none | k",
     .bands = 3,
     .loop = {"", "loop k"},
     .pack = {{"", "pack C 1 [b,i,j]", "pack C 2 [b,i,j]", "pack C 3 [b,i,j]"}},
     .compile = {"gcc"}},
    {.task = "matmul:M=4,N=4,K=3,type=i8",
     .space = "space a\nbands 2\nladder * all\ncompile gcc\npack C none | 1..2 [b,i,j]\nloop none | k",
     .bands = 2,
     .loop = {"", "loop k"},
     .pack = {{"", "pack C 1 [b,i,j]", "pack C 2 [b,i,j]"}},
     .compile = {"gcc"}},
    {.task = "matmul:M=4,N=4,K=2,weights=run",
     .space =
         "space a\nbands 2\nladder * all\ncompile gcc\nparallel none | i 2 | j 2 | i j 2\npack A none | 1..2 [b,k,i]\n"
         "pack C none | 1..2 [b,i,j]",
     .threads = 4,
     .bands = 2,
     .parallel = {"", "parallel i 2", "parallel j 2", "parallel i j 2"},
     .pack = {{"", "pack A 1 [b,k,i]", "pack A 2 [b,k,i]"}, {"", "pack C 1 [b,i,j]", "pack C 2 [b,i,j]"}},
     .compile = {"gcc"}},
    {.task = "matmul:M=4,N=2,K=4",
     .space = "space a\nbands 3\nladder * all\ncompile gcc\nparallel none | i 2 | i j 2; loop none | k",
     .threads = 2,
     .bands = 3,
     .parallel = {"", "parallel i 2", "parallel i j 2"},
     .loop = {"", "loop k"},
     .compile = {"gcc"}},
    {.task = "matmul:M=6,N=4,K=4",
     .space = "space a\nbands 3\nladder * all\ncompile gcc\nloop k\n"
              "where region(A,1) + region(B,1) <= 100; where region(A,2) + region(C,2) <= L1",
     .bands = 3,
     .loop = {"loop k"},
     .compile = {"gcc"},
     .where = fits_caches},
    {.task = "matmul:M=7,N=5,K=2",
     .space = "space a\nbands 2\nladder * all\ncompile gcc\ntile i 1..4; tile j 1..3\nwhere kernels <= 2",
     .bands = 2,
     .dim = {{"i", "all", {"1", "2*3+1", "3*2+1", "4+3", "3+2*2"}}, {"j", "all", {"1", "2*2+1", "3+2"}}},
     .compile = {"gcc"},
     .where = few_kernels},
    {.task = "matmul:M=4,N=3,K=4,weights=run",
     .space = "space a\nbands 3\nladder * all\ncompile gcc\npack A none | 1..3 [b,i,k]\n"
              "where region(A,1) <= 32 if pack A 1; where region(A,2) <= 32 if pack A 2; where region(A,3) <= 32 if "
              "pack A 3",
     .bands = 3,
     .pack = {{"", "pack A 1 [b,i,k]", "pack A 2 [b,i,k]", "pack A 3 [b,i,k]"}},
     .compile = {"gcc"},
     .where = packed_fits},
    {.task = "matmul:M=8,N=4,K=2",
     .space = "space a\nbands 2\nladder * all\ncompile gcc\nparallel none | i 2 | j 2 | i j 2\nwhere tasks >= 4 if not "
              "parallel none",
     .threads = 2,
     .bands = 2,
     .parallel = {"", "parallel i 2", "parallel j 2", "parallel i j 2"},
     .compile = {"gcc"},
     .where = enough_tasks},
    {.task = "matmul:M=4,N=8,K=4",
     .space = "space a\nbands 2\nladder * all\ncompile gcc\nvector j; tile i 1..4; tile j 1..2 vectors; loop k; unroll "
              "1 | 2 | 4\n"
              "where body <= 4",
     .bands = 2,
     .dim = {{"i", "all", {"1", "2*2", "3+1", "4"}}, {"j", "all", {"4*2", "8"}}},
     .vector = {"vector j 4"},
     .loop = {"loop k", "loop k unroll 2", "loop k unroll 4"},
     .compile = {"gcc"},
     .where = short_body},
    {.task = "matmul:B=2,M=2,N=4,K=2,layout=NK,epilogue=bias_relu",
     .space = "space a\nbands 2\nladder * all; ladder b top\ncompile gcc\nvector j | i | none\ntile j 1 vectors | 1; "
              "tile i 1..2\n"
              "pack B none | 2 [b,k,j] | 2 [b,j/t,k,j%t]; pack A none | 1 [b,k,i]",
     .bands = 2,
     .dim = {{"b", "top", {"1"}}, {"j", "all", {"4", "1"}}, {"i", "all", {"1", "2"}}},
     .where = plain_unless_vector,
     .vector = {"vector j 4", "vector i 2", ""},
     .pack = {{"", "pack B 2 [b,k,j]", "pack B 2 [b,j/t,k,j%t]"}, {"", "pack A 1 [b,k,i]"}},
     .compile = {"gcc"}},
    /* holes in the domains, rules for orders */
    {.task = "matmul:M=4,N=2,K=8",
     .space = "space a\nbands 3\nladder * all\ncompile gcc\nloop none | k\nwhere extent(k,1) >= 2",
     .bands = 3,
     .loop = {"", "loop k"},
     .compile = {"gcc"},
     .where = deep_kernel},
    {.task = "matmul:M=8,N=2,K=4",
     .space = "space a\nbands 3\nladder * all\ncompile gcc\nforce extent(i,2) == 4",
     .bands = 3,
     .compile = {"gcc"},
     .where = pinned},
    {.task = "matmul:M=8,N=4,K=2,weights=run",
     .space = "space a\nbands 3\nladder * all\ncompile gcc\npack B none | 2 [b,k,j]\nwhere extent(i,2) >= 2; where "
              "extent(i,2) <= 4; where extent(j,1) >= 2",
     .bands = 3,
     .pack = {{"", "pack B 2 [b,k,j]"}},
     .compile = {"gcc"},
     .where = between},
    {.task = "matmul:M=4,N=4,K=4",
     .space = "space a\nbands 2\nladder * all\ncompile gcc\norder 2 k i; order 1 j i k | k i",
     .bands = 2,
     .compile = {"gcc"},
     .where = ordered},
    {.task = "matmul:M=4,N=2,K=4",
     .space = "space a\nbands 3\nladder * all; ladder k whole\ncompile gcc\nloop none | k",
     .bands = 3,
     .dim = {{"k", "whole", {"1"}}},
     .loop = {"", "loop k"},
     .compile = {"gcc"}},
    /* convolution: windows, padding */
    {.task = "conv2d:H=4,W=1,C=2,K=2,R=3,S=1,pad_top=1,pad_left=0",
     .space =
         "space a\nbands 2\nladder * all\ncompile gcc\npad p peel | clamp\ntile r 1 | all\nloop none | r | c r | r c",
     .bands = 2,
     .dim = {{"r", "all", {"1", "3"}}},
     .pad = {"pad p peel", "pad p clamp"},
     .loop = {"", "loop r", "loop c r", "loop r c"},
     .compile = {"gcc"}},
    {.task = "conv2d:H=5,W=5,C=1,K=4,R=3,S=3,pad=1",
     .space = "space a\nbands 2\nladder * whole top\ncompile gcc\nvector k\npad p peel | clamp | pack; pad q peel | "
              "clamp | pack\n"
              "tile q 1..3; tile p 1..2; tile s 1 | all; tile r 1 | all\nladder r whole; ladder s whole\nloop none | r "
              "| s r\n"
              "pack X none | 1 [0,1,2,3,4] | 2 [0,1,3,4,2]",
     .bands = 2,
     .dim = {{"k", "ends", {"4"}},
             {"q", "ends", {"1", "2*2+1", "3+2"}},
             {"p", "ends", {"1", "2*2+1"}},
             {"s", "whole", {"1", "3"}},
             {"r", "whole", {"1", "3"}}},
     .vector = {"vector k 4"},
     .pad = {"pad p peel, q peel", "pad p clamp, q peel", "pad p pack, q peel", "pad p peel, q clamp",
             "pad p clamp, q clamp", "pad p pack, q clamp", "pad p peel, q pack", "pad p clamp, q pack",
             "pad p pack, q pack"},
     .loop = {"", "loop r", "loop s r"},
     .pack = {{"", "pack X 1 [0,1,2,3,4]", "pack X 2 [0,1,3,4,2]"}},
     .compile = {"gcc"}},
    {.task = "conv2d:H=3,W=3,C=4,K=8,R=1,S=1,layout=NCHWc4",
     .space = "space a\nbands 2\nladder * all\ncompile gcc\nvector k\ntile k 1..2 vectors; loop none | c | q c; tile c "
              "1..2\n"
              "pack W none | 2 [g,k/t,c,r,s,k%t] | 1 [g,k/t,c/t,r,s,c%t,k%t]\nladder p top; ladder q whole top",
     .bands = 2,
     .dim = {{"k", "all", {"4*2", "8"}}, {"p", "top", {"1"}}, {"q", "ends", {"1"}}, {"c", "all", {"1", "2"}}},
     .vector = {"vector k 4"},
     .loop = {"", "loop c", "loop q c"},
     .pack = {{"", "pack W 2 [g,k/t,c,r,s,k%t]", "pack W 1 [g,k/t,c/t,r,s,c%t,k%t]"}},
     .compile = {"gcc"}},
    /* depthwise: free loops of the kernel */
    {.task = "depthwise:H=3,W=4,C=4,R=3,S=3,pad=1",
     .space = "space a\nbands 2\nladder * whole top\ncompile gcc\nvector c\npad p peel | clamp; pad q peel\n"
              "tile q 1..2; tile s all; tile r 1 | all\nloop none | q | p | r | q r | c r",
     .bands = 2,
     .dim = {{"c", "ends", {"4"}},
             {"p", "ends", {"1"}},
             {"q", "ends", {"1", "2"}},
             {"s", "ends", {"3"}},
             {"r", "ends", {"1", "3"}}},
     .vector = {"vector c 4"},
     .pad = {"pad p peel, q peel", "pad p clamp, q peel"},
     .loop = {"", "loop q", "loop p", "loop r", "loop q r", "loop c r"},
     .compile = {"gcc"}},
    {.task = "depthwise:H=2,W=3,C=8,R=1,S=2,layout=NCHWc8,epilogue=bias,weights=run",
     .space = "space a\nbands 2\nladder * all\ncompile gcc\nvector c\ntile c 1..2 vectors; tile s 1 | all; loop none | "
              "c | q | c s\n"
              "pack W none | 1..2 [c/t,r,s,c%t] | 2 [s,r,c]; ladder p top",
     .bands = 2,
     .dim = {{"c", "all", {"4*2", "8"}}, {"s", "all", {"1", "2"}}, {"p", "top", {"1"}}},
     .vector = {"vector c 4"},
     .loop = {"", "loop c", "loop q", "loop c s"},
     .pack = {{"", "pack W 1 [c/t,r,s,c%t]", "pack W 2 [c/t,r,s,c%t]", "pack W 2 [s,r,c]"}},
     .compile = {"gcc"}},
};

/* ---- the comparison ---- */

typedef struct comparison {
  const brute *b;
  const sc_space_bound *bound;
  hashes raw;
  size_t texts, legal;
} comparison;

static void print_case(const comparison *c, const sc_task *task, const sc_schedule *s, const char *what) {
  sc_str text = {0};
  sc_nest nest;
  sc_schedule_print(task, s, &text);
  sc_str_add(&text, "\n");
  if (sc_lower(task, s, &nest, NULL) == SC_OK) sc_nest_print(task, &nest, &text);
  fail_msg("%s\n%s\n%s\n%s", c->b->task, c->b->space, what, sc_str_text(&text));
}

static void each_text(void *user, const sc_task *task, const sc_schedule *schedule) {
  comparison *c = user;
  sc_nest nest;
  c->texts++;
  if (sc_lower(task, schedule, &nest, NULL) != SC_OK) return;
  c->legal++;
  uint64_t hash = sc_nest_hash(task, &nest);
  if (!hashes_add(&c->raw, hash)) return;
  sc_count rank;
  sc_schedule back;
  if (sc_space_rank(c->bound, schedule, &rank) != SC_OK)
    print_case(c, task, schedule, "this text is not in the space:");
  assert_int_equal(sc_space_at(c->bound, rank, &back), SC_OK);
  if (hash_of(task, &back) != hash) print_case(c, task, schedule, "the rank of this text belongs to another schedule:");
}

static void compare(const brute *b) {
  const sc_task *task = task_of(b->task);
  sc_machine machine = small_machine();
  sc_space_bound *bound =
      bind_space(space_of(b->space), task, &machine, &(sc_space_options){.threads = b->threads ? b->threads : 1});
  comparison c = {.b = b, .bound = bound};
  hashes given = {0};
  brute_each(b, task, each_text, &c);
  for (sc_count r = 0; r < sc_space_count(bound); r++) {
    sc_schedule s;
    sc_count back = 0;
    assert_int_equal(sc_space_at(bound, r, &s), SC_OK);
    uint64_t hash = hash_of(task, &s);
    if (!hashes_add(&given, hash)) print_case(&c, task, &s, "this schedule comes twice:");
    if (hashes_add(&c.raw, hash)) print_case(&c, task, &s, "this schedule is no text of the space:");
    if (sc_space_rank(bound, &s, &back) != SC_OK || back != r)
      print_case(&c, task, &s, "the rank of this schedule is wrong:");
  }
  assert_int_equal(given.n, c.raw.n);
  check_order(bound);
  sc_schedule beyond;
  assert_int_equal(sc_space_at(bound, sc_space_count(bound), &beyond), SC_USAGE);
  print_message("%-60s %8zu texts, %8zu legal, %7zu distinct\n", b->task, c.texts, c.legal, c.raw.n);
  hashes_free(&c.raw);
  hashes_free(&given);
  sc_space_unbind(bound);
}

static void test_counts(void **state) {
  for (size_t i = 0; i < SC_COUNT_OF(cases); i++) compare(&cases[i]);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_counts)};
  return cmocka_run_group_tests(tests, load_library, free_library);
}
