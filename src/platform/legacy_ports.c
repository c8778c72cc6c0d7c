/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which device answers at a port of a legacy platform: one table. Byte devices
 * see wider accesses as several, in ascending order; devices with wide
 * registers see them as they are.
 *
 * Threat surface: port, size, value and count are the guest's.
 */
#include "legacy_private.h"

#include "arch/host.h"
#include "ravelin/errno.h"
#include "ravelin/string.h"

#define FW_CFG_PORT 0x510u
#define FW_CFG_DATA 0x511u
#define PM_PORT_COUNT 64u
#define TEXT_PORT 0xe9u
#define WIDE true

struct port_range {
    uint16_t first;
    uint16_t count;
    uint32_t needs; /* MANIFEST_DEV_*: without it nothing answers */
    bool is_wide;
    uint32_t (*read)(struct legacy_platform *p, uint16_t port, unsigned size);
    void (*write)(struct legacy_platform *p, uint16_t port, unsigned size,
                  uint32_t value);
};

static uint32_t pic_read(struct legacy_platform *p, uint16_t port,
                         unsigned size rv_unused)
{
    return legacy_pic_read(&p->pic, port);
}

static void pic_write(struct legacy_platform *p, uint16_t port,
                      unsigned size rv_unused, uint32_t value)
{
    legacy_pic_write(&p->pic, port, (uint8_t)value);
}

static uint32_t pit_read(struct legacy_platform *p, uint16_t port,
                         unsigned size rv_unused)
{
    return legacy_pit_read(&p->pit, port);
}

static void pit_write(struct legacy_platform *p, uint16_t port,
                      unsigned size rv_unused, uint32_t value)
{
    legacy_pit_write(&p->pit, port, (uint8_t)value);
}

static uint32_t rtc_read(struct legacy_platform *p, uint16_t port,
                         unsigned size rv_unused)
{
    return legacy_rtc_read(&p->rtc, port);
}

static void rtc_write(struct legacy_platform *p, uint16_t port,
                      unsigned size rv_unused, uint32_t value)
{
    legacy_rtc_write(&p->rtc, port, (uint8_t)value);
}

static uint32_t uart_read(struct legacy_platform *p, uint16_t port,
                          unsigned size rv_unused)
{
    return legacy_uart_read(&p->uart, port - LEGACY_UART_COM1);
}

static void uart_write(struct legacy_platform *p, uint16_t port,
                       unsigned size rv_unused, uint32_t value)
{
    legacy_uart_write(&p->uart, port - LEGACY_UART_COM1, (uint8_t)value);
}

static uint32_t kbc_read(struct legacy_platform *p, uint16_t port,
                         unsigned size rv_unused)
{
    return legacy_kbc_read(&p->kbc, port);
}

static void kbc_write(struct legacy_platform *p, uint16_t port,
                      unsigned size rv_unused, uint32_t value)
{
    legacy_kbc_write(&p->kbc, port, (uint8_t)value);
}

static uint32_t apm_read(struct legacy_platform *p, uint16_t port,
                         unsigned size rv_unused)
{
    return legacy_pm_apm_read(&p->pm, port);
}

static void apm_write(struct legacy_platform *p, uint16_t port,
                      unsigned size rv_unused, uint32_t value)
{
    legacy_pm_apm_write(&p->pm, port, (uint8_t)value);
}

static uint32_t debug_read(struct legacy_platform *p, uint16_t port,
                           unsigned size rv_unused)
{
    return legacy_debug_read(&p->debug, port);
}

static void debug_write(struct legacy_platform *p, uint16_t port,
                        unsigned size rv_unused, uint32_t value)
{
    legacy_debug_write(&p->debug, port, (uint8_t)value);
}

/* Text without a terminal, as Bochs has it: to a console of bytes, not into the
 * picture of a screen. */
static uint32_t text_read(struct legacy_platform *p rv_unused,
                          uint16_t port rv_unused, unsigned size rv_unused)
{
    return TEXT_PORT;
}

static void text_write(struct legacy_platform *p, uint16_t port rv_unused,
                       unsigned size rv_unused, uint32_t value)
{
    const char byte = (char)value;

    (void)!p->host.console_write(p, &byte, 1);
}

static uint32_t fw_cfg_read(struct legacy_platform *p, uint16_t port,
                            unsigned size)
{
    return legacy_fw_cfg_read(&p->fw_cfg, port, size);
}

static void fw_cfg_write(struct legacy_platform *p, uint16_t port,
                         unsigned size, uint32_t value)
{
    legacy_fw_cfg_write(&p->fw_cfg, port, size, value);
}

