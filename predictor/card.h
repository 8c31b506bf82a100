/* The card of a model as text: what stands in the attributes of its file. */
#ifndef SC_PREDICTOR_CARD_H
#define SC_PREDICTOR_CARD_H

#include "predictor/internal.h"

/* Attributes of the booster. The seal is the hash of the others and of the trees. */
#define SC_ATTRIBUTE_CARD "schedcast_card"
#define SC_ATTRIBUTE_CUTS "schedcast_cuts"
#define SC_ATTRIBUTE_MACHINE "schedcast_machine"
#define SC_ATTRIBUTE_SEAL "schedcast_seal"

void sc_card_print(const sc_card *card, sc_str *out);
/* Lists live in the arena. parse(print(card)) == card. */
sc_status sc_card_parse(sc_arena *arena, const char *where, const char *text, sc_card *card, sc_error *err);
void sc_cuts_print(const sc_cuts *cuts, sc_str *out);
sc_status sc_cuts_parse(const char *where, const char *text, sc_cuts *cuts, sc_error *err);
uint64_t sc_card_seal(const char *card, const char *cuts, const char *machine, const sc_forest *forest);
/* What one asks of a card, without hashes of groups and golden rows: for people, for programs. */
void sc_card_text(const sc_card *card, sc_str *text);
void sc_card_json(const sc_card *card, sc_str *json);

#endif
