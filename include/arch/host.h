/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the core asks of the physical machine: time, kicks, idling, power. The
 * virtualisation backend is a separate seam (arch/backend.h); this one is the
 * same under SVM and VMX. src/arch/fake implements it hosted with a clock that
 * only tests advance.
 */
#pragma once

#include "ravelin/types.h"

struct cpu;

/** Nanoseconds since boot; monotonic and the same on every CPU. */
uint64_t arch_time_ns(void);
/** Frequency of the TSC in kHz, constant after boot. */
uint32_t arch_tsc_khz(void);
/** TSC value at which arch_time_ns() reads `ns`. */
uint64_t arch_ns_to_tsc(uint64_t ns);
/** arch_time_ns() at TSC value `tsc`. */
uint64_t arch_tsc_to_ns(uint64_t tsc);
/** Seconds since the Unix epoch (UTC) at arch_time_ns() == 0. */
uint64_t arch_boot_wallclock_s(void);

/**
 * Arms this CPU's one-shot timer interrupt at absolute time `deadline_ns`; a
 * deadline in the past fires at once; UINT64_MAX disarms.
 */
void arch_timer_arm(uint64_t deadline_ns);

/** Interrupts `target`, so that it leaves guest mode or its idle wait. */
void arch_cpu_kick(struct cpu *target);

/** Waits with interrupts open until one arrives; returns with them closed. */
void arch_cpu_idle(void);
/** Opens interrupts for a moment so that pending ones are taken. */
void arch_irq_poll(void);

/**
 * Clears one 4 KiB page the machine's fastest way. The vCPU state loaded in the
 * vector registers is preserved.
 */
void arch_page_clear(void *page);
/** Clears `count` consecutive pages. */
void arch_pages_clear(void *page, size_t count);

/** Executes CPUID; out = EAX, EBX, ECX, EDX. */
void arch_cpuid(uint32_t leaf, uint32_t subleaf, uint32_t out[4]);
/** Microcode revision of this CPU; 0 if it cannot be read. */
uint32_t arch_microcode(void);
/** Does the TSC run at one constant rate on all CPUs? */
bool arch_tsc_is_stable(void);

/* x87 control operations that can raise no exception. */
enum arch_fpu_op { ARCH_FNINIT, ARCH_FNCLEX, ARCH_FNSTSW, ARCH_FNSTCW };
/** Performs one on the x87 state loaded on this CPU, which is the current
 * vCPU's. @return the word that FNSTSW or FNSTCW stores, else 0. */
uint16_t arch_fpu_control(enum arch_fpu_op op);

/** The x87 and vector state loaded on this CPU as FXSAVE writes it, 512 bytes
 * aligned to 16; and the opposite, for an image whose MXCSR is valid. */
void arch_fpu_image_save(void *image);
void arch_fpu_image_load(const void *image);

/** 64 bits from the best entropy at hand. */
uint64_t arch_random64(void);

/** Ends the machine: the debug exit port with `code` if there is one, then ACPI
 * soft-off, then a halt. Does not return in the hypervisor; the fake records
 * the call. */
void machine_poweroff(unsigned code);
/** Restarts the machine. */
void machine_reboot(void);
