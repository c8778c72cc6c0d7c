/* SPDX-License-Identifier: MIT */
/*
 * v4v-cat: standard input and output to and from a program in another domain.
 */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "v4v_io.h"
#include "v4v_options.h"

#define CHUNK (256 * 1024)

struct settings {
    struct v4v_options shared;
    bool is_verbose;
    bool no_input;
    bool closes; /* at the end of input, without an answer */
    bool waits;  /* for the other side, even if it hears of no end */
    unsigned int partner;
    uint32_t ring_size;
    const char *word[2]; /* without options */
    unsigned int word_count;
    struct v4v_addr to; /* with -l only the port counts */
};

/* What has been read on one side and not written on the other. */
struct flow {
    int from, to;
    bool is_over; /* nothing more will be read */
    size_t start, end;
    unsigned long long bytes; /* written */
    uint8_t data[CHUNK];
};

static struct flow out, in;

static void words_take(struct settings *s, struct argp_state *state)
{
    const char *const *word = s->word;

    if (s->word_count != (s->shared.listens ? 1 : 2)) {
        argp_usage(state);
    }
    if (!s->shared.listens) {
        s->to.domain = (uint16_t)v4v_io_number_or_die("DOMAIN", *word++, 0,
                                                      V4V_DOMAIN_MAX);
    }
    s->to.port = (uint32_t)v4v_io_number_or_die("PORT", *word, 1, UINT32_MAX);
}

