/* SPDX-License-Identifier: MIT */
/*
 * v4v-cat: standard input and output to and from a program in another domain.
 */

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "v4v_io.h"

#define CHUNK (256 * 1024)

static const char usage_text[] =
    "usage: v4v-cat [OPTION]... DOMAIN PORT\n"
    "       v4v-cat -l [OPTION]... PORT\n"
    "\n"
    "Copies standard input to a program in another domain, and what it says "
    "to\n"
    "standard output, through a V4V stream. DOMAIN is the other's domain id.\n"
    "\n"
    "  -l, --listen        wait for one connection instead of making one\n"
    "  -d, --domain=ID     with -l: only from this domain\n"
    "  -c, --close         close at the end of input (default without -l)\n"
    "  -w, --wait          go on until the other side closes (default with "
    "-l)\n"
    "  -n, --no-input      do not read standard input; implies --wait\n"
    "  -p, --patience=MS   try again so long while the connection is refused\n"
    "  -r, --ring=BYTES    size of the ring to receive in (default 1 MiB)\n"
    "  -v, --verbose       tell of the connection and its rate on standard "
    "error\n"
    "  -h, --help          this text\n"
    "\n"
    "Status: 0 the connection ended in order; 1 it failed or was refused;\n"
    "2 the command line is wrong.\n";

static const struct option long_options[] = {
    {"listen", no_argument, NULL, 'l'},
    {"domain", required_argument, NULL, 'd'},
    {"close", no_argument, NULL, 'c'},
    {"wait", no_argument, NULL, 'w'},
    {"no-input", no_argument, NULL, 'n'},
    {"patience", required_argument, NULL, 'p'},
    {"ring", required_argument, NULL, 'r'},
    {"verbose", no_argument, NULL, 'v'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

struct settings {
    bool listens;
    bool is_verbose;
    bool no_input;
    int closes; /* at the end of input; -1: not said */
    unsigned int partner;
    unsigned int patience_ms;
    uint32_t ring_size;
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

static void usage_exit(int status)
{
    fputs(usage_text, status ? stderr : stdout);
    exit(status);
}

static void option_take(struct settings *s, int c)
{
    switch (c) {
    case 'l':
        s->listens = true;
        break;
    case 'd':
        s->partner =
            (unsigned int)v4v_io_number_or_die("--domain", optarg, 0, 0x7fef);
        break;
    case 'c':
    case 'w':
        s->closes = c == 'c';
        break;
    case 'n':
        s->no_input = true;
        break;
    case 'p':
        s->patience_ms = (unsigned int)v4v_io_number_or_die("--patience",
                                                            optarg, 0, 3600000);
        break;
    case 'r':
        s->ring_size = (uint32_t)v4v_io_number_or_die("--ring", optarg, 4000,
                                                      V4V_DEV_RING_MAX);
        break;
    case 'v':
        s->is_verbose = true;
        break;
    default:
        usage_exit(c == 'h' ? 0 : 2);
    }
}

static void settings_read(struct settings *s, int argc, char **argv)
{
    int c;

    *s = (struct settings){.closes = -1, .partner = V4V_DOMID_ANY};
    while ((c = getopt_long(argc, argv, "ld:cwnp:r:vh", long_options, NULL)) !=
           -1) {
        option_take(s, c);
    }
    if (argc - optind != (s->listens ? 1 : 2)) {
        usage_exit(2);
    }
    if (!s->listens) {
        s->to.domain =
            (uint16_t)v4v_io_number_or_die("DOMAIN", argv[optind++], 0, 0x7fef);
    }
    s->to.port =
        (uint32_t)v4v_io_number_or_die("PORT", argv[optind], 1, UINT32_MAX);
    if (s->closes < 0) {
        s->closes = !s->listens;
    }
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

/* The stream does not wait, standard input and output may. */
static int wait_for_something(int stream)
{
    bool wants_input = !out.is_over && out.end == out.start;
    struct pollfd fds[] = {
        {.fd = stream, .events = POLLIN},
        {.fd = wants_input ? STDIN_FILENO : -1, .events = POLLIN},
    };
    int rc;

    if (out.end > out.start) {
        fds[0].events |= POLLOUT;
    }
    rc = poll(fds, 2, -1);
    if (rc < 0) {
        return errno == EINTR ? 0 : -1;
    }
    return fds[1].revents ? flow_read(&out) : 0;
}

/* Until one side has closed. 0, or -1 with errno. */
static int talk(int stream, bool closes)
{
    while (!flow_is_done(&in) && !(closes && flow_is_done(&out))) {
        int moved;

        if (wait_for_something(stream) < 0) {
            return -1;
        }
        do {
            int read_rc = flow_read(&in);
            int print_rc = read_rc < 0 ? -1 : flow_write(&in);
            int send_rc = print_rc < 0 ? -1 : flow_write(&out);

            if (send_rc < 0) {
                return -1;
            }
            moved = read_rc | print_rc | send_rc;
        } while (moved && !flow_is_done(&in));
    }
    return 0;
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
    int stream = s->listens
                     ? listen_once(s, &peer)
                     : v4v_io_connect(&s->to, s->ring_size, s->patience_ms);
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
    rc = talk(stream, s->closes && !s->no_input);
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
