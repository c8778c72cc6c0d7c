/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * monitor_op: decode, permission and every documented error. The listener is
 * the control domain, the watched one the plain guest; who may watch whom by
 * the manifest is tested with a domain of its own.
 */
#include "hypercall_fixture.h"

#include <string.h>

#include "public/mem_event.h"
#include "public/ravelin_monitor.h"
#include "ravelin/evtchn.h"
#include "ravelin/frame_pool.h"
#include "ravelin/monitor.h"
#include "ravelin/sched.h"

#include "monitor_internal.h"

#define OP __HYPERVISOR_ravelin_monitor_op
#define WATCHED (hc_domain[HC_PLAIN]->id)
#define NOBODY 99u
#define RING_GFN (HC_FREE >> PAGE_SHIFT)

static long op(enum hc_who who, unsigned cmd, void *arg, size_t n)
{
    return hc(who, OP, cmd, arg, n);
}

static struct ravelin_monitor_attach attach_request(unsigned pages)
{
    uint64_t gfns[RAVELIN_MONITOR_PAGES_MAX];

    for (unsigned i = 0; i < RAVELIN_MONITOR_PAGES_MAX; i++) {
        gfns[i] = RING_GFN + i;
    }
    hc_put(HC_CONTROL, HC_BUF, gfns, sizeof(gfns));
    return (struct ravelin_monitor_attach){
        .domid = WATCHED,
        .version = RAVELIN_MONITOR_VERSION,
        .event_size = sizeof(struct ravelin_event),
        .page_count = pages,
        .gfns.gva = HC_BUF,
    };
}

static long attach(struct ravelin_monitor_attach *req)
{
    return op(HC_CONTROL, RAVELIN_MONITOR_attach, req, sizeof(*req));
}

static void attach_good(void)
{
    struct ravelin_monitor_attach req = attach_request(2);

    assert_int_equal(attach(&req), 0);
    assert_int_not_equal(req.port, 0);
    assert_int_equal(req.vcpu_count, 2);
}

static long target_op(unsigned cmd, domid_t id)
{
    struct ravelin_monitor_target req = {.domid = id};

    return op(HC_CONTROL, cmd, &req, sizeof(req));
}

static void detach_good(void)
{
    assert_int_equal(target_op(RAVELIN_MONITOR_detach, WATCHED), 0);
    fixture_quiesce();
}

/* ---- What is common to all -------------------------------------------- */

/* Sizes of the structures, by operation; 0: arguments in registers. */
static const size_t sizes[] = {
    [RAVELIN_MONITOR_attach] = sizeof(struct ravelin_monitor_attach),
    [RAVELIN_MONITOR_detach] = sizeof(struct ravelin_monitor_target),
    [RAVELIN_MONITOR_listen] = sizeof(struct ravelin_monitor_listen),
    [RAVELIN_MONITOR_filter] = sizeof(struct ravelin_monitor_filter),
    [RAVELIN_MONITOR_status] = sizeof(struct ravelin_monitor_status),
    [RAVELIN_MONITOR_resume] = sizeof(struct ravelin_monitor_target),
    [RAVELIN_MONITOR_registers_get] = sizeof(struct ravelin_monitor_registers),
    [RAVELIN_MONITOR_registers_set] = sizeof(struct ravelin_monitor_registers),
    [RAVELIN_MONITOR_memory_read] = sizeof(struct ravelin_monitor_memory),
    [RAVELIN_MONITOR_memory_write] = sizeof(struct ravelin_monitor_memory),
    [RAVELIN_MONITOR_wait] = 0,
};

static long by_domid(enum hc_who who, unsigned cmd, domid_t id)
{
    uint8_t room[sizeof(struct ravelin_monitor_registers)] = {0};

    if (cmd == RAVELIN_MONITOR_wait) {
        return hc_call(who, false, OP, cmd, id, 0);
    }
    memcpy(room, &id, sizeof(id));
    return op(who, cmd, room, sizes[cmd]);
}

static void monitor_op_without_right_returns_eperm(void **state)
{
    (void)state;
    assert_int_equal(op(HC_PLAIN, RAVELIN_MONITOR_version, NULL, 0), -RV_EPERM);
    assert_int_equal(op(HC_CONTROL, RAVELIN_MONITOR_version, NULL, 0),
                     RAVELIN_MONITOR_VERSION);
    for (unsigned i = RAVELIN_MONITOR_attach; i < ARRAY_SIZE(sizes); i++) {
        domid_t other = hc_domain[HC_HARDWARE]->id;

        assert_int_equal(by_domid(HC_PLAIN, i, other), -RV_EPERM);
        assert_int_equal(by_domid(HC_PLAIN, i, NOBODY), -RV_EPERM);
        assert_int_equal(by_domid(HC_HARDWARE, i, WATCHED), -RV_EPERM);
    }
}

