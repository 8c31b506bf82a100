/* The version of the library; CMake's project version is the only place that says it. */
#include "base/base.h"

const char *sc_version(void) { return SC_VERSION; }
