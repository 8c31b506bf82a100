/* Programs beside ours, without a shell; and pictures, which gnuplot draws from what we pipe into it. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/tools.h"

static bool feed(int fd, const char *text) {
  for (size_t left = strlen(text); left > 0;) {
    ssize_t n = write(fd, text, left);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    text += n;
    left -= (size_t)n;
  }
  return true;
}

static _Noreturn void become(const char *const *argv, int in, int out) {
  signal(SIGPIPE, SIG_DFL);
  if (out < 0) out = open("/dev/null", O_WRONLY | O_CLOEXEC);
  dup2(in, STDIN_FILENO);
  if (dup2(out, STDOUT_FILENO) < 0) close(STDOUT_FILENO); /* ours is for results */
  execvp(argv[0], (char *const *)(uintptr_t)argv);
  _exit(127);
}

/* Input is fed before output is read: neither may be large when both are there. */
static void exchange(int in, const char *input, int out, sc_str *output) {
  char buf[4096];
  feed(in, input);
  close(in);
  for (ssize_t n; output && (n = read(out, buf, sizeof buf)) != 0;) {
    if (n < 0 && errno != EINTR) break;
    if (n > 0) sc_str_addn(output, buf, (size_t)n);
  }
}

sc_status run_program(tool *t, const char *const *argv, const char *input, sc_str *output) {
  int in[2], out[2], how = 0;
  if (pipe2(in, O_CLOEXEC) != 0) return sc_fail(&t->err, SC_IO, "no pipe: %s", strerror(errno));
  if (pipe2(out, O_CLOEXEC) != 0) {
    close(in[0]);
    close(in[1]);
    return sc_fail(&t->err, SC_IO, "no pipe: %s", strerror(errno));
  }
  void (*before)(int) = signal(SIGPIPE, SIG_IGN); /* a program that does not read to the end is no reason to die */
  pid_t pid = fork();
  if (pid == 0) become(argv, in[0], output ? out[1] : -1);
  close(in[0]);
  close(out[1]);
  if (pid > 0) exchange(in[1], input ? input : "", out[0], output);
  else close(in[1]);
  close(out[0]);
  signal(SIGPIPE, before);
  while (pid > 0 && waitpid(pid, &how, 0) < 0 && errno == EINTR) continue;
  if (pid < 0) return sc_fail(&t->err, SC_IO, "cannot start %s: %s", argv[0], strerror(errno));
  if (WIFEXITED(how) && WEXITSTATUS(how) == 127) return sc_fail(&t->err, SC_NOTFOUND, "%s is not installed", argv[0]);
  if (!WIFEXITED(how) || WEXITSTATUS(how) != 0) return sc_fail(&t->err, SC_EXTERNAL, "%s failed", argv[0]);
  return SC_OK;
}

/* A gnuplot string in single quotes: a quote is doubled. */
void picture_quote(sc_str *s, const char *text) {
  sc_str_add(s, "'");
  for (const char *p = text; *p; p++) sc_str_addn(s, *p == '\'' ? "''" : p, *p == '\'' ? 2 : 1);
  sc_str_add(s, "'");
}

static const char *operator_of(const sc_rows *rows, size_t i, size_t *len) {
  const char *name = rows->task_name[rows->task[i]];
  *len = strcspn(name, ":");
  return name;
}

/* One block of points per operator, so that each has a colour and a line in the key. */
static int put_blocks(sc_str *s, const sc_rows *rows, const double *predicted_s, char names[8][32]) {
  int n = 0;
  for (size_t i = 0; i < rows->n; i++) {
    size_t len;
    const char *name = operator_of(rows, i, &len);
    int k = 0;
    while (k < n && (strlen(names[k]) != len || strncmp(names[k], name, len) != 0)) k++;
    if (k == n && n < 8 && len < 32) snprintf(names[n++], 32, "%.*s", (int)len, name);
  }
  for (int k = 0; k < n; k++) {
    sc_str_printf(s, "$b%d << EOD\n", k);
    for (size_t i = 0; i < rows->n; i++) {
      size_t len;
      const char *name = operator_of(rows, i, &len);
      if (strlen(names[k]) != len || strncmp(names[k], name, len) != 0 || !(predicted_s[i] > 0)) continue;
      sc_str_printf(s, "%.6g %.6g\n", rows->time_s[i] * 1e3, predicted_s[i] * 1e3);
    }
    sc_str_add(s, "EOD\n");
  }
  return n;
}

sc_status picture_run(tool *t, sc_str *script) {
  static const char *const gnuplot[] = {"gnuplot", "/dev/stdin", NULL}; /* as a file: the first error ends it */
  sc_status status = script->failed ? sc_fail(&t->err, SC_NOMEM, "no memory for a picture")
                                    : run_program(t, gnuplot, sc_str_text(script), NULL);
  sc_str_free(script);
  return status;
}

void picture_scatter(sc_str *s, const sc_rows *rows, const double *predicted_s) {
  char names[8][32];
  const int n = put_blocks(s, rows, predicted_s, names);
  sc_str_add(s, "set logscale xy\nset format '%g'\nset xlabel 'measured, ms'\nset ylabel 'predicted, ms'\nset grid\n"
                "set key top left\nset size square\nplot x with lines lc rgb 'black' title 'exact', "
                "1.25*x with lines lc rgb 'gray' dt 2 title '+-25 %', x/1.25 with lines lc rgb 'gray' dt 2 notitle");
  for (int k = 0; k < n; k++) {
    sc_str_printf(s, ", $b%d with points pt 7 ps 0.4 title ", k);
    picture_quote(s, names[k]);
  }
  sc_str_add(s, "\n");
}

void picture_begin(sc_str *s, int width, int height, const char *path) {
  sc_str_printf(s, "set terminal pngcairo size %d,%d font 'sans,12'\nset output ", width, height);
  picture_quote(s, path);
  sc_str_add(s, "\n");
}

sc_status picture_draw(tool *t, const char *path, const char *title, const sc_rows *rows, const double *predicted_s) {
  sc_str s = {0};
  picture_begin(&s, 900, 900, path);
  sc_str_add(&s, "set title ");
  picture_quote(&s, title);
  sc_str_add(&s, " noenhanced\n");
  picture_scatter(&s, rows, predicted_s);
  return picture_run(t, &s);
}
