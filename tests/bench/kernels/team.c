/* Two threads, each pinned to a core, run one nest call after call between spinning barriers. */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "tests/bench/kernels/bench.h"

void pin_to_core(int number) {
  cpu_set_t all, one;
  CPU_ZERO(&one);
  if (sched_getaffinity(0, sizeof all, &all) != 0) return;
  for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
    if (CPU_ISSET(cpu, &all) && number-- == 0) CPU_SET(cpu, &one);
  if (CPU_COUNT(&one)) pthread_setaffinity_np(pthread_self(), sizeof one, &one);
}

typedef struct team {
  const compiled *work;
  atomic_int arrived, generation;
  bool stop;
  cpu_set_t cpus;
} team;

static void wait_all(void *context) {
  team *t = context;
  int generation = atomic_load_explicit(&t->generation, memory_order_acquire);
  if (atomic_fetch_add_explicit(&t->arrived, 1, memory_order_acq_rel) == 1) {
    atomic_store_explicit(&t->arrived, 0, memory_order_relaxed);
    atomic_store_explicit(&t->generation, generation + 1, memory_order_release);
    return;
  }
  while (atomic_load_explicit(&t->generation, memory_order_acquire) == generation) __builtin_ia32_pause();
}

static void work(team *t, int tid) {
  const compiled *c = t->work;
  c->run(c->tensors, c->ahead, c->scratch, tid, 2, wait_all, t);
}

static void *second(void *context) {
  team *t = context;
  pthread_setaffinity_np(pthread_self(), sizeof t->cpus, &t->cpus);
  pin_to_core(1);
  for (;;) {
    wait_all(t);
    if (t->stop) return NULL;
    work(t, 1);
    wait_all(t);
  }
}

double time_team(void *self, double at_least_s) {
  team t = {.work = self};
  cpu_set_t mine;
  pthread_t thread;
  sched_getaffinity(0, sizeof mine, &mine);
  CPU_ZERO(&t.cpus);
  for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) CPU_SET(cpu, &t.cpus); /* the kernel drops those we may not use */
  if (pthread_create(&thread, NULL, second, &t) != 0) abort();
  double begin = 0, took = 0;
  int n = -1; /* the first call warms */
  do {
    wait_all(&t);
    work(&t, 0);
    wait_all(&t);
    if (n++ < 0) begin = sc_now_s();
    took = sc_now_s() - begin;
  } while (n < 1 || took < at_least_s);
  t.stop = true;
  wait_all(&t);
  pthread_join(thread, NULL);
  return took / n;
}
