/* Rows in memory: blocks of records that never move, each distinct text once, and hash indices over both. */
#include <stdlib.h>
#include <string.h>

#include "dataset/internal.h"

enum { BLOCK = 256 };

/* ---- hash index ---- */

static bool index_grow(sc_hash_index *index) {
  size_t slots = index->slots ? index->slots * 2 : 1024;
  uint64_t *key = calloc(slots, sizeof *key);
  uint32_t *value = calloc(slots, sizeof *value);
  if (!key || !value) {
    free(key);
    free(value);
    return false;
  }
  for (size_t i = 0; i < index->slots; i++) {
    if (!index->value[i]) continue;
    size_t s = index->key[i] & (slots - 1);
    while (value[s]) s = (s + 1) & (slots - 1);
    key[s] = index->key[i];
    value[s] = index->value[i];
  }
  free(index->key);
  free(index->value);
  *index = (sc_hash_index){key, value, slots, index->used};
  return true;
}

static bool index_put(sc_hash_index *index, uint64_t key, uint32_t number) {
  if (index->used * 2 >= index->slots && !index_grow(index)) return false;
  size_t s = key & (index->slots - 1);
  while (index->value[s]) s = (s + 1) & (index->slots - 1);
  index->key[s] = key;
  index->value[s] = number + 1;
  index->used++;
  return true;
}

/* Next number under key from slot *at on (start with *at = key), or -1. */
static int64_t index_next(const sc_hash_index *index, uint64_t key, uint64_t *at) {
  if (!index->slots) return -1;
  for (;; (*at)++) {
    size_t s = *at & (index->slots - 1);
    if (!index->value[s]) return -1;
    if (index->key[s] == key) {
      (*at)++;
      return index->value[s] - 1;
    }
  }
}

/* ---- table ---- */

sc_status sc_table_init(sc_table *table, sc_error *err) {
  *table = (sc_table){.arena = sc_arena_new()};
  return table->arena ? SC_OK : sc_fail(err, SC_NOMEM, "no memory for a dataset");
}

void sc_table_free(sc_table *table) {
  free(table->block);
  free(table->text);
  free(table->rows.key);
  free(table->rows.value);
  free(table->texts.key);
  free(table->texts.value);
  sc_arena_free(table->arena);
  *table = (sc_table){0};
}

sc_record *sc_table_at(const sc_table *table, size_t i) {
  SC_ASSERT(i < table->nrows);
  return &table->block[i / BLOCK][i % BLOCK];
}

sc_record *sc_table_find(const sc_table *table, uint64_t identity) {
  uint64_t at = identity;
  int64_t i = index_next(&table->rows, identity, &at);
  return i < 0 ? NULL : sc_table_at(table, (size_t)i);
}

sc_status sc_table_text(sc_table *table, const char *text, size_t len, uint32_t *number, sc_error *err) {
  uint64_t key = sc_hash64(text, len, 0), at = key;
  for (int64_t i; (i = index_next(&table->texts, key, &at)) >= 0;) {
    if (strlen(table->text[i]) == len && memcmp(table->text[i], text, len) == 0) {
      *number = (uint32_t)i;
      return SC_OK;
    }
  }
  if (table->ntexts == table->texts_cap) {
    size_t cap = table->texts_cap ? table->texts_cap * 2 : 256;
    const char **grown = cap < UINT32_MAX ? realloc(table->text, cap * sizeof *grown) : NULL;
    if (!grown) return sc_fail(err, SC_NOMEM, "no memory for %zu texts", cap);
    table->text = grown;
    table->texts_cap = cap;
  }
  char *copy = sc_arena_strndup(table->arena, text, len);
  if (!copy || !index_put(&table->texts, key, (uint32_t)table->ntexts))
    return sc_fail(err, SC_NOMEM, "no memory for a text");
  *number = (uint32_t)table->ntexts;
  table->text[table->ntexts++] = copy;
  return SC_OK;
}

/* Room for one more row; the row itself starts to exist when nrows counts it. */
static sc_record *next_row(sc_table *table) {
  if (table->nrows == table->nblocks * BLOCK) {
    if (table->nrows >= UINT32_MAX - BLOCK) return NULL; /* the index counts in 32 bits */
    sc_record **grown = realloc(table->block, (table->nblocks + 1) * sizeof *grown);
    if (!grown) return NULL;
    table->block = grown;
    grown[table->nblocks] = sc_arena_alloc(table->arena, BLOCK, sizeof **grown);
    if (!grown[table->nblocks]) return NULL;
    table->nblocks++;
  }
  return &table->block[table->nrows / BLOCK][table->nrows % BLOCK];
}

sc_status sc_table_put(sc_table *table, const sc_record *record, sc_error *err) {
  SC_TRY(sc_record_check(record, err));
  sc_record r = *record;
  for (size_t i = 0; i < sc_text_column_count; i++) {
    const char **text = sc_record_text(&r, i);
    uint32_t number;
    if (!*text) *text = "";
    SC_TRY(sc_table_text(table, *text, strlen(*text), &number, err));
    *text = table->text[number];
  }
  uint64_t identity = sc_record_identity(&r);
  sc_record *row = sc_table_find(table, identity);
  if (!row) {
    row = next_row(table);
    if (!row || !index_put(&table->rows, identity, (uint32_t)table->nrows))
      return sc_fail(err, SC_NOMEM, "no memory for %zu rows", table->nrows + 1);
    table->nrows++;
    *row = r;
    row->npasses = 0; /* they enter sorted, through the union */
    memset(row->counter_name, 0, sizeof row->counter_name);
  }
  sc_record_unite(row, &r);
  return SC_OK;
}
