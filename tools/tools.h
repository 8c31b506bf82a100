/* What the verbs of schedcast share: the table that describes a verb, its options and help; the context they run in;
 * progress, interruption, pictures. One verb is one file: a table of options, a struct they fill, and a run
 * function. */
#ifndef SC_TOOLS_H
#define SC_TOOLS_H

#include "tuner/tuner.h"

/* ---- a verb and its options ---- */

typedef enum option_kind {
  OPTION_FLAG,
  OPTION_TEXT,
  OPTION_COUNT,
  OPTION_REAL,
  OPTION_LIST,
  OPTION_CHOICE
} option_kind;
enum { LIST_MAX = 32 };
typedef struct text_list { /* OPTION_LIST: may be given again and again */
  int n;
  const char *text[LIST_MAX];
} text_list;

/* FLAG fills a bool, TEXT a const char *, COUNT an int64_t, REAL a double, LIST a text_list, CHOICE an int. */
typedef struct option {
  const char *name;
  char letter; /* 0 = none */
  option_kind kind;
  size_t offset; /* in the verb's struct */
  const char *argument, *help; /* "FILE"; NULL for a flag */
  const void *values; /* CHOICE: const char *const[], ends with NULL; COUNT: option_range or NULL, REAL: option_range */
} option;
typedef struct option_range {
  double least, most;
} option_range;
#define OPTION_RANGE(least, most) (&(const option_range){least, most})
enum { MOST_THREADS = 256 }; /* of what the harness runs */

typedef struct tool tool;
typedef struct verb {
  const char *name, *summary; /* a line each */
  const char *operands; /* as in the usage line, "TASK" */
  const char *commands; /* what the first operand may be, separated by blanks; NULL: anything */
  const char *details; /* for the man page: a paragraph or more */
  const char *example; /* what to type, a line or more */
  const option *options; /* ends with name NULL */
  size_t options_size;
  const void *defaults; /* of the struct; NULL: zeros */
  int min_operands, max_operands; /* max -1: any number */
  sc_status (*run)(tool *t, const void *options, int n, char **operands);
} verb;

#define SC_VERB(name) extern const verb verb_##name;
#include "tools/verbs.def"
#undef SC_VERB
extern const verb *const verbs[]; /* ends with NULL */
const verb *verb_find(const char *name, size_t len);

/* Parses the arguments behind the verb into *options (zeroed by the caller); operands are moved to the front of argv.
 * SC_USAGE says what is wrong. *help: --help was there. */
sc_status options_parse(const verb *v, int argc, char **argv, void *options, int *noperands, bool *help, sc_error *err);
void help_print(const verb *v, sc_str *out); /* fits a screen of 80 x 24 */
void help_overview(sc_str *out);
void help_man(const verb *v, sc_str *out); /* v NULL: schedcast(1) */
void help_completion(sc_str *out); /* for bash */

#define OPTION_JSON(type) \
  { "json", 0, OPTION_FLAG, offsetof(type, json), NULL, "print JSON", NULL }
#define OPTION_MACHINE(type) \
  { "machine", 'm', OPTION_TEXT, offsetof(type, machine), "NAME", "machine file or its name; default: this one", NULL }
/* Where the rows say of which machine they are. */
#define OPTION_KERNELS_OF(type) \
  { "machine", 'm', OPTION_TEXT, offsetof(type, machine), "NAME", "whose kernel table; default: of the rows'", NULL }
extern const char *const kernel_knowledge[]; /* rates, static, none */
#define OPTION_KNOWLEDGE(type) \
  { "knowledge", 0, OPTION_CHOICE, offsetof(type, knowledge), "WHAT", "at most, of kernels", kernel_knowledge }
#define OPTION_FORCE(type) \
  { "force", 0, OPTION_LIST, offsetof(type, force), "LINE", "pin a choice: \"vector j\", \"compile gcc\"", NULL }
#define OPTION_END \
  { NULL, 0, OPTION_FLAG, 0, NULL, NULL, NULL }

/* ---- context ---- */

struct tool {
  const verb *verb;
  char **argv; /* of the process */
  sc_arena *arena;
  sc_error err;
  sc_str out; /* for stdout; flushed at the end and by tool_flush */
  sc_log log; /* to stderr */
  bool terse; /* of the library only warnings */
  const sc_library *library; /* by tool_library */
};