static uint32_t pci_read(struct legacy_platform *p, uint16_t port,
                         unsigned size)
{
    return legacy_pci_read(&p->pci, port, size);
}

static void pci_write(struct legacy_platform *p, uint16_t port, unsigned size,
                      uint32_t value)
{
    legacy_pci_write(&p->pci, port, size, value);
}

static uint32_t gpe_read(struct legacy_platform *p, uint16_t port,
                         unsigned size rv_unused)
{
    return legacy_gpe_read(&p->gpe, port);
}

static void gpe_write(struct legacy_platform *p, uint16_t port,
                      unsigned size rv_unused, uint32_t value)
{
    legacy_gpe_write(&p->gpe, port, (uint8_t)value);
}

static struct legacy_ide *ide_at(struct legacy_platform *p, uint16_t port)
{
    return &p->ide[(port & 0x80u) == 0]; /* 0x1f0 and 0x3f6: the first */
}

static uint32_t ide_read(struct legacy_platform *p, uint16_t port,
                         unsigned size)
{
    return legacy_ide_read(ide_at(p, port), port, size);
}

static void ide_write(struct legacy_platform *p, uint16_t port, unsigned size,
                      uint32_t value)
{
    legacy_ide_write(ide_at(p, port), port, size, value);
}

static uint32_t vga_read(struct legacy_platform *p, uint16_t port,
                         unsigned size)
{
    return legacy_vga_read(&p->vga, port, size);
}

static void vga_write(struct legacy_platform *p, uint16_t port, unsigned size,
                      uint32_t value)
{
    if (legacy_vga_write(&p->vga, port, size, value) && p->screen != NULL) {
        legacy_screen_moved(p->screen, &p->vga);
    }
}

/* clang-format off */
static const struct port_range ranges[] = {
    {LEGACY_IDE_PRIMARY,           1,  MANIFEST_DEV_IDE, WIDE, ide_read, ide_write},
    {LEGACY_IDE_PRIMARY + 1,       7,  MANIFEST_DEV_IDE, false, ide_read, ide_write},
    {LEGACY_IDE_SECONDARY,         1,  MANIFEST_DEV_IDE, WIDE, ide_read, ide_write},
    {LEGACY_IDE_SECONDARY + 1,     7,  MANIFEST_DEV_IDE, false, ide_read, ide_write},
    {LEGACY_IDE_PRIMARY_CONTROL,   1,  MANIFEST_DEV_IDE, false, ide_read, ide_write},
    {LEGACY_IDE_SECONDARY_CONTROL, 1,  MANIFEST_DEV_IDE, false, ide_read, ide_write},
    {0x20,                         2,  0, false, pic_read, pic_write},
    {0xa0,                         2,  0, false, pic_read, pic_write},
    {LEGACY_UART_COM1,             8,  MANIFEST_DEV_UART, false, uart_read, uart_write},
    {0x60,                         1,  MANIFEST_DEV_KEYBOARD, false, kbc_read, kbc_write},
    {0x64,                         1,  MANIFEST_DEV_KEYBOARD, false, kbc_read, kbc_write},
    {0x40,                         4,  MANIFEST_DEV_PIT, false, pit_read, pit_write},
    {0x61,                         1,  MANIFEST_DEV_PIT, false, pit_read, pit_write},
    {LEGACY_VGA_PORT,              LEGACY_VGA_PORT_COUNT, MANIFEST_DEV_SCREEN, false, vga_read, vga_write},
    {LEGACY_VGA_DISPI_PORT,        LEGACY_VGA_DISPI_PORT_COUNT, MANIFEST_DEV_SCREEN, WIDE, vga_read, vga_write},
    {0x70,                         2,  MANIFEST_DEV_RTC, false, rtc_read, rtc_write},
    {LEGACY_PCI_ADDRESS,           LEGACY_PCI_PORT_COUNT, MANIFEST_DEV_PCI, WIDE, pci_read, pci_write},
    {FW_CFG_PORT,                  2,  MANIFEST_DEV_FW_CFG, WIDE, fw_cfg_read, fw_cfg_write},
    {0x514,                        8,  MANIFEST_DEV_FW_CFG, WIDE, fw_cfg_read, fw_cfg_write},
    {0x80,                         1,  0, false, debug_read, debug_write},
    {0xed,                         1,  0, false, debug_read, debug_write},
    {LEGACY_DEBUG_PORT,            1,  0, false, debug_read, debug_write},
    {TEXT_PORT,                    1,  MANIFEST_DEV_DEBUG_PORT, false, text_read, text_write},
    {0x92,                         1,  MANIFEST_DEV_KEYBOARD, false, kbc_read, kbc_write},
    {0xb2,                         2,  MANIFEST_DEV_PM_TIMER, false, apm_read, apm_write},
    {0x4d0,                        2,  0, false, pic_read, pic_write},
    {LEGACY_GPE_PORT,              LEGACY_GPE_PORT_COUNT, MANIFEST_DEV_PM_TIMER, false, gpe_read, gpe_write},
    {LEGACY_GPE_SLOT_PORT,         LEGACY_GPE_SLOT_PORT_COUNT, MANIFEST_DEV_PM_TIMER, false, gpe_read, gpe_write},
};
/* clang-format on */

