/* A model as C: the file compiles as C99 without a warning, on the host and for aarch64, and its margins are ours to the
 * last bit, also of a corrected model and at the very cut points. */
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

#include "predictor/card.h"
#include "tests/predictor/synthetic.h"

enum { ROWS = 200 };

typedef struct fixture {
  synthetic s;
  sc_model *model, *corrected;
  float row[ROWS][SC_FEATURE_COUNT];
  char folder[64];
} fixture;

/* Random rows within reach of the cuts, half of their values at a cut or next to it. */
static void make_rows(fixture *f) {
  sc_rng rng;
  sc_rng_seed(&rng, 3, 0);
  for (int i = 0; i < ROWS; i++)
    for (int k = 0; k < SC_FEATURE_COUNT; k++) {
      const int n = f->model->cuts.count[k];
      const float *at = f->model->cuts.at[k];
      if (n == 0) {
        f->row[i][k] = (float)sc_rng_unit(&rng);
        continue;
      }
      const float cut = at[sc_rng_below(&rng, (uint64_t)n)], span = at[n - 1] - at[0] + 1;
      const uint64_t how = sc_rng_below(&rng, 6);
      f->row[i][k] = how == 0   ? cut
                     : how == 1 ? nextafterf(cut, INFINITY)
                     : how == 2 ? nextafterf(cut, -INFINITY)
                                : at[0] + (float)(1.2 * sc_rng_unit(&rng) - 0.1) * span;
    }
}

static int set_up(void **state) {
  fixture *f = calloc(1, sizeof *f);
  synthetic few;
  if (synthetic_make(&f->s, 24, 40, 1, NULL) != SC_OK || synthetic_make(&few, 6, 20, 2, NULL) != SC_OK) return 1;
  if (sc_model_train(&f->s.rows, &synthetic_quick, &f->model, NULL) != SC_OK) return 1;
  const sc_train_options add = {.base = f->model, .quick = true, .members = 2, .trees = 10};
  if (sc_model_train(&few.rows, &add, &f->corrected, NULL) != SC_OK) return 1;
  synthetic_free(&few);
  make_rows(f);
  snprintf(f->folder, sizeof f->folder, "/tmp/sc-test-emit-XXXXXX");
  *state = f;
  return mkdtemp(f->folder) == NULL;
}

static int tear_down(void **state) {
  fixture *f = *state;
  char command[128];
  snprintf(command, sizeof command, "rm -rf '%s'", f->folder);
  const int failed = system(command);
  sc_model_free(f->model);
  sc_model_free(f->corrected);
  synthetic_free(&f->s);
  free(f);
  return failed != 0;
}

/* The model's file and a main that prints the bits of every margin and an analytic time. */
static void write_program(const fixture *f, const sc_model *model, const char *path) {
  sc_str c = {0};
  assert_int_equal(sc_model_emit_c(model, "m", &c, NULL), SC_OK);
  sc_str_add(&c, "#include <stdio.h>\n#include <string.h>\nint main(void) {\n  static const float row[][");
  sc_str_printf(&c, "%d] = {", SC_FEATURE_COUNT);
  for (int i = 0; i < ROWS; i++) {
    sc_str_add(&c, "\n{");
    for (int k = 0; k < SC_FEATURE_COUNT; k++) sc_str_printf(&c, "%af,", (double)f->row[i][k]);
    sc_str_add(&c, "},");
  }
  sc_str_printf(&c,
                "};\n  if (m_log_scale != %.17g) return 1;\n  static const double term[] = {1, 2, 3, 4, 5, 6, 7, 8};\n"
                "  printf(\"%%s %%s %%s %%a %%a\\n\", m_model, m_schema, m_feature[3], m_analytic(term, 0), "
                "m_analytic(term, 1));\n"
                "  for (int i = 0; i < %d; i++) {\n    for (int o = 0; o < 2; o++) {\n"
                "      const float margin = m_margin(row[i], o);\n      uint32_t bits;\n"
                "      memcpy(&bits, &margin, 4);\n      printf(\"%%08x\\n\", (unsigned)bits);\n    }\n  }\n"
                "  return 0;\n}\n",
                model->card.intervals.log_scale, ROWS);
  assert_int_equal(sc_file_write_atomic(path, c.text, c.len, NULL), SC_OK);
  sc_str_free(&c);
}

