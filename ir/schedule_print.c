/* sc_schedule -> text, one line: what sc_schedule_read makes the same schedule of. */
#include "ir/schedule.h"

const char *const sc_pad_words[] = {"none", "peel", "clamp", "pack"};

static void print_dims(const sc_task *task, const uint8_t *dims, int n, sc_str *out) {
  for (int i = 0; i < n; i++) sc_str_printf(out, " %s", task->dim[dims[i]].name);
}

/* A lone run that fits whole needs no count; in a list a count of 1 is left out. */
static void print_runs(const sc_run *run, int n, int32_t size, sc_str *out) {
  bool lone = n == 1 && (run->count == 1 ? run->size >= size : (int64_t)run->size * run->count == size);
  for (int i = 0; i < n; i++) {
    sc_str_printf(out, "%s%d", i ? "+" : " ", run[i].size);
    if (!lone && (n == 1 || run[i].count > 1)) sc_str_printf(out, "*%d", run[i].count);
  }
}

static void print_tiles(const sc_task *task, const sc_schedule *s, sc_str *out) {
  const char *separator = "tile ";
  for (int d = 0; d < task->ndims; d++) {
    if (s->nruns[d] == 0) continue;
    sc_str_printf(out, "%s%s", separator, task->dim[d].name);
    print_runs(s->run[d], s->nruns[d], task->dim[d].size, out);
    separator = ", ";
  }
  if (separator[0] == ',') sc_str_add(out, "; ");
}

static void print_kernel(const sc_task *task, const sc_schedule *s, sc_str *out) {
  if (s->vector >= 0) sc_str_printf(out, "vector %s %d; ", task->dim[s->vector].name, s->lanes);
  if (s->nkloops == 0) return;
  sc_str_add(out, "loop");
  print_dims(task, s->kloop, s->nkloops, out);
  if (s->unroll > 1) sc_str_printf(out, " unroll %d", s->unroll);
  sc_str_add(out, "; ");
}

static void print_band(const sc_task *task, const sc_schedule *s, int band, sc_str *out) {
  const char *separator = " ";
  sc_str_add(out, "band");
  for (int d = 0; d < task->ndims && band < s->nbands; d++) {
    if (s->group[band][d] == 0) continue;
    sc_str_printf(out, "%s%s ", separator, task->dim[d].name);
    if (s->group[band][d] == SC_ALL) sc_str_add(out, "all");
    else sc_str_printf(out, "%d", s->group[band][d]);
    separator = ", ";
  }
  if (s->norder[band]) {
    sc_str_add(out, " order");
    print_dims(task, s->order[band], s->norder[band], out);
  }
  sc_str_add(out, "; ");
}

/* ---- packs ---- */

static void print_axis(const sc_task *task, const sc_access *access, int axis, sc_str *out) {
  int dim = sc_axis_name(access, axis), same = 0;
  for (int i = 0; i < task->tensor[access->tensor].naxes; i++) same += sc_axis_name(access, i) == dim;
  if (dim >= 0 && same == 1) sc_str_add(out, task->dim[dim].name);
  else sc_str_printf(out, "%d", axis);
}

void sc_layout_print(const sc_task *task, int access, const sc_layout *layout, sc_str *out) {
  static const char *const suffix[] = {"", "/t", "%t"}; /* by sc_part_kind */
  for (int i = 0; i < layout->nparts; i++) {
    sc_str_add(out, i ? "," : "[");
    print_axis(task, &task->access[access], layout->part[i].axis, out);
    sc_str_add(out, suffix[layout->part[i].kind]);
  }
  sc_str_add(out, "]");
}

static void print_pack(const sc_task *task, const sc_pack *pack, sc_str *out) {
  const sc_access *access = &task->access[pack->access];
  int nth = 1;
  for (int a = 0; a < pack->access; a++) nth += task->access[a].tensor == access->tensor;
  sc_str_printf(out, "pack %s", task->tensor[access->tensor].name);
  if (nth > 1) sc_str_printf(out, "@%d", nth);
  sc_str_printf(out, " %d ", pack->band);
  sc_layout_print(task, pack->access, &pack->layout, out);
  if (pack->skew) sc_str_printf(out, " skew %d", pack->skew);
  if (pack->per_thread) sc_str_add(out, " private");
  sc_str_add(out, "; ");
}

/* ---- the whole ---- */

static void print_pads(const sc_task *task, const sc_schedule *s, sc_str *out) {
  const char *separator = "pad ";
  for (int p = 0; p < task->npads; p++) {
    const sc_pad *pad = &task->pad[p];
    if (s->pad[p] == SC_PAD_NONE) continue;
    int same = 0;
    for (int i = 0; i < task->npads; i++) same += task->pad[i].free == pad->free;
    sc_str_add(out, separator);
    if (same > 1) sc_str_printf(out, "%s.", task->tensor[task->access[pad->access].tensor].name);
    sc_str_printf(out, "%s %s", task->dim[pad->free].name, sc_pad_words[s->pad[p]]);
    separator = ", ";
  }
  if (separator[0] == ',') sc_str_add(out, "; ");
}

void sc_schedule_print(const sc_task *task, const sc_schedule *s, sc_str *out) {
  print_tiles(task, s, out);
  print_kernel(task, s, out);
  bool plain = s->nbands == 1 && s->norder[1] == 0;
  for (int band = 1; band <= s->nbands && !plain; band++) print_band(task, s, band, out);
  for (int p = 0; p < s->npacks; p++) print_pack(task, &s->pack[p], out);
  if (s->nparallel) {
    sc_str_add(out, "parallel");
    print_dims(task, s->parallel, s->nparallel, out);
    sc_str_printf(out, " %d; ", s->parallel_band);
  }
  print_pads(task, s, out);
  if (s->compile[0]) sc_str_printf(out, "compile %s; ", s->compile);
  if (out->len >= 2 && out->text[out->len - 2] == ';') { /* the last clause has nothing to be separated from */
    out->len -= 2;
    out->text[out->len] = '\0';
  }
}
