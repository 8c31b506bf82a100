/* A nest as four C functions (codegen.h). */
#include <stdio.h>
#include <string.h>

#include "codegen/nest.h"

/* ---- kernels of a nest ---- */

/* Classes of every dim of variant number v: the last dim varies fastest. */
static void classes_of(const sc_task *task, const sc_nest *nest, int v, uint8_t *class_of_dim) {
  for (int d = task->ndims - 1; d >= 0; d--) {
    class_of_dim[d] = (uint8_t)(v % nest->dim[d].nclasses);
    v /= nest->dim[d].nclasses;
  }
}

int sc_nest_kernels(const sc_task *task, const sc_nest *nest, sc_kernel *kernels, int max) {
  uint64_t hash[UINT8_MAX];
  int n = 0;
  for (int v = 0; v < nest->nvariants; v++) {
    uint8_t class_of_dim[SC_MAX_DIMS];
    sc_kernel kernel;
    classes_of(task, nest, v, class_of_dim);
    sc_nest_kernel(task, nest, class_of_dim, &kernel);
    uint64_t h = sc_kernel_hash(&kernel, false);
    int i = 0;
    while (i < n && hash[i] != h) i++;
    if (i < n) continue;
    hash[n] = h;
    if (n < max) kernels[n] = kernel;
    n++;
  }
  return n;
}

/* Variants whose argument lists are equal share an array. */
static void find_groups(nester *g) {
  for (int v = 0; v < g->nvariants; v++) {
    sc_arg arg[SC_MAX_ARGS];
    int n = sc_kernel_args(&g->variant[v], arg), i = 0;
    while (i < g->ngroups && (g->group[i].nargs != n || memcmp(g->group[i].arg, arg, (size_t)n * sizeof arg[0]) != 0))
      i++;
    g->group_of[v] = (uint8_t)i;
    if (i < g->ngroups) continue;
    g->group[i].nargs = n;
    memcpy(g->group[i].arg, arg, (size_t)n * sizeof arg[0]);
    g->ngroups++;
  }
}

/* ---- preparation ---- */

static int64_t place(int64_t *total, int64_t elems) {
  int64_t at = *total;
  *total += (elems * 4 + 63) / 64 * 64;
  return at;
}

static void place_packs(nester *g) {
  for (int p = 0; p < g->nest->npacks; p++) {
    const sc_nest_pack *pack = &g->nest->pack[p];
    g->pack_at[p] = place(pack->ahead        ? &g->ahead_bytes
                          : pack->per_thread ? &g->private_bytes
                                             : &g->shared_bytes,
                          pack->elems);
  }
}

static sc_status prepare(nester *g, sc_error *err) {
  const sc_nest *nest = g->nest;
  g->kernel = nest->nnodes - 1;
  g->par = SC_ROOT;
  for (int n = 0; n < nest->nnodes; n++) {
    const sc_node *node = &nest->node[n];
    if (node->kind == SC_NODE_PAR) g->par = n;
    if (node->kind != SC_NODE_PACK && node->kind != SC_NODE_ACC) continue;
    g->pack_node[node->pack] = nest->pack[node->pack].ahead ? SC_ROOT : n;
  }
  g->split = nest->free_kloop && nest->dim[nest->kloop[0]].nsegs > 1 ? nest->nnodes : SC_ROOT;
  g->nvariants = nest->nvariants;
  g->variant = sc_arena_alloc(g->arena, (size_t)g->nvariants, sizeof *g->variant);
  g->group_of = sc_arena_alloc(g->arena, (size_t)g->nvariants, sizeof *g->group_of);
  g->group = sc_arena_alloc(g->arena, (size_t)g->nvariants, sizeof *g->group);
  if (!g->variant || !g->group_of || !g->group) return sc_fail(err, SC_NOMEM, "out of memory");
  for (int v = 0; v < g->nvariants; v++) {
    uint8_t class_of_dim[SC_MAX_DIMS];
    classes_of(g->task, nest, v, class_of_dim);
    sc_nest_kernel(g->task, nest, class_of_dim, &g->variant[v]);
  }
  find_groups(g);
  for (int i = 0; i < g->ngroups; i++) {
    g->group[i].value = sc_arena_alloc(g->arena, (size_t)g->group[i].nargs, sizeof(expr));
    if (!g->group[i].value) return sc_fail(err, SC_NOMEM, "out of memory");
  }
  place_packs(g);
  return SC_OK;
}

