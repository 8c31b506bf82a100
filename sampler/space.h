/* The space language inside sampler/: what a *.space file holds after parsing. Names stay names until a space is bound
 * to a task: a file serves every size, layout and epilogue of its operator, and every machine.
 *
 *   space_parse.c   text -> sc_space          space_print.c  sc_space -> text
 *   space_cond.c    conditions, both ways     space.c        files, the default space, hash
 *
 * A space is a list of clauses and one of conditions. A clause gives one attribute of a schedule its alternatives. */
#ifndef SC_SAMPLER_SPACE_H
#define SC_SAMPLER_SPACE_H

#include "sampler/sampler.h"

enum {
  SC_SPACE_CHOICES = 8,
  SC_SPACE_OPTIONS = 8, /* of one choice */
  SC_SPACE_CLAUSES = 96,
  SC_SPACE_ALTERNATIVES = 16, /* of one clause */
  SC_SPACE_CONDITIONS = 48,
  SC_SPACE_NODES = 48, /* of one expression */
  SC_SPACE_ATOMS = 4, /* behind one `if` */
  SC_SPACE_NESTING = 32
};

/* ---- clauses ---- */

typedef enum sc_attribute {
  SC_AT_BANDS,
  SC_AT_VECTOR,
  SC_AT_LANES,
  SC_AT_COMPILE,
  SC_AT_TILE, /* of a dim; so is the ladder */
  SC_AT_LADDER,
  SC_AT_LOOP,
  SC_AT_UNROLL,
  SC_AT_PACK, /* of a tensor */
  SC_AT_PARALLEL,
  SC_AT_PAD, /* of the free dim that walks the padded axis */
  SC_AT_ORDER, /* of a band */
  SC_AT_CHOICE, /* in `if` and `force` only: an option of a named choice */
  SC_AT_COUNT
} sc_attribute;

/* What an alternative says; which of the fields count depends on the attribute. */
typedef enum sc_alt_kind {
  SC_ALT_LIST, /* names: vector, compile, loop, parallel (band lo), order, an option */
  SC_ALT_NUMBER, /* lo .. hi: bands, lanes, unroll, sizes of tiles, tiles of a ladder; bands of a pack */
  SC_ALT_NONE, /* the words */
  SC_ALT_ANY,
  SC_ALT_WIDEST, /* compile: those of the widest vectors among the compilers that are left */
  SC_ALT_ALL,
  SC_ALT_NATIVE,
  SC_ALT_HALF,
  SC_ALT_QUARTER,
  SC_ALT_RUNS, /* tile: exactly these */
  SC_ALT_DIVISORS,
  SC_ALT_POWERS,
  SC_ALT_SPLITS,
  SC_ALT_WHOLE,
  SC_ALT_TOP,
  SC_ALT_AT_MOST, /* ladder: at most lo rungs */
  SC_ALT_RULE /* pad: lo is a sc_pad_rule */
} sc_alt_kind;

typedef struct sc_alt {
  uint8_t kind, nnames;
  bool vectors; /* tile: lo .. hi count vectors */
  uint8_t group[SC_MAX_DIMS]; /* order: names of one number stand in any order */
  char name[SC_MAX_DIMS][SC_NAME];
  int32_t lo, hi;
  int16_t skew;
  uint8_t nruns;
  sc_run run[SC_MAX_RUNS];
  const char *layout; /* pack: "[i/t,k,i%t]"; NULL in `if` and `force`: any */
  sc_token at;
} sc_alt;

enum { SC_FORM_EVEN = 1, SC_FORM_REST = 2, SC_FORM_BALANCED = 4 }; /* how runs of one size cover a dim */

typedef struct sc_clause {
  uint8_t attribute;
  bool force, negated; /* negated: in `if` only */
  int8_t choice, option; /* the option it belongs to, -1 = always */
  char subject[SC_NAME]; /* dim of tile and ladder ("*" = any other), tensor of pack, dim of pad, named choice */
  uint8_t nth; /* pack: the nth access of the tensor, from 1 */
  uint8_t band; /* order */
  uint8_t forms; /* tile; 0 = rest and balanced */
  uint8_t nalts;
  sc_alt *alt;
  sc_token at;
} sc_clause;

