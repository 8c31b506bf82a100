/* The walk behind the features and the analytic time. A nest is a chain of loops: outer LOOP nodes, then the loops
 * inside the kernel. Level 0 is the whole nest, level i is one iteration of loop i, the last level is one register
 * tile. Everything is closed form: how often a level is entered, which elements, lines and pages each stream of memory
 * touches in it, and what a cache of a given size must therefore be sent (docs/analytic.md). */
#ifndef SC_FEATURIZE_INTERNAL_H
#define SC_FEATURIZE_INTERNAL_H

#include "featurize/featurize.h"

/* fmax and fmin are calls, for the sake of NaN; here nothing is NaN. */
static inline double sc_max(double a, double b) { return a > b ? a : b; }
static inline double sc_min(double a, double b) { return a < b ? a : b; }

enum {
  SC_MAX_LEVELS = SC_MAX_NODES + SC_MAX_KLOOPS + 8, /* the whole nest, loops, and what fills up the last vector */
  SC_MAX_STREAMS = SC_MAX_ACCESSES + SC_MAX_PACKS,
  SC_MAX_PARTS = 2 * SC_MAX_AXES,
  SC_CURVE = 7, /* capacities of the miss curve: 16 KiB, each next one four times as large */
  SC_CAPACITIES = SC_MAX_CACHES + SC_CURVE,
  SC_KEPT_FACTS = 64
};

/* Numbers of the machine, plain and never zero: what the file leaves out is replaced by a cautious default. */
typedef struct sc_rates {
  double clock_hz, peak_flop_per_s, vector_bytes, registers, fma_per_cycle, fma_latency, loads_per_cycle;
  double capacity_bytes[SC_MAX_CACHES], ways[SC_MAX_CACHES]; /* capacity: one thread's share */
  double
      serve_bytes_per_s[SC_MAX_CACHES]; /* of what misses cache m: the next cache's rate, for the last one memory's */
  double l1i_bytes, memory_bytes_per_s, tlb_entries[2], out_of_order;
  int ncaches, line_shift, page_shift;
  double line_share[SC_MAX_CACHES]; /* of one line in a cache */
  float capacity_lines[16]; /* of the caches, then of the miss curve: SC_CAPACITIES; two vectors */
} sc_rates;

/* One axis of an access as loops walk it: it spans base + sum of coef x extent positions, 1 where all extents are 1. */
typedef struct sc_walked_axis {
  uint8_t dim[2]; /* SC_MAX_DIMS = none, whose extent is always 1 */
  double coef[2], base;
} sc_walked_axis;

/* Largest extents in elements, by dim and level; the last row is of no dim and holds ones. */
typedef double sc_extents[SC_MAX_DIMS + 1][SC_MAX_LEVELS];

/* A part of an address: steps of `stride` bytes, as many as the positions of its axis that are touched ask for. */
typedef struct sc_address_part {
  uint8_t kind, axis; /* sc_part_kind; of the tensor */
  sc_walked_axis walked;
  double limit; /* positions of the part at most */
  double inverse; /* 1 over the positions in one step */
  double stride;
} sc_address_part;

/* Where the elements of a tensor or buffer lie. */
typedef struct sc_map {
  int32_t element_bytes;
  uint8_t nparts;
  sc_address_part part[SC_MAX_PARTS]; /* innermost first */
} sc_map;

typedef enum sc_stream_kind {
  SC_STREAM_OPERAND, /* read or written by the kernel, in the tensor itself or in a buffer */
  SC_STREAM_EPILOGUE, /* read by the kernel where the reduction ends */
  SC_STREAM_OUTSIDE /* the tensor behind a run-time pack (or behind partial sums): touched where the node stands */
} sc_stream_kind;

/* One object in memory as the nest walks it. */
typedef struct sc_stream {
  uint8_t kind, access;
  int8_t pack; /* of SC_STREAM_OPERAND: the buffer it lies in; of SC_STREAM_OUTSIDE: the pack it feeds; -1 none */
  uint8_t level; /* where that pack stands: inside this level, outside the next; 0 for none and for ahead packs */
  bool runs; /* that pack, at run time */
  bool written;
  const sc_map *map;
  float box_lines[SC_MAX_LEVELS]; /* distinct lines in the box of each level */
  float lines[SC_MAX_LEVELS]; /* the same in one iteration, where the stream lives */
} sc_stream;

/* What is touched inside `extent`: `count` dense spans of bytes, `sparse` strides apart; strides up to 1 << shift bytes
 * count as dense. */
