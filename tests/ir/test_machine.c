/* Machine files: what is shipped and what is random reads back as itself, errors say where, identities change with what
 * they stand for and with nothing else. */
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ir/ir.h"

static int below(sc_rng *rng, int n) { return (int)sc_rng_below(rng, (uint64_t)n); }

static void check_round_trip(const sc_machine *machine) {
  sc_str once = {0}, twice = {0};
  sc_machine again;
  sc_error err = {0};
  sc_machine_print(machine, &once);
  if (sc_machine_parse("printed", once.text, once.len, &again, &err) != SC_OK)
    fail_msg("%d:%d: %s in\n%s", err.line, err.column, err.text, once.text);
  sc_machine_print(&again, &twice);
  assert_string_equal(once.text, twice.text);
  assert_memory_equal(machine, &again, sizeof again); /* both began zeroed */
  sc_str_free(&once);
  sc_str_free(&twice);
}

/* ---- the files of data/machines ---- */

static void test_shipped(void **state) {
  static const char *const names[] = {"x86-64-v4", "x86-64-v3", "x86-64", "cortex-a72"};
  char folder[3000], path[3100];
  sc_data_dir(folder, sizeof folder);
  for (size_t i = 0; i < SC_COUNT_OF(names); i++) {
    sc_machine m;
    sc_error err = {0};
    snprintf(path, sizeof path, "%s/machines/%s.machine", folder, names[i]);
    memset(&m, 0, sizeof m);
    if (sc_machine_load(path, &m, &err) != SC_OK) fail_msg("%s:%d:%d: %s", err.where, err.line, err.column, err.text);
    check_round_trip(&m);
    assert_string_equal(m.name, names[i]);
    assert_non_null(sc_machine_compiler(&m, "gcc"));
    assert_int_equal(sc_machine_compiler(&m, "gcc")->vector_bytes, (int)m.vector_bytes.value);
    assert_null(sc_machine_compiler(&m, "gc"));
    double lanes = m.vector_bytes.value / 4;
    assert_true(m.peak_flop_per_s.value == m.clock_hz.value * m.fma_per_cycle.value * lanes * 2);
    assert_true(m.ncaches >= 2 && m.cache[0].bytes.value < m.cache[1].bytes.value);
    assert_true(m.simulated == (strncmp(m.runner, "qemu", 4) == 0));
  }
}

static void test_missing_file(void **state) {
  sc_machine m;
  sc_error err = {0};
  assert_int_equal(sc_machine_load("/nonexistent/x.machine", &m, &err), SC_NOTFOUND);
  assert_true(err.text[0] != '\0');
}

/* ---- random machines ---- */

static void random_string(sc_rng *rng, char *out, size_t size) {
  size_t n = 1 + sc_rng_below(rng, size - 1);
  for (size_t i = 0; i < n; i++) {
    char c = (char)(' ' + below(rng, 95));
    out[i] = c == '"' ? '\'' : c;
  }
  out[n] = '\0';
}

static sc_value random_value(sc_rng *rng, double low, double high, bool whole) {
  double x = low + sc_rng_unit(rng) * (high - low);
  return (sc_value){whole ? (double)(int64_t)x : x, (sc_provenance)below(rng, 4)};
}

static void random_machine(sc_rng *rng, sc_machine *m) {
  memset(m, 0, sizeof *m);
  snprintf(m->name, sizeof m->name, "zen-%d.x", below(rng, 100));
  if (below(rng, 2)) random_string(rng, m->cpu, sizeof m->cpu);
  random_string(rng, m->isa, sizeof m->isa);
  random_string(rng, m->runner, sizeof m->runner);
  m->simulated = below(rng, 2);
  m->cores = random_value(rng, 1, 1000, true);
  m->clock_hz = random_value(rng, 1e6, 1e10, false);
  m->vector_bytes = (sc_value){(double)(8 << below(rng, 5)), (sc_provenance)below(rng, 4)};
  m->fma_per_cycle = random_value(rng, 0, 4, false);
  if (below(rng, 2)) m->fma_latency_cycles = random_value(rng, 1, 10, false);
  if (below(rng, 2)) m->memory_read_bytes_per_s = random_value(rng, 1, 1e12, false);
  if (below(rng, 2)) m->l1_tlb_entries = random_value(rng, 0, 1000, true);
  m->ncaches = (uint8_t)below(rng, SC_MAX_CACHES + 1);
  for (int i = 0; i < m->ncaches; i++) {
    m->cache[i].bytes = random_value(rng, 1, 1e9, true);
    if (below(rng, 2)) m->cache[i].ways = random_value(rng, 1, 64, true);
    if (below(rng, 2)) m->cache[i].line_bytes = (sc_value){(double)(1 << below(rng, 10)), SC_PROBED};
    if (below(rng, 2)) m->cache[i].read_bytes_per_s = random_value(rng, 0, 1e13, false);
  }
  m->ncompilers = (uint8_t)below(rng, SC_MAX_COMPILERS + 1);
  for (int i = 0; i < m->ncompilers; i++) {
    sc_compiler *c = &m->compiler[i];
    snprintf(c->name, sizeof c->name, "cc-%d", i);
    random_string(rng, c->command, sizeof c->command);
    random_string(rng, c->arguments, sizeof c->arguments);
    if (below(rng, 2)) random_string(rng, c->version, sizeof c->version);
    c->vector_bytes = (uint16_t)(below(rng, 2) ? 16 << below(rng, 4) : 0);
  }
}

