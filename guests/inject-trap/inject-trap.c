/* SPDX-License-Identifier: MIT */
/*
 * Traps that a monitor puts into a virtual CPU. Two domains run this image. The
 * watched one stops at a write to CR3, where the watcher injects: every
 * vector, with error code, address and saved RIP as the architecture has them,
 * in kernel and user mode. Then it stops in the middle of the delivery of an
 * event of its own, by a page right on its IDT: what the two become is compared
 * with the rules for double faults, and with what the watcher is told. At last
 * all that must be refused.
 *
 * Options: `role=watched`, or `role=monitor` with `peer=`. Environment: pvh64.
 */

#include "guest.h"
#include "watch.h"

const char test_title[] = "inject-trap: injected exceptions and collisions";

#define NO_ERROR (~0u)
#define CR2_VALUE 0x123456789000ull
#define VECTOR_IPI 0x71
#define SOFT_GATE_ERROR (TRAP_BP * 8 + 2)

enum phase { PHASE_PLAIN = 1, PHASE_USER = 100, PHASE_COLLIDE = 200 };

/* ---- Watched ------------------------------------------------------------- */

static uint8_t gates[4096] __attribute__((aligned(4096)));
static uint8_t user_page[4096] __attribute__((aligned(4096)));

static volatile uint64_t seen_list;
static volatile uint64_t seen_ip, seen_error, seen_cr2, seen_flags;
static volatile uint32_t going_on; /* mask of vectors that go on at `resume` */
static volatile uintptr_t resume;

/* The newest vector is in the lowest byte. */
static void seen(struct trap_frame *f)
{
    seen_list = seen_list << 8 | (f->vector & 0xff);
    seen_ip = f->ip;
    seen_error = f->error;
    seen_cr2 = read_cr2();
    seen_flags = f->flags;
    if (f->vector < 32 && (going_on >> f->vector & 1)) {
        f->ip = resume;
    }
}

static void ipi(struct trap_frame *f)
{
    seen(f);
    lapic_eoi();
}

static void gates_own(void)
{
    struct {
        uint16_t limit;
        uint64_t base;
    } __attribute__((packed)) idt;

    asm volatile("sidt %0" : "=m"(idt));
    memcpy(gates, (void *)(uintptr_t)idt.base, sizeof(gates));
    idt.base = (uintptr_t)gates;
    asm volatile("lidt %0" ::"m"(idt) : "memory");
}

static void results_set(uintptr_t place)
{
    watch_mailbox.result[0] = seen_list;
    watch_mailbox.result[1] = seen_error;
    watch_mailbox.result[2] = seen_ip - place;
    watch_mailbox.result[3] = seen_cr2;
    watch_mailbox.result[4] = seen_flags & FLAGS_TF;
    seen_list = going_on = 0;
    seen_ip = seen_error = seen_cr2 = 0;
}

static void plain(void)
{
    uintptr_t place;

    asm volatile("lea 1f(%%rip), %0\n\t"
                 "mov %%cr3, %%rax\n\t"
                 "mov %%rax, %%cr3\n"
                 "1: nop; nop; nop"
                 : "=&r"(place)::"rax", "memory");
    results_set(place);
}

static long user_write(long arg)
{
    *(volatile long *)user_page = arg;
    return 0;
}

/* At privilege level 3, with a #BP gate that this level may not use. */
static void user(void)
{
    gates[TRAP_BP * 16 + 5] = 0x8e;
    user_call(user_write, 5);
    gates[TRAP_BP * 16 + 5] = 0xee;
    watch_mailbox.result[5] = *(volatile uint64_t *)user_page;
    results_set(0);
}

#define PROVOKE(insn, ...)                         \
    asm volatile("lea 1f(%%rip), %%rax\n\t"        \
                 "mov %%rax, resume\n\t" insn "\n" \
                 "1:" ::__VA_ARGS__                \
                 : "rax", "memory")

static void collide(uint64_t first, uint64_t mask)
{
    irq_disable();
    going_on = (uint32_t)mask;
    switch (first) {
    case TRAP_UD:
        PROVOKE("ud2", "i"(0));
        break;
    case TRAP_GP:
        PROVOKE("mov %0, %%es", "r"(0xfff8));
        break;
    case TRAP_PF:
        PROVOKE("mov (%0), %%eax", "r"((uintptr_t)UNMAPPED_VA));
        break;
    default:
        lapic_icr_send(0, ICR_SELF | ICR_FIXED | VECTOR_IPI);
        asm volatile("sti; nop; nop; nop; cli" ::: "memory");
        break;
    }
    results_set(0);
    irq_enable();
}

