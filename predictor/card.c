/* The card's text: a line per field, `name value`, then lists. Fields stand in one table, so that printing, reading and
 * JSON cannot drift apart. */
#include "predictor/card.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

typedef enum field_kind { HEX, COUNT, INT, REAL } field_kind;

typedef struct field {
  const char *name;
  field_kind kind;
  size_t offset;
} field;

#define FIELD(name, kind, member) \
  { name, kind, offsetof(sc_card, member) }
static const field fields[] = {
    FIELD("schema", HEX, schema),
    FIELD("trees_hash", HEX, trees),
    FIELD("data_hash", HEX, data),
    FIELD("seed", HEX, boost.seed),
    FIELD("rows", COUNT, rows),
    FIELD("tasks", COUNT, tasks),
    FIELD("groups", COUNT, ngroups),
    FIELD("passes", COUNT, passes),
    FIELD("disturbed_rows", COUNT, disturbed),
    FIELD("kernel_facts", COUNT, kernel_facts),
    FIELD("members", INT, boost.members),
    FIELD("rounds", INT, boost.rounds),
    FIELD("scale_rounds", INT, scale_rounds),
    FIELD("depth", INT, boost.depth),
    FIELD("eta", REAL, boost.eta),
    FIELD("min_child_weight", REAL, boost.min_child_weight),
    FIELD("subsample", REAL, boost.subsample),
    FIELD("colsample", REAL, boost.colsample),
    FIELD("analytic_compute", REAL, analytic.compute),
    FIELD("analytic_kernel", REAL, analytic.kernel),
    FIELD("analytic_l2", REAL, analytic.l2),
    FIELD("analytic_l3", REAL, analytic.l3),
    FIELD("analytic_memory", REAL, analytic.memory),
    FIELD("analytic_conflict", REAL, analytic.conflict),
    FIELD("analytic_pack", REAL, analytic.pack),
    FIELD("analytic_overhead", REAL, analytic.overhead),
    FIELD("log_scale", REAL, intervals.log_scale),
    FIELD("out_of_fold_top1", REAL, top1),
    FIELD("out_of_fold_pairs", REAL, pairs),
    FIELD("out_of_fold_mape", REAL, mape),
};

/* Only of a model that has them; 0 = none. */
static const field optional_fields[] = {FIELD("base", HEX, base), FIELD("sample_rows", COUNT, sample)};

static const void *member(const sc_card *card, const field *f) { return (const char *)card + f->offset; }

static bool is_set(const sc_card *card, const field *f) {
  const void *value = member(card, f);
  return f->kind == HEX ? *(const uint64_t *)value != 0 : *(const uint32_t *)value != 0;
}

/* ---- printing ---- */

/* For the card, to be read back, numbers in full and hashes in quotes; for people not. */
static void print_value(const sc_card *card, const field *f, bool in_full, sc_str *out) {
  const char *quote = in_full ? "\"" : "";
  char hex[17];
  switch (f->kind) {
  case HEX:
    sc_hash_hex(*(const uint64_t *)member(card, f), hex);
    sc_str_printf(out, "%s%s%s\n", quote, hex, quote);
    break;
  case COUNT: sc_str_printf(out, "%u\n", *(const uint32_t *)member(card, f)); break;
  case INT: sc_str_printf(out, "%d\n", *(const int *)member(card, f)); break;
  case REAL: sc_str_printf(out, "%.*g\n", in_full ? 17 : 4, *(const double *)member(card, f)); break;
  }
}

static void print_field(const sc_card *card, const field *f, sc_str *out) {
  sc_str_printf(out, "%s ", f->name);
  print_value(card, f, true, out);
}

static void print_golden(const sc_card *card, uint32_t i, sc_str *out) {
  sc_str_add(out, "golden \"");
  for (int f = 0; f < SC_FEATURE_COUNT; f++) sc_str_printf(out, "%02x", card->golden_bins[i][f]);
  sc_str_printf(out, "\" %.9g %.9g\n", (double)card->golden_margin[i][0], (double)card->golden_margin[i][1]);
}

