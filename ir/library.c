/* The operators of a folder, by name. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ir/operator.h"

enum { MAX_OPERATORS = 256, MAX_FILE_BYTES = 1 << 20, MAX_PATH_BYTES = 4096 };

struct sc_library {
  size_t count;
  const sc_operator *op[MAX_OPERATORS];
};

static sc_status add_file(sc_arena *arena, sc_library *library, const char *path, sc_error *err) {
  char *text;
  size_t len;
  const sc_operator *op;
  SC_TRY(sc_file_read(arena, path, MAX_FILE_BYTES, &text, &len, err));
  SC_TRY(sc_operator_parse(arena, path, text, len, &op, err));
  if (sc_library_find(library, op->name))
    return sc_fail(err, SC_PARSE, "%s: operator '%s' stands in another file too", path, op->name);
  if (library->count == MAX_OPERATORS)
    return sc_fail(err, SC_LIMIT, "%s: a folder holds at most %d operators", path, MAX_OPERATORS);
  library->op[library->count++] = op;
  return SC_OK;
}

static int is_operator_file(const struct dirent *entry) {
  size_t n = strlen(entry->d_name);
  return n > 3 && entry->d_name[0] != '.' && strcmp(entry->d_name + n - 3, ".op") == 0;
}

/* Not alphasort, which follows the locale. */
static int by_name(const struct dirent **a, const struct dirent **b) { return strcmp((*a)->d_name, (*b)->d_name); }

sc_status sc_library_load(sc_arena *arena, const char *folder, const sc_library **result, sc_error *err) {
  char data[MAX_PATH_BYTES], path[2 * MAX_PATH_BYTES], standard[MAX_PATH_BYTES + 16];
  if (!folder) {
    sc_data_dir(data, sizeof data);
    snprintf(standard, sizeof standard, "%s/operators", data);
    folder = standard;
  }
  sc_library *library = sc_arena_alloc(arena, 1, sizeof *library);
  if (!library) return sc_fail(err, SC_NOMEM, "out of memory");
  struct dirent **entry;
  int n = scandir(folder, &entry, is_operator_file, by_name);
  if (n < 0) return sc_fail(err, SC_IO, "cannot read the folder of operators %s: %s", folder, strerror(errno));
  sc_status status = SC_OK;
  for (int i = 0; i < n; i++) {
    snprintf(path, sizeof path, "%s/%s", folder, entry[i]->d_name);
    if (status == SC_OK) status = add_file(arena, library, path, err);
    free(entry[i]);
  }
  free(entry);
  if (status == SC_OK) *result = library;
  return status;
}

size_t sc_library_count(const sc_library *library) { return library->count; }

const sc_operator *sc_library_at(const sc_library *library, size_t i) {
  SC_ASSERT(i < library->count);
  return library->op[i];
}

const sc_operator *sc_library_find(const sc_library *library, const char *name) {
  for (size_t i = 0; i < library->count; i++)
    if (strcmp(library->op[i]->name, name) == 0) return library->op[i];
  return NULL;
}
