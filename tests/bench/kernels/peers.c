/* The libraries: OpenBLAS, loaded with the core type that is fastest here, and oneDNN. */
#include <dlfcn.h>
#include <oneapi/dnnl/dnnl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bench/kernels/bench.h"

/* ---- OpenBLAS ---- */

typedef void sgemm_fn(int order, int ta, int tb, int m, int n, int k, float alpha, const float *a, int lda, const float *b, int ldb, float beta,
                      float *c, int ldc);

typedef struct gemm {
  sgemm_fn *sgemm;
  int m, n, k;
  const float *a, *b;
  float *c;
} gemm;

static void call_gemm(void *self) {
  gemm *g = self;
  g->sgemm(101, 111, 111, g->m, g->n, g->k, 1, g->a, g->k, g->b, g->n, 0, g->c, g->n);
}

static void *openblas(const char *name) {
  static void *handle;
  if (!handle) handle = dlopen("libopenblas.so.0", RTLD_NOW | RTLD_LOCAL);
  return handle ? dlsym(handle, name) : NULL;
}

/* Time of a 512^3 product in this process, under the environment as it is. */
static double try_core(void) {
  gemm g = {.m = 512, .n = 512, .k = 512};
  *(void **)(void *)&g.sgemm = openblas("cblas_sgemm");
  if (!g.sgemm) return 1e9;
  g.a = bench_alloc(512 * 512 * 4), g.b = bench_alloc(512 * 512 * 4), g.c = bench_alloc(512 * 512 * 4);
  subject s = {.call = call_gemm, .self = &g};
  time_in_turns(&s, 1, 9, 0.01);
  return s.best_s;
}

void pick_openblas_core(void) {
  static const char *const cores[] = {"", "Haswell", "SkylakeX", "Zen", "Cooperlake", "Sapphirerapids"};
  double best = 1e9;
  const char *winner = "";
  setenv("OPENBLAS_NUM_THREADS", "1", 1);
  unsetenv("OPENBLAS_L2_SIZE");
  printf("# OpenBLAS 512^3 by core type:");
  fflush(stdout);
  for (size_t i = 0; i < SC_COUNT_OF(cores); i++) {
    int fd[2];
    double s = 1e9;
    if (pipe(fd) != 0) exit(1);
    pid_t child = fork();
    if (child == 0) {
      if (*cores[i]) setenv("OPENBLAS_CORETYPE", cores[i], 1);
      else unsetenv("OPENBLAS_CORETYPE");
      s = try_core();
      if (write(fd[1], &s, sizeof s) != sizeof s) _exit(1);
      _exit(0);
    }
    close(fd[1]);
    if (read(fd[0], &s, sizeof s) != sizeof s) s = 1e9;
    close(fd[0]);
    waitpid(child, NULL, 0);
    printf(" %s %.1f", *cores[i] ? cores[i] : "own-choice", 2 * 512. * 512 * 512 / s / 1e9);
    fflush(stdout);
    if (s < best) best = s, winner = cores[i];
  }
  printf(" GFLOP/s; used: %s\n", *winner ? winner : "own choice");
  if (*winner) setenv("OPENBLAS_CORETYPE", winner, 1);
  else unsetenv("OPENBLAS_CORETYPE");
}

static int gemm_peer(const sc_task *task, void *const *tensors, subject *s) {
  gemm *g = calloc(1, sizeof *g);
  memset(s, 0, sizeof *s);
  *(void **)(void *)&g->sgemm = openblas("cblas_sgemm");
  g->m = task->dim[1].size, g->n = task->dim[3].size, g->k = task->dim[2].size;
  int i = sc_task_dim(task, "i", 1), j = sc_task_dim(task, "j", 1), k = sc_task_dim(task, "k", 1);
  g->m = task->dim[i].size, g->n = task->dim[j].size, g->k = task->dim[k].size;
  g->a = tensors[0], g->b = tensors[1];
  g->c = bench_alloc((size_t)g->m * (size_t)g->n * 4);
  const char *(*core)(void);
  *(void **)(void *)&core = openblas("openblas_get_corename");
  snprintf(s->name, sizeof s->name, "OpenBLAS (%s)", core ? core() : "?");
  if (!g->sgemm) return 0;
  s->call = call_gemm;
  s->self = g;
  return 1;
}

/* ---- oneDNN ---- */

