/* SPDX-License-Identifier: MIT */
/*
 * v4v-test: does /dev/v4v do what v4v_dev.h says? `local` talks to itself,
 * `server`, `client` and `barred` to the micro guest v4v-pair in another
 * domain.
 */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "v4v-test.h"
#include "v4v_io.h"

static const char usage_text[] =
    "usage: v4v-test local [CASE]\n"
    "       v4v-test server DOMAIN\n"
    "       v4v-test client DOMAIN\n"
    "       v4v-test barred DOMAIN\n"
    "       v4v-test domain\n"
    "\n"
    "Tests the module v4v: `local` within this domain, all cases or one;\n"
    "`server`, `client` and `barred` with the micro guest v4v-pair as the "
    "other in\n"
    "DOMAIN. `domain` prints this domain's id.\n"
    "\n"
    "Status: 0 all checks held; 1 not all; 2 the command line is wrong.\n";

unsigned int check_count, failure_count;

static bool told(bool ok)
{
    check_count++;
    failure_count += !ok;
    return ok;
}

bool check_true(bool ok, const char *text, const char *file, int line)
{
    if (!ok) {
        printf("FAILURE: %s:%d: %s\n", file, line, text);
    }
    return told(ok);
}

bool check_equal(long got, long want, const char *text, const char *file,
                 int line)
{
    if (got != want) {
        printf("FAILURE: %s:%d: %s is %ld, not %ld (errno %d)\n", file, line,
               text, got, want, errno);
    }
    return told(got == want);
}

bool check_errno(long got, int want, const char *text, const char *file,
                 int line)
{
    bool ok = got == -1 && errno == want;

    if (!ok) {
        printf("FAILURE: %s:%d: %s is %ld (errno %d, %s), not errno %d\n", file,
               line, text, got, errno, strerror(errno), want);
    }
    return told(ok);
}

unsigned int own_domain(void)
{
    static unsigned int id;
    struct v4v_dev_status status;
    uint32_t port = 0;
    int fd;

    if (id == 0) {
        fd = v4v_io_bind(0, &port, V4V_DOMID_ANY);
        if (fd < 0 || v4v_io_status(fd, &status) != 0) {
            fprintf(stderr, "v4v-test: %s\n", v4v_io_error(errno));
            exit(1);
        }
        id = status.local.domain;
        close(fd);
    }
    return id;
}

void pattern_fill(uint8_t *data, uint32_t size, uint32_t seed)
{
    uint32_t i;

    for (i = 0; i < size; i++) {
        data[i] = (uint8_t)(seed * 131 + i * 7 + (i >> 8) * 13);
    }
}

bool pattern_is(const uint8_t *data, uint32_t size, uint32_t seed)
{
    uint32_t i;

    for (i = 0; i < size; i++) {
        if (data[i] != (uint8_t)(seed * 131 + i * 7 + (i >> 8) * 13)) {
            return false;
        }
    }
    return true;
}

bool polls(int fd, short events, int ms)
{
    struct pollfd p = {.fd = fd, .events = POLLIN | POLLOUT};

    if (events) {
        p.events = events;
    }
    return poll(&p, 1, ms) == (events ? 1 : 0) &&
           (p.revents & events) == events;
}

struct pair pair_make(uint32_t ring_size, int flags)
{
    struct v4v_dev_connect req = {
        .to = {.domain = (uint16_t)own_domain()},
        .ring_size = ring_size,
    };
    struct pair p = {.here = -1, .there = -1};
    int listener = v4v_io_listen(0, &req.to.port, V4V_DOMID_ANY, ring_size);
    int fd = v4v_io_open(O_NONBLOCK);

    if (CHECK(listener >= 0) && CHECK(fd >= 0) &&
        CHECK_ERRNO(ioctl(fd, V4V_IOC_CONNECT, &req), EINPROGRESS)) {
        p.there = v4v_io_accept(listener, (uint32_t)flags, NULL);
        CHECK(p.there >= 0);
        CHECK(polls(fd, POLLOUT, 5000));
        CHECK_EQ(ioctl(fd, V4V_IOC_CONNECT, &req), 0);
        CHECK_EQ(fcntl(fd, F_SETFL, flags), 0);
        p.here = fd;
    }
    close(listener);
    return p;
}

void pair_close(struct pair *p)
{
    if (p->here >= 0) {
        close(p->here);
    }
    if (p->there >= 0) {
        close(p->there);
    }
}

static void cases_run(const struct test_case *c, const char *only)
{
    for (; c->name; c++) {
        unsigned int before = failure_count;

        if (only && strcmp(only, c->name) != 0) {
            continue;
        }
        /* A case that hangs is one that failed. */
        alarm(60);
        c->run();
        alarm(0);
        printf("%s - %s\n", failure_count == before ? "ok" : "not ok", c->name);
        fflush(stdout);
    }
}

/* A role with a peer; false: there is no such role. */
static bool pair_run(const char *role, const char *peer)
{
    static const struct {
        const char *name;
        void (*run)(unsigned int peer);
    } roles[] = {
        {"server", pair_server},
        {"client", pair_client},
        {"barred", pair_barred},
    };
    unsigned int i;

    for (i = 0; i < sizeof(roles) / sizeof(roles[0]); i++) {
        if (!strcmp(role, roles[i].name)) {
            roles[i].run(
                (unsigned int)v4v_io_number_or_die("DOMAIN", peer, 0, 0x7fef));
            return true;
        }
    }
    return false;
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";

    setvbuf(stdout, NULL, _IOLBF, 0);
    if (!strcmp(what, "-h") || !strcmp(what, "--help")) {
        fputs(usage_text, stdout);
        return 0;
    }
    if (!strcmp(what, "domain") && argc == 2) {
        printf("%u\n", own_domain());
        return 0;
    }
    if (!strcmp(what, "local") && argc <= 3) {
        cases_run(datagram_cases, argv[2]);
        cases_run(stream_cases, argv[2]);
        cases_run(shutdown_cases, argv[2]);
        cases_run(abuse_cases, argv[2]);
    } else if (argc != 3 || !pair_run(what, argv[2])) {
        fputs(usage_text, stderr);
        return 2;
    }
    printf("v4v-test: %u checks, %u failures\n", check_count, failure_count);
    return failure_count || !check_count ? 1 : 0;
}
