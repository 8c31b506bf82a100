/* machine-sched: what this machine is, its file, and the rates of its kernels. */
#include <stdio.h>
#include <string.h>

#include "tools/machine.h"

static const option options[] = {
    {"out", 'o', OPTION_TEXT, offsetof(struct machine_options, out), "FILE", "probe: where to; default: the cache",
     NULL},
    {"no-kernels", 0, OPTION_FLAG, offsetof(struct machine_options, no_kernels), NULL, "probe: only the machine file",
     NULL},
    OPTION_MACHINE(struct machine_options),
    OPTION_JSON(struct machine_options),
    OPTION_END,
};

static sc_status show(tool *t, const struct machine_options *o, int n, char **operands) {
  for (int i = 0; i < n || i == 0; i++) {
    sc_machine m;
    SC_TRY(tool_machine(t, n ? operands[i] : o->machine, &m, NULL, 0));
    machine_describe(t, &m, NULL, o->json);
    if (o->json) sc_str_add(&t->out, "\n");
  }
  return SC_OK;
}

/* Fills the kernel table with the kernels of schedules. */
static sc_status kernels(tool *t, const struct machine_options *o, int n, char **operands) {
  platform p;
  job_list jobs;
  if (!n) return tool_usage(t, "kernels wants schedule files");
  SC_TRY(jobs_read(t, n, operands, &jobs));
  sc_status status = platform_open(t, o->machine, &p);
  if (status == SC_OK) status = jobs_compilers(t, &jobs, &p.machine);
  size_t before = status == SC_OK ? sc_kernel_table_count(p.kernels) : 0;
  if (status == SC_OK) status = kernels_measure(t, &p, &jobs);
  if (status == SC_OK && o->json) {
    sc_str_add(&t->out, "{");
    json_text(&t->out, "table", p.table_path);
    json_count(&t->out, "kernels", sc_kernel_table_count(p.kernels));
    json_count(&t->out, "new", sc_kernel_table_count(p.kernels) - before);
    sc_str_add(&t->out, "}\n");
  } else if (status == SC_OK) {
    sc_str_printf(&t->out, "%s: %zu kernels, %zu of them new\n", p.table_path, sc_kernel_table_count(p.kernels),
                  sc_kernel_table_count(p.kernels) - before);
  }
  platform_close(&p);
  jobs_free(&jobs);
  return status;
}

static const struct {
  const char *name;
  sc_status (*run)(tool *t, const struct machine_options *o, int n, char **operands);
} commands[] = {{"probe", machine_probe}, {"show", show}, {"list", machine_list}, {"kernels", kernels}};

static sc_status run(tool *t, const void *given, int n, char **operands) {
  for (size_t i = 0; i < SC_COUNT_OF(commands); i++)
    if (strcmp(operands[0], commands[i].name) == 0) return commands[i].run(t, given, n - 1, operands + 1);
  return tool_usage(t, "'%s' is none of probe, show, list, kernels", operands[0]);
}

const verb verb_machine = {
    .name = "machine",
    .summary = "probes this machine; shows machine files; rates kernels",
    .operands = "probe | show [NAME...] | list | kernels FILE...",
    .commands = "probe show list kernels",
    .details = "probe asks the system and measures peak and bandwidth once, about two seconds, and writes a machine "
               "file in which every "
               "value says where it comes from; then it times kernels of ordinary layers, up to a minute. kernels "
               "compiles and "
               "times those of schedules. Both go, with operands in L1, into the table beside the machine file: what "
               "predictions know best.",
    .example =
        "machine-sched probe; machine-sched show host\n  sample-sched matmul:M=64,N=64,K=64 | machine-sched kernels -",
    .options = options,
    .options_size = sizeof(struct machine_options),
    .min_operands = 1,
    .max_operands = -1,
    .run = run,
};
