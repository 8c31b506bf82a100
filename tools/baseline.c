/* What quickstart compares with: the plain loops of a task as gcc -O3 -march=native compiles them, and OpenBLAS, loaded
 * at run time. Both run here, on one thread: the minimum of some calls. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/quickstart.h"
#include "tools/tools.h"

typedef void plain_loops(void *const *tensors);
typedef void sgemm(int order, int ta, int tb, int m, int n, int k, float alpha, const float *a, int lda, const float *b,
                   int ldb, float beta, float *c, int ldc);

static bool buffers_make(const sc_task *task, void **buffer) {
  bool ok = true;
  for (int i = 0; i < task->ntensors; i++) {
    size_t bytes = ((size_t)task->tensor[i].elems * sc_type_bytes(task->tensor[i].type) + 127) / 64 * 64;
    buffer[i] = aligned_alloc(64, bytes);
    ok = ok && buffer[i];
  }
  if (ok) sc_fill_buffers(task, buffer, 1);
  return ok;
}

static void buffers_free(const sc_task *task, void **buffer) {
  for (int i = 0; i < task->ntensors; i++) free(buffer[i]);
}

/* Minimum over calls: at least 5, at most 1 s of them. */
#define TIME_CALLS(best, call)                                                \
  do {                                                                        \
    double begin_ = sc_now_s();                                               \
    (best) = 1e30;                                                            \
    for (int i_ = 0; i_ < 200 && (i_ < 5 || sc_now_s() - begin_ < 1); i_++) { \
      double t_ = sc_now_s();                                                 \
      call;                                                                   \
      t_ = sc_now_s() - t_;                                                   \
      if (t_ < (best)) (best) = t_;                                           \
    }                                                                         \
  } while (0)

static sc_status compile(tool *t, const sc_task *task, const char *object) {
  const char *const argv[] = {"gcc", "-O3", "-march=native", "-w", "-shared", "-fPIC", "-x",
                              "c",   "-o",  object,          "-",  NULL};
  sc_str c = {0};
  sc_status status = sc_emit_reference(task, &c, &t->err);
  if (status == SC_OK) status = run_program(t, argv, sc_str_text(&c), NULL);
  sc_str_free(&c);
  return status;
}

sc_status baseline_plain(tool *t, const sc_task *task, double *seconds) {
  char folder[4096], object[4096 + 32];
  void *buffer[SC_MAX_TENSORS] = {0};
  sc_cache_dir(folder, sizeof folder);
  SC_TRY(sc_mkdirs(folder, &t->err));
  snprintf(object, sizeof object, "%s/plain-XXXXXX", folder);
  int fd = mkstemp(object);
  if (fd < 0) return sc_fail(&t->err, SC_IO, "cannot make a temporary file");
  close(fd);
  sc_status status = compile(t, task, object);
  void *handle = status == SC_OK ? dlopen(object, RTLD_NOW | RTLD_LOCAL) : NULL;
  plain_loops *loops = handle ? (plain_loops *)dlsym(handle, "sc_reference") : NULL;
  if (status == SC_OK && !loops) status = sc_fail(&t->err, SC_EXTERNAL, "cannot load the plain loops");
  if (loops && buffers_make(task, buffer)) TIME_CALLS(*seconds, loops(buffer));
  else if (loops) status = sc_fail(&t->err, SC_NOMEM, "no memory for the tensors");
  buffers_free(task, buffer);
  if (handle) dlclose(handle);
  unlink(object);
  return status;
}

/* M, N, K of C[M,N] += A[M,K] * B[K,N] in rows; false for any other task. */
static bool plain_matmul(const sc_task *task, int *m, int *n, int *k) {
  int dim[3] = {sc_task_dim(task, "i", 1), sc_task_dim(task, "j", 1), sc_task_dim(task, "k", 1)},
      batch = sc_task_dim(task, "b", 1);
  if (strcmp(task->op, "matmul") != 0 || task->nstmts != 1 || dim[0] < 0 || dim[1] < 0 || dim[2] < 0) return false;
  if (batch >= 0 && task->dim[batch].size != 1) return false;
  *m = task->dim[dim[0]].size;
  *n = task->dim[dim[1]].size;
  *k = task->dim[dim[2]].size;
  return task->access[0].stride[dim[1]] == 1 && task->access[1].stride[dim[2]] == 1 &&
         task->access[2].stride[dim[1]] == 1;
}

void baseline_settle(tool *t, const sc_machine *machine) {
  static const char widest[] = "SkylakeX"; /* a fair peer, whatever the environment says */
  const char *now = getenv("OPENBLAS_CORETYPE");
  if (strcmp(machine->isa, "x86-64-v4") != 0 || (now && strcmp(now, widest) == 0)) return;
  setenv("OPENBLAS_CORETYPE", widest, 1);
  execv("/proc/self/exe", t->argv); /* when it fails OpenBLAS chooses, and the table says what */
}

double baseline_blas(const sc_task *task, char *core, size_t size) {
  enum { ROWS = 101, PLAIN = 111 }; /* CblasRowMajor, CblasNoTrans */
  int m, n, k;
  double seconds = 0;
  void *buffer[SC_MAX_TENSORS] = {0};
  if (!plain_matmul(task, &m, &n, &k)) return 0;
  void *blas = dlopen("libopenblas.so.0", RTLD_NOW | RTLD_LOCAL);
  sgemm *multiply = blas ? (sgemm *)dlsym(blas, "cblas_sgemm") : NULL;
  void (*threads)(int) = blas ? (void (*)(int))dlsym(blas, "openblas_set_num_threads") : NULL;
  if (multiply && threads && buffers_make(task, buffer)) {
    float *a = buffer[task->access[1].tensor], *b = buffer[task->access[2].tensor], *c = buffer[task->access[0].tensor];
    threads(1);
    char *(*name)(void) = (char *(*)(void))dlsym(blas, "openblas_get_corename");
    snprintf(core, size, "%s", name ? name() : "?");
    TIME_CALLS(seconds, multiply(ROWS, PLAIN, PLAIN, m, n, k, 1, a, k, b, n, 0, c, n));
  }
  buffers_free(task, buffer);
  return seconds; /* the library stays loaded: its threads outlive a dlclose */
}
