/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What every CPU does for ever: pick a vCPU, run it until its next exit, act on
 * the exit. Between two turns it holds no lock and no transient pointer, which
 * is what quiescence, deferred work and timers build on.
 */

#include "ravelin/cpu_loop.h"
#include "arch/host.h"
#include "entry_build.h"
#include "ravelin/atomic.h"
#include "ravelin/console.h"
#include "ravelin/guest_copy.h"
#include "ravelin/monitor_access.h"
#include "ravelin/quiesce.h"
#include "ravelin/sched.h"
#include "ravelin/serial_irq.h"
#include "ravelin/vconsole.h"
#include "ravelin/vmexit.h"
#include "ravelin/work.h"

/*
 * A CPU that removes a translation bumps the generation, then looks at
 * in_guest; sched_guest_enter() has set in_guest before we look at the
 * generation. With a full barrier on both sides at least one sees the other's
 * write, so no guest runs on a translation that somebody believes gone.
 */
static rv_always_inline void translations_check(struct vcpu *v)
{
    uint64_t generation = read_once(v->domain->p2m.generation);

    if (unlikely(v->tlb_seen != generation)) {
        hv->tlb_flush(v);
        walk_cache_flush(v);
        store_release(&v->tlb_seen, generation);
    }
}

/* The same turn for a vCPU that executes one instruction at a time. */
static rv_noinline void vcpu_turn_stepping(struct cpu *cpu, struct vcpu *v)
{
    struct vmexit exit;

    if (!monitor_step_prepare(v) || !entry_build_check(v) ||
        !sched_guest_enter(cpu)) {
        return;
    }
    translations_check(v);
    if (!monitor_step_arm(v)) {
        sched_guest_leave(cpu);
        return;
    }
    hv->vcpu_enter(v, &exit);
    sched_guest_leave(cpu);
    monitor_step_disarm(v, &exit);
    vmexit_handle(v, &exit);
    monitor_step_settle(v);
}

/* A step keeps the vCPU's attention, so that others do not pay for a test. */
static void vcpu_turn(struct cpu *cpu, struct vcpu *v)
{
    struct vmexit exit;

    if (unlikely(read_once(v->attention))) {
        if (!vmentry_attend(v)) {
            return;
        }
        if (unlikely(v->stepping)) {
            vcpu_turn_stepping(cpu, v);
            return;
        }
    }
    if (!entry_build_check(v) || !sched_guest_enter(cpu)) {
        return;
    }
    translations_check(v);
    hv->vcpu_enter(v, &exit);
    sched_guest_leave(cpu);
    vmexit_handle(v, &exit);
}

/* Everything that is not running a guest; reached when resched is set. */
static struct vcpu *cpu_housekeep(void)
{
    timers_run();
    work_run();
    serial_irq_poll();
    console_input_poll(vconsole_input);
    console_output_poll();
    vconsole_poll();
    return sched_pick();
}

/* Interrupts are off since the queues were looked at, so whoever queues work
 * or a vCPU for this CPU now ends the wait with its kick. */
static void cpu_wait(void)
{
    if (work_is_pending() || !quiesce_idle()) {
        return;
    }
    arch_cpu_idle();
    quiesce_resume();
}

rv_noreturn void cpu_loop(void)
{
    struct cpu *cpu = this_cpu();
    struct vcpu *v;

    for (;;) {
        quiesce_point();
        if (unlikely(read_once(cpu->resched) || !cpu->current)) {
            v = cpu_housekeep();
            if (!v) {
                cpu_wait();
                continue;
            }
        }
        vcpu_turn(cpu, cpu->current);
    }
}
