/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Messages between local APICs and from the IO-APIC: who is addressed, and
 * what each delivery mode does to the receiver. A message reaches at most the
 * domain's own vCPUs, once each, so one write of a guest costs a bounded time
 * and never calls back into itself.
 *
 * INIT and SIPI never touch another vCPU's registers from here: they are
 * latched, and the receiver acts on them before its next entry.
 *
 * Threat surface: destination, mode and vector of the guest's ICR and of the
 * redirection entries.
 * Ref: Intel SDM Vol 3 "Issuing Interprocessor Interrupts", "Logical
 *      Destination Mode"; "MP Initialization Protocol".
 */
#include "ravelin/cpuid_policy.h"
#include "ravelin/monitor.h"
#include "ravelin/sched.h"
#include "ravelin/string.h"
#include "ravelin/vlapic.h"

#include "vlapic_private.h"

struct apic_message {
    uint32_t dest;
    bool logical;
    bool broadcast; /* dest is "all" in the sender's format */
    uint8_t mode;
    uint8_t vector;
    bool level;
};

/* ---- Who is addressed ---- */

static bool logical_match(const struct vlapic *vl, uint32_t dest)
{
    uint32_t ldr = read_once(vl->ldr);

    if (vlapic_is_x2apic(vl)) {
        return dest >> 16 == ldr >> 16 && (dest & ldr & 0xffffu) != 0;
    }
    if (dest > 0xffu) {
        return false;
    }
    if (read_once(vl->dfr) >> 28 == 0xfu) {
        return (ldr >> 24 & dest) != 0;
    }
    return ldr >> 28 == dest >> 4 && (ldr >> 24 & dest & 0xfu) != 0;
}

static bool message_match(const struct vlapic *vl, const struct apic_message *m)
{
    if ((read_once(vl->base) & APIC_BASE_EN) == 0) {
        return false;
    }
    return m->broadcast ||
           (m->logical ? logical_match(vl, m->dest) : vl->id == m->dest);
}

/* ---- What arrives ---- */

static void nmi_accept(struct vcpu *v)
{
    if ((read_once(v->flags) & VCPU_DOWN) != 0) {
        return;
    }
    write_once(v->nmi_pending, true);
    full_barrier(); /* before looking whether the vCPU sleeps */
    vcpu_notify(v);
}

static void init_accept(struct vcpu *v)
{
    struct vlapic *vl = v->vlapic;

    spin_lock(&vl->lock);
    vl->start = false;
    vl->wait_sipi = true;
    write_once(v->init_pending, true);
    write_once(v->attention, true);
    spin_unlock(&vl->lock);
    full_barrier();
    vcpu_notify(v);
}

static void sipi_accept(struct vcpu *v, uint8_t vector)
{
    struct vlapic *vl = v->vlapic;
    bool starts;

    spin_lock(&vl->lock);
    starts = vl->wait_sipi &&
             (v->init_pending || (read_once(v->flags) & VCPU_DOWN) != 0);
    if (starts) {
        vl->wait_sipi = false;
        vl->start = true;
        v->sipi_vector = vector;
        write_once(v->init_pending, true);
        write_once(v->attention, true);
    }
    spin_unlock(&vl->lock);
    if (starts) {
        vcpu_flags_clear(v, VCPU_DOWN);
    }
}

static void message_accept(struct vcpu *v, const struct apic_message *m)
{
    switch (m->mode) {
    case APIC_MODE_FIXED:
    case APIC_MODE_LOWEST:
        if (read_once(v->vlapic->enabled)) {
            vlapic_irq_set(v, m->vector, m->level);
        }
        break;
    case APIC_MODE_NMI:
        nmi_accept(v);
        break;
    case APIC_MODE_INIT:
        init_accept(v);
        break;
    case APIC_MODE_SIPI:
        sipi_accept(v, m->vector);
        break;
    default: /* SMI, ExtINT, reserved: there is nothing to receive them */
        break;
    }
}

/* ---- Delivery ---- */

/* Lowest class of priority wins; equals take turns. */
static void lowest_deliver(struct domain *d, const struct apic_message *m)
{
    struct vlapic *keeper = d->vcpu[0]->vlapic;
    uint32_t start = read_once(keeper->rotor);
    struct vcpu *best = NULL;
    uint32_t best_class = 16;

    for (unsigned i = 1; i <= d->vcpu_count; i++) {
        struct vcpu *v = d->vcpu[(start + i) % d->vcpu_count];
        uint32_t class;

        if (!read_once(v->vlapic->enabled) || !message_match(v->vlapic, m)) {
            continue;
        }
        class = (read_once(v->vlapic->tpr) >> 4) & 15u;
        if (class < best_class) {
            best = v;
            best_class = class;
        }
    }
    if (best != NULL) {
        write_once(keeper->rotor, best->id);
        message_accept(best, m);
    }
}

