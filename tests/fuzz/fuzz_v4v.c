/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fuzz target: every operation of messages, in both ABIs, by several domains
 * that come and go, with indices, lists and requests of any content, while each
 * byte of guest memory changes as soon as it has been read. Long sends stay
 * half done while others act. In the end every frame is back.
 *
 * Input: steps of struct step; the last one may be cut off.
 */
#include "fuzz.h"

#include <string.h>

#include "../unit/v4v_fixture.h"
#include "public/memory.h"
#include "ravelin/frame_pool.h"
#include "ravelin/hypercall.h"
#include "ravelin/quiesce.h"
#include "ravelin/vmexit.h"

#define DOMAINS 4u
#define RINGS 4u
#define STEPS_MAX 200u
#define PAGES 400u
#define RING_AT(i) (VT_RING + (i)*0x24000u)

struct step {
    uint8_t kind;
    uint8_t who;
    uint8_t a;
    uint8_t b;
    uint16_t x;
    uint16_t y;
    uint32_t z;
};

static const struct vt_setup setups[DOMAINS] = {
    {.id = 3, .roles = ROLE_CONTROL, .pages = PAGES, .vcpus = 1},
    {.id = 4, .pages = PAGES, .vcpus = 1},
    {.id = 5, .pages = PAGES, .vcpus = 1, .argo = true},
    {.id = 6, .pages = PAGES, .vcpus = 1},
};

struct guest {
    struct domain *d;
    struct vt_ring ring[RINGS];
    bool halfway; /* a long send waits to go on */
    struct vcpu_regs regs;
};

static struct guest guest[DOMAINS];

static domid_t domid_of(uint8_t n)
{
    const domid_t special[] = {3, 4, 5, 6, V4V_DOMID_ANY, 0x7ff0, 77, 0xffff};

    return special[n % ARRAY_SIZE(special)];
}

static uint32_t value_of(uint32_t z)
{
    const uint32_t special[] = {0,          1,          15,         16,
                                48,         4032,       0x7fffffff, 0x80000000,
                                0xfffffff0, 0xffffffff, 0x24000,    0x1000000};

    return z % 3 ? z >> 2 : special[(z >> 2) % ARRAY_SIZE(special)];
}

/* ---- Steps ----------------------------------------------------------------
 */

static void ring_register(struct guest *g, const struct step *s)
{
    struct vt_ring *r = &g->ring[s->a % RINGS];

    *r = (struct vt_ring){
        .d = g->d,
        .at = RING_AT(s->a % RINGS),
        .port = s->b % 5,
        .partner = domid_of((uint8_t)s->x),
        .len = s->y % 4 ? (s->y % 0x2400) * 16 : value_of(s->z) % 0x24000,
    };
    (void)vt_register(r);
    if (s->z & 1) {
        vt_rx_set(r, value_of(s->z >> 1));
        vt_tx_set(r, value_of(s->z >> 3));
        (void)vt_register_again(r);
    }
}

static void ring_unregister(struct guest *g, const struct step *s)
{
    if (g->ring[s->a % RINGS].d) {
        (void)vt_unregister(&g->ring[s->a % RINGS]);
    }
}

static void send_simple(struct guest *g, const struct step *s)
{
    (void)vt_send_at(g->d, s->b, domid_of(s->a), s->x % 5, VT_BUF + s->y,
                     s->z % 5 ? s->z % 9000 : value_of(s->z));
}

static void send_vector(struct guest *g, const struct step *s)
{
    struct v4v_iov iov[40];
    uint32_t n = s->b % 40;

    for (uint32_t i = 0; i < n; i++) {
        iov[i] = (struct v4v_iov){
            .iov_base = s->y % 7 == 0 ? value_of(s->z + i)
                                      : VT_RING - 4096 + (i * s->z) % 0x30000,
            .iov_len = s->x % 9 == 0 ? value_of(s->z * i) : (s->x * i) % 600,
            .pad = s->y == 12345,
        };
    }
    vt_overlap_allowed = true;
    (void)vt_sendv(g->d, domid_of(s->a), s->x % 5, iov, n, s->z);
    vt_overlap_allowed = false;
}