/* ---- f_ahead and the sizes ---- */

static void emit_buffers(nester *g, bool ahead) {
  for (int i = 0; i < g->task->ntensors; i++)
    sc_define(g, SC_NAME_TENSOR, i, "%sfloat *const T%d = tensors[%d];",
              g->task->tensor[i].role == SC_IN ? "const " : "", i, i);
  for (int p = 0; p < g->nest->npacks; p++) {
    const sc_nest_pack *pack = &g->nest->pack[p];
    const char *constant = pack->ahead && !ahead ? "const " : "";
    sc_str at = {0};
    if (pack->per_thread)
      sc_str_printf(&at, " + %lld + tid * %lld", (long long)g->shared_bytes, (long long)g->private_bytes);
    sc_define(g, SC_NAME_PACK, p, "%sfloat *const P%d = (%sfloat *)((%schar *)%s + %lld%s);", constant, p, constant,
              constant, pack->ahead ? "ahead" : "scratch", (long long)g->pack_at[p], sc_str_text(&at));
    sc_str_free(&at);
  }
}

static void emit_ahead(nester *g) {
  sc_begin(g, "void %s_ahead(void *const *tensors, void *ahead) {", g->name);
  sc_put(g, "(void)tensors, (void)ahead;");
  emit_buffers(g, true);
  for (int p = 0; p < g->nest->npacks; p++)
    if (g->nest->pack[p].ahead) sc_emit_copy(g, p, false);
  sc_end(g);
}

static void emit_sizes(nester *g) {
  sc_put(g, "size_t %s_ahead_bytes(void) { return %lld; }", g->name, (long long)g->ahead_bytes);
  sc_begin(g, "size_t %s_scratch_bytes(int nt) {", g->name);
  sc_put(g, "return %lld + (size_t)(nt > 1 ? nt : 1) * %lld;", (long long)g->shared_bytes, (long long)g->private_bytes);
  sc_end(g);
}

/* ---- loops ---- */

/* Where the range of loop n ends: in most trips a step further, in the last one at the loop's end. */
static void define_end(nester *g, int n, int d, const expr *end) {
  expr count = sc_range_count(g, d, n + 1);
  if (count.literal) sc_define(g, SC_NAME_HI, n, "const int64_t h%d = t%d + %s;", n, n, sc_read(g, &count));
  else
    sc_define(g, SC_NAME_HI, n, "const int64_t h%d = SC_LEAST(t%d + %d, %s);", n, n, g->nest->node[n].step,
              sc_read(g, end));
}

/* What may be asked of a loop's range. */
static void emit_range(nester *g, int n, int d, const expr *end) {
  const sc_tiling *tiling = &g->nest->dim[d];
  expr start = sc_name(n, SC_NAME_START, n), hi = sc_name(n, SC_NAME_HI, n);
  sc_str t = {0}, text = {0};
  sc_str_printf(&t, "t%d", n);
  if (n != g->split) define_end(g, n, d, end);
  sc_text_start(tiling, sc_str_text(&t), &text);
  sc_define(g, SC_NAME_START, n, "const int64_t x%d = %s;", n, sc_str_text(&text));
  sc_str_clear(&text);
  sc_text_start(tiling, sc_read(g, &hi), &text);
  sc_define(g, SC_NAME_EXTENT, n, "const int64_t e%d = (%s) - %s;", n, sc_str_text(&text), sc_read(g, &start));
  sc_str_clear(&text);
  sc_text_size(tiling, sc_str_text(&t), &text);
  sc_define(g, SC_NAME_SIZE, n, "const int64_t z%d = %s;", n, sc_str_text(&text));
  sc_str_clear(&text);
  sc_text_class(tiling, sc_str_text(&t), &text);
  sc_define(g, SC_NAME_CLASS, n, "const int64_t c%d = %s;", n, sc_str_text(&text));
  sc_str_free(&t);
  sc_str_free(&text);
}

