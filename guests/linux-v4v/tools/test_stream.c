/* SPDX-License-Identifier: MIT */
/*
 * Streams within one domain.
 */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "v4v-test.h"
#include "v4v_io.h"

#define PORT 400
#define RECORD 1000
#define RECORDS 300
#define WRITERS 4

static uint8_t block[300000], got[300000];

static struct v4v_addr own(uint32_t port)
{
    return (struct v4v_addr){.port = port, .domain = (uint16_t)own_domain()};
}

static pid_t child_begin(void)
{
    pid_t pid = fork();

    if (pid == 0) {
        failure_count = 0;
    }
    return pid;
}

/* Ends a child's work: its checks count only as its status. */
static void child_end(void)
{
    _exit(failure_count ? 1 : 0);
}

static void child_await(pid_t pid)
{
    int status = -1;

    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK_EQ(status, 0);
}

static void both_directions_at_once(void)
{
    struct pair p = pair_make(0, 0);
    unsigned int i;
    pid_t pid = child_begin();

    for (i = 0; i < 40; i++) {
        uint32_t size = 1 + i * 6733 % sizeof(block);

        pattern_fill(block, size, i);
        if (pid == 0) {
            CHECK(v4v_io_write_all(p.there, block, size));
            CHECK(v4v_io_read_all(p.there, got, size));
        } else {
            CHECK(v4v_io_write_all(p.here, block, size));
            CHECK(v4v_io_read_all(p.here, got, size));
        }
        CHECK(pattern_is(got, size, i));
    }
    if (pid == 0) {
        child_end();
    }
    child_await(pid);
    close(p.there);
    CHECK_EQ(read(p.here, got, 1), 0);
    CHECK_EQ(read(p.here, got, 1), 0);
    CHECK_ERRNO(write(p.here, got, 1), EPIPE);
    CHECK(polls(p.here, POLLIN | POLLHUP, 0));
    close(p.here);
}

static void connecting_to_nobody_is_refused(void)
{
    struct v4v_addr nobody = own(PORT + 9);
    struct v4v_dev_connect req = {.to = nobody};
    int fd = v4v_io_open(0);
    struct v4v_dev_status status;

    CHECK_ERRNO(ioctl(fd, V4V_IOC_CONNECT, &req), ECONNREFUSED);
    CHECK_EQ(v4v_io_status(fd, &status), 0);
    CHECK_EQ(status.state, V4V_DEV_ENDED);
    CHECK_EQ(status.error, ECONNREFUSED);
    CHECK_ERRNO(ioctl(fd, V4V_IOC_CONNECT, &req), ECONNREFUSED);
    CHECK_ERRNO(read(fd, got, 1), ECONNREFUSED);
    CHECK_ERRNO(write(fd, got, 1), ECONNREFUSED);
    close(fd);
}

static void listeners_may_not_answer(void)
{
    uint32_t port = PORT;
    int listener = v4v_io_listen(0, &port, V4V_DOMID_ANY, 0);
    struct v4v_dev_connect req = {.to = own(PORT), .timeout_ms = 200};
    int late = v4v_io_open(0), waiting = v4v_io_open(O_NONBLOCK);

    CHECK_ERRNO(ioctl(late, V4V_IOC_CONNECT, &req), ETIMEDOUT);
    CHECK_ERRNO(ioctl(waiting, V4V_IOC_CONNECT, &req), EINPROGRESS);
    CHECK_ERRNO(ioctl(waiting, V4V_IOC_CONNECT, &req), EALREADY);
    CHECK_ERRNO(write(waiting, got, 1), ENOTCONN);
    CHECK(polls(waiting, 0, 50));
    CHECK(polls(listener, POLLIN, 0));
    /* Who waits to be accepted is told, and not left to wait. */
    close(listener);
    CHECK(polls(waiting, POLLIN | POLLOUT | POLLERR, 2000));
    CHECK_ERRNO(ioctl(waiting, V4V_IOC_CONNECT, &req), ECONNREFUSED);
    close(late);
    close(waiting);
}

