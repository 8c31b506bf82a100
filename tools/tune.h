/* Parts of tune-sched. */
#ifndef SC_TOOLS_TUNE_H
#define SC_TOOLS_TUNE_H

#include "tools/tools.h"

struct tune_options {
  const char *out, *model, *machine, *space, *replay, *max_code, *max_scratch, *emit;
  text_list force;
  int64_t trials, batch, threads, seed;
  int strategy, objective;
  double slower;
  bool json;
};
enum tune_objective { TUNE_TIME, TUNE_CODE, TUNE_SCRATCH };

enum { FINALISTS = 8, FINAL_PASSES = 5 };
typedef struct finalist {
  size_t trial;
  double time_s;
  uint32_t code_bytes;
  size_t scratch_bytes;
} finalist;

typedef struct tuning {
  tool *t;
  const struct tune_options *o;
  const sc_task *task;
  platform p;
  uint64_t machine_hash; /* of the rows that are measured here */
  double max_code, max_scratch; /* INFINITY: no limit */
  sc_dataset *dataset;
  sc_model *model; /* NULL = none */
  sc_space_bound *space;
  struct tune_place *place; /* rows of this task and machine, by nest */
  size_t nplaces;
  sc_search_result result;
  finalist finalist[FINALISTS]; /* the best first, by the objective */
  size_t nfinalists;
  double begin_s;
} tuning;

/* ---- trials as rows ---- */

int tune_threads(const tuning *u, const sc_schedule *schedule);
/* Bytes of buffers of a schedule. */
size_t tune_scratch(const tuning *u, const sc_schedule *schedule);
/* Of as many valid passes as there are, at most `passes`; on a machine that is never quiet of disturbed ones. */
double tune_time(const sc_record *r, int passes);
/* The row of a trial in the dataset, in this shard (NULL: any): that of the most valid passes, then the fastest; NULL =
 * none. Each batch is a shard of its own. */
const sc_record *tune_row(const tuning *u, uint64_t hash, const char *shard);
/* The latest shard that knows all of these, NULL = none. */
const char *tune_shard(const tuning *u, const uint64_t *hash, size_t n);
/* What the search makes small: seconds; INFINITY for what did not run or is not allowed. */
double tune_value(const tuning *u, const sc_record *r, size_t scratch);
/* Values of trials that have just been measured. */
sc_status tune_look(tuning *u, const sc_trial *trials, size_t n, double *value);
/* Rows of this task in a dataset as trials; `known`: only those that this search could have tried. */
sc_status tune_collect(tuning *u, const sc_dataset *dataset, bool known, sc_trial **trials, size_t *n);
/* The schedules of the dataset to be replayed, the fastest first; none where no replay is wanted. */
sc_status tune_replay(tuning *u, sc_schedule **list, size_t *n);

/* ---- the search ---- */

/* Searches, then measures the finalists again and puts them in their order. */
sc_status tune_search(tuning *u);
size_t tune_failed(const tuning *u); /* trials without a time */
void tune_print(const tuning *u, const char *strategy);
void tune_free(tuning *u); /* all but the dataset */

#endif
