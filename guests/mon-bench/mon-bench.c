/* SPDX-License-Identifier: MIT */
/*
 * Bench: what being watched costs in instructions, hypervisor and listener
 * included. Two domains run this image. `role=watched` times single
 * instructions that raise events, with its own TSC: for a synchronous event
 * that is the way to the listener, its answer, and the way back; for an
 * asynchronous one only the watched domain's part, because the listener, which
 * asked to be told only after many events, sleeps meanwhile. Figures are the
 * median of 300 after 20 warm-ups, less an empty pair of readings;
 * instructions under QEMU's icount only.
 *
 * Environments: pvh64. `only=` on the watching side runs a single phase.
 */

#include "guest.h"
#include "sample.h"
#include "watch.h"

const char test_title[] = "mon-bench: instruction counts of events";

/* One for each sample, warm-ups included. */
#define EVENTS (SAMPLE_WARM_UPS + SAMPLES)
#define RING_PAGES 16u

enum phase {
    PHASE_NONE,
    PHASE_IDLE,
    PHASE_SYNC,
    PHASE_ASYNC,
    PHASE_FILTERED,
    PHASE_UNCHANGED,
    PHASE_CR4_SYNC,
    PHASE_INT3,
    PHASE_ACCESS_STEP,
    PHASE_ACCESS_EMULATE,
    PHASE_COUNT
};

/* ---- Watched ------------------------------------------------------------- */

static unsigned long cr3, cr4;
static uint32_t empty;

static uint32_t sample_empty(void)
{
    uint64_t from = rdtsc();

    return (uint32_t)(rdtsc() - from);
}

static uint32_t sample_cr3(void)
{
    unsigned long value = cr3;
    uint64_t from;

    asm volatile("" : "+r"(value));
    from = rdtsc();
    write_cr3(value);
    return (uint32_t)(rdtsc() - from);
}

static uint32_t sample_cr4(void)
{
    uint64_t from = rdtsc();

    write_cr4(cr4 ^= CR4_PGE);
    return (uint32_t)(rdtsc() - from);
}

static uint32_t sample_int3(void)
{
    uint64_t from = rdtsc();

    asm volatile("int3");
    return (uint32_t)(rdtsc() - from);
}

static uint8_t watched_page[4096] __attribute__((aligned(4096)));

static uint32_t sample_access(void)
{
    uint64_t from = rdtsc();

    *(volatile uint8_t *)watched_page = 1;
    return (uint32_t)(rdtsc() - from);
}

static const struct {
    const char *name;
    sample_fn *sample;
} rows[PHASE_COUNT] = {
    [PHASE_IDLE] = {"cr3_attached_idle", sample_cr3},
    [PHASE_SYNC] = {"cr3_sync_event", sample_cr3},
    [PHASE_ASYNC] = {"cr3_async_event", sample_cr3},
    [PHASE_FILTERED] = {"cr3_filtered_event", sample_cr3},
    [PHASE_UNCHANGED] = {"cr3_unchanged_event", sample_cr3},
    [PHASE_CR4_SYNC] = {"cr4_sync_event", sample_cr4},
    [PHASE_INT3] = {"int3_sync_event", sample_int3},
    [PHASE_ACCESS_STEP] = {"access_step_event", sample_access},
    [PHASE_ACCESS_EMULATE] = {"access_emulate_event", sample_access},
};

static void watched(void)
{
    uint32_t phase = PHASE_NONE;

    cr3 = read_cr3();
    cr4 = read_cr4();
    empty = sample_median(sample_empty, SAMPLES);
    while ((phase = watch_await(phase)) != WATCH_END) {
        if (!CHECK(phase < PHASE_COUNT)) {
            break;
        }
        sample_report(rows[phase].name, rows[phase].sample, SAMPLES, empty);
        watch_done(phase);
        hvm_op(HVMOP_guest_request_vm_event, NULL);
    }
}

/* ---- Watching ------------------------------------------------------------ */

static struct monitor mon;
static uint32_t taken;

struct setting {
    unsigned int reason;
    uint32_t mode;
    uint32_t answer;
    uint32_t far; /* events before it wants to be told */
    uint32_t want;
};

