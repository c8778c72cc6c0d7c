/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The x86 emulator: executes instructions of real, big-real, vm86 and 16/32-bit
 * protected mode, and the 64-bit forms that touch devices, against a set of
 * callbacks. No globals and no allocation: all state is the caller's.
 * Threat surface: code, registers, descriptor tables, page tables and memory
 * are the guest's. Nothing here dereferences a guest address.
 */
#pragma once

#include "ravelin/emul_cache.h"
#include "ravelin/emul_insn.h"

/** Indices into emul_cpu.seg; the first six are enum emul_sreg. */
enum { EMUL_LDTR = 6, EMUL_TR, EMUL_GDTR, EMUL_IDTR, EMUL_SEG_COUNT };

/**
 * A segment register with its hidden part. `attr`: bits 0-7 are descriptor
 * byte 5 (type, S, DPL, P), bits 8-11 AVL, L, D/B, G. Clear P = unusable.
 * GDTR and IDTR use base and limit only.
 */
struct emul_seg {
    uint16_t sel;
    uint16_t attr;
    uint32_t limit; /* in bytes, granularity applied */
    uint64_t base;
};

#define EMUL_ATTR_TYPE 0x00fu
#define EMUL_ATTR_S 0x010u
#define EMUL_ATTR_DPL_SHIFT 5
#define EMUL_ATTR_P 0x080u
#define EMUL_ATTR_L 0x200u
#define EMUL_ATTR_DB 0x400u
#define EMUL_ATTR_G 0x800u

/** Architectural state. Outside of calls, reg[16] and reg[17] are ignored. */
struct emul_cpu {
    uint64_t reg[EMUL_REG_COUNT]; /* GPRs in encoding order, then scratch */
    uint64_t rip;
    uint64_t rflags;
    struct emul_seg seg[EMUL_SEG_COUNT];
    uint64_t cr0, cr2, cr3, cr4, efer;
    uint64_t dr[8];
    uint8_t cpl;
    uint8_t shadow; /* EMUL_SHADOW_*, in force for the next instruction */
};

#define EMUL_SHADOW_STI 1u
#define EMUL_SHADOW_SS 2u

/** Event types as both vendors number them. */
enum emul_event_type {
    EMUL_EVENT_EXTINT = 0,
    EMUL_EVENT_NMI = 2,
    EMUL_EVENT_EXCEPTION = 3,
    EMUL_EVENT_SOFT_INT = 4,      /* INT n */
    EMUL_EVENT_PRIV_SOFT_EXC = 5, /* INT1 */
    EMUL_EVENT_SOFT_EXC = 6,      /* INT3, INTO */
};

struct emul_event {
    uint8_t vector;
    uint8_t type; /* enum emul_event_type */
    bool has_error;
    uint32_t error;
    uint64_t cr2; /* #PF only; copied to cpu.cr2 when delivered */
};

/** Outcome of a step, and of a callback where noted. */
enum emul_result {
    EMUL_OK,        /* done */
    EMUL_FAULT,     /* exception in emul.event; registers unchanged */
    EMUL_HALT,      /* HLT retired */
    EMUL_RETRY,     /* a callback wants out; nothing changed, call again */
    EMUL_RESTART,   /* a callback lost a compare-and-exchange race */
    EMUL_UNHANDLED, /* not emulated here; nothing changed */
    EMUL_IRQ_OPEN,  /* irq_pending is set and an interrupt can be taken */
    EMUL_SHUTDOWN,  /* triple fault */
};

/* Bits of `access`. */
#define EMUL_ACCESS_WRITE 1u /* also set on the read half of a modification */
#define EMUL_ACCESS_USER 2u  /* CPL 3 and not a descriptor-table access */
#define EMUL_ACCESS_EXEC 4u
#define EMUL_ACCESS_LOCK 8u /* part of a locked modification */

struct emul;

/**
 * The world outside the core. Callbacks return EMUL_OK; EMUL_FAULT after
 * emul_raise_pf() or emul_raise(); EMUL_RETRY; or EMUL_UNHANDLED. A linear
 * address is that of the first byte; outside 64-bit mode it is below 4 GiB
 * and the access wraps there. An access may cross a page: both parts must be
 * checked before either is written. Optional ones may be NULL.
 */
