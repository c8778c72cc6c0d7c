/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Register access, start-up, interrupts between CPUs and the timer's registers
 * of the local APIC. The enable bit in IA32_APIC_BASE is never cleared: some
 * machines cannot set it again.
 * Ref: AMD APM Vol 2 16 "Advanced Programmable Interrupt Controller (APIC)".
 */
#include "platform/lapic.h"

#include "arch_inline.h"
#include "boot/boot.h"
#include "cpu/feature.h"
#include "cpu/interrupt.h"
#include "cpu/msr.h"
#include "cpu/percpu.h"
#include "cpu/regs.h"
#include "platform/acpi.h"

/* Offsets of the memory-mapped form; x2APIC numbers are these >> 4. */
enum lapic_register {
    REG_TPR = 0x080,
    REG_EOI = 0x0b0,
    REG_DFR = 0x0e0,
    REG_SPURIOUS = 0x0f0,
    REG_ISR = 0x100,
    REG_ESR = 0x280,
    REG_CMCI = 0x2f0,
    REG_ICR = 0x300,
    REG_ICR_HIGH = 0x310,
    REG_LVT_TIMER = 0x320,
    REG_LVT_THERMAL = 0x330,
    REG_LVT_PERF = 0x340,
    REG_LVT_LINT0 = 0x350,
    REG_LVT_LINT1 = 0x360,
    REG_LVT_ERROR = 0x370,
    REG_TIMER_INITIAL = 0x380,
    REG_TIMER_CURRENT = 0x390,
    REG_TIMER_DIVIDE = 0x3e0,
    REG_VERSION = 0x030,
};

#define LAPIC_SIZE 0x1000u
#define APIC_BASE_X2 (1UL << 10)
#define APIC_BASE_ENABLE (1UL << 11)

#define SPURIOUS_ENABLE 0x100u
#define LVT_MASKED 0x10000u
#define LVT_NMI 0x400u
#define LVT_TIMER_DEADLINE 0x40000u
#define TIMER_DIVIDE_BY_1 0xbu
#define TIMER_COUNT_MAX 0xffffffffu

#define ICR_INIT 0x00500u
#define ICR_STARTUP 0x00600u
#define ICR_NMI 0x00400u
#define ICR_BUSY 0x01000u
#define ICR_ASSERT 0x04000u
#define ICR_ALL_OTHERS 0xc0000u
#define ICR_POLLS_MAX 100000u

static volatile uint8_t *registers RV_RO_AFTER_INIT = NULL; /* NULL: x2APIC */

bool lapic_is_x2(void)
{
    return x86_features.x2apic;
}

uint32_t lapic_boot_id(void)
{
    if (lapic_is_x2() && x86_features.max_leaf >= 0xb) {
        return cpuid(0xb, 0).edx;
    }
    return cpuid(1, 0).ebx >> 24;
}

static uint32_t reg_read(uint32_t reg)
{
    if (registers == NULL) {
        return (uint32_t)rdmsr(MSR_X2APIC_FIRST + (reg >> 4));
    }
    return *(volatile uint32_t *)(registers + reg);
}

static void reg_write(uint32_t reg, uint32_t value)
{
    if (registers == NULL) {
        wrmsr(MSR_X2APIC_FIRST + (reg >> 4), value);
    } else {
        *(volatile uint32_t *)(registers + reg) = value;
    }
}

void lapic_init(void)
{
    if (!lapic_is_x2()) {
        registers = mmio_map(acpi.lapic_base, LAPIC_SIZE);
    }
}

/* Masks a local source that exists only on processors with many of them. */
static void lvt_mask_optional(uint32_t reg, unsigned index)
{
    unsigned last = (reg_read(REG_VERSION) >> 16) & 0xff;

    if (index <= last) {
        reg_write(reg, LVT_MASKED);
    }
}

