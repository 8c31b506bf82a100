/* Random schedules for the tests of all folders. */
#ifndef TESTS_IR_RANDOM_SCHEDULE_H
#define TESTS_IR_RANDOM_SCHEDULE_H

#include "ir/ir.h"

/* A random legal schedule: draws skeleton and numbers over everything sc_lower accepts (not only what is fast), until
 * one is legal; SC_UNSUPPORTED when 20 000 were not. `lanes` is the widest vector allowed. */
sc_status sc_schedule_random(const sc_task *task, sc_rng *rng, int lanes, const char *compile, sc_schedule *schedule);
/* Other orders of the loops of one band, legal or not. */
void sc_schedule_shuffle(sc_schedule *schedule, sc_rng *rng);

#endif
