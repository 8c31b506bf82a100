/* ir: the nouns of schedcast -- operator, task, schedule, nest, kernel, machine -- their languages, the rules of
 * legality, and the two interpreters that say what everything means.
 *
 *   operator  a named computation with symbolic sizes (data/operators, language: docs/operators.md)
 *   task      an operator with numbers, in canonical form; equal work is equal bytes
 *   schedule  how to run a task: pure data, printable, parse(print(x)) == x (docs/schedules.md)
 *   nest      a task lowered under a schedule; sc_lower is the only judge of legality and the only maker of nests
 *   kernel    the innermost piece of a nest, compiled once per key and shared
 *   machine   what a target is and what it can do, each value with its provenance (docs/machines.md)
 *
 * Everything here is plain data of fixed size. Indices are small integers into the arrays of the task. */
#ifndef SC_IR_H
#define SC_IR_H

#include "base/base.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
  SC_MAX_DIMS = 10,
  SC_MAX_AXES = 6, /* of a tensor */
  SC_MAX_TENSORS = 6,
  SC_MAX_ACCESSES = 8,
  SC_MAX_STMTS = 3,
  SC_MAX_EXPR = 12,
  SC_MAX_EPILOGUE = 80, /* of all statements after the first, one put into the other: 6 * 12 + 6 */
  SC_MAX_PADS = 4,
  SC_MAX_BANDS = 5,
  SC_MAX_RUNS = 4,
  SC_MAX_SEGS = 12,
  SC_MAX_PACKS = 4,
  SC_MAX_NODES = 64,
  SC_MAX_KLOOPS = 4,
  SC_MAX_KERNELS = 64, /* that one nest calls */
  SC_MAX_STATEMENTS = 8192, /* multiply-adds of vectors in the innermost body of a kernel */
  SC_NAME = 32 /* bytes of a name with its NUL */
};
#define SC_MAX_PACK_ELEMS ((int64_t)1 << 36) /* that one pack may hold */

/* ---- types, layouts, accesses ------------------------------------------------------------------------------ */

typedef enum sc_type { SC_F32, SC_F16, SC_I8, SC_U8, SC_I32, SC_TYPE_COUNT } sc_type;
const char *sc_type_name(sc_type type); /* "f32" ... */
uint32_t sc_type_bytes(sc_type type);

typedef enum sc_role { SC_IN, SC_OUT, SC_INOUT } sc_role; /* `const` is a flag beside SC_IN */

/* A layout is a list of parts, outermost first. An axis appears once (WHOLE) or twice: OUTER (its quotient by the
 * block) and INNER (its remainder). A block of SC_BLOCK_TILE means "the register tile of the dim of that axis": panels
 * as wide as each tile; only packed buffers have it. Tensors round a blocked axis up to whole blocks. */
typedef enum sc_part_kind { SC_PART_WHOLE, SC_PART_OUTER, SC_PART_INNER } sc_part_kind;
enum { SC_BLOCK_TILE = -1 };
typedef struct sc_part {
  uint8_t axis, kind;
} sc_part;
typedef struct sc_layout {
  uint8_t nparts;
  sc_part part[2 * SC_MAX_AXES];
  int16_t block[SC_MAX_AXES]; /* by axis: 0 = WHOLE */
} sc_layout;

typedef struct sc_dim {
  char name[SC_NAME];
  int32_t size; /* >= 1; a dim merged into another keeps its name with size 1 */
  bool reduce;
} sc_dim;

typedef struct sc_tensor {
  char name[SC_NAME];
  sc_type type;
  sc_role role;
  bool constant; /* known before the run: may be packed ahead */
  uint8_t naxes;
  int32_t shape[SC_MAX_AXES]; /* logical, in elements */
  sc_layout layout;
  int64_t elems; /* stored elements, blocks rounded up */
} sc_tensor;

/* One tensor index: coef[0]*dim[0] + coef[1]*dim[1] + offset. An absent dim is -1, coefficients of the others are >= 1.
 * With two dims the first is the free one (p*stride) and the second the reduction (r*dilation). */
typedef struct sc_index {
  int8_t dim[2];
  int32_t coef[2];
  int32_t offset;
} sc_index;

