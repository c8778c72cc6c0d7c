/* SPDX-License-Identifier: MIT */
/*
 * A debugger beside a monitor. Two domains run this image; the one with the
 * control role attaches as a debugger to the other, and also as its monitor.
 * An INT3 is told to both, and the guest gets its #BP only if neither takes it.
 * Single steps stop the domain after each instruction and show nothing in the
 * guest's flags.
 *
 * Options: `role=watched`, or `role=monitor` with `peer=`. Environment: pvh64.
 */

#include "domctl.h"
#include "guest.h"
#include "watch.h"

const char test_title[] = "debug-attach: debugger and monitor at once";

#define EVENT_STEP 1u
#define EVENT_BREAKPOINT 3u
#define NO_VCPU (~0u)

enum phase {
    PHASE_NONE,
    PHASE_OWN,      /* nobody listens: its own #BP */
    PHASE_DEBUGGER, /* the debugger takes it */
    PHASE_BOTH,     /* and the monitor is told as well */
    PHASE_MONITOR,  /* the debugger has gone */
    PHASE_STEP,     /* counts until it is told to stop */
    PHASE_END
};

/* ---- Watched ------------------------------------------------------------- */

static volatile uint64_t traps, trap_flags;

static void seen(struct trap_frame *f)
{
    traps++;
    trap_flags |= f->flags & FLAGS_TF;
}

static void watched(void)
{
    uint32_t phase = PHASE_NONE;

    trap_handler_set(TRAP_BP, seen);
    trap_handler_set(TRAP_DB, seen);
    while ((phase = watch_await(phase)) != WATCH_END) {
        uint64_t flags = 0;

        traps = 0;
        if (phase == PHASE_STEP) {
            irq_enable(); /* Bochs' way to take the CPU from it */
            while (READ_ONCE(watch_mailbox.arg[0]) == phase) {
                watch_mailbox.result[3]++;
                flags |= read_flags() & FLAGS_TF;
            }
            irq_disable();
        } else {
            asm volatile("int3");
        }
        watch_mailbox.result[0] = traps;
        watch_mailbox.result[1] = flags | trap_flags;
        watch_mailbox.result[2] = read_dr6();
        watch_done(phase);
    }
}

/* ---- Debugging ----------------------------------------------------------- */

static struct monitor mon;
static uint64_t result[WATCH_WORDS];

static long debugging(unsigned int enable)
{
    struct xen_domctl op = {.u.setdebugging.enable = (uint8_t)enable};

    return domctl(XEN_DOMCTL_setdebugging, watch_peer(), &op);
}

static long stepping(unsigned int vcpu, unsigned int on)
{
    struct xen_domctl op = {.u.debug_op = {.op = on, .vcpu = vcpu}};

    return domctl(XEN_DOMCTL_debug_op, watch_peer(), &op);
}

static long go_on(void)
{
    struct xen_domctl op = {.u.gdbsx_pauseunp_vcpu.vcpu = 0};

    return domctl(XEN_DOMCTL_gdbsx_unpausevcpu, watch_peer(), &op);
}

/* What stopped, NO_VCPU if nothing did within `ns`. */
static uint32_t stop_await(uint32_t *event, uint64_t ns)
{
    uint64_t end = clock_ns() + ns;
    struct xen_domctl op;

    do {
        memset(&op, 0, sizeof(op));
        CHECK_EQ(domctl(XEN_DOMCTL_gdbsx_domstatus, watch_peer(), &op), 0);
        if (op.u.gdbsx_domstatus.vcpu_id != NO_VCPU) {
            CHECK_EQ(op.u.gdbsx_domstatus.paused, 1);
            *event = op.u.gdbsx_domstatus.vcpu_ev;
            return op.u.gdbsx_domstatus.vcpu_id;
        }
        clock_sleep(MS / 2);
    } while (clock_ns() < end);
    return NO_VCPU;
}

static bool end_await(uint32_t phase)
{
    uint64_t end = clock_ns() + 3000 * MS;

    while (!watch_is_done(&mon, phase, result)) {
        if (clock_ns() > end) {
            return false;
        }
        clock_sleep(MS);
    }
    return true;
}

static bool int3_await(struct ravelin_event *event)
{
    struct ravelin_event_full full;

    if (!monitor_wait(&mon, clock_ns() + 1000 * MS) ||
        !monitor_next(&mon, &full)) {
        return false;
    }
    *event = full.event;
    return event->reason == RAVELIN_REASON_INT3;
}

