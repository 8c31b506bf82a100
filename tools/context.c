/* What verbs work on: operators, tasks, machines and their kernel tables, models, spaces, datasets. Schedules:
 * jobs.c. */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/tools.h"

sc_status tool_flush(tool *t) {
  bool ok = !t->out.failed && fwrite(sc_str_text(&t->out), 1, t->out.len, stdout) == t->out.len && fflush(stdout) == 0;
  sc_status status = ok ? SC_OK
                        : sc_fail(&t->err, t->out.failed ? SC_NOMEM : SC_IO, "cannot write the output: %s",
                                  t->out.failed ? "no memory" : strerror(errno));
  sc_str_clear(&t->out);
  return status;
}

void tool_say(tool *t, const char *format, ...) {
  va_list args;
  va_start(args, format);
  fprintf(stderr, "%s-sched: ", t->verb->name);
  vfprintf(stderr, format, args);
  fputc('\n', stderr);
  va_end(args);
}

sc_status tool_usage(tool *t, const char *format, ...) {
  char text[300];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  return sc_fail(&t->err, SC_USAGE, "%s (see %s-sched --help)", text, t->verb->name);
}

bool file_exists(const char *path) { return access(path, R_OK) == 0; }

bool text_ends(const char *text, const char *suffix) {
  size_t len = strlen(text), cut = strlen(suffix);
  return len > cut && strcmp(text + len - cut, suffix) == 0;
}

sc_status tool_read(tool *t, const char *path, const char **where, char **text, size_t *len) {
  enum { MOST_BYTES = 1 << 30 };
  *where = strcmp(path, "-") == 0 ? "<standard input>" : path;
  return sc_file_read(t->arena, path, MOST_BYTES, text, len, &t->err);
}

sc_status tool_output(tool *t, const char *path) {
  const char *slash = strrchr(path, '/');
  char folder[4096] = ".";
  struct stat st;
  const bool exists = stat(path, &st) == 0;
  if (exists && S_ISDIR(st.st_mode)) return sc_fail(&t->err, SC_IO, "cannot write %s: it is a folder", path);
  if (exists && !S_ISREG(st.st_mode)) { /* a device or pipe is written, not replaced */
    if (access(path, W_OK) == 0) return SC_OK;
    return sc_fail(&t->err, SC_IO, "cannot write %s: %s", path, strerror(errno));
  }
  if (slash) snprintf(folder, sizeof folder, "%.*s", (int)(slash == path ? 1 : slash - path), path);
  if (access(folder, W_OK) == 0) return SC_OK;
  return sc_fail(&t->err, SC_IO, "cannot write %s: folder %s: %s", path, folder, strerror(errno));
}

/* The files of a folder that end so, by name; 0 without such a folder. Free each and the list. */
static int files_of(const char *folder, const char *suffix, struct dirent ***entry) {
  int n = scandir(folder, entry, NULL, alphasort), kept = 0;
  for (int i = 0; i < n; i++) {
    if (text_ends((*entry)[i]->d_name, suffix)) (*entry)[kept++] = (*entry)[i];
    else free((*entry)[i]);
  }
  if (n < 0) *entry = NULL;
  return kept;
}

static void files_free(struct dirent **entry, int n) {
  for (int i = 0; i < n; i++) free(entry[i]);
  free(entry);
}

sc_status tool_library(tool *t) { return t->library ? SC_OK : sc_library_load(t->arena, NULL, &t->library, &t->err); }

sc_status tool_task(tool *t, const char *text, const sc_task **task) {
  SC_TRY(tool_library(t));
  return sc_task_parse(t->arena, t->library, text, task, &t->err);
}

/* ---- machines ---- */

/* The kernel table stands beside the machine file: x.machine, x.kernels. */
static void table_beside(const char *machine_file, char *table, size_t size) {
  size_t len = strlen(machine_file);
  if (text_ends(machine_file, ".machine")) len -= strlen(".machine");
  snprintf(table, size, "%.*s.kernels", (int)len, machine_file);
}

static bool is_shipped(const char *machine_file) {
  char data[4096], machines[4096 + 16], shipped[PATH_MAX], file[PATH_MAX], *slash;
  sc_data_dir(data, sizeof data);
  snprintf(machines, sizeof machines, "%s/machines", data);
  if (!realpath(machines, shipped) || !realpath(machine_file, file) || !(slash = strrchr(file, '/'))) return false;
  *slash = '\0';
  return strcmp(file, shipped) == 0;
}

/* Where what is measured here is kept: beside the file, but what came with schedcast is not written to. */
static void own_table(const char *machine_file, char *table, size_t size) {
  char cache[4096], path[4096 + 300];
  const char *slash = strrchr(machine_file, '/');
  sc_cache_dir(cache, sizeof cache);
  snprintf(path, sizeof path, "%s/%.250s", cache, slash ? slash + 1 : machine_file);
  table_beside(is_shipped(machine_file) ? path : machine_file, table, size);
}