/* Who gave up connecting is not accepted. */
static void accept_passes_over_the_gone(void)
{
    uint32_t port = PORT;
    int listener = v4v_io_listen(O_NONBLOCK, &port, V4V_DOMID_ANY, 0);
    struct v4v_dev_connect req = {.to = own(PORT)};
    int i;

    for (i = 0; i < 5; i++) {
        int fd = v4v_io_open(O_NONBLOCK);

        CHECK_ERRNO(ioctl(fd, V4V_IOC_CONNECT, &req), EINPROGRESS);
        close(fd);
    }
    CHECK_ERRNO(v4v_io_accept(listener, 0, NULL), EAGAIN);
    close(listener);
}

/* A listener that closes right after it has accepted: the answer counts. */
static void listening_once_is_enough(void)
{
    int i;

    for (i = 0; i < 60 && failure_count == 0; i++) {
        uint32_t port = PORT;
        int listener = v4v_io_listen(0, &port, own_domain(), 65536);
        pid_t pid = child_begin();
        struct v4v_addr to = own(PORT);
        int fd;

        if (pid == 0) {
            fd = v4v_io_connect(&to, 65536, 0);
            CHECK(fd >= 0);
            CHECK(v4v_io_write_all(fd, "x", 1));
            child_end();
        }
        fd = v4v_io_accept(listener, 0, NULL);
        close(listener);
        CHECK(v4v_io_read_all(fd, got, 1));
        CHECK_EQ(read(fd, got, 1), 0);
        close(fd);
        child_await(pid);
    }
}

static uint32_t fill_until_full(int fd)
{
    uint32_t sent = 0;
    ssize_t n;

    do {
        pattern_fill(block, RECORD, sent / RECORD);
        n = write(fd, block, RECORD);
        sent += n > 0 ? (uint32_t)n : 0;
    } while (n == RECORD && sent < 64u << 20);
    CHECK_EQ(errno, EAGAIN);
    return sent;
}

static void records_read(int fd, uint32_t from, uint32_t to)
{
    for (; from < to; from += RECORD) {
        if (!CHECK(v4v_io_read_all(fd, got, RECORD)) ||
            !CHECK(pattern_is(got, RECORD, from / RECORD))) {
            return;
        }
    }
}

static void slow_readers_hold_writers_up(void)
{
    struct pair p = pair_make(65536, O_NONBLOCK);
    uint32_t first = fill_until_full(p.here), second;

    CHECK(first > 50000 && first < 70000);
    CHECK(polls(p.here, 0, 150));
    records_read(p.there, 0, first / 2 / RECORD * RECORD);
    CHECK(polls(p.here, POLLOUT, 2000));
    records_read(p.there, first / 2 / RECORD * RECORD, first);
    second = fill_until_full(p.here);
    CHECK(second > 50000);
    records_read(p.there, 0, second);
    CHECK_ERRNO(read(p.there, got, 1), EAGAIN);
    pair_close(&p);
}

/* There is no room for the end either; it comes when there is. */
static void the_end_comes_after_all_data(void)
{
    struct pair p = pair_make(65536, O_NONBLOCK);
    uint32_t sent = fill_until_full(p.here);

    while (write(p.here, block, 1) == 1) {
    }
    close(p.here);
    CHECK_EQ(fcntl(p.there, F_SETFL, 0), 0);
    records_read(p.there, 0, sent);
    while (read(p.there, got, 1) == 1) {
    }
    CHECK_EQ(read(p.there, got, 1), 0);
    close(p.there);
}

static void blocked_writers_are_told_of_the_end(void)
{
    struct pair p = pair_make(65536, 0);
    pid_t pid = child_begin();

    if (pid == 0) {
        close(p.there);
        while (v4v_io_write_all(p.here, block, sizeof(block))) {
        }
        CHECK(errno == EPIPE);
        child_end();
    }
    close(p.here);
    usleep(100000);
    close(p.there);
    child_await(pid);
}

static void writer_run(int fd, uint8_t name)
{
    uint32_t i;

    for (i = 0; i < RECORDS; i++) {
        pattern_fill(block, RECORD, i);
        block[0] = name;
        block[1] = (uint8_t)(i >> 8);
        block[2] = (uint8_t)i;
        CHECK(v4v_io_write_all(fd, block, RECORD));
    }
    child_end();
}

