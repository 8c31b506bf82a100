/* The whole chain of schedcast in one function: language -> sampler -> code -> measurement -> dataset -> features ->
 * model -> pick -> C. Read it beside docs/TOUR.md; `./check` compiles and runs it. Usage: tour [TASK [FOLDER]] */
#include "harness/harness.h"
#include "predictor/predictor.h"
#include <stdio.h>
#include <stdlib.h>

static sc_error err;
static void ok(sc_status status) {
  char text[1024];
  if (status == SC_OK) return;
  sc_error_format(&err, text, sizeof text);
  fputs(text, stderr);
  exit(1);
}

struct bag {
  sc_work work[256];
  size_t n;
  const sc_task *task;
};
static sc_status put(void *user, const sc_schedule *schedule) {
  struct bag *bag = user;
  bag->work[bag->n++] = (sc_work){.task = bag->task, .schedule = *schedule, .proposal = SC_PROPOSED_UNIFORM};
  return SC_OK;
}

int main(int argc, char **argv) {
  static struct bag bag; /* large */
  sc_arena *arena = sc_arena_new();
  char path[256];
  snprintf(path, sizeof path, "%s/tour.h5", argc > 2 ? argv[2] : ".");

  /* 1. An operator with numbers, the machine we are on, and the space of schedules they span. */
  const sc_library *library;
  const sc_space *space;
  sc_space_bound *bound;
  sc_machine machine;
  ok(sc_library_load(arena, NULL, &library, &err));
  ok(sc_task_parse(arena, library, argc > 1 ? argv[1] : "matmul:M=96,N=96,K=96", &bag.task, &err));
  ok(sc_machine_host(&machine, &(sc_log){0}, &err));
  ok(sc_space_default(arena, bag.task, &space, &err));
  ok(sc_space_bind(space, bag.task, &machine, &(sc_space_options){.threads = 1}, &bound, &err));

  /* 2. Draw schedules, build and measure them; everything lands in the dataset. */
  sc_dataset *dataset;
  sc_campaign_report report;
  ok(sc_space_sample(bound, SC_SAMPLE_UNIFORM, 64, 1, put, &bag, &err));
  ok(sc_dataset_open(path, SC_DATASET_APPEND, &dataset, &err));
  ok(sc_campaign_run(&machine, bag.work, bag.n, &(sc_campaign_options){.passes = 2}, dataset, &report, &err));

  /* 3. Rows of features and labels, a model of them. A real one leaves out what was timed while the machine drifted. */
  sc_rows rows;
  sc_model *model;
  ok(sc_rows_build(arena, library, dataset, &(sc_rows_options){.passes = 2, .disturbed = true}, &rows, &err));
  ok(sc_model_train(&rows, &(sc_train_options){.trees = 50}, &model, &err));

  /* 4. The best of a scan by prediction alone, and its code. */
  const sc_target target = {.machine = &machine, .threads = 1};
  sc_pick pick;
  sc_pick_effort effort;
  ok(sc_model_pick(model, bound, bag.task, &target, NULL, 1, &pick, &effort, &err));
  sc_nest nest;
  ok(sc_lower(bag.task, &pick.schedule, &nest, &err));
  sc_str text = {0};
  sc_schedule_print(bag.task, &pick.schedule, &text);
  printf("# best of %zu scanned, predicted %.3g ms (90 %%: %.3g to %.3g)\nschedule %s\n", effort.scanned,
         pick.prediction.time_s * 1e3, pick.prediction.low_s * 1e3, pick.prediction.high_s * 1e3, sc_str_text(&text));
  sc_str_clear(&text);
  ok(sc_emit_c(bag.task, &pick.schedule, &nest, &machine, "tour", NULL, &text, &err));
  printf("# its C has %zu bytes\n", text.len);

  sc_str_free(&text);
  sc_model_free(model);
  ok(sc_dataset_close(dataset, &err));
  sc_space_unbind(bound);
  sc_arena_free(arena);
  return 0;
}
