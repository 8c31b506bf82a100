/* Parts of machine-sched that have files of their own. */
#ifndef SC_TOOLS_MACHINE_H
#define SC_TOOLS_MACHINE_H

#include "tools/tools.h"

struct machine_options {
  const char *out, *machine;
  bool json, no_kernels;
};

/* The machine's text, or in JSON an object with what one asks most. path may be NULL. */
void machine_describe(tool *t, const sc_machine *m, const char *path, bool json);
sc_status machine_probe(tool *t, const struct machine_options *o, int n, char **operands);
sc_status machine_list(tool *t, const struct machine_options *o, int n, char **operands);

#endif
