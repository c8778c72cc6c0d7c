/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Exceptions and interrupts taken by the hypervisor itself. Interrupts come
 * only while a CPU idles or polls; exceptions are expected only at the places
 * listed in the exception table, everything else ends in panic().
 */
#pragma once

#include "cpu/selectors.h"

#ifndef __ASSEMBLER__

#include "ravelin/types.h"

/* What entry.S pushes; the last five by the processor. */
struct exception_frame {
    uint64_t r15, r14, r13, r12, r11, r10, r9, r8;
    uint64_t rbp, rdi, rsi, rdx, rcx, rbx, rax;
    uint64_t vector;
    uint64_t error;
    uint64_t rip;
    uint64_t cs;
    uint64_t rflags;
    uint64_t rsp;
    uint64_t ss;
};

#define VECTOR_DE 0u
#define VECTOR_DB 1u
#define VECTOR_NMI 2u
#define VECTOR_UD 6u
#define VECTOR_DF 8u
#define VECTOR_GP 13u
#define VECTOR_PF 14u
#define VECTOR_MC 18u

/* Devices and IPIs; higher numbers have higher priority. */
#define VECTOR_FIRST_DEVICE 0x20u
#define VECTOR_SERIAL 0xe0u
#define VECTOR_TIMER 0xf0u
#define VECTOR_KICK 0xf1u
#define VECTOR_SPURIOUS 0xffu

typedef void (*interrupt_fn)(struct exception_frame *frame);

/**
 * Who handles `vector` (VECTOR_FIRST_DEVICE and up), on any CPU. The handler
 * runs with interrupts off and acknowledges the local APIC itself.
 */
void interrupt_handler_set(unsigned vector, interrupt_fn fn);

/** Loads GDT, TSS and IDT of this CPU; its struct x86_cpu must be complete. */
void interrupt_cpu_init(void);
/** Fills the IDT. Boot CPU, before interrupt_cpu_init(). */
void interrupt_init(void);

/** NMIs that arrived while nobody was stopping CPUs. */
uint64_t interrupt_nmi_count(void);

#endif
