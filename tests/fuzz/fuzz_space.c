/* libFuzzer target of the space language: any bytes as a space of a small matmul; what parses prints back to itself,
 * what binds hands out legal schedules whose rank it knows ($SCHEDCAST_DATA). */
#include <stdlib.h>
#include <string.h>

#include "sampler/sampler.h"

static const sc_task *load_task(sc_arena *arena) {
  const sc_library *library;
  const sc_task *task = NULL;
  SC_ASSERT(arena && sc_library_load(arena, NULL, &library, NULL) == SC_OK);
  SC_ASSERT(sc_task_parse(arena, library, "matmul:M=6,N=8,K=4", &task, NULL) == SC_OK);
  return task;
}

static void check_space(const sc_space *space, const sc_task *task) {
  sc_machine machine = {.cores = {2, SC_ASSUMED}, .vector_registers = {8, SC_ASSUMED}, .ncompilers = 1};
  static sc_kernel_table *nothing; /* known of any kernel, but asked */
  if (!nothing) nothing = sc_kernel_table_new();
  sc_space_options options = {.max_states = 2000, .kernels = nothing};
  sc_space_bound *bound = NULL;
  sc_error err = {0};
  memcpy(machine.compiler[0].name, "gcc", 4);
  machine.compiler[0].vector_bytes = 16;
  if (sc_space_bind(space, task, &machine, &options, &bound, &err) != SC_OK) {
    SC_ASSERT(err.status != SC_OK && err.text[0]);
    return;
  }
  sc_count count = sc_space_count(bound), back;
  for (sc_count rank = 0; rank < count; rank += count / 5 + 1) {
    sc_schedule schedule;
    sc_nest nest;
    SC_ASSERT(sc_space_at(bound, rank, &schedule) == SC_OK);
    SC_ASSERT(sc_lower(task, &schedule, &nest, &err) == SC_OK);
    SC_ASSERT(sc_space_rank(bound, &schedule, &back) == SC_OK && back == rank);
  }
  sc_space_unbind(bound);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  static sc_arena *shared; /* one task for all calls */
  static const sc_task *task;
  if (!shared) task = load_task(shared = sc_arena_new());
  sc_arena *arena = sc_arena_new();
  const sc_space *space, *again;
  sc_error err = {0};
  sc_str once = {0}, twice = {0};
  if (sc_space_parse(arena, "fuzz", (const char *)bytes, size, &space, &err) == SC_OK) {
    sc_space_print(space, &once);
    SC_ASSERT(sc_space_parse(arena, "printed", sc_str_text(&once), once.len, &again, &err) == SC_OK);
    sc_space_print(again, &twice);
    SC_ASSERT(strcmp(sc_str_text(&once), sc_str_text(&twice)) == 0);
    check_space(space, task);
  } else {
    SC_ASSERT(err.status != SC_OK && err.text[0]);
  }
  sc_str_free(&once);
  sc_str_free(&twice);
  sc_arena_free(arena);
  return 0;
}
