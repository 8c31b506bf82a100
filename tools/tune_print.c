/* What tune-sched prints: the finalists, the best first. */
#include <math.h>

#include "tools/tune.h"

/* Each with who proposed it: only what a model picked has an interval of picks. */
static void put_finalist(const tuning *u, const finalist *f) {
  const sc_trial *of = &u->result.trial[f->trial];
  sc_str comment = {0};
  print_origin_line(&u->t->out, &of->origin);
  sc_str_time(&comment, f->time_s);
  sc_str_printf(&comment, ", %.4g GFLOP/s, code ", u->task->flop / f->time_s * 1e-9);
  print_bytes(&comment, f->code_bytes);
  sc_str_add(&comment, ", buffers ");
  print_bytes(&comment, (double)f->scratch_bytes);
  sc_str_printf(&comment, "; trial %zu", f->trial + 1);
  print_schedule_line(&u->t->out, u->task, &of->schedule, sc_str_text(&comment));
  sc_str_free(&comment);
}

static void put_text(const tuning *u, const char *strategy) {
  sc_str *out = &u->t->out;
  sc_str_printf(out, "# %zu trials, %zu of them failed or not allowed, %s; in %s\n", u->result.n, tune_failed(u),
                strategy, u->o->out);
  print_task_line(out, u->task);
  for (size_t i = 0; i < u->nfinalists; i++) put_finalist(u, &u->finalist[i]);
}

static void put_json(const tuning *u, const char *strategy) {
  sc_str *out = &u->t->out;
  sc_str_add(out, "{");
  json_text(out, "task", u->task->text);
  json_text(out, "strategy", strategy);
  json_text(out, "dataset", u->o->out);
  json_count(out, "trials", u->result.n);
  json_count(out, "failed", tune_failed(u));
  json_bool(out, "exhausted", u->result.exhausted);
  json_key(out, "schedules");
  sc_str_add(out, "[");
  for (size_t i = 0; i < u->nfinalists; i++) {
    const finalist *f = &u->finalist[i];
    sc_str text = {0};
    sc_schedule_print(u->task, &u->result.trial[f->trial].schedule, &text);
    json_item(out);
    sc_str_add(out, "{");
    json_text(out, "schedule", sc_str_text(&text));
    json_real(out, "time_s", f->time_s);
    json_real(out, "flop_per_s", u->task->flop / f->time_s);
    json_count(out, "code_bytes", f->code_bytes);
    json_count(out, "scratch_bytes", f->scratch_bytes);
    json_count(out, "trial", f->trial + 1);
    sc_str_add(out, "}");
    sc_str_free(&text);
  }
  sc_str_add(out, "]");
  json_key(out, "best_time_s"); /* after each trial */
  sc_str_add(out, "[");
  double best = INFINITY;
  for (size_t i = 0; i < u->result.n; i++) {
    if (u->result.trial[i].value < best) best = u->result.trial[i].value;
    json_item(out);
    sc_json_number(out, best);
  }
  sc_str_add(out, "]}\n");
}

void tune_print(const tuning *u, const char *strategy) { (u->o->json ? put_json : put_text)(u, strategy); }
