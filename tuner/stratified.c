/* Samples that are dense at the fast end. */
#include <stdlib.h>

#include "tuner/search.h"

enum { DRAWS = 20 };

typedef struct drawn {
  sc_schedule schedule;
  double time_s;
} drawn;
typedef struct pool {
  const sc_task *task;
  const sc_target *target;
  drawn *draw;
  size_t n;
  sc_error *err;
} pool;

static sc_status keep(void *user, const sc_schedule *schedule) {
  pool *p = user;
  sc_nest nest;
  sc_analytic analytic;
  SC_TRY(sc_lower(p->task, schedule, &nest, p->err));
  sc_analytic_time(p->task, &nest, p->target, NULL, &analytic);
  p->draw[p->n++] = (drawn){*schedule, analytic.time_s};
  return SC_OK;
}

static int faster(const void *a, const void *b) {
  const drawn *x = a, *y = b;
  return (x->time_s > y->time_s) - (x->time_s < y->time_s);
}

sc_status sc_draw_stratified(const sc_space_bound *space, const sc_task *task, const sc_target *target, size_t n,
                             uint64_t seed, sc_sample_fn *each, void *user, sc_error *err) {
  const size_t want = sc_space_count(space) < (sc_count)n * DRAWS ? (size_t)sc_space_count(space) : n * DRAWS;
  pool p = {task, target, calloc(want + 1, sizeof *p.draw), 0, err};
  if (!p.draw) return sc_fail(err, SC_NOMEM, "no memory for %zu schedules", want);
  sc_status status = sc_space_sample(space, SC_SAMPLE_UNIFORM, want, seed, keep, &p, err);
  qsort(p.draw, p.n, sizeof *p.draw, faster);
  if (n > p.n) n = p.n;
  size_t next = 0;
  for (size_t i = 0; i < n && status == SC_OK; i++) {
    const double share = ((double)i + 0.5) / (double)n;
    const size_t rank = sc_rank_between((size_t)(share * share * (double)p.n), next, p.n - (n - i));
    next = rank + 1;
    status = each(user, &p.draw[rank].schedule);
  }
  free(p.draw);
  return status;
}
