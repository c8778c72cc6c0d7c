/* SPDX-License-Identifier: MIT */
/*
 * Attacks on messages, each a behaviour by name; all in turn, or one with
 * `kind=<name>`. The hypervisor must survive, answer as documented, and keep
 * the traffic of others whole: domains with `v4v-pair` run beside this one.
 * With two vCPUs the second one changes rings and requests while the first
 * makes its calls. `registers=` is how often a ring is registered, `rounds=` of
 * the rest.
 *
 * Environments: pvh64, pvh32pae.
 */

#include "guest.h"
#include "v4v.h"

const char test_title[] = "attack-v4v: a hostile user of messages";

#define PORT 66
#define PAGES 4
#define LARGE_PAGES 3000u
#define LONG_BYTES (200u * 1024)

static struct v4v_endpoint end;
static struct v4v_send_addr addr;
static struct v4v_iov iov[256];
static uint8_t *buffer;
static unsigned int self;
static uint32_t rounds;
static struct v4v_ring *large;
static long large_rc;

static volatile uint32_t helper_stop, helper_ready;
static void (*volatile helper_work)(void);

static void ring_open(void)
{
    CHECK_EQ(v4v_open(&end, PORT, V4V_DOMID_ANY, PAGES), 0);
    memset(&addr, 0, sizeof(addr));
    addr.src = addr.dst = v4v_address(&end);
    self = addr.dst.domain;
}

static void ring_empty(void)
{
    __atomic_store_n(&end.ring->rx_ptr, end.ring->tx_ptr, __ATOMIC_RELEASE);
}

static long send(uint32_t size)
{
    iov[0] = v4v_iov_of(buffer, size);
    return v4v_sendv(&addr, iov, 1, V4V_MESSAGE_DGRAM);
}

/* What the ring promises is there: each message ends where the next begins. */
static bool ring_is_sound(void)
{
    const struct v4v_ring *r = end.ring;
    uint32_t at = r->rx_ptr;
    uint32_t tx = __atomic_load_n(&r->tx_ptr, __ATOMIC_ACQUIRE);

    while (at != tx) {
        const struct v4v_ring_message_header *h = (const void *)(r->ring + at);

        if (at >= r->len || at % V4V_SLOT || h->len < sizeof(*h) ||
            h->len > r->len || h->source.domain != self) {
            return false;
        }
        at = (at + V4V_ROUNDUP(h->len)) % r->len;
    }
    return true;
}

/* ---- The second vCPU --------------------------------------------------------
 */

static void helper_loop(unsigned int cpu)
{
    (void)cpu;
    helper_ready = 1;
    while (!helper_stop) {
        helper_work();
    }
}

/* Runs `work` over and over beside the caller; false without a second vCPU. */
static bool helper_start(void (*work)(void))
{
    if (cpu_count() < 2) {
        return false;
    }
    helper_work = work;
    helper_stop = helper_ready = 0;
    return CHECK_EQ(cpu_start(1, helper_loop), 0) &&
           CHECK(cpu_wait(&helper_ready, 1, 10000 * MS));
}

static void helper_end(void)
{
    helper_stop = 1;
    CHECK(cpu_wait_down(1, 10000 * MS));
}

/* ---- Attacks
 * ------------------------------------------------------------------ */

static void registers_without_end(void)
{
    uint32_t n = (uint32_t)cmdline_number("registers", 16384), i, good = 0;
    struct v4v_ring *r = end.ring;

    for (i = 0; i < n; i++) {
        r->id.addr.port = 1000 + i;
        long rc = v4v_op(V4VOP_register_ring, r, end.pfn, PAGES, 0);

        if (rc == 0) {
            good++;
        } else if (!CHECK_EQ(rc, -XEN_ENOSPC)) {
            return;
        }
    }
    CHECK(good < 128);
    for (i = 0; i < n && i < 128; i++) {
        r->id.addr.port = 1000 + i;
        v4v_op(V4VOP_unregister_ring, r, NULL, 0, 0);
    }
    r->id.addr.port = PORT;
}

static void vectors_giant_and_overlapping(void)
{
    uint32_t i;

    CHECK_EQ(v4v_op(V4VOP_sendv, &addr, iov, 0xffffffff, 0), -XEN_E2BIG);
    CHECK_EQ(v4v_op(V4VOP_sendv, &addr, iov, 129, 0), -XEN_E2BIG);
    for (i = 0; i < 128; i++) {
        iov[i] = v4v_iov_of(iov, 100);
    }
    ring_empty();
    CHECK_EQ(v4v_sendv(&addr, iov, 128, 1), 12800);
    CHECK(ring_is_sound());
    /* Out of one's own ring into it. */
    for (i = 0; i < 100; i++) {
        iov[0] = v4v_iov_of((uint8_t *)end.ring + i * 40, 6000);
        ring_empty();
        CHECK_EQ(v4v_sendv(&addr, iov, 1, 1), 6000);
    }
    ring_empty();
}

