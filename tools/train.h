/* Parts of train-sched that have files of their own. */
#ifndef SC_TOOLS_TRAIN_H
#define SC_TOOLS_TRAIN_H

#include "tools/tools.h"

/* How many rows there are, and every row that is left out with its reason. */
void train_say_rows(tool *t, const sc_rows *rows);
/* Trains on one dataset after another, none of which stays in memory. */
sc_status train_on_batches(tool *t, int n, char **paths, const sc_rows_options *how, const sc_train_options *to,
                           sc_model **model);

#endif
