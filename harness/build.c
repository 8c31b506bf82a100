/* Schedules become shared objects: kernels from the store, nests compiled many at a time, one object per call and
 * compiler. What the compiler refuses is halved until the culprits stand alone; they are outcomes, the rest is
 * built. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/internal.h"

/* One schedule on its way. */
typedef struct item {
  const sc_task *task;
  const sc_nest *nest;
  sc_built *out;
  size_t first_kernel, nkernels; /* in group.use */
  char *source;
  size_t source_len;
  uint64_t nest_hash; /* of the machine code, so far */
  uint32_t code_bytes;
} item;

/* The schedules of one compiler. */
typedef struct group {
  sc_store *store;
  const sc_compiler *compiler;
  item *item;
  size_t n;
  sc_kernel *kernel; /* distinct */
  uint64_t *hash;
  size_t nkernels, cap_kernels;
  size_t *use; /* numbers of kernels, item by item */
  size_t nuses, cap_uses;
  sc_object *object;
  char **failure;
} group;

static void fail_item(item *it, const char *why) {
  it->out->outcome = SC_NOT_COMPILED;
  snprintf(it->out->failure, sizeof it->out->failure, "%.*s", (int)sizeof it->out->failure - 1, why);
}

static sc_status no_memory(sc_error *err) { return sc_fail(err, SC_NOMEM, "out of memory"); }

/* ---- kernels ----------------------------------------------------------------------------------------------------- */

static bool grow(void **array, size_t *cap, size_t need, size_t size) {
  if (need <= *cap) return true;
  size_t cap2 = *cap ? 2 * *cap : 64;
  while (cap2 < need) cap2 *= 2;
  void *more = realloc(*array, cap2 * size);
  if (!more) return false;
  *array = more;
  *cap = cap2;
  return true;
}

/* Number of a kernel in the group's list. */
static bool add_kernel(group *g, const sc_kernel *kernel, size_t *number) {
  uint64_t hash = sc_kernel_hash(kernel, false);
  for (*number = 0; *number < g->nkernels; ++*number)
    if (g->hash[*number] == hash) return true;
  size_t cap = g->cap_kernels;
  if (!grow((void **)&g->kernel, &cap, g->nkernels + 1, sizeof *g->kernel)) return false;
  if (!grow((void **)&g->hash, &g->cap_kernels, g->nkernels + 1, sizeof *g->hash)) return false;
  g->kernel[g->nkernels] = *kernel;
  g->hash[g->nkernels++] = hash;
  return true;
}

static sc_status list_kernels(group *g, item *it, sc_error *err) {
  enum { MOST = 4096 };
  int n = sc_nest_kernels(it->task, it->nest, NULL, 0), max = n < MOST ? n : MOST;
  sc_kernel *kernels = calloc((size_t)(max > 0 ? max : 1), sizeof *kernels);
  if (!kernels) return no_memory(err);
  sc_status status = SC_OK;
  it->first_kernel = g->nuses;
  if (n > MOST) fail_item(it, "more kernels than one schedule may have");
  if (n <= MOST) sc_nest_kernels(it->task, it->nest, kernels, max);
  for (int i = 0; i < max && n <= MOST && status == SC_OK; i++) {
    size_t number;
    if (!add_kernel(g, &kernels[i], &number) || !grow((void **)&g->use, &g->cap_uses, g->nuses + 1, sizeof *g->use))
      status = no_memory(err);
    else g->use[g->nuses++] = number;
  }
  it->nkernels = g->nuses - it->first_kernel;
  free(kernels);
  return status;
}

static sc_status need_kernels(group *g, sc_error *err) {
  g->object = calloc(g->nkernels + 1, sizeof *g->object);
  g->failure = calloc(g->nkernels + 1, sizeof *g->failure);
  if (!g->object || !g->failure) return no_memory(err);
  SC_TRY(sc_store_need(g->store, g->compiler, g->kernel, g->nkernels, g->object, g->failure, err));
  for (size_t i = 0; i < g->n; i++)
    for (size_t k = 0; k < g->item[i].nkernels; k++) {
      const char *why = g->failure[g->use[g->item[i].first_kernel + k]];
      if (why && g->item[i].out->outcome == SC_RAN) fail_item(&g->item[i], why);
    }
  return SC_OK;
}

/* ---- nests ------------------------------------------------------------------------------------------------------- */

static sc_status emit_nest(group *g, item *it, sc_error *err) {
  sc_str source = {0};
  sc_error why = {0};
  sc_status status = sc_emit_nest(it->task, it->nest, it->out->prefix, "", &source, &why);
  if (status == SC_NOMEM || source.failed) {
    sc_str_free(&source);
    return no_memory(err);
  }
  if (status != SC_OK) fail_item(it, why.text);
  it->source = source.text;
  it->source_len = source.len;
  uint64_t hash = sc_hash64(source.text, source.len, sc_codegen_version());
  for (size_t k = 0; k < it->nkernels; k++) {
    uint64_t kernel = g->hash[g->use[it->first_kernel + k]];
    hash = sc_hash64(&kernel, sizeof kernel, hash);
  }
  it->out->source_hash = hash;
  return SC_OK;
}

