/* What the files of harness/ share. In the order of a schedule's way: a process is spawned (spawn.c), a folder to
 * work in (folder.c), kernels come out of the store (store.c, elf.c), nests are built (build.c), the runner program
 * is built and started (program.c, runner.c), data and expected results stand in a file (reference.c), a visit is
 * asked for (measure.c), a campaign is many of them (campaign*.c). */
#ifndef SC_HARNESS_INTERNAL_H
#define SC_HARNESS_INTERNAL_H

#include <sys/types.h>

#include "harness/harness.h"
#include "harness/protocol.h"

enum { SC_PATH = SC_WIRE_PATH };
_Static_assert(sizeof((sc_built *)0)->path >= SC_PATH, "paths of objects");

/* ---- spawn.c: programs, never through a shell -------------------------------------------------------------------- */

enum { SC_MAX_WORDS = 512 };
typedef struct sc_argv { /* zero-initialise, sc_argv_free when done; `failed`: too many words or out of memory */
  sc_arena *arena;
  char *word[SC_MAX_WORDS + 1];
  int n;
  bool failed;
} sc_argv;
void sc_argv_add(sc_argv *argv, const char *word);
void sc_argv_addf(sc_argv *argv, const char *format, ...) __attribute__((format(printf, 2, 3)));
void sc_argv_split(sc_argv *argv, const char *words); /* blank-separated */
void sc_argv_free(sc_argv *argv);

/* A running program with its standard output and error in one pipe, in a process group of its own. */
typedef struct sc_process {
  pid_t pid;
  int fd;
  double deadline_s;
} sc_process;
sc_status sc_process_start(const sc_argv *argv, double timeout_s, sc_process *process, sc_error *err);
/* Reads what it says (the first 16 MiB) and waits; exit_status is -1 when it was killed, also by the time limit. */
void sc_process_wait(sc_process *process, sc_str *output, int *exit_status, bool *timed_out);
/* Both; a status other than 0 is no error. */
sc_status sc_run_program(const sc_argv *argv, double timeout_s, sc_str *output, int *exit_status, sc_error *err);
/* Starts a program with a SOCK_SEQPACKET socket as its standard input; no other descriptor is inherited but 1 and 2. */
sc_status sc_server_start(const sc_argv *argv, int *socket, pid_t *pid, sc_error *err);
/* The line of a compiler's output that says what is wrong. */
void sc_first_error_line(const char *output, char *buf, size_t size);

/* ---- folder.c ---------------------------------------------------------------------------------------------------- */

/* A folder of this process under sc_cache_dir()/work, removed with all it holds. Those of dead processes are swept. */
typedef struct sc_folder {
  char path[SC_PATH];
  int lock;
} sc_folder;
sc_status sc_folder_make(sc_folder *folder, sc_error *err);
void sc_folder_remove(sc_folder *folder);
sc_status sc_path(char path[SC_PATH], sc_error *err, const char *format, ...) __attribute__((format(printf, 3, 4)));
sc_status sc_write_file(const char *path, const void *bytes, size_t len, sc_error *err); /* no fsync: scratch files */

/* ---- elf.c ------------------------------------------------------------------------------------------------------- */

/* Calls `each` for every function of a relocatable object compiled with -ffunction-sections. `hash` covers the bytes
 * of its code and of the constants it refers to, and the names of what it calls; no address, so it does not depend on
 * what stands beside it in the object. */
typedef void sc_elf_fn(void *user, const char *function, uint64_t hash, uint32_t bytes);
sc_status sc_elf_functions(const char *path, sc_elf_fn *each, void *user, sc_error *err);

/* ---- store.c ----------------------------------------------------------------------------------------------------- */

/* A kernel that is there: the object file that holds it (beside others) and the facts of its code. */
typedef struct sc_object {
  uint64_t kernel; /* sc_kernel_hash(full) */
  uint64_t unit; /* names the object file */
  uint64_t code_hash;
  uint32_t code_bytes;
  uint32_t checked; /* 1: its file was found whole by this process */
} sc_object;
/* Compiles what is missing of kernels[n] and says for each where it is, or why it cannot be compiled: found[i].unit
 * is 0 and failure[i] (malloced, the caller frees all) the compiler's words. */
sc_status sc_store_need(sc_store *store, const sc_compiler *compiler, const sc_kernel *kernels, size_t n,
                        sc_object *found, char **failure, sc_error *err);
sc_status sc_store_unit_path(sc_store *store, const sc_compiler *compiler, uint64_t unit, char path[SC_PATH],
                             sc_error *err);
sc_status sc_store_linker(sc_store *store, const sc_compiler *compiler, const char **linker, sc_error *err);
const sc_folder *sc_store_work(const sc_store *store);
uint64_t sc_store_next_batch(sc_store *store); /* numbers for names in the work folder */

