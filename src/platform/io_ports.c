/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ports of a domain's virtual platform. Nothing sleeps here but for good:
 * of all sleep types only soft-off does something, and it concerns the domain
 * alone that asks for it.
 *
 * Threat surface: port, size and value are the guest's.
 */
#include "ravelin/io_ports.h"

#include "ravelin/errno.h"
#include "ravelin/legacy.h"

#define SLEEP_TYPE_SHIFT 2
#define SLEEP_TYPE_MASK 7u
#define SLEEP_ENABLE (1u << 5)

static void sleep_control_write(struct domain *d, uint8_t value)
{
    unsigned type = value >> SLEEP_TYPE_SHIFT & SLEEP_TYPE_MASK;

    if ((value & SLEEP_ENABLE) != 0 && type == ACPI_SLEEP_TYPE_S5) {
        domain_shutdown(d, SHUTDOWN_POWEROFF);
    }
}

/* The guest clears "has woken", which is never set. */
static void sleep_status_write(struct domain *d rv_unused,
                               uint8_t value rv_unused)
{
}

static void reset_write(struct domain *d, uint8_t value)
{
    if (value == ACPI_RESET_VALUE) {
        domain_shutdown(d, SHUTDOWN_REBOOT);
    }
}

/* All of them read as zero. */
static const struct io_port {
    uint16_t port;
    void (*write)(struct domain *d, uint8_t value);
} ports[] = {
    {IO_PORT_SLEEP_CONTROL, sleep_control_write},
    {IO_PORT_SLEEP_STATUS, sleep_status_write},
    {IO_PORT_RESET, reset_write},
};

int io_port_dispatch(struct vcpu *v, uint16_t port, unsigned size, bool in,
                     uint32_t *value)
{
    if (unlikely(v->domain->legacy != NULL)) {
        return legacy_port(v, port, size, in, value);
    }
    for (unsigned i = 0; size == 1 && i < ARRAY_SIZE(ports); i++) {
        if (ports[i].port != port) {
            continue;
        }
        if (in) {
            *value = 0;
        } else {
            ports[i].write(v->domain, (uint8_t)*value);
        }
        return 0;
    }
    return -RV_ENOENT;
}
