/* SPDX-License-Identifier: MIT */
/*
 * Time: the paravirtual clock against the TSC, the wall clock, and every way
 * to be woken later (set_timer_op, singleshot and periodic vCPU timers, poll
 * time-outs, and the local APIC timer in its modes).
 *
 * Environments: all. Limits are wide: an emulated machine may stop for long,
 * but no timer may be early, and none may be lost.
 */

#include "guest.h"

const char test_title[] = "time: clocks and timers";

#define TIMER_VECTOR 0xd1
#define LATE (2000 * MS)
#define YEAR_2020 1577836800ull

static volatile uint32_t ticks;
static unsigned int timer_port;

static void tick(struct trap_frame *frame)
{
    (void)frame;
    atomic_inc(&ticks);
    lapic_eoi();
}

static void clock_is_monotonic(void)
{
    uint64_t last = clock_ns(), last_tsc = rdtsc();
    unsigned int i;

    for (i = 0; i < 2000; i++) {
        uint64_t now = clock_ns(), tsc = rdtsc();

        if (now < last || tsc <= last_tsc) {
            report_failure("time went back: %llu after %llu",
                           (unsigned long long)now, (unsigned long long)last);
            return;
        }
        last = now;
        last_tsc = tsc;
    }
}

/* The rate that the scale promises is the rate at which updates happen. */
static void clock_matches_tsc(void)
{
    struct vcpu_time_info a, b;
    uint64_t predicted, diff, end;

    clock_read(&a);
    CHECK_EQ(a.version & 1, 0);
    CHECK(a.tsc_to_system_mul != 0);
    CHECK(clock_tsc_khz() > 1000);
    end = clock_ns() + 30 * MS;
    do {
        sched_op(SCHEDOP_yield, NULL);
        clock_read(&b);
    } while (clock_ns() < end);
    CHECK_EQ(b.version & 1, 0);
    CHECK(b.tsc_timestamp >= a.tsc_timestamp);
    predicted =
        a.system_time + clock_scale(&a, b.tsc_timestamp - a.tsc_timestamp);
    diff = predicted > b.system_time ? predicted - b.system_time
                                     : b.system_time - predicted;
    CHECK(diff <= MS);
    printf("TSC %llu kHz, drift %llu ns\n", (unsigned long long)clock_tsc_khz(),
           (unsigned long long)diff);
}

static void wall_clock(void)
{
    uint32_t ns;
    uint64_t sec = clock_wall(&ns);

    CHECK(ns < 1000000000);
    CHECK(sec + u64_divide(clock_ns(), 1000000000, NULL) > YEAR_2020);
    CHECK_EQ(READ_ONCE(shared_info()->wc_version) & 1, 0);
}

static void timer_expect(const char *what, uint64_t deadline)
{
    long rc = event_poll(timer_port, deadline + LATE);
    uint64_t now = clock_ns();

    CHECK_EQ(rc, 0);
    if (!CHECK(event_is_pending(timer_port)) || !CHECK(now >= deadline)) {
        printf("  %s: at %llu, due %llu\n", what, (unsigned long long)now,
               (unsigned long long)deadline);
    }
    event_clear(timer_port);
}

static void set_timer(void)
{
    uint64_t due = clock_ns() + 3 * MS;

    event_clear(timer_port);
    CHECK_EQ(set_timer_op(due), 0);
    timer_expect("set_timer_op", due);
    /* In the past: at once. */
    due = clock_ns();
    CHECK_EQ(set_timer_op(due - MS), 0);
    timer_expect("set_timer_op in the past", due);
    /* Zero stops it. */
    CHECK_EQ(set_timer_op(clock_ns() + 5 * MS), 0);
    CHECK_EQ(set_timer_op(0), 0);
    clock_spin(10 * MS);
    CHECK(!event_is_pending(timer_port));
}

static void singleshot_timer(void)
{
    struct vcpu_set_singleshot_timer t = {
        .timeout_abs_ns = clock_ns() + 3 * MS,
    };
    long rc;

    event_clear(timer_port);
    CHECK_EQ(vcpu_op(VCPUOP_set_singleshot_timer, 0, &t), 0);
    timer_expect("singleshot", t.timeout_abs_ns);
    t.timeout_abs_ns = clock_ns() - MS;
    t.flags = VCPU_SSHOTTMR_future;
    /* The flag is ignored since Xen 4.17: the timer fires at once. */
    rc = vcpu_op(VCPUOP_set_singleshot_timer, 0, &t);
    if (rc != -XEN_ETIME) {
        CHECK_EQ(rc, 0);
        timer_expect("singleshot in the past", t.timeout_abs_ns);
    }
    t.flags = 0;
    t.timeout_abs_ns = clock_ns() + 5 * MS;
    CHECK_EQ(vcpu_op(VCPUOP_set_singleshot_timer, 0, &t), 0);
    CHECK_EQ(vcpu_op(VCPUOP_stop_singleshot_timer, 0, NULL), 0);
    event_clear(timer_port);
    clock_spin(10 * MS);
    CHECK(!event_is_pending(timer_port));
}

