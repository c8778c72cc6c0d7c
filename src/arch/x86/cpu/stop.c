/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machine's side of panic(): stops the other CPUs by NMI, which reaches
 * them with interrupts off as well, shows registers and call chain, and ends
 * the machine or halts. Nothing here waits without bound or takes a lock.
 */
#include "cpu/stop.h"

#include "arch/panic.h"
#include "arch_inline.h"
#include "cpu/cpu.h"
#include "cpu/percpu.h"
#include "cpu/regs.h"
#include "platform/lapic.h"
#include "platform/power.h"
#include "ravelin/atomic.h"

/* Polls of another CPU's acknowledgement: well below a second. */
#define STOP_POLLS 2000000u

/* Exit code of a panic on the debug exit port. */
#define PANIC_EXIT_CODE 0x3fu

static bool stopping; /* atomic */

static rv_noreturn void halt_forever(void)
{
    for (;;) {
        __asm__ volatile("cli; hlt" ::: "memory");
    }
}

void stop_check(const struct exception_frame *frame rv_unused)
{
    if (load_acquire(&stopping)) {
        store_release(&this_x86_cpu()->stopped, true);
        halt_forever();
    }
}

static bool other_is_running(void)
{
    for (unsigned id = 0; id < cpu_count(); id++) {
        struct cpu *cpu = cpu_by_id(id);
        const struct x86_cpu *x;

        if (cpu == NULL || cpu == this_cpu()) {
            continue;
        }
        x = cpu->arch;
        if (!load_acquire(&x->stopped)) {
            return true;
        }
    }
    return false;
}

void arch_panic_stop_others(void)
{
    interrupts_off();
    if (cpu_count() < 2) {
        return;
    }
    store_release(&stopping, true);
    lapic_nmi_others();
    for (unsigned i = 0; i < STOP_POLLS && other_is_running(); i++) {
        cpu_relax();
    }
}

void arch_panic_dump(const struct exception_frame *frame)
{
    cpu_dump(frame);
}

void arch_panic_end(const char *message rv_unused)
{
    interrupts_off();
    power_debug_exit(PANIC_EXIT_CODE);
    halt_forever();
}
