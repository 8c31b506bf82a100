/* A bound space inside sampler/: the tables that a space becomes for one task on one machine.
 *
 *   bind.c        the flow; which clauses and conditions apply; blame when nothing is left
 *   combo.c       early choices (options, vector, lanes, pads): every combination is a combo
 *   late.c        late choices (loop, unroll, packs, parallel) as alternatives with numbers for names
 *   domain.c      numbers of one dim: runs of register tiles x tile sizes of the bands (ladder.c), and what sc_lower
 *                 says of them (probe.c)
 *   condition.c   conditions as trees; program.c as small programs; program_run.c runs them dim by dim
 *   kernel_cond.c conditions on what the kernel table knows; kinds.c what of a dim's numbers they ask; verdict.c what
 *                 they say of the late choices that follow
 *   overlap.c     options that describe one schedule twice
 *   graph.c       nodes, edges, memo; count.c fills them dim by dim, then count_late.c late choices, order.c orders
 *   path.c        rank -> schedule; each.c the next ones; rank.c schedule -> rank; sample.c, neighbour.c, sobol_*.c draw
 *
 * A schedule is a path through levels: combo (with a compiler), dims in an order of the combo's own, loop, unroll,
 * packs, parallel, orders from the top band down. A node is what later levels need to know of a prefix; equal prefixes
 * share it. */
#ifndef SC_SAMPLER_BOUND_H
#define SC_SAMPLER_BOUND_H

#include "sampler/space.h"

enum {
  SC_MAX_COMBOS = 256,
  SC_MAX_LATES = 256,
  SC_MAX_INSTANCES = 48, /* conditions that a combo checks dim by dim */
  SC_MAX_KERNEL_CONDS = 32, /* that it checks behind the packs */
  SC_MAX_LATE_BITS = 64,
  SC_MAX_PNODES = 256, /* of one condition */
  SC_MAX_SLOTS = 96,
  SC_MAX_PACK_ALTS = 24,
  SC_MAX_LEVELS = 40,
  SC_TRIP_BUCKETS = 7 /* distinct numbers of unrolling */
};

/* ---- what a dim's numbers mean to the late choices: bits that simply add up over the dims ---- */

enum { SC_STUCKS = (SC_MAX_BANDS - 2) * (SC_MAX_BANDS - 1) / 2 };
static inline int sc_stuck(int band, int over) { /* 1 <= band, band + over < nbands */
  return (band + over) * (band + over - 1) / 2 + over;
}

typedef union sc_bits {
  struct {
    uint16_t
        mask[SC_MAX_BANDS - 1]; /* [b-1] bit d: more than one trip over d in band b; the kernel's loops leave band 1 */
    uint16_t stuck[SC_STUCKS]; /* [sc_stuck(b, j)] bit d: band b's loop over d, or a part of it, cannot move to band
                                  b+1+j over j bands without loops: the domain lacks the result */
    uint16_t thin; /* bit d: tiles of one element */
    uint16_t blocked; /* bit d: all tiles are as wide as a block of a constant tensor */
    uint16_t no_loop; /* bit d: d cannot be a loop of the kernel */
    uint32_t trips; /* 3 bits a dim: how many of the numbers of unrolling are at most its trips in band 1 */
    uint64_t late; /* bit i: guard i of the late choices is broken */
    uint64_t loop_need; /* bit i: late->loop_need[i] holds: access a needs a pack if d is a loop of the kernel */
    uint16_t kernel; /* late levels: dims of more than one trip in the kernel */
    uint16_t parallel; /* late levels: dims of the parallel loops */
    uint16_t movable; /* levels of orders: dims whose loop, if outermost here, would belong to a band above; where this
                         band has no loops, dims that could join the next one above that has */
    uint8_t over; /* levels of orders: so many bands without loops are above */
    uint8_t parallel_band;
    uint8_t boundary; /* late levels: bit b: a pack made while running stands at band b */
    uint8_t need; /* bit a: access a needs a pack */
    uint8_t acc; /* late levels: band of the accumulation buffer, 0 = none */
    uint8_t level; /* late levels */
    uint32_t late_id; /* which sc_late, or the first that is the same from here on */
    uint64_t kinds; /* with conditions on kernels, a field for each dim: the kind of its numbers; late levels: the
                       verdict on what may follow, 0 = it meets all of them */
  };
  uint64_t word[9];
} sc_bits;
_Static_assert(sizeof(sc_bits) == sizeof(((sc_bits *)0)->word), "bits are compared and added as words");

