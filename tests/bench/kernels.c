/* bench_kernels: the best schedules of generated code against OpenBLAS, oneDNN and onnxruntime, on one core, and two cores
 * against one. All that is compared is timed in turns in one process. Schedules are drawn uniformly from an expert's space
 * (kernels/OPERATOR.space) or, with --space, from the operator's own.
 *
 *   bench_kernels [--machine NAME] [--compiler NAME] [-n SCHEDULES] [--rounds N] [--space] [TASK [SCHEDULE ...] ...]
 *   bench_kernels [--machine NAME] [--compiler NAME] [--rounds N] --pick MODEL TASK ...
 *
 * Without tasks: the goals, with a verdict each. Schedules behind a task (they begin with "tile") are compared instead;
 * with --pick it is the one that the model picks without a measurement.
 * SIGPIPE is ignored, as a peer may be a child that ends. */
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sampler/sampler.h"
#include "tests/bench/kernels/bench.h"

typedef enum goal { MATMUL, CONVOLUTION, DEPTHWISE, GOALS } goal;

static const struct {
  const char *text;
  double ratio;
} goals[GOALS] = {
    [MATMUL] = {"matmul 512^3 and 1024^3 against OpenBLAS, each", 1.05},
    [CONVOLUTION] = {"3x3 layers of ResNet-18 against oneDNN, each", 1.0},
    [DEPTHWISE] = {"depthwise layers of MobileNetV2 against the best of oneDNN and onnxruntime, geometric mean", 1.4},
};

static const struct {
  goal goal;
  bool two; /* large enough that two threads should be 1.9 times as fast */
  const char *task;
} cases[] = {
    {MATMUL, true, "matmul:M=512,N=512,K=512"},
    {MATMUL, true, "matmul:M=1024,N=1024,K=1024"},
    {MATMUL, false, "matmul:M=512,N=512,K=512,weights=run"},
    {MATMUL, false, "matmul:M=1024,N=1024,K=1024,weights=run"},
    {CONVOLUTION, true, "conv2d:H=56,W=56,C=64,K=64,R=3,S=3,pad=1"},
    {CONVOLUTION, false, "conv2d:H=56,W=56,C=64,K=128,R=3,S=3,stride=2,pad=1"},
    {CONVOLUTION, true, "conv2d:H=28,W=28,C=128,K=128,R=3,S=3,pad=1"},
    {CONVOLUTION, false, "conv2d:H=28,W=28,C=128,K=256,R=3,S=3,stride=2,pad=1"},
    {CONVOLUTION, true, "conv2d:H=14,W=14,C=256,K=256,R=3,S=3,pad=1"},
    {CONVOLUTION, false, "conv2d:H=14,W=14,C=256,K=512,R=3,S=3,stride=2,pad=1"},
    {CONVOLUTION, false, "conv2d:H=7,W=7,C=512,K=512,R=3,S=3,pad=1"},
    {DEPTHWISE, false, "depthwise:H=112,W=112,C=32,R=3,S=3,pad=1"},
    {DEPTHWISE, false, "depthwise:H=112,W=112,C=96,R=3,S=3,stride=2,pad=1"},
    {DEPTHWISE, false, "depthwise:H=56,W=56,C=144,R=3,S=3,pad=1"},
    {DEPTHWISE, false, "depthwise:H=56,W=56,C=144,R=3,S=3,stride=2,pad=1"},
    {DEPTHWISE, false, "depthwise:H=28,W=28,C=192,R=3,S=3,pad=1"},
    {DEPTHWISE, false, "depthwise:H=28,W=28,C=192,R=3,S=3,stride=2,pad=1"},
    {DEPTHWISE, false, "depthwise:H=14,W=14,C=384,R=3,S=3,pad=1"},
    {DEPTHWISE, false, "depthwise:H=14,W=14,C=576,R=3,S=3,pad=1"},
    {DEPTHWISE, false, "depthwise:H=14,W=14,C=576,R=3,S=3,stride=2,pad=1"},
    {DEPTHWISE, false, "depthwise:H=7,W=7,C=960,R=3,S=3,pad=1"},
};

typedef struct bench {
  sc_arena *arena;
  const sc_library *library;
  sc_machine machine;
  const sc_compiler *compiler;
  int most, rounds;
  bool space;
  double log_ratio[GOALS], worst[GOALS], worst_two;
  int count[GOALS];
} bench;

static void fatal(const char *what, const char *detail) {
  fprintf(stderr, "%s: %s\n", what, detail);
  exit(1);
}

/* ---- candidates ---- */

typedef struct drawn {
  const sc_task *task;
  candidates *c;
} drawn;

static sc_status take(void *user, const sc_schedule *schedule) {
  drawn *d = user;
  sc_str text = {0};
  if (d->c->n == BENCH_MAX) return SC_OK;
  sc_schedule_print(d->task, schedule, &text);
  snprintf(d->c->text[d->c->n++], BENCH_NAME, "%s", sc_str_text(&text));
  sc_str_free(&text);
  return SC_OK;
}

