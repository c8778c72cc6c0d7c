/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Builds a domain that starts with firmware: memory with a hole below 4 GiB,
 * the ROM at its end and again below 1 MiB, drives from boot modules, vCPU 0 at
 * the reset vector. A domain that is not complete is destroyed as a whole, so
 * nothing is undone here.
 *
 * Threat surface: sizes of ROM and images. Their contents are bytes that only
 * the new domain and its device models read.
 */
#include "legacy_private.h"

#include "arch/backend.h"
#include "ravelin/emulate_real.h"
#include "ravelin/errno.h"
#include "ravelin/frame_pool.h"
#include "ravelin/guest_copy.h"
#include "ravelin/log.h"
#include "ravelin/memory_map.h"
#include "ravelin/sched.h"
#include "ravelin/string.h"
#include "ravelin/vconsole.h"
#include "ravelin/vlapic.h"

#include "pvh_private.h"

#define E820_RAM 1u
#define E820_RESERVED 2u
/* Room for copies of disk pages that the guest writes, beside the ROM. */
#define DISK_COPIES_MAX (64UL << (20 - PAGE_SHIFT))

static int build_failed(const struct domain *d, const char *why, int rc)
{
    log_error("domain %s: not built: %s (error %d)", d->name, why, -rc);
    return rc;
}

uint64_t legacy_pages_extra(const struct manifest_domain *m,
                            const struct boot_info *info)
{
    const struct boot_module *disk = boot_module_find(info, m->disk);
    uint64_t pages = LEGACY_ROM_SIZE_MAX >> PAGE_SHIFT;

    if (m->firmware[0] == '\0') {
        return 0;
    }
    if (m->disk[0] != '\0' && disk != NULL) {
        pages +=
            rv_min((disk->size + PAGE_SIZE - 1) >> PAGE_SHIFT, DISK_COPIES_MAX);
    }
    return pages;
}

/* ---- Memory ---- */

static uint64_t low_end(const struct manifest_domain *m)
{
    return rv_min(m->memory, LEGACY_RAM_LOW_END);
}

static uint64_t high_end(const struct manifest_domain *m)
{
    return LEGACY_RAM_HIGH + m->memory - low_end(m);
}

static int rom_page_map(struct domain *d, gfn_t g, const uint8_t *content)
{
    struct p2m_locked p2m;
    mfn_t m;
    int rc = frame_alloc_domain(d, FRAME_ORDER_4K, &m);

    if (rc != 0) {
        return rc;
    }
    guest_page_write(host_ptr(mfn_to_hpa(m)), content, PAGE_SIZE);
    p2m = p2m_lock(&d->p2m);
    rc = p2m_map(p2m, g, m, FRAME_ORDER_4K, P2M_RAM_RO, ACCESS_ALL);
    p2m_unlock(&p2m);
    if (rc != 0) {
        frame_put(m);
    }
    return rc;
}

/* What is stored to the ROM goes nowhere. */
static int rom_map(struct domain *d, const struct legacy_platform *p)
{
    uint64_t first = (LEGACY_RAM_HIGH - p->rom_size) >> PAGE_SHIFT;
    int rc = 0;

    for (uint64_t i = 0; rc == 0 && i < p->rom_size >> PAGE_SHIFT; i++) {
        rc = rom_page_map(d, gfn(first + i), p->rom + (i << PAGE_SHIFT));
    }
    return rc;
}

static int memory_fill(struct domain *d, const struct manifest_domain *m)
{
    int rc = pvh_range_populate(d, 0, low_end(m) >> PAGE_SHIFT);

    if (rc == 0) {
        rc = pvh_range_populate(d, LEGACY_RAM_HIGH >> PAGE_SHIFT,
                                high_end(m) >> PAGE_SHIFT);
    }
    if (rc == 0) {
        rc = rom_map(d, d->legacy);
    }
    return rc == 0 ? legacy_shadow_write(d->legacy) : rc;
}

static void e820_add(struct legacy_platform *p, uint64_t base, uint64_t end,
                     uint32_t type)
{
    if (end > base && p->e820_count < LEGACY_E820_MAX) {
        p->e820[p->e820_count++] = (struct legacy_e820){base, end - base, type};
    }
}

/* What the firmware is told, and XENMEM_memory_map tells as well. */
static int memory_map_write(struct domain *d, const struct manifest_domain *m)
{
    struct legacy_platform *p = d->legacy;
    struct xen_e820_entry entry[LEGACY_E820_MAX];

    e820_add(p, 0, low_end(m), E820_RAM);
    e820_add(p, LEGACY_RAM_HIGH - p->rom_size, LEGACY_RAM_HIGH, E820_RESERVED);
    e820_add(p, LEGACY_RAM_HIGH, high_end(m), E820_RAM);
    for (unsigned i = 0; i < p->e820_count; i++) {
        entry[i] = (struct xen_e820_entry){
            .addr = p->e820[i].base,
            .size = p->e820[i].size,
            .type = p->e820[i].type,
        };
    }
    return memory_map_set(d, entry, p->e820_count);
}

/* ---- Modules ---- */

static int module_find(const struct domain *d, const struct boot_info *info,
                       const char *name, const struct boot_module **out)
{
    *out = name[0] != '\0' ? boot_module_find(info, name) : NULL;
    if (*out == NULL && name[0] != '\0') {
        log_error("domain %s: not built: there is no boot module \"%s\"",
                  d->name, name);
        return -RV_ENOENT;
    }
    return 0;
}

