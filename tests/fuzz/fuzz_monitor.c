/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fuzz target: a listener that writes anything into its ring, at any moment,
 * and calls every operation in any order, while vCPUs raise events of all
 * kinds; in all three formats of rings. Each byte of the ring changes as soon
 * as it has been read. In the end nobody waits and every frame is back.
 *
 * Input: steps of struct step; the last one may be cut off.
 */
#include "fuzz.h"

#include <string.h>

#include "../unit/hypercall_fixture.h"
#include "monitor_internal.h"
#include "public/domctl.h"
#include "public/hvm/hvm_op.h"
#include "public/hvm/params.h"
#include "public/vm_event.h"
#include "ravelin/frame_pool.h"
#include "ravelin/sched.h"
#include "ravelin/work.h"

#include "fake.h"

#define STEPS_MAX 200u
#define RING_GFN (HC_FREE >> PAGE_SHIFT)

struct step {
    uint8_t kind;
    uint8_t a;
    uint16_t x;
    uint32_t y;
};

static struct domain *watched, *listener;
static struct monitor *mon;
static struct manifest_domain manifest;

static uint64_t value_of(uint32_t y)
{
    static const uint64_t special[] = {
        0,          1,          63,         64,         65,    0x7fffffff,
        0x80000000, 0xffffffff, 1ull << 47, 1ull << 63, ~0ull, 0x1000,
    };

    return y % 3 ? y >> 2 : special[(y >> 2) % ARRAY_SIZE(special)];
}

static void raise_event(const struct step *s)
{
    struct vcpu *v = watched->vcpu[s->a & 1];
    const struct monitor_event ev = {
        .reason = (uint16_t)(1 + s->x % (RAVELIN_REASON_COUNT - 1)),
        .access = s->x >> 8 & 7,
        .gla_valid = s->x & 0x800,
        .always_async = s->x & 0x1000,
        .insn_len = s->a >> 4,
        .value = value_of(s->y),
        .old = value_of(s->y >> 5),
        .gla = s->y,
    };
    enum monitor_outcome rc;

    this_cpu()->current = v;
    rc = monitor_event(v, &ev);
    this_cpu()->current = NULL;
    require(!monitor_is_waiting(rc) || (v->flags & VCPU_WATCHED));
}

static void attend(const struct step *s)
{
    struct vcpu *v = watched->vcpu[s->a & 1];

    if (v->flags & VCPU_WATCHED) {
        return;
    }
    this_cpu()->current = v;
    monitor_attend(v);
    this_cpu()->current = NULL;
    v->pending.valid = false;
}

static void attach_own(const struct step *s)
{
    uint64_t gfns[RAVELIN_MONITOR_PAGES_MAX];
    struct ravelin_monitor_attach req = {
        .domid = watched->id,
        .version = RAVELIN_MONITOR_VERSION,
        .event_size = s->a & 1 ? 64 : 512,
        .page_count = s->x % 5 ? 2 : s->x,
        .gfns.gva = HC_BUF,
    };

    for (unsigned i = 0; i < RAVELIN_MONITOR_PAGES_MAX; i++) {
        gfns[i] = RING_GFN + (s->y % 7 ? i : value_of(s->y >> 3));
    }
    hc_put(HC_CONTROL, HC_BUF, gfns, sizeof(gfns));
    (void)hc(HC_CONTROL, __HYPERVISOR_ravelin_monitor_op,
             RAVELIN_MONITOR_attach, &req, sizeof(req));
}

static void attach_page(const struct step *s)
{
    struct xen_domctl ctl = {
        .cmd = XEN_DOMCTL_mem_event_op,
        .interface_version = XEN_DOMCTL_INTERFACE_VERSION,
        .domain = watched->id,
        .u.mem_event_op = {.op = s->x % 5, .mode = s->x & 64 ? s->x : 2},
    };

    manifest.monitor_abi = s->a & 1;
    watched->hvm_param[HVM_PARAM_MONITOR_RING_PFN] =
        s->y % 7 ? RING_GFN : value_of(s->y);
    (void)hc(HC_CONTROL, __HYPERVISOR_domctl, 0, &ctl, sizeof(ctl));
}

