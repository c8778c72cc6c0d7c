/* SPDX-License-Identifier: MIT */
/*
 * Streams that end one way, with ourselves as the other side; with a datagram
 * endpoint that speaks the streams' protocol by hand as a peer that knows no
 * FIN; and with one that sends FIN when it should not.
 */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "v4v-test.h"
#include "v4v_io.h"

#define PORT 600
#define CONID 77
#define FLOOD 5000

static uint8_t block[300000], got[300000];

static uint32_t flags_of(int fd)
{
    struct v4v_dev_status status = {.flags = ~0u};

    CHECK_EQ(v4v_io_status(fd, &status), 0);
    return status.flags;
}

static void reads(int fd, const char *text)
{
    CHECK_EQ(read(fd, got, sizeof(got)), (long)strlen(text));
    CHECK(!memcmp(got, text, strlen(text)));
}

/* ---- Both sides as they should be ---------------------------------------- */

static void shutdown_ends_one_direction(void)
{
    struct pair p = pair_make(65536, O_NONBLOCK);

    CHECK_EQ(flags_of(p.here), V4V_DEV_KNOWS_FIN);
    CHECK_EQ(flags_of(p.there), V4V_DEV_KNOWS_FIN);
    CHECK_EQ(write(p.here, "request", 7), 7);
    CHECK_EQ(v4v_io_shutdown(p.here), 0);
    CHECK_EQ(v4v_io_shutdown(p.here), 0);
    CHECK_ERRNO(write(p.here, "x", 1), EPIPE);
    CHECK_EQ(flags_of(p.here), V4V_DEV_KNOWS_FIN | V4V_DEV_HAS_SHUT);
    reads(p.there, "request");
    CHECK_EQ(read(p.there, got, 1), 0);
    CHECK(polls(p.there, POLLIN | POLLOUT | POLLRDHUP, 0));
    CHECK_EQ(read(p.there, got, 1), 0);
    CHECK_EQ(flags_of(p.there), V4V_DEV_KNOWS_FIN | V4V_DEV_HAS_ENDED);
    CHECK(!polls(p.here, POLLIN, 0));
    CHECK_ERRNO(read(p.here, got, 1), EAGAIN);
    CHECK_EQ(write(p.there, "answer", 6), 6);
    CHECK(polls(p.here, POLLIN | POLLOUT, 1000));
    reads(p.here, "answer");
    CHECK_EQ(v4v_io_shutdown(p.there), 0);
    CHECK_EQ(read(p.here, got, 1), 0);
    CHECK(polls(p.here, POLLIN | POLLHUP, 0));
    CHECK(polls(p.there, POLLIN | POLLHUP, 0));
    pair_close(&p);
}

static void the_answer_survives_the_close(void)
{
    struct pair p = pair_make(0, 0);

    pattern_fill(block, sizeof(block), 1);
    CHECK_EQ(v4v_io_shutdown(p.here), 0);
    CHECK_EQ(read(p.there, got, 1), 0);
    CHECK(v4v_io_write_all(p.there, block, sizeof(block)));
    CHECK_EQ(v4v_io_shutdown(p.there), 0);
    close(p.there);
    CHECK(v4v_io_read_all(p.here, got, sizeof(got)));
    CHECK(pattern_is(got, sizeof(got), 1));
    CHECK_EQ(read(p.here, got, 1), 0);
    CHECK_ERRNO(write(p.here, got, 1), EPIPE);
    close(p.here);
}

static void shutdown_wakes_who_reads(void)
{
    struct pair p = pair_make(0, 0);
    int status = -1;
    pid_t pid = fork();

    if (pid == 0) {
        _exit(read(p.there, got, 1) == 0 ? 0 : 1);
    }
    usleep(100000);
    CHECK_EQ(v4v_io_shutdown(p.here), 0);
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK_EQ(status, 0);
    pair_close(&p);
}

