/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Virtual local APIC of one vCPU: xAPIC registers at guest-physical
 * 0xfee00000, x2APIC registers as MSRs, timer, IPIs, INIT and SIPI. Requests
 * arrive from any CPU without a lock; everything else runs on the CPU that
 * has the vCPU.
 *
 * Threat surface: every register value, vector and destination is a guest's.
 * The timer runs at 1 GHz divided by the divide register, which leaf
 * 0x40000010 of CPUID tells.
 */
#pragma once

#include "ravelin/domain.h"

#define VLAPIC_MMIO_BASE 0xfee00000UL
#define VLAPIC_MMIO_SIZE 0x1000UL
/* Input clock of the timer: one tick per nanosecond. */
#define VLAPIC_BUS_KHZ 1000000u

/* Delivery modes of messages and local vector table entries. */
#define APIC_MODE_FIXED 0u
#define APIC_MODE_LOWEST 1u
#define APIC_MODE_SMI 2u
#define APIC_MODE_NMI 4u
#define APIC_MODE_INIT 5u
#define APIC_MODE_SIPI 6u
#define APIC_MODE_EXTINT 7u

/** APIC id of vCPU `id` unless vlapic_id_set() gave it another: even numbers,
 * the same as under Xen. */
static inline uint32_t vlapic_id_of(unsigned id)
{
    return id * 2u;
}

/** Allocates and resets the APIC of `v`. 0; -ENOMEM, nothing changed. */
int rv_must_check vlapic_create(struct vcpu *v);
/** Another id, equal to that of the vCPU: firmware that makes the MADT itself
 * takes both for the same number. Then all vCPUs of the domain have such ids.
 * Resets the APIC; before the domain runs. */
void vlapic_id_set(struct vcpu *v, uint32_t id);
/** Disarms the timer and frees; `v` runs nowhere. NULL-safe. */
void vlapic_destroy(struct vcpu *v);
/** Power-up state: xAPIC mode, software-disabled; vCPUs other than 0 wait for
 * a start-up IPI. `v` runs nowhere or is current here. */
void vlapic_reset(struct vcpu *v);

/**
 * MMIO access to the register at `offset` (0..0xfff, multiple of 16).
 * Registers that do not exist read 0, ignore writes and set "illegal register
 * address" in the error status. `v` is current on this CPU.
 */
uint32_t vlapic_mmio_read(struct vcpu *v, uint32_t offset);
void vlapic_mmio_write(struct vcpu *v, uint32_t offset, uint32_t value);
/** Does the page at VLAPIC_MMIO_BASE answer (enabled, xAPIC mode)? */
bool vlapic_mmio_is_mapped(const struct vcpu *v);

/**
 * MSRs 0x800-0xbff, IA32_APIC_BASE and IA32_TSC_DEADLINE. `v` is current on
 * this CPU.
 * @return 0; -EINVAL: the guest gets #GP(0) and nothing has changed.
 * Ref: Intel SDM Vol 3 "Extended XAPIC (x2APIC)"; AMD APM Vol 2 16.9.
 */
int rv_must_check vlapic_msr_read(struct vcpu *v, uint32_t msr,
                                  uint64_t *value);
int rv_must_check vlapic_msr_write(struct vcpu *v, uint32_t msr,
                                   uint64_t value);

/** Latches an interrupt and wakes the vCPU; any CPU may call. `vector` below
 * 16 becomes a receive error. Latched also while the APIC is disabled. */
void vlapic_irq_set(struct vcpu *v, uint8_t vector, bool level);
/** Highest deliverable vector, or -1. `v` is not in guest mode. */
int vlapic_irq_pending(struct vcpu *v);
/** Is any interrupt latched, deliverable now or not? */
bool vlapic_irq_is_latched(const struct vcpu *v);
/** Moves `vector` from IRR to ISR: it is being injected. Only right after
 * vlapic_irq_pending() returned it. */
void vlapic_irq_accept(struct vcpu *v, uint8_t vector);
/** End of interrupt: the highest vector in service is done. */
void vlapic_eoi(struct vcpu *v);
/** Software enabled? (spurious vector register, global enable) */
bool vlapic_is_enabled(const struct vcpu *v);
/** Enabled by IA32_APIC_BASE? CPUID's APIC bit follows it. */
bool vlapic_is_present(const struct vcpu *v);

/** Does an interrupt of the 8259 pair reach `v`: local APIC globally disabled,
 * or LINT0 in ExtINT mode and not masked? */
bool vlapic_extint_is_open(const struct vcpu *v);
/** The 8259 pair has raised its output, which is LINT0 of `v`: sends if that
 * is set up as a fixed interrupt. Any CPU may call. */
void vlapic_lint0_raise(struct vcpu *v);

/** CR8, kept here: the exit path brings changes the guest made without an
 * exit, the entry path loads it into the processor. `cr8` 0..15. */
unsigned vlapic_cr8_get(const struct vcpu *v);
void vlapic_cr8_set(struct vcpu *v, unsigned cr8);
/** If the task priority alone holds back a latched interrupt: the highest CR8
 * value (0..14) at which it can be delivered; else -1. While it is not, writes
 * of CR8 must be intercepted. */
int vlapic_tpr_threshold(struct vcpu *v);

/**
 * Message from an IO-APIC or MSI to the vCPUs of `d`. Any CPU may call.
 * @param dest     8-bit destination, 0xff = all; 32 bits as in x2APIC.
 * @param logical  destination mode.
 * @param mode     APIC_MODE_*; others are ignored.
 * @param vector   interrupt or start-up vector.
 * @param level    level-triggered (EOI goes back to the IO-APIC).
 */
void vlapic_deliver(struct domain *d, uint32_t dest, bool logical,
                    unsigned mode, uint8_t vector, bool level);

/**
 * Acts on INIT and SIPI that arrived while `v` ran elsewhere or was down: to
 * be called before entry when v->init_pending is set. Resets the vCPU, then
 * starts it in real mode or leaves it down (VCPU_DOWN set: do not enter).
 */
void vlapic_init_process(struct vcpu *v);
/** RESET: vCPU and APIC to their power-on state, which for vCPU 0 means at the
 * reset vector. `v` is current here, or runs nowhere. */
void vlapic_power_on(struct vcpu *v);
/** The guest's TSC offset changed: re-arms a TSC deadline. */
void vlapic_tsc_changed(struct vcpu *v);
