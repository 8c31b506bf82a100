/* Random numbers: known values, uniform ranges (chi-square), streams that differ, and 128-bit numbers in text. */
#include <math.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/base.h"

/* Chi-square statistic of n equal cells, scaled to a normal deviate (Wilson & Hilferty 1931). */
static double chi_square_deviate(const uint64_t *count, size_t n, uint64_t draws) {
  double expected = (double)draws / (double)n, sum = 0, freedom = (double)n - 1;
  for (size_t i = 0; i < n; i++) sum += ((double)count[i] - expected) * ((double)count[i] - expected) / expected;
  return (cbrt(sum / freedom) - (1 - 2 / (9 * freedom))) / sqrt(2 / (9 * freedom));
}

static void test_below_is_uniform(void **state) {
  enum { MAX = 40, DRAWS = 40000 };
  for (uint64_t n = 2; n <= MAX; n++) {
    uint64_t count[MAX] = {0};
    sc_rng rng;
    sc_rng_seed(&rng, 7, n);
    for (int i = 0; i < DRAWS; i++) {
      uint64_t value = sc_rng_below(&rng, n);
      assert_in_range(value, 0, n - 1);
      count[value]++;
    }
    assert_true(fabs(chi_square_deviate(count, n, DRAWS)) < 4); /* one seed in 400 of these 39 tests would miss it */
  }
}

/* The bias of taking a remainder shows where n is near 2^64: the upper part of the range would come half as often. */
static void test_below_has_no_bias(void **state) {
  const uint64_t n = UINT64_C(3) << 62;
  const unsigned __int128 n128 = (unsigned __int128)n << 64;
  enum { DRAWS = 30000 };
  uint64_t third[3] = {0}, third128[3] = {0};
  sc_rng rng;
  sc_rng_seed(&rng, 8, 0);
  for (int i = 0; i < DRAWS; i++) {
    third[sc_rng_below(&rng, n) >> 62]++;
    third128[(int)(sc_rng_below128(&rng, n128) >> 126)]++;
  }
  assert_true(fabs(chi_square_deviate(third, 3, DRAWS)) < 4);
  assert_true(fabs(chi_square_deviate(third128, 3, DRAWS)) < 4);
}

static void test_below128_covers_small_ranges(void **state) {
  enum { DRAWS = 20000 };
  const unsigned __int128 n = ((unsigned __int128)5 << 64) + 1; /* the top part has one value */
  uint64_t count[5] = {0};
  sc_rng rng;
  sc_rng_seed(&rng, 9, 0);
  for (int i = 0; i < DRAWS; i++) {
    unsigned __int128 value = sc_rng_below128(&rng, n);
    assert_true(value < n);
    if (value >> 64 < 5) count[(int)(value >> 64)]++;
  }
  assert_true(fabs(chi_square_deviate(count, 5, DRAWS)) < 4);
  for (int i = 0; i < 100; i++) assert_true(sc_rng_below128(&rng, 1) == 0);
}

static void test_unit(void **state) {
  enum { CELLS = 64, DRAWS = 64000 };
  uint64_t count[CELLS] = {0};
  sc_rng rng;
  sc_rng_seed(&rng, 10, 0);
  for (int i = 0; i < DRAWS; i++) {
    double u = sc_rng_unit(&rng);
    assert_true(u >= 0 && u < 1 && u * 0x1p53 == floor(u * 0x1p53));
    count[(int)(u * CELLS)]++;
  }
  assert_true(fabs(chi_square_deviate(count, CELLS, DRAWS)) < 4);
}

/* The generator itself against the authors' reference: the first outputs of the state 1, 2, 3, 4. */
static void test_xoshiro_reference(void **state) {
  sc_rng rng = {{1, 2, 3, 4}};
  static const uint64_t expected[] = {11520, 0, 1509978240, UINT64_C(1215971899390074240)};
  for (size_t i = 0; i < SC_COUNT_OF(expected); i++) assert_true(sc_rng_u64(&rng) == expected[i]);
}

/* Neighbouring seeds and streams share nothing: about half of the bits of their outputs differ. */
static void test_streams_differ(void **state) {
  for (uint64_t seed = 0; seed < 20; seed++)
    for (uint64_t stream = 0; stream < 20; stream++) {
      sc_rng a, b[2], same;
      sc_rng_seed(&a, seed, stream);
      sc_rng_seed(&same, seed, stream);
      sc_rng_seed(&b[0], seed, stream + 1);
      sc_rng_seed(&b[1], seed + 1, stream);
      int differing[2] = {0};
      for (int i = 0; i < 16; i++) {
        uint64_t value = sc_rng_u64(&a);
        assert_true(value == sc_rng_u64(&same));
        for (int k = 0; k < 2; k++) differing[k] += __builtin_popcountll(value ^ sc_rng_u64(&b[k]));
      }
      for (int k = 0; k < 2; k++) assert_in_range(differing[k], 512 - 96, 512 + 96); /* 6 sigma of 1024 bits */
    }
}

static void test_u128_print(void **state) {
  char buf[40];
  sc_u128_print(0, buf);
  assert_string_equal(buf, "0");
  sc_u128_print(~(unsigned __int128)0, buf);
  assert_string_equal(buf, "340282366920938463463374607431768211455");
  sc_rng rng;
  sc_rng_seed(&rng, 11, 0);
  for (int i = 0; i < 5000; i++) {
    unsigned __int128 value = (unsigned __int128)sc_rng_u64(&rng) << 64 | sc_rng_u64(&rng), back = 0;
    value >>= sc_rng_below(&rng, 128);
    sc_u128_print(value, buf);
    for (const char *c = buf; *c; c++) back = back * 10 + (unsigned)(*c - '0');
    assert_true(back == value && (buf[0] != '0' || value == 0));
  }
}

static void test_hash(void **state) {
  char hex[17];
  sc_hash_hex(sc_hash64("", 0, 0), hex);
  assert_string_equal(hex, "2d06800538d394c2"); /* of XXH3's specification */
  assert_true(sc_hash64("a", 1, 0) != sc_hash64("a", 1, 1));
  sc_hash_hex(1, hex);
  assert_string_equal(hex, "0000000000000001");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_below_is_uniform),
      cmocka_unit_test(test_below_has_no_bias),
      cmocka_unit_test(test_below128_covers_small_ranges),
      cmocka_unit_test(test_unit),
      cmocka_unit_test(test_xoshiro_reference),
      cmocka_unit_test(test_streams_differ),
      cmocka_unit_test(test_u128_print),
      cmocka_unit_test(test_hash),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
