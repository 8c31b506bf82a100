/* What the reader and the printer of schedules and the errors of lowering share. */
#ifndef SC_IR_SCHEDULE_H
#define SC_IR_SCHEDULE_H

#include "ir/ir.h"

/* What sc_error.clause of a lowering error names: a clause, or in it the place of one dim, band, access or padded
 * axis. */
typedef enum sc_clause {
  SC_CLAUSE_NONE,
  SC_CLAUSE_TILE,
  SC_CLAUSE_VECTOR,
  SC_CLAUSE_LOOP,
  SC_CLAUSE_BAND,
  SC_CLAUSE_PACK,
  SC_CLAUSE_PARALLEL,
  SC_CLAUSE_PAD,
  SC_CLAUSE_COMPILE
} sc_clause;
enum { SC_CLAUSE_ITEMS = 16 };
static inline int sc_clause_item(sc_clause clause, int item) { return (int)clause * SC_CLAUSE_ITEMS + 1 + item; }
static inline int sc_clause_whole(sc_clause clause) { return (int)clause * SC_CLAUSE_ITEMS; }

extern const char *const sc_pad_words[]; /* by sc_pad_rule */

/* The dim whose name an axis of an access goes by: the free one of two; -1 when no dim walks it. */
static inline int sc_axis_name(const sc_access *access, int axis) { return access->axis[axis].dim[0]; }

/* "[j/t,k,j%t]" */
void sc_layout_print(const sc_task *task, int access, const sc_layout *layout, sc_str *out);

#endif
