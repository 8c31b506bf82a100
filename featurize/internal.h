/* The walk behind the features and the analytic time. A nest is a chain of loops: outer LOOP nodes, then the loops inside
 * the kernel. Level 0 is the whole nest, level i is one iteration of loop i, the last level is one register tile.
 * Everything is closed form: how often a level is entered, which elements, lines and pages each stream of memory touches
 * in it, and what a cache of a given size must therefore be sent (docs/analytic.md). */
#ifndef SC_FEATURIZE_INTERNAL_H
#define SC_FEATURIZE_INTERNAL_H

#include "featurize/featurize.h"

enum {
  FZ_MAX_LEVELS = SC_MAX_NODES + SC_MAX_KLOOPS + 1,
  FZ_MAX_STREAMS = SC_MAX_ACCESSES + SC_MAX_PACKS,
  FZ_MAX_PARTS = 2 * SC_MAX_AXES,
  FZ_CURVE = 8 /* capacities of the miss curve */
};

/* Numbers of the machine, plain and never zero: what the file leaves out is replaced by a cautious default. */
typedef struct fz_machine {
  double clock_hz, peak_flop_per_s, vector_bytes, registers, fma_per_cycle, fma_latency, loads_per_cycle;
  double capacity_bytes[SC_MAX_CACHES], ways[SC_MAX_CACHES]; /* capacity: one thread's share */
  double serve_bytes_per_s[SC_MAX_CACHES]; /* of what misses cache m: the next cache's rate, for the last one memory's */
  double l1i_bytes, memory_bytes_per_s, tlb_entries[2], out_of_order;
  int ncaches, line_shift, page_shift;
} fz_machine;

/* One loop and the level it leads into. */
typedef struct fz_level {
  int8_t dim; /* -1: the whole nest */
  bool reduce, in_kernel;
  double entries, iterations; /* how often the loop is begun, how often its body runs */
  double free_iterations; /* iterations, counting free loops only */
  int32_t extent[SC_MAX_DIMS]; /* largest extents, in elements, of one iteration */
} fz_level;

/* A part of an address, innermost first: `count` steps of `stride` bytes come from the extent of one axis. */
typedef struct fz_part {
  uint8_t axis, kind; /* sc_part_kind */
  int32_t block;
  int64_t stride; /* bytes */
} fz_part;

typedef enum fz_stream_kind {
  FZ_OPERAND, /* read or written by the kernel, in the tensor itself or in a buffer */
  FZ_EPILOGUE, /* read by the kernel where the reduction ends */
  FZ_OUTSIDE /* the tensor behind a run-time pack (or behind partial sums): touched where the node stands */
} fz_stream_kind;

/* One object in memory as the nest walks it. */
typedef struct fz_stream {
  uint8_t kind, access;
  int8_t pack; /* of FZ_OPERAND: the buffer it lies in; of FZ_OUTSIDE: the pack it feeds; -1 none */
  uint8_t level; /* where that pack stands: inside this level, outside the next; 0 for none and for ahead packs */
  bool written;
  uint8_t naxes, nparts;
  uint16_t dims;
  int32_t box[SC_MAX_AXES]; /* elements an axis has at most */
  fz_part part[FZ_MAX_PARTS];
  float lines[FZ_MAX_LEVELS]; /* distinct lines in one iteration of each level */
} fz_stream;

