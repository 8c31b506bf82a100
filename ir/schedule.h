/* Words that the reader and the printer of schedules share. */
#ifndef SC_IR_SCHEDULE_H
#define SC_IR_SCHEDULE_H

#include "ir/ir.h"

extern const char *const sc_pad_words[]; /* by sc_pad_rule */

/* The dim whose name an axis of an access goes by: the free one of two; -1 when no dim walks it. */
static inline int sc_axis_name(const sc_access *access, int axis) { return access->axis[axis].dim[0]; }

/* "[j/t,k,j%t]" */
void sc_layout_print(const sc_task *task, int access, const sc_layout *layout, sc_str *out);

#endif