/* ---- numbers of one dim ---- */

enum {
  SC_LEAF_TILE,
  SC_LEAF_VECTORS,
  SC_LEAF_TILES,
  SC_LEAF_CLASSES,
  SC_LEAF_EXTENT,
  SC_LEAF_TRIPS = SC_LEAF_EXTENT + SC_MAX_BANDS,
  SC_LEAVES = SC_LEAF_TRIPS + SC_MAX_BANDS
};

typedef struct sc_runset {
  uint8_t nruns;
  sc_run run[SC_MAX_RUNS];
  int32_t tiles, max_tile;
  int32_t nclasses; /* kernels of this dim, borders included */
  uint64_t classes; /* hash of their sizes and borders */
  bool need_known;
  sc_bits bits; /* of the runs alone */
  int32_t first, nvalues; /* in sc_domain.place, and in sc_domain.value before it is grouped by class */
} sc_runset;

typedef struct sc_value_of_dim {
  uint16_t runset;
  int32_t step[SC_MAX_BANDS - 2]; /* [b-1]: register tiles in a tile of band b < nbands */
  uint64_t late; /* bits of sc_bits.late that it breaks by itself */
} sc_value_of_dim;

typedef struct sc_class_of_dim { /* values that nothing later can tell apart */
  sc_bits bits;
  int32_t first, count; /* in sc_domain.value */
} sc_class_of_dim;

typedef struct sc_place { /* of a value */
  int32_t class, member;
} sc_place;

typedef struct sc_domain {
  int dim;
  int nrunsets, nvalues, nclasses;
  sc_runset *runset;
  sc_value_of_dim *value; /* grouped by class */
  sc_place *place; /* grouped by runs */
  double *leaf; /* [class][SC_LEAVES] */
  sc_class_of_dim *class;
  double lo[SC_LEAVES], hi[SC_LEAVES];
  uint16_t used; /* leaves that conditions of several dims read */
  uint16_t asked; /* leaves that conditions on kernels read */
  uint8_t kind_shift, kind_bits; /* its field in sc_bits.kinds */
  int32_t nkinds;
  int32_t *like; /* [kind][bands that make trips]: 1 + the place of such a value; 0 = none */
} sc_domain;

/* ---- late choices ---- */

/* In the order in which they are chosen. */
typedef enum sc_late_var {
  SC_VAR_LOOP,
  SC_VAR_UNROLL,
  SC_VAR_PACK, /* of access 0, 1 ... */
  SC_VAR_PARALLEL = SC_VAR_PACK + SC_MAX_ACCESSES,
  SC_VAR_COUNT
} sc_late_var;

/* The alternatives of the late choices for which a condition counts: every variable must be in its set. */
typedef struct sc_late_guard {
  uint64_t alternatives[SC_VAR_COUNT]; /* ~0 = any */
  int cond;
} sc_late_guard;

typedef struct sc_loop_alt {
  uint8_t n, dim[SC_MAX_KLOOPS];
} sc_loop_alt;
typedef struct sc_pack_alt {
  uint8_t band; /* 0 = none */
  sc_pack pack;
} sc_pack_alt;
typedef struct sc_parallel_alt {
  uint8_t n, band, dim[SC_MAX_DIMS];
  uint16_t mask;
} sc_parallel_alt;
typedef struct sc_pattern {
  uint8_t n, dim[SC_MAX_DIMS], group[SC_MAX_DIMS];
} sc_pattern;
typedef struct sc_order_rule { /* one of the patterns must match; none = any order */
  uint8_t n;
  sc_pattern pattern[SC_SPACE_ALTERNATIVES];
} sc_order_rule;

