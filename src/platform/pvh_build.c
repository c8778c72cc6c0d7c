/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Builds a domain in one pass: parse the kernel, lay out memory, populate it,
 * copy images in, describe the machine, put vCPU 0 at the entry point. Each
 * step either succeeds or names its reason; nothing is undone here, because a
 * domain that is not complete is destroyed as a whole.
 *
 * Threat surface: kernel image and sizes.
 */
#include "ravelin/pvh_build.h"

#include "arch/backend.h"
#include "ravelin/errno.h"
#include "ravelin/frame_pool.h"
#include "ravelin/guest_copy.h"
#include "ravelin/hvm_context.h"
#include "ravelin/log.h"
#include "ravelin/sched.h"
#include "ravelin/string.h"
#include "ravelin/vconsole.h"
#include "ravelin/vioapic.h"

#include "acpi_tables.h"
#include "pvh_private.h"

#define COM1_FIRST_PORT 0x3f8u
#define COM1_PORT_COUNT 8u
#define MEMORY_MIN (1UL << 20)

#define CR0_PE 0x01u
#define CR0_ET 0x10u
#define RFLAGS_FIXED 0x02u

_Static_assert(PVH_ACPI_PAGES *PAGE_SIZE >= ACPI_BLOCK_MAX,
               "the ACPI tables fit their pages");

static int build_failed(const struct domain *d, const char *why, int rc)
{
    log_error("domain %s: not built: %s (error %d)", d->name, why, -rc);
    return rc;
}

static int request_check(const struct domain *d, const struct pvh_build *b)
{
    if (d->state != DOMAIN_BUILDING) {
        return build_failed(d, "it runs already", -RV_ESRCH);
    }
    if (b->memory < MEMORY_MIN || (b->memory & ~PAGE_MASK) != 0) {
        return build_failed(d, "memory size is too small or not whole pages",
                            -RV_EINVAL);
    }
    if (b->cmdline == NULL ||
        strnlen(b->cmdline, PVH_CMDLINE_MAX) == PVH_CMDLINE_MAX) {
        return build_failed(d, "command line is too long", -RV_EINVAL);
    }
    return 0;
}

/* ---- Contents ---- */

/* What is not in the file is zero, as the frames arrive cleared. */
static int kernel_load(struct domain *d, const struct pvh_build *b,
                       const struct elf_image *image)
{
    int rc = 0;

    for (unsigned i = 0; i < image->count && rc == 0; i++) {
        const struct elf_segment *s = &image->segment[i];

        rc = guest_phys_write(d, gpa(s->paddr),
                              (const uint8_t *)b->kernel + s->offset,
                              s->file_size);
    }
    return rc;
}

static int acpi_write(struct domain *d, const struct pvh_build *b)
{
    const struct acpi_config config = {
        .base = PVH_ACPI_GFN << PAGE_SHIFT,
        .vcpus = d->vcpu_count,
        .serial_port = b->serial_port,
    };
    void *page = page_alloc();
    size_t used;
    int rc;

    if (page == NULL) {
        return -RV_ENOMEM;
    }
    used = acpi_tables_build(page, &config);
    rc = guest_phys_write(d, gpa(config.base), page, used);
    page_free(page);
    return rc;
}

static int contents_write(struct domain *d, const struct pvh_build *b,
                          const struct elf_image *image,
                          const struct pvh_layout *l)
{
    int rc = kernel_load(d, b, image);

    if (rc == 0 && l->ramdisk != 0) {
        rc = guest_phys_write(d, gpa(l->ramdisk), b->ramdisk, b->ramdisk_size);
    }
    if (rc == 0) {
        rc = pvh_start_info_write(d, b, l);
    }
    if (rc == 0) {
        rc = acpi_write(d, b);
    }
    if (rc == 0 && b->vm86_pages) {
        rc = pvh_vm86_pages_fill(d);
    }
    return rc;
}

/* ---- Devices ---- */

static int devices_attach(struct domain *d, const struct pvh_build *b)
{
    int rc = 0;

    if ((b->console || b->console_ring) && d->console == NULL) {
        rc = vconsole_create(d);
    }
    if (rc == 0 && b->console_ring) {
        rc = vconsole_ring_attach(d, gfn(PVH_CONSOLE_GFN));
    }
    if (rc == 0 && b->serial_port) {
        rc = vioapic_create(d);
        rc = rc != 0 ? rc
                     : hv->io_passthrough(d, COM1_FIRST_PORT, COM1_PORT_COUNT,
                                          true);
    }
    return rc;
}

