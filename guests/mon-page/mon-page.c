/* SPDX-License-Identifier: MIT */
/*
 * Events over a ring in a page of the watched domain, as Xen's ABI has it: the
 * formats mem_event and (`format=vm`, with monitor-abi: vm-event in the watched
 * domain's manifest) vm_event. The page is out of the watched domain's reach
 * while it holds the ring and comes back empty.
 *
 * Environments: pvh64.
 */

#include "domain.h"
#include "domctl.h"
#include "guest.h"
#include "watch.h"

#include "public/vm_event.h"

const char test_title[] = "mon-page: a ring in the watched domain's page";

#define WAIT_NS (8000 * MS)
#define PATTERN 0x5a5a5a5a5a5a5a5aull
#define PORT_OF_RING 4096u
#define OP_ENABLE 0u
#define OP_DISABLE 1u
#define OP_RESUME 2u
#define OP_VERSION 3u
#define MODE_ACCESS 2u

enum action {
    PHASE_NONE,
    PHASE_PAGE, /* result[0]: address of a page, filled with a pattern */
    PHASE_LOOK, /* result[0]: what is there now; writes to it as well */
    PHASE_CR3,
    PHASE_CR4,
    PHASE_INT3,
    PHASE_MANY, /* more events than the ring has slots */
};

/* ---- Watched ------------------------------------------------------------- */

#define MANY 100u

static uint64_t *page;
static volatile unsigned int traps;

static void on_trap(struct trap_frame *frame)
{
    (void)frame;
    traps++;
}

static void act(uint32_t action)
{
    unsigned long cr4 = read_cr4();
    unsigned int i;

    switch (action) {
    case PHASE_PAGE:
        page = page_alloc();
        CHECK(page != NULL);
        memset(page, 0x5a, PAGE_SIZE);
        watch_mailbox.result[0] = (uintptr_t)page;
        break;
    case PHASE_LOOK:
        watch_mailbox.result[0] = READ_ONCE(page[1]);
        WRITE_ONCE(page[0], ~0ull);
        break;
    case PHASE_CR3:
        write_cr3(read_cr3());
        break;
    case PHASE_CR4:
        write_cr4(cr4 ^ CR4_PGE);
        watch_mailbox.result[0] = read_cr4() ^ cr4;
        write_cr4(cr4);
        break;
    case PHASE_INT3:
        traps = 0;
        asm volatile("int3" ::: "memory");
        watch_mailbox.result[0] = traps;
        break;
    case PHASE_MANY:
        for (i = 0; i < MANY; i++) {
            write_cr3(read_cr3());
        }
        break;
    default:
        report_error("no action %u", action);
        break;
    }
}

static void watched(void)
{
    uint32_t phase = PHASE_NONE;

    trap_handler_set(TRAP_BP, on_trap);
    while ((phase = watch_await(phase)) != WATCH_END) {
        act(phase & 0xff);
        watch_done(phase);
    }
}

/* ---- Watching ------------------------------------------------------------ */

static struct monitor mon; /* for the mailbox only */
static uint64_t results[WATCH_WORDS];
static uint32_t serial;
static unsigned int peer, port;
static bool is_vm;
static struct mem_event_sring *ring;
static uint32_t req_cons, rsp_prod;
static unsigned int taken, reason_wanted;
static uint16_t answer_flags;

static void start(uint32_t action)
{
    serial = ((serial >> 8) + 1) << 8 | action;
    CHECK_EQ(watch_start(&mon, serial, NULL), 0);
}

static void end_await(void)
{
    uint64_t end = clock_ns() + WAIT_NS;

    while (!watch_is_done(&mon, serial, results) && CHECK(clock_ns() < end)) {
        clock_sleep(MS / 2);
    }
}

static long ring_op(uint32_t op)
{
    struct xen_domctl ctl = {.cmd = 0};
    long rc;

    ctl.u.vm_event_op.op = op;
    ctl.u.vm_event_op.mode = MODE_ACCESS;
    rc = domctl(XEN_DOMCTL_vm_event_op, peer, &ctl);
    if (op == OP_ENABLE && rc == 0) {
        port = ctl.u.vm_event_op.u.enable.port;
    } else if (op == OP_VERSION && rc == 0) {
        rc = (long)ctl.u.vm_event_op.u.version;
    }
    return rc;
}

static long param_set(uint32_t index, uint64_t value)
{
    struct xen_hvm_param p = {
        .domid = (uint16_t)peer,
        .index = index,
        .value = value,
    };

    return hvm_op(HVMOP_set_param, &p);
}

static uint64_t param_get(uint32_t index)
{
    struct xen_hvm_param p = {.domid = (uint16_t)peer, .index = index};

    return hvm_op(HVMOP_get_param, &p) == 0 ? p.value : ~0ull;
}

static void *slot_at(uint32_t index)
{
    uint32_t slots = is_vm ? VM_EVENT_RING_SIZE : MEM_EVENT_RING_SIZE;
    size_t size =
        is_vm ? sizeof(struct vm_event_st) : sizeof(struct mem_event_st);

    return (uint8_t *)ring + 64 + (index & (slots - 1)) * size;
}

