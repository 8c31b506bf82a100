/* dataset: what one record is, and the files that keep records: a journal that survives kill -9 at any moment and
 * HDF5 files that are only ever replaced whole (docs/dataset.md, with a Python reader). */
#ifndef SC_DATASET_H
#define SC_DATASET_H

#include "ir/ir.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum sc_outcome { SC_RAN, SC_NOT_COMPILED, SC_CRASHED, SC_TIMED_OUT, SC_WRONG_RESULT, SC_OUTCOME_COUNT } sc_outcome;
const char *sc_outcome_name(sc_outcome outcome);

typedef enum sc_proposal { SC_PROPOSED_USER, SC_PROPOSED_UNIFORM, SC_PROPOSED_STRATIFIED, SC_PROPOSED_MODEL, SC_PROPOSED_NEIGHBOUR, SC_PROPOSED_ANCHOR, SC_PROPOSAL_COUNT } sc_proposal;

enum { SC_REPEATS = 9, SC_MAX_PASSES = 16, SC_MAX_COUNTERS = 8 };

/* One visit of one schedule: repeats of the batched inner loop. */
typedef struct sc_pass {
  int64_t unix_ns; /* when it began */
  uint16_t preempted; /* bit i: involuntary context switches moved during repeat i */
  uint16_t invalid; /* 1: the reference kernels drifted around it */
  uint32_t batch; /* calls per repeat */
  float ns[SC_REPEATS]; /* per call */
} sc_pass;

/* Strings are borrowed: they live in the arena of the dataset that returned the record, or with the caller. */
typedef struct sc_record {
  /* identity: two records with equal identity are one row whose passes add up */
  const char *task, *schedule; /* canonical texts */
  const char *compiler; /* "gcc 12.2.0 | gcc -O2 ..." */
  const char *machine; /* printed machine file */
  const char *shard; /* "host/boot-id/number" */
  const char *failure; /* text of a failure, "" = none */
  uint64_t task_hash, nest_hash, compiler_hash, machine_hash;
  uint64_t code_hash; /* .text + .rodata of nest and kernels; 0 when not compiled */
  uint64_t source_hash;
  uint64_t model_hash; /* of the proposing model, 0 = none */
  uint32_t harness_abi, codegen_version, threads;
  uint8_t proposal, outcome, simulated, stale;
  /* content */
  uint32_t npasses, code_bytes;
  float compile_ms;
  sc_pass pass[SC_MAX_PASSES];
  uint32_t counter_mask; /* bit i: counter[i] is valid */
  char counter_name[SC_MAX_COUNTERS][SC_NAME];
  double counter[SC_MAX_COUNTERS]; /* per call */
} sc_record;

uint64_t sc_record_identity(const sc_record *record); /* hash of the identity fields */
/* LABELS.md: minimum over the repeats of exactly the first `passes` valid passes, in ns; 0 when there are fewer or it did not run. */
double sc_record_label_ns(const sc_record *record, int passes);

typedef struct sc_dataset sc_dataset;
typedef enum sc_dataset_mode { SC_DATASET_READ, SC_DATASET_APPEND /* creates */ } sc_dataset_mode;
/* APPEND takes an exclusive lock, replays a journal left by a crash. READ sees file + journal. A truncated or foreign
 * file is SC_FORMAT; nothing is ever overwritten in place. */
sc_status sc_dataset_open(const char *path, sc_dataset_mode mode, sc_dataset **dataset, sc_error *err);
/* Adds a record, or the passes of one that is there (by identity). Acknowledged = on disk when sc_dataset_sync returns. */
sc_status sc_dataset_append(sc_dataset *dataset, const sc_record *record, sc_error *err);
sc_status sc_dataset_sync(sc_dataset *dataset, sc_error *err);
/* Compacts (APPEND) and closes; NULL is fine. */
sc_status sc_dataset_close(sc_dataset *dataset, sc_error *err);
size_t sc_dataset_count(const sc_dataset *dataset);
const sc_record *sc_dataset_at(const sc_dataset *dataset, size_t i); /* order of first appearance */
const sc_record *sc_dataset_find(const sc_dataset *dataset, uint64_t identity); /* NULL when absent */
/* Marks a row stale (the generator no longer produces its code) or fresh. */
sc_status sc_dataset_mark_stale(sc_dataset *dataset, size_t i, bool stale, sc_error *err);
/* Salvages what is readable of a damaged file and journal into a new file; *rows = how many. */
sc_status sc_dataset_repair(const char *damaged, const char *to, size_t *rows, sc_error *err);
sc_status sc_dataset_merge(sc_dataset *into, const sc_dataset *from, sc_error *err);
sc_status sc_dataset_export_csv(const sc_dataset *dataset, sc_str *out);

#ifdef __cplusplus
}
#endif
#endif
