/* docs/spaces.md: its examples are spaces with schedules, and its table of quantities is quantities.def. */
#include "sampler/space.h"
#include "tests/sampler/spaces.h"

static char *page;

static void load_page(void) {
  char path[1024];
  size_t len;
  sc_error err = {0};
  snprintf(path, sizeof path, "%s/docs/spaces.md", getenv("SC_SOURCE_DIR") ? getenv("SC_SOURCE_DIR") : ".");
  if (sc_file_read(arena, path, 1 << 20, &page, &len, &err) != SC_OK) fail_msg("%s: %s", path, err.text);
}

/* Indented lines from "space" on, with their indentation taken off. */
static char *example(const char *at) {
  char *text = sc_arena_strdup(arena, at), *to = text;
  for (const char *line = at; strncmp(line, "    ", 4) == 0;) {
    const char *end = line + strcspn(line, "\n");
    memcpy(to, line + 4, (size_t)(end - line - 4));
    to += end - line - 4;
    *to++ = '\n';
    line = *end ? end + 1 : end;
  }
  *to = '\0';
  return text;
}

static void test_examples(void **state) {
  static const char *const tasks[] = {"matmul:M=64,N=64,K=64,weights=run", "conv2d:H=14,W=14,C=32,K=32,R=3,S=3,pad=1"};
  sc_machine machine = small_machine();
  int n = 0;
  load_page();
  for (const char *at = page; (at = strstr(at, "\n    space ")) != NULL; at++) {
    if (at[11] == ' ') continue; /* the grammar */
    const char *text = example(at + 1);
    const sc_task *task = task_of(tasks[strstr(text, "border") != NULL]);
    sc_space_bound *bound = bind_space(space_of(text), task, &machine, &(sc_space_options){.threads = 2});
    assert_true(sc_space_count(bound) > 100);
    sc_space_unbind(bound);
    n++;
  }
  assert_true(n >= 3);
}

static void test_quantities(void **state) {
  load_page();
  for (int q = 0; q < SC_Q_COUNT; q++) {
    static const char *const arguments[][2] = {{"", ""}, {"d", "(d)"}, {"db", "(d,b)"}, {"t", "(t)"}, {"tb", "(t,b)"}};
    char line[256];
    size_t a = 0;
    while (strcmp(arguments[a][0], sc_quantities[q].arguments) != 0) a++;
    snprintf(line, sizeof line, "| `%s%s` | %s |\n", sc_quantities[q].name, arguments[a][1], sc_quantities[q].doc);
    if (!strstr(page, line)) fail_msg("docs/spaces.md lacks %s", line);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_examples), cmocka_unit_test(test_quantities)};
  return cmocka_run_group_tests(tests, load_library, free_library);
}