/* ---- conditions ---- */

/* SC_QUANTITY(name, arguments, doc): d = a dim, b = a band, t = a tensor. sampler/quantities.def lists them. */
typedef enum sc_quantity {
#define SC_QUANTITY(name, arguments, doc) SC_Q_##name,
#include "sampler/quantities.def"
#undef SC_QUANTITY
  SC_Q_COUNT
} sc_quantity;
typedef struct sc_quantity_info {
  const char *name, *arguments, *doc;
} sc_quantity_info;
extern const sc_quantity_info sc_quantities[SC_Q_COUNT];

typedef enum sc_node_op {
  SC_COND_NUMBER,
  SC_COND_QUANTITY,
  SC_COND_ADD,
  SC_COND_SUB,
  SC_COND_MUL,
  SC_COND_DIV,
  SC_COND_MIN,
  SC_COND_MAX,
  SC_COND_NEG
} sc_node_op;

/* Postfix. */
typedef struct sc_cond_node {
  uint8_t op, quantity, band, nth;
  char subject[SC_NAME];
  double value;
  sc_token at;
} sc_cond_node;

typedef enum sc_relation { SC_REL_LE, SC_REL_LT, SC_REL_GE, SC_REL_GT, SC_REL_EQ, SC_REL_NE } sc_relation;

typedef struct sc_cond {
  bool force;
  uint8_t relation, nleft, nright, natoms;
  sc_cond_node *left, *right;
  sc_clause *atom; /* all must hold for the condition to count */
  int8_t choice, option;
  sc_token at;
} sc_cond;

/* ---- the space ---- */

typedef struct sc_named_choice {
  char name[SC_NAME];
  uint8_t noptions;
  char option[SC_SPACE_OPTIONS][SC_NAME];
  sc_token at;
} sc_named_choice;

struct sc_space {
  char name[SC_NAME];
  const char *where, *text, *forced; /* kept, so that tokens stay valid; forced: the lines added to a copy, or NULL */
  size_t len, forced_len;
  uint8_t bands;
  int nchoices, nclauses, nconds;
  sc_named_choice choice[SC_SPACE_CHOICES];
  sc_clause clause[SC_SPACE_CLAUSES];
  sc_cond cond[SC_SPACE_CONDITIONS];
};

typedef struct sc_space_reader {
  sc_reader r;
  sc_arena *arena;
  sc_space *space;
  int choice, option; /* being read, -1 */
} sc_space_reader;

extern const char *const sc_attribute_words[SC_AT_COUNT];
extern const char *const sc_alt_words[]; /* by sc_alt_kind; NULL where there is none */
extern const char *const sc_space_pad_words[]; /* by sc_pad_rule */
extern const char *const sc_relation_words[];

/* One clause from its word on; `lone`: one alternative, and a pack may leave out its layout (`if`, `force`). */
void sc_clause_read(sc_space_reader *x, sc_clause *clause, bool lone);
void sc_clause_print(const sc_clause *clause, sc_str *out);
/* Is the current token the first of a clause (a named choice included)? */
bool sc_clause_ahead(const sc_space_reader *x);
void sc_cond_read(sc_space_reader *x, sc_cond *cond);
void sc_cond_print(const sc_cond *cond, sc_str *out);
/* Memory for the parser; fails the reader when there is none. */
void *sc_space_alloc(sc_space_reader *x, size_t count, size_t size);
/* A copy of `space` with the lines of `force` added, for the life of the arena. */
sc_status sc_space_forced(sc_arena *arena, const sc_space *space, const char *force, const sc_space **result,
                          sc_error *err);
/* Fails at a token of the space's text. */
sc_status sc_space_fail(const sc_space *space, const sc_token *at, sc_error *err, sc_status status, const char *format,
                        ...) __attribute__((format(printf, 5, 6)));

#endif
