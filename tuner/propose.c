/* What a model proposes to be measured next. */
#include <math.h>
#include <stdlib.h>

#include "tuner/search.h"

enum { OF_EACH = 16 };

/* Rank of the i-th of n proposals among the best `all`, counted from 0: geometrically to the last, no rank twice. */
static size_t rank_of(size_t i, size_t n, size_t all, size_t next) {
  const size_t rank = n > 1 ? (size_t)(pow((double)all, (double)i / (double)(n - 1)) + 0.5) - 1 : 0;
  return sc_rank_between(rank, next, all - (n - i)); /* room for those that follow */
}

sc_status sc_model_propose(const sc_model *model, const sc_space_bound *space, const sc_task *task,
                           const sc_target *target, size_t n, size_t scan, uint64_t seed, sc_sample_fn *each,
                           void *user, sc_error *err) {
  if (n > SC_MOST_PROPOSED) return sc_fail(err, SC_USAGE, "more than %d proposals at once", SC_MOST_PROPOSED);
  const sc_pick_options options = {.scan = scan, .seed = seed};
  size_t all = n * OF_EACH;
  if (sc_space_count(space) < (sc_count)all) all = (size_t)sc_space_count(space);
  if (n > all) n = all;
  if (n == 0) return SC_OK;
  sc_pick *pick = calloc(all, sizeof *pick);
  if (!pick) return sc_fail(err, SC_NOMEM, "no memory for %zu picks", all);
  sc_status status = sc_model_pick(model, space, task, target, &options, (int)all, pick, NULL, err);
  size_t next = 0;
  for (size_t i = 0; i < n && status == SC_OK; i++) {
    const size_t rank = rank_of(i, n, all, next);
    next = rank + 1;
    status = each(user, &pick[rank].schedule);
  }
  free(pick);
  return status;
}
