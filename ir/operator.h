/* The operator language inside ir/: what a *.op file holds after parsing, and the steps from there to a task.
 *
 *   operator_parse.c  text -> sc_operator      operator_check.c  what must hold of every variant
 *   operator_size.c   size expressions         operator_print.c  sc_operator -> text
 *   operator_stmt.c   statements, both ways    operator.c        look-ups
 *   task.c            "op:NAME=value,..."      task_bind.c       numbers put in, tensors and accesses made
 *   task_merge.c      canonical form           task_key.c        hash and group key
 *
 * An operator is a table of parameters (sizes, numbers, computed sizes, choices), tensors, statements and the settings
 * that a choice's alternatives make. Everything refers to everything by index. */
#ifndef SC_IR_OPERATOR_H
#define SC_IR_OPERATOR_H

#include "ir/ir.h"

enum {
  SC_OP_PARAMS = 32,
  SC_OP_ALTERNATIVES = 32, /* of all choices together */
  SC_OP_SETTINGS = 64,
  SC_OP_CONDITIONS = 8,
  SC_OP_TENSORS = 12, /* of all variants together; a task has at most SC_MAX_TENSORS */
  SC_OP_STATEMENTS = 12,
  SC_OP_ACCESSES = 24,
  SC_OP_TERMS = 4, /* of an index */
  SC_OP_NODES = 24, /* of a size expression */
  SC_OP_NESTING = 32 /* open brackets */
};
#define SC_OP_MAX_SIZE ((int64_t)1 << 30) /* of a dim or axis */
/* Of a factor or offset in an index, and of what it reads behind the end: with it no product of strides overflows. */
#define SC_OP_MAX_REACH ((int64_t)1 << 20)
#define SC_OP_MAX_ELEMS ((int64_t)1 << 40) /* of a tensor, and of a loop over all dims of an operator: 2^50 */

/* ---- size expressions: integers and parameters in postfix ---- */

typedef enum sc_size_op {
  SC_SIZE_INT,
  SC_SIZE_PARAM,
  SC_SIZE_ADD,
  SC_SIZE_SUB,
  SC_SIZE_MUL,
  SC_SIZE_DIV,
  SC_SIZE_MOD
} sc_size_op;
typedef struct sc_size {
  uint8_t n;
  struct {
    uint8_t op;
    int32_t value; /* the integer, or the parameter's index */
  } node[SC_OP_NODES];
} sc_size;

/* ---- the tables of an operator ---- */

typedef enum sc_param_kind {
  SC_PARAM_SIZE, /* >= 1 */
  SC_PARAM_NUMBER, /* >= 0 */
  SC_PARAM_LET, /* computed, >= 1 */
  SC_PARAM_CHOICE /* value = alternative, counted from its first */
} sc_param_kind;
typedef struct sc_param {
  char name[SC_NAME];
  sc_param_kind kind;
  bool has_value; /* SIZE, NUMBER: a default */
  sc_size value;
  uint8_t first, count; /* CHOICE: its alternatives */
} sc_param;

/* left == right, or <=, >= */
typedef struct sc_op_condition {
  sc_size left, right;
  char relation; /* '=', '<' or '>' */
} sc_op_condition;

typedef struct sc_op_dim {
  char name[SC_NAME];
  bool declared, reduce;
  sc_size size; /* declared, or that of the axis where it stands alone */
  sc_token at;
} sc_op_dim;

typedef struct sc_op_tensor {
  char name[SC_NAME];
  sc_role role;
  bool constant;
  sc_type type;
  uint8_t naxes;
  char axis[SC_MAX_AXES][SC_NAME]; /* "" = unnamed */
  sc_size size[SC_MAX_AXES];
  bool has_layout;
  sc_layout layout;
} sc_op_tensor;

/* One summand of an index: dim * factor, or the number `factor` alone (dim -1); an empty factor is 1. */
typedef struct sc_op_term {
  int8_t dim;
  bool minus; /* only of a number */
  sc_size factor;
} sc_op_term;
typedef struct sc_op_index {
  uint8_t nterms;
  sc_op_term term[SC_OP_TERMS];
  sc_token at;
} sc_op_index;
typedef struct sc_op_access {
  uint8_t tensor;
  sc_op_index index[SC_MAX_AXES];
  sc_token at;
} sc_op_access;

typedef struct sc_op_stmt {
  int8_t alternative; /* -1 = always */
  uint8_t lhs; /* access */
  sc_update update;
  uint8_t nexpr;
  sc_expr expr[SC_MAX_EXPR]; /* accesses index sc_operator.access */
  sc_token place[SC_MAX_EXPR]; /* of each node; an access keeps only the place of its first use */
  sc_token at;
} sc_op_stmt;

typedef struct sc_op_alternative {
  char name[SC_NAME];
  uint8_t param;
} sc_op_alternative;

/* What an alternative says of one tensor. */
typedef struct sc_op_setting {
  uint8_t alternative, tensor;
  bool has_type, constant, has_layout;
  sc_type type;
  sc_layout layout;
} sc_op_setting;

