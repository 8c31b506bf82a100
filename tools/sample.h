/* Parts of sample-sched that have files of their own. */
#ifndef SC_TOOLS_SAMPLE_H
#define SC_TOOLS_SAMPLE_H

#include "tools/tools.h"

struct sample_options {
  const char *space, *machine, *near;
  text_list force;
  int64_t number, seed, threads;
  int sampling;
  bool count, json;
};

struct printing {
  tool *t;
  const sc_task *task;
  size_t n;
  bool json;
};
/* A schedule, as a line or an item; user = struct printing. */
sc_status print_one(void *user, const sc_schedule *schedule);

/* Neighbours of the schedules of the file o->near, each in its task's space. */
sc_status sample_neighbours(tool *t, const struct sample_options *o);

#endif
