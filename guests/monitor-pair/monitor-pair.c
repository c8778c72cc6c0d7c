/* SPDX-License-Identifier: MIT */
/*
 * Every call of libmonitor, on a domain in each paging mode: `role=watched` and
 * `role=watcher target=N`. The watched one does what it is asked for through a
 * page at a fixed address; the watcher predicts what comes of it.
 *
 * Environments: all.
 */

#include "guest.h"
#include "libmonitor.h"

const char test_title[] = "monitor-pair: one domain watches another";

#define MAILBOX 0x7000ul
#define PATIENCE (20000 * MS)
#define MAGIC 0x68636e5961746144ull
#define CR4_DE (1ul << 3)
#define INJECTED_ERROR 0x18u

enum phase {
    PHASE_READY = 1, /* result: addresses of the things below */
    PHASE_TOGGLE,    /* CR4.DE on; result: is it? */
    PHASE_INT3,      /* result: #BP taken, AX afterwards */
    PHASE_STORE,     /* to the protected page; result: what is there then */
    PHASE_TRAP,      /* waits for #GP; result: its error code */
    PHASE_END,
};

/* Written by both sides; the watched one only answers. */
struct mailbox {
    volatile uint32_t phase;
    volatile uint32_t done;
    volatile uint64_t result[4];
};

/* Crosses a page, and is known to the watcher by its address. */
static uint8_t pattern[3 * 4096] __attribute__((aligned(4096)));
static volatile uint64_t guarded[512] __attribute__((aligned(4096)));

static uint8_t pattern_at(unsigned int i)
{
    return (uint8_t)(i * 7 + (i >> 8) * 13 + 1);
}

/* ---- The watched side ---------------------------------------------------- */

static volatile unsigned int breakpoints, faults;
static volatile unsigned long fault_error;

static void on_breakpoint(struct trap_frame *frame)
{
    (void)frame;
    breakpoints++;
}

static void on_fault(struct trap_frame *frame)
{
    fault_error = frame->error;
    faults++;
}

static void phase_ready(struct mailbox *box)
{
    unsigned int i;

    for (i = 0; i < sizeof(pattern); i++) {
        pattern[i] = pattern_at(i);
    }
    guarded[0] = MAGIC;
    box->result[0] = (uintptr_t)pattern;
    box->result[1] = (uintptr_t)guarded;
    box->result[2] = PAGING_LEVELS;
}

static void phase_int3(struct mailbox *box)
{
    unsigned long ax = 0x1234;

    breakpoints = 0;
    asm volatile("int3" : "+a"(ax)::"memory");
    box->result[0] = breakpoints;
    box->result[1] = ax;
}

static void phase_trap(struct mailbox *box)
{
    uint64_t end = clock_ns() + PATIENCE;

    faults = 0;
    irq_enable();       /* Bochs' way to take the CPU from it */
    box->result[1] = 1; /* the watcher may inject */
    while (!faults && clock_ns() < end) {
        cpu_relax();
    }
    irq_disable();
    box->result[0] = fault_error;
    box->result[1] = faults;
}

static void phase_do(struct mailbox *box, uint32_t phase)
{
    switch (phase) {
    case PHASE_READY:
        phase_ready(box);
        break;
    case PHASE_TOGGLE:
        write_cr4(read_cr4() ^ CR4_DE);
        box->result[0] = (read_cr4() & CR4_DE) != 0;
        break;
    case PHASE_INT3:
        phase_int3(box);
        break;
    case PHASE_STORE:
        guarded[1] = MAGIC;
        guarded[2]++;
        box->result[0] = guarded[1];
        break;
    case PHASE_TRAP:
        phase_trap(box);
        break;
    default:
        break;
    }
}

static void watched(void)
{
    struct mailbox *box = (struct mailbox *)MAILBOX;
    uint64_t end = clock_ns() + 2 * PATIENCE;
    uint32_t phase = 0;

    trap_handler_set(TRAP_BP, on_breakpoint);
    trap_handler_set(TRAP_GP, on_fault);
    while (phase != PHASE_END) {
        while (box->phase == 0) {
            clock_sleep(MS);
            if (clock_ns() > end) {
                report_error("nobody watches");
                return;
            }
        }
        phase = box->phase;
        box->phase = 0;
        phase_do(box, phase);
        box->done = phase;
    }
    CHECK(breakpoints <= 1);
}

/* ---- The watcher's side -------------------------------------------------- */

static struct monitor mon;
static struct mailbox box;
static struct monitor_space space;
static struct ravelin_event_full last;
static unsigned int event_count;

static void box_put(uint32_t offset, uint32_t value)
{
    CHECK_EQ(monitor_write(&mon, MAILBOX + offset, &value, sizeof(value)), 0);
}

static void box_get(void)
{
    CHECK_EQ(monitor_read(&mon, MAILBOX, &box, sizeof(box)), 0);
}

static void phase_start(uint32_t phase)
{
    event_count = 0;
    box_put(offsetof(struct mailbox, done), 0);
    box_put(offsetof(struct mailbox, phase), phase);
}

