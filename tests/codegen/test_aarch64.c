/* The same code for another architecture: random schedules with 4 lanes, cross-compiled and run under qemu-user by one
 * and two threads, compared there with what the operator interpreter computed here. Skipped where the tools are not
 * installed. SC_RANDOM says how many schedules of each operator, as in test_property.c. */
#include "tests/codegen/tasks.h"

#define COMPILER "aarch64-linux-gnu-gcc"

static bool have(const char *command) {
  char text[256];
  snprintf(text, sizeof text, "%s --version > /dev/null 2>&1", command);
  return system(text) == 0;
}

/* A program that reads inputs and expected results of every schedule from a file, in order. */
static void add_program(batch *b) {
  sc_str *s = &b->text;
  sc_str_add(s, "#include <pthread.h>\n#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n"
                "typedef struct entry {\n"
                "  size_t (*ahead_bytes)(void);\n"
                "  void (*ahead)(void *const *, void *);\n"
                "  size_t (*scratch_bytes)(int);\n"
                "  void (*run)(void *const *, const void *, void *, int, int, void (*)(void *), void *);\n"
                "  int n;\n"
                "  size_t bytes[8];\n"
                "} entry;\nstatic const entry table[] = {\n");
  for (int i = 0; i < b->count; i++) {
    sc_str_printf(s, "  {f%d_ahead_bytes, f%d_ahead, f%d_scratch_bytes, f%d_run, %d, {", i, i, i, i,
                  b->task[i]->ntensors);
    for (int t = 0; t < b->task[i]->ntensors; t++)
      sc_str_printf(s, "%lld, ", (long long)b->task[i]->tensor[t].elems * 4);
    sc_str_add(s, "}},\n");
  }
  sc_str_add(
      s, "};\n"
         "static const entry *now;\n"
         "static void *tensors[8], *ahead, *scratch, *second = &scratch;\n"
         "static pthread_barrier_t barrier;\n"
         "static void wait_all(void *context) { pthread_barrier_wait(context); }\n"
         "static void *member(void *tid) {\n"
         "  now->run(tensors, ahead, scratch, tid != NULL, 2, wait_all, &barrier);\n"
         "  return NULL;\n"
         "}\n"
         "int main(int argc, char **argv) {\n"
         "  FILE *file = argc > 1 ? fopen(argv[1], \"rb\") : NULL;\n"
         "  if (!file) return 2;\n"
         "  pthread_barrier_init(&barrier, NULL, 2);\n"
         "  for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {\n"
         "    void *in[8], *out[8];\n"
         "    now = &table[i];\n"
         "    for (int t = 0; t < now->n; t++) {\n"
         "      tensors[t] = malloc(now->bytes[t]), in[t] = malloc(now->bytes[t]), out[t] = malloc(now->bytes[t]);\n"
         "      if (fread(in[t], 1, now->bytes[t], file) != now->bytes[t]) return 2;\n"
         "      if (fread(out[t], 1, now->bytes[t], file) != now->bytes[t]) return 2;\n"
         "    }\n"
         "    for (int nt = 1; nt <= 2; nt++) {\n"
         "      pthread_t other;\n"
         "      ahead = aligned_alloc(64, (now->ahead_bytes() + 64) / 64 * 64);\n"
         "      scratch = aligned_alloc(64, (now->scratch_bytes(nt) + 64) / 64 * 64);\n"
         "      for (int t = 0; t < now->n; t++) memcpy(tensors[t], in[t], now->bytes[t]);\n"
         "      memset(scratch, 0xff, now->scratch_bytes(nt));\n"
         "      now->ahead(tensors, ahead);\n"
         "      if (nt == 1) {\n"
         "        now->run(tensors, ahead, scratch, 0, 1, NULL, NULL);\n"
         "      } else {\n"
         "        pthread_create(&other, NULL, member, second);\n"
         "        member(NULL);\n"
         "        pthread_join(other, NULL);\n"
         "      }\n"
         "      for (int t = 0; t < now->n; t++)\n"
         "        if (memcmp(tensors[t], out[t], now->bytes[t])) {\n"
         "          printf(\"%d\\n\", (int)i);\n"
         "          return 1;\n"
         "        }\n"
         "    }\n"
         "  }\n"
         "  return 0;\n"
         "}\n");
}

static void write_data(const batch *b, const char *path) {
  FILE *file = fopen(path, "wb");
  assert_non_null(file);
  for (int i = 0; i < b->count; i++) {
    reference r;
    make_reference(b->task[i], (uint64_t)i, &r);
    for (int t = 0; t < b->task[i]->ntensors; t++) {
      size_t bytes = (size_t)b->task[i]->tensor[t].elems * 4;
      assert_int_equal(fwrite(r.inputs[t], 1, bytes, file), bytes);
      assert_int_equal(fwrite(r.expected[t], 1, bytes, file), bytes);
    }
    free_buffers(b->task[i], r.inputs);
    free_buffers(b->task[i], r.expected);
  }
  assert_int_equal(fclose(file), 0);
}

static void run_there(batch *b) {
  char source[96], program[96], data[96], command[512];
  sc_error err = {0};
  snprintf(source, sizeof source, "%s/batch.c", b->folder);
  snprintf(program, sizeof program, "%s/batch", b->folder);
  snprintf(data, sizeof data, "%s/data", b->folder);
  add_program(b);
  assert_int_equal(sc_file_write_atomic(source, b->text.text, b->text.len, &err), SC_OK);
  write_data(b, data);
  snprintf(command, sizeof command,
           COMPILER
           " -std=gnu11 -O1 -Wall -Wextra -Werror -ffp-contract=fast -fno-tree-vectorize -static -pthread -o %s %s",
           program, source);
  if (system(command) != 0) fail_msg("%s", command);
  snprintf(command, sizeof command, "qemu-aarch64 %s %s", program, data);
  if (system(command) != 0) fail_msg("%s: the number printed is that of the schedule", command);
  unlink(program);
  unlink(data);
}

static void check_operator(const char *const *texts, int ntexts, uint64_t stream) {
  enum { PER_BATCH = 40 };
  int wanted = number_of("SC_RANDOM", 120) / 3 + 1, drawn = 0, kernels = 0;
  if (!have(COMPILER) || !have("qemu-aarch64")) {
    print_message(COMPILER " or qemu-aarch64 is not installed: skipped\n");
    skip();
  }
  batch *b = malloc(sizeof *b);
  sc_rng rng;
  sc_rng_seed(&rng, 64, stream);
  while (drawn < wanted) {
    batch_begin(b);
    for (; drawn < wanted && b->count < PER_BATCH; drawn++) {
      const sc_task *task = task_of(texts[drawn % ntexts]);
      sc_schedule schedule;
      if (sc_schedule_random(task, &rng, 4, "gcc", &schedule) != SC_OK) fail_msg("no schedule of %s", task->text);
      batch_add(b, task, &schedule);
    }
    run_there(b);
    kernels += b->nkernels;
    batch_end(b);
  }
  print_message("%s: %d random schedules, %d kernels agree on aarch64\n", texts[0], drawn, kernels);
  free(b);
}

static void test_matmul(void **state) { check_operator(matmuls, SC_COUNT_OF(matmuls), 1); }
static void test_conv2d(void **state) { check_operator(convolutions, SC_COUNT_OF(convolutions), 2); }
static void test_depthwise(void **state) { check_operator(depthwises, SC_COUNT_OF(depthwises), 3); }

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_matmul),
      cmocka_unit_test(test_conv2d),
      cmocka_unit_test(test_depthwise),
  };
  return cmocka_run_group_tests(tests, batch_setup, batch_teardown);
}