sc_status tool_machine(tool *t, const char *name, sc_machine *machine, char *table_path, size_t size) {
  char folder[2][4096], path[4096 + 128];
  sc_cache_dir(folder[0], sizeof folder[0]);
  sc_data_dir(folder[1], sizeof folder[1]);
  if (!name) {
    snprintf(path, sizeof path, "%s/host.machine", folder[0]);
    if (table_path) table_beside(path, table_path, size);
    return sc_machine_host(machine, &t->log, &t->err);
  }
  snprintf(path, sizeof path, "%s", name);
  for (int i = 0; !strchr(name, '/') && !file_exists(path) && i < 2; i++)
    snprintf(path, sizeof path, i ? "%s/machines/%.100s.machine" : "%s/%.100s.machine", folder[i], name);
  if (!file_exists(path))
    return sc_fail(&t->err, SC_NOTFOUND, "no machine '%s': neither a file nor in `machine-sched list`", name);
  if (table_path) own_table(path, table_path, size);
  return sc_machine_load(path, machine, &t->err);
}

/* Tables that came with schedcast for a machine like this one. */
static sc_status shipped_kernels(tool *t, const sc_machine *machine, sc_kernel_table *table) {
  char data[4096], path[4096 + 300], beside[4096 + 300];
  sc_data_dir(data, sizeof data);
  snprintf(path, sizeof path, "%s/machines", data);
  sc_status status = SC_OK;
  struct dirent **entry;
  int n = files_of(path, ".machine", &entry);
  for (int i = 0; i < n && status == SC_OK; i++) {
    sc_machine other;
    snprintf(path, sizeof path, "%s/machines/%s", data, entry[i]->d_name);
    if (sc_machine_load(path, &other, NULL) != SC_OK) continue; /* not ours to judge here: `show-sched` says why */
    if (sc_machine_fingerprint(&other) != sc_machine_fingerprint(machine)) continue;
    table_beside(path, beside, sizeof beside);
    status = sc_kernel_table_load(table, beside, &t->err);
  }
  files_free(entry, n);
  return status;
}

/* What is known of the kernels of a machine: what came with schedcast, then what was measured here. */
static sc_status known_kernels(tool *t, const sc_machine *machine, const char *table_path, sc_kernel_table **table) {
  *table = sc_kernel_table_new();
  if (!*table) return sc_fail(&t->err, SC_NOMEM, "no memory for a kernel table");
  SC_TRY(shipped_kernels(t, machine, *table));
  return sc_kernel_table_load(*table, table_path, &t->err); /* a missing file is an empty table */
}

sc_status platform_open(tool *t, const char *machine, platform *p) {
  *p = (platform){0};
  SC_TRY(tool_machine(t, machine, &p->machine, p->table_path, sizeof p->table_path));
  sc_status status = known_kernels(t, &p->machine, p->table_path, &p->kernels);
  if (status != SC_OK) platform_close(p);
  return status;
}

void platform_close(platform *p) {
  sc_kernel_table_free(p->kernels);
  p->kernels = NULL;
}

const char *const kernel_knowledge[] = {"rates", "static", "none", NULL};
enum { KNOWN_RATES, KNOWN_STATIC, KNOWN_NONE };

sc_status tool_kernels_of(tool *t, const char *machine, const sc_dataset *dataset, int knowledge,
                          sc_kernel_table **table) {
  sc_machine asked, of;
  char path[4096] = "";
  const char *text = sc_dataset_count(dataset) ? sc_dataset_at(dataset, 0)->machine : "";
  const bool known = sc_machine_parse("the dataset's machine", text, strlen(text), &of, NULL) == SC_OK;
  if (machine) {
    SC_TRY(tool_machine(t, machine, &asked, path, sizeof path));
    if (known && sc_machine_fingerprint(&asked) != sc_machine_fingerprint(&of))
      tool_say(t, "warning: the rows are of %s (%s), the kernel table is of %s (%s)", of.name, of.isa, asked.name,
               asked.isa);
  } else if (known && !of.simulated) { /* what was measured here counts for rows of this machine */
    SC_TRY(tool_machine(t, NULL, &asked, path, sizeof path));
    if (sc_machine_fingerprint(&asked) != sc_machine_fingerprint(&of)) path[0] = '\0';
  }
  *table = sc_kernel_table_new();
  if (!*table) return sc_fail(&t->err, SC_NOMEM, "no memory for a kernel table");
  if (knowledge == KNOWN_NONE || !(machine || known)) return SC_OK;
  SC_TRY(shipped_kernels(t, machine ? &asked : &of, *table));
  if (path[0]) SC_TRY(sc_kernel_table_load(*table, path, &t->err));
  if (knowledge == KNOWN_STATIC) sc_kernel_table_forget_times(*table);
  return SC_OK;
}