void lapic_cpu_init(void)
{
    uint64_t base = rdmsr(MSR_APIC_BASE) | APIC_BASE_ENABLE;

    wrmsr(MSR_APIC_BASE, base);
    if (lapic_is_x2()) {
        wrmsr(MSR_APIC_BASE, base | APIC_BASE_X2);
    } else {
        reg_write(REG_DFR, 0xffffffffu);
    }
    reg_write(REG_SPURIOUS, SPURIOUS_ENABLE | VECTOR_SPURIOUS);
    reg_write(REG_TPR, 0);
    reg_write(REG_LVT_TIMER, LVT_MASKED);
    reg_write(REG_LVT_LINT0, LVT_MASKED);
    reg_write(REG_LVT_LINT1, LVT_NMI);
    reg_write(REG_LVT_ERROR, LVT_MASKED);
    lvt_mask_optional(REG_LVT_PERF, 4);
    lvt_mask_optional(REG_LVT_THERMAL, 5);
    lvt_mask_optional(REG_CMCI, 6);
    reg_write(REG_ESR, 0);
}

void lapic_eoi(void)
{
    reg_write(REG_EOI, 0);
}

void lapic_eoi_if_in_service(unsigned vector)
{
    uint32_t word = reg_read(REG_ISR + (vector / 32) * 0x10);

    if ((word >> (vector % 32)) & 1u) {
        lapic_eoi();
    }
}

/* The last message must be gone before the register takes another. */
static void icr_wait(void)
{
    for (unsigned i = 0; i < ICR_POLLS_MAX; i++) {
        if ((reg_read(REG_ICR) & ICR_BUSY) == 0) {
            return;
        }
        cpu_relax();
    }
}

static void icr_send(uint32_t apic_id, uint32_t command)
{
    if (registers == NULL) {
        /* Unlike the memory-mapped form this write does not order itself
         * behind earlier stores, which the target is going to read. */
        __asm__ volatile("mfence; lfence" ::: "memory");
        wrmsr(MSR_X2APIC_FIRST + (REG_ICR >> 4),
              ((uint64_t)apic_id << 32) | command);
        return;
    }
    icr_wait();
    reg_write(REG_ICR_HIGH, apic_id << 24);
    reg_write(REG_ICR, command);
}

void lapic_ipi(uint32_t apic_id, unsigned vector)
{
    icr_send(apic_id, ICR_ASSERT | vector);
}

void lapic_ipi_init(uint32_t apic_id)
{
    icr_send(apic_id, ICR_ASSERT | ICR_INIT);
}

void lapic_ipi_startup(uint32_t apic_id, hpa_t page)
{
    icr_send(apic_id,
             ICR_ASSERT | ICR_STARTUP | (uint32_t)(page.v >> PAGE_SHIFT));
}

void lapic_nmi_others(void)
{
    icr_send(0, ICR_ASSERT | ICR_NMI | ICR_ALL_OTHERS);
}

void lapic_timer_calibrate_start(void)
{
    reg_write(REG_LVT_TIMER, LVT_MASKED);
    reg_write(REG_TIMER_DIVIDE, TIMER_DIVIDE_BY_1);
    reg_write(REG_TIMER_INITIAL, TIMER_COUNT_MAX);
}

uint32_t lapic_timer_calibrate_read(void)
{
    return TIMER_COUNT_MAX - reg_read(REG_TIMER_CURRENT);
}

void lapic_timer_setup(unsigned vector, bool tsc_deadline)
{
    reg_write(REG_TIMER_INITIAL, 0);
    reg_write(REG_TIMER_DIVIDE, TIMER_DIVIDE_BY_1);
    reg_write(REG_LVT_TIMER, vector | (tsc_deadline ? LVT_TIMER_DEADLINE : 0));
    /* Orders the mode change before the first write of the deadline. */
    __asm__ volatile("mfence" ::: "memory");
}

void lapic_timer_start(uint32_t ticks)
{
    reg_write(REG_TIMER_INITIAL, ticks);
}
