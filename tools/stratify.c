/* Samples that are dense at the fast end: of 20 n uniform draws, ordered by analytic time, those at ranks that grow
 * with the square. A model that only sees uniform draws never sees what it will have to choose among (docs of the
 * labels). */
#include <math.h>
#include <stdlib.h>

#include "tools/tools.h"

enum { DRAWS = 20 };

struct draw {
  sc_schedule schedule;
  double time_s;
};
struct pool {
  tool *t;
  const sc_task *task;
  sc_target target;
  struct draw *draw;
  size_t n;
};

static sc_status keep(void *user, const sc_schedule *schedule) {
  struct pool *p = user;
  sc_nest nest;
  sc_analytic analytic;
  struct draw *d = &p->draw[p->n];
  SC_TRY(sc_lower(p->task, schedule, &nest, &p->t->err));
  sc_analytic_time(p->task, &nest, &p->target, NULL, &analytic);
  d->schedule = *schedule;
  d->time_s = analytic.time_s;
  p->n++;
  return SC_OK;
}

static int faster(const void *a, const void *b) {
  const struct draw *x = a, *y = b;
  return (x->time_s > y->time_s) - (x->time_s < y->time_s);
}

sc_status sample_stratified(tool *t, const sc_space_bound *space, const sc_task *task, const platform *p, size_t n,
                            uint64_t seed, sc_sample_fn *each, void *user) {
  size_t want = sc_space_count(space) < (sc_count)n * DRAWS ? (size_t)sc_space_count(space) : n * DRAWS;
  struct pool pool = {t, task, {&p->machine, p->kernels, (int)p->machine.cores.value}, NULL, 0};
  pool.draw = calloc(want + 1, sizeof *pool.draw);
  if (!pool.draw) return sc_fail(&t->err, SC_NOMEM, "no memory for %zu schedules", want);
  sc_status status = sc_space_sample(space, SC_SAMPLE_UNIFORM, want, seed, keep, &pool, &t->err);
  qsort(pool.draw, pool.n, sizeof *pool.draw, faster);
  size_t next = 0;
  for (size_t i = 0; i < n && status == SC_OK; i++) {
    double share = ((double)i + 0.5) / (double)n;
    size_t rank = (size_t)(share * share * (double)pool.n), last = pool.n - (n - i); /* room for those that follow */
    if (rank < next) rank = next;
    if (rank > last) rank = last;
    next = rank + 1;
    status = each(user, &pool.draw[rank].schedule);
  }
  free(pool.draw);
  return status;
}
