/* libFuzzer target of model files: any bytes as a whole file, as trees alone (no seal hides them), as a card, as cut
 * points. The first byte chooses. What reads is used: trees predict finite numbers, cards print back to themselves. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "predictor/card.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void fuzz_forest(const char *text, size_t size) {
  sc_booster_head head;
  sc_forest forest;
  if (sc_forest_read("fuzz", text, size, &head, &forest, NULL, NULL, NULL) != SC_OK) return;
  const size_t f = (size_t)forest.nfeatures;
  uint8_t *bins = calloc(3, f);
  double *phi = calloc(f, sizeof *phi), base;
  float margin[3 * SC_FOREST_OUTPUTS];
  for (size_t i = 0; i < 3 * f; i++) bins[i] = (uint8_t)(i * 37 % 255);
  sc_forest_margins(&forest, bins, 3, margin);
  sc_forest_shap(&forest, bins, 0, phi, &base);
  SC_ASSERT(sc_forest_hash(&forest) == sc_forest_hash(&forest));
  free(bins);
  free(phi);
  sc_forest_free(&forest);
}

static void fuzz_card(const char *text) {
  sc_arena *arena = sc_arena_new();
  sc_card *card = calloc(1, sizeof *card), *again = calloc(1, sizeof *again);
  if (sc_card_parse(arena, "fuzz", text, card, NULL) == SC_OK) {
    sc_str printed = {0}, twice = {0};
    sc_card_print(card, &printed);
    SC_ASSERT(sc_card_parse(arena, "printed", sc_str_text(&printed), again, NULL) == SC_OK);
    sc_card_print(again, &twice);
    SC_ASSERT(strcmp(sc_str_text(&printed), sc_str_text(&twice)) == 0);
    sc_str_free(&printed);
    sc_str_free(&twice);
  }
  free(card);
  free(again);
  sc_arena_free(arena);
}

static void fuzz_cuts(const char *text) {
  sc_cuts *cuts = calloc(1, sizeof *cuts);
  if (sc_cuts_parse("fuzz", text, cuts, NULL) == SC_OK) {
    float row[SC_FEATURE_COUNT] = {0};
    uint8_t bins[SC_FEATURE_COUNT];
    sc_cuts_bins(cuts, row, 1, bins);
    for (int f = 0; f < SC_FEATURE_COUNT; f++) SC_ASSERT(bins[f] <= cuts->count[f]);
  }
  free(cuts);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  if (size == 0) return 0;
  char *text = calloc(size, 1); /* the bytes behind the first, terminated */
  memcpy(text, bytes + 1, size - 1);
  sc_model *model = NULL;
  switch (bytes[0] % 4) {
  case 0: fuzz_forest(text, size - 1); break;
  case 1: fuzz_card(text); break;
  case 2: fuzz_cuts(text); break;
  default:
    if (sc_model_read("fuzz", text, size - 1, &model, NULL) == SC_OK) sc_model_free(model);
  }
  free(text);
  return 0;
}
