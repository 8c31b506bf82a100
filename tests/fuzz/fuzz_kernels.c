/* libFuzzer target of kernel tables: any bytes as a file; what loads saves and loads as the same table. */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ir/ir.h"

/* Loads the table in these bytes through a file in memory. */
static sc_status load(sc_kernel_table *table, const void *bytes, size_t size, sc_error *err) {
  char path[64];
  int fd = memfd_create("fuzz", MFD_CLOEXEC);
  SC_ASSERT(fd >= 0 && write(fd, bytes, size) == (ssize_t)size);
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  sc_status status = sc_kernel_table_load(table, path, err);
  close(fd);
  return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  static char path[64];
  sc_error err = {0};
  sc_kernel_table *table = sc_kernel_table_new(), *again = sc_kernel_table_new();
  if (!path[0]) snprintf(path, sizeof path, "/dev/shm/schedcast-fuzz-%d.kernels", (int)getpid());
  if (load(table, bytes, size, &err) == SC_OK) {
    SC_ASSERT(sc_kernel_table_save(table, path, &err) == SC_OK && sc_kernel_table_load(again, path, &err) == SC_OK);
    SC_ASSERT(sc_kernel_table_count(table) == sc_kernel_table_count(again));
    for (size_t i = 0; i < sc_kernel_table_count(table); i++) {
      sc_kernel_fact a = *sc_kernel_table_at(table, i), b = *sc_kernel_table_at(again, i);
      SC_ASSERT(a.family == b.family && a.compiler == b.compiler && a.measured == b.measured && a.spills == b.spills);
      SC_ASSERT(a.first_ns == b.first_ns && a.slope_ns == b.slope_ns && a.code_bytes == b.code_bytes);
    }
    unlink(path);
  } else {
    SC_ASSERT(err.text[0]);
  }
  sc_kernel_table_free(table);
  sc_kernel_table_free(again);
  return 0;
}
