/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Checks of domains that start with firmware: what belongs to them alone, what
 * they cannot have, and which devices their settings need. Two domains must
 * never write to one disk image, since it is memory of the hypervisor's that
 * both would see.
 */
#include "check.h"

#include "ravelin/string.h"

static bool has_firmware(const struct manifest_domain *d)
{
    return d->firmware[0] != '\0';
}

static const void *setting(const struct manifest_domain *d,
                           enum manifest_field field)
{
    return (const char *)d + manifest_field_lookup(field)->offset;
}

/* Settings that a domain without firmware must leave alone: each is zero, or
 * an empty text, unless somebody has set it. */
static void check_unused(struct check *c, uint32_t i)
{
    static const uint8_t fields[] = {
        MANIFEST_F_VGABIOS, MANIFEST_F_DISK,    MANIFEST_F_CDROM,
        MANIFEST_F_BOOT,    MANIFEST_F_EMULATE, MANIFEST_F_WITHOUT,
        MANIFEST_F_CONSOLE,
    };
    const struct manifest_domain *d = &c->m->domain[i];
    bool is_pc_console = d->console == MANIFEST_CONSOLE_SCREEN ||
                         d->console == MANIFEST_CONSOLE_TERMINAL ||
                         d->console == MANIFEST_CONSOLE_COM1;

    for (size_t n = 0; n < ARRAY_SIZE(fields); n++) {
        uint32_t value;

        memcpy(&value, setting(d, fields[n]), sizeof(value));
        if (fields[n] == MANIFEST_F_CONSOLE ? is_pc_console : value != 0) {
            check_fail_domain(c, i, fields[n], MANIFEST_E_FIRMWARE_ONLY,
                              d->name);
        }
    }
}

/* What the firmware would never look at. */
static void check_kernel(struct check *c, uint32_t i)
{
    const struct manifest_domain *d = &c->m->domain[i];
    enum manifest_field field = d->kernel[0] != '\0'    ? MANIFEST_F_KERNEL
                                : d->ramdisk[0] != '\0' ? MANIFEST_F_RAMDISK
                                                        : MANIFEST_F_CMDLINE;

    if (d->kernel[0] != '\0' || d->ramdisk[0] != '\0' ||
        d->cmdline[0] != '\0') {
        check_fail_domain(c, i, field, MANIFEST_E_FIRMWARE_AND_KERNEL, d->name);
    }
}

/* Is the disk of domain `i` anything else as well, or that of one before? */
static bool disk_is_shared(const struct manifest *m, uint32_t i)
{
    static const uint8_t fields[] = {
        MANIFEST_F_DISK,    MANIFEST_F_CDROM,    MANIFEST_F_KERNEL,
        MANIFEST_F_RAMDISK, MANIFEST_F_FIRMWARE, MANIFEST_F_VGABIOS,
    };
    bool is_shared = false;

    for (uint32_t j = 0; j < m->domain_count; j++) {
        for (size_t n = j < i ? 0 : 1; n < ARRAY_SIZE(fields); n++) {
            is_shared |= strcmp(m->domain[i].disk,
                                setting(&m->domain[j], fields[n])) == 0;
        }
    }
    return is_shared;
}

static void check_drives(struct check *c, uint32_t i)
{
    const struct manifest_domain *d = &c->m->domain[i];
    bool has_disk = d->disk[0] != '\0', has_cdrom = d->cdrom[0] != '\0';

    if (has_disk && disk_is_shared(c->m, i)) {
        check_fail_domain(c, i, MANIFEST_F_DISK, MANIFEST_E_DISK_SHARED,
                          d->disk);
    }
    if ((d->boot == MANIFEST_BOOT_CDROM && !has_cdrom) ||
        (d->boot == MANIFEST_BOOT_DISK && !has_disk && has_cdrom)) {
        check_fail_domain(c, i, MANIFEST_F_BOOT, MANIFEST_E_BOOT_MISSING,
                          d->name);
    }
    if ((has_disk || has_cdrom) &&
        (d->without & (MANIFEST_DEV_IDE | MANIFEST_DEV_PCI)) != 0) {
        check_fail_domain(c, i, MANIFEST_F_WITHOUT, MANIFEST_E_DEVICE_NEEDED,
                          d->name);
    }
}

/* Devices that are left in but work only through others. */
static void check_devices(struct check *c, uint32_t i)
{
    static const struct {
        uint16_t device; /* 0: any */
        uint16_t needs;  /* one of these */
        uint8_t rule;
    } table[] = {
        {MANIFEST_DEV_PM_TIMER, MANIFEST_DEV_PCI, MANIFEST_E_POWER_NEEDS_PCI},
        {0, MANIFEST_DEV_PIC | MANIFEST_DEV_IOAPIC, MANIFEST_E_NO_INTERRUPTS},
    };
    const struct manifest_domain *d = &c->m->domain[i];

    for (size_t n = 0; n < ARRAY_SIZE(table); n++) {
        if ((d->without & table[n].device) == 0 &&
            (d->without & table[n].needs) == table[n].needs) {
            check_fail_domain(c, i, MANIFEST_F_WITHOUT, table[n].rule, d->name);
        }
    }
}

static void check_screen(struct check *c, uint32_t i)
{
    const struct manifest_domain *d = &c->m->domain[i];
    bool screen = d->console == MANIFEST_CONSOLE_SCREEN ||
                  d->console == MANIFEST_CONSOLE_TERMINAL;
    uint32_t needs = screen                                ? MANIFEST_DEV_SCREEN
                     : d->console == MANIFEST_CONSOLE_COM1 ? MANIFEST_DEV_UART
                                                           : 0;

    if ((d->without & needs) != 0) {
        check_fail_domain(c, i, MANIFEST_F_CONSOLE, MANIFEST_E_CONSOLE_DEVICE,
                          d->name);
    }
    if (d->console == MANIFEST_CONSOLE_XEN ||
        d->console == MANIFEST_CONSOLE_SERIAL) {
        check_fail_domain(c, i, MANIFEST_F_CONSOLE, MANIFEST_E_FIRMWARE_CONSOLE,
                          d->name);
    }
}

void check_firmware(struct check *c, uint32_t i)
{
    const struct manifest_domain *d = &c->m->domain[i];

    if (!has_firmware(d)) {
        if (d->kernel[0] == '\0') {
            check_fail_domain(c, i, MANIFEST_F_KERNEL,
                              MANIFEST_E_NOTHING_TO_RUN, d->name);
        }
        check_unused(c, i);
        return;
    }
    check_kernel(c, i);
    check_drives(c, i);
    check_devices(c, i);
    check_screen(c, i);
}
