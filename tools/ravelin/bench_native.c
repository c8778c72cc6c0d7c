/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Figures of the native benchmark programs: each prints one JSON object of
 * name: {"value", "unit", "bar", "at_least"}.
 */
#include <glob.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench.h"
#include "process.h"

static void take_object(struct figures *f, json_t *all)
{
    const char *name;
    json_t *entry;

    json_object_foreach(all, name, entry)
    {
        double value;
        const char *unit;
        json_t *bar = json_object_get(entry, "bar");

        if (json_unpack(entry, "{s:F, s:s}", "value", &value, "unit", &unit) ==
            0) {
            figures_set(f, name, value, unit);
            figures_set_bar(f, name,
                            json_is_number(bar) ? json_number_value(bar) : -1,
                            json_is_true(json_object_get(entry, "at_least")));
        }
    }
}

static bool take_program(struct figures *f, char *path)
{
    char *args[] = {path, NULL};
    char *output;
    json_t *all = NULL;

    /* Its status only says whether a bar is met; we look for ourselves. */
    if (process_run(args, &output) < 126) {
        all = json_loads(output, 0, NULL);
    }
    if (json_is_object(all)) {
        take_object(f, all);
    } else {
        say("%s: no figures", path);
    }
    free(output);
    json_decref(all);
    return all != NULL;
}

static bool is_program(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISREG(st.st_mode) &&
           access(path, X_OK) == 0;
}

bool figures_take_native(struct figures *f, const char *build_dir)
{
    char *pattern = xprintf("%s/tests/bench/bench_*", build_dir);
    glob_t found;
    bool good = true;

    if (glob(pattern, 0, NULL, &found) == 0) {
        for (size_t i = 0; i < found.gl_pathc; i++) {
            if (is_program(found.gl_pathv[i])) {
                good &= take_program(f, found.gl_pathv[i]);
            }
        }
        globfree(&found);
    }
    free(pattern);
    return good;
}
