/* Parts of quickstart: the short campaign, the cases that are shown, what they are compared with. */
#ifndef SC_TOOLS_QUICKSTART_H
#define SC_TOOLS_QUICKSTART_H

#include "tools/tools.h"

enum { QUICK_TASKS = 32 };

typedef struct quick_case {
  const char *name; /* "-": only measured for the model */
  const sc_task *task;
  /* of those shown */
  sc_schedule schedule; /* the fastest of the picks */
  sc_prediction prediction;
  double measured_s, plain_s, blas_s; /* 0 = none */
  bool disturbed; /* measured, but never while the machine was quiet */
  char blas_core[32];
  sc_pick_effort effort;
  char code[4400]; /* the C file */
} quick_case;

typedef struct quickstart {
  tool *t;
  const char *folder;
  double budget_s;
  platform p;
  sc_dataset *dataset;
  sc_model *model;
  char model_path[4400], dataset_path[4400], picture_path[4400];
  bool own_model; /* made here, by a short campaign */
  size_t ntasks;
  quick_case c[QUICK_TASKS];
} quickstart;

sc_status quick_tasks(quickstart *q); /* data/corpus/quickstart.txt */
/* Measures the tasks for budget_s seconds, round by round, the later ones proposed by a model of the earlier, and
 * trains. */
sc_status quick_campaign(quickstart *q);
/* Measures schedules into the dataset (fewer than passes are there). */
sc_status quick_measure(quickstart *q, const job_list *jobs, int passes);
/* The picks of a model as jobs. */
sc_status quick_add_picks(quickstart *q, job_list *jobs, const sc_task *task, const sc_pick *pick, size_t n);
/* Picks, measures the finalists, keeps the fastest, writes its C, times the baselines. */
sc_status quick_run_case(quickstart *q, quick_case *c);
/* Predicted against measured, for all rows of the dataset, of groups the model has not seen. */
sc_status quick_picture(quickstart *q);
void quick_table(const quickstart *q, sc_str *out);
void quick_json(const quickstart *q, sc_str *out);

/* Plain loops at gcc -O3 -march=native, in this process: seconds of one call; SC_EXTERNAL when they cannot be
 * compiled. */
sc_status baseline_plain(tool *t, const sc_task *task, double *seconds);
/* One thread of OpenBLAS's sgemm, when the task is a plain matmul and the library can be loaded; else 0. `core` = which
 * of its kernels it took. */
double baseline_blas(const sc_task *task, char *core, size_t size);
/* OpenBLAS of Debian 12 takes AVX2 kernels on processors it does not know. It is only asked for better ones by the
 * environment a process begins with: begins this process again where that is needed. */
void baseline_settle(tool *t, const sc_machine *machine);

#endif
