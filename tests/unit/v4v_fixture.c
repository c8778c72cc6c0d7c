/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See v4v_fixture.h.
 */
#include "v4v_fixture.h"

#include <stdlib.h>
#include <string.h>

#include "platform_cpuid.h"
#include "public/xen.h"
#include "ravelin/evtchn.h"
#include "ravelin/frame_pool.h"
#include "ravelin/guest_copy.h"
#include "ravelin/hypercall.h"
#include "ravelin/quiesce.h"
#include "ravelin/sched.h"
#include "ravelin/vmexit.h"
#include "ravelin/work.h"

#define RAM_BYTES FIXTURE_MIB(320)
#define TURNS_MAX 100000u
#define INSN_LEN 3u
#define PAGES_DEFAULT 1024u
#define SPARE_PAGES 64u

bool vt_detector_on = true;
bool vt_overlap_allowed;
void (*vt_result_hook)(uint64_t op, long rc);

static struct manifest_domain argo_manifest;

/* ---- Machine ----------------------------------------------------------------
 */

void vt_machine_create(unsigned cpus)
{
    fixture_machine_create(cpus, RAM_BYTES);
    for (unsigned i = 0; i < cpus; i++) {
        assert_int_equal(sched_cpu_init(cpu_by_id(i)), 0);
    }
    platform_cpuid_use(CPUID_VENDOR_AMD);
    manifest_domain_init(&argo_manifest);
    argo_manifest.abi = MANIFEST_ABI_ARGO;
    v4v_default_set(true);
    vt_detector_on = true;
}

struct domain *vt_domain(const struct vt_setup *s)
{
    uint32_t pages = s->pages ? s->pages : PAGES_DEFAULT;
    struct domain_config cfg = {
        .id = s->id,
        .roles = s->roles,
        .vcpu_count = s->vcpus ? s->vcpus : 2,
        .max_pages = pages + SPARE_PAGES,
        .evtchn_port_max = s->evtchn_port_max,
        .crash_policy = MANIFEST_CRASH_PRESERVE,
        .manifest = s->argo ? &argo_manifest : NULL,
    };
    struct fixture_tables t;
    struct domain *d;

    assert_int_equal(domain_create(&cfg, &d), 0);
    fixture_ram_map(d, pages);
    for (unsigned i = 0; i < d->vcpu_count; i++) {
        fixture_identity_map(&t, d->vcpu[i], VT_TABLES + i * 0x4000,
                             FIXTURE_MIB(64));
    }
    return d;
}

struct domain *vt_domain_plain(domid_t id)
{
    const struct vt_setup s = {.id = id};

    return vt_domain(&s);
}

static void settle(void)
{
    unsigned turns = 0;

    do {
        assert_true(turns++ < TURNS_MAX);
        work_run();
        fixture_quiesce();
    } while (work_is_pending());
}

void vt_domain_destroy(struct domain *d)
{
    unsigned turns = 0;
    int rc;

    do {
        assert_true(turns++ < TURNS_MAX);
        rc = domain_destroy(d);
        work_run();
        fixture_quiesce();
    } while (rc == -RV_ERESTART);
    assert_int_equal(rc, 0);
    settle();
}

void vt_clear(void)
{
    struct domain *d;

    while ((d = domain_lookup_from(0)) != NULL) {
        vt_domain_destroy(d);
    }
    v4v_rules_flush();
    settle();
}

void vt_machine_destroy(void)
{
    vt_clear();
    fixture_machine_destroy();
}

int vt_teardown(void **state)
{
    (void)state;
    vt_machine_destroy();
    return 0;
}

/* ---- Calls
 * ------------------------------------------------------------------- */

void vt_begin(struct vcpu *v, uint64_t op, uint64_t a1, uint64_t a2,
              uint64_t a3, uint64_t a4)
{
    v->regs.gpr[REG_RAX] = __HYPERVISOR_v4v_op;
    v->regs.gpr[REG_RDI] = op;
    v->regs.gpr[REG_RSI] = a1;
    v->regs.gpr[REG_RDX] = a2;
    v->regs.gpr[REG_R10] = a3;
    v->regs.gpr[REG_R8] = a4;
}

