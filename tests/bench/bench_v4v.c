/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The message engine, native, from the hypercall's registers to the receiver's
 * copy, beside AF_UNIX datagrams, a pipe and a bare memcpy of the same sizes in
 * the same run; and how its cost grows with rings, rules and domains. The best
 * of seven rounds counts, since the machine may be shared. JSON on stdout.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "../unit/v4v_fixture.h"

#define ROUNDS 7
#define PORT 9u
#define RING_LEN (64u * 4096 - 64)
#define GROWTH_SIZE 256u

static const uint32_t sizes[] = {16, 256, 4096, 16384, 65536};

static struct domain *a, *b;
static struct vt_ring ring;
static uint8_t *ring_memory; /* the receiver's view */
static uint8_t from[65536], to[65536];
static int unix_pair[2], pipe_pair[2];
static bool first = true;

static double now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void check(bool ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "bench_v4v: %s\n", what);
        exit(1);
    }
}

/* ---- One message
 * -------------------------------------------------------------- */

static void v4v_prepare(uint32_t n)
{
    const struct v4v_iov iov = {.iov_base = VT_BUF, .iov_len = n};
    const struct v4v_send_addr addr = {.src = {.port = 1},
                                       .dst = {.port = PORT, .domain = b->id}};

    fixture_phys_put(a, VT_ADDR, &addr, sizeof(addr));
    fixture_phys_put(a, VT_IOV, &iov, sizeof(iov));
}

/* The receiver: header, payload across the end, rx_ptr. Its frames lie in a
 * row in the fake machine's memory (checked at the start). */
static void v4v_take(uint32_t n)
{
    struct v4v_ring *r = (void *)ring_memory;
    uint32_t at = (r->rx_ptr + 16) % RING_LEN;
    uint32_t part = RING_LEN - at < n ? RING_LEN - at : n;

    memcpy(to, r->ring + at, part);
    memcpy(to + part, r->ring, n - part);
    __atomic_store_n(&r->rx_ptr, r->tx_ptr, __ATOMIC_RELEASE);
}

static void v4v_message(uint32_t n)
{
    struct vcpu *v = a->vcpu[0];
    long rc;

    vt_begin(v, V4VOP_sendv, VT_ADDR, VT_IOV, 1, V4V_MESSAGE_DGRAM);
    check(vt_step(v, &rc) && rc == (long)n, "a send failed");
    v4v_take(n);
}

static void unix_message(uint32_t n)
{
    check(send(unix_pair[0], from, n, 0) == (ssize_t)n, "send");
    check(recv(unix_pair[1], to, n, 0) == (ssize_t)n, "recv");
}

static void pipe_message(uint32_t n)
{
    uint32_t done = 0;

    check(write(pipe_pair[1], from, n) == (ssize_t)n, "write");
    while (done < n) {
        ssize_t got = read(pipe_pair[0], to + done, n - done);

        check(got > 0, "read");
        done += (uint32_t)got;
    }
}

static void memcpy_message(uint32_t n)
{
    memcpy(to, from, n);
    __asm__ volatile("" ::"r"(to) : "memory");
}

/* ns a message, best round. */
static double measure(void (*message)(uint32_t n), uint32_t n)
{
    unsigned count = n < 4096 ? 20000 : n < 65536 ? 5000 : 1500;
    double best = 1e18;

    for (unsigned round = 0; round < ROUNDS; round++) {
        double start = now_ns();
        double took;

        for (unsigned i = 0; i < count; i++) {
            message(n);
        }
        took = (now_ns() - start) / count;
        best = took < best ? took : best;
    }
    return best;
}

static void figure(const char *name, uint32_t n, double value, const char *unit)
{
    printf("%s  \"%s_%u\": {\"value\": %.4g, \"unit\": \"%s\", \"bar\": null}",
           first ? "{\n" : ",\n", name, n, value, unit);
    first = false;
}

static void compare(void)
{
    for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
        uint32_t n = sizes[i];
        double ours, datagram, piped, copy;

        v4v_prepare(n);
        ours = measure(v4v_message, n);
        datagram = measure(unix_message, n);
        piped = measure(pipe_message, n);
        copy = measure(memcpy_message, n);
        figure("v4v_native", n, ours, "ns");
        figure("v4v_native_rate", n, n * 8 / ours, "Gbit/s");
        figure("unix_datagram", n, datagram, "ns");
        figure("pipe", n, piped, "ns");
        figure("memcpy", n, copy, "ns");
        figure("v4v_vs_unix", n, datagram / ours, "ratio");
        figure("v4v_vs_pipe", n, piped / ours, "ratio");
        figure("v4v_vs_memcpy", n, copy / ours, "ratio");
    }
}