static void draw(const bench *b, const sc_task *task, candidates *c) {
  const sc_space *space;
  sc_space_bound *bound;
  sc_error err = {0};
  char force[64], path[4096];
  drawn d = {.task = task, .c = c};
  snprintf(force, sizeof force, "force compile %s", b->compiler->name);
  snprintf(path, sizeof path, "%s/%s.space", SC_BENCH_FOLDER, task->op);
  sc_space_options options = {.threads = 1, .force = force};
  c->n = 0;
  if ((b->space ? sc_space_default(b->arena, task, &space, &err) : sc_space_load(b->arena, path, &space, &err)) !=
          SC_OK ||
      sc_space_bind(space, task, &b->machine, &options, &bound, &err) != SC_OK ||
      sc_space_sample(bound, SC_SAMPLE_UNIFORM, (size_t)b->most, 1, take, &d, &err) != SC_OK)
    fatal(task->text, err.text);
  sc_space_unbind(bound);
}

/* ---- one task ---- */

static int add_peers(const sc_task *task, void *const *tensors, subject *s) {
  int n = 0;
  bool depthwise = strcmp(task->op, "depthwise") == 0;
  bool ran = strcmp(task->op, "matmul") == 0 ? peer_openblas(task, tensors, &s[n]) : peer_onednn(task, &s[n]);
  if (ran) n++;
  else printf("  left out: %s\n", s[n].name);
  if (!depthwise) return n;
  if (peer_onnxruntime(task, &s[n])) n++;
  else printf("  left out: %s\n", s[n].name);
  return n;
}

static void report(const sc_task *task, const subject *s, double peer_s) {
  printf("  %7.1f GFLOP/s best, %7.1f median, spread %4.1f %%", task->flop / s->best_s / 1e9,
         task->flop / s->median_s / 1e9, 100 * s->spread);
  if (peer_s > 0) printf(", %5.3f times the best library", peer_s / s->best_s);
  printf("  %s\n", s->name);
}

void check_results(const sc_task *task, const subject *s, int n, void *const *tensors) {
  int out = task->access[0].tensor;
  uint64_t first = subject_result(&s[0], &task->tensor[out], tensors[out]);
  for (int i = 1; i < n; i++)
    if (subject_result(&s[i], &task->tensor[out], tensors[out]) != first) fatal("results differ", s[i].name);
}

/* The finalists with their outer loops parallel, two threads against the best of one. */
static double two_threads(const bench *b, const sc_task *task, void *const *tensors, const subject *finalists, int n) {
  static candidates c;
  subject s[16];
  bool matmul = strcmp(task->op, "matmul") == 0;
  c.n = 0;
  for (int i = 0; i < n && i < 6; i++) {
    snprintf(c.text[c.n++], BENCH_NAME, "%.380s; parallel %s", finalists[i].name, matmul ? "i 3" : "p 2");
    snprintf(c.text[c.n++], BENCH_NAME, "%.380s; parallel %s", finalists[i].name, matmul ? "j 2" : "k 2");
  }
  int m = compile_all(task, &c, b->compiler, tensors, 2, s);
  if (m == 0) return 0;
  m = keep_best(s, m, 4, 0.01);
  s[m] = finalists[0];
  check_results(task, s, m + 1, tensors);
  time_in_turns(s, m + 1, 3 * b->rounds, 0.002);
  int best = 0;
  for (int i = 1; i < m; i++)
    if (s[i].best_s < s[best].best_s) best = i;
  printf("  two threads: %.3f times one (%.1f against %.1f GFLOP/s)  %s\n", s[m].best_s / s[best].best_s,
         task->flop / s[best].best_s / 1e9, task->flop / s[m].best_s / 1e9, s[best].name);
  return s[m].best_s / s[best].best_s;
}

/* `own`: nown schedules to compare instead of drawn ones. */
static double run_task(bench *b, const char *text, char *const *own, int nown, bool two, double *two_ratio) {
  enum { FINALISTS = 6 };
  static subject s[BENCH_MAX + FINALISTS];
  static candidates c;
  const sc_task *task;
  sc_error err = {0};
  void *tensors[SC_MAX_TENSORS] = {0};
  if (sc_task_parse(b->arena, b->library, text, &task, &err) != SC_OK) fatal(text, err.text);
  for (int t = 0; t < task->ntensors; t++) tensors[t] = bench_alloc((size_t)task->tensor[t].elems * 4);
  sc_fill_buffers(task, tensors, 1);
  c.n = 0;
  for (int i = 0; i < nown && c.n < BENCH_MAX; i++) snprintf(c.text[c.n++], BENCH_NAME, "%s", own[i]);
  if (nown == 0) draw(b, task, &c);
  int n = compile_all(task, &c, b->compiler, tensors, 1, s);
  if (n == 0) fatal(text, "no schedule");
  printf("%s: %d schedules\n", text, n);
  n = keep_best(s, n, FINALISTS, 0.001);
  int peers = add_peers(task, tensors, s + n);
  /* OpenBLAS writes the same tensor */
  check_results(task, s, n + (strcmp(task->op, "matmul") == 0 ? peers : 0), tensors);
  time_in_turns(s, n + peers, b->rounds, 0.002);
  double peer_s = 0;
  for (int i = 0; i < nown && i < n; i++) report(task, &s[i], 0);
  for (int i = n; i < n + peers; i++) {
    report(task, &s[i], 0);
    if (peer_s == 0 || s[i].best_s < peer_s) peer_s = s[i].best_s;
  }
  int best = 0;
  for (int i = 1; i < n; i++)
    if (s[i].best_s < s[best].best_s) best = i;
  report(task, &s[best], peer_s);
  double ratio = peer_s / s[best].best_s;
  subject swap = s[0];
  s[0] = s[best], s[best] = swap;
  if (two) *two_ratio = two_threads(b, task, tensors, s, n);
  fflush(stdout);
  return ratio;
}