typedef struct sc_shape {
  int64_t span, dense_elements; /* elements in one span */
  double count, elements;
  int nsparse;
  struct {
    int64_t stride, n;
  } sparse[2 * SC_MAX_PARTS];
} sc_shape;
/* How the lines of one operand pile up in the sets of the caches, over the ways: above 1 they drive each other out. */
typedef struct sc_pressure {
  sc_shape shape; /* of one kernel call */
  double l1, l2; /* in one kernel call */
  double tile_l1; /* in one register tile */
  double pages; /* in one kernel call */
} sc_pressure;

/* What the kernel calls add up to; the classes of register tiles are weighted by how often they run. */
typedef struct sc_kernel_sums {
  double calls, trips; /* of all kernels; a trip is one pass of the innermost loop's body */
  double fma; /* scalar multiply-adds that are executed (padding that is skipped does not count) */
  double vector_fma, vector_loads, broadcasts, stores; /* instructions */
  double fma_cycles, load_cycles, chain_cycles, cycles; /* bounds of each kind, and their maximum per class, summed */
  double dominant_share; /* share of the multiply-adds in the most frequent class of every dim */
  double tail_vector, tail_free,
      tail_reduce; /* share of the multiply-adds in tiles smaller than the largest, by direction */
  int variants;
  double rows, vectors, taps, accumulators, live; /* of the most frequent class of every dim */
  double spill; /* registers it needs beyond those there are */
  double code_bytes; /* estimate for that class */
  double known_fma, static_fma; /* multiply-adds of classes whose times, whose static facts the table holds */
  double known_ns, known_model_ns,
      first_ns; /* their time by the table and by the cycle model; their calls' first trips */
  double spills, table_code_bytes; /* measured, weighted by multiply-adds */
  double main_fma, main_cycles, main_ns; /* of the most frequent class of every dim; main_ns 0: not measured */
} sc_kernel_sums;

/* What all rows of one task on one target share. */
typedef struct sc_prepared {
  const sc_task *task;
  sc_target target;
  sc_rates rates;
  int ndims;
  uint8_t dim[SC_MAX_DIMS]; /* dims larger than one */
  double full; /* multiply-adds of the whole box */
  bool is_clang[SC_MAX_COMPILERS];
  uint64_t compiler_hash[SC_MAX_COMPILERS];
  double inside[SC_MAX_PADS]; /* share of a padded axis' pairs that read inside the tensor */
  sc_walked_axis axis[SC_MAX_ACCESSES][SC_MAX_AXES]; /* by access */
  int noperand_axes[2];
  sc_walked_axis operand_axis[2][SC_MAX_AXES]; /* of in0 and in1, those that any dim walks */
  sc_map tensor[SC_MAX_ACCESSES]; /* by access */
  /* the features that do not depend on the nest: those of the task transformed, those of the machine plain */
  float of_task[SC_FEATURE_depth], of_target[SC_FEATURE_machine_ooo + 1 - SC_FEATURE_machine_vector];
} sc_prepared;

/* How the loops cut the tiles of one dim. */
typedef struct sc_cut {
  double tile, size; /* elements of the largest tile and of the dim */
  double intervals, outer_intervals; /* innermost ones; those outside the kernel's own loop over the dim */
  int32_t range; /* tiles in each that is whole */
  bool even; /* all are */
  int n;
  int32_t step[SC_MAX_NODES / 4]; /* outermost first */
} sc_cut;

typedef struct sc_walk {
  const sc_prepared *p;
  const sc_nest *nest;
  int nlevels, kernel_level; /* the last level outside the kernel */
  uint8_t dim[SC_MAX_LEVELS]; /* of the loop that leads into the level */
  int32_t step[SC_MAX_LEVELS]; /* tiles of one trip of that loop */
  double iterations[SC_MAX_LEVELS]; /* how often the level runs in all */
  double free_iterations[SC_MAX_LEVELS]; /* the same, counting free loops only */
  float times[SC_MAX_LEVELS], free_times[SC_MAX_LEVELS]; /* the same two as floats */
  sc_extents extent; /* dims larger than one only */
  int first_changed, last_changed; /* levels whose extents may differ from those of the walk before */
  bool same_calls; /* the kernel is called as often, by class of tiles, as in the walk before */
  sc_cut cut[SC_MAX_DIMS];
  int nstreams;
  sc_stream stream[SC_MAX_STREAMS];
  sc_map pack[SC_MAX_PACKS];
  float lines[SC_MAX_LEVELS]; /* all streams together */
  const sc_stream *operand[3]; /* the streams of out, in0, in1 that the kernel walks */
  int32_t reuse[16]; /* level that stays in each of the SC_CAPACITIES; two vectors */
  /* Lines that a cache is sent in which level i is the outermost that stays: of out, in0, in1, others, and of all. */
  float sent[4][SC_MAX_LEVELS + 1];
  double all_sent[SC_MAX_LEVELS + 1];
  sc_pressure pressure[3]; /* of out, in0, in1 as the kernel sees them */
  int ragged; /* dims whose loops have short last trips */
  double valid_share; /* multiply-adds executed / those of the full box */
  uint8_t pack_level[SC_MAX_PACKS]; /* in which each pack runs */
  int par_outside, par_level; /* levels around and inside the parallel loops; the same where there are none */
  double par_tasks, par_regions; /* collapsed trips of one parallel region; how many regions */
  double barriers;
  double speedup; /* what the threads are worth: tasks / (rounds of threads) */
  sc_kernel_sums kernels;
  int nfacts; /* of so many kernels it is known what the table knows, whatever the orders */
  const sc_kernel_fact *fact[SC_KEPT_FACTS];
  float row[SC_FEATURE_COUNT]; /* plain values */
} sc_walk;

