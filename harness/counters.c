/* Counters by name. An event is PAPI's if PAPI can add it, else the kernel's if it is one of its software events,
 * else it has a reason and no value. Counting is done from outside: the harness attaches to the process that runs a
 * kernel. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/counters.h"

typedef enum source { NOWHERE, PAPI, SOFTWARE } source;

struct sc_counters {
  int n;
  char name[SC_MAX_COUNTERS][SC_NAME];
  source from[SC_MAX_COUNTERS];
  int slot[SC_MAX_COUNTERS], slots[SOFTWARE + 1];
  sc_papi *papi;
  sc_software software;
  bool running[SOFTWARE + 1];
};

static source add(sc_papi *papi, sc_software *software, const char *event, char *why, size_t size) {
  char also[256] = "";
  if (sc_papi_add(papi, event, why, size)) return PAPI;
  if (sc_software_add(software, event, also, sizeof also)) return SOFTWARE;
  if (also[0] != '\0') snprintf(why, size, "%s", also); /* it is a software event, and this is why not */
  return NOWHERE;
}

void sc_counter_reason(const char *event, char *buf, size_t size) {
  sc_papi *papi = sc_papi_open();
  sc_software software = {0};
  if (add(papi, &software, event, buf, size) != NOWHERE) buf[0] = '\0';
  sc_papi_close(papi);
  sc_software_close(&software);
}

void sc_counter_list(sc_str *out) {
  sc_papi_list(out);
  sc_software_list(out);
}

/* Reasons begin with the event; a text that is full keeps the first ones. */
static void note_missing(char *missing, size_t size, const char *reason) {
  size_t n = strlen(missing);
  if (n + strlen(reason) + 2 <= size) snprintf(missing + n, size - n, "%s%s", n > 0 ? "\n" : "", reason);
}

static void add_event(sc_counters *c, const char *event, int len, char *missing, size_t size) {
  char why[256];
  if (len >= SC_NAME || c->n == SC_MAX_COUNTERS) {
    if (len >= SC_NAME) snprintf(why, sizeof why, "%.*s: no event has so long a name", SC_NAME, event);
    else snprintf(why, sizeof why, "%.*s: at most %d counters are counted", len, event, SC_MAX_COUNTERS);
    note_missing(missing, size, why);
    return;
  }
  snprintf(c->name[c->n], SC_NAME, "%.*s", len, event);
  c->from[c->n] = add(c->papi, &c->software, c->name[c->n], why, sizeof why);
  if (c->from[c->n] == NOWHERE) note_missing(missing, size, why);
  c->slot[c->n] = c->slots[c->from[c->n]]++;
  c->n++;
}

sc_counters *sc_counters_open(const char *events, char *missing, size_t size) {
  sc_counters *c = events && events[0] ? calloc(1, sizeof *c) : NULL;
  if (!c) return NULL;
  c->papi = sc_papi_open();
  while (*events) {
    size_t len = strcspn(events, ",");
    if (len > 0) add_event(c, events, len < SC_NAME ? (int)len : SC_NAME, missing, size);
    events += len + (events[len] == ',');
  }
  if (c->slots[PAPI] + c->slots[SOFTWARE] > 0) return c;
  sc_counters_close(c);
  return NULL;
}

void sc_counters_attach(sc_counters *c, pid_t pid) {
  c->running[PAPI] = c->slots[PAPI] > 0 && sc_papi_attach(c->papi, pid);
  c->running[SOFTWARE] = c->slots[SOFTWARE] > 0 && sc_software_attach(&c->software, pid);
}

void sc_counters_start(sc_counters *c) {
  c->running[PAPI] = c->running[PAPI] && sc_papi_start(c->papi);
  c->running[SOFTWARE] = c->running[SOFTWARE] && sc_software_start(&c->software);
}

void sc_counters_stop(sc_counters *c, uint32_t calls, sc_measured *out) {
  double value[SOFTWARE + 1][SC_MAX_COUNTERS] = {{0}};
  c->running[SOFTWARE] = c->running[SOFTWARE] && sc_software_stop(&c->software, value[SOFTWARE]);
  c->running[PAPI] = c->running[PAPI] && sc_papi_stop(c->papi, value[PAPI]);
  for (int i = 0; i < c->n; i++) {
    memcpy(out->counter_name[i], c->name[i], SC_NAME);
    if (c->from[i] == NOWHERE) continue; /* and the reason is noted */
    if (!c->running[c->from[i]] || calls == 0) {
      char why[256];
      snprintf(why, sizeof why, "%s: it could not be attached to the process", c->name[i]);
      note_missing(out->counters_missing, sizeof out->counters_missing, why);
      continue;
    }
    out->counter[i] = value[c->from[i]][c->slot[i]] / calls;
    out->counter_mask |= 1u << i;
  }
}

void sc_counters_close(sc_counters *c) {
  if (!c) return;
  sc_papi_close(c->papi);
  sc_software_close(&c->software);
  free(c);
}