static void shutdown_waits_for_room(void)
{
    struct pair p = pair_make(65536, O_NONBLOCK);
    int status = -1;
    pid_t pid;

    while (write(p.here, block, 1000) > 0 || write(p.here, block, 1) > 0) {
    }
    while (ioctl(p.here, V4V_IOC_PING) == 0) {
    }
    CHECK_ERRNO(v4v_io_shutdown(p.here), EAGAIN);
    CHECK(!(flags_of(p.here) & V4V_DEV_HAS_SHUT));
    CHECK(polls(p.here, 0, 50));
    CHECK_EQ(fcntl(p.here, F_SETFL, 0), 0);
    pid = fork();
    if (pid == 0) {
        _exit(v4v_io_shutdown(p.here) == 0 ? 0 : 1);
    }
    usleep(100000);
    CHECK_EQ(waitpid(pid, &status, WNOHANG), 0);
    CHECK_EQ(fcntl(p.there, F_SETFL, 0), 0);
    while (read(p.there, got, sizeof(got)) > 0) {
    }
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK_EQ(status, 0);
    CHECK(flags_of(p.here) & V4V_DEV_HAS_SHUT);
    pair_close(&p);
}

static void shutdown_after_the_end_is_epipe(void)
{
    struct pair p = pair_make(0, O_NONBLOCK);

    CHECK_EQ(write(p.there, "last", 4), 4);
    close(p.there);
    CHECK_ERRNO(v4v_io_shutdown(p.here), EPIPE);
    reads(p.here, "last");
    CHECK_EQ(read(p.here, got, 1), 0);
    CHECK_ERRNO(v4v_io_shutdown(p.here), EPIPE);
    close(p.here);
}

/* ---- A peer by hand ------------------------------------------------------ */

/* A stream of the module, whose peer is a datagram endpoint. */
struct hand {
    int stream, endpoint;
    struct v4v_addr to; /* the stream's ring */
    uint32_t conid;
};

static void hand_send(const struct hand *h, uint32_t flags, const void *data,
                      size_t size)
{
    struct v4v_stream_header head = {.flags = flags, .conid = h->conid};
    uint8_t message[64];
    struct v4v_dev_message m = {
        .addr = h->to,
        .type = V4V_MESSAGE_STREAM,
        .size = (uint32_t)(sizeof(head) + size),
        .data = (uintptr_t)message,
    };

    memcpy(message, &head, sizeof(head));
    memcpy(message + sizeof(head), data, size);
    CHECK_EQ(ioctl(h->endpoint, V4V_IOC_SEND, &m), (long)m.size);
}

static void says(const struct hand *h, uint32_t flags, const char *text)
{
    hand_send(h, flags, text, strlen(text));
}

/* The next message for the hand is a header with these flags, and `size` bytes
 * all in all. */
static void hears(const struct hand *h, uint32_t flags, long size)
{
    struct v4v_stream_header head = {.flags = ~0u};

    CHECK_EQ(v4v_io_receive(h->endpoint, NULL, got, sizeof(got)), size);
    memcpy(&head, got, sizeof(head));
    CHECK_EQ(head.flags, flags);
    CHECK_EQ(head.conid, h->conid);
}

static struct v4v_addr own(uint32_t port)
{
    return (struct v4v_addr){.port = port, .domain = (uint16_t)own_domain()};
}

/* The hand connects, with `features` of `size` bytes in its SYN; the answer has
 * as many. */
static struct hand hand_connect(uint32_t features, size_t size)
{
    uint32_t port = PORT, any = 0;
    int listener = v4v_io_listen(O_NONBLOCK, &port, V4V_DOMID_ANY, 65536);
    struct hand h = {.conid = CONID, .to = own(PORT)};
    struct v4v_dev_status status = {.state = 0};

    h.endpoint = v4v_io_bind(O_NONBLOCK, &any, V4V_DOMID_ANY);
    hand_send(&h, V4V_SHF_SYN, &features, size);
    h.stream = v4v_io_accept(listener, O_NONBLOCK, NULL);
    CHECK(h.stream >= 0);
    CHECK_EQ(v4v_io_status(h.stream, &status), 0);
    h.to = status.local;
    hears(&h, V4V_SHF_ACK, (long)(sizeof(struct v4v_stream_header) + size));
    close(listener);
    return h;
}

