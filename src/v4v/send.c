/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sending: rules, ring, room, copy, publish, tell. The iovs are read once into
 * a snapshot of the vCPU; from then on only payload is read, each byte once and
 * straight into the ring. tx_ptr moves when everything is there, so a message
 * whose payload cannot be read was never sent.
 *
 * A long message is copied in pieces. Between two of them its sender holds the
 * ring: others take another turn, for a bounded time, after which they go
 * first and the long send starts again. So neither can a sender that is not
 * continued close a ring to others, nor is a piece longer than a piece.
 *
 * Threat surface: the iovs, the memory they name, rx_ptr.
 */

#include "arch/host.h"
#include "public/argo.h"
#include "ravelin/errno.h"
#include "ravelin/frame_pool.h"
#include "ravelin/sched.h"

#include "v4v_internal.h"

#define HEADER_BYTES 64u
#define NARROW_PIECE 32u

union message_header {
    struct v4v_ring_message_header v4v;
    struct xen_argo_ring_message_header argo;
};
static_assert(sizeof(union message_header) == V4V_SLOT,
              "a header is one slot, so it never wraps and never crosses a "
              "page");
static_assert(sizeof(struct v4v_iov) == sizeof(struct xen_argo_iov) &&
                  offsetof(struct v4v_iov, iov_len) ==
                      offsetof(struct xen_argo_iov, iov_len),
              "iovs of both ABIs are the same");

/* ---- The snapshot ------------------------------------------------------ */

void v4v_vcpu_free(struct vcpu *v)
{
    if (v->v4v_send) {
        pages_free(v->v4v_send, v->v4v_send->order);
        v->v4v_send = NULL;
    }
}

/* Memory for a snapshot of `count` iovs; it stays for the next send. */
static int snapshot_make(struct vcpu *v, uint32_t count)
{
    size_t size = sizeof(struct v4v_send) + count * sizeof(struct v4v_iov);
    struct v4v_send *s;
    uint8_t order = 0;

    if (likely(v->v4v_send && count <= v->v4v_send->iov_max)) {
        return 0;
    }
    while (PAGE_SIZE << order < size) {
        order++;
    }
    s = pages_alloc(order);
    if (!s) {
        return -RV_ENOMEM;
    }
    s->order = order;
    s->iov_max = (uint32_t)(((PAGE_SIZE << order) - sizeof(*s)) /
                            sizeof(struct v4v_iov));
    v4v_vcpu_free(v);
    v->v4v_send = s;
    return 0;
}

static int narrow_read(struct vcpu *v, struct guest_ref from,
                       struct v4v_iov *to, uint32_t count)
{
    struct compat_argo_iov piece[NARROW_PIECE];

    for (uint32_t i = 0; i < count; i++) {
        uint32_t n = rv_min(NARROW_PIECE, count - i);
        const struct compat_argo_iov *c = &piece[i % NARROW_PIECE];

        if (i % NARROW_PIECE == 0 &&
            guest_copy_in(v, piece, guest_ref_add(from, i * sizeof(*c)),
                          n * sizeof(*c)) != 0) {
            return -RV_EFAULT;
        }
        to[i] = (struct v4v_iov){c->iov_hnd.gva, c->iov_len, c->pad};
    }
    return 0;
}

/* No overflow: at most 2^10 iovs of less than 2^32 bytes. */
static int iovs_sum(struct v4v_send *s, uint32_t max)
{
    uint64_t total = 0;
    uint32_t pads = 0;

    for (uint32_t i = 0; i < s->iov_count; i++) {
        total += s->iov[i].iov_len;
        pads |= s->iov[i].pad;
    }
    if (pads != 0) {
        return -RV_EINVAL;
    }
    if (total > max) {
        return -RV_EMSGSIZE;
    }
    s->total = (uint32_t)total;
    return 0;
}