static void dispatch(struct vcpu *v)
{
    const struct vmexit exit = {
        .reason = VMEXIT_HYPERCALL,
        .insn_len = INSN_LEN,
        .code_bits = 64,
    };
    struct fake_fetch_report report;

    if (!vt_detector_on) {
        hypercall_dispatch(v, &exit);
        return;
    }
    fake_fetch_begin(FAKE_FLIP);
    hypercall_dispatch(v, &exit);
    fake_fetch_end(&report);
    if (report.violation_count != 0 && !vt_overlap_allowed) {
        fail_msg("%lu bytes of guest memory were read twice",
                 report.violation_count);
    }
}

bool vt_step(struct vcpu *v, long *rc)
{
    uint64_t op = v->regs.gpr[REG_RDI] & 0xff;
    uint64_t rip = v->regs.rip;
    struct cpu *self = this_cpu();
    struct vcpu *before = self->current;

    store_release(&v->cpu, self);
    write_once(self->current, v);
    dispatch(v);
    write_once(self->current, before);
    quiesce_point();
    if (v->regs.rip == rip) {
        return false;
    }
    *rc = (long)v->regs.gpr[REG_RAX];
    if (vt_result_hook) {
        vt_result_hook(op, *rc);
    }
    return true;
}

long vt_call(struct vcpu *v, uint64_t op, uint64_t a1, uint64_t a2, uint64_t a3,
             uint64_t a4)
{
    unsigned turns = 0;
    long rc;

    vt_begin(v, op, a1, a2, a3, a4);
    while (!vt_step(v, &rc)) {
        assert_true(turns++ < TURNS_MAX);
        work_run();
    }
    return rc;
}

long vt_op(struct domain *d, uint64_t op, uint64_t a1, uint64_t a2, uint64_t a3,
           uint64_t a4)
{
    return vt_call(d->vcpu[0], op, a1, a2, a3, a4);
}

/* ---- Rings
 * ------------------------------------------------------------------- */

uint32_t vt_pages(uint32_t len)
{
    return (64 + len + 4095) / 4096;
}

static void list_put(const struct vt_ring *r)
{
    for (uint32_t i = 0; i < vt_pages(r->len); i++) {
        uint64_t g = (r->at >> PAGE_SHIFT) + i;

        fixture_phys_put(r->d, VT_LIST + i * 8, &g, sizeof(g));
    }
}

static long argo_register_call(const struct vt_ring *r)
{
    const struct xen_argo_register_ring reg = {
        .aport = r->port,
        .partner_id = r->partner,
        .len = r->len,
    };

    fixture_phys_put(r->d, VT_ADDR, &reg, sizeof(reg));
    return vt_op(r->d, XEN_ARGO_OP_register_ring, VT_ADDR, VT_LIST,
                 vt_pages(r->len), XEN_ARGO_REGISTER_FLAG_FAIL_EXIST);
}

long vt_register_again(struct vt_ring *r)
{
    list_put(r);
    if (r->argo) {
        return argo_register_call(r);
    }
    return vt_op(r->d, V4VOP_register_ring, r->at, VT_LIST, vt_pages(r->len),
                 0);
}

long vt_register(struct vt_ring *r)
{
    const struct v4v_ring h = {
        .magic = V4V_RING_MAGIC,
        .id = {.addr = {.port = r->port}, .partner = r->partner},
        .len = r->len,
    };
    const uint64_t zero = 0;

    r->argo = v4v_domain_abi(r->d) == MANIFEST_ABI_ARGO;
    if (r->argo) {
        fixture_phys_put(r->d, r->at, &zero, sizeof(zero));
    } else {
        fixture_phys_put(r->d, r->at, &h, sizeof(h));
    }
    return vt_register_again(r);
}

long vt_unregister(const struct vt_ring *r)
{
    const struct xen_argo_unregister_ring u = {.aport = r->port,
                                               .partner_id = r->partner};

    if (!r->argo) {
        return vt_op(r->d, V4VOP_unregister_ring, r->at, 0, 0, 0);
    }
    fixture_phys_put(r->d, VT_ADDR, &u, sizeof(u));
    return vt_op(r->d, XEN_ARGO_OP_unregister_ring, VT_ADDR, 0, 0, 0);
}

struct vt_ring vt_ring(struct domain *d, uint32_t port, domid_t partner,
                       uint32_t len)
{
    struct vt_ring r = {
        .d = d, .at = VT_RING, .port = port, .partner = partner, .len = len};

    assert_int_equal(vt_register(&r), 0);
    return r;
}