typedef struct sc_access {
  uint8_t tensor;
  sc_index axis[SC_MAX_AXES];
  /* Derived. Where no axis is blocked the element address is origin + sum stride[d] * dim d. For a blocked axis its
   * dims have stride 0 here and the address adds (x / block) * outer_stride + (x % block) * inner_stride of that
   * axis. */
  int64_t origin;
  int64_t stride[SC_MAX_DIMS];
  int64_t outer_stride[SC_MAX_AXES], inner_stride[SC_MAX_AXES]; /* WHOLE: inner_stride only */
  uint16_t dims; /* bit d: depends on dim d */
} sc_access;

/* Statement: lhs op= expr, the expression in postfix. Access numbers index sc_task.access. */
typedef enum sc_expr_kind {
  SC_EXPR_CONST,
  SC_EXPR_ACCESS,
  SC_EXPR_ADD,
  SC_EXPR_SUB,
  SC_EXPR_MUL,
  SC_EXPR_MAX,
  SC_EXPR_MIN
} sc_expr_kind;
typedef struct sc_expr {
  uint8_t kind, access;
  float value; /* SC_EXPR_CONST */
} sc_expr;
typedef enum sc_update { SC_ASSIGN, SC_ADD_TO } sc_update;
typedef struct sc_stmt {
  uint8_t lhs;
  sc_update update;
  uint8_t nexpr;
  sc_expr expr[SC_MAX_EXPR];
} sc_stmt;

/* An axis of an input that is read outside the tensor (there it has the value 0). Index = cf*free + cr*red + offset. */
typedef struct sc_pad {
  uint8_t access, axis;
  int8_t free, red; /* red may be -1 */
  int32_t cf, cr, offset, size;
} sc_pad;

/* ---- operators and tasks ----------------------------------------------------------------------------------- */

typedef struct sc_operator sc_operator; /* visible in ir/operator.h of this folder; printable */
typedef struct sc_library sc_library; /* the operators of a folder, by name */

/* Reads every *.op of a folder (NULL: sc_data_dir()/operators). */
sc_status sc_library_load(sc_arena *arena, const char *folder, const sc_library **library, sc_error *err);
size_t sc_library_count(const sc_library *library);
const sc_operator *sc_library_at(const sc_library *library, size_t i);
const sc_operator *sc_library_find(const sc_library *library, const char *name); /* NULL when absent */
sc_status sc_operator_parse(sc_arena *arena, const char *where, const char *text, size_t len, const sc_operator **op,
                            sc_error *err);
void sc_operator_print(const sc_operator *op, sc_str *out); /* parse(print(op)) == op */
const char *sc_operator_name(const sc_operator *op);

/* An operator with numbers, canonical: dims that every access walks as one are merged (the outer one keeps size 1), so
 * a 1x1 convolution of stride 1 has the dims of a matmul. Statement 0 is the contraction lhs += in0 * in1; later
 * statements are its elementwise epilogue. access[0] is statement 0's lhs, access[1] and [2] its two operands in
 * textual order, the rest belong to the epilogue. */
typedef struct sc_task {
  char op[SC_NAME];
  const char *text; /* canonical: "conv2d:H=56,W=56,C=64,K=64,R=3,S=3,pad=1", defaults left out */
  uint64_t hash; /* of the canonical contents below: equal work, equal hash */
  uint8_t ndims, ntensors, naccesses, nstmts, npads;
  sc_dim dim[SC_MAX_DIMS];
  sc_tensor tensor[SC_MAX_TENSORS];
  sc_access access[SC_MAX_ACCESSES];
  sc_stmt stmt[SC_MAX_STMTS];
  sc_pad pad[SC_MAX_PADS];
  uint16_t reduce; /* bit d: dim d is a reduction */
  double flop; /* multiply-adds count 2, padding counted as computed: 2 * product of all sizes */
} sc_task;

/* Parses "op:NAME=value,..." (position in err counts within `text`). The task lives in the arena. */
sc_status sc_task_parse(sc_arena *arena, const sc_library *library, const char *text, const sc_task **task,
                        sc_error *err);
/* The canonical contraction that splits are made by: unit dims dropped, symmetric axes sorted; without type, layout,
 * epilogue and threads. */
