/* The host's machine file: probed once, kept in the cache, probed again when the processor or its compilers change. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "harness/probe.h"

/* What even a container that hides everything has; said to be assumed. */
static void assume_the_rest(sc_machine *machine) {
  static const double bytes[SC_MAX_CACHES] = {32768, 1048576, 8388608};
  if (machine->cores.value < 1) machine->cores = (sc_value){(double)sc_allowed_cores(), SC_ASSUMED};
  if (machine->ncaches == 0)
    for (int i = 0; i < SC_MAX_CACHES; i++) machine->cache[machine->ncaches++].bytes = (sc_value){bytes[i], SC_ASSUMED};
  for (int i = 0; i < machine->ncaches; i++) {
    sc_cache *c = &machine->cache[i];
    if (c->line_bytes.value < 1) c->line_bytes = (sc_value){64, SC_ASSUMED};
    if (c->ways.value < 1) c->ways = (sc_value){8, SC_ASSUMED};
    if (c->shared_by.value < 1) c->shared_by = (sc_value){1, SC_ASSUMED};
  }
  if (machine->l1i_bytes.value < 1) machine->l1i_bytes = (sc_value){32768, SC_ASSUMED};
  if (machine->l1_tlb_entries.value < 1) machine->l1_tlb_entries = (sc_value){64, SC_ASSUMED};
  if (machine->l2_tlb_entries.value < 1) machine->l2_tlb_entries = (sc_value){1024, SC_ASSUMED};
}

sc_status sc_machine_probe(sc_machine *machine, const sc_log *log, sc_error *err) {
  *machine = (sc_machine){.runner = "local"};
  sc_probe_cpu(machine);
  sc_log_printf(log, SC_LOG_INFO, "probing %s (%s)", machine->cpu, machine->isa);
  SC_TRY(sc_probe_topology(machine, err));
  assume_the_rest(machine);
  if (machine->cores.value > (double)sc_allowed_cores()) machine->cores.value = (double)sc_allowed_cores();
  SC_TRY(sc_probe_compilers(machine, err));
  SC_TRY(sc_probe_speed(machine, err));
  sc_log_printf(log, SC_LOG_INFO, "%s: %.0f cores, %.2f GHz, peak %.1f GFLOP/s", machine->name, machine->cores.value,
                machine->clock_hz.value * 1e-9, machine->peak_flop_per_s.value * 1e-9);
  return SC_OK;
}

/* Is the machine that a file describes no longer the one we are on, or are its compilers no longer those that are
 * installed? Says what has changed. */
static bool has_changed(const sc_machine *machine, char *what, size_t size) {
  sc_machine now = {0};
  sc_probe_cpu(&now);
  if (strcmp(now.cpu, machine->cpu) != 0 || strcmp(now.isa, machine->isa) != 0) {
    snprintf(what, size, "the processor is '%s' (%s)", now.cpu, now.isa);
    return true;
  }
  for (int i = 0; i < machine->ncompilers; i++) {
    sc_compiler c = machine->compiler[i];
    bool known = c.version[0] == '\0'; /* a version that nobody claimed, a command that was asked already */
    for (int k = 0; k < i; k++) known |= strcmp(machine->compiler[k].command, c.command) == 0;
    if (known) continue;
    sc_probe_version(&c);
    if (strcmp(c.version, machine->compiler[i].version) == 0) continue;
    snprintf(what, size, "'%s' is %s", c.command, c.version[0] != '\0' ? c.version : "gone");
    return true;
  }
  snprintf(what, size, "it names no compiler");
  return machine->ncompilers == 0;
}

/* The first line of a file that the probe wrote. A file without one is a person's, and stays. */
#define HEAD "# written by the probe "
static void print_head(sc_str *out) {
  char hex[17];
  sc_hash_hex(sc_probe_compilers_hash(), hex);
  sc_str_printf(out, HEAD "%s and renewed with the machine, its compilers or the probe; without this line it stays\n",
                hex);
}

typedef enum owner { NOBODY, PROBE, PERSON } owner;