/* The words are shared with other threads in some tests. */
static uint32_t *index_ptr(const struct vt_ring *r, uint32_t v4v, uint32_t argo)
{
    uint64_t at = r->at + (r->argo ? argo : v4v);
    struct p2m_entry e = p2m_lookup(&r->d->p2m, gfn(at >> PAGE_SHIFT));

    assert_int_equal(e.type, P2M_RAM);
    return (void *)((char *)host_ptr(mfn_to_hpa(e.mfn)) + (at & ~PAGE_MASK));
}

uint32_t vt_rx(const struct vt_ring *r)
{
    return __atomic_load_n(index_ptr(r, 24, 0), __ATOMIC_ACQUIRE);
}
uint32_t vt_tx(const struct vt_ring *r)
{
    return __atomic_load_n(index_ptr(r, 28, 4), __ATOMIC_ACQUIRE);
}
void vt_rx_set(const struct vt_ring *r, uint32_t rx)
{
    __atomic_store_n(index_ptr(r, 24, 0), rx, __ATOMIC_RELEASE);
}
void vt_tx_set(const struct vt_ring *r, uint32_t tx)
{
    __atomic_store_n(index_ptr(r, 28, 4), tx, __ATOMIC_RELEASE);
}

/* ---- Messages
 * ---------------------------------------------------------------- */

uint8_t vt_byte(uint32_t seed, uint32_t i)
{
    return (uint8_t)(seed * 131 + i * 7 + (i >> 8) * 13);
}

void vt_fill(struct domain *d, uint64_t at, uint32_t seed, uint32_t n)
{
    uint8_t *data = malloc(n + 1);

    assert_non_null(data);
    for (uint32_t i = 0; i < n; i++) {
        data[i] = vt_byte(seed, i);
    }
    fixture_phys_put(d, at, data, n);
    free(data);
}

static void address_put(struct domain *d, uint32_t src_port, domid_t to,
                        uint32_t port)
{
    const struct v4v_send_addr a = {
        .src = {.port = src_port},
        .dst = {.port = port, .domain = to},
    };

    fixture_phys_put(d, VT_ADDR, &a, sizeof(a));
}

static uint64_t send_op(const struct domain *d)
{
    return v4v_domain_abi(d) == MANIFEST_ABI_ARGO ? (uint64_t)XEN_ARGO_OP_sendv
                                                  : (uint64_t)V4VOP_sendv;
}

long vt_send_at(struct domain *d, uint32_t src_port, domid_t to, uint32_t port,
                uint64_t at, uint32_t n)
{
    const struct v4v_iov iov = {.iov_base = at, .iov_len = n};

    address_put(d, src_port, to, port);
    fixture_phys_put(d, VT_IOV, &iov, sizeof(iov));
    return vt_op(d, send_op(d), VT_ADDR, VT_IOV, 1, V4V_MESSAGE_DGRAM);
}

long vt_send(struct domain *d, uint32_t src_port, domid_t to, uint32_t port,
             uint32_t seed, uint32_t n)
{
    vt_fill(d, VT_BUF, seed, n);
    return vt_send_at(d, src_port, to, port, VT_BUF, n);
}

long vt_sendv(struct domain *d, domid_t to, uint32_t port,
              const struct v4v_iov *iov, uint32_t count, uint32_t type)
{
    address_put(d, 1, to, port);
    fixture_phys_put(d, VT_IOV, iov, count * sizeof(*iov));
    return vt_op(d, send_op(d), VT_ADDR, VT_IOV, count, type);
}

static void ring_get(const struct vt_ring *r, uint32_t at, void *to, size_t n)
{
    size_t first = rv_min(n, (size_t)(r->len - at));

    fixture_phys_get(r->d, to, r->at + 64 + at, first);
    fixture_phys_get(r->d, (char *)to + first, r->at + 64, n - first);
}

static void header_get(const struct vt_ring *r, uint32_t at,
                       struct vt_message *m)
{
    struct v4v_ring_message_header h;
    struct xen_argo_ring_message_header a;

