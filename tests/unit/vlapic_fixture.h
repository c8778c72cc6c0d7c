/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A running domain of four vCPUs whose local APICs are software-enabled, made
 * anew for each case, and what guest code does to an APIC in either mode. The
 * numbers are written out here once more, so that a test does not believe the
 * code's own.
 */
#pragma once

#include "platform_fixture.h"

#include "ravelin/vlapic.h"

#define APIC_ID 0x020u
#define APIC_VERSION 0x030u
#define APIC_TPR 0x080u
#define APIC_PPR 0x0a0u
#define APIC_EOI 0x0b0u
#define APIC_LDR 0x0d0u
#define APIC_DFR 0x0e0u
#define APIC_SVR 0x0f0u
#define APIC_ISR 0x100u
#define APIC_TMR 0x180u
#define APIC_IRR 0x200u
#define APIC_ESR 0x280u
#define APIC_ICR 0x300u
#define APIC_ICR2 0x310u
#define APIC_LVT_TIMER 0x320u
#define APIC_LVT_LINT0 0x350u
#define APIC_LVT_ERROR 0x370u
#define APIC_TMICT 0x380u
#define APIC_TMCCT 0x390u
#define APIC_TDCR 0x3e0u

#define APIC_ESR_SEND_ILLEGAL 0x20u
#define APIC_ESR_RECV_ILLEGAL 0x40u
#define APIC_ESR_REGISTER 0x80u

#define APIC_MSR_BASE 0x1bu
#define APIC_MSR_TSC_DEADLINE 0x6e0u
#define APIC_BASE_EN 0x800u
#define APIC_BASE_X2 0x400u
#define APIC_X2(reg) (0x800u + (reg) / 16)

#define APIC_TO_SELF 0x40000u
#define APIC_TO_ALL 0x80000u
#define APIC_TO_OTHERS 0xc0000u
#define APIC_LOGICAL 0x800u
#define APIC_MODE(m) ((m) << 8)

#define APIC_VCPUS 4u

/** The domain and its vCPUs; their APIC ids are 0, 2, 4 and 6. */
extern struct domain *apic_domain;
extern struct vcpu *v0, *v1, *v2, *v3;

int apic_case_setup(void **state);
int apic_case_teardown(void **state);

#define APIC_CASE(f) \
    cmocka_unit_test_setup_teardown(f, apic_case_setup, apic_case_teardown)

/** Sets the enable bit of SVR, in xAPIC mode. */
void apic_on(struct vcpu *v);
/** Goes on to x2APIC mode. */
void apic_x2_on(struct vcpu *v);

/** Reads and writes that must not fault. */
uint64_t apic_x2_read(struct vcpu *v, uint32_t msr);
void apic_x2_write(struct vcpu *v, uint32_t msr, uint64_t value);

/** Publishes the errors noted so far and reads them, in xAPIC mode. */
uint32_t apic_esr_take(struct vcpu *v);
/** An IPI in xAPIC mode: destination, then the low half that sends it. */
void apic_icr_send(struct vcpu *v, uint32_t dest, uint32_t low);
bool apic_irr_has(struct vcpu *v, unsigned vector);
/** Which vCPUs have `vector` latched, as a bit mask; takes it off again. */
unsigned apic_receivers_take(unsigned vector);
