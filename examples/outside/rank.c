/* schedcast as a cost model in a program of one's own: three schedules of a matrix product, fastest first, by the
 * analytic time of a machine file. With a trained model, sc_model_load and sc_model_predict (schedcast/predictor/
 * predictor.h) take the place of sc_analytic_time. */
#include <stdio.h>
#include <stdlib.h>

#include <schedcast/featurize/featurize.h>

static sc_error err;
static void ok(sc_status status) {
  char text[1024];
  if (status == SC_OK) return;
  sc_error_format(&err, text, sizeof text);
  fputs(text, stderr);
  exit(1);
}

static const char *const texts[] = {
    "band order i j k; compile gcc", /* plain loops */
    "tile i 6, j 16; vector j 8; loop k unroll 2; band order j i; compile gcc",
    "tile i 6, j 16; vector j 8; loop k unroll 2; band i 8, k 192 order i; band order j k i; pack B 1 [j/t,k,j%t]; "
    "compile gcc",
};
enum { N = SC_COUNT_OF(texts) };

typedef struct ranked {
  const char *text;
  double time_s;
} ranked;

static int faster(const void *a, const void *b) {
  const ranked *x = a, *y = b;
  return (x->time_s > y->time_s) - (x->time_s < y->time_s);
}

int main(void) {
  sc_arena *arena = sc_arena_new();
  const sc_library *library;
  const sc_task *task;
  sc_machine machine;
  char data[4000], path[4096];
  sc_data_dir(data, sizeof data);
  snprintf(path, sizeof path, "%s/machines/x86-64-v3.machine", data);
  ok(sc_machine_load(path, &machine, &err));
  ok(sc_library_load(arena, NULL, &library, &err));
  ok(sc_task_parse(arena, library, "matmul:M=384,N=768,K=768,weights=const", &task, &err));

  const sc_target target = {.machine = &machine, .threads = 1};
  ranked all[N];
  for (int i = 0; i < N; i++) {
    sc_schedule schedule;
    sc_nest nest;
    sc_analytic time;
    ok(sc_schedule_parse(task, "<argument>", texts[i], &schedule, &err));
    ok(sc_lower(task, &schedule, &nest, &err));
    sc_analytic_time(task, &nest, &target, NULL, &time);
    all[i] = (ranked){texts[i], time.time_s};
  }
  qsort(all, N, sizeof all[0], faster);
  printf("schedcast %s, %s on %s, data of %s\n", sc_version(), task->text, machine.name, data);
  for (int i = 0; i < N; i++) printf("%8.3f ms  %s\n", all[i].time_s * 1e3, all[i].text);
  sc_arena_free(arena);
  return 0;
}
