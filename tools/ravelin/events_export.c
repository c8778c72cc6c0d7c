/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Chooses what to write by the name of the file.
 */
#include "events_export.h"

#include <string.h>

static const struct {
    const char *suffix;
    struct event_export *(*open)(const char *path, int *r);
} kinds[] = {
    {".json", export_perfetto_open},
    {".ctf", export_ctf_open},
    {".svg", export_picture_open},
};

struct event_export *event_export_open(const char *path,
                                       const struct event_names *names)
{
    size_t len = strlen(path);

    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        size_t n = strlen(kinds[i].suffix);

        if (len > n && strcmp(path + len - n, kinds[i].suffix) == 0) {
            int r = 0;
            struct event_export *x = kinds[i].open(path, &r);

            if (x == NULL) {
                say("%s: %s", path, strerror(-r));
                return NULL;
            }
            x->names = names;
            return x;
        }
    }
    say("%s: the name must end in .json, .ctf or .svg", path);
    return NULL;
}