void sc_task_group_key(const sc_task *task, sc_str *out);
/* Dim by name, -1 when absent. */
int sc_task_dim(const sc_task *task, const char *name, size_t len);
/* Address, in elements, of an access with the dims' values; false when it lies outside the tensor (value 0). */
bool sc_access_address(const sc_task *task, const sc_access *access, const int32_t *values, int64_t *address);
/* Bytes touched at least once: every tensor read or written once. */
double sc_task_min_bytes(const sc_task *task);

/* ---- schedule ---------------------------------------------------------------------------------------------- */

/* `count` tiles of `size` elements. The runs of a dim cover it exactly, in order: 6*42+4*1. */
typedef struct sc_run {
  int32_t size, count;
} sc_run;

typedef enum sc_pad_rule { SC_PAD_NONE, SC_PAD_PEEL, SC_PAD_CLAMP, SC_PAD_PACK } sc_pad_rule;

/* Copies the region of one access that a tile of `band` reads into a buffer, outside band `band`'s loops. Of a const
 * tensor it always moves ahead of time (the whole tensor, once). Packs of access 0 hold partial sums. Blocks are
 * tiles. */
typedef struct sc_pack {
  uint8_t access, band;
  bool per_thread; /* stands below a parallel loop, where every thread has its own; above, all copy one, then wait */
  int16_t skew; /* elements added to the stride of the outermost part, to break set conflicts; 0 = none */
  sc_layout layout;
} sc_pack;

/* Bands are numbered from the register tile (band 0) up. group[b][d] says how many consecutive tiles of band b-1 form
 * one tile of band b (1 <= b < nbands); the top band, number nbands, covers everything. order[b] lists, outermost
 * first, the dims whose loops of band b (over tiles of band b-1 inside one tile of band b) make more than one trip;
 * dims in kloop are inside the kernel: their loop of band 1 is not in order[1]. */
typedef struct sc_schedule {
  uint8_t nbands; /* 1 .. SC_MAX_BANDS-1 */
  uint8_t nruns[SC_MAX_DIMS]; /* 0 = size*1 tiles of one element */
  sc_run run[SC_MAX_DIMS][SC_MAX_RUNS];
  int32_t group[SC_MAX_BANDS][SC_MAX_DIMS]; /* [1 .. nbands-1]; 0 means 1; SC_ALL = all there are */
  uint8_t norder[SC_MAX_BANDS]; /* [1 .. nbands] */
  uint8_t order[SC_MAX_BANDS][SC_MAX_DIMS];
  int8_t vector; /* dim, -1 = scalar */
  uint8_t lanes; /* elements of one vector register, power of two; 1 = scalar */
  uint8_t nkloops, kloop[SC_MAX_KLOOPS]; /* loops of the kernel, outermost first; a free dim only first and only once */
  uint8_t unroll; /* of the innermost kernel loop, >= 1 */
  uint8_t npacks;
  sc_pack pack[SC_MAX_PACKS];
  uint8_t parallel_band, nparallel; /* dims of order[parallel_band], adjacent; nparallel 0 = one thread */
  uint8_t parallel[SC_MAX_DIMS];
  uint8_t pad[SC_MAX_PADS]; /* sc_pad_rule, by sc_task.pad */
  char compile[SC_NAME]; /* a compiler entry of the machine file */
} sc_schedule;
enum { SC_ALL = INT32_MAX };

/* Grammar and examples: docs/schedules.md. Names of dims and tensors are the task's. One schedule is one line:
 *   tile i 6*42+4, j 32; vector j 16; loop k unroll 4; band i 12, k 256 order i; band j 8 order j i k; band order j k;
 *   pack B 2 [j/t,k,j%t]; parallel j 3; pad p clamp, q peel; compile gcc
 * The reader stops before a newline or the end; ';' separates clauses. */
sc_status sc_schedule_read(const sc_task *task, sc_reader *reader, sc_schedule *schedule);
sc_status sc_schedule_parse(const sc_task *task, const char *where, const char *text, sc_schedule *schedule,
                            sc_error *err);
/* Gives an error of sc_lower the line, the column and the source of the clause that is to blame; `reader` stands where
 * sc_schedule_read began. A clause that is missing has no place: then it is the beginning. */
void sc_schedule_locate(const sc_task *task, sc_reader *reader, sc_error *err);
void sc_schedule_print(const sc_task *task, const sc_schedule *schedule, sc_str *out); /* one line, no newline */