static error_t option_take(int key, char *arg, struct argp_state *state)
{
    struct settings *s = state->input;

    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &s->shared;
        return 0;
    case 'd':
        s->partner = (unsigned int)v4v_io_number_or_die("--domain", arg, 0,
                                                        V4V_DOMAIN_MAX);
        return 0;
    case 'c':
        s->closes = true;
        return 0;
    case 'w':
        s->waits = true;
        return 0;
    case 'n':
        s->no_input = true;
        return 0;
    case 'r':
        s->ring_size = (uint32_t)v4v_io_number_or_die("--ring", arg, 4000,
                                                      V4V_DEV_RING_MAX);
        return 0;
    case 'v':
        s->is_verbose = true;
        return 0;
    case ARGP_KEY_ARG:
        if (s->word_count == 2) {
            argp_usage(state);
        }
        s->word[s->word_count++] = arg;
        return 0;
    case ARGP_KEY_END:
        words_take(s, state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option options[] = {
    {"domain", 'd', "ID", 0, "With -l: only from this domain", 0},
    {"close", 'c', NULL, 0,
     "Close at the end of input, without waiting for an answer", 0},
    {"wait", 'w', NULL, 0,
     "Wait for the other side even if it cannot be told of the end of input "
     "(default with -l), instead of closing",
     0},
    {"no-input", 'n', NULL, 0,
     "Do not read standard input; go on until the other side ends", 0},
    {"ring", 'r', "BYTES", 0, "Size of the ring to receive in (default 1 MiB)",
     0},
    {"verbose", 'v', NULL, 0,
     "Tell of the connection and its rate on standard error", 0},
    {0},
};

static const struct argp argp = {
    .options = options,
    .parser = option_take,
    .args_doc = "DOMAIN PORT\n-l PORT",
    .doc =
        "Copies standard input to a program in another domain, and what it "
        "says to standard output, through a V4V stream. DOMAIN is the other's "
        "domain id.\v"
        "At the end of input the other side is told, and its answer is awaited "
        "to its end. If standard input is a terminal, the end of the other "
        "side is the end of both.\n\n"
        "Status: 0 the connection ended in order; 1 it failed or was refused; "
        "2 the command line is wrong.",
    .children = v4v_options_children,
};

static void settings_read(struct settings *s, int argc, char **argv)
{
    *s = (struct settings){.partner = V4V_DOMID_ANY};
    v4v_options_read(&argp, argc, argv, s);
    s->waits |= s->shared.listens;
}

static int listen_once(const struct settings *s, struct v4v_addr *peer)
{
    uint32_t port = s->to.port;
    int listener = v4v_io_listen(0, &port, s->partner, s->ring_size);
    int fd, error;

    if (listener < 0) {
        return -1;
    }
    fd = v4v_io_accept(listener, 0, peer);
    error = errno;
    close(listener);
    errno = error;
    return fd;
}

/* 1: something moved; 0: nothing to do now; -1: an error. */
static int flow_read(struct flow *f)
{
    ssize_t n;

    if (f->is_over || f->end > f->start) {
        return 0;
    }
    n = read(f->from, f->data, CHUNK);
    if (n < 0) {
        return errno == EAGAIN ? 0 : -1;
    }
    f->is_over = n == 0;
    f->start = 0;
    f->end = (size_t)n;
    return 1;
}

static int flow_write(struct flow *f)
{
    ssize_t n;

    if (f->end == f->start) {
        return 0;
    }
    n = write(f->to, f->data + f->start, f->end - f->start);
    if (n < 0) {
        return errno == EAGAIN ? 0 : -1;
    }
    f->start += (size_t)n;
    f->bytes += (size_t)n;
    return 1;
}

static bool flow_is_done(const struct flow *f)
{
    return f->is_over && f->end == f->start;
}

/* Both directions as far as it goes without waiting. 0, or -1 with errno. */
static int flows_move(void)
{
    int moved;

    do {
        int read_rc = flow_read(&in);
        int print_rc = read_rc < 0 ? -1 : flow_write(&in);
        int send_rc = print_rc < 0 ? -1 : flow_write(&out);

        if (send_rc < 0) {
            return -1;
        }
        moved = read_rc | print_rc | send_rc;
    } while (moved && !flow_is_done(&in));
    return 0;
}

/* What becomes of our side when all has been sent. */
enum out_end { OUT_SENDS, OUT_TOLD, OUT_CLOSES };

static enum out_end out_end;

static int out_finish(int stream, const struct settings *s)
{
    if (out_end != OUT_SENDS || !flow_is_done(&out)) {
        return 0;
    }
    if (s->closes) {
        out_end = OUT_CLOSES;
    } else if (v4v_io_shutdown(stream) == 0 || errno == EPIPE) {
        out_end = OUT_TOLD;
    } else if (errno == EOPNOTSUPP) {
        out_end = s->waits ? OUT_TOLD : OUT_CLOSES;
    } else if (errno != EAGAIN) {
        return -1;
    }
    return 0;
}

/* Whether the other side has closed, and not only ended what it says: errno is
 * why nothing can be sent any more. */
static bool stream_is_closed(int stream)
{
    struct v4v_dev_status status;

    if (v4v_io_status(stream, &status) != 0 || status.state != V4V_DEV_ENDED) {
        return false;
    }
    errno = status.error ? (int)status.error : EPIPE;
    return true;
}

/* 1: yes; 0: no; -1: something has not reached the other side. */
static int talk_is_over(int stream)
{
    if (out_end == OUT_CLOSES) {
        return 1;
    }
    if (!flow_is_done(&in)) {
        return 0;
    }
    if (out_end == OUT_TOLD) {
        return 1;
    }
    if (stream_is_closed(stream)) {
        return out.end > out.start || errno != EPIPE ? -1 : 1;
    }
    return out.end == out.start && isatty(STDIN_FILENO);
}

/* The stream does not wait, standard input and output may. */
static int wait_for_something(int stream)
{
    bool wants_input = !out.is_over && out.end == out.start;
    struct pollfd fds[] = {
        {.fd = stream, .events = in.is_over ? 0 : POLLIN},
        {.fd = wants_input ? STDIN_FILENO : -1, .events = POLLIN},
    };
    int rc;

    if (out.end > out.start || (out.is_over && out_end == OUT_SENDS)) {
        fds[0].events |= POLLOUT;
    }
    rc = poll(fds, 2, -1);
    if (rc < 0) {
        return errno == EINTR ? 0 : -1;
    }
    return fds[1].revents ? flow_read(&out) : 0;
}

/* Whoever reads what the other side says learns of its end. */
static void in_finish(void)
{
    if (in.to >= 0 && flow_is_done(&in)) {
        close(in.to);
        in.to = -1;
    }
}

/* To the end. 0, or -1 with errno. */
static int talk(int stream, const struct settings *s)
{
    int over = 0;

    while (!over) {
        if (flows_move() < 0 || out_finish(stream, s) < 0) {
            return -1;
        }
        in_finish();
        over = talk_is_over(stream);
        if (over == 0 && wait_for_something(stream) < 0) {
            return -1;
        }
    }
    return over < 0 ? -1 : 0;
}

static void rate_print(const char *what, unsigned long long bytes,
                       double seconds)
{
    if (bytes > 0) {
        fprintf(stderr, "v4v-cat: %s %llu bytes in %.2f s, %.1f MiB/s\n", what,
                bytes, seconds, (double)bytes / seconds / 1048576.0);
    }
}

static int run(const struct settings *s)
{
    struct v4v_addr peer = s->to;
    int stream = s->shared.listens ? listen_once(s, &peer)
                                   : v4v_io_connect(&s->to, s->ring_size,
                                                    s->shared.patience_ms);
    double start = v4v_io_now();
    int rc;

    if (stream < 0 || fcntl(stream, F_SETFL, O_NONBLOCK) != 0) {
        return -1;
    }
    if (s->is_verbose) {
        fprintf(stderr, "v4v-cat: connected to domain %u, port %u\n",
                peer.domain, peer.port);
    }
    in.from = stream;
    in.to = STDOUT_FILENO;
    out.from = STDIN_FILENO;
    out.to = stream;
    out.is_over = s->no_input;
    out_end = s->no_input ? OUT_TOLD : OUT_SENDS;
    rc = talk(stream, s);
    if (s->is_verbose) {
        double seconds = v4v_io_now() - start;

        rate_print("sent", out.bytes, seconds);
        rate_print("received", in.bytes, seconds);
    }
    return rc;
}

int main(int argc, char **argv)
{
    struct settings s;

    settings_read(&s, argc, argv);
    signal(SIGPIPE, SIG_IGN);
    if (run(&s) != 0) {
        fprintf(stderr, "v4v-cat: %s\n", v4v_io_error(errno));
        return 1;
    }
    return 0;
}
