/* JSON: any bytes become a string that a reader of our own, written from RFC 8259, takes back; any double comes back
 * exactly, in every locale. */
#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/base.h"

/* Undoes the escapes of RFC 8259, section 7, that stand for one byte; fails on what a JSON string may not hold. */
static void unescape(const char *json, char *out) {
  size_t len = strlen(json), n = 0;
  assert_true(len >= 2 && json[0] == '"' && json[len - 1] == '"');
  for (size_t i = 1; i < len - 1; i++) {
    unsigned char c = (unsigned char)json[i];
    assert_true(c >= 0x20 && c != '"');
    if (c != '\\') {
      out[n++] = (char)c;
      continue;
    }
    unsigned code;
    switch (json[++i]) {
    case 'n': out[n++] = '\n'; break;
    case 't': out[n++] = '\t'; break;
    case '"':
    case '\\': out[n++] = json[i]; break;
    case 'u':
      assert_int_equal(sscanf(json + i + 1, "%4x", &code), 1);
      assert_true(code < 0x80);
      out[n++] = (char)code;
      i += 4;
      break;
    default: fail_msg("escape \\%c", json[i]);
    }
  }
  out[n] = '\0';
}

static void test_text_comes_back(void **state) {
  static const char *const letters[] = {"a",
                                        "\"",
                                        "\\",
                                        "\n",
                                        "\t",
                                        "\x01",
                                        "\x7f",
                                        "\xc3\xa9",
                                        "\xe2\x82\xac",
                                        "\xf0\x9f\x98\x80",
                                        "\xed\x9f\xbf",
                                        "\xf4\x8f\xbf\xbf"};
  sc_rng rng;
  sc_rng_seed(&rng, 1, 0);
  for (int round = 0; round < 3000; round++) {
    sc_str text = {0}, json = {0};
    for (uint64_t n = sc_rng_below(&rng, 20); n > 0; n--)
      sc_str_add(&text, letters[sc_rng_below(&rng, SC_COUNT_OF(letters))]);
    char back[128];
    sc_json_string(&json, sc_str_text(&text));
    unescape(sc_str_text(&json), back);
    assert_string_equal(back, sc_str_text(&text));
    sc_str_free(&text);
    sc_str_free(&json);
  }
}

/* Each byte that is no UTF-8 becomes U+FFFD: continuation alone, cut, overlong, surrogate, beyond U+10FFFF. */
static void test_damaged_utf8(void **state) {
  static const struct {
    const char *text;
    int replaced;
  } cases[] = {{"\x80", 1},
               {"\xc3", 1},
               {"\xc0\xaf", 2},
               {"\xe0\x9f\xbf", 3},
               {"\xed\xa0\x80", 3},
               {"\xf0\x8f\xbf\xbf", 4},
               {"\xf4\x90\x80\x80", 4},
               {"\xff", 1},
               {"\xe2\x82"
                "a",
                2},
               {"\xc3\xa9", 0}};
  for (size_t i = 0; i < SC_COUNT_OF(cases); i++) {
    sc_str json = {0};
    sc_json_string(&json, cases[i].text);
    int replaced = 0;
    for (const char *p = sc_str_text(&json); (p = strstr(p, "\xef\xbf\xbd")) != NULL; p += 3) replaced++;
    assert_int_equal(replaced, cases[i].replaced);
    sc_str_free(&json);
  }
}

static void check_number(double value) {
  sc_str json = {0};
  sc_json_number(&json, value);
  assert_null(strchr(sc_str_text(&json), ','));
  sc_reader r;
  double back;
  sc_reader_init(&r, "x", json.text, json.len, false, NULL);
  assert_true(sc_reader_real(&r, &back) && r.token.kind == SC_TOKEN_END);
  assert_memory_equal(&back, &value, sizeof value);
  sc_str_free(&json);
}

static void test_numbers_come_back(void **state) {
  static const char *const locales[] = {"C", "de_DE.UTF-8", "fr_FR.UTF-8", "ps_AF.UTF-8"}; /* those that exist here */
  sc_rng rng;
  sc_rng_seed(&rng, 2, 0);
  for (size_t k = 0; k < SC_COUNT_OF(locales); k++) {
    if (!setlocale(LC_ALL, locales[k])) continue;
    for (int i = 0; i < 5000; i++) {
      uint64_t bits = sc_rng_u64(&rng);
      double value;
      memcpy(&value, &bits, sizeof value);
      if (isfinite(value)) check_number(value);
      check_number((double)(int64_t)sc_rng_below(&rng, 100000) / 1000);
    }
    check_number(0x1p-1074);
    check_number(1.7976931348623157e308);
    check_number(-0.0);
  }
  setlocale(LC_ALL, "C");
}

static void test_numbers_are_short(void **state) {
  static const struct {
    double value;
    const char *text;
  } cases[] = {{0.1, "0.1"},
               {1e300, "1e+300"},
               {3, "3"},
               {-2.5, "-2.5"},
               {NAN, "null"},
               {INFINITY, "null"},
               {1.0 / 3, "0.3333333333333333"}};
  for (size_t i = 0; i < SC_COUNT_OF(cases); i++) {
    sc_str json = {0};
    sc_json_number(&json, cases[i].value);
    assert_string_equal(sc_str_text(&json), cases[i].text);
    sc_str_free(&json);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_text_comes_back),
      cmocka_unit_test(test_damaged_utf8),
      cmocka_unit_test(test_numbers_come_back),
      cmocka_unit_test(test_numbers_are_short),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
