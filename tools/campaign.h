/* Parts of campaign-sched. */
#ifndef SC_TOOLS_CAMPAIGN_H
#define SC_TOOLS_CAMPAIGN_H

#include "tools/tools.h"

typedef struct campaign {
  tool *t;
  platform p;
  sc_recipe recipe;
  const char *out; /* the dataset; OUT.shards/ is the folder of what each shard measures */
  const text_list *base; /* datasets that models learn from besides */
  sc_dataset *dataset;
  const sc_task **task; /* each once, in the order of the shards */
  size_t ntasks, nshards;
} campaign;

/* Asked before long work: are the bases datasets? */
sc_status campaign_check_bases(campaign *c);
/* What was begun in OUT.shards/ was begun by this recipe, of these tasks; SC_MISMATCH else. Notes it in a new one. */
sc_status campaign_claim(campaign *c);
/* The tasks of the recipe that was read from `path`, in a random order of its seed, so that every shard is a mixture. */
sc_status campaign_tasks(campaign *c, const char *path);
/* The seed of what is drawn of a task: each differs from all others. */
uint64_t campaign_seed(const campaign *c, const sc_task *task, int round, int draw);
/* Draws what a shard measures first, where no earlier run has, and adds it to the jobs. */
sc_status campaign_draw(campaign *c, size_t shard, job_list *jobs);
/* Draws the shards first, first + step, .. and prints a hash of it all, by which a pool is known again. */
sc_status campaign_freeze(campaign *c, size_t first, size_t step, bool json);
/* What a model of everything measured so far proposes for n tasks in a round (counted from 1); nothing, and a word of
 * why, when there is too little to train on. */
sc_status campaign_propose(campaign *c, size_t first, size_t n, int round, job_list *jobs);
/* Draws, measures, and in each round lets a model of everything measured so far propose more for the same tasks; goes
 * on with what an earlier run left. */
sc_status campaign_shard(campaign *c, size_t shard, sc_campaign_report *report);

#endif