static void expected(const fixture *f, const sc_model *model, sc_str *out) {
  const sc_analytic_fit *a = &model->card.analytic;
  char hash[17], schema[17];
  sc_hash_hex(sc_model_hash(model), hash);
  sc_hash_hex(sc_feature_schema(), schema);
  double time[2];
  for (int known = 0; known < 2; known++) {
    sc_analytic t = {.compute_s = 1,
                     .kernel_s = 2,
                     .l2_s = 3,
                     .l3_s = 4,
                     .memory_s = 5,
                     .conflict_s = 6,
                     .pack_s = 7,
                     .overhead_s = 8,
                     .known = (float)known};
    sc_analytic_combine(a, &t);
    time[known] = t.time_s;
  }
  sc_str_printf(out, "%s %s %s %a %a\n", hash, schema, sc_feature_at(3)->name, time[0], time[1]);
  for (int i = 0; i < ROWS; i++) {
    uint8_t bins[SC_FEATURE_COUNT];
    float margin[SC_FOREST_OUTPUTS];
    sc_cuts_bins(&model->cuts, f->row[i], 1, bins);
    sc_forest_margins(&model->forest, bins, 1, margin);
    for (int o = 0; o < SC_FOREST_OUTPUTS; o++) {
      uint32_t bits;
      memcpy(&bits, &margin[o], sizeof bits);
      sc_str_printf(out, "%08x\n", (unsigned)bits);
    }
  }
}

/* Compiles with `cc` and compares what the program prints, started behind `run`. */
static void check(const fixture *f, const sc_model *model, const char *cc, const char *run) {
  char path[128], command[512], *text;
  size_t len;
  sc_str want = {0};
  snprintf(path, sizeof path, "%s/m.c", f->folder);
  write_program(f, model, path);
  snprintf(command, sizeof command,
           "cd '%s' && %s -std=c99 -pedantic -Wall -Wextra -Werror -O2 -ffp-contract=off m.c -o m && %s ./m >out",
           f->folder, cc, run);
  if (system(command) != 0) fail_msg("%s", command);
  snprintf(path, sizeof path, "%s/out", f->folder);
  assert_int_equal(sc_file_read(f->s.arena, path, 1 << 20, &text, &len, NULL), SC_OK);
  expected(f, model, &want);
  assert_string_equal(text, sc_str_text(&want));
  sc_str_free(&want);
}

static void margins_are_ours(void **state) {
  const fixture *f = *state;
  check(f, f->model, "cc", "");
  check(f, f->corrected, "cc", "");
}

static void margins_are_ours_on_aarch64(void **state) {
  const fixture *f = *state;
  if (system("command -v aarch64-linux-gnu-gcc >/dev/null && command -v qemu-aarch64 >/dev/null") != 0) skip();
  check(f, f->model, "aarch64-linux-gnu-gcc -static", "qemu-aarch64");
}

/* A card with the end of a comment in it stays a comment; a program with another locale gets C all the same. */
static void the_file_is_c_whatever_the_card(void **state) {
  fixture *f = *state;
  sc_model odd = *f->model;
  snprintf(odd.card.version, sizeof odd.card.version, "*/ int x; /*/**/");
  const bool german = setlocale(LC_ALL, "de_DE.UTF-8") != NULL;
  check(f, &odd, "cc", "");
  setlocale(LC_ALL, "C");
  print_message("%s\n", german ? "in a German locale" : "no German locale is installed");
}

/* The models that ship are small enough for a microcontroller's flash. */
static void shipped_models_are_small(void **state) {
  static const char *const name[] = {"amd-epyc-zen3", "amd-epyc-zen5"};
  char folder[4096], path[4200];
  (void)state;
  sc_data_dir(folder, sizeof folder);
  for (size_t i = 0; i < SC_COUNT_OF(name); i++) {
    sc_model *model;
    sc_str c = {0};
    snprintf(path, sizeof path, "%s/models/%s.xgb", folder, name[i]);
    assert_int_equal(sc_model_load(path, &model, NULL), SC_OK);
    assert_int_equal(sc_model_emit_c(model, "m", &c, NULL), SC_OK);
    print_message("%s: %zu bytes of C\n", name[i], c.len);
    assert_in_range(c.len, 1000, 512 * 1024);
    sc_str_free(&c);
    sc_model_free(model);
  }
}

static void verify_compares_with_libxgboost(void **state) {
  fixture *f = *state;
  sc_error err;
  assert_int_equal(sc_model_verify(f->model, 500, 1, &err), SC_OK);
  assert_int_equal(sc_model_verify(f->corrected, 500, 2, &err), SC_OK);
  size_t leaf = 0;
  while (f->model->forest.leaf[leaf] == 0) leaf++;
  const size_t per_tree = (size_t)1 << f->model->forest.depth;
  for (size_t i = 0; i < per_tree; i++) f->model->forest.leaf[leaf / per_tree * per_tree + i] += 1;
  assert_int_equal(sc_model_verify(f->model, 500, 1, &err), SC_MISMATCH);
  for (size_t i = 0; i < per_tree; i++) f->model->forest.leaf[leaf / per_tree * per_tree + i] -= 1;
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(margins_are_ours), cmocka_unit_test(margins_are_ours_on_aarch64),
                                     cmocka_unit_test(the_file_is_c_whatever_the_card),
                                     cmocka_unit_test(shipped_models_are_small),
                                     cmocka_unit_test(verify_compares_with_libxgboost)};
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
