/* Parts of predict-sched that have files of their own. */
#ifndef SC_TOOLS_PREDICT_H
#define SC_TOOLS_PREDICT_H

#include "tools/tools.h"

struct predict_options {
  const char *model, *space, *machine, *emit;
  text_list force;
  int64_t pick, scan, seed, threads;
  bool rank, explain, calibrate, json;
};

struct predicting {
  const struct predict_options *o;
  platform p;
  sc_model *model;
  char model_path[4400];
  sc_origin said; /* in text: the origin that holds for what is printed next */
};

/* The head of a task's schedules, with the model and what it knows of the best; in JSON it also ends the task
 * before. `effort`: of a scan, else NULL. */
void predict_task(tool *t, struct predicting *x, const sc_task *task, const sc_prediction *best,
                  const sc_pick_effort *effort, bool first);
/* Writes the C of the best, when asked for: where it goes to stdout, what was printed goes to stderr. */
sc_status predict_emit(tool *t, struct predicting *x, const sc_task *task, const sc_schedule *best);
/* One schedule with its numbers as a comment, its reasons as comments below. */
sc_status predict_one(tool *t, struct predicting *x, const job *j, const sc_prediction *p);
/* Orders the schedules of files by predicted time, task by task. */
sc_status predict_rank(tool *t, struct predicting *x, const job_list *jobs);

#endif
