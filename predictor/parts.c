/* Scores of parts: how good the model is for an operator, for tasks of few rows, by draws of one kind, for a network. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "predictor/pools.h"

typedef struct parting {
  const sc_rows *rows;
  const sc_task_scores *model, *analytic; /* by task */
  bool *in; /* by task: belongs to the part */
  uint32_t *of; /* by task: a row of it */
  sc_task_scores *chosen; /* room for two a task */
  bool *seen; /* by group */
  int draws;
  uint64_t seed;
  sc_evaluation *out;
} parting;

/* The tasks that are `in` and have a score; nothing where there are fewer than `least`. */
static sc_status add(parting *p, const char *name, int length, size_t least, sc_error *err) {
  size_t n = 0, groups = 0;
  memset(p->seen, 0, p->rows->ngroups * sizeof *p->seen);
  for (size_t t = 0; t < p->rows->ntasks; t++) {
    if (!p->in[t] || isnan(p->model[t].value[SC_TOP1])) continue;
    p->chosen[n++] = p->model[t];
    groups += !p->seen[p->model[t].group];
    p->seen[p->model[t].group] = true;
  }
  if (n < least || p->out->nparts == SC_MAX_PARTS) return SC_OK;
  sc_task_scores *analytic = p->chosen + n;
  for (size_t t = 0, k = 0; t < p->rows->ntasks; t++)
    if (p->in[t] && !isnan(p->model[t].value[SC_TOP1])) analytic[k++] = p->analytic[t];
  sc_part_scores *part = &p->out->part[p->out->nparts++];
  *part = (sc_part_scores){.tasks = n, .groups = groups};
  memcpy(part->name, name, (size_t)(length < SC_NAME ? length : SC_NAME - 1));
  const sc_bootstrap b = {p->chosen, n, p->rows->ngroups, p->draws, p->seed};
  SC_TRY(sc_bootstrap_mean(&b, SC_TOP1, &part->top1, err));
  SC_TRY(sc_bootstrap_mean(&b, SC_PAIRS, &part->pairs, err));
  SC_TRY(sc_bootstrap_mean(&b, SC_MAPE, &part->mape, err));
  return sc_bootstrap_ratio(&b, analytic, SC_REGRET1, &part->regret_ratio, err);
}

/* Every operator at the first of its tasks. */
static sc_status add_operators(parting *p, sc_error *err) {
  const char *const *task = p->rows->task_name;
  for (size_t t = 0; t < p->rows->ntasks; t++) {
    const size_t n = strcspn(task[t], ":") + 1;
    bool first = true;
    for (size_t u = 0; u < p->rows->ntasks; u++) {
      p->in[u] = strncmp(task[u], task[t], n) == 0;
      first = first && (u >= t || !p->in[u]);
    }
    if (first) SC_TRY(add(p, task[t], (int)n - 1, 1, err));
  }
  for (size_t t = 0; t < p->rows->ntasks; t++) {
    const float *row = p->rows->features + (size_t)p->of[t] * SC_FEATURE_COUNT;
    const double n = sc_feature_value(SC_FEATURE_in0_only, row[SC_FEATURE_in0_only]);
    p->in[t] = n > 0.5 && n < SC_FEW_ROWS + 0.5; /* 0: features of the workload were left out */
  }
  return add(p, "few rows", 8, 1, err);
}

static sc_status add_networks(parting *p, sc_error *err) {
  for (size_t w = 0; w < p->rows->nnetworks; w++) {
    const char *name = p->rows->network_name[w];
    for (size_t t = 0; t < p->rows->ntasks; t++) p->in[t] = p->rows->network[p->of[t]] == w;
    SC_TRY(add(p, name, (int)strlen(name), 2, err));
  }
  return SC_OK;
}

/* One model orders a uniform pool and the fast end alone differently well. */
static sc_status add_draws(parting *p, const sc_scored_times *model, const sc_scored_times *analytic, sc_error *err) {
  static const struct {
    sc_proposal proposal;
    const char *name;
  } kind[] = {{SC_PROPOSED_UNIFORM, "uniform draws"}, {SC_PROPOSED_STRATIFIED, "stratified draws"}};
  const sc_rows *rows = p->rows;
  double *truth = malloc((rows->n + 1) * sizeof *truth);
  sc_task_scores *own = malloc((2 * rows->ntasks + 1) * sizeof *own);
  sc_status status = truth && own ? SC_OK : sc_fail(err, SC_NOMEM, "out of memory for %zu rows", rows->n);
  parting part = *p;
  part.model = own;
  part.analytic = own + rows->ntasks;
  for (size_t t = 0; t < rows->ntasks; t++) p->in[t] = true;
  for (size_t k = 0; status == SC_OK && rows->record && k < SC_COUNT_OF(kind); k++) {
    for (size_t i = 0; i < rows->n; i++)
      truth[i] = rows->record[i] && rows->record[i]->proposal == kind[k].proposal ? model->truth[i] : 0;
    const sc_scored_times m = {truth, model->predicted, NULL, NULL, NULL},
                          a = {truth, analytic->predicted, NULL, NULL, NULL};
    status = sc_pools_score(rows, &m, false, own, err);
    if (status == SC_OK) status = sc_pools_score(rows, &a, false, own + rows->ntasks, err);
    if (status == SC_OK) status = add(&part, kind[k].name, (int)strlen(kind[k].name), 1, err);
  }
  free(truth);
  free(own);
  return status;
}

sc_status sc_parts_score(const sc_rows *rows, const sc_scored_times *model, const sc_scored_times *analytic,
                         const sc_task_scores *model_scores, const sc_task_scores *analytic_scores, int draws,
                         uint64_t seed, sc_evaluation *out, sc_error *err) {
  parting p = {.rows = rows,
               .model = model_scores,
               .analytic = analytic_scores,
               .in = calloc(rows->ntasks + 1, sizeof *p.in),
               .of = calloc(rows->ntasks + 1, sizeof *p.of),
               .chosen = malloc((2 * rows->ntasks + 1) * sizeof *p.chosen),
               .seen = malloc((rows->ngroups + 1) * sizeof *p.seen),
               .draws = draws,
               .seed = seed,
               .out = out};
  sc_status status =
      p.in && p.of && p.chosen && p.seen ? SC_OK : sc_fail(err, SC_NOMEM, "out of memory for the scores of parts");
  out->nparts = 0;
  for (size_t i = 0; status == SC_OK && i < rows->n; i++) p.of[rows->task[i]] = (uint32_t)i;
  if (status == SC_OK) status = add_operators(&p, err);
  if (status == SC_OK) status = add_draws(&p, model, analytic, err);
  if (status == SC_OK) status = add_networks(&p, err);
  free(p.in);
  free(p.of);
  free(p.chosen);
  free(p.seen);
  return status;
}
