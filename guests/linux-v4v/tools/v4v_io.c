/* SPDX-License-Identifier: MIT */
/*
 * The calls of /dev/v4v, with names.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "v4v_io.h"

int v4v_io_open(int flags)
{
    return open(V4V_DEVICE, O_RDWR | flags);
}

static int close_with_error(int fd)
{
    int error = errno;

    close(fd);
    errno = error;
    return -1;
}

static int bind_with(int flags, unsigned long how, struct v4v_dev_bind *req)
{
    int fd = v4v_io_open(flags);

    if (fd >= 0 && ioctl(fd, how, req) != 0) {
        return close_with_error(fd);
    }
    return fd;
}

int v4v_io_bind(int flags, uint32_t *port, unsigned int partner)
{
    struct v4v_dev_bind req = {.port = *port, .partner = (uint16_t)partner};
    int fd = bind_with(flags, V4V_IOC_BIND, &req);

    *port = req.port;
    return fd;
}

int v4v_io_listen(int flags, uint32_t *port, unsigned int partner,
                  uint32_t ring_size)
{
    struct v4v_dev_bind req = {
        .port = *port,
        .partner = (uint16_t)partner,
        .ring_size = ring_size,
    };
    int fd = bind_with(flags, V4V_IOC_LISTEN, &req);

    *port = req.port;
    return fd;
}

int v4v_io_accept(int listener, uint32_t flags, struct v4v_addr *peer)
{
    struct v4v_dev_accept req = {.flags = flags};
    int fd = ioctl(listener, V4V_IOC_ACCEPT, &req);

    if (fd >= 0 && peer) {
        *peer = req.peer;
    }
    return fd;
}

static int connect_once(const struct v4v_addr *to, uint32_t ring_size)
{
    struct v4v_dev_connect req = {.to = *to, .ring_size = ring_size};
    int fd = v4v_io_open(0);

    if (fd >= 0 && ioctl(fd, V4V_IOC_CONNECT, &req) != 0) {
        return close_with_error(fd);
    }
    return fd;
}

int v4v_io_connect(const struct v4v_addr *to, uint32_t ring_size,
                   unsigned int patience_ms)
{
    const struct timespec pause = {.tv_nsec = V4V_RETRY_MS * 1000000};
    double until = v4v_io_now() + patience_ms / 1e3;
    int fd;

    for (;;) {
        fd = connect_once(to, ring_size);
        if (fd >= 0 || errno != ECONNREFUSED || v4v_io_now() >= until) {
            return fd;
        }
        nanosleep(&pause, NULL);
    }
}

long v4v_io_send(int fd, const struct v4v_addr *to, const void *data,
                 size_t size)
{
    struct v4v_dev_message m = {
        .addr = *to,
        .type = V4V_MESSAGE_DGRAM,
        .size = (uint32_t)size,
        .data = (uintptr_t)data,
    };

    return ioctl(fd, V4V_IOC_SEND, &m);
}

long v4v_io_receive(int fd, struct v4v_addr *from, void *data, size_t size)
{
    struct v4v_dev_message m = {
        .size = (uint32_t)size,
        .data = (uintptr_t)data,
    };
    long rc = ioctl(fd, V4V_IOC_RECEIVE, &m);

    if (rc >= 0 && from) {
        *from = m.addr;
    }
    return rc;
}

int v4v_io_shutdown(int fd)
{
    return ioctl(fd, V4V_IOC_SHUTDOWN);
}

int v4v_io_status(int fd, struct v4v_dev_status *status)
{
    return ioctl(fd, V4V_IOC_STATUS, status);
}

bool v4v_io_read_all(int fd, void *data, size_t size)
{
    uint8_t *to = data;

    while (size > 0) {
        ssize_t n = read(fd, to, size);

        if (n <= 0) {
            errno = n == 0 ? 0 : errno;
            return false;
        }
        to += n;
        size -= (size_t)n;
    }
    return true;
}

bool v4v_io_write_all(int fd, const void *data, size_t size)
{
    const uint8_t *from = data;

    while (size > 0) {
        ssize_t n = write(fd, from, size);

        if (n < 0) {
            return false;
        }
        from += n;
        size -= (size_t)n;
    }
    return true;
}

double v4v_io_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

unsigned long v4v_io_number_or_die(const char *what, const char *text,
                                   unsigned long min, unsigned long max)
{
    unsigned long value;
    char *end;

    errno = 0;
    value = strtoul(text, &end, 0);
    if (errno || end == text || *end != '\0' || text[0] == '-' || value < min ||
        value > max) {
        fprintf(stderr, "%s: not a number from %lu to %lu: %s\n", what, min,
                max, text);
        exit(2);
    }
    return value;
}

const char *v4v_io_error(int error)
{
    switch (error) {
    case 0:
        return "the other side has closed";
    case ENOENT:
        return "no " V4V_DEVICE ": is the module v4v loaded?";
    case ECONNREFUSED:
        return "connection refused: nobody listens there, or a rule denies it";
    case ECONNRESET:
        return "connection reset: the other domain is gone";
    case EPIPE:
        return "the other side has closed the connection";
    case ENOSPC:
        return "no more rings: the domain's quota is used up";
    default:
        return strerror(error);
    }
}
