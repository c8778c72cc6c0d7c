/* SPDX-License-Identifier: MIT */
/*
 * Local APIC access in both modes. The mode is read from APIC_BASE each time:
 * tests change it, and a cached answer would test the cache.
 */

#include "guest.h"

#define APIC_BASE_EXTD (1u << 10)

bool lapic_is_x2apic(void)
{
    return rdmsr(MSR_APIC_BASE) & APIC_BASE_EXTD;
}

uint32_t lapic_read(unsigned int reg)
{
    if (lapic_is_x2apic()) {
        return (uint32_t)rdmsr(MSR_X2APIC + (reg >> 4));
    }
    return mmio_read(LAPIC_ADDR + reg);
}

void lapic_write(unsigned int reg, uint32_t value)
{
    if (lapic_is_x2apic()) {
        wrmsr(MSR_X2APIC + (reg >> 4), value);
    } else {
        mmio_write(LAPIC_ADDR + reg, value);
    }
}

void lapic_enable(void)
{
    lapic_write(LAPIC_SPIV, 0x100 | LAPIC_SPURIOUS_VECTOR);
    lapic_write(LAPIC_TPR, 0);
}

bool lapic_x2apic_enable(void)
{
    if (!(cpuid(1).c & (1u << 21))) {
        return false;
    }
    wrmsr(MSR_APIC_BASE, rdmsr(MSR_APIC_BASE) | APIC_BASE_EXTD);
    return true;
}

uint32_t lapic_id(void)
{
    uint32_t id = lapic_read(LAPIC_ID);

    return lapic_is_x2apic() ? id : id >> 24;
}

void lapic_icr_send(uint32_t dest, uint32_t command)
{
    if (lapic_is_x2apic()) {
        wrmsr(MSR_X2APIC + (LAPIC_ICR >> 4), ((uint64_t)dest << 32) | command);
        return;
    }
    lapic_write(LAPIC_ICR2, dest << 24);
    lapic_write(LAPIC_ICR, command);
    while (lapic_read(LAPIC_ICR) & 0x1000) {
        cpu_relax();
    }
}

bool lapic_vector_test(unsigned int base, unsigned int vector)
{
    return (lapic_read(base + (vector / 32) * 0x10) >> (vector % 32)) & 1;
}