struct sc_operator {
  char name[SC_NAME];
  const char *where, *source; /* kept, so that tokens stay valid */
  uint8_t nparams, nconditions, ndims, ntensors, naccesses, nstmts, nalternatives, nsettings;
  sc_param param[SC_OP_PARAMS];
  sc_op_condition condition[SC_OP_CONDITIONS];
  sc_op_dim dim[SC_MAX_DIMS];
  sc_op_tensor tensor[SC_OP_TENSORS];
  sc_op_access access[SC_OP_ACCESSES]; /* distinct ones */
  sc_op_stmt stmt[SC_OP_STATEMENTS]; /* the unconditional ones first */
  sc_op_alternative alternative[SC_OP_ALTERNATIVES];
  sc_op_setting setting[SC_OP_SETTINGS];
};

/* ---- operator_size.c ---- */

/* Read a sum, a product, one factor; all append to what `size` holds. */
void sc_size_read(sc_reader *r, const sc_operator *op, sc_size *size);
void sc_size_read_product(sc_reader *r, const sc_operator *op, sc_size *size);
void sc_size_read_factor(sc_reader *r, const sc_operator *op, sc_size *size);
void sc_size_push(sc_reader *r, sc_size *size, sc_size_op node, int32_t value);
/* What needs no parentheses where it is printed: a sum, a product, only a factor. */
typedef enum sc_size_place { SC_PLACE_SUM = 1, SC_PLACE_PRODUCT, SC_PLACE_FACTOR } sc_size_place;
void sc_size_print(const sc_operator *op, const sc_size *size, sc_size_place place, sc_str *out);
/* Division and remainder round down. False on overflow, on division by zero or by less. An empty one is 1. */
bool sc_size_eval(const sc_size *size, const int64_t *values, int64_t *out);
bool sc_size_equal(const sc_size *a, const sc_size *b);
void sc_op_condition_read(sc_reader *r, const sc_operator *op, sc_op_condition *condition);
void sc_op_condition_print(const sc_operator *op, const sc_op_condition *condition, sc_str *out);

/* ---- operator.c ---- */

int sc_param_find(const sc_operator *op, const char *name, size_t len); /* -1 when absent; so are the next */
int sc_op_dim_find(const sc_operator *op, const char *name, size_t len);
int sc_op_tensor_find(const sc_operator *op, const char *name, size_t len);
bool sc_type_find(const char *name, size_t len, sc_type *type);
bool sc_op_index_equal(const sc_op_index *a, const sc_op_index *b);
bool sc_op_access_equal(const sc_op_access *a, const sc_op_access *b);
bool sc_op_index_is_bare(const sc_op_index *index); /* one dim and nothing else */
sc_layout sc_layout_plain(int naxes); /* row-major */
static inline bool sc_is_float(sc_type type) { return type == SC_F32 || type == SC_F16; }

/* ---- operator_stmt.c ---- */

/* Reads one statement; the current token is its tensor's name. Adds the accesses and dims it meets to the operator. */
void sc_op_stmt_read(sc_reader *r, sc_operator *op, int alternative);
void sc_op_stmt_print(const sc_operator *op, const sc_op_stmt *stmt, sc_str *out);

/* ---- operator_check.c ---- */

/* Free and reduction dims, sizes of dims, and the rules of statements. Fails through the reader that parsed `op`. */
void sc_operator_check(sc_reader *r, sc_operator *op);

/* ---- task ---- */

/* An operator with a value for every parameter. */
typedef struct sc_binding {
  const sc_operator *op;
  int64_t value[SC_OP_PARAMS];
  bool given[SC_OP_PARAMS];
  sc_token at[SC_OP_PARAMS]; /* of the given ones, in the task's text */
  sc_token head; /* the operator's name there */
} sc_binding;

/* Everything but merging, derived fields and hash. Fails through the reader of the task's text. */
void sc_task_bind(sc_reader *r, const sc_binding *binding, sc_task *task);
void sc_task_merge(sc_task *task);
bool sc_task_hash(const sc_task *task, uint64_t *hash); /* false when out of memory */
void sc_task_text(const sc_binding *binding, sc_str *out);
/* Counts the stored elements; false when more than SC_OP_MAX_ELEMS. */
bool sc_tensor_measure(sc_tensor *tensor);
/* Fills the derived fields of an access from its indices and its tensor's layout. */
void sc_access_derive(const sc_task *task, sc_access *access);
/* Address, in elements, of a logical index that lies inside. */
int64_t sc_tensor_address(const sc_tensor *tensor, const int32_t *index);
/* Smallest and largest value of an index over all values of its dims. */
void sc_index_range(const sc_task *task, const sc_index *index, int64_t *lo, int64_t *hi);

/* ---- type.c ---- */

float sc_f16_to_f32(uint16_t half);
uint16_t sc_f32_to_f16(float value); /* to nearest, ties to even */

#endif
