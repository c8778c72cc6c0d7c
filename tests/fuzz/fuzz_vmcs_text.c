/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fuzz target: dumps as text. Whatever the bytes: no read outside them, the
 * position only advances, every finding renders into lines that end.
 */
#include "fuzz.h"

#include <string.h>

#include "ravelin/explain.h"

static void line_check(void *ctx, const char *text)
{
    (void)ctx;
    require(strlen(text) <= 79);
}

static void finding_render(void *ctx, const struct explain_finding *f)
{
    require((f->segments & ~f->rule->segments) == 0);
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

        require(pos > last && pos <= size);
        last = pos;
        (void)explain_check(&s, finding_render, &to);
    }
    free(copy);
    return 0;
}