static void watched(void)
{
    uint32_t phase = 0;
    unsigned int v;

    for (v = 0; v < 32; v++) {
        trap_handler_set(v, seen);
    }
    trap_handler_set(VECTOR_IPI, ipi);
    trap_gate_set(USER_RETURN_VECTOR, 0, 3, 0);
    user_call(user_write, 0); /* has the return gate set up */
    gates_own();
    lapic_enable();
    while ((phase = watch_await(phase)) != WATCH_END) {
        if (phase >= PHASE_COLLIDE) {
            collide(watch_mailbox.arg[0], watch_mailbox.arg[1]);
        } else if (phase >= PHASE_USER) {
            user();
        } else {
            plain();
        }
        watch_done(phase);
    }
}

/* ---- Watching ------------------------------------------------------------ */

static struct monitor mon;
static struct ravelin_event event;
static uint64_t result[WATCH_WORDS];

/* The next event of a reason; others that wait are answered as they stand. */
static bool await(unsigned int reason)
{
    uint64_t end = clock_ns() + 3000 * MS;
    struct ravelin_event_full full;

    while (clock_ns() < end) {
        monitor_wait(&mon, clock_ns() + 5 * MS);
        while (monitor_next(&mon, &full)) {
            event = full.event;
            if (event.reason == reason) {
                return true;
            }
            if (event.flags & RAVELIN_EVENT_PAUSED) {
                monitor_answer(&mon, &event, 0);
            }
        }
    }
    return false;
}

static bool await_end(uint32_t phase)
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

static void outcome_check(uint64_t outcome, uint64_t vector, uint64_t other)
{
    if (CHECK(await(RAVELIN_REASON_INJECT))) {
        CHECK_EQ(event.old, outcome);
        CHECK_EQ(event.value, vector);
        CHECK_EQ(event.gla, other);
        CHECK_EQ(event.flags & RAVELIN_EVENT_PAUSED, 0);
    }
}

struct trap {
    uint8_t vector;
    uint32_t error;
    uint8_t advance; /* of the saved RIP */
};

static const struct trap traps[] = {
    {TRAP_DE, NO_ERROR, 0}, {TRAP_DB, NO_ERROR, 0}, {TRAP_BP, NO_ERROR, 1},
    {TRAP_OF, NO_ERROR, 1}, {TRAP_BR, NO_ERROR, 0}, {TRAP_UD, NO_ERROR, 0},
    {TRAP_NM, NO_ERROR, 0}, {TRAP_DF, 0, 0},        {TRAP_TS, 0x28, 0},
    {TRAP_NP, 0x33, 0},     {TRAP_SS, 0x10, 0},     {TRAP_GP, 0x1ffc, 0},
    {TRAP_PF, 0x7, 0},      {TRAP_MF, NO_ERROR, 0}, {TRAP_AC, 0, 0},
    {TRAP_XM, NO_ERROR, 0},
};

static void plain_check(uint32_t phase, const struct trap *t)
{
    CHECK_EQ(watch_start(&mon, phase, NULL), 0);
    if (!CHECK(await(RAVELIN_REASON_CR3))) {
        return;
    }
    CHECK_EQ(monitor_inject(&mon, 0, t->vector, t->error, CR2_VALUE), 0);
    CHECK_EQ(monitor_inject(&mon, 0, TRAP_UD, NO_ERROR, 0), -XEN_EBUSY);
    monitor_answer(&mon, &event, 0);
    monitor_flush(&mon);
    outcome_check(RAVELIN_INJECT_DELIVERED, t->vector, 0);
    if (!CHECK(await_end(phase))) {
        printf("vector %u: no end\n", t->vector);
        return;
    }
    CHECK_EQ(result[0], t->vector);
    CHECK_EQ(result[1], t->error == NO_ERROR ? 0 : t->error);
    CHECK_EQ(result[2], t->advance);
    if (t->vector == TRAP_PF) {
        CHECK_EQ(result[3], CR2_VALUE);
    }
    CHECK_EQ(result[4], 0);
}

