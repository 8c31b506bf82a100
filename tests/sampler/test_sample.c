/* Drawing: uniform draws against the enumeration (chi-square), without repetition, repeatable; low-discrepancy points
 * fill every level of the space evenly; neighbours stay inside, always move, and reach everything. */
#include <math.h>

#include "tests/sampler/spaces.h"

static const char *const text =
    "space a\nbands 3\nladder * all\nvector j\ntile j 1..2 vectors; tile i 1..2\nloop k | none\n"
    "unroll 1 | 2\npack B none | 3 [b,j/t,k,j%t]\npack A none | 1..2 [b,k,i]\n"
    "where region(A,1) + region(B,1) <= L2";

typedef struct fixture {
  sc_space_bound *bound;
  const sc_task *task;
  size_t count;
} fixture;

static fixture small_space(const char *task) {
  sc_machine machine = small_machine();
  fixture f = {.task = task_of(task)};
  f.bound = bind_space(space_of(text), f.task, &machine, &(sc_space_options){.threads = 1});
  f.count = (size_t)sc_space_count(f.bound);
  return f;
}

/* ---- uniform ---- */

/* Batches of a share p of all cells without repetition: the sum has the mean (1-p)(n-1) and is normal enough for this
 * many cells, its variance 2(n-1)(1-p)^2. */
static void check_uniform(const size_t *seen, size_t cells, size_t draws, double p) {
  double expected = (double)draws / (double)cells, chi = 0, n = (double)(cells - 1);
  for (size_t i = 0; i < cells; i++) chi += ((double)seen[i] - expected) * ((double)seen[i] - expected) / expected;
  double z = (chi / (1 - p) - n) / sqrt(2 * n);
  print_message("%zu cells, %zu draws in batches of %.0f %%: chi-square %.0f, %.2f standard deviations from its mean\n",
                cells, draws, 100 * p, chi, z);
  assert_true(fabs(z) < 4);
}

typedef struct counter {
  const fixture *f;
  size_t *seen;
  size_t n;
} counter;

static sc_status count_it(void *user, const sc_schedule *schedule) {
  counter *c = user;
  sc_count rank = 0;
  assert_int_equal(sc_space_rank(c->f->bound, schedule, &rank), SC_OK);
  c->seen[(size_t)rank]++;
  c->n++;
  return SC_OK;
}

static void test_uniform(void **state) {
  static const double shares[] = {0.01, 0.25, 0.75}; /* the last one is drawn by shuffling */
  fixture f = small_space("matmul:M=4,N=8,K=2,weights=run");
  assert_true(f.count > 1000);
  for (size_t k = 0; k < SC_COUNT_OF(shares); k++) {
    size_t *seen = calloc(f.count, sizeof *seen), draws = 0, batch = (size_t)(shares[k] * (double)f.count);
    counter c = {.f = &f, .seen = seen};
    for (uint64_t seed = 0; draws < 60 * f.count; seed++, draws += batch)
      assert_int_equal(sc_space_sample(f.bound, SC_SAMPLE_UNIFORM, batch, seed, count_it, &c, NULL), SC_OK);
    check_uniform(seen, f.count, draws, (double)batch / (double)f.count);
    free(seen);
  }
  sc_space_unbind(f.bound);
}

static void test_repetition(void **state) {
  fixture f = small_space("matmul:M=4,N=8,K=4,weights=run");
  size_t *seen = calloc(f.count, sizeof *seen);
  const size_t sizes[] = {1, f.count / 3, f.count / 2 + 1, f.count - 1, f.count, 2 * f.count};
  const sc_sampling how[] = {SC_SAMPLE_UNIFORM, SC_SAMPLE_SOBOL, SC_SAMPLE_EXHAUSTIVE};
  for (size_t h = 0; h < 3; h++)
    for (size_t i = 0; i < SC_COUNT_OF(sizes); i++) {
      counter c = {.f = &f, .seen = seen};
      sc_error err = {0};
      memset(seen, 0, f.count * sizeof *seen);
      sc_status status = sc_space_sample(f.bound, how[h], sizes[i], 3, count_it, &c, &err);
      if (how[h] == SC_SAMPLE_SOBOL && status == SC_UNSUPPORTED) {
        assert_non_null(strstr(err.text, "GNU Scientific Library"));
        continue;
      }
      assert_int_equal(status, SC_OK);
      assert_int_equal(c.n, sizes[i] < f.count ? sizes[i] : f.count);
      for (size_t k = 0; k < f.count; k++) assert_true(seen[k] <= 1);
    }
  free(seen);
  sc_space_unbind(f.bound);
}

