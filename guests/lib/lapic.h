/* SPDX-License-Identifier: MIT */
/*
 * The local APIC of the calling CPU, through its MMIO page or through the
 * x2APIC MSRs, whichever mode is on. Registers are named by MMIO offset.
 */
#ifndef GUEST_LAPIC_H
#define GUEST_LAPIC_H

#include <stdbool.h>
#include <stdint.h>

#define LAPIC_ADDR 0xfee00000u

#define LAPIC_ID 0x20
#define LAPIC_VERSION 0x30
#define LAPIC_TPR 0x80
#define LAPIC_PPR 0xa0
#define LAPIC_EOI 0xb0
#define LAPIC_LDR 0xd0
#define LAPIC_DFR 0xe0
#define LAPIC_SPIV 0xf0
#define LAPIC_ISR 0x100
#define LAPIC_TMR 0x180
#define LAPIC_IRR 0x200
#define LAPIC_ESR 0x280
#define LAPIC_ICR 0x300
#define LAPIC_ICR2 0x310
#define LAPIC_LVTT 0x320
#define LAPIC_LVT_THERMAL 0x330
#define LAPIC_LVT_PERF 0x340
#define LAPIC_LVT0 0x350
#define LAPIC_LVT1 0x360
#define LAPIC_LVT_ERROR 0x370
#define LAPIC_TMICT 0x380
#define LAPIC_TMCCT 0x390
#define LAPIC_TDCR 0x3e0
#define LAPIC_SELF_IPI 0x3f0

#define LVT_MASKED (1u << 16)
#define LVT_PERIODIC (1u << 17)
#define LVT_DEADLINE (2u << 17)

#define ICR_FIXED 0x000
#define ICR_NMI 0x400
#define ICR_INIT 0x500
#define ICR_STARTUP 0x600
#define ICR_ASSERT 0x4000
#define ICR_SELF 0x40000
#define ICR_ALL 0x80000
#define ICR_OTHERS 0xc0000

#define LAPIC_SPURIOUS_VECTOR 0xff

uint32_t lapic_read(unsigned int reg);
void lapic_write(unsigned int reg, uint32_t value);

/** Software-enables the APIC of this CPU; the mode stays as it is. */
void lapic_enable(void);

/** Goes to x2APIC mode. @return false if CPUID does not offer it. */
bool lapic_x2apic_enable(void);
bool lapic_is_x2apic(void);

/** APIC id of the calling CPU (the 8-bit one in xAPIC mode). */
uint32_t lapic_id(void);

/** Sends an interrupt command; waits until it is accepted in xAPIC mode. */
void lapic_icr_send(uint32_t dest, uint32_t command);

/** Whether a vector's bit is set in ISR, TMR or IRR (`base`). */
bool lapic_vector_test(unsigned int base, unsigned int vector);

static inline void lapic_eoi(void)
{
    lapic_write(LAPIC_EOI, 0);
}

#endif
