/* Hash of a function's machine code, read from a relocatable ELF64 object (little-endian: x86-64 and aarch64).
 *
 * With -ffunction-sections a function f stands alone in .text.f, with cold parts and jump tables in sections whose
 * names end in .f too. Their bytes hold no addresses: those are relocations. So the hash covers, per section, its
 * bytes and per relocation its place, its type and what it means: a name, or for anonymous constants the constant's
 * bytes. */
#include <elf.h>
#include <stdio.h>
#include <string.h>

#include "harness/internal.h"

typedef struct object {
  const char *bytes;
  size_t len;
  const Elf64_Ehdr *head;
  const Elf64_Shdr *section;
  const char *names; /* of sections */
  size_t names_len;
  uint32_t symbols; /* section number of the symbol table */
} object;

static bool inside(const object *o, uint64_t offset, uint64_t bytes) {
  return offset <= o->len && bytes <= o->len - offset;
}

static const void *contents(const object *o, uint32_t number, uint64_t *bytes) {
  if (number >= o->head->e_shnum) return NULL;
  const Elf64_Shdr *s = &o->section[number];
  *bytes = s->sh_size;
  return s->sh_type != SHT_NOBITS && inside(o, s->sh_offset, s->sh_size) ? o->bytes + s->sh_offset : NULL;
}

/* A terminated string of a string table, or "". */
static const char *string(const object *o, uint32_t table, uint64_t at) {
  uint64_t bytes = 0;
  const char *text = contents(o, table, &bytes);
  return text && at < bytes && memchr(text + at, 0, bytes - at) ? text + at : "";
}

static const char *section_name(const object *o, uint32_t number) {
  return number < o->head->e_shnum ? string(o, o->head->e_shstrndx, o->section[number].sh_name) : "";
}

static bool read_head(object *o, const char *bytes, size_t len) {
  *o = (object){.bytes = bytes, .len = len, .head = (const Elf64_Ehdr *)(const void *)bytes};
  if (len < sizeof *o->head || memcmp(bytes, ELFMAG, SELFMAG) != 0 || bytes[EI_CLASS] != ELFCLASS64 ||
      bytes[EI_DATA] != ELFDATA2LSB || o->head->e_type != ET_REL)
    return false;
  uint64_t at = o->head->e_shoff;
  if (at % _Alignof(Elf64_Shdr) != 0 || o->head->e_shentsize != sizeof(Elf64_Shdr) ||
      !inside(o, at, (uint64_t)o->head->e_shnum * sizeof(Elf64_Shdr)))
    return false;
  o->section = (const Elf64_Shdr *)(const void *)(bytes + at);
  for (uint32_t i = 0; i < o->head->e_shnum; i++) {
    if (o->section[i].sh_offset % 8 != 0 && o->section[i].sh_type == SHT_SYMTAB) return false;
    if (o->section[i].sh_type == SHT_SYMTAB) o->symbols = i;
  }
  return o->symbols != 0;
}

/* The constant a relocation refers to. The addend of a pc-relative x86 operand is the constant's offset less the 4 to 8
 * bytes from the field to the next instruction, and constants of a mergeable section are aligned to their size. */
static uint64_t hash_constant(const object *o, uint32_t number, int64_t at, uint64_t hash) {
  uint64_t bytes = 0, size = number < o->head->e_shnum ? o->section[number].sh_entsize : 0;
  const char *text = contents(o, number, &bytes);
  if (!text || size == 0 || at < -8 || (uint64_t)(at + 8) > bytes + 8) return hash;
  uint64_t begin = at <= 0 ? 0 : ((uint64_t)at + size - 1) / size * size;
  if (begin + size > bytes) return hash;
  return sc_hash64(text + begin, size, hash);
}

/* Where nests of one unit have equal tables, clang keeps one of them for all. So the name of a table is hashed as the
 * function's own table has it: "sc_n_" and 16 digits, which name the nest, are taken from the function. */
static uint64_t hash_table_name(const char *name, const char *function, uint64_t hash) {
  enum { NEST = 21 };
  char own[96];
  if (strncmp(name, "sc_n_", 5) != 0 || strlen(name) < NEST || strlen(function) < NEST)
    return sc_hash64(name, strlen(name), hash);
  snprintf(own, sizeof own, "%.*s%s", NEST, function, name + NEST);
  return sc_hash64(own, strlen(own), hash);
}