/* Reads the host's file; sets whose it is and, *current, that it is the probe's and need not be renewed. */
static sc_status read_host(const char *path, sc_machine *machine, owner *of, bool *current, const sc_log *log,
                           sc_error *err) {
  char *text, what[512];
  size_t len;
  sc_str head = {0};
  sc_error why = {0};
  sc_arena *arena = sc_arena_new();
  if (!arena) return sc_fail(err, SC_NOMEM, "out of memory");
  sc_status status = sc_file_read(arena, path, 1 << 16, &text, &len, &why);
  if (status == SC_OK) {
    *of = strncmp(text, HEAD, strlen(HEAD)) == 0 ? PROBE : PERSON;
    status = sc_machine_parse(path, text, len, machine, &why);
    bool changed = status == SC_OK && has_changed(machine, what, sizeof what);
    print_head(&head);
    *current = status == SC_OK && !changed && strncmp(text, sc_str_text(&head), head.len) == 0;
    if (*of == PERSON && changed)
      sc_log_printf(log, SC_LOG_WARN, "%s no longer fits: %s; without the probe's first line it stays as it is", path,
                    what);
    sc_str_free(&head);
  }
  sc_arena_free(arena);
  if (status == SC_OK || status == SC_NOTFOUND || *of == PROBE) return SC_OK; /* the probe's own may be damaged */
  if (err) *err = why;
  return status;
}

static sc_status probe_host(const char *folder, const char *path, sc_machine *machine, const sc_log *log,
                            sc_error *err) {
  SC_TRY(sc_machine_probe(machine, log, err));
  sc_str text = {0};
  print_head(&text);
  sc_machine_print(machine, &text);
  sc_status status = text.failed ? sc_fail(err, SC_NOMEM, "out of memory") : sc_mkdirs(folder, err);
  if (status == SC_OK) status = sc_file_write_atomic(path, text.text, text.len, err);
  sc_str_free(&text);
  return status;
}

static sc_status host(sc_machine *machine, bool renew, const sc_log *log, sc_error *err) {
  char folder[SC_PATH], path[SC_PATH];
  owner of = NOBODY;
  bool current = false;
  sc_cache_dir(folder, sizeof folder);
  SC_TRY(sc_path(path, err, "%s/host.machine", folder));
  SC_TRY(read_host(path, machine, &of, &current, renew ? NULL : log, err));
  if (renew && of == PERSON)
    return sc_fail(err, SC_MISMATCH, "'%s' lacks the probe's first line, so it is yours and stays; move it away first",
                   path);
  return (current && !renew) || of == PERSON ? SC_OK : probe_host(folder, path, machine, log, err);
}

sc_status sc_machine_host(sc_machine *machine, const sc_log *log, sc_error *err) {
  return host(machine, false, log, err);
}

sc_status sc_machine_renew(sc_machine *machine, const sc_log *log, sc_error *err) {
  return host(machine, true, log, err);
}

/* A name that is of no processor in particular: none, or one that begins so. */
#define GENERIC "generic"

sc_status sc_machine_here(const sc_machine *machine, sc_machine *here, sc_error *err) {
  sc_machine now = {0};
  sc_probe_cpu(&now);
  *here = *machine;
  bool generic = machine->cpu[0] == '\0' || strncmp(machine->cpu, GENERIC, strlen(GENERIC)) == 0;
  if (!generic && strcmp(machine->cpu, now.cpu) != 0)
    return sc_fail(err, SC_UNSUPPORTED, "the machine '%s' is '%s' and this is '%s': nothing of it can be measured here",
                   machine->name, machine->cpu, now.cpu);
  if (!sc_probe_executes(machine->isa))
    return sc_fail(err, SC_UNSUPPORTED, "the machine '%s' has %s, which this processor ('%s', %s) does not execute",
                   machine->name, machine->isa, now.cpu, now.isa);
  if (generic) snprintf(here->cpu, sizeof here->cpu, "%.56s as %s", now.cpu, machine->name);
  return SC_OK;
}
