/* How a nest becomes C. A nest is a chain of nodes, so everything that changes does so at one of them: an `expr` knows the
 * node behind which its value is fixed (its level), and is printed there and nowhere deeper. A kernel call then costs
 * little more than the call. Names in the generated code, n being the number of a node:
 *   t<n> h<n>      tiles [t,h) of a loop's dim, its current range      x<n> e<n>  first element of it, and how many
 *   z<n> c<n>      elements of tile t, and its class                   o<a>_<n>   offset of access a so far
 *   n<p*6+x>       extent of axis x of pack p                          T<i> P<p>  tensor i, buffer of pack p
 *   u<d> k<d>      first tap and number of taps of a clamped dim d     a[g]       argument arrays of the kernels */
#ifndef SC_CODEGEN_NEST_H
#define SC_CODEGEN_NEST_H

#include "codegen/codegen.h"

enum { SC_ROOT = -1, SC_MAX_TERMS = 2 * SC_MAX_DIMS + 2 };

/* Variables of the generated code that are left out where nothing reads them: letter and number are their name. */
typedef enum named {
  SC_NAME_HI,
  SC_NAME_START,
  SC_NAME_EXTENT,
  SC_NAME_SIZE,
  SC_NAME_CLASS,
  SC_NAME_BOX,
  SC_NAME_TENSOR,
  SC_NAME_PACK,
  SC_NAMES
} named;
#define SC_LETTERS "hxezcnTP"
typedef struct name_set { /* a set of them: bit = number */
  uint64_t bit[SC_NAMES];
} name_set;
void sc_name_set_add(name_set *set, named kind, int number);
void sc_name_set_join(name_set *set, const name_set *more);

typedef struct expr {
  int level; /* node behind which it is known, SC_ROOT = from the start */
  bool literal;
  int64_t value;
  name_set reads; /* what stands in its text */
  char text[448];
} expr;

expr sc_lit(int64_t value);
expr sc_name(int level, named kind, int number);
expr sc_var(int level, const char *format, ...) __attribute__((format(printf, 2, 3)));
expr sc_reading(expr x, expr part); /* x, whose text holds that of `part` */
expr sc_add(expr a, expr b);
expr sc_sub(expr a, expr b);
expr sc_mul(expr a, expr b);
expr sc_min(expr a, expr b);
expr sc_max(expr a, expr b);

/* A sum whose terms become known one after the other. */
typedef struct sum {
  int n;
  expr term[SC_MAX_TERMS];
} sum;
void sc_sum_add(sum *s, expr term); /* drops zeros, folds literals */

typedef struct arg_group {
  sc_arg arg[SC_MAX_ARGS]; /* an argument list that some kernels share */
  int nargs;
  expr *value;
} arg_group;

/* Strides of an access, per element of a dim: inside a tile, and where tiles begin; and from one tile to the next. Of a
 * pack also by part of its layout, per element of the axis. */
typedef struct strides {
  expr inside[SC_MAX_DIMS], tile[SC_MAX_DIMS], step[SC_MAX_DIMS], part[2 * SC_MAX_AXES];
} strides;

/* A line that stands in the code only if its variable is read, and what it reads then. */
typedef struct definition {
  named kind;
  int number;
  name_set reads;
} definition;

typedef struct nester {
  const sc_task *task;
  const sc_nest *nest;
  const char *name, *linkage;
  sc_str *out;
  sc_arena *arena;
  int indent;
  int kernel; /* the KERNEL node; behind it stands the pseudo node `split` */
  int split; /* = nnodes: the loop over the segments of a free kernel loop; SC_ROOT where there is none */
  int par; /* the PAR node, SC_ROOT = none */
  int pack_node[SC_MAX_PACKS]; /* SC_ROOT: ahead */
  int64_t pack_at[SC_MAX_PACKS]; /* byte offsets: ahead, shared and private buffers count apart */
  int64_t ahead_bytes, shared_bytes, private_bytes;
  int nvariants, ngroups;
  sc_kernel *variant; /* by class number */
  uint8_t *group_of;
  arg_group *group;
  /* Filled from the above before anything is printed. */
  sum offset[SC_MAX_ACCESSES + 1];
  strides stride[SC_MAX_ACCESSES + 1];
  /* nest_text.c: which definitions are needed. */
  bool dry; /* lines are not printed but looked at */
  name_set line, read; /* what the line in the making reads; what any line that stays does */
  int ndefinitions;
  definition definition[SC_NAMES * SC_MAX_NODES];
} nester;

/* ---- nest_range.c: ranges of the dims; `at` is a place in the nest: behind all nodes before number `at` ---- */
enum { SC_AT_KERNEL = SC_MAX_NODES + 2 };
/* Innermost loop over dim d around `at`, SC_ROOT = none. */
int sc_range_loop(const nester *g, int d, int at);
expr sc_range_lo(nester *g, int d, int at); /* tiles */
expr sc_range_hi(nester *g, int d, int at);
expr sc_range_count(nester *g, int d, int at);
expr sc_range_start(nester *g, int d, int at); /* elements */
expr sc_range_extent(nester *g, int d, int at);
expr sc_tile_size(nester *g, int d); /* of the tile that the kernel works on */
expr sc_tile_class(nester *g, int d);
bool sc_tiling_uniform(const sc_tiling *tiling); /* all tiles of one size */
/* First element, size, class of the tile that expression `t` names. */
void sc_text_start(const sc_tiling *tiling, const char *t, sc_str *out);
void sc_text_size(const sc_tiling *tiling, const char *t, sc_str *out);
void sc_text_class(const sc_tiling *tiling, const char *t, sc_str *out);
/* Clamped dims: level where the bounds are known, SC_ROOT - 1 = not clamped. */
bool sc_is_clamped(const nester *g, int d);
int sc_clamp_level(nester *g, int d);

/* ---- nest_place.c: offsets, strides and arguments ---- */
/* Number of elements along axis x of pack p: its name, and what it is. */
expr sc_pack_extent(nester *g, int p, int x);
expr sc_pack_box(nester *g, int p, int x);
/* Strides of pack p, given the widths of the tiles. */
void sc_pack_expr(nester *g, int p, const expr *tile, strides *out);
void sc_place_all(nester *g);

/* ---- nest_copy.c ---- */
/* The copy of pack p at its place; `shared`: every thread takes its part of it. */
void sc_emit_copy(nester *g, int p, bool shared);

/* ---- nest_text.c ---- */
/* Prints a function twice, first dry, so that it defines only what it reads. */
void sc_print_function(nester *g, void (*print)(nester *));
/* The text of an expression, or the name of a buffer, for the next line. */
const char *sc_read(nester *g, const expr *x);
void sc_read_name(nester *g, named kind, int number);
/* The line that defines a variable, if anything reads it. */
void sc_define(nester *g, named kind, int number, const char *format, ...) __attribute__((format(printf, 4, 5)));
void sc_put(nester *g, const char *format, ...) __attribute__((format(printf, 2, 3))); /* one line */
void sc_begin(nester *g, const char *format, ...)
    __attribute__((format(printf, 2, 3))); /* one line, ends in {; indents */
void sc_end(nester *g);

#endif
