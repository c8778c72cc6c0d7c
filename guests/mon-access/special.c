/* SPDX-License-Identifier: MIT */
/*
 * Cases that need more than one run: several CPUs at one page, rights that
 * change under running CPUs, pages that come and go, and requests that must be
 * refused.
 */

#include "guest.h"

#include "mon_access.h"

/* Not in the reference headers any more. */
#define HVMOP_set_mem_access 12
#define PFN_DEFAULT (~0ull)
struct set_mem_access {
    uint16_t domid;
    uint16_t hvmmem_access;
    uint32_t nr;
    uint64_t first_pfn;
};

#define ROUNDS 100u
#define WORD(i) ((volatile unsigned long *)access_data[i])

/* ---- Watched ------------------------------------------------------------- */

static volatile uint32_t go, arrived;

static void add_rounds(void)
{
    unsigned int i;

    atomic_inc(&arrived);
    while (!go) {
        cpu_relax();
    }
    for (i = 0; i < ROUNDS; i++) {
        __atomic_add_fetch(WORD(0), 1, __ATOMIC_SEQ_CST);
    }
}

static void second_cpu(unsigned int cpu)
{
    (void)cpu;
    add_rounds();
}

static void two_cpus(void)
{
    go = arrived = 0;
    *WORD(1) = 0;
    if (cpu_count() > 1 && cpu_start(1, second_cpu) == 0) {
        cpu_wait(&arrived, 1, 1000 * MS);
    }
    go = 1;
    add_rounds();
    if (cpu_count() > 1) {
        cpu_wait_down(1, 5000 * MS);
    }
    watch_mailbox.result[0] = *WORD(0);
    watch_mailbox.result[1] = cpu_count();
}

static void count_up(void)
{
    *WORD(1) = 0;
    while (*WORD(1) == 0) {
        ++*WORD(0);
    }
    watch_mailbox.result[0] = *WORD(0);
}

static long reservation(unsigned int op, xen_pfn_t *frame)
{
    struct xen_memory_reservation r = {.nr_extents = 1, .domid = DOMID_SELF};

    set_xen_guest_handle(r.extent_start, frame);
    return memory_op(op, &r);
}

static void new_page(bool expect_return)
{
    xen_pfn_t frame = PFN(access_data[3]);

    watch_mailbox.result[0] =
        (uint64_t)reservation(XENMEM_decrease_reservation, &frame);
    watch_mailbox.result[1] =
        expect_return ? (uint64_t)reservation(XENMEM_populate_physmap, &frame)
                      : 0;
    access_data[3][8] = 77;
    watch_mailbox.result[2] = access_data[3][8];
}

#define RACE_ROUNDS 600u

/* Pairs of two bytes each, of which only the first differs: who fetches them
 * one by one gets either. INC [RDI] or MOV EAX, [RDI]; MOV SS, EAX or INT D0h;
 * STI, NOP or INT 90h; SYSCALL or INT 5. */
static const uint16_t race_codes[][2] = {
    {0x07ff, 0x078b},
    {0xd08e, 0xd0cd},
    {0x90fb, 0x90cd},
#ifdef __x86_64__
    {0x050f, 0x05cd},
#endif
};
static const uint8_t race_vectors[] = {0xd0, 0x90, 0x05};

static volatile uint32_t race_wanted, race_pair;
static uint64_t race_flags;

static void race_trap(struct trap_frame *f)
{
    race_flags |= f->flags & FLAGS_TF;
}

static void race_writer(unsigned int cpu)
{
    unsigned int i = cpu;

    while (!go) {
        uint32_t pair = race_wanted;

        *(volatile uint16_t *)access_data[2] = race_codes[pair][i++ % 2];
        race_pair = pair;
    }
}

/* From one pair to the next both bytes change, so nobody is at the place. */
static void race_pair_await(unsigned int pair)
{
    if (cpu_count() == 1) {
        *(volatile uint16_t *)access_data[2] = race_codes[pair][0];
        return;
    }
    race_wanted = pair;
    while (race_pair != pair) {
        cpu_relax();
    }
}

/* Whatever is at the place by the time it is executed: the word counts up once
 * for each time that it was permitted, and no flag of a step is seen. */