typedef struct onednn {
  dnnl_engine_t engine;
  dnnl_stream_t stream;
  dnnl_primitive_t primitive;
  dnnl_exec_arg_t args[3];
} onednn;

#define DNNL(call) \
  if ((call) != dnnl_success) return snprintf(s->name, sizeof s->name, "oneDNN: %s", #call), 0

static void call_onednn(void *self) {
  onednn *o = self;
  dnnl_primitive_execute(o->primitive, o->stream, 3, o->args);
  dnnl_stream_wait(o->stream);
}

/* In whatever layouts oneDNN likes best, with the data already there: it pays for no reorder. */
static int conv_peer(const sc_task *task, subject *s) {
  onednn *o = calloc(1, sizeof *o);
  const sc_pad *h = NULL, *w = NULL;
  bool depthwise = strcmp(task->op, "depthwise") == 0;
  memset(s, 0, sizeof *s);
  const sc_access *x = &task->access[1];
  const sc_tensor *in = &task->tensor[x->tensor], *out = &task->tensor[task->access[0].tensor];
  (void)h, (void)w;
  int64_t c = depthwise ? in->shape[3] : in->shape[4], k = depthwise ? c : out->shape[4];
  int r = task->dim[x->axis[1].dim[1]].size, t = task->dim[x->axis[2].dim[1]].size;
  dnnl_dims_t src = {in->shape[0], c, in->shape[1], in->shape[2]}, dst = {out->shape[0], k, out->shape[1], out->shape[2]};
  dnnl_dims_t dense = {k, c, r, t}, grouped = {c, 1, 1, r, t};
  dnnl_dims_t strides = {x->axis[1].coef[0], x->axis[2].coef[0]}, lo = {-x->axis[1].offset, -x->axis[2].offset};
  dnnl_dims_t hi = {(dst[2] - 1) * strides[0] + r - src[2] - lo[0], (dst[3] - 1) * strides[1] + t - src[3] - lo[1]};
  dnnl_memory_desc_t sd, wd, dd;
  DNNL(dnnl_engine_create(&o->engine, dnnl_cpu, 0));
  DNNL(dnnl_stream_create(&o->stream, o->engine, dnnl_stream_default_flags));
  DNNL(dnnl_memory_desc_init_by_tag(&sd, 4, src, dnnl_f32, dnnl_format_tag_any));
  DNNL(dnnl_memory_desc_init_by_tag(&wd, depthwise ? 5 : 4, depthwise ? grouped : dense, dnnl_f32, dnnl_format_tag_any));
  DNNL(dnnl_memory_desc_init_by_tag(&dd, 4, dst, dnnl_f32, dnnl_format_tag_any));
  dnnl_convolution_desc_t desc;
  DNNL(dnnl_convolution_forward_desc_init(&desc, dnnl_forward_inference, dnnl_convolution_direct, &sd, &wd, NULL, &dd, strides, lo, hi));
  dnnl_primitive_desc_t pd;
  DNNL(dnnl_primitive_desc_create(&pd, &desc, NULL, o->engine, NULL));
  DNNL(dnnl_primitive_create(&o->primitive, pd));
  const int which[] = {DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST};
  const dnnl_query_t query[] = {dnnl_query_src_md, dnnl_query_weights_md, dnnl_query_dst_md};
  for (int i = 0; i < 3; i++) {
    const dnnl_memory_desc_t *md = dnnl_primitive_desc_query_md(pd, query[i], 0);
    void *data = bench_alloc(dnnl_memory_desc_get_size(md) + 64);
    for (size_t e = 0; e < dnnl_memory_desc_get_size(md) / 4; e++) ((float *)data)[e] = (float)(e % 7);
    o->args[i].arg = which[i];
    DNNL(dnnl_memory_create(&o->args[i].memory, md, o->engine, data));
  }
  const char *impl = "?";
  dnnl_primitive_desc_query(pd, dnnl_query_impl_info_str, 0, &impl);
  snprintf(s->name, sizeof s->name, "oneDNN (%s)", impl);
  s->call = call_onednn;
  s->self = o;
  return 1;
}

int peers_of(const sc_task *task, void *const *tensors, subject *subjects) {
  return strcmp(task->op, "matmul") == 0 ? gemm_peer(task, tensors, subjects) : conv_peer(task, subjects);
}
