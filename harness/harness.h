/* harness: compiles generated code into a content-addressed store, runs it apart under limits, verifies, times and
 * counts it; probes the machine; runs campaigns into a dataset. What goes wrong in a kernel is an outcome, never an
 * error of the harness. The rules of measuring: docs/measuring.md. */
#ifndef SC_HARNESS_H
#define SC_HARNESS_H

#include "codegen/codegen.h"
#include "dataset/dataset.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Version of all that surrounds a kernel while it is timed: packing, placement, pages, threads (docs/measuring.md). A
 * record of a cold campaign has bit 16 set besides. */
uint32_t sc_harness_abi(void);

/* ---- runners ----------------------------------------------------------------------------------------------------- */

/* Where code runs: a small program (harness/child) that the harness compiles for the target and talks to as
 * harness/protocol.h says; it forks one child per visit. Its numbers are labels only where sc_runner_numbers says
 * "measured time". */
typedef struct sc_runner sc_runner;
/* "local", "qemu-aarch64 ...". Local is this host: SC_UNSUPPORTED where the machine has another processor or an ISA
 * that this one lacks; what is measured of a generic one (its cpu begins with that word) is of this processor, and
 * records say so. */
sc_status sc_runner_open(const sc_machine *machine, sc_runner **runner, sc_error *err);
void sc_runner_close(sc_runner *runner);
const char *sc_runner_numbers(const sc_runner *runner); /* "measured time", "no times: correctness only" */

/* ---- building ---------------------------------------------------------------------------------------------------- */

/* Content-addressed objects of kernels, by default under sc_cache_dir()/kernels; processes share it. A handle is for
 * one thread. */
typedef struct sc_store sc_store;
sc_status sc_store_open(const char *folder /* NULL = default */, sc_store **store, sc_error *err);
void sc_store_close(sc_store *store);

/* One schedule made runnable: a shared object with its nest and kernels, which lives until its store is closed. */
typedef struct sc_built {
  sc_outcome outcome; /* SC_RAN = built */
  char path[256], prefix[64]; /* of the object; of its functions */
  uint64_t code_hash, source_hash;
  uint32_t code_bytes;
  float compile_ms; /* time of the sc_build call, per schedule of the same compiler */
  char failure[256]; /* the compiler's first line of error */
} sc_built;
/* Builds many schedules at once (kernels batched per translation unit, compiled once per key), on as many cores as
 * the calling thread may use. out[n]. What cannot be compiled is an outcome, also for want of a compiler of
 * this name in the machine's file; a command that is not installed is SC_NOTFOUND. */
sc_status sc_build(sc_store *store, const sc_machine *machine, const sc_task *const *tasks, const sc_nest *nests,
                   size_t n, sc_built *out, sc_error *err);

/* ---- measuring --------------------------------------------------------------------------------------------------- */

typedef struct sc_measure_options {
  int threads; /* 0 = machine's cores for parallel schedules */
  double timeout_s; /* per visit; 0 = 10 */
  size_t memory_bytes; /* of the child; 0 = 4 GiB */
  double batch_s; /* length of one repeat; 0 = 2 ms */
  bool cold; /* caches emptied before each repeat */
  bool unchecked; /* not compared with the reference first; campaigns always compare */
  uint64_t seed; /* of the inputs */
  const char *counters; /* comma-separated PAPI events, NULL = none */
} sc_measure_options;

typedef struct sc_measured {
  sc_outcome outcome;
  sc_pass pass;
  uint32_t counter_mask;
  char counter_name[SC_MAX_COUNTERS][SC_NAME];
  double counter[SC_MAX_COUNTERS];
  char counters_missing[1024]; /* "EVENT: reason", one a line */
  char failure[256];
} sc_measured;
/* One visit in a child process group of its own. */
sc_status sc_measure(sc_runner *runner, const sc_task *task, const sc_nest *nest, const sc_built *built,
                     const sc_measure_options *options, sc_measured *out, sc_error *err);

/* Why a counter cannot be had; "" when it can. */
void sc_counter_reason(const char *event, char *buf, size_t size);
/* Every event that can be had, one per line with its meaning. */
void sc_counter_list(sc_str *out);