typedef struct sc_late {
  int8_t vector;
  uint8_t pad[SC_MAX_PADS];
  int8_t option[SC_SPACE_CHOICES];
  uint16_t clamped; /* bit d: taps that are trimmed at run time */
  uint8_t fill; /* bit a: padded by its pack */
  int nloops, nunrolls, nparallels, npacks[SC_MAX_ACCESSES];
  sc_loop_alt loop[SC_SPACE_ALTERNATIVES];
  uint8_t unroll[SC_SPACE_ALTERNATIVES];
  sc_pack_alt pack[SC_MAX_ACCESSES][SC_MAX_PACK_ALTS];
  sc_parallel_alt parallel[SC_SPACE_ALTERNATIVES];
  uint32_t same_from[SC_VAR_COUNT + 1]; /* by variable: the first sc_late that is the same from there on, orders last */
  int nrules[SC_MAX_BANDS];
  sc_order_rule *rule[SC_MAX_BANDS][4]; /* by band; all of them must allow an order */
  int nbuckets;
  uint8_t bucket[SC_TRIP_BUCKETS]; /* the numbers of unrolling, ascending */
  int nloop_needs;
  struct {
    uint8_t access, dim;
  } loop_need[64];
  int nguards;
  sc_late_guard guard[SC_MAX_LATE_BITS]; /* bit i of sc_bits.late */
} sc_late;

/* ---- conditions ---- */

typedef struct sc_pnode {
  uint8_t op; /* sc_node_op; SC_COND_QUANTITY is leaf `leaf` of the dim at `level` */
  int8_t level; /* of the last dim it depends on; -1 = constant */
  uint8_t dim, leaf;
  int16_t a, b;
  double value, best, worst; /* constants; leaves: what favours the condition most and least */
} sc_pnode;

typedef struct sc_instance {
  int cond; /* of the space, for messages */
  uint8_t relation; /* left - right LE, LT or NE 0 */
  int8_t late; /* its late bit, -1 = it must hold */
  bool monotone;
  int8_t first, last, threshold; /* levels; threshold: where only one quantity of the last level is missing, or -1 */
  int16_t nnodes;
  sc_pnode *node; /* by level; the root is the last */
  int16_t begin[SC_MAX_DIMS + 2]; /* nodes of level l: begin[l+1] .. begin[l+2]-1; constants from begin[0] = 0 */
  int8_t sign; /* of the last quantity: +1 favours small values */
  int nsorted;
  double *sorted; /* distinct values of the last quantity */
  int32_t *rank; /* by class of the last level */
  int16_t slot[SC_MAX_DIMS]; /* by level: where its values stand in the state behind that level, -1 = none */
  int16_t nslots[SC_MAX_DIMS];
  int16_t *carry[SC_MAX_DIMS]; /* which nodes */
} sc_instance;

/* What the kernel table says of the kernels of a nest. */
typedef enum sc_fact { SC_FACT_SPILLS, SC_FACT_CODE, SC_FACT_RATE, SC_FACTS } sc_fact;

/* A condition on kernels. */
typedef struct sc_kernel_cond {
  int cond; /* of the space, for messages */
  uint8_t relation;
  uint8_t facts; /* bit sc_fact: it asks for it */
  int8_t late; /* its late bit, -1 = it must hold */
  int16_t nnodes;
  sc_pnode *node; /* children before parents; the root is the last */
} sc_kernel_cond;

/* ---- combos ---- */

typedef struct sc_combo {
  int8_t vector;
  uint8_t lanes;
  uint8_t pad[SC_MAX_PADS];
  int8_t option[SC_SPACE_CHOICES];
  int ncompiles;
  uint8_t compile[SC_MAX_COMPILERS]; /* indices into the machine's */
  double registers;
  uint32_t late_id;
  int nlevels; /* dims of more than one element, in the order in which they are counted */
  uint8_t dim[SC_MAX_DIMS];
  sc_domain domain[SC_MAX_DIMS]; /* by dim */
  sc_bits start; /* bits of the dims of one element, and the id */
  int ninstances;
  sc_instance *instance;
  int nslots[SC_MAX_DIMS]; /* behind a level */
  int nkernel_conds;
  sc_kernel_cond *kernel_cond;
  uint64_t compiler_hash; /* with conditions on kernels, of its only compiler */
  int kind_bits; /* of sc_bits.kinds that are given away */
  uint32_t root; /* node of the first level */
  bool skipped; /* nothing is legal, or an earlier combo says the same */
} sc_combo;

