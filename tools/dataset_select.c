/* Some of the rows of a dataset: of tasks, compilers, shards; of tasks that are complete. */
#include <string.h>

#include "tools/dataset.h"

static bool holds(const char *text, const char *wanted) { return !wanted || strstr(text, wanted); }

static bool is_wanted(const sc_record *record, const struct dataset_options *o) {
  return holds(record->task, o->task) && holds(record->compiler, o->compiler) && holds(record->shard, o->shard);
}

static bool is_beside(const sc_record *a, const sc_record *b) {
  return strcmp(a->task, b->task) == 0 && strcmp(a->shard, b->shard) == 0;
}

/* Was every wanted row of this one's task and shard visited as often? What failed is not visited again; a task that was
 * broken off is in two shards. Such rows mostly follow one another, but rounds of a campaign stand behind the draws of all
 * its tasks. */
static bool is_complete(const sc_dataset *from, const sc_record *one, const struct dataset_options *o) {
  for (size_t i = 0; i < sc_dataset_count(from); i++) {
    const sc_record *record = sc_dataset_at(from, i);
    if (!is_beside(record, one) || !is_wanted(record, o) || record->outcome != SC_RAN) continue;
    if (record->npasses < (uint32_t)o->visits) return false;
  }
  return true;
}

static sc_status copy(const sc_dataset *from, sc_dataset *into, const struct dataset_options *o, sc_error *err) {
  const sc_record *before = NULL;
  bool complete = true;
  for (size_t i = 0; i < sc_dataset_count(from); i++) {
    const sc_record *record = sc_dataset_at(from, i);
    if (!is_wanted(record, o)) continue;
    if (o->visits && !(before && is_beside(before, record))) complete = is_complete(from, record, o);
    before = record;
    if (!complete) continue;
    SC_TRY(sc_dataset_append(into, record, err));
  }
  return SC_OK;
}

bool dataset_selects(const struct dataset_options *o) { return o->task || o->compiler || o->shard || o->visits; }

sc_status dataset_select(tool *t, const struct dataset_options *o, sc_dataset **dataset) {
  sc_dataset *all = *dataset, *some;
  SC_TRY(sc_dataset_memory(&some, &t->err));
  const sc_status status = copy(all, some, o, &t->err);
  sc_dataset_close(status == SC_OK ? all : some, NULL);
  if (status == SC_OK) *dataset = some;
  return status;
}