static int snapshot_take(struct vcpu *v, const struct v4v_message *m)
{
    struct v4v_limits *limits = &v->domain->v4v->limits;
    struct v4v_send *s;
    int rc;

    if (m->iov_count > read_once(limits->max_sendv)) {
        return -RV_E2BIG;
    }
    rc = snapshot_make(v, m->iov_count);
    if (rc != 0) {
        return rc;
    }
    s = v->v4v_send;
    s->serial = 0;
    s->src_port = m->src_port;
    s->dst = m->dst;
    s->type = m->type;
    s->iov_count = m->iov_count;
    if (unlikely(m->is_narrow)) {
        rc = narrow_read(v, m->iovs, s->iov, s->iov_count);
    } else {
        rc =
            guest_copy_in(v, s->iov, m->iovs, s->iov_count * sizeof(s->iov[0]));
    }
    return rc ? rc : iovs_sum(s, read_once(limits->max_send_size));
}

/* ---- The copy ---------------------------------------------------------- */

static uint32_t ring_advance(const struct v4v_ring_state *ring, uint32_t at,
                             uint32_t n)
{
    at += n;
    return at == ring->len ? 0 : at;
}

static void header_put(struct v4v_send *s, const struct v4v_ring_state *ring,
                       domid_t sender)
{
    union message_header h;
    uint32_t at;
    char *page;

    if (likely(ring->abi == MANIFEST_ABI_V4V)) {
        h.v4v = (struct v4v_ring_message_header){
            .len = s->total + V4V_SLOT,
            .message_type = s->type,
            .source = {.port = s->src_port, .domain = sender},
        };
    } else {
        h.argo = (struct xen_argo_ring_message_header){
            .len = s->total + V4V_SLOT,
            .source = {.aport = s->src_port, .domain_id = sender},
            .message_type = s->type,
        };
    }
    at = HEADER_BYTES + ring->tx_ptr;
    page = host_ptr(mfn_to_hpa(ring->page[at >> PAGE_SHIFT]));
    guest_page_write(page + (at & ~PAGE_MASK), &h, sizeof(h));
    s->at = ring_advance(ring, ring->tx_ptr, V4V_SLOT);
    s->next = 0;
    s->done = 0;
}

/* Copies up to a piece. 0: all is there; -ERESTART: more to come; -EFAULT. */
static int payload_put(struct vcpu *v, struct v4v_send *s,
                       const struct v4v_ring_state *ring)
{
    uint32_t budget = V4V_SEND_PIECE;

    while (s->next < s->iov_count) {
        const struct v4v_iov *iov = &s->iov[s->next];
        uint32_t left = iov->iov_len - s->done;
        uint32_t n = rv_min(rv_min(left, ring->len - s->at), budget);

        if (left == 0) {
            s->next++;
            s->done = 0;
            continue;
        }
        if (budget == 0) {
            return -RV_ERESTART;
        }
        if (guest_copy_to_frames(v, ring->page, HEADER_BYTES + s->at,
                                 guest_ref(iov->iov_base + s->done), n) != 0) {
            return -RV_EFAULT;
        }
        s->at = ring_advance(ring, s->at, n);
        s->done += n;
        budget -= n;
    }
    return 0;
}

/* ---- One step ---------------------------------------------------------- */

/* Is the ring held by somebody else's long send that is being continued? The
 * clock of this CPU may be a little behind that of the sender's. */
static bool is_held(const struct v4v_ring_state *ring, const struct v4v_send *s)
{
    return ring->holder != 0 && ring->holder != s->serial &&
           (int64_t)(arch_time_ns() - ring->held_ns) < (int64_t)V4V_HOLD_NS;
}

/* Makes room certain and writes the header. */
static int message_begin(struct v4v_ring_locked held, struct v4v_send *s,
                         domid_t sender)
{
    struct v4v_ring_state *ring = held.ring;
    int rc = 0;

    if (s->total > v4v_ring_payload_max(ring)) {
        return -RV_EMSGSIZE;
    }
    if (v4v_ring_room(held) < (int32_t)s->total) {
        rc = v4v_wait(held, sender, s->total);
    }
    if (rc == 0) {
        header_put(s, ring, sender);
    }
    return rc;
}