static void take_fact(void *user, const char *function, uint64_t hash, uint32_t bytes) {
  item **items = user;
  for (; *items; items++) {
    size_t n = strlen((*items)->out->prefix);
    if (strncmp(function, (*items)->out->prefix, n) != 0 || function[n] != '_') continue;
    (*items)->nest_hash = sc_hash64(function + n, strlen(function + n), (*items)->nest_hash) ^ hash;
    (*items)->code_bytes += bytes;
    return;
  }
}

static sc_status unit_source(item *const *items, size_t n, sc_str *source, sc_error *err) {
  sc_emit_prelude(source);
  for (size_t i = 0; i < n; i++) sc_str_addn(source, items[i]->source, items[i]->source_len);
  return source->failed ? no_memory(err) : SC_OK;
}

/* Objects of nests to be linked. */
typedef struct paths {
  char (*path)[SC_PATH];
  size_t n, cap;
} paths;

static sc_status compile_nests(group *g, item **items, size_t n, size_t units, paths *to, sc_error *err);

static sc_status halve(group *g, item **items, size_t n, paths *to, sc_error *err) {
  SC_TRY(compile_nests(g, items, n / 2, 1, to, err));
  return compile_nests(g, items + n / 2, n - n / 2, 1, to, err);
}

/* Compiles items[n] as at most `units` files; a file that fails is halved. */
static sc_status compile_nests(group *g, item **items, size_t n, size_t units, paths *to, sc_error *err) {
  if (n == 0) return SC_OK;
  enum { MOST = 16, FEWEST = 4 }; /* files at once; nests that are worth a file: each compiles the helpers again */
  if (units > (n + FEWEST - 1) / FEWEST) units = (n + FEWEST - 1) / FEWEST;
  if (units > MOST) units = MOST;
  sc_str source[MOST] = {{0}};
  sc_unit unit[MOST];
  size_t from[MOST + 1] = {0};
  if (!grow((void **)&to->path, &to->cap, to->n + units, sizeof *to->path)) return no_memory(err);
  sc_status status = SC_OK;
  for (size_t u = 0; u < units && status == SC_OK; u++) {
    from[u + 1] = n * (u + 1) / units;
    status = unit_source(items + from[u], from[u + 1] - from[u], &source[u], err);
    unit[u] = (sc_unit){.source = source[u].text, .len = source[u].len};
    if (status == SC_OK)
      status = sc_path(unit[u].object, err, "%s/n%" PRIu64 ".o", sc_store_work(g->store)->path,
                       sc_store_next_batch(g->store));
  }
  if (status == SC_OK) status = sc_compile_units(sc_store_work(g->store), g->compiler, "", unit, units, err);
  for (size_t u = 0; u < units; u++) sc_str_free(&source[u]);
  for (size_t u = 0; u < units && status == SC_OK; u++) {
    size_t count = from[u + 1] - from[u];
    if (unit[u].failure[0] == '\0') memcpy(to->path[to->n++], unit[u].object, SC_PATH);
    else if (count == 1) fail_item(items[from[u]], unit[u].failure);
    else status = halve(g, items + from[u], count, to, err);
  }
  return status;
}

/* ---- linking ----------------------------------------------------------------------------------------------------- */

static sc_status link_group(group *g, item **items, size_t n, const paths *nests, char path[SC_PATH], char failure[256],
                            sc_error *err) {
  const char *linker, **word = calloc(nests->n + g->nkernels + 1, sizeof *word);
  char(*unit)[SC_PATH] = calloc(g->nkernels + 1, sizeof *unit);
  uint64_t *seen = calloc(g->nkernels + 1, sizeof *seen);
  size_t count = 0, units = 0;
  sc_status status = word && unit && seen ? SC_OK : no_memory(err);
  for (size_t i = 0; i < nests->n && status == SC_OK; i++) word[count++] = nests->path[i];
  for (size_t i = 0; i < n && status == SC_OK; i++)
    for (size_t k = 0; k < items[i]->nkernels && status == SC_OK; k++) {
      uint64_t name = g->object[g->use[items[i]->first_kernel + k]].unit;
      size_t u = 0;
      while (u < units && seen[u] != name) u++;
      if (u < units) continue;
      status = sc_store_unit_path(g->store, g->compiler, name, unit[u], err);
      seen[units++] = name;
      word[count++] = unit[u];
    }
  if (status == SC_OK)
    status = sc_path(path, err, "%s/b%" PRIu64 ".so", sc_store_work(g->store)->path, sc_store_next_batch(g->store));
  if (status == SC_OK) status = sc_store_linker(g->store, g->compiler, &linker, err);
  if (status == SC_OK) status = sc_link(linker, word, count, path, failure, err);
  free(word);
  free(unit);
  free(seen);
  return status;
}