/* Taps of a clamped dim that lie inside the tensor: u<d> the first, k<d> how many. */
static void emit_clamp(nester *g, int d) {
  expr lo = sc_range_lo(g, d, SC_AT_KERNEL), hi = sc_range_hi(g, d, SC_AT_KERNEL);
  for (int i = 0; i < g->task->npads; i++) {
    const sc_pad *pad = &g->task->pad[i];
    if (g->nest->pad[i] != SC_PAD_CLAMP || pad->red != d) continue;
    expr first = sc_range_start(g, pad->free, SC_AT_KERNEL),
         last = sc_add(first, sc_sub(sc_tile_size(g, pad->free), sc_lit(1)));
    expr below = sc_sub(sc_lit(-(int64_t)pad->offset), sc_mul(sc_lit(pad->cf), first));
    expr above = sc_sub(sc_lit((int64_t)pad->size - pad->offset), sc_mul(sc_lit(pad->cf), last));
    if (pad->cr != 1) {
      below = sc_reading(sc_var(below.level, "sc_ceil_div(%s, %d)", below.text, pad->cr), below);
      above = sc_reading(sc_var(above.level, "sc_ceil_div(%s, %d)", above.text, pad->cr), above);
    }
    lo = sc_max(lo, below);
    hi = sc_min(hi, above);
  }
  sc_put(g, "const int64_t u%d = %s;", d, sc_read(g, &lo));
  sc_put(g, "const int64_t k%d = SC_MOST(%s - u%d, 0);", d, sc_read(g, &hi), d);
}

static int last_level_before(const sum *s, int level) {
  int last = SC_ROOT - 1;
  for (int i = 0; i < s->n; i++)
    if (s->term[i].level < level && s->term[i].level > last) last = s->term[i].level;
  return last;
}

/* The name of an offset as far as it is known at `level`; "" is nothing yet. */
static void offset_name(const nester *g, int a, int level, char *text, size_t size) {
  int last = last_level_before(&g->offset[a], level + 1);
  if (last < SC_ROOT) snprintf(text, size, "%s", "");
  else if (last == SC_ROOT) snprintf(text, size, " + o%d", a);
  else snprintf(text, size, " + o%d_%d", a, last);
}

static void emit_offset(nester *g, int a, int level) {
  const sum *s = &g->offset[a];
  sc_str line = {0};
  char before[32];
  for (int i = 0; i < s->n; i++)
    if (s->term[i].level == level) sc_str_printf(&line, " + %s", sc_read(g, &s->term[i]));
  if (line.len) {
    offset_name(g, a, level - 1, before, sizeof before);
    if (level == SC_ROOT) sc_put(g, "const int64_t o%d = %s;", a, line.text + 3);
    else if (*before) sc_put(g, "const int64_t o%d_%d = %s%s;", a, level, before + 3, line.text);
    else sc_put(g, "const int64_t o%d_%d = %s;", a, level, line.text + 3);
  }
  sc_str_free(&line);
}

/* The buffer of access a, and the offset in it as far as it is known at `level`. */
static void add_place(nester *g, int a, int level, sc_str *out) {
  char offset[32];
  int p = a == SC_OPERAND_PARTIAL ? g->nest->acc : g->nest->operand[a].pack;
  expr buffer =
      p >= 0 ? sc_name(SC_ROOT, SC_NAME_PACK, p) : sc_name(SC_ROOT, SC_NAME_TENSOR, g->task->access[a].tensor);
  offset_name(g, a, level, offset, sizeof offset);
  sc_str_printf(out, "%s%s", sc_read(g, &buffer), offset);
}

static void add_argument(nester *g, const arg_group *group, int i, sc_str *out) {
  if (group->arg[i].kind == SC_ARG_POINTER) {
    sc_str_add(out, "(intptr_t)(");
    add_place(g, group->arg[i].operand, group->value[i].level, out);
    sc_str_add(out, ")");
  } else {
    sc_str_add(out, sc_read(g, &group->value[i]));
  }
}

