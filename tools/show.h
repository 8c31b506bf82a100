/* Parts of show-sched that have files of their own. */
#ifndef SC_TOOLS_SHOW_H
#define SC_TOOLS_SHOW_H

#include "tools/tools.h"

struct show_options {
  const char *dump, *machine;
  int64_t threads;
  bool json;
};

sc_status show_task(tool *t, const sc_task *task, bool json);
/* A file of schedules, with the parts that --dump names. */
sc_status show_schedules(tool *t, const struct show_options *o, const char *where, const char *text, size_t len);

#endif
