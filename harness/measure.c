/* One visit: a request to the runner, its reply put into words. Whatever a kernel does is an outcome of the visit. */
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "harness/internal.h"

_Static_assert((int)SC_WIRE_RAN == (int)SC_RAN && (int)SC_WIRE_NOT_BUILT == (int)SC_NOT_COMPILED &&
                   (int)SC_WIRE_CRASHED == (int)SC_CRASHED && (int)SC_WIRE_TIMED_OUT == (int)SC_TIMED_OUT &&
                   (int)SC_WIRE_WRONG == (int)SC_WRONG_RESULT,
               "outcomes travel by number");
_Static_assert((int)SC_WIRE_REPEATS == (int)SC_REPEATS && (int)SC_WIRE_TENSORS == (int)SC_MAX_TENSORS &&
                   (int)SC_WIRE_ARGS >= (int)SC_MAX_ARGS,
               "arrays travel whole");

/* 1: warm caches, constants packed ahead outside the clock, code at 64 bytes, tensor t at 832 t modulo 4 KiB, 4 KiB
 * pages, one pinned thread per core from the last core down, spinning barrier. Which of the repeats are kept is no part
 * of it: a label is their least. */
uint32_t sc_harness_abi(void) { return 1; }

/* ---- failures in words ------------------------------------------------------------------------------------------- */

/* "[3,17]": the logical place of stored element `at`, through the layout. */
static void print_place(const sc_tensor *t, int64_t at, char *buf, size_t size) {
  int64_t index[SC_MAX_AXES] = {0};
  for (int i = t->layout.nparts - 1; i >= 0; i--) {
    const sc_part *part = &t->layout.part[i];
    int64_t block = t->layout.block[part->axis], shape = t->shape[part->axis];
    int64_t extent = part->kind == SC_PART_WHOLE   ? shape
                     : part->kind == SC_PART_INNER ? block
                                                   : (shape + block - 1) / block;
    index[part->axis] += at % extent * (part->kind == SC_PART_OUTER ? block : 1);
    at /= extent;
  }
  size_t n = 0;
  for (int a = 0; a < t->naxes && n < size; a++)
    n += (size_t)snprintf(buf + n, size - n, "%c%lld", a ? ',' : '[', (long long)index[a]);
  if (n < size) snprintf(buf + n, size - n, "]");
}

static const char *stage_name(uint32_t stage) {
  static const char *const name[] = {"while it was loaded", "while constants were packed",
                                     "while its result was checked", "while it was timed", "while it was counted"};
  return stage < SC_COUNT_OF(name) ? name[stage] : "";
}

static void say_wrong(const sc_task *task, const sc_wire_reply *r, char *buf, size_t size) {
  char place[96];
  if (r->spilled) {
    snprintf(buf, size, "wrote beside %.31s", r->near);
    return;
  }
  if (r->tensor < 0 || r->tensor >= task->ntensors) {
    snprintf(buf, size, "wrong result");
    return;
  }
  const sc_tensor *t = &task->tensor[r->tensor];
  print_place(t, r->element, place, sizeof place);
  snprintf(buf, size, "%s%s%s is %g, expected %g (%lld of %lld elements differ)",
           t->role == SC_IN ? "input was overwritten: " : "", t->name, place, r->got, r->expected, (long long)r->nwrong,
           (long long)t->elems);
}

static void say_crashed(const sc_wire_reply *r, char *buf, size_t size) {
  int n = 0;
  if (r->text[0] != '\0') n = snprintf(buf, size, "%.160s", r->text);
  else if (r->signal == SIGSYS) n = snprintf(buf, size, "forbidden system call %d", r->syscall);
  else if (r->signal == SIGKILL) n = snprintf(buf, size, "killed from outside");
  else n = snprintf(buf, size, "%s", strsignal(r->signal));
  if (r->near[0] != '\0' && r->beyond > 0 && n > 0 && (size_t)n < size)
    n += snprintf(buf + n, size - (size_t)n, ", %lld bytes behind the end of %.31s", (long long)r->beyond - 1, r->near);
  else if (r->near[0] != '\0' && r->beyond < 0 && n > 0 && (size_t)n < size)
    n += snprintf(buf + n, size - (size_t)n, ", %lld bytes before %.31s", (long long)-r->beyond, r->near);
  else if (r->address != 0 && n > 0 && (size_t)n < size)
    n += snprintf(buf + n, size - (size_t)n, " at 0x%llx, far from every buffer", (unsigned long long)r->address);
  if (n > 0 && (size_t)n < size) snprintf(buf + n, size - (size_t)n, ", %s", stage_name(r->stage));
}

static void say_timed_out(const sc_wire_reply *r, double timeout_s, char *buf, size_t size) {
  if (r->repeats > 0)
    snprintf(buf, size, "%u of %d repeats in %g s, %.3g s a call", r->repeats, SC_REPEATS, timeout_s, r->ns[0] * 1e-9);
  else snprintf(buf, size, "not done after %g s, %s", timeout_s, stage_name(r->stage));
}

static void put_into_words(const sc_task *task, const sc_wire_reply *r, double timeout_s, sc_measured *out) {
  char *buf = out->failure;
  size_t size = sizeof out->failure;
  switch (out->outcome) {
  case SC_WRONG_RESULT: say_wrong(task, r, buf, size); break;
  case SC_CRASHED: say_crashed(r, buf, size); break;
  case SC_TIMED_OUT: say_timed_out(r, timeout_s, buf, size); break;
  case SC_NOT_COMPILED: snprintf(buf, size, "%.160s", r->text); break;
  default: buf[0] = '\0';
  }
}

/* ---- a visit ----------------------------------------------------------------------------------------------------- */

