/* From a dataset to rows: every usable record is parsed, lowered and featurised again, so that the rows always are what
 * this program says today. What is left out is counted by reason. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "predictor/corpus.h"
#include "predictor/internal.h"

typedef struct task_slot {
  const sc_task *task; /* NULL: no longer a task */
  uint32_t group, network, boot /* whose rows count */;
  int passes; /* of a label */
  bool forbidden;
} task_slot;

/* Where a record stands, decided for all of them before a row is made. */
typedef struct place {
  uint32_t task /* SC_NO_NAME: left out */, boot, schedule, valid /* passes */;
} place;

typedef struct building {
  sc_arena *arena;
  const sc_library *library;
  const sc_dataset *dataset;
  const sc_rows_options *options;
  sc_rows *rows;
  sc_names tasks, groups, networks, boots /* of one task each */, schedules /* of one boot each */;
  task_slot *slot; /* by number of the task; these four have room for one a record */
  place *place; /* by record */
  uint32_t *measured; /* by boot: valid passes */
  uint32_t *chosen; /* by schedule: 1 + its record with most valid passes */
  sc_corpus corpus, evaluation;
  uint64_t machine_hash;
  uint32_t harness_abi;
  bool have_machine;
} building;

/* ---- labels ---- */

/* The label from every second valid pass, beginning with valid pass `first`; `passes` of them. */
static double half_label_ns(const sc_record *record, int first, int passes) {
  sc_record half = *record;
  half.npasses = 0;
  int valid = 0;
  for (uint32_t p = 0; p < record->npasses && p < SC_MAX_PASSES; p++) {
    if (record->pass[p].invalid) continue;
    if (valid++ % 2 == first) half.pass[half.npasses++] = record->pass[p];
  }
  return sc_record_label_ns(&half, passes);
}

/* The record with all its passes valid. */
static sc_record accept(const sc_record *record) {
  sc_record all = *record;
  for (uint32_t p = 0; p < all.npasses && p < SC_MAX_PASSES; p++) all.pass[p].invalid = 0;
  return all;
}

static bool any_disturbed(const sc_record *record, int passes) {
  for (uint32_t p = 0; p < record->npasses && p < (uint32_t)passes; p++)
    if (record->pass[p].invalid) return true;
  return false;
}

static sc_record labels_of(const building *b, const sc_record *record) {
  return b->options->disturbed ? accept(record) : *record;
}

/* Passes that a label may be made of. */
static int passes_in(const building *b, const sc_record *record) {
  return b->options->disturbed ? (int)record->npasses : sc_record_valid_passes(record);
}

/* ---- tasks ---- */

static sc_status out_of_memory(sc_error *err) {
  return sc_fail(err, SC_NOMEM, "out of memory for the rows of a dataset");
}

/* The first network that lists the task, else one that lists its group, else one of its own. */
static const char *network_of(const sc_corpus *corpus, const sc_task *task, const char *group) {
  const uint32_t t = sc_names_find(&corpus->tasks, task->text), g = sc_names_find(&corpus->groups, group);
  if (t != SC_NO_NAME) return corpus->network_of_task[t];
  if (g != SC_NO_NAME) return corpus->network_of_group[g];
  return NULL;
}

static sc_status new_task(building *b, const char *text, task_slot *slot, sc_error *err) {
  *slot = (task_slot){.boot = SC_NO_NAME};
  if (sc_task_parse(b->arena, b->library, text, &slot->task, NULL) != SC_OK) {
    slot->task = NULL;
    return SC_OK;
  }
  sc_str key = {0};
  sc_task_group_key(slot->task, &key);
  const char *group = sc_str_text(&key), *network = network_of(&b->corpus, slot->task, group);
  if (!network) network = network_of(&b->evaluation, slot->task, group);
  slot->group = sc_names_add(&b->groups, group);
  slot->network = sc_names_add(&b->networks, network ? network : slot->task->text);
  slot->forbidden = sc_names_find(&b->evaluation.groups, group) != SC_NO_NAME;
  const bool ok = !key.failed && slot->group != SC_NO_NAME && slot->network != SC_NO_NAME;
  sc_str_free(&key);
  return ok ? SC_OK : out_of_memory(err);
}

/* ---- places ---- */