static uint64_t hash_relocation(const object *o, const Elf64_Rela *r, const char *function, uint64_t hash) {
  uint64_t bytes = 0;
  const Elf64_Sym *symbol = contents(o, o->symbols, &bytes);
  uint64_t number = ELF64_R_SYM(r->r_info), place[2] = {r->r_offset, ELF64_R_TYPE(r->r_info)};
  hash = sc_hash64(place, sizeof place, hash);
  if (!symbol || number >= bytes / sizeof *symbol) return hash;
  symbol += number;
  const char *name = string(o, o->section[o->symbols].sh_link, symbol->st_name);
  bool local = ELF64_ST_TYPE(symbol->st_info) == STT_SECTION || strncmp(name, ".L", 2) == 0;
  if (ELF64_ST_TYPE(symbol->st_info) == STT_OBJECT && !local) return hash_table_name(name, function, hash);
  if (!local) return sc_hash64(name, strlen(name), hash);
  if (o->head->e_machine == EM_X86_64) {
    int64_t at = (int64_t)symbol->st_value + r->r_addend + 4;
    return hash_constant(o, symbol->st_shndx, at, hash);
  }
  return hash_constant(o, symbol->st_shndx, (int64_t)symbol->st_value + r->r_addend, hash);
}

static uint64_t hash_section(const object *o, uint32_t number, const char *function, uint64_t hash) {
  uint64_t bytes = 0;
  const char *text = contents(o, number, &bytes);
  if (text) hash = sc_hash64(text, bytes, hash);
  for (uint32_t i = 0; i < o->head->e_shnum; i++) {
    if (o->section[i].sh_type != SHT_RELA || o->section[i].sh_info != number) continue;
    const char *table = contents(o, i, &bytes);
    for (uint64_t k = 0; table && k < bytes / sizeof(Elf64_Rela); k++) {
      Elf64_Rela r;
      memcpy(&r, table + k * sizeof r, sizeof r);
      hash = hash_relocation(o, &r, function, hash);
    }
  }
  return hash;
}

/* True for .text.f, .rodata.f, .text.unlikely.f, .rodata.f.cst32 ... */
static bool belongs(const char *section, const char *function) {
  if (strncmp(section, ".text.", 6) != 0 && strncmp(section, ".rodata.", 8) != 0) return false;
  size_t n = strlen(function);
  for (const char *at = section; (at = strstr(at, function)); at++)
    if (at[-1] == '.' && (at[n] == '\0' || at[n] == '.')) return true;
  return false;
}

static void one_function(const object *o, const char *name, sc_elf_fn *each, void *user) {
  uint64_t hash = 0, bytes = 0;
  for (uint32_t i = 0; i < o->head->e_shnum; i++) {
    if (o->section[i].sh_type != SHT_PROGBITS || !belongs(section_name(o, i), name)) continue;
    hash = hash_section(o, i, name, hash);
    bytes += o->section[i].sh_size;
  }
  each(user, name, hash, bytes < UINT32_MAX ? (uint32_t)bytes : UINT32_MAX);
}

sc_status sc_elf_functions(const char *path, sc_elf_fn *each, void *user, sc_error *err) {
  object o;
  char *text;
  size_t len;
  sc_arena *arena = sc_arena_new();
  if (!arena) return sc_fail(err, SC_NOMEM, "out of memory");
  sc_status status = sc_file_read(arena, path, (size_t)1 << 30, &text, &len, err);
  if (status == SC_OK && !read_head(&o, text, len))
    status = sc_fail(err, SC_FORMAT, "'%s' is not a relocatable 64-bit ELF object", path);
  if (status == SC_OK) {
    uint64_t bytes = 0;
    const Elf64_Sym *symbol = contents(&o, o.symbols, &bytes);
    for (uint64_t i = 0; symbol && i < bytes / sizeof *symbol; i++) {
      const char *name = string(&o, o.section[o.symbols].sh_link, symbol[i].st_name);
      bool function = ELF64_ST_TYPE(symbol[i].st_info) == STT_FUNC && symbol[i].st_shndx != SHN_UNDEF;
      if (function && name[0] != '\0' && !strstr(name, ".cold")) one_function(&o, name, each, user);
    }
  }
  sc_arena_free(arena);
  return status;
}
