/* What quickstart prints at the end: the table of its cases and where the files are. */
#include "tools/quickstart.h"

/* The layer, or one that is the same contraction. */
static bool trained_on(const quickstart *q, const sc_task *task) {
  sc_str group = {0};
  sc_task_group_key(task, &group);
  const bool saw = sc_model_saw(q->model, sc_str_text(&group));
  sc_str_free(&group);
  return saw;
}

void quick_table(const quickstart *q, sc_str *out) {
  bool disturbed = false, seen = false;
  double peak = q->p.machine.peak_flop_per_s.value;
  sc_str_printf(out, "\n%-22s %-34s %9s %8s %7s %7s  %s\n", "one thread", "predicted (90 % interval)", "measured",
                "GFLOP/s", "of peak", "x plain", "OpenBLAS");
  for (size_t i = 0; i < q->ntasks; i++) {
    const quick_case *c = &q->c[i];
    sc_str name = {0}, predicted = {0}, measured = {0};
    if (c->measured_s == 0) continue;
    sc_str_time(&predicted, c->prediction.time_s);
    sc_str_add(&predicted, " (");
    sc_str_time(&predicted, c->prediction.low_s);
    sc_str_add(&predicted, " .. ");
    sc_str_time(&predicted, c->prediction.high_s);
    sc_str_add(&predicted, ")");
    if (c->disturbed) sc_str_add(&measured, "~");
    sc_str_time(&measured, c->measured_s);
    disturbed = disturbed || c->disturbed;
    double rate = c->task->flop / c->measured_s;
    sc_str_printf(&name, "%s%s", c->name, trained_on(q, c->task) ? " *" : "");
    seen = seen || trained_on(q, c->task);
    sc_str_printf(out, "%-22s %-34s %9s %8.1f %6.0f%% %7.1f", sc_str_text(&name), sc_str_text(&predicted),
                  sc_str_text(&measured), rate * 1e-9, 100 * rate / peak, c->plain_s / c->measured_s);
    if (c->blas_s > 0) sc_str_printf(out, "  %.1f GFLOP/s (%s)", c->task->flop / c->blas_s * 1e-9, c->blas_core);
    sc_str_add(out, "\n");
    sc_str_free(&name);
    sc_str_free(&predicted);
    sc_str_free(&measured);
  }
  sc_str_printf(out,
                "x plain: against the plain loops at gcc -O3 -march=native. Peak: %.0f GFLOP/s, one core; taps in "
                "padding count as work.\n\n",
                peak * 1e-9);
  if (seen)
    sc_str_add(out,
               "*: the model was trained on schedules of this layer; on layers it has not seen it is less sure.\n\n");
  if (disturbed) sc_str_add(out, "~: the machine was never quiet while this was measured; take it as a hint.\n\n");
  for (size_t i = 0; i < q->ntasks; i++) {
    if (!q->c[i].code[0]) continue;
    sc_str_printf(out, "%s\n  schedule ", q->c[i].task->text);
    sc_schedule_print(q->c[i].task, &q->c[i].schedule, out);
    sc_str_printf(out, "\n  C code   %s\n", q->c[i].code);
  }
  sc_str_printf(out, "model    %s\ndataset  %s\n", q->model_path, q->dataset_path);
  if (q->picture_path[0]) sc_str_printf(out, "picture  %s\n", q->picture_path);
}

void quick_json(const quickstart *q, sc_str *out) {
  sc_str_add(out, "{");
  json_text(out, "machine", q->p.machine.name);
  json_real(out, "peak_flop_per_s", q->p.machine.peak_flop_per_s.value);
  json_text(out, "model", q->model_path);
  json_bool(out, "model_made_here", q->own_model);
  json_text(out, "dataset", q->dataset_path);
  json_text(out, "picture", q->picture_path);
  json_key(out, "cases");
  sc_str_add(out, "[");
  for (size_t i = 0; i < q->ntasks; i++) {
    const quick_case *c = &q->c[i];
    if (c->measured_s == 0) continue;
    sc_str schedule = {0};
    sc_schedule_print(c->task, &c->schedule, &schedule);
    json_item(out);
    sc_str_add(out, "{");
    json_text(out, "name", c->name);
    json_text(out, "task", c->task->text);
    json_text(out, "schedule", sc_str_text(&schedule));
    json_effort(out, &c->effort);
    json_prediction(out, c->task, &c->prediction);
    json_real(out, "measured_s", c->measured_s);
    json_bool(out, "disturbed", c->disturbed);
    json_bool(out, "trained_on", trained_on(q, c->task));
    json_real(out, "measured_flop_per_s", c->task->flop / c->measured_s);
    json_real(out, "plain_s", c->plain_s);
    if (c->blas_s > 0) json_real(out, "openblas_s", c->blas_s);
    json_text(out, "code", c->code);
    sc_str_add(out, "}");
    sc_str_free(&schedule);
  }
  sc_str_add(out, "]}\n");
}