static void test_random(void **state) {
  sc_rng rng;
  sc_rng_seed(&rng, 11, 0);
  for (int i = 0; i < 2000; i++) {
    sc_machine m;
    random_machine(&rng, &m);
    check_round_trip(&m);
  }
}

/* What the form cannot hold is replaced, so that a printed machine always reads. */
static void test_odd_strings(void **state) {
  sc_machine m, again;
  sc_error err = {0};
  sc_str text = {0};
  sc_rng rng;
  sc_rng_seed(&rng, 12, 0);
  random_machine(&rng, &m);
  snprintf(m.cpu, sizeof m.cpu, "a \"quoted\"\nname\t(R)");
  sc_machine_print(&m, &text);
  assert_int_equal(sc_machine_parse("x", text.text, text.len, &again, &err), SC_OK);
  assert_string_equal(again.cpu, "a 'quoted' name (R)");
  sc_str_free(&text);
}

static void test_mutants(void **state) {
  sc_rng rng;
  sc_rng_seed(&rng, 13, 0);
  int parsed = 0;
  for (int i = 0; i < 10000; i++) {
    sc_machine m;
    sc_error err = {0};
    sc_str text = {0};
    random_machine(&rng, &m);
    sc_machine_print(&m, &text);
    size_t len = below(&rng, 3) ? text.len : sc_rng_below(&rng, text.len);
    char *exact = malloc(len + 1);
    memcpy(exact, text.text, len);
    exact[len] = '\0';
    for (int n = below(&rng, 3); n > 0 && len > 0; n--)
      exact[sc_rng_below(&rng, len)] = "\n \"-.0129emvx\x7f"[below(&rng, 14)];
    if (sc_machine_parse("mutant", exact, len, &m, &err) == SC_OK) {
      check_round_trip(&m);
      parsed++;
    } else {
      assert_true(err.line >= 1 && err.column >= 1 && err.text[0] != '\0');
    }
    free(exact);
    sc_str_free(&text);
  }
  assert_true(parsed > 1000 && parsed < 9000);
}

/* ---- errors ---- */

#define HEAD "machine m\nisa \"i\"\ncores 1 vendor\nclock_hz 1e9 vendor\nvector_bytes 16 vendor\n"

