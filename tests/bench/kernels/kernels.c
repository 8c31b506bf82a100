/* Best schedules against the libraries, one core. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/kernels/bench.h"

int main(int argc, char **argv) {
  sc_arena *arena = sc_arena_new();
  const sc_library *library;
  sc_error err = {0};
  const char *compiler = getenv("SC_BENCH_CC");
  if (!compiler) compiler = "gcc -O2 -fno-tree-vectorize -march=x86-64-v4 -ffp-contract=fast -fno-ipa-icf -falign-functions=64 -mprefer-vector-width=512";
  setenv("OMP_NUM_THREADS", "1", 1);
  pick_openblas_core();
  if (sc_library_load(arena, NULL, &library, &err) != SC_OK) return fprintf(stderr, "%s\n", err.text), 1;
  for (int a = 1; a < argc; a++) {
    const sc_task *task;
    static subject subjects[BENCH_MAX + 4];
    static candidates c;
    void *tensors[SC_MAX_TENSORS] = {0};
    if (sc_task_parse(arena, library, argv[a], &task, &err) != SC_OK) return fprintf(stderr, "%s\n", err.text), 1;
    for (int t = 0; t < task->ntensors; t++) tensors[t] = bench_alloc((size_t)task->tensor[t].elems * 4);
    sc_fill_buffers(task, tensors, 1);
    candidates_of(task, &c);
    if (a + 1 < argc && strchr(argv[a + 1], ';')) { /* schedules by hand */
      c.n = 0;
      while (a + 1 < argc && strchr(argv[a + 1], ';')) snprintf(c.text[c.n++], sizeof c.text[0], "%s", argv[++a]);
    }
    int n = compile_all(task, &c, compiler, tensors, subjects, getenv("V") != NULL);
    printf("%s: %d schedules\n", task->text, n);
    n = keep_best(subjects, n, 5, 0.002);
    n += peers_of(task, tensors, subjects + n);
    time_in_turns(subjects, n, 25, 0.005);
    for (int i = 0; i < n; i++)
      printf("  %7.1f GFLOP/s best %7.1f median spread %.3f  %s\n", task->flop / subjects[i].best_s / 1e9, task->flop / subjects[i].median_s / 1e9,
             subjects[i].spread, subjects[i].name);
    fflush(stdout);
  }
  return 0;
}
