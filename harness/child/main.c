/* The server: one request, one child in a process group of its own, one reply. It sleeps while the child works and ends
 * the whole group when the time is over or the child is done. End of the conversation ends the program. */
#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "child.h"

enum { SOCKET = 0 };

static _Noreturn void child_main(const sc_wire_request *request, sc_wire_reply *reply) {
  static child c; /* large, and a signal handler reads it */
  c = (child){.request = request, .reply = reply, .socket = SOCKET};
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  limit_resources(request);
  watch_signals(&c);
  switch (request->kind) {
  case SC_WIRE_VISIT: visit(&c); break;
  case SC_WIRE_CLOCKS: clocks(&c); break;
  case SC_WIRE_KERNELS: kernels(&c); break;
  default: break;
  }
  end_child(&c, SC_WIRE_BROKEN, "unknown request %u", request->kind);
}

/* False when the child is still there at the deadline. SIGCHLD is blocked, so that none is missed. */
static bool wait_until(pid_t pid, double deadline_ns, int *status) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGCHLD);
  for (;;) {
    if (waitpid(pid, status, WNOHANG) == pid) return true;
    double left = deadline_ns - now_ns();
    if (left <= 0) return false;
    struct timespec t = {(time_t)(left / 1e9), (long)(left - 1e9 * (double)(time_t)(left / 1e9))};
    sigtimedwait(&set, NULL, &t);
  }
}

static void serve(const sc_wire_request *request, sc_wire_reply *reply) {
  *reply = (sc_wire_reply){.magic = SC_WIRE_MAGIC, .answer = SC_WIRE_DONE, .outcome = SC_WIRE_BROKEN, .tensor = -1};
  if (request->kind == SC_WIRE_CLOCKS) prepare_clocks(request);
  pid_t pid = fork();
  if (pid == 0) child_main(request, reply);
  if (pid < 0) {
    strncpy(reply->text, strerror(errno), sizeof reply->text - 1);
    return;
  }
  setpgid(pid, pid); /* both do it: whoever comes first */
  int status;
  bool ended = wait_until(pid, now_ns() + request->timeout_s * 1e9, &status);
  kill(-pid, SIGKILL);
  if (!ended) {
    waitpid(pid, &status, 0);
    reply->outcome = SC_WIRE_TIMED_OUT;
  } else if (WIFSIGNALED(status)) { /* killed from outside, or by a signal that cannot be watched */
    reply->outcome = SC_WIRE_CRASHED;
    reply->signal = WTERMSIG(status);
  } else if (reply->outcome == SC_WIRE_BROKEN && reply->text[0] == '\0') { /* the kernel itself called exit */
    reply->outcome = SC_WIRE_CRASHED;
    strncpy(reply->text, "ended the process", sizeof reply->text - 1);
  }
  if (reply->outcome == SC_WIRE_RAN) gauge_learn(request->threads, reply->gauge_ns);
  reply->pid = pid;
}

int main(void) {
  mallopt(M_ARENA_MAX, 1); /* an arena per thread would count against the memory limit */
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGCHLD);
  sigprocmask(SIG_BLOCK, &set, NULL);
  size_t bytes = sizeof(sc_wire_reply);
  sc_wire_reply *reply = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (reply == MAP_FAILED) return 1;
  for (;;) {
    static sc_wire_request request;
    ssize_t n = recv(SOCKET, &request, sizeof request, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n != sizeof request || request.magic != SC_WIRE_MAGIC) return 0;
    if (request.kind == SC_WIRE_GO) continue; /* its child died before it could hear */
    if (request.threads < 1 || request.threads > SC_WIRE_THREADS || request.ntensors > SC_WIRE_TENSORS) return 1;
    serve(&request, reply);
    if (send(SOCKET, reply, sizeof *reply, MSG_NOSIGNAL) != sizeof *reply) return 0;
  }
}