/* ---- compile.c --------------------------------------------------------------------------------------------------- */

/* One source file to compile; outcome in `failure` ("" = compiled) and seconds. */
typedef struct sc_unit {
  const char *source;
  size_t len;
  char object[SC_PATH];
  char failure[256];
  double seconds;
} sc_unit;
/* Compiles units at most as many at a time as the calling thread has cores. `extra` = further arguments. */
sc_status sc_compile_units(const sc_folder *work, const sc_compiler *compiler, const char *extra, sc_unit *units,
                           size_t n, sc_error *err);
/* Links objects into a shared object: its visible functions and what they call. */
sc_status sc_link(const char *linker, const char *const *objects, size_t n, const char *out, char failure[256],
                  sc_error *err);
sc_status sc_find_linker(const sc_compiler *compiler, char path[SC_PATH], sc_error *err);
double sc_compile_timeout_s(void);
size_t sc_allowed_cores(void); /* of the calling thread */

/* ---- child_source.c: the files of the runner program as text ----------------------------------------------------- */

typedef struct sc_child_file {
  const char *name, *text;
} sc_child_file;
const sc_child_file *sc_child_files(size_t *n);

/* ---- program.c, runner.c ----------------------------------------------------------------------------------------- */

/* The runner program for a machine, built when it is not in the cache yet. */
sc_status sc_program_build(const sc_machine *machine, char path[SC_PATH], sc_error *err);

typedef struct sc_runner_kind {
  const char *name; /* the machine's `runner` begins with it */
  const char *numbers; /* what they are */
  bool measures; /* they are labels */
  sc_status (*command)(const sc_runner *runner, sc_argv *argv, sc_error *err);
} sc_runner_kind;

struct sc_runner {
  const sc_runner_kind *kind;
  sc_machine machine; /* as sc_machine_here makes it */
  char program[SC_PATH];
  sc_folder work;
  int socket; /* -1 = not running */
  pid_t pid;
  int ncores;
  int32_t core[SC_WIRE_THREADS]; /* cores to measure on, best first */
  struct sc_references *references;
};
/* What a request needs of every machine: magic, cores, limits. */
void sc_request_init(const sc_runner *runner, sc_wire_kind kind, sc_wire_request *request);
/* One request and its reply; (re)starts the program where necessary. `between` answers the messages before the last
 * one; NULL = none are expected. A program that dies on it is a reply with outcome SC_WIRE_CRASHED. */
typedef void sc_between_fn(void *user, const sc_wire_reply *message);
sc_status sc_runner_ask(sc_runner *runner, const sc_wire_request *request, sc_between_fn *between, void *user,
                        sc_wire_reply *reply, sc_error *err);

/* ---- reference.c ------------------------------------------------------------------------------------------------- */

typedef struct sc_references sc_references;
sc_references *sc_references_new(void);
void sc_references_free(sc_references *references);
/* The data file of a task: contents of every tensor before the run, and of the written ones after it; fills `tensor`
 * and `data` of the request. Computed once per task and seed, in the runner's work folder. */
sc_status sc_references_get(sc_references *references, const sc_folder *work, const sc_task *task, uint64_t seed,
                            sc_wire_request *request, sc_error *err);
/* What the operator makes of filled tensors, by the fastest way there is. */
sc_status sc_run_reference(const sc_folder *work, const sc_task *task, void *const *tensors, sc_error *err);

/* ---- measure.c --------------------------------------------------------------------------------------------------- */

typedef enum sc_check { SC_CHECK_NONE, SC_CHECK_RESULT, SC_CHECK_GUARDED } sc_check;
int sc_nest_threads(const sc_runner *runner, const sc_nest *nest, const sc_measure_options *options);
sc_status sc_visit(sc_runner *runner, const sc_task *task, const sc_built *built, int threads, sc_check check,
                   const sc_measure_options *options, sc_measured *out, sc_error *err);
/* Readings of the two reference kernels, ns: arithmetic, memory. */
sc_status sc_read_clocks(sc_runner *runner, double ns[2], sc_error *err);

/* ---- counters.c -------------------------------------------------------------------------------------------------- */

typedef struct sc_counters sc_counters;
/* Comma-separated names; NULL when none of them can be had. Why not is said of each in `missing`, one a line. */
sc_counters *sc_counters_open(const char *events, char *missing, size_t size);
void sc_counters_attach(sc_counters *counters, pid_t pid);
void sc_counters_start(sc_counters *counters);
/* Values per call; bit i of the mask: value[i] is valid; adds to out->counters_missing what did not count. */
void sc_counters_stop(sc_counters *counters, uint32_t calls, sc_measured *out);
void sc_counters_close(sc_counters *counters);

#endif
