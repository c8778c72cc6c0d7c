/* SPDX-License-Identifier: MIT */
/*
 * Events of control registers and breakpoints, over the monitor's own ring. Two
 * domains run this image: `role=monitor` asks `role=watched` for one thing at a
 * time (watch.h) and checks that exactly the right events come, and that the
 * guest sees nothing of being watched.
 *
 * Environments: pvh64. Machines with 1, 2 and 4 CPUs.
 */

#include "watched.h"

const char test_title[] = "mon-cr: events of control registers and INT3";

#define WRITES 100u
#define WAIT_NS (20000 * MS)

/* ---- Watching ------------------------------------------------------------ */

#define EVENTS_MAX 512u

static struct monitor mon;
static struct ravelin_event events[EVENTS_MAX];
static unsigned int event_total;
static uint64_t results[WATCH_WORDS];

static void listen(unsigned int reason, uint32_t mode)
{
    CHECK_EQ(monitor_listen(&mon, reason, mode), 0);
}

static void silence(void)
{
    unsigned int i;

    for (i = RAVELIN_REASON_CR0; i <= RAVELIN_REASON_INT3; i++) {
        listen(i, HVMPME_mode_disabled);
    }
    listen(RAVELIN_REASON_MSR, HVMPME_mode_disabled);
}

static void keep(const struct ravelin_event_full *ev, uint32_t answer)
{
    if (event_total < EVENTS_MAX) {
        events[event_total] = ev->event;
    }
    event_total++;
    monitor_answer(&mon, &ev->event, answer);
}

static uint32_t serial; /* of the last phase, with its action */

static bool phase_start(uint32_t action, const uint64_t arg[WATCH_WORDS])
{
    serial = ((serial >> 8) + 1) << 8 | action;
    return CHECK_EQ(watch_start(&mon, serial, arg), 0);
}

static bool phase_is_done(void)
{
    return watch_is_done(&mon, serial, results);
}

/* Waits for the end of a phase in which nobody has to be answered. */
static void phase_end(void)
{
    uint64_t end = clock_ns() + WAIT_NS;

    while (!phase_is_done()) {
        if (!CHECK(clock_ns() < end)) {
            return;
        }
        clock_sleep(MS / 2);
    }
}

/* Runs a phase, answering everything alike, and keeps what came. */
static void phase_run(uint32_t action, uint32_t answer)
{
    uint64_t end = clock_ns() + WAIT_NS;
    struct ravelin_event_full ev;
    bool done = false;

    event_total = 0;
    if (!phase_start(action, NULL)) {
        return;
    }
    while (!done) {
        done = phase_is_done();
        while (monitor_next(&mon, &ev)) {
            keep(&ev, answer);
        }
        monitor_wait(&mon, clock_ns() + MS);
        if (!CHECK(clock_ns() < end)) {
            break;
        }
    }
    silence();
}

static void cr_check(unsigned int i, unsigned int reason, uint64_t changed)
{
    if (CHECK(i < event_total)) {
        CHECK_EQ(events[i].reason, reason);
        CHECK_EQ(events[i].value ^ events[i].old, changed);
        CHECK_EQ(events[i].vcpu, 0);
    }
}

static void test_self(void)
{
    phase_run(PHASE_SELF, 0);
    CHECK_EQ(event_total, 0);
}

static void test_cr0(uint32_t mode)
{
    unsigned int i;

    listen(RAVELIN_REASON_CR0, mode);
    phase_run(PHASE_CR0, 0);
    CHECK_EQ(event_total, 5);
    cr_check(0, RAVELIN_REASON_CR0, CR0_TS);
    cr_check(1, RAVELIN_REASON_CR0, CR0_TS);
    cr_check(2, RAVELIN_REASON_CR0, CR0_TS);
    cr_check(3, RAVELIN_REASON_CR0, CR0_TS);
    cr_check(4, RAVELIN_REASON_CR0, 0);
    for (i = 0; i + 1 < event_total && i < 4; i++) {
        CHECK_EQ(events[i + 1].sequence, events[i].sequence + 1);
        CHECK_EQ(events[i + 1].old, events[i].value);
        CHECK((events[i].flags & RAVELIN_EVENT_PAUSED) ==
              (mode == HVMPME_mode_sync));
    }
}

