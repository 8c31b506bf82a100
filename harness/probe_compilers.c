/* The compilers of a machine: which of the table's are in PATH, with the arguments for its instruction set. The
 * plain names are builds for the widest vectors; the others make a narrower build of the same schedules, for data
 * that transfers. */
#include <stdio.h>
#include <string.h>

#include "harness/probe.h"

typedef struct entry {
  const char *isa, *name, *command, *arguments;
  uint16_t vector_bytes;
} entry;

/* gcc merges equal functions unless told not to, and timings of variants would lie; clang splits 512-bit vectors
 * unless told to prefer them. Aligned functions: placement moves times. A schedule says what is a vector, so the
 * compiler makes no others (gcc 12 also reads past the end of a tensor where it joins scalar loads of unrolled
 * rows). */
#define GCC_PLAIN "-O2 -ffp-contract=fast -fno-tree-vectorize -fno-ipa-icf -falign-functions=64"
#define CLANG_PLAIN "-O2 -ffp-contract=fast -fno-vectorize -fno-slp-vectorize -falign-functions=64"
#define GCC GCC_PLAIN " -march="
#define CLANG CLANG_PLAIN " -march="
#define WIDE " -mprefer-vector-width=512"
static const entry table[] = {
    {"x86-64-v4", "gcc", "gcc", GCC "x86-64-v4" WIDE, 64},
    {"x86-64-v4", "clang", "clang", CLANG "x86-64-v4" WIDE, 64},
    {"x86-64-v4", "gcc-v3", "gcc", GCC "x86-64-v3", 32},
    {"x86-64-v4", "clang-v3", "clang", CLANG "x86-64-v3", 32},
    {"x86-64-v3", "gcc", "gcc", GCC "x86-64-v3", 32},
    {"x86-64-v3", "clang", "clang", CLANG "x86-64-v3", 32},
    {"x86-64-v3", "gcc-v2", "gcc", GCC "x86-64-v2", 16},
    {"x86-64-v2", "gcc", "gcc", GCC "x86-64-v2", 16},
    {"x86-64-v2", "clang", "clang", CLANG "x86-64-v2", 16},
    {"x86-64", "gcc", "gcc", GCC "x86-64", 16},
    {"x86-64", "clang", "clang", CLANG "x86-64", 16},
    {"armv8-a", "gcc", "gcc", GCC "native", 16},
    {"armv8-a", "clang", "clang", CLANG_PLAIN " -mcpu=native", 16},
    {"generic", "gcc", "gcc", GCC_PLAIN, 0},
};

uint64_t sc_probe_compilers_hash(void) {
  uint64_t hash = 0;
  for (size_t i = 0; i < SC_COUNT_OF(table); i++) {
    hash = sc_hash64(table[i].isa, strlen(table[i].isa), hash);
    hash = sc_hash64(table[i].name, strlen(table[i].name), hash);
    hash = sc_hash64(table[i].arguments, strlen(table[i].arguments), hash);
  }
  return hash;
}

void sc_probe_version(sc_compiler *compiler) {
  sc_argv argv = {0};
  sc_str said = {0};
  int exit_status = -1;
  compiler->version[0] = '\0';
  sc_argv_split(&argv, compiler->command);
  sc_argv_add(&argv, "--version");
  if (sc_run_program(&argv, 10, &said, &exit_status, NULL) == SC_OK && exit_status == 0)
    snprintf(compiler->version, sizeof compiler->version, "%.*s", (int)strcspn(sc_str_text(&said), "\n"),
             sc_str_text(&said));
  sc_str_free(&said);
  sc_argv_free(&argv);
}

sc_status sc_probe_compilers(sc_machine *machine, sc_error *err) {
  for (size_t i = 0; i < SC_COUNT_OF(table) && machine->ncompilers < SC_MAX_COMPILERS; i++) {
    if (strcmp(table[i].isa, machine->isa) != 0) continue;
    sc_compiler c = {.vector_bytes = table[i].vector_bytes};
    snprintf(c.name, sizeof c.name, "%s", table[i].name);
    snprintf(c.command, sizeof c.command, "%s", table[i].command);
    snprintf(c.arguments, sizeof c.arguments, "%s", table[i].arguments);
    sc_probe_version(&c);
    if (c.version[0] != '\0') machine->compiler[machine->ncompilers++] = c;
  }
  if (machine->ncompilers == 0)
    return sc_fail(err, SC_NOTFOUND, "there is neither gcc nor clang in PATH; one of them is needed to measure");
  return SC_OK;
}