typedef struct list {
  const sc_task *task;
  size_t n;
  uint64_t hash[500];
} list;

static sc_status list_it(void *user, const sc_schedule *schedule) {
  list *l = user;
  l->hash[l->n++] = hash_of(l->task, schedule);
  return l->n == 500 ? SC_INTERRUPTED : SC_OK;
}

static void test_seeds(void **state) {
  fixture f = small_space("matmul:M=4,N=8,K=4,weights=run");
  list a = {.task = f.task}, b = a, c = a;
  sc_space_sample(f.bound, SC_SAMPLE_UNIFORM, 300, 5, list_it, &a, NULL);
  sc_space_sample(f.bound, SC_SAMPLE_UNIFORM, 300, 5, list_it, &b, NULL);
  assert_memory_equal(&a, &b, sizeof a);
  sc_space_sample(f.bound, SC_SAMPLE_UNIFORM, 300, 6, list_it, &c, NULL);
  assert_memory_not_equal(a.hash, c.hash, sizeof a.hash);
  list stop = {.task = f.task}; /* what the callback returns ends the drawing and comes back */
  assert_int_equal(sc_space_sample(f.bound, SC_SAMPLE_UNIFORM, 600, 5, list_it, &stop, NULL), SC_INTERRUPTED);
  assert_int_equal(stop.n, 500);
  sc_space_unbind(f.bound);
}

/* ---- Sobol ---- */

typedef struct shares {
  size_t n, packed, looped, compiled;
} shares;

static sc_status share_it(void *user, const sc_schedule *s) {
  shares *h = user;
  h->n++;
  h->packed += s->npacks == 2;
  h->looped += s->nkloops == 1;
  h->compiled += strcmp(s->compile, "old") == 0;
  return SC_OK;
}

static double distance(const shares *a, const shares *all) {
  double n = (double)a->n, m = (double)all->n;
  double packed = (double)a->packed / n - (double)all->packed / m,
         looped = (double)a->looped / n - (double)all->looped / m;
  double compiled = (double)a->compiled / n - (double)all->compiled / m;
  return sqrt(packed * packed + looped * looped + compiled * compiled);
}

/* The shares of choices among few points are nearer to those of the whole space than among as many uniform draws. */
static void test_sobol(void **state) {
  fixture f = small_space("matmul:M=8,N=16,K=8,weights=run");
  shares all = {0};
  double sobol = 0, uniform = 0;
  assert_int_equal(sc_space_sample(f.bound, SC_SAMPLE_EXHAUSTIVE, f.count, 0, share_it, &all, NULL), SC_OK);
  for (uint64_t seed = 0; seed < 40; seed++) {
    shares a = {0}, b = {0};
    if (sc_space_sample(f.bound, SC_SAMPLE_SOBOL, 128, seed, share_it, &a, NULL) == SC_UNSUPPORTED) {
      sc_space_unbind(f.bound);
      skip();
    }
    assert_int_equal(sc_space_sample(f.bound, SC_SAMPLE_UNIFORM, 128, seed, share_it, &b, NULL), SC_OK);
    sobol += distance(&a, &all);
    uniform += distance(&b, &all);
  }
  print_message("%zu schedules; mean distance of 128 points from the shares of the whole: Sobol %.4f, uniform %.4f\n",
                f.count, sobol / 40, uniform / 40);
  assert_true(sobol < 0.6 * uniform);
  sc_space_unbind(f.bound);
}

/* ---- neighbours ---- */

