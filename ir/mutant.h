/* Mutants of the rules, to show that the property test would notice each: tests/ir/test_mutants.c compiles the files
 * of lowering and of the nest interpreter once more with SC_MUTANT set to one of these. In the product mutant() is
 * false. */
#ifndef SC_IR_MUTANT_H
#define SC_IR_MUTANT_H

#include <stdbool.h>

typedef enum sc_mutant {
  SC_MUTANT_NONE,
  SC_MUTANT_UNIFORM, /* tiles of a clamped axis may see different taps */
  SC_MUTANT_EMPTY, /* a clamped range that is empty never calls the kernel */
  SC_MUTANT_LAST, /* LAST from the innermost reduction loop alone */
  SC_MUTANT_FIRST, /* FIRST likewise */
  SC_MUTANT_CLAMPED, /* FIRST and LAST from the clamped ranges */
  SC_MUTANT_FLOOR, /* bounds of a clamp rounded down */
  SC_MUTANT_KEY_SEGMENT, /* a kernel's key without the sizes of its tiles */
  SC_MUTANT_KEY_BORDER, /* a kernel's key without the taps it leaves out */
  SC_MUTANT_STRIDES, /* strides of the tensor for a packed access */
  SC_MUTANT_CURRENT, /* offsets in a pack from its largest extents instead of the current ones */
  SC_MUTANT_FILL, /* a pack that pads does not write the zeros */
  SC_MUTANT_ZERO, /* the output is taken to be zero at first */
  SC_MUTANT_PACK_BAND, /* a pack stands inside the loops of its band */
  SC_MUTANT_SPLIT, /* a free loop of the kernel is not split at segments */
  SC_MUTANT_COUNT
} sc_mutant;

#ifdef SC_MUTANT
static inline bool mutant(sc_mutant m) { return (int)m == (SC_MUTANT); }
#else
static inline bool mutant(sc_mutant m) { return (void)m, false; }
#endif

#endif
