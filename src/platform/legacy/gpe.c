/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * General-purpose events that never happen: the first half of the block is the
 * status, always clear, the second half the enable bits, kept.
 *
 * Threat surface: port and value are the guest's; the offset is bounded.
 */
#include "ravelin/legacy_gpe.h"

#include "ravelin/string.h"

void legacy_gpe_reset(struct legacy_gpe *gpe)
{
    memset(gpe, 0, sizeof(*gpe));
}

/* Index of an enable register, or a number beyond them. */
static unsigned enable_index(uint16_t port)
{
    return (unsigned)port - LEGACY_GPE_PORT - LEGACY_GPE_PORT_COUNT / 2;
}

uint8_t legacy_gpe_read(const struct legacy_gpe *gpe, uint16_t port)
{
    unsigned i = enable_index(port);

    return i < ARRAY_SIZE(gpe->enable) ? gpe->enable[i] : 0;
}

void legacy_gpe_write(struct legacy_gpe *gpe, uint16_t port, uint8_t value)
{
    unsigned i = enable_index(port);

    if (i < ARRAY_SIZE(gpe->enable)) {
        gpe->enable[i] = value;
    }
}