static void emit_arguments(nester *g, int level) {
  for (int j = 0; j < g->ngroups; j++)
    for (int i = 0; i < g->group[j].nargs; i++) {
      if (g->group[j].value[i].level != level) continue;
      sc_str text = {0};
      add_argument(g, &g->group[j], i, &text);
      sc_put(g, "a[%d][%d] = %s;", j, i, sc_str_text(&text));
      sc_str_free(&text);
    }
}

/* Everything that is known behind node `level` and not before. */
static void emit_level(nester *g, int level) {
  for (int d = 0; d < g->task->ndims; d++)
    if (sc_is_clamped(g, d) && sc_clamp_level(g, d) == level) emit_clamp(g, d);
  for (int a = 0; a <= SC_OPERAND_PARTIAL; a++)
    if (a < g->nest->noperands || (a == SC_OPERAND_PARTIAL && g->nest->acc >= 0)) emit_offset(g, a, level);
  if (level != SC_ROOT) emit_arguments(g, level);
}

/* ---- nodes ---- */

/* Limits of loop number i of the collapsed parallel ones: in the first trip of those around it a thread begins where
 * its share does, in their last it ends there, and between, the range is the whole. */
static void emit_share(nester *g, int n, int i, const expr *lo, const expr *hi) {
  const char *more = i + 1 < g->nest->node[g->par].count ? " + 1" : ""; /* the last trip is not complete */
  sc_str begins = {0}, ends = {0};
  for (int j = 0; j < i; j++) {
    sc_str_printf(&begins, "%st%d == from[%d]", j ? " && " : "", g->par + 1 + j, j);
    sc_str_printf(&ends, "%st%d == to[%d]", j ? " && " : "", g->par + 1 + j, j);
  }
  if (i == 0) {
    sc_put(g, "const int64_t b%d = from[0], f%d = SC_LEAST(to[0]%s, %s);", n, n, more, sc_read(g, hi));
  } else {
    sc_put(g, "const int64_t b%d = %s ? from[%d] : %s;", n, sc_str_text(&begins), i, sc_read(g, lo));
    sc_put(g, "const int64_t f%d = %s ? SC_LEAST(to[%d]%s, %s) : %s;", n, sc_str_text(&ends), i, more, sc_read(g, hi),
           hi->text);
  }
  sc_str_free(&begins);
  sc_str_free(&ends);
}

static void emit_loop(nester *g, int n) {
  const sc_node *node = &g->nest->node[n];
  expr lo = sc_range_lo(g, node->dim, n), hi = sc_range_hi(g, node->dim, n);
  int i = g->par == SC_ROOT ? -1 : n - g->par - 1;
  if (i >= 0 && i < g->nest->node[g->par].count) {
    emit_share(g, n, i, &lo, &hi);
    sc_begin(g, "for (int64_t t%d = b%d; t%d < f%d; t%d += %d) {", n, n, n, n, n, node->step);
  } else {
    sc_begin(g, "for (int64_t t%d = %s; t%d < %s; t%d += %d) {", n, sc_read(g, &lo), n, sc_read(g, &hi), n, node->step);
  }
  emit_range(g, n, node->dim, &hi);
}

/* Where this thread's share of the parallel loops begins and ends. */
static void emit_parallel(nester *g, int n) {
  int count = g->nest->node[n].count;
  sc_put(g, "int64_t from[%d], to[%d];", count, count);
  sc_begin(g, "{");
  sc_str table = {0};
  for (int i = 0; i < count; i++) {
    const sc_node *node = &g->nest->node[n + 1 + i];
    const sc_tiling *tiling = &g->nest->dim[node->dim];
    sc_put(g, "static const int64_t seg%d[] = {", i);
    for (int s = 0; s < tiling->nsegs; s++)
      sc_put(g, "  %d, %d, %d,", tiling->seg[s].first, tiling->seg[s].start, tiling->seg[s].size);
    sc_put(g, "};");
    expr lo = sc_range_lo(g, node->dim, n), hi = sc_range_hi(g, node->dim, n);
    sc_str_printf(&table, "%s{%s, %s, %d, %d, seg%d}", i ? ", " : "", sc_read(g, &lo), sc_read(g, &hi), node->step,
                  tiling->nsegs, i);
  }
  sc_put(g, "const sc_loop loops[] = {%s};", sc_str_text(&table));
  sc_str_free(&table);
  sc_put(g, "sc_cut(loops, %d, tid, nt, from);", count);
  sc_put(g, "sc_cut(loops, %d, tid + 1, nt, to);", count);
  sc_end(g);
}

