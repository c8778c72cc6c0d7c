/* SPDX-License-Identifier: MIT */
/*
 * V4V: messages between domains, copied by the hypervisor into rings that lie
 * in the receiver's memory. All structures are naturally aligned and the same
 * for 32-bit and 64-bit callers.
 *
 *   long v4v_op(int cmd, arg1, arg2, uint32_t arg3, uint32_t arg4)
 *
 * is hypercall 39. Results are 0 or positive, or a negative XEN_E* number.
 *
 * rx_ptr and tx_ptr are read and written by two parties at the same time: a
 * guest must access them with single, aligned, atomic 32-bit loads (acquire)
 * and stores (release), never through a plain structure copy.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define __HYPERVISOR_v4v_op 39

#define V4V_RING_MAGIC 0xa822f72bb0b9d8ccULL
#define V4V_RING_DATA_MAGIC 0x45fe852220b801d4ULL

/* Most likely values of message_type. */
#define V4V_MESSAGE_DGRAM 0x3c2c1db8u
#define V4V_MESSAGE_STREAM 0x70f6a8e5u

#define V4V_DOMID_ANY 0x7ff4u
#define V4V_PORT_ANY 0u

/* Limits of a domain unless its manifest entry or a control domain says
 * otherwise; V4VOP_info returns those in force. */
#define V4V_DEFAULT_MAX_RINGS 0x80u
#define V4V_DEFAULT_MAX_SENDV 0x80u
#define V4V_DEFAULT_MAX_NOTIFY 0x100u
#define V4V_DEFAULT_MAX_SEND_SIZE 0x2000000u

/* Messages start on multiples of this; a message of `len` bytes takes
 * 16 + V4V_ROUNDUP(len) bytes of a ring. The mask has the argument's width, so
 * no high-order bit is lost. */
#define V4V_SLOT 16u
#define V4V_ROUNDUP(a) (((a) + 0xf) & ~(__typeof__(a))0xf)

struct v4v_iov {
    uint64_t iov_base;
    uint32_t iov_len;
    uint32_t pad; /* 0 */
};

struct v4v_addr {
    uint32_t port;
    uint16_t domain;
    uint16_t pad; /* 0 */
};

struct v4v_ring_id {
    struct v4v_addr addr; /* domain: set by the hypervisor */
    uint16_t partner;     /* who may send; V4V_DOMID_ANY: everybody */
    uint16_t pad;         /* 0 */
};

struct v4v_send_addr {
    struct v4v_addr src; /* domain: ignored, the hypervisor knows it */
    struct v4v_addr dst;
};

struct v4v_ring {
    uint64_t magic;
    struct v4v_ring_id id;
    uint32_t len;    /* of ring[]: multiple of 16, 48 .. 16 MiB */
    uint32_t rx_ptr; /* written by the owner: next message to read */
    uint32_t tx_ptr; /* written by the hypervisor: end of the last one */
    uint8_t reserved[32];
    uint8_t ring[];
};

#define V4V_RING_LEN_MIN 48u
#define V4V_RING_LEN_MAX 0x1000000u

struct v4v_ring_message_header {
    uint32_t len; /* payload + 16 */
    uint32_t message_type;
    struct v4v_addr source;
    uint8_t data[];
};

/* flags of v4v_ring_data_ent, all set by the hypervisor */
#define V4V_RING_DATA_F_EMPTY (1u << 0)
#define V4V_RING_DATA_F_EXISTS (1u << 1)
#define V4V_RING_DATA_F_PENDING (1u << 2)    /* an event will come */
#define V4V_RING_DATA_F_SUFFICIENT (1u << 3) /* space_required fits now */

struct v4v_ring_data_ent {
    struct v4v_addr ring; /* destination asked about */
    uint16_t flags;
    uint16_t pad;              /* 0 */
    uint32_t space_required;   /* payload bytes */
    uint32_t max_message_size; /* out: largest payload the ring can ever take */
};

struct v4v_ring_data {
    uint64_t magic;
    uint32_t nent;
    uint32_t pad; /* 0 */
    uint64_t reserved[4];
    struct v4v_ring_data_ent data[];
};

struct v4v_info {
    uint64_t ring_magic;
    uint64_t data_magic;
    uint32_t evtchn; /* raised on arrival and when space appears */
    uint32_t max_rings;
    uint32_t max_sendv;
    uint32_t max_notify;
    uint32_t max_send_size;
    uint32_t pad;
};

