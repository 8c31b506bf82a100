/* base: what every folder stands on: status and error with position, arena, growable string, text reader, rng
 * streams, hashing, files, log. Knows nothing about operators or kernels.
 *
 * Rules of the house: no mutable globals, no printing, no exit; a function that can fail returns sc_status and
 * fills the caller's sc_error (which may be NULL); a bug is SC_ASSERT; the result of an experiment is neither. */
#ifndef SC_BASE_H
#define SC_BASE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

const char *sc_version(void); /* "0.1.0" */

/* ---- status and error ------------------------------------------------------------------------------------- */

/* One line per status in base/status.def: SC_STATUS(name, "what it means"). SC_OK is 0. */
typedef enum sc_status {
#define SC_STATUS(name, doc) SC_##name,
#include "base/status.def"
#undef SC_STATUS
  SC_STATUS_COUNT
} sc_status;

/* An error of the caller or the world. `where` is a file name or "<argument>"; line and column count from 1, 0 = no
 * position. `source` is the offending line, for the caret; of a long one a part, that begins `skipped` bytes into it.
 * `rule` is the legality rule (ir/rules.def) or 0, `clause` the part of a schedule that breaks it
 * (sc_schedule_locate). */
typedef struct sc_error {
  sc_status status;
  int line, column, rule, clause;
  char where[128];
  char text[384];
  char source[512];
  int skipped;
} sc_error;

