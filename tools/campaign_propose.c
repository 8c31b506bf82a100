/* What a model of everything measured so far would like to see next. */
#include <stdlib.h>

#include "tools/campaign.h"

sc_status campaign_check_bases(campaign *c) {
  for (int i = 0; i < c->base->n; i++) {
    sc_dataset *base;
    SC_TRY(sc_dataset_open(c->base->text[i], SC_DATASET_READ, &base, &c->t->err));
    sc_dataset_close(base, NULL);
  }
  return SC_OK;
}

static sc_status everything(campaign *c, sc_dataset **all) {
  tool *t = c->t;
  SC_TRY(sc_dataset_memory(all, &t->err));
  sc_status status = sc_dataset_merge(*all, c->dataset, &t->err);
  for (int i = 0; i < c->base->n && status == SC_OK; i++) {
    sc_dataset *base;
    status = sc_dataset_open(c->base->text[i], SC_DATASET_READ, &base, &t->err);
    if (status != SC_OK) break;
    status = sc_dataset_merge(*all, base, &t->err);
    sc_dataset_close(base, NULL);
  }
  if (status != SC_OK) sc_dataset_close(*all, NULL);
  return status;
}

/* Of everything measured so far; one member, since each round has another. *model NULL: there are too few rows. */
static sc_status train(campaign *c, int round, sc_model **model) {
  tool *t = c->t;
  const sc_rows_options how = {.kernels = c->p.kernels, .views = true};
  const sc_train_options options = {.members = 1, .seed = c->recipe.seed + (uint64_t)round};
  sc_rows rows;
  sc_dataset *all;
  sc_arena *arena = sc_arena_new();
  *model = NULL;
  sc_status status = arena ? everything(c, &all) : sc_fail(&t->err, SC_NOMEM, "out of memory");
  if (status == SC_OK) {
    status = sc_rows_build(arena, t->library, all, &how, &rows, &t->err);
    if (status == SC_OK) status = sc_model_train(&rows, &options, model, &t->err);
    sc_dataset_close(all, NULL);
  }
  sc_arena_free(arena);
  if (status != SC_UNSUPPORTED) return status;
  tool_say(t, "round %d is left out: %s", round, t->err.text);
  return SC_OK;
}

sc_status campaign_propose(campaign *c, size_t first, size_t n, int round, job_list *jobs) {
  const sc_recipe_round *r = &c->recipe.round[round - 1];
  const sc_target target = {&c->p.machine, c->p.kernels, 1};
  sc_model *model;
  SC_TRY(train(c, round, &model));
  sc_status status = SC_OK;
  for (size_t i = 0; model && i < n && status == SC_OK; i++) {
    if (*interrupt_flag()) status = SC_INTERRUPTED;
    if (status != SC_OK) break;
    const sc_task *task = c->task[first + i];
    jobs_adding a = {c->t, jobs, task, {SC_PROPOSED_MODEL, sc_model_hash(model)}};
    sc_space_bound *space;
    status = tool_space(c->t, NULL, task, &c->p, NULL, 1, &space);
    if (status != SC_OK) break;
    status = sc_model_propose(model, space, task, &target, (size_t)r->n, (size_t)r->scan,
                              campaign_seed(c, task, round, 0), jobs_add_one, &a, &c->t->err);
    sc_space_unbind(space);
  }
  sc_model_free(model);
  return status;
}
