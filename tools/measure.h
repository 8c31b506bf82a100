/* Parts of measure-sched. */
#ifndef SC_TOOLS_MEASURE_H
#define SC_TOOLS_MEASURE_H

#include "tools/tools.h"

/* Measures `want` of the jobs, those in the dataset included: batch by batch what a model of the batches before asks for
 * (sc_active_choose). The report is of all batches together, without their agreement. */
sc_status measure_active(tool *t, const platform *p, const job_list *jobs, size_t want, sc_campaign_options options,
                         sc_dataset *dataset, sc_campaign_report *report);

#endif