/* The first row that ran says of which machine, and measured in which way, all are. */
static sc_status same_machine(building *b, const sc_record *record, bool *same, sc_error *err) {
  if (!b->have_machine) {
    SC_TRY(
        sc_machine_parse("machine of the dataset", record->machine, strlen(record->machine), &b->rows->machine, err));
    b->machine_hash = record->machine_hash;
    b->harness_abi = b->rows->harness_abi = record->harness_abi;
    b->have_machine = true;
  }
  *same = record->machine_hash == b->machine_hash && record->harness_abi == b->harness_abi;
  return SC_OK;
}

static sc_status name_place(building *b, const sc_record *record, place *p, sc_error *err) {
  const char *number = strrchr(record->shard, '/'); /* host/boot/number */
  const size_t boot = number ? (size_t)(number - record->shard) : strlen(record->shard);
  sc_str name = {0};
  sc_str_printf(&name, "%" PRIu32 " %.*s", p->task, (int)boot, record->shard);
  p->boot = sc_names_add(&b->boots, sc_str_text(&name));
  sc_str_printf(&name, " %016" PRIx64 " %016" PRIx64 " %" PRIu32, record->nest_hash, record->compiler_hash,
                record->threads);
  p->schedule = sc_names_add(&b->schedules, sc_str_text(&name));
  const bool ok = !name.failed && p->boot != SC_NO_NAME && p->schedule != SC_NO_NAME;
  sc_str_free(&name);
  return ok ? SC_OK : out_of_memory(err);
}

/* Times of two boots are not to be compared within a task: the boot with most valid passes of a task counts, and of a
 * schedule that was measured in several shards of a boot the record with most of them. */
static sc_status place_record(building *b, size_t i, sc_error *err) {
  const sc_record *record = sc_dataset_at(b->dataset, i);
  const size_t before = b->tasks.n;
  place *p = &b->place[i];
  p->task = sc_names_add(&b->tasks, record->task);
  if (p->task == SC_NO_NAME) return out_of_memory(err);
  task_slot *slot = &b->slot[p->task];
  if (b->tasks.n > before) SC_TRY(new_task(b, record->task, slot, err));
  SC_TRY(name_place(b, record, p, err));
  const uint32_t valid = (uint32_t)passes_in(b, record);
  b->measured[p->boot] += valid;
  if (slot->boot == SC_NO_NAME || b->measured[p->boot] > b->measured[slot->boot]) slot->boot = p->boot;
  p->valid = valid;
  uint32_t *chosen = &b->chosen[p->schedule];
  if (*chosen == 0 || valid > b->place[*chosen - 1].valid) *chosen = (uint32_t)i + 1;
  return SC_OK;
}

/* Is it of the boot, and the record of its schedule, that count? */
static bool counts(const building *b, size_t i) {
  const place *p = &b->place[i];
  return p->boot == b->slot[p->task].boot && b->chosen[p->schedule] == i + 1;
}

/* Rows by how many valid passes they have: [p] has at least p of them. */
typedef struct having {
  uint32_t n[SC_MAX_PASSES + 1];
} having;

static void count_passes(const building *b, size_t i, having *have) {
  for (uint32_t p = 0; p <= b->place[i].valid && p <= SC_MAX_PASSES; p++) have->n[p]++;
}

/* 3, or fewer when less than nine of ten rows have as many. */
static int passes_of_most(const having *have) {
  int passes = 3;
  while (passes > 1 && (uint64_t)have->n[passes] * 10 < (uint64_t)have->n[0] * 9) passes--;
  return passes;
}

/* As many as all rows have that have `least`: none is lost by more passes. */
static int passes_of_all(const having *have, int least) {
  int passes = least;
  while (passes < SC_MAX_PASSES && have->n[passes + 1] == have->n[least]) passes++;
  return passes;
}

/* How many passes a label is made of: as most rows have, more within a task whose rows all have more. */
static sc_status choose_passes(building *b, size_t n, sc_error *err) {
  having all = {{0}}, *task = calloc(b->tasks.n + 1, sizeof *task);
  if (!task) return out_of_memory(err);
  for (size_t i = 0; i < n; i++) {
    if (b->place[i].task == SC_NO_NAME || !counts(b, i)) continue;
    count_passes(b, i, &all);
    count_passes(b, i, &task[b->place[i].task]);
  }
  const int given = b->options->passes;
  b->rows->passes = given > 0 ? given : passes_of_most(&all);
  for (size_t t = 0; t < b->tasks.n; t++)
    b->slot[t].passes = given > 0 ? given : passes_of_all(&task[t], b->rows->passes);
  free(task);
  return SC_OK;
}