void sc_card_print(const sc_card *card, sc_str *out) {
  sc_str_printf(out, "schedcast \"%s\"\n", card->version);
  for (size_t i = 0; i < SC_COUNT_OF(fields); i++) print_field(card, &fields[i], out);
  for (size_t i = 0; i < SC_COUNT_OF(optional_fields); i++)
    if (is_set(card, &optional_fields[i])) print_field(card, &optional_fields[i], out);
  for (int i = 0; i < card->intervals.n; i++) {
    const sc_quantiles *q = &card->intervals.at[i];
    sc_str_printf(out, "interval %s %u %.17g %.17g %.17g %.17g\n", q->name, q->groups, q->low, q->high, q->picked_low,
                  q->picked_high);
  }
  for (int f = 0; f < SC_RANGED; f++) {
    sc_str_printf(out, "range %s %.9g %.9g\n", sc_feature_at(f)->name, (double)card->lowest[f],
                  (double)card->highest[f]);
  }
  for (uint32_t i = 0; i < card->ngolden; i++) print_golden(card, i, out);
  for (uint32_t i = 0; i < card->ngroups; i++) {
    char hex[17];
    sc_hash_hex(card->group[i], hex);
    sc_str_printf(out, "group \"%s\"\n", hex);
  }
}

/* ---- reading ---- */

typedef struct reading {
  sc_reader r;
  sc_arena *arena;
  sc_card *card;
  uint64_t seen; /* fields */
  uint32_t ngroups, cap_groups;
  int nranges;
} reading;

static bool read_hex(sc_reader *r, uint64_t *value) {
  char text[20], *end;
  if (!sc_reader_string(r, text, sizeof text)) return false;
  *value = strtoull(text, &end, 16);
  if (strlen(text) == 16 && *end == '\0' && text[0] != '-' && text[0] != '+' && text[0] != ' ') return true;
  sc_reader_fail(r, SC_FORMAT, "expected 16 hex digits");
  return false;
}

static bool read_float(sc_reader *r, float *value) {
  double real;
  if (!sc_reader_real(r, &real)) return false;
  *value = (float)real;
  return true;
}

static void read_field(reading *rd, const field *f) {
  void *to = (char *)rd->card + f->offset;
  int64_t integer;
  switch (f->kind) {
  case HEX: read_hex(&rd->r, to); break;
  case COUNT:
    if (sc_reader_int(&rd->r, 0, UINT32_MAX, &integer)) *(uint32_t *)to = (uint32_t)integer;
    break;
  case INT:
    if (sc_reader_int(&rd->r, 0, INT32_MAX, &integer)) *(int *)to = (int)integer;
    break;
  case REAL: sc_reader_real(&rd->r, to); break;
  }
}

static void read_interval(reading *rd) {
  sc_intervals *intervals = &rd->card->intervals;
  if (intervals->n > SC_MAX_CLASSES) {
    sc_reader_fail(&rd->r, SC_LIMIT, "more than %d classes", SC_MAX_CLASSES);
    return;
  }
  sc_quantiles *q = &intervals->at[intervals->n];
  int64_t groups;
  double *to[] = {&q->low, &q->high, &q->picked_low, &q->picked_high};
  if (!sc_reader_name(&rd->r, q->name, sizeof q->name) || !sc_reader_int(&rd->r, 0, UINT32_MAX, &groups)) return;
  q->groups = (uint32_t)groups;
  for (size_t i = 0; i < SC_COUNT_OF(to); i++) {
    if (sc_reader_real(&rd->r, to[i]) && (*to[i] < 0 || *to[i] > 1e6))
      sc_reader_fail(&rd->r, SC_FORMAT, "a quantile is not in range");
  }
  intervals->n++;
}

static void read_range(reading *rd) {
  char name[64];
  if (rd->nranges >= SC_RANGED || !sc_reader_name(&rd->r, name, sizeof name)) {
    sc_reader_fail(&rd->r, SC_FORMAT, "more ranges than workload features");
    return;
  }
  const int f = rd->nranges++;
  if (strcmp(name, sc_feature_at(f)->name) != 0)
    sc_reader_fail(&rd->r, SC_FORMAT, "expected the range of '%s'", sc_feature_at(f)->name);
  else if (read_float(&rd->r, &rd->card->lowest[f])) read_float(&rd->r, &rd->card->highest[f]);
}

static int hex_digit(char ch) {
  return ch >= '0' && ch <= '9' ? ch - '0' : ch >= 'a' && ch <= 'f' ? ch - 'a' + 10 : -1;
}

