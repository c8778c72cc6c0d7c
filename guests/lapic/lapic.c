/* SPDX-License-Identifier: MIT */
/*
 * The local APIC of one CPU: reset values, register masks, acceptance and
 * priority of interrupts (IRR, ISR, TPR, PPR, EOI), self IPIs, and the same
 * again through the x2APIC registers with their stricter rules.
 *
 * Environments: all. `reference=1` leaves out what the reference hypervisor
 * cannot do under QEMU 7.2, whose processor takes a virtual interrupt of a
 * priority equal to V_TPR (endless exits), and which aborts when a guest writes
 * CR8 itself while a virtual interrupt waits.
 */

#include "guest.h"

const char test_title[] = "lapic: registers, priorities, self IPIs, x2APIC";

#define LOW 0x51
#define MID 0x71
#define HIGH 0x91

static volatile uint32_t hits[256], order[8], order_used;
static volatile bool nest;

static void self_ipi(unsigned int vector)
{
    lapic_icr_send(0, ICR_SELF | ICR_ASSERT | vector);
}

static void window(void)
{
    asm volatile("sti; nop; nop; nop; cli" ::: "memory");
}

static void seen(struct trap_frame *frame)
{
    unsigned int v = (unsigned int)frame->vector;

    hits[v]++;
    if (order_used < ARRAY_SIZE(order)) {
        order[order_used++] = v;
    }
    CHECK(lapic_vector_test(LAPIC_ISR, v));
    CHECK_EQ(lapic_read(LAPIC_PPR) >> 4, v >> 4);
    if (nest && v == LOW) {
        /* A higher class interrupts this handler, the same class waits. */
        self_ipi(LOW + 1);
        self_ipi(HIGH);
        window();
        CHECK_EQ(hits[HIGH], 1);
        CHECK_EQ(hits[LOW + 1], 0);
    }
    lapic_eoi();
    CHECK(!lapic_vector_test(LAPIC_ISR, v));
}

static void hits_reset(void)
{
    unsigned int i;

    for (i = 0; i < 256; i++) {
        hits[i] = 0;
    }
    order_used = 0;
}

static void registers(void)
{
    uint32_t version = lapic_read(LAPIC_VERSION);

    CHECK((version & 0xff) >= 0x10 && (version & 0xff) <= 0x1f);
    CHECK(((version >> 16) & 0xff) >= 3);
    CHECK(rdmsr(MSR_APIC_BASE) & 0x800);
    CHECK(rdmsr(MSR_APIC_BASE) & 0x100);
    CHECK_EQ(rdmsr(MSR_APIC_BASE) & 0xfffff000, LAPIC_ADDR);
    /* Off by software: all local vectors are masked and stay so. */
    lapic_write(LAPIC_SPIV, LAPIC_SPURIOUS_VECTOR);
    lapic_write(LAPIC_LVTT, 0x40);
    CHECK(lapic_read(LAPIC_LVTT) & LVT_MASKED);
    lapic_enable();
    lapic_write(LAPIC_LVTT, 0x40);
    CHECK_EQ(lapic_read(LAPIC_LVTT), 0x40);
    lapic_write(LAPIC_LVTT, LVT_MASKED | 0x40);
    lapic_write(LAPIC_TPR, 0x5a);
    CHECK_EQ(lapic_read(LAPIC_TPR), 0x5a);
    CHECK_EQ(lapic_read(LAPIC_PPR) & 0xf0, 0x50);
    lapic_write(LAPIC_TPR, 0);
    CHECK_EQ(lapic_read(LAPIC_TPR), 0);
    lapic_write(LAPIC_TMICT, 0x123456);
    CHECK_EQ(lapic_read(LAPIC_TMICT), 0x123456);
    lapic_write(LAPIC_TMICT, 0);
    CHECK_EQ(lapic_read(LAPIC_TMCCT), 0);
    lapic_write(LAPIC_TDCR, 0xb);
    CHECK_EQ(lapic_read(LAPIC_TDCR) & 0xb, 0xb);
}

static void xapic_registers(void)
{
    lapic_write(LAPIC_DFR, 0xffffffff);
    CHECK_EQ(lapic_read(LAPIC_DFR), 0xffffffff);
    lapic_write(LAPIC_LDR, 0x01000000);
    CHECK_EQ(lapic_read(LAPIC_LDR), 0x01000000);
    lapic_write(LAPIC_LDR, 0xffffffff);
    CHECK_EQ(lapic_read(LAPIC_LDR), 0xff000000);
    lapic_write(LAPIC_ICR2, 0xff123456);
    CHECK_EQ(lapic_read(LAPIC_ICR2) & 0xff000000, 0xff000000);
    lapic_write(LAPIC_ESR, 0);
    CHECK_EQ(lapic_read(LAPIC_ESR), 0);
}

static void acceptance(void)
{
    hits_reset();
    self_ipi(MID);
    CHECK(lapic_vector_test(LAPIC_IRR, MID));
    CHECK(!lapic_vector_test(LAPIC_ISR, MID));
    CHECK_EQ(hits[MID], 0);
    window();
    CHECK_EQ(hits[MID], 1);
    CHECK(!lapic_vector_test(LAPIC_IRR, MID));
    /* Two of the same vector before the first is taken are one. */
    self_ipi(MID);
    self_ipi(MID);
    window();
    CHECK_EQ(hits[MID], 2);
    window();
    CHECK_EQ(hits[MID], 2);
}

