/* What sc_lower says of one dim's numbers: probes are schedules in which everything else is harmless. So what a space
 * takes for legal, and how many kernels it counts, is lowering's own judgement. */
#include <string.h>

#include "sampler/domain.h"

static sc_layout plain_layout(const sc_task *task, int access, int last) {
  const sc_access *a = &task->access[access];
  int naxes = task->tensor[a->tensor].naxes;
  sc_layout layout = {0};
  for (int pass = 0; pass < 2; pass++) /* axes that the vector dim walks stand last */
    for (int x = 0; x < naxes; x++) {
      bool walked = last >= 0 && (a->axis[x].dim[0] == last || a->axis[x].dim[1] == last);
      if (walked == (pass == 1)) layout.part[layout.nparts++] = (sc_part){.axis = (uint8_t)x, .kind = SC_PART_WHOLE};
    }
  return layout;
}

static void set_runs(sc_schedule *s, int d, const sc_runset *set) {
  s->nruns[d] = set->nruns;
  memcpy(s->run[d], set->run, sizeof set->run);
}

static void order_rest(sc_schedule *s, int band, const sc_task *task, uint16_t without) {
  s->norder[band] = 0;
  for (int d = 0; d < task->ndims; d++)
    if (!(without >> d & 1)) s->order[band][s->norder[band]++] = (uint8_t)d;
}

/* Is access a packed in a probe that leaves `unpacked` out? A constant's pack is the whole tensor, or none. */
static bool packs(const sc_builder *b, int unpacked, int a) {
  bool constant = b->bound->task->tensor[b->bound->task->access[a].tensor].constant;
  return a != unpacked && !(constant && b->bound->huge >> a & 1);
}

/* Tiles of one element (one vector on the vector dim), all operands packed but `unpacked`, padding of other dims
 * packed or clamped away, no loop in the kernel but those that a clamp needs. */
static void make_probe(const sc_builder *b, int unpacked, int loop, sc_schedule *s) {
  const sc_task *task = b->bound->task;
  const sc_combo *combo = b->combo;
  uint16_t loops = 0, reduce_loops = 0;
  memset(s, 0, sizeof *s);
  s->nbands = 2;
  s->unroll = 1;
  s->vector = combo->vector;
  s->lanes = combo->lanes;
  if (combo->vector >= 0) {
    int32_t size = task->dim[combo->vector].size;
    s->run[combo->vector][s->nruns[combo->vector]++] = (sc_run){combo->lanes, size / combo->lanes};
    if (size % combo->lanes) s->run[combo->vector][s->nruns[combo->vector]++] = (sc_run){size % combo->lanes, 1};
  }
  for (int i = 0; i < b->bound->npackable; i++) {
    int a = b->bound->packable[i];
    uint8_t band = b->bound->huge >> a & 1 ? 1 : 2;
    if (packs(b, unpacked, a))
      s->pack[s->npacks++] =
          (sc_pack){.access = (uint8_t)a, .band = band, .layout = plain_layout(task, a, combo->vector)};
  }
  for (int p = 0; p < task->npads; p++) {
    const sc_pad *pad = &task->pad[p];
    bool mine = pad->free == b->dim || pad->red == b->dim, packed = packs(b, unpacked, pad->access);
    s->pad[p] = mine || !packed ? combo->pad[p] : SC_PAD_PACK;
    if (!mine && !packed && pad->red >= 0) s->pad[p] = SC_PAD_CLAMP;
    if (s->pad[p] == SC_PAD_CLAMP && pad->red >= 0) reduce_loops |= (uint16_t)(1u << pad->red);
    if (s->pad[p] == SC_PAD_PEEL && pad->red >= 0 && pad->red != b->dim) {
      s->nruns[pad->red] = 1;
      s->run[pad->red][0] = (sc_run){task->dim[pad->red].size, 1};
    }
  }
  if (loop >= 0 && !(reduce_loops >> loop & 1)) {
    s->kloop[s->nkloops++] = (uint8_t)loop;
    loops |= (uint16_t)(1u << loop);
  }
  for (int d = 0; d < task->ndims && s->nkloops < SC_MAX_KLOOPS; d++)
    if (reduce_loops >> d & 1) s->kloop[s->nkloops++] = (uint8_t)d;
  loops |= reduce_loops;
  for (int d = 0; d < task->ndims; d++) s->group[1][d] = loops >> d & 1 ? SC_ALL : 1;
  order_rest(s, 1, task, loops);
  order_rest(s, 2, task, 0);
}

