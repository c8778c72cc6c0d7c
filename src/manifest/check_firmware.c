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

/* Settings that a domain without firmware must leave alone. */
static void check_unused(struct check *c, uint32_t i)
{
    const struct manifest_domain *d = &c->m->domain[i];
    const struct {
        enum manifest_field field;
        bool is_set;
    } settings[] = {
        {MANIFEST_F_VGABIOS, d->vgabios[0] != '\0'},
        {MANIFEST_F_DISK, d->disk[0] != '\0'},
        {MANIFEST_F_CDROM, d->cdrom[0] != '\0'},
        {MANIFEST_F_BOOT, d->boot != MANIFEST_BOOT_DISK},
        {MANIFEST_F_EMULATE, d->emulate != MANIFEST_EMULATE_NONE},
        {MANIFEST_F_WITHOUT, d->without != 0},
        {MANIFEST_F_CONSOLE, d->console == MANIFEST_CONSOLE_SCREEN ||
                                 d->console == MANIFEST_CONSOLE_TERMINAL ||
                                 d->console == MANIFEST_CONSOLE_COM1},
    };

    for (size_t n = 0; n < ARRAY_SIZE(settings); n++) {
        if (settings[n].is_set) {
            check_fail_domain(c, i, settings[n].field, MANIFEST_E_FIRMWARE_ONLY,
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

static void check_drives(struct check *c, uint32_t i)
{
    const struct manifest_domain *d = &c->m->domain[i];
    bool has_disk = d->disk[0] != '\0', has_cdrom = d->cdrom[0] != '\0';
    bool is_shared = false;

    for (uint32_t j = 0; has_disk && j < c->m->domain_count; j++) {
        const struct manifest_domain *e = &c->m->domain[j];

        is_shared |= j < i && strcmp(d->disk, e->disk) == 0;
        is_shared |= strcmp(d->disk, e->cdrom) == 0 ||
                     strcmp(d->disk, e->kernel) == 0 ||
                     strcmp(d->disk, e->ramdisk) == 0 ||
                     strcmp(d->disk, e->firmware) == 0 ||
                     strcmp(d->disk, e->vgabios) == 0;
    }
    if (is_shared) {
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
    check_screen(c, i);
}
