/* The parts of the probe: what the system says (probe_hwloc.c), what the processor says (probe_cpu.c), which
 * compilers there are (probe_compilers.c), what can only be measured (probe_speed.c). Each fills its values of a
 * zeroed machine. */
#ifndef SC_HARNESS_PROBE_H
#define SC_HARNESS_PROBE_H

#include "harness/internal.h"

sc_status sc_probe_topology(sc_machine *machine, sc_error *err);
void sc_probe_cpu(sc_machine *machine); /* cpu, isa, vectors, TLBs */
bool sc_probe_executes(const char *isa); /* this processor */
sc_status sc_probe_compilers(sc_machine *machine, sc_error *err); /* those in PATH, for the ISA */
uint64_t sc_probe_compilers_hash(void); /* of the table: another one makes another machine file */
void sc_probe_version(sc_compiler *compiler); /* first line of --version; "" when it does not run */
sc_status sc_probe_speed(sc_machine *machine, sc_error *err); /* clock, peak, latency, bandwidths */

#endif
