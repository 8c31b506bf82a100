/* libFuzzer target of datasets: any bytes as a file, as a journal, and as the payloads of a journal whose frames are
 * sound (so that what stands behind the checksums is reached as well). HDF5 itself gets no bytes that a checksum does
 * not vouch for. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "dataset/dataset.h"

static void write_file(const char *path, const void *bytes, size_t len) {
  int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  SC_ASSERT(fd >= 0 && write(fd, bytes, len) == (ssize_t)len && close(fd) == 0);
}

/* The frames that dataset/journal.c documents: pieces of the input, each as long as its first two bytes say. */
static void frame_up(const uint8_t *bytes, size_t size, sc_str *out) {
  const uint64_t generation = 7, synced = 0, check = sc_hash64(&generation, 8, 0);
  char head[160] = "schedcast-jrnl1\n";
  memcpy(head + 16, &generation, 8);
  memcpy(head + 24, &check, 8);
  sc_str_addn(out, head, sizeof head);
  for (size_t at = 0; at + 2 <= size;) {
    uint32_t magic = 0x4d524653, n = bytes[at] + 256u * bytes[at + 1];
    at += 2;
    if (n > size - at) n = (uint32_t)(size - at);
    uint64_t sum = sc_hash64(bytes + at, n, generation ^ sc_hash64(&synced, 8, generation));
    sc_str_addn(out, (const char *)&magic, 4);
    sc_str_addn(out, (const char *)&n, 4);
    sc_str_addn(out, (const char *)&synced, 8);
    sc_str_addn(out, (const char *)&sum, 8);
    sc_str_addn(out, (const char *)bytes + at, n);
    at += n;
  }
}

static void look_at(const char *path) {
  sc_error err = {0};
  sc_dataset *d;
  sc_str csv = {0};
  if (sc_dataset_open(path, SC_DATASET_READ, &d, &err) != SC_OK) return;
  for (size_t i = 0; i < sc_dataset_count(d); i++) {
    const sc_record *row = sc_dataset_at(d, i);
    SC_ASSERT(sc_dataset_find(d, sc_record_identity(row)) == row && row->npasses <= SC_MAX_PASSES);
    SC_ASSERT(sc_record_label_ns(row, 1) >= 0);
  }
  SC_ASSERT(sc_dataset_export_csv(d, &csv) == SC_OK);
  sc_str_free(&csv);
  sc_dataset_close(d, &err);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  char path[64], journal[80];
  snprintf(path, sizeof path, "/tmp/fuzz-dataset-%d.h5", (int)getpid());
  snprintf(journal, sizeof journal, "%s.journal", path);
  write_file(path, bytes, size);
  look_at(path);
  unlink(path);
  write_file(journal, bytes, size);
  look_at(path);
  sc_str frames = {0};
  frame_up(bytes, size, &frames);
  SC_ASSERT(!frames.failed);
  write_file(journal, frames.text, frames.len);
  look_at(path);
  sc_str_free(&frames);
  unlink(journal);
  return 0;
}