static void mem_event_check(const struct mem_event_st *ev)
{
    CHECK_EQ(ev->type, MEM_EVENT_TYPE_ACCESS);
    CHECK_EQ(ev->reason, reason_wanted);
    CHECK_EQ(ev->vcpu_id, 0);
    CHECK_EQ(ev->rights >> MEM_EVENT_SEQUENCE_SHIFT, req_cons + 1);
    if (ev->reason == MEM_EVENT_REASON_INT3) {
        CHECK(ev->rights & MEM_EVENT_GLA_VALID);
        CHECK_EQ(ev->gla, ev->gfn << 12 | ev->offset);
    }
}

static void vm_event_check(const struct vm_event_st *ev)
{
    CHECK_EQ(ev->version, VM_EVENT_INTERFACE_VERSION);
    CHECK_EQ(ev->reason, reason_wanted);
    CHECK_EQ(ev->vcpu_id, 0);
    CHECK_EQ(ev->regs.cr0 & CR0_PE, CR0_PE);
    if (ev->reason == VM_EVENT_REASON_WRITE_CTRLREG) {
        CHECK_EQ(ev->u.write_ctrlreg.new_value,
                 ev->u.write_ctrlreg.index == VM_EVENT_X86_CR3 ? ev->regs.cr3
                                                               : ev->regs.cr4);
    }
}

/* The response stands where the request stood. */
static void respond(void)
{
    void *slot = slot_at(req_cons);

    if (is_vm) {
        struct vm_event_st *ev = slot;

        vm_event_check(ev);
        ev->flags = (ev->flags & VM_EVENT_FLAG_VCPU_PAUSED) | answer_flags;
        if (answer_flags & VM_EVENT_FLAG_SET_REGISTERS) {
            ev->regs.rip++;
        }
    } else {
        struct mem_event_st *ev = slot;

        mem_event_check(ev);
        ev->flags = (ev->flags & MEM_EVENT_FLAG_VCPU_PAUSED) | answer_flags;
    }
    req_cons++;
    rsp_prod++;
    __atomic_store_n(&ring->rsp_prod, rsp_prod, __ATOMIC_RELEASE);
    taken++;
}

static void serve(unsigned int reason, uint16_t flags)
{
    uint64_t end = clock_ns() + WAIT_NS;
    bool done = false;

    reason_wanted = reason;
    answer_flags = flags;
    taken = 0;
    while (!done && CHECK(clock_ns() < end)) {
        bool any = false;

        done = watch_is_done(&mon, serial, results);
        while (__atomic_load_n(&ring->req_prod, __ATOMIC_ACQUIRE) != req_cons) {
            respond();
            any = true;
        }
        if (any) {
            CHECK_EQ(event_send(port), 0);
        }
        event_clear(port);
        WRITE_ONCE(ring->req_event, req_cons + 1);
        event_poll(port, clock_ns() + MS);
    }
}

static void set_up(uint64_t gfn, bool fresh)
{
    long local;

    if (fresh) {
        CHECK_EQ(ring_op(OP_ENABLE), -XEN_ENOENT); /* no page named */
    }
    CHECK_EQ(param_set(HVM_PARAM_MONITOR_RING_PFN, gfn), 0);
    CHECK_EQ(param_get(HVM_PARAM_MONITOR_RING_PFN), gfn);
    ring = window_map(0, peer, gfn);
    if (!CHECK(ring != NULL)) {
        return;
    }
    CHECK_EQ(ring->rsp_prod, (uint32_t)(fresh ? PATTERN : 0));
    CHECK_EQ(param_set(HVM_PARAM_MEMORY_EVENT_CR3, HVMPME_mode_sync),
             -XEN_ENOENT); /* nobody is attached */
    CHECK_EQ(ring_op(OP_ENABLE), 0);
    CHECK_EQ(ring_op(OP_ENABLE), -XEN_EBUSY);
    CHECK_EQ(ring->req_prod, 0);
    CHECK_EQ(port, PORT_OF_RING);
    local = event_interdomain(peer, port);
    CHECK(local > 0);
    port = (unsigned int)local;
    event_mask(port);
}

/* The watched domain finds a hole; what it writes there goes nowhere. */
static void test_reach(void)
{
    start(PHASE_LOOK);
    end_await();
    CHECK(results[0] != PATTERN);
    CHECK_EQ(ring->req_prod, 0);
    CHECK_EQ(ring->req_event, 1);
}

