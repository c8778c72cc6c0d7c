/* SPDX-License-Identifier: MIT */
/*
 * v4v-perf: how fast streams between two domains are. For each size: the rate
 * at which messages of this size go through, and how long one takes there and
 * back.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "v4v_io.h"
#include "v4v_options.h"

#define PORT_DEFAULT 5201
#define SIZE_MAX_BLOCK (1024 * 1024)
#define SIZES_MAX 32
#define PINGS_MAX 100000
#define WARM_UP 8
#define MAGIC 0x66703476u

struct settings {
    struct v4v_options shared;
    bool is_once, is_json;
    uint32_t port;
    unsigned int domain;
    unsigned int word_count; /* without options */
    unsigned long bytes, pings;
    size_t size[SIZES_MAX];
    unsigned int size_count;
};

enum { WHAT_RATE, WHAT_ECHO };

/* What a client asks for; an answer of the same form closes a rate. */
struct request {
    uint32_t magic;
    uint32_t what;
    uint32_t size;
    uint32_t count;
};

struct result {
    size_t size;
    uint32_t count;
    double seconds;
    double median_us, p99_us;
};

static uint8_t block[SIZE_MAX_BLOCK];

static void sizes_take(struct settings *s, char *list)
{
    char *word;

    s->size_count = 0;
    for (word = strtok(list, ","); word; word = strtok(NULL, ",")) {
        if (s->size_count == SIZES_MAX) {
            fprintf(stderr, "--sizes: more than %d\n", SIZES_MAX);
            exit(2);
        }
        s->size[s->size_count++] =
            v4v_io_number_or_die("--sizes", word, 1, SIZE_MAX_BLOCK);
    }
}

