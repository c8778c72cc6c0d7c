/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The message engine: rings in receivers' memory, sends that copy straight from
 * the sender's memory into them, requests for space, rules. Two ABIs speak to
 * it, V4V and Argo; their front ends (src/hypercall) decode, this decides.
 *
 * Threat surface: everything in a request, the indices in ring pages, and the
 * sender's memory while it is copied. Nothing is read twice; what a guest
 * changes meanwhile can spoil its own message only.
 */
#pragma once

#include "public/v4v.h"
#include "ravelin/domain.h"
#include "ravelin/guest_copy.h"
#include "ravelin/manifest.h"

/* Domains that can wait for space in one ring. */
#define V4V_WAITERS_MAX 64u
/* Bytes a send copies before it lets others run; at most the size of a ring. */
#define V4V_SEND_PIECE 131072u
/* Entries and hash buckets a notify works off in one piece. */
#define V4V_NOTIFY_PIECE 32u
/* Pages a registration pins, or the end of a ring lets go, in one piece. */
#define V4V_PIN_PIECE 256u
/* How long a long send that is not being continued keeps others waiting. */
#define V4V_HOLD_NS 1000000u

struct v4v_limits {
    uint32_t max_rings;
    uint32_t max_sendv;
    uint32_t max_notify;
    uint32_t max_send_size;
};

/* ---- Life cycle ------------------------------------------------------- */

/** The domain's part, with limits and ABI of its manifest entry, or defaults
 * without one. 0; -ENOMEM. */
int rv_must_check v4v_domain_create(struct domain *d);
/** The domain has shut down for good: nobody can send to it any more, who waits
 * for space in its rings gets an event. Its messages stay to be looked at. */
void v4v_domain_end(struct domain *d);
/** Closes the dying domain's rings, forgets it in those of others. Its vCPUs
 * do not run any more. 0; -ERESTART: more to do, call again. */
int rv_must_check v4v_domain_destroy(struct domain *d);
/** Frees what create made; nobody can hold a pointer to it. NULL-safe. */
void v4v_domain_free(struct domain *d);
/** Frees a vCPU's memory of its sends; nothing if it never sent. */
void v4v_vcpu_free(struct vcpu *v);
/** Replaces the default for unmatched messages and appends the manifest's
 * rules. Boot only. */
void v4v_boot(const struct manifest *m);

static inline enum manifest_abi v4v_domain_abi(const struct domain *d)
{
    return d->manifest ? (enum manifest_abi)d->manifest->abi : MANIFEST_ABI_V4V;
}

struct v4v_limits v4v_limits_get(const struct domain *d);
/** 0; -EINVAL a value above V4V_MAX_*_LIMIT. What exists stays. */
int rv_must_check v4v_limits_set(struct domain *d, const struct v4v_limits *l);
/** The port of the domain's event channel, made by the first call.
 * 0 with *port; -ENOSPC, -ENOMEM; -EINVAL dying. */
int rv_must_check v4v_event_port(struct domain *d, uint32_t *port);

/* ---- Rings ------------------------------------------------------------ */

struct v4v_register {
    uint32_t port;
    domid_t partner;
    uint32_t len;           /* bytes of the ring proper */
    uint64_t page_count;    /* of the list */
    struct guest_ref pages; /* u64 frame numbers */
    bool replace;           /* an existing ring gives way */
};

/**
 * Pins the pages and opens the ring. The first page tells rx_ptr and tx_ptr;
 * a tx_ptr out of range or unaligned becomes rx_ptr. A bad rx_ptr is refused
 * (V4V) or becomes 0 (Argo).
 * @return 0; -EEXIST the id is in use; -EINVAL port 0, length, number of
 *         pages, rx_ptr, a frame that is not RAM of the domain, dying; -EFAULT
 *         the list; -ENOSPC too many rings, or more pages in rings than the
 *         domain may own; -ENOMEM; -ERESTART with *token not 0: call
 *         v4v_ring_register_resume() with it, with 0: call this again. Nothing
 *         changed on error.
 */
int rv_must_check v4v_ring_register(struct vcpu *v,
                                    const struct v4v_register *req,
                                    uint32_t *token);
/** Is `token` that of the registration `v` was last told to resume? If not, it
 * starts anew; nothing of it has been done. */
