/* campaign-sched: collects training data by a recipe, shard after shard. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/campaign.h"
#include "tools/shards.h"

struct campaign_options {
  const char *out, *machine, *shard, *picture;
  text_list base;
  bool draw, report, json;
};

static const option options[] = {
    {"out", 'o', OPTION_TEXT, offsetof(struct campaign_options, out), "FILE", "dataset, made or added to (required)",
     NULL},
    {"base", 0, OPTION_LIST, offsetof(struct campaign_options, base), "DATASET", "what proposing models learn from too",
     NULL},
    {"shard", 0, OPTION_TEXT, offsetof(struct campaign_options, shard), "I/N", "only every Nth shard, from I on", NULL},
    {"draw", 0, OPTION_FLAG, offsetof(struct campaign_options, draw), NULL, "draw all shards, measure nothing", NULL},
    {"report", 0, OPTION_FLAG, offsetof(struct campaign_options, report), NULL, "only say what was measured", NULL},
    {"picture", 0, OPTION_TEXT, offsetof(struct campaign_options, picture), "PNG", "of the shards", NULL},
    OPTION_MACHINE(struct campaign_options),
    OPTION_JSON(struct campaign_options),
    OPTION_END,
};

static sc_status measure_all(campaign *c, size_t first, size_t step) {
  tool *t = c->t;
  double spent_s = 0;
  size_t measured = 0, left = first < c->nshards ? (c->nshards - first + step - 1) / step : 0;
  for (size_t i = first; i < c->nshards; i += step) {
    sc_campaign_report r = {0};
    const double begin = sc_now_s();
    sc_status status = campaign_shard(c, i, &r);
    if (status == SC_INTERRUPTED)
      sc_fail(&t->err, status, "interrupted; what was measured is in %s, the same command goes on", c->out);
    SC_TRY(status);
    left--;
    if (r.visits) { /* what an earlier run has measured says nothing about the time */
      measured++;
      spent_s += sc_now_s() - begin;
    }
    tool_say(t, "shard %zu of %zu: %zu schedules, %zu visits, agreement top-1 %.3f tau %.3f; %.0f min, %.0f to go",
             i + 1, c->nshards, r.schedules, r.visits, r.agreement_top1, r.agreement_tau, spent_s / 60,
             measured ? spent_s / 60 * (double)left / (double)measured : 0);
  }
  return SC_OK;
}

/* Only says what is there: whatever the recipe, and where nothing can be written. */
static sc_status report_only(tool *t, const struct campaign_options *o) {
  sc_dataset *dataset;
  SC_TRY(sc_dataset_open(o->out, SC_DATASET_READ, &dataset, &t->err));
  sc_status status = shards_report(t, dataset, o->json, o->picture);
  sc_dataset_close(dataset, NULL);
  return status;
}

static sc_status with_dataset(campaign *c, const struct campaign_options *o, size_t first, size_t step) {
  tool *t = c->t;
  SC_TRY(sc_dataset_open(c->out, SC_DATASET_APPEND, &c->dataset, &t->err));
  sc_status status = measure_all(c, first, step);
  if (status == SC_OK) status = shards_report(t, c->dataset, o->json, o->picture);
  sc_status closed = sc_dataset_close(c->dataset, status == SC_OK ? &t->err : NULL);
  return status == SC_OK ? closed : status;
}

static sc_status run(tool *t, const void *given, int n, char **operands) {
  const struct campaign_options *o = given;
  campaign c = {.t = t, .out = o->out, .base = &o->base};
  sc_campaign_options part = {.nshards = 1};
  const char *where;
  char *text, folder[4400];
  size_t len;
  if (!o->out) return tool_usage(t, "--out FILE is missing");
  if (o->draw && (o->report || o->picture)) return tool_usage(t, "--draw measures nothing that could be reported");
  SC_TRY(shard_parse(t, o->shard, &part));
  if (o->picture) SC_TRY(tool_output(t, o->picture));
  if (o->report) return report_only(t, o);
  SC_TRY(tool_output(t, o->out));
  SC_TRY(tool_read(t, operands[0], &where, &text, &len));
  SC_TRY(sc_recipe_parse(where, text, len, &c.recipe, &t->err));
  SC_TRY(campaign_tasks(&c, operands[0]));
  SC_TRY(campaign_check_bases(&c));
  snprintf(folder, sizeof folder, "%.4000s.shards", o->out);
  SC_TRY(sc_mkdirs(folder, &t->err));
  SC_TRY(campaign_claim(&c));
  SC_TRY(platform_open(t, o->machine, &c.p));
  if (getenv("SCHEDCAST_GAUGE") && strcmp(getenv("SCHEDCAST_GAUGE"), "0") == 0)
    tool_say(t, "SCHEDCAST_GAUGE=0: visits wait for no quiet moment");
  interrupt_catch();
  t->terse = true;
  const size_t first = (size_t)part.shard, step = (size_t)part.nshards;
  sc_status status = o->draw ? campaign_freeze(&c, first, step, o->json) : with_dataset(&c, o, first, step);
  platform_close(&c.p);
  return status;
}

const verb verb_campaign = {
    .name = "campaign",
    .summary = "collects training data by a recipe, shard after shard",
    .operands = "RECIPE",
    .details =
        "Reads which tasks are measured, how many schedules of each are drawn how, and how many a model proposes in "
        "each round (docs/campaigns.md). Measures one shard of tasks after the other into the dataset: draws, then "
        "rounds, each with a model of everything measured so far. What a shard measures is kept in FILE.shards/, in "
        "files that measure-sched reads. The same command goes on after any stop. Ends with a report: what failed, "
        "what was disturbed, how well labels agree with labels.",
    .example = "campaign-sched data/campaigns/host.campaign --out host.h5",
    .options = options,
    .options_size = sizeof(struct campaign_options),
    .min_operands = 1,
    .max_operands = 1,
    .run = run,
};
