/* The kernel's software events, by the names PAPI gives them, through perf_event_open: they count where there is no
 * PMU at all. */
#include <errno.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "harness/counters.h"

static const struct event {
  const char *name, *doc;
  uint64_t config;
} events[] = {
    {"perf::TASK-CLOCK", "time of the process on a core, ns", PERF_COUNT_SW_TASK_CLOCK},
    {"perf::CPU-CLOCK", "time of its cores, ns", PERF_COUNT_SW_CPU_CLOCK},
    {"perf::PAGE-FAULTS", "page faults", PERF_COUNT_SW_PAGE_FAULTS},
    {"perf::MINOR-FAULTS", "page faults without reading", PERF_COUNT_SW_PAGE_FAULTS_MIN},
    {"perf::MAJOR-FAULTS", "page faults with reading", PERF_COUNT_SW_PAGE_FAULTS_MAJ},
    {"perf::CONTEXT-SWITCHES", "switches to another process", PERF_COUNT_SW_CONTEXT_SWITCHES},
    {"perf::CPU-MIGRATIONS", "moves to another core", PERF_COUNT_SW_CPU_MIGRATIONS},
};

/* Of a process and of the threads it starts later. Without rights, of its own code only. */
static int open_event(const struct event *event, pid_t pid) {
  struct perf_event_attr attr = {.type = PERF_TYPE_SOFTWARE, .size = sizeof attr, .config = event->config};
  attr.disabled = 1;
  attr.inherit = 1;
  int fd = (int)syscall(SYS_perf_event_open, &attr, pid, -1, -1, PERF_FLAG_FD_CLOEXEC);
  if (fd >= 0 || (errno != EACCES && errno != EPERM)) return fd;
  attr.exclude_kernel = 1;
  attr.exclude_hv = 1;
  return (int)syscall(SYS_perf_event_open, &attr, pid, -1, -1, PERF_FLAG_FD_CLOEXEC);
}

bool sc_software_add(sc_software *s, const char *name, char *why, size_t size) {
  for (size_t i = 0; i < SC_COUNT_OF(events); i++) {
    if (strcmp(events[i].name, name) != 0) continue;
    int fd = s->n < SC_MAX_COUNTERS ? open_event(&events[i], 0) : -1;
    if (fd < 0) {
      snprintf(why, size, "%s: perf_event_open: %s", name, strerror(errno));
      return false;
    }
    close(fd); /* it can be had; the process to count comes later */
    s->event[s->n] = (int)i;
    s->fd[s->n++] = -1;
    return true;
  }
  return false;
}

bool sc_software_attach(sc_software *s, pid_t pid) {
  for (int i = 0; i < s->n; i++)
    if ((s->fd[i] = open_event(&events[s->event[i]], pid)) < 0) return false;
  return true;
}

bool sc_software_start(sc_software *s) {
  for (int i = 0; i < s->n; i++)
    if (ioctl(s->fd[i], PERF_EVENT_IOC_RESET, 0) != 0 || ioctl(s->fd[i], PERF_EVENT_IOC_ENABLE, 0) != 0) return false;
  return true;
}

bool sc_software_stop(sc_software *s, double value[SC_MAX_COUNTERS]) {
  for (int i = 0; i < s->n; i++) ioctl(s->fd[i], PERF_EVENT_IOC_DISABLE, 0);
  for (int i = 0; i < s->n; i++) {
    uint64_t count;
    if (read(s->fd[i], &count, sizeof count) != sizeof count) return false;
    value[i] = (double)count;
  }
  return true;
}

void sc_software_close(sc_software *s) {
  for (int i = 0; i < s->n; i++)
    if (s->fd[i] >= 0) close(s->fd[i]);
  s->n = 0;
}

void sc_software_list(sc_str *out) {
  for (size_t i = 0; i < SC_COUNT_OF(events); i++) {
    int fd = open_event(&events[i], 0);
    if (fd < 0) continue;
    close(fd);
    sc_str_printf(out, "%-32s %s\n", events[i].name, events[i].doc);
  }
}
