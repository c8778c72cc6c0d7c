/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sending and delivery: the binding is read without a lock, the pending bit is
 * set in the receiver's shared page, then the vCPU is told. An event that races
 * with a close can arrive on the port's next binding, where it is spurious, as
 * events may always be.
 *
 * Threat surface: the shared bitmaps; whatever a guest writes there decides
 * only whether its own vCPU gets an upcall.
 */

#include "ravelin/bitmap.h"
#include "ravelin/errno.h"
#include "ravelin/sched.h"
#include "ravelin/vlapic.h"

#include "evtchn_internal.h"

/* vcpu_info needs telling: upcall flag, then whatever reaches the vCPU. */
static void upcall_raise(struct vcpu *v)
{
    uint8_t *pending = v->vcpu_info;

    if (__atomic_exchange_n(pending, 1, __ATOMIC_SEQ_CST) != 0) {
        return;
    }
    evtchn_upcall_raise(v);
}

/* Sets the selector bit of a port; returns its former value. */
static bool selector_set(const struct domain *d, struct vcpu *v,
                         evtchn_port_t port)
{
    char *info = v->vcpu_info;

    if (unlikely(d->is_32bit_abi)) {
        uint32_t *sel = (void *)(info + offsetof(struct compat_vcpu_info,
                                                 evtchn_pending_sel));
        uint32_t bit = 1u << (port / 32);

        return (__atomic_fetch_or(sel, bit, __ATOMIC_SEQ_CST) & bit) != 0;
    }
    return bitmap_test_and_set_atomic(
        (void *)(info + offsetof(struct vcpu_info, evtchn_pending_sel)),
        port / 64);
}

static void pollers_wake(struct domain *d, evtchn_port_t port)
{
    for (unsigned i = 0; i < d->vcpu_count; i++) {
        struct vcpu *v = d->vcpu[i];
        int32_t wanted = read_once(v->poll_port);

        if ((read_once(v->flags) & VCPU_POLLING) &&
            (wanted < 0 || wanted == (int32_t)port)) {
            vcpu_wake(v);
        }
    }
}

/* Sets pending and selector bits; does the vCPU have to be told? */
static bool bits_set(struct domain *d, evtchn_port_t port, struct vcpu *v)
{
    return !bitmap_test_and_set_atomic(evtchn_pending_bits(d), port) &&
           !bitmap_test(evtchn_mask_bits(d), port) && !selector_set(d, v, port);
}

/* The same for the common layout, where the compiler sees all offsets. */
static inline bool bits_set_wide(struct domain *d, evtchn_port_t port,
                                 struct vcpu *v)
{
    struct shared_info *shared = d->shared_info;
    struct vcpu_info *info = v->vcpu_info;

    return !bitmap_test_and_set_atomic(shared->evtchn_pending, port) &&
           !bitmap_test(shared->evtchn_mask, port) &&
           !bitmap_test_and_set_atomic(&info->evtchn_pending_sel, port / 64);
}

void evtchn_raise(struct domain *d, evtchn_port_t port, uint32_t vcpu)
{
    struct vcpu *v = d->vcpu[vcpu];
    bool tell;

    if (likely(!d->is_32bit_abi)) {
        tell = bits_set_wide(d, port, v);
    } else {
        tell = port < evtchn_abi_limit(d) && bits_set(d, port, v);
    }
    if (tell) {
        upcall_raise(v);
    }
    if (unlikely(read_once(d->poller_count) != 0)) {
        pollers_wake(d, port);
    }
}

void evtchn_pending_clear(struct domain *d, evtchn_port_t port)
{
    if (port < evtchn_abi_limit(d)) {
        (void)bitmap_test_and_clear_atomic(evtchn_pending_bits(d), port);
    }
}

/* The other end, unless it has been closed since `word` was read. */
static void partner_raise(struct domain *d, uint64_t word)
{
    domid_t id = evtchn_word_domain(word);
    evtchn_port_t rport = evtchn_word_port(word);
    struct domain *remote = id == d->id ? d : domain_lookup(id);
    uint64_t other = remote ? evtchn_read(remote, rport) : 0;

    if (evtchn_word_state(other) == EVTCHN_INTERDOMAIN) {
        evtchn_raise(remote, rport, evtchn_word_vcpu(other));
    }
}

int evtchn_send(struct domain *d, evtchn_port_t port)
{
    const struct evtchn *chan = evtchn_find(d, port);
    uint64_t word = chan ? load_acquire(&chan->word) : 0;

    switch (evtchn_word_state(word)) {
    case EVTCHN_INTERDOMAIN:
        partner_raise(d, word);
        return 0;
    case EVTCHN_IPI:
        evtchn_raise(d, port, evtchn_word_vcpu(word));
        return 0;
    case EVTCHN_SERVICE:
        chan->fn(this_cpu()->current, port);
        return 0;
    case EVTCHN_UNBOUND:
        return 0;
    default:
        return -RV_EINVAL;
    }
}

int evtchn_unmask(struct domain *d, evtchn_port_t port)
{
    uint64_t word = evtchn_read(d, port);
    struct vcpu *v = d->vcpu[evtchn_word_vcpu(word)];

    if (evtchn_word_state(word) == EVTCHN_FREE || port >= evtchn_abi_limit(d)) {
        return -RV_EINVAL;
    }
    if (bitmap_test_and_clear_atomic(evtchn_mask_bits(d), port) &&
        bitmap_test(evtchn_pending_bits(d), port) &&
        !selector_set(d, v, port)) {
        upcall_raise(v);
    }
    return 0;
}

bool evtchn_port_is_valid(const struct domain *d, evtchn_port_t port)
{
    return evtchn_word_state(evtchn_read(d, port)) != EVTCHN_FREE;
}

bool evtchn_port_is_pending(const struct domain *d, evtchn_port_t port)
{
    return port < evtchn_abi_limit(d) &&
           bitmap_test(evtchn_pending_bits(d), port);
}

void evtchn_service_raise(struct domain *d, evtchn_port_t port)
{
    uint64_t word = evtchn_read(d, port);

    if (evtchn_word_state(word) == EVTCHN_SERVICE) {
        evtchn_raise(d, port, evtchn_word_vcpu(word));
    }
}
