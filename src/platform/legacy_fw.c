/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the firmware is told about its machine: fw_cfg items and CMOS bytes.
 * docs/decisions says why this way and not that of hvmloader.
 *
 * Threat surface: none; everything here comes from the manifest.
 */
#include "legacy_private.h"

#include "arch/host.h"
#include "ravelin/errno.h"
#include "ravelin/string.h"

#define DISK_PATH "/pci@i0cf8/ide@1,1/drive@0/disk@0\n"
#define CDROM_PATH "/pci@i0cf8/ide@1,1/drive@1/disk@0\n"
#define CMOS_DISK 2u
#define CMOS_CDROM 3u

static uint64_t memory_low(const struct manifest_domain *m)
{
    return rv_min(m->memory, LEGACY_RAM_LOW_END);
}

static void cmos_fill(struct legacy_platform *p)
{
    const struct manifest_domain *m = p->manifest;
    bool cd_first = m->boot == MANIFEST_BOOT_CDROM;
    const struct legacy_cmos_config conf = {
        .memory_below_4g = memory_low(m),
        .memory_above_4g = m->memory - memory_low(m),
        .boot = {cd_first ? CMOS_CDROM : CMOS_DISK,
                 cd_first ? CMOS_DISK : CMOS_CDROM, 0},
        .vcpu_count = (uint8_t)p->domain->vcpu_count,
    };

    legacy_rtc_config(&p->rtc, &conf);
}

static int numbers_add(struct legacy_platform *p)
{
    struct legacy_fw_cfg *fw = &p->fw_cfg;
    unsigned vcpus = p->domain->vcpu_count;
    int rc =
        legacy_fw_cfg_number_add(fw, FW_CFG_RAM_SIZE, p->manifest->memory, 8);

    rc = rc ? rc : legacy_fw_cfg_number_add(fw, FW_CFG_NB_CPUS, vcpus, 2);
    rc = rc ? rc : legacy_fw_cfg_number_add(fw, FW_CFG_MAX_CPUS, vcpus, 2);
    rc = rc ? rc : legacy_fw_cfg_number_add(fw, FW_CFG_IRQ0_OVERRIDE, 1, 1);
    rc = rc ? rc : legacy_fw_cfg_file_number_add(fw, "etc/max-cpus", vcpus, 8);
    rc =
        rc ? rc : legacy_fw_cfg_file_number_add(fw, "etc/show-boot-menu", 0, 8);
    if (rc == 0 && p->manifest->console == MANIFEST_CONSOLE_COM1) {
        rc = legacy_fw_cfg_file_number_add(fw, "etc/sercon-port",
                                           LEGACY_UART_COM1, 8);
    }
    return rc;
}

static int files_add(struct legacy_platform *p, const struct boot_info *info)
{
    struct legacy_fw_cfg *fw = &p->fw_cfg;
    const struct boot_module *vga =
        p->manifest->vgabios[0] != '\0'
            ? boot_module_find(info, p->manifest->vgabios)
            : NULL;
    bool cd_first = p->manifest->boot == MANIFEST_BOOT_CDROM;
    int rc;

    string_copy(p->boot_order, sizeof(p->boot_order),
                cd_first ? CDROM_PATH DISK_PATH : DISK_PATH CDROM_PATH);
    rc = legacy_fw_cfg_file_add(fw, "bootorder", p->boot_order,
                                (uint32_t)strlen(p->boot_order) + 1);
    rc = rc ? rc
            : legacy_fw_cfg_file_add(
                  fw, "etc/e820", p->e820,
                  (uint32_t)(p->e820_count * sizeof(p->e820[0])));
    if (rc == 0 && vga != NULL && legacy_has(p, MANIFEST_DEV_SCREEN)) {
        rc = legacy_fw_cfg_file_add(fw, "vgaroms/vgabios.bin",
                                    host_ptr(vga->base), (uint32_t)vga->size);
    }
    return rc;
}

int legacy_firmware_tell(struct legacy_platform *p,
                         const struct boot_info *info)
{
    int rc = numbers_add(p);

    cmos_fill(p);
    return rc != 0 ? rc : files_add(p, info);
}