/* Who proposed a schedule. A model must not be judged by what a model picked, so it stays with the schedule. */
typedef enum sc_proposal {
  SC_PROPOSED_USER,
  SC_PROPOSED_UNIFORM,
  SC_PROPOSED_STRATIFIED,
  SC_PROPOSED_MODEL,
  SC_PROPOSED_NEIGHBOUR,
  SC_PROPOSED_ANCHOR,
  SC_PROPOSAL_COUNT
} sc_proposal;
const char *sc_proposal_name(sc_proposal proposal);
typedef struct sc_origin {
  sc_proposal proposal;
  uint64_t model_hash; /* of the model that proposed it, 0 = none */
} sc_origin;

/* A file of schedules: `task TEXT` lines set the task of the `schedule TEXT` lines that follow, `proposal WHO [HASH]`
 * lines their origin (at first: user); '#' starts a comment; blank lines are free. This is what sample-sched prints and
 * every tool reads. Calls `each` for every schedule; a status other than SC_OK from it stops the reading and is
 * returned. Schedules are parsed, not lowered; where `each` leaves an error of sc_lower in `err`, that gets its place
 * in the file. */
typedef struct sc_listed {
  const sc_task *task;
  const sc_schedule *schedule;
  sc_origin origin;
  int line;
} sc_listed;
typedef sc_status sc_schedule_fn(void *user, const sc_listed *listed);
sc_status sc_schedules_read(sc_arena *arena, const sc_library *library, const char *where, const char *text, size_t len,
                            sc_schedule_fn *each, void *user, sc_error *err);
void sc_origin_print(const sc_origin *origin, sc_str *out); /* such a line, without its newline */

/* ---- nest -------------------------------------------------------------------------------------------------- */

/* Consecutive register tiles of one dim in one class: equal size and equal deficits. A tile of a peeled axis reads the
 * index positions from its first element's first tap to its last element's last tap; `lo` of them lie before 0, `hi`
 * past size-1. Tiles of a dim are numbered 0 .. tiles-1. */
typedef struct sc_seg {
  int32_t size; /* elements of each tile */
  int32_t first, count; /* tile numbers first .. first+count-1 */
  int32_t start; /* element where tile `first` begins */
  int16_t lo, hi;
} sc_seg;

typedef struct sc_tiling {
  uint8_t nsegs;
  uint8_t nclasses; /* distinct (size, lo, hi) */
  uint8_t class_of[SC_MAX_SEGS]; /* by segment, numbered by first appearance */
  int32_t tiles;
  int32_t max_tile; /* elements of the largest tile */
  sc_seg seg[SC_MAX_SEGS];
} sc_tiling;

/* A node of the nest, in preorder. Meaning, with a current range [lo,hi) of tiles per dim (at first all of them):
 *   LOOP   for x = lo; x < hi; x += step: the range of `dim` becomes [x, min(x+step, hi)) inside
 *   PAR    the next `count` LOOP nodes (each the only child of the one before) are collapsed and divided by work
 *   PACK   copies the region that the access of nest.pack[pack] reads in the current ranges into its buffer
 *   ACC    a buffer for the partial sums of the current ranges of access 0 (nest.pack[pack]), zero cost itself
 *   KERNEL one call per combination of segments; dims of kloop have their current range as trips, others one tile
 * LOOP nodes have more than one trip; adjacent loops of one dim are merged. */
typedef enum sc_node_kind { SC_NODE_LOOP, SC_NODE_PAR, SC_NODE_PACK, SC_NODE_ACC, SC_NODE_KERNEL } sc_node_kind;
typedef struct sc_node {
  uint8_t kind;
  uint8_t dim; /* LOOP */
  uint8_t count; /* PAR */
  uint8_t pack; /* PACK, ACC */
  uint8_t end; /* index behind the last node of the subtree */
  int32_t step; /* LOOP: tiles of one trip */
} sc_node;

/* A pack as lowered: its buffer covers, per axis of the tensor, at most extent[axis] elements, or for `ahead` the
 * whole. */
typedef struct sc_nest_pack {
  uint8_t access;
  bool ahead, per_thread, fill; /* fill: positions outside the tensor are written as 0 */
  int16_t skew;
  sc_layout layout;
  uint8_t fixed; /* bit axis: extent[axis] is the same in every copy */
  int32_t extent[SC_MAX_AXES]; /* largest box */
  int64_t elems; /* largest buffer, elements */
} sc_nest_pack;

