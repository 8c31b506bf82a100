/* Arena: chunks of calloc'ed memory that grow geometrically; nothing is freed before the whole. */
#include <stdlib.h>
#include <string.h>

#include "base/base.h"

enum { ALIGN = 16, FIRST_CHUNK = 4096, LAST_CHUNK = 1 << 20 };

typedef struct chunk {
  struct chunk *older;
  size_t used, size; /* of bytes */
  _Alignas(ALIGN) unsigned char bytes[];
} chunk;

struct sc_arena {
  chunk *newest;
  size_t next_size;
};

sc_arena *sc_arena_new(void) {
  sc_arena *arena = calloc(1, sizeof *arena);
  if (arena) arena->next_size = FIRST_CHUNK;
  return arena;
}

void sc_arena_free(sc_arena *arena) {
  if (!arena) return;
  for (chunk *c = arena->newest, *older; c; c = older) {
    older = c->older;
    free(c);
  }
  free(arena);
}

static chunk *chunk_new(size_t size) {
  size_t total;
  if (__builtin_add_overflow(size, sizeof(chunk), &total)) return NULL;
  chunk *c = calloc(1, total);
  if (c) c->size = size;
  return c;
}

void *sc_arena_alloc(sc_arena *arena, size_t count, size_t size) {
  size_t bytes;
  if (__builtin_mul_overflow(count, size, &bytes) || bytes > SIZE_MAX - ALIGN) return NULL;
  bytes = bytes ? (bytes + ALIGN - 1) / ALIGN * ALIGN : ALIGN; /* distinct objects have distinct addresses */
  chunk *c = arena->newest;
  if (!c || c->size - c->used < bytes) {
    bool large = bytes > arena->next_size / 2; /* gets a chunk of its own, filling goes on in the newest */
    chunk *fresh = chunk_new(large ? bytes : arena->next_size);
    if (!fresh) return NULL;
    if (large && c) {
      fresh->older = c->older;
      c->older = fresh;
    } else {
      fresh->older = c;
      arena->newest = fresh;
    }
    if (!large && arena->next_size < LAST_CHUNK) arena->next_size *= 2;
    c = fresh;
  }
  void *at = c->bytes + c->used;
  c->used += bytes;
  return at;
}

char *sc_arena_strndup(sc_arena *arena, const char *text, size_t n) {
  size_t bytes;
  if (__builtin_add_overflow(n, 1, &bytes)) return NULL;
  char *copy = sc_arena_alloc(arena, bytes, 1);
  if (copy && n) memcpy(copy, text, n);
  return copy;
}

char *sc_arena_strdup(sc_arena *arena, const char *text) { return sc_arena_strndup(arena, text, strlen(text)); }
