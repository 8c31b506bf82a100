/* Compiling and linking. Sources are files in the work folder, so that what failed can be looked at while the process
 * lives; as many compilers run at once as the calling thread may use cores. */
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "harness/internal.h"

double sc_compile_timeout_s(void) { return 120; }

enum { MOST = 16 }; /* compilers at once */

size_t sc_allowed_cores(void) {
  cpu_set_t set;
  int n = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
  return n < 1 ? 1 : (size_t)n;
}

/* Position-independent because the nest is loaded as a shared object; everything else is what the schedule's entry
 * says. */
static sc_status start(const sc_folder *work, const sc_compiler *compiler, const char *extra, const sc_unit *unit,
                       size_t number, sc_process *process, sc_error *err) {
  char source[SC_PATH];
  SC_TRY(sc_path(source, err, "%s/u%zu.c", work->path, number));
  SC_TRY(sc_write_file(source, unit->source, unit->len, err));
  sc_argv argv = {0};
  sc_argv_split(&argv, compiler->command);
  sc_argv_split(&argv, compiler->arguments);
  sc_argv_split(&argv, "-fPIC -ffunction-sections -fdata-sections -w -pipe");
  sc_argv_split(&argv, extra);
  sc_argv_split(&argv, "-c -o");
  sc_argv_add(&argv, unit->object);
  sc_argv_add(&argv, source);
  sc_status status = sc_process_start(&argv, sc_compile_timeout_s(), process, err);
  sc_argv_free(&argv);
  return status;
}

static void finish(sc_process *process, double started_s, sc_unit *unit) {
  sc_str said = {0};
  int exit_status;
  bool timed_out;
  sc_process_wait(process, &said, &exit_status, &timed_out);
  unit->seconds = sc_now_s() - started_s;
  unit->failure[0] = '\0';
  if (timed_out)
    snprintf(unit->failure, sizeof unit->failure, "the compiler did not end within %g s", sc_compile_timeout_s());
  else if (exit_status != 0) sc_first_error_line(sc_str_text(&said), unit->failure, sizeof unit->failure);
  if (exit_status != 0 && unit->failure[0] == '\0')
    snprintf(unit->failure, sizeof unit->failure, "the compiler was killed");
  sc_str_free(&said);
}

sc_status sc_compile_units(const sc_folder *work, const sc_compiler *compiler, const char *extra, sc_unit *units,
                           size_t n, sc_error *err) {
  sc_process process[MOST];
  double started_s[MOST];
  size_t begun = 0, most = sc_allowed_cores() < MOST ? sc_allowed_cores() : MOST;
  sc_status status = SC_OK;
  for (size_t done = 0; done < n; done++) {
    for (; status == SC_OK && begun < n && begun < done + most; begun++) {
      started_s[begun % MOST] = sc_now_s();
      status = start(work, compiler, extra, &units[begun], begun, &process[begun % MOST], err);
      if (status != SC_OK) break;
    }
    if (done >= begun) break;
    finish(&process[done % MOST], started_s[done % MOST], &units[done]);
  }
  return status;
}

/* The linker itself: its driver would cost as much again. */
sc_status sc_find_linker(const sc_compiler *compiler, char path[SC_PATH], sc_error *err) {
  sc_argv argv = {0};
  sc_str said = {0};
  int exit_status = -1;
  sc_argv_split(&argv, compiler->command);
  sc_argv_add(&argv, "-print-prog-name=ld");
  sc_status status = sc_run_program(&argv, sc_compile_timeout_s(), &said, &exit_status, err);
  if (status == SC_OK && exit_status != 0)
    status = sc_fail(err, SC_EXTERNAL, "'%s -print-prog-name=ld' failed", compiler->command);
  if (status == SC_OK) status = sc_path(path, err, "%.*s", (int)strcspn(sc_str_text(&said), "\n"), sc_str_text(&said));
  sc_str_free(&said);
  sc_argv_free(&argv);
  return status;
}

/* Two units of the store may hold one kernel, when two processes compiled it at once: it is the same code, the first
 * will do. */
sc_status sc_link(const char *linker, const char *const *objects, size_t n, const char *out, char failure[256],
                  sc_error *err) {
  sc_argv argv = {0};
  sc_str said = {0};
  int exit_status = -1;
  sc_argv_add(&argv, linker);
  sc_argv_split(&argv, "-shared --gc-sections --allow-multiple-definition --build-id=none -z now -o");
  sc_argv_add(&argv, out);
  for (size_t i = 0; i < n; i++) sc_argv_add(&argv, objects[i]);
  sc_status status = sc_run_program(&argv, sc_compile_timeout_s(), &said, &exit_status, err);
  failure[0] = '\0';
  if (status == SC_OK && exit_status != 0) {
    sc_first_error_line(sc_str_text(&said), failure, 256);
    if (failure[0] == '\0') snprintf(failure, 256, "the linker failed");
  }
  sc_str_free(&said);
  sc_argv_free(&argv);
  return status;
}
