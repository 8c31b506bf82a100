/* The canonical form: two dims that every access walks as one become one, so that equal work has equal nests and
 * features: a 1x1 convolution of stride 1 is a matmul. The outer dim a keeps size 1, the inner dim b gets
 * the product, and so do the axes that they walk. */
#include "ir/operator.h"

/* The axis of `access` that dim d walks alone, from end to end, with step 1; dims of one element do not count. -1 when
 * d is not mentioned, -2 when it is mentioned in any other way. */
static int axis_of(const sc_task *task, const sc_access *access, int d) {
  const sc_tensor *tensor = &task->tensor[access->tensor];
  int found = -1;
  for (int a = 0; a < tensor->naxes; a++) {
    const sc_index *index = &access->axis[a];
    int place = index->dim[0] == d ? 0 : index->dim[1] == d ? 1 : -1;
    if (place < 0) continue;
    int other = index->dim[1 - place];
    bool alone = (other < 0 || task->dim[other].size == 1) && index->coef[place] == 1 && index->offset == 0;
    if (found >= 0 || !alone || tensor->shape[a] != task->dim[d].size) return -2;
    found = a;
  }
  return found;
}

/* That both are free, or both reductions, follows: the result mentions both or neither. */
static bool can_merge(const sc_task *task, int a, int b) {
  const sc_dim *outer = &task->dim[a], *inner = &task->dim[b];
  if (a == b || outer->size == 1 || inner->size == 1) return false;
  if ((int64_t)outer->size * inner->size > SC_OP_MAX_SIZE) return false;
  int axis[SC_MAX_TENSORS][2];
  bool seen[SC_MAX_TENSORS] = {false};
  for (int i = 0; i < task->naccesses; i++) {
    const sc_access *access = &task->access[i];
    const sc_tensor *tensor = &task->tensor[access->tensor];
    int x = axis_of(task, access, a), y = axis_of(task, access, b);
    if (x == -2 || y == -2 || (x < 0) != (y < 0)) return false;
    if (seen[access->tensor] && (axis[access->tensor][0] != x || axis[access->tensor][1] != y))
      return false; /* two views of one tensor */
    seen[access->tensor] = true;
    axis[access->tensor][0] = x;
    axis[access->tensor][1] = y;
    if (x < 0) continue;
    if (tensor->layout.block[x] || tensor->layout.block[y]) return false;
    if (access->inner_stride[x] != tensor->shape[y] * access->inner_stride[y]) return false;
  }
  return true;
}

static void merge(sc_task *task, int a, int b) {
  int axis[SC_MAX_TENSORS][2];
  for (int t = 0; t < task->ntensors; t++) axis[t][0] = -1;
  for (int i = 0; i < task->naccesses; i++) {
    axis[task->access[i].tensor][0] = axis_of(task, &task->access[i], a);
    axis[task->access[i].tensor][1] = axis_of(task, &task->access[i], b);
  }
  for (int t = 0; t < task->ntensors; t++) {
    if (axis[t][0] < 0) continue;
    task->tensor[t].shape[axis[t][1]] *= task->tensor[t].shape[axis[t][0]];
    task->tensor[t].shape[axis[t][0]] = 1;
  }
  task->dim[b].size *= task->dim[a].size;
  task->dim[a].size = 1;
}

void sc_task_merge(sc_task *task) {
  for (int i = 0; i < task->naccesses; i++) sc_access_derive(task, &task->access[i]);
  for (int a = 0; a < task->ndims; a++) {
    for (int b = 0; b < task->ndims; b++) {
      if (!can_merge(task, a, b)) continue;
      merge(task, a, b);
      for (int i = 0; i < task->naccesses; i++) sc_access_derive(task, &task->access[i]);
      a = -1; /* a merge makes others possible */
      break;
    }
  }
}
