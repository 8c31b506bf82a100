/* Without PAPI (CMake option SC_WITH_PAPI) there are no counters, and that is what is said. */
#include <stdio.h>

#include "harness/internal.h"

void sc_counter_reason(const char *event, char *buf, size_t size) {
  snprintf(buf, size, "%s: this schedcast was built without PAPI", event);
}

void sc_counter_list(sc_str *out) { (void)out; }
sc_counters *sc_counters_open(const char *events) {
  (void)events;
  return NULL;
}
void sc_counters_attach(sc_counters *counters, pid_t pid) { (void)counters, (void)pid; }
void sc_counters_start(sc_counters *counters) { (void)counters; }
void sc_counters_stop(sc_counters *counters, uint32_t calls, sc_measured *out) {
  (void)counters, (void)calls, (void)out;
}
void sc_counters_close(sc_counters *counters) { (void)counters; }