static void race(void)
{
    void *word = access_data[0];
    unsigned int i;

    go = 0;
    access_trap_flags();
    access_data[2][2] = 0xc3;
    *(volatile uint16_t *)access_data[2] = race_codes[0][0];
    for (i = 0; i < ARRAY_SIZE(race_vectors); i++) {
        trap_handler_set(race_vectors[i], race_trap);
    }
    race_wanted = race_pair = 0;
    race_flags = 0;
    if (cpu_count() > 1) {
        cpu_start(1, race_writer);
    }
    for (i = 0; i < RACE_ROUNDS; i++) {
        race_pair_await(i * ARRAY_SIZE(race_codes) / RACE_ROUNDS);
        asm volatile("mov $0x10, %%eax; call *%1"
                     : "+D"(word)
                     : "r"(access_data[2])
                     : "eax", "ecx",
#ifdef __x86_64__
                       "r11",
#endif
                       "memory", "cc");
        irq_disable();
    }
    go = 1;
    if (cpu_count() > 1) {
        cpu_wait_down(1, 5000 * MS);
    }
    watch_mailbox.result[0] = *(volatile uint32_t *)access_data[0];
    watch_mailbox.result[1] = access_trap_flags() | race_flags;
    irq_enable();
}

void access_special(uint64_t what)
{
    switch (what) {
    case SPECIAL_WALK:
        watch_mailbox.result[0] = read_cr3();
        break;
    case SPECIAL_RACE:
        race();
        break;
    case SPECIAL_CALLS:
        call_special();
        break;
    case SPECIAL_TWO_CPUS:
        two_cpus();
        break;
    case SPECIAL_COUNT_UP:
        count_up();
        break;
    case SPECIAL_NEW_PAGE:
        new_page(true);
        break;
    case SPECIAL_KEEP_PAGE:
        new_page(false);
        break;
    case SPECIAL_WRITE:
        access_data[0][9] = 5;
        watch_mailbox.result[0] = access_data[0][9];
        break;
    default:
        access_data[0][0] = 0xc3; /* RET */
        ((void (*)(void))(uintptr_t)access_data[0])();
        watch_mailbox.result[0] = 1;
        break;
    }
}

/* ---- Watching ------------------------------------------------------------ */

static uint64_t result[WATCH_WORDS];

static unsigned int rights_of(struct monitor *m, const void *page)
{
    unsigned int rights = ~0u;

    CHECK_EQ(monitor_access_get(m, PFN(page), &rights), 0);
    return rights;
}

static void two_cpus_check(struct monitor *m, access_run_fn *run)
{
    CHECK_EQ(monitor_access_set(m, MONITOR_ACCESS_R, PFN(access_data), 1), 0);
    CHECK(run(SPECIAL_TWO_CPUS, RAVELIN_ANSWER_STEP, RAVELIN_EVENT_WRITE,
              result));
    CHECK_EQ((uint32_t)result[0] % ROUNDS, 0);
    CHECK(result[0] >= ROUNDS * (result[1] > 1 ? 2 : 1));
    CHECK_EQ(monitor_access_set(m, MONITOR_ACCESS_RWX, PFN(access_data), 1), 0);
}

static void race_check(struct monitor *m, access_run_fn *run)
{
    CHECK_EQ(monitor_access_set(m, MONITOR_ACCESS_R, PFN(access_data), 1), 0);
    CHECK(run(SPECIAL_RACE, RAVELIN_ANSWER_STEP, RAVELIN_EVENT_WRITE, result));
    CHECK(result[0] <= access_events());
    CHECK_EQ(result[1], 0);
    CHECK_EQ(monitor_access_set(m, MONITOR_ACCESS_RWX, PFN(access_data), 1), 0);
}

/* The guest's own walks touch the page: each is told as what it is, and got
 * over. */
static void walk_check(struct monitor *m, access_run_fn *run)
{
    struct ravelin_event_full ev;
    unsigned int walks = 0;
    uint64_t top;

    if (PAGING_LEVELS == 0) {
        return;
    }
    CHECK(run(SPECIAL_WALK, 0, 0, result));
    top = result[0] >> 12;
    CHECK_EQ(monitor_access_set(m, MONITOR_ACCESS_R, top, 1), 0);
    while (walks < 300 && monitor_wait(m, clock_ns() + 1000 * MS)) {
        while (monitor_next(m, &ev)) {
            CHECK(ev.event.flags & RAVELIN_EVENT_WALK);
            CHECK_EQ(ev.event.flags & RAVELIN_EVENT_GLA, 0);
            CHECK_EQ(ev.event.value >> 12, top);
            monitor_answer(m, &ev.event, RAVELIN_ANSWER_STEP);
            walks++;
        }
    }
    CHECK(walks >= 300);
    CHECK_EQ(monitor_access_set(m, MONITOR_ACCESS_RWX, top, 1), 0);
    while (monitor_next(m, &ev)) {
        monitor_answer(m, &ev.event, 0);
    }
    monitor_flush(m);
    CHECK(run(SPECIAL_WALK, 0, 0, result));
}