/* How an operand is addressed inside one register tile, and along the kernel's loops. A stride is literal (known when
 * the kernel is compiled) or a slot (argument at run time). */
enum { SC_STRIDE_SLOT = INT32_MIN };
typedef struct sc_operand {
  uint8_t access;
  int8_t pack; /* nest.pack that binds it, -1 = the tensor itself */
  bool vector; /* contiguous along the vector dim; else it does not depend on it (broadcast), or, only for access 0,
                  `strided`: stored through a small stack tile */
  bool strided;
  uint16_t dims; /* bit d: depends on dim d */
  int32_t stride[SC_MAX_DIMS]; /* elements per element of dim d inside the register tile; SC_STRIDE_SLOT */
  int16_t block[SC_MAX_DIMS]; /* blocked layout: elements of dim d per block, 0 = none */
  int64_t block_stride[SC_MAX_DIMS]; /* from one block to the next */
} sc_operand;

typedef struct sc_nest {
  uint8_t nnodes, npacks, noperands;
  int8_t vector;
  uint8_t lanes;
  uint8_t nkloops, kloop[SC_MAX_KLOOPS], unroll;
  bool free_kloop; /* kloop[0] is a free dim: the loop stands outside the accumulators */
  uint8_t pad[SC_MAX_PADS];
  int8_t acc; /* nest.pack that holds partial sums, -1 = the output itself */
  uint8_t nvariants; /* kernels this nest calls: product of nclasses */
  char compile[SC_NAME];
  sc_node node[SC_MAX_NODES];
  sc_nest_pack pack[SC_MAX_PACKS];
  sc_operand
      operand[SC_MAX_ACCESSES]; /* by access; a stride that differs between the kernel's classes is a slot here */
  sc_operand partial; /* acc >= 0: how access 0 is addressed in the accumulation buffer (operand[0]: in the output) */
  sc_tiling dim[SC_MAX_DIMS];
} sc_nest;

/* The rules of lowering, one line each in ir/rules.def; sc_error.rule is one of them. */
typedef enum sc_rule {
  SC_RULE_NONE,
#define SC_RULE(name, clause, message) SC_RULE_##name,
#include "ir/rules.def"
#undef SC_RULE
  SC_RULE_COUNT
} sc_rule;
const char *sc_rule_name(sc_rule rule);

/* Partial sums are f32 where the output is a float and i32 where it is an integer. */
sc_type sc_accumulator_type(const sc_task *task);

/* The only judge of legality and the only maker of nests. Allocates nothing. On SC_ILLEGAL err->rule is the rule of
 * ir/rules.def and err->text says why in words of the schedule; sc_schedule_locate finds where its text says so. `nest`
 * is then undefined. */
sc_status sc_lower(const sc_task *task, const sc_schedule *schedule, sc_nest *nest, sc_error *err);

/* The same for one schedule after another: where one differs from that before it in nothing but the orders of its
 * loops, as in a scan of a space they mostly do, all but the nodes is kept. Start it with a task. It serves one thread,
 * and may be moved. */
typedef struct sc_lowered {
  sc_nest nest;
  bool legal; /* the nest is defined */
  bool only_orders; /* the nest differs from the one before in nothing but its nodes */
  sc_schedule compared; /* what the next one is compared with: not the nest's own orders */
  unsigned char storage[320] /* what lowering knows of it */ __attribute__((aligned(16)));
} sc_lowered;
void sc_lower_start(sc_lowered *lowered, const sc_task *task);
sc_status sc_lower_next(sc_lowered *lowered, const sc_schedule *schedule, sc_error *err);
/* Would the nest of this schedule differ from the one before in nothing but its nodes? */
bool sc_lower_keeps(const sc_lowered *lowered, const sc_schedule *schedule);

/* Takes from a schedule all that has no effect in the nest it was lowered to: its nest stays the same. */
void sc_schedule_effective(const sc_task *task, const sc_nest *nest, sc_schedule *schedule);
/* Identity of a schedule of this task: the hash of what was lowered (not of its text). */
uint64_t sc_nest_hash(const sc_task *task, const sc_nest *nest);
void sc_nest_print(const sc_task *task, const sc_nest *nest,
                   sc_str *out); /* a documented text form, for people and goldens */

