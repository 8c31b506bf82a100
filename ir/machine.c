/* Machines: the text form of what a target is, and its identities. One table holds every number with the range it may
 * have; reading, printing and the fingerprint walk it. docs/machines.md explains the values. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "ir/ir.h"

enum { MAX_FILE_BYTES = 1 << 16 };

static const char *const provenances[] = {
    [SC_ASSUMED] = "assumed", [SC_VENDOR] = "vendor", [SC_PROBED] = "probed", [SC_MEASURED] = "measured"};

/* A number of the machine (`cache` -1) or of each cache. `whole`: an integer; `power`: of two, or 0. */
typedef struct field {
  const char *key;
  size_t offset;
  double min, max;
  bool whole, power, required, identity;
} field;

#define M(member) #member, offsetof(sc_machine, member)
#define C(member) #member, offsetof(sc_cache, member)
static const field machine_fields[] = {
    {M(cores), 1, 65536, .whole = true, .required = true, .identity = true},
    {M(clock_hz), 1e3, 1e12, .required = true},
    {M(vector_bytes), 0, 256, .whole = true, .power = true, .required = true},
    {M(vector_registers), 0, 1024, .whole = true},
    {M(fma_per_cycle), 0, 64, .whole = false},
    {M(fma_latency_cycles), 0, 1000, .whole = false},
    {M(loads_per_cycle), 0, 64, .whole = false},
    {M(peak_flop_per_s), 0, 1e18, .whole = false},
    {M(out_of_order), 0, 1, .whole = true},
    {M(l1i_bytes), 0, 1e9, .whole = true},
    {M(memory_read_bytes_per_s), 0, 1e18, .whole = false},
    {M(page_bytes), 0, 1e12, .whole = true, .power = true},
    {M(l1_tlb_entries), 0, 1e9, .whole = true},
    {M(l2_tlb_entries), 0, 1e9, .whole = true},
};
static const field cache_fields[] = {
    {C(bytes), 1, 1e15, .whole = true, .required = true, .identity = true},
    {C(line_bytes), 0, 65536, .whole = true, .power = true, .identity = true},
    {C(ways), 0, 65536, .whole = true, .identity = true},
    {C(shared_by), 0, 65536, .whole = true, .identity = true},
    {C(read_bytes_per_s), 0, 1e18, .whole = false},
};
#undef M
#undef C
static const char *const cache_names[SC_MAX_CACHES] = {"l1d", "l2", "l3"};

static const sc_value *value_in(const void *noun, const field *f) {
  return (const sc_value *)(const void *)((const char *)noun + f->offset);
}

/* ---- reading ---- */

typedef struct machine_reader {
  sc_reader r;
  sc_machine *machine;
  uint32_t seen, seen_cache[SC_MAX_CACHES]; /* bit i: field i */
} machine_reader;

static bool is_control(char c) { return (unsigned char)c < ' ' || c == 0x7f; }

/* A string without control characters: the printed form has none. */
static void read_string(sc_reader *r, char *out, size_t size) {
  for (size_t i = 0; r->token.kind == SC_TOKEN_STRING && i < r->token.len; i++)
    if (is_control(r->token.text[i])) sc_reader_fail(r, SC_PARSE, "the string has a control character");
  sc_reader_string(r, out, size);
}

static bool accept_text(machine_reader *x, const char *key, char *out, size_t size) {
  if (!sc_reader_accept(&x->r, key)) return false;
  if (out[0]) sc_reader_fail(&x->r, SC_PARSE, "'%s' stands twice", key);
  read_string(&x->r, out, size);
  return true;
}

/* value = NUMBER ("assumed" | "vendor" | "probed" | "measured") */
static void read_value(sc_reader *r, const field *f, sc_value *value) {
  sc_token at = r->token;
  double x;
  if (!sc_reader_real(r, &x)) return;
  bool power = x == 0 || frexp(x, &(int){0}) == 0.5;
  if (!(x >= f->min && x <= f->max) || (f->whole && x != floor(x)) || (f->power && !power)) {
    sc_reader_fail_at(r, &at, SC_PARSE, "%s is %s from %.9g to %.9g", f->key,
                      f->power   ? "a power of two"
                      : f->whole ? "an integer"
                                 : "a number",
                      f->min, f->max);
    return;
  }
  for (size_t i = 0; i < SC_COUNT_OF(provenances); i++) {
    if (!sc_reader_accept(r, provenances[i])) continue;
    *value = (sc_value){x == 0 ? 0 : x, (sc_provenance)i}; /* no -0 */
    return;
  }
  sc_reader_fail_expected(r, "where the number is from: assumed, vendor, probed or measured");
}