static void monitor_op_on_oneself_returns_eperm(void **state)
{
    (void)state;
    for (unsigned i = RAVELIN_MONITOR_attach; i < ARRAY_SIZE(sizes); i++) {
        assert_int_equal(by_domid(HC_CONTROL, i, hc_domain[HC_CONTROL]->id),
                         -RV_EPERM);
        assert_int_equal(by_domid(HC_CONTROL, i, DOMID_SELF), -RV_EPERM);
    }
}

static void monitor_op_unknown_domain_returns_esrch(void **state)
{
    (void)state;
    for (unsigned i = RAVELIN_MONITOR_attach; i < ARRAY_SIZE(sizes); i++) {
        assert_int_equal(by_domid(HC_CONTROL, i, NOBODY), -RV_ESRCH);
    }
}

static void monitor_op_bad_pointer_returns_efault(void **state)
{
    (void)state;
    for (unsigned i = RAVELIN_MONITOR_attach; i < RAVELIN_MONITOR_wait; i++) {
        assert_int_equal(hc_call(HC_CONTROL, false, OP, i, HC_BAD, 0),
                         -RV_EFAULT);
    }
}

static void monitor_op_without_memory_returns_enomem(void **state)
{
    static const uint8_t with_state[] = {
        RAVELIN_MONITOR_attach,        RAVELIN_MONITOR_detach,
        RAVELIN_MONITOR_listen,        RAVELIN_MONITOR_filter,
        RAVELIN_MONITOR_status,        RAVELIN_MONITOR_resume,
        RAVELIN_MONITOR_registers_get, RAVELIN_MONITOR_registers_set,
    };

    (void)state;
    assert_null(hc_domain[HC_PLAIN]->monitor);
    for (unsigned i = 0; i < ARRAY_SIZE(with_state); i++) {
        long rc;

        hc_alloc_fail();
        rc = by_domid(HC_CONTROL, with_state[i], WATCHED);
        hc_alloc_heal();
        assert_int_equal(rc, -RV_ENOMEM);
        assert_null(hc_domain[HC_PLAIN]->monitor);
    }
}

static void monitor_op_nobody_attached_returns_enoent(void **state)
{
    struct ravelin_monitor_listen listen = {
        .domid = WATCHED, .reason = RAVELIN_REASON_CR3, .mode = 1};

    (void)state;
    assert_int_equal(target_op(RAVELIN_MONITOR_detach, WATCHED), -RV_ENOENT);
    assert_int_equal(
        op(HC_CONTROL, RAVELIN_MONITOR_listen, &listen, sizeof(listen)),
        -RV_ENOENT);
    assert_int_equal(by_domid(HC_CONTROL, RAVELIN_MONITOR_filter, WATCHED),
                     -RV_ENOENT);
    assert_int_equal(by_domid(HC_CONTROL, RAVELIN_MONITOR_wait, WATCHED),
                     -RV_ENOENT);
    assert_int_equal(target_op(RAVELIN_MONITOR_resume, WATCHED), 0);
}

/* ---- One by one -------------------------------------------------------- */

static void attach_bad_sizes_return_einval(void **state)
{
    struct ravelin_monitor_attach req;
    static const uint32_t pages[] = {0, 1, 4, 66, 0xffffffff};

    (void)state;
    for (unsigned i = 0; i < ARRAY_SIZE(pages); i++) {
        req = attach_request(pages[i]);
        assert_int_equal(attach(&req), -RV_EINVAL);
    }
    req = attach_request(2);
    req.version++;
    assert_int_equal(attach(&req), -RV_EINVAL);
    req = attach_request(2);
    req.event_size = 128;
    assert_int_equal(attach(&req), -RV_EINVAL);
    req = attach_request(2);
    req.pad = 1;
    assert_int_equal(attach(&req), -RV_EINVAL);
}

static void attach_hole_returns_enoent_and_pins_nothing(void **state)
{
    struct ravelin_monitor_attach req = attach_request(3);
    uint64_t hole = HC_HOLE >> PAGE_SHIFT;
    mfn_t first = p2m_lookup(&hc_domain[HC_CONTROL]->p2m, gfn(RING_GFN)).mfn;
    uint32_t refs = frame_ref_count(first);

    (void)state;
    hc_put(HC_CONTROL, HC_BUF + 2 * sizeof(hole), &hole, sizeof(hole));
    assert_int_equal(attach(&req), -RV_ENOENT);
    assert_int_equal(frame_ref_count(first), refs);
    req = attach_request(2);
    req.gfns.gva = HC_BAD;
    assert_int_equal(attach(&req), -RV_EFAULT);
}

