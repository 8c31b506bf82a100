/* libFuzzer target of the reader: any bytes, in all four modes; every token and every error lies inside the text. */
#include "base/base.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  const char *text = (const char *)bytes;
  for (int mode = 0; mode < 4; mode++) {
    sc_error err = {0};
    sc_reader r;
    sc_reader_init(&r, "fuzz", text, size, mode & 1, &err);
    r.dash_in_names = mode & 2;
    for (size_t n = 0; r.token.kind != SC_TOKEN_END; sc_reader_next(&r)) {
      SC_ASSERT(r.token.text >= text && r.token.len <= size && r.token.text + r.token.len <= text + size);
      SC_ASSERT(++n <= size);
    }
    SC_ASSERT(r.status == err.status && (r.status == SC_OK || ((size_t)err.column <= size + 1 && err.column > 0)));
    char printed[900];
    sc_error_format(&err, printed, sizeof printed);
  }
  return 0;
}