/* ---- goals ---- */

static void run_goals(bench *b) {
  for (int g = 0; g < GOALS; g++) b->worst[g] = INFINITY;
  b->worst_two = INFINITY;
  for (size_t i = 0; i < SC_COUNT_OF(cases); i++) {
    double two = INFINITY, ratio = run_task(b, cases[i].task, NULL, 0, cases[i].two, &two);
    goal g = cases[i].goal;
    b->log_ratio[g] += log(ratio);
    b->count[g]++;
    if (ratio < b->worst[g]) b->worst[g] = ratio;
    if (two < b->worst_two) b->worst_two = two;
  }
  for (int g = 0; g < GOALS; g++) {
    double mean = exp(b->log_ratio[g] / b->count[g]), value = g == DEPTHWISE ? mean : b->worst[g];
    printf("goal %.2f: %s: worst %.3f, geometric mean %.3f: %s\n", goals[g].ratio, goals[g].text, b->worst[g], mean,
           value >= goals[g].ratio ? "reached" : "missed");
  }
  printf("goal 1.90: two threads against one on large contractions: worst %.3f: %s\n", b->worst_two,
         b->worst_two >= 1.9 ? "reached" : "missed");
}

static void load_machine(bench *b, const char *name, const char *compiler) {
  char path[4096], folder[3072];
  sc_error err = {0};
  sc_data_dir(folder, sizeof folder);
  snprintf(path, sizeof path, "%s/machines/%s.machine", folder, name);
  if (sc_machine_load(path, &b->machine, &err) != SC_OK) fatal(path, err.text);
  b->compiler = sc_machine_compiler(&b->machine, compiler);
  if (!b->compiler) fatal(path, "no such compiler");
}

int main(int argc, char **argv) {
  bool avx512 = __builtin_cpu_supports("avx512f");
  const char *model = NULL, *machine = avx512 ? "x86-64-v4" : "x86-64-v3", *compiler = "gcc";
  bench b = {.most = 120, .rounds = 50, .arena = sc_arena_new()};
  sc_error err = {0};
  int i = 1;
  signal(SIGPIPE, SIG_IGN);
  for (; i < argc && argv[i][0] == '-'; i++) {
    if (strcmp(argv[i], "--space") == 0) b.space = true;
    else if (i + 1 < argc && strcmp(argv[i], "--machine") == 0) machine = argv[++i];
    else if (i + 1 < argc && strcmp(argv[i], "--pick") == 0) model = argv[++i];
    else if (i + 1 < argc && strcmp(argv[i], "--compiler") == 0) compiler = argv[++i];
    else if (i + 1 < argc && strcmp(argv[i], "-n") == 0) b.most = atoi(argv[++i]);
    else if (i + 1 < argc && strcmp(argv[i], "--rounds") == 0) b.rounds = atoi(argv[++i]);
    else fatal(argv[i], "no such option");
  }
  if (b.most < 1 || b.most > BENCH_MAX) b.most = BENCH_MAX;
  if (b.rounds < 1) b.rounds = 1;
  load_machine(&b, machine, compiler);
  settle_environment(argv, b.compiler->vector_bytes == 64);
  printf("# %s %s\n", b.compiler->command, b.compiler->arguments);
  pin_to_core(0);
  if (!b.arena || sc_library_load(b.arena, NULL, &b.library, &err) != SC_OK) fatal("operators", err.text);
  if (model) {
    char kernels[4096], folder[3072];
    sc_data_dir(folder, sizeof folder);
    snprintf(kernels, sizeof kernels, "%s/machines/%s.kernels", folder, machine);
    bench_picks(&(pick_bench){b.arena, b.library, &b.machine, b.compiler, model, kernels, b.rounds}, argv + i,
                argc - i);
  } else if (i == argc) run_goals(&b);
  while (!model && i < argc) {
    double two;
    int n = 0;
    while (i + 1 + n < argc && strncmp(argv[i + 1 + n], "tile", 4) == 0) n++;
    run_task(&b, argv[i], argv + i + 1, n, true, &two);
    i += n + 1;
  }
  sc_arena_free(b.arena);
  return 0;
}