sc_status tool_flush(tool *t); /* out -> stdout */
void tool_say(tool *t, const char *format, ...) __attribute__((format(printf, 2, 3))); /* a line to stderr */
sc_status tool_usage(tool *t, const char *format, ...)
    __attribute__((format(printf, 2, 3))); /* SC_USAGE, with the hint */
sc_status tool_library(tool *t);
sc_status tool_task(tool *t, const char *text, const sc_task **task);
bool file_exists(const char *path);
bool text_ends(const char *text, const char *suffix); /* and more stands before it */
/* A file ("-": standard input) of any noun but a dataset, and its name in messages. */
sc_status tool_read(tool *t, const char *path, const char **where, char **text, size_t *len);
/* Can this file be made? Asked before long work. */
sc_status tool_output(tool *t, const char *path);

/* NULL: this machine. A path, or the name of a file in data/machines or the cache. Writes where the table of kernels
 * that were measured here is: beside the file, for one of data/machines in the cache. */
sc_status tool_machine(tool *t, const char *name, sc_machine *machine, char *table_path, size_t size);
/* What a prediction knows: the machine and its kernels, those that came with schedcast and those measured here. */
typedef struct platform {
  sc_machine machine;
  sc_kernel_table *kernels;
  char table_path[4096]; /* of those measured here */
} platform;
sc_status platform_open(tool *t, const char *machine, platform *p);
void platform_close(platform *p);
/* Threads that a schedule runs with when so many are asked for; 0 = as many as the machine has cores. */
int platform_threads(const platform *p, int64_t threads, const sc_schedule *schedule);
/* The kernel table to train or evaluate rows of this dataset with: of --machine, else of the rows' own: what
 * came with schedcast, and what was measured here if it is this one. No more than --knowledge allows. Warns of a
 * --machine that is not that of the rows. */
sc_status tool_kernels_of(tool *t, const char *machine, const sc_dataset *dataset, int knowledge,
                          sc_kernel_table **table);
/* `model` may be NULL: the cached (quickstart's) or shipped model of this machine, else of its ISA; SC_NOTFOUND when
 * there is none. */
sc_status tool_model(tool *t, const char *model, const sc_machine *machine, sc_model **out, char *path, size_t size);

/* The space of a task: from a file or the default one, bound. */
sc_status tool_space(tool *t, const char *space, const sc_task *task, const platform *p, const text_list *force,
                     int64_t threads, sc_space_bound **bound);

/* Schedules read from files ("-": standard input), in their order; a schedule that cannot be lowered is an error. A
 * nest is six times as large and made in a tenth of a microsecond: job_nest makes it again. */
typedef struct job {
  const sc_task *task;
  sc_schedule schedule;
  sc_origin origin;
  const char *where, *text; /* it was read, all that stands there; NULL = nowhere */
  int line;
} job;
typedef struct job_list {
  job *job;
  size_t n, cap;
} job_list;
sc_status jobs_read(tool *t, int nfiles, char **files, job_list *jobs);
/* Adds those of a text, which may be none. */
sc_status jobs_parse(tool *t, const char *where, const char *text, size_t len, job_list *jobs);
/* What compiles, rates or predicts needs a compiler that the machine has: names the place of the first job without. */
sc_status jobs_compilers(tool *t, const job_list *jobs, const sc_machine *machine);
/* Puts the place of this clause of the job, or of the job where it has none, into the error that `status` is of;
 * returns it. */
sc_status job_failed(tool *t, const job *j, const char *clause, sc_status status);
/* An illegal one is SC_ILLEGAL. */
sc_status jobs_add(tool *t, job_list *jobs, const sc_task *task, const sc_schedule *schedule, sc_origin origin);
/* For what samples: adds each schedule to the jobs; user = jobs_adding. */
typedef struct jobs_adding {
  tool *t;
  job_list *jobs;
  const sc_task *task;
  sc_origin origin;
} jobs_adding;
sc_status jobs_add_one(void *user, const sc_schedule *schedule);
void job_nest(const job *j, sc_nest *nest);
void jobs_free(job_list *jobs);
/* --shard I/N; NULL: the whole. */
sc_status shard_parse(tool *t, const char *text, sc_campaign_options *c);
/* Measures them into a dataset, with a progress bar unless the options have a progress of their own; Ctrl-C ends it in
 * order. */
sc_status jobs_measure(tool *t, const sc_machine *machine, const job_list *jobs, sc_campaign_options options,
                       sc_dataset *dataset, sc_campaign_report *report);
