/* sampler: spaces of schedules. A space file (docs/spaces.md) holds skeletons with domains for the numbers, `where`
 * conditions and `force` lines; bound to a task and a machine it is a finite set of distinct legal schedules that is
 * counted, enumerated, drawn from uniformly, walked by low-discrepancy points, and searched by neighbours.
 * Counting and drawing are one algorithm: dynamic programming over the choices (sampler/count.c). */
#ifndef SC_SAMPLER_H
#define SC_SAMPLER_H

#include "ir/ir.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef unsigned __int128 sc_count;

typedef struct sc_space sc_space; /* a parsed space file, independent of sizes */
typedef struct sc_space_bound sc_space_bound; /* a space of one task on one machine: memoised counts */

sc_status sc_space_parse(sc_arena *arena, const char *where, const char *text, size_t len, const sc_space **space,
                         sc_error *err);
sc_status sc_space_load(sc_arena *arena, const char *path, const sc_space **space, sc_error *err);
/* The space that fits a task: data/spaces/<operator>.space. */
sc_status sc_space_default(sc_arena *arena, const sc_task *task, const sc_space **space, sc_error *err);
void sc_space_print(const sc_space *space, sc_str *out); /* parse(print(space)) == space */

typedef struct sc_space_options {
  const char *force; /* extra lines or items, whose word `force` may be left out: "vector k; where kernels <= 2" */
  int threads; /* 0 = as many as the machine has cores; 1 leaves parallel schedules out */
  size_t max_states; /* 0 = 2 000 000; more is an error that names the condition */
  const sc_kernel_table *kernels; /* what conditions on kernels ask, while binding only; NULL: they leave nothing out */
} sc_space_options;
/* Fails with SC_ILLEGAL and the condition or forced line that leaves nothing. Space and task must outlive the result,
 * which never changes: threads may share it. */
sc_status sc_space_bind(const sc_space *space, const sc_task *task, const sc_machine *machine,
                        const sc_space_options *options, sc_space_bound **bound, sc_error *err);
void sc_space_unbind(sc_space_bound *bound);
/* Exact number of distinct schedules (distinct by sc_nest_hash). */
sc_count sc_space_count(const sc_space_bound *bound);
/* The schedule of a rank, 0 <= rank < count, in the space's fixed order: a bijection onto the distinct schedules. */
sc_status sc_space_at(const sc_space_bound *bound, sc_count rank, sc_schedule *schedule);
/* Rank of a schedule; SC_NOTFOUND when the space does not contain it. */
sc_status sc_space_rank(const sc_space_bound *bound, const sc_schedule *schedule, sc_count *rank);

/* Calls each for the schedules of ranks first .. first + n - 1, in this order: much cheaper than a sc_space_at for
 * each. SC_USAGE when the space does not hold so many. */
typedef sc_status sc_sample_fn(void *user, const sc_schedule *schedule);
sc_status sc_space_each(const sc_space_bound *bound, sc_count first, size_t n, sc_sample_fn *each, void *user);

typedef enum sc_sampling { SC_SAMPLE_UNIFORM, SC_SAMPLE_SOBOL, SC_SAMPLE_EXHAUSTIVE } sc_sampling;
/* Calls each for n schedules without repetition (fewer when the space holds fewer). Uniform: without replacement.
 * Sobol: points through the inverse of the cumulative counts. */
sc_status sc_space_sample(const sc_space_bound *bound, sc_sampling sampling, size_t n, uint64_t seed,
                          sc_sample_fn *each, void *user, sc_error *err);
/* One random neighbour: one choice changed, what depends on it drawn again. */
sc_status sc_space_neighbour(const sc_space_bound *bound, const sc_schedule *from, sc_rng *rng, sc_schedule *to);

#ifdef __cplusplus
}
#endif
#endif