static void set_param(const struct step *s)
{
    struct xen_hvm_param p = {
        .domid = watched->id,
        .index = 20 + s->a % 12,
        .value = s->x & 1 ? s->x >> 1 & 7 : value_of(s->y),
    };

    if (p.index != HVM_PARAM_MONITOR_RING_PFN) {
        (void)hc(HC_CONTROL, __HYPERVISOR_hvm_op, HVMOP_set_param, &p,
                 sizeof(p));
    }
}

/* Any operation of monitor_op with a structure of any content. */
static void any_op(const struct step *s)
{
    uint32_t room[sizeof(struct ravelin_monitor_registers) / 4];
    unsigned op = s->a % 11u;

    for (unsigned i = 0; i < ARRAY_SIZE(room); i++) {
        room[i] = i % 3 ? (uint32_t)value_of(s->y + i) : 0;
    }
    room[0] = watched->id | (uint32_t)s->x << 16;
    if (op == RAVELIN_MONITOR_filter) {
        room[1] = s->x % 70;
        room[2] = HC_BUF;
        room[3] = 0;
    }
    (void)hc(HC_CONTROL, __HYPERVISOR_ravelin_monitor_op, op, room,
             sizeof(room));
}

/* The listener writes a word of its ring: an index, an answer, a slot. */
static void scribble(const struct step *s)
{
    struct monitor_ring *r = &mon->ring;
    uint32_t at = s->x % 4096u & ~3u;
    uint32_t value = (uint32_t)value_of(s->y);

    if (mon->state != MONITOR_ON) {
        return;
    }
    if (s->a & 1) {
        static const uint16_t places[] = {8,   64,  68,  100, 128, 132,
                                          256, 260, 264, 268, 464};

        at = places[s->x % ARRAY_SIZE(places)];
    }
    if (s->a & 2) {
        value = r->cons + s->y % 3;
    } else if (s->a & 4) {
        value = mon->sequence - s->y % 3;
    }
    memcpy(r->page[0] + at, &value, sizeof(value));
}

static void resume(void)
{
    struct fake_fetch_report report;

    fake_fetch_begin(FAKE_FLIP);
    monitor_resume(mon);
    fake_fetch_end(&report);
    require(report.violation_count == 0);
}

static void step_run(const struct step *s)
{
    switch (s->kind % 12) {
    case 0:
    case 1:
    case 2:
        raise_event(s);
        break;
    case 3:
        attach_own(s);
        break;
    case 4:
        attach_page(s);
        break;
    case 5:
        set_param(s);
        break;
    case 6:
        any_op(s);
        break;
    case 7:
    case 8:
        scribble(s);
        break;
    case 9:
        resume();
        break;
    case 10:
        attend(s);
        break;
    default:
        if (s->a & 1 && timer_is_armed(&mon->timer)) {
            mon->timer.fn(&mon->timer);
        } else if (s->a & 2) {
            monitor_listener_ended(listener);
        }
        work_run();
        break;
    }
    require((mon->queued & ~mon->waiting) == 0);
    require(mon->waiting >> watched->vcpu_count == 0);
}

static void machine_create(void)
{
    require(hc_setup(NULL) == 0);
    watched = hc_domain[HC_PLAIN];
    listener = hc_domain[HC_CONTROL];
    manifest_domain_init(&manifest);
    manifest.on_monitor_loss = MANIFEST_LOSS_RESUME;
    watched->manifest = &manifest;
    require(monitor_get(watched, &mon) == 0);
    require(monitor_filter_set(mon, 0, NULL, 0) != 0);
}

/* Whatever the state: afterwards nobody is attached and nobody waits. */
static void settle(void)
{
    monitor_drop(mon);
    while (work_is_pending()) {
        work_run();
    }
    fixture_quiesce();
    require(mon->state == MONITOR_OFF);
    require(mon->waiting == 0 && mon->queued == 0);
    for (unsigned i = 0; i < watched->vcpu_count; i++) {
        require((watched->vcpu[i]->flags & VCPU_WATCHED) == 0);
        watched->vcpu[i]->pending.valid = false;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint64_t frames;

    if (!watched) {
        machine_create();
    }
    for (unsigned n = 0; n < STEPS_MAX && size >= sizeof(struct step); n++) {
        struct step s;

        memcpy(&s, data, sizeof(s));
        data += sizeof(s);
        size -= sizeof(s);
        step_run(&s);
    }
    settle();
    /* The filters' memory is made once and stays. */
    if (frames == 0 && mon->filter) {
        frames = frame_free_count();
    }
    require(frames == 0 || frame_free_count() == frames);
    return 0;
}
