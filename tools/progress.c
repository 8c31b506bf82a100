/* Long work: a bar on a terminal, plain lines elsewhere; Ctrl-C once finishes and saves, twice ends at once. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tools/tools.h"

/* ---- progress ---- */

static const double bar_every_s = 0.1, line_every_s = 10;

void progress_begin(progress *p) {
  *p = (progress){.terminal = isatty(STDERR_FILENO) == 1};
  p->shown_s = p->terminal ? 0 : sc_now_s(); /* the first line comes after 10 s */
}

static void put_duration(char *text, size_t size, double s) {
  if (!(s >= 0) || s > 1e8) snprintf(text, size, "?");
  else if (s < 60) snprintf(text, size, "%.0f s", s);
  else if (s < 3600) snprintf(text, size, "%d:%02d min", (int)s / 60, (int)s % 60);
  else snprintf(text, size, "%d:%02d h", (int)(s / 3600), (int)(s / 60) % 60);
}

void progress_campaign(void *user, const sc_progress *now) {
  progress *p = user;
  double t = sc_now_s();
  bool last = now->done == now->total;
  char left[32], bar[21] = "--------------------", line[256];
  if (t - p->shown_s < (p->terminal ? bar_every_s : line_every_s) && !(last && p->open)) return;
  p->shown_s = t;
  put_duration(left, sizeof left, now->eta_s);
  for (size_t i = 0; now->total && i < 20 * now->done / now->total; i++) bar[i] = '#';
  int n = snprintf(line, sizeof line, "%zu/%zu, %.3g/s, %s left", now->done, now->total, now->rate_per_s, left);
  if (now->failed) n += snprintf(line + n, sizeof line - (size_t)n, ", %zu failed", now->failed);
  if (now->best_flop_per_s > 0)
    n += snprintf(line + n, sizeof line - (size_t)n, ", best %.4g GFLOP/s", now->best_flop_per_s * 1e-9);
  if (now->task) snprintf(line + n, sizeof line - (size_t)n, "  %.60s", now->task);
  if (p->terminal) fprintf(stderr, "\r\033[K[%s] %.*s", bar, 110, line);
  else fprintf(stderr, "%s\n", line);
  p->open = true;
}

void progress_end(progress *p) {
  if (p->terminal && p->open) fputc('\n', stderr);
  p->open = false;
}

/* ---- interruption ---- */

static volatile bool stop;

static void on_signal(int number) {
  static const char text[] = "\nfinishing and saving; once more ends at once\n";
  if (stop) _exit(130);
  stop = true;
  (void)!write(STDERR_FILENO, text, sizeof text - 1);
}

void interrupt_catch(void) {
  struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
  sigaction(SIGINT, &action, NULL);
  sigaction(SIGTERM, &action, NULL);
}

const volatile bool *interrupt_flag(void) { return &stop; }
