/* codegen: nest -> C. Kernels use GNU vector extensions of any width; outer nests are plain C. One file holds a nest, its
 * kernels are ordinary extern functions that are compiled once per key and shared (docs/codegen.md).
 *
 * Call of a kernel:   void sc_k_<hash>(float *out, const float *in0, const float *in1, const int64_t *a)
 *   a[0]              flags: SC_KERNEL_FIRST | SC_KERNEL_LAST
 *   a[1..nkloops]     trips of the kernel's loops, outermost first; 0 is legal
 *   then              the rest as sc_kernel_args lists it: element strides of every (loop, operand) pair, slot strides of register
 *                     dims, pointers (as intptr_t) of the partial-sum buffer and of epilogue operands
 * The generated file `f` offers, all reentrant, without malloc, globals or OpenMP:
 *   size_t f_ahead_bytes(void);                                   bytes of the packed constants, 0 = none
 *   void   f_ahead(void *const *tensors, void *ahead);            packs the constants once
 *   size_t f_scratch_bytes(int nt);                               bytes of scratch for nt threads
 *   void   f_run(void *const *tensors, const void *ahead, void *scratch, int tid, int nt, void (*barrier)(void *), void *ctx);
 * `tensors` is in the order of sc_task.tensor; ahead and scratch are 64-byte aligned; every thread of 0..nt-1 calls f_run. */
#ifndef SC_CODEGEN_H
#define SC_CODEGEN_H

#include "ir/ir.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { SC_KERNEL_FIRST = 1, SC_KERNEL_LAST = 2 };

/* What stands at each place of a kernel's argument array. */
typedef enum sc_arg_kind {
  SC_ARG_FLAGS,
  SC_ARG_TRIPS,
  SC_ARG_LOOP_STRIDE, /* of an operand, from one trip of a loop to the next */
  SC_ARG_SLOT, /* sc_operand.stride[dim] that is not literal */
  SC_ARG_POINTER /* operands from the third on, and the buffer of partial sums */
} sc_arg_kind;
typedef struct sc_arg {
  uint8_t kind, loop /* index into kloop */, operand /* index, or SC_OPERAND_PARTIAL */, dim;
} sc_arg;
enum { SC_MAX_ARGS = 256, SC_OPERAND_PARTIAL = SC_MAX_ACCESSES };
/* Fills args in order; returns their number. */
int sc_kernel_args(const sc_kernel *kernel, sc_arg args[SC_MAX_ARGS]);

/* "sc_k_" and 16 hex digits of the kernel's hash. */
void sc_kernel_symbol(const sc_kernel *kernel, char name[32]);

/* Can code be generated for tensors of these types? Else SC_UNSUPPORTED, and what is in the way. */
sc_status sc_emit_check(const sc_task *task, sc_error *err);
/* The common head of every generated file (types, macros); once per translation unit. */
void sc_emit_prelude(sc_str *out);
/* One kernel as a C function; `linkage` is "" or "static ". */
sc_status sc_emit_kernel(const sc_kernel *kernel, const char *linkage, sc_str *out, sc_error *err);
/* One nest: prototypes of its kernels (`linkage` as above) and the four functions with prefix `name`. */
sc_status sc_emit_nest(const sc_task *task, const sc_nest *nest, const char *name, const char *linkage, sc_str *out,
                       sc_error *err);
/* The distinct kernels of a nest, at most max; returns their number, or more than max. */
int sc_nest_kernels(const sc_task *task, const sc_nest *nest, sc_kernel *kernels, int max);

/* A self-contained C file: what it computes (task, schedule, machine, compile line, how to call it), prelude, kernels,
 * nest. The compile line names `file`, or <name>.c when that is NULL. */
sc_status sc_emit_c(const sc_task *task, const sc_schedule *schedule, const sc_nest *nest, const sc_machine *machine,
                    const char *name, const char *file, sc_str *out, sc_error *err);

/* The version of everything that turns a nest into C: part of a record's identity. */
uint32_t sc_codegen_version(void);

#ifdef __cplusplus
}
#endif
#endif
