/* Tables of tasks by network: lines `network<TAB>task`, '#' starts a comment. */
#ifndef SC_PREDICTOR_CORPUS_H
#define SC_PREDICTOR_CORPUS_H

#include "ir/ir.h"
#include "predictor/names.h"

typedef struct sc_corpus {
  sc_names tasks, groups; /* canonical texts; group keys */
  const char **network_of_task, **network_of_group; /* the first that lists it */
} sc_corpus;

/* path NULL: data/corpus/<standard>, which may be missing. */
sc_status sc_corpus_load(sc_arena *arena, const sc_library *library, const char *path, const char *standard,
                         sc_corpus *corpus, sc_error *err);

/* Names, a line each, of data/corpus/<standard>, which may be missing. */
sc_status sc_corpus_names(sc_arena *arena, const char *standard, sc_names *names, sc_error *err);

#endif
