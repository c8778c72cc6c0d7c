/* SPDX-License-Identifier: MIT */
/*
 * Event delivery as an interrupt: the callback vector, the per-CPU upcall
 * vector through the local APIC, interrupts off, nesting, and delivery to
 * another CPU.
 *
 * Environments: all. `via=apic` on the command line tests the per-CPU vector
 * instead of the callback (a domain uses one of the two), and with two vCPUs
 * delivery to the other.
 */

#include "guest.h"

const char test_title[] = "evtchn-upcall: callback and upcall vectors";

#define UPCALL_VECTOR 0xd0

static volatile uint32_t upcalls, taken[CPUS_MAX];
static volatile unsigned int last_port;
static unsigned int nested_port;

static void port_seen(unsigned int port)
{
    last_port = port;
    atomic_inc(&taken[cpu_index()]);
    if (nested_port) {
        unsigned int p = nested_port;

        nested_port = 0;
        event_send(p);
    }
}

static void callback(struct trap_frame *frame)
{
    (void)frame;
    atomic_inc(&upcalls);
    event_take(port_seen);
}

static void callback_apic(struct trap_frame *frame)
{
    callback(frame);
    lapic_eoi();
}

/* Lets a pending interrupt in: the shadow of STI is over after the NOPs. */
static void window(void)
{
    asm volatile("sti; nop; nop; cli" ::: "memory");
}

static void counts_reset(void)
{
    unsigned int i;

    upcalls = 0;
    last_port = 0;
    for (i = 0; i < CPUS_MAX; i++) {
        taken[i] = 0;
    }
}

static void vector_callback(unsigned int p)
{
    counts_reset();
    event_cpu_reset(0);
    trap_handler_set(EVENT_VECTOR, callback);
    CHECK_EQ(event_callback_set(EVENT_VECTOR), 0);

    /* Interrupts off: recorded, not delivered. */
    CHECK_EQ(event_send(p), 0);
    asm volatile("nop; nop" ::: "memory");
    CHECK_EQ(upcalls, 0);
    CHECK_EQ(vcpu_info(0)->evtchn_upcall_pending, 1);
    window();
    CHECK_EQ(upcalls, 1);
    CHECK_EQ(last_port, p);
    CHECK_EQ(vcpu_info(0)->evtchn_upcall_pending, 0);

    /* Interrupts on: delivered before the call returns to the next line. */
    irq_enable();
    CHECK_EQ(event_send(p), 0);
    asm volatile("nop" ::: "memory");
    CHECK_EQ(upcalls, 2);

    /* Masked: nothing, until the unmask operation. */
    event_mask(p);
    CHECK_EQ(event_send(p), 0);
    asm volatile("nop" ::: "memory");
    CHECK_EQ(upcalls, 2);
    CHECK_EQ(event_unmask_op(p), 0);
    asm volatile("nop" ::: "memory");
    CHECK_EQ(upcalls, 3);
    irq_disable();
}

static void nested_events(unsigned int p, unsigned int q)
{
    counts_reset();
    nested_port = q;
    irq_enable();
    CHECK_EQ(event_send(p), 0);
    asm volatile("nop; nop" ::: "memory");
    irq_disable();
    CHECK_EQ(taken[0], 2);
    CHECK_EQ(last_port, q);
    CHECK(!event_is_pending(p) && !event_is_pending(q));

    /* Many ports at once give one upcall that finds them all. */
    counts_reset();
    CHECK_EQ(event_send(p), 0);
    CHECK_EQ(event_send(q), 0);
    window();
    CHECK_EQ(upcalls, 1);
    CHECK_EQ(taken[0], 2);
}

/*
 * STI and HLT are one step: an event that comes in between wakes the CPU after
 * the HLT. QEMU 7.2 does not keep the shadow of STI over VMRUN, by which the
 * reference loses such an event now and then.
 */
static void wakes_from_hlt(unsigned int timer)
{
    unsigned int i;

    for (i = 0; i < 50; i++) {
        counts_reset();
        CHECK_EQ(set_timer_op(clock_ns() + MS / 5 + i * 2000), 0);
        irq_enable_halt();
        irq_disable();
        CHECK_EQ(last_port, timer);
    }
}

static void wakes_from_block(void)
{
    long timer = event_virq(VIRQ_TIMER, 0);

    CHECK(timer > 0);
    if (!cmdline_value("reference")) {
        wakes_from_hlt((unsigned int)timer);
    }
    counts_reset();
    CHECK_EQ(set_timer_op(clock_ns() + 2 * MS), 0);
    CHECK_EQ(sched_op(SCHEDOP_block, NULL), 0);
    window();
    CHECK_EQ(last_port, timer);
    CHECK_EQ(event_close((unsigned int)timer), 0);
}