static int changes(const sc_schedule *a, const sc_schedule *b) {
  int n = a->vector != b->vector || a->lanes != b->lanes || strcmp(a->compile, b->compile) != 0;
  n += memcmp(a->kloop, b->kloop, sizeof a->kloop) != 0 || a->nkloops != b->nkloops;
  n += a->unroll != b->unroll;
  n += a->npacks != b->npacks || memcmp(a->pack, b->pack, sizeof a->pack) != 0;
  for (int d = 0; d < SC_MAX_DIMS; d++) {
    bool same = memcmp(a->run[d], b->run[d], sizeof a->run[d]) == 0;
    for (int k = 0; k < SC_MAX_BANDS; k++) same &= a->group[k][d] == b->group[k][d];
    n += !same;
  }
  return n;
}

static void test_neighbours(void **state) {
  fixture f = small_space("matmul:M=4,N=4,K=2,weights=run");
  bool *reached = calloc(f.count, sizeof *reached);
  sc_schedule at, to;
  sc_rng rng;
  size_t n = 1, steps = 0, few = 0;
  sc_rng_seed(&rng, 1, 0);
  assert_int_equal(sc_space_at(f.bound, 0, &at), SC_OK);
  reached[0] = true;
  for (; n < f.count && steps < 400 * f.count; steps++) {
    sc_count from = 0, rank = 0;
    assert_int_equal(sc_space_rank(f.bound, &at, &from), SC_OK);
    assert_int_equal(sc_space_neighbour(f.bound, &at, &rng, &to), SC_OK);
    assert_true(hash_of(f.task, &at) != hash_of(f.task, &to));
    assert_int_equal(sc_space_rank(f.bound, &to, &rank), SC_OK);
    assert_true(rank != from);
    few += changes(&at, &to) <= 1;
    n += !reached[(size_t)rank];
    reached[(size_t)rank] = true;
    at = to;
  }
  print_message("%zu steps reached all of %zu schedules; %.0f %% of them changed at most one thing besides orders\n",
                steps, f.count, 100.0 * (double)few / (double)steps);
  assert_int_equal(n, f.count);
  assert_true(few * 10 > steps * 6);
  free(reached);
  sc_space_unbind(f.bound);
}

static void test_in_order(void **state) {
  fixture f = small_space("matmul:M=4,N=8,K=4,weights=run");
  in_order o = {f.bound, 0};
  check_order(f.bound);
  assert_int_equal(sc_space_each(f.bound, f.count, 0, is_at, &o), SC_OK);
  assert_int_equal(sc_space_each(f.bound, f.count, 1, is_at, &o), SC_USAGE);
  assert_int_equal(sc_space_each(f.bound, 1, f.count, is_at, &o), SC_USAGE);
  assert_int_equal(sc_space_each(f.bound, f.count + 1, 0, is_at, &o), SC_USAGE);
  assert_true(o.rank == 0);
  sc_space_unbind(f.bound);
}

static void test_lonely(void **state) {
  sc_machine machine = small_machine();
  const sc_task *task = task_of("matmul:M=1,N=1,K=1");
  sc_space_bound *bound =
      bind_space(space_of("space a\ncompile gcc"), task, &machine, &(sc_space_options){.threads = 1});
  sc_schedule only, to;
  sc_rng rng;
  sc_count rank;
  sc_rng_seed(&rng, 1, 0);
  assert_true(sc_space_count(bound) == 1);
  assert_int_equal(sc_space_at(bound, 0, &only), SC_OK);
  assert_int_equal(sc_space_neighbour(bound, &only, &rng, &to), SC_NOTFOUND);
  only.compile[0] = 'x'; /* not of this space, not even legal */
  assert_int_equal(sc_space_neighbour(bound, &only, &rng, &to), SC_NOTFOUND);
  only.nbands = 200;
  assert_int_equal(sc_space_rank(bound, &only, &rank), SC_NOTFOUND);
  sc_space_unbind(bound);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_uniform),    cmocka_unit_test(test_repetition),
                                     cmocka_unit_test(test_seeds),      cmocka_unit_test(test_sobol),
                                     cmocka_unit_test(test_neighbours), cmocka_unit_test(test_in_order),
                                     cmocka_unit_test(test_lonely)};
  return cmocka_run_group_tests(tests, load_library, free_library);
}
