/* Without PAPI (CMake option SC_WITH_PAPI) only the kernel's software events count. */
#include <stdio.h>

#include "harness/counters.h"

sc_papi *sc_papi_open(void) { return NULL; }

bool sc_papi_add(sc_papi *papi, const char *event, char *why, size_t size) {
  (void)papi;
  snprintf(why, size, "%.60s: this schedcast was built without PAPI", event);
  return false;
}

bool sc_papi_attach(sc_papi *papi, pid_t pid) {
  (void)pid;
  return papi != NULL;
}

bool sc_papi_start(sc_papi *papi) { return papi != NULL; }

bool sc_papi_stop(sc_papi *papi, double value[SC_MAX_COUNTERS]) {
  (void)value;
  return papi != NULL;
}

void sc_papi_close(sc_papi *papi) { (void)papi; }
void sc_papi_list(sc_str *out) { (void)out; }
