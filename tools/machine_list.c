/* machine-sched list: the machine files of the cache and of data/machines. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/machine.h"

void machine_describe(tool *t, const sc_machine *m, const char *path, bool json) {
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
    if (json) machine_describe(t, &m, path, true);
    else
      sc_str_printf(&t->out, "%-16.*s %-12s %3.0f cores  %s\n", (int)(strlen(name[i]) - strlen(".machine")), name[i],
                    m.isa, m.cores.value, m.cpu);
  }
  return SC_OK;
}

sc_status machine_list(tool *t, const struct machine_options *o, int n, char **operands) {
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
