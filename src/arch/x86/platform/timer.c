/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The one-shot timer of each CPU, and the interrupts by which CPUs are woken.
 * Handlers acknowledge and ask the CPU loop to look at its timers and work;
 * nothing else is done in interrupt context.
 */
#include "platform/timer.h"

#include "arch/host.h"
#include "cpu/cpu.h"
#include "cpu/feature.h"
#include "cpu/interrupt.h"
#include "cpu/msr.h"
#include "cpu/percpu.h"
#include "platform/lapic.h"
#include "platform/tsc.h"
#include "ravelin/atomic.h"

static uint64_t timer_ticks_per_ns RV_RO_AFTER_INIT = 0; /* 32.32 */
/* Longest wait the counter can hold; a later deadline fires early. */
static uint64_t timer_ns_max RV_RO_AFTER_INIT = 0;

static void timer_interrupt(struct exception_frame *frame rv_unused)
{
    this_x86_cpu()->timer_armed_ns = UINT64_MAX;
    write_once(this_cpu()->resched, true);
    lapic_eoi();
}

static void kick_interrupt(struct exception_frame *frame rv_unused)
{
    write_once(this_cpu()->resched, true);
    lapic_eoi();
    cpu_tlb_flush_pending();
}

/* A spurious interrupt is not in service and takes no EOI. */
static void spurious_interrupt(struct exception_frame *frame rv_unused)
{
}

void timer_boot_init(void)
{
    uint64_t timer_khz = tsc_lapic_khz();

    timer_ticks_per_ns = (timer_khz << 32) / 1000000;
    timer_ns_max = (uint64_t)UINT32_MAX * 1000000 / timer_khz;
    interrupt_handler_set(VECTOR_TIMER, timer_interrupt);
    interrupt_handler_set(VECTOR_KICK, kick_interrupt);
    interrupt_handler_set(VECTOR_SPURIOUS, spurious_interrupt);
}

void timer_cpu_hw_init(void)
{
    this_x86_cpu()->timer_armed_ns = UINT64_MAX;
    lapic_timer_setup(VECTOR_TIMER, x86_features.tsc_deadline);
}

static void deadline_arm(uint64_t deadline_ns)
{
    /* 0 disarms; rounding up keeps the interrupt from coming early. */
    uint64_t tsc = deadline_ns == UINT64_MAX ? 0
                                             : arch_ns_to_tsc(deadline_ns) + 1 -
                                                   this_x86_cpu()->tsc_offset;

    wrmsr(MSR_TSC_DEADLINE, tsc);
}

static void oneshot_arm(uint64_t deadline_ns)
{
    uint64_t now = arch_time_ns();
    uint64_t wait = deadline_ns > now ? deadline_ns - now : 0;

    if (deadline_ns == UINT64_MAX) {
        lapic_timer_start(0);
        return;
    }
    wait = rv_min(wait, timer_ns_max);
    lapic_timer_start((uint32_t)rv_min(
        scale_32_32(wait, timer_ticks_per_ns) + 1, (uint64_t)UINT32_MAX));
}

void arch_timer_arm(uint64_t deadline_ns)
{
    struct x86_cpu *x = this_x86_cpu();

    if (x->timer_armed_ns == deadline_ns) {
        return;
    }
    x->timer_armed_ns = deadline_ns;
    if (x86_features.tsc_deadline) {
        deadline_arm(deadline_ns);
    } else {
        oneshot_arm(deadline_ns);
    }
}

void arch_cpu_kick(struct cpu *target)
{
    lapic_ipi(target->apic_id, VECTOR_KICK);
}

void arch_cpu_idle(void)
{
    __asm__ volatile("sti; hlt; cli" ::: "memory");
}

void arch_irq_poll(void)
{
    /* The instruction after STI still runs with interrupts closed. */
    __asm__ volatile("sti; nop; cli" ::: "memory");
}