static void attach_twice_returns_ebusy(void **state)
{
    struct ravelin_monitor_attach req = attach_request(2);

    (void)state;
    attach_good();
    assert_int_equal(attach(&req), -RV_EBUSY);
    detach_good();
}

static void attach_without_ports_returns_enospc(void **state)
{
    struct ravelin_monitor_attach req = attach_request(2);
    uint32_t max = hc_domain[HC_CONTROL]->evtchn_port_max;

    (void)state;
    hc_domain[HC_CONTROL]->evtchn_port_max = 0;
    assert_int_equal(attach(&req), -RV_ENOSPC);
    hc_domain[HC_CONTROL]->evtchn_port_max = max;
    attach_good();
    detach_good();
}

static void detach_releases_pages_and_port(void **state)
{
    mfn_t first = p2m_lookup(&hc_domain[HC_CONTROL]->p2m, gfn(RING_GFN)).mfn;
    uint32_t refs = frame_ref_count(first);

    (void)state;
    attach_good();
    assert_int_equal(frame_ref_count(first), refs + 1);
    detach_good();
    assert_int_equal(frame_ref_count(first), refs);
    assert_int_equal(target_op(RAVELIN_MONITOR_detach, WATCHED), -RV_ENOENT);
}

/* Another CPU is in the middle of attaching. */
static void detach_during_change_returns_ebusy(void **state)
{
    struct ravelin_monitor_target req = {.domid = WATCHED, .pad = {1}};

    (void)state;
    assert_int_equal(op(HC_CONTROL, RAVELIN_MONITOR_detach, &req, sizeof(req)),
                     -RV_EINVAL);
    assert_int_equal(op(HC_CONTROL, RAVELIN_MONITOR_resume, &req, sizeof(req)),
                     -RV_EINVAL);
    attach_good();
    hc_domain[HC_PLAIN]->monitor->state = MONITOR_CHANGING;
    assert_int_equal(target_op(RAVELIN_MONITOR_detach, WATCHED), -RV_EBUSY);
    hc_domain[HC_PLAIN]->monitor->state = MONITOR_ON;
    detach_good();
}

static long listen(uint16_t reason, uint32_t mode)
{
    struct ravelin_monitor_listen req = {
        .domid = WATCHED, .reason = reason, .mode = mode};

    return op(HC_CONTROL, RAVELIN_MONITOR_listen, &req, sizeof(req));
}

static void listen_bad_values_return_einval(void **state)
{
    static const struct {
        uint16_t reason;
        uint32_t mode;
    } bad[] = {
        {0, 1},
        {RAVELIN_REASON_VIOLATION, 1},
        {RAVELIN_REASON_INJECT, 1},
        {RAVELIN_REASON_COUNT, 1},
        {0xffff, 1},
        {RAVELIN_REASON_CR3, 3},
        {RAVELIN_REASON_CR3, 8},
        {RAVELIN_REASON_CR3, 0x80000001},
        {RAVELIN_REASON_INT3, HVMPME_mode_sync | HVMPME_onchangeonly},
        {RAVELIN_REASON_STEP, HVMPME_mode_sync | HVMPME_onchangeonly},
        {RAVELIN_REASON_REQUEST, HVMPME_onchangeonly},
    };

    (void)state;
    attach_good();
    for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
        assert_int_equal(listen(bad[i].reason, bad[i].mode), -RV_EINVAL);
    }
    assert_int_equal(listen(RAVELIN_REASON_CR3, HVMPME_mode_sync), 0);
    assert_true(monitor_listens(hc_domain[HC_PLAIN], RAVELIN_REASON_CR3));
    detach_good();
    assert_false(monitor_listens(hc_domain[HC_PLAIN], RAVELIN_REASON_CR3));
}

static long filter(uint16_t kind, uint32_t count, uint64_t ranges)
{
    struct ravelin_monitor_filter req = {
        .domid = WATCHED, .kind = kind, .count = count, .ranges.gva = ranges};

    return op(HC_CONTROL, RAVELIN_MONITOR_filter, &req, sizeof(req));
}