/* Every instruction is told; interrupts and what the guest computes go on as
 * ever, and a page that lacks a right meanwhile is an event of its own. */
static void single_step_check(struct monitor *m)
{
    uint64_t arg[WATCH_WORDS] = {SPECIAL_WRITE};
    struct ravelin_event_full ev;
    unsigned int steps = 0, others = 0, repeats = 0;
    uint64_t before = 0;

    CHECK_EQ(monitor_access_set(m, MONITOR_ACCESS_R, PFN(access_data), 1), 0);
    CHECK_EQ(monitor_listen(m, RAVELIN_REASON_STEP, HVMPME_mode_sync), 0);
    CHECK_EQ(watch_start(m, 4000, arg), 0);
    while ((steps < 400 || others == 0) && steps < 100000 &&
           monitor_wait(m, clock_ns() + 1000 * MS)) {
        while (monitor_next(m, &ev)) {
            if (ev.event.reason == RAVELIN_REASON_STEP) {
                steps++;
                repeats += ev.event.gla == before;
                before = ev.event.gla;
            } else {
                CHECK_EQ(ev.event.value, (uintptr_t)&access_data[0][9]);
                others++;
            }
            monitor_answer(m, &ev.event, RAVELIN_ANSWER_STEP);
        }
    }
    CHECK(steps >= 400);
    CHECK_EQ(others, 1);
    CHECK(repeats < steps / 2);
    CHECK_EQ(monitor_listen(m, RAVELIN_REASON_STEP, HVMPME_mode_disabled), 0);
    while (monitor_next(m, &ev)) {
        monitor_answer(m, &ev.event, 0);
    }
    monitor_flush(m);
    CHECK_EQ(monitor_access_set(m, MONITOR_ACCESS_RWX, PFN(access_data), 1), 0);
    clock_sleep(5 * MS);
    CHECK(watch_is_done(m, 4000, result));
    CHECK_EQ(result[0], 5);
}

/* Without the right nothing moves any more when the call returns. */
static void running_check(struct monitor *m)
{
    uint64_t arg[WATCH_WORDS] = {SPECIAL_COUNT_UP};
    uint64_t before = 0, after = 0, one = 1;
    struct ravelin_event_full ev;
    unsigned int i;

    CHECK_EQ(watch_start(m, 5000, arg), 0);
    clock_sleep(5 * MS);
    for (i = 0; i < 5; i++) {
        CHECK_EQ(monitor_access_set(m, MONITOR_ACCESS_R, PFN(access_data), 1),
                 0);
        CHECK_EQ(monitor_read(m, (uintptr_t)access_data, &before, 8), 0);
        clock_sleep(3 * MS);
        CHECK_EQ(monitor_read(m, (uintptr_t)access_data, &after, 8), 0);
        CHECK_EQ(before, after);
        CHECK(monitor_wait(m, clock_ns() + 1000 * MS));
        CHECK_EQ(monitor_access_set(m, MONITOR_ACCESS_RWX, PFN(access_data), 1),
                 0);
        while (monitor_next(m, &ev)) {
            monitor_answer(m, &ev.event, 0);
        }
        monitor_flush(m);
        clock_sleep(2 * MS);
    }
    CHECK(after > 0);
    CHECK_EQ(monitor_write(m, (uintptr_t)access_data[1], &one, 8), 0);
}

static void rx2rw_check(struct monitor *m, access_run_fn *run)
{
    CHECK_EQ(monitor_access_set(m, MONITOR_ACCESS_RX2RW, PFN(access_data), 1),
             0);
    CHECK_EQ(rights_of(m, access_data), MONITOR_ACCESS_RX2RW);
    CHECK(run(SPECIAL_WRITE, 0, RAVELIN_EVENT_WRITE, result));
    CHECK_EQ(result[0], 5);
    CHECK_EQ(rights_of(m, access_data), MONITOR_ACCESS_RW);
    /* A write is no event any more; execution is one. */
    CHECK(run(SPECIAL_EXEC, RAVELIN_ANSWER_STEP, RAVELIN_EVENT_EXEC, result));
    CHECK_EQ(monitor_access_set(m, MONITOR_ACCESS_RWX, PFN(access_data), 1), 0);
}