struct v4v_config {
    uint32_t max_rings;
    uint32_t max_sendv;
    uint32_t max_notify;
    uint32_t max_send_size;
    uint16_t target_id;
    uint16_t pad; /* 0 */
};

/* Largest values V4VOP_config accepts. */
#define V4V_MAX_RINGS_LIMIT 4096u
#define V4V_MAX_SENDV_LIMIT 1024u
#define V4V_MAX_NOTIFY_LIMIT 4096u
#define V4V_MAX_SEND_SIZE_LIMIT 0x2000000u

/*
 * Rules. The first rule that matches a message decides; if none does, the
 * manifest's default (accept unless it says deny). A rule is about one
 * direction: messages back need their own. V4V_DOMID_ANY and V4V_PORT_ANY match
 * everything. Positions count from 1 in every operation.
 */
struct v4vtables_rule {
    struct v4v_addr src;
    struct v4v_addr dst;
    uint32_t accept; /* 0: deny; anything else: accept */
};

struct v4vtables_list {
    uint32_t start_rule; /* first position wanted; 0 means 1 */
    uint32_t nb_rules;   /* in: what fits; out: what was stored */
    struct v4vtables_rule rules[];
};
#define V4V_RULES_MAX 16384u

/*
 * The header of a V4V_MESSAGE_STREAM message. SYN opens a connection under a
 * number that the opener chose, ACK accepts it, RST refuses or ends it, PING
 * asks whether the other side lives, PONG says so; no flag: data.
 *
 * Behind the header of a SYN may stand a word of features, and then behind that
 * of its ACK those of them that the accepting side knows: they are in use. Who
 * knows no features reads the headers alone. With V4V_STREAM_FIN either side
 * may send FIN once: it sends no more data, but still receives.
 */
struct v4v_stream_header {
    uint32_t flags;
    uint32_t conid;
};
#define V4V_SHF_SYN (1u << 0)
#define V4V_SHF_ACK (1u << 1)
#define V4V_SHF_RST (1u << 2)
#define V4V_SHF_FIN (1u << 3)
#define V4V_SHF_PING (1u << 8)
#define V4V_SHF_PONG (1u << 9)

struct v4v_stream_open {
    struct v4v_stream_header header;
    uint32_t features;
};
#define V4V_STREAM_FIN (1u << 0)

/*
 * arg1 ring (its header is read), arg2 list of frame numbers (u64 each) that
 * hold 64 + len bytes from the start of the first on, arg3 their number.
 * An existing ring with this id: -EEXIST. tx_ptr is kept if it is in range and
 * aligned, so that a ring survives suspension; else it becomes rx_ptr. The
 * pages stay the domain's but cannot be given back before the ring is
 * unregistered.
 */
#define V4VOP_register_ring 1
/* arg1 ring (magic and id are read). -ENOENT: none such. */
#define V4VOP_unregister_ring 2
/*
 * arg1 ring_data or NULL. First looks at the caller's own rings: whoever waits
 * for space that has appeared gets an event; so call it after taking messages
 * out. Then answers each entry; a request replaces the caller's earlier one for
 * the same ring, larger or smaller. A ring that the rules do not let the caller
 * send to looks like one that does not exist.
 */
#define V4VOP_notify 4
/*
 * arg1 send_addr, arg2 array of iovs, arg3 their number, arg4 message_type.
 * Returns the payload's length. The ring is the one registered for exactly this
 * sender, else one for V4V_DOMID_ANY. -ECONNREFUSED: no ring, or denied;
 * -EAGAIN: no room now, an event will come; -EBUSY: no room, and too many
 * domains wait for it, so no event will come; -EMSGSIZE: can never fit, or is
 * above max_send_size; -E2BIG: more than max_sendv iovs.
 */
#define V4VOP_sendv 5
/* arg1 info, filled. */
#define V4VOP_info 6
/* arg1 rule, arg3 position: 1 inserts first, 0 or past the end appends. Rule
 * operations are for control domains. */
#define V4VOP_tables_add 7
/* arg3 position; -1 with a rule in arg1: the first one equal to it, whether it
 * accepts or denies included; -1 with NULL: all. -ENOENT: none such. */