static void test_errors(void **state) {
  static const struct {
    const char *text;
    int line, column;
    const char *message;
  } errors[] = {
      {"", 1, 1, "expected 'machine', found the end of the text"},
      {"machine 7", 1, 9, "expected a name, found '7'"},
      {"machine m isa", 1, 11, "expected the end of the line, found 'isa'"},
      {"machine m\n", 2, 1, "the line 'isa ...' is missing"},
      {"machine m\nisa \"i\"\ncores 1 vendor", 3, 15, "the line 'clock_hz ...' is missing"},
      {"machine m\nisa i", 2, 5, "expected a string in double quotes, found 'i'"},
      {HEAD "cpu \"a\tb\"", 6, 5, "the string has a control character"},
      {HEAD "isa \"j\"", 6, 5, "'isa' stands twice"},
      {HEAD "cores 2 vendor", 6, 1, "'cores' stands twice"},
      {HEAD "kores 2 vendor", 6, 1, "expected a key of a machine (docs/machines.md), found 'kores'"},
      {HEAD "l4.bytes 2 vendor", 6, 1, "expected a key of a machine (docs/machines.md), found 'l4.bytes'"},
      {HEAD "l1i_bytes many", 6, 11, "expected a number, found 'many'"},
      {HEAD "l1i_bytes 32768", 6, 16,
       "expected where the number is from: assumed, vendor, probed or measured, found the end of the text"},
      {HEAD "l1i_bytes 32768 guessed", 6, 17,
       "expected where the number is from: assumed, vendor, probed or measured, found 'guessed'"},
      {HEAD "l1i_bytes -1 vendor", 6, 11, "l1i_bytes is an integer from 0 to 1e+09"},
      {HEAD "l1i_bytes 0.5 vendor", 6, 11, "l1i_bytes is an integer from 0 to 1e+09"},
      {HEAD "page_bytes 4097 vendor", 6, 12, "page_bytes is a power of two from 0 to 1e+12"},
      {HEAD "fma_per_cycle 65 vendor", 6, 15, "fma_per_cycle is a number from 0 to 64"},
      {HEAD "l1d.ways 8 vendor", 6, 18, "the line 'l1d.bytes ...' is missing"},
      {HEAD "l2.bytes 8 vendor", 6, 18, "the line 'l1d.bytes ...' is missing"},
      {HEAD "l1d.bytes 8 vendor\nl1d.bytes 8 vendor", 7, 1, "'l1d.bytes' stands twice"},
      {HEAD "compiler gcc arguments \"\"", 6, 14, "expected 'command', found 'arguments'"},
      {HEAD "compiler gcc command \"gcc\" arguments \"-O2\" vector_bytes 24", 6, 57,
       "vector_bytes is a power of two, or 0 for none"},
      {HEAD
       "compiler a command \"\" arguments \"\" vector_bytes 0\ncompiler a command \"\" arguments \"\" vector_bytes 0",
       7, 10, "compiler 'a' stands twice"},
      {HEAD
       "cpu \"0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789\"",
       6, 5, "a string in double quotes has at most 95 characters here"},
  };
  for (size_t i = 0; i < SC_COUNT_OF(errors); i++) {
    sc_machine m;
    sc_error err = {0};
    sc_status status = sc_machine_parse("test.machine", errors[i].text, strlen(errors[i].text), &m, &err);
    if (status == SC_OK || err.line != errors[i].line || err.column != errors[i].column ||
        strcmp(err.text, errors[i].message) != 0)
      fail_msg("%d:%d: %s in\n%s", err.line, err.column, err.text, errors[i].text);
  }
}

/* ---- identities ---- */

static void test_fingerprint(void **state) {
  sc_rng rng;
  sc_rng_seed(&rng, 14, 0);
  sc_machine m;
  do random_machine(&rng, &m);
  while (m.ncaches < 2);
  uint64_t own = sc_machine_fingerprint(&m);
  sc_machine same = m;
  snprintf(same.name, sizeof same.name, "other");
  same.clock_hz.value *= 2;
  same.cores.from = SC_MEASURED;
  same.peak_flop_per_s = (sc_value){1e11, SC_MEASURED};
  same.cache[0].read_bytes_per_s.value += 1e9;
  same.ncompilers = 0;
  assert_true(sc_machine_fingerprint(&same) == own);
  uint64_t seen[8] = {own};
  for (int i = 1; i < 8; i++) {
    sc_machine other = m;
    switch (i) {
    case 1: other.cpu[0] ^= 1; break;
    case 2: other.isa[0] ^= 1; break;
    case 3: other.cores.value += 1; break;
    case 4: other.cache[1].bytes.value += 1; break;
    case 5: other.cache[0].ways.value += 1; break;
    case 6: other.cache[0].shared_by.value += 1; break;
    default: other.ncaches--;
    }
    seen[i] = sc_machine_fingerprint(&other);
    for (int k = 0; k < i; k++) assert_true(seen[i] != seen[k]);
  }
}

static void test_compiler_hash(void **state) {
  const sc_compiler a = {.name = "gcc", .command = "gcc", .arguments = "-O2", .version = "gcc 12", .vector_bytes = 64};
  sc_compiler b = a;
  snprintf(b.name, sizeof b.name, "other");
  assert_true(sc_compiler_hash(&a) == sc_compiler_hash(&b));
  snprintf(b.arguments, sizeof b.arguments, "-O3");
  assert_true(sc_compiler_hash(&a) != sc_compiler_hash(&b));
  b = a;
  snprintf(b.version, sizeof b.version, "gcc 13");
  assert_true(sc_compiler_hash(&a) != sc_compiler_hash(&b));
  const sc_compiler c = {.command = "gcc-", .arguments = "O2", .version = "gcc 12"}; /* the parts do not run together */
  assert_true(sc_compiler_hash(&a) != sc_compiler_hash(&c));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_shipped),     cmocka_unit_test(test_missing_file),  cmocka_unit_test(test_random),
      cmocka_unit_test(test_odd_strings), cmocka_unit_test(test_mutants),       cmocka_unit_test(test_errors),
      cmocka_unit_test(test_fingerprint), cmocka_unit_test(test_compiler_hash),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
