/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The engine with threads as vCPUs, each on a CPU of its own, against a simple
 * model: what a send said it delivered arrives once, whole, and in the order of
 * its sender, whatever rings, rules and domains do meanwhile; who was told to
 * wait is told when there is room. Built with ThreadSanitizer as well.
 */
#include "v4v_fixture.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ravelin/quiesce.h"

#define PORT 9u
#define PLAYERS 4u
#define RING_LEN (512u * 1024 - 64)
#define OPERATIONS 30000u
#define LONG (V4V_SEND_PIECE + 5000u)

#define require(condition)                                                  \
    do {                                                                    \
        if (!(condition)) {                                                 \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
            abort();                                                        \
        }                                                                   \
    } while (0)

struct player {
    struct domain *d;
    struct vt_ring ring;
    unsigned cpu;
    uint64_t seed;
    uint32_t sent[PLAYERS];     /* to each; written by this player only */
    uint32_t received[PLAYERS]; /* from each */
    pthread_t thread;
};

static struct player player[PLAYERS];
static bool stop; /* atomic */

static uint32_t below(struct player *p, uint32_t n)
{
    p->seed = p->seed * 6364136223846793005UL + 1442695040888963407UL;
    return (uint32_t)(p->seed >> 33) % n;
}

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static uint32_t seed_of(uint32_t from, uint32_t to, uint32_t number)
{
    return from * 1000003 + to * 777 + number;
}

/* The length follows from the number, so a lost message shows at once. */
static uint32_t length_of(uint32_t seed)
{
    return seed % 97 == 0 ? LONG : 4 + seed % 700;
}

static void send_one(struct player *p)
{
    uint32_t to = below(p, PLAYERS);
    uint32_t from = (uint32_t)(p - player);
    uint32_t seed = seed_of(from, to, p->sent[to]);
    uint32_t n = length_of(seed);
    long rc = vt_send(p->d, from + 1, player[to].d->id, PORT, seed, n);

    if (rc == n) {
        p->sent[to]++;
    } else {
        require(rc == -RV_EAGAIN || rc == -RV_ECONNREFUSED);
    }
}

static void receive_one(struct player *p, struct vt_message *m)
{
    uint32_t to = (uint32_t)(p - player);
    uint32_t from, seed;

    if (!vt_take(&p->ring, m)) {
        return;
    }
    require(m->source.port >= 1 && m->source.port <= PLAYERS);
    from = m->source.port - 1;
    require(m->source.domain == player[from].d->id);
    seed = seed_of(from, to, p->received[from]);
    require(m->len == length_of(seed));
    for (uint32_t i = 0; i < rv_min(m->len, (uint32_t)sizeof(m->data)); i++) {
        require(m->data[i] == vt_byte(seed, i));
    }
    p->received[from]++;
    require(vt_notify(p->d) == 0);
}

static void ring_close_and_open(struct player *p)
{
    require(vt_unregister(&p->ring) == 0);
    require(vt_register_again(&p->ring) == 0);
}

/* An index that is garbage for a while. */
static void index_spoil(struct player *p)
{
    uint32_t rx = vt_rx(&p->ring);

    vt_rx_set(&p->ring, 0xfffffff0u + below(p, 16));
    require(vt_notify(p->d) == 0);
    vt_rx_set(&p->ring, rx);
}

static void rule_play(struct player *p)
{
    struct v4vtables_rule r =
        vt_rule((domid_t)(1000 + below(p, 4)), 0, V4V_DOMID_ANY, 0, false);

    require(v4v_rule_add(&r, below(p, 8)) == 0);
    (void)vt_ask(p->d, player[below(p, PLAYERS)].d->id, PORT, below(p, 9000),
                 NULL);
    require(v4v_rule_del_at(1) == 0);
}

static void play(struct player *p, struct vt_message *m)
{
    uint32_t what = below(p, 100);

    if (what < 45) {
        send_one(p);
    } else if (what < 94) {
        receive_one(p, m);
    } else if (what < 96) {
        ring_close_and_open(p);
    } else if (what < 98) {
        index_spoil(p);
    } else {
        rule_play(p);
    }
}

static void *player_run(void *arg)
{
    struct player *p = arg;
    struct vt_message *m = malloc(sizeof(*m));

    require(m);
    fixture_cpu_become(p->cpu);
    for (unsigned i = 0; i < OPERATIONS; i++) {
        play(p, m);
    }
    quiesce_idle();
    free(m);
    return NULL;
}

/* Domains that come, send, are sent to, and go. */
static void *mayfly_run(void *arg)
{
    struct player *p = arg;
    struct vt_setup s = {.id = 50, .pages = 320, .vcpus = 1};

    fixture_cpu_become(p->cpu);
    for (unsigned i = 0; !read_once(stop); i++) {
        struct domain *d = vt_domain(&s);
        struct vt_ring r = vt_ring(d, PORT, V4V_DOMID_ANY, 4032);

        for (unsigned k = 0; k < 20; k++) {
            (void)vt_send(d, 77, 50, PORT, k, 100);
            (void)vt_ask(d, player[k % PLAYERS].d->id, PORT, 100, NULL);
        }
        (void)r;
        while (domain_destroy(d) == -RV_ERESTART) {
            quiesce_point();
            sched_yield();
        }
        /* The id is free again when the domain is. */
        while (domain_lookup(50) || quiesce_pending_count() > 0) {
            quiesce_point();
            sched_yield();
        }
    }
    quiesce_idle();
    return NULL;
}