static const struct port_range *range_find(const struct legacy_platform *p,
                                           uint16_t port)
{
    for (unsigned i = 0; i < ARRAY_SIZE(ranges); i++) {
        const struct port_range *r = &ranges[i];

        if ((uint16_t)(port - r->first) < r->count) {
            return legacy_has(p, r->needs) ? r : NULL;
        }
    }
    return NULL;
}

/* The power management block is where the guest has put it. */
static bool pm_access(struct legacy_platform *p, uint16_t port, unsigned size,
                      bool in, uint32_t *value)
{
    uint16_t base = legacy_pci_pm_base(&p->pci);
    unsigned offset = (unsigned)port - base;

    if (base == 0 || offset >= PM_PORT_COUNT || size > PM_PORT_COUNT - offset ||
        !legacy_has(p, MANIFEST_DEV_PM_TIMER)) {
        return false;
    }
    if (in) {
        *value = legacy_pm_read(&p->pm, offset, size);
    } else {
        legacy_pm_write(&p->pm, offset, size, *value);
    }
    return true;
}

/* One byte of an access; absent ports read as ones. */
static bool byte_access(struct legacy_platform *p, uint16_t port, bool in,
                        uint32_t *value)
{
    const struct port_range *r = range_find(p, port);

    if (r == NULL || r->is_wide) {
        *value = in ? 0xffu : *value;
        return false;
    }
    if (in) {
        *value = r->read(p, port, 1);
    } else {
        r->write(p, port, 1, *value & 0xffu);
    }
    return true;
}

static bool access(struct legacy_platform *p, uint16_t port, unsigned size,
                   bool in, uint32_t *value)
{
    const struct port_range *r = range_find(p, port);
    uint32_t all = 0;

    if (r == NULL) {
        return pm_access(p, port, size, in, value);
    }
    if (r->is_wide) {
        if (in) {
            *value = r->read(p, port, size);
        } else {
            r->write(p, port, size, *value);
        }
        return true;
    }
    for (unsigned i = 0; i < size; i++) {
        uint32_t byte = *value >> (8 * i) & 0xffu;

        (void)byte_access(p, (uint16_t)(port + i), in, &byte);
        all |= (byte & 0xffu) << (8 * i);
    }
    *value = in ? all : *value;
    return true;
}

int legacy_port(struct vcpu *v, uint16_t port, unsigned size, bool in,
                uint32_t *value)
{
    struct legacy_platform *p = v->domain->legacy;
    bool found;

    spin_lock(&p->lock);
    legacy_catch_up(p);
    found = access(p, port, size, in, value);
    legacy_schedule(p);
    legacy_unlock(p);
    return found ? 0 : -RV_ENOENT;
}

size_t legacy_port_string(struct vcpu *v, uint16_t port, unsigned size, bool in,
                          uint8_t *buf, size_t n)
{
    struct legacy_platform *p = v->domain->legacy;
    bool is_ide = port == LEGACY_IDE_PRIMARY || port == LEGACY_IDE_SECONDARY;
    size_t moved = 0;

    if (is_ide && legacy_has(p, MANIFEST_DEV_IDE) && size >= 2) {
        spin_lock(&p->lock);
        moved =
            in ? legacy_ide_data_read(ide_at(p, port), size, buf, n / size)
               : legacy_ide_data_write(ide_at(p, port), size, buf, n / size);
        moved *= size;
        legacy_schedule(p);
        legacy_unlock(p);
    } else if (port == FW_CFG_DATA && size == 1 && in &&
               legacy_has(p, MANIFEST_DEV_FW_CFG)) {
        spin_lock(&p->lock);
        legacy_fw_cfg_data_read(&p->fw_cfg, buf, n);
        moved = n;
        legacy_unlock(p);
    }
    return moved;
}
