/* Every text of a small space, one by one, without a thought about which of them mean the same: the oracle of counting.
 * A case lists what the space's clauses allow in the schedule language; bands come from ladders and all orders. */
#ifndef TESTS_SAMPLER_BRUTE_H
#define TESTS_SAMPLER_BRUTE_H

#include "tests/sampler/spaces.h"

enum { BRUTE_LIST = 24 };

typedef struct brute_dim {
  const char *dim, *ladder /* all, whole, top, ends = whole and top */;
  const char *tiles[BRUTE_LIST]; /* "4*2+1" */
} brute_dim;

typedef struct brute {
  const char *task, *space, *force;
  int threads, bands;
  brute_dim dim[SC_MAX_DIMS]; /* the others: tiles of 1, ladder all */
  const char *vector[BRUTE_LIST]; /* clauses of the schedule language, "" = none; one of each list */
  const char *loop[BRUTE_LIST];
  const char *pack[SC_MAX_PACKS][BRUTE_LIST];
  const char *parallel[BRUTE_LIST];
  const char *pad[BRUTE_LIST];
  const char *compile[BRUTE_LIST]; /* "gcc@4": only with 4 lanes */
  bool (*where)(const sc_task *task, const sc_schedule *schedule); /* NULL: no condition */
} brute;

typedef void brute_fn(void *user, const sc_task *task, const sc_schedule *schedule);

typedef struct enumeration {
  const brute *b;
  const sc_task *task;
  brute_fn *each;
  void *user;
  sc_schedule s;
  int32_t tiles[SC_MAX_DIMS];
  int32_t step[SC_MAX_BANDS][SC_MAX_DIMS];
} enumeration;

static inline sc_schedule piece(const sc_task *task, const char *text) {
  sc_schedule s;
  sc_error err = {0};
  if (sc_schedule_parse(task, "piece", text, &s, &err) != SC_OK) fail_msg("%s: %s", text, err.text);
  return s;
}

/* Elements of dim d in the largest tile of a band; 0 is the register tile. */
static inline int32_t extent_in(const sc_task *task, const sc_schedule *s, int d, int band) {
  sc_run one[1] = {{1, task->dim[d].size}};
  const sc_run *run = s->nruns[d] ? s->run[d] : one;
  int nruns = s->nruns[d] ? s->nruns[d] : 1;
  int32_t size[512], n = 0, step = 1, largest = 0;
  for (int i = 0; i < nruns; i++)
    for (int k = 0; k < run[i].count; k++) size[n++] = run[i].size;
  for (int b = 1; b <= band; b++) {
    int32_t group = b == s->nbands ? SC_ALL : s->group[b][d] ? s->group[b][d] : 1;
    step = group == SC_ALL || (int64_t)step * group > n ? n : step * group;
  }
  for (int32_t at = 0; at < n; at += step) {
    int32_t sum = 0;
    for (int32_t i = at; i < n && i < at + step; i++) sum += size[i];
    if (sum > largest) largest = sum;
  }
  return largest;
}

/* Bytes of the box that an access touches in a tile of a band. */
static inline double region_in(const sc_task *task, const sc_schedule *s, int access, int band) {
  int32_t start[SC_MAX_DIMS] = {0}, extent[SC_MAX_DIMS], lo[SC_MAX_AXES], ext[SC_MAX_AXES];
  const sc_tensor *tensor = &task->tensor[task->access[access].tensor];
  for (int d = 0; d < task->ndims; d++) extent[d] = extent_in(task, s, d, band);
  sc_region(task, &task->access[access], start, extent, lo, ext);
  double bytes = sc_type_bytes(tensor->type);
  for (int x = 0; x < tensor->naxes; x++) bytes *= ext[x] < tensor->shape[x] ? ext[x] : tensor->shape[x];
  return bytes;
}

static inline void brute_give(enumeration *e) {
  if (!e->b->where || e->b->where(e->task, &e->s)) e->each(e->user, e->task, &e->s);
}

/* All orders of the loops that make trips, band by band. */
static inline void brute_orders(enumeration *e, int band) {
  if (band > e->b->bands) {
    brute_give(e);
    return;
  }
  uint16_t kernel = 0, left = 0;
  for (int i = 0; i < e->s.nkloops && band == 1; i++) kernel |= (uint16_t)(1u << e->s.kloop[i]);
  for (int d = 0; d < e->task->ndims; d++)
    if (e->step[band][d] > e->step[band - 1][d] && !(kernel >> d & 1)) left |= (uint16_t)(1u << d);
  int n = 0;
  uint8_t dims[SC_MAX_DIMS], at[SC_MAX_DIMS] = {0};
  for (int d = 0; d < e->task->ndims; d++)
    if (left >> d & 1) dims[n++] = (uint8_t)d;
  e->s.norder[band] = (uint8_t)n;
  for (;;) { /* all words of length n over dims without a repetition */
    uint16_t seen = 0;
    for (int i = 0; i < n; i++) {
      e->s.order[band][i] = dims[at[i]];
      seen |= (uint16_t)(1u << dims[at[i]]);
    }
    if (seen == left) brute_orders(e, band + 1);
    int i = n - 1;
    while (i >= 0 && ++at[i] == n) at[i--] = 0;
    if (i < 0) return;
  }
}