/* ---- Entry state ---- */

static struct vcpu_segment flat_segment(uint16_t attr)
{
    return (struct vcpu_segment){
        .selector = 0, .attr = attr, .limit = 0xffffffffu, .base = 0};
}

/*
 * 32-bit protected mode, paging off, flat segments, EBX = start info. Ref: Xen
 * docs/misc/pvh, "x86/HVM direct boot ABI".
 */
static int entry_state_load(struct vcpu *v, uint32_t entry, uint64_t start_info)
{
    const uint16_t code =
        SEG_ATTR_G | SEG_ATTR_DB | SEG_ATTR_P | SEG_ATTR_S | 0xb;
    const uint16_t data =
        SEG_ATTR_G | SEG_ATTR_DB | SEG_ATTR_P | SEG_ATTR_S | 0x3;
    struct vcpu_state s;
    int rc;

    vcpu_state_init(&s);
    s.gpr[REG_RBX] = start_info;
    s.rip = entry;
    s.rflags = RFLAGS_FIXED;
    s.creg[CREG_CR0] = CR0_PE | CR0_ET;
    s.seg[SEG_CS] = flat_segment(code);
    for (unsigned i = SEG_ES; i <= SEG_GS; i++) {
        if (i != SEG_CS) {
            s.seg[i] = flat_segment(data);
        }
    }
    s.seg[SEG_TR] =
        (struct vcpu_segment){.attr = SEG_ATTR_P | 0xb, .limit = 0x67};
    rc = vcpu_state_check(v->domain, &s);
    if (rc == 0) {
        vcpu_state_load(v, &s);
        v->is_initialised = true;
        vcpu_flags_clear(v, VCPU_DOWN);
    }
    return rc;
}

/* ---- The whole ---- */

int pvh_build_domain(struct domain *d, const struct pvh_build *b)
{
    struct elf_image image;
    struct pvh_layout layout;
    const char *why;
    int rc = request_check(d, b);

    if (rc != 0) {
        return rc;
    }
    rc = elf_parse(b->kernel, b->kernel_size, &image, &why);
    if (rc == 0) {
        rc = pvh_layout_compute(b, &image, &layout, &why);
    }
    if (rc != 0) {
        return build_failed(d, why, rc);
    }
    rc = pvh_memory_populate(d, b, &layout);
    if (rc != 0) {
        return build_failed(d, "no memory", rc);
    }
    rc = contents_write(d, b, &image, &layout);
    if (rc != 0) {
        return build_failed(d, "its memory cannot be filled", rc);
    }
    rc = devices_attach(d, b);
    if (rc != 0) {
        return build_failed(d, "its devices cannot be attached", rc);
    }
    rc = entry_state_load(d->vcpu[0], image.entry, layout.start_info);
    if (rc != 0) {
        return build_failed(d, "its first vCPU cannot be started", rc);
    }
    log_info("domain %s: built, %lu MiB, %u vCPUs, entry %#x", d->name,
             b->memory >> 20, d->vcpu_count, image.entry);
    return 0;
}

/* ---- From the manifest ---- */

static int module_find(const struct domain *d, const struct boot_info *info,
                       const char *name, const void **data, size_t *size)
{
    const struct boot_module *m = boot_module_find(info, name);

    if (m == NULL) {
        log_error("domain %s: not built: there is no boot module \"%s\"",
                  d->name, name);
        return -RV_ENOENT;
    }
    *data = host_ptr(m->base);
    *size = m->size;
    return 0;
}

int pvh_build_manifest(struct domain *d, const struct manifest_domain *m,
                       const struct boot_info *info)
{
    struct pvh_build b = {
        .cmdline = m->cmdline,
        .memory = m->memory,
        .console = m->console == MANIFEST_CONSOLE_HVC ||
                   m->console == MANIFEST_CONSOLE_XEN,
        .console_ring = m->console == MANIFEST_CONSOLE_HVC,
        .serial_port =
            m->console == MANIFEST_CONSOLE_SERIAL && is_hardware_domain(d),
    };
    int rc = module_find(d, info, m->kernel, &b.kernel, &b.kernel_size);

    if (rc == 0 && m->ramdisk[0] != '\0') {
        rc = module_find(d, info, m->ramdisk, &b.ramdisk, &b.ramdisk_size);
    }
    return rc != 0 ? rc : pvh_build_domain(d, &b);
}
