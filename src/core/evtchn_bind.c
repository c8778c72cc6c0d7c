/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Binding, rebinding and closing of event channels. Every function decides
 * under the lock and changes nothing on error; bindings between two domains are
 * changed at both ends under both locks.
 *
 * Threat surface: ports, vCPU numbers and partners named by guests; two guests
 * that bind and close each other's channels at the same time.
 */

#include "ravelin/errno.h"

#include "evtchn_internal.h"

/* Takes a free port of held.d and binds it. */
static int port_alloc(struct evtchn_locked held, uint64_t word,
                      evtchn_port_t *port)
{
    int rc = evtchn_port_find_free(held, port);

    if (rc == 0) {
        evtchn_port_bind(held, held.d, *port, word);
    }
    return rc;
}

static int port_alloc_locking(struct domain *d, uint64_t word,
                              evtchn_port_t *port)
{
    struct evtchn_locked held = evtchn_lock(d);
    int rc = port_alloc(held, word, port);

    evtchn_unlock(&held);
    return rc;
}

int evtchn_alloc_unbound(struct domain *d, domid_t remote, evtchn_port_t *port)
{
    return port_alloc_locking(d, evtchn_word(EVTCHN_UNBOUND, 0, remote, 0, 0),
                              port);
}

int evtchn_bind_interdomain(struct domain *d, struct domain *remote,
                            evtchn_port_t rport, evtchn_port_t *port)
{
    struct evtchn_locked held = evtchn_lock_pair(d, remote);
    uint64_t offer = evtchn_read(remote, rport);
    int rc = -RV_EINVAL;

    if (evtchn_word_state(offer) == EVTCHN_UNBOUND &&
        evtchn_word_domain(offer) == d->id) {
        rc = port_alloc(
            held, evtchn_word(EVTCHN_INTERDOMAIN, 0, remote->id, rport, 0),
            port);
    }
    if (rc == 0) {
        evtchn_port_bind(held, remote, rport,
                         evtchn_word(EVTCHN_INTERDOMAIN,
                                     evtchn_word_vcpu(offer), d->id, *port, 0));
    }
    evtchn_unlock(&held);
    if (rc == 0) {
        evtchn_raise(d, *port, 0);
    }
    return rc;
}

int evtchn_bind_virq(struct domain *d, uint32_t virq, uint32_t vcpu,
                     evtchn_port_t *port)
{
    struct evtchn_locked held;
    struct vcpu *v = domain_vcpu(d, vcpu);
    int rc = -RV_EEXIST;

    if (virq >= NR_VIRQS || (evtchn_virq_is_global(virq) && vcpu != 0)) {
        return -RV_EINVAL;
    }
    if (!v) {
        return -RV_ENOENT;
    }
    held = evtchn_lock(d);
    if (v->virq_to_port[virq] == 0) {
        rc = port_alloc(held, evtchn_word(EVTCHN_VIRQ, vcpu, 0, 0, virq), port);
        if (rc == 0) {
            store_release(&v->virq_to_port[virq], (uint16_t)*port);
        }
    }
    evtchn_unlock(&held);
    return rc;
}

int evtchn_bind_ipi(struct domain *d, uint32_t vcpu, evtchn_port_t *port)
{
    if (!domain_vcpu(d, vcpu)) {
        return -RV_ENOENT;
    }
    return port_alloc_locking(d, evtchn_word(EVTCHN_IPI, vcpu, 0, 0, 0), port);
}

static bool vcpu_is_choosable(uint64_t word)
{
    switch (evtchn_word_state(word)) {
    case EVTCHN_UNBOUND:
    case EVTCHN_INTERDOMAIN:
    case EVTCHN_SERVICE:
        return true;
    case EVTCHN_VIRQ:
        return evtchn_virq_is_global(evtchn_word_virq(word));
    default:
        return false;
    }
}

int evtchn_bind_vcpu(struct domain *d, evtchn_port_t port, uint32_t vcpu)
{
    struct evtchn_locked held;
    uint64_t word;
    int rc = -RV_EINVAL;

    if (!domain_vcpu(d, vcpu)) {
        return -RV_ENOENT;
    }
    held = evtchn_lock(d);
    word = evtchn_read(d, port);
    if (vcpu_is_choosable(word)) {
        evtchn_port_bind(held, d, port, evtchn_word_with_vcpu(word, vcpu));
        rc = 0;
    }
    evtchn_unlock(&held);
    return rc;
}

/* The other end of an interdomain channel waits for held.d again. */
static void partner_unbind(struct evtchn_locked held, uint64_t word)
{
    struct domain *remote = held.partner ? held.partner : held.d;
    evtchn_port_t rport = evtchn_word_port(word);
    uint64_t other = evtchn_read(remote, rport);

    if (remote->id != evtchn_word_domain(word)) {
        return; /* gone, and its ends with it */
    }
    evtchn_port_bind(
        held, remote, rport,
        evtchn_word(EVTCHN_UNBOUND, evtchn_word_vcpu(other), held.d->id, 0, 0));
}