/* One file, several processes: records stay whole and in order. */
static void writers_share_a_stream(void)
{
    struct pair p = pair_make(65536, 0);
    uint32_t next[WRITERS] = {0}, i;
    pid_t pid[WRITERS];

    for (i = 0; i < WRITERS; i++) {
        pid[i] = child_begin();
        if (pid[i] == 0) {
            writer_run(p.here, (uint8_t)i);
        }
    }
    for (i = 0; i < WRITERS * RECORDS; i++) {
        uint32_t number;

        if (!CHECK(v4v_io_read_all(p.there, got, RECORD)) ||
            !CHECK(got[0] < WRITERS)) {
            break;
        }
        number = got[1] * 256u + got[2];
        CHECK_EQ(number, next[got[0]]);
        next[got[0]] = number + 1;
    }
    for (i = 0; i < WRITERS; i++) {
        child_await(pid[i]);
    }
    pair_close(&p);
}

static void signal_ignore(int signal_number)
{
    (void)signal_number;
}

static void signals_interrupt_waiting(void)
{
    struct sigaction action = {.sa_handler = signal_ignore}, old;
    struct pair p = pair_make(65536, 0);
    pid_t parent = getpid(), pid;

    sigaction(SIGUSR1, &action, &old);
    pid = child_begin();
    if (pid == 0) {
        usleep(100000);
        kill(parent, SIGUSR1);
        usleep(100000);
        kill(parent, SIGUSR1);
        _exit(0);
    }
    CHECK_ERRNO(read(p.here, got, 1), EINTR);
    while (v4v_io_write_all(p.here, block, RECORD)) {
    }
    CHECK_EQ(errno, EINTR);
    child_await(pid);
    sigaction(SIGUSR1, &old, NULL);
    pair_close(&p);
}

static void pings_are_answered(void)
{
    struct pair p = pair_make(0, O_NONBLOCK);
    struct v4v_dev_status status;

    CHECK_EQ(ioctl(p.here, V4V_IOC_PING), 0);
    CHECK_EQ(ioctl(p.here, V4V_IOC_PING), 0);
    /* Seen by nobody but the module. */
    CHECK(!polls(p.there, POLLIN, 0));
    CHECK(!polls(p.here, POLLIN, 0));
    CHECK_EQ(v4v_io_status(p.here, &status), 0);
    CHECK(status.pongs >= 1);
    CHECK_EQ(status.unread, 0);
    pair_close(&p);
}

static void killed_processes_leave_nothing(void)
{
    int i;

    for (i = 0; i < 40; i++) {
        struct pair p = pair_make(16 * 4096, 0);
        pid_t pid = child_begin();

        if (pid == 0) {
            close(p.there);
            for (;;) {
                if (i % 2) {
                    v4v_io_write_all(p.here, block, sizeof(block));
                } else {
                    v4v_io_read_all(p.here, block, sizeof(block));
                }
            }
        }
        close(p.here);
        usleep(2000);
        kill(pid, SIGKILL);
        CHECK_EQ(waitpid(pid, NULL, 0), pid);
        while (read(p.there, got, sizeof(got)) > 0) {
        }
        CHECK_EQ(read(p.there, got, sizeof(got)), 0);
        close(p.there);
    }
}

static void connections_come_and_go(void)
{
    int i;

    for (i = 0; i < 300; i++) {
        struct pair p = pair_make(4096, 0);

        CHECK(v4v_io_write_all(p.here, "x", 1));
        CHECK(v4v_io_read_all(p.there, got, 1));
        pair_close(&p);
        if (failure_count) {
            return;
        }
    }
}

const struct test_case stream_cases[] = {
    {"both_directions_at_once", both_directions_at_once},
    {"connecting_to_nobody_is_refused", connecting_to_nobody_is_refused},
    {"listeners_may_not_answer", listeners_may_not_answer},
    {"accept_passes_over_the_gone", accept_passes_over_the_gone},
    {"listening_once_is_enough", listening_once_is_enough},
    {"slow_readers_hold_writers_up", slow_readers_hold_writers_up},
    {"the_end_comes_after_all_data", the_end_comes_after_all_data},
    {"blocked_writers_are_told_of_the_end",
     blocked_writers_are_told_of_the_end},
    {"writers_share_a_stream", writers_share_a_stream},
    {"signals_interrupt_waiting", signals_interrupt_waiting},
    {"pings_are_answered", pings_are_answered},
    {"killed_processes_leave_nothing", killed_processes_leave_nothing},
    {"connections_come_and_go", connections_come_and_go},
    {NULL, NULL},
};