/* With a buffer for partial sums where these need one. */
static bool lowers(const sc_builder *b, const sc_schedule *s, sc_nest *nest, sc_error *why) {
  const sc_task *task = b->bound->task;
  if (sc_lower(task, s, nest, why) == SC_OK) return true;
  if (why->rule != SC_RULE_ACC_TYPE || s->npacks == SC_MAX_PACKS) return false;
  sc_schedule buffered = *s;
  buffered.pack[buffered.npacks++] =
      (sc_pack){.access = 0, .band = 2, .layout = plain_layout(task, 0, b->combo->vector)};
  return sc_lower(task, &buffered, nest, why) == SC_OK;
}

bool sc_probe_is_blocked(const sc_task *task, int access, int dim) {
  const sc_access *a = &task->access[access];
  const sc_tensor *tensor = &task->tensor[a->tensor];
  for (int x = 0; x < tensor->naxes; x++)
    if (tensor->layout.block[x] && (a->axis[x].dim[0] == dim || a->axis[x].dim[1] == dim)) return true;
  return false;
}

bool sc_probe_may_loop(const sc_builder *b) {
  const sc_late *late = b->bound->late[b->combo->late_id];
  if (late->clamped >> b->dim & 1) return false; /* is one in any case */
  for (int i = 0; i < late->nloops; i++)
    for (int k = 0; k < late->loop[i].n; k++)
      if (late->loop[i].dim[k] == b->dim) return true;
  return false;
}

static bool is_before(const sc_seg *a, const sc_seg *b) {
  return a->size != b->size ? a->size < b->size : a->lo != b->lo ? a->lo < b->lo : a->hi < b->hi;
}

/* Of sizes and borders, whatever their number and order. */
static uint64_t hash_classes(const sc_tiling *tiling) {
  const sc_seg *seg[SC_MAX_SEGS];
  int32_t words[3 * SC_MAX_SEGS];
  int n = 0;
  for (int i = 0; i < tiling->nsegs; i++) {
    if (tiling->class_of[i] != n) continue; /* seen */
    int at = n++;
    for (; at > 0 && is_before(&tiling->seg[i], seg[at - 1]); at--) seg[at] = seg[at - 1];
    seg[at] = &tiling->seg[i];
  }
  for (int i = 0; i < n; i++) {
    words[3 * i] = seg[i]->size;
    words[3 * i + 1] = seg[i]->lo;
    words[3 * i + 2] = seg[i]->hi;
  }
  return sc_hash64(words, (size_t)n * 3 * sizeof *words, 0);
}

/* Keeps the runs that are legal, with their kernels. */
void sc_probe_runs(sc_builder *b) {
  int n = 0;
  sc_nest nest;
  sc_error why;
  for (int i = 0; i < b->domain->nrunsets; i++) {
    sc_runset *set = &b->domain->runset[i];
    sc_schedule s;
    make_probe(b, -1, -1, &s);
    set_runs(&s, b->dim, set);
    if (!lowers(b, &s, &nest, &why)) {
      memcpy(b->bound->why, why.text, sizeof b->bound->why);
      continue;
    }
    set->nclasses = nest.dim[b->dim].nclasses;
    set->classes = hash_classes(&nest.dim[b->dim]);
    b->domain->runset[n++] = *set;
  }
  b->domain->nrunsets = n;
}

