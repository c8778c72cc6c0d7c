/* SPDX-License-Identifier: MIT */
/*
 * A listener that is lost while vCPUs wait for it, and rings smaller than the
 * number of vCPUs. `role=monitor kind=` says what the watching side does:
 *   dies    shuts itself down without a word
 *   hangs   takes the event and never answers
 *   crowd   lets all vCPUs of the watched domain wait while the ring is full of
 *           other events, before it takes any
 *   churn   attaches and detaches again and again, with events outstanding,
 * while all vCPUs of the watched domain raise them The watched domain's
 * manifest says what follows (on-monitor-loss). Its INT3 is its own again once
 * nobody listens.
 *
 * Environments: pvh64.
 */

#include "guest.h"
#include "watch.h"

const char test_title[] = "mon-loss: a listener that is lost";

#define CROWD_ROUNDS 8u
#define FILL 20u
#define CHURN_ROUNDS 60u
#define WAIT_NS (8000 * MS)

enum phase {
    PHASE_NONE,
    PHASE_READY,
    PHASE_WRITE,
    PHASE_BREAKPOINT,
    PHASE_GATHER,
    PHASE_FILL,
    PHASE_CHURN,
    PHASE_CROWD
};

static const char *kind(void)
{
    const char *word = cmdline_value("kind");

    return word ? word : "";
}

/* ---- Watched ------------------------------------------------------------- */

static volatile unsigned int traps;
static volatile uint32_t crowd_here;
static bool crowd_may_go;

static void on_trap(struct trap_frame *frame)
{
    (void)frame;
    traps++;
}

static void cr3_writes(unsigned int n)
{
    unsigned long cr3 = read_cr3();

    while (n--) {
        write_cr3(cr3);
    }
}

/* The CPUs start before anybody listens: a start writes CR3, too. */
static void crowd_cpu(unsigned int cpu)
{
    (void)cpu;
    __atomic_fetch_add(&crowd_here, 1, __ATOMIC_SEQ_CST);
    while (!READ_ONCE(crowd_may_go)) {
        clock_sleep(MS / 4);
    }
    cr3_writes(CROWD_ROUNDS);
    __atomic_fetch_sub(&crowd_here, 1, __ATOMIC_SEQ_CST);
}

static void crowd_gather(void)
{
    unsigned int n = cpu_count(), i;

    for (i = 1; i < n; i++) {
        CHECK_EQ(cpu_start(i, crowd_cpu), 0);
        CHECK(cpu_wait(&crowd_here, i, WAIT_NS));
    }
}

static void crowd(void)
{
    uint64_t end = clock_ns() + WAIT_NS;

    WRITE_ONCE(crowd_may_go, true);
    cr3_writes(CROWD_ROUNDS);
    while (__atomic_load_n(&crowd_here, __ATOMIC_SEQ_CST) != 0) {
        if (!CHECK(clock_ns() < end)) {
            break;
        }
        clock_sleep(MS);
    }
}

/* All CPUs write until the watcher says that it has had enough. */
static void churn_cpu(unsigned int cpu)
{
    uint32_t n = 0;

    __atomic_fetch_add(&crowd_here, 1, __ATOMIC_SEQ_CST);
    while (READ_ONCE(watch_mailbox.arg[0]) == 0) {
        cr3_writes(1);
        WRITE_ONCE(watch_mailbox.result[cpu], ++n);
        clock_spin(MS / 50);
    }
    __atomic_fetch_sub(&crowd_here, 1, __ATOMIC_SEQ_CST);
}

static void churn(void)
{
    unsigned int n = cpu_count(), i;

    for (i = 1; i < n; i++) {
        CHECK_EQ(cpu_start(i, churn_cpu), 0);
        CHECK(cpu_wait(&crowd_here, i, WAIT_NS));
    }
    churn_cpu(0);
    for (i = 0; i < 1000 && crowd_here != 0; i++) {
        clock_sleep(MS);
    }
    CHECK_EQ(crowd_here, 0);
}

