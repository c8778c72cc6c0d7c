/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table as text: names for dumps, and the list of who may call what.
 */
#include "ravelin/compiler.h"
#include "ravelin/fmt.h"
#include "ravelin/hypercall.h"

struct op_name {
    const char *call;
    const char *op;
    uint16_t number;
    uint8_t perm;
};

static const struct op_name op_names[] = {
#define SUBOP(call, name, number, perm, ...) {#call, #name, number, perm},
#include "table.def"
};

static const char *const call_names[] = {
#define HYPERCALL(name, number, ...) [number] = #name,
#include "table.def"
};

static const char *const perm_names[] = {
    [PERM_ANY] = "any domain",
    [PERM_CONTROL] = "control",
    [PERM_HARDWARE] = "hardware",
    [PERM_TARGET] = "any on itself, control",
    [PERM_MONITOR] = "control, its monitor",
};

const char *hypercall_name(uint64_t number)
{
    return number < ARRAY_SIZE(call_names) ? call_names[number] : NULL;
}

void hypercall_table_print(void (*line)(void *ctx, const char *text), void *ctx)
{
    char text[96];

    for (size_t i = 0; i < ARRAY_SIZE(op_names); i++) {
        const struct op_name *n = &op_names[i];

        fmt_snprintf(text, sizeof(text), "%-17s %-30s %s", n->call, n->op,
                     perm_names[n->perm]);
        line(ctx, text);
    }
}