/* The one formula of every region, pack and footprint: positions from the first to the last one that an index of these
 * coefficients touches while its dims walk n0 and n1 elements, 1 for an absent dim. Some may lie outside the tensor. */
static inline int64_t sc_index_extent(const int32_t coef[2], int64_t n0, int64_t n1) {
  return 1 + coef[0] * (n0 - 1) + coef[1] * (n1 - 1);
}
/* The box an access touches while dim d walks elements [start[d], start[d]+extent[d]). lo[axis] may be negative and
 * lo+ext may pass the shape where the access is padded. */
void sc_region(const sc_task *task, const sc_access *access, const int32_t *start, const int32_t *extent, int32_t *lo,
               int32_t *ext);

/* First element of tile t of dim d, and the segment it lies in. */
int32_t sc_tile_start(const sc_tiling *tiling, int32_t tile, int *seg);

/* Taps of a clamped axis that all of the elements first .. last of its free dim see: [*lo,*hi), both within 0 .. taps,
 * *lo >= *hi for none. The kernel's loop over the taps runs through this range cut to its own. */
void sc_clamp_range(const sc_pad *pad, int32_t taps, int32_t first, int32_t last, int32_t *lo, int32_t *hi);

/* ---- kernel ------------------------------------------------------------------------------------------------ */

/* Everything a kernel's code depends on. Two nests, also of two tasks, that agree in it share the compiled kernel. */
typedef struct sc_kernel {
  uint8_t ndims, vector_dim /* 255 = scalar */, lanes;
  uint16_t reduce; /* bit d */
  sc_type type; /* of the accumulators (f32 generates code) */
  int16_t tile[SC_MAX_DIMS]; /* elements of the register tile; a reduction dim's are unrolled */
  uint8_t nkloops, kloop[SC_MAX_KLOOPS], unroll;
  bool free_kloop, inout, buffered /* partial sums live elsewhere than the output */;
  uint8_t noperands;
  uint8_t operand_type[SC_MAX_ACCESSES];
  sc_operand operand[SC_MAX_ACCESSES]; /* `access`, `pack` hold no identity: see sc_kernel_print */
  sc_operand partial; /* of access 0 in the accumulation buffer, when `buffered` */
  /* Taps that a peeled axis drops: element e of free dim f and tap t of reduction r are skipped unless
   * lo <= cf*e + cr*t < span - hi, span = cf*(tile[f]-1) + cr*(tile[r]-1) + 1. */
  uint8_t npeels;
  struct {
    uint8_t free, red;
    int32_t cf, cr;
    int16_t lo, hi;
  } peel[SC_MAX_PADS];
  uint8_t nepilogue; /* postfix over: accumulator (access 0), operands, constants; run at LAST */
  sc_expr epilogue[SC_MAX_EPILOGUE];
} sc_kernel;

/* The kernel that `nest` calls for one class of every dim. */
void sc_nest_kernel(const sc_task *task, const sc_nest *nest, const uint8_t *class_of_dim, sc_kernel *kernel);
/* Canonical text of a kernel: its key. `family` leaves the literal strides out except for their class (contiguous,
 * power of two, multiple of 4 KiB, other): the key of the kernel table. */
void sc_kernel_print(const sc_kernel *kernel, bool family, sc_str *out);
uint64_t sc_kernel_hash(const sc_kernel *kernel, bool family);

/* ---- interpreters ------------------------------------------------------------------------------------------ */

/* `buffers` are by tensor, `tensor.elems` elements of the tensor's type each. */

/* Runs the operator itself: logical indices, no schedule. SC_NOMEM is its only error. */
sc_status sc_run_operator(const sc_task *task, void *const *buffers, sc_error *err);
/* Runs the nest, 1 to 64 threads one after the other: flat addresses as the code generator emits them. SC_MISMATCH: an
 * address outside its buffer, or two threads that write one element. */
sc_status sc_run_nest(const sc_task *task, const sc_nest *nest, void *const *buffers, int nthreads, sc_error *err);
/* Fills inputs with small integers (|x| <= 4; sums stay exact in f32 for reductions below 2^20) and outputs with NaN
 * (floats) or a pattern: `out` is never assumed zero. */
void sc_fill_buffers(const sc_task *task, void *const *buffers, uint64_t seed);

/* ---- machine ----------------------------------------------------------------------------------------------- */

