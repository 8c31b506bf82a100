/* A hash table from names to small numbers, in an arena. */
#include "predictor/names.h"

#include <string.h>

static uint64_t hash_of(const char *name) { return sc_hash64(name, strlen(name), 0); }

/* The slot that holds the name or is free for it. */
static size_t slot_of(const sc_names *names, const char *name, uint64_t hash) {
  size_t i = hash & (names->nslots - 1);
  while (names->slot[i] != 0) {
    const uint32_t at = names->slot[i] - 1;
    if (names->hash[at] == hash && strcmp(names->name[at], name) == 0) break;
    i = (i + 1) & (names->nslots - 1);
  }
  return i;
}

static bool grow(sc_names *names) {
  const size_t cap = names->cap ? names->cap * 2 : 64;
  const char **name = sc_arena_alloc(names->arena, cap, sizeof *name);
  uint64_t *hash = sc_arena_alloc(names->arena, cap, sizeof *hash);
  uint32_t *slot = sc_arena_alloc(names->arena, cap * 2, sizeof *slot);
  if (!name || !hash || !slot) return false;
  if (names->n > 0) {
    memcpy(name, names->name, names->n * sizeof *name);
    memcpy(hash, names->hash, names->n * sizeof *hash);
  }
  *names = (sc_names){names->arena, name, hash, names->n, cap, slot, cap * 2};
  for (size_t i = 0; i < names->n; i++) slot[slot_of(names, name[i], hash[i])] = (uint32_t)i + 1;
  return true;
}

uint32_t sc_names_find(const sc_names *names, const char *name) {
  if (names->n == 0) return SC_NO_NAME;
  const size_t slot = slot_of(names, name, hash_of(name));
  return names->slot[slot] ? names->slot[slot] - 1 : SC_NO_NAME;
}

uint32_t sc_names_add(sc_names *names, const char *name) {
  const uint32_t found = sc_names_find(names, name);
  if (found != SC_NO_NAME) return found;
  if (names->n == names->cap && !grow(names)) return SC_NO_NAME;
  const char *copy = sc_arena_strdup(names->arena, name);
  if (copy == NULL) return SC_NO_NAME;
  const uint64_t hash = hash_of(name);
  names->name[names->n] = copy;
  names->hash[names->n] = hash;
  names->slot[slot_of(names, name, hash)] = (uint32_t)++names->n;
  return (uint32_t)names->n - 1;
}

bool sc_names_renumber(sc_arena *arena, uint32_t *number, size_t n, const sc_names *names, const char ***name,
                       size_t *count) {
  uint32_t *to = sc_arena_alloc(arena, names->n ? names->n : 1, sizeof *to);
  *name = sc_arena_alloc(arena, names->n ? names->n : 1, sizeof **name);
  if (!to || !*name) return false;
  *count = 0;
  for (size_t i = 0; i < n; i++) {
    uint32_t *at = &to[number[i]];
    if (*at == 0) {
      (*name)[(*count)++] = names->name[number[i]];
      *at = (uint32_t)*count;
    }
    number[i] = *at - 1;
  }
  return true;
}
