/* The kernel table of a machine against a list searched from end to end, and its file: sorted, exact, merged by
 * loading, and never a crash. */
#include <math.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "ir/ir.h"

static int below(sc_rng *rng, int n) { return (int)sc_rng_below(rng, (uint64_t)n); }

static char folder[] = "/tmp/schedcast-test-XXXXXX";
static char path[64];

static int make_folder(void **state) {
  if (!mkdtemp(folder)) return -1;
  snprintf(path, sizeof path, "%s/k.kernels", folder);
  return 0;
}

static int remove_folder(void **state) {
  unlink(path);
  return rmdir(folder);
}

/* Few families and compilers, so that keys repeat; some keys differ only in one of the two, or in their low bits. */
static sc_kernel_fact random_fact(sc_rng *rng) {
  sc_kernel_fact fact = {.family = (uint64_t)below(rng, 40) << (8 * below(rng, 8)),
                         .compiler = (uint64_t)below(rng, 4) << (60 * below(rng, 2)),
                         .spills = below(rng, 5) - 1,
                         .code_bytes = below(rng, 3) ? below(rng, 100000) : -1,
                         .measured = (uint8_t)below(rng, 2)};
  if (fact.measured) {
    fact.first_ns = (float)(sc_rng_unit(rng) * 1000 - 1);
    fact.slope_ns = (float)(sc_rng_unit(rng) * 50 - 1);
  }
  return fact;
}

static bool same(const sc_kernel_fact *a, const sc_kernel_fact *b) {
  return a->family == b->family && a->compiler == b->compiler && a->first_ns == b->first_ns &&
         a->slope_ns == b->slope_ns && a->spills == b->spills && a->code_bytes == b->code_bytes &&
         a->measured == b->measured;
}

static void check_sorted(const sc_kernel_table *table) {
  for (size_t i = 0; i < sc_kernel_table_count(table); i++) {
    const sc_kernel_fact *fact = sc_kernel_table_at(table, i);
    assert_ptr_equal(sc_kernel_table_find(table, fact->family, fact->compiler), fact);
    if (i == 0) continue;
    const sc_kernel_fact *before = sc_kernel_table_at(table, i - 1);
    assert_true(before->family < fact->family || (before->family == fact->family && before->compiler < fact->compiler));
  }
}

static void test_against_list(void **state) {
  enum { N = 2000 };
  static sc_kernel_fact list[N];
  sc_rng rng;
  sc_rng_seed(&rng, 21, 0);
  for (int round = 0; round < 5; round++) {
    sc_kernel_table *table = sc_kernel_table_new();
    int n = 0;
    assert_null(sc_kernel_table_find(table, 0, 0));
    for (int i = 0; i < N; i++) {
      sc_kernel_fact fact = random_fact(&rng);
      int at = 0;
      while (at < n && (list[at].family != fact.family || list[at].compiler != fact.compiler)) at++;
      const sc_kernel_fact *found = sc_kernel_table_find(table, fact.family, fact.compiler);
      assert_true(at < n ? found && same(found, &list[at]) : !found);
      assert_int_equal(sc_kernel_table_put(table, &fact), SC_OK);
      if (at < n && !fact.measured) { /* a static fact leaves times standing */
        fact.measured = list[at].measured;
        fact.first_ns = list[at].first_ns;
        fact.slope_ns = list[at].slope_ns;
      }
      list[at] = fact;
      if (at == n) n++;
    }
    assert_int_equal(sc_kernel_table_count(table), n);
    assert_true(n > 300);
    for (int i = 0; i < n; i++)
      assert_true(same(sc_kernel_table_find(table, list[i].family, list[i].compiler), &list[i]));
    check_sorted(table);
    sc_kernel_table_free(table);
  }
}

/* A static fact has no times; a time that is no number is refused. */
static void test_put(void **state) {
  sc_kernel_table *table = sc_kernel_table_new();
  sc_kernel_fact fact = {.family = 1, .compiler = 2, .first_ns = 5, .slope_ns = 6, .spills = -1, .code_bytes = -1};
  assert_int_equal(sc_kernel_table_put(table, &fact), SC_OK);
  assert_true(sc_kernel_table_at(table, 0)->first_ns == 0);
  fact.measured = 1;
  fact.slope_ns = NAN;
  assert_int_equal(sc_kernel_table_put(table, &fact), SC_USAGE);
  assert_int_equal(sc_kernel_table_at(table, 0)->measured, 0);
  sc_kernel_table_free(table);
}

/* Without times what cross-compiling tells stays. */
static void test_forget_times(void **state) {
  enum { N = 50 };
  sc_kernel_table *table = sc_kernel_table_new();
  sc_rng rng;
  sc_rng_seed(&rng, 22, 0);
  for (int i = 0; i < N; i++) {
    sc_kernel_fact fact = {
        .family = (uint64_t)i, .compiler = 2, .spills = i, .code_bytes = 10 * i, .measured = i % 2 == 0};
    fact.first_ns = fact.slope_ns = fact.measured ? 1 + (float)sc_rng_unit(&rng) : 0;
    assert_int_equal(sc_kernel_table_put(table, &fact), SC_OK);
  }
  sc_kernel_table_forget_times(table);
  assert_int_equal(sc_kernel_table_count(table), N);
  for (int i = 0; i < N; i++) {
    const sc_kernel_fact *fact = sc_kernel_table_find(table, (uint64_t)i, 2);
    assert_true(fact->spills == i && fact->code_bytes == 10 * i);
    assert_true(fact->measured == 0 && fact->first_ns == 0 && fact->slope_ns == 0);
  }
  sc_kernel_table_free(table);
}

