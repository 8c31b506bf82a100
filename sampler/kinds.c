/* Kinds of a dim's numbers. Conditions on kernels are settled when all choices that kernels depend on are made; until
 * then a prefix remembers of each dim what they may ask: the classes of its register tiles, what lowering says of them,
 * and how large its tiles are in bands where that decides how a kernel steps through a pack. Numbers that agree in it
 * are of one kind, and those of one kind that make trips in the same bands stand for each other. */
#include <string.h>

#include "sampler/domain.h"

typedef struct kind_key {
  uint64_t classes, runset;
  uint64_t need, blocked, no_loop, loop_need; /* what lowering says of the runs, as in sc_bits */
  int64_t step[SC_MAX_BANDS - 2];
  double leaf[SC_LEAVES];
} kind_key;
_Static_assert(sizeof(kind_key) % sizeof(uint64_t) == 0, "a key of the memo is made of words");

int32_t *sc_kind_like(const sc_space_bound *bound, const sc_domain *domain, uint32_t kind, const sc_bits *bits) {
  uint32_t trips = 0;
  for (int band = 1; band <= bound->nbands; band++)
    trips |= (uint32_t)(bits->mask[band - 1] >> domain->dim & 1) << (band - 1);
  return &domain->like[(kind << bound->nbands) + trips];
}

/* ---- bands whose tiles decide strides ---- */

static bool walks(const sc_index *index, int dim) { return index->dim[0] == dim || index->dim[1] == dim; }

/* Can a register tile hold more than one position of this axis? */
static bool is_tiled(const sc_combo *combo, const sc_index *index) {
  for (int k = 0; k < 2; k++)
    if (index->dim[k] >= 0 && combo->domain[index->dim[k]].hi[SC_LEAF_TILE] > 1) return true;
  return false;
}

/* A stride is the product of what stands inside its part: it matters where a register tile makes more than one step. A
 * skew belongs to the outermost part, whichever that is. */
static bool strides_ask(const sc_builder *b, int access, const sc_pack *pack) {
  const sc_access *a = &b->bound->task->access[access];
  bool stepped = pack->skew != 0;
  for (int i = 0; i < pack->layout.nparts; i++) {
    const sc_index *index = &a->axis[pack->layout.part[i].axis];
    if (stepped && walks(index, b->dim)) return true;
    stepped |= pack->layout.part[i].kind != SC_PART_OUTER && is_tiled(b->combo, index);
  }
  return false;
}

/* Where a tensor has blocks, a loop of the kernel over them is legal for some lengths only. */
static bool loop_is_blocked(const sc_builder *b) {
  bool blocked = false;
  for (int a = 0; a < b->bound->task->naccesses; a++) blocked |= sc_probe_is_blocked(b->bound->task, a, b->dim);
  return blocked && sc_probe_may_loop(b);
}

/* Copies made ahead hold the whole tensor whatever the bands are. */
static uint8_t bands_that_matter(const sc_builder *b) {
  const sc_task *task = b->bound->task;
  const sc_late *late = b->bound->late[b->combo->late_id];
  uint8_t bands = loop_is_blocked(b) ? 1u << 1 : 0;
  for (int a = 0; a < task->naccesses; a++) {
    if (a > 0 && task->tensor[task->access[a].tensor].constant) continue;
    for (int i = 0; i < late->npacks[a]; i++)
      if (late->pack[a][i].band && strides_ask(b, a, &late->pack[a][i].pack))
        bands |= (uint8_t)(1u << late->pack[a][i].band);
  }
  return bands;
}

/* ---- numbers of kinds ---- */

void sc_kinds_start(sc_kinds *kinds, const sc_builder *b) {
  *kinds = (sc_kinds){.b = b, .bands = bands_that_matter(b), .memo.words = sizeof(kind_key) / sizeof(uint64_t)};
  b->domain->nkinds = 0;
}

sc_status sc_kinds_add(sc_kinds *kinds, const sc_value_of_dim *value, sc_bits *bits) {
  const sc_builder *b = kinds->b;
  const sc_runset *set = &b->domain->runset[value->runset];
  kind_key key;
  uint32_t number;
  memset(&key, 0, sizeof key);
  key.need = bits->need;
  key.blocked = bits->blocked;
  key.no_loop = bits->no_loop;
  key.loop_need = bits->loop_need;
  key.classes = set->classes;
  if (kinds->bands) key.runset = 1u + value->runset;
  for (int band = 1; band < b->bound->nbands; band++)
    if (kinds->bands >> band & 1) key.step[band - 1] = value->step[band - 1];
  for (int leaf = 0; leaf < SC_LEAVES; leaf++)
    if (b->domain->asked >> leaf & 1)
      key.leaf[leaf] = sc_leaf_value(b->bound, b->combo, b->dim, set, value->step, leaf);
  if (!sc_memo_find(&kinds->memo, &key, &number)) {
    number = (uint32_t)b->domain->nkinds++;
    if (sc_memo_put(&kinds->memo, &key, number) != SC_OK) return sc_fail(b->err, SC_NOMEM, "out of memory");
  }
  bits->kinds = number;
  return SC_OK;
}

sc_status sc_kinds_end(sc_kinds *kinds) {
  const sc_builder *b = kinds->b;
  sc_combo *combo = b->combo;
  sc_domain *domain = b->domain;
  const sc_space *space = b->bound->space;
  domain->like =
      sc_arena_alloc(b->bound->arena, ((size_t)domain->nkinds + 1) << b->bound->nbands, sizeof *domain->like);
  if (!domain->like) return sc_fail(b->err, SC_NOMEM, "out of memory");
  while (1 << domain->kind_bits < domain->nkinds) domain->kind_bits++;
  if (domain->kind_bits == 0) return SC_OK;
  if (combo->kind_bits + domain->kind_bits > 64)
    return sc_space_fail(space, &space->cond[combo->kernel_cond[0].cond].at, b->err, SC_LIMIT,
                         "too many tilings for a condition on kernels: shorten ladders, or leave it out");
  domain->kind_shift = (uint8_t)combo->kind_bits;
  combo->kind_bits += domain->kind_bits;
  return SC_OK;
}

void sc_kinds_put(const sc_builder *b, int i, sc_bits *bits) {
  const sc_domain *domain = b->domain;
  int32_t *like = sc_kind_like(b->bound, domain, (uint32_t)bits->kinds, bits);
  if (*like == 0) *like = 1 + i;
  bits->kinds <<= domain->kind_shift;
}