static void listen_cr(unsigned int index, bool sync)
{
    struct xen_domctl ctl = {.cmd = 0};

    if (!is_vm) {
        CHECK_EQ(param_set(index == VM_EVENT_X86_CR3
                               ? HVM_PARAM_MEMORY_EVENT_CR3
                               : HVM_PARAM_MEMORY_EVENT_CR4,
                           sync ? HVMPME_mode_sync : HVMPME_mode_async),
                 0);
        return;
    }
    ctl.u.monitor_op.op = XEN_DOMCTL_MONITOR_OP_ENABLE;
    ctl.u.monitor_op.event = XEN_DOMCTL_MONITOR_EVENT_WRITE_CTRLREG;
    ctl.u.monitor_op.u.mov_to_cr.index = (uint8_t)index;
    ctl.u.monitor_op.u.mov_to_cr.sync = sync;
    CHECK_EQ(domctl(XEN_DOMCTL_monitor_op, peer, &ctl), 0);
}

static void test_cr(void)
{
    unsigned int reason_cr3 =
        is_vm ? VM_EVENT_REASON_WRITE_CTRLREG : MEM_EVENT_REASON_CR3;
    unsigned int reason_cr4 =
        is_vm ? VM_EVENT_REASON_WRITE_CTRLREG : MEM_EVENT_REASON_CR4;

    listen_cr(VM_EVENT_X86_CR3, true);
    CHECK_EQ(param_get(HVM_PARAM_MEMORY_EVENT_CR3), HVMPME_mode_sync);
    start(PHASE_CR3);
    serve(reason_cr3, 0);
    CHECK_EQ(taken, 1);
    /* As many as the ring can hold, and more. */
    start(PHASE_MANY);
    serve(reason_cr3, 0);
    CHECK_EQ(taken, MANY);
    CHECK_EQ(param_set(HVM_PARAM_MEMORY_EVENT_CR3, HVMPME_mode_disabled), 0);

    listen_cr(VM_EVENT_X86_CR4, true);
    start(PHASE_CR4);
    serve(reason_cr4, is_vm ? VM_EVENT_FLAG_DENY : RAVELIN_ANSWER_DENY);
    CHECK_EQ(taken, 2);
    CHECK_EQ(results[0], 0);
    CHECK_EQ(param_set(HVM_PARAM_MEMORY_EVENT_CR4, HVMPME_mode_disabled), 0);
}

static void test_int3(void)
{
    CHECK_EQ(param_set(HVM_PARAM_MEMORY_EVENT_INT3,
                       HVMPME_mode_sync | HVMPME_onchangeonly),
             -XEN_EINVAL);
    CHECK_EQ(param_set(HVM_PARAM_MEMORY_EVENT_INT3, HVMPME_mode_sync), 0);
    start(PHASE_INT3);
    serve(is_vm ? VM_EVENT_REASON_SOFTWARE_BREAKPOINT : MEM_EVENT_REASON_INT3,
          is_vm ? VM_EVENT_FLAG_SET_REGISTERS : RAVELIN_ANSWER_SKIP);
    CHECK_EQ(taken, 1);
    CHECK_EQ(results[0], 0);
    CHECK_EQ(param_set(HVM_PARAM_MEMORY_EVENT_INT3, HVMPME_mode_disabled), 0);
    start(PHASE_INT3);
    end_await();
    CHECK_EQ(results[0], 1);
}

/* Nonsense in the index ends the watch, and the guest has its own again. */
static void test_nonsense(void)
{
    uint64_t end = clock_ns() + WAIT_NS;

    CHECK_EQ(param_set(HVM_PARAM_MEMORY_EVENT_INT3, HVMPME_mode_sync), 0);
    start(PHASE_INT3);
    while (__atomic_load_n(&ring->req_prod, __ATOMIC_ACQUIRE) == req_cons) {
        if (!CHECK(clock_ns() < end)) {
            return;
        }
        event_poll(port, clock_ns() + MS);
    }
    WRITE_ONCE(ring->rsp_prod, rsp_prod + 1000);
    event_send(port);
    end_await();
    CHECK_EQ(results[0], 1);
}

static void watching(void)
{
    struct monitor own;

    /* The mailbox needs no ring: a domid is enough. */
    mon.domid = peer = watch_peer();
    is_vm = cmdline_value("format") != NULL;
    CHECK_EQ(ring_op(OP_VERSION), VM_EVENT_INTERFACE_VERSION);
    start(PHASE_PAGE);
    end_await();
    set_up(results[0] >> 12, true);
    if (!ring) {
        return;
    }
    CHECK_EQ(monitor_open(&own, peer, 1, false), -XEN_EBUSY);
    test_reach();
    test_cr();
    test_int3();
    CHECK_EQ(ring_op(OP_RESUME), 0);
    CHECK_EQ(ring_op(OP_DISABLE), 0);
    CHECK_EQ(ring_op(OP_DISABLE), -XEN_ENOENT);
    start(PHASE_LOOK);
    end_await();
    CHECK_EQ(results[0], 0); /* back, and empty */
    CHECK_EQ(ring->req_prod, ~0u);
    window_unmap(0);
    set_up(param_get(HVM_PARAM_MONITOR_RING_PFN), false);
    req_cons = rsp_prod = 0;
    test_nonsense();
    CHECK_EQ(watch_start(&mon, WATCH_END, NULL), 0);
}

void test_main(void)
{
    watch_main(watching, watched);
}
