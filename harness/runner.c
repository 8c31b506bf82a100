/* Runners: where the runner program is started. A runner is a name, a way to write the command line and a word on
 * what its numbers are worth; the conversation is the same for all. The program is started again whenever it has
 * gone away. */
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/internal.h"

static sc_status local_command(const sc_runner *runner, sc_argv *argv, sc_error *err) {
  (void)err;
  sc_argv_add(argv, runner->program);
  return SC_OK;
}

/* The emulator looks for the target's loader and libc where the cross compiler keeps them. */
static sc_status qemu_command(const sc_runner *runner, sc_argv *argv, sc_error *err) {
  sc_argv ask = {0};
  sc_str said = {0};
  int exit_status = -1;
  char libc[SC_PATH], *end;
  sc_argv_split(&ask, runner->machine.compiler[0].command);
  sc_argv_add(&ask, "-print-file-name=libc.so.6");
  sc_status status = sc_run_program(&ask, sc_compile_timeout_s(), &said, &exit_status, err);
  snprintf(libc, sizeof libc, "%.*s", (int)strcspn(sc_str_text(&said), "\n"), sc_str_text(&said));
  sc_str_free(&said);
  sc_argv_free(&ask);
  if (status != SC_OK) return status;
  sc_argv_split(argv, runner->machine.runner);
  for (int i = 0; i < 2; i++) /* <root>/lib/libc.so.6 */
    if ((end = strrchr(libc, '/'))) *end = '\0';
  if (exit_status == 0 && libc[0] == '/') {
    sc_argv_add(argv, "-L");
    sc_argv_add(argv, libc);
  }
  sc_argv_add(argv, runner->program);
  return SC_OK;
}

static const sc_runner_kind kinds[] = {
    {"local", "measured time", true, local_command},
    {"qemu-", "no times: correctness only", false, qemu_command},
};

const char *sc_runner_numbers(const sc_runner *runner) { return runner->kind->numbers; }

/* ---- opening and closing ----------------------------------------------------------------------------------------- */

/* The first cores get the interrupts of most systems, so measuring begins at the last. */
static void choose_cores(sc_runner *r) {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0)
    for (int core = CPU_SETSIZE - 1; core >= 0 && r->ncores < SC_WIRE_THREADS; core--)
      if (CPU_ISSET(core, &set)) r->core[r->ncores++] = core;
  if (r->ncores == 0) r->core[r->ncores++] = -1;
  int n = r->ncores; /* more threads than cores go round */
  for (int t = n; t < SC_WIRE_THREADS; t++) r->core[t] = r->core[t % n];
}

sc_status sc_runner_open(const sc_machine *machine, sc_runner **runner, sc_error *err) {
  const char *name = machine->runner[0] ? machine->runner : "local";
  const sc_runner_kind *kind = NULL;
  for (size_t i = 0; i < SC_COUNT_OF(kinds); i++)
    if (strncmp(name, kinds[i].name, strlen(kinds[i].name)) == 0) kind = &kinds[i];
  *runner = NULL;
  if (!kind)
    return sc_fail(err, SC_UNSUPPORTED, "the machine '%s' wants the runner '%s'; there are local and qemu-*",
                   machine->name, name);
  sc_runner *r = calloc(1, sizeof *r);
  if (!r) return sc_fail(err, SC_NOMEM, "out of memory");
  r->kind = kind;
  r->machine = *machine;
  r->socket = -1;
  r->references = sc_references_new();
  choose_cores(r);
  sc_status status = r->references ? SC_OK : sc_fail(err, SC_NOMEM, "out of memory");
  if (status == SC_OK && kind->measures) status = sc_machine_here(machine, &r->machine, err);
  if (status == SC_OK) status = sc_program_build(machine, r->program, err);
  if (status == SC_OK) status = sc_folder_make(&r->work, err);
  double ns[2]; /* a program that does not run at all is no outcome of a kernel */
  if (status == SC_OK) status = sc_read_clocks(r, ns, err);
  if (status == SC_OK) *runner = r;
  else sc_runner_close(r);
  return status;
}

