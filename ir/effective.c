/* A schedule without what has no effect: loops of one trip, groups past the last tile, loops that one around them goes
 * on with, packs with the addresses of the tensor, parts of layouts with one position. Its nest is the same. */
#include <string.h>

#include "ir/lowering.h"

typedef struct tiles {
  int32_t step[SC_MAX_BANDS][SC_MAX_DIMS]; /* tiles of dim d in one tile of band b, as lower.c has them */
} tiles;

static void find_steps(const sc_task *task, const sc_schedule *s, const sc_nest *nest, tiles *t) {
  for (int d = 0; d < task->ndims; d++) {
    int32_t all = nest->dim[d].tiles;
    t->step[0][d] = 1;
    for (int b = 1; b <= s->nbands; b++) {
      int64_t group = b == s->nbands ? all : s->group[b][d] ? s->group[b][d] : 1, step = t->step[b - 1][d] * group;
      t->step[b][d] = step < all ? (int32_t)step : all;
    }
  }
}

static bool makes_trips(const tiles *t, int band, int d) { return t->step[band][d] > t->step[band - 1][d]; }

static void keep_loops(sc_schedule *s, const tiles *t) {
  for (int b = 1; b <= s->nbands; b++) {
    int n = 0;
    for (int i = 0; i < s->norder[b]; i++)
      if (makes_trips(t, b, s->order[b][i])) s->order[b][n++] = s->order[b][i];
    memset(s->order[b] + n, 0, sizeof s->order[b] - (size_t)n);
    s->norder[b] = (uint8_t)n;
  }
}

static sc_layout used_part(const sc_layout *layout, int naxes) {
  sc_layout used = {.nparts = layout->nparts};
  memcpy(used.part, layout->part, layout->nparts * sizeof layout->part[0]);
  memcpy(used.block, layout->block, (size_t)naxes * sizeof layout->block[0]);
  return used;
}

static void keep_packs(const sc_task *task, const sc_nest *nest, sc_schedule *s) {
  int n = 0;
  for (int p = 0, npacks = s->npacks; p < npacks; p++)
    for (int i = 0; i < nest->npacks; i++) {
      int a = s->pack[p].access;
      if (nest->pack[i].access != a) continue;
      s->pack[n] = s->pack[p];
      s->pack[n++].layout = used_part(&nest->pack[i].layout, task->tensor[task->access[a].tensor].naxes);
    }
  memset(s->pack + n, 0, sizeof s->pack - (size_t)n * sizeof s->pack[0]);
  s->npacks = (uint8_t)n;
}

/* Does a copy, or a border of the parallel loops, stand between the loops of band `above` and the first of `band`? */
static bool kept_apart(const sc_task *task, const sc_schedule *s, int above, int band) {
  for (int p = 0; p < s->npacks; p++) {
    bool ahead = task->tensor[task->access[s->pack[p].access].tensor].constant && s->pack[p].access != 0;
    if (!ahead && s->pack[p].band >= band && s->pack[p].band < above) return true;
  }
  for (int i = 0; i < s->nparallel; i++)
    if ((s->parallel_band == above && s->parallel[i] == s->order[above][s->norder[above] - 1]) ||
        (s->parallel_band == band && s->parallel[i] == s->order[band][0]))
      return true;
  return false;
}

/* Where the first loop of a band only goes on with the last one above it, the one above takes its steps. */
static void join_loops(const sc_task *task, sc_schedule *s, tiles *t) {
  for (int b = s->nbands - 1; b >= 1; b--) {
    int above = b + 1;
    while (above <= s->nbands && s->norder[above] == 0) above++;
    if (above > s->nbands || s->norder[b] == 0) continue;
    int d = s->order[b][0];
    if (s->order[above][s->norder[above] - 1] != d || kept_apart(task, s, above, b)) continue;
    for (int x = b; x < above; x++) t->step[x][d] = t->step[b - 1][d];
    keep_loops(s, t);
  }
}

void sc_schedule_effective(const sc_task *task, const sc_nest *nest, sc_schedule *s) {
  tiles t;
  find_steps(task, s, nest, &t);
  s->nkloops = nest->nkloops;
  memset(s->kloop, 0, sizeof s->kloop);
  memcpy(s->kloop, nest->kloop, nest->nkloops);
  keep_loops(s, &t);
  keep_packs(task, nest, s);
  join_loops(task, s, &t);
  for (int b = 1; b < s->nbands; b++)
    for (int d = 0; d < task->ndims; d++) {
      bool all = t.step[b][d] == nest->dim[d].tiles;
      s->group[b][d] = !makes_trips(&t, b, d) ? 0 : all ? SC_ALL : t.step[b][d] / t.step[b - 1][d];
    }
}