static long default_set(unsigned int rights)
{
    struct set_mem_access req = {
        .domid = (uint16_t)watch_peer(),
        .hvmmem_access = (uint16_t)rights,
        .first_pfn = PFN_DEFAULT,
    };

    return hypercall2(__HYPERVISOR_hvm_op, HVMOP_set_mem_access, &req);
}

/* A watched page cannot be exchanged for a fresh one. */
static void pages_check(struct monitor *m, access_run_fn *run)
{
    CHECK_EQ(default_set(MONITOR_ACCESS_R), 0);
    CHECK(run(SPECIAL_NEW_PAGE, RAVELIN_ANSWER_STEP, RAVELIN_EVENT_WRITE,
              result));
    CHECK_EQ(result[0], 1);
    CHECK_EQ(result[1], 1);
    CHECK_EQ(result[2], 77);
    CHECK_EQ(rights_of(m, access_data[3]), MONITOR_ACCESS_R);
    CHECK_EQ(default_set(MONITOR_ACCESS_RWX), 0);
    CHECK(run(SPECIAL_KEEP_PAGE, RAVELIN_ANSWER_STEP, RAVELIN_EVENT_WRITE,
              result));
    CHECK_EQ(result[0], 0);
    CHECK_EQ(rights_of(m, access_data[3]), MONITOR_ACCESS_R);
    CHECK_EQ(monitor_access_set(m, MONITOR_ACCESS_RWX, PFN(access_data), 4), 0);
}

static long set(unsigned int domid, unsigned int rights, uint64_t first,
                uint32_t count)
{
    struct set_mem_access req = {
        .domid = (uint16_t)domid,
        .hvmmem_access = (uint16_t)rights,
        .nr = count,
        .first_pfn = first,
    };

    return hypercall2(__HYPERVISOR_hvm_op, HVMOP_set_mem_access, &req);
}

static void refusals_check(struct monitor *m)
{
    unsigned int peer = watch_peer();
    unsigned int rights;

    CHECK_EQ(set(DOMID_SELF, MONITOR_ACCESS_R, 0, 1), -XEN_EPERM);
    CHECK_EQ(set(own_domid(), MONITOR_ACCESS_R, 0, 1), -XEN_EPERM);
    CHECK_EQ(set(77, MONITOR_ACCESS_R, 0, 1), -XEN_EPERM);
    CHECK_EQ(set(peer, 10, PFN(access_data), 1), -XEN_EINVAL);
    CHECK_EQ(set(peer, 0xffff, PFN(access_data), 1), -XEN_EINVAL);
    CHECK_EQ(set(peer, MONITOR_ACCESS_R, PFN(access_data), 0), -XEN_EINVAL);
    CHECK_EQ(set(peer, MONITOR_ACCESS_R, 1ull << 36, 1), -XEN_EINVAL);
    CHECK_EQ(set(peer, MONITOR_ACCESS_R, ~0ull - 1, 2), -XEN_EINVAL);
    CHECK_EQ(set(peer, MONITOR_ACCESS_R, (1ull << 36) - 1, 2), -XEN_EINVAL);
    CHECK_EQ(set(peer, MONITOR_ACCESS_DEFAULT, ~0ull, 1), -XEN_EINVAL);
    CHECK_EQ(hypercall2(__HYPERVISOR_hvm_op, HVMOP_set_mem_access,
                        (void *)UNMAPPED_VA),
             -XEN_EFAULT);
    CHECK_EQ(monitor_access_get(m, 1ull << 36, &rights), -XEN_EINVAL);
    CHECK_EQ(monitor_access_get(m, 0x80000, &rights), -XEN_ENOENT);
    CHECK_EQ(rights_of(m, access_data), MONITOR_ACCESS_RWX);
    /* A long range, holes included, is worked off in pieces. */
    CHECK_EQ(set(peer, MONITOR_ACCESS_RWX, 0, 0x100000), 0);
}

void access_specials(struct monitor *m, access_run_fn *run)
{
    two_cpus_check(m, run);
    call_check(m, run);
    race_check(m, run);
    walk_check(m, run);
    rx2rw_check(m, run);
    pages_check(m, run);
    refusals_check(m);
    single_step_check(m);
    running_check(m);
}