/* The module connects, and the hand has got its SYN. */
static struct hand hand_listen(const struct v4v_dev_connect *req)
{
    uint32_t port = PORT;
    struct hand h = {.stream = v4v_io_open(O_NONBLOCK)};
    struct v4v_stream_open syn = {.features = 0};

    h.endpoint = v4v_io_bind(O_NONBLOCK, &port, V4V_DOMID_ANY);
    CHECK_ERRNO(ioctl(h.stream, V4V_IOC_CONNECT, req), EINPROGRESS);
    CHECK_EQ(v4v_io_receive(h.endpoint, &h.to, &syn, sizeof(syn)), sizeof(syn));
    CHECK_EQ(syn.header.flags, V4V_SHF_SYN);
    CHECK_EQ(syn.features, V4V_STREAM_FIN);
    h.conid = syn.header.conid;
    return h;
}

static void hand_close(struct hand *h)
{
    close(h->stream);
    close(h->endpoint);
}

static void clients_that_know_no_fin_get_none(void)
{
    struct hand h = hand_connect(0, 0);

    CHECK_EQ(flags_of(h.stream), 0);
    CHECK_ERRNO(v4v_io_shutdown(h.stream), EOPNOTSUPP);
    CHECK_EQ(write(h.stream, "goes on", 7), 7);
    hears(&h, 0, 15);
    /* Nor do they send one that means anything. */
    says(&h, V4V_SHF_FIN, "");
    CHECK_ERRNO(read(h.stream, got, 1), EAGAIN);
    says(&h, 0, "data");
    reads(h.stream, "data");
    close(h.stream);
    hears(&h, V4V_SHF_RST, 8);
    close(h.endpoint);
}

static void servers_that_know_no_fin_get_none(void)
{
    struct v4v_dev_connect req = {.to = own(PORT)};
    struct hand h = hand_listen(&req);

    says(&h, V4V_SHF_ACK, "");
    CHECK_EQ(ioctl(h.stream, V4V_IOC_CONNECT, &req), 0);
    CHECK_EQ(flags_of(h.stream), 0);
    CHECK_ERRNO(v4v_io_shutdown(h.stream), EOPNOTSUPP);
    says(&h, V4V_SHF_FIN, "");
    says(&h, 0, "data");
    reads(h.stream, "data");
    hand_close(&h);
}

/* ---- A peer that misuses it ---------------------------------------------- */

static void fin_ends_once_and_for_all(void)
{
    struct hand h = hand_connect(V4V_STREAM_FIN, 4);
    struct v4v_dev_status status = {.unread = 1};
    unsigned int i;

    says(&h, 0, "before");
    says(&h, V4V_SHF_FIN, "within");
    says(&h, V4V_SHF_FIN, "");
    for (i = 0; i < 100; i++) {
        says(&h, 0, "after");
    }
    reads(h.stream, "before");
    CHECK_EQ(read(h.stream, got, sizeof(got)), 0);
    CHECK_EQ(v4v_io_status(h.stream, &status), 0);
    CHECK_EQ(status.unread, 0);
    says(&h, 0, "later");
    CHECK_EQ(read(h.stream, got, sizeof(got)), 0);
    CHECK_EQ(write(h.stream, "still", 5), 5);
    hears(&h, 0, 13);
    says(&h, V4V_SHF_PING, "");
    CHECK_EQ(read(h.stream, got, sizeof(got)), 0);
    hears(&h, V4V_SHF_PONG, 8);
    says(&h, V4V_SHF_RST, "");
    CHECK_EQ(read(h.stream, got, sizeof(got)), 0);
    CHECK_ERRNO(write(h.stream, "x", 1), EPIPE);
    hand_close(&h);
}

static void fin_of_others_is_nothing(void)
{
    struct hand h = hand_connect(V4V_STREAM_FIN, 4), other = h;
    uint32_t any = 0;

    other.endpoint = v4v_io_bind(O_NONBLOCK, &any, V4V_DOMID_ANY);
    says(&other, V4V_SHF_FIN, "");
    close(other.endpoint);
    other = h;
    other.conid++;
    says(&other, V4V_SHF_FIN, "");
    CHECK_ERRNO(read(h.stream, got, 1), EAGAIN);
    CHECK_EQ(flags_of(h.stream), V4V_DEV_KNOWS_FIN);
    says(&h, 0, "data");
    reads(h.stream, "data");
    hand_close(&h);
}

