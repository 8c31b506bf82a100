/* machine-sched probe: this machine's file, and beside it a table of the kernels that ordinary layers have, so that the
 * first prediction has rates to lean on. What other layers have besides is measured when they are (kernels,
 * --calibrate). */
#include <stdio.h>
#include <string.h>

#include "tools/machine.h"

static const char *const layers[] = {"conv2d:H=56,W=56,C=64,K=64,R=3,S=3,pad=1",
                                     "conv2d:H=14,W=14,C=256,K=256,R=3,S=3,pad=1",
                                     "conv2d:H=28,W=28,C=128,K=128,R=1,S=1",
                                     "depthwise:H=28,W=28,C=192,R=3,S=3,pad=1",
                                     "matmul:M=128,N=768,K=768",
                                     "matmul:M=512,N=512,K=512"};
enum { ROUNDS = 3, STRATIFIED = 9, UNIFORM = 3 }; /* schedules of a layer and round */
static const double most_s = 45;

static sc_status one_layer(tool *t, platform *p, const char *layer, uint64_t seed) {
  job_list jobs = {0};
  jobs_adding a = {.t = t, .jobs = &jobs};
  sc_space_bound *space;
  SC_TRY(tool_task(t, layer, &a.task));
  SC_TRY(tool_space(t, NULL, a.task, p, NULL, 1, &space));
  const sc_target target = {&p->machine, p->kernels, 1};
  sc_status status = sc_draw_stratified(space, a.task, &target, STRATIFIED, seed, jobs_add_one, &a, &t->err);
  if (status == SC_OK)
    status = sc_space_sample(space, SC_SAMPLE_UNIFORM, UNIFORM, seed + ROUNDS, jobs_add_one, &a, &t->err);
  if (status == SC_OK) status = kernels_measure(t, p, &jobs);
  sc_space_unbind(space);
  jobs_free(&jobs);
  return status;
}

/* Ends early on Ctrl-C or when the time is up; what was timed until then is in the table. */
static sc_status measure_kernels(tool *t, platform *p) {
  double begin = sc_now_s();
  const size_t steps = ROUNDS * SC_COUNT_OF(layers);
  t->terse = true; /* a line a layer is enough */
  interrupt_catch();
  for (size_t i = 0; i < steps && sc_now_s() - begin < most_s && !*interrupt_flag(); i++) {
    SC_TRY(one_layer(t, p, layers[i % SC_COUNT_OF(layers)], i / SC_COUNT_OF(layers)));
    tool_say(t, "kernels of ordinary layers: %zu of %zu draws, %zu known, %.0f s", i + 1, steps,
             sc_kernel_table_count(p->kernels), sc_now_s() - begin);
  }
  if (*interrupt_flag())
    return sc_fail(&t->err, SC_INTERRUPTED, "interrupted; the kernels timed so far are in %s", p->table_path);
  tool_say(t, "%zu kernels are known; those measured here are in %s", sc_kernel_table_count(p->kernels), p->table_path);
  return SC_OK;
}

/* The host's own file is renewed by whatever needs it; one that is named stays as it is. */
static sc_status write_machine(tool *t, const char *out, sc_machine *m, char *path, size_t size) {
  char folder[4000];
  sc_str text = {0};
  sc_cache_dir(folder, sizeof folder);
  if (out) snprintf(path, size, "%s", out);
  else snprintf(path, size, "%s/host.machine", folder);
  if (!out) return sc_machine_renew(m, &t->log, &t->err);
  SC_TRY(sc_machine_probe(m, &t->log, &t->err));
  if (strcmp(out, "-") == 0) return SC_OK;
  sc_machine_print(m, &text);
  sc_status status = text.failed ? sc_fail(&t->err, SC_NOMEM, "out of memory")
                                 : sc_file_write_atomic(path, sc_str_text(&text), text.len, &t->err);
  sc_str_free(&text);
  return status;
}

sc_status machine_probe(tool *t, const struct machine_options *o, int n, char **operands) {
  sc_machine m;
  platform p;
  char path[4096];
  bool printed = o->out && strcmp(o->out, "-") == 0;
  if (n) return tool_usage(t, "probe takes no file, not '%s'; --out names one", operands[0]);
  if (o->out && !printed) SC_TRY(tool_output(t, o->out));
  SC_TRY(write_machine(t, o->out, &m, path, sizeof path));
  machine_describe(t, &m, printed ? NULL : path, o->json);
  if (o->json) sc_str_add(&t->out, "\n");
  if (printed) return SC_OK;
  tool_say(t, "written to %s", path);
  if (o->no_kernels) return SC_OK;
  SC_TRY(platform_open(t, o->out, &p));
  sc_status status = measure_kernels(t, &p);
  platform_close(&p);
  return status;
}