static int rom_find(struct domain *d, const struct manifest_domain *m,
                    const struct boot_info *info)
{
    const struct boot_module *module;
    int rc = module_find(d, info, m->firmware, &module);

    if (rc != 0) {
        return rc;
    }
    if (module->size == 0 || module->size > LEGACY_ROM_SIZE_MAX ||
        module->size % LEGACY_ROM_UNIT != 0) {
        return build_failed(d, "its firmware has no size that a ROM can have",
                            -RV_EINVAL);
    }
    d->legacy->rom = host_ptr(module->base);
    d->legacy->rom_size = module->size;
    return 0;
}

static int image_attach(struct domain *d, struct block_memory *to,
                        const struct boot_info *info, const char *name,
                        bool writable)
{
    const struct boot_module *module;
    int rc = module_find(d, info, name, &module);

    if (rc != 0 || module == NULL) {
        return rc;
    }
    return block_memory_init(to, host_ptr(module->base), module->size,
                             writable ? d : NULL, writable);
}

static void channel_init(struct legacy_platform *p, unsigned channel,
                         const struct legacy_ide_drive_config *drive)
{
    struct legacy_ide_config conf = {
        .port = channel == 0 ? LEGACY_IDE_PRIMARY : LEGACY_IDE_SECONDARY,
        .control_port = channel == 0 ? LEGACY_IDE_PRIMARY_CONTROL
                                     : LEGACY_IDE_SECONDARY_CONTROL,
        .irq = channel == 0 ? LEGACY_IDE_PRIMARY_IRQ : LEGACY_IDE_SECONDARY_IRQ,
        .drive = {*drive},
    };

    legacy_ide_init(&p->ide[channel], &p->host,
                    p->ide_buffer + channel * LEGACY_IDE_BUFFER_SIZE, &conf);
}

static int drives_attach(struct domain *d, const struct manifest_domain *m,
                         const struct boot_info *info)
{
    struct legacy_platform *p = d->legacy;
    struct legacy_ide_drive_config disk = {.serial = "RAVELIN-DISK"};
    struct legacy_ide_drive_config cdrom = {.serial = "RAVELIN-CD"};
    int rc = image_attach(d, &p->disk, info, m->disk, true);

    if (rc == 0) {
        rc = image_attach(d, &p->cdrom, info, m->cdrom, false);
    }
    if (rc != 0) {
        return rc;
    }
    if (p->disk.size != 0) {
        disk.kind = LEGACY_IDE_DISK;
        disk.source = &p->disk.source;
    }
    if (p->cdrom.size != 0) {
        cdrom.kind = LEGACY_IDE_CD;
        cdrom.source = &p->cdrom.source;
    }
    channel_init(p, 0, &disk);
    channel_init(p, 1, &cdrom);
    return 0;
}

/* ---- The screen ---- */

static int screen_attach(struct domain *d)
{
    struct legacy_platform *p = d->legacy;
    const void *page[LEGACY_VGA_TEXT_PAGES];

    for (unsigned i = 0; i < LEGACY_VGA_TEXT_PAGES; i++) {
        page[i] =
            guest_page_pin(d, gfn(LEGACY_VGA_TEXT_GFN + i), &p->text_frame[i]);
        if (page[i] == NULL) {
            return -RV_ENOMEM;
        }
        p->text_frame_count++;
    }
    legacy_screen_init(p->screen, &p->screen_host,
                       p->manifest->console == MANIFEST_CONSOLE_TERMINAL
                           ? LEGACY_SCREEN_ANSI
                           : LEGACY_SCREEN_LINES,
                       page);
    return 0;
}

static int console_attach(struct domain *d, const struct manifest_domain *m)
{
    int rc = 0;

    if (m->console != MANIFEST_CONSOLE_NONE) {
        rc = vconsole_create(d);
    }
    if (rc == 0 && d->legacy->screen != NULL) {
        rc = screen_attach(d);
    }
    return rc;
}

/* ---- The whole ---- */

static int parts_build(struct domain *d, const struct manifest_domain *m,
                       const struct boot_info *info)
{
    int rc = rom_find(d, m, info);

    rc = rc != 0 ? rc : memory_fill(d, m);
    rc = rc != 0 ? rc : memory_map_write(d, m);
    rc = rc != 0 ? rc : drives_attach(d, m, info);
    rc = rc != 0 ? rc : console_attach(d, m);
    return rc != 0 ? rc : legacy_firmware_tell(d->legacy, info);
}

static int vcpus_prepare(struct domain *d)
{
    int rc = 0;

    for (unsigned i = 0; rc == 0 && i < d->vcpu_count; i++) {
        struct vcpu *v = d->vcpu[i];

        vlapic_id_set(v, i);
        vlapic_power_on(v);
        rc = d->emulates_real ? emulation_create(v) : 0;
    }
    return rc;
}

int legacy_build_manifest(struct domain *d, const struct manifest_domain *m,
                          const struct boot_info *info)
{
    int rc;

    if (m->memory < LEGACY_MEMORY_MIN || (m->memory & ~PAGE_MASK) != 0) {
        return build_failed(d, "too little memory for firmware", -RV_EINVAL);
    }
    rc = legacy_platform_create(d, m);
    if (rc == 0) {
        rc = parts_build(d, m, info);
    }
    if (rc != 0) {
        return build_failed(d, "its platform cannot be made", rc);
    }
    d->emulates_real = m->emulate == MANIFEST_EMULATE_REAL;
    rc = vcpus_prepare(d);
    if (rc != 0) {
        return build_failed(d, "its vCPUs cannot be made", rc);
    }
    d->vcpu[0]->is_initialised = true;
    vcpu_flags_clear(d->vcpu[0], VCPU_DOWN);
    log_info("domain %s: built, %lu MiB, %u vCPUs, firmware of %lu KiB%s",
             d->name, m->memory >> 20, d->vcpu_count, d->legacy->rom_size >> 10,
             d->emulates_real ? ", real mode emulated" : "");
    return 0;
}