static sc_status place_or_leave_out(building *b, size_t i, sc_error *err) {
  const sc_record *record = sc_dataset_at(b->dataset, i);
  bool same;
  b->place[i].task = SC_NO_NAME;
  if (record->simulated) { /* whatever became of it: its times are no labels */
    b->rows->skipped_simulated++;
    return SC_OK;
  }
  if (record->outcome != SC_RAN) {
    b->rows->skipped_failed++;
    return SC_OK;
  }
  if (record->stale) {
    b->rows->skipped_stale++;
    return SC_OK;
  }
  SC_TRY(same_machine(b, record, &same, err));
  if (same) return place_record(b, i, err);
  b->rows->skipped_foreign++;
  return SC_OK;
}

/* ---- one record ---- */

static void add_row(building *b, const sc_record *record, uint32_t task_number, const task_slot *slot) {
  sc_rows *rows = b->rows;
  sc_schedule schedule;
  sc_nest nest;
  if (sc_schedule_parse(slot->task, "dataset", record->schedule, &schedule, NULL) != SC_OK ||
      sc_lower(slot->task, &schedule, &nest, NULL) != SC_OK) {
    rows->skipped_illegal++;
    return;
  }
  const sc_record labels = labels_of(b, record);
  const double label_ns = sc_record_label_ns(&labels, slot->passes);
  if (!(label_ns > 0) || !isfinite(label_ns)) {
    rows->skipped_passes++;
    return;
  }
  const size_t i = rows->n++;
  const sc_target target = {&rows->machine, b->options->kernels, record->threads > 0 ? (int)record->threads : 1};
  sc_features_analytic(slot->task, &nest, &target, rows->features + i * SC_FEATURE_COUNT, &rows->analytic[i]);
  const int half = passes_in(b, record) / 2;
  rows->disturbed += b->options->disturbed && any_disturbed(record, slot->passes);
  rows->time_s[i] = label_ns * 1e-9;
  rows->analytic_s[i] = rows->analytic[i].time_s;
  rows->half_a_s[i] = half > 0 ? half_label_ns(&labels, 0, half) * 1e-9 : 0;
  rows->half_b_s[i] = half > 0 ? half_label_ns(&labels, 1, half) * 1e-9 : 0;
  rows->task[i] = task_number;
  rows->group[i] = slot->group;
  rows->network[i] = slot->network;
  rows->forbidden[i] = slot->forbidden;
  rows->record[i] = record;
}

static void add_record(building *b, size_t i) {
  sc_rows *rows = b->rows;
  const place *p = &b->place[i];
  if (p->task == SC_NO_NAME) return;
  const task_slot *slot = &b->slot[p->task];
  if (slot->task == NULL) rows->skipped_illegal++;
  else if (slot->forbidden && !b->options->keep_forbidden) rows->skipped_forbidden++;
  else if (!counts(b, i)) rows->skipped_elsewhere++;
  else add_row(b, sc_dataset_at(b->dataset, i), p->task, slot);
}

static bool allocate(sc_arena *arena, size_t n, building *b) {
  sc_rows *r = b->rows;
  n = n ? n : 1;
  return (r->features = sc_arena_alloc(arena, n, SC_FEATURE_COUNT * sizeof(float))) &&
         (r->time_s = sc_arena_alloc(arena, n, sizeof(double))) &&
         (r->analytic_s = sc_arena_alloc(arena, n, sizeof(double))) &&
         (r->analytic = sc_arena_alloc(arena, n, sizeof(sc_analytic))) &&
         (r->half_a_s = sc_arena_alloc(arena, n, sizeof(double))) &&
         (r->half_b_s = sc_arena_alloc(arena, n, sizeof(double))) &&
         (r->task = sc_arena_alloc(arena, n, sizeof(uint32_t))) &&
         (r->group = sc_arena_alloc(arena, n, sizeof(uint32_t))) &&
         (r->network = sc_arena_alloc(arena, n, sizeof(uint32_t))) &&
         (r->forbidden = sc_arena_alloc(arena, n, sizeof(bool))) &&
         (r->record = sc_arena_alloc(arena, n, sizeof(const sc_record *))) &&
         (b->slot = sc_arena_alloc(arena, n, sizeof(task_slot))) &&
         (b->place = sc_arena_alloc(arena, n, sizeof(place))) &&
         (b->measured = sc_arena_alloc(arena, n, sizeof(uint32_t))) &&
         (b->chosen = sc_arena_alloc(arena, n, sizeof(uint32_t)));
}