static error_t option_take(int key, char *arg, struct argp_state *state)
{
    struct settings *s = state->input;

    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &s->shared;
        return 0;
    case '1':
        s->is_once = true;
        return 0;
    case 'P':
        s->port = (uint32_t)v4v_io_number_or_die("--port", arg, 1, UINT32_MAX);
        return 0;
    case 's':
        sizes_take(s, arg);
        return 0;
    case 'b':
        s->bytes = v4v_io_number_or_die("--bytes", arg, 1, 1ul << 40);
        return 0;
    case 'n':
        s->pings = v4v_io_number_or_die("--pings", arg, 1, PINGS_MAX);
        return 0;
    case 'j':
        s->is_json = true;
        return 0;
    case ARGP_KEY_ARG:
        s->domain = (unsigned int)v4v_io_number_or_die("DOMAIN", arg, 0,
                                                       V4V_DOMAIN_MAX);
        s->word_count++;
        return 0;
    case ARGP_KEY_END:
        if (s->word_count != (s->shared.listens ? 0 : 1)) {
            argp_usage(state);
        }
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option options[] = {
    {"once", '1', NULL, 0, "With -l: end after one client", 0},
    {"port", 'P', "PORT", 0, "To meet at (default 5201)", 0},
    {"sizes", 's', "LIST", 0,
     "Bytes, separated by commas, up to 1048576 (default "
     "16,256,4096,16384,65536,262144)",
     0},
    {"bytes", 'b', "N", 0,
     "To send for each size, but not more than 20000 messages (default "
     "16777216)",
     0},
    {"pings", 'n', "N", 0, "Round trips for each size (default 200)", 0},
    {"json", 'j', NULL, 0, "Print JSON instead of a table", 0},
    {0},
};

static const struct argp argp = {
    .options = options,
    .parser = option_take,
    .args_doc = "DOMAIN\n-l",
    .doc = "Measures V4V streams to a v4v-perf -l in the domain with the id "
           "DOMAIN: for each size the rate of messages of this size in one "
           "direction, until the last has been read, and the median and 99th "
           "percentile of the time of one there and back.\v"
           "Status: 0 done; 1 something failed; 2 the command line is wrong.",
    .children = v4v_options_children,
};

static void settings_read(struct settings *s, int argc, char **argv)
{
    *s = (struct settings){
        .port = PORT_DEFAULT,
        .bytes = 16 * 1024 * 1024,
        .pings = 200,
        .size = {16, 256, 4096, 16384, 65536, 262144},
        .size_count = 6,
    };
    v4v_options_read(&argp, argc, argv, s);
}

/* ---- The listening side ------------------------------------------------- */

static bool request_serve(int fd, const struct request *r)
{
    uint32_t i;

    for (i = 0; i < r->count; i++) {
        if (!v4v_io_read_all(fd, block, r->size) ||
            (r->what == WHAT_ECHO && !v4v_io_write_all(fd, block, r->size))) {
            return false;
        }
    }
    return r->what == WHAT_ECHO || v4v_io_write_all(fd, r, sizeof(*r));
}

/* Until the client closes: true, or something goes wrong. */
static bool client_serve(int fd)
{
    struct request r;

    while (v4v_io_read_all(fd, &r, sizeof(r))) {
        if (r.magic != MAGIC || r.what > WHAT_ECHO || r.size == 0 ||
            r.size > sizeof(block)) {
            errno = EPROTO;
            return false;
        }
        if (!request_serve(fd, &r)) {
            return false;
        }
    }
    return errno == 0;
}

static int serve(const struct settings *s)
{
    uint32_t port = s->port;
    int listener = v4v_io_listen(0, &port, V4V_DOMID_ANY, 0);
    int rc = 0;

    if (listener < 0) {
        return -1;
    }
    do {
        struct v4v_addr peer;
        int fd = v4v_io_accept(listener, 0, &peer);

        if (fd < 0) {
            return -1;
        }
        rc = client_serve(fd) ? 0 : -1;
        if (rc && !s->is_once) {
            fprintf(stderr, "v4v-perf: domain %u: %s\n", peer.domain,
                    v4v_io_error(errno));
        }
        close(fd);
    } while (!s->is_once);
    return rc;
}

/* ---- The measuring side ------------------------------------------------- */

static bool request_send(int fd, uint32_t what, size_t size, uint32_t count)
{
    const struct request r = {
        .magic = MAGIC,
        .what = what,
        .size = (uint32_t)size,
        .count = count,
    };

    return v4v_io_write_all(fd, &r, sizeof(r));
}

static bool rate_measure(int fd, struct result *result)
{
    double start = v4v_io_now();
    struct request answer;
    uint32_t i;

    if (!request_send(fd, WHAT_RATE, result->size, result->count)) {
        return false;
    }
    for (i = 0; i < result->count; i++) {
        if (!v4v_io_write_all(fd, block, result->size)) {
            return false;
        }
    }
    if (!v4v_io_read_all(fd, &answer, sizeof(answer))) {
        return false;
    }
    result->seconds = v4v_io_now() - start;
    return true;
}

static int double_compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static bool echo_measure(int fd, struct result *result, unsigned long pings)
{
    static double us[PINGS_MAX];
    unsigned long i;

    if (!request_send(fd, WHAT_ECHO, result->size, (uint32_t)pings + WARM_UP)) {
        return false;
    }
    for (i = 0; i < pings + WARM_UP; i++) {
        double start = v4v_io_now();

        if (!v4v_io_write_all(fd, block, result->size) ||
            !v4v_io_read_all(fd, block, result->size)) {
            return false;
        }
        us[i < WARM_UP ? 0 : i - WARM_UP] = (v4v_io_now() - start) * 1e6;
    }
    qsort(us, pings, sizeof(us[0]), double_compare);
    result->median_us = us[pings / 2];
    result->p99_us = us[pings * 99 / 100];
    return true;
}

static double mib_per_s(const struct result *r)
{
    return (double)r->size * r->count / r->seconds / 1048576.0;
}

static void head_print(const struct settings *s)
{
    if (s->is_json) {
        printf("{\"domain\": %u, \"results\": [", s->domain);
    } else {
        printf("%8s %10s %12s %12s %12s\n", "bytes", "MiB/s", "messages/s",
               "median us", "99 % us");
    }
    fflush(stdout);
}

static void result_print(const struct settings *s, const struct result *r,
                         bool is_first)
{
    double per_s = r->count / r->seconds;

    if (s->is_json) {
        printf("%s{\"size\": %zu, \"count\": %u, \"seconds\": %.6f, "
               "\"mib_per_s\": %.3f, \"messages_per_s\": %.0f, "
               "\"round_trip_us\": %.1f, \"round_trip_p99_us\": %.1f}",
               is_first ? "" : ", ", r->size, r->count, r->seconds,
               mib_per_s(r), per_s, r->median_us, r->p99_us);
    } else {
        printf("%8zu %10.2f %12.0f %12.1f %12.1f\n", r->size, mib_per_s(r),
               per_s, r->median_us, r->p99_us);
    }
    fflush(stdout);
}

static uint32_t count_of(const struct settings *s, size_t size)
{
    unsigned long count = (s->bytes + size - 1) / size;

    return (uint32_t)(count < 20000 ? count : 20000);
}

static int measure(const struct settings *s)
{
    struct v4v_addr to = {
        .port = s->port,
        .domain = (uint16_t)s->domain,
    };
    int fd = v4v_io_connect(&to, 0, s->shared.patience_ms);
    unsigned int i;

    if (fd < 0) {
        return -1;
    }
    head_print(s);
    for (i = 0; i < s->size_count; i++) {
        struct result r = {
            .size = s->size[i],
            .count = count_of(s, s->size[i]),
        };

        if (!rate_measure(fd, &r) || !echo_measure(fd, &r, s->pings)) {
            return -1;
        }
        result_print(s, &r, i == 0);
    }
    if (s->is_json) {
        printf("]}\n");
    }
    close(fd);
    return 0;
}

int main(int argc, char **argv)
{
    struct settings s;

    settings_read(&s, argc, argv);
    if ((s.shared.listens ? serve(&s) : measure(&s)) != 0) {
        fprintf(stderr, "v4v-perf: %s\n", v4v_io_error(errno));
        return 1;
    }
    return 0;
}