static void lengths_that_overflow(void)
{
    uint32_t i, n;

    for (i = 0; i < 128; i++) {
        iov[i] = v4v_iov_of(buffer, 0);
        iov[i].iov_len = 0xffffffff;
    }
    for (n = 1; n <= 128; n++) {
        CHECK_EQ(v4v_sendv(&addr, iov, n, 1), -XEN_EMSGSIZE);
    }
    iov[0].iov_len = iov[1].iov_len = 0x80000000;
    CHECK_EQ(v4v_sendv(&addr, iov, 2, 1), -XEN_EMSGSIZE);
    CHECK_EQ(v4v_unread(&end), 0);
}

static void request_change(void)
{
    iov[random_below(8)].iov_len = random_u32() >> random_below(32);
    iov[random_below(8)].iov_base = random_u64() >> random_below(64);
    addr.dst.port = random_below(2) ? PORT : random_u32();
}

static void request_changes_during_the_call(void)
{
    uint32_t i, sent = 0;

    if (!helper_start(request_change)) {
        return;
    }
    for (i = 0; i < rounds; i++) {
        uint32_t k;
        long rc;

        for (k = 0; k < 8; k++) {
            iov[k] = v4v_iov_of(buffer + k * 64, 50);
        }
        rc = v4v_sendv(&addr, iov, 8, 1);
        sent += rc >= 0;
        if (!CHECK(rc >= 0 || rc == -XEN_EMSGSIZE || rc == -XEN_EFAULT ||
                   rc == -XEN_ECONNREFUSED || rc == -XEN_EAGAIN) ||
            !CHECK(ring_is_sound())) {
            break;
        }
        ring_empty();
    }
    helper_end();
    addr.dst = v4v_address(&end);
    printf("%u of %u changing requests sent\n", sent, rounds);
}

static void index_spoil(void)
{
    end.ring->rx_ptr = random_u32() >> random_below(32);
    end.ring->tx_ptr = random_u32();
}

static void indices_of_garbage_at_every_moment(void)
{
    bool helped = helper_start(index_spoil);
    uint32_t i;

    for (i = 0; i < rounds; i++) {
        if (!helped) {
            index_spoil();
        }
        long rc = send(random_below(5000));

        if (!CHECK(rc >= 0 || rc == -XEN_EAGAIN)) {
            break;
        }
        v4v_notify();
    }
    if (helped) {
        helper_end();
    }
    /* A new start: the old tx_ptr is not known any more. */
    CHECK_EQ(v4v_op(V4VOP_unregister_ring, end.ring, NULL, 0, 0), 0);
    end.ring->rx_ptr = end.ring->tx_ptr = 0;
    CHECK_EQ(v4v_op(V4VOP_register_ring, end.ring, end.pfn, PAGES, 0), 0);
    CHECK_EQ(send(100), 100);
    CHECK(ring_is_sound());
    ring_empty();
}

static long reservation(unsigned int cmd, xen_pfn_t pfn)
{
    struct xen_memory_reservation m = {
        .nr_extents = 1,
        .domid = DOMID_SELF,
    };

    set_xen_guest_handle(m.extent_start, &pfn);
    return memory_op(cmd, &m);
}

/* The second page of the ring goes away and another one takes its place. */
static void ring_page_ballooned_out(void)
{
    struct v4v_endpoint e;
    struct v4v_send_addr to;
    uint32_t i, k;

    if (!CHECK_EQ(v4v_open(&e, PORT + 1, V4V_DOMID_ANY, 2), 0)) {
        return;
    }
    to = (struct v4v_send_addr){.src = addr.src, .dst = v4v_address(&e)};
    memset(buffer, 0x5a, 4096);
    iov[0] = v4v_iov_of(buffer, 3000);
    CHECK_EQ(reservation(XENMEM_decrease_reservation, e.pfn[1]), 1);
    for (i = 0; i < 20; i++) {
        CHECK_EQ(v4v_sendv(&to, iov, 1, 1), 3000);
        e.ring->rx_ptr = e.ring->tx_ptr;
    }
    CHECK_EQ(reservation(XENMEM_populate_physmap, e.pfn[1]), 1);
    for (i = 0; i < 20; i++) {
        CHECK_EQ(v4v_sendv(&to, iov, 1, 1), 3000);
        e.ring->rx_ptr = e.ring->tx_ptr;
    }
    for (i = 0, k = 0; i < 4096; i++) {
        k += ((uint8_t *)e.ring)[4096 + i] != 0;
    }
    CHECK_EQ(k, 0); /* the new page is not part of the ring */
    CHECK_EQ(v4v_close(&e), 0);
}