static void watched(void)
{
    uint32_t phase = PHASE_NONE;

    trap_handler_set(TRAP_BP, on_trap);
    while ((phase = watch_await(phase)) != WATCH_END) {
        switch (phase) {
        case PHASE_READY:
            break;
        case PHASE_WRITE:
            write_cr3(read_cr3());
            break;
        case PHASE_BREAKPOINT:
            asm volatile("int3" ::: "memory");
            CHECK_EQ(traps, 1);
            /* Nobody listens by now. */
            asm volatile("int3" ::: "memory");
            CHECK_EQ(traps, 2);
            write_cr3(read_cr3());
            watch_done(phase);
            return;
        case PHASE_GATHER:
            crowd_gather();
            break;
        case PHASE_CHURN:
            churn();
            break;
        case PHASE_FILL:
            cr3_writes(FILL);
            break;
        default:
            crowd();
            break;
        }
        watch_done(phase);
    }
}

/* ---- Watching ------------------------------------------------------------ */

static struct monitor mon;

static bool event_await(struct ravelin_event_full *ev)
{
    uint64_t end = clock_ns() + WAIT_NS;

    while (!monitor_next(&mon, ev)) {
        if (!CHECK(clock_ns() < end)) {
            return false;
        }
        monitor_wait(&mon, clock_ns() + MS);
    }
    return true;
}

static void phase_wait(uint32_t phase, uint64_t end)
{
    CHECK_EQ(watch_start(&mon, phase, NULL), 0);
    while (!watch_is_done(&mon, phase, NULL) && CHECK(clock_ns() < end)) {
        clock_sleep(MS);
    }
}

/* Everything works, then a breakpoint waits for an answer that never comes. */
static void lose(void)
{
    uint64_t end = clock_ns() + WAIT_NS;
    struct ravelin_event_full ev;

    /* Its start writes CR3, too. */
    phase_wait(PHASE_READY, end);
    CHECK_EQ(monitor_listen(&mon, RAVELIN_REASON_CR3, HVMPME_mode_sync), 0);
    CHECK_EQ(monitor_listen(&mon, RAVELIN_REASON_INT3, HVMPME_mode_sync), 0);
    CHECK_EQ(watch_start(&mon, PHASE_WRITE, NULL), 0);
    if (!event_await(&ev)) {
        return;
    }
    monitor_answer(&mon, &ev.event, 0);
    monitor_flush(&mon);
    CHECK_EQ(watch_start(&mon, PHASE_BREAKPOINT, NULL), 0);
    if (!event_await(&ev)) {
        return;
    }
    CHECK_EQ(ev.event.reason, RAVELIN_REASON_INT3);
    if (kind()[0] == 'd') {
        return;
    }
    while (READ_ONCE(mon.ring->state) == RAVELIN_RING_ON) {
        if (!CHECK(clock_ns() < end)) {
            break;
        }
        clock_sleep(MS);
    }
    CHECK_EQ(READ_ONCE(mon.ring->state), RAVELIN_RING_OVER);
}

/* The ring is full of asynchronous events when all vCPUs come to wait: they are
 * queued, and none of their events is lost. */