/* A table of tasks: lines `network<TAB>task`, '#' begins a comment. */
typedef struct listed_task {
  const char *network;
  const sc_task *task;
} listed_task;
sc_status tasks_read(tool *t, const char *path, listed_task **list, size_t *n);
/* Datasets together, in memory. */
sc_status datasets_read(tool *t, int n, char **paths, sc_dataset **dataset);

/* ---- printing ---- */

/* Prints `task` / `schedule` lines: what every tool reads. */
void print_task_line(sc_str *out, const sc_task *task);
void print_origin_line(sc_str *out, const sc_origin *origin);
void print_schedule_line(sc_str *out, const sc_task *task, const sc_schedule *schedule, const char *comment);
void print_bytes(sc_str *out, double bytes); /* "32 KiB" */
void print_prediction(sc_str *out, const sc_task *task,
                      const sc_prediction *p); /* "1.2 ms (1.1 ms .. 1.4 ms), 98 GFLOP/s" */
/* What a campaign did. */
void print_report(sc_str *out, const char *dataset, const sc_campaign_report *report, bool json);

/* JSON: a comma where one is needed, then "name": value. */
void json_key(sc_str *out, const char *name);
void json_text(sc_str *out, const char *name, const char *value);
void json_real(sc_str *out, const char *name, double value);
void json_count(sc_str *out, const char *name, uint64_t value);
void json_hash(sc_str *out, const char *name, uint64_t value);
void json_bool(sc_str *out, const char *name, bool value);
void json_item(sc_str *out); /* a comma where one is needed */
void json_prediction(sc_str *out, const sc_task *task, const sc_prediction *p); /* members of an object */
void json_metric(sc_str *out, const char *name, const sc_metric *m); /* [value, low, high] */
void json_effort(sc_str *out, const sc_pick_effort *effort); /* members of an object */

/* ---- long work ---- */

/* A bar on a terminal, a plain line every 10 s elsewhere. */
typedef struct progress {
  double shown_s;
  bool terminal, open;
} progress;
void progress_begin(progress *p);
void progress_campaign(void *user, const sc_progress *now); /* for sc_campaign_options; user = progress */
void progress_end(progress *p);

/* Ctrl-C: the first sets *interrupt_flag(), the second ends at once with 130. */
void interrupt_catch(void);
const volatile bool *interrupt_flag(void);

/* Measures the kernels of these schedules that no table knows yet, and saves those in the table of this place. */
sc_status kernels_measure(tool *t, platform *p, const job_list *jobs);
/* The k best of a scan; with `calibrate` the kernels of the 100 best are measured and they are ranked again. */
typedef struct pick_options {
  int64_t k, scan, threads;
  uint64_t seed;
  bool calibrate;
} pick_options;
sc_status pick_best(tool *t, const sc_model *model, const sc_space_bound *space, const sc_task *task, platform *p,
                    const pick_options *o, sc_pick *picks, size_t *npicks, sc_pick_effort *effort);
/* Did this model propose it? Then its interval is that of picks, wherever the schedule was read. */
bool job_picked(const job *j, const sc_model *model);
/* Predictions of jobs, which may be of several tasks, serial and parallel, picked and others mixed. */
sc_status jobs_predict(tool *t, const sc_model *model, const platform *p, int64_t threads, const job_list *jobs,
                       sc_prediction *out);
/* The name of a nest's functions: op_12345678. */
void emit_name(const sc_task *task, const sc_nest *nest, char *name, size_t size);
/* Writes a schedule as a C file ("-": stdout); its functions begin with name, or a name of the task's when NULL. */
sc_status emit_file(tool *t, const sc_task *task, const sc_schedule *schedule, const sc_machine *machine,
                    const char *name, const char *path);

/* Adds a string as gnuplot wants it. */
void picture_quote(sc_str *s, const char *text);
/* Runs a script of gnuplot's and frees it. */
sc_status picture_run(tool *t, sc_str *script);
/* The first lines of a script, and predicted against measured times as one plot of it. */
void picture_begin(sc_str *s, int width, int height, const char *path);
void picture_scatter(sc_str *s, const sc_rows *rows, const double *predicted_s);
/* Predicted against measured times as a PNG, through gnuplot. */
sc_status picture_draw(tool *t, const char *path, const char *title, const sc_rows *rows, const double *predicted_s);
/* Runs a program without a shell; input and output may be NULL (nothing; thrown away). SC_NOTFOUND: it is not
 * installed, SC_EXTERNAL: it ended with another status than 0. */
sc_status run_program(tool *t, const char *const *argv, const char *input, sc_str *output);

#endif