/* Reads `key value` when the current token is prefix.key (no prefix: key) of one of the fields. */
static bool accept_field(sc_reader *r, const char *prefix, const field *fields, size_t n, void *noun, uint32_t *seen) {
  char key[64];
  for (size_t i = 0; i < n; i++) {
    snprintf(key, sizeof key, "%s%s%s", prefix, prefix[0] ? "." : "", fields[i].key);
    if (!sc_reader_is(r, key)) continue;
    if (*seen >> i & 1) sc_reader_fail(r, SC_PARSE, "'%s' stands twice", key);
    sc_reader_next(r);
    *seen |= 1u << i;
    read_value(r, &fields[i], (sc_value *)(void *)((char *)noun + fields[i].offset));
    return true;
  }
  return false;
}

/* compiler = "compiler" NAME "command" STRING "arguments" STRING ["version" STRING] "vector_bytes" INT */
static void read_compiler(machine_reader *x) {
  sc_reader *r = &x->r;
  sc_compiler c = {0};
  sc_token at = r->token;
  int64_t bytes = 0;
  sc_reader_name(r, c.name, sizeof c.name);
  if (sc_machine_compiler(x->machine, c.name))
    sc_reader_fail_at(r, &at, SC_PARSE, "compiler '%s' stands twice", c.name);
  sc_reader_expect(r, "command");
  read_string(r, c.command, sizeof c.command);
  sc_reader_expect(r, "arguments");
  read_string(r, c.arguments, sizeof c.arguments);
  if (sc_reader_accept(r, "version")) read_string(r, c.version, sizeof c.version);
  sc_reader_expect(r, "vector_bytes");
  at = r->token;
  sc_reader_int(r, 0, 256, &bytes);
  if (bytes & (bytes - 1)) sc_reader_fail_at(r, &at, SC_PARSE, "vector_bytes is a power of two, or 0 for none");
  c.vector_bytes = (uint16_t)bytes;
  if (x->machine->ncompilers == SC_MAX_COMPILERS)
    sc_reader_fail(r, SC_LIMIT, "a machine has at most %d compilers", SC_MAX_COMPILERS);
  else x->machine->compiler[x->machine->ncompilers++] = c;
}

/* line = ("cpu" | "isa" | "runner") STRING | "simulated" | compiler | FIELD value | CACHE "." FIELD value */
static void read_line(machine_reader *x) {
  sc_machine *m = x->machine;
  sc_reader *r = &x->r;
  if (accept_text(x, "cpu", m->cpu, sizeof m->cpu) || accept_text(x, "isa", m->isa, sizeof m->isa) ||
      accept_text(x, "runner", m->runner, sizeof m->runner))
    return;
  if (sc_reader_accept(r, "simulated")) {
    m->simulated = true;
    return;
  }
  if (sc_reader_accept(r, "compiler")) {
    read_compiler(x);
    return;
  }
  if (accept_field(r, "", machine_fields, SC_COUNT_OF(machine_fields), m, &x->seen)) return;
  for (int i = 0; i < SC_MAX_CACHES; i++)
    if (accept_field(r, cache_names[i], cache_fields, SC_COUNT_OF(cache_fields), &m->cache[i], &x->seen_cache[i]))
      return;
  sc_reader_fail_expected(r, "a key of a machine (docs/machines.md)");
}

static void check_required(machine_reader *x, const char *prefix, const field *fields, size_t n, uint32_t seen) {
  for (size_t i = 0; i < n; i++)
    if (fields[i].required && !(seen >> i & 1))
      sc_reader_fail(&x->r, SC_PARSE, "the line '%s%s ...' is missing", prefix, fields[i].key);
}

/* Everything has its line; caches are counted from the first without a gap. */
static void check_complete(machine_reader *x) {
  sc_machine *m = x->machine;
  if (!m->isa[0]) sc_reader_fail(&x->r, SC_PARSE, "the line 'isa ...' is missing");
  check_required(x, "", machine_fields, SC_COUNT_OF(machine_fields), x->seen);
  for (int i = 0; i < SC_MAX_CACHES; i++)
    if (x->seen_cache[i]) m->ncaches = (uint8_t)(i + 1);
  for (int i = 0; i < m->ncaches; i++) {
    char prefix[8];
    snprintf(prefix, sizeof prefix, "%s.", cache_names[i]);
    check_required(x, prefix, cache_fields, SC_COUNT_OF(cache_fields), x->seen_cache[i]);
  }
  if (!m->runner[0]) snprintf(m->runner, sizeof m->runner, "local");
}

