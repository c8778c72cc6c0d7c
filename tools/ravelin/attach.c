/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The socket of the consoles, server and client. A client that does not read
 * loses its connection, never the machine's time.
 */
#include "attach.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "frame.h"

#define SOCKET_NAME "console.sock"
#define CLIENT_QUEUE_MAX (256u << 10)
#define FRAMES_WORD "frames "
/* A payload and its newline; greetings are shorter. */
#define LINE_MAX_BYTES (FRAME_PAYLOAD_MAX + 1u)

/*
 * The address of the socket. It goes through an open directory, because paths
 * of sockets are limited to some hundred bytes and those of bundles are not.
 */
static int socket_address(const char *dir, struct sockaddr_un *addr)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0) {
        return -errno;
    }
    memset(addr, 0, sizeof(*addr));
    addr->sun_family = AF_UNIX;
    snprintf(addr->sun_path, sizeof(addr->sun_path), "/proc/self/fd/%d/%s", fd,
             SOCKET_NAME);
    return fd;
}

static int listen_at(const char *dir)
{
    struct sockaddr_un addr;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int dir_fd = socket_address(dir, &addr);
    int r = 0;
    mode_t mask = umask(0177);

    if (fd < 0 || dir_fd < 0) {
        r = fd < 0 ? -errno : dir_fd;
    } else if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) != 0 ||
               listen(fd, 4) != 0) {
        r = -errno;
    }
    umask(mask);
    if (dir_fd >= 0) {
        close(dir_fd);
    }
    if (r != 0 && fd >= 0) {
        close(fd);
    }
    return r != 0 ? r : fd;
}

bool attach_listen(struct attach *a, const char *dir)
{
    int probe = attach_connect(dir);

    for (size_t i = 0; i < ATTACH_CLIENTS_MAX; i++) {
        a->client[i].fd = -1;
    }
    a->listener = -1;
    if (probe >= 0) {
        close(probe);
        say("%s is running already", dir);
        return false;
    }
    a->path = path_join(dir, SOCKET_NAME);
    unlink(a->path); /* left over from a run that was killed */
    a->listener = listen_at(dir);
    if (a->listener < 0) {
        say("%s: %s", a->path, strerror(-a->listener));
        a->listener = -1;
        return false;
    }
    return true;
}

static void client_close(struct attach_client *c)
{
    close(c->fd);
    queue_free(&c->in);
    queue_free(&c->out);
    memset(c, 0, sizeof(*c));
    c->fd = -1;
}

static void client_send(struct attach_client *c, const char *bytes, size_t len)
{
    if (!queue_add(&c->out, bytes, len, CLIENT_QUEUE_MAX) ||
        !queue_flush(&c->out, c->fd)) {
        client_close(c);
    }
}

void attach_feed(struct attach *a, const char *name, const char *bytes,
                 size_t len)
{
    for (size_t i = 0; i < ATTACH_CLIENTS_MAX; i++) {
        struct attach_client *c = &a->client[i];

        if (c->fd >= 0 && c->is_attached && c->kind == 0 &&
            strcmp(c->name, name) == 0) {
            client_send(c, bytes, len);
        }
    }
}

void attach_frame(struct attach *a, const char *name, char kind,
                  const char *payload, size_t len)
{
    for (size_t i = 0; i < ATTACH_CLIENTS_MAX; i++) {
        struct attach_client *c = &a->client[i];

        if (c->fd < 0 || !c->is_attached || c->kind != kind ||
            strcmp(c->name, name) != 0) {
            continue;
        }
        client_send(c, payload, len);
        if (c->fd >= 0) {
            client_send(c, "\n", 1);
        }
    }
}

