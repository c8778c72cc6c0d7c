/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Accesses that a monitor's page rights forbid: found out, told, answered.
 * Whatever happens in between, the instruction has not been executed and RIP
 * stands at it, so the same access can simply be tried again.
 *
 * Threat surface: address, kind and number of accesses are the guest's. Nothing
 * here frees or maps memory of the domain.
 */

#include "ravelin/monitor_access.h"

#include "public/hvm/hvm_op.h"
#include "ravelin/guest_copy.h"

#include "access_internal.h"
#include "monitor_internal.h"

/* The number of a set of rights in the ABI. */
static uint64_t rights_number(uint8_t mode)
{
    return mode & P2M_ACCESS_RX2RW ? HVMMEM_access_rx2rw : mode;
}

static struct monitor_event event_of(const struct vcpu *v,
                                     const struct violation *x)
{
    struct p2m_entry e = p2m_lookup(&v->domain->p2m, gpa_to_gfn(x->at));

    return (struct monitor_event){
        .reason = RAVELIN_REASON_VIOLATION,
        .access = x->access,
        .page_type = e.type == P2M_RAM_RO ? HVMMEM_ram_ro : HVMMEM_ram_rw,
        .gla_valid = x->gla_valid,
        .table_walk = x->table_walk,
        .hypercall = x->hypercall,
        .always_async = x->always_async,
        .insn_len = x->insn_len,
        .value = x->at.v,
        .old = rights_number(x->mode),
        .gla = x->gla.v,
    };
}

/* A page that gets its rights back because nobody listens. */
static void frame_forgive(struct vcpu *v, gfn_t g)
{
    struct monitor *m = monitor_of(v->domain);
    struct p2m_locked p2m = p2m_lock(&v->domain->p2m);

    /* Without memory for tables it is tried again at the next access. */
    if (p2m_access_set(p2m, g, ACCESS_ALL) == 0 && m) {
        __atomic_add_fetch(&m->access.forgiven_count, 1, __ATOMIC_RELAXED);
    }
    p2m_unlock(&p2m);
}

/* The first write to a page that waits for it: true if it was this one. */
static bool frame_convert(struct vcpu *v, gfn_t g)
{
    struct p2m_locked p2m = p2m_lock(&v->domain->p2m);
    uint8_t mode;
    bool done = p2m_access_get(p2m.p2m, g, &mode) == 0 &&
                (mode & P2M_ACCESS_RX2RW) != 0 &&
                p2m_access_set(p2m, g, ACCESS_READ | ACCESS_WRITE) == 0;

    p2m_unlock(&p2m);
    return done;
}

bool violation_convert(struct vcpu *v, const struct violation *x)
{
    struct monitor_event ev;

    if (!(x->mode & P2M_ACCESS_RX2RW) || x->access != ACCESS_WRITE) {
        return false;
    }
    ev = event_of(v, x);
    ev.always_async = true;
    if (frame_convert(v, gpa_to_gfn(x->at))) {
        enum monitor_outcome ignored rv_unused = monitor_event(v, &ev);
    }
    return true;
}

bool violation_tell(struct vcpu *v, const struct violation *x)
{
    struct monitor_event ev = event_of(v, x);
    struct monitor *m = monitor_of(v->domain);

    if (m) {
        __atomic_add_fetch(&m->access.violation_count, 1, __ATOMIC_RELAXED);
    }
    switch (monitor_event(v, &ev)) {
    case MONITOR_PAUSED:
    case MONITOR_QUEUED:
    case MONITOR_LOST:
        return false;
    default:
        break;
    }
    if (!monitor_listens(v->domain, RAVELIN_REASON_VIOLATION)) {
        frame_forgive(v, gpa_to_gfn(x->at));
    }
    return true; /* a filter kept it back */
}

bool monitor_access_exit(struct vcpu *v, const struct vmexit *exit)
{
    struct violation x = {
        .at = exit->u.memory.gpa,
        .access = exit->u.memory.access,
        .table_walk = exit->u.memory.table_walk,
    };
    gfn_t g = gpa_to_gfn(x.at);

    if (p2m_access_get(&v->domain->p2m, g, &x.mode)) {
        return true; /* gone since the exit */
    }
    if ((x.mode & x.access) == x.access) {
        /* Either the map has changed or it is a right that the hardware has
         * not without the right to read. */
        if (!(x.mode & ACCESS_READ)) {
            monitor_step_permit(v, x.at, x.access);
        } else {
            monitor_step_refresh(v);
        }
        return true;
    }
    if (p2m_lookup(&v->domain->p2m, g).type == P2M_RAM_RO &&
        x.access == ACCESS_WRITE) {
        return false;
    }
    if (monitor_step_permits(v, g, x.access)) {
        monitor_step_refresh(v);
        return true;
    }
    x.gla_valid = !x.table_walk && !exit->u.memory.delivering &&
                  access_gla_find(v, exit, &x.gla, &x.insn_len);
    if (!violation_convert(v, &x) && violation_tell(v, &x)) {
        monitor_step_permit(v, x.at, x.access);
    }
    return true;
}

bool monitor_access_emulated(struct vcpu *v, gva_t at, uint8_t access,
                             bool user)
{
    struct violation x = {.access = access, .gla = at, .gla_valid = true};
    struct guest_fault fault;

    if (guest_translate(v, at, access, user, &x.at, &fault) ||
        p2m_access_get(&v->domain->p2m, gpa_to_gfn(x.at), &x.mode)) {
        return false;
    }
    if ((x.mode & access) == access ||
        monitor_step_permits(v, gpa_to_gfn(x.at), access)) {
        return true;
    }
    return violation_convert(v, &x) || violation_tell(v, &x);
}

void monitor_access_detach(struct domain *d)
{
    struct p2m_locked p2m = p2m_lock(&d->p2m);

    p2m.p2m->mode_default = ACCESS_ALL;
    p2m_unlock(&p2m);
}
