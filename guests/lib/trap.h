/* SPDX-License-Identifier: MIT */
/*
 * Exceptions and interrupts of a test guest: the frame, handlers per vector,
 * and the exception table by which one instruction may fault on purpose.
 */
#ifndef GUEST_TRAP_H
#define GUEST_TRAP_H

#include <stdbool.h>
#include <stdint.h>

#define TRAP_NONE 0xff
#define TRAP_DE 0
#define TRAP_DB 1
#define TRAP_NMI 2
#define TRAP_BP 3
#define TRAP_OF 4
#define TRAP_BR 5
#define TRAP_UD 6
#define TRAP_NM 7
#define TRAP_DF 8
#define TRAP_TS 10
#define TRAP_NP 11
#define TRAP_SS 12
#define TRAP_GP 13
#define TRAP_PF 14
#define TRAP_MF 16
#define TRAP_AC 17
#define TRAP_XM 19

/* Saved by trap_entry.S in this order; words have the size of the mode. */
struct trap_frame {
#ifdef __x86_64__
    unsigned long r15, r14, r13, r12, r11, r10, r9, r8;
#endif
    unsigned long di, si, bp, bx, dx, cx, ax;
    unsigned long vector;
    unsigned long error;
    unsigned long ip, cs, flags;
    /* 32-bit: only there if the trap came from user mode. */
    unsigned long sp, ss;
};

typedef void (*trap_handler_t)(struct trap_frame *frame);

/** What the last fault taken through the exception table was. */
struct trap_record {
    unsigned int vector;
    unsigned long error;
    unsigned long ip;
    unsigned long cr2;
};

/**
 * Installs the IDT and the task segment of the calling CPU. The boot CPU also
 * fills the table.
 */
void trap_init_cpu(unsigned int cpu);

/** Sets the handler of a vector on all CPUs; NULL restores the default. */
void trap_handler_set(unsigned int vector, trap_handler_t handler);

/** Record of the last fault fixed up on this CPU; vector 0xff means none. */
volatile struct trap_record *trap_last(void);

/**
 * Points a gate somewhere else than at the common stubs.
 *
 * @param entry  linear address of the handler.
 * @param dpl    lowest privilege that may use INT n on it.
 * @param ist    64-bit mode: 1 for the double-fault stack, 0 for none.
 */
void trap_gate_set(unsigned int vector, uintptr_t entry, unsigned int dpl,
                   unsigned int ist);

/** Marks a gate present or absent (to provoke #NP during delivery). */
void trap_gate_present(unsigned int vector, bool present);

/**
 * Entry of the exception table: a fault at `from` continues at `to`, and
 * trap_last() tells what it was.
 */
#define EX_TABLE(from, to)              \
    ".pushsection .ex_table, \"a\"\n\t" \
    ".long " #from ", " #to "\n\t"      \
    ".popsection\n\t"

/**
 * Runs the assembly text `insn` and yields the vector it raised, or TRAP_NONE.
 * The other arguments are the operands and clobbers of the asm statement.
 */
#define TRAP_OF_INSN(insn, ...)                \
    ({                                         \
        trap_last()->vector = TRAP_NONE;       \
        asm volatile("1: " insn "\n\t"         \
                     "2:\n\t" EX_TABLE(1b, 2b) \
                     : __VA_ARGS__);           \
        trap_last()->vector;                   \
    })

extern const uintptr_t trap_stub_table[256];

#endif
