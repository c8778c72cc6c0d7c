/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which device answers at a guest-physical address. Both devices have 32-bit
 * registers: reads may be narrower and get their part of one, 8-byte reads get
 * zeros above it, writes must be 4 bytes (8-byte ones lose the upper half), as
 * the manuals leave everything else undefined.
 *
 * Threat surface: address, length and value of any guest access outside RAM.
 */
#include "ravelin/mmio.h"

#include "ravelin/errno.h"
#include "ravelin/vioapic.h"
#include "ravelin/vlapic.h"

struct mmio_range {
    uint64_t base;
    bool (*is_mapped)(const struct vcpu *v);
    uint32_t (*read)(struct vcpu *v, uint32_t offset);
    void (*write)(struct vcpu *v, uint32_t offset, uint32_t value);
};

static bool ioapic_is_mapped(const struct vcpu *v)
{
    return v->domain->vioapic != NULL;
}

static uint32_t ioapic_read(struct vcpu *v, uint32_t offset)
{
    return vioapic_mmio_read(v->domain, offset);
}

static void ioapic_write(struct vcpu *v, uint32_t offset, uint32_t value)
{
    vioapic_mmio_write(v->domain, offset, value);
}

/* Each range is one page. */
static const struct mmio_range ranges[] = {
    {VLAPIC_MMIO_BASE, vlapic_mmio_is_mapped, vlapic_mmio_read,
     vlapic_mmio_write},
    {VIOAPIC_MMIO_BASE, ioapic_is_mapped, ioapic_read, ioapic_write},
};

static void range_access(const struct mmio_range *r, struct vcpu *v,
                         uint32_t offset, unsigned len, bool write,
                         uint64_t *value)
{
    unsigned byte = offset & 15u;

    if (write) {
        if (byte == 0 && len >= 4) {
            r->write(v, offset, (uint32_t)*value);
        }
        return;
    }
    if (byte >= 4) {
        *value = 0; /* between two registers */
        return;
    }

    uint64_t reg = (uint64_t)r->read(v, offset - byte) >> (8 * byte);

    *value = len < 8 ? reg & ((1UL << (8 * len)) - 1) : reg;
}

int mmio_dispatch(struct vcpu *v, gpa_t addr, unsigned len, bool write,
                  uint64_t *value)
{
    uint32_t offset = (uint32_t)(addr.v & ~PAGE_MASK);

    for (unsigned i = 0; i < ARRAY_SIZE(ranges); i++) {
        const struct mmio_range *r = &ranges[i];

        if ((addr.v & PAGE_MASK) != r->base) {
            continue;
        }
        if (!r->is_mapped(v)) {
            return -RV_ENOENT;
        }
        if (len == 0 || len > 8 || (len & (len - 1)) != 0) {
            return -RV_EINVAL;
        }
        range_access(r, v, offset, len, write, value);
        return 0;
    }
    return -RV_ENOENT;
}