/* The task priority blocks its own class and those below. */
static void task_priority(uint32_t tpr)
{
    hits_reset();
    lapic_write(LAPIC_TPR, tpr);
    self_ipi(MID);
    window();
    CHECK_EQ(hits[MID], 0);
    self_ipi(HIGH);
    window();
    CHECK_EQ(hits[HIGH], 1);
    CHECK_EQ(hits[MID], 0);
    lapic_write(LAPIC_TPR, (MID & 0xf0) - 0x10);
    window();
    CHECK_EQ(hits[MID], 1);
    lapic_write(LAPIC_TPR, 0);
}

static void priorities(void)
{
    hits_reset();
    self_ipi(LOW);
    self_ipi(HIGH);
    self_ipi(MID);
    asm volatile("sti; nop; nop; nop; nop" ::: "memory");
    irq_disable();
    CHECK_EQ(order[0], HIGH);
    CHECK_EQ(order[1], MID);
    CHECK_EQ(order[2], LOW);
    task_priority((HIGH & 0xf0) - 0x10);
    if (!cmdline_value("reference")) {
        task_priority(MID & 0xf0);
    }
}

static void nesting(void)
{
    hits_reset();
    nest = true;
    self_ipi(LOW);
    window();
    nest = false;
    window();
    CHECK_EQ(hits[LOW], 1);
    CHECK_EQ(hits[HIGH], 1);
    CHECK_EQ(hits[LOW + 1], 1);
    CHECK_EQ(order[1], HIGH);
}

#ifdef __x86_64__
static inline unsigned long read_cr8(void)
{
    unsigned long v;

    asm volatile("mov %%cr8, %0" : "=r"(v));
    return v;
}

static inline void write_cr8(unsigned long v)
{
    asm volatile("mov %0, %%cr8" ::"r"(v) : "memory");
}

static void cr8_is_tpr(void)
{
    lapic_write(LAPIC_TPR, 0x40);
    CHECK_EQ(read_cr8(), 4);
    write_cr8(9);
    CHECK_EQ(lapic_read(LAPIC_TPR), 0x90);
    hits_reset();
    self_ipi(MID);
    window();
    CHECK_EQ(hits[MID], 0);
    write_cr8(0);
    window();
    CHECK_EQ(hits[MID], 1);
    CHECK_EQ(lapic_read(LAPIC_TPR), 0);
}
#endif

static void x2apic_rules(void)
{
    uint64_t v;

    CHECK_EQ(rdmsr_safe(MSR_X2APIC + (LAPIC_ID >> 4), &v), TRAP_NONE);
    CHECK_EQ(wrmsr_safe(MSR_X2APIC + (LAPIC_ID >> 4), 0), TRAP_GP);
    CHECK_EQ(rdmsr_safe(MSR_X2APIC + (LAPIC_EOI >> 4), &v), TRAP_GP);
    CHECK_EQ(wrmsr_safe(MSR_X2APIC + (LAPIC_EOI >> 4), 1), TRAP_GP);
    CHECK_EQ(wrmsr_safe(MSR_X2APIC + (LAPIC_TPR >> 4), 0x100), TRAP_GP);
    CHECK_EQ(rdmsr_safe(MSR_X2APIC + (LAPIC_DFR >> 4), &v), TRAP_GP);
    CHECK_EQ(rdmsr_safe(MSR_X2APIC + (LAPIC_ICR2 >> 4), &v), TRAP_GP);
    CHECK_EQ(rdmsr_safe(MSR_X2APIC + 0x7f, &v), TRAP_GP);
    /* The logical id follows from the id. */
    CHECK_EQ(lapic_read(LAPIC_LDR),
             ((lapic_id() >> 4) << 16) | (1u << (lapic_id() & 15)));
    hits_reset();
    wrmsr(MSR_X2APIC + (LAPIC_SELF_IPI >> 4), MID);
    CHECK(lapic_vector_test(LAPIC_IRR, MID));
    window();
    CHECK_EQ(hits[MID], 1);
    /* Only through the disabled state does the way lead back to xAPIC. */
    CHECK_EQ(wrmsr_safe(MSR_APIC_BASE, rdmsr(MSR_APIC_BASE) & ~0x400ull),
             TRAP_GP);
    CHECK(lapic_is_x2apic());
}

void test_main(void)
{
    unsigned int i;

    for (i = 0x20; i < 0xe0; i++) {
        trap_handler_set(i, seen);
    }
    registers();
    xapic_registers();
    acceptance();
    priorities();
    nesting();
#ifdef __x86_64__
    if (!cmdline_value("reference")) {
        cr8_is_tpr();
    }
#endif
    if (!lapic_x2apic_enable()) {
        printf("no x2APIC\n");
        return;
    }
    CHECK_EQ(lapic_read(LAPIC_SPIV), 0x1ff);
    acceptance();
    priorities();
    nesting();
    x2apic_rules();
}