static bool is_shared(const nester *g, int n) {
  return n >= 0 && n < g->nest->nnodes && g->par != SC_ROOT && g->nest->node[n].kind == SC_NODE_PACK &&
         !g->nest->pack[g->nest->node[n].pack].per_thread && !g->nest->pack[g->nest->node[n].pack].ahead;
}

static bool inside_loop(const nester *g, int n) {
  for (int i = 0; i < n; i++)
    if (g->nest->node[i].kind == SC_NODE_LOOP) return true;
  return false;
}

/* Around the copies of shared packs stand barriers: all have read the last contents; all have written the new ones. */
static void emit_pack(nester *g, int n) {
  int p = g->nest->node[n].pack;
  const sc_nest_pack *pack = &g->nest->pack[p];
  if (pack->ahead) return;
  for (int x = 0; x < g->task->tensor[g->task->access[pack->access].tensor].naxes; x++) {
    expr extent = sc_pack_box(g, p, x);
    int number = p * SC_MAX_AXES + x;
    if (!extent.literal) sc_define(g, SC_NAME_BOX, number, "const int64_t n%d = %s;", number, sc_read(g, &extent));
  }
  if (g->nest->node[n].kind == SC_NODE_ACC) return;
  if (is_shared(g, n) && !is_shared(g, n - 1) && inside_loop(g, n)) sc_put(g, "if (nt > 1) barrier(ctx);");
  sc_emit_copy(g, p, is_shared(g, n));
  if (is_shared(g, n) && !is_shared(g, n + 1)) sc_put(g, "if (nt > 1) barrier(ctx);");
}

/* The loop over segments of a free kernel loop's range, each of which is one call. */
static void emit_split(nester *g) {
  int d = g->nest->kloop[0], s = g->split;
  const sc_tiling *tiling = &g->nest->dim[d];
  expr lo = sc_range_lo(g, d, g->kernel), hi = sc_range_hi(g, d, g->kernel);
  sc_str end = {0};
  for (int i = 0; i + 1 < tiling->nsegs; i++)
    sc_str_printf(&end, "t%d < %d ? %d : ", s, tiling->seg[i + 1].first, tiling->seg[i + 1].first);
  sc_str_printf(&end, "%d", tiling->tiles);
  sc_begin(g, "for (int64_t t%d = %s, h%d; t%d < %s; t%d = h%d) {", s, sc_read(g, &lo), s, s, sc_read(g, &hi), s, s);
  sc_put(g, "h%d = %s;", s, sc_str_text(&end));
  sc_put(g, "h%d = SC_LEAST(h%d, %s);", s, s, sc_read(g, &hi));
  sc_str_free(&end);
  emit_range(g, s, d, &hi);
}

static void emit_call(nester *g) {
  expr class = sc_lit(0);
  for (int d = 0; d < g->task->ndims; d++)
    class = sc_add(sc_mul(class, sc_lit(g->nest->dim[d].nclasses)), sc_tile_class(g, d));
  sc_str call = {0};
  if (class.literal) {
    char symbol[32];
    sc_kernel_symbol(&g->variant[0], symbol);
    sc_str_printf(&call, "%s(", symbol);
  } else {
    sc_put(g, "const int64_t class = %s;", sc_read(g, &class));
    sc_str_printf(&call, "%s_kernel[class](", g->name);
  }
  for (int a = 0; a < 3; a++) {
    add_place(g, a, g->nest->nnodes, &call);
    sc_str_add(&call, ", ");
  }
  if (g->ngroups > 1) sc_str_printf(&call, "a[%s_group[class]]);", g->name);
  else sc_str_add(&call, "a[0]);");
  sc_put(g, "%s", sc_str_text(&call));
  sc_str_free(&call);
}

/* ---- f_run ---- */

static void emit_argument_arrays(nester *g) {
  int most = 0;
  for (int j = 0; j < g->ngroups; j++)
    if (g->group[j].nargs > most) most = g->group[j].nargs;
  sc_put(g, "int64_t a[%d][%d];", g->ngroups, most);
  emit_arguments(g, SC_ROOT);
}

