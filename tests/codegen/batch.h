/* What the tests of generated code share: many schedules compiled as one shared object, and one of them run in
 * exact-size buffers between guard pages by some threads. */
#ifndef TESTS_CODEGEN_BATCH_H
#define TESTS_CODEGEN_BATCH_H

#include <dlfcn.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "codegen/codegen.h"

#if defined(__SANITIZE_ADDRESS__)
#define BATCH_SANITIZE " -fsanitize=address,undefined -fno-sanitize-recover=all"
#else
#define BATCH_SANITIZE ""
#endif

enum { BATCH_MAX = 256, BATCH_MAX_KERNELS = 8192 };

typedef struct batch {
  char folder[64];
  int count, nkernels;
  uint64_t kernel[BATCH_MAX_KERNELS]; /* already in the text */
  sc_str text;
  const sc_task *task[BATCH_MAX];
  sc_schedule schedule[BATCH_MAX];
  sc_nest nest[BATCH_MAX];
  void *handle;
} batch;

typedef struct code {
  size_t (*ahead_bytes)(void);
  void (*ahead)(void *const *, void *);
  size_t (*scratch_bytes)(int);
  void (*run)(void *const *, const void *, void *, int, int, void (*)(void *), void *);
} code;

static inline void batch_begin(batch *b) {
  memset(b, 0, sizeof *b);
  snprintf(b->folder, sizeof b->folder, "/tmp/sc-codegen-XXXXXX");
  assert_non_null(mkdtemp(b->folder));
  sc_emit_prelude(&b->text);
}

/* Lowers and emits; prototypes and kernels that the batch has already are left out. */
static inline void batch_add(batch *b, const sc_task *task, const sc_schedule *schedule) {
  sc_error err = {0};
  sc_kernel *kernels = malloc(64 * sizeof *kernels);
  char name[16];
  int i = b->count++;
  assert_in_range(i, 0, BATCH_MAX - 1);
  b->task[i] = task;
  b->schedule[i] = *schedule;
  if (sc_lower(task, schedule, &b->nest[i], &err) != SC_OK) fail_msg("%s", err.text);
  int n = sc_nest_kernels(task, &b->nest[i], kernels, 64);
  assert_in_range(n, 1, 64);
  for (int k = 0; k < n; k++) {
    uint64_t hash = sc_kernel_hash(&kernels[k], false);
    int j = 0;
    while (j < b->nkernels && b->kernel[j] != hash) j++;
    if (j < b->nkernels) continue;
    assert_in_range(j, 0, BATCH_MAX_KERNELS - 1);
    b->kernel[b->nkernels++] = hash;
    if (sc_emit_kernel(&kernels[k], "", &b->text, &err) != SC_OK) fail_msg("%s", err.text);
  }
  snprintf(name, sizeof name, "f%d", i);
  if (sc_emit_nest(task, &b->nest[i], name, "", &b->text, &err) != SC_OK) fail_msg("%s", err.text);
  free(kernels);
}

static inline void batch_compile(batch *b, const char *flags) {
  char command[1024], source[96];
  sc_error err = {0};
  const char *cc = getenv("SC_TEST_CC") ? getenv("SC_TEST_CC") : "gcc";
  snprintf(source, sizeof source, "%s/batch.c", b->folder);
  if (sc_file_write_atomic(source, b->text.text, b->text.len, &err) != SC_OK) fail_msg("%s", err.text);
  snprintf(command, sizeof command,
           "%s -std=gnu11 -Wall -Wextra -Werror %s -ffp-contract=fast -fPIC -shared -o %s/batch.so %s", cc, flags,
           b->folder, source);
  if (system(command) != 0) fail_msg("%s", command);
  snprintf(command, sizeof command, "%s/batch.so", b->folder);
  b->handle = dlopen(command, RTLD_NOW | RTLD_LOCAL);
  if (!b->handle) fail_msg("%s", dlerror());
}

static inline void batch_end(batch *b) {
  char path[96];
  if (b->handle) dlclose(b->handle);
  snprintf(path, sizeof path, "%s/batch.c", b->folder);
  if (!getenv("SC_KEEP")) unlink(path);
  snprintf(path, sizeof path, "%s/batch.so", b->folder);
  if (!getenv("SC_KEEP")) unlink(path);
  rmdir(b->folder);
  sc_str_free(&b->text);
}