static void test_faults(void)
{
    listen(RAVELIN_REASON_CR0, HVMPME_mode_sync);
    listen(RAVELIN_REASON_CR3, HVMPME_mode_sync);
    listen(RAVELIN_REASON_CR4, HVMPME_mode_sync);
    phase_run(PHASE_FAULTS, 0);
    CHECK_EQ(event_total, 0);
}

static void test_same(void)
{
    listen(RAVELIN_REASON_CR3, HVMPME_mode_sync | HVMPME_onchangeonly);
    listen(RAVELIN_REASON_CR4, HVMPME_mode_async | HVMPME_onchangeonly);
    phase_run(PHASE_SAME, 0);
    CHECK_EQ(event_total, 4);
    cr_check(0, RAVELIN_REASON_CR3, 1u << 3);
    cr_check(1, RAVELIN_REASON_CR3, 1u << 3);
    cr_check(2, RAVELIN_REASON_CR4, CR4_PGE);
    cr_check(3, RAVELIN_REASON_CR4, CR4_PGE);
    CHECK_EQ(monitor_listen(&mon, RAVELIN_REASON_INT3,
                            HVMPME_mode_sync | HVMPME_onchangeonly),
             -XEN_EINVAL);
    CHECK_EQ(monitor_listen(&mon, RAVELIN_REASON_CR3, 3), -XEN_EINVAL);
    CHECK_EQ(monitor_listen(&mon, RAVELIN_REASON_CR3, 8), -XEN_EINVAL);
    CHECK_EQ(monitor_listen(&mon, RAVELIN_REASON_COUNT, HVMPME_mode_sync),
             -XEN_EINVAL);
}

/* The ring has 64 slots and nobody takes any: the first 64 are there, in order,
 * and the rest is counted. */
static void test_flood(void)
{
    struct ravelin_monitor_status before, after;
    struct ravelin_event_full ev;
    unsigned int n = 0;

    CHECK_EQ(monitor_status(&mon, &before), 0);
    listen(RAVELIN_REASON_CR3, HVMPME_mode_async);
    phase_start(PHASE_FLOOD, NULL);
    phase_end();
    CHECK_EQ(monitor_status(&mon, &after), 0);
    CHECK_EQ(after.lost - before.lost, FLOOD - mon.event_count);
    CHECK_EQ(after.sequence - before.sequence, FLOOD);
    CHECK_EQ(READ_ONCE(mon.ring->lost), after.lost);
    while (monitor_next(&mon, &ev)) {
        CHECK_EQ(ev.event.sequence, before.sequence + ++n);
    }
    CHECK_EQ(n, mon.event_count);
    monitor_flush(&mon);
    silence();
    /* The next one tells of the gap. */
    phase_run(PHASE_ONE, 0);
    CHECK_EQ(event_total, 0);
    listen(RAVELIN_REASON_CR3, HVMPME_mode_async);
    phase_run(PHASE_ONE, 0);
    CHECK_EQ(event_total, 1);
    CHECK_EQ(events[0].sequence, before.sequence + FLOOD + 1);
    CHECK_EQ(events[0].lost, after.lost);
}

static uint64_t result_read(void)
{
    uint64_t now[WATCH_WORDS] = {0};

    CHECK_EQ(
        monitor_read(&mon, (uintptr_t)&watch_mailbox.result, now, sizeof(now)),
        0);
    return now[0];
}

static unsigned int take_all(void)
{
    struct ravelin_event_full ev;
    unsigned int n = 0;

    while (monitor_next(&mon, &ev)) {
        monitor_answer(&mon, &ev.event, 0);
        n++;
    }
    return n;
}

/* Switched on while the vCPU runs: from the return on, every write is told.
 * Switched off likewise. */