static void message_deliver(struct domain *d, const struct apic_message *m,
                            const struct vcpu *except)
{
    if (m->mode == APIC_MODE_LOWEST) {
        lowest_deliver(d, m);
        return;
    }
    if (!m->broadcast && !m->logical) {
        /* Inverse of vlapic_id_of(), or of vlapic_id_set(). */
        unsigned id = d->legacy != NULL ? m->dest : m->dest / 2u;

        if (id < d->vcpu_count && message_match(d->vcpu[id]->vlapic, m)) {
            message_accept(d->vcpu[id], m);
        }
        return;
    }
    for (unsigned i = 0; i < d->vcpu_count; i++) {
        struct vcpu *v = d->vcpu[i];

        if (v != except && message_match(v->vlapic, m)) {
            message_accept(v, m);
        }
    }
}

void vlapic_deliver(struct domain *d, uint32_t dest, bool logical,
                    unsigned mode, uint8_t vector, bool level)
{
    struct apic_message m = {
        .dest = dest,
        .logical = logical,
        .broadcast = dest == 0xffu || dest == 0xffffffffu,
        .mode = (uint8_t)(mode & 7u),
        .vector = vector,
        .level = level,
    };

    message_deliver(d, &m, NULL);
}

enum shorthand { TO_DEST, TO_SELF, TO_ALL, TO_OTHERS };

/* May this shorthand be used with this mode? INIT and SIPI to oneself by
 * shorthand are not among the valid combinations. */
static bool shorthand_is_valid(enum shorthand to, unsigned mode)
{
    return mode == APIC_MODE_FIXED || to == TO_DEST || to == TO_OTHERS;
}

void vlapic_icr_send(struct vlapic *vl, uint32_t icr, uint32_t dest)
{
    uint32_t all = vlapic_is_x2apic(vl) ? 0xffffffffu : 0xffu;
    enum shorthand to = (enum shorthand)(icr >> 18 & 3u);
    struct apic_message m = {
        .dest = dest,
        .logical = (icr & APIC_ICR_LOGICAL) != 0,
        .broadcast = to != TO_DEST || dest == all,
        .mode = icr >> 8 & 7u,
        .vector = (uint8_t)icr,
        .level = false, /* IPIs are edge-triggered whatever the bit says */
    };

    if (m.mode == APIC_MODE_INIT &&
        (icr & (APIC_ICR_TRIGGER | APIC_ICR_LEVEL)) == APIC_ICR_TRIGGER) {
        return; /* INIT level de-assert: no operation since the Pentium 4 */
    }
    if (m.mode <= APIC_MODE_LOWEST && m.vector < APIC_VECTOR_FIRST) {
        vlapic_error_raise(vl, APIC_ESR_SEND_ILLEGAL);
        return;
    }
    if (!shorthand_is_valid(to, m.mode)) {
        return;
    }
    if (to == TO_SELF) {
        message_accept(vl->vcpu, &m);
        return;
    }
    message_deliver(vl->vcpu->domain, &m, to == TO_OTHERS ? vl->vcpu : NULL);
}

/* ---- The receiver's side of INIT and SIPI ---- */

/* CS at vector << 12, IP 0: the rest is as INIT left it. */
static void real_mode_start(struct vcpu *v, uint8_t vector)
{
    struct vcpu_segment cs;

    hv->segment_get(v, SEG_CS, &cs);
    cs.selector = (uint16_t)(vector << 8);
    cs.base = (uint64_t)vector << 12;
    hv->segment_set(v, SEG_CS, &cs);
    v->regs.rip = 0;
}

static void init_state_load(struct vcpu *v)
{
    uint32_t leaf[4];

    hv->vcpu_reset(v);
    vcpu_intercepts_reset(v);
    memset(v->regs.gpr, 0, sizeof(v->regs.gpr));
    cpuid_policy_get(v, 1, 0, leaf);
    v->regs.gpr[REG_RDX] = leaf[CPUID_EAX];
    v->pending.valid = false;
    v->displaced.valid = false;
    v->nmi_pending = false;
    v->halted = false;
    vlapic_registers_reset(v->vlapic);
}

void vlapic_power_on(struct vcpu *v)
{
    init_state_load(v);
    vlapic_reset(v);
    v->attention = true;
}

void vlapic_init_process(struct vcpu *v)
{
    struct vlapic *vl = v->vlapic;
    bool start;
    uint8_t vector;

    if (!read_once(v->init_pending)) {
        return;
    }
    init_state_load(v);

    /* Under the lock, so that a SIPI either is seen here or finds DOWN. */
    spin_lock(&vl->lock);
    v->init_pending = false;
    start = vl->start;
    vl->start = false;
    vector = v->sipi_vector;
    if (!start) {
        vcpu_flags_set(v, VCPU_DOWN);
    }
    spin_unlock(&vl->lock);
    if (start) {
        real_mode_start(v, vector);
        v->is_initialised = true;
    }
}
