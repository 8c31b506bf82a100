/* What the processor says about itself: its name, its instruction set, its vectors, its TLBs. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include "harness/probe.h"

typedef struct isa {
  const char *name;
  int vector_bytes, vector_registers;
} isa;

#if defined(__x86_64__)

/* Each contains those after it. */
static const isa levels[] = {{"x86-64-v4", 64, 32}, {"x86-64-v3", 32, 16}, {"x86-64-v2", 16, 16}, {"x86-64", 16, 16}};

static const isa *find_isa(void) {
  bool v2 = __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("popcnt") && __builtin_cpu_supports("ssse3");
  bool v3 = v2 && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi") &&
            __builtin_cpu_supports("bmi2");
  bool v4 = v3 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
            __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
            __builtin_cpu_supports("avx512vl");
  return &levels[v4 ? 0 : v3 ? 1 : v2 ? 2 : 3];
}

static void find_name(char *name, size_t size) {
  unsigned r[12] = {0};
  for (unsigned i = 0; i < 3; i++)
    if (!__get_cpuid(0x80000002 + i, &r[4 * i], &r[4 * i + 1], &r[4 * i + 2], &r[4 * i + 3])) return;
  char text[sizeof r + 1] = {0};
  memcpy(text, r, sizeof r);
  snprintf(name, size, "%s", text + strspn(text, " "));
}

/* AMD counts the entries of its second level in units of 32 since Zen 5 (family 26), and says so in a bit that
 * hypervisors hide: leaf 0x80000021, EAX bit 14. */
static unsigned amd_l2_unit(void) {
  unsigned a = 0, b, c, d;
  if (__get_cpuid(0x80000021, &a, &b, &c, &d) && a >> 14 & 1) return 32;
  if (!__get_cpuid(1, &a, &b, &c, &d)) return 1;
  return (a >> 8 & 15) + (a >> 20 & 255) >= 26 ? 32 : 1;
}

/* AMD: leaves 0x80000005 and 0x80000006, 4 KiB pages. Intel: leaf 0x18, one sub-leaf a TLB. */
static void find_tlbs(sc_machine *machine) {
  unsigned a, b, c, d;
  if (__get_cpuid(0x80000005, &a, &b, &c, &d) && (b >> 16 & 0xff) > 0) {
    machine->l1_tlb_entries = (sc_value){b >> 16 & 0xff, SC_PROBED};
    if (__get_cpuid(0x80000006, &a, &b, &c, &d) && (b >> 16 & 0xfff) > 0)
      machine->l2_tlb_entries = (sc_value){(b >> 16 & 0xfff) * amd_l2_unit(), SC_PROBED};
    return;
  }
  if (!__get_cpuid_count(0x18, 0, &a, &b, &c, &d)) return;
  for (unsigned leaf = 0, last = a; leaf <= last; leaf++) {
    __get_cpuid_count(0x18, leaf, &a, &b, &c, &d);
    unsigned type = d & 31, level = d >> 5 & 7;
    double entries = (double)(b >> 16) * c;
    if ((type != 1 && type != 3) || !(b & 1) || entries == 0) continue; /* data or unified, with 4 KiB pages */
    if (level == 1) machine->l1_tlb_entries = (sc_value){entries, SC_PROBED};
    if (level == 2) machine->l2_tlb_entries = (sc_value){entries, SC_PROBED};
  }
}

#else

#if defined(__aarch64__)
static const isa levels[] = {{"armv8-a", 16, 32}};
#else
static const isa levels[] = {{"generic", 0, 0}};
#endif

static const isa *find_isa(void) { return levels; }

static void find_tlbs(sc_machine *machine) { (void)machine; }

static void find_name(char *name, size_t size) {
  char line[256];
  FILE *file = fopen("/proc/cpuinfo", "re");
  while (file && fgets(line, sizeof line, file)) {
    const char *value = strchr(line, ':');
    if (value && (strncmp(line, "model name", 10) == 0 || strncmp(line, "CPU part", 8) == 0))
      snprintf(name, size, "%.*s", (int)strcspn(value + 2, "\n"), value + 2);
  }
  if (file) fclose(file);
}

#endif

/* Names of files and of machines: letters, digits and single dashes. */
static void slug(const char *text, char *out, size_t size) {
  size_t n = 0;
  for (; *text && n + 1 < size; text++) {
    char c = *text >= 'A' && *text <= 'Z' ? (char)(*text + 32) : *text;
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) out[n++] = c;
    else if (n > 0 && out[n - 1] != '-') out[n++] = '-';
  }
  while (n > 0 && out[n - 1] == '-') n--;
  out[n] = '\0';
}

bool sc_probe_executes(const char *name) {
  for (const isa *level = find_isa(); level < levels + SC_COUNT_OF(levels); level++)
    if (strcmp(level->name, name) == 0) return true;
  return false;
}

void sc_probe_cpu(sc_machine *machine) {
  const isa *level = find_isa();
  snprintf(machine->cpu, sizeof machine->cpu, "unknown");
  find_name(machine->cpu, sizeof machine->cpu);
  size_t n = strlen(machine->cpu);
  while (n > 0 && machine->cpu[n - 1] == ' ') machine->cpu[--n] = '\0';
  slug(machine->cpu, machine->name, sizeof machine->name);
  if (machine->name[0] < 'a' || machine->name[0] > 'z') snprintf(machine->name, sizeof machine->name, "host");
  snprintf(machine->isa, sizeof machine->isa, "%s", level->name);
  machine->vector_bytes = (sc_value){level->vector_bytes, SC_PROBED};
  machine->vector_registers = (sc_value){level->vector_registers, SC_VENDOR};
  machine->page_bytes = (sc_value){(double)sysconf(_SC_PAGESIZE), SC_PROBED};
  machine->out_of_order = (sc_value){1, SC_ASSUMED};
  find_tlbs(machine);
}
