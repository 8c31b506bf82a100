/* The runner program: its source is in the library, its executable in sc_cache_dir()/runners, named by the hash of
 * source and compiler. It is compiled with the first compiler of the machine file, so a cross compiler makes a cross
 * program. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "harness/internal.h"

static uint64_t program_hash(const sc_compiler *compiler) {
  size_t n;
  const sc_child_file *file = sc_child_files(&n);
  uint64_t hash = sc_hash64(compiler->command, strlen(compiler->command), 0);
  hash = sc_hash64(compiler->version, strlen(compiler->version), hash);
  for (size_t i = 0; i < n; i++) hash = sc_hash64(file[i].text, strlen(file[i].text), hash);
  return hash;
}

static sc_status compile(const sc_compiler *compiler, const sc_folder *work, const char *out, sc_error *err) {
  size_t n;
  const sc_child_file *file = sc_child_files(&n);
  sc_argv argv = {0};
  sc_str said = {0};
  int exit_status = -1;
  sc_status status = SC_OK;
  sc_argv_split(&argv, compiler->command);
  sc_argv_split(&argv, "-O2 -std=c11 -D_GNU_SOURCE -pthread -o");
  sc_argv_add(&argv, out);
  for (size_t i = 0; i < n && status == SC_OK; i++) {
    char path[SC_PATH];
    status = sc_path(path, err, "%s/%s", work->path, file[i].name);
    if (status == SC_OK) status = sc_write_file(path, file[i].text, strlen(file[i].text), err);
    if (strstr(file[i].name, ".c")) sc_argv_add(&argv, path);
  }
  sc_argv_split(&argv, "-ldl -lm");
  if (status == SC_OK) status = sc_run_program(&argv, sc_compile_timeout_s(), &said, &exit_status, err);
  if (status == SC_OK && exit_status != 0) {
    char line[256];
    sc_first_error_line(sc_str_text(&said), line, sizeof line);
    status = sc_fail(err, SC_EXTERNAL, "'%s' cannot compile the runner program: %s", compiler->command, line);
  }
  sc_str_free(&said);
  sc_argv_free(&argv);
  return status;
}

sc_status sc_program_build(const sc_machine *machine, char path[SC_PATH], sc_error *err) {
  char cache[SC_PATH], folder[SC_PATH], made[SC_PATH];
  if (machine->ncompilers == 0)
    return sc_fail(err, SC_UNSUPPORTED, "the machine '%s' names no compiler", machine->name);
  const sc_compiler *compiler = &machine->compiler[0];
  sc_cache_dir(cache, sizeof cache);
  SC_TRY(sc_path(folder, err, "%s/runners", cache));
  SC_TRY(sc_path(path, err, "%s/%016" PRIx64, folder, program_hash(compiler)));
  if (access(path, X_OK) == 0) return SC_OK;
  SC_TRY(sc_mkdirs(folder, err));
  sc_folder work = {0};
  SC_TRY(sc_folder_make(&work, err));
  sc_status status = sc_path(made, err, "%s/runner", work.path);
  if (status == SC_OK) status = compile(compiler, &work, made, err);
  if (status == SC_OK && rename(made, path) != 0)
    status = sc_fail(err, SC_IO, "cannot rename to '%s': %s", path, strerror(errno));
  sc_folder_remove(&work);
  return status;
}
