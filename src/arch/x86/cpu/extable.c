/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Search of the exception table. It is short and only consulted after a fault,
 * so it is not sorted.
 */
#include "cpu/extable.h"

struct extable_entry {
    int32_t fault; /* both relative to their own address */
    int32_t fixup;
};

extern const struct extable_entry __ex_table_start[];
extern const struct extable_entry __ex_table_end[];

static uint64_t relative_address(const int32_t *field)
{
    return (uint64_t)field + (uint64_t)(int64_t)*field;
}

uint64_t extable_lookup(uint64_t rip)
{
    const struct extable_entry *e;

    for (e = __ex_table_start; e < __ex_table_end; e++) {
        if (relative_address(&e->fault) == rip) {
            return relative_address(&e->fixup);
        }
    }
    return 0;
}