/* Answers everything with the same flags until the phase is over. */
static bool phase_finish(uint32_t phase, uint32_t answer)
{
    uint64_t end = clock_ns() + PATIENCE;

    do {
        if (monitor_wait(&mon, clock_ns() + MS)) {
            while (monitor_next(&mon, &last)) {
                event_count++;
                monitor_answer(&mon, &last.event, answer);
            }
        }
        box_get();
    } while (box.done != phase && clock_ns() < end);
    monitor_flush(&mon);
    return CHECK_EQ(box.done, phase);
}

static bool phase_run(uint32_t phase, uint32_t answer)
{
    phase_start(phase);
    return phase_finish(phase, answer);
}

/* Memory by physical and linear addresses, which are the same there. */
static void memory_check(uint64_t address, unsigned int levels)
{
    static const uint64_t sizes[] = {4096, 0, 4u << 20, 2u << 20, 2u << 20};
    static uint8_t copy[2 * 4096];
    struct monitor_page page;
    unsigned int i;

    CHECK_EQ(space.levels, levels);
    CHECK_EQ(monitor_translate(&mon, &space, address + 5, &page), 0);
    CHECK_EQ(page.gpa, address + 5);
    CHECK_EQ(page.size, sizes[levels]);
    CHECK_EQ(page.flags & (MONITOR_PAGE_WRITE | MONITOR_PAGE_EXEC),
             MONITOR_PAGE_WRITE | MONITOR_PAGE_EXEC);
    CHECK_EQ(
        monitor_read_linear(&mon, &space, address + 100, copy, sizeof(copy)),
        0);
    for (i = 0; i < sizeof(copy) && copy[i] == pattern_at(i + 100); i++) {
    }
    CHECK_EQ(i, sizeof(copy));
    CHECK_EQ(monitor_translate(&mon, &space, UNMAPPED_VA, &page),
             levels ? -XEN_ENOENT : 0);
    if (levels == 4) {
        CHECK_EQ(monitor_translate(&mon, &space, 1ull << 63, &page),
                 -XEN_EINVAL);
    }
    CHECK_EQ(monitor_read(&mon, 1ull << 40, copy, 8), -XEN_EFAULT);
}

static bool page_sum(void *ctx, uint64_t gva, const struct monitor_page *page)
{
    uint64_t *sum = ctx;

    CHECK_EQ(gva, page->gpa); /* identity */
    *sum += page->size;
    return true;
}

static bool page_first(void *ctx, uint64_t gva, const struct monitor_page *page)
{
    (void)page;
    *(uint64_t *)ctx = gva;
    return false;
}

static void pages_check(void)
{
    const uint64_t first = 0, last_byte = (64u << 20) - 1;
    uint64_t sum = 0, at = 0;

    if (!space.levels) {
        CHECK_EQ(
            monitor_pages(&mon, &space, first, last_byte, true, page_sum, &sum),
            -XEN_EINVAL);
        return;
    }
    CHECK_EQ(
        monitor_pages(&mon, &space, first, last_byte, true, page_sum, &sum), 0);
    CHECK_EQ(sum, last_byte + 1);
    CHECK_EQ(
        monitor_pages(&mon, &space, first, last_byte, false, page_first, &at),
        0);
    CHECK(at > last_byte / 2);
}

/* INT3 answered three ways: skip, the guest's own, and other registers. */
static void int3_check(uint64_t address)
{
    struct ravelin_registers regs;
    unsigned int levels = (unsigned int)box.result[2];
    uint64_t end = clock_ns() + PATIENCE;

    CHECK_EQ(monitor_listen(&mon, RAVELIN_REASON_INT3, HVMPME_mode_sync), 0);
    phase_run(PHASE_INT3, RAVELIN_ANSWER_INJECT);
    CHECK_EQ(event_count, 1);
    CHECK_EQ(last.event.reason, RAVELIN_REASON_INT3);
    CHECK_EQ(box.result[0], 1);
    CHECK_EQ(box.result[1], 0x1234);
    phase_start(PHASE_INT3);
    while (!monitor_next(&mon, &last) && clock_ns() < end) {
        monitor_wait(&mon, clock_ns() + MS);
    }
    CHECK_EQ(monitor_registers_get(&mon, last.event.vcpu, &regs), 0);
    CHECK_EQ(regs.gpr[0], 0x1234);
    CHECK_EQ(regs.rip, last.event.rip);
    space = monitor_space_of(&regs);
    memory_check(address, levels);
    pages_check();
    regs.gpr[0] = 0x5678;
    CHECK_EQ(monitor_registers_set(&mon, last.event.vcpu, &regs), 0);
    monitor_answer(&mon, &last.event, RAVELIN_ANSWER_SKIP);
    phase_finish(PHASE_INT3, RAVELIN_ANSWER_SKIP);
    CHECK_EQ(box.result[0], 0);
    CHECK_EQ(box.result[1], 0x5678);
    CHECK_EQ(monitor_listen(&mon, RAVELIN_REASON_INT3, HVMPME_mode_disabled),
             0);
    CHECK_EQ(monitor_registers_get(&mon, 0, &regs), -XEN_EBUSY);
}

