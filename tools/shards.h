/* The shards of a dataset. */
#ifndef SC_TOOLS_SHARDS_H
#define SC_TOOLS_SHARDS_H

#include "tools/tools.h"

typedef struct shard_facts {
  const char *name;
  int64_t first_ns, last_ns; /* of its visits */
  size_t rows, failed, visits, drifted, busy, tasks /* with a label */, compared;
  double agreement; /* top-1 of one half of the passes by the other, mean over tasks; NAN: none can be compared */
} shard_facts;
/* In the order in which they began; in the tool's arena. */
sc_status shards_collect(tool *t, const sc_dataset *dataset, shard_facts **facts, size_t *n);
/* A line for each shard of a dataset: when, how much, what failed, how much was disturbed, how well labels agree; the
 * same as a picture where one is wanted, NULL = none. */
sc_status shards_report(tool *t, const sc_dataset *dataset, bool json, const char *picture);

#endif
