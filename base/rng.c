/* Random numbers that are the same on every machine: xoshiro256** (Blackman & Vigna 2018) whose state is a mix of
 * (seed, stream), so that any task can have a stream of its own by its number. */
#include "base/base.h"

static uint64_t mix(uint64_t z) { /* the finaliser of splitmix64, a bijection */
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

static uint64_t rotl(uint64_t x, int k) { return (x << k) | (x >> (64 - k)); }

void sc_rng_seed(sc_rng *rng, uint64_t seed, uint64_t stream) {
  const uint64_t golden = 0x9e3779b97f4a7c15u;
  uint64_t a = mix(seed + golden), b = mix(stream ^ a); /* Feistel rounds: (seed, stream) -> (a, b) is one to one */
  a ^= mix(b + 2 * golden);
  b ^= mix(a + 3 * golden);
  rng->s[0] = a;
  rng->s[1] = b;
  rng->s[2] = mix(a + rotl(b, 32) + golden); /* mix is 0 at 0 only, so the state is never all zero */
  rng->s[3] = mix(rotl(a, 32) ^ (b + 5 * golden));
}

uint64_t sc_rng_u64(sc_rng *rng) {
  uint64_t *s = rng->s, result = rotl(s[1] * 5, 7) * 9, t = s[1] << 17;
  s[2] ^= s[0];
  s[3] ^= s[1];
  s[1] ^= s[2];
  s[0] ^= s[3];
  s[2] ^= t;
  s[3] = rotl(s[3], 45);
  return result;
}

uint64_t sc_rng_below(sc_rng *rng, uint64_t n) { /* Lemire 2019: multiply, and reject the uneven rest */
  SC_ASSERT(n > 0);
  unsigned __int128 product = (unsigned __int128)sc_rng_u64(rng) * n;
  if ((uint64_t)product < n) {
    uint64_t uneven = -n % n; /* 2^64 mod n */
    while ((uint64_t)product < uneven) product = (unsigned __int128)sc_rng_u64(rng) * n;
  }
  return (uint64_t)(product >> 64);
}

double sc_rng_unit(sc_rng *rng) { return (double)(sc_rng_u64(rng) >> 11) * 0x1p-53; }

unsigned __int128 sc_rng_below128(sc_rng *rng, unsigned __int128 n) {
  SC_ASSERT(n > 0);
  if (n <= UINT64_MAX) return sc_rng_below(rng, (uint64_t)n);
  uint64_t high_max = (uint64_t)((n - 1) >> 64), mask = UINT64_MAX >> __builtin_clzll(high_max);
  for (;;) { /* draws just enough bits; less than two tries on average */
    uint64_t high = sc_rng_u64(rng) & mask;
    unsigned __int128 value = (unsigned __int128)high << 64 | sc_rng_u64(rng);
    if (value < n) return value;
  }
}

unsigned __int128 sc_gcd(unsigned __int128 a, unsigned __int128 b) {
  while (b != 0) {
    const unsigned __int128 r = a % b;
    a = b;
    b = r;
  }
  return a;
}

void sc_u128_print(unsigned __int128 value, char buf[40]) {
  char reversed[40];
  int n = 0;
  do reversed[n++] = (char)('0' + (int)(value % 10));
  while (value /= 10);
  for (int i = 0; i < n; i++) buf[i] = reversed[n - 1 - i];
  buf[n] = '\0';
}
