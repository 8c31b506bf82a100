/* The probe: every value is there, plausible and says where it comes from; the file it makes is read back; the cache
 * asks the machine again only when it has changed. */
#include "common.h"

static bool known(sc_value v, double lo, double hi) { return v.value >= lo && v.value <= hi && v.from <= SC_MEASURED; }

static void test_values(void **state) {
  (void)state;
  sc_machine m, again;
  sc_str text = {0};
  ok(sc_machine_probe(&m, NULL, err));
  assert_true(m.name[0] && m.cpu[0] && m.isa[0]);
  assert_string_equal(m.runner, "local");
  assert_false(m.simulated);
  assert_true(known(m.cores, 1, 4096));
  assert_int_equal(m.clock_hz.from, SC_MEASURED);
  assert_true(known(m.clock_hz, 3e8, 8e9));
  assert_true(known(m.vector_bytes, 0, 256) && known(m.vector_registers, 0, 64));
  assert_int_equal(m.peak_flop_per_s.from, SC_MEASURED);
  double lanes = m.vector_bytes.value >= 4 ? m.vector_bytes.value / 4 : 1,
         per_cycle = m.peak_flop_per_s.value / m.clock_hz.value / 2 / lanes;
  assert_true(per_cycle > 0.1 && per_cycle < 4.5);
  assert_true(known(m.fma_per_cycle, 0, 4) && known(m.fma_latency_cycles, 2, 16) && known(m.loads_per_cycle, 1, 8));
  assert_in_range(m.ncaches, 1, SC_MAX_CACHES);
  for (int i = 0; i < m.ncaches; i++) {
    const sc_cache *c = &m.cache[i];
    assert_true(known(c->bytes, 4096, 4e9) && known(c->line_bytes, 16, 256) && known(c->ways, 1, 1024) &&
                known(c->shared_by, 1, 4096));
    if (i > 0) assert_true(c->bytes.value >= m.cache[i - 1].bytes.value);
    assert_int_equal(c->read_bytes_per_s.from, SC_MEASURED);
    assert_true(known(c->read_bytes_per_s, 1e8, 1e14));
  }
  assert_true(m.cache[0].read_bytes_per_s.value > m.memory_read_bytes_per_s.value);
  assert_true(known(m.page_bytes, 4096, 1 << 20) && known(m.l1_tlb_entries, 8, 1e5) && known(m.l2_tlb_entries, 8, 1e6));
  assert_in_range(m.ncompilers, 1, SC_MAX_COMPILERS);
  for (int i = 0; i < m.ncompilers; i++) {
    assert_true(m.compiler[i].version[0] != '\0');
    assert_true(m.compiler[i].vector_bytes <= m.vector_bytes.value);
    for (int k = 0; k < i; k++) assert_string_not_equal(m.compiler[k].name, m.compiler[i].name);
  }
  sc_machine_print(&m, &text);
  ok(sc_machine_parse("probe", sc_str_text(&text), text.len, &again, err));
  assert_true(sc_machine_fingerprint(&m) == sc_machine_fingerprint(&again));
  printf("%s: %.2f GHz, %.0f GFLOP/s, %.1f multiply-adds a cycle\n", m.name, m.clock_hz.value * 1e-9,
         m.peak_flop_per_s.value * 1e-9, per_cycle);
  sc_str_free(&text);
}

static void test_cache(void **state) {
  world *w = *state;
  char path[128], *text, *edited;
  size_t len;
  sc_machine first, second;
  snprintf(path, sizeof path, "%s/host.machine", w->folder);
  ok(sc_machine_host(&first, NULL, err));
  assert_int_equal(access(path, R_OK), 0);
  ok(sc_machine_host(&second, NULL, err));
  assert_true(first.clock_hz.value == second.clock_hz.value); /* read, not measured again */
  ok(sc_file_read(w->arena, path, 1 << 20, &text, &len, err));
  const char *clock = strstr(text, "clock_hz ");
  assert_non_null(clock);
  edited = malloc(len + 64);
  int n = sprintf(edited, "%.*sclock_hz 1234000000 assumed%s", (int)(clock - text), text, clock + strcspn(clock, "\n"));
  ok(sc_write_file(path, edited, (size_t)n, err));
  ok(sc_machine_host(&second, NULL, err));
  assert_true(second.clock_hz.value == 1234000000); /* what a person wrote there stays */
  n = sprintf(edited, "%s", text);
  char *head = strchr(edited, ' ') + 1, *hash = strstr(head, "probe ");
  assert_non_null(hash);
  hash[6] ^= 1; /* a probe that knows other compilers */
  ok(sc_write_file(path, edited, (size_t)n, err));
  ok(sc_machine_host(&second, NULL, err));
  char *renewed;
  ok(sc_file_read(w->arena, path, 1 << 20, &renewed, &len, err));
  assert_memory_equal(renewed, text, strcspn(text, "\n"));
  n = sprintf(edited, "%s", text);
  char *cpu = strstr(edited, "cpu \"");
  assert_non_null(cpu);
  cpu[5] ^= 1;
  ok(sc_write_file(path, edited, (size_t)n, err));
  ok(sc_machine_host(&second, NULL, err)); /* another processor: probed */
  assert_string_equal(second.cpu, first.cpu);
  n = sprintf(edited, "%.*snonsense\n", (int)strcspn(text, "\n") + 1, text); /* the probe's own, damaged */
  ok(sc_write_file(path, edited, (size_t)n, err));
  ok(sc_machine_host(&second, NULL, err));
  assert_string_equal(second.cpu, first.cpu);
  free(edited);
}

