/* Counters through PAPI. Whether an event can be had is known only by adding it: without a PMU the query says yes
 * and the addition no. */
#include <papi.h>
#include <stdio.h>
#include <stdlib.h>

#include "harness/counters.h"

struct sc_papi {
  int set;
  bool attached, running;
};

static bool ready(void) {
  if (PAPI_is_initialized() != PAPI_NOT_INITED) return true;
  return PAPI_library_init(PAPI_VER_CURRENT) == PAPI_VER_CURRENT;
}

/* An empty set of the component that counts processes; threads started later are to be counted too. */
static int new_set(void) {
  int set = PAPI_NULL, component = PAPI_get_component_index("perf_event");
  PAPI_option_t option = {.inherit = {.inherit = PAPI_INHERIT_ALL}};
  if (component < 0 || PAPI_create_eventset(&set) != PAPI_OK) return PAPI_NULL;
  option.inherit.eventset = set;
  if (PAPI_assign_eventset_component(set, component) == PAPI_OK && PAPI_set_opt(PAPI_INHERIT, &option) == PAPI_OK)
    return set;
  PAPI_destroy_eventset(&set);
  return PAPI_NULL;
}

/* What PAPI says about the component as a whole, where it is broken or works in part. */
static const char *component_reason(void) {
  const PAPI_component_info_t *info = PAPI_get_component_info(PAPI_get_component_index("perf_event"));
  return info ? info->disabled_reason : "PAPI has no component perf_event";
}

sc_papi *sc_papi_open(void) {
  int set = ready() ? new_set() : PAPI_NULL;
  sc_papi *papi = set == PAPI_NULL ? NULL : calloc(1, sizeof *papi);
  if (papi) papi->set = set;
  return papi;
}

bool sc_papi_add(sc_papi *papi, const char *event, char *why, size_t size) {
  int code, status = ready() ? PAPI_event_name_to_code(event, &code) : PAPI_ENOINIT;
  if (status == PAPI_OK) status = papi ? PAPI_add_event(papi->set, code) : PAPI_ECMP;
  if (status == PAPI_OK) return true;
  const char *whole = ready() ? component_reason() : "";
  snprintf(why, size, "%.60s: PAPI: %s%s%s", event, PAPI_strerror(status), whole[0] ? "; " : "", whole);
  return false;
}

bool sc_papi_attach(sc_papi *papi, pid_t pid) {
  papi->attached = PAPI_attach(papi->set, (unsigned long)pid) == PAPI_OK;
  return papi->attached;
}

bool sc_papi_start(sc_papi *papi) {
  papi->running = PAPI_start(papi->set) == PAPI_OK;
  return papi->running;
}

bool sc_papi_stop(sc_papi *papi, double value[SC_MAX_COUNTERS]) {
  long long count[SC_MAX_COUNTERS] = {0};
  papi->running = false;
  if (PAPI_stop(papi->set, count) != PAPI_OK) return false;
  for (int i = 0; i < SC_MAX_COUNTERS; i++) value[i] = (double)count[i];
  return true;
}

void sc_papi_close(sc_papi *papi) {
  long long count[SC_MAX_COUNTERS];
  if (!papi) return;
  if (papi->running) PAPI_stop(papi->set, count); /* the process died while it was counted */
  if (papi->attached) PAPI_detach(papi->set);
  PAPI_cleanup_eventset(papi->set);
  PAPI_destroy_eventset(&papi->set);
  free(papi);
}

/* ---- the list ---------------------------------------------------------------------------------------------------- */

static void list_one(int set, int code, sc_str *out) {
  PAPI_event_info_t info;
  if (PAPI_get_event_info(code, &info) != PAPI_OK || PAPI_add_event(set, code) != PAPI_OK) return;
  PAPI_remove_event(set, code);
  sc_str_printf(out, "%-32s %s\n", info.symbol, info.long_descr);
}

void sc_papi_list(sc_str *out) {
  sc_papi *papi = sc_papi_open();
  if (!papi) return;
  int component = PAPI_get_component_index("perf_event"), code = PAPI_PRESET_MASK;
  for (int more = PAPI_enum_event(&code, PAPI_ENUM_FIRST); more == PAPI_OK;
       more = PAPI_enum_event(&code, PAPI_ENUM_EVENTS))
    list_one(papi->set, code, out);
  code = PAPI_NATIVE_MASK;
  for (int more = PAPI_enum_cmp_event(&code, PAPI_ENUM_FIRST, component); more == PAPI_OK;
       more = PAPI_enum_cmp_event(&code, PAPI_ENUM_EVENTS, component))
    list_one(papi->set, code, out);
  sc_papi_close(papi);
}