static void virq_unbind(struct domain *d, uint64_t word)
{
    uint32_t virq = evtchn_word_virq(word);
    uint32_t vcpu = evtchn_virq_is_global(virq) ? 0 : evtchn_word_vcpu(word);

    store_release(&d->vcpu[vcpu]->virq_to_port[virq], 0);
}

/* Locks what closing a channel bound as in `word` involves. */
static struct evtchn_locked close_lock(struct domain *d, uint64_t word)
{
    struct domain *remote = NULL;

    if (evtchn_word_state(word) == EVTCHN_INTERDOMAIN) {
        remote = domain_lookup(evtchn_word_domain(word));
    }
    return remote ? evtchn_lock_pair(d, remote) : evtchn_lock(d);
}

int evtchn_close_any(struct domain *d, evtchn_port_t port)
{
    struct evtchn_locked held;
    uint64_t word;

    /* The partner may unbind or rebind before both locks are held. */
    for (;;) {
        word = evtchn_read(d, port);
        held = close_lock(d, word);
        if (evtchn_read(d, port) == word) {
            break;
        }
        evtchn_unlock(&held);
    }
    if (evtchn_word_state(word) == EVTCHN_FREE) {
        evtchn_unlock(&held);
        return -RV_EINVAL;
    }
    if (evtchn_word_state(word) == EVTCHN_INTERDOMAIN) {
        partner_unbind(held, word);
    } else if (evtchn_word_state(word) == EVTCHN_VIRQ) {
        virq_unbind(d, word);
    }
    evtchn_port_release(held, port);
    evtchn_unlock(&held);
    return 0;
}

int evtchn_close(struct domain *d, evtchn_port_t port)
{
    return evtchn_close_any(d, port);
}

static void status_fill(uint64_t word, evtchn_port_t port,
                        struct evtchn_status *out)
{
    out->vcpu = evtchn_word_vcpu(word);
    switch (evtchn_word_state(word)) {
    case EVTCHN_UNBOUND:
        out->status = EVTCHNSTAT_unbound;
        out->u.unbound.dom = evtchn_word_domain(word);
        break;
    case EVTCHN_INTERDOMAIN:
        out->status = EVTCHNSTAT_interdomain;
        out->u.interdomain.dom = evtchn_word_domain(word);
        out->u.interdomain.port = evtchn_word_port(word);
        break;
    case EVTCHN_SERVICE:
        out->status = EVTCHNSTAT_interdomain;
        out->u.interdomain.dom = DOMID_XEN;
        out->u.interdomain.port = port;
        break;
    case EVTCHN_VIRQ:
        out->status = EVTCHNSTAT_virq;
        out->u.virq = evtchn_word_virq(word);
        break;
    case EVTCHN_IPI:
        out->status = EVTCHNSTAT_ipi;
        break;
    case EVTCHN_FREE:
        out->status = EVTCHNSTAT_closed;
        break;
    }
}

int evtchn_status_get(struct domain *d, evtchn_port_t port,
                      struct evtchn_status *out)
{
    /* Ports in pages not allocated yet exist for the guest, closed. */
    if (port >= evtchn_abi_limit(d)) {
        return -RV_EINVAL;
    }
    status_fill(evtchn_read(d, port), port, out);
    return 0;
}

int evtchn_service_bind(struct domain *d, evtchn_service_fn fn,
                        evtchn_port_t *port)
{
    struct evtchn_locked held = evtchn_lock(d);
    int rc = evtchn_port_find_free(held, port);

    if (rc == 0) {
        evtchn_find(d, *port)->fn = fn;
        evtchn_port_bind(held, d, *port,
                         evtchn_word(EVTCHN_SERVICE, 0, 0, 0, 0));
    }
    evtchn_unlock(&held);
    return rc;
}

bool evtchn_service_is_bound(struct domain *d, evtchn_port_t port,
                             evtchn_service_fn fn)
{
    struct evtchn_locked held = evtchn_lock(d);
    bool is_bound = evtchn_word_state(evtchn_read(d, port)) == EVTCHN_SERVICE &&
                    evtchn_find(d, port)->fn == fn;

    evtchn_unlock(&held);
    return is_bound;
}

void evtchn_service_unbind(struct domain *d, evtchn_port_t port)
{
    struct evtchn_locked held = evtchn_lock(d);

    if (evtchn_word_state(evtchn_read(d, port)) == EVTCHN_SERVICE) {
        evtchn_port_release(held, port);
    }
    evtchn_unlock(&held);
}