/* A prefix of dims as the rest sees it. The bytes up to slot[nslots of the level] are its identity. */
typedef struct sc_state {
  sc_bits bits;
  uint64_t settled; /* bit i: condition i of the combo needs no more looking at */
  double slot[SC_MAX_SLOTS];
} sc_state;

/* ---- graph ---- */

typedef struct sc_edge {
  sc_count upto; /* schedules through this edge and those before it */
  uint32_t child;
  uint32_t what; /* combo, class, alternative; for orders group | movable << 16 */
  uint32_t count; /* members: compilers of a combo, values of a class, orders of a group */
  uint32_t table; /* of orders */
} sc_edge;
typedef struct sc_gnode {
  sc_count count;
  uint32_t edge, nedges;
} sc_gnode;
enum { SC_GRAPH_DEAD, SC_GRAPH_END }; /* nodes: nothing, and one schedule */

typedef struct sc_memo { /* open hashing of keys of one size to numbers */
  size_t words, used, size;
  uint64_t *key;
  uint32_t *value;
} sc_memo;

typedef struct sc_graph {
  size_t nnodes, nedges, node_cap, edge_cap;
  size_t states, max_states; /* met so far, dead ones included */
  sc_gnode *node;
  sc_edge *edge;
  size_t nstack, stack_cap; /* edges of the nodes that are being built */
  sc_edge *stack;
} sc_graph;

/* ---- orders ---- */

/* The orders of one set of loops that a rule allows, grouped by which loops of the band below could move up behind
 * them. */
enum { SC_FIRSTS = SC_MAX_DIMS + 1 }; /* the dims, and "there is none" */
typedef struct sc_order_group {
  uint16_t movable; /* bit d */
  uint32_t begin[SC_FIRSTS + 1]; /* members by their first dim */
} sc_order_group;
typedef struct sc_order_table {
  uint8_t n; /* dims of an order */
  uint32_t ngroups, norders;
  sc_order_group *group;
  uint8_t *order; /* norders * n */
} sc_order_table;

/* ---- verdicts ---- */

/* What the conditions on kernels say of the late choices up to the last that kernels depend on: one verdict for each
 * alternative of the first, and behind the last the late bits that are broken. Equal ones are one. */
typedef struct sc_verdict {
  uint64_t late, broken; /* 1: one that must hold */
  uint32_t after[SC_MAX_PACK_ALTS]; /* by alternative, 0 = all is well */
} sc_verdict;
typedef struct sc_verdicts {
  size_t n, cap;
  size_t nests; /* whose kernels were looked up */
  sc_verdict *at; /* the first is none */
  sc_memo number, asked; /* of a verdict; of kinds, combo and loops */
} sc_verdicts;

struct sc_space_bound {
  sc_arena *arena;
  const sc_space *space; /* with the forced lines and the limits of lowering */
  const sc_task *task;
  const sc_machine *machine; /* a copy */
  const sc_kernel_table *kernels; /* while counting; NULL: nothing is known */
  int threads, nbands;
  int npackable;
  uint8_t packable[SC_MAX_PACKS]; /* accesses that are read and may be packed */
  uint8_t huge; /* bit a: a pack of all of access a would be larger than packs may be */
  uint16_t reduce;
  uint8_t pack_levels; /* bit a: access a has a clause `pack`, and so a level */
  bool typed_acc; /* partial sums have another type than the output */
  int16_t subject[SC_SPACE_CLAUSES]; /* of a clause: dim, access, or -1 for "*" and for clauses without */
  int active; /* so many of the conditions and forced clauses count, see sc_space_item */
  char why[384]; /* the last reason why something was left out */
  int ncombos, nlates;
  sc_combo *combo;
  sc_late *late[SC_MAX_LATES];
  sc_graph graph;
  sc_memo late_memo, table_memo;
  uint32_t root;
  sc_verdicts verdicts; /* while counting */
  size_t ntables, table_cap;
  sc_order_table *table;
};

