/* Two identities of a task. The hash covers all that decides what a nest of it does, in numbers of their own: names and
 * dims of one element are left out and axes stand in the order of the layout, so that a 1x1 convolution and the matmul
 * with the same memory hash alike. The group key is coarser: the contraction alone, whatever the layout and types. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ir/operator.h"

/* ---- hash ---- */

typedef struct numbering {
  int dims, tensors, dim[SC_MAX_DIMS], tensor[SC_MAX_TENSORS];
} numbering;

static int number_of(int *numbers, int i, int *count) {
  if (numbers[i] < 0) numbers[i] = (*count)++;
  return numbers[i];
}

static bool is_trivial(const sc_task *task, const sc_access *access, int axis) {
  const sc_tensor *tensor = &task->tensor[access->tensor];
  const sc_index *index = &access->axis[axis];
  for (int i = 0; i < 2; i++)
    if (index->dim[i] >= 0 && task->dim[index->dim[i]].size > 1) return false;
  return tensor->shape[axis] == 1 && tensor->layout.block[axis] == 0 && index->offset == 0;
}

/* "w56/0 2*d1+1*d4-1": one part of the layout with the index of its axis. */
static void write_part(const sc_task *task, const sc_access *access, const sc_part *part, numbering *n, sc_str *out) {
  const sc_tensor *tensor = &task->tensor[access->tensor];
  const sc_index *index = &access->axis[part->axis];
  sc_str_printf(out, " %c%d/%d ", "woi"[part->kind], tensor -> shape[part->axis], tensor -> layout.block[part->axis]);
  for (int i = 0; i < 2; i++)
    if (index->dim[i] >= 0 && task->dim[index->dim[i]].size > 1)
      sc_str_printf(out, "%d*d%d+", index->coef[i], number_of(n->dim, index->dim[i], &n->dims));
  sc_str_printf(out, "%d", index->offset);
}

static void write_access(const sc_task *task, const sc_access *access, numbering *n, sc_str *out) {
  const sc_tensor *tensor = &task->tensor[access->tensor];
  sc_str_printf(out, "t%d %s %d%d", number_of(n->tensor, access->tensor, &n->tensors), sc_type_name(tensor->type),
                tensor->role, tensor->constant);
  for (int i = 0; i < tensor->layout.nparts; i++)
    if (!is_trivial(task, access, tensor->layout.part[i].axis))
      write_part(task, access, &tensor->layout.part[i], n, out);
  sc_str_add(out, "\n");
}

bool sc_task_hash(const sc_task *task, uint64_t *hash) {
  numbering n = {0};
  sc_str text = {0};
  memset(n.dim, -1, sizeof n.dim);
  memset(n.tensor, -1, sizeof n.tensor);
  for (int i = 0; i < task->naccesses; i++) write_access(task, &task->access[i], &n, &text);
  for (int number = 0; number < n.dims; number++)
    for (int d = 0; d < task->ndims; d++)
      if (n.dim[d] == number)
        sc_str_printf(&text, "d%d %d%c\n", number, task->dim[d].size, task->dim[d].reduce ? 'r' : 'f');
  for (int i = 0; i < task->nstmts; i++) {
    sc_str_printf(&text, "a%d %d", task->stmt[i].lhs, task->stmt[i].update);
    for (int e = 0; e < task->stmt[i].nexpr; e++) {
      const sc_expr *node = &task->stmt[i].expr[e];
      sc_str_printf(&text, " %d:%d:%.9g", node->kind, node->kind == SC_EXPR_ACCESS ? node->access : 0,
                    node->kind == SC_EXPR_CONST ? (double)node->value : 0.0);
    }
    sc_str_add(&text, "\n");
  }
  bool complete = !text.failed;
  *hash = sc_hash64(sc_str_text(&text), text.len, 0);
  sc_str_free(&text);
  return complete;
}

/* ---- group key ---- */

/* How one axis is read by a window: out elements, taps, stride, dilation, elements read before and behind the
 * tensor. */
typedef struct window {
  int64_t out, taps, stride, dilation, before, behind;
} window;

enum { OUT = 1, LEFT = 2, RIGHT = 4 }; /* accesses 0, 1, 2 of the contraction */
typedef struct contraction {
  int64_t product[8]; /* of the sizes of the plain dims, by the accesses that mention them */
  int nwindows, nright; /* all; of the right operand */
  window window[2 * SC_MAX_AXES];
} contraction;