static void filter_bad_values_are_refused(void **state)
{
    struct ravelin_range ranges[2] = {{2, 1}, {0, 0}};
    long rc;

    (void)state;
    attach_good();
    hc_put(HC_CONTROL, HC_BUF, ranges, sizeof(ranges));
    assert_int_equal(filter(RAVELIN_FILTER_CR3, 1, HC_BUF), -RV_EINVAL);
    assert_int_equal(filter(RAVELIN_FILTER_KINDS, 0, 0), -RV_EINVAL);
    assert_int_equal(filter(RAVELIN_FILTER_CR3, RAVELIN_FILTER_MAX + 1, HC_BUF),
                     -RV_E2BIG);
    assert_int_equal(filter(RAVELIN_FILTER_CR0, 2, HC_BUF), -RV_E2BIG);
    assert_int_equal(filter(RAVELIN_FILTER_CR3, 1, HC_BAD), -RV_EFAULT);
    hc_alloc_fail();
    rc = filter(RAVELIN_FILTER_CR3, 0, 0);
    hc_alloc_heal();
    assert_int_equal(rc, -RV_ENOMEM);
    assert_int_equal(filter(RAVELIN_FILTER_CR3, 0, 0), 0);
    detach_good();
}

static long registers(unsigned cmd, struct ravelin_monitor_registers *req)
{
    req->domid = WATCHED;
    return op(HC_CONTROL, cmd, req, sizeof(*req));
}

static void registers_of_a_running_vcpu_return_ebusy(void **state)
{
    struct ravelin_monitor_registers req = {.vcpu = 0};

    (void)state;
    /* As if it ran on another CPU: the flags say that nothing stops it. */
    write_once(hc_vcpu(HC_PLAIN, 0)->flags, 0);
    assert_int_equal(registers(RAVELIN_MONITOR_registers_get, &req), -RV_EBUSY);
    assert_int_equal(registers(RAVELIN_MONITOR_registers_set, &req), -RV_EBUSY);
    write_once(hc_vcpu(HC_PLAIN, 0)->flags, VCPU_PAUSED);
    req.vcpu = 7;
    assert_int_equal(registers(RAVELIN_MONITOR_registers_get, &req),
                     -RV_ENOENT);
    assert_int_equal(registers(RAVELIN_MONITOR_registers_set, &req),
                     -RV_ENOENT);
}

static void registers_set_keeps_modes_and_refuses_bad_rip(void **state)
{
    struct ravelin_monitor_registers req = {.vcpu = 0};
    struct vcpu *v = hc_vcpu(HC_PLAIN, 0);
    uint64_t cr0 = v->paging.cr0;

    (void)state;
    assert_int_equal(registers(RAVELIN_MONITOR_registers_get, &req), 0);
    assert_int_equal(req.regs.cr0, cr0);
    req.regs.gpr[3] = 0x1234;
    req.regs.cr0 = 0;
    req.regs.rflags = ~0ull;
    assert_int_equal(registers(RAVELIN_MONITOR_registers_set, &req), 0);
    assert_int_equal(v->regs.gpr[REG_RBX], 0x1234);
    assert_int_equal(v->paging.cr0, cr0);
    assert_int_equal(v->regs.rflags & (3u << 12 | 1u << 17), 0);
    req.regs.rip = 1ull << 62;
    assert_int_equal(registers(RAVELIN_MONITOR_registers_set, &req),
                     -RV_EINVAL);
    req.regs.rip = 0;
    req.regs.dr7 = 1ull << 32;
    assert_int_equal(registers(RAVELIN_MONITOR_registers_set, &req),
                     -RV_EINVAL);
    v->regs.rflags = 2;
}

static long memory(unsigned cmd, uint64_t at, uint32_t length, uint64_t buffer)
{
    struct ravelin_monitor_memory req = {
        .domid = WATCHED, .length = length, .gpa = at, .buffer.gva = buffer};

    return op(HC_CONTROL, cmd, &req, sizeof(req));
}

static void memory_copies_both_ways(void **state)
{
    uint8_t out[1500], in[1500];

    (void)state;
    for (unsigned i = 0; i < sizeof(out); i++) {
        out[i] = (uint8_t)(i * 7);
    }
    hc_put(HC_CONTROL, HC_BUF, out, sizeof(out));
    assert_int_equal(memory(RAVELIN_MONITOR_memory_write, HC_FREE + 3900,
                            sizeof(out), HC_BUF),
                     0);
    hc_get(HC_PLAIN, HC_FREE + 3900, in, sizeof(in));
    assert_memory_equal(in, out, sizeof(out));
    assert_int_equal(memory(RAVELIN_MONITOR_memory_read, HC_FREE + 3900,
                            sizeof(out), HC_BUF + 8192),
                     0);
    hc_get(HC_CONTROL, HC_BUF + 8192, in, sizeof(in));
    assert_memory_equal(in, out, sizeof(out));
}

