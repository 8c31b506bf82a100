/* docs/features.md is the table of features in prose; this program writes it and the test checks that it is up to date:
 *   test_featurize_docs --write docs/features.md */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

#include "featurize/featurize.h"

static const char head[] = "# Features\n\n"
                           "One row of floats describes a nest on a machine. This page is written from "
                           "`featurize/features.def`, the only list of features\n"
                           "(`test_featurize_docs --write docs/features.md`); how they are computed: docs/analytic.md. "
                           "A row holds the transformed value:\n"
                           "`log2` is log2(1 + value), `linear` the value itself; values are made finite. *out*, "
                           "*in0*, *in1* are the tensors of the\n"
                           "contraction; FMA is a scalar multiply-add that runs, one in skipped padding does not "
                           "count. Each feature is compared with a\n"
                           "brute-force interpreter on small nests (tests/featurize).\n";

static const struct {
  const char *group, *title;
} groups[] = {{"workload", "Workload: the task alone"},
              {"nest", "Nest: the loops around the kernel"},
              {"tile", "Tile: the register tile and its kernel"},
              {"vector", "Vector"},
              {"cache", "Caches: what fits, and what must be sent"},
              {"curve", "Miss curve: bytes sent to a cache of any size, independent of the machine"},
              {"pages", "Pages"},
              {"conflicts", "Conflicts: lines that share a set"},
              {"kernel", "Kernel table: facts of the kernels"},
              {"parallel", "Parallel"},
              {"packing", "Packing"},
              {"tails", "Tails"},
              {"analytic", "Analytic time and its terms"},
              {"machine", "Machine"}};

static void page(sc_str *out) {
  sc_str_add(out, head);
  int printed = 0;
  for (size_t g = 0; g < SC_COUNT_OF(groups); g++) {
    sc_str_printf(out, "\n## %s\n\n| feature | unit | transform | meaning |\n|---|---|---|---|\n", groups[g].title);
    for (int f = 0; f < SC_FEATURE_COUNT; f++) {
      const sc_feature_info *info = sc_feature_at(f);
      if (strcmp(info->group, groups[g].group) != 0) continue;
      sc_str_printf(out, "| `%s` | %s | %s | %s |\n", info->name, info->unit, info->transform, info->doc);
      printed++;
    }
  }
  SC_ASSERT(printed == SC_FEATURE_COUNT); /* every feature is of a group that has a title */
}

static void page_is_up_to_date(void **state) {
  const char *root = getenv("SC_SOURCE_DIR");
  char path[512], *text;
  size_t len;
  sc_error err;
  sc_str want = {0};
  sc_arena *arena = sc_arena_new();
  snprintf(path, sizeof path, "%s/docs/features.md", root ? root : ".");
  page(&want);
  if (sc_file_read(arena, path, 1 << 20, &text, &len, &err) != SC_OK || strcmp(text, sc_str_text(&want)) != 0) {
    fail_msg("docs/features.md is not what features.def says: test_featurize_docs --write docs/features.md");
  }
  sc_str_free(&want);
  sc_arena_free(arena);
}

static void names_are_unique_and_documented(void **state) {
  for (int f = 0; f < SC_FEATURE_COUNT; f++) {
    const sc_feature_info *info = sc_feature_at(f);
    assert_true(strlen(info->doc) > 3 && strlen(info->unit) > 0);
    assert_true(strcmp(info->transform, "log2") == 0 || strcmp(info->transform, "linear") == 0);
    for (int g = 0; g < f; g++) assert_string_not_equal(info->name, sc_feature_at(g)->name);
  }
  assert_null(sc_feature_at(-1));
  assert_null(sc_feature_at(SC_FEATURE_COUNT));
}

int main(int argc, char **argv) {
  if (argc == 3 && strcmp(argv[1], "--write") == 0) {
    sc_str text = {0};
    page(&text);
    return sc_file_write_atomic(argv[2], sc_str_text(&text), text.len, NULL) == SC_OK ? 0 : 1;
  }
  const struct CMUnitTest tests[] = {cmocka_unit_test(page_is_up_to_date),
                                     cmocka_unit_test(names_are_unique_and_documented)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
