/* SPDX-License-Identifier: MIT */
/*
 * More than one CPU: who am I, how many are there, and starting one, either
 * with the VCPUOP calls or with INIT and STARTUP interrupts.
 */
#ifndef GUEST_SMP_H
#define GUEST_SMP_H

#include <stdbool.h>
#include <stdint.h>

#include "layout.h"

typedef void (*cpu_fn_t)(unsigned int cpu);

/** Index of the calling CPU = its vCPU number. Valid on library stacks. */
static inline unsigned int cpu_index(void)
{
    uintptr_t sp;

#ifdef __x86_64__
    asm volatile("mov %%rsp, %0" : "=r"(sp));
#else
    asm volatile("mov %%esp, %0" : "=r"(sp));
#endif
    /* Not `sp` itself: a full stack's pointer is the next stack's base. */
    return *(const uint32_t *)((sp - 1) & ~(uintptr_t)(STACK_SIZE - 1));
}

/** vCPUs of this domain, up or not, at most CPUS_MAX. */
unsigned int cpu_count(void);

/**
 * Starts a CPU with VCPUOP_initialise and VCPUOP_up; `fn` runs there, and the
 * CPU takes itself down (VCPUOP_down) when it returns. A CPU that was started
 * before is only brought up again.
 *
 * @return 0 or the negative errno of the call that failed.
 */
long cpu_start(unsigned int cpu, cpu_fn_t fn);

/** The same by INIT, STARTUP, STARTUP to an APIC id, through real mode. */
void cpu_start_sipi(unsigned int cpu, uint32_t apic_id, cpu_fn_t fn);

/** Whether VCPUOP_is_up says 1. */
bool cpu_is_up(unsigned int cpu);

/** Waits until *word is at least `value`. @return false after `ns`. */
bool cpu_wait(volatile uint32_t *word, uint32_t value, uint64_t ns);

/** Waits until a CPU has gone down. @return false after `ns`. */
bool cpu_wait_down(unsigned int cpu, uint64_t ns);

#endif