static void cr4_check(void)
{
    struct ravelin_range other = {1u << 7, 0};
    struct ravelin_range same = {CR4_DE, 0};

    CHECK_EQ(monitor_listen(&mon, RAVELIN_REASON_CR4, HVMPME_mode_sync), 0);
    phase_run(PHASE_TOGGLE, RAVELIN_ANSWER_DENY);
    CHECK_EQ(event_count, 1);
    CHECK_EQ((last.event.value ^ last.event.old) & CR4_DE, CR4_DE);
    CHECK_EQ(box.result[0], 0);
    CHECK_EQ(monitor_filter(&mon, RAVELIN_FILTER_CR4, &other, 1), 0);
    phase_run(PHASE_TOGGLE, 0);
    CHECK_EQ(event_count, 0);
    CHECK_EQ(box.result[0], 1);
    CHECK_EQ(monitor_filter(&mon, RAVELIN_FILTER_CR4, &same, 1), 0);
    phase_run(PHASE_TOGGLE, 0);
    CHECK_EQ(event_count, 1);
    CHECK_EQ(box.result[0], 0);
    CHECK_EQ(monitor_filter(&mon, RAVELIN_FILTER_CR4, NULL, 0), 0);
    CHECK_EQ(monitor_listen(&mon, RAVELIN_REASON_CR4, HVMPME_mode_disabled), 0);
}

static void access_check(uint64_t address)
{
    unsigned int access = 99;
    uint64_t word = 0;

    CHECK_EQ(monitor_access_set(&mon, MONITOR_ACCESS_RX, address >> 12, 1), 0);
    CHECK_EQ(monitor_access_get(&mon, address >> 12, &access), 0);
    CHECK_EQ(access, MONITOR_ACCESS_RX);
    phase_run(PHASE_STORE, RAVELIN_ANSWER_STEP);
    CHECK_EQ(last.event.reason, RAVELIN_REASON_VIOLATION);
    CHECK(event_count >= 2);
    CHECK(last.event.flags & RAVELIN_EVENT_WRITE);
    CHECK_EQ(last.event.value >> 12, address >> 12);
    CHECK_EQ(box.result[0], MAGIC);
    CHECK_EQ(monitor_read(&mon, address + 8, &word, sizeof(word)), 0);
    CHECK_EQ(word, MAGIC);
    CHECK_EQ(monitor_access_set(&mon, MONITOR_ACCESS_RWX, address >> 12, 1), 0);
    phase_run(PHASE_STORE, 0);
    CHECK_EQ(event_count, 0);
}

static void trap_check(void)
{
    uint64_t end = clock_ns() + PATIENCE;

    phase_start(PHASE_TRAP);
    do {
        box_get();
    } while ((box.phase || !box.result[1]) && clock_ns() < end);
    CHECK_EQ(monitor_inject(&mon, 0, TRAP_GP, INJECTED_ERROR, 0), 0);
    phase_finish(PHASE_TRAP, 0);
    CHECK_EQ(box.result[0], INJECTED_ERROR);
    CHECK_EQ(box.result[1], 1);
    CHECK_EQ(last.event.reason, RAVELIN_REASON_INJECT);
    CHECK_EQ(monitor_inject(&mon, 77, TRAP_GP, 0, 0), -XEN_ENOENT);
}

static void status_check(void)
{
    struct ravelin_monitor_status status;

    CHECK_EQ(monitor_status(&mon, &status), 0);
    CHECK_EQ(status.state, RAVELIN_RING_ON);
    CHECK_EQ(status.vcpu_count, mon.vcpu_count);
    CHECK_EQ(status.lost, 0);
    CHECK_EQ(status.sequence, last.event.sequence);
    CHECK_EQ(status.waiting, 0);
}

static void watch_all(void)
{
    uint64_t pattern_gva, guarded_gva;

    if (!phase_run(PHASE_READY, 0)) {
        return;
    }
    pattern_gva = box.result[0];
    guarded_gva = box.result[1];
    int3_check(pattern_gva);
    cr4_check();
    access_check(guarded_gva);
    trap_check();
    status_check();
    phase_run(PHASE_END, 0);
}

static void watcher(unsigned int target)
{
    struct monitor none = {0};

    CHECK_EQ(monitor_close(&none), -XEN_ENOENT);
    CHECK_EQ(monitor_open(&mon, own_domid(), 1, true), -XEN_EPERM);
    CHECK_EQ(monitor_open(&mon, target, 128, true), -XEN_EINVAL);
    if (!CHECK_EQ(monitor_open(&mon, target, 4, true), 0)) {
        return;
    }
    CHECK(monitor_is_on(&mon));
    watch_all();
    CHECK_EQ(monitor_close(&mon), 0);
    CHECK(!monitor_is_on(&mon));
}

void test_main(void)
{
    const char *role = cmdline_value("role");
    unsigned int target = (unsigned int)cmdline_number("target", 0xffff);

    if (role && !strncmp(role, "watched", 7)) {
        watched();
    } else if (role && target != 0xffff) {
        watcher(target);
    } else {
        report_skip("needs role= and target= on the command line");
    }
}