/* What the kernel calls add up to; the classes of register tiles are weighted by how often they run. */
typedef struct fz_kernels {
  double calls, trips; /* of all kernels; a trip is one pass of the innermost loop's body */
  double fma; /* scalar multiply-adds that are executed (padding that is skipped does not count) */
  double vector_fma, vector_loads, broadcasts, stores; /* instructions */
  double fma_cycles, load_cycles, chain_cycles, cycles; /* bounds of each kind, and their maximum per class, summed */
  double lane_slots; /* lanes that the vector FMAs have */
  double dominant_share; /* share of the multiply-adds in the most frequent class of every dim */
  double tail_vector, tail_free, tail_reduce; /* share of the multiply-adds in tiles smaller than the largest, by direction */
  int variants;
  int32_t tile[SC_MAX_DIMS]; /* of the most frequent class of every dim */
  double rows, vectors, taps, accumulators, live; /* of that class */
  double spill; /* registers it needs beyond those there are */
  double code_bytes; /* estimate for that class */
  double known_fma, static_fma; /* multiply-adds of classes whose times, whose static facts the table holds */
  double known_ns, known_model_ns, first_ns; /* their time by the table and by the cycle model; their calls' first trips */
  double spills, table_code_bytes; /* measured, weighted by multiply-adds */
} fz_kernels;

typedef struct fz_walk {
  const sc_task *task;
  const sc_nest *nest;
  const sc_target *target;
  fz_machine machine;
  int nlevels, kernel_level; /* the last level outside the kernel */
  fz_level level[FZ_MAX_LEVELS];
  int nsteps[SC_MAX_DIMS];
  int32_t step[SC_MAX_DIMS][SC_MAX_NODES / 4]; /* loops of each dim, outermost first */
  int nstreams;
  fz_stream stream[FZ_MAX_STREAMS];
  float lines[FZ_MAX_LEVELS]; /* all streams together */
  double valid_share; /* multiply-adds executed / those of the full box */
  double pack_level_iterations[SC_MAX_PACKS]; /* how often each pack runs */
  double par_tasks, par_regions; /* collapsed trips of one parallel region; how many regions */
  double barriers;
  int par_level; /* first level inside the parallel loops; 0 = none */
  double speedup; /* what the threads are worth: tasks / (rounds of threads) */
  fz_kernels kernels;
} fz_walk;

void fz_machine_fill(const sc_target *target, fz_machine *machine);
/* levels.c */
void fz_levels(fz_walk *walk);
/* Number of innermost intervals that nested loops of these steps (outermost first) cut a range of tiles into. */
double fz_intervals(const int32_t *step, int n, int64_t range);
/* Number of the innermost interval that holds a tile. */
double fz_interval_of(const int32_t *step, int n, int64_t tile);
double fz_valid_share(const sc_task *task, const sc_pad *pad);
/* footprint.c */
void fz_streams(fz_walk *walk);
/* What a stream touches inside `extent`: `count` dense spans of bytes, `sparse` strides apart. Strides up to 1 << shift
 * bytes count as dense. */
typedef struct fz_shape {
  int64_t span;
  double count;
  int nsparse;
  struct {
    int64_t stride, n;
  } sparse[FZ_MAX_PARTS];
} fz_shape;
fz_shape fz_stream_shape(const fz_walk *walk, const fz_stream *stream, const int32_t *extent, int shift);
/* Distinct units of 1 << shift bytes in it. */
double fz_units(const fz_walk *walk, const fz_stream *stream, const int32_t *extent, int shift);
/* traffic.c: the outermost level that fits `bytes`; nlevels when even a register tile does not. */
int fz_reuse_level(const fz_walk *walk, double bytes);
/* Lines of one stream, of all, that must be sent when level `reuse` is the outermost that stays in the cache. */
double fz_stream_traffic(const fz_walk *walk, const fz_stream *stream, int reuse);
double fz_traffic(const fz_walk *walk, int reuse);
/* conflicts.c: least lines that share a set of a cache of `sets` sets (a pigeonhole bound, exact for one stride). */
double fz_lines_per_set(const fz_shape *shape, int line_shift, int64_t sets);
/* kernels.c */
void fz_kernels_fill(fz_walk *walk);
/* Prepares everything above. */
void fz_walk_nest(const sc_task *task, const sc_nest *nest, const sc_target *target, fz_walk *walk);
/* analytic.c */
bool fz_copies_runs(const fz_walk *walk, int pack);
void fz_analytic(const fz_walk *walk, sc_analytic *out);
/* schema.c: makes a row of plain values finite and transforms it. */
void fz_transform(float *row);

#endif
