/* Of which tasks a campaign is, and what is drawn of them before anything is measured. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/campaign.h"

typedef struct placed {
  uint64_t key;
  const sc_task *task;
} placed;

static int by_key(const void *a, const void *b) {
  const placed *x = a, *y = b;
  return (x->key > y->key) - (x->key < y->key);
}

/* Beside the recipe, else in data/corpus. */
static void find_tasks(const campaign *c, const char *recipe, char *path, size_t size) {
  char folder[4000];
  const char *slash = strrchr(recipe, '/');
  snprintf(path, size, "%.*s%s", slash && c->recipe.tasks[0] != '/' ? (int)(slash + 1 - recipe) : 0, recipe,
           c->recipe.tasks);
  if (file_exists(path) || c->recipe.tasks[0] == '/') return;
  sc_data_dir(folder, sizeof folder);
  snprintf(path, size, "%s/corpus/%s", folder, c->recipe.tasks);
}

sc_status campaign_tasks(campaign *c, const char *recipe) {
  tool *t = c->t;
  char path[4400];
  listed_task *list;
  size_t n;
  find_tasks(c, recipe, path, sizeof path);
  SC_TRY(tasks_read(t, path, &list, &n));
  placed *at = sc_arena_alloc(t->arena, n + 1, sizeof *at);
  c->task = sc_arena_alloc(t->arena, n + 1, sizeof *c->task);
  if (!at || !c->task) return sc_fail(&t->err, SC_NOMEM, "no memory for %zu tasks", n);
  for (size_t i = 0; i < n; i++)
    at[i] = (placed){sc_hash64(&list[i].task->hash, sizeof list[i].task->hash, c->recipe.seed), list[i].task};
  qsort(at, n, sizeof *at, by_key);
  for (size_t i = 0; i < n; i++) /* a layer that stands under two networks is one task */
    if (i == 0 || at[i].task->hash != at[i - 1].task->hash) c->task[c->ntasks++] = at[i].task;
  c->nshards = (c->ntasks + (size_t)c->recipe.shard - 1) / (size_t)c->recipe.shard;
  return c->ntasks ? SC_OK : sc_fail(&t->err, SC_PARSE, "no task in %s", path);
}

/* The recipe, and a hash of its tasks in their order. */
static void describe(const campaign *c, sc_str *out) {
  uint64_t hash = 0;
  for (size_t i = 0; i < c->ntasks; i++) hash = sc_hash64(&c->task[i]->hash, sizeof hash, hash);
  sc_recipe_print(&c->recipe, out);
  sc_str_printf(out, "# %zu tasks, hash %016llx\n", c->ntasks, (unsigned long long)hash);
}

sc_status campaign_claim(campaign *c) {
  tool *t = c->t;
  char path[4400], *text;
  size_t len;
  sc_str own = {0};
  snprintf(path, sizeof path, "%.4000s.shards/recipe", c->out);
  describe(c, &own);
  sc_status status = own.failed ? sc_fail(&t->err, SC_NOMEM, "out of memory") : SC_OK;
  if (status == SC_OK && !file_exists(path)) status = sc_file_write_atomic(path, own.text, own.len, &t->err);
  else if (status == SC_OK) {
    status = sc_file_read(t->arena, path, 1 << 20, &text, &len, &t->err);
    if (status == SC_OK && strcmp(text, own.text) != 0)
      status =
          sc_fail(&t->err, SC_MISMATCH,
                  "%.4000s.shards was begun by another recipe, or of other tasks (%s says which): name another --out",
                  c->out, path);
  }
  sc_str_free(&own);
  return status;
}

sc_status campaign_freeze(campaign *c, size_t first, size_t step, bool json) {
  tool *t = c->t;
  uint64_t hash = 0;
  size_t schedules = 0, tasks = 0;
  for (size_t i = first; i < c->nshards && !*interrupt_flag(); i += step) {
    job_list jobs = {0};
    sc_status status = campaign_draw(c, i, &jobs);
    for (size_t k = 0; k < jobs.n; k++) {
      sc_nest nest;
      job_nest(&jobs.job[k], &nest);
      const uint64_t part[] = {hash, jobs.job[k].task->hash, sc_nest_hash(jobs.job[k].task, &nest)};
      hash = sc_hash64(part, sizeof part, 0);
    }
    schedules += jobs.n;
    for (size_t k = 0; k < jobs.n; k++) tasks += k == 0 || jobs.job[k].task != jobs.job[k - 1].task;
    jobs_free(&jobs);
    SC_TRY(status);
    tool_say(t, "shard %zu of %zu: %zu schedules so far", i + 1, c->nshards, schedules);
  }
  if (*interrupt_flag()) return sc_fail(&t->err, SC_INTERRUPTED, "interrupted; the same command goes on");
  if (json) {
    sc_str_add(&t->out, "{");
    json_count(&t->out, "tasks", tasks);
    json_count(&t->out, "schedules", schedules);
    json_hash(&t->out, "hash", hash);
    sc_str_add(&t->out, "}\n");
  } else
    sc_str_printf(&t->out, "%zu schedules of %zu tasks in %s.shards, hash %016llx\n", schedules, tasks, c->out,
                  (unsigned long long)hash);
  return SC_OK;
}