static void players_create(void)
{
    memset(player, 0, sizeof(player));
    write_once(stop, false);
    vt_machine_create(PLAYERS + 2);
    vt_detector_on = false;
    fake_time_auto_advance(5000);
    for (unsigned i = 0; i < PLAYERS; i++) {
        struct player *p = &player[i];

        p->d =
            vt_domain(&(struct vt_setup){.id = (domid_t)(10 + i), .vcpus = 1});
        p->ring = vt_ring(p->d, PORT, V4V_DOMID_ANY, RING_LEN);
        p->cpu = 1 + i;
        p->seed = i * 7919 + 1;
    }
}

static void messages_under_random_operations_follow_the_model(void **state)
{
    struct player mayfly = {.cpu = PLAYERS + 1};
    struct vt_message *m = malloc(sizeof(*m));
    uint32_t total = 0;

    (void)state;
    players_create();
    quiesce_idle();
    for (unsigned i = 0; i < PLAYERS; i++) {
        require(
            !pthread_create(&player[i].thread, NULL, player_run, &player[i]));
    }
    require(!pthread_create(&mayfly.thread, NULL, mayfly_run, &mayfly));
    for (unsigned i = 0; i < PLAYERS; i++) {
        pthread_join(player[i].thread, NULL);
    }
    write_once(stop, true);
    pthread_join(mayfly.thread, NULL);
    quiesce_resume();
    for (unsigned i = 0; i < PLAYERS; i++) {
        while (vt_tx(&player[i].ring) != vt_rx(&player[i].ring)) {
            receive_one(&player[i], m);
        }
    }
    for (unsigned to = 0; to < PLAYERS; to++) {
        for (unsigned from = 0; from < PLAYERS; from++) {
            assert_int_equal(player[to].received[from], player[from].sent[to]);
            total += player[from].sent[to];
        }
    }
    assert_true(total > OPERATIONS / 2);
    free(m);
    fake_time_auto_advance(0);
    vt_machine_destroy();
}

/* ---- Lost wake-ups
 * ------------------------------------------------------------ */

#define WAKE_MESSAGES 30000u
#define WAKE_SECONDS 20.0

/* A domain without rings: its only events are those about space. */
static void *waiter_run(void *arg)
{
    struct player *p = arg;

    fixture_cpu_become(p->cpu);
    vt_fill(p->d, VT_BUF, 1, 16);
    for (uint32_t i = 0; i < WAKE_MESSAGES; i++) {
        uint32_t n = i % 17;

        while (vt_send_at(p->d, 1, 10, PORT, VT_BUF, n) == -RV_EAGAIN) {
            double end = now() + WAKE_SECONDS;

            while (!vt_event_taken(p->d)) {
                require(now() < end); /* a wake-up was lost */
                quiesce_point();
                sched_yield();
            }
        }
    }
    quiesce_idle();
    return NULL;
}

/* With room for one message of one sender a lost wake-up ends everything. */
static void waiters_run(unsigned senders, uint32_t len)
{
    struct vt_message *m = malloc(sizeof(*m));
    struct domain *receiver;
    struct vt_ring r;
    uint32_t got = 0;

    memset(player, 0, sizeof(player));
    vt_machine_create(PLAYERS + 1);
    vt_detector_on = false;
    receiver = vt_domain(&(struct vt_setup){.id = 10, .vcpus = 1});
    r = vt_ring(receiver, PORT, V4V_DOMID_ANY, len);
    for (unsigned i = 0; i < senders; i++) {
        player[i].d =
            vt_domain(&(struct vt_setup){.id = (domid_t)(20 + i), .vcpus = 1});
        (void)vt_event_port(player[i].d);
        player[i].cpu = 1 + i;
        require(
            !pthread_create(&player[i].thread, NULL, waiter_run, &player[i]));
    }
    while (got < senders * WAKE_MESSAGES) {
        if (vt_take(&r, m)) {
            got++;
            require(vt_notify(receiver) == 0);
        } else {
            quiesce_point();
            sched_yield();
        }
    }
    quiesce_idle();
    for (unsigned i = 0; i < senders; i++) {
        pthread_join(player[i].thread, NULL);
    }
    quiesce_resume();
    assert_false(vt_take(&r, m));
    free(m);
    vt_machine_destroy();
}

static void waiter_alone_is_always_woken(void **state)
{
    (void)state;
    waiters_run(1, 48);
}

static void waiters_of_one_ring_are_always_woken(void **state)
{
    (void)state;
    waiters_run(3, 160);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_under_random_operations_follow_the_model),
        cmocka_unit_test(waiter_alone_is_always_woken),
        cmocka_unit_test(waiters_of_one_ring_are_always_woken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