static void note(void *user, sc_log_level level, const char *text) {
  if (level == SC_LOG_WARN) snprintf(user, 512, "%s", text);
}

/* A file whose first line is gone is a person's: no change of the system and no slip in it ever replaces it. */
static void test_a_person_owns_it(void **state) {
  world *w = *state;
  char path[128], said[512] = "", *text, *now;
  size_t len;
  sc_machine m;
  sc_error why = {0};
  const sc_log log = {note, said};
  snprintf(path, sizeof path, "%s/host.machine", w->folder);
  ok(sc_machine_host(&m, NULL, err));
  ok(sc_file_read(w->arena, path, 1 << 20, &text, &len, err));
  char *own = strchr(text, '\n') + 1, *version = strstr(own, "version \"");
  assert_non_null(version);
  assert_int_equal(strncmp(own, "machine ", 8), 0);
  ok(sc_write_file(path, own, strlen(own), err));
  ok(sc_machine_host(&m, &log, err));
  assert_string_equal(said, "");
  version[9] ^= 1; /* another compiler than when it was written */
  ok(sc_write_file(path, own, strlen(own), err));
  ok(sc_machine_host(&m, &log, err));
  assert_non_null(strstr(said, "no longer fits"));
  assert_int_equal(sc_machine_renew(&m, NULL, &why), SC_MISMATCH);
  strstr(own, "cores ")[1] = 'x';
  ok(sc_write_file(path, own, strlen(own), err));
  assert_int_equal(sc_machine_host(&m, &log, &why), SC_PARSE);
  assert_string_equal(why.where, path);
  assert_true(why.line > 1);
  ok(sc_file_read(w->arena, path, 1 << 20, &now, &len, err));
  assert_string_equal(now, own);
}

/* Local means this host: another processor's file is refused before anything runs, a generic one is measured as what it
 * is, this processor doing with less. */
static void test_here(void **state) {
  world *w = *state;
  sc_machine m = w->machine, here, host = {0};
  sc_runner *runner;
  sc_error why = {0};
  sc_probe_cpu(&host);
  ok(sc_machine_here(&m, &here, err));
  assert_true(sc_machine_fingerprint(&m) == sc_machine_fingerprint(&here));
  snprintf(m.cpu, sizeof m.cpu, "Another 9000");
  assert_int_equal(sc_runner_open(&m, &runner, &why), SC_UNSUPPORTED);
  assert_null(runner);
  assert_non_null(strstr(why.text, "Another 9000"));
  snprintf(m.cpu, sizeof m.cpu, "generic thing");
  ok(sc_runner_open(&m, &runner, err));
  assert_int_equal(strncmp(runner->machine.cpu, host.cpu, strlen(host.cpu)), 0);
  assert_non_null(strstr(runner->machine.cpu, " as here"));
  assert_true(sc_machine_fingerprint(&runner->machine) != sc_machine_fingerprint(&m));
  sc_runner_close(runner);
  snprintf(m.isa, sizeof m.isa, "x86-64-v9");
  assert_int_equal(sc_runner_open(&m, &runner, &why), SC_UNSUPPORTED);
  assert_non_null(strstr(why.text, "x86-64-v9"));
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_values), cmocka_unit_test(test_cache),
                                     cmocka_unit_test(test_a_person_owns_it), cmocka_unit_test(test_here)};
  return cmocka_run_group_tests(tests, world_open, world_close);
}
