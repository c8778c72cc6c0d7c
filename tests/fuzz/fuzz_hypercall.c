/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fuzz target: hypercalls from a plain guest, a control domain and the hardware
 * domain, in any order and with any argument, while every byte of guest memory
 * changes as soon as it has been read. No second read, no lock left behind, no
 * panic; in the end every domain can be destroyed and every frame is back.
 *
 * Input: calls of struct fuzz_call; the last one may be cut off.
 */
#include "fuzz.h"

#include <string.h>

#include "fake.h"
#include "fixture.h"
#include "public/domctl.h"
#include "public/sysctl.h"
#include "ravelin/console.h"
#include "ravelin/cpuid_policy.h"
#include "ravelin/errno.h"
#include "ravelin/frame_pool.h"
#include "ravelin/guest_copy.h"
#include "ravelin/hypercall.h"
#include "ravelin/quiesce.h"
#include "ravelin/sched.h"
#include "ravelin/timer.h"
#include "ravelin/vconsole.h"
#include "ravelin/work.h"

#define RAM_BYTES (16UL << 20)
#define FIRST_FRAME 256u
#define GUEST_PAGES 48u
#define GUESTS 3u
#define ARG_AT 0x1000u
#define LIST_AT 0x2000u
#define CALLS_MAX 64u
#define TURNS_MAX 5000u /* 16-bit counts come in pieces of 32 */

struct fuzz_call {
    uint8_t who;       /* % GUESTS; bit 4: 32-bit, bits 5-6: hostility */
    uint8_t row;       /* of the table; beyond it: number and op as given */
    uint8_t select[3]; /* what the arguments are, see argument() */
    uint8_t advance;   /* time, in units of 100 us */
    uint16_t number;
    uint32_t raw;
    uint8_t arg[144]; /* what the pointer points to */
    uint8_t list[64]; /* at LIST_AT */
};

static const struct {
    uint8_t number;
    uint16_t op;
} rows[] = {
#define CALL_memory_op 12
#define CALL_set_timer_op 15
#define CALL_xen_version 17
#define CALL_console_io 18
#define CALL_vm_assist 21
#define CALL_vcpu_op 24
#define CALL_sched_op 29
#define CALL_event_channel_op 32
#define CALL_hvm_op 34
#define CALL_v4v_op 39
#define CALL_sysctl 35
#define CALL_domctl 36
#define CALL_monitor_op 55
#define SUBOP(call, name, number, ...) {CALL_##call, number},
#include "../../src/hypercall/table.def"
};

static struct cpu cpu;
static struct domain *guest[GUESTS];
static uint64_t frames_at_start;

/* ---- Machine ----------------------------------------------------------- */

static size_t line_room(void)
{
    return 4096;
}
static void line_tx(const uint8_t *buf, size_t n)
{
    (void)buf;
    (void)n;
}
static bool line_idle(void)
{
    return true;
}
static int line_rx(void)
{
    return -1;
}
static const struct serial_port_ops line = {
    .tx_room = line_room, .tx = line_tx, .tx_idle = line_idle, .rx = line_rx};

static void cpuid_read(uint32_t leaf, uint32_t subleaf, uint32_t out[4])
{
    (void)subleaf;
    memset(out, 0xff, 16);
    out[0] = leaf == 0x80000000u   ? 0x80000008u
             : leaf == 0x80000008u ? 0x3030u
                                   : 0xdu;
}

static void quiesce(void)
{
    for (unsigned i = 0; work_is_pending() || quiesce_pending_count() > 0;
         i++) {
        require(i < 100000);
        /* The machine's end waits for domains, but not for ever. */
        fake_time_advance(1000000);
        work_run();
        quiesce_point();
    }
}

static struct domain *guest_create(domid_t id, uint32_t roles)
{
    struct domain_config cfg = {
        .id = id,
        .roles = roles,
        .vcpu_count = 2,
        .max_pages = GUEST_PAGES + 64,
        .crash_policy = MANIFEST_CRASH_PRESERVE,
    };
    struct domain *d;