static inline const brute_dim *brute_dim_of(const brute *b, const char *name) {
  for (int i = 0; i < SC_MAX_DIMS && b->dim[i].dim; i++)
    if (strcmp(b->dim[i].dim, name) == 0) return &b->dim[i];
  return NULL;
}

static inline void brute_steps(enumeration *e, int d, int band) {
  if (d == e->task->ndims) {
    brute_orders(e, 1);
    return;
  }
  e->step[0][d] = 1;
  e->step[e->b->bands][d] = e->tiles[d];
  if (band == e->b->bands) {
    brute_steps(e, d + 1, 1);
    return;
  }
  const brute_dim *dim = brute_dim_of(e->b, e->task->dim[d].name);
  const char *ladder = dim && dim->ladder ? dim->ladder : "all";
  int32_t below = e->step[band - 1][d], tiles = e->tiles[d];
  for (int32_t step = below; step <= tiles; step++) {
    if (step % below != 0 && step != tiles) continue;
    if (strcmp(ladder, "whole") == 0 && step != tiles) continue;
    if (strcmp(ladder, "top") == 0 && step != 1) continue;
    if (strcmp(ladder, "ends") == 0 && step != 1 && step != tiles) continue;
    e->step[band][d] = step;
    e->s.group[band][d] = step == tiles ? SC_ALL : step / below;
    brute_steps(e, d, band + 1);
  }
}

static inline void brute_tiles(enumeration *e, int d) {
  if (d == e->task->ndims) {
    brute_steps(e, 0, 1);
    return;
  }
  static const char *const one[] = {"1", NULL};
  const brute_dim *dim = brute_dim_of(e->b, e->task->dim[d].name);
  const char *const *tiles = dim && dim->tiles[0] ? dim->tiles : one;
  for (int i = 0; tiles[i]; i++) {
    char text[64];
    snprintf(text, sizeof text, "tile %s %s", e->task->dim[d].name, tiles[i]);
    sc_schedule p = piece(e->task, text);
    e->s.nruns[d] = p.nruns[d];
    memcpy(e->s.run[d], p.run[d], sizeof p.run[d]);
    e->tiles[d] = 0;
    for (int k = 0; k < p.nruns[d]; k++) e->tiles[d] += p.run[d][k].count;
    brute_tiles(e, d + 1);
  }
}

static inline void brute_packs(enumeration *e, int list) {
  if (list == SC_MAX_PACKS || !e->b->pack[list][0]) {
    brute_tiles(e, 0);
    return;
  }
  for (int i = 0; e->b->pack[list][i]; i++) {
    sc_schedule p = piece(e->task, e->b->pack[list][i]);
    uint8_t n = e->s.npacks;
    if (p.npacks) e->s.pack[e->s.npacks++] = p.pack[0];
    brute_packs(e, list + 1);
    e->s.npacks = n;
  }
}

/* The lists of single clauses, each with "" as its only line where it is empty. */
static inline void brute_all(enumeration *e) {
  static const char *const none[] = {"", NULL};
  const brute *b = e->b;
  const char *const *vector = b->vector[0] ? b->vector : none, *const *loop = b->loop[0] ? b->loop : none;
  const char *const *parallel = b->parallel[0] ? b->parallel : none, *const *pad = b->pad[0] ? b->pad : none;
  memset(&e->s, 0, sizeof e->s);
  e->s.nbands = (uint8_t)b->bands;
  for (int v = 0; vector[v]; v++)
    for (int c = 0; b->compile[c]; c++)
      for (int l = 0; loop[l]; l++)
        for (int p = 0; parallel[p]; p++)
          for (int q = 0; pad[q]; q++) {
            sc_schedule a = piece(e->task, vector[v]), k = piece(e->task, loop[l]), x = piece(e->task, parallel[p]),
                        y = piece(e->task, pad[q]);
            const char *lanes = strchr(b->compile[c], '@');
            if (lanes && atoi(lanes + 1) != a.lanes) continue;
            snprintf(e->s.compile, SC_NAME, "%.*s", (int)(lanes ? lanes - b->compile[c] : (int)strlen(b->compile[c])),
                     b->compile[c]);
            e->s.vector = a.vector;
            e->s.lanes = a.lanes;
            e->s.nkloops = k.nkloops;
            memcpy(e->s.kloop, k.kloop, sizeof k.kloop);
            e->s.unroll = k.unroll;
            e->s.nparallel = x.nparallel;
            memcpy(e->s.parallel, x.parallel, sizeof x.parallel);
            e->s.parallel_band = x.parallel_band;
            memcpy(e->s.pad, y.pad, sizeof y.pad);
            brute_packs(e, 0);
          }
}

static inline void brute_each(const brute *b, const sc_task *task, brute_fn *each, void *user) {
  static enumeration e;
  e = (enumeration){.b = b, .task = task, .each = each, .user = user};
  brute_all(&e);
}

#endif
