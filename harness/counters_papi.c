/* Counters through PAPI, counted from outside: the harness attaches to the process that runs a kernel, so the runner program
 * needs no PAPI and the threads it starts afterwards are counted with it. Whether an event can be had is known only by adding
 * it (without a PMU the query says yes and the addition no); what cannot be had has a reason and no value. */
#include <papi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/internal.h"

struct sc_counters {
  int set, n, nadded;
  char name[SC_MAX_COUNTERS][SC_NAME];
  int slot[SC_MAX_COUNTERS]; /* in the set; -1 = not to be had */
  bool attached, running;
};

static bool ready(void) {
  if (PAPI_is_initialized() != PAPI_NOT_INITED) return true;
  return PAPI_library_init(PAPI_VER_CURRENT) == PAPI_VER_CURRENT;
}

/* An empty set of the component that counts processes; threads started later are to be counted too. */
static int new_set(bool inherit) {
  int set = PAPI_NULL, component = PAPI_get_component_index("perf_event");
  PAPI_option_t option = {.inherit = {.inherit = PAPI_INHERIT_ALL}};
  if (component < 0 || PAPI_create_eventset(&set) != PAPI_OK) return PAPI_NULL;
  option.inherit.eventset = set;
  if (PAPI_assign_eventset_component(set, component) == PAPI_OK &&
      (!inherit || PAPI_set_opt(PAPI_INHERIT, &option) == PAPI_OK))
    return set;
  PAPI_destroy_eventset(&set);
  return PAPI_NULL;
}

static void free_set(int set) {
  PAPI_cleanup_eventset(set);
  PAPI_destroy_eventset(&set);
}

static int add(int set, const char *event) {
  int code, status = PAPI_event_name_to_code(event, &code);
  return status == PAPI_OK ? PAPI_add_event(set, code) : status;
}

/* ---- what can be had --------------------------------------------------------------------------------------------- */

static const char *component_reason(void) {
  const PAPI_component_info_t *info = PAPI_get_component_info(PAPI_get_component_index("perf_event"));
  if (!info) return "PAPI has no component perf_event";
  return info->disabled ? info->disabled_reason : "";
}

void sc_counter_reason(const char *event, char *buf, size_t size) {
  buf[0] = '\0';
  if (!ready()) {
    snprintf(buf, size, "PAPI does not initialise");
    return;
  }
  const char *disabled = component_reason();
  int set = disabled[0] ? PAPI_NULL : new_set(false), status = PAPI_OK;
  if (disabled[0]) snprintf(buf, size, "%s", disabled);
  else if (set == PAPI_NULL) snprintf(buf, size, "PAPI makes no event set");
  else status = add(set, event);
  if (status == PAPI_ENOEVNT || status == PAPI_ENOTPRESET)
    snprintf(buf, size, "this machine has no event '%s'%s", event,
             PAPI_num_hwctrs() > 0 ? "" : " (no counters in hardware: a virtual machine?)");
  else if (status != PAPI_OK) snprintf(buf, size, "'%s' cannot be added: %s", event, PAPI_strerror(status));
  if (set != PAPI_NULL) free_set(set);
}

static void list_one(int set, int code, sc_str *out) {
  PAPI_event_info_t info;
  if (PAPI_get_event_info(code, &info) != PAPI_OK || PAPI_add_event(set, code) != PAPI_OK) return;
  PAPI_remove_event(set, code);
  sc_str_printf(out, "%-32s %s\n", info.symbol, info.long_descr);
}

void sc_counter_list(sc_str *out) {
  int set = ready() ? new_set(false) : PAPI_NULL;
  if (set == PAPI_NULL) return;
  int code = 0 | PAPI_PRESET_MASK;
  for (int more = PAPI_enum_event(&code, PAPI_ENUM_FIRST); more == PAPI_OK;
       more = PAPI_enum_event(&code, PAPI_ENUM_EVENTS))
    list_one(set, code, out);
  int component = PAPI_get_component_index("perf_event");
  code = 0 | PAPI_NATIVE_MASK;
  for (int more = PAPI_enum_cmp_event(&code, PAPI_ENUM_FIRST, component); more == PAPI_OK;
       more = PAPI_enum_cmp_event(&code, PAPI_ENUM_EVENTS, component))
    list_one(set, code, out);
  free_set(set);
}

/* ---- counting ----------------------------------------------------------------------------------------------------- */

sc_counters *sc_counters_open(const char *events) {
  sc_counters *c = events && events[0] ? calloc(1, sizeof *c) : NULL;
  if (!c) return NULL;
  c->set = ready() ? new_set(true) : PAPI_NULL;
  while (*events && c->n < SC_MAX_COUNTERS) {
    size_t len = strcspn(events, ",");
    snprintf(c->name[c->n], SC_NAME, "%.*s", (int)len, events);
    bool whole = len > 0 && len < SC_NAME;
    if (c->set != PAPI_NULL && whole && add(c->set, c->name[c->n]) == PAPI_OK) c->slot[c->n] = c->nadded++;
    else c->slot[c->n] = -1;
    if (len > 0) c->n++;
    events += len + (events[len] == ',');
  }
  if (c->nadded > 0) return c;
  sc_counters_close(c);
  return NULL;
}

void sc_counters_attach(sc_counters *c, pid_t pid) { c->attached = PAPI_attach(c->set, (unsigned long)pid) == PAPI_OK; }

void sc_counters_start(sc_counters *c) { c->running = c->attached && PAPI_start(c->set) == PAPI_OK; }

void sc_counters_stop(sc_counters *c, uint32_t calls, sc_measured *out) {
  long long value[SC_MAX_COUNTERS] = {0};
  if (!c->running || calls == 0) return;
  c->running = false;
  if (PAPI_stop(c->set, value) != PAPI_OK) return;
  for (int i = 0; i < c->n; i++) {
    memcpy(out->counter_name[i], c->name[i], SC_NAME);
    if (c->slot[i] < 0) continue;
    out->counter[i] = (double)value[c->slot[i]] / calls;
    out->counter_mask |= 1u << i;
  }
}

void sc_counters_close(sc_counters *c) {
  if (!c) return;
  long long value[SC_MAX_COUNTERS];
  if (c->running) PAPI_stop(c->set, value); /* its process died */
  if (c->attached) PAPI_detach(c->set);
  if (c->set != PAPI_NULL) free_set(c->set);
  free(c);
}
