/* libFuzzer target of the operator language: any bytes as an operator; what parses prints back to itself. */
#include <string.h>

#include "ir/ir.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  sc_arena *arena = sc_arena_new();
  const sc_operator *op, *again;
  sc_error err = {0};
  if (arena && sc_operator_parse(arena, "fuzz", (const char *)bytes, size, &op, &err) == SC_OK) {
    sc_str once = {0}, twice = {0};
    sc_operator_print(op, &once);
    SC_ASSERT(sc_operator_parse(arena, "printed", once.text, once.len, &again, &err) == SC_OK);
    sc_operator_print(again, &twice);
    SC_ASSERT(strcmp(once.text, twice.text) == 0);
    sc_str_free(&once);
    sc_str_free(&twice);
  }
  sc_arena_free(arena);
  return 0;
}
