/* machine-sched: what this machine is, its file, and the rates of its kernels. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/tools.h"

struct machine_options {
  const char *out, *machine;
  bool json;
};

static const option options[] = {
    {"out", 'o', OPTION_TEXT, offsetof(struct machine_options, out), "FILE", "probe: where to; default: the cache",
     NULL},
    OPTION_MACHINE(struct machine_options),
    OPTION_JSON(struct machine_options),
    OPTION_END,
};

static void print_machine(tool *t, const sc_machine *m, const char *path, bool json) {
  sc_str text = {0};
  sc_machine_print(m, &text);
  if (json) {
    json_item(&t->out);
    sc_str_add(&t->out, "{");
    json_text(&t->out, "name", m->name);
    json_text(&t->out, "cpu", m->cpu);
    json_text(&t->out, "isa", m->isa);
    json_hash(&t->out, "fingerprint", sc_machine_fingerprint(m));
    json_real(&t->out, "cores", m->cores.value);
    json_real(&t->out, "peak_flop_per_s", m->peak_flop_per_s.value);
    if (path) json_text(&t->out, "file", path);
    json_text(&t->out, "text", sc_str_text(&text));
    sc_str_add(&t->out, "}");
  } else {
    sc_str_add(&t->out, sc_str_text(&text));
  }
  sc_str_free(&text);
}

static sc_status probe(tool *t, const struct machine_options *o, int n, char **operands) {
  sc_machine m;
  char folder[4000], path[4096];
  sc_str text = {0};
  if (n) return tool_usage(t, "probe takes no file; --out names one");
  sc_cache_dir(folder, sizeof folder);
  snprintf(path, sizeof path, "%s/host.machine", folder);
  SC_TRY(sc_machine_probe(&m, &t->log, &t->err));
  if (!o->out) SC_TRY(sc_mkdirs(folder, &t->err));
  sc_machine_print(&m, &text);
  sc_status status = sc_file_write_atomic(o->out ? o->out : path, sc_str_text(&text), text.len, &t->err);
  sc_str_free(&text);
  if (status != SC_OK) return status;
  print_machine(t, &m, o->out ? o->out : path, o->json);
  if (o->json) sc_str_add(&t->out, "\n");
  if (!o->out || strcmp(o->out, "-") != 0) tool_say(t, "written to %s", o->out ? o->out : path);
  return SC_OK;
}

static sc_status show(tool *t, const struct machine_options *o, int n, char **operands) {
  for (int i = 0; i < n || i == 0; i++) {
    sc_machine m;
    SC_TRY(tool_machine(t, n ? operands[i] : o->machine, &m, NULL, 0));
    print_machine(t, &m, NULL, o->json);
    if (o->json) sc_str_add(&t->out, "\n");
  }
  return SC_OK;
}

static int alphabetic(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

/* The machine files of a folder, by name. */
static sc_status list_folder(tool *t, const char *folder, bool json) {
  DIR *dir = opendir(folder);
  const char *name[256];
  size_t n = 0;
  for (struct dirent *entry; dir && (entry = readdir(dir)) && n < SC_COUNT_OF(name);) {
    size_t len = strlen(entry->d_name), cut = strlen(".machine");
    if (len > cut && strcmp(entry->d_name + len - cut, ".machine") == 0)
      name[n++] = sc_arena_strdup(t->arena, entry->d_name);
  }
  if (dir) closedir(dir);
  qsort(name, n, sizeof *name, alphabetic);
  for (size_t i = 0; i < n; i++) {
    char path[4400];
    sc_machine m;
    snprintf(path, sizeof path, "%s/%.250s", folder, name[i]);
    SC_TRY(sc_machine_load(path, &m, &t->err));
    if (json) print_machine(t, &m, path, true);
    else
      sc_str_printf(&t->out, "%-16.*s %-12s %3.0f cores  %s\n", (int)(strlen(name[i]) - strlen(".machine")), name[i],
                    m.isa, m.cores.value, m.cpu);
  }
  return SC_OK;
}

static sc_status list(tool *t, const struct machine_options *o, int n, char **operands) {
  char cache[4000], data[4000], machines[4096];
  if (n) return tool_usage(t, "list takes no file");
  sc_cache_dir(cache, sizeof cache);
  sc_data_dir(data, sizeof data);
  snprintf(machines, sizeof machines, "%s/machines", data);
  if (o->json) sc_str_add(&t->out, "[");
  SC_TRY(list_folder(t, cache, o->json));
  SC_TRY(list_folder(t, machines, o->json));
  if (o->json) sc_str_add(&t->out, "]\n");
  return SC_OK;
}

/* Fills the kernel table with the kernels of schedules. */
static sc_status kernels(tool *t, const struct machine_options *o, int n, char **operands) {
  platform p;
  job_list jobs;
  if (!n) return tool_usage(t, "kernels wants schedule files");
  SC_TRY(jobs_read(t, n, operands, &jobs));
  sc_status status = platform_open(t, o->machine, &p);
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
} commands[] = {{"probe", probe}, {"show", show}, {"list", list}, {"kernels", kernels}};

static sc_status run(tool *t, const void *given, int n, char **operands) {
  for (size_t i = 0; i < SC_COUNT_OF(commands); i++)
    if (strcmp(operands[0], commands[i].name) == 0) return commands[i].run(t, given, n - 1, operands + 1);
  return tool_usage(t, "'%s' is none of probe, show, list, kernels", operands[0]);
}

const verb verb_machine = {
    .name = "machine",
    .summary = "probes this machine; shows machine files; rates kernels",
    .operands = "probe | show [NAME...] | list | kernels FILE...",
    .details = "probe asks the system and measures peak and bandwidth once, about two seconds, and writes a machine "
               "file in which every "
               "value says where it comes from. kernels compiles and times the kernels of schedules with operands in "
               "L1 into the "
               "table beside the machine file: what predictions know best.",
    .example =
        "machine-sched probe; machine-sched show host\n  sample-sched matmul:M=64,N=64,K=64 | machine-sched kernels -",
    .options = options,
    .options_size = sizeof(struct machine_options),
    .min_operands = 1,
    .max_operands = -1,
    .run = run,
};