static void finish_item(const group *g, const item *it, const char *path) {
  sc_built *out = it->out;
  uint64_t sum = 0; /* a set has no order */
  out->code_bytes = it->code_bytes;
  for (size_t k = 0; k < it->nkernels; k++) {
    const sc_object *o = &g->object[g->use[it->first_kernel + k]];
    sum += sc_hash64(&o->code_hash, sizeof o->code_hash, 1);
    out->code_bytes += o->code_bytes;
  }
  out->code_hash = sc_hash64(&it->nest_hash, sizeof it->nest_hash, sum);
  snprintf(out->path, sizeof out->path, "%s", path);
}

static size_t still_good(group *g, item **items) {
  size_t n = 0;
  for (size_t i = 0; i < g->n; i++)
    if (g->item[i].out->outcome == SC_RAN) items[n++] = &g->item[i];
  items[n] = NULL;
  return n;
}

static sc_status build_group(group *g, item **items, paths *nests, sc_error *err) {
  for (size_t i = 0; i < g->n; i++) SC_TRY(list_kernels(g, &g->item[i], err));
  for (size_t i = 0; i < g->n; i++) /* first: the words on a type that has no code name its tensor */
    if (g->item[i].out->outcome == SC_RAN) SC_TRY(emit_nest(g, &g->item[i], err));
  SC_TRY(need_kernels(g, err));
  SC_TRY(compile_nests(g, items, still_good(g, items), sc_allowed_cores(), nests, err));
  char path[SC_PATH], failure[256];
  size_t n = still_good(g, items);
  if (n == 0) return SC_OK;
  for (size_t i = 0; i < nests->n; i++) SC_TRY(sc_elf_functions(nests->path[i], take_fact, items, err));
  SC_TRY(link_group(g, items, n, nests, path, failure, err));
  for (size_t i = 0; i < n; i++)
    if (failure[0] != '\0') fail_item(items[i], failure);
    else finish_item(g, items[i], path);
  return SC_OK;
}

static sc_status build_and_free(group *g, sc_error *err) {
  item **items = calloc(g->n + 1, sizeof *items);
  paths nests = {0};
  double t0 = sc_now_s();
  sc_status status = items ? build_group(g, items, &nests, err) : no_memory(err);
  float each_ms = (float)(1e3 * (sc_now_s() - t0) / (double)g->n);
  for (size_t i = 0; i < nests.n; i++) unlink(nests.path[i]);
  for (size_t i = 0; i < g->n; i++) {
    g->item[i].out->compile_ms = each_ms;
    free(g->item[i].source);
  }
  for (size_t i = 0; g->failure && i < g->nkernels; i++) free(g->failure[i]);
  free(g->failure);
  free(g->object);
  free(g->kernel);
  free(g->hash);
  free(g->use);
  free(nests.path);
  free(items);
  return status;
}

/* ---- all compilers ----------------------------------------------------------------------------------------------- */

/* One name per nest and compiler; a nest that is asked for twice is built once. */
static size_t first_of_its_name(const sc_built *out, size_t i) {
  size_t k = 0;
  while (strcmp(out[k].prefix, out[i].prefix) != 0) k++;
  return k;
}

static void begin(const sc_machine *machine, const sc_task *task, const sc_nest *nest, sc_built *out) {
  const sc_compiler *compiler = sc_machine_compiler(machine, nest->compile);
  uint64_t hash = sc_nest_hash(task, nest);
  *out = (sc_built){.outcome = SC_RAN};
  hash = sc_hash64(nest->compile, strlen(nest->compile), hash);
  snprintf(out->prefix, sizeof out->prefix, "sc_n_%016" PRIx64, hash);
  if (compiler) return;
  out->outcome = SC_NOT_COMPILED;
  snprintf(out->failure, sizeof out->failure, "the machine '%s' has no compiler '%s'", machine->name, nest->compile);
}

sc_status sc_build(sc_store *store, const sc_machine *machine, const sc_task *const *tasks, const sc_nest *nests,
                   size_t n, sc_built *out, sc_error *err) {
  item *items = calloc(n + 1, sizeof *items);
  if (!items) return no_memory(err);
  for (size_t i = 0; i < n; i++) begin(machine, tasks[i], &nests[i], &out[i]);
  sc_status status = SC_OK;
  for (int c = 0; c < machine->ncompilers && status == SC_OK; c++) {
    group g = {.store = store, .compiler = &machine->compiler[c], .item = items};
    for (size_t i = 0; i < n; i++)
      if (out[i].outcome == SC_RAN && strcmp(nests[i].compile, g.compiler->name) == 0 && first_of_its_name(out, i) == i)
        items[g.n++] = (item){.task = tasks[i], .nest = &nests[i], .out = &out[i]};
    if (g.n > 0) status = build_and_free(&g, err);
  }
  for (size_t i = 0; i < n && status == SC_OK; i++) out[i] = out[first_of_its_name(out, i)];
  free(items);
  return status;
}