/* bind.c */
bool sc_clause_active(const sc_space_bound *bound, const sc_clause *clause);
bool sc_cond_active(const sc_space_bound *bound, const sc_cond *cond);
/* The clause that gives an attribute of a subject (or band) its alternatives under these options, NULL = none does. */
/* Elements of the widest vector of a compiler entry, in the type of the task's sums. */
int sc_compiler_lanes(const sc_space_bound *bound, int compiler);
const sc_clause *sc_clause_find(const sc_space_bound *bound, const int8_t *option, sc_attribute attribute, int subject,
                                int band);
/* Is this alternative kept by all forced clauses of its attribute and subject? */
bool sc_alt_kept(const sc_space_bound *bound, const int8_t *option, const sc_clause *clause, int subject,
                 const sc_alt *alt);
bool sc_alt_matches(const sc_clause *clause, const sc_alt *pattern, const sc_alt *alt);

/* combo.c */
sc_status sc_combos_make(sc_space_bound *bound, sc_error *err);
/* late.c: finds or makes the late choices of a combo. */
sc_status sc_late_make(sc_space_bound *bound, sc_combo *combo, sc_error *err);
/* domain.c: the values of one dim; leaves it empty where nothing is legal and says so in bound->why. */
sc_status sc_domain_make(sc_space_bound *bound, sc_combo *combo, int dim, sc_error *err);
/* After the conditions on this dim alone were applied: bits and classes. */
sc_status sc_domain_finish(sc_space_bound *bound, sc_combo *combo, int dim, sc_error *err);
double sc_leaf_value(const sc_space_bound *bound, const sc_combo *combo, int dim, const sc_runset *runs,
                     const int32_t *step, int leaf);
/* program.c: conditions of one dim filter its domain, the others become instances; *feasible: something may be left. */
sc_status sc_program_make(sc_space_bound *bound, sc_combo *combo, bool *feasible, sc_error *err);
sc_status sc_program_finish(sc_space_bound *bound, sc_combo *combo, sc_error *err); /* behind sc_domain_finish */
/* The state behind class `class` of the dim at `level`; false when a condition is broken. */
bool sc_program_step(const sc_combo *combo, int level, int class, const sc_state *before, sc_state *behind);
/* kinds.c: in domain->like, with trips in the bands where the bits say so. */
int32_t *sc_kind_like(const sc_space_bound *bound, const sc_domain *domain, uint32_t kind, const sc_bits *bits);
/* kernel_cond.c: does a condition speak of facts of kernels? */
bool sc_cond_asks_kernels(const sc_cond *cond);
/* What is broken with the numbers behind the dims and these alternatives of late variables. */
void sc_kernel_conds_check(const sc_space_bound *bound, const sc_combo *combo, const sc_bits *bits,
                           const uint8_t *chosen, sc_verdict *verdict);
/* verdict.c: behind the dims. */
sc_status sc_verdict_find(sc_space_bound *bound, const sc_combo *combo, const sc_bits *bits, uint64_t *verdict,
                          sc_error *err);
