/* The parts of measuring kernels alone: a call of one with operands in L1 (kernel_call.c), what its machine code spills
 * (spills.c), and the table's missing rows (kernels.c). */
#ifndef SC_HARNESS_KERNELS_H
#define SC_HARNESS_KERNELS_H

#include "harness/internal.h"

/* Arguments of a call with one trip and of one with many, operands laid out densely and small enough for `l1_bytes`.
 * Returns the trips of the innermost loop in `many`, 0 when the operands do not fit any sensible arena. */
int sc_kernel_call(const sc_kernel *kernel, uint64_t l1_bytes, sc_wire_kernel *call);

/* Vector moves to and from the stack, per function of an object, by reading a disassembly: `each` is called for every
 * function; false when there is no objdump. */
typedef void sc_spills_fn(void *user, const char *function, int32_t spills);
bool sc_count_spills(const sc_compiler *compiler, const char *object, sc_spills_fn *each, void *user);

#endif