/* ---- models ---- */

/* 2: of this very machine, 1: of its ISA, 0: of another. */
static int fitness(const sc_model *model, const sc_machine *machine) {
  const sc_machine *of = sc_model_machine(model);
  if (sc_machine_fingerprint(of) == sc_machine_fingerprint(machine)) return 2;
  return strcmp(of->isa, machine->isa) == 0;
}

/* Keeps the best model of a folder in *best, of equals the first by name. One that cannot be read is named and passed
 * over. */
static void search_models(tool *t, const char *folder, const sc_machine *machine, sc_model **best, int *fits,
                          char *path, size_t size) {
  struct dirent **entry;
  int n = files_of(folder, ".xgb", &entry);
  for (int i = 0; i < n; i++) {
    char candidate[4096 + 300], why[1024];
    sc_model *model = NULL;
    sc_error err;
    snprintf(candidate, sizeof candidate, "%s/%s", folder, entry[i]->d_name);
    if (sc_model_load(candidate, &model, &err) != SC_OK) {
      sc_error_format(&err, why, sizeof why);
      tool_say(t, "warning: passed over: %.*s", (int)strcspn(why, "\n"), why);
      continue;
    }
    int fit = fitness(model, machine);
    if (fit > *fits) {
      sc_model_free(*best);
      *best = model;
      *fits = fit;
      snprintf(path, size, "%s", candidate);
    } else {
      sc_model_free(model);
    }
  }
  files_free(entry, n);
}

sc_status tool_model(tool *t, const char *model, const sc_machine *machine, sc_model **out, char *path, size_t size) {
  char folder[4096], models[4096 + 16];
  int fits = 0;
  *out = NULL;
  if (model) {
    if (path) snprintf(path, size, "%s", model);
    return sc_model_load(model, out, &t->err);
  }
  char found[4096 + 300] = "";
  sc_cache_dir(folder, sizeof folder);
  snprintf(models, sizeof models, "%s/models", folder);
  search_models(t, models, machine, out, &fits, found, sizeof found);
  sc_data_dir(folder, sizeof folder);
  snprintf(models, sizeof models, "%s/models", folder);
  search_models(t, models, machine, out, &fits, found, sizeof found);
  if (!*out)
    return sc_fail(&t->err, SC_NOTFOUND,
                   "no model of this machine (%s, %s) is here: train one, or name one with --model", machine->name,
                   machine->isa);
  if (path) snprintf(path, size, "%s", found);
  return SC_OK;
}

/* ---- spaces ---- */

sc_status tool_space(tool *t, const char *space, const sc_task *task, const platform *p, const text_list *force,
                     int64_t threads, sc_space_bound **bound) {
  const sc_space *parsed;
  sc_str lines = {0};
  if (space) SC_TRY(sc_space_load(t->arena, space, &parsed, &t->err));
  else {
    sc_status status = sc_space_default(t->arena, task, &parsed, &t->err);
    if (status == SC_NOTFOUND)
      return sc_fail(&t->err, status, "no space of the operator %s: no file %s; name another with --space FILE",
                     task->op, t->err.where);
    SC_TRY(status);
  }
  for (int i = 0; force && i < force->n; i++) sc_str_printf(&lines, "%s\n", force->text[i]);
  const sc_space_options options = {
      .force = lines.len ? sc_str_text(&lines) : NULL, .threads = (int)threads, .kernels = p->kernels};
  sc_status status = lines.failed ? sc_fail(&t->err, SC_NOMEM, "out of memory")
                                  : sc_space_bind(parsed, task, &p->machine, &options, bound, &t->err);
  sc_str_free(&lines);
  return status;
}

/* ---- datasets ---- */

sc_status datasets_read(tool *t, int n, char **paths, sc_dataset **dataset) {
  if (n == 1) return sc_dataset_open(paths[0], SC_DATASET_READ, dataset, &t->err);
  SC_TRY(sc_dataset_memory(dataset, &t->err));
  sc_status status = SC_OK;
  for (int i = 0; i < n && status == SC_OK; i++) {
    sc_dataset *part;
    status = sc_dataset_open(paths[i], SC_DATASET_READ, &part, &t->err);
    if (status != SC_OK) break;
    status = sc_dataset_merge(*dataset, part, &t->err);
    sc_dataset_close(part, NULL);
  }
  if (status == SC_OK) return SC_OK;
  sc_dataset_close(*dataset, NULL);
  *dataset = NULL;
  return status;
}