    require(domain_create(&cfg, &d) == 0);
    fixture_ram_map(d, GUEST_PAGES);
    require(vconsole_create(d) == 0);
    for (unsigned i = 0; i < 2; i++) {
        vcpu_pause(d->vcpu[i]);
        hv->creg_set(d->vcpu[i], CREG_CR0, 0x11);
    }
    d->vcpu[0]->is_initialised = true;
    require(vcpu_up(d->vcpu[0]) == 0);
    require(domain_unpause(d) == 0);
    return d;
}

static void machine_create(void)
{
    fake_machine_reset();
    fake_ram_create(RAM_BYTES);
    hv = &fake_backend;
    require(frame_pool_init(mfn(RAM_BYTES >> PAGE_SHIFT), fake_early_alloc) ==
            0);
    frame_pool_add(mfn(FIRST_FRAME), (RAM_BYTES >> PAGE_SHIFT) - FIRST_FRAME);
    memset(&cpu, 0, sizeof(cpu));
    cpu_table_reset();
    cpu.self = &cpu;
    cpu.online = true;
    fake_this_cpu = &cpu;
    cpu_register(&cpu);
    quiesce_resume();
    require(timer_cpu_init(&cpu) == 0);
    require(sched_cpu_init(&cpu) == 0);
    cpuid_host_init(cpuid_read, 0, true);
    console_init(&line, CONSOLE_MUX);
    frames_at_start = frame_free_count();
    guest[0] = guest_create(5, 0);
    guest[1] = guest_create(3, ROLE_CONTROL);
    guest[2] = guest_create(4, ROLE_HARDWARE);
}

/* Everything that exists, also what the input created. */
static void machine_destroy(void)
{
    struct domain *d;

    while ((d = domain_lookup_from(0)) != NULL) {
        unsigned turns = 0;

        while (domain_destroy(d) == -RV_ERESTART) {
            require(turns++ < TURNS_MAX);
            require(sched_pick() == NULL || turns < TURNS_MAX);
            quiesce();
        }
        quiesce();
    }
    quiesce();
    require(domain_count() == 0);
    require(frame_free_count() == frames_at_start);
    cpu_table_reset();
    fake_this_cpu = NULL;
    fake_ram_destroy();
}

/* ---- Calls ------------------------------------------------------------- */

/* Makes `v` the one that runs; false if it cannot any more. */
static bool vcpu_on(struct vcpu *v)
{
    vcpu_wake(v);
    vcpu_unpause(v);
    for (unsigned i = 0; i < 100; i++) {
        struct vcpu *picked = sched_pick();

        if (picked == v) {
            return true;
        }
        if (picked == NULL) {
            break;
        }
        vcpu_pause(picked); /* one that the input brought up */
    }
    vcpu_pause(v);
    sched_pick();
    return false;
}

static void vcpu_off(struct vcpu *v)
{
    vcpu_pause(v);
    for (unsigned i = 0; i < 100; i++) {
        struct vcpu *picked = sched_pick();

        if (picked == NULL) {
            return;
        }
        vcpu_pause(picked);
    }
    abort();
}

/*
 * Structures with pointers in them: the guest may let two lists, or a list and
 * the structure, overlap, and then one byte is rightly read for each. The unit
 * tests check these calls with lists of their own.
 */
static bool may_overlap(unsigned number, unsigned op)
{
    static const struct {
        uint8_t number;
        uint8_t op;
    } nested[] = {
        {CALL_memory_op, 1},  {CALL_memory_op, 6}, {CALL_memory_op, 13},
        {CALL_memory_op, 23}, {CALL_sched_op, 3},  {CALL_domctl, 9},
        {CALL_domctl, 34},    {CALL_v4v_op, 1},    {CALL_v4v_op, 3},
        {CALL_v4v_op, 5},
    };

    for (size_t i = 0; i < sizeof(nested) / sizeof(nested[0]); i++) {
        if (nested[i].number == number && nested[i].op == op) {
            return true;
        }
    }
    return false;
}