/* Does access a want a pack with these runs, or with this dim as a loop of the kernel over `step` tiles? */
static bool needs_pack(const sc_builder *b, const sc_runset *set, int access, int loop, int32_t step) {
  sc_schedule s;
  sc_nest nest;
  sc_error why;
  make_probe(b, access, loop, &s);
  set_runs(&s, b->dim, set);
  if (loop >= 0) s.group[1][b->dim] = step;
  if (lowers(b, &s, &nest, &why)) return false;
  return why.rule != SC_RULE_CONTIGUOUS || b->combo->vector == b->dim;
}

static sc_status loop_need_bit(const sc_builder *b, int access, uint64_t *bit) {
  sc_late *late = b->bound->late[b->combo->late_id];
  int i = 0;
  while (i < late->nloop_needs && (late->loop_need[i].access != access || late->loop_need[i].dim != b->dim)) i++;
  if (i == 64) return sc_fail(b->err, SC_LIMIT, "more than 64 pairs of blocked tensors and kernel loops");
  if (i == late->nloop_needs) {
    late->loop_need[i].access = (uint8_t)access;
    late->loop_need[i].dim = (uint8_t)b->dim;
    late->nloop_needs++;
  }
  *bit = (uint64_t)1 << i;
  return SC_OK;
}

/* Does a pack that could be chosen hold the dim? Then what its layout comes to depends on how wide tiles are. */
static bool is_packed(const sc_builder *b) {
  const sc_late *late = b->bound->late[b->combo->late_id];
  for (int a = 0; a < b->bound->task->naccesses; a++)
    for (int i = 0; i < late->npacks[a]; i++)
      if (late->pack[a][i].band && b->bound->task->access[a].dims >> b->dim & 1) return true;
  return false;
}

/* What the runs ask of packs, whatever the bands. */
void sc_probe_needs(const sc_builder *b, sc_runset *set) {
  const sc_task *task = b->bound->task;
  for (int i = 0; i < b->bound->npackable; i++) {
    int a = b->bound->packable[i];
    bool may =
        task->access[a].dims >> b->dim & 1 && (b->combo->vector == b->dim || sc_probe_is_blocked(task, a, b->dim));
    if (may && needs_pack(b, set, a, -1, 1)) set->bits.need |= (uint8_t)(1u << a);
  }
  if (!is_packed(b)) return;
  if (set->max_tile == 1) set->bits.thin = (uint16_t)(1u << b->dim);
  for (int a = 1; a < task->naccesses; a++) {
    const sc_tensor *tensor = &task->tensor[task->access[a].tensor];
    for (int x = 0; x < tensor->naxes; x++)
      if (tensor->constant && task->access[a].axis[x].dim[0] == b->dim && set->nruns == 1 &&
          tensor->layout.block[x] == set->max_tile)
        set->bits.blocked = (uint16_t)(1u << b->dim);
  }
}

/* What a loop of the kernel over this dim asks: it depends on the step where a tensor has blocks. */
sc_status sc_probe_loop(const sc_builder *b, const sc_runset *set, int32_t step, sc_bits *bits) {
  const sc_task *task = b->bound->task;
  sc_schedule s;
  sc_nest nest;
  sc_error why;
  make_probe(b, -1, b->dim, &s);
  set_runs(&s, b->dim, set);
  s.group[1][b->dim] = step;
  if (!lowers(b, &s, &nest, &why)) {
    bits->no_loop |= (uint16_t)(1u << b->dim);
    return SC_OK;
  }
  for (int i = 0; i < b->bound->npackable; i++) {
    int a = b->bound->packable[i];
    uint64_t bit = 0;
    if (!sc_probe_is_blocked(task, a, b->dim) || !needs_pack(b, set, a, b->dim, step)) continue;
    SC_TRY(loop_need_bit(b, a, &bit));
    bits->loop_need |= bit;
  }
  return SC_OK;
}