static void self_send(void)
{
    struct v4v_iov mine = v4v_iov_of(buffer + 4096, 200);

    v4v_sendv(&addr, &mine, 1, 2);
}

static void unregister_racing_sends(void)
{
    bool helped = helper_start(self_send);
    uint32_t i;

    for (i = 0; i < rounds; i++) {
        if (!CHECK_EQ(v4v_op(V4VOP_unregister_ring, end.ring, NULL, 0, 0), 0) ||
            !CHECK(ring_is_sound())) {
            break;
        }
        ring_empty();
        if (!CHECK_EQ(v4v_op(V4VOP_register_ring, end.ring, end.pfn, PAGES, 0),
                      0)) {
            break;
        }
        CHECK_EQ(v4v_op(V4VOP_register_ring, end.ring, end.pfn, PAGES, 0),
                 -XEN_EEXIST);
    }
    if (helped) {
        helper_end();
    }
    ring_empty();
}

static void notify_storms(void)
{
    static struct {
        struct v4v_ring_data head;
        struct v4v_ring_data_ent ent[256];
    } data;
    uint32_t i, k;

    for (i = 0; i < rounds / 16; i++) {
        memset(&data, 0, sizeof(data));
        data.head.magic = V4V_RING_DATA_MAGIC;
        data.head.nent = 1 + random_below(256);
        for (k = 0; k < data.head.nent; k++) {
            data.ent[k].ring.port = random_below(2) ? PORT : random_u32();
            data.ent[k].ring.domain =
                (uint16_t)(random_below(2) ? self : random_u32());
            data.ent[k].space_required =
                random_below(2) ? 0 : random_u32() >> random_below(32);
        }
        CHECK_EQ(v4v_op(V4VOP_notify, &data, NULL, 0, 0), 0);
    }
    data.head.nent = 257;
    CHECK_EQ(v4v_op(V4VOP_notify, &data, NULL, 0, 0), -XEN_E2BIG);
}

static void names_of_others(void)
{
    struct v4v_send_addr a = addr;

    ring_empty();
    a.src.domain = (uint16_t)(self + 1);
    iov[0] = v4v_iov_of(buffer, 10);
    CHECK_EQ(v4v_sendv(&a, iov, 1, 1), 10);
    CHECK(ring_is_sound()); /* named truly */
    ring_empty();
    end.ring->id.addr.port = PORT + 2;
    end.ring->id.addr.domain = (uint16_t)(self + 1);
    CHECK_EQ(v4v_op(V4VOP_register_ring, end.ring, end.pfn, PAGES, 0), 0);
    CHECK_EQ(end.ring->id.addr.domain, self);
    CHECK_EQ(v4v_op(V4VOP_unregister_ring, end.ring, NULL, 0, 0), 0);
    end.ring->id.addr.port = PORT;
}

static void wildcards_where_none_belong(void)
{
    struct v4v_send_addr a = addr;

    iov[0] = v4v_iov_of(buffer, 10);
    a.dst.domain = V4V_DOMID_ANY;
    CHECK_EQ(v4v_sendv(&a, iov, 1, 1), -XEN_ECONNREFUSED);
    a.dst.domain = (uint16_t)self;
    a.dst.port = V4V_PORT_ANY;
    CHECK_EQ(v4v_sendv(&a, iov, 1, 1), -XEN_ECONNREFUSED);
    end.ring->id.addr.port = V4V_PORT_ANY;
    CHECK_EQ(v4v_op(V4VOP_register_ring, end.ring, end.pfn, PAGES, 0),
             -XEN_EINVAL);
    end.ring->id.addr.port = PORT;
}

static void rules_without_the_role(void)
{
    struct v4vtables_rule rule = {.accept = 1};
    uint32_t op, pos;

    for (op = V4VOP_tables_add; op <= V4VOP_config_get; op++) {
        for (pos = 0; pos < 4; pos++) {
            CHECK_EQ(v4v_op(op, &rule, NULL, pos - 1, 0), -XEN_EPERM);
        }
    }
}

static void receiver_that_never_reads(void)
{
    uint32_t i;

    while (send(500) == 500) {
    }
    for (i = 0; i < rounds; i++) {
        if (!CHECK_EQ(send(500), -XEN_EAGAIN)) {
            break;
        }
    }
    CHECK(ring_is_sound());
    ring_empty();
    CHECK_EQ(v4v_notify(), 0);
    CHECK_EQ(send(500), 500);
    ring_empty();
}

static void calls_at_random(void)
{
    const void *pointers[] = {&addr,    iov,  buffer,
                              end.ring, NULL, (void *)UNMAPPED_VA};
    uint32_t i;

    for (i = 0; i < rounds; i++) {
        v4v_op(random_u32() >> random_below(32), pointers[random_below(6)],
               pointers[random_below(6)], random_u32() >> random_below(32),
               random_u32());
    }
    v4v_close(&end);
    ring_open();
}