static inline code batch_code(const batch *b, int i) {
  code c;
  char name[32];
  void **slot[] = {(void **)(void *)&c.ahead_bytes, (void **)(void *)&c.ahead, (void **)(void *)&c.scratch_bytes,
                   (void **)(void *)&c.run};
  const char *suffix[] = {"ahead_bytes", "ahead", "scratch_bytes", "run"};
  for (int k = 0; k < 4; k++) {
    snprintf(name, sizeof name, "f%d_%s", i, suffix[k]);
    *slot[k] = dlsym(b->handle, name);
    assert_non_null(*slot[k]);
  }
  return c;
}

/* ---- memory that ends at a page nobody may touch ---- */

typedef struct guarded {
  void *map, *at;
  size_t mapped;
} guarded;

static inline guarded guarded_new(size_t bytes, size_t align) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE), rounded = (bytes + align - 1) / align * align,
         body = (rounded + page - 1) / page * page;
  guarded g = {.mapped = body + 2 * page};
  g.map = mmap(NULL, g.mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  assert_true(g.map != MAP_FAILED);
  mprotect(g.map, page, PROT_NONE);
  mprotect((char *)g.map + page + body, page, PROT_NONE);
  g.at = (char *)g.map + page + body - rounded;
  return g;
}

static inline void guarded_free(guarded *g) { munmap(g->map, g->mapped); }

/* ---- a team of threads ---- */

typedef struct team {
  const code *code;
  void **tensors;
  void *ahead, *scratch;
  int nt;
  pthread_barrier_t barrier;
} team;

typedef struct member {
  team *team;
  int tid;
} member;

static inline void team_wait(void *context) { pthread_barrier_wait(context); }

static inline void *team_member(void *context) {
  member *m = context;
  team *t = m->team;
  t->code->run(t->tensors, t->ahead, t->scratch, m->tid, t->nt, team_wait, &t->barrier);
  return NULL;
}

static inline void team_run(const code *c, void **tensors, void *ahead, void *scratch, int nt) {
  team t = {.code = c, .tensors = tensors, .ahead = ahead, .scratch = scratch, .nt = nt};
  pthread_t thread[8];
  member m[8];
  pthread_barrier_init(&t.barrier, NULL, (unsigned)nt);
  for (int i = 0; i < nt; i++) {
    m[i] = (member){&t, i};
    if (i > 0) pthread_create(&thread[i], NULL, team_member, &m[i]);
  }
  team_member(&m[0]);
  for (int i = 1; i < nt; i++) pthread_join(thread[i], NULL);
  pthread_barrier_destroy(&t.barrier);
}

/* Runs schedule i of the batch with nt threads on guarded copies of `inputs`, and compares tensor by tensor. */
static inline void batch_check(const batch *b, int i, int nt, void *const *inputs, void *const *expected) {
  const sc_task *task = b->task[i];
  code c = batch_code(b, i);
  guarded tensor[SC_MAX_TENSORS], ahead = guarded_new(c.ahead_bytes() + 1, 64),
                                  scratch = guarded_new(c.scratch_bytes(nt) + 1, 64);
  void *tensors[SC_MAX_TENSORS];
  for (int t = 0; t < task->ntensors; t++) {
    size_t bytes = (size_t)task->tensor[t].elems * 4;
    tensor[t] = guarded_new(bytes, 4);
    tensors[t] = tensor[t].at;
    memcpy(tensors[t], inputs[t], bytes);
  }
  memset(ahead.at, 0xff, c.ahead_bytes()); /* NaN */
  memset(scratch.at, 0xff, c.scratch_bytes(nt));
  c.ahead(tensors, ahead.at);
  team_run(&c, tensors, ahead.at, scratch.at, nt);
  for (int t = 0; t < task->ntensors; t++) {
    if (memcmp(tensors[t], expected[t], (size_t)task->tensor[t].elems * 4) == 0) continue;
    sc_str text = {0};
    sc_schedule_print(task, &b->schedule[i], &text);
    fprintf(stderr, "task %s\nschedule %s\n%d threads: %s differs\n", task->text, sc_str_text(&text), nt,
            task->tensor[t].name);
    for (int64_t k = 0, shown = 0; k < task->tensor[t].elems && shown < 8; k++) {
      float x = ((float *)tensors[t])[k], y = ((float *)expected[t])[k];
      if (memcmp(&x, &y, 4) != 0)
        fprintf(stderr, "  [%lld] %g, expected %g\n", (long long)k, (double)x, (double)y), shown++;
    }
    sc_str_free(&text);
    fail();
  }
  for (int t = 0; t < task->ntensors; t++) guarded_free(&tensor[t]);
  guarded_free(&ahead);
  guarded_free(&scratch);
}

#endif
