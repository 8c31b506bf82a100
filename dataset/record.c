/* What a record is: its columns, its identity, its label, and the union of two records of one identity. The union is
 * commutative and idempotent, so that merging and replaying twice are harmless. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "dataset/internal.h"

const sc_column sc_text_columns[] = {
#define SC_TEXT(field, doc) {#field, doc, SC_COLUMN_U32, offsetof(sc_record, field), 1},
#define SC_NUMBER(field, type, doc)
#define SC_PASS(field, type, n, doc)
#include "dataset/columns.def"
#undef SC_TEXT
#undef SC_NUMBER
};
const sc_column sc_number_columns[] = {
#define SC_TEXT(field, doc)
#define SC_NUMBER(field, type, doc) {#field, doc, SC_COLUMN_##type, offsetof(sc_record, field), 1},
#include "dataset/columns.def"
#undef SC_NUMBER
#undef SC_PASS
};
const sc_column sc_pass_columns[] = {
#define SC_NUMBER(field, type, doc)
#define SC_PASS(field, type, n, doc) {#field, doc, SC_COLUMN_##type, offsetof(sc_pass, field), n},
#include "dataset/columns.def"
#undef SC_TEXT
#undef SC_NUMBER
#undef SC_PASS
};
const size_t sc_text_column_count = SC_COUNT_OF(sc_text_columns);
const size_t sc_number_column_count = SC_COUNT_OF(sc_number_columns);
const size_t sc_pass_column_count = SC_COUNT_OF(sc_pass_columns);

size_t sc_column_bytes(sc_column_type type) {
  static const uint8_t bytes[] = {[SC_COLUMN_U8] = 1,  [SC_COLUMN_U16] = 2, [SC_COLUMN_U32] = 4, [SC_COLUMN_U64] = 8,
                                  [SC_COLUMN_I64] = 8, [SC_COLUMN_F32] = 4, [SC_COLUMN_F64] = 8};
  return bytes[type];
}

const char *sc_outcome_name(sc_outcome outcome) {
  static const char *const names[] = {"ran", "not_compiled", "crashed", "timed_out", "wrong_result"};
  return (unsigned)outcome < SC_OUTCOME_COUNT ? names[outcome] : "unknown";
}

/* The schedule's text is not part of it: the nest is what was run, and two texts may lower to one nest. Neither is who
 * proposed it: whoever comes upon it again learns of the same runs. */
uint64_t sc_record_identity(const sc_record *r) {
  uint64_t part[] = {
      r->task_hash,
      r->nest_hash,
      r->compiler_hash,
      r->machine_hash,
      r->code_hash,
      r->source_hash,
      r->harness_abi,
      r->codegen_version,
      r->threads,
      r->simulated,
      sc_hash64(r->task ? r->task : "", r->task ? strlen(r->task) : 0, 1),
      sc_hash64(r->shard ? r->shard : "", r->shard ? strlen(r->shard) : 0, 2),
  };
  return sc_hash64(part, sizeof part, 0);
}

double sc_record_label_ns(const sc_record *record, int passes) {
  double best = 0;
  int valid = 0;
  if (record->outcome != SC_RAN || passes <= 0) return 0;
  for (uint32_t p = 0; p < record->npasses && valid < passes; p++) {
    if (record->pass[p].invalid) continue;
    valid++;
    for (int i = 0; i < SC_REPEATS; i++) {
      double ns = record->pass[p].ns[i]; /* 0: a repeat that was not made */
      if (isfinite(ns) && ns > 0 && (best == 0 || ns < best)) best = ns;
    }
  }
  return valid == passes ? best : 0;
}

int sc_record_valid_passes(const sc_record *record) {
  int n = 0;
  for (uint32_t p = 0; p < record->npasses; p++) n += record->pass[p].invalid == 0;
  return n;
}

int sc_record_counters(const sc_record *record) {
  int n = 0;
  while (n < SC_MAX_COUNTERS && record->counter_name[n][0]) n++;
  return n;
}

sc_status sc_record_check(const sc_record *r, sc_error *err) {
  if (r->npasses > SC_MAX_PASSES)
    return sc_fail(err, SC_LIMIT, "%u passes in one record, the limit is %d", r->npasses, SC_MAX_PASSES);
  if (r->outcome >= SC_OUTCOME_COUNT) return sc_fail(err, SC_USAGE, "outcome %u does not exist", r->outcome);
  if (r->proposal >= SC_PROPOSAL_COUNT) return sc_fail(err, SC_USAGE, "proposal %u does not exist", r->proposal);
  for (int i = 0; i < SC_MAX_COUNTERS; i++)
    if (!memchr(r->counter_name[i], 0, SC_NAME))
      return sc_fail(err, SC_USAGE, "the name of counter %d does not end", i);
  if (r->counter_mask >> sc_record_counters(r)) return sc_fail(err, SC_USAGE, "a counter without a name is valid");
  return SC_OK;
}

/* ---- union ---- */

/* A pass is the one that began then and measured that; its flags may be set later. */
static int compare_passes(const void *a, const void *b) {
  const sc_pass *x = a, *y = b;
  if (x->unix_ns != y->unix_ns) return x->unix_ns < y->unix_ns ? -1 : 1;
  if (x->batch != y->batch) return x->batch < y->batch ? -1 : 1;
  return memcmp(x->ns, y->ns, sizeof x->ns);
}

/* Takes out what is too much: the oldest disturbed passes, then the latest of the valid ones, since the first are the
 * label. This is an order of passes, of which the same are kept however records are grouped; only a flag that is set
 * after its pass displaced another comes too late for that one. */
