/* Where the library talks: one line to the caller's function, nothing when there is none. */
#include <stdio.h>

#include "base/base.h"

void sc_log_printf(const sc_log *log, sc_log_level level, const char *format, ...) {
  if (!log || !log->write) return;
  char line[1024]; /* a longer line is cut: a log must work when memory does not */
  va_list args;
  va_start(args, format);
  vsnprintf(line, sizeof line, format, args);
  va_end(args);
  log->write(log->user, level, line);
}
