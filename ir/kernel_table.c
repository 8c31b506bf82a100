/* The kernel table of a machine: facts by (kernel family, compiler), in a text file that can be read and merged by eye.
 *
 *   kernels
 *   f<hash> c<hash> time 12.5 3.25 spills 0 code 512      # ns of the first trip and of each further one; without
 *   f<hash> c<hash> spills 2 code 768                     # `time` the fact is static; unknown numbers are left out
 *
 * Facts lie in the order of their arrival; a hash table of their numbers finds them (features ask for every kernel of
 * every schedule), a sorted list of the numbers gives `at` and the file their order. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ir/ir.h"

enum { MAX_FACTS = 1 << 22, MAX_FILE_BYTES = 1 << 30 };

struct sc_kernel_table {
  size_t count, capacity; /* capacity: power of two, 0 at first; there are twice as many slots */
  sc_kernel_fact *fact;
  uint32_t *order; /* by (family, compiler) */
  uint32_t *slot; /* 1 + number of a fact, 0 = empty */
};

sc_kernel_table *sc_kernel_table_new(void) { return calloc(1, sizeof(sc_kernel_table)); }

void sc_kernel_table_free(sc_kernel_table *table) {
  if (!table) return;
  free(table->fact);
  free(table->order);
  free(table->slot);
  free(table);
}

/* ---- looking up ---- */

/* The slot of a key, or the empty one where it belongs. The keys are hashes already. */
static uint32_t *slot_of(const sc_kernel_table *table, uint64_t family, uint64_t compiler) {
  size_t mask = 2 * table->capacity - 1;
  for (size_t i = (size_t)(family ^ (compiler >> 32 | compiler << 32));; i++) {
    uint32_t *slot = &table->slot[i & mask];
    if (*slot == 0) return slot;
    const sc_kernel_fact *fact = &table->fact[*slot - 1];
    if (fact->family == family && fact->compiler == compiler) return slot;
  }
}

const sc_kernel_fact *sc_kernel_table_find(const sc_kernel_table *table, uint64_t family, uint64_t compiler) {
  if (table->capacity == 0) return NULL;
  uint32_t slot = *slot_of(table, family, compiler);
  return slot ? &table->fact[slot - 1] : NULL;
}

void sc_kernel_table_forget_times(sc_kernel_table *table) {
  for (size_t i = 0; i < table->count; i++) {
    table->fact[i].measured = 0;
    table->fact[i].first_ns = table->fact[i].slope_ns = 0;
  }
}

size_t sc_kernel_table_count(const sc_kernel_table *table) { return table->count; }

const sc_kernel_fact *sc_kernel_table_at(const sc_kernel_table *table, size_t i) {
  SC_ASSERT(i < table->count);
  return &table->fact[table->order[i]];
}

/* ---- putting ---- */

static sc_status grow(sc_kernel_table *table) {
  size_t capacity = table->capacity ? 2 * table->capacity : 64;
  if (capacity > MAX_FACTS) return SC_LIMIT;
  sc_kernel_fact *fact = realloc(table->fact, capacity * sizeof *fact);
  if (fact) table->fact = fact;
  uint32_t *order = realloc(table->order, capacity * sizeof *order);
  if (order) table->order = order;
  uint32_t *slot = calloc(2 * capacity, sizeof *slot);
  if (!fact || !order || !slot) {
    free(slot);
    return SC_NOMEM;
  }
  free(table->slot);
  table->slot = slot;
  table->capacity = capacity;
  for (size_t i = 0; i < table->count; i++)
    *slot_of(table, table->fact[i].family, table->fact[i].compiler) = (uint32_t)i + 1;
  return SC_OK;
}

static bool is_before(const sc_kernel_fact *a, const sc_kernel_fact *b) {
  return a->family != b->family ? a->family < b->family : a->compiler < b->compiler;
}

/* Puts the newest fact at its place among the sorted numbers. A sorted file adds at the end. */
static void sort_in(sc_kernel_table *table, uint32_t number) {
  size_t lo = 0, hi = number;
  if (hi > 0 && is_before(&table->fact[table->order[hi - 1]], &table->fact[number])) lo = hi;
  while (lo < hi) {
    size_t middle = (lo + hi) / 2;
    if (is_before(&table->fact[table->order[middle]], &table->fact[number])) lo = middle + 1;
    else hi = middle;
  }
  memmove(&table->order[lo + 1], &table->order[lo], (number - lo) * sizeof *table->order);
  table->order[lo] = number;
}