static void test_running(void)
{
    const uint64_t go[WATCH_WORDS] = {0}, stop[WATCH_WORDS] = {1};
    uint64_t end = clock_ns() + WAIT_NS;
    struct ravelin_monitor_status status, later;
    uint64_t from, to;
    unsigned int n = 0;

    phase_start(PHASE_RUN, go);
    clock_sleep(5 * MS);
    listen(RAVELIN_REASON_CR3, HVMPME_mode_sync);
    from = result_read();
    while (n < WRITES && CHECK(clock_ns() < end)) {
        n += take_all();
        monitor_wait(&mon, clock_ns() + MS);
    }
    listen(RAVELIN_REASON_CR3, HVMPME_mode_disabled);
    n += take_all();
    CHECK_EQ(monitor_status(&mon, &status), 0);
    to = result_read();
    monitor_flush(&mon);
    /* A write and its count are two instructions, and after the end of the
     * events the guest runs on. */
    CHECK(n <= to - from + 1);
    clock_sleep(5 * MS);
    CHECK_EQ(monitor_status(&mon, &later), 0);
    CHECK_EQ(later.sequence, status.sequence);
    CHECK_EQ(later.waiting, 0);
    CHECK(result_read() > to);
    CHECK_EQ(
        monitor_write(&mon, (uintptr_t)&watch_mailbox.arg, stop, sizeof(stop)),
        0);
    phase_end();
}

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

/* Detached while a vCPU waits: it goes on. */
static void test_let_go(void)
{
    struct ravelin_event_full ev;
    struct ravelin_monitor_status status;

    listen(RAVELIN_REASON_CR3, HVMPME_mode_sync);
    phase_start(PHASE_ONE, NULL);
    if (!event_await(&ev)) {
        return;
    }
    CHECK(!phase_is_done());
    CHECK_EQ(monitor_close(&mon), 0);
    CHECK_EQ(monitor_open(&mon, watch_peer(), 1, false), 0);
    phase_end();
    CHECK_EQ(monitor_status(&mon, &status), 0);
    CHECK_EQ(status.sequence, 0);
    CHECK_EQ(status.waiting, 0);
    phase_run(PHASE_ONE, 0);
    CHECK_EQ(event_total, 0);
}

static void send_answers(void)
{
    mon.must_send = true;
    monitor_flush(&mon);
}

/* Answers for nobody, of the past and with unknown flags change nothing. */
static void test_forged(void)
{
    static const uint32_t wrong[] = {1, 0x7fffffff, 0xffffffff};
    struct ravelin_answer *slot = &mon.ring->answer[0];
    struct ravelin_monitor_status before, after;
    struct ravelin_event_full ev;
    unsigned int i;

    listen(RAVELIN_REASON_CR3, HVMPME_mode_sync);
    phase_start(PHASE_ONE, NULL);
    if (!event_await(&ev)) {
        return;
    }
    CHECK_EQ(monitor_status(&mon, &before), 0);
    for (i = 0; i < ARRAY_SIZE(wrong); i++) {
        slot->flags = 0;
        WRITE_ONCE(slot->sequence, ev.event.sequence + wrong[i]);
        send_answers();
    }
    slot->flags = 0xffff0001;
    WRITE_ONCE(slot->sequence, ev.event.sequence);
    send_answers();
    WRITE_ONCE(mon.ring->answer[31].sequence, ev.event.sequence);
    send_answers();
    clock_sleep(2 * MS);
    CHECK_EQ(monitor_status(&mon, &after), 0);
    CHECK(after.refused - before.refused >= 4);
    CHECK_EQ(after.waiting, 1);
    CHECK(!phase_is_done());
    monitor_answer(&mon, &ev.event, 0);
    monitor_flush(&mon);
    phase_end();
    silence();
    /* The same answer once more finds nobody. */
    listen(RAVELIN_REASON_CR3, HVMPME_mode_sync);
    phase_start(PHASE_ONE, NULL);
    if (event_await(&ev)) {
        send_answers();
        clock_sleep(2 * MS);
        CHECK(!phase_is_done());
        monitor_answer(&mon, &ev.event, 0);
        monitor_flush(&mon);
    }
    phase_end();
    silence();
}