/* There and back, one message in each direction. */
static void ping_pong(void)
{
    struct vt_ring back = vt_ring(a, PORT, V4V_DOMID_ANY, RING_LEN);
    const struct v4v_send_addr addr = {.dst = {.port = PORT, .domain = a->id}};
    const struct v4v_iov iov = {.iov_base = VT_BUF, .iov_len = 64};
    double best = 1e18;

    v4v_prepare(64);
    fixture_phys_put(b, VT_ADDR, &addr, sizeof(addr));
    fixture_phys_put(b, VT_IOV, &iov, sizeof(iov));
    for (unsigned round = 0; round < ROUNDS; round++) {
        double start = now_ns();

        for (unsigned i = 0; i < 10000; i++) {
            v4v_message(64);
            check(vt_op(b, V4VOP_sendv, VT_ADDR, VT_IOV, 1, 1) == 64, "back");
            vt_rx_set(&back, vt_tx(&back));
        }
        best = rv_min(best, (now_ns() - start) / 10000);
    }
    figure("v4v_ping_pong", 64, best, "ns");
    check(vt_unregister(&back) == 0, "unregister");
}

/* ---- Growth
 * --------------------------------------------------------------------- */

static void growth_figure(const char *name, uint32_t n)
{
    v4v_prepare(GROWTH_SIZE);
    figure(name, n, measure(v4v_message, GROWTH_SIZE), "ns");
}

static void grow_rules(void)
{
    const struct v4vtables_rule r = vt_rule(1000, 0, 2000, 0, false);
    const uint32_t steps[] = {0, 10, 100, 1000, 10000};
    uint32_t count = 0;

    for (unsigned i = 0; i < ARRAY_SIZE(steps); i++) {
        for (; count < steps[i]; count++) {
            check(v4v_rule_add(&r, 1) == 0, "rule");
        }
        growth_figure("v4v_rules", steps[i]);
    }
    v4v_rules_flush();
}

static void grow_domains(void)
{
    const uint32_t steps[] = {2, 8, 32, 64};
    uint32_t count = 2;

    for (unsigned i = 0; i < ARRAY_SIZE(steps); i++) {
        for (; count < steps[i]; count++) {
            (void)vt_domain(&(struct vt_setup){
                .id = (domid_t)(100 + count), .pages = 320, .vcpus = 1});
        }
        growth_figure("v4v_domains", steps[i]);
    }
}

/* All domains open rings in turn, the receiver among them. */
static void grow_rings(void)
{
    const uint32_t steps[] = {1, 64, 640, 10000};
    const struct v4v_limits limits = {4096, 128, 256, 0x2000000};
    struct domain *d = NULL;
    uint32_t count = 1;

    for (unsigned i = 0; i < ARRAY_SIZE(steps); i++) {
        for (; count < steps[i]; count++) {
            struct vt_ring r = {.at = VT_RING + 0x30000,
                                .port = 100 + count,
                                .partner = V4V_DOMID_ANY,
                                .len = 4032};

            d = d && domain_next(d) ? domain_next(d) : domain_lookup_from(0);
            r.d = d;
            r.at = d == b ? VT_RING + 0x80000 : VT_RING + 0x20000;
            check(v4v_limits_set(d, &limits) == 0, "limits");
            check(vt_register(&r) == 0, "register");
        }
        growth_figure("v4v_rings", steps[i]);
    }
}

static void ring_memory_find(void)
{
    mfn_t m = p2m_lookup(&b->p2m, gfn(VT_RING >> PAGE_SHIFT)).mfn;

    for (uint32_t i = 0; i < 64; i++) {
        check(p2m_lookup(&b->p2m, gfn((VT_RING >> PAGE_SHIFT) + i)).mfn.v ==
                  m.v + i,
              "the receiver's frames are scattered");
    }
    ring_memory = host_ptr(mfn_to_hpa(m));
}

int main(void)
{
    int room = 1 << 20;

    check(socketpair(AF_UNIX, SOCK_DGRAM, 0, unix_pair) == 0, "socketpair");
    setsockopt(unix_pair[0], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
    check(pipe(pipe_pair) == 0, "pipe");
    memset(from, 0x5a, sizeof(from));
    vt_machine_create(1);
    vt_detector_on = false;
    a = vt_domain_plain(10);
    b = vt_domain_plain(11);
    ring = vt_ring(b, PORT, V4V_DOMID_ANY, RING_LEN);
    ring_memory_find();
    compare();
    ping_pong();
    grow_rules();
    grow_domains();
    grow_rings();
    printf("\n}\n");
    return 0;
}