/* prepare.c */
void sc_rates_of(const sc_target *target, sc_rates *rates);
double sc_valid_share(const sc_task *task, const sc_pad *pad);
/* What stands before the walk: rates, dims, maps of the tensors; not the row. */
void sc_prepare(const sc_task *task, const sc_target *target, sc_prepared *prepared);
/* levels.c */
void sc_walk_levels(sc_walk *walk, bool only_orders);
/* Number of innermost intervals that nested loops of these steps (outermost first) cut a range of tiles into. */
double sc_tile_intervals(const int32_t *step, int n, int64_t range);
/* Number of the innermost interval that holds a tile. */
double sc_tile_interval_of(const int32_t *step, int n, int64_t tile);
/* streams.c: the objects, and their lines in the levels that changed */
void sc_walk_streams(sc_walk *walk);
void sc_walk_lines(sc_walk *walk);
/* footprint.c: the map of a layout over boxes of `box` elements; tile[axis]: width of a SC_BLOCK_TILE block. */
void sc_map_layout(const sc_walked_axis *axes, const sc_layout *layout, const int32_t *box, const int32_t *tile,
                   int16_t skew, int32_t element_bytes, sc_map *map);
void sc_map_shape(const sc_map *map, const sc_extents extent, int level, int shift, sc_shape *shape);
/* Distinct units of 1 << shift bytes in it. */
double sc_map_units(const sc_map *map, const sc_extents extent, int level, int shift);
/* The same for the levels first .. last, and some around them. */
void sc_map_units_by_level(const sc_map *map, const sc_extents extent, int first, int last, int shift, float *units);
/* Pages of 1 << shift bytes of a shape that was made for lines. */
double sc_shape_pages(const sc_shape *shape, int shift);
/* traffic.c: cuts the lines of the streams to where they live, adds them up, and what each level is sent. */
void sc_walk_traffic(sc_walk *walk);
/* The outermost level that fits each capacity; nlevels when even a register tile does not. */
void sc_walk_reuse(sc_walk *walk);
/* Lines that one of the capacities is sent. */
static inline double sc_traffic(const sc_walk *walk, int capacity) { return walk->all_sent[walk->reuse[capacity]]; }
/* conflicts.c: least lines that share a set of a cache of `sets` sets (a pigeonhole bound, exact for one stride). */
double sc_lines_per_set(const sc_shape *shape, int line_shift, int64_t sets);
void sc_walk_pressure(sc_walk *walk);
/* Lines that come from behind the L1 again because an operand's own lines drive each other out. */
double sc_conflict_lines(const sc_walk *walk);
/* kernels.c */
void sc_walk_kernels(sc_walk *walk);
/* walk.c: levels, streams, kernels and threads; then lines, traffic and sets. only_orders: the nest differs from the one
 * that this walk went through before in nothing but the orders of loops, as sc_lower_next says; kept: and that one's
 * memory was walked, too. What cannot differ then is kept. */
void sc_walk_work(const sc_prepared *prepared, const sc_nest *nest, bool only_orders, sc_walk *walk);
void sc_walk_memory(sc_walk *walk, bool kept);
/* analytic.c */
/* Elements of the rows that pack p copies: its innermost steps; 0 when the tensor's rows run along another axis. */
double sc_copied_row(const sc_walk *walk, int pack);
/* The terms, of work and of memory; the first sets the others to 0. */
void sc_analytic_work(const sc_walk *walk, sc_analytic *out);
void sc_analytic_memory(const sc_walk *walk, sc_analytic *out);
/* schema.c: makes plain values finite and transforms them, from the feature `first` on, a multiple of eight. */
void sc_features_transform(const float *plain, int first, float *row);

#endif
