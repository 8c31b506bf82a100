/* The content-addressed store of kernels. One folder per compiler (command, arguments, version) and generator
 * version:
 *
 *   <store>/<key>/<unit>.o   up to UNIT kernels compiled together, named by the hash of the list of their hashes
 *   <store>/<key>/index      one line a kernel: kernel, unit, code hash, code bytes, size and
 *                            hash of the unit's file, check
 *
 * A unit is renamed into place before its lines are appended in one write, so the index never names a file that is
 * not there; a torn line fails its check and is passed over, a damaged file fails its hash and its kernels are
 * compiled again. Processes share a store without locks: at worst they compile a kernel twice, to the same code. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/internal.h"

enum { UNIT = 24 };

typedef struct entry {
  sc_object object;
  uint64_t file_bytes, file_hash;
} entry;

/* The part of the store that one compiler made, as far as this process has read it. */
typedef struct shelf {
  uint64_t key;
  char path[SC_PATH], linker[SC_PATH];
  uint64_t read_bytes; /* of the index */
  size_t count, cap;
  entry *entry; /* open addressing by kernel; an empty place has unit 0 */
} shelf;

struct sc_store {
  char path[SC_PATH];
  sc_folder work;
  size_t nshelves;
  shelf *shelf;
  uint64_t batches;
};

sc_status sc_store_open(const char *folder, sc_store **store, sc_error *err) {
  char cache[SC_PATH];
  *store = NULL;
  sc_store *s = calloc(1, sizeof *s);
  if (!s) return sc_fail(err, SC_NOMEM, "out of memory");
  sc_cache_dir(cache, sizeof cache);
  sc_status status = folder ? sc_path(s->path, err, "%s", folder) : sc_path(s->path, err, "%s/kernels", cache);
  if (status == SC_OK) status = sc_mkdirs(s->path, err);
  if (status == SC_OK) status = sc_folder_make(&s->work, err);
  if (status != SC_OK) {
    free(s);
    return status;
  }
  *store = s;
  return SC_OK;
}

void sc_store_close(sc_store *store) {
  if (!store) return;
  for (size_t i = 0; i < store->nshelves; i++) free(store->shelf[i].entry);
  free(store->shelf);
  sc_folder_remove(&store->work);
  free(store);
}

const sc_folder *sc_store_work(const sc_store *store) { return &store->work; }
uint64_t sc_store_next_batch(sc_store *store) { return store->batches++; }

/* ---- the table of a shelf ---------------------------------------------------------------------------------------- */

static entry *place_of(shelf *s, uint64_t kernel) {
  for (size_t i = kernel & (s->cap - 1);; i = (i + 1) & (s->cap - 1))
    if (s->entry[i].object.unit == 0 || s->entry[i].object.kernel == kernel) return &s->entry[i];
}

static sc_status put(shelf *s, const entry *e, sc_error *err) {
  if (2 * (s->count + 1) > s->cap) {
    shelf bigger = *s;
    bigger.cap = s->cap ? 2 * s->cap : 256;
    bigger.entry = calloc(bigger.cap, sizeof *bigger.entry);
    if (!bigger.entry) return sc_fail(err, SC_NOMEM, "out of memory");
    for (size_t i = 0; i < s->cap; i++)
      if (s->entry[i].object.unit) *place_of(&bigger, s->entry[i].object.kernel) = s->entry[i];
    free(s->entry);
    *s = bigger;
  }
  entry *to = place_of(s, e->object.kernel);
  if (to->object.unit == 0) s->count++;
  *to = *e;
  return SC_OK;
}

static sc_object *find(shelf *s, uint64_t kernel) {
  if (s->cap == 0) return NULL;
  entry *e = place_of(s, kernel);
  return e->object.unit ? &e->object : NULL;
}

/* ---- the index on disk ------------------------------------------------------------------------------------------- */

#define HEX "%016" PRIx64
#define LINE_FORMAT HEX " " HEX " " HEX " %08" PRIx32 " " HEX " " HEX " "
enum { LINE = 5 * 17 + 9 + 16 + 1 }; /* bytes of a line, all of one length: a torn one shifts nothing but itself */

static void print_line(const entry *e, char line[LINE + 1]) {
  const sc_object *o = &e->object;
  int n = snprintf(line, LINE + 1, LINE_FORMAT, o->kernel, o->unit, o->code_hash, o->code_bytes, e->file_bytes,
                   e->file_hash);
  snprintf(line + n, (size_t)(LINE + 1 - n), HEX "\n", sc_hash64(line, (size_t)n, 0));
}

