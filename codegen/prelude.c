/* The head of every generated file: vector types of every width a kernel may ask for, as GNU vectors, so that any ISA
 * serves; wider ones than the hardware has are split by the compiler. sc_u<n> is the same without alignment. */
#include "codegen/internal.h"

enum { WIDEST = 64 };

/* What nests need besides kernels. */
static const char helpers[] =
    "typedef void sc_kernel_fn(float *, const float *, const float *, const int64_t *);\n"
    "typedef struct sc_loop { /* tiles [lo, hi) in steps, and what the segments of its dim are: first tile, first "
    "element, size */\n"
    "  int64_t lo, hi, step;\n"
    "  int nsegs;\n"
    "  const int64_t *seg;\n"
    "} sc_loop;\n"
    "#define SC_LEAST(x, y) ((x) < (y) ? (x) : (y))\n"
    "#define SC_MOST(x, y) ((x) > (y) ? (x) : (y))\n"
    "/* Compiled without a look at their callers: else the code of a nest hangs on what stands beside it in the file. "
    "*/\n"
    "#ifdef __clang__\n"
    "#define SC_HELPER __attribute__((weak, noinline, visibility(\"hidden\")))\n"
    "#else\n"
    "#define SC_HELPER static __attribute__((noipa, unused))\n"
    "#endif\n"
    "SC_HELPER int64_t sc_ceil_div(int64_t x, int64_t y) { return x / y + (x % y > 0); }\n"
    "SC_HELPER int64_t sc_blocked(int64_t x, int64_t block, int64_t outer, int64_t inner) {\n"
    "  int64_t q = x / block - (x % block < 0);\n"
    "  return q * outer + (x - q * block) * inner;\n"
    "}\n"
    "SC_HELPER void sc_zero(float *to, int64_t n) {\n"
    "  int64_t i = 0;\n"
    "  for (; i + 16 <= n; i += 16) SC_STORE16(to + i, SC_DUP16(0.0f));\n"
    "  for (; i < n; i++) to[i] = 0.0f;\n"
    "}\n"
    "/* Columns [j, j+4) of a plane whose rows are written and whose columns are read. */\n"
    "SC_HELPER void sc_turn4(float *restrict to, int64_t to_row, const float *restrict from, int64_t from_col, int64_t "
    "rows) {\n"
    "  int64_t i = 0;\n"
    "  for (; i + 4 <= rows; i += 4, to += 4 * to_row, from += 4) {\n"
    "    const sc_v4 a = SC_LOAD4(from), b = SC_LOAD4(from + from_col), c = SC_LOAD4(from + 2 * from_col), d = "
    "SC_LOAD4(from + 3 * from_col);\n"
    "    const sc_v4 e = SC_MIX4(a, b, 0, 4, 1, 5), f = SC_MIX4(a, b, 2, 6, 3, 7), g = SC_MIX4(c, d, 0, 4, 1, 5), h = "
    "SC_MIX4(c, d, 2, 6, 3, 7);\n"
    "    SC_STORE4(to, SC_MIX4(e, g, 0, 1, 4, 5));\n"
    "    SC_STORE4(to + to_row, SC_MIX4(e, g, 2, 3, 6, 7));\n"
    "    SC_STORE4(to + 2 * to_row, SC_MIX4(f, h, 0, 1, 4, 5));\n"
    "    SC_STORE4(to + 3 * to_row, SC_MIX4(f, h, 2, 3, 6, 7));\n"
    "  }\n"
    "  for (; i < rows; i++, to += to_row, from++)\n"
    "    for (int j = 0; j < 4; j++) to[j] = from[j * from_col];\n"
    "}\n"
    "/* Moves rows * cols elements from one strided plane to another. */\n"
    "SC_HELPER void sc_copy(float *restrict to, int64_t to_row, int64_t to_col, const float *restrict from, int64_t "
    "from_row,\n"
    "                       int64_t from_col, int64_t rows, int64_t cols) {\n"
    "  int64_t j = 0;\n"
    "  if (to_col == 1 && from_row == 1 && from_col != 1)\n"
    "    for (; j + 4 <= cols; j += 4) sc_turn4(to + j, to_row, from + j * from_col, from_col, rows);\n"
    "  for (int64_t i = 0; i < rows; i++) {\n"
    "    float *t = to + i * to_row;\n"
    "    const float *f = from + i * from_row;\n"
    "    int64_t k = j;\n"
    "    if (to_col == 1 && from_col == 1)\n"
    "      for (; k + 16 <= cols; k += 16) SC_STORE16(t + k, SC_LOAD16(f + k));\n"
    "    for (t += k * to_col, f += k * from_col; k < cols; k++, t += to_col, f += from_col) *t = *f;\n"
    "  }\n"
    "}\n"
    "SC_HELPER int64_t sc_start(const sc_loop *l, int64_t tile) {\n"
    "  int i = l->nsegs - 1;\n"
    "  while (i > 0 && tile < l->seg[3 * i]) i--;\n"
    "  return l->seg[3 * i + 1] + (tile - l->seg[3 * i]) * l->seg[3 * i + 2];\n"
    "}\n"
    "/* Where share tid of nt equal shares of the work of n nested loops begins, rounded to whole trips. */\n"
    "SC_HELPER void sc_cut(const sc_loop *l, int n, int tid, int nt, int64_t *at) {\n"
    "  double unit = 1;\n"
    "  for (int i = 0; i < n; i++) {\n"
    "    unit *= (double)(sc_start(&l[i], l[i].hi) - sc_start(&l[i], l[i].lo));\n"
    "    at[i] = i > 0 ? l[i].lo : l[i].hi;\n"
    "  }\n"
    "  double target = unit * tid / nt;\n"
    "  for (int i = 0; i < n && tid < nt; i++) {\n"
    "    unit /= (double)(sc_start(&l[i], l[i].hi) - sc_start(&l[i], l[i].lo));\n"
    "    int64_t t = l[i].lo, elems = 0;\n"
    "    for (; t < l[i].hi; t += l[i].step) {\n"
    "      elems = sc_start(&l[i], SC_LEAST(t + l[i].step, l[i].hi)) - sc_start(&l[i], t);\n"
    "      double work = unit * (double)elems;\n"
    "      if (target < (i == n - 1 ? work / 2 : work)) break;\n"
    "      target -= work;\n"
    "    }\n"
    "    at[i] = SC_LEAST(t, l[i].hi);\n"
    "    unit *= (double)elems;\n"
    "  }\n"
    "}\n";