static void dispatch(struct vcpu *v, bool is_32bit, unsigned hostility,
                     bool overlap)
{
    struct vmexit exit = {
        .reason = VMEXIT_HYPERCALL,
        .insn_len = 3,
        .code_bits = is_32bit ? 32 : 64,
    };
    uint64_t rip = v->regs.rip;

    for (unsigned i = 0; v->regs.rip == rip; i++) {
        struct fake_fetch_report report;

        require(i < TURNS_MAX);
        fake_fetch_begin((enum fake_hostility)hostility);
        hypercall_dispatch(v, &exit);
        fake_fetch_end(&report);
        require(overlap || report.violation_count == 0);
        for (unsigned r = 0; r < LOCK_RANK_COUNT; r++) {
            require(cpu.locks_held[r] == 0);
        }
        quiesce();
        /* Anybody may take a continuation away for good. */
        if (v->flags & VCPU_DEAD) {
            break;
        }
    }
}

static uint64_t argument(const struct fuzz_call *c, unsigned i)
{
    static const uint64_t edges[] = {
        0,
        1,
        2,
        3,
        23,
        0x7ff0,
        0x7fffffff,
        0xffffffff,
        UINT64_MAX,
        ARG_AT,
        LIST_AT,
        0xffe,
        0x7ffffffff000,
        0xfffffffffffff000,
    };

    switch (c->select[i] % 4) {
    case 0:
        return ARG_AT;
    case 1:
        return c->select[i] / 4u;
    case 2:
        return edges[c->select[i] / 4u % (sizeof(edges) / sizeof(edges[0]))];
    default:
        return c->raw;
    }
}

/* A request with the right header reaches the operation. */
static void header_fix(uint8_t *arg, unsigned number, uint32_t op)
{
    uint32_t head[2] = {op, number == CALL_domctl
                                ? XEN_DOMCTL_INTERFACE_VERSION
                                : XEN_SYSCTL_INTERFACE_VERSION};

    memcpy(arg, head, sizeof(head));
    if (number == CALL_domctl) {
        memset(arg + 10, 0, 6);
    }
}

static void call_run(struct fuzz_call *c)
{
    struct domain *d = guest[c->who % 16 % GUESTS];
    struct vcpu *v = d->vcpu[0];
    bool is_32bit = (c->who & 0x10) != 0;
    bool known = c->row < sizeof(rows) / sizeof(rows[0]);
    uint64_t number = known ? rows[c->row].number : c->number;
    uint64_t first = known ? rows[c->row].op : argument(c, 2);
    const unsigned reg[2][5] = {
        {REG_RDI, REG_RSI, REG_RDX, REG_R10, REG_R8},
        {REG_RBX, REG_RCX, REG_RDX, REG_RSI, REG_RDI},
    };

    if (number == CALL_domctl || number == CALL_sysctl) {
        header_fix(c->arg, (unsigned)number, (uint32_t)first);
        first = argument(c, 0);
    }
    /* The guest may have given these pages away. */
    if (guest_phys_write(d, gpa(ARG_AT), c->arg, sizeof(c->arg)) != 0 ||
        guest_phys_write(d, gpa(LIST_AT), c->list, sizeof(c->list)) != 0) {
        first = argument(c, 0);
    }
    if (!vcpu_on(v)) {
        return;
    }
    v->regs.gpr[REG_RAX] = number;
    v->regs.gpr[reg[is_32bit][0]] = first;
    for (unsigned i = 1; i < 5; i++) {
        v->regs.gpr[reg[is_32bit][i]] = argument(c, (i - 1) % 3);
    }
    dispatch(v, is_32bit, c->who >> 5 & 3,
             !known || may_overlap(rows[c->row].number, rows[c->row].op));
    vcpu_off(v);
    fake_time_advance(c->advance * 100000u);
    timers_run();
    quiesce();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    machine_create();
    for (unsigned i = 0; size > 0 && i < CALLS_MAX; i++) {
        struct fuzz_call c;
        size_t n = size < sizeof(c) ? size : sizeof(c);

        memset(&c, 0, sizeof(c));
        memcpy(&c, data, n);
        data += n;
        size -= n;
        call_run(&c);
    }
    machine_destroy();
    return 0;
}
