/* The SPMD pool: nt - 1 pinned threads and the caller, a spinning barrier between them. Threads of a pool live as
 * long as the child; they wait in the barrier, so that a timed batch starts within a fraction of a microsecond. */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "child.h"

enum { SPINS = 1 << 14 }; /* then yield: there may be fewer cores than threads */

typedef struct barrier {
  _Alignas(64) atomic_uint waiting;
  _Alignas(64) atomic_uint generation;
  unsigned n;
} barrier;

struct pool {
  barrier barrier;
  int nt;
  invocation call;
  uint32_t calls;
  char *evict;
  size_t evict_bytes;
  bool stop;
  pthread_t thread[SC_WIRE_THREADS];
};

typedef struct member {
  pool *pool;
  int tid;
  int32_t core;
} member;

static inline void pause_core(void) {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#else
  __asm__ volatile("" ::: "memory");
#endif
}

static void barrier_wait(void *ctx) {
  barrier *b = ctx;
  unsigned generation = atomic_load_explicit(&b->generation, memory_order_acquire);
  if (atomic_fetch_add_explicit(&b->waiting, 1, memory_order_acq_rel) + 1 == b->n) {
    atomic_store_explicit(&b->waiting, 0, memory_order_relaxed);
    atomic_fetch_add_explicit(&b->generation, 1, memory_order_release);
    return;
  }
  for (unsigned spin = 0; atomic_load_explicit(&b->generation, memory_order_acquire) == generation; spin++) {
    if (spin < SPINS) pause_core();
    else sched_yield();
  }
}

static void no_barrier(void *ctx) { (void)ctx; }

void pin_to(int32_t core) {
  if (core < 0 || core >= CPU_SETSIZE) return;
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(core, &set);
  sched_setaffinity(0, sizeof set, &set); /* refused under qemu and in some containers: then it floats */
}

static void walk(char *buffer, size_t bytes) {
  for (size_t i = 0; i < bytes; i += 64) ((volatile char *)buffer)[i]++;
}

static void work(pool *p, int tid) {
  if (p->evict) {
    walk(p->evict + p->evict_bytes * (size_t)tid, p->evict_bytes);
    return;
  }
  const invocation *c = &p->call;
  if (p->nt == 1) {
    for (uint32_t i = 0; i < p->calls; i++) c->run(c->tensors, c->ahead, c->scratch, 0, 1, no_barrier, NULL);
    return;
  }
  for (uint32_t i = 0; i < p->calls; i++) {
    c->run(c->tensors, c->ahead, c->scratch, tid, p->nt, barrier_wait, &p->barrier);
    if (i + 1 < p->calls) barrier_wait(&p->barrier); /* the next call reads what this one wrote */
  }
}

static void together(pool *p) {
  if (p->nt > 1) barrier_wait(&p->barrier);
  work(p, 0);
  if (p->nt > 1) barrier_wait(&p->barrier);
}

static void *member_main(void *arg) {
  member *m = arg;
  pool *p = m->pool;
  int tid = m->tid;
  pin_to(m->core);
  free(m);
  watch_stack();
  for (;;) {
    barrier_wait(&p->barrier);
    if (p->stop) return NULL;
    work(p, tid);
    barrier_wait(&p->barrier);
  }
}

pool *pool_start(int nt, const int32_t *core) {
  pool *p = aligned_alloc(64, (sizeof *p + 63) / 64 * 64);
  if (!p) return NULL;
  *p = (pool){.nt = nt, .barrier.n = (unsigned)nt};
  pin_to(core[0]);
  pthread_attr_t attr;
  pthread_attr_init(&attr);
  pthread_attr_setstacksize(&attr, 1 << 20); /* counts against the memory limit */
  for (int t = 1; t < nt; t++) {
    member *m = malloc(sizeof *m);
    if (!m) return NULL;
    *m = (member){p, t, core[t]};
    if (pthread_create(&p->thread[t], &attr, member_main, m) != 0) return NULL;
  }
  pthread_attr_destroy(&attr);
  return p;
}

void pool_run(pool *p, const invocation *c, uint32_t calls) {
  p->call = *c;
  p->calls = calls;
  p->evict = NULL;
  together(p);
}

void pool_evict(pool *p, char *buffer, size_t bytes) {
  p->evict = buffer;
  p->evict_bytes = bytes / (size_t)p->nt / 64 * 64;
  together(p);
}

void pool_stop(pool *p) {
  p->stop = true;
  if (p->nt > 1) barrier_wait(&p->barrier);
  for (int t = 1; t < p->nt; t++) pthread_join(p->thread[t], NULL);
  free(p);
}
