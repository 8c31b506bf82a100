/* Numbers for names, by first appearance. */
#ifndef SC_PREDICTOR_NAMES_H
#define SC_PREDICTOR_NAMES_H

#include "base/base.h"

typedef struct sc_names {
  sc_arena *arena;
  const char **name;
  uint64_t *hash;
  size_t n, cap;
  uint32_t *slot; /* open addressing; index + 1 */
  size_t nslots;
} sc_names;

enum { SC_NO_NAME = UINT32_MAX };
/* The number of a name, given when it is new; SC_NO_NAME when out of memory. */
uint32_t sc_names_add(sc_names *names, const char *name);
uint32_t sc_names_find(const sc_names *names, const char *name); /* SC_NO_NAME when absent */
/* Names that none of number[n] stands for are dropped: numbers are given anew, by first appearance, and name[*count]
 * made in the arena. false: out of memory. */
bool sc_names_renumber(sc_arena *arena, uint32_t *number, size_t n, const sc_names *names, const char ***name,
                       size_t *count);

#endif