static void add_dup(sc_str *out, int lanes) {
  sc_str_printf(out, "#define SC_DUP%d(x) __extension__({ const float d_ = (x); (sc_v%d){", lanes, lanes);
  for (int i = 0; i < lanes; i++) sc_str_add(out, i ? ", d_" : "d_");
  sc_str_add(out, "}; })\n");
}

/* GNU C has no vector ?:, so a compare's mask selects. Clang makes one instruction of that; gcc has to be told, and
 * x86's min and max are x ? y by definition, NaN and zeros included. */
static void add_select(sc_str *out, const char *name, const char *compare, int lanes) {
  sc_str_printf(out, "#define SC_%s%d(x, y) ((sc_v%d)((((x) %s (y)) & (sc_m%d)(x)) | (~((x) %s (y)) & (sc_m%d)(y))))\n",
                name, lanes, lanes, compare, lanes, compare, lanes);
}

static void add_x86_selects(sc_str *out) {
  static const struct {
    int lanes;
    const char *feature, *suffix, *more;
  } width[] = {{4, "__SSE__", "", ""}, {8, "__AVX__", "256", ""}, {16, "__AVX512F__", "512_mask", ", x, -1, 4"}};
  for (size_t i = 0; i < SC_COUNT_OF(width); i++) {
    sc_str_printf(out, "#if defined(%s) && !defined(__clang__)\n", width[i].feature);
    for (int max = 0; max < 2; max++)
      sc_str_printf(out, "#undef SC_%s%d\n#define SC_%s%d(x, y) __builtin_ia32_%sps%s(x, y%s)\n", max ? "MAX" : "MIN",
                    width[i].lanes, max ? "MAX" : "MIN", width[i].lanes, max ? "max" : "min", width[i].suffix,
                    width[i].more);
    sc_str_add(out, "#endif\n");
  }
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
  add_x86_selects(out);
  sc_str_add(out, "#if defined(__clang__) || __GNUC__ >= 12\n"
                  "#define SC_MIX4(x, y, a, b, c, d) __builtin_shufflevector(x, y, a, b, c, d)\n"
                  "#else\n"
                  "#define SC_MIX4(x, y, a, b, c, d) __builtin_shuffle(x, y, (sc_m4){a, b, c, d})\n"
                  "#endif\n");
  sc_str_add(out, helpers);
  sc_str_add(out, "\n");
}