/* Behind one more alternative; false when it breaks what must hold. */
bool sc_verdict_step(const sc_space_bound *bound, int var, int alternative, sc_bits *bits);
void sc_verdicts_free(sc_verdicts *verdicts);
/* The last late variable that kernels depend on. */
int sc_last_kernel_var(const sc_space_bound *bound);
/* overlap.c: *again: an earlier combo says the same; an error where they say some of the same. */
sc_status sc_overlap_check(const sc_space_bound *bound, const sc_combo *combo, bool *again, sc_error *err);
/* graph.c */
bool sc_memo_find(const sc_memo *memo, const void *key, uint32_t *value);
sc_status sc_memo_put(sc_memo *memo, const void *key, uint32_t value);
void sc_memo_free(sc_memo *memo);
/* Edges are pushed while a node is built; closing takes those from `base` on off the stack and makes it of them. */
sc_status sc_graph_push(sc_graph *graph, uint32_t child, uint32_t what, uint32_t count, uint32_t table);
sc_status sc_graph_close(sc_graph *graph, size_t base, uint32_t *node);
void sc_graph_free(sc_graph *graph);
/* count.c: the whole graph of a bound space whose combos are ready. */
sc_status sc_count_combo(sc_space_bound *bound, sc_combo *combo, sc_error *err);
/* count_late.c: the node of what follows the dims; order.c: of what follows the late choices. */
sc_status sc_count_late(sc_space_bound *bound, const sc_bits *bits, uint32_t *node, sc_error *err);
sc_status sc_count_orders(sc_space_bound *bound, const sc_bits *bits, uint32_t *node, sc_error *err);
/* One alternative of a late variable: false when it is illegal, excluded by a condition, or another way to write an
 * earlier one; else what the following levels see. */
bool sc_late_choose(const sc_space_bound *bound, const sc_late *late, const sc_bits *bits, int var, int alternative,
                    sc_bits *to);
/* SC_VAR_COUNT, the end, counts as one. */
bool sc_var_is_level(const sc_space_bound *bound, int var);
int sc_late_alternatives(const sc_late *late, int var);
/* The loops that lowering keeps of an alternative; returns how many. */
int sc_kept_loops(const sc_late *late, const sc_bits *bits, int alternative, uint8_t *kept);
/* Orders of a group that begin with no movable dim: how many, and the member of an edge. */
uint32_t sc_order_members(const sc_order_group *group, uint16_t movable);
const uint8_t *sc_order_member(const sc_order_table *table, uint32_t what, uint32_t member);
bool sc_order_place(const sc_order_table *table, uint32_t what, const uint8_t *order, uint32_t *place);
bool sc_pack_is_lowered(const sc_space_bound *bound, const sc_late *late, const sc_bits *bits, int access,
                        int alternative, const sc_nest *nest);

/* ---- paths (path.c) ---- */

typedef enum sc_level_kind { SC_LEVEL_COMBO, SC_LEVEL_DIM, SC_LEVEL_LATE, SC_LEVEL_ORDER } sc_level_kind;
typedef struct sc_level {
  uint8_t kind, which; /* level of a dim, late variable, band */
} sc_level;

/* The nodes of one schedule from the root on, and what it takes there. */
typedef struct sc_path {
  int n;
  sc_level level[SC_MAX_LEVELS];
  uint32_t node[SC_MAX_LEVELS], edge[SC_MAX_LEVELS] /* among the node's */, member[SC_MAX_LEVELS];
  const sc_combo *combo;
} sc_path;

/* The level that follows; false at the end. */
bool sc_level_next(const sc_space_bound *bound, const sc_combo *combo, sc_level *level);
static inline const sc_edge *sc_edges_of(const sc_space_bound *bound, uint32_t node) {
  return &bound->graph.edge[bound->graph.node[node].edge];
}
static inline sc_count sc_edge_before(const sc_edge *edge, uint32_t i) { return i ? edge[i - 1].upto : 0; }
/* Takes the edge and member at `rank` of the node's schedules and what is left of the rank behind them. */
void sc_node_take(const sc_space_bound *bound, uint32_t node, sc_count *rank, uint32_t *edge, uint32_t *member);
void sc_path_at(const sc_space_bound *bound, sc_count rank, sc_path *path);
sc_count sc_path_rank(const sc_space_bound *bound, const sc_path *path);
/* One member of an edge, written into the schedule. */
void sc_apply(const sc_space_bound *bound, const sc_combo *combo, sc_level level, const sc_edge *edge, uint32_t member,
              sc_schedule *schedule);
void sc_apply_value(const sc_space_bound *bound, int dim, const sc_domain *domain, const sc_value_of_dim *value,
                    sc_schedule *schedule);
void sc_schedule_start(const sc_space_bound *bound, sc_schedule *schedule);
sc_status sc_path_find(const sc_space_bound *bound, const sc_schedule *schedule, sc_path *path);

#endif
