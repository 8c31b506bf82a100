/* Hashes of texts and code: XXH3, whose value for the same bytes is the same on every machine. */
#include <stdio.h>
#include <xxhash.h>

#include "base/base.h"

uint64_t sc_hash64(const void *bytes, size_t n, uint64_t seed) { return XXH3_64bits_withSeed(bytes, n, seed); }

void sc_hash_hex(uint64_t hash, char out[17]) { snprintf(out, 17, "%016llx", (unsigned long long)hash); }
