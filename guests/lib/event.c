/* SPDX-License-Identifier: MIT */
/*
 * Two-level event channels as a guest sees them. All accesses to the shared
 * page are atomic: the hypervisor and other CPUs write it at any time.
 */

#include "guest.h"

#define LONG_BITS (8 * (unsigned int)sizeof(long))

long event_unbound(unsigned int dom, unsigned int remote)
{
    struct evtchn_alloc_unbound op = {
        .dom = (domid_t)dom,
        .remote_dom = (domid_t)remote,
    };
    long rc = event_channel_op(EVTCHNOP_alloc_unbound, &op);

    return rc ? rc : (long)op.port;
}

long event_interdomain(unsigned int remote, unsigned int remote_port)
{
    struct evtchn_bind_interdomain op = {
        .remote_dom = (domid_t)remote,
        .remote_port = remote_port,
    };
    long rc = event_channel_op(EVTCHNOP_bind_interdomain, &op);

    return rc ? rc : (long)op.local_port;
}

long event_virq(unsigned int virq, unsigned int cpu)
{
    struct evtchn_bind_virq op = {.virq = virq, .vcpu = cpu};
    long rc = event_channel_op(EVTCHNOP_bind_virq, &op);

    return rc ? rc : (long)op.port;
}

long event_ipi(unsigned int cpu)
{
    struct evtchn_bind_ipi op = {.vcpu = cpu};
    long rc = event_channel_op(EVTCHNOP_bind_ipi, &op);

    return rc ? rc : (long)op.port;
}

long event_send(unsigned int port)
{
    struct evtchn_send op = {.port = port};

    return event_channel_op(EVTCHNOP_send, &op);
}

long event_close(unsigned int port)
{
    struct evtchn_close op = {.port = port};

    return event_channel_op(EVTCHNOP_close, &op);
}

long event_unmask_op(unsigned int port)
{
    struct evtchn_unmask op = {.port = port};

    return event_channel_op(EVTCHNOP_unmask, &op);
}

long event_bind_cpu(unsigned int port, unsigned int cpu)
{
    struct evtchn_bind_vcpu op = {.port = port, .vcpu = cpu};

    return event_channel_op(EVTCHNOP_bind_vcpu, &op);
}

long event_status(unsigned int port, struct evtchn_status *status)
{
    memset(status, 0, sizeof(*status));
    status->dom = DOMID_SELF;
    status->port = port;
    return event_channel_op(EVTCHNOP_status, status);
}

bool event_status_await(unsigned int port, uint32_t status, uint64_t patience)
{
    uint64_t end = clock_ns() + patience;
    struct evtchn_status s;

    do {
        if (event_status(port, &s)) {
            return false;
        }
        if (s.status == status) {
            return true;
        }
        sched_op(SCHEDOP_yield, NULL);
    } while (clock_ns() < end);
    return false;
}

long event_find(unsigned int remote, unsigned int limit, uint64_t patience)
{
    uint64_t end = clock_ns() + patience;
    unsigned int i;
    long p = -XEN_EINVAL;

    do {
        for (i = 1; i < limit; i++) {
            p = event_interdomain(remote, i);
            if (p > 0) {
                return p;
            }
        }
        sched_op(SCHEDOP_yield, NULL);
    } while (clock_ns() < end);
    return p;
}

bool event_is_pending(unsigned int port)
{
    return bit_test((volatile unsigned long *)shared_info()->evtchn_pending,
                    port);
}

bool event_is_masked(unsigned int port)
{
    return bit_test((volatile unsigned long *)shared_info()->evtchn_mask, port);
}

void event_mask(unsigned int port)
{
    bit_set(shared_info()->evtchn_mask, port);
}

void event_mask_clear(unsigned int port)
{
    bit_clear(shared_info()->evtchn_mask, port);
}

void event_clear(unsigned int port)
{
    bit_clear(shared_info()->evtchn_pending, port);
}

void event_cpu_reset(unsigned int cpu)
{
    WRITE_ONCE(vcpu_info(cpu)->evtchn_upcall_pending, 0);
    WRITE_ONCE(vcpu_info(cpu)->evtchn_pending_sel, 0);
}

long event_poll(unsigned int port, uint64_t deadline)
{
    evtchn_port_t p = port;
    struct sched_poll poll = {.nr_ports = 1, .timeout = deadline};

    set_xen_guest_handle(poll.ports, &p);
    return sched_op(SCHEDOP_poll, &poll);
}

long event_callback_set(unsigned int vector)
{
    uint64_t via = vector ? (2ull << 56) | vector : 0;

    return hvm_param_set(HVM_PARAM_CALLBACK_IRQ, via);
}

long event_upcall_vector_set(unsigned int cpu, unsigned int vector)
{
    struct xen_hvm_evtchn_upcall_vector op = {
        .vcpu = cpu,
        .vector = (uint8_t)vector,
    };

    return hvm_op(HVMOP_set_evtchn_upcall_vector, &op);
}

static unsigned int word_take(unsigned int word, void (*seen)(unsigned int))
{
    shared_info_t *s = shared_info();
    unsigned int bit, n = 0;

    for (bit = 0; bit < LONG_BITS; bit++) {
        unsigned int port = word * LONG_BITS + bit;

        if (event_is_pending(port) && !bit_test(s->evtchn_mask, port)) {
            event_clear(port);
            n++;
            if (seen) {
                seen(port);
            }
        }
    }
    return n;
}

unsigned int event_take(void (*seen)(unsigned int port))
{
    vcpu_info_t *v = vcpu_info(cpu_index());
    unsigned int word, n = 0;
    unsigned long sel;

    WRITE_ONCE(v->evtchn_upcall_pending, 0);
    sel = __atomic_exchange_n(&v->evtchn_pending_sel, 0, __ATOMIC_SEQ_CST);
    for (word = 0; word < LONG_BITS; word++) {
        if (sel & (1ul << word)) {
            n += word_take(word, seen);
        }
    }
    return n;
}