/* ---- campaigns --------------------------------------------------------------------------------------------------- */

typedef struct sc_work {
  const sc_task *task;
  sc_schedule schedule;
  uint8_t proposal;
  uint64_t model_hash;
} sc_work;
typedef struct sc_progress {
  size_t done, total, failed; /* visits */
  double rate_per_s, eta_s, best_flop_per_s; /* best so far of the current task */
  const char *task;
} sc_progress;
typedef struct sc_campaign_options {
  sc_measure_options measure;
  int passes; /* 0 = 3, at most SC_MAX_PASSES */
  int most_passes; /* tasks whose passes do not agree get more, up to this many; 0 = all get the same */
  bool retry; /* what timed out before is measured again, for instance with more time */
  uint64_t seed; /* of the orders */
  int shard, nshards; /* work of this shard: whole tasks, dealt by hash; nshards 0 = all */
  void (*progress)(void *user, const sc_progress *progress); /* NULL = silent */
  void *progress_user;
  const volatile bool *stop; /* set by a signal handler: finish the visit, sync, return SC_INTERRUPTED */
  sc_log log;
} sc_campaign_options;
typedef struct sc_campaign_report {
  size_t schedules, visits, skipped /* already there */, outcomes[SC_OUTCOME_COUNT], invalidated;
  size_t given_up; /* timed out before and not measured again */
  size_t extended; /* tasks that got more passes than the least */
  double seconds, compile_s, agreement_top1,
      agreement_tau; /* split halves of the passes, mean over tasks; NaN = too few */
} sc_campaign_report;
/* Measures `work` into the dataset: passes over each task in random orders, reference kernels in between, resumable:
 * what the dataset has is not measured again. Every row is visited `passes` times with a quiet reading on either
 * side, or three times as often without. With `most_passes` a task gets one more pass at a time until two halves of its
 * passes agree: what one picks is by the other within 1 % of the best (mean of both ways), and from 8 rows on tau-b is
 * 0.9 at least. An illegal schedule is an error before anything is measured. */
sc_status sc_campaign_run(const sc_machine *machine, const sc_work *work, size_t n, const sc_campaign_options *options,
                          sc_dataset *dataset, sc_campaign_report *report, sc_error *err);

/* The plain loops of an f32 task as C: void sc_reference(void *const *tensors). What results are checked against,
 * and the baseline that quickstart compares with: the innermost loop is the free dim along which the result is
 * contiguous. */
sc_status sc_emit_reference(const sc_task *task, sc_str *out, sc_error *err);

/* ---- the machine ------------------------------------------------------------------------------------------------- */

/* Fills a machine from the host (hwloc, cpuid, sysfs; peak and bandwidth measured once, about two seconds). */
sc_status sc_machine_probe(sc_machine *machine, const sc_log *log, sc_error *err);
/* The host's machine: sc_cache_dir()/host.machine, probed and written when absent or when machine or compilers have
 * changed; but a file that a person edited stays. */
sc_status sc_machine_host(sc_machine *machine, const sc_log *log, sc_error *err);
/* Probes and writes it anew; SC_MISMATCH when a person has made it theirs (docs/measuring.md). */
sc_status sc_machine_renew(sc_machine *machine, const sc_log *log, sc_error *err);
/* The machine that rows name when this host is measured as `machine`: one of no processor in particular gets this one's
 * name. SC_UNSUPPORTED: it is of another processor, or has instructions that this one does not execute. */
sc_status sc_machine_here(const sc_machine *machine, sc_machine *here, sc_error *err);
/* Measures the kernels (operands in L1) that are in neither table into `own`, about 1.5 ms each plus compilation;
 * `known` NULL = none. */
sc_status sc_kernels_measure(sc_store *store, const sc_machine *machine, const sc_kernel *kernels,
                             const char *const *compilers, size_t n, const sc_kernel_table *known, sc_kernel_table *own,
                             const sc_log *log, sc_error *err);

#ifdef __cplusplus
}
#endif
#endif
