/* Buffers between guard pages. The guards are wide, because what runs over an end often does so by a whole row. */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "child.h"

enum { GUARD = 1 << 16, CANARY = 0xA5 };

bool region_make(region *r, const char *name, size_t bytes, placement place, size_t align_or_offset) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  size_t before = place == AT_OFFSET ? align_or_offset % page : 0;
  if (bytes > SIZE_MAX / 2) return false;
  size_t inner = (bytes + before + page - 1) / page * page;
  if (inner == 0) inner = page;
  *r = (region){.bytes = bytes, .page_bytes = inner, .map_bytes = inner + 2 * GUARD};
  strncpy(r->name, name, sizeof r->name - 1);
  r->map = mmap(NULL, r->map_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (r->map == MAP_FAILED) return false;
  r->page = r->map + GUARD;
  int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
  if (mmap(r->page, inner, PROT_READ | PROT_WRITE, flags, -1, 0) == MAP_FAILED) return false;
  madvise(r->page, inner, MADV_NOHUGEPAGE); /* one page size for all, or the label would depend on luck */
  for (size_t i = 0; i < inner; i += page) ((volatile char *)r->page)[i] = 0; /* the first touch settles it */
  if (place == AT_END) r->data = r->page + (inner - bytes) / align_or_offset * align_or_offset;
  else r->data = r->page + before;
  if (place != AT_OFFSET) {
    memset(r->page, CANARY, (size_t)(r->data - r->page));
    memset(r->data + bytes, CANARY, (size_t)(r->page + inner - r->data) - bytes);
  }
  return true;
}

void region_free(region *r) {
  if (r->map && r->map != MAP_FAILED) munmap(r->map, r->map_bytes);
  *r = (region){0};
}

static bool is_canary(const char *from, const char *to) {
  for (; from < to; from++)
    if ((unsigned char)*from != CANARY) return false;
  return true;
}

bool region_slack_is_clean(const region *r) {
  return is_canary(r->page, r->data) && is_canary(r->data + r->bytes, r->page + r->page_bytes);
}