static bool is_parallel(const sc_nest *nest) {
  for (int i = 0; i < nest->nnodes; i++)
    if (nest->node[i].kind == SC_NODE_PAR) return true;
  return false;
}

/* As many as asked for; else as the machine has cores, but no more than there are to run on. */
int sc_nest_threads(const sc_runner *runner, const sc_nest *nest, const sc_measure_options *options) {
  if (!is_parallel(nest)) return 1;
  int n = options->threads > 0 ? options->threads : (int)runner->machine.cores.value;
  if (options->threads <= 0 && runner->kind->measures && n > runner->ncores) n = runner->ncores;
  return n < 1 ? 1 : n > SC_WIRE_THREADS ? SC_WIRE_THREADS : n;
}

static void fill_pass(const sc_wire_reply *reply, sc_pass *pass) {
  pass->preempted = reply->preempted;
  pass->invalid = reply->busy == (1u << SC_REPEATS) - 1 ? SC_PASS_BUSY : 0;
  pass->batch = reply->batch;
  for (int i = 0; i < SC_REPEATS; i++) pass->ns[i] = (float)reply->ns[i];
}

typedef struct counting {
  sc_counters *counters;
  sc_measured *out;
} counting;

static void between(void *user, const sc_wire_reply *message) {
  counting *c = user;
  switch (message->answer) {
  case SC_WIRE_ATTACH: sc_counters_attach(c->counters, message->pid); break;
  case SC_WIRE_COUNT: sc_counters_start(c->counters); break;
  case SC_WIRE_COUNTED: sc_counters_stop(c->counters, message->batch, c->out); break;
  default: break;
  }
}

/* The buffer that is walked to empty the caches: twice the outermost one. */
static uint64_t evict_bytes(const sc_machine *machine) {
  double bytes = 0;
  for (int i = 0; i < machine->ncaches; i++)
    if (machine->cache[i].bytes.value > bytes) bytes = machine->cache[i].bytes.value;
  return bytes > 0 ? (uint64_t)(2 * bytes) : (uint64_t)64 << 20;
}

static void fill_request(const sc_runner *runner, const sc_built *built, int threads, sc_check check,
                         const sc_measure_options *options, sc_wire_request *request) {
  sc_request_init(runner, SC_WIRE_VISIT, request);
  snprintf(request->object, sizeof request->object, "%s", built->path);
  snprintf(request->prefix, sizeof request->prefix, "%s", built->prefix);
  request->threads = (uint32_t)threads;
  request->guard = check == SC_CHECK_GUARDED;
  request->compare = check != SC_CHECK_NONE;
  request->cold = options->cold;
  if (options->timeout_s > 0) request->timeout_s = options->timeout_s;
  if (options->batch_s > 0) request->batch_s = options->batch_s;
  if (!runner->machine.simulated)
    request->memory_bytes = options->memory_bytes ? options->memory_bytes : (uint64_t)4 << 30;
  request->evict_bytes = options->cold ? evict_bytes(&runner->machine) : 0;
}

sc_status sc_visit(sc_runner *runner, const sc_task *task, const sc_built *built, int threads, sc_check check,
                   const sc_measure_options *options, sc_measured *out, sc_error *err) {
  sc_wire_request request;
  sc_wire_reply reply;
  *out = (sc_measured){.outcome = built->outcome, .pass.unix_ns = sc_unix_ns()};
  if (built->outcome != SC_RAN) {
    memcpy(out->failure, built->failure, sizeof out->failure);
    return SC_OK;
  }
  fill_request(runner, built, threads, check, options, &request);
  SC_TRY(sc_references_get(runner->references, &runner->work, task, options->seed, &request, err));
  counting c = {NULL, out};
  if (runner->kind->measures)
    c.counters = sc_counters_open(options->counters, out->counters_missing, sizeof out->counters_missing);
  request.count = c.counters != NULL;
  sc_status status = sc_runner_ask(runner, &request, c.counters ? between : NULL, &c, &reply, err);
  sc_counters_close(c.counters);
  if (status != SC_OK) return status;
  out->outcome = (sc_outcome)reply.outcome;
  if (out->outcome == SC_RAN) fill_pass(&reply, &out->pass);
  put_into_words(task, &reply, request.timeout_s, out);
  return SC_OK;
}

sc_status sc_measure(sc_runner *runner, const sc_task *task, const sc_nest *nest, const sc_built *built,
                     const sc_measure_options *options, sc_measured *out, sc_error *err) {
  int threads = sc_nest_threads(runner, nest, options);
  return sc_visit(runner, task, built, threads, options->unchecked ? SC_CHECK_NONE : SC_CHECK_GUARDED, options, out,
                  err);
}

sc_status sc_read_clocks(sc_runner *runner, double ns[2], sc_error *err) {
  sc_wire_request request;
  sc_wire_reply reply;
  const sc_machine *m = &runner->machine;
  sc_request_init(runner, SC_WIRE_CLOCKS, &request);
  /* larger than the inner caches, well inside the outermost one */
  request.evict_bytes = m->ncaches > 1 ? (uint64_t)(2 * m->cache[m->ncaches - 2].bytes.value) : (uint64_t)1 << 20;
  if (request.evict_bytes < 1 << 16 || request.evict_bytes > 1 << 26) request.evict_bytes = 1 << 20;
  SC_TRY(sc_runner_ask(runner, &request, NULL, NULL, &reply, err));
  if (reply.outcome != SC_WIRE_RAN)
    return sc_fail(err, SC_EXTERNAL, "the runner program does not run: %.160s", reply.text);
  ns[0] = reply.ns[0];
  ns[1] = reply.ns[1];
  return SC_OK;
}
