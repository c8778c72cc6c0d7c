/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames of a domain through the console socket, and the search for the
 * machine that is meant.
 */
#include "channel.h"

#include <errno.h>
#include <glob.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "attach.h"

#define ANSWER_MS 5000

/* ---- Which machine ---------------------------------------------------- */

static bool is_running(const char *dir)
{
    int fd = attach_connect(dir);

    if (fd >= 0) {
        close(fd);
    }
    return fd >= 0;
}

static char *find_below(const char *build_dir)
{
    char *pattern = xprintf("%s/run/*/console.sock", build_dir);
    char *found = NULL;
    size_t count = 0;
    glob_t g;

    if (glob(pattern, 0, NULL, &g) == 0) {
        for (size_t i = 0; i < g.gl_pathc; i++) {
            char *dir = path_dir(g.gl_pathv[i]);

            if (is_running(dir)) {
                count++;
                free(found);
                found = dir;
            } else {
                free(dir);
            }
        }
        globfree(&g);
    }
    free(pattern);
    if (count == 1) {
        return found;
    }
    free(found);
    say(count == 0
            ? "no machine is running below %s/run\n"
              "  fix: start one with 'ravelin run', or name its directory "
              "with --machine"
            : "several machines are running below %s/run\n"
              "  fix: name the directory of one with --machine",
        build_dir);
    return NULL;
}

char *machine_find(const char *dir, const char *build_dir)
{
    if (dir == NULL) {
        return find_below(build_dir);
    }
    if (!is_running(dir)) {
        say("%s: no machine is running there\n"
            "  fix: start it with: ravelin run %s",
            dir, dir);
        return NULL;
    }
    return xstrdup(dir);
}

/* ---- Frames ----------------------------------------------------------- */

static bool send_all(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return false;
        }
        bytes += n;
        len -= (size_t)n;
    }
    return true;
}

bool channel_send(struct channel *c, const char *payload)
{
    char *line = xprintf("%s\n", payload);
    bool ok = send_all(c->fd, line, strlen(line));

    free(line);
    return ok;
}

/* Takes a line out of what has been read. Longer ones than any payload are
 * cut. */
static bool take_line(struct channel *c)
{
    char *end = c->in.len > 0 ? memchr(c->in.data, '\n', c->in.len) : NULL;
    size_t len;

    if (end == NULL) {
        return false;
    }
    len = (size_t)(end - c->in.data);
    if (len > FRAME_PAYLOAD_MAX) {
        len = FRAME_PAYLOAD_MAX;
    }
    memcpy(c->payload, c->in.data, len);
    c->payload[len] = '\0';
    queue_drop(&c->in, (size_t)(end - c->in.data) + 1);
    return true;
}

static int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* @return as channel_receive(), 1 meaning that there is more to look at. */
static int read_more(struct channel *c, int timeout_ms)
{
    struct pollfd p = {.fd = c->fd, .events = POLLIN};
    char bytes[4096];
    ssize_t n;
    int r = poll(&p, 1, timeout_ms);

    if (r <= 0) {
        return r < 0 && errno == EINTR ? 1 : 0;
    }
    n = read(c->fd, bytes, sizeof(bytes));
    if (n < 0 && errno == EINTR) {
        return 1;
    }
    if (n <= 0 || !queue_add(&c->in, bytes, (size_t)n, 1u << 20)) {
        return -1;
    }
    return 1;
}

int channel_receive(struct channel *c, int timeout_ms, const char **payload)
{
    int64_t end = now_ms() + timeout_ms;

    while (!take_line(c)) {
        int64_t left = end - now_ms();
        int r = read_more(c, timeout_ms < 0 ? -1 : left > 0 ? (int)left : 0);

        if (r <= 0) {
            return r;
        }
    }
    *payload = c->payload;
    return 1;
}

bool channel_open(struct channel *c, const char *dir, const char *domain,
                  char kind)
{
    char *greeting = xprintf("frames %c %s", kind, domain);
    const char *answer = NULL;
    bool ok = false;

    memset(c, 0, sizeof(*c));
    c->fd = attach_connect(dir);
    if (c->fd < 0) {
        say("%s: no machine is running there (%s)", dir, strerror(-c->fd));
    } else if (!channel_send(c, greeting) ||
               channel_receive(c, ANSWER_MS, &answer) <= 0) {
        say("%s: the machine does not answer", dir);
    } else if (strcmp(answer, "ok") != 0) {
        say("%s: %s", domain,
            strncmp(answer, "error ", 6) == 0 ? answer + 6 : answer);
    } else {
        ok = true;
    }
    free(greeting);
    if (!ok) {
        channel_close(c);
    }
    return ok;
}

void channel_close(struct channel *c)
{
    if (c->fd >= 0) {
        close(c->fd);
    }
    c->fd = -1;
    queue_free(&c->in);
}
