/* dataset: what one record is, and the files that keep records: a journal that survives kill -9 at any moment and
 * HDF5 files that are only ever replaced whole (docs/dataset.md, with a Python reader). */
#ifndef SC_DATASET_H
#define SC_DATASET_H

#include "ir/ir.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum sc_outcome {
  SC_RAN,
  SC_NOT_COMPILED,
  SC_CRASHED,
  SC_TIMED_OUT,
  SC_WRONG_RESULT,
  SC_OUTCOME_COUNT
} sc_outcome;
const char *sc_outcome_name(sc_outcome outcome);

enum { SC_REPEATS = 9, SC_MAX_PASSES = 16, SC_MAX_COUNTERS = 8 };

/* Why a pass is no label: the reference kernels drifted around it; somebody else used the core beside every repeat. */
enum sc_pass_flaw { SC_PASS_DRIFTED = 1, SC_PASS_BUSY = 2 };

/* One visit of one schedule: repeats of the batched inner loop; ns 0 = a repeat that was not made. Two passes with
 * equal unix_ns, batch and ns are one pass: appending it again may set its flags, never clear them. */
typedef struct sc_pass {
  int64_t unix_ns; /* when it began */
  uint16_t preempted; /* bit i: involuntary context switches moved during repeat i */
  uint16_t invalid; /* sum of sc_pass_flaw; 0 = valid */
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
  const char *counters_missing; /* "EVENT: reason", one a line; "" = none */
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

/* Hash of the identity fields: task text, shard and every number from task_hash to simulated but model_hash, proposal
 * and outcome. */
uint64_t sc_record_identity(const sc_record *record);
/* How much choice there is in a proposal: uniform, stratified, anchor, user, neighbour, model. Of two the smaller
 * stays: a schedule that was drawn is a draw, whoever proposed it besides. */
int sc_proposal_bias(uint8_t proposal);
/* The label: minimum over the repeats of exactly the first `passes` valid passes, in ns; 0 when there are fewer or it
 * did not run. */
double sc_record_label_ns(const sc_record *record, int passes);
int sc_record_valid_passes(const sc_record *record); /* those whose `invalid` is 0 */

typedef struct sc_dataset sc_dataset;
#define SC_DATASET_MAGIC "schedcast-data1\n" /* how a file begins */
typedef enum sc_dataset_mode { SC_DATASET_READ, SC_DATASET_APPEND /* creates */ } sc_dataset_mode;
/* APPEND takes an exclusive lock (else SC_IO, and who holds it), replays a journal left by a crash. READ sees file +
 * journal, also while another process appends. A truncated, damaged or foreign file is SC_FORMAT; nothing is ever
 * overwritten in place. A handle is used by one thread at a time, and opening, syncing and closing by one thread of the
 * process: HDF5 is not thread-safe. */
sc_status sc_dataset_open(const char *path, sc_dataset_mode mode, sc_dataset **dataset, sc_error *err);
/* An empty dataset to append to that is never written anywhere. */
sc_status sc_dataset_memory(sc_dataset **dataset, sc_error *err);
/* Adds a record, or the passes of one that is there (by identity): passes are united by time, SC_MAX_PASSES stay:
 * disturbed ones give way, the oldest first, then late ones; a crash or wrong result outweighs a run, a run outweighs a
 * timeout or a failed compilation; smaller counters stay. A killed process loses nothing that this returned SC_OK for;
 * a power cut nothing that sc_dataset_sync did. After SC_IO (full disk) the dataset is as before and stays usable. */
sc_status sc_dataset_append(sc_dataset *dataset, const sc_record *record, sc_error *err);
sc_status sc_dataset_sync(sc_dataset *dataset, sc_error *err);
/* Compacts (APPEND) and closes, also when it fails: then the rows stay in the journal. NULL is fine. */
sc_status sc_dataset_close(sc_dataset *dataset, sc_error *err);
/* Bytes of a torn tail (the rest of a killed process) that the journal ended with and that were dropped. */
size_t sc_dataset_dropped_bytes(const sc_dataset *dataset);
size_t sc_dataset_count(const sc_dataset *dataset);
const sc_record *sc_dataset_at(const sc_dataset *dataset, size_t i); /* order of first appearance */
const sc_record *sc_dataset_find(const sc_dataset *dataset, uint64_t identity); /* NULL when absent */
/* Marks a row stale (the generator no longer produces its code) or fresh. */
sc_status sc_dataset_mark_stale(sc_dataset *dataset, size_t i, bool stale, sc_error *err);
/* Salvages what is readable of a damaged file and journal into a new file; *rows = how many. */
sc_status sc_dataset_repair(const char *damaged, const char *to, size_t *rows, sc_error *err);
/* Adds every row of `from`; idempotent, and commutative up to the order of rows. */
sc_status sc_dataset_merge(sc_dataset *into, const sc_dataset *from, sc_error *err);
/* Appends one line a pass (one for a row without passes), every column but the machine's text: its hash stands for it.
 * SC_NOMEM is its only error. */
sc_status sc_dataset_export_csv(const sc_dataset *dataset, sc_str *out);

#ifdef __cplusplus
}
#endif
#endif
