/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Function names by address, from the table the build links into the image. The
 * table is read from its start for every address: it is small because of that,
 * and only dumps ask. All of it is trusted data.
 */
#include "ravelin/symbols.h"

#include "ravelin/fmt.h"
#include "ravelin/string.h"
#include "symbols_table.h"

struct cursor {
    const uint8_t *at;
    uint64_t start; /* of the current function */
    char name[SYMBOLS_NAME_MAX];
};

static uint64_t number_next(struct cursor *c)
{
    uint64_t value = 0;
    unsigned shift = 0;
    uint8_t byte;

    do {
        byte = *c->at++;
        value |= (uint64_t)(byte & 0x7f) << shift;
        shift += 7;
    } while (byte & 0x80);
    return value;
}

static void function_next(struct cursor *c)
{
    size_t length;
    uint8_t shared;

    c->start += number_next(c);
    shared = *c->at++;
    length = strlen((const char *)c->at) + 1;
    memcpy(c->name + shared, c->at, length);
    c->at += length;
}

bool symbols_lookup(uint64_t address, char name[SYMBOLS_NAME_MAX],
                    uint64_t *offset)
{
    struct cursor c = {.at = symbols_stream, .start = symbols_base};
    bool found = false;

    if (address >= symbols_end) {
        return false;
    }
    for (uint32_t i = 0; i < symbols_count; i++) {
        function_next(&c);
        if (c.start > address) {
            break;
        }
        *offset = address - c.start;
        memcpy(name, c.name, sizeof(c.name));
        found = true;
    }
    return found;
}

void symbols_format(char *buf, size_t size, uint64_t address)
{
    char name[SYMBOLS_NAME_MAX];
    uint64_t offset;

    if (symbols_lookup(address, name, &offset)) {
        (void)fmt_snprintf(buf, size, "%s+0x%lx", name, offset);
    } else {
        (void)fmt_snprintf(buf, size, "0x%016lx", address);
    }
}
