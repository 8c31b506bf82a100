/* What the harness and the runner program say to each other: whole structs of fixed size over a socket that keeps
 * message boundaries (AF_UNIX, SOCK_SEQPACKET; descriptor 0 of the program). Both ends run on one machine, under
 * qemu-user in the same byte order, so the structs travel as they are; a message of another size or magic ends the
 * conversation.
 *
 *   harness -> program   sc_wire_request   one visit, two clocks, or a file of kernels;
 *                                          GO answers ATTACH, COUNT, COUNTED
 *   program -> harness   sc_wire_reply     DONE ends a request; before it, when counters are asked for:
 *                                          ATTACH  process `pid` waits, before it starts threads, to be attached to
 *                                          COUNT   it is about to make `batch` calls that are to be counted
 *                                          COUNTED it has made them
 *
 * The program (harness/child) includes this file and nothing else of schedcast. */
#ifndef SC_HARNESS_PROTOCOL_H
#define SC_HARNESS_PROTOCOL_H

#include <stdint.h>

enum {
  SC_WIRE_MAGIC = 0x5c4d0001, /* the low half is the version */
  SC_WIRE_TENSORS = 6,
  SC_WIRE_REPEATS = 9,
  SC_WIRE_THREADS = 256,
  SC_WIRE_ARGS = 256,
  SC_WIRE_PATH = 256
};

typedef enum sc_wire_kind { SC_WIRE_VISIT = 1, SC_WIRE_CLOCKS, SC_WIRE_KERNELS, SC_WIRE_GO } sc_wire_kind;
typedef enum sc_wire_answer { SC_WIRE_DONE = 1, SC_WIRE_ATTACH, SC_WIRE_COUNT, SC_WIRE_COUNTED } sc_wire_answer;

/* The first five have the numbers of sc_outcome. */
typedef enum sc_wire_outcome {
  SC_WIRE_RAN,
  SC_WIRE_NOT_BUILT,
  SC_WIRE_CRASHED,
  SC_WIRE_TIMED_OUT,
  SC_WIRE_WRONG,
  SC_WIRE_BROKEN /* the program itself could not do its work: no outcome of the kernel */
} sc_wire_outcome;

/* How far a visit had come, for the text of a failure. */
typedef enum sc_wire_stage {
  SC_WIRE_LOADING,
  SC_WIRE_PACKING,
  SC_WIRE_CHECKING,
  SC_WIRE_TIMING,
  SC_WIRE_COUNTING
} sc_wire_stage;

typedef struct sc_wire_tensor {
  char name[32];
  uint64_t bytes;
  uint64_t before,
      after; /* offsets in the data file of its contents before the run, and (written) as expected after it */
  uint32_t type; /* sc_type */
  uint32_t written; /* 1: the operator writes it */
} sc_wire_tensor;

typedef struct sc_wire_request {
  uint32_t magic, kind;
  char object[SC_WIRE_PATH]; /* shared object */
  char data[SC_WIRE_PATH]; /* data file of a visit; file of sc_wire_kernel (read and written) */
  char prefix[64]; /* of the object's four functions */
  uint32_t ntensors, threads;
  uint32_t guard; /* 1: run between guard pages first, at both ends, and compare */
  uint32_t compare; /* 1: compare the output of the timed layout too */
  uint32_t cold, count;
  uint32_t gauge, unused; /* gauge 1: prefer moments at which nobody else uses the core */
  double timeout_s, batch_s;
  uint64_t memory_bytes; /* address space of the child, 0 = no limit */
  uint64_t evict_bytes; /* cold: walked before every call. CLOCKS: size of the buffer that is read */
  uint64_t kernels, first_kernel; /* KERNELS: how many, and where to begin */
  sc_wire_tensor tensor[SC_WIRE_TENSORS];
  int32_t core[SC_WIRE_THREADS]; /* of each thread; -1 = unpinned */
} sc_wire_request;

typedef struct sc_wire_reply {
  uint32_t magic, answer;
  uint32_t outcome, stage;
  int32_t pid;
  /* CRASHED */
  int32_t signal, syscall; /* of SIGSYS */
  uint64_t address; /* of SIGSEGV, SIGBUS */
  char near[32]; /* the buffer the address is nearest to, "" = none */
  int64_t beyond; /* bytes from its end (> 0: behind it), or from its begin (< 0: before it); 0 = inside */
  /* WRONG */
  int32_t tensor; /* -1: not a tensor, `near` names the buffer */
  uint32_t spilled; /* 1: a byte just outside `near` was written */
  int64_t element, nwrong;
  double got, expected;
  /* RAN, as far as it came */
  uint32_t batch, repeats;
  uint16_t preempted, busy, unused[2]; /* bit i: repeat i was preempted; somebody else used the core beside it */
  double ns[SC_WIRE_REPEATS]; /* per call. CLOCKS: [0] arithmetic, [1] memory */
  double gauge_ns; /* least reading of the gauge, 0 = none */
  uint64_t done_kernels; /* KERNELS: those before are done or were skipped */
  char text[160]; /* words of the program, where it has any */
} sc_wire_reply;

/* One kernel to be timed with operands in L1: called with the arguments `few` and `many`, which differ in trips. The
 * object lists them in the same order: void *const sc_kernels[]. */
typedef struct sc_wire_kernel {
  uint32_t nargs, done;
  uint64_t operand[3]; /* offsets of out, in0, in1 in the arena */
  uint8_t pointer[SC_WIRE_ARGS]; /* 1: the argument is an offset in the arena */
  uint64_t arena_bytes;
  int64_t few[SC_WIRE_ARGS], many[SC_WIRE_ARGS];
  double few_ns, many_ns; /* filled by the program when done */
} sc_wire_kernel;

#endif