static void test_deny(void)
{
    listen(RAVELIN_REASON_CR3, HVMPME_mode_sync);
    listen(RAVELIN_REASON_CR4, HVMPME_mode_sync);
    phase_run(PHASE_DENY, RAVELIN_ANSWER_DENY);
    CHECK_EQ(event_total, 2);
}

/* ---- Breakpoints --------------------------------------------------------- */

static void bp_check(unsigned int told, unsigned int got)
{
    CHECK_EQ(event_total, told);
    CHECK_EQ(results[0], got);
    CHECK_EQ(results[1], got != 0);
    if (told) {
        CHECK_EQ(events[0].reason, RAVELIN_REASON_INT3);
        CHECK_EQ(events[0].gla, events[0].rip);
        CHECK_EQ(events[0].value, events[0].gla); /* identity mapped */
        CHECK(events[0].flags & RAVELIN_EVENT_GLA);
    }
}

static void test_breakpoints(void)
{
    phase_run(PHASE_BP_OWN, 0);
    bp_check(0, 1);
    listen(RAVELIN_REASON_INT3, HVMPME_mode_async);
    phase_run(PHASE_BP_ASYNC, 0);
    bp_check(1, 1);
    listen(RAVELIN_REASON_INT3, HVMPME_mode_sync);
    phase_run(PHASE_BP_INJECT, RAVELIN_ANSWER_INJECT);
    bp_check(1, 1);
    listen(RAVELIN_REASON_INT3, HVMPME_mode_sync);
    phase_run(PHASE_BP_SKIP, RAVELIN_ANSWER_SKIP);
    bp_check(1, 0);
}

/* Without more the instruction is run again, by now another one. */
static void test_patched(void)
{
    static const uint8_t nop = 0x90, int3 = 0xcc;
    struct ravelin_event_full ev;

    listen(RAVELIN_REASON_INT3, HVMPME_mode_sync);
    phase_start(PHASE_BP_AGAIN, NULL);
    if (!event_await(&ev)) {
        return;
    }
    CHECK_EQ(monitor_write(&mon, ev.event.value, &nop, 1), 0);
    monitor_answer(&mon, &ev.event, 0);
    monitor_flush(&mon);
    phase_end();
    CHECK_EQ(results[0], 0);
    CHECK_EQ(monitor_write(&mon, ev.event.value, &int3, 1), 0);
    silence();
}

/* The guest's other software interrupts are its own. */
static void test_soft_int(void)
{
    listen(RAVELIN_REASON_INT3, HVMPME_mode_sync);
    phase_run(PHASE_SOFT_INT, RAVELIN_ANSWER_SKIP);
    CHECK_EQ(event_total, 0);
    CHECK_EQ(results[0], 1);
    CHECK_EQ(results[1], 1);
    CHECK_EQ(results[2], 1);
}

/* ---- Others -------------------------------------------------------------- */

static void test_msr(void)
{
    const struct ravelin_range lstar = {MSR_LSTAR, MSR_LSTAR};

    CHECK_EQ(monitor_filter(&mon, RAVELIN_FILTER_MSR, &lstar, 1), 0);
    listen(RAVELIN_REASON_MSR, HVMPME_mode_sync);
    phase_run(PHASE_MSR, 0);
    CHECK_EQ(event_total, 2);
    CHECK_EQ(events[0].reason, RAVELIN_REASON_MSR);
    CHECK_EQ(events[0].gla, MSR_LSTAR);
    CHECK_EQ(events[0].value, 0xffff800000001000);
    CHECK_EQ(events[1].old, 0xffff800000001000);
    phase_run(PHASE_MSR, 0);
    CHECK_EQ(event_total, 0);
}