struct emul_ops {
    /** Reads 1, 2, 4 or 8 bytes, little-endian, zero-extended. */
    int (*read)(struct emul *e, uint64_t lin, unsigned size, unsigned access,
                uint64_t *value);
    /** Writes. With a tracked cache: must call emul_cache_written(). */
    int (*write)(struct emul *e, uint64_t lin, unsigned size, unsigned access,
                 uint64_t value);
    /** Optional: writes `value` if memory holds `old`, else EMUL_RESTART. */
    int (*cmpxchg)(struct emul *e, uint64_t lin, unsigned size, unsigned access,
                   uint64_t old, uint64_t value);
    /** Optional: could this access succeed? Used before consuming a port. */
    int (*probe)(struct emul *e, uint64_t lin, unsigned size, unsigned access);
    /** Instruction bytes from `lin`, at least one, at most `*n`, never past
     * the page; sets *n. */
    int (*fetch)(struct emul *e, uint64_t lin, uint8_t *buf, unsigned *n);
    /** Optional: guest-physical address of a code byte. NULL: it is `lin`. */
    int (*code_gpa)(struct emul *e, uint64_t lin, uint64_t *gpa);
    /** One port access of 1, 2 or 4 bytes; permissions are checked. */
    int (*io)(struct emul *e, uint16_t port, unsigned size, bool in,
              uint32_t *value);
    /**
     * Optional: moves up to *count elements of `size` bytes between `port` and
     * memory at `lin` (access EMUL_ACCESS_*), as single accesses would. Sets
     * *count to how many were moved; 0: the caller makes single accesses.
     */
    int (*io_block)(struct emul *e, uint16_t port, unsigned size, bool in,
                    uint64_t lin, unsigned access, uint32_t *count);
    /** Optional: called with a checked value before CR0, 3, 4, 8 change. */
    int (*cr_write)(struct emul *e, unsigned cr, uint64_t value);
    /** Optional: reads CR8; NULL reads 0. */
    int (*cr8_read)(struct emul *e, uint64_t *value);
    /** Optional: called before a debug register changes. */
    int (*dr_write)(struct emul *e, unsigned dr, uint64_t value);
    /** MSRs; index 0x10 also serves RDTSC. NULL: #GP(0). A write to EFER
     * stores the accepted value into cpu.efer itself. */
    int (*msr_read)(struct emul *e, uint32_t index, uint64_t *value);
    int (*msr_write)(struct emul *e, uint32_t index, uint64_t value);
    /** regs: EAX, EBX, ECX, EDX in and out. NULL: unhandled. */
    int (*cpuid)(struct emul *e, uint32_t regs[4]);
    /** Optional: INVLPG. */
    int (*invlpg)(struct emul *e, uint64_t lin);
    /** Optional: x87 escape after the CR0 checks. NULL: unhandled. */
    int (*fpu)(struct emul *e, const struct emul_insn *insn);
};

/**
 * Which values the architecturally undefined flags take.
 * AMD is as family 19h was observed to leave them; INTEL sets them from the
 * result as P6 and later are documented to.
 */
enum emul_family { EMUL_FAMILY_AMD, EMUL_FAMILY_INTEL };

struct emul {
    struct emul_cpu cpu;
    const struct emul_ops *ops;
    void *priv;               /* the caller's */
    struct emul_cache *cache; /* NULL: none */
    enum emul_family family;
    uint32_t rep_limit;      /* iterations per step; at least 1 */
    bool irq_pending;        /* set by the caller or a callback */
    bool is_late;            /* likewise: no further iteration of a REP */
    struct emul_event event; /* valid after EMUL_FAULT */

    /* Derived from cpu; see emul_sync(). */
    uint8_t mode; /* enum emul_mode */
    bool is_real; /* CR0.PE clear */
    bool is_vm86;
    bool is_protected; /* PE set and not vm86 */
    bool check_align;
    uint8_t access; /* EMUL_ACCESS_USER or 0 */
    uint64_t stack_mask;
    uint64_t code_lin; /* page whose translation follows; 1: none */
    uint64_t code_gpa;
    uint64_t iterations; /* REP iterations, cleared by emul_run() */
    bool external;       /* EXT bit of error codes */
    bool committed;      /* a task switch has taken place: no way back */
};