/* Receives for a while and is gone, with requests and messages left behind. */
static void dies_while_others_send(void)
{
    struct v4v_endpoint e;
    uint32_t i;

    CHECK_EQ(v4v_open(&e, 10, V4V_DOMID_ANY, 8), 0);
    for (i = 0; i < 200; i++) {
        CHECK(v4v_receive(&e, NULL, NULL, buffer, 4096, 30000 * MS) > 0);
    }
}

/* A ring of nearly all the domain may own, made of one page. */
static void large_register(void)
{
    static uint64_t list[LARGE_PAGES];
    struct v4v_ring *r = large;
    uint32_t i;

    for (i = 0; i < LARGE_PAGES; i++) {
        list[i] = (uintptr_t)r >> 12;
    }
    r->len = LARGE_PAGES * PAGE_SIZE - sizeof(*r);
    large_rc = v4v_op(V4VOP_register_ring, r, list, LARGE_PAGES, 0);
    if (large_rc == 0) {
        v4v_op(V4VOP_unregister_ring, r, NULL, 0, 0);
    }
}

/* Tokens of calls that nobody began. */
static void tokens_forge(void)
{
    v4v_op(V4VOP_register_ring | random_u32() << 8, end.ring, end.pfn, PAGES,
           0);
    v4v_op(V4VOP_sendv | random_u32() << 8, &addr, iov, 1, 1);
}

static void large_rings_and_forged_tokens(void)
{
    bool helped;
    uint32_t i;

    large = pages_alloc(1, 1);
    if (!CHECK(large)) {
        return;
    }
    large->magic = V4V_RING_MAGIC;
    large->id.addr.port = PORT + 5;
    large->id.partner = V4V_DOMID_ANY;
    iov[0] = v4v_iov_of(buffer, 100);
    helped = helper_start(tokens_forge);
    for (i = 0; i < rounds / 100; i++) {
        large_register();
        if (!CHECK_EQ(large_rc, 0)) {
            break;
        }
        if (!helped) {
            tokens_forge();
        }
        ring_empty();
    }
    if (helped) {
        helper_end();
    }
    page_free(large);
    ring_empty();
}

/* Sends long messages, each of one value, to a domain that looks at them; the
 * other vCPU ends the domain in the middle of one. */
static void end_soon(void)
{
    clock_spin(20 * MS + random_below(5000000));
    report_end();
}

static void vanishes_during_a_send(void)
{
    unsigned int peer = (unsigned int)cmdline_number("peer", 0xffff);
    uint8_t *data = pages_alloc(LONG_BYTES / PAGE_SIZE, 1);
    uint32_t n = 0;

    if (!CHECK(data) || !CHECK(cpu_count() > 1)) {
        return;
    }
    addr.dst = (struct v4v_addr){.port = 10, .domain = (uint16_t)peer};
    iov[0] = v4v_iov_of(data, LONG_BYTES);
    while (v4v_sendv(&addr, iov, 1, 1) != LONG_BYTES) {
        clock_sleep(MS);
    }
    if (!CHECK(helper_start(end_soon))) {
        return;
    }
    for (;;) {
        memset(data, (int)++n, LONG_BYTES);
        v4v_sendv(&addr, iov, 1, 1);
    }
}

static const struct {
    const char *name;
    void (*run)(void);
    bool asked_for_only;
} attacks[] = {
    {"registers", registers_without_end, false},
    {"vectors", vectors_giant_and_overlapping, false},
    {"lengths", lengths_that_overflow, false},
    {"changes", request_changes_during_the_call, false},
    {"indices", indices_of_garbage_at_every_moment, false},
    {"balloon", ring_page_ballooned_out, false},
    {"unregister", unregister_racing_sends, false},
    {"notify", notify_storms, false},
    {"names", names_of_others, false},
    {"wildcards", wildcards_where_none_belong, false},
    {"rules", rules_without_the_role, false},
    {"unread", receiver_that_never_reads, false},
    {"large", large_rings_and_forged_tokens, false},
    {"random", calls_at_random, false},
    {"dies", dies_while_others_send, true},
    {"vanishes", vanishes_during_a_send, true},
};

void test_main(void)
{
    const char *kind = cmdline_value("kind");
    unsigned int i;

    random_start();
    rounds = (uint32_t)cmdline_number("rounds", 3000);
    buffer = pages_alloc(4, 1);
    if (!CHECK(buffer)) {
        return;
    }
    ring_open();
    for (i = 0; i < ARRAY_SIZE(attacks); i++) {
        const char *name = attacks[i].name;

        if (kind ? !strncmp(kind, name, strlen(name))
                 : !attacks[i].asked_for_only) {
            printf("%s\n", name);
            attacks[i].run();
        }
    }
    CHECK_EQ(v4v_close(&end), 0);
}