static const struct setting settings[PHASE_COUNT] = {
    [PHASE_IDLE] = {RAVELIN_REASON_CR3, HVMPME_mode_disabled, 0, 1, 0},
    [PHASE_SYNC] = {RAVELIN_REASON_CR3, HVMPME_mode_sync, 0, 1, EVENTS},
    [PHASE_ASYNC] = {RAVELIN_REASON_CR3, HVMPME_mode_async, 0, 1000, EVENTS},
    [PHASE_FILTERED] = {RAVELIN_REASON_CR3, HVMPME_mode_sync, 0, 1, 0},
    [PHASE_UNCHANGED] = {RAVELIN_REASON_CR3,
                         HVMPME_mode_sync | HVMPME_onchangeonly, 0, 1, 0},
    [PHASE_CR4_SYNC] = {RAVELIN_REASON_CR4, HVMPME_mode_sync, 0, 1, EVENTS},
    [PHASE_INT3] = {RAVELIN_REASON_INT3, HVMPME_mode_sync, RAVELIN_ANSWER_SKIP,
                    1, EVENTS},
    [PHASE_ACCESS_STEP] = {RAVELIN_REASON_VIOLATION, 0, RAVELIN_ANSWER_STEP, 1,
                           EVENTS},
    [PHASE_ACCESS_EMULATE] = {RAVELIN_REASON_VIOLATION, 0,
                              RAVELIN_ANSWER_EMULATE, 1, EVENTS},
};

/* Takes what there is, straight from the ring: this is what is measured. False:
 * the watched domain has said that the phase is over. */
static bool drain(uint32_t answer)
{
    struct ravelin_ring *ring = mon.ring;
    const struct ravelin_event *slots = (const void *)mon.slots;

    while (mon.cons != __atomic_load_n(&ring->prod, __ATOMIC_ACQUIRE)) {
        const struct ravelin_event *ev =
            &slots[mon.cons & (mon.event_count - 1)];

        mon.cons++;
        if (ev->reason == RAVELIN_REASON_REQUEST) {
            monitor_answer(&mon, ev, 0);
            monitor_flush(&mon);
            return false;
        }
        monitor_answer(&mon, ev, answer);
        taken++;
    }
    return true;
}

/* Answers become known and the wait begins with one call. */
static void wait(uint32_t far)
{
    event_clear(mon.port);
    __atomic_store_n(&mon.ring->cons, mon.cons, __ATOMIC_RELEASE);
    WRITE_ONCE(mon.ring->wanted, mon.cons + far);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (READ_ONCE(mon.ring->prod) == mon.cons) {
        hypercall(__HYPERVISOR_ravelin_monitor_op, RAVELIN_MONITOR_wait,
                  mon.domid, 0, 0, 0);
    }
}

static void serve(const struct setting *s)
{
    while (drain(s->answer)) {
        wait(s->far);
    }
}

/* Violations are heard of once a page lacks a right. */
static long listen(const struct setting *s, bool on)
{
    if (s->reason == RAVELIN_REASON_VIOLATION) {
        return monitor_access_set(&mon,
                                  on ? MONITOR_ACCESS_R : MONITOR_ACCESS_RWX,
                                  PFN(watched_page), 1);
    }
    return monitor_listen(&mon, s->reason, on ? s->mode : HVMPME_mode_disabled);
}

static bool run_phase(uint32_t phase)
{
    const struct setting *s = &settings[phase];
    const struct ravelin_range never = {0xfffff, 0xfffff};
    bool ok;

    taken = 0;
    ok = CHECK_EQ(monitor_filter(&mon, RAVELIN_FILTER_CR3, &never,
                                 phase == PHASE_FILTERED),
                  0) &&
         CHECK_EQ(listen(s, true), 0) &&
         CHECK_EQ(watch_start(&mon, phase, NULL), 0);
    if (ok) {
        serve(s);
        CHECK(watch_is_done(&mon, phase, NULL));
    }
    return CHECK_EQ(listen(s, false), 0) && ok && CHECK_EQ(taken, s->want);
}

static void watching(void)
{
    struct ravelin_monitor_status status;
    uint32_t only = (uint32_t)cmdline_number("only", 0);
    uint32_t phase;

    if (!CHECK_EQ(monitor_open(&mon, watch_peer(), RING_PAGES, false), 0) ||
        !CHECK_EQ(
            monitor_listen(&mon, RAVELIN_REASON_REQUEST, HVMPME_mode_sync),
            0)) {
        return;
    }
    for (phase = PHASE_IDLE; phase < PHASE_COUNT; phase++) {
        if ((only == 0 || phase == only) && !run_phase(phase)) {
            break;
        }
    }
    CHECK_EQ(monitor_status(&mon, &status), 0);
    CHECK_EQ(status.lost, 0);
    CHECK_EQ(status.refused, 0);
    CHECK_EQ(watch_start(&mon, WATCH_END, NULL), 0);
    CHECK_EQ(monitor_close(&mon), 0);
}

void test_main(void)
{
    watch_main(watching, watched);
}
