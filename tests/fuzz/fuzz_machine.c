/* libFuzzer target of machine files: any bytes; what parses prints back to itself. */
#include <string.h>

#include "ir/ir.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  sc_machine machine, again;
  sc_error err = {0};
  if (sc_machine_parse("fuzz", (const char *)bytes, size, &machine, &err) != SC_OK) return 0;
  sc_str text = {0};
  sc_machine_print(&machine, &text);
  SC_ASSERT(sc_machine_parse("printed", text.text, text.len, &again, &err) == SC_OK);
  SC_ASSERT(memcmp(&machine, &again, sizeof machine) == 0);
  sc_str_free(&text);
  return 0;
}