const char *sc_status_name(sc_status status);
/* Fills err (may be NULL) without position and returns status: `return sc_fail(err, SC_IO, "...");` */
sc_status sc_fail(sc_error *err, sc_status status, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Fills source from the line of err->column: of a line that it cannot hold what stands around the column. */
void sc_error_source(sc_error *err, const char *line, size_t len);
/* Prints "where:line:column: text", the source line and a caret, each ended by a newline, into buf; returns the length
 * of what it printed (cut at size - 1). */
size_t sc_error_format(const sc_error *err, char *buf, size_t size);

#define SC_TRY(expr)                                    \
  do {                                                  \
    sc_status sc_try_status_ = (expr);                  \
    if (sc_try_status_ != SC_OK) return sc_try_status_; \
  } while (0)

/* A violated SC_ASSERT is a bug of schedcast: prints file, line and condition to stderr and aborts, in releases too. */
#define SC_ASSERT(cond) ((cond) ? (void)0 : sc_bug(__FILE__, __LINE__, #cond))
void sc_bug(const char *file, int line, const char *condition) __attribute__((noreturn));

/* A function that is compiled twice, chosen when the program starts: where the linker can do that, and not under
 * sanitizers, which cannot run that early. */
#if defined(__x86_64__) && defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) && \
    !defined(__clang__)
#define SC_CLONES __attribute__((target_clones("avx2", "default")))
#else
#define SC_CLONES
#endif

#define SC_COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* ---- arena ------------------------------------------------------------------------------------------------ */

typedef struct sc_arena sc_arena; /* freed as a whole */
sc_arena *sc_arena_new(void); /* NULL when out of memory */
void sc_arena_free(sc_arena *arena); /* NULL is fine */
/* Zeroed memory, 16-byte aligned; NULL when out of memory or count*size overflows. */
void *sc_arena_alloc(sc_arena *arena, size_t count, size_t size);
char *sc_arena_strdup(sc_arena *arena, const char *text);
char *sc_arena_strndup(sc_arena *arena, const char *text, size_t n);

/* ---- growable string -------------------------------------------------------------------------------------- */

/* Zero-initialise; sc_str_free when done. Out of memory is remembered in `failed` and further appends do nothing;
 * ask once at the end. `text` is NUL-terminated once anything was appended; sc_str_text never returns NULL. */
typedef struct sc_str {
  char *text;
  size_t len, cap;
  bool failed;
} sc_str;
void sc_str_free(sc_str *s);
void sc_str_clear(sc_str *s);
void sc_str_add(sc_str *s, const char *text);
void sc_str_addn(sc_str *s, const char *text, size_t n);
void sc_str_printf(sc_str *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
const char *sc_str_text(const sc_str *s);
void sc_str_time(sc_str *s, double seconds); /* for people: "1.23 ms" */

/* Appends `text` as a quoted JSON string / a finite number (null otherwise, %.17g shortened where exact). */
void sc_json_string(sc_str *s, const char *text);
void sc_json_number(sc_str *s, double value);

/* ---- text reader ------------------------------------------------------------------------------------------ */

/* A tokeniser shared by all languages of schedcast. Comments run from '#' to the end of the line. White space
 * separates; newlines are tokens only where `newlines` is set (and never inside brackets): one for a run of empty
 * lines, none before the first token. A string has no escapes: it holds neither '"' nor a newline. Numbers have no
 * sign, integers are below 2^63, and the locale does not matter. Columns count bytes. */
typedef enum sc_token_kind {
  SC_TOKEN_END,
  SC_TOKEN_NAME,
  SC_TOKEN_INT,
  SC_TOKEN_REAL,
  SC_TOKEN_STRING,
  SC_TOKEN_PUNCT,
  SC_TOKEN_NEWLINE
} sc_token_kind;

typedef struct sc_token {
  sc_token_kind kind;
  const char *text; /* into the source, not terminated; a string without its quotes */
  size_t len;
  int line, column;
  int64_t integer; /* SC_TOKEN_INT */
  double real; /* SC_TOKEN_REAL and SC_TOKEN_INT */
} sc_token;

typedef struct sc_reader {
  const char *where, *text, *end; /* the whole source: text..end */
  const char *at;
  int line, column, depth;
  bool newlines;
  /* A NAME is [A-Za-z_][A-Za-z0-9_]*, with '.' inside (`a.b`, but `a..b` is three tokens); and '-' too when this is set
   * (`x86-64-v4`), after init, which has read the first token. */
  bool dash_in_names;
  sc_token token; /* the current token */
  sc_error *err;
  sc_status status; /* sticky: the first error; after it the current token is SC_TOKEN_END */
} sc_reader;

/* Starts reading and reads the first token. `text` need not be terminated; it and `where` must outlive the reader. */
void sc_reader_init(sc_reader *r, const char *where, const char *text, size_t len, bool newlines, sc_error *err);
void sc_reader_next(sc_reader *r);
/* PUNCT tokens are one character or one of: += <= >= == != .. -> */
bool sc_reader_is(const sc_reader *r, const char *text); /* current token (name, punctuation, "\n") is exactly text */
bool sc_reader_accept(sc_reader *r, const char *text); /* consumes it when it is */
bool sc_reader_expect(sc_reader *r, const char *text); /* else fails: "expected 'text', found ..." */
bool sc_reader_name(sc_reader *r, char *out, size_t size); /* consumes a NAME; too long is an error */
bool sc_reader_int(sc_reader *r, int64_t min, int64_t max, int64_t *out); /* consumes an INT with optional '-' */
bool sc_reader_real(sc_reader *r, double *out); /* an INT or REAL with optional '-', finite */
bool sc_reader_string(sc_reader *r, char *out, size_t size);
/* Fails at the current token, or at a token remembered earlier; keeps the first error. */
void sc_reader_fail(sc_reader *r, sc_status status, const char *format, ...) __attribute__((format(printf, 3, 4)));
void sc_reader_fail_expected(sc_reader *r, const char *expected); /* "expected X, found Y" at the current token */
void sc_reader_fail_at(sc_reader *r, const sc_token *token, sc_status status, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* ---- rng, hash -------------------------------------------------------------------------------------------- */

/* Counter-seeded xoshiro256** (Blackman & Vigna 2018); equal (seed, stream) gives equal numbers on every machine. */
typedef struct sc_rng {
  uint64_t s[4];
} sc_rng;
void sc_rng_seed(sc_rng *rng, uint64_t seed, uint64_t stream);
uint64_t sc_rng_u64(sc_rng *rng);
uint64_t sc_rng_below(sc_rng *rng, uint64_t n); /* unbiased, n > 0 (Lemire 2019) */
double sc_rng_unit(sc_rng *rng); /* [0,1) with 53 bits */
unsigned __int128 sc_rng_below128(sc_rng *rng, unsigned __int128 n); /* unbiased */
unsigned __int128 sc_gcd(unsigned __int128 a, unsigned __int128 b); /* greatest common divisor; of 0 and b: b */
void sc_u128_print(unsigned __int128 value, char buf[40]);

uint64_t sc_hash64(const void *bytes, size_t n, uint64_t seed); /* XXH3, little-endian canonical */
void sc_hash_hex(uint64_t hash, char out[17]);

/* ---- files, time, log ------------------------------------------------------------------------------------- */

/* Reads a whole file ("-" = standard input) of at most max_bytes into the arena, NUL-terminated. */
sc_status sc_file_read(sc_arena *arena, const char *path, size_t max_bytes, char **text, size_t *len, sc_error *err);
/* Writes path so that after any crash the old or the new content is there: temporary file, fsync, rename, fsync of the
 * folder. Keeps the access rights of the old file and follows a link; a device or pipe is written directly. */
sc_status sc_file_write_atomic(const char *path, const void *bytes, size_t len, sc_error *err);
sc_status sc_mkdirs(const char *path, sc_error *err);
/* Folder of the data files (operators/, machines/, spaces/, models/): $SCHEDCAST_DATA, else the source tree's data/
 * when running from the build tree, else the installed one. Writes a path without trailing slash. */
void sc_data_dir(char *buf, size_t size);
/* $SCHEDCAST_CACHE, else $XDG_CACHE_HOME/schedcast, else $HOME/.cache/schedcast. */
void sc_cache_dir(char *buf, size_t size);

double sc_now_s(void); /* CLOCK_MONOTONIC */
uint64_t sc_now_ns(void);
int64_t sc_unix_ns(void); /* wall clock */

typedef enum sc_log_level { SC_LOG_DEBUG, SC_LOG_INFO, SC_LOG_WARN } sc_log_level;
/* Where the library talks. Zeroed = silent. */
typedef struct sc_log {
  void (*write)(void *user, sc_log_level level, const char *line);
  void *user;
} sc_log;
void sc_log_printf(const sc_log *log, sc_log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#ifdef __cplusplus
}
#endif
#endif