static void write_text(const char *text, size_t len) {
  FILE *file = fopen(path, "wb");
  assert_non_null(file);
  assert_int_equal(fwrite(text, 1, len, file), len);
  assert_int_equal(fclose(file), 0);
}

static void read_text(sc_str *out) {
  char buf[4096];
  FILE *file = fopen(path, "rb");
  assert_non_null(file);
  for (size_t n; (n = fread(buf, 1, sizeof buf, file)) > 0;) sc_str_addn(out, buf, n);
  fclose(file);
}

static void test_file(void **state) {
  sc_rng rng;
  sc_error err;
  sc_rng_seed(&rng, 22, 0);
  unlink(path);
  sc_kernel_table *one = sc_kernel_table_new(), *two = sc_kernel_table_new();
  assert_int_equal(sc_kernel_table_load(one, path, &err), SC_OK); /* no file, no facts */
  assert_int_equal(sc_kernel_table_count(one), 0);
  for (int i = 0; i < 3000; i++) {
    sc_kernel_fact fact = random_fact(&rng);
    assert_int_equal(sc_kernel_table_put(one, &fact), SC_OK);
  }
  assert_int_equal(sc_kernel_table_save(one, path, &err), SC_OK);
  assert_int_equal(sc_kernel_table_load(two, path, &err), SC_OK);
  assert_int_equal(sc_kernel_table_count(two), sc_kernel_table_count(one));
  for (size_t i = 0; i < sc_kernel_table_count(one); i++)
    assert_true(same(sc_kernel_table_at(one, i), sc_kernel_table_at(two, i)));
  check_sorted(two);
  sc_str first = {0}, second = {0};
  read_text(&first);
  assert_int_equal(sc_kernel_table_load(two, path, &err), SC_OK); /* loading again changes nothing */
  assert_int_equal(sc_kernel_table_save(two, path, &err), SC_OK);
  read_text(&second);
  assert_string_equal(first.text, second.text);
  sc_str_free(&first);
  sc_str_free(&second);
  sc_kernel_table_free(one);
  sc_kernel_table_free(two);
}

static void test_file_errors(void **state) {
#define KEY "f0123456789abcdef c0123456789abcdef"
  static const struct {
    const char *text;
    int line, column;
    const char *message;
  } errors[] = {
      {"", 1, 1, "expected 'kernels', found the end of the text"},
      {"kernels x", 1, 9, "expected the end of the line, found 'x'"},
      {"kernels\nf12 c0", 2, 1, "expected 'f' and 16 hexadecimal digits, found 'f12'"},
      {"kernels\nf0123456789abcdeF", 2, 1, "expected 'f' and 16 hexadecimal digits, found 'f0123456789abcdeF'"},
      {"kernels\nc0123456789abcdef", 2, 1, "expected 'f' and 16 hexadecimal digits, found 'c0123456789abcdef'"},
      {"kernels\nf0123456789abcdef", 2, 18, "expected a name, found the end of the text"},
      {"kernels\n" KEY " time 1", 2, 43, "expected a number, found the end of the text"},
      {"kernels\n" KEY " time 1 1e30", 2, 44, "1e+30 ns is no time of a kernel"},
      {"kernels\n" KEY " spills -2", 2, 44, "expected an integer from 0 to 2147483647, found -2"},
      {"kernels\n" KEY " code 1 spills 3", 2, 44, "expected the end of the line, found 'spills'"},
  };
  for (size_t i = 0; i < SC_COUNT_OF(errors); i++) {
    sc_kernel_table *table = sc_kernel_table_new();
    sc_error err = {0};
    write_text(errors[i].text, strlen(errors[i].text));
    sc_status status = sc_kernel_table_load(table, path, &err);
    if (status == SC_OK || err.line != errors[i].line || err.column != errors[i].column ||
        strcmp(err.text, errors[i].message) != 0)
      fail_msg("%d:%d: %s in\n%s", err.line, err.column, err.text, errors[i].text);
    sc_kernel_table_free(table);
  }
}

static void test_damaged_files(void **state) {
  sc_rng rng;
  sc_error err;
  sc_rng_seed(&rng, 23, 0);
  sc_kernel_table *table = sc_kernel_table_new();
  for (int i = 0; i < 20; i++) {
    sc_kernel_fact fact = random_fact(&rng);
    assert_int_equal(sc_kernel_table_put(table, &fact), SC_OK);
  }
  assert_int_equal(sc_kernel_table_save(table, path, &err), SC_OK);
  sc_kernel_table_free(table);
  sc_str whole = {0};
  read_text(&whole);
  int refused = 0;
  for (size_t i = 0; i < whole.len + 1000; i++) {
    sc_str text = {0};
    sc_str_addn(&text, whole.text, i < whole.len ? i : whole.len); /* cut everywhere, then damaged anywhere */
    if (i >= whole.len) text.text[sc_rng_below(&rng, text.len)] = (char)below(&rng, 256);
    write_text(sc_str_text(&text), text.len);
    table = sc_kernel_table_new();
    sc_status status = sc_kernel_table_load(table, path, &err);
    if (status == SC_OK) check_sorted(table);
    else refused++;
    sc_kernel_table_free(table);
    sc_str_free(&text);
  }
  assert_true(refused > 500);
  sc_str_free(&whole);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_against_list), cmocka_unit_test(test_put),         cmocka_unit_test(test_forget_times),
      cmocka_unit_test(test_file),         cmocka_unit_test(test_file_errors), cmocka_unit_test(test_damaged_files),
  };
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
