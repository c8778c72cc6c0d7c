/* SPDX-License-Identifier: MIT */
/*
 * Event channels between two domains. Both run this guest, with
 * `role=server peer=<domid>` and `role=client peer=<domid>`. The server opens
 * ports for the client, the client finds them, and the two play ping-pong;
 * then the client closes, and the server must see its port unbound again.
 *
 * Environments: all.
 */

#include "guest.h"

const char test_title[] = "evtchn-pair: event channels between two domains";

#define ROUNDS 1000
#define PORTS_TRIED 64
#define PATIENCE (20000 * MS)

static bool await(unsigned int port, uint64_t ns)
{
    uint64_t end = clock_ns() + ns;

    while (!event_is_pending(port)) {
        if (clock_ns() > end) {
            return false;
        }
        event_poll(port, clock_ns() + 100 * MS);
    }
    event_clear(port);
    return true;
}

static void server(unsigned int peer)
{
    long p = event_unbound(DOMID_SELF, peer), other;
    unsigned int i, port;

    if (!CHECK(p > 0)) {
        return;
    }
    port = (unsigned int)p;
    /* One more that is meant for this domain itself: not for the peer. */
    other = event_unbound(DOMID_SELF, DOMID_SELF);
    CHECK(other > 0);
    if (!CHECK(event_status_await(port, EVTCHNSTAT_interdomain, PATIENCE))) {
        return;
    }
    for (i = 0; i < ROUNDS; i++) {
        if (!CHECK(await(port, PATIENCE)) || !CHECK_EQ(event_send(port), 0)) {
            return;
        }
    }
    CHECK(event_status_await(port, EVTCHNSTAT_unbound, PATIENCE));
    CHECK_EQ(event_close(port), 0);
    printf("%u rounds served\n", i);
}

static void client(unsigned int peer)
{
    long p = event_find(peer, PORTS_TRIED, PATIENCE);
    unsigned int i, port = (unsigned int)p;

    if (!CHECK(p > 0)) {
        return;
    }
    /* The server has no second port for this domain. */
    for (i = 1; i < PORTS_TRIED; i++) {
        CHECK(event_interdomain(peer, i) < 0);
    }
    event_clear(port);
    for (i = 0; i < ROUNDS; i++) {
        if (!CHECK_EQ(event_send(port), 0) || !CHECK(await(port, PATIENCE))) {
            return;
        }
    }
    CHECK_EQ(event_close(port), 0);
    printf("%u rounds played\n", i);
}

void test_main(void)
{
    unsigned int peer = (unsigned int)cmdline_number("peer", 0xffff);
    const char *role = cmdline_value("role");

    if (!role || peer == 0xffff) {
        report_skip("needs role= and peer= on the command line");
    } else if (!strncmp(role, "server", 6)) {
        server(peer);
    } else {
        client(peer);
    }
}
