/* Candidates as functions: kernels and nests of many in one translation unit, compiled as the machine file says. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/bench/kernels/bench.h"

enum { PER_UNIT = 24, MAX_KERNELS = 4096 };

void *bench_alloc(size_t bytes) {
  static size_t count;
  char *p = aligned_alloc(4096, (bytes + 4096 * 3) / 4096 * 4096);
  if (!p) abort();
  memset(p, 0, bytes);
  return p + 64 * (count++ % 16) * 5 % 4096;
}

static void no_barrier(void *context) { (void)context; }

void call_compiled(void *self) {
  compiled *c = self;
  c->run(c->tensors, c->ahead, c->scratch, 0, 1, no_barrier, NULL);
}

typedef struct unit {
  sc_str text;
  uint64_t kernel[MAX_KERNELS];
  int nkernels, first, count;
} unit;

static void fatal(const char *what) {
  fprintf(stderr, "%s\n", what);
  exit(1);
}

static bool add_candidate(unit *u, const sc_task *task, const char *text, int number, bool verbose) {
  sc_schedule schedule;
  sc_error err = {0};
  static sc_kernel kernels[64];
  sc_nest nest;
  char name[16];
  if (sc_schedule_parse(task, "candidate", text, &schedule, &err) != SC_OK || sc_lower(task, &schedule, &nest, &err) != SC_OK) {
    if (verbose) fprintf(stderr, "# %s: %s\n", text, err.text);
    return false;
  }
  int n = sc_nest_kernels(task, &nest, kernels, 64);
  for (int i = 0; i < n; i++) {
    uint64_t hash = sc_kernel_hash(&kernels[i], false);
    int j = 0;
    while (j < u->nkernels && u->kernel[j] != hash) j++;
    if (j < u->nkernels) continue;
    if (j == MAX_KERNELS) fatal("too many kernels in a unit");
    u->kernel[u->nkernels++] = hash;
    if (sc_emit_kernel(&kernels[i], "static ", &u->text, &err) != SC_OK) fatal(err.text);
  }
  snprintf(name, sizeof name, "f%d", number);
  if (sc_emit_nest(task, &nest, name, "", &u->text, &err) != SC_OK) fatal(err.text);
  return true;
}

static void *build(unit *u, const char *compiler) {
  static int serial;
  char source[64], object[64], command[512];
  sc_error err = {0};
  snprintf(source, sizeof source, "/tmp/sc-bench-%d-%d.c", (int)getpid(), serial);
  snprintf(object, sizeof object, "/tmp/sc-bench-%d-%d.so", (int)getpid(), serial++);
  if (sc_file_write_atomic(source, u->text.text, u->text.len, &err) != SC_OK) fatal(err.text);
  snprintf(command, sizeof command, "%s -fPIC -shared -o %s %s", compiler, object, source);
  if (system(command) != 0) fatal(command);
  void *handle = dlopen(object, RTLD_NOW | RTLD_LOCAL);
  if (!handle) fatal(dlerror());
  if (!getenv("SC_KEEP")) unlink(source), unlink(object);
  return handle;
}

static void *symbol(void *handle, int number, const char *suffix) {
  char name[48];
  snprintf(name, sizeof name, "f%d_%s", number, suffix);
  void *p = dlsym(handle, name);
  if (!p) fatal(name);
  return p;
}

int compile_all(const sc_task *task, const candidates *c, const char *compiler, void *const *tensors, subject *subjects, bool verbose) {
  static unit u;
  int made = 0;
  for (int i = 0; i < c->n;) {
    int member[PER_UNIT], n = 0;
    memset(&u, 0, sizeof u);
    sc_emit_prelude(&u.text);
    for (; i < c->n && n < PER_UNIT; i++)
      if (add_candidate(&u, task, c->text[i], i, verbose)) member[n++] = i;
    if (n == 0) break;
    void *handle = build(&u, compiler);
    for (int j = 0; j < n; j++) {
      compiled *k = calloc(1, sizeof *k);
      size_t (*ahead_bytes)(void), (*scratch_bytes)(int);
      void (*ahead)(void *const *, void *);
      *(void **)(void *)&ahead_bytes = symbol(handle, member[j], "ahead_bytes");
      *(void **)(void *)&scratch_bytes = symbol(handle, member[j], "scratch_bytes");
      *(void **)(void *)&ahead = symbol(handle, member[j], "ahead");
      *(void **)(void *)&k->run = symbol(handle, member[j], "run");
      k->task = task;
      memcpy(k->tensors, tensors, sizeof k->tensors);
      k->ahead = bench_alloc(ahead_bytes() + 64);
      k->scratch = bench_alloc(scratch_bytes(2) + 64);
      ahead(k->tensors, k->ahead);
      subject *s = &subjects[made++];
      memset(s, 0, sizeof *s);
      snprintf(s->name, sizeof s->name, "%s", c->text[member[j]]);
      s->call = call_compiled;
      s->self = k;
    }
    sc_str_free(&u.text);
  }
  return made;
}