bool v4v_ring_register_is_resumable(const struct vcpu *v, uint32_t token);
/** Goes on; as v4v_ring_register(). */
int rv_must_check v4v_ring_register_resume(struct vcpu *v, uint32_t *token);
/** 0; -ENOENT. Those who wait for space in it get an event. The pages of a
 * large ring are let go in pieces after this. */
int rv_must_check v4v_ring_unregister(struct domain *d, uint32_t port,
                                      domid_t partner);
/** Is frame `m` a page of one of the rings of `d`, or about to be? Takes time
 * in proportion to their pages. Takes the table lock. */
bool v4v_holds_frame(struct domain *d, mfn_t m);
/** Up to `n` rings of `d` from the `start`th on. Returns how many. */
unsigned v4v_ring_stats(struct domain *d, uint32_t start,
                        struct v4v_ring_stat *out, unsigned n);
struct v4v_traffic {
    uint64_t messages;
    uint64_t bytes;
    uint64_t refused;
};
/** What the domain has sent. */
struct v4v_traffic v4v_traffic_get(const struct domain *d);

/* ---- Sending ---------------------------------------------------------- */

struct v4v_message {
    uint32_t src_port;
    struct v4v_addr dst;
    uint32_t type;
    uint32_t iov_count;
    struct guest_ref iovs;
    bool is_narrow; /* iovs are of struct compat_argo_iov */
};

/**
 * Sends from the current vCPU. The iovs are read here, once.
 * @return the payload's length; -ECONNREFUSED no ring, or denied; -EAGAIN no
 *         room, an event will come; -EBUSY no room and no place to wait;
 *         -EMSGSIZE can never fit, or above max_send_size; -E2BIG too many
 *         iovs; -EINVAL padding; -EFAULT; -ENOMEM; -ERESTART with *token not
 *         0: call v4v_send_resume() with it.
 */
long rv_must_check v4v_send(struct vcpu *v, const struct v4v_message *m,
                            uint32_t *token);
/** Is `token` that of the send `v` was last told to resume? If not, the send
 * starts anew; nothing of it has been delivered. */
bool v4v_send_is_resumable(const struct vcpu *v, uint32_t token);
/** Goes on; as v4v_send(). */
long rv_must_check v4v_send_resume(struct vcpu *v, uint32_t *token);

/* ---- Space ------------------------------------------------------------ */

struct v4v_space {
    bool exists;     /* the following mean nothing otherwise */
    bool is_shared;  /* open to V4V_DOMID_ANY */
    bool is_empty;   /* nothing to read */
    bool is_enough;  /* what was asked for fits now */
    bool is_waiting; /* an event will come */
    uint32_t max_message;
};

/** What `d` may know about the ring at `dst`, and a request for an event when
 * `need` bytes of payload fit; it replaces the earlier one. */
struct v4v_space v4v_space_request(struct domain *d, const struct v4v_addr *dst,
                                   uint32_t need);
/**
 * Wakes those whose requests the rings of `d` can now satisfy, from hash bucket
 * *at on. 0; -ERESTART with *at moved.
 */
int rv_must_check v4v_waiters_wake(struct domain *d, unsigned *at);
#define V4V_BUCKETS 256u

/* ---- Rules ------------------------------------------------------------ */

struct v4v_verdict {
    bool accept;
    uint32_t position; /* 0: the default decided */
    uint64_t hits;
};

/** 0; -ENOSPC V4V_RULES_MAX reached; -ENOMEM. Position 1 is in front; 0 or
 * past the end appends. */
int rv_must_check v4v_rule_add(const struct v4vtables_rule *r,
                               uint32_t position);
/** 0; -ENOENT. */
int rv_must_check v4v_rule_del_at(uint32_t position);
int rv_must_check v4v_rule_del(const struct v4vtables_rule *r);
void v4v_rules_flush(void);
/** Up to `n` rules from 1-based position `first` on. Returns how many. */
unsigned v4v_rules_get(uint32_t first, struct v4vtables_counter *out,
                       unsigned n);
uint32_t v4v_rule_count(void);
void v4v_default_set(bool accept);
bool v4v_default_get(uint64_t *hits);
/** The decision about a message, counted nowhere. */
struct v4v_verdict v4v_rules_explain(const struct v4v_addr *src,
                                     const struct v4v_addr *dst);