/* machine = "machine" NAME NL { line NL } */
sc_status sc_machine_parse(const char *where, const char *text, size_t len, sc_machine *machine, sc_error *err) {
  machine_reader x = {.machine = machine};
  sc_reader *r = &x.r;
  memset(machine, 0, sizeof *machine);
  sc_reader_init(r, where, text, len, true, err);
  r->dash_in_names = true;
  sc_reader_expect(r, "machine");
  sc_reader_name(r, machine->name, sizeof machine->name);
  while (r->status == SC_OK && r->token.kind != SC_TOKEN_END) {
    sc_reader_expect(r, "\n");
    if (r->token.kind != SC_TOKEN_END) read_line(&x);
  }
  if (r->status == SC_OK) check_complete(&x);
  return r->status;
}

sc_status sc_machine_load(const char *path, sc_machine *machine, sc_error *err) {
  sc_arena *arena = sc_arena_new();
  char *text;
  size_t len;
  if (!arena) return sc_fail(err, SC_NOMEM, "out of memory");
  sc_status status = sc_file_read(arena, path, MAX_FILE_BYTES, &text, &len, err);
  if (status == SC_OK) status = sc_machine_parse(path, text, len, machine, err);
  sc_arena_free(arena);
  return status;
}

/* ---- printing ---- */

/* Strings have no escapes: what a probe found and the form cannot hold becomes an apostrophe or a blank. */
static void print_string(const char *key, const char *text, sc_str *out) {
  sc_str_printf(out, "%s \"", key);
  for (; *text; text++) sc_str_addn(out, *text == '"' ? "'" : is_control(*text) ? " " : text, 1);
  sc_str_add(out, "\"");
}

/* Unknown numbers (0, assumed) have no line. */
static void print_fields(const char *prefix, const field *fields, size_t n, const void *noun, sc_str *out) {
  for (size_t i = 0; i < n; i++) {
    const sc_value *v = value_in(noun, &fields[i]);
    if (v->value == 0 && v->from == SC_ASSUMED && !fields[i].required) continue;
    sc_str_printf(out, "%s%s%s ", prefix, prefix[0] ? "." : "", fields[i].key);
    sc_json_number(out, v->value);
    sc_str_printf(out, " %s\n", provenances[v->from]);
  }
}

void sc_machine_print(const sc_machine *machine, sc_str *out) {
  sc_str_printf(out, "machine %s\n", machine->name);
  if (machine->cpu[0]) print_string("cpu", machine->cpu, out), sc_str_add(out, "\n");
  print_string("isa", machine->isa, out);
  sc_str_add(out, "\n");
  print_string("runner", machine->runner, out);
  sc_str_add(out, machine->simulated ? "\nsimulated\n" : "\n");
  print_fields("", machine_fields, SC_COUNT_OF(machine_fields), machine, out);
  for (int i = 0; i < machine->ncaches; i++)
    print_fields(cache_names[i], cache_fields, SC_COUNT_OF(cache_fields), &machine->cache[i], out);
  for (int i = 0; i < machine->ncompilers; i++) {
    const sc_compiler *c = &machine->compiler[i];
    sc_str_printf(out, "compiler %s ", c->name);
    print_string("command", c->command, out);
    print_string(" arguments", c->arguments, out);
    if (c->version[0]) print_string(" version", c->version, out);
    sc_str_printf(out, " vector_bytes %d\n", c->vector_bytes);
  }
}

/* ---- identities ---- */

const sc_compiler *sc_machine_compiler(const sc_machine *machine, const char *name) {
  for (int i = 0; i < machine->ncompilers; i++)
    if (strcmp(machine->compiler[i].name, name) == 0) return &machine->compiler[i];
  return NULL;
}

static uint64_t hash_fields(const field *fields, size_t n, const void *noun, uint64_t hash) {
  for (size_t i = 0; i < n; i++) {
    if (!fields[i].identity) continue;
    uint64_t whole = (uint64_t)value_in(noun, &fields[i])->value;
    uint8_t bytes[8];
    for (int k = 0; k < 8; k++) bytes[k] = (uint8_t)(whole >> 8 * k);
    hash = sc_hash64(bytes, sizeof bytes, hash);
  }
  return hash;
}

uint64_t sc_machine_fingerprint(const sc_machine *machine) {
  uint64_t hash = sc_hash64(machine->cpu, strlen(machine->cpu), 0);
  hash = sc_hash64(machine->isa, strlen(machine->isa), hash);
  hash = hash_fields(machine_fields, SC_COUNT_OF(machine_fields), machine, hash);
  for (int i = 0; i < machine->ncaches; i++)
    hash = hash_fields(cache_fields, SC_COUNT_OF(cache_fields), &machine->cache[i], hash);
  return hash;
}

uint64_t sc_compiler_hash(const sc_compiler *compiler) {
  uint64_t hash = sc_hash64(compiler->command, strlen(compiler->command), 0);
  hash = sc_hash64(compiler->arguments, strlen(compiler->arguments), hash);
  return sc_hash64(compiler->version, strlen(compiler->version), hash);
}
