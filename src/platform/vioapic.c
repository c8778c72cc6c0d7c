/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hardware domain's IO-APIC: 24 redirection entries behind an index and a
 * data register. Edge-triggered pins send on a rising edge, level-triggered
 * ones until the guest's EOI and again while the input stays high.
 *
 * Threat surface: index, data and entries are the guest's; the index is
 * bounded at each use. Messages go to the domain's own vCPUs only.
 * Ref: Intel 82093AA I/O APIC datasheet, "Register Description".
 */
#include "ravelin/vioapic.h"

#include "ravelin/errno.h"
#include "ravelin/frame_pool.h"
#include "ravelin/lock.h"
#include "ravelin/vlapic.h"

#define IOAPIC_INDEX 0x00u
#define IOAPIC_DATA 0x10u

#define IOAPIC_REG_ID 0x00u
#define IOAPIC_REG_VERSION 0x01u
#define IOAPIC_REG_ARBITRATION 0x02u
#define IOAPIC_REG_ENTRIES 0x10u

#define IOAPIC_VERSION ((uint32_t)(VIOAPIC_PIN_COUNT - 1) << 16 | 0x11u)

#define RTE_LOGICAL (1UL << 11)
#define RTE_REMOTE_IRR (1UL << 14)
#define RTE_LEVEL (1UL << 15)
#define RTE_MASKED (1UL << 16)
#define RTE_WRITABLE 0xff0000000001afffUL

struct vioapic {
    struct spinlock lock; /* guards all below */
    uint32_t index;
    uint32_t id;
    uint32_t inputs; /* bit per pin: level now */
    uint64_t entry[VIOAPIC_PIN_COUNT];
};

int vioapic_create(struct domain *d)
{
    struct vioapic *io;

    if (d->vioapic != NULL) {
        return -RV_EEXIST;
    }
    io = page_alloc();
    if (io == NULL) {
        return -RV_ENOMEM;
    }
    spin_init(&io->lock, LOCK_RANK_DEVICE);
    for (unsigned i = 0; i < VIOAPIC_PIN_COUNT; i++) {
        io->entry[i] = RTE_MASKED;
    }
    io->id = VIOAPIC_ID << 24;
    d->vioapic = io;
    return 0;
}

void vioapic_destroy(struct domain *d)
{
    struct vioapic *io = d->vioapic;

    if (io != NULL) {
        d->vioapic = NULL;
        page_free(io);
    }
}

static void pin_send(struct domain *d, uint64_t entry)
{
    vlapic_deliver(d, (uint32_t)(entry >> 56), (entry & RTE_LOGICAL) != 0,
                   (unsigned)(entry >> 8) & 7u, (uint8_t)entry,
                   (entry & RTE_LEVEL) != 0);
}

/* Sends for a level-triggered pin that is high and not in service. */
static void pin_level_check(struct domain *d, struct vioapic *io, unsigned pin)
{
    uint64_t entry = io->entry[pin];

    if ((io->inputs >> pin & 1u) != 0 && (entry & RTE_LEVEL) != 0 &&
        (entry & (RTE_MASKED | RTE_REMOTE_IRR)) == 0) {
        io->entry[pin] |= RTE_REMOTE_IRR;
        pin_send(d, entry);
    }
}

void vioapic_irq_set(struct domain *d, unsigned pin, bool level)
{
    struct vioapic *io = d->vioapic;
    bool was;

    if (io == NULL || pin >= VIOAPIC_PIN_COUNT) {
        return;
    }
    spin_lock(&io->lock);
    was = (io->inputs >> pin & 1u) != 0;
    io->inputs = (io->inputs & ~(1u << pin)) | ((uint32_t)level << pin);
    if (level && !was && (io->entry[pin] & (RTE_LEVEL | RTE_MASKED)) == 0) {
        pin_send(d, io->entry[pin]);
    }
    pin_level_check(d, io, pin);
    spin_unlock(&io->lock);
}

void vioapic_eoi(struct domain *d, uint8_t vector)
{
    struct vioapic *io = d->vioapic;

    if (io == NULL) {
        return;
    }
    spin_lock(&io->lock);
    for (unsigned pin = 0; pin < VIOAPIC_PIN_COUNT; pin++) {
        if ((uint8_t)io->entry[pin] == vector &&
            (io->entry[pin] & RTE_REMOTE_IRR) != 0) {
            io->entry[pin] &= ~RTE_REMOTE_IRR;
            pin_level_check(d, io, pin);
        }
    }
    spin_unlock(&io->lock);
}

/* ---- Registers ---- */

static uint32_t register_read(const struct vioapic *io)
{
    unsigned half = io->index - IOAPIC_REG_ENTRIES;

    switch (io->index) {
    case IOAPIC_REG_ID:
    case IOAPIC_REG_ARBITRATION:
        return io->id;
    case IOAPIC_REG_VERSION:
        return IOAPIC_VERSION;
    default:
        break;
    }
    if (half >= VIOAPIC_PIN_COUNT * 2) {
        return 0;
    }
    return (uint32_t)(io->entry[half / 2] >> (32u * (half & 1u)));
}

static void entry_write(struct domain *d, struct vioapic *io, unsigned half,
                        uint32_t value)
{
    unsigned shift = 32u * (half & 1u);
    uint64_t mask = RTE_WRITABLE & (0xffffffffUL << shift);
    uint64_t *entry = &io->entry[half / 2];

    *entry = (*entry & ~mask) | (((uint64_t)value << shift) & mask);
    if ((*entry & RTE_LEVEL) == 0) {
        *entry &= ~RTE_REMOTE_IRR;
    }
    pin_level_check(d, io, half / 2);
}

uint32_t vioapic_mmio_read(struct domain *d, uint32_t offset)
{
    struct vioapic *io = d->vioapic;
    uint32_t value = 0;

    spin_lock(&io->lock);
    if (offset == IOAPIC_INDEX) {
        value = io->index;
    } else if (offset == IOAPIC_DATA) {
        value = register_read(io);
    }
    spin_unlock(&io->lock);
    return value;
}

void vioapic_mmio_write(struct domain *d, uint32_t offset, uint32_t value)
{
    struct vioapic *io = d->vioapic;

    spin_lock(&io->lock);
    if (offset == IOAPIC_INDEX) {
        io->index = value & 0xffu;
    } else if (offset == IOAPIC_DATA && io->index == IOAPIC_REG_ID) {
        io->id = value & 0x0f000000u;
    } else if (offset == IOAPIC_DATA &&
               io->index - IOAPIC_REG_ENTRIES < VIOAPIC_PIN_COUNT * 2) {
        entry_write(d, io, io->index - IOAPIC_REG_ENTRIES, value);
    }
    spin_unlock(&io->lock);
}