static bool read_line(const char *line, size_t len, entry *e) {
  uint64_t check;
  char text[LINE + 1];
  if (len != LINE - 1) return false;
  memcpy(text, line, len);
  text[len] = '\0';
  *e = (entry){0};
  sc_object *o = &e->object;
  int n = sscanf(text, "%16" SCNx64 " %16" SCNx64 " %16" SCNx64 " %8" SCNx32 " %16" SCNx64 " %16" SCNx64 " %16" SCNx64,
                 &o->kernel, &o->unit, &o->code_hash, &o->code_bytes, &e->file_bytes, &e->file_hash, &check);
  return n == 7 && o->unit != 0 && check == sc_hash64(text, len - 16, 0);
}

/* Reads what was appended, by whomever, since the last time. */
static sc_status refresh(shelf *s, sc_error *err) {
  char path[SC_PATH];
  SC_TRY(sc_path(path, err, "%s/index", s->path));
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  struct stat info;
  if (fd < 0) return errno == ENOENT ? SC_OK : sc_fail(err, SC_IO, "cannot read '%s': %s", path, strerror(errno));
  size_t want =
      fstat(fd, &info) == 0 && (uint64_t)info.st_size > s->read_bytes ? (size_t)info.st_size - s->read_bytes : 0;
  char *text = malloc(want + 1);
  ssize_t got = text && want ? pread(fd, text, want, (off_t)s->read_bytes) : 0;
  close(fd);
  if (!text) return sc_fail(err, SC_NOMEM, "out of memory");
  sc_status status = SC_OK;
  size_t at = 0, len = got > 0 ? (size_t)got : 0;
  for (const char *end; status == SC_OK && (end = memchr(text + at, '\n', len - at)); at = (size_t)(end - text) + 1) {
    entry e;
    if (!read_line(text + at, (size_t)(end - text) - at, &e)) continue;
    const sc_object *known = find(s, e.object.kernel);
    if (!known || known->checked != 1) status = put(s, &e, err); /* our own lines come back, too */
  }
  s->read_bytes += at;
  free(text);
  return status;
}

/* One write appends all lines; a newline first, should the line before be torn. */
static sc_status append(const shelf *s, const entry *entries, size_t n, sc_error *err) {
  char path[SC_PATH];
  sc_str lines = {0};
  SC_TRY(sc_path(path, err, "%s/index", s->path));
  sc_str_add(&lines, "\n");
  for (size_t i = 0; i < n; i++) {
    char line[LINE + 1];
    print_line(&entries[i], line);
    sc_str_add(&lines, line);
  }
  int fd = lines.failed ? -1 : open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
  bool good = fd >= 0 && write(fd, lines.text, lines.len) == (ssize_t)lines.len;
  int why = errno;
  if (fd >= 0) close(fd);
  sc_str_free(&lines);
  return good ? SC_OK : sc_fail(err, SC_IO, "cannot append to '%s': %s", path, strerror(why));
}

static sc_status hash_file(const char *path, uint64_t *bytes, uint64_t *hash, sc_error *err) {
  sc_arena *arena = sc_arena_new();
  char *text;
  size_t len;
  if (!arena) return sc_fail(err, SC_NOMEM, "out of memory");
  sc_status status = sc_file_read(arena, path, (size_t)1 << 30, &text, &len, err);
  if (status == SC_OK) *bytes = len, *hash = sc_hash64(text, len, 0);
  sc_arena_free(arena);
  return status;
}

static sc_status shelf_for(sc_store *store, const sc_compiler *compiler, shelf **found, sc_error *err) {
  uint32_t version = sc_codegen_version();
  uint64_t key = sc_hash64(&version, sizeof version, sc_compiler_hash(compiler));
  for (size_t i = 0; i < store->nshelves; i++)
    if (store->shelf[i].key == key) {
      *found = &store->shelf[i];
      return SC_OK;
    }
  shelf *more = realloc(store->shelf, (store->nshelves + 1) * sizeof *more);
  if (!more) return sc_fail(err, SC_NOMEM, "out of memory");
  store->shelf = more;
  shelf *s = *found = &more[store->nshelves];
  *s = (shelf){.key = key};
  SC_TRY(sc_path(s->path, err, "%s/" HEX, store->path, key));
  SC_TRY(sc_mkdirs(s->path, err));
  store->nshelves++;
  return refresh(s, err);
}

sc_status sc_store_linker(sc_store *store, const sc_compiler *compiler, const char **linker, sc_error *err) {
  shelf *s;
  SC_TRY(shelf_for(store, compiler, &s, err));
  if (s->linker[0] == '\0') SC_TRY(sc_find_linker(compiler, s->linker, err));
  *linker = s->linker;
  return SC_OK;
}