sc_status sc_kernel_table_put(sc_kernel_table *table, const sc_kernel_fact *fact) {
  if (fact->measured && !(isfinite(fact->first_ns) && isfinite(fact->slope_ns))) return SC_USAGE;
  if (table->count == table->capacity) SC_TRY(grow(table));
  uint32_t *slot = slot_of(table, fact->family, fact->compiler);
  uint32_t number = *slot ? *slot - 1 : (uint32_t)table->count;
  bool is_new = *slot == 0;
  sc_kernel_fact *to = &table->fact[number];
  sc_kernel_fact before = is_new ? (sc_kernel_fact){0} : *to;
  *to = *fact;
  to->measured = fact->measured || before.measured;
  if (!fact->measured) to->first_ns = before.first_ns, to->slope_ns = before.slope_ns;
  if (!is_new) return SC_OK;
  *slot = number + 1;
  table->count++;
  sort_in(table, number);
  return SC_OK;
}

/* ---- files ---- */

static void read_hash(sc_reader *r, char prefix, uint64_t *hash) {
  char name[SC_NAME] = "";
  char *end = name;
  sc_token at = r->token;
  if (!sc_reader_name(r, name, sizeof name)) return;
  if (strlen(name) == 17 && name[0] == prefix && strspn(name + 1, "0123456789abcdef") == 16)
    *hash = strtoull(name + 1, &end, 16);
  if (end != name + 17)
    sc_reader_fail_at(r, &at, SC_FORMAT, "expected '%c' and 16 hexadecimal digits, found '%s'", prefix, name);
}

static void read_ns(sc_reader *r, float *ns) {
  double value;
  sc_token at = r->token;
  if (!sc_reader_real(r, &value)) return;
  if (!(fabs(value) < 1e12)) sc_reader_fail_at(r, &at, SC_FORMAT, "%g ns is no time of a kernel", value);
  else *ns = (float)value;
}

static void read_count(sc_reader *r, int32_t *count) {
  int64_t value;
  if (sc_reader_int(r, 0, INT32_MAX, &value)) *count = (int32_t)value;
}

/* fact = FAMILY COMPILER ["time" REAL REAL] ["spills" INT] ["code" INT] NL */
static void read_fact(sc_reader *r, sc_kernel_fact *fact) {
  *fact = (sc_kernel_fact){.spills = -1, .code_bytes = -1};
  read_hash(r, 'f', &fact->family);
  read_hash(r, 'c', &fact->compiler);
  if (sc_reader_accept(r, "time")) {
    read_ns(r, &fact->first_ns);
    read_ns(r, &fact->slope_ns);
    fact->measured = 1;
  }
  if (sc_reader_accept(r, "spills")) read_count(r, &fact->spills);
  if (sc_reader_accept(r, "code")) read_count(r, &fact->code_bytes);
}

/* table = "kernels" NL { fact } */
static sc_status read_table(sc_kernel_table *table, const char *where, const char *text, size_t len, sc_error *err) {
  sc_reader reader, *r = &reader;
  sc_reader_init(r, where, text, len, true, err);
  sc_reader_expect(r, "kernels");
  while (r->status == SC_OK && r->token.kind != SC_TOKEN_END) {
    sc_kernel_fact fact;
    sc_reader_expect(r, "\n");
    if (r->token.kind == SC_TOKEN_END) break;
    read_fact(r, &fact);
    if (r->status != SC_OK) break;
    sc_status status = sc_kernel_table_put(table, &fact);
    if (status != SC_OK) return sc_fail(err, status, "%s: no room for more than %zu facts", where, table->count);
  }
  return r->status;
}

sc_status sc_kernel_table_load(sc_kernel_table *table, const char *path, sc_error *err) {
  if (access(path, F_OK) != 0 && errno == ENOENT) return SC_OK;
  sc_arena *arena = sc_arena_new();
  char *text;
  size_t len;
  if (!arena) return sc_fail(err, SC_NOMEM, "out of memory");
  sc_status status = sc_file_read(arena, path, MAX_FILE_BYTES, &text, &len, err);
  if (status == SC_OK) status = read_table(table, path, text, len, err);
  sc_arena_free(arena);
  return status;
}

static void print_fact(const sc_kernel_fact *fact, sc_str *out) {
  char family[17], compiler[17];
  sc_hash_hex(fact->family, family);
  sc_hash_hex(fact->compiler, compiler);
  sc_str_printf(out, "f%s c%s", family, compiler);
  if (fact->measured) sc_str_printf(out, " time %.9g %.9g", (double)fact->first_ns, (double)fact->slope_ns);
  if (fact->spills >= 0) sc_str_printf(out, " spills %d", fact->spills);
  if (fact->code_bytes >= 0) sc_str_printf(out, " code %d", fact->code_bytes);
  sc_str_add(out, "\n");
}

sc_status sc_kernel_table_save(const sc_kernel_table *table, const char *path, sc_error *err) {
  sc_str text = {0};
  sc_str_add(&text, "kernels\n");
  for (size_t i = 0; i < table->count; i++) print_fact(sc_kernel_table_at(table, i), &text);
  sc_status status =
      text.failed ? sc_fail(err, SC_NOMEM, "out of memory") : sc_file_write_atomic(path, text.text, text.len, err);
  sc_str_free(&text);
  return status;
}