static uint32_t keep_most(sc_pass *pass, uint32_t n) {
  uint32_t kept = 0, surplus = n > SC_MAX_PASSES ? n - SC_MAX_PASSES : 0;
  for (uint32_t i = 0; i < n; i++) {
    if (surplus > 0 && pass[i].invalid) surplus--;
    else pass[kept++] = pass[i];
  }
  return kept < SC_MAX_PASSES ? kept : SC_MAX_PASSES;
}

static void unite_passes(sc_record *to, const sc_record *from) {
  sc_pass all[2 * SC_MAX_PASSES];
  uint32_t n = to->npasses + from->npasses, distinct = 0;
  memcpy(all, to->pass, to->npasses * sizeof *all);
  memcpy(all + to->npasses, from->pass, from->npasses * sizeof *all);
  qsort(all, n, sizeof *all, compare_passes);
  for (uint32_t i = 0; i < n; i++) {
    if (distinct && compare_passes(&all[distinct - 1], &all[i]) == 0) {
      all[distinct - 1].preempted |= all[i].preempted;
      all[distinct - 1].invalid |= all[i].invalid;
    } else {
      all[distinct++] = all[i];
    }
  }
  to->npasses = keep_most(all, distinct);
  memset(to->pass, 0, sizeof to->pass);
  memcpy(to->pass, all, to->npasses * sizeof *all);
}

struct counter {
  char name[SC_NAME];
  double value;
  bool valid;
};

static int compare_counters(const void *a, const void *b) {
  const struct counter *x = a, *y = b;
  int order = strncmp(x->name, y->name, SC_NAME);
  if (order) return order;
  if (x->valid != y->valid) return x->valid ? -1 : 1;
  return (x->value > y->value) - (x->value < y->value);
}

static int take_counters(const sc_record *record, struct counter *out) {
  int n = sc_record_counters(record);
  for (int i = 0; i < n; i++) {
    memcpy(out[i].name, record->counter_name[i], SC_NAME);
    out[i].value = record->counter[i];
    out[i].valid = record->counter_mask >> i & 1;
  }
  return n;
}

/* By name; of two valid values the smaller, as with times. */
static void unite_counters(sc_record *to, const sc_record *from) {
  struct counter all[2 * SC_MAX_COUNTERS];
  int n = take_counters(to, all), kept = 0;
  n += take_counters(from, all + n);
  qsort(all, (size_t)n, sizeof *all, compare_counters);
  to->counter_mask = 0;
  memset(to->counter_name, 0, sizeof to->counter_name);
  memset(to->counter, 0, sizeof to->counter);
  for (int i = 0; i < n && kept < SC_MAX_COUNTERS; i++) {
    if (kept && strncmp(to->counter_name[kept - 1], all[i].name, SC_NAME) == 0) continue;
    memcpy(to->counter_name[kept], all[i].name, SC_NAME);
    to->counter[kept] = all[i].valid ? all[i].value : 0;
    to->counter_mask |= (uint32_t)all[i].valid << kept;
    kept++;
  }
}

/* A crash or a wrong result is not erased by a later clean run; a clean run does erase what the circumstances may have
 * caused (a busy machine, a compiler out of disk). */
static int weight(uint8_t outcome) {
  static const uint8_t weights[] = {
      [SC_NOT_COMPILED] = 0, [SC_TIMED_OUT] = 1, [SC_RAN] = 2, [SC_CRASHED] = 3, [SC_WRONG_RESULT] = 4};
  return weights[outcome];
}

int sc_proposal_bias(uint8_t proposal) {
  static const uint8_t bias[SC_PROPOSAL_COUNT] = {
      [SC_PROPOSED_UNIFORM] = 0, [SC_PROPOSED_STRATIFIED] = 1, [SC_PROPOSED_ANCHOR] = 2,
      [SC_PROPOSED_USER] = 3,    [SC_PROPOSED_NEIGHBOUR] = 4,  [SC_PROPOSED_MODEL] = 5};
  SC_ASSERT(proposal < SC_PROPOSAL_COUNT);
  return bias[proposal];
}

static void unite_proposals(sc_record *to, const sc_record *from) {
  int order = sc_proposal_bias(from->proposal) - sc_proposal_bias(to->proposal);
  if (order > 0 || (order == 0 && from->model_hash >= to->model_hash)) return;
  to->proposal = from->proposal;
  to->model_hash = from->model_hash;
}

static const char *smaller_text(const char *a, const char *b) {
  if (!*a || !*b) return *a ? a : b;
  return strcmp(a, b) <= 0 ? a : b;
}

void sc_record_unite(sc_record *to, const sc_record *from) {
  int order = weight(from->outcome) - weight(to->outcome);
  const char *failure = order > 0 ? from->failure : order < 0 ? to->failure : smaller_text(to->failure, from->failure);
  for (size_t i = 0; i < sc_text_column_count; i++) {
    const char **text = sc_record_text(to, i);
    *text = smaller_text(*text, *(const char *const *)((const char *)from + sc_text_columns[i].offset));
  }
  to->failure = failure;
  if (order > 0) to->outcome = from->outcome;
  to->stale |= from->stale;
  unite_proposals(to, from);
  if (from->code_bytes > to->code_bytes) to->code_bytes = from->code_bytes;
  if (to->compile_ms <= 0 || (from->compile_ms > 0 && from->compile_ms < to->compile_ms))
    to->compile_ms = from->compile_ms;
  unite_passes(to, from);
  unite_counters(to, from);
}