/* Starts one and leaves it. */
static void send_long(struct guest *g, const struct step *s)
{
    const struct v4v_iov iov = {.iov_base = VT_BUF,
                                .iov_len = V4V_SEND_PIECE + s->z % 9000};
    const struct v4v_send_addr addr = {
        .dst = {.port = s->x % 5, .domain = domid_of(s->a)}};
    long rc;

    fixture_phys_put(g->d, VT_ADDR, &addr, sizeof(addr));
    fixture_phys_put(g->d, VT_IOV, &iov, sizeof(iov));
    vt_begin(g->d->vcpu[0], v4v_domain_abi(g->d) == MANIFEST_ABI_ARGO ? 3 : 5,
             VT_ADDR, VT_IOV, 1, 1);
    g->halfway = !vt_step(g->d->vcpu[0], &rc);
    g->regs = g->d->vcpu[0]->regs;
}

static void send_go_on(struct guest *g, const struct step *s)
{
    long rc;

    (void)s;
    if (g->halfway) {
        g->d->vcpu[0]->regs = g->regs;
        g->halfway = !vt_step(g->d->vcpu[0], &rc);
        g->regs = g->d->vcpu[0]->regs;
    }
}

static void index_write(struct guest *g, const struct step *s)
{
    struct vt_ring *r = &g->ring[s->a % RINGS];

    if (!r->d) {
        return;
    }
    vt_rx_set(r, s->b % 3 == 0 ? value_of(s->z) : vt_tx(r));
    if (s->b % 5 == 0) {
        vt_tx_set(r, value_of(s->z));
    }
}

static void notify(struct guest *g, const struct step *s)
{
    bool argo = v4v_domain_abi(g->d) == MANIFEST_ABI_ARGO;
    struct v4v_ring_data h = {.magic = V4V_RING_DATA_MAGIC, .nent = s->b % 80};
    uint64_t at = VT_DATA + (argo ? 8 : sizeof(h));

    if (argo) {
        fixture_phys_put(g->d, VT_DATA, &h.nent, 8);
    } else {
        fixture_phys_put(g->d, VT_DATA, &h, sizeof(h));
    }
    for (uint32_t i = 0; i < h.nent; i++) {
        const struct v4v_ring_data_ent e = {
            .ring = {.port = (s->x + i) % 5, .domain = domid_of(s->a)},
            .space_required = value_of(s->z + i),
        };

        fixture_phys_put(g->d, at + i * sizeof(e), &e, sizeof(e));
    }
    (void)vt_op(g->d, V4VOP_notify, s->y % 8 ? VT_DATA : 0, 0, 0, 0);
}

static void rule_change(struct guest *g, const struct step *s)
{
    const struct v4vtables_rule r = {
        .src = {.port = s->x % 4, .domain = domid_of(s->a)},
        .dst = {.port = s->y % 5, .domain = domid_of(s->b)},
        .accept = s->z & 1,
    };

    fixture_phys_put(g->d, VT_ADDR, &r, sizeof(r));
    (void)vt_op(g->d, s->z & 2 ? V4VOP_tables_add : V4VOP_tables_del,
                s->z & 4 ? 0 : VT_ADDR, 0,
                s->z & 8 ? value_of(s->z >> 4) : (s->z >> 4) % 6, 0);
}

static void list_read(struct guest *g, const struct step *s)
{
    const uint64_t ops[] = {
        V4VOP_tables_list, V4VOP_tables_explain, V4VOP_tables_counters,
        V4VOP_ring_list,   V4VOP_info,           V4VOP_config_get};
    const uint32_t words[10] = {
        s->z % 7,  s->x % 70, value_of(s->y), domid_of(s->a),
        s->b % 40, 0,         value_of(s->z), 0,
        0,         0};
    uint64_t progress = s->y % 11 ? 0 : (uint64_t)s->x << 8;

    fixture_phys_put(g->d, VT_DATA, words, sizeof(words));
    (void)vt_op(g->d, ops[s->a % ARRAY_SIZE(ops)] | progress, VT_DATA, 0, 0, 0);
}

