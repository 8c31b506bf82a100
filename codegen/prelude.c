/* The head of every generated file: vector types of every width a kernel may ask for, as GNU vectors, so that any ISA
 * serves; wider ones than the hardware has are split by the compiler. sc_u<n> is the same without alignment. */
#include "codegen/internal.h"

enum { WIDEST = 64 };

static void add_dup(sc_str *out, int lanes) {
  sc_str_printf(out, "#define SC_DUP%d(x) __extension__({ const float d_ = (x); (sc_v%d){", lanes, lanes);
  for (int i = 0; i < lanes; i++) sc_str_add(out, i ? ", d_" : "d_");
  sc_str_add(out, "}; })\n");
}

/* GNU C has no vector ?:, so a compare's mask selects. */
static void add_select(sc_str *out, const char *name, const char *compare, int lanes) {
  sc_str_printf(out, "#define SC_%s%d(x, y) ((sc_v%d)((((x) %s (y)) & (sc_m%d)(x)) | (~((x) %s (y)) & (sc_m%d)(y))))\n",
                name, lanes, lanes, compare, lanes, compare, lanes);
}

void sc_emit_prelude(sc_str *out) {
  sc_str_add(out, "#include <stddef.h>\n#include <stdint.h>\n\n"
                  "typedef float sc_v1;\n"
                  "#define SC_LOAD1(p) (*(p))\n"
                  "#define SC_STORE1(p, x) (*(p) = (x))\n"
                  "#define SC_DUP1(x) (x)\n"
                  "#define SC_MAX1(x, y) ((x) > (y) ? (x) : (y))\n"
                  "#define SC_MIN1(x, y) ((x) < (y) ? (x) : (y))\n");
  for (int lanes = 2; lanes <= WIDEST; lanes *= 2) {
    sc_str_printf(out, "typedef float sc_v%d __attribute__((vector_size(%d)));\n", lanes, 4 * lanes);
    sc_str_printf(out, "typedef float sc_u%d __attribute__((vector_size(%d), aligned(4), may_alias));\n", lanes,
                  4 * lanes);
    sc_str_printf(out, "typedef int32_t sc_m%d __attribute__((vector_size(%d)));\n", lanes, 4 * lanes);
    sc_str_printf(out, "#define SC_LOAD%d(p) (*(const sc_u%d *)(p))\n", lanes, lanes);
    sc_str_printf(out, "#define SC_STORE%d(p, x) (*(sc_u%d *)(p) = (x))\n", lanes, lanes);
    add_dup(out, lanes);
    add_select(out, "MAX", ">", lanes);
    add_select(out, "MIN", "<", lanes);
  }
  sc_str_add(out, "\n");
}
