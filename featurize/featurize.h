/* featurize: nest x machine -> one row of floats, and the analytic time. Total functions, no allocation, 1 to 2 us, in
 * a scan less than 1. featurize/features.def is the only list of features: name, unit, transform, doc. */
#ifndef SC_FEATURIZE_H
#define SC_FEATURIZE_H

#include "ir/ir.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum sc_feature {
#define SC_FEATURE(name, group, unit, transform, doc) SC_FEATURE_##name,
#include "featurize/features.def"
#undef SC_FEATURE
  SC_FEATURE_COUNT
} sc_feature;

typedef struct sc_feature_info {
  const char *name, *group, *unit, *transform, *doc;
} sc_feature_info;
const sc_feature_info *sc_feature_at(int i);
/* The plain value, in the feature's unit, of what a row holds. */
double sc_feature_value(int i, float stored);
/* Hash of names, units, transforms and the version of the code behind them. */
uint64_t sc_feature_schema(void);

/* What a prediction may know of the target; every pointer but machine may be NULL. */
typedef struct sc_target {
  const sc_machine *machine;
  const sc_kernel_table *kernels;
  int threads; /* the run uses; 1 for schedules without `parallel` */
} sc_target;

/* Fills row[SC_FEATURE_COUNT], all finite. */
void sc_features(const sc_task *task, const sc_nest *nest, const sc_target *target, float *row);

/* Where the analytic time goes, in seconds; time_s combines them (docs/analytic.md). */
typedef struct sc_analytic {
  double compute_s, kernel_s /* from the kernel table, else = compute_s */, l1_s, l2_s, l3_s, memory_s, conflict_s,
      pack_s, overhead_s;
  double time_s;
  float known; /* share of the FMAs whose kernels' rates are measured */
  float tails; /* share of the kernels' time that short tiles cost beyond what full ones would */
} sc_analytic;
/* Coefficients >= 0 of the terms, fitted on training groups; zeroed = the defaults of the machine file alone. */
typedef struct sc_analytic_fit {
  double compute, kernel, l2, l3, memory, conflict, pack, overhead;
} sc_analytic_fit;
/* time_s from the other terms: sum of coefficient x term, kernel_s instead of compute_s where known >= 1/2. */
void sc_analytic_combine(const sc_analytic_fit *fit, sc_analytic *terms);
/* Both at the price of one: the row, and the terms with time_s by the defaults. */
void sc_features_analytic(const sc_task *task, const sc_nest *nest, const sc_target *target, float *row,
                          sc_analytic *terms);
/* The same in two steps, for many nests of one task: what does not depend on the nest is computed once. The task, the
 * machine and the kernel table must outlive it; it may be copied and read from several threads. */
typedef struct sc_featurizer {
  unsigned char storage[10240] __attribute__((aligned(16)));
} sc_featurizer;
void sc_featurizer_init(sc_featurizer *featurizer, const sc_task *task, const sc_target *target);
void sc_featurizer_row(const sc_featurizer *featurizer, const sc_nest *nest, float *row, sc_analytic *terms);

/* Lowering and row of one schedule after another, by one thread: where only the orders of loops differ from the
 * schedule before, as in a scan of a space they mostly do, what they cannot change is kept. The row is the same
 * whatever came before. The featurizer and all it was made of must outlive the scan and not change; one may serve
 * several. Neither may be moved. */
typedef struct sc_scan {
  const sc_featurizer *featurizer;
  sc_lowered lowered; /* holds the nest of the row */
  unsigned char storage[28672] __attribute__((aligned(16)));
} sc_scan;
void sc_scan_start(sc_scan *scan, const sc_featurizer *featurizer);
/* The row and the terms only where the analytic time by these coefficients (NULL: the defaults) is at most limit_s:
 * *below says so. What is above it costs less, the less the more its kernels alone take: then not even its orders are
 * looked at, and an illegal one is not below either, but SC_OK. */
sc_status sc_scan_row(sc_scan *scan, const sc_schedule *schedule, const sc_analytic_fit *fit, double limit_s,
                      float *row, sc_analytic *terms, bool *below, sc_error *err);

void sc_analytic_time(const sc_task *task, const sc_nest *nest, const sc_target *target, const sc_analytic_fit *fit,
                      sc_analytic *out);

#ifdef __cplusplus
}
#endif
#endif