/**
 * Prepares `e` for use. cpu must be filled afterwards, then emul_sync().
 *
 * @param ops    callbacks; must outlive `e`.
 * @param priv   for the callbacks.
 * @param cache  decoded instructions, or NULL.
 */
void emul_init(struct emul *e, const struct emul_ops *ops, void *priv,
               struct emul_cache *cache);

/** Recomputes what is derived from cpu. Call after changing cpu from outside
 * and whenever guest address translation may have changed. */
void emul_sync(struct emul *e);

/** Puts cpu into the state after RESET (registers, segments, CS:IP). */
void emul_reset(struct emul *e);

/**
 * Fetches, decodes and executes one instruction, or at most rep_limit
 * iterations of one. A pending single-step trap is reported as EMUL_FAULT with
 * #DB and registers past the instruction. Nothing is delivered.
 *
 * @return EMUL_OK, EMUL_FAULT, EMUL_HALT, EMUL_RETRY or EMUL_UNHANDLED.
 */
enum emul_result emul_step(struct emul *e);

/** Executes `insn`, decoded by the caller from the bytes at CS:RIP. */
enum emul_result emul_exec(struct emul *e, const struct emul_insn *insn);

/**
 * Runs up to `budget` instructions (a REP iteration counts as one), delivering
 * exceptions through the guest's IVT or IDT.
 *
 * @param budget  instructions left; decremented.
 * @return EMUL_OK when the budget is used up, or why it stopped earlier:
 *         EMUL_HALT, EMUL_RETRY, EMUL_UNHANDLED, EMUL_IRQ_OPEN,
 *         EMUL_SHUTDOWN.
 */
enum emul_result emul_run(struct emul *e, uint64_t *budget);

/**
 * Delivers an event through the IVT or IDT, with the double-fault rules of
 * exceptions that occur meanwhile.
 *
 * @return EMUL_OK; EMUL_SHUTDOWN; EMUL_RETRY or EMUL_UNHANDLED (long mode)
 *         with registers unchanged.
 * Ref: AMD APM Vol 2, 8.2.9 "#DF-Double-Fault Exception", 8.6 "Real-Mode
 *      Interrupt Control Transfers", 8.7 "Legacy Protected-Mode Interrupt
 *      Control Transfers".
 */
enum emul_result emul_deliver(struct emul *e, const struct emul_event *event);

/** For callbacks: records an exception and returns EMUL_FAULT. The error code
 * is dropped for vectors that have none. */
int emul_raise(struct emul *e, uint8_t vector, uint32_t error);
/** For callbacks: records #PF with its architectural error code. */
int emul_raise_pf(struct emul *e, uint64_t lin, uint32_t error);

/** For callers that execute an instruction themselves: stores to, or loads
 * from, its memory operand at byte `at`, 1 to 8 bytes with all checks. EMUL_OK
 * or what a handler would return. */
int emul_operand_store(struct emul *e, const struct emul_insn *insn,
                       unsigned at, unsigned size, uint64_t value);
int emul_operand_load(struct emul *e, const struct emul_insn *insn, unsigned at,
                      unsigned size, uint64_t *value);
/** Its linear address, unchecked. */
uint64_t emul_operand_linear(const struct emul *e,
                             const struct emul_insn *insn);

/** A move between one register or immediate and one memory operand. */
struct emul_mmio {
    uint64_t value; /* what a write stores */
    uint8_t size;   /* bytes */
    bool write;
};

/**
 * The short way for device registers: true if `insn` is a plain load or store
 * whose only memory operand is the faulting one, with *out filled. After a
 * load the caller finishes with emul_mmio_load(); then it advances RIP.
 *
 * @param gpr  16 general registers in encoding order.
 */
bool emul_mmio_decode(const struct emul_insn *insn, const uint64_t *gpr,
                      struct emul_mmio *out);
/** Stores what the device returned, extended as `insn` demands. */
void emul_mmio_load(const struct emul_insn *insn, uint64_t *gpr,
                    uint64_t value);
