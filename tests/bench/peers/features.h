/* Features of other cost models, computed from our nests. */
#ifndef TESTS_BENCH_PEERS_FEATURES_H
#define TESTS_BENCH_PEERS_FEATURES_H

#include "ir/ir.h"

enum { PEER_FEATURES = 128 };

/* Those of Ansor's 164 that our nests define, of the main statement (Zheng 2020, appendix B); rest 0. Returns how many. */
int ansor_features(const sc_task *task, const sc_nest *nest, float *row);
/* The numbers of the schedule and the sizes of the task as they are, as XTC's random forest sees them. */
int raw_features(const sc_task *task, const sc_schedule *schedule, float *row);

#endif
