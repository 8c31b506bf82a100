/* Parts of dataset-sched that have files of their own. */
#ifndef SC_TOOLS_DATASET_H
#define SC_TOOLS_DATASET_H

#include "tools/tools.h"

struct dataset_options {
  const char *out, *machine, *task, *compiler, *shard;
  int64_t visits;
  bool csv, schedules, recodegen, json;
};

bool dataset_selects(const struct dataset_options *o);
/* Replaces a dataset by what the options ask for of it; on failure it stays. */
sc_status dataset_select(tool *t, const struct dataset_options *o, sc_dataset **dataset);
sc_status dataset_info(tool *t, const struct dataset_options *o, int n, char **paths);
sc_status dataset_verify(tool *t, const struct dataset_options *o, int n, char **paths);
/* What info prints, for show-sched. */
void dataset_describe(sc_str *out, const char *path, const sc_dataset *dataset, bool json);

#endif