static void phase_end(uint32_t phase, uint64_t guest_traps)
{
    CHECK(end_await(phase));
    CHECK_EQ(result[0], guest_traps);
    CHECK_EQ(result[1], 0);
    CHECK_EQ(result[2], 0xffff0ff0);
}

static void breakpoints(void)
{
    struct ravelin_event event;
    uint32_t kind = 0;

    CHECK_EQ(watch_start(&mon, PHASE_OWN, NULL), 0);
    phase_end(PHASE_OWN, 1);

    CHECK_EQ(debugging(1), 0);
    CHECK_EQ(debugging(1), 0);
    CHECK_EQ(watch_start(&mon, PHASE_DEBUGGER, NULL), 0);
    CHECK_EQ(stop_await(&kind, 1000 * MS), 0);
    CHECK_EQ(kind, EVENT_BREAKPOINT);
    CHECK_EQ(go_on(), 0);
    phase_end(PHASE_DEBUGGER, 0);

    CHECK_EQ(monitor_listen(&mon, RAVELIN_REASON_INT3, HVMPME_mode_sync), 0);
    CHECK_EQ(watch_start(&mon, PHASE_BOTH, NULL), 0);
    CHECK_EQ(stop_await(&kind, 1000 * MS), 0);
    CHECK(int3_await(&event));
    CHECK_EQ(go_on(), 0);
    clock_sleep(3 * MS);
    CHECK(!watch_is_done(&mon, PHASE_BOTH, NULL)); /* the monitor holds it */
    monitor_answer(&mon, &event, RAVELIN_ANSWER_INJECT);
    monitor_flush(&mon);
    phase_end(PHASE_BOTH, 0);

    CHECK_EQ(debugging(0), 0);
    CHECK_EQ(watch_start(&mon, PHASE_MONITOR, NULL), 0);
    CHECK(int3_await(&event));
    CHECK_EQ(stop_await(&kind, 0), NO_VCPU);
    monitor_answer(&mon, &event, RAVELIN_ANSWER_INJECT);
    monitor_flush(&mon);
    phase_end(PHASE_MONITOR, 1);
    CHECK_EQ(monitor_listen(&mon, RAVELIN_REASON_INT3, HVMPME_mode_disabled),
             0);
}

/* Interrupts and pushed flags go on as ever while it steps. */
static void steps(void)
{
    uint64_t arg[WATCH_WORDS] = {PHASE_STEP};
    uint32_t kind = 0;
    unsigned int i;

    CHECK_EQ(stepping(0, 1), -XEN_ENOENT);
    CHECK_EQ(debugging(1), 0);
    CHECK_EQ(stepping(7, 1), -XEN_EINVAL);
    CHECK_EQ(stepping(0, 2), -XEN_EINVAL);
    CHECK_EQ(watch_start(&mon, PHASE_STEP, arg), 0);
    clock_sleep(3 * MS);
    CHECK_EQ(stepping(0, 1), 0);
    for (i = 0; i < 60; i++) {
        if (!CHECK_EQ(stop_await(&kind, 1000 * MS), 0) ||
            !CHECK_EQ(kind, EVENT_STEP)) {
            break;
        }
        CHECK_EQ(go_on(), 0);
    }
    CHECK_EQ(stop_await(&kind, 1000 * MS), 0);
    CHECK_EQ(stepping(0, 0), 0);
    CHECK_EQ(go_on(), 0);
    arg[0] = 0;
    CHECK_EQ(watch_start(&mon, PHASE_STEP, arg), 0);
    phase_end(PHASE_STEP, 0);
    CHECK(result[3] > 0);
    CHECK_EQ(debugging(0), 0);
}

static void watching(void)
{
    if (!CHECK_EQ(monitor_open(&mon, watch_peer(), 1, false), 0)) {
        return;
    }
    breakpoints();
    steps();
    CHECK_EQ(watch_start(&mon, WATCH_END, NULL), 0);
    CHECK_EQ(monitor_close(&mon), 0);
}

void test_main(void)
{
    const char *role = cmdline_value("role");

    if (role && role[0] == 'w') {
        CHECK_EQ(debugging(1), -XEN_EPERM);
    }
    watch_main(watching, watched);
}
