/* Models as files. A file is a standard XGBoost model in JSON whose attributes hold the card; it is read by our own
 * reader, which checks everything before anything is believed. libxgboost is not needed to predict. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "predictor/card.h"

enum { MAX_MODEL_BYTES = 256 << 20 };

/* ---- reading ---- */

typedef struct attributes {
  sc_arena *arena;
  char *card, *cuts, *machine, *seal;
} attributes;

static sc_status keep_attribute(void *user, const char *key, const char *value, sc_error *err) {
  attributes *a = user;
  const struct {
    const char *key;
    char **to;
  } known[] = {{SC_ATTRIBUTE_CARD, &a->card},
               {SC_ATTRIBUTE_CUTS, &a->cuts},
               {SC_ATTRIBUTE_MACHINE, &a->machine},
               {SC_ATTRIBUTE_SEAL, &a->seal}};
  for (size_t i = 0; i < SC_COUNT_OF(known); i++) {
    if (strcmp(key, known[i].key) != 0) continue;
    *known[i].to = sc_arena_strdup(a->arena, value);
    if (*known[i].to == NULL) return sc_fail(err, SC_NOMEM, "out of memory");
  }
  return SC_OK;
}

/* XGBoost 3.1 made base_score a list, which older readers take for a number and predict wrongly. */
static sc_status check_head(const char *where, const sc_booster_head *head, sc_error *err) {
  if (head->version[0] > 3 || (head->version[0] == 3 && head->version[1] >= 1) || head->version[0] < 1) {
    return sc_fail(err, SC_MISMATCH, "%s: written by XGBoost %d.%d.%d; schedcast reads 1.0 to 3.0", where,
                   head->version[0], head->version[1], head->version[2]);
  }
  char *end;
  const double base = strtod(head->base_score, &end);
  if (end == head->base_score || *end != '\0' || base != 0) {
    return sc_fail(err, SC_MISMATCH, "%s: base_score is '%s', not 0", where, head->base_score);
  }
  if (strcmp(head->booster, "gbtree") != 0 || strcmp(head->objective, "reg:squarederror") != 0) {
    return sc_fail(err, SC_MISMATCH, "%s: a %s of %s, not a gbtree of reg:squarederror", where, head->booster,
                   head->objective);
  }
  return SC_OK;
}

static sc_status check_card(const char *where, const attributes *a, const sc_model *model, sc_error *err) {
  char seal[17];
  sc_hash_hex(sc_card_seal(a->card, a->cuts, a->machine, &model->forest), seal);
  if (strcmp(seal, a->seal) != 0 || model->card.trees != sc_forest_hash(&model->forest)) {
    return sc_fail(err, SC_FORMAT,
                   "%s: trees, card or cut points are not those that were trained (seal %.16s, found %s)", where,
                   a->seal, seal);
  }
  if (model->card.schema != sc_feature_schema() || model->forest.nfeatures != SC_FEATURE_COUNT) {
    return sc_fail(err, SC_MISMATCH, "%s: trained on other features than this program computes: train it again", where);
  }
  if (model->forest.noutputs != SC_FOREST_OUTPUTS)
    return sc_fail(err, SC_MISMATCH, "%s: %d output(s) where time and scale are needed", where, model->forest.noutputs);
  return SC_OK;
}

static sc_status check_golden(const char *where, const sc_model *model, sc_error *err) {
  float margin[SC_GOLDEN_ROWS * SC_FOREST_OUTPUTS];
  const size_t n = model->card.ngolden;
  sc_forest_margins(&model->forest, model->card.golden_bins[0], n, margin);
  if (memcmp(margin, model->card.golden_margin, n * SC_FOREST_OUTPUTS * sizeof *margin) == 0) return SC_OK;
  return sc_fail(err, SC_MISMATCH, "%s: the golden rows are not predicted as when the model was trained", where);
}

static sc_status read_model(const char *where, const char *text, size_t len, sc_model *model, sc_error *err) {
  attributes a = {.arena = model->arena};
  sc_booster_head head;
  SC_TRY(sc_forest_read(where, text, len, &head, &model->forest, keep_attribute, &a, err));
  SC_TRY(check_head(where, &head, err));
  if (!a.card || !a.cuts || !a.machine || !a.seal)
    return sc_fail(err, SC_MISMATCH, "%s: an XGBoost model, but without the card of schedcast", where);
  SC_TRY(sc_card_parse(model->arena, where, a.card, &model->card, err));
  SC_TRY(check_card(where, &a, model, err));
  SC_TRY(sc_cuts_parse(where, a.cuts, &model->cuts, err));
  SC_TRY(sc_machine_parse(where, a.machine, strlen(a.machine), &model->card.machine, err));
  SC_TRY(check_golden(where, model, err));
  model->fingerprint = sc_machine_fingerprint(&model->card.machine);
  for (size_t i = 0; i < model->forest.nnodes; i++) {
    if (model->forest.node[i].left >= 0) model->used[model->forest.node[i].feature] = true;
  }
  model->hash = strtoull(a.seal, NULL, 16);
  model->json = sc_arena_strndup(model->arena, text, len);
  model->json_len = len;
  return model->json ? SC_OK : sc_fail(err, SC_NOMEM, "out of memory");
}

sc_status sc_model_read(const char *where, const char *text, size_t len, sc_model **out, sc_error *err) {
  sc_model *model = calloc(1, sizeof *model);
  if (model == NULL || (model->arena = sc_arena_new()) == NULL) {
    free(model);
    return sc_fail(err, SC_NOMEM, "out of memory");
  }
  const sc_status status = read_model(where, text, len, model, err);
  if (status == SC_OK) *out = model;
  else sc_model_free(model);
  return status;
}

sc_status sc_model_load(const char *path, sc_model **model, sc_error *err) {
  sc_arena *arena = sc_arena_new();
  if (arena == NULL) return sc_fail(err, SC_NOMEM, "out of memory");
  char *text;
  size_t len;
  sc_status status = sc_file_read(arena, path, MAX_MODEL_BYTES, &text, &len, err);
  if (status == SC_OK) status = sc_model_read(path, text, len, model, err);
  sc_arena_free(arena);
  return status;
}

/* ---- the rest ---- */

sc_status sc_model_save(const sc_model *model, const char *path, sc_error *err) {
  return sc_file_write_atomic(path, model->json, model->json_len, err);
}

void sc_model_free(sc_model *model) {
  if (model == NULL) return;
  sc_forest_free(&model->forest);
  sc_arena_free(model->arena);
  free(model);
}

const sc_machine *sc_model_machine(const sc_model *model) { return &model->card.machine; }
uint64_t sc_model_hash(const sc_model *model) { return model->hash; }
bool sc_model_saw(const sc_model *model, const char *group) {
  const uint64_t hash = sc_hash64(group, strlen(group), 0);
  for (uint32_t i = 0; i < model->card.ngroups; i++)
    if (model->card.group[i] == hash) return true;
  return false;
}

void sc_model_card(const sc_model *model, bool json, sc_str *out) {
  (json ? sc_card_json : sc_card_text)(&model->card, out);
}