static void message_end(struct v4v_ring_locked held, struct v4v_send *s)
{
    struct v4v_ring_state *ring = held.ring;
    uint32_t end = V4V_ROUNDUP(s->at);

    ring->tx_ptr = end == ring->len ? 0 : end;
    shared_u32_write(ring->tx, ring->tx_ptr);
    ring->messages++;
    ring->bytes += s->total;
}

/* Names the send when it has to be continued. */
static void serial_ensure(struct v4v_send *s)
{
    if (s->serial == 0) {
        s->serial = v4v_serial_next();
    }
}

/* The ring is locked and alive. 0: delivered. */
static int message_put(struct vcpu *v, struct v4v_send *s,
                       struct v4v_ring_locked held)
{
    struct v4v_ring_state *ring = held.ring;
    int rc = 0;

    if (unlikely(is_held(ring, s))) {
        serial_ensure(s);
        vcpu_yield(v);
        return -RV_ERESTART;
    }
    if (likely(s->serial == 0) || ring->holder != s->serial) {
        rc = message_begin(held, s, v->domain->id);
        if (rc != 0) {
            return rc;
        }
    }
    rc = payload_put(v, s, ring);
    ring->holder = 0;
    if (likely(rc == 0)) {
        message_end(held, s);
    } else if (rc == -RV_ERESTART) {
        serial_ensure(s);
        ring->holder = s->serial;
        ring->held_ns = arch_time_ns();
    }
    return rc;
}

static void traffic_count(struct v4v_domain *t, uint32_t bytes)
{
    __atomic_fetch_add(&t->traffic.messages, 1, __ATOMIC_RELAXED);
    __atomic_fetch_add(&t->traffic.bytes, bytes, __ATOMIC_RELAXED);
}

static long send_refused(struct v4v_domain *t)
{
    __atomic_fetch_add(&t->traffic.refused, 1, __ATOMIC_RELAXED);
    return -RV_ECONNREFUSED;
}

static long send_step(struct vcpu *v, struct v4v_send *s)
{
    struct domain *owner = domain_lookup(s->dst.domain);
    struct v4v_ring_locked held;
    int rc;

    if (!owner ||
        !v4v_ring_find_lock(owner, s->dst.port, v->domain->id, &held)) {
        return send_refused(v->domain->v4v);
    }
    rc = message_put(v, s, held);
    v4v_ring_unlock(&held);
    if (rc != 0) {
        return rc;
    }
    v4v_signal(owner);
    traffic_count(v->domain->v4v, s->total);
    return s->total;
}

static long send_run(struct vcpu *v, uint32_t *token)
{
    struct v4v_send *s = v->v4v_send;
    long rc;

    rc = send_step(v, s);
    if (likely(rc != -RV_ERESTART)) {
        s->serial = 0;
    }
    *token = (uint32_t)(s->serial & V4V_TOKEN_MASK);
    return rc;
}

bool v4v_send_is_resumable(const struct vcpu *v, uint32_t token)
{
    const struct v4v_send *s = v->v4v_send;

    return s && s->serial != 0 && (s->serial & V4V_TOKEN_MASK) == token;
}

/* The rules of now decide, not those of when the sender began: it may have let
 * any time go by. */
long v4v_send_resume(struct vcpu *v, uint32_t *token)
{
    struct v4v_send *s = v->v4v_send;
    const struct v4v_addr src = {.port = s->src_port, .domain = v->domain->id};

    if (!v4v_rules_explain(&src, &s->dst).accept) {
        s->serial = 0;
        return send_refused(v->domain->v4v);
    }
    return send_run(v, token);
}

long v4v_send(struct vcpu *v, const struct v4v_message *m, uint32_t *token)
{
    const struct v4v_addr src = {.port = m->src_port, .domain = v->domain->id};
    int rc = snapshot_take(v, m);

    if (rc != 0) {
        return rc;
    }
    if (!v4v_rules_permit(&src, &m->dst)) {
        return send_refused(v->domain->v4v);
    }
    return send_run(v, token);
}
