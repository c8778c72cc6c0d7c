/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fuzz target: dumps as text. Whatever the bytes: no read outside them, the
 * position only advances, every finding renders into lines that end.
 */
#include <stdlib.h>
#include <string.h>

#include "ravelin/explain.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void line_check(void *ctx, const char *text)
{
    (void)ctx;
    if (strlen(text) > 79) {
        abort();
    }
}

static void finding_render(void *ctx, const struct explain_finding *f)
{
    if (f->segments & ~f->rule->segments) {
        abort();
    }
    explain_text_finding(ctx, f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = malloc(size + 1);
    size_t pos = 0;
    size_t last = 0;
    struct explain_snapshot s;

    if (!copy) {
        return 0;
    }
    memcpy(copy + 1, data, size);
    while (explain_parse_next(copy + 1, size, &pos, &s)) {
        struct explain_text to = {line_check, NULL, NULL};

        if (pos <= last || pos > size) {
            abort();
        }
        last = pos;
        (void)explain_check(&s, finding_render, &to);
    }
    free(copy);
    return 0;
}
