/* SPDX-License-Identifier: MIT */
/*
 * Scheduling: the share of one CPU that a spinning domain gets, from its own
 * runstate. `share=` is the percentage expected and `slack=` the tolerance in
 * points; `run=` is the length in milliseconds. Two domains start together:
 * with `first=<domid>` a domain waits for the other one, which has
 * `second=<domid>`. Yields must come back and must not stop the clock.
 *
 * Environments: all. Alone, a domain must get nearly all of its CPU. Further
 * vCPUs spin as well; `share=` is then what the first one gets.
 */

#include "guest.h"

const char test_title[] = "sched: shares of a CPU, yield";

static void runstate_read(struct vcpu_runstate_info *r)
{
    if (vcpu_op(VCPUOP_get_runstate_info, 0, r)) {
        report_error("no runstate");
    }
}

#define NOBODY 0xffff
#define PORTS_TRIED 16
#define PATIENCE (20000 * MS)

static bool wait_for_second(unsigned int peer)
{
    long p = event_unbound(DOMID_SELF, peer);

    return CHECK(p > 0) &&
           CHECK(event_status_await((unsigned int)p, EVTCHNSTAT_interdomain,
                                    PATIENCE));
}

static bool start_together(void)
{
    unsigned int first = (unsigned int)cmdline_number("first", NOBODY);
    unsigned int second = (unsigned int)cmdline_number("second", NOBODY);

    if (first != NOBODY) {
        return wait_for_second(first);
    }
    return second == NOBODY ||
           CHECK(event_find(second, PORTS_TRIED, PATIENCE) > 0);
}

static void share_measure(void)
{
    uint64_t share = cmdline_number("share", 100);
    uint64_t slack = cmdline_number("slack", 30);
    uint64_t run = cmdline_number("run", 300) * MS, from, to, used, percent;
    struct vcpu_runstate_info a, b;

    if (!start_together()) {
        return;
    }
    from = clock_ns();
    runstate_read(&a);
    while (clock_ns() < from + run) {
        cpu_relax();
    }
    runstate_read(&b);
    to = clock_ns();
    used = b.time[RUNSTATE_running] - a.time[RUNSTATE_running];
    percent = u64_divide(used * 100, (uint32_t)(to - from), NULL);
    printf("ran %llu of %llu us: %llu%%, expected %llu +- %llu\n",
           (unsigned long long)u64_divide(used, 1000, NULL),
           (unsigned long long)u64_divide(to - from, 1000, NULL),
           (unsigned long long)percent, (unsigned long long)share,
           (unsigned long long)slack);
    CHECK(percent + slack >= share && percent <= share + slack);
    /* Nothing of the time is unaccounted for, but for rounding by periods. */
    used += b.time[RUNSTATE_runnable] - a.time[RUNSTATE_runnable];
    used += b.time[RUNSTATE_blocked] - a.time[RUNSTATE_blocked];
    used += b.time[RUNSTATE_offline] - a.time[RUNSTATE_offline];
    CHECK(used + 2 * MS + ((to - from) >> 5) >= to - from);
}

static void yields(void)
{
    uint64_t from = clock_ns();
    unsigned int i;

    for (i = 0; i < 500; i++) {
        CHECK_EQ(sched_op(SCHEDOP_yield, NULL), 0);
    }
    CHECK(clock_ns() > from);
}

static uint32_t over;

static void spin(unsigned int cpu)
{
    (void)cpu;
    while (!READ_ONCE(over)) {
        cpu_relax();
    }
}

void test_main(void)
{
    unsigned int cpu;

    for (cpu = 1; cpu < cpu_count(); cpu++) {
        CHECK_EQ(cpu_start(cpu, spin), 0);
    }
    share_measure();
    WRITE_ONCE(over, 1);
    for (cpu = 1; cpu < cpu_count(); cpu++) {
        CHECK(cpu_wait_down(cpu, 2000 * MS));
    }
    yields();
}