static void client_accept(struct attach *a)
{
    int fd = accept4(a->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    if (fd < 0) {
        return;
    }
    for (size_t i = 0; i < ATTACH_CLIENTS_MAX; i++) {
        if (a->client[i].fd < 0) {
            a->client[i].fd = fd;
            return;
        }
    }
    close(fd);
}

/* The first line: what is wanted. @return an error text, or NULL. */
static const char *client_greeting(const struct attach *a,
                                   struct attach_client *c, const char *line)
{
    const size_t word = sizeof(FRAMES_WORD) - 1;

    if (strncmp(line, FRAMES_WORD, word) == 0) {
        if (line[word] < 'a' || line[word] > 'z' || line[word + 1] != ' ') {
            return "frames of which kind?";
        }
        c->kind = line[word];
        line += word + 2;
    }
    if (strlen(line) >= ATTACH_NAME_MAX || !a->is_domain(a->ctx, line)) {
        return "there is no such domain";
    }
    memcpy(c->name, line, strlen(line) + 1);
    return NULL;
}

static void client_attach(struct attach *a, struct attach_client *c,
                          const char *line)
{
    const char *wrong = client_greeting(a, c, line);
    char answer[64];

    c->is_attached = wrong == NULL;
    snprintf(answer, sizeof(answer), "%s%s\n", wrong == NULL ? "ok" : "error ",
             wrong == NULL ? "" : wrong);
    client_send(c, answer, strlen(answer));
    if (c->fd >= 0 && wrong != NULL) {
        client_close(c);
    }
}

static void client_frame(struct attach *a, struct attach_client *c,
                         const char *payload, size_t len)
{
    char frame[FRAME_ROOM(FRAME_PAYLOAD_MAX)];
    size_t n = frame_encode(c->kind, payload, len, frame);

    if (n > 0) {
        a->on_input(a->ctx, c->name, frame, n);
    }
}

/* Works off complete lines: the greeting, then payloads. */
static void client_lines(struct attach *a, struct attach_client *c)
{
    char *end;

    while (c->fd >= 0 && (!c->is_attached || c->kind != 0) && c->in.len > 0 &&
           (end = memchr(c->in.data, '\n', c->in.len)) != NULL) {
        size_t len = (size_t)(end - c->in.data);

        *end = '\0';
        if (c->is_attached) {
            client_frame(a, c, c->in.data, len);
        } else {
            client_attach(a, c, c->in.data);
        }
        if (c->fd >= 0) {
            queue_drop(&c->in, len + 1);
        }
    }
}

static void client_read(struct attach *a, struct attach_client *c)
{
    char bytes[4096];
    ssize_t n = read(c->fd, bytes, sizeof(bytes));

    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    if (n <= 0 ||
        !queue_add(&c->in, bytes, (size_t)n, LINE_MAX_BYTES + sizeof(bytes))) {
        client_close(c);
        return;
    }
    client_lines(a, c);
    if (c->fd < 0) {
        return;
    }
    if (c->is_attached && c->kind == 0) {
        a->on_input(a->ctx, c->name, c->in.data, c->in.len);
        c->in.len = 0;
    } else if (c->in.len >= LINE_MAX_BYTES) {
        client_close(c);
    }
}

size_t attach_poll_fill(const struct attach *a, struct pollfd *fds)
{
    size_t n = 0;

    if (a->listener < 0) {
        return 0;
    }
    fds[n++] = (struct pollfd){.fd = a->listener, .events = POLLIN};
    for (size_t i = 0; i < ATTACH_CLIENTS_MAX; i++) {
        const struct attach_client *c = &a->client[i];
        short events = c->out.len > 0 ? POLLIN | POLLOUT : POLLIN;

        /* Free entries have descriptor -1, which poll() skips. */
        fds[n++] = (struct pollfd){.fd = c->fd, .events = events};
    }
    return n;
}

void attach_poll_done(struct attach *a, const struct pollfd *fds, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        struct attach_client *c = &a->client[i - 1];

        if (fds[i].fd < 0 || c->fd != fds[i].fd) {
            continue;
        }
        if ((fds[i].revents & POLLOUT) != 0 && !queue_flush(&c->out, c->fd)) {
            client_close(c);
            continue;
        }
        if ((fds[i].revents & (POLLIN | POLLHUP | POLLERR)) != 0) {
            client_read(a, c);
        }
    }
    if (count > 0 && (fds[0].revents & POLLIN) != 0) {
        client_accept(a);
    }
}

void attach_close(struct attach *a)
{
    for (size_t i = 0; i < ATTACH_CLIENTS_MAX; i++) {
        if (a->client[i].fd >= 0) {
            client_close(&a->client[i]);
        }
    }
    if (a->listener >= 0) {
        close(a->listener);
        unlink(a->path);
        a->listener = -1;
    }
    free(a->path);
    a->path = NULL;
}

int attach_connect(const char *dir)
{
    struct sockaddr_un addr;
    int dir_fd = socket_address(dir, &addr);
    int fd, r;

    if (dir_fd < 0) {
        return dir_fd;
    }
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    r = fd < 0 ? -errno : 0;
    if (r == 0 && connect(fd, (struct sockaddr *)&addr, sizeof(addr)) != 0) {
        r = -errno;
        close(fd);
    }
    close(dir_fd);
    return r != 0 ? r : fd;
}