static void test_filters(void)
{
    const struct ravelin_range bits = {CR4_OSFXSR, CR4_OSFXSR};
    const struct ravelin_range never = {0xfffff, 0xfffff}, bad = {2, 1};
    struct ravelin_monitor_status before, after;

    CHECK_EQ(monitor_status(&mon, &before), 0);
    CHECK_EQ(monitor_filter(&mon, RAVELIN_FILTER_CR4, &bits, 1), 0);
    CHECK_EQ(monitor_filter(&mon, RAVELIN_FILTER_CR3, &never, 1), 0);
    listen(RAVELIN_REASON_CR3, HVMPME_mode_sync);
    listen(RAVELIN_REASON_CR4, HVMPME_mode_sync);
    phase_run(PHASE_FILTER, 0);
    CHECK_EQ(event_total, 2);
    cr_check(0, RAVELIN_REASON_CR4, CR4_OSFXSR);
    cr_check(1, RAVELIN_REASON_CR4, CR4_OSFXSR | CR4_PGE);
    CHECK_EQ(monitor_status(&mon, &after), 0);
    CHECK_EQ(after.filtered - before.filtered, 2);
    CHECK_EQ(after.sequence - before.sequence, 2);
    CHECK_EQ(monitor_filter(&mon, RAVELIN_FILTER_CR3, &bad, 1), -XEN_EINVAL);
    CHECK_EQ(monitor_filter(&mon, RAVELIN_FILTER_KINDS, &never, 1),
             -XEN_EINVAL);
    CHECK_EQ(monitor_filter(&mon, RAVELIN_FILTER_CR3, &never,
                            RAVELIN_FILTER_MAX + 1),
             -XEN_E2BIG);
    CHECK_EQ(monitor_filter(&mon, RAVELIN_FILTER_CR4, NULL, 0), 0);
    CHECK_EQ(monitor_filter(&mon, RAVELIN_FILTER_CR3, NULL, 0), 0);
}

static void test_registers(void)
{
    struct ravelin_registers regs;
    struct ravelin_event_full ev;

    CHECK_EQ(monitor_registers_get(&mon, 99, &regs), -XEN_ENOENT);
    listen(RAVELIN_REASON_CR3, HVMPME_mode_sync);
    phase_start(PHASE_REGISTERS, NULL);
    if (!event_await(&ev)) {
        return;
    }
    CHECK_EQ(monitor_registers_get(&mon, 0, &regs), 0);
    CHECK_EQ(regs.gpr[3], MARK);
    CHECK_EQ(regs.rip, ev.event.rip);
    CHECK_EQ(regs.cr3, ev.event.value);
    regs.rip = 1ull << 60;
    CHECK_EQ(monitor_registers_set(&mon, 0, &regs), -XEN_EINVAL);
    regs.rip = ev.event.rip;
    regs.gpr[3] = 2 * MARK;
    CHECK_EQ(monitor_registers_set(&mon, 0, &regs), 0);
    monitor_answer(&mon, &ev.event, 0);
    monitor_flush(&mon);
    phase_end();
    CHECK_EQ(results[0], 2 * MARK);
    silence();
}

/* What may not be: another ring, oneself, domains one is not named for. */
static void test_permission(void)
{
    struct monitor other;

    CHECK_EQ(monitor_open(&other, watch_peer(), 1, false), -XEN_EBUSY);
    CHECK_EQ(monitor_open(&other, own_domid(), 1, false), -XEN_EPERM);
    CHECK_EQ(monitor_open(&other, DOMID_SELF, 1, false), -XEN_EPERM);
    CHECK_EQ(monitor_open(&other, 77, 1, false), -XEN_EPERM);
    CHECK_EQ(monitor_open(&other, watch_peer(), 3, false), -XEN_EINVAL);
}

static void watching(void)
{
    if (!CHECK_EQ(monitor_open(&mon, watch_peer(), 1, false), 0)) {
        return;
    }
    test_permission();
    test_self();
    test_cr0(HVMPME_mode_async);
    test_cr0(HVMPME_mode_sync);
    test_faults();
    test_same();
    test_flood();
    test_running();
    test_let_go();
    test_forged();
    test_deny();
    test_breakpoints();
    test_patched();
    test_soft_int();
    test_msr();
    test_filters();
    test_registers();
    watch_start(&mon, WATCH_END, NULL);
    CHECK_EQ(monitor_close(&mon), 0);
}

void test_main(void)
{
    watch_main(watching, watched);
}