    ring_get(r, at, &h, sizeof(h));
    memcpy(&a, &h, sizeof(a));
    m->len = h.len - 16;
    m->type = r->argo ? a.message_type : h.message_type;
    m->source = h.source;
    if (r->argo) {
        m->source = (struct v4v_addr){.port = a.source.aport,
                                      .domain = a.source.domain_id,
                                      .pad = a.source.pad};
    }
}

bool vt_take(const struct vt_ring *r, struct vt_message *m)
{
    uint32_t tx = vt_tx(r);
    uint32_t rx = vt_rx(r);
    uint32_t unread = tx - rx + (tx < rx ? r->len : 0);
    uint32_t size;

    assert_true(tx < r->len && tx % 16 == 0);
    if (unread == 0) {
        return false;
    }
    header_get(r, rx, m);
    size = 16 + V4V_ROUNDUP(m->len);
    assert_true(size <= unread);
    ring_get(r, (rx + 16) % r->len, m->data,
             rv_min((size_t)m->len, sizeof(m->data)));
    vt_rx_set(r, (rx + size) % r->len);
    return true;
}

void vt_expect(const struct vt_ring *r, domid_t from, uint32_t port,
               uint32_t seed, uint32_t n)
{
    struct vt_message *m = malloc(sizeof(*m));

    assert_non_null(m);
    assert_true(vt_take(r, m));
    assert_int_equal(m->len, n);
    assert_int_equal(m->type, V4V_MESSAGE_DGRAM);
    assert_int_equal(m->source.domain, from);
    assert_int_equal(m->source.port, port);
    assert_int_equal(m->source.pad, 0);
    for (uint32_t i = 0; i < rv_min((size_t)n, sizeof(m->data)); i++) {
        if (m->data[i] != vt_byte(seed, i)) {
            fail_msg("byte %u of message %u is wrong", i, seed);
        }
    }
    free(m);
}

long vt_notify(struct domain *d)
{
    return vt_op(d, V4VOP_notify, 0, 0, 0, 0);
}

uint16_t vt_ask(struct domain *d, domid_t to, uint32_t port, uint32_t need,
                struct v4v_ring_data_ent *out)
{
    const struct v4v_ring_data h = {.magic = V4V_RING_DATA_MAGIC, .nent = 1};
    struct v4v_ring_data_ent e = {
        .ring = {.port = port, .domain = to},
        .space_required = need,
    };

    fixture_phys_put(d, VT_DATA, &h, sizeof(h));
    fixture_phys_put(d, VT_DATA + sizeof(h), &e, sizeof(e));
    assert_int_equal(vt_op(d, V4VOP_notify, VT_DATA, 0, 0, 0), 0);
    fixture_phys_get(d, &e, VT_DATA + sizeof(h), sizeof(e));
    if (out) {
        *out = e;
    }
    return e.flags;
}

uint32_t vt_event_port(struct domain *d)
{
    uint32_t port;

    assert_int_equal(v4v_event_port(d, &port), 0);
    return port;
}

bool vt_event_taken(struct domain *d)
{
    uint64_t *word = (uint64_t *)((char *)d->shared_info +
                                  offsetof(struct shared_info, evtchn_pending));
    uint32_t port = vt_event_port(d);
    uint64_t bit = 1UL << (port % 64);

    return (__atomic_fetch_and(&word[port / 64], ~bit, __ATOMIC_SEQ_CST) &
            bit) != 0;
}

/* ---- Rules
 * --------------------------------------------------------------------- */

struct v4vtables_rule vt_rule(domid_t src, uint32_t src_port, domid_t dst,
                              uint32_t dst_port, bool accept)
{
    return (struct v4vtables_rule){
        .src = {.port = src_port, .domain = src},
        .dst = {.port = dst_port, .domain = dst},
        .accept = accept,
    };
}

static long rule_call(struct domain *control, uint64_t op,
                      const struct v4vtables_rule *r, uint32_t position)
{
    if (r) {
        fixture_phys_put(control, VT_ADDR, r, sizeof(*r));
    }
    return vt_op(control, op, r ? VT_ADDR : 0, 0, position, 0);
}

long vt_rule_add(struct domain *control, const struct v4vtables_rule *r,
                 uint32_t position)
{
    return rule_call(control, V4VOP_tables_add, r, position);
}

long vt_rule_del(struct domain *control, const struct v4vtables_rule *r,
                 uint32_t position)
{
    return rule_call(control, V4VOP_tables_del, r, position);
}