static void user_check(uint32_t phase)
{
    uint64_t place;

    CHECK_EQ(monitor_access_set(&mon, MONITOR_ACCESS_R, PFN(user_page), 1), 0);
    CHECK_EQ(watch_start(&mon, phase, NULL), 0);
    if (!CHECK(await(RAVELIN_REASON_VIOLATION))) {
        return;
    }
    CHECK_EQ(monitor_access_set(&mon, MONITOR_ACCESS_RWX, PFN(user_page), 1),
             0);
    CHECK_EQ(monitor_inject(&mon, 0, TRAP_BP, NO_ERROR, 0), 0);
    place = event.rip;
    monitor_answer(&mon, &event, 0);
    monitor_flush(&mon);
    outcome_check(RAVELIN_INJECT_DELIVERED, TRAP_BP, 0);
    CHECK(await_end(phase));
    CHECK_EQ(result[0], TRAP_GP);
    CHECK_EQ(result[1], SOFT_GATE_ERROR);
    CHECK_EQ(result[2], place);
    CHECK_EQ(result[5], 5);
}

struct collision {
    uint8_t first, second; /* first: 0xff, an interrupt */
    uint32_t error;
    uint64_t outcome;
    uint32_t going_on;
    uint64_t list; /* vectors that the guest sees, the last one lowest */
};

#define BIT(v) (1u << (v))
#define IPI 0xff

static const struct collision collisions[] = {
    {TRAP_UD, TRAP_PF, 2, RAVELIN_INJECT_MERGED, BIT(TRAP_UD), 0x0e06},
    {TRAP_UD, TRAP_GP, 0, RAVELIN_INJECT_MERGED, BIT(TRAP_UD), 0x0d06},
    {TRAP_GP, TRAP_UD, NO_ERROR, RAVELIN_INJECT_MERGED, BIT(TRAP_GP), 0x060d},
    {TRAP_GP, TRAP_PF, 0, RAVELIN_INJECT_MERGED, BIT(TRAP_GP), 0x0e0d},
    {TRAP_GP, TRAP_NP, 0, RAVELIN_INJECT_DOUBLE, BIT(TRAP_DF), 0x08},
    {TRAP_GP, TRAP_DE, NO_ERROR, RAVELIN_INJECT_DOUBLE, BIT(TRAP_DF), 0x08},
    {TRAP_PF, TRAP_PF, 0, RAVELIN_INJECT_DOUBLE, BIT(TRAP_DF), 0x08},
    {TRAP_PF, TRAP_GP, 0, RAVELIN_INJECT_DOUBLE, BIT(TRAP_DF), 0x08},
    {TRAP_PF, TRAP_BP, NO_ERROR, RAVELIN_INJECT_MERGED, BIT(TRAP_BP), 0x03},
    {IPI, TRAP_UD, NO_ERROR, RAVELIN_INJECT_MERGED, 0, 0x0671},
    {IPI, TRAP_GP, 0, RAVELIN_INJECT_MERGED, 0, 0x0d71},
};

static bool collide_start(uint32_t phase, const struct collision *c)
{
    uint64_t arg[WATCH_WORDS] = {c->first, c->going_on};

    return CHECK_EQ(monitor_access_set(&mon, MONITOR_ACCESS_N, PFN(gates), 1),
                    0) &&
           CHECK_EQ(watch_start(&mon, phase, arg), 0) &&
           CHECK(await(RAVELIN_REASON_VIOLATION));
}

static void collide_end(uint32_t phase, uint64_t list)
{
    CHECK(await_end(phase));
    if (!CHECK_EQ(result[0], list)) {
        printf("phase %u: saw %lx\n", phase, (unsigned long)result[0]);
    }
}

static void rights_back(void)
{
    CHECK_EQ(monitor_access_set(&mon, MONITOR_ACCESS_RWX, PFN(gates), 1), 0);
}

static void collide_check(uint32_t phase, const struct collision *c)
{
    if (!collide_start(phase, c)) {
        return;
    }
    CHECK_EQ(monitor_inject(&mon, 0, c->second, c->error, CR2_VALUE), 0);
    rights_back();
    monitor_answer(&mon, &event, 0);
    monitor_flush(&mon);
    outcome_check(c->outcome, c->second,
                  c->first == IPI ? VECTOR_IPI : c->first);
    collide_end(phase, c->list);
}

