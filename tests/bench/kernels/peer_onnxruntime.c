/* onnxruntime, where a Python has it (SC_BENCH_PYTHON, else python3): a child that answers how long one convolution
 * or matrix product takes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/bench/kernels/bench.h"

typedef struct child {
  FILE *to, *from;
} child;

static double ask(void *self, double at_least_s) {
  child *c = self;
  double seconds = 1e9;
  fprintf(c->to, "%.6f\n", at_least_s);
  fflush(c->to);
  return fscanf(c->from, "%lf", &seconds) == 1 ? seconds : 1e9;
}

static bool start(char *const *argv, child *c) {
  int down[2], up[2];
  if (pipe(down) != 0 || pipe(up) != 0) return false;
  pid_t pid = fork();
  if (pid < 0) return false;
  if (pid == 0) {
    dup2(down[0], STDIN_FILENO);
    dup2(up[1], STDOUT_FILENO);
    for (int i = 0; i < 2; i++) close(down[i]), close(up[i]);
    execvp(argv[0], argv);
    _exit(127);
  }
  close(down[0]);
  close(up[1]);
  c->to = fdopen(down[1], "w");
  c->from = fdopen(up[0], "r");
  return c->to && c->from;
}

/* The sizes that measure_onnxruntime.py wants. */
static int sizes_of(const sc_task *task, int *value) {
  if (strcmp(task->op, "matmul") == 0) {
    const char *const dims[] = {"i", "j", "k"};
    for (int d = 0; d < 3; d++) value[d] = task->dim[sc_task_dim(task, dims[d], 1)].size;
    return 3;
  }
  const bool depthwise = strcmp(task->op, "depthwise") == 0;
  const sc_access *x = &task->access[1];
  const sc_tensor *in = &task->tensor[x->tensor], *out = &task->tensor[task->access[0].tensor];
  const int of[] = {in->shape[3],
                    depthwise ? 1 : in->shape[4],
                    depthwise ? 1 : out->shape[4],
                    in->shape[1],
                    in->shape[2],
                    task->dim[x->axis[1].dim[1]].size,
                    x->axis[1].coef[0],
                    -x->axis[1].offset};
  memcpy(value, of, sizeof of);
  return (int)SC_COUNT_OF(of);
}

bool peer_onnxruntime(const sc_task *task, subject *s) {
  char number[8][16];
  int value[8];
  static char own[] = "python3", script[] = SC_BENCH_FOLDER "/measure_onnxruntime.py";
  char *argv[11] = {getenv("SC_BENCH_PYTHON") ? getenv("SC_BENCH_PYTHON") : own, script};
  const int n = sizes_of(task, value);
  for (int i = 0; i < n; i++) {
    snprintf(number[i], sizeof number[i], "%d", value[i]);
    argv[2 + i] = number[i];
  }
  child *c = calloc(1, sizeof *c);
  *s = (subject){
      .name = "onnxruntime (no Python with onnxruntime and onnx: set SC_BENCH_PYTHON)", .time = ask, .self = c};
  if (!c || !start(argv, c)) return false;
  if (!fgets(s->name, sizeof s->name, c->from)) {
    snprintf(s->name, sizeof s->name, "onnxruntime (no Python with onnxruntime and onnx: set SC_BENCH_PYTHON)");
    return false;
  }
  s->name[strcspn(s->name, "\n")] = '\0';
  return true;
}
