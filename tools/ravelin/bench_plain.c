/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Plain QEMU with the files of a bundle: same kernel, same ramdisk, the same
 * number of processors, the kernel's console on the serial port.
 */
#include "bench_plain.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "emulator.h"
#include "vline.h"

static double now_seconds(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static bool is_prompt(const struct vline *line)
{
    static char text[VLINE_TEXT_SIZE];
    size_t len = vline_text(line, text);

    return len >= 2 && (strcmp(text + len - 2, "# ") == 0 ||
                        strcmp(text + len - 2, "$ ") == 0);
}

/* Reads the line until the prompt shows. @return false when it cannot. */
static bool wait_for_prompt(const struct emulator *e, double until)
{
    struct vline *line = xalloc(sizeof(*line));
    bool found = false;

    while (!found && now_seconds() < until) {
        struct pollfd fd = {e->from_fd, POLLIN, 0};
        char bytes[4096];
        ssize_t n;

        if (poll(&fd, 1, 50) <= 0) {
            continue;
        }
        n = read(e->from_fd, bytes, sizeof(bytes));
        if (n <= 0) {
            break;
        }
        for (ssize_t i = 0; i < n; i++) {
            if (vline_feed(line, (unsigned char)bytes[i])) {
                vline_clear(line);
            }
        }
        found = is_prompt(line);
    }
    free(line);
    return found;
}

static unsigned int index_number(const struct bundle *b, const char *key,
                                 unsigned int shift)
{
    char *path = bundle_path(b, "bundle.json");
    json_t *index = json_load_file(path, 0, NULL);
    json_t *domain = json_array_get(json_object_get(index, "domains"), 0);
    json_int_t n = json_integer_value(json_object_get(domain, key));

    free(path);
    json_decref(index);
    return (unsigned int)(n >> shift);
}

/* Kernel and ramdisk are the first two modules after the manifest. */
static char **plain_args(const struct bundle *b, const char *qemu)
{
    const char *const boot[] = {
        "-kernel", b->module_count > 1 ? b->module[1] : "",
        "-initrd", b->module_count > 2 ? b->module[2] : "",
        "-append", "console=ttyS0 panic=-1",
    };
    struct words w = emulator_machine(qemu, index_number(b, "vcpus", 0),
                                      index_number(b, "memory", 20));

    for (size_t i = 0; i < ARRAY_SIZE(boot); i++) {
        words_add(&w, xstrdup(boot[i]));
    }
    return w.list;
}

double plain_prompt_seconds(const struct bundle *b, const char *qemu,
                            double timeout)
{
    char **args = plain_args(b, qemu);
    double start = now_seconds();
    double seconds = 0;
    struct emulator e;

    if (emulator_start_args(&e, b->dir, args)) {
        if (wait_for_prompt(&e, start + timeout)) {
            seconds = now_seconds() - start;
        }
        emulator_stop(&e);
    }
    emulator_args_free(args);
    return seconds;
}