static void emit_run(nester *g) {
  sc_begin(g,
           "void %s_run(void *const *tensors, const void *ahead, void *scratch, int tid, int nt, void "
           "(*barrier)(void *), void *ctx) {",
           g->name);
  sc_put(g, "(void)ahead, (void)scratch, (void)tid, (void)nt, (void)barrier, (void)ctx;");
  if (g->par == SC_ROOT) sc_put(g, "if (tid > 0) return; /* nothing is parallel */");
  emit_buffers(g, false);
  emit_level(g, SC_ROOT);
  emit_argument_arrays(g);
  for (int n = 0; n < g->nest->nnodes; n++) {
    switch ((sc_node_kind)g->nest->node[n].kind) {
    case SC_NODE_LOOP: emit_loop(g, n); break;
    case SC_NODE_PAR: emit_parallel(g, n); break;
    case SC_NODE_PACK:
    case SC_NODE_ACC: emit_pack(g, n); break;
    case SC_NODE_KERNEL: break;
    }
    emit_level(g, n);
  }
  if (g->split != SC_ROOT) {
    emit_split(g);
    emit_level(g, g->split);
  }
  emit_call(g);
  while (g->indent > 0) sc_end(g);
}

static void emit_tables(nester *g) {
  char symbol[32];
  if (g->nvariants == 1) return;
  sc_put(g, "static sc_kernel_fn *const %s_kernel[] = {", g->name);
  for (int v = 0; v < g->nvariants; v++) {
    sc_kernel_symbol(&g->variant[v], symbol);
    sc_put(g, "    %s,", symbol);
  }
  sc_put(g, "};");
  if (g->ngroups == 1) return;
  sc_put(g, "static const unsigned char %s_group[] = {", g->name);
  for (int v = 0; v < g->nvariants; v++) sc_put(g, "    %d,", g->group_of[v]);
  sc_put(g, "};");
}

static void emit_prototypes(nester *g) {
  char symbol[32];
  for (int v = 0; v < g->nvariants; v++) {
    sc_kernel_symbol(&g->variant[v], symbol);
    sc_put(g, "%ssc_kernel_fn %s;", g->linkage, symbol);
  }
}

/* ---- all of it ---- */

static bool in_name(char c) {
  return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_identifier(const char *name) {
  const char *s = name;
  while (in_name(*s)) s++;
  return s != name && *s == 0 && !(*name >= '0' && *name <= '9');
}

static sc_status emit(nester *g, sc_error *err) {
  SC_TRY(prepare(g, err));
  sc_place_all(g);
  emit_prototypes(g);
  emit_tables(g);
  emit_sizes(g);
  sc_print_function(g, emit_ahead);
  sc_print_function(g, emit_run);
  sc_str_add(g->out, "\n");
  return g->out->failed ? sc_fail(err, SC_NOMEM, "out of memory") : SC_OK;
}

sc_status sc_emit_check(const sc_task *task, sc_error *err) {
  for (int i = 0; i < task->ntensors; i++)
    if (task->tensor[i].type != SC_F32)
      return sc_fail(err, SC_UNSUPPORTED, "code is generated for f32, not %s, which '%s' is",
                     sc_type_name(task->tensor[i].type), task->tensor[i].name);
  return SC_OK;
}

sc_status sc_emit_nest(const sc_task *task, const sc_nest *nest, const char *name, const char *linkage, sc_str *out,
                       sc_error *err) {
  if (!is_identifier(name)) return sc_fail(err, SC_USAGE, "'%s' is no name for a C function", name);
  SC_TRY(sc_emit_check(task, err));
  sc_arena *arena = sc_arena_new();
  nester *g = arena ? sc_arena_alloc(arena, 1, sizeof *g) : NULL;
  if (!g) {
    sc_arena_free(arena);
    return sc_fail(err, SC_NOMEM, "out of memory");
  }
  g->task = task;
  g->nest = nest;
  g->name = name;
  g->linkage = linkage;
  g->out = out;
  g->arena = arena;
  sc_status status = emit(g, err);
  sc_arena_free(arena);
  return status;
}