sc_status sc_store_unit_path(sc_store *store, const sc_compiler *compiler, uint64_t unit, char path[SC_PATH],
                             sc_error *err) {
  shelf *s;
  SC_TRY(shelf_for(store, compiler, &s, err));
  return sc_path(path, err, "%s/" HEX ".o", s->path, unit);
}

/* ---- asking ------------------------------------------------------------------------------------------------------ */

/* Is the kernel there and its file whole? Each file is read once a process; all kernels of a bad one are forgotten. */
static bool usable(shelf *s, uint64_t kernel) {
  sc_object *o = find(s, kernel);
  if (!o) return false;
  if (o->checked) return o->checked == 1;
  char path[SC_PATH];
  uint64_t bytes = 0, hash = 0, unit = o->unit;
  const entry *e = (const entry *)(const void *)o; /* its first member */
  bool whole = sc_path(path, NULL, "%s/" HEX ".o", s->path, unit) == SC_OK &&
               hash_file(path, &bytes, &hash, NULL) == SC_OK && bytes == e->file_bytes && hash == e->file_hash;
  for (size_t i = 0; i < s->cap; i++)
    if (s->entry[i].object.unit == unit) s->entry[i].object.checked = whole ? 1 : 2;
  return whole;
}

typedef struct facts {
  const sc_kernel *const *kernel;
  entry *entry;
  size_t n;
} facts;

static void take_fact(void *user, const char *function, uint64_t hash, uint32_t bytes) {
  facts *f = user;
  for (size_t i = 0; i < f->n; i++) {
    char symbol[32];
    sc_kernel_symbol(f->kernel[i], symbol);
    if (strcmp(symbol, function) != 0) continue;
    f->entry[i].object.code_hash = hash;
    f->entry[i].object.code_bytes = bytes;
  }
}

/* A compiled unit moves onto the shelf. */
static sc_status shelve(shelf *s, const char *object, uint64_t unit, const sc_kernel *const *kernel, size_t n,
                        sc_error *err) {
  char path[SC_PATH];
  entry e[UNIT] = {0};
  uint64_t bytes, hash;
  facts f = {kernel, e, n};
  SC_TRY(sc_elf_functions(object, take_fact, &f, err));
  SC_TRY(hash_file(object, &bytes, &hash, err));
  SC_TRY(sc_path(path, err, "%s/" HEX ".o", s->path, unit));
  if (rename(object, path) != 0) return sc_fail(err, SC_IO, "cannot rename to '%s': %s", path, strerror(errno));
  for (size_t i = 0; i < n; i++) {
    e[i].object.kernel = sc_kernel_hash(kernel[i], false);
    e[i].object.unit = unit;
    e[i].object.checked = 1;
    e[i].file_bytes = bytes;
    e[i].file_hash = hash;
  }
  SC_TRY(append(s, e, n, err));
  for (size_t i = 0; i < n; i++) SC_TRY(put(s, &e[i], err));
  return SC_OK;
}

/* ---- compiling --------------------------------------------------------------------------------------------------- */

typedef struct job {
  const sc_kernel *kernel[UNIT];
  size_t index[UNIT]; /* in the caller's list */
  size_t n;
} job;

static uint64_t unit_name(const job *j) {
  uint64_t hash = 0;
  for (size_t i = 0; i < j->n; i++) {
    uint64_t kernel = sc_kernel_hash(j->kernel[i], false);
    hash = sc_hash64(&kernel, sizeof kernel, hash);
  }
  return hash ? hash : 1;
}

static sc_status emit(const job *j, sc_str *source, sc_error *err) {
  sc_emit_prelude(source);
  for (size_t i = 0; i < j->n; i++) SC_TRY(sc_emit_kernel(j->kernel[i], "", source, err));
  return source->failed ? sc_fail(err, SC_NOMEM, "out of memory") : SC_OK;
}

/* Compiles jobs[n] into the work folder. */
static sc_status compile_jobs(sc_store *store, const sc_compiler *compiler, const job *jobs, sc_unit *units, size_t n,
                              sc_error *err) {
  sc_str *source = calloc(n, sizeof *source);
  if (!source) return sc_fail(err, SC_NOMEM, "out of memory");
  sc_status status = SC_OK;
  for (size_t i = 0; i < n && status == SC_OK; i++) {
    status = emit(&jobs[i], &source[i], err);
    units[i] = (sc_unit){.source = source[i].text, .len = source[i].len};
    if (status == SC_OK) status = sc_path(units[i].object, err, "%s/k%zu.o", store->work.path, i);
  }
  if (status == SC_OK) status = sc_compile_units(&store->work, compiler, "-fvisibility=hidden", units, n, err);
  for (size_t i = 0; i < n; i++) sc_str_free(&source[i]);
  free(source);
  return status;
}

