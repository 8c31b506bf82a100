/* The runner program: a small server that forks one child per request, so that a kernel can do no harm to anyone. It
 * is compiled by the harness for each target (no part of the library is linked in), which keeps its address space
 * small and free of OpenMP and sanitizers. main.c: server; visit.c: one visit; memory.c: guarded buffers; threads.c:
 * SPMD pool; guard.c: signals, limits, system calls; clocks.c: reference clocks; gauge.c: is the core
 * all ours?; kernels.c: kernels alone. */
#ifndef SC_CHILD_H
#define SC_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol.h"

/* ---- buffers between guard pages --------------------------------------------------------------------------------- */

typedef struct region {
  char name[32];
  char *map, *data; /* the mapping with its guards; the buffer itself */
  size_t map_bytes, bytes;
  char *page; /* first and last byte of the accessible pages */
  size_t page_bytes;
} region;
enum { MAX_REGIONS = SC_WIRE_TENSORS + 3 };

/* Where a buffer stands in its pages: its end at the upper guard, its begin at the lower one, or at an offset modulo
 * 4 KiB. */
typedef enum placement { AT_END, AT_BEGIN, AT_OFFSET } placement;
bool region_make(region *r, const char *name, size_t bytes, placement place, size_t align_or_offset);
void region_free(region *r);
bool region_slack_is_clean(const region *r); /* nothing was written beside the buffer inside its pages */

/* ---- threads ----------------------------------------------------------------------------------------------------- */

typedef void run_fn(void *const *tensors, const void *ahead, void *scratch, int tid, int nt, void (*barrier)(void *),
                    void *ctx);
typedef struct functions {
  size_t (*ahead_bytes)(void);
  void (*ahead)(void *const *tensors, void *ahead);
  size_t (*scratch_bytes)(int nt);
  run_fn *run;
} functions;
typedef struct invocation {
  run_fn *run;
  void *tensors[SC_WIRE_TENSORS];
  void *ahead, *scratch;
} invocation;

typedef struct pool pool;
pool *pool_start(int nt, const int32_t *core); /* pins the caller too; NULL = threads cannot be had */
void pool_run(pool *p, const invocation *c, uint32_t calls);
void pool_evict(pool *p, char *buffer, size_t bytes); /* every thread walks the buffer */
void pool_stop(pool *p);
void pin_to(int32_t core);

/* ---- one child --------------------------------------------------------------------------------------------------- */

typedef struct child {
  const sc_wire_request *request;
  sc_wire_reply *reply; /* shared with the server, so that a dead child has said how far it came */
  int socket;
  region region[MAX_REGIONS]; /* tensors first, then ahead, scratch, evict */
  functions code;
  pool *pool;
} child;

void watch_signals(child *c); /* SIGSEGV and friends are written into the reply; then the child ends with status 2 */
void watch_stack(void); /* of a further thread: its own stack for signals */
void limit_resources(const sc_wire_request *request);
void forbid_system_calls(void); /* from here on a kernel can only compute */
_Noreturn void end_child(child *c, sc_wire_outcome outcome, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

void visit(child *c);
void clocks(child *c);
void prepare_clocks(const sc_wire_request *request); /* by the server, before it forks */
void kernels(child *c);
void *load_object(child *c);

/* ---- loops that are not folded ----------------------------------------------------------------------------------- */

typedef float lanes __attribute__((vector_size(16))); /* every target has registers of 16 bytes */

#if defined(__x86_64__)
#define IN_REGISTER "+x"
#elif defined(__aarch64__)
#define IN_REGISTER "+w"
#else
#define IN_REGISTER "+m"
#endif
/* Eight values are in registers here. */
#define KEEP(a, b, d, e, f, g, h, k)                                                                                 \
  __asm__ volatile(""                                                                                                \
                   : IN_REGISTER(a), IN_REGISTER(b), IN_REGISTER(d), IN_REGISTER(e), IN_REGISTER(f), IN_REGISTER(g), \
                     IN_REGISTER(h), IN_REGISTER(k))

/* ---- is the core all ours? --------------------------------------------------------------------------------------- */

#define PATIENCE_NS 100e6 /* of waiting for a quiet moment */
bool gauge_is_quiet(child *c); /* one reading; true without one where the request wants no gauge */
bool gauge_wait(child *c, double until_ns); /* readings until one is quiet or the time has come */
void gauge_learn(uint32_t threads, double ns); /* the least reading of a child */
/* Fills the reply with repeats of reply->batch calls; run_ns gives their time. They are made at quiet moments where such
 * come soon; while fewer than three were quiet, disturbed ones are made again, for as long as all of them took, at least
 * until PATIENCE after the begin, at most for that long. */
void gauge_repeats(child *c, double (*run_ns)(void *user, uint32_t calls), void *user);

/* ---- clocks ------------------------------------------------------------------------------------------------------ */

double now_ns(void);
long switches(void); /* involuntary ones, of this process, so far */
double clock_step_ns(void); /* the smallest difference the clock shows */
/* Nanoseconds of a call of fn(user, n) for the n that makes it last at least `least_ns`; n is found by trying. */
uint32_t calibrate(double (*run_ns)(void *user, uint32_t n), void *user, double least_ns);

#endif