static void serve_crowd(void)
{
    uint64_t end = clock_ns() + WAIT_NS;
    struct ravelin_monitor_status status;
    struct ravelin_event_full ev;
    unsigned int n = 0, lost;

    phase_wait(PHASE_GATHER, end);
    CHECK_EQ(monitor_listen(&mon, RAVELIN_REASON_CR3, HVMPME_mode_async), 0);
    phase_wait(PHASE_FILL, end);
    CHECK_EQ(monitor_status(&mon, &status), 0);
    lost = (unsigned int)status.lost;
    CHECK_EQ(lost, FILL - mon.event_count);
    CHECK_EQ(monitor_listen(&mon, RAVELIN_REASON_CR3, HVMPME_mode_sync), 0);
    CHECK_EQ(watch_start(&mon, PHASE_CROWD, NULL), 0);
    do {
        clock_sleep(MS);
        CHECK_EQ(monitor_status(&mon, &status), 0);
    } while (status.waiting != (1ull << mon.vcpu_count) - 1 &&
             CHECK(clock_ns() < end));
    CHECK_EQ(READ_ONCE(mon.ring->queued), mon.vcpu_count);
    while (!watch_is_done(&mon, PHASE_CROWD, NULL) && CHECK(clock_ns() < end)) {
        while (monitor_next(&mon, &ev)) {
            n++;
            CHECK_EQ(ev.event.sequence, n > mon.event_count ? n + lost : n);
            CHECK(ev.event.flags & RAVELIN_EVENT_REGS);
            monitor_answer(&mon, &ev.event, 0);
        }
        monitor_wait(&mon, clock_ns() + MS);
    }
    CHECK_EQ(monitor_status(&mon, &status), 0);
    CHECK_EQ(n, mon.event_count + mon.vcpu_count * CROWD_ROUNDS);
    CHECK_EQ(status.lost, lost);
    CHECK(status.delayed >= mon.vcpu_count);
    CHECK_EQ(monitor_listen(&mon, RAVELIN_REASON_CR3, HVMPME_mode_disabled), 0);
    CHECK_EQ(watch_start(&mon, WATCH_END, NULL), 0);
    CHECK_EQ(monitor_close(&mon), 0);
}

static void serve_churn(void)
{
    const uint64_t go[WATCH_WORDS] = {0}, stop[WATCH_WORDS] = {1};
    uint64_t end = clock_ns() + WAIT_NS, before[WATCH_WORDS],
             after[WATCH_WORDS];
    struct ravelin_event_full ev;
    unsigned int round, i, n = mon.vcpu_count;

    CHECK_EQ(watch_start(&mon, PHASE_CHURN, go), 0);
    clock_sleep(20 * MS);
    for (round = 0; round < CHURN_ROUNDS; round++) {
        CHECK_EQ(
            monitor_listen(&mon, RAVELIN_REASON_CR3,
                           round % 3 ? HVMPME_mode_sync : HVMPME_mode_async),
            0);
        for (i = 0; i < round % 5 && clock_ns() < end; i++) {
            monitor_wait(&mon, clock_ns() + MS);
            while (monitor_next(&mon, &ev)) {
                monitor_answer(&mon, &ev.event, 0);
            }
        }
        CHECK_EQ(monitor_close(&mon), 0);
        CHECK_EQ(monitor_open(&mon, watch_peer(), 1, round & 1), 0);
    }
    /* Nobody has been left behind. */
    CHECK_EQ(monitor_read(&mon, (uintptr_t)&watch_mailbox.result, before,
                          sizeof(before)),
             0);
    for (i = 0; i < n && CHECK(clock_ns() < end);) {
        clock_sleep(MS);
        CHECK_EQ(monitor_read(&mon, (uintptr_t)&watch_mailbox.result, after,
                              sizeof(after)),
                 0);
        i += after[i] > before[i];
    }
    CHECK_EQ(
        monitor_write(&mon, (uintptr_t)&watch_mailbox.arg, stop, sizeof(stop)),
        0);
    while (!watch_is_done(&mon, PHASE_CHURN, NULL) && CHECK(clock_ns() < end)) {
        clock_sleep(MS);
    }
    CHECK_EQ(watch_start(&mon, WATCH_END, NULL), 0);
    CHECK_EQ(monitor_close(&mon), 0);
}

void test_main(void)
{
    const char *role = cmdline_value("role");
    bool is_crowd = kind()[0] == 'c' && kind()[1] == 'r';

    if (!role || role[0] != 'm') {
        watched();
        return;
    }
    if (!CHECK_EQ(monitor_open(&mon, watch_peer(), 1, is_crowd), 0)) {
        return;
    }
    if (is_crowd) {
        serve_crowd();
    } else if (kind()[0] == 'c') {
        serve_churn();
    } else {
        lose();
    }
}
