/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hypercalls that copy from or to pages with restricted rights. The copy fails
 * and is noted down; the handler undoes what it has begun, as it does for any
 * bad address; then the access is told and answered like an instruction's, for
 * RIP still stands at the hypercall. What an answer permits once is open to the
 * step in which the call is executed again.
 *
 * Threat surface: addresses, lengths and the number of pages are the guest's.
 * A call that needs more pages than a step can open fails after it was told of,
 * so no caller can keep its monitor busy with a call that never ends.
 */

#include "ravelin/monitor_access.h"

#include "ravelin/guest_copy.h"
#include "ravelin/insn.h"

#include "access_internal.h"
#include "monitor_internal.h"

void monitor_call_begin(struct vcpu *v)
{
    monitor_vcpu(v)->copy.is_running = true;
}

void monitor_call_commit(struct vcpu *v)
{
    struct monitor_vcpu *w = monitor_vcpu(v);

    if (w) {
        w->copy.is_running = false;
    }
}

static bool page_forbids(struct vcpu *v, gfn_t g, uint8_t access, uint8_t mode)
{
    return (mode & access) != access && !monitor_step_permits(v, g, access);
}

/* It is not the monitor's business what a page's type forbids. */
static bool type_forbids(const struct domain *d, gfn_t g, uint8_t access)
{
    return access == ACCESS_WRITE && p2m_lookup(&d->p2m, g).type == P2M_RAM_RO;
}

bool monitor_copy_permits(struct vcpu *v, gva_t gla, uint8_t access, gpa_t *at)
{
    struct monitor_vcpu *w = monitor_vcpu(v);
    struct guest_fault ignored;
    uint8_t mode;

    if (!w || !w->copy.is_running ||
        guest_translate(v, gla, access, false, at, &ignored) ||
        p2m_access_get(&v->domain->p2m, gpa_to_gfn(*at), &mode) ||
        type_forbids(v->domain, gpa_to_gfn(*at), access)) {
        return false;
    }
    if (!page_forbids(v, gpa_to_gfn(*at), access, mode)) {
        return true;
    }
    if (!w->copy.is_stopped) {
        w->copy.is_stopped = true;
        w->copy.access = access;
        w->copy.gla = gla;
        w->copy.at = *at;
    }
    return false;
}

static bool copy_settle(struct vcpu *v, const struct monitor_copy *c)
{
    struct violation x = {
        .at = c->at,
        .access = c->access,
        .gla = c->gla,
        .gla_valid = true,
        .hypercall = true,
        .always_async = monitor_step_is_full(v) &&
                        monitor_listens(v->domain, RAVELIN_REASON_VIOLATION),
    };
    struct emul_insn insn;

    if (p2m_access_get(&v->domain->p2m, gpa_to_gfn(x.at), &x.mode) ||
        !page_forbids(v, gpa_to_gfn(x.at), x.access, x.mode)) {
        return true; /* not any more */
    }
    if (vcpu_insn_peek(v, &insn) == 0) {
        x.insn_len = insn.len;
    }
    if (!violation_convert(v, &x) && violation_tell(v, &x) && !x.always_async) {
        monitor_step_permit(v, x.at, x.access);
    }
    return !x.always_async;
}

bool monitor_call_end(struct vcpu *v)
{
    struct monitor_copy *c = &monitor_vcpu(v)->copy;
    bool is_stopped = c->is_stopped;

    c->is_running = c->is_stopped = false;
    return is_stopped && copy_settle(v, c);
}