/* False for an axis that is one plain dim (or none). */
static bool window_of(const sc_task *task, const sc_access *access, int axis, window *w) {
  const sc_index *index = &access->axis[axis];
  int64_t lo, hi, size = task->tensor[access->tensor].shape[axis];
  *w = (window){1, 1, 1, 1, 0, 0};
  for (int i = 0; i < 2; i++) {
    if (index->dim[i] < 0 || task->dim[index->dim[i]].size == 1) continue;
    bool reduce = task->dim[index->dim[i]].reduce;
    *(reduce ? &w->taps : &w->out) = task->dim[index->dim[i]].size;
    *(reduce ? &w->dilation : &w->stride) = index->coef[i];
  }
  sc_index_range(task, index, &lo, &hi);
  w->before = lo < 0 ? -lo : 0;
  w->behind = hi >= size ? hi - size + 1 : 0;
  bool one_dim = w->out == 1 || w->taps == 1;
  return !(one_dim && w->stride == 1 && w->dilation == 1 && w->before == 0 && w->behind == 0);
}

static int compare_windows(const void *a, const void *b) {
  const window *x = a, *y = b;
  const int64_t pairs[][2] = {{x->out, y->out},           {x->taps, y->taps},     {x->stride, y->stride},
                              {x->dilation, y->dilation}, {x->before, y->before}, {x->behind, y->behind}};
  for (size_t i = 0; i < SC_COUNT_OF(pairs); i++)
    if (pairs[i][0] != pairs[i][1]) return pairs[i][0] < pairs[i][1] ? -1 : 1;
  return 0;
}

static void contraction_of(const sc_task *task, contraction *c) {
  unsigned windowed = 0;
  *c = (contraction){.product = {1, 1, 1, 1, 1, 1, 1, 1}};
  for (int i = 1; i <= 2; i++) {
    for (int a = 0; a < task->tensor[task->access[i].tensor].naxes; a++) {
      const sc_index *index = &task->access[i].axis[a];
      if (!window_of(task, &task->access[i], a, &c->window[c->nwindows])) continue;
      c->nwindows++;
      c->nright += i == 2;
      for (int k = 0; k < 2; k++)
        if (index->dim[k] >= 0) windowed |= 1u << index->dim[k];
    }
  }
  for (int d = 0; d < task->ndims; d++) {
    int users = 0;
    for (int i = 0; i <= 2; i++) users |= (task->access[i].dims >> d & 1) << i;
    if (!(windowed >> d & 1)) c->product[users] *= task->dim[d].size;
  }
  qsort(c->window, (size_t)c->nwindows, sizeof c->window[0], compare_windows);
}

void sc_task_group_key(const sc_task *task, sc_str *out) {
  static const struct {
    char name;
    int users, swapped;
  } sizes[] = {{'B', OUT | LEFT | RIGHT, OUT | LEFT | RIGHT},
               {'M', OUT | LEFT, OUT | RIGHT},
               {'N', OUT | RIGHT, OUT | LEFT},
               {'K', LEFT | RIGHT, LEFT | RIGHT},
               {'O', OUT, OUT},
               {'L', LEFT, RIGHT},
               {'R', RIGHT, LEFT}};
  contraction c;
  contraction_of(task, &c);
  int nleft = c.nwindows - c.nright; /* the windows stand left; without any, the smaller side */
  bool swap = c.nright != nleft ? c.nright > nleft : c.product[OUT | LEFT] > c.product[OUT | RIGHT];
  const char *separator = ":";
  sc_str_add(out, c.nwindows ? "conv" : "matmul");
  for (size_t i = 0; i < SC_COUNT_OF(sizes); i++) {
    int64_t size = c.product[swap ? sizes[i].swapped : sizes[i].users];
    if (size == 1) continue;
    sc_str_printf(out, "%s%c=%lld", separator, sizes[i].name, (long long)size);
    separator = ",";
  }
  for (int i = 0; i < c.nwindows; i++) {
    const window *w = &c.window[i];
    sc_str_printf(out, "%swindow=%lldx%lld/%lld/%lld+%lld+%lld", separator, (long long)w->out, (long long)w->taps,
                  (long long)w->stride, (long long)w->dilation, (long long)w->before, (long long)w->behind);
    separator = ",";
  }
}
