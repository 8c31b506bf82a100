/* Export: one line a pass, so that every raw repeat is a cell. Hashes are printed in hex, as everywhere. */
#include <inttypes.h>
#include <string.h>

#include "dataset/internal.h"

static void put_text(sc_str *out, const char *text) {
  if (!text[strcspn(text, ",\"\n\r")]) {
    sc_str_add(out, text);
    return;
  }
  sc_str_add(out, "\"");
  for (const char *p = text; *p; p++) sc_str_addn(out, *p == '"' ? "\"\"" : p, *p == '"' ? 2 : 1);
  sc_str_add(out, "\"");
}

static void put_number(sc_str *out, sc_column_type type, const void *at) {
  union {
    uint8_t u8;
    uint16_t u16;
    uint32_t u32;
    uint64_t u64;
    int64_t i64;
    float f32;
    double f64;
  } v = {0};
  memcpy(&v, at, sc_column_bytes(type));
  switch (type) {
  case SC_COLUMN_U8: sc_str_printf(out, "%u", v.u8); break;
  case SC_COLUMN_U16: sc_str_printf(out, "%u", v.u16); break;
  case SC_COLUMN_U32: sc_str_printf(out, "%" PRIu32, v.u32); break;
  case SC_COLUMN_U64: sc_str_printf(out, "%016" PRIx64, v.u64); break;
  case SC_COLUMN_I64: sc_str_printf(out, "%" PRId64, v.i64); break;
  case SC_COLUMN_F32: sc_str_printf(out, "%.9g", (double)v.f32); break;
  case SC_COLUMN_F64: sc_str_printf(out, "%.17g", v.f64); break;
  }
}

static bool skipped(const sc_column *column) { return strcmp(column->name, "machine") == 0; }

static void put_head(sc_str *out) {
  for (size_t i = 0; i < sc_text_column_count; i++)
    if (!skipped(&sc_text_columns[i])) sc_str_printf(out, "%s,", sc_text_columns[i].name);
  for (size_t i = 0; i < sc_number_column_count; i++) sc_str_printf(out, "%s,", sc_number_columns[i].name);
  sc_str_add(out, "counters,pass");
  for (size_t i = 0; i < sc_pass_column_count; i++) {
    const sc_column *c = &sc_pass_columns[i];
    for (size_t k = 0; k < c->n; k++)
      c->n > 1 ? sc_str_printf(out, ",%s_%zu", c->name, k) : sc_str_printf(out, ",%s", c->name);
  }
  sc_str_add(out, "\n");
}

/* "name=value name= ..."; no value: it could not be had. */
static void put_counters(sc_str *out, const sc_record *row) {
  sc_str text = {0};
  for (int i = 0; i < sc_record_counters(row); i++) {
    sc_str_printf(&text, "%s%s=", i ? " " : "", row->counter_name[i]);
    if (row->counter_mask >> i & 1) sc_str_printf(&text, "%.17g", row->counter[i]);
  }
  put_text(out, sc_str_text(&text));
  out->failed = out->failed || text.failed;
  sc_str_free(&text);
}

static void put_row(sc_str *out, sc_record *row) {
  for (size_t i = 0; i < sc_text_column_count; i++) {
    if (skipped(&sc_text_columns[i])) continue;
    put_text(out, *sc_record_text(row, i));
    sc_str_add(out, ",");
  }
  for (const sc_column *c = sc_number_columns; c < sc_number_columns + sc_number_column_count; c++) {
    put_number(out, c->type, (const char *)row + c->offset);
    sc_str_add(out, ",");
  }
  put_counters(out, row);
}

static void put_pass(sc_str *out, const sc_record *row, uint32_t p) {
  if (p < row->npasses) sc_str_printf(out, ",%" PRIu32, p);
  else sc_str_add(out, ",");
  for (const sc_column *c = sc_pass_columns; c < sc_pass_columns + sc_pass_column_count; c++)
    for (size_t k = 0; k < c->n; k++) {
      sc_str_add(out, ",");
      if (p < row->npasses)
        put_number(out, c->type, (const char *)&row->pass[p] + c->offset + k * sc_column_bytes(c->type));
    }
  sc_str_add(out, "\n");
}

sc_status sc_dataset_export_csv(const sc_dataset *dataset, sc_str *out) {
  put_head(out);
  for (size_t i = 0; i < sc_dataset_count(dataset); i++) {
    sc_record row = *sc_dataset_at(dataset, i);
    for (uint32_t p = 0; p == 0 || p < row.npasses; p++) {
      put_row(out, &row);
      put_pass(out, &row, p);
    }
  }
  return out->failed ? SC_NOMEM : SC_OK;
}
