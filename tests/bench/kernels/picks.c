/* Head to head: the schedule that a model picks without a measurement against the libraries. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "predictor/predictor.h"
#include "tests/bench/kernels/bench.h"

enum { PEERS = 3, DRAWS = 10000 };
static const char *const peers[PEERS] = {"OpenBLAS", "oneDNN", "onnxruntime"};

typedef struct standing {
  const pick_bench *b;
  sc_model *model;
  sc_kernel_table *kernels;
  int n[PEERS];
  double *log_ratio[PEERS]; /* of each task: log(time of the library / ours) */
  double pick_s; /* of all picks */
} standing;

static void fatal(const char *what, const char *detail) {
  fprintf(stderr, "%s: %s\n", what, detail);
  exit(1);
}

static void pick(standing *st, const sc_task *task, candidates *c) {
  const pick_bench *b = st->b;
  const sc_space *space;
  sc_space_bound *bound = NULL;
  sc_pick picked;
  sc_error err = {0};
  sc_str text = {0};
  char force[64];
  snprintf(force, sizeof force, "force compile %s", b->compiler->name);
  const sc_space_options options = {.threads = 1, .force = force, .kernels = st->kernels};
  const sc_target target = {b->machine, st->kernels, 1};
  const double begin = sc_now_s();
  if (sc_space_default(b->arena, task, &space, &err) != SC_OK ||
      sc_space_bind(space, task, b->machine, &options, &bound, &err) != SC_OK ||
      sc_model_pick(st->model, bound, task, &target, NULL, 1, &picked, NULL, &err) != SC_OK)
    fatal(task->text, err.text);
  st->pick_s += sc_now_s() - begin;
  sc_space_unbind(bound);
  sc_schedule_print(task, &picked.schedule, &text);
  snprintf(c->text[0], BENCH_NAME, "%s", sc_str_text(&text));
  c->n = 1;
  sc_str_free(&text);
}

/* Which library is at s[1 + i] goes to which[i]. */
static int add_peers(const sc_task *task, void *const *tensors, subject *s, int *which) {
  const bool matmul = strcmp(task->op, "matmul") == 0;
  int n = 0;
  for (int p = 0; p < PEERS; p++) {
    if (matmul ? p == 1 : p == 0) continue;
    const bool ran = p == 0   ? peer_openblas(task, tensors, &s[1 + n])
                     : p == 1 ? peer_onednn(task, &s[1 + n])
                              : peer_onnxruntime(task, &s[1 + n]);
    if (ran) which[n++] = p;
    else printf("  left out: %s\n", s[1 + n].name);
  }
  return n;
}

static void one_task(standing *st, const char *text) {
  static candidates c;
  subject s[1 + PEERS];
  int which[PEERS];
  const sc_task *task;
  sc_error err = {0};
  void *tensors[SC_MAX_TENSORS] = {0};
  if (sc_task_parse(st->b->arena, st->b->library, text, &task, &err) != SC_OK) fatal(text, err.text);
  for (int t = 0; t < task->ntensors; t++) tensors[t] = bench_alloc((size_t)task->tensor[t].elems * 4);
  sc_fill_buffers(task, tensors, 1);
  pick(st, task, &c);
  if (compile_all(task, &c, st->b->compiler, tensors, 1, s) == 0) fatal(text, "the pick does not compile");
  const int n = add_peers(task, tensors, s, which);
  check_results(task, s, 1 + (n > 0 && which[0] == 0), tensors); /* OpenBLAS writes the same tensor */
  time_in_turns(s, 1 + n, st->b->rounds, 0.002);
  printf("%-48s %7.1f GFLOP/s, spread %4.1f %%", text, task->flop / s[0].best_s / 1e9, 100 * s[0].spread);
  for (int i = 0; i < n; i++) {
    if (s[1 + i].best_s > 1e8) fatal(s[1 + i].name, "no longer answers");
    const double ratio = s[1 + i].best_s / s[0].best_s;
    st->log_ratio[which[i]][st->n[which[i]]++] = log(ratio);
    printf("  %.3f x %s", ratio, s[1 + i].name);
  }
  printf("\n");
  fflush(stdout);
}

static int by_value(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Geometric mean with its 95 % interval: tasks drawn with replacement. */
static void summarise(const char *peer, const double *log_ratio, int n) {
  static double drawn[DRAWS];
  double sum = 0, worst = INFINITY;
  int ahead = 0;
  sc_rng rng;
  sc_rng_seed(&rng, 1, 0);
  for (int i = 0; i < n; i++) {
    sum += log_ratio[i];
    ahead += log_ratio[i] >= 0;
    worst = fmin(worst, log_ratio[i]);
  }
  for (int d = 0; d < DRAWS; d++) {
    double draw = 0;
    for (int i = 0; i < n; i++) draw += log_ratio[sc_rng_below(&rng, (uint64_t)n)];
    drawn[d] = draw / n;
  }
  qsort(drawn, DRAWS, sizeof *drawn, by_value);
  printf("%s: %d tasks, geometric mean %.3f [%.3f-%.3f], ahead in %d, worst %.3f\n", peer, n, exp(sum / n),
         exp(drawn[DRAWS / 40]), exp(drawn[DRAWS - DRAWS / 40 - 1]), ahead, exp(worst));
}

void bench_picks(const pick_bench *b, char *const *tasks, int n) {
  standing st = {.b = b, .kernels = sc_kernel_table_new()};
  sc_error err = {0};
  if (n == 0) fatal("--pick", "no task is named");
  if (!st.kernels || sc_kernel_table_load(st.kernels, b->kernels, &err) != SC_OK) fatal(b->kernels, err.text);
  if (sc_model_load(b->model, &st.model, &err) != SC_OK) fatal(b->model, err.text);
  for (int p = 0; p < PEERS; p++)
    if ((st.log_ratio[p] = calloc((size_t)n + 1, sizeof **st.log_ratio)) == NULL) fatal(b->model, "out of memory");
  for (int i = 0; i < n; i++) one_task(&st, tasks[i]);
  for (int p = 0; p < PEERS; p++) {
    if (st.n[p] > 0) summarise(peers[p], st.log_ratio[p], st.n[p]);
    free(st.log_ratio[p]);
  }
  printf("picks took %.2f s a task\n", st.pick_s / (n > 0 ? n : 1));
  sc_model_free(st.model);
  sc_kernel_table_free(st.kernels);
}