/* A third fault would be the end: it is dropped, and the #DF goes on. */
static void triple_check(uint32_t phase)
{
    static const struct collision c = {
        TRAP_GP, TRAP_DF, 0, 0, BIT(TRAP_DF), 0x08,
    };

    if (!collide_start(phase, &c)) {
        return;
    }
    CHECK_EQ(monitor_inject(&mon, 0, TRAP_DF, 0, 0), 0);
    monitor_answer(&mon, &event, 0);
    monitor_flush(&mon);
    outcome_check(RAVELIN_INJECT_MERGED, TRAP_DF, TRAP_GP);
    if (!CHECK(await(RAVELIN_REASON_VIOLATION))) {
        return;
    }
    CHECK_EQ(monitor_inject(&mon, 0, TRAP_GP, 0, 0), 0);
    rights_back();
    monitor_answer(&mon, &event, 0);
    monitor_flush(&mon);
    outcome_check(RAVELIN_INJECT_TRIPLE, TRAP_GP, TRAP_DF);
    collide_end(phase, 0x08);
}

struct inject_trap {
    uint16_t domid;
    uint16_t pad;
    uint32_t vcpu, vector, error;
    uint64_t cr2;
};

static long inject(unsigned int domid, unsigned int vcpu, uint32_t vector,
                   uint32_t error)
{
    struct inject_trap op = {
        .domid = (uint16_t)domid,
        .vcpu = vcpu,
        .vector = vector,
        .error = error,
    };

    return hvm_op(14, &op);
}

static void refusals_check(void)
{
    static const uint8_t none[] = {2, 9, 15, 18, 20, 22, 24, 27, 31, 32, 128};
    unsigned int peer = watch_peer();
    unsigned int i;

    for (i = 0; i < ARRAY_SIZE(none); i++) {
        /* #VE is an exception without an error code; one is given. */
        CHECK_EQ(inject(peer, 0, none[i], none[i] == 20 ? 0 : NO_ERROR),
                 -XEN_EINVAL);
    }
    CHECK_EQ(inject(peer, 0, 0x106, NO_ERROR), -XEN_EINVAL);
    CHECK_EQ(inject(peer, 0, TRAP_GP, NO_ERROR), -XEN_EINVAL);
    CHECK_EQ(inject(peer, 0, TRAP_UD, 0), -XEN_EINVAL);
    CHECK_EQ(inject(peer, 0, TRAP_GP, 0x10000), -XEN_EINVAL);
    CHECK_EQ(inject(peer, 99, TRAP_UD, NO_ERROR), -XEN_ENOENT);
    CHECK_EQ(inject(peer, ~0u, TRAP_UD, NO_ERROR), -XEN_ENOENT);
    CHECK_EQ(inject(own_domid(), 0, TRAP_UD, NO_ERROR), -XEN_EPERM);
    CHECK_EQ(inject(DOMID_SELF, 0, TRAP_UD, NO_ERROR), -XEN_EPERM);
    CHECK_EQ(inject(77, 0, TRAP_UD, NO_ERROR), -XEN_EPERM);
    CHECK_EQ(hvm_op(14, (void *)UNMAPPED_VA), -XEN_EFAULT);
}

static void watching(void)
{
    uint32_t phase = PHASE_PLAIN;
    unsigned int i;

    if (!CHECK_EQ(monitor_open(&mon, watch_peer(), 2, false), 0)) {
        return;
    }
    CHECK_EQ(monitor_listen(&mon, RAVELIN_REASON_CR3, HVMPME_mode_sync), 0);
    for (i = 0; i < ARRAY_SIZE(traps); i++) {
        plain_check(phase++, &traps[i]);
    }
    user_check(PHASE_USER);
    phase = PHASE_COLLIDE;
    for (i = 0; i < ARRAY_SIZE(collisions); i++) {
        collide_check(phase++, &collisions[i]);
    }
    triple_check(phase++);
    refusals_check();
    CHECK_EQ(watch_start(&mon, WATCH_END, NULL), 0);
    CHECK_EQ(monitor_close(&mon), 0);
}

void test_main(void)
{
    /* Neither side may do this to itself. */
    CHECK_EQ(inject(DOMID_SELF, 0, TRAP_UD, NO_ERROR), -XEN_EPERM);
    watch_main(watching, watched);
}
