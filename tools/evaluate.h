/* Parts of evaluate-sched. */
#ifndef SC_TOOLS_EVALUATE_H
#define SC_TOOLS_EVALUATE_H

#include "tools/tools.h"

/* Scores of models that are trained on 2^-(n-1), .., 1/2, 1 of the groups they may see; `picture` NULL = none. */
sc_status evaluate_curve(tool *t, const sc_rows *rows, sc_holdout holdout, const sc_train_options *train, int n,
                         const char *picture, bool json);
/* Times, intervals and regrets as a PNG. */
sc_status evaluate_picture(tool *t, const char *path, const char *title, const sc_rows *rows, const sc_evaluated *e);
/* A model of the dataset `path`, of another machine, as it is and corrected by a few of these rows, beside their own. */
sc_status evaluate_transfer(tool *t, const sc_rows *rows, const char *path, const sc_rows_options *how, int knowledge,
                            const sc_train_options *train, bool json);
/* Methods that picked schedules, NAME=FILE each, and random draws, by what was measured. */
sc_status evaluate_picks(tool *t, const sc_rows *rows, const text_list *files, uint64_t seed, bool json);
/* A line a task: how good the pick of the model is, and that of the analytic one. */
void evaluate_tasks(tool *t, const sc_rows *rows, const sc_evaluated *e, bool json);

#endif