static void read_golden(reading *rd) {
  sc_card *card = rd->card;
  char text[2 * SC_FEATURE_COUNT + 1];
  if (card->ngolden == SC_GOLDEN_ROWS) sc_reader_fail(&rd->r, SC_LIMIT, "more than %d golden rows", SC_GOLDEN_ROWS);
  else if (sc_reader_string(&rd->r, text, sizeof text) && strlen(text) != 2 * SC_FEATURE_COUNT) {
    sc_reader_fail(&rd->r, SC_FORMAT, "expected two hex digits a feature");
  }
  if (rd->r.status != SC_OK) return;
  for (int f = 0; f < SC_FEATURE_COUNT; f++) {
    const int high = hex_digit(text[2 * f]), low = hex_digit(text[2 * f + 1]);
    if (high < 0 || low < 0) sc_reader_fail(&rd->r, SC_FORMAT, "expected hex digits");
    card->golden_bins[card->ngolden][f] = (uint8_t)(high * 16 + low);
  }
  for (int o = 0; o < SC_FOREST_OUTPUTS; o++) read_float(&rd->r, &card->golden_margin[card->ngolden][o]);
  card->ngolden++;
}

static void read_group(reading *rd) {
  sc_card *card = rd->card;
  if (rd->ngroups == rd->cap_groups) {
    const uint32_t cap = rd->cap_groups ? rd->cap_groups * 2 : 64;
    uint64_t *group = sc_arena_alloc(rd->arena, cap, sizeof *group);
    if (group == NULL) {
      sc_reader_fail(&rd->r, SC_NOMEM, "out of memory");
      return;
    }
    if (rd->ngroups > 0) memcpy(group, card->group, rd->ngroups * sizeof *group);
    card->group = group;
    rd->cap_groups = cap;
  }
  read_hex(&rd->r, &card->group[rd->ngroups++]);
}

static void read_line(reading *rd) {
  char name[SC_NAME];
  sc_token start = rd->r.token;
  if (!sc_reader_name(&rd->r, name, sizeof name)) return;
  for (size_t i = 0; i < SC_COUNT_OF(fields); i++) {
    if (strcmp(name, fields[i].name) != 0) continue;
    if (rd->seen >> i & 1) sc_reader_fail_at(&rd->r, &start, SC_FORMAT, "'%s' stands twice", name);
    rd->seen |= (uint64_t)1 << i;
    read_field(rd, &fields[i]);
    return;
  }
  for (size_t i = 0; i < SC_COUNT_OF(optional_fields); i++) {
    if (strcmp(name, optional_fields[i].name) != 0) continue;
    read_field(rd, &optional_fields[i]);
    return;
  }
  if (strcmp(name, "schedcast") == 0) sc_reader_string(&rd->r, rd->card->version, sizeof rd->card->version);
  else if (strcmp(name, "interval") == 0) read_interval(rd);
  else if (strcmp(name, "range") == 0) read_range(rd);
  else if (strcmp(name, "golden") == 0) read_golden(rd);
  else if (strcmp(name, "group") == 0) read_group(rd);
  else sc_reader_fail_at(&rd->r, &start, SC_FORMAT, "a card has no '%s'", name);
}

sc_status sc_card_parse(sc_arena *arena, const char *where, const char *text, sc_card *card, sc_error *err) {
  reading rd = {.arena = arena, .card = card};
  sc_reader_init(&rd.r, where, text, strlen(text), true, err);
  while (rd.r.status == SC_OK && rd.r.token.kind != SC_TOKEN_END) {
    read_line(&rd);
    if (rd.r.token.kind != SC_TOKEN_END) sc_reader_expect(&rd.r, "\n");
  }
  if (rd.r.status != SC_OK) return rd.r.status;
  if (rd.seen != ((uint64_t)1 << SC_COUNT_OF(fields)) - 1 || rd.nranges != SC_RANGED || rd.ngroups != card->ngroups ||
      card->intervals.n < 1 || card->ngolden < 1) {
    return sc_fail(err, SC_FORMAT, "%s: the card is not complete", where);
  }
  return SC_OK;
}

/* ---- cuts ---- */

void sc_cuts_print(const sc_cuts *cuts, sc_str *out) {
  for (int f = 0; f < SC_FEATURE_COUNT; f++) {
    sc_str_add(out, sc_feature_at(f)->name);
    for (int k = 0; k < cuts->count[f]; k++) sc_str_printf(out, " %.9g", (double)cuts->at[f][k]);
    sc_str_add(out, "\n");
  }
}

