/* Two sources of counters behind one face (counters.c): PAPI (counters_papi.c, or counters_nopapi.c where it is left
 * out) and the kernel's own software events (counters_software.c), for machines whose PMU is missing or unknown to
 * PAPI. A source has slots for the events it could add; values come back in that order. */
#ifndef SC_HARNESS_COUNTERS_H
#define SC_HARNESS_COUNTERS_H

#include "harness/internal.h"

typedef struct sc_papi sc_papi;
sc_papi *sc_papi_open(void); /* NULL where PAPI counts nothing */
bool sc_papi_add(sc_papi *papi, const char *event, char *why, size_t size); /* why not; papi may be NULL */
bool sc_papi_attach(sc_papi *papi, pid_t pid); /* also to the threads that it starts later */
bool sc_papi_start(sc_papi *papi);
bool sc_papi_stop(sc_papi *papi, double value[SC_MAX_COUNTERS]);
void sc_papi_close(sc_papi *papi);
void sc_papi_list(sc_str *out);

typedef struct sc_software {
  int n;
  int event[SC_MAX_COUNTERS], fd[SC_MAX_COUNTERS];
} sc_software;
bool sc_software_add(sc_software *software, const char *event, char *why, size_t size);
bool sc_software_attach(sc_software *software, pid_t pid);
bool sc_software_start(sc_software *software);
bool sc_software_stop(sc_software *software, double value[SC_MAX_COUNTERS]);
void sc_software_close(sc_software *software);
void sc_software_list(sc_str *out);

#endif