static void periodic_timer(void)
{
    struct vcpu_set_periodic_timer t = {.period_ns = 2 * MS};
    unsigned int i;

    if (vcpu_op(VCPUOP_set_periodic_timer, 0, &t) == -XEN_ENOSYS) {
        printf("no periodic timer\n");
        return;
    }
    for (i = 0; i < 5; i++) {
        timer_expect("periodic", clock_ns());
    }
    CHECK_EQ(vcpu_op(VCPUOP_stop_periodic_timer, 0, NULL), 0);
    event_clear(timer_port);
    clock_spin(10 * MS);
    CHECK(!event_is_pending(timer_port));
    t.period_ns = 1000;
    CHECK_EQ(vcpu_op(VCPUOP_set_periodic_timer, 0, &t), -XEN_EINVAL);
}

static void poll_time_outs(void)
{
    uint64_t from = clock_ns();

    event_mask(timer_port);
    CHECK_EQ(event_poll(timer_port, from + 4 * MS), 0);
    CHECK(clock_ns() >= from + 4 * MS);
    event_mask_clear(timer_port);
}

static void apic_timer_start(uint32_t mode, uint32_t count)
{
    ticks = 0;
    lapic_write(LAPIC_TDCR, 0xb); /* divide by 1 */
    lapic_write(LAPIC_LVTT, mode | TIMER_VECTOR);
    lapic_write(LAPIC_TMICT, count);
}

static void apic_timer_stop(void)
{
    lapic_write(LAPIC_LVTT, LVT_MASKED | TIMER_VECTOR);
    lapic_write(LAPIC_TMICT, 0);
    asm volatile("sti; nop; nop; cli" ::: "memory");
}

static void apic_timer(void)
{
    uint64_t from, to;

    lapic_enable();
    trap_handler_set(TIMER_VECTOR, tick);
    from = clock_ns();
    apic_timer_start(0, 200000);
    CHECK(lapic_read(LAPIC_TMCCT) <= 200000);
    irq_enable();
    CHECK(cpu_wait(&ticks, 1, LATE));
    to = clock_ns();
    printf("APIC timer: 200000 counts in %llu ns or less\n",
           (unsigned long long)(to - from));
    clock_spin(5 * MS);
    CHECK_EQ(lapic_read(LAPIC_TMCCT), 0);
    CHECK_EQ(ticks, 1);

    apic_timer_start(LVT_PERIODIC, 100000);
    CHECK(cpu_wait(&ticks, 5, LATE));
    irq_disable();
    apic_timer_stop();

    /* Masked: it counts, but nobody hears. */
    apic_timer_start(LVT_MASKED, 50000);
    irq_enable();
    clock_spin(3 * MS);
    CHECK_EQ(ticks, 0);
    irq_disable();
    apic_timer_stop();
}

static void deadline_timer(void)
{
    uint64_t due;

    if (!(cpuid(1).c & (1u << 24))) {
        printf("no TSC deadline timer\n");
        return;
    }
    ticks = 0;
    lapic_write(LAPIC_LVTT, LVT_DEADLINE | TIMER_VECTOR);
    /* Far enough off to be still armed when it is read back on a busy host. */
    due = rdtsc() + 100 * clock_tsc_khz();
    wrmsr(MSR_TSC_DEADLINE, due);
    CHECK_EQ(rdmsr(MSR_TSC_DEADLINE), due);
    irq_enable();
    CHECK(cpu_wait(&ticks, 1, LATE));
    irq_disable();
    CHECK(rdtsc() >= due);
    CHECK_EQ(rdmsr(MSR_TSC_DEADLINE), 0);
    /* The other modes' counter does nothing now. */
    lapic_write(LAPIC_TMICT, 1000);
    CHECK_EQ(lapic_read(LAPIC_TMCCT), 0);
    apic_timer_stop();
}

void test_main(void)
{
    long p = event_virq(VIRQ_TIMER, 0);

    if (!CHECK(p > 0)) {
        return;
    }
    timer_port = (unsigned int)p;
    clock_is_monotonic();
    clock_matches_tsc();
    wall_clock();
    set_timer();
    singleshot_timer();
    periodic_timer();
    poll_time_outs();
    apic_timer();
    deadline_timer();
}
