/* A campaign in parts. Work becomes rows, task by task, less what the dataset has (campaign_plan.c). Rows are built
 * and visited pass by pass over a stretch of tasks (campaign.c), between readings of the reference kernels
 * (campaign_drift.c), and written down with their context (campaign_record.c). */
#ifndef SC_HARNESS_CAMPAIGN_H
#define SC_HARNESS_CAMPAIGN_H

#include "harness/internal.h"

enum {
  SC_BATCH = 64, /* schedules of one build */
  SC_STRETCH_ROWS = 3000 /* rows of one stretch: a pass over it takes a minute or two */
};

typedef struct sc_row {
  const sc_work *work;
  uint64_t nest_hash, compiler_hash;
  size_t task;
  int threads;
  int valid, passes; /* so far, from the dataset too */
  bool failed; /* its outcome is no time: nothing more to do */
  uint8_t outcome;
  bool visited; /* by this process */
  size_t place; /* in the queue */
  bool ready; /* `built` is filled */
  float half[2]; /* least time of the even and of the odd valid passes, ns; 0 = none */
  sc_built built;
} sc_row;

typedef struct sc_task_run {
  const sc_task *task;
  size_t first, n; /* its rows */
  int passes; /* that its rows are to get */
  bool closed; /* settled, or measured long ago: gets no more than the least */
  char shard[192];
  double best_ns;
} sc_task_run;

/* Tasks measured together, all passes within minutes, and the part of the queue that they own. */
typedef struct sc_stretch {
  size_t first_task, ntasks;
  size_t first_place, nplaces;
} sc_stretch;

typedef struct sc_plan {
  sc_row *row;
  sc_task_run *task;
  sc_stretch *stretch;
  size_t *queue; /* rows that want building, in the order of their first visit */
  size_t nrows, ntasks, nstretches, nqueue;
  size_t skipped; /* valid passes that are already there */
  size_t given_up; /* rows that timed out before */
} sc_plan;

/* Rows of the dataset that this work proposes with less choice than they were are noted to be so. */
sc_status sc_plan_make(const sc_runner *runner, const sc_work *work, size_t n, const sc_campaign_options *options,
                       sc_dataset *dataset, sc_plan *plan, sc_error *err);
void sc_plan_free(sc_plan *plan);
/* Rows of a task that want a visit in a pass (counted from 0), in the random order of (seed, task, stream); returns
 * how many. */
size_t sc_plan_order(const sc_plan *plan, size_t task, int pass, int stream, uint64_t seed, size_t *rows);
int sc_campaign_passes(const sc_campaign_options *options);
int sc_campaign_most(const sc_campaign_options *options); /* passes of a task that does not settle */
uint32_t sc_campaign_abi(const sc_campaign_options *options); /* bit 16: cold caches */

/* ---- drift ------------------------------------------------------------------------------------------------------- */

enum { SC_READINGS = 300 };
typedef struct sc_drift {
  double ns[SC_READINGS][2];
  size_t n; /* readings so far; the ring holds the last of them */
  double last_s;
  bool good; /* the last one was near the best */
} sc_drift;
bool sc_drift_due(const sc_drift *drift);
void sc_drift_add(sc_drift *drift, const double ns[2]); /* a reading */
sc_status sc_drift_read(sc_drift *drift, sc_runner *runner, sc_error *err);

/* ---- records ----------------------------------------------------------------------------------------------------- */

typedef struct sc_recorder {
  const sc_machine *machine;
  const sc_campaign_options *options;
  sc_dataset *dataset;
  sc_str machine_text;
  uint64_t machine_hash;
} sc_recorder;
/* A campaign's first and last words on a row: one visit of it, or why there is none. */
sc_status sc_record_visit(const sc_recorder *recorder, const sc_plan *plan, const sc_row *row,
                          const sc_measured *measured, sc_error *err);
void sc_row_add_pass(sc_row *row, const sc_pass *pass);
/* How well two halves of the passes agree, mean over tasks; NaN where no task has enough. */
void sc_agreement(const sc_plan *plan, double *top1, double *tau);
/* Do they, for one task, well enough for a label? True where there is nothing to compare. */
bool sc_task_settled(const sc_plan *plan, size_t task);

#endif