#define V4VOP_tables_del 8
/* arg1 list. -EINVAL: nb_rules is 0. */
#define V4VOP_tables_list 9
/* arg1 config, for control domains; takes effect on what comes after. */
#define V4VOP_config 10

/* ---- Beyond V4V: for control domains ----------------------------------- */

/* Which rule decides about messages from src to dst? Counts nothing. */
struct v4v_explain {
    struct v4v_addr src;
    struct v4v_addr dst;
    uint32_t accept;   /* out */
    uint32_t position; /* out; 0: no rule matches, the default decides */
    uint64_t hits;     /* out: what the rule (or the default) decided so far */
};
#define V4VOP_tables_explain 11

struct v4vtables_counter {
    struct v4vtables_rule rule;
    uint32_t pad;
    uint64_t hits;
};
/* As v4vtables_list, with what each rule has decided so far. */
struct v4vtables_counters {
    uint32_t start_rule;
    uint32_t nb_rules;
    uint32_t default_accept; /* out */
    uint32_t rule_count;     /* out: in the whole table */
    uint64_t default_hits;   /* out: decisions no rule made */
    struct v4vtables_counter rules[];
};
#define V4VOP_tables_counters 12

#define V4V_RING_STAT_ARGO (1u << 0)   /* the owner speaks Argo */
#define V4V_RING_STAT_ORPHAN (1u << 1) /* the one who may send is gone */
struct v4v_ring_stat {
    uint32_t port;
    uint16_t partner;
    uint16_t flags;
    uint32_t len;
    uint32_t used;    /* bytes not yet taken out; len if rx_ptr is garbage */
    uint32_t waiting; /* domains that wait for space */
    uint32_t pad;
    uint64_t messages; /* received since registration */
    uint64_t bytes;    /* their payload */
};
/* The rings of a domain, in no particular order. */
struct v4v_ring_list {
    uint16_t target_id;
    uint16_t pad;
    uint32_t start;    /* rings to leave out; 0: from the first */
    uint32_t nb_rings; /* in: what fits; out: what was stored */
    uint32_t reserved;
    uint64_t sent_messages;
    uint64_t sent_bytes;
    uint64_t refused; /* sends that found no ring or were denied */
    struct v4v_ring_stat rings[];
};
#define V4VOP_ring_list 13
/* arg1 config with target_id; the limits in force are filled in. */
#define V4VOP_config_get 14

#define V4V_ABI(what) _Static_assert(what, "V4V layout: " #what)
V4V_ABI(sizeof(struct v4v_iov) == 16);
V4V_ABI(sizeof(struct v4v_addr) == 8);
V4V_ABI(sizeof(struct v4v_ring_id) == 12);
V4V_ABI(sizeof(struct v4v_send_addr) == 16);
V4V_ABI(offsetof(struct v4v_ring, magic) == 0);
V4V_ABI(offsetof(struct v4v_ring, id) == 8);
V4V_ABI(offsetof(struct v4v_ring, len) == 20);
V4V_ABI(offsetof(struct v4v_ring, rx_ptr) == 24);
V4V_ABI(offsetof(struct v4v_ring, tx_ptr) == 28);
V4V_ABI(offsetof(struct v4v_ring, reserved) == 32);
V4V_ABI(offsetof(struct v4v_ring, ring) == 64);
V4V_ABI(sizeof(struct v4v_ring_message_header) == 16);
V4V_ABI(sizeof(struct v4v_ring_data_ent) == 20);
V4V_ABI(sizeof(struct v4v_ring_data) == 48);
V4V_ABI(sizeof(struct v4v_info) == 40);
V4V_ABI(sizeof(struct v4v_config) == 20);
V4V_ABI(sizeof(struct v4vtables_rule) == 20);
V4V_ABI(sizeof(struct v4vtables_list) == 8);
V4V_ABI(sizeof(struct v4v_stream_header) == 8);
V4V_ABI(sizeof(struct v4v_stream_open) == 12);
V4V_ABI(sizeof(struct v4v_explain) == 32);
V4V_ABI(sizeof(struct v4vtables_counter) == 32);
V4V_ABI(sizeof(struct v4vtables_counters) == 24);
V4V_ABI(sizeof(struct v4v_ring_stat) == 40);
V4V_ABI(sizeof(struct v4v_ring_list) == 40);
#undef V4V_ABI
