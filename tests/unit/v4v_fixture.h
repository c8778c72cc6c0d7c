/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Domains that send each other messages: made by domain_create(), memory mapped
 * one to one, every hypercall under the double-fetch detector unless a test
 * with threads turns that off. Also the receiver's half of the protocol, as a
 * guest would write it.
 */
#pragma once

#include "fixture.h"

#include "public/argo.h"
#include "public/v4v.h"
#include "ravelin/errno.h"
#include "ravelin/v4v.h"

/* Guest addresses (linear = physical). */
#define VT_ADDR 0x10000u   /* send address, headers, small structures */
#define VT_IOV 0x14000u    /* up to 1024 iovs */
#define VT_LIST 0x20000u   /* frame numbers */
#define VT_DATA 0x30000u   /* 64 KiB: lists of requests and rules */
#define VT_TABLES 0x40000u /* page tables */
#define VT_BUF 0x80000u    /* 512 KiB of payload */
#define VT_RING 0x100000u  /* rings */
#define VT_HOLE_MIB 62u    /* mapped in the page tables, no RAM behind it */
#define VT_HOLE (VT_HOLE_MIB << 20)
#define VT_BAD 0x7fffffff0000u /* not mapped */

/* Machine with `cpus` CPUs and 320 MiB; no rules, default accept. */
void vt_machine_create(unsigned cpus);
/** Destroys all domains and rules. */
void vt_clear(void);
/** The same, and checks for leaks. */
void vt_machine_destroy(void);
/** The same as tear-down of a case. */
int vt_teardown(void **state);

struct vt_setup {
    domid_t id;
    uint32_t roles;
    uint32_t pages;           /* of RAM; 0: 1024 */
    unsigned vcpus;           /* 0: 2 */
    uint32_t evtchn_port_max; /* 0: the ABI's limit */
    bool argo;
};
struct domain *vt_domain(const struct vt_setup *s);
struct domain *vt_domain_plain(domid_t id);
void vt_domain_destroy(struct domain *d);

/** Off for tests with threads. */
extern bool vt_detector_on;
/** A caller that names the same bytes twice has them read twice; memory still
 * changes under each read. */
extern bool vt_overlap_allowed;
/** Called for each result, with operation and errno; may be NULL. */
extern void (*vt_result_hook)(uint64_t op, long rc);

/** One hypercall of `v`, to its end. */
long vt_call(struct vcpu *v, uint64_t op, uint64_t a1, uint64_t a2, uint64_t a3,
             uint64_t a4);
/** The same of vCPU 0. */
long vt_op(struct domain *d, uint64_t op, uint64_t a1, uint64_t a2, uint64_t a3,
           uint64_t a4);
/** One piece of it: starts it, or goes on if `again`. True: it has ended, with
 * *rc. */
void vt_begin(struct vcpu *v, uint64_t op, uint64_t a1, uint64_t a2,
              uint64_t a3, uint64_t a4);
bool vt_step(struct vcpu *v, long *rc);

/* ---- Rings ----------------------------------------------------------------
 */

/* A ring of `d` whose pages lie in a row from `at` on. */
struct vt_ring {
    struct domain *d;
    uint64_t at;
    uint32_t port;
    domid_t partner;
    uint32_t len;
    bool argo;
};

uint32_t vt_pages(uint32_t len);
/** Writes the header (rx_ptr = tx_ptr = 0) and the list, registers. */
long vt_register(struct vt_ring *r);
/** The same without touching the header. */
long vt_register_again(struct vt_ring *r);
long vt_unregister(const struct vt_ring *r);
/** A registered ring at VT_RING. */
struct vt_ring vt_ring(struct domain *d, uint32_t port, domid_t partner,
                       uint32_t len);

uint32_t vt_rx(const struct vt_ring *r);
uint32_t vt_tx(const struct vt_ring *r);
void vt_rx_set(const struct vt_ring *r, uint32_t rx);
void vt_tx_set(const struct vt_ring *r, uint32_t tx);

/* ---- Messages -------------------------------------------------------------
 */

/** Pattern of message `seed`, byte `i`. */
uint8_t vt_byte(uint32_t seed, uint32_t i);
/** `n` bytes of that pattern in guest memory. */
void vt_fill(struct domain *d, uint64_t at, uint32_t seed, uint32_t n);

/** sendv of one buffer at `at`. */
long vt_send_at(struct domain *d, uint32_t src_port, domid_t to, uint32_t port,
                uint64_t at, uint32_t n);
/** The same with the pattern `seed` at VT_BUF. */
long vt_send(struct domain *d, uint32_t src_port, domid_t to, uint32_t port,
             uint32_t seed, uint32_t n);
/** sendv of iovs that the test has. */
long vt_sendv(struct domain *d, domid_t to, uint32_t port,
              const struct v4v_iov *iov, uint32_t count, uint32_t type);

struct vt_message {
    uint32_t len; /* payload */
    uint32_t type;
    struct v4v_addr source;
    uint8_t data[70000]; /* of longer ones the beginning */
};
/** Takes the next message out; false if there is none. Fails the test if the
 * ring does not hold what its indices say. */
bool vt_take(const struct vt_ring *r, struct vt_message *m);
/** Takes one and checks sender, length and pattern. */
void vt_expect(const struct vt_ring *r, domid_t from, uint32_t port,
               uint32_t seed, uint32_t n);

long vt_notify(struct domain *d);
/** Asks about one ring. Returns the flags; the call must succeed. */
uint16_t vt_ask(struct domain *d, domid_t to, uint32_t port, uint32_t need,
                struct v4v_ring_data_ent *out);

/** The domain's event port, and whether it is pending (clears it). */
uint32_t vt_event_port(struct domain *d);
bool vt_event_taken(struct domain *d);

/* ---- Rules ------------------------------------------------------------------
 */

struct v4vtables_rule vt_rule(domid_t src, uint32_t src_port, domid_t dst,
                              uint32_t dst_port, bool accept);
long vt_rule_add(struct domain *control, const struct v4vtables_rule *r,
                 uint32_t position);
long vt_rule_del(struct domain *control, const struct v4vtables_rule *r,
                 uint32_t position);