static sc_status mark_development(sc_arena *arena, sc_rows *rows, sc_error *err) {
  sc_names names;
  SC_TRY(sc_corpus_names(arena, "development.txt", &names, err));
  rows->development = sc_arena_alloc(arena, rows->nnetworks + 1, sizeof *rows->development);
  if (!rows->development) return out_of_memory(err);
  for (size_t i = 0; i < rows->nnetworks; i++)
    rows->development[i] = sc_names_find(&names, rows->network_name[i]) != SC_NO_NAME;
  return SC_OK;
}

sc_status sc_rows_build(sc_arena *arena, const sc_library *library, const sc_dataset *dataset,
                        const sc_rows_options *options, sc_rows *rows, sc_error *err) {
  static const sc_rows_options defaults;
  building b = {.arena = arena,
                .library = library,
                .dataset = dataset,
                .options = options ? options : &defaults,
                .rows = rows,
                .tasks = {.arena = arena},
                .groups = {.arena = arena},
                .networks = {.arena = arena},
                .boots = {.arena = arena},
                .schedules = {.arena = arena}};
  const size_t n = sc_dataset_count(dataset);
  memset(rows, 0, sizeof *rows);
  if (n > UINT32_MAX) return sc_fail(err, SC_LIMIT, "a dataset of %zu rows: more than 2^32", n);
  if (!allocate(arena, n, &b)) return out_of_memory(err);
  SC_TRY(sc_corpus_load(arena, library, b.options->networks, "networks.txt", &b.corpus, err));
  SC_TRY(sc_corpus_load(arena, library, b.options->forbid, "evaluation.txt", &b.evaluation, err));
  rows->kernel_facts = b.options->kernels ? sc_kernel_table_count(b.options->kernels) : 0;
  for (size_t i = 0; i < n; i++) SC_TRY(place_or_leave_out(&b, i, err));
  SC_TRY(choose_passes(&b, n, err));
  for (size_t i = 0; i < n; i++) add_record(&b, i);
  if (!sc_names_renumber(arena, rows->task, rows->n, &b.tasks, &rows->task_name, &rows->ntasks) ||
      !sc_names_renumber(arena, rows->group, rows->n, &b.groups, &rows->group_name, &rows->ngroups) ||
      !sc_names_renumber(arena, rows->network, rows->n, &b.networks, &rows->network_name, &rows->nnetworks)) {
    return out_of_memory(err);
  }
  const bool views = b.options->views && rows->kernel_facts > 0;
  if (views) SC_TRY(sc_rows_add_views(arena, library, b.options->kernels, rows, err));
  return mark_development(arena, rows, err);
}

/* ---- files ---- */

void sc_rows_close(sc_rows_file *file) {
  sc_dataset_close(file->dataset, NULL);
  sc_arena_free(file->arena);
  *file = (sc_rows_file){.dataset = NULL};
}

sc_status sc_rows_open(const sc_library *library, const char *path, const sc_rows_options *options, sc_rows_file *file,
                       sc_error *err) {
  sc_rows_close(file);
  file->arena = sc_arena_new();
  if (!file->arena) return out_of_memory(err);
  SC_TRY(sc_dataset_open(path, SC_DATASET_READ, &file->dataset, err));
  return sc_rows_build(file->arena, library, file->dataset, options, &file->rows, err);
}

sc_status sc_rows_without(sc_rows *rows, const char *group, sc_error *err) {
  sc_str known = {0};
  bool found = false;
  for (int f = 0; f < SC_FEATURE_COUNT; f++) {
    const char *of = sc_feature_at(f)->group;
    if (f == 0 || strcmp(of, sc_feature_at(f - 1)->group) != 0) sc_str_printf(&known, " %s", of);
    if (strcmp(of, group) != 0) continue;
    found = true;
    for (size_t i = 0; i < rows->n + rows->nviews; i++) rows->features[i * SC_FEATURE_COUNT + (size_t)f] = 0;
  }
  const sc_status status =
      found ? SC_OK : sc_fail(err, SC_USAGE, "no features are called '%s': there are%s", group, sc_str_text(&known));
  sc_str_free(&known);
  return status;
}
