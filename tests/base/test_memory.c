/* Arena and string: what was put in is there, aligned and zeroed; sizes that overflow are refused, not wrapped. */
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/base.h"

static void test_arena_keeps_what_is_put_in(void **state) {
  enum { N = 3000 };
  static unsigned char *block[N];
  static size_t size[N];
  sc_rng rng;
  sc_rng_seed(&rng, 1, 0);
  sc_arena *arena = sc_arena_new();
  for (int i = 0; i < N; i++) {
    size[i] = (size_t)sc_rng_below(&rng, UINT64_C(1) << sc_rng_below(&rng, 18));
    block[i] = sc_arena_alloc(arena, size[i], 1);
    assert_non_null(block[i]);
    assert_int_equal((uintptr_t)block[i] % 16, 0);
    for (size_t k = 0; k < size[i]; k++) assert_int_equal(block[i][k], 0);
    memset(block[i], i & 255, size[i]);
  }
  for (int i = 0; i < N; i++)
    for (size_t k = 0; k < size[i]; k++) assert_int_equal(block[i][k], i & 255); /* no two overlap */
  sc_arena_free(arena);
  sc_arena_free(NULL);
}

static void test_arena_refuses_overflow(void **state) {
  static const size_t sizes[][2] = {{SIZE_MAX, 2},      {SIZE_MAX / 2, 3}, {(size_t)1 << 32, (size_t)1 << 32},
                                    {SIZE_MAX, 1},      {1, SIZE_MAX - 3}, {SIZE_MAX - 40, 1},
                                    {SIZE_MAX / 16, 16}};
  sc_arena *arena = sc_arena_new();
  for (size_t i = 0; i < SC_COUNT_OF(sizes); i++) assert_null(sc_arena_alloc(arena, sizes[i][0], sizes[i][1]));
  assert_null(sc_arena_strndup(arena, "", SIZE_MAX));
  assert_non_null(sc_arena_alloc(arena, 100, 1)); /* and it lives on */
  assert_ptr_not_equal(sc_arena_alloc(arena, 0, 8), sc_arena_alloc(arena, 8, 0));
  assert_string_equal(sc_arena_strdup(arena, "schedule"), "schedule");
  assert_string_equal(sc_arena_strndup(arena, "schedule", 5), "sched");
  sc_arena_free(arena);
}

static void test_string_equals_its_parts(void **state) {
  sc_rng rng;
  sc_rng_seed(&rng, 2, 0);
  sc_str s = {0};
  assert_string_equal(sc_str_text(&s), "");
  static char expected[1 << 20];
  size_t len = 0;
  while (len < sizeof expected - 700) {
    char piece[600];
    size_t n = (size_t)sc_rng_below(&rng, UINT64_C(1) << sc_rng_below(&rng, 10)) % sizeof piece;
    memset(piece, 'a' + (int)sc_rng_below(&rng, 26), n);
    piece[n < sizeof piece ? n : n - 1] = '\0';
    switch (sc_rng_below(&rng, 3)) {
    case 0: sc_str_add(&s, piece); break;
    case 1: sc_str_addn(&s, piece, n); break;
    default: sc_str_printf(&s, "%s%d", piece, 7); break;
    }
    memcpy(expected + len, piece, n);
    len += n;
    if (s.len == len + 1) expected[len++] = '7';
    assert_int_equal(s.len, len);
  }
  assert_false(s.failed);
  assert_memory_equal(sc_str_text(&s), expected, len);
  assert_int_equal(sc_str_text(&s)[len], '\0');
  sc_str_clear(&s);
  assert_string_equal(sc_str_text(&s), "");
  sc_str_free(&s);
  assert_string_equal(sc_str_text(&s), "");
}

static void test_string_remembers_failure(void **state) {
  sc_str s = {0};
  sc_str_add(&s, "kept");
  sc_str_addn(&s, NULL, SIZE_MAX - 2); /* cannot be had: nothing is read */
  assert_true(s.failed);
  sc_str_add(&s, "dropped");
  sc_str_printf(&s, "%d", 1);
  assert_string_equal(sc_str_text(&s), "kept");
  sc_str_free(&s);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_arena_keeps_what_is_put_in),
      cmocka_unit_test(test_arena_refuses_overflow),
      cmocka_unit_test(test_string_equals_its_parts),
      cmocka_unit_test(test_string_remembers_failure),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
