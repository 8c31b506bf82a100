/* Programs without a shell: words are words, whatever stands in them. Every program is the leader of a process group of
 * its own, so that a time limit ends the compiler and what the compiler started, and Ctrl-C reaches only the caller. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/internal.h"

enum { MAX_OUTPUT = 1 << 24 };

void sc_argv_add(sc_argv *argv, const char *word) {
  if (!argv->arena) argv->arena = sc_arena_new();
  char *copy = argv->arena && argv->n < SC_MAX_WORDS ? sc_arena_strdup(argv->arena, word) : NULL;
  if (!copy) {
    argv->failed = true;
    return;
  }
  argv->word[argv->n++] = copy;
  argv->word[argv->n] = NULL;
}

void sc_argv_addf(sc_argv *argv, const char *format, ...) {
  char word[2 * SC_PATH];
  va_list list;
  va_start(list, format);
  int n = vsnprintf(word, sizeof word, format, list);
  va_end(list);
  if (n < 0 || (size_t)n >= sizeof word) argv->failed = true;
  else sc_argv_add(argv, word);
}

void sc_argv_split(sc_argv *argv, const char *words) {
  while (*words) {
    words += strspn(words, " \t");
    size_t n = strcspn(words, " \t");
    if (n > 0) sc_argv_addf(argv, "%.*s", (int)n, words);
    words += n;
  }
}

void sc_argv_free(sc_argv *argv) {
  sc_arena_free(argv->arena);
  *argv = (sc_argv){0};
}

/* Starts a program with descriptor `fd` as its standard input (`input`) or as its standard output and error. */
static sc_status start(const sc_argv *argv, int fd, bool input, pid_t *pid, sc_error *err) {
  if (argv->failed || argv->n == 0) return sc_fail(err, SC_LIMIT, "a command line is too long");
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  if (input) {
    posix_spawn_file_actions_adddup2(&actions, fd, 0);
  } else {
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, fd, 1);
    posix_spawn_file_actions_adddup2(&actions, fd, 2);
  }
  posix_spawn_file_actions_addclosefrom_np(&actions, 3); /* locks and files of the caller are not the program's */
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  int code = posix_spawnp(pid, argv->word[0], &actions, &attributes, argv->word, environ);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (code == ENOENT) return sc_fail(err, SC_NOTFOUND, "there is no program '%s'", argv->word[0]);
  if (code != 0) return sc_fail(err, SC_IO, "cannot start '%s': %s", argv->word[0], strerror(code));
  return SC_OK;
}

sc_status sc_process_start(const sc_argv *argv, double timeout_s, sc_process *process, sc_error *err) {
  int pipe_fd[2];
  if (pipe2(pipe_fd, O_CLOEXEC) != 0) return sc_fail(err, SC_IO, "no pipe: %s", strerror(errno));
  *process = (sc_process){.fd = pipe_fd[0], .deadline_s = sc_now_s() + timeout_s};
  sc_status status = start(argv, pipe_fd[1], false, &process->pid, err);
  close(pipe_fd[1]);
  if (status != SC_OK) close(pipe_fd[0]);
  return status;
}

/* The pipe closes when the last process that inherited it is gone. */
void sc_process_wait(sc_process *process, sc_str *output, int *exit_status, bool *timed_out) {
  *timed_out = false;
  for (;;) {
    char buffer[4096];
    double left = process->deadline_s - sc_now_s();
    struct pollfd p = {.fd = process->fd, .events = POLLIN};
    int ready = left > 0 ? poll(&p, 1, left > 1e6 ? 1000000000 : (int)(left * 1e3) + 1) : 0;
    if (ready < 0 && errno == EINTR) continue;
    if (ready == 0) {
      if (process->deadline_s - sc_now_s() > 0) continue;
      *timed_out = true;
      kill(-process->pid, SIGKILL);
      break;
    }
    ssize_t n = ready > 0 ? read(process->fd, buffer, sizeof buffer) : -1;
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    if (output && output->len < MAX_OUTPUT) sc_str_addn(output, buffer, (size_t)n);
  }
  close(process->fd);
  int status = 0;
  while (waitpid(process->pid, &status, 0) < 0 && errno == EINTR) continue;
  *exit_status = WIFEXITED(status) && !*timed_out ? WEXITSTATUS(status) : -1;
}

sc_status sc_run_program(const sc_argv *argv, double timeout_s, sc_str *output, int *exit_status, sc_error *err) {
  sc_process process;
  bool timed_out;
  SC_TRY(sc_process_start(argv, timeout_s, &process, err));
  sc_process_wait(&process, output, exit_status, &timed_out);
  if (timed_out) return sc_fail(err, SC_IO, "'%s' did not end within %g s", argv->word[0], timeout_s);
  return SC_OK;
}

sc_status sc_server_start(const sc_argv *argv, int *sock, pid_t *pid, sc_error *err) {
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
    return sc_fail(err, SC_IO, "no socket: %s", strerror(errno));
  sc_status status = start(argv, pair[1], true, pid, err);
  close(pair[1]);
  if (status != SC_OK) {
    close(pair[0]);
    return status;
  }
  *sock = pair[0];
  return SC_OK;
}

void sc_first_error_line(const char *output, char *buf, size_t size) {
  const char *line = strstr(output, "error");
  if (!line) line = strstr(output, "undefined");
  if (!line) line = output + strspn(output, "\r\n\t ");
  while (line > output && line[-1] != '\n') line--;
  size_t n = strcspn(line, "\n");
  snprintf(buf, size, "%.*s", (int)(n < size ? n : size - 1), line);
}
