/* What keeps a bad kernel in: signal handlers that say where it went wrong, resource limits, and a system call
 * filter (resource limits do not hold for root, and containers run as root). Where the filter cannot be had -- under
 * qemu-user, or in a container that forbids it -- limits, the time limit and the end of the whole process group
 * still hold. */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "child.h"

static child *watched; /* a signal handler has no other way to know */

/* The buffer nearest to an address and how far beyond its ends the address lies. */
static void locate(child *c, uint64_t address) {
  uint64_t nearest = 1 << 24; /* farther away it is near nothing */
  for (int i = 0; i < MAX_REGIONS; i++) {
    const region *r = &c->region[i];
    if (!r->data) continue;
    uint64_t begin = (uint64_t)(uintptr_t)r->data, end = begin + r->bytes;
    uint64_t distance = address < begin ? begin - address : address >= end ? address - end + 1 : 0;
    if (distance >= nearest) continue;
    nearest = distance;
    __builtin_memcpy(c->reply->near, r->name, sizeof c->reply->near);
    c->reply->beyond = address < begin ? -(int64_t)distance : (int64_t)distance;
  }
}

static void on_signal(int number, siginfo_t *info, void *context) {
  (void)context;
  sc_wire_reply *reply = watched->reply;
  reply->outcome = SC_WIRE_CRASHED;
  reply->signal = number;
  if (number == SIGSYS) reply->syscall = info->si_syscall;
  if (number == SIGSEGV || number == SIGBUS) {
    reply->address = (uint64_t)(uintptr_t)info->si_addr;
    locate(watched, reply->address);
  }
  _exit(2);
}

void watch_stack(void) {
  stack_t stack = {.ss_size = 1 << 16};
  stack.ss_sp = malloc(stack.ss_size);
  if (stack.ss_sp) sigaltstack(&stack, NULL);
}

void watch_signals(child *c) {
  static const int fatal[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGSYS, SIGTRAP, SIGXCPU};
  watched = c;
  watch_stack();
  struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK};
  sigfillset(&action.sa_mask);
  for (size_t i = 0; i < sizeof fatal / sizeof fatal[0]; i++) sigaction(fatal[i], &action, NULL);
}

static void limit(int resource, rlim_t value) {
  struct rlimit old;
  if (getrlimit(resource, &old) == 0 && old.rlim_max != RLIM_INFINITY && value > old.rlim_max) value = old.rlim_max;
  setrlimit(resource, &(struct rlimit){value, value});
}

void limit_resources(const sc_wire_request *request) {
  if (request->memory_bytes) limit(RLIMIT_AS, request->memory_bytes);
  limit(RLIMIT_CPU, (rlim_t)(request->timeout_s * (request->threads + 1)) + 2); /* should the server be gone */
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_FSIZE, 0);
}

_Noreturn void end_child(child *c, sc_wire_outcome outcome, const char *format, ...) {
  va_list list;
  va_start(list, format);
  vsnprintf(c->reply->text, sizeof c->reply->text, format, list);
  va_end(list);
  c->reply->outcome = outcome;
  _exit(0);
}

#if defined(__x86_64__)
#define THIS_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define THIS_ARCH AUDIT_ARCH_AARCH64
#else
#define THIS_ARCH 0 /* matches no program: every call is allowed */
#endif

/* What a computation has no use for: processes, other processes' signals and memory, files, sockets, limits. */
static const int forbidden[] = {
#ifdef SYS_fork
    SYS_fork,     SYS_vfork,     SYS_open,    SYS_creat,   SYS_unlink,    SYS_rename,
    SYS_rmdir,    SYS_mkdir,     SYS_link,    SYS_symlink, SYS_chmod,     SYS_chown,
#endif
    SYS_clone,    SYS_execve,    SYS_kill,    SYS_ptrace,  SYS_openat,    SYS_unlinkat,
    SYS_mkdirat,  SYS_renameat2, SYS_socket,  SYS_connect, SYS_bind,      SYS_truncate,
    SYS_mount,    SYS_reboot,    SYS_setpgid, SYS_setsid,  SYS_prlimit64, SYS_process_vm_writev,
#ifdef SYS_clone3
    SYS_clone3,
#endif
#ifdef SYS_execveat
    SYS_execveat,
#endif
};

void forbid_system_calls(void) {
  enum { N = sizeof forbidden / sizeof forbidden[0] };
  struct sock_filter filter[N + 6];
  size_t n = 0;
  filter[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch));
  filter[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, THIS_ARCH, 0, N + 1);
  filter[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
  for (size_t i = 0; i < N; i++)
    filter[n++] =
        (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)forbidden[i], (unsigned char)(N - i), 0);
  filter[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  filter[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP);
  struct sock_fprog program = {(unsigned short)n, filter};
  /* SPEC_ALLOW: else older systems slow every load behind a store down, and the label with it. TSYNC: all threads. */
  unsigned long flags = SECCOMP_FILTER_FLAG_SPEC_ALLOW | SECCOMP_FILTER_FLAG_TSYNC;
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0) syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
}