typedef enum sc_provenance { SC_ASSUMED, SC_VENDOR, SC_PROBED, SC_MEASURED } sc_provenance;
typedef struct sc_value {
  double value;
  sc_provenance from;
} sc_value;

enum { SC_MAX_CACHES = 3, SC_MAX_COMPILERS = 8 };
typedef struct sc_cache {
  sc_value bytes, line_bytes, ways, shared_by; /* cores sharing one */
  sc_value read_bytes_per_s; /* one core, from this level */
} sc_cache;
typedef struct sc_compiler {
  char name[SC_NAME]; /* what a schedule's `compile` says */
  char command[64]; /* program, looked up in PATH */
  char arguments[192]; /* blank-separated; never through a shell */
  char version[96]; /* first line of --version, filled by the probe */
  uint16_t vector_bytes; /* widest vector these arguments allow; 0 = none */
} sc_compiler;
typedef struct sc_machine {
  char name[SC_NAME]; /* also names its files */
  char cpu[96]; /* as the system calls it */
  char isa[SC_NAME]; /* x86-64-v4, x86-64-v3, x86-64, armv8-a, ... */
  char runner[64]; /* "local" or "qemu-aarch64 -cpu cortex-a72" */
  bool simulated;
  sc_value cores, clock_hz, vector_bytes, vector_registers, fma_per_cycle, fma_latency_cycles, loads_per_cycle;
  sc_value peak_flop_per_s; /* f32, one core */
  uint8_t ncaches;
  sc_cache cache[SC_MAX_CACHES]; /* L1d first */
  sc_value l1i_bytes, memory_read_bytes_per_s, page_bytes, l1_tlb_entries, l2_tlb_entries, out_of_order;
  uint8_t ncompilers;
  sc_compiler compiler[SC_MAX_COMPILERS];
} sc_machine;

/* Text form: one `key value provenance` a line (docs/machines.md); parse(print(m)) == m. */
sc_status sc_machine_parse(const char *where, const char *text, size_t len, sc_machine *machine, sc_error *err);
sc_status sc_machine_load(const char *path, sc_machine *machine, sc_error *err);
void sc_machine_print(const sc_machine *machine, sc_str *out);
const sc_compiler *sc_machine_compiler(const sc_machine *machine, const char *name); /* NULL when absent */
/* What must agree for two measurements to be of one machine: cpu, isa, caches, cores. */
uint64_t sc_machine_fingerprint(const sc_machine *machine);

/* The kernel table beside a machine: measured or static facts by (kernel family, compiler). */
typedef struct sc_kernel_fact {
  uint64_t family; /* sc_kernel_hash(kernel, true) */
  uint64_t compiler; /* sc_compiler_hash */
  float first_ns,
      slope_ns; /* time of a call of one trip, and of each further trip of its innermost loop, operands in L1 */
  int32_t spills, code_bytes; /* -1 = unknown */
  uint8_t measured; /* 1: times measured; 0: static facts only */
} sc_kernel_fact;
typedef struct sc_kernel_table sc_kernel_table;
sc_kernel_table *sc_kernel_table_new(void);
void sc_kernel_table_free(sc_kernel_table *table);
/* Adds a fact, or puts it in the place of the one with its key, whose times a static fact leaves standing. SC_USAGE: a
 * time that is no number; SC_LIMIT: 2^22 facts. */
sc_status sc_kernel_table_put(sc_kernel_table *table, const sc_kernel_fact *fact);
const sc_kernel_fact *sc_kernel_table_find(const sc_kernel_table *table, uint64_t family, uint64_t compiler);
size_t sc_kernel_table_count(const sc_kernel_table *table);
const sc_kernel_fact *sc_kernel_table_at(const sc_kernel_table *table, size_t i); /* sorted by (family, compiler) */
/* Leaves what cross-compiling tells, as of a target that nobody can touch. */
void sc_kernel_table_forget_times(sc_kernel_table *table);
/* Text file, one line a fact, sorted; a missing file is an empty table for load. */
sc_status sc_kernel_table_load(sc_kernel_table *table, const char *path, sc_error *err);
sc_status sc_kernel_table_save(const sc_kernel_table *table, const char *path, sc_error *err);
uint64_t sc_compiler_hash(const sc_compiler *compiler); /* command, arguments, version */

#ifdef __cplusplus
}
#endif
#endif