static void stop(sc_runner *r) {
  if (r->socket < 0) return;
  close(r->socket); /* end of the conversation ends the program; the signal is for one that no longer listens */
  kill(-r->pid, SIGKILL);
  while (waitpid(r->pid, NULL, 0) < 0 && errno == EINTR) continue;
  r->socket = -1;
}

void sc_runner_close(sc_runner *runner) {
  if (!runner) return;
  stop(runner);
  sc_references_free(runner->references);
  sc_folder_remove(&runner->work);
  free(runner);
}

static sc_status begin(sc_runner *r, sc_error *err) {
  if (r->socket >= 0) return SC_OK;
  sc_argv argv = {0};
  sc_status status = r->kind->command(r, &argv, err);
  if (status == SC_OK) status = sc_server_start(&argv, &r->socket, &r->pid, err);
  sc_argv_free(&argv);
  return status;
}

/* ---- the conversation -------------------------------------------------------------------------------------------- */

/* Quiet moments need not be waited for where times decide nothing. */
static bool wants_gauge(const sc_runner *runner) {
  const char *said = getenv("SCHEDCAST_GAUGE");
  return runner->kind->measures /* an emulator's times mean nothing */ && !(said && strcmp(said, "0") == 0);
}

void sc_request_init(const sc_runner *runner, sc_wire_kind kind, sc_wire_request *request) {
  memset(request, 0, sizeof *request); /* all of it travels */
  request->magic = SC_WIRE_MAGIC;
  request->kind = kind;
  request->threads = 1;
  request->timeout_s = 10;
  request->batch_s = 2e-3;
  request->gauge = wants_gauge(runner);
  for (int i = 0; i < SC_WIRE_THREADS; i++) request->core[i] = runner->kind->measures ? runner->core[i] : -1;
}

static bool say(sc_runner *r, const sc_wire_request *request) {
  ssize_t n;
  do n = send(r->socket, request, sizeof *request, MSG_NOSIGNAL);
  while (n < 0 && errno == EINTR);
  return n == (ssize_t)sizeof *request;
}

/* The program keeps the time limit itself; ours is wider and only for a program that hangs. */
static bool hear(sc_runner *r, double timeout_s, sc_wire_reply *reply) {
  double deadline = sc_now_s() + timeout_s;
  for (;;) {
    struct pollfd p = {.fd = r->socket, .events = POLLIN};
    double left = deadline - sc_now_s();
    int ready = left > 0 ? poll(&p, 1, left > 1e6 ? 1000000000 : (int)(left * 1e3) + 1) : 0;
    if (ready < 0 && errno == EINTR) continue;
    if (ready == 0 && deadline > sc_now_s()) continue;
    if (ready <= 0) return false;
    ssize_t n = recv(r->socket, reply, sizeof *reply, 0);
    if (n < 0 && errno == EINTR) continue;
    return n == (ssize_t)sizeof *reply && reply->magic == SC_WIRE_MAGIC;
  }
}

static bool converse(sc_runner *r, const sc_wire_request *request, sc_between_fn *between, void *user,
                     sc_wire_reply *reply) {
  sc_wire_request go = {.magic = SC_WIRE_MAGIC, .kind = SC_WIRE_GO, .threads = 1};
  if (!say(r, request)) return false;
  for (;;) {
    if (!hear(r, request->timeout_s + 10, reply)) return false;
    if (reply->answer == SC_WIRE_DONE) return true;
    if (!between) return false;
    between(user, reply);
    if (!say(r, &go)) return false;
  }
}

sc_status sc_runner_ask(sc_runner *runner, const sc_wire_request *request, sc_between_fn *between, void *user,
                        sc_wire_reply *reply, sc_error *err) {
  SC_TRY(begin(runner, err));
  if (converse(runner, request, between, user, reply)) {
    if (reply->outcome != SC_WIRE_BROKEN) return SC_OK;
    return sc_fail(err, SC_EXTERNAL, "the runner '%s': %.160s", runner->kind->name, reply->text);
  }
  stop(runner); /* killed from outside, perhaps for want of memory */
  *reply = (sc_wire_reply){.magic = SC_WIRE_MAGIC, .answer = SC_WIRE_DONE, .outcome = SC_WIRE_CRASHED, .tensor = -1};
  snprintf(reply->text, sizeof reply->text, "took the runner program down");
  return SC_OK;
}