static void fin_is_no_request(void)
{
    uint32_t port = PORT, any = 0;
    int listener = v4v_io_listen(O_NONBLOCK, &port, V4V_DOMID_ANY, 0);
    struct hand h = {.conid = CONID, .to = own(PORT)};

    h.endpoint = v4v_io_bind(O_NONBLOCK, &any, V4V_DOMID_ANY);
    says(&h, V4V_SHF_FIN, "");
    says(&h, V4V_SHF_FIN | V4V_SHF_SYN, "");
    CHECK_ERRNO(v4v_io_accept(listener, 0, NULL), EAGAIN);
    close(listener);
    close(h.endpoint);
}

static void fin_is_no_answer(void)
{
    struct v4v_dev_connect req = {.to = own(PORT)};
    struct hand h = hand_listen(&req);
    uint32_t features = ~0u;

    CHECK_ERRNO(v4v_io_shutdown(h.stream), ENOTCONN);
    says(&h, V4V_SHF_FIN, "");
    CHECK_ERRNO(ioctl(h.stream, V4V_IOC_CONNECT, &req), EALREADY);
    hand_send(&h, V4V_SHF_ACK, &features, sizeof(features));
    CHECK_EQ(ioctl(h.stream, V4V_IOC_CONNECT, &req), 0);
    CHECK_EQ(flags_of(h.stream), V4V_DEV_KNOWS_FIN);
    CHECK_ERRNO(read(h.stream, got, 1), EAGAIN);
    hand_close(&h);
}

/* A process floods while we read, write and poll: each comes back. */
static void fin_flood_holds_up_nobody(void)
{
    struct hand h = hand_connect(V4V_STREAM_FIN, 4);
    int status = -1;
    pid_t pid = fork();
    unsigned int i;

    if (pid == 0) {
        CHECK_EQ(fcntl(h.endpoint, F_SETFL, 0), 0);
        for (i = 0; i < FLOOD; i++) {
            says(&h, i % 3 ? V4V_SHF_FIN : 0, "x");
        }
        _exit(failure_count ? 1 : 0);
    }
    CHECK_EQ(fcntl(h.stream, F_SETFL, 0), 0);
    while (read(h.stream, got, 1) == 1) {
    }
    for (i = 0; i < 100; i++) {
        CHECK_EQ(read(h.stream, got, 1), 0);
        CHECK(polls(h.stream, POLLIN | POLLRDHUP, 0));
    }
    CHECK_EQ(write(h.stream, "still here", 10), 10);
    while (waitpid(pid, &status, WNOHANG) == 0) {
        CHECK_EQ(read(h.stream, got, 1), 0);
    }
    CHECK_EQ(status, 0);
    hears(&h, 0, 18);
    hand_close(&h);
}

const struct test_case shutdown_cases[] = {
    {"shutdown_ends_one_direction", shutdown_ends_one_direction},
    {"the_answer_survives_the_close", the_answer_survives_the_close},
    {"shutdown_wakes_who_reads", shutdown_wakes_who_reads},
    {"shutdown_waits_for_room", shutdown_waits_for_room},
    {"shutdown_after_the_end_is_epipe", shutdown_after_the_end_is_epipe},
    {"clients_that_know_no_fin_get_none", clients_that_know_no_fin_get_none},
    {"servers_that_know_no_fin_get_none", servers_that_know_no_fin_get_none},
    {"fin_ends_once_and_for_all", fin_ends_once_and_for_all},
    {"fin_of_others_is_nothing", fin_of_others_is_nothing},
    {"fin_is_no_request", fin_is_no_request},
    {"fin_is_no_answer", fin_is_no_answer},
    {"fin_flood_holds_up_nobody", fin_flood_holds_up_nobody},
    {NULL, NULL},
};