static void memory_bad_values_are_refused(void **state)
{
    struct ravelin_monitor_memory pad = {.domid = WATCHED, .pad = 1};

    (void)state;
    for (unsigned i = RAVELIN_MONITOR_memory_read;
         i <= RAVELIN_MONITOR_memory_write; i++) {
        assert_int_equal(
            memory(i, HC_FREE, RAVELIN_MONITOR_MEMORY_MAX + 1, HC_BUF),
            -RV_EINVAL);
        assert_int_equal(memory(i, ~0ull - 4, 16, HC_BUF), -RV_EINVAL);
        assert_int_equal(memory(i, HC_HOLE, 16, HC_BUF), -RV_EFAULT);
        assert_int_equal(memory(i, HC_FREE, 16, HC_BAD), -RV_EFAULT);
        assert_int_equal(op(HC_CONTROL, i, &pad, sizeof(pad)), -RV_EINVAL);
    }
}

static void status_counts_and_tells_nothing_attached(void **state)
{
    struct ravelin_monitor_status st = {.domid = WATCHED};

    (void)state;
    assert_int_equal(op(HC_CONTROL, RAVELIN_MONITOR_status, &st, sizeof(st)),
                     0);
    assert_int_equal(st.state, 0);
    attach_good();
    assert_int_equal(op(HC_CONTROL, RAVELIN_MONITOR_status, &st, sizeof(st)),
                     0);
    assert_int_equal(st.state, RAVELIN_RING_ON);
    detach_good();
}

static void wait_without_event_blocks_the_caller(void **state)
{
    struct vcpu *v = hc_vcpu(HC_CONTROL, 0);

    (void)state;
    attach_good();
    /* Attaching has raised the port once. */
    assert_int_equal(by_domid(HC_CONTROL, RAVELIN_MONITOR_wait, WATCHED), 0);
    vcpu_wake(v);
    assert_true(vcpu_is_settled(v));
    detach_good();
}

/* ---- Who may ----------------------------------------------------------- */

static void permits_follows_the_manifest(void **state)
{
    struct domain *watcher = hc_domain[HC_HARDWARE];
    struct domain *target = hc_domain[HC_PLAIN];
    uint32_t roles = watcher->roles;

    (void)state;
    target->manifest_bit = 1u << 3;
    assert_false(monitor_permits(watcher, target));
    watcher->monitor_targets = 1u << 3;
    assert_false(monitor_permits(watcher, target)); /* lacks the role */
    watcher->roles |= ROLE_MONITOR;
    assert_true(monitor_permits(watcher, target));
    assert_int_equal(op(HC_HARDWARE, RAVELIN_MONITOR_version, NULL, 0),
                     RAVELIN_MONITOR_VERSION);
    watcher->monitor_targets = 1u << 2;
    assert_false(monitor_permits(watcher, target));
    target->manifest_bit = 0; /* made at run time: nobody is named for it */
    watcher->monitor_targets = ~0ull;
    assert_false(monitor_permits(watcher, target));
    assert_false(monitor_permits(target, target));
    assert_false(monitor_permits(hc_domain[HC_CONTROL], hc_domain[HC_CONTROL]));
    watcher->roles = roles;
    watcher->monitor_targets = 0;
}

static void monitor_op_all_documented_errors_were_provoked(void **state)
{
    (void)state;
    hc_errors_all_provoked("monitor_op");
}

#define CASE(name) cmocka_unit_test(name)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(monitor_op_without_right_returns_eperm),
        CASE(monitor_op_on_oneself_returns_eperm),
        CASE(monitor_op_unknown_domain_returns_esrch),
        CASE(monitor_op_bad_pointer_returns_efault),
        CASE(monitor_op_without_memory_returns_enomem),
        CASE(monitor_op_nobody_attached_returns_enoent),
        CASE(attach_bad_sizes_return_einval),
        CASE(attach_hole_returns_enoent_and_pins_nothing),
        CASE(attach_twice_returns_ebusy),
        CASE(attach_without_ports_returns_enospc),
        CASE(detach_releases_pages_and_port),
        CASE(detach_during_change_returns_ebusy),
        CASE(listen_bad_values_return_einval),
        CASE(filter_bad_values_are_refused),
        CASE(registers_of_a_running_vcpu_return_ebusy),
        CASE(registers_set_keeps_modes_and_refuses_bad_rip),
        CASE(memory_copies_both_ways),
        CASE(memory_bad_values_are_refused),
        CASE(status_counts_and_tells_nothing_attached),
        CASE(wait_without_event_blocks_the_caller),
        CASE(permits_follows_the_manifest),
        CASE(monitor_op_all_documented_errors_were_provoked),
    };

    return group_run(tests, hc_setup, hc_teardown);
}
