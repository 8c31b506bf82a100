/* The source of the runner program, in the library: it is compiled on the machine that measures, for the target that
 * is measured. Made of the files of harness/child by .incbin; CMake says where they are and that this file depends
 * on them. */
#include "harness/internal.h"

#define EMBED(symbol, file)                           \
  __asm__(".section .rodata\n"                        \
          ".hidden " #symbol "\n"                     \
          ".global " #symbol "\n" #symbol ":\n"       \
          ".incbin \"" SC_HARNESS_DIR "/" file "\"\n" \
          ".byte 0\n"                                 \
          ".previous\n");                             \
  extern const char symbol[]

EMBED(sc_child_protocol_h, "protocol.h");
EMBED(sc_child_child_h, "child/child.h");
EMBED(sc_child_main_c, "child/main.c");
EMBED(sc_child_time_c, "child/time.c");
EMBED(sc_child_visit_c, "child/visit.c");
EMBED(sc_child_memory_c, "child/memory.c");
EMBED(sc_child_threads_c, "child/threads.c");
EMBED(sc_child_guard_c, "child/guard.c");
EMBED(sc_child_clocks_c, "child/clocks.c");
EMBED(sc_child_gauge_c, "child/gauge.c");
EMBED(sc_child_kernels_c, "child/kernels.c");

static const sc_child_file files[] = {
    {"protocol.h", sc_child_protocol_h}, {"child.h", sc_child_child_h},   {"main.c", sc_child_main_c},
    {"visit.c", sc_child_visit_c},       {"memory.c", sc_child_memory_c}, {"threads.c", sc_child_threads_c},
    {"guard.c", sc_child_guard_c},       {"clocks.c", sc_child_clocks_c}, {"gauge.c", sc_child_gauge_c},
    {"kernels.c", sc_child_kernels_c},   {"time.c", sc_child_time_c},
};

const sc_child_file *sc_child_files(size_t *n) {
  *n = SC_COUNT_OF(files);
  return files;
}