/* The vector can be changed at any time, also with an event waiting. */
static void vector_changes(unsigned int p)
{
    counts_reset();
    CHECK_EQ(event_send(p), 0);
    trap_handler_set(EVENT_VECTOR, NULL);
    trap_handler_set(EVENT_VECTOR + 1, callback);
    CHECK_EQ(event_callback_set(EVENT_VECTOR + 1), 0);
    window();
    CHECK_EQ(upcalls, 1);
    CHECK_EQ(last_port, p);
}

static void upcall_vector(unsigned int p)
{
    counts_reset();
    event_cpu_reset(0);
    lapic_enable();
    trap_handler_set(UPCALL_VECTOR, callback_apic);
    CHECK_EQ(event_upcall_vector_set(0, 0x0f), -XEN_EINVAL);
    CHECK_EQ(event_upcall_vector_set(4096, UPCALL_VECTOR), -XEN_ENOENT);
    CHECK_EQ(event_upcall_vector_set(0, UPCALL_VECTOR), 0);
    CHECK_EQ(event_send(p), 0);
    CHECK_EQ(upcalls, 0);
    CHECK(lapic_vector_test(LAPIC_IRR, UPCALL_VECTOR));
    window();
    CHECK_EQ(upcalls, 1);
    CHECK(!lapic_vector_test(LAPIC_IRR, UPCALL_VECTOR));
    CHECK(!lapic_vector_test(LAPIC_ISR, UPCALL_VECTOR));

    /* It is an interrupt like others: the task priority holds it back. */
    lapic_write(LAPIC_TPR, 0xf0);
    CHECK_EQ(event_send(p), 0);
    window();
    CHECK_EQ(upcalls, 1);
    lapic_write(LAPIC_TPR, 0);
    window();
    CHECK_EQ(upcalls, 2);
}

static volatile uint32_t ready, stop;

static void other_cpu(unsigned int cpu)
{
    lapic_enable();
    CHECK_EQ(event_upcall_vector_set(cpu, UPCALL_VECTOR), 0);
    event_cpu_reset(cpu);
    atomic_inc(&ready);
    while (!stop) {
        irq_enable_halt();
        irq_disable();
    }
}

/* `p` and `peer` are the two ends of a loopback pair. */
static void to_another_cpu(unsigned int p, unsigned int peer)
{
    long q;

    if (cpu_count() < 2) {
        printf("one vCPU: delivery to another is not tested\n");
        return;
    }
    counts_reset();
    CHECK_EQ(cpu_start(1, other_cpu), 0);
    CHECK(cpu_wait(&ready, 1, 2000 * MS));
    q = event_ipi(1);
    CHECK(q > 0);
    CHECK_EQ(event_send((unsigned int)q), 0);
    CHECK(cpu_wait(&taken[1], 1, 2000 * MS));
    CHECK_EQ(taken[0], 0);
    /* A loopback pair can be moved to a CPU, an IPI port cannot. */
    CHECK_EQ(event_bind_cpu(p, 1), 0);
    CHECK_EQ(event_bind_cpu((unsigned int)q, 0), -XEN_EINVAL);
    CHECK_EQ(event_bind_cpu(p, 4096), -XEN_ENOENT);
    CHECK_EQ(event_send(peer), 0);
    CHECK(cpu_wait(&taken[1], 2, 2000 * MS));
    stop = 1;
    CHECK_EQ(event_send((unsigned int)q), 0); /* out of HLT */
    CHECK(cpu_wait_down(1, 2000 * MS));
}

void test_main(void)
{
    long a = event_unbound(DOMID_SELF, DOMID_SELF), b, p = event_ipi(0);
    long q = event_ipi(0);

    b = event_interdomain(DOMID_SELF, (unsigned int)a);
    if (!CHECK(a > 0 && b > 0 && p > 0 && q > 0)) {
        return;
    }
    event_clear((unsigned int)a);
    event_clear((unsigned int)b);
    if (cmdline_value("via")) {
        upcall_vector((unsigned int)p);
        to_another_cpu((unsigned int)a, (unsigned int)b);
        return;
    }
    vector_callback((unsigned int)p);
    nested_events((unsigned int)p, (unsigned int)q);
    wakes_from_block();
    vector_changes((unsigned int)p);
}