/* A unit that does not compile is halved until the kernels that are to blame stand alone. */
static sc_status compile_one(sc_store *store, const sc_compiler *compiler, shelf *s, const job *j, char **failure,
                             sc_error *err) {
  sc_unit unit;
  SC_TRY(compile_jobs(store, compiler, j, &unit, 1, err));
  if (unit.failure[0] == '\0') return shelve(s, unit.object, unit_name(j), j->kernel, j->n, err);
  if (j->n == 1) {
    failure[j->index[0]] = strdup(unit.failure);
    return failure[j->index[0]] ? SC_OK : sc_fail(err, SC_NOMEM, "out of memory");
  }
  job half[2] = {0};
  for (size_t i = 0; i < j->n; i++) {
    job *h = &half[i >= j->n / 2];
    h->kernel[h->n] = j->kernel[i];
    h->index[h->n++] = j->index[i];
  }
  SC_TRY(compile_one(store, compiler, s, &half[0], failure, err));
  return compile_one(store, compiler, s, &half[1], failure, err);
}

static sc_status compile_missing(sc_store *store, const sc_compiler *compiler, shelf *s, const job *jobs, size_t n,
                                 char **failure, sc_error *err) {
  sc_unit *units = calloc(n, sizeof *units);
  if (!units) return sc_fail(err, SC_NOMEM, "out of memory");
  sc_status status = compile_jobs(store, compiler, jobs, units, n, err);
  for (size_t i = 0; i < n && status == SC_OK; i++)
    if (units[i].failure[0] == '\0')
      status = shelve(s, units[i].object, unit_name(&jobs[i]), jobs[i].kernel, jobs[i].n, err);
  for (size_t i = 0; i < n && status == SC_OK; i++)
    if (units[i].failure[0] != '\0') status = compile_one(store, compiler, s, &jobs[i], failure, err);
  free(units);
  return status;
}

/* What no code is generated for fails alone, before it could fail the unit it would stand in. */
static sc_status refuse(const sc_kernel *kernel, char **failure, sc_error *err) {
  sc_str source = {0};
  sc_error why = {0};
  sc_status status = sc_emit_kernel(kernel, "", &source, &why);
  sc_str_free(&source);
  if (status != SC_UNSUPPORTED) return SC_OK;
  *failure = strdup(why.text);
  return *failure ? SC_OK : sc_fail(err, SC_NOMEM, "out of memory");
}

/* The kernels that are not there, spread evenly over the fewest units; small sets over the cores. */
static size_t plan(shelf *s, const sc_kernel *kernels, size_t n, char *const *failure, job *jobs) {
  size_t missing = 0, units, k = 0;
  for (size_t i = 0; i < n; i++) missing += !failure[i] && !usable(s, sc_kernel_hash(&kernels[i], false));
  units = (missing + UNIT - 1) / UNIT;
  if (units == 1 && missing >= 8) units = 2;
  for (size_t i = 0; i < n; i++) {
    if (failure[i] || usable(s, sc_kernel_hash(&kernels[i], false))) continue;
    job *j = &jobs[k++ % units];
    j->kernel[j->n] = &kernels[i];
    j->index[j->n++] = i;
  }
  return units;
}

sc_status sc_store_need(sc_store *store, const sc_compiler *compiler, const sc_kernel *kernels, size_t n,
                        sc_object *found, char **failure, sc_error *err) {
  shelf *s;
  memset(failure, 0, n * sizeof *failure);
  SC_TRY(shelf_for(store, compiler, &s, err));
  SC_TRY(refresh(s, err));
  for (size_t i = 0; i < n; i++)
    if (!usable(s, sc_kernel_hash(&kernels[i], false))) SC_TRY(refuse(&kernels[i], &failure[i], err));
  job *jobs = calloc(n / UNIT + 2, sizeof *jobs);
  if (!jobs) return sc_fail(err, SC_NOMEM, "out of memory");
  size_t units = plan(s, kernels, n, failure, jobs);
  sc_status status = units ? compile_missing(store, compiler, s, jobs, units, failure, err) : SC_OK;
  free(jobs);
  for (size_t i = 0; i < n && status == SC_OK; i++) {
    const sc_object *o = failure[i] ? NULL : find(s, sc_kernel_hash(&kernels[i], false));
    found[i] = o ? *o : (sc_object){0};
    if (!failure[i] && !o) status = sc_fail(err, SC_IO, "a kernel that was compiled is not in '%s'", s->path);
  }
  return status;
}
