/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Function names by address, from the table the build links into the image.
 * All of it is trusted data.
 */
#include "ravelin/symbols.h"

#include "ravelin/fmt.h"
#include "symbols_table.h"

const char *symbols_lookup(uint64_t address, uint64_t *offset)
{
    uint32_t low = 0;
    uint32_t high = symbols_count;
    uint64_t place = address - symbols_base;

    if (symbols_count == 0 || place < symbols_offset[0] ||
        place >= symbols_offset[symbols_count]) {
        return NULL;
    }
    /* Invariant: offset[low] <= place < offset[high]. */
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;

        if (symbols_offset[middle] <= place) {
            low = middle;
        } else {
            high = middle;
        }
    }
    *offset = place - symbols_offset[low];
    return &symbols_names[symbols_name_start[low]];
}

void symbols_format(char *buf, size_t size, uint64_t address)
{
    uint64_t offset;
    const char *name = symbols_lookup(address, &offset);

    if (name != NULL) {
        (void)fmt_snprintf(buf, size, "%s+0x%lx", name, offset);
    } else {
        (void)fmt_snprintf(buf, size, "0x%016lx", address);
    }
}
