/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See vlapic_fixture.h.
 */
#include "vlapic_fixture.h"

struct domain *apic_domain;
struct vcpu *v0, *v1, *v2, *v3;

void apic_on(struct vcpu *v)
{
    vlapic_mmio_write(v, APIC_SVR, 0x1ff);
}

int apic_case_setup(void **state)
{
    (void)state;
    apic_domain = platform_domain(APIC_VCPUS, ROLE_HARDWARE);
    v0 = apic_domain->vcpu[0];
    v1 = apic_domain->vcpu[1];
    v2 = apic_domain->vcpu[2];
    v3 = apic_domain->vcpu[3];
    for (unsigned i = 0; i < APIC_VCPUS; i++) {
        platform_vcpu_up(apic_domain->vcpu[i]);
        apic_on(apic_domain->vcpu[i]);
    }
    return 0;
}

int apic_case_teardown(void **state)
{
    (void)state;
    platform_domain_destroy(apic_domain);
    return 0;
}

void apic_x2_on(struct vcpu *v)
{
    uint64_t base;

    assert_int_equal(vlapic_msr_read(v, APIC_MSR_BASE, &base), 0);
    assert_int_equal(vlapic_msr_write(v, APIC_MSR_BASE, base | APIC_BASE_X2),
                     0);
}

uint64_t apic_x2_read(struct vcpu *v, uint32_t msr)
{
    uint64_t value = 0;

    assert_int_equal(vlapic_msr_read(v, msr, &value), 0);
    return value;
}

void apic_x2_write(struct vcpu *v, uint32_t msr, uint64_t value)
{
    assert_int_equal(vlapic_msr_write(v, msr, value), 0);
}

uint32_t apic_esr_take(struct vcpu *v)
{
    vlapic_mmio_write(v, APIC_ESR, 0);
    return vlapic_mmio_read(v, APIC_ESR);
}

void apic_icr_send(struct vcpu *v, uint32_t dest, uint32_t low)
{
    vlapic_mmio_write(v, APIC_ICR2, dest << 24);
    vlapic_mmio_write(v, APIC_ICR, low);
}

bool apic_irr_has(struct vcpu *v, unsigned vector)
{
    return (vlapic_mmio_read(v, APIC_IRR + vector / 32 * 16) >> (vector % 32) &
            1u) != 0;
}

unsigned apic_receivers_take(unsigned vector)
{
    unsigned mask = 0;

    for (unsigned i = 0; i < APIC_VCPUS; i++) {
        struct vcpu *v = apic_domain->vcpu[i];

        if (vlapic_irq_pending(v) == (int)vector) {
            mask |= 1u << i;
            vlapic_irq_accept(v, (uint8_t)vector);
            vlapic_eoi(v);
        }
    }
    return mask;
}