sc_status sc_cuts_parse(const char *where, const char *text, sc_cuts *cuts, sc_error *err) {
  sc_reader r;
  sc_reader_init(&r, where, text, strlen(text), true, err);
  for (int f = 0; f < SC_FEATURE_COUNT && r.status == SC_OK; f++) {
    int n = 0;
    sc_reader_expect(&r, sc_feature_at(f)->name);
    while (r.status == SC_OK && !sc_reader_is(&r, "\n") && r.token.kind != SC_TOKEN_END) {
      float *at = &cuts->at[f][n];
      if (n == SC_FOREST_BINS - 1) sc_reader_fail(&r, SC_LIMIT, "more than %d cut points", SC_FOREST_BINS - 1);
      else if (read_float(&r, at) && (!isfinite(*at) || (n > 0 && *at <= at[-1]))) {
        sc_reader_fail(&r, SC_FORMAT, "cut points must rise");
      }
      n += r.status == SC_OK;
    }
    cuts->count[f] = (uint8_t)n;
    for (int k = n; k < 256; k++) cuts->at[f][k] = INFINITY;
    if (r.status == SC_OK && r.token.kind != SC_TOKEN_END) sc_reader_expect(&r, "\n");
  }
  if (r.status == SC_OK && r.token.kind != SC_TOKEN_END) sc_reader_fail(&r, SC_FORMAT, "more cut points than features");
  return r.status;
}

/* ---- seal, text, JSON ---- */

uint64_t sc_card_seal(const char *card, const char *cuts, const char *machine, const sc_forest *forest) {
  uint64_t hash = sc_forest_hash(forest);
  hash = sc_hash64(card, strlen(card), hash);
  hash = sc_hash64(cuts, strlen(cuts), hash);
  return sc_hash64(machine, strlen(machine), hash);
}

void sc_card_text(const sc_card *card, sc_str *text) {
  sc_str_printf(text, "model of %s (%s), by schedcast %s\n", card->machine.name, card->machine.isa, card->version);
  for (size_t i = 0; i < SC_COUNT_OF(fields); i++) {
    sc_str_printf(text, "%-18s ", fields[i].name);
    print_value(card, &fields[i], false, text);
  }
  for (size_t i = 0; i < SC_COUNT_OF(optional_fields); i++) {
    if (!is_set(card, &optional_fields[i])) continue;
    sc_str_printf(text, "%-18s ", optional_fields[i].name);
    print_value(card, &optional_fields[i], false, text);
  }
  sc_str_printf(text, "\n%-18s %7s %7s %7s %13s %7s   (90 %%, in scales of log time)\n", "interval", "groups", "below",
                "above", "picked below", "above");
  for (int i = 0; i < card->intervals.n; i++) {
    const sc_quantiles *q = &card->intervals.at[i];
    sc_str_printf(text, "%-18s %7u %7.2f %7.2f %13.2f %7.2f\n", q->name, q->groups, q->low, q->high, q->picked_low,
                  q->picked_high);
  }
  sc_str_printf(text, "\n%-28s %12s %12s\n", "trained on tasks with", "from", "to");
  for (int f = 0; f < SC_RANGED; f++) {
    const sc_feature_info *info = sc_feature_at(f);
    sc_str_printf(text, "%-28s %12.4g %12.4g %s\n", info->name, sc_feature_value(f, card->lowest[f]),
                  sc_feature_value(f, card->highest[f]), info->unit);
  }
}

static void put_json(const sc_card *card, const field *f, sc_str *json) {
  char hex[17];
  const void *value = member(card, f);
  sc_str_printf(json, ", \"%s\": ", f->name);
  switch (f->kind) {
  case HEX:
    sc_hash_hex(*(const uint64_t *)value, hex);
    sc_json_string(json, hex);
    break;
  case COUNT: sc_json_number(json, *(const uint32_t *)value); break;
  case INT: sc_json_number(json, *(const int *)value); break;
  case REAL: sc_json_number(json, *(const double *)value); break;
  }
}

void sc_card_json(const sc_card *card, sc_str *json) {
  sc_str_add(json, "{\"schedcast\": ");
  sc_json_string(json, card->version);
  sc_str_add(json, ", \"machine\": ");
  sc_json_string(json, card->machine.name);
  for (size_t i = 0; i < SC_COUNT_OF(fields); i++) put_json(card, &fields[i], json);
  for (size_t i = 0; i < SC_COUNT_OF(optional_fields); i++)
    if (is_set(card, &optional_fields[i])) put_json(card, &optional_fields[i], json);
  sc_str_add(json, ", \"intervals\": [");
  for (int i = 0; i < card->intervals.n; i++) {
    const sc_quantiles *q = &card->intervals.at[i];
    sc_str_printf(json, "%s{\"class\": ", i ? ", " : "");
    sc_json_string(json, q->name);
    sc_str_printf(json, ", \"groups\": %u, \"low\": %.6g, \"high\": %.6g, \"picked_low\": %.6g, \"picked_high\": %.6g}",
                  q->groups, q->low, q->high, q->picked_low, q->picked_high);
  }
  sc_str_add(json, "]}");
}
