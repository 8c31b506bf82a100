/* What the tests of the tuner stand on: planted rows, a model of them, and a task that it has not seen with its space. */
#ifndef SC_TEST_TUNED_H
#define SC_TEST_TUNED_H

#include "tests/predictor/synthetic.h"
#include "tuner/tuner.h"

typedef struct fixture {
  synthetic s;
  sc_model *model;
  const sc_task *task;
  sc_space_bound *space;
} fixture;

static inline sc_target target_of(const fixture *f) { return (sc_target){.machine = &f->s.rows.machine, .threads = 1}; }

static inline const sc_task *task_of(fixture *f, const char *text) {
  const sc_task *task = NULL;
  if (sc_task_parse(f->s.arena, f->s.library, text, &task, NULL) != SC_OK) fail_msg("%s", text);
  return task;
}

static inline int set_up(void **state) {
  fixture *f = calloc(1, sizeof *f);
  *state = f;
  if (synthetic_make(&f->s, 24, 40, 1, NULL) != SC_OK) return 1;
  f->task = task_of(f, "matmul:M=60,N=96,K=72");
  f->space = synthetic_bind(&f->s, NULL, f->task);
  return sc_model_train(&f->s.rows, &synthetic_quick, &f->model, NULL) != SC_OK;
}

static inline int tear_down(void **state) {
  fixture *f = *state;
  sc_space_unbind(f->space);
  sc_model_free(f->model);
  synthetic_free(&f->s);
  free(f);
  return 0;
}

/* The same with the space of another task, for sc_space_unbind. */
static inline fixture with_task(fixture *f, const char *text) {
  fixture other = *f;
  other.task = task_of(f, text);
  other.space = synthetic_bind(&f->s, NULL, other.task);
  return other;
}

#endif
