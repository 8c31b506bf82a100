/* Ranks in their order: the path to a schedule moves on like an odometer. Its last digits are orders of loops, so that
 * most schedules differ from the one before in a few bytes, and cost a twentieth of sc_space_at. */
#include "sampler/bound.h"

static const sc_edge *taken(const sc_space_bound *bound, const sc_path *path, int i) {
  return &sc_edges_of(bound, path->node[i])[path->edge[i]];
}

/* To the next rank; the first level that changed, -1 behind the last rank. No edge of a node is empty. */
static int advance(const sc_space_bound *bound, sc_path *path) {
  int i = path->n - 1;
  for (; i >= 0; i--) {
    if (++path->member[i] < taken(bound, path, i)->count) break;
    path->member[i] = 0;
    if (++path->edge[i] < bound->graph.node[path->node[i]].nedges) break;
  }
  if (i < 0) return -1;
  if (i == 0) path->combo = &bound->combo[taken(bound, path, 0)->what];
  sc_level level = path->level[i];
  for (path->n = i + 1; sc_level_next(bound, path->combo, &level); path->n++) {
    path->level[path->n] = level;
    path->node[path->n] = taken(bound, path, path->n - 1)->child;
    path->edge[path->n] = path->member[path->n] = 0;
  }
  return i;
}

/* Writes the choices from a level on; only orders stand each for itself in a schedule. */
static void write_from(const sc_space_bound *bound, const sc_path *path, int from, sc_schedule *schedule) {
  if (path->level[from].kind != SC_LEVEL_ORDER) {
    sc_schedule_start(bound, schedule);
    from = 0;
  }
  for (int i = from; i < path->n; i++)
    sc_apply(bound, path->combo, path->level[i], taken(bound, path, i), path->member[i], schedule);
}

sc_status sc_space_each(const sc_space_bound *bound, sc_count first, size_t n, sc_sample_fn *each, void *user) {
  const sc_count count = sc_space_count(bound);
  sc_schedule schedule;
  sc_path path;
  if (first > count || n > count - first) return SC_USAGE;
  if (n == 0) return SC_OK;
  sc_path_at(bound, first, &path);
  write_from(bound, &path, 0, &schedule);
  SC_TRY(each(user, &schedule));
  for (size_t i = 1; i < n; i++) {
    write_from(bound, &path, advance(bound, &path), &schedule);
    SC_TRY(each(user, &schedule));
  }
  return SC_OK;
}