static void config(struct guest *g, const struct step *s)
{
    const struct v4v_config c = {
        .max_rings = s->x % 6,
        .max_sendv = s->y % 40,
        .max_notify = s->z % 90,
        .max_send_size = s->z & 1 ? 0x2000000 : value_of(s->z),
        .target_id = domid_of(s->a),
    };

    fixture_phys_put(g->d, VT_ADDR, &c, sizeof(c));
    (void)vt_op(g->d, V4VOP_config, VT_ADDR, 0, 0, 0);
}

static void anything(struct guest *g, const struct step *s)
{
    const uint64_t args[] = {VT_ADDR, VT_IOV,  VT_LIST, VT_DATA, VT_BUF,
                             VT_RING, VT_HOLE, VT_BAD,  0,       s->z};

    vt_overlap_allowed = true;
    (void)vt_op(g->d, s->x, args[s->a % 10], args[s->b % 10], value_of(s->z),
                s->y);
    vt_overlap_allowed = false;
}

/* Gives a ring's page back, or takes a new one. */
static void balloon(struct guest *g, const struct step *s)
{
    const struct vmexit exit = {
        .reason = VMEXIT_HYPERCALL, .insn_len = 3, .code_bits = 64};
    const uint64_t frame = (RING_AT(s->a % RINGS) >> PAGE_SHIFT) + s->x % 0x24;
    const struct xen_memory_reservation m = {
        .extent_start = {.gva = VT_DATA + 64},
        .nr_extents = 1,
        .domid = 0x7ff0};
    struct vcpu *v = g->d->vcpu[0];

    fixture_phys_put(g->d, VT_DATA, &m, sizeof(m));
    fixture_phys_put(g->d, VT_DATA + 64, &frame, sizeof(frame));
    v->regs.gpr[REG_RAX] = 12;
    v->regs.gpr[REG_RDI] = 1;
    v->regs.gpr[REG_RSI] = VT_DATA;
    hypercall_dispatch(v, &exit);
    quiesce_point();
    /* Pages for the harness to write to are there again at once. */
    v->regs.gpr[REG_RAX] = 12;
    v->regs.gpr[REG_RDI] = 6;
    v->regs.gpr[REG_RSI] = VT_DATA;
    hypercall_dispatch(v, &exit);
    quiesce_point();
}

static void rebirth(struct guest *g, const struct step *s)
{
    if (s->b % 4 == 0) {
        vt_domain_destroy(g->d);
        memset(g, 0, sizeof(*g));
        g->d = vt_domain(&setups[g - guest]);
    }
}

static void wait(struct guest *g, const struct step *s)
{
    (void)g;
    fake_time_advance(s->x * 100u);
}

static void (*const kinds[])(struct guest *g, const struct step *s) = {
    ring_register, ring_unregister, send_simple, send_simple,
    send_vector,   send_long,       send_go_on,  index_write,
    notify,        notify,          rule_change, list_read,
    config,        anything,        balloon,     rebirth,
    wait,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint64_t frames;

    if (frames == 0) {
        vt_machine_create(1);
        fake_time_auto_advance(10000);
        frames = frame_free_count();
    }
    for (unsigned i = 0; i < DOMAINS; i++) {
        memset(&guest[i], 0, sizeof(guest[i]));
        guest[i].d = vt_domain(&setups[i]);
    }
    for (unsigned n = 0; size >= sizeof(struct step) && n < STEPS_MAX; n++) {
        struct step s;

        memcpy(&s, data, sizeof(s));
        data += sizeof(s);
        size -= sizeof(s);
        kinds[s.kind % ARRAY_SIZE(kinds)](&guest[s.who % DOMAINS], &s);
    }
    vt_clear();
    require(domain_count() == 0);
    require(frame_free_count() == frames);
    return 0;
}
